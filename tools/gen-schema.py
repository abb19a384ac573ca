#!/usr/bin/python3
"""Writes ldap-schema/*.schema (slapd.conf syntax) from the tables below: gen-schema.py [ldap-schema]

Names, OIDs, syntaxes and single-valuedness are AD's (MS-ADA1, MS-ADA2, MS-ADA3, MS-ADSC). Three things differ, because
slapd has its own mind about them:
- cn, name, distinguishedName, description, userPassword and uid are built into slapd; memberOf comes with its overlay
- `top` is built in and allows nothing, so what AD's top and its auxiliary classes (securityPrincipal, mailRecipient,
  samDomain) allow is folded into every class below top
- what AD's server fills in by itself (objectSid, instanceType, groupType, ...) is allowed, never required
"""
import os
import sys
import textwrap

# Attribute table: name, attributeID, syntax, S (single value) or M. "ad" is 1.2.840.113556.1 (an OID macro of slapd).
ATTRIBUTES = """
# what top allows in AD
displayName                        ad:2.13    text   S
objectCategory                     ad:4.782   dn     S
objectGUID                         ad:4.2     octets S
nTSecurityDescriptor               ad:2.281   sd     S
instanceType                       ad:2.1     int    S
whenCreated                        ad:2.2     time   S
whenChanged                        ad:2.3     time   S
uSNCreated                         ad:2.19    int    S
uSNChanged                         ad:2.120   int    S
flags                              ad:4.38    int    S
revision                           ad:4.145   int    S
adminDisplayName                   ad:2.194   text   S
adminDescription                   ad:2.226   text   S
showInAdvancedViewOnly             ad:2.169   bool   S
systemFlags                        ad:4.375   int    S
isCriticalSystemObject             ad:4.868   bool   S
objectVersion                      ad:2.76    int    S
wellKnownObjects                   ad:4.618   dnbin  M
url                                ad:4.749   text   M

# people, computers and groups
objectSid                          ad:4.146   sid    S
sIDHistory                         ad:4.609   sid    M
sAMAccountName                     ad:4.221   text   S
sAMAccountType                     ad:4.302   int    S
userPrincipalName                  ad:4.656   text   S
servicePrincipalName               ad:4.771   text   M
altSecurityIdentities              ad:4.867   text   M
userAccountControl                 ad:4.8     int    S
primaryGroupID                     ad:4.98    int    S
groupType                          ad:4.750   int    S
member                             2.5.4.31   dn     M
managedBy                          ad:4.653   dn     S
tokenGroups                        ad:4.1301  sid    M
unicodePwd                         ad:4.90    octets S
ntPwdHistory                       ad:4.94    octets M
dBCSPwd                            ad:4.55    octets S
supplementalCredentials            ad:4.125   octets M
pwdLastSet                         ad:4.96    int    S
accountExpires                     ad:4.159   int    S
lastLogon                          ad:4.52    int    S
lastLogonTimestamp                 ad:4.1696  int    S
logonCount                         ad:4.169   int    S
badPwdCount                        ad:4.12    int    S
badPasswordTime                    ad:4.49    int    S
adminCount                         ad:4.150   int    S
codePage                           ad:4.16    int    S
countryCode                        ad:4.25    int    S
userCertificate                    2.5.4.36   octets M
userSMIMECertificate               2.16.840.1.113730.3.140 octets M
msDS-SupportedEncryptionTypes      ad:4.1963  int    S
msDS-AllowedToDelegateTo           ad:4.1787  text   M
msDS-AllowedToActOnBehalfOfOtherIdentity ad:4.2182 sd S
msDS-KeyCredentialLink             ad:4.2328  dnbin  M
msDS-GroupMSAMembership            ad:4.2200  sd     S
mS-DS-CreatorSID                   ad:4.1410  sid    S
dNSHostName                        ad:4.619   text   S
operatingSystem                    ad:4.363   text   S
operatingSystemVersion             ad:4.364   text   S
location                           ad:4.222   text   S
sn                                 2.5.4.4    text   S
givenName                          2.5.4.42   text   S
initials                           2.5.4.43   text   S
title                              2.5.4.12   text   S
department                         ad:2.141   text   S
company                            ad:2.146   text   S
o                                  2.5.4.10   text   M
ou                                 2.5.4.11   text   M
l                                  2.5.4.7    text   S
st                                 2.5.4.8    text   S
c                                  2.5.4.6    text   S
co                                 ad:2.131   text   S
street                             2.5.4.9    text   S
streetAddress                      ad:2.256   text   S
postalCode                         2.5.4.17   text   S
telephoneNumber                    2.5.4.20   text   S
mail                               0.9.2342.19200300.100.1.3 text S
proxyAddresses                     ad:2.210   text   M
manager                            0.9.2342.19200300.100.1.10 dn S
serialNumber                       2.5.4.5    print  M
employeeID                         ad:4.35    text   S

# domain, partitions, sites
dc                                 0.9.2342.19200300.100.1.25 text S
nCName                             ad:2.16    dn     S
nETBIOSName                        ad:4.87    text   S
dnsRoot                            ad:4.28    text   M
msDS-Behavior-Version              ad:4.1459  int    S
ms-DS-MachineAccountQuota          ad:4.1411  int    S
fSMORoleOwner                      ad:4.369   dn     S
serverReference                    ad:4.515   dn     S
gPLink                             ad:4.891   text   S
gPOptions                          ad:4.892   int    S
minPwdLength                       ad:4.79    int    S
minPwdAge                          ad:4.78    int    S
maxPwdAge                          ad:4.74    int    S
pwdHistoryLength                   ad:4.95    int    S
pwdProperties                      ad:4.93    int    S
lockoutThreshold                   ad:4.73    int    S
lockoutDuration                    ad:4.60    int    S
lockOutObservationWindow           ad:4.61    int    S

# certificate templates (MS-CRTD 2)
pKIDefaultKeySpec                  ad:4.1327  int    S
pKIKeyUsage                        ad:4.1328  octets S
pKIMaxIssuingDepth                 ad:4.1329  int    S
pKICriticalExtensions              ad:4.1330  text   M
pKIExpirationPeriod                ad:4.1331  octets S
pKIOverlapPeriod                   ad:4.1332  octets S
pKIExtendedKeyUsage                ad:4.1333  text   M
pKIDefaultCSPs                     ad:4.1334  text   M
pKIEnrollmentAccess                ad:4.1335  sd     M
msPKI-RA-Signature                 ad:4.1429  int    S
msPKI-Enrollment-Flag              ad:4.1430  int    S
msPKI-Private-Key-Flag             ad:4.1431  int    S
msPKI-Certificate-Name-Flag        ad:4.1432  int    S
msPKI-Minimal-Key-Size             ad:4.1433  int    S
msPKI-Template-Schema-Version      ad:4.1434  int    S
msPKI-Template-Minor-Revision      ad:4.1435  int    S
msPKI-Cert-Template-OID            ad:4.1436  text   S
msPKI-Supersede-Templates          ad:4.1437  text   M
msPKI-RA-Policies                  ad:4.1438  text   M
msPKI-Certificate-Policy           ad:4.1439  text   M
msPKI-Certificate-Application-Policy ad:4.1674 text  M
msPKI-RA-Application-Policies      ad:4.1675  text   M

# enrollment services, authorities, revocation lists, OIDs (MS-WCCE 2.2.2.11)
cACertificateDN                    ad:4.697   text   S
certificateTemplates               ad:4.823   text   M
enrollmentProviders                ad:4.825   text   S
signatureAlgorithms                ad:4.824   text   S
msPKI-Enrollment-Servers           ad:4.2076  text   M
msPKI-Site-Name                    ad:4.2077  text   S
cACertificate                      2.5.4.37   octets M
authorityRevocationList            2.5.4.38   octets M
certificateRevocationList          2.5.4.39   octets S
deltaRevocationList                2.5.4.53   octets M
crossCertificatePair               2.5.4.40   octets M
cRLPartitionedRevocationList       ad:4.683   octets S
certificateAuthorityObject         ad:4.684   dn     S
msPKI-OID-Attribute                ad:4.1671  int    S
msPKI-OID-CPS                      ad:4.1672  text   M
msPKI-OID-User-Notice              ad:4.1673  text   M
msPKI-OIDLocalizedName             ad:4.1712  text   M
msDS-OIDToGroupLink                ad:4.2051  dn     S
"""

