//! What a request costs: found where the data carry it, refused where they don't.

use proptest::prelude::*;
use scaling::coefficient::{Circumstances, Fit, FitError, FitRules, Interval, fit, fit_within};
use scaling::latency::Knee;
use scaling::observation::{LeftOut, Series, with_cpu_earlier};
use scaling::sample::{Metric, Period, Sample};
use scaling::units::{CpuPercent, MinuteUtc, Minutes};

use crate::made::{self, PLAIN, Truth};

fn sample(minute: u32, period: Period, values: &[(Metric, f64)]) -> Sample {
    let mut sample = Sample::empty(MinuteUtc::new(0).unwrap() + Minutes(minute), period);
    for (metric, value) in values {
        sample.set(*metric, *value).unwrap();
    }
    sample
}

fn minute(minute: u32, requests: f64, cpu: f64, instances: f64) -> Sample {
    let values = [(Metric::Requests, requests), (Metric::CpuPercent, cpu), (Metric::InService, instances)];
    sample(minute, Period::OneMinute, &values)
}

/// CPU is 3 + 0.01 for each request a minute and instance.
fn straight(minutes: u32) -> Vec<Sample> {
    let at = |i: u32| {
        let (requests, instances) = (1000.0 + 37.0 * f64::from(i), f64::from(1 + i % 3));
        minute(i, requests, 3.0 + 0.01 * requests / instances, instances)
    };
    (0..minutes).map(at).collect()
}

fn fitted(samples: &[Sample]) -> Result<Fit, FitError> {
    fit(samples, FitRules::default())
}

fn is_near(value: f64, expected: f64) -> bool {
    (value - expected).abs() < 1e-9
}

#[test]
fn a_straight_line_is_found_exactly() {
    let fit = fitted(&straight(60)).unwrap();
    assert!(is_near(fit.model.coefficient(), 0.01) && is_near(fit.model.intercept_percent(), 3.0));
    assert!(is_near(fit.r_squared, 1.0) && fit.residual_spread_percent < 1e-6);
    assert_eq!(fit.usable, 60);
}

#[test]
fn cpu_that_is_late_is_moved_to_its_requests_and_nothing_else_is() {
    let mut late: Vec<Sample> =
        (0..6).map(|i| minute(i, f64::from(100 + i), f64::from(10 + i), f64::from(1 + i))).collect();
    late[3].set(Metric::CpuPercentMax, 50.0).unwrap();
    let five = [(Metric::CpuPercent, 12.0), (Metric::Requests, 9.0)];
    late.push(sample(10, Period::FiveMinutes, &five));
    let moved = with_cpu_earlier(&late, Minutes(2));
    let all =
        |metric: Metric| -> Vec<Option<f64>> { moved.iter().map(|sample| sample.get(metric)).collect() };
    let cpu = [Some(12.0), Some(13.0), Some(14.0), Some(15.0), None, None, Some(12.0)];
    assert_eq!(all(Metric::CpuPercent), cpu);
    assert_eq!(all(Metric::CpuPercentMax), [None, Some(50.0), None, None, None, None, None]);
    for metric in [Metric::Requests, Metric::InService] {
        let before: Vec<Option<f64>> = late.iter().map(|sample| sample.get(metric)).collect();
        assert_eq!(all(metric), before);
    }
    assert_eq!(with_cpu_earlier(&late, Minutes(0)), late);
}

#[test]
fn minutes_make_five_of_requests_by_their_sum_and_of_levels_by_their_mean() {
    let minutes: Vec<Sample> =
        (0..5).map(|i| minute(i, f64::from(100 + i), f64::from(10 + i), 2.0)).collect();
    let series = Series::of(&minutes);
    let of = |metric| series.value(minutes[0].minute_utc, Period::FiveMinutes, metric);
    let all = [Metric::Requests, Metric::CpuPercent, Metric::InService].map(of);
    assert_eq!(all, [Some(510.0), Some(12.0), Some(2.0)]);
    let four = Series::of(&minutes[..4]);
    assert_eq!(four.value(minutes[0].minute_utc, Period::FiveMinutes, Metric::Requests), None);
}

#[test]
fn a_line_that_explains_too_little_says_how_late_cpu_was_taken_to_be_if_it_was() {
    let refusal =
        |lag| FitError::RSquaredTooLow { r_squared: 0.3, lag: Minutes(lag), needed: 0.6 }.to_string();
    assert!(refusal(2).contains("(R² 0.30 with CPU 2 min late, 0.60 needed)"), "{}", refusal(2));
    assert!(refusal(0).contains("(R² 0.30, 0.60 needed)"), "{}", refusal(0));
}

