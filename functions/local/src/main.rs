//! The `trellis` command: what the Lambda functions do, on a directory. This file is wiring.

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
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whoever read our output has seen enough, as `head` does.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().filter_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.into_iter().any(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
}
