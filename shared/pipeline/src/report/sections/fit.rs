//! What the line was drawn through.

use scaling::coefficient::{Circumstances, FitRules, Use, sorted};
use scaling::observation::{LeftOut, Observation};

use crate::advice::cost;
use crate::documents::FitDocument;
use crate::report::Shown;
use crate::report::chart::{Axis, Chart, Mark};
use crate::report::ink::Ink;
use crate::report::section::{Missing, Picture, Section, Table};
use crate::report::words::{fixed, number, plural};

pub(super) fn section(shown: &Shown<'_>) -> Section {
    let section = Section { id: "fit", title: "What a request costs", ..Section::default() };
    let Some(fit) = shown.fit else {
        let missing = match shown.advice() {
            Some(_) => Missing::new(
                "the fit, since what a request costs was stated and not found",
                "`trellis refit` finds it, from samples with requests, CPU and instances",
            ),
            None => Missing::new(
                "the fit, since there is none",
                "`trellis refit` makes it, or says what is missing for it",
            ),
        };
        return Section { missing: vec![missing], ..section };
    };
    let points = points(shown, fit);
    let tables = vec![numbers(fit), left_out(fit)];
    let said = cost::sentences(fit);
    if points.is_empty() {
        let missing = Missing::new(
            "its points, since the samples that it was drawn through are not in the archive any more",
            "The next daily fit has its own",
        );
        return Section { said, missing: vec![missing], tables, ..section };
    }
    Section { said, pictures: vec![picture(shown, fit, &points)], tables, ..section }
}

/// The periods of the fit's window, and what became of them.
fn points(shown: &Shown<'_>, fit: &FitDocument) -> Vec<(Observation, Use)> {
    let Ok(window) = fit.window.window() else { return vec![] };
    let samples = &shown.evidence.samples;
    let within: Vec<_> =
        samples.iter().filter(|sample| window.contains(sample.minute_utc)).cloned().collect();
    if within.is_empty() {
        return vec![];
    }
    let around = Circumstances { deployments: &shown.deployments, instance_types: &[] };
    sorted(&within, FitRules::default(), around)
}

fn picture(shown: &Shown<'_>, fit: &FitDocument, points: &[(Observation, Use)]) -> Picture {
    let of = |wanted: &dyn Fn(Use) -> bool| -> Vec<(f64, f64)> {
        let those = points.iter().filter(|(_, found)| wanted(*found));
        those.map(|(o, _)| (o.requests_per_minute_per_instance, o.cpu_percent)).collect()
    };
    let is_earlier = |found: Use| found == Use::LeftOut(LeftOut::EarlierRegime);
    let drawn = of(&|found| found == Use::Drawn);
    let earlier = of(&is_earlier);
    let other = of(&|found| found != Use::Drawn && !is_earlier(found));
    let ceiling = shown.advice().map(|advice| advice.cpu_ceiling_percent);
    let x = Axis::from_zero(
        "requests per minute and instance",
        points
            .iter()
            .map(|(o, _)| o.requests_per_minute_per_instance)
            .chain(fit.capacity.map(|it| it.requests_per_minute)),
    );
    let cpu = points.iter().map(|(o, _)| o.cpu_percent).chain(ceiling.map(|ceiling| ceiling * 1.05));
    let y = Axis::from_zero("CPU, percent", cpu);
    let to = x.end();
    let line = |slope: f64, intercept: f64| vec![(0.0, intercept), (to, intercept + slope * to)];
    let strays = 2.0 * fit.residual_spread_percent;
    let at = |load: f64| fit.intercept_percent + fit.coefficient * load;
    let around = [0.0, to].map(|load| (load, (at(load) - strays).max(0.0), at(load) + strays));
    let mut marks = vec![
        Mark::Area { points: around.to_vec(), ink: Ink::Line },
        Mark::Dots { points: other.clone(), ink: Ink::LeftOut, radius: 1 },
        Mark::Dots { points: earlier.clone(), ink: Ink::Present, radius: 1 },
        Mark::Dots { points: drawn.clone(), ink: Ink::Recorded, radius: 1 },
    ];
    marks.extend(interval(fit).into_iter().map(|points| Mark::Line { points, ink: Ink::Event }));
    marks.push(Mark::Line { points: line(fit.coefficient, fit.intercept_percent), ink: Ink::Line });
    marks.extend(ceiling.map(|at| Mark::Across {
        at,
        name: format!("ceiling {} %", number(at)),
        ink: Ink::Limit,
        above: true,
    }));
    marks.extend(fit.ceiling.map(|level| {
        let name = format!("CPU stays near {} %", number(level.level_percent));
        Mark::Across { at: level.level_percent, name, ink: Ink::Event, above: false }
    }));
    marks.extend(fit.capacity.map(|capacity| {
        let name = format!(
            "serves {} at {} %",
            number(capacity.requests_per_minute.round()),
            number(capacity.cpu_percent)
        );
        Mark::Down { at: capacity.requests_per_minute, name, ink: Ink::Bound }
    }));
    let counted = |count: usize, what: &str| format!("{} {what}", plural(count as u64, "period"));
    let mut legend = vec![
        (Ink::Recorded, counted(drawn.len(), "that the line was drawn through")),
        (Ink::Line, "the line, and two spreads around it".to_owned()),
        (Ink::Event, "its slope at either end of the interval".to_owned()),
    ];
    if !other.is_empty() {
        legend.insert(1, (Ink::LeftOut, counted(other.len(), "left out, or too far off to count")));
    }
    if !earlier.is_empty() {
        legend.insert(1, (Ink::Present, counted(earlier.len(), "of before a request's cost changed")));
    }
    let said = format!("CPU against requests per minute and instance: {}", cost::cost(fit));
    Picture { title: String::new(), legend, chart: Chart { x, y, marks, said } }
}

