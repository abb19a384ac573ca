"""
Signers whom another CA certified: chains over the directory's PKI containers, NTAuthCertificates, CRLs. The CAs are openssl's,
requests travel over impacket's RPC, and a rehearsal answers each of them like the wire.
"""
import base64

import pytest
from cryptography import x509

import harness
import icpr
import other_ca
import pkcs10
import signed_requests as sr

ISSUED = icpr.CR_DISP_ISSUED
VERIFYING = "Error Verifying Request Signature or Signing Certificate  "
CHAINING, UNTRUSTED_ROOT, UNTRUSTED_CA, EXPIRED = 0x800B010A, 0x800B0109, 0x800B0112, 0x800B0101
REVOKED, NO_CHECK, OFFLINE, BAD_SIGNATURE, CONSTRAINTS = 0x80092010, 0x80092012, 0x80092013, 0x80096004, 0x80096019
PKS = "CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=contoso,DC=com"
NEW_KEY, OWN_AGENT_KEY, JANE_KEY = (pkcs10.rsa_key(number=n) for n in (3, 1, 2))


@pytest.fixture(scope="module")
def server():
    made = harness.Server().start()
    made.ctl("ca", "publish", "EnrollmentAgent")
    made.ctl("template", "acl", "grant", "EnrollmentAgent", "CORP\\agent", "Read", "Enroll")
    yield made
    made.remove()


@pytest.fixture(autouse=True)
def as_before(server):
    """Every test begins with nothing published but the CA itself."""
    before = server.json("pki", "list")
    yield
    after = server.json("pki", "list")
    for word in ("NTAuthCA", "RootCA", "SubCA"):
        for o in after[word]:
            if o["sha1"] not in [b["sha1"] for b in before[word]]:
                server.ctl("pki", "remove", o["sha1"], word)
        for o in before[word]:
            assert o["sha1"] in [n["sha1"] for n in server.json("pki", "list")[word]]
    for o in after["CDP"]:
        if o not in before["CDP"] and "Contoso" not in o["object"]:
            dn = f"CN={o['object']},CN={o['object']},CN=CDP,{PKS}"
            server.ldapmodify(f"dn: {dn}\nchangetype: delete\n")


class Chain:
    """A root, a CA below it, and an enrollment agent of that one."""

    def __init__(self, folder, prefix, points=True):
        self.root = other_ca.OtherCA(folder, f"{prefix} Root", points=points)
        self.sub = other_ca.OtherCA(folder, f"{prefix} Sub", self.root, points=points)
        self.agent = self.sub.issue("Agent", other_ca.AGENT)

    def publish_crls(self, server):
        for ca in (self.root, self.sub):
            server.ctl("pki", "add", str(ca.crl()), "CDP")


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return Chain(tmp_path_factory.mktemp("cas"), "Fabrikam")


def on_behalf(signer, beside=(), whom="CORP\\janedoe"):
    """A CMC request as certreq makes it for somebody else."""
    content = sr.pki_data([sr.tagged(sr.request(NEW_KEY))], [sr.reg_info(f"requestername={whom}")])
    signers = [sr.Signer(NEW_KEY), sr.Signer(signer.key, signer.certificate)]
    return sr.signed_data(content, signers, [signer.certificate, *beside], sr.PKI_DATA, 3)


def ask(server, request, code=ISSUED, account="agent", rehearsed_as="CORP\\agent"):
    """Over the wire and rehearsed; the explanation's line about chains."""
    path = f"{server.state}/rehearsed.csr"
    with open(path, "wb") as f:
        f.write(request)
    said = server.json("rehearse", "--as", rehearsed_as, "--template", "User", "--csr", path, code=0 if code == ISSUED else 4)
    with icpr.Client(server, account, harness.PASSWORDS[account]) as c:
        answer = c.request(request, "CertificateTemplate:User", 0, server.ready["ca"])
    assert answer.disposition == code, f"0x{answer.disposition:08x} {answer.message}"
    rules = server.json("request", "explain", str(answer.request_id), code=0 if code == ISSUED else 4)["rules"]
    if code == ISSUED:
        assert said["verdict"] == "issued"
    else:
        assert answer.message.startswith(VERIFYING) and answer.certificate == b""
        assert said["verdict"] == "failed" and said["hr"] == f"0x{code:08x}" and said["message"] == answer.message
    assert [r for r in said["rules"] if r["step"] == 13] == [r for r in rules if r["step"] == 13]
    return [r for r in rules if r["step"] == 13][-1]


