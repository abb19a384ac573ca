#!/usr/bin/python3
"""Prints management interface stubs as Samba's NDR library makes them: the origin of fixtures/wire/mgmt_*_samba.hex.

    tests/tools/samba_mgmt.py if_ids_out|stats_in|stats_out|listening_out|stop_out|princ_name_in|princ_name_out
"""
import sys

from samba.dcerpc import mgmt, misc
from samba.ndr import ndr_pack_in, ndr_pack_out

ICERTPASSAGE = ("91ae6020-9e3c-11cf-8d7c-00aa00c091be", 0)
MGMT = ("afa8bd80-7d8a-11c9-bef4-08002b102989", 1)


def syntax(uuid, version):
    p = mgmt.ndr_syntax_id_p()
    p.id = misc.ndr_syntax_id()
    p.id.uuid = misc.GUID(uuid)
    p.id.if_version = version
    return p


def if_ids_out():
    r = mgmt.inq_if_ids()
    r.out_if_id_vector = mgmt.rpc_if_id_vector_t()
    r.out_if_id_vector.count = 2
    r.out_if_id_vector.if_id = [syntax(*ICERTPASSAGE), syntax(*MGMT)]
    r.result = 0
    return ndr_pack_out(r)


def stats_in():
    r = mgmt.inq_stats()
    r.in_max_count = mgmt.MGMT_STATS_ARRAY_MAX_SIZE
    r.in_unknown = 0
    return ndr_pack_in(r)[:4]  # Samba's table has a second argument, which neither C706 nor MS-RPCE 2.2.1.3.3 knows


def stats_out():
    r = mgmt.inq_stats()
    r.out_statistics = mgmt.statistics()
    r.out_statistics.count = 4
    r.out_statistics.statistics = [17, 0, 23, 0xFFFFFFFF]
    r.result = 0
    return ndr_pack_out(r)


def listening_out():
    r = mgmt.is_server_listening()
    r.out_status = 0
    r.result = 1
    return ndr_pack_out(r)


def stop_out():
    r = mgmt.stop_server_listening()
    r.result = 5  # WERR_ACCESS_DENIED
    return ndr_pack_out(r)


def princ_name(out):
    r = mgmt.inq_princ_name()
    r.in_authn_proto = 9
    r.in_princ_name_size = 64
    r.out_princ_name = "host/ca01.corp.contoso.com"
    r.result = 0
    return ndr_pack_out(r) if out else ndr_pack_in(r)


STUBS = {
    "if_ids_out": if_ids_out,
    "stats_in": stats_in,
    "stats_out": stats_out,
    "listening_out": listening_out,
    "stop_out": stop_out,
    "princ_name_in": lambda: princ_name(False),
    "princ_name_out": lambda: princ_name(True),
}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in STUBS:
        sys.exit(__doc__)
    stub = STUBS[sys.argv[1]]()
    for at in range(0, len(stub), 16):
        print(stub[at : at + 16].hex(" "))
