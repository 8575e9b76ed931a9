//! CSV: a row for each period with a column for each metric, or a row for each value.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use scaling::sample::{Metric, Period};
use scaling::units::MinuteUtc;

use super::columns::{Form, Resolved, Target};
use super::gather::{Gathered, rounded};
use super::notation::Notation;
use super::text::Text;
use super::{
    Note, Options, RecordedError, check_stated_period, distances, longer_period, minute, usual_period,
};

/// Takes one file.
pub(super) fn read(text: Text<'_>, options: &Options, gathered: &mut Gathered) -> Result<(), RecordedError> {
    let table = Table::parse(text, options, gathered)?;
    if table.has_local_times(options) {
        gathered.note(Note::TimesWithoutZone);
    }
    if table.is_long() { long(&table, options, gathered) } else { wide(&table, options, gathered) }
}

/// The rows that count, each with its number in the file (the header is row 1).
struct Table<'a> {
    file: &'a str,
    notation: Notation,
    headers: Vec<String>,
    rows: Vec<(u64, csv::StringRecord)>,
}

impl<'a> Table<'a> {
    fn parse(text: Text<'a>, options: &Options, gathered: &mut Gathered) -> Result<Self, RecordedError> {
        let mut table = Self::all_of(text, options)?;
        table.check_start(options)?;
        table.keep_where(options, gathered)?;
        table.keep_whole_load_balancer(gathered)?;
        Ok(table)
    }

    fn all_of(text: Text<'a>, options: &Options) -> Result<Self, RecordedError> {
        let unreadable = |error: csv::Error| RecordedError::Unreadable {
            file: text.file.to_owned(),
            expected: "CSV with a header and rows of its length",
            source: error.into(),
        };
        let notation = Notation::of(text.bytes);
        let mut builder = csv::ReaderBuilder::new();
        let mut reader = builder.delimiter(notation.separator).trim(csv::Trim::All).from_reader(text.bytes);
        let headers = reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
        let mut table = Self { file: text.file, notation, headers, rows: Vec::new() };
        let rows: Result<Vec<csv::StringRecord>, csv::Error> = reader.records().collect();
        match rows {
            Ok(rows) if rows.is_empty() && table.has_known_column(options) => {
                Err(RecordedError::NoRows { file: text.file.to_owned() })
            }
            Ok(rows) if rows.is_empty() => Err(text.is_no_export()),
            Err(_) if table.headers.len() == 1 && !table.has_known_column(options) => {
                Err(text.is_no_export())
            }
            rows => {
                table.rows = (2..).zip(rows.map_err(unreadable)?).collect();
                Ok(table)
            }
        }
    }

    fn has_known_column(&self, options: &Options) -> bool {
        let known = |name: &String| Target::known_as(name).is_some();
        self.time_column(options).is_ok() || self.headers.iter().any(known)
    }

    /// A start would put the rows elsewhere than their times do.
    fn check_start(&self, options: &Options) -> Result<(), RecordedError> {
        let Some((_, column)) = options.start.zip(self.time_column(options).ok()) else { return Ok(()) };
        if options.time_column.is_none() && !self.begins_with_a_date(column) {
            return Ok(());
        }
        let (file, column) = (self.file.to_owned(), self.headers[column].clone());
        Err(RecordedError::StartBesideTimes { file, column })
    }

    /// Else the column counts from nothing, or has times of a day; neither says when the row is.
    fn begins_with_a_date(&self, column: usize) -> bool {
        const IN_1973: i64 = 100_000_000;
        let first = self.rows.first().and_then(|(_, row)| instant(&row[column]));
        first.is_some_and(|first| first.as_second() > IN_1973)
    }

    fn is_long(&self) -> bool {
        ["metric", "value"].iter().all(|name| self.find(name).is_some())
    }

    fn find(&self, column: &str) -> Option<usize> {
        self.headers.iter().position(|header| header == column)
    }

    fn place(&self, column: &str) -> Result<usize, RecordedError> {
        self.find(column).ok_or_else(|| RecordedError::NoColumn {
            file: self.file.to_owned(),
            column: column.to_owned(),
            there: self.there(),
        })
    }

    fn there(&self) -> String {
        self.headers.iter().map(|header| format!("`{header}`")).collect::<Vec<_>>().join(", ")
    }

