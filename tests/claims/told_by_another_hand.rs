//! What readers are told, worked out by hand from the README by someone who had not read how messages are made.

use pipeline::advice::{self, Frame, Message, digest};
use pipeline::documents::{BackTestDocument, RecommendationDocument};
use pipeline::news::News;

use crate::in_one_line;
use crate::told::{change, none_holds, one_of_each, renamed};

fn told(advice: &RecommendationDocument) -> (String, String) {
    let Message { subject, body } = advice::message(advice);
    (subject, in_one_line(&body))
}

/// The usual advice with other instance hours.
fn hours(now: f64, then: f64) -> String {
    let mut advice = change();
    advice.present.as_mut().unwrap().outcome.as_mut().unwrap().instance_hours = now;
    advice.recommended.as_mut().unwrap().outcome.instance_hours = then;
    // Settings that do not hold are left for dearer ones too.
    advice.present.as_mut().unwrap().fails_with = vec!["1.25 times the traffic".into()];
    told(&advice).0
}

#[test]
fn hours_are_told_as_a_share_of_those_now_and_as_the_same_where_they_are() {
    let cases = [
        (100.0, 103.0, ": 3 % more instance-hours,"),
        (100.0, 250.0, ": 150 % more instance-hours,"),
        (100.0, 50.0, ": 50 % fewer instance-hours,"),
        (100.0, 99.6, ": the same instance-hours,"),
        (100.0, 100.4, ": the same instance-hours,"),
    ];
    for (now, then, words) in cases {
        assert!(hours(now, then).contains(words), "{now} {then}: {}", hours(now, then));
    }
}

/// 30 % are to be held, and a replay has to stay under 29.2: what is counted is not over 30.
#[test]
fn minutes_are_told_with_the_cpu_that_they_are_counted_from() {
    let advice = none_holds();
    let counted = advice.recommended.as_ref().unwrap().outcome.minutes_over;
    let (subject, body) = told(&advice);
    let level = format!("{:.1} %", advice.cpu_held_percent);
    assert!(
        subject.ends_with(&format!("the closest is at {level} or over for {counted} minutes")),
        "{subject}"
    );
    assert!(body.contains(&format!("minutes at or over {level}")), "{body}");
}

#[test]
fn settings_that_are_not_known_are_not_told_as_not_set() {
    let advice = RecommendationDocument { present: None, back_test: None, ..change() };
    let (subject, body) = told(&advice);
    assert!(body.contains("UpperThreshold unknown 47") && !body.contains("not set"), "{body}");
    assert!(body.contains("How to undo: the present settings are not known here."), "{body}");
    assert!(!body.contains("options-to-remove") && !subject.contains(", not "), "{subject}");
}

/// The usual advice with another back-test.
fn proven(change_proof: impl FnOnce(&mut BackTestDocument)) -> String {
    let mut advice = change();
    change_proof(advice.back_test.as_mut().unwrap());
    told(&advice).1
}

#[test]
fn an_error_that_rounds_to_zero_has_no_sign_in_a_sentence_either() {
    let body = proven(|proof| proof.counts.as_mut().unwrap().hours_bias = -0.000_4);
    assert!(body.contains("give +0.0 % instance hours") && !body.contains("-0.0"), "{body}");
}

#[test]
fn one_of_something_is_not_told_as_several() {
    let body = proven(|proof| {
        let counts = proof.counts.as_mut().unwrap();
        (counts.recorded_events, counts.replayed_events, counts.matched_events) = (1, 1, 0);
        proof.saturated_minutes = 1;
    });
    assert!(body.contains("0 of 1 change within two minutes"), "{body}");
    assert!(body.contains("CPU was saturated in one minute, which was left out."), "{body}");
    let mut advice = change();
    (advice.candidates.replayed, advice.candidates.oscillating) = (1, 1);
    let body = told(&advice).1;
    assert!(body.contains("1 policy was replayed") && body.contains("1 more was not replayed"), "{body}");
}

#[test]
fn cpu_below_the_ceiling_is_never_rounded_up_to_it() {
    let mut advice = change();
    advice.recommended.as_mut().unwrap().outcome.max_cpu_percent = 49.999;
    let (subject, body) = told(&advice);
    assert!(subject.ends_with("peak CPU 49.99 %"), "{subject}");
    assert!(body.contains("highest CPU % 32.00 49.99 "), "{body}");
}

#[test]
fn a_subject_of_many_kinds_is_not_cut_in_the_middle_of_one() {
    let name = |(i, (_, news)): (usize, (_, News))| renamed(news, &format!("env-{i}"));
    let news: Vec<News> = one_of_each().into_iter().enumerate().map(name).collect();
    let Message { subject, .. } = digest(&news, &Frame::default());
    let counts = subject.split_once(": ").unwrap().1.strip_suffix(", and more").unwrap();
    let has_words = |part: &str| {
        part.split_once(' ').is_some_and(|(n, words)| n.parse::<u32>().is_ok() && words.len() > 3)
    };
    assert!(subject.len() < 100 && counts.split(", ").all(has_words), "{subject}");
}

#[test]
fn traffic_to_watch_is_the_peak_times_the_room() {
    let mut advice = change();
    (advice.room, advice.traffic.peak_requests_per_minute) = (Some(1.25), 1000.0);
    assert!(told(&advice).1.contains("peaks over 1250 requests per minute (1.25 times"));
}
