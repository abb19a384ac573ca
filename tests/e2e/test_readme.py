"""What README.md and the manual page show is typed into a shell as it stands, block by block, in their order; nothing may fail."""
import os
import re
import subprocess
import time

import pytest

import harness

# What needs a package that Debian has not, a name that must be resolved, another directory, or the real ports.
ELSEWHERE = re.compile(r"certipy|dc1\.corp\.example|^sudo|^adcsd |^make |PORT|^\{|^ *\"address\"")


def blocks(text):
    """Indented blocks as lists of commands without their comments; a line that ends in a backslash goes on."""
    for block in re.findall(r"(?:^ {4}.*\n)+", text, re.M):
        joined = re.sub(r"\\\n *", " ", block)
        commands = [re.sub(r"\s+#.*", "", line.strip()) for line in joined.splitlines()]
        yield [c for c in commands if not ELSEWHERE.search(c)]


def type_in(server, tmp_path, commands, **env):
    """As root or the server's user would, in a folder where the files may go."""
    script = "\n".join(commands).replace("export PATH=$PWD/build:$PATH ADCSD_STATE=/tmp/ca", "true")
    script = script.replace("http://127.0.0.1/", f"http://{server.address}:{server.ready['ports']['http']}/")
    script = script.replace("KRB5CCNAME=/tmp/ca.cc", f"KRB5CCNAME={tmp_path}/ca.cc")
    script = script.replace("kinit 'PFXCONN01$'", "kinit 'PFXCONN01$' <<<" + harness.PASSWORDS["PFXCONN01$"])
    script = re.sub(r"^adcsctl lint.*", r"{ \g<0> || [ $? = 4 ]; }", script, flags=re.M)  # findings are no failure
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                          check=False, env={**os.environ, "PATH": f"{harness.BUILD}:{os.environ['PATH']}", "ADCSD_STATE": server.state, **env})
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


def until_the_directory_is_back(server):
    """The one fault whose end takes a moment: slapd starts anew."""
    deadline = time.monotonic() + 60
    while subprocess.run([str(harness.BUILD / "adcsctl"), "--state", server.state, "principal", "show", "Administrator"],
                         capture_output=True, timeout=60, check=False).returncode != 0:
        assert time.monotonic() < deadline


@pytest.fixture(scope="module")
def server():
    made = harness.Server("--kdc").start()
    yield made
    made.remove()


def test_readme(server, tmp_path):
    typed = []
    for commands in blocks((harness.ROOT / "README.md").read_text()):
        if commands:
            type_in(server, tmp_path, commands)
            if any("directory down" in c for c in commands):
                until_the_directory_is_back(server)
            typed += commands
    assert len(typed) > 20 and any("kinit" in c for c in typed) and any(c.startswith("curl") for c in typed)
    subprocess.run(["openssl", "verify", "-CAfile", "ca.pem", "device.pem"], cwd=tmp_path, check=True, capture_output=True, timeout=20)
    assert server.json("fault", "list") == [], "the last of them clears"


def test_manual_page(fresh, tmp_path):
    """Its EXAMPLE and its FAULTS. What needs a request, recovery agent or other CA of its own is tested elsewhere."""
    server = fresh()
    page = (harness.ROOT / "doc/adcsctl.1").read_text()
    typed = 0
    for block in re.findall(r"^\.nf\n(.*?)^\.fi\n", page, re.S | re.M):
        commands = [line.replace("\\-", "-").replace("\\e", "\\") for line in block.splitlines()]
        commands = [c for c in commands if not re.search(r"explain 3|revoke 3|recover-key|kra add|pki add|--config", c)]
        type_in(server, tmp_path, commands)
        typed += len(commands)
    assert typed >= 15
