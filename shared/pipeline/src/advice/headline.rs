//! The one line that says it all: in the subject, and at the top of the text.

use super::{Change, MOST_OF_SUBJECT, changes, cost, in_short, plural, subject_line};
use crate::documents::{Kind, OutcomeDocument, RecommendationDocument, TrustBefore, VerdictDocument};
use crate::news::{News, Word};

/// What there is to tell, in a line: `web-prod: scale out by 2 at 15 %, not by 1 at 25 %: 31 % fewer instance-hours, …`
pub fn headline(news: &News) -> String {
    let longest = lines(news).into_iter().next().unwrap_or_default();
    format!("{}: {longest}", news.environment)
}

/// The same as a subject: as much of it as fits.
pub(super) fn subject(news: &News) -> String {
    let all = lines(news);
    let whole = |line: &String| format!("{}: {line}", news.environment);
    let fits = |line: &String| line.chars().count() <= MOST_OF_SUBJECT;
    let fitting = all.iter().map(whole).find(fits);
    let shortest = || cut(&news.environment, all.last().map_or("", String::as_str));
    subject_line(&fitting.unwrap_or_else(shortest))
}

/// A name that leaves no room for what matters is cut.
fn cut(name: &str, line: &str) -> String {
    let room = MOST_OF_SUBJECT.saturating_sub(line.chars().count() + "...: ".len());
    let start: String = name.chars().take(room).collect();
    format!("{start}...: {line}")
}

/// From the longest to the shortest, without the environment's name.
fn lines(news: &News) -> Vec<String> {
    match &news.word {
        Word::Refused(refusal) if news.kind == Kind::InvalidSettings => {
            vec![
                format!("the present settings can't work: {}", refusal.reason.trim_end_matches('.')),
                "the present settings can't be read".into(),
            ]
        }
        Word::Refused(refusal) => vec![format!("no advice: {}", in_short(&refusal.code)), "no advice".into()],
        Word::Advice(advice) => {
            let dearer = dearer(advice).filter(|_| news.kind != Kind::TrustLost);
            let dearer = dearer.map_or(String::new(), |dearer| format!("{dearer}: "));
            of_advice(news, advice).into_iter().map(|line| format!("{dearer}{line}")).collect()
        }
    }
}

/// That requests cost something else since a moment that was seen.
fn dearer(advice: &RecommendationDocument) -> Option<String> {
    let drift = advice.model.fit.as_deref()?.drift.filter(|drift| drift.exact)?;
    Some(format!("requests cost {}", cost::more(drift.share)))
}

fn of_advice(news: &News, advice: &RecommendationDocument) -> Vec<String> {
    match news.kind {
        Kind::Change => change(advice),
        Kind::InvalidSettings => invalid(advice),
        Kind::Keep => vec![
            format!("nothing to change: the settings hold {}, none is clearly cheaper", held(advice)),
            "nothing to change".into(),
        ],
        Kind::NoneHolds => none_holds(advice),
        Kind::NotTrusted => vec![
            "no advice: the replay does not match what really happened".into(),
            "no advice: not trusted".into(),
        ],
        Kind::TrustLost => trust_lost(news, advice),
        Kind::NotApplicable => vec!["a single instance has no trigger to advise on".into()],
        Kind::NoAdvice => vec!["no advice".into()],
    }
}

/// What settings are asked to hold, in words: `50 % CPU`, or `50 % CPU in all but 3 minutes`.
pub(super) fn held(advice: &RecommendationDocument) -> String {
    format!("{} % CPU{}", advice.cpu_ceiling_percent, super::in_all_but(advice))
}

fn none_holds(advice: &RecommendationDocument) -> Vec<String> {
    let short = format!("no scaling settings hold {}", held(advice));
    let over = advice.recommended.as_ref().map(|closest| closest.outcome.minutes_over);
    let over = over.filter(|over| 0 < *over).map(|over| plural(u64::from(over), "minute"));
    // Counted are those that come up to what a replay has to stay under.
    let held = advice.cpu_held_percent;
    let long = over.map(|over| format!("{short}, the closest is at {held:.1} % or over for {over}"));
    long.into_iter().chain([short]).collect()
}

