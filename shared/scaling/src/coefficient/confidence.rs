//! How sure a line is: what it would have been on other days, and how well it does on days that it has not seen.
//!
//! Minutes that follow each other stray together, so that single minutes can't be drawn anew: whole days are, or
//! stretches of hours where there are few days. The line is not iterated anew for each sample: one step of it from the
//! line of all points, and what the steps after that would add by its derivative, says the same ("fast and robust
//! bootstrap", Salibián-Barrera and Zamar 2002).

use std::ops::Range;

use super::line::{Robust, Straight, Sums};
use super::points::Points;
use crate::units::MinuteUtc;

/// What is drawn anew as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    /// How many.
    pub count: u32,
    /// How long each is.
    pub length: BlockLength,
}

/// How long a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockLength {
    /// From midnight to midnight, universal time.
    Day,
    /// So many hours of a day.
    Hours(u32),
    /// A share of a record of minutes.
    Part,
}

impl std::fmt::Display for Blocks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.length {
            BlockLength::Day => write!(f, "{} days", self.count),
            BlockLength::Hours(1) => write!(f, "{} hours", self.count),
            BlockLength::Hours(hours) => write!(f, "{} stretches of {hours} hours", self.count),
            BlockLength::Part => write!(f, "{} parts of the record", self.count),
        }
    }
}

/// Fewer blocks than these say too little about others.
const LEAST_DAYS: usize = 7;
const LEAST_SIXTHS: usize = 10;
const LEAST_STRETCHES: usize = 6;
const LEAST_HOURS: usize = 4;
const PARTS: usize = 5;

/// The blocks of points in the order of time, as ranges of their indices: the longer they are the better, as long as
/// there are enough.
pub(super) fn blocks(minutes: &[MinuteUtc]) -> (Blocks, Vec<Range<usize>>) {
    let lengths = [(24, LEAST_DAYS), (6, LEAST_SIXTHS), (4, LEAST_STRETCHES), (1, LEAST_HOURS)];
    for (hours, least) in lengths {
        let ranges = runs(minutes, hours);
        if ranges.len() >= least {
            let length = if hours == 24 { BlockLength::Day } else { BlockLength::Hours(hours) };
            return (Blocks { count: ranges.len() as u32, length }, ranges);
        }
    }
    let count = minutes.len();
    let parts = (0..PARTS).map(|i| i * count / PARTS..(i + 1) * count / PARTS);
    let ranges: Vec<_> = parts.filter(|range| !range.is_empty()).collect();
    (Blocks { count: ranges.len() as u32, length: BlockLength::Part }, ranges)
}

/// How many blocks there are, and which one each period is in.
pub(crate) fn blocks_of(minutes: &[MinuteUtc]) -> (usize, Vec<usize>) {
    let (_, ranges) = blocks(minutes);
    let of_period = ranges.iter().enumerate().flat_map(|(block, range)| range.clone().map(move |_| block));
    (ranges.len(), of_period.collect())
}

fn runs(minutes: &[MinuteUtc], hours: u32) -> Vec<Range<usize>> {
    let stretch = |minute: &MinuteUtc| minute.epoch_minutes().div_euclid(60 * i64::from(hours));
    let mut start = 0;
    let run = |chunk: &[MinuteUtc]| {
        let range = start..start + chunk.len();
        start = range.end;
        range
    };
    minutes.chunk_by(|a, b| stretch(a) == stretch(b)).map(run).collect()
}

/// Samples with replacement that are drawn.
const RESAMPLES: usize = 1000;
/// The same every time: the same data give the same interval.
const SEED: u64 = 0x7472_656c_6c69_7301;

/// Times that each block is drawn, sample by sample.
pub(crate) fn draws(blocks: usize) -> impl Iterator<Item = Vec<f64>> {
    let mut random = fastrand::Rng::with_seed(SEED);
    (0..RESAMPLES).map(move |_| {
        let mut times = vec![0.0; blocks];
        (0..blocks).for_each(|_| times[random.usize(0..blocks)] += 1.0);
        times
    })
}

/// A line, as its blocks have it.
pub(super) struct Blocked {
    line: Straight,
    intercept: super::line::Intercept,
    /// Of each block, as heavy as the points are around the line of all.
    sums: Vec<Sums>,
    /// How far the next step of the iteration follows a change of the line: of intercept and slope.
    follows: [[f64; 2]; 2],
}

impl Blocked {
    pub(super) fn of(points: &Points, robust: &Robust, blocks: &[Range<usize>]) -> Self {
        let sums_around = |line: Straight| -> Vec<Sums> {
            blocks.iter().map(|range| Sums::of(points, &robust.per_reach, line, range.clone())).collect()
        };
        let (line, intercept) = (robust.line, robust.intercept);
        let sums = sums_around(line);
        let step = |line: Straight| Sums::total(&sums_around(line)).line(intercept).unwrap_or(line);
        let (base, most) = (step(line), points.range().1.max(f64::MIN_POSITIVE));
        let reach = robust.per_reach.first().map_or(1.0, |per_reach| 1.0 / per_reach);
        let (up, steeper) = (0.01 * reach, 0.01 * reach / most);
        let moved = step(Straight { intercept: line.intercept + up, ..line });
        let turned = step(Straight { slope: line.slope + steeper, ..line });
        let follows = [
            [(moved.intercept - base.intercept) / up, (turned.intercept - base.intercept) / steeper],
            [(moved.slope - base.slope) / up, (turned.slope - base.slope) / steeper],
        ];
        Self { line, intercept, sums, follows }
    }

