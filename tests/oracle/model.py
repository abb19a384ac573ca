"""
What the CA answers to a PKCS #10 request, written from MS-WCCE 3.2.2.6.2.1.4, MS-CRTD and observed certificates, and
from nothing of src/policy. decide(case) gives the outcome, the HRESULT, and for an issued or pending request the
certificate that would be signed.
"""
import calendar
import datetime
import email.utils
import hashlib
import ipaddress

import access
import der

SECOND = 10_000_000
DAY = 86400 * SECOND
UNIX_EPOCH = 116444736000000000

CT_NAME_OIDS = {
    "EMail": "1.2.840.113549.1.9.1", "CommonName": "2.5.4.3", "OrganizationalUnit": "2.5.4.11", "Organization": "2.5.4.10",
    "Locality": "2.5.4.7", "State": "2.5.4.8", "DomainComponent": "0.9.2342.19200300.100.1.25", "Country": "2.5.4.6",
    "Title": "2.5.4.12", "SurName": "2.5.4.4", "GivenName": "2.5.4.42", "Initials": "2.5.4.43",
}
DN_LABELS = {"CN": "2.5.4.3", "OU": "2.5.4.11", "DC": "0.9.2342.19200300.100.1.25", "O": "2.5.4.10"}
UPPER_BOUNDS = {"2.5.4.3": 64, "2.5.4.11": 64, "2.5.4.10": 64, "2.5.4.7": 128, "2.5.4.8": 128}
EMAIL = "1.2.840.113549.1.9.1"

SKI, KEY_USAGE, SAN, BASIC = "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19"
CDP, POLICIES, AKI, EKU = "2.5.29.31", "2.5.29.32", "2.5.29.35", "2.5.29.37"
AIA = "1.3.6.1.5.5.7.1.1"
SMIME = "1.2.840.113549.1.9.15"
TEMPLATE_NAME, TEMPLATE_INFO = "1.3.6.1.4.1.311.20.2", "1.3.6.1.4.1.311.21.7"
APPLICATION_POLICIES = "1.3.6.1.4.1.311.21.10"
SID = "1.3.6.1.4.1.311.25.2"
OCSP_NOCHECK, OCSP_SIGNING = "1.3.6.1.5.5.7.48.1.5", "1.3.6.1.5.5.7.3.9"
UPN_NAME, GUID_NAME = "1.3.6.1.4.1.311.20.2.3", "1.3.6.1.4.1.311.25.1"

DEFAULT_SMIME = bytes.fromhex("3035300e06082a864886f70d030202020080300e06082a864886f70d030402020080"
                              "300706052b0e030207300a06082a864886f70d0307")


class Denied(Exception):
    def __init__(self, hr, why):
        super().__init__(why)
        self.hr = hr


# ---- the template ----

class Template:
    def __init__(self, source):
        self.attributes = {k.lower(): v for k, v in source["attributes"].items()}
        self.cn = self.one("cn")
        self.oid = self.one("msPKI-Cert-Template-OID")
        self.schema = self.number("msPKI-Template-Schema-Version", 1)
        self.major = self.number("revision")
        self.minor = self.number("msPKI-Template-Minor-Revision")
        self.general = self.number("flags")
        self.enrollment = self.number("msPKI-Enrollment-Flag")
        self.private_key = self.number("msPKI-Private-Key-Flag")
        self.name = self.number("msPKI-Certificate-Name-Flag")
        self.min_key = self.number("msPKI-Minimal-Key-Size")
        self.ra_signatures = self.number("msPKI-RA-Signature")
        self.key_usage = self.octets("pKIKeyUsage")
        self.depth = self.number("pKIMaxIssuingDepth")
        self.validity = self.period("pKIExpirationPeriod")
        self.overlap = self.period("pKIOverlapPeriod")
        self.critical = self.all("pKICriticalExtensions")
        self.eku = self.all("pKIExtendedKeyUsage")
        self.application_policies = self.all("msPKI-Certificate-Application-Policy")
        self.policies = self.all("msPKI-Certificate-Policy")
        self.ra_policies = self.all("msPKI-RA-Policies")
        self.ra_application_policies = self.signer_policies()
        sd = self.octets("nTSecurityDescriptor")
        self.sd = sd or None

    def all(self, name):
        return self.attributes.get(name.lower(), [])

    def one(self, name):
        values = self.all(name)
        return values[0] if values else None

    def number(self, name, absent=0):
        """Integers are signed in the directory; bits are not."""
        value = self.one(name)
        return absent if value is None else int(value) & 0xFFFFFFFF

    def octets(self, name):
        value = self.one(name)
        return bytes.fromhex(value[4:]) if value else b""

    def period(self, name):
        return -int.from_bytes(self.octets(name), "little", signed=True)

    def signer_policies(self):
        """MS-CRTD 2.23: plain OIDs, or name`type`value` triplets from schema 3 on."""
        values = self.all("msPKI-RA-Application-Policies")
        if self.schema < 3 or self.schema == 4 and self.private_key & 0x100:
            return values
        for value in values:
            parts = value.split("`")
            for i in range(0, len(parts) - 2, 3):
                if parts[i] == "msPKI-RA-Application-Policies":
                    return [p for p in parts[i + 2].split(",") if p]
        return []

    @property
    def supplied(self):
        return bool(self.name & 0x1)

    @property
    def machine(self):
        return bool(self.general & 0x40)

    def v2(self, value, otherwise=0):
        """A value that binds the CA from schema 2 on only (MS-WCCE 3.2.2.6.2.1.4.5)."""
        return value if self.schema >= 2 else otherwise


