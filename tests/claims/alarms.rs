//! CloudWatch's table of missing data, and the alarm's edges.

use scaling::alarm::{AlarmRule, AlarmState, Breach, MissingData};

fn points(text: &str) -> Vec<Breach> {
    let point = |word: &str| match word {
        "X" => Some(true),
        "0" => Some(false),
        _ => None,
    };
    text.split_whitespace().map(point).collect()
}

/// `expected`: the state under missing, ignore, breaching, notBreaching.
fn check(m: usize, text: &str, expected: [&str; 4]) {
    let treatments =
        [MissingData::Missing, MissingData::Ignore, MissingData::Breaching, MissingData::NotBreaching];
    for (missing_data, expected) in treatments.into_iter().zip(expected) {
        let rule = AlarmRule { evaluation_periods: 3, datapoints_to_alarm: m, missing_data };
        for before in [AlarmState::Ok, AlarmState::Alarm, AlarmState::InsufficientData] {
            let expected = match expected {
                "OK" => AlarmState::Ok,
                "ALARM" => AlarmState::Alarm,
                "INSUFFICIENT_DATA" => AlarmState::InsufficientData,
                _ => before,
            };
            let state = rule.evaluate(&points(text), before);
            assert_eq!(state, expected, "{m} of 3, `{text}`, {missing_data:?}, before {before:?}");
        }
    }
}

#[test]
fn missing_points_count_as_the_guides_table_has_them() {
    check(3, "0 - X - X", ["OK", "OK", "OK", "OK"]);
    check(3, "0 - - - -", ["OK", "OK", "OK", "OK"]);
    check(3, "- - - - -", ["INSUFFICIENT_DATA", "keep", "ALARM", "OK"]);
    check(3, "0 X X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]);
    check(3, "- - X - -", ["ALARM", "keep", "ALARM", "OK"]);
    check(2, "0 - X - X", ["ALARM", "ALARM", "ALARM", "ALARM"]);
    check(2, "0 0 X 0 X", ["ALARM", "ALARM", "ALARM", "ALARM"]);
    check(2, "0 - X - -", ["OK", "OK", "ALARM", "OK"]);
    check(2, "- - - - 0", ["OK", "OK", "ALARM", "OK"]);
    check(2, "- - - X -", ["ALARM", "keep", "ALARM", "OK"]);
}

#[test]
fn only_as_many_points_as_are_evaluated_decide_when_all_are_real() {
    check(3, "X X X X 0", ["OK", "OK", "OK", "OK"]);
    check(3, "0 0 X X X", ["ALARM", "ALARM", "ALARM", "ALARM"]);
}
