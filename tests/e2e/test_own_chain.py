"""The chain above the CA (issuance.md section 2, row 35): a CA below openssl's root, whose CRL is published, late, or names it."""
import os

import pytest

import harness
import icpr
import other_ca
import pkcs10

OFFLINE, REVOKED = 0x80092013, 0x80092010
USAGE = "keyUsage=critical,keyCertSign,cRLSign"
DIRECTORY = "ldap:///CN=Fabrikam%20Root%2CCN=CDP?certificateRevocationList?base?objectClass=cRLDistributionPoint"


class Below:
    """A CA below a root, in a folder that the server's account may read."""

    def __init__(self, folder, points):
        self.root = other_ca.OtherCA(folder, "Fabrikam Root", points=points,
                                     extensions=("basicConstraints=critical,CA:TRUE", USAGE))
        self.certificate = self.root.issue("Contoso Issuing CA", "basicConstraints=critical,CA:TRUE", USAGE)
        chain = folder / "chain.pem"
        chain.write_bytes(self.certificate.file.read_bytes() + self.root.file.read_bytes())
        self.config = folder / "ca.ini"
        self.config.write_text(f"[CA]\nCommonName = Contoso Issuing CA\nKeyFile = {self.certificate.key_file}\nCertFile = {chain}\n")
        if os.geteuid() == 0:
            for path in (folder, *folder.rglob("*"), *list(folder.parents)[:2]):
                path.chmod(0o755 if path.is_dir() else 0o644)


def ask(server, code):
    """Over the wire, in the explanation, and rehearsed: the same."""
    with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        answer = c.request(pkcs10.csr(), "CertificateTemplate:User", 0, server.ready["ca"])
    issued = code == icpr.CR_DISP_ISSUED
    assert answer.disposition == code, f"0x{answer.disposition:08x} {answer.message}"
    rules = server.json("request", "explain", str(answer.request_id), code=0 if issued else 4)["rules"]
    said = server.json("rehearse", "--as", "CORP\\janedoe", "--template", "User", code=0 if issued else 4)
    rule, = (r for r in rules if r["step"] == 35)
    assert rule in said["rules"] and rule["said"] == ("pass" if issued else "refuse")
    return rule


@pytest.mark.parametrize("points", [DIRECTORY, True], ids=["directory", "http"])
def test_crl_of_the_ca_above(fresh, tmp_path, points):
    below = Below(tmp_path, points)
    server = fresh("--config", str(below.config))
    if points is DIRECTORY:
        rule = ask(server, OFFLINE)
        assert "unable to get certificate CRL" in rule["text"] and "pki add FILE CDP" in rule["fix"]
        server.ctl("ca", "set", "CA\\CRLFlags", "+CRLF_REVCHECK_IGNORE_OFFLINE")
        ask(server, icpr.CR_DISP_ISSUED)
        server.ctl("ca", "unset", "CA\\CRLFlags")
        ask(server, OFFLINE)
    else:
        ask(server, icpr.CR_DISP_ISSUED)  # nobody fetches it, and the directory was not named
    server.ctl("pki", "add", str(below.root.crl()), "CDP")
    ask(server, icpr.CR_DISP_ISSUED)
    below.root.revoke(below.certificate)
    server.ctl("pki", "add", str(below.root.crl()), "CDP")
    rule = ask(server, REVOKED)
    assert "CN=Contoso Issuing CA: certificate revoked" in rule["text"] and "Renew CA Certificate" in rule["fix"]
    server.ctl("clock", "advance", "31d")
    if points is DIRECTORY:
        assert "CRL has expired" in ask(server, OFFLINE)["text"]
    else:
        ask(server, REVOKED)  # what an old list tells stays true
