//! What the load says of every fleet size, once for all candidates.

use std::borrow::Cow;
use std::ops::Range;

use super::lanes::Bytes;
use super::ranks::Ranks;
use crate::dynamics::{Booting, Dynamics, GroupAverage, MinuteMetric};
use crate::plan::Measure;
use crate::reference::{STEPS_PER_PERCENT, Wanted, Work, shown};
use crate::sweep::Setting;
use crate::traffic::Load;
use crate::units::CpuPercent;

/// Minutes of a block, which is passed over at once where nothing can happen in it.
pub(super) const BLOCK: usize = 16;

/// A byte for every fleet size from 0 to `width - 1`, row after row. A group of size 0 is asleep, and its byte says nothing.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    bytes: Vec<u8>,
    width: usize,
}

impl Rows {
    pub(super) fn zero(count: usize, width: usize) -> Self {
        Self::all(0, count, width)
    }

    pub(super) fn all(byte: u8, count: usize, width: usize) -> Self {
        Self { bytes: vec![byte; count * width], width }
    }

    #[inline(always)]
    pub(super) fn row(&self, index: usize) -> &[u8] {
        &self.bytes[index * self.width..(index + 1) * self.width]
    }

    /// Rows of the width that is known to the compiler.
    #[inline(always)]
    pub(super) fn row_of<const W: usize>(&self, index: usize) -> &[u8] {
        &self.bytes[index * W..(index + 1) * W]
    }

    /// Some rows, of the width that is known to the compiler.
    #[inline(always)]
    pub(super) fn rows_of<const W: usize>(&self, indexes: Range<usize>) -> impl Iterator<Item = &[u8]> {
        let bytes = &self.bytes[indexes.start * W..indexes.end * W];
        bytes.as_chunks::<W>().0.iter().map(<[u8; W]>::as_slice)
    }

    pub(super) fn row_mut(&mut self, index: usize) -> &mut [u8] {
        &mut self.bytes[index * self.width..(index + 1) * self.width]
    }
}

/// The load, seen by fleets of up to `most` instances.
pub(super) struct Trace<'a> {
    pub(super) load: Cow<'a, Load>,
    pub(super) dynamics: Dynamics,
    ceiling: f64,
    /// The largest fleet of any candidate.
    pub(super) most: u8,
    /// The largest fleet that reaches the ceiling, minute by minute; 0 where none does or nothing is known.
    pub(super) overloaded: Vec<u8>,
    /// Minutes of each block in which a fleet reaches the ceiling.
    pub(super) overloaded_in_block: Rows,
    /// What fleets of each size show in a minute, all instances together, in steps; row after row. Empty where sums are not of whole
    /// steps, or where rows are wide and it would take too much memory.
    shown: Vec<u32>,
    /// The same in units that two bytes hold, where thresholds can be told in two bytes as well.
    pub(super) units: Option<Units>,
}

/// What is shown in units of so many steps, what is over left out, so that the sum over a point's minutes needs no more than
/// two bytes, and tells most lanes on which side of their thresholds they are.
///
/// Where rows are of 256 sizes, instance-minutes times a threshold need four bytes: the upper two of them are units then, both
/// factors being multiplied by what they have room for. A single minute is in finer units there than a point of several.
pub(super) struct Units {
    /// Thresholds are divided by two to the power of this many steps, which leaves nothing over.
    threshold: u32,
    /// What one booting instance shows, divided in the same way.
    pub(super) booting: u16,
    /// What is left out of a minute at most: less than so many units.
    pub(super) left_out: u8,
    pub(super) low: Rows,
    pub(super) high: Rows,
}

impl Units {
    /// Minutes of a point at most.
    pub(super) const PERIOD: usize = 5;
    /// Where rows are of 256 sizes: instance-minutes of a point times this fill two bytes.
    pub(super) const WEIGHT: u16 = 1 << 5;
    /// A minute's units there, of 2^9 steps, become those of a point of several, of 2^12, as the upper two bytes of their product
    /// with this. A threshold of steps / 2 times `WEIGHT` comes to the same: 2^5 / 2 / 2^16 is 1 / 2^12.
    pub(super) const COARSER: u16 = 1 << 13;

    /// Whether a product's upper two bytes are looked at.
    pub(super) const fn are_wide<const W: usize>() -> bool {
        W == 256
    }

