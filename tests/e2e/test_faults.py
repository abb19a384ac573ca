"""Faults on request: each row of doc/faults.md is brought about and met by an independent client; rules, counts and times."""
import json
import shlex
import time

import pytest

import conftest
import dcom
import fault_cases
import harness
import icpr
import pkcs10
from test_ctl import run
from test_hresults import CASES as HRESULTS


@pytest.fixture(scope="module")
def server():
    made = harness.Server().start()
    conftest.publish_how_to(made)
    yield made
    made.remove()


def requests(server):
    return len(server.json("request", "list", "--limit", "1000")["requests"])


@pytest.mark.parametrize("case", fault_cases.CASES, ids=lambda c: f"{c.number}-{c.what}")
def test_case(server, fresh, case):
    where = fresh() if case.alone else server
    before = requests(where)

    def provoke():
        for command in case.provoke:
            where.ctl(*shlex.split(command))

    try:
        assert case.client(where, provoke) == case.seen
        assert requests(where) == before + case.rows
    finally:
        for command in ["fault clear", *case.undo]:
            where.ctl(*shlex.split(command))
    if not case.alone:
        well_again(where)


def well_again(server):
    """At once; a directory that was down takes the time of its start."""
    deadline = time.monotonic() + 60
    while (seen := fault_cases.passage()(server, lambda: None)) != "issued":
        assert seen == "fault 0x00000005" and "suspended on request" in server.log() and time.monotonic() < deadline


def test_the_page_is_true():
    assert (harness.ROOT / "doc/faults.md").read_text() == fault_cases.document(), "python3 tests/e2e/fault_cases.py > doc/faults.md"
    assert set(fault_cases.BY_REQUEST.values()) <= {c.code for c in HRESULTS}


# ---- rules ----

def test_refused_rules(server):
    for args, says in [
            (["ICertPassage", "explode"], "is nothing that can go wrong"), (["ICertPassage", "down"], "down cannot happen at"),
            (["Nowhere", "drop-call"], "'fault points' lists them"), (["ICertPassage.Nothing", "drop-call"], "has no method 'Nothing'"),
            (["rpc", "hresult"], "hresult needs CODE"), (["rpc", "hresult", "0"], "is no code"), (["rpc", "delay", "2"], "is no time"),
            (["directory", "down", "--times", "1"], "is a state"), (["http", "status", "503", "--as", "CORP\\bob"], "RPC calls")]:
        done = run(server, "fault", "add", *args)
        assert done.returncode == 1 and says in done.stderr, done
    assert run(server, "fault", "add", "rpc", "drop-call", "--for", "soon").returncode == 2
    assert run(server, "fault", "clear", "999").returncode == 1
    assert server.json("fault", "list") == []


def test_every_point_can_be_named(server):
    points = server.json("fault", "points")
    assert {"rpc", "ICertPassage.CertServerRequest", "ICertRequestD2.Request2", "ICertAdminD2.GetMyRoles", "epm.ept_map",
            "IRemoteSCMActivator.RemoteCreateInstance", "port.epm", "http", "database", "directory"} <= {p["point"] for p in points}
    assert len({p["point"] for p in points}) == len(points)
    for point in points:
        if not point["point"].startswith(("port", "directory", "database")):
            action = point["actions"][0]
            value = {"CODE": ["5"], "NUMBER": ["503"]}[action["value"]]
            number = server.json("fault", "add", point["point"], action["action"], *value)["id"]
            server.ctl("fault", "clear", str(number))


def test_counts_and_journal(server):
    before = max((r["id"] for r in server.json("journal")["records"]), default=0)
    server.ctl("fault", "add", "ICertPassage", "hresult", "E_ACCESSDENIED", "--as", "CORP\\janedoe", "--skip", "1", "--times", "1")
    assert fault_cases.thrice(server, lambda: None) == "issued, 0x80070005, issued"
    rule, = server.json("fault", "list")
    assert (rule["seen"], rule["met"], rule["as"], rule["value"]) == (3, 1, "CORP\\janedoe", "0x80070005")
    server.ctl("fault", "clear", str(rule["id"]))
    told = [r for r in server.json("journal", "--after", str(before))["records"] if "fault-on-request" in json.dumps(r)]
    assert len(told) == 1 and "CORP\\\\janedoe" in json.dumps(told[0]) and f"fault {rule['id']}: hresult" in json.dumps(told[0])


def test_it_ends_by_itself(server):
    server.ctl("fault", "add", "port.http", "refuse", "--for", "1s")
    deadline = time.monotonic() + 60
    while server.json("fault", "list"):
        assert time.monotonic() < deadline
    assert fault_cases.crl(server, lambda: None) == "HTTP 200"


def test_it_ends_with_the_server(fresh):
    server = fresh()
    server.ctl("fault", "add", "ICertPassage", "delay", "3600s")
    server.ctl("fault", "add", "directory", "down")
    server.ctl("fault", "add", "port.epm", "hang")
    assert server.stop() == 0
    server.start()
    assert server.json("fault", "list") == [] and fault_cases.passage()(server, lambda: None) == "issued"


def test_a_call_that_waits_ends_with_the_server(fresh):
    """And with its client, whoever is first."""
    server = fresh()
    server.ctl("fault", "add", "ICertPassage", "delay", "3600s")
    request = icpr.request_stub(0, harness.CA_NAME, 0, "CertificateTemplate:User", pkcs10.csr())
    clients = [icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) for _ in range(2)]
    for c in clients:
        c.dce.call(0, request)
    while server.json("fault", "list")[0]["met"] < 2:
        pass
    clients[0].dce.disconnect()
    assert server.stop() == 0
    clients[1].dce.disconnect()


def test_a_point_means_the_derived_interface_too(server):
    """ICertRequestD's methods are called on ICertRequestD2 as well, where Request2 is its own."""
    server.ctl("fault", "add", "ICertRequestD.Request", "hresult", "E_ACCESSDENIED")
    try:
        with dcom.Connection(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
            i = c.activate(iid=dcom.IID_ICertRequestD2)
            request = pkcs10.csr(), "CertificateTemplate:User", server.ready["ca"]
            assert c.submit(i, *request, iid=dcom.IID_ICertRequestD2).code == 0x80070005
            assert c.submit2(i, *request).disposition == icpr.CR_DISP_ISSUED
    finally:
        server.ctl("fault", "clear")
