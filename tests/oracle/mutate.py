"""
Takes each row out of the rule table in turn and counts the cases in which the oracle notices: mutate.py MUTANT
[--cases N]. MUTANT is policy_run built with -DADCSD_SKIP_RULE. A row that nobody misses is an error.
"""
import argparse
import json
import subprocess
import sys

import generate
import model
import run


ENOUGH_CRASHES = 20

# Rows that speak of what no case of the oracle is.
BEYOND = {"38 Netscape certificate type": "KEYGEN requests only"}


def answers(program, lines, row):
    """Answers without a row; None where the program does not survive."""
    out = []
    while len(out) < len(lines):
        done = subprocess.run([program, "--skip", str(row)], input="".join(lines[len(out):]), capture_output=True, text=True,
                              check=False)
        out += [json.loads(line) for line in done.stdout.splitlines() if line.endswith("}")]
        if done.returncode != 0:
            out.append(None)
            if out.count(None) == ENOUGH_CRASHES:
                break
    return out


def main():
    p = argparse.ArgumentParser()
    p.add_argument("program")
    p.add_argument("--cases", type=int, default=4000)
    p.add_argument("--seed", default="1")
    args = p.parse_args()
    cases = list(generate.cases(args.seed, args.cases))
    expected = [model.decide(c) for c in cases]
    lines = [json.dumps(c) + "\n" for c in cases]
    rules = subprocess.run([args.program, "--rules"], capture_output=True, text=True, check=True).stdout.splitlines()
    unnoticed = []
    for row, rule in enumerate(rules):
        got = answers(args.program, lines, row)
        wrong = sum(a is None or bool(run.differences(e, a)) for e, a in zip(expected, got))
        crashes = " (no further after %d crashes)" % ENOUGH_CRASHES if len(got) < len(cases) else ""
        print("%6d differences without %s%s" % (wrong, rule, crashes), flush=True)
        if wrong == 0 and rule in BEYOND:
            print("       (%s)" % BEYOND[rule])
        elif wrong == 0:
            unnoticed.append(rule)
    print("mutate: %d rows, %d cases each, %d missed by nobody, %d beyond the model" % (
        len(rules), len(cases), len(unnoticed), len(BEYOND)))
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
