//! What past advice promised, and what was observed since its settings were adopted.

use jiff::Timestamp;
use scaling::backtest::Record;
use scaling::units::{MinuteUtc, Window};

use super::Shown;
use super::chart::{Axis, Chart, Mark};
use super::ink::Ink;
use super::section::{Missing, Picture, Section, Table};
use super::words::{date, fixed, minutes_of, plural};
use crate::advice::{but_for, lacking};
use crate::documents::{OptionDocument, RecommendationDocument, SettingsDocument, VerdictDocument, options};

/// An advice, from when it was first given.
struct Entry<'a> {
    advice: &'a RecommendationDocument,
    given: Timestamp,
    /// How many days in a row it was given.
    days: usize,
    adopted: Option<Adopted>,
}

/// Settings in force that an advice had asked for.
struct Adopted {
    at: Timestamp,
    /// When other settings took their place, if they did.
    until: Option<Timestamp>,
    /// What of the advice was left at the last, though a replay takes no notice of it.
    but_for: String,
    observed: Option<Observed>,
}

impl Adopted {
    fn in_words(&self) -> String {
        let until = self.until.map_or(String::new(), |until| format!(" to {}", date(until)));
        format!("{}{until}{}", date(self.at), self.but_for)
    }
}

/// What really happened under them, as far as the window of the page goes.
struct Observed {
    hours_per_day: f64,
    days: f64,
    highest_cpu_percent: Option<f64>,
    /// Minutes with CPU at or over the ceiling.
    minutes_over: usize,
    requests_per_day: f64,
}

const HEAD: [&str; 9] = [
    "given",
    "advice",
    "promised hours a day",
    "highest CPU %",
    "adopted",
    "observed hours a day",
    "highest CPU %",
    "minutes at the ceiling",
    "requests a day since",
];

pub(super) fn section(shown: &Shown<'_>) -> Section {
    let section = Section { id: "ledger", title: "Past advice: promised and observed", ..Section::default() };
    let entries = entries(shown);
    if entries.is_empty() {
        let missing =
            Missing::new("past advice, since there is none in the archive", "Each day's advice adds to it");
        return Section { missing: vec![missing], ..section };
    }
    let said = vec![format!(
        "{} in {}. An advice counts as adopted when the environment's settings become the advised ones; what was left \
         otherwise is named, where a replay takes no notice of it and AWS may. Promised is \
         what the replay of the traffic before the advice came to, and observed what was recorded since: other traffic, so that the \
         requests are told beside it.",
        plural(entries.len() as u64, "advice").replace("advices", "pieces of advice"),
        plural(super::HISTORY_DAYS.into(), "day"),
    )];
    let tables = vec![Table::new("past advice", &HEAD, entries.iter().map(row).collect())];
    let adopted = entries.iter().rev().find_map(|entry| Some((entry, entry.adopted.as_ref()?)));
    match adopted.filter(|(_, adopted)| adopted.observed.is_some()) {
        Some((entry, adopted)) => {
            Section { said, pictures: vec![picture(shown, entry, adopted)], tables, ..section }
        }
        None => {
            let missing = Missing::new(
                "promised against observed, since none of the advised settings has been in force in these days",
                "Apply an advice, and let `trellis ingest` (or the hourly run) see the settings: what follows is told here",
            );
            Section { said, missing: vec![missing], tables, ..section }
        }
    }
}

/// Equal advice of days in a row is one.
fn entries<'a>(shown: &Shown<'a>) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    for advice in &shown.evidence.past {
        match entries.last_mut() {
            Some(last) if last.advice.advice_id == advice.advice_id => last.days += 1,
            _ => {
                let given = advice.traffic.window.end;
                entries.push(Entry { advice, given, days: 1, adopted: adopted(shown, advice, given) });
            }
        }
    }
    entries
}

fn adopted(shown: &Shown<'_>, advice: &RecommendationDocument, given: Timestamp) -> Option<Adopted> {
    if advice.verdict != VerdictDocument::Change {
        return None;
    }
    let wanted = &advice.recommended.as_ref()?.options;
    let settings = &shown.evidence.settings;
    let place = settings.iter().position(|document| given <= document.since && makes(document, wanted))?;
    let at = settings[place].since;
    let mut others = settings[place..].iter().skip_while(|document| makes(document, wanted));
    let until = others.next().map(|document| document.since);
    let last = settings[place..].iter().take_while(|document| makes(document, wanted)).last()?;
    let but_for = but_for(&lacking(wanted, &last.options));
    Some(Adopted { at, until, but_for, observed: observed(shown, advice, at, until) })
}

/// Whether settings are those that were advised, for all that a replay takes notice of.
fn makes(document: &SettingsDocument, wanted: &[OptionDocument]) -> bool {
    let policy = document.settings().ok().and_then(|settings| settings.policy().ok());
    policy.is_some_and(|policy| options(&policy) == wanted)
}

