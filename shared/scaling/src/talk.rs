//! The rules of the talk that the method comes from; they are not AWS's.
//!
//! CPU is requests × coefficient / instances. A look that breaches decides on a new count and then sleeps for
//! `start_up_time`; the next look still measures the old count, and the new one serves from the minute after.
//! A scale-in that the floor of one instance turns into nothing sleeps as well.

/// The coefficient behind the talk's published row: CPU percent of one instance per request per minute.
pub const COEFFICIENT: f64 = 39.226077 / 45000.0;

/// The talk's ceiling: a policy that reaches it is dropped.
pub const CEILING_PERCENT: f64 = 50.0;

/// The settings that the talk varies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TalkPolicy {
    /// Instances to add.
    pub scale_up_increment: u32,
    /// Instances to remove.
    pub scale_down_increment: u32,
    /// Add above it, percent.
    pub upper_threshold: f64,
    /// Remove below it, percent.
    pub lower_threshold: f64,
    /// Minutes to sleep after an action.
    pub start_up_time: u32,
}

/// Mean and greatest CPU over all minutes, percent (over 100 where one instance can't do it).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TalkOutcome {
    /// Mean over the minutes.
    pub mean_cpu_percent: f64,
    /// Greatest of the minutes.
    pub max_cpu_percent: f64,
}

/// Replays `load` (CPU percent that one instance alone would show, a value a minute); calls `each` with
/// the instances and the CPU of every minute until it answers `false`.
pub fn replay(load: &[f64], policy: TalkPolicy, mut each: impl FnMut(u32, f64) -> bool) {
    let (mut hosts, mut next_hosts, mut wait) = (1_u32, 1_u32, 0_u32);
    let mut divisor = 1.0;
    for &demand in load {
        let cpu = demand / divisor;
        if !each(hosts, cpu) {
            return;
        }
        if wait > 0 {
            wait -= 1;
            continue;
        }
        if next_hosts != hosts {
            hosts = next_hosts;
            divisor = f64::from(hosts);
        }
        if cpu > policy.upper_threshold {
            next_hosts = hosts + policy.scale_up_increment;
            wait = policy.start_up_time;
        } else if cpu < policy.lower_threshold {
            next_hosts = hosts.saturating_sub(policy.scale_down_increment).max(1);
            wait = policy.start_up_time;
        }
    }
}

/// Mean and maximum of a replay; `None` as soon as a minute reaches `ceiling_percent`.
pub fn simulate(load: &[f64], policy: TalkPolicy, ceiling_percent: f64) -> Option<TalkOutcome> {
    let (mut total, mut highest) = (0.0, f64::NEG_INFINITY);
    replay(load, policy, |_, cpu| {
        total += cpu;
        highest = f64::max(highest, cpu);
        highest < ceiling_percent
    });
    (highest < ceiling_percent)
        .then(|| TalkOutcome { mean_cpu_percent: total / load.len() as f64, max_cpu_percent: highest })
}

/// The talk's grid: increments 1 to 9, upper thresholds 11 to 34, the lower one at 0.7 of it, rounded half to even.
pub fn grid() -> impl Iterator<Item = TalkPolicy> {
    (1..10).flat_map(|scale_up_increment| {
        (11..35).map(move |upper| TalkPolicy {
            scale_up_increment,
            scale_down_increment: 1,
            upper_threshold: f64::from(upper),
            lower_threshold: (f64::from(upper) * 0.7).round_ties_even(),
            start_up_time: 4,
        })
    })
}

/// The policies of the grid that stay under the talk's ceiling, in the grid's order.
pub fn sweep(load: &[f64]) -> Vec<(TalkPolicy, TalkOutcome)> {
    let kept = |policy| simulate(load, policy, CEILING_PERCENT).map(|outcome| (policy, outcome));
    grid().filter_map(kept).collect()
}

/// The place in `kept` of the talk's choice: highest mean, then upper threshold, then increment.
pub fn best(kept: &[(TalkPolicy, TalkOutcome)]) -> Option<usize> {
    let rank = |(policy, outcome): &(TalkPolicy, TalkOutcome)| {
        (outcome.mean_cpu_percent, policy.upper_threshold, policy.scale_up_increment)
    };
    let better =
        |a: &usize, b: &usize| rank(&kept[*a]).partial_cmp(&rank(&kept[*b])).expect("loads are numbers");
    (0..kept.len()).max_by(better)
}
