//! The samples of a day. The schema is fixed: every file has every column, whether it has values or not.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int32Type, TimestampMillisecondType};
use arrow_array::{Array as _, ArrayRef, Float64Array, Int32Array, RecordBatch, TimestampMillisecondArray};
use arrow_schema::{DataType, Field, TimeUnit};
use bytes::Bytes;
use scaling::sample::{Metric, Period, Sample};
use scaling::units::MinuteUtc;

use super::TableError;

const MINUTE: &str = "minute_utc";
const PERIOD: &str = "period_seconds";
const MILLISECONDS_PER_MINUTE: i64 = 60_000;

/// The samples as a Parquet file, sorted by time; the same samples in any order give the same bytes.
pub fn encode(samples: &[Sample]) -> Result<Bytes, TableError> {
    let mut samples: Vec<&Sample> = samples.iter().collect();
    samples.sort_by_key(|sample| sample.key());
    if let Some(pair) = samples.windows(2).find(|pair| pair[0].key() == pair[1].key()) {
        let Sample { minute_utc, period, .. } = *pair[0];
        return Err(TableError::Duplicate { minute_utc, seconds: period.seconds().0 });
    }
    let mut columns = vec![minutes(&samples), periods(&samples)];
    columns.extend(Metric::ALL.map(|metric| values(&samples, metric)));
    Ok(super::encode(columns))
}

fn minutes(samples: &[&Sample]) -> (Field, ArrayRef) {
    let starts = samples.iter().map(|sample| sample.minute_utc.epoch_minutes() * MILLISECONDS_PER_MINUTE);
    let array = TimestampMillisecondArray::from_iter_values(starts).with_timezone("UTC");
    (Field::new(MINUTE, array.data_type().clone(), false), Arc::new(array))
}

fn periods(samples: &[&Sample]) -> (Field, ArrayRef) {
    let seconds = samples.iter().map(|sample| sample.period.seconds().0 as i32);
    (Field::new(PERIOD, DataType::Int32, false), Arc::new(Int32Array::from_iter_values(seconds)))
}

fn values(samples: &[&Sample], metric: Metric) -> (Field, ArrayRef) {
    let values: Float64Array = samples.iter().map(|sample| sample.get(metric)).collect();
    (Field::new(metric.column(), DataType::Float64, true), Arc::new(values))
}

/// The samples of a Parquet file, whatever the order of its columns. Refuses what no sample can be.
pub fn decode(file: &Bytes) -> Result<Vec<Sample>, TableError> {
    let mut samples = Vec::new();
    for batch in super::decode(file)? {
        let before = samples.len();
        for row in starts(&batch, before)? {
            samples.push(row);
        }
        for metric in Metric::ALL {
            fill(&batch, metric, before, &mut samples)?;
        }
    }
    Ok(samples)
}

/// Empty samples, one a row.
fn starts(batch: &RecordBatch, before: usize) -> Result<Vec<Sample>, TableError> {
    let expected = "timestamp in milliseconds, UTC";
    let utc = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    let minutes = super::column(batch, MINUTE, &utc, expected)?.as_primitive::<TimestampMillisecondType>();
    let periods = super::column(batch, PERIOD, &DataType::Int32, "int32")?.as_primitive::<Int32Type>();
    let sample = |row: usize| {
        let absent = |column| TableError::Cell { row: before + row, column };
        let start = minutes.is_valid(row).then(|| minutes.value(row)).ok_or(absent(MINUTE))?;
        if start.rem_euclid(MILLISECONDS_PER_MINUTE) != 0 {
            return Err(absent(MINUTE));
        }
        let minute = MinuteUtc::new(start.div_euclid(MILLISECONDS_PER_MINUTE));
        let minute = minute.map_err(|source| TableError::Time { row: before + row, source })?;
        let seconds = periods.is_valid(row).then(|| periods.value(row)).and_then(|s| u32::try_from(s).ok());
        let period = seconds.and_then(Period::from_seconds).ok_or(absent(PERIOD))?;
        Ok(Sample::empty(minute, period))
    };
    (0..batch.num_rows()).map(sample).collect()
}

fn fill(
    batch: &RecordBatch,
    metric: Metric,
    before: usize,
    samples: &mut [Sample],
) -> Result<(), TableError> {
    let values =
        super::column(batch, metric.column(), &DataType::Float64, "double")?.as_primitive::<Float64Type>();
    for (row, value) in values.iter().enumerate() {
        let Some(value) = value else { continue };
        let refused = |source| TableError::Value { row: before + row, source };
        samples[before + row].set(metric, value).map_err(refused)?;
    }
    Ok(())
}
