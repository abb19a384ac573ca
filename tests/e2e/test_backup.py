"""Backup and restore methods of ICertAdminD with impacket's runtime: who may, in what order, and what the copy holds."""
import contextlib
import os
import sqlite3

import pytest

import dcom
import harness
import icertadmind
import icpr
import pkcs10
from test_views import Admin

INVALID, DENIED, NOT_FOUND = 0x80070057, 0x80070005, 0x80070002
UNEXPECTED, OUT_OF_SEQUENCE = 0x8000FFFF, 0xC8000209
METHODS = ["BackupPrepare", "BackupEnd", "BackupGetAttachmentInformation", "BackupGetBackupLogs", "BackupOpenFile",
           "BackupReadFile", "BackupCloseFile", "BackupTruncateLogs", "BackupGetDynamicFiles", "RestoreGetDatabaseLocations"]
SHARE = "\\\\ca01.corp.contoso.com\\C$\\Windows\\System32"


@pytest.fixture(scope="module")
def server():
    made = harness.Server().start()
    made.ctl("ca", "set", "CA\\InterfaceFlags", "-IF_NOREMOTEICERTADMINBACKUP")
    with icpr.Client(made, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        for _ in range(3):
            assert c.request(pkcs10.csr(), "CertificateTemplate:User").disposition == icpr.CR_DISP_ISSUED
    yield made
    made.remove()


class Operator(Admin):
    def code(self, name, **fields):
        return self.call(name, **fields)[0]

    def files(self, name):
        code, r = self.call(name)
        if code != 0:
            return code
        if r["pcwcFiles"] == 0:
            return []
        units = list(r["ppwszzFiles"])
        assert len(units) == r["pcwcFiles"] and units[-1] == 0
        return b"".join(u.to_bytes(2, "little") for u in units).decode("utf-16le").split("\0")[:-1]

    def portion(self, count):
        code, r = self.call("BackupReadFile", cbBuffer=count)
        assert code == 0 and len(r["pbBuffer"]) == count
        return b"".join(r["pbBuffer"])[:r["pcbRead"]]

    def read_all(self, name, count):
        code, r = self.call("BackupOpenFile", pwszPath=name)
        assert code == 0
        octets = b""
        while True:
            some = self.portion(count)
            octets += some
            if len(some) < count:
                break
        assert len(octets) == r["pliLength"]
        assert self.code("BackupCloseFile") == 0
        return octets


@contextlib.contextmanager
def operator(server, account="Administrator"):
    with dcom.Connection(server, account, harness.PASSWORDS[account]) as c:
        yield Operator(c)


def database_of(a):
    names = a.files("BackupGetAttachmentInformation")
    assert len(names) == 1 and names[0].startswith("D\\\\ca01.corp.contoso.com\\") and names[0].endswith(".edb")
    return names[0][1:]


def issued(path):
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return db.execute("SELECT RequestID, Disposition FROM Requests WHERE Disposition = 20 ORDER BY 1").fetchall()


def copies(server):
    return [name for name in os.listdir(server.state) if name.startswith("backup")]


def test_refused_by_default(fresh):
    server = fresh()
    with operator(server) as a:
        assert {name: a.code(name) for name in METHODS} == dict.fromkeys(METHODS, DENIED)
    assert not copies(server)
    records = [r for r in server.json("journal")["records"] if r["operation"] == "incident"]
    assert "IF_NOREMOTEICERTADMINBACKUP" in records[-1]["reason"]


@pytest.mark.parametrize("portion", [4096, 65536])
def test_full(server, portion, tmp_path):
    with operator(server) as a:
        assert a.code("BackupPrepare") == 0
        name = database_of(a)
        assert a.files("BackupGetBackupLogs") == []
        with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:  # the CA works on; the copy stays as it was
            late = c.request(pkcs10.csr(), "CertificateTemplate:User").request_id
        copy = tmp_path / "copy.db"
        copy.write_bytes(a.read_all(name, portion))
        assert a.read_all(name.upper(), 20000) == copy.read_bytes()
        assert a.code("BackupTruncateLogs") == 0
        assert a.code("BackupEnd") == 0
    expected = sorted(r["id"] for r in server.json("request", "list", "--state", "issued")["requests"] if r["id"] < late)
    assert len(expected) >= 3 and [r[0] for r in issued(copy)] == expected
    assert not copies(server)
    done = [r["operation"] for r in server.json("journal")["records"] if r["verdict"] == "done"]
    assert [x for x in done if x.startswith("Backup")][-2:] == ["BackupPrepare", "BackupEnd"]


def test_sequence(server):
    with operator(server) as a:
        assert a.files("BackupGetAttachmentInformation") == OUT_OF_SEQUENCE
        for name in ("BackupEnd", "BackupGetBackupLogs", "BackupOpenFile", "BackupReadFile", "BackupCloseFile", "BackupTruncateLogs"):
            assert a.code(name) == UNEXPECTED, name
        assert a.code("BackupPrepare", grbitJet=1) == UNEXPECTED  # no full one before, and no logs
        assert a.code("BackupPrepare", grbitJet=2) == INVALID
        assert a.code("BackupPrepare", pwszAuthority="Another CA") == INVALID
        assert a.code("BackupPrepare", pwszAuthority="") == INVALID
        assert a.code("BackupPrepare", dwBackupFlags=7, pwszBackupAnnotation=65, dwClientIdentifier=9) == 0
        assert a.code("BackupPrepare") == UNEXPECTED
        name = database_of(a)
        assert a.code("BackupReadFile", cbBuffer=4096) == a.code("BackupCloseFile") == UNEXPECTED
        assert a.code("BackupTruncateLogs") == UNEXPECTED  # nothing has been read
        assert a.code("BackupOpenFile", pwszPath=name) == 0
        assert a.code("BackupOpenFile", pwszPath=name) == UNEXPECTED
        assert a.code("BackupReadFile", cbBuffer=0) == a.code("BackupReadFile", cbBuffer=-1) == INVALID
        assert a.code("BackupReadFile", cbBuffer=(16 << 20) + 1) == INVALID
        assert a.portion(4096).startswith(b"SQLite format 3\0")
        assert a.code("BackupCloseFile") == 0 and a.code("BackupTruncateLogs") == UNEXPECTED  # not to its end
        a.read_all(name, 65536)
        assert a.code("BackupOpenFile", pwszPath=name) == 0
        assert a.code("BackupTruncateLogs") == UNEXPECTED  # open
        assert a.code("BackupEnd") == 0
        assert a.code("BackupReadFile", cbBuffer=4096) == UNEXPECTED and a.code("BackupEnd") == UNEXPECTED


@pytest.mark.parametrize("path", [None, "", "ca.db", "..\\ca.db", "ca.key", "/etc/passwd", "{state}/ca.key", "{name}\\..\\ca.key", "D{name}",
                                  SHARE + "\\CertLog", SHARE + "\\CertLog\\..\\..\\..\\ca.db", "x" * 5000],
                         ids=lambda p: str(p)[:24])
def test_only_listed_files_open(server, path):
    with operator(server) as a:
        assert a.code("BackupPrepare") == 0
        if path:
            path = path.format(state=server.state, name=database_of(a))
        fields = {} if path is None else {"pwszPath": path}
        assert a.code("BackupOpenFile", **fields) == NOT_FOUND
        assert a.code("BackupReadFile", cbBuffer=4096) == UNEXPECTED
        assert a.code("BackupEnd") == 0


def test_one_session(server):
    """It belongs to the object it was prepared on, and ends with that."""
    with operator(server) as a, operator(server) as b:
        assert a.code("BackupPrepare") == 0
        assert b.code("BackupPrepare") == UNEXPECTED and b.code("BackupEnd") == UNEXPECTED
        assert b.files("BackupGetAttachmentInformation") == OUT_OF_SEQUENCE
        database_of(a)
        for _ in range(5):  # the references that activation gave
            a.interface.RemRelease()
        assert b.code("BackupPrepare") == 0 and b.code("BackupEnd") == 0


def test_names(server):
    with operator(server) as a:
        database, logs, system = a.files("RestoreGetDatabaseLocations")
        assert database[0] == "D" and database[1:].startswith(SHARE + "\\CertLog\\") and database.endswith(".edb")
        assert (logs, system) == (chr(130) + SHARE + "\\CertLog", chr(131) + SHARE + "\\CertLog")
        folder = os.path.join(server.state, "CertEnroll")
        crls = sorted(name for name in os.listdir(folder) if name.endswith(".crl"))
        assert crls and a.files("BackupGetDynamicFiles") == [f"{SHARE}\\CertSrv\\CertEnroll\\{name}" for name in crls]


def test_who_may(server):
    """SeBackupPrivilege together with Read, and nothing else."""
    server.ctl("ca", "acl", "grant", "CORP\\bob", "ManageCA", "IssueAndManageCertificates")
    server.ctl("ca", "acl", "grant", "CORP\\svc-pfx", "Read")
    for account in ("bob", "svc-pfx"):
        with operator(server, account) as a:
            assert {name: a.code(name) for name in METHODS} == dict.fromkeys(METHODS, DENIED)
    sids = server.json("principal", "show", "CORP\\svc-pfx")["sids"]
    sid = next(s["sid"] for s in sids if s["via"] == "user")
    server.ctl("ca", "set", "privileges\\SeBackupPrivilege", "+" + sid)
    with operator(server, "svc-pfx") as a:
        assert a.code("BackupPrepare") == 0 and a.code("BackupEnd") == 0
        server.ctl("ca", "set", "CA\\InterfaceFlags", "+IF_NOREMOTEICERTADMINBACKUP")
        try:
            assert a.code("RestoreGetDatabaseLocations") == DENIED
        finally:
            server.ctl("ca", "set", "CA\\InterfaceFlags", "-IF_NOREMOTEICERTADMINBACKUP")


def test_server_ends_within_a_session(fresh):
    """Neither a copy nor a session outlives the server."""
    server = fresh()
    server.ctl("ca", "set", "CA\\InterfaceFlags", "-IF_NOREMOTEICERTADMINBACKUP")
    with operator(server) as a:
        assert a.code("BackupPrepare") == 0
        server.stop()
        assert not copies(server)
    with open(os.path.join(server.state, "backup.db"), "w", encoding="ascii") as f:
        f.write("left by a server that was killed while it copied")
    server.start()
    assert not copies(server)
    with operator(server) as a:
        assert a.code("BackupPrepare") == 0 and a.code("BackupEnd") == 0
