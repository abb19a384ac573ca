"""CRL partitions (MS-WCCE 3.2.1.3.1, MS-CSRA 3.1.4.1.6): which list tells of a certificate, and where it lies."""
import collections
import pathlib
import re
import sqlite3

import pytest
from cryptography import x509

import harness
import icpr
import pkcs10
from test_renewal import CA, START, SERVICES, authority_key_id, ca_cert, crl_of, key_id, openssl_verify, urls, values
from test_revocation import WEBSERVER, entries, fetch, issue, number

FLAGS = "CRLF_DELETE_EXPIRED_CRLS | CRLF_CRLPARTITION_ENABLED"


@pytest.fixture
def partitioned(fresh, tmp_path):
    def make(maximum=3, suspended=0, current=0, flags=FLAGS, urls_too=True, **options):
        text = (pathlib.Path(__file__).parents[2] / "ca" / "contoso.ini").read_text()
        for name, value in (("CRLFlags", flags), ("CRLMaxPartitions", maximum), ("CRLSuspendedPartitions", suspended),
                            ("CRLCurrentPartition", current)):
            text, n = re.subn(rf"^{name} = .*$", f"{name} = {value}", text, flags=re.M)
            assert n == 1, name
        if urls_too:
            start, rest = text.split("CRLPublicationURLs =", 1)
            text = start + "CRLPublicationURLs =" + rest.replace("%8", "%8<CRLPartitionIndex>", 2)
        config = tmp_path / "ca.ini"
        config.write_text(text)
        config.chmod(0o644)
        return fresh("--clock", START, "--config", str(config), **options)
    return make


def partition_of(server, request_id):
    return server.json("request", "show", str(request_id))["columns"].get("Request.CRLPartitionIndex")


def ask(server, attributes=WEBSERVER):
    with icpr.Client(server, "Administrator", harness.PASSWORDS["Administrator"]) as c:
        return c.request(pkcs10.csr(name=pkcs10.subject(cn="device")), attributes)


def test_each_list_tells_of_its_own(partitioned, tmp_path):
    server = partitioned(current=1)
    issued = issue(server, 4)
    assert [partition_of(server, i) for i, _ in issued] == [2, 3, 1, 2], "they take turns"
    for (request_id, cert), index in zip(issued, (2, 3, 1, 2)):
        cdp, _ = urls(cert)
        assert cdp[0].startswith(f"ldap:///CN=Contoso%20Certification%20Authority_Partition0000{index},CN=ca01,CN=CDP,")
        assert cdp[1].endswith(f"/CertEnroll/{CA}_Partition0000{index}.crl")
        server.ctl("request", "revoke", str(request_id))
    (_, good), = issue(server)  # partition 3
    server.ctl("crl", "publish")
    serials = [c.serial_number for _, c in issued]
    lists = {i: crl_of(server, f"_Partition0000{i}" if i else "") for i in range(4)}
    assert {i: sorted(entries(c)) for i, c in lists.items()} == {
        0: sorted(serials), 1: [serials[2]], 2: sorted([serials[0], serials[3]]), 3: [serials[1]]}
    assert len({number(c) for c in lists.values()}) == 1, "one number for all (MS-CSRA 3.1.4.1.6)"
    for i in range(1, 4):
        delta = crl_of(server, f"_Partition0000{i}", delta=True)
        assert entries(delta).keys() == entries(lists[i]).keys()
        freshest = lists[i].extensions.get_extension_for_class(x509.FreshestCRL).value[0].full_name[0].value
        assert f"Authority_Partition0000{i}," in freshest
        dn = f"CN=Contoso Certification Authority_Partition0000{i},CN=ca01,CN=CDP,{SERVICES}"
        assert values(server, dn, "certificateRevocationList") == [fetch(server, f"{CA}_Partition0000{i}.crl")]
    ca = ca_cert(server, 0)
    assert "OK" in openssl_verify(tmp_path, good, [ca], [lists[3]])
    assert "certificate revoked" in openssl_verify(tmp_path, issued[1][1], [ca], [lists[3]], code=2)
    shown = server.json("crl", "show")["crls"]
    assert collections.Counter(c.get("partition", 0) for c in shown if c["number"] == number(lists[0])) == {0: 2, 1: 2, 2: 2, 3: 2}


