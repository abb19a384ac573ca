"""Key archival over ICertAdminD2 with impacket's runtime: agents set, keys fetched and imported (MS-CSRA 3.1.4.2.3, .9, .16)."""
import hashlib
import json
import pathlib
import struct
import subprocess

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

import harness
import icertadmind
import icpr
import pkcs10
import signed_requests as sr
import test_archival as archival
from test_admin_d import Session

INVALID, DENIED, NOT_FOUND, EMPTY = 0x80070057, 0x80070005, 0x80070002, 0x80094004
USED, COUNT, CERT, STATE = 0x18, 0x19, 0x1A, 0x1B
EXCHANGE_COUNT, EXCHANGE, EXCHANGE_CHAIN = 0x0E, 0x0F, 0x10
LONG, BINARY = 1, 3
OVERWRITE = 0x10000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Agents are enrolled, none is on the CA's list yet; bob is an officer, svc-pfx reads."""
    made = harness.Server().start()
    for name, options in (("Archive", ["--archive-key", "yes"]), ("Plain", [])):
        made.ctl("template", "duplicate", "User", "--display-name", name, "--subject", "request", "--minimum-key-size", "2048",
                 *options)
        made.ctl("template", "acl", "grant", name, "CORP\\PFXCONN01$", "Read", "Enroll")
    made.ctl("ca", "publish", "Archive", "Plain", "KeyRecoveryAgent")
    made.ctl("template", "acl", "grant", "KeyRecoveryAgent", "CORP\\janedoe", "Read", "Enroll")
    made.ctl("ca", "acl", "grant", "CORP\\bob", "IssueAndManageCertificates")
    made.ctl("ca", "acl", "grant", "CORP\\svc-pfx", "Read")
    tmp = tmp_path_factory.mktemp("agents")
    made.agents = [archival.agent(made, tmp, n) for n in (11, 12)]
    made.der = [x509.load_pem_x509_certificate(c.read_bytes()).public_bytes(Encoding.DER) for c, _, _ in made.agents]
    yield made
    made.remove()


def put(a, prop, kind, value, index=0):
    value = struct.pack("<L", value) if kind == LONG else value
    return a.call("SetCAProperty", PropId=prop, PropIndex=index, PropType=kind, pctbPropertyValue=value)[0]


def get(a, prop, kind, index=0):
    code, r = a.call("GetCAProperty", PropId=prop, PropIndex=index, PropType=kind)
    return code, icertadmind.octets(r["pctbPropertyValue"])


def counts(a):
    """Used and registered, of CAINFO (MS-WCCE 2.2.2.4), which both properties give."""
    for prop in (USED, COUNT):
        code, value = get(a, prop, LONG)
        assert code == 0 and len(value) == 40
    fields = struct.unpack("<10L", value)
    return fields[7], fields[8]


def set_agents(a, server, n=2, used=1):
    for i, der in enumerate(server.der[:n]):
        assert put(a, CERT, BINARY, der, i) == 0
    assert put(a, USED, LONG, used) == 0


def sealed(server, key=archival.USER):
    return archival.envelope(archival.blob(key), archival.exchange(server))


def issue(server, key=archival.USER, template="CertificateTemplate:Archive"):
    request = archival.archival(key, sealed(server, key)) if "Archive" in template else sr.request(key)
    answer = archival.ask(server, request, template=template)
    assert answer.disposition == icpr.CR_DISP_ISSUED, answer.message
    return answer


def recovered(server, tmp_path, blob, agents):
    """By OpenSSL: the CA's signature, then the envelope with the key of whichever agent it is for."""
    p7, inner, ca = tmp_path / "blob.p7", tmp_path / "inner.der", tmp_path / "ca.pem"
    p7.write_bytes(blob)
    ca.write_text(server.ctl("ca", "cert"))
    subprocess.run(["openssl", "cms", "-verify", "-inform", "DER", "-in", p7, "-CAfile", ca, "-purpose", "any", "-binary",
                    "-out", inner], check=True, capture_output=True)
    out = []
    for cert, pem, _ in agents:
        done = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "DER", "-in", inner, "-recip", cert, "-inkey", pem,
                               "-binary"], check=False, capture_output=True)
        if done.returncode == 0:
            out.append(done.stdout)
    return out


