//! A cost of requests that is no line: contention makes the last request dearer than the first, caches cheaper.

use std::ops::Range;

use super::confidence::{Interval, student};
use super::line::{Robust, least_squares};
use super::points::Points;
use crate::cpu_model::Line;

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
    let x: Vec<f64> = points.load.iter().map(|load| (load - middle) / half).collect();
    let square: Vec<f64> = x.iter().map(|x| x * x).collect();
    let y: Vec<f64> = (0..points.len()).map(|i| robust.residual(points, i)).collect();
    // Residuals against the part of the square of load that no line explains.
    let line = |y: &[f64]| least_squares((0..x.len()).map(|i| (x[i], y[i], weights[i])));
    let left_by =
        |line: Line, y: &[f64]| x.iter().zip(y).map(|(x, y)| y - line.intercept - line.slope * x).collect();
    let of_square = line(&square)?;
    let (bowl, base): (Vec<f64>, Vec<f64>) = (left_by(of_square, &square), left_by(line(&y)?, &y));
    let bowls: f64 = bowl.iter().zip(&weights).map(|(bowl, weight)| weight * bowl * bowl).sum();
    let along = |i: usize| weights[i] * bowl[i] * base[i];
    let depth = (0..points.len()).map(along).sum::<f64>() / bowls;
    let left = |i: usize| weights[i] * bowl[i] * (base[i] - depth * bowl[i]);
    let of_block = |block: &Range<usize>| block.clone().map(left).sum::<f64>().powi(2);
    let few = blocks.len() as f64 / (blocks.len() as f64 - 1.0).max(1.0);
    let error = (few * blocks.iter().map(of_block).sum::<f64>()).sqrt() / bowls;
    // The parabola over its own line, at the greatest load.
    let above = 1.0 - of_square.intercept - of_square.slope;
    let (top, wide) = (depth * above, student(blocks.len() as u32 - 1) * error * above.abs());
    let least_bend = LEAST_POINTS_OF_PERCENT.max(LEAST_SHARE * robust.line.at(most));
    let bends = depth.abs() >= LEAST_ERRORS * error && top.abs() >= least_bend;
    bends.then_some(Bend { at_top_percent: top, interval: Interval { low: top - wide, high: top + wide } })
}
