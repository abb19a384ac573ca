"""
Tickets: real ones by krb5-user's kinit and kvno, and made ones, by impacket's ASN.1 and cryptography with a key of the
keytab, for what no KDC would give out (too old, another's name, a PAC of our choice).
"""
import contextlib
import datetime
import os
import pathlib
import struct
import subprocess
import tempfile
from unittest import mock

from impacket.dcerpc.v5 import nrpc, rpcrt, transport
from impacket.dcerpc.v5.dtypes import NULL, RPC_SID
from impacket.krb5 import asn1, ccache, constants, crypto, gssapi, pac, types
from impacket.krb5.asn1 import seq_set
from pyasn1.codec.der import encoder
from pyasn1.type.univ import noValue
from samba import credentials
from samba.dcerpc import mgmt
from samba.dcerpc.base import ClientConnection

import harness
import icpr
import icpr_samba

REALM = "CORP.CONTOSO.COM"
HOST = "ca01.corp.contoso.com"
AES256 = 18


class Tickets:
    """A credential cache; the environment's while it is entered."""

    def __init__(self, server, account=None, password=None, options=(), conf=None):
        self.folder = tempfile.TemporaryDirectory(prefix="adcsd-krb5-")
        self.path = pathlib.Path(self.folder.name) / "cc"
        self.env = {"KRB5_CONFIG": conf or server.ready["kerberos"]["krb5_conf"], "KRB5CCNAME": str(self.path)}
        if account:
            self.kinit(account, password or harness.PASSWORDS[account], options)

    def run(self, *command, code=0, **options):
        done = subprocess.run(command, env={**os.environ, **self.env}, capture_output=True, text=True, timeout=60, check=False,
                              **options)
        assert code is None or done.returncode == code, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def kinit(self, account, password, options=(), code=0):
        return self.run("kinit", *options, account, input=password + "\n", code=code)

    def service(self, name=f"host/{HOST}"):
        """Fetches a service ticket; gives it as impacket wants it."""
        self.run("kvno", name)
        found = ccache.CCache.loadFile(str(self.path)).getCredential(f"{name}@{REALM}", anySPN=False)
        return found.toTGS()

    def __enter__(self):
        self.patch = mock.patch.dict(os.environ, self.env)
        self.patch.start()
        return self

    def __exit__(self, *_):
        self.patch.stop()
        self.folder.cleanup()


def impacket(server, level="privacy", ticket=None, account="janedoe", realm=REALM, host=HOST, **more):
    """An icpr.Client by impacket's Kerberos (SPNEGO), with the tickets of the environment or with this one."""
    made = icpr.Client.__new__(icpr.Client)
    rpc = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:{host}[{server.object_port}]")
    rpc.setRemoteHost(server.address)
    rpc.set_connect_timeout(60)
    rpc.set_credentials(account, "", realm, "", "", None, None, ticket)
    rpc.set_kerberos(True, server.address)
    made.dce = rpc.get_dce_rpc()
    made.dce.set_auth_type(rpcrt.RPC_C_AUTHN_GSS_NEGOTIATE)
    made.dce.set_auth_level(icpr.LEVELS[level])
    if "fragment" in more:
        made.dce.set_max_fragment_size(more["fragment"])
    made.dce.connect()
    rpc.recv = made.receive
    made.socket, made.fragments = rpc.get_socket(), []
    with icpr.bind_with(more.get("fragment_max", 4280)):
        made.dce.bind(icpr.MSRPC_UUID_ICPR)
    return made


@contextlib.contextmanager
def signing_mended():
    """impacket 0.10's GSS_GetMIC pads octets with a text; nothing else of it is touched."""
    with mock.patch.object(gssapi, "chr", lambda n: bytes([n]), create=True):
        yield


