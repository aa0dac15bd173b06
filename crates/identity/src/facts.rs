//! The facts of who is who.

events::facts! {
    /// A tenant was made.
    TENANT_CREATED = "tenant.created", log Audit, topic "audit.events", version "1.0",
        tenant.create { tenant: Word, did: Word }
    /// An administrator was made.
    USER_CREATED = "user.created", log Audit, topic "audit.events", version "1.0",
        user.create { user: Word }
    /// A one-time link was printed.
    LINK_CREATED = "user.link_created", log Audit, topic "audit.events", version "1.0",
        user.link { user: Word, expiresAt: Time }
    /// Somebody entered by a one-time link.
    SESSION_STARTED = "session.started", log Audit, topic "audit.events", version "1.0",
        session.start { session: Word, user: Word, expiresAt: Time }
    /// Somebody left.
    SESSION_ENDED = "session.ended", log Audit, topic "audit.events", version "1.0",
        session.end { session: Word }
    /// A key for programs was made.
    API_KEY_CREATED = "api_key.created", log Audit, topic "audit.events", version "1.0",
        api_key.create { apiKey: Word }
    /// A key for programs was revoked.
    API_KEY_REVOKED = "api_key.revoked", log Audit, topic "audit.events", version "1.0",
        api_key.revoke { apiKey: Word }
    /// An account of a partner's program was made.
    ACCOUNT_CREATED = "account.created", log Audit, topic "audit.events", version "1.0",
        account.create { account: Word }
    /// A certificate became one that an account enters with.
    ACCOUNT_CERTIFIED = "account.certified", log Audit, topic "audit.events", version "1.0",
        account.certify { account: Word, certificate: Word }
    /// An account was closed, for good.
    ACCOUNT_CLOSED = "account.closed", log Audit, topic "audit.events", version "1.0",
        account.close { account: Word }
    /// A person was forgotten: the key is destroyed.
    PERSON_ERASED = "person.erased", log Audit, topic "audit.events", version "1.0",
        person.erase { person: Word }
}