    /// `None` if there are no steps, or thresholds are too finely divided.
    fn new(trace: &Trace<'_>, ranks: &Ranks) -> Option<Self> {
        let most = u32::from(trace.most) * 100 * STEPS_PER_PERCENT as u32 * Self::PERIOD as u32;
        let is_wide = trace.width() == 256;
        let unit = if is_wide { 9 } else { (7..10).find(|unit| most >> unit <= 65_000)? };
        let threshold = if is_wide { 1 } else { unit };
        let exact = ranks.are_multiples_of(1 << threshold);
        if !trace.is_in_steps() || !exact || !trace.booting_steps().is_multiple_of(1 << threshold) {
            return None;
        }
        let booting = (trace.booting_steps() >> threshold) as u16;
        let left_out = if is_wide && trace.counts_booting() { 2 } else { 1 };
        let (low, high) = (Rows::zero(trace.len(), trace.width()), Rows::zero(trace.len(), trace.width()));
        let mut units = Self { threshold, booting, left_out, low, high };
        for minute in 0..trace.len() {
            let (low, high) = (units.low.row_mut(minute), units.high.row_mut(minute));
            for size in 1..=trace.most {
                let (steps, place) = (trace.steps(trace.width(), minute, size), usize::from(size));
                [low[place], high[place]] = ((steps >> unit) as u16).to_le_bytes();
            }
        }
        Some(units)
    }

    /// A threshold, to be multiplied by instance-minutes.
    pub(super) fn threshold(&self, steps: u32) -> u16 {
        (steps >> self.threshold) as u16
    }
}

/// Sums of steps that are kept at most, of fleets of more than 15.
const MOST_SHOWN: usize = 6_000_000;

impl<'a> Trace<'a> {
    pub(super) fn new(setting: &Setting<'a>, ceiling: CpuPercent, most: u8, ranks: &Ranks) -> Self {
        let dynamics = setting.dynamics;
        let load = setting.course.answered(setting.load, &dynamics);
        let length = load.demand_percent.len();
        let mut trace = Self {
            load,
            dynamics,
            ceiling: ceiling.get(),
            most,
            overloaded: vec![],
            overloaded_in_block: Rows::zero(length / BLOCK, width(most)),
            shown: vec![],
            units: None,
        };
        trace.overloaded = (0..length).map(|minute| trace.overloaded(minute, ceiling.get())).collect();
        for (block, minutes) in trace.overloaded.chunks_exact(BLOCK).enumerate() {
            let count = |size: usize| minutes.iter().filter(|largest| size <= usize::from(**largest)).count();
            let row = trace.overloaded_in_block.row_mut(block).iter_mut().enumerate().skip(1);
            row.for_each(|(size, byte)| *byte = count(size) as u8);
        }
        if trace.is_in_steps() && (trace.width() == 16 || trace.len() * trace.width() <= MOST_SHOWN) {
            trace.show();
        }
        trace.units = Units::new(&trace, ranks);
        trace
    }

    fn show(&mut self) {
        let mut shown = vec![0; self.len() * self.width()];
        for (minute, row) in shown.chunks_exact_mut(self.width()).enumerate() {
            (1..=self.most).for_each(|size| row[usize::from(size)] = self.steps_anew(minute, size));
        }
        self.shown = shown;
    }

    /// What so many serving instances show in a minute, all together, in steps; 0 where nothing is known. `width` is that of rows,
    /// which the kernel knows from its compiler.
    #[inline(always)]
    pub(super) fn steps(&self, width: usize, minute: usize, serving: u8) -> u32 {
        let shown = self.shown.get(minute * width + usize::from(serving));
        shown.copied().unwrap_or_else(|| self.steps_anew(minute, serving))
    }

    #[cold]
    #[inline(never)]
    fn steps_anew(&self, minute: usize, serving: u8) -> u32 {
        (self.metric(minute, serving, 0).sum * STEPS_PER_PERCENT) as u32
    }

    /// The same for every size, of fleets up to 15.
    #[inline(always)]
    pub(super) fn shown(&self, minute: usize) -> &[u32; 16] {
        self.shown[minute * 16..].first_chunk().expect("a row is of 16 sizes")
    }

    /// Whether sums are of whole steps.
    pub(super) fn is_in_steps(&self) -> bool {
        self.dynamics.group_average == GroupAverage::OfSamples
    }

    /// What one booting instance shows, in steps.
    pub(super) fn booting_steps(&self) -> u32 {
        (self.booting_percent() * STEPS_PER_PERCENT) as u32
    }

