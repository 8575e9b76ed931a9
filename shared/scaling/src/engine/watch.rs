//! What two alarms look at, minute by minute: the same points whatever the thresholds, so it is worked out once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::trace::{BLOCK, Points, Rows, Trace};
use crate::alarm::EXTRA_POINTS;

/// Newest points that are kept of each lane.
pub(super) const KEPT: usize = 64;

/// What becomes of the alarms at the start of a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Look {
    /// Neither is in alarm: the window is not full, or nothing is known.
    Quiet,
    /// An alarm whose newest points, of which there are three at most, all breach: the places in which they are kept.
    Newest([u8; 3]),
    /// Some points are missing, or more than three are looked at.
    Each,
}

/// An alarm all of whose `ends` breach.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Each {
    /// The minutes before which its points end.
    pub(super) ends: Vec<usize>,
    /// And that was in alarm before.
    pub(super) holds: bool,
}

/// Period and evaluation periods, with what follows from them.
pub(super) struct Watch {
    pub(super) points: Arc<Points>,
    pub(super) evaluation_periods: usize,
    pub(super) looks: Vec<Look>,
    /// Those that look at each point, by minute.
    each: BTreeMap<usize, Each>,
    /// For the point that ends before a minute, the minutes from its end to the first at which it is no longer looked at;
    /// 0 where it never is.
    pub(super) reach: Vec<u8>,
    /// Minutes before now whose points may still be looked at.
    pub(super) span: usize,
    /// The greatest byte that the high alarm compares in a block, and the least that the low one does; `None` where the
    /// block must be gone through minute by minute.
    pub(super) blocks: Vec<bool>,
    pub(super) highest: Rows,
    pub(super) lowest: Rows,
}

impl Watch {
    /// `None` if the alarms look farther back than is kept of a lane.
    pub(super) fn new(trace: &Trace<'_>, points: &Arc<Points>, evaluation_periods: usize) -> Option<Self> {
        let offset = trace.load.start.epoch_minutes();
        let visible = |now: usize| usize::try_from(trace.dynamics.visible_end(now as i64, offset)).ok();
        let look = |now: usize| visible(now).and_then(|end| look(points, evaluation_periods, end));
        let seen: Vec<Option<Each>> = (0..trace.len()).map(look).collect();
        let reach = reach(&seen);
        let span = usize::from(reach.iter().copied().max().unwrap_or(0)) + 1;
        let looks =
            seen.iter().map(|each| each.as_ref().map_or(Look::Quiet, |each| each.brief(points.period)));
        let looks: Vec<Look> = looks.collect();
        let rare = |(now, each): (usize, Option<Each>)| {
            each.filter(|_| looks[now] == Look::Each).map(|each| (now, each))
        };
        let each = seen.iter().cloned().enumerate().filter_map(rare).collect();
        let count = trace.len() / BLOCK;
        let mut watch = Self {
            points: Arc::clone(points),
            evaluation_periods,
            looks,
            each,
            reach,
            span,
            blocks: vec![false; count],
            highest: Rows::zero(count, trace.width()),
            lowest: Rows::zero(count, trace.width()),
        };
        for (block, seen) in seen.chunks_exact(BLOCK).enumerate() {
            watch.summarize(block, seen);
        }
        (span <= KEPT).then_some(watch)
    }

    /// What is looked at where it is more than the newest points.
    pub(super) fn each(&self, now: usize) -> &Each {
        &self.each[&now]
    }

    fn summarize(&mut self, block: usize, seen: &[Option<Each>]) {
        let (highest, lowest) = (self.highest.row_mut(block), self.lowest.row_mut(block));
        lowest.fill(255);
        for each in seen.iter().flatten() {
            if each.holds {
                return;
            }
            let (mut least, mut greatest) = ([255; 256], [0; 256]);
            for end in &each.ends {
                let row = self.points.rows.row(*end);
                for ((least, greatest), byte) in least.iter_mut().zip(&mut greatest).zip(row) {
                    *least = (*byte).min(*least);
                    *greatest = (*byte).max(*greatest);
                }
            }
            highest.iter_mut().zip(least).for_each(|(highest, least)| *highest = least.max(*highest));
            lowest.iter_mut().zip(greatest).for_each(|(lowest, most)| *lowest = most.min(*lowest));
        }
        self.blocks[block] = true;
    }
}

impl Each {
    fn brief(&self, period: usize) -> Look {
        let newest = self.ends[0];
        let unbroken = self.ends.iter().enumerate().all(|(back, end)| *end == newest - back * period);
        if self.holds || !unbroken || 3 < self.ends.len() {
            return Look::Each;
        }
        let place = |back: usize| (self.ends.get(back).unwrap_or(&newest) % KEPT) as u8;
        Look::Newest([place(0), place(1), place(2)])
    }
}

/// [`crate::alarm::AlarmRule::evaluate`] for a Beanstalk alarm, whatever its threshold; `None` if it can't be in alarm.
fn look(points: &Points, evaluation_periods: usize, visible_end: usize) -> Option<Each> {
    let full = visible_end / points.period;
    if full < evaluation_periods {
        return None;
    }
    let seen = full.min(evaluation_periods + EXTRA_POINTS);
    let newest_first = (0..seen).map(|back| visible_end - back * points.period);
    let ends: Vec<usize> = newest_first.filter(|end| points.known[*end]).take(evaluation_periods).collect();
    let oldest_back = (visible_end - ends.last()?) / points.period + 1;
    Some(Each { holds: ends.len() < evaluation_periods && oldest_back < evaluation_periods, ends })
}

fn reach(seen: &[Option<Each>]) -> Vec<u8> {
    let mut reach = vec![0; seen.len() + 1];
    for (now, each) in seen.iter().enumerate() {
        for end in each.iter().flat_map(|each| &each.ends) {
            reach[*end] = (now - end + 1).min(255) as u8;
        }
    }
    reach
}
