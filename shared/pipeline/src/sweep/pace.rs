//! How far a sweep is: who is told, and whether it can end in the time that it has.

use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use crate::advice::thousands;

/// How far a sweep is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is at. There are several things to do, one after the other.
    pub doing: &'static str,
    /// Settings that are done with.
    pub done: usize,
    /// Of how many.
    pub of: usize,
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { doing, done, of } = *self;
        write!(f, "{doing}: {} of {} settings", thousands(done), thousands(of))
    }
}

/// Who is told how far a sweep is, and how long it may take.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Told whenever some settings are done with.
    pub progress: &'a (dyn Fn(Progress) + Sync),
    /// Says how much time is left; `None` where a sweep may take as long as it takes.
    pub left: Option<&'a (dyn Fn() -> Duration + Sync)>,
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("is_timed", &self.left.is_some()).finish_non_exhaustive()
    }
}

impl Watch<'_> {
    /// Nobody is told, and there is time.
    pub const NONE: Self = Self { progress: &|_| (), left: None };
}

/// Lets something through now and then, for lines that nobody wants many of.
///
/// ```
/// use std::time::Duration;
/// use pipeline::sweep::Seldom;
///
/// let seldom = Seldom::default();
/// let is_due = [5, 29, 31, 45, 62, 500, 501].map(|seconds| seldom.is_due(Duration::from_secs(seconds)));
/// assert_eq!(is_due, [false, false, true, false, true, true, false]);
/// ```
#[derive(Debug)]
pub struct Seldom {
    next: Mutex<Duration>,
}

impl Seldom {
    const EVERY: Duration = Duration::from_secs(30);

    /// Whether it is time for another, so long after the beginning; the first is not due before 30 seconds, nor any other
    /// before 30 seconds after that.
    pub fn is_due(&self, elapsed: Duration) -> bool {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = *next <= elapsed;
        if is_due {
            *next = elapsed + Self::EVERY;
        }
        is_due
    }
}

impl Default for Seldom {
    fn default() -> Self {
        Self { next: Mutex::new(Self::EVERY) }
    }
}

/// There is not enough time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong {
    /// How many settings there are.
    pub settings: usize,
    /// What they take from now on, as far as can be seen.
    pub needed: Duration,
    /// What there is.
    pub left: Duration,
}

impl Error for TooLong {}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (settings, needed, left) = (thousands(self.settings), span(self.needed), span(self.left));
        write!(
            f,
            "{settings} settings take about {needed} more, and {left} are left: give fewer values to try (`candidates`)"
        )
    }
}

fn span(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} seconds"),
        seconds => format!("{} minutes", thousands((seconds as usize).div_ceil(60))),
    }
}

/// Keeps the time of a sweep.
pub(super) struct Pace<'a> {
    watch: Watch<'a>,
    too_long: OnceLock<TooLong>,
    stop: AtomicBool,
}

impl<'a> Pace<'a> {
    pub(super) fn new(watch: Watch<'a>) -> Self {
        Self { watch, too_long: OnceLock::new(), stop: AtomicBool::new(false) }
    }

    /// Set once there is not enough time, so that nobody goes on.
    pub(super) fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// Refuses what was stopped: what came of it is not all of it.
    pub(super) fn check(&self) -> Result<(), TooLong> {
        self.too_long.get().map_or(Ok(()), |too_long| Err(*too_long))
    }

    /// Begins to go through `settings`.
    pub(super) fn pass(&self, doing: &'static str, settings: usize) -> Pass<'_> {
        Pass { pace: self, began: self.left(), doing, done: AtomicUsize::new(0), settings }
    }

    /// What is left, where there is an end.
    pub(super) fn left(&self) -> Option<Duration> {
        self.watch.left.map(|left| left())
    }

    /// Stops where it is too long.
    pub(super) fn stop_if(&self, too_long: TooLong) {
        // For what comes after: to write the advice, and to answer.
        const RESERVE: Duration = Duration::from_secs(5);
        if too_long.left < too_long.needed + RESERVE {
            self.too_long.get_or_init(|| too_long);
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

/// All settings, once.
pub(super) struct Pass<'a> {
    pace: &'a Pace<'a>,
    began: Option<Duration>,
    doing: &'static str,
    done: AtomicUsize,
    settings: usize,
}

impl Pass<'_> {
    /// Says that some more of them are done with.
    pub(super) fn did(&self, more: usize) {
        let (doing, of) = (self.doing, self.settings);
        let done = self.done.fetch_add(more, Ordering::Relaxed) + more;
        if self.pace.check().is_err() {
            return;
        }
        (self.pace.watch.progress)(Progress { doing, done, of });
        let Some((began, left)) = self.began.zip(self.pace.left()) else { return };
        let took = began.saturating_sub(left);
        let needed = took.mul_f64(of.saturating_sub(done) as f64 / done.max(1) as f64);
        // The first moments say too little, and by the first tenth the rest may seem some times as long as it is.
        if Duration::from_secs(2) <= took && (of <= 10 * done || 3 * left < needed) {
            self.pace.stop_if(TooLong { settings: of, needed, left });
        }
    }
}
