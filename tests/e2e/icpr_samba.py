"""
MS-ICPR through Samba's DCE/RPC client, which checks every signature of ours. Samba has no table for ICertPassage, so the
connection is made for the management interface, which every endpoint has, and ICertPassage is added to it. Raw NTLM stays
with the management interface: after an auth3 Samba's client repeats its last token in the alter_context, which no server
takes (Samba's own answers with fault 5).
"""
import functools

from samba import credentials, param
from samba.dcerpc import mgmt
from samba.dcerpc.base import ClientConnection

import icpr

ICERTPASSAGE = ("91ae6020-9e3c-11cf-8d7c-00aa00c091be", 0)


def load_parm():
    lp = param.LoadParm()
    for name, value in (("realm", "CORP.CONTOSO.COM"), ("workgroup", "CORP"), ("netbios name", "CLIENT1"), ("log level", "0")):
        lp.set(name, value)
    return lp


class Client:
    """account None: anonymous. options: Samba binding options, e.g. "seal", "sign,spnego", "connect,ntlm"."""

    def __init__(self, server, account, password, options="seal", domain="CORP", port=None):
        lp = load_parm()
        creds = credentials.Credentials()
        creds.guess(lp)
        creds.set_kerberos_state(credentials.DONT_USE_KERBEROS)
        if account:
            creds.set_username(account)
            creds.set_domain(domain)
            creds.set_password(password)
        else:
            creds.set_anonymous()
        where = ",".join(filter(None, [str(port or server.object_port), options]))
        binding = f"ncacn_ip_tcp:{server.address}[{where}]"
        self.how = binding, lp, creds
        self.mgmt = mgmt.mgmt(*self.how)

    @functools.cached_property
    def icpr(self):
        binding, lp, creds = self.how
        return ClientConnection(binding, ICERTPASSAGE, lp, creds, basis_connection=self.mgmt)

    def request(self, request, attributes="", flags=0, authority="Contoso Certification Authority", request_id=0):
        stub = icpr.request_stub(flags, authority, request_id, attributes, request)
        return icpr.read_response(self.icpr.request(0, stub))
