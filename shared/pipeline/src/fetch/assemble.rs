//! Points of several series, joined by their time into samples.

use std::collections::{BTreeMap, BTreeSet};

use scaling::sample::{Metric, Period, Sample};
use scaling::units::MinuteUtc;

use super::queries::{Counter, Role, Wanted};
use crate::recorded::{Note, rounded};

/// What the points come to.
pub(super) struct Assembled {
    /// One for each period, oldest first.
    pub(super) samples: Vec<Sample>,
    /// What to know about them.
    pub(super) notes: Vec<Note>,
    /// Minutes of which the load balancer said something: there, absent requests are zero.
    pub(super) load_balancer_reported: BTreeSet<MinuteUtc>,
}

impl Assembled {
    /// Whether the load balancer had hosts, and nothing counted the instances.
    pub(super) fn is_uncounted(&self) -> bool {
        !self.load_balancer_reported.is_empty()
            && !self.notes.iter().any(|note| note.instances_by().is_some())
    }
}

type Points = [(MinuteUtc, f64)];
type Series<'a> = (&'a Wanted, Vec<(MinuteUtc, f64)>);
type Dimensions = [(&'static str, String)];
type Values = BTreeMap<(MinuteUtc, Period, Metric), f64>;

/// Share of the points that a better counter must have to be taken.
const ENOUGH: f64 = 0.9;

/// Joins `series`, one for each of `wanted`, up to where each period is `complete`. The instances are counted by
/// what counted them before, if it still does.
pub(super) fn samples(
    wanted: &[&Wanted],
    series: &[Vec<(MinuteUtc, f64)>],
    complete: &BTreeMap<Period, MinuteUtc>,
    counted_before: Option<&str>,
) -> Assembled {
    let whole = |wanted: &Wanted, points: &Points| -> Vec<(MinuteUtc, f64)> {
        let period = wanted.query.period;
        points.iter().copied().filter(|(minute, _)| *minute + period.minutes() <= complete[&period]).collect()
    };
    let whole: Vec<Series<'_>> =
        wanted.iter().zip(series).map(|(wanted, points)| (*wanted, whole(wanted, points))).collect();
    let taken = of_busiest(&whole);
    let counter = counter(&taken, counted_before);
    let mut values = Values::new();
    for (wanted, points) in &taken {
        if let Some(metric) = metric(wanted.role, counter) {
            add(&mut values, metric, wanted.query.period, points);
        }
    }
    let says = |role| matches!(role, Role::Reported | Role::Counter(Counter::LoadBalancer));
    let load_balancer = whole.iter().filter(|(wanted, _)| says(wanted.role));
    let reported = load_balancer.flat_map(|(wanted, points)| {
        let minutes = wanted.query.period.minutes().0;
        points.iter().flat_map(move |(start, _)| (0..minutes).map(|i| *start + scaling::units::Minutes(i)))
    });
    let load_balancer_reported = reported.collect();
    let (samples, refused) = sampled(values);
    let notes = counter.map(|counter| Note::InstancesBy(format!("`{}`", counter.series())));
    Assembled { samples, notes: notes.into_iter().chain(refused).collect(), load_balancer_reported }
}

/// Levels of several target groups don't add up: each is taken from the one with the most requests of those that report
/// it, or without requests from the one that reports hosts in the most minutes.
fn of_busiest<'a, 'b>(series: &'a [Series<'b>]) -> Vec<&'a Series<'b>> {
    let weights = weights(series);
    let busier = |a: &&Dimensions, b: &&Dimensions| {
        let (a, b) = (weights[*a], weights[*b]);
        a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
    };
    let busiest = |role| {
        let reporting = series.iter().filter(|(wanted, points)| wanted.role == role && !points.is_empty());
        // Of equal ones the first.
        reporting.rev().map(|(wanted, _)| wanted.query.dimensions.as_slice()).max_by(busier)
    };
    let is_taken = |(wanted, _): &&Series<'_>| {
        wanted.role.adds_up() || busiest(wanted.role).is_none_or(|busiest| wanted.query.dimensions == busiest)
    };
    series.iter().filter(is_taken).collect()
}

/// Requests, and minutes with hosts, of each target group.
fn weights<'a>(series: &'a [Series<'_>]) -> BTreeMap<&'a Dimensions, (f64, usize)> {
    let mut weights = BTreeMap::new();
    for (wanted, points) in series {
        let (requests, hosts) = weights.entry(wanted.query.dimensions.as_slice()).or_insert((0.0, 0));
        match wanted.role {
            Role::Metric(Metric::Requests) => *requests += points.iter().map(|(_, sum)| sum).sum::<f64>(),
            Role::Counter(Counter::LoadBalancer) => *hosts += points.len(),
            _ => {}
        }
    }
    weights
}

/// The column that the points of a role go to; none for a count of the instances that was not chosen.
fn metric(role: Role, counter: Option<Counter>) -> Option<Metric> {
    match role {
        Role::Metric(metric) => Some(metric),
        Role::Counter(each) => (Some(each) == counter).then_some(Metric::InService),
        Role::Reported => None,
    }
}

/// The counter that counted before, or else the best, if it has nearly as many points as any.
fn counter(series: &[&Series<'_>], before: Option<&str>) -> Option<Counter> {
    let points = |counter| {
        let of = series.iter().filter(|(wanted, _)| wanted.role == Role::Counter(counter));
        of.map(|(_, points)| points.len()).sum::<usize>()
    };
    let most = Counter::ALL.into_iter().map(points).max().unwrap_or(0);
    let enough = |counter: &Counter| points(*counter) > 0 && points(*counter) as f64 >= ENOUGH * most as f64;
    let named_before = |counter: &Counter| before.is_some_and(|before| before.contains(counter.series()));
    let same = Counter::ALL.into_iter().find(|counter| named_before(counter) && enough(counter));
    same.or_else(|| Counter::ALL.into_iter().find(enough))
}

fn add(values: &mut Values, metric: Metric, period: Period, points: &Points) {
    for (minute, value) in points {
        let there = values.entry((*minute, period, metric)).or_insert(0.0);
        *there = if metric.adds_up() { *there + value } else { *value };
    }
}

/// Samples of values, and how many were none that their metric can have.
fn sampled(values: Values) -> (Vec<Sample>, Vec<Note>) {
    let mut samples: Vec<Sample> = Vec::new();
    let mut refused: BTreeMap<Metric, usize> = BTreeMap::new();
    for ((minute, period, metric), value) in values {
        if samples.last().is_none_or(|last| last.key() != (minute, period)) {
            samples.push(Sample::empty(minute, period));
        }
        let sample = samples.last_mut().expect("one was pushed");
        if sample.set(metric, rounded(metric, value)).is_err() {
            *refused.entry(metric).or_default() += 1;
        }
    }
    let note = |(metric, count): (Metric, usize)| Note::Refused { metric: metric.column(), count };
    (samples, refused.into_iter().map(note).collect())
}
