"""As much DER (X.690) as the oracle writes and reads."""

PRINTABLE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")


def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def seq(*parts):
    return tlv(0x30, *parts)


def oid_body(dotted):
    arcs = [int(a) for a in dotted.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        group = [arc & 0x7F]
        while arc > 0x7F:
            arc >>= 7
            group.append(arc & 0x7F | 0x80)
        out += bytes(reversed(group))
    return out


def oid(dotted):
    return tlv(0x06, oid_body(dotted))


def integer(n):
    return tlv(0x02, n.to_bytes(n.bit_length() // 8 + 1, "big", signed=True))


def text(value):
    """PrintableString where every character allows, else UTF8String."""
    raw = value.encode()
    return tlv(0x13 if all(c in PRINTABLE for c in raw) else 0x0C, raw)


def read(data, at=0):
    """(tag, body, position behind) of the element at a position."""
    size, body = data[at + 1], at + 2
    if size & 0x80:
        body += size & 0x7F
        size = int.from_bytes(data[at + 2:body], "big")
    return data[at], data[body:body + size], body + size


def elements(data):
    at = 0
    while at < len(data):
        start = at
        tag, body, at = read(data, at)
        yield tag, body, data[start:at]


def oid_text(body):
    arcs, value = [], 0
    for octet in body:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(str(a) for a in [first, arcs[0] - 40 * first] + arcs[1:])
