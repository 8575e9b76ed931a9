//! Requests per minute, minute after minute: recorded, a part of that, with a crowd on top, or made from stages.

use std::fmt;

use crate::cpu_model::CpuModel;
use crate::sample::{Metric, Sample, finest_last};
use crate::units::{MinuteUtc, Minutes, RequestsPerMinute, UnitError, Window};

/// Requests per minute of the whole environment, one entry a minute; a minute may be missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Traffic {
    /// The minute of the first entry.
    pub start: MinuteUtc,
    /// One entry a minute.
    pub requests_per_minute: Vec<Option<RequestsPerMinute>>,
}

/// A stretch of traffic that goes in a straight line to `target`: a stage of a load test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stage {
    /// How long it takes.
    pub duration: Minutes,
    /// Where it ends.
    pub target: RequestsPerMinute,
}

/// A flash crowd: traffic grows to a multiple of what it was, holds that, and falls back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crowd {
    at: MinuteUtc,
    height: f64,
    ramp: Minutes,
    hold: Minutes,
}

impl Crowd {
    /// Over the `ramp` from `at` on traffic grows to `height` times what it was, stays there for `hold`, and falls back
    /// within another `ramp`. Refuses a height that makes no crowd, and spans beyond a day.
    ///
    /// ```
    /// use scaling::traffic::Crowd;
    /// use scaling::units::{MinuteUtc, Minutes};
    ///
    /// let refused = Crowd::new(MinuteUtc::new(0)?, 0.5, Minutes(5), Minutes(20)).unwrap_err();
    /// assert_eq!(refused.to_string(), "the height of a crowd must be over 1 and up to 100 times the traffic, not `0.5`");
    /// # Ok::<(), scaling::units::UnitError>(())
    /// ```
    pub fn new(at: MinuteUtc, height: f64, ramp: Minutes, hold: Minutes) -> Result<Self, UnitError> {
        let refused = |quantity, expected, value| Err(UnitError::OutOfRange { quantity, expected, value });
        if !(1.0 < height && height <= 100.0) {
            return refused("the height of a crowd", "over 1 and up to 100 times the traffic", height);
        }
        if MINUTES_PER_DAY < ramp.0 {
            return refused("the ramp of a crowd", "0 to 1440 minutes", f64::from(ramp.0));
        }
        if !(1..=MINUTES_PER_DAY).contains(&hold.0) {
            return refused("the hold of a crowd", "1 to 1440 minutes", f64::from(hold.0));
        }
        Ok(Self { at, height, ramp, hold })
    }

    /// From its first minute to the last of its way back.
    pub fn window(&self) -> Window {
        Window { start: self.at, end: self.at + self.ramp + self.hold + self.ramp }
    }

    /// Times the traffic that there is in `minute`. A ramp is a straight line, and a minute holds the value at its end.
    pub fn factor(&self, minute: MinuteUtc) -> f64 {
        if !self.window().contains(minute) {
            return 1.0;
        }
        let ramped = (minute.epoch_minutes() - self.at.epoch_minutes() + 1) as f64;
        let (ramp, hold) = (f64::from(self.ramp.0), f64::from(self.hold.0));
        let share = if ramped <= ramp {
            ramped / ramp
        } else if ramped <= ramp + hold {
            1.0
        } else {
            1.0 - (ramped - ramp - hold) / ramp
        };
        1.0 + (self.height - 1.0) * share
    }
}

impl fmt::Display for Crowd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, height, ramp, hold } = self;
        write!(f, "a crowd of {height} times the traffic from {at} on, there within {ramp} and for {hold}")
    }
}

/// Why a crowd can't be put on top of traffic.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum CrowdError {
    /// It begins before the traffic, or ends after it.
    #[error("the crowd, {crowd}, does not lie within the traffic, which is known from {traffic}")]
    Outside {
        /// When the crowd is there.
        crowd: Window,
        /// When there is traffic.
        traffic: Window,
    },
    /// It has nothing to stand on.
    #[error("no requests are known of the time of the crowd, {0}")]
    Unknown(Window),
    /// More requests than there are numbers.
    #[error("the crowd is too many")]
    TooMany(#[from] UnitError),
}

const MINUTES_PER_DAY: u32 = 24 * 60;

