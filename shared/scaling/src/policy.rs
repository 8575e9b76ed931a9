//! A scaling policy: the trigger and the group's limits, in Elastic Beanstalk's own names.

use std::fmt;

use crate::units::{CpuPercent, Instances, Minutes, Seconds};

/// `aws:autoscaling:trigger` on the group's average CPU: when to change capacity, and by how much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trigger {
    /// Above it, strictly, instances are added.
    pub upper_threshold: CpuPercent,
    /// Below it, strictly, instances are removed.
    pub lower_threshold: CpuPercent,
    /// Instances to add.
    pub upper_breach_scale_increment: Instances,
    /// Instances to remove; Beanstalk writes it negative.
    pub lower_breach_scale_increment: Instances,
    /// Length of one point of the alarm.
    pub period: Minutes,
    /// Points that must all breach.
    pub evaluation_periods: u32,
}

impl Trigger {
    /// How long a breach must last: `BreachDuration`, period × evaluation periods.
    pub fn breach_duration(&self) -> Minutes {
        Minutes(self.period.0 * self.evaluation_periods)
    }
}

/// `aws:autoscaling:asg`: the limits of the group, and its rest after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// Fewest instances.
    pub min_size: Instances,
    /// Most instances.
    pub max_size: Instances,
    /// Rest from the end of one scaling activity until the next may start.
    pub cooldown: Seconds,
}

/// A trigger and a group that AWS would take, and that make sense together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ScalingPolicy {
    trigger: Trigger,
    group: Group,
}

/// Why settings are not a policy.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// Not a value that the option can have.
    #[error("`{option}` must be {expected}, not `{value}`")]
    Invalid {
        /// The option's name.
        option: &'static str,
        /// What it can be.
        expected: &'static str,
        /// What was given.
        value: String,
    },
    /// An instance would be added and removed for ever.
    #[error(
        "`LowerThreshold` {lower} must be below `UpperThreshold` {upper}: as they are, every CPU value adds or removes instances"
    )]
    ThresholdsSwapped {
        /// `LowerThreshold`.
        lower: CpuPercent,
        /// `UpperThreshold`.
        upper: CpuPercent,
    },
    /// No size would do.
    #[error("`MinSize` {min} is over `MaxSize` {max}")]
    MinOverMax {
        /// `MinSize`.
        min: u32,
        /// `MaxSize`.
        max: u32,
    },
    /// CloudWatch looks at a day at most.
    #[error("`Period` {period} times `EvaluationPeriods` {evaluation_periods} is over a day")]
    WindowTooLong {
        /// `Period`.
        period: Minutes,
        /// `EvaluationPeriods`.
        evaluation_periods: u32,
    },
}

/// The lower threshold from which on an action calls for its own reversal: what an instance shows falls by
/// `n / (n + step)` as a group of `n` grows, most in the smallest. In the unit of `upper`.
pub(crate) fn least_swinging_threshold(upper: f64, min_size: Instances, step: Instances) -> f64 {
    let least = f64::from(min_size.0);
    upper * least / (least + f64::from(step.0))
}

fn within(
    option: &'static str,
    value: u32,
    range: std::ops::RangeInclusive<u32>,
    expected: &'static str,
) -> Result<u32, PolicyError> {
    let refused = || PolicyError::Invalid { option, expected, value: value.to_string() };
    range.contains(&value).then_some(value).ok_or_else(refused)
}

impl ScalingPolicy {
    /// Refuses what AWS would refuse, and what could only swing.
    ///
    /// ```
    /// use scaling::policy::{Group, ScalingPolicy, Trigger};
    /// use scaling::units::{CpuPercent, Instances, Minutes, Seconds};
    ///
    /// let trigger = Trigger {
    ///     upper_threshold: CpuPercent::new(30.0)?,
    ///     lower_threshold: CpuPercent::new(70.0)?,
    ///     upper_breach_scale_increment: Instances(1),
    ///     lower_breach_scale_increment: Instances(1),
    ///     period: Minutes(1),
    ///     evaluation_periods: 1,
    /// };
    /// let group = Group { min_size: Instances(1), max_size: Instances(4), cooldown: Seconds(360) };
    /// let refused = ScalingPolicy::new(trigger, group).unwrap_err().to_string();
    /// assert!(refused.starts_with("`LowerThreshold` 70 % must be below `UpperThreshold` 30 %"));
    /// # Ok::<(), scaling::units::UnitError>(())
    /// ```
    pub fn new(trigger: Trigger, group: Group) -> Result<Self, PolicyError> {
        check_trigger(&trigger)?;
        check_group(&group)?;
        Ok(Self { trigger, group })
    }