/// Lines of the least and the greatest slope of the interval, through the middle of what was seen.
fn interval(fit: &FitDocument) -> Vec<Vec<(f64, f64)>> {
    let Some(confidence) = &fit.confidence else { return vec![] };
    let (least, most) = fit.load_range;
    let middle = f64::midpoint(least, most);
    let at = |load: f64| fit.intercept_percent + fit.coefficient * load;
    let tilted = |slope: f64| [least, most].map(|load| (load, at(middle) + slope * (load - middle))).to_vec();
    [confidence.coefficient.low, confidence.coefficient.high].map(tilted).to_vec()
}

fn numbers(fit: &FitDocument) -> Table {
    let row = |name: &str, value: String, interval: String| vec![name.to_owned(), value, interval];
    let between = |low: f64, high: f64, digits: usize| format!("{low:.digits$} to {high:.digits$}");
    let confidence = fit.confidence.as_ref();
    let mut rows = vec![
        row(
            "CPU percent for a request per minute",
            format!("{:.6}", fit.coefficient),
            confidence.map_or("–".to_owned(), |it| between(it.coefficient.low, it.coefficient.high, 6)),
        ),
        row(
            "CPU percent without requests",
            fixed(fit.intercept_percent, 2),
            confidence.map_or("–".to_owned(), |it| {
                between(it.intercept_percent.low, it.intercept_percent.high, 2)
            }),
        ),
        row("R²", format!("{:.4}", fit.r_squared), "–".to_owned()),
        row("spread around the line, points", fixed(fit.residual_spread_percent, 2), "–".to_owned()),
    ];
    if let Some(error) = confidence.and_then(|it| it.held_out_error_percent) {
        rows.push(row("error on days that the line had not seen, points", fixed(error, 2), "–".to_owned()));
    }
    if let Some(capacity) = fit.capacity {
        rows.push(row(
            &format!("requests per minute that an instance serves at {} %", number(capacity.cpu_percent)),
            fixed(capacity.requests_per_minute, 0),
            between(capacity.interval.low, capacity.interval.high, 0),
        ));
    }
    Table::new("the line", &["what", "value", "95 times of 100"], rows)
}

fn left_out(fit: &FitDocument) -> Table {
    let mut rows = vec![
        vec!["that the line was drawn through".to_owned(), fixed(f64::from(fit.usable), 0)],
        vec!["of these too far off to count".to_owned(), fixed(f64::from(fit.outlying), 0)],
    ];
    let left_out = fit.left_out.iter();
    rows.extend(
        left_out.map(|(reason, count)| vec![format!("left out: {reason}"), fixed(f64::from(*count), 0)]),
    );
    Table::new("what became of the periods", &["periods", "count"], rows)
}
