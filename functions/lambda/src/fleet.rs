//! A stage for one environment after the other. One that fails does not stop the others.

use std::time::Instant;

use jiff::Timestamp;
use lambda_runtime::tracing;
use pipeline::archive::Environment;
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
    #[serde(flatten)]
    body: Option<R>,
}

/// Does `one` for each of `environments`, and answers with all reports, or with what failed.
pub(crate) async fn each<R: Serialize>(
    stage: &'static str,
    common: &Common,
    environments: &[Environment],
    emit: Emit<'_>,
    one: impl AsyncFn(&Environment) -> Result<Outcome<R>, Failure>,
) -> Result<Value, Failure> {
    let mut reports = Vec::new();
    let mut failures = Vec::new();
    for environment in environments {
        let began = Instant::now();
        let outcome = one(environment).await;
        let mut measures = match &outcome {
            Ok(Outcome::Done(_, measures)) => measures.clone(),
            _ => vec![],
        };
        let refused = usize::from(matches!(outcome, Ok(Outcome::Refused(_))));
        measures.extend([measure::count("Refused", refused), measure::duration(began.elapsed())]);
        emit(&measure::line(stage, environment.name(), common.now, &measures));
        match outcome {
            Ok(outcome) => reports.push(report(stage, environment, outcome)),
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
    match together(failures, environments.len()) {
        Some(failure) => Err(failure),
        None => {
            let answer = Answer { stage, time: common.now, dry_run: common.dry_run, reports };
            Ok(serde_json::to_value(answer).expect("reports have text as keys and finite numbers"))
        }
    }
}

fn report<R: Serialize>(stage: &'static str, environment: &Environment, outcome: Outcome<R>) -> Value {
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
    json!(Report { environment, outcome, reason, body })
}

/// One failure of all: passing if every one of them passes.
fn together(mut failures: Vec<(&Environment, Failure)>, of: usize) -> Option<Failure> {
    if of == 1 {
        return failures.pop().map(|(_, failure)| failure);
    }
    let lasting = failures.iter().find(|(_, failure)| failure.kind != Kind::Transient);
    let kind = lasting.or(failures.first())?.1.kind;
    let said: Vec<String> = failures.iter().map(|(name, failure)| format!("`{name}`: {failure}")).collect();
    let message = format!("{} of {of} environments failed: {}", failures.len(), said.join("; "));
    Some(Failure { kind, message })
}
