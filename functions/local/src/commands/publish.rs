//! `trellis publish`: the advice to its readers, once.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use async_trait::async_trait;
use clap::Args;
use jiff::Timestamp;
use pipeline::advice::{Frame, Message};
use pipeline::envelope::HttpsBody;
use pipeline::news::LEAST_GAIN;
use pipeline::publish::{
    self, Notification, Notifier, NotifyError, PublishReport, PublishRequest, Published, Told,
};
use pipeline::values::{GainPercent, Instant};
use scaling::units::MinuteUtc;

use super::{Ground, Output};
use crate::options::{File, Place, Tell};

/// Publish the newest advice, once
///
/// Prints the message as an e-mail would read; with --message also writes it to a file, with --topic also sends it
/// to an SNS topic: once for each distinct advice, however often this is run.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  trellis publish --environment web-prod --message advice.txt")]
pub(crate) struct Publish {
    #[command(flatten)]
    place: Place,
    /// The newest advice up to then [default: now]
    #[arg(long, value_name = "INSTANT")]
    until: Option<Instant>,
    #[command(flatten)]
    to: To,
}

/// Who is told, beside whoever reads the terminal.
#[derive(Debug, Args)]
pub(crate) struct To {
    /// Write the message to this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) message: Option<PathBuf>,
    /// Publish it to this SNS topic, too
    #[arg(long, value_name = "ARN")]
    pub(crate) topic: Option<String>,
    /// What subscribers of the topic over HTTPS get: json, or chat for Amazon Q Developer in chat applications
    #[arg(long, value_name = "FORM", default_value = "json", requires = "topic")]
    https_body: HttpsBody,
    #[command(flatten)]
    tell: Tell,
}

pub(crate) async fn run(
    command: Publish,
    file: File,
    output: &mut Output,
    now: Timestamp,
) -> anyhow::Result<()> {
    let ground = Ground::of(command.place.clone().or(file.place()), output.is_rehearsal()).await?;
    let until = command.until.map_or(MinuteUtc::containing(now)?, |instant| instant.0);
    let report = publish(&ground, until, &command.to, &file.tell, None, now).await?;
    if output.is_json() { output.json(&Published::of(&report)) } else { print(&report, output) }
}

pub(crate) async fn publish(
    ground: &Ground,
    until: MinuteUtc,
    to: &To,
    file: &Tell,
    run_usd: Option<f64>,
    now: Timestamp,
) -> anyhow::Result<PublishReport> {
    let tell = to.tell.clone().or(file.clone());
    let request = PublishRequest {
        environments: vec![ground.environment.clone()],
        until,
        now,
        run: publish::new_run(),
        least_gain: least_gain(&tell),
        frame: Frame { pages: tell.pages, run_usd, kept: ground.kept() },
    };
    let notifier = readers(ground, to).await?;
    let reports = publish::run(&ground.archive, &notifier, &request).await.context("publishing")?;
    let (_, report) = reports.into_iter().next().expect("one environment was asked about");
    let report = report.context("publishing")?;
    write_again(ground, to, &report)?;
    Ok(report)
}

/// Who names a file finds the message in it, also where it is not sent again.
fn write_again(ground: &Ground, to: &To, report: &PublishReport) -> Result<(), NotifyError> {
    match &to.message {
        Some(path) if !ground.dry_run && report.told != Told::Now => write_message(path, &report.message),
        _ => Ok(()),
    }
}

/// The share below which a gain is not worth a message.
pub(crate) fn least_gain(tell: &Tell) -> f64 {
    tell.least_gain.map_or(LEAST_GAIN, GainPercent::share)
}

pub(crate) fn print(report: &PublishReport, output: &mut Output) -> anyhow::Result<()> {
    let text = output.terminal.message(&report.message);
    writeln!(output, "{text}")?;
    match report.told {
        Told::Now => Ok(()),
        Told::Before { at } => {
            Ok(writeln!(output, "The same advice was published on {}; it is not sent again.", clock(at))?)
        }
        Told::Unconfirmed { at } => Ok(writeln!(
            output,
            "Another run began to publish this advice on {} and has not ended; it is sent again an hour after that.",
            clock(at)
        )?),
        Told::StillGood { at } => Ok(writeln!(
            output,
            "The settings that were published on {} still hold and are about as cheap: this is not sent.",
            clock(at)
        )?),
    }
}

fn clock(instant: Timestamp) -> String {
    instant.strftime("%Y-%m-%d at %H:%M UTC").to_string()
}

/// Nobody, in a rehearsal. The terminal shows the message in any case.
async fn readers(ground: &Ground, to: &To) -> anyhow::Result<Readers> {
    let mut readers: Vec<Box<dyn Notifier>> = vec![];
    if !ground.dry_run {
        if let Some(path) = &to.message {
            readers.push(Box::new(FileNotifier { path: path.clone() }));
        }
        if let Some(topic) = &to.topic {
            readers.push(ground.cloud.topic(topic, to.https_body).await?);
        }
    }
    Ok(Readers(readers))
}

/// Several readers. The first that can't be reached ends it, and all are told anew by the next run: so the topic, which takes
/// nothing back, is last.
struct Readers(Vec<Box<dyn Notifier>>);

#[async_trait]
impl Notifier for Readers {
    async fn notify(&self, notification: Notification<'_>) -> Result<(), NotifyError> {
        for reader in &self.0 {
            reader.notify(notification).await?;
        }
        Ok(())
    }
}

/// Writes the message to a file.
struct FileNotifier {
    path: PathBuf,
}

#[async_trait]
impl Notifier for FileNotifier {
    async fn notify(&self, notification: Notification<'_>) -> Result<(), NotifyError> {
        write_message(&self.path, notification.message)
    }
}

fn write_message(path: &Path, message: &Message) -> Result<(), NotifyError> {
    let text = format!("Subject: {}\n\n{}", message.subject, message.body);
    let refused = |source| NotifyError { to: format!("`{}`", path.display()), source };
    pipeline::archive::directory::write_whole(path, text.as_bytes()).map_err(|error| refused(error.into()))
}
