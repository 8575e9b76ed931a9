//! Stage 4 of 4: the advice to its readers, once.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use scaling::units::MinuteUtc;
use serde::Serialize;

use crate::advice::{self, Frame, Message};
use crate::archive::{Archive, Environment, Key, Version};
use crate::documents::{Confidence, Kind, RecommendationDocument, RefusalDocument};
use crate::news::{News, Word, Worth};
use crate::refusals;
use crate::store::{StoreError, latest_recommendation, read_json_versioned, replace_json, write_json};

pub use crate::documents::PublishedDocument;

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
    /// What it is about, for programs: one for each environment.
    pub news: &'a [News],
    /// What the message says beside it.
    pub frame: &'a Frame,
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
    /// Whose advice: of several, one message tells.
    pub environments: Vec<Environment>,
    /// The newest advice up to then.
    pub until: MinuteUtc,
    /// When this happens, for the record.
    pub now: Timestamp,
    /// What no other run is called: [`new_run`], unless two are to pass for one.
    pub run: String,
    /// A gain below this share of the present cost is worth no message.
    pub least_gain: f64,
    /// What the message says beside the news.
    pub frame: Frame,
}

/// A name for a run that no other one has: 16 hexadecimal digits, by the operating system's chance.
pub fn new_run() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
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
    /// Perhaps: another run is telling them, or broke off while it did. An hour later they are told, perhaps twice.
    Unconfirmed {
        /// When that run began.
        at: Timestamp,
    },
    /// Of other settings, which still hold: what could be gained over them is not worth a message.
    StillGood {
        /// When.
        at: Timestamp,
    },
}

/// What was published about an environment.
#[derive(Debug, Clone)]
pub struct PublishReport {
    /// The message about this environment alone, whether it was sent or not, or went out as a part of another one.
    pub message: Message,
    /// What it is about.
    pub news: News,
    /// Whether the subscribers were told.
    pub told: Told,
}

/// What names it, for programs that are told of a whole fleet: the documents of all would be more than a state machine
/// takes.
#[derive(Debug, Clone, Serialize)]
pub struct Heading {
    /// As a mail client shows it.
    pub subject: String,
    /// What it is about.
    pub kind: Kind,
    /// How the back-test went.
    pub confidence: Confidence,
    /// `now`, `before`, `unconfirmed`, or `still_good`.
    pub told: &'static str,
    /// When, if not now.
    pub told_at: Option<Timestamp>,
    /// Where the archive has the advice, or why there is none.
    pub key: Option<String>,
}

/// All of it, for programs that ask about one environment.
#[derive(Debug, Clone, Serialize)]
pub struct Published {
    /// What names it.
    #[serde(flatten)]
    pub heading: Heading,
    /// The text.
    pub body: String,
    /// The advice, where there is some.
    pub recommendation: Option<RecommendationDocument>,
    /// Why there is none, otherwise.
    pub refusal: Option<RefusalDocument>,
}

impl Heading {
    /// What was published.
    pub fn of(report: &PublishReport) -> Self {
        let (told, told_at) = match report.told {
            Told::Now => ("now", None),
            Told::Before { at } => ("before", Some(at)),
            Told::Unconfirmed { at } => ("unconfirmed", Some(at)),
            Told::StillGood { at } => ("still_good", Some(at)),
        };
        let News { kind, confidence, .. } = report.news;
        let key = report.news.key().map(|key| key.to_string());
        Self { subject: report.message.subject.clone(), kind, confidence, told, told_at, key }
    }
}

