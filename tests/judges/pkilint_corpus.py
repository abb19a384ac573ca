"""
pkilint over a folder of certificates (.crt) and CRLs (.crl) in DER; run by `make check-pkilint` inside pkilint's own virtual environment.
A finding of severity WARNING or worse that ACCEPTED does not name fails; so does a name there that nothing needs any more.
"""
import collections
import pathlib
import sys

from pkilint import loader, pkix
from pkilint.pkix import certificate, crl, extension, name

QUIET = {"INFO", "NOTICE", "DEBUG"}
ACCEPTED = {
    "pkix.invalid_domain_name_syntax": "SUBJECT_ALT_REQUIRE_DOMAIN_DNS writes the NetBIOS name of the domain as a dNSName, as AD CS does",
    "pkix.invalid_uri_syntax": "a tag: URI (RFC 4151) with a SID, as KB5014754 has clients put it, is kept as the request has it",
    "pkix.key_usage_value_prohibited_for_ec": "the key usage is the template's, whatever the key, as AD CS does it",
    "pkix.san_extension_not_critical_empty_subject": "the request's own alternative names keep their criticality, as in AD CS",
    "pkix.key_usage_extension_not_critical": "AD CS's root certificates and pKICriticalExtensions: RFC 5280 says SHOULD",
}


def certificates():
    return loader.RFC5280CertificateDocumentLoader(), certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [certificate.create_issuer_validator_container([]), certificate.create_validity_validator_container(),
         certificate.create_subject_validator_container([]), certificate.create_extensions_validator_container([]),
         certificate.create_spki_validator_container([])])


def crls():
    return loader.RFC5280CertificateListDocumentLoader(), crl.create_pkix_crl_validator_container(
        [pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS), pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS)],
        [crl.create_issuer_validator_container([]), crl.create_validity_validator_container([]),
         crl.create_extensions_validator_container([])])


def main(folder):
    kinds, used, bad, seen = {".crt": certificates(), ".crl": crls()}, collections.Counter(), 0, collections.Counter()
    for path in sorted(pathlib.Path(folder).iterdir()):
        load, validator = kinds[path.suffix]
        seen[path.suffix] += 1
        for result in validator.validate(load.load_der_document(path.read_bytes(), path.name).root):
            for found in result.finding_descriptions:
                if found.finding.severity.name in QUIET:
                    continue
                used[found.finding.code] += 1
                if found.finding.code not in ACCEPTED:
                    bad += 1
                    print(f"{path.name}: {found.finding.severity.name} {found.finding.code} {found.message} at {result.node.path}")
    for code, reason in ACCEPTED.items():
        print(f"accepted {used[code]:4} {code}: {reason}")
        if not used[code]:
            bad += 1
            print(f"{code} is accepted, and nothing needs it")
    print(f"pkilint: {seen['.crt']} certificates, {seen['.crl']} CRLs, {bad} findings that are not accepted")
    return 1 if bad or not seen[".crt"] or not seen[".crl"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
