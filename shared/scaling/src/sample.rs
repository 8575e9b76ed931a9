//! What CloudWatch says about one period of an environment.

use std::collections::HashMap;

use crate::units::{MinuteUtc, Minutes, Seconds};

/// A series that Trellis keeps, named as its column in the samples table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metric {
    /// Requests, summed over the period, at the load balancer or target group.
    Requests,
    /// CPU utilization, mean over the instances of the group.
    CpuPercent,
    /// CPU utilization of the busiest instance.
    CpuPercentMax,
    /// Instances in service, time-weighted over the period.
    InService,
    /// Median response time of the targets.
    LatencyP50Seconds,
    /// 95th percentile of the response time.
    LatencyP95Seconds,
    /// 99th percentile of the response time.
    LatencyP99Seconds,
    /// Responses with a 5xx status, summed over the period.
    Http5xx,
}

impl Metric {
    /// Every metric, in the order of the table's columns.
    pub const ALL: [Self; 8] = [
        Self::Requests,
        Self::CpuPercent,
        Self::CpuPercentMax,
        Self::InService,
        Self::LatencyP50Seconds,
        Self::LatencyP95Seconds,
        Self::LatencyP99Seconds,
        Self::Http5xx,
    ];

    /// Its column in the samples table.
    pub fn column(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::CpuPercent => "cpu_percent",
            Self::CpuPercentMax => "cpu_percent_max",
            Self::InService => "in_service",
            Self::LatencyP50Seconds => "latency_p50_seconds",
            Self::LatencyP95Seconds => "latency_p95_seconds",
            Self::LatencyP99Seconds => "latency_p99_seconds",
            Self::Http5xx => "http_5xx",
        }
    }

    /// The metric whose column is `name`.
    pub fn from_column(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.column() == name)
    }

    /// Whether the values of two adjacent periods add up (counts), or average (levels).
    pub fn adds_up(self) -> bool {
        matches!(self, Self::Requests | Self::Http5xx)
    }

    /// Refuses NaN, infinity, negative values and CPU over 100.
    pub fn check(self, value: f64) -> Result<f64, SampleError> {
        let most = match self {
            Self::CpuPercent | Self::CpuPercentMax => 100.0,
            _ => f64::MAX,
        };
        let valid = (0.0..=most).contains(&value);
        valid.then_some(value).ok_or(SampleError { metric: self, value })
    }
}

/// A value that a metric cannot have.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{}` cannot be `{value}`: {} expected", metric.column(), self.expected())]
pub struct SampleError {
    /// The metric in question.
    pub metric: Metric,
    /// What was given.
    pub value: f64,
}

impl SampleError {
    /// What the metric can be.
    pub fn expected(&self) -> &'static str {
        match self.metric {
            Metric::CpuPercent | Metric::CpuPercentMax => "a percentage from 0 to 100",
            _ => "a finite number, 0 or more",
        }
    }
}

/// How long a sample covers: what CloudWatch has with detailed or with basic monitoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// One minute: detailed monitoring, and every load balancer.
    OneMinute,
    /// Five minutes: basic monitoring.
    FiveMinutes,
}

impl Period {
    /// 60 or 300.
    pub fn seconds(self) -> Seconds {
        self.minutes().to_seconds()
    }

    /// 1 or 5.
    pub fn minutes(self) -> Minutes {
        match self {
            Self::OneMinute => Minutes(1),
            Self::FiveMinutes => Minutes(5),
        }
    }

    /// The period of `seconds`, if it is one of the two.
    pub fn from_seconds(seconds: u32) -> Option<Self> {
        [Self::OneMinute, Self::FiveMinutes].into_iter().find(|period| period.seconds().0 == seconds)
    }
}

