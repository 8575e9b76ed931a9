//! The names of objects: one object for each period that it covers, so that a second run replaces the first.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use scaling::units::MinuteUtc;

/// The name of an Elastic Beanstalk environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Environment(String);

/// Not the name of an environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an environment's name is one line of text, not {0:?}")]
pub struct EnvironmentError(String);

impl Environment {
    /// Refuses an empty name and one with control characters.
    pub fn new(name: impl Into<String>) -> Result<Self, EnvironmentError> {
        let name = name.into();
        let valid = !name.trim().is_empty() && !name.chars().any(char::is_control);
        if valid { Ok(Self(name)) } else { Err(EnvironmentError(name)) }
    }

    /// The name as it was given.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of an object.
///
/// ```
/// use pipeline::archive::{Environment, Key};
/// use scaling::units::MinuteUtc;
///
/// let environment = Environment::new("web prod")?;
/// let minute = MinuteUtc::new(29_892_960)?;
/// let key = Key::samples(&environment, minute);
/// assert_eq!(key.as_str(), "samples/environment=web%20prod/date=2026-11-02/samples.parquet");
/// let key = Key::settings(&environment, minute);
/// assert_eq!(key.as_str(), "settings/environment=web%20prod/20261102T000000Z.json");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(String);

/// What the names of several objects begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

/// Letters, digits, `-`, `_` and `.` stay readable; everything else is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

impl Prefix {
    /// All objects of one kind and one environment.
    fn of(kind: &str, environment: &Environment) -> Self {
        Self(format!("{kind}/environment={}/", utf8_percent_encode(&environment.0, ENCODED)))
    }

    /// The samples of `environment`.
    pub fn samples(environment: &Environment) -> Self {
        Self::of("samples", environment)
    }

    /// The settings of `environment`.
    pub fn settings(environment: &Environment) -> Self {
        Self::of("settings", environment)
    }

    /// The scaling activities of `environment`.
    pub fn activities(environment: &Environment) -> Self {
        Self::of("activities", environment)
    }

    /// The fits of `environment`.
    pub fn fits(environment: &Environment) -> Self {
        Self::of("fits", environment)
    }

    /// The sweeps of `environment`.
    pub fn sweeps(environment: &Environment) -> Self {
        Self::of("sweeps", environment)
    }

    /// The tables of the sweeps of `environment`, in folders that hold nothing else.
    pub fn cheapest(environment: &Environment) -> Self {
        Self::of("cheapest", environment)
    }

    /// The samples of all environments.
    pub fn all_samples() -> Self {
        Self("samples/".to_owned())
    }

    /// As the store has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of_day(self, minute: MinuteUtc, file: &str) -> Key {
        Key(format!("{}date={}/{file}", self.0, minute.start().strftime("%Y-%m-%d")))
    }
}

impl Key {
    /// The samples of the day of `minute`.
    pub fn samples(environment: &Environment, minute: MinuteUtc) -> Self {
        Prefix::samples(environment).of_day(minute, "samples.parquet")
    }

    /// The settings first seen at `since`.
    pub fn settings(environment: &Environment, since: MinuteUtc) -> Self {
        let Prefix(prefix) = Prefix::settings(environment);
        Self(format!("{prefix}{}.json", since.start().strftime("%Y%m%dT%H%M%SZ")))
    }

    /// The scaling activities that began on the day of `minute`.
    pub fn activities(environment: &Environment, minute: MinuteUtc) -> Self {
        Prefix::activities(environment).of_day(minute, "activities.parquet")
    }

    /// The fit of the day of `minute`.
    pub fn fit(environment: &Environment, minute: MinuteUtc) -> Self {
        Prefix::fits(environment).of_day(minute, "fit.json")
    }

    /// The fit of a load test that ended on the day of `minute`.
    pub fn load_test(environment: &Environment, minute: MinuteUtc) -> Self {
        Prefix::fits(environment).of_day(minute, "load-test.json")
    }

    /// The policies that hold, found on the day of `minute`.
    pub fn sweep(environment: &Environment, minute: MinuteUtc) -> Self {
        Prefix::sweeps(environment).of_day(minute, "sweep.parquet")
    }

    /// The same for programs that read all that lies in a folder, as Athena does.
    pub fn cheapest(environment: &Environment, minute: MinuteUtc) -> Self {
        Prefix::cheapest(environment).of_day(minute, "cheapest.parquet")
    }

    /// The advice of the day of `minute`.
    pub fn recommendation(environment: &Environment, minute: MinuteUtc) -> Self {
        Prefix::sweeps(environment).of_day(minute, "recommendation.json")
    }

    /// The page about the advice of the day of `minute`.
    pub fn report(environment: &Environment, minute: MinuteUtc) -> Self {
        Prefix::sweeps(environment).of_day(minute, "report.html")
    }

    /// The page over all environments.
    pub fn reports() -> Self {
        Self("sweeps/index.html".to_owned())
    }

    /// What the subscribers were last told.
    pub fn latest_published(environment: &Environment) -> Self {
        let Prefix(prefix) = Prefix::of("published", environment);
        Self(format!("{prefix}latest.json"))
    }

    /// Why `stage` last had nothing to give.
    pub fn refusal(environment: &Environment, stage: &str) -> Self {
        let Prefix(prefix) = Prefix::of("refusals", environment);
        Self(format!("{prefix}{stage}.json"))
    }

    /// Which environments are looked after.
    pub fn fleet() -> Self {
        Self("fleet/latest.json".to_owned())
    }

    /// The environment that it is of, if it is of one.
    pub fn environment(&self) -> Option<Environment> {
        let encoded = self.0.split('/').find_map(|part| part.strip_prefix("environment="))?;
        Environment::new(percent_decode_str(encoded).decode_utf8().ok()?).ok()
    }

    /// A key that a store lists.
    pub fn listed(text: String) -> Self {
        Self(text)
    }

    /// As the store has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
