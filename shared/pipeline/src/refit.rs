//! Stage 2 of 4: what one request per minute costs, in percent CPU of one instance.

use std::collections::BTreeMap;

use scaling::backtest::Record;
use scaling::coefficient::{Circumstances, Fit, FitError, FitRules, fit_within};
use scaling::course::Deployment;
use scaling::latency::knee;
use scaling::plan::{LIKELY_LARGEST_STEP, Plan};
use scaling::sample::{Metric, Period, Sample};
use scaling::settings::Settings;
use scaling::units::{CpuPercent, Instances, Minutes, Window};

use crate::activity::Activity;
use crate::archive::{Archive, Environment, Key};
use crate::documents::{CeilingSource, DriftDocument, FitDocument};
use crate::refusals;
use crate::store::{StoreError, latest_fit, latest_settings, read_activities, read_samples, write_json};

/// What to fit.
#[derive(Debug, Clone)]
pub struct RefitRequest {
    /// Whose samples.
    pub environment: Environment,
    /// Of which time. The fit is kept under the day of its last minute.
    pub window: Window,
    /// What the samples must show.
    pub rules: FitRules,
    /// CPU up to which an instance is to be used, where somebody said so.
    pub ceiling: Option<CpuPercent>,
    /// A load test of a known number of instances, if the window is one.
    pub load_test: Option<LoadTest>,
}

/// A load test: its fit is kept beside the others, and takes no part in advice.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadTest {
    /// How many served it.
    pub instances: Instances,
    /// What its clients sent and saw, where that is not to come from the archive: minutes, with requests and response
    /// times of all instances.
    pub clients: Option<Vec<Sample>>,
}

impl LoadTest {
    /// When its clients ran, where that is known.
    pub fn window(&self) -> Option<Window> {
        let clients = self.clients.as_ref()?;
        let (first, last) = (clients.first()?, clients.last()?);
        Some(Window { start: first.minute_utc, end: last.minute_utc + last.period.minutes() })
    }
}

/// Periods that a load test must have; it says more in fewer than traffic does.
const LEAST_OF_LOAD_TEST: u32 = 8;

/// What samples must show unless told otherwise, of traffic or of a load test.
pub fn default_rules(is_load_test: bool) -> FitRules {
    let rules = FitRules::default();
    if is_load_test { FitRules { min_usable: LEAST_OF_LOAD_TEST, ..rules } } else { rules }
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
    /// The clients of a load test and the CPU are of different times.
    #[error(
        "the load test ran from {clients}, and `{environment}` has no CPU of that time within {window}; ingest it first, or look at the clocks"
    )]
    OtherTime {
        /// When the clients ran.
        clients: Window,
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
        matches!(self, Self::NoSamples { .. } | Self::OtherTime { .. } | Self::Fit(_))
    }
}

/// Fits the samples of the window, and keeps the line; or else why there is none.
pub async fn run(archive: &dyn Archive, request: RefitRequest) -> Result<RefitReport, RefitError> {
    let fitted = fitted(archive, request.clone()).await;
    if let Some(error) = fitted.as_ref().err().filter(|error| error.is_refusal())
        && request.load_test.is_none()
    {
        refusals::of_refit(archive, &request, error).await.map_err(RefitError::Write)?;
    }
    fitted
}

async fn fitted(archive: &dyn Archive, request: RefitRequest) -> Result<RefitReport, RefitError> {
    let RefitRequest { environment, window, rules, ceiling, load_test } = request;
    let mut samples = read_samples(archive, &environment, window).await.map_err(RefitError::Read)?;
    if samples.is_empty() {
        return Err(RefitError::NoSamples { environment, window });
    }
    if let Some(test) = &load_test {
        samples = tested(&samples, test, window, &environment)?;
    }
    let settings = latest_settings(archive, &environment, window.end).await.map_err(RefitError::Read)?;
    // Settings that can't be read say nothing here; whoever replays them will say why.
    let settings = settings.and_then(|document| document.settings().ok());
    let activities = read_activities(archive, &environment, window).await.map_err(RefitError::Read)?;
    let mut deployments =
        if load_test.is_none() { seen(&samples, window, settings.as_ref()) } else { vec![] };
    deployments.extend(activities.iter().filter_map(Activity::deployment));
    let instance_types = settings.as_ref().map_or(&[][..], |settings| &settings.instance_types);
    let around = Circumstances { deployments: &deployments, instance_types };
    let fit = fit_within(&samples, rules, around)?;
    let knee = knee(&samples, around);
    let (ceiling, _) = ceiling_or_default(ceiling, knee.map(|knee| knee.departs_at_percent));
    let first = samples.first().map_or(window.start, |first| first.minute_utc.max(window.start));
    let mut document =
        FitDocument::new(environment.name(), Window { start: first, ..window }, &fit, ceiling, knee.as_ref());
    let key = match load_test {
        Some(_) => Key::load_test(&environment, window.last_minute()),
        None => {
            let before = before(archive, &environment, window).await.map_err(RefitError::Read)?;
            document.drift = drift(&document, &fit, before.as_ref(), &deployments);
            Key::fit(&environment, window.last_minute())
        }
    };
    write_json(archive, &key, &document).await.map_err(RefitError::Write)?;
    Ok(RefitReport { fit, document, key })
}

