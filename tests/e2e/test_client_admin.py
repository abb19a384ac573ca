"""adcsctl --config as an administrator, over ICertAdminD2: a verb says the same as over the control socket."""
import os
import subprocess

import harness
from test_client import adcsctl, config

ADMIN = ("CORP\\Administrator", harness.PASSWORDS["Administrator"])


def enroll(server, *args, **kwargs):
    return adcsctl("--config", config(server), "--user", "CORP\\janedoe", "enroll", *args, **kwargs)


def both(server, *verb, code=0):
    """The same answer by the control socket and over RPC; returns it."""
    local = adcsctl("--state", server.state, *verb, code=code)
    told = adcsctl("--config", config(server), "--user", ADMIN[0], *verb, password=ADMIN[1], code=code)
    assert told == local, verb
    return told


def seeded(fresh, tmp_path):
    """A CA with one issued, one denied and one failed request."""
    server = fresh()
    assert enroll(server, "--template", "User", "--out-key", str(tmp_path / "a"))["requestId"] == 1
    enroll(server, "--template", "SubCA", "--out-key", str(tmp_path / "b"), code=4)
    enroll(server, "--template", "NoSuch", "--out-key", str(tmp_path / "c"), code=4)
    return server


def test_views(fresh, tmp_path):
    server = seeded(fresh, tmp_path)
    assert [r["Request.Disposition"] for r in both(server, "view", "--columns", "Request.Disposition")][0] == 20
    for table in ("requests", "extensions", "attributes", "crl"):
        assert both(server, "view", "--table", table, "--columns", "all")
    rows = both(server, "view", "--restrict", "Disposition=20,-RequestID", "--columns", "RequestID,SerialNumber,RawCertificate")
    assert [r["Request.RequestID"] for r in rows] == [1] and rows[0]["RawCertificate"]
    assert both(server, "view", "--restrict", "RequestID>1", "--limit", "1", "--columns", "RequestID") == \
        [{"Request.RequestID": 2}]
    assert both(server, "view", "--restrict", "RequestID>99") == []
    assert both(server, "view", "--restrict", "NoSuch=1", code=1)["error"]["name"] == "E_INVALIDARG"


def test_view_in_pages(fresh, tmp_path):
    """More rows than one call asks for, in every form of output."""
    server = fresh()
    server.ctl("--user", "CORP\\janedoe", "--password-file", password_file(tmp_path), "bench", "--requests", "600",
               "--warm-up", "0", "--csrs", "1")
    rows = both(server, "view", "--columns", "RequestID,SerialNumber")
    assert [r["Request.RequestID"] for r in rows] == list(range(1, 601))
    env = {**os.environ, "ADCSD_PASSWORD": ADMIN[1]}
    for out in ("csv", "text"):
        texts = [subprocess.run([str(harness.BUILD / "adcsctl"), *where, "view", "--out", out], capture_output=True, text=True,
                                timeout=60, env=env, check=True).stdout
                 for where in (["--state", server.state], ["--config", config(server), "--user", ADMIN[0]])]
        assert texts[0] == texts[1] and texts[0].count("\n") > 600
    assert len(both(server, "request", "list", "--limit", "250")["requests"]) == 250


def password_file(tmp_path):
    (tmp_path / "password").write_text("Jane-Passw0rd\n")
    return str(tmp_path / "password")


def test_requests(fresh, tmp_path):
    server = seeded(fresh, tmp_path)
    listed = both(server, "request", "list")["requests"]
    assert [r["state"] for r in listed][0] == "issued" and len(listed) == 3
    for state in ("issued", "denied", "failed", "pending", "revoked"):
        assert all(r["state"] == state for r in both(server, "request", "list", "--state", state)["requests"])
    assert both(server, "request", "list", "--limit", "2")["next"] == 2
    assert [r["id"] for r in both(server, "request", "list", "--after", "2")["requests"]] == [3]
    for number in ("1", "2", "3"):
        shown = both(server, "request", "show", number)
        assert ("pem" in shown) == (number == "1") and shown["columns"]["Request.RequestID"] == int(number)
    missing = adcsctl("--config", config(server), "--user", ADMIN[0], "request", "show", "99", password=ADMIN[1], code=1)
    assert missing["error"]["name"] == "CERTSRV_E_PROPERTY_EMPTY"


def test_readers_only(fresh):
    """A role is asked for: the HRESULT and its text."""
    server = fresh()
    server.ctl("ca", "acl", "deny", "CORP\\janedoe", "Read", "RequestCertificates")
    for verb in (("view",), ("request", "list")):
        told = adcsctl("--config", config(server), "--user", "CORP\\janedoe", *verb, code=1)["error"]
        assert told["name"] == "E_ACCESSDENIED" and told["text"]


