"""A rehearsal says what the real request gets, and leaves nothing behind."""
import base64
import csv
import datetime
import io
import json
import re
import subprocess

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

import harness
import icpr
import pkcs10
from conftest import publish_how_to
from test_enroll import REFUSALS, TEMPLATE, template_name

CASES = {
    **REFUSALS,
    "issued to the connector": (lambda: pkcs10.csr(), TEMPLATE, 3),
    "issued with alternative names": (
        lambda: pkcs10.csr(san=[x509.DNSName("a.contoso.com"), pkcs10.upn_name("jane@contoso.com")]), TEMPLATE, 3),
    "elliptic curve": (lambda: pkcs10.csr(key=pkcs10.ec_key()), TEMPLATE, None),
    "PEM": (lambda: pkcs10.pem(pkcs10.csr()), TEMPLATE, 3),
    "template by extension": (lambda: pkcs10.csr(extensions=[(template_name("IntunePKCS"), False)]), "", 3),
    "pending": (lambda: pkcs10.csr(), "CertificateTemplate:RehearsePending", 5),
    "SAN attribute that is not enabled": (lambda: pkcs10.csr(), TEMPLATE + "\nSAN:dns=x.contoso.com", 3),
    "key usage in the request": (lambda: pkcs10.csr(extensions=[(key_usage(), True)]), TEMPLATE, None),
}
ACCOUNTS = ["PFXCONN01$", "bob", "janedoe"]


def key_usage():
    return x509.KeyUsage(True, False, False, False, False, False, False, False, False)


@pytest.fixture(scope="module")
def server():
    server = harness.Server().start()
    try:
        publish_how_to(server)
        server.ctl("template", "duplicate", "IntunePKCS", "--display-name", "Rehearse Pending", "--manager-approval", "yes")
        for account in ACCOUNTS:
            server.ctl("template", "acl", "grant", "RehearsePending", f"CORP\\{account}", "Read", "Enroll")
        server.ctl("ca", "publish", "RehearsePending")
        yield server
    finally:
        server.remove()


def rehearse(server, *args, stdin=None):
    done = subprocess.run([str(harness.BUILD / "adcsctl"), "--state", server.state, "--json", "rehearse", *args],
                          input=stdin, capture_output=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout)


def said(rules):
    return [(r["step"], r["rule"], r["said"], r.get("attribute")) for r in rules]


def newest(server):
    """The highest id given out, and the number of rows."""
    after, count = 0, 0
    while rows := server.json("request", "list", "--limit", "1000", "--after", str(after))["requests"]:
        after, count = rows[-1]["id"], count + len(rows)
    return after, count


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("case", sorted(CASES))
def test_same_verdict_as_the_real_request(server, case, account):
    make, attributes, expected = CASES[case]
    request = make()
    before = newest(server)
    args = ["--as", f"CORP\\{account}", "--csr", "-"]
    if attributes:
        args += ["--attrib", attributes.replace("\n", "\\n")]
    code, answer = rehearse(server, *args, stdin=request)
    assert newest(server) == before

    with icpr.Client(server, account, harness.PASSWORDS[account]) as c:
        real = c.request(request, attributes)
    assert real.request_id == before[0] + 1, "the rehearsal used an id"
    assert int(answer["disposition"], 16) == real.disposition
    assert answer["message"] == real.message
    assert code == {3: 0, 5: 3}.get(real.disposition, 4)
    if expected is not None and account == "PFXCONN01$":
        assert real.disposition == expected
    row = server.json("request", "explain", str(real.request_id), code=code)
    assert answer["verdict"] == row["state"]
    assert answer["hr"] == row["status"]
    assert said(answer["rules"]) == said(row["rules"])
    if real.disposition == 3:
        check_certificate(answer["certificate"], x509.load_der_x509_certificate(real.certificate))


def name_text(name):
    return name.rfc4514_string({x509.NameOID.EMAIL_ADDRESS: "E"})