def test_each_object_counts(server, chain):
    """The way an administrator goes, refusal by refusal, each edit seen by the very next request."""
    alone, whole = on_behalf(chain.agent), on_behalf(chain.agent, [chain.sub.certificate, chain.root.certificate])
    rule = ask(server, alone, CHAINING)
    assert rule["said"] == "refuse" and "CN=Agent" in rule["text"] and "SubCA" in rule["fix"]
    rule = ask(server, whole, UNTRUSTED_ROOT)
    assert "CN=Agent < CN=Fabrikam Sub < CN=Fabrikam Root" in rule["text"] and "RootCA" in rule["fix"]
    server.ctl("pki", "add", str(chain.root.file), "RootCA")
    ask(server, alone, CHAINING)
    assert "CRLF_REVCHECK_IGNORE_OFFLINE" in ask(server, whole, OFFLINE)["fix"]
    server.ctl("pki", "add", str(chain.sub.crl()), "CDP")
    ask(server, whole, OFFLINE)  # the CA in between has distribution points, too
    server.ctl("pki", "add", str(chain.root.crl()), "CDP")
    rule = ask(server, whole, UNTRUSTED_CA)
    assert "CN=Fabrikam Sub, which issued it, is not in NTAuthCertificates" in rule["text"] and "NTAuthCA" in rule["fix"]
    server.ctl("pki", "add", str(chain.root.file), "NTAuthCA")
    ask(server, whole, UNTRUSTED_CA)  # it is the issuing CA that counts
    server.ctl("pki", "add", str(chain.sub.file), "NTAuthCA")
    rule = ask(server, whole)
    assert rule["said"] == "pass" and rule["text"].endswith("the issuing CA is in NTAuthCertificates")
    ask(server, alone, CHAINING)  # NTAuthCertificates are no place for issuers
    server.ctl("pki", "add", str(chain.sub.file), "SubCA")
    ask(server, alone)
    server.ctl("pki", "remove", str(chain.root.file), "RootCA")
    ask(server, alone, UNTRUSTED_ROOT)


@pytest.fixture
def trusted(server, chain):
    server.ctl("pki", "add", str(chain.root.file), "RootCA")
    server.ctl("pki", "add", str(chain.sub.file), "SubCA")
    server.ctl("pki", "add", str(chain.sub.file), "NTAuthCA")
    chain.publish_crls(server)
    return chain


def test_by_other_ldap_tools(server, chain):
    """What certutil -dspublish leaves, by ldapmodify, is what counts; the objects' names are not."""
    def der(ca):
        return base64.b64encode(ca.certificate.public_bytes(sr.Encoding.DER)).decode()
    for cn, parent, ca in (("a", "Certification Authorities", chain.root), ("b", "AIA", chain.sub)):
        server.ldapmodify(f"dn: CN={cn},CN={parent},{PKS}\nchangetype: add\nobjectClass: certificationAuthority\ncn: {cn}\n"
                          f"cACertificate:: {der(ca)}\nauthorityRevocationList:: AA==\ncertificateRevocationList:: AA==\n")
    server.ldapmodify(f"dn: CN=NTAuthCertificates,{PKS}\nchangetype: modify\nadd: cACertificate\ncACertificate:: {der(chain.sub)}\n")
    chain.publish_crls(server)
    ask(server, on_behalf(chain.agent))


