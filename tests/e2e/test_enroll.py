"""Enrollment through impacket's runtime: levels, formats, refusals by HRESULT."""
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from impacket.dcerpc.v5.rpcrt import DCERPCException

import harness
import icpr
import pkcs10

E_ACCESSDENIED = 0x80070005
E_INVALIDARG = 0x80070057
TEMPLATE = "CertificateTemplate:IntunePKCS"


def client(server, account="PFXCONN01$", **options):
    return icpr.Client(server, account, harness.PASSWORDS[account], **options)


def check_issued(answer, key=None):
    assert answer.code == 0 and answer.disposition == icpr.CR_DISP_ISSUED, answer
    assert answer.message.startswith("Issued")
    assert answer.request_id > 0
    certificate = x509.load_der_x509_certificate(answer.certificate)
    key = key or pkcs10.rsa_key()
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)
    return certificate


def test_endpoint_mapper_tells_the_object_port(how_to):
    assert icpr.map_endpoint(how_to) == how_to.object_port


def test_sealed(how_to):
    with client(how_to) as c:
        certificate = check_issued(c.request(pkcs10.csr(), TEMPLATE))
    assert certificate.issuer.rfc4514_string() == ("CN=Contoso Certification Authority,DC=corp,DC=contoso,DC=com")


@pytest.mark.parametrize("level", ["none", "connect", "integrity"])
def test_encryption_is_enforced_in_the_method(how_to, level):
    """IF_ENFORCEENCRYPTICERTREQUEST: a full response with E_ACCESSDENIED, no fault (clients.md trap 6)."""
    if level == "none":
        c = icpr.Client(how_to)
    else:
        c = client(how_to, level=level)
    with c:
        answer = c.request(pkcs10.csr(), TEMPLATE)
        assert answer.code == E_ACCESSDENIED and answer.certificate == b""


def test_packet_level_needs_a_signature(how_to):
    """impacket protects nothing at this level; rpc.md section 3 wants integrity (Samba's client shows that it works)."""
    with client(how_to, level="packet") as c, pytest.raises(DCERPCException) as caught:
        c.request(pkcs10.csr(), TEMPLATE)
    assert caught.value.get_error_code() == 0x1C01000B or "proto_error" in str(caught.value)


def test_unknown_opnum_is_a_range_fault_even_below_privacy(how_to):
    with client(how_to, level="connect") as c, pytest.raises(DCERPCException) as caught:
        c.call(b"", opnum=255)
    assert caught.value.get_error_code() == 0x1C010002 or "nca_s_op_rng_error" in str(caught.value)


@pytest.mark.parametrize("user,domain", [
    ("PFXCONN01$", "CORP"), ("pfxconn01$", "corp"), ("PFXCONN01$", "corp.contoso.com"), ("PFXCONN01$", ""),
    ("pfxconn01$@corp.contoso.com", ""),
])
def test_ways_to_name_the_account(how_to, user, domain):
    with icpr.Client(how_to, user, harness.PASSWORDS["PFXCONN01$"], domain=domain) as c:
        check_issued(c.request(pkcs10.csr(), TEMPLATE))


def test_explicit_upn(how_to):
    with icpr.Client(how_to, "janedoe@contoso.com", harness.PASSWORDS["janedoe"], domain="") as c:
        certificate = check_issued(c.request(pkcs10.csr(), "CertificateTemplate:User"))
    assert "Jane Doe" in certificate.subject.rfc4514_string()


@pytest.mark.parametrize("account,password", [
    ("PFXCONN01$", "wrong"), ("nobody-here", "x"), ("leaver", harness.PASSWORDS["leaver"]), ("leaver", "wrong"),
])
def test_refused_logons(how_to, account, password):
    """Wrong password, unknown user, disabled account: fault 5 at the first request."""
    with icpr.Client(how_to, account, password) as c, pytest.raises(DCERPCException) as caught:
        c.request(pkcs10.csr(), TEMPLATE)
    assert caught.value.get_error_code() == 5 or "access_denied" in str(caught.value).lower()


