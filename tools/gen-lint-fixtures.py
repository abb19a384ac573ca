#!/usr/bin/python3
"""Writes fixtures/lint/: for each finding of adcsctl lint objects that trigger exactly it, and the same, repaired.

LDIF holds content records that are laid over the sample forest (attributes named replace those of an object that is
there); JSON holds CA settings, laid over those of the CA. Descriptors are made by Samba from the SDDL in this file.
"""
import json
import pathlib
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from ldiflib import descriptor, record  # noqa: E402

OUT = pathlib.Path(__file__).resolve().parent.parent / "fixtures/lint"
CONFIG = "CN=Configuration,DC=corp,DC=contoso,DC=com"
PKS = f"CN=Public Key Services,CN=Services,{CONFIG}"
CA_NAME = "Contoso Certification Authority"
OID_BASE = "1.3.6.1.4.1.311.21.8.1111111.2222222.333333.4444444.5555555.6"
DEFAULT = ["DirectoryEmailReplication", "DomainControllerAuthentication", "KerberosAuthentication", "EFSRecovery", "EFS",
           "DomainController", "WebServer", "Machine", "User", "SubCA", "Administrator"]
CLIENT, SERVER, MAIL, EFS = "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.4", "1.3.6.1.4.1.311.10.3.4"
AGENT, ANY = "1.3.6.1.4.1.311.20.2.1", "2.5.29.37.0"
POLICY = OID_BASE + ".7.7"
DIRECTORY, SUPPLIED = 0xA6000000, 0x1
ENROLL, AUTOENROLL = "0e10c968-78fb-11d2-90d4-00c04f79dc55", "a05b8cc2-17bc-4802-a710-e7c15ab866a2"
CONNECTOR = "S-1-5-21-1111111111-2222222222-3333333333-1110"
SERVICE = "S-1-5-21-1111111111-2222222222-3333333333-1105"
ENGINEERS = "S-1-5-21-1111111111-2222222222-3333333333-1201"
DAY = 86400


def signed(value):
    return value - (1 << 32) if value >= 1 << 31 else value


def period(seconds):
    return struct.pack("<q", -seconds * 10_000_000)


def acl(enroll=("DA",), autoenroll=(), owner="EA", more="", read="(A;;LCRPLORC;;;AU)"):
    aces = "".join(f"(OA;;CR;{ENROLL};;{who})" for who in enroll)
    aces += "".join(f"(OA;;CR;{AUTOENROLL};;{who})" for who in autoenroll)
    full = "(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;DA)(A;;CCDCLCSWRPWPDTLOSDRCWDWO;;;EA)"
    return f"O:{owner}G:EAD:PAI{aces}{full}{read}{more}"


def template(sddl=acl(), schema=2, nf=DIRECTORY, ef=0, pk=0x03030010, gf=0x2023A, eku=(CLIENT,), policies=None, ku=0xA0,
             size=2048, ra=0, validity=365, overlap=42, **more):
    """A template that nothing is wrong with, but for what the caller changes."""
    policies = eku if policies is None else policies
    rows = [("objectClass", ["top", "pKICertificateTemplate"]), ("cn", "LintT"), ("displayName", "Lint T"), ("flags", gf),
            ("revision", 100), ("pKIDefaultKeySpec", 1), ("pKIKeyUsage", bytes([ku, 0])), ("pKIMaxIssuingDepth", 0),
            ("pKICriticalExtensions", "2.5.29.15"), ("pKIExpirationPeriod", period(validity * DAY)),
            ("pKIOverlapPeriod", period(overlap * DAY))]
    rows += [("pKIExtendedKeyUsage", list(eku))] if eku else []
    rows += [("msPKI-Certificate-Application-Policy", list(policies))] if policies and schema > 1 else []
    rows += [("msPKI-RA-Signature", ra), ("msPKI-Enrollment-Flag", ef), ("msPKI-Private-Key-Flag", pk),
             ("msPKI-Certificate-Name-Flag", signed(nf)), ("msPKI-Minimal-Key-Size", size),
             ("msPKI-Template-Schema-Version", schema), ("msPKI-Template-Minor-Revision", 2),
             ("msPKI-Cert-Template-OID", OID_BASE + ".8.8")]
    rows += [(name.replace("_", "-"), value) for name, value in more.items()]
    rows += [("nTSecurityDescriptor", descriptor(sddl))] if sddl else []
    return [(f"CN=LintT,CN=Certificate Templates,{PKS}", rows)]


