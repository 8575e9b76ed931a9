//! Response time against traffic and against CPU: from which CPU on users wait longer.
//!
//! Below its knee, response time stays at its base; above, it grows, the faster the nearer CPU comes to its limit. So
//! its logarithm is described by a level and a rising line that meet at the knee.

use crate::coefficient::{
    Circumstances, FitRules, Interval, blocks_of, draws, least_squares, median, robust_line, scale, settled,
};
use crate::cpu_model::Line;
use crate::observation::{Observation, Series};
use crate::sample::{Metric, Sample};
use crate::units::MinuteUtc;

/// Where response time departs from its base.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Knee {
    /// The response time in question: p95, else p99, else the median.
    pub metric: Metric,
    /// CPU percent at which it departs.
    pub departs_at_percent: f64,
    /// Where that lies, 95 times of 100.
    pub interval: Interval,
    /// Response time below, seconds.
    pub base_seconds: f64,
    /// CPU percent at which it is twice the base, if it was seen there.
    pub doubles_at_percent: Option<f64>,
    /// Mean CPU and response time, as a multiple of its base, of the periods with the greatest CPU.
    pub at_most: (f64, f64),
}

impl Knee {
    /// Where instances have no more to give although CPU is not at 100 %: response time has grown tenfold.
    pub fn saturates_at_percent(&self) -> Option<f64> {
        let (cpu, multiple) = self.at_most;
        (multiple >= SATURATED_MULTIPLE && cpu <= FULL_CPU_PERCENT).then_some(cpu)
    }
}

/// Response time over its base at which instances have no more to give.
const SATURATED_MULTIPLE: f64 = 10.0;
/// CPU that is as good as all of it.
const FULL_CPU_PERCENT: f64 = 90.0;

/// The response time that stands for what users feel.
const METRICS: [Metric; 3] =
    [Metric::LatencyP95Seconds, Metric::LatencyP99Seconds, Metric::LatencyP50Seconds];
/// Groups of similar CPU: no group has more than this share of the periods, and none less than so many unless it is wide.
const GROUPS: usize = 30;
const LEAST_OF_GROUP: std::ops::RangeInclusive<usize> = 4..=8;
/// Points of percent that a group of few periods spans at least: high CPU is rare, and says the most.
const WIDTH: f64 = 1.0;
/// Samples that are drawn; the place of a knee needs fewer than a line.
const RESAMPLES: usize = 400;
const LEAST_PERIODS: usize = 40;
/// Steps of CPU in which a knee is looked for, points of percent; and those around the best of them.
const STEP: f64 = 1.0;
const FINE_STEP: f64 = 0.1;
/// Groups below and above a knee, at least.
const LEAST_BELOW: usize = 3;
const LEAST_ABOVE: usize = 2;
/// By how much nearer than a level, or than one straight line, a knee must come to response time.
const LEAST_GAIN: f64 = 0.3;
const LEAST_GAIN_OVER_LINE: f64 = 0.1;
/// Response time at the greatest CPU, as a multiple of the base, at least.
const LEAST_MULTIPLE: f64 = 1.3;
/// Farther from the middle of its group than these scales counts as so far.
const CLIP_SCALES: f64 = 3.0;

/// The knee that `samples` show; `None` where response time does not depart from a base.
pub fn knee(samples: &[Sample], around: Circumstances<'_>) -> Option<Knee> {
    let series = Series::of(samples);
    let observations = settled(&series, around);
    let timed = METRICS.into_iter().map(|metric| (metric, Timed::of(&series, &observations, metric)));
    let (metric, timed) = timed.into_iter().find(|(_, timed)| timed.cpu.len() >= LEAST_PERIODS)?;
    let groups = Groups::of(&timed);
    let means = groups.means(&timed);
    let found = hinge(&means)?;
    found.is_worth_telling(&means).then_some(())?;
    let (count, of_period) = blocks_of(&timed.minutes);
    let blocks = groups.by_block(&timed, count, &of_period);
    let drawn = draws(count).take(RESAMPLES);
    let redrawn: Vec<f64> =
        drawn.filter_map(|times| Some(hinge(&groups.drawn(&blocks, &times))?.knee)).collect();
    let Interval { low, high } = Interval::around(found.knee, &redrawn, count as u32);
    let doubles = found.knee + std::f64::consts::LN_2 / found.slope;
    let (last, slowest, _) = *means.last()?;
    (redrawn.len() >= RESAMPLES / 2).then(|| Knee {
        metric,
        departs_at_percent: found.knee,
        // A knee is placed no finer than by the steps in which it is looked for.
        interval: Interval {
            low: (low - FINE_STEP / 2.0).max(0.0),
            high: (high + FINE_STEP / 2.0).min(100.0),
        },
        base_seconds: found.base.exp(),
        doubles_at_percent: (doubles <= last).then_some(doubles),
        at_most: (last, (slowest - found.base).exp()),
    })
}

