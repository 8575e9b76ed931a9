//! The page over all environments, the worst first.

use std::error::Error as _;

use jiff::Timestamp;
use maud::{Markup, html};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use scaling::units::MinuteUtc;

use super::page::document;
use super::section::prose;
use super::words::{clock, date, fixed, plural, signed_percent};
use super::{ReportError, ledger};
use crate::advice::in_short;
use crate::archive::{Archive, Environment, Key, Prefix};
use crate::causes::with_causes;
use crate::documents::{
    Confidence, OutcomeDocument, RecommendationDocument, RefusalDocument, VerdictDocument,
};
use crate::fleet;
use crate::refusals;
use crate::store::{end_of_samples, latest_recommendation, write_bytes};

/// How an environment stands: the smaller group is the worse, and within a group the greater weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// Why it stands there.
    pub group: Group,
    /// How much of that: minutes over the ceiling, or instance hours a day.
    pub weight: f64,
    /// In words.
    pub said: String,
}

/// What is the matter with an environment; the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// The present settings do not hold the ceiling in the traffic as it was.
    Breaks,
    /// There is no advice, for want of data or of trust, or since no settings hold.
    NoAdvice,
    /// Other settings are cheaper, or bear more.
    Change,
    /// Nothing to do.
    Keep,
    /// A single instance.
    NotApplicable,
}

/// An environment in the index.
#[derive(Debug, Clone)]
pub struct Line {
    /// Which.
    pub environment: Environment,
    /// How it stands.
    pub standing: Standing,
    /// Its newest advice.
    pub recommendation: Option<RecommendationDocument>,
    /// The end of its newest sample.
    pub samples_until: Option<MinuteUtc>,
    /// Its newest page.
    pub page: Option<Key>,
}

/// The index, and where it is kept.
#[derive(Debug, Clone)]
pub struct Index {
    /// HTML.
    pub html: String,
    /// Where it was written.
    pub key: Key,
    /// The environments, the worst first.
    pub lines: Vec<Line>,
}

/// Every environment of the fleet, or of the archive where no fleet was kept; sorted.
pub async fn environments(archive: &dyn Archive) -> Result<Vec<Environment>, ReportError> {
    let mut known = fleet::kept(archive).await.map_err(ReportError::Read)?;
    if known.is_empty() {
        let keys = archive.list(&Prefix::all_samples()).await;
        let keys = keys.map_err(|error| ReportError::Read(error.into()))?;
        known = keys.iter().filter_map(Key::environment).collect();
    }
    known.sort();
    known.dedup();
    Ok(known)
}

/// Makes the index of what was advised up to `until`, and keeps it.
pub async fn index(archive: &dyn Archive, until: MinuteUtc, now: Timestamp) -> Result<Index, ReportError> {
    let mut lines = Vec::new();
    for environment in environments(archive).await? {
        let line = match line(archive, &environment, until).await {
            Err(error) if error.is_damage() => damaged(environment, &error),
            line => line?,
        };
        lines.push(line);
    }
    worst_first(&mut lines);
    let (html, key) = (index_page(&lines, now), Key::reports());
    write_bytes(archive, &key, html.clone().into()).await.map_err(ReportError::Write)?;
    Ok(Index { html, key, lines })
}

/// An environment of which something can't be read: that is told, and the others are shown.
fn damaged(environment: Environment, error: &ReportError) -> Line {
    let said = format!("not known: {}", with_causes(error.source().unwrap_or(error)));
    let standing = Standing { weight: f64::INFINITY, ..no_advice(said) };
    Line { environment, standing, recommendation: None, samples_until: None, page: None }
}

async fn line(
    archive: &dyn Archive,
    environment: &Environment,
    until: MinuteUtc,
) -> Result<Line, ReportError> {
    let read = ReportError::Read;
    let recommendation = latest_recommendation(archive, environment, until).await.map_err(read)?;
    let samples_until = end_of_samples(archive, environment).await.map_err(read)?;
    let keys = archive.list(&Prefix::sweeps(environment)).await;
    let keys = keys.map_err(|error| read(error.into()))?;
    let newest = Key::report(environment, until);
    let page = keys.into_iter().rfind(|key| key.as_str().ends_with("/report.html") && *key <= newest);
    let refusal = refusals::since(archive, environment, recommendation.as_ref(), until).await;
    let standing = standing(recommendation.as_ref(), refusal.map_err(read)?.as_ref());
    Ok(Line { environment: environment.clone(), standing, recommendation, samples_until, page })
}

/// Puts the worst first; equals by their names.
pub fn worst_first(lines: &mut [Line]) {
    lines.sort_by(|a, b| {
        let heavier = b.standing.weight.total_cmp(&a.standing.weight);
        a.standing.group.cmp(&b.standing.group).then(heavier).then(a.environment.cmp(&b.environment))
    });
}

