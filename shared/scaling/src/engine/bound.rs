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

/// Lower bounds of the instance-minutes from the start of each chunk of minutes on, for one group: by how many minutes
/// may still be over the ceiling.
#[derive(Debug)]
pub(super) struct Bound {
    /// Chunk after chunk.
    bounds: Vec<u32>,
    of_a_chunk: usize,
}

impl Bound {
    /// `least` is what is needed in every minute where none may be over; `spare` the most that may be.
    pub(super) fn new(
        (min, max): (u8, u8),
        needs: &[u8],
        least: &[u8],
        chunks: &[Range<usize>],
        spare: u32,
    ) -> Self {
        let within = |count: u8| count.max(min).min(max);
        let (mut strict, mut plain, mut savings) = (0, 0, [0; 256]);
        let mut bound = Self::none(chunks.len(), spare);
        for (at, chunk) in chunks.iter().enumerate().rev() {
            strict += least[chunk.clone()].iter().map(|count| u32::from(within(*count))).sum::<u32>();
            for need in &needs[chunk.clone()] {
                let need = within(*need);
                plain += u32::from(need);
                savings[usize::from(need.saturating_sub(min))] += 1;
            }
            let places = &mut bound.bounds[at * bound.of_a_chunk..][..bound.of_a_chunk];
            fill(places, strict, plain, &savings);
        }
        bound
    }

    /// No bound at all.
    pub(super) fn none(chunks: usize, spare: u32) -> Self {
        let of_a_chunk = spare as usize + 1;
        Self { bounds: vec![0; (chunks + 1) * of_a_chunk], of_a_chunk }
    }

    /// Instance-minutes from the start of chunk `chunk` on, in which `spare` minutes may be over the ceiling.
    pub(super) fn from(&self, chunk: usize, spare: u32) -> u32 {
        self.bounds[chunk * self.of_a_chunk + spare as usize]
    }

    /// The same for every number of spare minutes, from none on.
    pub(super) fn all_from(&self, chunk: usize) -> &[u32] {
        &self.bounds[chunk * self.of_a_chunk..][..self.of_a_chunk]
    }
}

/// Each minute that may be over saves what it needs beyond the smallest fleet, the dearest ones first.
fn fill(bounds: &mut [u32], strict: u32, plain: u32, savings: &[u32; 256]) {
    let dearest_first = savings
        .iter()
        .enumerate()
        .rev()
        .flat_map(|(saving, minutes)| std::iter::repeat_n(saving as u32, *minutes as usize));
    let mut left = plain;
    bounds[0] = strict;
    for (bound, saving) in bounds[1..].iter_mut().zip(dearest_first.chain(std::iter::repeat(0))) {
        left -= saving;
        *bound = left;
    }
}
