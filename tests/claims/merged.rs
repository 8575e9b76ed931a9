//! Values by the minute and by five of the same time: the archive holds each once, and whoever meets both takes the finer.

use pipeline::archive::memory::MemoryArchive;
use pipeline::archive::{Archive, Environment, Expected, Key};
use pipeline::store::{MergeReport, merge_samples, read_samples};
use pipeline::tables::samples::{Remarks, encode};
use proptest::prelude::*;
use scaling::backtest::Record;
use scaling::sample::{Metric, Period, Sample};
use scaling::traffic::Traffic;
use scaling::units::{MinuteUtc, Minutes, Window};

use crate::block_on;

fn at(minute: u32) -> MinuteUtc {
    MinuteUtc::new(29_892_960).unwrap() + Minutes(minute)
}

fn hour() -> Window {
    Window { start: at(0), end: at(60) }
}

fn environment() -> Environment {
    Environment::new("web").unwrap()
}

fn sample(minute: u32, period: Period, values: &[(Metric, f64)]) -> Sample {
    let mut sample = Sample::empty(at(minute), period);
    for (metric, value) in values {
        sample.set(*metric, *value).unwrap();
    }
    sample
}

fn merge(archive: &MemoryArchive, samples: &[Sample]) -> MergeReport {
    block_on(merge_samples(archive, &environment(), samples, &Remarks::default())).unwrap()
}

fn read(archive: &MemoryArchive) -> Vec<Sample> {
    block_on(read_samples(archive, &environment(), hour())).unwrap()
}

fn merged(parts: [&[Sample]; 2]) -> Vec<Sample> {
    let archive = MemoryArchive::default();
    for part in parts {
        merge(&archive, part);
    }
    read(&archive)
}

/// Samples of one hour; what a metric has in a period is the same in all of them.
fn any_samples() -> impl Strategy<Value = Vec<Sample>> {
    let metrics = proptest::sample::subsequence(Metric::ALL.to_vec(), 1..4);
    let row = (0..12_u32, 0..5_u32, any::<bool>(), metrics).prop_map(|(five, minute, is_five, metrics)| {
        let (minute, period) =
            if is_five { (five * 5, Period::FiveMinutes) } else { (five * 5 + minute, Period::OneMinute) };
        let value = f64::from(minute + period.minutes().0);
        sample(minute, period, &metrics.into_iter().map(|metric| (metric, value)).collect::<Vec<_>>())
    });
    proptest::collection::vec(row, 1..40).prop_map(|mut samples| {
        samples.sort_by_key(Sample::key);
        samples.dedup_by_key(|sample| sample.key());
        samples
    })
}

fn values(sample: &Sample) -> impl Iterator<Item = Metric> {
    Metric::ALL.into_iter().filter(|metric| sample.get(*metric).is_some())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whichever_comes_first_no_minute_is_lost_and_no_value_is_there_twice(
        a in any_samples(),
        b in any_samples(),
    ) {
        let kept = merged([&a, &b]);
        prop_assert_eq!(&kept, &merged([&b, &a]));
        let fine = |minute, metric| kept.iter().any(|sample| {
            sample.key() == (minute, Period::OneMinute) && sample.get(metric).is_some()
        });
        for sample in a.iter().chain(&b).filter(|sample| sample.period == Period::OneMinute) {
            prop_assert!(values(sample).all(|metric| fine(sample.minute_utc, metric)));
        }
        for sample in kept.iter().filter(|sample| sample.period == Period::FiveMinutes) {
            let twice = |metric| (0..5).any(|i| fine(sample.minute_utc + Minutes(i), metric));
            prop_assert!(!values(sample).any(twice));
        }
    }
}

/// Requests and instances by the minute and by five, as they once came in a fetch that went far back.
fn doubled() -> [Vec<Sample>; 2] {
    let minutes = (0..10).map(|minute| {
        let requests = f64::from(100 + 20 * minute);
        let values = [(Metric::Requests, requests), (Metric::InService, f64::from(2 + minute / 4))];
        sample(minute, Period::OneMinute, &values)
    });
    let fives = [0, 5].map(|minute| {
        sample(minute, Period::FiveMinutes, &[(Metric::Requests, 999.0), (Metric::InService, 9.0)])
    });
    [minutes.collect(), fives.to_vec()]
}

#[test]
fn what_is_there_by_the_minute_is_not_taken_in_again_by_five() {
    let [minutes, fives] = doubled();
    let archive = MemoryArchive::default();
    merge(&archive, &minutes);
    let puts = archive.puts();
    let report = merge(&archive, &fives);
    assert_eq!((report.added, report.updated, report.unchanged, archive.puts()), (0, 0, 2, puts));
    assert_eq!(read(&archive), minutes);
}

#[test]
fn an_archive_that_holds_both_is_read_by_the_minute() {
    let [minutes, fives] = doubled();
    let archive = MemoryArchive::default();
    let body = encode(&[minutes.clone(), fives].concat()).unwrap();
    let key = Key::samples(&environment(), at(0));
    block_on(archive.put(&key, body, Expected::Anything)).unwrap();
    assert_eq!(read(&archive), minutes);
}

#[test]
fn a_replay_of_both_is_one_of_the_minutes() {
    let [minutes, fives] = doubled();
    let both = [fives.clone(), minutes.clone()].concat();
    for both in [both, [minutes.clone(), fives].concat()] {
        assert_eq!(Traffic::recorded(&both, hour()), Traffic::recorded(&minutes, hour()));
        assert_eq!(Record::of(&both, hour()), Record::of(&minutes, hour()));
    }
}
