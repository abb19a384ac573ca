"""adcsctl: every verb as text and JSON, exit codes, wrong arguments; what it wrote is read back with tools of others."""
import base64
import datetime
import json
import os
import pathlib
import re
import subprocess

import pytest
from cryptography import x509
from impacket import ntlm
from samba.dcerpc import security
from samba.ndr import ndr_unpack

import conftest
import harness
import icpr
import pkcs10

from test_certificates import make_subordinate

DOMAIN_SID = "S-1-5-21-1111111111-2222222222-3333333333"
PKS = "CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=contoso,DC=com"
ENROLL = "0e10c968-78fb-11d2-90d4-00c04f79dc55"
TEMPLATE = "CertificateTemplate:IntunePKCS"
FULL_CONTROL = 0xF00FF


@pytest.fixture(scope="module")
def server():
    """Issued, denied and pending requests 1, 2 and 3; a template of our own besides the how-to's."""
    made = harness.Server().start()
    conftest.publish_how_to(made)
    made.ctl("template", "duplicate", "IntunePKCS", "--display-name", "Approved", "--manager-approval", "yes")
    made.ctl("ca", "publish", "Approved")
    with icpr.Client(made, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        assert c.request(pkcs10.csr(), TEMPLATE).disposition == icpr.CR_DISP_ISSUED
        assert c.request(pkcs10.csr(), "CertificateTemplate:WebServer").disposition == 0x80094012
        assert c.request(pkcs10.csr(), "CertificateTemplate:Approved").disposition == icpr.CR_DISP_UNDER_SUBMISSION
    yield made
    made.remove()


def run(server, *args, env=None):
    command = [str(harness.BUILD / "adcsctl"), *(["--state", server.state] if server else []), *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "ADCSD_STATE": "", **(env or {})})


def ldap(server, base, scope="base", ldap_filter="(objectClass=*)", *attrs):
    """Entries as {attribute in lower case: [octets]}, by ldapsearch."""
    out = subprocess.run(["ldapsearch", "-Q", "-LLL", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-H", server.ldapi, "-b", base,
                          "-s", scope, ldap_filter, *attrs], capture_output=True, text=True, timeout=60, check=True).stdout
    found = []
    for block in filter(None, out.split("\n\n")):
        entry = {}
        for name, colons, value in re.findall(r"^([\w;-]+)(::?) ?(.*)$", block, re.M):
            entry.setdefault(name.lower(), []).append(base64.b64decode(value) if colons == "::" else value.encode())
        found.append(entry)
    return found


def template(server, cn):
    entry, = ldap(server, server.template_dn(cn))
    return entry


def text(entry, name):
    return [v.decode() for v in entry.get(name.lower(), [])]


def number(entry, name):
    value, = text(entry, name)
    return int(value)


def descriptor(entry):
    return ndr_unpack(security.descriptor, entry["ntsecuritydescriptor"][0])


def aces(entry):
    return [(a.type, a.access_mask, str(a.trustee), str(a.object.type) if a.type in (5, 6) else None)
            for a in descriptor(entry).dacl.aces]


# ---- every verb ----

VERBS = {
    "template list": [], "template show": ["IntunePKCS"], "template duplicate": ["User", "--display-name", "Another"],
    "template set": ["Approved", "--validity", "6m"], "template reenroll": ["Approved"],
    "template diff": ["Approved", "Approved"], "template export": ["Approved"],
    "template import": [str(harness.ROOT / "templates/WebServer.ldif"), "--replace"], "template delete": ["Another"],
    "template acl show": ["User"],
    "template acl set": ["Approved", "--sddl", "D:PAI(A;;LCRPLORC;;;AU)(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;AU)"],
    "template acl grant": ["Approved", "CORP\\bob", "Read"], "template acl deny": ["Approved", "CORP\\bob", "Enroll"],
    "template acl remove": ["Approved", "CORP\\bob"],
    "principal show": ["CORP\\janedoe"], "pki list": [], "audit show": [],
    "access": ["IntunePKCS"],
    "ca show": [], "ca publish": ["Workstation"], "ca unpublish": ["Workstation"], "ca acl show": [],
    "ca acl grant": ["CORP\\agent", "Read"], "ca acl deny": ["CORP\\agent", "ManageCA"], "ca acl remove": ["CORP\\agent"],
    "ca acl set": ["--sddl", "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)(A;;0x200;;;AU)"],
    **{f"ca {kind}-rights {verb}": args for kind in ("officer", "agent") for verb, args in {
        "show": [], "allow": ["CORP\\agent", "--templates", "User"], "deny": ["CORP\\agent", "--for", "CORP\\bob"],
        "remove": ["CORP\\agent"], "set": ["--sddl", "O:BAG:BAD:"], "clear": []}.items()},
    "ca role-separation": ["off"], "ca get": ["policy\\EditFlags"], "ca set": ["EditFlags", "+EDITF_ATTRIBUTEENDDATE"],
    "ca unset": ["EditFlags"], "ca roles": [],
    "ca set-templates": ["IntunePKCS", "Approved", "User"], "ca audit-filter": ["127"],
    "request set-extension": ["3", "1.2.3.4", "--text", "seen"], "request set-attributes": ["3", "ccm:ws01"],
    "request delete": ["--not-issued-before", "2000-01-01T00:00:00Z"], "crl delete": ["--expired-before", "2000-01-01T00:00:00Z"],
    "ca cert": [], "request list": [], "request show": ["1"], "request explain": ["1"], "request issue": ["3"],
    "lint": ["--fail-on", "never"],
    "enroll": ["--user", "CORP\\janedoe", "--hash", ntlm.compute_nthash("Jane-Passw0rd").hex(), "--retrieve", "1"],
    "bench": ["--user", "CORP\\janedoe", "--hash", ntlm.compute_nthash("Jane-Passw0rd").hex(), "--requests", "2", "--warm-up", "0", "--csrs",
              "1"],
    "rehearse": ["--as", "CORP\\PFXCONN01$", "--template", "IntunePKCS", "--subject", "CN=device"],
    "request deny": ["2"], "request revoke": ["1", "--reason", "certificateHold"], "request unrevoke": ["1"],
    "request publish-expired": ["1"], "request valid": ["61"],
    "ca kra list": [], "ca renew": [], "view": ["--restrict", "Disposition=20"], "crl show": [], "crl get": [], "crl publish": [], "journal": [], "clock show": [], "clock advance": ["1s"],
    "fault add": ["http", "status", "503"], "fault list": [], "fault clear": [], "fault points": [], "server show": [], "server stats": [],
    "server stop": [],
}

