"""Revocation: judged by OpenSSL and GnuTLS, fetched by curl and ldapsearch."""
import base64
import datetime
import os
import re
import signal
import subprocess

import pytest
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

import harness
import icpr
import pkcs10
import test_directory

START = "2026-06-01T12:00:00Z"
WEBSERVER = "CertificateTemplate:WebServer"
CRL_FILE = "Contoso%20Certification%20Authority.crl"
DELTA_FILE = "Contoso%20Certification%20Authority+.crl"
CA_FILE = "ca01.corp.contoso.com_Contoso%20Certification%20Authority.crt"
CDP = "CN=Contoso Certification Authority,CN=ca01,CN=CDP,CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=contoso,DC=com"


def run(*args, code=0, **kwargs):
    done = subprocess.run(args, capture_output=True, timeout=60, check=False, **kwargs)
    if code is not None:
        assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def curl(server, path, *options):
    """Through the name in the certificates: curl is told where it is."""
    port = server.ready["ports"]["http"]
    return run("curl", "-sS", "--resolve", f"ca01.corp.contoso.com:{port}:{server.address}", *options,
               f"http://ca01.corp.contoso.com:{port}{path}", code=None)


def fetch(server, name):
    done = curl(server, "/CertEnroll/" + name, "--fail")
    assert done.returncode == 0, done.stderr
    return done.stdout


def crl(server, name=CRL_FILE):
    return x509.load_der_x509_crl(fetch(server, name))


def issue(server, count=1):
    with icpr.Client(server, "Administrator", harness.PASSWORDS["Administrator"]) as c:
        answers = [c.request(pkcs10.csr(name=pkcs10.subject(cn=f"device {i}")), WEBSERVER) for i in range(count)]
    assert all(a.disposition == icpr.CR_DISP_ISSUED for a in answers)
    return [(a.request_id, x509.load_der_x509_certificate(a.certificate)) for a in answers]


def entries(revocation_list):
    """serial number -> reason (None: not stated)"""
    found = {}
    for item in revocation_list:
        try:
            found[item.serial_number] = item.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
        except x509.ExtensionNotFound:
            found[item.serial_number] = None
    return found


def number(revocation_list):
    return revocation_list.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def pem(path, data, kind):
    text = base64.encodebytes(data).decode()
    path.write_text(f"-----BEGIN {kind}-----\n{text}-----END {kind}-----\n")
    return str(path)


@pytest.fixture
def server(fresh):
    return fresh("--clock", START)


def test_first_lists_at_the_first_start(server, tmp_path):
    ca = pem(tmp_path / "ca.pem", fetch(server, CA_FILE), "CERTIFICATE")
    for name in (CRL_FILE, DELTA_FILE):
        file = pem(tmp_path / "crl.pem", fetch(server, name), "X509 CRL")
        assert b"verify OK" in run("openssl", "crl", "-in", file, "-CAfile", ca, "-noout", "-verify").stderr
        text = run("certtool", "--crl-info", "--infile", file).stdout.decode()
        assert "CRL Number" in text and "No revoked certificates" in text
    base, delta = crl(server), crl(server, DELTA_FILE)
    assert number(base) == number(delta) == 1
    order = [e.oid.dotted_string for e in base.extensions]
    assert order == ["2.5.29.35", "1.3.6.1.4.1.311.21.1", "2.5.29.20", "1.3.6.1.4.1.311.21.4", "2.5.29.46",
                     "1.3.6.1.4.1.311.21.14"]
    assert not any(e.critical for e in base.extensions)
    assert {e.oid.dotted_string: e.critical for e in delta.extensions} == {
        "2.5.29.35": False, "1.3.6.1.4.1.311.21.1": False, "2.5.29.20": False, "2.5.29.27": True,
        "1.3.6.1.4.1.311.21.4": False, "1.3.6.1.4.1.311.21.14": False}


def test_times_of_a_weekly_list(server):
    """Seen on a Windows CA: +1 week, 12 hours and 10 minutes from the moment of publication."""
    base, delta = crl(server), crl(server, DELTA_FILE)
    now = datetime.datetime(2026, 6, 1, 12, 0)
    assert base.last_update == delta.last_update == now - datetime.timedelta(minutes=10)
    assert base.next_update == now + datetime.timedelta(days=7, hours=12, minutes=10)
    assert delta.next_update == now + datetime.timedelta(days=1, hours=12, minutes=10)
    raw = base.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.311.21.4")).value.value
    assert raw == b"\x17\x0d260608120000Z"


