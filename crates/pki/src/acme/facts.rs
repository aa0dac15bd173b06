//! The facts of the ACME server, all in the log `ca`. Orders are machinery and leave none; what comes of one is a
//! certificate, which does. None holds a name or a contact.

events::facts! {
    /// A program opened an account; `externalKey` let it in.
    ACCOUNT_CREATED = "acme_account.created", log Ca, topic "audit.events", version "1.0",
        acme_account.create { account: Word, environment: Word, thumbprint: Word, externalKey: OptionalWord }
    /// Its contacts changed.
    ACCOUNT_CHANGED = "acme_account.changed", log Ca, topic "audit.events", version "1.0",
        acme_account.change { account: Word }
    /// It has another key from now on.
    ACCOUNT_KEY_CHANGED = "acme_account.key_changed", log Ca, topic "audit.events", version "1.0",
        acme_account.change_key { account: Word, thumbprint: Word }
    /// It was closed, for good.
    ACCOUNT_DEACTIVATED = "acme_account.deactivated", log Ca, topic "audit.events", version "1.0",
        acme_account.deactivate { account: Word }
    /// A shared key was made that lets somebody open accounts.
    EXTERNAL_KEY_CREATED = "external_key.created", log Ca, topic "audit.events", version "1.0",
        external_key.create { externalKey: Word, environment: Word, uses: Integer, expiresAt: Time }
    /// It opened an account.
    EXTERNAL_KEY_USED = "external_key.used", log Ca, topic "audit.events", version "1.0",
        external_key.use_up { externalKey: Word, account: Word }
    /// It opens nothing any more, and the accounts that it opened are closed.
    EXTERNAL_KEY_REVOKED = "external_key.revoked", log Ca, topic "audit.events", version "1.0",
        external_key.revoke { externalKey: Word }
    /// An account proved that it controls a name.
    AUTHORIZATION_VALID = "acme_authorization.validated", log Ca, topic "audit.events", version "1.0",
        acme_authorization.validate { authorization: Word, account: Word, challenge: Word }
    /// It did not prove it; `code` is the type of RFC 8555.
    AUTHORIZATION_FAILED = "acme_authorization.failed", log Ca, topic "audit.events", version "1.0",
        acme_authorization.fail { authorization: Word, account: Word, challenge: Word, code: Word }
    /// It gave the proof back.
    AUTHORIZATION_DEACTIVATED = "acme_authorization.deactivated", log Ca, topic "audit.events", version "1.0",
        acme_authorization.deactivate { authorization: Word, account: Word }
}
