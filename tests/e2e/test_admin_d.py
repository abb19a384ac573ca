"""ICertAdminD and ICertAdminD2 method by method, with impacket's runtime: values, rights and errors from MS-CSRA 3.1.4."""
import struct

import pytest
from cryptography import x509
from samba import ndr
from samba.dcerpc import security

import dcom
import harness
import icertadmind
import icpr
import pkcs10
from test_views import Admin

CA = harness.CA_NAME
INVALID, DENIED, NOT_FOUND, EMPTY, BAD_STATUS = 0x80070057, 0x80070005, 0x80070002, 0x80094004, 0x80094003
POLICY = "PolicyModules\\CertificateAuthority_MicrosoftDefault.Policy"
VT_I4, VT_BSTR = 3, 8
ADMIN, OFFICER, AUDITOR, OPERATOR, READ, ENROLL = 1, 2, 4, 8, 0x100, 0x200


@pytest.fixture(scope="module")
def server():
    """Templates: one that waits for approval; a role for each of three accounts."""
    made = harness.Server().start()
    made.ctl("template", "duplicate", "User", "--display-name", "Pends", "--subject", "request", "--manager-approval", "yes")
    made.ctl("template", "acl", "grant", "Pends", "CORP\\janedoe", "Read", "Enroll")
    made.ctl("ca", "publish", "Pends")
    made.ctl("ca", "acl", "grant", "CORP\\bob", "IssueAndManageCertificates")
    made.ctl("ca", "acl", "grant", "CORP\\svc-pfx", "Read")
    yield made
    made.remove()


class Session:
    def __init__(self, server, account="Administrator", **options):
        self.connection = dcom.Connection(server, account, harness.PASSWORDS[account], **options)

    def __enter__(self):
        self.connection.__enter__()
        return Admin(self.connection)

    def __exit__(self, *what):
        self.connection.__exit__(*what)


def pending(server):
    with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        answer = c.request(pkcs10.csr(), "CertificateTemplate:Pends")
    assert answer.disposition == icpr.CR_DISP_UNDER_SUBMISSION, answer
    return answer.request_id


def issued(server):
    with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        answer = c.request(pkcs10.csr(), "CertificateTemplate:User")
    return server.json("request", "show", str(answer.request_id))


def row(server, request_id):
    return server.json("request", "show", str(request_id))


# ---- requests ----

def test_resubmit_and_deny(server):
    one, two = pending(server), pending(server)
    with Session(server, "bob") as a:
        code, r = a.call("ResubmitRequest", dwRequestId=one)
        assert (code, r["pdwDisposition"]) == (0, 3)
        code, r = a.call("ResubmitRequest", dwRequestId=one)  # the wrong status is a disposition
        assert (code, r["pdwDisposition"]) == (0, BAD_STATUS)
        assert a.call("ResubmitRequest", dwRequestId=99999)[0] == EMPTY
        assert a.call("DenyRequest", dwRequestId=two)[0] == 0
        assert a.call("DenyRequest", dwRequestId=two)[0] == BAD_STATUS
        assert a.call("DenyRequest", dwRequestId=99999)[0] == EMPTY
    assert row(server, one)["state"] == "issued"
    denied = row(server, two)
    assert denied["state"] == "denied" and denied["message"] == "Denied by CORP\\bob" and denied["status"] == "0x80094014"


def test_revoke_and_ask(server):
    serial = issued(server)["serial"]
    with Session(server, "bob") as a:
        def validity():
            code, r = a.call("IsValidCertificate", pSerialNumber=serial)
            return code, r["pRevocationReason"], r["pDisposition"]

        assert validity() == (0, 0, 3)
        assert a.call("RevokeCertificate", pwszSerialNumber=serial, Reason=6)[0] == 0
        assert validity() == (0, 6, 2)
        assert a.call("RevokeCertificate", pwszSerialNumber=serial, Reason=0xFFFFFFFF)[0] == 0
        assert validity() == (0, 0, 3)
        assert a.call("RevokeCertificate", pwszSerialNumber=serial, Reason=0xFFFFFFFF)[0] == 0x8007000D
        assert a.call("RevokeCertificate", pwszSerialNumber=serial, Reason=7)[0] == INVALID
        assert a.call("RevokeCertificate", pwszSerialNumber="00" * 16, Reason=1)[0] == INVALID
        assert a.call("RevokeCertificate", pwszSerialNumber=serial, Reason=0xFFFFFFFE)[0] == 0
        assert a.call("RevokeCertificate", pwszSerialNumber=serial, Reason=1)[0] == 0
        assert validity() == (0, 1, 2)
        code, r = a.call("IsValidCertificate", pSerialNumber="00" * 16)
        assert (code, r["pDisposition"]) == (0, 4)


