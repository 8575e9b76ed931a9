//! Stage 2 on AWS: what a request costs.

use jiff::Timestamp;
use pipeline::archive::rehearsal::Rehearsal;
use pipeline::archive::{Archive, Environment, Key};
use pipeline::documents::FitDocument;
use pipeline::refit::{self, LoadTest, RefitRequest};
use pipeline::spending::Counted;
use scaling::coefficient::FitRules;
use scaling::units::{CpuPercent, Instances};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{self, Common, EventError, percent, wrong};
use crate::failure::Failure;
use crate::fleet::{Emit, Meter, Outcome, each};
use crate::measure::{count, number};
use crate::recent::{Recent, asked_for, pass_on, window};

const STAGE: &str = "refit";
/// The memory of its function.
const GIGABYTES: f64 = 512.0 / 1024.0;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    min_usable: Option<u32>,
    min_load_spread: Option<f64>,
    min_r_squared: Option<f64>,
    cpu_ceiling_percent: Option<f64>,
    /// Takes the window as a load test that so many instances served.
    instances: Option<u32>,
}

#[derive(Serialize)]
struct Refitted {
    key: String,
    coefficient: f64,
    intercept_percent: f64,
    r_squared: f64,
    /// All of it, where one environment was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    fit: Option<FitDocument>,
}

impl Refitted {
    fn of(common: &Common, key: &Key, fit: FitDocument) -> Self {
        let FitDocument { coefficient, intercept_percent, r_squared, .. } = fit;
        let fit = common.asks_for_one().then_some(fit);
        Self { key: key.to_string(), coefficient, intercept_percent, r_squared, fit }
    }
}

/// Answers one event. `lookback_days` is how far a fit looks back unless the event says otherwise.
pub async fn handle(
    archive: &dyn Archive,
    emit: Emit<'_>,
    lookback_days: u32,
    event: Value,
    clock: Timestamp,
) -> Result<Value, Failure> {
    let (common, asked) = event::parse::<Asked>(event, clock)?;
    let template = Template::of(&asked)?;
    let counted = Counted::over(archive);
    let meter = Meter { gigabytes: GIGABYTES, archive: &counted };
    let rehearsal = Rehearsal::over(&counted);
    let archive: &dyn Archive = if common.dry_run { &rehearsal } else { &counted };
    let environments = asked_for(archive, &common).await?;
    let one =
        async |environment: &Environment| one(archive, &common, lookback_days, &template, environment).await;
    each(STAGE, &common, &environments, emit, meter, one).await
}

/// All of a request but whose and of which time.
struct Template {
    rules: FitRules,
    ceiling: Option<CpuPercent>,
    load_test: Option<LoadTest>,
}

impl Template {
    fn of(asked: &Asked) -> Result<Self, EventError> {
        let instances = match asked.instances {
            Some(0) => return Err(wrong("instances", &"a load test has 1 or more")),
            instances => instances.map(Instances),
        };
        Ok(Self {
            rules: rules(asked),
            ceiling: asked.cpu_ceiling_percent.map(percent("cpu_ceiling_percent")).transpose()?,
            load_test: instances.map(|instances| LoadTest { instances, clients: None }),
        })
    }
}

fn rules(asked: &Asked) -> FitRules {
    let default = refit::default_rules(asked.instances.is_some());
    FitRules {
        min_usable: asked.min_usable.unwrap_or(default.min_usable),
        min_load_spread: asked.min_load_spread.unwrap_or(default.min_load_spread),
        min_r_squared: asked.min_r_squared.unwrap_or(default.min_r_squared),
        ..default
    }
}

async fn one(
    archive: &dyn Archive,
    common: &Common,
    lookback_days: u32,
    template: &Template,
    environment: &Environment,
) -> Result<Outcome<Refitted>, Failure> {
    let Template { rules, ceiling, load_test } = template;
    let window = match window(archive, common, lookback_days, environment).await? {
        Recent::Window(window) => window,
        Recent::Refused(refusal) => {
            // A load test is no part of advice.
            let stage = load_test.is_none().then_some(STAGE);
            return pass_on(archive, common, environment, stage, refusal).await;
        }
    };
    let request = RefitRequest {
        environment: environment.clone(),
        window,
        rules: *rules,
        ceiling: *ceiling,
        load_test: load_test.clone(),
    };
    let report = match refit::run(archive, request).await {
        Err(error) if error.is_refusal() => return Ok(Outcome::Refused(Failure::from(error).message)),
        report => report?,
    };
    let measures =
        vec![number("RSquared", report.fit.r_squared), count("UsablePeriods", report.fit.usable as usize)];
    Ok(Outcome::Done(Refitted::of(common, &report.key, report.document), measures))
}
