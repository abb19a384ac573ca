"""adcsctl lint: a live forest edited by ldapmodify, an export, CI gates; SARIF as its readers need it."""
import datetime
import json
import re
import subprocess

import pytest

import conftest
import harness

FIXTURES = harness.ROOT / "fixtures/lint"
CASES = sorted(p.name[:-len("-vulnerable.ldif")] for p in FIXTURES.glob("*-vulnerable.ldif"))
GATE = 4


@pytest.fixture(scope="module")
def server():
    made = harness.Server().start()
    yield made
    made.remove()


def everything(server, *args):
    """Both naming contexts: a search in the domain does not enter the configuration."""
    return "\n".join(subprocess.run(["ldapsearch", "-LLL", "-Q", "-Y", "EXTERNAL", "-H", server.ldapi, "-b", base, *args],
                                    capture_output=True, text=True, timeout=60, check=True).stdout
                     for base in ("DC=corp,DC=contoso,DC=com", "CN=Configuration,DC=corp,DC=contoso,DC=com"))


@pytest.fixture(scope="module")
def export(server, tmp_path_factory):
    """What an administrator exports, and the CA's settings."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "my forest.ldif").write_text(everything(server))
    (folder / "ca.json").write_text(server.ctl("--json", "ca", "show"))
    return folder


def lint(server, *args):
    """Exit code and findings; a finding is (id, object)."""
    done = subprocess.run([str(harness.BUILD / "adcsctl"), "--state", server.state, "--json", "lint", *args],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (0, GATE), done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)["findings"]


def ids(findings):
    return {(f["id"], f["object"]) for f in findings}


FRESH = {("LONGER-THAN-SETTING", "EFSRecovery"), ("LONGER-THAN-SETTING", "SubCA")}


def options(case, side):
    text = (FIXTURES / f"{case}-{side}.ldif").read_text()
    found = re.search(r"options: (.*)", text)
    settings = FIXTURES / f"{case}-{side}.json"
    return (found.group(1).split() if found else []) + (["--settings", str(settings)] if settings.exists() else [])


def test_a_fresh_forest_has_what_a_default_one_has(server):
    """Nothing is open to anybody: SubCA and EFSRecovery promise five years, a new CA gives two."""
    code, findings = lint(server)
    assert code == 0 and ids(findings) == FRESH and {f["severity"] for f in findings} == {"info"}


def records(text):
    """(dn, [(attribute, separator, value)]) of a fixture."""
    for block in re.sub(r"\n ", "", text).split("\n\n"):
        lines = [re.match(r"([^:]+)(::?) (.*)", line).groups() for line in block.splitlines() if line and line[0] != "#"]
        if lines:
            yield lines[0][2], lines[1:]


def as_changes(text, there):
    """A fixture as ldapmodify takes it; there: the DNs so far."""
    out = []
    for dn, rows in records(text):
        if dn.lower() not in there:
            there.add(dn.lower())
            out.append(f"dn: {dn}\nchangetype: add\n" + "".join(f"{a}{s} {v}\n" for a, s, v in rows))
            continue
        changes = []
        for name in dict.fromkeys(a for a, _, _ in rows):
            changes.append(f"replace: {name}\n" + "".join(f"{a}{s} {v}\n" for a, s, v in rows if a == name))
        out.append(f"dn: {dn}\nchangetype: modify\n" + "-\n".join(changes))
    return "\n".join(out)


def dns(server):
    text = everything(server, "-o", "ldif-wrap=no", "(objectClass=*)", "1.1")
    return {dn.lower() for dn in re.findall(r"^dn: (.*)", text, re.M)}


LIVE = ["ESC1", "ESC2", "ESC3", "ESC4", "ESC5", "ESC8", "ESC9", "ESC13", "ESC14", "RENEWAL", "KEY-SIZE", "SUPERSEDES",
        "NOBODY-ENROLLS", "PUBLISHED-MISSING", "SCHEMA-LEVELS"]


@pytest.mark.parametrize("case", LIVE)
def test_an_edit_by_ldapmodify_is_found_and_its_repair_too(fresh, case):
    server = fresh()
    there = dns(server)
    server.ldapmodify(as_changes((FIXTURES / f"{case}-vulnerable.ldif").read_text(), there))
    _, findings = lint(server)
    assert {i for i, _ in ids(findings) - FRESH} == {case}
    fixed = (FIXTURES / f"{case}-fixed.ldif").read_text()
    if case == "ESC8":
        server.ldapmodify(f"dn: {next(records(fixed))[0]}\nchangetype: modify\ndelete: msPKI-Enrollment-Servers\n")
    elif case == "ESC13":
        server.ldapmodify(next(f["change"] for f in findings if f["id"] == case))  # the repair that lint proposes
    else:
        server.ldapmodify(as_changes(fixed, there))
    assert ids(lint(server)[1]) == FRESH


@pytest.mark.parametrize("case", CASES)
def test_every_fixture_over_an_export(server, export, case):
    """--against and --what-if need no server; settings come from files."""
    settings = ["--settings", str(export / "ca.json")]
    for side, expected in (("vulnerable", {case}), ("fixed", set())):
        given = options(case, side)
        if "--settings" in given:  # one file: the CA's settings with the fixture's over them
            at = given.index("--settings")
            merged = json.loads((export / "ca.json").read_text())
            change = json.loads(open(given[at + 1], encoding="utf-8").read())
            merged["settings"].update(change.pop("settings", {}))
            merged.update(change)
            if "notAfter" in change:  # the fixtures' present is 2026-11-23T12:00Z, ours is the clock's
                ends = datetime.datetime.fromisoformat(change["notAfter"].rstrip("Z"))
                moved = datetime.datetime.now(datetime.timezone.utc) + (ends - datetime.datetime(2026, 11, 23, 12))
                merged["notAfter"] = moved.strftime("%Y-%m-%dT%H:%M:%SZ")
            (export / "merged.json").write_text(json.dumps(merged))
            given[at:at + 2] = []
            settings = ["--settings", str(export / "merged.json")]
        _, findings = lint(server, "--against", str(export / "my forest.ldif"), "--what-if",
                           str(FIXTURES / f"{case}-{side}.ldif"), *settings, *given)
        new = {i for i, o in ids(findings) - FRESH}
        if case.startswith("PKCS-"):
            new -= {"ESC1"} if all(f["severity"] == "info" for f in findings if f["id"] == "ESC1") else set()
        assert new == expected


def test_settings_of_a_running_ca(fresh, tmp_path):
    """Registry settings from the instance's file, and a right given over the control socket."""
    ini = tmp_path / "ca.ini"
    ini.write_text("[CA]\nCommonName = Contoso Certification Authority\n"
                   "InterfaceFlags = -IF_ENFORCEENCRYPTICERTREQUEST\n"
                   "[policy]\nEditFlags = +EDITF_ATTRIBUTESUBJECTALTNAME2\nDisableExtensionList = 1.3.6.1.4.1.311.25.2\n")
    server = fresh("--config", str(ini))
    server.ctl("ca", "acl", "grant", "CORP\\Domain Users", "IssueAndManageCertificates")
    code, findings = lint(server)
    assert code == GATE and {i for i, _ in ids(findings) - FRESH} == {"ESC6", "ESC7", "ESC11", "ESC16"}
    (officer,) = [f for f in findings if f["id"] == "ESC7"]
    assert [p["name"] for p in officer["principals"]] == ["CORP\\Domain Users"] and officer["severity"] == "error"