def test_agents_are_set_and_read(server):
    with Session(server) as a:
        assert counts(a) == (0, 0)
        assert get(a, CERT, BINARY)[0] != 0 and get(a, STATE, LONG)[0] != 0  # no index is valid
        assert put(a, USED, LONG, 1) == INVALID  # more than there are
        assert put(a, CERT, BINARY, server.der[0]) == 0
        assert put(a, CERT, BINARY, server.der[1], 1) == 0
        assert counts(a) == (0, 2)
        assert put(a, USED, LONG, 2) == 0
        assert counts(a) == (2, 2)
        assert [get(a, CERT, BINARY, i) for i in range(2)] == [(0, der) for der in server.der]
        assert get(a, STATE, LONG) == (0, b"\x03\x03")  # KRA_DISP_VALID
        assert get(a, CERT, BINARY, 2)[0] != 0
        assert [v["state"] for v in server.json("ca", "kra", "list")["agents"]] == ["valid", "valid"]

        # one out of two: the second takes the first's place, then the list is cut, as the console does
        assert put(a, CERT, BINARY, server.der[1], 0) == 0
        assert put(a, COUNT, LONG, 1) == 0
        assert counts(a) == (1, 1) and get(a, CERT, BINARY) == (0, server.der[1])
        set_agents(a, server)


@pytest.mark.parametrize("prop, kind, value, index", [
    (USED, LONG, 0, 0), (USED, LONG, 3, 0), (USED, LONG, 1, 1), (USED, BINARY, b"\1\0\0\0", 0), (COUNT, LONG, 2, 0),
    (COUNT, LONG, 9, 0), (COUNT, LONG, 1, 1), (COUNT, BINARY, b"\1\0\0\0", 0), (CERT, BINARY, b"", 0), (CERT, LONG, 1, 0),
    (STATE, LONG, 3, 0), (EXCHANGE, BINARY, b"0", 0), (EXCHANGE_COUNT, LONG, 1, 0)])
def test_what_cannot_be_set(server, prop, kind, value, index):
    with Session(server) as a:
        set_agents(a, server)
        assert put(a, prop, kind, value, index) == INVALID
        assert counts(a) == (1, 2)


def test_counts_of_another_length(server):
    with Session(server) as a:
        set_agents(a, server)
        for value in (b"", b"\1", b"\1\0\0", b"\1\0\0\0\0"):
            for prop in (USED, COUNT):
                assert a.call("SetCAProperty", PropId=prop, PropIndex=0, PropType=LONG, pctbPropertyValue=value)[0] == INVALID
        assert 0x80093100 <= put(a, CERT, BINARY, b"no certificate") <= 0x800931ff  # CRYPT_E_ASN1_*
        assert counts(a) == (1, 2) and get(a, CERT, BINARY) == (0, server.der[0])


def test_a_certificate_that_is_no_agents(server):
    """It can be set; its state says what it is worth, and nothing is archived for it."""
    plain = issue(server, template="CertificateTemplate:Plain").certificate
    with Session(server) as a:
        set_agents(a, server)
        assert put(a, CERT, BINARY, plain, 2) == 0
        assert get(a, STATE, LONG) == (0, b"\x03\x03\x05")  # KRA_DISP_INVALID
        assert put(a, USED, LONG, 3) == 0
        refused = archival.ask(server, archival.archival(archival.USER, sealed(server)))
        assert refused.disposition == 0x8009400B  # CERTSRV_E_NO_VALID_KRA
        assert put(a, COUNT, LONG, 2) == 0
        set_agents(a, server)


def test_exchange_certificate(server):
    with Session(server) as a:
        code, der = get(a, EXCHANGE, BINARY)
        assert code == 0 and x509.load_der_x509_certificate(der) == archival.exchange(server)
        code, chain = get(a, EXCHANGE_CHAIN, BINARY)
        content = cms.ContentInfo.load(chain)["content"]
        assert code == 0 and der in chain and len(content["signer_infos"]) == 0
        assert struct.unpack("<10L", get(a, EXCHANGE_COUNT, LONG)[1])[3] == 1


@pytest.mark.parametrize("used", [1, 2])
def test_get_archived_key(server, tmp_path, used):
    with Session(server) as a:
        set_agents(a, server, used=used)
        answer = issue(server)
    with Session(server, "bob") as a:
        code, r = a.call("GetArchivedKey", dwRequestId=answer.request_id)
    assert code == 0
    blob = icertadmind.octets(r["pctbArchivedKey"])
    assert recovered(server, tmp_path, blob, server.agents) == [archival.blob(archival.USER)] * used
    pems = [c.dump() for c in cms.ContentInfo.load(blob)["content"]["certificates"]]
    assert answer.certificate in pems or any(answer.certificate in p for p in pems)