/// How an environment stands whose last word was `recommendation`, or after it `refusal`.
pub fn standing(
    recommendation: Option<&RecommendationDocument>,
    refusal: Option<&RefusalDocument>,
) -> Standing {
    let advice = match (recommendation, refusal) {
        (Some(advice), None) => advice,
        (None, None) => return no_advice("no advice yet".to_owned()),
        (_, Some(refusal)) => return no_advice(format!("no advice: {}", in_short(&refusal.code))),
    };
    let now = advice.present_outcome();
    let over = now.map_or(0, |now| now.minutes_over);
    if over > advice.minutes_over_allowed {
        let minutes = plural(over.into(), "minute");
        let said = format!("the present settings are over in {minutes}; {}", verdict(advice, now));
        return Standing { group: Group::Breaks, weight: f64::from(over), said };
    }
    let group = match advice.verdict {
        VerdictDocument::NoneHolds | VerdictDocument::NotTrusted => Group::NoAdvice,
        VerdictDocument::Change => Group::Change,
        VerdictDocument::Keep => Group::Keep,
        VerdictDocument::NotApplicable => Group::NotApplicable,
    };
    let saved = now
        .zip(advice.recommended.as_ref())
        .map(|(now, then)| now.instance_hours - then.outcome.instance_hours);
    let weight = if group == Group::Change { per_day(saved.unwrap_or(0.0), advice) } else { 0.0 };
    Standing { group, weight, said: verdict(advice, now) }
}

fn no_advice(said: String) -> Standing {
    Standing { group: Group::NoAdvice, weight: 0.0, said }
}

fn verdict(advice: &RecommendationDocument, now: Option<&OutcomeDocument>) -> String {
    match (advice.verdict, now, &advice.recommended) {
        (VerdictDocument::Change, Some(now), Some(then)) => {
            let share = then.outcome.instance_hours / now.instance_hours - 1.0;
            format!("change settings: {} instance hours", signed_percent(share))
        }
        _ => ledger::word(advice),
    }
}

fn per_day(hours: f64, advice: &RecommendationDocument) -> f64 {
    hours / (advice.traffic.minutes.max(1) as f64 / 1440.0)
}

/// The page over all `lines`, in their order.
pub fn index_page(lines: &[Line], now: Timestamp) -> String {
    let main = html! {
        header {
            p.over { "Elastic Beanstalk environments" }
            h1 { "Scaling advice" }
            p {
                (plural(lines.len() as u64, "environment")) ", the worst first: those whose present settings are over their ceiling, by \
                minutes; then those without advice; then those that other settings would help, by instance hours saved a day; \
                then those to be kept."
            }
        }
        @if lines.is_empty() {
            p.missing { strong { "Not shown: " } (prose("environments, since the archive has none. `trellis run` takes one in.")) }
        } @else {
            div.rows tabindex="0" role="region" aria-label="Environments" {
                table {
                    caption { "Environments, the worst first" }
                    thead { tr { @for name in HEAD { th.words[name.1] scope="col" { (name.0) } } } }
                    tbody { @for line in lines { (row(line)) } }
                }
            }
        }
        footer { p { "Made by Trellis on " (clock(now)) ". Trellis changes nothing in any environment." } }
    };
    document("Scaling advice", &main)
}

/// Names of columns, and whether words stand there.
const HEAD: [(&str, bool); 7] = [
    ("environment", true),
    ("how it stands", true),
    ("hours a day now", false),
    ("hours a day then", false),
    ("highest CPU % now", false),
    ("highest CPU % then", false),
    ("back-test, and data up to", true),
];

fn row(line: &Line) -> Markup {
    let advice = line.recommendation.as_ref();
    let now = advice.and_then(RecommendationDocument::present_outcome);
    let then = advice.filter(|advice| advice.verdict == VerdictDocument::Change);
    let then = then.and_then(|advice| Some(&advice.recommended.as_ref()?.outcome));
    let dash = || "–".to_owned();
    let hours = |outcome: Option<&OutcomeDocument>| {
        outcome.zip(advice).map_or_else(dash, |(it, advice)| fixed(per_day(it.instance_hours, advice), 1))
    };
    let cpu =
        |outcome: Option<&OutcomeDocument>| outcome.map_or_else(dash, |it| fixed(it.max_cpu_percent, 1));
    let name = line.environment.name();
    html! {
        tr {
            th scope="row" {
                @if let Some(page) = &line.page { a href=(address(page)) { (name) } } @else { (name) }
            }
            td.words { span class={ "mark " (mark(line.standing.group)) } {} (line.standing.said) }
            td { (hours(now)) }
            td { (hours(then)) }
            td { (cpu(now)) }
            td { (cpu(then)) }
            td.words { (advice.map_or(Confidence::Unproven, Confidence::of).said()) ", " (line.samples_until.map_or_else(|| "no samples".to_owned(), |at| date(at.start()))) }
        }
    }
}

fn mark(group: Group) -> &'static str {
    match group {
        Group::Breaks => "bad",
        Group::NoAdvice => "unsure",
        Group::Change => "change",
        Group::Keep | Group::NotApplicable => "fine",
    }
}

/// A key is part of an address as it is, percent signs and all.
const IN_ADDRESS: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b'"').add(b' ');

/// The page's address from the index.
fn address(page: &Key) -> String {
    let below = page.as_str().strip_prefix("sweeps/").unwrap_or(page.as_str());
    utf8_percent_encode(below, IN_ADDRESS).to_string()
}