def test_certificates_name_the_server(server):
    (_, cert), = issue(server)
    port = server.ready["ports"]["http"]
    names = [n.value for n in cert.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0].full_name]
    assert names[0].startswith("ldap:///CN=Contoso%20Certification%20Authority,CN=ca01,CN=CDP,")
    assert names[1:] == [f"http://ca01.corp.contoso.com:{port}/CertEnroll/{CRL_FILE}"]
    issuers = [a.access_location.value for a in cert.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
               if a.access_method == AuthorityInformationAccessOID.CA_ISSUERS]
    assert issuers[0].startswith("ldap:///") and issuers[1] == f"http://ca01.corp.contoso.com:{port}/CertEnroll/{CA_FILE}"
    url = issuers[1].split(str(port), 1)[1]
    assert x509.load_der_x509_certificate(curl(server, url).stdout).subject == cert.issuer


def test_revoked_and_good(server, tmp_path):
    (bad_id, bad), (_, good) = issue(server, 2)
    out = server.ctl("request", "revoke", str(bad_id), "--reason", "keyCompromise")
    assert "revoked" in out
    assert entries(crl(server)) == {}, "a list tells only after its publication"
    server.ctl("crl", "publish")
    assert entries(crl(server)) == {bad.serial_number: "keyCompromise"} == entries(crl(server, DELTA_FILE))
    ca = pem(tmp_path / "ca.pem", fetch(server, CA_FILE), "CERTIFICATE")
    file = pem(tmp_path / "crl.pem", fetch(server, CRL_FILE), "X509 CRL")
    at = str(int(datetime.datetime(2026, 6, 1, 12, 30, tzinfo=datetime.timezone.utc).timestamp()))
    for cert, code, word in ((good, 0, "OK"), (bad, 2, "certificate revoked")):
        path = pem(tmp_path / "leaf.pem", cert.public_bytes(pkcs10.serialization.Encoding.DER), "CERTIFICATE")
        done = run("openssl", "verify", "-crl_check", "-x509_strict", "-attime", at, "-CAfile", ca, "-CRLfile", file, path,
                   code=code)
        assert word in (done.stdout + done.stderr).decode()
    text = run("certtool", "--crl-info", "--infile", file).stdout.decode().replace(":", "").lower()
    assert f"{bad.serial_number:x}" in text and f"{good.serial_number:x}" not in text


def test_certtool_verifies_on_real_time(fresh, tmp_path):
    """GnuTLS has no way to be told another time, so this server's clock is the real one."""
    server = fresh()
    (bad_id, bad), (_, good) = issue(server, 2)
    server.ctl("request", "revoke", str(bad_id))
    server.ctl("crl", "publish")
    ca = pem(tmp_path / "ca.pem", fetch(server, CA_FILE), "CERTIFICATE")
    file = pem(tmp_path / "crl.pem", fetch(server, CRL_FILE), "X509 CRL")
    for cert, code in ((good, 0), (bad, 1)):
        path = pem(tmp_path / "leaf.pem", cert.public_bytes(pkcs10.serialization.Encoding.DER), "CERTIFICATE")
        done = run("certtool", "--verify", "--verify-profile", "low", "--load-ca-certificate", ca, "--load-crl", file,
                   "--infile", path, code=code)
        assert ("revoked" in (done.stdout + done.stderr).decode()) == (code == 1)


REASONS = [("unspecified", None), ("keyCompromise", "keyCompromise"), ("cACompromise", "cACompromise"),
           ("affiliationChanged", "affiliationChanged"), ("superseded", "superseded"),
           ("cessationOfOperation", "cessationOfOperation"), ("certificateHold", "certificateHold")]


def test_every_reason(server):
    issued = issue(server, len(REASONS) + 1)
    for (request_id, cert), (name, _) in zip(issued, REASONS):
        server.ctl("request", "revoke", "--serial", f"0x{cert.serial_number:038X}", "--reason", name)
        row = server.json("request", "show", str(request_id))
        assert row["state"] == "revoked" and row["reason"] == name and row["message"] == "Revoked by local administrator"
    gone_id, gone = issued[-1]
    server.ctl("request", "revoke", str(gone_id), "--reason", "removeFromCRL")
    server.ctl("crl", "publish")
    expected = {cert.serial_number: word for (_, cert), (_, word) in zip(issued, REASONS)}
    assert entries(crl(server)) == expected
    assert entries(crl(server, DELTA_FILE)) == {**expected, gone.serial_number: "removeFromCRL"}
    listed = server.json("request", "list", "--state", "revoked")["requests"]
    assert [r["id"] for r in listed] == [i for i, _ in issued]


