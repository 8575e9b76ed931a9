//! Stage 1 of 4: metrics into the archive, newest fetch wins, nothing lost.

use std::collections::BTreeSet;

use scaling::settings::Settings;
use scaling::units::{MinuteUtc, Minutes, Window};
use serde::Serialize;

use crate::activity::Activity;
use crate::archive::{Archive, Environment, Key};
use crate::documents::{GroupDocument, OptionDocument, SCHEMA_VERSION, SettingsDocument};
use crate::fill::{FillReport, absent_requests, leave_open};
use crate::recorded::{Note, Recording};
use crate::store::{MergeReport, StoreError, latest_settings, merge_activities, merge_filled, write_json};
use crate::tables::samples::Remarks;

/// Newest minutes that are left for the next fetch, since they still grow.
pub const LEAVE_OPEN: Minutes = Minutes(3);

/// What to take in.
#[derive(Debug, Clone)]
pub struct IngestRequest {
    /// Whose metrics.
    pub environment: Environment,
    /// As they were fetched or exported.
    pub recording: Recording,
    /// The environment's options, if they were fetched too.
    pub options: Option<Vec<OptionDocument>>,
    /// The environment's group, if it was looked at.
    pub group: Option<GroupDocument>,
    /// The group's scaling activities, if they were fetched too.
    pub activities: Vec<Activity>,
    /// Minutes of which the load balancer said something, if that is known: only there are absent requests zero.
    /// Else they are wherever instances are reported.
    pub load_balancer_reported: Option<BTreeSet<MinuteUtc>>,
    /// Newest minutes to leave out, counted from the newest that was fetched.
    pub leave_open: Minutes,
    /// Up to where everything was asked for, without a gap before it; nothing of a part of the time.
    pub fetched_until: Option<MinuteUtc>,
}

/// What was taken in.
#[derive(Debug, Clone)]
pub struct IngestReport {
    /// From the first to after the last sample kept.
    pub window: Window,
    /// What happened to each.
    pub merged: MergeReport,
    /// Minutes filled, and values missing.
    pub filled: FillReport,
    /// Samples left for the next fetch.
    pub left_open: usize,
    /// Whether the options are other than they were; nothing, if none were fetched.
    pub settings_changed: Option<bool>,
    /// What to know about the recording.
    pub notes: Vec<Note>,
}

/// The same for programs, and for people to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Whose.
    pub environment: String,
    /// Start of the first sample kept.
    pub start: String,
    /// End of the last.
    pub end: String,
    /// Periods that were not there.
    pub samples_added: usize,
    /// Periods that have a new value.
    pub samples_updated: usize,
    /// Periods that were there just so.
    pub samples_unchanged: usize,
    /// Periods without requests, taken as zero.
    pub requests_filled_with_zero: usize,
    /// Periods without CPU.
    pub cpu_missing: usize,
    /// Newest periods, left for the next fetch.
    pub left_open: usize,
    /// `new` or `as before`, if they were fetched.
    pub settings: Option<&'static str>,
    /// What to know.
    pub notes: Vec<String>,
}