# They need recovery agents and archived keys (test_archival.py), or a certificate that is lost (test_edits.py).
ELSEWHERE = {"ca kra add", "ca kra remove", "ca kra use", "request recover-key", "request import-key", "request import", "pki add",
             "pki remove"}


def test_every_verb_is_listed_and_tested():
    listed = run(None, "help").stdout
    found = {m.strip() for m in re.findall(r"^[ *] ((?!adcsctl)[a-z]+(?: [a-z-]+)*?)(?= [A-Z[]|  | on\|off)", listed, re.M)}
    assert found == set(VERBS) | ELSEWHERE


def test_the_manual_page_lists_every_verb_and_option():
    done = subprocess.run([str(harness.ROOT / "tools/gen-man"), "--check"], capture_output=True, text=True, timeout=60, check=False,
                          env={**os.environ, "ADCSD_BUILD": str(harness.BUILD)})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("form", ["text", "json"])
def test_every_verb(fresh, form):
    """In the order of the help, each form on a server of its own, so that both meet the same state."""
    server = fresh()
    conftest.publish_how_to(server)
    server.ctl("template", "duplicate", "IntunePKCS", "--display-name", "Approved", "--manager-approval", "yes")
    server.ctl("ca", "publish", "Approved")
    with icpr.Client(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        for name in ("IntunePKCS", "Approved", "Approved"):
            c.request(pkcs10.csr(), f"CertificateTemplate:{name}")
    for verb, args in VERBS.items():
        done = run(server, *verb.split(), *args, *(["--json"] if form == "json" else []))
        assert done.returncode == 0, f"{verb}: {done.stdout}{done.stderr}"
        assert done.stderr == ""
        if form == "json":
            json.loads(done.stdout)
        elif verb in ("ca publish", "ca unpublish", "template acl grant", "ca acl grant", "server stop"):
            assert done.stdout == "", f"{verb} says nothing when all is well"
    assert server.process.wait(timeout=60) == 0  # server stop, the last of them


def test_without_a_server(fresh):
    server = fresh()
    server.stop()
    for verb, args in VERBS.items():
        done = run(server, *verb.split(), *args)
        assert done.returncode == 1 and "no server answers at" in done.stderr and "0x800706ba" in done.stderr, verb
        error = json.loads(run(server, "--json", *verb.split(), *args).stdout)["error"]
        assert error["name"] == "E_RPC_SERVER_UNAVAILABLE"


# ---- usage ----

USAGE = [
    ([], "what shall be done?"),
    (["--state"], "--state needs DIR"),
    (["--state", "/x", "--directory"], "--directory needs URI"),
    (["--frobnicate", "ca", "show"], "there is no option --frobnicate"),
    (["certificate"], "'certificate' is no noun"),
    (["help", "certificate"], "'certificate' is no noun"),
    (["template"], "template: which verb?"),
    (["template", "destroy", "User"], "template: no verb destroy"),
    (["template", "acl"], "template: no verb acl"),
    (["template", "show"], "template show: NAME is missing"),
    (["template", "acl", "grant", "User"], "template acl grant: PRINCIPAL is missing"),
    (["template", "acl", "grant", "User", "bob"], "template acl grant: RIGHT is missing"),
    (["template", "show", "User", "WebServer"], "template show: 'WebServer' is one argument too many"),
    (["journal", "all"], "journal: 'all' is one argument too many"),
    (["template", "set", "User", "--colour", "red"], "template set has no option --colour"),
    (["template", "set", "User", "--validity"], "--validity needs PERIOD"),
    (["template", "set", "User", "--validity", "soon"], "--validity: 'soon' is no period"),
    (["template", "set", "User", "--validity=1s"], "--validity: '1s': the console's shortest period is one hour"),
    (["template", "set", "User", "--minimum-key-size=big"], "--minimum-key-size: 'big' is not a number"),
    (["template", "duplicate", "User", "--compat-ca", "2025"], "--compat-ca: '2025' is no compatibility level"),
    (["template", "duplicate", "User", "--subject", "me"], "--subject: 'me' is neither request nor directory"),
    (["template", "duplicate", "User", "--name", "a,b"], "has a character that a name may not have"),
    (["template", "duplicate", "User", "--name", "x" * 65], "1 to 64 characters"),
    (["template", "duplicate", "User", "--name="], "1 to 64 characters"),
    (["template", "acl", "grant", "User", "bob", "Execute"], "'Execute' is no right of a template"),
    (["ca", "cert", "--der=yes"], "--der takes no value"),
    (["request", "show", "first"], "ID is a number, not 'first'"),
    (["request", "explain", "-1"], "ID is a number, not '-1'"),
    (["request", "issue", "99999999999"], "ID is a number, not '99999999999'"),
    (["request", "list", "--state", "lost"], "--state is issued, pending, denied, failed or revoked, not 'lost'"),
    (["request", "list", "--limit", "x"], "--limit is a number, not 'x'"),
    (["journal", "--after", ""], "--after is a number, not ''"),
    (["clock", "advance", "tomorrow"], "'tomorrow' is no period"),
    (["clock", "advance"], "clock advance: PERIOD is missing"),
]


@pytest.mark.parametrize("args,said", USAGE, ids=[" ".join(a) or "nothing" for a, _ in USAGE])
def test_usage(server, args, said):
    done = run(server if args[:1] != ["--state"] else None, *args)
    assert done.returncode == 2 and said in done.stderr and done.stdout == ""


def test_options_may_stand_anywhere(server):
    for args in (["--state", server.state, "ca", "show", "--json"], ["ca", "show", f"--state={server.state}", "--json"],
                 ["--json", f"--state={server.state}", "ca", "show"]):
        assert json.loads(run(None, *args).stdout)["name"] == harness.CA_NAME
    assert run(None, "ca", "show", env={"ADCSD_STATE": server.state}).returncode == 0
    done = run(None, "ca", "show")
    assert done.returncode == 1


def test_help(server):
    assert "Exit codes: 0 done" in run(None, "help").stdout
    assert "--minimum-key-size" not in run(None, "help").stdout
    assert "--minimum-key-size" in run(None, "help", "template").stdout
    assert "--chain" in run(server, "ca", "cert", "--help").stdout
    assert run(None, "--version").stdout.startswith("adcsctl ")
    one = run(None, "help", "ca", "kra", "add").stdout
    assert "ca kra add FILE" in one and "ca kra list" not in one
    assert run(None, "template", "--help").stdout == run(None, "help", "template").stdout
    assert run(None, "help", "ca", "kra").returncode == 2
    told = json.loads(run(None, "--json", "help").stdout)
    assert {" ".join(filter(None, (v["noun"], v["verb"]))) for v in told["verbs"]} == set(VERBS) | ELSEWHERE


def test_a_missing_verb_lists_verbs_without_their_options():
    done = run(None, "template")
    assert "template duplicate" in done.stderr and "--minimum-key-size" not in done.stderr


# ---- template duplicate ----

COPIED = ["pKIDefaultKeySpec", "pKIMaxIssuingDepth", "pKIExpirationPeriod", "pKIOverlapPeriod", "pKIKeyUsage", "pKIDefaultCSPs",
          "pKIExtendedKeyUsage", "pKICriticalExtensions", "msPKI-RA-Signature", "msPKI-Enrollment-Flag",
          "msPKI-Certificate-Name-Flag", "msPKI-Minimal-Key-Size", "msPKI-RA-Application-Policies", "msPKI-Certificate-Policy"]

# compatibility.md sections 1 and 2: source, choices, schema version, msPKI-Private-Key-Flag
COMPATIBILITY = [
    ("User", None, None, 2, 0x01010010),
    ("WebServer", None, None, 2, 0x01010000),
    ("Workstation", None, None, 2, 0x01010000),
    ("OCSPResponseSigning", None, None, 3, 0x02020000),
    ("User", "2008", "vista", 2, 0x02020010),
    ("User", "2008R2", "7", 2, 0x03030010),
    ("User", "2008R2", "8.1", 2, 0x05030010),
    ("User", "2016", "xp", 2, 0x01060010),
    ("User", "2003", "10", 2, 0x06010010),
    ("User", "2012", "8", 4, 0x04040110),
    ("User", "2012R2", "8.1", 4, 0x05050110),
    ("WebServer", "2016", "10", 4, 0x06060100),
    ("Workstation", "2016", "10", 4, 0x06060100),
    ("OCSPResponseSigning", "2016", "10", 4, 0x06060000),
    ("OCSPResponseSigning", "2012", "7", 3, 0x03040000),
    ("OCSPResponseSigning", "2008", "vista", 3, 0x02020000),
]


@pytest.mark.parametrize("source,ca,recipient,schema,private_key", COMPATIBILITY)
def test_duplicate(server, source, ca, recipient, schema, private_key):
    display = f"Copy of {source} for {ca} and {recipient}"
    choice = [f"--compat-ca={ca}", f"--compat-recipient={recipient}"] if ca else []
    told = server.json("template", "duplicate", source, "--display-name", display, *choice)
    old, new = template(server, source), template(server, display.replace(" ", ""))
    assert told["name"] == display.replace(" ", "") == text(new, "cn")[0] and told["schemaVersion"] == schema
    assert text(new, "displayName") == [display]
    assert number(new, "msPKI-Template-Schema-Version") == schema
    assert number(new, "msPKI-Private-Key-Flag") & 0xFFFFFFFF == private_key
    assert (number(new, "revision"), number(new, "msPKI-Template-Minor-Revision")) == (100, 2)
    assert number(new, "flags") == number(old, "flags") & ~0x10000 | 0x20000
    if number(old, "msPKI-Certificate-Name-Flag") & 0xF0000001 == 0:  # subject name format None
        old["pkicriticalextensions"].append(b"2.5.29.7")
    for name in COPIED:
        assert new.get(name.lower()) == old.get(name.lower()), name
    assert new.get("mspki-certificate-application-policy") == old.get("pkiextendedkeyusage")
    assert "mspki-supersede-templates" not in new
    check_oid_object(server, new, display)
    check_copied_descriptor(old, new, DOMAIN_SID + "-500")
    # not published
    assert text(new, "cn")[0] not in server.json("ca", "show")["templates"]


def check_oid_object(server, entry, display):
    oid, = text(entry, "msPKI-Cert-Template-OID")
    forest, = text(ldap(server, f"CN=OID,{PKS}")[0], "msPKI-Cert-Template-OID")
    assert re.fullmatch(re.escape(forest) + r"\.\d+\.\d+", oid)
    found, = ldap(server, f"CN=OID,{PKS}", "one", f"(msPKI-Cert-Template-OID={oid})")
    assert number(found, "flags") == 1 and text(found, "displayName") == [display]
    assert re.fullmatch(r"\d+\.[0-9A-F]{32}", text(found, "cn")[0]) and text(found, "cn")[0].split(".")[0] == oid.split(".")[-1]


def check_copied_descriptor(old, new, creator):
    """Source DACL, Full Control for the creator, who owns the copy; group unchanged, DACL protected."""
    assert str(descriptor(new).owner_sid) == creator
    assert str(descriptor(new).group_sid) == str(descriptor(old).group_sid)
    assert descriptor(new).type & security.SEC_DESC_DACL_PROTECTED
    assert aces(new) == aces(old) + [(0, FULL_CONTROL, creator, None)]


def test_duplicate_names_and_creator(server):
    assert server.json("template", "duplicate", "EFS")["displayName"] == "Copy of Basic EFS"
    assert text(template(server, "CopyofBasicEFS"), "displayName") == ["Copy of Basic EFS"]
    server.ctl("template", "duplicate", "efs", "--name", "Mine", "--display-name", "Somebody else's", "--creator", "CORP\\agent")
    entry = template(server, "Mine")
    agent, = ldap(server, "DC=corp,DC=contoso,DC=com", "sub", "(sAMAccountName=agent)", "objectSid")
    sid = str(ndr_unpack(security.dom_sid, agent["objectsid"][0]))
    assert text(entry, "displayName") == ["Somebody else's"]
    check_copied_descriptor(template(server, "EFS"), entry, sid)


def test_duplicate_without_a_subject(server):
    """Subject name format None makes the obsolete SAN OID critical."""
    server.ctl("template", "duplicate", "User", "--name", "NoSubject", "--subject-format", "none", "--include-email", "no")
    assert text(template(server, "NoSubject"), "pKICriticalExtensions") == ["2.5.29.15", "2.5.29.7"]
    assert number(template(server, "NoSubject"), "msPKI-Certificate-Name-Flag") == 0x06000000


@pytest.mark.parametrize("args,said,name", [
    (["Users"], "no template 'Users'", "E_DS_NO_SUCH_OBJECT"),
    (["Basic EFS"], "'Basic EFS' is a display name; the template name is 'EFS'", "E_DS_NO_SUCH_OBJECT"),
    (["(cn=*)"], "no template '(cn=*)'", "E_DS_NO_SUCH_OBJECT"),
    (["User", "--name", "WebServer"], "lready exists", "E_ALREADY_EXISTS"),
    (["User", "--name", "N1", "--creator", "CORP\\nobody"], "--creator: no user, computer or group named", "E_DS_NO_SUCH_OBJECT"),
    (["User", "--name", "N2", "--creator", "OTHER\\bob"], "the forest's domain is CORP", "E_NO_SUCH_DOMAIN"),
    (["OCSPResponseSigning", "--name", "N3", "--compat-ca", "2003"], "Key Storage Provider", "E_INVALIDARG"),
    (["OCSPResponseSigning", "--name", "N4", "--compat-recipient", "xp"], "Key Storage Provider", "E_INVALIDARG"),
])
def test_duplicate_refusals(server, args, said, name):
    done = run(server, "template", "duplicate", *args)
    assert done.returncode == 1 and said in done.stderr and name in done.stderr
    error = json.loads(run(server, "template", "duplicate", *args, "--json").stdout)["error"]
    assert error["name"] == name and said in error["message"]


# The how-to's template as compatibility.md section 7 wants it; the OID is the copy's own.
HOW_TO = """objectClass: top
objectClass: pKICertificateTemplate
cn: IntunePKCS2
displayName: Intune PKCS
flags: 131642
revision: 100
pKIDefaultKeySpec: 1
pKIKeyUsage:: oAA=
pKIMaxIssuingDepth: 0
pKICriticalExtensions: 2.5.29.15
pKIExpirationPeriod:: AEA5hy7h/v8=
pKIOverlapPeriod:: AICmCv/e//8=
pKIExtendedKeyUsage: 1.3.6.1.4.1.311.10.3.4
pKIExtendedKeyUsage: 1.3.6.1.5.5.7.3.4
pKIExtendedKeyUsage: 1.3.6.1.5.5.7.3.2
pKIDefaultCSPs: 1,Microsoft Enhanced Cryptographic Provider v1.0
msPKI-RA-Signature: 0
msPKI-Enrollment-Flag: 9
msPKI-Private-Key-Flag: 50528272
msPKI-Certificate-Name-Flag: 1
msPKI-Minimal-Key-Size: 2048
msPKI-Template-Schema-Version: 2
msPKI-Template-Minor-Revision: 3
msPKI-Certificate-Application-Policy: 1.3.6.1.4.1.311.10.3.4
msPKI-Certificate-Application-Policy: 1.3.6.1.5.5.7.3.4
msPKI-Certificate-Application-Policy: 1.3.6.1.5.5.7.3.2
"""


def test_how_to(server):
    server.ctl("template", "duplicate", "User", "--name", "IntunePKCS2", "--display-name", "Intune PKCS",
               "--compat-ca", "Windows Server 2008 R2", "--compat-recipient", "Windows 7 / Server 2008 R2",
               "--allow-export", "yes", "--minimum-key-size", "2048", "--subject", "request", "--application-policies",
               "encrypting-file-system,secure-email,client-authentication")
    server.ctl("template", "set", "IntunePKCS2", "--providers", "Microsoft Enhanced Cryptographic Provider v1.0")
    entry = template(server, "IntunePKCS2")
    wanted = {}
    for name, colons, value in re.findall(r"^([\w-]+)(::?) (.*)$", HOW_TO, re.M):
        wanted.setdefault(name.lower(), []).append(base64.b64decode(value) if colons == "::" else value.encode())
    assert {name: entry.get(name) for name in wanted} == wanted
    # what AD adds to every object
    assert set(entry) - set(wanted) == {"dn", "mspki-cert-template-oid", "ntsecuritydescriptor", "name", "objectguid",
                                        "objectcategory", "instancetype", "showinadvancedviewonly"}


# ---- template set ----

def test_set_counts_the_revision(server):
    server.ctl("template", "duplicate", "User", "--name", "Edited")
    told = server.json("template", "set", "Edited", "--minimum-key-size", "4096", "--manager-approval=yes", "--validity", "2y")
    assert set(told["changed"]) == {"pKIExpirationPeriod", "msPKI-Enrollment-Flag", "msPKI-Minimal-Key-Size"}
    assert (told["name"], told["majorRevision"], told["minorRevision"]) == ("Edited", 100, 3)
    entry = template(server, "Edited")
    assert (number(entry, "revision"), number(entry, "msPKI-Template-Minor-Revision")) == (100, 3)
    assert number(entry, "msPKI-Minimal-Key-Size") == 4096
    assert number(entry, "msPKI-Enrollment-Flag") == 41 | 2
    assert entry["pkiexpirationperiod"] == [(-2 * 365 * 86400 * 10**7).to_bytes(8, "little", signed=True)]
    # the same once more: nothing to save
    assert "nothing to change" in server.ctl("template", "set", "Edited", "--minimum-key-size", "4096")
    assert server.json("template", "set", "Edited", "--minimum-key-size", "4096")["changed"] == []
    assert number(template(server, "Edited"), "msPKI-Template-Minor-Revision") == 3
    assert "version 100.4" in server.ctl("template", "set", "Edited", "--application-policies=")
    entry = template(server, "Edited")
    assert "pkiextendedkeyusage" not in entry and "mspki-certificate-application-policy" not in entry
    assert number(entry, "msPKI-Template-Schema-Version") == 2  # compatibility never changes it after the first save
    server.ctl("template", "set", "Edited", "--compat-ca", "2016", "--compat-recipient", "10")
    entry = template(server, "Edited")
    assert number(entry, "msPKI-Template-Schema-Version") == 2 and number(entry, "msPKI-Private-Key-Flag") == 0x06060010


def test_set_refuses_schema_1(server):
    done = run(server, "template", "set", "User", "--minimum-key-size", "4096")
    assert done.returncode == 1 and "schema version 1: only its Security tab can be edited; duplicate it first" in done.stderr
    assert number(template(server, "User"), "msPKI-Minimal-Key-Size") == 2048


def test_set_unknown(server):
    done = run(server, "template", "set", "Nonsense", "--minimum-key-size", "4096")
    assert done.returncode == 1 and "no template 'Nonsense'" in done.stderr


def test_show(server):
    shown = server.json("template", "show", "IntunePKCS")
    assert shown["General"]["Template display name"] == "Intune PKCS" and shown["General"]["Version"] == "100.2"
    assert shown["Compatibility"] == {"Certification Authority": "Windows Server 2008 R2",
                                      "Certificate recipient": "Windows 7 / Server 2008 R2"}
    assert shown["Request Handling"]["msPKI-Private-Key-Flag"] == "0x3030010 (50528272)"
    assert shown["Request Handling"]["EXPORTABLE_KEY"].startswith("0x10")
    assert shown["Subject Name"]["ENROLLEE_SUPPLIES_SUBJECT"].startswith("0x1  Supply in the request")
    printed = server.ctl("template", "show", "IntunePKCS")
    for value in (v for tab in shown.values() for v in tab.values()):
        assert value in printed
    assert "Security\n" in printed and "CORP\\PFXCONN01$" in printed


def test_list_is_what_the_directory_has(server):
    listed = server.json("template", "list")
    entries = ldap(server, f"CN=Certificate Templates,{PKS}", "one")
    assert {(t["name"], t["schemaVersion"]) for t in listed} == {
        (text(e, "cn")[0], number(e, "msPKI-Template-Schema-Version")) for e in entries}
    assert [t["name"].lower() for t in listed] == sorted(t["name"].lower() for t in listed)


# ---- access lists ----

def sid_of(server, account):
    entry, = ldap(server, "DC=corp,DC=contoso,DC=com", "sub", f"(sAMAccountName={account})", "objectSid")
    return str(ndr_unpack(security.dom_sid, entry["objectsid"][0]))


def test_template_acl(server):
    server.ctl("template", "duplicate", "User", "--name", "Guarded")
    before = aces(template(server, "Guarded"))
    bob, pfx = sid_of(server, "bob"), sid_of(server, "PFXCONN01$")
    server.ctl("template", "acl", "grant", "Guarded", "CORP\\PFXCONN01$", "Read", "Enroll", "autoenroll")
    granted = [(0, 0x20094, pfx, None), (5, 0x100, pfx, ENROLL), (5, 0x100, pfx, "a05b8cc2-17bc-4802-a710-e7c15ab866a2")]
    assert aces(template(server, "Guarded")) == before + granted
    server.ctl("template", "acl", "grant", "Guarded", "pfxconn01$", "Enroll")  # there already
    assert aces(template(server, "Guarded")) == before + granted
    # deny entries come before all that allow, in the order they were made
    server.ctl("template", "acl", "deny", "Guarded", "bob", "Enroll")
    server.ctl("template", "acl", "deny", "Guarded", "Everyone", "Write", "FullControl")
    denied = [(6, 0x100, bob, ENROLL), (1, 0xC0020, "S-1-1-0", None), (1, FULL_CONTROL, "S-1-1-0", None)]
    assert aces(template(server, "Guarded")) == denied + before + granted
    server.ctl("template", "acl", "remove", "Guarded", bob)
    server.ctl("template", "acl", "remove", "Guarded", "Everyone")
    assert aces(template(server, "Guarded")) == before + granted
    done = run(server, "template", "acl", "remove", "Guarded", "bob")
    assert done.returncode == 1 and "entry of bob" in done.stderr
    server.ctl("template", "acl", "remove", "Guarded", "CORP\\PFXCONN01$")
    assert aces(template(server, "Guarded")) == before


def test_template_acl_as_sddl(server):
    """Our SDDL, read by Samba, is the descriptor in the directory."""
    shown = server.json("template", "acl", "show", "IntunePKCS")
    stored = descriptor(template(server, "IntunePKCS"))
    again = security.descriptor.from_sddl(shown["sddl"], security.dom_sid(DOMAIN_SID))
    assert again.as_sddl(security.dom_sid(DOMAIN_SID)) == stored.as_sddl(security.dom_sid(DOMAIN_SID))
    assert {"type": "Allow", "principal": "CORP\\PFXCONN01$", "rights": "Enroll", "inherited": False} in shown["aces"]
    # step 9 of the how-to
    pfx = sid_of(server, "PFXCONN01$")
    assert f"(A;;LCRPLORC;;;{pfx})" in shown["sddl"] and f"(OA;;CR;{ENROLL};;{pfx})" in shown["sddl"]


@pytest.mark.parametrize("name,sid", [
    ("CORP\\janedoe", "janedoe"), ("corp\\JANEDOE", "janedoe"), ("janedoe", "janedoe"), ("janedoe@contoso.com", "janedoe"),
    ("WS01$", "WS01$"), ("Domain Users", DOMAIN_SID + "-513"), ("DU", DOMAIN_SID + "-513"),
    ("Authenticated Users", "S-1-5-11"), ("NT AUTHORITY\\SYSTEM", "S-1-5-18"), ("BUILTIN\\Administrators", "S-1-5-32-544"),
    ("S-1-5-21-9-8-7-1234", "S-1-5-21-9-8-7-1234"),
])
def test_ways_to_name_a_principal(server, name, sid):
    server.ctl("template", "acl", "grant", "Approved", name, "FullControl")
    sid = sid if sid.startswith("S-1-") else sid_of(server, sid)
    assert (0, FULL_CONTROL, sid, None) in aces(template(server, "Approved"))


@pytest.mark.parametrize("name,said", [
    ("WS01", "computer accounts end in $"), ("OTHER\\bob", "the forest's domain is CORP"), ("*", "no user, computer or group"),
    ("S-1-x", "S-1-x"), ("S-1-5-21-99999999999", "S-1-5-21-99999999999"), ("", "no user"), ("ZZ", "no user"),
])
def test_principals_that_are_none(server, name, said):
    before = aces(template(server, "Approved"))
    for verb in (["template", "acl", "grant", "Approved", name, "Read"], ["ca", "acl", "grant", name, "Read"]):
        done = run(server, *verb)
        assert done.returncode == 1 and said in done.stderr, done.stderr
    assert aces(template(server, "Approved")) == before


def test_ca_acl(fresh):
    server = fresh()
    domain = security.dom_sid(DOMAIN_SID)
    bob = sid_of(server, "bob")

    def entries():
        shown = server.json("ca", "acl", "show")
        sd = security.descriptor.from_sddl(shown["sddl"], domain)
        masks = [(a.type, a.access_mask, str(a.trustee)) for a in sd.dacl.aces]
        assert [(0 if a["type"] == "allow" else 1, int(a["mask"], 16), a["principal"]) for a in shown["aces"]] == masks
        return masks

    before = entries()
    told = server.json("ca", "acl", "grant", "CORP\\bob", "IssueAndManageCertificates", "requestcertificates")
    assert told["aces"] and (0, 0x202, bob) in entries()
    server.ctl("ca", "acl", "deny", "bob", "ManageCA")
    assert [e for e in entries() if e[2] == bob] == [(1, 0x1, bob), (0, 0x202, bob)]
    assert "Deny   CORP\\bob" in server.ctl("ca", "acl", "show")
    server.ctl("ca", "acl", "remove", "bob")
    assert entries() == before
    done = run(server, "ca", "acl", "grant", "bob", "Autoenroll")
    assert done.returncode == 1 and "Autoenroll" in done.stderr
    server.ctl("ca", "acl", "grant", "bob", "Read")
    server.stop()
    server.start()
    assert (0, 0x100, bob) in entries(), "a change outlives the server"


# ---- ca ----

def published(server):
    entry, = ldap(server, f"CN=Enrollment Services,{PKS}", "one", "(objectClass=pKIEnrollmentService)")
    return text(entry, "certificateTemplates")


def test_publish(server):
    before = published(server)
    assert server.json("ca", "publish", "clientauth", "CodeSigning")["templates"] == ["CodeSigning", "ClientAuth", *before]
    assert published(server) == ["CodeSigning", "ClientAuth", *before]
    server.ctl("ca", "publish", "CodeSigning")  # there already
    assert published(server) == ["CodeSigning", "ClientAuth", *before] == server.json("ca", "show")["templates"]
    server.ctl("ca", "unpublish", "codesigning", "ClientAuth")
    assert published(server) == before


@pytest.mark.parametrize("verb,name", [("publish", "Nonsense"), ("publish", "Basic EFS"), ("unpublish", "Nonsense"),
                                       ("unpublish", "CodeSigning")])
def test_publish_unknown(server, verb, name):
    before = published(server)
    done = run(server, "ca", verb, name)
    assert done.returncode == 1 and "0x80094813" in done.stderr and name in done.stderr
    error = json.loads(run(server, "--json", "ca", verb, name).stdout)["error"]
    assert error["name"] == "CERTSRV_E_UNKNOWN_CERT_TYPE" and error["hr"].startswith("0x80094813")
    assert published(server) == before


def openssl(*args, stdin=None):
    return subprocess.run(["openssl", *args], input=stdin, capture_output=True, timeout=60, check=True).stdout


def test_ca_certificate(server, tmp_path):
    pem = server.ctl("ca", "cert").encode()
    der = server.ctl("ca", "cert", "--der", text=False)
    assert openssl("x509", "-outform", "DER", stdin=pem) == der
    assert openssl("x509", "-inform", "DER", stdin=der) == pem
    assert openssl("x509", "-inform", "DER", "-noout", "-fingerprint", "-sha1", stdin=der).decode().split("=")[1].replace(
        ":", "").strip().lower() == server.json("ca", "show")["sha1"]
    service, = ldap(server, f"CN=Enrollment Services,{PKS}", "one")
    assert service["cacertificate"] == [der]
    assert server.ctl("ca", "cert", "--chain").encode() == pem  # a root's chain is itself
    server.ctl("ca", "cert", "--out", str(tmp_path / "ca.cer"), "--der")
    assert (tmp_path / "ca.cer").read_bytes() == der
    told = server.json("ca", "cert")
    assert base64.b64decode(told["der"]) == der and told["pem"].encode() == pem and told["chain"] == [pem.decode()]
    done = run(server, "ca", "cert", "--out", "/nonexistent/ca.pem")
    assert done.returncode == 1 and "/nonexistent/ca.pem: No such file or directory" in done.stderr


def test_chain_of_a_subordinate(fresh, tmp_path):
    tmp_path.chmod(0o755)
    for folder in list(tmp_path.parents)[:2]:  # the account the server becomes must reach the files
        if os.geteuid() == 0:
            folder.chmod(0o755)
    make_subordinate(tmp_path)
    config = tmp_path / "ca.ini"
    config.write_text(f"[CA]\nCommonName = Contoso Issuing CA\nKeyFile = {tmp_path}/sub.key\nCertFile = {tmp_path}/chain.pem\n")
    server = fresh("--config", str(config))
    chain = server.ctl("ca", "cert", "--chain")
    certificates = re.findall(r"-----BEGIN.*?-----END CERTIFICATE-----\n", chain, re.S)
    assert [openssl("x509", "-outform", "DER", stdin=c.encode()) for c in certificates] == [
        openssl("x509", "-outform", "DER", "-in", str(tmp_path / name)) for name in ("sub.pem", "root.pem")]
    assert server.ctl("ca", "cert") == certificates[0]


# ---- requests ----

def test_request_list(server):
    rows = server.json("request", "list")["requests"]
    assert [r["id"] for r in rows] == list(range(1, len(rows) + 1))
    assert [r["state"] for r in rows[:3]] == ["issued", "denied", "pending"]
    for state in ("issued", "denied", "pending", "failed", "revoked"):
        assert [r["id"] for r in server.json("request", "list", "--state", state)["requests"]] == [
            r["id"] for r in rows if r["state"] == state]
    page = server.json("request", "list", "--limit", "2")
    assert [r["id"] for r in page["requests"]] == [1, 2] and page["next"] == 2
    assert server.json("request", "list", "--after", "2", "--limit", "1")["requests"][0]["id"] == 3
    printed = server.ctl("request", "list", "--limit", "2")
    assert "more: --after 2" in printed and "CORP\\PFXCONN01$" in printed and "IntunePKCS" in printed
    done = run(server, "request", "list", "--limit", "0")
    assert done.returncode == 1 and "limit" in done.stderr


def test_request_show(server, tmp_path):
    with icpr.Client(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        answer = c.request(pkcs10.csr(), TEMPLATE + "\nrmd:pc1.contoso.com")
    number_ = str(answer.request_id)
    target = tmp_path / "issued.pem"
    server.ctl("request", "show", number_, "--cert", str(target))
    assert openssl("x509", "-outform", "DER", "-in", str(target)) == answer.certificate
    assert server.ctl("request", "show", number_, "--cert", "-") == target.read_text()
    shown = server.json("request", "show", number_)
    certificate = x509.load_der_x509_certificate(answer.certificate)
    assert int(shown["serial"], 16) == certificate.serial_number and shown["pem"] == target.read_text()
    assert shown["attributes"] == {"CertificateTemplate": "IntunePKCS", "rmd": "pc1.contoso.com"}
    assert base64.b64decode(shown["columns"]["Request.RawRequest"]) == pkcs10.csr()
    assert {e["oid"] for e in shown["extensions"]} >= {e.oid.dotted_string for e in certificate.extensions}
    assert "Request attribute      rmd = pc1.contoso.com" in server.ctl("request", "show", number_)


@pytest.mark.parametrize("args,said,name", [
    (["show", "4711"], "4711", "CERTSRV_E_PROPERTY_EMPTY"),
    (["explain", "4711"], "4711", "CERTSRV_E_PROPERTY_EMPTY"),
    (["show", "0"], "'id'", "E_INVALIDARG"),
    (["show", "2", "--cert", "-"], "request 2 has no certificate", "CERTSRV_E_PROPERTY_EMPTY"),
    (["show", "1", "--cert", "/nonexistent/x"], "No such file", "E_FAIL"),
    (["deny", "1"], "", ""),
    (["deny", "4711"], "", ""),
    (["issue", "4711"], "", ""),
    (["issue", "1"], "", ""),
])
def test_request_refusals(server, args, said, name):
    done = run(server, "request", *args)
    assert done.returncode == 1 and said in done.stderr and name in done.stderr and done.stdout == "", done


def test_exit_codes_of_a_verdict(fresh):
    """0 issued, 3 pending, 4 denied."""
    server = fresh()
    conftest.publish_how_to(server)
    server.ctl("template", "duplicate", "IntunePKCS", "--display-name", "Approved", "--manager-approval", "yes")
    server.ctl("ca", "publish", "Approved")
    with icpr.Client(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        issued, denied = c.request(pkcs10.csr(), TEMPLATE), c.request(pkcs10.csr(), "CertificateTemplate:WebServer")
        one, two = (c.request(pkcs10.csr(), "CertificateTemplate:Approved") for _ in range(2))
        server.ctl("request", "explain", str(issued.request_id), code=0)
        assert "enroll right" in server.ctl("request", "explain", str(denied.request_id), code=4)
        assert "pends" in server.ctl("request", "explain", str(one.request_id), code=3)
        assert server.json("request", "explain", str(one.request_id), code=3)["state"] == "pending"
        assert f"request {one.request_id}: " in server.ctl("request", "issue", str(one.request_id), code=0)
        server.ctl("request", "explain", str(one.request_id), code=0)
        assert server.json("request", "deny", str(two.request_id), code=0)["disposition"] == 2
        server.ctl("request", "explain", str(two.request_id), code=4)
        assert [c.retrieve(r.request_id).disposition for r in (one, two)] == [icpr.CR_DISP_ISSUED, icpr.CR_DISP_DENIED]


# ---- journal, clock, server ----

def test_journal_explains_every_request(fresh):
    server = fresh()
    conftest.publish_how_to(server)
    with icpr.Client(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        for request, attributes in ((pkcs10.csr(), TEMPLATE), (pkcs10.csr(), "CertificateTemplate:WebServer"),
                                    (pkcs10.csr(), "CertificateTemplate:Nonsense"), (pkcs10.csr(), ""),
                                    (pkcs10.csr(key=pkcs10.rsa_key(1024)), TEMPLATE)):
            c.request(request, attributes)
    records = {r["requestId"]: r for r in server.json("journal")["records"] if r["operation"] == "request"}
    assert sorted(records) == [1, 2, 3, 4, 5]
    for request_id, record in records.items():
        explained = server.json("request", "explain", str(request_id), code=0 if request_id == 1 else 4)
        assert record.get("rules") == (None if request_id == 1 else explained["rules"])  # the database tells of certificates
        assert record["caller"] == "CORP\\PFXCONN01$"
        refused = [r for r in explained["rules"] if r["said"] == "refuse"]
        assert len(refused) == (request_id != 1)
        assert all(r["section"] and r["text"] for r in explained["rules"])
        assert record["verdict"] == ("issued" if request_id == 1 else "denied")


def test_journal_paging(server):
    last = server.json("journal", "--limit", "1")
    assert [r["id"] for r in last["records"]] == [last["last"]]
    page = server.json("journal", "--after", "2", "--limit", "3")
    assert [r["id"] for r in page["records"]] == [3, 4, 5]
    assert len(server.ctl("journal", "--after", "2", "--limit", "3").splitlines()) == 3
    assert server.json("journal", "--after", str(last["last"] + 1000))["records"] == []
    done = run(server, "journal", "--limit", "1001")
    assert done.returncode == 1 and "limit" in done.stderr


def test_clock_moves_what_is_issued(fresh):
    server = fresh()
    server.ctl("clock", "advance", "300d")

    def clock():
        told = server.json("clock", "show")
        return [datetime.datetime.fromisoformat(told[k][:19]) for k in ("virtual", "real")]

    virtual, real = clock()
    assert abs(virtual - real - datetime.timedelta(days=300)) <= datetime.timedelta(seconds=1)
    skew, moved = datetime.timedelta(minutes=10), datetime.timedelta(days=300)  # ClockSkewMinutes: the certificate is backdated
    with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        answer = c.request(pkcs10.csr(), "CertificateTemplate:User")
        certificate = x509.load_der_x509_certificate(answer.certificate)
        late = clock()[0]
        assert virtual <= certificate.not_valid_before + skew <= late
        assert "virtual" in server.ctl("clock", "advance", "-300d")
        again = x509.load_der_x509_certificate(c.request(pkcs10.csr(), "CertificateTemplate:User").certificate)
    assert late - moved <= again.not_valid_before + skew <= clock()[0]


def test_server_show_is_the_ready_line(server):
    shown = server.json("server", "show")
    for name in ("pid", "ca", "config", "address", "ports", "state", "directory", "seeded"):
        assert shown[name] == server.ready[name]
    assert str(server.object_port) in server.ctl("server", "show")
    assert shown["ms"] == server.ready["ms"], "what the start took, not how long it runs"
    assert server.ctl("server", "show", "ports.object") == f"{server.object_port}\n"
    assert server.ctl("server", "show", "directory") == server.ldapi + "\n"
    assert "no kerberos.realm" in run(server, "server", "show", "kerberos.realm").stderr


def test_server_stop(fresh):
    server = fresh()
    server.ctl("server", "stop")
    assert server.process.wait(timeout=60) == 0
    assert not pathlib.Path(server.state, "control").exists()
    assert run(server, "server", "show").returncode == 1