impl Traffic {
    /// The recorded requests of `window`, from its first to its last known minute; a sum of five minutes is
    /// spread evenly over those that have none of their own. `None` where nothing is known.
    pub fn recorded(samples: &[Sample], window: Window) -> Option<Self> {
        let mut known: Vec<(MinuteUtc, RequestsPerMinute)> =
            finest_last(samples.iter()).flat_map(per_minute).collect();
        known.retain(|(minute, _)| window.contains(*minute));
        known.sort_by_key(|(minute, _)| *minute);
        let (start, last) = (known.first()?.0, known.last()?.0);
        let index = |minute: MinuteUtc| minute.place_from(start).expect("none is before the first");
        let mut requests_per_minute = vec![None; index(last) + 1];
        for (minute, rate) in known {
            requests_per_minute[index(minute)] = Some(rate);
        }
        Some(Self { start, requests_per_minute })
    }

    /// Stages one after the other, each a straight line from the target of the one before (0 before the
    /// first) to its own; a minute holds the value at its end.
    ///
    /// ```
    /// use scaling::traffic::{Stage, Traffic};
    /// use scaling::units::{MinuteUtc, Minutes, RequestsPerMinute};
    ///
    /// let stage = Stage { duration: Minutes(3), target: RequestsPerMinute::new(300.0)? };
    /// let traffic = Traffic::staged(&[stage], MinuteUtc::new(0)?)?;
    /// let rates: Vec<f64> = traffic.requests_per_minute.iter().flatten().map(|rate| rate.get()).collect();
    /// assert_eq!(rates, [100.0, 200.0, 300.0]);
    /// # Ok::<(), scaling::units::UnitError>(())
    /// ```
    pub fn staged(stages: &[Stage], start: MinuteUtc) -> Result<Self, UnitError> {
        let mut requests_per_minute = Vec::new();
        let mut from = 0.0;
        for stage in stages {
            for minute in 1..=stage.duration.0 {
                let ramp = (stage.target.get() - from) * f64::from(minute) / f64::from(stage.duration.0);
                requests_per_minute.push(Some(RequestsPerMinute::new(from + ramp)?));
            }
            from = stage.target.get();
        }
        Ok(Self { start, requests_per_minute })
    }

    /// The first minute of the universal-time day with the most requests; of equal days the first. `None` where no
    /// requests are known.
    pub fn busiest_day(&self) -> Option<MinuteUtc> {
        let mut days: Vec<(MinuteUtc, f64)> = Vec::new();
        for (minute, rate) in self.minutes() {
            let (day, requests) = (minute.start_of_day(), rate.map_or(0.0, RequestsPerMinute::get));
            match days.last_mut() {
                Some((last, sum)) if *last == day => *sum += requests,
                _ => days.push((day, requests)),
            }
        }
        let busiest = days.into_iter().reduce(|a, b| if a.1 < b.1 { b } else { a });
        busiest.filter(|_| self.peak().is_some()).map(|(day, _)| day)
    }

    /// The same with `crowd` on top. What is not known stays so.
    pub fn with_crowd(&self, crowd: Crowd) -> Result<Self, CrowdError> {
        let (there, traffic) = (crowd.window(), self.window());
        if there.start < traffic.start || traffic.end < there.end {
            return Err(CrowdError::Outside { crowd: there, traffic });
        }
        if !self.minutes().any(|(minute, rate)| there.contains(minute) && rate.is_some()) {
            return Err(CrowdError::Unknown(there));
        }
        let crowded = |(minute, rate): (MinuteUtc, Option<RequestsPerMinute>)| {
            rate.map(|rate| RequestsPerMinute::new(rate.get() * crowd.factor(minute))).transpose()
        };
        let requests_per_minute = self.minutes().map(crowded).collect::<Result<_, _>>()?;
        Ok(Self { start: self.start, requests_per_minute })
    }

    /// From its first minute to its last.
    pub fn window(&self) -> Window {
        Window { start: self.start, end: self.start + Minutes(self.len() as u32) }
    }

    /// Each minute with its rate, as far as that is known.
    pub fn minutes(&self) -> impl Iterator<Item = (MinuteUtc, Option<RequestsPerMinute>)> {
        let minute = |index: usize| self.start + Minutes(index as u32);
        self.requests_per_minute.iter().enumerate().map(move |(index, rate)| (minute(index), *rate))
    }

    /// The rate of a minute, if it is known.
    pub fn at(&self, minute: MinuteUtc) -> Option<RequestsPerMinute> {
        *self.requests_per_minute.get(minute.place_from(self.start)?)?
    }

