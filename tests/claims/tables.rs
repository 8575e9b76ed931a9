//! The samples table: what is written is read again, and what is damaged is refused.

use bytes::Bytes;
use pipeline::tables::samples::{decode, encode};
use proptest::prelude::*;
use scaling::sample::{Metric, Period, Sample};
use scaling::units::{MinuteUtc, Minutes};

fn sample(minute: u32, values: &[(Metric, f64)]) -> Sample {
    let mut sample = Sample::empty(MinuteUtc::new(29_892_960).unwrap() + Minutes(minute), Period::OneMinute);
    for (metric, value) in values {
        sample.set(*metric, *value).unwrap();
    }
    sample
}

fn some_samples() -> Vec<Sample> {
    (0..50).map(|minute| sample(minute, &[(Metric::Requests, f64::from(minute) * 7.25)])).collect()
}

fn any_sample() -> impl Strategy<Value = Sample> {
    let values = proptest::collection::vec(proptest::option::of(0.0..100.0_f64), Metric::ALL.len());
    (-40_000_000..40_000_000_i64, any::<bool>(), values).prop_map(|(minute, five, values)| {
        let period = if five { Period::FiveMinutes } else { Period::OneMinute };
        let mut sample = Sample::empty(MinuteUtc::new(minute).unwrap(), period);
        for (metric, value) in Metric::ALL.into_iter().zip(values) {
            if let Some(value) = value {
                sample.set(metric, value).unwrap();
            }
        }
        sample
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_is_written_is_read_again(samples in proptest::collection::vec(any_sample(), 0..40)) {
        let mut expected = samples;
        expected.sort_by_key(Sample::key);
        expected.dedup_by_key(|sample| sample.key());
        prop_assert_eq!(decode(&encode(&expected).unwrap()).unwrap(), expected);
    }

    #[test]
    fn the_order_of_samples_does_not_matter(samples in Just(some_samples()).prop_shuffle()) {
        prop_assert_eq!(encode(&samples).unwrap(), encode(&some_samples()).unwrap());
    }

    #[test]
    fn a_cut_file_is_refused(share in 0.0..1.0_f64) {
        let whole = encode(&some_samples()).unwrap();
        let cut = whole.slice(..(whole.len() as f64 * share) as usize);
        prop_assert!(decode(&cut).is_err());
    }

    #[test]
    fn noise_is_refused(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&noise.into()).is_err());
    }
}

/// The Parquet library itself panics on some of these.
#[test]
fn a_file_with_any_one_byte_damaged_is_refused_or_read_as_it_was() {
    let whole = encode(&some_samples()[..3]).unwrap();
    for at in 0..whole.len() {
        let mut damaged = whole.to_vec();
        damaged[at] ^= 0x55;
        let read = decode(&damaged.into());
        assert!(read.is_err() || read.unwrap() == some_samples()[..3], "byte {at}");
    }
}

#[test]
fn two_rows_of_one_minute_are_refused_by_name() {
    let refused = encode(&[sample(3, &[]), sample(3, &[])]).unwrap_err();
    assert_eq!(refused.to_string(), "two rows for 2026-11-02T00:03Z, period 60 s");
}

#[test]
fn a_table_of_something_else_is_refused_by_its_column() {
    let other = pipeline::tables::sweep::encode(&[]);
    let refused = decode(&other);
    assert!(matches!(&refused, Ok(samples) if samples.is_empty()) || refused.is_err());
    let not_parquet = decode(&Bytes::from_static(b"timestamp,requests\n")).unwrap_err();
    assert_eq!(not_parquet.to_string(), "not a whole Parquet file");
}
