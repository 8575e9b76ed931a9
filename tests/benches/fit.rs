//! The fit, against truth and against the clock. `table SEEDS` fits every made case with so many seeds and prints bias
//! and how often an interval held the truth; `time DAYS RUNS` prints a JSON line; `points DAYS` prints the load, CPU and
//! day of every minute of the same samples, for the peers of `fit_peers.py`.

#![expect(clippy::unwrap_used, reason = "a benchmark that meets an error stops")]

use std::hint::black_box;
use std::io::Write as _;
use std::time::Instant;

use scaling::coefficient::{Circumstances, Fit, FitError, FitRules, fit};
use scaling::latency::{Knee, knee};
use scaling::observation::observe;

#[path = "../made.rs"]
mod made;

use made::{CASES, PLAIN, Truth, samples};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["table", seeds] => table(seeds.parse().unwrap()),
        ["time", days, runs] => time(days.parse().unwrap(), runs.parse().unwrap()),
        ["points", days] => points(days.parse().unwrap()),
        // `cargo test --benches` runs it without arguments.
        _ => println!("give `table SEEDS`, `time DAYS RUNS` or `points DAYS`"),
    }
}

fn of_days(days: u32) -> Truth {
    Truth { minutes: days * 1440, cron: 25.0, ..PLAIN }
}

fn time(days: u32, runs: usize) {
    let samples = samples(of_days(days), 1);
    let mut seconds: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            black_box(fit(black_box(&samples), FitRules::default()).unwrap());
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let fit = fit(&samples, FitRules::default()).unwrap();
    let (low, high) = (fit.coefficient_interval.low, fit.coefficient_interval.high);
    println!(
        r#"{{"tool": "trellis, the whole fit", "days": {days}, "seconds": {:.6}, "coefficient": {:.6}, "low": {low:.6}, "high": {high:.6}}}"#,
        seconds[runs / 2],
        fit.model.coefficient()
    );
}

fn points(days: u32) {
    let (observations, _) = observe(&samples(of_days(days), 1));
    let mut out = std::io::BufWriter::new(std::io::stdout());
    writeln!(out, "load,cpu,day").unwrap();
    for o in observations {
        let (load, day) = (o.requests_per_minute_per_instance, o.minute_utc.epoch_day());
        writeln!(out, "{load},{},{day}", o.cpu_percent).unwrap();
    }
}

fn table(seeds: u64) {
    println!(
        "| {:<25} | {:>7} | {:>9} | {:>7} | {:>11} | {:>9} | {:>10} | {:>7} |",
        "made case", "bias", "spread", "± half", "truth held", "intercept", "seen right", "refused"
    );
    println!(
        "|{:-<27}|{:->8}:|{:->10}:|{:->8}:|{:->12}:|{:->10}:|{:->11}:|{:->8}:|",
        "", "", "", "", "", "", "", ""
    );
    for (name, truth) in CASES {
        row(name, truth, seeds);
    }
    println!(
        "bias, spread (standard deviation) and half of the interval: of the coefficient, percent of the truth"
    );
    println!(
        "truth held: seeds whose 95 % interval holds the true coefficient; intercept: and the true intercept"
    );
    println!(
        "seen right: seeds in which lag, change, ceiling and bend are seen where they are, and nowhere else"
    );
    let knees = [(1440, 26.0), (3 * 1440, 26.0), (14 * 1440, 26.0), (14 * 1440, 22.0), (14 * 1440, 100.0)];
    for (minutes, knee) in knees {
        knee_row(Truth { minutes, knee, ..PLAIN }, seeds);
    }
}

fn row(name: &str, truth: Truth, seeds: u64) {
    let all: Vec<Result<Fit, FitError>> =
        (0..seeds).map(|seed| fit(&samples(truth, seed), FitRules::default())).collect();
    let fits: Vec<&Fit> = all.iter().filter_map(|fit| fit.as_ref().ok()).collect();
    let count = fits.len() as f64;
    let mean = |of: &dyn Fn(&Fit) -> f64| fits.iter().map(|fit| of(fit)).sum::<f64>() / count;
    let share = |of: &dyn Fn(&Fit) -> bool| 100.0 * mean(&|fit| f64::from(u8::from(of(fit))));
    let coefficient = truth.coefficient * truth.step.map_or(1.0, |(_, share)| 1.0 + share);
    let off = |fit: &Fit| 100.0 * (fit.model.coefficient() / coefficient - 1.0);
    let bias = mean(&off);
    let spread = (mean(&|fit| (off(fit) - bias).powi(2)) * count / (count - 1.0)).sqrt();
    let half = |fit: &Fit| (fit.coefficient_interval.high - fit.coefficient_interval.low) / 2.0;
    let right = |fit: &Fit| {
        fit.lag.0 == truth.lag
            && fit.change.is_some() == truth.step.is_some()
            && fit.ceiling.is_some() == (truth.ceiling < 100.0)
            && fit.bend.is_some() == (truth.bend > 0.0)
    };
    // A curve has no one coefficient.
    let of_line = |value: String| if truth.bend > 0.0 { "-".to_owned() } else { value };
    println!(
        "| {name:<25} | {:>7} | {:>9} | {:>7} | {:>11} | {:>9} | {:>8.1} % | {:>7} |",
        of_line(format!("{bias:+.2} %")),
        format!("{spread:.2} %"),
        of_line(format!("{:.2} %", 100.0 * mean(&half) / coefficient)),
        of_line(format!("{:.1} %", share(&|fit| fit.coefficient_interval.contains(coefficient)))),
        of_line(format!("{:.1} %", share(&|fit| fit.intercept_interval.contains(truth.intercept)))),
        share(&right),
        all.len() - fits.len()
    );
}

fn knee_row(truth: Truth, seeds: u64) {
    let all: Vec<Option<Knee>> =
        (0..seeds).map(|seed| knee(&samples(truth, seed), Circumstances::default())).collect();
    let seen: Vec<&Knee> = all.iter().flatten().collect();
    let count = seen.len() as f64;
    if truth.knee >= 100.0 {
        println!("response time, {} days, no knee: seen in {count} of {seeds}", truth.minutes / 1440);
        return;
    }
    let mean = |of: &dyn Fn(&Knee) -> f64| seen.iter().map(|knee| of(knee)).sum::<f64>() / count;
    let off = |knee: &Knee| knee.departs_at_percent - truth.knee;
    let bias = mean(&off);
    let spread = mean(&|knee| (off(knee) - bias).powi(2)).sqrt();
    let half = mean(&|knee| (knee.interval.high - knee.interval.low) / 2.0);
    let held = 100.0 * mean(&|knee| f64::from(u8::from(knee.interval.contains(truth.knee))));
    println!(
        "response time, {} days, knee at {}: seen in {} of {seeds}; bias {bias:+.2} points, spread {spread:.2}, half of \
         the interval {half:.2}, truth held {held:.1} %",
        truth.minutes / 1440,
        truth.knee,
        seen.len()
    );
}
