//! Pure decisions: which role may do what, and how an identifier is written before it is compared.

use unicode_normalization::UnicodeNormalization;

/// The roles there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Runs the house.
    SuperAdmin,
    /// Issues and withdraws for a tenant.
    IssuerAdmin,
    /// Reads the evidence of a tenant.
    Auditor,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::SuperAdmin, Self::IssuerAdmin, Self::Auditor];

    /// The word in SQL, API and pages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SuperAdmin => "super_admin",
            Self::IssuerAdmin => "issuer_admin",
            Self::Auditor => "auditor",
        }
    }

    /// The role of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// Who may do what: one table for pages, API and tests.
pub const PERMISSIONS: &[(&str, &[Role])] = &[
    ("tenant.create", &[Role::SuperAdmin]),
    ("tenant.read", &[Role::SuperAdmin, Role::IssuerAdmin, Role::Auditor]),
    ("api_key.manage", &[Role::SuperAdmin]),
    ("account.manage", &[Role::SuperAdmin]),
    ("template.read", &[Role::SuperAdmin, Role::IssuerAdmin, Role::Auditor]),
    ("credential.read", &[Role::SuperAdmin, Role::IssuerAdmin]),
    ("credential.issue", &[Role::SuperAdmin, Role::IssuerAdmin]),
    ("credential.status", &[Role::SuperAdmin, Role::IssuerAdmin]),
    ("job.read", &[Role::SuperAdmin, Role::IssuerAdmin]),
    ("person.erase", &[Role::SuperAdmin]),
    ("audit.read", &[Role::SuperAdmin, Role::Auditor]),
    ("log.verify", &[Role::SuperAdmin, Role::Auditor]),
    ("keys.rotate", &[Role::SuperAdmin]),
    ("pki.external_keys", &[Role::SuperAdmin]),
    ("pki.init", &[Role::SuperAdmin]),
    ("pki.issue", &[Role::SuperAdmin, Role::IssuerAdmin]),
    ("pki.read", &[Role::SuperAdmin, Role::IssuerAdmin, Role::Auditor]),
    ("pki.revoke", &[Role::SuperAdmin]),
];

/// The permissions of a set of roles.
pub(crate) fn permissions(roles: &[Role]) -> Vec<&'static str> {
    PERMISSIONS
        .iter()
        .filter(|(_, allowed)| allowed.iter().any(|role| roles.contains(role)))
        .map(|(permission, _)| *permission)
        .collect()
}

/// An e-mail address as it is compared and hashed: trimmed, NFC, lower case.
pub fn normalise_email(address: &str) -> String {
    address.trim().nfc().collect::<String>().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auditor_reads_evidence_and_changes_nothing() {
        let may = permissions(&[Role::Auditor]);
        assert!(may.contains(&"audit.read"));
        assert!(!may.contains(&"credential.issue") && !may.contains(&"person.erase"));
    }

    #[test]
    fn one_address_written_twice_is_one_person() {
        assert_eq!(normalise_email(" Ana@Example.ORG "), normalise_email("ana@example.org"));
        assert_eq!(normalise_email("jose\u{301}@x.pt"), normalise_email("jos\u{e9}@x.pt"));
    }
}
