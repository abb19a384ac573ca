"""Cases for the oracle: template x principal x request x CA settings. The same seed gives the same cases."""
import copy
import datetime
import email.utils
import functools
import json
import pathlib
import random
import re
import struct

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

import access
import der
import forest
import model

TEMPLATES = pathlib.Path(__file__).resolve().parents[2] / "templates/default-templates.json"
OID_BASE = "1.3.6.1.4.1.311.21.8.1000001.2000002.3000003.4000004.5000005.6000006"
NOW = 134_100_000_000_000_000 + 1_234_567  # an afternoon of 2025, with a fraction of a second
DAY = model.DAY

ALIASES = {"WD": "S-1-1-0", "AU": "S-1-5-11", "ED": "S-1-5-9", "SY": "S-1-5-18", "NU": "S-1-5-2", "OW": "S-1-3-4"}
ALIASES.update({a: "%s-%d" % (forest.DOMAIN, rid) for a, rid in {
    "RO": 498, "LA": 500, "DA": 512, "DU": 513, "DG": 514, "DC": 515, "DD": 516, "CA": 517, "EA": 519, "RS": 553}.items()})
RIGHTS = {"CC": 1, "DC": 2, "LC": 4, "SW": 8, "RP": 0x10, "WP": 0x20, "DT": 0x40, "LO": 0x80, "CR": 0x100, "SD": 0x10000,
          "RC": 0x20000, "WD": 0x40000, "WO": 0x80000}
AUTOENROLL = bytes.fromhex("c28c5ba0bc170247a710e7c15ab866a2")

EKUS = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4", "1.3.6.1.4.1.311.20.2.2", "2.5.29.37.0",
        "1.3.6.1.4.1.311.20.2.1", "1.3.6.1.5.5.7.3.9"]
ISSUANCE = [OID_BASE + ".1.400", OID_BASE + ".1.401", OID_BASE + ".1.402", "2.5.29.32.0"]
ENABLE_LIST = ["1.2.840.113549.1.9.15", "1.3.6.1.4.1.311.21.1", "1.3.6.1.4.1.311.21.2", "2.5.29.15",
               "1.3.6.1.4.1.311.10.9.1", "1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.7", "1.3.6.1.4.1.311.21.10",
               "1.3.6.1.4.1.311.21.11", "1.3.6.1.4.1.311.21.12", "2.5.29.17", "2.5.29.30", "2.5.29.32", "2.5.29.33",
               "2.5.29.36", "2.5.29.37"]
SUBJECT_TEMPLATE = ["EMail", "CommonName", "OrganizationalUnit", "Organization", "Locality", "State", "DomainComponent",
                    "Country"]
HOW_TO = {"flags": 131642, "msPKI-Certificate-Name-Flag": 1, "msPKI-Template-Schema-Version": 2, "revision": 100,
          "msPKI-Template-Minor-Revision": 4, "msPKI-Enrollment-Flag": 0, "msPKI-Private-Key-Flag": 16842768,
          "pKIExtendedKeyUsage": ["1.3.6.1.5.5.7.3.2"], "msPKI-Certificate-Application-Policy": ["1.3.6.1.5.5.7.3.2"]}


# ---- security descriptors ----

def ace(kind, sid, mask=0x100, guid=None, flags=0):
    body = struct.pack("<I", mask)
    if kind in (5, 6):
        body += struct.pack("<I", 1 if guid else 0) + (guid or b"")
    body += access.sid_bytes(sid)
    return struct.pack("<BBH", kind, flags, 4 + len(body)) + body


def descriptor(aces, owner=ALIASES["EA"], present=True):
    acl = b"".join(aces)
    acl = struct.pack("<BBHHH", 4, 0, 8 + len(acl), len(aces), 0) + acl if present else b""
    sid = access.sid_bytes(owner)
    at = 20 + len(acl)
    return struct.pack("<BBHIIII", 1, 0, 0x8000 | (4 if present else 0), at, at, 0, 20 if present else 0) + acl + sid


