//! `trellis shape`: a shape of traffic to a trace, or to a file for a load tester.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{ArgGroup, Args};
use pipeline::archive::directory::write_whole;
use pipeline::load_test::{LoadTest, Pace, SIGNATURE, Times};
use pipeline::sweep::{self, Replayed};
use pipeline::values::Stages;
use scaling::traffic::Traffic;
use serde::Serialize;

use super::{Ground, Output, replayed, staged};
use crate::options::{File, OfRecord, Place, Time};

/// Turn a shape of traffic into requests per minute, or into a load test
///
/// Each stage goes in a straight line from the target of the one before (0 before the first) to its own; a
/// row holds the value at its minute's end. With --day or --crowd it is what an environment recorded, or that with a
/// crowd on top; with --from, the recorded time up to --until. The result is CSV, which goes into `trellis simulate
/// --traffic`.
///
/// With --locust or --k6 it is a file for those load testers, complete with users that ask for `/`: stages as the lines
/// that they are, and each recorded minute with as many requests as it had.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples, a launch that brings 150000 requests a minute in 8 minutes; thrice the traffic
of a day at noon; and the busiest day in an hour, at a tenth of its requests:
  trellis shape 10:30000,8:150000,30:150000 > launch.csv
  trellis shape --environment web-prod --day 2026-11-05 --crowd 3:5:20@2026-11-05T12:00Z > crowd.csv
  trellis shape --environment web-prod --day busiest --locust busiest.py --speed 24 --scale 0.1
  locust --locustfile busiest.py --host https://test.example.com --headless"
)]
pub(crate) struct ShapeCommand {
    /// minutes:requests-per-minute, one after the other
    stages: Option<Stages>,
    #[command(flatten)]
    of_record: OfRecord,
    #[command(flatten)]
    load_test: LoadTestOptions,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    time: Time,
}

const FOR_LOAD_TESTERS: &str = "For load testers";

/// Files for load testers.
#[derive(Debug, Clone, Default, Args)]
#[command(group = ArgGroup::new("tester").args(["locust", "k6"]).multiple(true))]
struct LoadTestOptions {
    /// Write it as a LoadTestShape for Locust, with users of even pace; - is standard output
    #[arg(long, help_heading = FOR_LOAD_TESTERS, value_name = "FILE")]
    locust: Option<PathBuf>,
    /// Write it as a script for k6, with stages for its ramping-arrival-rate; - is standard output
    #[arg(long, help_heading = FOR_LOAD_TESTERS, value_name = "FILE")]
    k6: Option<PathBuf>,
    /// Play it so many times as fast: 24 plays a day in an hour, at the same rates [default: 1]
    #[arg(long, help_heading = FOR_LOAD_TESTERS, value_name = "TIMES", requires = "tester")]
    speed: Option<Times>,
    /// Times the requests: 0.1 asks a test environment for a tenth [default: 1]
    #[arg(long, help_heading = FOR_LOAD_TESTERS, value_name = "TIMES", requires = "tester")]
    scale: Option<Times>,
}

impl LoadTestOptions {
    fn pace(&self) -> Pace {
        Pace { speed: self.speed.unwrap_or_default(), scale: self.scale.unwrap_or_default() }
    }
}

#[derive(Serialize)]
struct Point {
    minute_utc: String,
    requests_per_minute: f64,
}

pub(crate) async fn run(command: ShapeCommand, file: File, output: &mut Output) -> anyhow::Result<()> {
    let options = command.load_test.clone();
    let wanted = Wanted::of(command, &file).await?;
    if options.locust.is_none() && options.k6.is_none() {
        return trace(&wanted.traffic()?, output);
    }
    write(&wanted.load_test(options.pace())?, &options, output)
}

/// The shape that is asked for.
enum Wanted {
    Staged(Stages),
    OfRecord { name: String, traffic: Traffic },
}

impl Wanted {
    async fn of(command: ShapeCommand, file: &File) -> anyhow::Result<Self> {
        match command.stages {
            Some(stages) => Ok(Self::Staged(stages)),
            None => of_record(command, file).await,
        }
    }

    fn traffic(self) -> anyhow::Result<Traffic> {
        match self {
            Self::Staged(stages) => staged(&stages),
            Self::OfRecord { traffic, .. } => Ok(traffic),
        }
    }

    fn load_test(&self, pace: Pace) -> anyhow::Result<LoadTest> {
        let test = match self {
            Self::Staged(stages) => LoadTest::staged(&in_words(stages), &stages.0, pace),
            Self::OfRecord { name, traffic } => LoadTest::recorded(name, traffic, pace),
        };
        test.context("making the load test")
    }
}

