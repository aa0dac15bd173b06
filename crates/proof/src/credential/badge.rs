//! Builds an Open Badges 3.0 credential from plain values.
//!
//! Everything a diploma shows (who, what, field of study, grade, date, institution) becomes a signed field. The
//! holder's name is an identity in the clear, an e-mail address only ever a salted hash. Nodes carry an id wherever the
//! data model has one, which keeps canonicalisation a matter of sorting.
//! Never here: an empty list, a null, a compacted list, a term no context defines.

use serde_json::{Map, Value, json};

use super::{CONTEXT_OB3, CONTEXT_OB3_EXTENSIONS, CONTEXT_V2, Finding, SCHEMA_OB3, check};
use crate::crypto;
use crate::status;

/// The institution.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Issuer {
    /// Its DID or https address.
    pub id: String,
    /// Its name as printed.
    pub name: String,
    /// Its web page.
    pub url: Option<String>,
    /// About it.
    pub description: Option<String>,
    /// Its public e-mail address.
    pub email: Option<String>,
    /// Its logo.
    pub image: Option<Image>,
}

/// A picture by its address (a data address is allowed).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Image {
    /// The address.
    pub id: String,
    /// What it shows, for those who cannot see it.
    pub caption: Option<String>,
}

/// What had to be done.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Criteria {
    /// Address of the criteria.
    pub id: Option<String>,
    /// The criteria in words (Markdown).
    pub narrative: Option<String>,
}

/// What can be achieved: the degree, course or badge.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Achievement {
    /// Its address; the same for all who achieve it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// About it.
    pub description: String,
    /// What has to be done.
    pub criteria: Criteria,
    /// One of the 31 values of the specification (`Diploma`, `MasterDegree`, `Course` …) or `ext:…`.
    pub achievement_type: Option<String>,
    /// Field of study.
    pub field_of_study: Option<String>,
    /// Specialisation.
    pub specialization: Option<String>,
    /// The institution's own code.
    pub human_code: Option<String>,
    /// Language tag.
    pub in_language: Option<String>,
    /// Credits that can be earned.
    pub credits_available: Option<f64>,
    /// Its picture.
    pub image: Option<Image>,
    /// The results that may be reported.
    pub result_descriptions: Vec<ResultDescription>,
    /// Keywords.
    pub tags: Vec<String>,
}

/// A kind of result, for example the final grade.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResultDescription {
    /// Its address.
    pub id: String,
    /// Its name, for example "Classificação final".
    pub name: String,
    /// `LetterGrade`, `Percent`, `RawScore`, `GradePointAverage` … or `ext:…`.
    pub result_type: String,
    /// Lowest value.
    pub value_min: Option<String>,
    /// Highest value.
    pub value_max: Option<String>,
    /// The values allowed, lowest first.
    pub allowed_values: Vec<String>,
}

/// A result of the holder.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ResultLine {
    /// Address of the [`ResultDescription`].
    pub description: Option<String>,
    /// The value, for example "17".
    pub value: Option<String>,
    /// `Completed`, `Failed` …
    pub status: Option<String>,
}

/// A way to recognise the holder.
#[derive(Debug, Clone, PartialEq)]
pub enum Identity {
    /// In the clear: only for what may be public, such as the name.
    Plain {
        /// `identityType`.
        kind: String,
        /// The value.
        value: String,
    },
    /// As SHA-256 of value and salt.
    Hashed {
        /// `identityType`, for example `emailAddress`.
        kind: String,
        /// The value; never stored. E-mail addresses are trimmed and written in lower case before they are hashed.
        value: String,
        /// At least 16 random bytes as text, new for each credential.
        salt: String,
    },
}

/// The holder.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recipient {
    /// A DID or other address of the holder; a random `urn:uuid:` where there is none.
    pub id: Option<String>,
    /// The name as printed.
    pub name: Option<String>,
    /// Further ways to recognise the holder.
    pub identities: Vec<Identity>,
}

/// Evidence by address or in words.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Evidence {
    /// Its address.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// In words.
    pub narrative: Option<String>,
}

