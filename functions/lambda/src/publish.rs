//! Stage 4 on AWS: the advice to its readers, once, in one message for all of them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use lambda_runtime::tracing;
use pipeline::advice::{Frame, Kept};
use pipeline::archive::rehearsal::Rehearsal;
use pipeline::archive::{Archive, Environment};
use pipeline::publish::{
    self, Heading, Notifier, PublishError, PublishReport, PublishRequest, Published, Silence, Told,
};
use pipeline::report::{self, ReportError, ReportRequest};
use pipeline::spending::Spent;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::event::{self, Common, EventError, wrong};
use crate::failure::Failure;
use crate::fleet::{Came, Emit, Outcome, answer};
use crate::measure::count;
use crate::recent::asked_for;

const STAGE: &str = "publish";
/// The memory of its function.
const GIGABYTES: f64 = 512.0 / 1024.0;

/// What holds for every message.
#[derive(Debug, Clone, PartialEq)]
pub struct Telling {
    /// A gain below this share of the present cost is worth no message.
    pub least_gain: f64,
    /// The address under which the archive's pages are served.
    pub pages: Option<String>,
    /// The archive, as `trellis` is told of it: `s3://bucket`.
    pub archive: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    /// In place of one, or of the whole fleet.
    environments: Option<Vec<String>>,
    /// What the stages before cost.
    spent_usd: Option<f64>,
}

/// What is answered: all of it about the one environment that was asked for. About a fleet, what names it.
#[derive(Serialize)]
#[serde(untagged)]
enum Answered {
    Whole(Box<Published>),
    Heading(Heading),
}

impl Answered {
    fn to(common: &Common, report: &PublishReport) -> Self {
        if common.asks_for_one() {
            Self::Whole(Box::new(Published::of(report)))
        } else {
            Self::Heading(Heading::of(report))
        }
    }
}

/// Answers one event.
pub async fn handle(
    archive: &dyn Archive,
    notifier: &dyn Notifier,
    emit: Emit<'_>,
    telling: &Telling,
    event: Value,
    clock: Timestamp,
) -> Result<Value, Failure> {
    let (common, asked) = event::parse::<Asked>(event, clock)?;
    let rehearsal = Rehearsal::over(archive);
    let (archive, notifier): (&dyn Archive, &dyn Notifier) =
        if common.dry_run { (&rehearsal, &Silence) } else { (archive, notifier) };
    let environments = match &asked.environments {
        Some(names) => named(names, &common)?,
        None => asked_for(archive, &common).await?,
    };
    let run_usd = asked.spent_usd.map(|usd| usd + telling_usd(environments.len()));
    let request = PublishRequest {
        environments,
        until: common.until(),
        now: common.now,
        run: publish::new_run(),
        least_gain: telling.least_gain,
        frame: Frame { pages: telling.pages.clone(), run_usd, kept: Kept::In(telling.archive.clone()) },
    };
    let began = Instant::now();
    // Pages come first, so that whoever is told finds them. One that can't be made, or not soon, keeps no advice back.
    let mut pages = Pages::default();
    make(&mut pages, archive, &request, &|| began.elapsed() < PAGES_BEFORE).await;
    let reports = publish::run(archive, notifier, &request).await?;
    make(&mut pages, archive, &request, &|| began.elapsed() < PAGES_AFTER).await;
    // Readers were told: from here on, nothing is a reason to fail.
    let mut failed_pages = failed(&pages, &request.environments);
    if common.environment.is_none() {
        failed_pages.extend(index(archive, &request).await.err());
    }
    // All were told at once: each has its share.
    let took = began.elapsed() / u32::try_from(reports.len().max(1)).unwrap_or(u32::MAX);
    let gigabyte_seconds = GIGABYTES * took.as_secs_f64();
    let came = |(environment, report): (Environment, Result<PublishReport, PublishError>)| Came {
        outcome: outcome(report, &common),
        environment,
        took,
        spent: Spent { gigabyte_seconds, ..Spent::default() },
    };
    let mut answer = answer(STAGE, &common, emit, reports.into_iter().map(came).collect())?;
    answer["failed_pages"] = json!(failed_pages);
    Ok(answer)
}

