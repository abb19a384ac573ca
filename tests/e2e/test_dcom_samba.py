"""
DCOM through Samba's DCE/RPC runtime, which signs, seals and checks on its own: Debian's Samba has no DCOM client, so the stubs
are those of orpc.py. Samba says the object UUID of a request, and adds interfaces to a connection as Windows does.
"""
import struct

import pytest
from samba import NTSTATUSError
from samba.dcerpc import misc
from samba.dcerpc.base import ClientConnection

import harness
import icpr_samba
import orpc


def connection(server, port, interface, options="seal"):
    c = icpr_samba.Client(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"], options, port=port)
    binding, lp, creds = c.how
    return ClientConnection(binding, (interface, 0), lp, creds, basis_connection=c.mgmt)


def ipid_text(ipid):
    return str(misc.GUID(ipid))


def activate(server, options="seal"):
    return orpc.read_activation(connection(server, server.epm_port, orpc.IActivation, options).request(0, orpc.activation()))


@pytest.mark.parametrize("level", ["sign", "seal"])
def test_activation(how_to, level):
    made = activate(how_to, level)
    assert made.hr == 0 and made.bindings.strings[0] == (7, f"127.0.0.1[{how_to.object_port}]")


@pytest.mark.parametrize("level", ["connect", "packet"])
def test_activation_below_integrity(how_to, level):
    assert activate(how_to, level).hr == 0x80070005


def test_resolver(how_to):
    made = activate(how_to)
    c = connection(how_to, how_to.epm_port, orpc.IObjectExporter, "sign")
    assert c.request(3, b"") == bytes(4)
    r = orpc.Reader(c.request(4, struct.pack("<QHHLH", made.oxid, 1, 0, 1, orpc.TCP)))
    assert r.take("L") != 0 and r.array() == made.bindings and r.take("16s") == made.rem_unknown


def test_calls_and_release(how_to):
    made = activate(how_to)
    ipid = made.references[0].ipid
    stub = orpc.this() + orpc.name(harness.CA_NAME)
    c = connection(how_to, how_to.object_port, orpc.ICertRequestD)
    rem = connection(how_to, how_to.object_port, orpc.IRemUnknown)
    for _ in range(3):
        assert c.request(5, stub, object=ipid_text(ipid)) == bytes(12)
    assert c.request(5, orpc.this() + orpc.name("another"), object=ipid_text(ipid))[-4:] == struct.pack("<L", 0x80070057)
    release = orpc.this() + struct.pack("<HHL", 1, 0, 1) + ipid + struct.pack("<LL", 5, 0)
    assert rem.request(5, release, object=ipid_text(made.rem_unknown)) == bytes(12)
    with pytest.raises(NTSTATUSError) as caught:
        c.request(5, stub, object=ipid_text(ipid))
    assert caught.value.args[0] == 0xC0010108  # how Samba says RPC_E_DISCONNECTED
