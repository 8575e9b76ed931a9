//! What `aws cloudwatch get-metric-data` and `get-metric-statistics` print.

use std::collections::BTreeMap;

use jiff::Timestamp;
use scaling::sample::Metric;
use serde::Deserialize;
use serde_json::Value;

use super::columns::{BY_SAMPLES, Target};
use super::gather::Gathered;
use super::text::Text;
use super::{Note, Options, RecordedError, minute, usual_period};

/// Pages of any number of calls. A series is told by its id and label together: two files may use one id for
/// two metrics.
#[derive(Default)]
pub(super) struct Pages {
    series: BTreeMap<(String, String), Series>,
    statistics: Vec<(String, Statistics)>,
    open_end: Option<String>,
}

#[derive(Default)]
struct Series {
    points: Vec<(Timestamp, f64)>,
    file: String,
    partial: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricData {
    metric_data_results: Vec<MetricDataResult>,
    next_token: Option<String>,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDataResult {
    #[serde(default)]
    id: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    timestamps: Vec<Value>,
    #[serde(default)]
    values: Vec<Value>,
    status_code: Option<String>,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    #[serde(default)]
    code: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statistics {
    #[serde(default)]
    label: String,
    datapoints: Vec<Datapoint>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Datapoint {
    timestamp: Value,
    average: Option<f64>,
    sum: Option<f64>,
    maximum: Option<f64>,
}

impl Pages {
    /// Takes one file: a page, or the statistics of one metric.
    pub(super) fn read(&mut self, text: Text<'_>, gathered: &mut Gathered) -> Result<(), RecordedError> {
        let unreadable = |expected, error: serde_json::Error| RecordedError::Unreadable {
            file: text.file.to_owned(),
            expected,
            source: error.into(),
        };
        let value: Value = serde_json::from_slice(text.bytes).map_err(|error| unreadable("JSON", error))?;
        if value.get("MetricDataResults").is_some() {
            let page = serde_json::from_value(value);
            let page = page.map_err(|error| unreadable("what `get-metric-data` prints", error))?;
            return self.add_page(text.file, page, gathered);
        }
        if value.get("Datapoints").is_some() {
            let statistics = serde_json::from_value(value);
            let statistics =
                statistics.map_err(|error| unreadable("what `get-metric-statistics` prints", error))?;
            self.statistics.push((text.file.to_owned(), statistics));
            return Ok(());
        }
        Err(RecordedError::OtherJson { file: text.file.to_owned() })
    }

    fn add_page(
        &mut self,
        file: &str,
        page: MetricData,
        gathered: &mut Gathered,
    ) -> Result<(), RecordedError> {
        gathered.notes.extend(page.messages.iter().map(Message::note));
        self.open_end = page.next_token.map(|_| file.to_owned());
        for result in page.metric_data_results {
            gathered.notes.extend(result.messages.iter().map(Message::note));
            self.add_result(file, result)?;
        }
        Ok(())
    }

    fn add_result(&mut self, file: &str, result: MetricDataResult) -> Result<(), RecordedError> {
        let name = name(&result.id, &result.label);
        let status = result.status_code.unwrap_or_default();
        if status == "InternalError" || status == "Forbidden" {
            return Err(RecordedError::SeriesFailed { file: file.to_owned(), series: name, status });
        }
        let (timestamps, values) = (result.timestamps.len(), result.values.len());
        if timestamps != values {
            return Err(RecordedError::Lengths { file: file.to_owned(), series: name, timestamps, values });
        }
        let place = format!("`{file}`, {name}");
        let series = self.series.entry((result.id, result.label)).or_default();
        series.partial = status == "PartialData";
        file.clone_into(&mut series.file);
        for (timestamp, value) in result.timestamps.iter().zip(&result.values) {
            series.points.push((instant(timestamp, &place)?, number(value, &place)?));
        }
        Ok(())
    }

    /// Hands all points on, each series as the metric that it is.
    pub(super) fn finish(self, options: &Options, gathered: &mut Gathered) -> Result<(), RecordedError> {
        gathered.notes.extend(self.open_end.map(Note::NextPageMissing));
        let mut taken: BTreeMap<Metric, String> = BTreeMap::new();
        for ((id, label), series) in self.series {
            let name = name(&id, &label);
            gathered.series.insert((id.clone(), name.clone()));
            if series.partial {
                gathered.notes.push(Note::Partial(name.clone()));
            }
            if series.points.is_empty() {
                gathered.notes.push(Note::Empty(name));
                continue;
            }
            let Some(target) = options.stated(&id).or_else(|| known(&id, &label)) else {
                gathered.notes.push(Note::Unknown(name));
                continue;
            };
            if let Some(first) = taken.insert(target.metric, name.clone()) {
                let metric = target.metric.column();
                return Err(RecordedError::Ambiguous {
                    first,
                    second: name,
                    metric,
                    how: "--series ID=METRIC",
                });
            }
            if target.metric == Metric::InService {
                gathered.notes.push(Note::InstancesBy(name.clone()));
            }
            add_points(&series.points, target, &format!("`{}`, {name}", series.file), options, gathered)?;
        }
        for (file, statistics) in self.statistics {
            add_statistics(&file, &statistics, options, gathered)?;
        }
        Ok(())
    }
}

impl Message {
    fn note(&self) -> Note {
        Note::Message(format!("{}: {}", self.code, self.value))
    }
}

fn name(id: &str, label: &str) -> String {
    match (id, label) {
        (id, "") => format!("series `{id}`"),
        ("", label) => format!("series `{label}`"),
        (id, label) => format!("series `{id}` (`{label}`)"),
    }
}

/// By its label, which is CloudWatch's name for it, else by its id. Another statistic of CPU is told by either, and so is
/// what each of the targets got: no id makes it all requests.
fn known(id: &str, label: &str) -> Option<Target> {
    let target = [label, id].into_iter().find_map(Target::known_as)?;
    let plain = |text: &str| text.to_ascii_lowercase().replace(['_', '-', ' '], "");
    let says = |word: &str| plain(id).contains(word) || plain(label).contains(word);
    match target.metric {
        Metric::CpuPercent if says("samplecount") => Some(BY_SAMPLES),
        Metric::CpuPercent if says("max") => Some(Metric::CpuPercentMax.into()),
        Metric::Requests if says("pertarget") => None,
        _ => Some(target),
    }
}

fn add_points(
    points: &[(Timestamp, f64)],
    target: Target,
    place: &str,
    options: &Options,
    gathered: &mut Gathered,
) -> Result<(), RecordedError> {
    let times = points.iter().map(|(timestamp, _)| *timestamp);
    let period = usual_period(options, times, target.metric, place)?;
    target.check_period(period, place)?;
    for (timestamp, value) in points {
        let value = target.over(*value, f64::from(period.seconds().0));
        gathered.add(minute(*timestamp, place)?, period, target.metric, value, place)?;
    }
    Ok(())
}

fn add_statistics(
    file: &str,
    statistics: &Statistics,
    options: &Options,
    gathered: &mut Gathered,
) -> Result<(), RecordedError> {
    let Statistics { label, datapoints } = statistics;
    let name = name("", label);
    gathered.series.insert((label.clone(), name.clone()));
    let Some(target) = options.stated(label).or_else(|| Target::known_as(label)) else {
        gathered.notes.push(Note::Unknown(name));
        return Ok(());
    };
    let place = format!("`{file}`, {name}");
    let mut points = Vec::new();
    let mut maxima = Vec::new();
    for datapoint in datapoints {
        let timestamp = instant(&datapoint.timestamp, &place)?;
        let value = datapoint.value_of(target);
        let maximum = datapoint.maximum.filter(|_| target.metric == Metric::CpuPercent);
        if value.or(maximum).is_none() {
            return Err(datapoint.lacks(target, file, label));
        }
        points.extend(value.map(|value| (timestamp, value)));
        maxima.extend(maximum.map(|maximum| (timestamp, maximum)));
    }
    if datapoints.is_empty() {
        gathered.notes.push(Note::Empty(name));
    }
    add_points(&points, target, &place, options, gathered)?;
    add_points(&maxima, Metric::CpuPercentMax.into(), &place, options, gathered)
}

impl Datapoint {
    /// A count is a sum, a level is an average.
    fn value_of(&self, target: Target) -> Option<f64> {
        match target.metric {
            Metric::CpuPercentMax => self.maximum,
            metric if metric.adds_up() => self.sum,
            _ => self.average,
        }
    }

    fn lacks(&self, target: Target, file: &str, label: &str) -> RecordedError {
        let needed = match target.metric {
            Metric::CpuPercentMax => "Maximum",
            metric if metric.adds_up() => "Sum",
            _ => "Average",
        };
        let named = [("Average", self.average), ("Sum", self.sum), ("Maximum", self.maximum)];
        let there: Vec<&str> =
            named.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| *name).collect();
        let there = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
        RecordedError::Statistic { file: file.to_owned(), label: label.to_owned(), needed, there }
    }
}

/// RFC 3339 with any offset, or seconds since 1970.
fn instant(value: &Value, place: &str) -> Result<Timestamp, RecordedError> {
    let parsed = match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(seconds) => {
            seconds.as_f64().and_then(|seconds| Timestamp::from_second(seconds as i64).ok())
        }
        _ => None,
    };
    parsed.ok_or_else(|| RecordedError::Value {
        place: place.to_owned(),
        value: value.to_string(),
        expected: "an instant like 2026-11-02T00:05:00Z".to_owned(),
    })
}

fn number(value: &Value, place: &str) -> Result<f64, RecordedError> {
    value.as_f64().ok_or_else(|| RecordedError::Value {
        place: place.to_owned(),
        value: value.to_string(),
        expected: "a number".to_owned(),
    })
}
