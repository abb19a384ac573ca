"""Holds the engine (policy_run) against the model on generated cases: run.py POLICY_RUN [--cases N] [--seed S]."""
import argparse
import collections
import json
import subprocess
import sys

import der
import generate
import model


def engine(program, cases, *options):
    lines = "".join(json.dumps(c) + "\n" for c in cases)
    done = subprocess.run([program, *options], input=lines, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit("%s ended with %d: %s" % (program, done.returncode, done.stderr[-2000:]))
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def differences(expected, got):
    return [name for name in expected if name != "why" and expected[name] != got.get(name)]


def show(case, expected, got, what):
    print("---- case %d differs in %s" % (case["id"], ", ".join(what)))
    t = model.Template(case["templates"][0])
    print("template %s schema %d general 0x%x enrollment 0x%x key 0x%x name 0x%x" % (
        t.cn, t.schema, t.general, t.enrollment, t.private_key, t.name))
    for side, v in (("model ", expected), ("engine", got)):
        print(side, v["outcome"], "0x%08x" % v["hr"], v.get("why", ""))
        for name in what:
            value = v.get(name)
            if name == "extensions" and value is not None:
                value = ["%s%s=%s" % (der.oid_text(bytes.fromhex(o)), "!" if c else "", x[:60]) for o, c, x in value]
            print("      ", name, value)
    print("request extensions", [(o, c, v[:40]) for o, c, v in case["request"]["extensions"]])
    print("attributes", case["attributes"].splitlines(), case["request"]["name_values"])
    print("edit flags 0x%x" % case["ca"]["edit_flags"])
    for why in got["reasons"]:
        print("   %2d %-28s %-8s %s" % (why["step"], why["rule"], why["said"], why.get("text")))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("--cases", type=int, default=10000)
    p.add_argument("--seed", default="1")
    p.add_argument("--show", type=int, default=5, help="print the first so many differences")
    p.add_argument("--only", type=int, help="one case, differing or not")
    args = p.parse_args()
    cases = [generate.make_case(args.seed, args.only)] if args.only is not None else list(generate.cases(args.seed, args.cases))
    answers, log = engine(args.program, cases, "--time", "2")
    kinds, outcomes, wrong = collections.Counter(), collections.Counter(), 0
    for case, got in zip(cases, answers, strict=True):
        expected = model.decide(case)
        what = differences(expected, got)
        outcomes[got["outcome"] if got["outcome"] != "deny" else "deny 0x%08x" % got["hr"]] += 1
        if what or args.only is not None:
            wrong += bool(what)
            kinds[",".join(what[:2]) + (" 0x%08x/0x%08x" % (expected["hr"], got["hr"]))] += 1
            if wrong <= args.show:
                show(case, expected, got, what or list(expected))
    for name, n in sorted(outcomes.items()):
        print("%6d %s" % (n, name))
    for name, n in kinds.most_common(15):
        print("differs %5d %s" % (n, name))
    print("oracle: %d cases, %d differences; %s" % (len(cases), wrong, log.strip()))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
