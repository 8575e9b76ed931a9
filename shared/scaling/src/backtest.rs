//! How close a replay of the present settings comes to what really happened.
//!
//! The replay starts with the instances that were there and runs free: it is told the requests, how far CPU
//! strayed from its line in each minute, and when deployments added a batch, but never again how many instances
//! there were. What AWS does not publish is taken from the first half of the minutes, and the errors are
//! measured on the second.

use std::fmt;

use crate::course::{Course, Deployment};
use crate::cpu_model::CpuModel;
use crate::disturbance::{RecordedMinute, deployments};
use crate::dynamics::Dynamics;
use crate::plan::{Measure, Plan};
use crate::policy::Group;
use crate::reference::{Row, Scenario, replay};
use crate::sample::{Metric, Sample, finest_last};
use crate::traffic::{Load, Traffic};
use crate::units::{CpuPercent, Instances, MinuteUtc, Minutes, RequestsPerMinute, Window};

/// What was recorded, minute by minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The first minute.
    pub start: MinuteUtc,
    /// One entry a minute.
    pub minutes: Vec<RecordedMinute>,
    /// CPU percent that an instance can't pass.
    pub cpu_ceiling: CpuPercent,
}

impl Record {
    /// The samples of `window`; a value of five minutes holds in each of them that has none of its own. `None` where instances or
    /// requests are not known at all.
    pub fn of(samples: &[Sample], window: Window) -> Option<Self> {
        let within = || samples.iter().filter(|sample| window.contains(sample.minute_utc));
        let counted = within().filter(|sample| sample.get(Metric::InService).is_some());
        let start = counted.map(|sample| sample.minute_utc).min()?;
        let end = within().map(|sample| sample.minute_utc + sample.period.minutes()).max()?;
        let length = end.place_from(start)?;
        let cpu_ceiling = CpuPercent::new(100.0).expect("100 is a percentage");
        let mut record = Self { start, minutes: vec![RecordedMinute::default(); length], cpu_ceiling };
        finest_last(within())
            .filter(|sample| start <= sample.minute_utc)
            .for_each(|sample| record.take(sample));
        record.minutes.iter().any(|minute| minute.requests.is_some()).then_some(record)
    }

    /// The same of instances that can't pass `cpu_ceiling`.
    pub fn with_cpu_ceiling(self, cpu_ceiling: CpuPercent) -> Self {
        Self { cpu_ceiling, ..self }
    }

    /// What was recorded from `start` on, where that is later.
    pub fn since(mut self, start: MinuteUtc) -> Self {
        let earlier = start.place_from(self.start).unwrap_or(0).min(self.minutes.len());
        self.minutes.drain(..earlier);
        Self { start: self.start + Minutes(earlier as u32), ..self }
    }

    /// Recorded CPU, where it is not so near to its ceiling that it hides what was asked for.
    fn unsaturated(&self, minute: &RecordedMinute) -> Option<f64> {
        minute.cpu_percent.filter(|cpu| *cpu < SATURATED_SHARE * self.cpu_ceiling.get())
    }

    fn is_saturated(&self, minute: &RecordedMinute) -> bool {
        minute.cpu_percent.is_some() && self.unsaturated(minute).is_none()
    }

    fn take(&mut self, sample: &Sample) {
        let first = sample.minute_utc.place_from(self.start).expect("earlier samples are not taken");
        let length = sample.period.minutes().0 as usize;
        let requests = sample.get(Metric::Requests).map(|sum| sum / length as f64);
        for minute in self.minutes[first..].iter_mut().take(length) {
            minute.in_service = sample.get(Metric::InService).or(minute.in_service);
            minute.cpu_percent = sample.get(Metric::CpuPercent).or(minute.cpu_percent);
            minute.requests = requests.or(minute.requests);
        }
    }

    /// The deployments that it shows, where a policy takes steps of at most `largest_step`.
    pub fn deployments(&self, largest_step: u32) -> Vec<Deployment> {
        deployments(self.start, &self.minutes, largest_step)
    }

