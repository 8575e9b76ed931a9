//! What the stages share over an archive: samples by day, and JSON documents by key.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use bytes::Bytes;
use jiff::Timestamp;
use scaling::sample::{Metric, Period, Sample, each_value_once};
use scaling::units::{MinuteUtc, Minutes, Window};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::activity::Activity;
use crate::archive::{Archive, ArchiveError, Environment, Expected, Key, Prefix, Version};
use crate::documents::{
    FitDocument, PublishedDocument, RecommendationDocument, SCHEMA_VERSION, SettingsDocument,
};
use crate::tables::samples::Remarks;
use crate::tables::{TableError, activities, samples};

/// Why something was not read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The archive said no.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// An object is not what its key says. It is left as it is.
    #[error("`{key}` is damaged")]
    Damaged {
        /// The object.
        key: Key,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An object was written by another Trellis.
    #[error("`{key}` has shape {found}, and this Trellis reads shape {SCHEMA_VERSION}")]
    OtherVersion {
        /// The object.
        key: Key,
        /// Its version.
        found: u32,
    },
    /// A time outside of any calendar.
    #[error("{0}")]
    Time(String),
    /// The samples to keep contradict each other.
    #[error("the new samples")]
    Samples(#[source] TableError),
    /// Other writers were always faster.
    #[error("`{key}` was changed by someone else {attempts} times in a row")]
    Contended {
        /// The object.
        key: Key,
        /// How often it was tried.
        attempts: u32,
    },
}

impl StoreError {
    /// Whether another writer was faster.
    pub fn is_lost_race(&self) -> bool {
        matches!(self, Self::Archive(ArchiveError::Changed { .. }))
    }
}

/// What became of the samples that were to be kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MergeReport {
    /// Periods that were not there.
    pub added: usize,
    /// Periods that have a new value.
    pub updated: usize,
    /// Periods that were there just so.
    pub unchanged: usize,
}

impl MergeReport {
    /// What became of each of `new`. One whose values are all there by the minute changes nothing.
    fn of(before: &[Sample], merged: &[Sample], new: &[&Sample]) -> Self {
        let mut report = Self::default();
        for sample in new {
            match (find(before, sample), find(merged, sample)) {
                (None, Some(_)) => report.added += 1,
                (was, is) if was == is => report.unchanged += 1,
                _ => report.updated += 1,
            }
        }
        report
    }
}

/// The sample of the same period, of those in the order of time.
fn find<'a>(samples: &'a [Sample], sample: &Sample) -> Option<&'a Sample> {
    let place = samples.binary_search_by_key(&sample.key(), Sample::key).ok()?;
    Some(&samples[place])
}

/// The samples that start within `window`, oldest first.
pub async fn read_samples(
    archive: &dyn Archive,
    environment: &Environment,
    window: Window,
) -> Result<Vec<Sample>, StoreError> {
    Ok(read_counted_samples(archive, environment, window).await?.0)
}

/// The same, and the series that counts the instances on the newest day of `window` that says so.
pub async fn read_counted_samples(
    archive: &dyn Archive,
    environment: &Environment,
    window: Window,
) -> Result<(Vec<Sample>, Option<String>), StoreError> {
    let days = Key::samples(environment, window.start)..=Key::samples(environment, window.last_minute());
    let (mut all, mut instances_by) = (Vec::new(), None);
    for key in keys_within(archive, &Prefix::samples(environment), days).await? {
        let day = read_day(archive, &key).await?;
        all.extend(day.samples);
        instances_by = day.remarks.instances_by.or(instances_by);
    }
    all.retain(|sample| window.contains(sample.minute_utc));
    all.sort_by_key(Sample::key);
    Ok((all, instances_by))
}

/// The days that are there, oldest first: a window may be longer than the archive is old.
async fn keys_within(
    archive: &dyn Archive,
    prefix: &Prefix,
    days: RangeInclusive<Key>,
) -> Result<Vec<Key>, StoreError> {
    let mut keys = archive.list(prefix).await?;
    keys.retain(|key| days.contains(key));
    Ok(keys)
}

/// The end of the newest sample, if there is any.
pub async fn end_of_samples(
    archive: &dyn Archive,
    environment: &Environment,
) -> Result<Option<MinuteUtc>, StoreError> {
    let keys = archive.list(&Prefix::samples(environment)).await?;
    let Some(newest) = keys.last() else { return Ok(None) };
    let samples = read_day(archive, newest).await?.samples;
    Ok(samples.iter().map(|sample| sample.minute_utc + sample.period.minutes()).max())
}

/// The newest samples of an environment.
pub struct Newest {
    /// The end of the newest.
    pub end: MinuteUtc,
    /// Those that start within a span before that, oldest first.
    pub samples: Vec<Sample>,
    /// What is said of them: by the newest day that says it.
    pub remarks: Remarks,
}

