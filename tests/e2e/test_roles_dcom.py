"""
Roles over ICertAdminD2 with impacket's runtime: what every method asks of its caller (MS-CSRA 3.1.1.7), role separation,
restrictions of certificate managers and of enrollment agents.
"""
import struct

import pytest

import dcom
import harness
import icertadmind
import icpr
import pkcs10
import signed_requests as sr
from test_admin_d import ADMIN, AUDITOR, ENROLL, OFFICER, OPERATOR, READ, Session

DENIED, CONFLICT, RESTRICTED, INVALID = 0x80070005, 0x80094008, 0x80094009, 0x80070057
DOMAIN = "S-1-5-21-1111111111-2222222222-3333333333"
READERS, NOBODY_YET = ADMIN | OFFICER | READ, 99999
NEW_KEY = pkcs10.rsa_key(number=3)


def empty_variant():
    v = icertadmind.VARIANT()
    v["clSize"], v["vt"] = 5, 3
    v["_varUnion"]["tag"], v["_varUnion"]["lVal"] = 3, 0
    return v


# Method: roles of which one is enough; a call that does no harm when it is allowed.
METHODS = {
    "SetExtension": (OFFICER, {"dwRequestId": NOBODY_YET, "pwszExtensionName": "1.2.3", "dwType": 3, "pctbValue": b"x"}),
    "SetAttributes": (OFFICER, {"dwRequestId": NOBODY_YET, "pwszAttributes": "a:b"}),
    "ResubmitRequest": (OFFICER, {"dwRequestId": NOBODY_YET}),
    "DenyRequest": (OFFICER, {"dwRequestId": NOBODY_YET}),
    "IsValidCertificate": (READERS, {"pSerialNumber": "61"}),
    "PublishCRL": (ADMIN, {"FileTime": 116444736000000000}),
    "GetCRL": (READERS, {}),
    "RevokeCertificate": (OFFICER, {"pwszSerialNumber": "61", "Reason": 1}),
    "EnumViewColumn": (READERS, {"cColumn": 1}),
    "GetViewDefaultColumnSet": (READERS, {"iColumnSetDefault": 0xFFFFFFFF}),
    "EnumAttributesOrExtensions": (READERS, {"RowId": NOBODY_YET, "celt": 1}),
    "OpenView": (READERS, {"ccolOut": 1, "acolOut": [0x7FFFFFFF], "ielt": 1, "celt": 1}),
    "EnumView": (READERS, {"ielt": 1, "celt": 1}),
    "ServerControl": (ADMIN | OPERATOR, {"dwControlFlags": 2}),
    "Ping": (ADMIN, {}),
    "BackupPrepare": (OPERATOR, {"grbitJet": 2}),
    "BackupEnd": (OPERATOR, {}),
    "BackupGetAttachmentInformation": (OPERATOR, {}),
    "BackupGetBackupLogs": (OPERATOR, {}),
    "BackupOpenFile": (OPERATOR, {"pwszPath": "x"}),
    "BackupReadFile": (OPERATOR, {"cbBuffer": 4096}),
    "BackupCloseFile": (OPERATOR, {}),
    "BackupTruncateLogs": (OPERATOR, {}),
    "BackupGetDynamicFiles": (OPERATOR, {}),
    "RestoreGetDatabaseLocations": (OPERATOR, {}),
    "ImportCertificate": (OFFICER, {"pctbCertificate": b"no certificate"}),
    "PublishCRLs": (ADMIN, {"Flags": 0}),
    "GetCAProperty": (READERS, {"PropId": 6, "PropType": 4}),
    "SetCAProperty": (ADMIN, {"PropId": 0x1D, "PropType": 1, "pctbPropertyValue": b"x"}),
    "GetCAPropertyInfo": (READERS, {}),
    "EnumViewColumnTable": (READERS, {"cColumn": 1}),
    "GetCASecurity": (READERS, {}),
    "SetCASecurity": (ADMIN, {"pctbSD": b"nonsense"}),
    "Ping2": (ADMIN, {}),
    "GetArchivedKey": (OFFICER, {"dwRequestId": NOBODY_YET}),
    "GetAuditFilter": (READERS, {}),
    "SetAuditFilter": (ADMIN | AUDITOR, {"dwFilter": 0}),
    "GetOfficerRights": (READERS, {}),
    "SetOfficerRights": (ADMIN, {"fEnable": 1, "pctbSD": b"nonsense"}),
    "GetConfigEntry": (READERS, {"pwszEntry": "CAType"}),
    "SetConfigEntry": (ADMIN, {"pwszNodePath": "Nonsense", "pwszEntry": "Nonsense", "pVariant": empty_variant()}),
    "ImportKey": (OFFICER, {"dwRequestId": NOBODY_YET, "pctbKey": b"no key"}),
    "GetMyRoles": (READERS, {}),
}
# DeleteRow wants two roles at once; of the others GetServerState wants none, and CloseView a view that is open.
ELSEWHERE = {"DeleteRow", "GetServerState", "CloseView"}
TELLS = {"GetMyRoles"}  # also those who may do nothing, what they hold

