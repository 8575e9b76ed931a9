//! Which periods can show what a request costs: not those of deployments, nor just after a change of instances.

use super::{Circumstances, FitRules};
use crate::course::Deployment;
use crate::observation::{LeftOut, LeftOutCounts, Observation, Series};
use crate::units::{MinuteUtc, Minutes};

/// Periods that begin just after a change of instances.
pub(super) struct Unsettled(Vec<(MinuteUtc, MinuteUtc)>);

impl Unsettled {
    pub(super) fn of(series: &Series<'_>, rules: FitRules) -> Self {
        let spans = series.changes_of_instances().into_iter().map(|change| (change, change + rules.settle));
        Self(spans.filter(|(start, end)| start < end).collect())
    }

    pub(super) fn covers(&self, observation: &Observation) -> bool {
        let next = self.0.partition_point(|(_, end)| *end <= observation.minute_utc);
        self.0.get(next).is_some_and(|(start, _)| *start < observation.end())
    }
}

pub(super) fn deploying(deployments: &[Deployment], observation: &Observation) -> bool {
    let overlaps = |d: &Deployment| observation.minute_utc < d.end && d.start < observation.end();
    deployments.iter().any(overlaps)
}

/// What can be used, and why the rest can't. A group that never settles keeps its periods.
pub(super) fn usable(
    series: &Series<'_>,
    lag: Minutes,
    rules: FitRules,
    around: Circumstances<'_>,
    unsettled: &Unsettled,
) -> (Vec<Observation>, LeftOutCounts) {
    let (mut observations, mut left_out) = series.observe(lag);
    let mut leave_out = |observations: &mut Vec<Observation>, reason, kept: Vec<Observation>| {
        if kept.len() < observations.len() {
            left_out.insert(reason, (observations.len() - kept.len()) as u32);
            *observations = kept;
        }
    };
    let outside = |o: &&Observation| !deploying(around.deployments, o);
    let kept = observations.iter().filter(outside).copied().collect();
    leave_out(&mut observations, LeftOut::Deployment, kept);
    let settled: Vec<Observation> = observations.iter().filter(|o| !unsettled.covers(o)).copied().collect();
    if settled.len() >= (observations.len() / 2).max(rules.min_usable as usize) {
        leave_out(&mut observations, LeftOut::JustAfterChange, settled);
    }
    (observations, left_out)
}

/// Observations without lag, outside of deployments and of changes of instances.
pub(crate) fn settled(series: &Series<'_>, around: Circumstances<'_>) -> Vec<Observation> {
    let rules = FitRules::default();
    usable(series, Minutes(0), rules, around, &Unsettled::of(series, rules)).0
}