def service(*published, **more):
    rows = [("certificateTemplates", list(published) + DEFAULT)]
    rows += [(name.replace("_", "-"), value) for name, value in more.items()]
    return [(f"CN={CA_NAME},CN=Enrollment Services,{PKS}", rows)]


def issued(**spec):
    """The template, published."""
    return template(**spec) + service("LintT")


def howto(published=True, **spec):
    spec = {"nf": SUPPLIED, "eku": (EFS, MAIL, CLIENT), "sddl": acl(("DA", CONNECTOR)), **spec}
    return template(**spec) + (service("LintT") if published else [])


def security(*aces):
    default = "(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)(A;;0x200;;;AU)"
    return {"security": "O:BAG:BAD:" + default + "".join(aces)}


def settings(**values):
    return {"settings": {name.replace("__", "\\"): value for name, value in values.items()}}


def rights(template):
    """Domain Admins decide about requests of Everyone for this template (MS-CSRA 2.2.1.11)."""
    data = struct.pack("<I", 1) + bytes([1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]) + template.encode("utf-16le") + b"\0\0"
    return f"O:BAG:BAD:(XA;;0x10000;;;DA;#{data.hex()})"


def container(name, sddl):
    return [(f"CN={name},{PKS}", [("nTSecurityDescriptor", descriptor(sddl))])]


def policy_oid(**more):
    rows = [("objectClass", ["top", "msPKI-Enterprise-Oid"]), ("cn", "7.00000000000000000000000000000007"),
            ("displayName", "Lint policy"), ("flags", 2), ("msPKI-Cert-Template-OID", POLICY)]
    rows += [(name.replace("_", "-"), value) for name, value in more.items()]
    rows += [("nTSecurityDescriptor", descriptor("O:EAG:EAD:(A;;GA;;;DA)(A;;LCRPLORC;;;AU)"))]
    return [(f"CN=7.00000000000000000000000000000007,CN=OID,{PKS}", rows)]


def mapped(value):
    return [("CN=Administrator,CN=Users,DC=corp,DC=contoso,DC=com", [("altSecurityIdentities", value)])]


LOW = {"sddl": acl(("DU",))}
P256 = "msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P256`msPKI-Hash-Algorithm`PZPWSTR`SHA256`"
HOWTO_CA = {**security(f"(A;;0x202;;;{CONNECTOR})(A;;0x202;;;{SERVICE})"), **settings(policy__EditFlags="0x11016E")}
SUBJECT = ["State", "EMail", "CommonName", "OrganizationalUnit", "Organization", "Locality", "DomainComponent", "Country"]
CONTAINER_SD = "O:EAG:EAD:(A;;GA;;;DA)(A;;GA;;;EA)(A;;LCRPLORC;;;AU)"

