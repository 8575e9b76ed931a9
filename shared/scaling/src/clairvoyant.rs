//! What no setting can cost less than: a fleet that knows the traffic in advance and always has just enough of it.
//!
//! It shows how much is left to win: a setting near it is as good as any can be, whatever else is tried.

use crate::policy::Group;
use crate::sweep::Setting;
use crate::units::{CpuPercent, Instances};

/// Billed instance-minutes, summed, of a fleet that foresees the traffic of `setting`: the fewest with which no minute
/// reaches `ceiling` percent CPU on the line. `None` where no group of any size stays below it, since an instance without
/// requests does not.
///
/// An instance is launched and boots before it serves, so that in every minute there are as many as the busiest minute
/// of that lead needs; who was there is billed until drained; and the group keeps to the smaller of its limits, as
/// scheduled actions change them. The limits of `least` are the smallest of the settings that are compared: for all of
/// these, a replay without a minute at the ceiling costs at least as much. A setting with minutes at the ceiling may cost
/// less, and what the group starts with may go at once.
///
/// ```
/// use scaling::clairvoyant::fewest_instance_minutes;
/// use scaling::course::Course;
/// use scaling::dynamics::Dynamics;
/// use scaling::policy::Group;
/// use scaling::sweep::Setting;
/// use scaling::traffic::Load;
/// use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds};
///
/// let load = Load {
///     start: MinuteUtc::new(0)?,
///     intercept_percent: 0.0,
///     coefficient: 1.0,
///     demand_percent: vec![40.0, 40.0, 40.0, 90.0, 40.0, 40.0],
///     stray_percent: vec![],
/// };
/// let dynamics = Dynamics { launch: Minutes(1), boot: Minutes(1), drain: Minutes(1), ..Dynamics::default() };
/// let setting = Setting { load: &load, dynamics, course: Course::default(), initial: Instances(1) };
/// let least = Group { min_size: Instances(1), max_size: Instances(4), cooldown: Seconds(60) };
/// // The second instance is launched two minutes before it is needed, and drains for one.
/// assert_eq!(fewest_instance_minutes(&setting, CpuPercent::new(50.0)?, least), Some(1 + 2 + 2 + 2 + 2 + 1));
/// # Ok::<(), scaling::units::UnitError>(())
/// ```
pub fn fewest_instance_minutes(setting: &Setting<'_>, ceiling: CpuPercent, least: Group) -> Option<u64> {
    Some(fewest_instances(setting, ceiling, least)?.into_iter().map(u64::from).sum())
}

/// The same minute by minute: billed instances.
pub fn fewest_instances(setting: &Setting<'_>, ceiling: CpuPercent, least: Group) -> Option<Vec<u32>> {
    let needs = needs(setting, ceiling)?;
    let lead = (setting.dynamics.launch.0 + setting.dynamics.boot.0) as usize;
    let wanted = later_greatest(&needs, lead);
    let kept: Vec<u32> =
        wanted.iter().zip(floors(setting, least)).map(|(need, min)| *need.max(&min)).collect();
    let billed = earlier_greatest(&kept, setting.dynamics.drain.0 as usize);
    let helping = (0..needs.len()).map(|minute| deploying(setting, minute).0);
    Some(billed.into_iter().zip(helping).map(|(own, extra)| own + extra).collect())
}

/// More instances than a group can have.
const TOO_MANY: u32 = 10_001;

/// Instances of the group that stay below the ceiling, minute by minute; a minute without data needs one, and one in which the
/// schedule leaves nobody to serve none.
fn needs(setting: &Setting<'_>, ceiling: CpuPercent) -> Option<Vec<u32>> {
    // CPU that never shows as much is never at the ceiling.
    let most = setting.dynamics.cpu_ceiling;
    let mut unanswered = setting.course.unanswered(setting.load, &setting.dynamics).into_iter().peekable();
    let need = |minute: usize| {
        if unanswered.next_if_eq(&minute).is_some() {
            return Some(0);
        }
        let (extra, extra_cpu) = deploying(setting, minute);
        let idle = setting.load.intercept_percent + extra_cpu;
        let demand = setting.load.demand_percent[minute];
        let is_over = |own: u32| {
            let line = idle + demand / f64::from(own + extra);
            ceiling <= most && ceiling.get() <= line
        };
        fewest(is_over)
    };
    (0..setting.load.demand_percent.len()).map(need).collect()
}

/// The first count from 1 on that is not over: more instances are never busier.
fn fewest(is_over: impl Fn(u32) -> bool) -> Option<u32> {
    let (mut too_few, mut enough) = (0, TOO_MANY);
    while too_few + 1 < enough {
        let middle = u32::midpoint(too_few, enough);
        (too_few, enough) = if is_over(middle) { (middle, enough) } else { (too_few, middle) };
    }
    (enough < TOO_MANY).then_some(enough)
}

/// Instances that help with a deployment, and what it costs each in CPU percent.
fn deploying(setting: &Setting<'_>, minute: usize) -> (u32, f64) {
    setting.course.deploying_at(setting.load.start + crate::units::Minutes(minute as u32))
}

/// The smallest size that the limits allow, minute by minute. Where they contradict each other, the upper one wins.
fn floors(setting: &Setting<'_>, least: Group) -> Vec<u32> {
    let least = setting.course.limits_at(setting.load.start, least);
    let (mut min, mut max) = (least.min_size, least.max_size);
    let mut changes = setting.course.changes_of(setting.load).into_iter().peekable();
    let floor = |minute| {
        while let Some((_, change)) = changes.next_if(|(at, _)| *at <= minute) {
            (min, max) = (change.min_size.unwrap_or(min), change.max_size.unwrap_or(max));
        }
        let Instances(floor) = min.min(max);
        floor
    };
    (0..setting.load.demand_percent.len()).map(floor).collect()
}

/// The greatest of each value and the `reach` after it.
fn later_greatest(values: &[u32], reach: usize) -> Vec<u32> {
    let greatest = |first: usize| values[first..values.len().min(first + reach + 1)].iter().copied().max();
    (0..values.len()).filter_map(greatest).collect()
}

/// The greatest of each value and the `reach` before it.
fn earlier_greatest(values: &[u32], reach: usize) -> Vec<u32> {
    let greatest = |last: usize| values[last.saturating_sub(reach)..=last].iter().copied().max();
    (0..values.len()).filter_map(greatest).collect()
}