impl Taken {
    /// What was taken in of `environment`.
    pub fn of(environment: &Environment, report: &IngestReport) -> Self {
        let IngestReport { window, merged, filled, left_open, settings_changed, notes } = report;
        Self {
            environment: environment.to_string(),
            start: window.start.to_string(),
            end: window.end.to_string(),
            samples_added: merged.added,
            samples_updated: merged.updated,
            samples_unchanged: merged.unchanged,
            requests_filled_with_zero: filled.requests_filled,
            cpu_missing: filled.cpu_missing,
            left_open: *left_open,
            settings: settings_changed.map(|changed| if changed { "new" } else { "as before" }),
            notes: notes.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Why nothing, or not all, was taken in.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// There is nothing to take in.
    #[error("there are no metrics of `{environment}` to take in: {why}")]
    Nothing {
        /// The environment.
        environment: Environment,
        /// As far as it is known.
        why: String,
    },
    /// All that there is may still grow.
    #[error(
        "the metrics of `{environment}` hold no complete period: of {fetched} samples, the newest {leave_open} are left open since they may still grow"
    )]
    NothingComplete {
        /// The environment.
        environment: Environment,
        /// Samples fetched.
        fetched: usize,
        /// Newest minutes left out.
        leave_open: Minutes,
    },
    /// The samples could not be merged.
    #[error("keeping samples")]
    Samples(#[source] StoreError),
    /// The activities could not be merged.
    #[error("keeping scaling activities")]
    Activities(#[source] StoreError),
    /// The settings could not be read or written.
    #[error("keeping settings")]
    Settings(#[source] StoreError),
}

impl IngestError {
    /// Whether that is how things are, and no fault.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Nothing { .. } | Self::NothingComplete { .. })
    }
}

/// Fills what is known to be zero, leaves the newest minutes open, and merges the rest with what is there.
pub async fn run(archive: &dyn Archive, request: IngestRequest) -> Result<IngestReport, IngestError> {
    let IngestRequest { environment, recording, options, group, activities, .. } = request;
    let open = request.leave_open;
    let mut samples = recording.samples;
    let fetched = samples.len();
    if fetched == 0 {
        return Err(IngestError::Nothing { environment, why: why_nothing(&recording.notes) });
    }
    let left_open = leave_open(&mut samples, open);
    let (absent, filled) = absent_requests(&samples, request.load_balancer_reported.as_ref());
    let Some(window) = span(&samples) else {
        return Err(IngestError::NothingComplete { environment, fetched, leave_open: open });
    };
    // The samples last: where they were fetched up to, the next fetch begins, and what was not kept by then would be lost.
    merge_activities(archive, &environment, &activities).await.map_err(IngestError::Activities)?;
    let settings_changed = match options {
        Some(options) => keep_settings(archive, &environment, options, group, window).await.map(Some),
        None => Ok(None),
    };
    let settings_changed = settings_changed.map_err(IngestError::Settings)?;
    let counted = recording.notes.iter().find_map(Note::instances_by).map(str::to_owned);
    let remarks = Remarks { instances_by: counted, fetched_until: request.fetched_until };
    let merged = merge_filled(archive, &environment, &samples, &absent, &remarks).await;
    let merged = merged.map_err(IngestError::Samples)?;
    Ok(IngestReport { window, merged, filled, left_open, settings_changed, notes: recording.notes })
}

/// What the notes know about why there is no sample.
fn why_nothing(notes: &[Note]) -> String {
    let unknown = |note: &Note| if let Note::Unknown(series) = note { Some(series.clone()) } else { None };
    let unknown: Vec<String> = notes.iter().filter_map(unknown).collect();
    let helps = |note: &&Note| matches!(note, Note::Message(_) | Note::Empty(_) | Note::NoRowHolds { .. });
    let mut reasons: Vec<String> = notes.iter().filter(helps).map(ToString::to_string).collect();
    if !unknown.is_empty() {
        let unknown = unknown.join(", ");
        reasons.push(format!("no metric known here: {unknown}; say what each is with --series ID=METRIC"));
    }
    if reasons.is_empty() { "no row or series holds a value".to_owned() } else { reasons.join("; ") }
}

fn span(samples: &[scaling::sample::Sample]) -> Option<Window> {
    let start = samples.iter().map(|sample| sample.minute_utc).min()?;
    let end = samples.iter().map(|sample| sample.minute_utc + sample.period.minutes()).max()?;
    Some(Window { start, end })
}

/// Keeps a set of options that is not the one in force already, but for those that nothing reads: an environment's
/// properties hold its passwords. The first set is taken to have held over the whole recording; a later one from the
/// recording's end on, when it was first seen.
async fn keep_settings(
    archive: &dyn Archive,
    environment: &Environment,
    mut options: Vec<OptionDocument>,
    group: Option<GroupDocument>,
    recording: Window,
) -> Result<bool, StoreError> {
    keep_what_is_read(&mut options);
    options.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
    let before = match latest_settings(archive, environment, recording.end).await? {
        Some(before) => Some(without_what_is_not_read(archive, environment, before).await?),
        None => None,
    };
    let since = before.as_ref().map_or(recording.start, |_| recording.end);
    if before.is_some_and(|before| before.options == options && before.group == group) {
        return Ok(false);
    }
    let document = SettingsDocument {
        schema_version: SCHEMA_VERSION,
        environment: environment.name().to_owned(),
        since: since.start(),
        options,
        group,
    };
    write_json(archive, &Key::settings(environment, since), &document).await?;
    Ok(true)
}

fn keep_what_is_read(options: &mut Vec<OptionDocument>) {
    options.retain(|option| Settings::are_read_from(&option.namespace));
}

/// Earlier versions kept every option: the set in force is written again without the rest.
async fn without_what_is_not_read(
    archive: &dyn Archive,
    environment: &Environment,
    mut document: SettingsDocument,
) -> Result<SettingsDocument, StoreError> {
    let count = document.options.len();
    keep_what_is_read(&mut document.options);
    if let Ok(since) = MinuteUtc::containing(document.since)
        && document.options.len() < count
    {
        write_json(archive, &Key::settings(environment, since), &document).await?;
    }
    Ok(document)
}

fn sort_key(option: &OptionDocument) -> (&str, Option<&str>, &str) {
    (&option.namespace, option.resource_name.as_deref(), &option.option_name)
}