def test_retrieval_of_a_revoked_request(server):
    (request_id, cert), = issue(server)
    server.ctl("request", "revoke", str(request_id))
    with icpr.Client(server, "Administrator", harness.PASSWORDS["Administrator"]) as c:
        answer = c.retrieve(request_id)
    assert answer.disposition == 6  # CR_DISP_REVOKED
    assert x509.load_der_x509_certificate(answer.certificate) == cert


def test_refusals(server):
    """issuance.md section 11."""
    (request_id, cert), = issue(server)
    the_id = str(request_id)

    def refused(hr, *args):
        assert server.json(*args, code=1)["error"]["hr"].startswith(hr)

    refused("0x8007000d", "request", "unrevoke", the_id)  # not revoked
    refused("0x80070057", "request", "revoke", the_id, "--reason", "7")
    refused("0x80070057", "request", "revoke", the_id, "--reason", "boredom")
    refused("0x80070057", "request", "revoke", "--serial", "4711")
    refused("0x80094004", "request", "revoke", "99")
    server.ctl("request", "revoke", the_id, "--reason", "superseded")
    refused("0x8007000d", "request", "revoke", the_id, "--reason", "certificateHold")
    refused("0x8007000d", "request", "unrevoke", the_id)
    server.ctl("request", "revoke", the_id, "--reason", "keyCompromise")  # a better reason is taken
    server.ctl("crl", "publish")
    assert entries(crl(server)) == {cert.serial_number: "keyCompromise"}
    with icpr.Client(server, "bob", harness.PASSWORDS["bob"]) as c:
        denied = c.request(pkcs10.csr(), WEBSERVER)
    refused("0x8007000d", "request", "revoke", str(denied.request_id))
    server.ctl("request", "revoke", code=2)
    server.ctl("request", "revoke", the_id, "--serial", "61", code=2)


def test_hold_and_release(server):
    (request_id, cert), = issue(server)
    server.ctl("clock", "advance", "1h")
    server.ctl("request", "revoke", str(request_id), "--reason", "certificateHold")
    server.ctl("crl", "publish", "--delta")
    assert entries(crl(server)) == {} and number(crl(server)) == 1
    assert entries(crl(server, DELTA_FILE)) == {cert.serial_number: "certificateHold"} and number(crl(server, DELTA_FILE)) == 2
    server.ctl("crl", "publish")
    assert entries(crl(server)) == {cert.serial_number: "certificateHold"}
    server.ctl("clock", "advance", "1h")
    server.ctl("request", "unrevoke", str(request_id))
    row = server.json("request", "show", str(request_id))
    assert row["state"] == "issued" and row["columns"]["Request.RevokedReason"] in (-1, 0xFFFFFFFF)
    server.ctl("crl", "publish", "--delta")
    assert entries(crl(server, DELTA_FILE)) == {cert.serial_number: "removeFromCRL"}
    assert entries(crl(server)) == {cert.serial_number: "certificateHold"}, "the base still says so"
    server.ctl("crl", "publish")
    assert entries(crl(server)) == {}
    with icpr.Client(server, "Administrator", harness.PASSWORDS["Administrator"]) as c:
        assert c.retrieve(request_id).disposition == icpr.CR_DISP_ISSUED
    server.ctl("request", "revoke", str(request_id), "--reason", "certificateHold")  # and again


def test_a_later_date_waits(server):
    (request_id, cert), = issue(server)
    server.ctl("request", "revoke", str(request_id), "--at", "2026-06-02T00:00:00Z")
    server.ctl("crl", "publish")
    assert entries(crl(server)) == {} == entries(crl(server, DELTA_FILE))
    server.ctl("clock", "advance", "23h")
    server.ctl("crl", "publish")
    assert entries(crl(server)) == {cert.serial_number: None}
    assert [i.revocation_date for i in crl(server)] == [datetime.datetime(2026, 6, 2)]


