//! The two tables: what to set, and what that is expected to do, with the back-test's error beside it.

use std::fmt::Write as _;

use super::{Change, acts, changes};
use crate::documents::{
    BackTestDocument, Kind, OutcomeDocument, PriceDocument, RecommendationDocument, VerdictDocument,
};
use crate::news::News;

const LABEL: usize = 26;
const NOW: usize = 10;
const THEN: usize = 14;
const ERROR: usize = 18;

/// From which value to which.
pub(super) fn settings(news: &News, advice: &RecommendationDocument) -> String {
    if !acts(news, advice) {
        return String::new();
    }
    let title = format!("  {:<LABEL$}{:>NOW$}{:>THEN$}", "setting", "now", "recommended");
    let row = |change: Change<'_>| {
        // Long values stand farther right, and never touch.
        let (name, now, then) = (&change.to.option_name, change.now(), &change.to.value);
        format!("  {name:<LABEL$}  {now:>w$}  {then:>v$}", w = NOW - 2, v = THEN - 2)
    };
    let rows = changes(advice).into_iter().map(row);
    std::iter::once(title).chain(rows).collect::<Vec<_>>().join("\n")
}

/// A number of an outcome, and how far the back-test was off in it.
struct Row<'a> {
    label: String,
    value: &'a dyn Fn(&OutcomeDocument) -> String,
    error: Option<String>,
}

/// What settings do to the traffic.
pub(super) fn effects(news: &News, advice: &RecommendationDocument) -> String {
    let columns = columns(news, advice);
    if columns.is_empty() {
        return String::new();
    }
    let proof = advice.back_test.as_ref();
    let hours = |outcome: &OutcomeDocument| format!("{:.1}", outcome.instance_hours);
    let usd = |price: PriceDocument| {
        move |outcome: &OutcomeDocument| {
            format!("{:.0}", price.per_month(outcome.instance_hours, advice.traffic.minutes))
        }
    };
    let usd = advice.price.map(usd);
    let mean = |outcome: &OutcomeDocument| format!("{:.1}", outcome.mean_cpu_percent);
    let max = |outcome: &OutcomeDocument| {
        super::hundredths_below(outcome.max_cpu_percent, advice.cpu_ceiling_percent)
    };
    let over = |outcome: &OutcomeDocument| outcome.minutes_over.to_string();
    let most = |outcome: &OutcomeDocument| outcome.peak_instances.to_string();
    let outs = |outcome: &OutcomeDocument| outcome.scale_outs.to_string();
    let ins = |outcome: &OutcomeDocument| outcome.scale_ins.to_string();
    let row = |label: &str, value, error| Row { label: label.to_owned(), value, error };
    let mut rows = vec![row("instance hours", &hours, proof.map(hours_error))];
    if let Some(usd) = &usd {
        rows.push(row("USD a month of 30.4 days", usd, None));
    }
    rows.extend([
        row("mean CPU %", &mean, proof.map(|proof| points(proof.mean_cpu_error))),
        row("highest CPU %", &max, proof.map(|proof| points(proof.peak_cpu_error))),
        row(&format!("minutes at or over {:.1} %", advice.cpu_held_percent), &over, None),
        row("most instances", &most, None),
        row("scale-outs", &outs, None),
        row("scale-ins", &ins, None),
    ]);
    table(&columns, &rows)
}

type Column<'a> = (&'static str, &'a OutcomeDocument);

fn columns<'a>(news: &News, advice: &'a RecommendationDocument) -> Vec<Column<'a>> {
    let now = advice.present_outcome();
    let then = advice.recommended.as_ref().map(|policy| &policy.outcome);
    let now = now.map(|now| ("now", now));
    let then = match (news.kind, advice.verdict) {
        // The policy to keep is the present one.
        (_, VerdictDocument::Keep) => return then.map(|then| ("now", then)).into_iter().collect(),
        (_, VerdictDocument::NoneHolds) => then.map(|then| ("closest", then)),
        (Kind::Keep | Kind::TrustLost, _) => None,
        _ => then.map(|then| ("recommended", then)),
    };
    now.into_iter().chain(then).collect()
}

fn table(columns: &[Column<'_>], rows: &[Row<'_>]) -> String {
    let widths = [NOW, THEN];
    let has_errors = rows.iter().any(|row| row.error.is_some());
    let error_title = if has_errors { "back-test off by" } else { "" };
    let mut text = format!("  {:<LABEL$}", "over that traffic");
    for ((title, _), width) in columns.iter().zip(widths) {
        let _ = write!(text, "{title:>width$}");
    }
    let _ = write!(text, "{error_title:>ERROR$}");
    let mut lines = vec![text];
    for Row { label, value, error } in rows {
        let values = columns.iter().zip(widths);
        let values: String =
            values.map(|((_, outcome), width)| format!("{:>width$}", value(outcome))).collect();
        lines.push(format!("  {label:<LABEL$}{values}{:>ERROR$}", error.as_deref().unwrap_or_default()));
    }
    lines.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join("\n")
}

fn hours_error(proof: &BackTestDocument) -> String {
    proof
        .counts
        .as_ref()
        .map_or("unproven".to_owned(), |counts| format!("{:+.1} %", no_minus(counts.hours_bias * 100.0)))
}

fn points(error: f64) -> String {
    format!("{:+.1} points", no_minus(error))
}

/// Zero has no sign where it is shown.
pub(super) fn no_minus(value: f64) -> f64 {
    if value.abs() < 0.05 { 0.0 } else { value }
}