fn named(names: &[String], common: &Common) -> Result<Vec<Environment>, EventError> {
    if common.environment.is_some() {
        return Err(wrong("environments", &"it goes without `environment`"));
    }
    names.iter().map(|name| Environment::new(name.clone()).map_err(EventError::Environment)).collect()
}

/// What it costs to tell of so many environments, which is not over when the message is written: what it reads and writes,
/// and the steps of the daily machine.
fn telling_usd(environments: usize) -> f64 {
    let count = environments as u64;
    let spent = Spent {
        reads: 3 * count,
        writes: 3 * count,
        gigabyte_seconds: GIGABYTES,
        invocations: 2,
        transitions: 6 + 4 * count,
        ..Spent::default()
    };
    spent.usd()
}

/// How long a message waits for pages. A function of 300 seconds then has time for a page and for a message, should AWS
/// answer as slowly as it may.
const PAGES_BEFORE: Duration = Duration::from_secs(60);
/// How long a run makes pages at all, so that it comes to its end.
const PAGES_AFTER: Duration = Duration::from_secs(180);

type Page = Result<(), ReportError>;
type Pages = BTreeMap<Environment, Page>;

/// Makes the pages that are not there yet, while there is time.
async fn make(
    pages: &mut Pages,
    archive: &dyn Archive,
    request: &PublishRequest,
    there_is_time: &(dyn Fn() -> bool + Sync),
) {
    let (until, now) = (request.until, request.now);
    for environment in &request.environments {
        if !pages.contains_key(environment) && there_is_time() {
            let request = ReportRequest { environment: environment.clone(), until, now };
            pages.insert(environment.clone(), report::run(archive, request).await.map(|_| ()));
        }
    }
}

/// A page that could not be made, as the daily machine has what failed.
#[derive(Serialize)]
struct FailedPage {
    /// What failed: it stands where names of environments do.
    environment: String,
    failed: bool,
    error: &'static str,
    cause: String,
}

impl FailedPage {
    fn of(page: &str, failure: Failure) -> Self {
        let error = failure.kind.name();
        tracing::error!(stage = STAGE, page, error_type = error, "{failure}");
        Self { environment: page.to_owned(), failed: true, error, cause: failure.message }
    }
}

/// The page over all environments.
async fn index(archive: &dyn Archive, request: &PublishRequest) -> Result<(), FailedPage> {
    let index = report::index(archive, request.until, request.now).await;
    index.map(|_| ()).map_err(|error| FailedPage::of("the index of all environments", error.into()))
}

/// Pages that were not made. Where there is nothing to show, there is none, and no fault.
fn failed(pages: &Pages, environments: &[Environment]) -> Vec<FailedPage> {
    let why = |environment| match pages.get(environment) {
        Some(Ok(())) => None,
        Some(Err(error)) if error.is_refusal() => None,
        Some(Err(error)) => Some(Failure::of(error)),
        None => Some(Failure::of(&NoTime)),
    };
    let failed =
        |environment| Some(FailedPage::of(&format!("the page of `{environment}`"), why(environment)?));
    environments.iter().filter_map(failed).collect()
}

/// There are more pages than a run can make.
#[derive(Debug, thiserror::Error)]
#[error("there was no time left to make it; `trellis report` does")]
struct NoTime;

fn outcome(
    report: Result<PublishReport, PublishError>,
    common: &Common,
) -> Result<Outcome<Answered>, Failure> {
    let report = match report {
        Err(error) if error.is_refusal() => return Ok(Outcome::Refused(Failure::from(error).message)),
        report => report?,
    };
    let told = usize::from(report.told == Told::Now && !common.dry_run);
    Ok(Outcome::Done(Answered::to(common, &report), vec![count("AdviceChanged", told)]))
}
