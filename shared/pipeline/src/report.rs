//! The page about an environment's advice: one HTML file that needs nothing else, with a picture for each question of
//! somebody who is to believe it, and an index over all environments.
//!
//! [`gather`] reads what the stages left, [`page()`] turns it into text and asks nobody, [`run`] does both and keeps it. The
//! pictures that need minutes are replayed anew, by the advice's own words, and must come to what it says.

pub mod bands;
mod chart;
mod index;
mod ink;
mod ledger;
mod page;
mod section;
mod sections;
mod words;

use jiff::Timestamp;
use scaling::course::Deployment;
use scaling::sample::Sample;
use scaling::units::{MinuteUtc, Minutes, Window};

use crate::activity::Activity;
use crate::archive::{Archive, Environment, Key, Prefix};
use crate::causes::with_causes;
use crate::documents::{FitDocument, RecommendationDocument, RefusalDocument, SettingsDocument};
use crate::refit::seen;
use crate::refusals;
use crate::store::{
    StoreError, documents_since, end_of_samples, latest_fit, latest_recommendation, latest_settings,
    read_activities, read_counted_samples, write_bytes,
};
use crate::sweep::{Replays, replays};

pub use index::{Group, Index, Line, Standing, environments, index, index_page, standing, worst_first};
pub use page::page;

/// Days that are shown where there is no advice that says which.
const DAYS: u32 = 14;

/// Days of fits, of deployments and of past advice.
pub const HISTORY_DAYS: u32 = 35;

/// What to make a page of.
#[derive(Debug, Clone)]
pub struct ReportRequest {
    /// Whose advice.
    pub environment: Environment,
    /// The newest up to then.
    pub until: MinuteUtc,
    /// When this happens, for the record.
    pub now: Timestamp,
}

/// What a page shows.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Whose it is.
    pub environment: Environment,
    /// When it was put together.
    pub made_at: Timestamp,
    /// The time that the advice looked at.
    pub window: Window,
    /// The samples of that time.
    pub samples: Vec<Sample>,
    /// The series that counts the instances, where it is known.
    pub instances_by: Option<String>,
    /// The advice, if there is any.
    pub recommendation: Option<RecommendationDocument>,
    /// Why nothing came after it, or why there is none.
    pub refusal: Option<RefusalDocument>,
    /// Every fit of the last [`HISTORY_DAYS`], oldest first; the newest one at least.
    pub fits: Vec<FitDocument>,
    /// Every advice of the last [`HISTORY_DAYS`], oldest first.
    pub past: Vec<RecommendationDocument>,
    /// The settings that were in force in that time, oldest first.
    pub settings: Vec<SettingsDocument>,
    /// What the group did and what was deployed in that time, oldest first.
    pub activities: Vec<Activity>,
}

/// A page, and where it is kept.
#[derive(Debug, Clone)]
pub struct Report {
    /// The page: HTML.
    pub html: String,
    /// Where it was written.
    pub key: Key,
    /// In which group of the index the environment stands, and why.
    pub standing: Standing,
}

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Something that the stages left could not be read.
    #[error("reading what the stages left")]
    Read(#[source] StoreError),
    /// There is nothing to show.
    #[error("`{environment}` has no samples up to {until}; ingest some first")]
    Nothing {
        /// The environment.
        environment: Environment,
        /// The time asked for.
        until: MinuteUtc,
    },
    /// The page could not be written.
    #[error("writing the page")]
    Write(#[source] StoreError),
}

impl ReportError {
    /// Whether there is nothing to show, which is no fault.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Nothing { .. })
    }

    /// Whether an object of this environment is not what its key says, which is no matter of the others.
    pub fn is_damage(&self) -> bool {
        matches!(self, Self::Read(StoreError::Damaged { .. } | StoreError::OtherVersion { .. }))
    }
}

/// Makes the page and keeps it beside the advice.
pub async fn run(archive: &dyn Archive, request: ReportRequest) -> Result<Report, ReportError> {
    let evidence = gather(archive, request).await?;
    let html = page(&evidence);
    let key = Key::report(&evidence.environment, evidence.window.last_minute());
    write_bytes(archive, &key, html.clone().into()).await.map_err(ReportError::Write)?;
    let standing = standing(evidence.recommendation.as_ref(), evidence.refusal.as_ref());
    Ok(Report { html, key, standing })
}

