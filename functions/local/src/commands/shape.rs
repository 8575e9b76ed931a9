//! `trellis shape`: a shape of traffic to a trace.

use std::io::Write as _;

use anyhow::Context as _;
use clap::Args;
use pipeline::sweep::{self, Replayed};
use pipeline::values::Stages;
use scaling::traffic::Traffic;
use serde::Serialize;

use super::{Ground, Output, replayed, staged};
use crate::options::{File, OfRecord, Place, Time};

/// Turn a shape of traffic into requests per minute, as CSV
///
/// Each stage goes in a straight line from the target of the one before (0 before the first) to its own; a
/// row holds the value at its minute's end. With --day or --crowd it is what an environment recorded, or that with a
/// crowd on top. The result goes into `trellis simulate --traffic`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples, a launch that brings 150000 requests a minute in 8 minutes, and thrice the traffic
of a day at noon:
  trellis shape 10:30000,8:150000,30:150000 > launch.csv
  trellis shape --environment web-prod --day 2026-11-05 --crowd 3:5:20@2026-11-05T12:00Z > crowd.csv"
)]
pub(crate) struct ShapeCommand {
    /// minutes:requests-per-minute, one after the other
    stages: Option<Stages>,
    #[command(flatten)]
    of_record: OfRecord,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    time: Time,
}

#[derive(Serialize)]
struct Point {
    minute_utc: String,
    requests_per_minute: f64,
}

pub(crate) async fn run(command: ShapeCommand, file: File, output: &mut Output) -> anyhow::Result<()> {
    let traffic = match &command.stages {
        Some(stages) => staged(stages)?,
        None => of_record(command, &file).await?,
    };
    // A minute that is not known has no row.
    let known = traffic.minutes().filter_map(|(minute, rate)| Some((minute, rate?)));
    let points = known.map(|(minute, rate)| Point {
        minute_utc: minute.start().to_string(),
        requests_per_minute: rate.get(),
    });
    if output.is_json() {
        return output.json(&points.collect::<Vec<_>>());
    }
    writeln!(output, "minute_utc,requests_per_minute")?;
    for Point { minute_utc, requests_per_minute } in points {
        writeln!(output, "{minute_utc},{requests_per_minute}")?;
    }
    Ok(())
}

async fn of_record(command: ShapeCommand, file: &File) -> anyhow::Result<Traffic> {
    let asked = replayed(None, &command.of_record)?;
    anyhow::ensure!(asked != Replayed::Recorded, "give stages, or --day or --crowd of an environment");
    let time = command.time.or(file.time());
    let ground = Ground::of(command.place.or(file.place()), false).await?;
    let window = ground.window(&time).await?;
    let traffic = sweep::traffic(&ground.archive, &ground.environment, window, &asked).await;
    traffic.context("making the traffic")
}
