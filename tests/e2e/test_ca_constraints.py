"""What the CA's own certificate forbids: name constraints, path length, policies; as a CAPolicy.inf asks, and in given ones."""
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

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
    told = server.json("rehearse", "--as", "CORP\\Administrator", "--template", "WebServer", "--subject", "CN=x", "--san",
                       "dns:web.example.com", code=4)
    assert told["verdict"] == "failed" and told["hr"].startswith("0x800b0114") and "permitted subtree" in told["reason"]
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

    def make(extensions, more=""):
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


def test_only_a_root_renews_itself(subordinate):
    server = subordinate("")
    assert "another CA" in server.json("ca", "renew", code=1)["error"]["message"]
    assert [c["version"] for c in server.json("ca", "show")["certificates"]] == ["V0.0"]
