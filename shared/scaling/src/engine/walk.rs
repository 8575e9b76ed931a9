//! Settings side by side, chunk of minutes after chunk.
//!
//! Settings that differ only in their thresholds and increments lie in one vector, and those that are left of many kinds
//! come to lie together. Kinds that differ only in the upper increment are gone through as one until a fleet grows: up to
//! then they do the same.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::kernel::{
    self, ANY, ANY_BY_THE_MINUTE, APART, BY_THE_MINUTE, CARRIED, Pack, Standing, Workspace, byte,
};
use super::lanes::{Bytes, Isa, Job, Lanes, MOST};
use super::space::{Kind, Space};
use super::trace::{BLOCK, Rows};
use crate::reference::STEPS_PER_PERCENT;

/// A setting: the places of its kind and of its pair of thresholds.
pub(super) type At = (usize, usize);

/// The place of a kind, and those of pairs of thresholds, in order.
pub(super) type Asked = (usize, Vec<usize>);

/// What one thread makes of what it goes through.
pub(super) trait Sink {
    /// Whether a setting that came so far can still matter, of whatever kind it is.
    fn is_open(&self, _now: Standing) -> bool {
        true
    }
    /// Whether one of the kind at this place can, which is open; `chunk` is the one that begins.
    fn may_matter(&self, _kind: usize, _chunk: usize, _now: Standing) -> bool {
        true
    }
    /// A setting at its end.
    fn finish(&mut self, setting: At, minutes_over: u32, billed: u32);
}

/// Minutes until settings are asked whether they can still win, and whether any fleet has grown: often at first.
const FIRST_CHUNK: usize = 10 * BLOCK;
const FIRST_CHUNKS: usize = 3;
const CHUNK: usize = 20 * BLOCK;

pub(super) fn chunks(minutes: usize) -> Vec<Range<usize>> {
    let later = FIRST_CHUNKS * FIRST_CHUNK;
    between((0..later).step_by(FIRST_CHUNK).chain((later..minutes).step_by(CHUNK)), minutes)
}

/// Where nothing is given up: the same at first, and then all that is left.
pub(super) fn first_chunks_and_rest(minutes: usize) -> Vec<Range<usize>> {
    between((0..=FIRST_CHUNKS).map(|chunk| chunk * FIRST_CHUNK), minutes)
}

fn between(starts: impl Iterator<Item = usize>, end: usize) -> Vec<Range<usize>> {
    let mut starts: Vec<usize> = starts.filter(|start| *start < end.max(1)).collect();
    starts.push(end);
    starts.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

/// Settings that are begun with at once, and vectors that wait after their first chunks: what a thread holds at most.
const BEGUN_AT_ONCE: usize = 20_000;
const WAITING: usize = 128;

/// Minutes of a lane that take as long as to move it.
const MINUTES_TO_MOVE: usize = 150;

/// A vector of settings.
struct Lot {
    pack: Box<Pack>,
    /// The lanes that still matter, and what they are.
    lanes: Vec<(usize, At)>,
    /// Kinds that do the same, since they differ in the upper increment only and no fleet has grown yet.
    also: Vec<usize>,
    /// By which upper increment the points of booting instances are looked up; 0 where they are not.
    booting: u8,
}

impl Lot {
    fn finish(&self, sink: &mut impl Sink) {
        for (lane, (kind, pair)) in &self.lanes {
            for kind in self.also.iter().chain([kind]) {
                sink.finish((*kind, *pair), self.pack.minutes_over[*lane], self.pack.billed[*lane]);
            }
        }
    }

    fn drop_lanes(&mut self, sink: &impl Sink, chunk: usize) {
        let (pack, also, mut dropped) = (&mut self.pack, &self.also, 0);
        self.lanes.retain(|(lane, (kind, _))| {
            let now = pack.standing(*lane);
            let may_matter = |kind: &usize| sink.may_matter(*kind, chunk, now);
            let matters = sink.is_open(now) && (may_matter(kind) || also.iter().any(may_matter));
            dropped |= u128::from(!matters) << lane;
            matters
        });
        if dropped != 0 {
            pack.silence(dropped);
        }
    }

    /// Adds some lanes of another lot.
    fn take(&mut self, other: &Self, lanes: &[(usize, At)], with: kernel::Given<'_>, now: usize) {
        let (first, from): (usize, Vec<usize>) =
            (self.lanes.len(), lanes.iter().map(|(lane, _)| *lane).collect());
        self.pack.put(first, &other.pack, &from, with, now);
        self.lanes.extend((first..).zip(lanes.iter().map(|(_, setting)| *setting)));
    }

    fn is_alike(&self, other: &Self) -> bool {
        (self.booting, &self.also) == (other.booting, &other.also)
    }
}

/// A stretch of minutes for one pack.
struct Work<'a> {
    with: kernel::Given<'a>,
    pack: &'a mut Pack,
    space: &'a mut Workspace,
    minutes: Range<usize>,
}

