//! The facts of the evidence log itself.

events::facts! {
    /// Leaf 0 of the log `cred`: what it is, under which name, signed with which key.
    CRED_OPENED = "log.cred.opened", log Cred, topic "audit.events", version "1.0",
        log.open { origin: Word, format: Word, vkey: Word }
    /// Leaf 0 of the log `audit`.
    AUDIT_OPENED = "log.audit.opened", log Audit, topic "audit.events", version "1.0",
        log.open { origin: Word, format: Word, vkey: Word }
    /// Leaf 0 of the log `ca`.
    CA_OPENED = "log.ca.opened", log Ca, topic "audit.events", version "1.0",
        log.open { origin: Word, format: Word, vkey: Word }
}
