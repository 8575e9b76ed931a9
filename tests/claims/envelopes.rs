//! What a topic is handed: prose for people, JSON for programs, words to filter by, and never more than it takes.

use pipeline::advice::{self, Frame, Message};
use pipeline::documents::RecommendationDocument;
use pipeline::envelope::{Attribute, Attributes, HttpsBody, MOST_BYTES, envelope};
use pipeline::news::{News, Word};
use pipeline::publish::Notification;
use proptest::prelude::*;
use serde_json::Value;

/// An advice as it lies in an archive.
fn recommendation() -> RecommendationDocument {
    let mut document = crate::told::change();
    document.environment = "web-prod".into();
    document
}

fn texts(message: &Message, news: &[News]) -> Value {
    let frame = Frame::default();
    let text = envelope(&Notification { message, news, frame: &frame }, HttpsBody::Json);
    let bytes = |a: &Attribute| a.name.len() + a.data_type.len() + a.value.len();
    let more: usize = Attributes::of(news).listed().iter().map(bytes).sum();
    assert!(text.len() + more <= MOST_BYTES, "{} bytes", text.len() + more);
    serde_json::from_str(&text).unwrap()
}

fn news(recommendation: RecommendationDocument) -> Vec<News> {
    vec![News::of(Word::Advice(Box::new(recommendation)), None, 0.0)]
}

fn attributes(news: &[News]) -> Vec<(&'static str, &'static str, String)> {
    Attributes::of(news).listed().map(|a| (a.name, a.data_type, a.value)).to_vec()
}

#[test]
fn mail_gets_prose_and_programs_get_json() {
    let recommendation = recommendation();
    let message = advice::message(&recommendation);
    let texts = texts(&message, &news(recommendation.clone()));
    assert_eq!(
        (&texts["default"], &texts["email"]),
        (&Value::from(message.body.clone()), &Value::from(message.body.clone()))
    );
    for protocol in ["sqs", "lambda", "http", "https", "firehose"] {
        let json: Value = serde_json::from_str(texts[protocol].as_str().unwrap()).unwrap();
        assert_eq!(json["subject"], message.subject, "{protocol}");
        assert_eq!(json["news"][0]["recommendation"]["advice_id"], recommendation.advice_id, "{protocol}");
    }
}

#[test]
fn attributes_are_words_to_filter_by() {
    let one = news(recommendation());
    let text = |name, value: &str| (name, "String", value.to_owned());
    assert_eq!(
        attributes(&one),
        [text("environment", "web-prod"), text("kind", "change"), text("confidence", "good")]
    );
    // A filter on a word matches an array that has it.
    let other = RecommendationDocument { environment: "api, \"x\"".into(), ..recommendation() };
    let array = |name, value: &str| (name, "String.Array", value.to_owned());
    assert_eq!(
        attributes(&[one, news(other)].concat()),
        [
            array("environment", r#"["web-prod","api, \"x\""]"#),
            array("kind", r#"["change"]"#),
            array("confidence", r#"["good"]"#)
        ]
    );
}

#[test]
fn what_does_not_fit_is_left_out_first_of_the_json_then_of_the_prose() {
    let mut recommendation = recommendation();
    let message = advice::message(&recommendation);
    recommendation.present.as_mut().unwrap().findings = vec!["a finding".repeat(10_000)];
    let news = news(recommendation);
    let long_advice = texts(&message, &news);
    assert_eq!(long_advice["email"], message.body, "the prose is whole");
    let json: Value = serde_json::from_str(long_advice["sqs"].as_str().unwrap()).unwrap();
    let told = &json["news"][0];
    assert_eq!((&told["recommendation"], &told["kind"]), (&Value::Null, &Value::from("change")));
    let long = Message { body: "étude \"quoted\"\n".repeat(40_000), ..message };
    let cut = texts(&long, &news)["email"].as_str().unwrap().to_owned();
    assert!(long.body.starts_with(&cut) && cut.len() > 80_000, "{}", cut.len());
}

#[test]
fn forty_environments_fit_into_one_message() {
    let named =
        |index: u32| RecommendationDocument { environment: format!("web-{index}"), ..recommendation() };
    let all: Vec<News> = (0..40).flat_map(|index| news(named(index))).collect();
    let message = advice::digest(&all, &Frame::default());
    assert_eq!(message.subject, "40 environments: 40 to change");
    let texts = texts(&message, &all);
    let json: Value = serde_json::from_str(texts["sqs"].as_str().unwrap()).unwrap();
    assert_eq!(json["news"].as_array().unwrap().len(), 40);
    let mail = texts["email"].as_str().unwrap();
    assert!((0..40).all(|index| mail.contains(&format!("web-{index}:"))), "{mail}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Escapes make text longer in JSON than it is: whatever it consists of, it fits and stays valid.
    #[test]
    fn any_text_fits(piece in "\\PC{1,40}|[\u{0}-\u{1f}\"\\\\]{1,40}", times in 1..30_000_usize) {
        let recommendation = recommendation();
        let message = Message { subject: "Trellis".into(), body: piece.repeat(times) };
        let texts = texts(&message, &news(recommendation));
        prop_assert!(message.body.starts_with(texts["email"].as_str().unwrap()));
    }
}
