"""
The how-to's 14 steps as a script of adcsctl verbs: enrolled through by a client that was not written here, then each step
forgotten or done wrong in turn, with the symptom that compatibility.md section 7 tells.
"""
import os
import subprocess

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU
from cryptography.x509.oid import ExtensionOID

import harness
import icpr
import pkcs10

SCRIPT = harness.ROOT / "fixtures/howto/configure-templates"
CONNECTOR = "CORP\\PFXCONN01$"
ISSUED, PENDING = icpr.CR_DISP_ISSUED, icpr.CR_DISP_UNDER_SUBMISSION
EFS = x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.4")


def configure(server, skip=""):
    done = subprocess.run([str(SCRIPT)], capture_output=True, text=True, timeout=120, check=False, env={
        **os.environ, "ADCSD_STATE": server.state, "ADCSCTL": str(harness.BUILD / "adcsctl"), "SKIP": skip})
    assert done.returncode == 0, done.stdout + done.stderr


def enroll(server, template="IntunePKCS", key=None, san=None):
    """What the connector does: its computer account asks, with a subject and a key of its own making."""
    with icpr.Client(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        name = pkcs10.subject(cn="Jane Doe", e="janedoe@contoso.com")
        names = san or [pkcs10.upn_name("janedoe@contoso.com")]
        return c.request(pkcs10.csr(key=key, name=name, san=names), f"CertificateTemplate:{template}")


def certificate(answer):
    assert answer.disposition == ISSUED, answer
    return x509.load_der_x509_certificate(answer.certificate)


def usages(cert):
    return set(cert.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value)


def test_all_steps(fresh):
    server = fresh()
    configure(server)
    cert = certificate(enroll(server))
    assert "CN=Jane Doe" in cert.subject.rfc4514_string()
    assert usages(cert) == {EFS, EKU.EMAIL_PROTECTION, EKU.CLIENT_AUTH}
    usage = cert.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE)
    assert usage.critical and usage.value.digital_signature and usage.value.key_encipherment
    assert not usage.value.content_commitment
    san = cert.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    assert pkcs10.upn_name("janedoe@contoso.com") in list(san)


def test_reference_entry(fresh):
    """The LDIF that compatibility.md gives as the result, attribute for attribute."""
    server = fresh()
    configure(server)
    done = subprocess.run(["ldapsearch", "-Q", "-LLL", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-H", server.ldapi, "-b",
                           server.template_dn("IntunePKCS"), "-s", "base"], capture_output=True, text=True, timeout=60, check=True)
    lines = set(done.stdout.splitlines())
    for line in ("objectClass: pKICertificateTemplate", "cn: IntunePKCS", "displayName: Intune PKCS", "flags: 131642",
                 "revision: 100", "pKIDefaultKeySpec: 1", "pKIKeyUsage:: oAA=", "pKIMaxIssuingDepth: 0",
                 "pKICriticalExtensions: 2.5.29.15", "pKIExpirationPeriod:: AEA5hy7h/v8=", "pKIOverlapPeriod:: AICmCv/e//8=",
                 "pKIExtendedKeyUsage: 1.3.6.1.4.1.311.10.3.4", "pKIExtendedKeyUsage: 1.3.6.1.5.5.7.3.4",
                 "pKIExtendedKeyUsage: 1.3.6.1.5.5.7.3.2", "pKIDefaultCSPs: 1,Microsoft Enhanced Cryptographic Provider v1.0",
                 "msPKI-RA-Signature: 0", "msPKI-Enrollment-Flag: 9", "msPKI-Private-Key-Flag: 50528272",
                 "msPKI-Certificate-Name-Flag: 1", "msPKI-Minimal-Key-Size: 2048", "msPKI-Template-Schema-Version: 2",
                 "msPKI-Certificate-Application-Policy: 1.3.6.1.4.1.311.10.3.4"):
        assert line in lines, f"{line} is missing in\n{done.stdout}"


@pytest.mark.parametrize("skip,disposition", [
    ("3", 0x80094800),   # nothing was duplicated
    ("5", 0x80094800),   # the template has another name than the profile says
    ("7", 0x80094811),   # the minimum is above the connector's keys
    ("8", 0x80094812),   # the subject is built from the connector's account, which has no mail
    ("10", 0x80094012),  # no Enroll right on the template
    ("11", 0x80094800),  # never saved
    ("12", 0x80094800),  # not published
])
def test_a_forgotten_step_refuses(fresh, skip, disposition):
    server = fresh()
    configure(server, skip)
    answer = enroll(server)
    assert answer.disposition == disposition, answer


