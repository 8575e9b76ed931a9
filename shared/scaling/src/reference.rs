//! The simulator's specification: one row a minute, each instance by itself, nothing clever.
//!
//! At the start of a minute, in this order: instances whose launch, boot or warm-up is over move on; scheduled
//! actions change the group's limits; the alarms look at what is visible; the policy acts or says why not; then
//! the minute runs with the result.

use crate::alarm::{AlarmState, Breach, EXTRA_POINTS};
use crate::course::Course;
use crate::dynamics::{Booting, Dynamics, MinuteMetric};
use crate::plan::{Alarm, Measure, Plan, Rule, Simple, Step, StepAdjustment, TargetTracking};
use crate::policy::ScalingPolicy;
use crate::traffic::Load;
use crate::units::{Instances, MinuteUtc, Minutes};

/// Everything that decides about capacity, but for the load.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// The policy, the group's limits and what the alarms watch.
    pub plan: Plan,
    /// Delays and the like.
    pub dynamics: Dynamics,
    /// What happens that no alarm asks for.
    pub course: Course,
    /// Instances at the start, all of them serving.
    pub initial: Instances,
}

impl Scenario {
    /// A Beanstalk policy and nothing else.
    pub fn of(policy: &ScalingPolicy, dynamics: Dynamics, initial: Instances) -> Self {
        Self { plan: policy.into(), dynamics, course: Course::default(), initial }
    }
}

/// What happened in one minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The minute.
    pub minute_utc: MinuteUtc,
    /// CPU percent beyond the intercept that one instance would show alone; `None` where traffic is unknown.
    pub demand_percent: Option<f64>,
    /// Instances that the group wants.
    pub desired: Instances,
    /// Instances in service, booting ones included.
    pub in_service: Instances,
    /// Instances that serve requests.
    pub serving: Instances,
    /// Instances that are paid for: launching, in service or draining.
    pub billed: Instances,
    /// CPU of the busiest serving instance, as the line has it; `None` where traffic is unknown.
    pub cpu_percent: Option<f64>,
    /// CPU as the group's metric has it, with its stray from the line; `None` where traffic is unknown.
    pub group_cpu_percent: Option<f64>,
    /// What the alarms watch, over this one minute; `None` where it is unknown.
    pub measure: Option<f64>,
    /// Serving instances held at their baseline for want of CPU credits.
    pub throttled: Instances,
    /// CPU credits that were spent beyond what was there, in unlimited mode.
    pub surplus_credits: f64,
    /// The alarm that scales out.
    pub high: AlarmState,
    /// The alarm that scales in.
    pub low: AlarmState,
    /// Desired capacity before and after scheduled actions and changes by hand, where they moved it.
    pub scheduled: Option<(Instances, Instances)>,
    /// What the policy did, or why it did nothing.
    pub decision: Decision,
}

/// What the policy did at the start of a minute, or why it did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// The measure lies between the thresholds, or has not been outside for long enough.
    NoBreach,
    /// The environment has not run for long enough to fill the alarms' window.
    WindowNotFull,
    /// Too few points are known.
    InsufficientData,
    /// Instances were added.
    ScaleOut {
        /// Desired capacity before.
        from: Instances,
        /// Desired capacity after.
        to: Instances,
    },
    /// Instances were removed.
    ScaleIn {
        /// Desired capacity before.
        from: Instances,
        /// Desired capacity after.
        to: Instances,
    },
    /// Refused: instances are still being launched or removed.
    ActivityInProgress {
        /// The minute from which on a request is accepted.
        accepted_from: MinuteUtc,
    },
    /// Refused: the cooldown lasts.
    Cooldown {
        /// The minute from which on a request is accepted.
        accepted_from: MinuteUtc,
    },
    /// Refused: no scale-in while instances warm up.
    WarmingUp,
    /// The group is as large as it may be.
    AtMaxSize,
    /// The group is as small as it may be.
    AtMinSize,
    /// The policy asks for this capacity, which changes nothing.
    NoChange {
        /// What it asks for.
        capacity: Instances,
    },
}