def request_attributes(case):
    out = []
    for line in case["attributes"].replace("\r\n", "\n").split("\n"):
        name, colon, value = line.partition(":")
        name, value = name.replace(" ", "").replace("-", ""), value.strip()
        if colon and name and value:
            out.append((name.lower(), value))
    return out + [(n.lower(), v) for n, v in case["request"]["name_values"]]


class Decision:
    def __init__(self, case):
        self.case = case
        self.ca = case["ca"]
        self.request = case["request"]
        self.subject = case["subject"]
        self.attributes = request_attributes(case)
        self.templates = [Template(t) for t in case["templates"] if not t.get("unloadable")]
        self.requested = {o: (critical, bytes.fromhex(v)) for o, critical, v in self.request["extensions"]}
        self.edit = self.ca["edit_flags"]
        self.renewal = case["renewal"]
        self.set_by_officer = {x[0] for x in case["officer_extensions"]}
        self.disabled = self.ca["disable_extensions"] if self.edit & 0x4 else []

    def attribute(self, name):
        return next((v for n, v in self.attributes if n == name), None)

    # ---- steps 14 to 37 ----

    def run(self):
        for _, (_, value) in self.requested.items():
            if len(value) > (self.ca["max_extension"] or 4096):
                raise Denied(0xC80005E2, "an extension does not fit its column")
        self.t = t = self.settle_template()
        self.check_version()
        self.check_renewal()
        key_based = self.approved_before and t.supplied and t.enrollment & 0x10000
        if not key_based and not access.may_enroll(t.sd, self.case["token"]["sids"]):
            raise Denied(0x80094012, "no Enroll right")
        self.check_agent()
        self.check_signatures()
        self.check_key()
        if t.enrollment & 0x1 and SMIME not in self.requested and not self.edit & 0x10000:
            raise Denied(0x80094805, "S/MIME capabilities")
        self.issuance_policies = self.settle_issuance_policies()
        self.settle_names()
        self.settle_validity()
        pending = t.enrollment & 0x2 and not self.approved_before or self.ca["request_disposition"] & 0x100
        return "pend" if pending and not self.case["approved"] else "issue"

    def settle_template(self):
        found = []
        for name, value in self.template_names():
            match = [t for t in self.templates if (t.oid == value if name == "oid" else t.cn.lower() == value.lower())]
            if not match:
                raise Denied(0x80094800, "unknown template %s" % value)
            found.append(match[0])
        if not found:
            raise Denied(0x80094801, "no template named")
        if any(t is not found[0] for t in found):
            raise Denied(0x80094802, "several templates named")
        t = found[0]
        if t.cn.lower() not in [p.lower() for p in self.case["published"]]:
            raise Denied(0x80094800, "not published here")
        version = self.ca["ca_version"]
        if t.schema > (2 if version == 1 else 3 if version <= 3 else 4):
            raise Denied(0x80094800, "schema")
        if version >= 4 and t.v2(t.private_key >> 16 & 0xF) > version:
            raise Denied(0x80094800, "server version")
        return t

    def template_names(self):
        if TEMPLATE_NAME in self.requested:
            _, body, _ = der.read(self.requested[TEMPLATE_NAME][1])
            yield "name", body.decode("utf-16-be")
        if TEMPLATE_INFO in self.requested:
            _, body, _ = der.read(self.requested[TEMPLATE_INFO][1])
            yield "oid", der.oid_text(der.read(body)[1])
        for name, value in self.attributes:
            if name == "certificatetemplate":
                yield "name", value

    def check_version(self):
        if self.t.schema < 2 or TEMPLATE_INFO not in self.requested:
            return
        _, body, _ = der.read(self.requested[TEMPLATE_INFO][1])
        version = [int.from_bytes(v, "big") for tag, v, _ in der.elements(body) if tag == 2] + [0, 0]
        if version[0] > self.t.major or version[1] > self.t.minor:
            raise Denied(0x80094807, "newer version asked for")

    def check_renewal(self):
        """Step 20; and MS-WCCE 3.2.2.6.2.1.4.8: whether the earlier approval counts."""
        t, old = self.t, self.renewal
        self.approved_before = False
        if not old:
            return
        extensions = {o: bytes.fromhex(v) for o, _, v in old["extensions"]}
        same = False
        if TEMPLATE_INFO in extensions:
            same = der.oid_text(der.read(der.read(extensions[TEMPLATE_INFO])[1])[1]) == t.oid
        elif TEMPLATE_NAME in extensions:
            same = der.read(extensions[TEMPLATE_NAME])[1].decode("utf-16-be").lower() == t.cn.lower()
        if not same:
            raise Denied(0x80094802, "another template")
        if not t.v2(t.enrollment) & 0x40 or TEMPLATE_INFO not in extensions:
            return
        if t.supplied:
            self.approved_before = old["subject"] == self.request["subject"] and bool(old["subject"])
        else:
            self.approved_before = self.same_person(extensions.get(SAN))

    def same_person(self, san):
        if san is None:
            return False
        found = {}
        for tag, body, _ in der.elements(der.read(san)[1]):
            if tag == 0x81:
                found["mail"] = body.decode()
            elif tag == 0xA0 and der.oid_text(der.read(body)[1]) == UPN_NAME:
                found["upn"] = der.read(list(der.elements(body))[1][1])[1].decode()
        return bool(found) and all(v.lower() == (self.subject[k] or "").lower() for k, v in found.items())

    def check_agent(self):
        """Steps 22 and 23: for somebody else."""
        if self.case["on_behalf_of"] is None:
            return
        if self.t.schema >= 2 and not self.t.ra_signatures:
            raise Denied(0x80094806, "no signature asked for")
        vouching = self.case["signers"][:self.case["vouching"]]
        if not any("1.3.6.1.4.1.311.20.2.1" in s["application_policies"] for s in vouching):
            raise Denied(0x8009480B, "no enrollment agent")

    def check_signatures(self):
        t, signers = self.t, self.case["signers"]
        if not t.v2(t.ra_signatures) or self.approved_before:
            return
        if not signers:
            raise Denied(0x80094809, "no signer")
        if len(signers) < t.ra_signatures:
            raise Denied(0x8009480A, "too few signers")
        for wanted, where in ((t.ra_application_policies, "application_policies"), (t.ra_policies, "issuance_policies")):
            for policy in wanted:
                if not any(policy in s[where] for s in signers):
                    raise Denied(0x8009480B, "signer policy")

    def check_key(self):
        t = self.t
        if self.request["key_bits"] < t.v2(t.min_key):
            raise Denied(0x80094811, "key length")
        # MS-WCCE 3.2.2.6.2.1.4.5.7; a key is archived before policy is asked, from where 3.2.2.6.2.1.2.2 wants it
        archive = t.v2(t.private_key) & 0x1
        misplaced, archived = self.request["archived_key"], self.case["archived_for"] > 0
        if archive and not (self.renewal and t.private_key & 0x80):
            if not archived:
                raise Denied(0x8009400C if misplaced else 0x80094804, "key archival")
        elif not archive and (misplaced or archived):
            raise Denied(0x80094810, "key archival")
        if self.renewal and t.v2(t.private_key) & 0x80 and self.renewal["spki"] != self.request["spki"]:
            raise Denied(0x80094816, "another key")
        if t.v2(t.private_key) & 0x2000:
            raise Denied(0x8009481A, "no attestation")

    def settle_issuance_policies(self):
        t = self.t
        wanted = []
        if POLICIES in self.requested:
            _, body, _ = der.read(self.requested[POLICIES][1])
            wanted = [der.oid_text(der.read(info)[1]) for _, info, _ in der.elements(body)]
        policies = t.v2(t.policies, [])
        if t.v2(t.enrollment) & 0x20000:
            if wanted and not policies:
                raise Denied(0x80094802, "issuance policies")
            if wanted:
                policies = [p for p in policies if p in wanted]
            else:
                policies = []
        return policies

    # ---- step 33: names ----

    def settle_names(self):
        t, supplied = self.t, self.t.supplied
        if supplied:
            self.san = self.requested[SAN][1] if SAN in self.requested else b""
            self.san_critical = self.requested[SAN][0] if SAN in self.requested else False
            self.name = self.ordered_subject()
            for oid, critical, value in self.renewal["extensions"] if self.approved_before else []:
                if oid == SAN:
                    self.san, self.san_critical = bytes.fromhex(value), critical
        else:
            self.name, names = self.directory_subject(), self.directory_san()
            self.san = der.seq(*names) if names else b""
            self.san_critical = SAN in t.critical
        attribute = self.attribute("san")
        if attribute is not None and self.edit & 0x40000:
            self.san, self.san_critical, supplied = san_of_attribute(attribute), SAN in t.critical, False
        if not self.name and not supplied and self.ca["critical_san"]:
            self.san_critical = True
        if self.san and not well_formed(self.san):
            raise Denied(0x8007000D, "malformed SAN")
        if t.cn.lower() in ("exchangeuser", "exchangeusersignature"):
            self.san = without_bare_names(self.san)
        if not self.name and not (self.san and SAN not in self.disabled):
            raise Denied(0x80094001, "no name")
        if self.ca["enforce_name_lengths"]:
            for oid, _, value in self.name:
                if len(value.decode()) > UPPER_BOUNDS.get(oid, 1 << 30):
                    raise Denied(0x80094001, "name too long")
        if not (t.supplied or t.enrollment & 0x80000 or SID in self.disabled):
            self.need("sid", 0x80094821)

    def ordered_subject(self):
        rdns = [(o, tag, bytes.fromhex(v)) for o, tag, v in self.request["subject"]]
        order = [CT_NAME_OIDS[n] for n in reversed(self.ca["subject_template"])]
        rdns = [r for r in rdns if r[0] in order]
        if self.ca["rdn_reorder"]:
            rdns.sort(key=lambda r: order.index(r[0]))
        return rdns

    def need(self, what, hr):
        value = self.subject[what]
        if not value:
            raise Denied(hr, what)
        return value

    def directory_subject(self):
        t, s = self.t, self.subject
        if t.machine and t.name & (0x40000000 | 0x10000000 | 0x08000000):
            self.need("dns_host_name", 0x8009480F)
        rdns = []
        if t.name & 0x80000000:
            for part in reversed(s["dn"].split(",")):
                label, _, value = part.partition("=")
                rdns.append(attribute(DN_LABELS[label], value))
        elif t.name & 0x10000000:
            rdns.append(attribute("2.5.4.3", self.need("dns_host_name", 0x8009480F)))
        elif t.name & 0x40000000:
            rdns.append(attribute("2.5.4.3", s["dns_host_name"] if t.machine else s["cn"]))
        if t.name & 0x20000000:
            mail = self.mail()
            if mail:
                rdns.append(attribute(EMAIL, mail))
        return rdns

    def mail(self):
        if self.edit & 0x20000:
            return self.subject["mail"]
        return self.need("mail", 0x80094812)

    def directory_san(self):
        t, s, out = self.t, self.subject, []
        if t.name & 0x01000000:
            guid = bytes.fromhex(self.need("guid", 0x8009480E))
            out.append(other_name(GUID_NAME, der.tlv(0x04, guid)))
        if t.name & (0x02000000 | 0x00800000):
            upn = s["upn"]
            if not upn and self.ca["upn_fallback"]:
                upn = s["sam"] + "@" + self.ca["dns_domain"]
            if not upn:
                raise Denied(0x8009480D, "upn")
            out.append(other_name(UPN_NAME, der.tlv(0x0C, upn.encode())))
        if t.name & 0x04000000:
            mail = self.mail()
            if mail:
                out.append(der.tlv(0x81, mail.encode()))
        if t.name & 0x08000000:
            out.append(der.tlv(0x82, self.need("dns_host_name", 0x8009480F).encode()))
        if t.name & 0x00400000:
            out.append(der.tlv(0x82, self.ca["dns_domain"].encode()))
            out.append(der.tlv(0x82, self.ca["nb_domain"].encode()))
        return out

    # ---- steps 35, 36: time ----

    def settle_validity(self):
        ca, t, now = self.ca, self.t, self.case["now"]
        if not ca["ca_not_before"] <= now <= ca["ca_not_after"]:
            raise Denied(0x800B0101, "the CA has expired")
        start = now - ca["clock_skew_minutes"] * 60 * SECOND
        ends = [start + t.validity, ca["ca_not_after"]]
        ends.append(add_months(start, ca["validity_months"]) if ca["validity_months"] else start + ca["validity_seconds"] * SECOND)
        if self.edit & 0x20:
            date, unit = self.attribute("expirationdate"), self.attribute("validityperiod")
            units = self.attribute("validityperiodunits")
            if date is not None:
                ends.append(int(email.utils.parsedate_to_datetime(date).timestamp()) * SECOND + UNIX_EPOCH)
            elif unit is not None and units is not None:
                ends.append(add_units(start, unit, int(units)))
        self.not_before, self.not_after = start, min(ends)
        if self.not_after <= now:
            raise Denied(0x800B0101, "the certificate would have expired")
        if t.overlap > self.not_after - self.not_before:
            raise Denied(0x80094814, "overlap")

    # ---- step 38: the certificate ----

    def extensions(self):
        t, ca = self.t, self.ca
        mine = self.policy_extensions()
        allowed = ca["enable_request_extensions"] if self.edit & 0x2 else []
        replaced = {KEY_USAGE, EKU, APPLICATION_POLICIES, POLICIES, TEMPLATE_NAME, TEMPLATE_INFO, BASIC, AKI, CDP, AIA}
        out = []
        for oid, (critical, value) in self.requested.items():
            if oid in (SAN, SID) and not t.supplied:
                continue
            if oid in mine:
                out.append((oid,) + mine.pop(oid))
            elif oid in (SAN, SID):
                continue
            elif oid in (SKI, SMIME):
                out.append((oid, False, value))
            elif oid not in replaced and (oid in allowed or self.edit & 0x1):
                out.append((oid, critical, value))
        out += [(oid,) + rest for oid, rest in mine.items()]
        return self.officer_extensions() + [x for x in out if x[0] not in self.disabled and x[0] not in self.set_by_officer]

    def officer_extensions(self):
        """MS-CSRA 3.1.4.1.1: an officer's word about an extension is the last one."""
        return [(o, critical, bytes.fromhex(v)) for o, critical, disabled, v in self.case["officer_extensions"] if not disabled]

    def policy_extensions(self):
        """What policy adds, in the order in which it appends."""
        t, ca = self.t, self.ca
        out = {}

        def add(oid, value, critical=False):
            if value and oid not in out:
                out[oid] = (critical, value)

        nocheck = t.enrollment & 0x1000 and OCSP_SIGNING in t.v2(t.application_policies, [])
        if SKI not in self.requested:
            add(SKI, der.tlv(0x04, hashlib.sha1(bytes.fromhex(self.request["key_octets"])).digest()))
        if self.edit & 0x1900:
            add(AKI, self.authority_key(), bool(self.edit & 0x2000))
        if not nocheck and not t.enrollment & 0x4000 and ca["cdp_urls"]:
            add(CDP, der.seq(der.seq(der.tlv(0xA0, der.tlv(0xA0, *[der.tlv(0x86, u.encode()) for u in ca["cdp_urls"]])))))
        if not nocheck:
            add(AIA, self.authority_info())
        if t.schema == 1:
            add(TEMPLATE_NAME, der.tlv(0x1E, t.cn.encode("utf-16-be")))
        else:
            add(TEMPLATE_INFO, der.seq(der.oid(t.oid), der.integer(t.major), der.integer(t.minor)))
        add(KEY_USAGE, self.key_usage(), KEY_USAGE in t.critical)
        add(BASIC, self.basic_constraints(), BASIC in t.critical or bool(self.edit & 0x40))
        eku, usage = t.eku, self.attribute("certificateusage")
        if usage is not None and self.edit & 0x8000:
            eku = usage.split(",")
        if eku:
            add(EKU, der.seq(*[der.oid(o) for o in eku]), EKU in t.critical)
        if t.v2(t.application_policies, []):
            add(APPLICATION_POLICIES, der.seq(*[der.seq(der.oid(o)) for o in t.application_policies]),
                APPLICATION_POLICIES in t.critical)
        elif t.schema == 1 and ca["esc15"] and APPLICATION_POLICIES in self.requested:
            add(APPLICATION_POLICIES, self.requested[APPLICATION_POLICIES][1], self.requested[APPLICATION_POLICIES][0])
        if self.issuance_policies:
            add(POLICIES, der.seq(*[der.seq(der.oid(o), self.qualifiers(o)) for o in self.issuance_policies]), POLICIES in t.critical)
        if t.enrollment & 0x1 and SMIME not in self.requested:
            add(SMIME, DEFAULT_SMIME)
        if nocheck:
            add(OCSP_NOCHECK, b"\x05\x00")
        add(SAN, self.san, self.san_critical)
        sid = self.sid()
        if sid:
            add(SID, sid)
        return out

    def authority_key(self):
        """RFC 5280 4.2.1.1: keyIdentifier [0], authorityCertIssuer [1] GeneralNames, authorityCertSerialNumber [2]."""
        parts = []
        if self.edit & 0x100:
            parts.append(der.tlv(0x80, bytes.fromhex(self.ca["ca_key_id"])))
        if self.edit & 0x800:
            parts.append(der.tlv(0xA1, der.tlv(0xA4, bytes.fromhex(self.ca["ca_issuer"]))))
        if self.edit & 0x1000:
            parts.append(der.tlv(0x82, bytes.fromhex(self.ca["ca_serial"])))
        return der.seq(*parts)

    def qualifiers(self, policy):
        """Of the policy's OID object: CPS URIs, then user notices (RFC 5280 4.2.1.4); what neither can hold is left out."""
        entries = []
        for one in [o for o in self.case["oids"] if o["msPKI-Cert-Template-OID"] == [policy]][:1]:
            for value in [octets(v) for v in one.get("msPKI-OID-CPS", [])]:
                if 0 < len(value) <= 2048 and max(value) < 0x80 and 0 not in value:
                    entries.append(der.seq(der.oid("1.3.6.1.5.5.7.2.1"), der.tlv(0x16, value)))
            for value in [octets(v) for v in one.get("msPKI-OID-User-Notice", [])]:
                if 0 < len(value) <= 2048 and 0 not in value and is_utf8(value):
                    entries.append(der.seq(der.oid("1.3.6.1.5.5.7.2.2"), der.seq(der.tlv(0x0C, value))))
        return der.seq(*entries) if entries else b""

    def authority_info(self):
        entries = [("1.3.6.1.5.5.7.48.2", u) for u in self.ca["aia_urls"]]
        if not self.t.enrollment & 0x4000:
            entries += [("1.3.6.1.5.5.7.48.1", u) for u in self.ca["ocsp_urls"]]
        return der.seq(*[der.seq(der.oid(o), der.tlv(0x86, u.encode())) for o, u in entries]) if entries else b""

    def key_usage(self):
        raw = self.t.key_usage
        if self.t.general & 0x880:
            raw = bytes([(raw[0] if raw else 0) | 0x06]) + raw[1:]
        raw = raw.rstrip(b"\0")
        if not raw:
            return b""
        unused = (raw[-1] & -raw[-1]).bit_length() - 1
        return der.tlv(0x03, bytes([unused]) + raw)

    def basic_constraints(self):
        t = self.t
        if t.general & 0x880 or t.cn.lower() in ("subca", "ca", "crossca"):
            depth = b"" if t.depth == 0xFFFFFFFF else der.integer(t.depth)
            return der.seq(der.tlv(0x01, b"\xff"), depth)
        return der.seq() if t.enrollment & 0x8000 else b""

    def sid(self):
        if self.t.enrollment & 0x80000:
            return b""
        if self.t.supplied:
            return self.requested[SID][1] if SID in self.requested else b""
        if SID in self.disabled:
            return b""
        value = der.tlv(0x04, self.subject["sid"].encode())
        return der.seq(der.tlv(0xA0, der.oid("1.3.6.1.4.1.311.25.2.1"), der.tlv(0xA0, value)))


