"""
The errors that a client of a CA must live with (numbers of doc/reference/connectors.md, sections 4 and 5), each with the commands that bring it
about and an independent client that meets it. `python3 tests/e2e/fault_cases.py` prints doc/faults.md.
"""
import contextlib
import dataclasses
import datetime
import functools
import http.client
import re
import socket
import time
from unittest import mock

from cryptography import x509
from impacket.dcerpc.v5 import epm, rpcrt, transport

import dcom
import harness
import icpr
import pkcs10
from test_views import Admin

USER = "CertificateTemplate:User"


@dataclasses.dataclass
class Case:
    number: str
    what: str
    provoke: list  # adcsctl commands
    client: object  # client(server, provoke): calls provoke() when it is time, gives what it saw
    seen: str
    undo: list
    rows: int  # requests more in the database afterwards
    alone: bool  # on a server of its own


# ---- clients ----

def code(*values):
    """The one that is not 0."""
    return f"0x{next((v for v in values if v), 0):08x}"


def named(answer):
    if answer.disposition == icpr.CR_DISP_ISSUED:
        return "issued"
    if answer.disposition == icpr.CR_DISP_UNDER_SUBMISSION:
        return "pending"
    return code(answer.code, 0 if answer.disposition == icpr.CR_DISP_DENIED else answer.disposition)


def receive(self, force=0, count=0):
    del force  # SMB only
    return icpr.receive(self.get_socket(), count)


def outcome(call):
    try:
        with mock.patch.object(transport.TCPTransport, "recv", receive):
            return call()
    except ConnectionRefusedError:
        return "connection refused"
    except TimeoutError:
        return "no answer"
    except ConnectionError:
        return "connection closed"
    except rpcrt.DCERPCException as e:
        if "Connection refused" in str(e):
            return "connection refused"
        if e.get_error_code() is not None:
            return f"0x{e.get_error_code() & 0xffffffff:08x}"
        if "rpc_s_access_denied" in str(e):
            return "fault 0x00000005"
        return f"fault 0x{int(re.search('fault status code: ([0-9a-f]{8})', str(e))[1], 16):08x}"


@contextlib.contextmanager
def logon(session, *args):
    """A session whose end does not matter: after a fault there may be nobody to say good-bye to."""
    c = session(*args)
    try:
        yield c
    finally:
        with contextlib.suppress(ConnectionError, rpcrt.DCERPCException):
            c.close()


def connected(server, account="janedoe", password=None, **options):
    return logon(functools.partial(icpr.Client, server, account, password or harness.PASSWORDS[account], **options))


def passage(attributes=USER, request=None, authority=harness.CA_NAME, **options):
    def client(server, provoke):
        provoke()

        def run():
            with connected(server, **options) as c:
                return named(c.request(request or pkcs10.csr(), attributes, authority=authority))
        return outcome(run)
    return client


def late(server, provoke):
    """Connected and authenticated before anything goes wrong."""
    def run():
        with connected(server) as c:
            c.retrieve(999999)  # the last leg of NTLM has no answer of its own: now it is done
            provoke()
            return named(c.request(pkcs10.csr(), USER))
    return outcome(run)


def patient(server, provoke):
    provoke()
    begin = time.monotonic()
    with connected(server) as c:
        seen = named(c.request(pkcs10.csr(), USER))
    return f"{seen} after a second" if time.monotonic() - begin >= 1 else f"{seen} at once"


def thrice(server, provoke):
    """Three requests of one connection."""
    provoke()
    with connected(server) as c:
        return ", ".join(named(c.request(pkcs10.csr(), USER)) for _ in range(3))


def killed(server, provoke):
    """The server is killed while the call runs; afterwards it serves again."""
    provoke()
    with connected(server) as c:
        c.dce.call(0, icpr.request_stub(0, harness.CA_NAME, 0, USER, pkcs10.csr()))
        while sum(f["met"] for f in server.json("fault", "list")) == 0 or journal_is_behind(server):
            pass
        server.kill()
        seen = outcome(c.dce.recv)
    server.start()
    return seen


