//! The shipped sample: two weeks of an environment that does not exist.
//!
//! Every number here is invented, and the environment's name says so wherever it is shown. Requests follow
//! the day and the week, with noise, a flash crowd and a gap in the metrics; CPU follows requests with noise; response time grows where CPU is high;
//! instances follow the environment's settings by the same rules that the simulator has, with a deployment
//! that doubles them for a while. A fixed seed and plain arithmetic give the same file on every machine.

use std::fmt::Write as _;

use pipeline::documents::OptionDocument;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use scaling::course::{Course, Deployment};
use scaling::cpu_model::CpuModel;
use scaling::dynamics::Dynamics;
use scaling::reference::{Row, Scenario, replay};
use scaling::settings::Settings;
use scaling::traffic::{Load, Traffic};
use scaling::units::{Instances, MinuteUtc, Minutes, RequestsPerMinute};

/// The environment's name.
pub(crate) const ENVIRONMENT: &str = "invented-garden-prod";

/// The shipped file.
pub(crate) const METRICS: &str = include_str!("../sample/invented-garden-prod.csv");

/// Its settings, as `aws elasticbeanstalk describe-configuration-settings` would show them.
pub(crate) const SETTINGS: &str = include_str!("../sample/invented-garden-prod.settings.json");

const SEED: u64 = 20_261_101;
const DAYS: usize = 14;
const MINUTES: usize = DAYS * 24 * 60;
/// 2026-11-02T00:00Z, a Monday, in minutes since 1970.
const START: i64 = 29_892_960;
/// CPU percent of one instance: without requests, and for one request per minute.
const INTERCEPT: f64 = 3.0;
const COEFFICIENT: f64 = 0.012;
/// How far CPU strays from that line, points of percent.
const SPREAD: f64 = 1.1;

/// The 95th percentile of response time, seconds, where CPU is low; the CPU percent from which on it grows; and by which
/// power for each point beyond.
const LATENCY_P95: f64 = 0.085;
const KNEE: f64 = 43.0;
const LATENCY_RISE: f64 = 0.3;

/// Requests per minute through an ordinary day, an entry every two hours, straight lines between.
const DAY: [f64; 12] = [
    2_100.0, 1_300.0, 1_000.0, 1_500.0, 4_200.0, 8_200.0, 9_600.0, 9_100.0, 8_700.0, 9_400.0, 7_600.0,
    4_300.0,
];

/// Monday to Sunday, as a share of an ordinary day.
const WEEK: [f64; 7] = [1.0, 1.03, 1.05, 1.02, 0.93, 0.62, 0.58];

/// A campaign on the second Wednesday at 19:10: up to five thousand requests a minute on top, within 25 minutes.
const CROWD: std::ops::Range<usize> = 9 * 1440 + 1150..9 * 1440 + 1240;
/// A deployment on the first Thursday at 14:00: four more instances, and CPU of its own.
const DEPLOYMENT: std::ops::Range<usize> = 3 * 1440 + 840..3 * 1440 + 855;
/// CloudWatch had nothing on the second Saturday from 03:20 to 04:05.
const GAP: std::ops::Range<usize> = 12 * 1440 + 200..12 * 1440 + 245;

/// Makes the file.
pub(crate) fn csv() -> String {
    let mut noise = Noise(ChaCha8Rng::seed_from_u64(SEED));
    let requests: Vec<f64> = (0..MINUTES).map(|minute| requests(minute, &mut noise)).collect();
    let strays: Vec<f64> = (0..MINUTES).map(|_| SPREAD * noise.about_zero()).collect();
    let rows = scaled(&requests, strays);
    let mut text = String::from(
        "timestamp,requests,cpu_percent,cpu_percent_max,in_service,latency_p50_seconds,latency_p95_seconds\n",
    );
    for (minute, row) in rows.iter().enumerate().filter(|(minute, _)| !GAP.contains(minute)) {
        let _ = writeln!(text, "{}", line(requests[minute], row, &mut noise));
    }
    text
}

