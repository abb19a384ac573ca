"""The DCOM server itself: resolver, activation, objects and their names, pings, permissions. MS-DCOM 3.1."""
import random
import struct

import pytest
from impacket.dcerpc.v5 import dcomrt

import dcom
import harness
import orpc
import pkcs10

E_NOINTERFACE, CLASSNOTREG, OBJNOTREG = 0x80004002, 0x80040154, 0x800401FB
DISCONNECTED, VERSION_MISMATCH, INVALID_HEADER, INVALID_OBJECT = 0x80010108, 0x80010110, 0x80010111, 0x80010114
E_ACCESSDENIED, E_INVALIDARG, INVALID_OBJREF = 0x80070005, 0x80070057, 0x8001011D
OR_INVALID_OXID, OR_INVALID_OID, OR_INVALID_SET = 0x776, 0x777, 0x778


@pytest.fixture(scope="module")
def server():
    s = harness.Server().start()
    yield s
    s.remove()


@pytest.fixture
def activated(server):
    return orpc.activate(server)


@pytest.fixture
def objects(server):
    with orpc.Client(server, server.object_port, orpc.ICertRequestD) as c:
        yield c


@pytest.fixture
def unknown(server):
    with orpc.Client(server, server.object_port, orpc.IRemUnknown2) as c:
        yield c


# ---- resolver ----

def exporter(server, user=None):
    return orpc.Client(server, server.epm_port, orpc.IObjectExporter, user)


def test_signs_of_life_need_no_logon(server):
    with exporter(server) as c:
        assert c.call(3, b"") == bytes(4)
        r = orpc.Reader(c.call(5, b""))
        assert r.take("HHL")[:2] == (5, 7)
        bindings = r.array()
        assert r.take("LL") == (0, 0)
        r.end()
    assert bindings.strings == [(7, "127.0.0.1"), (7, "ca01"), (7, "ca01.corp.contoso.com")]
    assert [b[0] for b in bindings.securities][:2] == [9, 10]


@pytest.mark.parametrize("opnum", [0, 4])
def test_resolve_oxid(server, activated, opnum):
    with exporter(server) as c:
        r = orpc.Reader(c.call(opnum, struct.pack("<QHHLH", activated.oxid, 1, 0, 1, 7)))
        assert r.take("L") != 0
        bindings = r.array()
        assert r.take("16sL") == (activated.rem_unknown, 6)
        if opnum == 4:
            assert r.take("HH") == (5, 7)
        assert r.take("L") == 0
        r.end()
        assert bindings == activated.bindings
        assert c.call(opnum, struct.pack("<QHHLH", activated.oxid ^ 1, 1, 0, 1, 7))[-4:] == struct.pack("<L", OR_INVALID_OXID)


# ---- activation ----

def test_activation_tells_the_way(server, activated):
    port = server.object_port
    assert activated.hr == 0 and activated.results == [0] and activated.hint == 6 and activated.version == (5, 7)
    assert [s[1] for s in activated.bindings.strings] == [f"127.0.0.1[{port}]", f"ca01[{port}]", f"ca01.corp.contoso.com[{port}]"]
    reference, = activated.references
    assert (reference.iid, reference.flags, reference.refs, reference.oxid) == (orpc.ICertRequestD, 0, 5, activated.oxid)
    assert reference.resolver.strings[0] == (7, "127.0.0.1")


def test_every_activation_is_an_object_of_its_own(server):
    first, second = orpc.activate(server), orpc.activate(server)
    assert first.oxid == second.oxid and first.rem_unknown == second.rem_unknown
    assert first.references[0].oid != second.references[0].oid and first.references[0].ipid != second.references[0].ipid


def test_unknown_classes_and_interfaces(server):
    other = "01234567-89ab-cdef-0123-456789abcdef"
    refused = orpc.activate(server, clsid=other)
    assert refused.hr == CLASSNOTREG and refused.references == [None] and refused.results == [0] and refused.bindings is None
    assert orpc.activate(server, iids=[other]).hr == E_NOINTERFACE
    some = orpc.activate(server, iids=[orpc.ICertRequestD2, other, orpc.IUnknown])
    assert some.hr == 0 and some.results == [0, E_NOINTERFACE, 0] and some.references[1] is None
    assert some.references[0].oid == some.references[2].oid


