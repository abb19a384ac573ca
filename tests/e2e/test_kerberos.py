"""Kerberos with impacket's and Samba's clients: tickets of the server's own KDC, and made ones for what no KDC gives out."""
import base64
import contextlib
import datetime
import json
import os
import pathlib
import re
import select
import shutil
import socket
import struct
from unittest import mock

import pytest
from impacket.dcerpc.v5 import dcomrt, transport
from impacket.dcerpc.v5.rpcrt import DCERPCException
from impacket.krb5 import kerberosv5

import dcom
import harness
import icpr
import krb
import pkcs10

from test_enroll import E_ACCESSDENIED, TEMPLATE, check_issued

CONNECTOR = "PFXCONN01$"
SEC_E_TIME_SKEW, SEC_E_WRONG_PRINCIPAL, SEC_E_CONTEXT_EXPIRED = 0x80090324, 0x80090322, 0x80090317
SEC_E_LOGON_DENIED, SEC_E_INVALID_TOKEN = 0x8009030C, 0x80090308
E_ACCOUNT_DISABLED, E_INVALID_DATA, E_LOGON_FAILURE = 0x80070533, 0x8007000D, 0x8007052E
CERTSRV_E_TEMPLATE_DENIED = 0x80094012
FRAGMENT = 5840
SERVER = "CertificateTemplate:WebServer"  # for Domain Admins and Enterprise Admins only


@pytest.fixture(scope="module")
def realm():
    server = harness.Server("--kdc").start()
    import conftest
    conftest.publish_how_to(server)
    yield server
    server.remove()


@pytest.fixture(scope="module")
def connector(realm):
    with krb.Tickets(realm, CONNECTOR) as tickets:
        tickets.service()
        yield tickets


def refusals(server):
    """(account, HRESULT, reason) of the journal's refused logons."""
    records = map(json.loads, (pathlib.Path(server.state) / "journal.jsonl").read_text().splitlines())
    return [r for r in records if "logon-refused" in json.dumps(r)]


def refused(server, act, hresult, words=""):
    before = len(refusals(server))
    with pytest.raises((DCERPCException, ConnectionError)):
        act()
    found = refusals(server)[before:]
    text = json.dumps(found)
    assert len(found) == 1 and (f"{hresult:08x}" in text.lower() or str(hresult) in text) and words in text, text


# ---- impacket ----

def test_impacket_enrols(realm, connector):
    with krb.impacket(realm, account=CONNECTOR) as c:
        for _ in range(3):
            check_issued(c.request(pkcs10.csr(), TEMPLATE))
        shown = realm.ctl("request", "explain", str(c.request(pkcs10.csr(), TEMPLATE).request_id))
    assert CONNECTOR in shown


@pytest.mark.parametrize("level", ["connect", "integrity"])
def test_impacket_below_privacy(realm, connector, level):
    with krb.signing_mended(), krb.impacket(realm, level, account=CONNECTOR) as c:
        for _ in range(3):
            assert c.request(pkcs10.csr(), TEMPLATE).code == E_ACCESSDENIED


def test_impacket_signs_nothing_at_packet_level(realm, connector):
    with krb.impacket(realm, "packet", account=CONNECTOR) as c, pytest.raises(DCERPCException, match="proto_error"):
        c.request(pkcs10.csr(), TEMPLATE)


def test_impacket_fragments(realm, connector):
    from cryptography import x509
    request = pkcs10.pem(pkcs10.csr(san=[x509.DNSName(f"host{i:04}.contoso.com") for i in range(165)]))
    with krb.impacket(realm, account=CONNECTOR, fragment=1024) as c:
        check_issued(c.request(request, TEMPLATE))
        assert len(c.fragments) > 1


@pytest.mark.parametrize("service", [f"{c}/{h}" for c in ("HOST", "host", "RPCSS", "cifs", "HTTP", "ldap", "RestrictedKrbHost")
                                     for h in (krb.HOST, "CA01", "ca01")])
