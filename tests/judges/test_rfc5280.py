"""The judge itself: good examples pass, and for every rule there are bad ones that it names."""
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]

import rfc5280  # noqa: E402
import strict_der  # noqa: E402
from rfc5280 import (AIA, AKI, BC, CDP, CPS, CRL_NUMBER, DELTA, EKU, ENTRY_ISSUER, FRESHEST, IAN, IDP, INHIBIT, INVALIDITY,  # noqa: E402
                     KU, MAPPINGS, NC, PC, POLICIES, REASON, SAN, SDA, SKI, USER_NOTICE)
from signed_requests import bmp, integer, octets, oid, seq, set_of, tlv  # noqa: E402

ALGORITHM = seq(oid("1.2.840.113549.1.1.11"), tlv(5))
SHA1_ALGORITHM = seq(oid("1.2.840.113549.1.1.5"), tlv(5))
MODULUS = (1 << 2047) + 1
TRUE = tlv(1, b"\xff")


def bits(data, unused=0):
    return tlv(3, bytes([unused]) + data)


def utf8(text):
    return tlv(12, text.encode())


def printable(text):
    return tlv(19, text.encode())


def ia5(text, tag=22):
    return tlv(tag, text.encode())


def attribute(number, value):
    return seq(oid(number), value)


def name(*pairs):
    return seq(*(set_of(attribute(number, value)) for number, value in pairs))


def utc(text):
    return tlv(23, text.encode())


def generalized(text):
    return tlv(24, text.encode())


CN = ("2.5.4.3", printable("device"))
KEY = seq(seq(oid(rfc5280.RSA), tlv(5)), bits(seq(integer(MODULUS), integer(65537))))
EC_KEY = seq(seq(oid(rfc5280.EC), seq(integer(1))), bits(b"\4" + bytes(64)))


def ext(number, value, critical=False):
    return seq(oid(number), TRUE if critical else b"", octets(value))


def point(*names):
    return seq(tlv(0xA0, tlv(0xA0, *names)))


LDAP = ia5("ldap:///CN=CA,CN=CDP?certificateRevocationList?base?objectClass=cRLDistributionPoint", 0x86)
LEAF = {
    SAN: ext(SAN, seq(ia5("a@contoso.com", 0x81), ia5("device.contoso.com", 0x82))),
    SKI: ext(SKI, octets(b"s" * 20)),
    AKI: ext(AKI, seq(tlv(0x80, b"i" * 20))),
    KU: ext(KU, bits(b"\xa0", 5), True),
    CDP: ext(CDP, seq(point(LDAP))),
    AIA: ext(AIA, seq(seq(oid("1.3.6.1.5.5.7.48.2"), ia5("http://ca/ca.crt", 0x86)))),
    EKU: ext(EKU, seq(oid("1.3.6.1.5.5.7.3.2"))),
    POLICIES: ext(POLICIES, seq(seq(oid("1.2.3.4"), seq(seq(oid(CPS), ia5("http://ca/cps")),
                                                        seq(oid(USER_NOTICE), seq(bmp("Notice"))))))),
}
CA = {
    KU: ext(KU, bits(b"\x86", 1), True),
    BC: ext(BC, seq(TRUE), True),
    SKI: ext(SKI, octets(b"i" * 20)),
    AKI: ext(AKI, seq(tlv(0x80, b"r" * 20))),
}


def certificate(version=2, serial=integer(77), inner=ALGORITHM, outer=ALGORITHM, issuer=name(("2.5.4.3", printable("CA"))),
                validity=(utc("260101000000Z"), utc("270101000000Z")), subject=name(CN), key=KEY, unique=b"", base=LEAF, drop=(),
                more=(), **changed):
    """base with the extensions that `changed` (by the name of the constant) and `more` say."""
    by_number = {**base, **{getattr(rfc5280, k): v for k, v in changed.items()}}
    extensions = [v for k, v in by_number.items() if k not in drop] + list(more)
    tbs = seq(tlv(0xA0, integer(version)) if version else b"", serial, inner, issuer, seq(*validity), subject, key, unique,
              tlv(0xA3, seq(*extensions)))
    return seq(tbs, outer, bits(b"signature"))


