//! A certificate authority whose keys stand in this program alone, and what it signed: what a forger would begin with.
//!
//! The hierarchy is that of `proof`'s own tests. Its keys are made anew in each run, so an input that must be signed to
//! get deep says so (`sign …`), and the target signs it.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::rsa::KeySize;
use proof::x509::crl::{CrlDraft, Entry, Reason, Scope};
use proof::x509::der::{Reader, Writer, context_constructed};
use proof::x509::ocsp::{
    CertId, IdHash, OcspRequest, ResponderId, ResponseDraft, Single, Status, assemble_response,
};
use proof::x509::{Name, Profile, Serial, Uri, assemble, pem};

#[path = "../../crates/proof/tests/x509_support/mod.rs"]
mod support;

pub use support::*;

/// One house for all inputs.
pub static HOUSE: LazyLock<Hierarchy> = LazyLock::new(Hierarchy::new);

/// One key of each kind that is accepted.
pub static KEYS: LazyLock<[Arc<Signer>; 4]> = LazyLock::new(|| {
    [Signer::ed25519(), Signer::p256(), Signer::p384(), Signer::rsa(KeySize::Rsa2048)].map(Arc::new)
});

/// A certificate of each profile, of the two CAs too.
pub static CERTIFICATES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let able = |profile: &Profile| profile.key_usage(KEYS[1].key()).is_some();
    let leaves = end_entities().filter(able).map(|profile| {
        HOUSE.issuing.issue(&Parts::of(profile).draft(profile, KEYS[1].key())).expect("a draft of ours")
    });
    [HOUSE.root.der.clone(), HOUSE.issuing.der.clone()].into_iter().chain(leaves).collect()
});

/// The bytes of a request that are signed: a key, a subject, any attributes.
pub fn request_information(signer: &Signer, attributes: &[u8]) -> Vec<u8> {
    Writer::build(|out| {
        out.sequence(|out| {
            out.small(0);
            out.raw(name("svc.dev.example").der());
            signer.key().write_spki(out);
            out.put(context_constructed(0), attributes);
        });
    })
}

/// Signs what a request says.
pub fn request(signer: &Signer, information: &[u8]) -> Vec<u8> {
    assemble(information, signer.algorithm(), &signer.sign(information))
}

/// The attribute of a request that asks for the extensions of a certificate, but for those that a CA alone writes.
pub fn attributes_like(certificate: &[u8]) -> Vec<u8> {
    use proof::x509::{Certificate, extension, oid};
    let certificate = Certificate::parse(certificate).expect("a certificate of ours");
    let asked = [
        oid::SUBJECT_ALT_NAME,
        oid::KEY_USAGE,
        oid::EXTENDED_KEY_USAGE,
        oid::SUBJECT_KEY_ID,
        oid::BASIC_CONSTRAINTS,
    ];
    let extensions = certificate.extensions.iter().filter(|extension| asked.contains(&extension.oid));
    Writer::build(|out| {
        out.sequence(|out| {
            out.oid(&oid::EXTENSION_REQUEST);
            out.set(|out| {
                out.sequence(|out| {
                    for one in extensions {
                        extension::write(out, &one.oid, one.critical, |out| out.raw(one.value));
                    }
                });
            });
        });
    })
}

fn entry(number: u8) -> Entry {
    Entry {
        serial: serial(number),
        revoked_at: moment(NOW_S - 60),
        reason: [Reason::Unspecified, Reason::KeyCompromise, Reason::Superseded][usize::from(number % 3)],
        invalid_since: number.is_multiple_of(2).then(|| moment(NOW_S - 90)),
    }
}

