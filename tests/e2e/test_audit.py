"""
AuditFilter: each bit has its events of the Security log written, and no others. Every operation is an RPC call of impacket's; which
event belongs to which bit stands here once more, from MS-CSRA 3.1.4.2.10.
"""
import base64
import hashlib
import json
import pathlib
import subprocess

import pytest

import harness
import icertadmind
import icpr
import pkcs10
import signed_requests as sr
import test_archival as archival
from test_admin_d import Session

BITS = {0x1: {4875, 4880, 4881}, 0x2: {4876, 4877}, 0x4: {4868, 4869, 4873, 4874, 4884, 4886, 4887, 4888, 4889, 4896},
        0x8: {4870, 4871, 4872}, 0x10: {4882, 4890, 4897}, 0x20: {4883, 4893, 4894}, 0x40: {4885, 4891, 4892}}
POLICY = "PolicyModules\\CertificateAuthority_MicrosoftDefault.Policy"
SUBJECT = ["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"]
REQUEST = ["RequestId", "Requester", "Attributes"]
DECIDED = [*REQUEST, "Disposition", "SubjectKeyIdentifier", "Subject"]
# The fields of Microsoft-Windows-Security-Auditing's manifest, in its order.
FIELDS = {4868: ["RequestId", *SUBJECT], 4869: ["RequestId", *SUBJECT],
          4870: ["CertificateSerialNumber", "RevocationReason", *SUBJECT],
          4871: ["NextUpdate", "NextPublishForBaseCRL", "NextPublishForDeltaCRL", *SUBJECT],
          4872: ["IsBaseCRL", "CRLNumber", "KeyContainer", "NextPublish", "PublishURLs"],
          4873: ["RequestId", "ExtensionName", "ExtensionDataType", "ExtensionPolicyFlags", "ExtensionData", *SUBJECT],
          4874: ["RequestId", "Attributes", *SUBJECT], 4875: SUBJECT, 4876: ["BackupType", *SUBJECT], 4877: SUBJECT,
          4880: ["CertificateDatabaseHash", "PrivateKeyUsageCount", "CACertificateHash", "CAPublicKeyHash"],
          4882: ["SecuritySettings", *SUBJECT], 4883: ["RequestId", *SUBJECT], 4884: ["Certificate", "RequestId", *SUBJECT],
          4885: ["AuditFilter", *SUBJECT], 4886: REQUEST, 4887: DECIDED, 4888: DECIDED, 4889: DECIDED,
          4890: ["EnableRestrictedPermissions", "RestrictedPermissions", *SUBJECT], 4891: ["Node", "Entry", "Value", *SUBJECT],
          4892: ["PropertyName", "PropertyIndex", "PropertyType", "PropertyValue", *SUBJECT],
          4893: ["RequestId", "Requester", "KRAHashes"], 4894: ["RequestId", *SUBJECT],
          4896: ["TableId", "Filter", "RowsDeleted", *SUBJECT], 4897: ["RoleSeparationEnabled"]}
FIELDS[4881] = FIELDS[4880]
HEAD = ["id", "when", "real", "EventID", "Provider", "Channel", "Computer", "Message"]
BINARY, TEXT = 3, 4
PENDING, ISSUED = icpr.CR_DISP_UNDER_SUBMISSION, icpr.CR_DISP_ISSUED


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = harness.Server().start()
    made.ctl("template", "duplicate", "User", "--display-name", "Pends", "--subject", "request", "--manager-approval", "yes")
    made.ctl("template", "acl", "grant", "Pends", "CORP\\janedoe", "Read", "Enroll")
    made.ctl("template", "duplicate", "User", "--display-name", "Archive", "--subject", "request", "--archive-key", "yes",
             "--minimum-key-size", "2048")
    made.ctl("template", "duplicate", "User", "--display-name", "Plain", "--subject", "request", "--minimum-key-size", "2048")
    for name in ("Archive", "Plain"):
        made.ctl("template", "acl", "grant", name, "CORP\\PFXCONN01$", "Read", "Enroll")
    made.ctl("template", "acl", "grant", "KeyRecoveryAgent", "CORP\\janedoe", "Read", "Enroll")
    made.ctl("ca", "publish", "Pends", "Archive", "Plain", "KeyRecoveryAgent")
    made.ctl("ca", "set", "CA\\InterfaceFlags", "-IF_NOREMOTEICERTADMINBACKUP")
    made.agent = archival.agent(made, tmp_path_factory.mktemp("agents"), 11)[0]
    made.ctl("ca", "kra", "add", str(made.agent))
    made.der = sr.certificate_der(sr.x509.load_pem_x509_certificate(made.agent.read_bytes()))
    made.admin = made.json("principal", "show", "CORP\\Administrator")["sids"][0]["sid"]
    yield made
    made.remove()