#[test]
fn instances_have_no_more_to_give_where_response_time_is_tenfold_and_cpu_is_not_used_up() {
    let saturates = |cpu: f64, multiple: f64| {
        let knee = Knee {
            metric: Metric::LatencyP95Seconds,
            departs_at_percent: 30.0,
            interval: Interval { low: 28.0, high: 33.0 },
            base_seconds: 0.1,
            doubles_at_percent: Some(40.0),
            at_most: (cpu, multiple),
        };
        knee.saturates_at_percent()
    };
    assert_eq!(saturates(47.0, 12.0), Some(47.0));
    assert_eq!([saturates(47.0, 9.9), saturates(95.0, 12.0), saturates(95.0, 9.9)], [None; 3]);
}

#[test]
fn minutes_that_can_not_be_used_are_counted_by_reason() {
    let mut samples = straight(60);
    samples.push(minute(100, 500.0, 20.0, 0.0));
    samples.push(sample(101, Period::OneMinute, &[(Metric::Requests, 5.0), (Metric::InService, 2.0)]));
    samples.push(sample(102, Period::OneMinute, &[(Metric::CpuPercent, 5.0), (Metric::InService, 2.0)]));
    samples.push(sample(103, Period::OneMinute, &[(Metric::CpuPercent, 5.0), (Metric::Requests, 2.0)]));
    let fit = fitted(&samples).unwrap();
    let reasons = [LeftOut::NoCpu, LeftOut::NoRequests, LeftOut::NoInstanceCount, LeftOut::ZeroInstances];
    assert_eq!(fit.left_out, reasons.map(|reason| (reason, 1)).into());
    assert!(is_near(fit.model.coefficient(), 0.01));
}

#[test]
fn a_five_minute_value_is_paired_with_the_mean_of_its_own_minutes() {
    let mut samples = Vec::new();
    for i in 0..200 {
        let requests = 1000.0 + 100.0 * f64::from(i);
        samples.push(sample(i, Period::OneMinute, &[(Metric::Requests, requests), (Metric::InService, 2.0)]));
    }
    // Bins that do not follow the clock: minutes 3 to 7, 8 to 12 and so on.
    for i in (3..195).step_by(5) {
        let mean = 1000.0 + 100.0 * (f64::from(i) + 2.0);
        samples.push(sample(i, Period::FiveMinutes, &[(Metric::CpuPercent, mean / 2.0 * 0.005)]));
    }
    let fit = fitted(&samples).unwrap();
    assert!(is_near(fit.model.coefficient(), 0.005) && is_near(fit.r_squared, 1.0));
    assert_eq!(fit.usable, 39);
}

#[test]
fn a_five_minute_value_without_all_of_its_minutes_is_left_out() {
    let mut samples = straight(60);
    samples.push(sample(100, Period::FiveMinutes, &[(Metric::CpuPercent, 90.0)]));
    samples.extend(
        (100..104)
            .map(|i| sample(i, Period::OneMinute, &[(Metric::Requests, 1.0), (Metric::InService, 1.0)])),
    );
    let fit = fitted(&samples).unwrap();
    assert_eq!(fit.left_out, [(LeftOut::NoRequests, 1)].into());
}

#[test]
fn too_few_minutes_are_refused_with_what_is_wrong_with_the_others() {
    let mut samples = straight(12);
    samples.push(minute(100, 500.0, 20.0, 0.0));
    let refused = fitted(&samples).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "only 12 usable periods, 30 needed (left out: 1 with zero instances); take in more, or look back further"
    );
}

#[test]
fn a_load_that_hardly_moves_is_refused() {
    let samples: Vec<Sample> = (0..60).map(|i| minute(i, 1000.0 + f64::from(i % 5), 20.0, 1.0)).collect();
    assert!(matches!(fitted(&samples), Err(FitError::NoSpreadInLoad { .. })));
    let silent: Vec<Sample> = (0..60).map(|i| minute(i, 0.0, 20.0, 1.0)).collect();
    assert!(matches!(fitted(&silent), Err(FitError::NoSpreadInLoad { .. })));
}

