//! Quantities with their units. A value that exists is a valid one: every constructor refuses.

use std::fmt;
use std::ops::{Add, Sub};

use jiff::Timestamp;

/// Why a number is not a quantity.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum UnitError {
    /// NaN, infinity, or outside of the range that the quantity can take.
    #[error("{quantity} must be {expected}, not `{value}`")]
    OutOfRange {
        /// What was being measured.
        quantity: &'static str,
        /// The range it can take.
        expected: &'static str,
        /// What was given.
        value: f64,
    },
}

/// CPU utilization of an instance, or the mean over a group: percent of all its vCPUs, 0 to 100.
///
/// ```
/// use scaling::units::CpuPercent;
///
/// assert_eq!(CpuPercent::new(50.0)?.get(), 50.0);
/// let refused = CpuPercent::new(120.0).unwrap_err();
/// assert_eq!(refused.to_string(), "CPU percent must be from 0 to 100, not `120`");
/// # Ok::<(), scaling::units::UnitError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct CpuPercent(f64);

impl CpuPercent {
    /// Refuses what is not from 0 to 100.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        let in_range = (0.0..=100.0).contains(&value);
        in_range.then_some(Self(value)).ok_or(UnitError::OutOfRange {
            quantity: "CPU percent",
            expected: "from 0 to 100",
            value,
        })
    }

    /// Percent, 0 to 100.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for CpuPercent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.0)
    }
}

/// Requests that arrive in one minute, at the whole environment unless a name says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct RequestsPerMinute(f64);

impl RequestsPerMinute {
    /// Refuses NaN, infinity and negative rates.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        let valid = value.is_finite() && value >= 0.0;
        valid.then_some(Self(value)).ok_or(UnitError::OutOfRange {
            quantity: "requests per minute",
            expected: "a finite number, 0 or more",
            value,
        })
    }

    /// Requests per minute.
    pub fn get(self) -> f64 {
        self.0
    }
}

/// A whole number of instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instances(pub u32);

impl fmt::Display for Instances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0 == 1 { "" } else { "s" };
        write!(f, "{} instance{plural}", self.0)
    }
}

/// A whole number of minutes: Beanstalk's `Period` and `BreachDuration`, and every delay of a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Minutes(pub u32);

impl Minutes {
    /// The same span in CloudWatch's unit.
    pub fn to_seconds(self) -> Seconds {
        Seconds(self.0 * 60)
    }
}

impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} min", self.0)
    }
}

/// A whole number of seconds: Beanstalk's `Cooldown`, CloudWatch's `Period`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u32);

impl Seconds {
    /// Whole minutes until a check made once a minute sees that the span is over.
    pub fn to_minutes_rounded_up(self) -> Minutes {
        Minutes(self.0.div_ceil(60))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0)
    }
}

const MINUTES_PER_DAY: i64 = 24 * 60;

/// One minute of universal time: minutes since 1970-01-01T00:00Z. Shown as `2026-11-02T00:05Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MinuteUtc(i64);

impl MinuteUtc {
    /// From the year 0 to the year 9000, more than any clock will say.
    const EPOCH_MINUTES: std::ops::Range<i64> = -1_036_000_000..3_697_000_000;

    /// The last minute there is.
    pub const LAST: Self = Self(Self::EPOCH_MINUTES.end - 1);

    /// Minutes since 1970-01-01T00:00Z; refuses what no calendar can show.
    pub fn new(epoch_minutes: i64) -> Result<Self, UnitError> {
        let valid = Self::EPOCH_MINUTES.contains(&epoch_minutes);
        valid.then_some(Self(epoch_minutes)).ok_or(UnitError::OutOfRange {
            quantity: "minutes since 1970",
            expected: "in the years 0 to 9000",
            value: epoch_minutes as f64,
        })
    }

    /// The minute in which `timestamp` lies.
    pub fn containing(timestamp: Timestamp) -> Result<Self, UnitError> {
        Self::new(timestamp.as_second().div_euclid(60))
    }

    /// Minutes since 1970-01-01T00:00Z.
    pub fn epoch_minutes(self) -> i64 {
        self.0
    }

    /// The instant at which it starts.
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(self.0 * 60).expect("the constructor keeps minutes within the calendar")
    }

    /// Days since 1970-01-01, the universal-time day in which it lies.
    pub fn epoch_day(self) -> i64 {
        self.0.div_euclid(MINUTES_PER_DAY)
    }

    /// Its place in what begins with `start` and has an entry a minute; `None` where it lies before that.
    ///
    /// ```
    /// use scaling::units::MinuteUtc;
    ///
    /// let [first, third] = [MinuteUtc::new(7)?, MinuteUtc::new(9)?];
    /// assert_eq!((third.place_from(first), first.place_from(third)), (Some(2), None));
    /// # Ok::<(), scaling::units::UnitError>(())
    /// ```
    pub fn place_from(self, start: Self) -> Option<usize> {
        usize::try_from(self.0 - start.0).ok()
    }

    /// The first minute of its universal-time day.
    pub fn start_of_day(self) -> Self {
        Self(self.epoch_day() * MINUTES_PER_DAY)
    }
}

impl Add<Minutes> for MinuteUtc {
    type Output = Self;
    fn add(self, span: Minutes) -> Self {
        Self(self.0 + i64::from(span.0))
    }
}

impl Sub<Minutes> for MinuteUtc {
    type Output = Self;
    fn sub(self, span: Minutes) -> Self {
        Self(self.0 - i64::from(span.0))
    }
}

impl fmt::Display for MinuteUtc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.start().strftime("%Y-%m-%dT%H:%MZ"))
    }
}

/// A half-open span of minutes: `start` is in it, `end` is not, as in CloudWatch's own ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// First minute.
    pub start: MinuteUtc,
    /// The minute after the last.
    pub end: MinuteUtc,
}

impl Window {
    /// The `days` before `end`.
    pub fn days_before(end: MinuteUtc, days: u32) -> Self {
        Self { start: end - Minutes(days * 24 * 60), end }
    }

    /// The universal-time day in which `minute` lies.
    pub fn day_of(minute: MinuteUtc) -> Self {
        let start = minute.start_of_day();
        Self { start, end: start + Minutes(MINUTES_PER_DAY as u32) }
    }

    /// The minute before its end.
    pub fn last_minute(self) -> MinuteUtc {
        self.end - Minutes(1)
    }

    /// Its minutes, oldest first; none, where it ends before it begins.
    pub fn minutes(self) -> impl Iterator<Item = MinuteUtc> {
        (self.start.0..self.end.0).map(MinuteUtc)
    }

    /// Whether `minute` lies in it.
    pub fn contains(self, minute: MinuteUtc) -> bool {
        self.start <= minute && minute < self.end
    }

    /// The first minute of each universal-time day that it touches, oldest first.
    pub fn days(self) -> impl Iterator<Item = MinuteUtc> {
        let after_last = (self.end.0 - 1).div_euclid(MINUTES_PER_DAY) + 1;
        (self.start.epoch_day()..after_last).map(|day| MinuteUtc(day * MINUTES_PER_DAY))
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.start, self.end)
    }
}
