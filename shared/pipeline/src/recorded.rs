//! Metrics that others have exported: JSON of the AWS command line, and CSV.
//!
//! The kind of a file is seen from its content. Points are joined by their time, never by their position, and
//! may come in any order. An error names the file, the row or the series, the value, and what was expected.

pub mod activities;
mod columns;
mod csv;
pub mod ebextensions;
mod gather;
mod json;
pub mod locust;
mod notation;
pub mod settings;
mod text;

use std::fmt;

use jiff::Timestamp;
use scaling::sample::{Metric, Period};
use scaling::units::{MinuteUtc, UnitError};

pub use columns::{Condition, Form, Target};
pub use gather::Recording;
pub(crate) use gather::rounded;

use crate::fill::has_basic_monitoring_only;
use gather::Gathered;
use text::Text;

/// A file.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name, for messages.
    pub name: String,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// What the files don't say by themselves.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// CSV: what each metric is made of.
    pub columns: Vec<(Target, Form)>,
    /// JSON: what each series is, by its id.
    pub series: Vec<(String, Target)>,
    /// CSV: rows that count.
    pub conditions: Vec<Condition>,
    /// CSV: the column that holds the time.
    pub time_column: Option<String>,
    /// CSV without time: the first row's.
    pub start: Option<MinuteUtc>,
    /// Seconds between rows, or the period of the metrics.
    pub period_seconds: Option<u32>,
    /// CSV: refuse rows whose time goes back, since their order is part of what is meant.
    pub in_order: bool,
}

impl Options {
    /// Refuses what is about tables where there is none, rather than to pass over it.
    fn check_tables(&self, texts: &[Text<'_>]) -> Result<(), RecordedError> {
        let Some(text) = texts.first().filter(|_| texts.iter().all(|text| text.is_json())) else {
            return Ok(());
        };
        let about_tables = [
            ("--column", !self.columns.is_empty()),
            ("--where", !self.conditions.is_empty()),
            ("--time-column", self.time_column.is_some()),
        ];
        let given = about_tables.into_iter().find(|(_, is_given)| *is_given);
        given.map_or(Ok(()), |(option, _)| Err(RecordedError::NoTable { option, file: text.file.to_owned() }))
    }

    /// What the series of that id or name was stated to be.
    fn stated(&self, series: &str) -> Option<Target> {
        self.series.iter().find(|(stated, _)| stated == series).map(|(_, target)| *target)
    }
}

/// Something that whoever reads the result should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// CloudWatch said it.
    Message(String),
    /// A series without points.
    Empty(String),
    /// A series that is no metric of ours.
    Unknown(String),
    /// A series whose last page says that there is more.
    Partial(String),
    /// A file that ends with the token of a page that is not there.
    NextPageMissing(String),
    /// A file with rows per zone, of which only those of the whole load balancer count.
    WholeLoadBalancer(String),
    /// Minutes left out since they have less than half of their rows.
    ThinMinutes(usize),
    /// Which series counts the instances.
    InstancesBy(String),
    /// CPU comes every five minutes only.
    BasicMonitoring,
    /// A metric that has stopped.
    Silent {
        /// Which.
        metric: &'static str,
        /// The end of its newest point, if there is any.
        since: Option<MinuteUtc>,
    },
    /// The environment has another group than before: it was rebuilt, or another one has its name now.
    Rebuilt {
        /// The group before.
        before: String,
        /// The group now.
        now: String,
    },
    /// The limits in force are not those of the options.
    LimitsDiffer {
        /// `MinSize` and `MaxSize`.
        options: (u32, u32),
        /// Those of the group.
        live: (u32, u32),
    },
    /// The group does not do all that it should.
    Suspended {
        /// As AWS names them.
        processes: String,
    },
    /// The settings are those of now, and the metrics are not.
    SettingsNotKept {
        /// Where the metrics end.
        until: MinuteUtc,
    },
    /// No row of a file is one that should be taken.
    NoRowHolds {
        /// The file.
        file: String,
        /// What should hold of a row.
        conditions: Vec<String>,
        /// How many rows there are.
        rows: usize,
    },
    /// A file has times that don't say where.
    TimesWithoutZone,
    /// CPU that is never over 1 percent, as if it were written from 0 to 1.
    CpuMayBeShare {
        /// The column that it comes from.
        column: String,
    },
    /// Points that their metric can't have.
    Refused {
        /// Which.
        metric: &'static str,
        /// How many.
        count: usize,
    },
}

