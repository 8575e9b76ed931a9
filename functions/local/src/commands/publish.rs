//! `trellis publish`: the advice to its readers, once.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use async_trait::async_trait;
use clap::Args;
use jiff::Timestamp;
use pipeline::advice::Message;
use pipeline::documents::RecommendationDocument;
use pipeline::publish::{self, Notifier, NotifyError, PublishReport, PublishRequest, Told};
use scaling::units::MinuteUtc;
use serde::Serialize;

use super::{Ground, Output};
use crate::options::{File, Place};
use crate::values::Instant;

/// Publish the newest advice, once
///
/// Prints the message as an e-mail would read and, with --message, writes it to a file. The file is written
/// once for each distinct advice, however often this is run.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  trellis publish --environment web-prod --message advice.txt")]
pub(crate) struct Publish {
    #[command(flatten)]
    place: Place,
    /// The newest advice up to then [default: now]
    #[arg(long, value_name = "INSTANT")]
    until: Option<Instant>,
    /// Write the message to this file, too
    #[arg(long, value_name = "FILE")]
    message: Option<PathBuf>,
}

pub(crate) async fn run(
    command: Publish,
    file: File,
    output: &mut Output,
    now: Timestamp,
) -> anyhow::Result<()> {
    let ground = Ground::of(command.place.or(file.place()))?;
    let until = command.until.map_or(MinuteUtc::containing(now)?, |instant| instant.0);
    let report = publish(&ground, until, command.message.as_deref(), now).await?;
    if output.is_json() { output.json(&Published::of(&report)) } else { print(&report, output) }
}

pub(crate) async fn publish(
    ground: &Ground,
    until: MinuteUtc,
    message: Option<&Path>,
    now: Timestamp,
) -> anyhow::Result<PublishReport> {
    let request = PublishRequest { environment: ground.environment.clone(), until, now };
    let notifier = FileNotifier { path: message.map(Path::to_owned) };
    publish::run(&ground.archive, &notifier, request).await.context("publishing")
}

/// What was published, for programs.
#[derive(Debug, Serialize)]
pub(crate) struct Published {
    subject: String,
    body: String,
    told: &'static str,
    told_at: Option<Timestamp>,
    recommendation: RecommendationDocument,
}

impl Published {
    pub(crate) fn of(report: &PublishReport) -> Self {
        let (told, told_at) = match report.told {
            Told::Now => ("now", None),
            Told::Before { at } => ("before", Some(at)),
            Told::Unconfirmed { at } => ("unconfirmed", Some(at)),
        };
        let Message { subject, body } = report.message.clone();
        Self { subject, body, told, told_at, recommendation: report.recommendation.clone() }
    }
}

pub(crate) fn print(report: &PublishReport, output: &mut Output) -> anyhow::Result<()> {
    writeln!(output, "Subject: {}\n\n{}", report.message.subject, report.message.body)?;
    match report.told {
        Told::Now => Ok(()),
        Told::Before { at } => {
            Ok(writeln!(output, "The same advice was published on {}; it is not sent again.", clock(at))?)
        }
        Told::Unconfirmed { at } => Ok(writeln!(
            output,
            "An earlier run broke off while it published this advice on {}; it is not sent again.",
            clock(at)
        )?),
    }
}

fn clock(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d at %H:%M UTC").to_string()
}

/// Writes the message to a file, if there is to be one. The terminal shows it in any case.
struct FileNotifier {
    path: Option<PathBuf>,
}

#[async_trait]
impl Notifier for FileNotifier {
    async fn notify(&self, message: &Message) -> Result<(), NotifyError> {
        let Some(path) = &self.path else { return Ok(()) };
        let text = format!("Subject: {}\n\n{}", message.subject, message.body);
        let refused = |source| NotifyError { to: format!("`{}`", path.display()), source };
        pipeline::archive::directory::write_whole(path, text.as_bytes())
            .map_err(|error| refused(error.into()))
    }
}