    /// When capacity changes.
    pub fn trigger(&self) -> &Trigger {
        &self.trigger
    }

    /// Within which limits.
    pub fn group(&self) -> &Group {
        &self.group
    }

    /// Whether an action can call for its own reversal at some size: a scale-out that pushes CPU, which
    /// was over the upper threshold, below the lower; or a scale-in that pushes it from under the lower
    /// threshold over the upper. The smallest group decides, since a step weighs most there.
    pub fn oscillates(&self) -> bool {
        let step = self.trigger.upper_breach_scale_increment.max(self.trigger.lower_breach_scale_increment);
        let swings_from =
            least_swinging_threshold(self.trigger.upper_threshold.get(), self.group.min_size, step);
        self.trigger.lower_threshold.get() >= swings_from && self.group.min_size < self.group.max_size
    }

    /// Beanstalk's options that make it so: namespace, option name and value.
    pub fn options(&self) -> Vec<(&'static str, &'static str, String)> {
        const TRIGGER: &str = "aws:autoscaling:trigger";
        const GROUP: &str = "aws:autoscaling:asg";
        let (trigger, group) = (&self.trigger, &self.group);
        vec![
            (TRIGGER, "MeasureName", "CPUUtilization".into()),
            (TRIGGER, "Statistic", "Average".into()),
            (TRIGGER, "Unit", "Percent".into()),
            (TRIGGER, "UpperThreshold", trigger.upper_threshold.get().to_string()),
            (TRIGGER, "LowerThreshold", trigger.lower_threshold.get().to_string()),
            (TRIGGER, "UpperBreachScaleIncrement", trigger.upper_breach_scale_increment.0.to_string()),
            (TRIGGER, "LowerBreachScaleIncrement", format!("-{}", trigger.lower_breach_scale_increment.0)),
            (TRIGGER, "Period", trigger.period.0.to_string()),
            (TRIGGER, "EvaluationPeriods", trigger.evaluation_periods.to_string()),
            (TRIGGER, "BreachDuration", trigger.breach_duration().0.to_string()),
            (GROUP, "MinSize", group.min_size.0.to_string()),
            (GROUP, "MaxSize", group.max_size.0.to_string()),
            (GROUP, "Cooldown", group.cooldown.0.to_string()),
        ]
    }
}

impl fmt::Display for ScalingPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trigger, group) = (&self.trigger, &self.group);
        write!(
            f,
            "over {} +{}, under {} -{}, {} × {}, {} to {} instances, cooldown {}",
            trigger.upper_threshold,
            trigger.upper_breach_scale_increment.0,
            trigger.lower_threshold,
            trigger.lower_breach_scale_increment.0,
            trigger.evaluation_periods,
            trigger.period,
            group.min_size.0,
            group.max_size.0,
            group.cooldown
        )
    }
}

fn check_trigger(trigger: &Trigger) -> Result<(), PolicyError> {
    let (lower, upper) = (trigger.lower_threshold, trigger.upper_threshold);
    if lower >= upper {
        return Err(PolicyError::ThresholdsSwapped { lower, upper });
    }
    let increments = [
        ("UpperBreachScaleIncrement", trigger.upper_breach_scale_increment),
        ("LowerBreachScaleIncrement", trigger.lower_breach_scale_increment),
    ];
    for (option, increment) in increments {
        within(option, increment.0, 1..=10_000, "1 instance or more")?;
    }
    within("Period", trigger.period.0, 1..=600, "1 to 600 minutes")?;
    within("EvaluationPeriods", trigger.evaluation_periods, 1..=600, "1 to 600")?;
    let (period, evaluation_periods) = (trigger.period, trigger.evaluation_periods);
    let a_day = 24 * 60;
    let fits = period.0 * evaluation_periods <= a_day;
    fits.then_some(()).ok_or(PolicyError::WindowTooLong { period, evaluation_periods })
}

pub(crate) fn check_group(group: &Group) -> Result<(), PolicyError> {
    within("MinSize", group.min_size.0, 1..=10_000, "1 to 10000 instances")?;
    within("MaxSize", group.max_size.0, 1..=10_000, "1 to 10000 instances")?;
    within("Cooldown", group.cooldown.0, 0..=10_000, "0 to 10000 seconds")?;
    let (min, max) = (group.min_size.0, group.max_size.0);
    (min <= max).then_some(()).ok_or(PolicyError::MinOverMax { min, max })
}
