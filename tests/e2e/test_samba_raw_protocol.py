"""Samba's own DCE/RPC wire suite (python3-samba: samba.tests.dcerpc.raw_protocol), whose authors compared it with Windows.

It means to talk to an endpoint mapper on port 135; ours listens on a free port. So the port is exchanged when it
connects and, in a bind_ack's secondary address, when it reads. Its anonymous logons become a user's, because adcsd
refuses anonymous ones.

Not run, and why:
- test_krb5_*: need a KDC. test_lsa_*, test_assoc_group_ok2, _fail3: need SMB pipes. test_schannel_*: need NETLOGON.
- test_*_requests, test_*_requests0*: look NETLOGON up in the endpoint mapper; adcsd serves no such interface.
- test_spnego_{packet,integrity}_bind_none: expect levels that sign to be taken without an agreement to sign. Refused
  by choice.
- test_neg_xmit_*, test_alloc_hint: announce 4 GiB; adcsd refuses that at once (MS-RPCE 3.3.3.5.4), by choice.
- test_spnego_auth3: wants a refusal that an anonymous logon brings about.
- Other names of the suite that the list lacks: adcsd differs still.
"""
import pathlib
import socket
import unittest

import harness
import pytest
from samba.credentials import DONT_USE_KERBEROS
from samba.dcerpc import dcerpc
from samba.tests.dcerpc import raw_protocol
from samba.tests.dcerpc.raw_testcase import RawDCERPCTest

EPM_PORT = 135
PASSING = (pathlib.Path(__file__).parent / "samba_raw_protocol.txt").read_text().split()


@pytest.fixture(scope="module")
def port():
    server = harness.Server().start()
    patch = pytest.MonkeyPatch()
    for name, value in {"SERVER": server.address, "TARGET_HOSTNAME": "ca01.corp.contoso.com", "DOMAIN": "CORP",
                        "REALM": "CORP.CONTOSO.COM", "USERNAME": "janedoe", "PASSWORD": harness.PASSWORDS["janedoe"],
                        "SMB_CONF_PATH": "/dev/null", "IGNORE_RANDOM_PAD": "1"}.items():
        patch.setenv(name, value)
    redirect(patch, server.epm_port)
    yield server.epm_port
    patch.undo()
    server.remove()


def redirect(patch, port):
    """Points the suite at our port and one user; it goes on believing in 135."""
    connect, receive, credentials = RawDCERPCTest._connect_tcp, RawDCERPCTest.recv_pdu_raw, RawDCERPCTest.get_user_creds

    def connect_ours(test):
        assert test.primary_address == str(EPM_PORT)
        test.secondary_address = test.secondary_address or test.primary_address
        test.primary_address = str(port)
        connect(test)
        test.primary_address, test.tcp_port = str(EPM_PORT), EPM_PORT

    def receive_theirs(test, *args, **kwargs):
        pdu, blob = receive(test, *args, **kwargs)
        if pdu is not None and pdu.ptype == dcerpc.DCERPC_PKT_BIND_ACK:
            assert pdu.u.secondary_address == str(port)
            pdu.u.secondary_address, pdu.u.secondary_address_size = str(EPM_PORT), 4
            pdu.u._pad1 = b"\0" * 2
        return pdu, blob

    def user(test):
        found = credentials(test)
        found.set_kerberos_state(DONT_USE_KERBEROS)
        return found

    patch.setattr(RawDCERPCTest, "_connect_tcp", connect_ours)
    patch.setattr(RawDCERPCTest, "recv_pdu_raw", receive_theirs)
    patch.setattr(RawDCERPCTest, "get_user_creds", user)
    patch.setattr(RawDCERPCTest, "get_anon_creds", user)


def test_the_port_is_not_theirs(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60):
        assert port != EPM_PORT


@pytest.mark.parametrize("name", PASSING)
def test_case(port, name):
    result = unittest.TestResult()
    raw_protocol.TestDCERPC_BIND(name).run(result)
    assert result.testsRun == 1
    assert [text for _, text in result.failures + result.errors] == []
