//! `trellis sweep`: every plausible policy against the traffic.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;
use pipeline::advice::{self, Frame};
use pipeline::sweep::{self, Margins, Model, Replayed, SweepReport, SweepRequest, Watch};
use scaling::backtest::Free;
use scaling::cpu_model::CpuModel;
use scaling::units::Window;

use super::{Ground, Output, dynamics, replayed, threads};
use crate::options::{Aim, Candidates, Cost, Delays, File, OfRecord, Place, Shape, Time};
use crate::progress::Teller;

/// Replay recent traffic under every plausible policy
///
/// Finds the cheapest settings that keep CPU under the ceiling, compares them with the present ones, and keeps
/// the advice with a table of the cheapest that hold. With --stages, --day or --crowd it answers a "what if" instead,
/// and keeps nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trellis sweep --environment web-prod --ceiling 60 --upper-thresholds 30..60:2 --max-sizes 12
  trellis sweep --environment web-prod --amplify 1.5,2 --near 3        ready for a season of twice the traffic
  trellis sweep --environment web-prod --stages 10:30000,8:150000,30:150000
  trellis sweep --environment web-prod --day busiest
  trellis sweep --environment web-prod --crowd 3:5:20@2026-11-05T14:00Z    what if thrice as many had come then?")]
pub(crate) struct Sweep {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    time: Time,
    #[command(flatten)]
    shape: Shape,
    #[command(flatten)]
    of_record: OfRecord,
    #[command(flatten)]
    how: How,
}

/// What to hold, what to try, and what is known from elsewhere.
#[derive(Debug, Args)]
pub(crate) struct How {
    #[command(flatten)]
    pub(crate) aim: Aim,
    #[command(flatten)]
    pub(crate) cost: Cost,
    #[command(flatten, next_help_heading = "Values to try (a list `1,2,4`, or a range `20..80:5`)")]
    candidates: Candidates,
    #[command(flatten, next_help_heading = "What AWS does not publish, or your application decides")]
    delays: Delays,
}

impl How {
    pub(crate) fn or(self, file: File) -> Self {
        Self {
            aim: self.aim.or(file.aim),
            cost: self.cost.or(file.cost),
            candidates: self.candidates.or(file.candidates),
            delays: self.delays.or(file.delays),
        }
    }
}

pub(crate) async fn run(command: Sweep, file: File, output: &mut Output) -> anyhow::Result<()> {
    let time = command.time.or(file.time());
    let ground = Ground::of(command.place.or(file.place()), output.is_rehearsal()).await?;
    let window = ground.window(&time).await?;
    let replayed = replayed(command.shape.stages.as_ref(), &command.of_record)?;
    let report = sweep(&ground, window, replayed, command.how.or(file)).await?;
    if output.is_json() { output.json(&report.document) } else { print(&ground, &report, output) }
}

pub(crate) async fn sweep(
    ground: &Ground,
    window: Window,
    replayed: Replayed,
    how: How,
) -> anyhow::Result<SweepReport> {
    let model = match how.cost.coefficient {
        Some(coefficient) => Model::Stated(CpuModel::new(how.cost.intercept.unwrap_or(0.0), coefficient)?),
        None => Model::Fitted,
    };
    let request = SweepRequest {
        environment: ground.environment.clone(),
        window,
        replayed,
        model,
        ceiling: how.aim.ceiling.map(|percent| percent.0),
        margin: how.aim.margin.map(|percent| percent.0),
        minutes_over_allowed: how.aim.allow_over.unwrap_or(0),
        margins: Margins::written(how.aim.amplify, how.aim.near),
        grid: how.candidates.values().overrides().context("reading the values to try")?,
        dynamics: dynamics(&how.delays)?,
        free: Free { metric_delay: how.delays.metric_delay.is_none(), launch: how.delays.launch.is_none() },
        price: how.aim.price,
        threads: threads(how.aim.threads)?,
    };
    let teller = Teller::new();
    let watch = Watch { progress: &|progress| teller.told(progress), left: None };
    let report = sweep::run(&ground.archive, request, &watch).await;
    teller.end();
    report.context("sweeping policies")
}

fn print(ground: &Ground, report: &SweepReport, output: &mut Output) -> anyhow::Result<()> {
    let frame = Frame { kept: ground.kept(), ..Frame::default() };
    let text = output.terminal.body(&advice::message_in(&report.document, &frame).body);
    write!(output, "{text}")?;
    match &report.keys {
        None => writeln!(output, "\nThis was a what-if: nothing was kept.")?,
        Some(_) if ground.dry_run => writeln!(output, "\nThis was a rehearsal: nothing was kept.")?,
        Some(keys) => {
            writeln!(output, "\nThe advice lies in   {}", ground.path(&keys.recommendation).display())?;
            writeln!(output, "The cheapest that hold   {}", ground.path(&keys.table).display())?;
        }
    }
    Ok(())
}
