//! Stage 3 on AWS: every plausible policy against the traffic.

use std::num::NonZero;

use jiff::Timestamp;
use lambda_runtime::tracing;
use pipeline::advice;
use pipeline::archive::rehearsal::Rehearsal;
use pipeline::archive::{Archive, Environment};
use pipeline::documents::{RecommendationDocument, VerdictDocument};
use pipeline::spending::Counted;
use pipeline::sweep::{
    self, Day, Margins, Model, Progress, Replayed, Seldom, SweepReport, SweepRequest, Watch,
};
use pipeline::values::{Amplify, CandidateValues, FlashCrowd, NearPercent, Price, Stages};
use scaling::backtest::Free;
use scaling::cpu_model::CpuModel;
use scaling::dynamics::Dynamics;
use scaling::traffic::Traffic;
use scaling::units::{CpuPercent, MinuteUtc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{self, Common, EventError, percent, wrong};
use crate::failure::Failure;
use crate::fleet::{Emit, Meter, Outcome, each};
use crate::measure::count;
use crate::recent::{Recent, asked_for, pass_on, window};
use crate::serve::Left;

const STAGE: &str = "sweep";
/// The memory of its function.
const GIGABYTES: f64 = 1769.0 / 1024.0;

/// What holds unless the event says otherwise.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Defaults {
    /// How far a sweep looks back.
    pub lookback_days: u32,
    /// CPU that should not be reached, where somebody said so.
    pub cpu_ceiling: Option<CpuPercent>,
    /// Policies replayed at once.
    pub threads: NonZero<usize>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    cpu_ceiling_percent: Option<f64>,
    margin_percent: Option<f64>,
    minutes_over_allowed: u32,
    amplify: Option<Amplify>,
    near_percent: Option<NearPercent>,
    coefficient: Option<f64>,
    intercept_percent: Option<f64>,
    stages: Option<Stages>,
    day: Option<Day>,
    crowd: Option<FlashCrowd>,
    candidates: CandidateValues,
    price_per_instance_hour: Option<f64>,
}

#[derive(Serialize)]
struct Swept {
    /// Where the advice lies; nothing under "what if".
    key: Option<String>,
    subject: String,
    verdict: VerdictDocument,
    /// All of it, where one environment was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    recommendation: Option<RecommendationDocument>,
}

impl Swept {
    fn of(common: &Common, report: SweepReport) -> Self {
        let SweepReport { document, keys } = report;
        Self {
            key: keys.map(|keys| keys.recommendation.to_string()),
            subject: advice::message(&document).subject,
            verdict: document.verdict,
            recommendation: common.asks_for_one().then_some(document),
        }
    }
}

/// Answers one event, as long as there is time left.
pub async fn handle(
    archive: &dyn Archive,
    emit: Emit<'_>,
    defaults: Defaults,
    event: Value,
    clock: Timestamp,
    left: Left<'_>,
) -> Result<Value, Failure> {
    let (common, asked) = event::parse::<Asked>(event, clock)?;
    let template = Template::of(asked, defaults)?;
    let counted = Counted::over(archive);
    let meter = Meter { gigabytes: GIGABYTES, archive: &counted };
    let rehearsal = Rehearsal::over(&counted);
    let archive: &dyn Archive = if common.dry_run { &rehearsal } else { &counted };
    let environments = asked_for(archive, &common).await?;
    let one = async |environment: &Environment| one(archive, &common, &template, environment, left).await;
    each(STAGE, &common, &environments, emit, meter, one).await
}

/// All of a request but whose and of which time.
struct Template {
    replayed: Replayed,
    model: Model,
    ceiling: Option<CpuPercent>,
    margin: Option<CpuPercent>,
    minutes_over_allowed: u32,
    margins: Margins,
    grid: sweep::GridOverrides,
    price: Option<Price>,
    defaults: Defaults,
}

