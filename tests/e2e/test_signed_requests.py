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
        answer = c.request(pkcs10.csr(key, **options), f"CertificateTemplate:{template}", 0, server.ready["ca"])
    assert answer.disposition == ISSUED, answer
    return x509.load_der_x509_certificate(answer.certificate), key


def submit(server, account, request, attributes="", code=ISSUED, flags=0):
    with client(server, account) as c:
        answer = c.request(request, attributes, flags, server.ready["ca"])
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


# ---- CMC ----

CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"


def san(*names):
    return ("2.5.29.17", x509.SubjectAlternativeName([x509.DNSName(n) for n in names]).public_bytes(), False)


def issued_names(answer):
    made = x509.load_der_x509_certificate(answer.certificate)
    value = made.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    return value.get_values_for_type(x509.DNSName)


@pytest.mark.parametrize("flags", [0, 0x400, 0x10400])
@pytest.mark.parametrize("signer", ["key", "hash"])
@pytest.mark.parametrize("null_signature", [False, True])
def test_cmc(server, flags, signer, null_signature):
    """Signed by the new key, or not at all; the PKCS #10 inside may be signed by a bare hash."""
    request = sr.cmc(sr.request(NEW_KEY, null_signature=null_signature),
                     [sr.reg_info("CertificateTemplate=Supplied&nonsense&=x&y=")],
                     [sr.Signer(NEW_KEY if signer == "key" else None)])
    answer, row = submit(server, "PFXCONN01$", request, flags=flags)
    assert public(x509.load_der_x509_certificate(answer.certificate)) == NEW_KEY.public_key().public_numbers()
    assert row["columns"]["Request.RequestType"] == 0x400 and row["attributes"]["CertificateTemplate"] == "Supplied"


def test_cmc_of_an_ec_key(server):
    key = pkcs10.ec_key()
    submit(server, "PFXCONN01$", sr.cmc(sr.request(key), [sr.reg_info("CertificateTemplate=Supplied")], [sr.Signer(key)]))


def test_null_signature_alone_proves_nothing(server):
    with client(server, "PFXCONN01$") as c:
        answer = c.request(sr.request(NEW_KEY, null_signature=True), "CertificateTemplate:Supplied")
    assert answer.disposition in (0x80091002, BAD_SIGNATURE)  # CRYPT_E_UNKNOWN_ALGO: a hash is no signature


def test_controls_add_extensions_and_attributes(server):
    inner = sr.request(NEW_KEY, attributes=[sr.extension_request(san("inner.contoso.com"))])
    template = ("1.3.6.1.4.1.311.20.2", sr.bmp("Supplied"), False)
    own = sr.Signer(NEW_KEY)
    answer, _ = submit(server, "PFXCONN01$", sr.cmc(inner, [sr.add_extensions(template)], [own]))
    assert issued_names(answer) == ["inner.contoso.com"]
    answer, _ = submit(server, "PFXCONN01$", sr.cmc(inner, [sr.add_extensions(template, san("outer.contoso.com"))], [own]))
    assert issued_names(answer) == ["outer.contoso.com"]  # the control's word is the later one
    added = sr.add_attributes(sr.name_value("CertificateTemplate", "Supplied"), sr.extension_request(san("a.contoso.com")))
    answer, row = submit(server, "PFXCONN01$", sr.cmc(sr.request(NEW_KEY), [added], [own]))
    assert issued_names(answer) == ["a.contoso.com"] and row["attributes"]["CertificateTemplate"] == "Supplied"


def test_renewal_in_cmc(server, jane):
    old, key = jane
    inner = sr.request(NEW_KEY, old.subject, [sr.attribute(sr.RENEWAL_CERTIFICATE, sr.certificate_der(old))])
    controls = [sr.reg_info("CertificateTemplate=User")]
    _, row = submit(server, "janedoe", sr.cmc(inner, controls, [sr.Signer(NEW_KEY), sr.Signer(key, old)]))
    assert row["columns"]["Request.RequestFlags"] == 2
    submit(server, "janedoe", sr.cmc(inner, controls, [sr.Signer(NEW_KEY)]), code=BAD_RENEWAL)


