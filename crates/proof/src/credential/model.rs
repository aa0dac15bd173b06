//! The classes of Open Badges 3.0 as a table: which members, of what kind, how many.
//!
//! Drawn from the data model of the specification (§ "Verifiable Credentials Data Model", classes and enumerations).
//! Never here: behaviour; `rules.rs` walks the table.

/// What a member's value looks like.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Text,
    Uri,
    Number,
    Bool,
    Time,
    /// One of the values, or `ext:…` where extensible.
    Choice(&'static [&'static str], bool),
    Node(&'static Class),
    /// An address, or the node itself.
    NodeOrUri(&'static Class),
}

/// One member of a class.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub name: &'static str,
    pub kind: Kind,
    pub required: bool,
    pub many: bool,
}

/// A class: its type's name (none for classes without `type`) and members.
#[derive(Debug)]
pub(super) struct Class {
    pub name: Option<&'static str>,
    pub members: &'static [Member],
}

const fn one(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: false, many: false }
}

const fn must(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: true, many: false }
}

const fn many(name: &'static str, kind: Kind) -> Member {
    Member { name, kind, required: false, many: true }
}

pub(super) const ACHIEVEMENT_TYPES: &[&str] = &[
    "Achievement",
    "ApprenticeshipCertificate",
    "Assessment",
    "Assignment",
    "AssociateDegree",
    "Award",
    "Badge",
    "BachelorDegree",
    "Certificate",
    "CertificateOfCompletion",
    "Certification",
    "CommunityService",
    "Competency",
    "Course",
    "CoCurricular",
    "Degree",
    "Diploma",
    "DoctoralDegree",
    "Fieldwork",
    "GeneralEducationDevelopment",
    "JourneymanCertificate",
    "LearningProgram",
    "License",
    "Membership",
    "ProfessionalDoctorate",
    "QualityAssuranceCredential",
    "MasterCertificate",
    "MasterDegree",
    "MicroCredential",
    "ResearchDoctorate",
    "SecondarySchoolDiploma",
];

const IDENTIFIER_TYPES: &[&str] = &[
    "name",
    "sourcedId",
    "systemId",
    "productId",
    "userName",
    "accountId",
    "emailAddress",
    "nationalIdentityNumber",
    "isbn",
    "issn",
    "lisSourcedId",
    "oneRosterSourcedId",
    "sisSourcedId",
    "ltiContextId",
    "ltiDeploymentId",
    "ltiToolId",
    "ltiPlatformId",
    "ltiUserId",
    "identifier",
];

const RESULT_TYPES: &[&str] = &[
    "GradePointAverage",
    "LetterGrade",
    "Percent",
    "PerformanceLevel",
    "PredictedScore",
    "RawScore",
    "Result",
    "RubricCriterion",
    "RubricCriterionLevel",
    "RubricScore",
    "ScaledScore",
    "Status",
];

const RESULT_STATUSES: &[&str] =
    &["Completed", "Enrolled", "Failed", "InProgress", "OnHold", "Provisional", "Withdrew"];

const TARGET_TYPES: &[&str] = &[
    "ceasn:Competency",
    "ceterms:Credential",
    "CFItem",
    "CFRubric",
    "CFRubricCriterion",
    "CFRubricCriterionLevel",
    "CTDL",
];

static IMAGE: Class =
    Class { name: Some("Image"), members: &[must("id", Kind::Uri), one("caption", Kind::Text)] };

static GEO: Class = Class {
    name: Some("GeoCoordinates"),
    members: &[one("latitude", Kind::Number), one("longitude", Kind::Number)],
};

static ADDRESS: Class = Class {
    name: Some("Address"),
    members: &[
        one("addressCountry", Kind::Text),
        one("addressCountryCode", Kind::Text),
        one("addressRegion", Kind::Text),
        one("addressLocality", Kind::Text),
        one("streetAddress", Kind::Text),
        one("postOfficeBoxNumber", Kind::Text),
        one("postalCode", Kind::Text),
        one("geo", Kind::Node(&GEO)),
    ],
};

static IDENTIFIER_ENTRY: Class = Class {
    name: Some("IdentifierEntry"),
    members: &[must("identifier", Kind::Text), must("identifierType", Kind::Choice(IDENTIFIER_TYPES, true))],
};

static IDENTITY_OBJECT: Class = Class {
    name: Some("IdentityObject"),
    members: &[
        must("hashed", Kind::Bool),
        must("identityHash", Kind::Text),
        must("identityType", Kind::Choice(IDENTIFIER_TYPES, true)),
        one("salt", Kind::Text),
    ],
};

/// An endorsement is a credential of its own; here only its kind is looked at.
static ENDORSEMENT: Class = Class {
    name: Some("EndorsementCredential"),
    members: &[must("id", Kind::Uri), must("name", Kind::Text)],
};

pub(super) static PROFILE: Class = Class {
    name: Some("Profile"),
    members: &[
        must("id", Kind::Uri),
        one("name", Kind::Text),
        one("url", Kind::Uri),
        one("phone", Kind::Text),
        one("description", Kind::Text),
        many("endorsement", Kind::Node(&ENDORSEMENT)),
        many("endorsementJwt", Kind::Text),
        one("image", Kind::Node(&IMAGE)),
        one("email", Kind::Text),
        one("address", Kind::Node(&ADDRESS)),
        many("otherIdentifier", Kind::Node(&IDENTIFIER_ENTRY)),
        one("official", Kind::Text),
        one("parentOrg", Kind::Node(&PROFILE)),
        one("familyName", Kind::Text),
        one("givenName", Kind::Text),
        one("additionalName", Kind::Text),
        one("dateOfBirth", Kind::Text),
    ],
};

