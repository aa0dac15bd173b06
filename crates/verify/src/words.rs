//! What fields, checks and kinds are called, in Portuguese and English.
//!
//! Reasons and remedies of checks come from `proof`; here stand only the names beside them. Never here: a code name
//! without a sentence.

use base::Lang;
use proof::verify::{Carrier, Family, Format};

/// Fields that everybody looks for, in the order in which they are shown: key, English, Portuguese.
const FIELDS: &[(&str, &str, &str)] = &[
    ("recipient.name", "Name", "Nome"),
    ("achievement.name", "Achievement", "Grau ou feito"),
    ("credential.name", "Title of the document", "Título do documento"),
    ("achievement.type", "Kind", "Tipo"),
    ("achievement.fieldOfStudy", "Field of study", "Área de estudo"),
    ("achievement.specialization", "Specialisation", "Especialização"),
    ("result.value", "Result", "Classificação"),
    ("result.status", "Outcome of the course", "Situação final"),
    ("creditsEarned", "Credits", "Créditos"),
    ("licenseNumber", "Licence number", "Número da licença"),
    ("awardedDate", "Awarded on", "Atribuído em"),
    ("activityStartDate", "Began on", "Início"),
    ("activityEndDate", "Ended on", "Fim"),
    ("validFrom", "Valid from", "Válido desde"),
    ("validUntil", "Valid until", "Válido até"),
    ("achievement.description", "Description", "Descrição"),
    ("credential.description", "Description of the document", "Descrição do documento"),
    ("achievement.criteria", "What it was awarded for", "Critérios de atribuição"),
    ("issuer.name", "Name the issuer gives itself", "Nome que o emissor se dá"),
];

/// Fields whose names say something, though few look for them.
const OTHERS: &[(&str, &str, &str)] = &[
    ("id", "Number of the document", "Número do documento"),
    ("type", "Kinds of document", "Tipos de documento"),
    ("issuer.id", "Identifier of the issuer", "Identificador do emissor"),
    ("issuer", "Identifier of the issuer", "Identificador do emissor"),
    ("issuer.type", "Kind of issuer", "Tipo de emissor"),
    ("issuer.url", "Website of the issuer", "Sítio do emissor"),
    ("issuer.email", "E-mail of the issuer", "Correio eletrónico do emissor"),
    (
        "credentialSubject.id",
        "Identifier of the holder in this document",
        "Identificador do titular neste documento",
    ),
    ("credentialSubject.type", "Role of the holder", "Papel do titular"),
    ("credentialSubject.achievement.id", "Address of the achievement", "Endereço do grau ou feito"),
    ("credentialSubject.identifier.salt", "Grain of salt of the fingerprint", "Sal da impressão digital"),
    (
        "credentialStatus.id",
        "Place in the list of withdrawn documents",
        "Lugar na lista de documentos retirados",
    ),
    ("credentialStatus.statusListCredential", "List of withdrawn documents", "Lista de documentos retirados"),
    ("credentialStatus.statusListIndex", "Number in that list", "Número nessa lista"),
    ("credentialStatus.statusPurpose", "Purpose of that list", "Finalidade dessa lista"),
    (
        "recipient.emailAddress",
        "Fingerprint of the e-mail address",
        "Impressão digital do correio eletrónico",
    ),
];

/// The place of a field among those that are shown first; none for the others.
pub(crate) fn rank(label: &str) -> Option<usize> {
    FIELDS.iter().position(|(key, ..)| *key == label)
}

/// What a field is called; the member's own name when the catalogue has none.
pub(crate) fn field(label: &str, lang: Lang) -> String {
    let found = FIELDS.iter().chain(OTHERS).find(|(key, ..)| *key == label);
    found.map_or_else(|| label.to_owned(), |(_, en, pt)| lang.pick(*en, *pt).to_owned())
}

/// A value that stands for a word of the standard.
pub(crate) fn value<'a>(label: &str, value: &'a str, lang: Lang) -> &'a str {
    if label != "achievement.type" {
        return value;
    }
    match value {
        "Diploma" => "Diploma",
        "Badge" => lang.pick("Badge", "Distintivo"),
        "Certificate" => lang.pick("Certificate", "Certificado"),
        "Degree" => lang.pick("Degree", "Grau académico"),
        "BachelorDegree" => lang.pick("Bachelor's degree", "Licenciatura"),
        "MasterDegree" => lang.pick("Master's degree", "Mestrado"),
        "DoctoralDegree" => lang.pick("Doctoral degree", "Doutoramento"),
        "Course" => lang.pick("Course", "Curso"),
        other => other,
    }
}

/// What a check looks at.
pub(crate) const fn family(family: Family, lang: Lang) -> &'static str {
    match family {
        Family::Format => lang.pick("Kind of file", "Tipo de ficheiro"),
        Family::Parse => lang.pick("Wholeness", "Integridade do ficheiro"),
        Family::Shape => lang.pick("Required parts", "Partes obrigatórias"),
        Family::Proof => lang.pick("Signature", "Assinatura"),
        Family::Key => lang.pick("Key of the issuer", "Chave do emissor"),
        Family::Issuer => lang.pick("Issuer", "Emissor"),
        Family::Status => lang.pick("Withdrawal", "Revogação"),
        Family::Time => lang.pick("Validity", "Validade"),
        Family::Schema => lang.pick("Form of the issuer", "Modelo do emissor"),
        Family::Disclosure => lang.pick("Fields shown", "Campos mostrados"),
        Family::Holder => lang.pick("Holder", "Titular"),
        Family::Display => lang.pick("Picture", "Imagem"),
        Family::Log => lang.pick("Public record", "Registo público"),
        Family::Token => lang.pick("Link", "Ligação"),
    }
}

/// What kind of document it is.
pub(crate) const fn format(format: Format, lang: Lang) -> &'static str {
    match format {
        Format::OpenBadge3 => "Open Badges 3.0",
        Format::Vcdm2 => {
            lang.pick("Verifiable credential (W3C, version 2.0)", "Credencial verificável (W3C, versão 2.0)")
        }
        Format::Vcdm1 => {
            lang.pick("Verifiable credential (W3C, version 1.1)", "Credencial verificável (W3C, versão 1.1)")
        }
    }
}

/// What it came in.
pub(crate) const fn carrier(carrier: Carrier, lang: Lang) -> &'static str {
    match carrier {
        Carrier::Json => lang.pick("JSON file", "ficheiro JSON"),
        Carrier::Png => lang.pick("PNG picture", "imagem PNG"),
        Carrier::Svg => lang.pick("SVG picture", "imagem SVG"),
        Carrier::Pdf => lang.pick("PDF document", "documento PDF"),
        Carrier::Photo => lang.pick("photo of a QR code", "fotografia de um código QR"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_differs_from_its_key_and_is_there_in_both_languages() {
        for (key, en, pt) in FIELDS.iter().chain(OTHERS) {
            assert!(!en.is_empty() && !pt.is_empty() && en != key && pt != key, "{key}");
        }
    }
}
