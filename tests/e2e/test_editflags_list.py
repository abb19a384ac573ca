"""doc/editflags.md tells the truth: every bit of the settings table is listed, and "enforced" means that some rule asks for it."""
import re

import harness


def test_every_bit_is_listed():
    told = dict(re.findall(r"^\| (EDITF_\w+) \| (enforced|no effect) \|", (harness.ROOT / "doc/editflags.md").read_text(), re.M))
    table = (harness.ROOT / "src/settings/table.c").read_text().split("interface_bits")[0]
    known = {"EDITF_" + (a or b) for a, b in re.findall(r'BIT\(EDITF, (\w+)\)|"EDITF_(\w+)"', table)}
    assert set(told) == known and len(known) == 28
    reference = (harness.ROOT / "doc/reference/issuance.md").read_text()
    assert all(name.removeprefix("EDITF_").removeprefix("ENABLE") in reference for name in known)
    used = set()
    for path in [*harness.ROOT.glob("src/policy/*.c"), *harness.ROOT.glob("src/ca/*.c")]:
        used |= set(re.findall(r"(?:edit_flags\s*&|&)\s*(EDITF_\w+)", path.read_text()))
    assert {name for name, what in told.items() if what == "enforced"} == used & known
