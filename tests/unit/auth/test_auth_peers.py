"""Independent initiators (Samba's gensec, impacket, ldap3, curl) against our acceptors, without a server of ours.

Needs the helper tools/auth_peer of the build folder (ADCSD_BUILD, or build); `make check-e2e` makes and uses it. Alone:
    make build/tools/auth_peer && /usr/bin/python3 -m pytest tests/unit/auth/test_auth_peers.py
"""
import base64
import http.server
import os
import pathlib
import subprocess
import threading

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
PEER = pathlib.Path(os.environ.get("ADCSD_BUILD", ROOT / "build")) / "tools" / "auth_peer"
USER, PASSWORD = "janedoe", "Passw0rd! ü"
ACCOUNTS = [f"{USER}:{PASSWORD}", "PFXCONN01$:machine-secret", "bob:ascii-secret"]

import samba.gensec as gensec  # noqa: E402
import samba.credentials as credentials  # noqa: E402
import samba.param as param  # noqa: E402
import impacket.ntlm as ntlm  # noqa: E402
import impacket.spnego as spnego  # noqa: E402

KRB5 = "1.2.840.113554.1.2.2"
MSKRB5 = "1.2.840.48018.1.2.2"
NTLMSSP = "1.3.6.1.4.1.311.2.2.10"
NEGOEX = "1.3.6.1.4.1.311.2.2.30"
ACCEPT_COMPLETED = bytes.fromhex("a1073005a0030a0100")


class Peer:
    """The acceptor behind its helper program."""

    def __init__(self, mech, deferred=False):
        args = [str(PEER), mech] + (["--deferred"] if deferred else []) + ACCOUNTS
        self.proc = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def close(self):
        self.proc.stdin.close()
        self.proc.stdout.close()
        assert self.proc.wait(timeout=60) == 0

    def ask(self, line):
        self.proc.stdin.write(line + "\n")
        self.proc.stdin.flush()
        return self.proc.stdout.readline().split()

    def token(self, data):
        """(state, answer, further words)"""
        words = self.ask("token " + (data.hex() or "-"))
        return words[0], b"" if words[1] == "-" else bytes.fromhex(words[1]), words[2:]

    def proof(self):
        return [b"" if w == "-" else bytes.fromhex(w) for w in self.ask("proof")]

    def unprotect(self, mode, pdu, sig, off=0, length=None):
        return self.ask(f"unprotect {mode} {off} {len(pdu) if length is None else length} {pdu.hex()} {sig.hex()}")

    def protect(self, mode, pdu, off=0, length=None):
        words = self.ask(f"protect {mode} {off} {len(pdu) if length is None else length} {pdu.hex()}")
        assert words[0] == "ok", words
        return bytes.fromhex(words[1]), bytes.fromhex(words[2])


@pytest.fixture
def peer():
    assert PEER.exists(), f"{PEER} is not built"
    made = []

    def make(mech, deferred=False):
        made.append(Peer(mech, deferred))
        return made[-1]

    yield make
    for p in made:
        p.close()


# ---- Samba ----

def samba_client(mech, features, user=USER, domain="CORP", password=PASSWORD):
    lp = param.LoadParm()
    lp.set("client ntlmv2 auth", "yes")
    creds = credentials.Credentials()
    creds.guess(lp)
    creds.set_username(user)
    creds.set_domain(domain)
    creds.set_password(password)
    creds.set_workstation("CLIENT")
    creds.set_kerberos_state(credentials.DONT_USE_KERBEROS)
    client = gensec.Security.start_client({"lp_ctx": lp, "target_hostname": "ca01.corp.contoso.com"})
    client.set_credentials(creds)
    for f in features:
        client.want_feature(f)
    client.start_mech_by_name(mech)
    return client


def samba_handshake(client, p):
    """Runs both sides to the end; the last answer of the acceptor."""
    finished, out = client.update(b"")
    while True:
        state, answer, rest = p.token(out)
        if state == "failed":
            return state, answer, rest
        if not answer:
            assert finished
            return state, answer, rest
        finished, out = client.update(answer)
        if state == "complete":
            assert finished and not out
            return state, answer, rest


