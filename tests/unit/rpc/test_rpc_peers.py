"""Independent clients (impacket, Samba's librpc) against the RPC runtime and the acceptors, by $B/tools/rpc_echo.

Samba's client is the strict one: it checks every signature, signs headers, sends a verification trailer and, inside
SPNEGO, a mechListMIC. Run with Debian's Python:
    /usr/bin/python3 -m pytest tests/unit/rpc/test_rpc_peers.py
"""
import os
import pathlib
import signal
import struct
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
ECHO = pathlib.Path(os.environ.get("ADCSD_BUILD", ROOT / "build")) / "tools" / "rpc_echo"
USER, PASSWORD, DOMAIN = "alice", "Passw0rd!", "LAB"
MGMT = ("afa8bd80-7d8a-11c9-bef4-08002b102989", "1.0")
OPEN = ("5c1f2a00-7d3e-4b19-9a44-0c123456789a", "1.0")
SECRET = ("5c1f2a01-7d3e-4b19-9a44-0c123456789a", "1.0")
SIZES = [0, 5, 1501, 9000, 300000]
OP_RANGE = "nca_s_op_rng_error"

import impacket.dcerpc.v5.rpcrt as rpcrt  # noqa: E402
import impacket.dcerpc.v5.transport as transport  # noqa: E402
import impacket.uuid as uuid  # noqa: E402
import samba as samba  # noqa: E402
import samba.credentials as credentials  # noqa: E402
import samba.dcerpc.mgmt as mgmt  # noqa: E402
import samba.param as param  # noqa: E402