def test_keys_that_are_not_there(server):
    with Session(server) as a:
        set_agents(a, server)
        plain, archived = issue(server, template="CertificateTemplate:Plain"), issue(server)
        for request in (plain.request_id, 99999, 0, 0xFFFFFFFF):
            code, r = a.call("GetArchivedKey", dwRequestId=request)
            assert (code, icertadmind.octets(r["pctbArchivedKey"])) == (EMPTY, b"")
        assert a.call("GetArchivedKey", dwRequestId=archived.request_id, pwszAuthority="Another CA")[0] == INVALID
        server.ctl("request", "revoke", str(archived.request_id))
        assert a.call("GetArchivedKey", dwRequestId=archived.request_id)[0] == EMPTY  # issued no more


def test_import_key(server, tmp_path):
    other = pkcs10.rsa_key(number=2)
    with Session(server) as a:
        set_agents(a, server)
    answer = issue(server, template="CertificateTemplate:Plain")
    sha1 = hashlib.sha1(answer.certificate).hexdigest()
    with Session(server, "bob") as a:
        def bring(request=0, digest=None, flags=0, key=None):
            named = {"pwszCertHash": digest} if digest is not None else {}
            return a.call("ImportKey", dwRequestId=request, dwFlags=flags, pctbKey=key or sealed(server), **named)[0]

        assert bring() == bring(0xFFFFFFFF) == INVALID  # nothing named
        assert bring(99999) == EMPTY
        assert bring(digest="00" * 20) == bring(digest="no hash") == INVALID
        assert bring(answer.request_id, key=sealed(server, other)) == INVALID  # another key
        assert bring(answer.request_id, key=b"no envelope") == 0x8009400C  # CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL
        assert a.call("GetArchivedKey", dwRequestId=answer.request_id)[0] == EMPTY
        assert bring(answer.request_id) == 0
        assert bring(answer.request_id) == INVALID  # one is there
        assert bring(answer.request_id, flags=1) == INVALID
        assert bring(answer.request_id, flags=OVERWRITE) == 0
        assert bring(digest=sha1, flags=OVERWRITE) == 0
        assert bring(99999, digest=" ".join(sha1[i:i + 2] for i in range(0, 40, 2)), flags=OVERWRITE) == 0  # the hash goes first
        code, r = a.call("GetArchivedKey", dwRequestId=answer.request_id)
    assert code == 0
    assert recovered(server, tmp_path, icertadmind.octets(r["pctbArchivedKey"]), server.agents) == [archival.blob(archival.USER)]


def test_rights(server):
    with Session(server) as a:
        set_agents(a, server)
    answer = issue(server)
    for account, calls in (("svc-pfx", ("GetArchivedKey", "ImportKey")), ("bob", ())):
        with Session(server, account) as a:
            for name in calls:
                assert a.call(name, dwRequestId=answer.request_id)[0] == DENIED
            for prop, kind, value in ((USED, LONG, 2), (COUNT, LONG, 1), (CERT, BINARY, server.der[1])):
                assert put(a, prop, kind, value) == DENIED
            assert counts(a) == (1, 2)
    with Session(server, "bob") as a:
        assert a.call("GetArchivedKey", dwRequestId=answer.request_id)[0] == 0
        assert a.call("GetArchivedKey", dwRequestId=99999)[0] == EMPTY
    lines = [json.loads(line) for line in (pathlib.Path(server.state) / "journal.jsonl").read_text().splitlines()]
    told = [(line["verdict"], line["caller"], line["request"]) for line in lines if line.get("operation") == "request.key"]
    assert told[-2:] == [("done", "CORP\\bob", answer.request_id), ("refused", "CORP\\bob", 99999)]


def test_a_rehearsal_takes_no_turn(server):
    """Two agents, one used: the turn moves with a request, not with a rehearsal of one."""
    def used():
        return server.json("request", "show", str(issue(server).request_id))["columns"]["Request.KeyRecoveryHashes"]

    with Session(server) as a:
        set_agents(a, server)
    first = used()
    second = used()
    assert first != second and used() == first
    request = archival.archival(archival.USER, sealed(server))
    done = subprocess.run([str(harness.BUILD / "adcsctl"), "--state", server.state, "--json", "rehearse", "--as",
                           "CORP\\PFXCONN01$", "--csr", "-", "--attrib", archival.TEMPLATE], input=request, capture_output=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert used() == second
