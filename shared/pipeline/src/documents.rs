//! The JSON documents that the stages leave for each other, and for programs.
//!
//! Instants are RFC 3339 in universal time, percentages 0 to 100, options in Beanstalk's own words, so that
//! they can be handed to `aws elasticbeanstalk` as they are.

mod choice;
mod dynamics;
mod fit;
mod told;

pub use choice::{
    FrontierStepDocument, OtherCeilingDocument, PickDocument, PicksDocument, PriceDocument,
    ResampledDocument, ScheduledMinimumDocument, WalkForwardDocument, WouldHoldDocument,
};
pub use dynamics::{CreditRulesDocument, DynamicsDocument, LimitsDocument};
pub(crate) use fit::at_most;
pub use fit::{
    BendDocument, CapacityDocument, CeilingDocument, ConfidenceDocument, DriftDocument, FitDocument,
    IntervalDocument, KneeDocument,
};

pub use told::{Confidence, Kind, PublishedDocument, RefusalDocument, ToldChange, ToldDocument, TrustBefore};

use crate::activity::LaunchTimes;
use jiff::Timestamp;
use scaling::backtest::{BackTest, Grade};
use scaling::policy::{PolicyError, ScalingPolicy};
use scaling::settings::{ConfigOption, Settings};
use scaling::simulate::Outcome;
use scaling::units::{MinuteUtc, Minutes, UnitError, Window};
use serde::{Deserialize, Serialize};

/// The version of every document's shape; a reader refuses another one.
pub const SCHEMA_VERSION: u32 = 1;

/// A span of time: `start` is in it, `end` is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WindowDocument {
    /// First instant.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub start: Timestamp,
    /// First instant after it.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub end: Timestamp,
}

impl From<Window> for WindowDocument {
    fn from(window: Window) -> Self {
        Self { start: window.start.start(), end: window.end.start() }
    }
}

impl WindowDocument {
    /// The same in minutes.
    pub fn window(self) -> Result<Window, UnitError> {
        Ok(Window { start: MinuteUtc::containing(self.start)?, end: MinuteUtc::containing(self.end)? })
    }
}

/// An option of Beanstalk's, as its API has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "PascalCase")]
pub struct OptionDocument {
    /// For instance `aws:autoscaling:trigger`.
    pub namespace: String,
    /// For instance `UpperThreshold`.
    pub option_name: String,
    /// Its value, always text.
    pub value: String,
    /// Which of several, where a namespace is about several things: a scheduled action's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
}

impl OptionDocument {
    /// Minutes of `window` in which a group with `options` should have instances: all of them, where that can't be told.
    pub fn awake_minutes(options: &[Self], window: Window) -> Minutes {
        let settings = Settings::from_options(options.iter().map(Self::as_option)).ok();
        let all = || Minutes(window.minutes().count() as u32);
        settings.map_or_else(all, |settings| settings.awake_minutes(window))
    }

    /// The option, to be read.
    pub fn as_option(&self) -> ConfigOption<'_> {
        ConfigOption {
            namespace: &self.namespace,
            resource_name: self.resource_name.as_deref(),
            option_name: &self.option_name,
            value: &self.value,
        }
    }
}

/// The options that make `policy`.
pub fn options(policy: &ScalingPolicy) -> Vec<OptionDocument> {
    let document = |(namespace, name, value): (&str, &str, String)| OptionDocument {
        namespace: namespace.to_owned(),
        option_name: name.to_owned(),
        value,
        resource_name: None,
    };
    policy.options().into_iter().map(document).collect()
}

/// An Auto Scaling group and its limits, as they are in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GroupDocument {
    /// Its name. A rebuilt environment has a new group.
    pub name: String,
    /// Fewest instances.
    pub min_size: u32,
    /// Most instances.
    pub max_size: u32,
    /// Seconds from the end of an activity to the next.
    pub default_cooldown_seconds: u32,
}

/// `settings/…/<since>.json`: the options of an environment, and since when they were seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingsDocument {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The environment.
    pub environment: String,
    /// When this set of options was first seen.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub since: Timestamp,
    /// Every option that has a value, of the namespaces that are read, sorted.
    pub options: Vec<OptionDocument>,
    /// The group behind them, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupDocument>,
}

impl SettingsDocument {
    /// The options, checked.
    pub fn settings(&self) -> Result<Settings, PolicyError> {
        Settings::from_options(self.options.iter().map(OptionDocument::as_option))
    }
}

