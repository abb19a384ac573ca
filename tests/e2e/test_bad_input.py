"""Whatever a peer sends, it gets its fault, its HRESULT or a closed connection, and the others are served."""
import random
import socket
import struct

import pytest
from cryptography import x509
from impacket.dcerpc.v5.rpcrt import DCERPCException

import harness
import icpr
import pkcs10

from test_enroll import TEMPLATE, check_issued

ICERTPASSAGE = bytes.fromhex("2060ae913c9ecf118d7c00aa00c091be") + struct.pack("<HH", 0, 0)
NDR20 = bytes.fromhex("045d888aeb1cc9119fe808002b104860") + struct.pack("<L", 2)
NDR64 = bytes.fromhex("33057171babe37498319b5dbef9ccc36") + struct.pack("<L", 1)


def pdu(kind, body, flags=3, call_id=1, length=None, auth_length=0, version=5):
    size = 16 + len(body) if length is None else length
    return struct.pack("<BBBB4sHHL", version, 0, kind, flags, b"\x10\0\0\0", size, auth_length, call_id) + body


def bind_body(contexts, transmit=4280, receive=4280):
    body = struct.pack("<HHLB3x", transmit, receive, 0, len(contexts))
    for number, abstract, syntaxes in contexts:
        body += struct.pack("<HBx", number, len(syntaxes)) + abstract + b"".join(syntaxes)
    return body


BIND = pdu(11, bind_body([(0, ICERTPASSAGE, [NDR20])]))


class Raw:
    def __init__(self, server, port=None):
        self.socket = socket.create_connection((server.address, port or server.object_port), timeout=60)

    def send(self, data):
        self.socket.sendall(data)
        return self

    def receive(self):
        """One PDU, or b"" when the peer closed."""
        try:
            head = self.exactly(16)
            return head + self.exactly(struct.unpack_from("<H", head, 8)[0] - 16) if head else b""
        except ConnectionError:
            return b""

    def exactly(self, n):
        data = b""
        while len(data) < n:
            more = self.socket.recv(n - len(data))
            if not more:
                return b""
            data += more
        return data

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def status(answer):
    assert answer[2] == 3, f"PTYPE {answer[2]} where a fault belongs"
    return struct.unpack_from("<L", answer, 24)[0]


