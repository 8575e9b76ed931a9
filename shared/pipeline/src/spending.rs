//! What a run costs on AWS, from what it asked for: an estimate by list prices, before free tiers.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;

use crate::archive::{Archive, ArchiveError, Expected, Key, Object, Prefix};

/// What was asked of AWS. Prices are those of eu-central-1 on demand.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Metrics that CloudWatch was asked for.
    pub metrics: u64,
    /// Objects read.
    pub reads: u64,
    /// Objects written, and lists.
    pub writes: u64,
    /// A function's memory times its seconds.
    pub gigabyte_seconds: f64,
    /// Starts of functions.
    pub invocations: u64,
    /// Steps of a standard state machine.
    pub transitions: u64,
}

impl Spent {
    /// USD.
    ///
    /// ```
    /// use pipeline::spending::Spent;
    ///
    /// let spent = Spent { metrics: 1_000, reads: 10_000, writes: 1_000, ..Spent::default() };
    /// assert!((spent.usd() - (0.01 + 0.0043 + 0.0054)).abs() < 1e-12);
    /// ```
    pub fn usd(&self) -> f64 {
        self.metrics as f64 * 0.01 / 1e3
            + self.reads as f64 * 0.00043 / 1e3
            + self.writes as f64 * 0.0054 / 1e3
            + self.gigabyte_seconds * 0.000_016_666_7
            + self.invocations as f64 * 0.2 / 1e6
            + self.transitions as f64 * 0.025 / 1e3
    }

    /// What was spent since `before`.
    pub fn since(&self, before: &Self) -> Self {
        Self {
            metrics: self.metrics - before.metrics,
            reads: self.reads - before.reads,
            writes: self.writes - before.writes,
            gigabyte_seconds: self.gigabyte_seconds - before.gigabyte_seconds,
            invocations: self.invocations - before.invocations,
            transitions: self.transitions - before.transitions,
        }
    }
}

/// An archive that counts what is asked of it.
pub struct Counted<P> {
    under: P,
    reads: AtomicU64,
    writes: AtomicU64,
}

impl<P: Deref<Target: Archive> + Send + Sync> Counted<P> {
    /// Over what `under` points to.
    pub fn over(under: P) -> Self {
        Self { under, reads: AtomicU64::new(0), writes: AtomicU64::new(0) }
    }

    /// What was asked so far.
    pub fn spent(&self) -> Spent {
        let (reads, writes) = (self.reads.load(Ordering::Relaxed), self.writes.load(Ordering::Relaxed));
        Spent { reads, writes, ..Spent::default() }
    }
}

#[async_trait]
impl<P: Deref<Target: Archive> + Send + Sync> Archive for Counted<P> {
    async fn get(&self, key: &Key) -> Result<Option<Object>, ArchiveError> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.under.get(key).await
    }

    async fn put(&self, key: &Key, body: Bytes, expected: Expected<'_>) -> Result<(), ArchiveError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.under.put(key, body, expected).await
    }

    async fn list(&self, prefix: &Prefix) -> Result<Vec<Key>, ArchiveError> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.under.list(prefix).await
    }
}