SIGN = [gensec.FEATURE_SIGN]
SEAL = [gensec.FEATURE_SIGN, gensec.FEATURE_SEAL]


@pytest.mark.parametrize("deferred", [False, True])
@pytest.mark.parametrize("acceptor,mech", [("ntlm", "ntlmssp"), ("spnego", "spnego"), ("spnego", "ntlmssp")])
def test_samba_seals(peer, acceptor, mech, deferred):
    p = peer(acceptor, deferred)
    client = samba_client(mech, SEAL)
    state, _, rest = samba_handshake(client, p)
    assert state == "complete", rest
    assert rest[0] == ("SPNEGO/NTLM" if mech == "spnego" else "NTLM")
    assert rest[1:3] == ["1", "1"]
    for i in range(4):  # both key streams run on
        text = f"request {i} ".encode() * (i * 50 + 1)
        wrapped = client.wrap(text)
        sig, body = wrapped[:16], wrapped[16:]
        assert int.from_bytes(sig[12:16], "little") == i + (1 if mech == "spnego" else 0)
        assert p.unprotect("seal", body, sig) == ["ok", text.hex()]
        text = f"answer {i}".encode()
        body, sig = p.protect("seal", text)
        assert body != text
        assert client.unwrap(sig + body) == text


@pytest.mark.parametrize("acceptor,mech", [("ntlm", "ntlmssp"), ("spnego", "spnego")])
def test_samba_signs(peer, acceptor, mech):
    p = peer(acceptor)
    client = samba_client(mech, SIGN)
    state, _, rest = samba_handshake(client, p)
    assert state == "complete", rest
    assert rest[1] == "1"
    for i in range(3):
        pdu = b"header" + b"body" * (i + 1) + b"trailer"
        sig = client.sign_packet(pdu[6:-7], pdu)
        assert p.unprotect("sign", pdu, sig, 6, len(pdu) - 13) == ["ok", pdu.hex()]
        out, sig = p.protect("sign", pdu, 6, len(pdu) - 13)
        assert out == pdu
        client.check_packet(pdu[6:-7], pdu, sig)


@pytest.mark.parametrize("acceptor,mech", [("ntlm", "ntlmssp"), ("spnego", "spnego")])
def test_samba_connects_without_session_security(peer, acceptor, mech):
    p = peer(acceptor)
    state, _, rest = samba_handshake(samba_client(mech, []), p)
    assert state == "complete", rest


@pytest.mark.parametrize("user,domain,password", [
    ("janedoe", "CORP", PASSWORD),
    ("JaneDoe", "corp.contoso.com", PASSWORD),
    ("janedoe@corp.contoso.com", "", PASSWORD),
    ("janedoe", "", PASSWORD),
    ("PFXCONN01$", "CORP", "machine-secret"),
])
def test_samba_name_forms(peer, user, domain, password):
    p = peer("ntlm")
    client = samba_client("ntlmssp", SEAL, user, domain, password)
    state, _, rest = samba_handshake(client, p)
    assert state == "complete", rest
    assert p.proof()[0].decode().lower() == user.lower()
    assert p.proof()[1].decode().lower() == domain.lower()


@pytest.mark.parametrize("acceptor,mech", [("ntlm", "ntlmssp"), ("spnego", "spnego")])
@pytest.mark.parametrize("user,password", [(USER, "wrong"), ("nobody", PASSWORD)])
def test_samba_refused(peer, acceptor, mech, user, password):
    p = peer(acceptor)
    state, answer, rest = samba_handshake(samba_client(mech, SEAL, user, password=password), p)
    assert state == "failed"
    assert rest[0] == "0x8007052e"
    assert answer == (bytes.fromhex("a1073005a0030a0102") if acceptor == "spnego" else b"")


def test_samba_anonymous_refused(peer):
    p = peer("ntlm")
    lp = param.LoadParm()
    creds = credentials.Credentials()
    creds.set_anonymous()
    client = gensec.Security.start_client({"lp_ctx": lp, "target_hostname": "ca01"})
    client.set_credentials(creds)
    client.start_mech_by_name("ntlmssp")
    state, _, rest = samba_handshake(client, p)
    assert state == "failed"
    assert "anonymous" in " ".join(rest)


