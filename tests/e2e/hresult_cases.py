"""
The HRESULTs of doc/reference/issuance.md and errors.md, each with a call that gets it from the server: impacket's RPC runtime speaks, the
requests are built by python3-cryptography or octet by octet. `python3 tests/e2e/hresult_cases.py` prints doc/hresults.md.
"""
import dataclasses
import functools
import os
import pathlib
import signal
import sqlite3
import sys

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from impacket import hresult_errors

import harness
import icpr
import other_ca
import pkcs10
import signed_requests as sr

DENIED, FAILED = 31, 30  # Request.Disposition
POLICY, PARSING = "Denied by Policy Module", "Error Parsing Request"
VERIFYING, ARCHIVING = "Error Verifying Request Signature or Signing Certificate", "Error Archiving Private Key"
NO_ROW, DENIED_ROW = "no row", "retrieved"
AGENT_EKU = "1.3.6.1.4.1.311.20.2.1"
NEW_KEY, AGENT_KEY, JANE_KEY = (pkcs10.rsa_key(number=n) for n in (3, 1, 2))

# System texts that MS-ERREF, which impacket follows, has not or words otherwise than winerror.h.
TEXTS = {
    0x8007000D: ("E_INVALID_DATA", "The data is invalid."),
    0x80070005: ("E_ACCESSDENIED", "Access is denied."),
    0x80070057: ("E_INVALIDARG", "The parameter is incorrect."),
    0x80070534: ("E_NONE_MAPPED", "No mapping between account names and security IDs was done."),
    0x80070547: ("E_CANT_ACCESS_DOMAIN_INFO",
                 "Configuration information could not be read from the domain controller, either because the machine is unavailable, or "
                 "access has been denied."),
    0x800706BA: ("E_RPC_SERVER_UNAVAILABLE", "The RPC server is unavailable."),
    0x80072030: ("E_DS_NO_SUCH_OBJECT", "There is no such object on the server."),
    0x8007203A: ("E_DS_SERVER_DOWN", "The server is not operational."),
    0x80090006: ("NTE_BAD_SIGNATURE", "Invalid Signature."),
    0x8009400A: ("CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED",
                 "Cannot archive private key. The certification authority is not configured for key archival."),
    0x80094014: ("CERTSRV_E_ADMIN_DENIED_REQUEST", "The request was denied by a certificate manager or CA administrator."),
    0x8009480F: ("CERTSRV_E_SUBJECT_DNS_REQUIRED",
                 "The DNS name is unavailable and cannot be added to the Subject Alternate name."),
    0x80094821: ("CERTSRV_E_SEC_EXT_DIRECTORY_SID_REQUIRED",
                 "The Active Directory SID is unavailable and cannot be added to the custom security extension."),
    0x800B0101: ("CERT_E_EXPIRED",
                 "A required certificate is not within its validity period when verifying against the current system clock or the "
                 "timestamp in the signed file."),
    0x800B0109: ("CERT_E_UNTRUSTEDROOT",
                 "A certificate chain processed, but terminated in a root certificate which is not trusted by the trust provider."),
    0xC80005E2: ("ESE_RECORD_TOO_BIG", "The column or record is too large for the database."),
}


def name_and_text(code):
    return TEXTS.get(code) or hresult_errors.ERROR_MESSAGES[code]


def signed(code):
    return code - (1 << 32)


@dataclasses.dataclass
class Case:
    code: int
    how: str  # POLICY, PARSING, ... or NO_ROW
    run: object
    text: str  # in place of the system text
    step: str  # of the decision list in issuance.md section 2

    @property
    def name(self):
        return self.run.__name__

    def message(self):
        """What pctbDispositionMessage and Request.DispositionMessage say."""
        name, text = name_and_text(self.code)
        text = (self.text or text).strip()
        if self.how == POLICY:
            return f"{POLICY}  0x{self.code:08x}, {text}"
        if self.how in (NO_ROW, DENIED_ROW):
            return text
        return f"{self.how}  {text} 0x{self.code:08x} ({signed(self.code)} {name})"

    def disposition(self):
        return DENIED if self.how == POLICY else FAILED