def test_partition_zero_alone_and_suspended_ones(partitioned):
    server = partitioned(suspended=2, flags=FLAGS + " | CRLF_CRLPARTITION_PARTITIONZERO_EXCLUSIVE")
    (first, cert), = issue(server)
    assert partition_of(server, first) == 3, "the only one that is not suspended"
    asked = ask(server, WEBSERVER + "\nCRLPartitionIndex:1")
    assert partition_of(server, asked.request_id) == 1, "whoever asks for one gets it"
    for word in ("4", "x", ""):
        assert partition_of(server, ask(server, f"{WEBSERVER}\nCRLPartitionIndex:{word}").request_id) == 3
    server.ctl("request", "revoke", str(first))
    server.ctl("crl", "publish")
    assert entries(crl_of(server)) == {} and list(entries(crl_of(server, "_Partition00003"))) == [cert.serial_number]


def test_of_each_key_and_after_a_restart(partitioned):
    server = partitioned(current=1)
    server.json("ca", "renew", "--new-key", "--key", "P-256")
    (request_id, after), = issue(server)
    assert urls(after)[0][1].endswith(f"{CA}(1)_Partition00002.crl")
    assert authority_key_id(crl_of(server, "(1)_Partition00002")) == key_id(ca_cert(server, 1)) == authority_key_id(after)
    names = {p.name for p in (pathlib.Path(server.state) / "CertEnroll").glob("*.crl")}
    assert len(names) == 2 * 4 * 2, "keys, partitions, base and delta"
    server.stop()
    (pathlib.Path(server.state) / "CertEnroll" / "Contoso Certification Authority(1)_Partition00001.crl").unlink()
    server.start()
    assert {p.name for p in (pathlib.Path(server.state) / "CertEnroll").glob("*.crl")} == names
    server.ctl("request", "revoke", str(request_id))
    server.ctl("crl", "publish")
    assert list(entries(crl_of(server, "(1)_Partition00002"))) == [after.serial_number]
    assert entries(crl_of(server, "_Partition00002")) == {} == entries(crl_of(server, "(1)_Partition00001"))


@pytest.mark.parametrize("wrong, words", [
    ({"maximum": 0}, "needs CRLMaxPartitions"),
    ({"maximum": 2, "suspended": 3}, "at most CRLMaxPartitions"),
    ({"urls_too": False}, "needs <CRLPartitionIndex>"),
])
def test_settings_that_do_not_fit(partitioned, wrong, words):
    with pytest.raises(AssertionError, match=words):
        partitioned(**wrong)


def test_without_partitions(fresh):
    server = fresh("--clock", START)
    answer = ask(server, WEBSERVER + "\nCRLPartitionIndex:1")
    assert partition_of(server, answer.request_id) == 0
    assert not list((pathlib.Path(server.state) / "CertEnroll").glob("*Partition*"))


def test_a_database_from_before_partitions(fresh):
    """Schema 1 is upgraded in place, its lists and requests as they were."""
    server = fresh("--clock", START)
    (request_id, cert), = issue(server)
    server.stop()
    with sqlite3.connect(pathlib.Path(server.state) / "ca.db") as db:
        for kind, name in db.execute("SELECT type, name FROM sqlite_master WHERE type = 'trigger' OR type = 'table' AND"
                                     " (name LIKE 'By%' OR name IN ('Details', 'Phrases')) ORDER BY type DESC").fetchall():
            db.execute(f"DROP {kind} {name}")
        db.execute("CREATE TABLE Attributes (AttributeRequestId INTEGER NOT NULL, AttributeName TEXT NOT NULL COLLATE NOCASE,"
                   " AttributeValue TEXT, PRIMARY KEY (AttributeRequestId, AttributeName)) WITHOUT ROWID")
        db.execute("CREATE TABLE Extensions (ExtensionRequestId INTEGER NOT NULL, ExtensionName TEXT NOT NULL, ExtensionFlags INTEGER"
                   " NOT NULL, ExtensionRawValue BLOB, PRIMARY KEY (ExtensionRequestId, ExtensionName)) WITHOUT ROWID")
        db.execute("CREATE TABLE Explanations (RequestID INTEGER PRIMARY KEY, Explanation TEXT NOT NULL)")
        db.execute("DELETE FROM Marks WHERE Name = 'Indexed'")
        db.execute("ALTER TABLE CRLs DROP COLUMN CRLPartitionIndex")
        db.execute("UPDATE Requests SET CRLPartitionIndex = NULL")
        db.execute("PRAGMA user_version = 1")
    db.close()
    server.start()
    assert number(crl_of(server)) == 1
    server.ctl("request", "revoke", str(request_id))
    server.ctl("crl", "publish")
    assert list(entries(crl_of(server))) == [cert.serial_number] and number(crl_of(server)) == 2