PEOPLE = {"janedoe": ADMIN, "bob": OFFICER, "svc-pfx": AUDITOR, "agent": OPERATOR, "PFXCONN01$": 0, "WS01$": OFFICER | AUDITOR,
          "Administrator": ADMIN | OFFICER | AUDITOR | OPERATOR}


@pytest.fixture(scope="module")
def server():
    """One account for each role, one for two, one for all four; noupn has no right at all."""
    made = harness.Server().start()
    made.ctl("ca", "set", "CA\\InterfaceFlags", "-IF_NOREMOTEICERTADMINBACKUP")
    made.ctl("ca", "acl", "grant", "CORP\\janedoe", "ManageCA")
    for account in ("bob", "WS01$"):
        made.ctl("ca", "acl", "grant", f"CORP\\{account}", "IssueAndManageCertificates")
    for account, privilege in (("svc-pfx", "SeSecurityPrivilege"), ("WS01$", "SeSecurityPrivilege"), ("agent", "SeBackupPrivilege")):
        sid = made.json("principal", "show", f"CORP\\{account}")["sids"][0]["sid"]
        made.ctl("ca", "set", privilege, "+" + sid)
    made.ctl("ca", "acl", "deny", "CORP\\noupn", "Read", "RequestCertificates")
    yield made
    made.remove()


def test_the_table_is_whole():
    assert set(METHODS) | ELSEWHERE == set(icertadmind.METHODS)


def expected(held, separated):
    """Method -> DENIED, CONFLICT or, where it is allowed, None."""
    two = separated and held & (held - 1)
    return {name: CONFLICT if two and name not in TELLS else None if (held | READ) & needed else DENIED
            for name, (needed, _) in METHODS.items()}


def told(server, account):
    found = {}
    with Session(server, account) as a:
        for name, (_, arguments) in METHODS.items():
            code = a.call(name, **arguments)[0]
            found[name] = code if code in (DENIED, CONFLICT) else None
        roles = a.call("GetMyRoles")[1]["pdwRoles"]
        assert a.call("GetServerState")[1]["pdwState"] == 1
    return roles, found


@pytest.fixture
def separated(server):
    server.ctl("ca", "role-separation", "on")
    yield
    server.ctl("ca", "role-separation", "off")


@pytest.mark.parametrize("account", PEOPLE)
def test_every_method(server, account):
    assert told(server, account) == (PEOPLE[account] | READ | ENROLL, expected(PEOPLE[account], False))


@pytest.mark.parametrize("account", PEOPLE)
def test_every_method_under_role_separation(server, separated, account):
    """Who has two roles may do nothing; who has one, what they could before."""
    assert told(server, account) == (PEOPLE[account] | READ | ENROLL, expected(PEOPLE[account], True))


def test_no_right_at_all(server):
    with Session(server, "noupn") as a:
        assert {name: a.call(name, **arguments)[0] for name, (_, arguments) in METHODS.items()} == dict.fromkeys(METHODS, DENIED)
        assert a.call("GetServerState")[1]["pdwState"] == 0


def test_enrolling_is_no_role(server, separated):
    with icpr.Client(server, "Administrator", harness.PASSWORDS["Administrator"]) as c:
        assert c.request(pkcs10.csr(), "CertificateTemplate:WebServer").disposition == icpr.CR_DISP_ISSUED


