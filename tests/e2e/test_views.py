"""The CA's database through OpenView, as CA-database tools read it: impacket's runtime, blobs taken apart here by MS-CSRA 2.2."""
import concurrent.futures
import contextlib
import csv
import datetime
import json
import struct

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

import dcom
import harness
import icertadmind
import pkcs10

CA = harness.CA_NAME
S_FALSE, INVALID, HANDLE, UNEXPECTED, DENIED, EMPTY = 1, 0x80070057, 0x80070006, 0x8000FFFF, 0x80070005, 0x80094004
LONG, DATE, BINARY, STRING, INDEXED = 1, 2, 3, 4, 0x10000
EQ, LT, LE, GE, GT = 1, 2, 4, 8, 16
ASCEND, DESCEND = 1, 2
REQUESTS, EXTENSIONS, ATTRIBUTES, CRLS = 0, 0x3000, 0x4000, 0x5000


class Admin:
    """One activated CCertAdminD."""

    def __init__(self, connection, iid=icertadmind.IID_ICertAdminD2):
        self.connection, self.iid = connection, iid
        self.interface = connection.activate(icertadmind.CLSID_CCertAdminD, iid)

    def call(self, name, **fields):
        """HRESULT and answer; all octets of the answer belong to it."""
        if icertadmind.AUTHORITY in icertadmind.METHODS[name][1]:
            fields.setdefault("pwszAuthority", CA)
        call = icertadmind.call(name, **fields)
        call["ORPCthis"] = self.interface.get_cinstance().get_ORPCthis()
        call["ORPCthis"]["flags"] = 0
        with dcom.mapper_port(self.connection.server.epm_port):
            self.interface.connect(self.iid)
        dce = self.interface.get_dce_rpc()
        dce.call(call.opnum, call, uuid=self.interface.get_iPid())
        answer = dce.recv()
        response = getattr(icertadmind, name + "Response")(answer, isNDR64=False)
        assert len(answer) == len(response.getData()), "octets behind the answer"
        return response["ErrorCode"], response

    def columns(self, table):
        found, at = [], 0
        while True:
            code, r = self.call("EnumViewColumnTable", iTable=table, iColumn=at, cColumn=50)
            if code == S_FALSE:
                assert r["pcColumn"] == 0
                return found
            assert code == 0
            blob, n = icertadmind.octets(r["pctbColumnInfo"]), r["pcColumn"]
            for i in range(n):
                kind, index, most, name, display = struct.unpack_from("<5L", blob, 20 * i)
                found.append((index, kind, most, text_at(blob, name), text_at(blob, display)))
            at += n

    def view(self, columns, restrictions=(), celt=100, sizes=None):
        """All rows, each a dictionary by column id with "rowid"; sizes: how many each call gave."""
        rows, name = [], "OpenView"
        fields = {"ccvr": len(restrictions), "acvr": [icertadmind.restriction(*r) for r in restrictions],
                  "ccolOut": len(columns), "acolOut": list(columns)}
        while True:
            code, r = self.call(name, ielt=len(rows) + 1, celt=celt, **fields)
            assert code in (0, S_FALSE), hex(code)
            got, total = read_rows(icertadmind.octets(r["pctbResultRows"]))
            assert len(got) == r["pceltFetched"] <= celt
            assert (code == S_FALSE) == (total is not None)
            rows += got
            if sizes is not None:
                sizes.append(len(got))
            if total is not None:
                assert total == len(rows)
                assert self.call("CloseView")[0] == 0
                return rows
            name, fields = "EnumView", {}


def text_at(blob, offset):
    assert offset % 4 == 0
    end = offset
    while blob[end:end + 2] != b"\0\0":
        assert end < len(blob)
        end += 2
    return blob[offset:end].decode("utf-16le")


def read_rows(blob):
    """MS-CSRA 2.2.3.1: rows, and the total when the end is told."""
    rows = []
    while blob:
        rowid, ccol, cbrow = struct.unpack_from("<3L", blob)
        if rowid == ccol ^ 0xffffffff:
            assert cbrow == 12 == len(blob)
            return rows, rowid
        assert cbrow % 4 == 0 and cbrow <= len(blob)
        row = {"rowid": rowid}
        for i in range(ccol):
            kind, index, offset, size = struct.unpack_from("<4L", blob, 12 + 16 * i)
            value = blob[offset:offset + size]
            assert len(value) == size and offset % 4 == 0 and offset + size <= cbrow
            if offset == 0:
                assert size == 0
                row[index] = None
            elif kind & 0xff == LONG:
                row[index], = struct.unpack("<l", value)
            elif kind & 0xff == DATE:
                row[index], = struct.unpack("<q", value)
            elif kind & 0xff == STRING:
                assert value[-2:] == b"\0\0"
                row[index] = value[:-2].decode("utf-16le")
            else:
                row[index] = value
        rows.append(row)
        blob = blob[cbrow:]
    return rows, None