/// Replays `load`, starting with the scenario's instances (brought within the group's limits, as they are in force then).
/// Where a change leaves nobody to serve, nothing is known ([`Course::answered`]).
pub fn replay(load: &Load, scenario: &Scenario) -> Vec<Row> {
    let load = &*scenario.course.answered(load, &scenario.dynamics);
    let mut group = Group::new(scenario, load.start);
    let mut metrics = Vec::new();
    let mut rows = Vec::new();
    for now in 0..load.demand_percent.len() {
        let minute = load.start + Minutes(now as u32);
        group.drop_drained(now);
        let scheduled = group.follow_schedule(now, minute);
        group.look(&metrics, now as i64, load.start.epoch_minutes());
        let decision = group.decide(now, minute, &metrics, load.start.epoch_minutes());
        let (row, metric) = group.run(load, now, minute, scheduled, decision);
        metrics.push(metric);
        rows.push(row);
    }
    rows
}

fn known(value: f64) -> Option<f64> {
    Some(value).filter(|value| !value.is_nan())
}

/// One instance; minutes count from the first of the load.
#[derive(Clone, Copy, PartialEq)]
struct Instance {
    in_service_from: usize,
    serving_from: usize,
    /// Part of the group's average from then on.
    reporting_from: usize,
    warm_from: usize,
    credits: f64,
}

struct Group<'a> {
    scenario: &'a Scenario,
    dynamics: &'a Dynamics,
    limits: crate::policy::Group,
    /// Oldest first.
    instances: Vec<Instance>,
    /// The minutes at which draining instances are gone.
    gone_at: Vec<usize>,
    activity_until: usize,
    cooldown_until: usize,
    window_is_full: bool,
    high: AlarmState,
    low: AlarmState,
}

impl<'a> Group<'a> {
    fn new(scenario: &'a Scenario, start: MinuteUtc) -> Self {
        let limits = scenario.course.limits_at(start, scenario.plan.group);
        let size = scenario.course.first_size(start, scenario.initial, limits);
        let credits = scenario.dynamics.credits.map_or(0.0, |credits| credits.initial_balance);
        let there =
            Instance { in_service_from: 0, serving_from: 0, reporting_from: 0, warm_from: 0, credits };
        Self {
            scenario,
            dynamics: &scenario.dynamics,
            limits,
            instances: vec![there; size.0 as usize],
            gone_at: Vec::new(),
            activity_until: 0,
            cooldown_until: 0,
            window_is_full: false,
            high: AlarmState::Ok,
            low: AlarmState::Ok,
        }
    }

    fn desired(&self) -> u32 {
        self.instances.len() as u32
    }

    fn count(&self, holds: impl Fn(&Instance) -> bool) -> u32 {
        self.instances.iter().filter(|instance| holds(instance)).count() as u32
    }

    fn drop_drained(&mut self, now: usize) {
        self.gone_at.retain(|gone_at| now < *gone_at);
    }

    /// Scheduled actions and changes by hand wait for nothing; what they launch or end starts a cooldown.
    fn follow_schedule(&mut self, now: usize, minute: MinuteUtc) -> Option<(Instances, Instances)> {
        let from = self.desired();
        for change in self.scenario.course.changes_at(minute) {
            self.limits.min_size = change.min_size.unwrap_or(self.limits.min_size);
            self.limits.max_size = change.max_size.unwrap_or(self.limits.max_size);
            let wanted = change.desired_capacity.map_or(self.desired(), |desired| desired.0);
            self.set_capacity(now, self.within_limits(wanted));
        }
        let to = self.desired();
        (from != to).then_some((Instances(from), Instances(to)))
    }

    /// Where the limits contradict each other, the upper one wins.
    fn within_limits(&self, capacity: u32) -> u32 {
        capacity.max(self.limits.min_size.0).min(self.limits.max_size.0)
    }

    fn look(&mut self, metrics: &[MinuteMetric], now: i64, offset: i64) {
        let rule = &self.scenario.plan.rule;
        let measure = self.scenario.plan.measure;
        let visible = self.dynamics.visible_end(measure, now, offset);
        let (high_is_full, high) = state(rule.high(), measure, metrics, visible, self.high);
        let (low_is_full, low) = state(rule.low(), measure, metrics, visible, self.low);
        self.window_is_full = high_is_full && low_is_full;
        (self.high, self.low) = (high, low);
    }