fn trust_lost(news: &News, advice: &RecommendationDocument) -> Vec<String> {
    let what = dearer(advice).unwrap_or_else(|| {
        let grade = news.confidence.said();
        news.trust_before
            .map_or(format!("the back-test is {grade}"), |TrustBefore { confidence: was, .. }| {
                format!("the back-test is {grade}, and was {}", was.word())
            })
    });
    let so = match advice.verdict {
        VerdictDocument::NotTrusted => "no advice until it is understood",
        VerdictDocument::NoneHolds => "no settings hold any more",
        _ => "the settings hold all the same",
    };
    vec![format!("trust lost: {what}; {so}"), format!("trust lost: {what}"), "trust lost".into()]
}

fn invalid(advice: &RecommendationDocument) -> Vec<String> {
    let broken = advice.broken().first();
    let short = "the present settings can't work as meant".to_owned();
    let long = broken.map(|finding| format!("the present settings can't work: {finding}"));
    long.into_iter().chain([short]).collect()
}

fn change(advice: &RecommendationDocument) -> Vec<String> {
    let phrases = phrases(&changes(advice));
    let total: usize = phrases.iter().map(|phrase| phrase.options).sum();
    let first = |count: usize| -> String {
        let (said, rest) = phrases.split_at(count.min(phrases.len()));
        let said: Vec<&str> = said.iter().map(|phrase| phrase.text.as_str()).collect();
        let rest: usize = rest.iter().map(|phrase| phrase.options).sum();
        let more = if rest == 0 { String::new() } else { format!(", and {rest} more") };
        format!("{}{more}", said.join(", "))
    };
    let whole = effect(advice);
    let in_all = format!("change {}", plural(total as u64, "setting"));
    let mut lines: Vec<String> = match phrases.len() {
        2 => vec![format!("{}: {whole}", first(2))],
        _ => vec![],
    };
    lines.extend([
        format!("{}: {whole}", first(1)),
        format!("{in_all}: {whole}"),
        format!("{in_all}: {}", hours(advice)),
        in_all,
    ]);
    lines
}

/// Some changes in words, and how many options they are.
struct Phrase {
    text: String,
    options: usize,
}