CASES = []


def reaches(code, how, step, text=None):
    def add(function):
        CASES.append(Case(code, how, function, text, str(step)))
        return function
    return add


@dataclasses.dataclass
class Seen:
    server: harness.Server
    answer: icpr.Result


class World:
    """The servers and certificates that the cases share; made when first asked for."""

    def __init__(self, folder):
        self.folder, self.servers, self.made = pathlib.Path(folder), [], {}
        self.folder.chmod(0o755)  # slapd is never root, and must reach its program

    def fresh(self, *lines, args=()):
        """A server of its own; lines: of its configuration."""
        config = self.folder / f"{len(self.servers)}.conf"
        config.write_text("\n".join(lines) + "\n")
        server = harness.Server("--config", str(config), *args)
        self.servers.append(server.start())
        return server

    def once(self, what, make):
        if what not in self.made:
            self.made[what] = make()
        return self.made[what]

    @property
    def server(self):
        return self.once("server", self.fresh)

    def close(self):
        for server in self.servers:
            server.remove()

    # ---- calls ----

    def client(self, account, server=None, **options):
        return icpr.Client(server or self.server, account, harness.PASSWORDS[account], **options)

    def send(self, account, request, attributes="", flags=0, server=None, **more):
        server = server or self.server
        with self.client(account, server) as c:
            return Seen(server, c.request(request, attributes, flags, server.ready["ca"], **more))

    def enroll(self, account, template, key, server=None):
        seen = self.send(account, pkcs10.csr(key), f"CertificateTemplate:{template}", server=server)
        assert seen.answer.disposition == icpr.CR_DISP_ISSUED, seen.answer
        return x509.load_der_x509_certificate(seen.answer.certificate), seen.answer.request_id

    # ---- templates ----

    def template(self, cn, server=None, publish=True, **attributes):
        """A template of schema version 2 made from User, then changed by ldapmodify; attribute names with _ for -."""
        server = server or self.server

        def make():
            server.ctl("template", "duplicate", "User", "--display-name", cn, "--compat-ca", "2008R2", "--compat-recipient", "7")
            for group in ("CORP\\Domain Users", "CORP\\Domain Computers"):
                server.ctl("template", "acl", "grant", cn, group, "Read", "Enroll")
            lines = [f"dn: {server.template_dn(cn)}", "changetype: modify"]
            for name, value in attributes.items():
                lines += [f"replace: {name.replace('_', '-')}", f"{name.replace('_', '-')}: {value}", "-"]
            if attributes:
                server.ldapmodify("\n".join(lines) + "\n")
            if publish:
                server.ctl("ca", "publish", cn)
            return f"CertificateTemplate:{cn}"
        return self.once((id(server), cn), make)

    def agent(self):
        def make():
            self.server.ctl("ca", "publish", "EnrollmentAgent")
            self.server.ctl("template", "acl", "grant", "EnrollmentAgent", "CORP\\agent", "Read", "Enroll")
            return self.enroll("agent", "EnrollmentAgent", AGENT_KEY)[0]
        return self.once("agent", make)

    def jane(self):
        return self.once("jane", lambda: self.enroll("janedoe", "User", JANE_KEY)[0])

    def on_behalf(self, whom, template, server=None):
        return self.send("agent", sr.certipy_on_behalf(NEW_KEY, AGENT_KEY, self.agent(), whom), template, server=server)


def rows(server):
    """Request id -> (Disposition, StatusCode, DispositionMessage), as another SQLite reads them."""
    with sqlite3.connect(f"file:{server.state}/ca.db?mode=ro", uri=True, timeout=60) as db:
        found = db.execute("SELECT RequestID, Disposition, StatusCode, DispositionMessage FROM Requests").fetchall()
    db.close()
    return {r[0]: (r[1], r[2] & 0xFFFFFFFF, r[3]) for r in found}