fn requests(minute: usize, noise: &mut Noise) -> f64 {
    let ordinary = daily(minute % 1440) * WEEK[(minute / 1440) % 7];
    let crowd = if CROWD.contains(&minute) { 5_000.0 * ramp(minute - CROWD.start) } else { 0.0 };
    ((ordinary + crowd) * (1.0 + 0.035 * noise.about_zero())).max(0.0).round()
}

fn daily(minute: usize) -> f64 {
    let (slot, share) = (minute / 120, (minute % 120) as f64 / 120.0);
    DAY[slot] * (1.0 - share) + DAY[(slot + 1) % 12] * share
}

/// Up in 25 minutes, then slowly down.
fn ramp(minute: usize) -> f64 {
    if minute < 25 { minute as f64 / 25.0 } else { 1.0 - (minute - 25) as f64 / 65.0 }
}

/// What the environment's own settings make of the traffic: their alarms see CPU as it strays.
fn scaled(requests: &[f64], stray_percent: Vec<f64>) -> Vec<Row> {
    let rate = |requests: &f64| RequestsPerMinute::new(*requests).ok();
    let start = MinuteUtc::new(START).expect("a minute of 2026");
    let traffic = Traffic { start, requests_per_minute: requests.iter().map(rate).collect() };
    let model = CpuModel::new(INTERCEPT, COEFFICIENT).expect("a rising line");
    let policy = settings().policy().expect("the shipped settings are a policy on CPU");
    let deployment = Deployment {
        start: start + Minutes(DEPLOYMENT.start as u32),
        end: start + Minutes(DEPLOYMENT.end as u32),
        extra: Instances(4),
        extra_cpu_percent: 9.0,
    };
    let scenario = Scenario {
        course: Course::new(vec![], vec![deployment]).expect("no size of nothing"),
        ..Scenario::of(&policy, Dynamics::default(), Instances(2))
    };
    replay(&Load { stray_percent, ..Load::new(&traffic, model) }, &scenario)
}

fn settings() -> Settings {
    let options = pipeline::recorded::settings::read("the shipped settings", SETTINGS.as_bytes());
    let options = options.expect("the shipped settings can be read").options;
    let named = options.iter().map(OptionDocument::as_option);
    Settings::from_options(named).expect("the shipped settings are valid")
}

fn line(requests: f64, row: &Row, noise: &mut Noise) -> String {
    let cpu = row.group_cpu_percent.unwrap_or_default();
    let busiest = row.cpu_percent.unwrap_or_default().max(cpu);
    let hottest = (busiest * (1.04 + 0.03 * noise.about_zero().abs())).clamp(0.0, 100.0);
    let latency = 0.045 + 0.0004 * busiest + 0.002 * noise.about_zero().abs();
    let slow = LATENCY_P95
        * (LATENCY_RISE * (busiest - KNEE).max(0.0)).exp()
        * (1.0 + 0.06 * noise.about_zero().abs());
    let (time, in_service) = (row.minute_utc.start(), row.in_service.0);
    format!("{time},{requests:.0},{cpu:.2},{hottest:.2},{in_service},{latency:.4},{slow:.4}")
}

/// Noise around zero with a spread of one: the sum of twelve even ones.
struct Noise(ChaCha8Rng);

impl Noise {
    fn about_zero(&mut self) -> f64 {
        let even = |word: u32| f64::from(word) / f64::from(u32::MAX);
        (0..12).map(|_| even(self.0.next_u32())).sum::<f64>() - 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_file_is_what_the_generator_makes() {
        assert!(csv() == METRICS, "run `trellis sample > functions/local/sample/{ENVIRONMENT}.csv`");
    }

    #[test]
    fn its_name_says_that_it_is_invented() {
        assert!(ENVIRONMENT.starts_with("invented-"));
    }
}