def test_anonymous_ntlm_is_refused(how_to):
    with icpr.Client(how_to, "", "", domain="") as c, pytest.raises(Exception):
        c.request(pkcs10.csr(), TEMPLATE)


@pytest.mark.parametrize("form", ["pem", "pem-new", "base64", "one-line"])
def test_request_encodings(how_to, form):
    der = pkcs10.csr()
    text = {"pem": pkcs10.pem(der), "pem-new": pkcs10.pem(der, "NEW CERTIFICATE REQUEST"),
            "base64": b"\n".join(pkcs10.pem(der).splitlines()[1:-1]) + b"\n",
            "one-line": b"".join(pkcs10.pem(der).splitlines())}[form]
    with client(how_to) as c:
        check_issued(c.request(text, TEMPLATE))


@pytest.mark.parametrize("flags", [0, 0x100, 0x40100 & ~0x40000, 0x00010000])
def test_flags_that_fit_a_pkcs10(how_to, flags):
    with client(how_to) as c:
        check_issued(c.request(pkcs10.csr(), TEMPLATE, flags=flags))


@pytest.mark.parametrize("flags", [0x200, 0x300, 0x400])
def test_declared_format_that_differs(how_to, flags):
    with client(how_to) as c:
        assert c.request(pkcs10.csr(), TEMPLATE, flags=flags).disposition == 0x80091004  # CRYPT_E_INVALID_MSG_TYPE


@pytest.mark.parametrize("told,used", [
    (16, 2048), (2048, 2048), (2049, 2048), (2055, 2048), (2056, 2056), (4280, 4280), (5839, 5832), (5840, 5840), (65535, 5840),
])
@pytest.mark.parametrize("sent", [100, 1000, None])
def test_fragments_both_ways(how_to, told, used, sent):
    """
    Sealed fragments in each direction. The answer's keep to what the bind agreed on: at least 2048, at most 5840 octets,
    a multiple of 8 (rpc.md section 2); alloc_hint counts what is still to come.
    """
    names = [x509.DNSName(f"host{i:04}.contoso.com") for i in range(150)]
    with client(how_to, fragment=sent, fragment_max=told) as c:
        answer = c.request(pkcs10.csr(san=names), TEMPLATE)
        fragments = c.fragments
        check_issued(c.request(pkcs10.csr(), TEMPLATE))  # both sides still count alike
    san = check_issued(answer).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert san.get_values_for_type(x509.DNSName) == [n.value for n in names]
    size = len(answer.certificate) + len(answer.chain)
    assert len(fragments) == -(-fragments[0].alloc_hint // (fragments[0].alloc_hint - fragments[1].alloc_hint)) > 1
    assert size < fragments[0].alloc_hint < size + 200
    assert [f.flags & 3 for f in fragments] == [1] + [0] * (len(fragments) - 2) + [2]
    assert used - 16 < fragments[0].length <= used  # whole 16 octets of stub in each
    assert all(f.length <= used for f in fragments)


@pytest.mark.parametrize("authority", ["Contoso Certification Authority", "contoso certification authority"])
def test_authority_spelling(how_to, authority):
    with client(how_to) as c:
        check_issued(c.request(pkcs10.csr(), TEMPLATE, authority=authority))


@pytest.mark.parametrize("authority", ["", "Another CA", None])
def test_wrong_authority(how_to, authority):
    with client(how_to) as c:
        answer = c.request(pkcs10.csr(), TEMPLATE, authority=authority)
    assert E_INVALIDARG in (answer.code, answer.disposition) and answer.certificate == b""


def test_chain_is_a_certs_only_pkcs7(how_to):
    from cryptography.hazmat.primitives.serialization import pkcs7
    with client(how_to) as c:
        answer = c.request(pkcs10.csr(), TEMPLATE)
    chain = pkcs7.load_der_pkcs7_certificates(answer.chain)
    assert {cert.public_bytes(Encoding.DER) for cert in chain} >= {answer.certificate}
    assert len(chain) == 2


REFUSALS = {
    "no template": (lambda: pkcs10.csr(), "", 0x80094801),
    "template that is not published": (lambda: pkcs10.csr(), "CertificateTemplate:CodeSigning", 0x80094800),
    "template that is not there": (lambda: pkcs10.csr(), "CertificateTemplate:Nonsense", 0x80094800),
    "display name for the template name": (lambda: pkcs10.csr(), "CertificateTemplate:Intune PKCS", 0x80094800),
    "no Enroll right": (lambda: pkcs10.csr(), "CertificateTemplate:WebServer", 0x80094012),
    "key too short": (lambda: pkcs10.csr(key=pkcs10.rsa_key(1024)), TEMPLATE, 0x80094811),
    "no subject": (lambda: pkcs10.csr(name=x509.Name([])), TEMPLATE, 0x80094001),
    "common name too long": (lambda: pkcs10.csr(name=long_name()), TEMPLATE, 0x80094001),
    "e-mail missing in the directory": (lambda: pkcs10.csr(), "CertificateTemplate:User", 0x80094012),
    "two templates": (lambda: pkcs10.csr(extensions=[(template_name("WebServer"), False)]), TEMPLATE, 0x80094802),
    "garbage": (lambda: b"garbage, not a request", TEMPLATE, None),
    "cut short": (lambda: pkcs10.csr()[:-20], TEMPLATE, 0x80093102),
    "bad signature": (lambda: pkcs10.csr()[:-1] + bytes([pkcs10.csr()[-1] ^ 1]), TEMPLATE, 0x80090006),
}


def long_name():
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "n" * 65, _validate=False)])