def octets(value):
    return bytes.fromhex(value[4:]) if value.startswith("hex:") else value.encode()


def is_utf8(value):
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def attribute(oid, value):
    ia5 = oid in (EMAIL, "0.9.2342.19200300.100.1.25")
    raw = value.encode()
    return oid, 0x16 if ia5 else der.text(value)[0], raw


def other_name(oid, value):
    return der.tlv(0xA0, der.oid(oid), der.tlv(0xA0, value))


def without_bare_names(san):
    """ExchangeUser: no directoryName of a CN alone beside an rfc822Name (MS-WCCE 3.2.2.6.2.1.4.6)."""
    if not san:
        return san
    names = list(der.elements(der.read(san)[1]))
    if any(tag == 0x81 for tag, _, _ in names):
        names = [n for n in names if n[0] != 0xA4 or not bare_cn(n[1])]
    return der.seq(*[raw for _, _, raw in names])


def well_formed(san):
    body = der.read(san)[1]
    return sum(len(raw) for _, _, raw in der.elements(body)) == len(body) and \
        all(len(raw) >= 2 + raw[1] for _, _, raw in der.elements(body) if raw[1] < 0x80)


def bare_cn(directory_name):
    sets = list(der.elements(der.read(directory_name)[1]))
    if len(sets) != 1:
        return False
    pairs = list(der.elements(sets[0][1]))
    return len(pairs) == 1 and der.oid_text(der.read(pairs[0][1])[1]) == "2.5.4.3"