def cmc_refusals():
    controls = [sr.reg_info("CertificateTemplate=Supplied")]
    yield "another key signed", BAD_SIGNATURE, sr.cmc(sr.request(NEW_KEY), controls, [sr.Signer(pkcs10.rsa_key(number=4))])
    yield "hash broken", BAD_SIGNATURE, sr.cmc(sr.request(NEW_KEY), controls, [sr.Signer(None, corrupt=True)])
    yield "null signature broken", BAD_SIGNATURE, sr.cmc(sr.request(NEW_KEY, null_signature=True, corrupt=True), controls,
                                                         [sr.Signer(NEW_KEY)])
    changed = sr.cmc(sr.request(NEW_KEY), controls, [sr.Signer(NEW_KEY)]).replace(b"=Supplied", b"=SameKeyy")
    yield "content changed", 0x80091007, changed
    yield "contentType of another content", BAD_SIGNATURE, sr.cmc(
        sr.request(NEW_KEY), controls, [Mislabelled(NEW_KEY)])
    yield "regInfo is not UTF-8", INVALID_DATA, sr.cmc(
        sr.request(NEW_KEY), [sr.control(2, sr.REG_INFO, sr.octets(b"a=\xff"))], [sr.Signer(NEW_KEY)])
    archived = sr.attribute(sr.ARCHIVED_KEY, sr.seq(sr.oid("1.2.840.113549.1.7.3"), sr.tlv(0xA0, sr.seq())))
    yield "a key to archive", 0x8009400A, sr.cmc(sr.request(NEW_KEY), controls, [sr.Signer(NEW_KEY, unsigned=[archived])])


class Mislabelled(sr.Signer):
    def info(self, content, content_type):
        return super().info(content, sr.DATA)


def test_cmc_refusals(server):
    for name, code, request in cmc_refusals():
        answer, _ = submit(server, "PFXCONN01$", request, code=code)
        intro = "Error Archiving Private Key  " if code == 0x8009400A else "Error "
        assert answer.message.startswith(intro), name


# ---- the CMC full response ----

FULL_RESPONSE = 0x40000


def read_response(server, blob, folder):
    """openssl checks the signature, asn1crypto takes the content apart. (status, text, pending, hash, certificates)"""
    from asn1crypto import cms, core

    class Values(core.SetOf):
        _child_spec = core.Any

    (folder / "ca.pem").write_text(server.json("ca", "cert")["pem"])
    (folder / "response").write_bytes(blob)
    subprocess.run(["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", folder / "response", "-CAfile",
                    folder / "ca.pem", "-purpose", "any", "-out", folder / "content"], check=True, capture_output=True)
    signed = cms.ContentInfo.load(blob, strict=True)["content"]
    assert signed["version"].native == "v3" and len(signed["signer_infos"]) == 1
    assert signed["encap_content_info"]["content_type"].dotted == sr.PKI_RESPONSE
    assert [a["type"].native for a in signed["signer_infos"][0]["signed_attrs"]] == ["content_type", "message_digest"]
    body = core.Sequence.load((folder / "content").read_bytes(), strict=True)
    parts = [core.Sequence.load(body[i].dump()) for i in range(3)]
    controls = [core.Sequence.load(parts[0][i].dump()) for i in range(len(parts[0]))]
    assert len(parts[1]) == len(parts[2]) == 0 and controls[0][1].dotted == "1.3.6.1.5.5.7.7.1"
    status = Values.load(controls[0][2].dump())[0].parse(core.Sequence)
    assert controls[0][0].native == 1 and status[1].native == {"0": 1}
    pending = (status[3][0].native, status[3][1].native) if len(status) > 3 else None
    issued_hash = controls[1][2].dump()[-20:] if len(controls) > 1 else None
    return status[0].native, status[2].native, pending, issued_hash, [c.chosen.dump() for c in signed["certificates"]]


