//! Minutes with far more requests than there ever were besides, of which CPU shows nothing, though it could have: a burst
//! that was turned away, or requests that were counted later than they came. A fit counts them for nothing; a replay that
//! took them at full cost would be about little else.

use crate::coefficient::{FEW, far_beyond, greatest_but};
use crate::cpu_model::CpuModel;
use crate::observation::{Observation, observe};
use crate::sample::Sample;
use crate::traffic::{Load, Traffic};
use crate::units::{MinuteUtc, Minutes};

/// A minute whose requests cost less than half of what others do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Costless {
    /// Which.
    pub minute_utc: MinuteUtc,
    /// What they cost, as a share of what others do.
    pub share: f64,
}

/// Requests that cost a smaller share than that have not shown in CPU.
const MOST_SHARE: f64 = 0.5;
/// CPU that was at times this much higher could have risen.
const COULD_RISE: f64 = 1.1;

/// Those among `traffic`, which is that of `samples`, as far as their CPU is known.
pub fn costless(samples: &[Sample], traffic: &Traffic, model: CpuModel) -> Vec<Costless> {
    let mut known: Vec<f64> = traffic.requests_per_minute.iter().flatten().map(|rate| rate.get()).collect();
    let far = far_beyond(&mut known, FEW);
    let is_far = |minute: MinuteUtc| traffic.at(minute).is_some_and(|rate| far < rate.get());
    if !known.iter().any(|rate| far < *rate) {
        return vec![];
    }
    let (observations, _) = observe(samples);
    let mut cpu: Vec<f64> = observations.iter().map(|o| o.cpu_percent).collect();
    let could_rise = greatest_but(&mut cpu, FEW) / COULD_RISE;
    let shown = observations.iter().filter(|o| o.cpu_percent <= could_rise);
    let shares = shown.filter_map(|o| Some((o, share(o, model).filter(|share| *share < MOST_SHARE)?)));
    let minutes = shares.flat_map(|(o, share)| {
        (0..o.period.minutes().0).map(move |i| Costless { minute_utc: o.minute_utc + Minutes(i), share })
    });
    minutes.filter(|costless| is_far(costless.minute_utc)).collect()
}

/// What CPU shows of the requests, of what the line has for them.
fn share(observation: &Observation, model: CpuModel) -> Option<f64> {
    let asked = model.coefficient() * observation.requests_per_minute_per_instance;
    (0.0 < asked).then(|| ((observation.cpu_percent - model.intercept_percent()) / asked).max(0.0))
}

impl Load {
    /// The same with those minutes at what they cost; CPU does not stray from that.
    pub fn with_costless(mut self, minutes: &[Costless]) -> Self {
        for Costless { minute_utc, share } in minutes {
            let Some(place) = minute_utc.place_from(self.start) else { continue };
            if let Some(demand) = self.demand_percent.get_mut(place) {
                *demand *= share;
            }
            if let Some(stray) = self.stray_percent.get_mut(place) {
                *stray = 0.0;
            }
        }
        self
    }
}