def account_dn(cn):
    return f"CN={cn},CN=Users,DC=corp,DC=contoso,DC=com"


SUPPLIED = {"msPKI_Certificate_Name_Flag": 1, "msPKI_Enrollment_Flag": 0}
USER = "CertificateTemplate:User"


# ---- before there is a row ----

@reaches(0x800706BA, NO_ROW, 1)
def interface_is_switched_off(w):
    return w.send("janedoe", pkcs10.csr(), USER, server=w.fresh("[CA]", "InterfaceFlags = +IF_NORPCICERTREQUEST"))


@reaches(0x80070005, NO_ROW, 2)
def call_is_not_encrypted(w):
    with w.client("janedoe", level="integrity") as c:
        return Seen(w.server, c.request(pkcs10.csr(), USER, 0, w.server.ready["ca"]))


@reaches(0x80094011, NO_ROW, 4)
def no_enroll_right_on_the_ca(w):
    server = w.fresh()
    server.ctl("ca", "acl", "deny", "CORP\\bob", "RequestCertificates")
    return w.send("bob", pkcs10.csr(), USER, server=server)


@reaches(0x80070057, NO_ROW, 5)
def another_authority(w):
    with w.client("janedoe") as c:
        return Seen(w.server, c.request(pkcs10.csr(), USER, authority="Fabrikam CA"))


@reaches(0x80094004, NO_ROW, 7)
def status_of_an_unknown_request(w):
    return w.send("janedoe", b"", request_id=0x7FFFFFF0)


@reaches(0x80094014, DENIED_ROW, 7, "Denied by local administrator")
def status_of_a_request_that_an_officer_denied(w):
    template = w.template("Officer", msPKI_Enrollment_Flag=2)
    waiting = w.send("janedoe", pkcs10.csr(), template).answer
    assert waiting.disposition == icpr.CR_DISP_UNDER_SUBMISSION
    w.server.ctl("request", "deny", str(waiting.request_id))  # adcsctl's caller is not of the domain
    return w.send("janedoe", b"", request_id=waiting.request_id)


# ---- what the request is ----

@reaches(0x80091004, PARSING, 8)
def pkcs10_declared_as_cmc(w):
    return w.send("janedoe", pkcs10.csr(), USER, flags=0x400)


@reaches(0x80093102, PARSING, 9)
def request_cut_short(w):
    return w.send("janedoe", pkcs10.csr()[:-20], USER)


@reaches(0x8009310B, PARSING, 9)
def wrong_tag_in_the_request(w):
    return w.send("janedoe", b"0\3\2\1\1", USER)


@reaches(0x8007000D, PARSING, 9)
def signed_data_without_a_request(w):
    return w.send("janedoe", sr.signed_data(b"nothing of the kind", [sr.Signer(JANE_KEY, w.jane())]), USER)


@reaches(0x8009200E, PARSING, 10)
def nobody_signed(w):
    return w.send("janedoe", sr.signed_data(sr.request(NEW_KEY), []), USER)


@reaches(0x80090006, VERIFYING, 11)
def signature_is_wrong(w):
    return w.send("janedoe", sr.request(NEW_KEY, corrupt=True), USER)


@reaches(0x80091002, VERIFYING, 11)
def signature_with_md5(w):
    return w.send("janedoe", sr.request(NEW_KEY).replace(sr.oid(sr.SHA256_RSA), sr.oid("1.2.840.113549.1.1.4")), USER)


@reaches(0x80090015, VERIFYING, 11)
def point_is_not_on_the_curve(w):
    key = pkcs10.ec_key()
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return w.send("janedoe", pkcs10.csr(key=key).replace(point, point[:-1] + bytes([point[-1] ^ 1])), USER)


@reaches(0x80091007, VERIFYING, 11)
def content_changed_after_signing(w):
    whole = sr.cmc(sr.request(NEW_KEY), [sr.reg_info("CertificateTemplate=User")], [sr.Signer(NEW_KEY)])
    return w.send("janedoe", whole.replace(b"=User", b"=Usor"))


