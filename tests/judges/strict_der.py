"""DER as X.690 section 10 and 11 want it, read strictly; knows nothing of the server's code."""
import dataclasses
import datetime

BOOLEAN, INTEGER, BIT_STRING, OCTET_STRING, NULL, OID, ENUMERATED = 1, 2, 3, 4, 5, 6, 10
UTF8, NUMERIC, PRINTABLE, TELETEX, IA5, UTC_TIME, GENERALIZED_TIME, VISIBLE, UNIVERSAL, BMP = 12, 18, 19, 20, 22, 23, 24, 26, 28, 30
SEQUENCE, SET = 0x30, 0x31
STRINGS = {UTF8: "utf-8", NUMERIC: "ascii", PRINTABLE: "ascii", TELETEX: "latin-1", IA5: "ascii", VISIBLE: "ascii",
           UNIVERSAL: "utf-32-be", BMP: "utf-16-be"}


class DerError(ValueError):
    pass


@dataclasses.dataclass
class Item:
    tag: int
    body: bytes
    raw: bytes

    def items(self):
        """What a constructed item holds."""
        if not self.tag & 0x20:
            raise DerError(f"tag {self.tag:#x} is not constructed")
        return read_all(self.body)

    def want(self, tag):
        if self.tag != tag:
            raise DerError(f"tag {self.tag:#x} where {tag:#x} belongs")
        return self


def read_one(data):
    """The first item, and what follows it."""
    if len(data) < 2:
        raise DerError("data ends")
    tag, length, at = data[0], data[1], 2
    if tag & 0x1F == 0x1F:
        raise DerError("tag of several octets")
    if length == 0x80:
        raise DerError("indefinite length")
    if length > 0x80:
        n = length & 0x7F
        octets = data[2:2 + n]
        if len(octets) < n:
            raise DerError("data ends in a length")
        if octets[0] == 0 or (n == 1 and octets[0] < 0x80):
            raise DerError("length is not minimal")
        length, at = int.from_bytes(octets, "big"), 2 + n
    if length > len(data) - at:
        raise DerError("data ends in a value")
    item = Item(tag, data[at:at + length], data[:at + length])
    check_primitive(item)
    return item, data[at + length:]


def read_all(data):
    found = []
    while data:
        item, data = read_one(data)
        found.append(item)
    return found


def read(data):
    item, rest = read_one(data)
    if rest:
        raise DerError(f"{len(rest)} octets behind the value")
    return item


def check_primitive(item):
    body = item.body
    if item.tag == BOOLEAN and body not in (b"\0", b"\xff"):
        raise DerError("BOOLEAN is neither 00 nor FF")
    if item.tag in (INTEGER, ENUMERATED):
        if not body:
            raise DerError("INTEGER without octets")
        if len(body) > 1 and (body[0] == 0 and body[1] < 0x80 or body[0] == 0xFF and body[1] >= 0x80):
            raise DerError("INTEGER is not minimal")
    if item.tag == BIT_STRING:
        if not body or body[0] > 7 or (len(body) == 1 and body[0]):
            raise DerError("BIT STRING with a wrong count of unused bits")
        if body[0] and body[-1] & ((1 << body[0]) - 1):
            raise DerError("BIT STRING with unused bits that are set")
    if item.tag == NULL and body:
        raise DerError("NULL with content")
    if item.tag == OID:
        oid_text(body)
    if item.tag in (SEQUENCE, SET):
        inner = read_all(body)
        if item.tag == SET and [i.raw for i in inner] != sorted(i.raw for i in inner):
            raise DerError("SET OF is not in order")


def oid_text(body):
    if not body or body[-1] & 0x80:
        raise DerError("OBJECT IDENTIFIER ends too early")
    arcs, value, fresh = [], 0, True
    for octet in body:
        if fresh and octet == 0x80:
            raise DerError("OBJECT IDENTIFIER is not minimal")
        value, fresh = value << 7 | octet & 0x7F, not octet & 0x80
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


def oid(item):
    return oid_text(item.want(OID).body)


def integer(item):
    return int.from_bytes(item.want(INTEGER).body, "big", signed=True)


def text(item):
    if item.tag not in STRINGS:
        raise DerError(f"tag {item.tag:#x} is no string")
    try:
        return item.body.decode(STRINGS[item.tag])
    except UnicodeDecodeError as e:
        raise DerError(f"string: {e}") from e


def named_bits(item):
    """The numbers of the bits that are set; trailing zero bits are not there in DER (X.690 11.2.2)."""
    body = item.want(BIT_STRING).body
    bits = [8 * i + j for i, octet in enumerate(body[1:]) for j in range(8) if octet & 0x80 >> j]
    last = 8 * (len(body) - 1) - body[0] - 1
    if last >= 0 and last not in bits:
        raise DerError("named bits end with zeros")
    return bits


def time(item):
    """RFC 5280 4.1.2.5: UTCTime until 2049, GeneralizedTime from 2050, seconds, Z, no fraction."""
    form = {UTC_TIME: "%y%m%d%H%M%SZ", GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}.get(item.tag)
    said = item.body.decode("ascii", "replace")
    if form is None or len(said) != (13 if item.tag == UTC_TIME else 15):
        raise DerError(f"time {said!r} (tag {item.tag:#x})")
    try:
        when = datetime.datetime.strptime(said, form)
    except ValueError as e:
        raise DerError(f"time {said!r}") from e
    if item.tag == UTC_TIME and when.year >= 2050:
        when = when.replace(year=when.year - 100)
    if item.tag == GENERALIZED_TIME and when.year < 2050:
        raise DerError(f"GeneralizedTime {said} before 2050")
    return when
