#!/usr/bin/python3
"""Writes fixtures/access/samba_*.txt: what Samba makes of generated security descriptors.

Samba is an implementation of MS-DTYP that shares nothing with ours, so its answers judge the unit tests:

  samba_sddl.txt    SDDL <TAB> self-relative descriptor in hexadecimal
  samba_check.txt   SDDL <TAB> token SIDs, comma-separated <TAB> wanted <TAB> 1 or 0 <TAB> all rights granted

The generator is deterministic; run it again only to change the cases (Debian: python3-samba).
Not generated, because Samba 4.17 leaves it out or differs: object ACEs without an ObjectType in a plain check,
callback ACEs, an empty DACL with flags before a SACL ("D:AIS:"), an absent DACL in a check (Samba refuses, MS-ADTS
5.1.3.3.1 allows), an object deny ACE in a plain check (Samba denies the whole object, MS-ADTS 5.1.3.3.2 does not).
"""
import os
import random
import re
import sys

from samba import NTSTATUSError, security as checks
from samba.dcerpc import security
from samba.ndr import ndr_pack

DOMAIN = "S-1-5-21-1111111111-2222222222-3333333333"
MAXIMUM_ALLOWED = 0x02000000
RIGHTS = "CC DC LC SW RP WP DT LO CR SD RC WD WO GA GR GW GX".split()
GUIDS = [
    "0e10c968-78fb-11d2-90d4-00c04f79dc55",
    "a05b8cc2-17bc-4802-a710-e7c15ab866a2",
    "ea1dddc4-60ff-416e-8cc0-17cee534bce7",
    "00000000-0000-0000-0000-000000000000",
]
ALIASES = (
    "WD CO CG OW NU IU SU AN ED PS AU RC SY LS NS BA BU BG PU AO SO PO BO RE RU RD NO MU LU IS CY ER CD "
    "DA DU DG DC DD CA SA EA PA RS RO LA LG"
).split()
SIDS = [DOMAIN + "-%d" % rid for rid in (1103, 1104, 1601, 4294967295)] + [
    "S-1-5-32-544",
    "S-1-5-21-1-2-3-4-5-6-7-8-9-10-11-12-13-14",
    "S-1-0-0",
]

domain = security.dom_sid(DOMAIN)
rng = random.Random(20260102)


def known(alias):
    try:
        security.descriptor.from_sddl("O:" + alias, domain)
        return True
    except Exception:
        return False


def pick_sid():
    return rng.choice(KNOWN) if rng.random() < 0.6 else rng.choice(SIDS)


def pick_rights(plain):
    kind = rng.random()
    if kind < 0.3:
        return "0x%x" % (rng.getrandbits(20) & (0xF01FF if plain else 0xFFFFF) or 1)
    codes = [c for c in RIGHTS if not (plain and c[0] == "G")]
    return "".join(rng.sample(codes, rng.randint(1, 6)))


def pick_ace(audit, plain):
    kind = rng.choice(["AU", "OU"] if audit else ["A", "A", "A", "D", "OA", "D" if plain else "OD"])
    flags = [f for f in ("OI", "CI", "NP", "IO", "ID") if rng.random() < 0.15]
    if audit:
        flags.append(rng.choice(["SA", "FA", "SAFA"]))
    guid = inherited = ""
    if kind[0] == "O":
        guid = rng.choice(GUIDS) if plain or rng.random() < 0.8 else ""
        inherited = rng.choice(GUIDS) if rng.random() < 0.2 else ""
    return "(%s;%s;%s;%s;%s;%s)" % (kind, "".join(flags), pick_rights(plain), guid, inherited, pick_sid())


def pick_acl(letter, audit, plain):
    flags = "".join(f for f in ("P", "AR", "AI") if rng.random() < 0.2)
    return letter + ":" + flags + "".join(pick_ace(audit, plain) for _ in range(rng.randint(0, 7)))


def pick_descriptor(plain):
    text = ""
    if plain or rng.random() < 0.9:
        text += "O:" + pick_sid()
    if rng.random() < 0.8:
        text += "G:" + pick_sid()
    if plain or rng.random() < 0.95:
        text += pick_acl("D", False, plain)
    if not plain and rng.random() < 0.3:
        text += pick_acl("S", True, plain)
    return text


def write(name, header, rows):
    path = os.path.join(sys.argv[1] if len(sys.argv) > 1 else "fixtures/access", name)
    with open(path, "w") as f:
        f.write("# %s. Made by tests/tools/samba_access.py.\n" % header)
        f.writelines("\t".join(row) + "\n" for row in rows)
    print("%s: %d rows" % (path, len(rows)))


def sddl_rows(n):
    rows = {}
    while len(rows) < n:
        text = pick_descriptor(False)
        if text and not re.search("D:[PARI]+S:", text):
            rows[text] = ndr_pack(security.descriptor.from_sddl(text, domain)).hex()
    return list(rows.items())


def check(sd, token, wanted):
    try:
        return True, checks.access_check(sd, token, wanted)
    except NTSTATUSError:
        return False, 0


def pick_token(sd, everyone):
    """Mostly SIDs the DACL speaks of, so that ACEs meet."""
    named = sorted({str(a.trustee) for a in sd.dacl.aces} | {str(sd.owner_sid)})
    sids = rng.sample(everyone, rng.randint(1, 5))
    sids += [s for s in named if s not in sids and rng.random() < 0.6]
    rng.shuffle(sids)
    token = security.token()
    token.sids = [security.dom_sid(s) for s in sids]
    token.num_sids = len(sids)
    return sids, token


def check_rows(n):
    rows = []
    everyone = sorted({str(security.descriptor.from_sddl("O:" + a, domain).owner_sid) for a in KNOWN} | set(SIDS))
    while len(rows) < n:
        text = pick_descriptor(True)
        sd = security.descriptor.from_sddl(text, domain)
        sids, token = pick_token(sd, everyone)
        wanted = 0
        for _ in range(rng.randint(1, 3)):
            wanted |= 1 << rng.choice(list(range(9)) + [16, 17, 18, 19])
        ok, _ = check(sd, token, wanted)
        _, most = check(sd, token, MAXIMUM_ALLOWED)
        rows.append((text, ",".join(sids), "0x%x" % wanted, "%d" % ok, "0x%x" % most))
    return rows


KNOWN = [a for a in ALIASES if known(a)]
print("aliases Samba does not know:", " ".join(a for a in ALIASES if a not in KNOWN) or "none")
write("samba_sddl.txt", "SDDL, its self-relative form by Samba; domain and root " + DOMAIN, sddl_rows(600))
write("samba_check.txt", "SDDL, token, wanted, Samba's verdict, all rights granted", check_rows(800))
