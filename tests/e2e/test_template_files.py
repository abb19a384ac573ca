"""Templates to files and back: LDIF octet for octet, dumps of other forests, the JSON of two other products."""
import base64
import json
import re

import pytest

import harness
import icpr
import pkcs10
from test_console import attributes

OURS = "DC=corp,DC=contoso,DC=com"
THEIRS = "DC=prod,DC=example,DC=net"
OUR_SID = "S-1-5-21-1111111111-2222222222-3333333333"
THEIR_SID = "S-1-5-21-4000000001-4000000002-4000000003"


@pytest.fixture(scope="module")
def server():
    made = harness.Server().start()
    made.ctl("template", "duplicate", "User", "--display-name", "Round Trip", "--compat-ca", "2016", "--compat-recipient", "10",
             "--provider-category", "ksp", "--superseded", "User")
    yield made
    made.remove()


def test_round_trip(server, tmp_path):
    first, second, third = (tmp_path / name for name in ("1", "2", "3"))
    server.ctl("template", "export", "--all", "--out", str(first))
    assert first.read_bytes().count(b"\nobjectClass: pKICertificateTemplate\n") == len(server.json("template", "list"))
    server.ctl("template", "export", "RoundTrip", "WebServer", "--out", str(second))
    server.ctl("template", "delete", "RoundTrip")
    server.ctl("template", "delete", "WebServer")
    server.ctl("template", "import", str(second))
    server.ctl("template", "export", "RoundTrip", "WebServer", "--out", str(third))
    assert second.read_bytes() == third.read_bytes()
    server.ctl("template", "export", "--all", "--out", str(second))
    assert first.read_bytes() == second.read_bytes()
    server.ctl("template", "import", str(third), code=1)  # they exist
    server.ctl("template", "import", str(third), "--replace")
    server.ctl("template", "export", "--all", "--out", str(third))
    assert first.read_bytes() == third.read_bytes()


def test_into_an_empty_place_of_another_server(server, fresh, tmp_path):
    path, again = tmp_path / "a", tmp_path / "b"
    server.ctl("template", "export", "RoundTrip", "--out", str(path))
    other = fresh()
    other.ctl("template", "import", str(path))
    other.ctl("template", "export", "RoundTrip", "--out", str(again))
    assert path.read_bytes() == again.read_bytes()


