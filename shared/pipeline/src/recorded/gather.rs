//! Values from anywhere, joined by their time.

use std::collections::BTreeMap;

use scaling::sample::{Metric, Period, Sample};
use scaling::units::MinuteUtc;

use super::{Note, RecordedError};

/// What the files hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// One for each period, oldest first.
    pub samples: Vec<Sample>,
    /// What to know about them.
    pub notes: Vec<Note>,
}

/// CloudWatch's averages of full CPU can lie a rounding error above it.
const ROUNDING: f64 = 1.0;

/// The value, or 100 for CPU a rounding error above it.
pub(crate) fn rounded(metric: Metric, value: f64) -> f64 {
    let is_cpu = matches!(metric, Metric::CpuPercent | Metric::CpuPercentMax);
    if is_cpu && 100.0 < value && value <= 100.0 + ROUNDING { 100.0 } else { value }
}

/// Values by period and metric, each with where it came from.
#[derive(Default)]
pub(super) struct Gathered {
    values: BTreeMap<(MinuteUtc, Period, Metric), (f64, String)>,
    pub(super) notes: Vec<Note>,
}

impl Gathered {
    /// Takes a value, from `place`, that the metric can have and no other place denies.
    pub(super) fn add(
        &mut self,
        minute: MinuteUtc,
        period: Period,
        metric: Metric,
        value: f64,
        place: &str,
    ) -> Result<(), RecordedError> {
        let refused = |error: scaling::sample::SampleError| RecordedError::Value {
            place: format!("{place}, {minute}"),
            value: value.to_string(),
            expected: format!("a value of `{}`: {}", metric.column(), error.expected()),
        };
        let value = metric.check(rounded(metric, value)).map_err(refused)?;
        let there = self.values.entry((minute, period, metric)).or_insert_with(|| (value, place.to_owned()));
        if there.0.to_bits() == value.to_bits() {
            return Ok(());
        }
        let (first, second) = (there.1.clone(), place.to_owned());
        Err(RecordedError::Duplicate { first, second, metric: metric.column(), minute })
    }

    pub(super) fn finish(self) -> Recording {
        let mut samples: Vec<Sample> = Vec::new();
        for ((minute, period, metric), (value, _)) in self.values {
            if samples.last().is_none_or(|last| last.key() != (minute, period)) {
                samples.push(Sample::empty(minute, period));
            }
            let sample = samples.last_mut().expect("one was pushed");
            sample.set(metric, value).expect("the value was checked when it was taken");
        }
        Recording { samples, notes: self.notes }
    }
}
