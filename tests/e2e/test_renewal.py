"""Renewal of the CA's certificate with the same and with a new key: judged by OpenSSL and GnuTLS."""
import base64
import concurrent.futures
import datetime
import pathlib
import re
import subprocess
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7
from cryptography.x509.oid import AuthorityInformationAccessOID

import harness
import icpr
import pkcs10
import signed_requests
from test_revocation import START, entries, fetch, issue, number, pem, run

CA = "Contoso%20Certification%20Authority"
CA_FILES = [f"ca01.corp.contoso.com_{CA}{s}.crt" for s in ("", "(1)", "(2)", "(3)")]
VERSION = x509.ObjectIdentifier("1.3.6.1.4.1.311.21.1")
PREVIOUS = x509.ObjectIdentifier("1.3.6.1.4.1.311.21.2")
SERVICES = "CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,DC=contoso,DC=com"


@pytest.fixture
def server(fresh):
    return fresh("--clock", START)


def renew(server, *options):
    out = server.json("ca", "renew", *options)
    assert out["published"], out
    return out["certificates"]


def ca_cert(server, index):
    return x509.load_der_x509_certificate(fetch(server, CA_FILES[index]))


def raw(cert, oid):
    return cert.extensions.get_extension_for_oid(oid).value.value


def key(cert):
    return cert.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_id(cert):
    return cert.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest


def authority_key_id(cert):
    return cert.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier


def crl_of(server, suffix="", delta=False):
    return x509.load_der_x509_crl(fetch(server, f"{CA}{suffix}{'+' if delta else ''}.crl"))


def urls(cert):
    points = cert.extensions.get_extension_for_class(x509.CRLDistributionPoints).value[0].full_name
    access = cert.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    return ([p.value for p in points],
            [a.access_location.value for a in access if a.access_method == AuthorityInformationAccessOID.CA_ISSUERS])


def file_of(tmp_path, name, *items):
    """PEM of certificates and CRLs one after the other, as openssl reads them."""
    path = tmp_path / name
    path.write_bytes(b"".join(i.public_bytes(Encoding.PEM) for i in items))
    return str(path)


def openssl_verify(tmp_path, leaf, roots, crls=(), between=(), at=datetime.datetime(2026, 6, 1, 12, 30), code=0):
    args = ["openssl", "verify", "-x509_strict", "-attime", str(int(at.replace(tzinfo=datetime.timezone.utc).timestamp())),
            "-CAfile", file_of(tmp_path, "roots.pem", *roots)]
    if crls:
        args += ["-crl_check", "-CRLfile", file_of(tmp_path, "crls.pem", *crls)]
    if between:
        args += ["-untrusted", file_of(tmp_path, "between.pem", *between)]
    done = run(*args, file_of(tmp_path, "leaf.pem", leaf), code=code)
    return (done.stdout + done.stderr).decode()


def test_with_the_same_key(server, tmp_path):
    (_, before), = issue(server)
    server.ctl("clock", "advance", "365d")
    shown = renew(server)
    (_, after), = issue(server)
    assert [(c["version"], c["index"], c["keyIndex"], c["current"]) for c in shown] == [("V0.0", 0, 0, False), ("V1.0", 1, 0, True)]
    old, new = ca_cert(server, 0), ca_cert(server, 1)
    assert key(old) == key(new) and old.subject == new.subject == new.issuer and old.serial_number != new.serial_number
    assert raw(old, VERSION) == b"\x02\x01\x00" and raw(new, VERSION) == b"\x02\x01\x01"
    assert raw(new, PREVIOUS) == b"\x04\x14" + old.fingerprint(hashes.SHA1())
    assert PREVIOUS not in [e.oid for e in old.extensions]
    assert new.not_valid_after > old.not_valid_after
    assert new.fingerprint(hashes.SHA1()).hex() == shown[1]["sha1"] == server.json("ca", "show")["sha1"]
    # the key's lists are one: for both certificates, before and after
    assert authority_key_id(before) == authority_key_id(after) == key_id(new)
    assert urls(before)[0] == urls(after)[0], "the key has its CDP"
    assert urls(after)[1] == [u.replace(".crt", "(1).crt") if u.startswith("http") else u for u in urls(before)[1]]
    assert sorted(p.name for p in (pathlib.Path(server.state) / "CertEnroll").iterdir()) == [
        "Contoso Certification Authority+.crl", "Contoso Certification Authority.crl",
        "ca01.corp.contoso.com_Contoso Certification Authority(1).crt",
        "ca01.corp.contoso.com_Contoso Certification Authority.crt"]
    base = crl_of(server)
    assert raw(base, VERSION) == b"\x02\x01\x01", "of the newest certificate of the key"
    at = datetime.datetime(2027, 6, 1, 12, 30)
    for leaf in (before, after):
        for root in (old, new):
            assert "OK" in openssl_verify(tmp_path, leaf, [root], [base], at=at)