/// CPU that should not be reached, unless told otherwise.
pub const DEFAULT_CEILING_PERCENT: f64 = 50.0;

/// What was asked for; else the default, or the CPU at which response time departs if that is lower.
pub fn ceiling_or_default(
    asked: Option<CpuPercent>,
    departs_at_percent: Option<f64>,
) -> (CpuPercent, CeilingSource) {
    if let Some(asked) = asked {
        return (asked, CeilingSource::Asked);
    }
    let knee = departs_at_percent.map(f64::floor);
    let lower = knee.filter(|knee| (1.0..DEFAULT_CEILING_PERCENT).contains(knee));
    let source = if lower.is_some() { CeilingSource::Knee } else { CeilingSource::Default };
    let percent = lower.unwrap_or(DEFAULT_CEILING_PERCENT);
    (CpuPercent::new(percent).expect("it lies between 0 and 100"), source)
}

/// Deployments that the samples show. Settings that are no policy say nothing about its steps.
pub(crate) fn seen(samples: &[Sample], window: Window, settings: Option<&Settings>) -> Vec<Deployment> {
    let plan = settings.and_then(|settings| settings.plan(None).ok());
    let largest_step = plan.as_ref().map_or(LIKELY_LARGEST_STEP, Plan::largest_step);
    Record::of(samples, window).map(|record| record.deployments(largest_step)).unwrap_or_default()
}

/// The samples of a load test: so many instances, and the requests that its clients sent.
fn tested(
    samples: &[Sample],
    test: &LoadTest,
    window: Window,
    environment: &Environment,
) -> Result<Vec<Sample>, RefitError> {
    let instances = f64::from(test.instances.0);
    let counted = |sample: &Sample| {
        let mut sample = sample.clone();
        sample.set(Metric::InService, instances).expect("a count is a valid number of instances");
        sample
    };
    let Some(clients) = &test.clients else { return Ok(samples.iter().map(counted).collect()) };
    let Some(ran) = test.window() else { return Ok(vec![]) };
    let mut merged: BTreeMap<_, Sample> =
        clients.iter().map(|sample| (sample.key(), counted(sample))).collect();
    let mut with_cpu = 0;
    for sample in samples.iter().filter(|sample| ran.contains(sample.minute_utc)) {
        let Some(percent) = sample.get(Metric::CpuPercent) else { continue };
        with_cpu += 1;
        let mut cpu = Sample::empty(sample.minute_utc, sample.period);
        cpu.set(Metric::CpuPercent, percent).expect("it was valid before");
        match merged.get_mut(&sample.key()) {
            Some(minute) => minute.merge(&cpu),
            None if sample.period == Period::FiveMinutes => drop(merged.insert(sample.key(), cpu)),
            None => {}
        }
    }
    if with_cpu == 0 {
        return Err(RefitError::OtherTime { clients: ran, environment: environment.clone(), window });
    }
    Ok(merged.into_values().collect())
}

/// The newest fit of an earlier day.
async fn before(
    archive: &dyn Archive,
    environment: &Environment,
    window: Window,
) -> Result<Option<FitDocument>, StoreError> {
    let today = window.last_minute().start_of_day();
    latest_fit(archive, environment, today).await
}

/// Fits that are further apart are not compared.
const COMPARED_WITHIN_DAYS: i64 = 35;
/// A smaller change of cost, as a share, is let be.
const LEAST_SHARE: f64 = 0.1;
/// A deployment that ended within so many minutes of a change is named with it.
const NEAR: Minutes = Minutes(60);

/// Since when a request costs something else: as the samples show it, or by the fit before.
fn drift(
    now: &FitDocument,
    fit: &Fit,
    before: Option<&FitDocument>,
    deployments: &[Deployment],
) -> Option<DriftDocument> {
    if let Some(change) = fit.change {
        let near = |d: &&Deployment| d.start - NEAR <= change.since && change.since <= d.end + NEAR;
        let deployment = deployments.iter().find(near).map(|deployment| deployment.end.start());
        let (since, share) = (change.since.start(), change.share);
        return Some(DriftDocument { since, exact: true, share, deployment });
    }
    let before = before?;
    let days = now.window.end.as_second() / 86_400 - before.window.end.as_second() / 86_400;
    let (then, today) = (before.confidence.as_ref()?.coefficient, now.confidence.as_ref()?.coefficient);
    let apart = then.high < today.low || today.high < then.low;
    // Where both have seen it, CPU itself must be another one, not only the slope.
    let load = now.load_range.1.min(before.load_range.1);
    let cpu = |fit: &FitDocument| fit.intercept_percent + fit.coefficient * load;
    let share = (cpu(now) - cpu(before)) / (before.coefficient * load);
    let tells = apart && days <= COMPARED_WITHIN_DAYS && share.abs() >= LEAST_SHARE;
    tells.then_some(DriftDocument { since: before.window.end, exact: false, share, deployment: None })
}