/// What a policy does to the traffic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OutcomeDocument {
    /// Billed instance hours.
    pub instance_hours: f64,
    /// Mean CPU of the serving instances.
    pub mean_cpu_percent: f64,
    /// Greatest CPU of the serving instances in a minute.
    pub max_cpu_percent: f64,
    /// Minutes at or over the CPU that was to be held.
    pub minutes_over: u32,
    /// Most instances wanted at once.
    pub peak_instances: u32,
    /// Times that instances were added.
    pub scale_outs: u32,
    /// Times that instances were removed.
    pub scale_ins: u32,
}

impl From<Outcome> for OutcomeDocument {
    fn from(outcome: Outcome) -> Self {
        Self {
            instance_hours: outcome.instance_hours(),
            mean_cpu_percent: outcome.mean_cpu_percent,
            max_cpu_percent: outcome.max_cpu_percent,
            minutes_over: outcome.minutes_over,
            peak_instances: outcome.peak_desired.0,
            scale_outs: outcome.scale_outs,
            scale_ins: outcome.scale_ins,
        }
    }
}

/// Where the cost of a request comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ModelSource {
    /// From the environment's own metrics.
    Fitted {
        /// The end of the window that was fitted.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        until: Timestamp,
        /// Share of the variance of CPU that requests explain.
        r_squared: f64,
        /// Standard deviation of CPU around the line, points of percent.
        residual_spread_percent: f64,
        /// Periods that the line was drawn through.
        usable: u32,
        /// Greatest load that was seen, requests per minute per instance.
        greatest_load: f64,
    },
    /// Stated by whoever asked; nothing is known about its error.
    Stated,
}

/// The cost of a request, and how well it is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ModelDocument {
    /// CPU percent of one instance for one request per minute.
    pub coefficient: f64,
    /// CPU percent of an instance without requests.
    pub intercept_percent: f64,
    /// How it is known.
    pub source: ModelSource,
    /// The whole fit, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<Box<FitDocument>>,
}

/// Where the CPU that should not be reached comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum CeilingSource {
    /// Whoever asked said so.
    #[default]
    Asked,
    /// Nobody said anything.
    Default,
    /// Nobody said anything, and response time departs from its base earlier than the default.
    Knee,
}

/// The traffic that was replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrafficDocument {
    /// First and last.
    pub window: WindowDocument,
    /// Whether it is that of the window, as it was.
    pub recorded: bool,
    /// What it is instead: a day by itself, with a crowd on top, or made from stages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<String>,
    /// Minutes replayed.
    pub minutes: usize,
    /// Of these, the minutes that the group sleeps through, by its scheduled actions.
    #[serde(default, skip_serializing_if = "is_none_of_them")]
    pub minutes_asleep: usize,
    /// Of which the requests are not known, though the group is awake.
    pub minutes_missing: usize,
    /// Greatest rate, requests per minute of the whole environment; that of costless minutes does not count.
    pub peak_requests_per_minute: f64,
    /// Mean rate over the minutes that are known. Early advice did not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_requests_per_minute: Option<f64>,
    /// Minutes with far more requests than usual that no CPU shows: they are replayed by their CPU.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub costless: Vec<Timestamp>,
}

fn is_none_of_them(minutes: &usize) -> bool {
    *minutes == 0
}

/// How many policies were looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CandidatesDocument {
    /// Settings that were replayed, until they were over the ceiling or dearer than those that hold.
    pub replayed: usize,
    /// The cheapest that hold, which are kept in the table.
    #[serde(alias = "held")]
    pub kept: usize,
    /// Not replayed: an action could call for its own reversal.
    pub oscillating: usize,
    /// Not replayed: the metrics are too coarse for their period.
    pub too_fine: usize,
    /// Not replayed: CPU never comes up to their upper threshold.
    #[serde(default)]
    pub unreachable: usize,
}

/// The settings as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PresentDocument {
    /// The policy that they make, where it can be replayed.
    pub options: Vec<OptionDocument>,
    /// The options of the trigger and the group that are set; the others are as Beanstalk has them by default. Early advice
    /// did not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given: Option<Vec<OptionDocument>>,
    /// What it does to the traffic.
    pub outcome: Option<OutcomeDocument>,
    /// Up to how many times its traffic it holds at every step of a hundredth; nothing where it does not hold as things are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<f64>,
    /// In which of the recommendation's lights it does not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fails_with: Vec<String>,
    /// Why it can't be replayed.
    pub not_simulated: Option<String>,
    /// What their owner should know about them.
    pub findings: Vec<String>,
    /// Those of the findings by which they can't work as meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub broken: Vec<String>,
}

