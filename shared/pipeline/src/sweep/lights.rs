//! What a setting must hold in beside the traffic as it was.

use scaling::dynamics::Dynamics;
use scaling::light::Light;
use scaling::sweep::Grid;
use scaling::units::Minutes;

use crate::activity::LaunchTimes;
use crate::documents::ModelDocument;

/// How much more a setting must bear.
#[derive(Debug, Clone, PartialEq)]
pub struct Margins {
    /// Times the traffic.
    pub amplified: Vec<f64>,
    /// Settings that cost at most this share more than the cheapest are as good: the one with the most room is taken.
    pub near_share: f64,
}

impl Default for Margins {
    fn default() -> Self {
        Self { amplified: vec![1.1, 1.25], near_share: 0.01 }
    }
}

/// The lights, the hardest first: what does not hold is then soon found out.
pub(crate) fn lights(
    margins: &Margins,
    model: &ModelDocument,
    dynamics: &Dynamics,
    launch_times: Option<LaunchTimes>,
    grid: &Grid,
) -> Vec<Light> {
    let mut factors: Vec<Light> = margins.amplified.iter().copied().map(Light::Amplified).collect();
    factors.extend(costlier(model).map(Light::CostlierRequests));
    let factor = |light: &Light| match light {
        Light::Amplified(factor) | Light::CostlierRequests(factor) => *factor,
        _ => 1.0,
    };
    factors.sort_by(|a, b| factor(b).total_cmp(&factor(a)));
    let slow = launch_times.map(|times| Minutes((times.slow_seconds / 60.0).ceil() as u32));
    let slow = slow.filter(|slow| dynamics.launch < *slow).map(Light::SlowerLaunch);
    let period = grid.periods.iter().max().map_or(0, |period| period.0);
    let cooldown = grid.cooldowns.iter().max().map_or(0, |cooldown| cooldown.to_minutes_rounded_up().0);
    let shifts = (1..=(period + cooldown).min(MOST_SHIFT)).map(|minutes| Light::Shifted(Minutes(minutes)));
    factors.into_iter().chain([Light::LaterMetrics]).chain(slow).chain(shifts).collect()
}

/// Shifts beyond which no new one is met: a day's traffic is not moved by hours.
const MOST_SHIFT: u32 = 30;

/// How much dearer requests are at the top of the coefficient's interval, if that makes a difference.
fn costlier(model: &ModelDocument) -> Option<f64> {
    let fit = model.fit.as_deref()?;
    let top = fit.confidence.as_ref()?.coefficient.high;
    let factor = top / fit.coefficient;
    (1.005 <= factor && factor.is_finite()).then_some(factor)
}
