//! CPU under the present and the recommended settings.

use super::{cell, cpu, day_around, days, greatest, hardest, mean, no_replay, part, span};
use crate::advice::ceiling;
use crate::documents::{RecommendationDocument, VerdictDocument};
use crate::report::Shown;
use crate::report::chart::{Axis, Chart, Mark};
use crate::report::ink::Ink;
use crate::report::section::{Missing, Picture, Section, Table};
use crate::report::words::number;
use crate::sweep::Replays;

/// A series and its name.
pub(super) type Named = (Ink, String, Vec<Option<f64>>);

pub(super) fn section(shown: &Shown<'_>) -> Section {
    let section =
        Section { id: "cpu", title: "CPU under present and recommended settings", ..Section::default() };
    let (replays, advice) = match (&shown.replays, shown.advice()) {
        (Ok(replays), Some(advice)) => (replays, advice),
        (Err(why), _) => {
            return Section { missing: vec![no_replay(why, "CPU under either settings")], ..section };
        }
        (Ok(_), None) => return section,
    };
    let series = series(replays, advice);
    let missing = missing(replays, advice);
    if series.is_empty() {
        return Section { missing, ..section };
    }
    let whole = picture(shown, advice, &series, 0..replays.traffic.len(), String::new());
    let hardest = hardest(series.iter().map(|(.., values)| values.clone())).unwrap_or(0);
    let zoomed = day_around(shown, hardest).map(|(name, range)| {
        let title = format!("{name}, minute by minute: the day with the highest CPU");
        picture(shown, advice, &series, range, title)
    });
    Section {
        said: said(advice),
        pictures: std::iter::once(whole).chain(zoomed).collect(),
        missing,
        tables: vec![table(shown, advice, &series)],
        ..section
    }
}

fn said(advice: &RecommendationDocument) -> Vec<String> {
    let held = advice.cpu_held_percent;
    let margin = if advice.cpu_ceiling_percent - held > 0.05 {
        format!(
            " Real CPU strays from it, so that a replay has to stay below {} %, for real CPU to stay below {}.",
            number(held),
            ceiling(advice)
        )
    } else {
        String::new()
    };
    vec![format!(
        "CPU of a serving instance when the recorded traffic is replayed minute by minute, as what requests cost has it.{margin}"
    )]
}

fn series(replays: &Replays, advice: &RecommendationDocument) -> Vec<Named> {
    let present =
        replays.present.as_deref().map(|rows| (Ink::Present, "present settings".to_owned(), cpu(rows)));
    let name = match advice.verdict {
        VerdictDocument::NoneHolds => "closest settings, which do not hold",
        _ => "recommended settings",
    };
    let recommended = replays.recommended.as_deref().filter(|_| advice.verdict != VerdictDocument::Keep);
    let recommended = recommended.map(|rows| (Ink::Recommended, name.to_owned(), cpu(rows)));
    present.into_iter().chain(recommended).collect()
}

fn missing(replays: &Replays, advice: &RecommendationDocument) -> Vec<Missing> {
    let mut missing = Vec::new();
    if replays.present.is_none() {
        let why = advice.present.as_ref().and_then(|present| present.not_simulated.clone());
        missing.push(match why {
            Some(why) => Missing::new(
                format!("the present settings, since they can't be replayed: {why}"),
                "A trigger on CPUUtilization can be",
            ),
            None => Missing::new(
                "the present settings, since they are not known",
                "`trellis ingest --settings settings.json` takes them in, with the output of `aws elasticbeanstalk describe-configuration-settings`",
            ),
        });
    }
    if replays.recommended.is_none() {
        let how = match advice.verdict {
            VerdictDocument::NotTrusted => "What the back-test below says has to be mended first",
            _ => "`trellis sweep` finds some where there are any",
        };
        missing.push(Missing::new("recommended settings, since there are none", how));
    }
    missing
}

fn picture(
    shown: &Shown<'_>,
    advice: &RecommendationDocument,
    series: &[Named],
    range: std::ops::Range<usize>,
    title: String,
) -> Picture {
    let from = shown.start() + range.start as f64;
    let parts: Vec<(Ink, Vec<Option<f64>>)> =
        series.iter().map(|(ink, _, values)| (*ink, part(values, &range))).collect();
    let (ceiling, held) = (advice.cpu_ceiling_percent, advice.cpu_held_percent);
    let known = parts.iter().flat_map(|(_, values)| values.iter().copied().flatten());
    let y = Axis::from_zero("CPU, percent", known.chain([ceiling * 1.05]));
    let mut marks: Vec<Mark> =
        parts.into_iter().map(|(ink, values)| Mark::Minutes { from, values, ink }).collect();
    marks.push(Mark::Across {
        at: ceiling,
        name: format!("ceiling {} %", number(ceiling)),
        ink: Ink::Limit,
        above: true,
    });
    if ceiling - held > 0.05 {
        let name = format!("replays stay below {} %", number(held));
        marks.push(Mark::Across { at: held, name, ink: Ink::Event, above: false });
    }
    let legend = series.iter().map(|(ink, name, _)| (*ink, name.clone())).collect();
    let most = |(_, name, values): &Named| {
        format!("under the {name} CPU reaches {} %", cell(greatest(&part(values, &range)), 1))
    };
    let said: Vec<String> = series.iter().map(most).collect();
    let said = format!("CPU, {}: {}; the ceiling is {} %.", span(shown), said.join(", "), number(ceiling));
    Picture { title, legend, chart: Chart { x: Axis::time(from, from + range.len() as f64), y, marks, said } }
}

fn table(shown: &Shown<'_>, advice: &RecommendationDocument, series: &[Named]) -> Table {
    let held = advice.cpu_held_percent;
    let mut head = vec!["day (UTC)".to_owned()];
    for (_, name, _) in series {
        head.extend([
            format!("{name}: mean"),
            format!("{name}: highest"),
            format!("{name}: minutes at or over {} %", number(held)),
        ]);
    }
    let row = |(name, range): (String, std::ops::Range<usize>)| {
        let mut row = vec![name];
        for (.., values) in series {
            let of_day = part(values, &range);
            let over = of_day.iter().flatten().filter(|cpu| held <= **cpu).count();
            row.extend([cell(mean(&of_day), 1), cell(greatest(&of_day), 2), over.to_string()]);
        }
        row
    };
    let rows = days(shown).into_iter().map(row).collect();
    Table { caption: "CPU by day, percent".to_owned(), head, rows }
}