@pytest.mark.parametrize("version,hr", [((5, 7), 0), ((5, 1), 0), ((5, 8), VERSION_MISMATCH), ((6, 0), VERSION_MISMATCH),
                                        ((4, 7), VERSION_MISMATCH)])
def test_com_version_of_an_activation(server, version, hr):
    assert orpc.activate(server, header=orpc.this(version, 1)).hr == hr


@pytest.mark.parametrize("clsid,iid,code", [(b"x" * 16, dcom.IID_ICertRequestD, CLASSNOTREG),
                                            (dcom.CLSID_CCertRequestD, b"y" * 20, E_NOINTERFACE)], ids=["class", "interface"])
def test_impacket_gets_the_hresults(server, clsid, iid, code):
    with dcom.Connection(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        with pytest.raises(dcomrt.DCERPCSessionError) as caught:
            c.activate(clsid, iid)
        assert caught.value.get_error_code() == code


def test_impacket_queries_and_releases(server):
    with dcom.Connection(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        interface = c.activate()
        with dcom.mapper_port(server.epm_port):
            interface.RemAddRef()
            second = interface.RemQueryInterface(1, (dcom.IID_ICertRequestD2[:16],))
            assert c.plain(second, "Ping2", pwszAuthority=None)["ErrorCode"] == 0
            second.RemRelease()
        with pytest.raises(Exception, match="80010108|RPC_E_DISCONNECTED"):
            c.plain(second, "Ping2", pwszAuthority=None)


def test_class_objects_make_objects(server):
    factory = orpc.activate(server, iids=[orpc.IClassFactory], mode=0xFFFFFFFF)
    assert factory.hr == 0
    assert orpc.activate(server, iids=[orpc.ICertRequestD], mode=0xFFFFFFFF).hr == E_NOINTERFACE
    with orpc.Client(server, server.object_port, orpc.IClassFactory) as c:
        r = orpc.Reader(c.call(3, orpc.this() + orpc.guid(orpc.ICertRequestD), factory.references[0].ipid))
        assert r.take("LLL")[:2] == (0, 0)
        made = orpc.Reference.read(r.pointer())
        assert r.take("L") == 0
        assert orpc.ping(c, made.ipid) == 0  # by its IPID, on the context of IClassFactory
        assert c.call(3, orpc.this() + orpc.guid(orpc.IRemUnknown), factory.references[0].ipid)[-4:] == struct.pack("<L", E_NOINTERFACE)


# ---- properties that are no such thing ----

def activation_blob(server):
    """What impacket sends for CCertRequestD."""
    sent = []

    class Stop(Exception):
        pass

    class Mapper:
        def bind(self, iid):
            del iid

        def request(self, request):
            sent.append(request.getData())
            raise Stop

    with pytest.raises(Stop):
        dcomrt.IRemoteSCMActivator(Mapper()).RemoteCreateInstance(dcom.CLSID_CCertRequestD, dcom.IID_ICertRequestD)
    return sent[0]


def test_malformed_activation_properties(server):
    """Cut anywhere, every octet wrong in turn, and random ones: an HRESULT or a fault, and the next one works."""
    whole = activation_blob(server)
    start = whole.index(b"MEOW")
    rng = random.Random(4)

    def stub(objref):
        return whole[:start - 8] + struct.pack("<LL", len(objref), len(objref)) + objref

    objref = whole[start:]
    damaged = [objref[:n] for n in range(0, len(objref), 3)]
    for at in range(len(objref)):
        damaged.append(objref[:at] + bytes([objref[at] ^ (1 << rng.randrange(8))]) + objref[at + 1:])
        if at % 4 == 0:
            damaged.append(objref[:at] + b"\xff\xff\xff\xff" + objref[at + 4:])
    codes = set()
    with orpc.Client(server, server.epm_port, orpc.IRemoteSCMActivator) as c:
        for data in damaged:
            codes.add(struct.unpack("<L", c.call(4, stub(data))[-4:])[0])
        assert c.call(4, whole)[-4:] == bytes(4)
        assert c.call(4, whole[:0x24] + bytes(4))[-4:] == struct.pack("<L", E_INVALIDARG)  # no properties at all
    assert {0, INVALID_OBJREF, E_INVALIDARG, CLASSNOTREG, E_NOINTERFACE} <= codes, [hex(c) for c in codes]


# ---- calls ----

@pytest.mark.parametrize("header,status", [
    (orpc.this((5, 8)), VERSION_MISMATCH), (orpc.this((5, 7), 1), INVALID_HEADER), (orpc.this()[:20], 0x6F7),
    (orpc.this(extensions=struct.pack("<LLLLL", 0x20000, 0xFFFFFFFF, 0, 4, 0)), 0x6F7)],
    ids=["version", "flags", "short", "extensions"])
def test_refused_headers(objects, activated, header, status):
    stub = header + orpc.name(None) if len(header) >= 32 else header
    assert objects.fault(5, stub, activated.references[0].ipid) == status


@pytest.mark.parametrize("datas", [[b"x" * 5], [b"a" * 8, b"", b"c" * 100]], ids=["one", "three"])
def test_extensions_are_skipped(objects, activated, datas):
    header = orpc.this(extensions=orpc.extensions(*datas))
    assert orpc.ping(objects, activated.references[0].ipid, harness.CA_NAME, header) == 0


def test_calls_go_by_ipid(server, activated, unknown, objects):
    """Whatever interface the context was bound to."""
    ipid = activated.references[0].ipid
    assert orpc.ping(unknown, ipid) == 0
    code, found = orpc.query(objects, activated.rem_unknown, ipid, orpc.ICertRequestD2)
    assert code == 0 and found[0][0] == 0


def test_no_object_no_method(objects, activated):
    stub = orpc.this() + orpc.name(None)
    assert objects.fault(5, stub) == DISCONNECTED
    assert objects.fault(5, stub, bytes(range(16))) == DISCONNECTED
    for opnum in (0, 1, 2, 6, 255):
        assert objects.fault(opnum, stub, activated.references[0].ipid) == 0x1C010002


def test_query_interface(unknown, activated):
    reference, = activated.references
    code, found = orpc.query(unknown, activated.rem_unknown, reference.ipid, orpc.ICertRequestD, orpc.IClassFactory,
                             orpc.ICertRequestD2, orpc.IUnknown, refs=3)
    assert code == 0 and [f[0] for f in found] == [0, E_NOINTERFACE, 0, 0]
    assert found[0][1:] == (activated.oxid, reference.oid, reference.ipid)
    assert orpc.query(unknown, activated.rem_unknown, bytes(16), orpc.ICertRequestD) == (INVALID_OBJECT, [])
    assert orpc.ping(unknown, found[2][3]) == 0


def test_query_interface2(unknown, activated):
    reference, = activated.references
    iids = [orpc.ICertRequestD2, orpc.IClassFactory]
    r = orpc.Reader(unknown.call(6, orpc.this() + reference.ipid + struct.pack("<HHL", 2, 0, 2) + b"".join(map(orpc.guid, iids)),
                                 activated.rem_unknown))
    assert r.take("LL") == (0, 0)
    assert [r.take("L") for _ in range(r.take("L"))] == [0, E_NOINTERFACE]
    ids = [r.take("L") for _ in range(r.take("L"))]
    assert ids[0] != 0 and ids[1] == 0
    second = orpc.Reference.read(r.pointer())
    assert r.take("L") == 0
    r.end()
    assert second.iid == orpc.ICertRequestD2 and second.oid == reference.oid


def test_released_objects_are_gone(unknown, activated):
    ipid, rem = activated.references[0].ipid, activated.rem_unknown
    orpc.release(unknown, rem, ipid, 4)
    assert orpc.ping(unknown, ipid) == 0
    answer = unknown.call(4, orpc.this() + struct.pack("<HHL", 2, 0, 2) + ipid + struct.pack("<LL", 1, 1) + bytes(24), rem)
    assert answer == bytes(8) + struct.pack("<LLLL", 2, 0, OBJNOTREG, 0)
    orpc.release(unknown, rem, ipid, 2)  # the private reference is still there
    assert orpc.ping(unknown, ipid) == 0
    unknown.call(5, orpc.this() + struct.pack("<HHL", 1, 0, 1) + ipid + struct.pack("<LL", 0, 9), rem)
    assert unknown.fault(5, orpc.this() + orpc.name(None), ipid) == DISCONNECTED
    assert orpc.query(unknown, rem, ipid, orpc.ICertRequestD)[0] == INVALID_OBJECT
    orpc.release(unknown, rem, ipid)  # of nothing: ignored
    orpc.release(unknown, rem, rem)  # the exporter's own stays
    assert orpc.query(unknown, rem, rem, orpc.IRemUnknown2)[1][0][0] == 0


def test_calls_interleave(how_to):
    """Requests and pings on one connection, sent before any answer is read: each gets its own."""
    a, b = orpc.activate(how_to), orpc.activate(how_to)
    csr = pkcs10.csr()
    request = struct.pack("<L", 0) + orpc.name(harness.CA_NAME) + struct.pack("<L", 0)
    request += orpc.name("CertificateTemplate:IntunePKCS") + struct.pack("<LLL", len(csr), 0x20000, len(csr)) + csr
    with orpc.Client(how_to, how_to.object_port, orpc.ICertRequestD, conc_mpx=True) as c:
        expected = []
        for k in range(20):
            ipid = (a, b)[k % 2].references[0].ipid
            c.send(3, orpc.this() + request, ipid)
            c.send(5, orpc.this() + orpc.name(None), ipid)
            expected += ["request", "ping"]
        answers = [c.receive() for _ in expected]
    pings = [x for x in answers if len(x) == 12]
    issued = [struct.unpack_from("<LL", x, 8) for x in answers if len(x) > 12]
    assert len(pings) == 20 and all(x == bytes(12) for x in pings)
    assert len({r[0] for r in issued}) == 20 and all(r[1] == 3 for r in issued)


def test_a_thousand_activations_at_once(server):
    """25 clients with 40 activations each under way; every object is its own, answers, and goes when released."""
    clients = [orpc.Client(server, server.epm_port, orpc.IActivation, conc_mpx=True) for _ in range(25)]
    for _ in range(40):
        for c in clients:
            c.send(0, orpc.activation())
    made = [orpc.read_activation(c.receive()) for c in clients for _ in range(40)]
    for c in clients:
        c.close()
    references = [m.references[0] for m in made]
    assert all(m.hr == 0 for m in made)
    assert len({r.oid for r in references}) == len({r.ipid for r in references}) == 1000
    with orpc.Client(server, server.object_port, orpc.IRemUnknown) as c:
        for r in references:
            assert orpc.ping(c, r.ipid) == 0
        refs = b"".join(r.ipid + struct.pack("<LL", 5, 0) for r in references)
        assert c.call(5, orpc.this() + struct.pack("<HHL", 1000, 0, 1000) + refs, made[0].rem_unknown) == bytes(12)
        assert c.fault(5, orpc.this() + orpc.name(None), references[500].ipid) == DISCONNECTED


# ---- pings, on the virtual clock ----

def complex_ping(client, which, sequence, add=(), remove=()):
    out = struct.pack("<QHHH", which, sequence, len(add), len(remove)) + bytes(2)
    for oids in (add, remove):
        out += bytes(-len(out) % 4) + struct.pack("<L", 0x20000 if oids else 0)
        if oids:
            out += struct.pack("<L", len(oids))
            out += bytes(-len(out) % 8) + struct.pack(f"<{len(oids)}Q", *oids)
    got, backoff, status = struct.unpack("<QHxxL", client.call(2, out))
    assert backoff == 0
    return got, status


def simple_ping(client, which):
    return struct.unpack("<L", client.call(1, struct.pack("<Q", which)))[0]


def alive(client, made):
    try:
        return orpc.ping(client, made.references[0].ipid) == 0
    except Exception as e:
        assert "80010108" in str(e).lower() or "disconnected" in str(e).lower(), e
        return False


@pytest.fixture
def stopped(fresh):
    return fresh("--clock", "2026-11-23T12:00:00Z")


def test_pings_keep_objects(stopped):
    kept, left, called = (orpc.activate(stopped) for _ in range(3))
    with exporter(stopped) as c, orpc.Client(stopped, stopped.object_port, orpc.ICertRequestD) as objects:
        which, status = complex_ping(c, 0, 1, [kept.references[0].oid, 12345])
        assert which != 0 and status == 0
        for _ in range(4):
            stopped.ctl("clock", "advance", "119s")
            assert simple_ping(c, which) == 0
            assert alive(objects, called)
        assert alive(objects, kept) and not alive(objects, left)
        # nobody pings any more: the set is gone after three periods, and what it held with it
        stopped.ctl("clock", "advance", "359s")
        assert simple_ping(c, which) == 0
        stopped.ctl("clock", "advance", "360s")
        assert simple_ping(c, which) == OR_INVALID_SET
        assert not alive(objects, kept) and not alive(objects, called)


def test_ping_sets_change(stopped):
    a, b = orpc.activate(stopped), orpc.activate(stopped)
    oids = [a.references[0].oid, b.references[0].oid]
    with exporter(stopped) as c, orpc.Client(stopped, stopped.object_port, orpc.ICertRequestD) as objects:
        assert complex_ping(c, 999, 0) == (999, OR_INVALID_SET) and simple_ping(c, 999) == OR_INVALID_SET
        which, _ = complex_ping(c, 0, 5, oids[:1])
        assert complex_ping(c, which, 6, [oids[1], 12345]) == (which, OR_INVALID_OID)
        assert complex_ping(c, which, 4, remove=oids) == (which, 0)  # late: nothing is done
        stopped.ctl("clock", "advance", "300s")
        assert complex_ping(c, which, 7, remove=[oids[1]]) == (which, 0)
        stopped.ctl("clock", "advance", "300s")
        assert simple_ping(c, which) == 0
        stopped.ctl("clock", "advance", "100s")
        assert alive(objects, a) and not alive(objects, b)


def test_ping_sets_are_bounded(stopped):
    with exporter(stopped) as c:
        answers = [complex_ping(c, 0, 0) for _ in range(1025)]
        assert all(status == 0 for _, status in answers[:1024]) and answers[1024] == (0, 14)
        assert len({which for which, _ in answers[:1024]}) == 1024
        stopped.ctl("clock", "advance", "360s")
        assert complex_ping(c, 0, 0)[1] == 0


# ---- levels and permissions ----

def test_levels(server):
    """Nobody: a fault. Below integrity, and above it: KB5004442; the methods themselves want privacy."""
    with orpc.Client(server, server.epm_port, orpc.IActivation, user=None) as c:
        assert c.fault(0, orpc.activation()) == 5
    assert orpc.activate(server, level=2).hr == E_ACCESSDENIED
    made = orpc.activate(server, level=5)
    ipid = made.references[0].ipid
    with orpc.Client(server, server.object_port, orpc.ICertRequestD, level=5) as c:
        assert orpc.ping(c, ipid, harness.CA_NAME) == E_ACCESSDENIED
        assert orpc.query(c, made.rem_unknown, ipid, orpc.ICertRequestD2)[0] == 0
    with orpc.Client(server, server.object_port, orpc.ICertRequestD, level=2) as c:
        assert c.fault(5, orpc.this() + orpc.name(None), ipid) == 5


def test_integrity_can_be_switched_off(fresh):
    server = fresh()
    server.ctl("ca", "set", "RequireIntegrityActivationAuthenticationLevel", "0")
    made = orpc.activate(server, level=2)
    assert made.hr == 0
    with orpc.Client(server, server.object_port, orpc.ICertRequestD, level=2) as c:
        assert orpc.ping(c, made.references[0].ipid) == E_ACCESSDENIED


def test_permissions_of_the_class(fresh):
    server = fresh()
    made = orpc.activate(server)
    ipid = made.references[0].ipid
    server.ctl("ca", "set", "LaunchPermission", "O:BAG:BAD:(A;;0x1f;;;BA)")
    assert orpc.activate(server).hr == E_ACCESSDENIED
    assert orpc.activate(server, user="Administrator").hr == 0
    with orpc.Client(server, server.object_port, orpc.ICertRequestD) as c:
        assert orpc.ping(c, ipid) == 0  # launching is one thing, calling another
        server.ctl("ca", "set", "AccessPermission", "O:BAG:BAD:(D;;0x4;;;AU)(A;;0x7;;;CD)")
        assert c.fault(5, orpc.this() + orpc.name(None), ipid) == 5
    server.ctl("ca", "set", "LaunchPermission", "O:BAG:BAD:(A;;0x1f;;;CD)")
    server.ctl("ca", "set", "CertificateServiceDCOMAccess", "DA")
    assert orpc.activate(server).hr == E_ACCESSDENIED  # no longer of Certificate Service DCOM Access
    assert orpc.activate(server, user="Administrator").hr == 0


def test_remote_requests_can_be_switched_off(fresh):
    server = fresh()
    made = orpc.activate(server)
    server.ctl("ca", "set", "InterfaceFlags", "+IF_NOREMOTEICERTREQUEST")
    with orpc.Client(server, server.object_port, orpc.ICertRequestD) as c:
        assert orpc.ping(c, made.references[0].ipid) == 0x80094011
