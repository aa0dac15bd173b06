//! Searches in the inventory: what is searched for decides which index is followed, and so the order.

use base::{Id, Page, PageToken, Result, Time};

use super::Pki;
use crate::{
    model::{Certificate, CertificateId, TenantId},
    repo::{self, Along, Bounds, Filter},
    rules,
};

/// Certificates of one export.
const EXPORT_MAX: usize = 100_000;
const EXPORT_PAGE: u32 = 1_000;

/// What a search is narrowed by, as somebody wrote it.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Begins with.
    pub name: Option<String>,
    /// Ends with these labels.
    pub suffix: Option<String>,
    /// In this state.
    pub state: Option<String>,
    /// Of this profile.
    pub profile: Option<String>,
    /// Looked after by.
    pub owner: Option<String>,
    /// Ends before.
    pub expires_before: Option<Time>,
    /// Ends then or later.
    pub expires_after: Option<Time>,
}

impl Search {
    /// The index that leads to the fewest certificates. An owner has fewer than a stretch of time, a stretch of time fewer
    /// than a profile, a profile fewer than a state.
    fn plan(self) -> (Along, Filter) {
        let text = Option::unwrap_or_default;
        let filter = Filter {
            state: text(self.state),
            profile: text(self.profile),
            owner: text(self.owner),
            from: self.expires_after.unwrap_or(Time::EPOCH),
            until: self.expires_before.unwrap_or(Time::LATEST),
        };
        let has_end = self.expires_before.is_some();
        let along = match (self.name, self.suffix) {
            (Some(name), _) => Along::Name(beginning_with(&name)),
            (None, Some(suffix)) => Along::Suffix(ending_with(&suffix)),
            (None, None) if !filter.owner.is_empty() => Along::Owner,
            (None, None) if has_end && filter.state.is_empty() => Along::End,
            (None, None) if has_end => Along::EndOfState,
            (None, None) if !filter.profile.is_empty() => Along::Profile,
            (None, None) if !filter.state.is_empty() => Along::State,
            (None, None) => Along::Time,
        };
        (along, filter)
    }
}

/// Names are ASCII, so what begins with a text lies before the text with the last of its characters.
fn beginning_with(name: &str) -> Bounds {
    (name.to_owned(), format!("{name}\u{7f}"))
}

/// Names that, turned round, begin with these labels; `/` is the character after `.`
fn ending_with(suffix: &str) -> Bounds {
    let from = rules::reversed(suffix.trim_matches('.'));
    let to = format!("{}/", from.trim_end_matches('.'));
    (from, to)
}

impl Pki {
    /// A page of a tenant's certificates: newest first, but by name when a name is searched for, and by their end when
    /// that is bounded and no owner is named.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID`; the store's.
    pub async fn page(
        &self,
        tenant: TenantId,
        search: Search,
        limit: u32,
        token: Option<&str>,
    ) -> Result<Page<Certificate>> {
        let last = match token {
            None => None,
            Some(text) => PageToken::decode(text, 1)?.0.first().map(|id| id.parse()).transpose()?,
        };
        let (along, filter) = search.plan();
        let found = self.some(tenant, along, filter, last, limit + 1).await?;
        Ok(Page::cut(found, limit, |one| PageToken(vec![one.id.to_string()])))
    }

    async fn some(
        &self,
        tenant: TenantId,
        along: Along,
        filter: Filter,
        last: Option<CertificateId>,
        limit: u32,
    ) -> Result<Vec<Certificate>> {
        self.house
            .db
            .tenant(tenant.uuid())
            .read("pki.page", move |rx| {
                let ids = repo::page(rx, tenant, &along, &filter, last, limit)?;
                let mut found = Vec::with_capacity(ids.len());
                for id in ids {
                    found.extend(repo::by_id(rx, tenant, id)?);
                }
                Ok(found)
            })
            .await
    }

    /// Certificates in force that have passed two thirds of their life and that none follows, those that end first.
    ///
    /// # Errors
    /// `PAGE_TOKEN_INVALID`; the store's.
    pub async fn overdue(
        &self,
        tenant: TenantId,
        limit: u32,
        token: Option<&str>,
    ) -> Result<Page<Certificate>> {
        let last: Option<CertificateId> = match token {
            None => None,
            Some(text) => PageToken::decode(text, 1)?.0.first().map(|id| id.parse()).transpose()?,
        };
        let now = self.house.now();
        let found = self
            .house
            .db
            .tenant(tenant.uuid())
            .read("pki.overdue", move |rx| {
                let after = match last {
                    None => (now, Id::NIL),
                    Some(id) => (repo::end_of(rx, tenant, id)?.unwrap_or(Time::LATEST), id),
                };
                repo::overdue(rx, tenant, now, after, limit + 1)
            })
            .await?;
        Ok(Page::cut(found, limit, |one| PageToken(vec![one.id.to_string()])))
    }

    /// All certificates of a search without their bytes, up to [`EXPORT_MAX`], in the order of [`Pki::page`].
    ///
    /// # Errors
    /// The store's.
    pub async fn export(&self, tenant: TenantId, search: Search) -> Result<Vec<Certificate>> {
        let (along, filter) = search.plan();
        let mut all: Vec<Certificate> = Vec::new();
        let mut last = None;
        while all.len() < EXPORT_MAX {
            let some = self.some(tenant, along.clone(), filter.clone(), last, EXPORT_PAGE).await?;
            let Some(one) = some.last() else { break };
            last = Some(one.id);
            all.extend(some.into_iter().map(|one| Certificate { tbs: Vec::new(), der: None, ..one }));
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_means_whole_labels() {
        let (from, to) = ending_with("dev.example");
        let inside = |name: &str| {
            let turned = rules::reversed(name);
            from <= turned && turned < to
        };
        assert!(inside("dev.example") && inside("a.dev.example") && inside("z.z.dev.example"));
        assert!(!inside("xdev.example") && !inside("dev.examples") && !inside("example"));
    }

    #[test]
    fn a_search_follows_the_index_that_leads_to_the_fewest() {
        let all = Search {
            name: Some("a".into()),
            suffix: Some("test".into()),
            state: Some("issued".into()),
            profile: Some("server".into()),
            owner: Some("ana".into()),
            expires_before: Some(Time::LATEST),
            expires_after: None,
        };
        let along = |search: &Search| search.clone().plan().0;
        let mut search = all;
        assert!(matches!(along(&search), Along::Name(_)));
        search.name = None;
        assert!(matches!(along(&search), Along::Suffix(_)));
        search.suffix = None;
        assert!(matches!(along(&search), Along::Owner));
        search.owner = None;
        assert!(matches!(along(&search), Along::EndOfState));
        search.expires_before = None;
        assert!(matches!(along(&search), Along::Profile));
        search.profile = None;
        assert!(matches!(along(&search), Along::State));
        search.state = None;
        assert!(matches!(along(&search), Along::Time));
        search.expires_before = Some(Time::LATEST);
        assert!(matches!(along(&search), Along::End));
    }
}
