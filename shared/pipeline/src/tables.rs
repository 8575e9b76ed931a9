//! The tables that the stages leave, in Parquet: snappy, timestamps in milliseconds and marked as UTC.

pub mod activities;
pub mod samples;
pub mod sweep;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use scaling::sample::SampleError;
use scaling::units::{MinuteUtc, UnitError};

/// Why a table could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// Two rows claim the same period.
    #[error("two rows for {minute_utc}, period {seconds} s")]
    Duplicate {
        /// Its start.
        minute_utc: MinuteUtc,
        /// Its length.
        seconds: u32,
    },
    /// Not Parquet, or not all of it.
    #[error("not a whole Parquet file")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// Damaged in a way that its library did not expect.
    #[error("damaged beyond what can be said of it")]
    Panicked,
    /// The rows are not those that were written.
    #[error("its rows are not those that were written: their digest is another")]
    Digest,
    /// The rows can't be decoded.
    #[error("damaged rows")]
    Rows(#[from] arrow_schema::ArrowError),
    /// A column is missing, or of another type.
    #[error("column `{column}` must be there, as {expected}")]
    Column {
        /// Its name.
        column: &'static str,
        /// The type that it must have.
        expected: &'static str,
    },
    /// A row without a time, or of a period that no sample has.
    #[error("row {row} has no valid `{column}`")]
    Cell {
        /// Counted from 0.
        row: usize,
        /// The column's name.
        column: &'static str,
    },
    /// A value that the metric cannot have.
    #[error("row {row}")]
    Value {
        /// Counted from 0.
        row: usize,
        /// The value.
        source: SampleError,
    },
    /// A time outside of any calendar.
    #[error("row {row}")]
    Time {
        /// Counted from 0.
        row: usize,
        /// The time.
        source: UnitError,
    },
}

/// One Parquet file of `columns`. The same columns give the same bytes.
fn encode(columns: Vec<(Field, ArrayRef)>) -> Bytes {
    encode_with_metadata(columns, &[])
}

/// The same with words of our own in the file's metadata.
fn encode_with_metadata(columns: Vec<(Field, ArrayRef)>, metadata: &[(&str, String)]) -> Bytes {
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = columns.into_iter().unzip();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays).expect("columns are as long as each other");
    let metadata =
        metadata.iter().map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone())).collect();
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("trellis".to_owned())
        .set_key_value_metadata(Some(metadata))
        .build();
    let mut file = Vec::new();
    let mut writer =
        ArrowWriter::try_new(&mut file, schema, Some(properties)).expect("the columns' types are Parquet's");
    writer.write(&batch).expect("memory takes all that is written");
    writer.close().expect("memory takes all that is written");
    file.into()
}

/// The words in a file's metadata.
type Metadata = BTreeMap<String, String>;

/// The rows of one Parquet file, and the words in its metadata. The library panics on some damaged files; that is
/// one way to say so.
fn decode_with_metadata(file: &Bytes) -> Result<(Vec<RecordBatch>, Metadata), TableError> {
    let read = || -> Result<_, TableError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file.clone())?;
        let metadata = builder.metadata().file_metadata().key_value_metadata();
        let words = metadata
            .into_iter()
            .flatten()
            .filter_map(|entry| Some((entry.key.clone(), entry.value.clone()?)));
        let words = words.collect();
        Ok((builder.build()?.collect::<Result<_, _>>()?, words))
    };
    // Nothing that the reader has touched is looked at again.
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read)).unwrap_or(Err(TableError::Panicked))
}

fn decode(file: &Bytes) -> Result<Vec<RecordBatch>, TableError> {
    decode_with_metadata(file).map(|(batches, _)| batches)
}

/// A column by its name, of the type that it must have.
fn column<'a>(
    batch: &'a RecordBatch,
    column: &'static str,
    data_type: &DataType,
    expected: &'static str,
) -> Result<&'a ArrayRef, TableError> {
    let found = batch.column_by_name(column).filter(|array| array.data_type() == data_type);
    found.ok_or(TableError::Column { column, expected })
}

/// How many rows a Parquet file has.
pub fn rows(file: &Bytes) -> Result<usize, TableError> {
    Ok(decode(file)?.iter().map(RecordBatch::num_rows).sum())
}
