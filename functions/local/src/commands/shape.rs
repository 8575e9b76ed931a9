//! `trellis shape`: stages to a trace.

use std::io::Write as _;

use clap::Args;
use pipeline::values::Stages;
use serde::Serialize;

use super::{Output, staged};

/// Turn stages into requests per minute, as CSV
///
/// Each stage goes in a straight line from the target of the one before (0 before the first) to its own; a
/// row holds the value at its minute's end. The result goes into `trellis simulate --traffic`.
#[derive(Debug, Args)]
#[command(after_help = "Example, a launch that brings 150000 requests a minute in 8 minutes:
  trellis shape 10:30000,8:150000,30:150000 > launch.csv")]
pub(crate) struct ShapeCommand {
    /// minutes:requests-per-minute, one after the other
    stages: Stages,
}

#[derive(Serialize)]
struct Point {
    minute_utc: String,
    requests_per_minute: f64,
}

pub(crate) fn run(command: &ShapeCommand, output: &mut Output) -> anyhow::Result<()> {
    let traffic = staged(&command.stages)?;
    let rates = traffic.requests_per_minute.iter().flatten();
    let minutes = (0..).map(|minute| (traffic.start + scaling::units::Minutes(minute)).start());
    let points = minutes
        .zip(rates)
        .map(|(minute, rate)| Point { minute_utc: minute.to_string(), requests_per_minute: rate.get() });
    if output.is_json() {
        return output.json(&points.collect::<Vec<_>>());
    }
    writeln!(output, "minute_utc,requests_per_minute")?;
    for Point { minute_utc, requests_per_minute } in points {
        writeln!(output, "{minute_utc},{requests_per_minute}")?;
    }
    Ok(())
}