def test_with_a_new_key(server, tmp_path):
    (old_id, before), (_, good) = issue(server, 2)
    shown = renew(server, "--new-key", "--key", "P-256", "--validity", "10 Years")
    (new_id, after), = issue(server)
    assert [c["version"] for c in shown] == ["V0.0", "V1.1"] and shown[1]["key"] == "P-256"
    old, new = ca_cert(server, 0), ca_cert(server, 1)
    assert key(old) != key(new) and old.subject == new.subject
    assert raw(new, VERSION) == b"\x02\x03\x01\x00\x01"
    assert raw(new, PREVIOUS) == b"\x04\x14" + old.fingerprint(hashes.SHA1())
    assert new.not_valid_after == datetime.datetime(2036, 6, 1, 11, 50)
    assert authority_key_id(before) == key_id(old) and authority_key_id(after) == key_id(new)
    cdp, aia = urls(after)
    assert cdp[0].startswith("ldap:///CN=Contoso%20Certification%20Authority(1),CN=ca01,CN=CDP,")
    assert cdp[1].endswith(f"/{CA}(1).crl") and aia[1].endswith("(1).crt")
    assert aia[0].startswith("ldap:///CN=Contoso%20Certification%20Authority,CN=AIA,"), "one object for all"

    # revoked under either key: on that key's list, and on no other
    for request_id in (old_id, new_id):
        server.ctl("request", "revoke", str(request_id), "--reason", "keyCompromise")
    server.ctl("crl", "publish")
    lists = [crl_of(server), crl_of(server, "(1)")]
    deltas = [crl_of(server, delta=True), crl_of(server, "(1)", delta=True)]
    assert len({number(c) for c in lists + deltas}) == 1, "all of one publication share their number (MS-CSRA 3.1.4.1.6)"
    assert [entries(c) for c in lists] == [{before.serial_number: "keyCompromise"}, {after.serial_number: "keyCompromise"}]
    assert [entries(c) for c in deltas] == [entries(c) for c in lists]
    assert [authority_key_id(c) for c in lists] == [key_id(old), key_id(new)]
    assert [raw(c, VERSION) for c in lists] == [b"\x02\x01\x00", b"\x02\x03\x01\x00\x01"]
    freshest = lists[1].extensions.get_extension_for_class(x509.FreshestCRL).value[0].full_name
    assert "Authority(1)," in freshest[0].value
    assert "OK" in openssl_verify(tmp_path, good, [old], [lists[0]])
    assert "certificate revoked" in openssl_verify(tmp_path, before, [old], [lists[0]], code=2)
    assert "certificate revoked" in openssl_verify(tmp_path, after, [new], [lists[1]], code=2)
    assert "unable to get" in openssl_verify(tmp_path, good, [new], [lists[1]], code=2), "another key's certificate"
    for ca, revocation in zip((old, new), lists):
        done = run("openssl", "crl", "-in", file_of(tmp_path, "crl.pem", revocation), "-CAfile",
                   file_of(tmp_path, "ca.pem", ca), "-noout", "-verify")
        assert b"verify OK" in done.stderr
    assert [c["keyIndex"] for c in server.json("crl", "show")["crls"] if c["number"] == number(lists[0])] == [0, 0, 1, 1]
    for index, revocation in enumerate(lists):
        got = server.ctl("crl", "get", "--key", str(index), "--der", text=False)
        assert got == revocation.public_bytes(Encoding.DER)


