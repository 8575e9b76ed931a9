//! What a request costs: `cpu = intercept + coefficient × requests per minute per instance`.
//!
//! The line is drawn through the periods that can show it: not those of deployments, nor just after a change of
//! instances, nor at a ceiling of CPU, nor from before the cost changed. It resists what strays (`line`), says how
//! sure it is (`confidence`), and where the data can't carry a line, it is refused, with the reason and what would
//! help.

mod ceiling;
mod confidence;
mod curve;
mod drawn;
mod lag;
mod line;
mod points;
mod refusal;
mod regime;
mod sorted;
mod usable;

pub use ceiling::Ceiling;
pub use confidence::{BlockLength, Blocks, Interval};
pub use curve::Bend;
pub use refusal::FitError;
pub use regime::Change;
pub use sorted::{Use, sorted};

pub(crate) use confidence::{blocks_of, draws};
pub(crate) use line::least_squares;
pub(crate) use points::{FEW, far_beyond, greatest_but, median, scale};
pub(crate) use usable::settled;

use crate::course::Deployment;
use crate::cpu_model::{CpuModel, Line};
use crate::observation::{LeftOut, LeftOutCounts, Observation, Series};
use crate::sample::{Metric, Period, Sample};
use crate::units::{CpuPercent, Minutes};
use drawn::{Found, Redrawn, drawn, interval, r_squared};
use line::{Intercept, Robust, Straight};
use points::Points;
use refusal::{check_enough, check_spread, check_statistic};
use usable::{Unsettled, deploying, usable};

/// A line through the observations, and how well it describes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The line.
    pub model: CpuModel,
    /// Where the coefficient lies, 95 times of 100.
    pub coefficient_interval: Interval,
    /// Where the intercept lies. The line has none where that can't be told from zero.
    pub intercept_interval: Interval,
    /// Least and greatest coefficient of single blocks.
    pub coefficient_by_block: Interval,
    /// What the intervals were drawn anew from.
    pub blocks: Blocks,
    /// Share of the variance of CPU that the line explains, at most 1; without the periods that lie far off.
    pub r_squared: f64,
    /// Standard deviation of CPU around the line, in points of CPU percent; with the periods that lie far above it, and
    /// without those that lie far below, from which no ceiling is in danger.
    pub residual_spread_percent: f64,
    /// Root mean square distance of CPU from lines that had not seen it, points of percent: a tenth of the days, or
    /// hours, left out in turn (again without what lies far below); `None` where no line can be drawn without some of them.
    pub held_out_error_percent: Option<f64>,
    /// Periods that the line was drawn through.
    pub usable: u32,
    /// Of those, how many lie so far off that they counted for nothing.
    pub outlying: u32,
    /// Periods that it was not, by reason.
    pub left_out: LeftOutCounts,
    /// Least and greatest load seen, requests per minute per instance, without the periods that lie far off. The line is
    /// unproven outside of it.
    pub load_range: (f64, f64),
    /// Greatest CPU of the periods that the line was drawn through, percent.
    pub greatest_cpu_percent: f64,
    /// Minutes that CPU comes after the requests that it serves.
    pub lag: Minutes,
    /// The last change of the cost of a request; the line is of what came after.
    pub change: Option<Change>,
    /// A level that CPU does not pass; the line is of what lies below.
    pub ceiling: Option<Ceiling>,
    /// How CPU bends away from the line, where it is none.
    pub bend: Option<Bend>,
    /// By how much the busiest instance is above the average, as a share, where that is known.
    pub unevenness: Option<f64>,
    /// Lines of other days, for intervals of whatever follows from a line: with an intercept, and without one where
    /// it can't be told from zero.
    redrawn: Vec<Redrawn>,
}

impl Fit {
    /// Requests per minute of one instance that bring it to `cpu`, with their interval; `None` where it is there
    /// without any.
    pub fn requests_at(&self, cpu: CpuPercent) -> Option<(f64, Interval)> {
        // By its logarithm, since there are no requests below zero.
        let at = |line: &Straight| ((cpu.get() - line.intercept) / line.slope).ln();
        let requests = (cpu.get() - self.model.intercept_percent()) / self.model.coefficient();
        let interval = || interval(&self.redrawn, at);
        let exponential =
            |Interval { low, high }| Interval { low: low.exp(), high: high.exp().min(f64::MAX) };
        (requests > 0.0).then(|| (requests, exponential(interval())))
    }

