"""
A judge of certificates and CRLs by the rules of RFC 5280 that a conforming CA has to keep, written from the RFC. certificate() and crl()
give what is broken as "section: text"; an empty list is good. Every rule has a bad example in test_rfc5280.py.
"""
import re

from strict_der import (BIT_STRING, BMP, BOOLEAN, DerError, ENUMERATED, GENERALIZED_TIME, IA5, INTEGER, NULL, OCTET_STRING, OID, PRINTABLE,
                        SEQUENCE, SET, UTF8, VISIBLE, integer, named_bits, oid, read, text, time)

RULES = {}  # section and name -> function, in the order of the RFC

AKI, SKI, KU, POLICIES, MAPPINGS, SAN, IAN, SDA, BC, NC, PC, EKU, CDP, INHIBIT, FRESHEST = (
    "2.5.29.35", "2.5.29.14", "2.5.29.15", "2.5.29.32", "2.5.29.33", "2.5.29.17", "2.5.29.18", "2.5.29.9", "2.5.29.19", "2.5.29.30",
    "2.5.29.36", "2.5.29.37", "2.5.29.31", "2.5.29.54", "2.5.29.46")
AIA, SIA = "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.1.11"
CRL_NUMBER, DELTA, IDP, REASON, INVALIDITY, ENTRY_ISSUER = (
    "2.5.29.20", "2.5.29.27", "2.5.29.28", "2.5.29.21", "2.5.29.24", "2.5.29.29")
ANY_POLICY, CPS, USER_NOTICE, ANY_EKU = "2.5.29.32.0", "1.3.6.1.5.5.7.2.1", "1.3.6.1.5.5.7.2.2", "2.5.29.37.0"
KEY_CERT_SIGN, KEY_AGREEMENT, CRL_SIGN = 5, 4, 6
RSA, EC = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1"

# X.520 attribute: (allowed strings, upper bound in characters), RFC 5280 appendix A.1
DIRECTORY_STRING = (PRINTABLE, UTF8)
ATTRIBUTES = {
    "2.5.4.3": (DIRECTORY_STRING, 64), "2.5.4.4": (DIRECTORY_STRING, 64), "2.5.4.5": ((PRINTABLE,), 64),
    "2.5.4.6": ((PRINTABLE,), 2), "2.5.4.7": (DIRECTORY_STRING, 128), "2.5.4.8": (DIRECTORY_STRING, 128),
    "2.5.4.10": (DIRECTORY_STRING, 64), "2.5.4.11": (DIRECTORY_STRING, 64), "2.5.4.12": (DIRECTORY_STRING, 64),
    "2.5.4.42": (DIRECTORY_STRING, 64), "2.5.4.43": (DIRECTORY_STRING, 64), "2.5.4.44": (DIRECTORY_STRING, 64),
    "2.5.4.46": ((PRINTABLE,), None), "0.9.2342.19200300.100.1.25": ((IA5,), None), "1.2.840.113549.1.9.1": ((IA5,), 255),
}
NOT_PRINTABLE = re.compile(r"[^A-Za-z0-9 '()+,\-./:=?]")
LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
HOST = re.compile(rf"^(\*\.)?{LABEL}(\.{LABEL})*$")
MAILBOX = re.compile(rf"^[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+)*@{LABEL}(\.{LABEL})*$")
URI = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$")
LDAP = re.compile(r"^ldaps?://[^/?]*/[^?]+\?[A-Za-z0-9.;-]+(\?|$)")


class Document:
    """What a certificate and a CRL share: the parts, the algorithm, the extensions."""

    def __init__(self, der, issuer):
        self.broken, self.issuer_certificate = [], issuer
        outer = read(der).want(SEQUENCE).items()
        if len(outer) != 3:
            raise DerError(f"{len(outer)} parts, not three")
        self.tbs, self.signature_algorithm = outer[0].want(SEQUENCE), outer[1].want(SEQUENCE)
        self.signature = outer[2].want(BIT_STRING)
        self.parts = self.tbs.items()
        self.extensions = []

    def say(self, section, what):
        self.broken.append(f"{section}: {what}")

    def extension(self, number):
        """(critical, value as Item) of the extension, or None."""
        for found, critical, value in self.extensions:
            if found == number:
                return critical, value
        return None

    def parse_extensions(self, holder):
        return parse_extensions(self, holder)


