"""adcsctl as a client of a CA: enroll over RPC, every way to authenticate, and what it says when the CA says no."""
import json
import os
import resource
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from impacket.ntlm import compute_nthash

import harness
import pkcs10


def adcsctl(*args, password="Jane-Passw0rd", code=0):
    env = {**os.environ, "ADCSD_PASSWORD": password}
    env.pop("ADCSD_STATE", None)
    done = subprocess.run([str(harness.BUILD / "adcsctl"), "--json", *args], capture_output=True, text=True, timeout=60,
                          env=env, check=False)
    assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


def config(server):
    return f"{server.address}:{server.epm_port}\\{harness.CA_NAME}"


def enroll(server, *args, user="CORP\\janedoe", **kwargs):
    return adcsctl("--config", config(server), "--user", user, "enroll", *args, **kwargs)


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
@pytest.mark.parametrize("key", ["rsa:2048", "rsa:3072"])
def test_new_key(how_to, tmp_path, auth, key):
    pem = tmp_path / "key.pem"
    answer = enroll(how_to, "--auth", auth, "--template", "User", "--key", key, "--out-key", str(pem))
    certificate = x509.load_pem_x509_certificate(answer["certificate"].encode())
    assert answer["disposition"] == "issued" and answer["message"] == "Issued"
    assert certificate.public_key().key_size == int(key.split(":")[1])
    assert pem.stat().st_mode & 0o777 == 0o600
    # OpenSSL agrees that key and certificate belong together
    public = subprocess.run(["openssl", "pkey", "-in", str(pem), "-pubout"], capture_output=True, check=True).stdout
    asked = subprocess.run(["openssl", "x509", "-pubkey", "-noout"], input=answer["certificate"].encode(),
                           capture_output=True, check=True).stdout
    assert public == asked


