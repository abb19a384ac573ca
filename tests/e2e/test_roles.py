"""Restrictions of enrollment agents and certificate managers, settings that change while the CA runs, and what the
directory tells of the CA's rights; requests by impacket, descriptors read by Samba, the directory by ldapsearch."""
import base64
import json
import re
import struct
import subprocess

import pytest
from cryptography import x509
from samba.dcerpc import security
from samba.ndr import ndr_unpack

import harness
import icpr
import pkcs10
import signed_requests as sr

ISSUED, PENDING, RESTRICTED = icpr.CR_DISP_ISSUED, icpr.CR_DISP_UNDER_SUBMISSION, 0x80094009
DOMAIN = "S-1-5-21-1111111111-2222222222-3333333333"
NEW_KEY = pkcs10.rsa_key(number=3)


@pytest.fixture(scope="module")
def server():
    made = harness.Server().start()
    made.ctl("ca", "publish", "EnrollmentAgent", "Workstation")
    made.ctl("template", "acl", "grant", "EnrollmentAgent", "CORP\\agent", "Read", "Enroll")
    yield made
    made.remove()


def client(server, account):
    return icpr.Client(server, account, harness.PASSWORDS[account])


@pytest.fixture(scope="module")
def agent(server):
    key = pkcs10.rsa_key(number=1)
    with client(server, "agent") as c:
        answer = c.request(pkcs10.csr(key), "CertificateTemplate:EnrollmentAgent", 0, server.ready["ca"])
    assert answer.disposition == ISSUED
    return x509.load_der_x509_certificate(answer.certificate), key


@pytest.fixture(autouse=True)
def unrestricted(server):
    yield
    server.ctl("ca", "agent-rights", "clear")
    server.ctl("ca", "officer-rights", "clear")


def for_jane(server, agent, template="User", who="agent"):
    certificate, key = agent
    with client(server, who) as c:
        answer = c.request(sr.certipy_on_behalf(NEW_KEY, key, certificate, "CORP\\janedoe"),
                           f"CertificateTemplate:{template}", 0, server.ready["ca"])
    return answer


# ---- enrollment agents ----

@pytest.mark.parametrize("entries, disposition", [
    ([], ISSUED),
    ([("allow", "CORP\\agent")], ISSUED),
    ([("allow", "CORP\\agent", "--templates", "User")], ISSUED),
    ([("allow", "CORP\\agent", "--templates", "WebServer")], RESTRICTED),
    ([("allow", "CORP\\agent", "--for", "Domain Users")], ISSUED),  # through janedoe's primary group
    ([("allow", "CORP\\agent", "--for", "Domain Admins")], RESTRICTED),
    ([("allow", "CORP\\Administrator")], RESTRICTED),
    ([("allow", "Domain Users", "--for", "CORP\\janedoe")], ISSUED),
    ([("allow", "CORP\\agent"), ("deny", "CORP\\agent", "--for", "CORP\\janedoe", "--templates", "User")], RESTRICTED),
    ([("allow", "CORP\\agent"), ("remove", "CORP\\agent")], RESTRICTED),  # restricted, and nobody has an entry
])
def test_agent(server, agent, entries, disposition):
    for what, who, *more in entries:
        server.ctl("ca", "agent-rights", what, who, *more)
    answer = for_jane(server, agent)
    assert answer.code == 0 and answer.disposition == disposition, answer.message
    if disposition == ISSUED:
        return
    row = server.json("request", "show", str(answer.request_id))
    assert row["status"] == "0x80094009" and row["state"] == "denied"
    assert answer.message.startswith("Denied by Policy Module  0x80094009, ")
    rules = server.json("request", "explain", str(answer.request_id), code=4)["rules"]
    assert rules[-1]["step"] == 23 and "Enrollment Agents" in rules[-1]["fix"]


def test_restrictions_are_for_agents_only(server):
    """Who asks for itself needs no entry."""
    server.ctl("ca", "agent-rights", "allow", "CORP\\Administrator")
    with client(server, "janedoe") as c:
        assert c.request(pkcs10.csr(), "CertificateTemplate:User", 0, server.ready["ca"]).disposition == ISSUED


def test_rights_as_windows_writes_them(server, agent):
    """The descriptor of another program: access-control.md section 4, made octet by octet here."""
    def sid(text):
        parts = [int(n) for n in text.split("-")[2:]]
        return bytes([1, len(parts) - 1]) + parts[0].to_bytes(6, "big") + b"".join(struct.pack("<I", n) for n in parts[1:])
    account = server.json("principal", "show", "CORP\\agent")["sids"][0]["sid"]
    data = struct.pack("<I", 1) + sid(f"{DOMAIN}-513") + "User".encode("utf-16le") + b"\0\0\0\0"
    server.ctl("ca", "agent-rights", "set", "--sddl", f"O:BAG:BAD:(XA;;0x10000;;;{account};#{data.hex()})")
    assert for_jane(server, agent).disposition == ISSUED
    shown = server.json("ca", "agent-rights", "show")
    assert shown["restricted"] and shown["entries"] == [
        {"type": "allow", "principal": account, "name": "CORP\\agent", "template": "User",
         "subjects": [f"{DOMAIN}-513"], "subjectNames": ["CORP\\Domain Users"]}]
    assert "CORP\\agent" in server.ctl("ca", "agent-rights", "show")


