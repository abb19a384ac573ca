"""adcsctl with a ticket: kinit fetches it from the server's own KDC, every level bare and in SPNEGO, over DCOM and ICertPassage."""
import json
import os
import re
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

import harness
import krb
import pkcs10

ACCOUNT = "PFXCONN01$"
FRAGMENT = 5840
E_ACCESSDENIED, SEC_E_NO_CREDENTIALS, SEC_E_TARGET_UNKNOWN = "0x80070005", "0x8009030e", "0x80090303"
LEVELS = {"connect": 2, "packet": 4, "integrity": 5, "privacy": 6}


@pytest.fixture(scope="module")
def realm():
    server = harness.Server("--kdc", "--trace", "auth").start()
    import conftest
    conftest.publish_how_to(server)
    server.ctl("template", "duplicate", "User", "--display-name", "Bench", "--subject", "request")
    server.ctl("template", "acl", "grant", "Bench", ACCOUNT, "Read", "Enroll")
    server.ctl("ca", "publish", "Bench")
    yield server
    server.remove()


@pytest.fixture(scope="module")
def ticket(realm):
    with krb.Tickets(realm, ACCOUNT) as tickets:
        yield tickets


def adcsctl(tickets, *args, code=0):
    env = {**os.environ, **tickets.env}
    for name in ("ADCSD_STATE", "ADCSD_PASSWORD"):
        env.pop(name, None)
    done = subprocess.run([str(harness.BUILD / "adcsctl"), "--json", *args], capture_output=True, text=True, timeout=60, env=env,
                          check=False)
    assert done.returncode == code, f"{args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


def ours(server, spn=f"host/{krb.HOST}"):
    return "--config", f"{server.address}:{server.epm_port}\\{harness.CA_NAME}", "--kerberos", "--spn", spn


def logons(server):
    return re.findall(r"CORP\\PFXCONN01\$ by (\S+), level (\d)", server.log())


def enroll(server, tickets, tmp_path, *args, **kwargs):
    return adcsctl(tickets, *args, "enroll", "--template", "IntunePKCS", "--subject", "CN=device", "--out-key", str(tmp_path / "key"),
                   **kwargs)


@pytest.mark.parametrize("auth, package", [("kerberos", "Kerberos"), ("negotiate", "SPNEGO/Kerberos")])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("transport", ["dcom", "icpr"])
def test_levels(realm, ticket, tmp_path, auth, package, level, transport):
    """The CA wants privacy (IF_ENFORCEENCRYPTICERTREQUEST); below it the calls arrive, and are refused with its own code. Over
    DCOM the exporter's hint raises the level."""
    before = len(logons(realm))
    issues = transport == "dcom" or level == "privacy"
    answer = adcsctl(ticket, *ours(realm), "--auth", auth, "--level", level, "enroll", "--transport", transport, "--template",
                     "IntunePKCS", "--subject", "CN=device", "--out-key", str(tmp_path / "key"), code=0 if issues else 1)
    if issues:
        assert answer["disposition"] == "issued"
        shown = realm.json("request", "list", "--state", "issued")["requests"][-1]
        assert shown["requester"] == f"CORP\\{ACCOUNT}"
    else:
        assert answer["dispositionCode"] and E_ACCESSDENIED in answer["hr"].lower()  # in an answer, not a fault
    found = logons(realm)[before:]
    used = LEVELS["privacy"] if issues and transport == "dcom" else LEVELS[level]
    assert found and {name for name, _ in found} == {package} and found[-1][1] == str(used), found
    # GSS_C_CONF_FLAG and GSS_C_INTEG_FLAG are told for what the level needs, and not beyond: Samba's server goes by them
    told = [int(flags, 16) & 0x30 for flags in re.findall(r"Kerberos: PFXCONN01\$@\S+, flags (0x[0-9a-f]+)", realm.log())]
    assert told[-1] == {"connect": 0, "packet": 0x20, "integrity": 0x20, "privacy": 0x30}["privacy" if issues else level]


