"""CMS and CMC requests octet by octet, as MS-WCCE 3.1.1.4.3, Windows' samples and Certipy lay them out."""
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

import pkcs10

DATA, SIGNED_DATA = "1.2.840.113549.1.7.1", "1.2.840.113549.1.7.2"
PKI_DATA, PKI_RESPONSE = "1.3.6.1.5.5.7.12.2", "1.3.6.1.5.5.7.12.3"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
RENEWAL_CERTIFICATE, NAME_VALUE = "1.3.6.1.4.1.311.13.1", "1.3.6.1.4.1.311.13.2.1"
EXTENSION_REQUEST, ARCHIVED_KEY = "1.2.840.113549.1.9.14", "1.3.6.1.4.1.311.21.13"
SHA256, RSA, ECDSA_SHA256 = "2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.1", "1.2.840.10045.4.3.2"
SHA256_RSA, NO_SIGNATURE = "1.2.840.113549.1.1.11", "1.3.6.1.5.5.7.6.2"
REG_INFO, ADD_EXTENSIONS, ADD_ATTRIBUTES = "1.3.6.1.5.5.7.7.18", "1.3.6.1.5.5.7.7.8", "1.3.6.1.4.1.311.10.10.1"


# ---- DER ----

def tlv(tag, *parts):
    body = b"".join(parts)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + body


def seq(*parts):
    return tlv(0x30, *parts)


def set_of(*parts):
    return tlv(0x31, *sorted(parts))


def octets(data):
    return tlv(0x04, data)


def integer(value):
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted):
    arcs = [int(a) for a in dotted.split(".")]
    out = b""
    for arc in [arcs[0] * 40 + arcs[1], *arcs[2:]]:
        piece = bytes([arc & 0x7F])
        while arc := arc >> 7:
            piece = bytes([arc & 0x7F | 0x80]) + piece
        out += piece
    return tlv(0x06, out)


def bmp(text):
    return tlv(0x1E, text.encode("utf-16be"))


def algorithm(dotted, null=True):
    return seq(oid(dotted), tlv(0x05) if null else b"")


def attribute(type_, *values):
    return seq(oid(type_), set_of(*values))


def name_value(name, value):
    return attribute(NAME_VALUE, seq(bmp(name), bmp(value)))


def certificate_der(certificate):
    return certificate.public_bytes(Encoding.DER)


# ---- PKCS #10 with Microsoft's attributes ----

def sign_with(key, data):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def request(key=None, name=None, attributes=(), null_signature=False, corrupt=False):
    """A PKCS #10; null_signature: the bare hash of MS-WCCE 2.2.2.6.5."""
    key = key or pkcs10.rsa_key()
    name = pkcs10.subject(cn="device.contoso.com") if name is None else name
    spki = key.public_key().public_bytes(Encoding.DER, pkcs10.serialization.PublicFormat.SubjectPublicKeyInfo)
    info = seq(integer(0), name.public_bytes(), spki, tlv(0xA0, *attributes))
    if null_signature:
        alg, signature = algorithm(SHA256), hashlib.sha256(info).digest()
    else:
        rsa_key = isinstance(key, rsa.RSAPrivateKey)
        alg, signature = algorithm(SHA256_RSA if rsa_key else ECDSA_SHA256, rsa_key), sign_with(key, info)
    if corrupt:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    return seq(info, alg, tlv(0x03, b"\0", signature))


def extension_request(*extensions):
    """(OID, value, critical)"""
    return attribute(EXTENSION_REQUEST, extensions_der(*extensions))


def extensions_der(*extensions):
    return seq(*(seq(oid(o), b"\x01\x01\xff" if critical else b"", octets(value)) for o, value, critical in extensions))


# ---- SignedData ----

