//! The whole page: what to do at its head, then the reasons to believe it.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::section::{Section, Table, prose};
use super::words::{clock, date, fixed, number, plural, signed_percent};
use super::{Evidence, Shown, sections};
use crate::advice::{ceiling, changes, in_short, message};
use crate::documents::{
    DynamicsDocument, OutcomeDocument, RecommendationDocument, RefusalDocument, VerdictDocument,
};

/// One HTML file about the advice in `evidence`, that asks for nothing and runs no script. Whatever comes from elsewhere is
/// text in it.
pub fn page(evidence: &Evidence) -> String {
    let shown = Shown::of(evidence);
    let sections = sections::all(&shown);
    let name = evidence.environment.name();
    let main = html! {
        header {
            p.over { "Scaling of an Elastic Beanstalk environment" }
            h1 { (name) }
            (head(&shown))
            nav aria-label="Parts of this page" {
                ul { @for section in &sections { li { a href={ "#" (section.id) } { (section.title) } } } }
            }
        }
        @for section in &sections { (section.markup()) }
        (assumptions(&shown))
        footer { p { (prose(&foot(evidence))) } }
    };
    document(&format!("{name}: scaling advice"), &main)
}

/// A document that loads nothing: its policy forbids what it does not bring.
pub(super) fn document(title: &str, main: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy"
                    content="default-src 'none'; style-src 'unsafe-inline'; img-src data:";
                title { (title) }
                link rel="icon" href="data:,";
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body { main { (main) } }
        }
    };
    page.into_string()
}

fn head(shown: &Shown<'_>) -> Markup {
    let refusal = shown.evidence.refusal.as_ref();
    html! {
        @if let Some(refusal) = refusal { (refused(refusal, shown.advice())) }
        @match shown.advice() {
            Some(advice) => (advised(advice)),
            None if refusal.is_some() => {},
            None => {
                p.verdict { "No advice yet." }
                p {
                    (prose("`trellis run`, or the daily run, makes it, or says what is missing for it. Below is what is known so far."))
                }
            },
        }
    }
}

/// Why there is nothing to recommend, and what is left of what was.
fn refused(refusal: &RefusalDocument, before: Option<&RecommendationDocument>) -> Markup {
    let last = before.map(|advice| date(advice.traffic.window.end));
    html! {
        p.verdict { "No advice: " (in_short(&refusal.code)) "." }
        p.note { strong { "Why, as of " (clock(refusal.until)) ": " } (prose(refusal.reason.trim_end_matches('.'))) "." }
        p { strong { "What would help: " } (prose(&refusal.help)) }
        @match last {
            Some(last) => p { "Below is the last advice, of " (last) ". It is not confirmed." },
            None => p { "Below is what is known so far." },
        }
    }
}

fn advised(advice: &RecommendationDocument) -> Markup {
    html! {
        p.verdict { (prose(&verdict(advice))) }
        p { (prose(&trust(advice))) }
        @for finding in advice.present.iter().flat_map(|present| &present.findings) {
            p.note { strong { "About the present settings: " } (prose(finding)) "." }
        }
        div.side-by-side {
            @if let Some(table) = settings_table(advice) { (table.markup()) }
            @if let Some(table) = effect_table(advice) { (table.markup()) }
        }
        (spoken(advice))
    }
}

/// What to do, in a sentence or two.
fn verdict(advice: &RecommendationDocument) -> String {
    let ceiling = ceiling(advice);
    match advice.verdict {
        VerdictDocument::Change => {
            let count = plural(changes(advice).len() as u64, "setting");
            let which = if advice.over_cheapest.is_none() { ": the cheapest that" } else { " to" };
            format!("Change {count}{which} keep CPU under {ceiling}{}.", effect(advice))
        }
        VerdictDocument::Keep => {
            format!("Keep the settings: they hold CPU under {ceiling}, and nothing that was tried would do so for clearly less.")
        }
        VerdictDocument::NoneHolds => {
            format!("No settings that were tried keep CPU under {ceiling}. Nothing is recommended.")
        }
        VerdictDocument::NotTrusted => {
            "No settings are recommended: replayed, the environment does not come close to what it really did.".to_owned()
        }
        VerdictDocument::NotApplicable => "A single instance has no trigger: there is nothing to recommend.".to_owned(),
    }
}

fn effect(advice: &RecommendationDocument) -> String {
    let now = advice.present_outcome();
    let (Some(now), Some(then)) = (now, &advice.recommended) else { return String::new() };
    let share = then.outcome.instance_hours / now.instance_hours - 1.0;
    let over = if now.minutes_over > advice.minutes_over_allowed {
        format!(
            "; the present ones were at or over {} % in {}",
            number(advice.cpu_held_percent),
            plural(now.minutes_over.into(), "minute")
        )
    } else {
        String::new()
    };
    format!(", for {} instance hours{over}", signed_percent(share))
}

/// How far it can be trusted, with the error that was measured.
fn trust(advice: &RecommendationDocument) -> String {
    let replayed = format!(
        "Found on {} of recorded traffic, {} to {}.",
        plural(advice.traffic.minutes as u64, "minute"),
        date(advice.traffic.window.start),
        date(advice.traffic.window.end)
    );
    let Some(proof) = &advice.back_test else {
        return format!("{replayed} Unproven: nothing was recorded that a replay could be held against.");
    };
    let grade = proof.grade.said();
    let counts = proof.counts.as_ref().map_or_else(
        || "the trigger's part is unproven".to_owned(),
        |counts| format!("{} instance hours", signed_percent(counts.hours_bias)),
    );
    format!(
        "{replayed} Back-test {grade}: {counts}, CPU off by {} points on average.",
        fixed(proof.cpu_distance, 1)
    )
}

