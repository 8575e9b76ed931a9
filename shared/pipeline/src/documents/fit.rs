//! `fits/…/fit.json` and `fits/…/load-test.json`: what a request costs, how sure that is, and what else the metrics
//! show about it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use scaling::coefficient::{Fit, Interval};
use scaling::cpu_model::CpuModel;
use scaling::latency::Knee;
use scaling::units::{CpuPercent, UnitError, Window};
use serde::{Deserialize, Serialize};

use super::{SCHEMA_VERSION, WindowDocument};

/// What a request costs. Fields that early fits did not have are absent there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FitDocument {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The environment.
    pub environment: String,
    /// What was looked at, from the first sample on.
    pub window: WindowDocument,
    /// CPU percent of one instance for one request per minute.
    pub coefficient: f64,
    /// CPU percent of an instance without requests.
    pub intercept_percent: f64,
    /// How sure both are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<ConfidenceDocument>,
    /// Share of the variance of CPU that requests explain.
    pub r_squared: f64,
    /// Standard deviation of CPU around the line, points of percent.
    pub residual_spread_percent: f64,
    /// Periods that the line was drawn through.
    pub usable: u32,
    /// Of those, how many lie so far off that they counted for nothing.
    #[serde(default)]
    pub outlying: u32,
    /// Periods that it was not, by reason.
    pub left_out: BTreeMap<String, u32>,
    /// Least and greatest load, requests per minute per instance.
    pub load_range: (f64, f64),
    /// Minutes that CPU comes after the requests that it serves.
    #[serde(default)]
    pub lag_minutes: u32,
    /// Since when a request costs this, if it cost something else before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<DriftDocument>,
    /// A level that CPU does not pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<CeilingDocument>,
    /// How CPU bends away from the line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bend: Option<BendDocument>,
    /// By how much the busiest instance is above the average, as a share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unevenness: Option<f64>,
    /// From which CPU on response time suffers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub knee: Option<KneeDocument>,
    /// What one instance can serve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<CapacityDocument>,
}

/// Where a number lies, 95 times of 100.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IntervalDocument {
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

impl From<Interval> for IntervalDocument {
    fn from(interval: Interval) -> Self {
        Self { low: interval.low, high: interval.high }
    }
}

/// How sure a line is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConfidenceDocument {
    /// Where the coefficient lies.
    pub coefficient: IntervalDocument,
    /// Where the intercept lies.
    pub intercept_percent: IntervalDocument,
    /// What was drawn anew to tell that: `14 days`.
    pub by: String,
    /// Least and greatest coefficient of single ones of those.
    pub coefficient_by_block: IntervalDocument,
    /// Root mean square distance of CPU from lines that had not seen it, points of percent.
    pub held_out_error_percent: Option<f64>,
}

/// A request costs something else than it did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DriftDocument {
    /// Since then; where `exact` is false, since some time after.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub since: Timestamp,
    /// Whether the change itself was seen, or two fits were compared.
    pub exact: bool,
    /// By how much more a request costs, as a share; below zero if it costs less.
    pub share: f64,
    /// The end of a deployment that was under way at about that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub deployment: Option<Timestamp>,
}

/// A level that CPU does not pass, however many requests there are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CeilingDocument {
    /// The level, CPU percent.
    pub level_percent: f64,
    /// Requests per minute and instance from which CPU stays there.
    pub from_load: f64,
    /// Periods with CPU there.
    pub periods: u32,
    /// Whether CPU was above it at other times: credits were there to spend.
    pub for_a_while: bool,
}

/// CPU rises by a curve and not by a line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BendDocument {
    /// How far CPU lies above the line at the greatest loads, points of percent; below zero if under it.
    pub at_top_percent: f64,
    /// Where that lies.
    pub interval: IntervalDocument,
}

/// Where response time departs from its base.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KneeDocument {
    /// The series: `latency_p95_seconds`, or another where that is not known.
    pub metric: String,
    /// CPU percent at which it departs.
    pub departs_at_percent: f64,
    /// Where that lies.
    pub interval: IntervalDocument,
    /// Response time below, seconds.
    pub base_seconds: f64,
    /// CPU percent at which it is twice that, if it was seen there.
    pub doubles_at_percent: Option<f64>,
    /// CPU percent at which instances have no more to give, if they had before it was at 100.
    pub saturates_at_percent: Option<f64>,
}