@pytest.fixture(scope="module")
def port():
    proc = subprocess.Popen([str(ECHO)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield int(proc.stdout.readline())
    proc.stdin.close()
    assert proc.wait(timeout=60) == 0


@pytest.fixture(autouse=True)
def watchdog():
    """impacket waits for ever on a connection that has ended."""
    signal.signal(signal.SIGALRM, lambda *_: pytest.fail("the peer waits"))
    signal.alarm(30)
    yield
    signal.alarm(0)


def blob(data):
    """CERTTRANSBLOB {cb, pb} with its pointee."""
    if not data:
        return struct.pack("<II", 0, 0)
    return struct.pack("<III", len(data), 0x20000, len(data)) + data + b"\0" * (-len(data) % 4)


def payload(n):
    return bytes((i * 7 + (i >> 8)) & 0xff for i in range(n))


def read_blob(stub):
    size, pointer = struct.unpack_from("<II", stub)
    if not pointer:
        return b""
    assert struct.unpack_from("<I", stub, 8)[0] == size
    return stub[12:12 + size]


# ---- impacket ----

LEVELS = {"none": 1, "connect": 2, "packet": 4, "integrity": 5, "privacy": 6}


def impacket(port, level, user=USER, password=PASSWORD, iface=MGMT, domain=DOMAIN):
    t = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:127.0.0.1[{port}]")
    nthash = ""
    if password.startswith(":"):
        nthash, password = password[1:], ""
    if level != "none":
        t.set_credentials(user, password, domain, "", nthash)
    d = t.get_dce_rpc()
    d.set_auth_level(LEVELS[level])
    d.connect()
    d.bind(uuid.uuidtup_to_bin(iface))
    return d


def call(d, opnum, stub=b""):
    d.call(opnum, stub)
    return d.recv()


@pytest.mark.parametrize("level", ["none", "connect", "integrity", "privacy"])
@pytest.mark.parametrize("size", SIZES)
def test_impacket_echo(port, level, size):
    d = impacket(port, level)
    assert read_blob(call(d, 0, blob(payload(size)))) == payload(size)
    assert read_blob(call(d, 0, blob(b"again"))) == b"again"
    d.disconnect()


@pytest.mark.parametrize("level", ["none", "connect", "integrity", "privacy"])
def test_impacket_identity(port, level):
    d = impacket(port, level)
    who = "nobody none" if level == "none" else "LAB\\alice NTLM"
    assert read_blob(call(d, 3)).decode() == f"{who} level {LEVELS[level]} at 127.0.0.1 object none"


def test_impacket_object_uuid(port):
    d = impacket(port, "privacy")
    d.call(3, b"", uuid.string_to_bin("00112233-4455-6677-8899-aabbccddeeff"))
    assert read_blob(d.recv()).endswith(b"object 00112233-4455-6677-8899-aabbccddeeff")


def test_impacket_hash_and_machine_account(port):
    d = impacket(port, "privacy", password=":fc525c9683e8fe067095ba2ddc971889")
    assert read_blob(call(d, 3)).startswith(b"LAB\\alice ")
    d = impacket(port, "privacy", "WS01$", "MachinePw1")
    assert read_blob(call(d, 3)).startswith(b"LAB\\WS01$ ")


@pytest.mark.parametrize("level", ["connect", "integrity", "privacy"])
@pytest.mark.parametrize("user, password", [(USER, "wrong"), ("nobody", PASSWORD)])
def test_impacket_refused_at_first_request(port, level, user, password):
    d = impacket(port, level, user, password)  # auth3 has no answer
    with pytest.raises(rpcrt.DCERPCException, match="access_denied"):
        call(d, 0, blob(b"x"))


@pytest.mark.parametrize("level", ["none", "connect", "integrity", "privacy"])
@pytest.mark.parametrize("opnum", [1, 5, 255, 65535])
def test_impacket_unknown_opnum(port, level, opnum):
    d = impacket(port, level)
    with pytest.raises(rpcrt.DCERPCException, match=OP_RANGE):
        call(d, opnum)
    assert read_blob(call(d, 0, blob(b"goes on"))) == b"goes on"


def test_impacket_fault_of_a_method_and_of_ndr(port):
    d = impacket(port, "privacy")
    with pytest.raises(rpcrt.DCERPCException, match="access_denied"):
        call(d, 4)
    with pytest.raises(rpcrt.DCERPCException, match="0x6f7|rpc_x_bad_stub_data"):
        call(d, 0, b"\5\0\0")
    assert read_blob(call(d, 0, blob(b"goes on"))) == b"goes on"


def test_impacket_unknown_interface(port):
    with pytest.raises(rpcrt.DCERPCException, match="abstract_syntax_not_supported"):
        impacket(port, "none", iface=("91ae6020-9e3c-11cf-8d7c-00aa00c091be", "0.0"))


@pytest.mark.parametrize("level, good", [("none", False), ("connect", False), ("integrity", True), ("privacy", True)])
def test_impacket_minimum_level(port, level, good):
    d = impacket(port, level, iface=SECRET)
    if good:
        assert read_blob(call(d, 0, blob(b"x"))) == b"x"
        return
    with pytest.raises(rpcrt.DCERPCException, match="access_denied"):
        call(d, 0, blob(b"x"))


@pytest.mark.parametrize("level", ["none", "integrity", "privacy"])
def test_impacket_alter_context(port, level):
    """A second interface on the same connection: impacket opens a security context of its own for it."""
    first = impacket(port, level)
    second = first.alter_ctx(uuid.uuidtup_to_bin(OPEN))
    for d in (first, second, first, second):
        assert read_blob(call(d, 0, blob(payload(9000)))) == payload(9000)


# ---- Samba ----

def samba_connect(port, options, user=USER, password=PASSWORD, domain=DOMAIN):
    lp = param.LoadParm()
    lp.set("realm", "LAB.TEST")
    lp.set("workgroup", "LAB")
    lp.set("netbios name", "CLI1")
    lp.set("log level", "0")
    creds = credentials.Credentials()
    creds.guess(lp)
    if user:
        creds.set_username(user)
        creds.set_password(password)
        creds.set_domain(domain)
    else:
        creds.set_anonymous()
    creds.set_kerberos_state(credentials.DONT_USE_KERBEROS)
    options = f",{options}" if options else ""
    return mgmt.mgmt(f"ncacn_ip_tcp:127.0.0.1[{port}{options}]", lp, creds)


ACCESS_DENIED, LOGON_FAILURE = 0xC0000022, 0xC000006D
PROCNUM_OUT_OF_RANGE, REVISION_MISMATCH = 0xC002002E, 0xC0000059


def status(e):
    return e.value.args[0] & 0xffffffff


PROTECTED = [f"{level},{mech}" for level in ("connect", "packet", "sign", "seal") for mech in ("ntlm", "spnego")]


@pytest.mark.parametrize("options", PROTECTED)
@pytest.mark.parametrize("size", SIZES)
def test_samba_echo(port, options, size):
    c = samba_connect(port, options)
    assert read_blob(c.request(0, blob(payload(size)))) == payload(size)
    assert read_blob(c.request(0, blob(b"again"))) == b"again"


@pytest.mark.parametrize("options, package, level", [
    ("connect,ntlm", "NTLM", 2), ("packet,ntlm", "NTLM", 4), ("sign,ntlm", "NTLM", 5), ("seal,ntlm", "NTLM", 6),
    ("connect,spnego", "SPNEGO/NTLM", 2), ("sign,spnego", "SPNEGO/NTLM", 5), ("seal,spnego", "SPNEGO/NTLM", 6),
])
def test_samba_identity(port, options, package, level):
    who = read_blob(samba_connect(port, options).request(3, b"")).decode()
    assert who == f"LAB\\alice {package} level {level} at 127.0.0.1 object none"


def test_samba_bigendian(port):
    """Refused, not misread: the bind_nak reaches the call it is for."""
    with pytest.raises(samba.NTSTATUSError) as e:
        samba_connect(port, "seal,ntlm,bigendian")
    assert status(e) == REVISION_MISMATCH  # what it makes of reason 4


@pytest.mark.parametrize("size", SIZES)
def test_samba_anonymous(port, size):
    c = samba_connect(port, "", user="")
    assert read_blob(c.request(0, blob(payload(size)))) == payload(size)
    assert read_blob(c.request(3, b"")).startswith(b"nobody none level 1 ")


@pytest.mark.parametrize("options", PROTECTED)
def test_samba_refused(port, options):
    with pytest.raises(samba.NTSTATUSError) as e:
        samba_connect(port, options, password="wrong").request(0, blob(b"x"))
    # bare NTLM ends with auth3, which has no answer: the first request is told; SPNEGO learns it from its last leg
    assert status(e) == (ACCESS_DENIED if options.endswith("ntlm") else LOGON_FAILURE)


@pytest.mark.parametrize("options", ["sign,ntlm", "seal,spnego", "connect,ntlm"])
def test_samba_unknown_opnum(port, options):
    c = samba_connect(port, options)
    with pytest.raises(samba.NTSTATUSError) as e:
        c.request(77, b"")
    assert status(e) == PROCNUM_OUT_OF_RANGE
    assert read_blob(c.request(0, blob(b"goes on"))) == b"goes on"
