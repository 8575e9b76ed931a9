//! What AWS does not publish, or an application decides: delays, and what an instance does while it boots.

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
    /// How often CPU is reported.
    pub monitoring: Monitoring,
    /// From the end of a period to an alarm that sees it.
    pub metric_delay: Minutes,
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
}

impl Default for Dynamics {
    fn default() -> Self {
        Self {
            monitoring: Monitoring::Detailed,
            metric_delay: Minutes(1),
            launch: Minutes(1),
            boot: Minutes(3),
            booting: Booting::Counted(CpuPercent::new(10.0).expect("10 is a percentage")),
            drain: Minutes(1),
            group_average: GroupAverage::OfSamples,
        }
    }
}

impl Dynamics {
    /// The same with metrics that come a minute later: what a policy should survive.
    pub fn with_later_metrics(self) -> Self {
        Self { metric_delay: Minutes(self.metric_delay.0 + 1), ..self }
    }

    /// The minute after the newest that an alarm sees at the start of `now`; minutes count from the first of
    /// the load, whose own place on the clock is `offset` (basic monitoring's bins follow the clock).
    pub(crate) fn visible_end(&self, now: i64, offset: i64) -> i64 {
        let closed = now - i64::from(self.metric_delay.0);
        match self.monitoring {
            Monitoring::Detailed => closed,
            Monitoring::Basic => (closed + offset).div_euclid(5) * 5 - offset,
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
    /// `serving` instances at `cpu`, and `booting` ones as `dynamics` has them.
    pub(crate) fn of(dynamics: &Dynamics, serving: u32, cpu: f64, booting: u32) -> Self {
        if cpu.is_nan() {
            return Self { sum: 0.0, weight: 0.0 };
        }
        let (booting, booting_cpu) = match dynamics.booting {
            Booting::Counted(percent) => (booting, percent.get()),
            Booting::LeftOut => (0, 0.0),
        };
        let weight = f64::from(serving + booting);
        let sum = f64::from(serving) * cpu + f64::from(booting) * booting_cpu;
        match dynamics.group_average {
            GroupAverage::OfSamples => Self { sum, weight },
            GroupAverage::OfMinutes => Self { sum: sum / weight, weight: 1.0 },
        }
    }

    /// One point over `minutes`; `None` when no minute has data.
    pub(crate) fn average(minutes: &[Self]) -> Option<f64> {
        let (mut sum, mut weight) = (0.0, 0.0);
        for minute in minutes {
            sum += minute.sum;
            weight += minute.weight;
        }
        (weight > 0.0).then(|| sum / weight)
    }
}
