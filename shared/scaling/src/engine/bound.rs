//! What no setting of a group can cost less than, from some minute on.
//!
//! Where no minute may be over the ceiling, a fleet must be large enough in every minute; it must have been launched
//! before, it grows by one increment at a time with a rest in between, and so it shrinks. Each of these alone says how
//! many instances are wanted at least, and the most demanding one counts.

use std::ops::Range;

use super::trace::Trace;

/// Instances that a fleet needs at least, minute by minute, so as not to reach the ceiling.
pub(super) fn needs(trace: &Trace<'_>) -> Vec<u8> {
    trace.overloaded.iter().map(|largest| largest.saturating_add(1)).collect()
}

/// How fast fleets change: by how many instances, and with how many minutes in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Pace {
    pub(super) step: u8,
    pub(super) rest: u8,
}

impl Pace {
    /// Instances that come or go within so many minutes at most.
    fn within(self, minutes: usize) -> usize {
        usize::from(self.step) * (minutes.saturating_sub(1) / usize::from(self.rest.max(1)) + 1)
    }
}

/// Instances that are there at least, since more were needed before and they go at `pace`.
pub(super) fn after(needs: &[u8], pace: Pace) -> Vec<u8> {
    let mut peaks: Vec<(usize, u8)> = Vec::new();
    let mut least = Vec::with_capacity(needs.len());
    for (now, need) in needs.iter().enumerate() {
        while peaks.last().is_some_and(|(_, peak)| peak <= need) {
            peaks.pop();
        }
        peaks.push((now, *need));
        let left = |(then, peak): &(usize, u8)| match now - then {
            0 => usize::from(*peak),
            minutes => usize::from(*peak).saturating_sub(pace.within(minutes)),
        };
        peaks.retain(|peak| left(peak) > 0 || peak.0 == now);
        least.push(peaks.iter().map(left).max().unwrap_or(0) as u8);
    }
    least
}

/// Instances that are there at least, since more will be needed and they come at `pace`, `lead` minutes after they were
/// asked for.
pub(super) fn before(needs: &[u8], pace: Pace, lead: usize) -> Vec<u8> {
    let asked = (0..needs.len()).map(|now| {
        let until = needs.len().min(now + lead + 1);
        needs[now..until].iter().copied().max().unwrap_or(0)
    });
    let mut reversed: Vec<u8> = asked.collect();
    reversed.reverse();
    let mut least = after(&reversed, pace);
    least.reverse();
    least
}

/// How many minutes may be over the ceiling at most, and how many of them share a bound.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spare {
    most: u32,
    step: u32,
}

impl Spare {
    /// Numbers of minutes that are told apart at most, where not each is.
    const TOLD_APART: u32 = 256;

    /// Each number of minutes has its own bound.
    pub(super) fn each(most: u32) -> Self {
        Self { most, step: 1 }
    }

    /// Bounds don't grow with what is allowed.
    pub(super) fn in_steps(most: u32) -> Self {
        Self { most, step: most / Self::TOLD_APART + 1 }
    }

    fn places(self) -> usize {
        self.place(self.most) + 1
    }

    /// Where more may be over, no more is needed: what lies between two steps counts as the next.
    fn place(self, minutes: u32) -> usize {
        if minutes == 0 { 0 } else { minutes.div_ceil(self.step) as usize }
    }
}

/// Instances that are there at the least where no minute is over.
#[derive(Clone, Copy)]
pub(super) struct Least<'a> {
    /// Nor was any before.
    pub(super) never_over: &'a [u8],
    /// From some minute on, whatever was before: who was over need not have had what was needed then.
    pub(super) from_now_on: &'a [u8],
}

/// Lower bounds of the instance-minutes from the start of each chunk of minutes on, for one group: by how many minutes
/// may still be over the ceiling.
#[derive(Debug)]
pub(super) struct Bound {
    /// Of settings that were never over, and will never be.
    never_over: Vec<u32>,
    /// Chunk after chunk, whatever was before.
    bounds: Vec<u32>,
    of_a_chunk: usize,
    spare: Spare,
}