    fn traffic(&self) -> Traffic {
        let rate =
            |minute: &RecordedMinute| minute.requests.and_then(|rate| RequestsPerMinute::new(rate).ok());
        Traffic { start: self.start, requests_per_minute: self.minutes.iter().map(rate).collect() }
    }
}

/// What a replay was held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BackTest {
    /// Minutes that were compared.
    pub minutes: u32,
    /// Of all minutes, those with CPU too high to show what was asked for; their CPU is not compared.
    pub saturated: u32,
    /// Minutes of deployments that were seen; they are part of the replay.
    pub deploying: u32,
    /// Instances, if the settings could be replayed.
    pub counts: Option<Counts>,
    /// Predicted less recorded CPU on average, points of percent.
    pub mean_cpu_error: f64,
    /// Mean distance of predicted from recorded CPU, points of percent.
    pub cpu_distance: f64,
    /// Predicted less recorded 99th percentile of CPU, points of percent.
    pub peak_cpu_error: f64,
    /// Recorded 99th percentile of CPU, percent.
    pub peak_cpu_percent: f64,
    /// Mean distance of recorded CPU from its line at the recorded instances, points of percent: what is not
    /// the replay's fault.
    pub line_distance: f64,
}

/// How the replayed instances compare with the recorded ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counts {
    /// Replayed instance hours over recorded ones, less 1.
    pub hours_bias: f64,
    /// Mean of |replayed - recorded| / recorded.
    pub mape: f64,
    /// Share of the minutes with the same count.
    pub exact: f64,
    /// Changes that were recorded.
    pub recorded_events: u32,
    /// Changes that were replayed.
    pub replayed_events: u32,
    /// Recorded changes that the replay has within two minutes, in the same direction.
    pub matched_events: u32,
    /// Minutes with a recorded size that the limits do not allow.
    pub outside_limits: u32,
    /// Recorded changes larger than the policy's steps.
    pub large_jumps: u32,
}

impl Counts {
    /// Share of the changes, of whichever side has more, that both sides have; 1 where nothing changed.
    pub fn matched_share(&self) -> f64 {
        let most = self.recorded_events.max(self.replayed_events);
        if most == 0 { 1.0 } else { f64::from(self.matched_events) / f64::from(most) }
    }
}

/// How far a replay can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// Close: bias 2 %, MAPE 5 %, 90 % of the minutes exact, 90 % of the events, CPU within 3 points (and 15 %
    /// of its peak).
    Good,
    /// Near enough: 5 %, 10 %, 75 %, 80 %, 5 points (and 25 %).
    Fair,
    /// Neither: nothing is recommended.
    NotTrusted(Cause),
}

/// The likeliest reason for a replay that does not come close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// True demand is hidden behind CPU at its limit.
    Saturated,
    /// Sizes that the limits do not allow.
    OutsideLimits,
    /// Jumps that the policy does not make.
    LargeJumps,
    /// CPU does not follow requests as the line says.
    CpuModel,
    /// Changes at other times, or none.
    OtherTimes,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Saturated => "instances were saturated, which hides what was really asked for",
            Self::OutsideLimits => {
                "the group had sizes that its limits do not allow: they were changed meanwhile, or someone else \
                 changes the group"
            }
            Self::LargeJumps => {
                "the group made larger steps than its policy: it was changed by hand, by a schedule, or by another \
                 policy"
            }
            Self::CpuModel => {
                "CPU does not follow requests closely enough: other work, several kinds of requests or of \
                 instances, or exhausted CPU credits"
            }
            Self::OtherTimes => {
                "the group changed at other times than these settings would have it: they were not in force all \
                 the time, or something else acts on the group"
            }
        })
    }
}

/// A group average over this share of what an instance can show hides what was asked for.
const SATURATED_SHARE: f64 = 0.95;

/// Within all of these, a replay is close.
struct Bounds {
    bias: f64,
    mape: f64,
    exact: f64,
    events: f64,
    /// Points of CPU percent.
    cpu: f64,
    /// The same as a share of the recorded peak, for groups that hardly work.
    cpu_share: f64,
}