    fn decide(&mut self, now: usize, minute: MinuteUtc, metrics: &[MinuteMetric], offset: i64) -> Decision {
        let scenario = self.scenario;
        let newest = |alarm: &Alarm| {
            let measure = scenario.plan.measure;
            let visible = scenario.dynamics.visible_end(measure, now as i64, offset);
            let window = points(metrics, measure, visible, alarm.period.0 as usize, 1);
            window.and_then(|points| points.last().copied().flatten())
        };
        match (self.high, self.low, &scenario.plan.rule) {
            (AlarmState::Alarm, _, Rule::Simple(simple)) => self.simple(now, minute, simple, true),
            (_, AlarmState::Alarm, Rule::Simple(simple)) => self.simple(now, minute, simple, false),
            (AlarmState::Alarm, _, Rule::Step(step)) => self.step_out(now, step, newest(&step.high)),
            (_, AlarmState::Alarm, Rule::Step(step)) => self.step_in(now, step, newest(&step.low)),
            (AlarmState::Alarm, _, Rule::TargetTracking(tracking)) => {
                self.track_out(now, tracking, newest(&tracking.high))
            }
            (_, AlarmState::Alarm, Rule::TargetTracking(tracking)) => {
                self.track_in(now, tracking, newest(&tracking.low))
            }
            _ if !self.window_is_full => Decision::WindowNotFull,
            (AlarmState::InsufficientData, ..) | (_, AlarmState::InsufficientData, _) => {
                Decision::InsufficientData
            }
            _ => Decision::NoBreach,
        }
    }

    /// One adjustment, refused while an activity or the cooldown lasts.
    fn simple(&mut self, now: usize, minute: MinuteUtc, simple: &Simple, is_high: bool) -> Decision {
        let adjustment = if is_high { simple.on_high } else { simple.on_low };
        let asked = adjustment.apply(self.desired());
        let to = self.within_limits(asked);
        if to == self.desired() {
            return self.unchanged(asked);
        }
        let accepted_from = minute + Minutes(self.cooldown_until.saturating_sub(now) as u32);
        if now < self.activity_until {
            return Decision::ActivityInProgress { accepted_from };
        }
        if now < self.cooldown_until {
            return Decision::Cooldown { accepted_from };
        }
        self.change_capacity(now, to)
    }

    /// What is warm is adjusted; what already warms up is part of the answer.
    fn step_out(&mut self, now: usize, step: &Step, newest: Option<f64>) -> Decision {
        let warm = self.count(|instance| instance.warm_from <= now);
        let Some(adjustment) = adjustment(&step.on_high, &step.high, newest) else {
            return Decision::NoChange { capacity: Instances(self.desired()) };
        };
        self.raise_to(now, adjustment.apply(warm))
    }

    fn step_in(&mut self, now: usize, step: &Step, newest: Option<f64>) -> Decision {
        if self.count(|instance| now < instance.warm_from) > 0 {
            return Decision::WarmingUp;
        }
        let Some(adjustment) = adjustment(&step.on_low, &step.low, newest) else {
            return Decision::NoChange { capacity: Instances(self.desired()) };
        };
        self.lower_to(now, adjustment.apply(self.desired()))
    }

    fn track_out(&mut self, now: usize, tracking: &TargetTracking, newest: Option<f64>) -> Decision {
        let Some(newest) = newest else { return Decision::InsufficientData };
        let warm = self.count(|instance| instance.warm_from <= now);
        self.raise_to(now, formula(warm, newest, tracking.target))
    }

    /// One instance at a time, a minute apart.
    fn track_in(&mut self, now: usize, tracking: &TargetTracking, newest: Option<f64>) -> Decision {
        let Some(newest) = newest else { return Decision::InsufficientData };
        if self.count(|instance| now < instance.warm_from) > 0 {
            return Decision::WarmingUp;
        }
        let asked = formula(self.desired(), newest, tracking.target);
        self.lower_to(now, asked.max(self.desired().saturating_sub(1)))
    }

    fn raise_to(&mut self, now: usize, asked: u32) -> Decision {
        let to = self.within_limits(asked);
        if to > self.desired() { self.change_capacity(now, to) } else { self.unchanged(asked) }
    }