def test_restricted_agents(fresh):
    """ESC3 is open until EnrollmentAgentRights leave these principals no way; then it is information."""
    server = fresh()
    server.ctl("ca", "publish", "EnrollmentAgent")
    server.ctl("template", "acl", "grant", "EnrollmentAgent", "CORP\\Domain Users", "Enroll")

    def esc3():
        (found,) = [f for f in lint(server)[1] if f["id"] == "ESC3"]
        return found["severity"]

    assert esc3() == "error"
    server.ctl("ca", "agent-rights", "allow", "CORP\\agent", "--templates", "WebServer")
    assert esc3() == "info"
    server.ctl("ca", "agent-rights", "allow", "CORP\\Domain Users", "--templates", "User", "--for", "CORP\\bob")
    assert esc3() == "error"
    server.ctl("ca", "officer-rights", "allow", "CORP\\Domain Admins", "--templates", "Gone")
    assert ("RIGHTS-DEAD", harness.CA_NAME) in ids(lint(server)[1])


def test_the_how_to(fresh):
    """Done as written, the copy of User keeps Domain Users' Enroll: ESC1. Without it the connector alone names subjects."""
    server = fresh()
    conftest.publish_how_to(server)
    profile = ("--template", "IntunePKCS", "--profile", "intune-pkcs", "--connector", "CORP\\PFXCONN01$")
    code, findings = lint(server, *profile)
    (esc1,) = [f for f in findings if f["severity"] == "error"]
    assert code == GATE and esc1["id"] == "ESC1"
    assert {p["name"]: p["trust"] for p in esc1["principals"]} == {
        "CORP\\Domain Users": "everybody", "CORP\\PFXCONN01$": "trusted"}
    server.ctl("template", "acl", "remove", "IntunePKCS", "CORP\\Domain Users")
    code, findings = lint(server, *profile)
    assert code == 0 and {f["id"] for f in findings} == {"ESC1", "OWNER-PERSON", "PKCS-END-DATE"}
    assert "PKCS-ACCOUNT" in {f["id"] for f in lint(server, *profile[:4])[1]}, "says that no connector was judged"
    code, findings = lint(server, "--template", "IntunePKCS")
    assert code == GATE and [f["severity"] for f in findings if f["id"] == "ESC1"] == ["warning"]
    assert lint(server, "--template", "IntunePKCS", "--trust", "PFXCONN01$")[0] == 0