# ---- CRLs ----

def test_crls(server):
    def number(a):
        code, r = a.call("GetCRL")
        assert code == 0
        crl = x509.load_der_x509_crl(icertadmind.octets(r["pctbCRL"]))
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number

    with Session(server) as a:
        before = number(a)
        assert a.call("PublishCRL")[0] == 0 and number(a) > before
        assert a.call("PublishCRLs", Flags=1)[0] == a.call("PublishCRLs", Flags=2)[0] == a.call("PublishCRLs", Flags=0x11)[0] == 0
        assert a.call("PublishCRLs", Flags=0)[0] == a.call("PublishCRLs", Flags=0x10)[0] == INVALID
        assert a.call("PublishCRL", FileTime=116444736000000000)[0] == INVALID  # 1970


# ---- roles ----

def test_roles_and_state(server):
    for account, roles in (("Administrator", ADMIN | OFFICER | AUDITOR | OPERATOR | READ | ENROLL), ("bob", OFFICER | READ | ENROLL),
                           ("svc-pfx", READ | ENROLL)):
        with Session(server, account) as a:
            code, r = a.call("GetMyRoles")
            assert (code, r["pdwRoles"]) == (0, roles), account
            assert a.call("GetServerState")[1]["pdwState"] == 1


RIGHTS = [("Ping", {}, ADMIN), ("Ping2", {}, ADMIN), ("PublishCRL", {}, ADMIN), ("PublishCRLs", {"Flags": 1}, ADMIN),
          ("GetCRL", {}, READ), ("GetCASecurity", {}, READ), ("GetAuditFilter", {}, READ), ("GetOfficerRights", {}, READ),
          ("GetCAPropertyInfo", {}, READ), ("GetCAProperty", {"PropId": 6, "PropType": 4}, READ), ("GetMyRoles", {}, READ),
          ("GetConfigEntry", {"pwszEntry": "CAType"}, READ), ("SetAuditFilter", {"dwFilter": 0}, ADMIN),
          ("SetOfficerRights", {"fEnable": 0}, ADMIN), ("DenyRequest", {"dwRequestId": 99999}, OFFICER),
          ("ServerControl", {"dwControlFlags": 2}, ADMIN)]


@pytest.mark.parametrize("method,arguments,right", RIGHTS, ids=[r[0] for r in RIGHTS])
def test_who_may(server, method, arguments, right):
    for account, held in (("Administrator", ADMIN | OFFICER | READ), ("bob", OFFICER | READ), ("svc-pfx", READ)):
        with Session(server, account) as a:
            code, _ = a.call(method, **arguments)
        assert (code != DENIED) == bool(held & right), (account, hex(code))


@pytest.mark.parametrize("method,arguments,right", RIGHTS, ids=[r[0] for r in RIGHTS])
def test_authority(server, method, arguments, right):
    del right
    optional = method in ("Ping", "Ping2", "GetConfigEntry")
    with Session(server) as a:
        assert a.call(method, pwszAuthority="Another CA", **arguments)[0] == INVALID
        if not optional:
            assert a.call(method, pwszAuthority="", **arguments)[0] == INVALID


def test_strangers_learn_nothing(server):
    """Who may enroll, and no more, does not administer."""
    server.ctl("ca", "acl", "deny", "CORP\\noupn", "Read", "RequestCertificates")
    try:
        with Session(server, "noupn") as a:
            assert a.call("GetConfigEntry", pwszNodePath=POLICY, pwszEntry="EditFlags")[0] == DENIED
            assert a.call("GetServerState")[1]["pdwState"] == 0
    finally:
        server.ctl("ca", "acl", "remove", "CORP\\noupn")