impl Note {
    /// The series that counts the instances, if that is what it says.
    pub fn instances_by(&self) -> Option<&str> {
        if let Self::InstancesBy(series) = self { Some(series) } else { None }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(text) => write!(f, "CloudWatch says: {text}"),
            Self::Empty(series) => write!(f, "{series} has no points"),
            Self::Unknown(series) => {
                write!(f, "{series} is no metric known here; say what it is with --series ID=METRIC")
            }
            Self::Partial(series) => write!(f, "{series} ends with PartialData: points are missing"),
            Self::NextPageMissing(file) => {
                write!(f, "`{file}` ends with a NextToken: fetch the next page too")
            }
            Self::WholeLoadBalancer(file) => write!(
                f,
                "`{file}` has rows per zone: taken are those without a zone, which are the whole load balancer's"
            ),
            Self::ThinMinutes(count) => {
                write!(f, "{count} minutes with less than half of their rows were left out")
            }
            Self::InstancesBy(series) => write!(f, "instances are counted by {series}"),
            Self::BasicMonitoring => write!(
                f,
                "CPU comes every 5 minutes (basic monitoring): a trigger's Period of less than 5 can't work on it"
            ),
            Self::Silent { metric, since: Some(since) } => write!(
                f,
                "`{metric}` has had no points since {since}: the metric went silent; those minutes are unknown, not zero"
            ),
            Self::Silent { metric, since: None } => {
                write!(f, "`{metric}` has no points at all: those minutes are unknown, not zero")
            }
            Self::Rebuilt { before, now } => write!(
                f,
                "the environment was rebuilt: its group is `{now}` and was `{before}`; what was recorded before is that group's"
            ),
            Self::LimitsDiffer { options: (min, max), live: (live_min, live_max) } => write!(
                f,
                "the group runs {live_min} to {live_max} instances, the options say {min} to {max}: a scheduled action, or a change by hand"
            ),
            Self::Suspended { processes } => {
                write!(f, "the group has suspended {processes}: it does not scale as its settings say")
            }
            Self::SettingsNotKept { until } => write!(
                f,
                "the settings were not kept: they are those of now, and the time that was asked for ends at {until}"
            ),
            Self::NoRowHolds { file, conditions, rows } => write!(
                f,
                "--where {} holds of none of the {rows} rows of `{file}`",
                conditions.join(" --where ")
            ),
            Self::TimesWithoutZone => write!(
                f,
                "times without a zone are taken as UTC; if they are local, export them with their zone, as in 2026-11-02T00:05:00+01:00"
            ),
            Self::CpuMayBeShare { column } => write!(
                f,
                "no CPU value is over 1: if they are shares, say --column 'cpu_percent={column}*100'"
            ),
            Self::Refused { metric, count } => {
                write!(f, "{count} points of `{metric}` were left out: no value that it can have")
            }
        }
    }
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum RecordedError {
    /// Nothing in it.
    #[error("`{file}` is empty")]
    Empty {
        /// The file.
        file: String,
    },
    /// A table of nothing.
    #[error("`{file}` has a header and no rows")]
    NoRows {
        /// The file.
        file: String,
    },
    /// Text of another encoding.
    #[error("`{file}` is in UTF-16: save it as UTF-8; in PowerShell: … | Out-File -Encoding utf8 FILE")]
    Utf16 {
        /// The file.
        file: String,
    },
    /// Neither JSON nor a table.
    #[error("`{file}` is neither JSON nor a table of metrics; it begins with `{beginning}`")]
    NoExport {
        /// The file.
        file: String,
        /// Its first characters.
        beginning: String,
    },
    /// Not what it seems to be.
    #[error("`{file}` is not {expected}")]
    Unreadable {
        /// The file.
        file: String,
        /// What it would have to be.
        expected: &'static str,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// JSON, of another kind.
    #[error(
        "`{file}` is neither the output of `get-metric-data` (no `MetricDataResults`) nor of `get-metric-statistics` (no `Datapoints`)"
    )]
    OtherJson {
        /// The file.
        file: String,
    },
    /// CloudWatch could not answer for a series.
    #[error("`{file}`: {series} has status `{status}`: CloudWatch gave no data for it")]
    SeriesFailed {
        /// The file.
        file: String,
        /// The series.
        series: String,
        /// What CloudWatch said.
        status: String,
    },
    /// As many timestamps as values are needed.
    #[error("`{file}`: {series} has {timestamps} timestamps and {values} values")]
    Lengths {
        /// The file.
        file: String,
        /// The series.
        series: String,
        /// How many timestamps.
        timestamps: usize,
        /// How many values.
        values: usize,
    },
    /// The wrong statistic was asked for.
    #[error("`{file}`: `{label}` needs the statistic `{needed}`, and has {there}")]
    Statistic {
        /// The file.
        file: String,
        /// The metric's name.
        label: String,
        /// The statistic that means something.
        needed: &'static str,
        /// Those that are there.
        there: String,
    },
    /// A value is none.
    #[error("{place}: `{value}` is not {expected}")]
    Value {
        /// File and row, or file and series.
        place: String,
        /// What is there.
        value: String,
        /// What would have to be.
        expected: String,
    },
    /// A start of rows that have their own times.
    #[error(
        "--start is for files without a time column; `{file}` has `{column}`: leave --start out, or rename the column if it is not the time"
    )]
    StartBesideTimes {
        /// The file.
        file: String,
        /// The column that holds the time.
        column: String,
    },
    /// A start of points that have their own times.
    #[error(
        "--start is for CSV without a time column; `{file}` is JSON, whose points have times of their own: leave --start out"
    )]
    StartBesidePoints {
        /// The file.
        file: String,
    },
    /// What is about tables, without a table.
    #[error(
        "{option} is about CSV, and `{file}` is JSON; leave it out, or say with --series what a series is"
    )]
    NoTable {
        /// The option.
        option: &'static str,
        /// One of the files.
        file: String,
    },
    /// A series that is stated to be something is not there.
    #[error("no series has the id `{series}` of --series; {there}")]
    NoSeries {
        /// Its id.
        series: String,
        /// Those that are there.
        there: String,
    },
    /// Two values for one period.
    #[error("{first} and {second} both hold `{metric}` of {minute}")]
    Duplicate {
        /// Where one is.
        first: String,
        /// Where the other is.
        second: String,
        /// Which metric.
        metric: &'static str,
        /// The period's start.
        minute: MinuteUtc,
    },
    /// Two series claim to be the same metric.
    #[error("{first} and {second} would both be `{metric}`; say which with {how}")]
    Ambiguous {
        /// One of them.
        first: String,
        /// The other.
        second: String,
        /// Which metric.
        metric: &'static str,
        /// The flag that decides.
        how: &'static str,
    },
    /// Not what Locust writes.
    #[error(
        "`{file}` has no column `{column}`; it has {there}. Locust writes the right file with `--csv NAME --csv-full-history`, as NAME_stats_history.csv"
    )]
    NotLocust {
        /// Which file.
        file: String,
        /// What it should have.
        column: String,
        /// What it has.
        there: String,
    },
    /// A column is not there.
    #[error("`{file}` has no column `{column}`; it has {there}")]
    NoColumn {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Those that are there.
        there: String,
    },
    /// No column is known by its name.
    #[error("`{file}` has no column that is {what}; it has {there}. Name one with {how}")]
    NothingKnown {
        /// The file.
        file: String,
        /// What was looked for.
        what: &'static str,
        /// The columns that are there.
        there: String,
        /// The flag that helps.
        how: &'static str,
    },
    /// Rows of several zones and none of the whole.
    #[error(
        "`{file}` has rows per zone and none of the whole load balancer: where cross-zone balancing is on, each zone already counts all instances, so they are not added up. Take one with --where {column}=…"
    )]
    ZonesOnly {
        /// The file.
        file: String,
        /// The column that holds the zone.
        column: String,
    },
    /// The rows are too far apart.
    #[error("`{file}` has a row every {seconds} s; rows of up to a minute, or of 5 minutes, can be used")]
    Period {
        /// The file.
        file: String,
        /// The usual distance.
        seconds: i64,
    },
    /// Samples of CPU are counted over five minutes.
    #[error(
        "{place} counts the samples of five minutes: with detailed monitoring that is five for each instance, and with basic monitoring one; take GroupInServiceInstances or HealthyHostCount, or say that it is `in_service` if it is one"
    )]
    SamplesByFive {
        /// The file, and the series or column.
        place: String,
    },
    /// The points of a series are too far apart.
    #[error(
        "{place} has a point every {seconds} s at the most; those of a minute, or of 5 minutes, can be used. If the rest are gaps, say --period 60 or --period 300"
    )]
    SeriesPeriod {
        /// The file and the series.
        place: String,
        /// What all distances are multiples of.
        seconds: i64,
    },
    /// The rows are closer together than it was said.
    #[error(
        "{place}: most values are {usual} s apart, and --period says {stated}: leave --period out, or state how far apart they are"
    )]
    CloserThanStated {
        /// The file, and what of it.
        place: String,
        /// The usual distance, in seconds.
        usual: i64,
        /// The stated one.
        stated: u32,
    },
    /// A period that no metric has.
    #[error("a period must be 1 to 60 s, or 300 s, not `{0}`")]
    StatedPeriod(u32),
    /// A form, target or condition that can't be read.
    #[error("`{text}` is not {expected}")]
    Option {
        /// What was written.
        text: String,
        /// What would have to be.
        expected: &'static str,
    },
}

