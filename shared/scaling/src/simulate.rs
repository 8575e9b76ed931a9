//! The same answer as [`crate::reference`], fast: counters in place of instances, and one pass over the load.
//!
//! Each alarm keeps, for every phase of its period, how many points in a row have breached; only where data
//! is missing are the points looked at one by one.

use crate::alarm::{AlarmRule, AlarmState, Breach, EXTRA_POINTS};
use crate::cpu_model::cpu_percent;
use crate::dynamics::{Dynamics, MinuteMetric};
use crate::policy::ScalingPolicy;
use crate::reference::{Decision, Row};
use crate::traffic::Load;
use crate::units::{CpuPercent, Instances};

/// What a policy does to a load, in sum. Minutes without traffic data count only where said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Minutes with known traffic.
    pub minutes: u32,
    /// Minutes whose traffic is not known; instances are billed in them all the same.
    pub minutes_missing: u32,
    /// Mean CPU of serving instances over the known minutes; 0 if there is none.
    pub mean_cpu_percent: f64,
    /// Greatest CPU of serving instances; 0 if no minute is known.
    pub max_cpu_percent: f64,
    /// Minutes with CPU at or over the ceiling.
    pub minutes_over: u32,
    /// Billed instances, summed over minutes: the cost.
    pub billed_instance_minutes: u64,
    /// Greatest desired capacity.
    pub peak_desired: Instances,
    /// Times that instances were added.
    pub scale_outs: u32,
    /// Times that instances were removed.
    pub scale_ins: u32,
}

impl Outcome {
    /// Billed instance hours.
    pub fn instance_hours(&self) -> f64 {
        self.billed_instance_minutes as f64 / 60.0
    }

    /// The sum of `rows`.
    pub fn of(rows: &[Row], ceiling: CpuPercent) -> Self {
        let mut tally = Tally::default();
        for row in rows {
            let cpu = row.cpu_percent.unwrap_or(f64::NAN);
            tally.add(cpu, ceiling.get(), row.desired.0, u64::from(row.billed.0));
            match row.decision {
                Decision::ScaleOut { .. } => tally.scale_outs += 1,
                Decision::ScaleIn { .. } => tally.scale_ins += 1,
                _ => {}
            }
        }
        tally.outcome()
    }
}

/// What is asked of a replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Question {
    /// Instances at the start.
    pub initial: Instances,
    /// CPU that should not be reached.
    pub ceiling: CpuPercent,
    /// Minutes in which it may be; the replay is given up at the first one more.
    pub minutes_over_allowed: u32,
}

/// Replays `load` under `policy`; `None` as soon as the ceiling was reached in more minutes than allowed.
pub fn simulate(
    load: &Load,
    policy: &ScalingPolicy,
    dynamics: &Dynamics,
    question: Question,
) -> Option<Outcome> {
    let ceiling = question.ceiling.get();
    let offset = load.start.epoch_minutes();
    let mut tally = Tally::default();
    let mut fleet = Fleet::new(policy, dynamics, question.initial);
    let mut alarms = Alarms::new(policy, load.demand_percent.len());
    for (now, &demand) in load.demand_percent.iter().enumerate() {
        fleet.advance(now);
        alarms.look(dynamics.visible_end(now as i64, offset));
        if alarms.high == AlarmState::Alarm {
            tally.scale_outs += u32::from(fleet.scale_out(now));
        } else if alarms.low == AlarmState::Alarm {
            tally.scale_ins += u32::from(fleet.scale_in(now));
        }
        let cpu = cpu_percent(load.intercept_percent, demand / f64::from(fleet.serving));
        alarms.record(MinuteMetric::of(dynamics, fleet.serving, cpu, fleet.booting));
        tally.add(cpu, ceiling, fleet.desired, fleet.billed());
        if tally.minutes_over > question.minutes_over_allowed {
            return None;
        }
    }
    Some(tally.outcome())
}

#[derive(Default)]
struct Tally {
    minutes: u32,
    minutes_missing: u32,
    cpu_sum: f64,
    cpu_max: f64,
    minutes_over: u32,
    billed: u64,
    peak_desired: u32,
    scale_outs: u32,
    scale_ins: u32,
}

impl Tally {
    fn add(&mut self, cpu: f64, ceiling: f64, desired: u32, billed: u64) {
        self.billed += billed;
        self.peak_desired = self.peak_desired.max(desired);
        if cpu.is_nan() {
            self.minutes_missing += 1;
            return;
        }
        self.minutes += 1;
        self.cpu_sum += cpu;
        self.cpu_max = self.cpu_max.max(cpu);
        self.minutes_over += u32::from(cpu >= ceiling);
    }