/// CPU percent and response time in seconds of the periods that a knee is looked for in, by the series that stands for what
/// users feel: the first of p95, p99 and the median that has any value.
pub fn response_times(samples: &[Sample], around: Circumstances<'_>) -> Option<(Metric, Vec<(f64, f64)>)> {
    let series = Series::of(samples);
    let observations = settled(&series, around);
    let timed = METRICS.into_iter().map(|metric| (metric, Timed::of(&series, &observations, metric)));
    let (metric, timed) = timed.into_iter().find(|(_, timed)| !timed.cpu.is_empty())?;
    let seconds = timed.log_seconds.iter().map(|log| log.exp());
    Some((metric, timed.cpu.iter().copied().zip(seconds).collect()))
}

/// CPU and the logarithm of response time, period by period.
#[derive(Default)]
struct Timed {
    minutes: Vec<MinuteUtc>,
    cpu: Vec<f64>,
    log_seconds: Vec<f64>,
}

impl Timed {
    fn of(series: &Series<'_>, observations: &[Observation], metric: Metric) -> Self {
        let mut timed = Self::default();
        for observation in observations {
            let seconds = series.value(observation.minute_utc, observation.period, metric);
            if let Some(seconds) = seconds.filter(|seconds| *seconds > 0.0) {
                timed.minutes.push(observation.minute_utc);
                timed.cpu.push(observation.cpu_percent);
                timed.log_seconds.push(seconds.ln());
            }
        }
        timed
    }
}

/// Which group of similar CPU each period belongs to, and between which values it is taken.
struct Groups {
    of_period: Vec<usize>,
    cpu: Vec<f64>,
    bounds: Vec<(f64, f64)>,
}

/// Periods of similar CPU, in its order: a few of rare CPU, many of usual one.
fn similar<'a>(order: &'a [usize], timed: &Timed) -> Vec<&'a [usize]> {
    let least = (order.len() / 10).clamp(*LEAST_OF_GROUP.start(), *LEAST_OF_GROUP.end());
    let most = order.len().div_ceil(GROUPS).max(least);
    let (mut groups, mut start) = (Vec::new(), 0);
    for end in 1..=order.len() {
        let (size, left) = (end - start, order.len() - end);
        let width = timed.cpu[order[end - 1]] - timed.cpu[order[start]];
        let full = size >= most || (size >= least && width >= WIDTH);
        if left == 0 || (full && left >= least) {
            groups.push(&order[start..end]);
            start = end;
        }
    }
    groups
}

/// Mean CPU, mean log of response time, and how many periods.
type Means = Vec<(f64, f64, f64)>;

