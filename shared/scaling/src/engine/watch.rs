//! What two alarms look at, minute by minute: the same points whatever the thresholds, so it is worked out once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::trace::{BLOCK, Points, Rows, Trace};
use crate::alarm::EXTRA_POINTS;
use crate::plan::Measure;

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
    /// Ends of the points that decide what the alarms are in at the minute that was added last: an alarm that holds is
    /// what it was before.
    deciding: Vec<usize>,
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
    /// What the low alarm compares at the least in a block if fleets have at most so many instances, however they change;
    /// see [`Points::floors`].
    pub(super) floors: Rows,
}

impl Watch {
    /// `None` if the alarms look farther back than is kept of a lane.
    pub(super) fn new(trace: &Trace<'_>, points: &Arc<Points>, evaluation_periods: usize) -> Option<Self> {
        let count = trace.len() / BLOCK;
        let mut watch = Self {
            points: Arc::clone(points),
            evaluation_periods,
            looks: Vec::with_capacity(trace.len()),
            each: BTreeMap::new(),
            deciding: vec![],
            reach: vec![0; trace.len() + 1],
            span: 1,
            blocks: vec![true; count],
            highest: Rows::zero(count, trace.width()),
            lowest: Rows::all(255, count, trace.width()),
            floors: Rows::all(255, count, trace.width()),
        };
        let offset = trace.load.start.epoch_minutes();
        for now in 0..trace.len() {
            let visible_end = trace.dynamics.visible_end(Measure::CpuUtilization, now as i64, offset);
            watch.add(now, usize::try_from(visible_end).ok());
        }
        watch.span += usize::from(watch.reach.iter().copied().max().unwrap_or(0));
        (watch.span <= KEPT).then_some(watch)
    }

    /// What is looked at where it is more than the newest points.
    pub(super) fn each(&self, now: usize) -> &Each {
        &self.each[&now]
    }

    /// Ends of the points that bring an alarm about at the start of `now`; none where it can only go on.
    pub(super) fn ends(&self, now: usize) -> impl Iterator<Item = usize> {
        let (places, count) = match self.looks[now] {
            Look::Newest(places) => (places, self.evaluation_periods),
            Look::Quiet | Look::Each => ([0; 3], 0),
        };
        let newest = places.into_iter().take(count).map(move |place| now - (now - usize::from(place)) % KEPT);
        let each = self.each.get(&now).filter(|each| !each.holds).map_or(&[][..], |each| &each.ends);
        newest.chain(each.iter().copied())
    }

    fn add(&mut self, now: usize, visible_end: Option<usize>) {
        let (period, count) = (self.points.period, self.evaluation_periods);
        let full = visible_end.filter(|end| count * period <= *end);
        let newest = full.filter(|end| (0..count).all(|back| self.points.known[end - back * period]));
        let look = match (newest, full) {
            (Some(end), _) if count <= 3 => {
                let place = |back: usize| ((end - back.min(count - 1) * period) % KEPT) as u8;
                self.deciding = (0..count).map(|back| end - back * period).collect();
                self.summarize(now, (0..count).map(move |back| end - back * period));
                Look::Newest([place(0), place(1), place(2)])
            }
            (_, Some(end)) => self.add_each(now, end),
            (_, None) => Look::Quiet,
        };
        match look {
            Look::Quiet => self.deciding.clear(),
            Look::Newest(_) | Look::Each => self.note(now),
        }
        self.looks.push(look);
    }

    fn add_each(&mut self, now: usize, visible_end: usize) -> Look {
        let Some(each) = look(&self.points, self.evaluation_periods, visible_end) else { return Look::Quiet };
        if !each.holds {
            self.deciding.clear();
        }
        self.deciding.extend(&each.ends);
        match self.blocks.get_mut(now / BLOCK) {
            Some(block) if each.holds => *block = false,
            _ => self.summarize(now, each.ends.iter().copied()),
        }
        self.each.insert(now, each);
        Look::Each
    }

    fn note(&mut self, now: usize) {
        for end in &self.deciding {
            self.reach[*end] = (now - end + 1).min(255) as u8;
        }
    }

    /// The alarms of `now` look at the points that end before `ends`.
    fn summarize(&mut self, now: usize, ends: impl Iterator<Item = usize> + Clone) {
        let block = now / BLOCK;
        if self.blocks.len() <= block {
            return;
        }
        let rows = ends.clone().map(|end| self.points.rows.row(end));
        let (highest, lowest) = (self.highest.row_mut(block), self.lowest.row_mut(block));
        for (size, (highest, lowest)) in highest.iter_mut().zip(lowest).enumerate() {
            let bytes = rows.clone().map(|row| row[size]);
            let (least, greatest) =
                bytes.fold((255, 0), |(least, greatest), byte| (byte.min(least), byte.max(greatest)));
            *highest = least.max(*highest);
            *lowest = greatest.min(*lowest);
        }
        let floors = ends.map(|end| self.points.floors.row(end));
        for (size, least) in self.floors.row_mut(block).iter_mut().enumerate() {
            let greatest = floors.clone().map(|row| row[size]).max().unwrap_or(0);
            *least = greatest.min(*least);
        }
    }
}

/// [`crate::alarm::AlarmRule::evaluate`] for a Beanstalk alarm, whatever its threshold; `None` if it can't be in alarm.
fn look(points: &Points, evaluation_periods: usize, visible_end: usize) -> Option<Each> {
    let seen = (visible_end / points.period).min(evaluation_periods + EXTRA_POINTS);
    let newest_first = (0..seen).map(|back| visible_end - back * points.period);
    let ends: Vec<usize> = newest_first.filter(|end| points.known[*end]).take(evaluation_periods).collect();
    let oldest_back = (visible_end - ends.last()?) / points.period + 1;
    Some(Each { holds: ends.len() < evaluation_periods && oldest_back < evaluation_periods, ends })
}
