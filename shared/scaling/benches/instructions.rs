//! Runs the hot loop a little, so that its instructions can be counted: `apart`, `by-the-minute`, `carried`,
//! `any-by-the-minute` or `any` says what the lanes carry, `fleet-63` or `fleet-255` how large groups may be that are apart, a
//! number how many kinds of settings are gone through. Prints how many minutes that is. What two numbers differ by is the loop
//! alone.

#![expect(clippy::unwrap_used, reason = "a benchmark that meets an error stops")]

use std::num::NonZero;

#[path = "../../../tests/benches/noisy.rs"]
mod noisy;

use noisy::noisy;
use scaling::course::Course;
use scaling::dynamics::{Dynamics, Monitoring};
use scaling::engine::{Engine, Space};
use scaling::sweep::{Grid, Setting};
use scaling::units::{CpuPercent, Instances, Minutes, Seconds};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [carried, kinds] = &arguments[..] else {
        // `cargo test --benches` runs it without a word.
        println!("give apart, by-the-minute, carried, any-by-the-minute, any, fleet-63 or fleet-255,");
        println!("and a number of kinds");
        return;
    };
    let (period, cooldown, most) = match carried.as_str() {
        "apart" => (1, 360, 15),
        "by-the-minute" => (1, 180, 15),
        "carried" => (5, 360, 15),
        // Shorter than a boot, so that more may come while instances boot.
        "any-by-the-minute" => (1, 60, 15),
        "any" => (5, 60, 15),
        "fleet-63" => (1, 360, 63),
        "fleet-255" => (1, 360, 255),
        unknown => panic!("nothing is known of `{unknown}`"),
    };
    go_through(period, cooldown, most, kinds.parse().unwrap());
}

fn percent(value: u32) -> CpuPercent {
    CpuPercent::new(f64::from(value)).unwrap()
}

fn go_through(period: u32, cooldown: u32, most: u32, kinds: u32) {
    let load = noisy(2, 155.0 * f64::from(most) / 15.0);
    let grid = Grid {
        upper_thresholds: (10..91).map(percent).collect(),
        lower_thresholds: (1..90).map(percent).collect(),
        upper_breach_scale_increments: vec![Instances(2)],
        lower_breach_scale_increments: (1..=kinds).map(Instances).collect(),
        periods: vec![Minutes(period)],
        evaluation_periods: vec![1],
        cooldowns: vec![Seconds(cooldown)],
        min_sizes: vec![Instances(1)],
        max_sizes: vec![Instances(most)],
    };
    let (dynamics, course) = (Dynamics::default(), Course::default());
    let setting = Setting { load: &load, dynamics, course, initial: Instances(2) };
    let space = Space::new(&grid, Monitoring::Detailed, percent(100), false);
    let engine = Engine::new(&setting, &space, percent(50));
    let each = |sum: &mut u64, _, over: u32, billed: u64| *sum += billed + u64::from(over);
    std::hint::black_box(engine.every(NonZero::<usize>::MIN, &each));
    println!("{}", space.len() * load.demand_percent.len());
}