# id: (what the vulnerable one has, Certipy's documented predicate or None, vulnerable, fixed). A side is a list of objects,
# or (objects, CA settings).
CASES = {
    "ESC1": ("Domain Users enroll, the request names the subject, Client Authentication",
             "enrollee supplies subject, and the template allows client authentication",
             issued(nf=SUPPLIED, **LOW), issued(nf=SUPPLIED)),
    "ESC2": ("Domain Users enroll, Any Purpose", "template can be used for any purpose",
             issued(eku=(ANY,), **LOW), issued(eku=(MAIL,), **LOW)),
    "ESC3": ("Domain Users enroll, Certificate Request Agent; User takes such requests",
             "template has the Certificate Request Agent usage", issued(eku=(AGENT,), **LOW), issued(eku=(AGENT,))),
    "ESC4": ("Domain Users may write the template", "user has dangerous permissions over the template",
             issued(sddl=acl(more="(A;;RPWP;;;DU)")), issued()),
    "ESC5": ("Authenticated Users may write NTAuthCertificates", None,
             container("NTAuthCertificates", CONTAINER_SD + "(A;;RPWP;;;AU)"),
             container("NTAuthCertificates", CONTAINER_SD)),
    "ESC6": ("EDITF_ATTRIBUTESUBJECTALTNAME2 is set", "enrollee can specify the SAN",
             ([], settings(policy__EditFlags="0x15014E")), ([], settings(policy__EditFlags="0x11014E"))),
    "ESC7": ("Domain Users issue and manage certificates", "user has dangerous permissions over the CA",
             ([], security("(A;;0x2;;;DU)")), ([], security())),
    "ESC8": ("an enrollment web service over plain HTTP", "web enrollment is enabled over HTTP",
             service(msPKI_Enrollment_Servers=b"1\n2\n0\nhttp://ca01.corp.contoso.com/ces/service.svc\n0"), service()),
    "ESC9": ("NO_SECURITY_EXTENSION on a logon template that Domain Users enroll", "template has no security extension",
             issued(ef=0x80000, **LOW), issued(**LOW)),
    "ESC10": ("StrongCertificateBindingEnforcement 0", None,
              ([], settings(KDC__StrongCertificateBindingEnforcement=0)),
              ([], settings(KDC__StrongCertificateBindingEnforcement=2))),
    "ESC11": ("IF_ENFORCEENCRYPTICERTREQUEST is clear", "encryption is not enforced for ICPR requests",
              ([], settings(CA__InterfaceFlags="0x441")), ([], settings(CA__InterfaceFlags="0x641"))),
    "ESC12": ("the HSM's password stands in the registry", None,
              ([], settings(YubiHSM__AuthKeysetPassword="in clear")), ([], settings())),
    "ESC13": ("an issuance policy of the template is linked to a group",
              "template allows client authentication and its issuance policy is linked to a group",
              issued(**LOW, msPKI_Certificate_Policy=POLICY) +
              policy_oid(msDS_OIDToGroupLink="CN=Device Engineers,OU=Groups,DC=corp,DC=contoso,DC=com"),
              issued(**LOW, msPKI_Certificate_Policy=POLICY) + policy_oid()),
    "ESC14": ("Administrator is mapped by issuer and subject", None,
              mapped("X509:<I>DC=com,DC=contoso,CN=Contoso<S>CN=Administrator"),
              mapped("X509:<I>DC=com,DC=contoso,CN=Contoso<SR>1200000000AC11000000002B")),
    "ESC15": ("schema 1, the request names the subject, and the CA lacks the update",
              "enrollee supplies subject and schema version is 1",
              (issued(schema=1, nf=SUPPLIED, pk=0x10, eku=(MAIL,), **LOW), settings(policy__CopyApplicationPolicies=1)),
              (issued(schema=1, nf=SUPPLIED, pk=0x10, eku=(MAIL,), **LOW), settings(policy__CopyApplicationPolicies=0))),
    "ESC16": ("the SID extension is in DisableExtensionList", "security extension is disabled on the CA",
              ([], settings(policy__DisableExtensionList=["1.3.6.1.4.1.311.25.2"])),
              ([], settings(policy__DisableExtensionList=[]))),
    "ESC17": ("Domain Users get server certificates for any name", "enrollee supplies subject and server authentication",
              issued(nf=SUPPLIED, eku=(SERVER,), **LOW), issued(nf=SUPPLIED, eku=(SERVER,))),
    "ATTRIBUTE-EKU": ("EDITF_ATTRIBUTEEKU is set", None,
                      ([], settings(policy__EditFlags="0x11814E")), ([], settings(policy__EditFlags="0x11014E"))),
    "OWNER-PERSON": ("Administrator owns the template", None, issued(sddl=acl(owner="LA")), issued()),
    "NO-DESCRIPTOR": ("the export has no nTSecurityDescriptor", None, issued(sddl=None), issued()),
    "PUBLISHED-MISSING": ("a name without a template", None, service("LintGone"), service()),
    "PUBLISHED-UNREADABLE": ("schema version 9", None, issued(schema=9), issued()),
    "CA-CANNOT-READ": ("nobody but administrators may read the template", None, issued(sddl=acl(read="")), issued()),
    "CA-TOO-OLD": ("schema 4 on a CA of Windows Server 2008 R2", None,
                   (issued(schema=4, pk=0x06060110), settings(CA__CAVersion=3)),
                   (issued(schema=4, pk=0x06060110), settings(CA__CAVersion=6))),
    "PENDING-NOBODY": ("manager approval, and the CA has no certificate manager", None,
                       (issued(ef=0x2), {"security": "O:BAG:BAD:(A;;0x1;;;BA)(A;;0x200;;;AU)"}),
                       (issued(ef=0x2), security())),
    "RIGHTS-DEAD": ("OfficerRights name a template that is not there", None,
                    ([], settings(CA__OfficerRights=rights("Gone"))), ([], settings(CA__OfficerRights=rights("User")))),
    "NOBODY-ENROLLS": ("Full Control does not include Enroll", None, issued(sddl=acl(())), issued()),
    "RENEWAL": ("renewal starts when the certificate does", None, issued(overlap=365), issued()),
    "CA-EXPIRES": ("eight days are left of the CA certificate", None,
                   ([], {"notAfter": "2026-12-01T13:00:00Z"}), ([], {"notAfter": "2099-01-31T00:00:00Z"})),
    "LONGER-THAN-CA": ("the CA certificate ends before the certificates would", None,
                       ([], {"notAfter": "2027-01-31T00:00:00Z"}), ([], {"notAfter": "2099-01-31T00:00:00Z"})),
    "LONGER-THAN-SETTING": ("three years, the CA gives two", None, issued(validity=3 * 365), issued()),
    "KEY-SIZE": ("2048 bits of an ECDSA_P256 key", None,
                 issued(schema=4, pk=0x06060010, size=2048, msPKI_RA_Application_Policies=P256),
                 issued(schema=4, pk=0x06060010, size=256, msPKI_RA_Application_Policies=P256)),
    "USAGE-MISMATCH": ("Secure Email in one list only", None, issued(policies=(CLIENT, MAIL)), issued()),
    "NAME-BITS": ("Supply in the request and User's name bits", None, issued(nf=SUPPLIED | DIRECTORY), issued(nf=SUPPLIED)),
    "SAN-BIT": ("ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME alone", None, issued(nf=DIRECTORY | 0x10000), issued()),
    "AUTOENROLL-NOBODY": ("AUTO_ENROLLMENT without an Autoenroll entry", None, issued(ef=0x20),
                          issued(ef=0x20, sddl=acl(autoenroll=("DA",)))),
    "AUTOENROLL-RIGHTS": ("Device Engineers autoenroll, but may not enroll", None,
                          issued(ef=0x20, sddl=acl(autoenroll=(ENGINEERS,))),
                          issued(ef=0x20, sddl=acl(("DA", ENGINEERS), (ENGINEERS,)))),
    "AUTOENROLL-DEAD": ("autoenrollment and Supply in the request", None,
                        issued(ef=0x20, nf=SUPPLIED, sddl=acl(autoenroll=("DA",))),
                        issued(ef=0x20, sddl=acl(autoenroll=("DA",)))),
    "SUPERSEDES": ("a display name instead of a name", None, issued(msPKI_Supersede_Templates="Basic EFS"),
                   issued(msPKI_Supersede_Templates="EFS")),
    "KEY-BASED-RENEWAL": ("Allow key based renewal alone", None, issued(schema=4, pk=0x04040110, ef=0x10000),
                          issued(schema=4, pk=0x04040110, ef=0x10040, nf=SUPPLIED)),
    "RA-SIGNATURES": ("one authorized signature, by any certificate", None, issued(ra=1),
                      issued(ra=1, msPKI_RA_Application_Policies=AGENT)),
    "DS-CHECK": ("looks in the directory, where nothing is published", None, issued(ef=0x10), issued(ef=0x18)),
    "REQUEST-POLICIES": ("issuance policies from the request, none listed", None,
                         issued(schema=4, pk=0x04040110, ef=0x20000),
                         issued(schema=4, pk=0x04040110, ef=0x20000, msPKI_Certificate_Policy=POLICY)),
    "ARCHIVAL-USAGE": ("signature keys are archived", None, issued(pk=0x03030011, ku=0x80), issued(pk=0x03030011)),
    "VOLATILE": ("not stored, but the CA's switch is off", None,
                 (issued(gf=0x2123A), settings(CA__DBFlags="0x0")), (issued(gf=0x2123A), settings(CA__DBFlags="0x800"))),
    "SCHEMA-LEVELS": ("schema 4 with 2008 R2 and Windows 7", None, issued(schema=4, pk=0x03030110),
                      issued(schema=4, pk=0x06060110)),
    "LEVEL-UNLOCKS": ("Renew with the same key at 2008 R2 and Windows 7", None, issued(pk=0x03030090), issued()),
    "LEVEL-UNKNOWN": ("levels 7 and 7", None, template(pk=0x07070010), template(pk=0x06060010)),
    "LEGACY-BIT": ("USE_LEGACY_PROVIDER in schema 2", None, issued(pk=0x03030110), issued()),
    "PKCS-PUBLISHED": ("step 12 forgotten", None, (howto(False), HOWTO_CA), (howto(), HOWTO_CA)),
    "PKCS-SUBJECT": ("step 8 forgotten", None, (howto(nf=DIRECTORY), HOWTO_CA), (howto(), HOWTO_CA)),
    "PKCS-EXPORTABLE": ("step 6 forgotten", None, (howto(pk=0x03030000), HOWTO_CA), (howto(), HOWTO_CA)),
    "PKCS-KEY-SIZE": ("step 7 forgotten", None, (howto(size=1024), HOWTO_CA), (howto(), HOWTO_CA)),
    "PKCS-USAGES": ("Client Authentication forgotten", None, (howto(eku=(EFS, MAIL)), HOWTO_CA), (howto(), HOWTO_CA)),
    "PKCS-NONREPUDIATION": ("Signature is proof of origin left on", None, (howto(ku=0xE0), HOWTO_CA), (howto(), HOWTO_CA)),
    "PKCS-GATE": ("manager approval", None, (howto(ef=0x2), HOWTO_CA), (howto(), HOWTO_CA)),
    "PKCS-KEY-HANDLING": ("key archival", None, (howto(pk=0x03030011), HOWTO_CA), (howto(), HOWTO_CA)),
    "PKCS-TEMPLATE-RIGHTS": ("step 10 forgotten", None, (howto(sddl=acl()), HOWTO_CA), (howto(), HOWTO_CA)),
    "PKCS-CA-RIGHTS": ("step 13 forgotten", None, (howto(), {**HOWTO_CA, **security()}), (howto(), HOWTO_CA)),
    "PKCS-ACCOUNT": ("a user account instead of the computer's", None,
                     (howto(sddl=acl(("DA", SERVICE))), HOWTO_CA), (howto(), HOWTO_CA)),
    "PKCS-LEVELS": ("schema 4 with a key storage provider", None, (howto(schema=4, pk=0x06060010), HOWTO_CA),
                    (howto(), HOWTO_CA)),
    "PKCS-SUBJECT-TEMPLATE": ("State is not kept", None,
                              (howto(), {**HOWTO_CA, "settings": {**HOWTO_CA["settings"], "CA\\SubjectTemplate": SUBJECT[1:]}}),
                              (howto(), {**HOWTO_CA, "settings": {**HOWTO_CA["settings"], "CA\\SubjectTemplate": SUBJECT}})),
    "PKCS-END-DATE": ("EDITF_ATTRIBUTEENDDATE clear", None,
                      (howto(), {**HOWTO_CA, **settings(policy__EditFlags="0x11014E")}), (howto(), HOWTO_CA)),
}


