//! Values as people write them, in flags, files and events: lists and ranges, percentages, margins, stages,
//! days, crowds, instants.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use scaling::recommendation::MOST_ROOM;
use scaling::traffic::{Crowd, Stage};
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, RequestsPerMinute, Seconds, UnitError};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::sweep::{Day, GridOverrides, Margins};

/// Whole numbers to try: `5`, `1,2,4`, `20..80:5` (from, to, step; the ends are in it), or a mix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values(pub Vec<u32>);

impl FromStr for Values {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let lists: Result<Vec<Vec<u32>>, String> = text.split(',').map(|part| range(part.trim())).collect();
        Ok(Self(lists?.concat()))
    }
}

fn range(text: &str) -> Result<Vec<u32>, String> {
    let number = |text: &str| {
        text.trim().parse::<u32>().map_err(|_| format!("`{text}` is not a whole number, 0 or more"))
    };
    let Some((from, rest)) = text.split_once("..") else { return Ok(vec![number(text)?]) };
    let (to, step) = rest.split_once(':').unwrap_or((rest, "1"));
    let (from, to, step) = (number(from)?, number(to)?, number(step)?);
    if step == 0 || to < from {
        return Err(format!("`{text}` names nothing: write from..to:step, as in `20..80:5`"));
    }
    if (to - from) / step >= 10_000 {
        return Err(format!("`{text}` names over 10000 values"));
    }
    Ok((from..=to).step_by(step as usize).collect())
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a whole number, a list of them, or text like \"20..80:5\"")]
        enum Written {
            One(u32),
            Many(Vec<u32>),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::One(value) => Ok(Self(vec![value])),
            Written::Many(values) => Ok(Self(values)),
            Written::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

/// Reads a value from text, as it is written in a flag.
macro_rules! deserialize_from_text {
    ($type:ty) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }
    };
}

deserialize_from_text!(Stages);
deserialize_from_text!(Instant);
deserialize_from_text!(Day);

/// Values to try in place of the plausible ones, as they are written.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CandidateValues {
    /// `UpperThreshold`, CPU percent.
    pub upper_thresholds: Option<Values>,
    /// `LowerThreshold`, CPU percent.
    pub lower_thresholds: Option<Values>,
    /// `UpperBreachScaleIncrement`, instances.
    pub upper_breach_scale_increments: Option<Values>,
    /// `LowerBreachScaleIncrement`, instances to remove, as a positive number.
    pub lower_breach_scale_increments: Option<Values>,
    /// `Period`, minutes.
    pub periods: Option<Values>,
    /// `EvaluationPeriods`.
    pub evaluation_periods: Option<Values>,
    /// `Cooldown`, seconds.
    pub cooldowns: Option<Values>,
    /// `MinSize`, instances.
    pub min_sizes: Option<Values>,
    /// `MaxSize`, instances.
    pub max_sizes: Option<Values>,
}

impl CandidateValues {
    /// The same with their units. Refuses thresholds over 100.
    pub fn overrides(self) -> Result<GridOverrides, UnitError> {
        let instances = |values| each(values, Instances);
        Ok(GridOverrides {
            upper_thresholds: percents(self.upper_thresholds)?,
            lower_thresholds: percents(self.lower_thresholds)?,
            upper_breach_scale_increments: instances(self.upper_breach_scale_increments),
            lower_breach_scale_increments: instances(self.lower_breach_scale_increments),
            periods: each(self.periods, Minutes),
            evaluation_periods: each(self.evaluation_periods, |count| count),
            cooldowns: each(self.cooldowns, Seconds),
            min_sizes: instances(self.min_sizes),
            max_sizes: instances(self.max_sizes),
        })
    }
}

fn each<T>(values: Option<Values>, unit: impl Fn(u32) -> T) -> Option<Vec<T>> {
    values.map(|Values(values)| values.into_iter().map(unit).collect())
}

fn percents(values: Option<Values>) -> Result<Option<Vec<CpuPercent>>, UnitError> {
    let percent = |value| CpuPercent::new(f64::from(value));
    values.map(|Values(values)| values.into_iter().map(percent).collect()).transpose()
}

/// A CPU percentage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent(pub CpuPercent);

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        CpuPercent::new(percentage(text)?).map(Self).map_err(|error| error.to_string())
    }
}