def from_sddl(sddl):
    aces = []
    for kind, flags, rights, guid, _, sid in re.findall(r"\((\w*);(\w*);(\w*);([\w-]*);([\w-]*);([\w-]*)\)", sddl):
        mask = sum(RIGHTS[rights[i:i + 2]] for i in range(0, len(rights), 2))
        raw = {"": None, "0e10c968-78fb-11d2-90d4-00c04f79dc55": access.ENROLL,
               "a05b8cc2-17bc-4802-a710-e7c15ab866a2": AUTOENROLL}[guid]
        aces.append(ace({"A": 0, "D": 1, "OA": 5, "OD": 6}[kind], ALIASES.get(sid, sid), mask, raw))
    return aces


def random_acl(r, aces, sids):
    """The built-in ACL, then denies, inherited and inherit-only ACEs, and other rights, before or behind it."""
    for _ in range(r.randrange(4)):
        sid = r.choice(sids + list(ALIASES.values()) + [forest.DOMAIN + "-9999"])
        flags = r.choice([0, 0, 0, 0x10, 0x12, 0x08, 0x0A])
        kind = r.choice([0, 1, 5, 5, 5, 6, 6, 9])
        mask = r.choice([0x100, 0x100, 0x130, 0x20094, 0xF00FF, 0xF01FF, 0x10000000, 0x30])
        guid = r.choice([access.ENROLL, access.ENROLL, access.ENROLL, AUTOENROLL, None])
        aces.insert(r.choice([0, len(aces), r.randrange(len(aces) + 1)]), ace(kind, sid, mask, guid, flags))
    return aces


# ---- templates ----

@functools.lru_cache(maxsize=None)
def built_in():
    out = []
    for t in json.loads(TEMPLATES.read_text())["templates"]:
        attributes = {}
        for name, value in t["attributes"].items():
            values = value if isinstance(value, list) else [value]
            octets = name in ("pKIKeyUsage", "pKIExpirationPeriod", "pKIOverlapPeriod")
            attributes[name] = [("hex:" if octets else "") + str(v).replace("{forestOidBase}", OID_BASE) for v in values]
        out.append((attributes, t["sddl"]))
    how_to = copy.deepcopy(next(a for a, _ in out if a["cn"] == ["User"]))
    how_to.update({"cn": ["IntunePKCS"], "displayName": ["Intune PKCS"], "msPKI-Cert-Template-OID": [OID_BASE + ".77.88"]})
    how_to.update({n: v if isinstance(v, list) else [str(v)] for n, v in HOW_TO.items()})
    return out + [(how_to, out[-1][1])] * 3


def span(ticks):
    return "hex:" + struct.pack("<q", -ticks).hex()


def signed(value):
    return [str(value - (1 << 32) if value & 0x80000000 else value)]


def toggle(attributes, name, bits):
    attributes[name] = signed(int(attributes[name][0]) & 0xFFFFFFFF ^ bits)