/// What the issuing CA says in its lists: a shard, an empty one, a delta.
pub fn lists() -> Vec<Vec<u8>> {
    let issuer = HOUSE.issuing.issuer();
    let address =
        |path: &str| Uri::parse_http(&format!("http://pki.dev.example/{path}")).expect("an address");
    let (shard, freshest) = (address("3.crl"), address("3-delta.crl"));
    let whole = CrlDraft {
        issuer: &issuer,
        number: 9,
        this_update: moment(NOW_S),
        next_update: moment(NOW_S + DAY_S),
        scope: Scope::Shard(&shard),
        freshest: Some(&freshest),
        delta_base: None,
    };
    let delta = CrlDraft { scope: Scope::Everything, freshest: None, delta_base: Some(4), ..whole };
    let removed = Entry { reason: Reason::RemoveFromCrl, ..entry(8) };
    let lists = [whole.tbs((0..7).map(entry)), whole.tbs([]), delta.tbs([entry(5), removed])];
    lists.map(|tbs| tbs.expect("a list of ours")).to_vec()
}

/// A list with the issuing CA's signature.
pub fn signed_list(tbs: &[u8]) -> Vec<u8> {
    assemble(tbs, HOUSE.issuing.issuer().algorithm, &HOUSE.issuing.signer.sign(tbs))
}

fn id(hash: IdHash) -> CertId {
    let issuing = HOUSE.issuing.certificate();
    CertId::new(hash, &issuing.subject, HOUSE.issuing.signer.key(), serial(4)).expect("an id of ours")
}

/// Questions about one certificate and about two, with and without a nonce.
pub fn questions() -> Vec<Vec<u8>> {
    let both = vec![id(IdHash::Sha1), id(IdHash::Sha256)];
    let asked = [(vec![id(IdHash::Sha1)], None), (both, Some(vec![7; 32]))];
    asked.into_iter().map(|(ids, nonce)| OcspRequest { ids, nonce }.write()).collect()
}

/// What the responder says: an answer of each status.
pub fn answers() -> Vec<Vec<u8>> {
    let revoked = Status::Revoked { at: moment(NOW_S - 60), reason: Reason::KeyCompromise };
    let statuses = [(Status::Good, None), (revoked, Some(&[7; 32][..])), (Status::Unknown, None)];
    let answer = |(status, nonce)| {
        let single = |hash| Single {
            id: id(hash),
            status,
            this_update: moment(NOW_S),
            next_update: moment(NOW_S + DAY_S),
        };
        let draft = ResponseDraft {
            responder: ResponderId::of(HOUSE.responder.signer.key()).expect("a key of ours"),
            produced_at: moment(NOW_S),
            responder_ends: HOUSE.responder.certificate().validity().expect("a validity of ours").not_after,
            singles: &[single(IdHash::Sha1), single(IdHash::Sha256)],
            nonce,
        };
        draft.tbs().expect("an answer of ours")
    };
    statuses.into_iter().map(answer).collect()
}

/// An answer with the responder's signature and certificate.
pub fn signed_answer(tbs: &[u8]) -> Vec<u8> {
    let signer = &HOUSE.responder.signer;
    assemble_response(tbs, signer.algorithm(), &signer.sign(tbs), &HOUSE.responder.der)
}

/// The TBS bytes of something signed.
pub fn tbs_of(signed: &[u8]) -> &[u8] {
    let mut inside = Reader::new(signed).sequence().expect("something signed");
    inside.any().expect("something signed").whole
}

/// The text form of some bytes.
pub fn pem_of(label: pem::Label, der: &[u8]) -> Vec<u8> {
    pem::encode(label, der).into_bytes()
}

/// What an input that begins with `sign ` wants signed.
pub fn to_sign(bytes: &[u8]) -> Option<&[u8]> {
    bytes.strip_prefix(b"sign ")
}

/// An input whose content the target signs.
pub fn signing(content: &[u8]) -> Vec<u8> {
    [b"sign ", content].concat()
}

/// Names of every kind, as a certificate writes them.
pub fn names_der() -> Vec<Vec<u8>> {
    let parts = end_entities().map(|profile| Parts::of(profile).names).filter(|names| !names.is_empty());
    parts
        .map(|names| Writer::build(|out| out.sequence(|out| names.iter().for_each(|name| name.write(out)))))
        .collect()
}

/// A number that no certificate of the house has.
pub fn unused_serial() -> Serial {
    Serial::from_random([0x55; 16])
}

/// The names that certificates are issued under, encoded.
pub fn subjects() -> Vec<Name> {
    vec![Name::empty(), name("svc.dev.example"), name("Serviços, Académicos + 1")]
}
