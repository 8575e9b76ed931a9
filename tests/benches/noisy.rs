//! The trace that the engine is measured on: a daily and a weekly shape with 15 % noise and four flash crowds a day, one
//! minute of every day missing. It is made, and the same every time.

use scaling::traffic::Load;
use scaling::units::MinuteUtc;

const DAY: usize = 1_440;

/// Random, and the same every time.
pub(crate) struct Noise(pub(crate) u64);

impl Noise {
    /// From 0 to 1.
    pub(crate) fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() * end as f64) as usize
    }

    /// Around 0 with a spread of 1, near enough.
    fn about_zero(&mut self) -> f64 {
        (self.next() + self.next() + self.next() - 1.5) / 0.5
    }
}

/// Up to `top` percent of one instance at noon, without noise and crowds.
pub(crate) fn noisy(days: usize, top: f64) -> Load {
    let mut noise = Noise(7);
    let crowds = crowds(days, &mut noise);
    let mut demand_percent: Vec<f64> = crowds
        .iter()
        .enumerate()
        .map(|(minute, crowd)| {
            let hour = (minute % DAY) as f64 / DAY as f64 * std::f64::consts::TAU;
            let day = 0.12 + 0.88 * (0.5 - 0.5 * hour.cos()).powf(1.5);
            let week = if minute / DAY % 7 >= 5 { 0.7 } else { 1.0 };
            let strays = (1.0 + 0.15 * noise.about_zero()).max(0.05);
            (top * day * week * crowd * strays * 20.0).round() / 20.0
        })
        .collect();
    for day in 0..days {
        demand_percent[day * DAY + noise.below(DAY)] = f64::NAN;
    }
    let start = MinuteUtc::new(0).unwrap();
    Load { start, intercept_percent: 3.0, coefficient: 0.05, demand_percent, stray_percent: vec![] }
}

/// Four a day, 1.3 to 2.5 times the traffic, up within five minutes and gone within the hour.
fn crowds(days: usize, noise: &mut Noise) -> Vec<f64> {
    let mut factors = vec![1.0_f64; days * DAY];
    for _ in 0..4 * days {
        let (at, height, length) =
            (noise.below(factors.len()), 0.3 + 1.2 * noise.next(), 10 + noise.below(40));
        for (minute, factor) in factors[at..].iter_mut().take(length).enumerate() {
            let up = (minute as f64 / 5.0).min(1.0);
            let down = ((length - minute) as f64 / 10.0).min(1.0);
            *factor = factor.max(1.0 + height * up * down);
        }
    }
    factors
}