def check_certificate(planned, issued):
    assert [x["oid"] for x in planned["extensions"]] == [x.oid.dotted_string for x in issued.extensions]
    assert [x["critical"] for x in planned["extensions"]] == [x.critical for x in issued.extensions]
    assert planned["subject"].replace(", ", ",") == name_text(issued.subject)
    ends = datetime.datetime.fromisoformat(planned["notAfter"][:19])
    assert datetime.timedelta(0) <= issued.not_valid_after - ends < datetime.timedelta(minutes=5)  # it came that much later
    for wanted in planned["extensions"]:
        real = next(x for x in issued.extensions if x.oid.dotted_string == wanted["oid"])
        if hasattr(real.value, "public_bytes"):
            assert base64.b64decode(wanted["value"]) == real.value.public_bytes()


MADE_UP = {
    "subject and names": (["--subject", "CN=device, O=Contoso", "--san", "dns:a.contoso.com,upn:jane@contoso.com"],
                          lambda: pkcs10.csr(name=pkcs10.subject(o="Contoso", cn="device"), san=[
                              x509.DNSName("a.contoso.com"), pkcs10.upn_name("jane@contoso.com")])),
    "short key": (["--subject", "CN=device", "--key", "rsa:1024"],
                  lambda: pkcs10.csr(key=pkcs10.rsa_key(1024), name=pkcs10.subject(cn="device"))),
    "P-256": (["--subject", "CN=device", "--key", "ec:P-256"],
              lambda: pkcs10.csr(key=pkcs10.ec_key(), name=pkcs10.subject(cn="device"))),
    "no subject": ([], lambda: pkcs10.csr(name=x509.Name([]))),
}


@pytest.mark.parametrize("case", sorted(MADE_UP))
@pytest.mark.parametrize("template", ["IntunePKCS", "User", "WebServer", "RehearsePending"])
def test_made_up_request(server, case, template):
    options, make = MADE_UP[case]
    code, answer = rehearse(server, "--template", template, "--as", "janedoe", *options)
    with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        real = c.request(make(), f"CertificateTemplate:{template}")
    assert (int(answer["disposition"], 16), answer["message"]) == (real.disposition, real.message)
    row = server.json("request", "explain", str(real.request_id), code=code)
    assert said(answer["rules"]) == said(row["rules"])
    if real.disposition == 3:
        issued = x509.load_der_x509_certificate(real.certificate)
        planned = answer["certificate"]
        assert [x["oid"] for x in planned["extensions"]] == [x.oid.dotted_string for x in issued.extensions]
        assert planned["subject"].replace(", ", ",") == name_text(issued.subject)


def test_san_url_with_commas(server):
    tag = "tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1104"
    code, answer = rehearse(server, "--template", "IntunePKCS", "--as", "PFXCONN01$", "--subject", "CN=x", "--san",
                            f"url:{tag}, dns:b.contoso.com")
    assert code == 0
    san = next(x for x in answer["certificate"]["extensions"]
               if x["oid"] == ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string)
    assert tag.encode() in base64.b64decode(san["value"])


@pytest.mark.parametrize("options,code", [
    (["--key", "rsa:x"], 1), (["--san", "nonsense"], 1), (["--san", "what:x"], 1), (["--subject", "no equals"], 1),
    (["--csr", "/nonexistent"], 1), (["--csr", "-", "--key", "rsa:2048"], 2),
])
def test_bad_options(server, options, code):
    server.ctl("rehearse", "--template", "User", "--as", "bob", *options, code=code)


def test_unknown_account(server):
    server.ctl("rehearse", "--template", "User", "--as", "nobody-here", code=1)
    server.ctl("rehearse", "--template", "User", code=2)


def test_gate_of_the_ca(server):
    server.ctl("ca", "acl", "deny", "CORP\\bob", "RequestCertificates")
    try:
        code, answer = rehearse(server, "--template", "IntunePKCS", "--as", "bob", "--subject", "CN=x")
        assert code == 4 and answer["verdict"] == "refused" and answer["hr"] == "0x80094011"
        assert "Enroll right on the CA" in answer["reason"]
        server.ctl("access", "--ca", "--as", "bob", code=4)
    finally:
        server.ctl("ca", "acl", "remove", "CORP\\bob")
    server.ctl("access", "--ca", "--as", "bob", code=0)


# ---- tokens and access ----

