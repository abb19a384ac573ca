"""
Every kind of request on templates of every schema version, over ICertPassage and over DCOM. Schema 2 to 4 are subject to MS-WCCE
3.2.2.6.2.1.4.5 as a whole; of a template of schema 1 the attributes named there mean nothing: it takes an agent's signature without
asking for one, asks for no other, and archives no key.
"""
import functools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

import dcom
import harness
import icpr
import pkcs10
import signed_requests as sr
import test_archival as archival
from test_certificates import verify
from test_signed_requests import WORDS, enroll, spkac  # noqa: F401: a fixture

SCHEMAS = [1, 2, 3, 4]
LEVELS = {1: ("2003", "xp"), 2: ("2003", "xp"), 3: ("2008", "vista", "--provider-category", "ksp"), 4: ("2012", "8")}
ISSUED, PENDING = icpr.CR_DISP_ISSUED, icpr.CR_DISP_UNDER_SUBMISSION
AGENT_EKU, ASSURANCE = "1.3.6.1.4.1.311.20.2.1", "1.3.6.1.4.1.311.21.8.1.2.3.4"
TEMPLATE_NAME, TEMPLATE_OID, APPLICATION_POLICIES = "1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.7", "1.3.6.1.4.1.311.21.10"
SID = "1.3.6.1.4.1.311.25.2"
PKCS10, KEYGEN, PKCS7, CMC = 0x100, 0x200, 0x300, 0x400
RENEWAL, ON_BEHALF, ARCHIVED = 0x2, 0x10, 0x40  # Request.RequestFlags
PEND_ALL, PREVIOUS_APPROVAL, SAME_KEY = 0x2, 0x40, 0x80
NEW_KEY, OLD_KEY, AGENT_KEY, ASSURED_KEY, OTHER_KEY = (pkcs10.rsa_key(number=n) for n in (3, 2, 1, 5, 6))

SUPPLIED, SIGNED = ("--subject", "request"), ("--authorized-signatures", "1", "--signature-policy-type", "application",
                                              "--signature-application-policies", AGENT_EKU)
TEMPLATES = {  # name without the schema version: options of `template duplicate User`
    "Supplied": SUPPLIED,
    "Large": (*SUPPLIED, "--minimum-key-size", "4096"),
    "Unsigned": (),
    "Behalf": SIGNED,
    "Approved": SUPPLIED,
    "SameKey": SUPPLIED,
    "Archive": (*SUPPLIED, "--archive-key", "yes"),
    "Signed": (*SUPPLIED, "--authorized-signatures", "2", "--signature-policy-type", "both", "--signature-application-policies",
               AGENT_EKU, "--signature-issuance-policies", ASSURANCE),
}


def make_template(server, cn, schema, options):
    """By the console's rules, which give no schema 1: there an LDAP tool has the last word."""
    ca, recipient, *more = LEVELS[schema]
    server.ctl("template", "duplicate", "User", "--display-name", cn, "--compat-ca", ca, "--compat-recipient", recipient,
               *([] if "--minimum-key-size" in options else ["--minimum-key-size", "2048"]), *more, *options)
    if schema == 1:
        edit(server, cn, "msPKI-Template-Schema-Version", 1)
    for group in ("CORP\\Domain Users", "CORP\\Domain Computers"):
        server.ctl("template", "acl", "grant", cn, group, "Read", "Enroll")


def edit(server, cn, attribute, value):
    server.ldapmodify(f"dn: {server.template_dn(cn)}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n")


