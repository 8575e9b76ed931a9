//! Series of different periods brought together, minute by minute or five by five.
//!
//! CPU comes every minute with detailed monitoring and every five with basic monitoring, while a load
//! balancer always reports every minute. A five-minute CPU value is paired with the requests of its own five minutes over
//! their instances, never with one of them, and is never copied forward. Where CPU shows late, it is moved back to the
//! minutes in which the work was done.

use std::collections::BTreeMap;
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

impl Observation {
    /// The minute after its last.
    pub fn end(&self) -> MinuteUtc {
        self.minute_utc + self.period.minutes()
    }
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
    /// The number of instances had just changed.
    JustAfterChange,
    /// CPU was at its ceiling, which hides what was asked for.
    AtCeiling,
    /// A request cost something else then.
    EarlierRegime,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCpu => "without CPU",
            Self::NoRequests => "without requests",
            Self::NoInstanceCount => "without an instance count",
            Self::ZeroInstances => "with zero instances",
            Self::Deployment => "of a deployment",
            Self::JustAfterChange => "just after a change of instances",
            Self::AtCeiling => "with CPU at its ceiling",
            Self::EarlierRegime => "before the cost of a request changed",
        })
    }
}

/// How many periods can't be used, by reason.
pub type LeftOutCounts = BTreeMap<LeftOut, u32>;

/// Pairs load with CPU; counts the periods that can't be paired.
pub fn observe(samples: &[Sample]) -> (Vec<Observation>, LeftOutCounts) {
    Series::of(samples).observe(Minutes(0))
}

/// Samples in the order of time, to be looked up by minute.
#[derive(Debug, Clone)]
pub struct Series<'a> {
    one_minute: ByMinute<'a>,
    five_minutes: ByMinute<'a>,
}

impl<'a> Series<'a> {
    /// Of samples in whatever order.
    pub fn of(samples: &'a [Sample]) -> Self {
        let of = |period| ByMinute::of(samples.iter().filter(|sample| sample.period == period));
        Self { one_minute: of(Period::OneMinute), five_minutes: of(Period::FiveMinutes) }
    }

    /// Pairs CPU with the load of `lag` minutes before, which is where the observation then lies; counts the periods
    /// that can't be paired.
    pub fn observe(&self, lag: Minutes) -> (Vec<Observation>, LeftOutCounts) {
        let mut left_out = LeftOutCounts::new();
        let mut observations = Vec::with_capacity(self.one_minute.0.len().max(self.five_minutes.0.len()));
        let all = self.one_minute.0.iter().chain(&self.five_minutes.0);
        for sample in all.filter(|sample| self.is_reported_best_at(sample)) {
            match self.observation(sample, lag) {
                Ok(observation) => observations.push(observation),
                Err(reason) => *left_out.entry(reason).or_default() += 1,
            }
        }
        observations.sort_by_key(|observation| observation.minute_utc);
        (observations, left_out)
    }

    /// The value of `metric` over the period that starts at `minute`: its own, or brought together from its minutes.
    pub fn value(&self, minute: MinuteUtc, period: Period, metric: Metric) -> Option<f64> {
        let own = match period {
            Period::OneMinute => return self.one_minute.get(minute, metric),
            Period::FiveMinutes => self.five_minutes.get(minute, metric),
        };
        own.or_else(|| {
            let minutes = (0..period.minutes().0).map(|i| self.one_minute.get(minute + Minutes(i), metric));
            let values = minutes.collect::<Option<Vec<f64>>>()?;
            let sum: f64 = values.iter().sum();
            Some(if metric.adds_up() { sum } else { sum / values.len() as f64 })
        })
    }

    /// Minutes in which the number of instances is not what it was in the period before.
    pub fn changes_of_instances(&self) -> Vec<MinuteUtc> {
        let changed = |pair: &[(MinuteUtc, f64)]| {
            let (before, now) = (pair[0].1, pair[1].1);
            (now - before).abs() > LEAST_CHANGE.max(LEAST_CHANGE_SHARE * before)
        };
        self.counts().windows(2).filter(|pair| changed(pair)).map(|pair| pair[1].0).collect()
    }

    /// How many instances there were, in the order of time: by the minute, and by five where none of their minutes was
    /// counted by itself, as in the older part of a record.
    fn counts(&self) -> Vec<(MinuteUtc, f64)> {
        let count = |sample: &&Sample| Some((sample.minute_utc, sample.get(Metric::InService)?));
        let is_by_minute = |five: &&Sample| {
            let minutes = self.one_minute.within(five.minute_utc, five.minute_utc + five.period.minutes());
            minutes.iter().any(|minute| minute.get(Metric::InService).is_some())
        };
        let fives = self.five_minutes.0.iter().filter(|five| !is_by_minute(five));
        let mut counts: Vec<_> = self.one_minute.0.iter().chain(fives).filter_map(count).collect();
        counts.sort_by_key(|(minute, _)| *minute);
        counts
    }

    /// Requests as they were reported, whatever their period.
    pub(crate) fn reported_requests(&self) -> impl Iterator<Item = f64> {
        self.one_minute.0.iter().chain(&self.five_minutes.0).filter_map(|s| s.get(Metric::Requests))
    }

