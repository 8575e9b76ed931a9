//! Times the engine. `peers DIR` leaves a trace and some settings with our answers for `sweep_peers.py`, and so does
//! `lengths DIR MINUTES FLEET` for a trace and fleets of that size; `table` prints a row for each question: how many settings,
//! how long, and how many minutes a second that is.

#![expect(clippy::unwrap_used, reason = "a benchmark that meets an error stops")]

use std::fmt::Write as _;
use std::num::NonZero;
use std::time::Instant;

#[path = "noisy.rs"]
mod noisy;

use noisy::{Noise, noisy};
use scaling::course::Course;
use scaling::dynamics::{Dynamics, Monitoring};
use scaling::engine::{Engine, Space};
use scaling::policy::ScalingPolicy;
use scaling::simulate::minutes;
use scaling::sweep::{Grid, Setting};
use scaling::traffic::Load;
use scaling::units::{CpuPercent, Instances, Minutes, Seconds};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["peers", directory] => peers(directory),
        ["lengths", directory, minutes, fleet] => {
            lengths(directory, minutes.parse().unwrap(), fleet.parse().unwrap());
        }
        ["table"] => table(),
        // `cargo test --benches` runs it without a word.
        _ => println!("say what: peers DIR, lengths DIR MINUTES FLEET, or table"),
    }
}

fn percents(values: std::ops::Range<u32>) -> Vec<CpuPercent> {
    values.map(percent).collect()
}

fn percent(value: u32) -> CpuPercent {
    CpuPercent::new(f64::from(value)).unwrap()
}

/// All 14.3 million settings of fleets up to 15; as many of larger fleets.
fn all(max_size: u32) -> Grid {
    Grid {
        upper_thresholds: percents(10..91),
        lower_thresholds: percents(1..90),
        upper_breach_scale_increments: (1..=10).map(Instances).collect(),
        lower_breach_scale_increments: (1..=4).map(Instances).collect(),
        periods: vec![Minutes(1), Minutes(5)],
        evaluation_periods: vec![1, 2, 3],
        cooldowns: [60, 180, 300, 360, 600].map(Seconds).to_vec(),
        min_sizes: (1..=3).map(Instances).collect(),
        max_sizes: vec![Instances(max_size)],
    }
}

/// A tenth of them, of one period.
fn some(period: u32, max_size: u32) -> Grid {
    Grid {
        upper_breach_scale_increments: [1, 4].map(Instances).to_vec(),
        lower_breach_scale_increments: [1, 3].map(Instances).to_vec(),
        periods: vec![Minutes(period)],
        ..all(max_size)
    }
}

/// A fortieth of them, of both periods.
fn few(max_size: u32) -> Grid {
    Grid {
        upper_breach_scale_increments: vec![Instances(4)],
        lower_breach_scale_increments: vec![Instances(1)],
        ..all(max_size)
    }
}

/// 360 of them.
fn spread(max_size: u32) -> Grid {
    Grid {
        upper_thresholds: [20, 30, 40, 50, 70].map(percent).to_vec(),
        lower_thresholds: [5, 12, 19].map(percent).to_vec(),
        cooldowns: [60, 360].map(Seconds).to_vec(),
        min_sizes: vec![Instances(1), Instances(2)],
        ..few(max_size)
    }
}

/// 200 settings of a user's own.
fn short_list() -> Grid {
    Grid {
        upper_thresholds: [30, 35, 40, 45].map(percent).to_vec(),
        lower_thresholds: [10, 15, 20, 22, 25].map(percent).to_vec(),
        upper_breach_scale_increments: (1..=5).map(Instances).collect(),
        lower_breach_scale_increments: vec![Instances(1)],
        periods: vec![Minutes(1)],
        evaluation_periods: vec![1],
        cooldowns: [180, 360].map(Seconds).to_vec(),
        min_sizes: vec![Instances(2)],
        max_sizes: vec![Instances(15)],
    }
}

fn ceiling() -> CpuPercent {
    CpuPercent::new(50.0).unwrap()
}

fn setting(load: &Load) -> Setting<'_> {
    Setting { load, dynamics: Dynamics::default(), course: Course::default(), initial: Instances(2) }
}