#[test]
fn cpu_that_has_nothing_to_do_with_requests_is_refused() {
    let noise = |i: u32| f64::from((i * 7919) % 41);
    let samples: Vec<Sample> =
        (0..300).map(|i| minute(i, 1000.0 + 10.0 * f64::from(i), 20.0 + noise(i), 1.0)).collect();
    let refused = fitted(&samples).unwrap_err();
    assert!(matches!(refused, FitError::RSquaredTooLow { .. } | FitError::NotRising { .. }), "{refused}");
    let falling: Vec<Sample> =
        (0..60).map(|i| minute(i, 1000.0 + 10.0 * f64::from(i), 80.0 - f64::from(i), 1.0)).collect();
    assert!(matches!(fitted(&falling), Err(FitError::NotRising { .. })));
}

#[test]
fn requests_that_are_one_in_every_minute_are_no_sums() {
    let samples: Vec<Sample> = (0..60).map(|i| minute(i, 1.0, 20.0 + f64::from(i), 1.0)).collect();
    let refused = fitted(&samples).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "requests are 1 in 100 % of the periods: that is RequestCount by Average or another wrong statistic; ask for its Sum"
    );
}

#[test]
fn two_kinds_of_instances_that_share_no_line_are_named() {
    // Every other minute is served by an instance twice as fast.
    let at = |i: u32| {
        minute(
            i,
            500.0 + 10.0 * f64::from(i),
            [0.01, 0.02][i as usize % 2] * (500.0 + 10.0 * f64::from(i)),
            1.0,
        )
    };
    let samples: Vec<Sample> = (0..200).map(at).collect();
    let kinds = ["t3.small".to_owned(), "c7g.large".to_owned()];
    let around = Circumstances { instance_types: &kinds, ..Circumstances::default() };
    let refused = fit_within(&samples, FitRules::default(), around).unwrap_err().to_string();
    assert!(
        refused.contains("several types (t3.small, c7g.large)") && refused.contains("use one type"),
        "{refused}"
    );
    let untold = fitted(&samples).unwrap_err();
    assert!(matches!(untold, FitError::NoSingleLine { .. } | FitError::RSquaredTooLow { .. }), "{untold}");
}

#[test]
fn minutes_just_after_a_change_of_instances_are_left_out_where_there_are_others() {
    let mut samples = straight(0);
    for i in 0..240 {
        let instances = f64::from(2 + i / 60);
        let load = 800.0 + f64::from(i * 7919 % 400);
        // A new instance does nothing for three minutes, and the others do its work.
        let booting = if i >= 60 && i % 60 < 3 { 40.0 } else { 0.0 };
        samples.push(minute(i, load * instances, 3.0 + 0.01 * load + booting, instances));
    }
    let fit = fitted(&samples).unwrap();
    assert_eq!(fit.left_out, [(LeftOut::JustAfterChange, 9)].into());
    assert!(is_near(fit.model.coefficient(), 0.01) && fit.residual_spread_percent < 1e-6, "{fit:?}");
}

#[test]
fn a_change_of_instances_is_seen_also_where_only_five_minutes_are_left_of_it() {
    let counted = |at: u32, period, instances| sample(at, period, &[(Metric::InService, instances)]);
    let five = |at: u32, instances| counted(at, Period::FiveMinutes, instances);
    let one = |at: u32| counted(at, Period::OneMinute, if at < 22 { 3.0 } else { 4.0 });
    let old = [five(0, 2.0), five(5, 2.0), five(10, 3.0)];
    // Five minutes that were counted one by one say nothing new.
    let recent = (15..30).map(one).chain([five(15, 3.0), five(20, 3.6)]);
    let samples: Vec<Sample> = recent.chain(old).collect();
    let minutes = Series::of(&samples).changes_of_instances();
    let minutes: Vec<i64> = minutes.into_iter().map(MinuteUtc::epoch_minutes).collect();
    assert_eq!(minutes, [10, 22]);
}

#[test]
fn a_new_cost_that_can_not_be_told_yet_is_refused_with_its_moment() {
    let mut samples = made::samples(Truth { minutes: 2880, noise: 0.5, mix: 0.01, ..PLAIN }, 3);
    // From then on, CPU is busy with something else too: it rises by half, and moves as it likes.
    for (i, sample) in samples.iter_mut().enumerate().skip(2700) {
        let cpu = sample.get(Metric::CpuPercent).unwrap();
        sample.set(Metric::CpuPercent, 1.5 * cpu + 0.7 * ((i * 7919) % 41) as f64).unwrap();
    }
    let refused = fitted(&samples).unwrap_err();
    assert!(matches!(refused, FitError::NewRegime { .. }), "{refused}");
    let refused = refused.to_string();
    assert!(refused.starts_with("since 2025-02-"), "{refused}");
    assert!(refused.contains("and what was seen since then can't carry a line yet: "), "{refused}");
}