def test_changed_handshake_breaks_the_mic(peer):
    p = peer("ntlm")
    client = samba_client("ntlmssp", SEAL)
    _, out = client.update(b"")
    changed = bytearray(out)
    changed[15] ^= 0x02  # VERSION, which a man in the middle might take away without anybody noticing otherwise
    state, challenge, _ = p.token(bytes(changed))
    assert state == "need"
    _, out = client.update(challenge)
    state, _, rest = p.token(out)
    assert state == "failed" and rest[0] == "0x8009030f", rest


def test_changed_message_is_refused(peer):
    p = peer("ntlm")
    client = samba_client("ntlmssp", SEAL)
    assert samba_handshake(client, p)[0] == "complete"
    wrapped = bytearray(client.wrap(b"issue this"))
    wrapped[-1] ^= 1
    assert p.unprotect("seal", bytes(wrapped[16:]), bytes(wrapped[:16]))[:2] == ["bad", "0x8009030f"]


# ---- impacket ----

class Impacket:
    """Type 1 and 3 messages and the keys of an impacket client, as its RPC runtime uses them."""

    def __init__(self, user=USER, domain="CORP", password=PASSWORD, signing=True):
        self.user, self.domain, self.password = user, domain, password
        self.type1 = ntlm.getNTLMSSPType1(signingRequired=signing)

    def negotiate(self):
        return self.type1.getData()

    def authenticate(self, challenge):
        type3, key = ntlm.getNTLMSSPType3(self.type1, challenge, self.user, self.password, self.domain)
        self.flags, self.key = type3["flags"], key
        self.client_sign = ntlm.SIGNKEY(self.flags, key)
        self.server_sign = ntlm.SIGNKEY(self.flags, key, "Server")
        self.reset()
        return type3.getData()

    def reset(self):
        self.client_rc4 = ntlm.ARC4.new(ntlm.SEALKEY(self.flags, self.key)).encrypt
        self.server_rc4 = ntlm.ARC4.new(ntlm.SEALKEY(self.flags, self.key, "Server")).encrypt

    def mac(self, server, seq, data):
        if server:
            return ntlm.MAC(self.flags, self.server_rc4, self.server_sign, seq, data).getData()
        return ntlm.MAC(self.flags, self.client_rc4, self.client_sign, seq, data).getData()


def pdu_round(p, client, seq):
    """One sealed request and one sealed answer, header and trailer signed along."""
    head, body, tail = b"\x05\x00\x00\x03" + bytes(20), b"stub data and padding " * 3, bytes(8)
    sealed, sig = ntlm.SEAL(client.flags, client.client_sign, None, head + body + tail, body, seq, client.client_rc4)
    sealed = bytes(sealed)
    got = p.unprotect("seal", head + sealed + tail, sig.getData(), len(head), len(body))
    assert got == ["ok", (head + body + tail).hex()]
    out, got_sig = p.protect("seal", head + body + tail, len(head), len(body))
    sealed, sig = ntlm.SEAL(client.flags, client.server_sign, None, head + body + tail, body, seq, client.server_rc4)
    assert out == head + bytes(sealed) + tail
    assert got_sig == sig.getData()


@pytest.mark.parametrize("acceptor", ["ntlm", "spnego"])
@pytest.mark.parametrize("user,domain", [(USER, "CORP"), ("JANEDOE", "CORP.CONTOSO.COM"), (USER, ""),
                                         ("janedoe@contoso.com", "")])
def test_impacket_seals(peer, acceptor, user, domain):
    p, client = peer(acceptor), Impacket(user, domain)
    assert len(client.negotiate()) == 32
    state, challenge, _ = p.token(client.negotiate())
    assert state == "need"
    state, answer, rest = p.token(client.authenticate(challenge))
    assert (state, answer) == ("complete", b""), rest
    assert rest == ["NTLM", "1", "1", user]
    for seq in range(3):
        pdu_round(p, client, seq)