class Samba(icpr_samba.Client):
    """Samba's client with the tickets of the environment. options: "seal,krb5", "sign,spnego", ..."""

    def __init__(self, server, tickets, options, port=None, host=HOST):
        lp = icpr_samba.load_parm()
        creds = credentials.Credentials()
        creds.guess(lp)
        creds.set_kerberos_state(credentials.MUST_USE_KERBEROS)
        creds.set_named_ccache(f"FILE:{tickets.path}", credentials.SPECIFIED, lp)
        where = f"{port or server.object_port},target_hostname={host},{options}"
        self.how = f"ncacn_ip_tcp:{server.address}[{where}]", lp, creds
        self.mgmt = mgmt.mgmt(*self.how)


# ---- made tickets ----

def keytab_key(server, service=f"host/{HOST}"):
    """The AES key of a service, as klist shows it."""
    shown = subprocess.run(["klist", "-k", "-K", "-e", server.ready["kerberos"]["keytab"]], capture_output=True, text=True, check=True)
    for line in shown.stdout.splitlines():
        if f"{service}@{REALM} " in line and "aes256-cts-hmac-sha1-96" in line:
            return bytes.fromhex(line.split("0x")[-1].rstrip(")"))
    raise AssertionError(f"no key for {service}:\n{shown.stdout}")


def kerberos_time(seconds):
    return types.KerberosTime.to_asn1(now() + datetime.timedelta(seconds=seconds))


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0)


def principal(name, kind):
    return types.Principal(name, type=kind)


def make_ticket(key, client="janedoe", service=f"host/{HOST}", start=-60, end=3600, realm=REALM, pac_of=None):
    """start and end in seconds from now. pac_of: function of the moment of authentication, giving a PAC."""
    cipher = crypto._enctype_table[AES256]
    session = crypto.Key(AES256, os.urandom(32))
    authtime = now() + datetime.timedelta(seconds=start)
    part = asn1.EncTicketPart()
    part["flags"] = constants.encodeFlags([])
    part["key"] = noValue
    part["key"]["keytype"], part["key"]["keyvalue"] = AES256, session.contents
    part["crealm"] = realm
    seq_set(part, "cname", principal(client, 1).components_to_asn1)
    part["transited"] = noValue
    part["transited"]["tr-type"], part["transited"]["contents"] = 0, b""
    part["authtime"] = part["starttime"] = types.KerberosTime.to_asn1(authtime)
    part["endtime"] = kerberos_time(end)
    if pac_of:
        inner = asn1.AD_IF_RELEVANT()
        inner[0] = noValue
        inner[0]["ad-type"], inner[0]["ad-data"] = 128, pac_of(authtime)  # AD-WIN2K-PAC
        part["authorization-data"] = noValue
        part["authorization-data"][0] = noValue
        part["authorization-data"][0]["ad-type"] = 1  # AD-IF-RELEVANT
        part["authorization-data"][0]["ad-data"] = encoder.encode(inner)
    reply = asn1.TGS_REP()
    reply["pvno"], reply["msg-type"], reply["crealm"] = 5, 13, realm
    seq_set(reply, "cname", principal(client, 1).components_to_asn1)
    reply["ticket"] = noValue
    reply["ticket"]["tkt-vno"], reply["ticket"]["realm"] = 5, REALM
    seq_set(reply["ticket"], "sname", principal(service, 2).components_to_asn1)
    reply["ticket"]["enc-part"] = noValue
    reply["ticket"]["enc-part"]["etype"], reply["ticket"]["enc-part"]["kvno"] = AES256, 1
    reply["ticket"]["enc-part"]["cipher"] = cipher.encrypt(crypto.Key(AES256, key), 2, encoder.encode(part), None)
    reply["enc-part"] = noValue
    reply["enc-part"]["etype"], reply["enc-part"]["cipher"] = AES256, b"for the client only"
    return {"KDC_REP": encoder.encode(reply), "cipher": cipher, "sessionKey": session, "oldSessionKey": session}


def filetime(moment):
    return int((moment - datetime.datetime(1601, 1, 1)).total_seconds()) * 10**7