def test_cross_certificates(server, tmp_path):
    """Whoever trusts one key finds the way to the other one; OpenSSL and certtool agree."""
    (_, before), = issue(server)
    renew(server, "--new-key")
    (_, after), = issue(server)
    old, new = ca_cert(server, 0), ca_cert(server, 1)
    forward = x509.load_der_x509_certificate(fetch(server, f"ca01.corp.contoso.com_{CA}(0-1).crt"))
    backward = x509.load_der_x509_certificate(fetch(server, f"ca01.corp.contoso.com_{CA}(1-0).crt"))
    assert key(forward) == key(new) and authority_key_id(forward) == key_id(old)
    assert key(backward) == key(old) and authority_key_id(backward) == key_id(new)
    for cross, subject in ((forward, new), (backward, old)):
        assert cross.subject == cross.issuer == old.subject and key_id(cross) == key_id(subject)
        assert raw(cross, x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2")) == b"\x1e\x0e" + "CrossCA".encode("utf-16-be")
        assert raw(cross, VERSION) == raw(subject, VERSION)
        basic = cross.extensions.get_extension_for_class(x509.BasicConstraints)
        assert basic.critical and basic.value.ca and basic.value.path_length is None
        assert cross.not_valid_after <= min(old.not_valid_after, new.not_valid_after)
    lists = [crl_of(server), crl_of(server, "(1)")]
    assert "OK" in openssl_verify(tmp_path, after, [old], lists, [forward])
    assert "OK" in openssl_verify(tmp_path, before, [new], lists, [backward])
    assert "unable to get" in openssl_verify(tmp_path, after, [old], lists, [backward], code=2)
    # a cross certificate is a row of its own, and can be revoked
    rows = [r for r in server.json("request", "list")["requests"] if r.get("template") == "CrossCA"]
    assert [r["state"] for r in rows] == ["issued", "issued"]
    assert [int(r["serial"], 16) for r in rows] == [forward.serial_number, backward.serial_number]
    for row, version in zip(rows, (0, 0x10001)):
        columns = server.json("request", "show", str(row["id"]))["columns"]
        assert columns["IssuerNameId"] == version and columns["Request.RequestFlags"] == 0x84
        assert columns["Request.RequesterName"] == "CORP\\CA01$"
    server.ctl("request", "revoke", str(rows[0]["id"]))
    server.ctl("crl", "publish")
    assert [list(entries(c)) for c in (crl_of(server), crl_of(server, "(1)"))] == [[forward.serial_number], []]
    own = [r for r in server.json("request", "list")["requests"] if r["state"] == "caCertificate"]
    assert [int(r["serial"], 16) for r in own] == [new.serial_number]
    assert server.json("request", "revoke", str(own[0]["id"]), code=1)["error"]["hr"].startswith("0x8007000d")


def test_certtool_agrees_on_real_time(fresh, tmp_path):
    server = fresh()
    (old_id, before), (_, good) = issue(server, 2)
    renew(server, "--new-key", "--key", "RSA-3072")
    (_, after), = issue(server)
    server.ctl("request", "revoke", str(old_id))
    server.ctl("crl", "publish")
    old, new = ca_cert(server, 0), ca_cert(server, 1)
    forward = x509.load_der_x509_certificate(fetch(server, f"ca01.corp.contoso.com_{CA}(0-1).crt"))

    def verify(chain, roots, suffix, code):
        """GnuTLS takes the last list of an issuer's name, whatever key it is of: it gets the right one alone."""
        return run("certtool", "--verify", "--verify-profile", "low", "--load-ca-certificate",
                   file_of(tmp_path, "roots.pem", *roots), "--load-crl", file_of(tmp_path, "crl.pem", crl_of(server, suffix)),
                   "--infile", file_of(tmp_path, "chain.pem", *chain), code=code)

    verify([good], [old], "", 0)
    verify([after], [new], "(1)", 0)
    verify([after, forward], [old], "(1)", 0)
    verify([good], [new], "", 1)
    assert b"revoked" in verify([before], [old], "", 1).stdout
    for name in CA_FILES[:2]:
        text = run("certtool", "--certificate-info", "--inder", input=fetch(server, name)).stdout.decode()
        assert "Certificate Authority (CA): TRUE" in text


def test_versions_of_many_renewals(server):
    """MS-WCCE 3.2.1.4.3.2.39: a key's index is that of the first certificate with it."""
    shown = []
    for option in ([], ["--new-key", "--key", "P-256"], [], ["--new-key", "--key", "P-384"]):
        shown = renew(server, *option)
    assert [(c["index"], c["keyIndex"]) for c in shown] == [(0, 0), (1, 0), (2, 2), (3, 2), (4, 4)]
    assert [(c["forwardCross"], c["backwardCross"]) for c in shown] == [
        (False, False), (True, False), (False, True), (True, False), (False, True)]
    versions = [int.from_bytes(raw(ca_cert(server, i), VERSION)[2:], "big") for i in range(4)]
    assert versions == [0, 1, 0x20002, 0x20003]
    (request_id, after), = issue(server)
    assert urls(after)[0][1].endswith("(4).crl") and urls(after)[1][1].endswith("(4).crt")
    serial = f"{after.serial_number:038x}"
    assert serial[26:30] == "0004", "the certificate's index is in the serial number"
    assert server.json("request", "show", str(request_id))["columns"]["IssuerNameId"] == 0x40004
    names = {p.name for p in (pathlib.Path(server.state) / "CertEnroll").glob("*.crl")}
    assert names == {f"Contoso Certification Authority{s}{d}.crl" for s in ("", "(2)", "(4)") for d in ("", "+")}


def values(server, dn, attribute):
    out = run("ldapsearch", "-Q", "-LLL", "-o", "ldif-wrap=no", "-Y", "EXTERNAL", "-H", server.ldapi, "-b", dn, "-s", "base",
              attribute).stdout.decode()
    return [base64.b64decode(v) for v in re.findall(rf"^{attribute}(?:;binary)?:: (\S+)", out, re.M)]


def test_directory_objects(server):
    renew(server)
    renew(server, "--new-key")
    certs = [fetch(server, name) for name in CA_FILES[:3]]
    name = "CN=Contoso Certification Authority"
    assert values(server, f"{name},CN=Enrollment Services,{SERVICES}", "cACertificate") == certs[2:]
    for dn in (f"{name},CN=AIA,{SERVICES}", f"{name},CN=Certification Authorities,{SERVICES}",
               f"CN=NTAuthCertificates,{SERVICES}"):
        assert sorted(values(server, dn, "cACertificate")) == sorted(certs), dn
    pair, = values(server, f"{name},CN=AIA,{SERVICES}", "crossCertificatePair")
    forward = fetch(server, f"ca01.corp.contoso.com_{CA}(1-2).crt")
    backward = fetch(server, f"ca01.corp.contoso.com_{CA}(2-1).crt")
    assert pair[:1] == b"\x30" and pair.endswith(backward) and forward in pair
    for suffix in ("", "(2)"):
        dn = f"{name}{suffix},CN=ca01,CN=CDP,{SERVICES}"
        assert values(server, dn, "certificateRevocationList") == [fetch(server, f"{CA}{suffix}.crl")]
        assert values(server, dn, "deltaRevocationList") == [fetch(server, f"{CA}{suffix}+.crl")]


@pytest.fixture
def configured(fresh, tmp_path):
    """A server with some lines of the sample settings changed."""
    def make(**lines):
        text = (pathlib.Path(__file__).parents[2] / "ca" / "contoso.ini").read_text()
        for name, value in lines.items():
            text, n = re.subn(rf"^;?{name} = .*$", f"{name} = {value}", text, flags=re.M)
            assert n == 1, name
        config = tmp_path / "ca.ini"
        config.write_text(text)
        config.chmod(0o644)
        return fresh("--clock", START, "--config", str(config))
    return make


def test_no_cross_certificates_where_they_are_disabled(configured):
    server = configured(CRLFlags="CRLF_DELETE_EXPIRED_CRLS | CRLF_DISABLE_ROOT_CROSS_CERTS", RenewalKeyLength="3072")
    shown = renew(server, "--new-key")
    assert shown[1]["key"] == "RSA-3072" and not shown[0]["forwardCross"]
    assert not list((pathlib.Path(server.state) / "CertEnroll").glob("*(0-1)*"))
    assert not values(server, f"CN=Contoso Certification Authority,CN=AIA,{SERVICES}", "crossCertificatePair")


def test_chains_hold_the_certificate_that_signed(server):
    (old_id, before), = issue(server)
    renew(server, "--new-key", "--key", "P-256")
    old, new = ca_cert(server, 0), ca_cert(server, 1)
    with icpr.Client(server, "Administrator", harness.PASSWORDS["Administrator"]) as c:
        answer = c.request(pkcs10.csr(name=pkcs10.subject(cn="device")), "CertificateTemplate:WebServer")
        assert set(pkcs7.load_der_pkcs7_certificates(answer.chain)) == {
            new, x509.load_der_x509_certificate(answer.certificate)}
        assert set(pkcs7.load_der_pkcs7_certificates(c.retrieve(old_id).chain)) == {old, before}
        full = c.request(pkcs10.csr(name=pkcs10.subject(cn="full")), "CertificateTemplate:WebServer", flags=0x40000)
        assert new in pkcs7.load_der_pkcs7_certificates(full.chain)


def test_pending_requests_get_the_newest_certificate(configured):
    server = configured(RequestDisposition="0x101")
    with icpr.Client(server, "Administrator", harness.PASSWORDS["Administrator"]) as c:
        waiting = c.request(pkcs10.csr(name=pkcs10.subject(cn="waits")), "CertificateTemplate:WebServer")
        assert waiting.disposition == icpr.CR_DISP_UNDER_SUBMISSION
        renew(server, "--new-key", "--key", "P-256")
        server.ctl("request", "issue", str(waiting.request_id))
        issued = c.retrieve(waiting.request_id)
    assert authority_key_id(x509.load_der_x509_certificate(issued.certificate)) == key_id(ca_cert(server, 1))


def test_nothing_outlives_the_certificate_that_signs_it(server):
    """Clipped to the CA's end; a renewed CA gives the whole period again."""
    server.ctl("clock", "advance", "1500d")  # of 5 years
    (_, clipped), = issue(server)
    assert clipped.not_valid_after == ca_cert(server, 0).not_valid_after
    renew(server)
    (_, whole), = issue(server)
    assert whole.not_valid_after - whole.not_valid_before == datetime.timedelta(days=730)
    assert whole.not_valid_after <= ca_cert(server, 1).not_valid_after


def test_an_expired_ca_is_renewed(server):
    server.ctl("clock", "advance", "1900d")
    with icpr.Client(server, "Administrator", harness.PASSWORDS["Administrator"]) as c:
        assert c.request(pkcs10.csr(name=pkcs10.subject(cn="late")), "CertificateTemplate:WebServer").disposition == 0x800B0101
    renew(server)
    (_, cert), = issue(server)
    assert cert.not_valid_before > ca_cert(server, 0).not_valid_after


def test_requests_during_renewals(server, tmp_path):
    """Whichever certificate answers a request: its AKI, its chain, its CDP and its row are of that one."""
    stop, came, issued = threading.Event(), threading.Condition(), []

    def enroll(number):
        with icpr.Client(server, "Administrator", harness.PASSWORDS["Administrator"]) as c:
            while not stop.is_set():
                answer = c.request(pkcs10.csr(name=pkcs10.subject(cn=f"device {number}")), "CertificateTemplate:WebServer")
                assert answer.disposition == icpr.CR_DISP_ISSUED
                with came:
                    issued.append(answer)
                    came.notify()

    def some_more():
        """Twice as many as may be under way: half of them were asked for after this call."""
        with came:
            enough = len(issued) + 2 * 4
            assert came.wait_for(lambda: len(issued) >= enough, 120), "no client gets anything"

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(enroll, i) for i in range(4)]
        try:
            some_more()
            for _ in range(3):
                renew(server, "--new-key", "--key", "P-256")
                some_more()
        finally:
            stop.set()
        for c in clients:
            c.result()
    cas = [ca_cert(server, i) for i in range(4)]
    by_key = {key_id(ca): i for i, ca in enumerate(cas)}
    seen = set()
    for answer in issued:
        leaf = x509.load_der_x509_certificate(answer.certificate)
        index = by_key[authority_key_id(leaf)]
        seen.add(index)
        assert set(pkcs7.load_der_pkcs7_certificates(answer.chain)) == {cas[index], leaf}
        assert urls(leaf)[0][1].endswith(f"{CA}({index}).crl" if index else f"{CA}.crl")
        assert f"{leaf.serial_number:038x}"[26:30] == f"{index:04x}"
        assert server.json("request", "show", str(answer.request_id))["columns"]["IssuerNameId"] == index << 16 | index
    assert seen == {0, 1, 2, 3}
    for index in seen:
        leaf = next(c for c in (x509.load_der_x509_certificate(a.certificate) for a in issued) if authority_key_id(c) == key_id(cas[index]))
        assert "OK" in openssl_verify(tmp_path, leaf, [cas[index]])


