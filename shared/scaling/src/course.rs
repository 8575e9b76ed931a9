//! What happens to a group that no alarm asks for: scheduled actions, limits changed by hand, deployments.

use std::borrow::Cow;

use crate::dynamics::Dynamics;
use crate::policy::Group;
use crate::traffic::Load;
use crate::units::{Instances, MinuteUtc, Minutes, Window};

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
    sleeps: Vec<Sleep>,
}

/// A group without an instance, since a change took all of them.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sleep {
    from: MinuteUtc,
    /// Of the change that brings instances again.
    until: Option<MinuteUtc>,
}

/// What changes have made of a group, as far as that is the same whatever its own settings.
#[derive(Default)]
struct Sizes {
    min_size: Option<Instances>,
    max_size: Option<Instances>,
    is_asleep: bool,
}

impl Sizes {
    fn follow(&mut self, change: &CapacityChange) {
        self.min_size = change.min_size.or(self.min_size);
        self.max_size = change.max_size.or(self.max_size);
        let wanted = change.desired_capacity.unwrap_or(Instances(u32::from(!self.is_asleep)));
        let least = wanted.max(self.min_size.unwrap_or(OWN_MIN_SIZE));
        self.is_asleep = self.max_size.map_or(least, |most| least.min(most)) == Instances(0);
    }

    fn may_come_to_nothing(&self) -> bool {
        !self.is_asleep && self.min_size == Some(Instances(0))
    }
}

/// The least that a group's own minimum can be.
const OWN_MIN_SIZE: Instances = Instances(1);

/// What `changes` come to, one after the other, as one change at the time of the last; `None` of none. A size that was asked
/// for is left out, but for none at all.
pub(crate) fn in_force(changes: &[CapacityChange]) -> Option<CapacityChange> {
    let mut sizes = Sizes::default();
    changes.iter().for_each(|change| sizes.follow(change));
    let Sizes { min_size, max_size, is_asleep } = sizes;
    let desired_capacity = is_asleep.then_some(Instances(0));
    changes.last().map(|last| CapacityChange { at: last.at, min_size, max_size, desired_capacity })
}

/// Why a group's changes can't be replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CourseError {
    /// The last instance may go, and never come back.
    #[error(
        "from {0} on the group has instances and a MinSize of 0: the low alarm may take the last one, and no alarm has data to \
         bring it back; set a MinSize of 1 or more where the group is woken"
    )]
    MayComeToNothing(MinuteUtc),
    /// There is nothing to replay.
    #[error("from {0} on the group has no instances, and nothing wakes it")]
    NeverWakes(MinuteUtc),
}

fn sleeps(changes: &[CapacityChange]) -> Result<Vec<Sleep>, CourseError> {
    let mut sizes = Sizes::default();
    let mut sleeps: Vec<Sleep> = Vec::new();
    for change in changes {
        let was_asleep = sizes.is_asleep;
        sizes.follow(change);
        match (was_asleep, sizes.is_asleep) {
            (false, true) => sleeps.push(Sleep { from: change.at, until: None }),
            (true, false) => sleeps.last_mut().into_iter().for_each(|sleep| sleep.until = Some(change.at)),
            (true, true) | (false, false) => {}
        }
        if sizes.may_come_to_nothing() {
            return Err(CourseError::MayComeToNothing(change.at));
        }
    }
    Ok(sleeps)
}

impl Course {
    /// Refuses a minimum of nothing while there are instances: the low alarm could take the last one, and no alarm has data
    /// to bring it back. A group that is put to sleep, and woken by a later change, is fine.
    pub fn new(
        mut changes: Vec<CapacityChange>,
        mut deployments: Vec<Deployment>,
    ) -> Result<Self, CourseError> {
        changes.sort_by_key(|change| change.at);
        deployments.sort_by_key(|deployment| deployment.start);
        let sleeps = sleeps(&changes)?;
        Ok(Self { changes, deployments, sleeps })
    }

    /// Whether the group has no instance when `minute` begins, before what changes in it.
    pub fn is_asleep_before(&self, minute: MinuteUtc) -> bool {
        self.sleeps.iter().any(|sleep| sleep.from < minute && sleep.until.is_none_or(|until| minute <= until))
    }

    /// Whether the group has no instance in `minute`, after what changes in it.
    pub fn is_asleep_at(&self, minute: MinuteUtc) -> bool {
        self.sleeps.iter().any(|sleep| sleep.from <= minute && sleep.until.is_none_or(|until| minute < until))
    }

    /// The same, refused where all of `window` is slept through.
    pub fn awake_within(self, window: Window) -> Result<Self, CourseError> {
        let is_all = |sleep: &&Sleep| {
            sleep.from <= window.start && sleep.until.is_none_or(|until| window.end <= until)
        };
        match self.sleeps.iter().find(is_all) {
            None => Ok(self),
            Some(sleep) => Err(CourseError::NeverWakes(sleep.from)),
        }
    }

    /// What a replay starts with: `initial`, brought within the limits that are in force when `minute` begins, or nothing.
    pub(crate) fn first_size(&self, minute: MinuteUtc, initial: Instances, limits: Group) -> Instances {
        if self.is_asleep_before(minute) {
            return Instances(0);
        }
        initial.max(limits.min_size).min(limits.max_size)
    }

    /// `load` without the minutes in which nobody serves: from the change that takes the last instance until one serves that
    /// the next change launches. What is asked for then is answered by nobody, whatever the settings: it is not known what
    /// CPU it would have come to, and no alarm sees it.
    pub fn answered<'a>(&self, load: &'a Load, dynamics: &Dynamics) -> Cow<'a, Load> {
        let unanswered = self.unanswered(load, dynamics);
        if unanswered.is_empty() {
            return Cow::Borrowed(load);
        }
        let mut load = load.clone();
        unanswered.into_iter().for_each(|minute| load.demand_percent[minute] = f64::NAN);
        Cow::Owned(load)
    }

    /// The minutes of `load` in which nobody serves.
    pub(crate) fn unanswered(&self, load: &Load, dynamics: &Dynamics) -> Vec<usize> {
        let length = load.demand_percent.len();
        let place = |minute: MinuteUtc| minute.place_from(load.start).unwrap_or(0).min(length);
        let lead = Minutes(dynamics.launch.0 + dynamics.boot.0);
        let end = |sleep: &Sleep| sleep.until.map_or(length, |until| place(until + lead));
        let mut minutes: Vec<usize> =
            self.sleeps.iter().flat_map(|sleep| place(sleep.from)..end(sleep)).collect();
        // A group may be put to sleep again before anyone serves.
        minutes.sort_unstable();
        minutes.dedup();
        minutes
    }

    /// The same with deployments that were seen.
    pub fn with_deployments(&self, mut deployments: Vec<Deployment>) -> Self {
        deployments.extend(&self.deployments);
        deployments.sort_by_key(|deployment| deployment.start);
        Self { deployments, ..self.clone() }
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
