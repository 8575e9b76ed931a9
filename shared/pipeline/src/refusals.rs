//! Why a stage had nothing to give, kept so that readers are told instead of left to wonder.
//!
//! Each stage keeps its last refusal. A later one that refuses for want of what an earlier one did not give passes on
//! the earlier reason, which is the one that helps.

use std::error::Error;

use jiff::Timestamp;
use scaling::coefficient::FitError;
use scaling::units::{MinuteUtc, Minutes};

use crate::archive::{Archive, Environment, Key};
use crate::causes::with_causes;
use crate::documents::{RecommendationDocument, RefusalDocument, SCHEMA_VERSION};
use crate::fetch::{FetchError, NothingRuns};
use crate::refit::{RefitError, RefitRequest};
use crate::store::{StoreError, end_of_samples, latest_fit, read_json_versioned, write_json};
use crate::sweep::{GridOverrides, SweepError, SweepRequest};

const INGEST: &str = "ingest";
const REFIT: &str = "refit";
const SWEEP: &str = "sweep";

/// The reason of an ingest that was asked for a time of which there is nothing.
const OTHER_TIME: &str = "other_time";

/// A word that stays the same from day to day, and what would help.
type Reason = (&'static str, &'static str);

const NOTHING_RUNS: Reason = (
    "nothing_runs",
    "Nothing has to, where that is meant: there is advice again as soon as there are requests. Where it is not, see whether \
     the group has instances, and whether CloudWatch shows their CPU.",
);

/// Keeps that there was nothing to take in.
pub async fn of_ingest(
    archive: &dyn Archive,
    environment: &Environment,
    now: MinuteUtc,
    error: &FetchError,
) -> Result<(), StoreError> {
    keep(archive, environment, INGEST, now.start(), error, fetch_reason(error)).await
}

/// Keeps that there was nothing new to take in, since nothing runs.
pub async fn of_silence(
    archive: &dyn Archive,
    environment: &Environment,
    now: MinuteUtc,
    nothing: &NothingRuns,
) -> Result<(), StoreError> {
    keep(archive, environment, INGEST, now.start(), nothing, NOTHING_RUNS).await
}

/// Why ingest takes in nothing any more: its last word, if that came after `end`, that of the newest sample, and not before
/// `since`.
pub async fn instead_of_samples(
    archive: &dyn Archive,
    environment: &Environment,
    end: MinuteUtc,
    since: MinuteUtc,
) -> Result<Option<RefusalDocument>, StoreError> {
    let refusal = last(archive, environment, INGEST).await?;
    // Where another time was asked for, that says nothing about the samples of now.
    let is_why = |refusal: &RefusalDocument| {
        end.start() < refusal.until && since.start() <= refusal.until && refusal.code != OTHER_TIME
    };
    Ok(refusal.filter(is_why))
}

/// Keeps why there is no new fit; not that of a load test, which is no part of advice.
pub(crate) async fn of_refit(
    archive: &dyn Archive,
    request: &RefitRequest,
    error: &RefitError,
) -> Result<(), StoreError> {
    let (environment, until) = (&request.environment, request.window.end);
    if matches!(error, RefitError::NoSamples { .. }) {
        // It asks every hour.
        let since = (until - Minutes(24 * 60)).start();
        if let Some(earlier) = last(archive, environment, INGEST).await?.filter(|last| since <= last.until) {
            return pass_on(archive, environment, REFIT, until.start(), earlier).await;
        }
    }
    keep(archive, environment, REFIT, until.start(), error, refit_reason(error)).await
}

/// Keeps why there is no advice, unless that lies in what was asked.
pub(crate) async fn of_sweep(
    archive: &dyn Archive,
    request: &SweepRequest,
    error: &SweepError,
) -> Result<(), StoreError> {
    let (environment, until) = (&request.environment, request.window.end.start());
    let Some(reason) = sweep_reason(error).filter(|_| !was_asked_for(request, error)) else { return Ok(()) };
    if matches!(error, SweepError::NoFit { .. } | SweepError::NoTraffic { .. })
        && let Some(earlier) = last(archive, environment, REFIT).await?.filter(|last| last.until == until)
    {
        return pass_on(archive, environment, SWEEP, until, earlier).await;
    }
    keep(archive, environment, SWEEP, until, error, reason).await
}