def ask(server, template, disposition, account="janedoe"):
    with icpr.Client(server, account, harness.PASSWORDS[account]) as c:
        answer = c.request(pkcs10.csr(), f"CertificateTemplate:{template}\nccm:client01")
    assert answer.disposition == disposition, answer
    return answer


def config_number(value):
    v = icertadmind.VARIANT()
    v["clSize"], v["vt"] = 5, 3
    v["_varUnion"]["tag"], v["_varUnion"]["lVal"] = 3, value
    return v


def operations(server):
    """One of each; gives the events that a CA which audits everything writes, in order, and what they are about."""
    about, done = {}, []

    def expect(*ids):
        done.extend(ids)

    about["issued"] = ask(server, "User", ISSUED).request_id
    expect(4886, 4887)
    about["resubmitted"], about["denied"] = (ask(server, "Pends", PENDING).request_id for _ in range(2))
    expect(4886, 4889, 4886, 4889)
    ask(server, "NoSuchTemplate", 0x80094800)
    expect(4886, 4888)
    shown = server.json("request", "show", str(about["issued"]))
    about["serial"], about["subject"] = shown["serial"], shown["columns"]["DistinguishedName"]
    with Session(server) as a:
        def call(name, *events, **fields):
            code, r = a.call(name, **fields)
            assert code == 0, f"{name} 0x{code:08x}"
            expect(*events)
            return r

        call("SetExtension", 4873, dwRequestId=about["resubmitted"], pwszExtensionName="1.2.3.4", dwType=BINARY, dwFlags=0,
             pctbValue=b"\x05\x00")
        call("SetAttributes", 4874, dwRequestId=about["resubmitted"], pwszAttributes="Ticket:4711")
        call("ResubmitRequest", 4869, 4887, dwRequestId=about["resubmitted"])
        call("DenyRequest", 4868, dwRequestId=about["denied"])
        call("RevokeCertificate", 4870, pwszSerialNumber=about["serial"], Reason=4)
        call("PublishCRL", 4871, 4872, 4872)
        sd = icertadmind.octets(call("GetCASecurity")["pctbSD"])
        call("SetCASecurity", 4882, pctbSD=sd)
        call("SetOfficerRights", 4890, fEnable=0)
        call("SetConfigEntry", 4891, pwszNodePath=POLICY, pwszEntry="EditFlags", pVariant=config_number(0x11014E))
        templates = icertadmind.octets(call("GetCAProperty", PropId=0x1D, PropIndex=0, PropType=TEXT)["pctbPropertyValue"])
        call("SetCAProperty", 4892, PropId=0x1D, PropIndex=0, PropType=TEXT, pctbPropertyValue=templates)
        call("SetCAProperty", 4892, PropId=0x1A, PropIndex=0, PropType=BINARY, pctbPropertyValue=server.der)
        # the key of a certificate, archived with it, and another one afterwards
        sealed = archival.envelope(archival.blob(archival.USER), archival.exchange(server))
        archived = archival.ask(server, archival.archival(archival.USER, sealed), template="CertificateTemplate:Archive")
        assert archived.disposition == ISSUED, archived.message
        expect(4886, 4893, 4887)
        about["archived"] = archived.request_id
        call("GetArchivedKey", 4883, dwRequestId=archived.request_id)
        plain = archival.ask(server, sr.request(archival.USER), template="CertificateTemplate:Plain")
        expect(4886, 4887)
        call("ImportKey", 4894, dwRequestId=plain.request_id, dwFlags=0, pctbKey=sealed)
        call("BackupPrepare", 4876)
        call("BackupEnd", 4877)
        call("DeleteRow", 4896, dwTable=0, dwRowId=about["issued"])
        assert a.call("ServerControl", dwControlFlags=1)[0] == 0x80004001  # the server goes on
        expect(4875)
        call("DeleteRow", 4896, dwTable=0, dwRowId=plain.request_id)
        about["imported"] = call("ImportCertificate", 4884, pctbCertificate=plain.certificate)["pdwRequestId"]
        # refused: no event
        assert a.call("RevokeCertificate", pwszSerialNumber=about["serial"], Reason=7)[0] != 0
        assert a.call("DenyRequest", dwRequestId=99999)[0] != 0
    return done, about


