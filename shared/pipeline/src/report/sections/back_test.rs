//! Whether a replay does what really happened.

use scaling::reference::Row;
use scaling::units::MinuteUtc;

use super::{cell, days, greatest, mean, no_replay, part, placed, span, sum};
use crate::advice::capital;
use crate::documents::BackTestDocument;
use crate::report::Shown;
use crate::report::chart::{Axis, Chart, Mark};
use crate::report::ink::Ink;
use crate::report::section::{Missing, Picture, Section, Table};
use crate::report::words::{fixed, plural, signed_percent};
use crate::sweep::Replays;

/// Recorded and replayed values from a minute on.
struct Pairs {
    start: MinuteUtc,
    recorded: Vec<Option<f64>>,
    replayed: Vec<Option<f64>>,
}

impl Pairs {
    /// The first minute, since 1970.
    fn from(&self) -> f64 {
        self.start.epoch_minutes() as f64
    }
}

pub(super) fn section(shown: &Shown<'_>) -> Section {
    let section = Section {
        id: "back-test",
        title: "Back-test: the replay against what really happened",
        ..Section::default()
    };
    let Some(proof) = shown.advice().and_then(|advice| advice.back_test.as_ref()) else {
        let missing = Missing::new(
            "a back-test, since nothing was recorded that the present settings could be held against",
            "It takes recorded instances and CPU, and the present settings: `trellis run --settings settings.json`",
        );
        return Section { missing: vec![missing], ..section };
    };
    let (said, tables) = (vec![grade(proof)], vec![errors(proof)]);
    let replays = match &shown.replays {
        Ok(replays) => replays,
        Err(why) => {
            return Section { said, tables, missing: vec![no_replay(why, "the minutes of it")], ..section };
        }
    };
    let (Some(counts), Some(cpu)) = (counts(replays), cpu(replays)) else {
        let why = proof.cpu_only_because.clone().unwrap_or_else(|| "no instances were recorded".to_owned());
        let missing = Missing::new(
            format!("replayed beside recorded instances, since {why}"),
            "A trigger on CPUUtilization, and a recorded count of instances, make that possible",
        );
        return Section { said, tables, missing: vec![missing], ..section };
    };
    let pictures = vec![counts_picture(shown, proof, &counts), cpu_picture(shown, proof, &cpu)];
    let tables = tables.into_iter().chain([by_day(shown, &counts, &cpu)]).collect();
    Section { said, pictures, tables, ..section }
}

fn grade(proof: &BackTestDocument) -> String {
    let word = capital(proof.grade.said());
    let cause = proof.cause.as_ref().map_or(String::new(), |cause| format!(": most likely {cause}"));
    let half = if proof.calibrated {
        " Delays that AWS does not publish were taken from the first half of the record; the errors are those of the second."
    } else {
        ""
    };
    format!(
        "{word}{cause}. The present settings were replayed from the first minute on; they were told the requests, but never \
         again how many instances there were.{half}"
    )
}

fn counts(replays: &Replays) -> Option<Pairs> {
    pairs(replays, &|minute| minute.in_service, &|row| Some(f64::from(row.in_service.0)))
}

fn cpu(replays: &Replays) -> Option<Pairs> {
    pairs(replays, &|minute| minute.cpu_percent, &|row| row.group_cpu_percent.or(row.cpu_percent))
}

fn pairs(
    replays: &Replays,
    recorded: &dyn Fn(&scaling::disturbance::RecordedMinute) -> Option<f64>,
    replayed: &dyn Fn(&Row) -> Option<f64>,
) -> Option<Pairs> {
    let (record, rows) = (replays.record.as_ref()?, replays.tested.as_ref()?);
    Some(Pairs {
        start: record.start,
        recorded: record.minutes.iter().map(recorded).collect(),
        replayed: rows.iter().map(replayed).collect(),
    })
}

/// Replayed less recorded, where both are known.
fn differences(pairs: &Pairs) -> Vec<Option<f64>> {
    let both = pairs.replayed.iter().zip(&pairs.recorded);
    both.map(|(replayed, recorded)| Some((*replayed)? - (*recorded)?)).collect()
}

fn measured_from(pairs: &Pairs, proof: &BackTestDocument) -> Option<Mark> {
    let at = pairs.from() + (pairs.recorded.len() / 2) as f64;
    let name = "errors are measured from here".to_owned();
    proof.calibrated.then_some(Mark::Down { at, name, ink: Ink::Event })
}

