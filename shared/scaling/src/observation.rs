//! Series of different periods brought together, minute by minute or five by five.
//!
//! CPU comes every minute with detailed monitoring and every five with basic monitoring, while a load
//! balancer always reports every minute. A five-minute CPU value is paired with the mean of the requests
//! of its own five minutes, never with one of them, and is never copied forward.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::sample::{Metric, Period, Sample};
use crate::units::{MinuteUtc, Minutes};

/// One period in which load and CPU are both known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Start of the period.
    pub minute_utc: MinuteUtc,
    /// Its length.
    pub period: Period,
    /// Requests a minute that one instance served.
    pub requests_per_minute_per_instance: f64,
    /// Mean over the instances.
    pub cpu_percent: f64,
}

/// Why a period can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// No CPU was reported.
    NoCpu,
    /// No requests were reported, or only in a part of the period.
    NoRequests,
    /// The number of instances is not known.
    NoInstanceCount,
    /// No instance was in service.
    ZeroInstances,
    /// A deployment was under way.
    Deployment,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCpu => "without CPU",
            Self::NoRequests => "without requests",
            Self::NoInstanceCount => "without an instance count",
            Self::ZeroInstances => "with zero instances",
            Self::Deployment => "of a deployment",
        })
    }
}

/// How many periods can't be used, by reason.
pub type LeftOutCounts = BTreeMap<LeftOut, u32>;

/// Pairs load with CPU; counts the periods that can't be paired.
pub fn observe(samples: &[Sample]) -> (Vec<Observation>, LeftOutCounts) {
    let series = Series::of(samples);
    let mut left_out = LeftOutCounts::new();
    let mut observations = Vec::new();
    for sample in samples.iter().filter(|sample| series.is_reported_best_at(sample)) {
        match series.observation(sample) {
            Ok(observation) => observations.push(observation),
            Err(reason) => *left_out.entry(reason).or_default() += 1,
        }
    }
    observations.sort_by_key(|observation| observation.minute_utc);
    (observations, left_out)
}

/// The samples by minute, and which minutes a five-minute CPU value covers.
struct Series<'a> {
    by_minute: BTreeMap<MinuteUtc, &'a Sample>,
    five_minutes_with_cpu: BTreeSet<MinuteUtc>,
    minutes_with_cpu: BTreeSet<MinuteUtc>,
}

impl<'a> Series<'a> {
    fn of(samples: &'a [Sample]) -> Self {
        let with_cpu = |period| {
            let reported = move |sample: &&Sample| sample.period == period && cpu(sample).is_some();
            samples.iter().filter(reported).map(|sample| sample.minute_utc).collect()
        };
        let one_minute = samples.iter().filter(|sample| sample.period == Period::OneMinute);
        Self {
            by_minute: one_minute.map(|sample| (sample.minute_utc, sample)).collect(),
            five_minutes_with_cpu: with_cpu(Period::FiveMinutes),
            minutes_with_cpu: with_cpu(Period::OneMinute),
        }
    }

    /// A minute inside of a five-minute CPU value is part of that one, unless it has CPU of its own;
    /// a five-minute value whose minutes have CPU of their own says nothing new.
    fn is_reported_best_at(&self, sample: &Sample) -> bool {
        let minute = sample.minute_utc;
        match sample.period {
            Period::OneMinute => {
                let covering = self.five_minutes_with_cpu.range(minute - Minutes(4)..=minute);
                cpu(sample).is_some() || covering.count() == 0
            }
            Period::FiveMinutes => {
                self.minutes_with_cpu.range(minute..minute + Period::FiveMinutes.minutes()).next().is_none()
            }
        }
    }

    fn observation(&self, sample: &Sample) -> Result<Observation, LeftOut> {
        let cpu_percent = cpu(sample).ok_or(LeftOut::NoCpu)?;
        let minutes = f64::from(sample.period.minutes().0);
        let requests = self.over(sample, Metric::Requests).ok_or(LeftOut::NoRequests)?;
        let instances = self.over(sample, Metric::InService).ok_or(LeftOut::NoInstanceCount)?;
        if instances <= 0.0 {
            return Err(LeftOut::ZeroInstances);
        }
        Ok(Observation {
            minute_utc: sample.minute_utc,
            period: sample.period,
            requests_per_minute_per_instance: requests / minutes / instances,
            cpu_percent,
        })
    }

    /// The value of `metric` over the whole period of `sample`: its own, or brought together from its minutes.
    fn over(&self, sample: &Sample, metric: Metric) -> Option<f64> {
        if sample.period == Period::OneMinute || sample.get(metric).is_some() {
            return sample.get(metric);
        }
        let end = sample.minute_utc + sample.period.minutes();
        let within = self.by_minute.range(sample.minute_utc..end);
        let values: Vec<f64> = within.filter_map(|(_, minute)| minute.get(metric)).collect();
        if values.len() != sample.period.minutes().0 as usize {
            return None;
        }
        let sum: f64 = values.iter().sum();
        Some(if metric.adds_up() { sum } else { sum / values.len() as f64 })
    }
}

fn cpu(sample: &Sample) -> Option<f64> {
    sample.get(Metric::CpuPercent)
}