def parse_extensions(doc, holder):
    listed = holder.items()
    if not listed:
        doc.say("4.1.2.9", "an empty list of extensions")
    found = []
    for item in listed:
        fields = item.want(SEQUENCE).items()
        critical = False
        if len(fields) == 3:
            critical = fields[1].want(BOOLEAN).body == b"\xff"
            if not critical:
                doc.say("4.1", "critical FALSE is written out, which DER leaves away")
        elif len(fields) != 2:
            raise DerError("an extension of another shape")
        number, octets = oid(fields[0]), fields[-1].want(OCTET_STRING).body
        try:
            value = read(octets)
        except DerError:
            if number.startswith(("2.5.29.", "1.3.6.1.5.5.7.1.")):
                raise
            value = None
        if number in [f[0] for f in found]:
            doc.say("4.2", f"extension {number} twice")
        found.append((number, critical, value))
    return found


def rule(section, name):
    def add(function):
        RULES[f"{section} {name}"] = (section, function)
        return function
    return add


def lint_name(doc, section, name, may_be_empty):
    rdns = name.want(SEQUENCE).items()
    if not rdns and not may_be_empty:
        doc.say(section, "an empty name")
    for rdn in rdns:
        pairs = rdn.want(SET).items()
        types = [oid(p.items()[0]) for p in pairs]
        if not pairs or len(set(types)) < len(types):
            doc.say(section, "an RDN that is empty or names an attribute twice")
        for pair, number in zip(pairs, types):
            lint_attribute(doc, section, number, pair.items()[1])


def lint_attribute(doc, section, number, value):
    allowed, bound = ATTRIBUTES.get(number, (None, None))
    if allowed and value.tag not in allowed:
        doc.say(section, f"{number} in a string of tag {value.tag}")
        return
    if value.tag == PRINTABLE and NOT_PRINTABLE.search(text(value)):
        doc.say(section, f"{text(value)!r} is no PrintableString")
    if allowed and not text(value):
        doc.say(section, f"{number} is empty")
    if bound and len(text(value)) > bound:
        doc.say(section, f"{number} has {len(text(value))} characters, at most {bound} are allowed")
    if number == "2.5.4.6" and not re.match(r"^[A-Z]{2}$", text(value)):
        doc.say(section, f"{text(value)!r} is no country")


def lint_general_names(doc, section, names):
    if not names:
        doc.say(section, "no name in a list of names")
    for name in names:
        kind = name.tag & 0x1F
        said = name.body.decode("latin-1")
        if kind == 0:
            parts = name.items()
            if len(parts) != 2 or parts[1].tag != 0xA0 or len(parts[1].items()) != 1:
                doc.say(section, "an otherName of another shape")
            oid(parts[0])
        elif kind == 1 and not MAILBOX.match(said):
            doc.say(section, f"{said!r} is no mailbox")
        elif kind == 2 and (not HOST.match(said) or len(said) > 253):
            doc.say(section, f"{said!r} is no DNS name")
        elif kind == 4:
            lint_name(doc, section, read(name.body), may_be_empty=False)
        elif kind == 6 and not URI.match(said):
            doc.say(section, f"{said!r} is no absolute URI")
        elif kind == 7 and len(name.body) not in (4, 16):
            doc.say(section, f"an IP address of {len(name.body)} octets")
        elif kind > 8:
            doc.say(section, f"a name of kind {kind}")


def lint_location(doc, section, name):
    """Where a CRL or a certificate is: an ldap URI says which entry and which attribute."""
    lint_general_names(doc, section, [name])
    said = name.body.decode("latin-1")
    if name.tag == 0x86 and said.lower().startswith("ldap") and not LDAP.match(said):
        doc.say(section, f"{said!r} has no DN and attribute")


# ---- certificates ----

