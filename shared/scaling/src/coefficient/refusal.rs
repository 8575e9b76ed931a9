//! What the data must show before a line is drawn, and what is said where they don't.

use super::ceiling::Ceiling;
use super::points::Points;
use super::regime::Change;
use super::{Circumstances, FitRules};
use crate::observation::{LeftOutCounts, Series};
use crate::units::Minutes;

/// Why no line was drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Too little to go by.
    #[error(
        "only {usable} usable periods, {needed} needed{}; take in more, or look back further",
        list(left_out)
    )]
    TooFewUsable {
        /// Periods with load, CPU and instances.
        usable: u32,
        /// Periods needed.
        needed: u32,
        /// The others, by reason.
        left_out: LeftOutCounts,
    },
    /// The requests are no sums.
    #[error(
        "requests are 1 in {:.0} % of the periods: that is RequestCount by Average or another wrong statistic; ask for its Sum",
        share * 100.0
    )]
    WrongStatistic {
        /// Share of the periods.
        share: f64,
    },
    /// The load hardly moved, so that any slope would do.
    #[error(
        "the load hardly varies: its spread is {:.1} % of its mean of {mean:.0} requests per minute per instance, {:.0} % needed; look back over quiet and busy hours, or load one instance step by step",
        spread * 100.0,
        needed * 100.0
    )]
    NoSpreadInLoad {
        /// Mean load, requests per minute per instance.
        mean: f64,
        /// Standard deviation over mean.
        spread: f64,
        /// The least that is needed.
        needed: f64,
    },
    /// CPU falls, or stays, as requests rise.
    #[error(
        "CPU does not rise with requests: the line would have a slope of {coefficient:.3e} % per request per minute; are the CPU and the requests of the same environment?"
    )]
    NotRising {
        /// The slope found.
        coefficient: f64,
    },
    /// Requests do not explain CPU.
    #[error(
        "requests explain only {:.0} % of how CPU moves (R² {r_squared:.2}{}, {needed:.2} needed): other work, other requests, or instances of several kinds; look at a window without them, or state a coefficient from a load test",
        r_squared.max(0.0) * 100.0,
        late(*lag)
    )]
    RSquaredTooLow {
        /// Share explained.
        r_squared: f64,
        /// Minutes that CPU was taken to come after its requests, which explains it best.
        lag: Minutes,
        /// The least that is needed.
        needed: f64,
    },
    /// Requests do not explain CPU, and the instances are not of one kind.
    #[error(
        "requests explain only {:.0} % of how CPU moves, and instances are of several types ({}), which share no line: their part in the average is not recorded; use one type, or state the coefficient of the slowest",
        r_squared.max(0.0) * 100.0,
        types.join(", ")
    )]
    MixedInstanceTypes {
        /// The types.
        types: Vec<String>,
        /// Share explained.
        r_squared: f64,
    },
    /// Many periods lie far off any one line.
    #[error(
        "{:.0} % of the periods lie far off any one line: several kinds of instances or of requests, or other work; look at a window with one kind",
        share * 100.0
    )]
    NoSingleLine {
        /// Share of the periods.
        share: f64,
    },
    /// CPU has a ceiling, and below it too little was seen.
    #[error(
        "CPU stays near {:.0} % from {:.0} requests per minute and instance on, however many there are (no credits left, one busy thread, or a limit), and what lies below can't carry a line: {reason}",
        ceiling.level_percent,
        ceiling.from_load
    )]
    AtCeiling {
        /// The level.
        ceiling: Ceiling,
        /// Why there is no line below it.
        reason: Box<FitError>,
    },
    /// A request has begun to cost something else, and since then too little was seen.
    #[error(
        "since {} a request costs about {:+.0} %, and what was seen since then can't carry a line yet: {reason}",
        change.since,
        change.share * 100.0
    )]
    NewRegime {
        /// What changed.
        change: Change,
        /// Why there is no line.
        reason: Box<FitError>,
    },
}

fn late(lag: Minutes) -> String {
    if lag == Minutes(0) { String::new() } else { format!(" with CPU {} min late", lag.0) }
}

fn list(left_out: &LeftOutCounts) -> String {
    let parts: Vec<String> = left_out.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    if parts.is_empty() { String::new() } else { format!(" (left out: {})", parts.join(", ")) }
}

pub(super) fn check_statistic(series: &Series<'_>) -> Result<(), FitError> {
    let (mut ones, mut some) = (0_u32, 0_u32);
    for requests in series.reported_requests().filter(|requests| *requests > 0.0) {
        some += 1;
        ones += u32::from((0.99..=1.01).contains(&requests));
    }
    let share = f64::from(ones) / f64::from(some.max(1));
    if share >= 0.9 { Err(FitError::WrongStatistic { share }) } else { Ok(()) }
}

pub(super) fn check_enough(
    points: &Points,
    rules: FitRules,
    left_out: &LeftOutCounts,
) -> Result<(), FitError> {
    let (usable, needed) = (points.len() as u32, rules.min_usable.max(3));
    let enough = needed <= usable;
    enough.then_some(()).ok_or_else(|| FitError::TooFewUsable { usable, needed, left_out: left_out.clone() })
}

pub(super) fn check_spread(points: &Points, rules: FitRules) -> Result<(), FitError> {
    let count = points.len() as f64;
    let mean = points.load.iter().sum::<f64>() / count;
    let squares: f64 = points.load.iter().map(|load| (load - mean).powi(2)).sum();
    let spread = if mean > 0.0 { (squares / count).sqrt() / mean } else { 0.0 };
    let needed = rules.min_load_spread;
    let enough = needed <= spread && 0.0 < spread;
    enough.then_some(()).ok_or(FitError::NoSpreadInLoad { mean, spread, needed })
}

/// More periods than this share far off a line make it the line of the others.
const MOST_OUTLYING: f64 = 0.25;

pub(super) fn check_line(
    r_squared: f64,
    outlying: f64,
    lag: Minutes,
    rules: FitRules,
    around: Circumstances<'_>,
) -> Result<(), FitError> {
    let needed = rules.min_r_squared;
    let explained = needed <= r_squared && outlying <= MOST_OUTLYING;
    match around.instance_types {
        _ if explained => Ok(()),
        [_, _, ..] => Err(FitError::MixedInstanceTypes { types: around.instance_types.to_vec(), r_squared }),
        _ if outlying > MOST_OUTLYING => Err(FitError::NoSingleLine { share: outlying }),
        _ => Err(FitError::RSquaredTooLow { r_squared, lag, needed }),
    }
}