    fn keep_where(&mut self, options: &Options, gathered: &mut Gathered) -> Result<(), RecordedError> {
        let (rows, notation) = (self.rows.len(), self.notation);
        for condition in &options.conditions {
            let column = self.place(&condition.column)?;
            self.rows.retain(|(_, row)| condition.holds(&row[column], notation));
        }
        if self.rows.is_empty() {
            let conditions = options.conditions.iter().map(ToString::to_string).collect();
            gathered.notes.push(Note::NoRowHolds { file: self.file.to_owned(), conditions, rows });
        }
        Ok(())
    }

    /// With cross-zone balancing on, the rows of each zone count every instance: they are not added up.
    fn keep_whole_load_balancer(&mut self, gathered: &mut Gathered) -> Result<(), RecordedError> {
        const ZONE_COLUMNS: [&str; 4] = ["zone", "availability_zone", "AvailabilityZone", "az"];
        let Some(column) = ZONE_COLUMNS.iter().find_map(|name| self.find(name)) else { return Ok(()) };
        let zones: BTreeSet<&str> = self.rows.iter().map(|(_, row)| &row[column]).collect();
        if zones.len() < 2 {
            return Ok(());
        }
        if !zones.contains("") {
            let (file, column) = (self.file.to_owned(), self.headers[column].clone());
            return Err(RecordedError::ZonesOnly { file, column });
        }
        gathered.notes.push(Note::WholeLoadBalancer(self.file.to_owned()));
        self.rows.retain(|(_, row)| row[column].is_empty());
        Ok(())
    }

    fn cell_name(&self, row: u64, column: usize) -> String {
        format!("`{}`, row {row}, column `{}`", self.file, self.headers[column])
    }

    /// A number, or nothing.
    fn number(&self, row: &(u64, csv::StringRecord), column: usize) -> Result<Option<f64>, RecordedError> {
        let text = &row.1[column];
        if text.is_empty() {
            return Ok(None);
        }
        let number = self.notation.number(text).filter(|number| number.is_finite());
        let expected = if text.contains(',') {
            "a number like 1234.5, with a point for decimals and nothing between thousands"
        } else {
            "a number (leave the cell empty where nothing is known)"
        };
        number.map(Some).ok_or_else(|| RecordedError::Value {
            place: self.cell_name(row.0, column),
            value: text.to_owned(),
            expected: expected.to_owned(),
        })
    }

    fn instant(&self, row: &(u64, csv::StringRecord), column: usize) -> Result<Timestamp, RecordedError> {
        instant(&row.1[column]).ok_or_else(|| RecordedError::Value {
            place: self.cell_name(row.0, column),
            value: row.1[column].to_owned(),
            expected: "an instant like 2026-11-02T00:05:00Z".to_owned(),
        })
    }

    /// When each row is: as a column says, or in the order of the rows.
    fn times(&self, options: &Options) -> Result<Vec<Timestamp>, RecordedError> {
        if let (None, Some(start), Some(period)) =
            (&options.time_column, options.start, options.period_seconds)
        {
            let start = start.start().as_second();
            let seconds = (0..self.rows.len()).map(|index| start + index as i64 * i64::from(period));
            let late = |_| self.late(start);
            return seconds.map(|second| Timestamp::from_second(second).map_err(late)).collect();
        }
        let column = self.time_column(options)?;
        self.rows.iter().map(|row| self.instant(row, column)).collect()
    }

    fn late(&self, start: i64) -> RecordedError {
        RecordedError::Value {
            place: format!("`{}`", self.file),
            value: start.to_string(),
            expected: "a start from which all rows lie within the calendar".to_owned(),
        }
    }

    fn time_column(&self, options: &Options) -> Result<usize, RecordedError> {
        const NAMES: [&str; 7] =
            ["timestamp", "minute_utc", "minute", "time", "datetime", "Timestamp", "date"];
        if let Some(column) = &options.time_column {
            return self.place(column);
        }
        NAMES.iter().find_map(|name| self.find(name)).ok_or_else(|| RecordedError::NothingKnown {
            file: self.file.to_owned(),
            what: "the time",
            there: self.there(),
            how: "--time-column, or number the rows with --start and --period",
        })
    }
}

impl Table<'_> {
    fn has_local_times(&self, options: &Options) -> bool {
        let Ok(column) = self.time_column(options) else { return false };
        self.rows.iter().any(|(_, row)| is_local(&row[column]))
    }
}

/// A date and time that doesn't say where.
fn is_local(text: &str) -> bool {
    text.parse::<Timestamp>().is_err() && text.parse::<DateTime>().is_ok()
}

