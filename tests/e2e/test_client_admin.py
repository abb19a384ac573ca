"""adcsctl --config as an administrator, over ICertAdminD2: a verb says the same as over the control socket."""
import json
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
    assert server.json("ca", "show")["templates"] == ["SubCA", "Slow", "User"]
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


# ---- settings, access lists, restrictions, roles ----


def directory(server):
    return "--directory", server.json("server", "show")["directory"]


def changed(server, local, over):
    for verb in local:
        server.json(*verb)
    for verb in over:
        remote(server, *directory(server), *verb)


def same(server, *verb, code=0, local=(), over=()):
    """What a verb tells here and over RPC with the server's own directory for names; `local` and `over` are run before it."""
    changed(server, local, over)
    told = remote(server, *directory(server), *verb, code=code)
    assert told == adcsctl("--state", server.state, *verb, code=code), verb
    return told


OURS_ALONE = ("changed", "fixed")  # of a setting: what no registry knows


def setting(server, name):
    here = server.json("ca", "get", name)["settings"]
    there = remote(server, "ca", "get", name)["settings"]
    assert [{k: v for k, v in s.items() if k not in OURS_ALONE} for s in here] == there
    return there[0]


def test_settings_one_by_one(fresh):
    """Every kind of value is read, changed as certutil changes it, and put back; the control socket sees the same."""
    server = fresh()
    for name in ("policy\\EditFlags", "EditFlags", "CA\\InterfaceFlags", "exit\\PublishCertFlags", "ValidityPeriod", "CA\\CRLPeriodUnits",
                 "SubjectTemplate", "DisableExtensionList", "CA\\CRLPublicationURLs", "RoleSeparationEnabled",
                 "EncryptionCSP\\CNGEncryptionAlgorithm", "PolicyModules\\CertificateAuthority_MicrosoftDefault.Policy\\EditFlags"):
        assert setting(server, name)["type"].startswith("REG_"), name
    before = setting(server, "policy\\EditFlags")
    told = remote(server, "ca", "set", "policy\\EditFlags", "+EDITF_ATTRIBUTESUBJECTALTNAME2", "-EDITF_BASICCONSTRAINTSCA")
    assert "EDITF_ATTRIBUTESUBJECTALTNAME2" in told["settings"][0]["flags"]
    assert int(setting(server, "EditFlags")["value"], 16) == int(before["value"], 16) & ~0x80 | 0x40000
    remote(server, "ca", "set", "EditFlags", "0x11014E")
    assert setting(server, "EditFlags") == before
    remote(server, "ca", "set", "DisableExtensionList", "+1.2.3.4", "+1.3.6.1.4.1.311.25.2")
    remote(server, "ca", "set", "DisableExtensionList", "-1.2.3.4")
    assert setting(server, "DisableExtensionList")["value"] == ["1.3.6.1.4.1.311.25.2"]
    remote(server, "ca", "set", "CRLPublicationURLs", "+6:http://a.example/%3,%8.crl")
    assert setting(server, "CRLPublicationURLs")["value"][-1] == "6:http://a.example/%3,%8.crl"
    remote(server, "ca", "set", "ValidityPeriodUnits", "7")
    remote(server, "ca", "set", "ValidityPeriod", "Months")
    assert (setting(server, "ValidityPeriodUnits")["value"], setting(server, "ValidityPeriod")["value"]) == (7, "Months")
    for name in ("DisableExtensionList", "CRLPublicationURLs", "ValidityPeriodUnits", "ValidityPeriod"):
        remote(server, "ca", "unset", name)
        assert setting(server, name) and not server.json("ca", "get", name)["settings"][0]["changed"]
    remote(server, "ca", "role-separation", "on")
    assert server.json("ca", "get", "RoleSeparationEnabled")["settings"][0]["value"] == 1
    # the administrator, who is an officer too, has just locked himself out
    for args in (["role-separation", "off"], ["get", "RoleSeparationEnabled"]):
        assert remote(server, "ca", *args, code=1)["error"]["name"] == "CERTSRV_E_ROLECONFLICT"


def test_settings_listed(fresh):
    """`ca get` has every value that the registry shows, those of the table as the control socket tells them."""
    server = fresh()
    here = {s["name"]: {k: v for k, v in s.items() if k not in OURS_ALONE} for s in server.json("ca", "get")["settings"]}
    there = {s["name"]: s for s in remote(server, *directory(server), "ca", "get")["settings"]}
    listed = {n for n in here if n.split("\\")[0] in ("CA", "policy", "exit", "EncryptionCSP")}
    # the registry has the name in use, not what the file says, and a descriptor, not its text
    worked_out = {"CA\\CommonName", "CA\\Security"}
    empty = {"CA\\OfficerRights", "CA\\EnrollmentAgentRights"}
    assert listed - empty <= set(there) and len(listed) > 50
    assert {n for n in listed - empty - worked_out if there[n] != here[n]} == set()
    assert {"CA\\CAType", "CA\\UseDS", "CA\\SetupStatus"} <= set(there) and there["CA\\CommonName"]["value"] == harness.CA_NAME
    assert there["CA\\CAType"]["type"] == "REG_DWORD"