def test_any_service_of_the_keytab(realm, connector, service):
    with krb.impacket(realm, ticket=connector.service(service), account=CONNECTOR) as c:
        assert c.retrieve(4711).code == 0x80094004


# ---- Samba, which checks every signature of ours ----

LEVELS = ["connect", "packet", "sign", "seal"]
MECHANISMS = ["krb5", "spnego"]


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("level", LEVELS)
def test_samba_management(realm, connector, level, mechanism):
    c = krb.Samba(realm, connector, f"{level},{mechanism}").mgmt
    assert c.is_server_listening() == (0, 1)
    short = c.request(0, b"")
    assert c.request(0, b"\0" * 5 * FRAGMENT) == short  # in fragments


@pytest.mark.parametrize("level", ["connect", "packet", "sign"])
def test_samba_below_privacy(realm, connector, level):
    assert krb.Samba(realm, connector, f"{level},spnego").request(pkcs10.csr(), TEMPLATE).code == E_ACCESSDENIED


def test_samba_enrols(realm, connector):
    from cryptography import x509
    c = krb.Samba(realm, connector, "seal,spnego")
    for _ in range(3):
        check_issued(c.request(pkcs10.csr(), TEMPLATE))
    request = pkcs10.pem(pkcs10.csr(san=[x509.DNSName(f"host{i:04}.contoso.com") for i in range(165)]))
    answer = c.request(request, TEMPLATE)
    assert len(answer.certificate) + len(answer.chain) > FRAGMENT
    check_issued(answer)


def test_packages_in_the_log(realm, connector):
    krb.Samba(realm, connector, "seal,krb5").mgmt.is_server_listening()
    krb.Samba(realm, connector, "seal,spnego").mgmt.is_server_listening()
    said = re.findall(r"CORP\\PFXCONN01\$ by (\S+), level 6", realm.log())
    assert said[-2:] == ["Kerberos", "SPNEGO/Kerberos"]


def test_tokens_are_those_of_ntlm(realm, connector):
    """The same rights by either way: groups come from the directory when the ticket's PAC has none."""
    with krb.Tickets(realm, "bob") as bob:
        bob.service()
        with krb.impacket(realm, account="bob") as c:
            by_ticket = [c.request(pkcs10.csr(), t) for t in (TEMPLATE, SERVER)]
    with icpr.Client(realm, "bob", harness.PASSWORDS["bob"]) as c:
        by_password = [c.request(pkcs10.csr(), t) for t in (TEMPLATE, SERVER)]
    assert [a.disposition for a in by_ticket] == [a.disposition for a in by_password] == [3, CERTSRV_E_TEMPLATE_DENIED]


@contextlib.contextmanager
def only(realm, enctype):
    """A client that knows one type of encryption."""
    with krb.Tickets(realm) as tickets:
        conf = pathlib.Path(tickets.folder.name) / "krb5.conf"
        text = pathlib.Path(tickets.env["KRB5_CONFIG"]).read_text()
        conf.write_text(text.replace("[libdefaults]", f"[libdefaults]\n\tdefault_tgs_enctypes = {enctype}\n"
                                     f"\tdefault_tkt_enctypes = {enctype}\n\tpermitted_enctypes = {enctype}\n\tallow_weak_crypto = true"))
        tickets.env["KRB5_CONFIG"] = os.environ["KRB5_CONFIG"] = str(conf)
        yield tickets


@pytest.mark.parametrize("enctype", ["aes128-cts-hmac-sha1-96", "arcfour-hmac"])
@pytest.mark.parametrize("options", ["sign,krb5", "seal,krb5", "sign,spnego", "seal,spnego"])
def test_other_encryption_types(realm, enctype, options):
    with only(realm, enctype) as tickets:
        tickets.kinit(CONNECTOR, harness.PASSWORDS[CONNECTOR])
        tickets.service()
        assert enctype in tickets.run("klist", "-e").stdout.replace("DEPRECATED:", "")
        c = krb.Samba(realm, tickets, options).mgmt
        for _ in range(3):
            assert c.is_server_listening() == (0, 1)