def mutate_template(r, a, schema):
    def sometimes(n):
        return r.randrange(n) == 0
    if schema != int(a["msPKI-Template-Schema-Version"][0]):
        a["msPKI-Template-Schema-Version"] = [str(schema)]
        if schema >= 2:
            a["msPKI-Certificate-Application-Policy"] = list(a.get("pKIExtendedKeyUsage", []))
            a["flags"] = signed(int(a["flags"][0]) & ~0x200)
    if sometimes(4):
        toggle(a, "msPKI-Certificate-Name-Flag", int(a["msPKI-Certificate-Name-Flag"][0]) & 0xFFFFFFFF ^ r.choice(
            [0x1, 0x1, 0x1, 0x82000000, 0xA6000000, 0x18000000, 0x40000000, 0x48400000, 0x09000000, 0x20000000]))
    for bit in (0x1, 0x2, 0x8, 0x4000, 0x8000, 0x20000, 0x80000, 0x1000, 0x40, 0x20):
        if sometimes(14):
            toggle(a, "msPKI-Enrollment-Flag", bit)
    for bit in (0x1, 0x1, 0x1, 0x400000, 0x800000, 0x1000000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000,
                0x40000000, 0x80000000, 0x10000, 0x8):
        if sometimes(12):
            toggle(a, "msPKI-Certificate-Name-Flag", bit)
    for bit in (0x1, 0x10, 0x2000, 0x40, 0x80, 0x100):
        if sometimes(30):
            toggle(a, "msPKI-Private-Key-Flag", bit)
    for bit in (0x40, 0x80, 0x800, 0x200):
        if sometimes(20):
            toggle(a, "flags", bit)
    if sometimes(6):
        toggle(a, "msPKI-Private-Key-Flag", r.randrange(1, 8) << 16)
    if sometimes(4):
        a["msPKI-Minimal-Key-Size"] = [str(r.choice([0, 256, 384, 521, 1024, 2047, 2048, 2049, 4096]))]
    if sometimes(4):
        a["pKIExtendedKeyUsage"] = r.sample(EKUS, r.randrange(4))
        a["msPKI-Certificate-Application-Policy"] = r.sample(EKUS, r.randrange(3))
    if sometimes(6):
        a["msPKI-Certificate-Policy"] = r.sample(ISSUANCE, r.randrange(1, 4))
    if sometimes(6):
        a["pKIKeyUsage"] = ["hex:" + r.choice(["8000", "a0", "0600", "2080", "0100", "0000", "c000", "a000"])]
    if sometimes(6):
        a["pKIMaxIssuingDepth"] = [r.choice(["-1", "0", "1", "3"])]
    if sometimes(4):
        a["pKICriticalExtensions"] = r.sample([model.KEY_USAGE, model.BASIC, model.SAN, model.EKU, model.POLICIES,
                                               model.APPLICATION_POLICIES], r.randrange(4))
    if sometimes(5):
        a["pKIExpirationPeriod"] = [span(r.choice([1, 7, 30, 365, 730, 3650]) * DAY)]
    if sometimes(2):
        a["pKIOverlapPeriod"] = [span(r.choice([1, 2]) * DAY)]
    if sometimes(10):
        a["pKIOverlapPeriod"] = [span(r.choice([0, 1, 7, 30, 42, 365, 400]) * DAY)]
    if sometimes(12):
        a["msPKI-RA-Signature"] = [r.choice(["0", "1", "2"])]
    if sometimes(4):
        a["msPKI-RA-Policies"] = r.sample(ISSUANCE, r.randrange(1, 3))
    ra = r.sample(EKUS, r.randrange(1, 3)) if sometimes(4) else []
    text_form = schema == 3 or schema == 4 and not int(a["msPKI-Private-Key-Flag"][0]) & 0x100
    if text_form:
        triplets = [("msPKI-Asymmetric-Algorithm", "PZPWSTR", "RSA"), ("msPKI-Hash-Algorithm", "PZPWSTR", "SHA256")]
        triplets += [("msPKI-RA-Application-Policies", "PZPWSTR", ",".join(ra))] if ra else []
        a["msPKI-RA-Application-Policies"] = ["".join("%s`%s`%s`" % t for t in triplets)]
    else:
        a["msPKI-RA-Application-Policies"] = ra


def make_template(r, sids, principal_wins):
    attributes, sddl = copy.deepcopy(r.choice(built_in()))
    schema = int(attributes["msPKI-Template-Schema-Version"][0])
    if r.randrange(3):
        mutate_template(r, attributes, r.choice([schema, schema, 2, 2, 3, 4, 1]))
    aces = from_sddl(sddl)
    if principal_wins:
        aces.append(ace(5, r.choice(sids), 0x100, access.ENROLL))
    roll = r.randrange(20)
    if roll < 8:
        aces = random_acl(r, aces, sids)
    if roll == 19:
        aces = []
    owner = r.choice([ALIASES["EA"], ALIASES["EA"], ALIASES["EA"], sids[0]])
    attributes["nTSecurityDescriptor"] = ["hex:" + descriptor(aces, owner, present=r.randrange(50) != 0).hex()]
    if r.randrange(80) == 0:
        del attributes["nTSecurityDescriptor"]
    name = attributes["cn"][0]
    return {"dn": "CN=%s,CN=Certificate Templates,CN=Public Key Services" % name, "attributes": attributes}


# ---- requests ----

@functools.lru_cache(maxsize=None)
def ec_key(name, number):
    curve = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}[name]
    spki = ec.derive_private_key(1000 + number, curve).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return spki, curve.key_size