def test_revoked(server, trusted):
    other = trusted.sub.issue("Other Agent", other_ca.AGENT)
    ask(server, on_behalf(other))
    trusted.sub.revoke(other)
    ask(server, on_behalf(other))  # the CRL that is published knows nothing of it
    server.ctl("pki", "add", str(trusted.sub.crl()), "CDP")
    assert "revoked" in ask(server, on_behalf(other), REVOKED)["text"]
    ask(server, on_behalf(trusted.agent))


def test_revoked_ca(server, trusted):
    lost = other_ca.OtherCA(trusted.root.folder, "Lost Sub", trusted.root)
    agent = lost.issue("Agent", other_ca.AGENT)
    for word in ("SubCA", "NTAuthCA"):
        server.ctl("pki", "add", str(lost.file), word)
    server.ctl("pki", "add", str(lost.crl()), "CDP")
    ask(server, on_behalf(agent))
    trusted.root.revoke(lost)
    server.ctl("pki", "add", str(trusted.root.crl()), "CDP")
    ask(server, on_behalf(agent), REVOKED)


def test_crl_flags(server, chain):
    for ca, word in ((chain.root, "RootCA"), (chain.sub, "SubCA"), (chain.sub, "NTAuthCA")):
        server.ctl("pki", "add", str(ca.file), word)
    ask(server, on_behalf(chain.agent), OFFLINE)
    server.ctl("ca", "set", "CA\\CRLFlags", "+CRLF_REVCHECK_IGNORE_OFFLINE")
    try:
        ask(server, on_behalf(chain.agent))
    finally:
        server.ctl("ca", "unset", "CA\\CRLFlags")
    ask(server, on_behalf(chain.agent), OFFLINE)


def test_without_distribution_points(server, tmp_path):
    bare = Chain(tmp_path, "Bare", points=False)
    for ca, word in ((bare.root, "RootCA"), (bare.sub, "SubCA"), (bare.sub, "NTAuthCA")):
        server.ctl("pki", "add", str(ca.file), word)
    ask(server, on_behalf(bare.agent), NO_CHECK)
    server.ctl("ca", "set", "CA\\CRLFlags", "+CRLF_REVCHECK_IGNORE_OFFLINE")
    ask(server, on_behalf(bare.agent), NO_CHECK)
    server.ctl("ca", "set", "CA\\CRLFlags", "-CRLF_REVCHECK_IGNORE_OFFLINE +CRLF_REVCHECK_IGNORE_NOREVCHECK")
    ask(server, on_behalf(bare.agent))
    server.ctl("ca", "unset", "CA\\CRLFlags")
    bare.publish_crls(server)  # a CRL that is there will do
    ask(server, on_behalf(bare.agent))


def test_broken_chains(server, trusted, tmp_path):
    expired = trusted.sub.issue("Old Agent", other_ca.AGENT, days=("-startdate", "20200101000000Z", "-enddate", "20210101000000Z"))
    ask(server, on_behalf(expired), EXPIRED)
    # by another key under the same name, which no key identifier gives away
    forged = other_ca.OtherCA(tmp_path, "Fabrikam Sub")
    agent = forged.issue("Agent", other_ca.AGENT)
    other_ca.openssl("x509", "-req", "-in", agent.file.with_suffix(".csr"), "-CA", forged.file, "-CAkey", forged.key_file,
                     "-days", "30", "-out", agent.file)
    assert agent.certificate.issuer == trusted.agent.certificate.issuer
    ask(server, on_behalf(agent), BAD_SIGNATURE)
    # an end entity that issues
    nobody = other_ca.OtherCA(tmp_path, "No CA", trusted.sub, extensions=("basicConstraints=CA:FALSE",))
    agent = nobody.issue("Agent", other_ca.AGENT)
    ask(server, on_behalf(agent, [nobody.certificate]), CONSTRAINTS)


