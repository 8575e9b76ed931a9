//! A straight line that a minority of stray points can't move.
//!
//! It starts as the weighted median of the slopes between medians of load (after Theil and Sen), and is then drawn by
//! iteratively reweighted least squares with Tukey's biweight: a point counts for less the farther off it lies, and
//! for nothing beyond 4.685 scales. Cron jobs and deployments only ever add CPU, so that a weight which stays above
//! zero for them, as Huber's does, is pulled up by them. The scale is that of the neighbouring loads, since busy
//! minutes stray more than quiet ones.

use crate::cpu_model::Line;

use super::points::{Bins, Points, SCALE_OF_MEDIAN, median, scale, weighted_median};

/// `y = intercept + slope × x`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Straight {
    pub(super) intercept: f64,
    pub(super) slope: f64,
}

impl Straight {
    pub(super) fn at(self, load: f64) -> f64 {
        self.intercept + self.slope * load
    }
}

/// Whether a line may have an intercept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intercept {
    Free,
    Zero,
}

/// A line, and how far a point may lie from it before it counts for nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Robust {
    pub(super) line: Straight,
    /// One over the distance at which a point counts for nothing, for each point.
    pub(super) per_reach: Vec<f64>,
    pub(super) intercept: Intercept,
}

/// Scales at which the biweight counts a point for nothing; 95 % as efficient as least squares on clean data.
const REACH_SCALES: f64 = 4.685;
const ITERATIONS: usize = 50;
/// Beyond as many points, medians of groups stand for them at the start.
const MOST_PAIRED: usize = 40;
const GROUPS: usize = 24;
/// Stretches of load with a scale of their own, if they have enough points.
const SCALES: usize = 8;
const LEAST_FOR_SCALE: usize = 40;

impl Robust {
    /// A line through `points`; `None` where all have the same load.
    pub(super) fn through(points: &Points, intercept: Intercept) -> Option<Self> {
        let mut line = start(points, intercept)?;
        let mut per_reach = Vec::new();
        // The scale is taken again around the better line.
        for _ in 0..2 {
            per_reach = reaches(points, line);
            line = converged(points, &per_reach, line, intercept);
        }
        let sound = line.slope.is_finite() && line.intercept.is_finite();
        sound.then_some(Self { line, per_reach, intercept })
    }

    /// How far CPU lies above the line.
    pub(super) fn residual(&self, points: &Points, index: usize) -> f64 {
        points.cpu[index] - self.line.at(points.load[index])
    }

    /// Whether a point lies so far off that it counts for nothing.
    pub(super) fn is_outlying(&self, points: &Points, index: usize) -> bool {
        (self.residual(points, index) * self.per_reach[index]).abs() >= 1.0
    }

    /// Weighted distance of all points, each at most as far as it counts.
    pub(super) fn mean_distance(&self, points: &Points) -> f64 {
        let distance = |i: usize| self.residual(points, i).abs().min(1.0 / self.per_reach[i]);
        let sum: f64 = (0..points.len()).map(|i| points.weight[i] * distance(i)).sum();
        sum / points.weight.iter().sum::<f64>()
    }
}

/// The weighted median of slopes, and the median of what they leave.
fn start(points: &Points, intercept: Intercept) -> Option<Straight> {
    let middles = if points.len() <= MOST_PAIRED { each(points) } else { medians(points) };
    if intercept == Intercept::Zero {
        let ratio = |&(load, cpu): &(f64, f64)| (load > 0.0).then(|| (cpu / load, load));
        let slope = weighted_median(&mut middles.iter().filter_map(ratio).collect::<Vec<_>>());
        return slope.is_finite().then_some(Straight { intercept: 0.0, slope });
    }
    let mut slopes = Vec::new();
    for (i, from) in middles.iter().enumerate() {
        let apart = middles[i + 1..].iter().map(|to| (to.0 - from.0, to.1 - from.1));
        slopes.extend(apart.filter(|(x, _)| *x != 0.0).map(|(x, y)| (y / x, x.abs())));
    }
    let slope = weighted_median(&mut slopes);
    let mut left: Vec<f64> = middles.iter().map(|(load, cpu)| cpu - slope * load).collect();
    slope.is_finite().then(|| Straight { intercept: median(&mut left), slope })
}

fn each(points: &Points) -> Vec<(f64, f64)> {
    points.load.iter().copied().zip(points.cpu.iter().copied()).collect()
}

/// Medians of load and CPU of groups of similar load.
fn medians(points: &Points) -> Vec<(f64, f64)> {
    let mut sorted = each(points);
    sorted.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let of = |group: &[(f64, f64)]| {
        let cpu = median(&mut group.iter().map(|pair| pair.1).collect::<Vec<_>>());
        (median(&mut group.iter().map(|pair| pair.0).collect::<Vec<_>>()), cpu)
    };
    sorted.chunks(points.len().div_ceil(GROUPS)).map(of).collect()
}