@functools.lru_cache(maxsize=None)
def rsa_key(bits, number):
    """An odd number of the right length does: no step of policy asks whether it is a product of two primes."""
    modulus = random.Random("rsa %d %d" % (bits, number)).getrandbits(bits) | 1 << bits - 1 | 1
    algorithm = der.seq(der.oid("1.2.840.113549.1.1.1"), b"\x05\x00")
    return der.seq(algorithm, der.tlv(0x03, b"\0", der.seq(der.integer(modulus), der.integer(65537)))), bits


def key_octets(spki):
    return list(der.elements(der.read(spki)[1]))[1][1][1:]


def name_text(r, length=None):
    words = ["device-7", "Jane Doe", "Müller", "Contoso", "Sales", "a&b", "x@y", "corp", "東京"]
    return r.choice(words) if length is None else "x" * length


def subject(r):
    kinds = ["2.5.4.3", "2.5.4.3", "2.5.4.11", "2.5.4.10", "2.5.4.7", "2.5.4.8", "2.5.4.6", model.EMAIL, "2.5.4.12",
             "0.9.2342.19200300.100.1.25", "2.5.4.5", "2.5.4.11"]
    out = []
    for oid in r.sample(kinds, r.choice([0, 1, 1, 1, 2, 4, 6])):
        if oid == "2.5.4.6":
            out.append([oid, 0x13, b"DE".hex()])
        elif oid in (model.EMAIL, "0.9.2342.19200300.100.1.25"):
            out.append([oid, 0x16, b"mail@contoso.com".hex()])
        else:
            bound = model.UPPER_BOUNDS.get(oid, 64)
            value = name_text(r, r.choice([None] * 12 + [bound, bound + 1]))
            out.append([oid, der.text(value)[0], value.encode().hex()])
    return out


def general_names(r):
    choices = [der.tlv(0x82, b"www.contoso.com"), der.tlv(0x81, b"mail@contoso.com"), der.tlv(0x86, b"https://contoso.com/"),
               der.tlv(0x87, bytes([10, 0, 0, 1])), der.tlv(0x86, b"tag:microsoft.com,2022-09-14:sid:S-1-5-21-1-2-3-1104"),
               model.other_name(model.UPN_NAME, der.tlv(0x0C, b"root@contoso.com")),
               der.tlv(0xA4, der.seq(der.tlv(0x31, der.seq(der.oid("2.5.4.3"), der.text("bare"))))),
               der.tlv(0xA4, der.seq(der.tlv(0x31, der.seq(der.oid("2.5.4.10"), der.text("Contoso"))),
                                     der.tlv(0x31, der.seq(der.oid("2.5.4.3"), der.text("full")))))]
    return der.seq(*r.sample(choices, r.choice([1, 2, 3, 5, 8])))


def sid_extension(sid):
    return der.seq(der.tlv(0xA0, der.oid("1.3.6.1.4.1.311.25.2.1"), der.tlv(0xA0, der.tlv(0x04, sid.encode()))))


def template_info(oid, *version):
    return der.seq(der.oid(oid), *[der.integer(v) for v in version])


def request_extensions(r):
    """Anything a client may ask for but the template."""
    makers = {
        model.SAN: lambda: general_names(r) if r.randrange(40) else der.seq(b"\x82\x05abc"),
        model.KEY_USAGE: lambda: der.tlv(0x03, r.choice([b"\x05\xa0", b"\x01\x06", b"\x07\x80"])),
        model.EKU: lambda: der.seq(*[der.oid(o) for o in r.sample(EKUS, 2)]),
        model.APPLICATION_POLICIES: lambda: der.seq(*[der.seq(der.oid(o)) for o in r.sample(EKUS, 2)]),
        model.POLICIES: lambda: der.seq(*[der.seq(der.oid(o)) for o in r.sample(ISSUANCE, r.randrange(1, 3))]),
        model.BASIC: lambda: der.seq(der.tlv(0x01, b"\xff")),
        model.SKI: lambda: der.tlv(0x04, bytes(range(20))),
        model.SMIME: lambda: der.seq(der.seq(der.oid("2.16.840.1.101.3.4.1.42"))),
        model.SID: lambda: sid_extension("S-1-5-21-1-2-3-%d" % r.randrange(500, 2000)),
        "2.5.29.36": lambda: der.seq(der.tlv(0x80, b"\0")),
        "1.3.6.1.4.1.311.21.11": lambda: der.seq(der.seq(der.oid("1.2.3"))),
        "1.2.3.4.5": lambda: der.tlv(0x04, b"unknown"),
        "1.3.6.1.5.5.7.1.24": lambda: der.seq(der.integer(5)),
    }
    odds = {model.SAN: 2, model.KEY_USAGE: 4, model.EKU: 4, model.APPLICATION_POLICIES: 6, model.POLICIES: 7,
            model.BASIC: 12, model.SKI: 5, model.SMIME: 8, model.SID: 6}
    out = [[o, r.randrange(4) == 0, make().hex()] for o, make in makers.items() if r.randrange(odds.get(o, 14)) == 0]
    if r.randrange(60) == 0:
        size = r.choice([4095, 4096, 4097, 20000])
        out.append(["1.2.3.4.6", False, ("00" * size)])
    return out


