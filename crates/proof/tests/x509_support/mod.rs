//! What the certificate tests share: keys that sign, a hierarchy of root, issuing CA and responder, drafts of all
//! profiles.
//!
//! Never here: a rule of the product.
#![allow(
    dead_code,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "each test file uses its part of this; a test may fail by panic and is told its folders by the environment"
)]

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use proof::crypto::{SignatureAlgorithm, SubjectKey};
use proof::x509::der::Reader;
use proof::x509::{
    Attribute, Certificate, DnsName, Draft, DraftFault, Email, GeneralName, Issuer, Moment, Name,
    NameConstraints, Oid, Pointers, Profile, Serial, Subtree, Uri, Validity, assemble,
};

/// 2026-11-20T00:00:00Z.
pub const NOW_S: i64 = 1_795_132_800;
pub const DAY_S: i64 = 86_400;

/// A key pair of a test.
pub enum Signer {
    Ecdsa(EcdsaKeyPair, SubjectKey),
    Ed25519(Ed25519KeyPair, SubjectKey),
    Rsa(RsaKeyPair, SubjectKey),
}

impl Signer {
    pub fn p256() -> Self {
        let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let key = SubjectKey::p256(pair.public_key().as_ref()).unwrap();
        Self::Ecdsa(pair, key)
    }

    pub fn p384() -> Self {
        let pair = EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_ASN1_SIGNING).unwrap();
        let key = SubjectKey::p384(pair.public_key().as_ref()).unwrap();
        Self::Ecdsa(pair, key)
    }

    pub fn ed25519() -> Self {
        let pair = Ed25519KeyPair::generate().unwrap();
        let key = SubjectKey::ed25519(pair.public_key().as_ref()).unwrap();
        Self::Ed25519(pair, key)
    }

    pub fn rsa(size: KeySize) -> Self {
        let pair = RsaKeyPair::generate(size).unwrap();
        let mut public = Reader::new(pair.public_key().as_ref()).sequence().unwrap();
        let key = SubjectKey::rsa(public.natural().unwrap(), public.natural().unwrap()).unwrap();
        Self::Rsa(pair, key)
    }

    pub fn key(&self) -> &SubjectKey {
        match self {
            Self::Ecdsa(_, key) | Self::Ed25519(_, key) | Self::Rsa(_, key) => key,
        }
    }

    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.key().issuing_algorithm()
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Ecdsa(pair, _) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair, _) => pair.sign(message).as_ref().to_vec(),
            Self::Rsa(pair, _) => {
                let mut signed = vec![0; pair.public_modulus_len()];
                pair.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signed).unwrap();
                signed
            }
        }
    }
}

/// One signer of each accepted kind, with its name. Made once for each program of tests: RSA keys take their time.
pub fn all_kinds() -> &'static [(&'static str, Arc<Signer>)] {
    static KINDS: LazyLock<Vec<(&'static str, Arc<Signer>)>> = LazyLock::new(|| {
        vec![
            ("p256", Arc::new(Signer::p256())),
            ("p384", Arc::new(Signer::p384())),
            ("ed25519", Arc::new(Signer::ed25519())),
            ("rsa2048", Arc::new(Signer::rsa(KeySize::Rsa2048))),
            ("rsa3072", Arc::new(Signer::rsa(KeySize::Rsa3072))),
            ("rsa4096", Arc::new(Signer::rsa(KeySize::Rsa4096))),
        ]
    });
    &KINDS
}

pub fn moment(seconds: i64) -> Moment {
    Moment::from_seconds(seconds).unwrap()
}

pub fn validity(from: i64, days: i64) -> Validity {
    Validity::lasting(moment(from), days * DAY_S).unwrap()
}

pub fn serial(number: u8) -> Serial {
    let mut random = [number; 16];
    aws_lc_rs::rand::fill(&mut random[1..]).unwrap();
    Serial::from_random(random)
}

