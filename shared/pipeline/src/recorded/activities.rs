//! What `aws autoscaling describe-scaling-activities` prints.

use jiff::Timestamp;
use serde::Deserialize;

use super::RecordedError;
use super::text::Text;
use crate::activity::{Activity, ActivityKind};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    activities: Vec<Recorded>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Recorded {
    activity_id: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    cause: String,
    start_time: Timestamp,
    end_time: Option<Timestamp>,
    #[serde(default)]
    status_code: String,
}

/// The activities in `bytes`, oldest first.
pub fn read(file: &str, bytes: &[u8]) -> Result<Vec<Activity>, RecordedError> {
    let text = Text::of(file, bytes)?;
    let unreadable = |error: serde_json::Error| RecordedError::Unreadable {
        file: file.to_owned(),
        expected: "what `describe-scaling-activities` prints",
        source: error.into(),
    };
    let output: Output = serde_json::from_slice(text.bytes).map_err(unreadable)?;
    let mut activities: Vec<Activity> = output.activities.into_iter().map(Recorded::activity).collect();
    activities.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
    Ok(activities)
}

impl Recorded {
    fn activity(self) -> Activity {
        Activity {
            id: self.activity_id,
            kind: ActivityKind::described(&self.description),
            start: self.start_time,
            end: self.end_time,
            successful: self.status_code == "Successful",
            cause: self.cause,
        }
    }
}