def test_principal_shows_how_each_sid_came(server):
    token = server.json("principal", "show", "bob")
    by_name = {s["name"]: s for s in token["sids"]}
    assert token["account"] == "CORP\\bob"
    assert by_name["CORP\\bob"]["via"] == "user"
    assert by_name["CORP\\Domain Users"]["via"] == "primary"
    assert by_name["CORP\\Device Engineers"]["via"] == "group"
    assert by_name["CORP\\Certificate Consumers"]["path"] == "Device Engineers > Workplace Services"
    assert by_name["NT AUTHORITY\\Authenticated Users"]["via"] == "wellKnown"
    assert by_name["BUILTIN\\Users"]["via"] == "local"
    for name in ("bob@corp.contoso.com", "CORP\\bob", next(s["sid"] for s in token["sids"] if s["via"] == "user")):
        assert server.json("principal", "show", name)["sids"] == token["sids"]


@pytest.mark.parametrize("account,code", [("PFXCONN01$", 0), ("bob", 0), ("WS01$", 4)])
def test_access_agrees_with_a_request(server, account, code):
    server.ctl("access", "IntunePKCS", "--as", account, code=code)
    with icpr.Client(server, account, harness.PASSWORDS[account]) as c:
        assert (c.request(pkcs10.csr(), TEMPLATE).disposition == 3) == (code == 0)


def test_access_names_the_entry(server):
    rows = {r["principal"]: {x["right"]: x for x in r["rights"]} for r in server.json("access", "IntunePKCS")["principals"]}
    connector = rows["CORP\\PFXCONN01$"]
    assert connector["Enroll"]["granted"] and "0e10c968-78fb-11d2-90d4-00c04f79dc55" in connector["Enroll"]["ace"]
    assert "Authenticated Users" in connector["Read"]["why"]
    assert rows["CORP\\Domain Admins"]["Full Control"]["granted"]


def test_denial_is_shown(server):
    server.ctl("template", "acl", "deny", "RehearsePending", "CORP\\bob", "Enroll")
    try:
        answer = server.json("access", "RehearsePending", "--as", "bob", code=4)
        enroll = next(r for r in answer["rights"] if r["right"] == "Enroll")
        assert not enroll["granted"] and enroll["ace"].startswith("(OD;")
    finally:
        server.ctl("template", "acl", "remove", "RehearsePending", "CORP\\bob")
        server.ctl("template", "acl", "grant", "RehearsePending", "CORP\\bob", "Read", "Enroll")


# ---- tables ----

def cells(table):
    return {(row["principal"], t): cell for row in table["rows"] for t, cell in zip(table["templates"], row["cells"])}


def test_every_cell_is_a_rehearsal(server):
    """The table builds its tokens from one reading of the directory; each cell agrees with a rehearsal of its own."""
    table = server.json("rehearse", "--matrix", "--subject", "CN=x")
    assert "CORP\\leaver" in [r["principal"] for r in table["rows"] if r["disabled"]]
    assert len(table["rows"]) == len(harness.PASSWORDS)
    for (principal, template), cell in cells(table).items():
        code, answer = rehearse(server, "--as", principal, "--template", template, "--subject", "CN=x")
        assert cell == (answer["verdict"] if code in (0, 3) else answer["hr"]), (principal, template)
    assert {"issued", "pending", "0x80094012"} <= set(cells(table).values())


def test_table_restricted_and_as_csv(server):
    out = server.ctl("rehearse", "--matrix", "--csv", "--principals", "bob,CORP\\WS01$", "--templates", "IntunePKCS,CodeSigning")
    assert list(csv.reader(io.StringIO(out))) == [["principal", "IntunePKCS", "CodeSigning"],
                                                  ["CORP\\bob", "issued", "0x80094800"],
                                                  ["CORP\\WS01$", "0x80094012", "0x80094800"]]
    everything = server.json("rehearse", "--matrix", "--all-templates")
    assert len(everything["templates"]) > len(server.json("rehearse", "--matrix")["templates"])
    server.ctl("rehearse", "--matrix", "--principals", "nobody-here", code=1)
    server.ctl("rehearse", "--matrix", "--templates", "Nonsense", code=1)
    server.ctl("rehearse", "--matrix", "--as", "bob", code=2)
    server.ctl("rehearse", "--before", "/nonexistent", code=2)
    assert "CERTSRV_E_TEMPLATE_DENIED" in server.ctl("rehearse", "--matrix")