def test_full_response_issued(server, tmp_path):
    import hashlib
    for request in (pkcs10.csr(NEW_KEY), sr.cmc(sr.request(NEW_KEY), [], [sr.Signer(NEW_KEY)])):
        answer, row = submit(server, "PFXCONN01$", request, "CertificateTemplate:Supplied", flags=FULL_RESPONSE)
        status, text, pending, issued_hash, certificates = read_response(server, answer.chain, tmp_path)
        assert (status, text, pending) == (0, "Issued", None)
        assert issued_hash == hashlib.sha1(answer.certificate).digest()
        assert len(certificates) == 2 and certificates[-1] == answer.certificate
        assert row["columns"]["Request.RequestType"] in (0x40100, 0x40400)


def test_full_response_pending_then_issued(server, tmp_path):
    edit(server, "Supplied", msPKI_Enrollment_Flag=PEND_ALL)
    try:
        answer, row = submit(server, "PFXCONN01$", pkcs10.csr(NEW_KEY), "CertificateTemplate:Supplied",
                             icpr.CR_DISP_UNDER_SUBMISSION, FULL_RESPONSE)
    finally:
        edit(server, "Supplied", msPKI_Enrollment_Flag=0)
    status, text, pending, issued_hash, certificates = read_response(server, answer.chain, tmp_path)
    assert (status, text, issued_hash, len(certificates)) == (3, "Taken Under Submission", None, 1)
    assert pending[0] == str(answer.request_id).encode() and answer.certificate == b""
    assert pending[1].strftime("%Y-%m-%dT%H:%M:%S") == row["submitted"][:19]
    server.ctl("request", "issue", str(answer.request_id))
    with client(server, "PFXCONN01$") as c:
        final = c.request(b"", "", FULL_RESPONSE, request_id=answer.request_id)
    assert read_response(server, final.chain, tmp_path)[0] == 0 and final.certificate != b""


@pytest.mark.parametrize("why", ["policy", "parsing"])
def test_full_response_refused(server, tmp_path, why):
    request_der, code = (pkcs10.csr(pkcs10.rsa_key(1024)), 0x80094811) if why == "policy" else (b"0\3\2\1\1", 0x8009310B)
    edit(server, "Supplied", msPKI_Minimal_Key_Size=2048)
    try:
        answer, _ = submit(server, "PFXCONN01$", request_der, "CertificateTemplate:Supplied", code, FULL_RESPONSE)
    finally:
        edit(server, "Supplied", msPKI_Minimal_Key_Size=256)
    status, text, pending, issued_hash, certificates = read_response(server, answer.chain, tmp_path)
    assert (status, text, pending, issued_hash, len(certificates)) == (2, answer.message, None, None, 1)


@pytest.mark.parametrize("key", ["P-256", "P-384"])
def test_full_response_of_an_ec_ca(fresh, tmp_path, key):
    config = tmp_path / "adcsd.conf"
    config.write_text(f"[CA]\nKeyType = {key}\n")
    server = fresh("--config", str(config), "--seed", "7")
    answer, _ = submit(server, "janedoe", pkcs10.csr(NEW_KEY), "CertificateTemplate:User", flags=FULL_RESPONSE)
    assert read_response(server, answer.chain, tmp_path)[:2] == (0, "Issued")


# ---- KEYGEN: not signed by others, but the last of the four forms ----

NETSCAPE_TYPE = x509.ObjectIdentifier("2.16.840.1.113730.1.1")
WORDS = "CertificateTemplate:Supplied\nCN:browser.contoso.com\nO:Contoso\nchallenge:magic"