def test_a_seed_repeats_a_renewal(fresh):
    made = []
    for _ in range(2):
        server = fresh("--clock", START, "--seed", "11")
        renew(server, "--new-key", "--key", "P-256")
        renew(server)
        server.ctl("clock", "advance", "1d")
        made.append({p.name: p.read_bytes() for p in (pathlib.Path(server.state) / "CertEnroll").iterdir()})
    assert made[0].keys() == made[1].keys()
    assert [n for n in made[0] if made[0][n] != made[1][n]] == []


def test_an_expired_key_has_no_more_lists(server):
    (request_id, before), = issue(server)
    renew(server, "--new-key", "--key", "P-256", "--validity", "20 Years")
    server.ctl("clock", "advance", "1820d")
    last = number(crl_of(server))
    assert last == number(crl_of(server, "(1)"))
    server.ctl("clock", "advance", "40d")  # the first certificate has ended
    assert number(crl_of(server, "(1)")) > number(crl_of(server))
    assert [c["state"] for c in server.json("ca", "show")["certificates"]] == ["expired", "valid"]
    server.ctl("crl", "publish")
    assert {c["keyIndex"] for c in server.json("crl", "publish")["crls"]} == {1}


def snapshot(server):
    return {p.name: p.read_bytes() for p in pathlib.Path(server.state).glob("ca*.[kc]*")}


