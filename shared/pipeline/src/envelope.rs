//! A message in the form that a topic hands on: prose for mail, JSON for queues and programs, and words to filter by.

use serde::Serialize;

use crate::advice::Message;
use crate::documents::{GradeDocument, RecommendationDocument, SCHEMA_VERSION, VerdictDocument};

/// Most bytes of a message, its attributes counted in.
pub const MOST_BYTES: usize = 262_144;

/// What a subscriber can filter by, each a single word but for the name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// The environment's name.
    pub environment: String,
    /// `change`, `keep`, `none_holds`, `not_trusted` or `not_applicable`.
    pub kind: &'static str,
    /// How the back-test went: `good`, `fair`, `not_trusted`, or `unproven` where there is none.
    pub confidence: &'static str,
}

impl Attributes {
    /// Those of a recommendation.
    pub fn of(recommendation: &RecommendationDocument) -> Self {
        let kind = match recommendation.verdict {
            VerdictDocument::Change => "change",
            VerdictDocument::Keep => "keep",
            VerdictDocument::NoneHolds => "none_holds",
            VerdictDocument::NotTrusted => "not_trusted",
            VerdictDocument::NotApplicable => "not_applicable",
        };
        let confidence = match recommendation.back_test.as_ref().map(|proof| proof.grade) {
            Some(GradeDocument::Good) => "good",
            Some(GradeDocument::Fair) => "fair",
            Some(GradeDocument::NotTrusted) => "not_trusted",
            None => "unproven",
        };
        Self { environment: recommendation.environment.clone(), kind, confidence }
    }

    /// Names and values.
    pub fn pairs(&self) -> [(&'static str, &str); 3] {
        [("environment", &self.environment), ("kind", self.kind), ("confidence", self.confidence)]
    }

    /// Bytes that they count for: name, type and value of each.
    fn bytes(&self) -> usize {
        self.pairs().iter().map(|(name, value)| name.len() + "String".len() + value.len()).sum()
    }
}

/// What a queue or a program gets.
#[derive(Serialize)]
struct ForPrograms<'a> {
    schema_version: u32,
    subject: &'a str,
    advice_id: &'a str,
    environment: &'a str,
    kind: &'a str,
    confidence: &'a str,
    /// Nothing where it would not have fitted: it lies in the archive.
    recommendation: Option<&'a RecommendationDocument>,
}

/// A text for each kind of subscriber, as SNS takes it with `MessageStructure: json`.
#[derive(Serialize)]
struct ByProtocol<'a> {
    default: &'a str,
    email: &'a str,
    sqs: &'a str,
    lambda: &'a str,
    http: &'a str,
    https: &'a str,
    firehose: &'a str,
}

/// The message for every kind of subscriber, in at most [`MOST_BYTES`] with its attributes. What does not fit is left
/// out: first the whole advice for programs, then the end of the prose.
pub fn envelope(message: &Message, recommendation: &RecommendationDocument) -> String {
    let attributes = Attributes::of(recommendation);
    let room = MOST_BYTES - attributes.bytes().min(MOST_BYTES / 2);
    let programs = |whole: bool| for_programs(message, recommendation, &attributes, whole);
    let whole = by_protocol(&message.body, &programs(true));
    if whole.len() <= room {
        return whole;
    }
    let short = programs(false);
    let mut body = message.body.as_str();
    loop {
        let text = by_protocol(body, &short);
        if text.len() <= room || body.is_empty() {
            return text;
        }
        // Both copies of the prose shrink; escapes make each byte worth at least one of those that are too many.
        let cut = ((text.len() - room) / 12).max(1);
        body = shortened(body, cut);
    }
}

fn shortened(text: &str, cut: usize) -> &str {
    let end = text.len().saturating_sub(cut);
    let end = (0..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

fn for_programs(
    message: &Message,
    recommendation: &RecommendationDocument,
    attributes: &Attributes,
    whole: bool,
) -> String {
    let document = ForPrograms {
        schema_version: SCHEMA_VERSION,
        subject: &message.subject,
        advice_id: &recommendation.advice_id,
        environment: &recommendation.environment,
        kind: attributes.kind,
        confidence: attributes.confidence,
        recommendation: whole.then_some(recommendation),
    };
    serde_json::to_string(&document).expect("documents have text as keys and finite numbers")
}

fn by_protocol(prose: &str, json: &str) -> String {
    let texts = ByProtocol {
        default: prose,
        email: prose,
        sqs: json,
        lambda: json,
        http: json,
        https: json,
        firehose: json,
    };
    serde_json::to_string(&texts).expect("texts are texts")
}
