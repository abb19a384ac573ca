"""ICertPassage by impacket's own module (0.12 and newer). Arguments: address, CA, account, password, file with a request."""
import sys

from impacket.dcerpc.v5 import epm, icpr, rpcrt, transport

address, ca, account, password, csr = sys.argv[1:]
with open(csr, "rb") as file:
    csr = file.read()
found = transport.DCERPCTransportFactory(epm.hept_map(address, icpr.MSRPC_UUID_ICPR, protocol="ncacn_ip_tcp"))
found.set_credentials(account, password, "CORP")
dce = found.get_dce_rpc()
dce.set_auth_type(rpcrt.RPC_C_AUTHN_WINNT)
dce.set_auth_level(rpcrt.RPC_C_AUTHN_LEVEL_PKT_PRIVACY)
dce.connect()
dce.bind(icpr.MSRPC_UUID_ICPR)
issued = icpr.hCertServerRequest(dce, csr, ["CertificateTemplate:User"], ca=ca)
refused = icpr.hCertServerRequest(dce, csr, ["CertificateTemplate:WebServer"], ca=ca)
dce.disconnect()
assert issued[:1] == b"\x30" and refused == b"", (issued, refused)
