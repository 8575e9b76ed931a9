//! What is kept of the settings that were gone through: the cheapest, or the frontier of cost and minutes over.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::bound::Bound;
use super::kernel::Standing;
use super::ratchet::Ratchet;
use super::search::Engine;
use super::walk::{At, Sink};
use crate::policy::ScalingPolicy;

/// What a setting comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The setting.
    pub policy: ScalingPolicy,
    /// Minutes over the ceiling.
    pub minutes_over: u32,
    /// Billed instances, summed over minutes.
    pub billed_instance_minutes: u64,
    /// Where in the space it stands: what decides between equals.
    pub(super) place: (usize, usize),
}

impl Scored {
    fn rank(&self) -> (u64, u32, (usize, usize)) {
        (self.billed_instance_minutes, self.minutes_over, self.place)
    }
}

/// The cheapest settings that hold, and how they were found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Cheapest first; no other setting of the space that holds is cheaper than the last of them.
    pub cheapest: Vec<Scored>,
    /// Settings of the space.
    pub settings: u64,
    /// Minutes that were gone through, of all settings: the others were given up, provably too dear or over, or do the same as
    /// one that was gone through.
    pub minutes_walked: u64,
}

/// The best so far, of all threads.
pub(super) struct Best {
    most: usize,
    /// What the last of them costs, if there are as many as are asked for.
    limit: AtomicU64,
    found: Mutex<Vec<Scored>>,
}

impl Best {
    pub(super) fn new(most: usize) -> Self {
        Self { most, limit: AtomicU64::new(u64::MAX), found: Mutex::new(vec![]) }
    }

    /// What the last of as many as are asked for costs.
    pub(super) fn limit(&self) -> u64 {
        self.limit.load(Ordering::Relaxed)
    }

    /// Forgets the settings, and keeps what they cost.
    pub(super) fn keep_limit(&self) {
        self.found.lock().expect("no thread panics").clear();
    }

    pub(super) fn into_cheapest(self) -> Vec<Scored> {
        self.found.into_inner().expect("no thread panics")
    }

    pub(super) fn add(&self, scored: Scored) {
        let mut found = self.found.lock().expect("no thread panics");
        let place = found.partition_point(|other| other.rank() < scored.rank());
        if place < self.most {
            found.insert(place, scored);
            found.truncate(self.most);
        }
        if let Some(last) = found.get(self.most - 1) {
            self.limit.fetch_min(last.billed_instance_minutes, Ordering::Relaxed);
        }
    }
}

/// Those that hold and are not dearer than the best so far.
pub(super) struct Cheapest<'a> {
    pub(super) best: &'a Best,
    /// By kind.
    pub(super) bounds: &'a [Arc<Bound>],
    /// By kind, where no minute may be over the ceiling.
    pub(super) ratchets: &'a [Option<Arc<Ratchet>>],
    pub(super) allowed: u32,
    /// With instance-minutes and minutes over.
    pub(super) finished: Vec<(u32, u32, At)>,
}

impl Sink for Cheapest<'_> {
    fn is_open(&self, now: Standing) -> bool {
        now.minutes_over <= self.allowed
    }

    fn may_matter(&self, kind: usize, chunk: usize, now: Standing) -> bool {
        let spare = self.allowed - now.minutes_over;
        let least = self.bounds[kind].from(chunk, now.minutes_over, spare);
        let ratchet = self.ratchets[kind].as_ref();
        let least_by_ratchet = ratchet.map_or(0, |ratchet| ratchet.from(chunk, now.lower, now.desired));
        u64::from(now.billed) + u64::from(least.max(least_by_ratchet)) <= self.best.limit()
    }

    fn finish(&mut self, setting: At, minutes_over: u32, billed: u32) {
        if minutes_over <= self.allowed && u64::from(billed) <= self.best.limit() {
            self.finished.push((billed, minutes_over, setting));
        }
    }
}

/// Those that hold.
pub(super) struct Holding {
    pub(super) allowed: u32,
    pub(super) held: Vec<At>,
}

impl Sink for Holding {
    fn is_open(&self, now: Standing) -> bool {
        now.minutes_over <= self.allowed
    }

