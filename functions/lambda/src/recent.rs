//! Which environments and which time the stages after ingest look at.

use pipeline::archive::{Archive, Environment};
use pipeline::fleet;
use pipeline::store::end_of_samples;
use scaling::units::{Minutes, Window};

use crate::event::Common;
use crate::failure::{Failure, Stale};

/// Samples older than this say too little about now. Ingest runs every hour.
const FRESH_HOURS: u32 = 12;

/// The environment that the event names, or the fleet as ingest last saw it.
pub(crate) async fn asked_for(archive: &dyn Archive, common: &Common) -> Result<Vec<Environment>, Failure> {
    match &common.environment {
        Some(environment) => Ok(vec![environment.clone()]),
        None => Ok(fleet::kept(archive).await?),
    }
}

/// The time that the event asks for. Unless it names an end, that is the end of the newest sample, which must not lie
/// long ago: advice on old traffic would look like advice on today's.
pub(crate) async fn window(
    archive: &dyn Archive,
    common: &Common,
    lookback_days: u32,
    environment: &Environment,
) -> Result<Window, Failure> {
    if common.span.until.is_some() {
        return Ok(common.span.up_to(common.until(), lookback_days));
    }
    let now = common.minute();
    // Without samples, the stage itself says that there are none.
    let end = end_of_samples(archive, environment).await?.unwrap_or(now).min(now);
    if end + Minutes(FRESH_HOURS * 60) < now {
        return Err(Stale { end, now, hours: FRESH_HOURS }.into());
    }
    Ok(common.span.up_to(end, lookback_days))
}
