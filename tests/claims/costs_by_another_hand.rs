//! What a request costs, worked out by hand from AWS's documents and the README, by someone who had not read the intake
//! or the fit.
//!
//! Where nothing else is said: four instances, up and down twice a day between 200 and 2200 requests a minute each, and
//! CPU half a point to and fro.

use pipeline::archive::memory::MemoryArchive;
use pipeline::recorded::{Options, Recording, Source, read};
use pipeline::store::read_samples;
use scaling::coefficient::{Change, Circumstances, Fit, FitRules, fit, fit_within};
use scaling::course::Deployment;
use scaling::observation::LeftOut;
use scaling::sample::{Metric, Period, Sample};
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Window};

use crate::{block_on, stages};

const DAY: u32 = 1440;

/// From 2026-11-02 on, a Monday.
fn at(minute: u32) -> MinuteUtc {
    MinuteUtc::new(29_892_960).unwrap() + Minutes(minute)
}

fn row(minute: u32, period: Period, values: &[(Metric, f64)]) -> Sample {
    let mut sample = Sample::empty(at(minute), period);
    for (metric, value) in values {
        sample.set(*metric, *value).unwrap();
    }
    sample
}

fn one(minute: u32, values: &[(Metric, f64)]) -> Sample {
    row(minute, Period::OneMinute, values)
}

fn minute(i: u32, load: f64, cpu: f64, instances: f64) -> Sample {
    let requests = (Metric::Requests, load * instances);
    one(i, &[requests, (Metric::CpuPercent, cpu.clamp(0.0, 100.0)), (Metric::InService, instances)])
}

/// Half a point to and fro, without a pattern.
fn noise(i: u32) -> f64 {
    f64::from(i.wrapping_mul(2_654_435_761) >> 16) / 65536.0 - 0.5
}

/// Requests a minute and instance.
fn load(i: u32) -> f64 {
    let phase = f64::from(i % 720) / 720.0;
    (200.0 + 1900.0 * (1.0 - (2.0 * phase - 1.0).abs()) + 100.0 * (noise(i) + 0.5)).round()
}

/// Minutes at the CPU that `cpu` makes of the load of each.
fn minutes(count: u32, cpu: impl Fn(u32, f64) -> f64) -> Vec<Sample> {
    (0..count).map(|i| minute(i, load(i), cpu(i, load(i)) + noise(i + 7), 4.0)).collect()
}

fn fitted(samples: &[Sample]) -> Fit {
    fit(samples, FitRules::default()).unwrap()
}

fn is_near(value: f64, expected: f64, share: f64) -> bool {
    (value - expected).abs() <= share * expected.abs()
}

fn assert_line(fit: &Fit, coefficient: f64, intercept: f64) {
    let (slope, base) = (fit.model.coefficient(), fit.model.intercept_percent());
    assert!(is_near(slope, coefficient, 0.01) && is_near(base, intercept, 0.1), "{slope} {base}");
}

fn file(name: &str, text: String) -> Result<Recording, String> {
    let source = Source { name: name.into(), bytes: text.into_bytes() };
    read(&[source], &Options::default()).map_err(|error| error.to_string())
}

fn of(recording: &Recording, metric: Metric) -> Vec<f64> {
    recording.samples.iter().filter_map(|sample| sample.get(metric)).collect()
}

fn clock(minute: u32) -> String {
    format!("2026-11-02T{:02}:{:02}:00Z", minute / 60, minute % 60)
}

/// Takes them in, and reads all that is there.
fn ingest(archive: &MemoryArchive, samples: Vec<Sample>) -> Vec<Sample> {
    stages::ingest_with(archive, samples, None).unwrap();
    block_on(read_samples(archive, &stages::environment(), Window { start: at(0), end: at(DAY) })).unwrap()
}

fn requests(samples: &[Sample]) -> Vec<Option<f64>> {
    samples.iter().map(|sample| sample.get(Metric::Requests)).collect()
}

#[test]
fn of_rows_within_a_minute_counts_add_up_levels_average_and_the_greatest_maximum_stays() {
    let header = "timestamp,requests,cpu_percent,cpu_percent_max,in_service,http_5xx";
    let rows = "2026-11-02T00:00:00Z,100,10,30,1,1\n2026-11-02T00:00:30Z,50,40,70,3,2\n";
    let recording = file("m.csv", format!("{header}\n{rows}")).unwrap();
    assert_eq!(of(&recording, Metric::Requests), [150.0]);
    assert_eq!(of(&recording, Metric::CpuPercentMax), [70.0]);
    assert_eq!(of(&recording, Metric::InService), [2.0]);
    assert_eq!(of(&recording, Metric::Http5xx), [3.0]);
    // Of CloudWatch's samples, one has 10 and three have 40.
    assert_eq!(of(&recording, Metric::CpuPercent), [32.5]);
}

