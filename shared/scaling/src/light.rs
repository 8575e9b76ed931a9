//! The lights under which a setting must hold: not only the traffic as it was, but as it could as well have been.

use std::fmt;

use crate::course::Course;
use crate::dynamics::Dynamics;
use crate::sweep::Setting;
use crate::traffic::Load;
use crate::units::{Instances, Minutes};

/// One way in which things could have been otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Light {
    /// Metrics that come a minute later: AWS does not publish the delay.
    LaterMetrics,
    /// Launches that take longer.
    SlowerLaunch(Minutes),
    /// The same traffic, so many times as much.
    Amplified(f64),
    /// Requests that cost so many times as much.
    CostlierRequests(f64),
    /// The same traffic some minutes later, after as many minutes of what it begins with.
    Shifted(Minutes),
}

impl fmt::Display for Light {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LaterMetrics => write!(f, "metrics a minute later"),
            Self::SlowerLaunch(launch) => write!(f, "launches of {launch}"),
            Self::Amplified(factor) => write!(f, "{factor:.2} times the traffic"),
            Self::CostlierRequests(factor) => write!(f, "requests that cost {factor:.2} times as much"),
            Self::Shifted(minutes) => write!(f, "the traffic {minutes} later"),
        }
    }
}

/// A setting in a light.
#[derive(Debug, Clone)]
pub struct Lit {
    /// What comes in.
    pub load: Load,
    /// Delays and the like.
    pub dynamics: Dynamics,
    course: Course,
    initial: Instances,
}

impl Lit {
    /// To be replayed.
    pub fn setting(&self) -> Setting<'_> {
        let (dynamics, course, initial) = (self.dynamics, self.course.clone(), self.initial);
        Setting { load: &self.load, dynamics, course, initial }
    }
}

impl Light {
    /// `setting` in it.
    pub fn on(self, setting: &Setting<'_>) -> Lit {
        let (mut load, mut dynamics) = (setting.load.clone(), setting.dynamics);
        match self {
            Self::LaterMetrics => dynamics = dynamics.with_later_metrics(),
            Self::SlowerLaunch(launch) => dynamics.launch = launch,
            Self::Amplified(factor) => ask_more(&mut load, factor),
            Self::CostlierRequests(factor) => {
                // There are as many requests as before: an alarm that counts them sees no more.
                load.coefficient *= factor;
                ask_more(&mut load, factor);
            }
            Self::Shifted(minutes) => load = shifted(&load, minutes, setting.course.is_empty()),
        }
        Lit { load, dynamics, course: setting.course.clone(), initial: setting.initial }
    }
}

fn ask_more(load: &mut Load, factor: f64) {
    load.demand_percent.iter_mut().for_each(|demand| *demand *= factor);
}

/// The traffic comes later by the clock, and so otherwise to bins of five minutes. Where something is scheduled or was deployed,
/// that goes with the traffic, and bins with it.
fn shifted(load: &Load, minutes: Minutes, by_the_clock: bool) -> Load {
    let before = |values: &[f64]| -> Vec<f64> {
        let first = values.first().map(|first| std::iter::repeat_n(*first, minutes.0 as usize));
        first.into_iter().flatten().chain(values.iter().copied()).collect()
    };
    Load {
        start: if by_the_clock { load.start } else { load.start - minutes },
        demand_percent: before(&load.demand_percent),
        stray_percent: before(&load.stray_percent),
        ..load.clone()
    }
}
