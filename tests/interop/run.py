#!/usr/bin/python3
"""
Clients that were not written here, unchanged, each in the version its requirements file pins, against an adcsd on the real
ports (135, 80) in a network namespace of its own; where namespaces are forbidden, on a loopback address of its own.
A client that cannot be had (no package index is reachable) is left out and told; one that fails, fails the run.
"""
import argparse
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))
import harness  # noqa: E402
import pkcs10  # noqa: E402

ADDRESS = f"127.88.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}"
INSIDE = "ADCSD_INTEROP_INSIDE"
ENVIRONMENTS = {"certipy4": (3, 7), "certipy5": (3, 12), "impacket": (3, 7), "aiosmb": (3, 8)}  # the Python each asks for
CLIENTS = []


def client(name, environment=None):
    """One client; environment: the requirements file it needs, None for what Debian has."""
    def add(function):
        CLIENTS.append((name, environment, function))
        return function
    return add


class Lab:
    """The server and a folder, and how to run a client there."""

    def __init__(self, environments, folder):
        self.environments, self.folder = environments, pathlib.Path(folder)
        self.server = harness.Server()
        self.server.command = lambda: [str(harness.BUILD / "adcsd"), "--state", self.server.state, "--listen", ADDRESS]
        self.server.start()
        self.server.ctl("template", "acl", "grant", "EnrollmentAgent", "CORP\\agent", "Read", "Enroll")
        self.server.ctl("ca", "publish", "EnrollmentAgent")
        self.csr = self.folder / "request.der"
        self.csr.write_bytes(pkcs10.csr())

    def run(self, *command, code=0, stdin=""):
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120, check=False, cwd=self.folder, input=stdin,
                              env={**os.environ, "PYTHONPATH": str(ROOT / "tests/e2e"), "PYTHONDONTWRITEBYTECODE": "1"})
        text = done.stdout + done.stderr
        assert done.returncode == code, f"{command} ended with {done.returncode}:\n{text}"
        return text

    def python(self, environment, script):
        python = self.environments / environment / "bin/python" if environment else "/usr/bin/python3"
        return self.run(python, HERE / "clients" / script, ADDRESS, harness.CA_NAME, "janedoe", harness.PASSWORDS["janedoe"],
                        self.csr)

    def certipy(self, version, account, *arguments, stdin=""):
        return self.run(self.environments / version / "bin/certipy", *arguments[:1], "-u", f"{account}@{harness.DNS_DOMAIN}", "-p",
                        harness.PASSWORDS[account], "-target", ADDRESS, "-dc-ip", ADDRESS, "-ns", ADDRESS, "-ca", harness.CA_NAME,
                        *arguments[1:], stdin=stdin)

    def row(self, request_id):
        return self.server.json("request", "show", str(request_id))

    def issued(self, text):
        """The row of the request that Certipy says was answered with a certificate."""
        found = re.search(r"Request ID is (\d+)", text)
        assert found and re.search("Got certificate|Successfully requested", text), text
        row = self.row(found[1])
        assert row["state"] == "issued", row
        return row


# ---- the clients ----

@client("impacket 0.13 ICertPassage", "impacket")
def impacket_icpr(lab):
    lab.python("impacket", "impacket_icpr.py")


@client("aiosmb ICertPassage", "aiosmb")
def aiosmb_icpr(lab):
    lab.python("aiosmb", "aiosmb_icpr.py")