def export(server, path, change_type=False):
    """What ldapsearch, or ldifde when change_type is set, gives an administrator."""
    text = "".join(subprocess.run(
        ["ldapsearch", "-LLL", "-Q", "-Y", "EXTERNAL", "-H", server.ldapi, "-b", base], capture_output=True, text=True,
        timeout=60, check=True).stdout for base in ("CN=Configuration,DC=corp,DC=contoso,DC=com", "DC=corp,DC=contoso,DC=com"))
    if change_type:
        text = re.sub(r"^(dn:.*(?:\n .*)*)$", r"\1\nchangetype: add", text, flags=re.M)
    path.write_text(text)
    return str(path)


@pytest.mark.parametrize("change_type", [False, True])
def test_against_an_export(server, tmp_path, change_type):
    """No server is asked: the state folder is not even named."""
    path = export(server, tmp_path / "forest.ldif", change_type)
    done = subprocess.run([str(harness.BUILD / "adcsctl"), "--json", "rehearse", "--against", path], capture_output=True,
                          text=True, timeout=60, check=True, env={})
    assert cells(json.loads(done.stdout)) == cells(server.json("rehearse", "--matrix"))


@pytest.mark.parametrize("account", ["PFXCONN01$", "bob", "CORP\\Administrator"])
@pytest.mark.parametrize("template", ["IntunePKCS", "User", "WebServer", "RehearsePending", "CodeSigning"])
def test_one_request_against_an_export(server, tmp_path, account, template):
    """The same reasons as the server's; what the CA's own configuration gives (CDP, AIA) differs."""
    path = export(server, tmp_path / "forest.ldif")
    options = ["--as", account, "--template", template, "--subject", "CN=x", "--san", "dns:a.contoso.com"]
    code, live = rehearse(server, *options)
    exported = json.loads(server.ctl("--json", "rehearse", "--against", path, *options, code=code))
    assert (exported["verdict"], exported["hr"]) == (live["verdict"], live["hr"])
    ours = {"CRL distribution points", "authority information"}
    assert [r for r in said(exported["rules"]) if r[1] not in ours] == [r for r in said(live["rules"]) if r[1] not in ours]
    if live["certificate"]:
        assert exported["certificate"]["subject"] == live["certificate"]["subject"]
        assert exported["certificate"]["alternativeNames"] == live["certificate"]["alternativeNames"]


@pytest.mark.parametrize("change,template,account,hr", [
    ({"policy\\RequestDisposition": 2}, "User", "janedoe", "0x80094014"),
    ({"CA\\Security": "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x200;;;DC)"}, "User", "janedoe", "0x80094011"),
    ({"CA\\Security": "O:BAG:BAD:(A;;0x200;;;DU)"}, "User", "janedoe", "0x00000000"),
    ({"CA\\ValidityPeriod": "Days", "CA\\ValidityPeriodUnits": 3}, "User", "janedoe", "0x80094814"),  # shorter than the overlap
    ({"CA\\ValidityPeriod": "Days", "CA\\ValidityPeriodUnits": 50}, "User", "janedoe", "0x00000000"),
    ({"policy\\DisableExtensionList": ["1.3.6.1.4.1.311.25.2"]}, "User", "janedoe", "0x00000000"),
])
def test_settings_of_the_other_ca(server, tmp_path, change, template, account, hr):
    """What a production CA's registry says decides as it would on a server with those settings."""
    path, settings = export(server, tmp_path / "forest.ldif"), tmp_path / "ca.json"
    shown = server.json("ca", "show")
    shown["settings"].update(change)
    settings.write_text(json.dumps(shown))
    common = ("rehearse", "--against", path, "--as", account, "--template", template, "--subject", "CN=x")
    before = server.json(*common)
    after = server.json(*common, "--settings", str(settings), code=0 if hr == "0x00000000" else 4)
    assert before["verdict"] == "issued"
    if hr == "0x00000000":
        assert (after["verdict"], after["hr"]) == ("issued", hr)
    else:
        assert after["verdict"] in ("refused", "denied") and after["hr"] == hr, after
    if "CA\\ValidityPeriod" in change and after["certificate"]:
        span = [datetime.datetime.fromisoformat(after["certificate"][n][:19]) for n in ("notBefore", "notAfter")]
        assert span[1] - span[0] <= datetime.timedelta(days=50, minutes=10)
    if "policy\\DisableExtensionList" in change:
        oids = [[x["oid"] for x in answer["certificate"]["extensions"]] for answer in (before, after)]
        assert "1.3.6.1.4.1.311.25.2" in oids[0] and "1.3.6.1.4.1.311.25.2" not in oids[1]
    matrix = json.loads(server.ctl("--json", "rehearse", "--against", path, "--settings", str(settings), "--templates", template,
                                   "--principals", account))
    assert list(cells(matrix).values())[0] != "issued" or after["verdict"] == "issued"


