//! What alarms can come to see at all. Thresholds beyond that never call for anything, so that settings which differ in no
//! more than those, and in what they would call for, do the same: one is gone through for all of them.

use std::ops::Range;
use std::sync::Arc;

use super::kernel::{Moves, Standing, byte};
use super::ranks::Ranks;
use super::space::{Kind, Space};
use super::trace::Trace;
use super::walk::{Asked, At, Sink};
use super::watch::Watch;
use crate::units::CpuPercent;

/// Fleets of a group: the smallest that may serve, and the largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sizes {
    smallest: u8,
    largest: u8,
}

impl Sizes {
    pub(super) fn new(trace: &Trace<'_>, moves: &Moves) -> Self {
        let keeps_limits = moves.changes.is_empty();
        // While instances boot, all but one of those that serve may go.
        let smallest = if keeps_limits && !moves.acts_while_booting { moves.min.min(moves.max) } else { 1 };
        Self { smallest, largest: if keeps_limits { moves.max } else { trace.most } }
    }
}

/// What decides whether an alarm breaches, at the least and at the most, in the bytes of [`Ranks`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach {
    least: u8,
    most: u8,
}

impl Reach {
    pub(super) fn new(trace: &Trace<'_>, watch: &Watch, ranks: &Ranks, sizes: Sizes) -> Self {
        let shown = Shown::new(trace, ranks, sizes);
        let mut reach = Self { least: u8::MAX, most: 0 };
        for now in 0..trace.len() {
            let points = watch.ends(now).map(|end| shown.within(end - watch.points.period..end));
            // All points of an alarm breach: the one that is farthest from it decides.
            if let Some((least, most)) = points.reduce(|a, b| (a.0.max(b.0), a.1.min(b.1))) {
                reach.least = reach.least.min(least);
                reach.most = reach.most.max(most);
            }
        }
        reach
    }

    fn may_be_below(&self, lower: u8) -> bool {
        self.least < lower
    }

    fn may_be_above(&self, upper: u8) -> bool {
        upper < self.most
    }
}

/// What any instance shows in each minute at the least, and at the most; the other way round where nothing is known.
struct Shown {
    least_and_most: Vec<(u8, u8)>,
}

impl Shown {
    fn new(trace: &Trace<'_>, ranks: &Ranks, sizes: Sizes) -> Self {
        let booting = trace.counts_booting().then(|| ranks.of_cpu(trace.booting_percent()));
        let of = |minute| {
            let shown = |size| trace.point_of_minute(minute, size, 0).map(|cpu| ranks.of_cpu(cpu));
            let Some((least, most)) = shown(sizes.largest).zip(shown(sizes.smallest)) else {
                return (u8::MAX, 0);
            };
            (least.min(booting.unwrap_or(least)), most.max(booting.unwrap_or(most)))
        };
        Self { least_and_most: (0..trace.len()).map(of).collect() }
    }

    /// An average lies between the least and the most of what it is of.
    fn within(&self, minutes: Range<usize>) -> (u8, u8) {
        let of = self.least_and_most[minutes].iter().copied();
        of.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0, u8::MAX))
    }
}

/// Pairs of thresholds that differ in nothing but what is out of reach.
#[derive(Debug)]
pub(super) struct Alike {
    /// By pair; none where both thresholds are within reach.
    classes: Vec<Option<Class>>,
    count: usize,
}

#[derive(Debug, Clone, Copy)]
struct Class {
    /// At most one more of them than thresholds.
    place: u16,
    grows: bool,
    shrinks: bool,
}

impl Alike {
    pub(super) fn new(space: &Space, ranks: &Ranks, reach: Reach) -> Self {
        let mut seen: Vec<(Option<u8>, Option<u8>)> = vec![];
        let mut class = |(upper, lower): &(CpuPercent, CpuPercent)| {
            let (upper, lower) = (ranks.of_threshold(*upper), ranks.of_threshold(*lower));
            let (grows, shrinks) = (reach.may_be_above(upper), reach.may_be_below(lower));
            if grows && shrinks {
                return None;
            }
            let in_common = (grows.then_some(upper), shrinks.then_some(lower));
            let place = seen.iter().position(|seen| *seen == in_common).unwrap_or(seen.len());
            if place == seen.len() {
                seen.push(in_common);
            }
            Some(Class { place: place as u16, grows, shrinks })
        };
        let classes = space.pairs.iter().map(&mut class).collect();
        Self { classes, count: seen.len() }
    }

    pub(super) fn is_none(&self) -> bool {
        self.count == 0
    }
}

/// Settings of one family that do the same as others.
pub(super) struct Twins {
    alike: Arc<Alike>,
    /// More than any increment.
    increments: usize,
    /// By class, and by the increment that is called for.
    members: Vec<Vec<At>>,
}

impl Twins {
    /// Those of `asked`, and `asked` without those that do the same as one before.
    pub(super) fn of(alike: Arc<Alike>, space: &Space, asked: &[Asked]) -> (Self, Vec<Asked>) {
        let increments = asked.iter().flat_map(|(kind, _)| [space.kinds[*kind].up, space.kinds[*kind].down]);
        let increments = increments.map(byte).max().map_or(0, |most| usize::from(most) + 1);
        let members = vec![vec![]; alike.count * increments];
        let mut twins = Self { alike, increments, members };
        let mut firsts = |(kind, pairs): &Asked| {
            let is_first = |pair: &usize| twins.add(&space.kinds[*kind], (*kind, *pair));
            (*kind, pairs.iter().copied().filter(is_first).collect())
        };
        let firsts = asked.iter().map(&mut firsts).collect();
        (twins, firsts)
    }

    /// Whether it does the same as none before.
    fn add(&mut self, kind: &Kind, setting: At) -> bool {
        let Some(place) = self.place(kind, setting.1) else { return true };
        self.members[place].push(setting);
        self.members[place].len() == 1
    }

    fn place(&self, kind: &Kind, pair: usize) -> Option<usize> {
        let class = self.alike.classes[pair]?;
        let increment = match (class.grows, class.shrinks) {
            (true, _) => byte(kind.up),
            (_, true) => byte(kind.down),
            (false, false) => 0,
        };
        Some(usize::from(class.place) * self.increments + usize::from(increment))
    }
}

/// A sink that is told of one for all that do the same.
pub(super) struct ForAll<'a, S> {
    pub(super) sink: &'a mut S,
    pub(super) space: &'a Space,
    pub(super) twins: &'a Twins,
}

impl<S: Sink> Sink for ForAll<'_, S> {
    fn is_open(&self, now: Standing) -> bool {
        self.sink.is_open(now)
    }

    /// What is true of one of them is true of all.
    fn may_matter(&self, kind: usize, chunk: usize, now: Standing) -> bool {
        self.sink.may_matter(kind, chunk, now)
    }

    fn finish(&mut self, setting: At, minutes_over: u32, billed: u32) {
        match self.twins.place(&self.space.kinds[setting.0], setting.1) {
            None => self.sink.finish(setting, minutes_over, billed),
            Some(place) => {
                let all = self.twins.members[place].iter();
                all.for_each(|setting| self.sink.finish(*setting, minutes_over, billed));
            }
        }
    }
}
