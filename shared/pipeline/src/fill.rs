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

/// The requests that are zero, by the minute or by five as they are counted around it, and what is said of them.
///
/// A load balancer without requests publishes no count of them: where instances are reported and requests
/// are not, they are zero. CPU is never zero: it is missing. Where there are no requests anywhere, that
/// series was not fetched; before its first count and after its last nobody knows. Where it is known of which minutes
/// the load balancer said something, those minutes decide, and nothing else: one that says nothing at all is silent, not
/// idle.
pub fn absent_requests(
    samples: &[Sample],
    load_balancer_reported: Option<&BTreeSet<MinuteUtc>>,
) -> (Vec<Sample>, FillReport) {
    let counted = minutes_with(Metric::Requests, samples);
    let is_zero = |minute: MinuteUtc| {
        !counted.contains(&minute)
            && match load_balancer_reported {
                Some(minutes) => minutes.contains(&minute),
                None => counted.first() < Some(&minute) && Some(&minute) < counted.last(),
            }
    };
    let with_cpu = minutes_with(Metric::CpuPercent, samples);
    let (mut absent, mut report) = (Vec::new(), FillReport::default());
    for sample in samples.iter().filter(|sample| sample.get(Metric::InService).is_some()) {
        let zeros: Vec<MinuteUtc> = minutes(sample).filter(|minute| is_zero(*minute)).collect();
        if zeros.len() == sample.period.minutes().0 as usize {
            absent.push(without_requests(sample.minute_utc, sample.period));
        } else {
            absent.extend(zeros.into_iter().map(|minute| without_requests(minute, Period::OneMinute)));
        }
        report.cpu_missing += usize::from(!with_cpu.contains(&sample.minute_utc));
    }
    report.requests_filled = absent.len();
    (absent, report)
}

fn without_requests(minute: MinuteUtc, period: Period) -> Sample {
    let mut sample = Sample::empty(minute, period);
    sample.set(Metric::Requests, 0.0).expect("zero is a number of requests");
    sample
}

/// Every minute that some value of `metric` covers.
fn minutes_with(metric: Metric, samples: &[Sample]) -> BTreeSet<MinuteUtc> {
    samples.iter().filter(|sample| sample.get(metric).is_some()).flat_map(minutes).collect()
}

fn minutes(sample: &Sample) -> impl Iterator<Item = MinuteUtc> {
    let start = sample.minute_utc;
    (0..sample.period.minutes().0).map(move |i| start + Minutes(i))
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