/// The samples of the `span` before the end of the newest one, if there is any. Up to where all was fetched is
/// looked for in the days of the `longest` span before that end.
pub async fn newest_samples(
    archive: &dyn Archive,
    environment: &Environment,
    span: Minutes,
    longest: Minutes,
) -> Result<Option<Newest>, StoreError> {
    let keys = archive.list(&Prefix::samples(environment)).await?;
    let mut newest: Option<Newest> = None;
    for key in keys.iter().rev() {
        if newest.as_ref().is_some_and(|newest| *key < newest.oldest_needed(environment, span, longest)) {
            break;
        }
        let day = read_day(archive, key).await?;
        let end = day.samples.iter().map(|sample| sample.minute_utc + sample.period.minutes()).max();
        let Some(end) = newest.as_ref().map(|newest| newest.end).or(end) else { continue };
        let found =
            newest.get_or_insert_with(|| Newest { end, samples: vec![], remarks: Remarks::default() });
        found.samples.extend(day.samples.into_iter().filter(|sample| end - span <= sample.minute_utc));
        found.remarks = std::mem::take(&mut found.remarks).over(day.remarks);
    }
    if let Some(newest) = &mut newest {
        newest.samples.sort_by_key(Sample::key);
    }
    Ok(newest)
}

impl Newest {
    /// The oldest day that may have something to add.
    fn oldest_needed(&self, environment: &Environment, span: Minutes, longest: Minutes) -> Key {
        let span = if self.remarks.fetched_until.is_some() { span } else { span.max(longest) };
        Key::samples(environment, self.end - span)
    }
}

/// What the archive holds of a day.
#[derive(Default)]
struct Day {
    samples: Vec<Sample>,
    remarks: Remarks,
    version: Option<Version>,
}

async fn read_day(archive: &dyn Archive, key: &Key) -> Result<Day, StoreError> {
    let Some(object) = archive.get(key).await? else { return Ok(Day::default()) };
    let damaged = |source: TableError| StoreError::Damaged { key: key.clone(), source: source.into() };
    let (samples, remarks) = samples::decode_with(&object.body).map_err(damaged)?;
    // Older ones may hold a value by the minute and by five.
    let samples = each_value_once(samples);
    Ok(Day { samples, remarks, version: Some(object.version) })
}

/// Keeps `new` beside what is there: the newest value of a period wins, and nothing that is there is lost.
/// A day that gains nothing is not written. The days are written oldest first, and none says that more was fetched than
/// up to its own end: a run that stops halfway promises no day that it did not come to.
pub async fn merge_samples(
    archive: &dyn Archive,
    environment: &Environment,
    new: &[Sample],
    remarks: &Remarks,
) -> Result<MergeReport, StoreError> {
    merge_filled(archive, environment, new, &[], remarks).await
}

/// The same, and the `absent` values of the same days where nothing is known: what was filled in takes no other's place.
pub async fn merge_filled(
    archive: &dyn Archive,
    environment: &Environment,
    new: &[Sample],
    absent: &[Sample],
    remarks: &Remarks,
) -> Result<MergeReport, StoreError> {
    let mut absent = by_day(environment, absent);
    let mut total = MergeReport::default();
    for (key, samples) in by_day(environment, new) {
        let end_of_day = Window::day_of(samples[0].minute_utc).end;
        let fetched_until = remarks.fetched_until.map(|until| until.min(end_of_day));
        let remarks = Remarks { fetched_until, ..remarks.clone() };
        let absent = absent.remove(&key).unwrap_or_default();
        let report = merge_day(archive, &key, [&samples, &absent], &remarks).await?;
        total.added += report.added;
        total.updated += report.updated;
        total.unchanged += report.unchanged;
    }
    Ok(total)
}

fn by_day<'a>(environment: &Environment, samples: &'a [Sample]) -> BTreeMap<Key, Vec<&'a Sample>> {
    let mut by_day: BTreeMap<Key, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        by_day.entry(Key::samples(environment, sample.minute_utc)).or_default().push(sample);
    }
    by_day
}

const ATTEMPTS: u32 = 8;

async fn merge_day(
    archive: &dyn Archive,
    key: &Key,
    new: [&[&Sample]; 2],
    remarks: &Remarks,
) -> Result<MergeReport, StoreError> {
    for _ in 0..ATTEMPTS {
        let before = read_day(archive, key).await?;
        let (merged, report) = merge(&before.samples, new);
        let moved = before.remarks.fetched_until < remarks.fetched_until;
        if merged == before.samples && !moved {
            return Ok(report);
        }
        let remarks = remarks.clone().over(before.remarks);
        let body = samples::encode_with(&merged, &remarks).map_err(StoreError::Samples)?;
        match archive.put(key, body, Expected::as_read(before.version.as_ref())).await {
            Err(ArchiveError::Changed { .. }) => {}
            done => return Ok(done.map(|()| report)?),
        }
    }
    Err(StoreError::Contended { key: key.clone(), attempts: ATTEMPTS })
}