    fn outcome(self) -> Outcome {
        let mean = if self.minutes == 0 { 0.0 } else { self.cpu_sum / f64::from(self.minutes) };
        Outcome {
            minutes: self.minutes,
            minutes_missing: self.minutes_missing,
            mean_cpu_percent: mean,
            max_cpu_percent: self.cpu_max,
            minutes_over: self.minutes_over,
            billed_instance_minutes: self.billed,
            peak_desired: Instances(self.peak_desired),
            scale_outs: self.scale_outs,
            scale_ins: self.scale_ins,
        }
    }
}

/// Instances that change state together, at minute `at`.
#[derive(Clone, Copy)]
struct Batch {
    at: usize,
    count: u32,
}

/// The group as counters. A launch moves from `launching` through `booting` to `serving`; several launches
/// can boot at once, one alone can be launching, since the next must wait for it.
struct Fleet {
    desired: u32,
    serving: u32,
    booting: u32,
    launching: Batch,
    boots: Vec<Batch>,
    drains: Vec<Batch>,
    next_change: usize,
    accepted_from: usize,
    steps: Steps,
}

/// A policy's numbers, bare, in minutes.
struct Steps {
    up: u32,
    down: u32,
    min: u32,
    max: u32,
    launch: usize,
    boot: usize,
    drain: usize,
    cooldown: usize,
}

const NEVER: usize = usize::MAX;

impl Fleet {
    fn new(policy: &ScalingPolicy, dynamics: &Dynamics, initial: Instances) -> Self {
        let (trigger, group) = (policy.trigger(), policy.group());
        let size = initial.clamp(group.min_size, group.max_size).0;
        Self {
            desired: size,
            serving: size,
            booting: 0,
            launching: Batch { at: NEVER, count: 0 },
            boots: Vec::new(),
            drains: Vec::new(),
            next_change: NEVER,
            accepted_from: 0,
            steps: Steps {
                up: trigger.upper_breach_scale_increment.0,
                down: trigger.lower_breach_scale_increment.0,
                min: group.min_size.0,
                max: group.max_size.0,
                launch: dynamics.launch.0 as usize,
                boot: dynamics.boot.0 as usize,
                drain: dynamics.drain.0 as usize,
                cooldown: group.cooldown.to_minutes_rounded_up().0 as usize,
            },
        }
    }

    fn billed(&self) -> u64 {
        let draining: u32 = self.drains.iter().map(|batch| batch.count).sum();
        u64::from(self.desired + draining)
    }

    fn advance(&mut self, now: usize) {
        if now < self.next_change {
            return;
        }
        if self.launching.at <= now {
            let boot = Batch { at: self.launching.at + self.steps.boot, count: self.launching.count };
            self.booting += boot.count;
            self.boots.push(boot);
            self.launching = Batch { at: NEVER, count: 0 };
        }
        let booted: u32 = self.boots.iter().filter(|batch| batch.at <= now).map(|batch| batch.count).sum();
        self.booting -= booted;
        self.serving += booted;
        self.boots.retain(|batch| now < batch.at);
        self.drains.retain(|batch| now < batch.at);
        self.schedule();
    }

    fn schedule(&mut self) {
        let ends = self.boots.iter().chain(&self.drains).map(|batch| batch.at);
        self.next_change = ends.fold(self.launching.at, usize::min);
    }

    fn scale_out(&mut self, now: usize) -> bool {
        let to = self.desired.saturating_add(self.steps.up).min(self.steps.max);
        if now < self.accepted_from || to == self.desired {
            return false;
        }
        self.launching = Batch { at: now + self.steps.launch, count: to - self.desired };
        self.desired = to;
        self.accepted_from = self.launching.at + self.steps.cooldown;
        self.schedule();
        self.advance(now);
        true
    }

    fn scale_in(&mut self, now: usize) -> bool {
        let to = self.desired.saturating_sub(self.steps.down).max(self.steps.min);
        if now < self.accepted_from || to == self.desired {
            return false;
        }
        let drain = Batch { at: now + self.steps.drain, count: self.desired - to };
        self.remove(drain.count);
        self.desired = to;
        if now < drain.at {
            self.drains.push(drain);
        }
        self.accepted_from = drain.at + self.steps.cooldown;
        self.schedule();
        true
    }