@pytest.fixture(scope="module")
def spkac(tmp_path_factory):
    """openssl spkac: (DER, the same in base64)"""
    import base64
    path = tmp_path_factory.mktemp("spkac") / "key.pem"
    path.write_bytes(NEW_KEY.private_bytes(sr.Encoding.PEM, pkcs10.serialization.PrivateFormat.PKCS8,
                                           pkcs10.serialization.NoEncryption()))
    done = subprocess.run(["openssl", "spkac", "-key", path, "-challenge", "magic", "-digest", "sha256"], check=True,
                          capture_output=True)
    text = done.stdout.strip().removeprefix(b"SPKAC=")
    return base64.b64decode(text), text


@pytest.mark.parametrize("flags", [0, 0x200])
@pytest.mark.parametrize("form", [0, 1])
def test_keygen(server, spkac, flags, form):
    answer, row = submit(server, "PFXCONN01$", spkac[form], WORDS + "\nCertType:server\nrmd:x", flags=flags)
    made = x509.load_der_x509_certificate(answer.certificate)
    assert public(made) == NEW_KEY.public_key().public_numbers()
    assert made.subject.rfc4514_string() == "CN=browser.contoso.com,O=Contoso"
    assert made.extensions.get_extension_for_oid(NETSCAPE_TYPE).value.value == b"\x03\x02\x06\x40"
    assert row["columns"]["Request.RequestType"] == 0x200


def test_keygen_of_a_client(server, spkac):
    answer, _ = submit(server, "PFXCONN01$", spkac[0], WORDS)
    made = x509.load_der_x509_certificate(answer.certificate)
    assert made.extensions.get_extension_for_oid(NETSCAPE_TYPE).value.value == b"\x03\x02\x07\x80"


KEYGEN_REFUSALS = {
    "another challenge": (WORDS.replace("magic", "Magic"), 0, INVALID_DATA),
    "no challenge": (WORDS.replace("challenge", "challange"), 0, INVALID_DATA),
    "no subject": ("CertificateTemplate:Supplied\nchallenge:magic", 0, 0x80094001),
    "declared as PKCS #10": (WORDS, 0x100, 0x80091004),
    "declared as CMC": (WORDS, 0x400, 0x80091004),
}


@pytest.mark.parametrize("case", sorted(KEYGEN_REFUSALS))
def test_keygen_refusals(server, spkac, case):
    words, flags, code = KEYGEN_REFUSALS[case]
    answer, _ = submit(server, "PFXCONN01$", spkac[0], words, code, flags)
    assert answer.message.startswith("Error Parsing Request  ")


def test_keygen_signature(server, spkac):
    broken = spkac[0][:-1] + bytes([spkac[0][-1] ^ 1])
    answer, _ = submit(server, "PFXCONN01$", broken, WORDS, BAD_SIGNATURE)
    assert answer.message.startswith(VERIFYING)
    submit(server, "PFXCONN01$", spkac[0][:-40], WORDS, 0x80093102)


# ---- revoked signers, renewal on behalf of others ----

ROBO = 0x00200000


def test_revoked_signer(server):
    """The row says so; how it came to is not this test's matter, so it is written by another SQLite."""
    import sqlite3
    with client(server, "janedoe") as c:
        answer = c.request(pkcs10.csr(pkcs10.rsa_key(number=5)), "CertificateTemplate:User")
    old, key = x509.load_der_x509_certificate(answer.certificate), pkcs10.rsa_key(number=5)
    renewal = sr.windows_renewal(NEW_KEY, key, old)
    submit(server, "janedoe", renewal, "CertificateTemplate:User")
    with sqlite3.connect(server.state + "/ca.db", timeout=60) as db:
        db.execute("UPDATE Requests SET Disposition = 21 WHERE RequestID = ?", (answer.request_id,))
    db.close()
    answer, _ = submit(server, "janedoe", renewal, "CertificateTemplate:User", 0x80092010)
    assert answer.message.startswith(VERIFYING)


