//! What a gap means: no requests, or no data.

use std::collections::BTreeSet;

use scaling::sample::{Metric, Period, Sample};
use scaling::units::{MinuteUtc, Minutes};

/// What was filled, and what was not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FillReport {
    /// Periods without requests, while instances were reported: taken as zero.
    pub requests_filled: usize,
    /// Periods in which instances were reported and CPU was not: it stays missing.
    pub cpu_missing: usize,
}

/// A load balancer without requests publishes no count of them: where instances are reported and requests
/// are not, they are zero. CPU is never zero: it is missing. Where there are no requests anywhere, that
/// series was not fetched, and nothing is filled. Where it is known of which minutes the load balancer said
/// something, those minutes decide, and nothing else: one that says nothing at all is silent, not idle.
pub fn fill_absent_requests(
    samples: &mut [Sample],
    load_balancer_reported: Option<&BTreeSet<MinuteUtc>>,
) -> FillReport {
    let mut report = FillReport::default();
    let counted = samples.iter().any(|sample| sample.get(Metric::Requests).is_some());
    let is_zero = |sample: &Sample| match load_balancer_reported {
        Some(minutes) => minutes.contains(&sample.minute_utc),
        None => counted,
    };
    let with_cpu = minutes_with_cpu(samples);
    for sample in samples.iter_mut().filter(|sample| sample.get(Metric::InService).is_some()) {
        if sample.get(Metric::Requests).is_none() && is_zero(sample) {
            sample.set(Metric::Requests, 0.0).expect("zero is a number of requests");
            report.requests_filled += 1;
        }
        report.cpu_missing += usize::from(!with_cpu.contains(&sample.minute_utc));
    }
    report
}

/// Every minute that some CPU value covers.
fn minutes_with_cpu(samples: &[Sample]) -> BTreeSet<MinuteUtc> {
    let reported = samples.iter().filter(|sample| sample.get(Metric::CpuPercent).is_some());
    reported
        .flat_map(|sample| (0..sample.period.minutes().0).map(|i| sample.minute_utc + Minutes(i)))
        .collect()
}

/// Removes what ends within the newest `open` minutes: those values may still grow. Tells how many periods.
pub fn leave_open(samples: &mut Vec<Sample>, open: Minutes) -> usize {
    let before = samples.len();
    if let Some(newest) = samples.iter().map(end).max() {
        samples.retain(|sample| end(sample) <= newest - open);
    }
    before - samples.len()
}

fn end(sample: &Sample) -> MinuteUtc {
    sample.minute_utc + sample.period.minutes()
}

/// Whether CPU comes in periods of five minutes only: basic monitoring.
pub fn has_basic_monitoring_only(samples: &[Sample]) -> bool {
    let with_cpu: Vec<&Sample> =
        samples.iter().filter(|sample| sample.get(Metric::CpuPercent).is_some()).collect();
    !with_cpu.is_empty() && with_cpu.iter().all(|sample| sample.period == Period::FiveMinutes)
}
