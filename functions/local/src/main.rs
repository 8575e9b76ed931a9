//! The `trellis` command: what the Lambda functions do, on a directory. This file is wiring.

use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;

use clap::Parser as _;

mod cloud;
mod commands;
mod garden;
mod options;
mod progress;
mod terminal;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let command = commands::Trellis::parse();
    // Stages never ask for the time; this is where it is read.
    #[expect(clippy::disallowed_methods, reason = "an entry point")]
    let now = jiff::Timestamp::now();
    match commands::run(command, terminal::Terminal::of_output(), now).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even this can't be written, the exit code says it.
            let _said = writeln!(io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whoever read our output has seen enough, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let json = cause.downcast_ref().and_then(serde_json::Error::io_error_kind);
        json.or(cause.downcast_ref().map(io::Error::kind)) == Some(ErrorKind::BrokenPipe)
    })
}