# ---- security ----

def test_security(server):
    with Session(server) as a:
        wire = icertadmind.octets(a.call("GetCASecurity")[1]["pctbSD"])
        sd = ndr.ndr_unpack(security.descriptor, wire)
        assert {str(ace.trustee): ace.access_mask for ace in sd.dacl.aces}["S-1-5-32-544"] == 3
        ace = security.ace()
        ace.type, ace.access_mask = security.SEC_ACE_TYPE_ACCESS_ALLOWED, 2
        ace.trustee = security.dom_sid("S-1-5-21-1111111111-2222222222-3333333333-1106")
        sd.dacl_add(ace)
        assert a.call("SetCASecurity", pctbSD=ndr.ndr_pack(sd))[0] == 0
        assert icertadmind.octets(a.call("GetCASecurity")[1]["pctbSD"]) != wire
        shown = server.json("ca", "acl", "show")["aces"]
        assert [x["mask"] for x in shown if x["principal"].endswith("-1106")] == ["0x2"]
        assert a.call("SetCASecurity", pctbSD=b"nonsense")[0] == INVALID
        assert a.call("SetCASecurity", pctbSD=wire)[0] == 0


def test_officer_rights(server):
    """A restriction set over DCOM is what adcsctl shows, and is given back octet for octet."""
    server.ctl("ca", "officer-rights", "allow", "CORP\\bob", "--for", "CORP\\Domain Computers", "--templates", "User")
    with Session(server) as a:
        code, r = a.call("GetOfficerRights")
        blob = icertadmind.octets(r["pctbSD"])
        assert (code, r["pfEnabled"]) == (0, 1) and blob[-4:] == bytes(4)
        sd = blob[:-4]
        before = server.json("ca", "officer-rights", "show")
        assert a.call("SetOfficerRights", fEnable=0)[0] == 0
        assert not server.json("ca", "officer-rights", "show")["restricted"]
        assert a.call("SetOfficerRights", fEnable=1, pctbSD=sd)[0] == 0
        assert server.json("ca", "officer-rights", "show")["entries"] == before["entries"]
        assert a.call("SetOfficerRights", fEnable=0x10001, pctbSD=sd)[0] == 0  # enrollment agents
        assert server.json("ca", "agent-rights", "show")["restricted"]
        code, r = a.call("GetOfficerRights")
        assert icertadmind.octets(r["pctbSD"]) == sd + b"\1\0\0\0" + sd
        assert a.call("SetOfficerRights", fEnable=1, pctbSD=b"xx")[0] == INVALID
        assert a.call("SetOfficerRights", fEnable=0x10000)[0] == a.call("SetOfficerRights", fEnable=0)[0] == 0


# ---- configuration ----

def variant(answer):
    return answer["pVariant"]["_varUnion"]


def number(a, node, entry, authority=CA):
    code, r = a.call("GetConfigEntry", pwszAuthority=authority, pwszNodePath=node, pwszEntry=entry)
    assert code == 0, (entry, hex(code))
    assert variant(r)["tag"] == VT_I4
    return variant(r)["lVal"] & 0xFFFFFFFF


def test_config_numbers(server):
    with Session(server) as a:
        assert number(a, POLICY, "EditFlags") == 0x11014E and number(a, "", "InterfaceFlags") == 0x641
        assert number(a, "", "CAType") == 0 and number(a, "", "UseDS") == 1
        assert number(a, "", "SetupStatus", authority="") == 1
        for node, entry, code in (("", "Nonsense", NOT_FOUND), ("Nonsense", "EditFlags", NOT_FOUND), (POLICY, "CAType", NOT_FOUND)):
            assert a.call("GetConfigEntry", pwszNodePath=node, pwszEntry=entry)[0] == code
        assert a.call("GetConfigEntry", pwszAuthority="", pwszNodePath=POLICY, pwszEntry="EditFlags")[0] == INVALID