class Certificate(Document):
    def __init__(self, der, issuer=None):
        super().__init__(der, issuer)
        parts, self.version = list(self.parts), 0
        if parts[0].tag == 0xA0:
            self.version = integer(parts.pop(0).items()[0])
        (self.serial, self.algorithm, self.issuer, self.validity, self.subject, self.spki), rest = parts[:6], parts[6:]
        self.unique_ids = [p for p in rest if p.tag in (0x81, 0x82)]
        for part in rest:
            if part.tag == 0xA3:
                self.extensions = self.parse_extensions(part.items()[0].want(SEQUENCE))
        bc = self.extension(BC)
        fields = bc[1].want(SEQUENCE).items() if bc else []
        self.is_ca = bool(fields) and fields[0].tag == BOOLEAN and fields[0].body == b"\xff"
        self.path_length = next((f for f in fields if f.tag == INTEGER), None)
        self.written_false = bool(fields) and fields[0].tag == BOOLEAN and not self.is_ca
        usage = self.extension(KU)
        self.usage = named_bits(usage[1]) if usage else None


@rule("4.1.1.2", "one algorithm")
def certificate_algorithm(c):
    if c.algorithm.raw != c.signature_algorithm.raw:
        c.say("4.1.1.2", "signatureAlgorithm is not what the certificate says inside")


@rule("4.1.2.1", "version")
def certificate_version(c):
    if c.extensions and c.version != 2:
        c.say("4.1.2.1", f"version {c.version + 1} with extensions")


@rule("4.1.2.2", "serial number")
def certificate_serial(c):
    if integer(c.serial) <= 0 or len(c.serial.body) > 20:
        c.say("4.1.2.2", f"serial number {c.serial.body.hex()}")


@rule("4.1.2.4", "issuer")
def certificate_issuer(c):
    lint_name(c, "4.1.2.4", c.issuer, may_be_empty=False)


@rule("4.1.2.5", "validity")
def certificate_validity(c):
    begin, end = (time(t) for t in c.validity.want(SEQUENCE).items())
    if begin > end:
        c.say("4.1.2.5", f"valid from {begin} to {end}")


@rule("4.1.2.6", "subject")
def certificate_subject(c):
    lint_name(c, "4.1.2.6", c.subject, may_be_empty=not c.is_ca)


@rule("4.1.2.7", "public key")
def certificate_key(c):
    fields = c.spki.want(SEQUENCE).items()
    algorithm = fields[0].want(SEQUENCE).items()
    bits = fields[1].want(BIT_STRING).body
    if oid(algorithm[0]) == RSA:
        if len(algorithm) != 2 or algorithm[1].tag != NULL:
            c.say("4.1.2.7", "rsaEncryption without NULL (RFC 3279 2.3.1)")
        modulus, exponent = (integer(i) for i in read(bits[1:]).want(SEQUENCE).items())
        if modulus <= 0 or not exponent & 1 or exponent < 3:
            c.say("4.1.2.7", "no RSA key")
    if oid(algorithm[0]) == EC and (len(algorithm) != 2 or algorithm[1].tag != OID):
        c.say("4.1.2.7", "an EC key without a named curve (RFC 5480 2.1.1)")
    if bits[0]:
        c.say("4.1.2.7", "a key that is no whole number of octets")


@rule("4.1.2.8", "unique identifiers")
def certificate_unique_ids(c):
    if c.unique_ids:
        c.say("4.1.2.8", "unique identifiers, which no CA may write")


@rule("4.2.1.1", "authority key identifier")
def certificate_aki(c):
    found = c.extension(AKI)
    if found is None:
        if c.issuer.raw != c.subject.raw:
            c.say("4.2.1.1", "no authority key identifier")
        return
    lint_aki(c, *found)


def lint_aki(doc, critical, value):
    fields = {f.tag: f for f in value.want(SEQUENCE).items()}
    if critical:
        doc.say("4.2.1.1", "authority key identifier is critical")
    if 0x80 not in fields:
        doc.say("4.2.1.1", "authority key identifier without a key identifier")
    if (0xA1 in fields) != (0x82 in fields):
        doc.say("4.2.1.1", "authority issuer and serial number are given together or not at all")
    issuer = doc.issuer_certificate and Certificate(doc.issuer_certificate).extension(SKI)
    if issuer and 0x80 in fields and issuer[1].body != fields[0x80].body:
        doc.say("4.2.1.1", "the key identifier is not the issuer's")


