"""Every attribute of doc/reference/templates.md section 4 is shown by its name, and set by the option named there, or said why not."""
import re

import pytest

import harness

TABLE = (harness.ROOT / "doc/reference/templates.md").read_text().split("## 4. pKICertificateTemplate")[1].split("\n## 5")[0]
NAMES = [n for n in re.findall(r"^\| (\S+) \|", TABLE, re.M) if n not in ("Attribute", "---")]
# something else than a copy of User has
VALUES = {
    "displayName": "Else", "flags": "+ADD_OBJ_GUID", "msPKI-Supersede-Templates": "WebServer", "pKIDefaultKeySpec": "signature",
    "pKIKeyUsage": "nonrepudiation", "pKIMaxIssuingDepth": "none", "pKICriticalExtensions": "no", "pKIExpirationPeriod": "2y",
    "pKIOverlapPeriod": "3w", "pKIExtendedKeyUsage": "1.2.3", "pKIDefaultCSPs": "Contoso Provider", "msPKI-RA-Signature": "1",
    "msPKI-Enrollment-Flag": "+PEND_ALL_REQUESTS", "msPKI-Private-Key-Flag": "-EXPORTABLE_KEY",
    "msPKI-Certificate-Name-Flag": "-SUBJECT_REQUIRE_EMAIL", "msPKI-Minimal-Key-Size": "4096", "msPKI-RA-Policies": "1.2.3",
    "msPKI-RA-Application-Policies": "1.2.3", "msPKI-Certificate-Policy": "1.2.3", "msPKI-Certificate-Application-Policy": "1.2.3",
}
ALONG = {"msPKI-RA-Policies": ["--authorized-signatures", "1", "--signature-policy-type", "issuance"],
         "msPKI-RA-Application-Policies": ["--authorized-signatures", "1", "--signature-policy-type", "application"]}


@pytest.fixture(scope="module")
def server():
    server = harness.Server().start()
    yield server
    server.remove()


def attributes(server, template):
    return {n: re.fullmatch(r"(.*?)  \[(?:template set --(\S+)|not settable: (.+))\]", v, re.S).groups()
            for n, v in server.json("template", "show", template)["Attributes"].items()}


def test_all_are_shown_by_name(server):
    shown = attributes(server, "User")
    assert list(shown) == NAMES and len(NAMES) == 30
    assert shown["cn"][0] == "User" and shown["msPKI-Minimal-Key-Size"][0] == "2048"
    assert set(VALUES) == {n for n, (_, option, _) in shown.items() if option}
    printed = server.ctl("template", "show", "User").split("\nAttributes\n")[1]
    assert all(re.search(rf"^  {n} ", printed, re.M) for n in NAMES)


@pytest.mark.parametrize("name", sorted(VALUES))
def test_the_option_sets_it(server, name):
    copy = "Copy" + name.replace("-", "")
    server.ctl("template", "duplicate", "SubCA" if name == "pKIMaxIssuingDepth" else "User", "--display-name", copy)
    if name == "pKIMaxIssuingDepth":
        server.ctl("template", "set", copy, "--path-length", "3")
    before, option, _ = attributes(server, copy)[name]
    server.ctl("template", "set", copy, f"--{option}", VALUES[name], *ALONG.get(name, []))
    assert attributes(server, copy)[name][0] != before