def naming(r, templates):
    """(extensions, attribute lines) by which a request names its template."""
    a = templates[0]["attributes"]
    name, oid = a["cn"][0], a["msPKI-Cert-Template-OID"][0]
    major, minor = int(a["revision"][0]), int(a["msPKI-Template-Minor-Revision"][0])
    extensions, lines = [], []
    ways = r.choice([["line"], ["line"], ["20.2"], ["21.7"], ["21.7"], ["line", "21.7"], ["20.2", "21.7", "line"]])
    if "20.2" in ways:
        extensions.append([model.TEMPLATE_NAME, False, der.tlv(0x1E, name.encode("utf-16-be")).hex()])
    if "21.7" in ways:
        version = r.choice([(major, minor)] * 20 + [(), (major,), (0, 0), (major + 1, 0), (major, minor + 1),
                                                   (max(major - 1, 0), minor + 1)])
        extensions.append([model.TEMPLATE_INFO, False, template_info(oid, *version).hex()])
    if "line" in ways:
        lines.append("%s:%s" % (r.choice(["CertificateTemplate", "Certificate Template", "certificate-template"]),
                                r.choice([name, name, name.upper(), " %s " % name])))
    roll = r.randrange(60)
    if roll == 0:
        return [], []
    if roll == 1:
        return extensions, lines + ["CertificateTemplate:NoSuchTemplate"]
    if roll == 2:
        return [[model.TEMPLATE_INFO, False, template_info("1.3.6.1.4.1.311.21.8.9.9", 1, 1).hex()]], []
    if roll == 3:
        return extensions, lines + ["CertificateTemplate:" + templates[-1]["attributes"]["cn"][0]]
    if roll == 4:
        return [], ["CertificateTemplate:" + a["displayName"][0]]
    return extensions, lines


def other_lines(r):
    out = []
    if r.randrange(8) == 0:
        out.append("SAN:" + "&".join(r.sample(["dns=evil.contoso.com", "email=admin@contoso.com", "ipaddress=10.1.2.3",
                                               "upn=admin@corp.contoso.com", "url=https://evil.contoso.com/"],
                                              r.randrange(1, 4))))
    if r.randrange(8) == 0:
        out += ["ValidityPeriod:" + r.choice(["Days", "Weeks", "Months", "Years", "Hours"]),
                "ValidityPeriodUnits:%d" % r.choice([1, 2, 5, 60])]
    if r.randrange(12) == 0:
        when = datetime.datetime(2025, 12, 24, 12, tzinfo=datetime.timezone.utc) + datetime.timedelta(days=r.randrange(900))
        out.append("ExpirationDate:" + email.utils.format_datetime(when, usegmt=True))
    if r.randrange(12) == 0:
        out.append("CertificateUsage:" + ",".join(r.sample(EKUS, r.randrange(1, 3))))
    if r.randrange(6) == 0:
        out += r.choice([["ccm:ws01.corp.contoso.com"], ["no colon here"], ["rmd:ws01"], ["challenge:secret"]])
    return out


def make_request(r, extensions, name_values):
    kind = r.choice(["RSA"] * 10 + ["EC"])
    if kind == "RSA":
        spki, bits = rsa_key(r.choice([2048] * 9 + [1024, 2047, 3072, 4096]), r.randrange(2))
    else:
        spki, bits = ec_key(r.choice(["P-256", "P-384", "P-521"]), r.randrange(3))
    return {"subject": subject(r), "extensions": extensions, "key_bits": bits, "spki": spki.hex(),
            "key_octets": key_octets(spki).hex(), "name_values": name_values, "archived_key": r.randrange(40) == 0}