def rpc_sid(text):
    made = RPC_SID()
    made.fromCanonical(text)
    return made


def groups_of(rids):
    made = []
    for rid in rids:
        group = nrpc.GROUP_MEMBERSHIP()
        group["RelativeId"], group["Attributes"] = rid, 7
        made.append(group)
    return made


def logon_info(account, domain_sid, rid, groups=(513,), extra=(), resource=None, primary=513):
    """KERB_VALIDATION_INFO by impacket's NDR. resource: (domain SID, RIDs)."""
    v = pac.KERB_VALIDATION_INFO()
    zero = pac.FILETIME()
    zero["dwLowDateTime"] = zero["dwHighDateTime"] = 0
    for name in ("LogonTime", "LogoffTime", "KickOffTime", "PasswordLastSet", "PasswordCanChange", "PasswordMustChange",
                 "LastSuccessfulILogon", "LastFailedILogon"):
        v[name] = zero
    v["EffectiveName"], v["LogonDomainName"], v["LogonServer"] = account, "CORP", "DC01"
    for name in ("FullName", "LogonScript", "ProfilePath", "HomeDirectory", "HomeDirectoryDrive"):
        v[name] = ""
    v["LogonCount"] = v["BadPasswordCount"] = 0
    v["UserId"], v["PrimaryGroupId"] = rid, primary
    v["GroupCount"] = len(groups)
    v["GroupIds"].extend(groups_of(groups))
    v["UserFlags"] = (0x20 if extra else 0) | (0x200 if resource else 0)
    v["UserSessionKey"] = b"\0" * 16
    v["LogonDomainId"] = rpc_sid(domain_sid)
    v["LMKey"] = b"\0" * 8
    v["UserAccountControl"] = 0x210
    for name in ("SubAuthStatus", "FailedILogonCount", "Reserved3"):
        v[name] = 0
    v["SidCount"] = len(extra)
    for sid in extra:
        record = pac.KERB_SID_AND_ATTRIBUTES()
        record["Sid"], record["Attributes"] = rpc_sid(sid), 7
        v["ExtraSids"].append(record)
    if not extra:
        v["ExtraSids"] = NULL
    if resource:
        v["ResourceGroupDomainSid"] = rpc_sid(resource[0])
        v["ResourceGroupCount"] = len(resource[1])
        v["ResourceGroupIds"].extend(groups_of(resource[1]))
    else:
        v["ResourceGroupDomainSid"], v["ResourceGroupCount"], v["ResourceGroupIds"] = NULL, 0, NULL
    whole = pac.VALIDATION_INFO()
    whole["Data"] = v
    return whole.getData() + whole.getDataReferents()


def make_pac(key, client, info, spoil=False):
    """MS-PAC 2.3: logon information, client name, both signatures (the KDC's by a key nobody has)."""
    def of(authtime):
        name = client.encode("utf-16le")
        buffers = [(1, info), (10, struct.pack("<QH", filetime(authtime), len(name)) + name),
                   (6, struct.pack("<L", 16) + b"\0" * 12), (7, struct.pack("<L", 16) + b"\0" * 12)]
        at, head, body, where = 8 + 16 * len(buffers), struct.pack("<LL", len(buffers), 0), b"", {}
        for kind, data in buffers:
            where[kind] = at + len(body)
            head += struct.pack("<LLQ", kind, len(data), at + len(body))
            body += data + b"\0" * (-len(data) % 8)
        made = bytearray(head + body)
        check = crypto._checksum_table[16]
        server = check.checksum(crypto.Key(AES256, key), 17, bytes(made))
        made[where[6] + 4:where[6] + 16] = server
        made[where[7] + 4:where[7] + 16] = check.checksum(crypto.Key(AES256, os.urandom(32)), 17, server)
        if spoil:
            made[where[1] + 200] ^= 1
        return bytes(made)
    return of
