//! The contexts this program knows, as the bytes their publishers published, each under its address and SHA-256.
//!
//! A context decides what a signature means, so it is part of the program and never of the network. What a list of
//! bundled contexts means is computed once and kept.
//! Never here: a socket, a context with `@vocab` that would swallow undefined terms, an unbounded cache.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use serde_json::Value;

use super::context::ActiveContext;
use super::{LdError, LdErrorKind};

/// Cached meanings of contexts; the cache is emptied when it is full.
const CACHE_MAX: usize = 512;

/// A context file that is part of the program.
#[derive(Debug, Clone, Copy)]
pub struct BundledContext {
    /// The address by which documents name it.
    pub address: &'static str,
    /// SHA-256 of the bytes, in hexadecimal.
    pub sha256: &'static str,
    /// The bytes as published.
    pub bytes: &'static [u8],
}

macro_rules! bundle {
    ($($address:literal, $file:literal, $sha256:literal;)*) => {
        /// Every bundled context. The digests are checked by a test against the bytes.
        pub const BUNDLE: &[BundledContext] = &[$(BundledContext {
            address: $address,
            sha256: $sha256,
            bytes: include_bytes!(concat!("../../contexts/", $file)),
        }),*];
    };
}

bundle! {
    "https://www.w3.org/ns/credentials/v2", "credentials-v2.jsonld", "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734";
    "https://www.w3.org/2018/credentials/v1", "credentials-v1.jsonld", "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc";
    "https://w3id.org/security/data-integrity/v2", "data-integrity-v2.jsonld", "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4";
    "https://w3id.org/security/data-integrity/v1", "data-integrity-v1.jsonld", "b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554";
    "https://w3id.org/security/multikey/v1", "multikey-v1.jsonld", "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597";
    "https://www.w3.org/ns/did/v1", "did-v1.jsonld", "adefa50311393eb1bd788a38ac9fe2696c65367928f6996812cd54577394f4da";
    "https://w3id.org/security/suites/ed25519-2020/v1", "ed25519-signature-2020-v1.jsonld", "b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588";
    "https://www.w3.org/ns/credentials/status/v1", "vc-bitstring-status-list-v1.jsonld", "fd08cbf28ddd829ab2f1978c48f43ab07a112c1c90245a0cfac7ba721c65170c";
    "https://w3id.org/vc/status-list/2021/v1", "status-list-2021-v1.jsonld", "634d71c159289f068c96012e4511c657fdf82ac4231900081bda3ba24e2e1160";
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json", "ob-v3p0-3.0.3.json", "3d34f4d4ef1bce691106e63798beb5e7b862ba841423f5ee1e53ab7ddf3bca84";
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.2.json", "ob-v3p0-3.0.2.json", "00666ad080ba407687ed1846b7f5e7495f5019042b202a727de47c48a1755c53";
    "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.1.json", "ob-v3p0-3.0.1.json", "d582f3564282fb3b709136d28412e78e70b678b4dbc2f0221f67d84932748355";
    "https://purl.imsglobal.org/spec/ob/v3p0/context.json", "ob-v3p0.json", "b077fa134d909d92c1dcd1c153f2af1b244aeb415967fdc1467d7fc5dd48ac10";
    "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json", "ob-v3p0-extensions.json", "146f85aa16effd7ca1da8056eb443f53ce1eca8a34186cb062832c0a97d889c3";
    "https://purl.imsglobal.org/spec/clr/v2p0/context-2.0.1.json", "clr-v2p0-2.0.1.json", "880f1902d4158f2f33ce06af41b90719977cd1ea337a9de2e41edb3ff5e543d6";
    "https://w3id.org/openbadges/v2", "ob-v2p0.json", "393a890d7d95eb3a86f5f12309648a64c2d0676e5270e2967b5341a2dcea13d2";
}

/// What identifies a step from one active context to the next: the active context, what is applied, how.
pub(super) type Step = (u64, u64, bool);

/// A set of known contexts and the cache of what they mean.
pub struct Contexts {
    known: HashMap<String, (u64, Arc<Value>)>,
    root: Arc<ActiveContext>,
    cache: RwLock<HashMap<Step, Arc<ActiveContext>>>,
}

impl std::fmt::Debug for Contexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Contexts").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

static BUNDLED: LazyLock<Contexts> = LazyLock::new(|| Contexts::with_extra(&[]));

impl Contexts {
    /// The contexts of [`BUNDLE`] and nothing else: what every signature is made and checked with.
    #[must_use]
    pub fn bundled() -> &'static Contexts {
        &BUNDLED
    }

    /// [`BUNDLE`] and further contexts, for tests against vectors that need one we do not bundle. A text that is no
    /// JSON is left out, so that documents naming it are refused as unknown.
    #[must_use]
    pub fn with_extra(extra: &[(&str, &[u8])]) -> Contexts {
        let bundle = BUNDLE.iter().map(|entry| (entry.address, entry.bytes));
        let mut known = HashMap::new();
        for (address, bytes) in bundle.chain(extra.iter().copied()) {
            if let Ok(value) = serde_json::from_slice::<Value>(bytes) {
                known.insert(address.to_owned(), (super::context::next_id(), Arc::new(value)));
            }
        }
        Contexts { known, root: Arc::new(ActiveContext::empty(None)), cache: RwLock::new(HashMap::new()) }
    }

    /// True when the address names a known context.
    #[must_use]
    pub fn knows(&self, address: &str) -> bool {
        self.known.contains_key(address)
    }

    pub(super) fn load(&self, address: &str) -> Result<(u64, Arc<Value>), LdError> {
        self.known
            .get(address)
            .map(|(id, value)| (*id, Arc::clone(value)))
            .ok_or_else(|| LdError::new(LdErrorKind::ContextUnknown(address.to_owned())))
    }

    pub(super) fn root(&self) -> Arc<ActiveContext> {
        Arc::clone(&self.root)
    }

    pub(super) fn cached(&self, step: Step) -> Option<Arc<ActiveContext>> {
        let cache = self.cache.read().unwrap_or_else(PoisonError::into_inner);
        cache.get(&step).map(Arc::clone)
    }

    pub(super) fn keep(&self, step: Step, context: &Arc<ActiveContext>) {
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.len() >= CACHE_MAX {
            cache.clear();
        }
        cache.insert(step, Arc::clone(context));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_bytes_have_the_published_digests() {
        for entry in BUNDLE {
            let digest = crate::crypto::hex(&crate::crypto::sha256(entry.bytes));
            assert_eq!(digest, entry.sha256, "{}", entry.address);
        }
    }

    #[test]
    fn every_bundled_context_is_json_and_swallows_no_undefined_term() {
        for entry in BUNDLE {
            let value: Value = serde_json::from_slice(entry.bytes).unwrap();
            assert!(value["@context"].get("@vocab").is_none(), "{}", entry.address);
        }
        assert_eq!(Contexts::bundled().known.len(), BUNDLE.len());
    }

    #[test]
    fn a_context_that_is_not_bundled_is_unknown() {
        assert!(!Contexts::bundled().knows("https://www.w3.org/ns/credentials/examples/v2"));
    }
}
