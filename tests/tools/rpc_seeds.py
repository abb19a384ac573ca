#!/usr/bin/python3
"""Makes the seeds fixtures/fuzz/idl_pdu and rpc_stream out of fixtures/rpc and of exchanges that reach every state.

    tests/tools/rpc_seeds.py
"""
import pathlib
import struct
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
NDR20 = ("8a885d04-1ceb-11c9-9fe8-08002b104860", 2, 0)
NDR64 = ("71710533-beba-4937-8319-b5dbef9ccc36", 1, 0)
FEATURES = ("6cb71c2c-9812-4540-0300-000000000000", 1, 0)
ECHO = ("5c1f2a00-7d3e-4b19-9a44-0c123456789a", 1, 0)
SECRET = ("5c1f2a01-7d3e-4b19-9a44-0c123456789a", 1, 0)
FIRST, LAST, HEADER_SIGN, MPX, OBJECT = 1, 2, 4, 0x10, 0x80


def golden(name):
    lines = (ROOT / "fixtures/rpc" / f"{name}.hex").read_text().splitlines()
    return bytes.fromhex("".join(s for s in lines if not s.startswith("#")))


def pdu(ptype, flags, call, body, token=None, level=6, context=7, mech=10):
    auth = b""
    if token is not None:
        pad = -len(body) % 4
        body += b"\xbb" * pad
        auth = struct.pack("<BBBBI", mech, level, pad, 0, context) + token
    total = 16 + len(body) + len(auth)
    return struct.pack("<BBBB4sHHI", 5, 0, ptype, flags, b"\x10\0\0\0", total, len(token or b""), call) + body + auth


def syntax(s):
    return uuid.UUID(s[0]).bytes_le + struct.pack("<HH", s[1], s[2])


def bind(elements, ptype=11, flags=FIRST | LAST, call=1, **auth):
    body = struct.pack("<HHIB3x", 4280, 4280, 0, len(elements))
    for number, abstract, transfers in elements:
        body += struct.pack("<HBx", number, len(transfers)) + syntax(abstract) + b"".join(map(syntax, transfers))
    return pdu(ptype, flags, call, body, **auth)


def request(stub=b"", flags=FIRST | LAST, call=2, context=0, opnum=3, object_uuid=b"", **auth):
    flags |= OBJECT if object_uuid else 0
    return pdu(0, flags, call, struct.pack("<IHH", 0, context, opnum) + object_uuid + stub, **auth)


def auth3(token, **kw):
    return pdu(16, FIRST | LAST, 1, b"    ", token=token, **kw)


def blob(data):
    return struct.pack("<III", len(data), 0x20000, len(data)) + data


BOTH = [(0, ECHO, [NDR20]), (1, SECRET, [NDR20])]
SIGN = bytes(16)
OBJECT_UUID = bytes(range(16))
STUB = blob(bytes(range(100)))
TRAILER = bytes.fromhex("8ae3137102f43671 01000400 00000000 03401000 00000000 10000000 02000000 00000000".replace(" ", ""))

STREAMS = {
    "plain": b"\x00" + bind(BOTH) + request() + request(STUB, opnum=0, call=3) + request(opnum=4, call=4),
    "windows": b"\x07" + bind([(0, ECHO, [NDR20]), (1, ECHO, [NDR64]), (2, ECHO, [FEATURES])], flags=7 | MPX)
    + request(opnum=2) + request(opnum=2, call=3) + pdu(18, 3, 2, b"") + pdu(19, 3, 3, b""),
    "fragments": b"\x00" + bind(BOTH) + request(STUB[:40], FIRST, opnum=0) + request(STUB[40:80], 0, opnum=0)
    + request(STUB[80:], LAST, opnum=0),
    "trailer": b"\x00" + bind(BOTH) + request(STUB + TRAILER, opnum=0),
    "sealed": b"\x00" + bind(BOTH, flags=7, token=b"done") + request(token=SIGN) + request(call=3, context=1, token=SIGN),
    "sealed_object": b"\x00" + bind(BOTH, token=b"done") + request(object_uuid=OBJECT_UUID, token=SIGN),
    "sealed_fragments": b"\x00" + bind(BOTH, token=b"done") + request(STUB[:40], FIRST, opnum=0, token=SIGN)
    + request(STUB[40:], LAST, opnum=0, token=SIGN),
    "legs": b"\x40" + bind(BOTH, token=b"+more") + auth3(b"+done") + request(token=SIGN),
    "spnego": b"\x00" + bind(BOTH, token=b"more", mech=9) + bind(BOTH, 14, token=b"accept", mech=9)
    + request(token=SIGN, mech=9),
    "alter": b"\x00" + bind(BOTH[:1]) + bind(BOTH[1:], 14, call=2, token=b"done", level=5)
    + request(call=3, context=1, token=SIGN, level=5) + request(call=4),
    "refused": b"\x00" + bind(BOTH, token=b"more") + auth3(b"fail") + request(token=SIGN),
    "strict": b"\x80" + bind(BOTH) + request(call=2, context=1),
    "orphan": b"\x00" + bind([(0, ECHO, [NDR20]), (0, ECHO, [FEATURES])]) + request(STUB, FIRST, opnum=0)
    + pdu(19, 3, 2, b"") + request(call=3),
    "captured": b"\x00" + golden("bind_three_contexts") + golden("request_sealed_impacket"),
    "captured_epm": b"\x10" + golden("bind_epm_impacket"),
    "captured_ntlm": b"\x00" + golden("bind_ntlm_impacket") + golden("auth3_ntlm_impacket"),
}


def main():
    for folder in ("idl_pdu", "rpc_stream"):
        (ROOT / "fixtures/fuzz" / folder).mkdir(parents=True, exist_ok=True)
    for name in ("bind_epm_impacket", "bind_three_contexts", "bind_ntlm_impacket", "auth3_ntlm_impacket",
                 "alter_context_impacket", "request_sealed_impacket"):
        (ROOT / "fixtures/fuzz/idl_pdu" / name).write_bytes(golden(name))
    (ROOT / "fixtures/fuzz/idl_pdu/request_object").write_bytes(request(STUB, object_uuid=OBJECT_UUID, token=SIGN))
    (ROOT / "fixtures/fuzz/idl_pdu/orphaned").write_bytes(pdu(19, 3, 2, b""))
    for name, octets in STREAMS.items():
        (ROOT / "fixtures/fuzz/rpc_stream" / name).write_bytes(octets)


main()