proptest! {
    #[test]
    fn the_order_of_samples_hardly_matters(samples in Just(straight(60)).prop_shuffle()) {
        let (one, other) = (fitted(&straight(60)).unwrap(), fitted(&samples).unwrap());
        prop_assert_eq!(one, other);
    }

    #[test]
    fn requests_counted_otherwise_change_the_cost_of_one_and_nothing_else(seed in 0..50_u64, doublings in -6..7_i32) {
        // Powers of two, so that rounding is the same.
        let times = 2.0_f64.powi(doublings);
        let truth = Truth { minutes: 600, ..PLAIN };
        let counted = made::samples(truth, seed);
        let mut otherwise = counted.clone();
        for sample in &mut otherwise {
            let requests = sample.get(Metric::Requests).unwrap();
            sample.set(Metric::Requests, times * requests).unwrap();
        }
        match (fitted(&counted), fitted(&otherwise)) {
            (Ok(one), Ok(other)) => {
                let near = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-6;
                prop_assert!(near(one.model.coefficient(), times * other.model.coefficient()));
                prop_assert!(near(one.coefficient_interval.low, times * other.coefficient_interval.low));
                prop_assert!(near(one.residual_spread_percent, other.residual_spread_percent));
                prop_assert_eq!((one.usable, one.outlying, one.lag), (other.usable, other.outlying, other.lag));
            }
            (one, other) => prop_assert_eq!(one.is_err(), other.is_err()),
        }
    }

    #[test]
    fn a_fit_lies_within_its_own_intervals_and_every_minute_is_accounted_for(seed in 0..1000_u64, cron in 0.0..30.0_f64) {
        let samples = made::samples(Truth { minutes: 1440, cron, ..PLAIN }, seed);
        let Ok(fit) = fitted(&samples) else { return Ok(()) };
        prop_assert!(fit.coefficient_interval.contains(fit.model.coefficient()));
        let Interval { low, high } = fit.coefficient_by_block;
        prop_assert!(low <= fit.model.coefficient() && fit.model.coefficient() <= high);
        prop_assert_eq!(fit.usable + fit.left_out.values().sum::<u32>(), samples.len() as u32);
        prop_assert!(fit.outlying <= fit.usable && fit.r_squared <= 1.0);
    }

    #[test]
    fn no_samples_whatever_make_it_fall_over(
        values in prop::collection::vec((0..3000_u32, 0.0..1e6_f64, 0.0..100.0_f64, 0..5_u32), 0..200)
    ) {
        let samples: Vec<Sample> = values
            .into_iter()
            .map(|(at, requests, cpu, instances)| minute(at, requests, cpu, f64::from(instances)))
            .collect();
        if let Ok(fit) = fitted(&samples) {
            let Interval { low, high } = fit.coefficient_interval;
            prop_assert!(fit.model.coefficient() > 0.0 && low.is_finite() && high.is_finite());
            prop_assert!(fit.held_out_error_percent.is_none_or(f64::is_finite) && fit.r_squared.is_finite());
            for percent in [5.0, 50.0, 100.0] {
                let Some((requests, Interval { low, high })) = fit.requests_at(CpuPercent::new(percent).unwrap()) else {
                    continue;
                };
                prop_assert!(0.0 <= low && low <= requests && requests <= high && high.is_finite(), "{low} {requests} {high}");
            }
        }
    }

    #[test]
    fn any_rising_line_is_found(intercept in 0.0..20.0_f64, coefficient in 1e-5..1e-2_f64) {
        let at = |i: u32| {
            let requests = 100.0 + 50.0 * f64::from(i);
            minute(i, requests, intercept + coefficient * requests, 1.0)
        };
        let samples: Vec<Sample> = (0..100).map(at).collect();
        let fit = fitted(&samples).unwrap();
        prop_assert!((fit.model.coefficient() / coefficient - 1.0).abs() < 1e-6);
        prop_assert!((fit.model.intercept_percent() - intercept).abs() < 1e-6);
    }
}