impl Groups {
    fn of(timed: &Timed) -> Self {
        let count = timed.cpu.len();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|a, b| timed.cpu[*a].total_cmp(&timed.cpu[*b]));
        let mut groups = Self { of_period: vec![0; count], cpu: Vec::new(), bounds: Vec::new() };
        for (group, periods) in similar(&order, timed).into_iter().enumerate() {
            periods.iter().for_each(|i| groups.of_period[*i] = group);
            let logs: Vec<f64> = periods.iter().map(|i| timed.log_seconds[*i]).collect();
            let middle = median(&mut logs.clone());
            let scale = scale(logs.iter().map(|log| log - middle));
            groups.bounds.push((middle - CLIP_SCALES * scale, middle + CLIP_SCALES * scale));
            groups.cpu.push(periods.iter().map(|i| timed.cpu[*i]).sum::<f64>() / periods.len() as f64);
        }
        groups
    }

    /// Response time of a period, no farther from the others of its group than counts.
    fn clipped(&self, timed: &Timed, period: usize) -> f64 {
        let (low, high) = self.bounds[self.of_period[period]];
        timed.log_seconds[period].clamp(low, high)
    }

    fn means(&self, timed: &Timed) -> Means {
        let mut sums = vec![(0.0, 0.0); self.cpu.len()];
        for period in 0..timed.cpu.len() {
            let sum = &mut sums[self.of_period[period]];
            *sum = (sum.0 + self.clipped(timed, period), sum.1 + 1.0);
        }
        self.divided(&sums)
    }

    fn divided(&self, sums: &[(f64, f64)]) -> Means {
        let known = self.cpu.iter().zip(sums).filter(|(_, (_, count))| *count > 0.0);
        known.map(|(cpu, (sum, count))| (*cpu, sum / count, *count)).collect()
    }

    /// Sums and counts of each group in each block.
    fn by_block(&self, timed: &Timed, blocks: usize, of_period: &[usize]) -> Vec<Vec<(f64, f64)>> {
        let mut sums = vec![vec![(0.0, 0.0); self.cpu.len()]; blocks];
        for (period, block) in of_period.iter().enumerate() {
            let sum = &mut sums[*block][self.of_period[period]];
            *sum = (sum.0 + self.clipped(timed, period), sum.1 + 1.0);
        }
        sums
    }

    fn drawn(&self, blocks: &[Vec<(f64, f64)>], times: &[f64]) -> Means {
        let mut sums = vec![(0.0, 0.0); self.cpu.len()];
        for (block, times) in blocks.iter().zip(times).filter(|(_, times)| **times > 0.0) {
            for (sum, (log, count)) in sums.iter_mut().zip(block) {
                *sum = (sum.0 + times * log, sum.1 + times * count);
            }
        }
        self.divided(&sums)
    }
}

/// A level up to a knee, and a rising line from there on.
struct Hinge {
    knee: f64,
    base: f64,
    slope: f64,
    distance: f64,
}

/// The hinge that comes nearest to `means`; `None` where nothing rises.
fn hinge(means: &Means) -> Option<Hinge> {
    let inner = means.len().checked_sub(LEAST_ABOVE).filter(|inner| *inner > LEAST_BELOW)?;
    let (first, last) = (means[LEAST_BELOW - 1].0, means[inner].0);
    let best_of = |from: f64, to: f64, step: f64| {
        let steps = ((to - from) / step).max(0.0) as usize;
        let tried = (0..=steps).filter_map(|i| hinge_at(means, from + step * i as f64));
        tried.min_by(|a, b| a.distance.total_cmp(&b.distance))
    };
    let Hinge { knee, .. } = best_of(first, last, STEP)?;
    best_of((knee - STEP).max(first), (knee + STEP).min(last), FINE_STEP)
}

/// Level and slope of least squares for a knee that is given.
fn hinge_at(means: &Means, knee: f64) -> Option<Hinge> {
    let line = least_squares(means.iter().map(|(cpu, log, count)| ((cpu - knee).max(0.0), *log, *count)))?;
    let distance = |(cpu, log, count): &(f64, f64, f64)| {
        count * (log - line.intercept - line.slope * (cpu - knee).max(0.0)).powi(2)
    };
    let distance = means.iter().map(distance).sum();
    (line.slope > 0.0).then_some(Hinge { knee, base: line.intercept, slope: line.slope, distance })
}

impl Hinge {
    fn is_worth_telling(&self, means: &Means) -> bool {
        let weight: f64 = means.iter().map(|(.., count)| count).sum();
        let mean = means.iter().map(|(_, log, count)| log * count).sum::<f64>() / weight;
        let of_level: f64 = means.iter().map(|(_, log, count)| count * (log - mean).powi(2)).sum();
        let of_line = least_squares(means.iter().copied()).map_or(of_level, |line| {
            let distance = |(cpu, log, count): &(f64, f64, f64)| {
                count * (log - line.intercept - line.slope * cpu).powi(2)
            };
            means.iter().map(distance).sum()
        });
        let last = means.last().map_or(self.knee, |(cpu, ..)| *cpu);
        self.distance <= (1.0 - LEAST_GAIN) * of_level
            && self.distance <= (1.0 - LEAST_GAIN_OVER_LINE) * of_line
            && (self.slope * (last - self.knee)).exp() >= LEAST_MULTIPLE
    }
}

/// Response time (its median, seconds) against requests per minute and instance, where a line explains it;
/// `None` where it does not.
pub fn response_time_line(samples: &[Sample], rules: FitRules) -> Option<Line> {
    let pairs: Vec<Observation> = samples.iter().filter_map(response_time).collect();
    robust_line(&pairs, rules)
}

/// An observation whose CPU is response time.
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
