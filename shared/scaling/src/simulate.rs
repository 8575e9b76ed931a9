//! The same answer as [`crate::reference`], fast: counters in place of instances, and one pass over the load.
//!
//! Instances that were launched together are one batch, and nothing is counted anew until a batch moves on.
//! Each alarm keeps, for every phase of its period, how many points in a row have breached; only where data is
//! missing, or fewer points than all must breach, are they looked at one by one.

use crate::alarm::{AlarmRule, AlarmState, Breach, EXTRA_POINTS};
use crate::dynamics::{Booting, Dynamics, MinuteMetric};
use crate::plan::{Alarm, Measure, Rule};
use crate::reference::{Decision, Row, Scenario, Wanted, Work, adjustment, formula};
use crate::traffic::Load;
use crate::units::{CpuPercent, Instances, MinuteUtc, Minutes};

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
    /// Minutes with CPU at or over the ceiling, or with an instance held down for want of credits.
    pub minutes_over: u32,
    /// Minutes with an instance held down for want of credits.
    pub minutes_throttled: u32,
    /// CPU credits spent beyond what was there, in unlimited mode.
    pub surplus_credits: f64,
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
            tally.add(cpu, ceiling.get(), row.throttled.0, row.desired.0, u64::from(row.billed.0));
            tally.surplus += row.surplus_credits;
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
    /// CPU that should not be reached.
    pub ceiling: CpuPercent,
    /// Minutes in which it may be; the replay is given up at the first one more.
    pub minutes_over_allowed: u32,
}

impl Question {
    /// Any number of minutes over the ceiling: the replay is never given up.
    pub fn whatever_it_takes(ceiling: CpuPercent) -> Self {
        Self { ceiling, minutes_over_allowed: u32::MAX }
    }
}

/// Replays `load`; `None` as soon as the ceiling was reached in more minutes than allowed.
pub fn simulate(load: &Load, scenario: &Scenario, question: Question) -> Option<Outcome> {
    let load = &*scenario.course.answered(load, &scenario.dynamics);
    let ceiling = question.ceiling.get();
    let mut tally = Tally::default();
    let mut running = Running::new(scenario, load.start);
    for now in 0..load.demand_percent.len() {
        running.minute(load, now, ceiling, &mut tally);
        if tally.minutes_over > question.minutes_over_allowed {
            return None;
        }
    }
    Some(tally.outcome())
}

/// One replay of all of `load`, its outcome in parts: each from where the one before ends up to an index of `ends`, which
/// rise. The group, its alarms and its rests go on from part to part; a minute is over at `ceiling`.
pub fn simulate_parts(load: &Load, scenario: &Scenario, ceiling: CpuPercent, ends: &[usize]) -> Vec<Outcome> {
    let load = &*scenario.course.answered(load, &scenario.dynamics);
    let mut running = Running::new(scenario, load.start);
    let mut now = 0;
    let part = |end: &usize| {
        let mut tally = Tally::default();
        for minute in std::mem::replace(&mut now, *end)..*end {
            running.minute(load, minute, ceiling.get(), &mut tally);
        }
        tally.outcome()
    };
    ends.iter().map(part).collect()
}

/// One minute of a replay: a [`Row`] without the reasons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Minute {
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
}

impl From<&Row> for Minute {
    fn from(row: &Row) -> Self {
        let Row { desired, in_service, serving, billed, cpu_percent, group_cpu_percent, .. } = *row;
        Self { desired, in_service, serving, billed, cpu_percent, group_cpu_percent }
    }
}

/// Every minute of a replay of `load`, in order: for pictures, and for whoever tries one setting after the other.
pub fn minutes(load: &Load, scenario: &Scenario) -> Vec<Minute> {
    let load = &*scenario.course.answered(load, &scenario.dynamics);
    let mut running = Running::new(scenario, load.start);
    let mut tally = Tally::default();
    let minute = |now| {
        let work = running.minute(load, now, f64::INFINITY, &mut tally);
        running.fleet.minute(now, load, &work)
    };
    (0..load.demand_percent.len()).map(minute).collect()
}

