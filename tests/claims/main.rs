//! How we know: one binary, a module for each theme.

#![expect(clippy::unwrap_used, reason = "a test that meets an error fails")]

mod agreement;
mod alarms;
mod archive;
mod backtests;
mod believed;
mod by_another_hand;
mod candidates;
mod costs_by_another_hand;
mod engine;
mod envelopes;
mod fetch;
mod fit;
mod formats;
mod intake;
mod judged;
mod learned;
#[path = "../made.rs"]
mod made;
mod merged;
mod nights;
mod pages;
mod parquet_readers;
mod patched;
mod policies;
mod real;
mod rules;
mod schedules;
mod shapes;
mod stages;
mod tables;
mod talk;
mod told;
mod told_by_another_hand;
mod trusted;
mod worked_examples;

use pipeline::documents::OptionDocument;

/// Runs a stage to its end.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// What a script beside the claims says, as JSON, of files that it is given.
fn read_by_python(
    script: &str,
    arguments: impl IntoIterator<Item = impl AsRef<std::ffi::OsStr>>,
) -> serde_json::Value {
    let package = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = std::process::Command::new(package.join("../.venv/bin/python"))
        .arg(package.join("claims").join(script))
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Text as it was before it was wrapped.
fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Columns that are stated, and rows that count.
fn intake_options(columns: &[(&str, &str)], conditions: &[&str]) -> pipeline::recorded::Options {
    let column = |(target, form): &(&str, &str)| (target.parse().unwrap(), form.parse().unwrap());
    pipeline::recorded::Options {
        columns: columns.iter().map(column).collect(),
        conditions: conditions.iter().map(|text| text.parse().unwrap()).collect(),
        ..pipeline::recorded::Options::default()
    }
}

/// An option of an environment.
fn option(namespace: &str, name: &str, value: &str) -> OptionDocument {
    let (namespace, option_name, value) = (namespace.into(), name.into(), value.into());
    OptionDocument { namespace, option_name, value, resource_name: None }
}