# What AD's rootDSE shows. No attributeID exists for these (MS-ADTS 3.1.1.3.2): "root" is an arc of our own, derived
# from a UUID (X.667). Not SINGLE-VALUE: clients which format values by the server's schema expect lists.
ROOTDSE = """
defaultNamingContext               root:1     dn     M
rootDomainNamingContext            root:2     dn     M
configurationNamingContext         root:3     dn     M
schemaNamingContext                root:4     dn     M
ldapServiceName                    root:5     text   M
domainFunctionality                root:6     int    M
forestFunctionality                root:7     int    M
domainControllerFunctionality      root:8     int    M
isGlobalCatalogReady               root:9     bool   M
isSynchronized                     root:10    bool   M
supportedCapabilities              root:11    oid    M
"""

SYNTAX_ARC = "1.3.6.1.4.1.1466.115.121.1."
SYNTAXES = {  # our word: RFC 4517 syntax, EQUALITY, ORDERING, SUBSTR
    "text": ("15", "caseIgnoreMatch", None, "caseIgnoreSubstringsMatch"),
    "print": ("44", "caseIgnoreMatch", None, "caseIgnoreSubstringsMatch"),
    "int": ("27", "integerMatch", "integerOrderingMatch", None),
    "bool": ("7", "booleanMatch", None, None),
    "time": ("24", "generalizedTimeMatch", "generalizedTimeOrderingMatch", None),
    "dn": ("12", "distinguishedNameMatch", None, None),
    "dnbin": ("15", "caseIgnoreMatch", None, None),  # AD's DN-with-binary, carried as text
    "oid": ("38", "objectIdentifierMatch", None, None),
    "octets": ("40", "octetStringMatch", None, None),
    "sid": ("40", "octetStringMatch", None, None),
    "sd": ("40", "octetStringMatch", None, None),
}