def test_schedule_on_virtual_time(server):
    """A delta each day, a base each week; the answer to `clock advance` comes when they are out."""
    for _ in range(6):
        server.ctl("clock", "advance", "1d")
    assert number(crl(server)) == 1 and number(crl(server, DELTA_FILE)) == 7
    minimum = crl(server, DELTA_FILE).extensions.get_extension_for_class(x509.DeltaCRLIndicator).value.crl_number
    assert minimum == 1
    server.ctl("clock", "advance", "1d")
    assert number(crl(server)) == number(crl(server, DELTA_FILE)) == 8
    assert crl(server).next_update - crl(server).last_update == datetime.timedelta(days=7, hours=12, minutes=20)
    # overlap: the old list is valid for 12 more hours and 10 minutes
    server.ctl("clock", "advance", "8d")
    base = crl(server)
    assert number(base) == 9 and base.last_update == datetime.datetime(2026, 6, 16, 11, 50)
    assert [r["number"] for r in server.json("crl", "show")["crls"] if r["type"] == "base"] == [9], "expired rows go"


def test_expired_certificates_leave_after_one_more_list(server):
    (request_id, cert), = issue(server)
    server.ctl("request", "revoke", str(request_id))
    server.ctl("clock", "advance", "729d")  # WebServer: two years
    assert cert.serial_number in entries(crl(server))
    server.ctl("clock", "advance", "8d")
    assert cert.serial_number in entries(crl(server)), "one list beyond its end"
    server.ctl("clock", "advance", "8d")
    assert entries(crl(server)) == {}


def test_numbers_rise_after_kill(fresh):
    server = fresh("--clock", START)
    seen = [number(crl(server))]
    (request_id, cert), = issue(server)
    server.ctl("request", "revoke", str(request_id), "--reason", "superseded")
    for _ in range(4):
        server.ctl("crl", "publish")
        seen.append(number(crl(server)))
        server.kill()
        run("flock", "--wait", "60", f"{server.state}/lock", "true")  # its slapd has ended, too
        server.start()
        assert number(crl(server)) == seen[-1] and entries(crl(server)) == {cert.serial_number: "superseded"}
    server.ctl("crl", "publish")
    seen.append(number(crl(server)))
    assert seen == sorted(set(seen))