class World:
    """The server, the certificates of those who sign, and the certificates to be renewed."""

    def __init__(self, server, folder, spkac_der):
        self.server, self.spkac = server, spkac_der
        names = [f"{name}{schema}" for name in TEMPLATES for schema in SCHEMAS]
        for name, options in TEMPLATES.items():
            for schema in SCHEMAS:
                make_template(server, f"{name}{schema}", schema, options)
        server.ctl("template", "duplicate", "EnrollmentAgent", "--display-name", "Assured", "--issuance-policies", ASSURANCE)
        server.ctl("ca", "publish", "EnrollmentAgent", "Assured", "KeyRecoveryAgent", *names)
        for name, account in (("EnrollmentAgent", "agent"), ("Assured", "agent"), ("KeyRecoveryAgent", "janedoe")):
            server.ctl("template", "acl", "grant", name, f"CORP\\{account}", "Read", "Enroll")
        self.agent = enroll(server, "agent", "EnrollmentAgent", AGENT_KEY)[0]
        self.assured = enroll(server, "agent", "Assured", ASSURED_KEY)[0]
        self.plain = enroll(server, "janedoe", "User", OTHER_KEY)[0]
        self.old = {(name, schema): enroll(server, "PFXCONN01$", f"{name}{schema}", OLD_KEY)[0]
                    for name in ("Supplied", "Approved", "SameKey") for schema in SCHEMAS}
        for schema in SCHEMAS:  # what is asked of those who come later
            edit(server, f"Approved{schema}", "msPKI-Enrollment-Flag", PEND_ALL | PREVIOUS_APPROVAL)
            edit(server, f"Approved{schema}", "msPKI-RA-Signature", 1)
            edit(server, f"SameKey{schema}", "msPKI-Private-Key-Flag", SAME_KEY)
        certificate, self.recovery_key, _ = archival.agent(server, folder, 11)
        server.ctl("ca", "kra", "add", str(certificate))

    def send(self, transport, account, request, attributes):
        server, password = self.server, harness.PASSWORDS[account]
        if transport == "icpr":
            with icpr.Client(server, account, password) as c:
                return c.request(request, attributes)
        with dcom.Connection(server, account, password) as c:
            return c.submit(c.activate(), request, attributes, server.ready["ca"])


@pytest.fixture(scope="module")
def world(tmp_path_factory, spkac):  # noqa: F811
    server = harness.Server().start()
    yield World(server, tmp_path_factory.mktemp("kinds"), spkac[0])
    server.remove()


# ---- the kinds: world and schema to (attributes or None, request) ----

def named(name, schema):
    return f"CertificateTemplate:{name}{schema}"


def reg_info(name, schema, more=""):
    return [sr.reg_info(f"CertificateTemplate={name}{schema}{more}")]


def in_attributes(name):
    """A request that says nothing of its template: the attributes do."""
    def decorate(build):
        @functools.wraps(build)
        def made(w, schema):
            return named(name, schema), build(w, schema)
        return made
    return decorate


@in_attributes("Supplied")
def pkcs10_request(w, schema):
    return pkcs10.csr(NEW_KEY)


@in_attributes("Large")
def short_key(w, schema):
    return pkcs10.csr(NEW_KEY)


def cmc_request(w, schema):
    return None, sr.cmc(sr.request(NEW_KEY), reg_info("Supplied", schema), [sr.Signer(NEW_KEY)])


def keygen(w, schema):
    return WORDS.replace("CertificateTemplate:Supplied", named("Supplied", schema)), w.spkac


@in_attributes("Supplied")
def renewal(w, schema):
    return sr.windows_renewal(NEW_KEY, OLD_KEY, w.old["Supplied", schema])


@in_attributes("Supplied")
def certipy_renewal(w, schema):
    return sr.certipy_renewal(NEW_KEY, OLD_KEY, w.old["Supplied", schema])


def cmc_renewal(w, schema):
    old = w.old["Supplied", schema]
    inner = sr.request(NEW_KEY, old.subject, [sr.attribute(sr.RENEWAL_CERTIFICATE, sr.certificate_der(old))])
    return None, sr.cmc(inner, reg_info("Supplied", schema), [sr.Signer(NEW_KEY), sr.Signer(OLD_KEY, old)])


@in_attributes("Supplied")
def renewal_of_another_templates_certificate(w, schema):
    return sr.windows_renewal(NEW_KEY, OLD_KEY, w.old["Approved", schema])


@in_attributes("Approved")
def renewal_in_place_of_approval(w, schema):
    return sr.windows_renewal(NEW_KEY, OLD_KEY, w.old["Approved", schema])


@in_attributes("SameKey")
def renewal_with_another_key(w, schema):
    return sr.windows_renewal(NEW_KEY, OLD_KEY, w.old["SameKey", schema])


@in_attributes("SameKey")
def renewal_with_the_same_key(w, schema):
    return sr.windows_renewal(OLD_KEY, OLD_KEY, w.old["SameKey", schema])


@in_attributes("Behalf")
def on_behalf(w, schema):
    return sr.certipy_on_behalf(NEW_KEY, AGENT_KEY, w.agent, "CORP\\janedoe")


