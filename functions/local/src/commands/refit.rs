//! `trellis refit`: what a request costs.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use pipeline::advice::cost;
use pipeline::recorded::locust;
use pipeline::refit::{self, LoadTest, RefitReport, RefitRequest};
use pipeline::values::Percent;
use scaling::coefficient::FitRules;
use scaling::sample::Sample;
use scaling::units::{Instances, Window};

use super::{Ground, Output, source};
use crate::options::{File, FitOptions, Place, Time};

/// Learn what a request costs in CPU
///
/// Draws a line through CPU against requests per minute and instance that stray minutes can't move, says how sure it is,
/// since when a request costs that, and from which CPU on response time suffers, and keeps it. Refuses where the
/// samples don't carry a line, and says why and what would help.
///
/// With --instances the window is taken as a load test of so many instances: what one can serve is told, and kept
/// beside the fits of traffic. Its requests come from the archive like CPU, or with --locust from the load generator.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trellis refit --environment web-prod --until 2026-11-16 --lookback 7
  trellis refit --environment web-test --from 2026-11-16T10:00Z --until 2026-11-16T10:30Z --instances 1
  trellis refit --environment web-test --instances 1 --locust run_stats_history.csv --ceiling 60
                             what `locust --csv run --csv-full-history` wrote; CPU is the archive's")]
pub(crate) struct Refit {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    time: Time,
    #[command(flatten)]
    fit: FitOptions,
    /// CPU percent up to which an instance is to be used [default: 50, or less where response time departs earlier]
    #[arg(long, value_name = "PERCENT")]
    ceiling: Option<Percent>,
    /// Take the window as a load test that so many instances served
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    instances: Option<u32>,
    /// Requests and response times as Locust saw them: its stats history
    #[arg(long, value_name = "FILE", requires = "instances")]
    locust: Option<PathBuf>,
}

pub(crate) async fn run(command: Refit, file: File, output: &mut Output) -> anyhow::Result<()> {
    let time = command.time.or(file.time());
    let ground = Ground::of(command.place.or(file.place()), output.is_rehearsal()).await?;
    let clients = command.locust.as_deref().map(clients).transpose()?;
    let load_test = command.instances.map(|count| LoadTest { instances: Instances(count), clients });
    let no_time = time.from.is_none() && time.until.is_none();
    let window = match load_test.as_ref().and_then(LoadTest::window).filter(|_| no_time) {
        Some(ran) => ran,
        None => ground.window(&time).await?,
    };
    let ceiling = command.ceiling.or(file.aim.ceiling);
    let report = refit(&ground, window, &command.fit.or(file.fit), ceiling, load_test).await?;
    if output.is_json() { output.json(&report.document) } else { print(&report, output) }
}

fn clients(path: &Path) -> anyhow::Result<Vec<Sample>> {
    let source = source(path)?;
    let clients = locust::read(&source.name, &source.bytes)?;
    let message = || format!("`{}` has no whole minute: let the load test run for longer", source.name);
    anyhow::ensure!(!clients.is_empty(), message());
    Ok(clients)
}

pub(crate) async fn refit(
    ground: &Ground,
    window: Window,
    fit: &FitOptions,
    ceiling: Option<Percent>,
    load_test: Option<LoadTest>,
) -> anyhow::Result<RefitReport> {
    let default = refit::default_rules(load_test.is_some());
    let rules = FitRules {
        min_usable: fit.min_usable.unwrap_or(default.min_usable),
        min_load_spread: fit.min_load_spread.unwrap_or(default.min_load_spread),
        min_r_squared: fit.min_r_squared.unwrap_or(default.min_r_squared),
        ..default
    };
    let ceiling = ceiling.map(|percent| percent.0);
    let environment = ground.environment.clone();
    let request = RefitRequest { environment, window, rules, ceiling, load_test };
    refit::run(&ground.archive, request).await.context("refitting")
}

pub(crate) fn print(report: &RefitReport, output: &mut Output) -> anyhow::Result<()> {
    let document = &report.document;
    writeln!(output, "Fitted {}, {}:", document.environment, cost::when(document))?;
    let (intercept, coefficient) = (document.intercept_percent, document.coefficient);
    writeln!(output, "  cpu = {intercept:.2} % + {coefficient:.6} % × requests per minute per instance")?;
    for sentence in cost::sentences(document) {
        writeln!(output, "{}", pipeline::advice::indented(&sentence))?;
    }
    let left_out: Vec<String> =
        document.left_out.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    if !left_out.is_empty() {
        writeln!(output, "{}", pipeline::advice::indented(&format!("Left out: {}.", left_out.join(", "))))?;
    }
    Ok(())
}