/// What changes, the most telling first.
fn phrases(changes: &[Change<'_>]) -> Vec<Phrase> {
    let changed = Changed(changes);
    let all = [
        changed.measure(),
        changed.step("scale out", "UpperThreshold", "UpperBreachScaleIncrement"),
        changed.step("scale in", "LowerThreshold", "LowerBreachScaleIncrement"),
        changed.plain("MinSize", "MinSize", ""),
        changed.plain("MaxSize", "MaxSize", ""),
        changed.alarms(),
        changed.plain("Cooldown", "cooldown of", " s"),
        changed.unit(),
    ];
    all.into_iter().flatten().collect()
}

struct Changed<'a>(&'a [Change<'a>]);

impl Changed<'_> {
    fn named(&self, name: &str) -> Option<&Change<'_>> {
        self.0.iter().find(|change| change.to.option_name == name)
    }

    fn count(&self, names: &[&str]) -> usize {
        names.iter().filter(|name| self.named(name).is_some()).count()
    }

    /// A number without its sign, which the words around it say.
    fn to(&self, name: &str) -> Option<&str> {
        self.named(name).map(|change| change.to.value.trim_start_matches('-'))
    }

    fn from(&self, name: &str) -> Option<&str> {
        self.named(name)?.from.map(|value| value.trim_start_matches('-'))
    }

    fn not(old: Option<&str>) -> String {
        old.map_or(String::new(), |old| format!(", not {old}"))
    }

    fn is_of_another_measure(&self) -> bool {
        0 < self.count(&["MeasureName", "Statistic"])
    }

    fn measure(&self) -> Option<Phrase> {
        let options = self.count(&["MeasureName", "Statistic", "Unit"]);
        let new = self.to("MeasureName").unwrap_or("average CPU");
        let old = self.from("MeasureName").or(self.from("Statistic"));
        let text = format!("trigger on {new}{}", Self::not(old));
        self.is_of_another_measure().then_some(Phrase { text, options })
    }

    /// By itself it changes nothing that was replayed.
    fn unit(&self) -> Option<Phrase> {
        self.plain("Unit", "unit", "").filter(|_| !self.is_of_another_measure())
    }

    fn step(&self, way: &str, threshold: &str, increment: &str) -> Option<Phrase> {
        let options = self.count(&[threshold, increment]);
        let side = |by: Option<&str>, at: Option<&str>| match (by, at) {
            (Some(by), Some(at)) => format!("by {by} at {at} %"),
            (Some(by), None) => format!("by {by}"),
            (None, Some(at)) => format!("at {at} %"),
            (None, None) => String::new(),
        };
        // What the thresholds of another measure are says nothing beside these.
        let old_threshold = self.from(threshold).filter(|_| !self.is_of_another_measure());
        let old = side(self.from(increment), old_threshold);
        // One word is enough where only one thing changes.
        let old = if options == 1 { old.trim_start_matches("at ").trim_start_matches("by ") } else { &old };
        let old = Some(old).filter(|old| !old.is_empty());
        let text = format!("{way} {}{}", side(self.to(increment), self.to(threshold)), Self::not(old));
        (0 < options).then_some(Phrase { text, options })
    }

    fn alarms(&self) -> Option<Phrase> {
        let options = self.count(&["Period", "EvaluationPeriods", "BreachDuration"]);
        let text = self.to("BreachDuration").map_or("other periods".to_owned(), |new| {
            format!("alarm after {new} min{}", Self::not(self.from("BreachDuration")))
        });
        (0 < options).then_some(Phrase { text, options })
    }

    fn plain(&self, name: &str, words: &str, unit: &str) -> Option<Phrase> {
        let text = format!("{words} {}{unit}{}", self.to(name)?, Self::not(self.from(name)));
        Some(Phrase { text, options: 1 })
    }
}

/// What a change does, in a few words.
fn effect(advice: &RecommendationDocument) -> String {
    let Some(then) = advice.recommended.as_ref().map(|policy| &policy.outcome) else { return String::new() };
    let now = advice.present_outcome();
    let over = now.filter(|now| advice.minutes_over_allowed < now.minutes_over);
    let instead = over.map_or(String::new(), |now| format!(", not {:.0} %", now.max_cpu_percent));
    format!("{}, peak CPU {} %{instead}", hours(advice), peak(then, advice.cpu_ceiling_percent))
}

/// Rounded, but not up to the ceiling that it stays under.
fn peak(outcome: &OutcomeDocument, ceiling: f64) -> String {
    let percent = outcome.max_cpu_percent;
    let reaches = percent < ceiling && ceiling <= percent.round();
    if reaches { super::hundredths_below(percent, ceiling) } else { format!("{percent:.0}") }
}

fn hours(advice: &RecommendationDocument) -> String {
    let Some(then) = advice.recommended.as_ref().map(|policy| &policy.outcome) else { return String::new() };
    match advice.present_outcome() {
        None => format!("{:.0} instance-hours", then.instance_hours),
        Some(now) => {
            let percent = (then.instance_hours / now.instance_hours - 1.0) * 100.0;
            match percent.abs() {
                same if same < 0.5 => "the same instance-hours".to_owned(),
                percent_less if percent < 0.0 => format!("{percent_less:.0} % fewer instance-hours"),
                percent_more => format!("{percent_more:.0} % more instance-hours"),
            }
        }
    }
}