#[test]
fn a_count_of_five_minutes_is_the_same_in_any_unit() {
    for (column, value) in [("requests", 600), ("requests_per_minute", 120), ("requests_per_second", 2)] {
        let rows: String = (0..3).map(|i| format!("{},{value}\n", clock(5 * i))).collect();
        let recording = file("m.csv", format!("timestamp,{column}\n{rows}")).unwrap();
        assert_eq!(of(&recording, Metric::Requests), [600.0; 3], "{column}");
    }
}

#[test]
fn the_hour_that_comes_twice_when_clocks_are_set_back_is_two_with_its_zone() {
    let rows = ["02:30:00+02:00", "02:31:00+02:00", "02:30:00+01:00", "02:31:00+01:00"];
    let rows: String = rows.map(|time| format!("2026-10-25T{time},1\n")).concat();
    let times = file("m.csv", format!("timestamp,requests\n{rows}")).unwrap().samples;
    let times: Vec<String> = times.iter().map(|sample| sample.minute_utc.to_string()).collect();
    let expected = ["00:30", "00:31", "01:30", "01:31"].map(|time| format!("2026-10-25T{time}Z"));
    assert_eq!(times, expected);
}

/// A series of 24 points in each form that a file may have.
fn every(step: u32, id: &str, label: &str) -> [Result<Recording, String>; 3] {
    let times = (0..24).map(|i| clock(i * step));
    let values: String = times.clone().map(|time| format!("{time},{label},5\n")).collect();
    let rows: String = times.clone().map(|time| format!("{time},5\n")).collect();
    let (times, points) = (times.collect::<Vec<_>>(), [5; 24]);
    let series =
        format!(r#"{{"Id": "{id}", "Label": "{label}", "Timestamps": {times:?}, "Values": {points:?}}}"#);
    [
        file("m.json", format!(r#"{{"MetricDataResults": [{series}]}}"#)),
        file("m.csv", format!("timestamp,metric,value\n{values}")),
        file("m.csv", format!("timestamp,{label}\n{rows}")),
    ]
}

#[test]
fn points_of_two_minutes_or_an_hour_are_taken_for_neither_one_nor_five() {
    for (step, expected) in [(1, Period::OneMinute), (5, Period::FiveMinutes)] {
        for recording in every(step, "m1", "RequestCount") {
            assert!(recording.unwrap().samples.iter().all(|sample| sample.period == expected));
        }
    }
    for step in [2, 10, 60] {
        for refused in every(step, "m1", "RequestCount") {
            let refused = refused.unwrap_err();
            assert!(refused.contains(&format!("every {} s", step * 60)), "{refused}");
        }
    }
}

#[test]
fn samples_are_as_many_as_instances_by_the_minute_and_not_by_five() {
    for recording in every(1, "n", "SampleCount") {
        assert_eq!(of(&recording.unwrap(), Metric::InService), [5.0; 24]);
    }
    for refused in every(5, "n", "SampleCount") {
        assert!(refused.unwrap_err().contains("counts the samples of five minutes"));
    }
    // One metric of two statistics has one label.
    let [by_id, ..] = every(1, "cpu_samplecount", "CPUUtilization");
    assert_eq!(of(&by_id.unwrap(), Metric::InService), [5.0; 24]);
}

#[test]
fn what_each_target_got_is_not_what_all_got() {
    let [by_id, ..] = every(1, "requests", "RequestCountPerTarget");
    assert_eq!(of(&by_id.unwrap(), Metric::Requests), [0.0; 0]);
}

/// A quiet minute that is filled with zero would take the place of the five around it.
#[test]
fn no_minute_is_without_requests_where_five_are_counted_together() {
    let five = |i: u32| {
        let requests = 500.0 + 100.0 * f64::from(i * 7 % 40);
        let values = [(Metric::Requests, requests), (Metric::CpuPercent, 2.0 + 0.01 * requests / 5.0)];
        row(5 * i, Period::FiveMinutes, &values)
    };
    let counted = (0..200).map(|i| one(i, &[(Metric::InService, 1.0)]));
    let stored = ingest(&MemoryArchive::default(), counted.chain((0..40).map(five)).collect());
    let fit = fitted(&stored);
    assert!(is_near(fit.model.coefficient(), 0.01, 1e-9) && fit.usable == 39, "{}", fit.usable);
}

#[test]
fn a_zero_that_was_filled_in_gives_way_and_takes_no_place() {
    let archive = MemoryArchive::default();
    let bare = |i| one(i, &[(Metric::InService, 2.0)]);
    let full = |i| one(i, &[(Metric::InService, 2.0), (Metric::Requests, 70.0)]);
    let short = || [vec![full(0)], (1..5).map(bare).collect(), (5..10).map(full).collect()].concat();
    assert_eq!(requests(&ingest(&archive, short()))[..5], [70.0, 0.0, 0.0, 0.0, 0.0].map(Some));
    assert_eq!(requests(&ingest(&archive, (0..10).map(full).collect())), [Some(70.0); 7]);
    assert_eq!(requests(&ingest(&archive, short())), [Some(70.0); 7]);
}

#[test]
fn requests_that_end_before_the_instances_do_are_missing_and_not_zero() {
    let counted = |i| one(i, &[(Metric::InService, 2.0)]);
    let full = |i| one(i, &[(Metric::InService, 2.0), (Metric::Requests, 50.0)]);
    let samples = (0..15).map(full).chain((15..20).map(counted)).collect();
    assert_eq!(requests(&ingest(&MemoryArchive::default(), samples))[14..], [Some(50.0), None, None]);
}

#[test]
fn minutes_without_requests_are_zero_where_instances_are_counted_by_five() {
    let counted = (0..4).map(|i| row(5 * i, Period::FiveMinutes, &[(Metric::InService, 2.0)]));
    let busy = (0..20).filter(|i| !(6..9).contains(i)).map(|i| one(i, &[(Metric::Requests, 50.0)]));
    let stored = ingest(&MemoryArchive::default(), counted.chain(busy).collect());
    let zeros = stored.iter().filter(|sample| sample.get(Metric::Requests) == Some(0.0));
    let zeros: Vec<MinuteUtc> = zeros.map(|sample| sample.minute_utc).collect();
    assert_eq!(zeros, [at(6), at(7), at(8)]);
}

#[test]
fn a_fit_is_the_same_a_day_or_a_week_later() {
    let now = minutes(3 * DAY + 77, |_, load| 4.0 + 0.03 * load);
    for days in [1, 7, 100] {
        let later = now.iter().cloned().map(|mut sample| {
            sample.minute_utc = sample.minute_utc + Minutes(days * DAY);
            sample
        });
        assert_eq!(fitted(&now), fitted(&later.collect::<Vec<_>>()), "{days}");
    }
}

/// The same samples with some metrics times a number.
fn times(samples: &[Sample], metrics: &[Metric], factor: f64) -> Vec<Sample> {
    let mut samples = samples.to_vec();
    for sample in &mut samples {
        for metric in metrics {
            sample.set(*metric, factor * sample.get(*metric).unwrap()).unwrap();
        }
    }
    samples
}

#[test]
fn twice_the_traffic_on_twice_the_instances_costs_the_same_and_half_the_cpu_half() {
    let samples = minutes(3 * DAY, |_, load| 4.0 + 0.03 * load);
    let fit = fitted(&samples);
    assert_eq!(fitted(&times(&samples, &[Metric::Requests, Metric::InService], 2.0)), fit);
    let half = fitted(&times(&samples, &[Metric::CpuPercent], 0.5));
    assert_line(&half, fit.model.coefficient() / 2.0, fit.model.intercept_percent() / 2.0);
    assert!(is_near(half.coefficient_interval.low, fit.coefficient_interval.low / 2.0, 1e-6));
    assert!(is_near(half.r_squared, fit.r_squared, 1e-9) && half.outlying == fit.outlying);
}

#[test]
fn half_an_instance_serves_half_and_an_idle_minute_shows_what_no_request_costs() {
    let at = |i: u32| {
        let load = if i.is_multiple_of(5) { 0.0 } else { 1000.0 + 37.0 * f64::from(i) };
        minute(i, load, 3.0 + 0.01 * load, 2.0 + f64::from(i % 4) / 20.0)
    };
    let fit = fitted(&(0..60).map(at).collect::<Vec<_>>());
    assert!(
        is_near(fit.model.coefficient(), 0.01, 1e-9) && is_near(fit.model.intercept_percent(), 3.0, 1e-6)
    );
    assert_eq!(fit.usable, 60);
    let (serves, _) = fit.requests_at(CpuPercent::new(50.0).unwrap()).unwrap();
    assert!(is_near(serves, 4700.0, 1e-9), "{serves}");
}

/// CloudWatch's average is one of samples: a minute with more instances counts for more.
#[test]
fn five_minutes_of_cpu_are_those_of_their_requests_over_their_instances() {
    let load = |i: u32| 500.0 + 10.0 * f64::from((i / 5 * 37 + i % 5 * 3) % 100);
    let instances = |i: u32| f64::from(if (i / 5).is_multiple_of(2) { 1 + i % 5 } else { 5 - i % 5 });
    let five = |start: u32| {
        let sum = |of: &dyn Fn(u32) -> f64| (start..start + 5).map(of).sum::<f64>();
        let cpu = sum(&|i| instances(i) * (3.0 + 0.01 * load(i))) / sum(&instances);
        row(start, Period::FiveMinutes, &[(Metric::CpuPercent, cpu)])
    };
    let one = |i| one(i, &[(Metric::Requests, instances(i) * load(i)), (Metric::InService, instances(i))]);
    let fit = fitted(&(0..500).map(one).chain((0..500).step_by(5).map(five)).collect::<Vec<_>>());
    assert!(is_near(fit.model.coefficient(), 0.01, 1e-9), "{}", fit.model.coefficient());
}

#[test]
fn minutes_of_a_deployment_and_after_a_removal_are_left_out() {
    let busy = |i: u32| if (720..731).contains(&i) { 30.0 } else { 0.0 };
    let instances = |i: u32| if i < 1000 { 4.0 } else { 3.0 };
    let samples: Vec<Sample> =
        (0..DAY).map(|i| minute(i, load(i), 2.0 + 0.02 * load(i) + busy(i), instances(i))).collect();
    let deployments =
        [Deployment { start: at(720), end: at(731), extra: Instances(0), extra_cpu_percent: 0.0 }];
    let around = Circumstances { deployments: &deployments, ..Circumstances::default() };
    let fit = fit_within(&samples, FitRules::default(), around).unwrap();
    assert_eq!(fit.left_out, [(LeftOut::Deployment, 11), (LeftOut::JustAfterChange, 3)].into());
    assert!(is_near(fit.model.coefficient(), 0.02, 1e-9));
}

#[test]
fn cpu_that_ends_at_one_thread_a_baseline_or_a_hundred_is_fitted_below() {
    for level in [20.0, 25.0, 100.0] {
        let slope = level / 1100.0;
        let at = |i| minute(i, load(i), (2.0 + slope * load(i) + noise(i + 7)).min(level), 4.0);
        let fit = fitted(&(0..3 * DAY).map(at).collect::<Vec<_>>());
        assert_line(&fit, slope, 2.0);
        assert!(fit.left_out[&LeftOut::AtCeiling] > 1000, "{:?}", fit.left_out);
    }
}

/// A request costs 0.01 % times the last of these that has begun.
fn stepped(days: u32, steps: &[(u32, f64)]) -> Fit {
    let times = |i: u32| steps.iter().rev().find(|(from, _)| *from <= i).unwrap().1;
    fitted(&minutes(days * DAY, |i, load| 4.0 + 0.01 * load * times(i)))
}

fn assert_changed(fit: &Fit, minute: u32, share: f64) {
    let Change { since, share: found } = fit.change.unwrap();
    let off = since.epoch_minutes() - at(minute).epoch_minutes();
    assert!(off.abs() <= 10 && is_near(found, share, 0.05), "{off} min, {found}");
}

#[test]
fn of_two_changes_the_last_counts_and_is_told_against_what_was_just_before() {
    let (first, last) = (10 * DAY, 20 * DAY + 300);
    for (before, after, share) in [(1.5, 1.0, -1.0 / 3.0), (0.6, 1.0, 2.0 / 3.0), (1.3, 1.69, 0.3)] {
        let fit = stepped(30, &[(0, 1.0), (first, before), (last, after)]);
        assert_changed(&fit, last, share);
        assert_line(&fit, 0.01 * after, 4.0);
    }
}

/// In a quiet night a dearer request shows little, since there are few.
#[test]
fn a_change_is_found_within_the_day_whatever_the_night_shows() {
    let since = 29 * DAY + 300;
    for (before, after) in [(1.5, 1.0), (1.0, 1.5)] {
        let fit = stepped(30, &[(0, 2.5 - before), (10 * DAY, before), (since, after)]);
        assert_changed(&fit, since, after / before - 1.0);
        assert_line(&fit, 0.01 * after, 4.0);
    }
}

#[test]
fn weekends_that_cost_something_else_are_no_change_on_any_day() {
    let weekend = |i: u32| i / DAY % 7 >= 5;
    for (days, share) in [(14, 0.2), (15, 0.2), (16, -0.2), (21, 0.2), (14, -0.2)] {
        let cost = |i, load| 4.0 + 0.02 * load * if weekend(i) { 1.0 + share } else { 1.0 };
        let fit = fitted(&minutes(days * DAY, cost));
        assert!(fit.change.is_none(), "{days} days, {share}: {:?}", fit.change);
    }
    // One that came within the week is.
    let new = fitted(&minutes(14 * DAY, |i, load| 4.0 + if i < 12 * DAY { 0.02 } else { 0.024 } * load));
    assert_changed(&new, 12 * DAY, 0.2);
}
