//! `trellis diff`: what changed between two pieces of advice, and why.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;
use jiff::civil::Date;
use pipeline::advice::difference::{
    DifferenceDocument, NumberDifference, OptionDifference, difference, in_a_line,
};
use pipeline::documents::RecommendationDocument;
use pipeline::store::latest_recommendation;

use super::explain::end_of;
use super::{Ground, Output, printed, table_of};
use crate::options::{File, Place};

/// Tell what changed between two pieces of advice, and why
///
/// Compares the settings that were advised, what of them was to be set, those that were in force, what a request costs, the
/// level of traffic and the expected effect.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  trellis diff --environment web-prod 2026-11-04 2026-11-11")]
pub(crate) struct Diff {
    #[command(flatten)]
    place: Place,
    /// A day that advice was given on, by the last minute that it looked at; else the newest before
    #[arg(value_name = "DATE")]
    before: Date,
    /// A later one
    #[arg(value_name = "DATE")]
    after: Date,
}

pub(crate) async fn run(command: Diff, file: File, output: &mut Output) -> anyhow::Result<()> {
    let Diff { place, before, after } = command;
    anyhow::ensure!(before < after, "{before} is not before {after}");
    let ground = Ground::of(place.or(file.place()), true).await?;
    let (before, after) = (advice(&ground, before).await?, advice(&ground, after).await?);
    anyhow::ensure!(
        before.traffic.window != after.traffic.window,
        "`{}` has the same advice for both, of {}; there is none in between",
        ground.environment,
        after.traffic.window.end.strftime("%Y-%m-%d")
    );
    let document = difference(&before, &after);
    if output.is_json() { output.json(&document) } else { print(&before, &after, &document, output) }
}

async fn advice(ground: &Ground, date: Date) -> anyhow::Result<RecommendationDocument> {
    let found = latest_recommendation(&ground.archive, &ground.environment, end_of(date)?).await?;
    found.with_context(|| format!("`{}` has no advice of {date} or before", ground.environment))
}

fn print(
    before: &RecommendationDocument,
    after: &RecommendationDocument,
    document: &DifferenceDocument,
    output: &mut Output,
) -> anyhow::Result<()> {
    let title = output.terminal.bold(&format!("Advice for {}", document.environment));
    writeln!(output, "{title}\n  {}\n  {}\n", in_a_line(before), in_a_line(after))?;
    options("Advised settings", &document.recommended, output)?;
    options("To be set", &document.to_set, output)?;
    options("Settings in force", &document.present, output)?;
    numbers(&document.numbers, output)?;
    let why = output.terminal.bold("Why");
    writeln!(output, "{why}")?;
    for sentence in &document.why {
        writeln!(output, "{}", pipeline::advice::indented(sentence))?;
    }
    Ok(())
}

fn options(title: &str, differences: &[OptionDifference], output: &mut Output) -> anyhow::Result<()> {
    let title = output.terminal.bold(title);
    if differences.is_empty() {
        return Ok(writeln!(output, "{title}\n  the same\n")?);
    }
    let mut table = table_of(&["setting", "before", "after"], 1..3, output.terminal);
    for OptionDifference { option_name, before, after, .. } in differences {
        let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
        table.add_row([option_name.clone(), value(before), value(after)]);
    }
    Ok(writeln!(output, "{title}\n{}\n", printed(table))?)
}

fn numbers(differences: &[NumberDifference], output: &mut Output) -> anyhow::Result<()> {
    let title = output.terminal.bold("Numbers");
    let mut table = table_of(&["", "before", "after", "change"], 1..4, output.terminal);
    for number in differences {
        let NumberDifference { what, before, after, digits } = number;
        let value = |value: &Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.digits$}"));
        let share = number.share().filter(|share| 0.0005 <= share.abs());
        let change = share.map_or(String::new(), |share| format!("{:+.1} %", share * 100.0));
        table.add_row([(*what).to_owned(), value(before), value(after), change]);
    }
    Ok(writeln!(output, "{title}\n{}\n", printed(table))?)
}