def delete(server, account):
    with Session(server, account) as a:
        code, r = a.call("DeleteRow", dwRowId=NOBODY_YET)
    return code, r["pcDeleted"]


def test_delete_row_wants_both_roles(server):
    assert [delete(server, a)[0] for a in ("janedoe", "bob", "svc-pfx", "agent")] == [DENIED] * 4
    assert delete(server, "Administrator") == (0, 0)


def test_delete_row_under_role_separation(server, separated):
    """Nobody from afar can have both."""
    assert [delete(server, a)[0] for a in ("janedoe", "bob", "Administrator")] == [DENIED, DENIED, CONFLICT]


def test_auditor(server):
    """Sets the filter, unless administrators are auditors (IF_ENABLEADMINASAUDITOR); does nothing else."""
    def set_filter(account, value):
        with Session(server, account) as a:
            code = a.call("SetAuditFilter", dwFilter=value)[0]
        with Session(server, "janedoe") as a:
            return code, a.call("GetAuditFilter")[1]["pdwFilter"]

    assert set_filter("svc-pfx", 0x7F) == (0, 0x7F)
    assert set_filter("agent", 1) == set_filter("bob", 1) == (DENIED, 0x7F)
    server.ctl("ca", "set", "CA\\InterfaceFlags", "+IF_ENABLEADMINASAUDITOR")
    try:
        assert set_filter("svc-pfx", 1) == (DENIED, 0x7F)
        assert set_filter("janedoe", 1) == (0, 1)
    finally:
        server.ctl("ca", "set", "CA\\InterfaceFlags", "-IF_ENABLEADMINASAUDITOR")
    assert set_filter("svc-pfx", 0) == (0, 0)


def test_operator(server):
    """A whole backup, under role separation, too; the others do not begin."""
    def backup(account):
        with Session(server, account) as a:
            prepared = a.call("BackupPrepare")[0]
            return prepared, prepared or a.call("BackupEnd")[0]

    assert backup("agent") == (0, 0)
    assert {backup(a) for a in ("janedoe", "bob", "svc-pfx")} == {(DENIED, DENIED)}
    server.ctl("ca", "role-separation", "on")
    try:
        assert backup("agent") == (0, 0) and backup("Administrator") == (CONFLICT, CONFLICT)
    finally:
        server.ctl("ca", "role-separation", "off")


# ---- restrictions ----

def sid_octets(text):
    parts = [int(n) for n in text.split("-")[2:]]
    return bytes([1, len(parts) - 1]) + parts[0].to_bytes(6, "big") + b"".join(struct.pack("<I", n) for n in parts[1:])


def ace(allow, who, subjects, template=""):
    """A callback ACE of MS-CSRA 2.2.1.11."""
    body = struct.pack("<I", 0x10000) + sid_octets(who) + struct.pack("<I", len(subjects)) + b"".join(map(sid_octets, subjects))
    body += (template + "\0").encode("utf-16le")
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<BBH", 9 if allow else 10, 0, 4 + len(body)) + body


def descriptor(*aces):
    admins = sid_octets("S-1-5-32-544")
    acl = struct.pack("<BBHHH", 2, 0, 8 + sum(map(len, aces)), len(aces), 0) + b"".join(aces)
    return struct.pack("<BBHIIII", 1, 0, 0x8004, 20, 20 + len(admins), 0, 20 + 2 * len(admins)) + admins + admins + acl


OFFICERS, AGENTS = 1, 0x10001  # fEnable


@pytest.fixture
def restrict(server):
    """restrict(OFFICERS or AGENTS, ace, ...), by the CA administrator; taken back afterwards."""
    def apply(which, *aces):
        with Session(server, "janedoe") as a:
            assert a.call("SetOfficerRights", fEnable=which, pctbSD=descriptor(*aces))[0] == 0

    yield apply
    with Session(server, "janedoe") as a:
        assert a.call("SetOfficerRights", fEnable=0)[0] == a.call("SetOfficerRights", fEnable=0x10000)[0] == 0


