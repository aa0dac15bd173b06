//! The facts of the key ring.

events::facts! {
    /// A signing key was made; `replaces` is the key it follows.
    KEY_CREATED = "key.created", log Audit, topic "audit.events", version "1.0",
        key.create { key: Word, purpose: Word, algorithm: Word, replaces: OptionalWord }
    /// The epoch rolled: every person key is wrapped anew and the old epoch key is destroyed.
    EPOCH_ROLLED = "key.epoch_rolled", log Audit, topic "audit.events", version "1.0",
        key.roll { epoch: Integer, persons: Integer }
}
