"""Key archival: Certipy's request, built here with cryptography and asn1crypto; recovered by OpenSSL and by adcsctl."""
import hashlib
import math
import os
import struct
import subprocess

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives import padding as block
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import (Encoding, NoEncryption, PrivateFormat, load_pem_private_key,
                                                          pkcs12)

import harness
import icpr
import pkcs10
import signed_requests as sr
from test_client import adcsctl, config

KEY_HASH, ENVELOPED = "1.3.6.1.4.1.311.21.21", "1.2.840.113549.1.7.3"
TEMPLATE, FULL_RESPONSE = "CertificateTemplate:Archive", 0x40000
USER = pkcs10.rsa_key(number=1)


def blob(key):
    """PRIVATEKEYBLOB, MS-WCCE 2.2.2.9.1."""
    n, pub = key.private_numbers(), key.private_numbers().public_numbers
    whole, half = math.ceil(key.key_size / 8), math.ceil(key.key_size / 16)
    return struct.pack("<BBHI4sII", 7, 2, 0, 0xA400, b"RSA2", key.key_size, pub.e) + b"".join(
        v.to_bytes(size, "little") for v, size in ((pub.n, whole), (n.p, half), (n.q, half), (n.dmp1, half),
                                                   (n.dmq1, half), (n.iqmp, half), (n.d, whole)))


def envelope(content, to, cipher="aes256_cbc"):
    key, iv, algorithm = {"aes256_cbc": (os.urandom(32), os.urandom(16), algorithms.AES),
                          "tripledes_3key": (os.urandom(24), os.urandom(8), algorithms.TripleDES)}[cipher]
    pad = block.PKCS7(8 * len(iv)).padder()
    enc = Cipher(algorithm(key), modes.CBC(iv)).encryptor()
    data = enc.update(pad.update(content) + pad.finalize()) + enc.finalize()
    recipient = {"version": 0, "rid": cms.RecipientIdentifier({"issuer_and_serial_number": {
        "issuer": cms.Name.load(to.issuer.public_bytes()), "serial_number": to.serial_number}}),
        "key_encryption_algorithm": {"algorithm": "rsaes_pkcs1v15"},
        "encrypted_key": to.public_key().encrypt(key, padding.PKCS1v15())}
    return cms.ContentInfo({"content_type": "enveloped_data", "content": {
        "version": 0, "recipient_infos": [cms.RecipientInfo({"ktri": recipient})],
        "encrypted_content_info": {"content_type": "data", "encrypted_content": data,
                                   "content_encryption_algorithm": {"algorithm": cipher, "parameters": iv}}}}).dump()


def archival(key, sealed, digest="sha256", unsigned=None):
    hashes = [sr.add_attributes(sr.attribute(KEY_HASH, sr.octets(hashlib.new(digest, sealed).digest())), body_part=2)]
    unsigned = [sr.attribute(sr.ARCHIVED_KEY, sealed)] if unsigned is None else unsigned
    return sr.cmc(sr.request(key), hashes if digest else [], [sr.Signer(key, unsigned=unsigned, key_algorithm=False)])


def exchange(server):
    return x509.load_pem_x509_certificate(server.ctl("ca", "cert", "--exchange").encode())


