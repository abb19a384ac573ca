"""Keys and PKCS #10 requests, made by python3-cryptography."""
import functools

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

UPN = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


@functools.lru_cache(maxsize=None)
def rsa_key(bits=2048, number=0):
    del number  # another number, another key
    return rsa.generate_private_key(65537, bits)


@functools.lru_cache(maxsize=None)
def ec_key(curve="secp256r1"):
    return ec.generate_private_key({"secp256r1": ec.SECP256R1, "secp384r1": ec.SECP384R1,
                                    "secp521r1": ec.SECP521R1}[curve]())


def subject(**names):
    oids = {"cn": NameOID.COMMON_NAME, "o": NameOID.ORGANIZATION_NAME, "ou": NameOID.ORGANIZATIONAL_UNIT_NAME,
            "c": NameOID.COUNTRY_NAME, "e": NameOID.EMAIL_ADDRESS}
    return x509.Name([x509.NameAttribute(oids[k], v) for k, v in names.items()])


def upn_name(upn):
    raw = upn.encode()
    return x509.OtherName(UPN, bytes([0x0C, len(raw)]) + raw)


def csr(key=None, name=None, san=None, extensions=(), algorithm=None):
    """DER of a request. san: list of GeneralName; extensions: (ExtensionType, critical)."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject(cn="device.contoso.com") if name is None else name)
    if san:
        builder = builder.add_extension(x509.SubjectAlternativeName(san), critical=False)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    key = key or rsa_key()
    return builder.sign(key, algorithm or hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def pem(der, label="CERTIFICATE REQUEST"):
    import base64
    body = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{body}-----END {label}-----\n".encode()