/// A replay under way.
struct Running<'a> {
    fleet: Fleet<'a>,
    alarms: Alarms,
}

impl<'a> Running<'a> {
    fn new(scenario: &'a Scenario, start: MinuteUtc) -> Self {
        Self { fleet: Fleet::new(scenario, start), alarms: Alarms::new(scenario) }
    }

    #[inline]
    fn minute(&mut self, load: &Load, now: usize, ceiling: f64, tally: &mut Tally) -> Work {
        let Self { fleet, alarms } = self;
        fleet.advance(now);
        if !fleet.scenario.course.is_empty() {
            fleet.follow_schedule(now, load);
        }
        let offset = load.start.epoch_minutes();
        let visible = fleet.dynamics.visible_end(alarms.measure, now as i64, offset);
        alarms.look(visible);
        match fleet.decide(now, alarms, visible) {
            Moved::Out => tally.scale_outs += 1,
            Moved::In => tally.scale_ins += 1,
            Moved::Not => {}
        }
        let (work, metric) = fleet.run(load, now);
        alarms.record(now, metric);
        tally.add(work.busiest, ceiling, work.throttled, fleet.desired, fleet.billed());
        tally.surplus += work.surplus;
        work
    }
}

#[derive(Default)]
struct Tally {
    minutes: u32,
    minutes_missing: u32,
    cpu_sum: f64,
    cpu_max: f64,
    minutes_over: u32,
    minutes_throttled: u32,
    surplus: f64,
    billed: u64,
    peak_desired: u32,
    scale_outs: u32,
    scale_ins: u32,
}

impl Tally {
    fn add(&mut self, cpu: f64, ceiling: f64, throttled: u32, desired: u32, billed: u64) {
        self.billed += billed;
        self.peak_desired = self.peak_desired.max(desired);
        if cpu.is_nan() {
            self.minutes_missing += 1;
            return;
        }
        self.minutes += 1;
        self.cpu_sum += cpu;
        self.cpu_max = self.cpu_max.max(cpu);
        self.minutes_over += u32::from(cpu >= ceiling || throttled > 0);
        self.minutes_throttled += u32::from(throttled > 0);
    }

    fn outcome(self) -> Outcome {
        let mean = if self.minutes == 0 { 0.0 } else { self.cpu_sum / f64::from(self.minutes) };
        Outcome {
            minutes: self.minutes,
            minutes_missing: self.minutes_missing,
            mean_cpu_percent: mean,
            max_cpu_percent: self.cpu_max,
            minutes_over: self.minutes_over,
            minutes_throttled: self.minutes_throttled,
            surplus_credits: self.surplus,
            billed_instance_minutes: self.billed,
            peak_desired: Instances(self.peak_desired),
            scale_outs: self.scale_outs,
            scale_ins: self.scale_ins,
        }
    }
}

/// Instances that were launched together; minutes count from the first of the load.
#[derive(Clone, Copy, PartialEq)]
struct Batch {
    in_service_from: usize,
    serving_from: usize,
    reporting_from: usize,
    warm_from: usize,
    credits: f64,
    count: u32,
}

impl Batch {
    /// The first minute after `now` at which its instances move on.
    fn next_change(&self, now: usize) -> usize {
        let ends = [self.in_service_from, self.serving_from, self.reporting_from, self.warm_from];
        ends.into_iter().filter(|end| now < *end).min().unwrap_or(NEVER)
    }

    fn is_like(&self, other: &Self) -> bool {
        Self { count: 0, ..*self } == Self { count: 0, ..*other }
    }
}

/// What the policy did.
enum Moved {
    Out,
    In,
    Not,
}

