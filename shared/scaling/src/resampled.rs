//! Whether advice would have been the same on other days: the days of a window drawn anew, with replacement.
//!
//! Each setting is replayed once through the whole window, and its days are added up: a sample of days costs as much, is
//! over the ceiling in as many minutes, and comes to as high a CPU as the days that were drawn. That takes days to be
//! alike and independent: a trend, a week's rhythm or a launch that is yet to come is in no sample beyond what the
//! window has of it; and it takes what a day begins with (instances, alarms, rests) to be what the day before
//! left in the record, though another day is drawn before it. At night, where groups are at their smallest, that is nearly so.

use crate::coefficient::{Interval, draws};
use crate::days::FEWEST_DAYS;
use crate::simulate::Outcome;

/// Samples of days that are drawn; the same ones every time.
pub const RESAMPLES: usize = 200;

/// What is asked of samples of days.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The chosen setting's days.
    pub chosen: &'a [Outcome],
    /// The days of those that it was chosen among.
    pub kept: &'a [Vec<Outcome>],
    /// The present setting's days, where it is known and another.
    pub present: Option<&'a [Outcome]>,
    /// Minutes in which a sample may be over the ceiling.
    pub minutes_over_allowed: u32,
    /// Settings that cost at most this share more than the cheapest are as good.
    pub near_share: f64,
}

/// What samples of days say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resampled {
    /// Days of each sample.
    pub days: usize,
    /// Share of the samples in which the chosen setting holds.
    pub holds: f64,
    /// Share of the samples in which it holds, and none that holds is cheaper.
    pub cheapest: f64,
    /// Share of the samples in which it holds, and is as good as the cheapest that holds.
    pub as_good: f64,
    /// What it saves of the present setting's instance hours, as a share: 95 samples of 100 lie between.
    pub saving: Option<Interval>,
    /// The highest CPU that it comes to, percent: 95 samples of 100 lie between.
    pub max_cpu_percent: Interval,
}

/// Draws days anew; `None` for less than four of them, which say nothing about others.
pub fn resampled(question: Question<'_>) -> Option<Resampled> {
    let days = question.chosen.len();
    if days < FEWEST_DAYS {
        return None;
    }
    let samples: Vec<Sample> = draws(days).take(RESAMPLES).map(|times| question.sample(&times)).collect();
    let share = |is: &dyn Fn(&Sample) -> bool| {
        samples.iter().filter(|sample| is(sample)).count() as f64 / samples.len() as f64
    };
    let near = 1.0 + question.near_share;
    Some(Resampled {
        days,
        holds: share(&|sample| sample.holds),
        cheapest: share(&|sample| sample.holds && sample.billed <= sample.least_billed),
        as_good: share(&|sample| sample.holds && sample.billed <= sample.least_billed * near),
        saving: middle(samples.iter().filter_map(|sample| sample.saving).collect()),
        max_cpu_percent: middle(samples.iter().map(|sample| sample.max_cpu_percent).collect())?,
    })
}

/// What the chosen setting comes to on some days.
struct Sample {
    holds: bool,
    billed: f64,
    /// What the cheapest that holds costs; infinite if none does.
    least_billed: f64,
    saving: Option<f64>,
    max_cpu_percent: f64,
}

impl Question<'_> {
    fn sample(&self, times: &[f64]) -> Sample {
        let holds = |days: &[Outcome]| {
            let over = sum(days, times, |day| f64::from(day.minutes_over));
            over <= f64::from(self.minutes_over_allowed)
        };
        let holding = self.kept.iter().filter(|days| holds(days));
        let billed = billed(self.chosen, times);
        let drawn = self.chosen.iter().zip(times).filter(|(_, times)| **times > 0.0);
        Sample {
            holds: holds(self.chosen),
            billed,
            least_billed: holding.map(|days| self::billed(days, times)).fold(f64::INFINITY, f64::min),
            saving: self.present.map(|present| 1.0 - billed / self::billed(present, times)),
            max_cpu_percent: drawn.map(|(day, _)| day.max_cpu_percent).fold(0.0, f64::max),
        }
    }
}

fn billed(days: &[Outcome], times: &[f64]) -> f64 {
    sum(days, times, |day| day.billed_instance_minutes as f64)
}

fn sum(days: &[Outcome], times: &[f64], of: impl Fn(&Outcome) -> f64) -> f64 {
    days.iter().zip(times).map(|(day, times)| of(day) * times).sum()
}

/// From 2.5 to 97.5 of 100; `None` of nothing.
fn middle(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_by(f64::total_cmp);
    let at =
        |share: f64| values.get((share * values.len().saturating_sub(1) as f64).round() as usize).copied();
    Some(Interval { low: at(0.025)?, high: at(0.975)? })
}