def last(server):
    return server.json("audit", "show")["last"]


def since(server, number):
    found = server.json("audit", "show", "--after", str(number), "--limit", "1000")["records"]
    assert [r["id"] for r in found] == list(range(number + 1, number + 1 + len(found)))
    return found


def test_off(server):
    operations(server)
    assert server.json("audit", "show") == {"records": [], "last": 0}
    assert pathlib.Path(server.state, "audit.jsonl").read_text() == "" and server.ctl("audit", "show") == ""


@pytest.mark.parametrize("bit", BITS, ids=hex)
def test_each_bit(server, bit):
    server.ctl("ca", "audit-filter", str(bit))
    number = last(server)
    done, _ = operations(server)
    found = [r["EventID"] for r in since(server, number)]
    assert found and found == [i for i in done if i in BITS[bit]]


def test_fields(server):
    """All of them: every event with the fields of Windows' manifest, and the values that rules look for."""
    server.ctl("ca", "audit-filter", "127")
    number = last(server)
    done, about = operations(server)
    records = since(server, number)
    assert [r["EventID"] for r in records] == done
    for r in records:
        assert list(r) == HEAD + FIELDS[r["EventID"]], r
        assert r["Provider"] == "Microsoft-Windows-Security-Auditing" and r["Computer"] == "ca01.corp.contoso.com"
        assert all(isinstance(r[f], str) for f in FIELDS[r["EventID"]])
        if "SubjectUserSid" in r:
            assert [r[f] for f in SUBJECT[:3]] == [server.admin, "Administrator", "CORP"]

    def one(event, **given):
        return next(r for r in records if r["EventID"] == event and all(r[k] == v for k, v in given.items()))

    asked, issued = (one(i, RequestId=str(about["issued"])) for i in (4886, 4887))
    for r in (asked, issued):
        assert r["Requester"] == "CORP\\janedoe"
        assert set(r["Attributes"].split("\n")) == {"CertificateTemplate:User", "ccm:client01"}
    assert issued["Disposition"] == "3" and issued["Subject"] == about["subject"]
    assert len(issued["SubjectKeyIdentifier"]) == 59  # 20 octets
    assert one(4888)["Disposition"] == "2" and one(4889, RequestId=str(about["denied"]))["Disposition"] == "5"
    assert one(4868)["RequestId"] == str(about["denied"]) and one(4869)["RequestId"] == str(about["resubmitted"])
    assert (one(4870)["CertificateSerialNumber"], one(4870)["RevocationReason"]) == (about["serial"], "4")
    assert one(4873)["ExtensionName"] == "1.2.3.4" and one(4874)["Attributes"] == "Ticket:4711"
    base, delta = (one(4872, IsBaseCRL=x) for x in ("Yes", "No"))
    assert base["CRLNumber"] == delta["CRLNumber"] and "CN=CDP" in base["PublishURLs"]
    assert base["KeyContainer"] == harness.CA_NAME
    assert "D:" in one(4882)["SecuritySettings"] and one(4890)["EnableRestrictedPermissions"] == "No"
    assert (one(4891)["Node"], one(4891)["Entry"], one(4891)["Value"]) == ("policy", "EditFlags", "0x11014e")
    assert "Pends" in one(4892, PropertyName="29")["PropertyValue"].split("\n")
    assert base64.b64encode(server.der).decode() == one(4892, PropertyName="26")["PropertyValue"]
    assert one(4893)["RequestId"] == one(4883)["RequestId"] == str(about["archived"])
    assert one(4893)["KRAHashes"].replace(" ", "") == hashlib.sha1(server.der).hexdigest()
    assert one(4884)["RequestId"] == str(about["imported"]) and one(4876)["BackupType"] == "1"
    assert one(4896, Filter=str(about["issued"]))["RowsDeleted"] == "1"
    text = server.ctl("audit", "show", "--limit", "1000")
    assert "4886  " in text and "Certificate Services received a certificate request." in text