/// What one instance can serve.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CapacityDocument {
    /// Up to this CPU percent.
    pub cpu_percent: f64,
    /// Requests per minute.
    pub requests_per_minute: f64,
    /// Where that lies.
    pub interval: IntervalDocument,
    /// Whether CPU was seen that high.
    pub seen: bool,
}

impl FitDocument {
    /// A fit of `environment` over `window`, with what one instance can serve up to `ceiling`, or up to the CPU that it
    /// can show.
    pub fn new(
        environment: &str,
        window: Window,
        fit: &Fit,
        ceiling: CpuPercent,
        knee: Option<&Knee>,
    ) -> Self {
        let mut document = Self {
            schema_version: SCHEMA_VERSION,
            environment: environment.to_owned(),
            window: window.into(),
            coefficient: fit.model.coefficient(),
            intercept_percent: fit.model.intercept_percent(),
            confidence: Some(confidence(fit)),
            r_squared: fit.r_squared,
            residual_spread_percent: fit.residual_spread_percent,
            usable: fit.usable,
            outlying: fit.outlying,
            left_out: fit.left_out.iter().map(|(reason, count)| (reason.to_string(), *count)).collect(),
            load_range: fit.load_range,
            lag_minutes: fit.lag.0,
            drift: None,
            ceiling: fit.ceiling.map(ceiling_document),
            bend: fit.bend.map(|bend| BendDocument {
                at_top_percent: bend.at_top_percent,
                interval: bend.interval.into(),
            }),
            unevenness: fit.unevenness,
            knee: knee.map(knee_document),
            capacity: None,
        };
        let level = document.unreachable_from_percent().and_then(|level| CpuPercent::new(level).ok());
        document.capacity = capacity(fit, at_most(level, ceiling));
        document
    }

    /// The line.
    pub fn model(&self) -> Result<CpuModel, UnitError> {
        CpuModel::new(self.intercept_percent, self.coefficient)
    }

    /// CPU percent that no threshold over it can ever see, whatever the load.
    pub fn unreachable_from_percent(&self) -> Option<f64> {
        let flat = self.ceiling.filter(|ceiling| !ceiling.for_a_while).map(|ceiling| ceiling.level_percent);
        let saturated = self.knee.as_ref().and_then(|knee| knee.saturates_at_percent);
        flat.into_iter().chain(saturated).min_by(f64::total_cmp)
    }
}

/// How far CPU may come: up to `ceiling`, or to a level that it does not pass, where that is lower.
pub(crate) fn at_most(level: Option<CpuPercent>, ceiling: CpuPercent) -> CpuPercent {
    level.filter(|level| *level < ceiling).unwrap_or(ceiling)
}

fn confidence(fit: &Fit) -> ConfidenceDocument {
    ConfidenceDocument {
        coefficient: fit.coefficient_interval.into(),
        intercept_percent: fit.intercept_interval.into(),
        by: fit.blocks.to_string(),
        coefficient_by_block: fit.coefficient_by_block.into(),
        held_out_error_percent: fit.held_out_error_percent,
    }
}

fn ceiling_document(ceiling: scaling::coefficient::Ceiling) -> CeilingDocument {
    let scaling::coefficient::Ceiling { level_percent, from_load, periods, for_a_while } = ceiling;
    CeilingDocument { level_percent, from_load, periods, for_a_while }
}

fn knee_document(knee: &Knee) -> KneeDocument {
    KneeDocument {
        metric: knee.metric.column().to_owned(),
        departs_at_percent: knee.departs_at_percent,
        interval: knee.interval.into(),
        base_seconds: knee.base_seconds,
        doubles_at_percent: knee.doubles_at_percent,
        saturates_at_percent: knee.saturates_at_percent(),
    }
}

fn capacity(fit: &Fit, ceiling: CpuPercent) -> Option<CapacityDocument> {
    let (requests_per_minute, interval) = fit.requests_at(ceiling)?;
    Some(CapacityDocument {
        cpu_percent: ceiling.get(),
        requests_per_minute,
        interval: interval.into(),
        seen: fit.has_seen(ceiling),
    })
}
