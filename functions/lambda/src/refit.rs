//! Stage 2 on AWS: what a request costs.

use jiff::Timestamp;
use pipeline::archive::rehearsal::Rehearsal;
use pipeline::archive::{Archive, Environment};
use pipeline::documents::FitDocument;
use pipeline::refit::{self, RefitRequest};
use scaling::fit::FitRules;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::{self, Common};
use crate::failure::Failure;
use crate::fleet::{Emit, Outcome, each};
use crate::measure::{count, number};
use crate::recent::{asked_for, window};

const STAGE: &str = "refit";

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    min_usable: Option<u32>,
    min_load_spread: Option<f64>,
    min_r_squared: Option<f64>,
}

#[derive(Serialize)]
struct Refitted {
    key: String,
    fit: FitDocument,
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
    let rules = rules(&asked);
    let rehearsal = Rehearsal::over(archive);
    let archive: &dyn Archive = if common.dry_run { &rehearsal } else { archive };
    let environments = asked_for(archive, &common).await?;
    let one =
        async |environment: &Environment| one(archive, &common, lookback_days, rules, environment).await;
    each(STAGE, &common, &environments, emit, one).await
}

fn rules(asked: &Asked) -> FitRules {
    let default = FitRules::default();
    FitRules {
        min_usable: asked.min_usable.unwrap_or(default.min_usable),
        min_load_spread: asked.min_load_spread.unwrap_or(default.min_load_spread),
        min_r_squared: asked.min_r_squared.unwrap_or(default.min_r_squared),
    }
}

async fn one(
    archive: &dyn Archive,
    common: &Common,
    lookback_days: u32,
    rules: FitRules,
    environment: &Environment,
) -> Result<Outcome<Refitted>, Failure> {
    let window = window(archive, common, lookback_days, environment).await?;
    let request = RefitRequest { environment: environment.clone(), window, rules };
    let report = match refit::run(archive, request).await {
        Err(error) if error.is_refusal() => return Ok(Outcome::Refused(Failure::from(error).message)),
        report => report?,
    };
    let measures =
        vec![number("RSquared", report.fit.r_squared), count("UsablePeriods", report.fit.usable as usize)];
    Ok(Outcome::Done(Refitted { key: report.key.to_string(), fit: report.document }, measures))
}
