//! Errors by the names that a state machine retries on, or does not.

use std::error::Error;
use std::fmt;

use pipeline::archive::ArchiveError;
use pipeline::causes::with_causes;
use pipeline::fetch::FetchError;
use pipeline::service::{Trouble, trouble};
use pipeline::store::StoreError;
use scaling::units::MinuteUtc;

use crate::config::ConfigError;
use crate::event::EventError;

/// What kind of failure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Another try may succeed.
    Transient,
    /// An action of AWS's is not allowed.
    Denied,
    /// The event or the configuration is wrong.
    BadRequest,
    /// There is no environment of that name.
    NotFound,
    /// An object in the archive is not what its key says.
    Damaged,
    /// What is known is too old.
    Stale,
    /// Anything else.
    Failed,
}

impl Kind {
    /// As a state machine sees it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transient => "Trellis.Transient",
            Self::Denied => "Trellis.Denied",
            Self::BadRequest => "Trellis.BadRequest",
            Self::NotFound => "Trellis.NotFound",
            Self::Damaged => "Trellis.Damaged",
            Self::Stale => "Trellis.Stale",
            Self::Failed => "Trellis.Failed",
        }
    }
}

/// An invocation that failed.
pub struct Failure {
    /// What kind it is.
    pub kind: Kind,
    /// What went wrong, with all its causes.
    pub message: String,
}

/// What is known is too old to say anything about now.
#[derive(Debug, thiserror::Error)]
#[error(
    "the newest sample ends at {end}, over {hours} hours before {now}: the hourly ingest does not get through"
)]
pub struct Stale {
    /// The end of the newest sample.
    pub end: MinuteUtc,
    /// When this is.
    pub now: MinuteUtc,
    /// How old it may be.
    pub hours: u32,
}

impl Failure {
    /// The failure that `error` amounts to.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        Self { kind: kind(error), message: with_causes(error) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A runtime that can't start shows its error so.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.message)
    }
}

impl<E: Error + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::of(&error)
    }
}

fn kind(error: &(dyn Error + 'static)) -> Kind {
    match trouble(error) {
        Some(Trouble::Throttled | Trouble::Unavailable) => return Kind::Transient,
        Some(Trouble::Denied | Trouble::NoCredentials) => return Kind::Denied,
        Some(Trouble::Refused) | None => {}
    }
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(kind) = own_kind(error) {
            return kind;
        }
        cause = error.source();
    }
    Kind::Failed
}

fn own_kind(error: &(dyn Error + 'static)) -> Option<Kind> {
    if error.is::<EventError>() || error.is::<ConfigError>() {
        return Some(Kind::BadRequest);
    }
    if error.is::<Stale>() {
        return Some(Kind::Stale);
    }
    if let Some(FetchError::NoEnvironment(_)) = error.downcast_ref() {
        return Some(Kind::NotFound);
    }
    match error.downcast_ref()? {
        StoreError::Damaged { .. } | StoreError::OtherVersion { .. } => Some(Kind::Damaged),
        StoreError::Contended { .. } | StoreError::Archive(ArchiveError::Changed { .. }) => {
            Some(Kind::Transient)
        }
        _ => None,
    }
}