static ALIGNMENT: Class = Class {
    name: Some("Alignment"),
    members: &[
        one("targetCode", Kind::Text),
        one("targetDescription", Kind::Text),
        must("targetName", Kind::Text),
        one("targetFramework", Kind::Text),
        one("targetType", Kind::Choice(TARGET_TYPES, true)),
        must("targetUrl", Kind::Uri),
    ],
};

static CRITERIA: Class = Class { name: None, members: &[one("id", Kind::Uri), one("narrative", Kind::Text)] };

static RELATED: Class = Class {
    name: Some("Related"),
    members: &[must("id", Kind::Uri), one("inLanguage", Kind::Text), one("version", Kind::Text)],
};

static RUBRIC_CRITERION_LEVEL: Class = Class {
    name: Some("RubricCriterionLevel"),
    members: &[
        must("id", Kind::Uri),
        many("alignment", Kind::Node(&ALIGNMENT)),
        one("description", Kind::Text),
        one("level", Kind::Text),
        must("name", Kind::Text),
        one("points", Kind::Text),
    ],
};

static RESULT_DESCRIPTION: Class = Class {
    name: Some("ResultDescription"),
    members: &[
        must("id", Kind::Uri),
        many("alignment", Kind::Node(&ALIGNMENT)),
        many("allowedValue", Kind::Text),
        must("name", Kind::Text),
        one("requiredLevel", Kind::Uri),
        one("requiredValue", Kind::Text),
        must("resultType", Kind::Choice(RESULT_TYPES, true)),
        many("rubricCriterionLevel", Kind::Node(&RUBRIC_CRITERION_LEVEL)),
        one("valueMax", Kind::Text),
        one("valueMin", Kind::Text),
    ],
};

static RESULT: Class = Class {
    name: Some("Result"),
    members: &[
        one("achievedLevel", Kind::Uri),
        many("alignment", Kind::Node(&ALIGNMENT)),
        one("resultDescription", Kind::Uri),
        one("status", Kind::Choice(RESULT_STATUSES, false)),
        one("value", Kind::Text),
    ],
};

static ACHIEVEMENT: Class = Class {
    name: Some("Achievement"),
    members: &[
        must("id", Kind::Uri),
        many("alignment", Kind::Node(&ALIGNMENT)),
        one("achievementType", Kind::Choice(ACHIEVEMENT_TYPES, true)),
        one("creator", Kind::Node(&PROFILE)),
        one("creditsAvailable", Kind::Number),
        must("criteria", Kind::Node(&CRITERIA)),
        must("description", Kind::Text),
        many("endorsement", Kind::Node(&ENDORSEMENT)),
        many("endorsementJwt", Kind::Text),
        one("fieldOfStudy", Kind::Text),
        one("humanCode", Kind::Text),
        one("image", Kind::Node(&IMAGE)),
        one("inLanguage", Kind::Text),
        must("name", Kind::Text),
        many("otherIdentifier", Kind::Node(&IDENTIFIER_ENTRY)),
        many("related", Kind::Node(&RELATED)),
        many("resultDescription", Kind::Node(&RESULT_DESCRIPTION)),
        one("specialization", Kind::Text),
        many("tag", Kind::Text),
        one("version", Kind::Text),
    ],
};

pub(super) static ACHIEVEMENT_SUBJECT: Class = Class {
    name: Some("AchievementSubject"),
    members: &[
        one("id", Kind::Uri),
        one("activityEndDate", Kind::Time),
        one("activityStartDate", Kind::Time),
        one("creditsEarned", Kind::Number),
        must("achievement", Kind::Node(&ACHIEVEMENT)),
        many("identifier", Kind::Node(&IDENTITY_OBJECT)),
        one("image", Kind::Node(&IMAGE)),
        one("licenseNumber", Kind::Text),
        one("narrative", Kind::Text),
        many("result", Kind::Node(&RESULT)),
        one("role", Kind::Text),
        one("source", Kind::Node(&PROFILE)),
        one("term", Kind::Text),
    ],
};

pub(super) static ENDORSEMENT_SUBJECT: Class = Class {
    name: Some("EndorsementSubject"),
    members: &[must("id", Kind::Uri), one("endorsementComment", Kind::Text)],
};

static EVIDENCE: Class = Class {
    name: Some("Evidence"),
    members: &[
        one("id", Kind::Uri),
        one("narrative", Kind::Text),
        one("name", Kind::Text),
        one("description", Kind::Text),
        one("genre", Kind::Text),
        one("audience", Kind::Text),
    ],
};

/// Members of the credential itself that Open Badges adds or narrows.
pub(super) static BADGE: Class = Class {
    name: None,
    members: &[
        must("id", Kind::Uri),
        one("image", Kind::Node(&IMAGE)),
        one("awardedDate", Kind::Time),
        many("endorsement", Kind::Node(&ENDORSEMENT)),
        many("endorsementJwt", Kind::Text),
        many("evidence", Kind::Node(&EVIDENCE)),
        must("issuer", Kind::NodeOrUri(&PROFILE)),
    ],
};
