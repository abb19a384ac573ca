"""
adcsctl's template verbs on a Samba AD DC, over LDAP with a simple bind, over GSSAPI where kinit is there. What they wrote
is read back with ldapsearch. Run by tools/check-samba.
"""
import base64
import os
import pathlib
import shutil
import subprocess

import ready
from samba.dcerpc import security
from samba.ndr import ndr_unpack

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DIR = pathlib.Path(os.environ["SAMBA_DIR"])
ADCSCTL = ROOT / os.environ.get("B", "build") / "adcsctl"
URI, ADMIN = "ldap://dc1.ad.test", "AD\\Administrator"
PKS = "CN=Public Key Services,CN=Services,CN=Configuration,DC=ad,DC=test"
SIMPLE = ["--bind", ADMIN, "--password-file", str(DIR / "password")]


def ctl(*args, code=0, bind=None):
    done = subprocess.run([str(ADCSCTL), "--directory", URI, *(SIMPLE if bind is None else bind), *args], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == code, f"adcsctl {args}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def entry(cn):
    done = subprocess.run(["ldapsearch", "-LLL", "-x", "-o", "ldif-wrap=no", "-H", URI, "-D", ADMIN, "-y", str(DIR / "bare"), "-b",
                           f"CN={cn},CN=Certificate Templates,{PKS}", "-s", "base", "-E", "!1.2.840.113556.1.4.801=::MAMCAQc=", "*",
                           "nTSecurityDescriptor"], capture_output=True, text=True, timeout=60, check=True)
    found = {}
    for line in done.stdout.splitlines():
        if ":" in line:
            name, value = line.split(":", 1)
            found.setdefault(name, []).append(value.lstrip(": "))
    return found


def main():
    (DIR / "bare").write_text((DIR / "password").read_text().strip())
    ready.wait_for(389, "LDAP port")
    # a forest whose Public Key Services are empty: our built-in templates are its first
    for name in ("User", "WebServer", "Workstation"):
        ctl("template", "import", str(ROOT / f"templates/{name}.ldif"))
    found = entry("User")
    assert found["objectCategory"][0].startswith("CN=PKI-Certificate-Template,CN=Schema,CN=Configuration,DC=ad,DC=test")
    descriptor = ndr_unpack(security.descriptor, base64.b64decode(found["nTSecurityDescriptor"][0]))
    domain = str(descriptor.owner_sid).rsplit("-", 1)[0]
    assert any(str(a.trustee) == f"{domain}-513" for a in descriptor.dacl.aces), "Domain Users of this domain"
    # the how-to
    ctl("template", "duplicate", "User", "--display-name", "Intune PKCS", "--compat-ca", "2008R2", "--compat-recipient", "7",
        "--subject", "request", "--minimum-key-size", "2048")
    found = entry("IntunePKCS")
    assert found["msPKI-Private-Key-Flag"] == ["50528272"] and found["msPKI-Template-Schema-Version"] == ["2"]
    assert found["msPKI-Certificate-Name-Flag"] == ["1"] and "objectGUID" in found
    ctl("template", "acl", "grant", "IntunePKCS", "AD\\DC1$", "Read", "Enroll")
    shown = ctl("template", "acl", "show", "IntunePKCS")
    assert "AD\\DC1$" in shown and "Enroll" in shown
    ctl("template", "set", "IntunePKCS", "--manager-approval", "yes", "--superseded", "User")
    assert int(entry("IntunePKCS")["msPKI-Enrollment-Flag"][0]) & 2
    assert "Windows Server 2012" in ctl("template", "set", "IntunePKCS", "--renew-same-key", "yes", code=1)
    # files
    ctl("template", "export", "IntunePKCS", "--out", str(DIR / "a.ldif"))
    ctl("template", "diff", "IntunePKCS", "--against", str(DIR / "a.ldif"))
    ctl("template", "delete", "IntunePKCS")
    ctl("template", "import", str(DIR / "a.ldif"))
    ctl("template", "diff", "IntunePKCS", "--against", str(DIR / "a.ldif"))
    # who may not
    (DIR / "wrong").write_text("wrong\n")
    ctl("template", "list", code=1, bind=["--bind", ADMIN, "--password-file", str(DIR / "wrong")])
    how = "simple"
    (DIR / "krb5.conf").write_text("[libdefaults]\n default_realm = AD.TEST\n dns_lookup_kdc = false\n rdns = false\n"
                                   " dns_canonicalize_hostname = false\n[realms]\n AD.TEST = {\n  kdc = 127.0.0.1\n }\n")
    if shutil.which("kinit") and list(pathlib.Path("/usr/lib").glob("*/sasl2/libgssapiv2.so")):
        os.environ.update(KRB5_CONFIG=str(DIR / "krb5.conf"), KRB5CCNAME=f"FILE:{DIR}/cc")
        subprocess.run(["samba-tool", "spn", "add", "ldap/dc1.ad.test", "DC1$", "-s", str(DIR / "dc/etc/smb.conf")], check=False,
                       capture_output=True)
        ready.wait_for(88, "KDC")
        subprocess.run(["kinit", "Administrator"], input=(DIR / "password").read_text(), text=True, check=True, capture_output=True)
        assert "IntunePKCS" in ctl("template", "list", bind=["--bind", "gssapi"])
        how = "simple and GSSAPI"
    print(f"check-samba: import, duplicate, set, acl, export, diff and delete on a Samba AD DC ({how} bind)")


main()
