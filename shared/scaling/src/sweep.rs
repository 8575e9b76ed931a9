//! Every plausible policy, replayed against the same load.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::course::Course;
use crate::dynamics::{Dynamics, Monitoring};
use crate::plan::Plan;
use crate::policy::{Group, ScalingPolicy, Trigger};
use crate::reference::Scenario;
use crate::simulate::{Outcome, Question, simulate};
use crate::traffic::Load;
use crate::units::{CpuPercent, Instances, Minutes, Seconds};

/// The values to try for each option; the candidates are all their combinations that make sense.
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

/// The policies of a grid, and how many combinations were passed over.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    /// What is to be replayed.
    pub policies: Vec<ScalingPolicy>,
    /// Combinations that are no policy: thresholds swapped, min over max.
    pub invalid: usize,
    /// Policies whose actions can call for their own reversal.
    pub oscillating: usize,
    /// Policies with a period that the metrics are too coarse for.
    pub too_fine: usize,
    /// Policies whose upper threshold CPU never comes up to.
    pub unreachable: usize,
}

impl Grid {
    /// What is tried unless told otherwise: thresholds every 5 % up to `ceiling` (every 1 % below 25), around the limits of
    /// `present` where it is known, and room for the greatest need of `load`.
    pub fn plausible(
        load: &Load,
        ceiling: CpuPercent,
        present: Option<Group>,
        monitoring: Monitoring,
    ) -> Self {
        let thresholds = |from: u32| -> Vec<CpuPercent> {
            // A low ceiling leaves no room for steps of five.
            let step = if ceiling.get() < 25.0 { 1 } else { 5 };
            let values = (from * step..=ceiling.get() as u32).step_by(step as usize);
            values.filter_map(|percent| CpuPercent::new(f64::from(percent)).ok()).collect()
        };
        let least = present.map_or(1, |group| group.min_size.0);
        let needed = largest_need(load, ceiling).max(least);
        let most = present.map_or(needed + 1, |group| group.max_size.0.max(needed + 1));
        Self {
            upper_thresholds: thresholds(2),
            lower_thresholds: thresholds(1),
            upper_breach_scale_increments: increments(needed),
            lower_breach_scale_increments: vec![Instances(1), Instances(2)],
            periods: [1, 5].map(Minutes).into_iter().filter(|period| monitoring.allows(*period)).collect(),
            evaluation_periods: vec![1, 2, 3],
            cooldowns: vec![Seconds(60), Seconds(180), Seconds(360)],
            min_sizes: min_sizes(least, needed),
            max_sizes: vec![Instances(most.max(least + 3).min(10_000))],
        }
    }

    /// All combinations that are policies, that don't chase their own tail, that the metrics allow, and whose upper
    /// threshold lies under `ceiling`, which CPU does not pass: an alarm asks for more than its threshold.
    pub fn candidates(&self, monitoring: Monitoring, ceiling: CpuPercent) -> Candidates {
        let mut candidates =
            Candidates { policies: vec![], invalid: 0, oscillating: 0, too_fine: 0, unreachable: 0 };
        for group in self.groups() {
            for trigger in self.triggers() {
                match ScalingPolicy::new(trigger, group) {
                    Err(_) => candidates.invalid += 1,
                    Ok(policy) if policy.oscillates() => candidates.oscillating += 1,
                    Ok(policy) if !monitoring.allows(policy.trigger().period) => candidates.too_fine += 1,
                    Ok(policy) if ceiling <= policy.trigger().upper_threshold => candidates.unreachable += 1,
                    Ok(policy) => candidates.policies.push(policy),
                }
            }
        }
        candidates
    }

    fn groups(&self) -> Vec<Group> {
        let mut groups = Vec::new();
        for &min_size in &self.min_sizes {
            for &max_size in &self.max_sizes {
                groups.extend(self.cooldowns.iter().map(|&cooldown| Group { min_size, max_size, cooldown }));
            }
        }
        groups
    }

    fn triggers(&self) -> Vec<Trigger> {
        let mut triggers = Vec::new();
        for (upper_threshold, lower_threshold) in pairs(&self.upper_thresholds, &self.lower_thresholds) {
            for (upper_breach_scale_increment, lower_breach_scale_increment) in
                pairs(&self.upper_breach_scale_increments, &self.lower_breach_scale_increments)
            {
                for (period, evaluation_periods) in pairs(&self.periods, &self.evaluation_periods) {
                    triggers.push(Trigger {
                        upper_threshold,
                        lower_threshold,
                        upper_breach_scale_increment,
                        lower_breach_scale_increment,
                        period,
                        evaluation_periods,
                    });
                }
            }
        }
        triggers
    }
}

fn pairs<A: Copy, B: Copy>(a: &[A], b: &[B]) -> Vec<(A, B)> {
    a.iter().flat_map(|&a| b.iter().map(move |&b| (a, b))).collect()
}

/// One to four instances, and shares of a large group.
fn increments(needed: u32) -> Vec<Instances> {
    let distinct: BTreeSet<u32> =
        (1..=4).chain([needed / 8, needed / 4]).filter(|count| *count > 0).collect();
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

/// Replays every policy on `threads` threads and keeps those that hold, in the order given, whatever the
/// number of threads. `progress` is told of every policy that is done.
pub fn sweep(
    setting: &Setting<'_>,
    policies: &[ScalingPolicy],
    question: Question,
    threads: NonZero<usize>,
    progress: &(dyn Fn(usize) + Sync),
) -> Vec<Evaluated> {
    const CHUNK: usize = 32;
    let next_chunk = AtomicUsize::new(0);
    let work = || {
        let mut kept = Vec::new();
        loop {
            let start = next_chunk.fetch_add(1, Ordering::Relaxed) * CHUNK;
            let Some(chunk) = policies.get(start..policies.len().min(start + CHUNK)) else { return kept };
            if chunk.is_empty() {
                return kept;
            }
            let held = |policy: &ScalingPolicy| setting.simulate(policy, question);
            kept.extend(chunk.iter().enumerate().filter_map(|(index, policy)| {
                held(policy).map(|outcome| (start + index, Evaluated { policy: *policy, outcome }))
            }));
            progress(chunk.len());
        }
    };
    let mut kept: Vec<(usize, Evaluated)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.get()).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("a replay does not panic")).collect()
    });
    kept.sort_by_key(|(index, _)| *index);
    kept.into_iter().map(|(_, evaluated)| evaluated).collect()
}
