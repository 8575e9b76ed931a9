//! Stage 4 on AWS: the advice to its readers, once.

use jiff::Timestamp;
use pipeline::archive::rehearsal::Rehearsal;
use pipeline::archive::{Archive, Environment};
use pipeline::publish::{self, Notifier, PublishRequest, Published, Silence, Told};
use pipeline::report::{self, ReportRequest};
use serde::Deserialize;
use serde_json::Value;

use crate::event::{self, Common};
use crate::failure::Failure;
use crate::fleet::{Emit, Outcome, each};
use crate::measure::count;
use crate::recent::asked_for;

const STAGE: &str = "publish";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {}

/// Answers one event.
pub async fn handle(
    archive: &dyn Archive,
    notifier: &dyn Notifier,
    emit: Emit<'_>,
    event: Value,
    clock: Timestamp,
) -> Result<Value, Failure> {
    let (common, Asked {}) = event::parse(event, clock)?;
    let rehearsal = Rehearsal::over(archive);
    let (archive, notifier): (&dyn Archive, &dyn Notifier) =
        if common.dry_run { (&rehearsal, &Silence) } else { (archive, notifier) };
    let environments = asked_for(archive, &common).await?;
    let one = async |environment: &Environment| one(archive, notifier, &common, environment).await;
    let answer = each(STAGE, &common, &environments, emit, one).await;
    if common.environment.is_none() {
        report::index(archive, common.until(), common.now).await?;
    }
    answer
}

async fn one(
    archive: &dyn Archive,
    notifier: &dyn Notifier,
    common: &Common,
    environment: &Environment,
) -> Result<Outcome<Published>, Failure> {
    let (until, now) = (common.until(), common.now);
    // The page comes first, so that whoever is told finds it. One that can't be made keeps no advice back.
    let page = report::run(archive, ReportRequest { environment: environment.clone(), until, now }).await;
    let request = PublishRequest { environment: environment.clone(), until, now };
    let report = match publish::run(archive, notifier, request).await {
        Err(error) if error.is_refusal() => return Ok(Outcome::Refused(Failure::from(error).message)),
        report => report?,
    };
    page?;
    let told = usize::from(report.told == Told::Now && !common.dry_run);
    Ok(Outcome::Done(Published::of(&report), vec![count("AdviceChanged", told)]))
}