/// The group. What is counted of its batches holds until `next_change`.
struct Fleet<'a> {
    scenario: &'a Scenario,
    dynamics: &'a Dynamics,
    limits: crate::policy::Group,
    /// Oldest first.
    batches: Vec<Batch>,
    /// Draining instances: the minute at which they are gone, and how many.
    drains: Vec<(usize, u32)>,
    desired: u32,
    in_service: u32,
    serving: u32,
    reporting_serving: u32,
    reporting_booting: u32,
    warm: u32,
    draining: u32,
    extra: u32,
    extra_cpu: f64,
    next_change: usize,
    accepted_from: usize,
}

const NEVER: usize = usize::MAX;

impl<'a> Fleet<'a> {
    fn new(scenario: &'a Scenario, start: MinuteUtc) -> Self {
        let limits = scenario.course.limits_at(start, scenario.plan.group);
        let size = scenario.course.first_size(start, scenario.initial, limits).0;
        let there = Batch {
            in_service_from: 0,
            serving_from: 0,
            reporting_from: 0,
            warm_from: 0,
            credits: scenario.dynamics.credits.map_or(0.0, |credits| credits.initial_balance),
            count: size,
        };
        Self {
            scenario,
            dynamics: &scenario.dynamics,
            limits,
            batches: if size == 0 { vec![] } else { vec![there] },
            drains: Vec::new(),
            desired: size,
            in_service: size,
            serving: size,
            reporting_serving: size,
            reporting_booting: 0,
            warm: size,
            draining: 0,
            extra: 0,
            extra_cpu: 0.0,
            next_change: NEVER,
            accepted_from: 0,
        }
    }

    fn billed(&self) -> u64 {
        u64::from(self.desired + self.draining + self.extra)
    }

    fn minute(&self, now: usize, load: &Load, work: &Work) -> Minute {
        let known = |cpu: f64| (!cpu.is_nan() && !load.demand_percent[now].is_nan()).then_some(cpu);
        Minute {
            desired: Instances(self.desired),
            in_service: Instances(self.in_service + self.extra),
            serving: Instances(self.serving + self.extra),
            billed: Instances(self.billed() as u32),
            cpu_percent: known(work.busiest),
            group_cpu_percent: known(work.sum / work.weight),
        }
    }

    fn advance(&mut self, now: usize) {
        if self.next_change <= now {
            self.drains.retain(|(gone_at, _)| now < *gone_at);
            self.count(now);
        }
    }

    fn count(&mut self, now: usize) {
        self.forget_differences(now);
        let count = |holds: &dyn Fn(&Batch) -> bool| -> u32 {
            self.batches.iter().filter(|batch| holds(batch)).map(|batch| batch.count).sum()
        };
        let serves = |batch: &Batch| batch.serving_from <= now;
        let reports = |batch: &Batch| batch.reporting_from <= now;
        self.desired = count(&|_| true);
        self.in_service = count(&|batch| batch.in_service_from <= now);
        self.serving = count(&serves);
        self.reporting_serving = count(&|batch| reports(batch) && serves(batch));
        self.reporting_booting = count(&|batch| reports(batch) && !serves(batch));
        self.warm = count(&|batch| batch.warm_from <= now);
        self.draining = self.drains.iter().map(|(_, count)| count).sum();
        let moves = self.batches.iter().map(|batch| batch.next_change(now));
        self.next_change =
            moves.chain(self.drains.iter().map(|(gone_at, _)| *gone_at)).min().unwrap_or(NEVER);
    }

    /// Without credits, instances that have nothing before them are alike, whenever they came.
    fn forget_differences(&mut self, now: usize) {
        if self.dynamics.credits.is_some() {
            return;
        }
        while let [first, second, ..] = &self.batches[..] {
            if first.next_change(now) != NEVER || second.next_change(now) != NEVER {
                return;
            }
            self.batches[1].count += self.batches[0].count;
            self.batches.remove(0);
        }
    }