def test_gates(server, export):
    vulnerable = ("--what-if", str(FIXTURES / "ESC1-vulnerable.ldif"))
    assert lint(server, *vulnerable)[0] == GATE
    assert lint(server, *vulnerable, "--fail-on", "never")[0] == 0
    assert lint(server, *vulnerable, "--ignore", "esc1")[0] == 0
    assert lint(server, "--fail-on", "info")[0] == GATE
    code, findings = lint(server, *vulnerable, "--severity", "error")
    assert code == GATE and ids(findings) == {("ESC1", "LintT")}
    text = server.ctl("lint", *vulnerable, code=GATE)
    assert "CORP\\Domain Users [everybody]" in text and "fix      Certificate Templates console > LintT" in text
    assert "1 error, 0 warnings, 2 information" in text
    export.joinpath("ldifde.ldif").write_text(
        re.sub(r"^(dn: .*(?:\n .*)*)", r"\1\nchangetype: add", (export / "my forest.ldif").read_text(), flags=re.M))
    assert ids(lint(server, "--against", str(export / "ldifde.ldif"), "--settings", str(export / "ca.json"))[1]) == FRESH


@pytest.mark.parametrize("args,code,says", [
    (["--format", "xml"], 2, "--format"),
    (["--severity", "bad"], 2, "--severity"),
    (["--fail-on", "bad"], 2, "--fail-on"),
    (["--ignore", "ESC1,ESC99"], 2, "ESC99"),
    (["--profile", "intune-pkcs"], 2, "--template"),
    (["--profile", "scep", "--template", "User"], 2, "no profile"),
    (["--connector", "PFXCONN01$"], 2, "--profile"),
    (["--template", "Nobody"], 1, "no template 'Nobody'"),
    (["--template", "Web Server"], 1, "the template name is 'WebServer'"),
    (["--against", "/nonexistent.ldif"], 1, "nonexistent"),
    (["--settings", "/nonexistent.json"], 1, "nonexistent"),
    (["--trust", "nobody$"], 1, "nobody"),
])
def test_refusals(server, args, code, says):
    done = subprocess.run([str(harness.BUILD / "adcsctl"), "--state", server.state, "lint", *args], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode == code and says in done.stderr, done.stdout + done.stderr


def test_sarif(server, export):
    """What SARIF 2.1.0 demands of the members we write (3.13, 3.14, 3.18, 3.19, 3.27, 3.28)."""
    log = json.loads(server.ctl("lint", "--format", "sarif", "--against", str(export / "my forest.ldif"), "--what-if",
                                str(FIXTURES / "ESC4-vulnerable.ldif"), code=GATE))
    assert log["version"] == "2.1.0" and log["$schema"].endswith("sarif-schema-2.1.0.json") and len(log["runs"]) == 1
    driver = log["runs"][0]["tool"]["driver"]
    assert driver["name"] and len({r["id"] for r in driver["rules"]}) == len(driver["rules"]) == len(CASES)
    results = log["runs"][0]["results"]
    assert {r["ruleId"] for r in results} == {"ESC4"}
    for result in results:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note") and result["message"]["text"]
        (location,) = result["locations"]
        assert location["logicalLocations"][0]["fullyQualifiedName"].startswith("CN=LintT,CN=Certificate Templates,")
        assert location["physicalLocation"]["artifactLocation"]["uri"].endswith("/my%20forest.ldif")
