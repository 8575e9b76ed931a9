//! Every period that shows load and CPU, and what became of it: for whoever wants to see what the line was drawn through.

use super::line::{Intercept, Robust};
use super::points::Points;
use super::usable::{Unsettled, usable};
use super::{Circumstances, FitRules, ceiling, deploying, lag, regime};
use crate::observation::{LeftOut, Observation, Series};
use crate::sample::Sample;

/// What became of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// The line was drawn through it.
    Drawn,
    /// The line was drawn, and it lies so far off that it counted for nothing.
    Outlying,
    /// The line was not drawn through it.
    LeftOut(LeftOut),
}

/// The periods of `samples` in the order of time, as [`fit_within`](super::fit_within) uses them: as many are left out for
/// each reason as the fit counts, but for those without load or CPU, which have no place beside a line.
pub fn sorted(samples: &[Sample], rules: FitRules, around: Circumstances<'_>) -> Vec<(Observation, Use)> {
    let series = Series::of(samples);
    let unsettled = Unsettled::of(&series, rules);
    let lag = lag::find(&series, |o| !unsettled.covers(o) && !deploying(around.deployments, o));
    let (kept, _) = usable(&series, lag, rules, around, &unsettled);
    let mut rest = usable_uses(&kept).into_iter().peekable();
    let of = |observation: Observation| match rest.next_if(|(other, _)| *other == observation) {
        Some(known) => known,
        None if deploying(around.deployments, &observation) => {
            (observation, Use::LeftOut(LeftOut::Deployment))
        }
        None => (observation, Use::LeftOut(LeftOut::JustAfterChange)),
    };
    series.observe(lag).0.into_iter().map(of).collect()
}

/// What became of those that could be used.
fn usable_uses(kept: &[Observation]) -> Vec<(Observation, Use)> {
    let points = Points::of(kept);
    let at_ceiling = if kept.is_empty() { None } else { ceiling::find(&points) };
    let is_at_ceiling = |i: usize| at_ceiling.as_ref().is_some_and(|(_, at)| at[i]);
    let below: Vec<usize> = (0..kept.len()).filter(|i| !is_at_ceiling(*i)).collect();
    let change = regime::last_change(&points.at(&below));
    let first = change.map_or(0, |(_, first)| first);
    let mut uses: Vec<Use> = vec![Use::LeftOut(LeftOut::AtCeiling); kept.len()];
    below[..first].iter().for_each(|i| uses[*i] = Use::LeftOut(LeftOut::EarlierRegime));
    let drawn = &below[first..];
    drawn.iter().zip(drawn_uses(&points.at(drawn))).for_each(|(i, drawn)| uses[*i] = drawn);
    kept.iter().copied().zip(uses).collect()
}

/// Which of those that the line was drawn through counted for something.
fn drawn_uses(points: &Points) -> Vec<Use> {
    let free = Robust::through(points, Intercept::Free);
    let uses = |robust: &Robust| {
        let of = |i| if robust.is_outlying(points, i) { Use::Outlying } else { Use::Drawn };
        (0..points.len()).map(of).collect()
    };
    free.as_ref().map_or_else(|| vec![Use::Drawn; points.len()], uses)
}
