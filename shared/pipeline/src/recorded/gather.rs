//! Values from anywhere, joined by their time.

use std::collections::{BTreeMap, BTreeSet};

use scaling::sample::{Metric, Period, Sample};
use scaling::units::MinuteUtc;

use super::{Note, Options, RecordedError};

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
    /// Every series by its id, and how it is called in messages.
    pub(super) series: BTreeSet<(String, String)>,
    pub(super) notes: Vec<Note>,
}

impl Gathered {
    /// Takes a note, once.
    pub(super) fn note(&mut self, note: Note) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// What is said of one series in particular must be about one that is there.
    pub(super) fn check_stated(&self, options: &Options) -> Result<(), RecordedError> {
        let is_there = |stated: &str| self.series.iter().any(|(id, _)| id == stated);
        let absent = options.series.iter().find(|(stated, _)| !is_there(stated));
        absent.map_or(Ok(()), |(series, _)| {
            let (series, there) = (series.clone(), self.series_there());
            Err(RecordedError::NoSeries { series, there })
        })
    }

    fn series_there(&self) -> String {
        let names: Vec<&str> = self.series.iter().map(|(_, name)| name.as_str()).collect();
        if names.is_empty() {
            "the files have none (for a column of CSV say --column)".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        }
    }

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
