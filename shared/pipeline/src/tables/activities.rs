//! The scaling activities of a day.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::TimestampMillisecondType;
use arrow_array::{Array as _, ArrayRef, BooleanArray, RecordBatch, StringArray, TimestampMillisecondArray};
use arrow_schema::{DataType, Field, TimeUnit};
use bytes::Bytes;
use jiff::Timestamp;

use super::TableError;
use crate::activity::{Activity, ActivityKind};

/// The activities as a Parquet file, in the order given.
pub fn encode(activities: &[Activity]) -> Bytes {
    let text = |name: &str, value: &dyn Fn(&Activity) -> String| -> (Field, ArrayRef) {
        let values = StringArray::from_iter_values(activities.iter().map(value));
        (Field::new(name, DataType::Utf8, false), Arc::new(values))
    };
    let instant = |name: &str, value: &dyn Fn(&Activity) -> Option<Timestamp>| -> (Field, ArrayRef) {
        let instants = activities.iter().map(|activity| value(activity).map(Timestamp::as_millisecond));
        let values = instants.collect::<TimestampMillisecondArray>().with_timezone("UTC");
        (Field::new(name, values.data_type().clone(), true), Arc::new(values))
    };
    let successful: BooleanArray = activities.iter().map(|activity| Some(activity.successful)).collect();
    super::encode(vec![
        text("activity_id", &|activity| activity.id.clone()),
        text("kind", &|activity| activity.kind.word().to_owned()),
        instant("start_utc", &|activity| Some(activity.start)),
        instant("end_utc", &|activity| activity.end),
        (Field::new("successful", DataType::Boolean, false), Arc::new(successful)),
        text("cause", &|activity| activity.cause.clone()),
    ])
}

/// The activities of a Parquet file.
pub fn decode(file: &Bytes) -> Result<Vec<Activity>, TableError> {
    let mut activities = Vec::new();
    for batch in super::decode(file)? {
        for row in 0..batch.num_rows() {
            activities.push(activity(&batch, row)?);
        }
    }
    Ok(activities)
}

fn activity(batch: &RecordBatch, row: usize) -> Result<Activity, TableError> {
    let text = |column| {
        let values = super::column(batch, column, &DataType::Utf8, "text")?.as_string::<i32>();
        Ok::<_, TableError>(values.value(row).to_owned())
    };
    let instant = |column| {
        let utc = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        let values = super::column(batch, column, &utc, "timestamp in milliseconds, UTC")?;
        let values = values.as_primitive::<TimestampMillisecondType>();
        let millisecond = values.is_valid(row).then(|| values.value(row));
        let invalid = |_| TableError::Cell { row, column };
        millisecond.map(Timestamp::from_millisecond).transpose().map_err(invalid)
    };
    let word = text("kind")?;
    let kind = ActivityKind::ALL.iter().find(|(_, known)| *known == word).map(|(kind, _)| *kind);
    let successful = super::column(batch, "successful", &DataType::Boolean, "boolean")?.as_boolean();
    Ok(Activity {
        id: text("activity_id")?,
        kind: kind.ok_or(TableError::Cell { row, column: "kind" })?,
        start: instant("start_utc")?.ok_or(TableError::Cell { row, column: "start_utc" })?,
        end: instant("end_utc")?,
        successful: successful.value(row),
        cause: text("cause")?,
    })
}