fn observed(
    shown: &Shown<'_>,
    advice: &RecommendationDocument,
    at: Timestamp,
    until: Option<Timestamp>,
) -> Option<Observed> {
    let whole = shown.evidence.window;
    let minute = |instant| MinuteUtc::containing(instant).ok();
    let end = until.and_then(minute).map_or(whole.end, |end| end.min(whole.end));
    let window = Window { start: minute(at)?.max(whole.start), end };
    let record = Record::of(&shown.evidence.samples, window)?;
    let known: Vec<f64> = record.minutes.iter().filter_map(|minute| minute.in_service).collect();
    let cpu: Vec<f64> = record.minutes.iter().filter_map(|minute| minute.cpu_percent).collect();
    let requests: f64 = record.minutes.iter().filter_map(|minute| minute.requests).sum();
    let days = known.len() as f64 / 1440.0;
    // Less than a day is of some hour of it.
    (1.0 <= days).then(|| Observed {
        hours_per_day: known.iter().sum::<f64>() / 60.0 / days,
        days,
        highest_cpu_percent: cpu.iter().copied().max_by(f64::total_cmp),
        minutes_over: cpu.iter().filter(|cpu| advice.cpu_ceiling_percent <= **cpu).count(),
        requests_per_day: requests / (record.minutes.len() as f64 / 1440.0),
    })
}

/// Promised instance hours of a day.
fn promised(advice: &RecommendationDocument) -> Option<f64> {
    let outcome = &advice.recommended.as_ref()?.outcome;
    Some(outcome.instance_hours / (advice.traffic.minutes as f64 / 1440.0))
}

fn row(entry: &Entry<'_>) -> Vec<String> {
    let Entry { advice, given, days, adopted } = entry;
    let dash = || "–".to_owned();
    let days = if *days > 1 { format!(" ({days} days in a row)") } else { String::new() };
    let promises = matches!(advice.verdict, VerdictDocument::Change | VerdictDocument::Keep);
    let outcome = advice.recommended.as_ref().filter(|_| promises).map(|policy| &policy.outcome);
    let observed = adopted.as_ref().and_then(|adopted| adopted.observed.as_ref());
    let adopted_at = match (adopted, advice.verdict) {
        (Some(adopted), _) => adopted.in_words(),
        (None, VerdictDocument::Change) => "not yet".to_owned(),
        (None, _) => dash(),
    };
    vec![
        format!("{}{days}", date(*given)),
        word(advice),
        outcome.and_then(|_| promised(advice)).map_or_else(dash, |hours| fixed(hours, 1)),
        outcome.map_or_else(dash, |outcome| fixed(outcome.max_cpu_percent, 1)),
        adopted_at,
        observed.map_or_else(dash, |it| {
            format!("{} (over {} days)", fixed(it.hours_per_day, 1), fixed(it.days, 1))
        }),
        observed.and_then(|it| it.highest_cpu_percent).map_or_else(dash, |cpu| fixed(cpu, 1)),
        observed.map_or_else(dash, |it| it.minutes_over.to_string()),
        observed.map_or_else(dash, |it| fixed(it.requests_per_day, 0)),
    ]
}

/// An advice in a few words.
pub(super) fn word(advice: &RecommendationDocument) -> String {
    match advice.verdict {
        VerdictDocument::Change => {
            let changes = crate::advice::changes(advice);
            let named: Vec<String> = changes
                .iter()
                .map(|change| format!("{} {}", change.to.option_name, change.to.value))
                .collect();
            named.join(", ")
        }
        VerdictDocument::Keep => "keep the settings".to_owned(),
        VerdictDocument::NoneHolds => "no settings hold".to_owned(),
        VerdictDocument::NotTrusted => "no advice: the replay is not trusted".to_owned(),
        VerdictDocument::NotApplicable => "no advice: a single instance has no trigger".to_owned(),
    }
}

fn picture(shown: &Shown<'_>, entry: &Entry<'_>, adopted: &Adopted) -> Picture {
    let record = Record::of(&shown.evidence.samples, shown.evidence.window);
    let (from, counts) = record.map_or((shown.start(), vec![]), |record| {
        let counts = record.minutes.iter().map(|minute| minute.in_service).collect::<Vec<_>>();
        (record.start.epoch_minutes() as f64, counts)
    });
    let days: Vec<(f64, f64)> = counts
        .chunks(1440)
        .enumerate()
        .filter_map(|(day, counts)| {
            let known: Vec<f64> = counts.iter().copied().flatten().collect();
            let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
            (known.len() >= 720).then_some((from + day as f64 * 1440.0 + 720.0, mean * 24.0))
        })
        .collect();
    let promised = promised(entry.advice).unwrap_or(0.0);
    let y = Axis::from_zero("instance hours a day", days.iter().map(|day| day.1).chain([promised]));
    let since = minutes_of(adopted.at).max(shown.start());
    let until = adopted.until.map_or(shown.end(), minutes_of).min(shown.end());
    let marks = vec![
        Mark::Line { points: days.clone(), ink: Ink::Recorded },
        Mark::Dots { points: days, ink: Ink::Recorded, radius: 3 },
        Mark::Line { points: vec![(since, promised), (until, promised)], ink: Ink::Recommended },
        Mark::Down { at: since, name: "adopted".to_owned(), ink: Ink::Event },
    ];
    let legend = vec![
        (Ink::Recorded, "instance hours really, day by day".to_owned()),
        (Ink::Recommended, "promised, since the settings were adopted".to_owned()),
    ];
    let said = format!(
        "Instance hours a day: {} were promised with the settings adopted on {}.",
        fixed(promised, 1),
        date(adopted.at)
    );
    let x = Axis::time(shown.start(), shown.end());
    Picture { title: String::new(), legend, chart: Chart { x, y, marks, said } }
}
