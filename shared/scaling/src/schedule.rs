//! Scheduled actions: new limits or a new size at a time, once or again and again.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::course::CapacityChange;
use crate::units::{Instances, MinuteUtc, Minutes, Window};

/// `aws:autoscaling:scheduledaction`, one resource.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduledAction {
    /// The resource's name.
    pub name: String,
    /// When: the only time, or the first of many.
    pub start: Option<MinuteUtc>,
    /// After it, the recurrence has an end. It restores nothing.
    pub end: Option<MinuteUtc>,
    /// How it comes again.
    pub recurrence: Option<Cron>,
    /// In which time zone the recurrence is meant; Beanstalk's is universal time.
    pub time_zone: TimeZone,
    /// `MinSize`.
    pub min_size: Option<Instances>,
    /// `MaxSize`.
    pub max_size: Option<Instances>,
    /// `DesiredCapacity`.
    pub desired_capacity: Option<Instances>,
    /// It is there and does nothing.
    pub suspended: bool,
}

impl ScheduledAction {
    /// What it does within `window`, oldest first.
    pub fn changes(&self, window: Window) -> Vec<CapacityChange> {
        if self.suspended {
            return vec![];
        }
        self.times(window).into_iter().map(|at| self.change(at)).collect()
    }

    /// What it did last before `minute`, if it ever did.
    pub fn last_before(&self, minute: MinuteUtc) -> Option<CapacityChange> {
        let last = match &self.recurrence {
            None => self.start.filter(|start| *start < minute)?,
            Some(recurrence) => {
                let until = self.end.map_or(minute, |end| end.min(minute));
                let last = recurrence.last_before(until, &self.time_zone)?;
                Some(last).filter(|last| self.start.is_none_or(|start| start <= *last))?
            }
        };
        (!self.suspended).then(|| self.change(last))
    }

    fn change(&self, at: MinuteUtc) -> CapacityChange {
        let Self { min_size, max_size, desired_capacity, .. } = *self;
        CapacityChange { at, min_size, max_size, desired_capacity }
    }

    fn times(&self, window: Window) -> Vec<MinuteUtc> {
        let Some(recurrence) = &self.recurrence else {
            return self.start.into_iter().filter(|start| window.contains(*start)).collect();
        };
        let from = self.start.map_or(window.start, |start| start.max(window.start));
        let until = self.end.map_or(window.end, |end| end.min(window.end));
        recurrence.times(Window { start: from, end: until }, &self.time_zone)
    }
}

/// Five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days_of_month: u64,
    months: u64,
    days_of_week: u64,
    /// Whether a day must be right by the month, and by the week. If both are asked, one is enough.
    day_fields: (bool, bool),
}

/// Not a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a schedule of five fields (minute hour day-of-month month day-of-week), as in `0 6 * * 1-5`"
)]
pub struct CronError(String);

impl std::str::FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let refused = || CronError(text.to_owned());
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields[..] else { return Err(refused()) };
        let field =
            |text: &str, least, most, names: &[&str]| field(text, least, most, names).ok_or_else(refused);
        let weekdays = field(weekday, 0, 7, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"])?;
        Ok(Self {
            minutes: field(minute, 0, 59, &[])?,
            hours: field(hour, 0, 23, &[])?,
            days_of_month: field(day, 1, 31, &[])?,
            months: field(month, 1, 12, &MONTHS)?,
            days_of_week: (weekdays | weekdays >> 7) & 0x7f,
            day_fields: (day != "*", weekday != "*"),
        })
    }
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// The values of one field as bits.
fn field(text: &str, least: u32, most: u32, names: &[&str]) -> Option<u64> {
    let number = |text: &str| {
        let named = names.iter().position(|name| text.eq_ignore_ascii_case(name));
        let value = named.map(|index| index as u32 + least).or_else(|| text.parse().ok())?;
        (least..=most).contains(&value).then_some(value)
    };
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) =
            part.split_once('/').map_or((part, 1), |(range, step)| (range, step.parse().unwrap_or(0)));
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, most),
            Some((from, to)) => (number(from)?, number(to)?),
            None if part.contains('/') => (number(range)?, most),
            None => (number(range)?, number(range)?),
        };
        if step == 0 || to < from {
            return None;
        }
        bits |= (from..=to).step_by(step).fold(0, |bits, value| bits | 1_u64 << value);
    }
    Some(bits)
}

const MINUTES_OF_A_DAY: u32 = 24 * 60;
/// Of a leap year.
const DAYS_OF_A_YEAR: u32 = 366;

impl Cron {
    /// The minutes of `window` that it names in `time_zone`. An hour that clocks skip has none; an hour that
    /// they repeat counts once.
    pub fn times(&self, window: Window, time_zone: &TimeZone) -> Vec<MinuteUtc> {
        let mut times = Vec::new();
        let mut newest: Option<DateTime> = None;
        let mut minute = window.start;
        while minute < window.end {
            let local = local(minute, time_zone);
            let is_new = newest.is_none_or(|newest| newest < local);
            if is_new && self.names(local) {
                times.push(minute);
                newest = Some(local);
            }
            minute = minute + Minutes(1);
        }
        times
    }

    /// The last minute before `end` that it names in `time_zone`; `None` where a year has none.
    pub fn last_before(&self, end: MinuteUtc, time_zone: &TimeZone) -> Option<MinuteUtc> {
        let days = (0..DAYS_OF_A_YEAR).map(|back| end - Minutes(back * MINUTES_OF_A_DAY));
        let day = |end| Window { start: end - Minutes(MINUTES_OF_A_DAY), end };
        days.map(day).find_map(|day| self.times(day, time_zone).pop())
    }

    fn names(&self, local: DateTime) -> bool {
        let has = |bits: u64, value: i8| bits >> value & 1 == 1;
        let by_month = has(self.days_of_month, local.day());
        let by_week = has(self.days_of_week, local.date().weekday().to_sunday_zero_offset());
        let day = match self.day_fields {
            (true, true) => by_month || by_week,
            _ => by_month && by_week,
        };
        day && has(self.minutes, local.minute())
            && has(self.hours, local.hour())
            && has(self.months, local.month())
    }
}

fn local(minute: MinuteUtc, time_zone: &TimeZone) -> DateTime {
    time_zone.to_datetime(minute.start())
}