def entry(serial, *extensions, when=utc("260101000000Z")):
    return seq(integer(serial), when, seq(*extensions) if extensions else b"")


REVOKED = seq(entry(5), entry(6, ext(REASON, tlv(10, b"\1"))))
CRL_BASE = {AKI: ext(AKI, seq(tlv(0x80, b"i" * 20))), CRL_NUMBER: ext(CRL_NUMBER, integer(9)), FRESHEST: ext(FRESHEST, seq(point(LDAP)))}


def crl(version=1, inner=ALGORITHM, outer=ALGORITHM, issuer=name(CN), begin=utc("260101000000Z"), end=utc("260108000000Z"),
        revoked=REVOKED, drop=(), more=(), **changed):
    by_number = {**CRL_BASE, **{getattr(rfc5280, k): v for k, v in changed.items()}}
    extensions = [v for k, v in by_number.items() if k not in drop] + list(more)
    tbs = seq(integer(version) if version else b"", inner, issuer, begin, end, revoked, tlv(0xA0, seq(*extensions)))
    return seq(tbs, outer, bits(b"signature"))


GOOD = {
    "leaf": certificate(),
    "CA": certificate(base=CA),
    "root": certificate(base=CA, drop=[AKI], issuer=name(CN)),
    "CA with a path length": certificate(base=CA, BC=ext(BC, seq(TRUE, integer(0)), True)),
    "until 2051": certificate(validity=(utc("260101000000Z"), generalized("20510101000000Z"))),
    "no subject, critical alternative name": certificate(subject=seq(), SAN=ext(SAN, seq(ia5("a.b", 0x82)), True)),
    "UPN": certificate(SAN=ext(SAN, seq(tlv(0xA0, oid("1.3.6.1.4.1.311.20.2.3"), tlv(0xA0, utf8("a@b")))))),
}
GOOD_CRLS = {
    "base": crl(),
    "nothing revoked": crl(revoked=b""),
    "delta": crl(drop=[FRESHEST], more=[ext(DELTA, integer(8), True)], revoked=seq(entry(5, ext(REASON, tlv(10, b"\x08"))))),
}

