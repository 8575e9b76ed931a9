//! The line itself, with everything that is said about it.

use super::ceiling::Ceiling;
use super::confidence::{self, Blocked, Blocks, Interval};
use super::line::{Intercept, Robust, Straight};
use super::points::Points;
use super::refusal::{check_enough, check_line, check_spread};
use super::regime::Change;
use super::{Circumstances, Fit, FitError, FitRules, curve};
use crate::cpu_model::CpuModel;
use crate::observation::LeftOutCounts;
use crate::units::Minutes;

/// What was found before the line is drawn.
pub(super) struct Found {
    pub(super) lag: Minutes,
    pub(super) ceiling: Option<Ceiling>,
    pub(super) change: Option<Change>,
    pub(super) left_out: LeftOutCounts,
    pub(super) unevenness: Option<f64>,
}

/// Draws the line through `points`.
pub(super) fn drawn(
    points: &Points,
    rules: FitRules,
    around: Circumstances<'_>,
    found: Found,
) -> Result<Fit, FitError> {
    check_enough(points, rules, &found.left_out)?;
    check_spread(points, rules)?;
    let (blocks, ranges) = confidence::blocks(&points.minutes);
    let Chosen { robust, blocked, intercept_interval, redrawn } = choose(points, blocks, &ranges)?;
    let coefficient = robust.line.slope;
    let model =
        CpuModel::new(robust.line.intercept, coefficient).map_err(|_| FitError::NotRising { coefficient })?;
    let outlying = (0..points.len()).filter(|i| robust.is_outlying(points, *i)).count();
    let r_squared = r_squared(points, &robust);
    check_line(r_squared, outlying as f64 / points.len() as f64, found.lag, rules, around)?;
    Ok(Fit {
        model,
        coefficient_interval: interval(&redrawn, |line| line.slope),
        intercept_interval,
        coefficient_by_block: blocked.slopes(),
        blocks,
        r_squared,
        residual_spread_percent: residual_spread(points, &robust),
        held_out_error_percent: blocked.held_out_error(points, &ranges, |i| endangers(points, &robust, *i)),
        usable: points.len() as u32,
        outlying: outlying as u32,
        left_out: found.left_out,
        load_range: points.retained(|i| !robust.is_outlying(points, i)).0.range(),
        greatest_cpu_percent: points.cpu.iter().copied().fold(0.0, f64::max),
        lag: found.lag,
        change: found.change,
        ceiling: found.ceiling,
        bend: curve::find(points, &robust, &ranges),
        unevenness: found.unevenness,
        redrawn,
    })
}

/// A line with or without an intercept, and how sure either is.
struct Chosen {
    robust: Robust,
    blocked: Blocked,
    intercept_interval: Interval,
    redrawn: Vec<Redrawn>,
}

/// A line whose intercept can't be told from zero has none: CPU without requests is never below it.
fn choose(points: &Points, blocks: Blocks, ranges: &[std::ops::Range<usize>]) -> Result<Chosen, FitError> {
    let through = |intercept, coefficient| {
        let robust = Robust::through(points, intercept).ok_or(FitError::NotRising { coefficient })?;
        let blocked = Blocked::of(points, &robust, ranges);
        let redrawn = Redrawn { line: robust.line, blocks: blocks.count, others: blocked.redrawn() };
        Ok((robust, blocked, redrawn))
    };
    let (robust, blocked, free) = through(Intercept::Free, 0.0)?;
    let intercept_interval = free.interval(|line| line.intercept);
    if !intercept_interval.contains(0.0) && robust.line.intercept >= 0.0 {
        return Ok(Chosen { robust, blocked, intercept_interval, redrawn: vec![free] });
    }
    let (robust, blocked, without) = through(Intercept::Zero, robust.line.slope)?;
    Ok(Chosen { robust, blocked, intercept_interval, redrawn: vec![free, without] })
}

/// A line, and what it would have been on other days.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Redrawn {
    line: Straight,
    blocks: u32,
    others: Vec<Straight>,
}

impl Redrawn {
    fn interval(&self, of: impl Fn(&Straight) -> f64) -> Interval {
        let others: Vec<f64> = self.others.iter().map(&of).filter(|value| value.is_finite()).collect();
        Interval::around(of(&self.line), &others, self.blocks)
    }
}

/// Where a value lies by all `redrawn` lines: with an intercept that can't be told from zero, the doubt about it counts.
pub(super) fn interval(redrawn: &[Redrawn], of: impl Fn(&Straight) -> f64) -> Interval {
    let mut intervals = redrawn.iter().map(|redrawn| redrawn.interval(&of));
    let first = intervals.next().expect("a fit has at least one line");
    intervals.fold(first, Interval::joined)
}

/// Share of the variance that the line explains, without the points that lie far off.
pub(super) fn r_squared(points: &Points, robust: &Robust) -> f64 {
    let kept: Vec<usize> = (0..points.len()).filter(|i| !robust.is_outlying(points, *i)).collect();
    let mean = kept.iter().map(|i| points.cpu[*i]).sum::<f64>() / kept.len() as f64;
    let all: f64 = kept.iter().map(|i| (points.cpu[*i] - mean).powi(2)).sum();
    let unexplained: f64 = kept.iter().map(|i| robust.residual(points, *i).powi(2)).sum();
    if all > 0.0 { 1.0 - unexplained / all } else { 0.0 }
}

/// Whether CPU may come to a ceiling for what makes it stray: where it stays far below its line it can't.
fn endangers(points: &Points, robust: &Robust, index: usize) -> bool {
    !robust.is_outlying(points, index) || 0.0 < robust.residual(points, index)
}

fn residual_spread(points: &Points, robust: &Robust) -> f64 {
    let (count, squares) = (0..points.len())
        .filter(|i| endangers(points, robust, *i))
        .fold((0.0, 0.0), |(count, sum), i| (count + 1.0, sum + robust.residual(points, i).powi(2)));
    (squares / (count - 2.0_f64).max(1.0)).sqrt()
}
