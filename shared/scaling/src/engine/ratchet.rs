//! What a setting can't cost less than, from where it stands.
//!
//! Instances go only where the low alarm can be in alarm, and that depends on the lower threshold: whoever has many, and
//! a low threshold, will have many for long. A point over a change of the fleet shows no less than if all its minutes had
//! had the most instances of any of them, so the smallest fleet whose points can breach, less what is removed at once,
//! and as often as it can be while an earlier size still counts, is the smallest that can come of it. What is
//! needed in every minute pushes it up again.

use std::ops::Range;

use super::kernel::Moves;
use super::trace::BLOCK;
use super::watch::Watch;

/// Classes of lower thresholds at most: each stands for its highest.
const CLASSES: usize = 24;

/// Fleet sizes that are told apart at most: each stands for its smallest.
const SIZES: usize = 16;

/// Starts of chunks that are kept at most.
const STARTS: usize = 96;

/// The thresholds that stand for classes of lower thresholds.
#[derive(Debug, Clone)]
pub(super) struct Classes {
    highest: Vec<u8>,
    /// By threshold's byte.
    of: Vec<u8>,
}

impl Classes {
    /// Of thresholds in the bytes of [`super::ranks::Ranks`].
    pub(super) fn new(mut lower: Vec<u8>) -> Self {
        lower.sort_unstable();
        lower.dedup();
        let highest: Vec<u8> = lower
            .chunks(lower.len().div_ceil(CLASSES).max(1))
            .filter_map(|class| class.last().copied())
            .collect();
        let of = (0..=u8::MAX).map(|byte| highest.partition_point(|highest| *highest < byte) as u8).collect();
        Self { highest, of }
    }
}

/// What a group's low alarm can do to a fleet, and how large it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slip {
    /// Instances that a fleet may come to lie under the smallest whose points can breach.
    below: u8,
    min: u8,
    max: u8,
}

impl Slip {
    pub(super) fn new(moves: &Moves, watch: &Watch) -> Self {
        let looked_back = (watch.span + watch.points.period).saturating_sub(3);
        let again = looked_back / usize::from(moves.rest_in.max(1));
        let below = usize::from(moves.down) * (again + 1);
        Self { below: below.min(255) as u8, min: moves.min.min(moves.max), max: moves.max }
    }
}

/// Instance-minutes at the least from the start of a chunk on, by class and by instances at that time, of settings none of
/// whose minutes from then on is over the ceiling.
#[derive(Debug)]
pub(super) struct Ratchet {
    classes: Classes,
    /// Where what is kept of a chunk's start begins; not every start is kept.
    starts: Vec<Option<usize>>,
    /// Two to the power of this many fleet sizes share a place.
    sizes: u32,
    by_start: Vec<u32>,
}

impl Ratchet {
    pub(super) fn new(
        classes: &Classes,
        watch: &Watch,
        slip: Slip,
        needs: &[u8],
        chunks: &[Range<usize>],
    ) -> Self {
        let every = chunks.len().div_ceil(STARTS).max(1);
        let sizes = (usize::from(slip.max) + 1).div_ceil(SIZES).next_power_of_two().ilog2();
        let count = classes.highest.len() * SIZES;
        let starts =
            (0..=chunks.len()).map(|chunk| chunk.is_multiple_of(every).then_some(chunk / every * count));
        let by_start = vec![0; chunks.len().div_ceil(every) * count];
        let mut ratchet = Self { classes: classes.clone(), starts: starts.collect(), sizes, by_start };
        let mut floors = vec![vec![0; usize::from(slip.max) + 1]; classes.highest.len()];
        let mut until = needs.len();
        for (start, chunk) in
            chunks.iter().enumerate().step_by(every).rev().map(|(at, chunk)| (at / every, chunk))
        {
            walk_back(&mut floors, &classes.highest, watch, slip, needs, chunk.start..until);
            until = chunk.start;
            ratchet.keep(start, &floors);
        }
        ratchet
    }

    fn keep(&mut self, start: usize, floors: &[Vec<u32>]) {
        let places = self.by_start.chunks_exact_mut(SIZES).skip(start * floors.len());
        for (floor, places) in floors.iter().zip(places) {
            let firsts = floor.iter().step_by(1 << self.sizes);
            firsts.zip(places).for_each(|(floor, place)| *place = *floor);
        }
    }

