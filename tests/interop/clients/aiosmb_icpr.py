"""ICertPassage by aiosmb, whose NTLM and SPNEGO are not impacket's. Arguments: address, CA, account, password, request file."""
import asyncio
import sys

from aiosmb.dcerpc.v5 import icpr
from aiosmb.dcerpc.v5.common.connection.authentication import DCERPCAuth
from aiosmb.dcerpc.v5.connection import DCERPC5Connection
from aiosmb.dcerpc.v5.interfaces.endpointmgr import EPM
from aiosmb.dcerpc.v5.interfaces.icprmgr import ICPRRPC


def value(pair):
    result, error = pair
    if error is not None:
        raise error
    return result


async def main(address, ca, account, password, csr):
    with open(csr, "rb") as file:
        csr = file.read()
    target = value(await EPM.create_target(address, icpr.MSRPC_UUID_ICPR))
    connection = DCERPC5Connection(DCERPCAuth.from_components(f"CORP\\{account}", password), target)
    service = value(await ICPRRPC.from_rpcconnection(connection))
    issued = value(await service.request_certificate(ca, csr, {"CertificateTemplate": "User"}, requestid=0))
    refused = value(await service.request_certificate(ca, csr, {"CertificateTemplate": "WebServer"}, requestid=0))
    assert issued["disposition"] == 3 and issued["encodedcert"][:1] == b"\x30" and issued["disposition_message"] == "Issued", issued
    assert refused["disposition"] == 0x80094012 and "0x80094012" in refused["disposition_message"], refused

asyncio.run(main(*sys.argv[1:]))