/// RFC 3339, a date and time in universal time, or seconds or milliseconds since 1970.
fn instant(text: &str) -> Option<Timestamp> {
    let civil = || TimeZone::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    let epoch = || {
        let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)?;
        // Seconds of any year to come are below this, milliseconds since 1973 above.
        let seconds = if number < 1e11 { number } else { number / 1000.0 };
        Timestamp::from_second(seconds as i64).ok()
    };
    text.parse().ok().or_else(civil).or_else(epoch)
}

/// A row of one value.
struct Point {
    row: u64,
    target: Target,
    instant: Timestamp,
    period: Option<Period>,
    value: f64,
}

/// A row for each value: `metric,timestamp,period_s,value`.
fn long(table: &Table<'_>, options: &Options, gathered: &mut Gathered) -> Result<(), RecordedError> {
    let (metric, value, time) = (table.place("metric")?, table.place("value")?, table.time_column(options)?);
    let period = ["period_s", "period_seconds", "period"].iter().find_map(|name| table.find(name));
    let mut unknown = BTreeSet::new();
    let mut points: BTreeMap<Metric, Vec<Point>> = BTreeMap::new();
    for row in &table.rows {
        let name = &row.1[metric];
        gathered.series.insert((name.to_owned(), format!("series `{name}`")));
        let Some(target) = options.stated(name).or_else(|| Target::known_as(name)) else {
            unknown.insert(format!("series `{name}`"));
            continue;
        };
        let period = period.map(|column| table.period(row, column)).transpose()?;
        let Some(value) = table.number(row, value)? else { continue };
        let point = Point { row: row.0, target, instant: table.instant(row, time)?, period, value };
        points.entry(target.metric).or_default().push(point);
    }
    for (metric, points) in points {
        let series = format!("`{}`, `{}`", table.file, metric.column());
        let usual = match period {
            Some(_) => Period::OneMinute,
            None => usual_period(options, points.iter().map(|point| point.instant), metric, &series)?,
        };
        for Point { row, target, instant, period, value } in points {
            let (period, place) = (period.unwrap_or(usual), format!("`{}`, row {row}", table.file));
            target.check_period(period, &place)?;
            let value = target.over(value, f64::from(period.seconds().0));
            gathered.add(minute(instant, &place)?, period, metric, value, &place)?;
        }
    }
    gathered.notes.extend(unknown.into_iter().map(Note::Unknown));
    Ok(())
}

impl Table<'_> {
    fn period(&self, row: &(u64, csv::StringRecord), column: usize) -> Result<Period, RecordedError> {
        let seconds = row.1[column].parse().ok().and_then(Period::from_seconds);
        seconds.ok_or_else(|| RecordedError::Value {
            place: self.cell_name(row.0, column),
            value: row.1[column].to_owned(),
            expected: "a period of 60 or 300 s".to_owned(),
        })
    }
}

/// A row for each period, a column for each metric.
fn wide(table: &Table<'_>, options: &Options, gathered: &mut Gathered) -> Result<(), RecordedError> {
    let columns = columns(table, options)?;
    let counting = columns.iter().filter(|(target, _)| target.metric == Metric::InService);
    gathered.notes.extend(counting.map(|(_, form)| Note::InstancesBy(table.columns_of(form))));
    let times = table.times(options)?;
    if options.in_order {
        table.check_order(&times)?;
    }
    let spacing = Spacing::of(&times, options, table.file)?;
    for (target, form) in &columns {
        target.check_period(spacing.period, &format!("`{}`, {}", table.file, table.columns_of(form)))?;
    }
    let mut minutes: BTreeMap<(MinuteUtc, Metric), Cells> = BTreeMap::new();
    let mut first_rows: BTreeMap<MinuteUtc, u64> = BTreeMap::new();
    for (row, time) in table.rows.iter().zip(times) {
        let place = format!("`{}`, row {}", table.file, row.0);
        let minute = minute(time, &place)?;
        if let Some(first) = first_rows.insert(minute, row.0).filter(|_| !spacing.is_within_a_minute()) {
            return Err(table.twice(minute, first, row.0, options));
        }
        let instances = match columns.iter().find(|(target, _)| target.metric == Metric::InService) {
            Some((_, form)) => form.value(|column| table.number(row, column))?,
            None => None,
        };
        for (target, form) in &columns {
            let Some(value) = form.value(|column| table.number(row, column))? else { continue };
            let value = rounded(target.metric, target.over(value, spacing.row_seconds));
            check(target.metric, value, || format!("{}, {minute}", table.form_name(row.0, form)))?;
            minutes.entry((minute, target.metric)).or_default().add(value, instances, &place);
        }
    }
    gathered.notes.extend(cpu_column(&columns).filter(|_| has_shares_of_cpu(&minutes)).map(|column| {
        let column = table.headers[column].clone();
        Note::CpuMayBeShare { column }
    }));
    let rows = rows_per_minute(&first_rows, &minutes);
    let thin = spacing.thin(&rows);
    if !thin.is_empty() {
        gathered.notes.push(Note::ThinMinutes(thin.len()));
    }
    for ((minute, metric), cells) in minutes.into_iter().filter(|((minute, _), _)| !thin.contains(minute)) {
        gathered.add(minute, spacing.period, metric, cells.value(metric, &spacing), &cells.place)?;
    }
    Ok(())
}