def certipy_enrols(lab, version, *transport):
    """Enrols, is refused, retrieves, renews, and enrols on behalf of another."""
    def req(account, *arguments):
        return lab.certipy(version, account, "req", *transport, *arguments)

    name = "-".join((version, *transport)).strip("-")
    text = req("janedoe", "-template", "User", "-out", f"{name}-jane")
    row = lab.issued(text)
    assert row["requester"] == "CORP\\janedoe" and "janedoe@contoso.com" in text, (row, text)
    assert "0x80094012" in req("janedoe", "-template", "WebServer")
    assert re.search("Got certificate|Successfully retrieved", req("janedoe", "-retrieve", str(row["id"]), "-out", f"{name}-again"))
    renewed = lab.issued(req("janedoe", "-template", "User", "-renew", "-pfx", f"{name}-jane.pfx", "-out", f"{name}-renewed"))
    assert renewed["id"] > row["id"]
    lab.issued(req("agent", "-template", "EnrollmentAgent", "-out", f"{name}-agent"))
    row = lab.issued(req("agent", "-template", "User", "-on-behalf-of", "CORP\\janedoe", "-pfx", f"{name}-agent.pfx", "-out",
                         f"{name}-other"))
    assert row["requester"] == "CORP\\janedoe", row


@client("Certipy 4.8 req over ICertPassage", "certipy4")
def certipy4_icpr(lab):
    certipy_enrols(lab, "certipy4", "-dynamic-endpoint")


@client("Certipy 5 req over ICertPassage", "certipy5")
def certipy5_icpr(lab):
    certipy_enrols(lab, "certipy5", "-dynamic-endpoint")


@client("Certipy 5 req over DCOM", "certipy5")
def certipy5_dcom(lab):
    certipy_enrols(lab, "certipy5", "-dcom")


@client("Certipy 5 ca over ICertAdminD", "certipy5")
def certipy5_ca(lab):
    """Pending requests issued and denied, templates listed, by an administrator of the CA."""
    server = lab.server
    server.ctl("template", "duplicate", "User", "--display-name", "Pends", "--manager-approval", "yes")
    server.ctl("template", "acl", "grant", "Pends", "CORP\\janedoe", "Read", "Enroll")
    server.ctl("ca", "publish", "Pends")
    ids = []
    for name in ("one", "two"):
        text = lab.certipy("certipy5", "janedoe", "req", "-dcom", "-template", "Pends", "-out", name, stdin="y\n")
        ids.append(re.search(r"Request ID is (\d+)", text)[1])
    lab.certipy("certipy5", "Administrator", "ca", "-issue-request", ids[0])
    lab.certipy("certipy5", "Administrator", "ca", "-deny-request", ids[1])
    assert [lab.row(i)["state"] for i in ids] == ["issued", "denied"]
    text = lab.certipy("certipy5", "Administrator", "ca", "-list-templates")
    assert "Pends" in text and "WebServer" in text, text


@client("Certipy 5 key archival over DCOM", "certipy5")
def certipy5_archival(lab):
    """Fetches the exchange certificate and sends its key along; the recovery agent gets that very key back."""
    server = lab.server
    server.ctl("template", "duplicate", "User", "--display-name", "Archives", "--archive-key", "yes", "--minimum-key-size", "2048")
    for template in ("Archives", "KeyRecoveryAgent"):
        server.ctl("template", "acl", "grant", template, "CORP\\janedoe", "Read", "Enroll")
        server.ctl("ca", "publish", template)
    text = lab.certipy("certipy5", "janedoe", "req", "-dcom", "-template", "KeyRecoveryAgent", "-out", "kra", stdin="y\n")
    agent = re.search(r"Request ID is (\d+)", text)[1]
    server.ctl("request", "issue", agent)
    server.ctl("request", "show", agent, "--cert", str(lab.folder / "kra.crt"))
    server.ctl("ca", "kra", "add", str(lab.folder / "kra.crt"))
    lab.certipy("certipy5", "janedoe", "req", "-dcom", "-cax-cert", "-out", "exchange.cer")
    exchange = (lab.folder / "exchange.cer").read_bytes()
    assert exchange == ssl.PEM_cert_to_DER_cert(server.ctl("ca", "cert", "--exchange"))
    row = lab.issued(lab.certipy("certipy5", "janedoe", "req", "-dcom", "-template", "Archives", "-archive-key", "-out", "archived"))
    lab.run("openssl", "pkcs12", "-in", "archived.pfx", "-passin", "pass:", "-nodes", "-nocerts", "-out", "sent.pem")
    server.ctl("request", "recover-key", str(row["id"]), "--kra", str(lab.folder / "kra.key"), "--out", str(lab.folder / "recovered.pem"))
    sent, recovered = (lab.run("openssl", "pkey", "-in", name) for name in ("sent.pem", "recovered.pem"))
    assert sent == recovered