def test_set_config_governs_the_next_request(server):
    """ESC6 from afar: EDITF_ATTRIBUTESUBJECTALTNAME2 set by a CA administrator, used, and taken back."""
    def names():
        with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
            answer = c.request(pkcs10.csr(), "CertificateTemplate:User\nSAN:upn=administrator@contoso.com")
        certificate = x509.load_der_x509_certificate(answer.certificate)
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.public_bytes()

    with Session(server) as a:
        def set_flags(value):
            v = icertadmind.VARIANT()
            v["clSize"] = 5
            v["vt"] = VT_I4
            v["_varUnion"]["tag"] = VT_I4
            v["_varUnion"]["lVal"] = value
            return a.call("SetConfigEntry", pwszNodePath=POLICY, pwszEntry="EditFlags", pVariant=v)[0]

        assert b"administrator@contoso.com" not in names()
        assert set_flags(0x11014E | 0x40000) == 0
        assert number(a, POLICY, "EditFlags") == 0x15014E
        assert b"administrator@contoso.com" in names()
        assert set_flags(0x11014E) == 0
        assert b"administrator@contoso.com" not in names()
    with Session(server, "bob") as a:  # an officer issues, but does not configure
        v = icertadmind.VARIANT()
        v["clSize"], v["vt"] = 5, VT_I4
        v["_varUnion"]["tag"], v["_varUnion"]["lVal"] = VT_I4, 0
        assert a.call("SetConfigEntry", pwszNodePath=POLICY, pwszEntry="EditFlags", pVariant=v)[0] == DENIED


def test_properties(server):
    with Session(server) as a:
        code, r = a.call("GetCAProperty", PropId=6, PropIndex=0, PropType=4)
        assert code == 0 and icertadmind.octets(r["pctbPropertyValue"]).decode("utf-16le") == CA + "\0"
        assert a.call("GetCAProperty", PropId=6, PropIndex=0, PropType=1)[0] == INVALID
        code, r = a.call("GetCAPropertyInfo")
        assert code == 0 and r["pcProperty"] == 0x2D


def test_publish_a_template(server):
    """As Certipy does: what was read, with another name and OID before it."""
    with Session(server) as a:
        blob = icertadmind.octets(a.call("GetCAProperty", PropId=0x1D, PropIndex=0, PropType=4)[1]["pctbPropertyValue"])
        before = blob.decode("utf-16le")
        assert "CodeSigning\n" not in before
        changed = ("CodeSigning\n1.2.3\n" + before).encode("utf-16le")
        assert a.call("SetCAProperty", PropId=0x1D, PropIndex=0, PropType=4, pctbPropertyValue=changed)[0] == 0
        assert "CodeSigning" in str(server.json("ca", "show")["templates"])
        assert a.call("SetCAProperty", PropId=0x1D, PropIndex=0, PropType=4, pctbPropertyValue=blob)[0] == 0
        assert "CodeSigning" not in str(server.json("ca", "show")["templates"])
        for identifier, kind in ((6, 4), (0x1D, 1), (0x33, 4)):
            assert a.call("SetCAProperty", PropId=identifier, PropIndex=0, PropType=kind, pctbPropertyValue=blob)[0] == INVALID
        assert a.call("SetCAProperty", PropId=0x1D, PropIndex=0, PropType=4, pctbPropertyValue="x".encode("utf-16le"))[0] == INVALID


def test_server_control(server):
    with Session(server) as a:
        assert [a.call("ServerControl", dwControlFlags=n)[0] for n in (2, 3, 0, 4)] == [0, 0, INVALID, INVALID]
        assert a.call("Ping")[0] == 0 and a.call("Ping2", pwszAuthority="")[0] == 0


# ---- doors ----

def test_interface_flags(fresh):
    """IF_NOREMOTEICERTADMIN closes this door and no other; encryption is asked for."""
    server = fresh()
    with Session(server) as a:
        a.interface.get_cinstance().set_auth_level(5)
        assert a.call("GetMyRoles")[0] == DENIED
    server.ctl("ca", "set", "CA\\InterfaceFlags", "+IF_NOREMOTEICERTADMIN")
    with Session(server) as a:
        assert a.call("GetMyRoles")[0] == DENIED
        assert a.call("Ping")[0] == DENIED
    assert server.json("ca", "show")
    server.ctl("ca", "set", "CA\\InterfaceFlags", "-IF_NOREMOTEICERTADMIN")
    with Session(server) as a:
        assert a.call("GetMyRoles")[0] == 0
