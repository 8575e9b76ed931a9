//! Stage 4 of 4: the advice to its readers, once.

use async_trait::async_trait;
use jiff::Timestamp;
use scaling::units::MinuteUtc;
use serde::{Deserialize, Serialize};

use crate::advice::{self, Message};
use crate::archive::{Archive, Environment, Key, Version};
use crate::documents::{RecommendationDocument, SCHEMA_VERSION};
use crate::store::{StoreError, latest_recommendation, read_json_versioned, replace_json, write_json};

/// Where messages go: a terminal, a file, a topic.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Hands it on. An error means that nobody got it.
    async fn notify(&self, notification: Notification<'_>) -> Result<(), NotifyError>;
}

/// What a notifier hands on.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// For people.
    pub message: &'a Message,
    /// The advice that it is about, for programs.
    pub recommendation: &'a RecommendationDocument,
}

/// Tells nobody: for a rehearsal.
#[derive(Debug, Clone, Copy)]
pub struct Silence;

#[async_trait]
impl Notifier for Silence {
    async fn notify(&self, _: Notification<'_>) -> Result<(), NotifyError> {
        Ok(())
    }
}

/// Why a message was not handed on.
#[derive(Debug, thiserror::Error)]
#[error("sending to {to}")]
pub struct NotifyError {
    /// Whom it was for.
    pub to: String,
    /// What went wrong.
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

/// What to publish.
#[derive(Debug, Clone)]
pub struct PublishRequest {
    /// Whose advice.
    pub environment: Environment,
    /// The newest advice up to then.
    pub until: MinuteUtc,
    /// When this happens, for the record.
    pub now: Timestamp,
}

/// Whether the subscribers were told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Just now.
    Now,
    /// Before: the advice is the same.
    Before {
        /// When.
        at: Timestamp,
    },
    /// Perhaps: an earlier run broke off while it was telling them. They are not told twice.
    Unconfirmed {
        /// When that run began.
        at: Timestamp,
    },
}

/// What was published.
#[derive(Debug, Clone)]
pub struct PublishReport {
    /// The message, whether it was sent or not.
    pub message: Message,
    /// The advice.
    pub recommendation: RecommendationDocument,
    /// Whether the subscribers were told.
    pub told: Told,
}

/// The same, for programs.
#[derive(Debug, Clone, Serialize)]
pub struct Published {
    /// As a mail client shows it.
    pub subject: String,
    /// The text.
    pub body: String,
    /// `now`, `before`, or `unconfirmed`.
    pub told: &'static str,
    /// When, if not now.
    pub told_at: Option<Timestamp>,
    /// The advice.
    pub recommendation: RecommendationDocument,
}

