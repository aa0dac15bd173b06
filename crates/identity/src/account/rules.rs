//! Pure decisions about accounts: names, permissions, networks.

use base::Result;
use http_kit::Network;

use crate::{
    error,
    rules::{PERMISSIONS, Role},
};

/// Characters of a name.
const NAME_MAX: usize = 64;
/// Networks of one account.
const NETWORKS_MAX: usize = 64;

/// A name: a word that fits into a command line and a log.
///
/// # Errors
/// `ACCOUNT_NAME_INVALID`.
pub(super) fn name(text: &str) -> Result<String> {
    let is_good =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    if !begins || text.len() > NAME_MAX || !text.bytes().all(is_good) {
        return Err(error::ACCOUNT_NAME.at("name").with("limit", NAME_MAX));
    }
    Ok(text.to_owned())
}

/// The permissions that an account may have: those of a tenant's own roles, none of the house's alone.
pub(super) fn possible() -> impl Iterator<Item = &'static str> {
    PERMISSIONS
        .iter()
        .filter(|(_, roles)| roles.iter().any(|role| *role != Role::SuperAdmin))
        .map(|(permission, _)| *permission)
}

/// Permissions, each once and in the order of the table.
///
/// # Errors
/// `ACCOUNT_PERMISSION_INVALID`, also for none at all.
pub(super) fn permissions(asked: &[String]) -> Result<Vec<String>> {
    let refuse = |word: &str| {
        let short: String = word.chars().filter(|c| !c.is_control()).take(64).collect();
        let known = possible().collect::<Vec<_>>().join(", ");
        error::ACCOUNT_PERMISSION.at("permissions").with("permission", short).with("known", known)
    };
    if let Some(unknown) = asked.iter().find(|word| !possible().any(|known| known == word.as_str())) {
        return Err(refuse(unknown));
    }
    let kept: Vec<String> =
        possible().filter(|known| asked.iter().any(|word| word == known)).map(str::to_owned).collect();
    if kept.is_empty() { Err(refuse("-")) } else { Ok(kept) }
}

/// Addresses and networks.
///
/// # Errors
/// `ACCOUNT_NETWORK_INVALID`.
pub(super) fn networks(asked: &[String]) -> Result<Vec<String>> {
    let refuse = |text: &str| {
        let short: String = text.chars().filter(|c| !c.is_control()).take(64).collect();
        error::ACCOUNT_NETWORK.at("networks").with("network", short).with("limit", NETWORKS_MAX)
    };
    if asked.len() > NETWORKS_MAX {
        return Err(refuse(&format!("{} entries", asked.len())));
    }
    asked.iter().map(|text| Network::parse(text).map(|_| text.clone()).map_err(|_| refuse(text))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn an_account_has_what_a_tenants_roles_have_and_nothing_of_the_house() {
        let asked = own(&["credential.read", "credential.issue", "credential.read"]);
        assert_eq!(permissions(&asked).unwrap(), ["credential.read", "credential.issue"]);
        for wrong in ["tenant.create", "pki.init", "account.manage", "person.erase", "everything", ""] {
            let refused = permissions(&own(&["credential.read", wrong])).unwrap_err();
            assert!(refused.is(&error::ACCOUNT_PERMISSION), "{wrong}");
        }
        assert!(permissions(&[]).unwrap_err().is(&error::ACCOUNT_PERMISSION));
    }

    #[test]
    fn names_are_words_and_networks_are_networks() {
        assert_eq!(name("bank-a.prod").unwrap(), "bank-a.prod");
        for wrong in ["", "-a", ".a", "Bank", "a b", "a/b", "a\n", "é", &"a".repeat(65)] {
            assert!(name(wrong).unwrap_err().is(&error::ACCOUNT_NAME), "{wrong:?}");
        }
        assert_eq!(networks(&own(&["192.0.2.0/24", "::1"])).unwrap().len(), 2);
        for wrong in ["", "192.0.2.0/33", "example.org", "0/0"] {
            assert!(networks(&own(&[wrong])).unwrap_err().is(&error::ACCOUNT_NETWORK), "{wrong}");
        }
        assert!(networks(&vec!["::1".to_owned(); 65]).is_err());
    }
}