    fn follow_schedule(&mut self, now: usize, load: &Load) {
        let minute = load.start + Minutes(now as u32);
        for change in self.scenario.course.changes_at(minute) {
            self.limits.min_size = change.min_size.unwrap_or(self.limits.min_size);
            self.limits.max_size = change.max_size.unwrap_or(self.limits.max_size);
            let wanted = change.desired_capacity.map_or(self.desired, |desired| desired.0);
            self.set_capacity(now, self.within_limits(wanted));
        }
        (self.extra, self.extra_cpu) = self.scenario.course.deploying_at(minute);
    }

    fn within_limits(&self, capacity: u32) -> u32 {
        capacity.max(self.limits.min_size.0).min(self.limits.max_size.0)
    }

    fn decide(&mut self, now: usize, alarms: &Alarms, visible: i64) -> Moved {
        // Most minutes of a busy group are those of a cooldown: nothing else needs to be looked at in them.
        if now < self.accepted_from && matches!(self.scenario.plan.rule, Rule::Simple(_)) {
            return Moved::Not;
        }
        let (high, low) = (alarms.high.state, alarms.low.state);
        if high != AlarmState::Alarm && low != AlarmState::Alarm {
            return Moved::Not;
        }
        let is_high = high == AlarmState::Alarm;
        let newest = || alarms.newest(visible, is_high);
        let to = match &self.scenario.plan.rule {
            Rule::Simple(simple) => {
                let adjustment = if is_high { simple.on_high } else { simple.on_low };
                Some(self.within_limits(adjustment.apply(self.desired)))
            }
            Rule::Step(step) if is_high => {
                let adjustment = adjustment(&step.on_high, &step.high, newest());
                adjustment.map(|adjustment| self.within_limits(adjustment.apply(self.warm)).max(self.desired))
            }
            Rule::TargetTracking(tracking) if is_high => newest().map(|newest| {
                self.within_limits(formula(self.warm, newest, tracking.target)).max(self.desired)
            }),
            Rule::Step(_) | Rule::TargetTracking(_) if self.warm < self.desired => None,
            Rule::Step(step) => {
                let adjustment = adjustment(&step.on_low, &step.low, newest());
                adjustment
                    .map(|adjustment| self.within_limits(adjustment.apply(self.desired)).min(self.desired))
            }
            Rule::TargetTracking(tracking) => newest().map(|newest| {
                let asked =
                    formula(self.desired, newest, tracking.target).max(self.desired.saturating_sub(1));
                self.within_limits(asked).min(self.desired)
            }),
        };
        self.move_to(now, to.unwrap_or(self.desired))
    }

    fn move_to(&mut self, now: usize, to: u32) -> Moved {
        let from = self.desired;
        self.set_capacity(now, to);
        match to.cmp(&from) {
            std::cmp::Ordering::Less => Moved::In,
            std::cmp::Ordering::Equal => Moved::Not,
            std::cmp::Ordering::Greater => Moved::Out,
        }
    }

    fn set_capacity(&mut self, now: usize, to: u32) {
        match to.cmp(&self.desired) {
            std::cmp::Ordering::Less => self.end(now, self.desired - to),
            std::cmp::Ordering::Equal => return,
            std::cmp::Ordering::Greater => self.launch(now, to - self.desired),
        }
        self.count(now);
    }

    fn launch(&mut self, now: usize, count: u32) {
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
        let batch = Batch { in_service_from, serving_from, reporting_from, warm_from, credits, count };
        match self.batches.last_mut().filter(|last| last.is_like(&batch)) {
            Some(last) => last.count += count,
            None => self.batches.push(batch),
        }
        self.rest_after(in_service_from);
    }

