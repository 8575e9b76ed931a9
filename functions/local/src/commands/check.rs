//! `trellis check`: what there is to say about settings.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use pipeline::check::{self, Checked};
use scaling::judge::Severity;
use serde::Serialize;

use super::{Ground, Output};
use crate::options::{File, Place};

/// Judge scaling settings, without any metrics
///
/// Reads .ebextensions files and saved configurations (YAML or JSON, in any of the forms that people write), or
/// what `aws elasticbeanstalk describe-configuration-settings` printed; or, without a file, the settings of an
/// environment in the archive. Ends with status 1 if something can't work as meant.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trellis check .ebextensions/scaling.config
  trellis check --environment web-prod")]
pub(crate) struct Check {
    /// Files to judge
    #[arg(value_name = "FILE", conflicts_with = "environment")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize)]
struct Judged {
    place: String,
    simulated: bool,
    not_simulated: Option<String>,
    policy: Option<String>,
    findings: Vec<Found>,
}

#[derive(Serialize)]
struct Found {
    severity: String,
    text: String,
}

pub(crate) async fn run(command: Check, file: File, output: &mut Output) -> anyhow::Result<()> {
    let mut judged = Vec::new();
    for path in &command.files {
        let bytes = std::fs::read(path).with_context(|| format!("reading `{}`", path.display()))?;
        let name = path.display().to_string();
        judged.push(Judged::of(name.clone(), &check::file(&name, &bytes)?));
    }
    if command.files.is_empty() {
        let ground = Ground::of(command.place.or(file.place()), output.is_rehearsal()).await?;
        let checked = check::environment(&ground.archive, &ground.environment).await?;
        judged.push(Judged::of(ground.environment.to_string(), &checked));
    }
    if output.is_json() {
        output.json(&judged)?;
    } else {
        judged.iter().try_for_each(|judged| judged.print(output))?;
    }
    let errors =
        judged.iter().flat_map(|judged| &judged.findings).filter(|found| found.severity == "error").count();
    output.flush()?;
    if errors > 0 { bail!("{errors} of these settings can't work as meant") } else { Ok(()) }
}

impl Judged {
    fn of(place: String, checked: &Checked) -> Self {
        let plan = checked.settings.plan(None);
        let found = checked
            .findings
            .iter()
            .map(|finding| Found { severity: finding.severity().to_string(), text: finding.to_string() });
        Self {
            place,
            simulated: plan.is_ok(),
            not_simulated: plan.err().map(|reason| reason.to_string()),
            policy: checked.settings.policy().ok().map(|policy| policy.to_string()),
            findings: found.collect(),
        }
    }

    fn print(&self, output: &mut Output) -> anyhow::Result<()> {
        writeln!(output, "{}", self.place)?;
        if let Some(policy) = &self.policy {
            writeln!(output, "  {policy}")?;
        }
        if let Some(reason) = &self.not_simulated {
            writeln!(output, "  can't be replayed: {reason}")?;
        }
        for Found { severity, text } in &self.findings {
            writeln!(output, "  {severity:<8} {text}")?;
        }
        if self.findings.iter().all(|found| found.severity == Severity::Note.to_string()) {
            writeln!(output, "  nothing against these settings")?;
        }
        Ok(())
    }
}
