//! `trellis check`: what there is to say about settings.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use pipeline::check::{self, Checked, CheckedSet};
use pipeline::recorded::Source;
use scaling::judge::Severity;
use serde::Serialize;

use super::{Ground, Output, source};
use crate::options::{File, Place};

/// Judge scaling settings, without any metrics
///
/// Reads .ebextensions files and saved configurations (YAML or JSON, in any of the forms that people write), or
/// what `aws elasticbeanstalk describe-configuration-settings` printed; or, without a file, the settings of an
/// environment in the archive. Several `.config` files of one directory are judged as one, as Beanstalk takes them: in
/// the order of their names, the last one counts. Ends with status 1 if something can't work as meant.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trellis check .ebextensions/scaling.config
  trellis check .ebextensions/*.config
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
    /// Of all files, beside the last that were judged: those without an option.
    passed_over: Vec<String>,
}

#[derive(Serialize)]
struct Found {
    severity: String,
    text: String,
    /// Those of several that set what it tells of.
    files: Vec<String>,
}

pub(crate) async fn run(command: Check, file: File, output: &mut Output) -> anyhow::Result<()> {
    let judged = if command.files.is_empty() {
        let ground = Ground::of(command.place.or(file.place()), output.is_rehearsal()).await?;
        let checked = check::environment(&ground.archive, &ground.environment).await?;
        vec![Judged::of(ground.environment.to_string(), &checked)]
    } else {
        of_files(&command.files)?
    };
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

/// Files that Beanstalk takes as one, in the order in which it reads them: all `.config` files of a directory. Any other
/// file is by itself.
fn together(files: &[PathBuf]) -> Vec<Vec<PathBuf>> {
    let is_part = |path: &Path| path.extension().is_some_and(|extension| extension == "config");
    let mut sets: Vec<Vec<PathBuf>> = Vec::new();
    for path in files {
        let is_its = |set: &&mut Vec<PathBuf>| is_part(&set[0]) && set[0].parent() == path.parent();
        match sets.iter_mut().find(is_its).filter(|_| is_part(path)) {
            Some(set) => set.push(path.clone()),
            None => sets.push(vec![path.clone()]),
        }
    }
    sets.iter_mut().for_each(|set| set.sort());
    sets
}

fn of_files(paths: &[PathBuf]) -> anyhow::Result<Vec<Judged>> {
    if let [only] = paths {
        let Source { name, bytes } = source(only)?;
        let checked = check::file(&name, &bytes)?;
        return Ok(vec![Judged::of(name, &checked)]);
    }
    let mut judged = Vec::new();
    let mut passed_over = Vec::new();
    for paths in together(paths) {
        let set: Vec<Source> = paths.iter().map(|path| source(path)).collect::<anyhow::Result<_>>()?;
        let checked = check::set(&set)?;
        passed_over.extend(checked.passed_over.iter().cloned());
        judged.extend(Judged::of_set(&set, &checked));
    }
    let Some(last) = judged.last_mut() else {
        bail!("no option settings are in any of `{}`", passed_over.join("`, `"));
    };
    last.passed_over = passed_over;
    Ok(judged)
}

impl Judged {
    /// Nothing, where no file of the set says anything.
    fn of_set(files: &[Source], set: &CheckedSet) -> Option<Self> {
        let names = files.iter().map(|file| &file.name).filter(|name| !set.passed_over.contains(name));
        let place = names.cloned().collect::<Vec<_>>().join(", ");
        let mut judged = Self::of(place, &set.checked);
        for (found, files) in judged.findings.iter_mut().zip(&set.places) {
            found.files.clone_from(files);
        }
        (!judged.place.is_empty()).then_some(judged)
    }

    fn of(place: String, checked: &Checked) -> Self {
        let plan = checked.settings.plan(None);
        let found = checked.findings.iter().map(|finding| Found {
            severity: finding.severity().to_string(),
            text: finding.to_string(),
            files: vec![],
        });
        Self {
            place,
            simulated: plan.is_ok(),
            not_simulated: plan.err().map(|reason| reason.to_string()),
            policy: checked.settings.policy().ok().map(|policy| policy.to_string()),
            findings: found.collect(),
            passed_over: vec![],
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
        for Found { severity, text, files } in &self.findings {
            let where_set = if files.is_empty() { String::new() } else { format!(" ({})", files.join(", ")) };
            writeln!(output, "  {severity:<8} {text}{where_set}")?;
        }
        if self.findings.iter().all(|found| found.severity == Severity::Note.to_string()) {
            writeln!(output, "  nothing against these settings")?;
        }
        for name in &self.passed_over {
            writeln!(output, "  passed over: {name} has no option settings")?;
        }
        Ok(())
    }
}