    /// What one booting instance shows.
    pub(super) fn booting_percent(&self) -> f64 {
        Wanted::booting(&self.dynamics).seen
    }

    pub(super) fn len(&self) -> usize {
        self.load.demand_percent.len()
    }

    pub(super) fn width(&self) -> usize {
        width(self.most)
    }

    /// More instances are never busier.
    fn overloaded(&self, minute: usize, ceiling: f64) -> u8 {
        let (mut some, mut too_many) = (0, u16::from(self.most) + 1);
        while some + 1 < too_many {
            let middle = u16::midpoint(some, too_many);
            let is_over = self.wanted(minute, middle as u8).on_line >= ceiling;
            (some, too_many) = if is_over { (middle, too_many) } else { (some, middle) };
        }
        some as u8
    }

    /// CPU percent that a group can show at most without a minute over the ceiling.
    pub(super) fn most_shown(&self) -> f64 {
        let stray = self.load.stray_percent.iter().copied().fold(0.0, f64::max);
        let booting = if self.counts_booting() { self.dynamics.booting_cpu() } else { 0.0 };
        shown((self.ceiling + stray).max(booting))
    }

    pub(super) fn counts_booting(&self) -> bool {
        matches!(self.dynamics.booting, Booting::Counted(_))
    }

    fn wanted(&self, minute: usize, serving: u8) -> Wanted {
        let line = self.load.intercept_percent + self.load.demand_percent[minute] / f64::from(serving);
        Wanted::of(&self.dynamics, line, self.load.stray_percent(minute))
    }

    /// What the alarms' metric takes from a minute.
    pub(super) fn metric(&self, minute: usize, serving: u8, booting: u8) -> MinuteMetric {
        let wanted = self.wanted(minute, serving);
        let work = Work::alike(&self.dynamics, wanted, u32::from(serving), u32::from(booting));
        let serving = f64::from(serving);
        work.metric(&self.dynamics, Measure::CpuUtilization, &self.load, minute, serving)
    }

    /// What an alarm of single minutes sees.
    pub(super) fn point_of_minute(&self, minute: usize, serving: u8, booting: u8) -> Option<f64> {
        point(std::iter::once(self.metric(minute, serving, booting)))
    }

    pub(super) fn is_known(&self, minute: usize) -> bool {
        !self.load.demand_percent[minute].is_nan()
    }
}

/// Bytes of a row for sizes up to `most`.
fn width(most: u8) -> usize {
    match most {
        ..16 => 16,
        16..64 => 64,
        64.. => 256,
    }
}

/// What an alarm of one period sees of fleets that don't change: row `end` is for the point that ends before minute
/// `end`, in the bytes of [`Ranks`].
pub(super) struct Points {
    pub(super) period: usize,
    pub(super) rows: Rows,
    /// What is seen at the least of fleets that had at most so many instances and, while it was so, no minute over the
    /// ceiling, however they changed.
    pub(super) floors: Rows,
    pub(super) known: Vec<bool>,
}

/// What a point of a changing fleet is made of, at the least.
struct Floor {
    /// Demand in percent of one instance, minute by minute on average.
    demand: f64,
    /// What comes to that, whatever the size of the fleet.
    rest: f64,
}

impl Floor {
    /// `None` where nothing is known, or where CPU that instances can't pass may hide demand.
    fn new(trace: &Trace<'_>, minutes: Range<usize>) -> Option<Self> {
        let known = || minutes.clone().filter(|minute| trace.is_known(*minute));
        let count = known().count();
        let strays = || known().map(|minute| trace.load.stray_percent(minute));
        let (least, most) = (strays().fold(f64::INFINITY, f64::min), strays().fold(0.0, f64::max));
        if count == 0 || trace.dynamics.cpu_ceiling.get() < trace.ceiling + most {
            return None;
        }
        let demand = known().map(|minute| trace.load.demand_percent[minute]).sum::<f64>() / count as f64;
        let idle = trace.load.intercept_percent;
        // Instances that boot may show less than idle ones.
        let booting = if trace.counts_booting() { trace.dynamics.booting_cpu() } else { f64::INFINITY };
        let rest = idle + least - (idle + most - booting).max(0.0);
        Some(Self { demand, rest: rest - 4.0 / STEPS_PER_PERCENT })
    }