    /// A minute inside of a five-minute CPU value is part of that one, unless it has CPU of its own;
    /// a five-minute value whose minutes have CPU of their own says nothing new.
    fn is_reported_best_at(&self, sample: &Sample) -> bool {
        let minute = sample.minute_utc;
        match sample.period {
            Period::OneMinute => {
                let covered = self.five_minutes.within(minute - Minutes(4), minute + Minutes(1));
                cpu(sample).is_some() || !covered.iter().any(|sample| cpu(sample).is_some())
            }
            Period::FiveMinutes => {
                let own = self.one_minute.within(minute, minute + sample.period.minutes());
                !own.iter().any(|sample| cpu(sample).is_some())
            }
        }
    }

    fn observation(&self, sample: &Sample, lag: Minutes) -> Result<Observation, LeftOut> {
        let cpu_percent = cpu(sample).ok_or(LeftOut::NoCpu)?;
        let minute_utc = sample.minute_utc - lag;
        Ok(Observation {
            minute_utc,
            period: sample.period,
            requests_per_minute_per_instance: self.load(sample, minute_utc)?,
            cpu_percent,
        })
    }

    /// Requests per minute and instance over a period as long as that of `sample`, from `start` on.
    fn load(&self, sample: &Sample, start: MinuteUtc) -> Result<f64, LeftOut> {
        let minutes = sample.period.minutes().0;
        if minutes == 1 {
            return self.served_in(start, None).map(|(requests, instances)| requests / instances);
        }
        if let Some(sum) = sample.get(Metric::Requests) {
            // Requests of five minutes can't be moved by less than that.
            let instances = self.value(sample.minute_utc, sample.period, Metric::InService);
            return served(Some(sum), instances).map(|(sum, instances)| sum / f64::from(minutes) / instances);
        }
        // CPU is the mean over what each instance reported: a minute counts for as much as it has instances.
        let (mut requests, mut served_by) = (0.0, 0.0);
        for i in 0..minutes {
            let (more, instances) = self.served_in(start + Minutes(i), Some(sample))?;
            (requests, served_by) = (requests + more, served_by + instances);
        }
        Ok(requests / served_by)
    }

    /// The requests of `minute` and its instances, or those of the five minutes `around` it; never zero of them.
    fn served_in(&self, minute: MinuteUtc, around: Option<&Sample>) -> Result<(f64, f64), LeftOut> {
        let own = self.one_minute.get(minute, Metric::InService);
        let instances = own.or_else(|| around.and_then(|sample| sample.get(Metric::InService)));
        served(self.one_minute.get(minute, Metric::Requests), instances)
    }
}

/// The same samples with CPU where the work was done, `lag` before it shows. CPU of five minutes can't be moved by less,
/// and stays.
pub fn with_cpu_earlier(samples: &[Sample], lag: Minutes) -> Vec<Sample> {
    if lag == Minutes(0) {
        return samples.to_vec();
    }
    let series = Series::of(samples);
    let moved = |sample: &Sample| {
        let mut moved = Sample::empty(sample.minute_utc, sample.period);
        for metric in Metric::ALL {
            let is_cpu = matches!(metric, Metric::CpuPercent | Metric::CpuPercentMax);
            let value = match sample.period {
                Period::OneMinute if is_cpu => series.one_minute.get(sample.minute_utc + lag, metric),
                _ => sample.get(metric),
            };
            if let Some(value) = value {
                moved.set(metric, value).expect("it was valid before");
            }
        }
        moved
    };
    samples.iter().map(moved).collect()
}

/// Smaller differences are those of a mean over a minute, and not of the group.
const LEAST_CHANGE: f64 = 0.2;
const LEAST_CHANGE_SHARE: f64 = 0.02;

/// Requests, and the instances that there were to serve them.
fn served(requests: Option<f64>, instances: Option<f64>) -> Result<(f64, f64), LeftOut> {
    let requests = requests.ok_or(LeftOut::NoRequests)?;
    let instances = instances.ok_or(LeftOut::NoInstanceCount)?;
    if instances > 0.0 { Ok((requests, instances)) } else { Err(LeftOut::ZeroInstances) }
}

/// Samples of one period, in the order of time.
#[derive(Debug, Clone)]
struct ByMinute<'a>(Vec<&'a Sample>);

impl<'a> ByMinute<'a> {
    fn of(samples: impl Iterator<Item = &'a Sample>) -> Self {
        let mut sorted: Vec<&Sample> = samples.collect();
        sorted.sort_by_key(|sample| sample.minute_utc);
        Self(sorted)
    }

    fn get(&self, minute: MinuteUtc, metric: Metric) -> Option<f64> {
        let index = self.0.binary_search_by_key(&minute, |sample| sample.minute_utc).ok()?;
        self.0[index].get(metric)
    }

    /// From `start` on, before `end`.
    fn within(&self, start: MinuteUtc, end: MinuteUtc) -> &[&'a Sample] {
        let first = self.0.partition_point(|sample| sample.minute_utc < start);
        let rest = &self.0[first..];
        &rest[..rest.partition_point(|sample| sample.minute_utc < end)]
    }
}

fn cpu(sample: &Sample) -> Option<f64> {
    sample.get(Metric::CpuPercent)
}
