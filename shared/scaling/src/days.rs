//! A load in days, and what a setting does to each of them.

use std::ops::Range;

use crate::plan::Plan;
use crate::simulate::{Outcome, simulate_parts};
use crate::sweep::Setting;
use crate::traffic::Load;
use crate::units::{CpuPercent, Minutes};

const MINUTES_PER_DAY: usize = 24 * 60;

/// Fewer days say nothing about others.
pub const FEWEST_DAYS: usize = 4;

/// The days of `load`, as ranges of its minutes. They are counted from its first minute, so that a window of two weeks has
/// fourteen whole ones whenever it begins; what is left at the end is a day of its own from half a day on, and else
/// belongs to the last.
pub fn days(load: &Load) -> Vec<Range<usize>> {
    let minutes = load.demand_percent.len();
    let count = (minutes + MINUTES_PER_DAY / 2) / MINUTES_PER_DAY;
    let end = |day: usize| if day + 1 == count { minutes } else { (day + 1) * MINUTES_PER_DAY };
    (0..count).map(|day| day * MINUTES_PER_DAY..end(day)).collect()
}

/// The minutes of `load` in `range`, with their time and their strays.
pub fn part(load: &Load, range: Range<usize>) -> Load {
    let of = |values: &[f64]| values.get(range.clone()).map(<[f64]>::to_vec).unwrap_or_default();
    Load {
        start: load.start + Minutes(range.start as u32),
        demand_percent: of(&load.demand_percent),
        stray_percent: of(&load.stray_percent),
        ..*load
    }
}

/// What `plan` does on each of `days`, in one replay of all that `setting` has: what a day begins with is what the one
/// before left.
pub fn by_day(
    setting: &Setting<'_>,
    plan: impl Into<Plan>,
    ceiling: CpuPercent,
    days: &[Range<usize>],
) -> Vec<Outcome> {
    let ends: Vec<usize> = days.iter().map(|day| day.end).collect();
    simulate_parts(setting.load, &setting.scenario(plan), ceiling, &ends)
}