@reaches(0x8009100E, VERIFYING, 11)
def signer_is_not_in_the_message(w):
    return w.send("janedoe", sr.signed_data(sr.request(NEW_KEY), [sr.Signer(JANE_KEY, w.jane())], certificates=[]), USER)


@reaches(0x8009400E, VERIFYING, 12)
def renewed_certificate_did_not_sign(w):
    old = w.jane()
    inner = sr.request(NEW_KEY, old.subject, [sr.attribute(sr.RENEWAL_CERTIFICATE, sr.certificate_der(old))])
    return w.send("janedoe", sr.signed_data(inner, [sr.Signer(AGENT_KEY, w.agent())], [old, w.agent()]), USER)


def self_signed(key):
    import datetime
    name, now = pkcs10.subject(cn="Nobody's CA"), datetime.datetime.utcnow()
    return (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1000)
            .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9)).sign(key, pkcs10.hashes.SHA256()))


@reaches(0x800B0109, VERIFYING, 13)
def signer_of_an_unknown_root(w):
    return w.send("janedoe", sr.signed_data(sr.request(NEW_KEY), [sr.Signer(AGENT_KEY, self_signed(AGENT_KEY))]), USER)


def by_another_ca(w, *words, flags=None, points=True, forged=False):
    """An agent of a CA below a root: published as these words of adcsctl pki say, and signed by them."""
    def make():
        root = other_ca.OtherCA(w.folder, f"Root {len(w.made)}", points=points)
        return root, other_ca.OtherCA(w.folder, f"Sub {len(w.made)}", root, points=points)
    root, sub = w.once(("cas", points), make)
    agent = w.once(("agent of another", points), lambda: sub.issue("Agent", other_ca.AGENT))
    server = w.fresh(*(["[CA]", f"CRLFlags = {flags}"] if flags else []))
    for word in words:
        server.ctl("pki", "add", str((root if word == "RootCA" else sub).file), word)
    if forged:
        raw = sr.certificate_der(agent.certificate)
        agent_certificate = x509.load_der_x509_certificate(raw[:-1] + bytes([raw[-1] ^ 1]))
    else:
        agent_certificate = agent.certificate
    content = sr.pki_data([sr.tagged(sr.request(NEW_KEY))], [sr.reg_info("requestername=CORP\\janedoe")])
    request = sr.signed_data(content, [sr.Signer(NEW_KEY), sr.Signer(agent.key, agent_certificate)], content_type=sr.PKI_DATA,
                             version=3)
    return w.send("agent", request, USER, server=server)


@reaches(0x800B010A, VERIFYING, 13)
def agent_whose_ca_nobody_knows(w):
    return by_another_ca(w, "RootCA", "NTAuthCA")


@reaches(0x800B0112, VERIFYING, 13)
def agent_of_a_ca_that_is_not_in_ntauthcertificates(w):
    return by_another_ca(w, "RootCA", "SubCA", flags="+CRLF_REVCHECK_IGNORE_OFFLINE")


@reaches(0x80092012, VERIFYING, 13)
def agent_without_distribution_points(w):
    return by_another_ca(w, "RootCA", "SubCA", "NTAuthCA", points=False)


@reaches(0x80096004, VERIFYING, 13)
def agent_certificate_is_altered(w):
    return by_another_ca(w, "RootCA", "SubCA", "NTAuthCA", forged=True)


@reaches(0x800B0101, VERIFYING, 13)
def signer_has_expired(w):
    server = w.fresh()
    old, _ = w.enroll("janedoe", "User", JANE_KEY, server)
    server.ctl("clock", "advance", "400d")
    return w.send("janedoe", sr.windows_renewal(NEW_KEY, JANE_KEY, old), USER, server=server)


@reaches(0x80092010, VERIFYING, 13)
def signer_is_revoked(w):
    key = pkcs10.rsa_key(number=5)
    old, number = w.enroll("janedoe", "User", key)
    w.server.ctl("request", "revoke", str(number))
    return w.send("janedoe", sr.windows_renewal(NEW_KEY, key, old), USER)