def long(n):
    return struct.pack("<L", n)


def string(s):
    return s.encode("utf-16le") + b"\0\0"


def columns_by_name(admin, table=REQUESTS):
    return {c[3]: c[0] for c in admin.columns(table)}


@contextlib.contextmanager
def administrator(server, iid=icertadmind.IID_ICertAdminD2, account="Administrator"):
    with dcom.Connection(server, account, harness.PASSWORDS[account]) as c:
        yield Admin(c, iid)


@pytest.fixture(scope="module")
def filled():
    """Seven requests: issued 1 2 3 4, failed 5, denied by policy 6, revoked 4; one CRL at least."""
    from conftest import publish_how_to
    server = harness.Server("--clock", "2026-06-01T12:00:00Z").start()
    publish_how_to(server)
    server.issued = {}
    with dcom.Connection(server, "PFXCONN01$", harness.PASSWORDS["PFXCONN01$"]) as c:
        interface = c.activate()
        for i, name in enumerate(("adele", "Bruno", "carla", "dora"), 1):
            r = c.submit(interface, pkcs10.csr(name=x509.Name.from_rfc4514_string(f"CN={name},O=Contoso")), "CertificateTemplate:IntunePKCS\nrmd:pc1", CA)
            assert r.disposition == 3 and r.request_id == i
            server.issued[i] = x509.load_der_x509_certificate(r.certificate)
        assert c.submit(interface, b"no request", "CertificateTemplate:IntunePKCS", CA).request_id == 5
        assert c.submit(interface, pkcs10.csr(), "CertificateTemplate:Nothing", CA).request_id == 6
    server.ctl("request", "revoke", "4", "--reason", "keyCompromise")
    yield server
    server.remove()


def test_schema(filled):
    with administrator(filled) as a:
        requests = a.columns(REQUESTS)
        assert requests[0] == (0x1000, LONG | INDEXED, 4, "Request.RequestID", "Request ID")
        assert (0x2007, STRING | INDEXED, 128, "SerialNumber", "Serial Number") in requests
        assert (0x200A, DATE | INDEXED, 8, "NotAfter", "Certificate Expiration Date") in requests
        assert (0x1001, BINARY, 65536, "Request.RawRequest", "Binary Request") in requests
        assert [c[0] for c in requests] == sorted(c[0] for c in requests) and len(requests) == 81
        assert [c[3] for c in a.columns(EXTENSIONS)] == [
            "ExtensionRequestId", "ExtensionName", "ExtensionFlags", "ExtensionRawValue"]
        assert [c[0] for c in a.columns(ATTRIBUTES)] == [0x3000, 0x3001, 0x3002]
        assert [c[0] for c in a.columns(CRLS)] == list(range(0x5000, 0x5012))
        code, r = a.call("EnumViewColumn", iColumn=79, cColumn=10)
        assert code == 0 and r["pcColumn"] == 2
        assert a.call("EnumViewColumn", iColumn=81, cColumn=1)[0] == S_FALSE
        assert a.call("EnumViewColumn", iColumn=0, cColumn=0)[0] == INVALID
        assert a.call("EnumViewColumnTable", iTable=0x6000, iColumn=0, cColumn=1)[0] == INVALID
        assert a.call("EnumViewColumn", iColumn=0, cColumn=1, pwszAuthority="Another CA")[0] == INVALID


@pytest.mark.parametrize("which,count,last", [(-1, 14, 0x1001), (-2, 14, 0x2001), (-3, 14, 0x1001), (-4, 4, 0x4003),
                                              (-5, 3, 0x3002), (-6, 17, 0x5010), (-7, 17, 0x100F)])
def test_default_columns_make_a_view(filled, which, count, last):
    with administrator(filled) as a:
        code, r = a.call("GetViewDefaultColumnSet", iColumnSetDefault=which & 0xffffffff)
        ids = struct.unpack(f"<{count}L", icertadmind.octets(r["pctbColumnInfo"]))
        assert code == 0 and r["pcColumn"] == count and ids[-1] == last
        assert all(set(ids) <= set(row) for row in a.view(ids))
        assert a.call("GetViewDefaultColumnSet", iColumnSetDefault=0)[0] == INVALID


