//! A stage for one environment after the other. One that fails does not stop the others.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use lambda_runtime::tracing;
use pipeline::archive::{Archive, Environment};
use pipeline::spending::{Counted, Spent};
use serde::Serialize;
use serde_json::{Value, json};

use crate::event::Common;
use crate::failure::{Failure, Kind};
use crate::measure::{self, Measure};

/// What a stage leaves behind beside its answer: lines of log.
pub type Emit<'a> = &'a (dyn Fn(&str) + Sync);

/// What came of a stage for one environment.
pub(crate) enum Outcome<R> {
    /// It did what it is for.
    Done(R, Vec<Measure>),
    /// It could not, for a reason that lies in the data or the environment.
    Refused(String),
}

/// The answer of a stage.
#[derive(Serialize)]
struct Answer {
    stage: &'static str,
    time: Timestamp,
    dry_run: bool,
    reports: Vec<Value>,
}

#[derive(Serialize)]
struct Report<'a, R> {
    environment: &'a str,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What it cost, by list prices and before free tiers.
    usd: f64,
    #[serde(flatten)]
    body: Option<R>,
}

/// What came of an environment, and what it took.
pub(crate) struct Came<R> {
    pub(crate) environment: Environment,
    pub(crate) outcome: Result<Outcome<R>, Failure>,
    pub(crate) took: Duration,
    pub(crate) spent: Spent,
}

/// What a stage costs: the memory of its function, and what it asks of the archive.
#[derive(Clone, Copy)]
pub(crate) struct Meter<'a> {
    /// As the template gives it.
    pub(crate) gigabytes: f64,
    pub(crate) archive: &'a Counted<&'a dyn Archive>,
}

/// Does `one` for each of `environments`, and answers with all reports, or with what failed.
pub(crate) async fn each<R: Serialize>(
    stage: &'static str,
    common: &Common,
    environments: &[Environment],
    emit: Emit<'_>,
    meter: Meter<'_>,
    one: impl AsyncFn(&Environment) -> Result<Outcome<R>, Failure>,
) -> Result<Value, Failure> {
    let mut all = Vec::new();
    for environment in environments {
        let (began, before) = (Instant::now(), meter.archive.spent());
        let outcome = one(environment).await;
        let took = began.elapsed();
        let spent = Spent {
            gigabyte_seconds: meter.gigabytes * took.as_secs_f64(),
            invocations: u64::from(environments.len() == 1),
            metrics: metrics(&outcome),
            ..meter.archive.spent().since(&before)
        };
        all.push(Came { environment: environment.clone(), outcome, took, spent });
    }
    answer(stage, common, emit, all)
}

/// Metrics that were asked for.
fn metrics<R>(outcome: &Result<Outcome<R>, Failure>) -> u64 {
    let Ok(Outcome::Done(_, measures)) = outcome else { return 0 };
    measures
        .iter()
        .find(|measure| measure.name == "MetricsRequested")
        .map_or(0, |measure| measure.value as u64)
}

/// All reports, or what failed.
pub(crate) fn answer<R: Serialize>(
    stage: &'static str,
    common: &Common,
    emit: Emit<'_>,
    all: Vec<Came<R>>,
) -> Result<Value, Failure> {
    let of = all.len();
    let mut reports = Vec::new();
    let mut failures = Vec::new();
    for Came { environment, outcome, took, spent } in all {
        let mut measures = match &outcome {
            Ok(Outcome::Done(_, measures)) => measures.clone(),
            _ => vec![],
        };
        let refused = usize::from(matches!(outcome, Ok(Outcome::Refused(_))));
        measures.extend([measure::count("Refused", refused), measure::duration(took)]);
        emit(&measure::line(stage, environment.name(), common.now, &measures));
        match outcome {
            Ok(outcome) => reports.push(report(stage, &environment, outcome, spent)),
            Err(failure) => {
                tracing::error!(
                    stage,
                    environment = environment.name(),
                    error_type = failure.kind.name(),
                    "{failure}"
                );
                failures.push((environment, failure));
            }
        }
    }
    match together(failures, of) {
        Some(failure) => Err(failure),
        None => {
            let answer = Answer { stage, time: common.now, dry_run: common.dry_run, reports };
            Ok(serde_json::to_value(answer).expect("reports have text as keys and finite numbers"))
        }
    }
}

fn report<R: Serialize>(
    stage: &'static str,
    environment: &Environment,
    outcome: Outcome<R>,
    spent: Spent,
) -> Value {
    let environment = environment.name();
    let (outcome, reason, body) = match outcome {
        Outcome::Done(body, _) => {
            tracing::info!(stage, environment, "done");
            ("done", None, Some(body))
        }
        Outcome::Refused(reason) => {
            tracing::warn!(stage, environment, "refused: {reason}");
            ("refused", Some(reason), None)
        }
    };
    json!(Report { environment, outcome, reason, usd: spent.usd(), body })
}

/// One failure of all: passing if every one of them passes.
fn together(mut failures: Vec<(Environment, Failure)>, of: usize) -> Option<Failure> {
    if of == 1 {
        return failures.pop().map(|(_, failure)| failure);
    }
    let lasting = failures.iter().find(|(_, failure)| failure.kind != Kind::Transient);
    let kind = lasting.or(failures.first())?.1.kind;
    let said: Vec<String> = failures.iter().map(|(name, failure)| format!("`{name}`: {failure}")).collect();
    let message = format!("{} of {of} environments failed: {}", failures.len(), said.join("; "));
    Some(Failure { kind, message })
}
