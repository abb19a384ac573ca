#!/usr/bin/python3
"""Writes the sample forest: gen-forest.py [fixtures/forest/contoso.ldif]. Needs python3-samba (SDDL)."""
import os
import sys

from ldiflib import SAMPLE_DOMAIN_SID, WHEN_CREATED, descriptor, guid, record, sid

DOMAIN = "DC=corp,DC=contoso,DC=com"
DNS = "corp.contoso.com"
CONFIG = "CN=Configuration," + DOMAIN
SERVICES = "CN=Services," + CONFIG
PKS = "CN=Public Key Services," + SERVICES
USERS = "CN=Users," + DOMAIN
COMPUTERS = "CN=Computers," + DOMAIN
BUILTIN = "CN=Builtin," + DOMAIN
GROUPS = "OU=Groups," + DOMAIN
OID_BASE = "1.3.6.1.4.1.311.21.8.4567890.1234567.2345678.3456789.5678901.117"

HEADER = """\
# The sample forest: domain corp.contoso.com (CORP), written by tools/gen-forest.py.
#
# Passwords are fixtures, in clear in userPassword; none of them protects anything.
#
#   CORP\\Administrator  Admin-Passw0rd      Domain Admins, Enterprise Admins, Schema Admins
#   CORP\\janedoe        Jane-Passw0rd       mail and UPN janedoe@contoso.com
#   CORP\\bob            Bob-Passw0rd        no mail; in three nested groups that form a cycle
#   CORP\\svc-pfx        Svc-Passw0rd        the account of a connector ("CA account")
#   CORP\\agent          Agent-Passw0rd      enrollment agent
#   CORP\\leaver         Leaver-Passw0rd     disabled
#   CORP\\noupn          Noupn-Passw0rd      no userPrincipalName: logs on as noupn@corp.contoso.com all the same
#   CORP\\PFXCONN01$     Pfxconn01-Passw0rd  the connector host, pfxconn01.corp.contoso.com
#   CORP\\WS01$          Ws01-Passw0rd       a workstation
#   CORP\\CA01$          Ca01-Passw0rd       the CA host, in Cert Publishers
#   CORP\\DC01$          Dc01-Passw0rd       a domain controller
#
# Domain SID S-1-5-21-1111111111-2222222222-3333333333; RIDs stand beside their objectSid.
version: 1
"""

# groupType (MS-ADTS 2.2.12)
GLOBAL, DOMAIN_LOCAL, UNIVERSAL, BUILTIN_LOCAL = -2147483646, -2147483644, -2147483640, -2147483643
DISTRIBUTION = 2
SAM_TYPE = {GLOBAL: 0x10000000, UNIVERSAL: 0x10000000, DOMAIN_LOCAL: 0x20000000, BUILTIN_LOCAL: 0x20000000,
            DISTRIBUTION: 0x10000001}
# userAccountControl (MS-ADTS 2.2.16)
NORMAL, DISABLED, NEVER_EXPIRES, WORKSTATION, SERVER = 0x200, 0x2, 0x10000, 0x1000, 0x82000

CATEGORY = {"container": "Container", "configuration": "Configuration", "domainDNS": "Domain-DNS",
            "organizationalUnit": "Organizational-Unit", "user": "Person", "computer": "Computer", "group": "Group",
            "crossRef": "Cross-Ref", "crossRefContainer": "Cross-Ref-Container", "sitesContainer": "Sites-Container",
            "site": "Site", "builtinDomain": "Builtin-Domain",
            "foreignSecurityPrincipal": "Foreign-Security-Principal"}
# Enterprise Admins and SYSTEM own the configuration, everybody who is authenticated reads it
CONFIG_SD = descriptor("O:EAG:EAD:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;EA)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;SY)"
                       "(A;;LCRPLORC;;;AU)")

out = []


def add(dn, classes, **attributes):
    rdn_name, rdn = dn.split(",")[0].split("=")
    rows = [("objectClass", ["top"] + classes), (rdn_name.lower(), rdn)]
    rows += [(name.replace("__", "-"), value) for name, value in attributes.items()]
    rows += [("name", rdn), ("distinguishedName", dn),
             ("objectCategory", f"CN={CATEGORY[classes[-1]]},CN=Schema,{CONFIG}"),
             ("objectGUID", guid(dn)), ("instanceType", 4), ("whenCreated", WHEN_CREATED)]
    if dn.endswith(CONFIG):
        rows.append(("nTSecurityDescriptor", CONFIG_SD))
    out.append(record(dn, rows))


def section(text):
    out.append("# ---- " + text + " ----\n")