impl Published {
    /// What was published.
    pub fn of(report: &PublishReport) -> Self {
        let (told, told_at) = match report.told {
            Told::Now => ("now", None),
            Told::Before { at } => ("before", Some(at)),
            Told::Unconfirmed { at } => ("unconfirmed", Some(at)),
        };
        let Message { subject, body } = report.message.clone();
        Self { subject, body, told, told_at, recommendation: report.recommendation.clone() }
    }
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The advice, or the record of what was published, could not be read.
    #[error("reading the advice")]
    Read(#[source] StoreError),
    /// There is no advice.
    #[error("`{environment}` has no advice up to {until}; sweep first")]
    NoAdvice {
        /// The environment.
        environment: Environment,
        /// The time asked for.
        until: MinuteUtc,
    },
    /// The record of what was published could not be written.
    #[error("keeping the record of what was published")]
    Record(#[source] StoreError),
    /// Nobody was told; the next run tries again.
    #[error("publishing the advice")]
    Notify(#[from] NotifyError),
}

impl PublishError {
    /// Whether there is nothing to publish, which is no fault.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::NoAdvice { .. })
    }
}

/// `published/…/latest.json`: what the subscribers were last told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedDocument {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The advice.
    pub advice_id: String,
    /// When.
    pub at: Timestamp,
    /// Whether the telling is known to have come to its end.
    pub confirmed: bool,
    /// The last change of what a request costs that they were told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift_since: Option<Timestamp>,
}

/// Publishes the newest advice, unless it is what the subscribers were last told.
///
/// The record is written before the message goes out and confirmed after: two runs at once, or a run that
/// breaks off, make one message at most. A message that was refused takes its record back.
pub async fn run(
    archive: &dyn Archive,
    notifier: &dyn Notifier,
    request: PublishRequest,
) -> Result<PublishReport, PublishError> {
    let PublishRequest { environment, until, now } = request;
    let recommendation =
        latest_recommendation(archive, &environment, until).await.map_err(PublishError::Read)?;
    let recommendation =
        recommendation.ok_or_else(|| PublishError::NoAdvice { environment: environment.clone(), until })?;
    let message = advice::message(&recommendation);
    let key = Key::latest_published(&environment);
    let before = read_json_versioned(archive, &key).await.map_err(PublishError::Read)?;
    let claim = PublishedDocument {
        schema_version: SCHEMA_VERSION,
        advice_id: recommendation.advice_id.clone(),
        at: now,
        confirmed: false,
        drift_since: drift_since(&recommendation),
    };
    let told = match already_told(before.as_ref(), &claim) {
        Some(told) => told,
        None => {
            let notification = Notification { message: &message, recommendation: &recommendation };
            tell(archive, notifier, &key, before, claim, notification).await?
        }
    };
    Ok(PublishReport { message, recommendation, told })
}

type Stored = (PublishedDocument, Version);

fn already_told(before: Option<&Stored>, claim: &PublishedDocument) -> Option<Told> {
    let (before, _) = before.filter(|(before, _)| before.advice_id == claim.advice_id)?;
    // The same advice is told again where requests have become dearer since.
    if claim.drift_since.is_some_and(|since| before.drift_since.is_none_or(|told| is_later(told, since))) {
        return None;
    }
    let at = before.at;
    Some(if before.confirmed { Told::Before { at } } else { Told::Unconfirmed { at } })
}

/// When requests began to cost something else, if that moment was seen.
fn drift_since(recommendation: &RecommendationDocument) -> Option<Timestamp> {
    let drift = recommendation.model.fit.as_deref()?.drift?;
    drift.exact.then_some(drift.since)
}

/// Whether `since` is another change than the one that was `told`: found again, its place may differ by minutes.
fn is_later(told: Timestamp, since: Timestamp) -> bool {
    const SAME_WITHIN_SECONDS: i64 = 3 * 3600;
    since.as_second() > told.as_second() + SAME_WITHIN_SECONDS
}

async fn tell(
    archive: &dyn Archive,
    notifier: &dyn Notifier,
    key: &Key,
    before: Option<Stored>,
    claim: PublishedDocument,
    notification: Notification<'_>,
) -> Result<Told, PublishError> {
    let (before, version) = before.unzip();
    match replace_json(archive, key, &claim, version.as_ref()).await {
        Err(error) if error.is_lost_race() => return Ok(Told::Unconfirmed { at: claim.at }),
        claimed => claimed.map_err(PublishError::Record)?,
    }
    if let Err(refused) = notifier.notify(notification).await {
        take_back(archive, key, before).await.map_err(PublishError::Record)?;
        return Err(refused.into());
    }
    let confirmed = PublishedDocument { confirmed: true, ..claim };
    write_json(archive, key, &confirmed).await.map_err(PublishError::Record)?;
    Ok(Told::Now)
}

/// The record as it was before. Where there was none, one of no advice stands for it.
async fn take_back(
    archive: &dyn Archive,
    key: &Key,
    before: Option<PublishedDocument>,
) -> Result<(), StoreError> {
    let nothing = PublishedDocument {
        schema_version: SCHEMA_VERSION,
        advice_id: String::new(),
        at: Timestamp::UNIX_EPOCH,
        confirmed: true,
        drift_since: None,
    };
    write_json(archive, key, &before.unwrap_or(nothing)).await
}