def block_crl(server):
    """A folder where the base CRL belongs: its file cannot be replaced. Gives the folder."""
    path = pathlib.Path(server.state) / "CertEnroll" / f"{server.ready['ca']}.crl"
    path.unlink()
    (path / "in the way").mkdir(parents=True)
    return path


@reaches(0x80092013, VERIFYING, 13)
def no_crl_in_force_tells_of_the_signer(w):
    server = w.fresh("[CA]", "CRLPublicationURLs = 2:http://ca01.corp.contoso.com/CertEnroll/%3%8%9.crl")
    old, _ = w.enroll("janedoe", "User", JANE_KEY, server)
    block_crl(server)
    server.ctl("clock", "advance", "9d")
    return w.send("janedoe", sr.windows_renewal(NEW_KEY, JANE_KEY, old), USER, server=server)


@reaches(0xC80005E2, PARSING, 14)
def extension_longer_than_its_column(w):
    big = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x04\x82\x10\x10" + bytes(0x1010))
    return w.send("janedoe", pkcs10.csr(extensions=[(big, False)]), USER)


@reaches(0x8009400A, ARCHIVING, 15)
def key_to_archive_where_nobody_could_recover_it(w):
    blob = sr.attribute(sr.ARCHIVED_KEY, sr.seq(sr.oid("1.2.840.113549.1.7.3"), sr.tlv(0xA0, sr.seq())))
    return w.send("janedoe", sr.cmc(sr.request(NEW_KEY), [sr.reg_info("CertificateTemplate=User")],
                                    [sr.Signer(NEW_KEY, unsigned=[blob])]))


# ---- the template ----

@reaches(0x80094801, POLICY, 16,
         "The request does not contain a certificate template extension or the CertificateTemplate request attribute.")
def no_template(w):
    return w.send("janedoe", pkcs10.csr())


def template_name(name):
    raw = name.encode("utf-16be")
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2"), bytes([0x1E, len(raw)]) + raw)


@reaches(0x80094802, POLICY, 17)
def two_templates(w):
    return w.send("janedoe", pkcs10.csr(extensions=[(template_name("WebServer"), False)]), USER)


@reaches(0x80094800, POLICY, 18, "The request was for a certificate template that is not supported by the Active Directory "
         "Certificate Services policy: CodeSigning.")
def template_is_not_published(w):
    return w.send("janedoe", pkcs10.csr(), "CertificateTemplate:CodeSigning")


@reaches(0x80094807, POLICY, 19)
def template_version_of_tomorrow(w):
    template = w.template("Versioned", **SUPPLIED)
    oid = w.server.json("template", "show", "Versioned")["General"]["Object identifier"]
    info = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.21.7"),
                                      sr.seq(sr.oid(oid), sr.integer(30000), sr.integer(0)))
    return w.send("janedoe", pkcs10.csr(extensions=[(info, False)]), template)


@reaches(0x80094012, POLICY, 21)
def no_enroll_right_on_the_template(w):
    return w.send("janedoe", pkcs10.csr(), "CertificateTemplate:WebServer")


@reaches(0x80094806, POLICY, 22)
def for_another_where_no_signature_is_asked(w):
    return w.on_behalf("CORP\\janedoe", w.template("Unsigned"))


@reaches(0x8009480B, POLICY, 23)
def for_another_without_being_an_agent(w):
    return w.send("janedoe", sr.certipy_on_behalf(NEW_KEY, JANE_KEY, w.jane(), "CORP\\Administrator"), USER)


@reaches(0x80094809, POLICY, 24)
def no_signature_where_one_is_asked(w):
    return w.send("janedoe", pkcs10.csr(), w.template("Signed", msPKI_RA_Signature=1))


@reaches(0x8009480A, POLICY, 24)
def one_signature_of_two(w):
    template = w.template("Twice", msPKI_RA_Signature=2)
    return w.send("janedoe", sr.signed_data(sr.request(NEW_KEY), [sr.Signer(AGENT_KEY, w.agent())]), template)


