//! The parts of the page, one for each question of somebody who is to believe an advice.

mod back_test;
mod cpu;
mod fit;
mod frontier;
mod history;
mod instances;
mod latency;
mod traffic;

use scaling::reference::Row;
use scaling::units::{MinuteUtc, Window};

use super::Shown;
use super::section::{Missing, Section};
use super::words::{day, minutes_of};

/// All of them, in the order of the page.
pub(super) fn all(shown: &Shown<'_>) -> Vec<Section> {
    vec![
        cpu::section(shown),
        instances::section(shown),
        traffic::section(shown),
        back_test::section(shown),
        fit::section(shown),
        latency::section(shown),
        frontier::section(shown),
        history::section(shown),
        super::ledger::section(shown),
    ]
}

/// The days of the window: their names, and which minutes of it they are.
fn days(shown: &Shown<'_>) -> Vec<(String, std::ops::Range<usize>)> {
    let window = shown.evidence.window;
    let place = |minute: MinuteUtc| minute.min(window.end).place_from(window.start).unwrap_or(0);
    let of = |first: MinuteUtc| {
        let Window { start, end } = Window::day_of(first);
        (first.start().strftime("%a %Y-%m-%d").to_string(), place(start)..place(end))
    };
    window.days().map(of).filter(|(_, range)| !range.is_empty()).collect()
}

/// The part of `values` that is of a day.
fn part<T>(values: &[T], range: &std::ops::Range<usize>) -> Vec<T>
where
    T: Copy,
{
    values.iter().skip(range.start).take(range.len()).copied().collect()
}

/// The values from `start` on, by the minutes of the window: those before are not known.
fn placed(shown: &Shown<'_>, start: MinuteUtc, values: Vec<Option<f64>>) -> Vec<Option<f64>> {
    let before = vec![None; start.place_from(shown.evidence.window.start).unwrap_or(0)];
    before.into_iter().chain(values).collect()
}

/// The minute with the greatest value of any series.
fn hardest(series: impl IntoIterator<Item = Vec<Option<f64>>>) -> Option<usize> {
    let all = series.into_iter().flat_map(|values| values.into_iter().enumerate());
    let known = all.filter_map(|(index, value)| Some((index, value?)));
    Some(known.max_by(|a, b| a.1.total_cmp(&b.1))?.0)
}

/// CPU of serving instances, minute by minute.
fn cpu(rows: &[Row]) -> Vec<Option<f64>> {
    rows.iter().map(|row| row.cpu_percent).collect()
}

/// Billed instances, minute by minute.
fn billed(rows: &[Row]) -> Vec<Option<f64>> {
    rows.iter().map(|row| Some(f64::from(row.billed.0))).collect()
}

fn greatest(values: &[Option<f64>]) -> Option<f64> {
    values.iter().copied().flatten().max_by(f64::total_cmp)
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let count = values.iter().flatten().count();
    (count > 0).then(|| values.iter().copied().flatten().sum::<f64>() / count as f64)
}

fn sum(values: &[Option<f64>]) -> f64 {
    values.iter().copied().flatten().sum()
}

/// A cell of a value that may be missing.
fn cell(value: Option<f64>, digits: usize) -> String {
    value.map_or("–".to_owned(), |value| super::words::fixed(value, digits))
}

/// What to say where the replays can't be shown.
fn no_replay(why: &str, what: &str) -> Missing {
    let how = if why.contains("sweep") {
        "`trellis sweep` makes the advice anew"
    } else {
        "`trellis run` or the daily run makes one"
    };
    Missing::new(format!("{what}, since {why}"), how)
}

/// When something was deployed, as far as the activities tell, with a number to find it by.
fn deployed<'a>(shown: &Shown<'a>) -> Vec<(f64, String, &'a crate::activity::Activity)> {
    let deployments = shown.evidence.activities.iter();
    let deployments =
        deployments.filter(|activity| activity.kind == crate::activity::ActivityKind::Deployment);
    let named = deployments.enumerate();
    named.map(|(index, activity)| (minutes_of(activity.start), format!("{}", index + 1), activity)).collect()
}

/// The day in which minute `index` of the window lies.
fn day_around(shown: &Shown<'_>, index: usize) -> Option<(String, std::ops::Range<usize>)> {
    days(shown).into_iter().find(|(_, range)| range.contains(&index))
}

/// The first and the last day of the window.
fn span(shown: &Shown<'_>) -> String {
    format!("{} to {}", day(shown.start()), day(shown.end() - 1.0))
}
