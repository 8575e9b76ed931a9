//! What a request cost over time, and what was deployed meanwhile.

use super::deployed;
use crate::documents::FitDocument;
use crate::report::chart::{Axis, Chart, Mark};
use crate::report::ink::Ink;
use crate::report::section::{Missing, Picture, Section, Table};
use crate::report::words::{clock, date, minutes_of, plural};
use crate::report::{HISTORY_DAYS, Shown};

pub(super) fn section(shown: &Shown<'_>) -> Section {
    let section = Section { id: "history", title: "What a request cost over time", ..Section::default() };
    let fits = &shown.evidence.fits;
    let deployed = deployed(shown);
    let tables = vec![fits_table(fits), deployments_table(shown)];
    let mut missing = vec![];
    if deployed.is_empty() {
        missing.push(Missing::new(
            format!("deployments, since none of the last {HISTORY_DAYS} days is in the archive"),
            "`trellis ingest --aws` takes in Elastic Beanstalk's events, with their application versions",
        ));
    }
    if fits.len() < 2 {
        let have = if fits.is_empty() { "no fit".to_owned() } else { "one fit".to_owned() };
        missing.push(Missing::new(
            format!("the coefficient over time, since there is {have} in the archive"),
            "Each day's `trellis refit` adds one; a second makes a line",
        ));
        return Section { missing, tables, ..section };
    }
    let said = format!(
        "The coefficient by each of the last {}, with its interval (95 times of 100).{}",
        plural(fits.len() as u64, "fit"),
        changes(fits)
    );
    let pictures = vec![picture(shown, fits, &deployed)];
    Section { said: vec![said], pictures, missing, tables, ..section }
}

/// The changes that were seen, each once.
fn changes(fits: &[FitDocument]) -> String {
    let mut seen: Vec<String> = Vec::new();
    for drift in fits.iter().filter_map(|fit| fit.drift) {
        let text = format!(
            " Since {} a request costs {} than before.",
            clock(drift.since),
            crate::advice::cost::more(drift.share)
        );
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    seen.concat()
}

fn picture(
    shown: &Shown<'_>,
    fits: &[FitDocument],
    deployed: &[(f64, String, &crate::activity::Activity)],
) -> Picture {
    let at = |fit: &FitDocument| minutes_of(fit.window.end);
    let line: Vec<(f64, f64)> = fits.iter().map(|fit| (at(fit), fit.coefficient)).collect();
    let intervals = fits.iter().filter_map(|fit| Some((at(fit), fit.confidence.as_ref()?.coefficient)));
    let intervals: Vec<(f64, f64, f64)> = intervals.map(|(at, it)| (at, it.low, it.high)).collect();
    let (first, last) = (line[0].0, line[line.len() - 1].0);
    let x = Axis::time(first - 720.0, last + 720.0);
    let values = line.iter().map(|point| point.1).chain(intervals.iter().flat_map(|it| [it.1, it.2]));
    let y = Axis::around("CPU percent for a request per minute", values);
    let within = |place: f64| x.start() <= place && place <= x.end();
    let mut marks = vec![];
    let drifts: Vec<f64> =
        fits.iter().filter_map(|fit| Some(minutes_of(fit.drift.filter(|it| it.exact)?.since))).collect();
    let latest = drifts.iter().copied().rfind(|place| within(*place));
    marks.extend(latest.map(|at| Mark::Down { at, name: "cost changed".to_owned(), ink: Ink::Limit }));
    let deployed = deployed.iter().filter(|(at, ..)| within(*at));
    marks.extend(deployed.map(|(at, name, _)| Mark::Down { at: *at, name: name.clone(), ink: Ink::Event }));
    let whiskers = intervals.iter().map(|(at, low, high)| vec![(*at, *low), (*at, *high)]);
    marks.extend(whiskers.map(|points| Mark::Line { points, ink: Ink::Line }));
    marks.push(Mark::Line { points: line.clone(), ink: Ink::Line });
    marks.push(Mark::Dots { points: line, ink: Ink::Line, radius: 3 });
    let mut legend = vec![(Ink::Line, "the coefficient, and its interval".to_owned())];
    if marks.iter().any(|mark| matches!(mark, Mark::Down { ink: Ink::Event, .. })) {
        legend.push((Ink::Event, "deployments, by their number in the table of deployments".to_owned()));
    }
    if latest.is_some() {
        legend.push((Ink::Limit, "the last change of cost that was seen".to_owned()));
    }
    let newest = &fits[fits.len() - 1];
    let said = format!(
        "The coefficient of {} fits; the newest is {:.6} for the days up to {}.",
        fits.len(),
        newest.coefficient,
        date(shown.evidence.window.end.start())
    );
    Picture { title: String::new(), legend, chart: Chart { x, y, marks, said } }
}

fn fits_table(fits: &[FitDocument]) -> Table {
    let row = |fit: &FitDocument| {
        let interval = fit.confidence.as_ref().map(|it| it.coefficient);
        let drift = fit.drift.map_or("–".to_owned(), |drift| {
            format!("{} since {}", crate::advice::cost::more(drift.share), clock(drift.since))
        });
        vec![
            date(fit.window.end),
            format!("{:.6}", fit.coefficient),
            interval.map_or("–".to_owned(), |it| format!("{:.6} to {:.6}", it.low, it.high)),
            format!("{:.3}", fit.r_squared),
            drift,
        ]
    };
    let head = ["days up to", "coefficient", "95 times of 100", "R²", "change of cost"];
    Table::new("fits", &head, fits.iter().map(row).collect())
}

fn deployments_table(shown: &Shown<'_>) -> Table {
    let row = |(_, name, activity): (f64, String, &crate::activity::Activity)| {
        vec![
            name,
            clock(activity.start),
            activity.end.map_or("not over".to_owned(), clock),
            if activity.successful { "yes" } else { "no" }.to_owned(),
            activity.cause.clone(),
        ]
    };
    let head = ["number", "from", "until", "worked", "what Elastic Beanstalk said (application version)"];
    Table::new("deployments", &head, deployed(shown).into_iter().map(row).collect())
}