/// Reads all files and joins what they hold.
///
/// ```
/// use pipeline::recorded::{Options, Source, read};
///
/// let csv = "timestamp,requests,cpu_percent\n2026-11-02T00:00:00Z,1200,17.5\n";
/// let source = Source { name: "week.csv".into(), bytes: csv.into() };
/// assert_eq!(read(&[source], &Options::default())?.samples.len(), 1);
///
/// let csv = "timestamp,requests\n2026-11-02T00:00:00Z,many\n";
/// let source = Source { name: "week.csv".into(), bytes: csv.into() };
/// let refused = read(&[source], &Options::default()).unwrap_err().to_string();
/// assert_eq!(refused, "`week.csv`, row 2, column `requests`: `many` is not a number (leave the cell empty where nothing is known)");
/// # Ok::<(), pipeline::recorded::RecordedError>(())
/// ```
pub fn read(sources: &[Source], options: &Options) -> Result<Recording, RecordedError> {
    if let Some(seconds) =
        options.period_seconds.filter(|seconds| !(1..=60).contains(seconds) && *seconds != 300)
    {
        return Err(RecordedError::StatedPeriod(seconds));
    }
    let texts = sources.iter().map(|source| Text::of(&source.name, &source.bytes));
    let texts = texts.collect::<Result<Vec<Text<'_>>, RecordedError>>()?;
    options.check_tables(&texts)?;
    let mut gathered = Gathered::default();
    let mut pages = json::Pages::default();
    for text in texts {
        match (text.is_json(), options.start) {
            (true, Some(_)) => {
                return Err(RecordedError::StartBesidePoints { file: text.file.to_owned() });
            }
            (true, None) => pages.read(text, &mut gathered)?,
            (false, _) => csv::read(text, options, &mut gathered)?,
        }
    }
    pages.finish(options, &mut gathered)?;
    gathered.check_stated(options)?;
    let mut recording = gathered.finish();
    if has_basic_monitoring_only(&recording.samples) {
        recording.notes.push(Note::BasicMonitoring);
    }
    Ok(recording)
}

