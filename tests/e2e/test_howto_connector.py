"""
The how-to's steps as its connector meets them over the wire, each wrong in the way people get it wrong: which account is granted what on
template and CA, who is the requester, what of subject and names arrives in the certificate, what is exported as the CA's certificate.
"""
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU
from cryptography.x509.oid import ExtensionOID, NameOID

import dcom
import harness
import icpr
import pkcs10
from test_howto import configure
from test_views import Admin

COMPUTER, CA_ACCOUNT = "PFXCONN01$", "svc-pfx"


@pytest.fixture
def server(fresh):
    made = fresh()
    configure(made)
    return made


def ask(server, account=COMPUTER, template="IntunePKCS", name=None, san=None):
    with icpr.Client(server, account, harness.PASSWORDS[account]) as c:
        return c.request(pkcs10.csr(name=name or pkcs10.subject(cn="device"), san=san), f"CertificateTemplate:{template}")


def revoke(server, account, request_id):
    serial = server.json("request", "show", str(request_id))["serial"]
    with dcom.Connection(server, account, harness.PASSWORDS[account]) as c:
        return Admin(c).call("RevokeCertificate", pwszSerialNumber=serial, Reason=0)[0]


def test_all_servers_are_joined(server):
    """Requirements: a computer that the domain does not know is nobody."""
    client = pytest.raises(Exception, match="rpc_s_access_denied")
    with client, icpr.Client(server, "STRANGER$", "Stranger-Passw0rd") as c:
        c.request(pkcs10.csr(), "CertificateTemplate:IntunePKCS")


def test_10_the_user_instead_of_the_computer(server):
    """Somebody grants his own account; the service runs as the computer."""
    server.ctl("template", "acl", "remove", "IntunePKCS", f"CORP\\{COMPUTER}")
    server.ctl("template", "acl", "remove", "IntunePKCS", "CORP\\Domain Users")
    server.ctl("template", "acl", "grant", "IntunePKCS", "CORP\\bob", "Read", "Enroll")
    assert ask(server).disposition == 0x80094012
    assert ask(server, "bob").disposition == icpr.CR_DISP_ISSUED


def test_10_another_connector(server):
    """The connector has moved: the access list names the old host, the explanation the new one."""
    answer = ask(server, "WS01$")
    assert answer.disposition == 0x80094012
    told = server.ctl("request", "explain", str(answer.request_id), code=4)
    assert "allow Enroll for CORP\\WS01$" in told


def test_13_certificates_are_managed_by_right(server):
    """Issue and Manage Certificates counts at once, over ICertAdminD."""
    server.ctl("ca", "acl", "remove", f"CORP\\{COMPUTER}")
    request_id = ask(server).request_id
    assert revoke(server, COMPUTER, request_id) == 0x80070005
    server.ctl("ca", "acl", "grant", f"CORP\\{COMPUTER}", "IssueAndManageCertificates", "RequestCertificates")
    assert revoke(server, COMPUTER, request_id) == 0
    assert server.json("request", "show", str(request_id))["state"] == "revoked"


def test_6_the_ca_account_is_the_requester(server):
    """
    Connector 6.2008.60.612 and later: the account of the tab CA Account asks. The how-to grants it nothing on the template: the copy of
    User still lets Domain Users enroll, and where they are taken out, it is forgotten.
    """
    assert ask(server, CA_ACCOUNT).disposition == icpr.CR_DISP_ISSUED
    server.ctl("template", "acl", "remove", "IntunePKCS", "CORP\\Domain Users")
    server.ctl("ca", "acl", "grant", f"CORP\\{CA_ACCOUNT}", "IssueAndManageCertificates", "RequestCertificates")
    assert ask(server, CA_ACCOUNT).disposition == 0x80094012
    server.ctl("template", "acl", "grant", "IntunePKCS", f"CORP\\{CA_ACCOUNT}", "Read", "Enroll")
    answer = ask(server, CA_ACCOUNT)
    assert answer.disposition == icpr.CR_DISP_ISSUED
    assert server.json("request", "show", str(answer.request_id))["requester"] == f"CORP\\{CA_ACCOUNT}"
    assert revoke(server, CA_ACCOUNT, answer.request_id) == 0


def test_exported_root_certificate(server, tmp_path):
    """certutil -ca.cert, as a file and over both interfaces, for the administrator and for the connector."""
    server.ctl("ca", "cert", "--der", "--out", str(tmp_path / "ca_name.cer"))
    exported = (tmp_path / "ca_name.cer").read_bytes()
    assert x509.load_der_x509_certificate(exported).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == harness.CA_NAME
    for account in ("Administrator", COMPUTER):
        for iid in (dcom.IID_ICertRequestD, dcom.IID_ICertRequestD2):
            with dcom.Connection(server, account, harness.PASSWORDS[account]) as c:
                assert c.blob(c.activate(iid=iid), "GetCACert", iid, fchain=0, pwszAuthority=server.ready["ca"]) == (0, exported)


