//! `trellis ingest`: recorded metrics into the archive.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use pipeline::activity::Activity;
use pipeline::ingest::{self, IngestReport, IngestRequest, LEAVE_OPEN};
use pipeline::recorded;
use scaling::units::Minutes;
use serde::Serialize;

use super::{Ground, Output, recording};
use crate::options::{File, Intake, Place};

/// Take recorded metrics into the archive
///
/// Reads what `aws cloudwatch get-metric-data` or `get-metric-statistics` printed (one file or many pages),
/// or CSV. Series are joined by time, newest wins, nothing that is there is lost; the newest minutes are left
/// for the next time, since they may still grow.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trellis ingest --environment web-prod --metrics page1.json,page2.json --settings settings.json
  trellis ingest --environment web-prod --metrics week.csv \\
      --column requests=rpm --column cpu_percent=cpu --column in_service=hosts

The metrics are: requests (a sum; or requests_per_minute, requests_per_second), cpu_percent, cpu_percent_max,
in_service, latency_p50_seconds, latency_p95_seconds, latency_p99_seconds, http_5xx.")]
pub(crate) struct Ingest {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    what: What,
}

/// Files to take in, and how to read them.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// Files with metrics: JSON of the AWS command line, or CSV; separate several with commas
    #[arg(long, value_name = "FILE", value_delimiter = ',', required = true)]
    pub(crate) metrics: Vec<PathBuf>,
    /// What `aws elasticbeanstalk describe-configuration-settings` printed
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// What `aws autoscaling describe-scaling-activities` printed: how long launches really take
    #[arg(long, value_name = "FILE")]
    pub(crate) activities: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) intake: Intake,
    /// Newest minutes to leave out, since they may still grow [default: 3]
    #[arg(long, value_name = "MINUTES")]
    pub(crate) leave_open: Option<u32>,
}

pub(crate) async fn run(command: Ingest, file: File, output: &mut Output) -> anyhow::Result<()> {
    let ground = Ground::of(command.place.or(file.place()))?;
    let taken = take_in(&ground, &command.what).await?;
    if output.is_json() { output.json(&taken) } else { print(&taken, output) }
}

/// What was taken in, as it is printed.
#[derive(Debug, Serialize)]
pub(crate) struct Taken {
    environment: String,
    start: String,
    end: String,
    samples_added: usize,
    samples_updated: usize,
    samples_unchanged: usize,
    requests_filled_with_zero: usize,
    cpu_missing: usize,
    left_open: usize,
    settings: Option<&'static str>,
    notes: Vec<String>,
}

pub(crate) async fn take_in(ground: &Ground, what: &What) -> anyhow::Result<Taken> {
    let recording = recording(&what.metrics, &what.intake)?;
    let notes = recording.notes.iter().map(ToString::to_string).collect();
    let options = what.settings.as_ref().map(settings).transpose()?;
    let has_settings = options.is_some();
    let request = IngestRequest {
        environment: ground.environment.clone(),
        recording,
        options,
        activities: what.activities.as_ref().map(activities).transpose()?.unwrap_or_default(),
        leave_open: what.leave_open.map_or(LEAVE_OPEN, Minutes),
    };
    let report = ingest::run(&ground.archive, request).await.context("ingesting")?;
    Ok(Taken::of(ground, &report, has_settings, notes))
}

fn settings(path: &PathBuf) -> anyhow::Result<Vec<pipeline::documents::OptionDocument>> {
    let bytes = std::fs::read(path).with_context(|| format!("reading `{}`", path.display()))?;
    Ok(recorded::settings::read(&path.display().to_string(), &bytes)?.options)
}

fn activities(path: &PathBuf) -> anyhow::Result<Vec<Activity>> {
    let bytes = std::fs::read(path).with_context(|| format!("reading `{}`", path.display()))?;
    Ok(recorded::activities::read(&path.display().to_string(), &bytes)?)
}

impl Taken {
    fn of(ground: &Ground, report: &IngestReport, has_settings: bool, notes: Vec<String>) -> Self {
        let IngestReport { window, merged, filled, left_open, settings_changed } = report;
        let settings = if *settings_changed { "new" } else { "as before" };
        Self {
            environment: ground.environment.to_string(),
            start: window.start.to_string(),
            end: window.end.to_string(),
            samples_added: merged.added,
            samples_updated: merged.updated,
            samples_unchanged: merged.unchanged,
            requests_filled_with_zero: filled.requests_filled,
            cpu_missing: filled.cpu_missing,
            left_open: *left_open,
            settings: has_settings.then_some(settings),
            notes,
        }
    }
}

pub(crate) fn print(taken: &Taken, output: &mut Output) -> anyhow::Result<()> {
    let Taken { environment, start, end, samples_added, samples_updated, samples_unchanged, .. } = taken;
    writeln!(output, "Ingested {environment}, {start} to {end}:")?;
    writeln!(
        output,
        "  samples   {samples_added} new, {samples_updated} updated, {samples_unchanged} unchanged"
    )?;
    let Taken { requests_filled_with_zero, cpu_missing, left_open, .. } = taken;
    writeln!(
        output,
        "  minutes   {requests_filled_with_zero} without requests taken as zero, {cpu_missing} without CPU, \
         {left_open} left open (newest)"
    )?;
    if let Some(settings) = taken.settings {
        writeln!(output, "  settings  {settings}")?;
    }
    for note in &taken.notes {
        writeln!(output, "  note      {note}")?;
    }
    Ok(())
}