def archived_for(r, template):
    """For how many recovery agents the key that came with the request was encrypted; 0: none came."""
    wanted = int(template["msPKI-Private-Key-Flag"][0]) & 0x1 if "msPKI-Private-Key-Flag" in template else 0
    return r.choice([0, 1, 1, 1, 2, 5] if wanted else [0] * 19 + [1])


def csr(request):
    """PKCS #10 (RFC 2986). The signature is checked before policy is asked, so octets of the right shape stand in."""
    attributes = [("1.2.840.113549.1.9.14", extension_list(request["extensions"]))] if request["extensions"] else []
    for name, value in request["name_values"]:
        attributes.append(("1.3.6.1.4.1.311.13.2.1", der.seq(der.tlv(0x1E, name.encode("utf-16-be")),
                                                             der.tlv(0x1E, value.encode("utf-16-be")))))
    if request["archived_key"]:
        attributes.append(("1.3.6.1.4.1.311.21.13", der.seq(der.oid("1.2.840.113549.1.7.3"))))
    info = der.seq(der.integer(0), rdn_sequence(request["subject"]), bytes.fromhex(request["spki"]),
                   der.tlv(0xA0, *[der.seq(der.oid(o), der.tlv(0x31, v)) for o, v in attributes]))
    return der.seq(info, der.seq(der.oid("1.2.840.113549.1.1.11"), b"\x05\x00"), der.tlv(0x03, bytes(257))).hex()


def make_renewal(r, case):
    """The certificate that is renewed: mostly the same template, subject, names and key."""
    template, who, request = case["templates"][0]["attributes"], case["subject"], case["request"]
    name, oid = template["cn"][0], template["msPKI-Cert-Template-OID"][0]
    extensions = r.choice(
        [[[model.TEMPLATE_INFO, False, template_info(oid, 100, 3).hex()]]] * 6 +
        [[[model.TEMPLATE_NAME, False, der.tlv(0x1E, name.encode("utf-16-be")).hex()]]] * 3 +
        [[[model.TEMPLATE_INFO, False, template_info("1.3.6.1.4.1.311.21.8.9.9", 1, 1).hex()]], []])
    names = []
    if r.randrange(3):
        upn = r.choice([who["upn"]] * 4 + ["else@contoso.com"]) or "none@contoso.com"
        names.append(model.other_name(model.UPN_NAME, der.tlv(0x0C, upn.encode())))
    if r.randrange(2):
        names.append(der.tlv(0x81, (r.choice([who["mail"]] * 4 + ["else@contoso.com"]) or "none@contoso.com").encode()))
    if names:
        extensions = extensions + [[model.SAN, r.randrange(3) == 0, der.seq(*names).hex()]]
    return {"subject": r.choice([request["subject"]] * 4 + [subject(r)]), "extensions": extensions,
            "spki": r.choice([request["spki"], request["spki"], rsa_key(2048, 7)[0].hex()])}


def extension_list(extensions):
    return der.seq(*[der.seq(der.oid(o), *([der.tlv(0x01, b"\xff")] if critical else []), der.tlv(0x04, bytes.fromhex(v)))
                     for o, critical, v in extensions])


def rdn_sequence(rdns):
    return der.seq(*[der.tlv(0x31, der.seq(der.oid(o), der.tlv(tag, bytes.fromhex(v)))) for o, tag, v in rdns])


def certificate(old):
    algorithm = der.seq(der.oid("1.2.840.113549.1.1.11"), b"\x05\x00")
    validity = der.seq(der.tlv(0x17, b"250101000000Z"), der.tlv(0x17, b"260101000000Z"))
    extensions = [der.tlv(0xA3, extension_list(old["extensions"]))] if old["extensions"] else []
    tbs = der.seq(der.tlv(0xA0, der.integer(2)), der.integer(4711), algorithm, der.seq(), validity,
                  rdn_sequence(old["subject"]), bytes.fromhex(old["spki"]), *extensions)
    return der.seq(tbs, algorithm, der.tlv(0x03, bytes(257))).hex()


