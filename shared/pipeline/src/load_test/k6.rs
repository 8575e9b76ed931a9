//! A load test as a script for k6.

use std::fmt::Write as _;

use super::{LoadTest, SIGNATURE, filled_words, quoted};

/// Virtual users wait for answers: so many seconds of them at the peak before k6 drops a request, and to begin with.
const SLOWEST_ANSWER_SECONDS: f64 = 1.0;
const USUAL_ANSWER_SECONDS: f64 = 0.2;
/// Requests that may be dropped before it is said that the shape was not followed.
const DROPPED_SHARE: f64 = 0.05;

pub(super) fn write(test: &LoadTest) -> String {
    let at_peak = |seconds: f64| (test.peak() / 60.0 * seconds).ceil().max(1.0).to_string();
    let first = test.legs.first().map_or(0.0, |leg| leg.from);
    include_str!("k6.js")
        .replace("{signature}", SIGNATURE)
        .replace("{filled}", &filled_words(test.filled))
        .replace("{start_rate}", &first.round().to_string())
        .replace("{usual_users}", &at_peak(USUAL_ANSWER_SECONDS))
        .replace("{most_users}", &at_peak(SLOWEST_ANSWER_SECONDS))
        .replace("{most_dropped}", &(test.requests() * DROPPED_SHARE).floor().to_string())
        .replace("{stages}", &stages(test))
        // Last: nothing in a name is a place for something else.
        .replace("{shape}", &literal(&test.name))
}

/// A row a stage; a jump is one that takes no time. k6 counts whole requests.
fn stages(test: &LoadTest) -> String {
    let mut rows = String::new();
    let mut at = test.legs.first().map_or(0.0, |leg| leg.from.round());
    for leg in &test.legs {
        let (from, to) = (leg.from.round(), leg.to.round());
        if from.total_cmp(&at).is_ne() {
            row(&mut rows, 0, from);
        }
        row(&mut rows, leg.milliseconds, to);
        at = to;
    }
    rows.trim_end().to_owned()
}

fn row(rows: &mut String, milliseconds: u64, target: f64) {
    let _ = writeln!(rows, "    {{ duration: '{}', target: {target} }},", duration(milliseconds));
}

fn duration(milliseconds: u64) -> String {
    match milliseconds {
        0 => "0s".to_owned(),
        whole if whole % 60_000 == 0 => format!("{}m", whole / 60_000),
        whole if whole % 1_000 == 0 => format!("{}s", whole / 1_000),
        milliseconds => format!("{milliseconds}ms"),
    }
}

/// Text as JavaScript has it.
fn literal(text: &str) -> String {
    quoted(text, |character| format!("\\u{{{:x}}}", u32::from(character)))
}
