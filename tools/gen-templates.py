#!/usr/bin/python3
"""Writes templates/<cn>.ldif from templates/default-templates.json: gen-templates.py [templates]

Each file holds a template and its object in the OID container. {configNC} and {forestOidBase} are replaced when a state
is seeded; the domain SID inside the security descriptors is the sample forest's and is replaced there too. Needs
python3-samba for SDDL.
"""
import hashlib
import json
import os
import sys

from ldiflib import WHEN_CREATED, descriptor, guid, record

PKS = "CN=Public Key Services,CN=Services,{configNC}"
OCTETS = ("pKIKeyUsage", "pKIExpirationPeriod", "pKIOverlapPeriod")  # hexadecimal in the table
# The class's default descriptor (MS-ADSC, msPKI-Enterprise-Oid)
OID_SDDL = ("O:EAG:EAD:(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;SY)"
            "(A;;RPLCLORC;;;AU)")


def entry(dn, object_class, category, attributes, sddl):
    cn = attributes["cn"]
    rows = [("objectClass", ["top", object_class])]
    for name, value in attributes.items():
        if name in OCTETS:
            value = bytes.fromhex(value)
        rows.append((name, value))
    rows += [
        ("name", cn),
        ("distinguishedName", dn),
        ("objectCategory", f"CN={category},CN=Schema,{{configNC}}"),
        ("objectGUID", guid("template/" + object_class + "/" + cn)),
        ("instanceType", 4),
        ("showInAdvancedViewOnly", "TRUE"),
        ("whenCreated", WHEN_CREATED),
        ("nTSecurityDescriptor", descriptor(sddl)),
    ]
    return record(dn, rows)


def template_file(template):
    attributes = template["attributes"]
    cn = attributes["cn"]
    oid = attributes["msPKI-Cert-Template-OID"]
    oid_cn = oid.rsplit(".", 1)[1] + "." + hashlib.md5(cn.encode()).hexdigest().upper()
    oid_object = {"cn": oid_cn, "displayName": attributes["displayName"], "flags": 1, "msPKI-Cert-Template-OID": oid}
    return "version: 1\n\n" + entry(f"CN={cn},CN=Certificate Templates,{PKS}", "pKICertificateTemplate",
                                    "PKI-Certificate-Template", attributes, template["sddl"]) \
        + "\n" + entry(f"CN={oid_cn},CN=OID,{PKS}", "msPKI-Enterprise-Oid", "ms-PKI-Enterprise-Oid",
                       oid_object, OID_SDDL)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..", "templates")
    with open(os.path.join(folder, "default-templates.json"), encoding="utf-8") as f:
        templates = json.load(f)["templates"]
    for template in templates:
        with open(os.path.join(folder, template["attributes"]["cn"] + ".ldif"), "w", encoding="ascii") as f:
            f.write(template_file(template))


if __name__ == "__main__":
    main()