def container(dn, **attributes):
    add(dn, ["container"], **attributes)


def group(parent, name, rid, kind, members=(), domain=SAMPLE_DOMAIN_SID):
    out.append(f"# RID {rid}\n")
    attributes = {"sAMAccountName": name, "sAMAccountType": SAM_TYPE[kind], "groupType": kind,
                  "objectSid": sid(f"{domain}-{rid}")}
    if members:
        attributes["member"] = list(members)
    add(f"CN={name},{parent}", ["group"], **attributes)


def person(sam, cn, rid, password, uac=NORMAL | NEVER_EXPIRES, primary=513, upn=None, mail=None, given=None, sn=None):
    out.append(f"# RID {rid}\n")
    attributes = {"displayName": cn}
    for name, value in (("givenName", given), ("sn", sn), ("mail", mail), ("userPrincipalName", upn)):
        if value:
            attributes[name] = value
    add(f"CN={cn},{USERS}", ["person", "organizationalPerson", "user"], **attributes, sAMAccountName=sam,
        sAMAccountType=0x30000000, userAccountControl=uac, primaryGroupID=primary,
        objectSid=sid(f"{SAMPLE_DOMAIN_SID}-{rid}"), userPassword=password)


def computer(parent, name, rid, password, primary=515, uac=WORKSTATION):
    out.append(f"# RID {rid}\n")
    host = f"{name.lower()}.{DNS}"
    add(f"CN={name},{parent}", ["person", "organizationalPerson", "user", "computer"], sAMAccountName=name + "$",
        sAMAccountType=0x30000001, userAccountControl=uac, primaryGroupID=primary, dNSHostName=host,
        servicePrincipalName=[f"HOST/{name}", f"HOST/{host}"], operatingSystem="Windows Server 2022 Standard",
        objectSid=sid(f"{SAMPLE_DOMAIN_SID}-{rid}"), userPassword=password)


def foreign(parent, name, text):
    add(f"CN={name},{parent}", ["foreignSecurityPrincipal"], objectSid=sid(text))


def user_dn(cn):
    return f"CN={cn},{USERS}"


