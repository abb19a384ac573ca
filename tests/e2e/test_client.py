"""adcsctl as a client of a CA: enroll over RPC, every way to authenticate, and what it says when the CA says no."""
import json
import os
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


@pytest.fixture(params=["dcom", "icpr"], autouse=True)
def transport(request):
    """Every test over both."""
    enroll.transport = request.param


def enroll(server, *args, user="CORP\\janedoe", **kwargs):
    return adcsctl("--config", config(server), "--user", user, "enroll", "--transport", enroll.transport, *args, **kwargs)


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
    """
    ICertPassage: the CA itself refuses, in its answer: every level below was agreed, and its messages were right. DCOM: the
    object's exporter hints at privacy, and the client obeys; without authentication nobody activates anything.
    """
    if enroll.transport == "icpr":
        assert "E_ACCESSDENIED" in enroll(how_to, "--auth", auth, "--level", level, "--retrieve", "1", code=1)["hr"]
    elif level == "none":
        answer = enroll(how_to, "--level", level, "--retrieve", "1", code=1)
        assert "E_ACCESSDENIED" in answer["error"]["hr"]
    else:
        answer = enroll(how_to, "--auth", auth, "--level", level, "--retrieve", "99999", code=1)
        assert "CERTSRV_E_PROPERTY_EMPTY" in answer["hr"]


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


def test_answer_is_lost(how_to, tmp_path):
    """Nobody knows then whether the call was done, which the code says: the certificate is in the database."""
    method = "ICertPassage" if enroll.transport == "icpr" else "ICertRequestD"
    before = len(how_to.json("request", "list")["requests"])
    how_to.json("fault", "add", method, "drop-answer", "--times", "1")
    error = enroll(how_to, "--template", "User", "--out-key", str(tmp_path / "k"), code=1)["error"]
    assert error["name"] == "E_RPC_CALL_FAILED" and "has closed the connection" in error["message"]
    assert len(how_to.json("request", "list")["requests"]) == before + 1


def test_local_server(how_to):
    """Without --config: the CA of --state."""
    answer = adcsctl("--state", how_to.state, "--user", "CORP\\janedoe", "enroll", "--retrieve", "99999", code=1)
    assert answer["disposition"] == "error"


def test_existing_key_stays(how_to, tmp_path):
    (tmp_path / "k").write_text("precious")
    answer = enroll(how_to, "--template", "User", "--out-key", str(tmp_path / "k"), code=1)
    assert "E_ALREADY_EXISTS" in answer["error"]["hr"] and (tmp_path / "k").read_text() == "precious"


# ---- other verbs with --config ----

def test_ca_over_rpc(how_to, tmp_path, transport):
    del transport
    asked = ["--config", config(how_to), "--user", "CORP\\janedoe"]
    local = how_to.json("ca", "show")
    told = adcsctl(*asked, "ca", "show")
    assert told["name"] == harness.CA_NAME and told["dnsName"] == "ca01.corp.contoso.com" and "parent" not in told
    assert "IntunePKCS" in told["templates"] and sorted(told["templates"]) == sorted(names_of(local))
    assert adcsctl(*asked, "ca", "cert")["der"] == how_to.json("ca", "cert")["der"]
    assert adcsctl(*asked, "crl", "get")["der"] == how_to.json("crl", "get")["der"]
    assert adcsctl(*asked, "crl", "get", "--delta")["der"] == how_to.json("crl", "get", "--delta")["der"]


def names_of(shown):
    return [t["name"] if isinstance(t, dict) else t for t in shown["templates"]]


def test_verbs_that_need_the_server_itself(how_to):
    """Never by mistake on the CA of --state."""
    done = subprocess.run([str(harness.BUILD / "adcsctl"), "--state", how_to.state, "--config", config(how_to), "request",
                           "explain", "1"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2 and "does not take --config" in done.stderr and done.stdout == ""


def test_officer_over_rpc(fresh, tmp_path, transport):
    """A request that waits is issued, another denied, over ICertAdminD2; who is no officer is refused."""
    del transport
    server = fresh()
    server.ctl("template", "duplicate", "User", "--display-name", "Slow", "--subject", "request", "--manager-approval", "yes")
    server.ctl("ca", "publish", "Slow")
    numbers = [str(enroll(server, "--template", "Slow", "--subject", "CN=x", "--out-key", str(tmp_path / f"k{i}"), code=3)
                   ["requestId"]) for i in range(2)]
    asked = ["--config", config(server), "--user"]
    told = adcsctl(*asked, "CORP\\janedoe", "request", "issue", numbers[0], code=1)
    assert "E_ACCESSDENIED" in told["error"]["hr"]
    officer = [*asked, "CORP\\Administrator"]
    password = harness.PASSWORDS["Administrator"]
    assert adcsctl(*officer, "request", "issue", numbers[0], password=password)["disposition"] == "issued"
    adcsctl(*officer, "request", "deny", numbers[1], password=password)
    states = {str(r["id"]): r["state"] for r in server.json("request", "list")["requests"]}
    assert states[numbers[0]] == "issued" and states[numbers[1]] == "denied"
