//! What a column is: the metrics' known names, forms like `a*50+b*50`, and conditions on rows.

use std::fmt;
use std::str::FromStr;

use scaling::sample::{Metric, Period};

use super::RecordedError;
use super::notation::Notation;

/// A metric, and the unit in which it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// Which metric.
    pub metric: Metric,
    /// Seconds to which a count belongs; `None` for levels, and for counts over the row's own period.
    pub per_seconds: Option<u32>,
    /// Whether it counts instances by the samples of CPU that they sent.
    pub by_samples: bool,
}

impl From<Metric> for Target {
    fn from(metric: Metric) -> Self {
        Self { metric, per_seconds: None, by_samples: false }
    }
}

const PER_SECOND: Target = Target { metric: Metric::Requests, per_seconds: Some(1), by_samples: false };
const PER_MINUTE: Target = Target { metric: Metric::Requests, per_seconds: Some(60), by_samples: false };
pub(super) const BY_SAMPLES: Target =
    Target { metric: Metric::InService, per_seconds: None, by_samples: true };

impl FromStr for Target {
    type Err = RecordedError;

    fn from_str(text: &str) -> Result<Self, RecordedError> {
        let rate = match text {
            "requests_per_second" => Some(PER_SECOND),
            "requests_per_minute" => Some(PER_MINUTE),
            _ => None,
        };
        let expected = "a metric: requests, requests_per_minute, requests_per_second, cpu_percent, \
                        cpu_percent_max, in_service, latency_p50_seconds, latency_p95_seconds, \
                        latency_p99_seconds or http_5xx";
        rate.or_else(|| Metric::from_column(text).map(Self::from))
            .ok_or_else(|| RecordedError::Option { text: text.to_owned(), expected })
    }
}

impl Target {
    /// The metric that CloudWatch, or a sensible person, calls `name`.
    pub(super) fn known_as(name: &str) -> Option<Self> {
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let metric = match plain.to_ascii_lowercase().as_str() {
            "requests" | "requestcount" | "rc" => Metric::Requests,
            "requestspermin" | "requestsperminute" | "rpm" => return Some(PER_MINUTE),
            "requestspersecond" | "requestspersec" | "rps" => return Some(PER_SECOND),
            "cpupercent" | "cpupct" | "cpu" | "cpuutilization" | "cpuaverage" | "cpuutilizationaverage" => {
                Metric::CpuPercent
            }
            "cpupercentmax" | "cpumax" | "cpumaximum" | "cpuutilizationmaximum" | "cpuutilizationmax" => {
                Metric::CpuPercentMax
            }
            "inservice"
            | "hosts"
            | "instances"
            | "healthyhosts"
            | "healthyhostcount"
            | "healthyhostsaverage"
            | "groupinserviceinstances" => Metric::InService,
            "samplecount" | "cpuutilizationsamplecount" => return Some(BY_SAMPLES),
            "latencyp50seconds" | "targetresponsetimep50" => Metric::LatencyP50Seconds,
            "latencyp95seconds" | "targetresponsetimep95" => Metric::LatencyP95Seconds,
            "latencyp99seconds" | "targetresponsetimep99" => Metric::LatencyP99Seconds,
            "http5xx" | "httpcodetarget5xxcount" | "httpcodebackend5xx" => Metric::Http5xx,
            _ => return None,
        };
        Some(metric.into())
    }

    /// Samples are as many as instances only by the minute.
    pub(super) fn check_period(self, period: Period, place: &str) -> Result<(), RecordedError> {
        match period {
            Period::FiveMinutes if self.by_samples => {
                Err(RecordedError::SamplesByFive { place: place.to_owned() })
            }
            _ => Ok(()),
        }
    }

    /// A value as written, over a period of `seconds`.
    pub(super) fn over(self, value: f64, seconds: f64) -> f64 {
        self.per_seconds.map_or(value, |per| value * seconds / f64::from(per))
    }
}

/// A sum of columns with factors, and a constant: `cpu_a*50+cpu_b*50`, `rpm`, `1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// As it was written.
    text: String,
    terms: Vec<(f64, String)>,
    constant: f64,
}

impl Form {
    /// One column as it is.
    pub(super) fn column(name: &str) -> Self {
        Self { text: name.to_owned(), terms: vec![(1.0, name.to_owned())], constant: 0.0 }
    }

