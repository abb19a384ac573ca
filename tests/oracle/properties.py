"""
What must hold whatever the input, judged on the engine's answers without the model: properties.py POLICY_RUN [--cases N].
Flags are random in all bits here, and the ACL is one that administrators' tools write: explicit denies and allows, then
inherited denies and allows. A renewal may stand on an earlier approval, and on the old key instead of the Enroll right
(MS-WCCE 3.2.2.6.2.1.4.5.6): the last two properties are of new requests.
"""
import argparse
import collections
import random
import sys

import access
import der
import generate
import model
import run


def canonical_acl(r, sids):
    out = []
    for kinds, flags in (((1, 6), 0), ((0, 5), 0), ((1, 6), 0x12), ((0, 5), 0x12)):
        for _ in range(r.randrange(3)):
            mask = r.choice([0x100, 0x100, 0x130, 0xF01FF, 0x20094])
            out.append(generate.ace(r.choice(kinds), r.choice(sids + ["S-1-5-21-9-9-9-9"]), mask,
                                    r.choice([access.ENROLL, access.ENROLL, generate.AUTOENROLL, None]), flags))
    return out


def make_case(seed, number):
    r = random.Random("properties %s %d" % (seed, number))
    case = generate.make_case("properties %s" % seed, number)
    case["officer_extensions"] = []  # they may break any of these
    attributes = case["templates"][0]["attributes"]
    for name in ("flags", "msPKI-Certificate-Name-Flag", "msPKI-Enrollment-Flag"):
        if r.randrange(2):
            attributes[name] = generate.signed(r.getrandbits(32) & r.getrandbits(32))
    sids = case["token"]["sids"]
    aces = canonical_acl(r, sids) + ([generate.ace(5, r.choice(sids), 0x100, access.ENROLL, 0x12)] if r.randrange(2) else [])
    attributes["nTSecurityDescriptor"] = ["hex:" + generate.descriptor(aces).hex()]
    case["ca"]["ca_not_after"] = case["now"] + r.randrange(1, 800 * generate.DAY)
    return case


def settled_template(case):
    """The template that was used: the one whose identifier all the request's identifiers are."""
    names = {v.strip().lower() for n, v in model.request_attributes(case) if n == "certificatetemplate"}
    for t in map(model.Template, case["templates"]):
        asked = {o: bytes.fromhex(v) for o, _, v in case["request"]["extensions"]}
        if t.cn.lower() in names or model.TEMPLATE_INFO in asked and der.oid(t.oid) in asked[model.TEMPLATE_INFO] or \
                asked.get(model.TEMPLATE_NAME, b"")[2:] == t.cn.encode("utf-16-be"):
            return t
    return None


def oids_of(value):
    return {der.oid_text(body if tag == 6 else der.read(body)[1]) for tag, body, _ in der.elements(der.read(value)[1])}


def explicit_deny(t, sids):
    """Whether an explicit ACE denies Enroll and no explicit ACE before it allows it."""
    if t.sd is None:
        return False
    for kind, flags, mask, guid, trustee in access.read_aces(t.sd)[1] or []:
        if flags & 0x18 or trustee not in sids or not mask & 0x100 or guid not in (None, access.ENROLL):
            continue
        return kind in (1, 6)
    return False


def broken(case, answer):
    """Names of the properties that an issued or pending answer breaks."""
    t, ca = settled_template(case), case["ca"]
    extensions = {der.oid_text(bytes.fromhex(o)): bytes.fromhex(v) for o, _, v in answer["extensions"]}
    if answer["not_after"] > ca["ca_not_after"]:
        yield "no certificate outlives its CA"
    if not ca["edit_flags"] & 0x8000 and not oids_of(extensions.get(model.EKU, b"\x30\0")) <= set(t.eku):
        yield "no EKU that the template lacks"
    policies = oids_of(extensions.get(model.APPLICATION_POLICIES, b"\x30\0"))
    if not (ca["esc15"] and t.schema == 1) and not policies <= set(t.application_policies):
        yield "no application policy that the template lacks"
    if not case["renewal"] and explicit_deny(t, case["token"]["sids"]):
        yield "no inherited ACE overrides an explicit denial"
    if answer["outcome"] == "issue" and not (case["approved"] or case["renewal"]) and (t.enrollment & 0x2 or ca["request_disposition"] & 0x100):
        yield "nothing pending is issued"


HELD = ["no certificate outlives its CA", "no EKU that the template lacks", "no application policy that the template lacks",
        "no inherited ACE overrides an explicit denial", "nothing pending is issued"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("--cases", type=int, default=10000)
    p.add_argument("--seed", default="1")
    args = p.parse_args()
    cases = [make_case(args.seed, n) for n in range(args.cases)]
    answers, _ = run.engine(args.program, cases)
    count, given = collections.Counter(), 0
    for case, answer in zip(cases, answers, strict=True):
        if answer["outcome"] == "deny":
            continue
        given += 1
        for name in broken(case, answer):
            count[name] += 1
            print("case %d breaks: %s" % (case["id"], name))
    print("properties: %d random cases, %d certificates, %d violations of %d properties" % (
        len(cases), given, sum(count.values()), len(HELD)))
    return 1 if count or not given else 0


if __name__ == "__main__":
    sys.exit(main())