    fn lower_to(&mut self, now: usize, asked: u32) -> Decision {
        let to = self.within_limits(asked);
        if to < self.desired() { self.change_capacity(now, to) } else { self.unchanged(asked) }
    }

    fn unchanged(&self, asked: u32) -> Decision {
        let desired = Instances(self.desired());
        match Instances(asked) {
            asked if asked > desired && desired == self.limits.max_size => Decision::AtMaxSize,
            asked if asked < desired && desired == self.limits.min_size => Decision::AtMinSize,
            capacity => Decision::NoChange { capacity },
        }
    }

    fn change_capacity(&mut self, now: usize, to: u32) -> Decision {
        let (from, to) = (Instances(self.desired()), Instances(to));
        self.set_capacity(now, to.0);
        if from < to { Decision::ScaleOut { from, to } } else { Decision::ScaleIn { from, to } }
    }

    fn set_capacity(&mut self, now: usize, to: u32) {
        let from = self.desired();
        if from < to {
            self.launch(now, to);
        }
        if to < from {
            self.end(now, from - to);
        }
    }

    fn launch(&mut self, now: usize, to: u32) {
        let in_service_from = now + self.dynamics.launch.0 as usize;
        let serving_from = in_service_from + self.dynamics.boot.0 as usize;
        let warm_up = self.scenario.plan.rule.warm_up();
        let warm_from = in_service_from + warm_up.map_or(0, |warm_up| warm_up.0 as usize);
        let reporting_from = match (warm_up, self.dynamics.booting) {
            (Some(_), _) => warm_from,
            (None, Booting::Counted(_)) => in_service_from,
            (None, Booting::LeftOut) => serving_from,
        };
        let credits = self.dynamics.credits.map_or(0.0, |credits| credits.at_launch());
        let launched = Instance { in_service_from, serving_from, reporting_from, warm_from, credits };
        self.instances.resize(to as usize, launched);
        self.rest_after(in_service_from);
    }

    fn end(&mut self, now: usize, count: u32) {
        let gone_at = now + self.dynamics.drain.0 as usize;
        for _ in 0..count {
            self.remove_one(now);
            if now < gone_at {
                self.gone_at.push(gone_at);
            }
        }
        self.rest_after(gone_at);
    }

    /// AWS may take any of equal instances. The hardest case is assumed: one that serves goes before one
    /// that boots; but never the last one that serves.
    fn remove_one(&mut self, now: usize) {
        let serves = |instance: &Instance| instance.serving_from <= now;
        let goes = if self.count(serves) > 1 { self.instances.iter().position(serves) } else { None };
        match goes {
            Some(index) => drop(self.instances.remove(index)),
            None => drop(self.instances.pop()),
        }
    }

    fn rest_after(&mut self, activity_end: usize) {
        let cooldown = self.limits.cooldown.to_minutes_rounded_up();
        self.activity_until = self.activity_until.max(activity_end);
        self.cooldown_until = self.cooldown_until.max(activity_end + cooldown.0 as usize);
    }

    /// The minute itself, with the group as it is now.
    fn run(
        &mut self,
        load: &Load,
        now: usize,
        minute: MinuteUtc,
        scheduled: Option<(Instances, Instances)>,
        decision: Decision,
    ) -> (Row, MinuteMetric) {
        let (extra, extra_cpu) = self.scenario.course.deploying_at(minute);
        let serving = self.count(|instance| instance.serving_from <= now) + extra;
        let demand = load.demand_percent[now];
        let line = load.intercept_percent + extra_cpu + demand / f64::from(serving);
        let wanted = Wanted::of(self.dynamics, line, load.stray_percent(now));
        let work = self.work(now, wanted, extra);
        let metric = work.metric(self.dynamics, self.scenario.plan.measure, load, now, f64::from(serving));
        let row = Row {
            minute_utc: minute,
            demand_percent: known(demand),
            desired: Instances(self.desired()),
            in_service: Instances(self.count(|instance| instance.in_service_from <= now) + extra),
            serving: Instances(serving),
            billed: Instances(self.desired() + self.gone_at.len() as u32 + extra),
            cpu_percent: known(work.busiest).filter(|_| !demand.is_nan()),
            group_cpu_percent: known(work.sum / work.weight).filter(|_| !demand.is_nan()),
            measure: MinuteMetric::point(self.scenario.plan.measure, &[metric]),
            throttled: Instances(work.throttled),
            surplus_credits: work.surplus,
            high: self.high,
            low: self.low,
            scheduled,
            decision,
        };
        (row, metric)
    }

