//! Traffic for load testers: the same shape as a file for Locust, and as one for k6.
//!
//! Stages are straight lines, as they were given. A recorded minute keeps its rate from its start to its end, so that as
//! many requests come in it as were recorded; minutes that are not known lie on a straight line between those that are.

mod k6;
mod locust;

use std::fmt::Write as _;
use std::str::FromStr;

use scaling::traffic::{Stage, Traffic};
use scaling::units::{RequestsPerMinute, UnitError};

const MILLISECONDS_PER_MINUTE: f64 = 60_000.0;

/// How a load test plays traffic.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Pace {
    /// Times as fast: at 24 a day takes an hour. Rates stay as they are.
    pub speed: Times,
    /// Times the requests.
    pub scale: Times,
}

/// A factor, over 0 and up to 1000.
///
/// ```
/// use pipeline::load_test::Times;
///
/// assert_eq!("0.1".parse::<Times>()?.get(), 0.1);
/// let refused = "0".parse::<Times>().unwrap_err();
/// assert_eq!(refused, "the factor must be over 0 and up to 1000, not `0`");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Times(f64);

impl Times {
    /// Refuses what makes nothing of the traffic, or more than a test could be meant to be.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        let (quantity, expected) = ("the factor", "over 0 and up to 1000");
        let valid = 0.0 < value && value <= 1000.0;
        valid.then_some(Self(value)).ok_or(UnitError::OutOfRange { quantity, expected, value })
    }

    /// The factor.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl Default for Times {
    fn default() -> Self {
        Self(1.0)
    }
}

impl FromStr for Times {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let factor = text.trim().trim_end_matches('x').parse();
        Self::new(factor.map_err(|_| format!("`{text}` is not a number"))?).map_err(|error| error.to_string())
    }
}

/// Why traffic makes no load test.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LoadTestError {
    /// Nobody asks for anything.
    #[error("the traffic has no requests")]
    NoRequests,
    /// More requests than there are numbers.
    #[error("that many times the requests are too many")]
    TooMany(#[from] UnitError),
}

/// Traffic as a load test plays it.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadTest {
    name: String,
    legs: Vec<Leg>,
    filled: usize,
}

/// A straight line of requests per minute; the next one begins where, or jumps when, this one ends.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Leg {
    milliseconds: u64,
    from: f64,
    to: f64,
}

impl Leg {
    fn is_level_with(&self, next: &Self) -> bool {
        [self.to, next.from, next.to].iter().all(|rate| self.from.total_cmp(rate).is_eq())
    }
}

impl LoadTest {
    /// Stages one after the other, from 0 before the first.
    ///
    /// ```
    /// use pipeline::load_test::{LoadTest, Pace};
    /// use pipeline::values::Stages;
    ///
    /// let Stages(stages) = "10:30000,8:150000".parse()?;
    /// let test = LoadTest::staged("a launch", &stages, Pace::default())?;
    /// assert_eq!((test.seconds(), test.peak(), test.requests()), (1080.0, 150_000.0, 870_000.0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn staged(name: &str, stages: &[Stage], pace: Pace) -> Result<Self, LoadTestError> {
        let mut from = 0.0;
        let lines = stages.iter().map(|stage| {
            let to = stage.target.get();
            (f64::from(stage.duration.0), std::mem::replace(&mut from, to), to)
        });
        Self::of(name, lines, 0, pace)
    }

    /// What was recorded, from the first known minute to the last.
    pub fn recorded(name: &str, traffic: &Traffic, pace: Pace) -> Result<Self, LoadTestError> {
        let (rates, filled) = without_gaps(&traffic.requests_per_minute);
        Self::of(name, rates.into_iter().map(|rate| (1.0, rate, rate)), filled, pace)
    }

    /// Lines of so many minutes, from a rate to another.
    fn of(
        name: &str,
        lines: impl Iterator<Item = (f64, f64, f64)>,
        filled: usize,
        pace: Pace,
    ) -> Result<Self, LoadTestError> {
        let (mut minutes, mut end, mut legs) = (0.0, 0, Vec::<Leg>::new());
        for (duration, from, to) in lines {
            minutes += duration;
            // Rounded ends add up to no drift.
            let start = end;
            end = (minutes * MILLISECONDS_PER_MINUTE / pace.speed.get()).round() as u64;
            let [from, to] = [scaled(from, pace)?, scaled(to, pace)?];
            let leg = Leg { milliseconds: end - start, from, to };
            match legs.last_mut() {
                Some(last) if last.is_level_with(&leg) => last.milliseconds += leg.milliseconds,
                _ => legs.push(leg),
            }
        }
        let test = Self { name: named(name, pace), legs, filled };
        if test.peak() > 0.0 { Ok(test) } else { Err(LoadTestError::NoRequests) }
    }

    /// What it plays.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How long it takes.
    pub fn seconds(&self) -> f64 {
        self.legs.iter().map(|leg| leg.milliseconds).sum::<u64>() as f64 / 1000.0
    }

    /// The greatest rate, requests per minute.
    pub fn peak(&self) -> f64 {
        self.legs.iter().fold(0.0, |peak, leg| peak.max(leg.from).max(leg.to))
    }

    /// Requests in all.
    pub fn requests(&self) -> f64 {
        let of = |leg: &Leg| leg.milliseconds as f64 / MILLISECONDS_PER_MINUTE * (leg.from + leg.to) / 2.0;
        self.legs.iter().map(of).sum()
    }

    /// Minutes that were not known.
    pub fn filled(&self) -> usize {
        self.filled
    }

    /// A file for Locust: a `LoadTestShape`, users of even pace, and one that asks for `/`.
    pub fn locust(&self) -> String {
        locust::write(self)
    }

    /// A script for k6: a scenario of the `ramping-arrival-rate` executor, and a function that asks for `/`.
    pub fn k6(&self) -> String {
        k6::write(self)
    }
}