/// The same, compiled for what its kinds look at and carry, whatever the processor.
struct Advance<'a, const W: usize, const N: usize, const MODE: u8>(Work<'a>);

impl<const W: usize, const N: usize, const MODE: u8> Job for Advance<'_, W, N, MODE> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Work { with, pack, space, minutes } = self.0;
        kernel::advance::<L, W, N, MODE>(lanes, with, pack, space, minutes);
    }
}

fn advance(isa: Isa, work: Work<'_>) {
    let with = work.with;
    match (with.trace.width(), with.watch.evaluation_periods, with.mode()) {
        (16, 1, APART) => isa.run(Advance::<16, 1, APART>(work)),
        (16, 1, BY_THE_MINUTE) => isa.run(Advance::<16, 1, BY_THE_MINUTE>(work)),
        (16, 1, CARRIED) => isa.run(Advance::<16, 1, CARRIED>(work)),
        (16, 1, ANY_BY_THE_MINUTE) => isa.run(Advance::<16, 1, ANY_BY_THE_MINUTE>(work)),
        (16, 1, _) => isa.run(Advance::<16, 1, ANY>(work)),
        (16, _, APART) => isa.run(Advance::<16, 3, APART>(work)),
        (16, _, BY_THE_MINUTE) => isa.run(Advance::<16, 3, BY_THE_MINUTE>(work)),
        (16, _, CARRIED) => isa.run(Advance::<16, 3, CARRIED>(work)),
        (16, _, ANY_BY_THE_MINUTE) => isa.run(Advance::<16, 3, ANY_BY_THE_MINUTE>(work)),
        (16, _, _) => isa.run(Advance::<16, 3, ANY>(work)),
        (64, _, APART) => isa.run(Advance::<64, 3, APART>(work)),
        (64, _, BY_THE_MINUTE) => isa.run(Advance::<64, 3, BY_THE_MINUTE>(work)),
        (64, _, CARRIED) => isa.run(Advance::<64, 3, CARRIED>(work)),
        (64, _, _) => isa.run(Advance::<64, 3, ANY>(work)),
        (_, _, APART) => isa.run(Advance::<256, 3, APART>(work)),
        (_, _, BY_THE_MINUTE) => isa.run(Advance::<256, 3, BY_THE_MINUTE>(work)),
        (_, _, CARRIED) => isa.run(Advance::<256, 3, CARRIED>(work)),
        (_, _, _) => isa.run(Advance::<256, 3, ANY>(work)),
    }
}

/// Kinds of one family, and what they are gone through with.
pub(super) struct Walk<'a> {
    pub(super) isa: Isa,
    pub(super) with: kernel::Given<'a>,
    pub(super) space: &'a Space,
    pub(super) chunks: &'a [Range<usize>],
    /// Instances at the start.
    pub(super) initial: u8,
    /// Points of minutes in which instances boot, by the upper increment, where they are looked up.
    pub(super) booting: BTreeMap<u8, Arc<Rows>>,
    /// Of the lot that is gone through.
    pub(super) workspace: Box<Workspace>,
    /// Minutes that were walked.
    pub(super) walked: u64,
}