def ask(server, request, flags=0, template=TEMPLATE):
    with icpr.Client(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        return c.request(request, template, flags)


def agent(server, tmp, number):
    """A recovery agent enrolls; its certificate waits for an officer, as the template has it."""
    key = pkcs10.rsa_key(number=number)
    with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        r = c.request(pkcs10.csr(key), "CertificateTemplate:KeyRecoveryAgent")
    assert r.disposition == icpr.CR_DISP_UNDER_SUBMISSION
    server.ctl("request", "issue", str(r.request_id))
    cert, pem = tmp / f"agent{number}.crt", tmp / f"agent{number}.pem"
    server.ctl("request", "show", str(r.request_id), "--cert", str(cert))
    pem.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return cert, pem, r.request_id


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = harness.Server().start()
    made.ctl("template", "duplicate", "User", "--display-name", "Archive", "--subject", "request", "--archive-key", "yes",
             "--minimum-key-size", "2048")
    made.ctl("template", "duplicate", "User", "--display-name", "Plain", "--subject", "request", "--minimum-key-size", "2048")
    for name in ("Archive", "Plain"):
        made.ctl("template", "acl", "grant", name, "CORP\\PFXCONN01$", "Read", "Enroll")
    made.ctl("ca", "publish", "Archive", "Plain", "KeyRecoveryAgent")
    made.ctl("template", "acl", "grant", "KeyRecoveryAgent", "CORP\\janedoe", "Read", "Enroll")
    made.tmp = tmp_path_factory.mktemp("agents")
    # nobody could recover anything yet
    assert ask(made, archival(USER, envelope(blob(USER), exchange(made)))).disposition == 0x8009400A
    made.agents = [agent(made, made.tmp, n) for n in (11, 12)]
    listed = [made.json("ca", "kra", "add", str(cert)) for cert, _, _ in made.agents]
    assert listed[0]["used"] == 1 and [a["state"] for a in listed[1]["agents"]] == ["valid", "valid"]
    yield made
    made.remove()


def same_key(pem):
    return load_pem_private_key(pem, None).private_numbers() == USER.private_numbers()


@pytest.mark.parametrize("cipher, digest", [("aes256_cbc", "sha256"), ("tripledes_3key", "sha1")])
def test_archived_and_recovered(server, tmp_path, cipher, digest):
    sealed = envelope(blob(USER), exchange(server), cipher)
    r = ask(server, archival(USER, sealed, digest), FULL_RESPONSE)
    assert r.disposition == icpr.CR_DISP_ISSUED, r.message
    assert hashlib.new(digest, sealed).digest() in r.chain  # szOID_ENCRYPTED_KEY_HASH of the CMC response
    with icpr.Client(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        again = c.request(b"", "", FULL_RESPONSE, request_id=r.request_id)
    assert hashlib.new(digest, sealed).digest() in again.chain

    columns = server.json("request", "show", str(r.request_id))["columns"]
    assert columns["Request.RequestFlags"] & 0x40  # CR_FLG_VALIDENCRYPTEDKEYHASH
    hashes = columns["Request.KeyRecoveryHashes"].split("\n")
    found = {hashlib.sha1(x509.load_pem_x509_certificate(cert.read_bytes()).public_bytes(Encoding.DER)).hexdigest(): (cert, pem)
             for cert, pem, _ in server.agents}
    assert len(hashes) == 1
    cert, pem = found[hashes[0].replace(" ", "")]

    # OpenSSL alone: the CA's signature, then the agent's envelope
    p7, inner, ca = tmp_path / "blob.p7", tmp_path / "inner.der", tmp_path / "ca.pem"
    ca.write_text(server.ctl("ca", "cert"))
    server.ctl("request", "recover-key", str(r.request_id), "--out", str(p7))
    subprocess.run(["openssl", "cms", "-verify", "-inform", "DER", "-in", p7, "-CAfile", ca, "-purpose", "any", "-binary",
                    "-out", inner], check=True, capture_output=True)
    assert cms.ContentInfo.load(inner.read_bytes())["content_type"].dotted == ENVELOPED
    clear = subprocess.run(["openssl", "cms", "-decrypt", "-inform", "DER", "-in", inner, "-recip", cert, "-inkey", pem,
                            "-binary"], check=True, capture_output=True).stdout
    assert clear == blob(USER)

    # certutil -recoverkey, ours
    assert same_key(server.ctl("request", "recover-key", str(r.request_id), "--kra", str(pem)).encode())
    pfx = tmp_path / "key.pfx"
    server.ctl("request", "recover-key", str(r.request_id), "--kra", str(pem), "--out", str(pfx), "--password", "secret")
    key, own, _ = pkcs12.load_key_and_certificates(pfx.read_bytes(), b"secret")
    assert key.private_numbers() == USER.private_numbers() and own.public_bytes(Encoding.DER) == r.certificate
    other = next(p for _, p, _ in server.agents if p != pem)
    server.ctl("request", "recover-key", str(r.request_id), "--kra", str(other), code=1)


def test_never_in_clear(server):
    numbers = USER.private_numbers()
    secrets = [v.to_bytes(128, order) for v in (numbers.p, numbers.q) for order in ("big", "little")]
    for path, _, files in os.walk(server.state):
        for name in (f for f in files if os.path.isfile(os.path.join(path, f))):  # not the sockets
            data = open(os.path.join(path, name), "rb").read()
            assert not any(s in data or s.hex().encode() in data for s in secrets), name


def test_request_is_kept_without_the_key(server):
    """MS-WCCE 3.2.1.4.2.1.4.4: the attribute is removed before the request is stored, also from one that fails."""
    sealed = envelope(blob(pkcs10.rsa_key(number=2)), exchange(server))
    assert ask(server, archival(USER, sealed)).disposition == 0x80090015
    data = b"".join((p.read_bytes() for p in __import__("pathlib").Path(server.state).glob("ca.db*")))
    assert sealed[-200:] not in data


def bad(server):
    good = envelope(blob(USER), exchange(server))
    wrong = envelope(blob(USER), x509.load_pem_x509_certificate(server.ctl("ca", "cert").encode()))
    yield "another key", 0x80090015, archival(USER, envelope(blob(pkcs10.rsa_key(number=2)), exchange(server)))
    yield "another recipient", 0x8009200C, archival(USER, wrong)
    yield "no blob", 0x8009400C, archival(USER, envelope(b"no key at all", exchange(server)))
    yield "no envelope", 0x8009400C, archival(USER, sr.seq(sr.oid(ENVELOPED), sr.tlv(0xA0, sr.seq())))
    yield "no hash", 0x8009400C, \
        sr.cmc(sr.request(USER), [], [sr.Signer(USER, unsigned=[sr.attribute(sr.ARCHIVED_KEY, good)])])
    changed = sr.attribute(sr.ARCHIVED_KEY, envelope(blob(USER), exchange(server)))
    yield "hash of another", 0x80091007, archival(USER, good, unsigned=[changed])
    yield "PKCS #7", 0x8009400C, sr.signed_data(sr.request(USER), [sr.Signer(USER, unsigned=[
        sr.attribute(sr.ARCHIVED_KEY, good)])])


def test_refusals(server):
    for why, code, request in bad(server):
        r = ask(server, request)
        assert r.disposition == code, (why, hex(r.disposition), r.message)
        assert r.message.startswith("Error Archiving Private Key"), why


def test_templates(server):
    sealed = envelope(blob(USER), exchange(server))
    assert ask(server, sr.request(USER)).disposition == 0x80094804  # CERTSRV_E_ARCHIVED_KEY_REQUIRED
    r = ask(server, archival(USER, sealed), template="CertificateTemplate:Plain")
    assert r.disposition == 0x80094810  # CERTSRV_E_ARCHIVED_KEY_UNEXPECTED


def test_turns_and_states(server):
    """Agents take turns; a revoked one is passed over; fewer valid ones than asked for is 0x8009400B."""
    def used():
        r = ask(server, archival(USER, envelope(blob(USER), exchange(server))))
        return r, server.json("request", "show", str(r.request_id))["columns"].get("Request.KeyRecoveryHashes")
    assert len({used()[1] for _ in range(2)}) == 2
    server.ctl("ca", "kra", "use", "2")
    assert len(used()[1].split("\n")) == 2
    server.ctl("request", "revoke", str(server.agents[1][2]))
    assert [a["state"] for a in server.json("ca", "kra", "list")["agents"]] == ["valid", "revoked"]
    assert used()[0].disposition == 0x8009400B
    server.ctl("ca", "kra", "use", "1")
    assert used()[0].disposition == icpr.CR_DISP_ISSUED
    server.ctl("request", "recover-key", "9999", code=1)


def test_import(server, tmp_path):
    r = ask(server, sr.request(USER), template="CertificateTemplate:Plain")
    assert r.disposition == icpr.CR_DISP_ISSUED
    key, wrong = tmp_path / "key.p7", tmp_path / "wrong.p7"
    key.write_bytes(envelope(blob(USER), exchange(server)))
    wrong.write_bytes(envelope(blob(pkcs10.rsa_key(number=2)), exchange(server)))
    server.ctl("request", "import-key", str(r.request_id), str(wrong), code=1)
    server.ctl("request", "import-key", str(r.request_id), str(key))
    server.ctl("request", "import-key", str(r.request_id), str(key), code=1)
    sha1 = hashlib.sha1(r.certificate).hexdigest()
    server.ctl("request", "import-key", "--hash", sha1, "--force", str(key))
    assert same_key(server.ctl("request", "recover-key", str(r.request_id), "--kra", str(server.agents[0][1])).encode())


def test_published_to_the_kra_object(server):
    out = subprocess.run(["ldapsearch", "-Q", "-LLL", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-H", server.ldapi, "-b",
                          f"CN={harness.CA_NAME},CN=KRA,CN=Public Key Services,CN=Services,CN=Configuration,"
                          "DC=corp,DC=contoso,DC=com", "userCertificate"], capture_output=True, text=True, check=True).stdout
    import base64
    for cert, _, _ in server.agents:
        der = x509.load_pem_x509_certificate(cert.read_bytes()).public_bytes(Encoding.DER)
        assert base64.b64encode(der).decode() in out


def test_over_rpc(server, tmp_path):
    """Recovery agents and archived keys by adcsctl --config: SetCAProperty, GetArchivedKey, ImportKey."""
    def over(*verb, code=0):
        return adcsctl("--config", config(server), "--user", "CORP\\Administrator", *verb, code=code,
                       password=harness.PASSWORDS["Administrator"])
    listed = [{k: v for k, v in a.items() if k != "why"} for a in server.json("ca", "kra", "list")["agents"]]
    assert over("ca", "kra", "list") == {"used": 1, "agents": listed} and len(listed) == 2
    assert [a["sha1"] for a in over("ca", "kra", "remove", "0")["agents"]] == [listed[1]["sha1"]]
    assert over("ca", "kra", "add", str(server.agents[1][0]), code=1)["error"]["name"] == "E_OBJECT_ALREADY_EXISTS"
    assert [a["sha1"] for a in over("ca", "kra", "add", str(server.agents[0][0]))["agents"]] == [listed[i]["sha1"] for i in (1, 0)]
    over("ca", "kra", "use", "0", code=1)  # MS-CSRA 3.1.4.2.3: at least 1
    assert over("ca", "kra", "use", "1")["used"] == 1
    r = ask(server, sr.request(USER), template="CertificateTemplate:Plain")
    key, opened = tmp_path / "key.p7", tmp_path / "key.pem"
    key.write_bytes(envelope(blob(USER), exchange(server)))
    assert over("request", "import-key", str(r.request_id), str(key)) == {"id": r.request_id}
    assert over("request", "import-key", str(r.request_id), str(key), code=1)["error"]["name"] == "E_INVALIDARG"
    over("request", "import-key", "--hash", hashlib.sha1(r.certificate).hexdigest(), "--force", str(key))
    hashes = server.json("request", "show", str(r.request_id))["columns"]["Request.KeyRecoveryHashes"]
    mine = next(pem for cert, pem, _ in server.agents if x509.load_pem_x509_certificate(cert.read_bytes()).fingerprint(SHA1()).hex()
                == hashes.replace(" ", ""))
    over("request", "recover-key", str(r.request_id), "--kra", str(mine), "--out", str(opened))
    assert same_key(opened.read_bytes())
    assert over("request", "recover-key", str(r.request_id)) == server.json("request", "recover-key", str(r.request_id))
