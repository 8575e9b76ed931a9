//! What AWS does not publish, or an application decides: delays, and what an instance does while it boots.

use crate::credits::Credits;
use crate::plan::Measure;
use crate::units::{CpuPercent, Minutes};

/// How often instances report CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Monitoring {
    /// Every minute; an alarm's windows slide by the minute.
    Detailed,
    /// Every five minutes, in bins that start at :00, :05 and so on.
    Basic,
}

/// Whether an instance that is in service and not yet serving is part of the group's average.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Booting {
    /// It is, and shows this much CPU: it hides an overload of the others.
    Counted(CpuPercent),
    /// It is not: the group has a default instance warm-up.
    LeftOut,
}

impl Monitoring {
    /// Whether points of `period` can be made from what it reports: those of a minute can't be made from
    /// metrics of five.
    pub fn allows(self, period: Minutes) -> bool {
        self == Self::Detailed || period.0.is_multiple_of(5)
    }
}

/// How CloudWatch averages a group over a period of several minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupAverage {
    /// Over every sample of every instance, so that a minute with more instances weighs more: CloudWatch's
    /// Sum over SampleCount.
    OfSamples,
    /// Over the minutes, each with the same weight.
    OfMinutes,
}

/// Everything about an environment that decides *when* a policy's actions take effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dynamics {
    /// How often CPU is reported. A load balancer reports every minute, whatever its instances do.
    pub monitoring: Monitoring,
    /// From the end of a period to an alarm that sees its CPU.
    pub metric_delay: Minutes,
    /// From the end of a minute to an alarm that sees its requests or response time, which the load balancer reports.
    pub balancer_delay: Minutes,
    /// From the decision to *in service*. The cooldown starts there.
    pub launch: Minutes,
    /// From *in service* to the first request: the application's own start.
    pub boot: Minutes,
    /// What an instance in between does to the group's average.
    pub booting: Booting,
    /// From the decision to remove an instance to its end; it is billed, and serves nothing. The cooldown
    /// starts there.
    pub drain: Minutes,
    /// How several minutes become one point.
    pub group_average: GroupAverage,
    /// CPU percent that an instance can't pass: 25 where one thread does all the work on four vCPUs.
    pub cpu_ceiling: CpuPercent,
    /// The credits of burstable instances.
    pub credits: Option<Credits>,
}

impl Default for Dynamics {
    fn default() -> Self {
        Self {
            monitoring: Monitoring::Detailed,
            metric_delay: Minutes(1),
            // They are seen to come one to three minutes late.
            balancer_delay: Minutes(2),
            launch: Minutes(1),
            boot: Minutes(3),
            booting: Booting::Counted(CpuPercent::new(10.0).expect("10 is a percentage")),
            drain: Minutes(1),
            group_average: GroupAverage::OfSamples,
            cpu_ceiling: CpuPercent::new(100.0).expect("100 is a percentage"),
            credits: None,
        }
    }
}

impl Dynamics {
    /// The same with metrics that come a minute later: what a policy should survive.
    pub fn with_later_metrics(self) -> Self {
        let later = |delay: Minutes| Minutes(delay.0 + 1);
        Self { metric_delay: later(self.metric_delay), balancer_delay: later(self.balancer_delay), ..self }
    }

    /// From the end of a period to an alarm on `measure` that sees it.
    pub fn delay_of(&self, measure: Measure) -> Minutes {
        if measure.comes_from_instances() { self.metric_delay } else { self.balancer_delay }
    }

    /// The same where alarms on `measure` see a period `delay` after its end.
    pub fn with_delay_of(self, measure: Measure, delay: Minutes) -> Self {
        if measure.comes_from_instances() {
            Self { metric_delay: delay, ..self }
        } else {
            Self { balancer_delay: delay, ..self }
        }
    }

    /// CPU percent of an instance that boots; 0 where it is not part of the average.
    pub(crate) fn booting_cpu(&self) -> f64 {
        match self.booting {
            Booting::Counted(percent) => percent.get(),
            Booting::LeftOut => 0.0,
        }
    }

    /// The minute after the newest that an alarm on `measure` sees at the start of `now`; minutes count from the
    /// first of the load, whose own place on the clock is `offset` (basic monitoring's bins follow the clock).
    pub(crate) fn visible_end(&self, measure: Measure, now: i64, offset: i64) -> i64 {
        let closed = now - i64::from(self.delay_of(measure).0);
        match self.monitoring {
            Monitoring::Basic if measure.comes_from_instances() => {
                (closed + offset).div_euclid(5) * 5 - offset
            }
            Monitoring::Basic | Monitoring::Detailed => closed,
        }
    }
}

/// What the instances of one minute add to the group's metric: a sum and its weight, so that minutes can be
/// brought together. A weight of 0 is a minute without data.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MinuteMetric {
    pub(crate) sum: f64,
    pub(crate) weight: f64,
}

impl MinuteMetric {
    pub(crate) const MISSING: Self = Self { sum: 0.0, weight: 0.0 };

    /// Instances whose CPU adds up to `sum`. A weight of 0 is a group of which none reports.
    pub(crate) fn of_group(dynamics: &Dynamics, sum: f64, weight: f64) -> Self {
        match dynamics.group_average {
            GroupAverage::OfSamples => Self { sum, weight },
            GroupAverage::OfMinutes if weight > 0.0 => Self { sum: sum / weight, weight: 1.0 },
            GroupAverage::OfMinutes => Self::MISSING,
        }
    }

    /// One value for the minute.
    pub(crate) fn of_value(value: f64) -> Self {
        if value.is_nan() { Self::MISSING } else { Self { sum: value, weight: 1.0 } }
    }

    /// One point over `minutes`, by the statistic that `measure` has; `None` when no minute has data.
    pub(crate) fn point(measure: Measure, minutes: &[Self]) -> Option<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        for minute in minutes {
            sum += minute.sum;
            weight += minute.weight;
        }
        Self::value(measure, sum, weight)
    }

    /// The point that minutes with these sums make.
    pub(crate) fn value(measure: Measure, sum: f64, weight: f64) -> Option<f64> {
        match measure {
            _ if weight <= 0.0 => None,
            Measure::RequestCount => Some(sum),
            Measure::CpuUtilization | Measure::Line { .. } => Some(sum / weight),
        }
    }
}