def template_name(name):
    raw = name.encode("utf-16be")
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2"), bytes([0x1E, len(raw)]) + raw)


@pytest.mark.parametrize("case", sorted(REFUSALS))
def test_refusals(how_to, case):
    make, attributes, code = REFUSALS[case]
    with client(how_to) as c:
        answer = c.request(make(), attributes)
        assert answer.code == 0 and answer.certificate == b"" and answer.message != ""
        if code is None:
            assert answer.disposition in (0x80093102, 0x8009310B, 0x80091004)
        else:
            assert answer.disposition == code, f"0x{answer.disposition:08x} {answer.message}"
        # the connection goes on, and the refusal can be asked for
        row = how_to.json("request", "show", str(answer.request_id))
        assert row["status"] == f"0x{answer.disposition:08x}"
        assert c.request(pkcs10.csr(), TEMPLATE).disposition == icpr.CR_DISP_ISSUED


def test_user_without_mail(how_to):
    with client(how_to, "bob") as c:
        answer = c.request(pkcs10.csr(), "CertificateTemplate:User")
    assert answer.disposition == 0x80094812
    assert answer.message.startswith("Denied by Policy Module  0x80094812, ")


def test_ca_right_is_needed(how_to):
    how_to.ctl("ca", "acl", "deny", "CORP\\bob", "RequestCertificates")
    try:
        with client(how_to, "bob") as c:
            answer = c.request(pkcs10.csr(), TEMPLATE)
        assert answer.code == 0x80094011 and answer.disposition == 0x80094011 and answer.request_id == 0
    finally:
        how_to.ctl("ca", "acl", "remove", "CORP\\bob")


def test_attribute_lines(how_to):
    """Names are normalised, bad lines ignored (wcce.md 2.2)."""
    with client(how_to) as c:
        for text in ("certificate template : IntunePKCS", "Certificate-Template:IntunePKCS\r\nrmd:x", "\n\nnonsense\n:x\n" + TEMPLATE):
            check_issued(c.request(pkcs10.csr(), text))


def test_template_by_extension(how_to):
    with client(how_to) as c:
        check_issued(c.request(pkcs10.csr(extensions=[(template_name("IntunePKCS"), False)])))
        check_issued(c.request(pkcs10.csr(extensions=[(template_name("intunepkcs"), False)]), TEMPLATE))