def test_what_a_row_holds(filled):
    certificate = filled.issued[2]
    with administrator(filled) as a:
        by_name = columns_by_name(a)
        row, = a.view(by_name.values(), [(by_name["SerialNumber"], EQ, 0, string(f"{certificate.serial_number:038x}"))])
        got = {name: row[index] for name, index in by_name.items()}
        empty = {name for name, value in got.items() if value is None}
    assert row["rowid"] == 2 == got["Request.RequestID"] == got["RequestID"]
    assert got["Request.Disposition"] == 20 and got["Request.StatusCode"] == 0
    assert got["Request.DispositionMessage"] == "Issued"
    assert got["Request.RequesterName"] == got["Request.CallerName"] == "CORP\\PFXCONN01$"
    assert got["Request.SubmittedWhen"] == got["Request.ResolvedWhen"] == (1780315200 + 11644473600) * 10**7
    assert got["Request.RequestAttributes"] == "CertificateTemplate:IntunePKCS\nrmd:pc1"
    assert got["Request.RequestType"] & 0xFF00 == 0x100
    assert got["Request.CommonName"] == got["CommonName"] == "Bruno" and got["Organization"] == "Contoso"
    assert sorted(got["DistinguishedName"].split(", ")) == ["CN=Bruno", "O=Contoso"]
    assert x509.load_der_x509_certificate(got["RawCertificate"]) == certificate
    assert (x509.load_der_x509_csr(got["Request.RawRequest"]).public_key().public_numbers()
            == certificate.public_key().public_numbers())
    assert got["CertificateHash"] == certificate.fingerprint(hashes.SHA1()).hex(" ")
    assert got["SubjectKeyIdentifier"] == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest.hex(" ")
    assert got["PublicKeyLength"] == certificate.public_key().key_size
    assert got["PublicKeyAlgorithm"] == "1.2.840.113549.1.1.1"
    assert got["CertificateTemplate"].startswith("1.3.6.1.4.1.311.21.8.")
    for name, moment in (("NotBefore", certificate.not_valid_before), ("NotAfter", certificate.not_valid_after)):
        assert got[name] == int(moment.replace(tzinfo=datetime.timezone.utc).timestamp()) * 10**7 + 116444736000000000
    assert not empty & {"RawPublicKey", "RawName", "Request.RawName", "GeneralFlags", "EnrollmentFlags", "IssuerNameId"}
    assert {"Request.RevokedWhen", "Request.RevokedReason", "Request.RawArchivedKey"} <= empty


def ids(rows):
    return [row["rowid"] for row in rows]


def test_restrictions_and_order(filled):
    with administrator(filled) as a:
        c = columns_by_name(a)
        disposition, name, key = c["Request.Disposition"], c["CommonName"], c["Request.RequestID"]
        every = a.view([key])
        assert ids(every) == [1, 2, 3, 4, 5, 6]
        assert ids(a.view([key], [(disposition, EQ, 0, long(20))])) == [1, 2, 3]
        assert ids(a.view([key], [(disposition, EQ, 0, long(21))])) == [4]
        assert ids(a.view([key], [(disposition, GE, 0, long(20)), (key, LT, 0, long(3))])) == [1, 2]
        assert ids(a.view([key], [(key, GT, 0, long(2)), (key, LE, 0, long(4))])) == [3, 4]
        assert ids(a.view([key], [(key, 0, DESCEND, b"")])) == [6, 5, 4, 3, 2, 1]
        assert ids(a.view([key], [(name, GE, DESCEND, string("BRUNO"))])) == [4, 3, 2], "case does not count"
        assert ids(a.view([key], [(disposition, EQ, 0, long(20)), (name, 0, ASCEND, b"")])) == [1, 2, 3]
        assert ids(a.view([key], [(c["Request.StatusCode"], LT, 0, long(0))])) == [5, 6], "HRESULTs are negative"
        revoked, = a.view([c["Request.RevokedReason"], c["Request.RevokedEffectiveWhen"]],
                          [(c["Request.RevokedEffectiveWhen"], GT, 0, struct.pack("<q", 0))])
        assert revoked["rowid"] == 4 and revoked[c["Request.RevokedReason"]] == 1
        assert a.view([key], [(name, EQ, 0, string("nobody"))]) == []


