//! The Lambda runtime: one event after the other.

use std::io::Write as _;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn, tracing};
use serde_json::Value;

use crate::failure::{Failure, Kind};

/// Says how long there is until an event has to be answered.
pub type Left<'a> = &'a (dyn Fn() -> Duration + Sync);

/// Answers events with `handle` until the environment is taken down. The clock is read here, and nowhere else.
pub async fn serve(
    handle: impl AsyncFn(Value, Timestamp, Left<'_>) -> Result<Value, Failure>,
) -> Result<(), Failure> {
    tracing::init_default_subscriber();
    let handle = &handle;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        #[expect(clippy::disallowed_methods, reason = "an entry point")]
        let clock = Timestamp::now();
        let deadline = event.context.deadline();
        #[expect(clippy::disallowed_methods, reason = "an entry point")]
        let left = || deadline.duration_since(SystemTime::now()).unwrap_or_default();
        handle(event.payload, clock, &left).await.map_err(diagnostic)
    }))
    .await
    .map_err(|error| Failure { kind: Kind::Failed, message: error.to_string() })
}

fn diagnostic(failure: Failure) -> Diagnostic {
    tracing::error!(error_type = failure.kind.name(), "{failure}");
    Diagnostic { error_type: failure.kind.name().to_owned(), error_message: failure.message }
}

/// A line of log for CloudWatch's metrics.
pub fn emit(line: &str) {
    // Whoever reads standard output may be gone; that is no reason to fail.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
