//! Where the stages leave what they found for each other: a bucket in the cloud, a directory on a laptop, a
//! map in a test.

pub mod directory;
mod key;
pub mod memory;
pub mod rehearsal;
pub mod suite;

use async_trait::async_trait;
use bytes::Bytes;

pub use key::{Environment, EnvironmentError, Key, Prefix};

/// A store of whole objects. No reader ever sees half of one.
#[async_trait]
pub trait Archive: Send + Sync {
    /// The object under `key`, if there is one.
    async fn get(&self, key: &Key) -> Result<Option<Object>, ArchiveError>;

    /// Puts `body` under `key`, if what is there is as `expected`; else [`ArchiveError::Changed`].
    async fn put(&self, key: &Key, body: Bytes, expected: Expected<'_>) -> Result<(), ArchiveError>;

    /// Every key that begins with `prefix`, in the order of their text.
    async fn list(&self, prefix: &Prefix) -> Result<Vec<Key>, ArchiveError>;
}

/// An object, and which version of it this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// All of it.
    pub body: Bytes,
    /// What to expect when it is to be replaced.
    pub version: Version,
}

/// What distinguishes the content of an object from another one's: an S3 ETag, or a digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// What must be there for a new object to take its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected<'a> {
    /// Whatever is there.
    Anything,
    /// Nothing (S3's `If-None-Match: *`).
    Absent,
    /// This version (S3's `If-Match`).
    Version(&'a Version),
}

impl<'a> Expected<'a> {
    /// What was there when it was read.
    pub fn as_read(version: Option<&'a Version>) -> Self {
        version.map_or(Self::Absent, Self::Version)
    }

    /// Whether `found` is as expected.
    pub fn is_met_by(self, found: Option<&Version>) -> bool {
        match self {
            Self::Anything => true,
            Self::Absent => found.is_none(),
            Self::Version(version) => found == Some(version),
        }
    }
}

/// Why an object could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Another writer was faster; what it wrote is still there.
    #[error("`{key}` was changed by someone else in the meantime")]
    Changed {
        /// The object.
        key: Key,
    },
    /// The store said no.
    #[error("{action} `{place}`")]
    Store {
        /// What was to be done.
        action: &'static str,
        /// With what: a path or an address.
        place: String,
        /// What the store said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