def test_crl_that_ran_out(fresh, tmp_path):
    """Who signed cannot be checked once the newest CRL is out of date and no other one can be published."""
    from hresult_cases import block_crl
    config = tmp_path / "adcsd.conf"
    config.write_text("[CA]\nCRLPublicationURLs = 2:http://ca01.corp.contoso.com/CertEnroll/%3%8%9.crl\n")
    server = fresh("--config", str(config))
    old, key = enroll(server, "janedoe", "User")
    renewal = sr.windows_renewal(NEW_KEY, key, old)

    def ask(code=ISSUED):
        return submit(server, "janedoe", renewal, "CertificateTemplate:User", code)[0]

    server.ctl("clock", "advance", "9d")
    ask()  # the next CRL came in time
    in_the_way = block_crl(server)
    ask()
    server.ctl("clock", "advance", "9d")
    assert ask(0x80092013).message.startswith(VERIFYING)
    submit(server, "janedoe", pkcs10.csr(NEW_KEY), "CertificateTemplate:User")  # nobody else signed this one
    server.ctl("ca", "set", "CRLFlags", "+CRLF_REVCHECK_IGNORE_OFFLINE")
    ask()
    server.ctl("ca", "set", "CRLFlags", "-CRLF_REVCHECK_IGNORE_OFFLINE")
    ask(0x80092013)
    in_the_way.joinpath("in the way").rmdir()
    in_the_way.rmdir()
    server.ctl("clock", "advance", "11m")  # the schedule tries again
    ask()


def test_revoked_signer_without_a_crl(fresh):
    """In the directory, the other place, the CRL is in force; what the database knows comes first in any case."""
    from hresult_cases import block_crl
    server = fresh()
    old, key = enroll(server, "janedoe", "User")
    renewal = sr.windows_renewal(NEW_KEY, key, old)
    block_crl(server)
    server.ctl("clock", "advance", "9d")
    answer, _ = submit(server, "janedoe", renewal, "CertificateTemplate:User")
    server.ctl("ca", "set", "CRLPublicationURLs", "2:http://ca01.corp.contoso.com/CertEnroll/%3%8%9.crl")
    server.ctl("request", "revoke", "1")
    server.ctl("clock", "advance", "9d")
    submit(server, "janedoe", renewal, "CertificateTemplate:User", 0x80092010)


def test_renewal_on_behalf_is_off(server, jane):
    old, key = jane
    with client(server, "bob") as c:
        answer = c.request(sr.windows_renewal(NEW_KEY, key, old), "CertificateTemplate:User", ROBO)
    assert answer.code == 0x80070057 and answer.request_id == 0


def test_renewal_on_behalf(fresh, tmp_path):
    """The old key speaks for its owner: jane's certificate, though bob sends the request (MS-WCCE 3.2.2.6.2.1.2.4)."""
    config = tmp_path / "adcsd.conf"
    config.write_text("[policy]\nEditFlags = +EDITF_ENABLERENEWONBEHALFOF\n")
    server = fresh("--config", str(config))
    old, key = enroll(server, "janedoe", "User")
    renewal = sr.windows_renewal(NEW_KEY, key, old)
    submit(server, "bob", renewal, "CertificateTemplate:User", 0x80094812)  # bob himself has no mail address
    answer, row = submit(server, "bob", renewal, "CertificateTemplate:User", flags=ROBO)
    assert x509.load_der_x509_certificate(answer.certificate).subject == old.subject
    assert row["requester"] == "CORP\\janedoe" and row["columns"]["Request.CallerName"] == "CORP\\bob"
    submit(server, "bob", pkcs10.csr(NEW_KEY), "CertificateTemplate:User", 0x80070057, ROBO)
    server.ctl("ca", "acl", "deny", "CORP\\janedoe", "RequestCertificates")
    submit(server, "bob", renewal, "CertificateTemplate:User", 0x80094011, ROBO)
