//! `trellis ingest`: recorded metrics into the archive.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use pipeline::activity::Activity;
use pipeline::fetch::{self, BACKFILL_DAYS, FetchRequest};
use pipeline::ingest::{self, IngestRequest, LEAVE_OPEN, Taken};
use pipeline::recorded;
use scaling::units::{MinuteUtc, Minutes};

use super::{Ground, Output, recording, span};
use crate::options::{File, Intake, Place, Time};
use crate::progress;

/// Take metrics into the archive, from AWS or from files
///
/// With --aws, asks CloudWatch and Elastic Beanstalk for what is not there yet. Else reads what `aws cloudwatch get-metric-data` or `get-metric-statistics` printed (one file or many pages),
/// or CSV. Series are joined by time, newest wins, nothing that is there is lost; the newest minutes are left
/// for the next time, since they may still grow.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trellis ingest --environment web-prod --metrics page1.json,page2.json --settings settings.json
  trellis ingest --environment web-prod --aws --profile production
  trellis ingest --environment web-prod --metrics week.csv \\
      --column requests=rpm --column cpu_percent=cpu --column in_service=hosts

The metrics are: requests (a sum; or requests_per_minute, requests_per_second), cpu_percent, cpu_percent_max,
in_service, latency_p50_seconds, latency_p95_seconds, latency_p99_seconds, http_5xx.")]
pub(crate) struct Ingest {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    what: What,
    #[command(flatten, next_help_heading = "With --aws: another time than what is not there yet")]
    time: Time,
}

/// Files to take in, and how to read them.
#[derive(Debug, Args)]
pub(crate) struct What {
    /// Ask CloudWatch and Elastic Beanstalk for what the archive does not have yet (14 days at first)
    #[arg(long, conflicts_with_all = [
        "metrics", "settings", "activities", "columns", "series", "conditions", "time_column", "start", "period", "leave_open",
    ])]
    pub(crate) aws: bool,
    /// Files with metrics: JSON of the AWS command line, or CSV; separate several with commas. Times without a zone are
    /// taken as UTC
    #[arg(long, value_name = "FILE", value_delimiter = ',', required_unless_present = "aws")]
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

pub(crate) async fn run(
    command: Ingest,
    file: File,
    output: &mut Output,
    now: Timestamp,
) -> anyhow::Result<()> {
    let ground = Ground::of(command.place.or(file.place()), output.is_rehearsal()).await?;
    let taken = take_in(&ground, &command.what, &command.time, now).await?;
    if output.is_json() { output.json(&taken) } else { print(&taken, output) }
}

/// Takes in what the files hold, or what AWS has.
pub(crate) async fn take_in(
    ground: &Ground,
    what: &What,
    time: &Time,
    now: Timestamp,
) -> anyhow::Result<Taken> {
    let request = if what.aws { fetched(ground, time, now).await? } else { recorded(ground, what)? };
    let report = ingest::run(&ground.archive, request).await.context("ingesting")?;
    Ok(Taken::of(&ground.environment, &report))
}

/// What AWS has and the archive has not; or what it has of a time that is asked for.
async fn fetched(ground: &Ground, time: &Time, now: Timestamp) -> anyhow::Result<IngestRequest> {
    let now = MinuteUtc::containing(now)?;
    let until = time.until.map_or(now, |instant| instant.0);
    let asked = time.from.is_some() || time.until.is_some() || time.lookback.is_some();
    let window = span(time, until, BACKFILL_DAYS)?;
    let request = FetchRequest {
        environment: ground.environment.clone(),
        now,
        window: asked.then_some(window),
        backfill_days: BACKFILL_DAYS,
    };
    let sources = ground.cloud.sources().await?;
    let waiting = progress::waiting("asking AWS");
    let fetched = fetch::fetch(&*sources.environments, &*sources.metrics, &ground.archive, &request).await;
    waiting.finish_and_clear();
    let fetched = fetched?;
    ground.metrics.set(ground.metrics.get() + fetched.metrics_requested as u64);
    Ok(fetched.ingest)
}

fn recorded(ground: &Ground, what: &What) -> anyhow::Result<IngestRequest> {
    let recording = recording(&what.metrics, &what.intake)?;
    let options = what.settings.as_ref().map(settings).transpose()?;
    Ok(IngestRequest {
        environment: ground.environment.clone(),
        recording,
        options,
        group: None,
        activities: what.activities.as_ref().map(activities).transpose()?.unwrap_or_default(),
        load_balancer_reported: None,
        leave_open: what.leave_open.map_or(LEAVE_OPEN, Minutes),
        fetched_until: None,
    })
}

fn settings(path: &PathBuf) -> anyhow::Result<Vec<pipeline::documents::OptionDocument>> {
    let bytes = std::fs::read(path).with_context(|| format!("reading `{}`", path.display()))?;
    Ok(recorded::settings::read(&path.display().to_string(), &bytes)?.options)
}

fn activities(path: &PathBuf) -> anyhow::Result<Vec<Activity>> {
    let bytes = std::fs::read(path).with_context(|| format!("reading `{}`", path.display()))?;
    Ok(recorded::activities::read(&path.display().to_string(), &bytes)?)
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