def test_portions(filled):
    with administrator(filled) as a:
        for celt, want in ((1, [1] * 6 + [0]), (4, [4, 2]), (6, [6, 0]), (7, [6]), (10**9, [6])):
            sizes = []
            assert ids(a.view([0x1000], celt=celt, sizes=sizes)) == [1, 2, 3, 4, 5, 6] and sizes == want
        assert a.call("OpenView", ccvr=0, acvr=[], ccolOut=1, acolOut=[0x1000], ielt=3, celt=2)[1]["pceltFetched"] == 2
        code, r = a.call("EnumView", ielt=2, celt=2)
        assert code == 0 and ids(read_rows(icertadmind.octets(r["pctbResultRows"]))[0]) == [2, 3], "back to a row before"
        code, r = a.call("EnumView", ielt=90, celt=2)
        assert code == S_FALSE and read_rows(icertadmind.octets(r["pctbResultRows"])) == ([], 6)


def test_other_tables(filled):
    with administrator(filled) as a:
        attributes = a.view([0x3000, 0x3001, 0x3002], [(0x3000, EQ, 0, long(1))])
        assert {(r[0x3001], r[0x3002]) for r in attributes} >= {("CertificateTemplate", "IntunePKCS"), ("rmd", "pc1")}
        extensions = {r[0x4001]: r for r in a.view([0x4000, 0x4001, 0x4002, 0x4003], [(0x4000, EQ, 0, long(1))])}
        certificate = filled.issued[1]
        usage = extensions["2.5.29.15"]
        assert usage[0x4002] & 1 == certificate.extensions.get_extension_for_class(x509.KeyUsage).critical
        enabled = {name for name, r in extensions.items() if not r[0x4002] & 2}
        assert enabled == {e.oid.dotted_string for e in certificate.extensions}
        assert a.view([0x3000], [(0x3000, GT, 0, long(6))]) == []
        crls = a.view([0x5000, 0x5001, 0x5002, 0x5010])
        assert len(crls) >= 2 and x509.load_der_x509_crl(crls[0][0x5010]) is not None


def test_attributes_and_extensions_of_a_request(filled):
    with administrator(filled) as a:
        def attributes(**more):
            code, r = a.call("EnumAttributesOrExtensions", RowId=1, Flags=0, celt=more.pop("celt", 100), **more)
            blob = icertadmind.octets(r["pctbOut"])
            return code, [tuple(text_at(blob, o) for o in struct.unpack_from("<LL", blob, 8 * i)) for i in range(r["pceltFetched"])]

        code, every = attributes()
        assert code == 0 and ("rmd", "pc1") in every and len(every) >= 2
        assert attributes(celt=1) == (0, every[:1])
        assert attributes(pwszLast=every[0][0].upper()) == (0, every[1:])
        assert attributes(pwszLast=every[-1][0]) == (0, [])
        assert attributes(pwszLast="nothing") == (EMPTY, [])
        code, r = a.call("EnumAttributesOrExtensions", RowId=1, Flags=1, celt=100)
        blob, n = icertadmind.octets(r["pctbOut"]), r["pceltFetched"]
        got = {}
        for i in range(n):
            name, flags, size, offset = struct.unpack_from("<4L", blob, 16 * i)
            got[text_at(blob, name)] = flags, blob[offset:offset + size]
        assert code == 0
        for e in filled.issued[1].extensions:
            flags, _ = got[e.oid.dotted_string]
            assert flags & 1 == e.critical and flags & 2 == 0 and flags >> 16 in (1, 2, 4)
        for fields, want in (({"RowId": 0}, INVALID), ({"RowId": 999}, EMPTY), ({"Flags": 2}, INVALID),
                             ({"Flags": 1, "pwszLast": "1.2.3"}, INVALID)):
            assert a.call("EnumAttributesOrExtensions", **{"RowId": 1, "Flags": 0, "celt": 1, **fields})[0] == want, fields


def test_what_is_refused(filled):
    def open_view(a, restrictions=(), columns=(0x1000,), **more):
        return a.call("OpenView", ccvr=len(restrictions), acvr=[icertadmind.restriction(*r) for r in restrictions],
                      ccolOut=len(columns), acolOut=list(columns), ielt=1, celt=1, **more)[0]

    with administrator(filled) as a:
        assert a.call("EnumView", ielt=1, celt=1)[0] == HANDLE and a.call("CloseView")[0] == HANDLE
        for case in (([(0x1009, EQ, ASCEND, long(9)), (0x100B, 0, DESCEND, b"")],), ([(0x1009, 3, 0, long(9))],),
                     ([(0x1009, EQ, 0, b"\0")],), ([(0x1001, LT, 0, b"\0")],), ([(0xFFFFFFFF, EQ, 0, long(9))],),
                     ([], (0x1000, 0x5000)), ([], ()), ([], (0x7777,)), ([(0x1010, EQ, 0, b"a\0")],)):
            assert open_view(a, *case) == INVALID, case
        assert open_view(a) == 0
        assert open_view(a) == UNEXPECTED
        assert a.call("CloseView")[0] == 0
        assert open_view(a, pwszAuthority="Another CA") == INVALID


