//! What there is to tell about an environment, and whether it is worth telling.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::archive::{Environment, Key};
use crate::documents::{
    Confidence, Kind, OptionDocument, PublishedDocument, RecommendationDocument, RefusalDocument,
    SCHEMA_VERSION, ToldChange, TrustBefore, VerdictDocument,
};
use crate::hex::hex;
use crate::refusals;

/// The last word on an environment.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    /// Advice.
    Advice(Box<RecommendationDocument>),
    /// That there is none, and why.
    Refused(RefusalDocument),
}

/// What is told of it.
#[derive(Debug, Clone, PartialEq)]
pub struct News {
    /// The environment.
    pub environment: String,
    /// What it is about.
    pub kind: Kind,
    /// How the back-test went.
    pub confidence: Confidence,
    /// The same for the same word, whatever day it is of: 16 hexadecimal digits.
    pub id: String,
    /// All of it.
    pub word: Word,
    /// The trust that readers had before, and since when, where it got worse.
    pub trust_before: Option<TrustBefore>,
}

/// Whether readers need to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// They do.
    Telling,
    /// They were told just that.
    Same {
        /// When.
        at: Timestamp,
        /// Whether that is known to have come to its end.
        confirmed: bool,
    },
    /// What they were told still holds, and what there is now would save less than is worth a message.
    StillGood {
        /// When they were told.
        at: Timestamp,
    },
}

/// A gain below this share of the present cost is worth no message, unless told otherwise.
pub const LEAST_GAIN: f64 = 0.03;

impl News {
    /// What `word` amounts to after what readers were told `before`, where a gain below the share `least_gain` is not worth
    /// a message.
    pub fn of(word: Word, before: Option<&PublishedDocument>, least_gain: f64) -> Self {
        match word {
            Word::Advice(advice) => Self::of_advice(*advice, before, least_gain),
            Word::Refused(refusal) => Self::of_refusal(refusal),
        }
    }

    /// What readers were told of `word`, by the `record` of that.
    pub fn again(word: Word, record: Option<&PublishedDocument>, least_gain: f64) -> Self {
        let news = Self::of(word, None, least_gain);
        let told =
            record.filter(|record| record.advice_id == news.id && record.kind == Some(Kind::TrustLost));
        match told {
            Some(record) => Self { kind: Kind::TrustLost, trust_before: record.trust_before, ..news },
            None => news,
        }
    }

    fn of_refusal(refusal: RefusalDocument) -> Self {
        let kind = if refusal.code.starts_with("invalid_") { Kind::InvalidSettings } else { Kind::NoAdvice };
        // Settings are wrong in one way or another, and each is news; how much is missing of something is not.
        let told = if kind == Kind::InvalidSettings { &refusal.reason } else { &refusal.code };
        Self {
            environment: refusal.environment.clone(),
            kind,
            confidence: Confidence::Unproven,
            id: digest(&format!("{:?} refused {told:?}", refusal.environment)),
            word: Word::Refused(refusal),
            trust_before: None,
        }
    }

    fn of_advice(
        advice: RecommendationDocument,
        before: Option<&PublishedDocument>,
        least_gain: f64,
    ) -> Self {
        let confidence = Confidence::of(&advice);
        let trust =
            before.and_then(|before| Some(TrustBefore { confidence: before.confidence?, at: before.at }));
        let is_worse = |was: &TrustBefore| Confidence::Fair <= was.confidence && confidence < was.confidence;
        let trust_before = trust.filter(is_worse);
        let lost = trust_before.is_some() || is_new_drift(&advice, before);
        let small = small_gain(&advice, least_gain).is_some();
        let kind = kind(&advice, small, lost);
        let id = match (small, advice.broken()) {
            (true, _) => digest(&kept(&advice)),
            (false, []) => advice.advice_id.clone(),
            (false, broken) => digest(&format!("{} {broken:?}", advice.advice_id)),
        };
        let environment = advice.environment.clone();
        Self { environment, kind, confidence, id, word: Word::Advice(Box::new(advice)), trust_before }
    }

    /// The advice, where it is one.
    pub fn advice(&self) -> Option<&RecommendationDocument> {
        match &self.word {
            Word::Advice(advice) => Some(advice),
            Word::Refused(_) => None,
        }
    }

    /// Why there is no advice, where it is that.
    pub fn refusal(&self) -> Option<&RefusalDocument> {
        match &self.word {
            Word::Advice(_) => None,
            Word::Refused(refusal) => Some(refusal),
        }
    }

    /// Where the archive has it.
    pub fn key(&self) -> Option<Key> {
        let environment = Environment::new(self.environment.clone()).ok()?;
        match &self.word {
            Word::Advice(advice) => {
                let window = advice.traffic.window.window().ok()?;
                Some(Key::recommendation(&environment, window.last_minute()))
            }
            Word::Refused(_) => Some(refusals::key(&environment)),
        }
    }