LONG = printable("n" * 65)
BAD = {
    "DER": [certificate() + b"\0", certificate()[:-1], b"\x30\x80" + certificate()[4:] + b"\0\0", seq(b"\x02\x01\x01"),
            certificate(KU=ext(KU, bits(b"\xa0", 4)))],
    "4.1.1.2 one algorithm": [certificate(outer=SHA1_ALGORITHM)],
    "4.1.2.1 version": [certificate(version=0), certificate(version=1)],
    "4.1.2.2 serial number": [certificate(serial=tlv(2, b"\0")), certificate(serial=tlv(2, b"\x81")), certificate(serial=tlv(2, b"\1" * 21))],
    "4.1.2.4 issuer": [certificate(issuer=seq()), certificate(issuer=name(("2.5.4.3", utf8(""))))],
    "4.1.2.5 validity": [
        certificate(validity=(utc("270101000000Z"), utc("260101000000Z"))),
        certificate(validity=(utc("260101000000Z"), generalized("20270101000000Z"))),
        certificate(validity=(utc("2601010000Z"), utc("270101000000Z"))),
        certificate(validity=(utc("260101000000Z"), generalized("20510101000000.5Z")))],
    "4.1.2.6 subject": [
        certificate(base=CA, subject=seq(), SAN=ext(SAN, seq(ia5("a.b", 0x82)), True)), certificate(subject=name(("2.5.4.3", LONG))),
        certificate(subject=name(("2.5.4.3", ia5("device")))), certificate(subject=name(("2.5.4.3", printable("a@b")))),
        certificate(subject=name(("2.5.4.6", printable("de")))), certificate(subject=name(("2.5.4.6", utf8("DE")))),
        certificate(subject=name(("0.9.2342.19200300.100.1.25", utf8("com")))),
        certificate(subject=seq(set_of(attribute(*CN), attribute("2.5.4.3", printable("other"))))), certificate(subject=seq(tlv(0x31)))],
    "4.1.2.7 public key": [
        certificate(key=seq(seq(oid(rfc5280.RSA)), bits(seq(integer(MODULUS), integer(65537))))), certificate(key=EC_KEY),
        certificate(key=seq(seq(oid(rfc5280.RSA), tlv(5)), bits(seq(integer(MODULUS), integer(4)))))],
    "4.1.2.8 unique identifiers": [certificate(unique=tlv(0x81, b"\0x"))],
    "4.2.1.1 authority key identifier": [
        certificate(drop=[AKI]), certificate(AKI=ext(AKI, seq(tlv(0x80, b"i" * 20)), True)), certificate(AKI=ext(AKI, seq())),
        certificate(AKI=ext(AKI, seq(tlv(0x80, b"i" * 20), tlv(0x82, b"\1"))))],
    "4.2.1.2 subject key identifier": [certificate(base=CA, drop=[SKI]), certificate(SKI=ext(SKI, octets(b"s"), True))],
    "4.2.1.3 key usage": [
        certificate(KU=ext(KU, bits(b""))), certificate(KU=ext(KU, bits(b"\x86", 1))), certificate(base=CA, drop=[KU]),
        certificate(KU=ext(KU, bits(b"\x81")))],
    "4.2.1.4 certificate policies": [
        certificate(POLICIES=ext(POLICIES, seq())), certificate(POLICIES=ext(POLICIES, seq(seq(oid("1.2.3")), seq(oid("1.2.3"))))),
        certificate(POLICIES=ext(POLICIES, seq(seq(oid("1.2.3"), seq())))),
        certificate(POLICIES=ext(POLICIES, seq(seq(oid("1.2.3"), seq(seq(oid(CPS), utf8("http://ca"))))))),
        certificate(POLICIES=ext(POLICIES, seq(seq(oid("1.2.3"), seq(seq(oid(CPS), ia5("no uri"))))))),
        certificate(POLICIES=ext(POLICIES, seq(seq(oid("1.2.3"), seq(seq(oid(USER_NOTICE), seq(bmp("n" * 201)))))))),
        certificate(POLICIES=ext(POLICIES, seq(seq(oid("1.2.3"), seq(seq(oid(USER_NOTICE), seq(ia5("n")))))))),
        certificate(POLICIES=ext(POLICIES, seq(seq(oid("1.2.3"), seq(seq(oid("1.2.3.4"), seq()))))))],
    "4.2.1.5 policy mappings": [
        certificate(more=[ext(MAPPINGS, seq(seq(oid("1.2.3"), oid("1.2.4"))))]),
        certificate(base=CA, more=[ext(MAPPINGS, seq(seq(oid(rfc5280.ANY_POLICY), oid("1.2.4"))))])],
    "4.2.1.6 subject alternative name": [
        certificate(subject=seq()), certificate(subject=seq(), drop=[SAN]), certificate(SAN=ext(SAN, seq())),
        certificate(SAN=ext(SAN, seq(ia5("nobody", 0x81)))), certificate(SAN=ext(SAN, seq(ia5(" ", 0x82)))),
        certificate(SAN=ext(SAN, seq(ia5("a..b", 0x82)))), certificate(SAN=ext(SAN, seq(ia5("no uri", 0x86)))),
        certificate(SAN=ext(SAN, seq(tlv(0x87, b"123")))), certificate(SAN=ext(SAN, seq(tlv(0xA4, seq())))),
        certificate(SAN=ext(SAN, seq(tlv(0xA0, oid("1.2.3")))))],
    "4.2.1.7 issuer alternative name": [certificate(more=[ext(IAN, seq())])],
    "4.2.1.8 subject directory attributes": [certificate(more=[ext(SDA, seq(seq()), True)]), certificate(more=[ext(SDA, seq())])],
    "4.2.1.9 basic constraints": [
        certificate(base=CA, BC=ext(BC, seq(TRUE))), certificate(more=[ext(BC, seq(tlv(1, b"\0")))]),
        certificate(more=[ext(BC, seq(integer(0)))]), certificate(base=CA, BC=ext(BC, seq(TRUE, tlv(2, b"\xff")), True))],
    "4.2.1.10 name constraints": [
        certificate(more=[ext(NC, seq(tlv(0xA0, seq(ia5("a.b", 0x82)))), True)]), certificate(base=CA, more=[ext(NC, seq(), True)]),
        certificate(base=CA, more=[ext(NC, seq(tlv(0xA0, seq(ia5("a.b", 0x82)))))]),
        certificate(base=CA, more=[ext(NC, seq(tlv(0xA0, seq(ia5("a.b", 0x82), tlv(0x80, b"\1")))), True)])],
    "4.2.1.11 policy constraints": [certificate(base=CA, more=[ext(PC, seq(tlv(0x80, b"\0")))]), certificate(more=[ext(PC, seq(), True)])],
    "4.2.1.12 extended key usage": [
        certificate(EKU=ext(EKU, seq())), certificate(EKU=ext(EKU, seq(oid("1.2.3"), oid("1.2.3")))),
        certificate(EKU=ext(EKU, seq(oid(rfc5280.ANY_EKU)), True))],
    "4.2.1.13 CRL distribution points": [
        certificate(CDP=ext(CDP, seq())), certificate(CDP=ext(CDP, seq(seq(tlv(0x81, b"\6\x40"))))),
        certificate(CDP=ext(CDP, seq(point()))), certificate(CDP=ext(CDP, seq(point(ia5("ldap://host", 0x86))))),
        certificate(CDP=ext(CDP, seq(point(ia5("nothing", 0x86)))))],
    "4.2.1.14 inhibit anyPolicy": [certificate(base=CA, more=[ext(INHIBIT, integer(0))])],
    "4.2.1.15 freshest CRL": [certificate(more=[ext(FRESHEST, seq(point(LDAP)), True)]), certificate(more=[ext(FRESHEST, seq())])],
    "4.2.2 information access": [
        certificate(AIA=ext(AIA, seq())), certificate(AIA=ext(AIA, seq(seq(oid("1.2.3"), ia5("http://a/b", 0x86))), True)),
        certificate(AIA=ext(AIA, seq(seq(oid("1.2.3"), ia5("ldap:///CN=a", 0x86)))))],
}
BAD_CRLS = {
    "DER": [crl() + b"\0", seq(seq(), ALGORITHM, bits(b"s"))],
    "5.1.1.2 one algorithm of a CRL": [crl(outer=SHA1_ALGORITHM)],
    "5.1.2.1 version of a CRL": [crl(version=0)],
    "5.1.2.3 issuer of a CRL": [crl(issuer=seq())],
    "5.1.2.5 times of a CRL": [crl(end=b""), crl(end=utc("251231000000Z")), crl(begin=generalized("20260101000000Z"))],
    "5.1.2.6 revoked certificates": [crl(revoked=seq()), crl(revoked=seq(entry(5), entry(5))),
                                     crl(revoked=seq(entry(5, when=utc("2601010000Z"))))],
    "5.2.1 authority key identifier of a CRL": [crl(drop=[AKI])],
    "5.2.3 CRL number": [crl(drop=[CRL_NUMBER]), crl(CRL_NUMBER=ext(CRL_NUMBER, integer(9), True)),
                         crl(CRL_NUMBER=ext(CRL_NUMBER, tlv(2, b"\1" * 21)))],
    "5.2.4 delta CRL indicator": [
        crl(more=[ext(DELTA, integer(8), True)]), crl(drop=[FRESHEST], more=[ext(DELTA, integer(8))]),
        crl(drop=[FRESHEST], more=[ext(DELTA, integer(10), True)])],
    "5.2.5 issuing distribution point": [crl(more=[ext(IDP, seq(tlv(0x81, b"\xff")))]), crl(more=[ext(IDP, seq(), True)])],
    "5.2.6 freshest CRL of a CRL": [crl(FRESHEST=ext(FRESHEST, seq(point(LDAP)), True))],
    "5.3.1 reason": [crl(revoked=seq(entry(5, ext(REASON, tlv(10, bytes([r]))))) ) for r in (0, 7, 8, 11)] + [
        crl(revoked=seq(entry(5, ext(REASON, tlv(10, b"\1"), True))))],
    "5.3.2 invalidity date": [crl(revoked=seq(entry(5, ext(INVALIDITY, generalized("20260101000000Z"), True)))),
                              crl(revoked=seq(entry(5, ext(INVALIDITY, utc("260101000000Z")))))],
    "5.3.3 certificate issuer": [crl(revoked=seq(entry(5, ext(ENTRY_ISSUER, seq(ia5("a.b", 0x82))))))],
}
# Found while the parts are read, before the rules.
PARSED = {
    "4.1: critical FALSE": certificate(more=[seq(oid("1.2.3"), tlv(1, b"\0"), octets(tlv(5)))]),
    "4.2: extension 2.5.29.17 twice": certificate(more=[LEAF[SAN]]),
    "4.1.2.9: an empty list": certificate(base={}),
}


