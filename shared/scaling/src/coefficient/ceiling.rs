//! CPU that stays where it is while requests rise: credits are gone, one thread does all the work, or the
//! platform grants no more. What is asked for is hidden then, and a line drawn through it is too flat.

use super::line::{Intercept, Robust, Straight};
use super::points::{Points, far_beyond, median, scale};

/// A level that CPU does not pass, however many requests there are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceiling {
    /// The level, CPU percent.
    pub level_percent: f64,
    /// Requests per minute and instance from which CPU stays there.
    pub from_load: f64,
    /// Periods with CPU there.
    pub periods: u32,
    /// Whether CPU was above it at other times: credits were there to spend.
    pub for_a_while: bool,
}

/// Points to look at; more say nothing more about it.
const ENOUGH: usize = 2000;
/// Fewer points than these, or a smaller share of all, are no level and no line.
const LEAST_POINTS: usize = 8;
const LEAST_SHARE_ABOVE: f64 = 0.02;
const LEAST_SHARE_BELOW: f64 = 0.15;
/// One in so many of the points above may have been about something else.
const FEW_ABOVE: usize = 6;
/// As steep as this share of the line below counts as flat.
const FLAT: f64 = 0.4;
/// As far as so many of its standard errors allow.
const FLAT_ERRORS: f64 = 1.5;
/// By how much of the level the line would have risen meanwhile, at least.
const LEAST_RISE: f64 = 0.1;
/// Share of the level that the line must have reached where it begins.
const MEETS_SHARE: f64 = 0.8;
/// And by how many scales of what strays from the level.
const LEAST_RISE_SCALES: f64 = 5.0;
/// By how much nearer a level must come to the points at it than one line through all does.
const LEAST_GAIN: f64 = 0.35;
/// Farther from the level than these scales is not at it.
const LEVEL_SCALES: f64 = 3.0;
/// Nearer to the level than these scales of what strays from the line, some of it is cut off.
const NEAR_SCALES: f64 = 1.5;
/// But no farther from it than this share of it.
const NEAR_SHARE: f64 = 0.1;
/// Shares of the points at which a level is tried to begin.
const TRIALS: usize = 40;

/// The ceiling that `points` show, with which of them lie at it.
pub(super) fn find(points: &Points) -> Option<(Ceiling, Vec<bool>)> {
    let thin = points.thinned(ENOUGH);
    let mut order: Vec<usize> = (0..thin.len()).collect();
    order.sort_by(|a, b| thin.load[*a].total_cmp(&thin.load[*b]));
    let one_line = Robust::through(&thin, Intercept::Free)?;
    let trials = (1..TRIALS).map(|trial| trial * thin.len() / TRIALS);
    let found = trials.filter_map(|place| Split::at(&thin, &order, place, &one_line));
    let best = found.min_by(|a, b| a.distance.total_cmp(&b.distance))?;
    Some(best.applied_to(points))
}

/// A line below a load, and a level above it.
struct Split {
    line: Straight,
    level: f64,
    /// How far from the level still is at it, points of percent.
    reach: f64,
    /// How near to the level the line may come before the level cuts off what strays upwards from it.
    near: f64,
    /// Distances of all points from one or the other, added up.
    distance: f64,
}

impl Split {
    /// With `place` of the points in `order` of load below; `None` where those above are no level.
    fn at(points: &Points, order: &[usize], place: usize, one_line: &Robust) -> Option<Self> {
        let (below, above) = order.split_at(place);
        if !are_enough(below.len(), above.len(), order.len()) {
            return None;
        }
        let above = &above[..above.len() - far_out(points, above)];
        let by_one_line: f64 = above.iter().map(|i| one_line.residual(points, *i).abs()).sum();
        let (below, above) = (points.sorted(below), points.sorted(above));
        let robust = Robust::through(&below, Intercept::Free).filter(|robust| robust.line.slope > 0.0)?;
        let level = Level::of(&above)?;
        (level.follows(robust.line) && level.distance <= (1.0 - LEAST_GAIN) * by_one_line).then(|| {
            let residuals = || (0..below.len()).map(|i| robust.residual(&below, i));
            let reach = (LEVEL_SCALES * level.scale).max(0.01 * level.percent);
            let near = (NEAR_SCALES * scale(residuals())).min(NEAR_SHARE * level.percent).max(reach);
            let distance = residuals().map(f64::abs).sum::<f64>() + level.distance;
            Self { line: robust.line, level: level.percent, reach, near, distance }
        })
    }

