"""What the CA's own certificate forbids: name constraints, path length, policies; as a CAPolicy.inf asks, and in given ones."""
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

import harness
import icpr
import pkcs10
from test_certificates import make_subordinate
from test_renewal import START, ca_cert, file_of, openssl_verify

INVALID_NAME, INVALID_POLICY, BASIC_CONSTRAINTS = 0x800B0114, 0x800B0113, 0x80096019
SUBORDINATE = "Contoso Issuing CA"


@pytest.fixture
def sample(fresh, tmp_path):
    """The sample instance with sections of a CAPolicy.inf added."""
    def make(sections):
        config = tmp_path / "ca.ini"
        text = (pathlib.Path(__file__).parents[2] / "ca" / "contoso.ini").read_text()
        text = text.replace("\nPathLength = 0xFFFFFFFF\n", "\n")
        for heading, lines in sections.items():
            text, n = re.subn(rf"^\[{heading}\]\n", f"[{heading}]\n{lines}\n", text, flags=re.M)
            assert n == 1, heading
        config.write_text(text)
        config.chmod(0o644)
        return fresh("--clock", START, "--config", str(config))
    return make


def ask(server, san=None, template="WebServer", cn="device", authority="Contoso Certification Authority"):
    with icpr.Client(server, "Administrator", harness.PASSWORDS["Administrator"]) as c:
        return c.request(pkcs10.csr(name=pkcs10.subject(cn=cn), san=san), f"CertificateTemplate:{template}", authority=authority)


def test_name_constraints(sample, tmp_path):
    server = sample({"NameConstraintsExtension": "Permitted = DNS=contoso.com\n  EMail=contoso.com\nExcluded = DNS=secret.contoso.com"})
    ca = ca_cert(server, 0)
    constraints = ca.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert constraints.value.permitted_subtrees == [x509.DNSName("contoso.com"), x509.RFC822Name("contoso.com")]
    assert constraints.value.excluded_subtrees == [x509.DNSName("secret.contoso.com")]
    good = ask(server, [x509.DNSName("web.contoso.com")])
    assert good.disposition == icpr.CR_DISP_ISSUED
    leaf = x509.load_der_x509_certificate(good.certificate)
    assert "OK" in openssl_verify(tmp_path, leaf, [ca])
    for san in ([x509.DNSName("web.example.com")], [x509.DNSName("a.secret.contoso.com")],
                [x509.DNSName("web.contoso.com"), x509.DNSName("example.com")], [x509.RFC822Name("jane@example.com")]):
        bad = ask(server, san)
        assert bad.disposition == INVALID_NAME and not bad.certificate
        assert bad.message == ("Error Constructing or Publishing Certificate  The certificate has an invalid name. The name is not "
                               "included in the permitted list or is explicitly excluded. 0x800b0114 (-2146762476 CERT_E_INVALID_NAME)")
        row = server.json("request", "show", str(bad.request_id))
        assert row["state"] == "failed" and "serial" not in row
        last = server.json("request", "explain", str(bad.request_id), code=4)["rules"][-1]
        assert (last["rule"], last["said"], last["step"]) == ("CA constraints", "refuse", 38) and "subtree" in last["text"]
        assert "CAPolicy.inf" in server.ctl("request", "explain", str(bad.request_id), code=4)
    told = server.json("rehearse", "--as", "CORP\\Administrator", "--template", "WebServer", "--subject", "CN=x", "--san",
                       "dns:web.example.com", code=4)
    assert told["verdict"] == "failed" and told["hr"].startswith("0x800b0114") and "permitted subtree" in told["reason"]
    assert told["rules"][-1]["rule"] == "CA constraints" and told["rules"][-1]["fix"]
    # they stay when the CA is renewed, and the new certificate's count
    server.ctl("ca", "renew", "--new-key", "--key", "P-256")
    assert ca_cert(server, 1).extensions.get_extension_for_class(x509.NameConstraints).value == constraints.value
    assert ask(server, [x509.DNSName("web.example.com")]).disposition == INVALID_NAME
    assert ask(server, [x509.DNSName("web.contoso.com")]).disposition == icpr.CR_DISP_ISSUED


