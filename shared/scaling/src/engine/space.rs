//! Which settings there are, by what they have in common.

use crate::dynamics::Monitoring;
use crate::policy::{Group, PolicyError, ScalingPolicy, Trigger, least_swinging_threshold};
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
    left_out: LeftOut,
    refused: Option<PolicyError>,
}

/// Combinations of a grid's values that are not replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Combinations whose lower threshold is not below the upper one.
    pub thresholds_swapped: usize,
    /// Combinations whose least size is over the greatest.
    pub sizes_swapped: usize,
    /// Combinations with a value that its option can't have.
    pub out_of_range: usize,
    /// Policies whose actions can call for their own reversal.
    pub oscillating: usize,
    /// Policies with a period that the metrics are too coarse for.
    pub too_fine: usize,
    /// Policies whose upper threshold CPU never comes up to.
    pub unreachable: usize,
}

/// Everything but the thresholds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kind {
    pub(super) up: Instances,
    pub(super) down: Instances,
    pub(super) period: Minutes,
    pub(super) evaluation_periods: u32,
    pub(super) group: Group,
}

impl Space {
    /// All combinations of the values that are policies, that the metrics allow, whose upper threshold lies under `most_cpu`
    /// (which CPU does not pass, and an alarm asks for more than its threshold), and, if `steady`, whose actions can't
    /// call for their own reversal.
    pub fn new(grid: &Grid, monitoring: Monitoring, most_cpu: CpuPercent, steady: bool) -> Self {
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
        let mut space = Self { pairs, kinds: vec![], steady, left_out: LeftOut::default(), refused: None };
        space.fill(grid, monitoring, uppers.len() * lowers.len());
        space
    }

    fn fill(&mut self, grid: &Grid, monitoring: Monitoring, all_pairs: usize) {
        let valid = |upper: &CpuPercent| grid.lower_thresholds.iter().filter(|lower| *lower < upper).count();
        let valid_pairs: usize = grid.upper_thresholds.iter().map(valid).sum();
        for kind in kinds(grid) {
            if let Err(refused) = kind.check() {
                self.refuse(refused, all_pairs);
                continue;
            }
            if let Some(swapped) = kind.swapped(grid) {
                self.refuse(swapped, all_pairs - valid_pairs);
            }
            if !monitoring.allows(kind.period) {
                self.left_out.too_fine += valid_pairs;
                continue;
            }
            let taken = self.pairs.iter().filter(|pair| self.has(&kind, **pair)).count();
            self.left_out.unreachable += valid_pairs - self.pairs.len();
            self.left_out.oscillating += self.pairs.len() - taken;
            self.kinds.push(kind);
        }
    }

    /// Leaves out so many combinations for what AWS would say to one of them.
    fn refuse(&mut self, refused: PolicyError, combinations: usize) {
        *match refused {
            PolicyError::ThresholdsSwapped { .. } => &mut self.left_out.thresholds_swapped,
            PolicyError::MinOverMax { .. } => &mut self.left_out.sizes_swapped,
            PolicyError::Invalid { .. } | PolicyError::WindowTooLong { .. } => {
                &mut self.left_out.out_of_range
            }
        } += combinations;
        self.refused.get_or_insert(refused);
    }

    /// Places of kinds that are gone through together: they differ only in the increments, and those with the same lower one
    /// stand side by side. No more of them than `at_most`.
    pub(super) fn families(&self, at_most: usize) -> Vec<Vec<usize>> {
        let mut places: Vec<usize> = (0..self.kinds.len()).collect();
        let mut families = Vec::new();
        for family in places.chunk_by_mut(|a, b| self.kinds[*a].is_of_family(&self.kinds[*b])) {
            family.sort_by_key(|place| self.kinds[*place].down);
            families.extend(family.chunks(at_most.max(1)).map(<[usize]>::to_vec));
        }
        families
    }

    /// How many settings there are.
    pub fn len(&self) -> usize {
        self.kinds.len() * self.pairs.len() - self.left_out.oscillating
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The largest group of any setting.
    pub fn most_instances(&self) -> Instances {
        self.kinds.iter().map(|kind| kind.group.max_size).max().unwrap_or(Instances(0))
    }

    /// What is wrong with the first combination that is no policy.
    pub fn refused(&self) -> Option<&PolicyError> {
        self.refused.as_ref()
    }

    /// What was passed over.
    pub fn left_out(&self) -> LeftOut {
        self.left_out
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
        for &max_size in &grid.max_sizes {
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
    /// Whether all but the increments are the same.
    fn is_of_family(&self, other: &Self) -> bool {
        let all_but = |kind: &Self| (kind.period, kind.evaluation_periods, kind.group);
        all_but(self) == all_but(other)
    }

    /// Whether all but the upper increment is the same.
    pub(super) fn is_but_for_up(&self, other: &Self) -> bool {
        self.is_of_family(other) && self.down == other.down
    }

    /// Whatever the thresholds.
    fn check(&self) -> Result<(), PolicyError> {
        let [lower, upper] = [1.0, 99.0].map(|percent| CpuPercent::new(percent).expect("a percentage"));
        ScalingPolicy::new(self.trigger((upper, lower)), self.group).map(|_| ())
    }

    /// What is wrong with a pair of thresholds of the grid, where there is one that is swapped.
    fn swapped(&self, grid: &Grid) -> Option<PolicyError> {
        let upper = grid.upper_thresholds.iter().copied().min_by(|a, b| a.get().total_cmp(&b.get()))?;
        let lower = grid.lower_thresholds.iter().copied().max_by(|a, b| a.get().total_cmp(&b.get()))?;
        ScalingPolicy::new(self.trigger((upper, lower)), self.group).err()
    }

    pub(super) fn policy(&self, pair: (CpuPercent, CpuPercent)) -> ScalingPolicy {
        ScalingPolicy::new(self.trigger(pair), self.group).expect("a space holds policies only")
    }

    fn trigger(&self, (upper_threshold, lower_threshold): (CpuPercent, CpuPercent)) -> Trigger {
        Trigger {
            upper_threshold,
            lower_threshold,
            upper_breach_scale_increment: self.up,
            lower_breach_scale_increment: self.down,
            period: self.period,
            evaluation_periods: self.evaluation_periods,
        }
    }
}