    /// The line anew for each sample of blocks.
    pub(super) fn redrawn(&self) -> Vec<Straight> {
        draws(self.sums.len()).filter_map(|times| self.with(&times)).collect()
    }

    /// The line through blocks that count so many times.
    fn with(&self, times: &[f64]) -> Option<Straight> {
        let mut sums = Sums::default();
        self.sums.iter().zip(times).for_each(|(block, times)| sums.add(block, *times));
        let next = sums.line(self.intercept)?;
        let (up, steeper) = (next.intercept - self.line.intercept, next.slope - self.line.slope);
        // All further steps: the inverse of 1 less what each follows of the one before.
        let [[a, b], [c, d]] = self.follows;
        let (a, d) = (1.0 - a, 1.0 - d);
        let determinant = a * d - b * c;
        let line = Straight {
            intercept: self.line.intercept + (d * up + b * steeper) / determinant,
            slope: self.line.slope + (c * up + a * steeper) / determinant,
        };
        (line.slope.is_finite() && line.intercept.is_finite()).then_some(line)
    }

    /// Root mean square distance of CPU from lines that had not seen it, points of percent; of the points that `matter`.
    pub(super) fn held_out_error(
        &self,
        points: &Points,
        blocks: &[Range<usize>],
        matter: impl Fn(&usize) -> bool,
    ) -> Option<f64> {
        let folds = FOLDS.min(blocks.len());
        let fold_of = |block: usize| block * folds / blocks.len();
        let (mut squares, mut count) = (0.0, 0_usize);
        for fold in 0..folds {
            let times: Vec<f64> = (0..blocks.len()).map(|block| f64::from(fold_of(block) != fold)).collect();
            let line = self.with(&times)?;
            for block in (0..blocks.len()).filter(|block| fold_of(*block) == fold) {
                let distance = |i: usize| points.cpu[i] - line.at(points.load[i]);
                for i in blocks[block].clone().filter(&matter) {
                    squares += distance(i).powi(2);
                    count += 1;
                }
            }
        }
        (count > 0).then(|| (squares / count as f64).sqrt())
    }

    /// Least and greatest slope of single blocks, above the intercept of all; of blocks that weigh enough.
    pub(super) fn slopes(&self) -> Interval {
        let mean = Sums::total(&self.sums).leverage() / self.sums.len() as f64;
        let weighty = self.sums.iter().filter(|sums| sums.leverage() >= LEAST_LEVERAGE * mean);
        let slopes = weighty.filter_map(|sums| sums.slope_above(self.line.intercept));
        let widen =
            |Interval { low, high }, slope: f64| Interval { low: slope.min(low), high: slope.max(high) };
        slopes.fold(Interval { low: self.line.slope, high: self.line.slope }, widen)
    }
}

/// Days, or hours, are left out in so many turns at most.
const FOLDS: usize = 10;
/// A block that says less than this share of what blocks say on average is not heard alone.
const LEAST_LEVERAGE: f64 = 0.25;

/// An interval that holds the truth 95 times of 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl Interval {
    const ANYTHING: Self = Self { low: f64::MIN, high: f64::MAX };

    /// Around `estimate`, as far as its `redrawn` values stray, widened for few blocks.
    pub(crate) fn around(estimate: f64, redrawn: &[f64], blocks: u32) -> Self {
        let count = redrawn.len() as f64;
        let mean = redrawn.iter().sum::<f64>() / count;
        let squares: f64 = redrawn.iter().map(|value| (value - mean).powi(2)).sum();
        let few = f64::from(blocks.max(2));
        let spread = (squares / (count - 1.0).max(1.0) * few / (few - 1.0)).sqrt();
        let half = student(blocks.saturating_sub(1)) * spread;
        // Nothing to go by is anything at all.
        if half.is_finite() { Self { low: estimate - half, high: estimate + half } } else { Self::ANYTHING }
    }

    /// What lies in either.
    pub(super) fn joined(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// Whether `value` lies in it.
    pub fn contains(self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// Student's t at 97.5 % for so many degrees of freedom.
pub(super) fn student(freedom: u32) -> f64 {
    const TABLE: [f64; 30] = [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145,
        2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048,
        2.045, 2.042,
    ];
    let beyond = || 1.96 + 2.5 / f64::from(freedom);
    let place = (freedom as usize).max(1) - 1;
    TABLE.get(place).copied().unwrap_or_else(beyond)
}
