//! Scaling activities: when instances were really launched and ended, and why; and deployments.

use jiff::Timestamp;
use scaling::course::Deployment;
use scaling::units::{Instances, MinuteUtc, Minutes};

/// One activity of an Auto Scaling group, or one deployment.
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

impl Activity {
    /// The minutes of a deployment, if it is one and over. How many instances it added is not known from it.
    pub fn deployment(&self) -> Option<Deployment> {
        let end = self.end.filter(|_| self.kind == ActivityKind::Deployment)?;
        let minute = |instant| MinuteUtc::containing(instant).ok();
        let (start, end) = (minute(self.start)?, minute(end)? + Minutes(1));
        Some(Deployment { start, end, extra: Instances(0), extra_cpu_percent: 0.0 })
    }
}

/// What an activity did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityKind {
    /// An instance was launched.
    Launch,
    /// An instance was ended.
    Terminate,
    /// The application was deployed, or the environment updated.
    Deployment,
    /// Something else.
    Other,
}

impl ActivityKind {
    /// Every kind, and its word in the table.
    pub const ALL: [(Self, &str); 4] = [
        (Self::Launch, "launch"),
        (Self::Terminate, "terminate"),
        (Self::Deployment, "deployment"),
        (Self::Other, "other"),
    ];

    /// Its word in the table.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("other", |(_, word)| word)
    }

    /// The kind of an activity that EC2 Auto Scaling describes so.
    pub fn described(description: &str) -> Self {
        match description {
            text if text.starts_with("Launching") => Self::Launch,
            text if text.starts_with("Terminating") => Self::Terminate,
            _ => Self::Other,
        }
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
    /// The 95th percentile, seconds: what a setting must hold with.
    pub slow_seconds: f64,
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
        // The least that so many percent of them took at most.
        let at = |percent: usize| seconds[(seconds.len() * percent).div_ceil(100) - 1];
        (seconds.len() >= LEAST_LAUNCHES).then(|| Self {
            count: seconds.len(),
            short_seconds: at(10),
            median_seconds: at(50),
            long_seconds: at(90),
            slow_seconds: at(95),
        })
    }
}

/// What Elastic Beanstalk reports of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeploymentEvent {
    /// When.
    pub at: Timestamp,
    /// In Beanstalk's words.
    pub message: String,
    /// The application version in question.
    pub version: Option<String>,
}

/// How Beanstalk says that a deployment begins.
const BEGINS: [&str; 2] = ["Deploying new version to instance", "Starting application deployment"];
/// How it says that one is over, whether it worked or not.
const ENDS: [&str; 4] = [
    "New application version was deployed",
    "Environment update completed",
    "Failed to deploy",
    "Unsuccessful command execution",
];

/// The deployments that `events` tell of: each from the first word about it to the first that it is over, or to the
/// last event where that is still to come. In whatever order they come; oldest first.
pub fn deployments_of(environment_id: &str, mut events: Vec<DeploymentEvent>) -> Vec<Activity> {
    events.sort_by_key(|event| event.at);
    let says =
        |event: &DeploymentEvent, words: &[&str]| words.iter().any(|word| event.message.contains(word));
    let mut deployments: Vec<Activity> = Vec::new();
    for event in &events {
        let open = deployments.last_mut().filter(|deployment| deployment.end.is_none());
        match open {
            Some(deployment) if says(event, &ENDS) => {
                deployment.end = Some(event.at);
                deployment.successful =
                    !event.message.contains("ailed") && !event.message.contains("Unsuccessful");
            }
            None if says(event, &BEGINS) => deployments.push(Activity {
                id: format!("{environment_id} {}", event.at),
                kind: ActivityKind::Deployment,
                start: event.at,
                end: None,
                successful: false,
                cause: event
                    .version
                    .as_ref()
                    .map_or(event.message.clone(), |version| format!("{} ({version})", event.message)),
            }),
            _ => {}
        }
    }
    deployments
}
