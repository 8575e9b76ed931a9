//! What decides about capacity: a scaling policy of any of AWS's kinds, the group's limits, and what the
//! alarms watch.

use crate::adjustment::Adjustment;
use crate::alarm::AlarmRule;
use crate::dynamics::Monitoring;
use crate::policy::{Group, PolicyError, ScalingPolicy};
use crate::units::{CpuPercent, Minutes};

/// A scaling policy with its alarms, and the group that it acts on.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// When to act, and how.
    pub rule: Rule,
    /// Within which limits.
    pub group: Group,
    /// What the alarms watch.
    pub measure: Measure,
}

/// The kinds of scaling policies.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// One adjustment, then a rest: what Elastic Beanstalk sets up.
    Simple(Simple),
    /// The farther beyond the threshold, the larger the adjustment.
    Step(Step),
    /// As many instances as keep the measure at its target.
    TargetTracking(TargetTracking),
}

/// Which side of a threshold breaches. Both are strict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// `GreaterThanThreshold`.
    Above,
    /// `LessThanThreshold`.
    Below,
}

/// A CloudWatch alarm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alarm {
    /// In the measure's unit.
    pub threshold: f64,
    /// Where it breaches.
    pub side: Side,
    /// What one point covers.
    pub period: Minutes,
    /// How many points must breach, of how many, and what a missing one counts as.
    pub rule: AlarmRule,
}

impl Alarm {
    /// Whether `value` breaches.
    pub fn breaches(&self, value: f64) -> bool {
        match self.side {
            Side::Above => value > self.threshold,
            Side::Below => value < self.threshold,
        }
    }
}

/// `SimpleScaling`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Simple {
    /// Asks to scale out.
    pub high: Alarm,
    /// What then happens.
    pub on_high: Adjustment,
    /// Asks to scale in.
    pub low: Alarm,
    /// What then happens.
    pub on_low: Adjustment,
}

/// An adjustment for a distance from the threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StepAdjustment {
    /// From that distance on; open if `None`. In it above the threshold, not in it below.
    pub lower_bound: Option<f64>,
    /// Up to that distance; open if `None`. Not in it above the threshold, in it below.
    pub upper_bound: Option<f64>,
    /// What then happens.
    pub adjustment: Adjustment,
}

impl StepAdjustment {
    /// Whether it is for a value that lies `distance` beyond the threshold, on `side` of it.
    pub fn covers(&self, distance: f64, side: Side) -> bool {
        let (lower, upper) =
            (self.lower_bound.unwrap_or(f64::NEG_INFINITY), self.upper_bound.unwrap_or(f64::INFINITY));
        match side {
            Side::Above => lower <= distance && distance < upper,
            Side::Below => lower < distance && distance <= upper,
        }
    }
}

/// `StepScaling`.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Asks to scale out.
    pub high: Alarm,
    /// What then happens, by distance.
    pub on_high: Vec<StepAdjustment>,
    /// Asks to scale in.
    pub low: Alarm,
    /// What then happens, by distance.
    pub on_low: Vec<StepAdjustment>,
    /// From in service until an instance counts.
    pub warm_up: Minutes,
}

/// `TargetTrackingScaling`, with the two alarms that AWS makes for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TargetTracking {
    /// Over the target in three minutes of three.
    pub high: Alarm,
    /// Clearly under it in fifteen minutes of fifteen.
    pub low: Alarm,
    /// In the measure's unit.
    pub target: f64,
    /// From in service until an instance counts.
    pub warm_up: Minutes,
}

/// What the alarms watch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// The group's average `CPUUtilization`, percent.
    CpuUtilization,
    /// `RequestCount` of the load balancer: the sum over a point's period.
    RequestCount,
    /// Something that follows a line in the requests per minute that an instance serves: response time.
    Line {
        /// Without requests.
        intercept: f64,
        /// For each request per minute and instance.
        per_request: f64,
    },
}

impl Measure {
    /// Whether instances report it, as often as they are monitored; else the load balancer does, every minute.
    pub fn comes_from_instances(self) -> bool {
        match self {
            Self::CpuUtilization => true,
            Self::RequestCount | Self::Line { .. } => false,
        }
    }
}

/// The largest step of a policy that is not known: a larger jump is taken for a deployment.
pub const LIKELY_LARGEST_STEP: u32 = 4;

/// The share of its target below which target tracking's low alarm lies, as most groups show it.
pub const LOW_SHARE_OF_TARGET: f64 = 0.9;

impl TargetTracking {
    /// On the group's average CPU, with the alarms that AWS is seen to make.
    pub fn cpu(target: CpuPercent, warm_up: Minutes) -> Self {
        let alarm = |threshold, side, points| Alarm {
            threshold,
            side,
            period: Minutes(1),
            rule: AlarmRule::beanstalk(points),
        };
        Self {
            high: alarm(target.get(), Side::Above, 3),
            low: alarm(target.get() * LOW_SHARE_OF_TARGET, Side::Below, 15),
            target: target.get(),
            warm_up,
        }
    }
}

