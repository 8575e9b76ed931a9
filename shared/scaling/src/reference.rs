//! The simulator's specification: one row a minute, each instance by itself, nothing clever.
//!
//! At the start of a minute, in this order: instances whose launch or boot is over move on; the alarms look
//! at what is visible; the policy acts or says why not; then the minute runs with the result.

use crate::alarm::{AlarmRule, AlarmState, Breach, EXTRA_POINTS};
use crate::cpu_model::cpu_percent;
use crate::dynamics::{Dynamics, MinuteMetric};
use crate::policy::ScalingPolicy;
use crate::traffic::Load;
use crate::units::{Instances, MinuteUtc, Minutes};

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
    /// CPU of a serving instance; `None` where traffic is unknown.
    pub cpu_percent: Option<f64>,
    /// CPU as the group's metric has it; `None` where traffic is unknown.
    pub group_cpu_percent: Option<f64>,
    /// The alarm that scales out.
    pub high: AlarmState,
    /// The alarm that scales in.
    pub low: AlarmState,
    /// What the policy did, or why it did nothing.
    pub decision: Decision,
}

/// What the policy did at the start of a minute, or why it did nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// CPU lies between the thresholds, or has not been outside for long enough.
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
    /// The group is as large as it may be.
    AtMaxSize,
    /// The group is as small as it may be.
    AtMinSize,
}

/// Replays `load` under `policy`, starting with `initial` instances (brought within the group's limits),
/// all of them serving.
pub fn replay(load: &Load, policy: &ScalingPolicy, dynamics: &Dynamics, initial: Instances) -> Vec<Row> {
    let mut group = Group::new(policy, dynamics, initial);
    let mut metrics = Vec::new();
    let mut rows = Vec::new();
    for (now, &demand) in load.demand_percent.iter().enumerate() {
        let minute = load.start + Minutes(now as u32);
        group.drop_drained(now);
        group.look(&metrics, now as i64, load.start.epoch_minutes());
        let decision = group.decide(now, minute);
        let (in_service, serving) = (group.in_service(now), group.serving(now));
        let cpu = cpu_percent(load.intercept_percent, demand / f64::from(serving));
        let metric = MinuteMetric::of(dynamics, serving, cpu, in_service - serving);
        metrics.push(metric);
        rows.push(Row {
            minute_utc: minute,
            demand_percent: known(demand),
            desired: Instances(group.desired()),
            in_service: Instances(in_service),
            serving: Instances(serving),
            billed: Instances(group.billed()),
            cpu_percent: known(cpu),
            group_cpu_percent: MinuteMetric::average(&[metric]),
            high: group.high,
            low: group.low,
            decision,
        });
    }
    rows
}

fn known(value: f64) -> Option<f64> {
    Some(value).filter(|value| !value.is_nan())
}

/// One instance; minutes count from the first of the load.
#[derive(Clone, Copy)]
struct Instance {
    in_service_from: usize,
    serving_from: usize,
}

