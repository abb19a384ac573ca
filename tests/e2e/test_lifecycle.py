"""Pending requests, retrieval, edits in the directory, restarts, kill -9."""
import multiprocessing
import os
import signal
import types

import pytest
from cryptography import x509

import conftest
import harness
import icpr
import pkcs10

TEMPLATE = "CertificateTemplate:IntunePKCS"


def connector(server, account="PFXCONN01$"):
    return icpr.Client(server, account, harness.PASSWORDS[account])


@pytest.fixture
def server(fresh):
    made = fresh()
    conftest.publish_how_to(made)
    return made


def test_pending_issued_retrieved(server):
    server.ctl("template", "set", "IntunePKCS", "--manager-approval", "yes")
    with connector(server) as c:
        answer = c.request(pkcs10.csr(), TEMPLATE)
        assert answer.disposition == icpr.CR_DISP_UNDER_SUBMISSION and answer.message == "Taken Under Submission"
        again = c.retrieve(answer.request_id)
        assert again.disposition == icpr.CR_DISP_UNDER_SUBMISSION and again.certificate == b""
        server.ctl("request", "issue", str(answer.request_id))
        final = c.retrieve(answer.request_id)
        assert final.disposition == icpr.CR_DISP_ISSUED and final.request_id == answer.request_id
        x509.load_der_x509_certificate(final.certificate)


def test_pending_denied(server):
    server.ctl("template", "set", "IntunePKCS", "--manager-approval", "yes")
    with connector(server) as c:
        answer = c.request(pkcs10.csr(), TEMPLATE)
        server.ctl("request", "deny", str(answer.request_id))
        final = c.retrieve(answer.request_id)
        assert final.disposition == icpr.CR_DISP_DENIED and final.code == 0x80094014
        assert final.message.startswith("Denied by ")
        server.ctl("request", "issue", str(answer.request_id), code=0)  # a CA administrator may still issue it
        assert c.retrieve(answer.request_id).disposition == icpr.CR_DISP_ISSUED


def test_retrieve_unknown(server):
    with connector(server) as c:
        assert c.retrieve(4711).code == 0x80094004  # CERTSRV_E_PROPERTY_EMPTY
        assert c.retrieve(0).code == 0x80070057


def test_an_edit_governs_the_next_request(server):
    """200 edits by ldapmodify, each followed by a request without any wait."""
    dn = server.template_dn("IntunePKCS")
    with connector(server) as c:
        for i in range(200):
            bits = 2048 if i % 2 == 0 else 4096
            server.ldapmodify(f"dn: {dn}\nchangetype: modify\nreplace: msPKI-Minimal-Key-Size\n"
                              f"msPKI-Minimal-Key-Size: {bits}\n")
            answer = c.request(pkcs10.csr(), TEMPLATE)
            assert answer.disposition == (icpr.CR_DISP_ISSUED if bits == 2048 else 0x80094811), f"edit {i}"


def test_publication_governs_the_next_request(server):
    with connector(server) as c:
        for _ in range(5):
            server.ctl("ca", "unpublish", "IntunePKCS")
            assert c.request(pkcs10.csr(), TEMPLATE).disposition == 0x80094800
            server.ctl("ca", "publish", "IntunePKCS")
            assert c.request(pkcs10.csr(), TEMPLATE).disposition == icpr.CR_DISP_ISSUED


def test_restart_keeps_everything(server):
    with connector(server) as c:
        before = c.request(pkcs10.csr(), TEMPLATE)
    assert server.stop() == 0
    server.start()
    with connector(server) as c:
        again = c.retrieve(before.request_id)
        assert again.certificate == before.certificate
        after = c.request(pkcs10.csr(), TEMPLATE)
    assert after.request_id == before.request_id + 1
    serials = {x509.load_der_x509_certificate(a.certificate).serial_number for a in (before, after)}
    assert len(serials) == 2


def enroll_until_it_breaks(ready, queue):
    """A client that keeps its own list of what it was given."""
    server = types.SimpleNamespace(address=ready["address"], object_port=ready["ports"]["object"])
    given = []
    try:
        with connector(server) as c:
            while True:
                answer = c.request(pkcs10.csr(), TEMPLATE)
                if answer.disposition == icpr.CR_DISP_ISSUED:
                    serial = x509.load_der_x509_certificate(answer.certificate).serial_number
                    given.append((answer.request_id, serial))
                    queue.put(len(given))
    except Exception:  # the server was killed
        pass
    queue.put(given)


def test_kill_9_under_load(server):
    """No acknowledged certificate is lost, no serial number or request id comes twice."""
    pkcs10.csr()  # the key is made before the fork
    known = {}
    for _ in range(3):
        queues = [multiprocessing.Queue() for _ in range(4)]
        clients = [multiprocessing.Process(target=enroll_until_it_breaks, args=(server.ready, q)) for q in queues]
        for p in clients:
            p.start()
        for q in queues:  # each has at least 20 before the kill
            while q.get(timeout=60) != 20:
                pass
        os.kill(server.process.pid, signal.SIGKILL)
        server.kill()
        for q in queues:
            item = q.get(timeout=60)
            while not isinstance(item, list):
                item = q.get(timeout=60)
            assert len(item) >= 20
            for request_id, serial in item:
                assert request_id not in known, "a request id was used twice"
                assert serial not in known.values(), "a serial number was used twice"
                known[request_id] = serial
        for p in clients:
            p.join(timeout=60)
        server.start()
        with connector(server) as c:
            for request_id, serial in known.items():
                answer = c.retrieve(request_id)
                assert answer.disposition == icpr.CR_DISP_ISSUED, f"request {request_id} is lost"
                assert x509.load_der_x509_certificate(answer.certificate).serial_number == serial
    with connector(server) as c:
        assert c.request(pkcs10.csr(), TEMPLATE).request_id not in known


def test_no_orphan_slapd_after_kill_9(server):
    def slapds():
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as f:
                    line = f.read()
            except OSError:
                continue
            if b"slapd" in line and server.state.encode() in line:
                found.append(pid)
        return found

    assert len(slapds()) == 1
    server.kill()
    server.start()  # takes the lock, which the old slapd held: it is gone
    assert len(slapds()) == 1


def test_two_servers_never_share_a_state(server):
    import subprocess
    done = subprocess.run(server.command(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 69 and "in use" in done.stderr