def own(server, account, template, key):
    with icpr.Client(server, account, harness.PASSWORDS[account]) as c:
        answer = c.request(pkcs10.csr(key), f"CertificateTemplate:{template}", 0, server.ready["ca"])
    assert answer.disposition == ISSUED, answer

    class Own:
        certificate = x509.load_der_x509_certificate(answer.certificate)
    Own.key = key
    return Own


def test_our_own_place(server):
    """The CA itself is no exception; renewals need no place in NTAuthCertificates."""
    agent = own(server, "agent", "EnrollmentAgent", OWN_AGENT_KEY)
    jane = own(server, "janedoe", "User", JANE_KEY)
    assert f" < CN={harness.CA_NAME}" in ask(server, on_behalf(agent))["text"]
    mine = server.json("pki", "list")["NTAuthCA"][0]
    server.ctl("ca", "cert", "--out", f"{server.state}/mine.pem")
    server.ctl("pki", "remove", mine["sha1"], "NTAuthCA")
    try:
        assert server.json("pki", "list")["NTAuthCA"] == []
        ask(server, on_behalf(agent), UNTRUSTED_CA)
        renewal = sr.windows_renewal(NEW_KEY, jane.key, jane.certificate)
        assert ask(server, renewal, account="janedoe", rehearsed_as="CORP\\janedoe")["said"] == "pass"
        server.ctl("ca", "set", "policy\\SignersInNTAuth", "0")
        ask(server, on_behalf(agent))
        server.ctl("ca", "unset", "policy\\SignersInNTAuth")
    finally:
        server.ctl("pki", "add", f"{server.state}/mine.pem", "NTAuthCA")
    ask(server, on_behalf(agent))


def test_renewal_of_another_cas_certificate(server, trusted):
    """A trusted root will do; whose certificate it was, and of which template, policy weighs."""
    server.ctl("pki", "remove", str(trusted.sub.file), "NTAuthCA")
    old = trusted.sub.issue("Jane Doe", "1.3.6.1.4.1.311.20.2=ASN1:BMPSTRING:User")
    renewal = sr.windows_renewal(NEW_KEY, old.key, old.certificate)
    assert ask(server, renewal, account="janedoe", rehearsed_as="CORP\\janedoe")["said"] == "pass"
    server.ctl("pki", "remove", str(trusted.root.file), "RootCA")
    ask(server, renewal, UNTRUSTED_ROOT, account="janedoe", rehearsed_as="CORP\\janedoe")


def test_verbs(server, trusted, tmp_path):
    listed = server.json("pki", "list")
    names = {word: sorted(o["subject"] for o in listed[word]) for word in listed}
    assert len(names["NTAuthCA"]) == 2 and "CN=Fabrikam Sub" in names["NTAuthCA"]
    assert {"CN=Fabrikam Root", "CN=Fabrikam Sub"} <= set(names["SubCA"]) and "CN=Fabrikam Root" in names["RootCA"]
    assert "CN=Fabrikam Sub" not in names["RootCA"] and {"CN=Fabrikam Root", "CN=Fabrikam Sub"} <= set(names["CDP"])
    text = server.ctl("pki", "list")
    assert "AIA Container (SubCA)" in text and "CN=Fabrikam Sub" in text
    server.ctl("pki", "add", str(trusted.sub.file), "SubCA")  # once more changes nothing
    assert server.json("pki", "list") == listed
    for args in ((trusted.sub.file, "RootCA"), (trusted.agent.file, "NTAuthCA"), (trusted.sub.crl(), "SubCA"),
                 (trusted.sub.file, "CDP"), (trusted.sub.file, "KRA")):
        server.ctl("pki", "add", *map(str, args), code=2)
    (tmp_path / "junk").write_text("junk")
    server.ctl("pki", "add", str(tmp_path / "junk"), "SubCA", code=1)
    server.ctl("pki", "remove", "00" * 20, "SubCA", code=1)
    assert server.json("pki", "list") == listed