@rule("4.2.1.2", "subject key identifier")
def certificate_ski(c):
    found = c.extension(SKI)
    if found is None and c.is_ca:
        c.say("4.2.1.2", "a CA without a subject key identifier")
    if found and (found[0] or found[1].want(OCTET_STRING).body == b""):
        c.say("4.2.1.2", "subject key identifier is critical or empty")


@rule("4.2.1.3", "key usage")
def certificate_usage(c):
    if c.usage is None:
        if c.is_ca:
            c.say("4.2.1.3", "a CA without key usage")
        return
    if not c.usage:
        c.say("4.2.1.3", "key usage without a bit")
    if KEY_CERT_SIGN in c.usage and not c.is_ca:
        c.say("4.2.1.3", "keyCertSign without cA")
    if {7, 8} & set(c.usage) and KEY_AGREEMENT not in c.usage:
        c.say("4.2.1.3", "encipherOnly or decipherOnly without keyAgreement")


@rule("4.2.1.4", "certificate policies")
def certificate_policies(c):
    found = c.extension(POLICIES)
    if not found:
        return
    listed = [p.want(SEQUENCE).items() for p in found[1].want(SEQUENCE).items()]
    numbers = [oid(p[0]) for p in listed]
    if not numbers or len(set(numbers)) < len(numbers):
        c.say("4.2.1.4", "no policy, or one twice")
    for policy in listed:
        if len(policy) > 1:
            lint_qualifiers(c, policy[1].want(SEQUENCE).items())


def lint_qualifiers(c, qualifiers):
    if not qualifiers:
        c.say("4.2.1.4", "an empty list of qualifiers")
    for qualifier in qualifiers:
        number, value = qualifier.want(SEQUENCE).items()
        if oid(number) == CPS:
            if value.tag != IA5 or not URI.match(text(value)):
                c.say("4.2.1.4", "a CPS pointer that is no URI")
        elif oid(number) == USER_NOTICE:
            for part in value.want(SEQUENCE).items():
                if part.tag != SEQUENCE and (part.tag not in (UTF8, BMP, VISIBLE) or not 1 <= len(text(part)) <= 200):
                    c.say("4.2.1.4", "an explicit text of another type or of more than 200 characters")
        else:
            c.say("4.2.1.4", f"a qualifier {oid(number)}")


@rule("4.2.1.5", "policy mappings")
def certificate_mappings(c):
    found = c.extension(MAPPINGS)
    if not found:
        return
    pairs = [[oid(o) for o in p.want(SEQUENCE).items()] for p in found[1].want(SEQUENCE).items()]
    if not pairs or any(ANY_POLICY in p for p in pairs) or not c.is_ca:
        c.say("4.2.1.5", "policy mappings that are empty, map anyPolicy, or are of no CA")


@rule("4.2.1.6", "subject alternative name")
def certificate_san(c):
    found = c.extension(SAN)
    if not c.subject.body and (found is None or not found[0]):
        c.say("4.2.1.6", "without a subject the alternative name is there and critical")
    if found:
        lint_general_names(c, "4.2.1.6", found[1].want(SEQUENCE).items())


@rule("4.2.1.7", "issuer alternative name")
def certificate_ian(c):
    found = c.extension(IAN)
    if found:
        lint_general_names(c, "4.2.1.7", found[1].want(SEQUENCE).items())


@rule("4.2.1.8", "subject directory attributes")
def certificate_sda(c):
    found = c.extension(SDA)
    if found and (found[0] or not found[1].want(SEQUENCE).items()):
        c.say("4.2.1.8", "subject directory attributes are critical or empty")


@rule("4.2.1.9", "basic constraints")
def certificate_constraints(c):
    found = c.extension(BC)
    if c.written_false:
        c.say("4.2.1.9", "cA FALSE is written out")
    if c.is_ca and not found[0]:
        c.say("4.2.1.9", "basic constraints of a CA are not critical")
    if c.path_length is not None and (not c.is_ca or integer(c.path_length) < 0 or KEY_CERT_SIGN not in (c.usage or [])):
        c.say("4.2.1.9", "a path length without cA and keyCertSign")


