#!/usr/bin/python3
"""
Logons over RPC: processor time of adcsd and of its slapd for one connection with bind, all legs and one small call, so how many
one core does a second. The clients (impacket, one after another) take far longer than the server and are not counted.
"""
import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

import harness  # noqa: E402
import icpr  # noqa: E402
import krb  # noqa: E402
from test_kerberos import children  # noqa: E402

ACCOUNT = "PFXCONN01$"
UNKNOWN_ID = 4711


def cpu_seconds(pid):
    """Of all threads, to the nanosecond."""
    return sum(int((t / "schedstat").read_text().split()[0]) for t in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


def by_password(server):
    return icpr.Client(server, ACCOUNT, harness.PASSWORDS[ACCOUNT])


def by_ticket(pac):
    def connect(server):
        key = krb.keytab_key(server)
        pac_of = krb.make_pac(key, ACCOUNT, pac) if pac else None
        ticket = krb.make_ticket(key, client=ACCOUNT, pac_of=pac_of)
        return lambda: krb.impacket(server, ticket=ticket, account=ACCOUNT)
    return connect


def measure(server, connect, count):
    slapd, = [p for p, name in children(server.process.pid).items() if name == "slapd"]
    before = [cpu_seconds(p) for p in (server.process.pid, slapd)]
    for _ in range(count):
        with connect() as c:
            assert c.retrieve(UNKNOWN_ID).code == 0x80094004
    return [(cpu_seconds(p) - b) / count * 1e6 for p, b in zip((server.process.pid, slapd), before)]


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--count", type=int, default=300)
    args.add_argument("--json", action="store_true")
    opt = args.parse_args()
    server = harness.Server("--kdc", "--quiet").start()
    figures = {}
    try:
        sid = next(s for s in json.dumps(server.json("principal", "show", f"CORP\\{ACCOUNT}")).split('"') if s.startswith("S-1-5-21"))
        domain, rid = sid.rsplit("-", 1)
        pac = krb.logon_info(ACCOUNT, domain, int(rid), groups=(515, *range(7000, 7040)), primary=515)
        ways = {"NTLM": lambda: by_password(server), "Kerberos, groups from the directory": by_ticket(None)(server),
                "Kerberos, 41 groups from the PAC": by_ticket(pac)(server)}
        for name, connect in ways.items():
            measure(server, connect, 20)  # warm-up
            own, slapd = measure(server, connect, opt.count)
            figures[f"{name}: adcsd, us of CPU"] = round(own)
            figures[f"{name}: slapd, us of CPU"] = round(slapd)
            figures[f"{name}: a second, one core for both"] = round(1e6 / (own + slapd))
    finally:
        server.remove()
    if opt.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:62} {value}")


main()