    /// Whether a CPU has been seen, or lies beyond everything that the line was drawn through.
    pub fn has_seen(&self, cpu: CpuPercent) -> bool {
        cpu.get() <= self.greatest_cpu_percent
    }
}

/// What the data must show before a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitRules {
    /// Fewest usable periods.
    pub min_usable: u32,
    /// Least standard deviation of the load, as a share of its mean.
    pub min_load_spread: f64,
    /// Least share of the variance of CPU that the line must explain.
    pub min_r_squared: f64,
    /// How long the periods after a change of instances are left out, if that leaves enough of them.
    pub settle: Minutes,
}

impl Default for FitRules {
    fn default() -> Self {
        Self { min_usable: 30, min_load_spread: 0.1, min_r_squared: 0.6, settle: Minutes(3) }
    }
}

/// What is known besides the samples.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Circumstances<'a> {
    /// Instances do other work in them.
    pub deployments: &'a [Deployment],
    /// Types that instances may be of, for instance `t3.small`.
    pub instance_types: &'a [String],
}

/// Draws the line through every period of `samples` that has load, CPU and instances.
///
/// ```
/// use scaling::coefficient::{FitRules, fit};
///
/// let refused = fit(&[], FitRules::default()).unwrap_err();
/// assert_eq!(refused.to_string(), "only 0 usable periods, 30 needed; take in more, or look back further");
/// ```
pub fn fit(samples: &[Sample], rules: FitRules) -> Result<Fit, FitError> {
    fit_within(samples, rules, Circumstances::default())
}

/// The same, with what else is known.
pub fn fit_within(samples: &[Sample], rules: FitRules, around: Circumstances<'_>) -> Result<Fit, FitError> {
    let series = Series::of(samples);
    check_statistic(&series)?;
    let unsettled = Unsettled::of(&series, rules);
    let lag = lag::find(&series, |o| !unsettled.covers(o) && !deploying(around.deployments, o));
    let (observations, mut left_out) = usable(&series, lag, rules, around, &unsettled);
    let whole = Points::of(&observations);
    check_enough(&whole, rules, &left_out)?;
    check_spread(&whole, rules)?;
    let (points, ceiling) = below_ceiling(whole, &mut left_out);
    let change = regime::last_change(&points);
    let points = match change {
        None => points,
        Some((_, first)) => {
            left_out.insert(LeftOut::EarlierRegime, first as u32);
            points.within(first..points.len())
        }
    };
    let change = change.map(|(change, _)| change);
    let found = Found { lag, ceiling, change, left_out, unevenness: unevenness(&series, &points, lag) };
    drawn(&points, rules, around, found).map_err(|reason| match (change, ceiling) {
        (Some(change), _) => FitError::NewRegime { change, reason: Box::new(reason) },
        (None, Some(ceiling)) => FitError::AtCeiling { ceiling, reason: Box::new(reason) },
        (None, None) => reason,
    })
}

fn below_ceiling(points: Points, left_out: &mut LeftOutCounts) -> (Points, Option<Ceiling>) {
    let Some((ceiling, at)) = ceiling::find(&points) else { return (points, None) };
    let (below, count) = points.retained(|i| !at[i]);
    left_out.insert(LeftOut::AtCeiling, count);
    (below, Some(ceiling))
}

/// By how much the busiest instance is above the average in the busier half of the periods.
fn unevenness(series: &Series<'_>, points: &Points, lag: Minutes) -> Option<f64> {
    let middle = median(&mut points.load.clone());
    let of = |i: usize| {
        let at = |metric| series.value(points.minutes[i] + lag, Period::OneMinute, metric);
        let several = at(Metric::InService)? >= 2.0 && points.load[i] >= middle && points.cpu[i] > 0.0;
        several.then_some(at(Metric::CpuPercentMax)? / points.cpu[i] - 1.0)
    };
    let mut shares: Vec<f64> = (0..points.len()).filter_map(of).collect();
    (shares.len() >= 10).then(|| median(&mut shares))
}

/// A line through whatever observations hold, where it explains them by `rules`.
pub(crate) fn robust_line(observations: &[Observation], rules: FitRules) -> Option<Line> {
    let points = Points::of(observations);
    check_enough(&points, rules, &LeftOutCounts::new()).ok()?;
    check_spread(&points, rules).ok()?;
    let robust = Robust::through(&points, Intercept::Free)?;
    let explained = robust.line.slope > 0.0 && rules.min_r_squared <= r_squared(&points, &robust);
    explained.then_some(Line { intercept: robust.line.intercept, slope: robust.line.slope })
}
