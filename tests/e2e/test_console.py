"""The Certificate Templates console as verbs: what they write is read back by ldapsearch, not by us."""
import base64
import subprocess

import pytest

import harness


@pytest.fixture(scope="module")
def server():
    made = harness.Server().start()
    yield made
    made.remove()


def attributes(server, cn, container="Certificate Templates"):
    """Attribute -> list of values, binary ones in base64, as OpenLDAP's tool prints them."""
    base = server.template_dn(cn).replace("Certificate Templates", container)
    done = subprocess.run(["ldapsearch", "-Q", "-LLL", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-H", server.ldapi, "-b", base,
                           "-s", "base"], capture_output=True, text=True, timeout=60, check=True)
    found = {}
    for line in done.stdout.splitlines():
        if ":" in line:
            name, value = line.split(":", 1)
            found.setdefault(name, []).append(value.lstrip(": "))
    return found


def number(server, cn, attribute):
    return int(attributes(server, cn)[attribute][0]) & 0xFFFFFFFF


def copy(server, name, *options, source="User"):
    server.ctl("template", "duplicate", source, "--display-name", name, *options)


def test_how_to_choices_write_what_the_reference_says(server):
    copy(server, "How To", "--compat-ca", "2008R2", "--compat-recipient", "7", "--allow-export", "yes", "--subject", "request",
         "--minimum-key-size", "2048")
    found = attributes(server, "HowTo")
    assert found["msPKI-Private-Key-Flag"] == ["50528272"] and found["msPKI-Template-Schema-Version"] == ["2"]
    assert found["msPKI-Certificate-Name-Flag"] == ["1"] and found["msPKI-Enrollment-Flag"] == ["9"]
    assert found["flags"] == ["131642"] and found["revision"] == ["100"]
    assert found["pKIExtendedKeyUsage"] == found["msPKI-Certificate-Application-Policy"] == [
        "1.3.6.1.4.1.311.10.3.4", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.2"]


def test_key_storage_provider_template(server):
    copy(server, "Modern", "--compat-ca", "2016", "--compat-recipient", "10", "--provider-category", "ksp", "--algorithm",
         "ECDSA_P256", "--request-hash", "SHA384", "--minimum-key-size", "256", "--renew-same-key", "yes",
         "--authorized-signatures", "1", "--signature-application-policies", "certificate-request-agent")
    found = attributes(server, "Modern")
    assert number(server, "Modern", "msPKI-Private-Key-Flag") == 0x06060090
    assert found["msPKI-Template-Schema-Version"] == ["4"] and "pKIDefaultCSPs" not in found
    assert found["msPKI-RA-Application-Policies"] == [
        "msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P256`msPKI-Hash-Algorithm`PZPWSTR`SHA384`msPKI-Key-Usage`DWORD`16777215`"
        "msPKI-RA-Application-Policies`PZPWSTR`1.3.6.1.4.1.311.20.2.1`msPKI-Symmetric-Algorithm`PZPWSTR`3DES`"
        "msPKI-Symmetric-Key-Length`DWORD`168`"]


def test_levels_refuse_and_name_what_would_do(server):
    copy(server, "Old")
    before = attributes(server, "Old")
    assert number(server, "Old", "msPKI-Private-Key-Flag") == 0x01010010
    for option, names in (("--renew-same-key", "Windows Server 2012 and Certificate recipient Windows 8"),
                          ("--do-not-store", "Windows Server 2008 R2"), ("--reuse-key", "Windows Vista")):
        error = server.json("template", "set", "Old", option, "yes", code=1)["error"]
        assert names in error["message"] and error["name"] == "E_INVALIDARG"
    assert attributes(server, "Old") == before


def test_lowering_switches_off(server):
    copy(server, "Lower", "--compat-ca", "2016", "--compat-recipient", "10", "--renew-same-key", "yes", "--attestation", "required",
         "--attestation-based-on", "hardware-key")
    told = server.json("template", "set", "Lower", "--compat-ca", "2008R2", "--show-resulting-changes")
    assert "Renew with the same key" in told["switchedOff"] and "Allow key based renewal" in told["removed"]
    assert number(server, "Lower", "msPKI-Private-Key-Flag") == 0x06062990  # nothing saved
    server.ctl("template", "set", "Lower", "--compat-ca", "2008R2")
    assert number(server, "Lower", "msPKI-Private-Key-Flag") == 0x06030110
    assert attributes(server, "Lower")["msPKI-Template-Schema-Version"] == ["4"]  # fixed at the first save


def test_revisions(server):
    copy(server, "Versions")
    server.ctl("template", "set", "Versions", "--validity", "2y")
    assert attributes(server, "Versions")["msPKI-Template-Minor-Revision"] == ["3"]
    server.ctl("template", "set", "Versions", "--validity", "2y")  # nothing to save
    assert attributes(server, "Versions")["msPKI-Template-Minor-Revision"] == ["3"]
    server.ctl("template", "reenroll", "Versions")
    found = attributes(server, "Versions")
    assert found["revision"] == ["101"] and found["msPKI-Template-Minor-Revision"] == ["0"]


def test_superseded_templates_exist(server):
    copy(server, "New User")
    server.ctl("template", "set", "NewUser", "--superseded", "user,ClientAuth")
    assert attributes(server, "NewUser")["msPKI-Supersede-Templates"] == ["User", "ClientAuth"]
    assert "no template" in server.json("template", "set", "NewUser", "--superseded", "Nobody", code=1)["error"]["message"]


def test_schema_1_has_only_its_security_tab(server):
    assert "duplicate it first" in server.json("template", "set", "User", "--validity", "2y", code=1)["error"]["message"]
    server.ctl("template", "acl", "grant", "User", "CORP\\PFXCONN01$", "Read")
    server.ctl("template", "acl", "remove", "User", "CORP\\PFXCONN01$")


def test_help_is_the_property_sheet(server):
    text = server.ctl("help", "template")
    tabs = ["General", "Compatibility", "Request Handling", "Cryptography", "Key Attestation", "Subject Name", "Server",
            "Issuance Requirements", "Superseded Templates", "Extensions"]
    lines = text.splitlines()
    where = [lines.index("    " + tab) for tab in tabs]
    assert where == sorted(where)
    for label in ("Allow private key to be exported", "Use alternate signature format", "Allow key based renewal",
                  "Do not store certificates and requests in the CA database"):
        assert label in text


def test_sddl_in_and_out(server):
    from samba.dcerpc import security as samba
    from samba import ndr
    copy(server, "Sddl")
    sddl = "D:P(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;EA)(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;DU)(D;;LCRPLORC;;;BG)"
    server.ctl("template", "acl", "set", "Sddl", "--sddl", sddl)
    raw = base64.b64decode(attributes(server, "Sddl")["nTSecurityDescriptor"][0])
    domain = samba.dom_sid("S-1-5-21-1111111111-2222222222-3333333333")
    read = ndr.ndr_unpack(samba.descriptor, raw)
    assert read.dacl.num_aces == 3 and str(read.dacl.aces[1].trustee) == f"{domain}-513"
    assert read.owner_sid is not None  # kept
    out = server.ctl("template", "acl", "show", "Sddl", "--sddl").strip()
    assert "(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;DU)" in out
    server.ctl("template", "acl", "set", "Sddl", "--sddl", out)
    assert base64.b64decode(attributes(server, "Sddl")["nTSecurityDescriptor"][0]) == raw
    assert "at " in server.json("template", "acl", "set", "Sddl", "--sddl", "D:(A;;XX;;;DU)", code=1)["error"]["message"]


def test_remove_by_right(server):
    copy(server, "Rights")
    server.ctl("template", "acl", "grant", "Rights", "CORP\\PFXCONN01$", "Read", "Write", "Enroll")
    server.ctl("template", "acl", "remove", "Rights", "CORP\\PFXCONN01$", "Enroll", "Write")
    mine = [a["rights"] for a in server.json("template", "acl", "show", "Rights")["aces"] if a["principal"] == "CORP\\PFXCONN01$"]
    assert mine == ["Read"]
    server.ctl("template", "acl", "remove", "Rights", "CORP\\PFXCONN01$", "Enroll", code=1)