@rule("4.2.1.10", "name constraints")
def certificate_name_constraints(c):
    found = c.extension(NC)
    if not found:
        return
    trees = found[1].want(SEQUENCE).items()
    if not c.is_ca or not found[0] or not trees or any(not t.items() for t in trees):
        c.say("4.2.1.10", "name constraints of no CA, not critical, or empty")
    for tree in trees:
        if any(len(s.want(SEQUENCE).items()) != 1 for s in tree.items()):
            c.say("4.2.1.10", "a subtree with minimum or maximum")


@rule("4.2.1.11", "policy constraints")
def certificate_policy_constraints(c):
    found = c.extension(PC)
    if found and (not found[0] or not found[1].want(SEQUENCE).items()):
        c.say("4.2.1.11", "policy constraints are not critical, or empty")


@rule("4.2.1.12", "extended key usage")
def certificate_eku(c):
    found = c.extension(EKU)
    if not found:
        return
    usages = [oid(o) for o in found[1].want(SEQUENCE).items()]
    if not usages or len(set(usages)) < len(usages) or (found[0] and ANY_EKU in usages):
        c.say("4.2.1.12", "no usage, one twice, or anyExtendedKeyUsage in a critical list")


@rule("4.2.1.13", "CRL distribution points")
def certificate_cdp(c):
    found = c.extension(CDP)
    if found:
        lint_points(c, "4.2.1.13", found[1])


def lint_points(doc, section, value):
    points = value.want(SEQUENCE).items()
    if not points:
        doc.say(section, "no distribution point")
    for point in points:
        fields = {f.tag: f for f in point.want(SEQUENCE).items()}
        if 0xA0 not in fields and 0xA2 not in fields:
            doc.say(section, "a distribution point without a place")
        if 0xA0 in fields:
            place = fields[0xA0].items()[0]
            names = place.items() if place.tag == 0xA0 else []
            if place.tag == 0xA0 and not names:
                doc.say(section, "a distribution point without a name")
            for name in names:
                lint_location(doc, section, name)


@rule("4.2.1.14", "inhibit anyPolicy")
def certificate_inhibit(c):
    found = c.extension(INHIBIT)
    if found and (not found[0] or integer(found[1]) < 0):
        c.say("4.2.1.14", "inhibitAnyPolicy is not critical, or negative")


@rule("4.2.1.15", "freshest CRL")
def certificate_freshest(c):
    lint_freshest(c, "4.2.1.15")


def lint_freshest(doc, section):
    found = doc.extension(FRESHEST)
    if found and found[0]:
        doc.say(section, "freshest CRL is critical")
    if found:
        lint_points(doc, section, found[1])


@rule("4.2.2", "information access")
def certificate_access(c):
    for number in (AIA, SIA):
        found = c.extension(number)
        if not found:
            continue
        if found[0] or not found[1].want(SEQUENCE).items():
            c.say("4.2.2", "information access is critical, or empty")
        for description in found[1].items():
            method, location = description.want(SEQUENCE).items()
            oid(method)
            lint_location(c, "4.2.2", location)


# ---- CRLs ----

class Crl(Document):
    def __init__(self, der, issuer=None):
        super().__init__(der, issuer)
        parts, self.version = list(self.parts), 0
        if parts[0].tag == INTEGER:
            self.version = integer(parts.pop(0))
        self.algorithm, self.issuer, self.this_update = parts[:3]
        rest = parts[3:]
        self.next_update = rest.pop(0) if rest and rest[0].tag not in (SEQUENCE, 0xA0) else None
        self.revoked = rest.pop(0) if rest and rest[0].tag == SEQUENCE else None
        if rest:
            self.extensions = self.parse_extensions(rest[0].want(0xA0).items()[0].want(SEQUENCE))
        self.entries = []
        for entry in self.revoked.items() if self.revoked else []:
            fields = entry.want(SEQUENCE).items()
            self.entries.append((fields[0].want(INTEGER), fields[1], self.parse_extensions(fields[2]) if len(fields) > 2 else []))


@rule("5.1.1.2", "one algorithm of a CRL")
def crl_algorithm(c):
    if c.algorithm.raw != c.signature_algorithm.raw:
        c.say("5.1.1.2", "signatureAlgorithm is not what the CRL says inside")


@rule("5.1.2.1", "version of a CRL")
def crl_version(c):
    if c.version != 1:
        c.say("5.1.2.1", f"version {c.version + 1}, where extensions need 2")


