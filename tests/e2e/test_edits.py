"""What officers change about requests that wait, over the control socket; judged by the certificates that result."""
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID

import conftest
import harness
import icpr
import pkcs10

TEMPLATE = "CertificateTemplate:IntunePKCS"
OWN = "1.3.6.1.4.1.99999.7"


@pytest.fixture(scope="module")
def server():
    made = harness.Server().start()
    conftest.publish_how_to(made)
    made.ctl("template", "set", "IntunePKCS", "--manager-approval", "yes")
    yield made
    made.remove()


def client(server):
    return icpr.Client(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"])


def waiting(server, attributes=TEMPLATE):
    with client(server) as c:
        answer = c.request(pkcs10.csr(), attributes)
    assert answer.disposition == icpr.CR_DISP_UNDER_SUBMISSION
    return str(answer.request_id)


def issued(server, number):
    server.ctl("request", "issue", number)
    with client(server) as c:
        answer = c.retrieve(int(number))
    assert answer.disposition == icpr.CR_DISP_ISSUED
    return x509.load_der_x509_certificate(answer.certificate)


def of(cert, oid):
    found = [e for e in cert.extensions if e.oid.dotted_string == oid]
    return found[0] if found else None


def test_extensions_of_a_pending_request(server, tmp_path):
    number = waiting(server)
    eku = tmp_path / "eku.der"
    eku.write_bytes(bytes.fromhex("300a06082b06010505070308"))  # time stamping
    server.ctl("request", "set-extension", number, "2.5.29.37", "--file", str(eku), "--critical")
    server.ctl("request", "set-extension", number, "2.5.29.15", "--disable")
    server.ctl("request", "set-extension", number, OWN, "--text", "first")
    server.ctl("request", "set-extension", number, OWN, "--number", "300")
    server.ctl("request", "set-extension", number, OWN + ".1", "--date", "2026-06-01T12:00:00Z")
    cert = issued(server, number)
    usage = of(cert, "2.5.29.37")
    assert usage.critical and list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    assert of(cert, "2.5.29.15") is None
    assert of(cert, OWN).value.value == bytes.fromhex("0202012c")
    assert of(cert, OWN + ".1").value.value == b"\x17\x0d260601120000Z"
    shown = {x["oid"]: x for x in server.json("request", "show", number)["extensions"]}
    assert shown["2.5.29.15"]["origin"] == "officer" and not shown["2.5.29.15"]["enabled"]
    rules = {(r["step"], r["rule"]): r for r in server.json("request", "explain", number)["rules"]}
    assert "2.5.29.37 (critical)" in rules[38, "officer extensions"]["text"]


def test_attributes_of_a_pending_request(server):
    server.ctl("ca", "set", "policy\\EditFlags", "+EDITF_ATTRIBUTEENDDATE")
    number = waiting(server)
    server.ctl("request", "set-attributes", number, "validityperiod:Days", "ValidityPeriodUnits:60")
    cert = issued(server, number)
    assert (cert.not_valid_after - cert.not_valid_before).days == 60
    assert server.json("request", "show", number)["attributes"]["ValidityPeriodUnits"] == "60"


def test_only_while_it_waits(server):
    number = waiting(server)
    issued(server, number)
    server.ctl("request", "set-extension", number, OWN, "--text", "late", code=1)
    server.ctl("request", "set-attributes", number, "a:b", code=1)
    server.ctl("request", "set-extension", "99999", OWN, "--text", "nobody", code=1)


@pytest.mark.parametrize("arguments", [
    ("1", "2.5.29.37"), ("1", "2.5.29.37", "--text", "a", "--number", "1"), ("1", "2.5.29.37", "--number", "4294967296"),
    ("1", "2.5.29.37", "--number", "-1"), ("1", "2.5.29.37", "--date", "tomorrow"), ("x", "2.5.29.37", "--text", "a")])
def test_usage(server, arguments):
    server.ctl("request", "set-extension", *arguments, code=2)


def test_templates_and_audit_filter(server):
    before = server.json("ca", "show")["templates"]
    assert server.json("ca", "set-templates", "WEBSERVER", "User", "webserver") == {"templates": ["WebServer", "User"]}
    assert server.json("ca", "show")["templates"] == ["WebServer", "User"]
    server.ctl("ca", "set-templates", "NoSuchTemplate", code=1)
    server.ctl("ca", "set-templates", *before)
    assert server.json("ca", "show")["templates"] == before
    assert server.json("ca", "audit-filter", "0x7f") == {"filter": 127}
    assert server.json("ca", "get", "CA\\AuditFilter")["settings"][0]["value"] == "0x7f"
    server.ctl("ca", "audit-filter", "128", code=1)
    server.ctl("ca", "audit-filter", "much", code=2)


def test_deleted_rows(server):
    first, second = waiting(server), waiting(server)
    cert = issued(server, first)
    assert server.json("request", "delete", first, "--extensions")["deleted"] > 0
    assert server.json("request", "show", first)["extensions"] == []
    assert server.json("request", "delete", "--not-issued-before", "9000-01-01T00:00:00Z")["deleted"] >= 1
    server.ctl("request", "show", second, code=1)
    end = cert.not_valid_after.isoformat() + "Z"
    server.ctl("request", "delete", "--expired-before", end)
    assert server.json("request", "show", first)["state"] == "issued"  # valid until then, not expired before
    assert server.json("request", "delete", first) == {"deleted": 1}
    with client(server) as c:
        assert c.retrieve(int(first)).code == 0x80094004
    assert int(waiting(server)) > int(second)
    assert server.json("crl", "delete", "1") == {"deleted": 1}
    assert server.json("crl", "delete", "1") == {"deleted": 0}


@pytest.mark.parametrize("arguments", [("request", "delete"), ("request", "delete", "1", "--expired-before", "2026-06-01T12:00:00Z"),
                                       ("request", "delete", "--extensions", "--expired-before", "2026-06-01T12:00:00Z"),
                                       ("request", "delete", "1", "--extensions", "--attributes"), ("crl", "delete")])
def test_delete_usage(server, arguments):
    server.ctl(*arguments, code=2)


@pytest.mark.parametrize("form", [serialization.Encoding.DER, serialization.Encoding.PEM])
def test_imported(server, tmp_path, form):
    server.ctl("request", "delete", "--not-issued-before", "9000-01-01T00:00:00Z")
    number = waiting(server)
    cert = issued(server, number)
    file = tmp_path / "lost"
    file.write_bytes(cert.public_bytes(form))
    server.ctl("request", "import", str(file), code=1)  # is there
    server.ctl("request", "delete", number)
    server.ctl("request", "import", str(file), "--pending", code=1)  # nobody waits
    imported = str(server.json("request", "import", str(file))["id"])
    assert int(imported) > int(number)
    row = server.json("request", "show", imported)
    assert row["state"] == "issued" and int(row["serial"], 16) == cert.serial_number and row["templateName"] == "IntunePKCS"
    server.ctl("request", "revoke", imported)
    server.ctl("crl", "publish")
    listed = x509.load_der_x509_crl(server.ctl("crl", "get", "--der", text=False))
    assert listed.get_revoked_certificate_by_serial_number(cert.serial_number) is not None


def test_imported_for_who_waits(server, tmp_path):
    server.ctl("request", "delete", "--not-issued-before", "9000-01-01T00:00:00Z")
    number = waiting(server)
    cert = issued(server, number)
    file = tmp_path / "lost.der"
    file.write_bytes(cert.public_bytes(serialization.Encoding.DER))
    server.ctl("request", "delete", number)
    again = waiting(server)
    assert server.json("request", "import", str(file), "--pending") == {"id": int(again)}
    with client(server) as c:
        assert c.retrieve(int(again)).certificate == cert.public_bytes(serialization.Encoding.DER)


def test_what_is_not_imported(server, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"\x30\x03\x02\x01\x01")
    server.ctl("request", "import", str(file), code=1)
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=foreign",
                           "-keyout", str(tmp_path / "key"), "-out", str(file)], capture_output=True, check=False)
    assert made.returncode == 0, made.stderr
    refused = server.json("request", "import", str(file), code=1)
    assert refused["error"]["name"] == "CERT_E_ISSUERCHAINING"
