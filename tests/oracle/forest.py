"""The principals of the sample forest as the CA sees them: directory attributes and the SIDs of the token."""
import base64
import pathlib

import access

LDIF = pathlib.Path(__file__).resolve().parents[2] / "fixtures/forest/contoso.ldif"
DOMAIN = "S-1-5-21-1111111111-2222222222-3333333333"
SECURITY_ENABLED = 0x80000000


def entries(path=LDIF):
    lines = []
    for line in path.read_text().splitlines():
        if line.startswith(" "):
            lines[-1] += line[1:]
        elif not line.startswith("#"):
            lines.append(line)
    entry = {}
    for line in lines + [""]:
        if not line:
            if "dn" in entry:
                yield entry
            entry = {}
            continue
        name, _, value = line.partition(":")
        value = base64.b64decode(value[1:]) if value.startswith(":") else value.strip()
        entry.setdefault(name, []).append(value)


def principals():
    """(subject, token) of every user and computer, in the order of the file."""
    everything = list(entries())
    groups = [e for e in everything if "group" in e["objectClass"] and int(e["groupType"][0]) & SECURITY_ENABLED]
    by_sid = {access.sid_text(e["objectSid"][0]): e for e in everything if "objectSid" in e}
    for e in everything:
        if "user" not in e["objectClass"]:
            continue
        computer = "computer" in e["objectClass"]
        primary = "%s-%s" % (DOMAIN, e["primaryGroupID"][0])
        names, grew = {e["dn"][0]}, True
        if primary in by_sid:
            names.add(by_sid[primary]["dn"][0])
        while grew:
            found = {g["dn"][0] for g in groups if names & set(g.get("member", []))}
            grew = not found <= names
            names |= found
        sid = access.sid_text(e["objectSid"][0])
        sids = [sid, primary] + [s for s, g in by_sid.items() if g["dn"][0] in names and s not in (sid, primary)]
        sids += ["S-1-1-0", "S-1-5-2", "S-1-5-11", "S-1-5-15"] + (["S-1-5-9"] if primary.endswith("-516") else [])

        def one(name):
            return e[name][0] if name in e else None
        subject = {"dn": e["dn"][0], "cn": one("cn"), "upn": one("userPrincipalName"), "mail": one("mail"),
                   "dns_host_name": one("dNSHostName"), "sam": one("sAMAccountName"), "sid": sid,
                   "guid": e["objectGUID"][0].hex(), "is_computer": computer}
        yield subject, {"account": "CORP\\" + one("sAMAccountName"), "dn": e["dn"][0], "upn": subject["upn"],
                        "is_computer": computer, "sids": sids}