impl Bound {
    pub(super) fn new(
        (min, max): (u8, u8),
        needs: &[u8],
        least: Least<'_>,
        chunks: &[Range<usize>],
        spare: Spare,
    ) -> Self {
        let within = |count: u8| count.max(min).min(max);
        let sum = |counts: &[u8]| counts.iter().map(|count| u32::from(within(*count))).sum::<u32>();
        let (mut never_over, mut strict, mut plain, mut savings) = (0, 0, 0, [0; 256]);
        let mut bound = Self::none(chunks.len(), spare);
        for (at, chunk) in chunks.iter().enumerate().rev() {
            never_over += sum(&least.never_over[chunk.clone()]);
            strict += sum(&least.from_now_on[chunk.clone()]);
            bound.never_over[at] = never_over;
            for need in &needs[chunk.clone()] {
                let need = within(*need);
                plain += u32::from(need);
                savings[usize::from(need.saturating_sub(min))] += 1;
            }
            let places = &mut bound.bounds[at * bound.of_a_chunk..][..bound.of_a_chunk];
            fill(places, spare.step, strict, plain, &savings);
        }
        bound
    }

    /// No bound at all.
    pub(super) fn none(chunks: usize, spare: Spare) -> Self {
        let of_a_chunk = spare.places();
        let bounds = vec![0; (chunks + 1) * of_a_chunk];
        Self { never_over: vec![0; chunks + 1], bounds, of_a_chunk, spare }
    }

    /// Instance-minutes from the start of chunk `chunk` on, in which `spare` minutes may be over the ceiling, after `over` that
    /// were.
    pub(super) fn from(&self, chunk: usize, over: u32, spare: u32) -> u32 {
        if over == 0 && spare == 0 {
            return self.never_over[chunk];
        }
        self.bounds[chunk * self.of_a_chunk + self.spare.place(spare)]
    }

    /// The same for every number of spare minutes, from none on, where each has its own; of settings that may have been over.
    pub(super) fn all_from(&self, chunk: usize) -> &[u32] {
        debug_assert_eq!(self.spare.step, 1, "bounds are told apart by the minute");
        &self.bounds[chunk * self.of_a_chunk..][..self.of_a_chunk]
    }
}

/// Each minute that may be over saves what it needs beyond the smallest fleet, the dearest ones first; `step` more may be
/// in each place than in the one before.
fn fill(bounds: &mut [u32], step: u32, strict: u32, plain: u32, savings: &[u32; 256]) {
    let mut dearest_first = savings
        .iter()
        .enumerate()
        .rev()
        .map(|(saving, minutes)| (saving as u32, *minutes))
        .filter(|(_, minutes)| *minutes != 0);
    let (mut saving, mut minutes) = dearest_first.next().unwrap_or_default();
    let mut left = plain;
    bounds[0] = strict;
    for bound in &mut bounds[1..] {
        let mut more = step;
        while minutes < more {
            left -= saving * minutes;
            more -= minutes;
            (saving, minutes) = dearest_first.next().unwrap_or((0, u32::MAX));
        }
        minutes -= more;
        left -= saving * more;
        *bound = left;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST_IN_A_GROUP: u8 = 7;

    /// What is needed in all, where the dearest minutes need no more than the smallest group.
    fn needed_but_for(spare: u32, needs: &[u8], min: u8) -> u32 {
        let mut counts: Vec<u32> =
            needs.iter().map(|need| u32::from((*need).max(min).min(MOST_IN_A_GROUP))).collect();
        counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
        counts.iter_mut().take(spare as usize).for_each(|count| *count = min.into());
        counts.iter().sum()
    }

    #[test]
    fn minutes_over_spare_the_dearest_and_bounds_in_steps_are_never_more() {
        let needs: Vec<u8> = (0..700_usize).map(|minute| (minute * minute / 13 % 10) as u8).collect();
        let chunks = [0..300, 300..700];
        for (most, min) in [(0, 1), (1, 2), (200, 1), (256, 1), (690, 2), (2_000, 1)] {
            let least = Least { never_over: &[9; 700], from_now_on: &needs };
            let of = |spare| Bound::new((min, MOST_IN_A_GROUP), &needs, least, &chunks, spare);
            let (each, steps) = (of(Spare::each(most)), of(Spare::in_steps(most)));
            assert!(steps.bounds.len() <= 3 * 257, "{} places", steps.bounds.len());
            for (at, chunk) in chunks.iter().enumerate() {
                let never_over = (700 - chunk.start as u32) * u32::from(MOST_IN_A_GROUP);
                assert_eq!([&each, &steps].map(|bound| bound.from(at, 0, 0)), [never_over; 2]);
                for spare in 0..=most {
                    let needed = |spare| needed_but_for(spare, &needs[chunk.start..], min);
                    assert_eq!(
                        (each.from(at, 1, spare), each.all_from(at)[spare as usize]),
                        (needed(spare), needed(spare))
                    );
                    let step = most / Spare::TOLD_APART;
                    assert!(
                        (needed(spare + step)..=needed(spare)).contains(&steps.from(at, 1, spare)),
                        "{spare} of {most}"
                    );
                }
            }
        }
    }
}