def test_directory_has_the_lists(server):
    (request_id, _), = issue(server)
    server.ctl("request", "revoke", str(request_id))
    server.ctl("crl", "publish")
    out = run("ldapsearch", "-Q", "-LLL", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-H", server.ldapi, "-b", CDP, "-s", "base").stdout.decode()
    for attribute, name in (("certificateRevocationList", CRL_FILE), ("deltaRevocationList", DELTA_FILE)):
        value = re.search(rf"^{attribute}(?:;binary)?:: (\S+)", out, re.M)[1]
        assert base64.b64decode(value) == fetch(server, name)


def test_a_directory_that_does_not_answer_gets_its_list_later(server):
    """The file is out at once, the verb tells of the directory, and ten minutes later it is tried again."""
    slapd = test_directory.slapd_pid(server)
    os.kill(slapd, signal.SIGSTOP)
    try:
        assert server.json("crl", "publish", code=1)["error"]["hr"] != "0x00000000"
    finally:
        os.kill(slapd, signal.SIGCONT)
    base = [r for r in server.json("crl", "show")["crls"] if r["type"] == "base"][-1]
    assert number(crl(server)) == 2 == base["number"] and not base["complete"] and base["error"]
    server.ctl("clock", "advance", "600s")
    base = [r for r in server.json("crl", "show")["crls"] if r["type"] == "base"][-1]
    assert base["number"] == 2 and base["complete"] and "error" not in base
    out = run("ldapsearch", "-Q", "-LLL", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-H", server.ldapi, "-b", CDP, "-s", "base").stdout.decode()
    assert base64.b64encode(fetch(server, CRL_FILE)).decode() in out


def test_a_lost_file_comes_back(fresh):
    server = fresh("--clock", START)
    before = fetch(server, CRL_FILE)
    server.stop()
    (harness.pathlib.Path(server.state) / "CertEnroll" / "Contoso Certification Authority.crl").unlink()
    server.start()
    assert fetch(server, CRL_FILE) == before


def test_crl_get(server, tmp_path):
    for options, name in (((), CRL_FILE), (("--delta",), DELTA_FILE)):
        server.ctl("crl", "get", "--der", *options, "--out", str(tmp_path / "got.crl"))
        assert (tmp_path / "got.crl").read_bytes() == fetch(server, name)
        text = server.ctl("crl", "get", *options)
        assert x509.load_pem_x509_crl(text.encode()) == crl(server, name)


def test_no_deltas(fresh, tmp_path):
    config = tmp_path / "ca.ini"
    config.write_text(f"[CA]\nCommonName = {harness.CA_NAME}\nCRLDeltaPeriodUnits = 0\nCRLPeriod = Days\nCRLPeriodUnits = 2\n")
    server = fresh("--config", str(config), "--clock", START)
    assert curl(server, "/CertEnroll/" + DELTA_FILE, "-o", "/dev/null", "-w", "%{http_code}").stdout == b"404"
    base = crl(server)
    with pytest.raises(x509.ExtensionNotFound):
        base.extensions.get_extension_for_class(x509.FreshestCRL)
    # a tenth of two days, and the clock skew
    assert base.next_update == datetime.datetime(2026, 6, 3, 16, 58)
    assert server.json("crl", "publish", "--delta", code=1)["error"]["hr"].startswith("0x80070057")


def test_two_seeded_runs_make_the_same_lists(fresh, tmp_path):
    config = tmp_path / "ca.ini"
    config.write_text((harness.ROOT / "ca/contoso.ini").read_text().replace("KeyType = RSA-2048", "KeyType = P-256"))
    made = []
    for _ in range(2):
        server = fresh("--seed", "7", "--clock", START, "--config", str(config))
        (request_id, _), = issue(server)
        server.ctl("request", "revoke", str(request_id), "--reason", "keyCompromise")
        server.ctl("crl", "publish")
        made.append([fetch(server, n) for n in (CRL_FILE, DELTA_FILE, CA_FILE)])
        server.stop()
    assert made[0] == made[1]


# ---- the HTTP front ----

def test_http_answers(server):
    head = curl(server, "/CertEnroll/" + CRL_FILE, "-I").stdout.decode()
    assert head.startswith("HTTP/1.1 200") and "Content-Type: application/pkix-crl" in head
    length = int(re.search(r"Content-Length: (\d+)", head)[1])
    assert length == len(fetch(server, CRL_FILE))
    etag = re.search(r"ETag: (\S+)", head)[1]
    modified = re.search(r"Last-Modified: (.*?)\r", head)[1]
    code = ("-o", "/dev/null", "-w", "%{http_code}")
    assert curl(server, "/CertEnroll/" + CRL_FILE, *code, "-H", f"If-None-Match: {etag}").stdout == b"304"
    assert curl(server, "/CertEnroll/" + CRL_FILE, *code, "-H", f"If-Modified-Since: {modified}").stdout == b"304"
    server.ctl("crl", "publish")
    assert curl(server, "/CertEnroll/" + CRL_FILE, *code, "-H", f"If-None-Match: {etag}").stdout == b"200"
    assert b"application/pkix-cert" in curl(server, "/CertEnroll/" + CA_FILE, "-I").stdout
    assert fetch(server, DELTA_FILE.replace("+", "%2B")) == fetch(server, DELTA_FILE)
    assert curl(server, "/certenroll/" + CRL_FILE.lower(), *code).stdout == b"200"


@pytest.mark.parametrize("path,code", [
    ("/", 404), ("/CertEnroll", 404), ("/CertEnroll/", 404), ("/CertEnroll/none.crl", 404), ("/certsrv/", 404),
    ("/CertEnroll/../ca.key", 404), ("/CertEnroll/%2e%2e/ca.key", 404), ("/CertEnroll/..%2fca.crt", 404),
    ("/CertEnroll/%2e%2e%2fca.crt", 404), ("/CertEnroll/" + CRL_FILE + "/x", 404), ("/CertEnroll/a%00.crl", 400),
    ("/CertEnroll/%zz.crl", 400), ("/CertEnroll/%", 400), ("/" + "a" * 20000, 400),
])
def test_http_refusals(how_to, path, code):
    done = curl(how_to, path, "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}")
    assert done.stdout.decode() in ({"400", "413", "414"} if len(path) > 1000 else {str(code)})


def test_http_methods(how_to):
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        done = curl(how_to, "/CertEnroll/" + CRL_FILE, "-X", method, "-o", "/dev/null", "-w", "%{http_code}")
        assert done.stdout == b"405", method
