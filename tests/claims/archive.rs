//! What every archive promises, and what a directory promises on top.

use std::fs;

use bytes::Bytes;
use pipeline::archive::directory::{DirectoryArchive, write_whole};
use pipeline::archive::memory::MemoryArchive;
use pipeline::archive::rehearsal::Rehearsal;
use pipeline::archive::{Archive, ArchiveError, Environment, Expected, Key, Prefix, suite};
use pipeline::fleet;
use scaling::units::MinuteUtc;

use crate::block_on;

fn key() -> Key {
    Key::fit(&Environment::new("web").unwrap(), MinuteUtc::new(29_892_960).unwrap())
}

#[test]
fn memory_keeps_every_promise() {
    block_on(suite::run(MemoryArchive::default));
}

#[test]
fn a_directory_keeps_every_promise() {
    let directory = tempfile::tempdir().unwrap();
    let counter = std::cell::Cell::new(0);
    block_on(suite::run(|| {
        counter.set(counter.get() + 1);
        DirectoryArchive::open(directory.path().join(counter.get().to_string())).unwrap()
    }));
}

#[test]
fn odd_names_never_leave_the_directory() {
    let outer = tempfile::tempdir().unwrap();
    let archive = DirectoryArchive::open(outer.path().join("inner")).unwrap();
    for name in ["..", "../..", "/", "a/../../b"] {
        let key = Key::fit(&Environment::new(name).unwrap(), MinuteUtc::new(0).unwrap());
        block_on(archive.put(&key, Bytes::from("x"), Expected::Absent)).unwrap();
    }
    let beside: Vec<_> =
        fs::read_dir(outer.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["inner"]);
}

#[test]
fn what_a_broken_off_writer_left_is_no_object() {
    let directory = tempfile::tempdir().unwrap();
    let archive = DirectoryArchive::open(directory.path().to_owned()).unwrap();
    block_on(archive.put(&key(), Bytes::from("whole"), Expected::Absent)).unwrap();
    let beside = directory.path().join(key().as_str()).with_file_name(".trellis-half");
    fs::write(beside, "ha").unwrap();
    let listed = block_on(archive.list(&Prefix::fits(&Environment::new("web").unwrap()))).unwrap();
    assert_eq!(listed, [key()]);
}

#[test]
fn threads_of_writers_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let write = |letter: u8| {
        let archive = DirectoryArchive::open(directory.path().to_owned()).unwrap();
        for _ in 0..20 {
            add(&archive, letter);
        }
    };
    std::thread::scope(|scope| {
        for letter in b"abcd" {
            scope.spawn(|| write(*letter));
        }
    });
    let archive = DirectoryArchive::open(directory.path().to_owned()).unwrap();
    assert_eq!(block_on(archive.get(&key())).unwrap().unwrap().body.len(), 80);
}

fn add(archive: &DirectoryArchive, letter: u8) {
    loop {
        let before = block_on(archive.get(&key())).unwrap();
        let mut text = before.as_ref().map_or(vec![], |object| object.body.to_vec());
        text.push(letter);
        let expected = Expected::as_read(before.as_ref().map(|object| &object.version));
        match block_on(archive.put(&key(), text.into(), expected)) {
            Err(ArchiveError::Changed { .. }) => {}
            done => return done.unwrap(),
        }
    }
}

#[test]
fn a_file_in_place_of_the_directory_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let refused = DirectoryArchive::open(file.path().to_owned()).unwrap_err();
    assert_eq!(refused.to_string(), format!("opening `{}`", file.path().display()));
}

#[test]
fn a_write_that_fails_leaves_what_was_there_and_nothing_beside() {
    let directory = tempfile::tempdir().unwrap();
    // A directory can't be replaced by a file: the last step fails.
    let taken = directory.path().join("taken");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("old"), "old").unwrap();
    assert!(write_whole(&taken, b"new").is_err());
    let beside: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(beside, ["taken"]);
    assert_eq!(fs::read_to_string(taken.join("old")).unwrap(), "old");
}

#[test]
fn names_that_are_no_line_of_text_are_refused() {
    for name in ["", "  ", "a\nb", "a\0b"] {
        assert!(Environment::new(name).is_err(), "{name:?}");
    }
}

#[test]
fn a_rehearsal_keeps_every_promise_and_changes_nothing_below() {
    block_on(suite::run(|| Rehearsal::over(Box::new(MemoryArchive::default()))));
    let below = MemoryArchive::default();
    block_on(below.put(&key(), Bytes::from("real"), Expected::Absent)).unwrap();
    let rehearsal = Rehearsal::over(&below);
    let read = block_on(rehearsal.get(&key())).unwrap().unwrap();
    assert_eq!(read.body, "real");
    block_on(rehearsal.put(&key(), Bytes::from("tried"), Expected::Version(&read.version))).unwrap();
    assert_eq!(block_on(rehearsal.get(&key())).unwrap().unwrap().body, "tried");
    assert_eq!((block_on(below.get(&key())).unwrap().unwrap().body, below.puts()), (Bytes::from("real"), 1));
}

#[test]
fn a_fleet_is_kept_for_the_later_stages_and_written_again_only_if_it_changed() {
    let archive = MemoryArchive::default();
    let fleet = ["web", "api"].map(|name| Environment::new(name).unwrap());
    assert_eq!(block_on(fleet::kept(&archive)).unwrap(), []);
    let mut puts = vec![];
    for environments in [&fleet[..], &fleet, &fleet[..1], &fleet[..1]] {
        block_on(fleet::keep(&archive, environments)).unwrap();
        assert_eq!(block_on(fleet::kept(&archive)).unwrap(), environments);
        puts.push(archive.puts());
    }
    assert_eq!(puts, [1, 1, 2, 2]);
}
