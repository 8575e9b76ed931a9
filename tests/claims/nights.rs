//! A group that its scheduled actions put to sleep every evening, and wake every morning.

use pipeline::archive::memory::MemoryArchive;
use pipeline::documents::{GradeDocument, OptionDocument, RecommendationDocument};
use pipeline::sweep::{SweepError, SweepReport, SweepRequest};
use scaling::cpu_model::CpuModel;
use scaling::dynamics::Dynamics;
use scaling::reference::{Row, Scenario, replay};
use scaling::sample::{Metric, Sample};
use scaling::settings::Settings;
use scaling::traffic::{Load, Traffic};
use scaling::units::{Instances, RequestsPerMinute, Window};

use crate::stages::{at, ingest_with, options, refit_of, sample, sweep, sweep_request};

const DAYS: u32 = 4;

fn scheduled(action: &str, name: &str, value: &str) -> OptionDocument {
    let resource_name = Some(action.to_owned());
    OptionDocument { resource_name, ..crate::option("aws:autoscaling:scheduledaction", name, value) }
}

/// Asleep from 20:00 to 06:00.
fn nightly() -> Vec<OptionDocument> {
    let action = |action: &'static str, when, [min, max, desired]: [&'static str; 3]| {
        let fields = [("Recurrence", when), ("MinSize", min), ("MaxSize", max), ("DesiredCapacity", desired)];
        fields.map(|(name, value)| scheduled(action, name, value))
    };
    let nights =
        [action("Sleep", "0 20 * * *", ["0", "0", "0"]), action("Wake", "0 6 * * *", ["2", "8", "2"])];
    options().into_iter().chain(nights.concat()).collect()
}

fn window() -> Window {
    Window { start: at(0), end: at(DAYS * 1440) }
}

/// Up to 24,000 requests a minute at two in the afternoon.
fn requests(minute: u32) -> f64 {
    let from_two = (f64::from(minute % 1440) - 840.0).abs();
    (24_000.0 - 30.0 * from_two) * (0.98 + 0.04 * f64::from(minute * 7919 % 101) / 100.0)
}

fn settings(options: &[OptionDocument]) -> Settings {
    Settings::from_options(options.iter().map(OptionDocument::as_option)).unwrap()
}

/// What really happened to the group, by AWS's rules.
fn rows() -> Vec<Row> {
    let settings = settings(&nightly());
    let rate = |minute| RequestsPerMinute::new(requests(minute)).ok();
    let traffic = Traffic { start: at(0), requests_per_minute: (0..DAYS * 1440).map(rate).collect() };
    let load = Load::new(&traffic, CpuModel::new(2.0, 0.01).unwrap());
    let plan = settings.plan(None).unwrap();
    let course = settings.scheduled_course(window()).unwrap();
    replay(&load, &Scenario { plan, dynamics: Dynamics::default(), course, initial: Instances(0) })
}

/// What CloudWatch has of it: nothing, while there is no instance.
fn samples() -> Vec<Sample> {
    let known = |(minute, row): (u32, Row)| {
        let (in_service, cpu) = (f64::from(row.in_service.0), row.group_cpu_percent?);
        let stray = [0.3, -0.3][minute as usize % 2];
        let values = [(Metric::Requests, requests(minute)), (Metric::CpuPercent, cpu + stray)];
        Some(sample(minute, &[&values[..], &[(Metric::InService, in_service)]].concat()))
    };
    (0..).zip(rows()).filter_map(known).collect()
}

fn swept(options: Vec<OptionDocument>) -> Result<SweepReport, SweepError> {
    let archive = MemoryArchive::default();
    ingest_with(&archive, samples(), Some(options)).unwrap();
    refit_of(&archive, window()).unwrap();
    sweep(&archive, SweepRequest { window: window(), ..sweep_request() })
}

fn advice() -> RecommendationDocument {
    swept(nightly()).unwrap().document
}

#[test]
fn its_nights_are_no_holes_and_cost_nothing() {
    let advice = advice();
    // From its first known minute to its last, four days less ten hours and a few minutes.
    assert_eq!(
        (advice.traffic.minutes_asleep, advice.back_test.unwrap().grade),
        (3 * 600, GradeDocument::Good)
    );
    let hours = advice.recommended.unwrap().outcome.instance_hours;
    assert!(hours < 8.0 * 14.0 * f64::from(DAYS), "{hours}");
}

#[test]
fn without_its_schedule_they_are_holes() {
    assert!(matches!(swept(options()), Err(SweepError::TooManyHoles { .. })));
}