pub fn dns(name: &str) -> GeneralName {
    GeneralName::Dns(DnsName::parse(name).unwrap())
}

pub fn uri(text: &str) -> GeneralName {
    GeneralName::Uri(Uri::parse(text).unwrap())
}

pub fn name(common: &str) -> Name {
    Name::new(&[
        (Attribute::Country, "PT"),
        (Attribute::Organization, "Universidade de Évora"),
        (Attribute::CommonName, common),
    ])
    .unwrap()
}

pub fn pointers(issuer: &str) -> Pointers {
    let url = |path: &str| Some(Uri::parse_http(&format!("http://pki.dev.example/{path}")).unwrap());
    Pointers {
        crl: url(&format!("crl/{issuer}/3.crl")),
        ocsp: url(&format!("ocsp/{issuer}")),
        issuer: url(&format!("ca/{issuer}.cer")),
    }
}

/// A CA or a responder: key and certificate.
pub struct Holder {
    pub signer: Arc<Signer>,
    pub der: Vec<u8>,
}

impl Holder {
    pub fn certificate(&self) -> Certificate<'_> {
        Certificate::parse(&self.der).unwrap()
    }

    pub fn issuer(&self) -> Issuer {
        Issuer::from_certificate(&self.certificate()).unwrap()
    }

    /// Signs a draft.
    pub fn issue(&self, draft: &Draft<'_>) -> Result<Vec<u8>, DraftFault> {
        let issuer = self.issuer();
        let tbs = draft.tbs(&issuer)?;
        Ok(assemble(&tbs, issuer.algorithm, &self.signer.sign(&tbs)))
    }
}

pub struct Hierarchy {
    pub root: Holder,
    pub issuing: Holder,
    pub responder: Holder,
}

pub fn policy(number: u32) -> Oid {
    // the arc that IANA keeps for documentation
    Oid::parse(&format!("1.3.6.1.4.1.32473.1.{number}")).unwrap()
}

pub fn constraints() -> NameConstraints {
    let permitted = vec![
        Subtree::Dns("dev.example".into()),
        Subtree::Ip("10.0.0.0".parse().unwrap(), 8),
        Subtree::Email("dev.example".into()),
    ];
    NameConstraints::new(permitted, vec![Subtree::Ip("::".parse().unwrap(), 0)]).unwrap()
}

impl Hierarchy {
    pub fn new() -> Self {
        Self::of(Arc::new(Signer::p384()), Arc::new(Signer::p256()), Some(&constraints()))
    }

    pub fn of(
        root_signer: Arc<Signer>,
        issuing_signer: Arc<Signer>,
        constraints: Option<&NameConstraints>,
    ) -> Self {
        let start = NOW_S - 400 * DAY_S;
        let root_name = name("Selo Dev Root");
        let root_validity = validity(start, 3652);
        let none = Pointers::default();
        let issuer = Issuer::root(root_name.clone(), root_signer.key(), root_validity);
        let draft = plain(Profile::Root, &root_name, root_signer.key(), &none);
        let tbs = Draft { validity: root_validity, ..draft }.tbs(&issuer).unwrap();
        let der = assemble(&tbs, issuer.algorithm, &root_signer.sign(&tbs));
        let root = Holder { der, signer: root_signer };

        let issuing_name = name("Selo Dev Issuing 1");
        let at_root = pointers("root");
        let policies = [policy(1)];
        let draft = plain(Profile::Issuing, &issuing_name, issuing_signer.key(), &at_root);
        let draft = Draft { validity: validity(start, 1826), policies: &policies, constraints, ..draft };
        let der = root.issue(&draft).unwrap();
        let issuing = Holder { der, signer: issuing_signer };

        let responder_signer = Arc::new(Signer::p256());
        let responder_name = name("Selo Dev OCSP");
        let draft = plain(Profile::OcspResponder, &responder_name, responder_signer.key(), &none);
        let der = issuing.issue(&Draft { validity: validity(NOW_S - DAY_S, 7), ..draft }).unwrap();
        let responder = Holder { der, signer: responder_signer };
        Self { root, issuing, responder }
    }
}

