//! How many minutes CPU comes after the requests that it serves.

use super::line::{Intercept, Robust};
use super::points::Points;
use crate::observation::{Observation, Series};
use crate::units::{MinuteUtc, Minutes};

/// Later than this is another cause.
const LONGEST: u32 = 3;
/// A lag is taken where it brings CPU so much nearer to its line than the next shorter one; of few points, by more than
/// chance does.
const LEAST_GAIN: f64 = 0.05;
/// And by so many points of percent: less is rounding.
const LEAST_POINTS_OF_PERCENT: f64 = 0.005;
/// More points than these say nothing more about it.
const ENOUGH: usize = 6000;

/// The lag that explains CPU best, by the CPU values that can be paired at each.
pub(super) fn find(series: &Series<'_>, usable: impl Fn(&Observation) -> bool) -> Minutes {
    let at = |lag: u32| {
        let (mut observations, _) = series.observe(Minutes(lag));
        observations.retain(&usable);
        observations
    };
    let lags: Vec<Vec<Observation>> = (0..=LONGEST).map(at).collect();
    let distances: Vec<Option<f64>> = (0..lags.len()).map(|lag| distance(&lags, lag)).collect();
    let chance = 1.0 / (lags[0].len() as f64).sqrt();
    let far_enough =
        |before: f64| ((1.0 - LEAST_GAIN.max(chance)) * before).min(before - LEAST_POINTS_OF_PERCENT);
    let better = |best: usize, lag: usize| {
        let nearer = |before: f64| distances[lag].is_some_and(|found| found < far_enough(before));
        if distances[best].is_some_and(nearer) { lag } else { best }
    };
    Minutes((1..lags.len()).fold(0, better) as u32)
}

/// How far CPU lies from its line at `lag`, over the CPU values that every lag has.
fn distance(lags: &[Vec<Observation>], lag: usize) -> Option<f64> {
    let reported = |o: &Observation, lag: usize| o.minute_utc + Minutes(lag as u32);
    let everywhere = |o: &&Observation| {
        lags.iter()
            .enumerate()
            .all(|(other, observations)| has(observations, reported(o, lag) - Minutes(other as u32)))
    };
    let common: Vec<Observation> = lags[lag].iter().filter(everywhere).copied().collect();
    let points = Points::of(&common).thinned(ENOUGH);
    let robust = Robust::through(&points, Intercept::Free)?;
    (robust.line.slope > 0.0).then(|| robust.mean_distance(&points))
}

fn has(observations: &[Observation], minute: MinuteUtc) -> bool {
    observations.binary_search_by_key(&minute, |observation| observation.minute_utc).is_ok()
}