@reaches(0x8009480C, POLICY, 26)
def issuance_policy_of_the_signer(w):
    server = w.fresh("[policy]", "IssuancePolicyRequired = 1")
    template = w.template("Assured", server, msPKI_RA_Signature=1, msPKI_RA_Policies="1.3.6.1.4.1.311.21.8.1.2.3.4")
    jane, _ = w.enroll("janedoe", "User", JANE_KEY, server)
    return w.send("janedoe", sr.signed_data(sr.request(NEW_KEY), [sr.Signer(JANE_KEY, jane)]), template, server=server)


@reaches(0x80094811, POLICY, 27)
def key_too_short(w):
    return w.send("janedoe", pkcs10.csr(pkcs10.rsa_key(1024)), w.template("Keys", msPKI_Minimal_Key_Size=2048))


ARCHIVES = {"msPKI_Private_Key_Flag": 0x1 | 0x10}
KEY_IN_PKCS10 = sr.attribute(sr.ARCHIVED_KEY, sr.seq())


@reaches(0x80094804, POLICY, 28)
def no_key_where_one_is_archived(w):
    return w.send("janedoe", pkcs10.csr(), w.template("Archived", **ARCHIVES))


@reaches(0x80094810, POLICY, 28)
def key_where_none_is_archived(w):
    return w.send("janedoe", sr.request(NEW_KEY, attributes=[KEY_IN_PKCS10]), USER)


@reaches(0x8009400C, POLICY, 28)
def key_to_archive_in_the_wrong_place(w):
    return w.send("janedoe", sr.request(NEW_KEY, attributes=[KEY_IN_PKCS10]), w.template("Archived", **ARCHIVES))


@reaches(0x80094816, POLICY, 29)
def another_key_where_the_old_one_is_kept(w):
    template = w.template("SameKey", msPKI_Private_Key_Flag=0x80 | 0x10)
    key = pkcs10.rsa_key(number=6)
    old, _ = w.enroll("janedoe", "SameKey", key)
    return w.send("janedoe", sr.windows_renewal(NEW_KEY, key, old), template)


@reaches(0x8009481A, POLICY, 30)
def no_attestation_where_one_is_asked(w):
    return w.send("janedoe", pkcs10.csr(), w.template("Attested", msPKI_Private_Key_Flag=0x2000 | 0x10))


@reaches(0x80094805, POLICY, 31)
def no_smime_capabilities(w):
    server = w.fresh("[policy]", "EditFlags = -EDITF_ENABLEDEFAULTSMIME")
    return w.send("janedoe", pkcs10.csr(), w.template("Mail", server, msPKI_Enrollment_Flag=1), server=server)


# ---- names ----

NO_NAME = {"msPKI_Enrollment_Flag": 0}


@reaches(0x80094812, POLICY, 33)
def account_without_mail(w):
    return w.send("bob", pkcs10.csr(), USER)


@reaches(0x8009480D, POLICY, 33)
def account_without_upn(w):
    return w.send("noupn", pkcs10.csr(), w.template("Upn", msPKI_Certificate_Name_Flag=0x02000000, **NO_NAME))


@reaches(0x8009480F, POLICY, 33)
def account_without_host_name(w):
    return w.send("janedoe", pkcs10.csr(), w.template("Dns", msPKI_Certificate_Name_Flag=0x08000000, **NO_NAME))


@reaches(0x8009480E, POLICY, 33)
def account_without_guid(w):
    server = w.fresh()
    template = w.template("Guid", server, msPKI_Certificate_Name_Flag=0x01000000, **NO_NAME)
    server.ldapmodify(f"dn: {account_dn('Bob Smith')}\nchangetype: modify\ndelete: objectGUID\n")
    return w.send("bob", pkcs10.csr(), template, server=server)


