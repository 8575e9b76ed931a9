//! The archive in a directory, for one person on one machine. It blocks while it reads and writes.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{Archive, ArchiveError, Expected, Key, Object, Prefix, Version};
use crate::hex::hex;

/// Objects as files under one directory, which is made with the first of them.
#[derive(Debug, Clone)]
pub struct DirectoryArchive {
    root: PathBuf,
}

/// Writers take turns by locking it.
const LOCK: &str = ".trellis-lock";

impl DirectoryArchive {
    /// Refuses a path that is something else than a directory.
    pub fn open(root: PathBuf) -> Result<Self, ArchiveError> {
        match fs::metadata(&root) {
            Ok(metadata) if !metadata.is_dir() => {
                Err(failed("opening", &root)(io::Error::from(io::ErrorKind::NotADirectory)))
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("opening", &root)(error)),
            _ => Ok(Self { root }),
        }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.as_str())
    }

    fn read(&self, key: &Key) -> Result<Option<Bytes>, ArchiveError> {
        let path = self.path(key);
        match fs::read(&path) {
            Ok(body) => Ok(Some(body.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("reading", &path)(error)),
        }
    }

    /// Held until the file is dropped.
    fn lock(&self) -> Result<File, ArchiveError> {
        fs::create_dir_all(&self.root).map_err(failed("making", &self.root))?;
        let path = self.root.join(LOCK);
        let file = File::create(&path).map_err(failed("writing", &path))?;
        file.lock().map_err(failed("locking", &path))?;
        Ok(file)
    }

    fn collect(&self, directory: &Path, keys: &mut Vec<Key>) -> Result<(), ArchiveError> {
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries.map_err(failed("listing", directory))?,
        };
        for entry in entries {
            let path = entry.map_err(failed("listing", directory))?.path();
            if path.is_dir() {
                self.collect(&path, keys)?;
            } else if let Some(key) = self.key(&path) {
                keys.push(key);
            }
        }
        Ok(())
    }

    /// `None` for what is no object: a lock, or what a writer that broke off has left.
    fn key(&self, path: &Path) -> Option<Key> {
        let hidden = path.file_name()?.to_str()?.starts_with('.');
        let relative = path.strip_prefix(&self.root).ok()?;
        let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
        if hidden { None } else { Some(Key::listed(parts?.join("/"))) }
    }
}

#[async_trait]
impl Archive for DirectoryArchive {
    async fn get(&self, key: &Key) -> Result<Option<Object>, ArchiveError> {
        let object = |body: Bytes| Object { version: version(&body), body };
        Ok(self.read(key)?.map(object))
    }

    async fn put(&self, key: &Key, body: Bytes, expected: Expected<'_>) -> Result<(), ArchiveError> {
        let _turn = self.lock()?;
        let found = self.read(key)?.map(|body| version(&body));
        if !expected.is_met_by(found.as_ref()) {
            return Err(ArchiveError::Changed { key: key.clone() });
        }
        let path = self.path(key);
        write_whole(&path, &body).map_err(failed("writing", &path))
    }

    async fn list(&self, prefix: &Prefix) -> Result<Vec<Key>, ArchiveError> {
        let mut keys = Vec::new();
        self.collect(&self.root.join(prefix.as_str()), &mut keys)?;
        keys.sort();
        Ok(keys)
    }
}

fn version(body: &[u8]) -> Version {
    Version(hex(&Sha256::digest(body)))
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ArchiveError {
    let place = path.display().to_string();
    move |error| ArchiveError::Store { action, place, source: error.into() }
}

/// Writes a file as a whole: under another name beside it first, so that nobody ever sees half of it and a
/// failure leaves what was there.
pub fn write_whole(path: &Path, body: &[u8]) -> io::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory)?;
    let mut file = tempfile::Builder::new().prefix(".trellis-").tempfile_in(directory)?;
    file.write_all(body)?;
    file.as_file().sync_all()?;
    make_readable(file.as_file())?;
    file.persist(path).map(|_| ()).map_err(|error| error.error)
}

/// A temporary file is its owner's alone; what it becomes is for others to read.
#[cfg(unix)]
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_: &File) -> io::Result<()> {
    Ok(())
}
