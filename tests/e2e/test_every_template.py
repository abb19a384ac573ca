"""Every built-in template, and what administrators make of them: OpenSSL strict, GnuTLS and NSS accept the certificates and the CRLs."""
import ipaddress
import pathlib
import sys
import tempfile
import time

import pytest
from cryptography import x509

import harness
import icpr
import judged
import pkcs10
import signed_requests as sr
from hresult_cases import AGENT_KEY, NEW_KEY, World
from test_certificates import make_subordinate

sys.path.insert(0, str(harness.ROOT / "tests/judges"))

import verifiers  # noqa: E402

# From default-templates.md: whose names the template needs.
COMPUTERS = {"DirectoryEmailReplication", "DomainController", "DomainControllerAuthentication", "IPSECIntermediateOnline",
             "KerberosAuthentication", "Machine", "MachineEnrollmentAgent", "OCSPResponseSigning", "RASAndIASServer", "Workstation"}
BUILT_IN = 33


@pytest.fixture
def public():
    """A folder that the account which the server becomes can read."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(0o755)
        yield pathlib.Path(folder)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    made = World(tmp_path_factory.mktemp("templates"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def names(world):
    """Every template, published, and open to the accounts used here."""
    server = world.server
    found = [t["name"] for t in server.json("template", "list")]
    for cn in found:
        for group in ("Domain Users", "Domain Computers", "Domain Controllers"):
            server.ctl("template", "acl", "grant", cn, f"CORP\\{group}", "Read", "Enroll")
    server.ctl("ca", "publish", *found)
    return found


@pytest.fixture(scope="module")
def judges(world, names, tmp_path_factory):
    """With a CRL that lists a certificate, and one more for the test of the judges themselves."""
    del names
    revoked = request(world, "User", "janedoe")
    world.server.ctl("request", "revoke", str(revoked.request_id), "--reason", "keyCompromise")
    world.server.ctl("crl", "publish")
    made = verifiers.Judges(tmp_path_factory.mktemp("judges"), world.server.ctl("ca", "cert"), time.time() + 60,
                            world.server.ctl("crl", "get", "--der", text=False))
    made.revoked = revoked.certificate
    return made


def request(world, cn, account, **options):
    """Issued, if need be by an officer; by an authorised signature where the template wants one."""
    server = world.server
    csr = options.pop("csr", None) or pkcs10.csr(**options)
    if cn == "CrossCA":
        csr = sr.signed_data(sr.request(NEW_KEY), [sr.Signer(AGENT_KEY, cross_signer(world))])
    answer = world.send(account, csr, f"CertificateTemplate:{cn}").answer
    if answer.disposition == icpr.CR_DISP_UNDER_SUBMISSION:
        server.ctl("request", "issue", str(answer.request_id))
        answer = world.send(account, b"", request_id=answer.request_id).answer
    assert answer.disposition == icpr.CR_DISP_ISSUED, f"{cn} for {account}: 0x{answer.disposition:08x} {answer.message}"
    return answer


def cross_signer(world):
    """CrossCA wants a signature of Qualified Subordination."""
    def make():
        world.template("Subordination", msPKI_Certificate_Application_Policy="1.3.6.1.4.1.311.10.3.10",
                       pKIExtendedKeyUsage="1.3.6.1.4.1.311.10.3.10")
        return world.enroll("agent", "Subordination", AGENT_KEY)[0]
    return world.once("cross signer", make)


def test_every_built_in_template(world, names, judges):
    assert len(names) == BUILT_IN
    for cn in names:
        answer = request(world, cn, "DC01$" if cn in COMPUTERS else "janedoe")
        judges.all(answer.certificate)


VARIATIONS = {
    "schema 3, EC key": ({"msPKI_Template_Schema_Version": 3, "msPKI_Minimal_Key_Size": 256}, {"key": pkcs10.ec_key()}),
    "schema 4, P-521": ({"msPKI_Template_Schema_Version": 4, "msPKI_Minimal_Key_Size": 521}, {"key": pkcs10.ec_key("secp521r1")}),
    "no subject": ({"msPKI_Certificate_Name_Flag": 0x02000000}, {}),
    "every alternative name": ({"msPKI_Certificate_Name_Flag": 0x07400000}, {}),
    "supplied names of every kind": ({"msPKI_Certificate_Name_Flag": 1}, {"san": [
        x509.DNSName("a.contoso.com"), x509.RFC822Name("a@contoso.com"), pkcs10.upn_name("a@contoso.com"),
        x509.UniformResourceIdentifier("https://contoso.com/a"), x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        x509.IPAddress(ipaddress.ip_address("2001:db8::1")), x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
        x509.DirectoryName(pkcs10.subject(cn="a"))]}),
    "supplied subject in UTF-8": ({"msPKI_Certificate_Name_Flag": 1}, {"name": pkcs10.subject(cn="Größe 測試", o="Ünï", c="DE")}),
    "basic constraints of an end entity": ({"msPKI_Enrollment_Flag": 0x8000}, {}),
    "no revocation information": ({"msPKI_Enrollment_Flag": 0x4000}, {}),
    "no SID": ({"msPKI_Enrollment_Flag": 0x80000}, {}),
    "S/MIME capabilities": ({"msPKI_Enrollment_Flag": 0x1}, {}),
    "issuance policy": ({"msPKI_Certificate_Policy": "1.3.6.1.4.1.311.21.8.1.2.3.4"}, {}),
    "critical usages": ({"pKICriticalExtensions": "2.5.29.37"}, {}),
}


@pytest.mark.parametrize("variation", sorted(VARIATIONS))
def test_variations(world, judges, variation):
    attributes, options = VARIATIONS[variation]
    cn = "V" + str(sorted(VARIATIONS).index(variation))
    world.template(cn, **attributes)
    judges.all(request(world, cn, "janedoe", **options).certificate)


def test_the_judges_refuse(world, judges, tmp_path):
    """What they accept means something: a revoked certificate, another CA's, a broken signature."""
    good = request(world, "User", "janedoe").certificate
    broken = good[:-1] + bytes([good[-1] ^ 1])
    for judge in (judges.openssl, judges.certtool, judges.nss):
        judge(good)
        with pytest.raises(verifiers.Refused):
            judge(broken)
    for judge in (judges.openssl, judges.nss):
        with pytest.raises(verifiers.Refused):
            judge(judges.revoked)
    other = World(tmp_path)
    try:
        (tmp_path / "judges").mkdir()
        strangers = verifiers.Judges(tmp_path / "judges", other.server.ctl("ca", "cert"), judges.when)
        for judge in (strangers.openssl, strangers.certtool, strangers.nss):
            with pytest.raises(verifiers.Refused):
                judge(good)
    finally:
        other.close()


