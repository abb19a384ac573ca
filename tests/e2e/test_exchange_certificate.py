"""The CA exchange certificate: contents as a Windows CA's (MS-WSTEP 4 sample), life, row, restarts."""
import datetime
import hashlib
import pathlib
import stat
import subprocess

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

import harness

CA_EXCHANGE = "1.3.6.1.4.1.311.21.5"
# The order of the extensions in the sample.
ORDER = ["2.5.29.14", "2.5.29.35", "2.5.29.31", "1.3.6.1.5.5.7.1.1", "1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.7",
         "2.5.29.37", "2.5.29.15", "1.3.6.1.4.1.311.21.10"]
WEEK, DAY, MINUTE = datetime.timedelta(days=7), datetime.timedelta(days=1), datetime.timedelta(minutes=1)


def exchange(server):
    return x509.load_pem_x509_certificate(server.ctl("ca", "cert", "--exchange").encode())


def sha1(certificate):
    return hashlib.sha1(certificate.public_bytes(Encoding.DER)).hexdigest()


def rows(server):
    return [r for r in server.json("request", "list", "--limit", "1000")["requests"] if r.get("commonName", "").endswith("-Xchg")]


def test_contents(how_to):
    cert = exchange(how_to)
    ca = x509.load_pem_x509_certificate(how_to.ctl("ca", "cert").encode())
    assert cert.issuer == ca.subject
    assert [a.rfc4514_string() for a in cert.subject.rdns[:-1]] == [a.rfc4514_string() for a in ca.subject.rdns[:-1]]
    assert cert.subject.rdns[-1].rfc4514_string() == f"CN={harness.CA_NAME}-Xchg"
    assert cert.not_valid_after - cert.not_valid_before == WEEK + 10 * MINUTE
    assert [e.oid.dotted_string for e in cert.extensions] == ORDER
    usage = cert.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical and usage.value.key_encipherment and not usage.value.digital_signature
    assert [o.dotted_string for o in cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value] == [CA_EXCHANGE]
    ski = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier == ski
    name = cert.extensions.get_extension_for_oid(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2")).value.value
    assert name == b"\x1e\x14" + "CAExchange".encode("utf-16be")
    assert cert.public_key().key_size == 2048
    chain = how_to.ctl("ca", "cert", "--exchange", "--chain")
    parts = pathlib.Path(how_to.state + ".chain")
    parts.write_text(chain)
    try:
        done = subprocess.run(["openssl", "verify", "-x509_strict", "-ignore_critical", "-CAfile", parts, parts],
                              capture_output=True, text=True, timeout=60, check=False)
    finally:
        parts.unlink()
    assert done.returncode == 0, done.stderr


def test_row(how_to):
    cert = exchange(how_to)
    row = rows(how_to)[-1]
    columns = how_to.json("request", "show", str(row["id"]))["columns"]
    assert row["state"] == "issued" and row["requester"] == "CORP\\CA01$"
    assert columns["Request.RequestFlags"] == 0xC  # CR_FLG_CAXCHGCERT | CR_FLG_FORCEUTF8
    assert columns["CertificateHash"].replace(" ", "") == sha1(cert)
    assert columns.get("Request.RawRequest") in (None, "")


def test_life(fresh):
    """One certificate serves until a day before its end; a restart keeps key and certificate; a revoked one is replaced."""
    server = fresh("--clock", "2026-06-01T12:00:00Z")
    first = exchange(server)
    assert sha1(exchange(server)) == sha1(first) and len(rows(server)) == 1
    keys = sorted(pathlib.Path(server.state).glob("exchange-*.key"))
    assert len(keys) == 1 and stat.S_IMODE(keys[0].stat().st_mode) == 0o600
    key = load_pem_private_key(keys[0].read_bytes(), None)
    assert key.public_key().public_numbers() == first.public_key().public_numbers()

    server.ctl("clock", "advance", "5d")
    server.kill()
    server.start()  # back to --clock
    assert sha1(exchange(server)) == sha1(first)

    server.ctl("clock", "advance", "6d")
    second = exchange(server)
    assert sha1(second) != sha1(first) and second.serial_number != first.serial_number
    # the first one still opens what was encrypted to it
    assert len(list(pathlib.Path(server.state).glob("exchange-*.key"))) == 2

    server.ctl("request", "revoke", str(rows(server)[-1]["id"]))
    third = exchange(server)
    assert sha1(third) != sha1(second)

    server.ctl("clock", "advance", "30d")
    exchange(server)
    assert len(list(pathlib.Path(server.state).glob("exchange-*.key"))) == 1  # what has ended opens nothing any more


def test_settings_and_seed(fresh):
    config = pathlib.Path(fresh().state + ".ini")
    config.write_text((harness.ROOT / "ca/contoso.ini").read_text()
                      .replace("CAXchgValidityPeriodUnits = 1", "CAXchgValidityPeriodUnits = 3"))
    try:
        made = [exchange(fresh("--seed", "5", "--clock", "2026-06-01T12:00:00Z", "--config", str(config))) for _ in range(2)]
    finally:
        config.unlink()
    assert made[0] == made[1]
    assert made[0].not_valid_after - made[0].not_valid_before == 3 * WEEK + 10 * MINUTE