    /// Serving instances first, but for the last one; then the newest of those that boot.
    fn remove(&mut self, count: u32) {
        let from_serving = count.min(self.serving - 1);
        self.serving -= from_serving;
        let mut rest = count - from_serving;
        self.booting -= rest;
        while rest > 0 {
            let newest = self.boots.last_mut().expect("instances in service serve or boot");
            let taken = rest.min(newest.count);
            newest.count -= taken;
            rest -= taken;
            if newest.count == 0 {
                self.boots.pop();
            }
        }
    }
}

/// How one point stands to both thresholds.
#[derive(Clone, Copy, PartialEq)]
enum Point {
    Within,
    Over,
    Under,
    Missing,
}

/// Both alarms of a policy: they share their window.
struct Alarms {
    high: AlarmState,
    low: AlarmState,
    upper: f64,
    lower: f64,
    rule: AlarmRule,
    period: usize,
    metrics: Vec<MinuteMetric>,
    /// The point that ends before each minute; filled as they become visible.
    points: Vec<Point>,
    /// For each phase of the period, how many of the newest points in a row were over, and under.
    runs: Vec<(u32, u32)>,
    /// The end of the newest point that was seen, and its phase: `seen_end % period`, kept without dividing.
    seen_end: usize,
    phase: usize,
    /// The window is full once that many minutes are visible.
    full_at: usize,
    newest_missing_end: usize,
}

impl Alarms {
    fn new(policy: &ScalingPolicy, minutes: usize) -> Self {
        let trigger = policy.trigger();
        let period = trigger.period.0 as usize;
        Self {
            high: AlarmState::Ok,
            low: AlarmState::Ok,
            upper: trigger.upper_threshold.get(),
            lower: trigger.lower_threshold.get(),
            rule: AlarmRule::beanstalk(trigger.evaluation_periods as usize),
            period,
            metrics: Vec::with_capacity(minutes),
            points: vec![Point::Within; minutes + 1],
            runs: vec![(0, 0); period],
            seen_end: 0,
            phase: 0,
            full_at: period * trigger.evaluation_periods as usize,
            newest_missing_end: 0,
        }
    }

    fn record(&mut self, metric: MinuteMetric) {
        self.metrics.push(metric);
    }

    /// Looks at what ends before minute `visible_end`. Nothing changes between two points.
    fn look(&mut self, visible_end: i64) {
        let Ok(end) = usize::try_from(visible_end) else { return };
        if end != self.seen_end {
            for end in self.seen_end + 1..=end {
                self.note_point(end);
            }
            self.seen_end = end;
        }
        if end < self.full_at {
            return;
        }
        let range = (self.rule.evaluation_periods + EXTRA_POINTS) * self.period;
        if self.newest_missing_end > 0 && end < self.newest_missing_end + range {
            self.look_at_each(end);
        } else {
            let (over, under) = self.runs[self.phase];
            let needed = self.rule.evaluation_periods as u32;
            self.high = if over >= needed { AlarmState::Alarm } else { AlarmState::Ok };
            self.low = if under >= needed { AlarmState::Alarm } else { AlarmState::Ok };
        }
    }

    fn note_point(&mut self, end: usize) {
        self.phase = if self.phase + 1 == self.period { 0 } else { self.phase + 1 };
        if end < self.period {
            return;
        }
        let point = self.point(end);
        self.points[end] = point;
        let (over, under) = &mut self.runs[self.phase];
        *over = if point == Point::Over { *over + 1 } else { 0 };
        *under = if point == Point::Under { *under + 1 } else { 0 };
        if point == Point::Missing {
            self.newest_missing_end = end;
        }
    }

    fn point(&self, end: usize) -> Point {
        match MinuteMetric::average(&self.metrics[end - self.period..end]) {
            None => Point::Missing,
            Some(cpu) if cpu > self.upper => Point::Over,
            Some(cpu) if cpu < self.lower => Point::Under,
            Some(_) => Point::Within,
        }
    }

    #[cold]
    fn look_at_each(&mut self, end: usize) {
        let count = (end / self.period).min(self.rule.evaluation_periods + EXTRA_POINTS);
        let points = (0..count).rev().map(|back| self.points[end - back * self.period]);
        let breaches = |breach: Point| -> Vec<Breach> {
            points.clone().map(|point| (point != Point::Missing).then_some(point == breach)).collect()
        };
        let (over, under) = (breaches(Point::Over), breaches(Point::Under));
        self.high = self.rule.evaluate(&over, self.high);
        self.low = self.rule.evaluate(&under, self.low);
    }
}