fn merge(before: &[Sample], [new, absent]: [&[&Sample]; 2]) -> (Vec<Sample>, MergeReport) {
    let mut by_key: BTreeMap<(MinuteUtc, Period), Sample> =
        before.iter().map(|sample| (sample.key(), sample.clone())).collect();
    new.iter().for_each(|sample| add(&mut by_key, sample));
    let unknown: Vec<&Sample> = absent.iter().copied().filter(|sample| !knows(&by_key, sample)).collect();
    unknown.into_iter().for_each(|sample| add(&mut by_key, sample));
    let merged = each_value_once(by_key.into_values().collect());
    let report = MergeReport::of(before, &merged, new);
    (merged, report)
}

fn add(by_key: &mut BTreeMap<(MinuteUtc, Period), Sample>, sample: &Sample) {
    by_key.entry(sample.key()).or_insert_with(|| sample.clone()).merge(sample);
}

/// Whether any value of `sample` is there, for all or a part of its time.
fn knows(by_key: &BTreeMap<(MinuteUtc, Period), Sample>, sample: &Sample) -> bool {
    let (start, end) = (sample.minute_utc, sample.minute_utc + sample.period.minutes());
    let around = by_key.range((start - Minutes(4), Period::OneMinute)..(end, Period::OneMinute));
    let mut overlapping = around.filter(|((minute, period), _)| start < *minute + period.minutes());
    let has = |there: &Sample, metric| there.get(metric).is_some() && sample.get(metric).is_some();
    overlapping.any(|(_, there)| Metric::ALL.into_iter().any(|metric| has(there, metric)))
}

/// Keeps `new` activities beside those that are there, by their ids; the newest word on one wins.
pub async fn merge_activities(
    archive: &dyn Archive,
    environment: &Environment,
    new: &[Activity],
) -> Result<(), StoreError> {
    let mut by_day: BTreeMap<Key, Vec<&Activity>> = BTreeMap::new();
    for activity in new {
        let minute =
            MinuteUtc::containing(activity.start).map_err(|error| StoreError::Time(error.to_string()))?;
        by_day.entry(Key::activities(environment, minute)).or_default().push(activity);
    }
    for (key, activities) in by_day {
        merge_activity_day(archive, &key, &activities).await?;
    }
    Ok(())
}

async fn merge_activity_day(archive: &dyn Archive, key: &Key, new: &[&Activity]) -> Result<(), StoreError> {
    for _ in 0..ATTEMPTS {
        let (before, version) = read_activity_day(archive, key).await?;
        let mut by_id: BTreeMap<(Timestamp, String), Activity> =
            before.iter().map(|activity| ((activity.start, activity.id.clone()), activity.clone())).collect();
        by_id.extend(new.iter().map(|activity| ((activity.start, activity.id.clone()), (*activity).clone())));
        let merged: Vec<Activity> = by_id.into_values().collect();
        if merged == before {
            return Ok(());
        }
        let body = activities::encode(&merged);
        match archive.put(key, body, Expected::as_read(version.as_ref())).await {
            Err(ArchiveError::Changed { .. }) => {}
            done => return Ok(done?),
        }
    }
    Err(StoreError::Contended { key: key.clone(), attempts: ATTEMPTS })
}

async fn read_activity_day(
    archive: &dyn Archive,
    key: &Key,
) -> Result<(Vec<Activity>, Option<Version>), StoreError> {
    let Some(object) = archive.get(key).await? else { return Ok((vec![], None)) };
    let damaged = |source: TableError| StoreError::Damaged { key: key.clone(), source: source.into() };
    Ok((activities::decode(&object.body).map_err(damaged)?, Some(object.version)))
}

/// The activities that began within `window`, oldest first.
pub async fn read_activities(
    archive: &dyn Archive,
    environment: &Environment,
    window: Window,
) -> Result<Vec<Activity>, StoreError> {
    let days =
        Key::activities(environment, window.start)..=Key::activities(environment, window.last_minute());
    let mut all = Vec::new();
    for key in keys_within(archive, &Prefix::activities(environment), days).await? {
        all.extend(read_activity_day(archive, &key).await?.0);
    }
    all.retain(|activity| window.start.start() <= activity.start && activity.start < window.end.start());
    Ok(all)
}

