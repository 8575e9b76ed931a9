//! What lets a reader believe an advice, and choose another one: beyond the record, beside the recommended settings.

use scaling::resampled::{RESAMPLES, Resampled};
use serde::{Deserialize, Serialize};

use super::{IntervalDocument, OptionDocument, OutcomeDocument, PolicyDocument};
use crate::values::Price;

/// The advice that the first days of the window alone would have given, and what it did to the days after them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WalkForwardDocument {
    /// Days by which it was chosen.
    pub days_choosing: usize,
    /// Days by which it was judged.
    pub days_judging: usize,
    /// The settings, and what they did to the days by which they are judged; nothing where none held before.
    pub chosen: Option<PolicyDocument>,
    /// How much more they cost there than the best in hindsight, as a share; nothing where none holds there.
    pub cost_over_best: Option<f64>,
}

/// What the recommended settings come to on days of the window drawn anew, with replacement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResampledDocument {
    /// Samples.
    pub resamples: usize,
    /// Days of each.
    pub days: usize,
    /// Share of the samples in which the settings hold as things were.
    pub holds: f64,
    /// Share of the samples in which none of the kept settings that hold is cheaper.
    pub cheapest: f64,
    /// Share of the samples in which none of them is cheaper by more than `near_share`.
    pub as_good: f64,
    /// What counts as about as cheap, as a share.
    pub near_share: f64,
    /// What is saved of the present instance hours, as a share, in 95 samples of 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saving: Option<IntervalDocument>,
    /// Highest CPU in 95 samples of 100.
    pub max_cpu_percent: IntervalDocument,
}

impl ResampledDocument {
    /// What was drawn, where settings that cost at most `near_share` more are as good.
    pub fn new(resampled: Resampled, near_share: f64) -> Self {
        let Resampled { days, holds, cheapest, as_good, saving, max_cpu_percent } = resampled;
        let (saving, max_cpu_percent) = (saving.map(Into::into), max_cpu_percent.into());
        Self { resamples: RESAMPLES, days, holds, cheapest, as_good, near_share, saving, max_cpu_percent }
    }
}

/// Settings to take instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PickDocument {
    /// Every option that they consist of.
    pub options: Vec<OptionDocument>,
    /// What they do to the traffic.
    pub outcome: OutcomeDocument,
    /// Up to how many times the traffic they hold at every step of a hundredth.
    pub room: f64,
}

/// Three settings by how much they dare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PicksDocument {
    /// The cheapest that hold the traffic as it was, also with metrics that come a minute later: no margin for more of it.
    pub cheap: PickDocument,
    /// The recommended ones.
    pub balanced: PickDocument,
    /// The cheapest that hold in all that the recommended ones hold in and bear one and a half times the traffic; where none
    /// does, the kept ones that bear the most.
    pub safe: PickDocument,
}

/// The cheapest settings with at most so many minutes over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FrontierStepDocument {
    /// Billed instance hours.
    pub instance_hours: f64,
    /// Minutes at or over the CPU that was to be held.
    pub minutes_over: u32,
    /// Every option that they consist of.
    pub options: Vec<OptionDocument>,
}

/// What another ceiling would take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OtherCeilingDocument {
    /// The ceiling.
    pub cpu_ceiling_percent: f64,
    /// What a replay may not reach, so that real CPU stays under it.
    pub cpu_held_percent: f64,
    /// The cheapest settings that hold it in the traffic as it was; `minutes_over` counts by this ceiling. Nothing where
    /// none do.
    pub cheapest: Option<PolicyDocument>,
}

/// What would make the closest settings hold, where none do. Each may be enough.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WouldHoldDocument {
    /// The smallest `MinSize` above theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_size: Option<u32>,
    /// `MaxSize`, where that must be raised too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u32>,
    /// A larger minimum for a part of each day, where that takes less than one all day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<ScheduledMinimumDocument>,
    /// Half the minutes from a launch that was asked for to the first request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup_minutes: Option<u32>,
    /// What these minutes are now.
    pub startup_minutes_now: u32,
}

/// Two scheduled actions: a larger minimum at one time of each day, and the group's own again at another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ScheduledMinimumDocument {
    /// `MinSize` in between.
    pub min_size: u32,
    /// `MaxSize` in between, where that must be raised too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<u32>,
    /// From when to when, for people.
    pub when: String,
    /// `Recurrence` of the action that raises, and of the one that sets the group's own limits again.
    pub recurrences: [String; 2],
    /// What the closest settings take with it, and with a larger minimum all day, if that would do.
    pub instance_hours: f64,
    /// See above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_day_instance_hours: Option<f64>,
}

/// What it costs. A month has 30.4 days.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PriceDocument {
    /// USD for an hour of an instance.
    pub usd_per_instance_hour: f64,
    /// USD a month under the present settings, where these can be replayed.
    pub now_usd_per_month: Option<f64>,
    /// USD a month under the recommended settings.
    pub then_usd_per_month: Option<f64>,
}

/// Hours of a month.
const HOURS_PER_MONTH: f64 = 30.4 * 24.0;

impl PriceDocument {
    /// What `outcomes`, now and then, cost over a month of such traffic as these `minutes` had.
    pub fn new(price: Price, minutes: usize, outcomes: [Option<&OutcomeDocument>; 2]) -> Self {
        let usd_per_instance_hour = price.usd();
        let only = Self { usd_per_instance_hour, now_usd_per_month: None, then_usd_per_month: None };
        let [now, then] = outcomes.map(|outcome| Some(only.per_month(outcome?.instance_hours, minutes)));
        Self { now_usd_per_month: now, then_usd_per_month: then, ..only }
    }

    /// USD a month, where `minutes` take so many instance hours.
    pub fn per_month(&self, instance_hours: f64, minutes: usize) -> f64 {
        instance_hours * self.usd_per_instance_hour / (minutes as f64 / 60.0) * HOURS_PER_MONTH
    }
}
