"""
DCOM by hand over impacket's RPC runtime: stubs are laid out and read here from MS-DCOM, so that wrong ones can be sent and
nothing is shared with impacket's classes or with the server's tables.
"""
import dataclasses
import struct
import uuid

from impacket import hresult_errors
from impacket.dcerpc.v5 import rpcrt, transport
from impacket.uuid import uuidtup_to_bin

import harness


def com(number):
    return f"{number:08x}-0000-0000-c000-000000000046"


IActivation = "4d9f4ab8-7d1c-11cf-861e-0020af6e7c57"
IObjectExporter = "99fcfec4-5260-101b-bbcb-00aa0021347a"
IRemoteSCMActivator, IRemUnknown, IRemUnknown2 = com(0x1A0), com(0x131), com(0x143)
IUnknown, IClassFactory = com(0), com(1)
ICertRequestD, ICertRequestD2 = "d99e6e70-fc88-11d0-b498-00a0c90312f3", "5422fd3a-d4b8-4cef-a12e-e87d4ca22e90"
CCertRequestD = "d99e6e74-fc88-11d0-b498-00a0c90312f3"
TCP = 7


def guid(text):
    return uuid.UUID(text).bytes_le


def this(version=(5, 7), flags=0, extensions=b"\0\0\0\0"):
    """ORPCTHIS"""
    return struct.pack("<HHLL", *version, flags, 0) + guid("11223344-5566-7788-99aa-bbccddeeff00") + extensions


def extensions(*datas):
    """ORPC_EXTENT_ARRAY behind its pointer: as many extents."""
    slots = (len(datas) + 1) & ~1
    out = struct.pack("<LLLLL", 0x20000, len(datas), 0, 0x20004, slots)
    out += b"".join(struct.pack("<L", 0x20008 + 4 * i if i < len(datas) else 0) for i in range(slots))
    for data in datas:
        padded = data + b"\0" * (-len(data) % 8)
        out += struct.pack("<L", len(padded)) + guid(com(0x31C)) + struct.pack("<L", len(data)) + padded
    return out


def name(text):
    """[unique, string] wchar_t *"""
    if text is None:
        return b"\0\0\0\0"
    units = text.encode("utf-16le") + b"\0\0"
    out = struct.pack("<LLLL", 0x20000, len(units) // 2, 0, len(units) // 2) + units
    return out + b"\0" * (-len(out) % 4)


class Client:
    """One connection, bound to the interfaces given; the context of a call is the latest one bound."""

    def __init__(self, server, port, interface, user="PFXCONN01$", level=6, conc_mpx=False):
        rpc = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:{server.address}[{port}]")
        rpc.set_connect_timeout(60)
        if user is not None:
            rpc.set_credentials(user, harness.PASSWORDS[user], "CORP", "", "")
        self.dce = rpc.get_dce_rpc()
        if user is not None:
            self.dce.set_auth_level(level)
        self.dce.connect()
        if conc_mpx:
            plain = rpc.send
            # PFC_CONC_MPX in the bind: calls may be under way beside each other
            rpc.send = lambda data, *a, **o: plain(data[:3] + bytes([data[3] | 0x10]) + data[4:] if data[2] == 11 else data, *a, **o)
        self.dce.bind(uuidtup_to_bin((interface, "0.0")))

    def send(self, opnum, stub, ipid=None):
        self.dce.call(opnum, stub, uuid=ipid)

    def receive(self):
        return self.dce.recv()

    def call(self, opnum, stub, ipid=None):
        self.send(opnum, stub, ipid)
        return self.receive()

    def fault(self, opnum, stub, ipid=None):
        """The status of the fault that the call must end with."""
        try:
            answer = self.call(opnum, stub, ipid)
        except rpcrt.DCERPCException as e:
            if e.get_error_code():
                return e.get_error_code()
            texts = {f"{symbol} - {message}": code for code, (symbol, message) in hresult_errors.ERROR_MESSAGES.items()}
            texts.update({value: code for code, value in rpcrt.rpc_status_codes.items()})
            return texts.get(str(e), str(e))
        raise AssertionError(f"answered with {answer.hex()}")

    def close(self):
        self.dce.disconnect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


@dataclasses.dataclass
class Bindings:
    strings: list
    securities: list

    @classmethod
    def read(cls, data):
        entries, security = struct.unpack_from("<HH", data)
        units = struct.unpack_from(f"<{entries}H", data, 4)

        def texts(part, skip):
            found, i = [], 0
            while part[i] != 0:
                end = part.index(0, i + 1 + skip)
                found.append((part[i], "".join(map(chr, part[i + 1 + skip:end]))))
                i = end + 1
            assert i == len(part) - 1, "octets behind the list"
            return found

        return cls(texts(units[:security], 0), texts(units[security:], 1))


@dataclasses.dataclass
class Reference:
    """OBJREF_STANDARD"""
    iid: str
    flags: int
    refs: int
    oxid: int
    oid: int
    ipid: bytes
    resolver: Bindings

    @classmethod
    def read(cls, data):
        signature, kind = struct.unpack_from("<4sL", data)
        assert (signature, kind) == (b"MEOW", 1)
        flags, refs, oxid, oid = struct.unpack_from("<LLQQ", data, 24)
        return cls(str(uuid.UUID(bytes_le=data[8:24])), flags, refs, oxid, oid, data[48:64], Bindings.read(data[64:]))


@dataclasses.dataclass
class Activated:
    hr: int
    oxid: int
    bindings: Bindings
    rem_unknown: bytes
    hint: int
    version: tuple
    references: list
    results: list


def activation(clsid=CCertRequestD, iids=(ICertRequestD,), header=None, mode=0):
    """Stub of IActivation::RemoteActivation."""
    out = (header or this(flags=1)) + guid(clsid) + struct.pack("<LLLLLLL", 0, 0, 2, mode, len(iids), 0x20000, len(iids))
    out += b"".join(map(guid, iids)) + struct.pack("<HHLH", 1, 0, 1, TCP)
    return out


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form, align=4):
        self.at += -self.at % align
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values if len(values) > 1 else values[0]

    def array(self):
        """DUALSTRINGARRAY behind its pointer"""
        count = self.take("L")
        begin = self.at
        assert self.take("H", 2) == count
        self.at = begin + 4 + 2 * count
        return Bindings.read(self.data[begin:self.at])

    def pointer(self):
        """MInterfacePointer behind its pointer"""
        count = self.take("L")
        assert self.take("L") == count
        self.at += count
        return self.data[self.at - count:self.at]

    def end(self):
        assert self.at == len(self.data), "octets behind the answer"


