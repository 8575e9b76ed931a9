//! What a failed call of the SDK means, and times in the SDK's form.

use std::error::Error;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::DateTime;
use jiff::Timestamp;
use pipeline::service::{ServiceError, Trouble};
use scaling::units::MinuteUtc;

const DENIED: [&str; 6] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "InsufficientPrivilegesException",
    "UnauthorizedOperation",
    "KMSAccessDenied",
];

const THROTTLED: [&str; 8] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "LimitExceededException",
    "SlowDown",
    "KMSThrottling",
];

/// Says what is in the way of `action`, which is named as AWS's policies name it.
pub(crate) fn failed<E>(action: &'static str) -> impl Fn(SdkError<E, HttpResponse>) -> ServiceError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    move |error| {
        let said = said(&error);
        ServiceError { action, trouble: trouble(&error, &said), said }
    }
}

fn trouble<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>, said: &str) -> Trouble {
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    match error {
        _ if DENIED.contains(&code) => Trouble::Denied,
        _ if THROTTLED.contains(&code) || status == 429 => Trouble::Throttled,
        SdkError::ServiceError(_) if status >= 500 => Trouble::Unavailable,
        SdkError::ServiceError(_) if status == 403 && code.is_empty() => Trouble::Denied,
        SdkError::ServiceError(_) => Trouble::Refused,
        // The SDK has no type for it that all its sources of credentials share.
        SdkError::DispatchFailure(_) if said.contains("credential") => Trouble::NoCredentials,
        SdkError::ConstructionFailure(_) => Trouble::Refused,
        _ => Trouble::Unavailable,
    }
}

/// In the service's own words where there are some, else the causes, in one line.
fn said<E: ProvideErrorMetadata + Error + Send + Sync + 'static>(
    error: &SdkError<E, HttpResponse>,
) -> String {
    let service = error.as_service_error();
    match service.and_then(|error| Some((error.code()?, error.message().unwrap_or_default()))) {
        Some((code, message)) => format!("{code} {message}").trim_end().to_owned(),
        None => causes(error),
    }
}

/// The first line of each cause that says something new.
fn causes(error: &(dyn Error + 'static)) -> String {
    let mut said: Vec<String> = vec![];
    let mut cause = error.source();
    while let Some(error) = cause {
        let line =
            error.to_string().lines().next().unwrap_or_default().trim_end_matches(". Attempted:").to_owned();
        if !said.iter().any(|before| before.contains(&line)) {
            said.push(line);
        }
        cause = error.source();
    }
    said.join(": ")
}

/// A time as the SDK has it.
pub(crate) fn to_sdk(instant: Timestamp) -> DateTime {
    DateTime::from_millis(instant.as_millisecond())
}

/// A time of the SDK's, if it lies in any calendar.
pub(crate) fn instant(time: Option<&DateTime>) -> Option<Timestamp> {
    Timestamp::from_millisecond(time?.to_millis().ok()?).ok()
}

/// The minute in which it lies.
pub(crate) fn minute(time: &DateTime) -> Option<MinuteUtc> {
    MinuteUtc::containing(instant(Some(time))?).ok()
}