def san_of_attribute(value):
    out = []
    for pair in value.split("&"):
        kind, _, content = pair.partition("=")
        kind = kind.strip().lower()
        if kind in ("email", "dns", "url"):
            out.append(der.tlv({"email": 0x81, "dns": 0x82, "url": 0x86}[kind], content.encode()))
        elif kind == "upn":
            out.append(other_name(UPN_NAME, der.tlv(0x0C, content.encode())))
        elif kind == "ipaddress":
            out.append(der.tlv(0x87, ipaddress.ip_address(content).packed))
        else:
            raise Denied(0x80070057, "SAN attribute")
    return der.seq(*out)


def add_months(filetime, months):
    seconds, fraction = divmod(filetime - UNIX_EPOCH, SECOND)
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return int(at.replace(year=year, month=month + 1, day=day).timestamp()) * SECOND + fraction + UNIX_EPOCH


def add_units(start, unit, n):
    unit = unit.lower()
    if unit in ("years", "months"):
        return add_months(start, n * (12 if unit == "years" else 1))
    return start + n * {"weeks": 7 * DAY, "days": DAY, "hours": 3600 * SECOND, "minutes": 60 * SECOND, "seconds": SECOND}[unit]


def decide(case):
    """The verdict in the form that policy_run prints."""
    d = Decision(case)
    try:
        outcome = d.run()
        extensions = d.extensions()
    except Denied as why:
        return {"outcome": "deny", "hr": why.hr, "why": str(why)}
    return {
        "outcome": outcome, "hr": 0, "not_before": d.not_before, "not_after": d.not_after,
        "issuer": case["ca"]["ca_subject"], "spki": case["request"]["spki"],
        "subject": der.seq(*[der.tlv(0x31, der.seq(der.oid(o), der.tlv(tag, v))) for o, tag, v in d.name]).hex(),
        "extensions": [[der.oid_body(o).hex(), bool(c), v.hex()] for o, c, v in extensions],
        "publish_to_ds": bool(d.t.enrollment & 0x8),
    }