/// A number, with or without a percent sign.
fn percentage(text: &str) -> Result<f64, String> {
    let number = text.trim().trim_end_matches('%').trim_end();
    number.parse().map_err(|_| format!("`{text}` is not a number"))
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        CpuPercent::new(f64::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

/// Times the traffic that a setting must bear beside the traffic as it was: `1.1,1.25`, or `none`.
#[derive(Debug, Clone, PartialEq)]
pub struct Amplify(Vec<f64>);

impl Amplify {
    /// Refuses factors that make less of the traffic, or more than room is looked for. The traffic as it was is one
    /// that a setting must bear anyway.
    pub fn new(mut factors: Vec<f64>) -> Result<Self, UnitError> {
        if let Some(&value) = factors.iter().find(|factor| !(1.0..=MOST_ROOM).contains(*factor)) {
            let (quantity, expected) = ("times the traffic", "from 1 to 3");
            return Err(UnitError::OutOfRange { quantity, expected, value });
        }
        factors.retain(|factor| 1.0 < *factor);
        Ok(Self(factors))
    }
}

impl FromStr for Amplify {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text == "none" {
            return Ok(Self(vec![]));
        }
        let expected =
            |part: &str| format!("`{part}` is not a number: write a list like `1.1,1.25`, or `none`");
        let number = |part: &str| part.trim().parse::<f64>().map_err(|_| expected(part));
        let factors: Result<Vec<f64>, String> = text.split(',').map(number).collect();
        Self::new(factors?).map_err(|error| error.to_string())
    }
}

impl<'de> Deserialize<'de> for Amplify {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a number, a list of them, or text like \"1.1,1.25\" or \"none\"")]
        enum Written {
            One(f64),
            Many(Vec<f64>),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::One(factor) => Self::new(vec![factor]).map_err(D::Error::custom),
            Written::Many(factors) => Self::new(factors).map_err(D::Error::custom),
            Written::Text(text) => text.parse().map_err(D::Error::custom),
        }
    }
}

/// Percent more than the cheapest setting that one may cost and be as good.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NearPercent(f64);

impl NearPercent {
    /// Beyond it, room would be bought and not found.
    const MOST: f64 = 20.0;

    /// Refuses what is dearer by more than a saving is worth.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        let in_range = (0.0..=Self::MOST).contains(&value);
        let (quantity, expected) = ("percent over the cheapest", "from 0 to 20");
        in_range.then_some(Self(value)).ok_or(UnitError::OutOfRange { quantity, expected, value })
    }
}

impl FromStr for NearPercent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(percentage(text)?).map_err(|error| error.to_string())
    }
}

impl<'de> Deserialize<'de> for NearPercent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Percent of the instance hours that a change must save to be worth a message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GainPercent(f64);

impl GainPercent {
    const MOST: f64 = 50.0;

    /// Refuses what no change would reach.
    pub fn new(value: f64) -> Result<Self, UnitError> {
        let in_range = (0.0..=Self::MOST).contains(&value);
        let (quantity, expected) = ("percent to be saved", "from 0 to 50");
        in_range.then_some(Self(value)).ok_or(UnitError::OutOfRange { quantity, expected, value })
    }

    /// As a share.
    pub fn share(self) -> f64 {
        self.0 / 100.0
    }
}

impl FromStr for GainPercent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::new(percentage(text)?).map_err(|error| error.to_string())
    }
}

impl<'de> Deserialize<'de> for GainPercent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl Margins {
    /// As they are written; those by default for what is not.
    pub fn written(amplify: Option<Amplify>, near: Option<NearPercent>) -> Self {
        let default = Self::default();
        Self {
            amplified: amplify.map_or(default.amplified, |Amplify(factors)| factors),
            near_share: near.map_or(default.near_share, |NearPercent(percent)| percent / 100.0),
        }
    }
}

/// A CPU percentage that should not be reached, or `auto`: nobody says so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ceiling(pub Option<CpuPercent>);

impl FromStr for Ceiling {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "auto" => Ok(Self(None)),
            percent => percent.parse().map(|Percent(percent)| Self(Some(percent))),
        }
    }
}

/// USD for an hour of an instance.
///
/// ```
/// use pipeline::values::Price;
///
/// assert_eq!("0.0416".parse::<Price>()?.usd(), 0.0416);
/// let refused = Price::new(-1.0).unwrap_err();
/// assert_eq!(refused.to_string(), "the price of an instance-hour must be above 0 USD, not `-1`");
/// # Ok::<(), String>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price(f64);

impl Price {
    /// Refuses what is not above 0, or not a number.
    pub fn new(usd: f64) -> Result<Self, UnitError> {
        let (quantity, expected) = ("the price of an instance-hour", "above 0 USD");
        let is_price = usd.is_finite() && 0.0 < usd;
        is_price.then_some(Self(usd)).ok_or(UnitError::OutOfRange { quantity, expected, value: usd })
    }

