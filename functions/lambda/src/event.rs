//! What a function is asked: by the schedule, by a state machine, or by a person. Fields that nobody knows, wrong
//! types and windows that end before they begin are errors that name them.

use jiff::Timestamp;
use pipeline::archive::{Environment, EnvironmentError};
use pipeline::values::Instant;
use scaling::units::{CpuPercent, MinuteUtc, Minutes, Window};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Why an event is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// Not an object.
    #[error("the event must be a JSON object like {{\"environment\":\"web-prod\"}}, not `{0}`")]
    NoObject(Value),
    /// A field that is not known, or of the wrong type.
    #[error("the event's `{path}`: {source}")]
    Field {
        /// Which.
        path: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A field that is not known.
    #[error("the event has an {source}; every event may have {}", COMMON.map(|name| format!("`{name}`")).join(", "))]
    Unknown {
        /// Which, and which there are.
        source: serde_json::Error,
    },
    /// No name of an environment.
    #[error("the event's `environment`")]
    Environment(#[source] EnvironmentError),
    /// A time that no calendar shows.
    #[error("the event's `time`: `{0}` is in no calendar")]
    Time(Timestamp),
    /// It ends before it begins.
    #[error("the event's window is backwards: `until`, {until}, is not after `from`, {from}")]
    Backwards {
        /// Its start.
        from: MinuteUtc,
        /// Its end.
        until: MinuteUtc,
    },
    /// Two starts.
    #[error("the event has both `from` and `lookback_days`: one start is enough")]
    TwoStarts,
    /// No span.
    #[error("the event's `lookback_days` must be from 1 to {MOST_DAYS}, not `{0}`")]
    Days(u32),
    /// A field whose value makes no sense.
    #[error("the event's `{field}`: {why}")]
    Value {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

/// A field whose value makes no sense, for the reason that `why` is.
pub(crate) fn wrong(field: &'static str, why: &dyn std::fmt::Display) -> EventError {
    EventError::Value { field, why: why.to_string() }
}

/// Reads the percentage of a field.
pub(crate) fn percent(field: &'static str) -> impl Fn(f64) -> Result<CpuPercent, EventError> {
    move |value| CpuPercent::new(value).map_err(|error| wrong(field, &error))
}

/// CloudWatch keeps nothing for longer.
const MOST_DAYS: u32 = 455;

/// Fields that every event may have.
const COMMON: [&str; 6] = ["time", "environment", "dry_run", "from", "until", "lookback_days"];

/// What every event says.
#[derive(Debug, Clone, PartialEq)]
pub struct Common {
    /// The time that the event gives, or the clock's.
    pub now: Timestamp,
    /// One environment; all of the fleet, if none is named.
    pub environment: Option<Environment>,
    /// Whether nothing is to be kept or published.
    pub dry_run: bool,
    /// Which time is asked for.
    pub span: Span,
}

/// Which time is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Its start.
    pub from: Option<MinuteUtc>,
    /// Its end.
    pub until: Option<MinuteUtc>,
    /// Its length, if no start is given.
    pub lookback_days: Option<u32>,
}

impl Span {
    /// From the start that is asked for, or the days before `end`, unless told, to `end`.
    pub fn up_to(self, end: MinuteUtc, default_days: u32) -> Window {
        let back = Window::days_before(end, self.lookback_days.unwrap_or(default_days));
        Window { start: self.from.unwrap_or(back.start), end }
    }

    /// Whether the event says anything about it.
    pub fn is_given(self) -> bool {
        self.from.is_some() || self.until.is_some() || self.lookback_days.is_some()
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Fields {
    time: Option<Timestamp>,
    environment: Option<String>,
    dry_run: bool,
    from: Option<Instant>,
    until: Option<Instant>,
    lookback_days: Option<u32>,
}

/// Splits an event into what every event says and what this stage is asked. EventBridge's own events say the time
/// and nothing else that matters here. `clock` is now, where the event doesn't say.
pub fn parse<T: DeserializeOwned>(event: Value, clock: Timestamp) -> Result<(Common, T), EventError> {
    let mut fields = match event {
        Value::Null => Map::new(),
        Value::Object(fields) => fields,
        other => return Err(EventError::NoObject(other)),
    };
    if fields.contains_key("detail-type") {
        fields.retain(|name, _| name == "time");
    }
    let (common, own): (Map<_, _>, Map<_, _>) =
        fields.into_iter().partition(|(name, _)| COMMON.contains(&name.as_str()));
    Ok((checked(read(common)?, clock)?, read(own)?))
}

fn read<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T, EventError> {
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
        let path = error.path().to_string();
        let source = error.into_inner();
        let unknown = source.to_string().starts_with("unknown field");
        if unknown { EventError::Unknown { source } } else { EventError::Field { path, source } }
    })
}

fn checked(fields: Fields, clock: Timestamp) -> Result<Common, EventError> {
    let Fields { time, environment, dry_run, from, until, lookback_days } = fields;
    let now = time.unwrap_or(clock);
    let minute = MinuteUtc::containing(now).map_err(|_| EventError::Time(now))?;
    let (from, until) = (from.map(|instant| instant.0), until.map(|instant| instant.0));
    if let (Some(_), Some(_)) = (from, lookback_days) {
        return Err(EventError::TwoStarts);
    }
    if let Some(days) = lookback_days.filter(|days| !(1..=MOST_DAYS).contains(days)) {
        return Err(EventError::Days(days));
    }
    let end = until.unwrap_or(minute);
    if let Some(from) = from.filter(|from| end <= *from) {
        return Err(EventError::Backwards { from, until: end });
    }
    let environment = environment.map(Environment::new).transpose().map_err(EventError::Environment)?;
    Ok(Common { now, environment, dry_run, span: Span { from, until, lookback_days } })
}

impl Common {
    /// Whether the answer is about one environment, and may hold whole documents. Of a fleet it has what names them: one
    /// document has tens of KiB, and a state machine takes 256 of an answer.
    pub(crate) fn asks_for_one(&self) -> bool {
        self.environment.is_some()
    }

    /// The minute of `now`.
    pub fn minute(&self) -> MinuteUtc {
        MinuteUtc::containing(self.now).expect("it was checked when the event was read")
    }

    /// The newest minute of which everything can be known by now.
    pub fn until(&self) -> MinuteUtc {
        self.span.until.unwrap_or(self.minute()).min(self.minute() + Minutes(1))
    }
}
