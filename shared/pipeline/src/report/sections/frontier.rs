//! What minutes over the ceiling would buy.

use crate::documents::{OptionDocument, OutcomeDocument, RecommendationDocument, VerdictDocument};
use crate::report::Shown;
use crate::report::chart::{Axis, Chart, Mark};
use crate::report::ink::Ink;
use crate::report::section::{Missing, Picture, Section, Table};
use crate::report::words::{fixed, number, plural};

/// Settings, by what they cost and what they dare.
struct Marked {
    name: &'static str,
    ink: Ink,
    hours: f64,
    over: u32,
    options: Vec<OptionDocument>,
}

pub(super) fn section(shown: &Shown<'_>) -> Section {
    let section = Section { id: "frontier", title: "Cost against risk", ..Section::default() };
    let none = |what: &str, how: &str| vec![Missing::new(what, how)];
    let Some(advice) = shown.advice() else {
        return Section {
            missing: none("what settings cost, since there is no advice yet", "`trellis sweep` works it out"),
            ..section
        };
    };
    if advice.frontier.is_empty() {
        let how = match advice.verdict {
            VerdictDocument::NoneHolds => {
                "There is a frontier where some settings hold: a higher ceiling, or a larger MinSize"
            }
            _ => "`trellis sweep` works it out where settings are recommended",
        };
        return Section { missing: none("the frontier, since the advice has none", how), ..section };
    }
    let marked = marked(advice);
    let held = number(advice.cpu_held_percent);
    let said = format!(
        "Each step is the cheapest of {} settings with at most so many minutes at or over {held} %. {} may be over; the fewer, \
         the dearer.",
        fixed(advice.candidates.replayed as f64, 0),
        match advice.minutes_over_allowed {
            0 => "None".to_owned(),
            minutes => plural(u64::from(minutes), "minute"),
        }
    );
    Section {
        pictures: vec![picture(advice, &marked)],
        said: vec![said],
        tables: vec![settings_table(&marked), steps_table(advice)],
        ..section
    }
}

fn marked(advice: &RecommendationDocument) -> Vec<Marked> {
    let mut marked = Vec::new();
    let mut push = |name, ink, outcome: &OutcomeDocument, options: &[OptionDocument]| {
        let (hours, over, options) = (outcome.instance_hours, outcome.minutes_over, options.to_vec());
        marked.push(Marked { name, ink, hours, over, options });
    };
    if let Some(present) = &advice.present
        && let Some(outcome) = &present.outcome
    {
        push("present", Ink::Present, outcome, &present.options);
    }
    let is_other = advice.verdict == VerdictDocument::Change;
    if let Some(recommended) = advice.recommended.as_ref().filter(|_| is_other || advice.present.is_none()) {
        push("recommended", Ink::Recommended, &recommended.outcome, &recommended.options);
    }
    if let Some(picks) = &advice.picks {
        for (name, ink, pick) in [("cheap", Ink::Event, &picks.cheap), ("safe", Ink::Line, &picks.safe)] {
            if pick.options != picks.balanced.options {
                push(name, ink, &pick.outcome, &pick.options);
            }
        }
    }
    marked
}

