"""
Every flag bit of doc/reference/templates.md section 5, as the tables there name it, is shown by `adcsctl template show` under that name:
enforced, or "client side only" with what a Windows client does; and `template set` sets and clears it.
"""
import re
import subprocess

import pytest

import harness

TABLES = {"5.1": "flags", "5.2": "msPKI-Enrollment-Flag", "5.3": "msPKI-Private-Key-Flag", "5.4": "msPKI-Certificate-Name-Flag"}
ROW = re.compile(r"^\| (0x[0-9A-Fa-f]+) \| ([A-Z0-9_]+) \| ([^|]*) \|", re.M)


def bits():
    text = (harness.ROOT / "doc/reference/templates.md").read_text()
    for section, attribute in TABLES.items():
        part = text.split(f"### {section} ")[1].split("\n##")[0]
        for mask, name, effect in ROW.findall(part):
            yield attribute, int(mask, 16), name, effect.strip()


@pytest.fixture(scope="module")
def server():
    made = harness.Server().start()
    made.ctl("template", "duplicate", "User", "--display-name", "Bits", "--compat-ca", "2016", "--compat-recipient", "10")
    yield made
    made.remove()


def test_the_tables_are_read():
    assert len(list(bits())) > 50


@pytest.mark.parametrize("attribute,mask,name,effect", list(bits()), ids=lambda v: v if isinstance(v, str) and v.isupper() else "")
def test_bit_is_shown(server, attribute, mask, name, effect):
    value = mask - (1 << 32) if mask >> 31 else mask
    edits = "".join(f"replace: {a}\n{a}: {value if a == attribute else 0}\n-\n" for a in TABLES.values())
    server.ldapmodify(f"dn: {server.template_dn('Bits')}\nchangetype: modify\n{edits}")
    lines = [line for line in server.ctl("template", "show", "Bits").splitlines() if re.match(rf"\s+{name}\s+0x{mask:x}\b", line)]
    assert len(lines) == 1, f"{name} is not shown"
    if effect in ("-", "ignored", "CA MUST ignore"):
        assert "client side only" in lines[0] or "ignored" in lines[0], f"no effect on the CA, yet: {lines[0]}"


OPTIONS = {"flags": "--general-bits", "msPKI-Enrollment-Flag": "--enrollment-bits", "msPKI-Private-Key-Flag": "--private-key-bits",
           "msPKI-Certificate-Name-Flag": "--name-bits"}


LEVELS_2016 = 0x06060010
# What every save does, whatever is asked: a template that was saved is modified and no default any more.
BY_SAVING = {"IS_DEFAULT": False, "IS_MODIFIED": True}


def stored(server, attribute):
    """As an LDAP tool reads it."""
    done = subprocess.run(["ldapsearch", "-Q", "-LLL", "-Y", "EXTERNAL", "-H", server.ldapi, "-b", server.template_dn("Bits"), "-s", "base",
                           "(objectClass=*)", attribute], capture_output=True, text=True, timeout=60, check=True)
    return int(re.search(rf"^{attribute}: (-?\d+)", done.stdout, re.M)[1]) & 0xFFFFFFFF


@pytest.mark.parametrize("attribute,mask,name,effect", list(bits()), ids=lambda v: v if isinstance(v, str) and v.isupper() else "")
def test_bit_is_settable(server, attribute, mask, name, effect):
    del effect
    edits = "".join(f"replace: {a}\n{a}: {LEVELS_2016 if a == 'msPKI-Private-Key-Flag' else 0}\n-\n" for a in TABLES.values())
    server.ldapmodify(f"dn: {server.template_dn('Bits')}\nchangetype: modify\n{edits}")
    for sign, there in (("+", True), ("-", False)):
        server.ctl("template", "set", "Bits", f"{OPTIONS[attribute]}={sign}{name}")
        assert bool(stored(server, attribute) & mask) == BY_SAVING.get(name, there), f"{sign}{name}"