    fn end(&mut self, now: usize, count: u32) {
        let gone_at = now + self.dynamics.drain.0 as usize;
        if now < gone_at {
            self.drains.push((gone_at, count));
        }
        let from_serving = count.min(self.serving.saturating_sub(1));
        self.remove_serving(now, from_serving);
        self.remove_newest(count - from_serving);
        self.batches.retain(|batch| batch.count > 0);
        self.rest_after(gone_at);
    }

    fn remove_serving(&mut self, now: usize, mut count: u32) {
        for batch in self.batches.iter_mut().filter(|batch| batch.serving_from <= now) {
            let taken = count.min(batch.count);
            batch.count -= taken;
            count -= taken;
        }
    }

    fn remove_newest(&mut self, mut count: u32) {
        for batch in self.batches.iter_mut().rev() {
            let taken = count.min(batch.count);
            batch.count -= taken;
            count -= taken;
        }
    }

    fn rest_after(&mut self, activity_end: usize) {
        let cooldown = self.limits.cooldown.to_minutes_rounded_up().0 as usize;
        self.accepted_from = self.accepted_from.max(activity_end + cooldown);
    }

    fn run(&mut self, load: &Load, now: usize) -> (Work, MinuteMetric) {
        let serving = f64::from(self.serving + self.extra);
        let demand = load.demand_percent[now];
        let line = load.intercept_percent + self.extra_cpu + demand / serving;
        let wanted = Wanted::of(self.dynamics, line, load.stray_percent(now));
        let work = if self.dynamics.credits.is_some() {
            self.work_on_credit(now, wanted)
        } else {
            Work::alike(self.dynamics, wanted, self.reporting_serving + self.extra, self.reporting_booting)
        };
        let metric = work.metric(self.dynamics, self.scenario.plan.measure, load, now, serving);
        (work, metric)
    }

    fn work_on_credit(&mut self, now: usize, wanted: Wanted) -> Work {
        let mut work = Work::default();
        for batch in self.batches.iter_mut().filter(|batch| batch.in_service_from <= now) {
            let serves = batch.serving_from <= now;
            let cpu = if serves { wanted } else { Wanted::booting(self.dynamics) };
            let (cpu, credits) = work.spend(self.dynamics, batch.credits, cpu, batch.count, serves);
            batch.credits = credits;
            if batch.reporting_from <= now {
                work.report(cpu, batch.count);
            }
        }
        work.help(wanted, self.extra);
        work
    }
}

/// How one point stands to a threshold.
#[derive(Clone, Copy, PartialEq)]
enum Point {
    Fine,
    Breach,
    Missing,
}

/// Both alarms of a policy, and what they look at.
struct Alarms {
    high: Watch,
    low: Watch,
    measure: Measure,
    /// The newest minutes, as a ring: minute `m` lies at `m & mask`.
    recent: Vec<MinuteMetric>,
    mask: usize,
}

impl Alarms {
    fn new(scenario: &Scenario) -> Self {
        let (high, low) = (Watch::new(*scenario.plan.rule.high()), Watch::new(*scenario.plan.rule.low()));
        let measure = scenario.plan.measure;
        // A point ends as late as metrics are delayed, and with basic monitoring up to a bin before that.
        let reach = high.period.max(low.period) + scenario.dynamics.delay_of(measure).0 as usize + 6;
        let size = reach.next_power_of_two();
        Self { high, low, measure, recent: vec![MinuteMetric::MISSING; size], mask: size - 1 }
    }

    fn record(&mut self, now: usize, metric: MinuteMetric) {
        self.recent[now & self.mask] = metric;
    }

    /// Looks at what ends before minute `visible_end`. Nothing changes between two points.
    fn look(&mut self, visible_end: i64) {
        let Ok(end) = usize::try_from(visible_end) else { return };
        let share_points = self.high.period == self.low.period;
        for end in self.high.seen_end + 1..=end {
            let value = self.point(end, self.high.period);
            self.high.note(end, value);
            let value = if share_points { value } else { self.point(end, self.low.period) };
            self.low.note(end, value);
        }
        self.high.evaluate(end);
        self.low.evaluate(end);
    }