    /// Minutes, known or missing.
    pub fn len(&self) -> usize {
        self.requests_per_minute.len()
    }

    /// Whether it has no minute at all.
    pub fn is_empty(&self) -> bool {
        self.requests_per_minute.is_empty()
    }

    /// Minutes whose requests are not known.
    pub fn missing(&self) -> usize {
        self.requests_per_minute.iter().filter(|rate| rate.is_none()).count()
    }

    /// The greatest rate, if any is known.
    pub fn peak(&self) -> Option<RequestsPerMinute> {
        self.requests_per_minute.iter().flatten().copied().reduce(|a, b| if a < b { b } else { a })
    }
}

fn per_minute(sample: &Sample) -> Vec<(MinuteUtc, RequestsPerMinute)> {
    let minutes = sample.period.minutes().0;
    let rate =
        sample.get(Metric::Requests).and_then(|sum| RequestsPerMinute::new(sum / f64::from(minutes)).ok());
    rate.into_iter()
        .flat_map(|rate| (0..minutes).map(move |i| (sample.minute_utc + Minutes(i), rate)))
        .collect()
}

/// Why a trace can't be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// No minute with requests.
    #[error("of the {minutes} minutes of the trace no requests are known")]
    NothingKnown {
        /// All minutes.
        minutes: usize,
    },
    /// No alarm could ever fire.
    #[error("the trace of {minutes} minutes is shorter than the {window} that the alarm looks at")]
    ShorterThanWindow {
        /// All minutes.
        minutes: usize,
        /// Period times evaluation periods.
        window: Minutes,
    },
}

/// Steps in which requests are counted, to one of them: sums of five minutes are spread over their minutes.
const STEPS_PER_REQUEST: f64 = 1024.0;

/// What the traffic asks of the instances, one entry a minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Load {
    /// The minute of the first entry.
    pub start: MinuteUtc,
    /// CPU percent of an instance without requests.
    pub intercept_percent: f64,
    /// CPU percent of one instance for one request per minute.
    pub coefficient: f64,
    /// CPU percent beyond the intercept that one instance would show if it served everything, not kept
    /// within 100. NaN where the requests are not known: a plain number keeps the replay fast.
    pub demand_percent: Vec<f64>,
    /// CPU percent that each instance shows beyond the line in each minute, as recorded: the alarms see it, and
    /// the verdict does not. Empty for a line without strays.
    pub stray_percent: Vec<f64>,
}

impl Load {
    /// `traffic` in CPU percent, as `model` has it.
    pub fn new(traffic: &Traffic, model: CpuModel) -> Self {
        let demand =
            |rate: &Option<RequestsPerMinute>| rate.map_or(f64::NAN, |rate| rate.get() * model.coefficient());
        Self {
            start: traffic.start,
            intercept_percent: model.intercept_percent(),
            coefficient: model.coefficient(),
            stray_percent: Vec::new(),
            demand_percent: traffic.requests_per_minute.iter().map(demand).collect(),
        }
    }

    /// Refuses a trace of which nothing is known, and one that is shorter than what an alarm looks at.
    pub fn check(&self, window: Minutes) -> Result<(), TraceError> {
        let minutes = self.demand_percent.len();
        if minutes == 0 || self.demand_percent.iter().all(|demand| demand.is_nan()) {
            return Err(TraceError::NothingKnown { minutes });
        }
        let long_enough = window.0 as usize <= minutes;
        long_enough.then_some(()).ok_or(TraceError::ShorterThanWindow { minutes, window })
    }

    /// How far CPU strays from the line in that minute.
    pub(crate) fn stray_percent(&self, minute: usize) -> f64 {
        self.stray_percent.get(minute).copied().unwrap_or(0.0)
    }

    /// Requests in that minute; NaN where they are not known. In steps that are finer than anything that could matter: as many
    /// requests are the same number, whatever one costs, and stand alike to a threshold.
    pub(crate) fn requests(&self, minute: usize) -> f64 {
        (self.demand_percent[minute] / self.coefficient * STEPS_PER_REQUEST).round() / STEPS_PER_REQUEST
    }

    /// The greatest known demand, 0 if none is.
    pub fn peak_percent(&self) -> f64 {
        self.demand_percent.iter().copied().fold(0.0, f64::max)
    }
}