const GOOD: Bounds = Bounds { bias: 0.02, mape: 0.05, exact: 0.90, events: 0.90, cpu: 3.0, cpu_share: 0.15 };
const FAIR: Bounds = Bounds { bias: 0.05, mape: 0.10, exact: 0.75, events: 0.80, cpu: 5.0, cpu_share: 0.25 };

impl BackTest {
    /// How far it can be trusted.
    pub fn grade(&self) -> Grade {
        match (self.is_within(&GOOD), self.is_within(&FAIR)) {
            (true, _) => Grade::Good,
            (false, true) => Grade::Fair,
            (false, false) => Grade::NotTrusted(self.cause()),
        }
    }

    fn is_within(&self, bounds: &Bounds) -> bool {
        let most = bounds.cpu.min(bounds.cpu_share * self.peak_cpu_percent);
        let cpu = self.peak_cpu_error.abs() <= most && self.cpu_distance <= most;
        let counts = self.counts.is_none_or(|counts| {
            counts.hours_bias.abs() <= bounds.bias
                && counts.mape <= bounds.mape
                && bounds.exact <= counts.exact
                && bounds.events <= counts.matched_share()
        });
        cpu && counts
    }

    fn cause(&self) -> Cause {
        let share = |minutes: u32| f64::from(minutes) / f64::from(self.minutes.max(1));
        let outside = self.counts.map_or(0, |counts| counts.outside_limits);
        let jumps = self.counts.is_some_and(|counts| counts.large_jumps > 1);
        match () {
            () if share(self.saturated) > 0.05 => Cause::Saturated,
            () if share(outside) > 0.01 => Cause::OutsideLimits,
            () if jumps => Cause::LargeJumps,
            () if self.counts.is_none() || self.line_distance > FAIR.cpu => Cause::CpuModel,
            () => Cause::OtherTimes,
        }
    }
}

/// A back-test, and the delays that it found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BackTested {
    /// The errors.
    pub back_test: BackTest,
    /// As given, or with what the first half of the minutes shows.
    pub dynamics: Dynamics,
    /// Whether it shows anything.
    pub calibrated: bool,
}

/// Which delays the first half of a record may say: neither those that were stated nor those that were measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Free {
    /// That of the metric that the alarms watch.
    pub metric_delay: bool,
    /// That of launches.
    pub launch: bool,
}

impl Free {
    /// Nothing was stated or measured.
    pub const ALL: Self = Self { metric_delay: true, launch: true };
}

/// Replays `plan`, with its scheduled `course`, against `record`. `None` where there is too little to compare.
pub fn back_test(
    record: &Record,
    model: CpuModel,
    plan: &Plan,
    course: &Course,
    dynamics: Dynamics,
    free: Free,
) -> Option<BackTested> {
    let seen = record.deployments(plan.largest_step());
    let deploying = seen_in(record, &seen);
    let free_run = FreeRun::of(record, model, plan, course, seen)?;
    let replayed = |dynamics: Dynamics| free_run.replayed(dynamics);
    let half = record.minutes.len() / 2;
    let elsewhere = free_run.decided_elsewhere(&deploying, dynamics);
    let events = changes(&recorded_counts(record)[..half], &elsewhere).len();
    let calibrated = events >= LEAST_EVENTS && (free.metric_delay || free.launch);
    let (dynamics, rows) = if calibrated {
        let best = candidates(dynamics, free, plan.measure).map(|dynamics| (dynamics, replayed(dynamics)));
        best.min_by(|a, b| distance(record, &a.1, half).total_cmp(&distance(record, &b.1, half)))?
    } else {
        (dynamics, replayed(dynamics))
    };
    let from = if calibrated { half } else { 0 };
    let mut back_test = compare(record, &rows, &free_run, &elsewhere, from)?;
    back_test.deploying = deploying.iter().filter(|deploying| **deploying).count() as u32;
    back_test.line_distance = line_distance(record, from, model);
    Some(BackTested { back_test, dynamics, calibrated })
}

/// The replay that a back-test held against `record`, minute by minute, with the delays that it found. `None` where the
/// record does not begin with a known number of instances.
pub fn tested_rows(
    record: &Record,
    model: CpuModel,
    plan: &Plan,
    course: &Course,
    dynamics: Dynamics,
) -> Option<Vec<Row>> {
    let seen = record.deployments(plan.largest_step());
    Some(FreeRun::of(record, model, plan, course, seen)?.replayed(dynamics))
}