/// Whether it was not the plausible settings that take too long.
fn was_asked_for(request: &SweepRequest, error: &SweepError) -> bool {
    matches!(error, SweepError::TooLong(_)) && request.grid != GridOverrides::default()
}

/// Where the last word is kept, if it is a refusal: that of the last stage, with the reason of the first that refused.
pub fn key(environment: &Environment) -> Key {
    Key::refusal(environment, SWEEP)
}

/// Why nothing came after `advice`, or why there is none at all: the last word up to `until`, where it is a refusal.
/// Where no sweep was begun, an earlier stage has it.
pub async fn since(
    archive: &dyn Archive,
    environment: &Environment,
    advice: Option<&RecommendationDocument>,
    until: MinuteUtc,
) -> Result<Option<RefusalDocument>, StoreError> {
    let refusal = last(archive, environment, SWEEP).await?;
    let is_last = |refusal: &RefusalDocument| {
        refusal.until <= until.start()
            && advice.is_none_or(|advice| advice.traffic.window.end < refusal.until)
    };
    match (refusal.filter(is_last), advice) {
        (None, None) => before_any_sweep(archive, environment, until).await,
        (refusal, _) => Ok(refusal),
    }
}

/// What the fit was refused for, unless there is one since; or else the ingest, unless something was taken in.
async fn before_any_sweep(
    archive: &dyn Archive,
    environment: &Environment,
    until: MinuteUtc,
) -> Result<Option<RefusalDocument>, StoreError> {
    let is_past = |refusal: &RefusalDocument| refusal.until <= until.start();
    let fitted = latest_fit(archive, environment, until).await?.map(|fit| fit.window.end);
    let refit = last(archive, environment, REFIT).await?.filter(is_past);
    let refit = refit.filter(|refusal| fitted.is_none_or(|end| end < refusal.until));
    if refit.is_some() || end_of_samples(archive, environment).await?.is_some() {
        return Ok(refit);
    }
    Ok(last(archive, environment, INGEST).await?.filter(is_past))
}

async fn last(
    archive: &dyn Archive,
    environment: &Environment,
    stage: &str,
) -> Result<Option<RefusalDocument>, StoreError> {
    let found = read_json_versioned(archive, &Key::refusal(environment, stage)).await?;
    Ok(found.map(|(refusal, _)| refusal))
}

/// Keeps that `stage` had nothing to give for a reason that an earlier one had.
pub async fn pass_on(
    archive: &dyn Archive,
    environment: &Environment,
    stage: &str,
    until: Timestamp,
    earlier: RefusalDocument,
) -> Result<(), StoreError> {
    write_json(archive, &Key::refusal(environment, stage), &RefusalDocument { until, ..earlier }).await
}

