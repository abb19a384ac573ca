"""
ICertRequestD and ICertRequestD2 through impacket's DCOM runtime: activation, the object exporter, ORPC. impacket dials
port 135; here it is sent to the mapper's free port. The calls are laid out by impacket's NDR from the specification.
"""
import contextlib
import dataclasses
import threading
from unittest import mock

from impacket.dcerpc.v5 import dcomrt, dtypes, ndr, transport
from impacket.uuid import string_to_bin, uuidtup_to_bin

CLSID_CCertRequestD = string_to_bin("d99e6e74-fc88-11d0-b498-00a0c90312f3")
IID_ICertRequestD = uuidtup_to_bin(("d99e6e70-fc88-11d0-b498-00a0c90312f3", "0.0"))
IID_ICertRequestD2 = uuidtup_to_bin(("5422fd3a-d4b8-4cef-a12e-e87d4ca22e90", "0.0"))


class CERTTRANSBLOB(ndr.NDRSTRUCT):
    class POINTER(ndr.NDRPOINTER):
        class OCTETS(ndr.NDRUniConformantArray):
            item = "c"
        referent = (("Data", OCTETS),)
    structure = (("cb", dtypes.ULONG), ("pb", POINTER))


class Request(dcomrt.DCOMCALL):
    opnum = 3
    structure = (("dwFlags", dtypes.DWORD), ("pwszAuthority", dtypes.LPWSTR), ("pdwRequestId", dtypes.DWORD),
                 ("pwszAttributes", dtypes.LPWSTR), ("pctbRequest", CERTTRANSBLOB))


class RequestResponse(dcomrt.DCOMANSWER):
    structure = (("pdwRequestId", dtypes.DWORD), ("pdwDisposition", dtypes.DWORD), ("pctbCertChain", CERTTRANSBLOB),
                 ("pctbEncodedCert", CERTTRANSBLOB), ("pctbDispositionMessage", CERTTRANSBLOB),
                 ("ErrorCode", dtypes.ULONG))


class GetCACert(dcomrt.DCOMCALL):
    opnum = 4
    structure = (("fchain", dtypes.DWORD), ("pwszAuthority", dtypes.LPWSTR))


class BlobResponse(dcomrt.DCOMANSWER):
    structure = (("pctbOut", CERTTRANSBLOB), ("ErrorCode", dtypes.ULONG))


GetCACertResponse = GetCAPropertyResponse = BlobResponse


class Ping(dcomrt.DCOMCALL):
    opnum = 5
    structure = (("pwszAuthority", dtypes.LPWSTR),)


class PingResponse(dcomrt.DCOMANSWER):
    structure = (("ErrorCode", dtypes.ULONG),)


class Request2(dcomrt.DCOMCALL):
    opnum = 6
    structure = (("pwszAuthority", dtypes.LPWSTR), ("dwFlags", dtypes.DWORD), ("pwszSerialNumber", dtypes.LPWSTR),
                 ("pdwRequestId", dtypes.DWORD), ("pwszAttributes", dtypes.LPWSTR), ("pctbRequest", CERTTRANSBLOB))


Request2Response = RequestResponse


class GetCAProperty(dcomrt.DCOMCALL):
    opnum = 7
    structure = (("pwszAuthority", dtypes.LPWSTR), ("PropID", dtypes.LONG), ("PropIndex", dtypes.LONG),
                 ("PropType", dtypes.LONG))


class GetCAPropertyInfo(dcomrt.DCOMCALL):
    opnum = 8
    structure = (("pwszAuthority", dtypes.LPWSTR),)


class GetCAPropertyInfoResponse(dcomrt.DCOMANSWER):
    structure = (("pcProperty", dtypes.LONG), ("pctbPropInfo", CERTTRANSBLOB), ("ErrorCode", dtypes.ULONG))


class Ping2(dcomrt.DCOMCALL):
    opnum = 9
    structure = (("pwszAuthority", dtypes.LPWSTR),)


Ping2Response = PingResponse


def octets(blob):
    return b"".join(blob["pb"]) if blob["cb"] else b""


