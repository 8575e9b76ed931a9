//! Which of the policies that hold to take, and whether it is worth a change.

use std::cmp::Ordering;

use crate::simulate::{Outcome, Question};
use crate::sweep::{Evaluated, Setting};

/// What to do about the present policy.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Take this policy.
    Change(Evaluated),
    /// The present policy holds, and nothing that holds is clearly cheaper.
    Keep(Evaluated),
    /// No candidate holds the ceiling.
    NoneHolds {
        /// The one that comes closest: the fewest minutes over the ceiling.
        closest: Option<Evaluated>,
    },
}

/// A saving smaller than this share of the present cost is not worth a change.
pub const LEAST_SAVING: f64 = 0.01;

/// The better of two policies that hold: the cheaper, then the calmer, then the cooler.
pub fn preference(a: &Evaluated, b: &Evaluated) -> Ordering {
    let rank =
        |e: &Evaluated| (e.outcome.billed_instance_minutes, e.outcome.scale_outs + e.outcome.scale_ins);
    rank(a).cmp(&rank(b)).then(a.outcome.max_cpu_percent.total_cmp(&b.outcome.max_cpu_percent))
}

/// Decides between `present` and the `kept` candidates. A candidate must hold with metrics that come a
/// minute later, too: AWS does not publish the delay.
pub fn recommend(
    setting: &Setting<'_>,
    question: Question,
    present: Option<Evaluated>,
    kept: &[Evaluated],
) -> Verdict {
    let later = setting.with_later_metrics();
    let holds_later = |candidate: &Evaluated| later.simulate(&candidate.policy, question).is_some();
    let holds = |candidate: &Evaluated| candidate.outcome.minutes_over <= question.minutes_over_allowed;
    let mut ranked: Vec<&Evaluated> = kept.iter().filter(|candidate| holds(candidate)).collect();
    ranked.sort_by(|a, b| preference(a, b));
    let best = ranked.into_iter().find(|candidate| holds_later(candidate)).copied();
    let present = present.filter(|present| holds(present) && holds_later(present));
    match (best, present) {
        (Some(best), Some(present)) if is_worth_it(&best.outcome, &present.outcome) => Verdict::Change(best),
        (_, Some(present)) => Verdict::Keep(present),
        (Some(best), None) => Verdict::Change(best),
        (None, None) => Verdict::NoneHolds { closest: None },
    }
}

fn is_worth_it(best: &Outcome, present: &Outcome) -> bool {
    let saved = present.billed_instance_minutes as f64 - best.billed_instance_minutes as f64;
    saved >= LEAST_SAVING * present.billed_instance_minutes as f64
}

/// The one with the fewest minutes over the ceiling, then as [`preference`] has it.
pub fn closest(evaluated: &[Evaluated]) -> Option<Evaluated> {
    let rank = |a: &&Evaluated, b: &&Evaluated| {
        a.outcome.minutes_over.cmp(&b.outcome.minutes_over).then(preference(a, b))
    };
    evaluated.iter().min_by(rank).copied()
}