def foreign_dump(server, name, sddl):
    """What ldifde -f writes in another forest: other names, other SIDs, CRLF, changetype, attributes of the server."""
    from samba.dcerpc import security as samba
    from samba import ndr
    text = server.ctl("template", "export", name).replace("\n ", "")
    record = next(r for r in text.split("\n\n") if "pKICertificateTemplate" in r).replace(OURS, THEIRS)
    record = re.sub(f"(?<=[=: ]){name}(?=[,\n])", "Production", record)
    descriptor = ndr.ndr_pack(samba.descriptor.from_sddl(sddl, samba.dom_sid(THEIR_SID)))
    record = re.sub("nTSecurityDescriptor::.*", "nTSecurityDescriptor:: " + base64.b64encode(descriptor).decode(), record)
    record = record.replace("\nobjectClass", "\nchangetype: add\nobjectClass", 1)
    record += "\nuSNCreated: 4711\nuSNChanged: 4712\ndSCorePropagationData: 16010101000000.0Z"
    return ("dn: CN=Configuration," + THEIRS + "\nchangetype: add\nobjectClass: configuration\n\n" + record + "\n\n").replace(
        "\n", "\r\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_dump_of_another_forest(server, tmp_path, encoding):
    path = tmp_path / "dump.ldf"
    path.write_bytes(foreign_dump(server, "WebServer", "O:EAG:EAD:PAI(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;DU)"
                                  f"(A;;LCRPLORC;;;AU)(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;{THEIR_SID}-1234)").encode(encoding))
    told = server.json("template", "import", str(path))
    assert told["imported"] == ["Production"] and f"{THEIR_SID}-1234" in told["warnings"][0]
    found = attributes(server, "Production")
    assert found["objectCategory"][0].lower() == f"CN=PKI-Certificate-Template,CN=Schema,CN=Configuration,{OURS}".lower()
    assert found["distinguishedName"][0].lower().endswith(OURS.lower()) and "uSNCreated" not in found
    sddl = server.ctl("template", "acl", "show", "Production", "--sddl")
    assert "0e10c968-78fb-11d2-90d4-00c04f79dc55;;DU)" in sddl and f"{THEIR_SID}-1234" in sddl and sddl.startswith("O:EAG:EA")
    server.ctl("template", "import", str(path), "--replace", "--domain-sid", THEIR_SID)  # now every SID of it
    sddl = server.ctl("template", "acl", "show", "Production", "--sddl")
    assert THEIR_SID not in sddl and f"{OUR_SID}-1234" in sddl
    told = server.json("template", "diff", "Production", "--against", str(path), "--domain-sid", THEIR_SID)
    assert told["equal"] and told["differences"] == []
    server.ctl("template", "delete", "Production")


def test_imported_template_issues(fresh, tmp_path, server):
    """Rehearse on a production export: what it allows there, it allows here."""
    path = tmp_path / "dump.ldf"
    path.write_text(foreign_dump(server, "RoundTrip", "O:EAG:EAD:P(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;DC)"
                                 "(A;;LCRPLORC;;;AU)"))
    other = fresh()
    other.ctl("template", "import", str(path))
    other.ctl("template", "set", "Production", "--subject", "request")
    other.ctl("ca", "publish", "Production")
    for account, disposition in (("PFXCONN01$", icpr.CR_DISP_ISSUED), ("janedoe", 0x80094012)):
        with icpr.Client(other, account, harness.PASSWORDS[account]) as c:
            answer = c.request(pkcs10.csr(), "CertificateTemplate:Production")
        assert answer.disposition == disposition, (account, answer)


ADCSTEMPLATE = {
    "name": "PowerShellCMS", "displayName": "PowerShell CMS", "objectClass": "pKICertificateTemplate", "flags": 131680,
    "revision": 100, "msPKI-Cert-Template-OID": "1.3.6.1.4.1.311.21.8.1.2.3.4.5.6.7.8",
    "msPKI-Certificate-Application-Policy": ["1.3.6.1.4.1.311.80.1"], "msPKI-Certificate-Name-Flag": 268435456,
    "msPKI-Enrollment-Flag": 32, "msPKI-Minimal-Key-Size": 2048, "msPKI-Private-Key-Flag": 16842752, "msPKI-RA-Signature": 0,
    "msPKI-Template-Minor-Revision": 1, "msPKI-Template-Schema-Version": 2, "pKICriticalExtensions": ["2.5.29.15"],
    "pKIDefaultCSPs": ["1,Microsoft RSA SChannel Cryptographic Provider"], "pKIDefaultKeySpec": 1,
    "pKIExpirationPeriod": [0, 128, 114, 14, 93, 194, 253, 255], "pKIExtendedKeyUsage": ["1.3.6.1.4.1.311.80.1"],
    "pKIKeyUsage": [32], "pKIMaxIssuingDepth": 0, "pKIOverlapPeriod": [0, 128, 166, 10, 255, 222, 255, 255],
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_adcstemplate_json(server, tmp_path, encoding):
    """What Export-ADCSTemplate writes; PowerShell's Out-File makes it UTF-16."""
    path = tmp_path / "template.json"
    path.write_bytes(json.dumps(ADCSTEMPLATE, indent=4).encode(encoding))
    server.ctl("template", "import", str(path))
    found = attributes(server, "PowerShellCMS")
    for name in ("flags", "msPKI-Certificate-Name-Flag", "msPKI-Private-Key-Flag", "pKIDefaultKeySpec", "revision"):
        assert found[name] == [str(ADCSTEMPLATE[name])]
    assert base64.b64decode(found["pKIKeyUsage"][0]) == b"\x20" or found["pKIKeyUsage"] == [" "] or found["pKIKeyUsage"] == [""]
    assert base64.b64decode(found["pKIExpirationPeriod"][0]) == bytes(ADCSTEMPLATE["pKIExpirationPeriod"])
    assert found["pKIExtendedKeyUsage"] == ADCSTEMPLATE["pKIExtendedKeyUsage"]
    assert found["msPKI-Cert-Template-OID"] != [ADCSTEMPLATE["msPKI-Cert-Template-OID"]]  # a new one of this forest
    assert server.json("template", "diff", "PowerShellCMS", "--against", str(path))["equal"]
    assert server.ctl("template", "acl", "show", "PowerShellCMS", "--sddl").startswith("O:EAG:EAD:")
    server.ctl("template", "delete", "PowerShellCMS")


AWS = {"TemplateV4": {
    "CertificateValidity": {"ValidityPeriod": {"Period": 2, "PeriodType": "YEARS"},
                            "RenewalPeriod": {"Period": 6, "PeriodType": "WEEKS"}},
    "SupersededTemplates": ["User"],
    "PrivateKeyAttributes": {"MinimalKeyLength": 3072, "KeySpec": "SIGNATURE", "Algorithm": "RSA",
                             "CryptoProviders": ["Microsoft Software Key Storage Provider"],
                             "KeyUsageProperty": {"PropertyFlags": {"Sign": True, "Decrypt": True}}},
    "PrivateKeyFlags": {"ExportableKey": True, "RequireSameKeyRenewal": True, "ClientVersion": "WINDOWS_SERVER_2012_R2"},
    "EnrollmentFlags": {"IncludeSymmetricAlgorithms": True, "UserInteractionRequired": True},
    "SubjectNameFlags": {"RequireCommonName": True, "SanRequireUpn": True, "RequireEmail": False},
    "GeneralFlags": {"AutoEnrollment": True, "MachineType": False}, "HashAlgorithm": "SHA512",
    "Extensions": {"KeyUsage": {"Critical": True, "UsageFlags": {"DigitalSignature": True, "NonRepudiation": True}},
                   "ApplicationPolicies": {"Critical": True, "Policies": [
                       {"PolicyType": "CLIENT_AUTHENTICATION"}, {"PolicyType": "SMART_CARD_LOGIN"},
                       {"PolicyObjectIdentifier": "1.2.3.4"}]}}}}


@pytest.mark.parametrize("wrap", [
    lambda d: {"ConnectorArn": "arn:aws:x", "Name": "Cloud Users", "Definition": d},                        # CreateTemplate
    lambda d: {"Template": {"Name": "Cloud Users", "Definition": d, "Revision": {"MajorRevision": 100, "MinorRevision": 0}}},
    lambda d: {"Type": "AWS::PCAConnectorAD::Template", "Properties": {"Name": "Cloud Users", "Definition": d}},
])
def test_aws_json(server, tmp_path, wrap):
    path = tmp_path / "aws.json"
    path.write_text(json.dumps(wrap(AWS)))
    server.ctl("template", "import", str(path))
    found = attributes(server, "CloudUsers")
    assert found["displayName"] == ["Cloud Users"] and found["msPKI-Template-Schema-Version"] == ["4"]
    assert int(found["msPKI-Private-Key-Flag"][0]) == 0x05050090 and found["msPKI-Enrollment-Flag"] == [str(0x121)]
    assert found["msPKI-Certificate-Name-Flag"] == [str(0x42000000)] and found["msPKI-Minimal-Key-Size"] == ["3072"]
    assert found["pKIExtendedKeyUsage"] == ["1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2", "1.2.3.4"]
    assert set(found["pKICriticalExtensions"]) == {"2.5.29.15", "2.5.29.37", "1.3.6.1.4.1.311.21.10"}
    assert found["pKIDefaultCSPs"] == ["1,Microsoft Software Key Storage Provider"] and found["pKIDefaultKeySpec"] == ["2"]
    assert base64.b64decode(found["pKIExpirationPeriod"][0]) == bytes([0, 128, 114, 14, 93, 194, 253, 255])
    assert "msPKI-Hash-Algorithm`PZPWSTR`SHA512`msPKI-Key-Usage`DWORD`3`" in found["msPKI-RA-Application-Policies"][0]
    assert found["msPKI-Supersede-Templates"] == ["User"]
    server.ctl("template", "delete", "CloudUsers")


@pytest.mark.parametrize("text,told", [
    ("", "holds no certificate template"),
    ("version: 1\n\ndn: CN=x\nobjectClass: top\n", "holds no certificate template"),
    ("nonsense\n", "attribute: value"),
    ("dn: CN=x\nchangetype: delete\n", "change records"),
    ("{", ":1: "),
    ("{}", "neither"),
    ("[1]", "neither"),
    (json.dumps({**ADCSTEMPLATE, "flags": "many"}), "flags is not a 32-bit number"),
    (json.dumps({**ADCSTEMPLATE, "flags": 1 << 40}), "flags is not a 32-bit number"),
    (json.dumps({**ADCSTEMPLATE, "pKIKeyUsage": [256]}), "not an octet"),
    (json.dumps({**ADCSTEMPLATE, "pKIExtendedKeyUsage": [1]}), "not text"),
    (json.dumps({**ADCSTEMPLATE, "name": "a,b"}), "a name may not have"),
    (json.dumps(AWS).replace("WINDOWS_SERVER_2012_R2", "WINDOWS_98"), "ClientVersion"),
    (json.dumps(AWS).replace("YEARS", "MOONS"), "no period"),
    (json.dumps(AWS).replace("SMART_CARD_LOGIN", "TEA_MAKING"), "TEA_MAKING"),
])
def test_files_that_are_none(server, tmp_path, text, told):
    path = tmp_path / "bad.json"
    path.write_text(text)
    before = server.json("template", "list")
    assert told in server.json("template", "import", str(path), code=1)["error"]["message"]
    assert server.json("template", "list") == before


def test_diff(server):
    told = server.json("template", "diff", "User", "RoundTrip", code=1)
    rows = {r.get("option"): r for r in told["differences"]}
    assert rows["compat-ca"] == {"tab": "Compatibility", "label": "Certification Authority", "a": "none", "b": "2016",
                                 "option": "compat-ca"}
    assert rows["provider-category"]["b"] == "ksp" and rows["superseded"]["b"] == "User"
    assert "minimum-key-size" not in rows
    # Typed as options, the differences make the one into the other.
    server.ctl("template", "duplicate", "User", "--display-name", "Second", "--compat-ca", "2016", "--compat-recipient", "10",
               "--provider-category", "ksp")
    server.ctl("template", "set", "Second", "--validity", "2y", "--manager-approval", "yes", "--key-usage", "digital-signature")
    rows = server.json("template", "diff", "RoundTrip", "Second", code=1)["differences"]
    options = [part for r in rows if "option" in r for part in ("--" + r["option"], r["a"])]
    server.ctl("template", "set", "Second", *options)
    assert server.json("template", "diff", "RoundTrip", "Second")["equal"]


def test_delete_leaves_the_publication(fresh):
    server = fresh()
    server.ctl("ca", "publish", "Workstation")
    told = server.json("template", "delete", "Workstation")
    assert told["publishedBy"] == [harness.CA_NAME] and "Workstation" in server.json("ca", "show")["templates"]
    with icpr.Client(server, "WS01$", harness.PASSWORDS["WS01$"]) as c:
        assert c.request(pkcs10.csr(), "CertificateTemplate:Workstation").disposition == 0x80094800
    server.ctl("ca", "unpublish", "Workstation")
    assert "Workstation" not in server.json("ca", "show")["templates"]
