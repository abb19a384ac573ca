"""Renewals, enrolment on behalf of others, authorised signatures: requests inside CMS and CMC (MS-WCCE 2.2.2.6)."""
import subprocess

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

import harness
import icpr
import pkcs10
import signed_requests as sr

ISSUED = icpr.CR_DISP_ISSUED
VERIFYING = "Error Verifying Request Signature or Signing Certificate  "
AGENT_EKU = "1.3.6.1.4.1.311.20.2.1"
CONFLICT, BAD_RENEWAL, BAD_SIGNATURE, INVALID_DATA = 0x80094802, 0x8009400E, 0x80090006, 0x8007000D
NO_SIGNER, UNTRUSTED, EXPIRED, REJECTED = 0x8009200E, 0x800B0109, 0x800B0101, 0x8009480B


def duplicate(server, cn, **attributes):
    """A template of schema version 2 made from User, then changed by ldapmodify."""
    server.ctl("template", "duplicate", "User", "--display-name", cn, "--compat-ca", "2008R2", "--compat-recipient", "7")
    for account in ("CORP\\Domain Users", "CORP\\Domain Computers"):
        server.ctl("template", "acl", "grant", cn, account, "Read", "Enroll")
    edit(server, cn, **attributes)
    server.ctl("ca", "publish", cn)


