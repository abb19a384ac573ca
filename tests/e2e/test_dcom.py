"""Enrollment over DCOM with impacket's runtime."""
import dcom
import harness
import icpr
import pkcs10
from test_enroll import check_issued

TEMPLATE = "CertificateTemplate:IntunePKCS"


def connect(server, account="PFXCONN01$", **options):
    return dcom.Connection(server, account, harness.PASSWORDS[account], **options)


def test_request(how_to):
    with connect(how_to) as c:
        interface = c.activate()
        certificate = check_issued(c.submit(interface, pkcs10.csr(), TEMPLATE, harness.CA_NAME))
    assert certificate.issuer.rfc4514_string() == "CN=Contoso Certification Authority,DC=corp,DC=contoso,DC=com"