/// One over the reach of each point: by the scale of the points of similar load, but no less than half of the whole
/// scale, and a trifle where all lie on the line.
fn reaches(points: &Points, line: Straight) -> Vec<f64> {
    let distance = |i: usize| (points.cpu[i] - line.at(points.load[i])).abs();
    let mut all: Vec<(f64, f64)> = (0..points.len()).map(|i| (distance(i), points.weight[i])).collect();
    let (least, most) = points.range();
    let trifle = 1e-7 * (line.slope.abs() * (most - least)).max(f64::MIN_POSITIVE / 1e-7);
    let whole = (SCALE_OF_MEDIAN * weighted_median(&mut all)).max(trifle);
    let bins = Bins::of(points.usual_range(), SCALES);
    let mut near: Vec<Vec<f64>> = vec![Vec::new(); SCALES];
    (0..points.len()).for_each(|i| near[bins.index(points.load[i])].push(distance(i)));
    let near_scale = |distances: Vec<f64>| match distances.len() {
        0..LEAST_FOR_SCALE => whole,
        _ => scale(distances.into_iter()).max(whole / 2.0),
    };
    let per_reach: Vec<f64> =
        near.into_iter().map(|distances| 1.0 / (REACH_SCALES * near_scale(distances))).collect();
    points.load.iter().map(|load| per_reach[bins.index(*load)]).collect()
}

fn converged(points: &Points, per_reach: &[f64], mut line: Straight, intercept: Intercept) -> Straight {
    let most = points.range().1;
    for _ in 0..ITERATIONS {
        let Some(next) = Sums::of(points, per_reach, line, 0..points.len()).line(intercept) else { break };
        let moved = (next.at(0.0) - line.at(0.0)).abs().max((next.at(most) - line.at(most)).abs());
        line = next;
        if moved <= 1e-10 * line.at(most).abs() {
            break;
        }
    }
    line
}

/// The line of least squares through points of `x`, `y` and weight; `None` where all have the same `x`.
pub(crate) fn least_squares(points: impl Iterator<Item = (f64, f64, f64)>) -> Option<Line> {
    let Straight { intercept, slope } = Sums::of_each(points).line(Intercept::Free)?;
    Some(Line { intercept, slope })
}

/// Weighted sums of load (`x`) and CPU (`y`): all that a line needs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sums {
    pub(super) weight: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

/// Sums that go on side by side, so that the processor can take several points at once.
const LANES: usize = 4;

impl Sums {
    /// Of the points in `range`, each as heavy as its distance from `line` makes it.
    pub(super) fn of(
        points: &Points,
        per_reach: &[f64],
        line: Straight,
        range: std::ops::Range<usize>,
    ) -> Self {
        let (load, cpu) = (&points.load[range.clone()], &points.cpu[range.clone()]);
        let (weight, per_reach) = (&points.weight[range.clone()], &per_reach[range]);
        let mut lanes = [[0.0_f64; LANES]; 5];
        let mut add = |lane: usize, x: f64, y: f64, weight: f64, per_reach: f64| {
            let distance = (y - line.intercept - line.slope * x) * per_reach;
            let inside = (1.0 - distance * distance).max(0.0);
            let w = weight * inside * inside;
            let (wx, wy) = (w * x, w * y);
            for (sums, value) in lanes.iter_mut().zip([w, wx, wy, wx * x, wx * y]) {
                sums[lane] += value;
            }
        };
        let whole = load.len() / LANES * LANES;
        let chunks = load[..whole]
            .chunks_exact(LANES)
            .zip(cpu[..whole].chunks_exact(LANES))
            .zip(weight[..whole].chunks_exact(LANES).zip(per_reach[..whole].chunks_exact(LANES)));
        for ((x, y), (weight, per_reach)) in chunks {
            for lane in 0..LANES {
                add(lane, x[lane], y[lane], weight[lane], per_reach[lane]);
            }
        }
        for i in whole..load.len() {
            add(i - whole, load[i], cpu[i], weight[i], per_reach[i]);
        }
        let [weight, x, y, xx, xy] = lanes.map(|sums| sums.iter().sum());
        Self { weight, x, y, xx, xy }
    }

    /// The same, counted `times` times.
    pub(super) fn add(&mut self, other: &Self, times: f64) {
        self.weight += times * other.weight;
        self.x += times * other.x;
        self.y += times * other.y;
        self.xx += times * other.xx;
        self.xy += times * other.xy;
    }

    /// All of them together.
    pub(super) fn total(parts: &[Self]) -> Self {
        let mut total = Self::default();
        parts.iter().for_each(|part| total.add(part, 1.0));
        total
    }

    /// How much they say about a slope from a point that is given.
    pub(super) fn leverage(&self) -> f64 {
        self.xx
    }

    /// The slope of least squares from `intercept` on.
    pub(super) fn slope_above(&self, intercept: f64) -> Option<f64> {
        (self.xx > 0.0).then(|| (self.xy - intercept * self.x) / self.xx)
    }

    /// Of points of `x`, `y` and weight.
    fn of_each(points: impl Iterator<Item = (f64, f64, f64)>) -> Self {
        let mut sums = Self::default();
        for (x, y, weight) in points {
            let (x_part, y_part) = (weight * x, weight * y);
            sums.add(&Self { weight, x: x_part, y: y_part, xx: x_part * x, xy: x_part * y }, 1.0);
        }
        sums
    }

    /// The line of least squares; `None` where all have the same load.
    pub(super) fn line(&self, intercept: Intercept) -> Option<Straight> {
        if intercept == Intercept::Zero {
            return (self.xx > 0.0).then(|| Straight { intercept: 0.0, slope: self.xy / self.xx });
        }
        let (mean_x, mean_y) = (self.x / self.weight, self.y / self.weight);
        let spread = self.xx - self.x * mean_x;
        // Less than this is what rounding leaves of equal loads.
        if spread.is_nan() || spread <= 1e-12 * self.xx {
            return None;
        }
        let slope = (self.xy - self.y * mean_x) / spread;
        Some(Straight { intercept: mean_y - slope * mean_x, slope })
    }
}