@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
def test_fragments_each_way(realm, ticket, tmp_path, auth):
    """An answer in fragments, each with a token of its own; a request in fragments arrives whole, since the CA measures it."""
    csr, chain = tmp_path / "csr.pem", tmp_path / "chain"
    ask = ("--auth", auth, "enroll", "--transport", "icpr", "--template", "IntunePKCS", "--csr", str(csr), "--out-chain", str(chain))
    csr.write_bytes(pkcs10.pem(pkcs10.csr(san=[x509.DNSName(f"host{i:04}.contoso.com") for i in range(165)])))
    answer = adcsctl(ticket, *ours(realm), *ask)
    certificate = x509.load_pem_x509_certificate(answer["certificate"].encode())
    assert len(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value) == 165
    assert len(certificate.public_bytes(Encoding.DER)) + chain.stat().st_size > FRAGMENT
    csr.write_bytes(pkcs10.pem(pkcs10.csr(san=[x509.DNSName(f"host{i:04}.contoso.com") for i in range(400)])))
    assert "ESE_RECORD_TOO_BIG" in adcsctl(ticket, *ours(realm), *ask, code=4)["hr"]


@pytest.mark.parametrize("enctype", ["aes128-cts-hmac-sha1-96", "arcfour-hmac"])
@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
def test_other_encryption_types(realm, tmp_path, enctype, auth):
    with krb.Tickets(realm) as tickets:
        conf = tmp_path / "krb5.conf"
        with open(tickets.env["KRB5_CONFIG"], encoding="ascii") as f:
            conf.write_text(f.read().replace("[libdefaults]", f"[libdefaults]\n\tdefault_tgs_enctypes = {enctype}\n"
                                             f"\tdefault_tkt_enctypes = {enctype}\n\tpermitted_enctypes = {enctype}\n"
                                             "\tallow_weak_crypto = true"))
        tickets.env["KRB5_CONFIG"] = str(conf)
        tickets.kinit(ACCOUNT, harness.PASSWORDS[ACCOUNT])
        assert enroll(realm, tickets, tmp_path, *ours(realm), "--auth", auth)["disposition"] == "issued"
        assert enctype in tickets.run("klist", "-e").stdout.replace("DEPRECATED:", "")


def test_other_verbs(realm, ticket):
    assert adcsctl(ticket, *ours(realm), "ca", "show")
    assert adcsctl(ticket, *ours(realm), "--auth", "kerberos", "ca", "cert")


def test_administration(realm, tmp_path):
    """Officers' and administrators' verbs as the account of a ticket, at privacy and, hinted up, from integrity."""
    with krb.Tickets(realm, "Administrator") as tickets:
        over, before = ours(realm), realm.json("ca", "acl", "show")["sddl"]
        assert "ManageCA" in adcsctl(tickets, *over, "ca", "roles")["names"]
        assert adcsctl(tickets, *over, "ca", "acl", "grant", "S-1-5-11", "Read")["sddl"].count("(A;;0x300;;;AU)") == 1
        for auth, level in (("kerberos", "privacy"), ("negotiate", "integrity")):
            as_told = (*over, "--auth", auth, "--level", level)
            told = adcsctl(tickets, *as_told, "ca", "set", "policy\\EditFlags", "+EDITF_ATTRIBUTEENDDATE")["settings"][0]
            assert told["value"] == realm.json("ca", "get", "EditFlags")["settings"][0]["value"] == "0x11016e"
            adcsctl(tickets, *as_told, "ca", "unset", "EditFlags")
            adcsctl(tickets, *as_told, "ca", "officer-rights", "allow", "S-1-5-32-544")
            assert realm.json("ca", "officer-rights", "show")["restricted"]
            assert not adcsctl(tickets, *as_told, "ca", "officer-rights", "clear")["restricted"]
        record = next(r for r in realm.json("journal")["records"] if r["operation"] == "ca.setting.set")
        assert record["caller"] == "CORP\\Administrator" and record["package"].endswith("Kerberos")
        realm.ctl("ca", "acl", "set", "--sddl", before)