# ---- DCOM ----

@contextlib.contextmanager
def by_name(server):
    """The host's name leads to the server."""
    real = socket.getaddrinfo

    def resolve(host, *args, **options):
        return real(server.address if host == krb.HOST else host, *args, **options)
    with mock.patch.object(socket, "getaddrinfo", resolve):
        yield


@pytest.mark.parametrize("method, iid", [("submit", dcom.IID_ICertRequestD), ("submit2", dcom.IID_ICertRequestD2)])
def test_dcom(realm, connector, method, iid):
    """Activation and the object exporter, each connection with an authenticator of its own."""
    before = realm.log().count(f"{CONNECTOR} by SPNEGO/Kerberos, level 6")
    with by_name(realm), dcom.Connection(realm, CONNECTOR, "", krb.REALM, target=krb.HOST, doKerberos=True,
                                         kdcHost=realm.address) as c:
        check_issued(getattr(c, method)(c.activate(iid=iid), pkcs10.csr(), TEMPLATE, harness.CA_NAME))
    assert realm.log().count(f"{CONNECTOR} by SPNEGO/Kerberos, level 6") == before + 2


def test_resolver_names_kerberos(realm, how_to):
    for server, named in ((realm, True), (how_to, False)):
        rpc = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:{server.address}[{server.epm_port}]").get_dce_rpc()
        rpc.connect()
        rpc.bind(dcomrt.IID_IObjectExporter)
        bindings = rpc.request(dcomrt.ServerAlive2())["ppdsaOrBindings"]
        words = struct.unpack(f"<{bindings['wNumEntries']}H", b"".join(struct.pack("<H", w) for w in bindings["aStringArray"]))
        kinds = words[bindings["wSecurityOffset"]:]
        assert (16 in kinds) == named and 9 in kinds and 10 in kinds
        rpc.disconnect()


# ---- refused ----

def made(server, **how):
    return krb.make_ticket(krb.keytab_key(server), **how)


def test_made_tickets_are_good_ones(realm):
    """The ground under the refusals below."""
    with krb.impacket(realm, ticket=made(realm, client=CONNECTOR), account=CONNECTOR) as c:
        check_issued(c.request(pkcs10.csr(), TEMPLATE))


@pytest.mark.parametrize("how, hresult, words", [
    ({"start": -7200, "end": -3600}, SEC_E_CONTEXT_EXPIRED, "expired"),
    ({"start": 3600, "end": 7200}, SEC_E_TIME_SKEW, "not yet valid"),
    ({"client": "nobody-here"}, E_LOGON_FAILURE, "does not exist"),
    ({"client": "leaver"}, E_ACCOUNT_DISABLED, "disabled"),
    ({"realm": "ELSEWHERE.TEST"}, 0x8007054B, "ELSEWHERE"),
], ids=["expired", "not yet valid", "no such account", "disabled", "foreign realm"])
def test_refused_tickets(realm, how, hresult, words):
    ticket = made(realm, **how)
    account, of = how.get("client", "janedoe"), how.get("realm", krb.REALM)
    refused(realm, lambda: krb.impacket(realm, ticket=ticket, account=account, realm=of).retrieve(1), hresult, words)


def test_the_key_decides_not_the_name(realm):
    """As on Windows: a name that the keytab does not have, under a key that it has."""
    for service in ("host/alias.corp.contoso.com", "MSSQLSvc/ca01.corp.contoso.com"):
        with krb.impacket(realm, ticket=made(realm, service=service)) as c:
            assert c.retrieve(4711).code == 0x80094004


def test_ticket_for_another_host(realm, connector):
    ticket = connector.service("HOST/WS01")
    refused(realm, lambda: krb.impacket(realm, ticket=ticket, account=CONNECTOR), SEC_E_WRONG_PRINCIPAL)


def test_wrong_key(realm):
    ticket = krb.make_ticket(os.urandom(32))
    refused(realm, lambda: krb.impacket(realm, ticket=ticket), SEC_E_LOGON_DENIED)