@pytest.fixture(autouse=True)
def still_serving(how_to):
    """After each of these, somebody else is served."""
    yield
    with icpr.Client(how_to, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        check_issued(c.request(pkcs10.csr(), TEMPLATE))


def test_bind_and_results(how_to):
    unknown = bytes(16) + struct.pack("<HH", 1, 0)
    with Raw(how_to) as raw:
        answer = raw.send(pdu(11, bind_body([(0, ICERTPASSAGE, [NDR20]), (1, ICERTPASSAGE, [NDR64]), (2, unknown, [NDR20])])))
        answer = answer.receive()
    assert answer[2] == 12
    length = struct.unpack_from("<H", answer, 24)[0]
    off = 26 + length
    off += -off % 4
    assert answer[off] == 3
    results = [struct.unpack_from("<HH", answer, off + 4 + 24 * i) for i in range(3)]
    assert results == [(0, 0), (2, 2), (2, 1)]


def nak_reason(answer):
    assert answer[2] == 13, f"PTYPE {answer[2]} where a bind_nak belongs"
    return struct.unpack_from("<H", answer, 16)[0]


def test_request_before_bind(how_to):
    with Raw(how_to) as raw:
        answer = raw.send(pdu(0, struct.pack("<LHH", 0, 0, 0))).receive()
        assert answer == b"" or answer[2] in (3, 13)


def test_second_bind(how_to):
    with Raw(how_to) as raw:
        assert raw.send(BIND).receive()[2] == 12
        assert nak_reason(raw.send(BIND).receive()) == 0


def test_bind_without_contexts(how_to):
    with Raw(how_to) as raw:
        assert nak_reason(raw.send(pdu(11, bind_body([]))).receive()) == 0


def test_unknown_authentication_type(how_to):
    body = bind_body([(0, ICERTPASSAGE, [NDR20])]) + struct.pack("<BBBBL", 77, 6, 0, 0, 1) + b"token"
    with Raw(how_to) as raw:
        assert nak_reason(raw.send(pdu(11, body, auth_length=5)).receive()) == 8


def test_rejected_token(how_to):
    body = bind_body([(0, ICERTPASSAGE, [NDR20])]) + struct.pack("<BBBBL", 10, 6, 0, 0, 1) + b"not NTLM"
    with Raw(how_to) as raw:
        assert nak_reason(raw.send(pdu(11, body, auth_length=8)).receive()) == 9


@pytest.mark.parametrize("stub", [b"", b"\0" * 3, struct.pack("<LL", 0, 0x20000) + struct.pack("<LLL", 0xFFFFFFFF, 0, 0xFFFFFFFF),
                                  struct.pack("<LLLLL", 0, 0, 0, 0x7FFFFFFF, 0x20000) + struct.pack("<L", 0x7FFFFFFF)])
def test_bad_stubs_are_faults_on_a_connection_that_goes_on(how_to, stub):
    with icpr.Client(how_to, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        with pytest.raises(DCERPCException) as caught:
            c.call(stub)
        assert caught.value.get_error_code() == 0x6F7 or "bad_stub" in str(caught.value).lower()
        check_issued(c.request(pkcs10.csr(), TEMPLATE))


def test_unknown_context(how_to):
    with Raw(how_to) as raw:
        raw.send(BIND).receive()
        assert status(raw.send(pdu(0, struct.pack("<LHH", 0, 9, 0))).receive()) == 0x1C010003


@pytest.mark.parametrize("bad", [
    pdu(0, b"", length=10), pdu(0, b"", length=0xFFFF), pdu(11, b"", length=16), pdu(11, b"\0" * 4), b"GET / HTTP/1.0\r\n\r\n",
    pdu(0, b"\0" * 8, version=4), pdu(99, b"\0" * 8), pdu(11, b"\0" * 16, auth_length=0xFFF0), b"\xff" * 64,
    pdu(16, b"\0" * 20), pdu(2, b"\0" * 8),
])
def test_malformed_pdus(how_to, bad):
    """Answered by a fault, a bind_nak or a closed connection."""
    for first in (b"", BIND):
        with Raw(how_to) as raw:
            if first:
                raw.send(first).receive()
            raw.send(bad)
            raw.socket.shutdown(socket.SHUT_WR)
            answer = raw.receive()
            assert answer == b"" or answer[2] in (3, 13), answer


def test_random_octets(how_to):
    rng = random.Random(1)
    for _ in range(300):
        with Raw(how_to) as raw:
            data = bytearray(BIND if rng.random() < 0.7 else rng.randbytes(rng.randrange(200)))
            for _ in range(rng.randrange(6)):
                if data:
                    data[rng.randrange(len(data))] = rng.randrange(256)
            try:
                raw.send(bytes(data))
                raw.socket.shutdown(socket.SHUT_WR)
                raw.receive()
            except OSError:
                pass


def test_tampered_signature(how_to):
    """A flipped bit in a sealed request: fault 0x721 and the connection is closed."""
    with icpr.Client(how_to, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        rpc = c.dce.get_rpc_transport()
        send = rpc.send
        rpc.send = lambda data, *a, **k: send(data[:60] + bytes([data[60] ^ 1]) + data[61:], *a, **k)
        with pytest.raises(DCERPCException) as caught:
            c.request(pkcs10.csr(), TEMPLATE)
        rpc.send = send
        assert caught.value.get_error_code() in (0x721, 5) or "721" in str(caught.value)


@pytest.mark.parametrize("case", ["64 KiB SAN", "NUL in the subject", "not DER", "empty SEQUENCE", "huge length", "EC point off the curve"])
def test_bad_requests(how_to, case):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    der = pkcs10.csr(key=pkcs10.ec_key())
    point = pkcs10.ec_key().public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    request = {
        "64 KiB SAN": lambda: pkcs10.csr(san=[x509.DNSName("a" * 60 + f"{i:05}.contoso.com") for i in range(850)]),
        "NUL in the subject": lambda: pkcs10.csr(name=pkcs10.subject(cn="admin\0.contoso.com")),
        "not DER": lambda: b"\x30\x80" + bytes(400),
        "empty SEQUENCE": lambda: b"\x30\x00",
        "huge length": lambda: b"\x30\x84\x7f\xff\xff\xff" + bytes(100),
        "EC point off the curve": lambda: der.replace(point, point[:-1] + bytes([point[-1] ^ 1])),
    }[case]()
    with icpr.Client(how_to, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        answer = c.request(request, TEMPLATE)
        assert answer.code == 0 and answer.disposition & 0x80000000 and answer.certificate == b"" and answer.message
        check_issued(c.request(pkcs10.csr(), TEMPLATE))


def test_half_open_connections_are_bounded(fresh):
    """10,000 connections that never bind: the server keeps a bounded number of them and serves the others."""
    server = fresh()
    sockets = []
    try:
        for number in range(10000):
            s = socket.create_connection((server.address, server.object_port), timeout=60)
            sockets.append(s)
            if len(sockets) > 600:  # our own descriptors are bounded too; the oldest was closed by the server long ago
                sockets.pop(0).close()
            if number % 2000 == 1999:
                with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
                    check_issued(c.request(pkcs10.csr(), "CertificateTemplate:User"))
                assert server.json("server", "stats")["rpc"]["half_open"] <= 256
    finally:
        for s in sockets:
            s.close()


def test_too_large_request_is_refused(how_to):
    """Combined fragments above the documented 4 MiB: fault, connection closed."""
    with icpr.Client(how_to, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c, pytest.raises(Exception):
        c.request(b"\x30" * (5 * 1024 * 1024), TEMPLATE)