def journal_is_behind(server):
    """Of a delayed answer: the request is not yet decided."""
    return "delay-answer" in server.ctl("fault", "list") and not server.json("request", "list")["requests"]


def silence(server, provoke):
    """Connects, and hears nothing of its bind for a second."""
    provoke()
    with socket.create_connection((server.address, server.object_port), timeout=20) as s:
        s.sendall(bytes.fromhex("05000b0310000000480000000100000000100010") + bytes(52))
        s.settimeout(1)
        return outcome(lambda: s.recv(1).hex() or "connection closed")


def enroll(server, provoke):
    provoke()

    def run():
        with logon(dcom.Connection, server, "janedoe", harness.PASSWORDS["janedoe"]) as c:
            return named(c.submit(c.activate(), pkcs10.csr(), USER, server.ready["ca"]))
    return outcome(run)


def revoke(account):
    def client(server, provoke):
        provoke()

        def run():
            with logon(dcom.Connection, server, account, harness.PASSWORDS[account]) as c:
                return code(Admin(c).call("RevokeCertificate", pwszSerialNumber="61", Reason=0)[0])
        return outcome(run)
    return client


def mapper(server, provoke):
    provoke()

    def run():
        rpc = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:{server.address}[{server.epm_port}]")
        rpc.set_connect_timeout(20)
        dce = rpc.get_dce_rpc()
        dce.connect()
        try:
            epm.hept_map(server.address, icpr.MSRPC_UUID_ICPR, protocol="ncacn_ip_tcp", dce=dce)
        finally:
            dce.disconnect()
        return "answered"
    return outcome(run)


def get_crl(server):
    c = http.client.HTTPConnection(server.address, server.ready["ports"]["http"], timeout=20)
    try:
        c.request("GET", "/CertEnroll/Contoso%20Certification%20Authority.crl")
        answer = c.getresponse()
        return answer.status, answer.read()
    finally:
        c.close()


def crl(server, provoke):
    provoke()
    return outcome(lambda: f"HTTP {get_crl(server)[0]}")


def stale_crl(server, provoke):
    provoke()
    end = x509.load_der_x509_crl(get_crl(server)[1]).next_update
    now = datetime.datetime.fromisoformat(server.json("clock", "show")["virtual"][:19])
    return "a CRL whose next update is over" if end < now else "a fresh CRL"


# ---- the catalogue ----

WITHOUT = {  # how the table tells the client
    passage: "a request over ICertPassage", enroll: "a request over DCOM", mapper: "a question to the endpoint mapper",
    crl: "a download of the CRL", stale_crl: "a download of the CRL", late: "a request of a client that was connected already",
    patient: "a request over ICertPassage", thrice: "three requests in a row", killed: "a request, then `kill -9` of the server",
    silence: "a bind on the object port",
}


def case(number, what, provoke, client, seen, undo="", rows=0, alone=False):
    split = lambda text: [c for c in text.split("; ") if c]  # noqa: E731
    return Case(number, what, split(provoke), client, seen, split(undo), rows, alone)