fn plain<'a>(profile: Profile, subject: &'a Name, key: &'a SubjectKey, pointers: &'a Pointers) -> Draft<'a> {
    Draft {
        profile,
        serial: serial(1),
        validity: validity(NOW_S, 1),
        subject,
        names: &[],
        key,
        pointers,
        policies: &[],
        own_usage: None,
        constraints: None,
        must_staple: false,
    }
}

/// What a draft of an end entity borrows.
pub struct Parts {
    pub subject: Name,
    pub names: Vec<GeneralName>,
    pub pointers: Pointers,
    pub policies: Vec<Oid>,
}

impl Parts {
    pub fn of(profile: Profile) -> Self {
        let mail = GeneralName::Email(Email::parse("ana@dev.example").unwrap());
        let (common, names) = match profile {
            Profile::Svid => (None, vec![uri("spiffe://dev.example/ns/a/sa/b")]),
            Profile::DbClient => (Some("role_reader"), vec![dns("db.dev.example")]),
            Profile::Operator => (None, vec![mail, uri("urn:selo:user:018f")]),
            Profile::Client | Profile::Partner => (None, vec![dns("c.dev.example"), mail]),
            Profile::EdgeStation => (Some("st-1.dev.example"), vec![dns("st-1.dev.example")]),
            Profile::OcspResponder => (Some("Selo Dev OCSP"), vec![]),
            Profile::DocumentSigner | Profile::CredentialIssuer => (Some("Serviços Académicos"), vec![]),
            Profile::PacketSigner | Profile::PacketRecipient => (Some("Packets"), vec![dns("p.dev.example")]),
            _ => {
                let ip = GeneralName::Ip("10.1.2.3".parse().unwrap());
                (Some("svc.dev.example"), vec![dns("svc.dev.example"), dns("*.svc.dev.example"), ip])
            }
        };
        // the subject of a host is its name alone
        let is_host = profile.shape().names.ip;
        let organization = (!is_host).then_some((Attribute::Organization, "Universidade de Évora"));
        let common = common.map(|common| (Attribute::CommonName, common));
        let subject: Vec<_> = organization.filter(|_| common.is_some()).into_iter().chain(common).collect();
        let subject = Name::new(&subject).unwrap();
        Self { subject, names, pointers: pointers("issuing-1"), policies: vec![policy(1)] }
    }

    pub fn draft<'a>(&'a self, profile: Profile, key: &'a SubjectKey) -> Draft<'a> {
        let own = [
            Profile::PacketSigner,
            Profile::PacketRecipient,
            Profile::DocumentSigner,
            Profile::CredentialIssuer,
        ];
        Draft {
            profile,
            serial: serial(9),
            validity: Validity::lasting(moment(NOW_S - 60), profile.shape().lifetime_s_max).unwrap(),
            subject: &self.subject,
            names: &self.names,
            key,
            pointers: &self.pointers,
            policies: &self.policies,
            own_usage: own.contains(&profile).then(|| policy(9)),
            constraints: None,
            must_staple: false,
        }
    }
}

pub fn end_entities() -> impl Iterator<Item = Profile> {
    Profile::ALL.into_iter().filter(|profile| !profile.is_ca())
}

/// The folder of one vector set, or None after saying that the test is not run.
pub fn vectors(set: &str) -> Option<PathBuf> {
    let root = std::env::var_os("SELO_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join(set);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("NOT RUN: no vectors at {}", folder.display());
    None
}

pub fn wycheproof(file: &str) -> Option<serde_json::Value> {
    let path = vectors("wycheproof")?.join(file);
    Some(serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap())
}

pub fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).unwrap()).collect()
}