impl Walk<'_> {
    /// `asked` is of one family, and in its order.
    pub(super) fn run(&mut self, asked: &[Asked], sink: &mut impl Sink) {
        let first = self.chunks.len().min(FIRST_CHUNKS);
        let mut waiting = Vec::new();
        for portion in portions(asked) {
            let lots = self.lots(portion);
            let lots = self.go_on(lots, 0..first, sink);
            waiting.extend(lots.into_iter().flat_map(|lot| self.each_by_itself(lot)));
            if WAITING <= waiting.len() {
                self.go_on(std::mem::take(&mut waiting), first..self.chunks.len(), sink);
            }
        }
        self.go_on(waiting, first..self.chunks.len(), sink);
    }

    /// What is left of `lots` after some chunks: nothing after the last.
    fn go_on(&mut self, mut lots: Vec<Lot>, chunks: Range<usize>, sink: &mut impl Sink) -> Vec<Lot> {
        for chunk in chunks {
            lots = self.packed(lots, &self.chunks[chunk]);
            let mut left = Vec::with_capacity(lots.len());
            for lot in lots {
                let before = left.len();
                self.advance_or_part(lot, self.chunks[chunk].clone(), &mut left);
                for lot in &mut left[before..] {
                    if chunk + 1 == self.chunks.len() {
                        lot.finish(sink);
                    } else {
                        lot.drop_lanes(sink, chunk + 1);
                    }
                }
            }
            left.retain(|lot| !lot.lanes.is_empty());
            lots = if chunk + 1 == self.chunks.len() { vec![] } else { left };
        }
        lots
    }

    /// Where a fleet grows, the kinds of its lot part from where they were before.
    fn advance_or_part(&mut self, mut lot: Lot, minutes: Range<usize>, left: &mut Vec<Lot>) {
        let before = (!lot.also.is_empty()).then(|| lot.pack.clone());
        self.advance(&mut lot, minutes.clone());
        if let Some(before) = before.filter(|_| lot.pack.grew) {
            for kind in std::mem::take(&mut lot.also) {
                let mut own = self.of_kind(kind, before.clone(), &lot.lanes);
                self.advance(&mut own, minutes.clone());
                left.push(own);
            }
        }
        left.push(lot);
    }

    fn advance(&mut self, lot: &mut Lot, minutes: Range<usize>) {
        self.walked += (lot.lanes.len() * minutes.len()) as u64;
        let booting = self.booting.get(&lot.booting).map_or(self.with.booting, Arc::as_ref);
        let with = kernel::Given { booting, ..self.with };
        advance(self.isa, Work { with, pack: &mut lot.pack, space: &mut self.workspace, minutes });
    }

    fn each_by_itself(&self, mut lot: Lot) -> Vec<Lot> {
        let also = std::mem::take(&mut lot.also);
        let others = also.into_iter().map(|kind| self.of_kind(kind, lot.pack.clone(), &lot.lanes));
        let mut lots: Vec<Lot> = others.collect();
        lots.push(lot);
        lots
    }

    /// The same lanes as another kind's.
    fn of_kind(&self, kind: usize, mut pack: Box<Pack>, lanes: &[(usize, At)]) -> Lot {
        let of = &self.space.kinds[kind];
        (pack.up, pack.down) = (Bytes([byte(of.up); MOST]), Bytes([byte(of.down); MOST]));
        let lanes = lanes.iter().map(|(lane, (_, pair))| (*lane, (kind, *pair))).collect();
        Lot { pack, lanes, also: vec![], booting: self.booting_of(of) }
    }

    fn booting_of(&self, kind: &Kind) -> u8 {
        if self.booting.is_empty() { 0 } else { byte(kind.up) }
    }

    fn lots(&self, asked: &[Asked]) -> Vec<Lot> {
        let (mut lots, mut alone) = (Vec::new(), BTreeMap::<u8, Vec<At>>::new());
        let alike =
            |a: &Asked, b: &Asked| self.space.kinds[a.0].is_but_for_up(&self.space.kinds[b.0]) && a.1 == b.1;
        for alike in asked.chunk_by(alike) {
            let (kind, pairs) = &alike[0];
            if alike.len() > 1 && self.isa.width() <= 2 * pairs.len() {
                let also: Vec<usize> = alike[1..].iter().map(|(kind, _)| *kind).collect();
                let settings: Vec<At> = pairs.iter().map(|pair| (*kind, *pair)).collect();
                let width = self.isa.width();
                lots.extend(settings.chunks(width).map(|settings| self.lot(settings, also.clone())));
            } else {
                for (kind, pairs) in alike {
                    let settings = alone.entry(self.booting_of(&self.space.kinds[*kind])).or_default();
                    settings.extend(pairs.iter().map(|pair| (*kind, *pair)));
                }
            }
        }
        for settings in alone.values() {
            lots.extend(settings.chunks(self.isa.width()).map(|settings| self.lot(settings, vec![])));
        }
        lots
    }

    fn lot(&self, settings: &[At], also: Vec<usize>) -> Lot {
        let mut pack = Box::new(Pack::new(self.initial, self.with));
        let mut booting = 0;
        for (lane, (kind, pair)) in settings.iter().enumerate() {
            let (kind, (upper, lower)) = (&self.space.kinds[*kind], self.space.pairs[*pair]);
            booting = self.booting_of(kind);
            (pack.up.0[lane], pack.down.0[lane]) = (byte(kind.up), byte(kind.down));
            pack.upper.0[lane] = self.with.ranks.of_threshold(upper);
            pack.lower.0[lane] = self.with.ranks.of_threshold(lower);
            pack.upper_steps[lane] = (upper.get() * STEPS_PER_PERCENT) as u32;
            pack.lower_steps[lane] = (lower.get() * STEPS_PER_PERCENT) as u32;
        }
        Lot { pack, lanes: settings.iter().copied().enumerate().collect(), also, booting }
    }

    /// The same lanes in fewer lots, where moving them is worth it for the minutes to come.
    fn packed(&self, mut lots: Vec<Lot>, minutes: &Range<usize>) -> Vec<Lot> {
        lots.sort_by(|a, b| (a.booting, &a.also).cmp(&(b.booting, &b.also)));
        let mut packed = Vec::with_capacity(lots.len());
        while !lots.is_empty() {
            let alike = lots.iter().take_while(|lot| lot.is_alike(&lots[0])).count();
            let rest = lots.split_off(alike);
            packed.extend(self.packed_alike(lots, minutes.start, minutes.len()));
            lots = rest;
        }
        packed
    }

    fn packed_alike(&self, lots: Vec<Lot>, now: usize, minutes: usize) -> Vec<Lot> {
        let width = self.isa.width();
        let count: usize = lots.iter().map(|lot| lot.lanes.len()).sum();
        let spared = (lots.len() - count.div_ceil(width)) * width * minutes;
        if spared <= count * MINUTES_TO_MOVE {
            return lots;
        }
        let mut packed: Vec<Lot> = Vec::new();
        for lot in &lots {
            let mut rest = lot.lanes.as_slice();
            while !rest.is_empty() {
                if packed.last().is_none_or(|lot| lot.lanes.len() == width) {
                    let (pack, lanes) = (Box::new(Pack::new(1, self.with)), Vec::with_capacity(width));
                    packed.push(Lot { pack, lanes, also: lot.also.clone(), booting: lot.booting });
                }
                let to = packed.last_mut().expect("one was just added");
                let (some, others) = rest.split_at(rest.len().min(width - to.lanes.len()));
                to.take(lot, some, self.with, now);
                rest = others;
            }
        }
        packed
    }
}

/// How many settings are asked for.
pub(super) fn count_of(asked: &[Asked]) -> usize {
    asked.iter().map(|(_, pairs)| pairs.len()).sum()
}

/// As many kinds as are begun with at once.
fn portions(asked: &[Asked]) -> Vec<&[Asked]> {
    let (mut portions, mut rest) = (vec![], asked);
    while !rest.is_empty() {
        let mut settings = 0;
        let fits = rest.iter().take_while(|(_, pairs)| {
            settings += pairs.len();
            settings <= BEGUN_AT_ONCE
        });
        let (portion, others) = rest.split_at(fits.count().max(1));
        portions.push(portion);
        rest = others;
    }
    portions
}
