//! What happens to a group that no alarm asks for: scheduled actions, limits changed by hand, deployments.

use crate::policy::Group;
use crate::traffic::Load;
use crate::units::{Instances, MinuteUtc, UnitError};

/// New limits or a new size from a minute on: a scheduled action, or an update of the environment. What is
/// left out is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapacityChange {
    /// When.
    pub at: MinuteUtc,
    /// `MinSize`.
    pub min_size: Option<Instances>,
    /// `MaxSize`.
    pub max_size: Option<Instances>,
    /// `DesiredCapacity`.
    pub desired_capacity: Option<Instances>,
}

/// A deployment with an additional batch: more instances serve for a while, and all of them work harder.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Deployment {
    /// First minute.
    pub start: MinuteUtc,
    /// The minute after the last.
    pub end: MinuteUtc,
    /// Instances of the additional batch.
    pub extra: Instances,
    /// CPU percent that the deployment itself costs each serving instance.
    pub extra_cpu_percent: f64,
}

/// Everything of the kind, in the order of time. What lies before a load has set the limits that it begins with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Course {
    changes: Vec<CapacityChange>,
    deployments: Vec<Deployment>,
}

impl Course {
    /// Refuses a group of no instances, which serves nothing and has no CPU to speak of.
    pub fn new(
        mut changes: Vec<CapacityChange>,
        mut deployments: Vec<Deployment>,
    ) -> Result<Self, UnitError> {
        for change in &changes {
            let sizes = [change.min_size, change.max_size, change.desired_capacity];
            if sizes.into_iter().flatten().any(|size| size == Instances(0)) {
                let (quantity, expected) = ("the size of a group", "1 or more");
                return Err(UnitError::OutOfRange { quantity, expected, value: 0.0 });
            }
        }
        changes.sort_by_key(|change| change.at);
        deployments.sort_by_key(|deployment| deployment.start);
        Ok(Self { changes, deployments })
    }

    /// The same with deployments that were seen.
    pub fn with_deployments(&self, mut deployments: Vec<Deployment>) -> Self {
        deployments.extend(&self.deployments);
        deployments.sort_by_key(|deployment| deployment.start);
        Self { changes: self.changes.clone(), deployments }
    }

    /// The limits that are in force when `minute` begins, where `group` has these of its own: what was set last before, of each.
    pub fn limits_at(&self, minute: MinuteUtc, group: Group) -> Group {
        let before = self.changes.iter().take_while(|change| change.at < minute);
        before.fold(group, |limits, change| Group {
            min_size: change.min_size.unwrap_or(limits.min_size),
            max_size: change.max_size.unwrap_or(limits.max_size),
            ..limits
        })
    }

    /// Whether nothing of the kind happens.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.deployments.is_empty()
    }

    /// Whether deployments are among them.
    pub(crate) fn has_deployments(&self) -> bool {
        !self.deployments.is_empty()
    }

    /// The changes within `load`, by its minutes.
    pub(crate) fn changes_of(&self, load: &Load) -> Vec<(usize, CapacityChange)> {
        let within =
            |(at, change): (usize, CapacityChange)| (at < load.demand_percent.len()).then_some((at, change));
        let placed =
            self.changes.iter().filter_map(|change| Some((change.at.place_from(load.start)?, *change)));
        placed.filter_map(within).collect()
    }

    /// The changes of `minute`, in the order in which they were given.
    pub fn changes_at(&self, minute: MinuteUtc) -> impl Iterator<Item = &CapacityChange> {
        let first = self.changes.partition_point(|change| change.at < minute);
        self.changes[first..].iter().take_while(move |change| change.at == minute)
    }

    /// Extra instances in `minute`, and the CPU percent that deployments cost each instance.
    pub fn deploying_at(&self, minute: MinuteUtc) -> (u32, f64) {
        let now = self.deployments.iter().filter(|d| d.start <= minute && minute < d.end);
        now.fold((0, 0.0), |(extra, cpu), d| (extra + d.extra.0, cpu + d.extra_cpu_percent))
    }
}
