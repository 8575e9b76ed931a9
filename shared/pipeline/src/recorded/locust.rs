//! What Locust writes with `--csv NAME --csv-full-history`: `NAME_stats_history.csv`, a row about every second.

use std::collections::BTreeMap;

use jiff::Timestamp;
use scaling::sample::{Metric, Period, Sample};
use scaling::units::MinuteUtc;

use super::RecordedError;

/// The rows of all endpoints together.
const TOTAL: &str = "Aggregated";
/// Response times of the last seconds, and what they are here.
const PERCENTILES: [(&str, Metric); 3] = [
    ("50%", Metric::LatencyP50Seconds),
    ("95%", Metric::LatencyP95Seconds),
    ("99%", Metric::LatencyP99Seconds),
];

/// What Locust counted at one moment.
struct Row {
    at: Timestamp,
    /// Requests since the start.
    total: f64,
    /// Seconds, in the order of [`PERCENTILES`].
    seconds: [Option<f64>; 3],
}

/// The requests of every whole minute in `bytes`, and its response times, as the clients saw them.
///
/// Requests are counted by what their total grew by; a minute in which it was set back to nothing, or that was not
/// seen from its begin to its end, is left out.
pub fn read(file: &str, bytes: &[u8]) -> Result<Vec<Sample>, RecordedError> {
    let mut rows = rows(file, bytes)?;
    if rows.is_empty() {
        return Err(RecordedError::Empty { file: file.to_owned() });
    }
    rows.sort_by_key(|row| row.at);
    let mut minutes: BTreeMap<MinuteUtc, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        let minute = MinuteUtc::containing(row.at).map_err(|_| no_value(file, &row.at.to_string()))?;
        minutes.entry(minute).or_default().push(row);
    }
    Ok(minutes.iter().filter_map(|(minute, rows)| sample(*minute, rows, &minutes)).collect())
}

fn rows(file: &str, bytes: &[u8]) -> Result<Vec<Row>, RecordedError> {
    let unreadable = |error: csv::Error| RecordedError::Unreadable {
        file: file.to_owned(),
        expected: "CSV with a header and rows of its length, as Locust writes it",
        source: error.into(),
    };
    let mut reader = csv::Reader::from_reader(bytes);
    let headers = reader.headers().map_err(unreadable)?.clone();
    let place = |column: &str| {
        let there = || headers.iter().map(|header| format!("`{header}`")).collect::<Vec<_>>().join(", ");
        headers.iter().position(|header| header == column).ok_or_else(|| RecordedError::NotLocust {
            file: file.to_owned(),
            column: column.to_owned(),
            there: there(),
        })
    };
    let (time, name, total) = (place("Timestamp")?, place("Name")?, place("Total Request Count")?);
    let percentiles = PERCENTILES.map(|(column, _)| headers.iter().position(|header| header == column));
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        if &record[name] != TOTAL {
            continue;
        }
        let seconds: Option<i64> = record[time].trim().parse().ok();
        let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        rows.push(Row {
            at: at.ok_or_else(|| no_value(file, &record[time]))?,
            total: record[total].trim().parse().map_err(|_| no_value(file, &record[total]))?,
            // Locust writes N/A where nothing was answered.
            seconds: percentiles.map(|place| Some(record[place?].trim().parse::<f64>().ok()? / 1e3)),
        });
    }
    Ok(rows)
}

fn no_value(file: &str, value: &str) -> RecordedError {
    let expected = "a number, as Locust writes it".to_owned();
    RecordedError::Value { place: format!("`{file}`"), value: value.to_owned(), expected }
}

/// The minute of `rows`; `None` where it was not seen from its begin to its end.
fn sample(minute: MinuteUtc, rows: &[&Row], minutes: &BTreeMap<MinuteUtc, Vec<&Row>>) -> Option<Sample> {
    let (first, next) = (rows.first()?, minutes.get(&(minute + scaling::units::Minutes(1)))?.first()?);
    let seconds = |at: Timestamp| at.as_second().rem_euclid(60);
    let whole = seconds(first.at) <= LATEST_FIRST_ROW && seconds(next.at) <= LATEST_FIRST_ROW;
    let requests = next.total - first.total;
    let set_back = rows.windows(2).any(|pair| pair[1].total < pair[0].total) || requests < 0.0;
    let span = (next.at.as_second() - first.at.as_second()) as f64;
    let mut sample = Sample::empty(minute, Period::OneMinute);
    // Rows are about a second apart, so that a minute is not quite what lies between two of them.
    sample.set(Metric::Requests, requests / span * 60.0).ok()?;
    for (i, (_, metric)) in PERCENTILES.into_iter().enumerate() {
        let mut seen: Vec<f64> = rows.iter().filter_map(|row| row.seconds[i]).collect();
        seen.sort_by(f64::total_cmp);
        if let Some(middle) = seen.get(seen.len() / 2) {
            sample.set(metric, *middle).ok()?;
        }
    }
    (whole && !set_back).then_some(sample)
}

/// A minute whose first row comes later than these seconds was not seen from its begin.
const LATEST_FIRST_ROW: i64 = 5;