fn space(grid: &Grid) -> Space {
    Space::new(grid, Monitoring::Detailed, CpuPercent::new(100.0).unwrap(), false)
}

fn threads(count: usize) -> NonZero<usize> {
    NonZero::new(count).unwrap()
}

/// What is asked of the engine.
#[derive(Clone, Copy)]
enum Question {
    Every,
    Holding,
    Cheapest,
    Frontier,
}

impl Question {
    fn ask(self, engine: &Engine<'_>, count: usize) -> u64 {
        match self {
            Self::Every => {
                let each = |sum: &mut u64, _, over: u32, billed: u64| *sum += billed + u64::from(over);
                engine.every(threads(count), &each).iter().sum()
            }
            Self::Holding => engine.count_holding(0, threads(count)) as u64,
            Self::Cheapest => engine.cheapest(0, 10, &[], threads(count), &|_| ()).minutes_walked,
            Self::Frontier => engine.frontier(200, threads(count), &|_| ()).len() as u64,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Every => "every setting to its end",
            Self::Holding => "all that hold",
            Self::Cheapest => "the ten cheapest, proven",
            Self::Frontier => "the frontier to 200 minutes over",
        }
    }
}

fn table() {
    println!("| minutes | fleet | period | settings | question | threads | seconds | minutes a second |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for days in [1, 14, 90] {
        row(days, 15, "1, 5", &all(15), Question::Cheapest, 1);
    }
    for (question, count) in
        [(Question::Cheapest, 2), (Question::Holding, 1), (Question::Frontier, 1), (Question::Frontier, 2)]
    {
        row(14, 15, "1, 5", &all(15), question, count);
    }
    for (period, name) in [(1, "1"), (5, "5")] {
        for (fleet, count) in [(15, 1), (15, 2), (63, 1), (255, 1)] {
            row(14, fleet, name, &some(period, fleet), Question::Every, count);
        }
    }
    row(14, 15, "1", &short_list(), Question::Every, 1);
    one_setting(14);
}

/// A single setting with every minute, the middle of many times.
fn one_setting(days: usize) {
    let load = noisy(days, 155.0);
    let setting = setting(&load);
    let space = space(&short_list());
    let engine = Engine::new(&setting, &space, ceiling());
    let scenario = setting.scenario(&engine.policy(100));
    let mut seconds: Vec<f64> = (0..101)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(minutes(&load, &scenario));
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let rate = load.demand_percent.len() as f64 / seconds[50];
    println!(
        "| {} | 15 | 1 | 1 | one setting, every minute of it | 1 | {:.5} | {rate:.2e} |",
        load.demand_percent.len(),
        seconds[50]
    );
}

/// The middle of three; preparing is part of it.
fn row(days: usize, fleet: u32, period: &str, grid: &Grid, question: Question, count: usize) {
    let load = busy(days, fleet);
    let (setting, space) = (setting(&load), space(grid));
    let mut seconds: Vec<f64> = (0..3)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(question.ask(&Engine::new(&setting, &space, ceiling()), count));
            start.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    let rate = space.len() as f64 * load.demand_percent.len() as f64 / seconds[1];
    println!(
        "| {} | {fleet} | {period} | {} | {} | {count} | {:.3} | {rate:.2e} |",
        load.demand_percent.len(),
        space.len(),
        question.name(),
        seconds[1]
    );
}