def on_behalf_in_cmc(w, schema):
    return None, sr.cmc(sr.request(NEW_KEY), reg_info("Behalf", schema, "&requestername=CORP\\janedoe"),
                        [sr.Signer(NEW_KEY), sr.Signer(AGENT_KEY, w.agent)])


@in_attributes("Unsigned")
def on_behalf_where_no_signature_is_asked(w, schema):
    return sr.certipy_on_behalf(NEW_KEY, AGENT_KEY, w.agent, "CORP\\janedoe")


@in_attributes("Behalf")
def on_behalf_by_no_agent(w, schema):
    return sr.certipy_on_behalf(NEW_KEY, OTHER_KEY, w.plain, "CORP\\janedoe")


def signed_by(*signers):
    """By holders of "agent" (application policy), "assured" (both policies), "plain" (neither)."""
    keys = {"agent": AGENT_KEY, "assured": ASSURED_KEY, "plain": OTHER_KEY}

    @in_attributes("Signed")
    def build(w, schema):
        inner = sr.request(NEW_KEY)
        return sr.signed_data(inner, [sr.Signer(keys[s], getattr(w, s)) for s in signers]) if signers else inner
    return build


def signed_in_cmc(w, schema):
    return None, sr.cmc(sr.request(NEW_KEY), reg_info("Signed", schema),
                        [sr.Signer(NEW_KEY), sr.Signer(OTHER_KEY, w.plain), sr.Signer(ASSURED_KEY, w.assured)])


@in_attributes("Archive")
def archived(w, schema):
    return archival.archival(NEW_KEY, archival.envelope(archival.blob(NEW_KEY), archival.exchange(w.server)))


@in_attributes("Archive")
def without_the_key(w, schema):
    return sr.cmc(sr.request(NEW_KEY), [], [sr.Signer(NEW_KEY)])


# ---- what becomes of them ----

class Kind:
    """later: the disposition on schema 2 to 4; first: on schema 1."""

    def __init__(self, build, request_type, first=ISSUED, later=ISSUED, account="PFXCONN01$", flags=0, key=NEW_KEY,
                 subject="CN=device.contoso.com"):
        self.build, self.request_type, self.account, self.flags = build, request_type, account, flags
        self.first, self.later, self.key, self.subject = first, later, key, subject

    def disposition(self, schema):
        return self.first if schema == 1 else self.later


JANE = {"account": "agent", "flags": ON_BEHALF, "subject": None}  # the directory's name
KINDS = {
    "PKCS #10": Kind(pkcs10_request, PKCS10),
    "CMC": Kind(cmc_request, CMC),
    "KEYGEN": Kind(keygen, KEYGEN, subject="CN=browser.contoso.com,O=Contoso"),
    "renewal": Kind(renewal, PKCS7, flags=RENEWAL),
    "renewal as Certipy signs it": Kind(certipy_renewal, PKCS7, flags=RENEWAL),
    "renewal in CMC": Kind(cmc_renewal, CMC, flags=RENEWAL),
    "renewal with the same key": Kind(renewal_with_the_same_key, PKCS7, flags=RENEWAL, key=OLD_KEY),
    "on behalf": Kind(on_behalf, PKCS7, **JANE),
    "on behalf in CMC": Kind(on_behalf_in_cmc, CMC, **JANE),
    "two signatures, both policies": Kind(signed_by("plain", "assured"), PKCS7),
    "two signatures, a policy each": Kind(signed_by("agent", "assured"), PKCS7),
    "three signers in CMC": Kind(signed_in_cmc, CMC),
    # what schema 1 cannot express it does not ask for
    "a key too short": Kind(short_key, PKCS10, ISSUED, 0x80094811),
    "a renewal with another key": Kind(renewal_with_another_key, PKCS7, ISSUED, 0x80094816, flags=RENEWAL),
    "no signature of two": Kind(signed_by(), PKCS10, ISSUED, 0x80094809),
    "one signature of two": Kind(signed_by("assured"), PKCS7, ISSUED, 0x8009480A),
    "no application policy": Kind(signed_by("plain", "plain"), PKCS7, ISSUED, 0x8009480B),
    "no issuance policy": Kind(signed_by("agent", "plain"), PKCS7, ISSUED, 0x8009480B),
    "on behalf, unasked": Kind(on_behalf_where_no_signature_is_asked, PKCS7, ISSUED, 0x80094806, **JANE),
    "no key to archive": Kind(without_the_key, CMC, ISSUED, 0x80094804),
    # nor does it give what the others do
    "key archival": Kind(archived, CMC, 0x80094810, ISSUED, flags=ARCHIVED),
    "a renewal in place of approval": Kind(renewal_in_place_of_approval, PKCS7, PENDING, ISSUED, flags=RENEWAL),
    # the same for all
    "an old certificate of another template": Kind(renewal_of_another_templates_certificate, PKCS7, 0x80094802, 0x80094802,
                                                   flags=RENEWAL),
    "on behalf, no agent": Kind(on_behalf_by_no_agent, PKCS7, 0x8009480B, 0x8009480B, **JANE),
}


