//! Numbers for CloudWatch's metrics, as lines of log in its embedded metric format. They are counted for the whole
//! stack, by stage: a metric for each environment would cost more than everything else together. The environment is
//! in the line, for queries.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The namespace.
const NAMESPACE: &str = "Trellis";

/// A number and what it counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
}

/// Things.
pub(crate) fn count(name: &'static str, value: usize) -> Measure {
    Measure { name, unit: "Count", value: value as f64 }
}

/// A share, or another bare number.
pub(crate) fn number(name: &'static str, value: f64) -> Measure {
    Measure { name, unit: "None", value }
}

pub(crate) fn duration(spent: Duration) -> Measure {
    Measure { name: "DurationMs", unit: "Milliseconds", value: spent.as_secs_f64() * 1e3 }
}

/// One line that CloudWatch reads metrics from.
pub(crate) fn line(stage: &str, environment: &str, at: Timestamp, measures: &[Measure]) -> String {
    let described: Vec<Value> =
        measures.iter().map(|measure| json!({ "Name": measure.name, "Unit": measure.unit })).collect();
    let mut fields = Map::new();
    fields.insert(
        "_aws".to_owned(),
        json!({
            "Timestamp": at.as_millisecond(),
            "CloudWatchMetrics": [
                { "Namespace": NAMESPACE, "Dimensions": [["Stage"]], "Metrics": described }
            ],
        }),
    );
    fields.insert("Stage".to_owned(), json!(stage));
    fields.insert("Environment".to_owned(), json!(environment));
    fields.extend(measures.iter().map(|measure| (measure.name.to_owned(), json!(measure.value))));
    Value::Object(fields).to_string()
}
