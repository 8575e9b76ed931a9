//! `trellis talk`: the published result of the talk that the method comes from.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;
use pipeline::values::Stages;
use scaling::cpu_model::CpuModel;
use scaling::talk;
use scaling::traffic::Load;
use serde::Serialize;

use super::{Output, staged};

/// Reproduce the result of the talk that the method comes from
///
/// Sweeps the talk's 216 policies over its traffic (30000 requests a minute in 10 minutes, 150000 in 8 more,
/// then 30 minutes of it) by the talk's own rules, which are simpler than AWS's, and prints the policy that
/// it published. With other stages it shows how little it takes for another one to win.
#[derive(Debug, Args)]
pub(crate) struct Talk {
    /// Other traffic than the talk's
    #[arg(long, value_name = "STAGES", default_value = "10:30000,8:150000,30:150000")]
    stages: Stages,
}

#[derive(Serialize)]
struct Winner {
    index: usize,
    kept: usize,
    scale_up_increment: u32,
    upper_threshold: f64,
    lower_threshold: f64,
    mean_cpu_percent: f64,
    max_cpu_percent: f64,
}

pub(crate) fn run(command: &Talk, output: &mut Output) -> anyhow::Result<()> {
    let load = Load::new(&staged(&command.stages)?, CpuModel::new(0.0, talk::COEFFICIENT)?);
    let kept = talk::sweep(&load.demand_percent);
    let index = talk::best(&kept).context("none of the talk's 216 policies stays under 50 % CPU")?;
    let (policy, outcome) = kept[index];
    let winner = Winner {
        index,
        kept: kept.len(),
        scale_up_increment: policy.scale_up_increment,
        upper_threshold: policy.upper_threshold,
        lower_threshold: policy.lower_threshold,
        mean_cpu_percent: outcome.mean_cpu_percent,
        max_cpu_percent: outcome.max_cpu_percent,
    };
    if output.is_json() { output.json(&winner) } else { print(&winner, output) }
}

fn print(winner: &Winner, output: &mut Output) -> anyhow::Result<()> {
    let Winner { index, kept, scale_up_increment, upper_threshold, lower_threshold, .. } = winner;
    let Winner { mean_cpu_percent, max_cpu_percent, .. } = winner;
    writeln!(
        output,
        "{kept} of 216 policies stay under 50 % CPU by the talk's own rules; the talk's choice:\n"
    )?;
    writeln!(output, "     scale_up_increment  upper_threshold  lower_threshold  average_cpu  max_cpu")?;
    writeln!(
        output,
        "{index:<3}  {scale_up_increment:>18}  {upper_threshold:>15}  {lower_threshold:>15}  {mean_cpu_percent:>11.6}  \
         {max_cpu_percent:.6}"
    )?;
    Ok(())
}
