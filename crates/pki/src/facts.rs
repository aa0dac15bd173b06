//! The facts of the authority, all in the log `ca`. None holds personal data: whose certificate it is stands in the
//! certificate, which the fact fixes by its hash.

events::facts! {
    /// A ceremony made a hierarchy; `transcript` is the SHA-256 of its signed transcript.
    CEREMONY_HELD = "ceremony.held", log Ca, topic "audit.events", version "1.0",
        ceremony.hold { ceremony: Word, environment: Word, transcript: Word, key: Word }
    /// A ceremony was planned and given up; its root signed nothing that counts.
    CEREMONY_ABANDONED = "ceremony.abandoned", log Ca, topic "audit.events", version "1.0",
        ceremony.abandon { ceremony: Word, environment: Word }
    /// An authority begins.
    AUTHORITY_CREATED = "authority.created", log Ca, topic "audit.events", version "1.0",
        authority.create { authority: Word, kind: Word, environment: Word, certificate: Word, parent: OptionalWord }
    /// Another authority issues from now on; this one signs its lists and answers until its last certificate has ended.
    AUTHORITY_RETIRED = "authority.retired", log Ca, topic "audit.events", version "1.0",
        authority.retire { authority: Word, successor: Word }
    /// An authority was withdrawn by its root, and with it everything that it signed; `number` is that of the root's list.
    AUTHORITY_REVOKED = "authority.revoked", log Ca, topic "audit.events", version "1.0",
        authority.revoke { authority: Word, certificate: Word, serial: Word, reason: Integer, number: Integer }
    /// A root signed its next revocation list, which the fact fixes.
    AUTHORITY_LIST_SIGNED = "authority.list_signed", log Ca, topic "audit.events", version "1.0",
        authority.list { authority: Word, number: Integer, nextUpdate: Time }
    /// What a root was asked for was given up; it may have been signed, so its numbers count as revoked.
    ROOT_REQUEST_ABANDONED = "root_request.abandoned", log Ca, topic "audit.events", version "1.0",
        root_request.abandon { rootRequest: Word, environment: Word }
    /// A certificate was issued.
    CERTIFICATE_ISSUED = "certificate.issued", log Ca, topic "audit.events", version "1.1",
        certificate.issue {
            certificate: Word, authority: Word, serial: Word, profile: Word, spki: Word, source: Word,
            notBefore: Time, notAfter: Time,
        }
    /// Somebody asked for a certificate and was refused; `code` says why.
    CERTIFICATE_REFUSED = "certificate.refused", log Ca, topic "audit.events", version "1.0",
        certificate.refuse { code: Word, profile: OptionalWord }
    /// A certificate was revoked, for good; `reason` is the number of RFC 5280, `barred` says whether its key is certified
    /// never again.
    CERTIFICATE_REVOKED = "certificate.revoked", log Ca, topic "audit.events", version "1.1",
        certificate.revoke {
            certificate: Word, authority: Word, serial: Word, reason: Integer, invalidSince: OptionalWord, barred: Flag,
        }
    /// A certificate was planned and given up. It may have been signed, so its number counts as revoked.
    CERTIFICATE_ABANDONED = "certificate.abandoned", log Ca, topic "audit.events", version "1.1",
        certificate.abandon {
            certificate: Word, authority: Word, serial: Word, profile: Word, spki: Word, notBefore: Time, notAfter: Time,
        }
}