@rule("5.1.2.3", "issuer of a CRL")
def crl_issuer(c):
    lint_name(c, "5.1.2.3", c.issuer, may_be_empty=False)


@rule("5.1.2.5", "times of a CRL")
def crl_times(c):
    begin = time(c.this_update)
    if c.next_update is None or time(c.next_update) <= begin:
        c.say("5.1.2.5", "nextUpdate is missing, or not after thisUpdate")


@rule("5.1.2.6", "revoked certificates")
def crl_revoked(c):
    if c.revoked is not None and not c.entries:
        c.say("5.1.2.6", "an empty list of revoked certificates is written out")
    serials = [e[0].body for e in c.entries]
    if len(set(serials)) < len(serials):
        c.say("5.1.2.6", "a serial number twice")
    for _, when, _ in c.entries:
        time(when)


@rule("5.2.1", "authority key identifier of a CRL")
def crl_aki(c):
    found = c.extension(AKI)
    if found is None:
        c.say("5.2.1", "no authority key identifier")
    else:
        lint_aki(c, *found)


@rule("5.2.3", "CRL number")
def crl_number(c):
    found = c.extension(CRL_NUMBER)
    if found is None or found[0] or integer(found[1]) < 0 or len(found[1].body) > 20:
        c.say("5.2.3", "CRL number is missing, critical, negative or longer than 20 octets")


@rule("5.2.4", "delta CRL indicator")
def crl_delta(c):
    found, number = c.extension(DELTA), c.extension(CRL_NUMBER)
    if found and (not found[0] or (number and integer(found[1]) > integer(number[1])) or c.extension(FRESHEST)):
        c.say("5.2.4", "delta CRL indicator is not critical, names a later base, or stands beside a freshest CRL")


@rule("5.2.5", "issuing distribution point")
def crl_idp(c):
    found = c.extension(IDP)
    if found and (not found[0] or not found[1].want(SEQUENCE).items()):
        c.say("5.2.5", "issuing distribution point is not critical, or empty")


@rule("5.2.6", "freshest CRL of a CRL")
def crl_freshest(c):
    lint_freshest(c, "5.2.6")


@rule("5.3.1", "reason")
def crl_reason(c):
    for _, _, extensions in c.entries:
        for number, critical, value in extensions:
            if number != REASON:
                continue
            reason = int.from_bytes(value.want(ENUMERATED).body, "big")
            if critical or reason not in (1, 2, 3, 4, 5, 6, 8, 9, 10) or (reason == 8 and not c.extension(DELTA)):
                c.say("5.3.1", f"reason {reason}: critical, unknown, unspecified written out, or removal from a base CRL")


@rule("5.3.2", "invalidity date")
def crl_invalidity(c):
    for _, _, extensions in c.entries:
        if any(n == INVALIDITY and (critical or v.tag != GENERALIZED_TIME) for n, critical, v in extensions):
            c.say("5.3.2", "invalidity date is critical, or no GeneralizedTime")


@rule("5.3.3", "certificate issuer")
def crl_entry_issuer(c):
    for _, _, extensions in c.entries:
        if any(n == ENTRY_ISSUER and not critical for n, critical, _ in extensions):
            c.say("5.3.3", "certificate issuer is not critical")


def judge(kind, der, issuer, prefix):
    try:
        doc = kind(der, issuer)
    except (DerError, ValueError, IndexError) as e:
        return [f"DER: {e}"]
    for name, (section, function) in RULES.items():
        if function.__name__.startswith(prefix):
            try:
                function(doc)
            except (DerError, ValueError, IndexError) as e:
                doc.say(section, f"{name}: {e}")
    return doc.broken


def certificate(der, issuer=None):
    """What is wrong with a certificate; issuer: DER of the CA's certificate."""
    return judge(Certificate, der, issuer, "certificate_")


def crl(der, issuer=None):
    return judge(Crl, der, issuer, "crl_")


def main(paths):
    """Files in DER; exit code 1 when something is wrong."""
    bad = 0
    for path in paths:
        with open(path, "rb") as f:
            for finding in (crl if path.endswith(".crl") else certificate)(f.read()):
                print(f"{path}: {finding}")
                bad = 1
    return bad


if __name__ == "__main__":
    import sys
    sys.exit(main(sys.argv[1:]))