    /// Whether readers who were told `before` need to be told.
    pub fn worth(&self, before: Option<&PublishedDocument>, least_gain: f64) -> Worth {
        let Some(before) = before else { return Worth::Telling };
        let dearer = self.advice().is_some_and(|advice| is_new_drift(advice, Some(before)));
        if dearer || self.trust_before.is_some() {
            return Worth::Telling;
        }
        if before.advice_id == self.id {
            return Worth::Same { at: before.at, confirmed: before.confirmed };
        }
        let at = self.advice().filter(|_| self.kind == Kind::Change).and_then(|advice| {
            // Whether they were told of one that is not confirmed, nobody knows.
            let change = before.change.as_ref().filter(|_| before.confirmed)?;
            let told = advice.told.as_ref()?;
            let hours = advice.recommended.as_ref()?.outcome.instance_hours;
            let gain = 1.0 - hours / told.outcome.instance_hours;
            (told.options == change.options && told.holds && gain < least_gain).then_some(change.at)
        });
        at.map_or(Worth::Telling, |at| Worth::StillGood { at })
    }

    /// The record of telling it at `now`.
    pub fn record(&self, now: Timestamp, before: Option<&PublishedDocument>) -> PublishedDocument {
        let until = self.until();
        let advice = self.advice();
        let options =
            advice.filter(|_| self.kind == Kind::Change).and_then(|advice| advice.recommended.as_ref());
        PublishedDocument {
            schema_version: SCHEMA_VERSION,
            advice_id: self.id.clone(),
            at: now,
            confirmed: false,
            claimed_by: None,
            // A refusal says nothing about either.
            drift_since: advice.map_or(before.and_then(|before| before.drift_since), drift_since),
            kind: Some(self.kind),
            confidence: advice.map(Confidence::of).or(before.and_then(|before| before.confidence)),
            trust_before: self.trust_before,
            until: Some(until),
            change: options.map(|policy| ToldChange { at: now, until, options: policy.options.clone() }),
            change_before: before.and_then(|before| before.change_by(until)).cloned(),
        }
    }

    /// The end of the time that it is about.
    pub fn until(&self) -> Timestamp {
        match &self.word {
            Word::Advice(advice) => advice.traffic.window.end,
            Word::Refused(refusal) => refusal.until,
        }
    }
}

fn kind(advice: &RecommendationDocument, small_gain: bool, trust_lost: bool) -> Kind {
    let is_broken = !advice.broken().is_empty();
    match advice.verdict {
        VerdictDocument::NotApplicable => Kind::NotApplicable,
        _ if is_broken => Kind::InvalidSettings,
        VerdictDocument::NotTrusted if trust_lost => Kind::TrustLost,
        VerdictDocument::NotTrusted => Kind::NotTrusted,
        VerdictDocument::Change if !small_gain => Kind::Change,
        _ if trust_lost => Kind::TrustLost,
        VerdictDocument::NoneHolds => Kind::NoneHolds,
        VerdictDocument::Change | VerdictDocument::Keep => Kind::Keep,
    }
}

/// The saving of a change, as a share, where the present settings hold and it is below `least`.
pub fn small_gain(advice: &RecommendationDocument, least: f64) -> Option<f64> {
    let present = advice.present.as_ref().filter(|_| advice.verdict == VerdictDocument::Change)?;
    let now = present.outcome.as_ref()?;
    let holds = now.minutes_over <= advice.minutes_over_allowed && present.fails_with.is_empty();
    let gain = 1.0 - advice.recommended.as_ref()?.outcome.instance_hours / now.instance_hours;
    (holds && present.broken.is_empty() && gain < least).then_some(gain)
}

/// The present settings, and the trust in what is said of them.
fn kept(advice: &RecommendationDocument) -> String {
    let options: &[OptionDocument] = advice.present.as_ref().map_or(&[], |present| &present.options);
    let trust = advice.back_test.as_ref().map(|proof| (proof.grade, proof.cause.as_deref()));
    format!("{:?} small gain {options:?} {trust:?}", advice.environment)
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text)[..8])
}

/// Whether requests cost something else since a moment that readers were not told of.
fn is_new_drift(advice: &RecommendationDocument, before: Option<&PublishedDocument>) -> bool {
    let (Some(since), Some(before)) = (drift_since(advice), before) else { return false };
    before.drift_since.is_none_or(|told| is_later(told, since))
}

/// When requests began to cost something else, if that moment was seen.
fn drift_since(advice: &RecommendationDocument) -> Option<Timestamp> {
    let drift = advice.model.fit.as_deref()?.drift?;
    drift.exact.then_some(drift.since)
}

/// Whether `since` is another change than the one that was `told`: found again, its place may differ by minutes.
fn is_later(told: Timestamp, since: Timestamp) -> bool {
    const SAME_WITHIN_SECONDS: i64 = 3 * 3600;
    since.as_second() > told.as_second() + SAME_WITHIN_SECONDS
}
