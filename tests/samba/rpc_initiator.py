"""
Our RPC client against Samba's server, which was not written by the same hands: endpoint mapper, NTLM bare and in SPNEGO with
MIC, and Kerberos where kinit is there, every level, signatures and sealing in both directions. Run by tools/check-samba.
"""
import os
import pathlib
import shutil
import subprocess

import ready

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOL = ROOT / os.environ.get("B", "build") / "tools/client_mgmt"
PASSWORD = (pathlib.Path(os.environ["SAMBA_DIR"]) / "password").read_text().strip()
MGMT, DRSUAPI = "afa8bd80-7d8a-11c9-bef4-08002b102989", "e3514235-4b06-11d1-ab04-00c04fc2dcd2"
LEVELS = {"connect": 2, "packet": 4, "integrity": 5, "privacy": 6}


def call(mech, level, password, user="Administrator", domain="AD"):
    done = subprocess.run([str(TOOL), "127.0.0.1", "135", domain, user, password, mech, str(level)], capture_output=True,
                          text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def tickets():
    """With Administrator's ticket, whose service the tool names."""
    folder = pathlib.Path(os.environ["SAMBA_DIR"])
    conf = folder / "initiator.conf"
    conf.write_text("[libdefaults]\n\tdefault_realm = AD.TEST\n\tdns_lookup_kdc = false\n\trdns = false\n"
                    "[realms]\n\tAD.TEST = {\n\t\tkdc = 127.0.0.1\n\t}\n")
    os.environ.update(KRB5_CONFIG=str(conf), KRB5CCNAME=f"FILE:{folder}/initiator.cc")
    code, said = call("kerberos", 6, "", "-")
    assert code == 1 and "error 0x8009030e" in said, f"no ticket: {said}"
    subprocess.run(["kinit", "Administrator"], input=PASSWORD + "\n", text=True, check=True, capture_output=True)
    n = 1
    for mech in ("kerberos", "negotiate"):
        for name, level in LEVELS.items():
            code, said = call(mech, level, "", "-")
            assert code == 0 and said.count("listening ") == 3 and f"interface {DRSUAPI}" in said, f"{mech} {name}, ticket: {said}"
            assert "package Kerberos\n" in said
            n += 1
    return n


def main():
    ready.wait_for(135, "endpoint mapper")
    ready.wait_for(88, "KDC")
    n = 0
    for mech in ("ntlm", "negotiate"):
        for name, level in LEVELS.items():
            code, said = call(mech, level, PASSWORD)
            assert code == 0 and said.count("listening ") == 3 and f"interface {DRSUAPI}" in said, f"{mech} {name}: {said}"
            assert "package NTLM\n" in said
            n += 1
            if (mech, name) == ("ntlm", "connect"):
                continue  # nobody answers an auth3, and Samba serves unprotected calls after a wrong one as anonymous
            code, said = call(mech, level, "wrong")
            assert code == 1 and "error 0x" in said and "listening 1" not in said, f"{mech} {name}, wrong password: {said}"
            n += 1
    if shutil.which("kinit"):
        n += tickets()
    else:
        print("check-samba: no kinit, so our client's Kerberos was not tried")
    print(f"check-samba: {n} RPC conversations with Samba's server as expected")


main()