async fn keep(
    archive: &dyn Archive,
    environment: &Environment,
    stage: &str,
    until: Timestamp,
    error: &(dyn Error + 'static),
    (code, help): Reason,
) -> Result<(), StoreError> {
    let document = RefusalDocument {
        schema_version: SCHEMA_VERSION,
        environment: environment.name().to_owned(),
        until,
        stage: stage.to_owned(),
        code: code.to_owned(),
        reason: said(error),
        help: help.to_owned(),
    };
    write_json(archive, &Key::refusal(environment, stage), &document).await
}

/// What is wrong, without what was being done: the error's cause and the causes of that.
fn said(error: &(dyn Error + 'static)) -> String {
    with_causes(error.source().unwrap_or(error))
}

fn fetch_reason(error: &FetchError) -> Reason {
    match error {
        FetchError::Worker(_) => {
            ("worker", "Nothing will: take the name out of the fleet, so that it is not asked about again.")
        }
        FetchError::NoLoadBalancer(_) | FetchError::OtherLoadBalancer { .. } => (
            "no_request_count",
            "Put an application load balancer before the environment, or take the name out of the fleet.",
        ),
        FetchError::NoGroup(_) => {
            ("no_group", "Wait until the environment is built; the next run asks again.")
        }
        FetchError::HostsByZone(_) => (
            "hosts_by_zone",
            "Set `CrossZone` of `aws:elb:loadbalancer` to `true`, or enable the group's metrics (`GroupInServiceInstances`), or take metrics of the instances every minute.",
        ),
        FetchError::TooOld { .. } | FetchError::NotYet { .. } => (OTHER_TIME, "Ask for another time."),
        _ => (
            "no_metrics",
            "See in CloudWatch whether the load balancer counts requests and the group shows CPU: an environment without \
             traffic has nothing to learn from.",
        ),
    }
}

fn refit_reason(error: &RefitError) -> Reason {
    match error {
        RefitError::Fit(error) => fit_reason(error),
        _ => (
            "no_samples",
            "Let the ingest bring some: see whether the last one ended well, and whether it may read the environment.",
        ),
    }
}

fn fit_reason(error: &FitError) -> Reason {
    match error {
        FitError::TooFewUsable { .. } => (
            "too_few_minutes",
            "Wait for more traffic, or look back further; a load test of one instance gives a line within the hour.",
        ),
        FitError::WrongStatistic { .. } => {
            ("wrong_statistic", "Export the metric RequestCount with the statistic Sum.")
        }
        FitError::NoSpreadInLoad { .. } => (
            "load_hardly_varies",
            "Look back over quiet and busy hours, or load one instance step by step (trellis refit --instances 1).",
        ),
        FitError::NotRising { .. } => (
            "cpu_does_not_rise",
            "See whether CPU and requests are of the same environment, and what else keeps the instances busy.",
        ),
        FitError::RSquaredTooLow { .. } | FitError::NoSingleLine { .. } => (
            "requests_do_not_explain_cpu",
            "Move other work off the instances, look at a time without it, or state the cost from a load test \
             (trellis sweep --coefficient).",
        ),
        FitError::MixedInstanceTypes { .. } => (
            "mixed_instance_types",
            "Use one instance type, or state the cost on the slowest of them (trellis sweep --coefficient).",
        ),
        FitError::AtCeiling { .. } => (
            "cpu_at_a_ceiling",
            "Give the instances more CPU (credits, threads, a larger type), or wait for quieter days.",
        ),
        FitError::NewRegime { .. } => (
            "new_cost",
            "Wait: some more hours of traffic at the new cost are enough. Until then the last advice is of the old cost.",
        ),
    }
}

fn sweep_reason(error: &SweepError) -> Option<Reason> {
    Some(match error {
        SweepError::Settings(_) => (
            "invalid_settings",
            "Correct the option that is named; trellis check says what else is odd about the settings.",
        ),
        SweepError::Schedule(_) => ("invalid_schedule", "Correct the scheduled action that is named."),
        SweepError::NoFit { .. } => {
            ("no_fit", "Let the fit say why it was refused (trellis refit), or state a cost (--coefficient).")
        }
        SweepError::NoRoom { .. } => (
            "no_room",
            "Raise the ceiling, or move other work off the instances, so that CPU follows requests more closely.",
        ),
        SweepError::IdleOverCeiling { .. } => {
            ("idle_over_ceiling", "Raise the ceiling, or move other work off the instances.")
        }
        SweepError::NoTraffic { .. } | SweepError::Trace(_) => {
            ("no_traffic", "Wait for traffic, or look at another time.")
        }
        SweepError::TooManyHoles { .. } => (
            "too_many_holes",
            "See why requests are missing: the load balancer reports none, or the ingest did not get through. A group that is put to \
             sleep otherwise than by Beanstalk's scheduled actions looks so too.",
        ),
        SweepError::Fit(_) => ("damaged_fit", "Fit again (trellis refit)."),
        SweepError::TooLong(_) => (
            "too_long",
            "Sweep with the command, which may take as long as it takes (trellis sweep), or invoke sweep-policies with fewer \
             `candidates` or fewer `lookback_days`, or give it more time (its Timeout, at most 15 minutes).",
        ),
        // These lie in what was asked, or are no refusals.
        SweepError::Crowd(_)
        | SweepError::NoCandidates { .. }
        | SweepError::TooManyCandidates { .. }
        | SweepError::NothingToHold { .. }
        | SweepError::Read(_)
        | SweepError::Write(_) => {
            return None;
        }
    })
}
