//! What a request costs: `cpu = intercept + coefficient × requests per minute per instance`, by least squares.
//!
//! A line that the data can't carry is refused, with the reason.

use crate::course::Deployment;
use crate::cpu_model::{CpuModel, Line};
use crate::observation::{LeftOut, LeftOutCounts, Observation, observe};
use crate::sample::{Metric, Sample};

/// A line through the observations, and how well it describes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    /// The line.
    pub model: CpuModel,
    /// Share of the variance of CPU that the line explains, at most 1.
    pub r_squared: f64,
    /// Standard deviation of CPU around the line, in points of CPU percent.
    pub residual_spread_percent: f64,
    /// Periods that the line was drawn through.
    pub usable: u32,
    /// Periods that it was not, by reason.
    pub left_out: LeftOutCounts,
    /// Least and greatest load seen, requests per minute per instance. The line is unproven outside of it.
    pub load_range: (f64, f64),
}

/// What the data must show before a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FitRules {
    /// Fewest usable periods.
    pub min_usable: u32,
    /// Least standard deviation of the load, as a share of its mean.
    pub min_load_spread: f64,
    /// Least share of the variance of CPU that the line must explain.
    pub min_r_squared: f64,
}

impl Default for FitRules {
    fn default() -> Self {
        Self { min_usable: 30, min_load_spread: 0.1, min_r_squared: 0.6 }
    }
}

/// Why no line was drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FitError {
    /// Too little to go by.
    #[error("only {usable} usable periods, {needed} needed{}", list(left_out))]
    TooFewUsable {
        /// Periods with load, CPU and instances.
        usable: u32,
        /// Periods needed.
        needed: u32,
        /// The others, by reason.
        left_out: LeftOutCounts,
    },
    /// The load hardly moved, so that any slope would do.
    #[error(
        "the load hardly varies: its spread is {:.1} % of its mean of {mean:.0} requests per minute per instance, {:.0} % needed",
        spread * 100.0,
        needed * 100.0
    )]
    NoSpreadInLoad {
        /// Mean load, requests per minute per instance.
        mean: f64,
        /// Standard deviation over mean.
        spread: f64,
        /// The least that is needed.
        needed: f64,
    },
    /// CPU falls, or stays, as requests rise.
    #[error(
        "CPU does not rise with requests: the line would have a slope of {coefficient:.3e} % per request per minute"
    )]
    NotRising {
        /// The slope found.
        coefficient: f64,
    },
    /// Requests do not explain CPU.
    #[error("requests explain only {:.0} % of how CPU moves (R² {r_squared:.2}, {needed:.2} needed)", r_squared.max(0.0) * 100.0)]
    RSquaredTooLow {
        /// Share explained.
        r_squared: f64,
        /// The least that is needed.
        needed: f64,
    },
}

fn list(left_out: &LeftOutCounts) -> String {
    let parts: Vec<String> = left_out.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    if parts.is_empty() { String::new() } else { format!(" (left out: {})", parts.join(", ")) }
}

/// Draws the line through every period of `samples` that has load, CPU and instances.
///
/// ```
/// use scaling::fit::{FitRules, fit};
///
/// let refused = fit(&[], FitRules::default()).unwrap_err();
/// assert_eq!(refused.to_string(), "only 0 usable periods, 30 needed");
/// ```
pub fn fit(samples: &[Sample], rules: FitRules) -> Result<Fit, FitError> {
    fit_outside(samples, rules, &[])
}

/// The same, without the periods of `deployments`, in which instances do other work besides.
pub fn fit_outside(samples: &[Sample], rules: FitRules, deployments: &[Deployment]) -> Result<Fit, FitError> {
    let (mut observations, mut left_out) = observe(samples);
    let all = observations.len();
    observations.retain(|observation| !deployments.iter().any(|deployment| overlap(observation, deployment)));
    if observations.len() < all {
        left_out.insert(LeftOut::Deployment, (all - observations.len()) as u32);
    }
    let usable = observations.len() as u32;
    if usable < rules.min_usable.max(2) {
        return Err(FitError::TooFewUsable { usable, needed: rules.min_usable.max(2), left_out });
    }
    let moments = Moments::of(&observations);
    moments.check_spread(rules.min_load_spread)?;
    let model = moments.line()?;
    let r_squared = moments.r_squared();
    if r_squared < rules.min_r_squared {
        return Err(FitError::RSquaredTooLow { r_squared, needed: rules.min_r_squared });
    }
    let residual_spread_percent = moments.residual_spread();
    Ok(Fit {
        model,
        r_squared,
        residual_spread_percent,
        usable,
        left_out,
        load_range: load_range(&observations),
    })
}

