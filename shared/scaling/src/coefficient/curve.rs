//! A cost of requests that is no line: contention makes the last request dearer than the first, caches cheaper.

use std::ops::Range;

use super::confidence::{Interval, student};
use super::line::Robust;
use super::points::Points;

/// How CPU bends away from its line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bend {
    /// How far CPU lies above the line at the greatest loads, points of percent; below zero if under it.
    pub at_top_percent: f64,
    /// Where that lies, 95 times of 100.
    pub interval: Interval,
}

/// A bend of fewer points of percent at the top, or of a smaller share of CPU there, is none.
const LEAST_POINTS_OF_PERCENT: f64 = 0.5;
const LEAST_SHARE: f64 = 0.05;
/// Nor is one of fewer of its own standard errors, which blocks tell.
const LEAST_ERRORS: f64 = 4.0;

/// The bend that `points` show around their line.
pub(super) fn find(points: &Points, robust: &Robust, blocks: &[Range<usize>]) -> Option<Bend> {
    let (least, most) = points.range();
    let (middle, half) = (f64::midpoint(least, most), (most - least) / 2.0);
    // What lies far off is no part of a bend, which is of many points.
    let inside = |i: usize| (1.0 - (robust.residual(points, i) * robust.per_reach[i]).powi(2)).max(0.0);
    let weights: Vec<f64> = (0..points.len()).map(|i| points.weight[i] * inside(i).powi(2)).collect();
    let weights = &weights;
    let x: Vec<f64> = points.load.iter().map(|load| (load - middle) / half).collect();
    let square: Vec<f64> = x.iter().map(|x| x * x).collect();
    let y: Vec<f64> = (0..points.len()).map(|i| robust.residual(points, i)).collect();
    // Residuals against the part of the square of load that no line explains.
    let (bowl, base) = (without_line(&x, &square, weights), without_line(&x, &y, weights));
    let bowls: f64 = bowl.iter().zip(weights).map(|(bowl, weight)| weight * bowl * bowl).sum();
    let along = |i: usize| weights[i] * bowl[i] * base[i];
    let depth = (0..points.len()).map(along).sum::<f64>() / bowls;
    let left = |i: usize| weights[i] * bowl[i] * (base[i] - depth * bowl[i]);
    let of_block = |block: &Range<usize>| block.clone().map(left).sum::<f64>().powi(2);
    let few = blocks.len() as f64 / (blocks.len() as f64 - 1.0).max(1.0);
    let error = (few * blocks.iter().map(of_block).sum::<f64>()).sqrt() / bowls;
    // The parabola over its own line, at the greatest load.
    let (intercept, slope) = line_of(&x, &square, weights);
    let above = 1.0 - intercept - slope;
    let (top, wide) = (depth * above, student(blocks.len() as u32 - 1) * error * above.abs());
    let least_bend = LEAST_POINTS_OF_PERCENT.max(LEAST_SHARE * robust.line.at(most));
    let bends = depth.abs() >= LEAST_ERRORS * error && top.abs() >= least_bend;
    bends.then_some(Bend { at_top_percent: top, interval: Interval { low: top - wide, high: top + wide } })
}

/// Intercept and slope of `y` over `x`.
fn line_of(x: &[f64], y: &[f64], weights: &[f64]) -> (f64, f64) {
    let weight: f64 = weights.iter().sum();
    let mean = |values: &[f64]| values.iter().zip(weights).map(|(value, w)| value * w).sum::<f64>() / weight;
    let (mean_x, mean_y) = (mean(x), mean(y));
    let along = x.iter().zip(y).zip(weights);
    let xy: f64 = along.map(|((x, y), w)| (x - mean_x) * (y - mean_y) * w).sum();
    let xx: f64 = x.iter().zip(weights).map(|(x, w)| (x - mean_x).powi(2) * w).sum();
    (mean_y - xy / xx * mean_x, xy / xx)
}

/// What is left of `y` once its line over `x` is taken away.
fn without_line(x: &[f64], y: &[f64], weights: &[f64]) -> Vec<f64> {
    let (intercept, slope) = line_of(x, y, weights);
    x.iter().zip(y).map(|(x, y)| y - intercept - slope * x).collect()
}