fn picture(advice: &RecommendationDocument, marked: &[Marked]) -> Picture {
    let steps: Vec<(f64, f64)> =
        advice.frontier.iter().map(|step| (step.instance_hours, f64::from(step.minutes_over))).collect();
    let hours = steps.iter().map(|step| step.0).chain(marked.iter().map(|it| it.hours));
    let x = Axis::around("instance hours", hours.chain(advice.fewest_instance_hours));
    let over = steps.iter().map(|step| step.1).chain(marked.iter().map(|it| f64::from(it.over)));
    let y = Axis::from_zero("minutes over", over);
    // Between two steps nothing is to be had: the line goes on at the minutes of the cheaper one.
    let mut stairs: Vec<(f64, f64)> = Vec::new();
    for step in &steps {
        if let Some(last) = stairs.last().copied() {
            stairs.push((last.0, step.1));
        }
        stairs.push(*step);
    }
    let mut marks = vec![
        Mark::Line { points: stairs, ink: Ink::Recorded },
        Mark::Dots { points: steps, ink: Ink::Recorded, radius: 2 },
    ];
    marks.extend(advice.fewest_instance_hours.map(|at| {
        let name = "with foresight".to_owned();
        Mark::Down { at, name, ink: Ink::Bound }
    }));
    for it in marked {
        let at = (it.hours, f64::from(it.over));
        marks.push(Mark::Dots { points: vec![at], ink: it.ink, radius: 5 });
    }
    for (index, it) in marked.iter().enumerate() {
        let at = (it.hours, f64::from(it.over));
        marks.push(Mark::Name {
            at,
            name: it.name.to_owned(),
            ink: it.ink,
            line: stacked(marked, index, &x, &y),
        });
    }
    let said: Vec<String> = marked
        .iter()
        .map(|it| {
            format!(
                "{}: {} hours and {} over",
                it.name,
                fixed(it.hours, 1),
                plural(u64::from(it.over), "minute")
            )
        })
        .collect();
    let mut legend = vec![(Ink::Recorded, "the cheapest settings with so few minutes over".to_owned())];
    legend.extend(
        marked
            .iter()
            .map(|it| (it.ink, format!("{}, {} hours, {} over", it.name, fixed(it.hours, 1), it.over))),
    );
    if let Some(fewest) = advice.fewest_instance_hours {
        legend.push((
            Ink::Bound,
            format!("no settings without a minute over take less: {} hours", fixed(fewest, 1)),
        ));
    }
    let said = format!("Instance hours against minutes over. {}.", said.join("; "));
    Picture { title: String::new(), legend, chart: Chart { x, y, marks, said } }
}

/// How many names before it stand near to the place of this one: names of near places go above each other.
fn stacked(marked: &[Marked], index: usize, x: &Axis, y: &Axis) -> u32 {
    let near = |a: &Marked, b: &Marked| {
        (a.hours - b.hours).abs() < 0.15 * (x.end() - x.start())
            && (f64::from(a.over) - f64::from(b.over)).abs() < 0.15 * (y.end() - y.start())
    };
    marked[..index].iter().filter(|other| near(other, &marked[index])).count() as u32
}

fn settings_table(marked: &[Marked]) -> Table {
    let mut names: Vec<&str> = Vec::new();
    for option in marked.iter().flat_map(|it| &it.options) {
        if !names.contains(&option.option_name.as_str()) {
            names.push(&option.option_name);
        }
    }
    let mut head = vec!["setting".to_owned()];
    head.extend(marked.iter().map(|it| it.name.to_owned()));
    let value = |it: &Marked, name: &str| {
        let option = it.options.iter().find(|option| option.option_name == name);
        option.map_or("–".to_owned(), |option| option.value.clone())
    };
    let row = |name: &str| {
        std::iter::once(name.to_owned()).chain(marked.iter().map(|it| value(it, name))).collect()
    };
    let mut rows: Vec<Vec<String>> = names.into_iter().map(row).collect();
    let outcome = |name: &str, of: &dyn Fn(&Marked) -> String| {
        std::iter::once(name.to_owned()).chain(marked.iter().map(of)).collect::<Vec<String>>()
    };
    rows.push(outcome("instance hours", &|it| fixed(it.hours, 1)));
    rows.push(outcome("minutes over", &|it| it.over.to_string()));
    Table { caption: "settings to choose from".to_owned(), head, rows }
}

fn steps_table(advice: &RecommendationDocument) -> Table {
    let row = |step: &crate::documents::FrontierStepDocument| {
        let named =
            step.options.iter().filter(|option| option.namespace != "aws:elasticbeanstalk:environment");
        let named: Vec<String> = named
            .filter(|option| !matches!(option.option_name.as_str(), "MeasureName" | "Statistic" | "Unit"))
            .map(|option| format!("{} {}", option.option_name, option.value))
            .collect();
        vec![fixed(step.instance_hours, 1), step.minutes_over.to_string(), named.join(", ")]
    };
    let rows = advice.frontier.iter().map(row).collect();
    Table::new("steps of the frontier", &["instance hours", "minutes over", "settings"], rows)
}
