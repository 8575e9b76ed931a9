//! `trellis demo` and `trellis sample`: the shipped environment, which does not exist.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Parser as _};
use jiff::Timestamp;
use serde::Serialize;

use super::{Command, Output, Trellis};
use crate::garden;
use crate::options::File;

/// Run the whole chain on an invented environment
///
/// Writes the shipped sample (two weeks of one-minute metrics, all of it invented) to a directory and does
/// with it what `trellis run` does with yours.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where to put the sample and what comes of it
    #[arg(long, value_name = "DIR", default_value = "trellis-demo")]
    directory: PathBuf,
}

/// Print the shipped sample, as CSV
///
/// Two weeks of one-minute metrics of an environment that does not exist; a pattern for your own export.
#[derive(Debug, Args)]
pub(crate) struct Sample {}

pub(crate) async fn run(command: Demo, output: &mut Output, now: Timestamp) -> anyhow::Result<()> {
    let directory = command.directory;
    fs::create_dir_all(&directory).with_context(|| format!("making `{}`", directory.display()))?;
    let file = |name: String, text: &str| {
        let path = directory.join(name);
        fs::write(&path, text).with_context(|| format!("writing `{}`", path.display())).map(|()| path)
    };
    let metrics = file(format!("{}.csv", garden::ENVIRONMENT), garden::METRICS)?;
    let settings = file(format!("{}.settings.json", garden::ENVIRONMENT), garden::SETTINGS)?;
    let (archive, message) = (directory.join("archive"), directory.join("message.txt"));
    let arguments = [
        ("--environment", garden::ENVIRONMENT.into()),
        ("--metrics", metrics),
        ("--settings", settings),
        ("--archive", archive),
        ("--message", message),
    ];
    if !output.is_json() {
        writeln!(
            output,
            "The metrics of {} are invented: no such environment exists. This runs\n",
            garden::ENVIRONMENT
        )?;
        let shown: Vec<String> =
            arguments.iter().map(|(flag, value)| format!("{flag} {}", value.display())).collect();
        writeln!(output, "  trellis run {}\n", shown.join(" \\\n    "))?;
    }
    let words = arguments
        .into_iter()
        .flat_map(|(flag, value): (&str, PathBuf)| [flag.into(), value.into_os_string()]);
    let words = ["trellis".into(), "run".into()].into_iter().chain(words);
    match Trellis::try_parse_from(words)?.command {
        Command::Run(command) => super::run::run(*command, File::default(), output, now).await,
        _ => unreachable!("the words above begin with `run`"),
    }
}

#[derive(Serialize)]
struct SampleDocument {
    environment: &'static str,
    metrics_csv: String,
    settings_json: &'static str,
}

pub(crate) fn sample(output: &mut Output) -> anyhow::Result<()> {
    if output.is_json() {
        let (environment, settings_json) = (garden::ENVIRONMENT, garden::SETTINGS);
        return output.json(&SampleDocument { environment, metrics_csv: garden::csv(), settings_json });
    }
    Ok(output.write_all(garden::csv().as_bytes())?)
}
