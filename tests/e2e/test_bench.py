"""adcsctl bench: what it counts is true, what fails is told, and the server bears thousands of connections."""
import os
import resource

import pytest

import harness
from test_client import adcsctl


@pytest.mark.parametrize("transport", ["icpr", "dcom"])
def test_bench(fresh, tmp_path, transport):
    """What it counts is what the CA's database holds; two accounts take turns."""
    server = fresh()
    server.ctl("template", "duplicate", "User", "--display-name", "Bench", "--subject", "request")
    server.ctl("ca", "publish", "Bench")
    (tmp_path / "who").write_text("CORP\\janedoe:Jane-Passw0rd\nCORP\\bob:Bob-Passw0rd\n")
    told = adcsctl("--state", server.state, "--user", "CORP\\janedoe", "bench", "--template", "Bench", "--requests", "40",
                   "--warm-up", "2", "--connections", "5", "--csrs", "3", "--principals", str(tmp_path / "who"), "--calls", "20", "--idle", "20",
                   "--transport", transport, "--activations", "5")
    assert told["transport"] == transport and told["activationsPerSecond"] > 0
    assert (told["certificates"], told["failed"], told["principals"], told["idleConnections"]) == (40, 0, 2, 20)
    assert 0 < told["p50Ms"] <= told["p99Ms"] and told["certificatesPerSecond"] > 0 and told["callsPerSecond"] > 0
    rows = server.json("request", "list", "--state", "issued")["requests"]
    assert len(rows) == 42 and {row["requester"] for row in rows} == {"CORP\\janedoe", "CORP\\bob"}


def test_bench_says_what_failed(how_to):
    told = adcsctl("--state", how_to.state, "--user", "CORP\\janedoe", "bench", "--requests", "4", "--warm-up", "0",
                   "--template", "SubCA", "--csrs", "1", code=1)
    assert "CERTSRV_E_TEMPLATE_DENIED" in told["error"]["hr"]


def test_five_thousand_idle_connections(fresh):
    """adcsd raises its own descriptor limit, and goes on serving."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert hard >= 6000 or os.geteuid() == 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 1024), hard))
    try:
        server = fresh()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    told = adcsctl("--state", server.state, "--user", "CORP\\janedoe", "bench", "--requests", "10", "--warm-up", "0",
                   "--csrs", "1", "--idle", "5000")
    assert told["idleConnections"] == 5000 and told["certificates"] == 10
    instrumented = b"__asan_init" in (harness.BUILD / "adcsd").read_bytes()  # whose red zones are larger than what they guard
    assert told["residentKiBWithIdle"] - told["residentKiB"] < 5000 * (256 if instrumented else 32)