    /// The form, with its columns' places in `headers`. A column that is called like the whole form is meant.
    pub(super) fn resolve(&self, headers: &[String]) -> Result<Resolved, String> {
        if let Some(index) = headers.iter().position(|header| *header == self.text) {
            return Ok(Resolved { terms: vec![(1.0, index)], constant: 0.0 });
        }
        let place = |(factor, name): &(f64, String)| {
            let index = headers.iter().position(|header| header == name);
            index.map(|index| (*factor, index)).ok_or_else(|| name.clone())
        };
        let terms = self.terms.iter().map(place).collect::<Result<_, _>>()?;
        Ok(Resolved { terms, constant: self.constant })
    }
}

impl FromStr for Form {
    type Err = RecordedError;

    fn from_str(text: &str) -> Result<Self, RecordedError> {
        let mut form = Self { text: text.trim().to_owned(), terms: Vec::new(), constant: 0.0 };
        for term in text.split('+') {
            let (factor, name) = product(term).ok_or_else(|| RecordedError::Option {
                text: text.to_owned(),
                expected: "a column, a number, or a sum of columns with factors, as in `cpu_a*50+cpu_b*50`",
            })?;
            match name {
                Some(name) => form.terms.push((factor, name)),
                None => form.constant += factor,
            }
        }
        Ok(form)
    }
}

/// Numbers multiplied, and a column at most.
fn product(term: &str) -> Option<(f64, Option<String>)> {
    let (mut factor, mut name) = (1.0, None);
    for part in term.split('*').map(str::trim) {
        match part.parse::<f64>() {
            Ok(number) if number.is_finite() => factor *= number,
            Ok(_) => return None,
            Err(_) if part.is_empty() || name.is_some() => return None,
            Err(_) => name = Some(part.to_owned()),
        }
    }
    Some((factor, name))
}

/// A form whose columns have been found.
pub(super) struct Resolved {
    terms: Vec<(f64, usize)>,
    constant: f64,
}

impl Resolved {
    /// The columns that it looks at.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> + '_ {
        self.terms.iter().map(|(_, index)| *index)
    }

    /// Its value in a row; `None` where a cell is empty.
    pub(super) fn value<E>(&self, cell: impl Fn(usize) -> Result<Option<f64>, E>) -> Result<Option<f64>, E> {
        let mut sum = self.constant;
        for (factor, index) in &self.terms {
            match cell(*index)? {
                Some(value) => sum += factor * value,
                None => return Ok(None),
            }
        }
        Ok(Some(sum))
    }
}

/// What must hold of a row for it to count: `zone=`, `replicas>1`.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub(super) column: String,
    comparison: Comparison,
    value: String,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, comparison, value } = self;
        let sign = SIGNS.iter().find(|(_, of)| of == comparison).map_or("", |(sign, _)| sign);
        write!(f, "{column}{sign}{value}")
    }
}

/// The longer signs first, since they hold the shorter ones.
const SIGNS: [(&str, Comparison); 6] = [
    ("!=", Comparison::IsNot),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("=", Comparison::Is),
    ("<", Comparison::Below),
    (">", Comparison::Above),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Comparison {
    Is,
    IsNot,
    AtMost,
    AtLeast,
    Below,
    Above,
}

impl FromStr for Condition {
    type Err = RecordedError;

    fn from_str(text: &str) -> Result<Self, RecordedError> {
        for (sign, comparison) in SIGNS {
            if let Some((column, value)) = text.split_once(sign) {
                let (column, value) = (column.trim().to_owned(), value.trim().to_owned());
                return Ok(Self { column, comparison, value });
            }
        }
        let expected = "a condition: a column, one of = != < <= > >=, and a value, as in `replicas>1`";
        Err(RecordedError::Option { text: text.to_owned(), expected })
    }
}

impl Condition {
    /// Whether it holds of `cell`. Numbers are compared as such.
    pub(super) fn holds(&self, cell: &str, notation: Notation) -> bool {
        let order = match (notation.number(cell), notation.number(&self.value)) {
            (Some(cell), Some(value)) => cell.partial_cmp(&value),
            _ => Some(cell.cmp(&self.value)),
        };
        let Some(order) = order else { return false };
        match self.comparison {
            Comparison::Is => order.is_eq(),
            Comparison::IsNot => order.is_ne(),
            Comparison::AtMost => order.is_le(),
            Comparison::AtLeast => order.is_ge(),
            Comparison::Below => order.is_lt(),
            Comparison::Above => order.is_gt(),
        }
    }
}