def test_request_that_openssl_reads(how_to, tmp_path):
    """Subject, names and an elliptic key: the CA verifies the signature, OpenSSL reads the certificate."""
    answer = enroll(how_to, "--template", "IntunePKCS", "--subject", "CN=device,O=Contoso", "--san",
                    "dns:device.contoso.com,upn:janedoe@contoso.com", "--key", "rsa:2048", "--out-key",
                    str(tmp_path / "k"), user="CORP\\PFXCONN01$", password=harness.PASSWORDS["PFXCONN01$"])
    certificate = x509.load_pem_x509_certificate(answer["certificate"].encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["device.contoso.com"]
    assert certificate.subject.rfc4514_string() in ("CN=device,O=Contoso", "O=Contoso,CN=device")
    assert isinstance(certificate.signature_hash_algorithm, hashes.SHA256)


def test_retrieve_and_files(how_to, tmp_path):
    csr = tmp_path / "request.pem"
    csr.write_bytes(pkcs10.pem(pkcs10.csr()))
    first = enroll(how_to, "--template", "User", "--csr", str(csr))
    again = enroll(how_to, "--retrieve", str(first["requestId"]), "--out", str(tmp_path / "c.pem"), "--out-chain",
                   str(tmp_path / "c.p7b"))
    assert again["certificate"] == first["certificate"] == (tmp_path / "c.pem").read_text()
    listed = subprocess.run(["openssl", "pkcs7", "-inform", "DER", "-in", str(tmp_path / "c.p7b"), "-print_certs", "-noout"],
                            capture_output=True, text=True, check=True).stdout
    assert harness.CA_NAME in listed


def test_pending_then_poll(fresh, tmp_path):
    server = fresh()
    server.ctl("template", "duplicate", "User", "--display-name", "Slow", "--subject", "request", "--manager-approval", "yes")
    server.ctl("template", "acl", "grant", "Slow", "CORP\\janedoe", "Read", "Enroll")
    server.ctl("ca", "publish", "Slow")
    answer = enroll(server, "--template", "Slow", "--subject", "CN=x", "--out-key", str(tmp_path / "k"), code=3)
    number = str(answer["requestId"])
    assert answer["disposition"] == "under submission" and answer["message"] == "Taken Under Submission"
    with subprocess.Popen([str(harness.BUILD / "adcsctl"), "--config", config(server), "--user", "CORP\\janedoe", "enroll",
                           "--poll", number, "--interval", "1", "--out", str(tmp_path / "c.pem")],
                          env={**os.environ, "ADCSD_PASSWORD": "Jane-Passw0rd"}, stdout=subprocess.PIPE, text=True) as poll:
        server.ctl("request", "issue", number)
        assert poll.wait(30) == 0
        assert f"RequestId: {number}\nDisposition: issued" in poll.stdout.read()
    x509.load_pem_x509_certificate((tmp_path / "c.pem").read_bytes())


def test_denied(how_to, tmp_path):
    answer = enroll(how_to, "--template", "SubCA", "--out-key", str(tmp_path / "k"), code=4)
    assert "CERTSRV_E_TEMPLATE_DENIED" in answer["hr"] and "Denied by Policy Module" in answer["message"]
    assert answer["requestId"] > 0
    answer = enroll(how_to, "--template", "NoSuch", "--out-key", str(tmp_path / "k2"), code=4)
    assert "CERTSRV_E_UNSUPPORTED_CERT_TYPE" in answer["hr"]


@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
@pytest.mark.parametrize("level", ["connect", "privacy"])
def test_wrong_password(how_to, auth, level):
    answer = enroll(how_to, "--auth", auth, "--level", level, "--retrieve", "1", password="wrong", code=1)
    assert "E_ACCESSDENIED" in answer["error"]["hr"]


@pytest.mark.parametrize("level", ["none", "connect", "packet", "integrity"])
@pytest.mark.parametrize("auth", ["ntlm", "negotiate"])
def test_levels_below_privacy(how_to, auth, level):
    """The CA itself refuses, in its answer: every level below was agreed, and its messages were right."""
    answer = enroll(how_to, "--auth", auth, "--level", level, "--retrieve", "1", code=1)
    assert "E_ACCESSDENIED" in answer["hr"]


def test_hash_and_upn(how_to):
    number = enroll(how_to, "--template", "User", "--csr", "-", code=1)["error"]
    assert "CRYPT_E" in number["hr"]  # standard input is empty
    for user in ("CORP\\janedoe", "janedoe@contoso.com", "janedoe"):
        answer = enroll(how_to, "--hash", compute_nthash("Jane-Passw0rd").hex(), "--retrieve", "99999", user=user, code=1)
        assert "error" not in answer and answer["disposition"] == "error"


def test_password_file(how_to, tmp_path):
    (tmp_path / "p").write_text("Jane-Passw0rd\n")
    answer = enroll(how_to, "--password-file", str(tmp_path / "p"), "--template", "User", "--out-key", str(tmp_path / "k"),
                    password="not this one")
    assert answer["disposition"] == "issued"


def test_nobody_there():
    for where, hr in (("127.0.0.1:1\\x", "E_RPC_SERVER_UNAVAILABLE"), ("nohost.invalid\\x", "E_RPC_SERVER_UNAVAILABLE"),
                      ("no-backslash", "E_INVALIDARG")):
        answer = adcsctl("--config", where, "--user", "a", "enroll", "--retrieve", "1", code=1)
        assert hr in answer["error"]["hr"]


def test_local_server(how_to):
    """Without --config: the CA of --state."""
    answer = adcsctl("--state", how_to.state, "--user", "CORP\\janedoe", "enroll", "--retrieve", "99999", code=1)
    assert answer["disposition"] == "error"


def test_existing_key_stays(how_to, tmp_path):
    (tmp_path / "k").write_text("precious")
    answer = enroll(how_to, "--template", "User", "--out-key", str(tmp_path / "k"), code=1)
    assert "E_ALREADY_EXISTS" in answer["error"]["hr"] and (tmp_path / "k").read_text() == "precious"


# ---- bench ----

def test_bench(fresh, tmp_path):
    """What it counts is what the CA's database holds; two accounts take turns."""
    server = fresh()
    server.ctl("template", "duplicate", "User", "--display-name", "Bench", "--subject", "request")
    server.ctl("ca", "publish", "Bench")
    (tmp_path / "who").write_text("CORP\\janedoe:Jane-Passw0rd\nCORP\\bob:Bob-Passw0rd\n")
    told = adcsctl("--state", server.state, "--user", "CORP\\janedoe", "bench", "--template", "Bench", "--requests", "40", "--warm-up", "2",
                   "--connections", "5", "--csrs", "3", "--principals", str(tmp_path / "who"), "--calls", "20", "--idle", "20")
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
    assert told["residentKiBWithIdle"] - told["residentKiB"] < 5000 * 32
