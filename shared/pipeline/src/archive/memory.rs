//! The archive in a map, for tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use super::{Archive, ArchiveError, Expected, Key, Object, Prefix, Version};

/// Objects in memory. Every put makes a new version.
#[derive(Debug, Default)]
pub struct MemoryArchive(Mutex<Objects>);

#[derive(Debug, Default)]
struct Objects {
    by_key: BTreeMap<Key, Object>,
    puts: u64,
    gets: u64,
    lists: u64,
}

impl MemoryArchive {
    /// How often something was put.
    pub fn puts(&self) -> u64 {
        self.objects().puts
    }

    /// How often it was asked to get, put and list.
    pub fn counts(&self) -> (u64, u64, u64) {
        let objects = self.objects();
        (objects.gets, objects.puts, objects.lists)
    }

    fn objects(&self) -> MutexGuard<'_, Objects> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Archive for MemoryArchive {
    async fn get(&self, key: &Key) -> Result<Option<Object>, ArchiveError> {
        let mut objects = self.objects();
        objects.gets += 1;
        Ok(objects.by_key.get(key).cloned())
    }

    async fn put(&self, key: &Key, body: Bytes, expected: Expected<'_>) -> Result<(), ArchiveError> {
        let mut objects = self.objects();
        let found = objects.by_key.get(key).map(|object| &object.version);
        if !expected.is_met_by(found) {
            return Err(ArchiveError::Changed { key: key.clone() });
        }
        objects.puts += 1;
        let version = Version(objects.puts.to_string());
        objects.by_key.insert(key.clone(), Object { body, version });
        Ok(())
    }

    async fn list(&self, prefix: &Prefix) -> Result<Vec<Key>, ArchiveError> {
        let mut objects = self.objects();
        objects.lists += 1;
        let listed = objects.by_key.keys().filter(|key| key.as_str().starts_with(prefix.as_str()));
        Ok(listed.cloned().collect())
    }
}
