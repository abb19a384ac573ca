"""What is in the certificates, judged by OpenSSL, GnuTLS and python3-cryptography."""
import pathlib
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

import conftest
import harness
import icpr
import pkcs10

from test_enroll import TEMPLATE, check_issued

SID_EXTENSION = "1.3.6.1.4.1.311.25.2"
KEYS = ["RSA-2048", "RSA-3072", "RSA-4096", "P-256", "P-384"]


def enroll(server, account, template, **request):
    with icpr.Client(server, account, harness.PASSWORDS[account]) as c:
        return check_issued(c.request(pkcs10.csr(**request), f"CertificateTemplate:{template}"))


def oids(certificate):
    return [e.oid.dotted_string for e in certificate.extensions]


def verify(server, certificate, tmp_path):
    """OpenSSL (strict) and GnuTLS accept the chain."""
    leaf, ca = tmp_path / "leaf.pem", tmp_path / "ca.pem"
    leaf.write_bytes(certificate.public_bytes(Encoding.PEM))
    ca.write_text(server.ctl("ca", "cert"))
    at = str(int(certificate.not_valid_before.replace(tzinfo=__import__("datetime").timezone.utc).timestamp()) + 60)
    for command in (["openssl", "verify", "-x509_strict", "-attime", at, "-CAfile", str(ca), str(leaf)],
                    ["certtool", "--verify", "--load-ca-certificate", str(ca), "--infile", str(leaf)]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"


def test_supply_in_request(how_to, tmp_path):
    san = [pkcs10.upn_name("janedoe@contoso.com"), x509.RFC822Name("janedoe@contoso.com"),
           x509.UniformResourceIdentifier("tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1105")]
    certificate = enroll(how_to, "PFXCONN01$", "IntunePKCS", name=pkcs10.subject(cn="Jane Doe", e="janedoe@contoso.com"), san=san)
    assert {a.rfc4514_string() for a in certificate.subject} == {"CN=Jane Doe", "1.2.840.113549.1.9.1=janedoe@contoso.com"}
    value = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(value) == san
    assert SID_EXTENSION not in oids(certificate)
    assert oids(certificate) == ["2.5.29.17", "2.5.29.14", "2.5.29.35", "2.5.29.31", "1.3.6.1.5.5.7.1.1",
                                 "1.3.6.1.4.1.311.21.7", "2.5.29.15", "2.5.29.37", "1.3.6.1.4.1.311.21.10"] or \
        "1.2.840.113549.1.9.15" in oids(certificate)
    eku = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {o.dotted_string for o in eku} == {"1.3.6.1.4.1.311.10.3.4", "1.3.6.1.5.5.7.3.4", "1.3.6.1.5.5.7.3.2"}
    verify(how_to, certificate, tmp_path)


def test_built_from_the_directory(how_to, tmp_path):
    certificate = enroll(how_to, "janedoe", "User", name=pkcs10.subject(cn="somebody else"),
                         san=[x509.DNSName("ignored.contoso.com")])
    text = certificate.subject.rfc4514_string()
    assert "CN=Jane Doe" in text and "DC=contoso" in text and "1.2.840.113549.1.9.1=janedoe@contoso.com" in text
    san = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    assert san == [pkcs10.upn_name("janedoe@contoso.com"), x509.RFC822Name("janedoe@contoso.com")]
    sid = certificate.extensions.get_extension_for_oid(x509.ObjectIdentifier(SID_EXTENSION)).value.value
    assert b"S-1-5-21-1111111111-2222222222-3333333333-" in sid
    assert oids(certificate)[-2:] == ["2.5.29.17", SID_EXTENSION]
    verify(how_to, certificate, tmp_path)


def test_computer(how_to, tmp_path):
    certificate = enroll(how_to, "WS01$", "Machine")
    assert certificate.subject.rfc4514_string() == "CN=ws01.corp.contoso.com"
    assert certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value.get_values_for_type(
        x509.DNSName) == ["ws01.corp.contoso.com"]
    verify(how_to, certificate, tmp_path)


def test_subordinate_ca_template(how_to, tmp_path):
    certificate = enroll(how_to, "Administrator", "SubCA", name=pkcs10.subject(cn="Sub CA"))
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.value.ca and constraints.critical
    verify(how_to, certificate, tmp_path)


def test_serial_number_form(how_to):
    with icpr.Client(how_to, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        answer = c.request(pkcs10.csr(), TEMPLATE)
    serial = x509.load_der_x509_certificate(answer.certificate).serial_number.to_bytes(19, "big")
    assert int.from_bytes(serial[1:5], "big") == answer.request_id == int.from_bytes(serial[15:19], "big")
    assert serial[13:15] == b"\0\0" and 0 < serial[0] < 0x80


def test_validity_is_backdated_and_not_longer_than_the_template(how_to):
    certificate = enroll(how_to, "PFXCONN01$", "IntunePKCS")
    assert (certificate.not_valid_after - certificate.not_valid_before).days == 365


@pytest.mark.parametrize("key", KEYS)
def test_ca_keys(fresh, tmp_path, key):
    config = tmp_path / "ca.ini"
    config.write_text(f"[CA]\nCommonName = {harness.CA_NAME}\nKeyType = {key}\n")
    server = fresh("--config", str(config))
    verify(server, enroll(server, "janedoe", "User"), tmp_path)
    assert server.json("ca", "show")["key"] == key


def make_subordinate(tmp_path):
    """A root and a subordinate CA made by openssl."""
    run = lambda *a: subprocess.run(["openssl", *a], cwd=tmp_path, check=True, capture_output=True)  # noqa: E731
    (tmp_path / "ext").write_text("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
                                  "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Test Root",
        "-days", "3650", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    run("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "sub.key", "-out", "sub.csr", "-subj",
        "/DC=com/DC=contoso/CN=Contoso Issuing CA")
    run("x509", "-req", "-in", "sub.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "1800", "-extfile",
        "ext", "-out", "sub.pem")
    (tmp_path / "chain.pem").write_text((tmp_path / "sub.pem").read_text() + (tmp_path / "root.pem").read_text())
    for name in ("sub.key", "chain.pem"):
        (tmp_path / name).chmod(0o644)


def test_given_key_and_chain(fresh, tmp_path):
    import shutil
    import tempfile
    make_subordinate(tmp_path)
    public = pathlib.Path(tempfile.mkdtemp(prefix="adcsd-chain-"))  # readable for the account the server becomes
    try:
        public.chmod(0o755)
        for name in ("sub.key", "chain.pem"):
            shutil.copy(tmp_path / name, public)
        config = public / "ca.ini"
        config.write_text(f"[CA]\nCommonName = Contoso Issuing CA\nKeyFile = {public}/sub.key\nCertFile = {public}/chain.pem\n")
        server = fresh("--config", str(config))
        with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
            answer = c.request(pkcs10.csr(), "CertificateTemplate:User", authority="Contoso Issuing CA")
        leaf = tmp_path / "leaf.pem"
        leaf.write_bytes(check_issued(answer).public_bytes(Encoding.PEM))
        subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", tmp_path / "root.pem", "-untrusted",
                        tmp_path / "sub.pem", leaf], check=True, capture_output=True)
        from cryptography.hazmat.primitives.serialization import pkcs7
        assert len(pkcs7.load_der_pkcs7_certificates(answer.chain)) == 3
    finally:
        shutil.rmtree(public)
