//! Which environments and which time the stages after ingest look at.

use pipeline::archive::{Archive, Environment};
use pipeline::documents::{OptionDocument, RefusalDocument};
use pipeline::fleet;
use pipeline::refusals;
use pipeline::store::{end_of_samples, latest_settings};
use scaling::units::{Minutes, Window};

use crate::event::Common;
use crate::failure::{Failure, Stale};
use crate::fleet::Outcome;

/// Samples older than this, hours of sleep left aside, say too little about now. Ingest runs every hour.
const FRESH_HOURS: u32 = 12;

/// The environment that the event names, or the fleet as ingest last saw it.
pub(crate) async fn asked_for(archive: &dyn Archive, common: &Common) -> Result<Vec<Environment>, Failure> {
    match &common.environment {
        Some(environment) => Ok(vec![environment.clone()]),
        None => Ok(fleet::kept(archive).await?),
    }
}

/// What there is to look at.
pub(crate) enum Recent {
    /// This time.
    Window(Window),
    /// Nothing of now: ingest takes in nothing any more, and says why; or it found that nothing runs.
    Refused(RefusalDocument),
}

/// The time that the event asks for. Unless it names an end, that is the end of the newest sample, which must not lie
/// long ago: advice on old traffic would look like advice on today's.
pub(crate) async fn window(
    archive: &dyn Archive,
    common: &Common,
    lookback_days: u32,
    environment: &Environment,
) -> Result<Recent, Failure> {
    if common.span.until.is_some() {
        return Ok(Recent::Window(common.span.up_to(common.until(), lookback_days)));
    }
    let now = common.minute();
    // Without samples, the stage itself says that there are none.
    let end = end_of_samples(archive, environment).await?.unwrap_or(now).min(now);
    let fresh = Minutes(FRESH_HOURS * 60);
    let oldest = now - fresh;
    if oldest <= end || awake_minutes(archive, environment, Window { start: end, end: now }).await? <= fresh {
        return Ok(Recent::Window(common.span.up_to(end, lookback_days)));
    }
    match refusals::instead_of_samples(archive, environment, end, oldest).await? {
        Some(refusal) => Ok(Recent::Refused(refusal)),
        None => Err(Stale { end, now, hours: FRESH_HOURS }.into()),
    }
}

/// Minutes of `window` in which there should be samples: those that the group sleeps through by its scheduled actions are no
/// sign of anything.
async fn awake_minutes(
    archive: &dyn Archive,
    environment: &Environment,
    window: Window,
) -> Result<Minutes, Failure> {
    let settings = latest_settings(archive, environment, window.end).await?;
    let options = settings.map(|document| document.options).unwrap_or_default();
    Ok(OptionDocument::awake_minutes(&options, window))
}

/// Answers with the reason that ingest had. It becomes that of `stage`, so that readers are told of it, unless what was asked
/// for is no part of advice.
pub(crate) async fn pass_on<R>(
    archive: &dyn Archive,
    common: &Common,
    environment: &Environment,
    stage: Option<&'static str>,
    refusal: RefusalDocument,
) -> Result<Outcome<R>, Failure> {
    let reason = refusal.reason.clone();
    if let Some(stage) = stage {
        refusals::pass_on(archive, environment, stage, common.minute().start(), refusal).await?;
    }
    Ok(Outcome::Refused(reason))
}
