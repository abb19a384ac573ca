"""
Kerberos with the tickets of a real domain controller: adcsd gets a keytab of a Samba AD DC, and the groups it goes by are
those that the controller put into the PAC. The embedded directory knows the user by her SID and none of the groups. Run by
tools/check-samba, after external_directory.py.
"""
import base64
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DIR = pathlib.Path(os.environ["SAMBA_DIR"])
os.environ.setdefault("ADCSD_BUILD", str(ROOT / os.environ.get("B", "build")))
sys.path.insert(0, str(ROOT / "tests/e2e"))

import harness  # noqa: E402
import krb  # noqa: E402
import pkcs10  # noqa: E402
import ready  # noqa: E402

REALM, HOST, PASSWORD = "AD.TEST", "ca01.ad.test", "Passw0rd!"
TEMPLATE = "CertificateTemplate:WebServer"
CERTSRV_E_TEMPLATE_DENIED, CERTSRV_E_PROPERTY_EMPTY = 0x80094012, 0x80094004
SID_EXTENSION = "1.3.6.1.4.1.311.25.2"


def samba_tool(*args):
    done = subprocess.run(["samba-tool", *args, "-s", str(DIR / "dc/etc/smb.conf")], capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, f"samba-tool {args}:\n{done.stdout}{done.stderr}"
    return done.stdout


def sid_of(kind, name):
    return re.search(r"objectSid: (\S+)", samba_tool(kind, "show", name)).group(1)


def populate():
    """Jane in a global group, by that in a universal one, and in a domain local one. The CA's account and keytab."""
    for name in ("janedoe", "bob"):
        samba_tool("user", "create", name, PASSWORD)
    for group, scope, member in (("PkiGlobal", "Global", "janedoe"), ("PkiUniversal", "Universal", "PkiGlobal"),
                                 ("PkiLocal", "Domain", "janedoe"), ("PkiEmpty", "Global", None)):
        samba_tool("group", "add", group, f"--group-scope={scope}")
        if member:
            samba_tool("group", "addmembers", group, member)
    samba_tool("computer", "create", "CA01", f"--service-principal-name=host/{HOST}")
    samba_tool("user", "setpassword", "CA01$", f"--newpassword={PASSWORD}")
    keytab = DIR / "ca.keytab"
    for principal in ("CA01$", f"host/{HOST}"):
        samba_tool("domain", "exportkeytab", str(keytab), f"--principal={principal}")
    keytab.chmod(0o644)
    DIR.chmod(0o755)
    return keytab


def wire_sid(text):
    numbers = [int(n) for n in text.split("-")[2:]]
    return bytes([1, len(numbers) - 1]) + numbers[0].to_bytes(6, "big") + b"".join(n.to_bytes(4, "little") for n in numbers[1:])


def forest(jane):
    """The sample forest, its Jane with the SID that the domain controller gave her."""
    text = (ROOT / "fixtures/forest/contoso.ldif").read_text()
    blocks = text.split("\n\n")
    at, = [i for i, b in enumerate(blocks) if "\nsAMAccountName: janedoe\n" in b]
    blocks[at] = re.sub(r"objectSid:: \S+", "objectSid:: " + base64.b64encode(wire_sid(jane)).decode(), blocks[at])
    path = DIR / "forest.ldif"
    path.write_text("\n\n".join(blocks))
    path.chmod(0o644)
    return path


def clients(server, tickets):
    yield "samba", krb.Samba(server, tickets, "seal,spnego", host=HOST).request
    made = krb.impacket(server, account="janedoe", realm=REALM, host=HOST)
    yield "impacket", made.request


def check_groups(server, tickets):
    for group in ("PkiGlobal", "PkiUniversal", "PkiLocal", "PkiEmpty"):
        sid = sid_of("group", group)
        server.ctl("template", "acl", "grant", "WebServer", sid, "Read", "Enroll")
        for name, request in clients(server, tickets):
            answer = request(pkcs10.csr(), TEMPLATE)
            wanted = CERTSRV_E_TEMPLATE_DENIED if group == "PkiEmpty" else 3
            assert answer.disposition == wanted, f"{group} by {name}: {answer}"
        server.ctl("template", "acl", "remove", "WebServer", sid)


def check_levels(server, tickets):
    for level in ("connect", "packet", "sign", "seal"):
        for mechanism in ("krb5", "spnego"):
            c = krb.Samba(server, tickets, f"{level},{mechanism}", host=HOST).mgmt
            assert c.is_server_listening() == (0, 1) and c.request(0, b"\0" * 20000) == c.request(0, b"")


def check_stranger(server, conf):
    """A good ticket for someone the directory does not know: authenticated, but no subject for a certificate."""
    with krb.Tickets(server, "bob", PASSWORD, conf=str(conf)) as tickets:
        tickets.run("kvno", f"host/{HOST}")
        c = krb.Samba(server, tickets, "seal,spnego", host=HOST)
        assert c.request(b"", request_id=4711).code == CERTSRV_E_PROPERTY_EMPTY
        answer = c.request(pkcs10.csr(), "CertificateTemplate:User")
        assert answer.certificate == b"" and answer.disposition != 3, answer


def main():
    ready.wait_for(88, "KDC")
    keytab = populate()
    jane = sid_of("user", "janedoe")
    conf = DIR / "krb5.conf"
    server = harness.Server("--keytab", str(keytab), "--forest", str(forest(jane)), "--config", str(ROOT / "ca/contoso.ini")).start()
    try:
        with krb.Tickets(server, "janedoe", PASSWORD, conf=str(conf)) as tickets:
            tickets.run("kvno", f"host/{HOST}")
            shown = tickets.run("klist", "-e").stdout
            check_groups(server, tickets)
            check_levels(server, tickets)
        check_stranger(server, conf)
    except BaseException:
        print(server.log()[-6000:], file=sys.stderr)
        raise
    finally:
        server.remove()
    kind = "AES" if "aes256-cts-hmac-sha1-96" in shown else "RC4"
    print(f"check-samba: {kind} tickets of a Samba AD DC, raw and in SPNEGO, at every level; PAC groups global, nested, domain local")


main()