    /// Every instance works for a minute: as `wanted` where it serves, a little where it boots.
    fn work(&mut self, now: usize, wanted: Wanted, extra: u32) -> Work {
        if self.dynamics.credits.is_some() {
            return self.work_on_credit(now, wanted, extra);
        }
        let reporting = |instance: &Instance| instance.reporting_from <= now;
        let serves = |instance: &Instance| instance.serving_from <= now;
        let serving = self.count(|instance| reporting(instance) && serves(instance)) + extra;
        let booting = self.count(|instance| reporting(instance) && !serves(instance));
        Work::alike(self.dynamics, wanted, serving, booting)
    }

    /// Instances that were launched together have the same credits, and are summed as one.
    fn work_on_credit(&mut self, now: usize, wanted: Wanted, extra: u32) -> Work {
        let mut work = Work::default();
        let mut first = 0;
        while first < self.instances.len() {
            let instance = self.instances[first];
            let count = self.instances[first..].iter().take_while(|other| **other == instance).count();
            if instance.in_service_from <= now {
                let serves = instance.serving_from <= now;
                let cpu = if serves { wanted } else { Wanted::booting(self.dynamics) };
                let (cpu, credits) = work.spend(self.dynamics, instance.credits, cpu, count as u32, serves);
                self.instances[first..first + count]
                    .iter_mut()
                    .for_each(|instance| instance.credits = credits);
                if instance.reporting_from <= now {
                    work.report(cpu, count as u32);
                }
            }
            first += count;
        }
        work.help(wanted, extra);
        work
    }
}

/// Steps in which an instance's CPU is shown, to a percent. They are finer than anything that could matter, and make every
/// sum over a group exact: what an alarm sees does not depend on the order in which it is added up.
pub(crate) const STEPS_PER_PERCENT: f64 = 1024.0;

/// CPU percent that a minute asks of an instance: as the line has it, by which a policy is judged, and as it is
/// seen by the alarms, which strays from the line.
#[derive(Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) on_line: f64,
    pub(crate) seen: f64,
}

impl Wanted {
    pub(crate) fn of(dynamics: &Dynamics, line: f64, stray: f64) -> Self {
        let within = |cpu: f64| cpu.clamp(0.0, dynamics.cpu_ceiling.get());
        Self { on_line: within(line), seen: shown(within(line + stray)) }
    }

    pub(crate) fn booting(dynamics: &Dynamics) -> Self {
        Self { on_line: dynamics.booting_cpu(), seen: shown(dynamics.booting_cpu()) }
    }
}

pub(crate) fn shown(percent: f64) -> f64 {
    (percent * STEPS_PER_PERCENT).round() / STEPS_PER_PERCENT
}

/// What a group does in a minute. NaN wherever the traffic is unknown.
pub(crate) struct Work {
    /// CPU percent of the instances that report, added up.
    pub(crate) sum: f64,
    /// How many report.
    pub(crate) weight: f64,
    /// CPU percent of the busiest serving instance, on the line.
    pub(crate) busiest: f64,
    /// Serving instances held at their baseline.
    pub(crate) throttled: u32,
    /// Credits spent beyond what was there.
    pub(crate) surplus: f64,
}

impl Default for Work {
    fn default() -> Self {
        Self { sum: 0.0, weight: 0.0, busiest: f64::NAN, throttled: 0, surplus: 0.0 }
    }
}

impl Work {
    /// Without credits, all that serve are alike. `serving` and `booting` are those that report.
    pub(crate) fn alike(dynamics: &Dynamics, wanted: Wanted, serving: u32, booting: u32) -> Self {
        Self {
            sum: f64::from(serving) * wanted.seen + f64::from(booting) * Wanted::booting(dynamics).seen,
            weight: f64::from(serving + booting),
            busiest: wanted.on_line,
            ..Self::default()
        }
    }

