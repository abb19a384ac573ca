"""ICertRequestD and ICertRequestD2 method by method, with impacket's runtime; values from MS-WCCE 3.2.1.4."""
import struct

import pytest
from asn1crypto import cms, crl
from cryptography import x509

import dcom
import harness
import icpr
import pkcs10
from test_enroll import check_issued

CA = harness.CA_NAME
NEWEST = -1
LONG, BINARY, STRING = 1, 3, 4
INVALID, NOT_FOUND = 0x80070057, 0x80070002
TEMPLATE = "CertificateTemplate:IntunePKCS"
CAINFO = ("cbSize", "CAType", "cCASignatureCerts", "cCAExchangeCerts", "cExitAlgorithms", "lPropIDMax", "lRoleSeparationEnabled",
          "cKRACertUsedCount", "cKRACertCount", "fAdvancedServer")


@pytest.fixture
def client(how_to):
    """Not of the module: impacket shares what it has opened to a server, whoever asks next."""
    with dcom.Connection(how_to, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        c.interface = c.activate(iid=dcom.IID_ICertRequestD2)
        yield c


def prop(client, identifier, index, kind, authority=CA):
    return client.blob(client.interface, "GetCAProperty", pwszAuthority=authority, PropID=identifier, PropIndex=index, PropType=kind)


def value(client, identifier, index, kind):
    code, blob = prop(client, identifier, index, kind)
    assert code == 0, hex(code)
    return blob


def string(client, identifier, index=0):
    blob = value(client, identifier, index, STRING)
    assert blob[-2:] == b"\0\0", "the NUL counts"
    return blob.decode("utf-16le")[:-1]


def ca_certificate(server):
    return x509.load_pem_x509_certificate(server.ctl("ca", "cert").encode())


def test_names(client):
    assert string(client, 6) == CA and string(client, 7) == CA and string(client, 0x28) == CA
    assert string(client, 0x16) == "ca01.corp.contoso.com"
    assert string(client, 0x2C) == "en-US"
    assert string(client, 4) == string(client, 5) == "Windows default"
    assert all(part.isdigit() for part in string(client, 1).split(".")) and string(client, 2).count(".") == 3


@pytest.mark.parametrize("identifier", [3, 0xA, 0xB, 0xE, 0x15, 0x17, 0x18, 0x19, 0x1C])
def test_numbers_come_in_a_whole_cainfo(client, identifier):
    blob = value(client, identifier, 0, LONG)
    info = dict(zip(CAINFO, struct.unpack("<10L", blob)))
    assert (info["cbSize"], info["CAType"], info["cCASignatureCerts"], info["cCAExchangeCerts"]) == (40, 0, 1, 1)
    assert info["cExitAlgorithms"] == 1 and info["lPropIDMax"] >= 45 and info["fAdvancedServer"] == 1


def test_certificates(client, how_to):
    ca = ca_certificate(how_to)
    for index in (0, NEWEST):
        der = value(client, 0xC, index, BINARY)
        assert x509.load_der_x509_certificate(der) == ca
        chain = cms.ContentInfo.load(value(client, 0xD, index, BINARY), strict=True)["content"]
        assert [c.chosen.dump() for c in chain["certificates"]] == [der] and len(chain["signer_infos"]) == 0
        full = cms.ContentInfo.load(value(client, 0x20, index, BINARY), strict=True)["content"]
        assert len(full["crls"]) == 2 and len(full["certificates"]) == 1
        exchange = x509.load_der_x509_certificate(value(client, 0xF, index, BINARY))
        assert exchange.issuer == ca.subject and "-Xchg" in exchange.subject.rfc4514_string()
        signed = cms.ContentInfo.load(value(client, 0x10, index, BINARY), strict=True)["content"]
        assert exchange.public_bytes(pkcs10.serialization.Encoding.DER) in signed.dump()
        assert cms.ContentInfo.load(value(client, 0x21, index, BINARY), strict=True)["content"]["crls"]


def test_crls(client, how_to):
    for identifier, kind in ((0x11, "base"), (0x12, "delta")):
        for index in (0, NEWEST):
            der = value(client, identifier, index, BINARY)
            assert crl.CertificateList.load(der, strict=True).dump() == der
            assert x509.load_der_x509_crl(der).issuer == ca_certificate(how_to).subject, kind
    assert struct.unpack("<L", value(client, 0x1E, 0, LONG))[0] & 1
    assert struct.unpack("<L", value(client, 0x1F, NEWEST, LONG))[0] & 2


def test_states(client):
    assert value(client, 0x13, 0, LONG) == b"\3" and value(client, 0x14, 0, LONG) == b"\3"
    assert value(client, 0x22, 0, LONG) == value(client, 0x22, NEWEST, LONG) == bytes(4)
    assert value(client, 0x27, 0, LONG) == bytes(4)
    assert value(client, 0x2E, 0, LONG) == bytes(4)


def test_lists(client, how_to):
    found = string(client, 0x1D).split("\n")
    assert found[-1] == "" and len(found) % 2 == 1
    pairs = dict(zip(found[::2], found[1::2]))
    assert list(pairs) == [t if isinstance(t, str) else t["name"] for t in how_to.json("ca", "show")["templates"]]
    assert pairs["IntunePKCS"].startswith("1.3.6.1.4.1.311.21.8.")
    oids = string(client, 0x2D).split("\n")
    assert oids[0] == "1.2.840.113549.1.9.1" and oids[1] == "2.5.4.3" and oids[-1] == ""
    assert "/CertEnroll/" in string(client, 0x29) and string(client, 0x29).endswith(".crl\n")
    assert ".crt" in string(client, 0x2A)
    assert string(client, 0x2B) == ""


@pytest.mark.parametrize("identifier,index,kind,expected", [
    (0, 0, LONG, INVALID), (0x33, 0, LONG, INVALID), (-1, 0, LONG, INVALID), (6, 0, LONG, INVALID), (6, 0, BINARY, INVALID),
    (6, 0, 0, INVALID), (6, 0, 2, INVALID), (6, 1, STRING, INVALID), (6, NEWEST, STRING, INVALID), (4, 1, STRING, NOT_FOUND),
    (8, 0, STRING, NOT_FOUND), (9, 0, STRING, NOT_FOUND), (0xC, 1, BINARY, INVALID), (0xC, 0, LONG, INVALID), (0xF, 1, BINARY, INVALID),
    (0x11, 7, BINARY, INVALID), (0x13, 1, LONG, INVALID), (0x13, NEWEST, LONG, INVALID), (0x1A, 0, BINARY, NOT_FOUND),
    (0x1B, 0, LONG, NOT_FOUND), (0x23, 0, BINARY, INVALID), (0x24, 0, BINARY, INVALID), (0x24, 1, BINARY, INVALID),
    (0x25, 0, LONG, INVALID), (0x2F, 0, BINARY, INVALID), (0x2F, 0, LONG, INVALID), (0x31, 0, LONG, INVALID)])
def test_refused_properties(client, identifier, index, kind, expected):
    code, blob = prop(client, identifier, index, kind)
    assert (code, blob) == (expected, b""), hex(code)


def test_property_infos(client):
    r = client.plain(client.interface, "GetCAPropertyInfo", pwszAuthority=CA)
    assert r["ErrorCode"] == 0
    blob, found = dcom.octets(r["pctbPropInfo"]), {}
    for i in range(r["pcProperty"]):
        identifier, kind, reserved, flags, offset = struct.unpack_from("<LBBHL", blob, 12 * i)
        assert reserved == 0 and offset % 4 == 0 and kind in (LONG, BINARY, STRING)
        end = offset
        while blob[end:end + 2] != b"\0\0":
            end += 2
        found[identifier] = (kind, flags & 1, blob[offset:end].decode("utf-16le"))
    assert list(found) == list(range(1, 0x2E))
    assert found[0x1D] == (STRING, 0, "Configured Certificate Templates") and found[0xC] == (BINARY, 1, "CA Signature Certificate")
    for identifier, (kind, indexed, name) in found.items():  # what is listed is answered by that type
        code, _ = prop(client, identifier, 0, kind)
        assert code in (0, NOT_FOUND) or (indexed and code == INVALID), (name, hex(code))


@pytest.mark.parametrize("authority,code", [(None, INVALID), ("", INVALID), ("Another CA", INVALID), (CA.upper(), 0)])
def test_authority(client, authority, code):
    assert prop(client, 6, 0, STRING, authority)[0] == code
    assert client.plain(client.interface, "GetCAPropertyInfo", pwszAuthority=authority)["ErrorCode"] == code
    assert client.blob(client.interface, "GetCACert", pwszAuthority=authority, fchain=0)[0] == code
    assert client.submit2(client.interface, pkcs10.csr(), TEMPLATE, authority).code == code
    for ping in ("Ping", "Ping2"):  # no name need be given
        assert client.plain(client.interface, ping, pwszAuthority=authority)["ErrorCode"] == (0 if not authority else code)


def test_get_ca_cert(client, how_to):
    def get(fchain, code=0, authority=CA):
        answer, blob = client.blob(client.interface, "GetCACert", pwszAuthority=authority, fchain=fchain)
        assert answer == code, (hex(fchain), hex(answer))
        return blob

    newest = value(client, 0xC, NEWEST, BINARY)
    assert get(0) == newest == get(0x63740000)
    assert get(1) == value(client, 0xF, 0, BINARY)
    assert get(0x6363726C) == value(client, 0x11, NEWEST, BINARY) == get(0x636C0000)
    for fchain, identifier in ((0x66696C65, 1), (0x70726F64, 2), (0x706F6C69, 5), (0x6E616D65, 6), (0x73616E69, 7), (0x65780000, 4)):
        assert get(fchain) == value(client, identifier, 0, STRING)
    for fchain in (0x6E616D65, 0x73616E69):  # told whatever CA is asked for
        assert get(fchain, authority="Another CA") == value(client, 6, 0, STRING)
    assert len(get(0x696E666F)) == 40 and get(0x74797065) == bytes(4)
    assert get(0x736C0000) == get(0x73740000) == b"\3"
    get(0x73686172, NOT_FOUND)
    get(0x70617265, NOT_FOUND)
    get(0x65780001, NOT_FOUND)
    for fchain in (2, 0x63740001, 0x636C0009, 0xFFFFFFFF, 0x7374):
        get(fchain, INVALID)


def test_request2(client, how_to):
    answer = client.submit2(client.interface, pkcs10.csr(), TEMPLATE, CA)
    certificate = check_issued(answer)
    serial = how_to.json("request", "show", str(answer.request_id))["serial"]
    for arguments in ({"request_id": answer.request_id}, {"serial": serial}, {"serial": serial.upper()}):
        again = client.submit2(client.interface, b"", None, CA, **arguments)
        assert again.certificate == answer.certificate and again.disposition == icpr.CR_DISP_ISSUED, arguments
    assert client.submit2(client.interface, b"", None, CA).code == INVALID
    assert client.submit2(client.interface, b"", None, CA, request_id=answer.request_id, serial=serial).code == INVALID
    assert client.submit2(client.interface, b"", None, CA, request_id=99999).code == 0x80094004
    assert client.submit2(client.interface, b"", None, CA, serial="00" * 16).code == 0x80094004
    refused = client.submit2(client.interface, pkcs10.csr(), "CertificateTemplate:Nonsense", CA)
    assert refused.disposition == 0x80094800 and refused.code == 0 and refused.message.startswith("Denied by Policy Module")
    full = client.submit2(client.interface, pkcs10.csr(), TEMPLATE, CA, flags=0x40000)
    assert full.certificate and full.chain != answer.chain
    assert cms.ContentInfo.load(full.chain)["content"]["encap_content_info"]["content_type"].dotted == "1.3.6.1.5.5.7.12.3"
    assert certificate.issuer == ca_certificate(how_to).subject


def test_methods_of_the_base_interface(how_to):
    with dcom.Connection(how_to, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        interface = c.activate(iid=dcom.IID_ICertRequestD)
        code, blob = c.blob(interface, "GetCACert", iid=dcom.IID_ICertRequestD, pwszAuthority=CA, fchain=0)
        assert code == 0 and x509.load_der_x509_certificate(blob) == ca_certificate(how_to)
        assert c.plain(interface, "Ping", iid=dcom.IID_ICertRequestD, pwszAuthority=CA)["ErrorCode"] == 0


def test_without_enroll_right(fresh):
    """0x80094011 is the HRESULT of every method, but pings need no right (wcce.md 2)."""
    server = fresh()
    server.ctl("ca", "acl", "deny", "CORP\\janedoe", "RequestCertificates")
    with dcom.Connection(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        c.interface = c.activate(iid=dcom.IID_ICertRequestD2)
        assert prop(c, 6, 0, STRING) == (0x80094011, b"")
        assert c.blob(c.interface, "GetCACert", pwszAuthority=CA, fchain=0) == (0x80094011, b"")
        assert c.plain(c.interface, "GetCAPropertyInfo", pwszAuthority=CA)["ErrorCode"] == 0x80094011
        answer = c.submit2(c.interface, pkcs10.csr(), "CertificateTemplate:User", CA)
        assert (answer.code, answer.disposition) == (0x80094011, 0x80094011)
        assert c.plain(c.interface, "Ping2", pwszAuthority=CA)["ErrorCode"] == 0


def test_no_remote_requests(fresh):
    """IF_NOREMOTEICERTREQUEST closes DCOM's door and no other."""
    server = fresh()
    server.ctl("ca", "set", "CA\\InterfaceFlags", "+IF_NOREMOTEICERTREQUEST")
    with dcom.Connection(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        c.interface = c.activate(iid=dcom.IID_ICertRequestD2)
        assert prop(c, 6, 0, STRING)[0] == 0x80094011
        assert c.plain(c.interface, "Ping", pwszAuthority=CA)["ErrorCode"] == 0x80094011
    with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        assert c.request(pkcs10.csr(), "CertificateTemplate:User").disposition == icpr.CR_DISP_ISSUED


def test_only_sealed(how_to):
    """Privacy is demanded of every method over DCOM, whatever IF_ENFORCEENCRYPTICERTREQUEST says."""
    with dcom.Connection(how_to, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        c.interface = c.activate(iid=dcom.IID_ICertRequestD2)
        c.interface.get_cinstance().set_auth_level(5)  # which was the object exporter's hint
        assert prop(c, 6, 0, STRING) == (0x80070005, b"")
