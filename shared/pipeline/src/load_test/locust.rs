//! A load test as a file for Locust.

use super::{LoadTest, SIGNATURE, filled_words, quoted, short};

/// So many users at the peak make a rate that is followed closely, if they don't have to wait for too long.
const USERS_AT_PEAK: f64 = 200.0;
const SHORTEST_SECONDS: f64 = 2.0;
const LONGEST_SECONDS: f64 = 20.0;

pub(super) fn write(test: &LoadTest) -> String {
    include_str!("locust.py")
        .replace("{signature}", SIGNATURE)
        .replace("{filled}", &filled_words(test.filled))
        .replace("{seconds_between_tasks}", &seconds_between_tasks(test.peak()).to_string())
        .replace("{legs}", &legs(test))
        // Last: nothing in a name is a place for something else.
        .replace("{shape}", &literal(&test.name))
}

fn seconds_between_tasks(peak: f64) -> f64 {
    (60.0 * USERS_AT_PEAK / peak).round().clamp(SHORTEST_SECONDS, LONGEST_SECONDS)
}

/// A row a leg: when it ends, and its rates.
fn legs(test: &LoadTest) -> String {
    let mut end = 0;
    let row = |leg: &super::Leg| {
        end += leg.milliseconds;
        format!("    ({}, {}, {}),\n", end as f64 / 1000.0, short(leg.from), short(leg.to))
    };
    test.legs.iter().map(row).collect::<String>().trim_end().to_owned()
}

/// Text as Python has it.
fn literal(text: &str) -> String {
    quoted(text, |character| format!("\\U{:08x}", u32::from(character)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_many_enough_and_wait_neither_long_nor_shortly() {
        for (requests_per_minute, seconds) in [(150_000.0, 2.0), (6_000.0, 2.0), (2_400.0, 5.0), (6.0, 20.0)]
        {
            assert!((seconds_between_tasks(requests_per_minute) - seconds).abs() < 1e-9);
        }
    }
}