def remote(server, *verb, user=ADMIN[0], password=ADMIN[1], code=0):
    return adcsctl("--config", config(server), "--user", user, *verb, password=password, code=code)


def test_revocation(fresh, tmp_path):
    """Revoked over RPC, looked at by the control socket and the CRL; refusals carry the CA's HRESULT."""
    server = fresh()
    for i in range(3):
        enroll(server, "--template", "User", "--out-key", str(tmp_path / str(i)))
    row = remote(server, "request", "revoke", "1", "--reason", "certificateHold")
    assert row == server.json("request", "list")["requests"][0] and row["reason"] == "certificateHold"
    serial = row["serial"]
    assert both(server, "request", "valid", serial)["state"] == "revoked"
    assert remote(server, "request", "unrevoke", "--serial", serial)["state"] == "issued"
    assert both(server, "request", "valid", serial)["state"] == "valid"
    assert both(server, "request", "valid", "0102030405")["state"] == "neverIssued"
    row = remote(server, "request", "revoke", "2", "--reason", "1", "--at", "2020-01-02T03:04:05Z")
    assert row["reason"] == "keyCompromise" and row["effective"] == "2020-01-02T03:04:05Z"
    assert remote(server, "request", "publish-expired", "2")["id"] == 2
    assert both(server, "view", "--restrict", "RequestID=2", "--columns", "PublishExpiredCertInCRL")[0].popitem()[1] == 1
    before = server.json("crl", "show")["crls"]
    told = remote(server, "crl", "publish")["crls"]
    after = server.json("crl", "show")["crls"]
    assert max(r["number"] for r in after) == max(r["number"] for r in before) + 1
    newest = [r for r in after if r["number"] == told[0]["number"]]
    assert sorted(told, key=lambda r: r["type"]) == sorted(newest, key=lambda r: r["type"])
    assert [r["entries"] for r in told if r["type"] == "base"] == [1]
    for verb in (("request", "revoke", "3"), ("crl", "publish")):
        told = remote(server, *verb, user="CORP\\janedoe", password="Jane-Passw0rd", code=1)["error"]
        assert told["name"] == "E_ACCESSDENIED" and told["text"]
    assert remote(server, "request", "revoke", "99", code=1)["error"]["name"] == "CERTSRV_E_PROPERTY_EMPTY"
    assert remote(server, "request", "revoke", "3", "--reason", "boredom", code=1)["error"]["name"] == "E_INVALIDARG"
    assert remote(server, "request", "unrevoke", "3", code=1)["error"]["name"] == "E_INVALID_DATA"


def test_edits(fresh, tmp_path):
    """A waiting request is edited over RPC, then issued; the CA's list of templates and audit filter."""
    server = fresh()
    server.ctl("template", "duplicate", "User", "--display-name", "Slow", "--subject", "request", "--manager-approval", "yes")
    assert remote(server, "ca", "set-templates", "Slow", "User")["templates"] == ["Slow", "User"]
    assert server.json("ca", "show")["templates"] == ["Slow", "User"]
    remote(server, "ca", "publish", "WebServer", "SubCA")
    remote(server, "ca", "unpublish", "webserver")
    assert server.json("ca", "show")["templates"] == ["Slow", "User", "SubCA"]
    assert "error" in remote(server, "ca", "publish", "NoSuch", code=1)
    enroll(server, "--template", "Slow", "--subject", "CN=x", "--out-key", str(tmp_path / "k"), code=3)
    assert remote(server, "request", "set-extension", "1", "1.2.3.4", "--number", "7", "--critical") == {"id": 1}
    assert remote(server, "request", "set-attributes", "1", "Colour:blue") == {"id": 1}
    shown = both(server, "request", "show", "1")
    assert shown["attributes"]["Colour"] == "blue"
    extension = next(x for x in shown["extensions"] if x["oid"] == "1.2.3.4")
    assert extension["critical"] and extension["origin"] == "officer"
    assert remote(server, "request", "issue", "1")["disposition"] == "issued"
    assert remote(server, "request", "set-attributes", "1", "Colour:red", code=1)["error"]["name"] == \
        "CERTSRV_E_BAD_REQUESTSTATUS"
    assert remote(server, "ca", "audit-filter", "127") == {"filter": 127}
    assert server.json("ca", "get", "CA\\AuditFilter")["settings"][0]["value"] == "0x7f"
    assert "error" in remote(server, "ca", "set-templates", "NoSuch", code=1)
    for verb in (("request", "set-attributes", "1", "a:b"), ("ca", "set-templates", "User"), ("ca", "audit-filter", "0")):
        told = remote(server, *verb, user="CORP\\janedoe", password="Jane-Passw0rd", code=1)["error"]
        assert told["name"] == "E_ACCESSDENIED" and told["text"]