/// A policy to take, and what it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PolicyDocument {
    /// Every option that it consists of.
    pub options: Vec<OptionDocument>,
    /// What it does to the traffic.
    pub outcome: OutcomeDocument,
}

/// How a replay compares with what really happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BackTestDocument {
    /// `good`, `fair` or `not_trusted`.
    pub grade: GradeDocument,
    /// The likeliest cause, where it is not trusted.
    pub cause: Option<String>,
    /// Why the trigger's part could not be replayed; CPU alone was compared then.
    pub cpu_only_because: Option<String>,
    /// Minutes that were compared.
    pub minutes: u32,
    /// Minutes with saturated CPU, judged apart.
    pub saturated_minutes: u32,
    /// Minutes of deployments that were seen.
    pub deploying_minutes: u32,
    /// Whether delays were taken from the first half of the minutes, and the errors from the second.
    pub calibrated: bool,
    /// Which series counts the instances, where it is known.
    pub instances_by: Option<String>,
    /// How long launches really took, where activities tell.
    pub launch_times: Option<LaunchTimesDocument>,
    /// The instances, where they were replayed.
    pub counts: Option<CountsDocument>,
    /// Predicted less recorded CPU on average, points.
    pub mean_cpu_error: f64,
    /// Mean distance of predicted from recorded CPU, points.
    pub cpu_distance: f64,
    /// Predicted less recorded 99th percentile of CPU, points.
    pub peak_cpu_error: f64,
}

/// How far a replay can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum GradeDocument {
    /// Close.
    Good,
    /// Near enough.
    Fair,
    /// Neither.
    NotTrusted,
}

impl GradeDocument {
    /// As people read it.
    pub fn said(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::NotTrusted => "not trusted",
        }
    }
}

/// How long launches took, from their begin to in service.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LaunchTimesDocument {
    /// How many were measured.
    pub count: usize,
    /// The 10th percentile.
    pub short_seconds: f64,
    /// The median.
    pub median_seconds: f64,
    /// The 90th percentile.
    pub long_seconds: f64,
}

impl From<LaunchTimes> for LaunchTimesDocument {
    fn from(times: LaunchTimes) -> Self {
        let LaunchTimes { count, short_seconds, median_seconds, long_seconds, .. } = times;
        Self { count, short_seconds, median_seconds, long_seconds }
    }
}

/// How replayed instances compare with recorded ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CountsDocument {
    /// Replayed over recorded instance hours, less 1.
    pub hours_bias: f64,
    /// Mean absolute percentage error of the count, as a share.
    pub mape: f64,
    /// Share of the minutes with the exact count.
    pub exact: f64,
    /// Recorded changes.
    pub recorded_events: u32,
    /// Replayed changes.
    pub replayed_events: u32,
    /// Recorded changes that the replay has within two minutes.
    pub matched_events: u32,
}

impl BackTestDocument {
    /// A back-test of the whole replay, or of CPU alone.
    pub fn new(back_test: &BackTest, calibrated: bool, cpu_only_because: Option<String>) -> Self {
        let (grade, cause) = match back_test.grade() {
            Grade::Good => (GradeDocument::Good, None),
            Grade::Fair => (GradeDocument::Fair, None),
            Grade::NotTrusted(cause) => (GradeDocument::NotTrusted, Some(cause.to_string())),
        };
        let counts = back_test.counts.map(|counts| CountsDocument {
            hours_bias: counts.hours_bias,
            mape: counts.mape,
            exact: counts.exact,
            recorded_events: counts.recorded_events,
            replayed_events: counts.replayed_events,
            matched_events: counts.matched_events,
        });
        Self {
            grade,
            cause,
            cpu_only_because,
            minutes: back_test.minutes,
            saturated_minutes: back_test.saturated,
            deploying_minutes: back_test.deploying,
            calibrated,
            instances_by: None,
            launch_times: None,
            counts,
            mean_cpu_error: back_test.mean_cpu_error,
            cpu_distance: back_test.cpu_distance,
            peak_cpu_error: back_test.peak_cpu_error,
        }
    }
}

/// What burstable instances would spend under the recommended policy, starting with nothing saved up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreditsDocument {
    /// For instance `t3.small`.
    pub instance_type: String,
    /// Whether CPU falls to its baseline without credits, or goes on and costs.
    pub unlimited: bool,
    /// CPU percent at which an instance spends what it earns.
    pub baseline_percent: f64,
    /// Minutes in which an instance would be held at its baseline.
    pub minutes_throttled: u32,
    /// Credits spent beyond what is earned.
    pub surplus_credits: f64,
}

