//! Times at which a group's size has nothing to do with its policy: a deployment with an additional batch.
//!
//! It shows as a jump of the instances without one of the requests, that goes back within two hours.

use crate::course::Deployment;
use crate::units::{Instances, MinuteUtc, Minutes};

/// One minute as it was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct RecordedMinute {
    /// Instances in service.
    pub in_service: Option<f64>,
    /// The group's average CPU, percent.
    pub cpu_percent: Option<f64>,
    /// Requests in the minute.
    pub requests: Option<f64>,
}

const LONGEST: usize = 120;
/// A batch at least that large, as a share of the group, is no step of a policy.
const LEAST_SHARE: f64 = 0.5;
/// Requests that change by less than this share have not jumped.
const STEADY_SHARE: f64 = 0.25;

/// The deployments that the minutes from `start` on show. `largest_step` is the largest that a policy takes.
pub fn deployments(start: MinuteUtc, minutes: &[RecordedMinute], largest_step: u32) -> Vec<Deployment> {
    let mut found = Vec::new();
    let mut index = 1;
    while index < minutes.len() {
        match deployment_at(minutes, index, largest_step) {
            Some((length, extra)) => {
                let at = |index: usize| start + Minutes(index as u32);
                found.push(Deployment {
                    start: at(index),
                    end: at(index + length),
                    extra: Instances(extra),
                    extra_cpu_percent: 0.0,
                });
                index += length;
            }
            None => index += 1,
        }
    }
    found
}

/// How long a deployment that begins at `index` lasts, and its extra instances.
fn deployment_at(minutes: &[RecordedMinute], index: usize, largest_step: u32) -> Option<(usize, u32)> {
    let before = minutes[index - 1].in_service?;
    let jumped = minutes[index].in_service?;
    let extra = (jumped - before).round();
    let large = extra >= 1.0 && extra >= LEAST_SHARE * before && extra > f64::from(largest_step);
    if !large || !is_steady(minutes[index - 1].requests?, minutes[index].requests?) {
        return None;
    }
    let after = minutes[index..].iter().take(LONGEST);
    let length =
        after.take_while(|minute| minute.in_service.is_none_or(|count| count > before + extra / 2.0)).count();
    let goes_back = length < LONGEST && index + length < minutes.len();
    goes_back.then_some((length, extra as u32))
}

fn is_steady(before: f64, after: f64) -> bool {
    (after - before).abs() <= STEADY_SHARE * before.max(after)
}