CASES = [
    case("E01", "the CA's service is stopped", "fault add port.object refuse", enroll, "connection refused"),
    case("E01", "the CA's host is down", "fault add port.epm refuse", mapper, "connection refused"),
    case("E01", "a firewall drops what goes to the CA, or it hangs", "fault add port.object hang", silence, "no answer"),
    case("E01", "activation fails", "fault add IRemoteSCMActivator hresult E_RPC_SERVER_UNAVAILABLE", enroll, "0x800706ba"),
    case("E01", "ICertPassage is switched off", r"ca set 'CA\InterfaceFlags' +IF_NORPCICERTREQUEST", passage(), "0x800706ba",
         r"ca set 'CA\InterfaceFlags' -IF_NORPCICERTREQUEST"),
    case("E02", "the call is signed, not encrypted", "", passage(level="integrity"), "0x80070005"),
    case("E02", "no right to activate", "fault add IRemoteSCMActivator hresult E_ACCESSDENIED", enroll, "0x80070005"),
    case("E02", "access is denied, whatever the reason", "fault add ICertRequestD hresult E_ACCESSDENIED", enroll, "0x80070005"),
    case("E02, E59", "no right to revoke", "", revoke("janedoe"), "0x80070005"),
    case("E03", "the mapper does not know the interface", "fault add epm.ept_map hresult 0x16c9a0d6", mapper, "0x16c9a0d6"),
    case("E04", "the server's security package fails", "fault add ICertPassage fault 0x721", passage(), "fault 0x00000721"),
    case("E05", "a wrong password", "", passage(password="wrong"), "fault 0x00000005"),
    case("E05", "a disabled account", "", passage(account="leaver"), "fault 0x00000005"),
    case("E06", "the service hangs while it starts", "fault add IRemoteSCMActivator hresult CO_E_SERVER_EXEC_FAILURE", enroll, "0x80080005"),
    case("E07", "the connection ends before the call has run", "fault add ICertRequestD.Request drop-call", enroll, "connection closed"),
    case("E07", "the answer is lost, the certificate is issued", "fault add ICertRequestD.Request drop-answer", enroll,
         "connection closed", rows=1),
    case("E07", "the answer ends in the middle", "fault add ICertPassage cut-answer", passage(), "connection closed", rows=1),
    case("E07", "the server is killed before the request counts", "fault add ICertPassage delay 3600s", killed, "connection closed",
         alone=True),
    case("E07", "the server is killed before its answer left", "fault add ICertPassage delay-answer 3600s", killed,
         "connection closed", rows=1, alone=True),
    case("E08", "the data is invalid", "fault add ICertAdminD hresult E_INVALID_DATA", revoke("Administrator"), "0x8007000d"),
    case("E09", "a wrong CA name", "", passage(authority="Another CA"), "0x80070057"),
    case("E09", "a serial number that this CA has not given", "", revoke("Administrator"), "0x80070057"),
    case("E11", "the domain controller is gone", "fault add directory down", late, "0x8007203a", rows=1),
    case("E05, E11", "the same, and nobody can log on", "fault add directory down", passage(), "fault 0x00000005"),
    case("E12", "the template is not published", "ca unpublish User", passage(), "0x80094800", "ca publish User", rows=1),
    case("E13", "no right on the template", r"template acl deny User 'CORP\janedoe' Enroll", passage(), "0x80094012",
         r"template acl remove User 'CORP\janedoe'", rows=1),
    case("E14", "no right on the CA", r"ca acl deny 'CORP\janedoe' RequestCertificates", passage(), "0x80094011",
         r"ca acl remove 'CORP\janedoe'"),
    case("E15", "no template is named", "", passage(attributes=""), "0x80094801", rows=1),
    case("E23", "the account has no mail", "", passage(account="bob"), "0x80094812", rows=1),
    case("E33", "a key that is too short", "", passage("CertificateTemplate:IntunePKCS", pkcs10.csr(pkcs10.rsa_key(1024)), account="PFXCONN01$"), "0x80094811", rows=1),
    case("E36", "a request that is cut short", "", passage(request=pkcs10.csr()[:-9]), "0x80093102", rows=1),
    case("E43", "pending, for ever", r"ca set 'policy\RequestDisposition' +REQDISP_PENDINGFIRST", passage(), "pending",
         r"ca set 'policy\RequestDisposition' -REQDISP_PENDINGFIRST", rows=1),
    case("E49", "roles are separated", "ca role-separation on", revoke("Administrator"), "0x80094008", "ca role-separation off"),
    case("E50", "the CA's certificate is over", "clock advance 6y", passage(), "0x800b0101", rows=1, alone=True),
    case("E51", "the CRL cannot be had", "fault add port.http refuse", crl, "connection refused"),
    case("E51", "the web server fails", "fault add http status 503", crl, "HTTP 503"),
    case("E51", "the CRL is over", "fault add database hresult 0x80070070; clock advance 60d", stale_crl,
         "a CRL whose next update is over", alone=True),
    case("E55", "too many sessions", "fault add ICertRequestD hresult CERTSRV_E_NO_DB_SESSIONS", enroll, "0x8009400f"),
    case("E56", "a restore is going on", "fault add ICertPassage hresult CERTSRV_E_SERVER_SUSPENDED", passage(), "0x80094006"),
    case("E57", "the database's disk is full", "fault add database hresult E_DISK_FULL", passage(), "0x80070070"),
    case("N05", "a slow answer", "fault add ICertPassage delay-answer 1s", patient, "issued after a second", rows=1),
    case("N05", "a slow CA", "fault add ICertPassage delay 1000ms", patient, "issued after a second", rows=1),
    case("B10, I02", "the second call fails, the others do not",
         "fault add ICertPassage hresult 0x8009400f --skip 1 --times 1", thrice, "issued, 0x8009400f, issued", rows=2),
    case("F09", "one account fails, the others do not", r"fault add ICertPassage hresult E_ACCESSDENIED --as 'CORP\bob'", passage(),
         "issued", rows=1),
]

