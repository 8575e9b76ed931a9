//! `trellis report`: pages with pictures, from what the stages left.

use std::error::Error as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use jiff::Timestamp;
use pipeline::archive::directory::write_whole;
use pipeline::archive::{Environment, Key};
use pipeline::causes::with_causes;
use pipeline::report::{self, Report, ReportError, ReportRequest};
use pipeline::values::Instant;
use scaling::units::MinuteUtc;
use serde::Serialize;

use super::{DEFAULT_ARCHIVE, Ground, Output, archive_at};
use crate::cloud::Cloud;
use crate::options::{File, Place};

/// Write the page with pictures: why the advice should be believed
///
/// Makes one HTML file for each environment, beside its advice, and an index over all of them, the worst first. A page
/// needs no network and runs no script; its pictures are replayed from the archive, and each has its table below. A
/// picture that the archive can't fill says what is missing and how to get it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trellis report trellis-archive                              every environment, and the index
  trellis report --environment web-prod --out web-prod.html   one page, also to a file of your choice
  trellis report s3://bucket --environment web-prod --dry-run --out web-prod.html")]
pub(crate) struct ReportCommand {
    /// The archive: a directory, or s3://bucket/prefix; like --archive
    #[arg(value_name = "DIRECTORY", conflicts_with = "archive")]
    directory: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Every environment of the archive, also where trellis.toml names one
    #[arg(long, conflicts_with = "environment")]
    all: bool,
    /// The newest advice up to then [default: now]
    #[arg(long, value_name = "INSTANT")]
    until: Option<Instant>,
    /// Write the page to this file, too; of one environment
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Serialize, Default)]
struct Done {
    pages: Vec<Page>,
    /// Of these there is nothing to show.
    nothing: Vec<Without>,
    /// Of these something can't be read.
    damaged: Vec<Without>,
    index: Option<PathBuf>,
}

#[derive(Serialize)]
struct Page {
    environment: String,
    stands: String,
    files: Vec<PathBuf>,
    bytes: usize,
}

impl Page {
    /// What was made of `environment` and `kept`, and is written to `out`, too.
    fn of(
        environment: &Environment,
        report: Report,
        kept: Option<PathBuf>,
        out: Option<&Path>,
    ) -> anyhow::Result<Self> {
        if let Some(out) = out {
            let written = write_whole(out, report.html.as_bytes());
            written.with_context(|| format!("writing `{}`", out.display()))?;
        }
        let files = kept.into_iter().chain(out.map(Path::to_owned)).collect();
        let (environment, bytes) = (environment.name().to_owned(), report.html.len());
        Ok(Self { environment, stands: report.standing.said, files, bytes })
    }
}

/// An environment without a page.
#[derive(Serialize)]
struct Without {
    environment: String,
    why: String,
}

impl Without {
    fn of(environment: &Environment, error: &ReportError) -> Self {
        Self { environment: environment.name().to_owned(), why: with_causes(error.source().unwrap_or(error)) }
    }
}

pub(crate) async fn run(
    command: ReportCommand,
    file: File,
    output: &mut Output,
    now: Timestamp,
) -> anyhow::Result<()> {
    let all = command.all;
    let given = Place { archive: command.directory.or(command.place.archive), ..command.place };
    let mut place = given.or(file.place());
    let named = place.environment.take().filter(|_| !all);
    ensure!(
        command.out.is_none() || named.is_some(),
        "--out takes one page: name its environment with --environment"
    );
    let until = command.until.map_or(MinuteUtc::containing(now)?, |instant| instant.0);
    let at = place.archive.unwrap_or_else(|| DEFAULT_ARCHIVE.into());
    let cloud = Cloud { profile: place.profile, region: place.region };
    let dry_run = output.is_rehearsal();
    let archive = archive_at(&at, &cloud, dry_run).await?;
    let is_one = named.is_some();
    let environments = match named {
        Some(name) => vec![Environment::new(name)?],
        None => report::environments(&*archive).await?,
    };
    ensure!(!environments.is_empty(), "`{at}` holds no environments; `trellis run` takes one in");
    let path = |key: &Key| Path::new(&at).join(key.as_str());
    let out = command.out.as_deref();
    let mut done = Done::default();
    for environment in environments {
        let request = ReportRequest { environment: environment.clone(), until, now };
        match report::run(&*archive, request).await {
            Ok(report) => {
                let kept = (!dry_run).then(|| path(&report.key));
                done.pages.push(Page::of(&environment, report, kept, out)?);
            }
            // One that was named is all there is to do.
            Err(error) if !is_one && error.is_refusal() => {
                done.nothing.push(Without::of(&environment, &error));
            }
            Err(error) if !is_one && error.is_damage() => {
                done.damaged.push(Without::of(&environment, &error));
            }
            Err(error) => return Err(error).context(format!("making the page of `{environment}`")),
        }
    }
    let index = report::index(&*archive, until, now).await.context("making the index")?;
    done.index = (!dry_run).then(|| path(&index.key));
    if output.is_json() {
        output.json(&done)?;
    } else {
        print(&done, output)?;
    }
    let damaged: Vec<&str> = done.damaged.iter().map(|page| page.why.as_str()).collect();
    ensure!(damaged.is_empty(), "not every page could be made: {}", damaged.join("; "));
    Ok(())
}

fn print(done: &Done, output: &mut Output) -> anyhow::Result<()> {
    for Page { environment, stands, files, bytes } in &done.pages {
        writeln!(output, "{environment}: {stands} ({} kB)", bytes.div_ceil(1000))?;
        for file in files {
            writeln!(output, "  {}", file.display())?;
        }
    }
    for Without { environment, why } in &done.nothing {
        writeln!(output, "{environment}: no page: {why}")?;
    }
    match &done.index {
        Some(index) => writeln!(output, "All environments, the worst first:\n  {}", index.display())?,
        None => writeln!(output, "Nothing was kept in the archive.")?,
    }
    Ok(())
}

/// The page of the environment, where the other stages have just left something new; and the index.
pub(crate) async fn make(ground: &Ground, until: MinuteUtc, now: Timestamp) -> anyhow::Result<[Key; 2]> {
    let request = ReportRequest { environment: ground.environment.clone(), until, now };
    let report = report::run(&ground.archive, request).await.context("making the page")?;
    let index = report::index(&ground.archive, until, now).await.context("making the index")?;
    Ok([report.key, index.key])
}