@pytest.fixture(scope="module")
def sids(server):
    tokens = {a: server.json("principal", "show", f"CORP\\{a}")["sids"] for a in ("bob", "agent", "PFXCONN01$")}
    connectors = [s["sid"] for s in tokens["PFXCONN01$"] if s["name"] == "CORP\\Certificate Connectors"]
    return {"bob": tokens["bob"][0]["sid"], "agent": tokens["agent"][0]["sid"], "connectors": connectors[0]}


@pytest.fixture(scope="module")
def templates(server):
    """Two that wait for an officer, for whoever asks."""
    for name in ("Badges", "Phones"):
        server.ctl("template", "duplicate", "User", "--display-name", name, "--subject", "request", "--manager-approval", "yes",
                   "--minimum-key-size", "2048")
        for group in ("CORP\\Domain Users", "CORP\\Domain Computers"):
            server.ctl("template", "acl", "grant", name, group, "Read", "Enroll")
    server.ctl("ca", "publish", "Badges", "Phones", "EnrollmentAgent")
    server.ctl("template", "acl", "grant", "EnrollmentAgent", "CORP\\agent", "Read", "Enroll")


def waiting(server, account, template):
    with icpr.Client(server, account, harness.PASSWORDS[account]) as c:
        answer = c.request(pkcs10.csr(), f"CertificateTemplate:{template}")
    assert answer.disposition == icpr.CR_DISP_UNDER_SUBMISSION, answer
    return answer.request_id


MINE, OTHER_TEMPLATE, OTHER_GROUP = ("PFXCONN01$", "Badges"), ("PFXCONN01$", "Phones"), ("svc-pfx", "Badges")


def everything(server, whose):
    """What an officer, bob, is told about requests of that account for that template: method -> code."""
    one, two, three = (waiting(server, *whose) for _ in range(3))
    server.ctl("request", "issue", str(three))
    serial = server.json("request", "show", str(three))["serial"]
    with Session(server, "bob") as a:
        found = {"SetAttributes": a.call("SetAttributes", dwRequestId=one, pwszAttributes="a:b")[0],
                 "SetExtension": a.call("SetExtension", dwRequestId=one, pwszExtensionName="1.2.3", dwType=3, pctbValue=b"\5\0")[0],
                 "DenyRequest": a.call("DenyRequest", dwRequestId=two)[0],
                 "hold": a.call("RevokeCertificate", pwszSerialNumber=serial, Reason=6)[0]}
        code, r = a.call("ResubmitRequest", dwRequestId=one)
        found["ResubmitRequest"] = r["pdwDisposition"] if code == 0 and r["pdwDisposition"] != 3 else code
        if found["hold"] != 0:
            server.ctl("request", "revoke", str(three), "--reason", "certificateHold")
        found["release"] = a.call("RevokeCertificate", pwszSerialNumber=serial, Reason=0xFFFFFFFF)[0]
        found["RevokeCertificate"] = a.call("RevokeCertificate", pwszSerialNumber=serial, Reason=1)[0]
        key = a.call("GetArchivedKey", dwRequestId=three)[0]
        found["GetArchivedKey"] = 0 if key == 0x80094004 else key  # allowed, but there is none
    states = [server.json("request", "show", str(n))["state"] for n in (one, two, three)]
    return found, states


ALL = ("SetAttributes", "SetExtension", "DenyRequest", "hold", "ResubmitRequest", "release", "RevokeCertificate", "GetArchivedKey")
DONE = (dict.fromkeys(ALL, 0), ["issued", "denied", "revoked"])
REFUSED = (dict.fromkeys(ALL, RESTRICTED), ["pending", "pending", "revoked"])  # on hold, by the local administrator


def test_officer_of_a_template_and_a_group(server, templates, sids, restrict):
    restrict(OFFICERS, ace(True, sids["bob"], [f"{DOMAIN}-515"], "Badges"))  # Domain Computers
    assert everything(server, MINE) == DONE
    assert everything(server, OTHER_TEMPLATE) == REFUSED
    assert everything(server, OTHER_GROUP) == REFUSED
    shown = server.json("ca", "officer-rights", "show")
    assert shown["restricted"] and [e["template"] for e in shown["entries"]] == ["Badges"]


