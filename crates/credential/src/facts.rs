//! The facts of credentials. None holds personal data: whose credential it is stands in the sealed part.

events::facts! {
    /// A credential was issued; the template's digest is public, the document's hash is sealed.
    CREDENTIAL_ISSUED = "credential.issued", log Cred, topic "credential.generated", version "1.0",
        credential.issue { credential: Word, template: Word, templateDigest: Word, key: Word, job: OptionalWord }
    /// A credential was revoked, for good.
    CREDENTIAL_REVOKED = "credential.revoked", log Cred, topic "audit.events", version "1.0",
        credential.revoke { credential: Word }
    /// A credential was suspended.
    CREDENTIAL_SUSPENDED = "credential.suspended", log Cred, topic "audit.events", version "1.0",
        credential.suspend { credential: Word }
    /// A suspended credential is good again.
    CREDENTIAL_REINSTATED = "credential.reinstated", log Cred, topic "audit.events", version "1.0",
        credential.reinstate { credential: Word }
    /// A credential that was planned was given up; nothing was handed out.
    CREDENTIAL_ABANDONED = "credential.abandoned", log Cred, topic "audit.events", version "1.0",
        credential.abandon { credential: Word }
    /// A table of rows was handed in.
    BATCH_RECEIVED = "batch.received", log Audit, topic "audit.events", version "1.0",
        batch.receive { job: Word, template: Word, rows: Integer }
}