impl Template {
    fn of(asked: Asked, defaults: Defaults) -> Result<Self, EventError> {
        let ceiling = asked.cpu_ceiling_percent.map(percent("cpu_ceiling_percent")).transpose()?;
        Ok(Self {
            replayed: replayed(asked.stages, asked.day, asked.crowd)?,
            model: model(asked.coefficient, asked.intercept_percent)?,
            ceiling: ceiling.or(defaults.cpu_ceiling),
            margin: asked.margin_percent.map(percent("margin_percent")).transpose()?,
            minutes_over_allowed: asked.minutes_over_allowed,
            margins: Margins::written(asked.amplify, asked.near_percent),
            grid: asked.candidates.overrides().map_err(|error| wrong("candidates", &error))?,
            price: asked.price_per_instance_hour.map(price).transpose()?,
            defaults,
        })
    }
}

fn price(usd: f64) -> Result<Price, EventError> {
    Price::new(usd).map_err(|error| wrong("price_per_instance_hour", &error))
}

fn replayed(
    stages: Option<Stages>,
    day: Option<Day>,
    crowd: Option<FlashCrowd>,
) -> Result<Replayed, EventError> {
    let Some(Stages(stages)) = stages else {
        return Ok(Replayed::of_record(day, crowd.map(|crowd| crowd.0)));
    };
    if day.is_some() || crowd.is_some() {
        return Err(wrong(
            "stages",
            &"they make traffic of their own: neither `day` nor `crowd` goes with them",
        ));
    }
    let start = MinuteUtc::new(0).expect("1970 is in the calendar");
    Traffic::staged(&stages, start).map(Replayed::Staged).map_err(|error| wrong("stages", &error))
}

fn model(coefficient: Option<f64>, intercept_percent: Option<f64>) -> Result<Model, EventError> {
    match (coefficient, intercept_percent) {
        (None, None) => Ok(Model::Fitted),
        (None, Some(_)) => Err(wrong("intercept_percent", &"it goes with `coefficient`")),
        (Some(coefficient), intercept) => CpuModel::new(intercept.unwrap_or(0.0), coefficient)
            .map(Model::Stated)
            .map_err(|error| wrong("coefficient", &error)),
    }
}

async fn one(
    archive: &dyn Archive,
    common: &Common,
    template: &Template,
    environment: &Environment,
    left: Left<'_>,
) -> Result<Outcome<Swept>, Failure> {
    let window = match window(archive, common, template.defaults.lookback_days, environment).await? {
        Recent::Window(window) => window,
        Recent::Refused(refusal) => {
            // A "what if" is no part of advice.
            let stage = (template.replayed == Replayed::Recorded).then_some(STAGE);
            return pass_on(archive, common, environment, stage, refusal).await;
        }
    };
    let request = SweepRequest {
        environment: environment.clone(),
        window,
        replayed: template.replayed.clone(),
        model: template.model,
        ceiling: template.ceiling,
        margin: template.margin,
        minutes_over_allowed: template.minutes_over_allowed,
        margins: template.margins.clone(),
        grid: template.grid.clone(),
        dynamics: Dynamics::default(),
        free: Free::ALL,
        price: template.price,
        threads: template.defaults.threads,
    };
    let (seldom, at_first, environment) = (Seldom::default(), left(), environment.name());
    let progress = |progress: Progress| {
        if seldom.is_due(at_first.saturating_sub(left())) {
            tracing::info!(stage = STAGE, environment, "{progress}");
        }
    };
    let watch = Watch { progress: &progress, left: Some(left) };
    let report = match sweep::run(archive, request, &watch).await {
        Err(error) if error.is_refusal() => return Ok(Outcome::Refused(Failure::from(error).message)),
        report => report?,
    };
    let candidates = &report.document.candidates;
    let measures =
        vec![count("CandidatesReplayed", candidates.replayed), count("CandidatesKept", candidates.kept)];
    Ok(Outcome::Done(Swept::of(common, report), measures))
}