def wrap(r, case):
    """Some requests renew, some are made for somebody else by those who sign."""
    roll = r.randrange(12)
    case.update({"renewal": None, "renewal_der": None, "on_behalf_of": None, "vouching": 0})
    if roll < 2:
        for name, bits in (("msPKI-Enrollment-Flag", 0x40), ("msPKI-Enrollment-Flag", 0x10000), ("msPKI-Private-Key-Flag", 0x80)):
            if r.randrange(2):
                toggle(case["templates"][0]["attributes"], name, bits)
        case["renewal"] = make_renewal(r, case)
        case["renewal_der"] = certificate(case["renewal"])
    elif roll == 2:
        case["on_behalf_of"] = case["token"]["account"]
        if r.randrange(2):
            case["templates"][0]["attributes"]["msPKI-RA-Signature"] = ["1"]
            case["signers"] = make_signers(r, 1)
        case["signers"] = case["signers"] or make_signers(r, 1) or make_signers(r, 1)
        case["vouching"] = min(len(case["signers"]), r.choice([1, 1, 2]))


# ---- the CA ----

def make_ca(r):
    def rarely(n, value, usual):
        return value if r.randrange(n) == 0 else usual
    edit = 0x11014E
    for bit in (0x20, 0x40000, 0x8000):
        if r.randrange(2):
            edit ^= bit
    for bit in (0x1, 0x2, 0x4, 0x40, 0x100, 0x800, 0x1000, 0x2000, 0x10000, 0x20000):
        if r.randrange(16) == 0:
            edit ^= bit
    months, seconds = r.choice([(24, 0)] * 5 + [(12, 0), (1, 0), (0, 14 * 86400), (0, 3600 * 100)])
    ldap = "ldap:///CN=Contoso%20CA,CN=CA01,CN="
    return {
        "edit_flags": edit, "request_disposition": rarely(20, 0x101, 1), "clock_skew_minutes": rarely(8, 0, 10),
        "validity_months": months, "validity_seconds": seconds, "ca_version": r.choice([6] * 8 + [1, 2, 3, 4, 5]),
        "ca_name": "Contoso CA", "ca_not_before": NOW - r.choice([500] * 20 + [0, -1]) * DAY,
        "ca_not_after": NOW + r.choice([1825] * 12 + [300, 20, 5, -1]) * DAY,
        "ca_key_id": bytes(range(100, 120)).hex(),
        "ca_issuer": der.seq(der.tlv(0x31, der.seq(der.oid("2.5.4.3"), der.text("Contoso Root")))).hex(), "ca_serial": "4711",
        "ca_subject": der.seq(der.tlv(0x31, der.seq(der.oid("2.5.4.3"), der.text("Contoso CA")))).hex(),
        "cdp_urls": r.choice([[ldap + "CDP"]] * 4 + [[], [ldap + "CDP", "http://pki.contoso.com/c.crl"]]),
        "aia_urls": r.choice([[ldap + "AIA"]] * 4 + [[], [ldap + "AIA", "http://pki.contoso.com/c.crt"]]),
        "ocsp_urls": r.choice([[], [], ["http://ocsp.contoso.com/"]]),
        "enable_request_extensions": rarely(10, ["2.5.29.36", "1.2.3.4.5"], ENABLE_LIST),
        "disable_extensions": rarely(10, r.sample([model.SID, model.EKU, model.SAN, model.CDP, model.SMIME], 1), []),
        "subject_template": rarely(8, r.sample(SUBJECT_TEMPLATE, 5), SUBJECT_TEMPLATE),
        "rdn_reorder": rarely(8, False, True), "enforce_name_lengths": rarely(6, False, True),
        "upn_fallback": rarely(4, True, False), "esc15": rarely(4, True, False), "critical_san": rarely(3, False, True),
        "dns_domain": "corp.contoso.com", "nb_domain": "CORP", "max_extension": rarely(3, 16384, 0),
    }


def make_signers(r, wanted):
    """Mostly as many as the template wants, with most policies."""
    count = r.choice([0] * 12 + [1, 1, 2]) if not wanted else r.choice([0, 1, wanted, wanted, wanted])
    return [{"name": "CN=Agent %d" % i, "application_policies": r.sample(EKUS, r.randrange(4, 8)),
             "issuance_policies": r.sample(ISSUANCE, r.randrange(2, 5))} for i in range(count)]