class Signer:
    """key and certificate; certificate None: by key identifier; key None: no signature (RFC 5272 appendix A)."""

    def __init__(self, key, certificate=None, attributes=(), signed_attributes=True, content_type=True, corrupt=False,
                 unsigned=(), key_algorithm=True):
        self.key, self.certificate, self.attributes, self.unsigned = key, certificate, list(attributes), list(unsigned)
        self.signed_attributes, self.content_type, self.corrupt = signed_attributes, content_type, corrupt
        self.key_algorithm = key_algorithm

    def identifier(self):
        if self.certificate is not None:
            return 1, seq(self.certificate.issuer.public_bytes(), integer(self.certificate.serial_number))
        if self.key is None:
            return 1, seq(seq(), integer(0))
        ski = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()).digest
        return 3, tlv(0x80, ski)

    def info(self, content, content_type):
        version, identifier = self.identifier()
        attrs, message = b"", content
        if self.signed_attributes:
            listed = self.attributes + [attribute(MESSAGE_DIGEST, octets(hashlib.sha256(content).digest()))]
            if self.content_type:
                listed.append(attribute(CONTENT_TYPE, oid(content_type)))
            message = set_of(*listed)
            attrs = b"\xa0" + message[1:]
        if self.key is None:
            alg, signature = algorithm(NO_SIGNATURE), hashlib.sha256(message).digest()
        elif isinstance(self.key, rsa.RSAPrivateKey):
            alg, signature = algorithm(RSA if self.key_algorithm else SHA256_RSA), sign_with(self.key, message)
        else:
            alg, signature = algorithm(ECDSA_SHA256, False), sign_with(self.key, message)
        if self.corrupt:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        unsigned = tlv(0xA1, *self.unsigned) if self.unsigned else b""
        return seq(integer(version), identifier, algorithm(SHA256), attrs, alg, octets(signature), unsigned)


def signed_data(content, signers, certificates=None, content_type=DATA, version=1):
    if certificates is None:
        certificates = [s.certificate for s in signers if s.certificate is not None]
    certs = tlv(0xA0, *(certificate_der(c) for c in certificates)) if certificates else b""
    infos = set_of(*(s.info(content, content_type) for s in signers)) if len(signers) < 2 else \
        tlv(0x31, *(s.info(content, content_type) for s in signers))
    return seq(oid(SIGNED_DATA), tlv(0xA0, seq(
        integer(version), set_of(algorithm(SHA256)) if signers else set_of(),
        seq(oid(content_type), tlv(0xA0, octets(content))), certs, infos)))


# ---- CMC ----

def control(body_part, type_, value):
    return seq(integer(body_part), oid(type_), tlv(0x31, value))


def reg_info(text, body_part=2):
    return control(body_part, REG_INFO, octets(text.encode()))


def add_extensions(*extensions, body_part=3):
    return control(body_part, ADD_EXTENSIONS, seq(integer(0), seq(integer(1)), extensions_der(*extensions)))


def add_attributes(*attributes, body_part=4):
    return control(body_part, ADD_ATTRIBUTES, seq(integer(0), seq(integer(1)), set_of(*attributes)))


def tagged(pkcs10_der, body_part=1):
    return tlv(0xA0, integer(body_part), pkcs10_der)


def pki_data(requests, controls=()):
    return seq(seq(*controls), seq(*requests), seq(), seq())


def cmc(pkcs10_der, controls=(), signers=()):
    return signed_data(pki_data([tagged(pkcs10_der)], controls), list(signers), content_type=PKI_DATA, version=3)


# ---- what clients send ----

def certipy_renewal(key, old_key, old):
    """certipy req -renew: version 3, no contentType among the signed attributes."""
    inner = request(key, old.subject, [attribute(RENEWAL_CERTIFICATE, certificate_der(old))])
    signer = Signer(old_key, old, [attribute(RENEWAL_CERTIFICATE, certificate_der(old))], content_type=False,
                    key_algorithm=False)
    return signed_data(inner, [signer], version=3)


def windows_renewal(key, old_key, old, **changes):
    """The sample of MS-WSTEP 4: version 1, the signature directly over the PKCS #10."""
    inner = request(key, changes.pop("name", old.subject), [attribute(RENEWAL_CERTIFICATE, certificate_der(old))])
    return signed_data(inner, [Signer(old_key, old, signed_attributes=False)], **changes)


def certipy_on_behalf(key, agent_key, agent, whom, **options):
    """certipy req -on-behalf-of"""
    client_auth = attribute("1.3.6.1.4.1.311.21.10", oid("1.3.6.1.5.5.7.3.2"))
    # Certipy ends both texts with a NUL.
    signer = Signer(agent_key, agent, [client_auth, name_value("requestername\0", whom + "\0")], content_type=False,
                    key_algorithm=False, **options)
    return signed_data(request(key), [signer], version=3)
