"""At least 45 distinct HRESULTs, each reached by an independent client: code on the wire, row of the database, disposition text."""
import tempfile

import pytest

import harness
import hresult_cases
import icpr
from hresult_cases import CASES, DENIED_ROW, NO_ROW

LEAST = 45
reached = set()


@pytest.fixture(scope="module")
def world():
    with tempfile.TemporaryDirectory() as folder:
        made = hresult_cases.World(folder)
        yield made
        made.close()


def run(world, case):
    server_rows = {server.state: set(hresult_cases.rows(server)) for server in world.servers}
    seen = case.run(world)
    answer, server = seen.answer, seen.server
    rows = hresult_cases.rows(server)
    told = {answer.code, answer.disposition}
    assert case.code in told, f"{', '.join(f'0x{c:08x}' for c in told)}: {answer.message}"
    assert answer.certificate == b"" and answer.message == case.message()
    if case.how == NO_ROW:
        assert answer.request_id not in rows, "a refusal before parsing made a row"
        assert set(rows) == server_rows.get(server.state, set())
    elif case.how == DENIED_ROW:
        assert answer.disposition == icpr.CR_DISP_DENIED and answer.code == case.code
        assert rows[answer.request_id][:2] == (hresult_cases.DENIED, case.code)
    else:
        assert answer.code == 0 and answer.disposition == case.code
        assert rows[answer.request_id] == (case.disposition(), case.code, case.message())
    reached.add(case.code)


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.code:08X}-{c.name}")
def test_hresult(world, case):
    run(world, case)


def test_count(world, record_summary):
    """Also when it runs alone."""
    for case in CASES:
        if case.code not in reached:
            run(world, case)
    assert len(reached) == len(CASES), "one HRESULT, one case"
    record_summary(f"HRESULTs reached: {len(reached)}")
    assert len(reached) >= LEAST


def test_the_list_in_doc_is_true():
    told = (harness.ROOT / "doc/hresults.md").read_text()
    assert told == hresult_cases.document(), "python3 tests/e2e/hresult_cases.py > doc/hresults.md"