def test_a_denial_goes_before_the_permission_behind_it(server, templates, sids, restrict):
    restrict(OFFICERS, ace(False, sids["bob"], [f"{DOMAIN}-515"], "Phones"), ace(True, sids["bob"], ["S-1-1-0"]))
    assert everything(server, MINE) == DONE and everything(server, OTHER_GROUP) == DONE
    assert everything(server, OTHER_TEMPLATE) == REFUSED


def test_restricted_to_others(server, templates, sids, restrict):
    """Once there are restrictions, who has no entry decides about nobody; without them, about everybody."""
    restrict(OFFICERS, ace(True, sids["agent"], ["S-1-1-0"]))
    assert everything(server, MINE) == REFUSED
    with Session(server, "janedoe") as a:
        assert a.call("SetOfficerRights", fEnable=0)[0] == 0
    assert everything(server, MINE) == DONE


def test_restrictions_lend_no_role(server, templates, sids, restrict):
    """An entry for somebody who is no certificate manager changes nothing."""
    restrict(OFFICERS, ace(True, sids["agent"], ["S-1-1-0"]))
    number = waiting(server, *MINE)
    with Session(server, "agent") as a:
        assert a.call("DenyRequest", dwRequestId=number)[0] == DENIED


def test_a_denied_request_takes_an_administrator_who_is_an_officer(server, templates):
    """MS-CSRA 3.1.4.1.3: for others it has the wrong status; that is a disposition."""
    def resubmit(account, number):
        with Session(server, account) as a:
            code, r = a.call("ResubmitRequest", dwRequestId=number)
            return code, r["pdwDisposition"]

    number = waiting(server, *MINE)
    with Session(server, "bob") as a:
        assert a.call("DenyRequest", dwRequestId=number)[0] == 0
    assert resubmit("bob", number) == (0, 0x80094003)
    assert resubmit("janedoe", number) == resubmit("svc-pfx", number) == (DENIED, 0)
    assert server.json("request", "show", str(number))["state"] == "denied"
    assert resubmit("Administrator", number) == (0, 3)


# ---- enrollment agents, over DCOM ----

@pytest.fixture(scope="module")
def agent(server, templates):
    from cryptography import x509
    key = pkcs10.rsa_key(number=1)
    with icpr.Client(server, "agent", harness.PASSWORDS["agent"]) as c:
        answer = c.request(pkcs10.csr(key), "CertificateTemplate:EnrollmentAgent")
    assert answer.disposition == icpr.CR_DISP_ISSUED
    return x509.load_der_x509_certificate(answer.certificate), key


@pytest.mark.parametrize("second", [False, True], ids=["Request", "Request2"])
@pytest.mark.parametrize("allow,subject,template,code", [
    (True, f"{DOMAIN}-513", "User", icpr.CR_DISP_ISSUED), (True, f"{DOMAIN}-513", "", icpr.CR_DISP_ISSUED),
    (True, f"{DOMAIN}-513", "WebServer", RESTRICTED), (True, f"{DOMAIN}-515", "User", RESTRICTED),
    (False, f"{DOMAIN}-513", "User", RESTRICTED)])
def test_enrollment_agent(server, sids, agent, restrict, second, allow, subject, template, code):
    restrict(AGENTS, ace(allow, sids["agent"], [subject], template))
    request = sr.certipy_on_behalf(NEW_KEY, agent[1], agent[0], "CORP\\janedoe")
    with dcom.Connection(server, "agent", harness.PASSWORDS["agent"]) as c:
        if second:
            answer = c.submit2(c.activate(iid=dcom.IID_ICertRequestD2), request, "CertificateTemplate:User", harness.CA_NAME)
        else:
            answer = c.submit(c.activate(), request, "CertificateTemplate:User", harness.CA_NAME)
    assert (answer.code, answer.disposition) == (0, code), answer.message
    row = server.json("request", "show", str(answer.request_id))
    assert row["requester"] == "CORP\\janedoe"
    if code == RESTRICTED:
        assert row["status"] == "0x80094009" and answer.message.startswith("Denied by Policy Module  0x80094009, ")