@reaches(0x80094821, POLICY, 33)
def account_without_sid(w):
    """Nobody logs on without a SID; an agent may ask for such an account."""
    server = w.fresh()
    server.ctl("ca", "publish", "EnrollmentAgent")
    server.ctl("template", "acl", "grant", "EnrollmentAgent", "CORP\\agent", "Read", "Enroll")
    agent, _ = w.enroll("agent", "EnrollmentAgent", AGENT_KEY, server)
    server.ldapmodify(f"dn: {account_dn('Jane Doe')}\nchangetype: modify\ndelete: objectSid\n")
    return w.send("agent", sr.certipy_on_behalf(NEW_KEY, AGENT_KEY, agent, "CORP\\janedoe"), USER, server=server)


@reaches(0x80070534, PARSING, 33)
def for_somebody_who_is_not_there(w):
    return w.on_behalf("CORP\\nobody-here", USER)


@reaches(0x80070547, PARSING, 33)
def for_somebody_of_another_domain(w):
    return w.on_behalf("FABRIKAM\\janedoe", USER)


@reaches(0x80094001, POLICY, 33)
def no_name_at_all(w):
    return w.send("janedoe", pkcs10.csr(name=x509.Name([])), w.template("Supplied", **SUPPLIED))


@reaches(0x80072030, POLICY, 34)
def account_deleted_after_the_logon(w):
    server = w.fresh()
    with w.client("noupn", server) as c:
        c.request(pkcs10.csr(), USER, 0, server.ready["ca"])
        server.ldapmodify(f"dn: {account_dn('Nora Upn')}\nchangetype: delete\n")
        return Seen(server, c.request(pkcs10.csr(), USER, 0, server.ready["ca"]))


SLAPD = """#!/bin/sh
# Starts once; afterwards the directory stays away.
if [ -e "{marker}" ]; then exit 1; fi
exec /usr/sbin/slapd "$@"
"""


@reaches(0x8007203A, POLICY, 34)
def directory_is_down(w):
    from test_directory import slapd_pid
    program = w.folder / f"slapd{len(w.servers)}"
    marker = program.with_suffix(".gone")
    program.write_text(SLAPD.format(marker=marker))
    program.chmod(0o755)
    server = w.fresh(args=("--slapd", str(program)))
    with w.client("janedoe", server) as c:
        ask = functools.partial(c.request, pkcs10.csr(), USER, 0, server.ready["ca"])
        assert ask().disposition == icpr.CR_DISP_ISSUED
        marker.touch()
        os.kill(slapd_pid(server), signal.SIGKILL)
        answer = ask()
        # until the server has noticed: what was asked meanwhile is issued, or E_DS_UNAVAILABLE
        while answer.disposition in (icpr.CR_DISP_ISSUED, 0x8007200F):
            answer = ask()
        return Seen(server, answer)


# ---- validity and the officer ----

@reaches(0x80094814, POLICY, 36, "Renewing a certificate with the 'Overlap' Certificate Template failed because the renewal overlap "
         "period is longer than the certificate validity period.")
def renewal_period_longer_than_the_validity(w):
    server = w.fresh("[CA]", "ValidityPeriod = Weeks", "ValidityPeriodUnits = 2")
    return w.send("janedoe", pkcs10.csr(), w.template("Overlap", server), server=server)


# ---- the list in doc/ ----

def document():
    lines = [
        "# HRESULTs reached over the wire", "",
        "Each of these is got by a call of an independent client in `tests/e2e/test_hresults.py`, which asserts the code, the row of the",
        "database and the disposition text. Written by `tests/e2e/hresult_cases.py`; a test fails when the two differ. Step: of the decision",
        "list in [issuance.md](reference/issuance.md), section 2.", "",
        "| HRESULT | Name | Step | Case | Disposition message |", "|---|---|---|---|---|",
    ]
    for case in sorted(CASES, key=lambda c: c.code):
        lines.append(f"| 0x{case.code:08X} | {name_and_text(case.code)[0]} | {case.step} | {case.name.replace('_', ' ')} | "
                     f"{case.message() if case.how != NO_ROW else 'no row'} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