@pytest.mark.parametrize("name_", sorted(GOOD))
def test_good(name_):
    assert rfc5280.certificate(GOOD[name_]) == []


@pytest.mark.parametrize("name_", sorted(GOOD_CRLS))
def test_good_crls(name_):
    assert rfc5280.crl(GOOD_CRLS[name_]) == []


@pytest.mark.parametrize("judge,rule,i", [(j, r, i) for j, all_ in (("certificate", BAD), ("crl", BAD_CRLS))
                                          for r, examples in all_.items() for i in range(len(examples))])
def test_bad(judge, rule, i):
    """Exactly this rule is broken."""
    found = getattr(rfc5280, judge)((BAD if judge == "certificate" else BAD_CRLS)[rule][i])
    assert found and {f.split(":")[0] for f in found} <= {rule.split(" ")[0]}


@pytest.mark.parametrize("finding", sorted(PARSED))
def test_bad_lists_of_extensions(finding):
    assert any(f.startswith(finding) for f in rfc5280.certificate(PARSED[finding]))


def test_another_issuer():
    ca = certificate(base=CA)
    assert rfc5280.certificate(certificate(), ca) == []
    assert rfc5280.certificate(certificate(), certificate(base=CA, SKI=ext(SKI, octets(b"o" * 20)))) == [
        "4.2.1.1: the key identifier is not the issuer's"]


def test_every_rule_has_a_bad_example():
    assert set(rfc5280.RULES) == (set(BAD) | set(BAD_CRLS)) - {"DER"}


@pytest.mark.parametrize("octets_", [
    "30800000",          # indefinite length
    "02810101",          # length not minimal
    "0202007f", "0202ff80", "0200",  # INTEGER not minimal, or none
    "010101",            # BOOLEAN
    "0300", "030108", "03020701",    # BIT STRING
    "050100",            # NULL with content
    "0600", "060180", "06028001",    # OBJECT IDENTIFIER
    "3106020102020101",  # SET OF out of order
    "1f8100",            # tag of several octets
    "0201", "02", "0282",  # ends too early
    "02010100",          # something behind it
])
def test_der_that_is_none(octets_):
    with pytest.raises(strict_der.DerError):
        strict_der.read(bytes.fromhex(octets_))