def test_clock_skew(realm):
    """The authenticator's time, six minutes off either way."""
    for minutes in (-6, 6):
        class Clock(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return krb.now() + datetime.timedelta(minutes=minutes)
        ticket = made(realm)
        with mock.patch.object(kerberosv5.datetime, "datetime", Clock):
            refused(realm, lambda: krb.impacket(realm, ticket=ticket), SEC_E_TIME_SKEW, "skew")


def test_replay(realm):
    """The same authenticator a second time; the first works."""
    real, kept = kerberosv5.getKerberosType1, []

    def once(*args, **options):
        if not kept:
            kept.append(real(*args, **options))
        return kept[0]
    ticket = made(realm)
    with mock.patch.object(kerberosv5, "getKerberosType1", once):
        with krb.impacket(realm, ticket=ticket) as c:
            assert c.retrieve(4711).code == 0x80094004
        refused(realm, lambda: krb.impacket(realm, ticket=ticket), SEC_E_LOGON_DENIED, "replay")


def bind_with_token(server, token, auth_type):
    """A bind by hand: what comes back."""
    syntaxes = (struct.pack("<HBB", 0, 1, 0) + icpr.MSRPC_UUID_ICPR
                + bytes.fromhex("045d888aeb1cc9119fe808002b10486002000000"))
    body = struct.pack("<HHLBBH", 4280, 4280, 0, 1, 0, 0) + syntaxes
    trailer = struct.pack("<BBBBL", auth_type, 6, 0, 0, 1)
    head = struct.pack("<BBBB4sHHL", 5, 0, 11, 3, b"\x10\0\0\0", 16 + len(body) + 8 + len(token), len(token), 1)
    with socket.create_connection((server.address, server.object_port), 20) as s:
        s.sendall(head + body + trailer + token)
        return s.recv(4096)


def spnego_token(realm):
    """impacket's first token, and the AP-REQ in it."""
    _, _, token, *_ = kerberosv5.getKerberosType1("janedoe", "", krb.REALM, "", "", TGS=made(realm), targetName=krb.HOST)
    at = token.index(b"\x01\x00\x6e") + 2
    return token, token[at:]


@pytest.mark.parametrize("cut", [1, 2, 5, 20, 40, 100, 300, 500])
def test_truncated_tokens(realm, cut):
    spnego, ap_req = spnego_token(realm)
    for auth_type, token in ((9, spnego), (16, ap_req)):
        answer = bind_with_token(realm, token[:cut] if cut < len(token) else token[:-1], auth_type)
        assert answer[2] == 13, f"bind_nak for {cut} octets of type {auth_type}"


def test_raw_kerberos_is_taken_framed_and_not(realm):
    """Auth type 16 with the frame of RFC 2743 and without (clients.md section 3.7)."""
    for frame in (False, True):
        _, token = spnego_token(realm)
        if frame:
            inner = bytes.fromhex("06092a864886f712010202") + b"\x01\x00" + token
            token = b"\x60\x82" + struct.pack(">H", len(inner)) + inner
        answer = bind_with_token(realm, token, 16)
        size, = struct.unpack_from("<H", answer, 10)
        assert answer[2] == 12 and answer[-size] == 0x6f, "bind_ack with a bare AP-REP"


def test_kerberos_is_not_offered_without_a_keytab(how_to):
    answer = bind_with_token(how_to, b"\x6e\x03\x02\x01\x05", 16)
    assert answer[2] == 13 and struct.unpack_from("<H", answer, 16) == (8,)


# ---- PAC ----

@pytest.fixture(scope="module")
def jane(realm):
    """Jane's SID and her domain's."""
    token = realm.json("principal", "show", "CORP\\janedoe")
    sid = re.search(r"S-1-5-21-[\d-]+", json.dumps(token)).group()
    domain, rid = sid.rsplit("-", 1)
    return domain, int(rid)


def enrol_with_pac(server, info, client="janedoe", spoil=False):
    key = krb.keytab_key(server)
    ticket = krb.make_ticket(key, client=client, pac_of=krb.make_pac(key, client, info, spoil))
    with krb.impacket(server, ticket=ticket, account=client) as c:
        return c.request(pkcs10.csr(), SERVER)


@pytest.mark.parametrize("where", ["groups", "extra", "resource"])
def test_groups_of_the_pac(realm, jane, where):
    """A group that the directory does not know, granted by its SID; the PAC alone says that Jane is in it."""
    domain, rid = jane
    other = "S-1-5-21-11-22-33"
    group = {"groups": f"{domain}-7001", "extra": f"{other}-7002", "resource": f"{other}-7003"}[where]
    realm.ctl("template", "acl", "grant", "WebServer", group, "Read", "Enroll")
    try:
        info = {"groups": {"groups": (513, 7001)}, "extra": {"extra": (group,)},
                "resource": {"resource": (other, (7003,))}}[where]
        check_issued(enrol_with_pac(realm, krb.logon_info("janedoe", domain, rid, **info)))
        assert enrol_with_pac(realm, krb.logon_info("janedoe", domain, rid)).disposition == CERTSRV_E_TEMPLATE_DENIED
        with icpr.Client(realm, "janedoe", harness.PASSWORDS["janedoe"]) as c:
            assert c.request(pkcs10.csr(), SERVER).disposition == CERTSRV_E_TEMPLATE_DENIED
    finally:
        realm.ctl("template", "acl", "remove", "WebServer", group)


def test_a_dc_s_own_groups_mean_nothing_here(realm, jane):
    domain, rid = jane
    realm.ctl("template", "acl", "grant", "WebServer", "S-1-5-32-544", "Read", "Enroll")
    try:
        info = krb.logon_info("janedoe", domain, rid, extra=("S-1-5-32-544",))
        assert enrol_with_pac(realm, info).disposition == CERTSRV_E_TEMPLATE_DENIED
    finally:
        realm.ctl("template", "acl", "remove", "WebServer", "S-1-5-32-544")


def test_pac_with_a_wrong_signature(realm, jane):
    info = krb.logon_info("janedoe", *jane)
    refused(realm, lambda: enrol_with_pac(realm, info, spoil=True), SEC_E_LOGON_DENIED, "signature")


@pytest.mark.parametrize("spoil", [lambda b: b[:40], lambda b: b[:8] + b"\xff" + b[9:], lambda b: b"\x02" + b[1:], lambda b: b[:-16]],
                         ids=["short", "long length", "other version", "cut"])
def test_malformed_logon_information(realm, jane, spoil):
    info = spoil(krb.logon_info("janedoe", *jane))
    refused(realm, lambda: enrol_with_pac(realm, info), E_INVALID_DATA)


# ---- the KDC follows the directory ----

def dn_of(account):
    text = (harness.ROOT / "fixtures/forest/contoso.ldif").read_text()
    block = next(b for b in text.split("\n\n") if f"sAMAccountName: {account}\n" in b)
    return re.search(r"^dn: (.*)$", block, re.M).group(1)


def edit(server, ldif):
    """An edit, and until the principals have followed it."""
    before = server.json("server", "show")["kerberos"]["updates"]
    server.ldapmodify(ldif)
    while server.json("server", "show")["kerberos"]["updates"] == before:
        pass


@pytest.fixture
def own(fresh):
    return fresh("--kdc")


def test_principals_follow_the_directory(own):
    with krb.Tickets(own) as t:
        t.kinit("janedoe", harness.PASSWORDS["janedoe"])
        edit(own, f"dn: {dn_of('janedoe')}\nchangetype: modify\nreplace: userPassword\nuserPassword: New \"pass\" w\u00f6rd\n")
        t.kinit("janedoe", harness.PASSWORDS["janedoe"], code=1)
        t.kinit("janedoe", "New \"pass\" w\u00f6rd")
        edit(own, f"dn: {dn_of('janedoe')}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 514\n")
        assert "revoked" in t.kinit("janedoe", "New \"pass\" w\u00f6rd", code=1).stderr
        edit(own, "dn: CN=New One,CN=Users,DC=corp,DC=contoso,DC=com\nchangetype: add\nobjectClass: user\nsAMAccountName: newone\n"
             "objectSid:: " + base64.b64encode(bytes.fromhex("010500000000000515000000010000000200000003000000a00f0000")).decode()
             + "\nuserAccountControl: 512\nuserPassword: Newone-Passw0rd\nservicePrincipalName: HTTP/newone.corp.contoso.com\n")
        t.kinit("newone", "Newone-Passw0rd")
        t.run("kvno", "HTTP/newone.corp.contoso.com")
        edit(own, "dn: CN=New One,CN=Users,DC=corp,DC=contoso,DC=com\nchangetype: delete\n")
        t.kinit("newone", "Newone-Passw0rd", code=1)


ENTERPRISE = {"janedoe@contoso.com": "janedoe", "janedoe@corp.contoso.com": "janedoe", "noupn@CORP.CONTOSO.COM": "noupn",
              "PFXCONN01$@corp.contoso.com": "PFXCONN01$"}


@pytest.mark.parametrize("name", ENTERPRISE)
def test_enterprise_names(realm, name):
    """kinit -E and impacket's NT-ENTERPRISE: a UPN with any suffix, and the one that every account has. The CA sees the account."""
    who = ENTERPRISE[name]
    password = harness.PASSWORDS[who]
    with krb.Tickets(realm) as t:
        t.kinit(name, password + "x", options=("-E",), code=1)
        t.kinit(name, password, options=("-E",))
        told = t.run(str(harness.BUILD / "adcsctl"), "--json", "--config", f"{realm.address}:{realm.epm_port}\\{harness.CA_NAME}",
                     "--kerberos", "--spn", f"host/{krb.HOST}", "ca", "show")
        assert json.loads(told.stdout)["name"] == harness.CA_NAME
    assert realm.log().rstrip().splitlines()[-1].endswith(f"CORP\\{who} by SPNEGO/Kerberos, level 6")
    for enctype in ("aes128-cts-hmac-sha1-96", "arcfour-hmac"):  # with a salt, which the KDC tells, and without
        with only(realm, enctype) as t:
            t.kinit(name, password, options=("-E",))
            assert enctype in t.run("klist", "-e").stdout.replace("DEPRECATED:", "")


def test_enterprise_names_follow_the_directory(own):
    """A UPN that moves to somebody else, is taken away, and goes before the one that an account has by itself."""
    jane, bob = harness.PASSWORDS["janedoe"], harness.PASSWORDS["bob"]
    with krb.Tickets(own) as t:
        t.kinit("janedoe@contoso.com", jane, options=("-E",))
        edit(own, f"dn: {dn_of('janedoe')}\nchangetype: modify\nreplace: userPrincipalName\nuserPrincipalName: jane@new.example\n")
        t.kinit("jane@new.example", jane, options=("-E",))
        t.kinit("janedoe@contoso.com", jane, options=("-E",), code=1)
        edit(own, f"dn: {dn_of('bob')}\nchangetype: modify\nreplace: userPrincipalName\nuserPrincipalName: janedoe@contoso.com\n")
        t.kinit("janedoe@contoso.com", bob, options=("-E",))
        t.kinit("bob@corp.contoso.com", bob, options=("-E",))
        edit(own, f"dn: {dn_of('janedoe')}\nchangetype: modify\nreplace: userPassword\nuserPassword: Changed-Passw0rd\n")
        t.kinit("jane@new.example", "Changed-Passw0rd", options=("-E",))
        t.kinit("janedoe@corp.contoso.com", "Changed-Passw0rd", options=("-E",))
        edit(own, f"dn: {dn_of('bob')}\nchangetype: modify\nreplace: userPrincipalName\nuserPrincipalName: janedoe@corp.contoso.com\n")
        t.kinit("janedoe@corp.contoso.com", bob, options=("-E",))
        edit(own, f"dn: {dn_of('bob')}\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 514\n")
        for name in ("bob", "bob@corp.contoso.com", "janedoe@corp.contoso.com"):
            assert "revoked" in t.kinit(name, bob, options=("-E",) if "@" in name else (), code=1).stderr


def test_account_with_its_nt_hash_only(own):
    nt_hash = base64.b64encode(bytes.fromhex("64f12cddaa88057e06a81b54e73b949b")).decode()  # of Password1
    edit(own, f"dn: {dn_of('bob')}\nchangetype: modify\ndelete: userPassword\n-\nreplace: unicodePwd\nunicodePwd:: {nt_hash}\n")
    with krb.Tickets(own) as t:
        t.kinit("bob", "Password1")
        t.service()
        with krb.impacket(own, account="bob") as c:
            assert c.retrieve(4711).code == 0x80094004


def test_services_of_accounts_are_in_the_realm(own):
    with krb.Tickets(own, "bob") as t:
        t.run("kvno", "HOST/WS01", "HOST/ws01.corp.contoso.com", "HOST/DC01")
        assert "not found" in t.run("kvno", "host/nowhere", code=1).stderr
        t.run("kvno", "janedoe", code=1)  # an account without a service


def test_state_and_tickets_outlive_a_restart(own):
    with krb.Tickets(own, "bob") as t:
        t.service()
        before = own.ready["kerberos"]
        own.stop()
        own.start()
        assert {**own.ready["kerberos"], "updates": 0} == {**before, "updates": 0}
        with krb.impacket(own, account="bob") as c:
            assert c.retrieve(4711).code == 0x80094004
        t.run("kvno", f"RPCSS/{krb.HOST}")  # the ticket-granting ticket too


def children(pid):
    return {int(c): pathlib.Path(f"/proc/{c}/comm").read_text().strip()
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir() for c in (task / "children").read_text().split()}


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_the_kdc_ends_with_the_server(own, how):
    pid, = [p for p, name in children(own.process.pid).items() if name == "krb5kdc"]
    fd = os.pidfd_open(pid)
    try:
        getattr(own, how)()
        assert select.select([fd], [], [], 60)[0]
    finally:
        os.close(fd)


def test_a_kdc_that_died_comes_back(own):
    pid, = [p for p, name in children(own.process.pid).items() if name == "krb5kdc"]
    os.kill(pid, 9)
    with krb.Tickets(own) as t:
        while t.kinit("bob", harness.PASSWORDS["bob"], code=None).returncode != 0:
            pass


# ---- a keytab of somebody else's realm ----

def test_keytab_alone(own, fresh):
    keytab = pathlib.Path(own.state + ".keytab")
    shutil.copy(own.ready["kerberos"]["keytab"], keytab)
    keytab.chmod(0o644)
    try:
        other = fresh("--keytab", str(keytab))
        assert other.ready["kerberos"] == {"keytab": str(keytab)}
        with krb.Tickets(own, "janedoe") as t:
            t.service()
            with krb.impacket(other) as c:
                assert c.retrieve(4711).code == 0x80094004
    finally:
        keytab.unlink()


@pytest.mark.parametrize("args, words", [(["--keytab", "/nonexistent"], "No such file"), (["--kdc", "--keytab", "/x"], "not both")])
def test_kerberos_that_cannot_start(args, words):
    server = harness.Server(*args)
    try:
        with pytest.raises(AssertionError, match=f"ended with 69 (.|\n)*{words}"):
            server.start()
    finally:
        server.process = None
        server.remove()


def test_settings(tmp_path, fresh):
    text = (harness.ROOT / "ca/contoso.ini").read_text()
    conf = tmp_path / "ca.ini"
    conf.write_text(text.replace("KDC = 0", "KDC = 1"))
    os.chmod(tmp_path, 0o755)
    server = fresh("--config", str(conf))
    assert server.ready["kerberos"]["realm"] == krb.REALM