def edit(server, cn, **attributes):
    lines = [f"dn: {server.template_dn(cn)}", "changetype: modify"]
    for name, value in attributes.items():
        values = value if isinstance(value, list) else [value]
        lines += [f"replace: {name.replace('_', '-')}", *(f"{name.replace('_', '-')}: {v}" for v in values), "-"]
    if attributes:
        server.ldapmodify("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def server():
    made = harness.Server().start()
    made.ctl("ca", "publish", "EnrollmentAgent")
    made.ctl("template", "acl", "grant", "EnrollmentAgent", "CORP\\agent", "Read", "Enroll")
    duplicate(made, "Supplied", msPKI_Certificate_Name_Flag=1, msPKI_Enrollment_Flag=0, msPKI_Minimal_Key_Size=256)
    duplicate(made, "Agents", msPKI_RA_Signature=1, msPKI_RA_Application_Policies=AGENT_EKU)
    duplicate(made, "Twice", msPKI_RA_Signature=2, msPKI_Certificate_Name_Flag=1)
    yield made
    made.remove()


def client(server, account):
    return icpr.Client(server, account, harness.PASSWORDS[account])


def enroll(server, account, template, key=None, **options):
    """A certificate the plain way; and the key."""
    key = key or pkcs10.rsa_key()
    with client(server, account) as c:
        answer = c.request(pkcs10.csr(key, **options), f"CertificateTemplate:{template}")
    assert answer.disposition == ISSUED, answer
    return x509.load_der_x509_certificate(answer.certificate), key


def submit(server, account, request, attributes="", code=ISSUED, flags=0):
    with client(server, account) as c:
        answer = c.request(request, attributes, flags)
    assert answer.code == 0 and answer.disposition == code, f"0x{answer.disposition:08x} {answer.message}"
    row = server.json("request", "show", str(answer.request_id))
    if code not in (ISSUED, icpr.CR_DISP_UNDER_SUBMISSION):
        assert answer.certificate == b"" and row["status"] == f"0x{code:08x}" and row["message"] == answer.message
        assert row["state"] == ("denied" if answer.message.startswith("Denied by Policy Module") else "failed")
    return answer, row


@pytest.fixture(scope="module")
def agent(server):
    return enroll(server, "agent", "EnrollmentAgent", pkcs10.rsa_key(number=1))


@pytest.fixture(scope="module")
def jane(server):
    return enroll(server, "janedoe", "User", pkcs10.rsa_key(number=2))


NEW_KEY = pkcs10.rsa_key(number=3)


def public(certificate):
    return certificate.public_key().public_numbers()


# ---- renewal ----

@pytest.mark.parametrize("shape", ["certipy", "windows", "openssl"])
@pytest.mark.parametrize("flags", [0, 0x300])
def test_renewal(server, jane, shape, flags, tmp_path):
    old, key = jane
    if shape == "openssl":
        request = openssl_renewal(old, key, tmp_path)
    else:
        request = {"certipy": sr.certipy_renewal, "windows": sr.windows_renewal}[shape](NEW_KEY, key, old)
    answer, row = submit(server, "janedoe", request, "CertificateTemplate:User", flags=flags)
    certificate = x509.load_der_x509_certificate(answer.certificate)
    assert public(certificate) == NEW_KEY.public_key().public_numbers()
    assert certificate.subject == old.subject
    assert row["columns"]["Request.RequestFlags"] == 2 and row["columns"]["Request.RequestType"] == 0x300
    assert row["requester"] == "CORP\\janedoe"


def openssl_renewal(old, key, folder):
    """openssl cms -sign: contentType, signingTime, messageDigest and S/MIME capabilities are signed."""
    inner = sr.request(NEW_KEY, old.subject, [sr.attribute(sr.RENEWAL_CERTIFICATE, sr.certificate_der(old))])
    (folder / "in").write_bytes(inner)
    (folder / "cert.pem").write_bytes(old.public_bytes(sr.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(
        sr.Encoding.PEM, pkcs10.serialization.PrivateFormat.PKCS8, pkcs10.serialization.NoEncryption()))
    subprocess.run(["openssl", "cms", "-sign", "-binary", "-nodetach", "-in", folder / "in", "-signer",
                    folder / "cert.pem", "-inkey", folder / "key.pem", "-outform", "DER", "-out", folder / "out"],
                   check=True, capture_output=True)
    return (folder / "out").read_bytes()


def test_renewal_by_template_extension_of_ec_key(server):
    key = pkcs10.ec_key()
    old, _ = enroll(server, "PFXCONN01$", "Supplied", key)
    answer, _ = submit(server, "PFXCONN01$", sr.windows_renewal(key, key, old), "CertificateTemplate:Supplied")
    assert public(x509.load_der_x509_certificate(answer.certificate)) == public(old)


def test_attribute_in_a_plain_pkcs10_renews_nothing(server, jane):
    old, key = jane
    inner = sr.request(NEW_KEY, attributes=[sr.attribute(sr.RENEWAL_CERTIFICATE, sr.certificate_der(old))])
    _, row = submit(server, "janedoe", inner, "CertificateTemplate:User")
    assert row["columns"]["Request.RequestFlags"] == 0


def renewal_refusals(server, old, key):
    other, other_key = enroll(server, "janedoe", "User", pkcs10.rsa_key(number=4))
    good = sr.request(NEW_KEY, old.subject, [sr.attribute(sr.RENEWAL_CERTIFICATE, sr.certificate_der(old))])
    yield "attribute is no certificate", BAD_RENEWAL, sr.signed_data(
        sr.request(NEW_KEY, attributes=[sr.attribute(sr.RENEWAL_CERTIFICATE, sr.octets(b"x"))]), [sr.Signer(key, old)])
    yield "certificate not in the message", BAD_RENEWAL, sr.signed_data(good, [sr.Signer(key, old)], certificates=[])
    yield "another certificate signed", BAD_RENEWAL, sr.signed_data(
        good, [sr.Signer(other_key, other)], certificates=[old, other])
    yield "signature by another key", BAD_SIGNATURE, sr.windows_renewal(NEW_KEY, other_key, old)
    yield "signature broken", BAD_SIGNATURE, sr.signed_data(good, [sr.Signer(key, old, corrupt=True)])
    yield "inner signature broken", BAD_SIGNATURE, sr.signed_data(sr.request(corrupt=True), [sr.Signer(key, old)])


def test_renewal_refusals(server, jane):
    for name, code, request in renewal_refusals(server, *jane):
        answer, _ = submit(server, "janedoe", request, "CertificateTemplate:User", code)
        assert answer.message.startswith(VERIFYING), name


def test_renewal_with_another_template(server, jane):
    old, key = jane
    answer, row = submit(server, "janedoe", sr.windows_renewal(NEW_KEY, key, old), "CertificateTemplate:Supplied",
                         CONFLICT)
    assert answer.message.startswith("Denied by Policy Module  0x80094802, ")
    rules = server.json("request", "explain", str(answer.request_id), code=4)["rules"]
    assert rules[-1]["step"] == 20 and rules[-1]["said"] == "refuse"


def test_same_key_renewal(server):
    duplicate(server, "SameKey", msPKI_Private_Key_Flag=0x80 | 0x10)
    old, key = enroll(server, "janedoe", "SameKey", pkcs10.rsa_key(number=5))
    submit(server, "janedoe", sr.windows_renewal(NEW_KEY, key, old), "CertificateTemplate:SameKey", 0x80094816)
    submit(server, "janedoe", sr.windows_renewal(key, key, old), "CertificateTemplate:SameKey")


PREVIOUS_APPROVAL, PEND_ALL = 0x40, 0x2


def test_approval_given_before(server):
    """CT_FLAG_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT: an old certificate stands for approval and signatures."""
    duplicate(server, "Approved", msPKI_Enrollment_Flag=0)
    old, key = enroll(server, "janedoe", "Approved", pkcs10.rsa_key(number=6))
    edit(server, "Approved", msPKI_Enrollment_Flag=PEND_ALL, msPKI_RA_Signature=1)
    renewal = sr.windows_renewal(NEW_KEY, key, old)
    submit(server, "janedoe", renewal, "CertificateTemplate:Approved", 0x80094809)
    edit(server, "Approved", msPKI_RA_Signature=0)
    submit(server, "janedoe", renewal, "CertificateTemplate:Approved", icpr.CR_DISP_UNDER_SUBMISSION)
    edit(server, "Approved", msPKI_Enrollment_Flag=PEND_ALL | PREVIOUS_APPROVAL, msPKI_RA_Signature=1)
    submit(server, "janedoe", renewal, "CertificateTemplate:Approved")
    # somebody else's certificate excuses nothing
    submit(server, "Administrator", renewal, "CertificateTemplate:Approved", 0x80094809)


def test_supplied_renewal_keeps_the_names(server):
    """Subject as before; the old alternative names are copied, and without them nothing is excused."""
    san = [x509.DNSName("old.contoso.com")]
    old, key = enroll(server, "PFXCONN01$", "Supplied", pkcs10.rsa_key(number=7), san=san)
    edit(server, "Supplied", msPKI_Enrollment_Flag=PEND_ALL | PREVIOUS_APPROVAL)
    try:
        answer, _ = submit(server, "PFXCONN01$", sr.windows_renewal(NEW_KEY, key, old), "CertificateTemplate:Supplied")
        names = x509.load_der_x509_certificate(answer.certificate).extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
        assert names.get_values_for_type(x509.DNSName) == ["old.contoso.com"]
        changed = sr.windows_renewal(NEW_KEY, key, old, name=pkcs10.subject(cn="other.contoso.com"))
        submit(server, "PFXCONN01$", changed, "CertificateTemplate:Supplied", icpr.CR_DISP_UNDER_SUBMISSION)
    finally:
        edit(server, "Supplied", msPKI_Enrollment_Flag=0)


def test_key_based_renewal_needs_no_right(server):
    duplicate(server, "KeyBased", msPKI_Certificate_Name_Flag=1, msPKI_Enrollment_Flag=PREVIOUS_APPROVAL)
    old, key = enroll(server, "PFXCONN01$", "KeyBased", pkcs10.rsa_key(number=8))
    server.ctl("template", "acl", "remove", "KeyBased", "CORP\\Domain Computers")
    renewal = sr.windows_renewal(NEW_KEY, key, old)
    submit(server, "PFXCONN01$", renewal, "CertificateTemplate:KeyBased", 0x80094012)
    edit(server, "KeyBased", msPKI_Enrollment_Flag=PREVIOUS_APPROVAL | 0x10000)
    submit(server, "PFXCONN01$", renewal, "CertificateTemplate:KeyBased")


# ---- on behalf of ----

@pytest.mark.parametrize("whom", ["CORP\\janedoe", "corp\\JaneDoe", "janedoe"])
@pytest.mark.parametrize("template", ["User", "Agents"])
def test_on_behalf(server, agent, whom, template):
    certificate, key = agent
    answer, row = submit(server, "agent", sr.certipy_on_behalf(NEW_KEY, key, certificate, whom),
                         f"CertificateTemplate:{template}")
    made = x509.load_der_x509_certificate(answer.certificate)
    assert "Jane Doe" in made.subject.rfc4514_string()
    upn = made.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    assert pkcs10.upn_name("janedoe@contoso.com") in list(upn)
    assert b"S-1-5-21-" in made.extensions.get_extension_for_oid(
        x509.ObjectIdentifier("1.3.6.1.4.1.311.25.2")).value.value
    assert row["requester"] == "CORP\\janedoe"
    assert row["columns"]["Request.CallerName"] == "CORP\\agent" and row["columns"]["Request.RequestFlags"] == 0x10
    assert row["attributes"]["requestername"] == whom


def test_on_behalf_in_cmc(server, agent):
    certificate, key = agent
    new = sr.request(NEW_KEY)
    request = sr.cmc(new, [sr.reg_info("CertificateTemplate=Agents&requestername=CORP\\janedoe")],
                     [sr.Signer(NEW_KEY), sr.Signer(key, certificate)])
    _, row = submit(server, "agent", request, flags=0x400)
    assert row["requester"] == "CORP\\janedoe" and row["columns"]["Request.CallerName"] == "CORP\\agent"


ON_BEHALF_REFUSALS = {
    "DNS name of the domain": ("corp.contoso.com\\janedoe", "User", 0x80070547, "Error Parsing Request  "),
    "another domain": ("FABRIKAM\\janedoe", "User", 0x80070547, "Error Parsing Request  "),
    "nobody of that name": ("CORP\\nobody-here", "User", 0x80070534, "Error Parsing Request  "),
    "no name at all": ("CORP\\", "User", 0x80070534, "Error Parsing Request  "),
    "template without signatures": ("CORP\\janedoe", "Supplied", 0x80094806, "Denied by Policy Module  0x80094806, "),
    "user without mail": ("CORP\\bob", "User", 0x80094812, "Denied by Policy Module  0x80094812, "),
}


@pytest.mark.parametrize("case", sorted(ON_BEHALF_REFUSALS))
def test_on_behalf_refusals(server, agent, case):
    whom, template, code, message = ON_BEHALF_REFUSALS[case]
    certificate, key = agent
    if template == "Supplied":
        server.ctl("template", "acl", "grant", "Supplied", "CORP\\agent", "Read", "Enroll")
    answer, _ = submit(server, "agent", sr.certipy_on_behalf(NEW_KEY, key, certificate, whom),
                       f"CertificateTemplate:{template}", code)
    assert answer.message.startswith(message)


def test_only_agents_speak_for_others(server, jane):
    certificate, key = jane
    for template in ("User", "Agents"):
        answer, _ = submit(server, "janedoe", sr.certipy_on_behalf(NEW_KEY, key, certificate, "CORP\\Administrator"),
                           f"CertificateTemplate:{template}", REJECTED)
        rules = server.json("request", "explain", str(answer.request_id), code=4)["rules"]
        assert rules[-1]["step"] == 23


def test_an_agents_word_cannot_be_lent(server, agent, jane):
    """The agent signed the PKCS #10, not the name that the first signer put beside it."""
    certificate, key = agent
    mine, my_key = jane
    first = sr.Signer(my_key, mine, [sr.name_value("requestername", "CORP\\Administrator")])
    request = sr.signed_data(sr.request(NEW_KEY), [first, sr.Signer(key, certificate)])
    submit(server, "janedoe", request, "CertificateTemplate:User", REJECTED)


def test_requestername_outside_a_signature_means_nothing(server, agent):
    certificate, key = agent
    plain = sr.request(NEW_KEY, attributes=[sr.name_value("requestername", "CORP\\Administrator")])
    for request in (plain, sr.signed_data(plain, [sr.Signer(key, certificate)])):
        _, row = submit(server, "janedoe", request, "CertificateTemplate:User\nrequestername:CORP\\Administrator")
        assert row["requester"] == "CORP\\janedoe"


# ---- authorised signatures ----

def test_number_of_signatures(server, agent, jane):
    (one, one_key), (two, two_key) = agent, jane
    template = "CertificateTemplate:Twice"
    inner = sr.request(NEW_KEY)
    submit(server, "PFXCONN01$", inner, template, 0x80094809)
    submit(server, "PFXCONN01$", sr.signed_data(inner, [sr.Signer(one_key, one)]), template, 0x8009480A)
    submit(server, "PFXCONN01$", sr.signed_data(inner, [sr.Signer(one_key, one), sr.Signer(two_key, two)]), template)


def test_policies_of_signatures(server, agent, jane):
    template = "CertificateTemplate:Agents"
    certificate, key = jane
    submit(server, "janedoe", sr.signed_data(sr.request(NEW_KEY), [sr.Signer(key, certificate)]), template, REJECTED)
    certificate, key = agent
    submit(server, "janedoe", sr.signed_data(sr.request(NEW_KEY), [sr.Signer(key, certificate)]), template)
    edit(server, "Agents", msPKI_RA_Policies="1.3.6.1.4.1.311.21.8.1.2.3.4")
    try:
        answer, _ = submit(server, "janedoe", sr.signed_data(sr.request(NEW_KEY), [sr.Signer(key, certificate)]), template,
                           REJECTED)
        rules = server.json("request", "explain", str(answer.request_id), code=4)["rules"]
        assert rules[-1]["step"] == 26
    finally:
        server.ldapmodify(f"dn: {server.template_dn('Agents')}\nchangetype: modify\ndelete: msPKI-RA-Policies\n")


# ---- signers the CA does not know ----

def foreign_certificate(key):
    name = pkcs10.subject(cn="Nobody's CA")
    import datetime
    now = datetime.datetime.utcnow()
    return (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1000).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
            .sign(key, pkcs10.hashes.SHA256()))


def test_foreign_signer(server):
    key = pkcs10.rsa_key(number=9)
    answer, _ = submit(server, "janedoe", sr.signed_data(sr.request(NEW_KEY), [sr.Signer(key, foreign_certificate(key))]),
                       "CertificateTemplate:User", UNTRUSTED)
    assert answer.message.startswith(VERIFYING)


def test_expired_signer(fresh):
    server = fresh()
    old, key = enroll(server, "janedoe", "User")
    renewal = sr.windows_renewal(NEW_KEY, key, old)
    submit(server, "janedoe", renewal, "CertificateTemplate:User")
    server.ctl("clock", "advance", "400d")
    answer, _ = submit(server, "janedoe", renewal, "CertificateTemplate:User", EXPIRED)
    assert answer.message.startswith(VERIFYING)


# ---- forms ----

def form_refusals(jane):
    certificate, key = jane
    inner, signer = sr.request(NEW_KEY), sr.Signer(key, certificate)
    tagged = sr.tagged(inner)
    yield "nobody signed", NO_SIGNER, sr.signed_data(inner, [])
    yield "nobody signed CMC", NO_SIGNER, sr.cmc(inner)
    yield "content of another type", INVALID_DATA, sr.signed_data(inner, [signer], content_type=sr.PKI_RESPONSE)
    yield "content is no request", INVALID_DATA, sr.signed_data(b"nothing of the kind", [signer])
    yield "content is PKIData under id-data", INVALID_DATA, sr.signed_data(sr.pki_data([tagged]), [signer])
    for name, requests in {"no request": [], "two requests": [tagged, tagged],
                           "a request of another kind": [sr.tlv(0xA1, sr.integer(1))]}.items():
        yield name, INVALID_DATA, sr.signed_data(sr.pki_data(requests), [signer], content_type=sr.PKI_DATA)
    yield "signer unknown", 0x8009100E, sr.signed_data(inner, [signer], certificates=[])
    yield "cut short", 0x80093102, sr.signed_data(inner, [signer])[:-30]
    yield "wrong tag", 0x8009310B, sr.signed_data(inner, [signer]).replace(b"\x02\x01\x01", b"\x0a\x01\x01", 1)


def test_form_refusals(server, jane):
    for name, code, request in form_refusals(jane):
        answer, _ = submit(server, "janedoe", request, "CertificateTemplate:User", code)
        assert answer.message.startswith("Error "), name


@pytest.mark.parametrize("flags", [0x100, 0x200, 0x400])
def test_declared_as_something_else(server, jane, flags):
    certificate, key = jane
    submit(server, "janedoe", sr.signed_data(sr.request(NEW_KEY), [sr.Signer(key, certificate)]),
           "CertificateTemplate:User", 0x80091004, flags)


@pytest.mark.parametrize("flags", [0x100, 0x300])
def test_cmc_declared_as_something_else(server, flags):
    submit(server, "janedoe", sr.cmc(sr.request(NEW_KEY), signers=[sr.Signer(NEW_KEY)]), "CertificateTemplate:User",
           0x80091004, flags)
