//! Stage 2 of 4: what one request per minute costs, in percent CPU of one instance.

use scaling::backtest::Record;
use scaling::course::Deployment;
use scaling::fit::{Fit, FitError, FitRules, fit_outside};
use scaling::plan::{LIKELY_LARGEST_STEP, Plan};
use scaling::sample::Sample;
use scaling::units::Window;

use crate::activity::Activity;
use crate::archive::{Archive, Environment, Key};
use crate::documents::{FitDocument, SettingsDocument};
use crate::store::{StoreError, latest_settings, read_activities, read_samples, write_json};

/// What to fit.
#[derive(Debug, Clone)]
pub struct RefitRequest {
    /// Whose samples.
    pub environment: Environment,
    /// Of which time. The fit is kept under the day of its last minute.
    pub window: Window,
    /// What the samples must show.
    pub rules: FitRules,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct RefitReport {
    /// The line.
    pub fit: Fit,
    /// As it was written.
    pub document: FitDocument,
    /// Where it was written.
    pub key: Key,
}

/// Why there is no new fit. The one before stays as it is.
#[derive(Debug, thiserror::Error)]
pub enum RefitError {
    /// The samples could not be read.
    #[error("reading samples")]
    Read(#[source] StoreError),
    /// There is nothing to fit.
    #[error("`{environment}` has no samples from {window}; ingest some first, or look at another time")]
    NoSamples {
        /// The environment.
        environment: Environment,
        /// The time looked at.
        window: Window,
    },
    /// The samples don't carry a line.
    #[error("fitting the coefficient")]
    Fit(#[from] FitError),
    /// The fit could not be written.
    #[error("writing the fit")]
    Write(#[source] StoreError),
}

impl RefitError {
    /// Whether the data can't carry a line, which is no fault.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::NoSamples { .. } | Self::Fit(_))
    }
}

/// Fits the samples of the window, and keeps the line.
pub async fn run(archive: &dyn Archive, request: RefitRequest) -> Result<RefitReport, RefitError> {
    let RefitRequest { environment, window, rules } = request;
    let samples = read_samples(archive, &environment, window).await.map_err(RefitError::Read)?;
    if samples.is_empty() {
        return Err(RefitError::NoSamples { environment, window });
    }
    let settings = latest_settings(archive, &environment, window.end).await.map_err(RefitError::Read)?;
    let activities = read_activities(archive, &environment, window).await.map_err(RefitError::Read)?;
    let mut deployments = deployments(&samples, window, settings.as_ref());
    deployments.extend(activities.iter().filter_map(Activity::deployment));
    let fit = fit_outside(&samples, rules, &deployments)?;
    let document = FitDocument::new(environment.name(), window, &fit);
    let key = Key::fit(&environment, window.last_minute());
    write_json(archive, &key, &document).await.map_err(RefitError::Write)?;
    Ok(RefitReport { fit, document, key })
}

/// Deployments that the samples show. Settings that can't be read, or are no policy, say nothing about its steps;
/// whoever replays them will say why.
fn deployments(samples: &[Sample], window: Window, settings: Option<&SettingsDocument>) -> Vec<Deployment> {
    let plan = settings.and_then(|document| document.settings().ok()?.plan(None).ok());
    let largest_step = plan.as_ref().map_or(LIKELY_LARGEST_STEP, Plan::largest_step);
    Record::of(samples, window).map(|record| record.deployments(largest_step)).unwrap_or_default()
}