    /// What the alarms' metric takes from the minute `now`, in which `serving` instances share the requests.
    pub(crate) fn metric(
        &self,
        dynamics: &Dynamics,
        measure: Measure,
        load: &Load,
        now: usize,
        serving: f64,
    ) -> MinuteMetric {
        match measure {
            _ if load.demand_percent[now].is_nan() => MinuteMetric::MISSING,
            Measure::CpuUtilization => MinuteMetric::of_group(dynamics, self.sum, self.weight),
            Measure::RequestCount => MinuteMetric::of_value(load.requests(now)),
            // Each request is a sample: a minute with more of them weighs more, and one without any has no data.
            Measure::Line { intercept, per_request } => {
                let requests = load.requests(now);
                let seconds = intercept + per_request * (requests / serving);
                MinuteMetric { sum: seconds * requests, weight: requests }
            }
        }
    }

    /// The CPU that `count` instances get, and the credits that each has left.
    pub(crate) fn spend(
        &mut self,
        dynamics: &Dynamics,
        credits: f64,
        wanted: Wanted,
        count: u32,
        serves: bool,
    ) -> (f64, f64) {
        let (mut got, mut left) = (wanted, credits);
        if let Some(rule) = dynamics.credits.filter(|_| !wanted.seen.is_nan()) {
            let spent = rule.spend(credits, wanted.seen);
            left = spent.balance;
            self.surplus += spent.surplus * f64::from(count);
            if spent.cpu_percent < wanted.seen {
                got = Wanted { seen: spent.cpu_percent, on_line: spent.cpu_percent };
                self.throttled += if serves { count } else { 0 };
            }
        }
        if serves {
            self.busiest = self.busiest.max(got.on_line);
        }
        (got.seen, left)
    }

    /// The additional batch of a deployment: fresh instances that live for a few minutes.
    pub(crate) fn help(&mut self, wanted: Wanted, extra: u32) {
        if extra > 0 {
            self.report(wanted.seen, extra);
            self.busiest = self.busiest.max(wanted.on_line);
        }
    }

    pub(crate) fn report(&mut self, cpu: f64, count: u32) {
        self.sum += f64::from(count) * cpu;
        self.weight += f64::from(count);
    }
}

/// Target tracking's own formula.
pub(crate) fn formula(warm: u32, newest: f64, target: f64) -> u32 {
    (f64::from(warm) * newest / target).ceil().min(f64::from(u32::MAX)) as u32
}

/// The adjustment for the newest value.
pub(crate) fn adjustment(
    steps: &[StepAdjustment],
    alarm: &Alarm,
    newest: Option<f64>,
) -> Option<crate::adjustment::Adjustment> {
    let distance = newest? - alarm.threshold;
    steps.iter().find(|step| step.covers(distance, alarm.side)).map(|step| step.adjustment)
}

/// Whether the alarm's window is full, and its state then; before, it stays as it is.
fn state(
    alarm: &Alarm,
    measure: Measure,
    metrics: &[MinuteMetric],
    visible: i64,
    before: AlarmState,
) -> (bool, AlarmState) {
    let (period, needed) = (alarm.period.0 as usize, alarm.rule.evaluation_periods);
    let Some(points) = points(metrics, measure, visible, period, needed) else { return (false, before) };
    let breaches: Vec<Breach> = points.iter().map(|point| point.map(|value| alarm.breaches(value))).collect();
    (true, alarm.rule.evaluate(&breaches, before))
}

/// The points that an alarm looks at, oldest first: as many as it evaluates and up to two more, each over
/// `period` minutes, the newest ending before minute `end`. `None` while they don't fill its window.
fn points(
    metrics: &[MinuteMetric],
    measure: Measure,
    end: i64,
    period: usize,
    evaluation_periods: usize,
) -> Option<Vec<Option<f64>>> {
    let end = usize::try_from(end).ok()?;
    let full = end / period;
    if full < evaluation_periods {
        return None;
    }
    let count = full.min(evaluation_periods + EXTRA_POINTS);
    let ends = (0..count).rev().map(|back| end - back * period);
    Some(ends.map(|end| MinuteMetric::point(measure, &metrics[end - period..end])).collect())
}