    /// Points at the level, which the line would have passed.
    fn applied_to(&self, points: &Points) -> (Ceiling, Vec<bool>) {
        let asked = |i: usize| self.line.at(points.load[i]);
        let near = |i: usize| (points.cpu[i] - self.level).abs() <= self.reach;
        // Credits let CPU pass the level for a while: what lies on the line then is worth keeping.
        let passed = (0..points.len()).filter(|i| points.cpu[*i] > self.level + 2.0 * self.reach).count();
        let for_a_while = passed >= LEAST_POINTS && passed as f64 >= LEAST_SHARE_ABOVE * points.len() as f64;
        let is_at = |i: usize| match for_a_while {
            true => near(i) && asked(i) > self.level + self.reach,
            // Where the line comes near to the level, CPU no longer says what was asked for.
            false => asked(i) >= self.level - self.near,
        };
        let at: Vec<bool> = (0..points.len()).map(is_at).collect();
        let ceiling = Ceiling {
            level_percent: self.level,
            from_load: (self.level - self.line.intercept) / self.line.slope,
            periods: at.iter().filter(|at| **at).count() as u32,
            for_a_while,
        };
        (ceiling, at)
    }
}

/// Points of which none is much above the others.
struct Level {
    percent: f64,
    /// Standard deviation of what strays from it.
    scale: f64,
    /// Distances from it, added up.
    distance: f64,
    /// How steep it is, and how far that may be off.
    slope: f64,
    slope_error: f64,
    loads: (f64, f64),
}

impl Level {
    fn of(points: &Points) -> Option<Self> {
        let percent = median(&mut points.cpu.clone());
        let distances = || points.cpu.iter().map(|cpu| (cpu - percent).abs());
        let scale = scale(distances());
        let slope = Robust::through(points, Intercept::Free)?.line.slope;
        let slope_error = slope_error(points, scale);
        Some(Self { percent, scale, distance: distances().sum(), slope, slope_error, loads: points.range() })
    }

    /// Whether requests that come on top do nothing to CPU where `line` would have gone on, without a gap between.
    fn follows(&self, line: Straight) -> bool {
        let (least, most) = self.loads;
        let rise = line.slope * (most - least);
        let is_flat = self.slope.abs() + FLAT_ERRORS * self.slope_error <= FLAT * line.slope;
        let goes_on = rise >= LEAST_RISE * self.percent && rise >= LEAST_RISE_SCALES * self.scale;
        is_flat && goes_on && line.at(least) >= MEETS_SHARE * self.percent
    }
}

/// How many of the points with the most requests have far more of them than the others: flat is what is flat without them.
fn far_out(points: &Points, above: &[usize]) -> usize {
    let mut loads: Vec<f64> = above.iter().map(|i| points.load[*i]).collect();
    let far = far_beyond(&mut loads, FEW_ABOVE);
    loads.iter().filter(|load| **load > far).count()
}

fn are_enough(below: usize, above: usize, all: usize) -> bool {
    let least = |share: f64| LEAST_POINTS.max((share * all as f64) as usize);
    least(LEAST_SHARE_ABOVE) <= above && least(LEAST_SHARE_BELOW) <= below
}

/// Standard error of a slope through points that stray by `scale`.
fn slope_error(points: &Points, scale: f64) -> f64 {
    let mean = points.load.iter().sum::<f64>() / points.len() as f64;
    scale / points.load.iter().map(|load| (load - mean).powi(2)).sum::<f64>().sqrt()
}