TOP = """cn name description distinguishedName displayName objectCategory objectGUID nTSecurityDescriptor instanceType
    whenCreated whenChanged uSNCreated uSNChanged flags revision adminDisplayName adminDescription
    showInAdvancedViewOnly systemFlags isCriticalSystemObject objectVersion wellKnownObjects url""".split()
PRINCIPAL = """objectSid sIDHistory sAMAccountName sAMAccountType altSecurityIdentities msDS-KeyCredentialLink mail
    proxyAddresses userCertificate userSMIMECertificate tokenGroups mS-DS-CreatorSID""".split()
AUTHORITY = "cACertificate authorityRevocationList certificateRevocationList"

# name, governsID, superior, kind, MUST, MAY ("+" adds TOP, "P" adds PRINCIPAL)
CLASSES = [
    ("container", "ad:3.23", "top", "STRUCTURAL", "cn", "+ msPKI-Cert-Template-OID"),
    ("configuration", "ad:5.12", "top", "STRUCTURAL", "cn", "+ gPLink gPOptions"),
    ("domain", "ad:5.66", "top", "ABSTRACT", "dc", "+"),
    ("domainDNS", "ad:5.67", "domain", "STRUCTURAL", "", """objectSid managedBy msDS-Behavior-Version
        ms-DS-MachineAccountQuota fSMORoleOwner gPLink gPOptions minPwdLength minPwdAge maxPwdAge pwdHistoryLength
        pwdProperties lockoutThreshold lockoutDuration lockOutObservationWindow"""),
    ("builtinDomain", "ad:5.4", "top", "STRUCTURAL", "", "+ objectSid"),
    ("organizationalUnit", "2.5.6.5", "top", "STRUCTURAL", "ou", "+ managedBy gPLink gPOptions street l st c co postalCode"),
    ("lostAndFound", "ad:5.139", "top", "STRUCTURAL", "", "+"),
    ("foreignSecurityPrincipal", "ad:5.76", "top", "STRUCTURAL", "cn", "+ objectSid"),
    ("crossRefContainer", "ad:5.7000.53", "top", "STRUCTURAL", "", "+ msDS-Behavior-Version fSMORoleOwner"),
    ("crossRef", "ad:3.11", "top", "STRUCTURAL", "cn nCName dnsRoot", "+ nETBIOSName msDS-Behavior-Version"),
    ("sitesContainer", "ad:5.107", "top", "STRUCTURAL", "", "+"),
    ("site", "ad:5.31", "top", "STRUCTURAL", "", "+ managedBy location gPLink gPOptions"),
    ("serversContainer", "ad:5.7000.48", "top", "STRUCTURAL", "", "+"),
    ("server", "ad:5.17", "top", "STRUCTURAL", "", "+ dNSHostName serverReference managedBy"),
    ("person", "2.5.6.6", "top", "STRUCTURAL", "cn", "+ P sn telephoneNumber userPassword serialNumber"),
    ("organizationalPerson", "2.5.6.7", "person", "STRUCTURAL", "", """givenName initials title department company o ou
        l st c co street streetAddress postalCode manager countryCode employeeID"""),
    ("user", "ad:5.9", "organizationalPerson", "STRUCTURAL", "", """userPrincipalName servicePrincipalName
        userAccountControl primaryGroupID unicodePwd ntPwdHistory dBCSPwd supplementalCredentials pwdLastSet
        accountExpires lastLogon lastLogonTimestamp logonCount badPwdCount badPasswordTime adminCount codePage uid
        msDS-SupportedEncryptionTypes msDS-AllowedToDelegateTo msDS-AllowedToActOnBehalfOfOtherIdentity
        msDS-GroupMSAMembership"""),
    ("computer", "ad:3.30", "user", "STRUCTURAL", "",
        "dNSHostName operatingSystem operatingSystemVersion location managedBy"),
    ("group", "ad:5.8", "top", "STRUCTURAL", "", "+ P groupType member managedBy primaryGroupID adminCount"),
    # slapd's memberof overlay wants this one at start
    ("groupOfNames", "2.5.6.9", "top", "STRUCTURAL", "cn member", "+ o ou"),
    ("pKICertificateTemplate", "ad:5.177", "top", "STRUCTURAL", "", """+ pKIDefaultKeySpec pKIKeyUsage
        pKIMaxIssuingDepth pKICriticalExtensions pKIExpirationPeriod pKIOverlapPeriod pKIExtendedKeyUsage
        pKIDefaultCSPs pKIEnrollmentAccess msPKI-RA-Signature msPKI-Enrollment-Flag msPKI-Private-Key-Flag
        msPKI-Certificate-Name-Flag msPKI-Minimal-Key-Size msPKI-Template-Schema-Version
        msPKI-Template-Minor-Revision msPKI-Cert-Template-OID msPKI-Supersede-Templates msPKI-RA-Policies
        msPKI-RA-Application-Policies msPKI-Certificate-Policy msPKI-Certificate-Application-Policy"""),
    ("pKIEnrollmentService", "ad:5.178", "top", "STRUCTURAL", "", """+ dNSHostName cACertificate cACertificateDN
        certificateTemplates enrollmentProviders signatureAlgorithms msPKI-Enrollment-Servers msPKI-Site-Name"""),
    ("certificationAuthority", "2.5.6.16", "top", "STRUCTURAL", "cn " + AUTHORITY,
        "+ deltaRevocationList crossCertificatePair cACertificateDN dNSHostName certificateTemplates"),
    ("cRLDistributionPoint", "2.5.6.19", "top", "STRUCTURAL", "cn", """+ certificateRevocationList
        deltaRevocationList authorityRevocationList cRLPartitionedRevocationList certificateAuthorityObject"""),
    ("msPKI-Enterprise-Oid", "ad:5.196", "top", "STRUCTURAL", "", """+ msPKI-Cert-Template-OID
        msPKI-OID-Attribute msPKI-OID-CPS msPKI-OID-User-Notice msPKI-OIDLocalizedName msDS-OIDToGroupLink"""),
    ("msPKI-PrivateKeyRecoveryAgent", "ad:5.223", "top", "STRUCTURAL", "userCertificate", "+"),
]

