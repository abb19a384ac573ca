"""Starts real servers for the end-to-end tests and asks them things; nothing here knows our C code."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import judged

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = pathlib.Path(os.environ.get("ADCSD_BUILD", ROOT / "build"))

DOMAIN = "CORP"
DNS_DOMAIN = "corp.contoso.com"
CA_NAME = "Contoso Certification Authority"

# A socket's path has at most 107 octets.
SCRATCH = tempfile.gettempdir() if len(tempfile.gettempdir()) < 60 else "/tmp"


def passwords():
    """sAMAccountName -> clear password, read from the sample forest itself."""
    found, sam = {}, None
    text = (ROOT / "fixtures/forest/contoso.ldif").read_text().replace("\n ", "")
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != "#")
        sam = fields.get("sAMAccountName")
        if sam and "userPassword" in fields:
            found[sam] = fields["userPassword"]
    return found


PASSWORDS = passwords()


class Server:
    """One adcsd with a state folder of its own. Output goes to <state>.log, shown when something fails."""

    def __init__(self, *args, state=None, env=None):
        self.state = state or tempfile.mkdtemp(prefix="adcsd-test-", dir=SCRATCH)
        self.args, self.env, self.accepted = args, env, {}
        self.log_path = self.state.rstrip("/") + ".log"
        self.process = self.ready = None

    def command(self):
        return [str(BUILD / "adcsd"), "--state", self.state, "--port-base", "auto", *self.args]

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=log,
                                            env={**os.environ, **(self.env or {})})
        line = self.process.stdout.readline()
        if not line:
            code = self.process.wait()
            raise AssertionError(f"adcsd ended with {code} before it was ready:\n{self.log()}")
        self.ready = json.loads(line)
        return self

    @property
    def address(self):
        return self.ready["address"]

    @property
    def epm_port(self):
        return self.ready["ports"]["epm"]

    @property
    def object_port(self):
        return self.ready["ports"]["object"]

    @property
    def ldapi(self):
        return self.ready["directory"]

    def log(self):
        return pathlib.Path(self.log_path).read_text(errors="replace")

    def ctl(self, *args, code=0, text=True):
        """Runs adcsctl; checks the exit code; gives standard output."""
        done = subprocess.run([str(BUILD / "adcsctl"), "--state", self.state, *args], capture_output=True, text=text,
                              timeout=60, check=False)
        assert done.returncode == code, f"adcsctl {args}: {done.returncode}\n{done.stdout}\n{done.stderr}\n{self.log()}"
        return done.stdout

    def json(self, *args, code=0):
        return json.loads(self.ctl("--json", *args, code=code))

    def stop(self):
        """SIGTERM; the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        self.process = None
        return code

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process = None

    def accepts(self, section, reason):
        """What it issues may break this section of RFC 5280, for the reason given."""
        self.accepted[section] = reason

    def remove(self):
        if self.process is not None:
            self.stop()
        broken = judged.judge(self.state, self.accepted)
        shutil.rmtree(self.state, ignore_errors=True)
        pathlib.Path(self.log_path).unlink(missing_ok=True)
        assert not broken, f"against RFC 5280 (tests/judges/rfc5280.py):\n{broken}"

    def ldapmodify(self, ldif):
        """An edit by an LDAP tool that knows nothing of us."""
        done = subprocess.run(["ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", self.ldapi], input=ldif, capture_output=True,
                              text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def template_dn(self, cn):
        return (f"CN={cn},CN=Certificate Templates,CN=Public Key Services,CN=Services,CN=Configuration,"
                "DC=corp,DC=contoso,DC=com")
