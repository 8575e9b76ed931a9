//! `trellis report`: pages with pictures, from what the stages left.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;
use jiff::Timestamp;
use pipeline::archive::directory::write_whole;
use pipeline::archive::{Environment, Key};
use pipeline::report::{self, ReportRequest};
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

#[derive(Serialize)]
struct Done {
    pages: Vec<Page>,
    index: Option<PathBuf>,
}

#[derive(Serialize)]
struct Page {
    environment: String,
    stands: String,
    files: Vec<PathBuf>,
    bytes: usize,
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
    let environments = match named {
        Some(name) => vec![Environment::new(name)?],
        None => report::environments(&*archive).await?,
    };
    ensure!(!environments.is_empty(), "`{at}` holds no environments; `trellis run` takes one in");
    let path = |key: &Key| Path::new(&at).join(key.as_str());
    let mut pages = Vec::new();
    for environment in environments {
        let request = ReportRequest { environment: environment.clone(), until, now };
        let report = report::run(&*archive, request).await;
        let report = report.with_context(|| format!("making the page of `{environment}`"))?;
        let mut files = if dry_run { vec![] } else { vec![path(&report.key)] };
        if let Some(out) = &command.out {
            write_whole(out, report.html.as_bytes())
                .with_context(|| format!("writing `{}`", out.display()))?;
            files.push(out.clone());
        }
        let (environment, bytes) = (environment.name().to_owned(), report.html.len());
        pages.push(Page { environment, stands: report.standing.said, files, bytes });
    }
    let index = report::index(&*archive, until, now).await.context("making the index")?;
    let index = (!dry_run).then(|| path(&index.key));
    let done = Done { pages, index };
    if output.is_json() { output.json(&done) } else { print(&done, output) }
}

fn print(done: &Done, output: &mut Output) -> anyhow::Result<()> {
    for Page { environment, stands, files, bytes } in &done.pages {
        writeln!(output, "{environment}: {stands} ({} kB)", bytes.div_ceil(1000))?;
        for file in files {
            writeln!(output, "  {}", file.display())?;
        }
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
