"""
MS-ICPR through impacket's RPC runtime (Debian's 0.10 has no module for it): the stub is laid out and read here by hand,
from the specification, so that it shares nothing with the server's tables.
"""
import dataclasses
import struct
from unittest import mock

from impacket import uuid
from impacket.dcerpc.v5 import epm, rpcrt, transport

MSRPC_UUID_ICPR = uuid.uuidtup_to_bin(("91ae6020-9e3c-11cf-8d7c-00aa00c091be", "0.0"))
LEVELS = {
    "none": rpcrt.RPC_C_AUTHN_LEVEL_NONE,
    "connect": rpcrt.RPC_C_AUTHN_LEVEL_CONNECT,
    "packet": rpcrt.RPC_C_AUTHN_LEVEL_PKT,
    "integrity": rpcrt.RPC_C_AUTHN_LEVEL_PKT_INTEGRITY,
    "privacy": rpcrt.RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
}
RESPONSE_HEADER = rpcrt.MSRPCRespHeader._SIZE  # what impacket reads first of each fragment
CR_DISP_DENIED, CR_DISP_ISSUED, CR_DISP_UNDER_SUBMISSION = 2, 3, 5


@dataclasses.dataclass
class Result:
    request_id: int
    disposition: int
    chain: bytes
    certificate: bytes
    message: str
    code: int  # return value


def pad4(data):
    return data + b"\0" * (-len(data) % 4)


def ndr_string(text):
    """[unique, string] wchar_t *"""
    if text is None:
        return struct.pack("<L", 0)
    units = len(text.encode("utf-16le")) // 2 + 1
    return pad4(struct.pack("<LLLL", 0x20000, units, 0, units) + text.encode("utf-16le") + b"\0\0")


def ndr_blob(data, referent):
    """CERTTRANSBLOB, MS-WCCE 2.2.2.2"""
    if not data:
        return struct.pack("<LL", 0, 0)
    return pad4(struct.pack("<LLL", len(data), referent, len(data)) + data)


def request_stub(flags, authority, request_id, attributes, request):
    attribs = attributes.encode("utf-16le") + b"\0\0" if attributes else b""
    return (struct.pack("<L", flags) + ndr_string(authority) + struct.pack("<L", request_id)
            + ndr_blob(attribs, 0x20004) + ndr_blob(request, 0x20008))


def read_response(stub):
    off = 8
    blobs = []
    request_id, disposition = struct.unpack_from("<LL", stub)
    for _ in range(3):
        size, pointer = struct.unpack_from("<LL", stub, off)
        off += 8
        data = b""
        if pointer:
            count, = struct.unpack_from("<L", stub, off)
            assert count == size, "MaxCount differs from cb"
            data = stub[off + 4:off + 4 + count]
            assert len(data) == count
            off += 4 + count
            off += -off % 4
        else:
            assert size == 0, "null pointer with a size"
        blobs.append(data)
    code, = struct.unpack_from("<L", stub, off)
    message = blobs[2].decode("utf-16le")
    assert message == "" or message.endswith("\0"), "disposition message without NUL"
    return Result(request_id, disposition, blobs[0], blobs[1], message.rstrip("\0"), code)


def receive(sock, count):
    """impacket's own loop never ends when the peer is gone."""
    data = b""
    while not data or len(data) < count:
        more = sock.recv(count - len(data) if count else 8192)
        if not more:
            raise ConnectionError("the server closed the connection")
        data += more
    return data


def bind_with(fragment_max):
    """A bind that offers these largest fragments in place of impacket's 4280 octets."""
    class Bind(rpcrt.MSRPCBind):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            self["max_tfrag"] = self["max_rfrag"] = fragment_max
    return mock.patch.object(rpcrt, "MSRPCBind", Bind)


@dataclasses.dataclass
class Fragment:
    flags: int
    length: int
    alloc_hint: int


class Client:
    """
    One authenticated connection to ICertPassage. fragment: stub octets per fragment sent; fragment_max: the largest
    fragment that the bind tells. fragments: those of the latest answer.
    """

    def __init__(self, server, user=None, password=None, domain="CORP", level="privacy", port=None, nthash="",
                 fragment=None, fragment_max=4280):
        binding = f"ncacn_ip_tcp:{server.address}[{port or server.object_port}]"
        rpc = transport.DCERPCTransportFactory(binding)
        rpc.set_connect_timeout(60)
        if user is not None:
            rpc.set_credentials(user, password, domain, "", nthash)
        self.dce = rpc.get_dce_rpc()
        if user is not None:
            self.dce.set_auth_level(LEVELS[level])
        if fragment:
            self.dce.set_max_fragment_size(fragment)
        self.dce.connect()
        rpc.recv = self.receive
        self.socket = rpc.get_socket()
        self.fragments = []
        with bind_with(fragment_max):
            self.dce.bind(MSRPC_UUID_ICPR)

    def receive(self, force=0, count=0):
        del force  # SMB only
        data = receive(self.socket, count)
        if count == RESPONSE_HEADER:
            self.fragments.append(Fragment(data[3], *struct.unpack_from("<8xH6xL", data)))
        return data

    def call(self, stub, opnum=0):
        self.fragments = []
        self.dce.call(opnum, stub)
        return self.dce.recv()

    def request(self, request, attributes="", flags=0, authority="Contoso Certification Authority", request_id=0):
        return read_response(self.call(request_stub(flags, authority, request_id, attributes, request)))

    def retrieve(self, request_id, authority="Contoso Certification Authority"):
        return self.request(b"", "", 0, authority, request_id)

    def close(self):
        self.dce.disconnect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def map_endpoint(server):
    """The port that the endpoint mapper tells for ICertPassage."""
    binding = f"ncacn_ip_tcp:{server.address}[{server.epm_port}]"
    dce = transport.DCERPCTransportFactory(binding).get_dce_rpc()
    dce.connect()
    try:
        found = epm.hept_map(server.address, MSRPC_UUID_ICPR, protocol="ncacn_ip_tcp", dce=dce)
    finally:
        dce.disconnect()
    return int(found.split("[")[1].rstrip("]"))