def test_of_the_filter_itself(server):
    """What the new filter says of its own change; to end all auditing leaves no trace (and a registry value one, of the old filter)."""
    server.ctl("ca", "audit-filter", "0")
    number = last(server)
    with Session(server) as a:
        for value in (0x7F, 0x4, 0x40, 0):
            assert a.call("SetAuditFilter", dwFilter=value)[0] == 0
    found = since(server, number)
    assert [(r["EventID"], r["AuditFilter"], r["SubjectUserSid"]) for r in found] == [
        (4885, "127", server.admin), (4885, "64", server.admin)]
    server.ctl("ca", "set", "CA\\AuditFilter", "0x40")
    assert since(server, number) == found
    server.ctl("ca", "set", "CA\\AuditFilter", "0")
    entry = since(server, number)[len(found):]
    assert [(r["EventID"], r["Entry"], r["SubjectUserSid"]) for r in entry] == [(4891, "AuditFilter", "S-1-5-18")]


def test_start_and_end_and_roles():
    """4880, 4881; 4897 when roles are separated at the start and when somebody switches it on. The numbers go on."""
    server = harness.Server()
    try:
        server.start()
        server.ctl("ca", "audit-filter", "17")
        assert server.json("audit", "show")["last"] == 0
        server.ctl("ca", "role-separation", "on")
        assert server.stop() == 0
        server.start()
        server.ctl("ca", "role-separation", "off")
        found = server.json("audit", "show")["records"]
        assert [r["EventID"] for r in found] == [4897, 4881, 4880, 4897]
        for r in found:
            assert list(r) == HEAD + FIELDS[r["EventID"]]
        digest = found[1]["CACertificateHash"].replace(" ", "")
        assert digest == hashlib.sha1(sr.certificate_der(sr.x509.load_pem_x509_certificate(server.ctl("ca", "cert").encode()))
                                      ).hexdigest()
        server.kill()
        server.start()
        assert [r["EventID"] for r in server.json("audit", "show")["records"]] == [4897, 4881, 4880, 4897, 4880]
        lines = pathlib.Path(server.state, "audit.jsonl").read_text().splitlines()
        assert [json.loads(x)["id"] for x in lines] == [1, 2, 3, 4, 5]
    finally:
        server.remove()


def test_follow(server):
    """Events one line each, as they come; what is there already first."""
    server.ctl("ca", "audit-filter", "4")
    follower = subprocess.Popen([str(harness.BUILD / "adcsctl"), "--state", server.state, "--json", "audit", "show", "--follow", "--limit",
                                 "1"], stdout=subprocess.PIPE, text=True)
    try:
        first = json.loads(follower.stdout.readline())
        request = ask(server, "User", ISSUED).request_id
        got = [json.loads(follower.stdout.readline()) for _ in range(2)]
        assert [(r["EventID"], r["RequestId"]) for r in got] == [(4886, str(request)), (4887, str(request))]
        assert got[0]["id"] == first["id"] + 1
    finally:
        follower.kill()
        follower.wait()
        follower.stdout.close()
