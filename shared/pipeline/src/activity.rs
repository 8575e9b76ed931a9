//! Scaling activities: when instances were really launched and ended, and why.

use jiff::Timestamp;

/// One activity of an Auto Scaling group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// AWS's id.
    pub id: String,
    /// What was done.
    pub kind: ActivityKind,
    /// When it began.
    pub start: Timestamp,
    /// When it ended; `None` while it lasts.
    pub end: Option<Timestamp>,
    /// Whether it came to what it was for.
    pub successful: bool,
    /// In AWS's words.
    pub cause: String,
}

/// What an activity did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityKind {
    /// An instance was launched.
    Launch,
    /// An instance was ended.
    Terminate,
    /// Something else.
    Other,
}

impl ActivityKind {
    /// Every kind, and its word in the table.
    pub const ALL: [(Self, &str); 3] =
        [(Self::Launch, "launch"), (Self::Terminate, "terminate"), (Self::Other, "other")];

    /// Its word in the table.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, word)| word)
    }
}

/// How long launches took, from their begin to *in service*.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LaunchTimes {
    /// How many were measured.
    pub count: usize,
    /// The 10th percentile, seconds.
    pub short_seconds: f64,
    /// The median, seconds.
    pub median_seconds: f64,
    /// The 90th percentile, seconds.
    pub long_seconds: f64,
}

/// Fewer launches than these say too little.
const LEAST_LAUNCHES: usize = 3;

impl LaunchTimes {
    /// Of the successful launches among `activities`.
    pub fn of(activities: &[Activity]) -> Option<Self> {
        let launches = activities.iter().filter(|a| a.kind == ActivityKind::Launch && a.successful);
        let mut seconds: Vec<f64> = launches
            .filter_map(|a| Some(a.end?.as_millisecond() - a.start.as_millisecond()))
            .map(|ms| ms as f64 / 1e3)
            .collect();
        seconds.retain(|seconds| *seconds >= 0.0);
        seconds.sort_by(f64::total_cmp);
        let at = |percent: usize| seconds[(seconds.len() - 1) * percent / 100];
        (seconds.len() >= LEAST_LAUNCHES).then(|| Self {
            count: seconds.len(),
            short_seconds: at(10),
            median_seconds: at(50),
            long_seconds: at(90),
        })
    }
}