    fn percent(&self, instances: usize) -> f64 {
        (self.demand / instances as f64 + self.rest).clamp(0.0, 100.0)
    }
}

impl Points {
    pub(super) fn new(trace: &Trace<'_>, period: usize, ranks: &Ranks) -> Self {
        let minutes = trace.len();
        let mut points = Self {
            period,
            rows: Rows::zero(minutes + 1, trace.width()),
            floors: Rows::zero(minutes + 1, trace.width()),
            known: vec![false; minutes + 1],
        };
        let most = usize::from(trace.most);
        let mut recent = vec![MinuteMetric::MISSING; period * most];
        for end in 1..=minutes {
            let newest = (end - 1) % period * most;
            for (size, metric) in (1..=trace.most).zip(&mut recent[newest..]) {
                *metric = trace.metric(end - 1, size, 0);
            }
            if period <= end {
                points.fill(end, &recent, most, ranks);
                points.fill_floors(end, trace, ranks);
            }
        }
        points
    }

    fn fill(&mut self, end: usize, recent: &[MinuteMetric], most: usize, ranks: &Ranks) {
        let minutes = end - self.period..end;
        for size in 1..=most {
            let metrics = minutes.clone().map(|minute| recent[minute % self.period * most + size - 1]);
            let point = point(metrics);
            self.known[end] = point.is_some();
            self.rows.row_mut(end)[size] = ranks.of_cpu(point.unwrap_or(0.0));
        }
    }

    fn fill_floors(&mut self, end: usize, trace: &Trace<'_>, ranks: &Ranks) {
        let Some(floor) = Floor::new(trace, end - self.period..end) else { return };
        for size in 1..=usize::from(trace.most) {
            self.floors.row_mut(end)[size] = ranks.of_cpu(floor.percent(size));
        }
    }
}

/// What an alarm of single minutes sees of a fleet of which `up` instances boot, or as many as it may grow by up to `max`.
pub(super) fn booting_points(trace: &Trace<'_>, up: u8, max: u8, ranks: &Ranks) -> Rows {
    let mut rows = Rows::zero(trace.len() + 1, trace.width());
    for end in 1..=trace.len() {
        let row = rows.row_mut(end);
        for serving in 1..=max {
            let point = trace.point_of_minute(end - 1, serving, up.min(max - serving));
            row[usize::from(serving)] = ranks.of_cpu(point.unwrap_or(0.0));
        }
    }
    rows
}

/// What an alarm of single minutes sees of fleets of up to 15 instances, some of which may boot: row `end` is for the minute
/// before `end`, in the bytes of [`Ranks`], each at its [`mixed_place`].
pub(super) fn mixed_points(trace: &Trace<'_>, ranks: &Ranks) -> Vec<Bytes> {
    let mut rows = vec![Bytes::ZERO; trace.len() + 1];
    for (minute, row) in rows[1..].iter_mut().enumerate() {
        for serving in 1..=trace.most {
            for booting in 0..=trace.most - serving {
                let counted = if trace.counts_booting() { booting } else { 0 };
                let point = trace.point_of_minute(minute, serving, counted);
                row.0[usize::from(mixed_place(serving, booting))] = ranks.of_cpu(point.unwrap_or(0.0));
            }
        }
    }
    rows
}

/// Where a row of 128 has so many serving instances, one at least, and so many booting ones, 15 in all at most. In rows of 16
/// by what boots half of the places would be empty: the later rows, turned round, lie in those of the earlier ones.
fn mixed_place(serving: u8, booting: u8) -> u8 {
    let place = 16 * booting + serving;
    place.min(place.wrapping_neg())
}

/// One point from its minutes, oldest first.
pub(super) fn point(minutes: impl Iterator<Item = MinuteMetric>) -> Option<f64> {
    let (mut sum, mut weight) = (0.0, 0.0);
    for minute in minutes {
        sum += minute.sum;
        weight += minute.weight;
    }
    MinuteMetric::value(Measure::CpuUtilization, sum, weight)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_mixture_of_up_to_15_instances_has_a_place_of_its_own() {
        let mixtures =
            || (1..=15).flat_map(|serving| (0..=15 - serving).map(move |booting| (serving, booting)));
        let places: BTreeSet<u8> =
            mixtures().map(|(serving, booting)| mixed_place(serving, booting)).collect();
        assert_eq!(places.len(), mixtures().count());
        assert!(places.iter().all(|place| *place < 128));
    }
}