    /// USD an hour.
    pub fn usd(self) -> f64 {
        self.0
    }
}

impl FromStr for Price {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let usd: f64 = text.trim().parse().map_err(|_| format!("`{text}` is not a number of USD"))?;
        Self::new(usd).map_err(|error| error.to_string())
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

/// Stages of traffic: `10:30000,8:150000` is 10 minutes up to 30000 requests a minute, then 8 up to 150000.
#[derive(Debug, Clone, PartialEq)]
pub struct Stages(pub Vec<Stage>);

impl FromStr for Stages {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let stages: Result<Vec<Stage>, String> = text.split(',').map(stage).collect();
        let stages = stages?;
        let minutes: u64 = stages.iter().map(|stage| u64::from(stage.duration.0)).sum();
        if minutes > 366 * 24 * 60 { Err("the stages last over a year".to_owned()) } else { Ok(Self(stages)) }
    }
}

fn stage(text: &str) -> Result<Stage, String> {
    let expected = || format!("`{text}` is not a stage: write minutes:requests-per-minute, as in `10:30000`");
    let (minutes, target) = text.split_once(':').ok_or_else(expected)?;
    let minutes = minutes.trim().trim_end_matches('m');
    let duration = minutes.parse().ok().filter(|minutes| *minutes > 0).map(Minutes).ok_or_else(expected)?;
    let target = target.trim().parse().ok().and_then(|rate| RequestsPerMinute::new(rate).ok());
    Ok(Stage { duration, target: target.ok_or_else(expected)? })
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "busiest" {
            return Ok(Self::Busiest);
        }
        let minute = text.trim().parse::<Date>().ok().and_then(|date| universal(date.at(0, 0, 0, 0)));
        minute.map(Self::Of).ok_or_else(|| format!("`{text}` is not a day: write 2026-11-05, or `busiest`"))
    }
}

/// A flash crowd: `3:5:20@2026-11-05T14:00Z` is 3 times the traffic from then on, there within 5 minutes, held for 20.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "CrowdFields")]
pub struct FlashCrowd(pub Crowd);

/// The same in an event.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CrowdFields {
    height: f64,
    ramp_minutes: u32,
    hold_minutes: u32,
    at: Instant,
}

impl TryFrom<CrowdFields> for FlashCrowd {
    type Error = UnitError;

    fn try_from(fields: CrowdFields) -> Result<Self, UnitError> {
        let CrowdFields { height, ramp_minutes, hold_minutes, at } = fields;
        Crowd::new(at.0, height, Minutes(ramp_minutes), Minutes(hold_minutes)).map(Self)
    }
}

impl FromStr for FlashCrowd {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!("`{text}` is not a crowd: write height:ramp:hold@when, as in `3:5:20@2026-11-05T14:00Z`")
        };
        let (shape, at) = text.split_once('@').ok_or_else(expected)?;
        let parts: Vec<&str> = shape.split(':').map(str::trim).collect();
        let [height, ramp, hold] = parts[..] else { return Err(expected()) };
        let minutes = |part: &str| part.trim_end_matches('m').parse().map_err(|_| expected());
        let height = height.trim_end_matches('x').parse().map_err(|_| expected())?;
        let (ramp_minutes, hold_minutes) = (minutes(ramp)?, minutes(hold)?);
        let fields = CrowdFields { height, ramp_minutes, hold_minutes, at: at.trim().parse()? };
        Self::try_from(fields).map_err(|error| error.to_string())
    }
}

/// An instant: `2026-11-15T14:00:00Z`, `2026-11-15T14:00` of universal time, or a day, which stands for its first minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant(pub MinuteUtc);

impl FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let timestamp = text.parse::<Timestamp>().ok().and_then(|at| MinuteUtc::containing(at).ok());
        timestamp
            .or_else(|| universal(text.parse().ok()?))
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not an instant: write 2026-11-15T00:00:00Z or 2026-11-15"))
    }
}

