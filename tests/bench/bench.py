#!/usr/bin/python3
"""Figures of a whole server: start-up, memory, CPU per certificate beside openssl speed of the same run."""
import argparse
import json
import multiprocessing
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

import harness  # noqa: E402
import icpr  # noqa: E402
import pkcs10  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def milliseconds(server):
    begin = time.monotonic()
    server.start()
    return (time.monotonic() - begin) * 1000


def starts(runs):
    new, existing, keys = [], [], []
    for _ in range(runs):
        server = harness.Server()
        new.append(milliseconds(server))
        found = re.search(r"made in (\d+) ms", server.log())
        keys.append(int(found[1]) if found else 0)
        server.stop()
        existing.append(milliseconds(server))
        server.remove()
    return new, existing, keys


def publish(server):
    server.ctl("template", "duplicate", "User", "--display-name", "Bench", "--subject", "request")
    server.ctl("template", "acl", "grant", "Bench", "CORP\\PFXCONN01$", "Read", "Enroll")
    server.ctl("ca", "publish", "Bench")


def load(ready, count, csrs, failures):
    import types
    server = types.SimpleNamespace(address=ready["address"], object_port=ready["ports"]["object"])
    with icpr.Client(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as client:
        for i in range(count):
            answer = client.request(csrs[i % len(csrs)], "CertificateTemplate:Bench")
            if answer.disposition != icpr.CR_DISP_ISSUED:
                failures.value += 1


def issue(server, count, connections, csrs):
    failures = multiprocessing.Value("i", 0)
    jobs = [multiprocessing.Process(target=load, args=(server.ready, count // connections, csrs, failures))
            for _ in range(connections)]
    cpu, wall = cpu_seconds(server.ready["pid"]), time.monotonic()
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    cpu, wall = cpu_seconds(server.ready["pid"]) - cpu, time.monotonic() - wall
    done = count // connections * connections
    if failures.value or any(job.exitcode for job in jobs):
        sys.exit(f"bench: {failures.value} of {done} requests were not issued, exit codes {[j.exitcode for j in jobs]}")
    return done, cpu, wall


def openssl_sign_us(name, seconds):
    out = subprocess.run(["openssl", "speed", "-seconds", str(seconds), name], capture_output=True, text=True,
                         check=True).stdout
    row = [line for line in out.splitlines() if "bits" in line][-1]
    return float(re.findall(r"([0-9.]+)s", row)[0]) * 1e6


def main():
    args = argparse.ArgumentParser(description=__doc__)
    args.add_argument("--starts", type=int, default=20)
    args.add_argument("--requests", type=int, default=4000)
    args.add_argument("--connections", type=int, default=1)
    args.add_argument("--memory-requests", type=int, default=0, help="issue so many more and report memory (100000: minutes)")
    args.add_argument("--json", action="store_true")
    opt = args.parse_args()
    figures = {}

    new, existing, keys = starts(opt.starts)
    figures["start, new state, ms (median)"] = round(statistics.median(new), 1)
    figures["  of which RSA-2048 generation, ms (median)"] = statistics.median(keys)
    figures["start, new state without key generation, ms (median)"] = round(
        statistics.median(n - k for n, k in zip(new, keys)), 1)
    figures["start, existing state, ms (median)"] = round(statistics.median(existing), 1)

    server = harness.Server("--quiet").start()
    try:
        figures["resident memory idle, KiB"] = resident_kib(server.ready["pid"])
        publish(server)
        csrs = [pkcs10.csr(key=pkcs10.rsa_key(2048, n), name=pkcs10.subject(cn=f"user{n}")) for n in range(4)]
        issue(server, 200, 1, csrs)  # warm-up: caches, WAL, allocator
        before = openssl_sign_us("rsa2048", 2)
        done, cpu, wall = issue(server, opt.requests, opt.connections, csrs)
        after = openssl_sign_us("rsa2048", 2)
        sign = (before + after) / 2
        figures["certificates issued, sealed ICertPassage, kept connection"] = done
        figures["server CPU per certificate, us"] = round(cpu / done * 1e6, 1)
        figures["openssl speed rsa2048, us per signature"] = round(sign, 1)
        figures["ratio"] = round(cpu / done * 1e6 / sign, 2)
        figures["certificates per second (client bound)"] = round(done / wall)
        if opt.memory_requests:
            issue(server, opt.memory_requests, 2, csrs)
            figures[f"resident memory after {done + opt.memory_requests + 200} certificates, KiB"] = resident_kib(
                server.ready["pid"])
    finally:
        server.remove()
    if opt.json:
        print(json.dumps(figures, indent=2))
    else:
        for name, value in figures.items():
            print(f"{name:62} {value}")


main()