fn settings_table(advice: &RecommendationDocument) -> Option<Table> {
    let changes = changes(advice);
    if advice.verdict != VerdictDocument::Change || changes.is_empty() {
        return None;
    }
    let row = |change: &crate::advice::Change<'_>| {
        vec![change.to.option_name.clone(), change.now().to_owned(), change.to.value.clone()]
    };
    Some(Table::new("What to change", &["setting", "now", "recommended"], changes.iter().map(row).collect()))
}

fn effect_table(advice: &RecommendationDocument) -> Option<Table> {
    let now = advice.present_outcome();
    let then = advice.recommended.as_ref().map(|policy| &policy.outcome);
    let then_name = match advice.verdict {
        VerdictDocument::NoneHolds => "closest",
        _ => "recommended",
    };
    let columns: Vec<(&str, &OutcomeDocument)> = match advice.verdict {
        VerdictDocument::Keep => now.or(then).map(|now| ("now", now)).into_iter().collect(),
        _ => now.map(|now| ("now", now)).into_iter().chain(then.map(|then| (then_name, then))).collect(),
    };
    if columns.is_empty() {
        return None;
    }
    let row = |name: &str, of: &dyn Fn(&OutcomeDocument) -> String| {
        std::iter::once(name.to_owned())
            .chain(columns.iter().map(|(_, outcome)| of(outcome)))
            .collect::<Vec<String>>()
    };
    let mut rows = vec![row("instance hours", &|outcome| fixed(outcome.instance_hours, 1))];
    if let Some(price) = advice.price {
        rows.push(row("USD a month", &|outcome| {
            fixed(price.per_month(outcome.instance_hours, advice.traffic.minutes), 0)
        }));
    }
    let over = format!("minutes at or over {} %", number(advice.cpu_held_percent));
    rows.extend([
        row("mean CPU, percent", &|outcome| fixed(outcome.mean_cpu_percent, 1)),
        row("highest CPU, percent", &|outcome| fixed(outcome.max_cpu_percent, 2)),
        row(&over, &|outcome| outcome.minutes_over.to_string()),
        row("most instances", &|outcome| outcome.peak_instances.to_string()),
        row("scale-outs and scale-ins", &|outcome| {
            format!("{} and {}", outcome.scale_outs, outcome.scale_ins)
        }),
    ]);
    let mut head = vec!["over that traffic"];
    head.extend(columns.iter().map(|(name, _)| *name));
    Some(Table::new("What that does", &head, rows))
}

/// The message, as the readers get it.
fn spoken(advice: &RecommendationDocument) -> Markup {
    let message = message(advice);
    html! {
        details {
            summary { "The message, with how to apply it" }
            pre tabindex="0" role="region" aria-label="The message" { (message.subject) "\n\n" (message.body) }
        }
    }
}

/// What a replay went by.
fn assumptions(shown: &Shown<'_>) -> Markup {
    let section = Section {
        id: "assumptions",
        title: "What the replays went by",
        said: vec![
            "AWS publishes most of its rules, and Trellis follows them minute by minute; what it does not publish is assumed, or \
             found in the record."
                .to_owned(),
        ],
        ..Section::default()
    };
    let Some(with) = shown.advice().and_then(|advice| advice.replayed_with.as_ref()) else {
        return html! {};
    };
    let holds = shown.advice().map(|advice| &advice.holds_with[..]).unwrap_or_default();
    let mut tables = vec![with.table()];
    if !holds.is_empty() {
        let rows = holds.iter().map(|light| vec![light.clone(), "holds".to_owned()]).collect();
        tables.push(Table::new("in which lights the settings hold", &["light", ""], rows));
    }
    Section { tables, ..section }.markup()
}

impl DynamicsDocument {
    fn table(&self) -> Table {
        let minutes = |minutes: u32| plural(minutes.into(), "minute");
        let row = |name: &str, value: String| vec![name.to_owned(), value];
        let booting = self.booting_cpu_percent;
        let mut rows = vec![
            row(
                "CPU comes",
                if self.detailed_monitoring { "every minute" } else { "every 5 minutes" }.to_owned(),
            ),
            row(
                "an alarm sees the CPU of a minute this long after its end",
                minutes(self.metric_delay_minutes),
            ),
            row("a launch takes", minutes(self.launch_minutes)),
            row("and from in service to the first request", minutes(self.boot_minutes)),
            row(
                "a booting instance shows",
                booting.map_or("nothing".to_owned(), |cpu| format!("{} % CPU", number(cpu))),
            ),
            row("a removed instance is billed on for", minutes(self.drain_minutes)),
            row("CPU of an instance can't pass", format!("{} %", number(self.cpu_ceiling_percent))),
        ];
        if let Some(delay) = self.balancer_delay_minutes {
            let what = "an alarm sees what the load balancer reports of a minute this long after its end";
            rows.insert(2, row(what, minutes(delay)));
        }
        Table::new("delays and the like", &["what", "value"], rows)
    }
}

fn foot(evidence: &Evidence) -> String {
    let (start, end) = (clock(evidence.window.start.start()), clock(evidence.window.end.start()));
    let by = evidence
        .instances_by
        .as_ref()
        .map_or(String::new(), |series| format!(" Instances are counted by {series}."));
    format!(
        "Made by Trellis on {}, of what its archive holds from {start} to {end}.{by} Trellis changes nothing in any environment.",
        clock(evidence.made_at)
    )
}
