//! Advice put to the test of time: chosen by the first days of a window, judged by those that came after.
//!
//! A setting that was chosen to fit a window fits it, whatever it is worth. On days that the choice had not seen it is
//! seen how much of that was luck: what it costs beyond the setting that would have been the best there, and whether
//! CPU stayed under the ceiling though nothing had been promised for those days.

use std::ops::Range;

use crate::days::{FEWEST_DAYS, by_day, days, part};
use crate::policy::ScalingPolicy;
use crate::simulate::{Outcome, minutes};
use crate::sweep::{Evaluated, Setting};
use crate::traffic::Load;
use crate::units::{CpuPercent, Instances};

/// Of seven days, five choose and two judge.
const CHOOSING: usize = 5;
const OF: usize = 7;

/// A window in two.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// Days by which a setting is chosen.
    pub choosing: Vec<Range<usize>>,
    /// Days by which it is judged.
    pub judging: Vec<Range<usize>>,
}

/// `load` in two parts of whole days, the first 5 of 7 and the rest; `None` where it has less than four days.
pub fn split(load: &Load) -> Option<Split> {
    let mut choosing = days(load);
    if choosing.len() < FEWEST_DAYS {
        return None;
    }
    let judging = choosing.split_off(choosing.len() * CHOOSING / OF);
    Some(Split { choosing, judging })
}

impl Split {
    /// What there was to choose by.
    pub fn choosing_load(&self, load: &Load) -> Load {
        part(load, 0..self.judging[0].start)
    }

    /// What was to come.
    pub fn judging_load(&self, load: &Load) -> Load {
        part(load, self.judging[0].start..load.demand_percent.len())
    }

    /// Instances that `policy` has come to want when the days that judge begin: who is chosen by these alone starts with as many.
    pub fn size_then(&self, setting: &Setting<'_>, policy: &ScalingPolicy) -> Instances {
        minutes(setting.load, &setting.scenario(policy))[self.judging[0].start - 1].desired
    }

    /// Minutes over the ceiling that are allowed in each part, if `allowed` are in all.
    pub fn allowed(&self, allowed: u32) -> (u32, u32) {
        let (choosing, judging) = (self.choosing.len() as u32, self.judging.len() as u32);
        let first = (u64::from(allowed) * u64::from(choosing) / u64::from(choosing + judging)) as u32;
        (first, allowed - first)
    }

    /// What `policy` does to the days that judge, having gone through those before: all of them together.
    pub fn judged(&self, setting: &Setting<'_>, policy: &ScalingPolicy, ceiling: CpuPercent) -> Evaluated {
        let (before, after) = (self.judging[0].start, setting.load.demand_percent.len());
        match by_day(setting, policy, ceiling, &[0..before, before..after])[..] {
            [_, outcome] => Evaluated { policy: *policy, outcome },
            _ => unreachable!("two parts have two outcomes"),
        }
    }
}

/// How much more a setting cost than the `best` did on the same days, as a share; below zero where it cost less, since it was over
/// the ceiling where that was not.
pub fn cost_over(own: &Outcome, best: &Outcome) -> f64 {
    let [own, best] = [own, best].map(|outcome| outcome.billed_instance_minutes as f64);
    own / best - 1.0
}
