"""Other CAs, made by openssl: roots, CAs below them, their certificates and CRLs."""
import pathlib
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

AGENT = "extendedKeyUsage=1.3.6.1.4.1.311.20.2.1"
CONFIG = """
[ca]
default_ca = it
[it]
database = {0}/index.txt
new_certs_dir = {0}
serial = {0}/serial
crlnumber = {0}/crlnumber
certificate = {0}/ca.pem
private_key = {0}/ca.key
default_md = sha256
default_days = 365
default_crl_days = 30
policy = any
unique_subject = no
[any]
commonName = supplied
"""


def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class OtherCA:
    def __init__(self, folder, name, parent=None, points=True, extensions=("basicConstraints=critical,CA:TRUE",)):
        self.folder, self.name, self.points = pathlib.Path(folder) / name.replace(" ", ""), name, points
        self.folder.mkdir()
        self.key_file, self.file = self.folder / "ca.key", self.folder / "ca.pem"
        (self.folder / "index.txt").touch()
        (self.folder / "serial").write_text("1000\n")
        (self.folder / "crlnumber").write_text("01\n")
        (self.folder / "conf").write_text(CONFIG.format(self.folder))
        if parent is None:
            openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key_file, "-out", self.file, "-days",
                    "3650", "-subj", f"/CN={name}", *(w for e in extensions for w in ("-addext", e)))
        else:
            made = parent.issue(name, *extensions)
            self.key_file.write_bytes(made.key_file.read_bytes())
            self.file.write_bytes(made.file.read_bytes())

    @property
    def certificate(self):
        return x509.load_pem_x509_certificate(self.file.read_bytes())

    def issue(self, name, *extensions, days=("-days", "365")):
        return Issued(self, name, extensions, days)

    def revoke(self, issued):
        openssl("ca", "-batch", "-config", self.folder / "conf", "-revoke", issued.file)

    def crl(self):
        """A new one, in a file."""
        path = self.folder / "ca.crl"
        openssl("ca", "-batch", "-config", self.folder / "conf", "-gencrl", "-out", path)
        return path


class Issued:
    def __init__(self, ca, name, extensions, days):
        base = ca.folder / name.replace(" ", "")
        self.file, self.key_file, wanted, ext = (base.with_suffix(s) for s in (".pem", ".key", ".csr", ".ext"))
        url = ca.points if isinstance(ca.points, str) else f"http://crl.invalid/{ca.folder.name}.crl"
        points = [f"crlDistributionPoints=URI:{url}"] if ca.points else []
        ext.write_text("\n".join([*extensions, *points, "authorityKeyIdentifier=keyid", "subjectKeyIdentifier=hash"]) + "\n")
        openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key_file, "-out", wanted, "-subj", f"/CN={name}")
        openssl("ca", "-batch", "-notext", "-config", ca.folder / "conf", "-in", wanted, "-out", self.file, "-extfile", ext,
                *days)

    @property
    def certificate(self):
        return x509.load_pem_x509_certificate(self.file.read_bytes())

    @property
    def key(self):
        return load_pem_private_key(self.key_file.read_bytes(), None)
