//! Calls of services that did not succeed, told apart by what helps.

use std::error::Error;
use std::fmt;

/// What is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The caller may not do it.
    Denied,
    /// Nobody knows who the caller is.
    NoCredentials,
    /// Too many calls at once. It passes.
    Throttled,
    /// No answer, or half of one. It passes.
    Unavailable,
    /// The service does not do that.
    Refused,
}

/// A call that did not succeed.
#[derive(Debug)]
pub struct ServiceError {
    /// As a policy of AWS's names it, for instance `cloudwatch:GetMetricData`.
    pub action: &'static str,
    /// What is in the way.
    pub trouble: Trouble,
    /// What the service said.
    pub said: String,
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, trouble, said } = self;
        match trouble {
            Trouble::Denied => {
                write!(f, "`{action}` is not allowed: grant it to the role or user that calls")
            }
            Trouble::NoCredentials => {
                write!(f, "`{action}` needs credentials: log in, or name a profile that has some")
            }
            Trouble::Throttled => write!(f, "`{action}` was throttled each time: try again later"),
            Trouble::Unavailable => write!(f, "`{action}` got no complete answer: try again later"),
            Trouble::Refused => write!(f, "`{action}` was refused"),
        }?;
        write!(f, ": {said}")
    }
}

impl Error for ServiceError {}

/// What is in the way of the call that `error` began with, if it began with one.
pub fn trouble(error: &(dyn Error + 'static)) -> Option<Trouble> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(service) = error.downcast_ref::<ServiceError>() {
            return Some(service.trouble);
        }
        cause = error.source();
    }
    None
}