/// A replay that is told what was recorded, but for the instances after the first minute.
struct FreeRun<'a> {
    plan: &'a Plan,
    course: Course,
    load: Load,
    initial: Instances,
}

impl<'a> FreeRun<'a> {
    fn of(
        record: &Record,
        model: CpuModel,
        plan: &'a Plan,
        course: &Course,
        seen: Vec<Deployment>,
    ) -> Option<Self> {
        let initial = Instances(record.minutes.first()?.in_service?.round() as u32);
        Some(Self { plan, course: course.with_deployments(seen), load: strayed(record, model), initial })
    }

    fn replayed(&self, dynamics: Dynamics) -> Vec<Row> {
        let (plan, course, initial) = (self.plan.clone(), self.course.clone(), self.initial);
        replay(&self.load, &Scenario { plan, dynamics, course, initial })
    }

    /// Whether alarms have no say in a minute: in those that are `deploying`, and in those in which scheduled actions let nobody
    /// serve.
    fn decided_elsewhere(&self, deploying: &[bool], dynamics: Dynamics) -> Vec<bool> {
        let mut elsewhere = deploying.to_vec();
        let asleep = self.course.unanswered(&self.load, &dynamics);
        asleep.into_iter().for_each(|minute| elsewhere[minute] = true);
        elsewhere
    }
}

/// Fewer changes than these say nothing about delays.
const LEAST_EVENTS: usize = 4;

/// The delays that are tried: those of what the alarms watch, and of launches. A record whose alarms watch something else
/// says nothing about when CPU is seen.
fn candidates(given: Dynamics, free: Free, measure: Measure) -> impl Iterator<Item = Dynamics> {
    let up_to = |is_free: bool, end: u32, given: Minutes| -> Vec<Minutes> {
        if is_free { (0..end).map(Minutes).collect() } else { vec![given] }
    };
    let launches = up_to(free.launch, 5, given.launch);
    let delay = given.delay_of(measure);
    // What shows late by itself is not seen before that.
    let delays = up_to(free.metric_delay, (delay.0 + 3).max(4), delay);
    let delays = delays
        .into_iter()
        .flat_map(move |delay| launches.clone().into_iter().map(move |launch| (delay, launch)));
    let tried = delays.map(move |(delay, launch)| Dynamics { launch, ..given.with_delay_of(measure, delay) });
    // What was given comes first, and stays where nothing is better.
    std::iter::once(given).chain(tried)
}

/// Mean distance of the counts over the first minutes.
fn distance(record: &Record, rows: &[Row], minutes: usize) -> f64 {
    let pairs = record.minutes.iter().zip(rows).take(minutes);
    let distances =
        pairs.filter_map(|(minute, row)| Some((minute.in_service? - f64::from(row.in_service.0)).abs()));
    distances.sum()
}

/// The load, with the strays of recorded CPU from the line at the recorded instances.
fn strayed(record: &Record, model: CpuModel) -> Load {
    let stray_percent =
        record.minutes.iter().map(|minute| stray(record, minute, model).unwrap_or(0.0)).collect();
    Load { stray_percent, ..Load::new(&record.traffic(), model) }
}

/// How far CPU strayed from its line in each minute of `traffic`, for other settings to be replayed with. Zero
/// where that is not known, in deployments, and for `settle` minutes after a change of the instances, since an
/// instance that boots is none of the line's. `largest_step` is the largest that the policy in force takes.
pub fn strays(
    record: &Record,
    model: CpuModel,
    settle: Minutes,
    largest_step: u32,
    traffic: &Traffic,
) -> Vec<f64> {
    let seen = record.deployments(largest_step);
    let deploying = seen_in(record, &seen);
    let mut unsettled_until = 0;
    let mut before = None;
    let mut strays = vec![0.0; traffic.len()];
    for (index, minute) in record.minutes.iter().enumerate() {
        let count = minute.in_service.map(f64::round);
        if before.is_some() && count != before {
            unsettled_until = index + settle.0 as usize;
        }
        before = count.or(before);
        let place = (record.start + Minutes(index as u32)).place_from(traffic.start);
        let place = place.and_then(|place| strays.get_mut(place));
        let stray = stray(record, minute, model).filter(|_| !deploying[index] && unsettled_until <= index);
        if let (Some(place), Some(stray)) = (place, stray) {
            *place = stray;
        }
    }
    strays
}