@pytest.mark.parametrize("key", ["RSA-3072", "P-256", "P-384"])
def test_keys_of_the_ca(tmp_path, key):
    world = World(tmp_path)
    try:
        server = world.fresh("[CA]", f"KeyType = {key}")
        _, number = world.enroll("janedoe", "User", NEW_KEY, server)
        server.ctl("request", "revoke", str(number))
        server.ctl("crl", "publish")
        (tmp_path / "judges").mkdir()
        judges = verifiers.Judges(tmp_path / "judges", server.ctl("ca", "cert"), time.time() + 60, server.ctl("crl", "get", "--der", text=False))
        judges.all(world.send("janedoe", pkcs10.csr(), "CertificateTemplate:User", server=server).answer.certificate)
    finally:
        world.close()


def test_below_a_root(public):
    make_subordinate(public)
    world = World(public)
    try:
        server = world.fresh("[CA]", "CommonName = Contoso Issuing CA", f"KeyFile = {public}/sub.key", f"CertFile = {public}/chain.pem")
        (public / "judges").mkdir()
        judges = verifiers.Judges(public / "judges", (public / "chain.pem").read_text(), time.time() + 60)
        judges.all(world.send("janedoe", pkcs10.csr(), "CertificateTemplate:User", server=server).answer.certificate)
    finally:
        world.close()


def test_what_breaks_the_rfc_is_found(tmp_path):
    """The lint of the harness sees what a server issued: here an empty subject beside names that the request leaves uncritical."""
    world = World(tmp_path)
    server = world.fresh()
    world.template("Supplied", server, msPKI_Certificate_Name_Flag=1)
    answer = world.send("janedoe", pkcs10.csr(name=x509.Name([]), san=[x509.DNSName("a.contoso.com")]), "CertificateTemplate:Supplied",
                        server=server).answer
    assert answer.disposition == icpr.CR_DISP_ISSUED
    assert "4.2.1.6: without a subject" in judged.judge(server.state, {})
    server.accepts("4.2.1.6", "the request's own alternative names keep their criticality, as AD CS keeps it")
    world.close()
