//! What readers were told, and why there is nothing to tell.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{GradeDocument, OptionDocument, OutcomeDocument, RecommendationDocument};

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Trust in what was said before is lost: the back-test got worse, or requests cost something else.
    TrustLost,
    /// The present settings can't work as meant.
    InvalidSettings,
    /// Nothing that was tried holds.
    NoneHolds,
    /// Settings to take.
    Change,
    /// The replay is not to be trusted, and never was.
    NotTrusted,
    /// There is no advice to be had from what is known.
    NoAdvice,
    /// A single instance has no trigger.
    NotApplicable,
    /// Nothing to change.
    Keep,
}

impl Kind {
    /// As filters have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::TrustLost => "trust_lost",
            Self::InvalidSettings => "invalid_settings",
            Self::NoneHolds => "none_holds",
            Self::Change => "change",
            Self::NotTrusted => "not_trusted",
            Self::NoAdvice => "no_advice",
            Self::NotApplicable => "not_applicable",
            Self::Keep => "keep",
        }
    }
}

/// How the back-test went, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// There is none.
    Unproven,
    /// Neither close nor near enough.
    NotTrusted,
    /// Near enough.
    Fair,
    /// Close.
    Good,
}

impl Confidence {
    /// That of an advice.
    pub fn of(recommendation: &RecommendationDocument) -> Self {
        match recommendation.back_test.as_ref().map(|proof| proof.grade) {
            Some(GradeDocument::Good) => Self::Good,
            Some(GradeDocument::Fair) => Self::Fair,
            Some(GradeDocument::NotTrusted) => Self::NotTrusted,
            None => Self::Unproven,
        }
    }

    /// As people read it.
    pub fn said(self) -> &'static str {
        match self {
            Self::Unproven => "unproven",
            Self::NotTrusted => GradeDocument::NotTrusted.said(),
            Self::Fair => GradeDocument::Fair.said(),
            Self::Good => GradeDocument::Good.said(),
        }
    }

    /// As filters have it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unproven => "unproven",
            Self::NotTrusted => "not_trusted",
            Self::Fair => "fair",
            Self::Good => "good",
        }
    }
}

/// `refusals/…/<stage>.json`: why a stage last had nothing to give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefusalDocument {
    /// [`SCHEMA_VERSION`](super::SCHEMA_VERSION).
    pub schema_version: u32,
    /// The environment.
    pub environment: String,
    /// The end of the time that was looked at.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub until: Timestamp,
    /// The stage that refused first: `ingest`, `refit` or `sweep`.
    pub stage: String,
    /// Which reason it is, in a word that stays the same from day to day.
    pub code: String,
    /// The reason.
    pub reason: String,
    /// What would help.
    pub help: String,
}

/// A change that readers were told to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ToldChange {
    /// When they were told.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub at: Timestamp,
    /// The end of the traffic by which it was advised.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub until: Timestamp,
    /// Every option that it consists of.
    pub options: Vec<OptionDocument>,
}

/// A change that was told, on today's traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ToldDocument {
    /// When it was told.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub at: Timestamp,
    /// Every option that it consists of.
    pub options: Vec<OptionDocument>,
    /// What it does to the traffic.
    pub outcome: OutcomeDocument,
    /// Whether it holds in all that the recommended settings hold in.
    pub holds: bool,
}

/// Trust that got worse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrustBefore {
    /// How the back-test went.
    pub confidence: Confidence,
    /// When readers were told so.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub at: Timestamp,
}

/// `published/…/latest.json`: what the readers were last told. Fields that early records did not have are absent there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PublishedDocument {
    /// [`SCHEMA_VERSION`](super::SCHEMA_VERSION).
    pub schema_version: u32,
    /// Which word it was.
    pub advice_id: String,
    /// When.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub at: Timestamp,
    /// Whether the telling is known to have come to its end.
    pub confirmed: bool,
    /// Which run told it, or is to: by this it knows its own record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claimed_by: Option<String>,
    /// The last change of what a request costs that they were told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub drift_since: Option<Timestamp>,
    /// What it was about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// How the back-test went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
    /// The trust that readers had before, and since when, where it got worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust_before: Option<TrustBefore>,
    /// The end of the time that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub until: Option<Timestamp>,
    /// The change that it told them to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<ToldChange>,
    /// The change that the word before it had told them to make.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_before: Option<ToldChange>,
}

impl PublishedDocument {
    /// The change in force when traffic up to `until` was looked at: the same answer for a second run, which comes after
    /// the first one's telling.
    pub fn change_by(&self, until: Timestamp) -> Option<&ToldChange> {
        let is_earlier = self.until.is_none_or(|of_this| of_this < until);
        if is_earlier { self.change.as_ref() } else { self.change_before.as_ref() }
    }
}
