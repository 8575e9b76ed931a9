//! `trellis explain`: the message again, from the archive.

use std::io::Write as _;

use anyhow::{Context as _, bail};
use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use pipeline::advice::{self, Frame};
use pipeline::chat;
use pipeline::documents::VerdictDocument;
use pipeline::envelope::MessageDocument;
use pipeline::news::News;
use pipeline::paste::Form;
use pipeline::publish::{Notification, last_word};
use pipeline::store::latest_published;
use scaling::units::MinuteUtc;
use serde::Serialize;

use super::publish::least_gain;
use super::{Ground, Output};
use crate::options::{File, Place, Tell};

/// Print the message again, from the archive
///
/// The newest advice, or that of a day, whether it was sent or not; or, with --paste, nothing but the settings to take, in the
/// form in which they are pasted. It changes nothing and sends nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trellis explain --environment web-prod
  trellis explain --environment web-prod --date 2026-11-04
  trellis explain --environment web-prod --paste terraform
  trellis explain --environment web-prod --paste command --undo | sh")]
pub(crate) struct Explain {
    #[command(flatten)]
    place: Place,
    /// The advice of that day, by the last minute that it looked at [default: the newest]
    #[arg(long, value_name = "DATE")]
    date: Option<Date>,
    /// Only the settings: ebextensions, command, cloudformation or terraform
    #[arg(long, value_name = "FORM")]
    paste: Option<Form>,
    /// The settings as they were before, in place of those to take
    #[arg(long, requires = "paste")]
    undo: bool,
    /// As Amazon Q Developer in chat applications would get it, JSON
    #[arg(long, conflicts_with = "paste")]
    chat: bool,
    #[command(flatten)]
    tell: Tell,
}

pub(crate) async fn run(
    command: Explain,
    file: File,
    output: &mut Output,
    now: Timestamp,
) -> anyhow::Result<()> {
    let tell = command.tell.clone().or(file.tell.clone());
    let ground = Ground::of(command.place.clone().or(file.place()), true).await?;
    let until = command.date.map_or_else(|| Ok(MinuteUtc::containing(now)?), end_of)?;
    let word = last_word(&ground.archive, &ground.environment, until).await?;
    let record = latest_published(&ground.archive, &ground.environment).await?;
    let news = News::again(word, record.as_ref(), least_gain(&tell));
    if let Some(date) = command.date {
        let end = news.until();
        anyhow::ensure!(
            end_of(date)?.start() < end + jiff::SignedDuration::from_hours(24),
            "`{}` has no advice of {date}; the one before is of {}",
            ground.environment,
            end.strftime("%Y-%m-%d")
        );
    }
    if let Some(form) = command.paste {
        let alone = Alone { undo: command.undo, text: pasted(&news, form, command.undo)? };
        return if output.is_json() { output.json(&alone) } else { Ok(write!(output, "{}", alone.text)?) };
    }
    let frame = Frame { pages: tell.pages, run_usd: None, kept: ground.place_of_advice() };
    let message = advice::of_news(&news, &frame);
    let news = [news];
    let notification = Notification { message: &message, news: &news, frame: &frame };
    if command.chat {
        return output.json(&chat::custom_notification(&notification));
    }
    if output.is_json() {
        return output.json(&MessageDocument::of(&notification, true));
    }
    let text = output.terminal.message(&message);
    Ok(write!(output, "{text}")?)
}

/// Settings to be pasted: those to take, or those as they were.
#[derive(Serialize)]
struct Alone {
    undo: bool,
    text: String,
}

/// The first minute after a day.
pub(crate) fn end_of(date: Date) -> anyhow::Result<MinuteUtc> {
    let end = jiff::tz::TimeZone::UTC.to_timestamp(date.tomorrow()?.at(0, 0, 0, 0))?;
    Ok(MinuteUtc::containing(end)?)
}

fn pasted(news: &News, form: Form, undo: bool) -> anyhow::Result<String> {
    let advice = news.advice().filter(|advice| advice.verdict == VerdictDocument::Change);
    let Some(advice) = advice else { bail!("there is nothing to paste: {}", advice::headline(news)) };
    let patch = if undo {
        advice::undo(advice)
            .context("the present settings are not known, so that there is no way back to them")?
    } else {
        advice::apply(advice)
    };
    Ok(patch.form(form))
}
