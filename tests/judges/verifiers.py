"""
OpenSSL (strict), GnuTLS and NSS as judges of a certificate or a CRL. Each raises Refused with the program's words; the chain starts with the
issuer and ends with the root, all in PEM.
"""
import pathlib
import re
import subprocess


class Refused(Exception):
    pass


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=60, check=False, **options)
    return done.returncode, done.stdout + done.stderr


def check(*command):
    code, said = run(*command)
    if code != 0:
        raise Refused(f"{command[0]}: {said}")
    return said


def blocks(pem):
    return re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", pem, re.S)


class Judges:
    """For one CA; folder: a place of its own. when: seconds since 1970 at which the chain is judged."""

    def __init__(self, folder, chain, when, crl=None):
        self.folder, self.when, self.crl = pathlib.Path(folder), int(when), crl
        self.certificates = blocks(chain)
        (self.folder / "chain.pem").write_text(chain)
        (self.folder / "root.pem").write_text(self.certificates[-1])
        (self.folder / "between.pem").write_text("".join(self.certificates[:-1]))
        self.db = f"sql:{self.folder}/nss"
        (self.folder / "nss").mkdir()
        check("certutil", "-N", "-d", self.db, "--empty-password")
        for i, pem in enumerate(self.certificates):
            path = self.folder / f"ca{i}.pem"
            path.write_text(pem)
            trust = "CT,C,C" if i == len(self.certificates) - 1 else ",,"
            check("certutil", "-A", "-d", self.db, "-n", f"ca{i}", "-t", trust, "-i", path)
        if crl is not None:
            (self.folder / "base.crl").write_bytes(crl)
            check("openssl", "crl", "-inform", "DER", "-in", self.folder / "base.crl", "-out", self.folder / "base.pem")
            self.openssl_crl()
            self.certtool_crl()
            check("crlutil", "-I", "-d", self.db, "-t", "1", "-i", self.folder / "base.crl")

    def put(self, der):
        path = self.folder / "leaf.der"
        path.write_bytes(der)
        check("openssl", "x509", "-inform", "DER", "-in", path, "-out", self.folder / "leaf.pem")
        return path

    def all(self, der):
        self.openssl(der)
        self.certtool(der)
        self.nss(der)

    # ---- OpenSSL ----

    def openssl(self, der):
        self.put(der)
        crls = []
        if self.crl is not None:
            crls = ["-crl_check", "-CRLfile", self.folder / "base.pem"]
        between = ["-untrusted", self.folder / "between.pem"] if len(self.certificates) > 1 else []
        check("openssl", "verify", "-x509_strict", "-attime", self.when, "-CAfile", self.folder / "root.pem", *between, *crls,
              self.folder / "leaf.pem")

    def openssl_crl(self):
        said = check("openssl", "crl", "-in", self.folder / "base.pem", "-CAfile", self.folder / "ca0.pem", "-noout", "-verify")
        if "verify OK" not in said:
            raise Refused(f"openssl crl: {said}")

    # ---- GnuTLS: judges at the real time ----

    def certtool(self, der):
        self.put(der)
        (self.folder / "given.pem").write_text((self.folder / "leaf.pem").read_text() + "".join(self.certificates[:-1]))
        check("certtool", "--verify", "--verify-profile", "low", "--load-ca-certificate", self.folder / "root.pem", "--infile",
              self.folder / "given.pem")

    def certtool_crl(self):
        check("certtool", "--verify-crl", "--load-ca-certificate", self.folder / "ca0.pem", "--infile", self.folder / "base.pem")

    # ---- NSS ----

    # SSL client, SSL server, e-mail signer, e-mail recipient, object signer, OCSP responder, any CA, IPsec
    USAGES = (0, 1, 4, 5, 6, 10, 11, 12)
    # "type not approved", "key usage inadequate": what NSS says of a certificate that is good, but for something else
    FOR_SOMETHING_ELSE = {"-8101", "-8102"}

    def nss(self, der):
        """
        NSS finds the chain good for some usage. Where a template is for nothing that NSS knows (EFS, recovery agents), its word
        must be that alone, about the leaf alone: vfychain -v goes on after an error and tells them all.
        """
        path, said = self.put(der), ""
        for usage in self.USAGES:
            code, said = run("vfychain", "-v", "-d", self.db, "-b", self.nss_time(), "-u", usage, path)
            if code == 0 and "Chain is good!" in said:
                return
            errors = re.findall(r"ERROR (-?\d+)", said)
            if not errors or set(errors) - self.FOR_SOMETHING_ELSE or re.findall(r"^CERT (\d+)\.", said, re.M) != ["0"]:
                raise Refused(f"vfychain -u {usage}: {said}")

    def nss_time(self):
        import datetime
        return datetime.datetime.fromtimestamp(self.when, datetime.timezone.utc).strftime("%y%m%d%H%MZ")