def domain_tree():
    section("the domain")
    add(DOMAIN, ["domain", "domainDNS"], objectSid=sid(SAMPLE_DOMAIN_SID), msDS__Behavior__Version=7,
        **{"ms-DS-MachineAccountQuota": 10})
    container(USERS)
    container(COMPUTERS)
    container("CN=System," + DOMAIN)
    container("CN=ForeignSecurityPrincipals," + DOMAIN)
    add("OU=Domain Controllers," + DOMAIN, ["organizationalUnit"])
    add(GROUPS, ["organizationalUnit"])

    section("people")
    person("Administrator", "Administrator", 500, "Admin-Passw0rd")
    person("janedoe", "Jane Doe", 1103, "Jane-Passw0rd", upn="janedoe@contoso.com", mail="janedoe@contoso.com",
           given="Jane", sn="Doe")
    person("bob", "Bob Smith", 1104, "Bob-Passw0rd", upn="bob@" + DNS, given="Bob", sn="Smith")
    person("svc-pfx", "svc-pfx", 1105, "Svc-Passw0rd", upn="svc-pfx@" + DNS)
    person("agent", "Enrollment Agent", 1106, "Agent-Passw0rd", upn="agent@" + DNS, mail="agent@contoso.com")
    person("leaver", "Lee Leaver", 1107, "Leaver-Passw0rd", NORMAL | DISABLED, upn="leaver@" + DNS, given="Lee",
           sn="Leaver")
    person("noupn", "Nora Upn", 1108, "Noupn-Passw0rd", given="Nora", sn="Upn")

    section("computers")
    computer(COMPUTERS, "PFXCONN01", 1110, "Pfxconn01-Passw0rd")
    computer(COMPUTERS, "WS01", 1111, "Ws01-Passw0rd")
    computer(COMPUTERS, "CA01", 1112, "Ca01-Passw0rd")
    computer("OU=Domain Controllers," + DOMAIN, "DC01", 1000, "Dc01-Passw0rd", primary=516, uac=SERVER)

    section("groups with well-known RIDs (MS-DTYP 2.4.2.4); primaryGroupID does not show in member")
    admin = user_dn("Administrator")
    group(USERS, "Enterprise Read-only Domain Controllers", 498, UNIVERSAL)
    group(USERS, "Domain Admins", 512, GLOBAL, [admin])
    group(USERS, "Domain Users", 513, GLOBAL)
    group(USERS, "Domain Guests", 514, GLOBAL)
    group(USERS, "Domain Computers", 515, GLOBAL)
    group(USERS, "Domain Controllers", 516, GLOBAL)
    group(USERS, "Cert Publishers", 517, DOMAIN_LOCAL, ["CN=CA01," + COMPUTERS])
    group(USERS, "Schema Admins", 518, UNIVERSAL, [admin])
    group(USERS, "Enterprise Admins", 519, UNIVERSAL, [admin])
    group(USERS, "Group Policy Creator Owners", 520, GLOBAL, [admin])
    group(USERS, "Read-only Domain Controllers", 521, GLOBAL)
    group(USERS, "Protected Users", 525, GLOBAL)
    group(USERS, "Key Admins", 526, GLOBAL)
    group(USERS, "Enterprise Key Admins", 527, UNIVERSAL)
    group(USERS, "RAS and IAS Servers", 553, DOMAIN_LOCAL)

    section("groups of this forest: three deep with a cycle, one around Domain Users, one for mail only")
    group(GROUPS, "Device Engineers", 1201, GLOBAL,
          [user_dn("Bob Smith"), "CN=Certificate Consumers," + GROUPS])
    group(GROUPS, "Workplace Services", 1202, UNIVERSAL, ["CN=Device Engineers," + GROUPS])
    group(GROUPS, "Certificate Consumers", 1203, DOMAIN_LOCAL, ["CN=Workplace Services," + GROUPS])
    group(GROUPS, "All Employees", 1204, UNIVERSAL, ["CN=Domain Users," + USERS])
    group(GROUPS, "Newsletter", 1205, DISTRIBUTION, [user_dn("Jane Doe"), user_dn("Bob Smith")])
    group(GROUPS, "Certificate Connectors", 1206, GLOBAL, ["CN=PFXCONN01," + COMPUTERS, user_dn("svc-pfx")])
    group(GROUPS, "Enrollment Agents", 1207, GLOBAL, [user_dn("Enrollment Agent")])

    section("the domain controllers' own groups: no member server sees them in a token")
    add(BUILTIN, ["builtinDomain"], objectSid=sid("S-1-5-32"))
    group(BUILTIN, "Administrators", 544, BUILTIN_LOCAL,
          [admin, "CN=Domain Admins," + USERS, "CN=Enterprise Admins," + USERS], domain="S-1-5-32")
    group(BUILTIN, "Users", 545, BUILTIN_LOCAL, ["CN=Domain Users," + USERS], domain="S-1-5-32")
    group(BUILTIN, "Certificate Service DCOM Access", 574, BUILTIN_LOCAL,
          ["CN=S-1-5-11,CN=ForeignSecurityPrincipals," + DOMAIN], domain="S-1-5-32")
    foreign("CN=ForeignSecurityPrincipals," + DOMAIN, "S-1-5-11", "S-1-5-11")


def configuration_tree():
    section("the configuration")
    add(CONFIG, ["configuration"])
    partitions = "CN=Partitions," + CONFIG
    add(partitions, ["crossRefContainer"], msDS__Behavior__Version=7)
    add("CN=CORP," + partitions, ["crossRef"], nCName=DOMAIN, dnsRoot=DNS, nETBIOSName="CORP", systemFlags=3)
    add("CN=Enterprise Configuration," + partitions, ["crossRef"], nCName=CONFIG, dnsRoot=DNS, systemFlags=1)
    sites = "CN=Sites," + CONFIG
    add(sites, ["sitesContainer"])
    add("CN=Default-First-Site-Name," + sites, ["site"])
    principals = "CN=WellKnown Security Principals," + CONFIG
    container(principals)
    foreign(principals, "Everyone", "S-1-1-0")
    foreign(principals, "Authenticated Users", "S-1-5-11")
    foreign(principals, "Enterprise Domain Controllers", "S-1-5-9")

    section("public key services; the templates are added when a state is seeded")
    container(SERVICES)
    container(PKS)
    for name in ("Certificate Templates", "Enrollment Services", "AIA", "CDP", "Certification Authorities", "KRA"):
        container(f"CN={name},{PKS}")
    out.append("# forest base of template and policy OIDs\n")
    container("CN=OID," + PKS, msPKI__Cert__Template__OID=OID_BASE)


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "fixtures", "forest",
                                                              "contoso.ldif")
    domain_tree()
    configuration_tree()
    text = HEADER + "\n"
    for block in out:
        # a comment belongs to the record under it
        text += block if block.startswith("# RID") or block.startswith("# forest") else block + "\n"
    with open(path, "w", encoding="ascii") as f:
        f.write(text)


if __name__ == "__main__":
    main()
