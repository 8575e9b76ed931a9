//! What a topic is handed: prose for people, JSON for programs, words to filter by, and never more than it takes.

use pipeline::advice::{self, Message};
use pipeline::documents::RecommendationDocument;
use pipeline::envelope::{Attributes, MOST_BYTES, envelope};
use proptest::prelude::*;
use serde_json::Value;

/// An advice as it lies in an archive.
fn recommendation() -> RecommendationDocument {
    let mut document = crate::stages::with_advice().1;
    document.environment = "web-prod".into();
    document
}

fn texts(message: &Message, recommendation: &RecommendationDocument) -> Value {
    let text = envelope(message, recommendation);
    let attributes = Attributes::of(recommendation);
    let more: usize = attributes.pairs().iter().map(|(name, value)| name.len() + 6 + value.len()).sum();
    assert!(text.len() + more <= MOST_BYTES, "{} bytes", text.len() + more);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn mail_gets_prose_and_programs_get_json() {
    let recommendation = recommendation();
    let message = advice::message(&recommendation);
    let texts = texts(&message, &recommendation);
    assert_eq!(
        (&texts["default"], &texts["email"]),
        (&Value::from(message.body.clone()), &Value::from(message.body.clone()))
    );
    for protocol in ["sqs", "lambda", "http", "https", "firehose"] {
        let json: Value = serde_json::from_str(texts[protocol].as_str().unwrap()).unwrap();
        assert_eq!(json["subject"], message.subject, "{protocol}");
        assert_eq!(json["recommendation"]["advice_id"], recommendation.advice_id, "{protocol}");
    }
}

#[test]
fn attributes_are_words_to_filter_by() {
    let attributes = Attributes::of(&recommendation());
    assert_eq!(attributes.pairs(), [("environment", "web-prod"), ("kind", "change"), ("confidence", "good")]);
}

#[test]
fn what_does_not_fit_is_left_out_first_of_the_json_then_of_the_prose() {
    let mut recommendation = recommendation();
    let message = advice::message(&recommendation);
    recommendation.present.as_mut().unwrap().findings = vec!["a finding".repeat(10_000)];
    let long_advice = texts(&message, &recommendation);
    assert_eq!(long_advice["email"], message.body, "the prose is whole");
    let json: Value = serde_json::from_str(long_advice["sqs"].as_str().unwrap()).unwrap();
    assert_eq!((&json["recommendation"], &json["kind"]), (&Value::Null, &Value::from("change")));
    let long = Message { body: "étude \"quoted\"\n".repeat(40_000), ..message };
    let cut = texts(&long, &recommendation)["email"].as_str().unwrap().to_owned();
    assert!(long.body.starts_with(&cut) && cut.len() > 80_000, "{}", cut.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Escapes make text longer in JSON than it is: whatever it consists of, it fits and stays valid.
    #[test]
    fn any_text_fits(piece in "\\PC{1,40}|[\u{0}-\u{1f}\"\\\\]{1,40}", times in 1..30_000_usize) {
        let recommendation = recommendation();
        let message = Message { subject: "Trellis".into(), body: piece.repeat(times) };
        let texts = texts(&message, &recommendation);
        prop_assert!(message.body.starts_with(texts["email"].as_str().unwrap()));
    }
}