def test_a_renewal_changes_them(sample):
    server = sample({})
    assert ask(server, [x509.DNSName("web.example.com")]).disposition == icpr.CR_DISP_ISSUED
    server.ctl("ca", "set", "NameConstraintsExtension\\Permitted", "DNS=contoso.com")
    assert ask(server, [x509.DNSName("web.example.com")]).disposition == icpr.CR_DISP_ISSUED, "the certificate does not say so"
    server.ctl("ca", "renew")
    assert ask(server, [x509.DNSName("web.example.com")]).disposition == INVALID_NAME
    server.ctl("ca", "set", "NameConstraintsExtension\\Permitted", "Name=contoso.com")
    assert "Name=contoso.com" in server.json("ca", "renew", code=1)["error"]["message"]


def test_path_length_policies_and_locations(sample):
    server = sample({"BasicConstraintsExtension": "PathLength = 0", "PolicyStatementExtension": "Policies = 1.3.6.1.4.1.311.21.43, 1.2.3.4",
                     "CRLDistributionPoint": "URL = http://pki.contoso.com/root.crl",
                     "AuthorityInformationAccess": "URL = http://pki.contoso.com/root.crt"})
    ca = ca_cert(server, 0)
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, 0)
    policies = ca.extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [p.policy_identifier.dotted_string for p in policies] == ["1.3.6.1.4.1.311.21.43", "1.2.3.4"]
    point, = ca.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name == [x509.UniformResourceIdentifier("http://pki.contoso.com/root.crl")]
    access, = ca.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert access.access_location.value == "http://pki.contoso.com/root.crt"
    refused = ask(server, template="SubCA", cn="Below")
    table = server.ctl("rehearse", "--matrix", "--csv", "--templates", "SubCA,WebServer", "--principals", "CORP\\Administrator")
    assert "0x80096019,issued" in table
    assert refused.disposition == BASIC_CONSTRAINTS and "0x80096019 (-2146869223 TRUST_E_BASIC_CONSTRAINTS)" in refused.message
    assert ask(server).disposition == icpr.CR_DISP_ISSUED


def test_a_root_without_such_settings_has_none(sample):
    ca = ca_cert(sample({}), 0)
    assert [e.oid.dotted_string for e in ca.extensions] == ["2.5.29.15", "2.5.29.19", "2.5.29.14", "1.3.6.1.4.1.311.21.1"]
    assert ca.extensions.get_extension_for_class(x509.BasicConstraints).value == x509.BasicConstraints(True, None)


@pytest.fixture
def subordinate(fresh, tmp_path):
    """A CA below an OpenSSL root; extensions: what the root writes into its certificate."""
    folders = []

    def make(extensions="", more=""):
        make_subordinate(tmp_path)
        with (tmp_path / "ext").open("a") as ext:
            ext.write(extensions)
        subprocess.run(["openssl", "x509", "-req", "-in", "sub.csr", "-CA", "root.pem", "-CAkey", "root.key", "-days", "1800", "-extfile",
                        "ext", "-out", "sub.pem"], cwd=tmp_path, check=True, capture_output=True)
        (tmp_path / "chain.pem").write_text((tmp_path / "sub.pem").read_text() + (tmp_path / "root.pem").read_text())
        public = pathlib.Path(tempfile.mkdtemp(prefix="adcsd-chain-"))  # readable for the account the server becomes
        folders.append(public)
        public.chmod(0o755)
        for name in ("sub.key", "chain.pem"):
            shutil.copy(tmp_path / name, public)
            (public / name).chmod(0o644)
        config = public / "ca.ini"
        config.write_text(f"[CA]\nCommonName = {SUBORDINATE}\nKeyFile = {public}/sub.key\nCertFile = {public}/chain.pem\n{more}")
        return fresh("--config", str(config))
    yield make
    for folder in folders:
        shutil.rmtree(folder)


def test_a_given_certificate_with_constraints(subordinate, tmp_path):
    server = subordinate("nameConstraints=critical,permitted;DNS:contoso.com\n")
    assert ask(server, [x509.DNSName("x.example.com")], authority=SUBORDINATE).disposition == INVALID_NAME
    good = ask(server, [x509.DNSName("x.contoso.com")], authority=SUBORDINATE)
    assert good.disposition == icpr.CR_DISP_ISSUED
    leaf = tmp_path / "leaf.pem"
    leaf.write_bytes(x509.load_der_x509_certificate(good.certificate).public_bytes(Encoding.PEM))
    subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", tmp_path / "root.pem", "-untrusted", tmp_path / "sub.pem", leaf],
                   check=True, capture_output=True)