def test_impacket_wrong_password(peer):
    p, client = peer("ntlm"), Impacket(password="no")
    state, challenge, _ = p.token(client.negotiate())
    assert p.token(client.authenticate(challenge))[0] == "failed"


def test_impacket_ntlmv1_refused(peer):
    p = peer("ntlm")
    type1 = ntlm.getNTLMSSPType1(use_ntlmv2=False)
    state, challenge, _ = p.token(type1.getData())
    type3, _ = ntlm.getNTLMSSPType3(type1, challenge, USER, PASSWORD, "CORP", use_ntlmv2=False)
    state, _, rest = p.token(type3.getData())
    assert state == "failed" and "NTLMv1" in rest, rest


def oid_of(name):
    return {KRB5: b"*\x86H\x86\xf7\x12\x01\x02\x02", MSKRB5: b"*\x86H\x82\xf7\x12\x01\x02\x02",
            NTLMSSP: b"+\x06\x01\x04\x01\x827\x02\x02\n", NEGOEX: b"+\x06\x01\x04\x01\x827\x02\x02\x1e"}[name]


def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    n = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | n]) + len(body).to_bytes(n, "big") + body


def neg_token_init(mechs, token=None, framed=True):
    """(token, the list as mechListMIC signs it)"""
    mech_list = der(0x30, *[der(6, oid_of(m)) for m in mechs])
    seq = der(0xA0, mech_list)
    if token is not None:
        seq += der(0xA2, der(4, token))
    init = der(0xA0, der(0x30, seq))
    return (der(0x60, b"\x06\x06+\x06\x01\x05\x05\x02", init) if framed else init), mech_list


def neg_token_resp(token=None, mic=None):
    seq = b""
    if token is not None:
        seq += der(0xA2, der(4, token))
    if mic is not None:
        seq += der(0xA3, der(4, mic))
    return der(0xA1, der(0x30, seq))


@pytest.mark.parametrize("framed", [True, False])
@pytest.mark.parametrize("mechs", [[MSKRB5, KRB5, NEGOEX, NTLMSSP], [KRB5, NTLMSSP], [NEGOEX, NTLMSSP]])
def test_another_favourite_is_answered_with_request_mic(peer, mechs, framed):
    p, client = peer("spnego"), Impacket()
    init, mech_list = neg_token_init(mechs, b"an AP-REQ nobody here reads", framed)
    state, answer, _ = p.token(init)
    assert state == "need"
    assert answer == der(0xA1, der(0x30, b"\xa0\x03\n\x01\x03", der(0xA1, der(6, oid_of(NTLMSSP)))))
    state, answer, _ = p.token(neg_token_resp(client.negotiate()))
    assert state == "need"
    resp = spnego.SPNEGO_NegTokenResp(answer)
    assert resp["NegState"] == b"\x01" and "SupportedMech" not in resp.fields
    auth = client.authenticate(resp["ResponseToken"])
    state, answer, rest = p.token(neg_token_resp(auth, client.mac(False, 0, mech_list)))
    assert state == "complete", rest
    server_mic = client.mac(True, 0, mech_list)
    assert answer == der(0xA1, der(0x30, b"\xa0\x03\n\x01\x00", der(0xA3, der(4, server_mic))))
    client.reset()  # MS-SPNG 3.2.5.1; the sequence numbers go on
    for seq in (1, 2, 3):
        pdu_round(p, client, seq)


def test_request_mic_is_insisted_on(peer):
    p, client = peer("spnego"), Impacket()
    init, _ = neg_token_init([KRB5, NTLMSSP], b"x")
    p.token(init)
    _, answer, _ = p.token(neg_token_resp(client.negotiate()))
    auth = client.authenticate(spnego.SPNEGO_NegTokenResp(answer)["ResponseToken"])
    state, answer, rest = p.token(neg_token_resp(auth))
    assert state == "failed" and "mechListMIC" in rest, rest


