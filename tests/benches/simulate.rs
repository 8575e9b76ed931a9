//! Times the replay on one core, over a trace of `minute,rpm`: the talk's grid by the talk's rules, and as many
//! policies by AWS's. Prints a JSON line for each. `make bench` runs it beside its Python peers.

#![expect(clippy::unwrap_used, reason = "a benchmark that meets an error stops")]

use std::hint::black_box;
use std::time::Instant;

use scaling::dynamics::Dynamics;
use scaling::policy::{Group, ScalingPolicy, Trigger};
use scaling::reference::Scenario;
use scaling::simulate::{Question, simulate};
use scaling::talk;
use scaling::traffic::Load;
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [path, sweeps] = &arguments[..] else {
        // `cargo test --benches` runs it without a trace.
        println!("give a trace and the number of sweeps");
        return;
    };
    let load = read(path);
    let sweeps = sweeps.parse().unwrap();
    report("talk", &load, sweeps, talk_grid);
    report("aws", &load, sweeps, aws_grid);
}

fn read(path: &str) -> Load {
    let text = std::fs::read_to_string(path).unwrap();
    let rate = |line: &str| line.split(',').nth(1).unwrap().parse::<f64>().unwrap();
    Load {
        start: MinuteUtc::new(0).unwrap(),
        intercept_percent: 0.0,
        coefficient: talk::COEFFICIENT,
        stray_percent: vec![],
        demand_percent: text.lines().skip(1).map(|line| rate(line) * talk::COEFFICIENT).collect(),
    }
}

fn talk_grid(load: &Load) -> usize {
    let outcomes =
        talk::grid().filter_map(|policy| talk::simulate(&load.demand_percent, policy, f64::INFINITY));
    outcomes.map(black_box).count()
}

fn aws_grid(load: &Load) -> usize {
    let question = Question::whatever_it_takes(CpuPercent::new(50.0).unwrap());
    let dynamics = Dynamics::default();
    let scenarios = aws_policies().map(|policy| Scenario::of(&policy, dynamics, Instances(1)));
    scenarios.filter_map(|scenario| simulate(load, &scenario, question)).map(black_box).count()
}

/// The talk's increments and thresholds as Beanstalk policies of one-minute points.
fn aws_policies() -> impl Iterator<Item = ScalingPolicy> {
    talk::grid().map(|talk| {
        let trigger = Trigger {
            upper_threshold: CpuPercent::new(talk.upper_threshold).unwrap(),
            lower_threshold: CpuPercent::new(talk.lower_threshold).unwrap(),
            upper_breach_scale_increment: Instances(talk.scale_up_increment),
            lower_breach_scale_increment: Instances(talk.scale_down_increment),
            period: Minutes(1),
            evaluation_periods: 1,
        };
        let group = Group { min_size: Instances(1), max_size: Instances(40), cooldown: Seconds(360) };
        ScalingPolicy::new(trigger, group).unwrap()
    })
}

fn report(rules: &str, load: &Load, sweeps: usize, grid: fn(&Load) -> usize) {
    let mut seconds: Vec<f64> = (0..sweeps)
        .map(|_| {
            let start = Instant::now();
            assert_eq!(grid(black_box(load)), 216);
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let median = seconds[sweeps / 2];
    let minutes = load.demand_percent.len();
    let rate = 216.0 * minutes as f64 / median;
    println!(
        r#"{{"tool": "trellis, {rules}'s rules", "rows": {minutes}, "sweeps": {sweeps}, "median_s_per_sweep": {median:.6}, "median_simulated_minutes_per_s": {rate:.0}}}"#
    );
}