/// As they are written in an option.
fn in_words(Stages(stages): &Stages) -> String {
    let stage = |stage: &scaling::traffic::Stage| format!("{}:{}", stage.duration.0, stage.target.get());
    format!("stages {}", stages.iter().map(stage).collect::<Vec<_>>().join(","))
}

async fn of_record(command: ShapeCommand, file: &File) -> anyhow::Result<Wanted> {
    let asked = replayed(None, &command.of_record)?;
    let of_when = asked != Replayed::Recorded || command.time.from.is_some();
    anyhow::ensure!(of_when, "give stages, or --day or --crowd of an environment, or its time with --from");
    let time = command.time.or(file.time());
    let ground = Ground::of(command.place.or(file.place()), false).await?;
    let window = ground.window(&time).await?;
    let shape = sweep::shape(&ground.archive, &ground.environment, window, &asked).await;
    let sweep::Shape { name, traffic, .. } = shape.context("making the traffic")?;
    let name = name.unwrap_or_else(|| format!("the recorded traffic, {}", traffic.window()));
    Ok(Wanted::OfRecord { name: format!("{}, {name}", ground.environment), traffic })
}

/// A minute that is not known has no row.
fn trace(traffic: &Traffic, output: &mut Output) -> anyhow::Result<()> {
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

#[derive(Serialize)]
struct Written {
    shape: String,
    seconds: f64,
    peak_requests_per_minute: f64,
    requests: f64,
    minutes_not_known: usize,
    files: Vec<String>,
}

fn write(test: &LoadTest, options: &LoadTestOptions, output: &mut Output) -> anyhow::Result<()> {
    let files = [
        options.locust.as_ref().map(|path| (path, test.locust())),
        options.k6.as_ref().map(|path| (path, test.k6())),
    ];
    let files: Vec<(&PathBuf, String)> = files.into_iter().flatten().collect();
    if let Some((_, text)) = files.iter().find(|(path, _)| is_standard_output(path)) {
        let alone = files.len() == 1 && !output.is_json();
        anyhow::ensure!(alone, "`-` takes all of standard output: name files for the rest");
        return Ok(output.write_all(text.as_bytes())?);
    }
    for (path, _) in &files {
        refuse_others_work(path)?;
    }
    if !output.is_rehearsal() {
        for (path, text) in &files {
            write_whole(path, text.as_bytes()).with_context(|| format!("writing `{}`", path.display()))?;
        }
    }
    say(test, options, output)
}

fn is_standard_output(path: &Path) -> bool {
    path == Path::new("-")
}

/// A file that was not written here may be somebody's work.
fn refuse_others_work(path: &Path) -> anyhow::Result<()> {
    let Ok(there) = std::fs::read(path) else { return Ok(()) };
    let ours = String::from_utf8_lossy(&there).lines().next().is_some_and(|line| line.contains(SIGNATURE));
    anyhow::ensure!(
        ours || there.is_empty(),
        "`{}` was not written by `trellis shape`: name another file, or remove it",
        path.display()
    );
    Ok(())
}

fn say(test: &LoadTest, options: &LoadTestOptions, output: &mut Output) -> anyhow::Result<()> {
    let files = options.locust.iter().chain(&options.k6).map(|path| path.display().to_string());
    let written = Written {
        shape: test.name().to_owned(),
        seconds: test.seconds(),
        peak_requests_per_minute: test.peak(),
        requests: test.requests(),
        minutes_not_known: test.filled(),
        files: files.collect(),
    };
    if output.is_json() {
        return output.json(&written);
    }
    let Written { shape, seconds, peak_requests_per_minute: peak, requests, .. } = written;
    let minutes = seconds / 60.0;
    writeln!(output, "{shape}:")?;
    writeln!(
        output,
        "  {minutes:.1} minutes, up to {peak:.0} requests per minute, {requests:.0} requests in all"
    )?;
    if test.filled() > 0 {
        writeln!(
            output,
            "  {} minutes that are not known lie on straight lines between those that are",
            test.filled()
        )?;
    }
    if output.is_rehearsal() {
        writeln!(output, "This was a rehearsal: nothing was written.")?;
        return Ok(());
    }
    writeln!(output, "To play it:")?;
    if let Some(path) = &options.locust {
        writeln!(output, "  locust --locustfile {} --host https://… --headless", path.display())?;
    }
    if let Some(path) = &options.k6 {
        writeln!(output, "  k6 run -e TARGET=https://… {}", path.display())?;
    }
    Ok(())
}