/// What both files begin with after their signs of a comment; whoever finds it there may write the file anew.
pub const SIGNATURE: &str = "Written by `trellis shape`";

fn scaled(rate: f64, pace: Pace) -> Result<f64, UnitError> {
    RequestsPerMinute::new(rate * pace.scale.get()).map(RequestsPerMinute::get)
}

fn named(name: &str, pace: Pace) -> String {
    let mut name = name.to_owned();
    if pace.speed != Times::default() {
        let _ = write!(name, ", {} times as fast", pace.speed.get());
    }
    if pace.scale != Times::default() {
        let _ = write!(name, ", {} times the requests", pace.scale.get());
    }
    name
}

/// Each minute's rate from the first known one to the last, and how many of them were not known.
fn without_gaps(rates: &[Option<RequestsPerMinute>]) -> (Vec<f64>, usize) {
    let mut whole: Vec<f64> = Vec::new();
    let (mut gap, mut filled) = (0, 0);
    for rate in rates.iter().map(|rate| rate.map(RequestsPerMinute::get)) {
        let Some(rate) = rate else {
            gap += 1;
            continue;
        };
        if let Some(&before) = whole.last() {
            let step = (rate - before) / f64::from(gap + 1);
            whole.extend((1..=gap).map(|minute| before + step * f64::from(minute)));
            filled += gap as usize;
        }
        whole.push(rate);
        gap = 0;
    }
    (whole, filled)
}

/// What is said of minutes that were not known, as the end of a sentence.
fn filled_words(filled: usize) -> String {
    match filled {
        0 => String::new(),
        minutes => {
            format!(" {minutes} minutes that are not known lie on straight lines between those that are.")
        }
    }
}

/// A number without digits that nobody needs.
fn short(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// Text as a literal: ASCII between double quotes, so that nothing in it can end the literal, the line or a comment.
fn quoted(text: &str, beyond_ascii: impl Fn(char) -> String) -> String {
    let one = |character: char| match character {
        '"' | '\\' => format!("\\{character}"),
        ' '..='~' => character.to_string(),
        _ => beyond_ascii(character),
    };
    format!("\"{}\"", text.chars().map(one).collect::<String>())
}

#[cfg(test)]
mod tests {
    use scaling::units::MinuteUtc;

    use super::*;
    use crate::values::Stages;

    fn recorded(rates: &[Option<f64>], pace: Pace) -> Result<LoadTest, LoadTestError> {
        let rate = |rate: &Option<f64>| rate.map(|rate| RequestsPerMinute::new(rate).unwrap());
        let requests_per_minute = rates.iter().map(rate).collect();
        let traffic = Traffic { start: MinuteUtc::new(0).unwrap(), requests_per_minute };
        LoadTest::recorded("web", &traffic, pace)
    }

    fn legs(test: &LoadTest) -> Vec<(u64, f64, f64)> {
        test.legs.iter().map(|leg| (leg.milliseconds, leg.from, leg.to)).collect()
    }

    fn times(speed: f64, scale: f64) -> Pace {
        Pace { speed: Times::new(speed).unwrap(), scale: Times::new(scale).unwrap() }
    }

    #[test]
    fn stages_stay_the_lines_that_they_are() {
        let Stages(stages) = "10:300,5:300,2:0".parse().unwrap();
        let test = LoadTest::staged("web", &stages, Pace::default()).unwrap();
        assert_eq!(legs(&test), [(600_000, 0.0, 300.0), (300_000, 300.0, 300.0), (120_000, 300.0, 0.0)]);
        assert_eq!((test.seconds(), test.peak(), test.requests()), (1020.0, 300.0, 3300.0));
    }

    #[test]
    fn a_recorded_minute_gets_the_requests_that_it_had() {
        let test = recorded(&[Some(60.0), Some(60.0), Some(90.0)], Pace::default()).unwrap();
        assert_eq!(legs(&test), [(120_000, 60.0, 60.0), (60_000, 90.0, 90.0)]);
        assert!((test.requests() - 210.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_not_known_lies_between_what_is_and_the_ends_are_left_out() {
        let test = recorded(&[None, Some(10.0), None, None, Some(40.0), None], Pace::default()).unwrap();
        let rates: Vec<f64> = legs(&test).iter().map(|leg| leg.1).collect();
        assert_eq!((rates.as_slice(), test.filled()), ([10.0, 20.0, 30.0, 40.0].as_slice(), 2));
    }

    #[test]
    fn faster_takes_less_time_at_the_same_rates_and_drifts_by_no_millisecond() {
        let rates: Vec<Option<f64>> = (1..=70).map(|rate| Some(f64::from(rate))).collect();
        let test = recorded(&rates, times(7.0, 0.5)).unwrap();
        assert_eq!((test.seconds(), test.peak()), (600.0, 35.0));
        assert_eq!(test.name(), "web, 7 times as fast, 0.5 times the requests");
    }

    #[test]
    fn traffic_without_requests_is_refused() {
        for rates in [&[][..], &[None], &[Some(0.0), Some(0.0)]] {
            assert_eq!(recorded(rates, Pace::default()), Err(LoadTestError::NoRequests));
        }
        let refused = recorded(&[Some(1e306)], times(1.0, 1000.0)).unwrap_err();
        assert_eq!(refused.to_string(), "that many times the requests are too many");
        for text in ["-1", "1001", "nan", "inf", "", "fast"] {
            assert!(text.parse::<Times>().is_err(), "`{text}`");
        }
    }
}
