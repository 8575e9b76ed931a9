//! What a fit says of itself, held against environments whose truth is known: `make bench` prints the whole table, over
//! more seeds.

use scaling::coefficient::{Fit, FitRules, fit};
use scaling::observation::LeftOut;
use scaling::sample::{Metric, Sample};
use scaling::units::Minutes;

use crate::made::{CASES, PLAIN, Truth, samples};

fn fits(truth: Truth, seeds: u64) -> Vec<Fit> {
    (0..seeds).map(|seed| fit(&samples(truth, seed), FitRules::default()).unwrap()).collect()
}

fn share(fits: &[Fit], of: impl Fn(&Fit) -> bool) -> f64 {
    fits.iter().filter(|fit| of(fit)).count() as f64 / fits.len() as f64
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let sizes = [("3 days", 60), ("7 days", 40), ("intercept 12, 3 days", 60), ("14 days", 30)];
    let (mut held, mut all) = (0.0, 0.0);
    for (name, seeds) in sizes {
        let truth = CASES.iter().find(|(case, _)| *case == name).unwrap().1;
        let fits = fits(truth, seeds);
        let covers = share(&fits, |fit| fit.coefficient_interval.contains(truth.coefficient));
        let above = share(&fits, |fit| fit.model.coefficient() > truth.coefficient);
        assert!(covers >= 0.85 && (0.3..=0.7).contains(&above), "{name}: {covers} held, {above} above");
        (held, all) = (held + covers * seeds as f64, all + seeds as f64);
    }
    assert!((0.90..=0.99).contains(&(held / all)), "{held} of {all}");
}

#[test]
fn a_step_of_cost_is_placed_within_ten_minutes_and_what_follows_is_used_alone() {
    for share in [0.37, -0.25] {
        let truth =
            Truth { minutes: 3 * 1440, noise: 1.0, mix: 0.02, step: Some((2 * 1440, share)), ..PLAIN };
        for seed in 0..12 {
            let samples = samples(truth, seed);
            let fit = fit(&samples, FitRules::default()).unwrap();
            let change = fit.change.unwrap();
            let off = change.since.epoch_minutes() - samples[2 * 1440].minute_utc.epoch_minutes();
            assert!(off.abs() <= 10, "{share}, seed {seed}: {off} minutes off");
            assert!((change.share - share).abs() < 0.08, "{share}, seed {seed}: {change:?}");
            assert!(!fit.coefficient_interval.contains(truth.coefficient), "{fit:?}");
        }
    }
}

#[test]
fn where_nothing_special_happens_nothing_special_is_seen() {
    for truth in [Truth { minutes: 1440, ..PLAIN }, Truth { minutes: 3 * 1440, cron: 25.0, ..PLAIN }] {
        for fit in fits(truth, 30) {
            assert!(
                fit.change.is_none() && fit.ceiling.is_none() && fit.bend.is_none(),
                "{truth:?}: {fit:?}"
            );
            assert_eq!(fit.lag, Minutes(0));
        }
    }
}

#[test]
fn jobs_that_add_cpu_every_hour_and_every_night_do_not_move_the_line() {
    let with = fits(Truth { minutes: 3 * 1440, cron: 25.0, ..PLAIN }, 10);
    let without = fits(Truth { minutes: 3 * 1440, ..PLAIN }, 10);
    for (with, without) in with.iter().zip(&without) {
        let moved = with.model.coefficient() / without.model.coefficient() - 1.0;
        assert!(moved.abs() < 0.02 && with.outlying > 100, "{moved}, {} outlying", with.outlying);
    }
}

#[test]
fn a_ceiling_is_seen_and_the_line_is_of_what_lies_below() {
    let truth = Truth { minutes: 3 * 1440, ceiling: 28.0, ..PLAIN };
    let fits = fits(truth, 12);
    for fit in &fits {
        let ceiling = fit.ceiling.unwrap();
        assert!((ceiling.level_percent - 28.0).abs() < 1.0 && !ceiling.for_a_while, "{ceiling:?}");
        assert_eq!(fit.left_out[&LeftOut::AtCeiling], ceiling.periods);
    }
    let mean = fits.iter().map(|fit| fit.model.coefficient()).sum::<f64>() / fits.len() as f64;
    assert!((mean / truth.coefficient - 1.0).abs() < 0.05, "{mean}");
}

#[test]
fn a_lag_of_one_to_three_minutes_is_found() {
    for lag in 1..=3 {
        let fits = fits(Truth { minutes: 1440, lag, ..PLAIN }, 6);
        assert!(fits.iter().all(|fit| fit.lag == Minutes(lag)), "{lag}");
    }
}

#[test]
fn a_curve_is_no_line_and_is_told_by_how_much() {
    for fit in fits(Truth { bend: 0.3, ..PLAIN }, 3) {
        let bend = fit.bend.unwrap();
        assert!(bend.at_top_percent > 0.5 && bend.interval.low > 0.0, "{bend:?}");
    }
}

#[test]
fn what_an_instance_serves_has_an_interval_that_holds_the_truth() {
    let truth = Truth { minutes: 7 * 1440, ..PLAIN };
    let ceiling = scaling::units::CpuPercent::new(24.0).unwrap();
    let serves = (24.0 - truth.intercept) / truth.coefficient;
    let fits = fits(truth, 40);
    let held = share(&fits, |fit| fit.requests_at(ceiling).unwrap().1.contains(serves));
    assert!(held >= 0.87, "{held}");
    assert!(fits.iter().all(|fit| fit.has_seen(ceiling)));
    let none = scaling::units::CpuPercent::new(1.0).unwrap();
    assert!(fits[0].requests_at(none).is_none());
}

/// Of each of `minutes`, `times` the requests; CPU stays what it was.
fn with_odd(mut samples: Vec<Sample>, minutes: impl Iterator<Item = usize>, times: f64) -> Vec<Sample> {
    for minute in minutes {
        let requests = samples[minute].get(Metric::Requests).unwrap();
        samples[minute].set(Metric::Requests, times * requests).unwrap();
    }
    samples
}

#[test]
fn a_few_minutes_of_requests_that_cost_nothing_are_no_ceiling_and_hardly_move_the_line() {
    let truth = Truth { minutes: 2880, ..PLAIN };
    for (seed, (odd, times)) in (0..20).zip([(1, 3.0), (1, 60.0), (5, 2.0), (5, 10.0)].into_iter().cycle()) {
        let samples = samples(truth, seed);
        let (minute, rules) = (seed as usize * 997 % 2800, FitRules::default());
        let plain = fit(&samples, rules).unwrap();
        let odd = fit(&with_odd(samples, minute..minute + odd, times), rules).unwrap();
        let moved = odd.model.coefficient() / plain.model.coefficient() - 1.0;
        assert!(
            odd.ceiling.is_none() && moved.abs() < 0.02,
            "seed {seed}, {times}: {moved} {:?}",
            odd.ceiling
        );
        let spread = odd.residual_spread_percent / plain.residual_spread_percent - 1.0;
        let held_out = |fit: &Fit| fit.held_out_error_percent.unwrap();
        assert!((held_out(&odd) / held_out(&plain) - 1.0).abs() < 0.05, "{odd:?}, {plain:?}");
        assert!(spread.abs() < 0.05 && odd.load_range.1 <= 1.01 * plain.load_range.1, "{odd:?}, {plain:?}");
    }
}