# Reached by what the request says; doc/hresults.md has the calls.
BY_REQUEST = {
    "E16": 0x80094802, "E17": 0x80094807, "E18": 0x80094814, "E21": 0x80094806, "E22": 0x80094001, "E24": 0x8009480D, "E25": 0x8009480F,
    "E26": 0x8009480E, "E28": 0x80094821, "E32": 0xC80005E2, "E35": 0x80090006, "E37": 0x8009480A, "E38": 0x8009480B,
    "E39": 0x80094804, "E40": 0x80094810, "E44": 0x80094014, "E47": 0x80094004, "E52": 0x800B0109, "E53": 0x80092010,
}


def told(client):
    for function, text in WITHOUT.items():
        if client is function:
            return text
    return "a revocation over ICertAdminD2" if "revoke" in client.__qualname__ else "a request over ICertPassage"


HEAD = """# Faults on request

What a client of a CA must live with, how to bring it about, and what an independent client (impacket, http.client) then sees. Each row
is run by `tests/e2e/test_faults.py`; `tests/e2e/fault_cases.py` writes this page, and a test fails when the two differ. Numbers: of
[connectors.md](reference/connectors.md), sections 4 (E) and 5.

`adcsctl fault add POINT ACTION [VALUE]` lets something go wrong until `adcsctl fault clear`; `--skip N` calls go well first, `--times N` go
wrong, `--for 30s` ends it by itself, `--as 'CORP\\bob'` picks an account. `adcsctl fault points` lists every point (each interface and
method, the ports, HTTP, the database, the directory) with its actions; `fault list` counts the calls each rule has met, and the journal has a
record `fault-on-request` for each. `ICertRequestD` means ICertRequestD2 too. Any code can be had: `fault add ICertRequestD hresult CODE`.
Faults end with the server; none is on unless asked for over the control socket.

| No. | What goes wrong | adcsctl | Met by | Which sees |
|---|---|---|---|---|
"""


def document():
    out = HEAD
    for c in CASES:
        commands = "<br>".join(f"`{command}`" for command in c.provoke) or "nothing needed"
        row = {0: "", 1: "; one request in the database", 2: "; two requests in the database"}[c.rows]
        out += f"| {c.number} | {c.what} | {commands} | {told(c.client)} | {c.seen}{row} |\n"
    out += ("\nWhat the request or the template says brings about these; [hresults.md](hresults.md) has a call for each: "
            + ", ".join(f"{n} 0x{value:08X}" for n, value in BY_REQUEST.items())
            + ".\n\nWindows' own client turns a refused, closed or silent connection into 0x800706BA, 0x800706BE or 0x800706BF. Errors that arise "
            "within a client (E10, E29 to E31, E41, E42) or in web enrollment (E60) are not the CA's.\n")
    return out


if __name__ == "__main__":
    print(document(), end="")
