//! From which CPU on users wait.

use scaling::coefficient::Circumstances;
use scaling::latency::response_times;
use scaling::sample::Metric;

use super::cell;
use crate::advice::cost;
use crate::documents::KneeDocument;
use crate::report::Shown;
use crate::report::chart::{Axis, Chart, Mark};
use crate::report::ink::Ink;
use crate::report::section::{Missing, Picture, Section, Table};
use crate::report::words::{fixed, number};

pub(super) fn section(shown: &Shown<'_>) -> Section {
    let section = Section { id: "latency", title: "Response time against CPU", ..Section::default() };
    let around = Circumstances { deployments: &shown.deployments, instance_types: &[] };
    let Some((metric, times)) = response_times(&shown.evidence.samples, around) else {
        let missing = Missing::new(
            "response time, since none is in the archive for this time beside CPU and instances",
            "With an application load balancer `trellis ingest --aws` takes in TargetResponseTime; files need a column latency_p95_seconds",
        );
        return Section { missing: vec![missing], ..section };
    };
    let knee = shown.fit.and_then(|fit| fit.knee.as_ref());
    let said = match knee {
        Some(knee) => cost::response_time(knee),
        None => {
            "Response time departs from no base over the CPU that was seen: no knee was found.".to_owned()
        }
    };
    let tables = vec![table(&times)];
    Section {
        pictures: vec![picture(shown, metric, &times, knee, &said)],
        said: vec![said],
        tables,
        ..section
    }
}

fn picture(
    shown: &Shown<'_>,
    metric: Metric,
    times: &[(f64, f64)],
    knee: Option<&KneeDocument>,
    said: &str,
) -> Picture {
    // By its logarithm, in which a knee is one.
    let points: Vec<(f64, f64)> =
        times.iter().map(|(cpu, seconds)| (*cpu, (seconds * 1e3).log10())).collect();
    let x = Axis::from_zero("CPU, percent", points.iter().map(|point| point.0));
    let y = Axis::powers(&format!("{}, ms", short(metric)), points.iter().map(|point| point.1));
    let mut marks = vec![];
    if let Some(knee) = knee {
        let (low, high) = (knee.interval.low, knee.interval.high);
        let area = [low, high].map(|cpu| (cpu, y.start(), y.end())).to_vec();
        marks.push(Mark::Area { points: area, ink: Ink::Line });
        let name = format!("departs at {} %", number(knee.departs_at_percent));
        marks.push(Mark::Down { at: knee.departs_at_percent, name, ink: Ink::Line });
        let base = (knee.base_seconds * 1e3).log10();
        marks.push(Mark::Line { points: vec![(0.0, base), (knee.departs_at_percent, base)], ink: Ink::Line });
    }
    marks.insert(0, Mark::Dots { points, ink: Ink::Recorded, radius: 1 });
    let ceiling =
        shown.advice().map(|advice| advice.cpu_ceiling_percent).filter(|ceiling| *ceiling < x.end());
    let apart = |at: &f64| knee.is_none_or(|knee| (knee.departs_at_percent - at).abs() > 0.12 * x.end());
    let named = ceiling.map(|at| {
        let name = if apart(&at) { format!("ceiling {} %", number(at)) } else { String::new() };
        Mark::Down { at, name, ink: Ink::Limit }
    });
    let mut legend = vec![(Ink::Recorded, "periods".to_owned())];
    if knee.is_some() {
        legend.push((
            Ink::Line,
            "the base, and where response time departs from it, with its interval".to_owned(),
        ));
    }
    if let Some(ceiling) = ceiling {
        legend.push((Ink::Limit, format!("the ceiling, {} %", number(ceiling))));
    }
    marks.extend(named);
    Picture {
        title: String::new(),
        legend,
        chart: Chart { x, y, marks, said: format!("Response time against CPU. {said}") },
    }
}

fn short(metric: Metric) -> &'static str {
    match metric {
        Metric::LatencyP50Seconds => "median response time",
        Metric::LatencyP99Seconds => "p99 of response time",
        _ => "p95 of response time",
    }
}

/// Points of CPU percent to a row.
const STEP: f64 = 5.0;

fn table(times: &[(f64, f64)]) -> Table {
    let row = |step: u32| {
        let low = f64::from(step) * STEP;
        let mut seconds: Vec<f64> = times
            .iter()
            .filter(|(cpu, _)| low <= *cpu && *cpu < low + STEP)
            .map(|(_, seconds)| *seconds)
            .collect();
        seconds.sort_by(f64::total_cmp);
        let ms = |at: usize| cell(seconds.get(at).map(|seconds| seconds * 1e3), 0);
        let last = seconds.len().checked_sub(1)?;
        let name = format!("{low:.0} to {:.0} %", low + STEP);
        Some(vec![name, fixed(seconds.len() as f64, 0), ms(0), ms(last / 2), ms(last)])
    };
    let head = ["CPU", "periods", "least, ms", "middle, ms", "most, ms"];
    Table::new("response time by CPU", &head, (0..=20).filter_map(row).collect())
}