def read_activation(data):
    r = Reader(data)
    assert r.take("LL") == (0, 0), "ORPCTHAT"
    oxid, present = r.take("QL", 8)
    bindings = r.array() if present else None
    rem_unknown, hint, major, minor, hr = r.take("16sLHHL")
    ids = [r.take("L") for _ in range(r.take("L"))]
    references = [Reference.read(r.pointer()) if i else None for i in ids]
    results = [r.take("L") for _ in range(r.take("L"))]
    assert r.take("L") == 0
    r.end()
    return Activated(hr, oxid, bindings, rem_unknown, hint, (major, minor), references, results)


def activate(server, user="PFXCONN01$", level=6, **options):
    with Client(server, server.epm_port, IActivation, user, level) as c:
        return read_activation(c.call(0, activation(**options)))


def release(client, rem_unknown, ipid, refs=5):
    answer = client.call(5, this() + struct.pack("<HHL", 1, 0, 1) + ipid + struct.pack("<LL", refs, 0), rem_unknown)
    assert answer == bytes(12), answer.hex()


def query(client, rem_unknown, ripid, *iids, refs=1):
    """RemQueryInterface: HRESULT, and (HRESULT, OXID, OID, IPID) of each."""
    stub = this() + ripid + struct.pack("<LHHL", refs, len(iids), 0, len(iids)) + b"".join(map(guid, iids))
    r = Reader(client.call(3, stub, rem_unknown))
    assert r.take("LL") == (0, 0)
    found = []
    for _ in range(r.take("L") if r.take("L") else 0):
        hr = r.take("L", 8)
        flags, count, oxid, oid, ipid = r.take("LLQQ16s", 8)
        assert flags == 0 and count in (0, refs)
        found.append((hr, oxid, oid, ipid))
    code = r.take("L")
    r.end()
    return code, found


def ping(client, ipid, authority=None, header=None):
    """ICertRequestD::Ping: its HRESULT."""
    answer = client.call(5, (header or this()) + name(authority), ipid)
    assert len(answer) == 12 and answer[:8] == bytes(8)
    return struct.unpack_from("<L", answer, 8)[0]