def policy_template(server, oid):
    server.ctl("template", "duplicate", "WebServer", "--display-name", "Assured")
    server.ldapmodify(f"dn: {server.template_dn('Assured')}\nchangetype: modify\nreplace: msPKI-Certificate-Policy\n"
                      f"msPKI-Certificate-Policy: {oid}\n")
    server.ctl("ca", "publish", "Assured")
    return ask(server, template="Assured", authority=SUBORDINATE)


@pytest.mark.parametrize("ca, template, flags, expected", [
    ("certificatePolicies=1.2.3.4\n", "1.2.3.4", "", icpr.CR_DISP_ISSUED),
    ("certificatePolicies=1.2.3.4\n", "1.2.3.5", "", INVALID_POLICY),
    ("certificatePolicies=1.2.3.4\n", "1.2.3.5", "CRLFlags = CRLF_IGNORE_INVALID_POLICIES\n", icpr.CR_DISP_ISSUED),
    ("certificatePolicies=2.5.29.32.0\n", "1.2.3.5", "", icpr.CR_DISP_ISSUED),
    ("", "1.2.3.5", "", icpr.CR_DISP_ISSUED),
])
def test_policies_of_a_given_certificate(subordinate, ca, template, flags, expected):
    answer = policy_template(subordinate(ca, flags), template)
    assert answer.disposition == expected, answer.message


def test_authority_key_identifier_names_the_certificate(subordinate, tmp_path):
    """EDITF_ENABLEAKIISSUERNAME and -SERIAL: the root's name and the serial number it gave; OpenSSL compares both with the CA's certificate."""
    server = subordinate("")
    above = x509.load_pem_x509_certificate((tmp_path / "sub.pem").read_bytes())
    for change in "+EDITF_ENABLEAKIISSUERNAME", "+EDITF_ENABLEAKIISSUERSERIAL":
        server.ctl("ca", "set", "policy\\EditFlags", change)
    issued = x509.load_der_x509_certificate(ask(server, authority=SUBORDINATE).certificate)
    aki = issued.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    assert [n.value for n in aki.authority_cert_issuer] == [above.issuer] and aki.authority_cert_serial_number == above.serial_number
    assert aki.key_identifier == above.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    (tmp_path / "leaf.pem").write_bytes(issued.public_bytes(Encoding.PEM))
    subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", tmp_path / "root.pem", "-untrusted", tmp_path / "sub.pem",
                    tmp_path / "leaf.pem"], check=True, capture_output=True)


# ---- renewal by the CA above ----

VERSION, PREVIOUS, TEMPLATE = (x509.ObjectIdentifier(f"1.3.6.1.4.1.311.{o}") for o in ("21.1", "21.2", "20.2"))


def request_renewal(server, tmp_path, *options):
    """The request, as OpenSSL reads it, and what an OpenSSL root makes of it: all the extensions that were asked for."""
    server.ctl("ca", "renew", "--out", str(tmp_path / "renewal.req"), *options)
    subprocess.run(["openssl", "req", "-in", "renewal.req", "-verify", "-noout"], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", "renewal.req", "-CA", "root.pem", "-CAkey", "root.key", "-days", "3000",
                    "-copy_extensions", "copyall", "-extfile", "aki", "-out", "renewed.pem"], cwd=tmp_path, check=True, capture_output=True)
    return (x509.load_pem_x509_csr((tmp_path / "renewal.req").read_bytes()),
            x509.load_pem_x509_certificate((tmp_path / "renewed.pem").read_bytes()))


def key_id(cert):
    return cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


