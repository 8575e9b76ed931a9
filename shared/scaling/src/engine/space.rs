//! Which settings there are, by what they have in common.

use crate::policy::{Group, ScalingPolicy, Trigger, least_swinging_threshold};
use crate::sweep::Grid;
use crate::units::{CpuPercent, Instances, Minutes};

/// Candidates by what they have in common: every pair of thresholds with every kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    /// Upper and lower thresholds.
    pub(super) pairs: Vec<(CpuPercent, CpuPercent)>,
    pub(super) kinds: Vec<Kind>,
    /// Whether settings that can call for their own reversal are left out.
    steady: bool,
}

/// Everything but the thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kind {
    up: Instances,
    down: Instances,
    pub(super) period: Minutes,
    pub(super) evaluation_periods: u32,
    pub(super) group: Group,
}

impl Space {
    /// All combinations of the values, without those that wait for more CPU than `most_cpu`, and, if `steady`, without
    /// those that can call for their own reversal.
    pub fn new(grid: &Grid, most_cpu: CpuPercent, steady: bool) -> Self {
        let (uppers, lowers) = (&grid.upper_thresholds, &grid.lower_thresholds);
        let mut places: Vec<(usize, usize)> = (0..uppers.len())
            .filter(|upper| uppers[*upper] < most_cpu)
            .flat_map(|upper| (0..lowers.len()).map(move |lower| (upper, lower)))
            .filter(|(upper, lower)| lowers[*lower] < uppers[*upper])
            .collect();
        // Neighbours act at the same time: together they let more blocks pass.
        const TILE: usize = 8;
        places.sort_by_key(|(upper, lower)| (upper / TILE, lower / TILE, *upper, *lower));
        let pairs = places.into_iter().map(|(upper, lower)| (uppers[upper], lowers[lower])).collect();
        Self { pairs, kinds: kinds(grid), steady }
    }

    /// How many settings there are.
    pub fn len(&self) -> usize {
        self.kinds.iter().map(|kind| self.pairs.iter().filter(|pair| self.has(kind, **pair)).count()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn has(&self, kind: &Kind, (upper, lower): (CpuPercent, CpuPercent)) -> bool {
        let Group { min_size, max_size, .. } = kind.group;
        let swings_from = least_swinging_threshold(upper.get(), min_size, kind.up.max(kind.down));
        !self.steady || min_size == max_size || lower.get() < swings_from
    }
}

fn kinds(grid: &Grid) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for &min_size in &grid.min_sizes {
        for &max_size in grid.max_sizes.iter().filter(|max_size| min_size <= **max_size) {
            for &cooldown in &grid.cooldowns {
                let group = Group { min_size, max_size, cooldown };
                for &period in &grid.periods {
                    for &evaluation_periods in &grid.evaluation_periods {
                        for &up in &grid.upper_breach_scale_increments {
                            for &down in &grid.lower_breach_scale_increments {
                                kinds.push(Kind { up, down, period, evaluation_periods, group });
                            }
                        }
                    }
                }
            }
        }
    }
    kinds
}

impl Kind {
    pub(super) fn policy(
        &self,
        (upper_threshold, lower_threshold): (CpuPercent, CpuPercent),
    ) -> ScalingPolicy {
        let trigger = Trigger {
            upper_threshold,
            lower_threshold,
            upper_breach_scale_increment: self.up,
            lower_breach_scale_increment: self.down,
            period: self.period,
            evaluation_periods: self.evaluation_periods,
        };
        ScalingPolicy::new(trigger, self.group).expect("a space holds policies only")
    }
}