/// Another kind of scaling policy that would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TargetTrackingDocument {
    /// The average CPU that it keeps to, percent.
    pub target_percent: f64,
    /// Fewest instances.
    pub min_size: u32,
    /// Most instances.
    pub max_size: u32,
    /// What it does to the traffic.
    pub outcome: OutcomeDocument,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum VerdictDocument {
    /// Take the recommended policy.
    Change,
    /// The present policy holds and nothing is clearly cheaper.
    Keep,
    /// Nothing that was tried holds the ceiling; `recommended` is only the closest.
    NoneHolds,
    /// The replay does not come close to what really happened: nothing is recommended.
    NotTrusted,
    /// A single instance has no trigger: there is nothing to recommend.
    NotApplicable,
}

/// `sweeps/…/recommendation.json`: the advice, and all that a message says about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RecommendationDocument {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The same for the same advice, whatever traffic it was found on.
    pub advice_id: String,
    /// The environment.
    pub environment: String,
    /// CPU that should not be reached.
    pub cpu_ceiling_percent: f64,
    /// Who said so.
    #[serde(default)]
    pub cpu_ceiling_from: CeilingSource,
    /// CPU that no replay may reach, so that real CPU, which strays from its line, stays under the ceiling.
    pub cpu_held_percent: f64,
    /// Minutes in which it may be.
    pub minutes_over_allowed: u32,
    /// What was replayed.
    pub traffic: TrafficDocument,
    /// What a request costs.
    pub model: ModelDocument,
    /// Whether CPU comes higher in the recommended policy's replay than the line was ever seen, percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub never_seen_above_percent: Option<f64>,
    /// What was tried.
    pub candidates: CandidatesDocument,
    /// The delays and the like that everything was replayed with, after the back-test had its say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replayed_with: Option<DynamicsDocument>,
    /// The settings as they are, if they are known.
    pub present: Option<PresentDocument>,
    /// How the replay compares with what really happened; nothing where nothing was recorded to compare with.
    pub back_test: Option<BackTestDocument>,
    /// What to do.
    pub verdict: VerdictDocument,
    /// The policy to take or to keep; under `none_holds` the closest, which is not advised.
    pub recommended: Option<PolicyDocument>,
    /// Up to how many times the traffic the recommended policy holds at every step of a hundredth. Beyond the first step at
    /// which it does not, it may hold again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<f64>,
    /// What it holds with, beside the traffic as it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds_with: Vec<String>,
    /// CPU credits, where the instances are of one burstable type.
    pub credits: Option<CreditsDocument>,
    /// The cheapest target tracking policy that holds, for comparison; nothing where CPU comes every five minutes, too seldom for
    /// its alarms.
    pub target_tracking: Option<TargetTrackingDocument>,
    /// Instance hours below which no settings can come without a minute over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fewest_instance_hours: Option<f64>,
    /// The limits of the group that it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fewest_within: Option<LimitsDocument>,
    /// What advice from the first days did to the days after; nothing where there are less than four days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk_forward: Option<WalkForwardDocument>,
    /// The recommended settings on days drawn anew; nothing where there are less than four days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resampled: Option<ResampledDocument>,
    /// Three settings to choose from, where some hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picks: Option<PicksDocument>,
    /// What minutes over buy, fewest of them first: the first and the last step, the knee, and steps alike in between.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frontier: Vec<FrontierStepDocument>,
    /// What other ceilings would take.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_ceilings: Vec<OtherCeilingDocument>,
    /// What it costs, where a price was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<PriceDocument>,
    /// What would make the closest settings hold, where none do and something would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_hold: Option<WouldHoldDocument>,
    /// In what the closest settings do not hold, where they do in the traffic as it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closest_fails_with: Vec<String>,
    /// What the recommended settings take beyond the cheapest that hold as much, as a share of these, where that is something: of
    /// those that are near it, they bear the most traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over_cheapest: Option<f64>,
    /// The settings that the readers were last told to take, on this traffic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<ToldDocument>,
}

impl RecommendationDocument {
    /// What the present settings do to the traffic, where they are known and can be replayed.
    pub fn present_outcome(&self) -> Option<&OutcomeDocument> {
        self.present.as_ref()?.outcome.as_ref()
    }

    /// Why the present settings can't work as meant; empty where they can.
    pub fn broken(&self) -> &[String] {
        self.present.as_ref().map_or(&[], |present| &present.broken)
    }
}