/// One period of one environment. What was not reported is `None`, never 0.
///
/// Each value is kept once, at the period at which it was reported: with basic monitoring the rows of
/// one minute hold requests and instances, those of five minutes hold CPU.
///
/// ```
/// use scaling::sample::{Metric, Period, Sample};
/// use scaling::units::MinuteUtc;
///
/// let mut sample = Sample::empty(MinuteUtc::new(0)?, Period::OneMinute);
/// sample.set(Metric::Requests, 1200.0)?;
/// assert_eq!(sample.get(Metric::Requests), Some(1200.0));
/// assert_eq!(sample.get(Metric::CpuPercent), None);
/// let refused = sample.set(Metric::CpuPercent, 104.0).unwrap_err();
/// assert_eq!(refused.to_string(), "`cpu_percent` cannot be `104`: a percentage from 0 to 100 expected");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Start of the period.
    pub minute_utc: MinuteUtc,
    /// Its length.
    pub period: Period,
    values: [Option<f64>; Metric::ALL.len()],
}

impl Sample {
    /// A period of which nothing is known.
    pub fn empty(minute_utc: MinuteUtc, period: Period) -> Self {
        Self { minute_utc, period, values: [None; Metric::ALL.len()] }
    }

    /// What identifies it: a later fetch of the same minute and period replaces its values.
    pub fn key(&self) -> (MinuteUtc, Period) {
        (self.minute_utc, self.period)
    }

    /// The value of `metric`, if it was reported.
    pub fn get(&self, metric: Metric) -> Option<f64> {
        self.values[metric as usize]
    }

    /// Sets the value of `metric`, if it is one that the metric can have.
    pub fn set(&mut self, metric: Metric, value: f64) -> Result<(), SampleError> {
        self.values[metric as usize] = Some(metric.check(value)?);
        Ok(())
    }

    /// The same without the metrics that are `elsewhere`; `None` if nothing is left.
    fn without(mut self, elsewhere: impl Fn(&Self, Metric) -> bool) -> Option<Self> {
        for metric in Metric::ALL {
            if self.get(metric).is_some() && elsewhere(&self, metric) {
                self.values[metric as usize] = None;
            }
        }
        self.values.iter().any(Option::is_some).then_some(self)
    }

    /// Takes every value that `newer` has; keeps what only `self` has.
    pub fn merge(&mut self, newer: &Self) {
        for metric in Metric::ALL {
            let value = newer.get(metric).or(self.get(metric));
            self.values[metric as usize] = value;
        }
    }
}

/// The same in the order of time, with each value once: one of five minutes goes where any of them has its own.
///
/// ```
/// use scaling::sample::{Metric, Period, Sample, each_value_once};
/// use scaling::units::{MinuteUtc, Minutes};
///
/// let requests = |minute, period, sum| {
///     let mut sample = Sample::empty(MinuteUtc::new(minute).unwrap(), period);
///     sample.set(Metric::Requests, sum).unwrap();
///     sample
/// };
/// let (five, one) = (requests(0, Period::FiveMinutes, 900.0), requests(3, Period::OneMinute, 200.0));
/// assert_eq!(each_value_once(vec![five, one.clone()]), [one]);
/// ```
pub fn each_value_once(samples: Vec<Sample>) -> Vec<Sample> {
    let (fine, coarse): (Vec<_>, Vec<_>) =
        samples.into_iter().partition(|sample| sample.period == Period::OneMinute);
    let by_minute: HashMap<MinuteUtc, &Sample> =
        fine.iter().map(|sample| (sample.minute_utc, sample)).collect();
    let has = |minute, metric| by_minute.get(&minute).is_some_and(|sample| sample.get(metric).is_some());
    let in_minutes = |sample: &Sample, metric| {
        (0..sample.period.minutes().0).any(|i| has(sample.minute_utc + Minutes(i), metric))
    };
    let coarse: Vec<_> = coarse.into_iter().filter_map(|sample| sample.without(in_minutes)).collect();
    let mut once = [fine, coarse].concat();
    once.sort_by_key(Sample::key);
    once
}

/// Those of five minutes first, so that where later ones win, each minute's own does.
pub(crate) fn finest_last<'a>(
    samples: impl Iterator<Item = &'a Sample> + Clone,
) -> impl Iterator<Item = &'a Sample> {
    let of_five = samples.clone().filter(|sample| sample.period == Period::FiveMinutes);
    of_five.chain(samples.filter(|sample| sample.period == Period::OneMinute))
}
