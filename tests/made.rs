//! Environments made by rule, whose cost of a request is known: what a fit says can be held against it, over many seeds.
//!
//! Traffic has a day, slow and fast noise and flash crowds; instances follow it late; CPU strays by the minute, and the
//! mix of requests makes them dearer and cheaper within the hour.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use scaling::sample::{Metric, Period, Sample};
use scaling::units::{MinuteUtc, Minutes};

/// What is true of an environment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Truth {
    pub(crate) minutes: u32,
    pub(crate) coefficient: f64,
    pub(crate) intercept: f64,
    /// Standard deviation of what comes and goes within minutes, points.
    pub(crate) noise: f64,
    /// Standard deviation, as a share, of what a request costs from hour to hour, since the mix changes.
    pub(crate) mix: f64,
    /// CPU that a job adds in three minutes of each hour and in 40 of each night, points.
    pub(crate) cron: f64,
    /// When and by how much a request becomes dearer.
    pub(crate) step: Option<(u32, f64)>,
    /// CPU that is never passed.
    pub(crate) ceiling: f64,
    /// Minutes that CPU shows late.
    pub(crate) lag: u32,
    /// Whether CPU comes every five minutes.
    pub(crate) basic: bool,
    /// How much CPU bends upwards at the top, as a share of the line.
    pub(crate) bend: f64,
    /// CPU from which on response time grows, by a twelfth for each point.
    pub(crate) knee: f64,
}

/// Fourteen days of which nothing special is true.
pub(crate) const PLAIN: Truth = Truth {
    minutes: 14 * 1440,
    coefficient: 0.01,
    intercept: 4.0,
    noise: 1.5,
    mix: 0.03,
    cron: 0.0,
    step: None,
    ceiling: 100.0,
    lag: 0,
    basic: false,
    bend: 0.0,
    knee: 100.0,
};

/// Numbers from a seed: the same ones on every machine.
struct Random(ChaCha8Rng);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0.next_u64() as f64 / u64::MAX as f64
    }

    fn normal(&mut self) -> f64 {
        let (a, b) = (self.uniform().max(1e-300), self.uniform());
        (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
    }
}

/// A value that forgets where it was: `keep` of it is left after a minute.
struct Wandering {
    keep: f64,
    value: f64,
}

impl Wandering {
    fn next(&mut self, random: &mut Random) -> f64 {
        self.value = self.keep * self.value + (1.0 - self.keep * self.keep).sqrt() * random.normal();
        self.value
    }
}

/// Samples of an environment of which `truth` holds; another one for each seed.
pub(crate) fn samples(truth: Truth, seed: u64) -> Vec<Sample> {
    let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
    let (mut traffic, mut mix, mut noise) = (
        [0.8, 0.999].map(|keep| Wandering { keep, value: 0.0 }),
        Wandering { keep: 0.98, value: 0.0 },
        Wandering { keep: 0.6, value: 0.0 },
    );
    let mut slow = Wandering { keep: 0.9, value: 0.0 };
    let at = MinuteUtc::new(29_000_160).unwrap();
    let start = (random.uniform() * 1440.0) as u32;
    let (mut work, mut samples, mut instances) = (Vec::new(), Vec::new(), 4.0_f64);
    let mut crowd = 0.0_f64;
    for i in 0..truth.minutes {
        let hour = f64::from((start + i) % 1440) / 60.0;
        let shape = 1.0 - 0.65 * ((hour - 3.0) * std::f64::consts::TAU / 24.0).cos();
        crowd = if random.uniform() < 1.0 / 720.0 { 0.6 } else { 0.96 * crowd };
        let stray = 0.08 * traffic[0].next(&mut random) + 0.12 * traffic[1].next(&mut random);
        let requests = (8000.0 * (shape + crowd) * stray.exp()).round();
        let wanted = (requests / 2600.0).ceil().max(2.0);
        if i % 12 == 0 || wanted > instances + 1.0 {
            instances = wanted;
        }
        let load = requests / instances;
        let dearer = truth.step.filter(|(from, _)| *from <= i).map_or(1.0, |(_, share)| 1.0 + share);
        let cost = truth.coefficient * dearer * (truth.mix * mix.next(&mut random)).exp();
        let minute = (start + i) % 1440;
        let cron = if minute % 60 < 3 || (120..160).contains(&minute) { truth.cron } else { 0.0 };
        let top = (load / 3000.0).powi(2) * truth.bend;
        let mine = truth.intercept + cost * load * (1.0 + top) + cron + truth.noise * noise.next(&mut random);
        work.push(mine);
        let late = work[work.len().saturating_sub(1 + truth.lag as usize)];
        let cpu = late
            .min(truth.ceiling - (0.3 * random.normal()).abs() * f64::from(u8::from(truth.ceiling < 100.0)));
        let mut sample = Sample::empty(at + Minutes(start + i), Period::OneMinute);
        sample.set(Metric::Requests, requests).unwrap();
        sample.set(Metric::InService, instances).unwrap();
        sample.set(Metric::CpuPercent, cpu.clamp(0.0, 100.0)).unwrap();
        let slower = (cpu - truth.knee).max(0.0) / 12.0 + 0.1 * slow.next(&mut random);
        sample.set(Metric::LatencyP95Seconds, 0.12 * slower.exp()).unwrap();
        samples.push(sample);
    }
    if truth.basic { basic(&samples) } else { samples }
}