def make_oids(r):
    """OID objects of issuance policies, some with qualifiers; values that are none among them."""
    out = []
    for oid in ISSUANCE:
        if r.randrange(3) == 0:
            continue
        one = {"msPKI-Cert-Template-OID": [oid], "flags": ["2"]}
        if r.randrange(2):
            one["msPKI-OID-CPS"] = r.sample(["http://pki.contoso.com/cps", "cps.html", "http://caf\u00e9/", "", "u" * 2048, "u" * 2049],
                                            r.randrange(1, 3))
        if r.randrange(2):
            one["msPKI-OID-User-Notice"] = r.sample(["Contoso only", "F\u00fcr Contoso", "", "hex:ff", "hex:4100"], r.randrange(1, 3))
        out.append(one)
    return out


@functools.lru_cache(maxsize=None)
def principals():
    return list(forest.principals())


def make_principal(r):
    subject_, token = copy.deepcopy(r.choice(principals()))
    if r.randrange(2):
        subject_["upn"] = subject_["upn"] or "somebody@corp.contoso.com"
        subject_["dns_host_name"] = subject_["dns_host_name"] or "host.corp.contoso.com"
    for name in ("upn", "mail", "dns_host_name", "guid", "sid"):
        if r.randrange(40 if name == "sid" else 12) == 0:
            subject_[name] = "" if name == "guid" else None
    if r.randrange(2) == 0:
        subject_["mail"] = "someone@contoso.com"
    if r.randrange(20) == 0:
        subject_["cn"] = name_text(r, r.choice([64, 65]))
    if r.randrange(20) == 0:
        token["sids"].append(r.choice(list(ALIASES.values())))
    token["sids"] = list(dict.fromkeys(token["sids"]))
    return subject_, token


def officer_extensions(r):
    """Mostly none; else some that the request or the policy may state too."""
    if r.randrange(6):
        return []
    values = {model.SAN: general_names(r), model.EKU: der.seq(der.oid(EKUS[0])), model.KEY_USAGE: der.tlv(0x03, b"\x05\xa0"),
              model.SKI: der.tlv(0x04, bytes(20)), model.CDP: der.seq(), model.AIA: der.seq(), model.SID: sid_extension("S-1-5-18"),
              model.TEMPLATE_INFO: template_info("1.2.3", 1, 0), "1.2.3.4.5": der.tlv(0x04, b"officer"), "1.2.3.9": b""}
    return [[o, r.randrange(3) == 0, r.randrange(2) == 0, values[o].hex()] for o in r.sample(list(values), r.randrange(1, 4))]


def make_case(seed, number):
    r = random.Random("oracle %s %d" % (seed, number))
    who, token = make_principal(r)
    templates = [make_template(r, token["sids"], r.randrange(5) != 0)]
    other = make_template(r, token["sids"], True)
    if other["attributes"]["cn"] != templates[0]["attributes"]["cn"]:
        templates.append(other)
    named_by, lines = naming(r, templates)
    extensions = named_by + request_extensions(r)
    r.shuffle(extensions)
    name_values = []
    if lines and r.randrange(4) == 0:
        name, _, value = lines.pop().partition(":")
        name_values.append([name.replace(" ", "").replace("-", ""), value.strip()])
    request = make_request(r, extensions, name_values)
    case = {"id": number, "ca": make_ca(r), "templates": templates, "token": token, "subject": who,
            "published": [t["attributes"]["cn"][0] for t in templates if r.randrange(40)], "request": request,
            "signers": make_signers(r, int(templates[0]["attributes"]["msPKI-RA-Signature"][0])), "attributes": r.choice(["\n", "\r\n"]).join(lines + other_lines(r)),
            "now": NOW, "approved": r.randrange(6) == 0, "csr": csr(request)}
    wrap(r, case)
    case["officer_extensions"] = officer_extensions(random.Random("officer %s %d" % (seed, number)))
    case["archived_for"] = archived_for(random.Random("archival %s %d" % (seed, number)), templates[0]["attributes"])
    case["oids"] = make_oids(random.Random("oids %s %d" % (seed, number)))
    return case


def cases(seed, count):
    for number in range(count):
        yield make_case(seed, number)