/// Reads what a page shows.
pub async fn gather(archive: &dyn Archive, request: ReportRequest) -> Result<Evidence, ReportError> {
    let ReportRequest { environment, until, now } = request;
    let read = ReportError::Read;
    let recommendation = latest_recommendation(archive, &environment, until).await.map_err(read)?;
    let refusal =
        refusals::since(archive, &environment, recommendation.as_ref(), until).await.map_err(read)?;
    let of_advice = recommendation.as_ref().and_then(|advice| advice.traffic.window.window().ok());
    let mut window = match of_advice {
        Some(window) => window,
        None => newest(archive, &environment, until).await?,
    };
    let (samples, instances_by) = read_counted_samples(archive, &environment, window).await.map_err(read)?;
    if let (None, Some(first)) = (&recommendation, samples.first()) {
        window.start = first.minute_utc;
    }
    let history = Window::days_before(window.end, HISTORY_DAYS);
    let mut fits: Vec<FitDocument> = documents_since(
        archive,
        &Prefix::fits(&environment),
        &Key::fit(&environment, history.start),
        "/fit.json",
    )
    .await
    .map_err(read)?;
    fits.retain(|fit| fit.window.end <= window.end.start());
    if fits.is_empty() {
        fits.extend(latest_fit(archive, &environment, window.end).await.map_err(read)?);
    }
    let oldest = Key::recommendation(&environment, history.start);
    let mut past: Vec<RecommendationDocument> =
        documents_since(archive, &Prefix::sweeps(&environment), &oldest, "/recommendation.json")
            .await
            .map_err(read)?;
    past.retain(|advice| advice.traffic.window.end <= window.end.start());
    let mut settings: Vec<SettingsDocument> = Vec::new();
    settings.extend(latest_settings(archive, &environment, history.start).await.map_err(read)?);
    let since = Key::settings(&environment, history.start + Minutes(1));
    let later: Vec<SettingsDocument> =
        documents_since(archive, &Prefix::settings(&environment), &since, ".json").await.map_err(read)?;
    settings.extend(later);
    let activities = read_activities(archive, &environment, history).await.map_err(read)?;
    Ok(Evidence {
        environment,
        made_at: now,
        window,
        samples,
        instances_by,
        recommendation,
        refusal,
        fits,
        past,
        settings,
        activities,
    })
}

/// The days before the newest sample.
async fn newest(
    archive: &dyn Archive,
    environment: &Environment,
    until: MinuteUtc,
) -> Result<Window, ReportError> {
    let end = end_of_samples(archive, environment).await.map_err(ReportError::Read)?;
    let end = end.ok_or_else(|| ReportError::Nothing { environment: environment.clone(), until })?;
    Ok(Window::days_before(end.min(until), DAYS))
}

/// The evidence, with what follows from it.
struct Shown<'a> {
    evidence: &'a Evidence,
    /// The replays, or why there are none.
    replays: Result<Replays, String>,
    /// The fit that the advice went by; else the newest.
    fit: Option<&'a FitDocument>,
    deployments: Vec<Deployment>,
}

impl<'a> Shown<'a> {
    fn of(evidence: &'a Evidence) -> Self {
        let Evidence { recommendation, samples, window, settings, fits, activities, .. } = evidence;
        let in_force = settings.iter().rev().find(|settings| settings.since <= window.end.start());
        let replays = match recommendation {
            None => Err("there is no advice yet".to_owned()),
            Some(advice) => replays(advice, samples, in_force).map_err(|error| with_causes(&error)),
        };
        let of_advice = recommendation.as_ref().and_then(|advice| advice.model.fit.as_deref());
        let checked = in_force.and_then(|settings| settings.settings().ok());
        let mut deployments = seen(samples, *window, checked.as_ref());
        deployments.extend(activities.iter().filter_map(Activity::deployment));
        Self { evidence, replays, fit: of_advice.or(fits.last()), deployments }
    }

    fn advice(&self) -> Option<&'a RecommendationDocument> {
        self.evidence.recommendation.as_ref()
    }

    /// The first minute of the window, since 1970.
    fn start(&self) -> f64 {
        self.evidence.window.start.epoch_minutes() as f64
    }

    fn end(&self) -> f64 {
        self.evidence.window.end.epoch_minutes() as f64
    }
}