/// An Open Badges 3.0 credential to be.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Badge {
    /// `urn:uuid:…`.
    pub id: String,
    /// Its title.
    pub name: String,
    /// About it.
    pub description: Option<String>,
    /// Who issues it.
    pub issuer: Issuer,
    /// RFC 3339 with offset, whole seconds.
    pub valid_from: String,
    /// RFC 3339 with offset, whole seconds.
    pub valid_until: Option<String>,
    /// When it was awarded, RFC 3339 with offset.
    pub awarded_date: Option<String>,
    /// Who holds it.
    pub recipient: Recipient,
    /// What was achieved.
    pub achievement: Achievement,
    /// Results.
    pub results: Vec<ResultLine>,
    /// Credits earned.
    pub credits_earned: Option<f64>,
    /// Number of a licence or diploma register.
    pub license_number: Option<String>,
    /// When the study began, RFC 3339 with offset.
    pub activity_start: Option<String>,
    /// When the study ended, RFC 3339 with offset.
    pub activity_end: Option<String>,
    /// Words about this holder's achievement.
    pub narrative: Option<String>,
    /// Evidence.
    pub evidence: Vec<Evidence>,
    /// Picture of the badge.
    pub image: Option<Image>,
    /// Where its withdrawal can be seen.
    pub status: Option<status::Entry>,
    /// Name the published form of Open Badges.
    pub with_schema: bool,
}

/// `sha256$` and the hexadecimal SHA-256 of value and salt (Open Badges 3.0, IdentityHash). E-mail addresses are
/// trimmed and written in lower case first.
#[must_use]
pub fn identity_hash(kind: &str, value: &str, salt: &str) -> String {
    let normal = if kind == "emailAddress" { value.trim().to_lowercase() } else { value.to_owned() };
    let digest = crypto::sha256(format!("{normal}{salt}").as_bytes());
    format!("sha256${}", crypto::hex(&digest))
}