@pytest.mark.parametrize("template,usage", [("ExchangeUserSignature", "digital_signature"), ("ExchangeUser", "key_encipherment")])
def test_3_separate_smime_certificates(server, template, usage):
    """The note of step 3: one template for signing, one for encryption. A connector needs duplicates whose keys may be exported."""
    server.ctl("template", "duplicate", template, "--display-name", "Mail", "--allow-export", "yes")
    server.ctl("template", "acl", "grant", "Mail", f"CORP\\{COMPUTER}", "Read", "Enroll")
    server.ctl("ca", "publish", "Mail")
    answer = ask(server, template="Mail", san=[x509.RFC822Name("janedoe@contoso.com")])
    assert answer.disposition == icpr.CR_DISP_ISSUED, answer
    cert = x509.load_der_x509_certificate(answer.certificate)
    bits = cert.extensions.get_extension_for_oid(ExtensionOID.KEY_USAGE).value
    others = ("digital_signature", "key_encipherment", "content_commitment", "data_encipherment", "key_agreement")
    assert {b for b in others if getattr(bits, b)} == {usage}
    assert set(cert.extensions.get_extension_for_oid(ExtensionOID.EXTENDED_KEY_USAGE).value) == {EKU.EMAIL_PROTECTION}


SUBJECTS = {
    "the combined example": {"cn": "janedoe@contoso.com", "e": "janedoe@contoso.com", "ou": "Mobile", "o": "Finance Group", "l": "Redmond",
                             "st": "Washington", "c": "US"},
    "onPremisesSamAccountName with its domain": {"cn": "CORP\\testUser"},
    "a distinguished name in the CN": {"cn": "CN=Jane Doe,OU=UserAccounts,DC=corp,DC=contoso,DC=com"},
    "escaped characters": {"cn": "a+b;c,d=e"},
    "quotes": {"cn": 'User "one"'},
    "other alphabets": {"cn": "Jörg Żółć Дмитрий 王", "o": "Ünïcode"},
    "64 characters": {"cn": "x" * 64},
}
OIDS = {"cn": NameOID.COMMON_NAME, "e": NameOID.EMAIL_ADDRESS, "ou": NameOID.ORGANIZATIONAL_UNIT_NAME, "o": NameOID.ORGANIZATION_NAME,
        "l": NameOID.LOCALITY_NAME, "st": NameOID.STATE_OR_PROVINCE_NAME, "c": NameOID.COUNTRY_NAME}


@pytest.mark.parametrize("which", SUBJECTS)
def test_subject_name_format(server, which):
    """What the profile's variables expand to arrives letter by letter, in the order of SubjectTemplate."""
    wanted = SUBJECTS[which]
    answer = ask(server, name=x509.Name([x509.NameAttribute(OIDS[k], v) for k, v in wanted.items()]))
    assert answer.disposition == icpr.CR_DISP_ISSUED, answer
    found = x509.load_der_x509_certificate(answer.certificate).subject
    assert {a.oid: a.value for a in found} == {OIDS[k]: v for k, v in wanted.items()}


def test_subject_alternative_names(server):
    """Several rows of the profile's table: UPN, e-mail, DNS name and URI keep kind and order."""
    names = [pkcs10.upn_name("janedoe@contoso.com"), x509.RFC822Name("janedoe@contoso.com"), x509.DNSName("device.contoso.com"),
             x509.UniformResourceIdentifier("tag:microsoft.com,2022-09-14:sid:S-1-5-21-1111111111-2222222222-3333333333-1103")]
    cert = x509.load_der_x509_certificate(ask(server, san=names).certificate)
    assert list(cert.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value) == names


def test_the_connector_gets_as_many_as_it_asks_for(server):
    """No request is known again: whoever asks twice gets two certificates, and must find that out himself."""
    request = pkcs10.csr(name=pkcs10.subject(cn="device"))
    with icpr.Client(server, COMPUTER, harness.PASSWORDS[COMPUTER]) as c:
        first, second = (c.request(request, "CertificateTemplate:IntunePKCS") for _ in range(2))
    assert first.disposition == second.disposition == icpr.CR_DISP_ISSUED and first.request_id != second.request_id
    assert x509.load_der_x509_certificate(first.certificate).serial_number != x509.load_der_x509_certificate(second.certificate).serial_number
