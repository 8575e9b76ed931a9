//! Our Parquet, read by other programs: pandas, PyArrow and DuckDB.

use pipeline::archive::directory::DirectoryArchive;
use pipeline::archive::{Environment, Key};
use pipeline::store::merge_samples;
use pipeline::tables::samples::Remarks;
use scaling::sample::{Metric, Period, Sample};
use scaling::units::{MinuteUtc, Minutes};
use serde_json::{Value, json};

use crate::{block_on, read_by_python};

const DAY: i64 = 29_892_960;

fn sample(minute: u32, values: &[(Metric, f64)]) -> Sample {
    let mut sample = Sample::empty(MinuteUtc::new(DAY).unwrap() + Minutes(minute), Period::OneMinute);
    for (metric, value) in values {
        sample.set(*metric, *value).unwrap();
    }
    sample
}

/// A day with CPU, with holes; and one without any CPU value.
fn two_days() -> [Vec<Sample>; 2] {
    let first = (0..5).map(|minute| {
        let cpu = (minute != 2).then_some((Metric::CpuPercent, 12.5 + f64::from(minute)));
        let requests = Some((Metric::Requests, 100.0 * f64::from(minute)));
        sample(minute, &requests.into_iter().chain(cpu).collect::<Vec<_>>())
    });
    let second = (1440..1443).map(|minute| sample(minute, &[(Metric::Requests, 7.0)]));
    [first.collect(), second.collect()]
}

/// What every reader should see: the instant in milliseconds, then every metric.
fn rows(samples: &[Sample]) -> Value {
    let row = |sample: &Sample| {
        let instant = json!(sample.minute_utc.start().as_millisecond());
        let values = Metric::ALL.map(|metric| json!(sample.get(metric)));
        Value::Array([instant].into_iter().chain(values).collect())
    };
    samples.iter().map(row).collect()
}

#[test]
#[cfg_attr(no_python_readers, ignore = "the Python readers are not installed: run `make test`")]
fn pandas_pyarrow_and_duckdb_read_the_same_instants_nulls_and_types() {
    let directory = tempfile::tempdir().unwrap();
    let archive = DirectoryArchive::open(directory.path().to_owned()).unwrap();
    let environment = Environment::new("web prod").unwrap();
    let days = two_days();
    for samples in &days {
        block_on(merge_samples(&archive, &environment, samples, &Remarks::default())).unwrap();
    }
    let file = |samples: &Vec<Sample>| {
        let key = Key::samples(&environment, samples[0].minute_utc);
        directory.path().join(key.as_str()).display().to_string()
    };
    let root = directory.path().display().to_string();
    let read = read_by_python("parquet_readers.py", std::iter::once(root).chain(days.iter().map(file)));
    for (samples, seen) in days.iter().zip(read["days"].as_array().unwrap()) {
        for reader in ["pandas", "pyarrow", "duckdb"] {
            assert_eq!(seen[reader]["rows"], rows(samples), "{reader}");
        }
        assert_eq!(seen["pandas"]["zone"], "UTC");
        assert_eq!(seen["pyarrow"]["time"], "timestamp[ms, tz=UTC]");
        assert_eq!(seen["duckdb"]["time"], "TIMESTAMP WITH TIME ZONE");
        for metric in Metric::ALL.map(Metric::column) {
            let types = ["pandas", "pyarrow", "duckdb"].map(|reader| &seen[reader]["types"][metric]);
            assert_eq!(types, ["float64", "double", "DOUBLE"], "{metric}");
        }
        let periods = ["pandas", "pyarrow", "duckdb"].map(|reader| &seen[reader]["types"]["period_seconds"]);
        assert_eq!(periods, ["int32", "int32", "INTEGER"]);
    }
    let whole = json!([["web prod", "2026-11-02", 5, 4], ["web prod", "2026-11-03", 3, 0]]);
    assert_eq!(read["whole"], whole);
}