/// The minute of a point; `place` is named where there is none.
fn minute(timestamp: Timestamp, place: &str) -> Result<MinuteUtc, RecordedError> {
    MinuteUtc::containing(timestamp).map_err(|UnitError::OutOfRange { expected, .. }| RecordedError::Value {
        place: place.to_owned(),
        value: timestamp.to_string(),
        expected: format!("a time {expected}"),
    })
}

/// Seconds from each time to the next, the shortest first.
fn distances(times: impl Iterator<Item = Timestamp>) -> Vec<i64> {
    let mut seconds: Vec<i64> = times.map(Timestamp::as_second).collect();
    seconds.sort_unstable();
    seconds.dedup();
    let mut distances: Vec<i64> = seconds.windows(2).map(|pair| pair[1] - pair[0]).collect();
    distances.sort_unstable();
    distances
}

/// The period of points at `times`: as stated, else five minutes if every distance between two is a multiple of them, and
/// else one.
fn usual_period(
    options: &Options,
    times: impl Iterator<Item = Timestamp>,
    metric: Metric,
    place: &str,
) -> Result<Period, RecordedError> {
    let distances = distances(times);
    check_stated_period(options, &distances, place)?;
    if let Some(seconds) = options.period_seconds {
        return Period::from_seconds(seconds).ok_or(RecordedError::StatedPeriod(seconds));
    }
    // Errors come when they like, be it on the hour.
    match longer_period(&distances).filter(|_| metric != Metric::Http5xx) {
        Some(seconds) => Err(RecordedError::SeriesPeriod { place: place.to_owned(), seconds }),
        None if !distances.is_empty() && distances.iter().all(|distance| distance % 300 == 0) => {
            Ok(Period::FiveMinutes)
        }
        None => Ok(Period::OneMinute),
    }
}

/// A period that is neither a minute nor five, where so many distances are multiples of it that they are no gaps.
fn longer_period(distances: &[i64]) -> Option<i64> {
    const ENOUGH: usize = 10;
    let divisor = |mut a: i64, mut b: i64| {
        while b != 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let all = distances.iter().fold(0, |all, distance| divisor(all, *distance));
    (ENOUGH <= distances.len() && 60 < all && all % 60 == 0 && all != 300).then_some(all)
}

/// Refuses a stated period that most distances are shorter than, by more than the clock of a recorder errs. Longer
/// ones are gaps.
fn check_stated_period(options: &Options, distances: &[i64], place: &str) -> Result<(), RecordedError> {
    match (options.period_seconds, distances.get(distances.len() / 2)) {
        (Some(stated), Some(&usual)) if usual * 10 < i64::from(stated) * 9 => {
            Err(RecordedError::CloserThanStated { place: place.to_owned(), usual, stated })
        }
        _ => Ok(()),
    }
}
