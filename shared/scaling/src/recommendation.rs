//! Which of the policies that hold to take, and whether it is worth a change.

use std::cmp::Reverse;

use crate::light::Light;
use crate::simulate::{Outcome, Question};
use crate::sweep::{Evaluated, Setting};
use crate::units::CpuPercent;

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

fn events(evaluated: &Evaluated) -> u32 {
    evaluated.outcome.scale_outs + evaluated.outcome.scale_ins
}

/// Decides between `present`, if it holds, and the `best` of the candidates that hold.
pub fn recommend(present: Option<Evaluated>, best: Option<Evaluated>) -> Verdict {
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

/// How many times the traffic may become, in steps of a hundredth, before `evaluated` no longer holds `ceiling`: from 1 to
/// [`MOST_ROOM`].
pub fn room(
    setting: &Setting<'_>,
    evaluated: &Evaluated,
    ceiling: CpuPercent,
    minutes_over_allowed: u32,
) -> f64 {
    let question = Question { ceiling, minutes_over_allowed };
    let holds = |hundredths: &u32| {
        let lit = Light::Amplified(f64::from(*hundredths) / 100.0).on(setting);
        lit.setting().simulate(&evaluated.policy, question).is_some()
    };
    let held = (101..=(MOST_ROOM * 100.0) as u32).take_while(holds).last();
    f64::from(held.unwrap_or(100)) / 100.0
}

/// Times the traffic up to which room is looked for.
pub const MOST_ROOM: f64 = 3.0;

/// Of policies that hold, cheapest first, the one with the most room among those that cost at most `share` more than the
/// cheapest; of equal room the calmest. `rooms` are theirs, as far as they are looked at.
pub fn roomiest(cheapest_first: &[Evaluated], rooms: &[f64], share: f64) -> Option<usize> {
    let first = cheapest_first.first()?.outcome.billed_instance_minutes as f64;
    let near = |e: &&Evaluated| e.outcome.billed_instance_minutes as f64 <= first * (1.0 + share);
    let near = cheapest_first.iter().take_while(near).zip(rooms).enumerate();
    let rank = |(index, (evaluated, room)): &(usize, (&Evaluated, &f64))| {
        (Reverse((*room * 100.0).round() as u32), events(evaluated), *index)
    };
    near.min_by_key(rank).map(|(index, _)| index)
}