def test_4_compatibility_forgotten(fresh):
    """2003 / XP, as the console presets: still issues."""
    server = fresh()
    configure(server, "4")
    assert server.json("template", "show", "IntunePKCS")["Compatibility"]["Certification Authority"] == "Windows Server 2003"
    certificate(enroll(server))


def test_6_export_forgotten(fresh):
    """The CA cannot see it: it issues, and the connector could not export the key."""
    server = fresh()
    configure(server, "6")
    number = subprocess.run(["ldapsearch", "-Q", "-LLL", "-Y", "EXTERNAL", "-H", server.ldapi, "-b", server.template_dn("IntunePKCS"),
                             "msPKI-Private-Key-Flag"], capture_output=True, text=True, timeout=60, check=True).stdout
    assert "msPKI-Private-Key-Flag: 50528256" in number  # 0x03030000
    certificate(enroll(server))


def test_9_extensions_forgotten(fresh):
    server = fresh()
    configure(server, "9")
    cert = certificate(enroll(server))
    assert usages(cert) == {EKU.EMAIL_PROTECTION}
    assert cert.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE).value.content_commitment


def test_13_request_certificates_missing(fresh):
    """On a CA where Authenticated Users may not request, as hardened ones are."""
    server = fresh()
    configure(server, "13")
    assert enroll(server).disposition == ISSUED  # Authenticated Users still may
    server.ctl("ca", "acl", "remove", "Authenticated Users")
    answer = enroll(server)
    assert 0x80094011 in (answer.disposition, answer.code), answer
    server.ctl("ca", "acl", "grant", CONNECTOR, "RequestCertificates")
    assert enroll(server).disposition == ISSUED


def test_13_issue_and_manage_missing(fresh):
    """Issuing works; managing certificates is what is missing, and the CA's access list says so."""
    server = fresh()
    configure(server, "13")
    assert CONNECTOR not in server.ctl("ca", "acl", "show") and enroll(server).disposition == ISSUED
    server.ctl("ca", "acl", "grant", CONNECTOR, "IssueAndManageCertificates")
    line, = [text for text in server.ctl("ca", "acl", "show").splitlines() if CONNECTOR in text]
    assert line.startswith("Allow") and "IssueAndManageCertificates" in line and "RequestCertificates" not in line


@pytest.fixture
def configured(fresh):
    server = fresh()
    configure(server)
    return server


def test_display_name_in_the_profile(configured):
    assert enroll(configured, template="Intune PKCS").disposition == 0x80094800


def test_weak_key(configured):
    assert enroll(configured, key=pkcs10.rsa_key(1024)).disposition == 0x80094811


def test_manager_approval(configured):
    configured.ctl("template", "set", "IntunePKCS", "--manager-approval", "yes")
    assert enroll(configured).disposition == PENDING


def test_compatibility_raised_to_2012_with_a_key_storage_provider(configured):
    """Schema 4: still issues."""
    configured.ctl("template", "duplicate", "IntunePKCS", "--display-name", "Intune KSP", "--compat-ca", "2012", "--compat-recipient",
                   "8", "--provider-category", "ksp")
    configured.ctl("template", "acl", "grant", "IntuneKSP", CONNECTOR, "Read", "Enroll")
    configured.ctl("ca", "publish", "IntuneKSP")
    certificate(enroll(configured, template="IntuneKSP"))


def test_strong_mapping(configured):
    """The connector writes the SID URI; the CA keeps it where the request supplies the names."""
    uri = x509.UniformResourceIdentifier("tag:microsoft.com,2022-09-14:sid:S-1-5-21-1111111111-2222222222-3333333333-1104")
    cert = certificate(enroll(configured, san=[pkcs10.upn_name("janedoe@contoso.com"), uri]))
    assert uri in list(cert.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value)


def test_supply_in_the_request_undone(configured):
    """Microsoft lists this symptom: the subject cannot be built, the mail is missing."""
    configured.ctl("template", "set", "IntunePKCS", "--subject", "directory", "--subject-format", "distinguished-name",
                   "--include-email", "yes")
    assert enroll(configured).disposition == 0x80094812


def test_unpublished(configured):
    configured.ctl("ca", "unpublish", "IntunePKCS")
    assert enroll(configured).disposition == 0x80094800
