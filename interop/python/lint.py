"""pkilint judges what the authority signs.

    python lint.py FOLDER EXCEPTIONS.toml

FOLDER is filled by the example `pki_artefacts`; its `artefacts.txt` names each file, its kind and who signed it. Each
certificate, list and answer is linted alone, each certificate once more with its issuer's. A finding of WARNING or above
fails, unless EXCEPTIONS has it with a reason; an exception that nothing needs any more fails too. One process for all of
them: loading the linter takes longer than linting a file.
"""

import fnmatch
import sys
import tomllib
from pathlib import Path

from pkilint import loader, pkix
from pkilint.bin import lint_pkix_signer_signee_cert_chain as chain
from pkilint.pkix import certificate, crl, extension, name, ocsp
from pkilint.validation import ValidationFindingSeverity


def certificates():
    """The validators of `lint_pkix_cert`."""
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


def decoders():
    return [
        pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
        pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
    ]


def lists():
    """The validators of `lint_crl -p PKIX`, which are the same for both of its types."""
    return crl.create_pkix_crl_validator_container(
        decoders(),
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )


def answers():
    """The validators of `lint_ocsp_response`."""
    return ocsp.create_pkix_ocsp_response_validator_container([ocsp.create_response_decoder(), *decoders()], [])


class Linter:
    def __init__(self, folder):
        self.folder = folder
        self.of_certificates = loader.RFC5280CertificateDocumentLoader()
        self.of_lists = loader.RFC5280CertificateListDocumentLoader()
        self.of_answers = loader.RFC6960OCSPResponseDocumentLoader()
        self.certificates, self.lists, self.answers = certificates(), lists(), answers()
        self.decoding = chain.create_decoder_validation_container()
        self.issuer = chain.create_issuer_validation_container()
        self.subject = chain.create_subject_validation_container()

    def alone(self, kind, file):
        """The results for one file by itself."""
        of, validators = {
            "certificate": (self.of_certificates, self.certificates),
            "arl": (self.of_lists, self.lists),
            "crl": (self.of_lists, self.lists),
            "answer": (self.of_answers, self.answers),
        }[kind]
        document = of.load_document((self.folder / file).read_bytes(), substrate_source=file)
        return validators.validate(document.root)

    def pair(self, issuer, subject):
        """The results of `lint_pkix_signer_signee_cert_chain` for a certificate and its issuer's."""
        both = {}
        for role, file in (("issuer", issuer), ("subject", subject)):
            bytes_ = (self.folder / file).read_bytes()
            both[role] = self.of_certificates.load_document(bytes_, role, file, both)
        issuer, subject = both["issuer"].root, both["subject"].root
        results = self.decoding.validate(issuer) + self.decoding.validate(subject)
        return results + self.issuer.validate(issuer) + self.subject.validate(subject)


def findings(results):
    """Codes and places of the findings of WARNING or above."""
    for result in results:
        for described in result.finding_descriptions:
            if described.finding.severity <= ValidationFindingSeverity.WARNING:
                yield described.finding.code, f"{result.node.path}: {described.message or ''}"


def main(folder, exceptions):
    folder = Path(folder)
    excused = tomllib.loads(Path(exceptions).read_text()).get("exception", [])
    needed = set()
    passed = failed = 0

    def judge(what, results):
        nonlocal passed, failed
        well = True
        for code, place in findings(results):
            excuse = next(
                (at for at, one in enumerate(excused) if one["id"] == code and fnmatch.fnmatch(what, one["artefacts"])),
                None,
            )
            if excuse is None:
                print(f"error: {what}: {code} at {place}")
                well = False
            else:
                needed.add(excuse)
        passed, failed = passed + well, failed + (not well)

    linter = Linter(folder)
    for line in (folder / "artefacts.txt").read_text().splitlines():
        kind, file, by = line.split()
        judge(file, linter.alone(kind, file))
        if kind == "certificate":
            judge(f"{file} below {by}", linter.pair(by, file))
    for at, one in enumerate(excused):
        if not one["reason"].strip():
            print(f"error: the exception {one['id']} has no reason")
            failed += 1
        if at not in needed:
            print(f"error: the exception {one['id']} for {one['artefacts']} is not needed any more")
            failed += 1
    print(f"# pass {passed}\n# fail {failed}")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2]))