@pytest.mark.parametrize("new_key", [False, True])
@pytest.mark.parametrize("with_chain", [False, True])
def test_renewal_by_the_ca_above(subordinate, tmp_path, new_key, with_chain):
    (tmp_path / "aki").write_text("authorityKeyIdentifier=keyid\n")
    server = subordinate()
    old = x509.load_pem_x509_certificate((tmp_path / "sub.pem").read_bytes())
    csr, cert = request_renewal(server, tmp_path, *(["--new-key", "--key", "P-384"] if new_key else []))
    assert csr.subject == old.subject
    value = {e.oid: getattr(e.value, "value", e.value) for e in csr.extensions}
    assert value[VERSION] == (b"\x02\x03\x01\x00\x01" if new_key else b"\x02\x01\x01")
    assert value[PREVIOUS][2:] == old.fingerprint(hashes.SHA1())
    assert value[TEMPLATE] == b"\x1e\x0a" + "SubCA".encode("utf-16-be")
    assert (csr.public_key().public_numbers() == old.public_key().public_numbers()) != new_key
    assert [c["version"] for c in server.json("ca", "show")["certificates"]] == ["V0.0"], "nothing has changed yet"
    server.stop()
    server.start()  # and a restart does not lose the request's key
    if with_chain:
        (tmp_path / "renewed.pem").write_bytes((tmp_path / "renewed.pem").read_bytes() + (tmp_path / "root.pem").read_bytes())
    server.ctl("ca", "renew", "--certificate", str(tmp_path / "renewed.pem"))
    assert [c["version"] for c in server.json("ca", "show")["certificates"]] == ["V0.0", "V1.1" if new_key else "V1.0"]
    for _ in range(2):
        answer = ask(server, authority=SUBORDINATE)
        leaf = x509.load_der_x509_certificate(answer.certificate)
        assert leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == key_id(cert)
        chain = pkcs7.load_der_pkcs7_certificates(answer.chain)
        assert len(chain) == 3 and cert in chain
        (tmp_path / "leaf.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
        subprocess.run(["openssl", "verify", "-x509_strict", "-CAfile", tmp_path / "root.pem", "-untrusted", tmp_path / "renewed.pem",
                        tmp_path / "leaf.pem"], check=True, capture_output=True)
        server.stop()
        server.start()
    folder = pathlib.Path(server.state) / "CertEnroll"
    assert not list(folder.glob("*(0-1)*")), "the root vouches for both keys"
    assert (folder / f"{SUBORDINATE}(1).crl").exists() == new_key


def test_what_a_subordinate_does_not_take(subordinate, tmp_path):
    (tmp_path / "aki").write_text("authorityKeyIdentifier=keyid\n")
    server = subordinate()
    request_renewal(server, tmp_path, "--new-key")
    make = lambda *a: subprocess.run(["openssl", *a], cwd=tmp_path, check=True, capture_output=True)  # noqa: E731
    make("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "other.key", "-out", "other.csr", "-subj", "/DC=com/DC=contoso/CN=Contoso Issuing CA")
    make("x509", "-req", "-in", "other.csr", "-CA", "root.pem", "-CAkey", "root.key", "-days", "9", "-extfile", "ext", "-out", "foreign.pem")
    make("req", "-new", "-key", "sub.key", "-out", "name.csr", "-subj", "/CN=Another CA")
    make("x509", "-req", "-in", "name.csr", "-CA", "root.pem", "-CAkey", "root.key", "-days", "9", "-extfile", "ext", "-out", "name.pem")
    make("x509", "-req", "-in", "sub.csr", "-CA", "root.pem", "-CAkey", "root.key", "-days", "9", "-out", "leaf.pem")
    (tmp_path / "none.pem").write_text("no certificate\n")
    (tmp_path / "torn.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    for name, word in (("foreign", "key"), ("name", "subject"), ("leaf", "CA"), ("none", "PEM"), ("torn", "malformed"), ("sub", "in force")):
        error = server.json("ca", "renew", "--certificate", str(tmp_path / f"{name}.pem"), code=1)["error"]
        assert word in error["message"], (name, error)
    assert [c["version"] for c in server.json("ca", "show")["certificates"]] == ["V0.0"]
    server.ctl("ca", "renew", "--certificate", str(tmp_path / "renewed.pem"))  # the key of the request is still there
    assert [c["version"] for c in server.json("ca", "show")["certificates"]] == ["V0.0", "V1.1"]
    assert "above" in server.json("ca", "renew", "--validity", "3 Years", code=1)["error"]["message"]


def test_a_root_takes_no_certificate(sample, tmp_path):
    server = sample({})
    file = file_of(tmp_path, "own.pem", ca_cert(server, 0))
    assert "root" in server.json("ca", "renew", "--certificate", file, code=1)["error"]["message"]
