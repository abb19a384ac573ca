"""LDIF (RFC 2849) writing and AD's binary forms, shared by gen-templates.py and gen-forest.py."""
import base64
import struct
import uuid

from samba.dcerpc import security
from samba.ndr import ndr_pack

SAMPLE_DOMAIN_SID = "S-1-5-21-1111111111-2222222222-3333333333"
# Objects keep their objectGUID from run to run: it is derived from what they are.
NAMESPACE = uuid.UUID("6d6f1c1e-5d2a-4f0b-9a86-3f1c7f3a2b10")
WHEN_CREATED = "20260101000000.0Z"


def sid(text):
    """Packet form of a SID (MS-DTYP 2.4.2.2)."""
    parts = text.split("-")
    subs = [int(p) for p in parts[3:]]
    return struct.pack(">BBHI", 1, len(subs), 0, int(parts[2])) + b"".join(struct.pack("<I", s) for s in subs)


def guid(name):
    return uuid.uuid5(NAMESPACE, name).bytes_le


def descriptor(sddl, domain_sid=SAMPLE_DOMAIN_SID):
    """Self-relative security descriptor (MS-DTYP 2.4.6)."""
    return ndr_pack(security.descriptor.from_sddl(sddl, security.dom_sid(domain_sid)))


def fold(line):
    out = line[:76]
    for i in range(76, len(line), 75):
        out += "\n " + line[i:i + 75]
    return out


def record(dn, attributes):
    """One LDIF record. attributes: list of (name, value or list of values); bytes go out in base64."""
    lines = ["dn: " + dn]
    for name, values in attributes:
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, bytes):
                lines.append(name + ":: " + base64.b64encode(value).decode())
            else:
                lines.append(name + ": " + str(value))
    return "\n".join(fold(line) for line in lines) + "\n"