/// The same with CPU as basic monitoring has it.
fn basic(samples: &[Sample]) -> Vec<Sample> {
    let mut brought = Vec::new();
    for five in samples.chunks_exact(5) {
        let mean = five.iter().map(|sample| sample.get(Metric::CpuPercent).unwrap()).sum::<f64>() / 5.0;
        let mut cpu = Sample::empty(five[0].minute_utc, Period::FiveMinutes);
        cpu.set(Metric::CpuPercent, mean).unwrap();
        brought.push(cpu);
        for sample in five {
            let mut bare = Sample::empty(sample.minute_utc, Period::OneMinute);
            for metric in [Metric::Requests, Metric::InService] {
                bare.set(metric, sample.get(metric).unwrap()).unwrap();
            }
            brought.push(bare);
        }
    }
    brought
}

const DAY: u32 = 1440;

/// Every kind of truth, at several sizes.
pub(crate) const CASES: [(&str, Truth); 24] = [
    ("4 hours", Truth { minutes: 240, ..PLAIN }),
    ("8 hours", Truth { minutes: 480, ..PLAIN }),
    ("1 day", Truth { minutes: DAY, ..PLAIN }),
    ("3 days", Truth { minutes: 3 * DAY, ..PLAIN }),
    ("7 days", Truth { minutes: 7 * DAY, ..PLAIN }),
    ("14 days", PLAIN),
    ("noisy, 1 day", Truth { minutes: DAY, coefficient: 0.02, noise: 4.0, mix: 0.06, ..PLAIN }),
    ("noisy, 14 days", Truth { coefficient: 0.02, noise: 4.0, mix: 0.06, ..PLAIN }),
    ("cron jobs, 1 day", Truth { minutes: DAY, cron: 25.0, ..PLAIN }),
    ("cron jobs, 14 days", Truth { cron: 25.0, ..PLAIN }),
    ("no intercept, 1 day", Truth { minutes: DAY, intercept: 0.0, ..PLAIN }),
    ("no intercept, 14 days", Truth { intercept: 0.0, ..PLAIN }),
    ("intercept 0.5, 14 days", Truth { intercept: 0.5, ..PLAIN }),
    ("intercept 12, 3 days", Truth { minutes: 3 * DAY, intercept: 12.0, ..PLAIN }),
    ("+37 % after 1 of 2 days", Truth { minutes: 2 * DAY, step: Some((DAY, 0.37)), ..PLAIN }),
    ("+37 % after 9 of 14 days", Truth { step: Some((9 * DAY + 613, 0.37)), ..PLAIN }),
    ("-25 % after 12 of 14 days", Truth { step: Some((12 * DAY + 100, -0.25)), ..PLAIN }),
    ("ceiling 28, 1 day", Truth { minutes: DAY, ceiling: 28.0, ..PLAIN }),
    ("ceiling 28, 14 days", Truth { ceiling: 28.0, ..PLAIN }),
    ("2 minutes late, 1 day", Truth { minutes: DAY, lag: 2, ..PLAIN }),
    ("1 minute late, 14 days", Truth { lag: 1, ..PLAIN }),
    ("every 5 minutes, 3 days", Truth { minutes: 3 * DAY, basic: true, ..PLAIN }),
    ("every 5 minutes, 14 days", Truth { basic: true, ..PLAIN }),
    ("bent, 14 days", Truth { bend: 0.3, ..PLAIN }),
];