    /// NaN where data is missing, and before the first whole period.
    fn point(&self, end: usize, period: usize) -> f64 {
        if end < period {
            return f64::NAN;
        }
        let (mut sum, mut weight) = (0.0, 0.0);
        for minute in end - period..end {
            let metric = &self.recent[minute & self.mask];
            sum += metric.sum;
            weight += metric.weight;
        }
        MinuteMetric::value(self.measure, sum, weight).unwrap_or(f64::NAN)
    }

    /// The newest value that the alarm of one side saw.
    fn newest(&self, visible_end: i64, is_high: bool) -> Option<f64> {
        let watch = if is_high { &self.high } else { &self.low };
        let value = self.point(usize::try_from(visible_end).ok()?, watch.period);
        Some(value).filter(|value| !value.is_nan())
    }
}

/// One alarm.
struct Watch {
    state: AlarmState,
    alarm: Alarm,
    rule: AlarmRule,
    period: usize,
    /// The newest points, as a ring: the one that ends before minute `m` lies at `m & mask`.
    points: Vec<Point>,
    mask: usize,
    /// For each phase of the period, how many of the newest points in a row breached.
    runs: Vec<usize>,
    /// The end of the newest point that was seen, and its phase: `seen_end % period`, kept without dividing.
    seen_end: usize,
    phase: usize,
    /// The window is full once that many minutes are visible.
    full_at: usize,
    /// Until then each point must be looked at, since one of them is missing.
    missing_until: usize,
}

impl Watch {
    fn new(alarm: Alarm) -> Self {
        let period = alarm.period.0 as usize;
        let size = (Self::range(&alarm) + 1).next_power_of_two();
        // Where fewer points than all must breach, each of them is always looked at.
        let all = alarm.rule.datapoints_to_alarm == alarm.rule.evaluation_periods;
        Self {
            state: AlarmState::Ok,
            alarm,
            rule: alarm.rule,
            period,
            points: vec![Point::Fine; size],
            mask: size - 1,
            runs: vec![0; period],
            seen_end: 0,
            phase: 0,
            full_at: period * alarm.rule.evaluation_periods,
            missing_until: if all { 0 } else { NEVER },
        }
    }

    /// Minutes over which points are looked at.
    fn range(alarm: &Alarm) -> usize {
        (alarm.rule.evaluation_periods + EXTRA_POINTS) * alarm.period.0 as usize
    }

    fn note(&mut self, end: usize, value: f64) {
        self.seen_end = end;
        self.phase = if self.phase + 1 == self.period { 0 } else { self.phase + 1 };
        if end < self.period {
            return;
        }
        let breach = self.alarm.breaches(value);
        let run = &mut self.runs[self.phase];
        *run = if breach { *run + 1 } else { 0 };
        let point = if breach { Point::Breach } else { Point::Fine };
        self.points[end & self.mask] = point;
        if value.is_nan() {
            self.points[end & self.mask] = Point::Missing;
            self.missing_until = self.missing_until.max(end + Self::range(&self.alarm));
        }
    }

    fn evaluate(&mut self, end: usize) {
        if end < self.full_at {
            return;
        }
        self.state = if end < self.missing_until {
            self.look_at_each(end)
        } else if self.runs[self.phase] >= self.rule.evaluation_periods {
            AlarmState::Alarm
        } else {
            AlarmState::Ok
        };
    }

    #[cold]
    fn look_at_each(&self, end: usize) -> AlarmState {
        let count = (end / self.period).min(self.rule.evaluation_periods + EXTRA_POINTS);
        let points = (0..count).rev().map(|back| self.points[(end - back * self.period) & self.mask]);
        let breaches: Vec<Breach> =
            points.map(|point| (point != Point::Missing).then_some(point == Point::Breach)).collect();
        self.rule.evaluate(&breaches, self.state)
    }
}
