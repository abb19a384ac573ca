"""A seed makes two runs issue byte-identical certificates."""
import concurrent.futures

import pytest

import harness
import icpr
import pkcs10

START = "2026-06-01T12:00:00Z"


def run(fresh, tmp_path, key):
    """8 connections; request k is sent when k-1 has been admitted, so ids have a fixed order while work overlaps."""
    config = tmp_path / f"{key}.ini"
    config.write_text(f"[CA]\nCommonName = {harness.CA_NAME}\nKeyType = {key}\n")
    server = fresh("--config", str(config), "--seed", "42", "--clock", START)
    clients = [icpr.Client(server, "Administrator", harness.PASSWORDS["Administrator"]) for _ in range(8)]
    found = {}
    for _ in range(3):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            base = server.json("server", "stats")["ca"]["admitted"]
            waiting = []
            for number, client in enumerate(clients):
                stub = icpr.request_stub(0, harness.CA_NAME, 0, "CertificateTemplate:WebServer",
                                         pkcs10.csr(name=pkcs10.subject(cn=f"device {number}")))
                client.dce.call(0, stub)
                while server.json("server", "stats")["ca"]["admitted"] <= base + number:
                    pass
                waiting.append(pool.submit(lambda c: icpr.read_response(c.dce.recv()), client))
            for answer in (w.result() for w in waiting):
                assert answer.disposition == icpr.CR_DISP_ISSUED
                found[answer.request_id] = answer.certificate
    for client in clients:
        client.close()
    return server.ctl("ca", "cert"), found


@pytest.mark.parametrize("key", ["RSA-2048", "P-256"])
def test_two_runs_are_identical(fresh, tmp_path, key):
    first, second = run(fresh, tmp_path, key), run(fresh, tmp_path, key)
    assert first[0] == second[0], "the CA certificates differ"
    assert sorted(first[1]) == list(range(1, 25)) and first[1] == second[1]
