//! How many instances there were, would have been, and need be.

use super::{billed, cell, cpu, day_around, days, greatest, hardest, no_replay, part, placed, span, sum};
use crate::documents::VerdictDocument;
use crate::report::Shown;
use crate::report::chart::{Axis, Chart, Mark};
use crate::report::ink::Ink;
use crate::report::section::{Missing, Picture, Section, Table};
use crate::report::words::fixed;

struct Named {
    ink: Ink,
    name: String,
    values: Vec<Option<f64>>,
}

pub(super) fn section(shown: &Shown<'_>) -> Section {
    let section = Section { id: "instances", title: "Instances", ..Section::default() };
    let (series, missing) = series(shown);
    if series.is_empty() {
        return Section { missing, ..section };
    }
    let length = (shown.end() - shown.start()).max(0.0) as usize;
    let mut pictures = vec![picture(shown, &series, 0..length, String::new())];
    let zoomed = hardest_of_replays(shown).and_then(|index| day_around(shown, index));
    pictures.extend(zoomed.map(|(name, range)| {
        picture(shown, &series, range, format!("{name}, minute by minute: the day with the highest CPU"))
    }));
    let hours = |named: &Named| format!("{} {}", fixed(sum(&named.values) / 60.0, 1), named.name);
    let hours: Vec<String> = series.iter().map(hours).collect();
    let said = vec![
        format!("Instance hours over these days: {}.", hours.join(", ")),
        "Replayed instances are those that are paid for: launching, in service or draining. Foresight is what a fleet would \
         take that knows the traffic in advance: no settings without a minute over can take less."
            .to_owned(),
    ];
    Section { said, pictures, missing, tables: vec![table(shown, &series)], ..section }
}

fn series(shown: &Shown<'_>) -> (Vec<Named>, Vec<Missing>) {
    let (mut series, mut missing) = (Vec::new(), Vec::new());
    let mut push = |ink, name: &str, values| series.push(Named { ink, name: name.to_owned(), values });
    match scaling::backtest::Record::of(&shown.evidence.samples, shown.evidence.window) {
        Some(record) => {
            let counts: Vec<Option<f64>> = record.minutes.iter().map(|minute| minute.in_service).collect();
            push(Ink::Under, "really in service", placed(shown, record.start, counts));
        }
        None => missing.push(Missing::new(
            "the instances that there really were, since no count was recorded",
            "Enable group metrics (GroupInServiceInstances), or give the column that counts them: `--column in_service=hosts`",
        )),
    }
    match (&shown.replays, shown.advice()) {
        (Ok(replays), Some(advice)) => {
            let start = replays.traffic.start;
            if let Some(rows) = &replays.present {
                push(Ink::Present, "present settings, replayed", placed(shown, start, billed(rows)));
            }
            let differs = advice.verdict != VerdictDocument::Keep || replays.present.is_none();
            if let Some(rows) = replays.recommended.as_ref().filter(|_| differs) {
                let name = match advice.verdict {
                    VerdictDocument::NoneHolds => "closest settings, replayed",
                    _ => "recommended settings, replayed",
                };
                push(Ink::Recommended, name, placed(shown, start, billed(rows)));
            }
            match &replays.fewest {
                Some(fewest) => {
                    let fewest = fewest.iter().map(|count| Some(f64::from(*count))).collect();
                    push(Ink::Bound, "with foresight", placed(shown, start, fewest));
                }
                None => missing.push(Missing::new(
                    "what a fleet with foresight would take, since the advice does not have it",
                    "`trellis sweep` works it out where some number of instances stays below the ceiling",
                )),
            }
        }
        (Err(why), _) => missing.push(no_replay(why, "replayed instances")),
        (Ok(_), None) => {}
    }
    (series, missing)
}

/// The minute with the highest CPU in any replay.
fn hardest_of_replays(shown: &Shown<'_>) -> Option<usize> {
    let replays = shown.replays.as_ref().ok()?;
    hardest([&replays.present, &replays.recommended].into_iter().flatten().map(|rows| cpu(rows)))
}

fn picture(shown: &Shown<'_>, series: &[Named], range: std::ops::Range<usize>, title: String) -> Picture {
    let from = shown.start() + range.start as f64;
    let parts: Vec<(Ink, Vec<Option<f64>>)> =
        series.iter().map(|named| (named.ink, part(&named.values, &range))).collect();
    let known = parts.iter().flat_map(|(_, values)| values.iter().copied().flatten());
    let y = Axis::from_zero("instances", known);
    // What is filled lies at the bottom.
    let (filled, lines): (Vec<_>, Vec<_>) = parts.into_iter().partition(|(ink, _)| *ink == Ink::Bound);
    let filled = filled.into_iter().map(|(ink, values)| Mark::Filled { from, values, ink });
    let marks =
        filled.chain(lines.into_iter().map(|(ink, values)| Mark::Minutes { from, values, ink })).collect();
    let most =
        |named: &Named| format!("{} up to {}", named.name, cell(greatest(&part(&named.values, &range)), 0));
    let most: Vec<String> = series.iter().map(most).collect();
    let said = format!("Instances, {}: {}.", span(shown), most.join(", "));
    let legend = series.iter().map(|named| (named.ink, named.name.clone())).collect();
    Picture { title, legend, chart: Chart { x: Axis::time(from, from + range.len() as f64), y, marks, said } }
}

fn table(shown: &Shown<'_>, series: &[Named]) -> Table {
    let mut head = vec!["day (UTC)".to_owned()];
    for named in series {
        head.extend([format!("{}: hours", named.name), format!("{}: most", named.name)]);
    }
    let row = |(name, range): (String, std::ops::Range<usize>)| {
        let mut row = vec![name];
        for named in series {
            let of_day = part(&named.values, &range);
            row.extend([fixed(sum(&of_day) / 60.0, 1), cell(greatest(&of_day), 0)]);
        }
        row
    };
    let rows = days(shown).into_iter().map(row).collect();
    Table { caption: "instance hours by day".to_owned(), head, rows }
}
