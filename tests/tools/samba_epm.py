#!/usr/bin/python3
"""Prints endpoint mapper stubs as Samba's NDR library makes them: the origin of fixtures/wire/epm_*_samba.hex.

    tests/tools/samba_epm.py lookup_in|lookup_all_in|lookup_out|map_in|map_out|handle_free_in|handle_free_out
"""
import struct
import sys

from samba.dcerpc import epmapper, misc
from samba.ndr import ndr_pack, ndr_pack_in, ndr_pack_out, ndr_unpack

ICERTPASSAGE = ("91ae6020-9e3c-11cf-8d7c-00aa00c091be", 0, 0)
MAPPER = ("e1af8308-5d1f-11c9-91a4-08002b14a0fa", 3, 0)
NDR20 = ("8a885d04-1ceb-11c9-9fe8-08002b104860", 2, 0)


def floor(lhs, rhs):
    return struct.pack("<H", len(lhs)) + lhs + struct.pack("<H", len(rhs)) + rhs


def uuid_floor(uuid, major, minor):
    return floor(b"\x0d" + ndr_pack(misc.GUID(uuid)) + struct.pack("<H", major), struct.pack("<H", minor))


def twr(syntax, port, address):
    octets = (
        struct.pack("<H", 5)
        + uuid_floor(*syntax)
        + uuid_floor(*NDR20)
        + floor(b"\x0b", b"\0\0")
        + floor(b"\x07", struct.pack(">H", port))
        + floor(b"\x09", bytes(int(n) for n in address.split(".")))
    )
    return ndr_unpack(epmapper.epm_twr_t, struct.pack("<II", len(octets), len(octets)) + octets)


def handle(uuid=None):
    h = misc.policy_handle()
    if uuid is not None:
        h.uuid = misc.GUID(uuid)
    return h


def twr_p(t):
    p = epmapper.epm_twr_p_t()
    p.twr = t
    return p


def lookup(inquiry_type, by_interface):
    r = epmapper.epm_Lookup()
    r.in_inquiry_type = inquiry_type
    if by_interface:
        r.in_object = misc.GUID("00000000-0000-0000-0000-000000000000")
        i = epmapper.rpc_if_id_t()
        i.uuid = misc.GUID(ICERTPASSAGE[0])
        i.vers_major, i.vers_minor = ICERTPASSAGE[1:]
        r.in_interface_id = i
        r.in_vers_option = 1  # RPC_C_VERS_ALL, MS-RPCE 2.2.1.2.4
    r.in_entry_handle = handle()
    r.in_max_ents = 10
    return r


def lookup_out():
    r = lookup(epmapper.RPC_C_EP_ALL_ELTS, False)
    entries = []
    for syntax, port, annotation in ((MAPPER, 135, "Endpoint mapper"), (ICERTPASSAGE, 49666, "")):
        en = epmapper.epm_entry_t()
        en.object = misc.GUID("00000000-0000-0000-0000-000000000000")
        en.tower = twr(syntax, port, "192.0.2.7")
        en.annotation = annotation
        entries.append(en)
    r.in_max_ents = 2
    r.out_entry_handle = handle("12345678-1234-5678-9abc-def012345678")
    r.out_num_ents = 2
    r.out_entries = entries
    r.result = 0
    return ndr_pack_out(r)


def map_in():
    r = epmapper.epm_Map()
    r.in_map_tower = twr(ICERTPASSAGE, 0, "0.0.0.0")
    r.in_entry_handle = handle()
    r.in_max_towers = 1
    return ndr_pack_in(r)


def map_out():
    r = epmapper.epm_Map()
    r.in_max_towers = 2
    r.out_entry_handle = handle()
    r.out_num_towers = 2
    r.out_towers = [twr_p(twr(ICERTPASSAGE, 49666, "127.77.0.1")), twr_p(twr(ICERTPASSAGE, 49667, "127.77.0.1"))]
    r.result = 0
    return ndr_pack_out(r)


def handle_free(out):
    r = epmapper.epm_LookupHandleFree()
    r.in_entry_handle = handle("12345678-1234-5678-9abc-def012345678")
    r.out_entry_handle = handle()
    r.result = 0
    return ndr_pack_out(r) if out else ndr_pack_in(r)


STUBS = {
    "lookup_in": lambda: ndr_pack_in(lookup(epmapper.RPC_C_EP_MATCH_BY_IF, True)),
    "lookup_all_in": lambda: ndr_pack_in(lookup(epmapper.RPC_C_EP_ALL_ELTS, False)),
    "lookup_out": lookup_out,
    "map_in": map_in,
    "map_out": map_out,
    "handle_free_in": lambda: handle_free(False),
    "handle_free_out": lambda: handle_free(True),
}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in STUBS:
        sys.exit(__doc__)
    stub = STUBS[sys.argv[1]]()
    for at in range(0, len(stub), 16):
        print(stub[at : at + 16].hex(" "))
