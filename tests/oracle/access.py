"""Who may enroll: a self-relative security descriptor (MS-DTYP 2.4.6) read and judged as MS-CRTD 2.5.1 says."""
import struct

ENROLL = bytes.fromhex("68c9100efb78d21190d400c04f79dc55")
CONTROL_ACCESS = 0x100
GENERIC_ALL = 0x10000000
OWNER_RIGHTS = "S-1-3-4"


def sid_text(data):
    authority = int.from_bytes(data[2:8], "big")
    subs = struct.unpack_from("<%dI" % data[1], data, 8)
    return "-".join(["S", "1", str(authority)] + [str(s) for s in subs])


def sid_bytes(text):
    parts = [int(p) for p in text.split("-")[1:]]
    return bytes([parts[0], len(parts) - 2]) + parts[1].to_bytes(6, "big") + struct.pack("<%dI" % (len(parts) - 2), *parts[2:])


def read_aces(sd):
    """(owner, ACEs): each (type, flags, mask, object GUID or None, trustee); ACEs None when everybody is allowed."""
    control, = struct.unpack_from("<H", sd, 2)
    owner_at, _, _, dacl_at = struct.unpack_from("<4I", sd, 4)
    owner = sid_text(sd[owner_at:]) if owner_at else None
    if not control & 0x0004 or dacl_at == 0:
        return owner, None
    aces, at = [], dacl_at + 8
    for _ in range(struct.unpack_from("<H", sd, dacl_at + 4)[0]):
        kind, flags, size, mask = struct.unpack_from("<BBHI", sd, at)
        guid, trustee = None, at + 8
        if kind in (5, 6):
            present, = struct.unpack_from("<I", sd, at + 8)
            trustee = at + 12
            if present & 1:
                guid = sd[trustee:trustee + 16]
                trustee += 16
            if present & 2:
                trustee += 16
        aces.append((kind, flags, mask, guid, sid_text(sd[trustee:at + size])))
        at += size
    return owner, aces


def may_enroll(sd, sids):
    """The first ACE in stored order that speaks of Enroll for one of the SIDs decides."""
    if sd is None:
        return True
    owner, aces = read_aces(sd)
    if aces is None:
        return True
    for kind, flags, mask, guid, trustee in aces:
        if mask & GENERIC_ALL:
            mask |= 0xF01FF
        mine = trustee in sids or trustee == OWNER_RIGHTS and owner in sids
        if flags & 0x08 or not mine or not mask & CONTROL_ACCESS:
            continue
        if kind in (0, 1) or kind in (5, 6) and guid in (None, ENROLL):
            return kind in (0, 5)
    return False
