//! Stage 1 on AWS: what CloudWatch has and the archive has not.

use jiff::Timestamp;
use pipeline::archive::rehearsal::Rehearsal;
use pipeline::archive::{Archive, Environment};
use pipeline::fetch::{self, BACKFILL_DAYS, FetchRequest};
use pipeline::fleet::{self, Fleet};
use pipeline::ingest::{self, Taken};
use pipeline::refusals;
use pipeline::source::{Environments, Metrics};
use pipeline::spending::Counted;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::event::{self, Common};
use crate::failure::Failure;
use crate::fleet::{Emit, Meter, Outcome, each};
use crate::measure::count;

const STAGE: &str = "ingest";
/// The memory of its function.
const GIGABYTES: f64 = 256.0 / 1024.0;

/// What the stage works with.
#[derive(Clone, Copy)]
pub struct Ports<'a> {
    /// Where samples, settings and activities go.
    pub archive: &'a dyn Archive,
    /// Elastic Beanstalk.
    pub environments: &'a dyn Environments,
    /// CloudWatch.
    pub metrics: &'a dyn Metrics,
    /// The log.
    pub emit: Emit<'a>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    list_environments: bool,
}

#[derive(Serialize)]
struct Ingested {
    #[serde(flatten)]
    taken: Taken,
    metrics_requested: usize,
    calls: usize,
}

/// Answers one event.
pub async fn handle(
    ports: Ports<'_>,
    fleet: &Fleet,
    event: Value,
    clock: Timestamp,
) -> Result<Value, Failure> {
    let (common, asked) = event::parse::<Asked>(event, clock)?;
    let counted = Counted::over(ports.archive);
    let meter = Meter { gigabytes: GIGABYTES, archive: &counted };
    let rehearsal = Rehearsal::over(&counted);
    let archive: &dyn Archive = if common.dry_run { &rehearsal } else { &counted };
    let ports = Ports { archive, ..ports };
    let environments = match &common.environment {
        Some(environment) => vec![environment.clone()],
        None => looked_up(ports, fleet).await?,
    };
    if asked.list_environments {
        let names: Vec<&str> = environments.iter().map(Environment::name).collect();
        return Ok(json!({ "stage": STAGE, "time": common.now, "environments": names }));
    }
    each(STAGE, &common, &environments, ports.emit, meter, async |environment| {
        one(ports, &common, environment).await
    })
    .await
}

/// The fleet as it is now, kept for the stages that can't look.
async fn looked_up(ports: Ports<'_>, fleet: &Fleet) -> Result<Vec<Environment>, Failure> {
    let environments = fleet.resolve(ports.environments).await?;
    fleet::keep(ports.archive, &environments).await?;
    Ok(environments)
}

async fn one(
    ports: Ports<'_>,
    common: &Common,
    environment: &Environment,
) -> Result<Outcome<Ingested>, Failure> {
    let span = common.span;
    let request = FetchRequest {
        environment: environment.clone(),
        now: common.minute(),
        window: span.is_given().then(|| span.up_to(common.until(), BACKFILL_DAYS)),
        backfill_days: BACKFILL_DAYS,
    };
    let fetched = match fetch::fetch(ports.environments, ports.metrics, ports.archive, &request).await {
        Err(error) if error.is_refusal() => {
            refusals::of_ingest(ports.archive, environment, common.minute(), &error).await?;
            return Ok(Outcome::Refused(Failure::from(error).message));
        }
        fetched => fetched?,
    };
    let report = match ingest::run(ports.archive, fetched.ingest).await {
        Err(error) if error.is_refusal() => return Ok(Outcome::Refused(Failure::from(error).message)),
        report => report?,
    };
    // It leaves no sample by which the later stages could see that somebody looked.
    if let Some(nothing) = &fetched.nothing_runs {
        refusals::of_silence(ports.archive, environment, common.minute(), nothing).await?;
    }
    let merged = report.merged;
    let measures = vec![
        count("MinutesFetched", merged.added + merged.updated + merged.unchanged),
        count("MinutesFilled", report.filled.requests_filled),
        count("MinutesMissingCpu", report.filled.cpu_missing),
        count("MetricsRequested", fetched.metrics_requested),
    ];
    let taken = Taken::of(environment, &report);
    Ok(Outcome::Done(
        Ingested { taken, metrics_requested: fetched.metrics_requested, calls: fetched.calls },
        measures,
    ))
}