def test_bench(realm, ticket):
    bench = ("bench", "--template", "IntunePKCS", "--requests", "12", "--warm-up", "0", "--connections", "3", "--csrs", "2", "--idle", "20")
    for transport in ("icpr", "dcom"):
        told = adcsctl(ticket, "--state", realm.state, "--kerberos", "--spn", f"host/{krb.HOST}", *bench, "--transport", transport)
        assert (told["certificates"], told["failed"], told["idleConnections"]) == (12, 0, 20) and told["authenticationsPerSecond"] > 0


@pytest.mark.parametrize("auth, package", [("ntlm", "NTLM"), ("negotiate", "SPNEGO/NTLM"), ("kerberos", "Kerberos"),
                                           ("kerberos-spnego", "SPNEGO/Kerberos")])
@pytest.mark.parametrize("transport", ["icpr", "dcom"])
def test_bench_as_several(realm, tmp_path, auth, package, transport):
    """The accounts of a file take turns, by their passwords or by tickets got with them; nobody else is asked to log on."""
    who = tmp_path / "who"
    who.write_text("".join(f"CORP\\{name}:{harness.PASSWORDS[name]}\n" for name in ("janedoe", ACCOUNT)))
    how = {"kerberos": ("--auth", "kerberos"), "kerberos-spnego": ("--kerberos",)}.get(auth, ("--auth", auth))
    before = realm.json("request", "list", "--limit", "1000")["requests"][-1:]
    logon = r"CORP\\(\S+) by (\S+), level 6"
    seen = len(re.findall(logon, realm.log()))
    with krb.Tickets(realm) as empty:
        told = adcsctl(empty, "--state", realm.state, *how, "--spn", f"host/{krb.HOST}", "bench", "--template", "Bench", "--requests", "6",
                       "--warm-up", "0", "--connections", "2", "--csrs", "1", "--transport", transport, "--principals", str(who))
    assert (told["certificates"], told["failed"], told["principals"]) == (6, 0, 2)
    rows = realm.json("request", "list", "--after", str(before[0]["id"] if before else 0))["requests"]
    assert {r["requester"] for r in rows} == {"CORP\\janedoe", f"CORP\\{ACCOUNT}"} and len(rows) == 6
    used = set(re.findall(logon, realm.log())[seen:])
    assert used == {("janedoe", package), (ACCOUNT, package)}


@pytest.mark.parametrize("line, why", [("CORP\\janedoe:wrong", "0x8009030c"), ("CORP\\nobody:x", "0x8009030c"), ("janedoe:x", "0x80070057"),
                                       ("", "0x80070057")])
def test_bench_as_nobody(realm, tmp_path, line, why):
    (tmp_path / "who").write_text(line + "\n")
    with krb.Tickets(realm) as empty:
        told = adcsctl(empty, "--state", realm.state, "--kerberos", "--spn", f"host/{krb.HOST}", "bench", "--principals",
                       str(tmp_path / "who"), code=1)
    assert told["error"]["hr"].lower().startswith(why), told


def test_no_ticket(realm, tmp_path):
    with krb.Tickets(realm) as empty:
        answer = enroll(realm, empty, tmp_path, *ours(realm), code=1)
    assert SEC_E_NO_CREDENTIALS in json.dumps(answer).lower()


def test_service_that_the_kdc_does_not_know(realm, ticket, tmp_path):
    answer = enroll(realm, ticket, tmp_path, *ours(realm, "host/elsewhere.contoso.com"), code=1)
    assert SEC_E_TARGET_UNKNOWN in json.dumps(answer).lower()


@pytest.mark.parametrize("more", [("--auth", "ntlm"), ("--user", "CORP\\janedoe"), ("--auth", "digest")])
def test_contradictions(realm, ticket, tmp_path, more):
    answer = enroll(realm, ticket, tmp_path, *ours(realm), *more, code=1)
    assert "0x80070057" in json.dumps(answer).lower()