def test_settings_refused(fresh):
    server = fresh()
    assert remote(server, "ca", "get", "NoSuch", code=1)["error"]["name"] == "E_FILE_NOT_FOUND"
    assert "settings file" in remote(server, "ca", "get", "journal\\MaximumMegabytes", code=1)["error"]["message"]
    assert "EDITF_" in remote(server, "ca", "set", "EditFlags", "+EDITF_ATTRIBUTESUBJECTALTNAME", code=1)["error"]["message"]
    assert remote(server, "ca", "set", "CA\\CommonName", "Other", code=1)["error"]["name"] == "E_INVALIDARG"
    told = remote(server, "ca", "set", "EditFlags", "0", user="CORP\\janedoe", password="Jane-Passw0rd", code=1)["error"]
    assert told["name"] == "E_ACCESSDENIED"
    assert setting(server, "EditFlags")["value"] == "0x11014e"


def test_access_list(fresh):
    server = fresh()
    shown = same(server, "ca", "acl", "show")
    assert shown["sddl"].endswith("(A;;0x200;;;AU)")
    same(server, "ca", "acl", "show", over=[("ca", "acl", "grant", "CORP\\janedoe", "Read", "IssueAndManageCertificates")])
    assert any(a["name"] == "CORP\\janedoe" and a["mask"] == "0x102" for a in server.json("ca", "acl", "show")["aces"])
    same(server, "ca", "acl", "show", over=[("ca", "acl", "deny", "Domain Users", "RequestCertificates")])
    assert server.json("ca", "acl", "show")["aces"][0]["type"] == "deny"
    same(server, "ca", "acl", "show", over=[("ca", "acl", "remove", "Domain Users"), ("ca", "acl", "remove", "CORP\\janedoe")])
    assert server.json("ca", "acl", "show") == shown
    remote(server, *directory(server), "ca", "acl", "set", "--sddl", "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x203;;;EA)(A;;0x200;;;AU)")
    assert [a["mask"] for a in same(server, "ca", "acl", "show")["aces"]] == ["0x3", "0x3", "0x203", "0x200"]
    # a SID needs no directory, a name does
    assert remote(server, "ca", "acl", "grant", "S-1-5-11", "Read")["sddl"].endswith("(A;;0x300;;;AU)")
    assert "--directory" in remote(server, "ca", "acl", "grant", "CORP\\janedoe", "Read", code=1)["error"]["message"]
    assert remote(server, *directory(server), "ca", "acl", "set", "--sddl", "O:BAG:BAD:(A;;0x200;;;AU)", code=1)["error"]["name"] == \
        "CERTSRV_E_NO_CAADMIN_DEFINED"


def entries(server, kind, local=(), over=()):
    """As same(), of entries: SDDL of what came over the wire has an ACE's padding in its application data."""
    changed(server, local, over)
    here, there = server.json("ca", kind, "show"), remote(server, *directory(server), "ca", kind, "show")
    assert {**here, "sddl": ""} == {**there, "sddl": ""}
    return there


def test_restrictions(fresh):
    """Both lists are in one answer of GetOfficerRights: with none, either and both of them."""
    server = fresh()
    for kind, verb in (("officer-rights", "allow"), ("agent-rights", "deny")):
        assert same(server, "ca", kind, "show") == {"restricted": False, "sddl": None, "entries": []}
        change = ("ca", kind, verb, "CORP\\janedoe", "--templates", "User,WebServer", "--for", "Domain Users,S-1-5-11")
        told = entries(server, kind, over=[change])
        assert [(e["name"], e["template"], len(e["subjects"])) for e in told["entries"]] == \
            [("CORP\\janedoe", "User", 2), ("CORP\\janedoe", "WebServer", 2)]
    entries(server, "officer-rights", local=[("ca", "officer-rights", "allow", "Domain Admins")])
    both_lists = [server.json("ca", kind, "show") for kind in ("officer-rights", "agent-rights")]
    entries(server, "officer-rights", over=[("ca", "officer-rights", "remove", "CORP\\janedoe", "--templates", "WebServer")])
    assert server.json("ca", "agent-rights", "show") == both_lists[1]
    remote(server, *directory(server), "ca", "officer-rights", "clear")
    assert not same(server, "ca", "officer-rights", "show")["restricted"]
    assert entries(server, "agent-rights")["entries"] == both_lists[1]["entries"]
    remote(server, *directory(server), "ca", "officer-rights", "set", "--sddl", both_lists[0]["sddl"])
    assert entries(server, "officer-rights")["entries"] == both_lists[0]["entries"]


