//! The facts of the key ring.

events::facts! {
    /// A signing key was made, here or on a token; `replaces` is the key that it retires.
    KEY_CREATED = "key.created", log Audit, topic "audit.events", version "1.1",
        key.create { key: Word, purpose: Word, algorithm: Word, place: Word, replaces: OptionalWord }
    /// A signing key begins nothing new, and no other takes its place.
    KEY_RETIRED = "key.retired", log Audit, topic "audit.events", version "1.0",
        key.retire { key: Word, purpose: Word }
    /// The epoch rolled: every person key is wrapped anew and the old epoch key is destroyed.
    EPOCH_ROLLED = "key.epoch_rolled", log Audit, topic "audit.events", version "1.0",
        key.roll { epoch: Integer, persons: Integer }
}