/// Our rates on a trace of so many minutes, on one thread and on two.
fn lengths(directory: &str, minutes: usize, fleet: u32) {
    let mut load = busy(minutes.div_ceil(1_440), fleet);
    load.demand_percent.truncate(minutes);
    leave(directory, &load, &[spread(fleet)]);
    let (setting, space) = (setting(&load), space(&few(fleet)));
    for count in [1, 2] {
        let rate = rate(&setting, &space, Question::Every, count);
        println!(r#"{{"threads": {count}, "minutes_per_second": {rate:.0}}}"#);
    }
}

fn busy(days: usize, fleet: u32) -> Load {
    noisy(days, 155.0 * f64::from(fleet) / 15.0)
}

fn peers(directory: &str) {
    let load = busy(14, 15);
    let mut noise = Noise(3);
    leave(directory, &load, &(0..500).map(|_| random(&mut noise)).collect::<Vec<_>>());
    rates(&load);
}

/// A trace, and settings with our answers.
fn leave(directory: &str, load: &Load, grids: &[Grid]) {
    let setting = setting(load);
    let mut rows = String::from(
        "upper,lower,up,down,period,evaluation_periods,cooldown_minutes,min_size,max_size,minutes_over,billed\n",
    );
    for grid in grids {
        rows += &answered(&setting, grid);
    }
    let number = |demand: &f64| if demand.is_nan() { String::new() } else { demand.to_string() };
    let demand: Vec<String> = load.demand_percent.iter().map(number).collect();
    let write = |name: &str, text: &str| std::fs::write(format!("{directory}/{name}"), text).unwrap();
    write("policies.csv", &rows);
    write("trace.csv", &format!("demand_percent\n{}\n", demand.join("\n")));
    write(
        "dynamics.json",
        r#"{"intercept_percent":3.0,"ceiling_percent":50.0,"metric_delay":1,"launch":1,"boot":3,"booting_cpu_percent":10.0,"drain":1,"initial":2}"#,
    );
}

/// Ours, on the same trace, one core: a tenth of the settings to their ends, and the cheapest of all.
fn rates(load: &Load) {
    let setting = setting(load);
    let spaces = [space(&some(1, 15)), space(&some(5, 15)), space(&all(15))];
    let asked =
        [("every_1", Question::Every), ("every_5", Question::Every), ("cheapest", Question::Cheapest)];
    for (space, (name, question)) in spaces.iter().zip(asked) {
        let rate = rate(&setting, space, question, 1);
        println!(r#"{{"tool": "{name}", "settings": {}, "minutes_per_second": {rate:.0}}}"#, space.len());
    }
}

/// Minutes a second, preparing included.
fn rate(setting: &Setting<'_>, space: &Space, question: Question, count: usize) -> f64 {
    let start = Instant::now();
    std::hint::black_box(question.ask(&Engine::new(setting, space, ceiling()), count));
    space.len() as f64 * setting.load.demand_percent.len() as f64 / start.elapsed().as_secs_f64()
}

fn random(noise: &mut Noise) -> Grid {
    let upper = 10 + noise.below(81) as u32;
    let lower = 1 + noise.below(upper as usize - 1) as u32;
    let pick = |values: &[u32], noise: &mut Noise| values[noise.below(values.len())];
    Grid {
        upper_thresholds: percents(upper..upper + 1),
        lower_thresholds: percents(lower..lower + 1),
        upper_breach_scale_increments: vec![Instances(1 + noise.below(10) as u32)],
        lower_breach_scale_increments: vec![Instances(1 + noise.below(4) as u32)],
        periods: vec![Minutes(pick(&[1, 5], noise))],
        evaluation_periods: vec![1 + noise.below(3) as u32],
        cooldowns: vec![Seconds(60 * pick(&[1, 3, 5, 6, 10], noise))],
        min_sizes: vec![Instances(1 + noise.below(3) as u32)],
        max_sizes: vec![Instances(15)],
    }
}

fn answered(setting: &Setting<'_>, grid: &Grid) -> String {
    let space = space(grid);
    let engine = Engine::new(setting, &space, ceiling());
    let each = |rows: &mut String, place, over: u32, billed: u64| {
        let policy: ScalingPolicy = engine.policy(place);
        let (trigger, group) = (policy.trigger(), policy.group());
        writeln!(
            rows,
            "{},{},{},{},{},{},{},{},{},{over},{billed}",
            trigger.upper_threshold.get(),
            trigger.lower_threshold.get(),
            trigger.upper_breach_scale_increment.0,
            trigger.lower_breach_scale_increment.0,
            trigger.period.0,
            trigger.evaluation_periods,
            group.cooldown.to_minutes_rounded_up().0,
            group.min_size.0,
            group.max_size.0
        )
        .unwrap();
    };
    engine.every(threads(1), &each).concat()
}