def test_roles(fresh):
    server = fresh()
    assert {"ManageCA", "IssueAndManageCertificates"} <= set(remote(server, "ca", "roles")["names"])
    told = remote(server, "ca", "roles", user="CORP\\janedoe", password="Jane-Passw0rd")
    assert told["names"] == ["Read", "RequestCertificates"] and told["roles"] == 0x300


# ---- rows, certificates, keys ----


def test_rows_deleted_and_imported(fresh, tmp_path):
    server = seeded(fresh, tmp_path)
    pem = tmp_path / "one.pem"
    pem.write_text(server.json("request", "show", "1")["pem"])
    assert remote(server, "request", "delete", "2", "--attributes")["deleted"] >= 1
    assert remote(server, "request", "delete", "2") == {"deleted": 1}
    assert remote(server, "request", "delete", "--not-issued-before", "2099-01-01T00:00:00Z") == {"deleted": 1}
    assert remote(server, "request", "import", str(pem), code=1)["error"]["name"] == "E_OBJECT_ALREADY_EXISTS"
    assert remote(server, "request", "delete", "1") == {"deleted": 1}
    assert server.json("request", "list")["requests"] == []
    again = remote(server, "request", "import", str(pem))["id"]
    assert both(server, "request", "show", str(again))["pem"] == pem.read_text()
    remote(server, "crl", "publish")
    rows = [r["number"] for r in server.json("crl", "show")["crls"]]
    assert remote(server, "crl", "show")["crls"] == server.json("crl", "show")["crls"] and len(rows) > 2
    assert remote(server, "crl", "delete", "--expired-before", "2099-01-01T00:00:00Z")["deleted"] >= 1
    assert len(remote(server, "crl", "show")["crls"]) < len(rows)
    told = remote(server, "request", "delete", "1", user="CORP\\janedoe", password="Jane-Passw0rd", code=1)["error"]
    assert told["name"] == "E_ACCESSDENIED"


def test_certificates_and_lists_by_index(fresh):
    server = fresh()
    server.ctl("ca", "renew", "--new-key")
    for verb in (("ca", "cert", "--index", "0"), ("ca", "cert"), ("ca", "cert", "--exchange"), ("crl", "get", "--key", "0"), ("crl", "get")):
        assert remote(server, *verb)["der"] == server.json(*verb)["der"], verb
    assert remote(server, "ca", "cert", "--index", "0") != remote(server, "ca", "cert", "--index", "1")


def test_templates_in_front(fresh):
    server = fresh()
    listed = server.json("ca", "show")["templates"]
    remote(server, "ca", "publish", "CodeSigning")
    assert server.json("ca", "show")["templates"] == ["CodeSigning", *listed]
    remote(server, "ca", "publish", listed[0])
    assert server.json("ca", "show")["templates"] == ["CodeSigning", *listed]
    remote(server, "ca", "unpublish", "codesigning")
    assert server.json("ca", "show")["templates"] == listed


REFUSED = {"template list": "--directory", "ca renew": "no method", "request explain 1": "no method", "principal show x": "adcsd alone",
           "access User": "adcsd alone", "rehearse --as x": "--against", "lint": "--directory", "journal": "adcsd's own",
           "clock show": "clock", "server stop": "--state", "ca cert --chain": "--chain"}


def test_refused_with_a_reason():
    for verb, why in REFUSED.items():
        done = subprocess.run([str(harness.BUILD / "adcsctl"), "--config", "ca\\CA", *verb.split()], capture_output=True, text=True,
                              timeout=60, check=False)
        assert done.returncode == 2 and why in done.stderr and "--config" in done.stderr, (verb, done.stderr)


def test_help_tells_what_takes_config():
    """A star in the help, a member of its JSON, and what the manual page says in words."""
    def run(*args):
        return subprocess.run([str(harness.BUILD / "adcsctl"), *args], capture_output=True, text=True, timeout=60, check=True).stdout
    told = json.loads(run("--json", "help"))["verbs"]
    refused = {(v["noun"], v["verb"]) for v in told if not v["config"]}
    assert not {"enroll", "bench", "view", "crl"} & {noun for noun, _ in refused}
    for words in refused:  # whatever their arguments would be
        verb = next(v for v in told if (v["noun"], v["verb"]) == words)
        count = sum(not word.startswith("[") for word in verb["arguments"].split())
        done = subprocess.run([str(harness.BUILD / "adcsctl"), "--config", "ca\\CA", *" ".join(filter(None, words)).split(), *["1"] * count],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2 and "does not take --config: " in done.stderr, (words, done.stderr)
    assert {v for v in refused if v[0] in ("ca", "request")} == {("ca", "renew"), ("request", "explain")}
    text = run("help")
    assert "\n* ca acl grant " in text and "\n  ca renew " in text and "* takes --config" in text
    page = (harness.ROOT / "doc/adcsctl.1").read_text().replace("\\-", "-")
    assert "except\n.B ca renew\nand\n.BR \"request explain\" ," in page