/// An object that leaves out what is absent.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn of_type(kind: &str) -> Self {
        let mut object = Self::default();
        object.0.insert("type".into(), json!([kind]));
        object
    }

    fn put(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.insert(name.into(), value.into());
        self
    }

    fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.put(name, value),
            None => self,
        }
    }

    fn text(self, name: &str, value: Option<&String>) -> Self {
        self.maybe(name, value.map(String::as_str))
    }

    fn list(self, name: &str, items: Vec<Value>) -> Self {
        if items.is_empty() {
            return self;
        }
        self.put(name, items)
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

impl Image {
    fn to_json(&self) -> Value {
        // the class allows exactly this type, not a list
        Object::default()
            .put("id", self.id.as_str())
            .put("type", "Image")
            .text("caption", self.caption.as_ref())
            .done()
    }
}

impl Issuer {
    fn to_json(&self) -> Value {
        Object::of_type("Profile")
            .put("id", self.id.as_str())
            .put("name", self.name.as_str())
            .text("url", self.url.as_ref())
            .text("description", self.description.as_ref())
            .text("email", self.email.as_ref())
            .maybe("image", self.image.as_ref().map(Image::to_json))
            .done()
    }
}

impl ResultDescription {
    fn to_json(&self) -> Value {
        Object::of_type("ResultDescription")
            .put("id", self.id.as_str())
            .put("name", self.name.as_str())
            .put("resultType", self.result_type.as_str())
            .text("valueMin", self.value_min.as_ref())
            .text("valueMax", self.value_max.as_ref())
            .list("allowedValue", texts(&self.allowed_values))
            .done()
    }
}

fn texts(items: &[String]) -> Vec<Value> {
    items.iter().map(|item| Value::from(item.as_str())).collect()
}

impl Achievement {
    fn to_json(&self) -> Value {
        let criteria = Object::default()
            .text("id", self.criteria.id.as_ref())
            .text("narrative", self.criteria.narrative.as_ref())
            .done();
        let descriptions = self.result_descriptions.iter().map(ResultDescription::to_json).collect();
        Object::of_type("Achievement")
            .put("id", self.id.as_str())
            .put("name", self.name.as_str())
            .put("description", self.description.as_str())
            .put("criteria", criteria)
            .text("achievementType", self.achievement_type.as_ref())
            .text("fieldOfStudy", self.field_of_study.as_ref())
            .text("specialization", self.specialization.as_ref())
            .text("humanCode", self.human_code.as_ref())
            .text("inLanguage", self.in_language.as_ref())
            .maybe("creditsAvailable", self.credits_available)
            .maybe("image", self.image.as_ref().map(Image::to_json))
            .list("resultDescription", descriptions)
            .list("tag", texts(&self.tags))
            .done()
    }
}

impl ResultLine {
    fn to_json(&self) -> Value {
        Object::of_type("Result")
            .text("resultDescription", self.description.as_ref())
            .text("value", self.value.as_ref())
            .text("status", self.status.as_ref())
            .done()
    }
}

impl Identity {
    fn to_json(&self) -> Value {
        // the class allows exactly this type, not a list
        let object = Object::default().put("type", "IdentityObject");
        match self {
            Self::Plain { kind, value } => object
                .put("hashed", false)
                .put("identityHash", value.as_str())
                .put("identityType", kind.as_str())
                .done(),
            Self::Hashed { kind, value, salt } => object
                .put("hashed", true)
                .put("identityHash", identity_hash(kind, value, salt))
                .put("identityType", kind.as_str())
                .put("salt", salt.as_str())
                .done(),
        }
    }
}

impl Evidence {
    fn to_json(&self) -> Value {
        Object::of_type("Evidence")
            .text("id", self.id.as_ref())
            .text("name", self.name.as_ref())
            .text("narrative", self.narrative.as_ref())
            .done()
    }
}

impl Badge {
    /// The credential as JSON, ready for [`crate::integrity::prepare`].
    ///
    /// # Errors
    /// The rules that the values break, by the same check the verifier makes.
    pub fn to_json(&self) -> Result<Value, Vec<Finding>> {
        let document = self.assemble();
        let findings = check(&document);
        if findings.breaches.is_empty() { Ok(document) } else { Err(findings.breaches) }
    }

    fn assemble(&self) -> Value {
        let mut identities = Vec::new();
        if let Some(name) = &self.recipient.name {
            identities.push(Identity::Plain { kind: "name".into(), value: name.clone() });
        }
        identities.extend(self.recipient.identities.iter().cloned());
        let subject = Object::of_type("AchievementSubject")
            .text("id", self.recipient.id.as_ref())
            .list("identifier", identities.iter().map(Identity::to_json).collect())
            .put("achievement", self.achievement.to_json())
            .list("result", self.results.iter().map(ResultLine::to_json).collect())
            .maybe("creditsEarned", self.credits_earned)
            .text("licenseNumber", self.license_number.as_ref())
            .text("activityStartDate", self.activity_start.as_ref())
            .text("activityEndDate", self.activity_end.as_ref())
            .text("narrative", self.narrative.as_ref())
            .done();
        // the type of the form's reference is defined by a context of its own
        let contexts = if self.with_schema {
            json!([CONTEXT_V2, CONTEXT_OB3, CONTEXT_OB3_EXTENSIONS])
        } else {
            json!([CONTEXT_V2, CONTEXT_OB3])
        };
        let schema = json!([{"id": SCHEMA_OB3, "type": "1EdTechJsonSchemaValidator2019"}]);
        Object::default()
            .put("@context", contexts)
            .put("id", self.id.as_str())
            .put("type", json!(["VerifiableCredential", "OpenBadgeCredential"]))
            .put("name", self.name.as_str())
            .text("description", self.description.as_ref())
            .put("issuer", self.issuer.to_json())
            .put("validFrom", self.valid_from.as_str())
            .text("validUntil", self.valid_until.as_ref())
            .text("awardedDate", self.awarded_date.as_ref())
            .put("credentialSubject", subject)
            .list("evidence", self.evidence.iter().map(Evidence::to_json).collect())
            .maybe("image", self.image.as_ref().map(Image::to_json))
            .maybe("credentialStatus", self.status.as_ref().map(status::Entry::to_json))
            .maybe("credentialSchema", self.with_schema.then_some(schema))
            .done()
    }
}
