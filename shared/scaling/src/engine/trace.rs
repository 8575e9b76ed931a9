//! What the load says of every fleet size, once for all candidates.

use std::ops::Range;

use super::ranks::Ranks;
use crate::dynamics::{Dynamics, GroupAverage, MinuteMetric};
use crate::plan::Measure;
use crate::reference::{STEPS_PER_PERCENT, Wanted, Work};
use crate::sweep::Setting;
use crate::traffic::Load;
use crate::units::CpuPercent;

/// Minutes of a block, which is passed over at once where nothing can happen in it.
pub(super) const BLOCK: usize = 16;

/// A byte for every fleet size from 0 to `width - 1`, row after row. Size 0 is none, and its byte says nothing.
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
    pub(super) load: &'a Load,
    pub(super) dynamics: Dynamics,
    /// The largest fleet of any candidate.
    pub(super) most: u8,
    /// The largest fleet that reaches the ceiling, minute by minute; 0 where none does or nothing is known.
    pub(super) overloaded: Vec<u8>,
    /// Minutes of each block in which a fleet reaches the ceiling.
    pub(super) overloaded_in_block: Rows,
    /// What fleets of each size show in a minute, all instances together, in steps; row after row. Empty where sums are
    /// not of whole steps, or would take too much memory.
    shown: Vec<u32>,
}

/// What is shown of a minute without data.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Sums of steps that are kept at most.
const MOST_SHOWN: usize = 6_000_000;

impl<'a> Trace<'a> {
    pub(super) fn new(setting: &Setting<'a>, ceiling: CpuPercent, most: u8) -> Self {
        let (load, dynamics) = (setting.load, setting.dynamics);
        let mut trace = Self {
            load,
            dynamics,
            most,
            overloaded: vec![],
            overloaded_in_block: Rows::zero(load.demand_percent.len() / BLOCK, width(most)),
            shown: vec![],
        };
        let minutes = 0..load.demand_percent.len();
        trace.overloaded = minutes.map(|minute| trace.overloaded(minute, ceiling.get())).collect();
        for (block, minutes) in trace.overloaded.chunks_exact(BLOCK).enumerate() {
            let count = |size: usize| minutes.iter().filter(|largest| size <= usize::from(**largest)).count();
            let row = trace.overloaded_in_block.row_mut(block).iter_mut().enumerate().skip(1);
            row.for_each(|(size, byte)| *byte = count(size) as u8);
        }
        if dynamics.group_average == GroupAverage::OfSamples && trace.len() * trace.width() <= MOST_SHOWN {
            trace.show();
        }
        trace
    }

    fn show(&mut self) {
        self.shown = vec![0; self.len() * self.width()];
        for minute in 0..self.len() {
            for size in 1..=self.most {
                let steps = self.metric(minute, size, 0).sum * STEPS_PER_PERCENT;
                let steps = if self.is_known(minute) { steps as u32 } else { UNKNOWN };
                let place = minute * self.width() + usize::from(size);
                self.shown[place] = steps;
            }
        }
    }

    /// What fleets of each size show in a minute, in steps.
    #[inline(always)]
    pub(super) fn shown<const W: usize>(&self, minute: usize) -> Option<&[u32; W]> {
        self.shown.get(minute * W..)?.first_chunk()
    }

    /// Whether sums are kept.
    pub(super) fn is_in_steps(&self) -> bool {
        !self.shown.is_empty()
    }

    /// What one booting instance shows, in steps.
    pub(super) fn booting_steps(&self) -> u32 {
        (Wanted::booting(&self.dynamics).seen * STEPS_PER_PERCENT) as u32
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

    fn wanted(&self, minute: usize, serving: u8) -> Wanted {
        let line = self.load.intercept_percent + self.load.demand_percent[minute] / f64::from(serving);
        Wanted::of(&self.dynamics, line, self.load.stray_percent(minute))
    }

    /// What the alarms' metric takes from a minute.
    pub(super) fn metric(&self, minute: usize, serving: u8, booting: u8) -> MinuteMetric {
        let wanted = self.wanted(minute, serving);
        let work = Work::alike(&self.dynamics, wanted, u32::from(serving), u32::from(booting));
        let serving = f64::from(serving);
        work.metric(&self.dynamics, Measure::CpuUtilization, self.load, minute, serving)
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
    pub(super) known: Vec<bool>,
}

impl Points {
    pub(super) fn new(trace: &Trace<'_>, period: usize, ranks: &Ranks) -> Self {
        let minutes = trace.len();
        let mut points =
            Self { period, rows: Rows::zero(minutes + 1, trace.width()), known: vec![false; minutes + 1] };
        let most = usize::from(trace.most);
        let mut recent = vec![MinuteMetric::MISSING; period * most];
        for end in 1..=minutes {
            let newest = (end - 1) % period * most;
            for (size, metric) in (1..=trace.most).zip(&mut recent[newest..]) {
                *metric = trace.metric(end - 1, size, 0);
            }
            if period <= end {
                points.fill(end, &recent, most, ranks);
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
}

/// What an alarm of single minutes sees of a fleet of which `up` instances boot, or as many as it may grow by up to `max`.
pub(super) fn booting_points(trace: &Trace<'_>, up: u8, max: u8, ranks: &Ranks) -> Rows {
    let mut rows = Rows::zero(trace.len() + 1, trace.width());
    for end in 1..=trace.len() {
        let row = rows.row_mut(end);
        for serving in 1..=max {
            let metric = trace.metric(end - 1, serving, up.min(max - serving));
            row[usize::from(serving)] = ranks.of_cpu(point(std::iter::once(metric)).unwrap_or(0.0));
        }
    }
    rows
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