def test_rights_survive_a_restart(fresh):
    server = fresh()
    server.ctl("ca", "officer-rights", "allow", "CORP\\janedoe", "--templates", "User", "--for", "Domain Computers")
    server.ctl("ca", "set", "policy\\EditFlags", "+EDITF_ATTRIBUTEENDDATE")
    before = server.json("ca", "officer-rights", "show")
    server.kill()
    server.start()
    assert server.json("ca", "officer-rights", "show") == before
    assert server.json("ca", "get", "EditFlags")["settings"][0]["value"] == "0x11016e"


@pytest.mark.parametrize("args, code", [
    (["allow", "CORP\\nobody-here"], 1), (["allow", "CORP\\agent", "--for", "CORP\\nobody-here"], 1),
    (["remove", "CORP\\agent"], 1), (["set"], 2), (["set", "--sddl", "D:(A;;0x10000;;;DU)"], 1),
    (["set", "--sddl", "D:(XA;;0x10000;;;DU;#ffffffff)"], 1)])
def test_wrong_rights(server, args, code):
    server.ctl("ca", "officer-rights", *args, code=code)
    assert not server.json("ca", "officer-rights", "show")["restricted"]


# ---- settings ----

def pem_extensions(answer):
    return {e.oid.dotted_string for e in x509.load_der_x509_certificate(answer.certificate).extensions}


def test_settings_rule_the_next_request(server):
    def ask(attributes=""):
        with client(server, "janedoe") as c:
            return c.request(pkcs10.csr(), "CertificateTemplate:User" + attributes, 0, server.ready["ca"])

    assert "1.3.6.1.4.1.311.25.2" in pem_extensions(ask())
    server.ctl("ca", "set", "policy\\DisableExtensionList", "+1.3.6.1.4.1.311.25.2")
    assert "1.3.6.1.4.1.311.25.2" not in pem_extensions(ask())
    server.ctl("ca", "set", "policy\\EditFlags", "+EDITF_ATTRIBUTESUBJECTALTNAME2")
    names = x509.load_der_x509_certificate(ask("\nSAN:dns=evil.contoso.com").certificate).extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["evil.contoso.com"]
    server.ctl("ca", "set", "RequestDisposition", "0x101")
    assert ask().disposition == PENDING
    for name in ("policy\\DisableExtensionList", "EditFlags", "RequestDisposition"):
        server.ctl("ca", "unset", name)
    assert "1.3.6.1.4.1.311.25.2" in pem_extensions(ask("\nSAN:dns=evil.contoso.com"))
    server.ctl("ca", "set", "CA\\InterfaceFlags", "+IF_NORPCICERTREQUEST")
    with client(server, "janedoe") as c:
        assert c.request(pkcs10.csr(), "CertificateTemplate:User", 0, server.ready["ca"]).code == 0x800706BA
    server.ctl("ca", "unset", "CA\\InterfaceFlags")


def test_every_setting_is_shown(server):
    listed = server.json("ca", "get")["settings"]
    names = {s["name"] for s in listed}
    assert {"CA\\InterfaceFlags", "policy\\EditFlags", "exit\\PublishCertFlags", "CA\\RoleSeparationEnabled"} <= names
    for setting in listed:  # what is shown can be set again, and changes nothing
        if setting["fixed"] or setting["value"] == []:
            continue
        value = setting["value"] if isinstance(setting["value"], list) else [str(setting["value"])]
        server.ctl("ca", "set", setting["name"], *value)
    assert [s["value"] for s in server.json("ca", "get")["settings"]] == [s["value"] for s in listed]


def test_role_separation(server):
    server.ctl("ca", "role-separation", "on")
    assert server.json("ca", "get", "RoleSeparationEnabled")["settings"][0]["value"] == 1
    server.ctl("ca", "acl", "grant", "CORP\\bob", "Read")  # the local administrator stands above it
    server.ctl("ca", "role-separation", "off")
    server.ctl("ca", "role-separation", "maybe", code=2)


# ---- the directory's copy ----

ENROLL = "0e10c968-78fb-11d2-90d4-00c04f79dc55"


def service_enrollers(server):
    """Who has Enroll on the pKIEnrollmentService object, as Samba reads the descriptor."""
    found = subprocess.run(["ldapsearch", "-LLL", "-Q", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-H", server.ldapi, "-b",
                            "CN=Configuration,DC=corp,DC=contoso,DC=com", "(objectClass=pKIEnrollmentService)",
                            "nTSecurityDescriptor"], capture_output=True, text=True, check=True).stdout
    wire = base64.b64decode(re.search(r"^nTSecurityDescriptor:: (\S+)", found, re.M).group(1))
    return {(ace.type, str(ace.trustee)) for ace in ndr_unpack(security.descriptor, wire).dacl.aces
            if ace.type in (5, 6) and str(ace.object.type) == ENROLL}


def test_acl_is_repeated_in_the_directory(server):
    before = service_enrollers(server)
    assert before == {(5, "S-1-5-11")}
    server.ctl("ca", "acl", "grant", "Domain Computers", "RequestCertificates")
    server.ctl("ca", "acl", "deny", "CORP\\bob", "RequestCertificates")
    bob = server.json("principal", "show", "CORP\\bob")["sids"][0]["sid"]
    assert service_enrollers(server) == before | {(5, f"{DOMAIN}-515"), (6, bob)}
    server.ctl("ca", "acl", "set", "--sddl", "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)(A;;0x200;;;AU)")
    assert service_enrollers(server) == before
    assert json.loads(server.ctl("--json", "ca", "acl", "show"))["aces"][-1]["rights"] == ["RequestCertificates"]