def base():
    """What a CA's first start adds to the sample forest."""
    enroll = ("O:EAG:EAD:(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;AU)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;DA)"
              "(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;EA)(A;;LCRPLORC;;;AU)")
    return [(f"CN={CA_NAME},CN=Enrollment Services,{PKS}",
             [("objectClass", ["top", "pKIEnrollmentService"]), ("cn", CA_NAME), ("displayName", CA_NAME),
              ("dNSHostName", "ca01.corp.contoso.com"), ("flags", 10), ("certificateTemplates", DEFAULT),
              ("nTSecurityDescriptor", descriptor(enroll))]),
            (f"CN=NTAuthCertificates,{PKS}",
             [("objectClass", ["top", "certificationAuthority"]), ("cn", "NTAuthCertificates"),
              ("nTSecurityDescriptor", descriptor(CONTAINER_SD))])]


BASE_SETTINGS = {"name": CA_NAME, "notAfter": "2031-11-23T00:00:00Z", **security(), "settings": {
    "CA\\ValidityPeriod": "Years", "CA\\ValidityPeriodUnits": 2, "CA\\InterfaceFlags": "0x641", "CA\\DBFlags": "0x0",
    "CA\\CAVersion": 6, "policy\\EditFlags": "0x11014E", "policy\\RequestDisposition": "0x1"}}