impl From<&ScalingPolicy> for Plan {
    fn from(policy: &ScalingPolicy) -> Self {
        let trigger = policy.trigger();
        let alarm = |threshold: CpuPercent, side| Alarm {
            threshold: threshold.get(),
            side,
            period: trigger.period,
            rule: AlarmRule::beanstalk(trigger.evaluation_periods as usize),
        };
        let count = |instances: crate::units::Instances| i32::try_from(instances.0).unwrap_or(i32::MAX);
        let rule = Rule::Simple(Simple {
            high: alarm(trigger.upper_threshold, Side::Above),
            on_high: Adjustment::ChangeInCapacity(count(trigger.upper_breach_scale_increment)),
            low: alarm(trigger.lower_threshold, Side::Below),
            on_low: Adjustment::ChangeInCapacity(-count(trigger.lower_breach_scale_increment)),
        });
        Self { rule, group: *policy.group(), measure: Measure::CpuUtilization }
    }
}

impl Rule {
    /// The alarm that asks to scale out.
    pub fn high(&self) -> &Alarm {
        match self {
            Self::Simple(simple) => &simple.high,
            Self::Step(step) => &step.high,
            Self::TargetTracking(tracking) => &tracking.high,
        }
    }

    /// The alarm that asks to scale in.
    pub fn low(&self) -> &Alarm {
        match self {
            Self::Simple(simple) => &simple.low,
            Self::Step(step) => &step.low,
            Self::TargetTracking(tracking) => &tracking.low,
        }
    }

    /// From in service until an instance counts, where the kind of policy has such a time.
    pub fn warm_up(&self) -> Option<Minutes> {
        match self {
            Self::Simple(_) => None,
            Self::Step(step) => Some(step.warm_up),
            Self::TargetTracking(tracking) => Some(tracking.warm_up),
        }
    }
}

impl Plan {
    /// The most instances that it adds or removes at once.
    pub fn largest_step(&self) -> u32 {
        let size = self.group.max_size.0;
        let change = |adjustment: Adjustment| adjustment.apply(size).abs_diff(size).min(size);
        match &self.rule {
            Rule::Simple(simple) => change(simple.on_high).max(change(simple.on_low)),
            Rule::Step(step) => {
                let steps = step.on_high.iter().chain(&step.on_low);
                steps.map(|step| change(step.adjustment)).max().unwrap_or(1)
            }
            Rule::TargetTracking(_) => size,
        }
    }

    /// Whether the points of its alarms can be made from what instances report: those of a minute, as target tracking has
    /// them, can't be made from CPU of five. AWS does not say what such an alarm does, so that it is not replayed.
    pub fn is_fed_by(&self, monitoring: Monitoring) -> bool {
        let alarms = [self.rule.high(), self.rule.low()];
        !self.measure.comes_from_instances() || alarms.iter().all(|alarm| monitoring.allows(alarm.period))
    }

    /// Refuses what AWS would refuse: alarms without points, steps that overlap or leave a gap, a target of
    /// nothing, limits that no size meets.
    pub fn check(&self) -> Result<(), PolicyError> {
        crate::policy::check_group(&self.group)?;
        for alarm in [self.rule.high(), self.rule.low()] {
            check_alarm(alarm)?;
        }
        match &self.rule {
            Rule::Simple(_) => Ok(()),
            Rule::Step(step) => check_steps(&step.on_high).and_then(|()| check_steps(&step.on_low)),
            Rule::TargetTracking(tracking) => {
                let positive = tracking.target.is_finite() && tracking.target > 0.0;
                positive.then_some(()).ok_or_else(|| invalid("TargetValue", "above 0", tracking.target))
            }
        }
    }
}

fn invalid(option: &'static str, expected: &'static str, value: f64) -> PolicyError {
    PolicyError::Invalid { option, expected, value: value.to_string() }
}

fn check_alarm(alarm: &Alarm) -> Result<(), PolicyError> {
    let AlarmRule { evaluation_periods, datapoints_to_alarm, .. } = alarm.rule;
    if !alarm.threshold.is_finite() {
        return Err(invalid("Threshold", "a number", alarm.threshold));
    }
    if alarm.period.0 == 0 {
        return Err(invalid("Period", "1 minute or more", 0.0));
    }
    if evaluation_periods == 0 {
        return Err(invalid("EvaluationPeriods", "1 or more", 0.0));
    }
    let of = 1..=evaluation_periods;
    of.contains(&datapoints_to_alarm)
        .then_some(())
        .ok_or_else(|| invalid("DatapointsToAlarm", "1 to EvaluationPeriods", datapoints_to_alarm as f64))
}

/// Sorted by their lower bound, each begins where the one before ends.
fn check_steps(steps: &[StepAdjustment]) -> Result<(), PolicyError> {
    let (option, expected) = ("StepAdjustments", "one or more intervals without gaps or overlaps");
    let mut sorted: Vec<&StepAdjustment> = steps.iter().collect();
    sorted.sort_by(|a, b| {
        let bound = |step: &StepAdjustment| step.lower_bound.unwrap_or(f64::NEG_INFINITY);
        bound(a).total_cmp(&bound(b))
    });
    let joined = sorted
        .windows(2)
        .all(|pair| pair[0].upper_bound.is_some() && pair[0].upper_bound == pair[1].lower_bound);
    let open =
        |step: &&&StepAdjustment| step.lower_bound.is_none() && step.upper_bound.is_none() && steps.len() > 1;
    let valid = !steps.is_empty() && joined && !sorted.iter().any(|step| open(&step));
    valid.then_some(()).ok_or_else(|| invalid(option, expected, steps.len() as f64))
}