def test_each_object_has_a_view_of_its_own(filled):
    def all_at_once():  # impacket shares what it has opened among the objects of a thread
        with administrator(filled) as other:
            return ids(other.view([0x1000]))

    with administrator(filled) as a, concurrent.futures.ThreadPoolExecutor(1) as thread:
        a.call("OpenView", ccvr=0, acvr=[], ccolOut=1, acolOut=[0x1000], ielt=1, celt=1)
        assert thread.submit(all_at_once).result() == [1, 2, 3, 4, 5, 6]
        code, r = a.call("EnumView", ielt=2, celt=1)
        assert code == 0 and ids(read_rows(icertadmind.octets(r["pctbResultRows"]))[0]) == [2]


def test_the_base_interface(filled):
    with administrator(filled, icertadmind.IID_ICertAdminD) as a:
        code, r = a.call("EnumViewColumn", iColumn=0, cColumn=1)
        assert code == 0 and r["pcColumn"] == 1


def test_who_may_not_look(filled):
    filled.ctl("ca", "acl", "deny", "CORP\\bob", "Read", "RequestCertificates")
    with administrator(filled, account="bob") as a:
        assert a.call("EnumViewColumn", iColumn=0, cColumn=1)[0] == DENIED
        assert a.call("OpenView", ccvr=0, acvr=[], ccolOut=1, acolOut=[0x1000], ielt=1, celt=1)[0] == DENIED


def test_views_end_with_their_client(filled):
    for _ in range(20):
        with administrator(filled) as a:
            code, r = a.call("OpenView", ccvr=0, acvr=[], ccolOut=2, acolOut=[0x1000, 0x2001], ielt=1, celt=1)
            assert code == 0 and r["pceltFetched"] == 1
    assert filled.process.poll() is None


# ---- adcsctl view ----

def listed(server, *args):
    return json.loads(server.ctl("view", "--out", "json", *args))


def test_adcsctl_lists(filled):
    rows = listed(filled)
    assert [r["Request.RequestID"] for r in rows] == [1, 2, 3, 4, 5, 6]
    assert rows[1]["SerialNumber"] == f"{filled.issued[2].serial_number:038x}" and rows[1]["CommonName"] == "Bruno"
    by_moment = listed(filled, "--restrict", "NotAfter<=now+3650d,Disposition=20,-CommonName", "--columns", "CommonName")
    assert by_moment == [{"CommonName": "carla"}, {"CommonName": "Bruno"}, {"CommonName": "adele"}]
    assert listed(filled, "--restrict", "NotAfter<now") == []
    assert len(listed(filled, "--restrict", "SubmittedWhen>=2026-06-01T12:00:00Z", "--limit", "2")) == 2
    assert listed(filled, "--restrict", 'RequesterName="corp\\pfxconn01$",RequestID>5', "--columns", "RequestID") == [
        {"Request.RequestID": 6}]
    assert {r["AttributeName"] for r in listed(filled, "--table", "attributes")} >= {"CertificateTemplate", "rmd"}
    assert {r["ExtensionRequestId"] for r in listed(filled, "--table", "extensions", "--restrict", "ExtensionName=2.5.29.15")} >= {
        1, 2, 3, 4}
    assert len(listed(filled, "--table", "crl", "--columns", "all")) >= 2
    assert len(listed(filled, "--columns", "all")[0]) == 81


def test_adcsctl_prints(filled):
    lines = list(csv.reader(filled.ctl("view", "--out", "csv", "--columns", "Request.RequestID,CommonName,NotAfter").splitlines()))
    assert lines[0] == ["Request.RequestID", "CommonName", "NotAfter"] and lines[1][:2] == ["1", "adele"] and len(lines) == 7
    text = filled.ctl("view", "--limit", "1")
    assert text.startswith("Row 1:\n  Request ID: 0x1 (1)\n  Request Disposition: 0x14 (20)\n")


@pytest.mark.parametrize("args", [["--restrict", "NotAfter"], ["--restrict", "Nothing=1"], ["--restrict", "NotAfter<=soon"],
                                  ["--restrict", "Disposition=x"], ["--restrict", '"'], ["--columns", "Nothing"],
                                  ["--table", "nothing"], ["--out", "xml"], ["--limit", "0"],
                                  ["--restrict", "+NotAfter,-RequesterName"], ["--restrict", "RawRequest<00"]])
def test_adcsctl_refuses(filled, args):
    filled.ctl("view", *args, code=2 if args[0] in ("--out", "--limit") else 1)
