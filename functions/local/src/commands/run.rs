//! `trellis run`: all four stages.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use pipeline::documents::FitDocument;
use pipeline::ingest::Taken;
use pipeline::publish::Published;
use pipeline::sweep::Replayed;
use serde::Serialize;

use super::ingest::What;
use super::publish::To;
use super::sweep::How;
use super::{Ground, Output, ingest, publish, refit, report, sweep};
use crate::options::{File, FitOptions, Place, Time};

/// Do all of it: ingest, refit, sweep, publish
///
/// Takes in metrics, from AWS (--aws) or from files, learns what a request costs (unless --coefficient states it), replays the
/// traffic under every plausible policy, prints the advice, and makes the page with pictures.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trellis run --environment web-prod --aws --profile production
  trellis run --environment web-prod --metrics cpu.json,requests.json,hosts.json --settings settings.json
  trellis run --environment web-prod --metrics week.csv --column cpu_percent=cpu --ceiling 60
  trellis run --environment web-prod --metrics requests.csv --coefficient 0.012 --intercept 3

The export that it reads can be made with
  aws cloudwatch get-metric-data --metric-data-queries file://queries.json --start-time … --end-time …
  aws elasticbeanstalk describe-configuration-settings --application-name … --environment-name …")]
pub(crate) struct Run {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    time: Time,
    #[command(flatten)]
    fit: FitOptions,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    to: To,
}

#[derive(Serialize)]
struct Done {
    ingested: Taken,
    fit: Option<FitDocument>,
    published: Published,
    files: Files,
}

#[derive(Serialize)]
struct Files {
    samples: PathBuf,
    fit: Option<PathBuf>,
    recommendation: PathBuf,
    table: PathBuf,
    message: Option<PathBuf>,
    report: PathBuf,
    index: PathBuf,
}

pub(crate) async fn run(command: Run, file: File, output: &mut Output, now: Timestamp) -> anyhow::Result<()> {
    let ground = Ground::of(command.place.or(file.place()), output.is_rehearsal()).await?;
    let ingested = ingest::take_in(&ground, &command.what, &command.time, now).await?;
    if !output.is_json() {
        ingest::print(&ingested, output)?;
    }
    let window = ground.window(&command.time.or(file.time())).await?;
    let stated = command.how.cost.coefficient.or(file.cost.coefficient).is_some();
    let fitted = if stated {
        None
    } else {
        let ceiling = command.how.aim.ceiling.or(file.aim.ceiling);
        Some(refit::refit(&ground, window, &command.fit.or(file.fit.clone()), ceiling, None).await?)
    };
    if let Some(fitted) = fitted.as_ref().filter(|_| !output.is_json()) {
        refit::print(fitted, output)?;
        output.flush()?;
    }
    let tell = file.tell.clone();
    let swept = sweep::sweep(&ground, window, Replayed::Recorded, command.how.or(file)).await?;
    let published =
        publish::publish(&ground, window.end, &command.to, &tell, Some(ground.spent_usd()), now).await?;
    let [page, index] = report::make(&ground, window.end, now).await?;
    let keys = swept.keys.expect("a sweep of recorded traffic is kept");
    let files = Files {
        samples: PathBuf::from(&ground.place).join("samples"),
        fit: fitted.as_ref().map(|fitted| ground.path(&fitted.key)),
        recommendation: ground.path(&keys.recommendation),
        table: ground.path(&keys.table),
        // What was told before is not written again.
        message: command.to.message.filter(|_| !ground.dry_run),
        report: ground.path(&page),
        index: ground.path(&index),
    };
    if output.is_json() {
        let fit = fitted.map(|fitted| fitted.document);
        return output.json(&Done { ingested, fit, published: Published::of(&published), files });
    }
    writeln!(output)?;
    publish::print(&published, output)?;
    if ground.dry_run { Ok(()) } else { print(&files, output) }
}

fn print(files: &Files, output: &mut Output) -> anyhow::Result<()> {
    let named = [
        ("the message", files.message.as_ref()),
        ("the advice, for programs", Some(&files.recommendation)),
        ("the cheapest that hold", Some(&files.table)),
        ("what a request costs", files.fit.as_ref()),
        ("the samples", Some(&files.samples)),
        ("all environments", Some(&files.index)),
        ("the page with pictures", Some(&files.report)),
    ];
    writeln!(output, "Files:")?;
    for (what, path) in named.into_iter().filter_map(|(what, path)| Some((what, path?))) {
        writeln!(output, "  {what:<26}{}", path.display())?;
    }
    Ok(())
}