def test_changed_mech_list_is_noticed(peer):
    p, client = peer("spnego"), Impacket()
    init, _ = neg_token_init([KRB5, NTLMSSP], b"x")
    _, real_list = neg_token_init([MSKRB5, KRB5, NTLMSSP], b"x")
    p.token(init)
    _, answer, _ = p.token(neg_token_resp(client.negotiate()))
    auth = client.authenticate(spnego.SPNEGO_NegTokenResp(answer)["ResponseToken"])
    state, _, rest = p.token(neg_token_resp(auth, client.mac(False, 0, real_list)))
    assert state == "failed" and rest[0] == "0x8009030f", rest


@pytest.mark.parametrize("optimistic", [True, False])
def test_impacket_spnego_without_mic(peer, optimistic):
    """NTLM alone or first, no MIC anywhere: nothing to sign, numbers start at 0."""
    p, client = peer("spnego"), Impacket()
    init, _ = neg_token_init([NTLMSSP], client.negotiate() if optimistic else None)
    state, answer, _ = p.token(init)
    assert state == "need"
    if not optimistic:
        assert answer == der(0xA1, der(0x30, b"\xa0\x03\n\x01\x01", der(0xA1, der(6, oid_of(NTLMSSP)))))
        state, answer, _ = p.token(neg_token_resp(client.negotiate()))
    auth = client.authenticate(spnego.SPNEGO_NegTokenResp(answer)["ResponseToken"])
    state, answer, rest = p.token(neg_token_resp(auth))
    assert (state, answer) == ("complete", ACCEPT_COMPLETED), rest
    pdu_round(p, client, 0)


def test_no_common_mechanism(peer):
    p = peer("spnego")
    init, _ = neg_token_init([MSKRB5, KRB5], b"AP-REQ")
    state, answer, rest = p.token(init)
    assert (state, answer) == ("failed", bytes.fromhex("a1073005a0030a0102")), rest


# ---- ldap3 ----

@pytest.mark.parametrize("domain", ["CORP", "corp.contoso.com"])
def test_ldap3(peer, domain):
    import ldap3.utils.ntlm as client_module
    # hashes, since Python's own MD4 is gone with OpenSSL 3
    hashes = "0" * 32 + ":" + ntlm.compute_nthash(PASSWORD).hex()
    client = client_module.NtlmClient(domain, USER, hashes)
    p = peer("ntlm")
    state, challenge, _ = p.token(client.create_negotiate_message())
    assert state == "need"
    client.parse_challenge_message(challenge)
    state, answer, rest = p.token(client.create_authenticate_message())
    assert (state, answer) == ("complete", b""), rest


# ---- curl: offers the OEM character set only ----

class NtlmHttp(http.server.BaseHTTPRequestHandler):
    """Carries tokens between an HTTP client and the acceptor; one exchange per connection."""
    protocol_version = "HTTP/1.1"
    make_peer = None

    def setup(self):
        super().setup()
        self.peer = self.make_peer("ntlm")

    def log_message(self, *args):
        pass

    def do_GET(self):
        scheme, _, blob = self.headers.get("Authorization", "").partition(" ")
        answer = b""
        state = "need"
        if scheme == "NTLM":
            state, answer, _ = self.peer.token(base64.b64decode(blob))
        self.send_response(200 if state == "complete" else 401)
        if state == "need":
            self.send_header("WWW-Authenticate", "NTLM " + base64.b64encode(answer).decode() if answer else "NTLM")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.mark.parametrize("user,password,status", [
    ("CORP\\bob", "ascii-secret", "200"),
    ("bob", "ascii-secret", "200"),
    ("bob@corp.contoso.com", "ascii-secret", "200"),
    ("CORP\\bob", "wrong", "401"),
])
def test_curl(peer, user, password, status):
    made = []

    def make(mech):
        made.append(peer(mech))
        return made[-1]

    handler = type("Handler", (NtlmHttp,), {"make_peer": staticmethod(make)})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        out = subprocess.run(
            ["curl", "-s", "-o", os.devnull, "-w", "%{http_code}", "--ntlm", "-u", f"{user}:{password}",
             f"http://127.0.0.1:{server.server_port}/"], capture_output=True, text=True, timeout=60, check=False)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert out.stdout == status
    assert made