/// Puts any bytes under `key`.
pub async fn write_bytes(archive: &dyn Archive, key: &Key, body: Bytes) -> Result<(), StoreError> {
    Ok(archive.put(key, body, Expected::Anything).await?)
}

/// Puts a document under `key`, whatever is there.
pub async fn write_json(
    archive: &dyn Archive,
    key: &Key,
    document: &impl Serialize,
) -> Result<(), StoreError> {
    write_bytes(archive, key, json(document)).await
}

/// Puts a document under `key`, if what is there is still the version that was read.
pub async fn replace_json(
    archive: &dyn Archive,
    key: &Key,
    document: &impl Serialize,
    read: Option<&Version>,
) -> Result<(), StoreError> {
    Ok(archive.put(key, json(document), Expected::as_read(read)).await?)
}

fn json(document: &impl Serialize) -> Bytes {
    let mut text =
        serde_json::to_vec_pretty(document).expect("documents have text as keys and finite numbers");
    text.push(b'\n');
    text.into()
}

/// The document under `key` and its version, if there is one.
pub async fn read_json_versioned<T: DeserializeOwned>(
    archive: &dyn Archive,
    key: &Key,
) -> Result<Option<(T, Version)>, StoreError> {
    let Some(object) = archive.get(key).await? else { return Ok(None) };
    let damaged = |source: serde_json::Error| StoreError::Damaged { key: key.clone(), source: source.into() };
    let value: serde_json::Value = serde_json::from_slice(&object.body).map_err(damaged)?;
    let found = value.get("schema_version").and_then(serde_json::Value::as_u64).unwrap_or(0) as u32;
    if found != SCHEMA_VERSION {
        return Err(StoreError::OtherVersion { key: key.clone(), found });
    }
    Ok(Some((serde_json::from_value(value).map_err(damaged)?, object.version)))
}

/// The settings in force at `until`.
pub async fn latest_settings(
    archive: &dyn Archive,
    environment: &Environment,
    until: MinuteUtc,
) -> Result<Option<SettingsDocument>, StoreError> {
    let newest = Key::settings(environment, until);
    latest(archive, &Prefix::settings(environment), &newest, "json", |_: &SettingsDocument| true).await
}

/// The newest fit of a time that ends at `until` or before.
pub async fn latest_fit(
    archive: &dyn Archive,
    environment: &Environment,
    until: MinuteUtc,
) -> Result<Option<FitDocument>, StoreError> {
    let newest = Key::fit(environment, until);
    let ended = |fit: &FitDocument| fit.window.end <= until.start();
    latest(archive, &Prefix::fits(environment), &newest, "/fit.json", ended).await
}

/// The newest advice on traffic that ends at `until` or before.
pub async fn latest_recommendation(
    archive: &dyn Archive,
    environment: &Environment,
    until: MinuteUtc,
) -> Result<Option<RecommendationDocument>, StoreError> {
    let newest = Key::recommendation(environment, until);
    let end: Timestamp = until.start();
    let ended = |advice: &RecommendationDocument| advice.traffic.window.end <= end;
    latest(archive, &Prefix::sweeps(environment), &newest, "recommendation.json", ended).await
}

/// What the readers were last told.
pub async fn latest_published(
    archive: &dyn Archive,
    environment: &Environment,
) -> Result<Option<PublishedDocument>, StoreError> {
    let found = read_json_versioned(archive, &Key::latest_published(environment)).await?;
    Ok(found.map(|(published, _)| published))
}

/// Every document of a kind from the key `oldest` on, oldest first.
pub(crate) async fn documents_since<T: DeserializeOwned>(
    archive: &dyn Archive,
    prefix: &Prefix,
    oldest: &Key,
    suffix: &str,
) -> Result<Vec<T>, StoreError> {
    let mut documents = Vec::new();
    let keys = archive.list(prefix).await?;
    for key in keys.iter().filter(|key| oldest <= key && key.as_str().ends_with(suffix)) {
        documents.extend(read_json_versioned::<T>(archive, key).await?.map(|(document, _)| document));
    }
    Ok(documents)
}

/// The newest document up to `newest` that is acceptable. Keys of a kind sort by their time.
async fn latest<T: DeserializeOwned>(
    archive: &dyn Archive,
    prefix: &Prefix,
    newest: &Key,
    suffix: &str,
    accept: impl Fn(&T) -> bool,
) -> Result<Option<T>, StoreError> {
    let keys = archive.list(prefix).await?;
    let candidates = keys.iter().rev().filter(|key| *key <= newest && key.as_str().ends_with(suffix));
    for key in candidates {
        let document = read_json_versioned::<T>(archive, key).await?.map(|(document, _)| document);
        if let Some(document) = document.filter(&accept) {
            return Ok(Some(document));
        }
    }
    Ok(None)
}