def value_of(certificate, oid):
    found = [e.value.value for e in certificate.extensions if e.oid.dotted_string == oid]
    return found[0] if found else None


def check_template(w, certificate, cn, schema):
    """Schema 1 is named, the others are numbered; application policies came with schema 2."""
    if schema == 1:
        assert value_of(certificate, TEMPLATE_NAME) == sr.bmp(cn) and value_of(certificate, TEMPLATE_OID) is None
        assert value_of(certificate, APPLICATION_POLICIES) is None
        return
    shown = w.server.json("template", "show", cn)
    oid = sr.oid(shown["General"]["Object identifier"])
    assert value_of(certificate, TEMPLATE_NAME) is None and oid in value_of(certificate, TEMPLATE_OID)
    usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert value_of(certificate, APPLICATION_POLICIES) == sr.seq(*(sr.seq(sr.oid(u.dotted_string)) for u in usages))


def check_certificate(w, kind, schema, certificate, cn):
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert certificate.public_key().public_bytes(*form) == kind.key.public_key().public_bytes(*form)
    check_template(w, certificate, cn, schema)
    if kind.subject is None:
        assert "CN=Jane Doe" in certificate.subject.rfc4514_string()
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert pkcs10.upn_name("janedoe@contoso.com") in list(names) and b"S-1-5-21-" in value_of(certificate, SID)
    else:
        assert certificate.subject.rfc4514_string() == kind.subject and value_of(certificate, SID) is None


def check_row(row, kind, disposition, answer):
    columns = row["columns"]
    assert columns["Request.RequestType"] == kind.request_type
    assert columns["Request.RequestFlags"] & (RENEWAL | ON_BEHALF | ARCHIVED) == kind.flags
    on_behalf_of = kind.flags == ON_BEHALF
    assert row["requester"] == ("CORP\\janedoe" if on_behalf_of else f"CORP\\{kind.account}")
    assert columns["Request.CallerName"] == f"CORP\\{kind.account}"
    if disposition not in (ISSUED, PENDING):
        assert row["state"] == "denied" and row["status"] == f"0x{disposition:08x}" and row["message"] == answer.message
        assert answer.message.startswith(f"Denied by Policy Module  0x{disposition:08x}, ") and answer.certificate == b""


def check_recovery(w, kind, row):
    assert (kind.flags == ARCHIVED) == bool(row["columns"].get("Request.KeyRecoveryHashes"))
    if kind.flags == ARCHIVED:
        pem = w.server.ctl("request", "recover-key", str(row["id"]), "--kra", str(w.recovery_key)).encode()
        assert load_pem_private_key(pem, None).private_numbers() == kind.key.private_numbers()


@pytest.mark.parametrize("transport", ["icpr", "dcom"])
@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("name", KINDS)
def test_kind(world, name, schema, transport, tmp_path):
    kind = KINDS[name]
    disposition = kind.disposition(schema)
    attributes, request = kind.build(world, schema)
    answer = world.send(transport, kind.account, request, attributes)
    assert answer.code == 0 and answer.disposition == disposition, f"0x{answer.disposition:08x} {answer.message}"
    row = world.server.json("request", "show", str(answer.request_id))
    check_row(row, kind, disposition, answer)
    if disposition == ISSUED:
        certificate = x509.load_der_x509_certificate(answer.certificate)
        check_certificate(world, kind, schema, certificate, row["templateName"])
        if transport == "icpr":
            verify(world.server, certificate, tmp_path)
        check_recovery(world, kind, row)


def test_templates_are_of_the_schema_they_say(world):
    schemas = {t["name"]: t["schemaVersion"] for t in world.server.json("template", "list")}
    assert all(schemas[f"{name}{schema}"] == schema for name in TEMPLATES for schema in SCHEMAS)
