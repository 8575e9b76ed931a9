//! The samples of a day. The schema is fixed: every file has every column, whether it has values or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int32Type, TimestampMillisecondType};
use arrow_array::{Array as _, ArrayRef, Float64Array, Int32Array, RecordBatch, TimestampMillisecondArray};
use arrow_schema::{DataType, Field, TimeUnit};
use bytes::Bytes;
use scaling::sample::{Metric, Period, Sample};
use scaling::units::MinuteUtc;
use sha2::{Digest as _, Sha256};

use super::TableError;
use crate::hex::hex;

const MINUTE: &str = "minute_utc";
const PERIOD: &str = "period_seconds";
const MILLISECONDS_PER_MINUTE: i64 = 60_000;

/// The samples as a Parquet file, sorted by time; the same samples in any order give the same bytes.
pub fn encode(samples: &[Sample]) -> Result<Bytes, TableError> {
    encode_with(samples, &Remarks::default())
}

/// Parquet notices a damaged page, but not a changed value: a digest of the rows goes with them.
const DIGEST: &str = "trellis.rows.sha256";
/// Which series counts the instances.
const INSTANCES_BY: &str = "trellis.instances_by";
/// Up to where all was fetched.
const FETCHED_UNTIL: &str = "trellis.fetched_until";

/// What a file says of its samples beside their values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remarks {
    /// Which series counts the instances.
    pub instances_by: Option<String>,
    /// Up to where everything was asked for that there was, without a gap before it.
    pub fetched_until: Option<MinuteUtc>,
}

impl Remarks {
    /// The same, and what `earlier` ones say that these don't; what was fetched once stays so.
    pub fn over(self, earlier: Self) -> Self {
        Self {
            instances_by: self.instances_by.or(earlier.instances_by),
            fetched_until: self.fetched_until.max(earlier.fetched_until),
        }
    }

    fn words(&self) -> impl Iterator<Item = (&'static str, String)> {
        let counted = self.instances_by.iter().map(|series| (INSTANCES_BY, series.clone()));
        let fetched = self.fetched_until.iter().map(|until| (FETCHED_UNTIL, until.start().to_string()));
        counted.chain(fetched)
    }

    /// An end that can't be read is none: what lies before it is fetched once more.
    fn of(mut words: BTreeMap<String, String>) -> Self {
        let until = words.get(FETCHED_UNTIL).and_then(|until| until.parse().ok());
        let fetched_until = until.and_then(|until| MinuteUtc::containing(until).ok());
        Self { instances_by: words.remove(INSTANCES_BY), fetched_until }
    }
}

/// The same, with what there is to say of them.
pub fn encode_with(samples: &[Sample], remarks: &Remarks) -> Result<Bytes, TableError> {
    let mut samples: Vec<&Sample> = samples.iter().collect();
    samples.sort_by_key(|sample| sample.key());
    if let Some(pair) = samples.windows(2).find(|pair| pair[0].key() == pair[1].key()) {
        let Sample { minute_utc, period, .. } = *pair[0];
        return Err(TableError::Duplicate { minute_utc, seconds: period.seconds().0 });
    }
    let mut columns = vec![minutes(&samples), periods(&samples)];
    columns.extend(Metric::ALL.map(|metric| values(&samples, metric)));
    let digest = (DIGEST, digest(samples.iter().copied()));
    let metadata: Vec<(&str, String)> = remarks.words().chain([digest]).collect();
    Ok(super::encode_with_metadata(columns, &metadata))
}

/// Of every value, bit by bit, in the order of the rows.
fn digest<'a>(samples: impl Iterator<Item = &'a Sample>) -> String {
    let mut hasher = Sha256::new();
    for sample in samples {
        hasher.update(sample.minute_utc.epoch_minutes().to_le_bytes());
        hasher.update(sample.period.seconds().0.to_le_bytes());
        for metric in Metric::ALL {
            // No metric can be NaN, whose bits stand for a value that is missing.
            hasher.update(sample.get(metric).unwrap_or(f64::NAN).to_bits().to_le_bytes());
        }
    }
    hex(&hasher.finalize())
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

/// The samples of a Parquet file, whatever the order of its columns. Refuses what no sample can be, and rows that
/// are not those that were written.
pub fn decode(file: &Bytes) -> Result<Vec<Sample>, TableError> {
    decode_with(file).map(|(samples, _)| samples)
}

/// The same, and what the file says of them.
pub fn decode_with(file: &Bytes) -> Result<(Vec<Sample>, Remarks), TableError> {
    let mut samples = Vec::new();
    let (batches, words) = super::decode_with_metadata(file)?;
    for batch in batches {
        let before = samples.len();
        for row in starts(&batch, before)? {
            samples.push(row);
        }
        for metric in Metric::ALL {
            fill(&batch, metric, before, &mut samples)?;
        }
    }
    // A table that someone else made has no digest to hold it to.
    let intact = words.get(DIGEST).is_none_or(|written| *written == digest(samples.iter()));
    if intact { Ok((samples, Remarks::of(words))) } else { Err(TableError::Digest) }
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
