"""Samba's client: header signing, MIC, SPNEGO with mechListMIC, verification trailers; it refuses what we sign wrongly."""
import pytest
from cryptography import x509
from samba import NTSTATUSError, WERRORError
from samba.dcerpc import mgmt

import harness
import icpr
import icpr_samba
import pkcs10

from test_enroll import TEMPLATE, check_issued

MGMT = ("afa8bd80-7d8a-11c9-bef4-08002b102989", 1)
INQ_IF_IDS = 0
FRAGMENT = 5840


def client(server, options, account="PFXCONN01$", **more):
    return icpr_samba.Client(server, account, harness.PASSWORDS[account], options, **more)


@pytest.mark.parametrize("options", ["seal", "seal,spnego"])
def test_sealed(how_to, options):
    c = client(how_to, options)
    for _ in range(3):
        check_issued(c.request(pkcs10.csr(), TEMPLATE))


@pytest.mark.parametrize("options", ["sign", "sign,spnego", "packet", "packet,spnego", "connect", "connect,spnego"])
def test_levels_below_privacy(how_to, options):
    answer = client(how_to, options).request(pkcs10.csr(), TEMPLATE)
    assert answer.code == 0x80070005 and answer.certificate == b""


def test_fragments_both_ways(how_to):
    """Each fragment has a signature of its own, and the client checks them."""
    request = pkcs10.pem(pkcs10.csr(san=[x509.DNSName(f"host{i:04}.contoso.com") for i in range(165)]))
    answer = client(how_to, "seal,spnego").request(request, TEMPLATE)
    assert len(request) > FRAGMENT and len(answer.certificate) + len(answer.chain) > FRAGMENT
    check_issued(answer)


# ---- the management interface: every level, raw NTLM too ----

ICERTREQUESTD = ("d99e6e70-fc88-11d0-b498-00a0c90312f3", 0)
IREMUNKNOWN = ("00000131-0000-0000-c000-000000000046", 0)
LEVELS = ["connect", "packet", "sign", "seal"]
MECHANISMS = ["ntlm", "spnego"]


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("level", LEVELS)
def test_management(how_to, level, mechanism):
    c = client(how_to, f"{level},{mechanism}").mgmt
    interfaces = {(str(p.id.uuid), p.id.if_version) for p in c.inq_if_ids().if_id}
    assert {icpr_samba.ICERTPASSAGE, MGMT, ICERTREQUESTD, IREMUNKNOWN} <= interfaces
    assert c.is_server_listening() == (0, 1)
    before, after = [c.inq_stats(4, 0).statistics for _ in range(2)]
    assert after[mgmt.MGMT_STATS_CALLS_IN] == before[mgmt.MGMT_STATS_CALLS_IN] + 1
    assert after[mgmt.MGMT_STATS_PKTS_OUT] == before[mgmt.MGMT_STATS_PKTS_OUT] + 1


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("level", LEVELS)
def test_request_in_fragments(how_to, level, mechanism):
    """Octets behind the arguments are ignored, so a call without any can be as long as we like."""
    c = client(how_to, f"{level},{mechanism}").mgmt
    short = c.request(INQ_IF_IDS, b"")
    assert c.request(INQ_IF_IDS, b"\0" * 5 * FRAGMENT) == short


def test_management_without_authentication(how_to):
    for port in (how_to.epm_port, how_to.object_port):
        c = icpr_samba.Client(how_to, None, None, "", port=port).mgmt
        assert MGMT in {(str(p.id.uuid), p.id.if_version) for p in c.inq_if_ids().if_id}


@pytest.mark.parametrize("service", [9, 10])
def test_principal_name(how_to, service):
    assert client(how_to, "sign").mgmt.inq_princ_name(service, 100) == "host/ca01.corp.contoso.com"


@pytest.mark.parametrize("service,size,code", [(16, 100, 0x6D3), (0, 100, 0x6D3), (10, 10, 0x6CF)])
def test_no_principal_name(how_to, service, size, code):
    with pytest.raises(WERRORError) as caught:
        client(how_to, "sign").mgmt.inq_princ_name(service, size)
    assert caught.value.args[0] == code


def test_nobody_stops_the_server(how_to):
    c = client(how_to, "seal", account="Administrator").mgmt
    with pytest.raises(WERRORError) as caught:
        c.stop_server_listening()
    assert caught.value.args[0] == 5
    c.inq_if_ids()


# ---- refusals ----

@pytest.mark.parametrize("account,password", [("PFXCONN01$", "wrong"), ("unknown", "x"),
                                              ("leaver", harness.PASSWORDS["leaver"])])
@pytest.mark.parametrize("options", ["seal,ntlm", "seal,spnego", "sign,ntlm", "connect,spnego"])
def test_refused_logons(how_to, options, account, password):
    with pytest.raises(NTSTATUSError):
        icpr_samba.Client(how_to, account, password, options).mgmt.inq_if_ids()


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