/// Response time (its median, seconds) against requests per minute and instance, where a line explains it;
/// `None` where it does not.
pub fn response_time_line(samples: &[Sample], rules: FitRules) -> Option<Line> {
    let pairs: Vec<Observation> = samples.iter().filter_map(response_time).collect();
    let moments = Moments::of(&pairs);
    let enough = pairs.len() >= rules.min_usable.max(2) as usize
        && moments.check_spread(rules.min_load_spread).is_ok();
    let slope = moments.xy / moments.xx;
    let explained = enough && slope > 0.0 && rules.min_r_squared <= moments.r_squared();
    explained.then_some(Line { intercept: moments.mean_y - slope * moments.mean_x, slope })
}

/// An observation whose `y` is response time.
fn response_time(sample: &Sample) -> Option<Observation> {
    let instances = sample.get(Metric::InService).filter(|count| *count > 0.0)?;
    let minutes = f64::from(sample.period.minutes().0);
    Some(Observation {
        minute_utc: sample.minute_utc,
        period: sample.period,
        requests_per_minute_per_instance: sample.get(Metric::Requests)? / minutes / instances,
        cpu_percent: sample.get(Metric::LatencyP50Seconds)?,
    })
}

fn overlap(observation: &Observation, deployment: &Deployment) -> bool {
    let end = observation.minute_utc + observation.period.minutes();
    observation.minute_utc < deployment.end && deployment.start < end
}

fn load_range(observations: &[Observation]) -> (f64, f64) {
    let loads = observations.iter().map(|observation| observation.requests_per_minute_per_instance);
    loads.fold((f64::INFINITY, 0.0), |(least, most), load| (load.min(least), load.max(most)))
}

/// Means and centred sums of squares of load (`x`) and CPU (`y`).
struct Moments {
    count: f64,
    mean_x: f64,
    mean_y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Moments {
    fn of(observations: &[Observation]) -> Self {
        let count = observations.len() as f64;
        let pairs = || observations.iter().map(|o| (o.requests_per_minute_per_instance, o.cpu_percent));
        let mean_x = pairs().map(|(x, _)| x).sum::<f64>() / count;
        let mean_y = pairs().map(|(_, y)| y).sum::<f64>() / count;
        let centred = || pairs().map(|(x, y)| (x - mean_x, y - mean_y));
        Self {
            count,
            mean_x,
            mean_y,
            xx: centred().map(|(x, _)| x * x).sum(),
            xy: centred().map(|(x, y)| x * y).sum(),
            yy: centred().map(|(_, y)| y * y).sum(),
        }
    }

    fn check_spread(&self, needed: f64) -> Result<(), FitError> {
        let mean = self.mean_x;
        let spread = if mean > 0.0 { (self.xx / self.count).sqrt() / mean } else { 0.0 };
        let enough = spread >= needed && self.xx > 0.0;
        enough.then_some(()).ok_or(FitError::NoSpreadInLoad { mean, spread, needed })
    }

    fn line(&self) -> Result<CpuModel, FitError> {
        let coefficient = self.xy / self.xx;
        let intercept = self.mean_y - coefficient * self.mean_x;
        CpuModel::new(intercept, coefficient).map_err(|_| FitError::NotRising { coefficient })
    }

    fn r_squared(&self) -> f64 {
        if self.yy > 0.0 { self.xy * self.xy / self.xx / self.yy } else { 0.0 }
    }

    fn residual_spread(&self) -> f64 {
        let unexplained = (self.yy - self.xy * self.xy / self.xx).max(0.0);
        (unexplained / (self.count - 2.0).max(1.0)).sqrt()
    }
}