def text(value):
    return ndr.NULL if value is None else value + "\0"


def fill_blob(blob, data):
    blob["cb"] = len(data)
    blob["pb"] = list(data[i:i + 1] for i in range(len(data))) if data else ndr.NULL


@dataclasses.dataclass
class Result:
    request_id: int
    disposition: int
    chain: bytes
    certificate: bytes
    message: str
    code: int


@contextlib.contextmanager
def mapper_port(port):
    """String bindings without an endpoint mean the mapper: elsewhere than 135 here."""
    real = transport.DCERPCTransportFactory

    def factory(binding):
        return real(binding if "[" in binding else f"{binding}[{port}]")

    with mock.patch.object(transport, "DCERPCTransportFactory", factory):
        yield


class Connection:
    """One DCOMConnection, and what was activated through it."""

    def __init__(self, server, user, password, domain="CORP", level=6, target=None, **options):
        self.server = server
        self.target = target or server.address
        with mapper_port(server.epm_port):
            self.dcom = dcomrt.DCOMConnection(self.target, user, password, domain, authLevel=level, **options)

    def activate(self, clsid=CLSID_CCertRequestD, iid=IID_ICertRequestD):
        with mapper_port(self.server.epm_port):
            return self.dcom.CoCreateInstanceEx(clsid, iid)

    def request(self, interface, call, iid, code=None):
        """The answer; an HRESULT other than `code` raises impacket's DCERPCSessionError."""
        call["ORPCthis"] = interface.get_cinstance().get_ORPCthis()
        call["ORPCthis"]["flags"] = 0
        with mapper_port(self.server.epm_port):
            interface.connect(iid)
        dce = interface.get_dce_rpc()
        dce.call(call.opnum, call, uuid=interface.get_iPid())
        answer = dce.recv()
        response = globals()[call.__class__.__name__ + "Response"](answer, isNDR64=False)
        assert len(answer) == len(response.getData()), "octets behind the answer"
        if code is not None:
            assert response["ErrorCode"] == code, hex(response["ErrorCode"])
        return response

    def submit(self, interface, csr, attributes, authority, flags=0, request_id=0, iid=IID_ICertRequestD):
        call = Request()
        call["dwFlags"] = flags
        call["pwszAuthority"] = text(authority)
        call["pdwRequestId"] = request_id
        call["pwszAttributes"] = text(attributes)
        fill_blob(call["pctbRequest"], csr)
        return self.result(self.request(interface, call, iid))

    @staticmethod
    def result(r):
        return Result(r["pdwRequestId"], r["pdwDisposition"], octets(r["pctbCertChain"]), octets(r["pctbEncodedCert"]),
                      octets(r["pctbDispositionMessage"]).decode("utf-16le").rstrip("\0"), r["ErrorCode"])

    def submit2(self, interface, csr, attributes, authority, flags=0, request_id=0, serial=None):
        call = Request2()
        call["pwszAuthority"] = text(authority)
        call["dwFlags"] = flags
        call["pwszSerialNumber"] = text(serial)
        call["pdwRequestId"] = request_id
        call["pwszAttributes"] = text(attributes)
        fill_blob(call["pctbRequest"], csr)
        return self.result(self.request(interface, call, IID_ICertRequestD2))

    def blob(self, interface, name, iid=IID_ICertRequestD2, **fields):
        """HRESULT and octets of a method that answers with one blob."""
        r = self.plain(interface, name, iid, **fields)
        return r["ErrorCode"], octets(r["pctbOut"])

    def plain(self, interface, name, iid=IID_ICertRequestD2, **fields):
        call = globals()[name]()
        for field, value in fields.items():
            call[field] = text(value) if field.startswith("pwsz") else value
        return self.request(interface, call, iid)

    def close(self):
        # impacket forgets the thread's entry with the first connection, and misses it with the next that activated nothing
        connections = dcomrt.INTERFACE.CONNECTIONS.setdefault(self.target, {}).setdefault(threading.current_thread().name, {})
        for entry in connections.values():
            entry["dce"].disconnect()
        self.dcom.disconnect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
