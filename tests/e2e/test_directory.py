"""The embedded directory as LDAP tools see it: content, secrets, edits; slapd's death."""
import os
import re
import signal
import subprocess
import time

import pytest

import harness
import icpr
import pkcs10

CONFIG = "CN=Configuration,DC=corp,DC=contoso,DC=com"
PKS = f"CN=Public Key Services,CN=Services,{CONFIG}"


def search(server, base, ldap_filter, *attrs, external=True, user=None):
    command = ["ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-H", server.ldapi, "-b", base, ldap_filter, *attrs]
    command[1:1] = ["-Q", "-Y", "EXTERNAL"] if external else ["-x"]
    if user is not None:
        command = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups", *command]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_33_templates(how_to):
    out = search(how_to, f"CN=Certificate Templates,{PKS}", "(objectClass=pKICertificateTemplate)", "cn").stdout
    assert len(re.findall(r"^cn: ", out, re.M)) == 34  # and the how-to's


def test_published_objects(how_to):
    out = search(how_to, f"CN=Enrollment Services,{PKS}", "(objectClass=pKIEnrollmentService)").stdout
    assert "dNSHostName: ca01.corp.contoso.com" in out and "flags: 10" in out and "cACertificate::" in out
    templates = re.findall(r"^certificateTemplates: (.*)", out, re.M)
    assert templates[0] == "IntunePKCS" and set(templates[1:]) == {
        "DirectoryEmailReplication", "DomainControllerAuthentication", "KerberosAuthentication", "EFSRecovery", "EFS",
        "DomainController", "WebServer", "Machine", "User", "SubCA", "Administrator"}
    for container in ("AIA", "Certification Authorities"):
        assert "cACertificate::" in search(how_to, f"CN={container},{PKS}", "(objectClass=certificationAuthority)").stdout
    assert "cACertificate::" in search(how_to, f"CN=NTAuthCertificates,{PKS}", "(objectClass=*)").stdout
    assert "cn: " in search(how_to, f"CN=CDP,{PKS}", "(objectClass=cRLDistributionPoint)", "cn").stdout


@pytest.mark.parametrize("attribute", ["userPassword", "unicodePwd"])
def test_secrets_are_for_the_server_alone(how_to, attribute):
    """No bind but the server's own (which root shares) reads them: not anonymous, not another user of the machine."""
    domain = "DC=corp,DC=contoso,DC=com"
    own = search(how_to, domain, "(sAMAccountName=janedoe)", "userPassword")
    assert "userPassword" in own.stdout, "the server's own bind reads it, so the others' silence means something"
    assert attribute not in search(how_to, domain, "(sAMAccountName=janedoe)", attribute, external=False).stdout
    if os.geteuid() == 0:
        os.chmod(how_to.state, 0o711)  # otherwise the folder alone would keep the other user out
        out = search(how_to, domain, "(sAMAccountName=janedoe)", attribute, user=12345)
        os.chmod(how_to.state, 0o700)
        assert attribute not in out.stdout
    simple = subprocess.run(["ldapsearch", "-LLL", "-x", "-H", how_to.ldapi, "-D", f"CN=Jane Doe,CN=Users,{domain}", "-w",
                             harness.PASSWORDS["janedoe"], "-b", domain, "(sAMAccountName=janedoe)", attribute],
                            capture_output=True, text=True, timeout=60, check=False)
    assert attribute not in simple.stdout


def test_a_new_password_counts_at_the_next_logon(fresh):
    server = fresh()
    server.ldapmodify("dn: " + account_dn(server, "janedoe") + "\nchangetype: modify\nreplace: userPassword\n"
                      "userPassword: another one\n")
    with icpr.Client(server, "janedoe", "another one") as c:
        assert c.request(pkcs10.csr(), "CertificateTemplate:User").disposition == icpr.CR_DISP_ISSUED


def test_a_new_group_counts_at_the_next_logon(fresh):
    server = fresh()
    attributes = "CertificateTemplate:WebServer"
    with icpr.Client(server, "bob", harness.PASSWORDS["bob"]) as c:
        assert c.request(pkcs10.csr(), attributes).disposition == 0x80094012
    server.ldapmodify("dn: " + account_dn(server, "Domain Admins") + "\nchangetype: modify\nadd: member\n"
                      f"member: {account_dn(server, 'bob')}\n")
    with icpr.Client(server, "bob", harness.PASSWORDS["bob"]) as c:
        assert c.request(pkcs10.csr(), attributes).disposition == icpr.CR_DISP_ISSUED


def account_dn(server, name):
    out = search(server, "DC=corp,DC=contoso,DC=com", f"(sAMAccountName={name})", "1.1").stdout
    return re.search(r"^dn: (.*)", out, re.M)[1]


def slapd_pids(server):
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if server.state.encode() in f.read() and pid != str(server.process.pid):
                    found.add(int(pid))
        except OSError:
            continue
    return found


def slapd_pid(server):
    pid, = slapd_pids(server)
    return pid


def test_slapd_dies_and_comes_back(fresh):
    """While it is gone requests get a directory HRESULT at once; afterwards everything works again."""
    server = fresh()
    with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        c.request(pkcs10.csr(), "CertificateTemplate:User")  # logged on; the token lives as long as the connection
        old = slapd_pid(server)
        os.kill(old, signal.SIGKILL)
        seen, until, back = set(), time.monotonic() + 120, False
        while not back:  # each answer comes, none hangs
            assert time.monotonic() < until, {hex(s) for s in seen}
            restarted = slapd_pids(server) - {old}
            disposition = c.request(pkcs10.csr(), "CertificateTemplate:User").disposition
            seen.add(disposition)
            back = restarted and disposition == icpr.CR_DISP_ISSUED
        assert all(s == icpr.CR_DISP_ISSUED or s & 0xFFFFF000 == 0x80072000 or s == 0x8007203A for s in seen)


def test_slapd_missing(fresh):
    server = harness.Server("--slapd", "/nonexistent/slapd")
    try:
        with pytest.raises(AssertionError) as caught:
            server.start()
        assert "ended with 69" in str(caught.value) and "/nonexistent/slapd" in str(caught.value)
    finally:
        server.remove()