impl Published {
    /// What was published.
    pub fn of(report: &PublishReport) -> Self {
        Self {
            heading: Heading::of(report),
            body: report.message.body.clone(),
            recommendation: report.news.advice().cloned(),
            refusal: report.news.refusal().cloned(),
        }
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

/// What came of each environment.
pub type Reports = Vec<(Environment, Result<PublishReport, PublishError>)>;

/// Publishes the newest word on every environment, in one message, unless it is what the subscribers were last told. One
/// that fails does not stop the others.
///
/// The records are written before the message goes out and confirmed after: two runs at once make one message about an
/// environment. A message that was refused takes its records back. A record that nobody confirmed within an hour is of a
/// run that broke off, before or after the message, and is told anew: twice is better than never.
///
/// # Errors
///
/// Where the message could not be handed on, and nobody was told.
pub async fn run(
    archive: &dyn Archive,
    notifier: &dyn Notifier,
    request: &PublishRequest,
) -> Result<Reports, PublishError> {
    let mut drafts = Vec::new();
    for environment in &request.environments {
        drafts.push((environment.clone(), draft(archive, request, environment).await));
    }
    let claimed: Vec<(&Environment, &Claim, &News)> = drafts
        .iter()
        .filter_map(|(environment, draft)| {
            let draft = draft.as_ref().ok()?;
            Some((environment, draft.claim.as_ref()?, &draft.news))
        })
        .collect();
    if !claimed.is_empty() {
        tell(archive, notifier, &request.frame, &claimed).await?;
    }
    let report = |draft: Draft| PublishReport {
        message: advice::of_news(&draft.news, &request.frame),
        news: draft.news,
        told: draft.told,
    };
    Ok(drafts.into_iter().map(|(environment, draft)| (environment, draft.map(report))).collect())
}

/// What is to be said of an environment, and whether this run is the one to say it.
struct Draft {
    news: News,
    told: Told,
    claim: Option<Claim>,
}

/// The record that this run is telling, and the one that it took the place of.
struct Claim {
    record: PublishedDocument,
    before: Option<PublishedDocument>,
}

async fn draft(
    archive: &dyn Archive,
    request: &PublishRequest,
    environment: &Environment,
) -> Result<Draft, PublishError> {
    let word = last_word(archive, environment, request.until).await?;
    let key = Key::latest_published(environment);
    let before = read_json_versioned::<PublishedDocument>(archive, &key).await.map_err(PublishError::Read)?;
    let (before, version) = before.unzip();
    let (news, told) = told(word, before.as_ref(), request);
    if told != Told::Now {
        return Ok(Draft { news, told, claim: None });
    }
    let record = news.record(request.now, before.as_ref());
    let record = PublishedDocument { claimed_by: Some(request.run.clone()), ..record };
    if claim(archive, &key, &record, version.as_ref()).await? {
        Ok(Draft { news, told: Told::Now, claim: Some(Claim { record, before }) })
    } else {
        Ok(Draft { news, told: Told::Unconfirmed { at: request.now }, claim: None })
    }
}

/// What `word` amounts to after what readers were told `before`, and whether to tell them.
fn told(word: Word, before: Option<&PublishedDocument>, request: &PublishRequest) -> (News, Told) {
    let news = News::of(word, before, request.least_gain);
    let told = match news.worth(before, request.least_gain) {
        Worth::Telling => Told::Now,
        Worth::Same { at, confirmed: true } => Told::Before { at },
        Worth::Same { at, confirmed: false } if is_given_up(at, request.now) => {
            // As it was to be told then: beside a record that knows it, lost trust would be none.
            return (News::again(news.word, before, request.least_gain), Told::Now);
        }
        Worth::Same { at, confirmed: false } => Told::Unconfirmed { at },
        Worth::StillGood { at } => Told::StillGood { at },
    };
    (news, told)
}

/// No run takes as long to tell: a function gets 15 minutes at most.
const CONFIRMED_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// Whether nobody is telling any more what was to be told `at` a time.
fn is_given_up(at: Timestamp, now: Timestamp) -> bool {
    CONFIRMED_WITHIN <= now.duration_since(at)
}

/// Whether this run is the one to tell: its record took the place of the one that was read.
async fn claim(
    archive: &dyn Archive,
    key: &Key,
    record: &PublishedDocument,
    read: Option<&Version>,
) -> Result<bool, PublishError> {
    match replace_json(archive, key, record, read).await {
        Err(error) if error.is_lost_race() => {
            is_there(archive, key, record).await.map_err(PublishError::Read)
        }
        claimed => claimed.map(|()| true).map_err(PublishError::Record),
    }
}

/// A claim whose answer is lost on the way is sent again by the SDK, and refused then, since it is there already.
async fn is_there(archive: &dyn Archive, key: &Key, record: &PublishedDocument) -> Result<bool, StoreError> {
    let found = read_json_versioned::<PublishedDocument>(archive, key).await?;
    Ok(found.is_some_and(|(found, _)| found == *record))
}

/// The newest advice up to `until`, or why there is none since.
///
/// # Errors
///
/// Where neither is known.
pub async fn last_word(
    archive: &dyn Archive,
    environment: &Environment,
    until: MinuteUtc,
) -> Result<Word, PublishError> {
    let advice = latest_recommendation(archive, environment, until).await.map_err(PublishError::Read)?;
    let refusal = refusals::since(archive, environment, advice.as_ref(), until).await;
    match (refusal.map_err(PublishError::Read)?, advice) {
        (Some(refusal), _) => Ok(Word::Refused(refusal)),
        (None, Some(advice)) => Ok(Word::Advice(Box::new(advice))),
        (None, None) => Err(PublishError::NoAdvice { environment: environment.clone(), until }),
    }
}

async fn tell(
    archive: &dyn Archive,
    notifier: &dyn Notifier,
    frame: &Frame,
    claimed: &[(&Environment, &Claim, &News)],
) -> Result<(), PublishError> {
    let news: Vec<News> = claimed.iter().map(|(.., news)| (*news).clone()).collect();
    let message = advice::digest(&news, frame);
    if let Err(refused) = notifier.notify(Notification { message: &message, news: &news, frame }).await {
        settle(archive, claimed, Claim::taken_back).await?;
        return Err(refused.into());
    }
    settle(archive, claimed, Claim::confirmed).await
}

/// Ends each claim with another record, also after one that could not be written: what is not confirmed is told again.
async fn settle(
    archive: &dyn Archive,
    claimed: &[(&Environment, &Claim, &News)],
    record: fn(&Claim) -> PublishedDocument,
) -> Result<(), PublishError> {
    let mut all = Ok(());
    for (environment, claim, _) in claimed {
        let done = write_json(archive, &Key::latest_published(environment), &record(claim)).await;
        all = all.and(done);
    }
    all.map_err(PublishError::Record)
}

impl Claim {
    fn confirmed(&self) -> PublishedDocument {
        PublishedDocument { confirmed: true, ..self.record.clone() }
    }

    /// The record as it was before. Where there was none, one of no advice stands for it.
    fn taken_back(&self) -> PublishedDocument {
        let nothing = || PublishedDocument {
            advice_id: String::new(),
            at: Timestamp::UNIX_EPOCH,
            confirmed: true,
            claimed_by: None,
            drift_since: None,
            kind: None,
            confidence: None,
            trust_before: None,
            until: None,
            change: None,
            change_before: None,
            ..self.record.clone()
        };
        self.before.clone().unwrap_or_else(nothing)
    }
}