HEADER = "# Written by tools/gen-schema.py; edit its tables instead.\n"


def wrapped(text):
    """slapd cuts long lines; a leading blank continues one."""
    return textwrap.fill(text, 100, subsequent_indent="    ", break_on_hyphens=False, break_long_words=False) + "\n"


def attribute_lines(table):
    out = ""
    for line in table.strip().splitlines():
        if not line or line.startswith("#"):
            out += ("\n" + line + "\n") if line else ""
            continue
        name, oid, word, count = line.split()
        number, equality, ordering, substr = SYNTAXES[word]
        text = f"attributetype ( {oid} NAME '{name}' EQUALITY {equality}"
        text += f" ORDERING {ordering}" if ordering else ""
        text += f" SUBSTR {substr}" if substr else ""
        text += f" SYNTAX {SYNTAX_ARC}{number}" + (" SINGLE-VALUE" if count == "S" else "") + " )"
        out += wrapped(text)
    return out


def class_lines():
    out = ""
    for name, oid, superior, kind, must, may in CLASSES:
        words = []
        for word in may.split():
            words += TOP if word == "+" else PRINCIPAL if word == "P" else [word]
        must = must.split()
        words = [w for w in words if w not in must]
        text = f"objectclass ( {oid} NAME '{name}' SUP {superior} {kind}"
        text += f" MUST ( {' $ '.join(must)} )" if must else ""
        text += f" MAY ( {' $ '.join(words)} )" if words else ""
        out += "\n" + wrapped(text + " )")
    return out


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "ldap-schema")
    files = {
        "rootdse.schema": "\n# Our own arc: 2.25 and a UUID as a number\n"
        "objectidentifier root 2.25.283529356889344902061418369332658310375\n\n" + attribute_lines(ROOTDSE),
        "ad-attributes.schema": "\nobjectidentifier ad 1.2.840.113556.1\n" + attribute_lines(ATTRIBUTES),
        "ad-classes.schema": class_lines(),
    }
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write(HEADER + text)


if __name__ == "__main__":
    main()
