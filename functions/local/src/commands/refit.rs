//! `trellis refit`: what a request costs.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;
use pipeline::refit::{self, RefitReport, RefitRequest};
use scaling::fit::FitRules;
use scaling::units::Window;

use super::{Ground, Output};
use crate::options::{File, FitOptions, Place, Time};

/// Learn what a request costs in CPU
///
/// Draws a line through CPU against requests per minute and instance, by least squares, and keeps it. Refuses
/// where the samples don't carry a line, and says why.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  trellis refit --environment web-prod --until 2026-11-16 --lookback 7")]
pub(crate) struct Refit {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    time: Time,
    #[command(flatten)]
    fit: FitOptions,
}

pub(crate) async fn run(command: Refit, file: File, output: &mut Output) -> anyhow::Result<()> {
    let time = command.time.or(file.time());
    let ground = Ground::of(command.place.or(file.place()), output.is_rehearsal()).await?;
    let window = ground.window(&time).await?;
    let report = refit(&ground, window, &command.fit.or(file.fit)).await?;
    if output.is_json() { output.json(&report.document) } else { print(&report, output) }
}

pub(crate) async fn refit(ground: &Ground, window: Window, fit: &FitOptions) -> anyhow::Result<RefitReport> {
    let default = FitRules::default();
    let rules = FitRules {
        min_usable: fit.min_usable.unwrap_or(default.min_usable),
        min_load_spread: fit.min_load_spread.unwrap_or(default.min_load_spread),
        min_r_squared: fit.min_r_squared.unwrap_or(default.min_r_squared),
    };
    let request = RefitRequest { environment: ground.environment.clone(), window, rules };
    refit::run(&*ground.archive, request).await.context("refitting")
}

pub(crate) fn print(report: &RefitReport, output: &mut Output) -> anyhow::Result<()> {
    let RefitReport { fit, document, .. } = report;
    writeln!(
        output,
        "Fitted {}, {} to {}:",
        document.environment, document.window.start, document.window.end
    )?;
    writeln!(
        output,
        "  cpu = {:.2} % + {:.6} % × requests per minute per instance",
        fit.model.intercept_percent(),
        fit.model.coefficient()
    )?;
    writeln!(
        output,
        "  R² {:.3}, spread around the line {:.2} points, over {} periods",
        fit.r_squared, fit.residual_spread_percent, fit.usable
    )?;
    let left_out: Vec<String> =
        document.left_out.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    if !left_out.is_empty() {
        writeln!(output, "  left out: {}", left_out.join(", "))?;
    }
    Ok(())
}