fn line_distance(record: &Record, from: usize, model: CpuModel) -> f64 {
    let strays = record.minutes[from..].iter().filter_map(|minute| stray(record, minute, model));
    let strays: Vec<f64> = strays.map(f64::abs).collect();
    strays.iter().sum::<f64>() / (strays.len() as f64).max(1.0)
}

fn stray(record: &Record, minute: &RecordedMinute, model: CpuModel) -> Option<f64> {
    Some(record.unsaturated(minute)? - predicted(minute, model)?)
}

fn predicted(minute: &RecordedMinute, model: CpuModel) -> Option<f64> {
    let instances = minute.in_service.filter(|count| *count > 0.0)?;
    Some(model.cpu_percent(minute.requests? / instances))
}

/// Whether each minute is one of a deployment.
fn seen_in(record: &Record, seen: &[Deployment]) -> Vec<bool> {
    let at = |index: usize| record.start + Minutes(index as u32);
    let within = |minute: MinuteUtc| seen.iter().any(|d| d.start <= minute && minute < d.end);
    (0..record.minutes.len()).map(|index| within(at(index))).collect()
}

fn recorded_counts(record: &Record) -> Vec<Option<u32>> {
    record.minutes.iter().map(|minute| minute.in_service.map(|count| count.round() as u32)).collect()
}

/// Minutes at which a count changes, and to which side; those that are decided `elsewhere` are not a policy's.
fn changes(counts: &[Option<u32>], elsewhere: &[bool]) -> Vec<(usize, i64)> {
    let mut found = Vec::new();
    let mut before: Option<u32> = None;
    let mut was_elsewhere = false;
    for (index, count) in counts.iter().enumerate() {
        let edge = elsewhere[index] || was_elsewhere;
        let Some(count) = *count else {
            was_elsewhere = edge;
            continue;
        };
        if let Some(before) = before.filter(|before| *before != count && !edge) {
            found.push((index, i64::from(count) - i64::from(before)));
        }
        before = Some(count);
        was_elsewhere = elsewhere[index];
    }
    found
}

fn compare(
    record: &Record,
    rows: &[Row],
    run: &FreeRun<'_>,
    elsewhere: &[bool],
    from: usize,
) -> Option<BackTest> {
    let pairs: Vec<(&RecordedMinute, &Row)> = record.minutes.iter().zip(rows).skip(from).collect();
    let cpu =
        pairs.iter().filter_map(|(minute, row)| Some((row.measured_cpu()?, record.unsaturated(minute)?)));
    let cpu: Vec<(f64, f64)> = cpu.collect();
    let counts = counts(record, rows, run, elsewhere, from)?;
    let mut back_test = of_cpu(record, &cpu, from)?;
    back_test.counts = Some(counts);
    Some(back_test)
}

impl Row {
    /// The CPU that the group's metric shows, if that is what the alarms watch; else that of an instance.
    fn measured_cpu(&self) -> Option<f64> {
        self.group_cpu_percent.or(self.cpu_percent)
    }
}

fn of_cpu(record: &Record, cpu: &[(f64, f64)], from: usize) -> Option<BackTest> {
    let count = cpu.len() as f64;
    if cpu.is_empty() {
        return None;
    }
    let is_saturated = |minute: &&RecordedMinute| record.is_saturated(minute);
    let cpu_distance =
        cpu.iter().map(|(predicted, recorded)| (predicted - recorded).abs()).sum::<f64>() / count;
    Some(BackTest {
        minutes: cpu.len() as u32,
        saturated: record.minutes[from..].iter().filter(is_saturated).count() as u32,
        deploying: 0,
        counts: None,
        mean_cpu_error: cpu.iter().map(|(predicted, recorded)| predicted - recorded).sum::<f64>() / count,
        cpu_distance,
        peak_cpu_error: peak(cpu.iter().map(|pair| pair.0)) - peak(cpu.iter().map(|pair| pair.1)),
        peak_cpu_percent: peak(cpu.iter().map(|pair| pair.1)),
        // The prediction is the line, until a replay has one of its own.
        line_distance: cpu_distance,
    })
}