/// The column that CPU is taken from, or the first of them.
fn cpu_column(columns: &[(Target, Resolved)]) -> Option<usize> {
    let (_, form) = columns.iter().find(|(target, _)| target.metric == Metric::CpuPercent)?;
    form.columns().next()
}

/// Whether CPU could be from 0 to 1: a fleet that is idle for a few minutes has such values too.
fn has_shares_of_cpu(minutes: &BTreeMap<(MinuteUtc, Metric), Cells>) -> bool {
    const ENOUGH: usize = 100;
    let cpu = minutes.iter().filter(|((_, metric), _)| *metric == Metric::CpuPercent);
    let (count, most) = cpu.fold((0, 0.0_f64), |(count, most), (_, cells)| (count + 1, most.max(cells.most)));
    count >= ENOUGH && 0.0 < most && most <= 1.0
}

/// How many rows each minute has a value from.
fn rows_per_minute(
    first_rows: &BTreeMap<MinuteUtc, u64>,
    minutes: &BTreeMap<(MinuteUtc, Metric), Cells>,
) -> BTreeMap<MinuteUtc, u32> {
    let mut rows: BTreeMap<MinuteUtc, u32> = first_rows.keys().map(|minute| (*minute, 0)).collect();
    for ((minute, _), cells) in minutes {
        let most = rows.entry(*minute).or_default();
        *most = (*most).max(cells.count);
    }
    rows
}

impl Table<'_> {
    fn check_order(&self, times: &[Timestamp]) -> Result<(), RecordedError> {
        let back = times.windows(2).position(|pair| pair[1] <= pair[0]);
        back.map_or(Ok(()), |index| {
            let (row, _) = &self.rows[index + 1];
            Err(RecordedError::Value {
                place: format!("`{}`, row {row}", self.file),
                value: times[index + 1].to_string(),
                expected: format!("later than the row before, `{}`", times[index]),
            })
        })
    }

    fn twice(&self, minute: MinuteUtc, first: u64, second: u64, options: &Options) -> RecordedError {
        let expected = if self.has_local_times(options) {
            "the time of one row only; times without a zone repeat when clocks are set back: export them with \
             their zone, as in 2026-11-02T00:05:00+01:00"
        } else {
            "the time of one row only"
        };
        RecordedError::Value {
            place: format!("`{}`, rows {first} and {second}", self.file),
            value: minute.to_string(),
            expected: expected.to_owned(),
        }
    }

    fn form_name(&self, row: u64, form: &Resolved) -> String {
        format!("`{}`, row {row}, {}", self.file, self.columns_of(form))
    }

    fn columns_of(&self, form: &Resolved) -> String {
        let names: Vec<String> = form.columns().map(|column| format!("`{}`", self.headers[column])).collect();
        if names.is_empty() {
            "a stated number".to_owned()
        } else {
            format!("column {}", names.join(" and "))
        }
    }
}

fn check(metric: Metric, value: f64, place: impl Fn() -> String) -> Result<(), RecordedError> {
    metric.check(value).map(|_| ()).map_err(|error| RecordedError::Value {
        place: place(),
        value: value.to_string(),
        expected: error.expected().to_owned(),
    })
}

