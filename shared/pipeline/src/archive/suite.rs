//! What every archive promises, as checks that run on any of them: the one in memory, the one in a directory,
//! and those that are yet to come. Each panics where a promise is broken, and needs an empty archive.

use bytes::Bytes;
use scaling::units::{MinuteUtc, Minutes};

use super::{Archive, ArchiveError, Environment, Expected, Key, Prefix};

/// All of them, each on an archive of its own.
pub async fn run<A: Archive>(empty: impl Fn() -> A) {
    what_was_never_put_is_absent(&empty()).await;
    a_put_replaces_what_was_there(&empty()).await;
    bodies_of_any_size_come_back_whole(&empty()).await;
    a_list_is_sorted_and_of_one_environment(&empty()).await;
    a_put_that_expects_something_else_changes_nothing(&empty()).await;
    odd_names_stay_apart(&empty()).await;
    writers_that_try_again_lose_nothing(&empty()).await;
}

fn environment(name: &str) -> Environment {
    Environment::new(name).expect("the suite's names are names")
}

fn minute(day: u32) -> MinuteUtc {
    MinuteUtc::new(29_892_960).expect("a minute of 2026") + Minutes(day * 1440)
}

async fn put(archive: &dyn Archive, key: &Key, body: &'static str) {
    archive.put(key, Bytes::from(body), Expected::Anything).await.expect("a put succeeds");
}

async fn body(archive: &dyn Archive, key: &Key) -> Option<Bytes> {
    archive.get(key).await.expect("a get succeeds").map(|object| object.body)
}

async fn what_was_never_put_is_absent(archive: &dyn Archive) {
    let web = environment("web");
    assert_eq!(body(archive, &Key::fit(&web, minute(0))).await, None);
    assert_eq!(archive.list(&Prefix::fits(&web)).await.expect("a list succeeds"), []);
}

async fn a_put_replaces_what_was_there(archive: &dyn Archive) {
    let key = Key::fit(&environment("web"), minute(0));
    put(archive, &key, "first, and longer").await;
    put(archive, &key, "second").await;
    assert_eq!(body(archive, &key).await.as_deref(), Some(&b"second"[..]));
}

async fn bodies_of_any_size_come_back_whole(archive: &dyn Archive) {
    let web = environment("web");
    for (day, size) in [(0, 0), (1, 1), (2, 1 << 20)] {
        let sent = Bytes::from(vec![7; size]);
        let key = Key::samples(&web, minute(day));
        archive.put(&key, sent.clone(), Expected::Absent).await.expect("a put succeeds");
        assert_eq!(body(archive, &key).await, Some(sent));
    }
}

async fn a_list_is_sorted_and_of_one_environment(archive: &dyn Archive) {
    let (web, other) = (environment("web"), environment("web-2"));
    for day in [2, 0, 1] {
        put(archive, &Key::samples(&web, minute(day)), "ours").await;
        put(archive, &Key::samples(&other, minute(day)), "theirs").await;
        put(archive, &Key::fit(&web, minute(day)), "another kind").await;
    }
    let expected: Vec<Key> = (0..3).map(|day| Key::samples(&web, minute(day))).collect();
    assert_eq!(archive.list(&Prefix::samples(&web)).await.expect("a list succeeds"), expected);
}

async fn a_put_that_expects_something_else_changes_nothing(archive: &dyn Archive) {
    let key = Key::fit(&environment("web"), minute(0));
    put(archive, &key, "first").await;
    let old = archive.get(&key).await.expect("a get succeeds").expect("it was put").version;
    put(archive, &key, "second").await;
    for expected in [Expected::Absent, Expected::Version(&old)] {
        let refused = archive.put(&key, Bytes::from("third"), expected).await;
        assert!(matches!(refused, Err(ArchiveError::Changed { .. })), "{expected:?}: {refused:?}");
    }
    assert_eq!(body(archive, &key).await.as_deref(), Some(&b"second"[..]));
    let absent = Key::fit(&environment("web"), minute(1));
    let refused = archive.put(&absent, Bytes::from("third"), Expected::Version(&old)).await;
    assert!(matches!(refused, Err(ArchiveError::Changed { .. })), "{refused:?}");
    let now = archive.get(&key).await.expect("a get succeeds").expect("it was put").version;
    archive.put(&key, Bytes::from("third"), Expected::Version(&now)).await.expect("the version is current");
    assert_eq!(body(archive, &key).await.as_deref(), Some(&b"third"[..]));
}

async fn odd_names_stay_apart(archive: &dyn Archive) {
    let names = ["..", ".", "a/b", "a%2Fb", "a=b", "a b", "étude", "a?b#c", "%", "A", "a\\b"];
    for name in names {
        let key = Key::fit(&environment(name), minute(0));
        archive.put(&key, Bytes::from(name), Expected::Absent).await.expect("no two names share a key");
    }
    for name in names {
        let environment = environment(name);
        let key = Key::fit(&environment, minute(0));
        assert_eq!(body(archive, &key).await.as_deref(), Some(name.as_bytes()));
        assert_eq!(archive.list(&Prefix::fits(&environment)).await.expect("a list succeeds"), [key]);
    }
}

/// Each adds a letter to what it has read, and reads again when another one was faster.
async fn writers_that_try_again_lose_nothing(archive: &dyn Archive) {
    let key = &Key::fit(&environment("web"), minute(0));
    let add = |letter: &'static str| async move {
        loop {
            let before = archive.get(key).await.expect("a get succeeds");
            // Lets the others read the same version.
            tokio::task::yield_now().await;
            let text = before.as_ref().map_or(vec![], |object| object.body.to_vec());
            let longer = Bytes::from([&text[..], letter.as_bytes()].concat());
            let expected = Expected::as_read(before.as_ref().map(|object| &object.version));
            match archive.put(key, longer, expected).await {
                Err(ArchiveError::Changed { .. }) => {}
                done => return done.expect("a put succeeds"),
            }
        }
    };
    tokio::join!(add("a"), add("b"), add("c"), add("d"), add("e"));
    let mut letters = body(archive, key).await.expect("it was put").to_vec();
    letters.sort_unstable();
    assert_eq!(letters, b"abcde");
}