    /// From the start of chunk `chunk` on, with `desired` instances then and a lower threshold of this byte.
    pub(super) fn from(&self, chunk: usize, lower: u8, desired: u8) -> u32 {
        let class = usize::from(self.classes.of[usize::from(lower)]);
        let of_class = self.starts[chunk].map(|start| start + class * SIZES);
        of_class.map_or(0, |start| self.by_start[start + usize::from(desired >> self.sizes)])
    }
}

/// What is to come, by class and size, is taken back from the end of `minutes` to their start; they begin with a block.
fn walk_back(
    floors: &mut [Vec<u32>],
    highest: &[u8],
    watch: &Watch,
    slip: Slip,
    needs: &[u8],
    minutes: Range<usize>,
) {
    for start in minutes.clone().step_by(BLOCK).rev() {
        let block = Block::new(slip, &needs[start..minutes.end.min(start + BLOCK)]);
        let row = watch
            .blocks
            .get(start / BLOCK)
            .is_some_and(|whole| *whole)
            .then(|| watch.floors.row(start / BLOCK));
        let mut breaching_from = usize::from(slip.max) + 1;
        for (floor, highest) in floors.iter_mut().zip(highest) {
            breaching_from = row.map_or(0, |row| breach(row, *highest, breaching_from));
            block.take_back(floor, breaching_from, slip);
        }
    }
}

/// The smallest fleet whose points can breach, of those below `from` and this one: larger fleets show less.
fn breach(row: &[u8], threshold: u8, from: usize) -> usize {
    let breaching = row[1..from].iter().rev().take_while(|least| **least < threshold).count();
    from - breaching
}

/// A stretch of minutes.
struct Block {
    most_needed: u8,
    needed_last: u8,
    /// Instance-minutes at the least of a fleet that never falls under so many instances.
    costs: Vec<u32>,
}

impl Block {
    fn new(slip: Slip, needs: &[u8]) -> Self {
        let needs = needs.iter().map(|need| (*need).max(slip.min).min(slip.max));
        let mut fewer = vec![0_u32; usize::from(slip.max) + 1];
        needs.clone().for_each(|need| fewer[usize::from(need)] += 1);
        let mut cost = needs.clone().map(u32::from).sum();
        let mut so_few = 0;
        let costs = fewer.iter().map(|count| {
            let this = cost;
            so_few += count;
            cost += so_few;
            this
        });
        Self {
            costs: costs.collect(),
            most_needed: needs.clone().max().unwrap_or(slip.min),
            needed_last: needs.clone().next_back().unwrap_or(slip.min),
        }
    }

    /// `breaching_from` is the smallest fleet of which instances can be removed; one more than the largest if there is none. What
    /// has less than is needed comes up to that, and what has more than is left comes down to that: only those in between stay as
    /// they are.
    fn take_back(&self, floor: &mut [u32], breaching_from: usize, slip: Slip) {
        let left = u8::try_from(breaching_from).ok().filter(|from| *from <= slip.max);
        let left = left.map_or(slip.max, |from| from.saturating_sub(slip.below).max(slip.min));
        let after = |size: u8| usize::from(size.max(self.needed_last));
        let least = self.most_needed.min(left);
        let (raised, lowered) = (floor[after(least)], floor[after(left)]);
        let (least, left) = (usize::from(least), usize::from(left));
        for (size, (floor, cost)) in floor[..left].iter_mut().zip(&self.costs).enumerate() {
            *floor = cost + if size < least { raised } else { *floor };
        }
        floor[left..].fill(self.costs[left] + lowered);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_255_that_can_not_shrink_keeps_what_it_has() {
        let slip = Slip { below: 1, min: 1, max: 255 };
        let from = breach(&[200; 256], 100, usize::from(slip.max) + 1);
        let (mut kept, mut left) = (vec![0; 256], vec![0; 256]);
        Block::new(slip, &[1; 16]).take_back(&mut kept, from, slip);
        Block::new(slip, &[1; 16]).take_back(&mut left, breach(&[200; 256], 201, from), slip);
        assert_eq!((kept[255], left[255]), (16 * 255, 16));
    }

    #[test]
    fn classes_of_thresholds_in_order_find_the_smallest_fleet_that_can_breach_one_after_the_other() {
        let row: Vec<u8> = (0..=15).map(|size| 200 / (size + 1)).collect();
        let mut from = 16;
        for threshold in 0..=u8::MAX {
            from = breach(&row, threshold, from);
            let smallest = (1..=15).find(|size| row[*size] < threshold);
            assert_eq!(from, smallest.unwrap_or(16), "{threshold}");
        }
    }
}
