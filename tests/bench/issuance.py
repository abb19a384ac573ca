#!/usr/bin/python3
"""Certificates per second and what each costs: adcsctl bench on CAs with an RSA-2048 and a P-256 key, over both transports."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

import harness  # noqa: E402

REQUESTS = os.environ.get("BENCH_CERTIFICATES", "10000")
WANTED = ["certificatesPerSecond", "p50Ms", "p99Ms", "serverCpuUsPerCertificate", "opensslUsPerSignature", "ratio",
          "callsPerSecond", "activationsPerSecond", "authenticationsPerSecond", "residentKiB", "residentKiBWithIdle"]


def bench(server, *args):
    env = {**os.environ, "ADCSD_PASSWORD": harness.PASSWORDS["janedoe"]}
    done = subprocess.run([str(harness.BUILD / "adcsctl"), "--state", server.state, "--json", "--user", "CORP\\janedoe", "bench",
                           "--requests", REQUESTS, *args], capture_output=True, text=True, env=env, check=False)
    if done.returncode != 0:
        sys.exit(f"bench: {done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def show(row):
    print(f"CA {row['caKey']}, {row['transport']}, {row['connections']} connections, {row['certificates']} certificates")
    for name in WANTED:
        if name in row:
            print(f"  {name:30} {row[name]}")
    sys.stdout.flush()


def main():
    told = []
    for key, speed, csr in (("RSA-2048", "rsa2048", "rsa:2048"), ("P-256", "ecdsap256", "rsa:2048")):
        with tempfile.NamedTemporaryFile("w", suffix=".ini") as config:
            config.write((harness.ROOT / "ca/contoso.ini").read_text().replace("KeyType = RSA-2048", f"KeyType = {key}"))
            config.flush()
            server = harness.Server("--quiet", "--config", config.name).start()
        try:
            for transport, connections in (("icpr", "8"), ("icpr", "64"), ("dcom", "64")):
                more = ["--calls", "20000", "--activations", "500", "--idle", "5000"] if transport == "dcom" else []
                told.append({"caKey": key, **bench(server, "--transport", transport, "--connections", connections, "--key", csr,
                                                   "--openssl-speed", speed, *more)})
                if "--json" not in sys.argv:
                    show(told[-1])
        finally:
            server.remove()
    if "--json" in sys.argv:
        print(json.dumps(told, indent=2))


main()
