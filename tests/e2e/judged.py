"""
Every certificate and CRL that a server of the tests made is held against RFC 5280 when the server goes (tests/judges/rfc5280.py). A test
that asks for something the RFC forbids says so beforehand: server.accepts("4.2.1.6", "the request asks for it").
"""
import contextlib
import hashlib
import os
import pathlib
import re
import sqlite3
import sys
from base64 import b64decode

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "judges"))

import rfc5280  # noqa: E402

COUNT = {"certificates": 0, "CRLs": 0}
BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.S)


def ca_certificates(state):
    """All that stand in the state folder, whatever became of the CA."""
    texts = [p.read_text() for p in sorted(pathlib.Path(state).glob("*.crt"))]
    return [b64decode(block) for text in texts for block in BLOCK.findall(text)]


def made(state):
    """(certificates, CRLs) of the database."""
    path = pathlib.Path(state) / "ca.db"
    if not path.exists():
        return [], []
    try:
        with contextlib.closing(sqlite3.connect(path, timeout=60)) as db:
            rows = ["SELECT RawCertificate FROM Certificates", "SELECT CRLRawCRL FROM CRLs"]
            return tuple([r[0] for r in db.execute(sql) if r[0] is not None] for sql in rows)
    except sqlite3.DatabaseError as e:
        if "not a database" in str(e) or "no such table" in str(e):  # what some tests make of it
            return [], []
        raise


def keep(kind, der):
    """ADCSD_CORPUS=folder: a copy for other judges."""
    folder = os.environ.get("ADCSD_CORPUS")
    if folder:
        (pathlib.Path(folder) / f"{hashlib.sha256(der).hexdigest()[:16]}.{kind}").write_bytes(der)


def findings(judge, der, issuers):
    """Under the issuer that suits best: after a renewal there are several."""
    return min((judge(der, issuer) for issuer in issuers or [None]), key=len)


def judge(state, accepted):
    """Text of what is wrong, "" when all is well. accepted: sections that may be broken."""
    issuers = ca_certificates(state)
    certificates, crls = made(state)
    bad = []
    for kind, function, all_ in (("crt", rfc5280.certificate, [*issuers, *certificates]), ("crl", rfc5280.crl, crls)):
        for der in all_:
            keep(kind, der)
            found = [f for f in findings(function, der, issuers) if f.split(":")[0] not in accepted]
            bad += [f"{f}\n    {der.hex()}" for f in found]
    COUNT["certificates"] += len(issuers) + len(certificates)
    COUNT["CRLs"] += len(crls)
    return "\n".join(bad)


def summary():
    return f"held against RFC 5280: {COUNT['certificates']} certificates, {COUNT['CRLs']} CRLs"
