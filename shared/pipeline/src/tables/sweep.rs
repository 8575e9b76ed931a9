//! Every policy that holds the ceiling, and what it does: a row a policy, in the order of the sweep.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, Int32Array};
use arrow_schema::{DataType, Field};
use bytes::Bytes;
use scaling::sweep::Evaluated;

/// The policies as a Parquet file. Thresholds and CPU in percent, periods in minutes, cooldown in seconds;
/// `lower_breach_scale_increment` counts the instances removed.
pub fn encode(kept: &[Evaluated]) -> Bytes {
    let whole = |name: &str, value: &dyn Fn(&Evaluated) -> u32| -> (Field, ArrayRef) {
        let values = kept.iter().map(|evaluated| i32::try_from(value(evaluated)).unwrap_or(i32::MAX));
        (Field::new(name, DataType::Int32, false), Arc::new(Int32Array::from_iter_values(values)))
    };
    let double = |name: &str, value: &dyn Fn(&Evaluated) -> f64| -> (Field, ArrayRef) {
        let values = Float64Array::from_iter_values(kept.iter().map(value));
        (Field::new(name, DataType::Float64, false), Arc::new(values))
    };
    super::encode(vec![
        double("upper_threshold", &|e| e.policy.trigger().upper_threshold.get()),
        double("lower_threshold", &|e| e.policy.trigger().lower_threshold.get()),
        whole("upper_breach_scale_increment", &|e| e.policy.trigger().upper_breach_scale_increment.0),
        whole("lower_breach_scale_increment", &|e| e.policy.trigger().lower_breach_scale_increment.0),
        whole("period", &|e| e.policy.trigger().period.0),
        whole("evaluation_periods", &|e| e.policy.trigger().evaluation_periods),
        whole("breach_duration", &|e| e.policy.trigger().breach_duration().0),
        whole("min_size", &|e| e.policy.group().min_size.0),
        whole("max_size", &|e| e.policy.group().max_size.0),
        whole("cooldown", &|e| e.policy.group().cooldown.0),
        double("instance_hours", &|e| e.outcome.instance_hours()),
        double("mean_cpu_percent", &|e| e.outcome.mean_cpu_percent),
        double("max_cpu_percent", &|e| e.outcome.max_cpu_percent),
        whole("minutes_over", &|e| e.outcome.minutes_over),
        whole("peak_instances", &|e| e.outcome.peak_desired.0),
        whole("scale_outs", &|e| e.outcome.scale_outs),
        whole("scale_ins", &|e| e.outcome.scale_ins),
    ])
}
