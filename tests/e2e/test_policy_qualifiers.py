"""CPS URIs and user notices of OID objects: in certificates as OpenSSL prints them, in rehearsals, on the server and on an export."""
import base64
import json
import subprocess

import pytest
from cryptography import x509

import harness
import icpr
import pkcs10
from test_rehearse import export

POLICY, PLAIN = "1.2.840.99999.1", "1.2.840.99999.2"
CPS, NOTICE = "http://pki.contoso.com/cps.html", "Für Contoso"
CONTAINER = "CN=OID,CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=contoso,DC=com"
OID_DN = f"CN=1.0123456789ABCDEF0123456789ABCDEF,{CONTAINER}"


@pytest.fixture(scope="module")
def server():
    server = harness.Server().start()
    try:
        server.ldapmodify(f"dn: {OID_DN}\nchangetype: add\nobjectClass: msPKI-Enterprise-Oid\nflags: 2\ndisplayName: Contoso policy\n"
                          f"msPKI-Cert-Template-OID: {POLICY}\n")
        server.ctl("template", "duplicate", "WebServer", "--display-name", "Qualified", "--issuance-policies", f"{POLICY},{PLAIN}")
        server.ctl("ca", "publish", "Qualified")
        yield server
    finally:
        server.remove()


def issue(server):
    with icpr.Client(server, "Administrator", harness.PASSWORDS["Administrator"]) as c:
        answer = c.request(pkcs10.csr(name=pkcs10.subject(cn="x")), "CertificateTemplate:Qualified")
    assert answer.disposition == icpr.CR_DISP_ISSUED, answer.message
    return x509.load_der_x509_certificate(answer.certificate), answer


def qualify(server, *lines):
    server.ldapmodify(f"dn: {OID_DN}\nchangetype: modify\n" + "\n".join(lines) + "\n")


def policies(certificate):
    return [(p.policy_identifier.dotted_string, p.policy_qualifiers)
            for p in certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value]


def test_qualifiers_of_the_oid_object(server, tmp_path):
    assert policies(issue(server)[0]) == [(POLICY, None), (PLAIN, None)]
    notice = base64.b64encode(NOTICE.encode()).decode()
    qualify(server, "replace: msPKI-OID-CPS", f"msPKI-OID-CPS: {CPS}", "-", "replace: msPKI-OID-User-Notice",
            f"msPKI-OID-User-Notice:: {notice}")
    issued, answer = issue(server)
    assert policies(issued) == [(POLICY, [CPS, x509.UserNotice(None, NOTICE)]), (PLAIN, None)]
    text = subprocess.run(["openssl", "x509", "-inform", "DER", "-noout", "-text", "-nameopt", "utf8"], input=answer.certificate,
                          capture_output=True, timeout=60, check=True).stdout.decode()
    shown = [line.strip() for line in text.split("Certificate Policies:")[1].splitlines()[1:7]]
    assert shown[:3] == [f"Policy: {POLICY}", f"CPS: {CPS}", "User Notice:"]
    assert shown[3].startswith("Explicit Text: F") and shown[4] == f"Policy: {PLAIN}"

    rule, = (r for r in server.json("request", "explain", str(answer.request_id))["rules"]
             if r["rule"] == "issuance policies" and r["said"] == "adds")
    assert "qualifiers of their OID objects" in rule["text"]
    options = ["--as", "CORP\\Administrator", "--template", "Qualified", "--subject", "CN=x"]
    wanted = base64.b64encode(issued.extensions.get_extension_for_class(x509.CertificatePolicies).value.public_bytes()).decode()
    for where in [], ["--against", export(server, tmp_path / "forest.ldif")]:
        planned = json.loads(server.ctl("--json", "rehearse", *where, *options))["certificate"]
        assert [x["value"] for x in planned["extensions"] if x["oid"] == "2.5.29.32"] == [wanted]


def test_what_is_no_qualifier_is_told(server):
    bad = base64.b64encode("http://café/".encode()).decode()
    qualify(server, "replace: msPKI-OID-CPS", f"msPKI-OID-CPS:: {bad}", "-", "replace: msPKI-OID-User-Notice")
    issued, answer = issue(server)
    assert policies(issued) == [(POLICY, None), (PLAIN, None)]
    rule, = (r for r in server.json("request", "explain", str(answer.request_id))["rules"]
             if r["rule"] == "issuance policies" and r["said"] == "adds")
    assert "1 values of msPKI-OID-CPS" in rule["text"]