    fn finish(&mut self, setting: At, minutes_over: u32, _: u32) {
        if minutes_over <= self.allowed {
            self.held.push(setting);
        }
    }
}

/// The cheapest so far for every number of minutes over, of all threads.
pub(super) struct Steps {
    /// Of those with at most so many minutes over.
    billed: Vec<AtomicU64>,
    found: Mutex<Vec<Option<Scored>>>,
}

impl Steps {
    pub(super) fn new(most_over: u32) -> Self {
        let count = most_over as usize + 1;
        Self {
            billed: (0..count).map(|_| AtomicU64::new(u64::MAX)).collect(),
            found: Mutex::new(vec![None; count]),
        }
    }

    fn add(&self, scored: Scored) {
        let mut found = self.found.lock().expect("no thread panics");
        for (found, billed) in found.iter_mut().zip(&self.billed).skip(scored.minutes_over as usize) {
            if found.is_none_or(|found| scored.rank() < found.rank()) {
                *found = Some(scored);
                billed.store(scored.billed_instance_minutes, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn into_frontier(self) -> Vec<Scored> {
        let mut frontier: Vec<Scored> =
            self.found.into_inner().expect("no thread panics").into_iter().flatten().collect();
        frontier.dedup_by_key(|scored| scored.place);
        frontier
    }
}

pub(super) struct Frontier<'a> {
    pub(super) engine: &'a Engine<'a>,
    pub(super) steps: &'a Steps,
    /// By kind.
    pub(super) bounds: &'a [Arc<Bound>],
}

impl Sink for Frontier<'_> {
    fn is_open(&self, now: Standing) -> bool {
        (now.minutes_over as usize) < self.steps.billed.len()
    }

    fn may_matter(&self, kind: usize, chunk: usize, now: Standing) -> bool {
        let (bound, over) = (&self.bounds[kind], now.minutes_over);
        let [nearest, others @ ..] = &self.steps.billed[over as usize..] else { return false };
        let can_win = |best: &AtomicU64, least: u32| {
            u64::from(now.billed) + u64::from(least) <= best.load(Ordering::Relaxed)
        };
        can_win(nearest, bound.from(chunk, over, 0))
            || others.iter().zip(&bound.all_from(chunk)[1..]).any(|(best, least)| can_win(best, *least))
    }

    fn finish(&mut self, setting: At, minutes_over: u32, billed: u32) {
        let billed_instance_minutes = u64::from(billed);
        let best = self.steps.billed.get(minutes_over as usize);
        if best.is_some_and(|best| billed_instance_minutes <= best.load(Ordering::Relaxed)) {
            self.steps.add(self.engine.scored(setting, minutes_over, billed));
        }
    }
}

/// The setting with the fewest minutes over so far, of all threads.
pub(super) struct Least {
    minutes_over: AtomicU32,
    found: Mutex<Option<Scored>>,
}

impl Default for Least {
    fn default() -> Self {
        Self { minutes_over: AtomicU32::new(u32::MAX), found: Mutex::new(None) }
    }
}

impl Least {
    fn is_reached_by(&self, minutes_over: u32) -> bool {
        minutes_over <= self.minutes_over.load(Ordering::Relaxed)
    }

    fn add(&self, scored: Scored) {
        let rank = |scored: &Scored| (scored.minutes_over, scored.rank());
        let mut found = self.found.lock().expect("no thread panics");
        if found.is_none_or(|found| rank(&scored) < rank(&found)) {
            *found = Some(scored);
            self.minutes_over.store(scored.minutes_over, Ordering::Relaxed);
        }
    }

    pub(super) fn into_found(self) -> Option<Scored> {
        self.found.into_inner().expect("no thread panics")
    }
}

pub(super) struct LeastOver<'a> {
    pub(super) engine: &'a Engine<'a>,
    pub(super) least: &'a Least,
}

impl Sink for LeastOver<'_> {
    fn is_open(&self, now: Standing) -> bool {
        self.least.is_reached_by(now.minutes_over)
    }

    fn finish(&mut self, setting: At, minutes_over: u32, billed: u32) {
        if self.least.is_reached_by(minutes_over) {
            self.least.add(self.engine.scored(setting, minutes_over, billed));
        }
    }
}
