"""adcsd as scripts see it: options, ready line, exit codes, the account it runs as."""
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile

import pytest

import harness
import icpr
import pkcs10

from test_directory import slapd_pid
from test_enroll import check_issued

USAGE, UNAVAILABLE, CANTCREAT, CONFIG = 64, 69, 73, 78


def run(*args):
    return subprocess.run([str(harness.BUILD / "adcsd"), *args], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("args,code,says", [
    ([], USAGE, "--state"), (["--nonsense"], USAGE, "nonsense"), (["--state", "x", "y"], USAGE, "y"),
    (["--state", "x", "--port-base", "16384"], USAGE, "16384"), (["--state", "x", "--seed", "one"], USAGE, "one"),
    (["--state", "x", "--clock", "noon"], USAGE, "noon"), (["--state", "x", "--trace", "everything"], USAGE, "everything"),
    (["--state", "/nonexistent/folder/state"], CANTCREAT, "/nonexistent/folder/state"),
    (["--check-config", "--config", "/nonexistent.ini"], CONFIG, "/nonexistent.ini"),
    (["--state", "/tmp/adcsd-never", "--forest", "/nonexistent.ldif"], CONFIG, "/nonexistent.ldif"),
])
def test_exit_codes(args, code, says):
    done = run(*args)
    assert done.returncode == code and says in done.stderr, done


def test_help_and_version():
    assert run("--help").returncode == 0 and "--state DIR" in run("--help").stdout
    assert run("--version").stdout.startswith("adcsd ")


def test_the_manual_page_lists_every_option():
    told = set(re.findall(r"--[a-z-]+", run("--help").stdout))
    page = (harness.ROOT / "doc/adcsd.8").read_text().replace("\\-", "-")
    tags = set(re.findall(r"^\.TP\n\.BR?I? +(--[a-z-]+)", page, re.M))
    assert tags | {"--version", "--help"} == told


def test_ports_that_cannot_be_had():
    state = tempfile.mkdtemp(prefix="adcsd-test-")
    try:
        with socket.socket() as taken:
            base = free_base()
            taken.bind(("127.0.0.1", base + 135))
            taken.listen()
            done = run("--state", state, "--port-base", str(base))
        assert done.returncode == UNAVAILABLE
        assert f"127.0.0.1:{base + 135}" in done.stderr and "--port-base N" in done.stderr
    finally:
        shutil.rmtree(state)


def test_a_folder_that_the_account_cannot_reach(tmp_path):
    """Started as root, with a state folder in a home that is root's alone."""
    if os.geteuid() != 0:
        pytest.skip("not root: the server stays the account that started it")
    tmp_path.chmod(0o700)
    done = run("--state", str(tmp_path / "s"), "--port-base", "auto")
    assert done.returncode == CANTCREAT
    assert f"uid {pwd.getpwnam('nobody').pw_uid} cannot get there" in done.stderr and "--user" in done.stderr


def test_a_bad_config_makes_no_state(tmp_path):
    bad = tmp_path / "bad.ini"
    bad.write_text("EditFlags = 1\n")
    done = run("--state", str(tmp_path / "s"), "--port-base", "auto", "--config", str(bad))
    assert done.returncode == CONFIG and not (tmp_path / "s").exists()
    assert f"{bad}:1: 'EditFlags' stands before the first [section]" in done.stderr


def test_check_config(tmp_path):
    good, bad = tmp_path / "good.ini", tmp_path / "bad.ini"
    good.write_text("[policy]\nEditFlags = +EDITF_ATTRIBUTEENDDATE\n")
    bad.write_text("[policy]\n\nEditFlag = 1\n")
    assert run("--check-config", "--config", str(good)).returncode == 0
    done = run("--check-config", "--config", str(bad))
    assert done.returncode == CONFIG
    assert f"{bad}:3:" in done.stderr and "EditFlags" in done.stderr, "file, line and the nearest known name"
    assert run("--check-config", "--config", str(harness.ROOT / "ca/contoso.ini")).returncode == 0


def test_ready_file_and_line(fresh, tmp_path):
    public = pathlib.Path(tempfile.mkdtemp(prefix="adcsd-ready-"))
    public.chmod(0o777)
    try:
        server = fresh("--ready-file", str(public / "ready"))
        assert json.loads((public / "ready").read_text()) == server.ready
    finally:
        (public / "ready").unlink(missing_ok=True)
        public.rmdir()
    assert server.ready["pid"] == server.process.pid and server.ready["seeded"] is False
    assert server.ready["config"] == f"ca01.corp.contoso.com\\{harness.CA_NAME}"
    assert set(server.ready["ports"]) >= {"epm", "object"}


def free_base():
    """A port base at which the well-known ports are free, and stay it: outside what Linux gives out to clients."""
    for base in range(12000, 16000, 97):
        sockets = []
        try:
            for port in (135, 49152, 80):
                s = socket.socket()
                sockets.append(s)
                s.bind(("127.0.0.1", base + port))
            return base
        except OSError:
            continue
        finally:
            for s in sockets:
                s.close()
    raise AssertionError("no free ports")


def test_port_base(fresh):
    base = free_base()
    server = harness.Server("--port-base", str(base))
    try:
        server.start()
        assert server.ready["ports"]["epm"] == 135 + base and server.ready["ports"]["object"] == 49152 + base
        with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"], port=icpr.map_endpoint(server)) as c:
            check_issued(c.request(pkcs10.csr(), "CertificateTemplate:User"))
        taken = harness.Server("--port-base", str(base))
        done = subprocess.run(taken.command(), capture_output=True, text=True, timeout=60, check=False)
        taken.remove()
        assert done.returncode == UNAVAILABLE and str(135 + base) in done.stderr, done
    finally:
        server.remove()


def uid_of(pid):
    return os.stat(f"/proc/{pid}").st_uid


def test_root_is_given_up(how_to):
    """adcsd and slapd run as the account of --user; nothing of the state belongs to root."""
    expected = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid()
    status = pathlib.Path(f"/proc/{how_to.process.pid}/status").read_text()
    uids = next(line for line in status.splitlines() if line.startswith("Uid:")).split()[1:]
    assert set(uids) == {str(expected)}
    assert uid_of(slapd_pid(how_to)) == expected
    assert os.stat(how_to.state).st_mode & 0o777 == 0o700
    for name in ("ca.key", "ca.db", "journal.jsonl"):
        st = os.stat(os.path.join(how_to.state, name))
        assert st.st_uid == expected and st.st_mode & 0o077 == 0, name


def test_the_server_account_may_edit(how_to):
    """The ready line's URI serves the account adcsd runs as, not only root."""
    if os.geteuid() != 0:
        how_to.ldapmodify(f"dn: {how_to.template_dn('IntunePKCS')}\nchangetype: modify\nreplace: msPKI-Minimal-Key-Size\n"
                          "msPKI-Minimal-Key-Size: 2048\n")
        return
    done = subprocess.run(["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "ldapwhoami", "-Q", "-Y", "EXTERNAL",
                           "-H", how_to.ldapi], capture_output=True, text=True, timeout=60, check=False)
    other = subprocess.run(["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "ldapwhoami", "-Q", "-Y", "EXTERNAL",
                            "-H", how_to.ldapi], capture_output=True, text=True, timeout=60, check=False)
    own = subprocess.run(["ldapwhoami", "-Q", "-Y", "EXTERNAL", "-H", how_to.ldapi], capture_output=True, text=True, timeout=60,
                         check=True)
    assert done.returncode == 0 and done.stdout == own.stdout
    assert other.stdout != own.stdout


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_cleanly(fresh, sig):
    server = fresh()
    slapd = slapd_pid(server)
    server.process.send_signal(sig)
    assert server.process.wait(timeout=60) == 0
    assert not os.path.exists(f"/proc/{slapd}") or b"slapd" not in pathlib.Path(f"/proc/{slapd}/cmdline").read_bytes()
    assert not os.path.exists(os.path.join(server.state, "control"))


def test_a_config_mistake_names_its_line(tmp_path):
    config = tmp_path / "ca.ini"
    config.write_text("[CA]\nKeyType = RSA-1\n")
    server = harness.Server("--config", str(config))
    try:
        with pytest.raises(AssertionError) as caught:
            server.start()
        assert "ended with 78" in str(caught.value) and ":2:" in str(caught.value) and "RSA-1" in str(caught.value)
    finally:
        server.remove()


def test_installed_below_another_prefix():
    """make install PREFIX=... of a program that was built for another one: it finds its files beside itself."""
    prefix = pathlib.Path(tempfile.mkdtemp(prefix="adcsd-prefix-"))
    try:
        prefix.chmod(0o755)
        (prefix / "sbin").mkdir()
        shutil.copy(harness.BUILD / "adcsd", prefix / "sbin/adcsd")
        share = prefix / "share/adcsd"
        for name in ("ldap-schema", "templates", "ca", "fixtures/forest"):
            shutil.copytree(harness.ROOT / name, share / name)
        server = harness.Server()
        server.command = lambda: [str(prefix / "sbin/adcsd"), "--state", server.state, "--port-base", "auto"]
        try:
            assert server.start().ready["ca"] == harness.CA_NAME
        finally:
            server.remove()
    finally:
        shutil.rmtree(prefix)
