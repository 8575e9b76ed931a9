//! Load and CPU side by side, in the order of time, with what each point counts for.

use crate::observation::Observation;
use crate::units::MinuteUtc;

/// One entry for each period.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Points {
    /// Starts of the periods, ascending.
    pub(super) minutes: Vec<MinuteUtc>,
    /// Requests per minute and instance.
    pub(super) load: Vec<f64>,
    /// Percent.
    pub(super) cpu: Vec<f64>,
    /// What a point counts for: many points at one load share what few have at another.
    pub(super) weight: Vec<f64>,
}

/// Stretches of load, equally wide, that count for the same.
const BINS: usize = 20;
/// How much more, or less, than on average a single point may count.
const MOST_WEIGHT: f64 = 4.0;

impl Points {
    pub(super) fn of(observations: &[Observation]) -> Self {
        let mut points = Self {
            minutes: observations.iter().map(|o| o.minute_utc).collect(),
            load: observations.iter().map(|o| o.requests_per_minute_per_instance).collect(),
            cpu: observations.iter().map(|o| o.cpu_percent).collect(),
            weight: Vec::new(),
        };
        points.balance();
        points
    }

    pub(super) fn len(&self) -> usize {
        self.load.len()
    }

    /// Least and greatest load; infinite where there is none.
    pub(super) fn range(&self) -> (f64, f64) {
        let widen = |(least, most): (f64, f64), load: &f64| (least.min(*load), most.max(*load));
        self.load.iter().fold((f64::INFINITY, f64::NEG_INFINITY), widen)
    }

    /// The same, but for the few with the most requests, where they have far more than the others.
    pub(super) fn usual_range(&self) -> (f64, f64) {
        let (least, most) = self.range();
        (least, most.min(far_beyond(&mut self.load.clone(), FEW)))
    }

    /// Those at `indices`, which ascend.
    pub(super) fn at(&self, indices: &[usize]) -> Self {
        let pick = |values: &[f64]| indices.iter().map(|i| values[*i]).collect();
        let mut points = Self {
            minutes: indices.iter().map(|i| self.minutes[*i]).collect(),
            load: pick(&self.load),
            cpu: pick(&self.cpu),
            weight: Vec::new(),
        };
        points.balance();
        points
    }

    /// Those at `indices`, whatever their order.
    pub(super) fn sorted(&self, indices: &[usize]) -> Self {
        let mut indices = indices.to_vec();
        indices.sort_unstable();
        self.at(&indices)
    }

    /// Those in `range`.
    pub(super) fn within(&self, range: std::ops::Range<usize>) -> Self {
        self.at(&range.collect::<Vec<usize>>())
    }

    /// Those that are worth keeping, and how many are not.
    pub(super) fn retained(&self, keep: impl Fn(usize) -> bool) -> (Self, u32) {
        let kept: Vec<usize> = (0..self.len()).filter(|i| keep(*i)).collect();
        (self.at(&kept), (self.len() - kept.len()) as u32)
    }

    /// About `most` of them, evenly spread over time.
    pub(super) fn thinned(&self, most: usize) -> Self {
        let step = self.len().div_ceil(most).max(1);
        self.at(&(0..self.len()).step_by(step).collect::<Vec<usize>>())
    }

    /// Quiet nights have many points at one load; busy hours few at each of many.
    fn balance(&mut self) {
        let bins = Bins::of(self.usual_range(), BINS);
        let mut counts = [0_u32; BINS];
        self.load.iter().for_each(|load| counts[bins.index(*load)] += 1);
        let used = counts.iter().filter(|count| **count > 0).count();
        let mean = self.len() as f64 / used.max(1) as f64;
        let weight = |load: &f64| {
            let share = mean / f64::from(counts[bins.index(*load)]);
            share.clamp(1.0 / MOST_WEIGHT, MOST_WEIGHT)
        };
        self.weight = self.load.iter().map(weight).collect();
    }
}

/// Equally wide stretches of a range.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bins {
    least: f64,
    per_unit: f64,
    count: usize,
}

impl Bins {
    pub(super) fn of((least, most): (f64, f64), count: usize) -> Self {
        let width = most - least;
        let per_unit = if width > 0.0 { count as f64 / width } else { 0.0 };
        Self { least, per_unit, count }
    }

    pub(super) fn index(self, load: f64) -> usize {
        (((load - self.least) * self.per_unit) as usize).min(self.count - 1)
    }
}

/// The middle value; NaN of none. Rearranges `values`.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    let (count, half) = (values.len(), values.len() / 2);
    if count == 0 {
        return f64::NAN;
    }
    let (below, middle, _) = values.select_nth_unstable_by(half, f64::total_cmp);
    let middle = *middle;
    if count % 2 == 1 {
        return middle;
    }
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    f64::midpoint(lower, middle)
}

/// One in so many is not what is usual.
pub(crate) const FEW: usize = 100;

/// From where on a value is far beyond all but one in `few`; infinite of none. Rearranges `values`.
pub(crate) fn far_beyond(values: &mut [f64], few: usize) -> f64 {
    const FAR: f64 = 1.5;
    FAR * greatest_but(values, few)
}

/// The greatest value but for one in `few`; infinite of none. Rearranges `values`.
pub(crate) fn greatest_but(values: &mut [f64], few: usize) -> f64 {
    let Some(place) = values.len().checked_sub(1 + values.len().div_ceil(few)) else { return f64::INFINITY };
    *values.select_nth_unstable_by(place, f64::total_cmp).1
}

/// A median distance, as a standard deviation of normal noise.
pub(super) const SCALE_OF_MEDIAN: f64 = 1.4826;

/// The standard deviation of `distances` from zero, which stray ones can't move; NaN of none.
pub(crate) fn scale(distances: impl Iterator<Item = f64>) -> f64 {
    SCALE_OF_MEDIAN * median(&mut distances.map(f64::abs).collect::<Vec<_>>())
}

/// The value with as much weight below it as above; NaN of none. Rearranges `pairs` of value and weight.
pub(super) fn weighted_median(pairs: &mut [(f64, f64)]) -> f64 {
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let half = pairs.iter().map(|pair| pair.1).sum::<f64>() / 2.0;
    let mut below = 0.0;
    let middle = pairs.iter().find(|(_, weight)| {
        below += weight;
        half <= below
    });
    middle.map_or(f64::NAN, |pair| pair.0)
}
