//! What came in.

use scaling::traffic::Traffic;
use scaling::units::RequestsPerMinute;

use super::{cell, days, deployed, greatest, mean, part, placed, span, sum};
use crate::report::Shown;
use crate::report::chart::{Axis, Chart, Mark};
use crate::report::ink::Ink;
use crate::report::section::{Missing, Picture, Section, Table};
use crate::report::words::{fixed, number, plural};

pub(super) fn section(shown: &Shown<'_>) -> Section {
    let section = Section { id: "traffic", title: "Traffic", ..Section::default() };
    let Some(traffic) = Traffic::recorded(&shown.evidence.samples, shown.evidence.window) else {
        let missing = Missing::new(
            "requests, since none are in the archive for this time",
            "`trellis ingest` takes them in, from AWS or from files",
        );
        return Section { missing: vec![missing], ..section };
    };
    // A record may begin late.
    let rates = traffic.requests_per_minute.iter().map(|rate| rate.map(RequestsPerMinute::get));
    let values = placed(shown, traffic.start, rates.collect());
    let gaps = gaps(shown, values.iter().filter(|value| value.is_none()).count() as u64);
    let said = format!(
        "{} requests in {}, up to {} in a minute.{gaps}",
        number(sum(&values)),
        plural(values.len() as u64, "minute"),
        number(greatest(&values).unwrap_or(0.0)),
    );
    let tables = vec![table(shown, &values)];
    let mut marks = vec![Mark::Minutes { from: shown.start(), values: values.clone(), ink: Ink::Recorded }];
    let within = deployed(shown).into_iter().filter(|(at, ..)| shown.start() <= *at && *at < shown.end());
    marks.extend(within.map(|(at, name, _)| Mark::Down { at, name, ink: Ink::Event }));
    let mut legend = vec![(Ink::Recorded, "requests per minute of the environment".to_owned())];
    if marks.len() > 1 {
        legend.push((Ink::Event, "deployments, by their number in the table of deployments".to_owned()));
    }
    let chart = Chart {
        x: Axis::time(shown.start(), shown.end()),
        y: Axis::from_zero("requests per minute", values.iter().copied().flatten()),
        marks,
        said: format!("Requests per minute, {}: {said}", span(shown)),
    };
    Section {
        said: vec![said, "Where minutes share a place, the line is their mean and the band reaches from the least to the greatest of them.".to_owned()],
        pictures: vec![Picture { title: String::new(), legend, chart }],
        tables,
        ..section
    }
}

/// Minutes that the group sleeps through by schedule, and others of which nothing is known.
fn gaps(shown: &Shown<'_>, unknown: u64) -> String {
    let advice = shown.evidence.recommendation.as_ref();
    let asleep = advice.map_or(0, |advice| advice.traffic.minutes_asleep as u64).min(unknown);
    let slept = format!(" The group sleeps through {} by schedule.", plural(asleep, "minute"));
    let holes = format!(" The requests of {} are not known.", plural(unknown - asleep, "minute"));
    let told = [(asleep, slept), (unknown - asleep, holes)].into_iter().filter(|(count, _)| 0 < *count);
    let told: String = told.map(|(_, told)| told).collect();
    if told.is_empty() { told } else { told + " These are gaps." }
}

fn table(shown: &Shown<'_>, values: &[Option<f64>]) -> Table {
    let row = |(name, range): (String, std::ops::Range<usize>)| {
        let of_day = part(values, &range);
        let missing = of_day.iter().filter(|value| value.is_none()).count();
        vec![
            name,
            fixed(sum(&of_day), 0),
            cell(mean(&of_day), 0),
            cell(greatest(&of_day), 0),
            missing.to_string(),
        ]
    };
    let head = ["day (UTC)", "requests", "mean per minute", "most in a minute", "minutes unknown"];
    Table::new("requests by day", &head, days(shown).into_iter().map(row).collect())
}
