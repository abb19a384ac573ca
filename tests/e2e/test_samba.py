"""Samba's client: header signing, MIC, SPNEGO with mechListMIC, verification trailers; it refuses what we sign wrongly."""
import pytest
from samba import NTSTATUSError

import harness
import icpr
import icpr_samba
import pkcs10

from test_enroll import TEMPLATE, check_issued


def client(server, options, account="PFXCONN01$", **more):
    return icpr_samba.Client(server, account, harness.PASSWORDS[account], options, **more)


@pytest.mark.parametrize("options", ["seal", "seal,ntlm", "seal,spnego"])
def test_sealed(how_to, options):
    c = client(how_to, options)
    for _ in range(3):
        check_issued(c.request(pkcs10.csr(), TEMPLATE))


@pytest.mark.parametrize("options", ["sign", "sign,spnego", "sign,ntlm", "packet", "packet,spnego", "connect", "connect,spnego"])
def test_levels_below_privacy(how_to, options):
    answer = client(how_to, options).request(pkcs10.csr(), TEMPLATE)
    assert answer.code == 0x80070005 and answer.certificate == b""


@pytest.mark.parametrize("options", ["seal,ntlm", "seal,spnego"])
def test_large_request_in_fragments(how_to, options):
    from cryptography import x509
    names = [x509.DNSName(f"host{i:04}.contoso.com") for i in range(150)]
    check_issued(client(how_to, options).request(pkcs10.csr(san=names), TEMPLATE))


@pytest.mark.parametrize("account,password", [("PFXCONN01$", "wrong"), ("unknown", "x"),
                                              ("leaver", harness.PASSWORDS["leaver"])])
@pytest.mark.parametrize("options", ["seal,ntlm", "seal,spnego"])
def test_refused_logons(how_to, options, account, password):
    with pytest.raises(NTSTATUSError):
        icpr_samba.Client(how_to, account, password, options).request(pkcs10.csr(), TEMPLATE)


def test_upn_with_empty_domain(how_to):
    check_issued(client(how_to, "seal", domain="CORP.CONTOSO.COM").request(pkcs10.csr(), TEMPLATE))


def test_refusal_by_hresult(how_to):
    answer = client(how_to, "seal,spnego").request(pkcs10.csr(), "CertificateTemplate:CodeSigning")
    assert answer.disposition == 0x80094800
    assert answer.message == ("Denied by Policy Module  0x80094800, The request was for a certificate template that is not "
                              "supported by the Active Directory Certificate Services policy: CodeSigning.")


def test_retrieve(how_to):
    c = client(how_to, "seal,spnego")
    first = c.request(pkcs10.csr(), TEMPLATE)
    again = c.request(b"", request_id=first.request_id)
    assert again.disposition == icpr.CR_DISP_ISSUED and again.certificate == first.certificate
