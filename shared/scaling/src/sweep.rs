//! Which policies are tried, and what they are replayed against.

use std::collections::BTreeSet;

use crate::course::Course;
use crate::dynamics::{Dynamics, Monitoring};
use crate::plan::Plan;
use crate::policy::{Group, ScalingPolicy};
use crate::reference::Scenario;
use crate::simulate::{Outcome, Question, simulate};
use crate::traffic::Load;
use crate::units::{CpuPercent, Instances, Minutes, Seconds};

/// The values to try for each option; the candidates are all their combinations that make sense
/// ([`Space`](crate::engine::Space)).
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// `UpperThreshold`.
    pub upper_thresholds: Vec<CpuPercent>,
    /// `LowerThreshold`.
    pub lower_thresholds: Vec<CpuPercent>,
    /// `UpperBreachScaleIncrement`.
    pub upper_breach_scale_increments: Vec<Instances>,
    /// `LowerBreachScaleIncrement`, as a positive number.
    pub lower_breach_scale_increments: Vec<Instances>,
    /// `Period`.
    pub periods: Vec<Minutes>,
    /// `EvaluationPeriods`.
    pub evaluation_periods: Vec<u32>,
    /// `Cooldown`.
    pub cooldowns: Vec<Seconds>,
    /// `MinSize`.
    pub min_sizes: Vec<Instances>,
    /// `MaxSize`.
    pub max_sizes: Vec<Instances>,
}

impl Grid {
    /// What is tried unless told otherwise: every whole percent up to `ceiling` as a threshold, increments up to what the
    /// greatest need of `load` can ask for, and sizes around the limits of `present`, where it is known, up to that need.
    pub fn plausible(
        load: &Load,
        ceiling: CpuPercent,
        present: Option<Group>,
        monitoring: Monitoring,
    ) -> Self {
        let thresholds = |from: u32| -> Vec<CpuPercent> {
            let values = from..=ceiling.get() as u32;
            values.filter_map(|percent| CpuPercent::new(f64::from(percent)).ok()).collect()
        };
        let least = present.map_or(1, |group| group.min_size.0);
        let needed = largest_need(load, ceiling).max(least);
        let most = present.map_or(needed + 1, |group| group.max_size.0.max(needed + 1));
        Self {
            upper_thresholds: thresholds(2),
            lower_thresholds: thresholds(1),
            upper_breach_scale_increments: increments(needed),
            lower_breach_scale_increments: (1..=4.min(needed)).map(Instances).collect(),
            periods: [1, 5].map(Minutes).into_iter().filter(|period| monitoring.allows(*period)).collect(),
            evaluation_periods: vec![1, 2, 3],
            cooldowns: [60, 120, 180, 360, 600].map(Seconds).to_vec(),
            min_sizes: min_sizes(least, needed),
            max_sizes: vec![Instances(most.max(least + 3).min(10_000))],
        }
    }

    /// How many combinations of all values but the thresholds there are, and how many pairs of these, valid or not.
    pub fn combinations(&self) -> (usize, usize) {
        let others = [
            self.upper_breach_scale_increments.len(),
            self.lower_breach_scale_increments.len(),
            self.periods.len(),
            self.evaluation_periods.len(),
            self.cooldowns.len(),
            self.min_sizes.len(),
            self.max_sizes.len(),
        ];
        let pairs = self.upper_thresholds.len().saturating_mul(self.lower_thresholds.len());
        (others.into_iter().fold(1, usize::saturating_mul), pairs)
    }
}

/// One to ten instances, and shares of a larger group; none is larger than the group.
fn increments(needed: u32) -> Vec<Instances> {
    let distinct: BTreeSet<u32> =
        (1..=10.min(needed)).chain([needed / 4, needed / 2]).filter(|count| *count > 0).collect();
    distinct.into_iter().map(Instances).collect()
}

/// The present minimum and three more, then doublings up to what the peak needs: there, a fixed group holds.
fn min_sizes(least: u32, needed: u32) -> Vec<Instances> {
    let doublings = std::iter::successors(Some(least.max(1) * 2), |size| Some(size * 2));
    let doublings = doublings.take_while(|size| *size < needed);
    let distinct: BTreeSet<u32> = (least..=least + 3).chain(doublings).chain([needed]).collect();
    distinct.into_iter().filter(|size| *size <= 10_000).map(Instances).collect()
}

/// Instances that keep the greatest demand under the ceiling.
fn largest_need(load: &Load, ceiling: CpuPercent) -> u32 {
    let room = (ceiling.get() - load.intercept_percent).max(1.0);
    ((load.peak_percent() / room).floor() + 1.0).min(9_999.0) as u32
}

/// A policy and what it does to the load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluated {
    /// The policy.
    pub policy: ScalingPolicy,
    /// What it does.
    pub outcome: Outcome,
}

/// What stays the same over all replays of a sweep.
#[derive(Debug, Clone)]
pub struct Setting<'a> {
    /// What comes in.
    pub load: &'a Load,
    /// Delays and the like.
    pub dynamics: Dynamics,
    /// What happens that no alarm asks for.
    pub course: Course,
    /// Instances at the start.
    pub initial: Instances,
}

impl Setting<'_> {
    /// The replay of one plan in it.
    pub fn simulate(&self, plan: impl Into<Plan>, question: Question) -> Option<Outcome> {
        simulate(self.load, &self.scenario(plan), question)
    }

    /// One plan in it.
    pub fn scenario(&self, plan: impl Into<Plan>) -> Scenario {
        let (dynamics, initial) = (self.dynamics, self.initial);
        Scenario { plan: plan.into(), dynamics, course: self.course.clone(), initial }
    }

    /// The same with metrics that come a minute later: what a policy should survive.
    pub fn with_later_metrics(&self) -> Self {
        Self { dynamics: self.dynamics.with_later_metrics(), ..self.clone() }
    }
}