/// What each metric is made of: as stated, and by the known names of columns for the rest.
fn columns(table: &Table<'_>, options: &Options) -> Result<Vec<(Target, Resolved)>, RecordedError> {
    let mut found: BTreeMap<Metric, (Target, Form)> = BTreeMap::new();
    for name in &table.headers {
        let Some(target) = Target::known_as(name) else { continue };
        let stated = options.columns.iter().any(|(stated, _)| stated.metric == target.metric);
        if stated {
            continue;
        }
        if let Some((_, first)) = found.insert(target.metric, (target, Form::column(name))) {
            let first =
                first.resolve(&table.headers).map_or_else(|name| name, |form| table.form_name(1, &form));
            let second = format!("column `{name}`");
            let how = "--column METRIC=FORM";
            return Err(RecordedError::Ambiguous { first, second, metric: target.metric.column(), how });
        }
    }
    let known = found.into_values();
    let all: Vec<(Target, Form)> = options.columns.iter().cloned().chain(known).collect();
    if all.is_empty() {
        return Err(RecordedError::NothingKnown {
            file: table.file.to_owned(),
            what: "a metric",
            there: table.there(),
            how: "--column METRIC=COLUMN",
        });
    }
    let resolve = |(target, form): (Target, Form)| {
        let no_column =
            |column| RecordedError::NoColumn { file: table.file.to_owned(), column, there: table.there() };
        Ok((target, form.resolve(&table.headers).map_err(no_column)?))
    };
    all.into_iter().map(resolve).collect()
}

/// How far apart the rows of a file are.
struct Spacing {
    /// Seconds that a row covers.
    row_seconds: f64,
    period: Period,
}

impl Spacing {
    /// As stated, else as the distances between rows say: the middle one of them decides.
    fn of(times: &[Timestamp], options: &Options, file: &str) -> Result<Self, RecordedError> {
        let distances = distances(times.iter().copied());
        check_stated_period(options, &distances, &format!("`{file}`"))?;
        let usual = distances.get(distances.len() / 2).copied().unwrap_or(60);
        let by_five = distances.iter().all(|distance| distance % 300 == 0);
        if let (None, Some(seconds)) = (options.period_seconds, longer_period(&distances)) {
            return Err(RecordedError::Period { file: file.to_owned(), seconds });
        }
        match (options.period_seconds.map(i64::from), usual) {
            (Some(300), _) => Ok(Self { row_seconds: 300.0, period: Period::FiveMinutes }),
            (Some(stated), _) => Ok(Self { row_seconds: stated as f64, period: Period::OneMinute }),
            (None, _) if by_five && distances.first() == Some(&300) => {
                Ok(Self { row_seconds: 300.0, period: Period::FiveMinutes })
            }
            (None, seconds @ 1..55) => Ok(Self { row_seconds: seconds as f64, period: Period::OneMinute }),
            (None, 55..=120) => Ok(Self { row_seconds: 60.0, period: Period::OneMinute }),
            (None, seconds) => Err(RecordedError::Period { file: file.to_owned(), seconds }),
        }
    }

    fn is_within_a_minute(&self) -> bool {
        self.row_seconds < 55.0
    }

    /// Minutes with less than half of the rows that they should have.
    fn thin(&self, rows: &BTreeMap<MinuteUtc, u32>) -> BTreeSet<MinuteUtc> {
        let needed = if self.is_within_a_minute() { 30.0 / self.row_seconds } else { 0.0 };
        rows.iter().filter(|(_, count)| f64::from(**count) < needed).map(|(minute, _)| *minute).collect()
    }
}

/// The values of one metric in one minute.
#[derive(Default)]
struct Cells {
    sum: f64,
    most: f64,
    count: u32,
    /// The same of those whose instances are known, each as often as it has instances.
    weighted: f64,
    instances: f64,
    counted: u32,
    place: String,
}

impl Cells {
    fn add(&mut self, value: f64, instances: Option<f64>, place: &str) {
        self.sum += value;
        self.most = self.most.max(value);
        self.count += 1;
        if let Some(instances) = instances {
            self.weighted += instances * value;
            self.instances += instances;
            self.counted += 1;
        }
        if self.place.is_empty() {
            place.clone_into(&mut self.place);
        }
    }

    /// Levels average, and CPU over the instances as CloudWatch has it; counts make up for rows that are missing.
    fn value(&self, metric: Metric, spacing: &Spacing) -> f64 {
        let mean = self.sum / f64::from(self.count);
        match metric {
            Metric::CpuPercentMax => self.most,
            Metric::CpuPercent if self.counted == self.count && self.instances > 0.0 => {
                self.weighted / self.instances
            }
            _ if metric.adds_up() && spacing.is_within_a_minute() => mean * 60.0 / spacing.row_seconds,
            _ => mean,
        }
    }
}
