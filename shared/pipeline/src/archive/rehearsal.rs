//! An archive to rehearse on: what is put stays in memory, over an archive that nothing is changed in.

use std::collections::BTreeSet;
use std::ops::Deref;

use async_trait::async_trait;
use bytes::Bytes;

use super::memory::MemoryArchive;
use super::{Archive, ArchiveError, Expected, Key, Object, Prefix};

/// Reads through to an archive that it points to, and keeps writes to itself.
pub struct Rehearsal<P> {
    under: P,
    put: MemoryArchive,
}

impl<P: Deref<Target: Archive> + Send + Sync> Rehearsal<P> {
    /// Over what `under` points to, which stays as it is.
    pub fn over(under: P) -> Self {
        Self { under, put: MemoryArchive::default() }
    }
}

#[async_trait]
impl<P: Deref<Target: Archive> + Send + Sync> Archive for Rehearsal<P> {
    async fn get(&self, key: &Key) -> Result<Option<Object>, ArchiveError> {
        match self.put.get(key).await? {
            Some(object) => Ok(Some(object)),
            None => self.under.get(key).await,
        }
    }

    async fn put(&self, key: &Key, body: Bytes, expected: Expected<'_>) -> Result<(), ArchiveError> {
        let found = self.get(key).await?.map(|object| object.version);
        if !expected.is_met_by(found.as_ref()) {
            return Err(ArchiveError::Changed { key: key.clone() });
        }
        // Not across an await: the version in memory can't change before this put, or it is refused.
        let above = self.put.get(key).await?.map(|object| object.version);
        self.put.put(key, body, Expected::as_read(above.as_ref())).await
    }

    async fn list(&self, prefix: &Prefix) -> Result<Vec<Key>, ArchiveError> {
        let (above, under) = (self.put.list(prefix).await?, self.under.list(prefix).await?);
        let keys: BTreeSet<Key> = above.into_iter().chain(under).collect();
        Ok(keys.into_iter().collect())
    }
}
