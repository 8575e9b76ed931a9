//! `trellis completions` and `trellis man`: what goes with an installed command.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man as Page;
use serde::Serialize;

use super::{Output, Trellis};

/// Print a script that completes commands and options in a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trellis completions bash > ~/.local/share/bash-completion/completions/trellis
  trellis completions zsh > ~/.zfunc/_trellis
  trellis completions fish > ~/.config/fish/completions/trellis.fish")]
pub(crate) struct Completions {
    /// Which shell
    shell: Shell,
}

/// Print the man page, or write one for each command
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trellis man | man -l -
  trellis man --directory ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Write trellis.1, trellis-run.1 and so on there
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
}

#[derive(Serialize)]
struct Script {
    shell: String,
    script: String,
}

#[derive(Serialize)]
struct Written {
    name: String,
    text: String,
}

pub(crate) fn completions(command: &Completions, output: &mut Output) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Trellis::command(), "trellis", &mut script);
    let script = String::from_utf8(script)?;
    if output.is_json() {
        return output.json(&Script { shell: command.shell.to_string(), script });
    }
    Ok(output.write_all(script.as_bytes())?)
}

pub(crate) fn man(command: &Man, output: &mut Output) -> anyhow::Result<()> {
    let pages = pages()?;
    if let Some(directory) = &command.directory {
        std::fs::create_dir_all(directory).with_context(|| format!("making `{}`", directory.display()))?;
        for Written { name, text } in &pages {
            let path = directory.join(name);
            std::fs::write(&path, text).with_context(|| format!("writing `{}`", path.display()))?;
        }
    }
    match (output.is_json(), &command.directory) {
        (true, _) => output.json(&pages),
        (false, Some(directory)) => Ok(writeln!(output, "{} pages in {}", pages.len(), directory.display())?),
        (false, None) => Ok(output.write_all(pages[0].text.as_bytes())?),
    }
}

/// That of the command itself first.
fn pages() -> anyhow::Result<Vec<Written>> {
    let mut command = Trellis::command();
    // Names the subcommands after the command: `trellis-run`.
    command.build();
    let subcommands = command.get_subcommands().filter(|subcommand| subcommand.get_name() != "help");
    std::iter::once(&command).chain(subcommands).map(page).collect()
}

fn page(command: &clap::Command) -> anyhow::Result<Written> {
    let name = format!("{}.1", command.get_display_name().unwrap_or_else(|| command.get_name()));
    let mut text = Vec::new();
    Page::new(command.clone()).render(&mut text)?;
    Ok(Written { name, text: String::from_utf8(text)? })
}
