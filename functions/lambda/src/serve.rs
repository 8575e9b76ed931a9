//! The Lambda runtime: one event after the other.

use std::io::Write as _;

use jiff::Timestamp;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn, tracing};
use serde_json::Value;

use crate::failure::{Failure, Kind};

/// Answers events with `handle` until the environment is taken down. The clock is read here, and nowhere else.
pub async fn serve(handle: impl AsyncFn(Value, Timestamp) -> Result<Value, Failure>) -> Result<(), Failure> {
    tracing::init_default_subscriber();
    let handle = &handle;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| async move {
        #[expect(clippy::disallowed_methods, reason = "an entry point")]
        let clock = Timestamp::now();
        handle(event.payload, clock).await.map_err(diagnostic)
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