# ---- environments and the run ----

def python_of(version):
    """A Python at least that new, Debian's first; None when there is none."""
    for name in ("/usr/bin/python3", "python3.12", "python3.13", "python3.14", "python3"):
        path = shutil.which(name)
        test = f"import sys, venv; sys.exit(sys.version_info < {version})"
        if path and subprocess.run([path, "-c", test], capture_output=True, check=False).returncode == 0:
            return path
    return None


def prepare(folder):
    """A virtual environment per requirements file; made once."""
    for name, version in ENVIRONMENTS.items():
        target, wanted = folder / name, (HERE / "clients" / f"{name}.txt").read_text()
        done, python = target / "requirements.txt", python_of(version)
        if done.exists() and done.read_text() == wanted:
            continue
        if python is None:
            print(f"interop: {name} is not to be had: it needs Python {'.'.join(map(str, version))}")
            continue
        made = subprocess.run([python, "-m", "venv", "--clear", str(target)], capture_output=True, text=True, check=False)
        if made.returncode == 0:
            print(f"interop: installing {name}", flush=True)
            made = subprocess.run([str(target / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "--retries", "5",
                                   "--timeout", "60", "-r", str(HERE / "clients" / f"{name}.txt")], capture_output=True, text=True,
                                  check=False)
        if made.returncode == 0:
            done.write_text(wanted)
        else:
            print(f"interop: {name} is not to be had: {(made.stderr or made.stdout).strip()[-300:]}")


def enter_namespace():
    """Starts this program again in a network namespace; comes back there, or where that is forbidden."""
    if os.environ.get(INSIDE):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    may = subprocess.run(["unshare", "--net", "true"], capture_output=True, text=True, check=False)
    if may.returncode == 0:
        os.environ[INSIDE] = "yes"
        os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv])
    print(f"interop: {may.stderr.strip()}; on {ADDRESS} instead")


def run(folder, at_least, only):
    chosen = [c for c in CLIENTS if only is None or only in c[0]]
    ran, failed = 0, []
    with tempfile.TemporaryDirectory(prefix="adcsd-interop-") as temporary:
        lab = Lab(folder, temporary)
        try:
            for name, environment, function in chosen:
                if environment and not (folder / environment / "requirements.txt").exists():
                    print(f"interop: {name}: left out, not installed")
                    continue
                ran += 1
                try:
                    function(lab)
                    print(f"interop: {name}: works")
                except Exception as problem:  # pylint: disable=broad-except  # whatever it is, the other clients run
                    failed.append(name)
                    print(f"interop: {name}: FAILED\n{type(problem).__name__}: {problem}")
            if failed:
                print(lab.server.log()[-4000:])
        finally:
            lab.server.remove()
    print(f"ran {ran} of {len(chosen)} clients, {len(failed)} failed")
    if only is None and len(CLIENTS) < at_least:
        print(f"interop: there were {at_least} clients before; a client is never dropped silently")
        return 1
    return 1 if failed else 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("what", choices=("prepare", "run"))
    arguments.add_argument("folder", type=pathlib.Path, help="where the environments live")
    arguments.add_argument("--at-least", type=int, default=0, help="fail when the list of clients is shorter")
    arguments.add_argument("--only", help="clients whose name contains this")
    options = arguments.parse_args()
    if options.what == "prepare":
        prepare(options.folder.resolve())
        return 0
    enter_namespace()
    return run(options.folder.resolve(), options.at_least, options.only)


sys.exit(main())