struct Group<'a> {
    policy: &'a ScalingPolicy,
    dynamics: &'a Dynamics,
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
    fn new(policy: &'a ScalingPolicy, dynamics: &'a Dynamics, initial: Instances) -> Self {
        let size = initial.clamp(policy.group().min_size, policy.group().max_size);
        Self {
            policy,
            dynamics,
            instances: vec![Instance { in_service_from: 0, serving_from: 0 }; size.0 as usize],
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

    fn in_service(&self, now: usize) -> u32 {
        self.instances.iter().filter(|instance| instance.in_service_from <= now).count() as u32
    }

    fn serving(&self, now: usize) -> u32 {
        self.instances.iter().filter(|instance| instance.serving_from <= now).count() as u32
    }

    fn billed(&self) -> u32 {
        (self.instances.len() + self.gone_at.len()) as u32
    }

    fn drop_drained(&mut self, now: usize) {
        self.gone_at.retain(|gone_at| now < *gone_at);
    }

    fn look(&mut self, metrics: &[MinuteMetric], now: i64, offset: i64) {
        let trigger = self.policy.trigger();
        let visible = self.dynamics.visible_end(now, offset);
        let points = points(metrics, visible, trigger.period.0 as usize, trigger.evaluation_periods as usize);
        self.window_is_full = points.is_some();
        let Some(points) = points else { return };
        let (upper, lower) = (trigger.upper_threshold.get(), trigger.lower_threshold.get());
        let rule = AlarmRule::beanstalk(trigger.evaluation_periods as usize);
        let over: Vec<Breach> = points.iter().map(|point| point.map(|cpu| cpu > upper)).collect();
        let under: Vec<Breach> = points.iter().map(|point| point.map(|cpu| cpu < lower)).collect();
        self.high = rule.evaluate(&over, self.high);
        self.low = rule.evaluate(&under, self.low);
    }

    fn decide(&mut self, now: usize, minute: MinuteUtc) -> Decision {
        if self.high == AlarmState::Alarm {
            return self.scale_out(now).unwrap_or_else(|refusal| refusal.at(now, minute));
        }
        if self.low == AlarmState::Alarm {
            return self.scale_in(now).unwrap_or_else(|refusal| refusal.at(now, minute));
        }
        match (self.window_is_full, self.high) {
            (false, _) => Decision::WindowNotFull,
            (true, AlarmState::InsufficientData) => Decision::InsufficientData,
            (true, _) => Decision::NoBreach,
        }
    }

    fn scale_out(&mut self, now: usize) -> Result<Decision, Refusal> {
        let from = self.desired();
        let increment = self.policy.trigger().upper_breach_scale_increment.0;
        let to = (from + increment).min(self.policy.group().max_size.0);
        if to == from {
            return Ok(Decision::AtMaxSize);
        }
        self.check_accepting(now)?;
        let in_service_from = now + self.dynamics.launch.0 as usize;
        let serving_from = in_service_from + self.dynamics.boot.0 as usize;
        self.instances.resize(to as usize, Instance { in_service_from, serving_from });
        self.rest_after(in_service_from);
        Ok(Decision::ScaleOut { from: Instances(from), to: Instances(to) })
    }

    fn scale_in(&mut self, now: usize) -> Result<Decision, Refusal> {
        let from = self.desired();
        let increment = self.policy.trigger().lower_breach_scale_increment.0;
        let to = from.saturating_sub(increment).max(self.policy.group().min_size.0);
        if to == from {
            return Ok(Decision::AtMinSize);
        }
        self.check_accepting(now)?;
        let gone_at = now + self.dynamics.drain.0 as usize;
        for _ in to..from {
            self.remove_one(now);
            if now < gone_at {
                self.gone_at.push(gone_at);
            }
        }
        self.rest_after(gone_at);
        Ok(Decision::ScaleIn { from: Instances(from), to: Instances(to) })
    }

    /// AWS may take any of equal instances. The hardest case is assumed: one that serves goes before one
    /// that boots; but never the last one that serves.
    fn remove_one(&mut self, now: usize) {
        let serves = |instance: &Instance| instance.serving_from <= now;
        let serving = self.instances.iter().filter(|instance| serves(instance)).count();
        let goes = if serving > 1 { self.instances.iter().position(serves) } else { None };
        match goes {
            Some(index) => drop(self.instances.remove(index)),
            None => drop(self.instances.pop()),
        }
    }

    fn check_accepting(&self, now: usize) -> Result<(), Refusal> {
        let accepted_from = self.cooldown_until;
        if now < self.activity_until {
            return Err(Refusal::ActivityInProgress { accepted_from });
        }
        if now < self.cooldown_until { Err(Refusal::Cooldown { accepted_from }) } else { Ok(()) }
    }

    fn rest_after(&mut self, activity_end: usize) {
        let cooldown = self.policy.group().cooldown.to_minutes_rounded_up();
        self.activity_until = activity_end;
        self.cooldown_until = activity_end + cooldown.0 as usize;
    }
}

enum Refusal {
    ActivityInProgress { accepted_from: usize },
    Cooldown { accepted_from: usize },
}

impl Refusal {
    fn at(self, now: usize, minute: MinuteUtc) -> Decision {
        let clock = |accepted_from: usize| minute + Minutes((accepted_from - now) as u32);
        match self {
            Self::ActivityInProgress { accepted_from } => {
                Decision::ActivityInProgress { accepted_from: clock(accepted_from) }
            }
            Self::Cooldown { accepted_from } => Decision::Cooldown { accepted_from: clock(accepted_from) },
        }
    }
}

/// The points that an alarm looks at, oldest first: as many as it evaluates and up to two more, each over
/// `period` minutes, the newest ending before minute `end`. `None` while they don't fill its window.
fn points(
    metrics: &[MinuteMetric],
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
    Some(ends.map(|end| MinuteMetric::average(&metrics[end - period..end])).collect())
}