fn counts_picture(shown: &Shown<'_>, proof: &BackTestDocument, pairs: &Pairs) -> Picture {
    let known = pairs.recorded.iter().chain(&pairs.replayed).copied().flatten();
    let y = Axis::from_zero("instances in service", known);
    let mark =
        |values: &Vec<Option<f64>>, ink| Mark::Minutes { from: pairs.from(), values: values.clone(), ink };
    let mut marks = vec![mark(&pairs.recorded, Ink::Under), mark(&pairs.replayed, Ink::Present)];
    marks.extend(measured_from(pairs, proof));
    let legend = vec![
        (Ink::Under, "really in service".to_owned()),
        (Ink::Present, "present settings, replayed".to_owned()),
    ];
    let said = format!(
        "Instances in service, {}: {} instance hours really, {} replayed.",
        span(shown),
        fixed(sum(&pairs.recorded) / 60.0, 1),
        fixed(sum(&pairs.replayed) / 60.0, 1)
    );
    let x = Axis::time(shown.start(), shown.end());
    Picture { title: "Instances".to_owned(), legend, chart: Chart { x, y, marks, said } }
}

fn cpu_picture(shown: &Shown<'_>, proof: &BackTestDocument, pairs: &Pairs) -> Picture {
    let errors = differences(pairs);
    let y = Axis::around("CPU, points off", errors.iter().copied().flatten().chain([-1.0, 1.0]));
    let said = format!(
        "Replayed less recorded CPU, {}: {} points on average, at most {} above and {} below.",
        span(shown),
        cell(mean(&errors), 2),
        cell(greatest(&errors), 1),
        cell(greatest(&errors.iter().map(|error| error.map(|error| -error)).collect::<Vec<_>>()), 1)
    );
    let mut marks = vec![Mark::Minutes { from: pairs.from(), values: errors, ink: Ink::Present }];
    marks.push(Mark::Across { at: 0.0, name: String::new(), ink: Ink::Event, above: true });
    marks.extend(measured_from(pairs, proof));
    let legend =
        vec![(Ink::Present, "replayed less recorded CPU of the group, points of percent".to_owned())];
    let x = Axis::time(shown.start(), shown.end());
    Picture { title: "Error of CPU".to_owned(), legend, chart: Chart { x, y, marks, said } }
}

fn errors(proof: &BackTestDocument) -> Table {
    let row = |name: &str, value: String, good: &str, fair: &str| {
        [name, &value, good, fair].map(str::to_owned).to_vec()
    };
    let points = |value: f64| format!("{value:+.2} points").replace('-', "−");
    let mut rows = vec![row("minutes compared", fixed(f64::from(proof.minutes), 0), "–", "–")];
    if let Some(counts) = &proof.counts {
        let matched =
            format!("{} of {}", counts.matched_events, counts.recorded_events.max(counts.replayed_events));
        rows.extend([
            row("instance hours", signed_percent(counts.hours_bias), "2 %", "5 %"),
            row("count off on average (MAPE)", format!("{} %", fixed(counts.mape * 100.0, 1)), "5 %", "10 %"),
            row(
                "minutes with the exact count",
                format!("{} %", fixed(counts.exact * 100.0, 1)),
                "90 %",
                "75 %",
            ),
            row("changes within two minutes", matched, "90 %", "80 %"),
        ]);
    }
    rows.extend([
        row("mean CPU", points(proof.mean_cpu_error), "–", "–"),
        row("CPU off on average", points(proof.cpu_distance), "3 points", "5 points"),
        row("99th percentile of CPU", points(proof.peak_cpu_error), "3 points", "5 points"),
    ]);
    if proof.saturated_minutes > 0 {
        let minutes = plural(u64::from(proof.saturated_minutes), "minute");
        rows.push(row("saturated CPU, judged apart", minutes, "–", "–"));
    }
    Table::new("errors of the back-test", &["what", "error", "good up to", "fair up to"], rows)
}

fn by_day(shown: &Shown<'_>, counts: &Pairs, cpu: &Pairs) -> Table {
    let placed = |values| placed(shown, counts.start, values);
    let (recorded, replayed) = (placed(counts.recorded.clone()), placed(counts.replayed.clone()));
    let errors = placed(differences(cpu));
    let row = |(name, range): (String, std::ops::Range<usize>)| {
        let of = |values: &[Option<f64>]| part(values, &range);
        let distances: Vec<Option<f64>> = of(&errors).iter().map(|error| error.map(f64::abs)).collect();
        let hours = |values: &[Option<f64>]| fixed(sum(&of(values)) / 60.0, 1);
        vec![name, hours(&recorded), hours(&replayed), cell(mean(&of(&errors)), 2), cell(mean(&distances), 2)]
    };
    let head = ["day (UTC)", "instance hours, recorded", "replayed", "CPU off, points", "distance, points"];
    Table::new("back-test by day", &head, days(shown).into_iter().map(row).collect())
}