/// The 99th percentile: a single minute says too little.
fn peak(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) * 99 / 100]
}

fn counts(
    record: &Record,
    rows: &[Row],
    run: &FreeRun<'_>,
    elsewhere: &[bool],
    from: usize,
) -> Option<Counts> {
    let known = record.minutes.iter().zip(rows).skip(from);
    let known = known.filter_map(|(minute, row)| {
        Some((minute.in_service.filter(|count| *count > 0.0)?, f64::from(row.in_service.0)))
    });
    let known: Vec<(f64, f64)> = known.collect();
    if known.is_empty() {
        return None;
    }
    let count = known.len() as f64;
    let recorded_hours: f64 = known.iter().map(|(recorded, _)| recorded).sum();
    let replayed_hours: f64 = known.iter().map(|(_, replayed)| replayed).sum();
    let exact = known.iter().filter(|(recorded, replayed)| (recorded - replayed).abs() < 0.5).count();
    // What nobody counted is no change in either.
    let counted = rows.iter().zip(&record.minutes);
    let replayed_counts: Vec<Option<u32>> =
        counted.map(|(row, minute)| minute.in_service.map(|_| row.in_service.0)).collect();
    let since = |changes: Vec<(usize, i64)>| -> Vec<(usize, i64)> {
        changes.into_iter().filter(|(minute, _)| from <= *minute).collect()
    };
    let recorded = since(changes(&recorded_counts(record), elsewhere));
    let replayed = since(changes(&replayed_counts, elsewhere));
    let outside = (from..record.minutes.len()).filter(|index| {
        let limits = run.course.limits_at(record.start + Minutes(*index as u32 + 1), run.plan.group);
        !elsewhere[*index] && record.minutes[*index].in_service.is_some_and(|count| is_outside(count, limits))
    });
    let step = i64::from(run.plan.largest_step());
    Some(Counts {
        hours_bias: replayed_hours / recorded_hours - 1.0,
        mape: known.iter().map(|(recorded, replayed)| (replayed - recorded).abs() / recorded).sum::<f64>()
            / count,
        exact: exact as f64 / count,
        recorded_events: recorded.len() as u32,
        replayed_events: replayed.len() as u32,
        matched_events: matched(&recorded, &replayed),
        outside_limits: outside.count() as u32,
        large_jumps: recorded.iter().filter(|(_, change)| change.abs() > step).count() as u32,
    })
}

/// A mean over a minute is near enough to the size that it is nearest to.
fn is_outside(count: f64, limits: Group) -> bool {
    count < f64::from(limits.min_size.0) - 0.5 || f64::from(limits.max_size.0) + 0.5 < count
}

/// Recorded changes that have a replayed one of the same direction within two minutes; each is used once.
fn matched(recorded: &[(usize, i64)], replayed: &[(usize, i64)]) -> u32 {
    let mut free: Vec<(usize, i64)> = replayed.to_vec();
    let mut matched = 0;
    for (minute, change) in recorded {
        let near =
            |other: &(usize, i64)| other.0.abs_diff(*minute) <= 2 && other.1.signum() == change.signum();
        if let Some(index) = free.iter().position(near) {
            free.remove(index);
            matched += 1;
        }
    }
    matched
}

/// The CPU model alone, on the recorded instances: what is left where the settings can't be replayed. `model`
/// should come from the first half of the minutes; the errors are of the second.
pub fn back_test_cpu(record: &Record, model: CpuModel) -> Option<BackTest> {
    let half = record.minutes.len() / 2;
    let pairs = record.minutes[half..]
        .iter()
        .filter_map(|minute| Some((predicted(minute, model)?, record.unsaturated(minute)?)));
    of_cpu(record, &pairs.collect::<Vec<_>>(), half)
}
