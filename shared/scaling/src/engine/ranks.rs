//! CPU as one byte that says how it stands to every threshold, exactly.

use crate::reference::STEPS_PER_PERCENT;
use crate::units::CpuPercent;

/// The distinct thresholds of all candidates, in order. The byte of a CPU value is twice the number of thresholds
/// below it, and one more where it is a threshold itself; a threshold's own byte then compares with it as the numbers
/// do, and the arithmetic with fractions is done once for all candidates.
#[derive(Debug, Clone)]
pub(super) struct Ranks {
    thresholds: Vec<f64>,
    /// How many thresholds lie below each whole percent.
    below: Vec<usize>,
}

impl Ranks {
    /// Thresholds for which a byte has room.
    const MOST: usize = 127;

    /// `None` if there are more than a byte has room for.
    pub(super) fn new(thresholds: impl Iterator<Item = CpuPercent>) -> Option<Self> {
        let mut thresholds: Vec<f64> = thresholds.map(CpuPercent::get).collect();
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        let below = |percent: usize| thresholds.partition_point(|threshold| *threshold < percent as f64);
        let below = (0..=101).map(below).collect();
        (thresholds.len() <= Self::MOST).then_some(Self { thresholds, below })
    }

    /// The byte of a threshold: CPU is above it if its byte is greater, and below it if its byte is less.
    pub(super) fn of_threshold(&self, threshold: CpuPercent) -> u8 {
        self.of_cpu(threshold.get())
    }

    /// Whether every threshold is a multiple of so many of the steps in which CPU is shown.
    pub(super) fn are_multiples_of(&self, steps: u32) -> bool {
        self.thresholds.iter().all(|threshold| threshold * STEPS_PER_PERCENT % f64::from(steps) == 0.0)
    }

    /// The byte of CPU, 0 to 100 %; of NaN, any.
    pub(super) fn of_cpu(&self, percent: f64) -> u8 {
        let mut below = self.below[(percent as usize).min(100)];
        while self.thresholds.get(below).is_some_and(|threshold| *threshold < percent) {
            below += 1;
        }
        let is_one = self.thresholds.get(below) == Some(&percent);
        (2 * below + usize::from(is_one)) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_compare_as_the_numbers_do() {
        let percents = [0.0, 0.5, 12.0, 12.25, 13.0, 49.0, 99.0, 100.0];
        let thresholds = percents.map(|percent| CpuPercent::new(percent).expect("a percentage"));
        let ranks = Ranks::new(thresholds.into_iter()).expect("eight thresholds fit");
        for cpu in (0..=4000_u32).map(|step| f64::from(step) / 40.0) {
            for threshold in thresholds {
                let (byte, rank) = (ranks.of_cpu(cpu), ranks.of_threshold(threshold));
                assert_eq!(byte > rank, cpu > threshold.get(), "{cpu} and {threshold}");
                assert_eq!(byte < rank, cpu < threshold.get(), "{cpu} and {threshold}");
            }
        }
    }
}