def test_kept_over_restarts_and_kills(fresh):
    server = fresh("--clock", START)
    (old_id, _), = issue(server)
    renew(server, "--new-key", "--key", "P-256")
    server.kill()
    run("flock", "--wait", "60", f"{server.state}/lock", "true")
    server.start()
    assert [c["version"] for c in server.json("ca", "show")["certificates"]] == ["V0.0", "V1.1"]
    (_, after), = issue(server)
    assert authority_key_id(after) == key_id(ca_cert(server, 1))
    server.ctl("request", "revoke", str(old_id))
    server.ctl("crl", "publish")
    assert [len(entries(c)) for c in (crl_of(server), crl_of(server, "(1)"))] == [1, 0]
    server.stop()
    before = snapshot(server)
    server.start()
    renew(server)
    assert {n: v for n, v in snapshot(server).items() if n in before} == before, "what there was stays"


def test_killed_in_the_middle(fresh):
    """Whenever the server is killed, the next one has either the old certificates or the new one whole."""
    server = fresh("--clock", START)
    for delay in (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12):
        had = len(server.json("ca", "show")["certificates"])
        with subprocess.Popen([str(harness.BUILD / "adcsctl"), "--state", server.state, "ca", "renew", "--new-key", "--key", "P-256"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as client:
            try:
                client.wait(delay)
            except subprocess.TimeoutExpired:
                pass
            server.kill()
        run("flock", "--wait", "60", f"{server.state}/lock", "true")
        server.start()
        shown = server.json("ca", "show")["certificates"]
        assert len(shown) in (had, had + 1)
        (_, leaf), = issue(server)
        last = x509.load_der_x509_certificate(fetch(server, f"ca01.corp.contoso.com_{CA}({len(shown) - 1}).crt"
                                                    if len(shown) > 1 else CA_FILES[0]))
        assert authority_key_id(leaf) == key_id(last)
        assert number(crl_of(server, f"({len(shown) - 1})" if len(shown) > 1 else "")) > 0


def test_leftovers_of_a_renewal_that_never_counted(fresh):
    server = fresh("--clock", START)
    server.stop()
    state = pathlib.Path(server.state)
    (state / "ca(1).key").write_text("half a key")
    (state / "ca(1).crt").write_text("half a certificate")
    server.start()
    assert len(server.json("ca", "show")["certificates"]) == 1
    assert renew(server)[1]["version"] == "V1.0", "the same key, whatever lay there"
    assert (state / "ca(1).key.unused").read_text() == "half a key"


def test_a_certificate_that_is_not_the_databases(fresh):
    server = fresh("--clock", START)
    renew(server)
    server.stop()
    state = pathlib.Path(server.state)
    (state / "ca(1).crt").write_bytes((state / "ca.crt").read_bytes())
    done = subprocess.run(server.command(), capture_output=True, timeout=60, check=False)
    assert done.returncode != 0 and b"CACertHash" in done.stderr
    (state / "ca(1).crt").unlink()
    done = subprocess.run(server.command(), capture_output=True, timeout=60, check=False)
    assert done.returncode != 0 and b"ca(1).crt" in done.stderr


def test_refused(server):
    def refused(*args):
        return server.json("ca", "renew", *args, code=1)["error"]["message"]

    assert "P-256" in refused("--new-key", "--key", "DSA-1024")
    assert "new key" in refused("--key", "P-256")
    assert "Fortnights" in refused("--validity", "3 Fortnights")
    server.ctl("ca", "renew", "--validity", "Years", code=2)
    server.ctl("ca", "renew", "--validity", "3", code=2)
    assert len(server.json("ca", "show")["certificates"]) == 1


def test_expired_certificates_stay_where_the_flag_says_so(configured):
    server = configured(CRLFlags="CRLF_DELETE_EXPIRED_CRLS | CRLF_PUBLISH_EXPIRED_CERT_CRLS")
    (request_id, cert), = issue(server)
    server.ctl("request", "revoke", str(request_id))
    for _ in range(3):
        server.ctl("clock", "advance", "370d")
    server.ctl("crl", "publish")
    assert cert.not_valid_after < crl_of(server).last_update and list(entries(crl_of(server))) == [cert.serial_number]


def test_one_expired_certificate_stays(server):
    """The column PublishExpiredCertInCRL; RevokeCertificate's reasons 0xfffffffe and 0xfffffffd set it."""
    (kept, cert), (left, _) = issue(server, 2)
    for request_id in (kept, left):
        server.ctl("request", "revoke", str(request_id))
    server.ctl("request", "publish-expired", "--serial", f"{cert.serial_number:x}")
    for _ in range(3):
        server.ctl("clock", "advance", "370d")
    server.ctl("crl", "publish")
    assert list(entries(crl_of(server))) == [cert.serial_number]
    server.ctl("request", "publish-expired", str(kept), "--off")
    server.ctl("crl", "publish")
    assert entries(crl_of(server)) == {}


def test_valid_or_not(server):
    """IsValidCertificate, MS-CSRA 3.1.4.1.5."""
    (first, cert), = issue(server)
    serial = f"{cert.serial_number:038x}"

    def state():
        o = server.json("request", "valid", serial)
        return o["disposition"], o["state"], o.get("reason")

    assert state() == (3, "valid", None)
    server.ctl("request", "revoke", str(first), "--reason", "keyCompromise", "--at", "2026-06-03T00:00:00Z")
    assert state() == (3, "valid", None), "not yet"
    server.ctl("clock", "advance", "2d")
    assert state() == (2, "revoked", "keyCompromise")
    renew(server, "--new-key", "--key", "P-256")
    assert state() == (2, "revoked", "keyCompromise"), "whatever key signed it"
    assert server.json("request", "valid", "4711")["disposition"] == 4
    assert server.ctl("request", "valid", serial) == "revoked: keyCompromise\n"


def test_certificates_by_index(server, tmp_path):
    renew(server, "--new-key", "--key", "P-256")
    for index in range(2):
        assert server.ctl("ca", "cert", "--index", str(index), "--der", text=False) == fetch(server, CA_FILES[index])
    assert server.ctl("ca", "cert", "--der", text=False) == fetch(server, CA_FILES[1])
    server.ctl("ca", "cert", "--index", "2", code=1)


def test_deltas_of_the_oldest_base(configured):
    """CRLF_DELTA_USE_OLDEST_UNEXPIRED_BASE: whoever has any list that is valid can use the delta."""
    for flags, base in (("CRLF_DELETE_EXPIRED_CRLS", 2),
                        ("CRLF_DELETE_EXPIRED_CRLS | CRLF_DELTA_USE_OLDEST_UNEXPIRED_BASE", 1)):
        server = configured(CRLFlags=flags)
        server.ctl("crl", "publish")
        server.ctl("clock", "advance", "20h")
        server.ctl("crl", "publish", "--delta")
        assert crl_of(server, delta=True).extensions.get_extension_for_class(x509.DeltaCRLIndicator).value.crl_number == base


def test_the_last_delta(configured, fresh):
    """CPF_SHADOW: deltas are disabled; one more goes with the next base, and then no other."""
    server = configured()
    server.stop()
    settings = pathlib.Path(server.state) / "ca.ini"
    text, n = re.subn(r"^CRLDeltaPeriodUnits = 1$", "CRLDeltaPeriodUnits = 0", settings.read_text(), flags=re.M)
    assert n == 1
    settings.write_text(text)
    server.args = tuple(a for a in server.args if a != "--config" and not a.endswith("ca.ini"))
    server.start()
    shadow = [c for c in server.json("crl", "publish")["crls"] if c["type"] == "delta"]
    assert len(shadow) == 1 and shadow[0]["flags"] & 0x8 and shadow[0]["minBase"] == shadow[0]["number"]
    assert number(crl_of(server, delta=True)) == shadow[0]["number"]
    assert [c["type"] for c in server.json("crl", "publish")["crls"]] == ["base"]


def test_publish_until(server):
    """PublishCRL's FILETIME (MS-CSRA 3.1.4.1.6): that time, the overlap and the clock skew."""
    server.ctl("crl", "publish", "--until", "2026-06-20T00:00:00Z")
    base = crl_of(server)
    assert base.next_update == datetime.datetime(2026, 6, 20, 12, 20)
    assert server.json("crl", "publish", "--until", "2026-05-01T00:00:00Z", code=1)["error"]["hr"].startswith("0x80070057")


def test_a_signer_of_an_earlier_key(server):
    """A certificate from before the renewal still authorises: here its own renewal."""
    with icpr.Client(server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
        private = pkcs10.rsa_key()
        first = c.request(pkcs10.csr(private, name=pkcs10.subject(cn="old")), "CertificateTemplate:User")
        assert first.disposition == icpr.CR_DISP_ISSUED
        renew(server, "--new-key", "--key", "P-256")
        old = x509.load_der_x509_certificate(first.certificate)
        answer = c.request(signed_requests.windows_renewal(pkcs10.rsa_key(number=1), private, old), "CertificateTemplate:User")
    assert answer.disposition == icpr.CR_DISP_ISSUED, answer.message
    assert authority_key_id(x509.load_der_x509_certificate(answer.certificate)) == key_id(ca_cert(server, 1))