def test_settings_that_are_none(server, tmp_path):
    path, settings = export(server, tmp_path / "forest.ldif"), tmp_path / "ca.json"
    for text, told in (("[]", "not a JSON object"), ('{"settings": {"policy\\\\EditFlags": "many"}}', "EditFlags is no number"),
                       ('{"settings": {"CA\\\\Security": "D:(A"}}', "security of the CA"), ("{", "ca.json:1")):
        settings.write_text(text)
        told_us = server.json("rehearse", "--against", path, "--settings", str(settings), code=1)["error"]["message"]
        assert told in told_us, told_us


def test_client_request_against_an_export(server, tmp_path):
    path = export(server, tmp_path / "forest.ldif")
    request = tmp_path / "request.pem"
    request.write_bytes(pkcs10.pem(pkcs10.csr()))
    common = ("rehearse", "--against", path, "--as", "PFXCONN01$", "--csr", str(request))
    assert "Verdict                issued" in server.ctl(*common, "--template", "IntunePKCS")
    server.ctl(*common, code=4)  # names no template
    request.write_bytes(b"garbage")
    server.ctl(*common, code=1)
    server.ctl("rehearse", "--against", path, "--as", "nobody-here", "--template", "User", code=1)


def test_export_without_descriptors_is_told(server, tmp_path):
    path = tmp_path / "forest.ldif"
    export(server, path)
    path.write_text(re.sub(r"^nTSecurityDescriptor::.*(?:\n .*)*\n", "", path.read_text(), flags=re.M))
    done = subprocess.run([str(harness.BUILD / "adcsctl"), "rehearse", "--against", str(path)], capture_output=True, text=True,
                          timeout=60, check=True)
    assert "WebServer has no nTSecurityDescriptor" in done.stderr


@pytest.mark.parametrize("content", ["", "dn: CN=x\nobjectClass: user\n", "nonsense\n", "dn: a\nchangetype: delete\n"])
def test_bad_exports(server, tmp_path, content):
    path = tmp_path / "bad.ldif"
    path.write_text(content)
    server.ctl("rehearse", "--against", str(path), code=1)


def test_before_and_after(server, tmp_path):
    before = export(server, tmp_path / "before.ldif")
    server.ctl("template", "acl", "grant", "IntunePKCS", "CORP\\WS01$", "Enroll")
    server.ctl("template", "acl", "deny", "IntunePKCS", "CORP\\bob", "Enroll")
    try:
        after = export(server, tmp_path / "after.ldif")
    finally:
        server.ctl("template", "acl", "remove", "IntunePKCS", "CORP\\WS01$")
        server.ctl("template", "acl", "remove", "IntunePKCS", "CORP\\bob")
    changes = server.json("rehearse", "--before", before, "--after", after, code=4)["changes"]
    assert [(c["change"], c["principal"], c["template"], c["before"], c["after"]) for c in changes] == [
        ("lost", "CORP\\bob", "IntunePKCS", "issued", "0x80094012"),
        ("won", "CORP\\WS01$", "IntunePKCS", "0x80094012", "issued")]
    assert "0 outcomes changed" in server.ctl("rehearse", "--before", before, "--after", before)
    assert "2 outcomes changed" in server.ctl("rehearse", "--before", before, "--after", after, code=4)
    assert "2 outcomes changed" in server.ctl("rehearse", "--before", after, "--after", before, code=4)