/// The minute of universal time that a clock without a zone shows.
fn universal(clock: DateTime) -> Option<MinuteUtc> {
    MinuteUtc::containing(TimeZone::UTC.to_timestamp(clock).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_both_its_ends() {
        assert_eq!("20..35:5, 50".parse(), Ok(Values(vec![20, 25, 30, 35, 50])));
    }

    #[test]
    fn what_names_nothing_is_refused_with_an_example() {
        for text in ["80..20", "1..5:0", "a", "", "1..", "-1"] {
            assert!(text.parse::<Values>().is_err(), "`{text}`");
        }
    }

    #[test]
    fn stages_are_minutes_and_targets() {
        let Stages(stages) = "10m:30000, 8:150000".parse().unwrap();
        assert_eq!(stages.iter().map(|stage| stage.duration.0).collect::<Vec<_>>(), [10, 8]);
        for text in ["10", "0:5", "10:-5", "10:nan", ":", "x:1"] {
            assert!(text.parse::<Stages>().unwrap_err().contains("is not a stage"), "`{text}`");
        }
    }

    #[test]
    fn margins_are_factors_and_a_percentage_or_those_by_default() {
        let written = |amplify: &str, near: &str| Margins::written(amplify.parse().ok(), near.parse().ok());
        let amplified = vec![1.5, 2.0];
        assert_eq!(written(" 1, 1.5, 2", "5 %"), Margins { amplified, near_share: 0.05 });
        assert_eq!(written("none", "0"), Margins { amplified: vec![], near_share: 0.0 });
        assert_eq!(Margins::written(None, None), Margins::default());
    }

    #[test]
    fn margins_out_of_range_are_refused_by_their_number() {
        for (text, expected) in [
            ("1.1,0.9", "times the traffic must be from 1 to 3, not `0.9`"),
            ("4", "times the traffic must be from 1 to 3, not `4`"),
            ("nan", "times the traffic must be from 1 to 3, not `NaN`"),
            ("1.1,,2", "`` is not a number: write a list like `1.1,1.25`, or `none`"),
        ] {
            assert_eq!(text.parse::<Amplify>(), Err(expected.to_owned()));
        }
        let refused = "25".parse::<NearPercent>();
        assert_eq!(refused, Err("percent over the cheapest must be from 0 to 20, not `25`".to_owned()));
    }

    #[test]
    fn a_ceiling_is_a_percentage_or_left_to_the_environment() {
        assert_eq!("auto".parse(), Ok(Ceiling(None)));
        assert_eq!("60".parse(), Ok(Ceiling(CpuPercent::new(60.0).ok())));
        for text in ["", "automatic", "120"] {
            assert!(text.parse::<Ceiling>().is_err(), "`{text}`");
        }
    }

    #[test]
    fn a_day_stands_for_its_first_minute() {
        let day: Instant = "2026-11-15".parse().unwrap();
        assert_eq!(Ok(day), "2026-11-15T00:00:00Z".parse());
        assert_eq!(Ok(day), "2026-11-15T00:00".parse());
        assert_eq!("2026-11-15".parse(), Ok(Day::Of(day.0)));
        assert_eq!("busiest".parse(), Ok(Day::Busiest));
        for text in ["", "quietest", "2026-02-30", "2026-11-15T14:00Z"] {
            assert!(text.parse::<Day>().unwrap_err().contains("is not a day: write 2026-11-05"), "`{text}`");
        }
    }

    #[test]
    fn a_crowd_is_a_height_a_ramp_and_a_hold_at_an_instant() {
        let at = "2026-11-05T14:00Z".parse::<Instant>().unwrap().0;
        let crowd = Crowd::new(at, 3.0, Minutes(5), Minutes(20)).map(FlashCrowd);
        for text in
            ["3:5:20@2026-11-05T14:00Z", "3x:5m:20m @ 2026-11-05T14:00", "3:5:20@2026-11-05T15:00+01:00"]
        {
            assert_eq!(text.parse::<FlashCrowd>().ok(), crowd.clone().ok(), "`{text}`");
        }
        for (text, expected) in [
            ("3:5:20", "is not a crowd: write height:ramp:hold@when"),
            ("3:5@2026-11-05", "is not a crowd"),
            ("3:-5:20@2026-11-05", "is not a crowd"),
            ("3:5:20@noon", "`noon` is not an instant"),
            (
                "1:5:20@2026-11-05",
                "the height of a crowd must be over 1 and up to 100 times the traffic, not `1`",
            ),
            ("3:5:0@2026-11-05", "the hold of a crowd must be 1 to 1440 minutes, not `0`"),
            ("3:1441:1@2026-11-05", "the ramp of a crowd must be 0 to 1440 minutes, not `1441`"),
        ] {
            let refused = text.parse::<FlashCrowd>().unwrap_err();
            assert!(refused.contains(expected), "`{refused}` does not say `{expected}`");
        }
    }
}