def write(name, comment, objects, values):
    text = "".join(f"# {line}\n" for line in comment) + "".join("\n" + record(dn, rows) for dn, rows in objects)
    (OUT / f"{name}.ldif").write_text(text)
    if values:
        (OUT / f"{name}.json").write_text(json.dumps(values, indent=2) + "\n")


def main():
    OUT.mkdir(exist_ok=True)
    for old in [*OUT.glob("*.ldif"), *OUT.glob("*.json")]:
        old.unlink()
    write("base", ["What the first start of the sample CA adds to the sample forest, without its certificates."], base(),
          BASE_SETTINGS)
    for key, (what, certipy, *sides) in CASES.items():
        for side, content in zip(("vulnerable", "fixed"), sides):
            objects, values = content if isinstance(content, tuple) else (content, None)
            comment = [f"{key}, {side}. The vulnerable one: {what}."]
            comment += [f"Certipy's documented predicate: {certipy}."] if certipy else []
            if key.startswith("PKCS-"):
                who = "svc-pfx" if key == "PKCS-ACCOUNT" and side == "vulnerable" else "PFXCONN01$"
                comment.append(f"options: --profile intune-pkcs --template LintT --connector {who}")
            write(f"{key}-{side}", comment, objects, values)


if __name__ == "__main__":
    main()
