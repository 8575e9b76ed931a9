//! What changed between two pieces of advice, and why.

use serde::Serialize;

use super::{
    apply, but_for, changes, cost, day, headline, in_force, lacking, means_the_same, plural, reasons::steps,
    value_of,
};
use crate::documents::{
    Confidence, FitDocument, OptionDocument, OutcomeDocument, RecommendationDocument, SCHEMA_VERSION,
    VerdictDocument, WindowDocument,
};

/// What changed from one advice to a later one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DifferenceDocument {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The environment.
    pub environment: String,
    /// The traffic by which the first was given, and that of the second.
    pub windows: [WindowDocument; 2],
    /// What each said to do.
    pub verdicts: [VerdictDocument; 2],
    /// Options to which other values were advised.
    pub recommended: Vec<OptionDifference>,
    /// Options that the one said to set, and the other not, or to another value.
    pub to_set: Vec<OptionDifference>,
    /// Options that have other values in force, since somebody has set them in between, whether a replay takes notice of them
    /// or not.
    pub present: Vec<OptionDifference>,
    /// Numbers, those that changed and those that did not.
    pub numbers: Vec<NumberDifference>,
    /// Why, in sentences, the weightiest first.
    pub why: Vec<String>,
}

/// An option that has another value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptionDifference {
    /// For instance `aws:autoscaling:trigger`.
    pub namespace: String,
    /// For instance `UpperThreshold`.
    pub option_name: String,
    /// Before.
    pub before: Option<String>,
    /// After.
    pub after: Option<String>,
}

impl OptionDifference {
    fn of(option: &OptionDocument, before: Option<&str>, after: Option<&str>) -> Self {
        Self {
            namespace: option.namespace.clone(),
            option_name: option.option_name.clone(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        }
    }

    fn is_of(&self, option: &OptionDocument) -> bool {
        (&self.namespace, &self.option_name) == (&option.namespace, &option.option_name)
    }
}

/// A number before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NumberDifference {
    /// What it is, with its unit.
    pub what: &'static str,
    /// Before.
    pub before: Option<f64>,
    /// After.
    pub after: Option<f64>,
    /// Digits after the point that are worth showing.
    #[serde(skip)]
    pub digits: usize,
}

impl NumberDifference {
    /// By how much more it is, as a share.
    pub fn share(&self) -> Option<f64> {
        let (before, after) = (self.before?, self.after?);
        (before != 0.0).then(|| after / before - 1.0)
    }
}

type Pair<'a> = [&'a RecommendationDocument; 2];

/// What changed from `before` to `after`.
pub fn difference(before: &RecommendationDocument, after: &RecommendationDocument) -> DifferenceDocument {
    let pair = [before, after];
    let advised = pair.map(|advice| advice.recommended.as_ref().map_or(&[][..], |policy| &policy.options));
    let to_set = pair.map(patch);
    DifferenceDocument {
        schema_version: SCHEMA_VERSION,
        environment: after.environment.clone(),
        windows: pair.map(|advice| advice.traffic.window),
        verdicts: pair.map(|advice| advice.verdict),
        recommended: options(advised, value_of),
        to_set: options([&to_set[0], &to_set[1]], value_of),
        present: in_between(pair),
        numbers: numbers(pair),
        why: why(pair),
    }
}

/// What an advice said to set.
fn patch(advice: &RecommendationDocument) -> Vec<OptionDocument> {
    if advice.verdict == VerdictDocument::Change { apply(advice).set } else { vec![] }
}

/// The options in force that differ: as they are really set, or by default. Of early advice, as they were replayed.
fn in_between(pair: Pair<'_>) -> Vec<OptionDifference> {
    match pair.map(given) {
        [Some(before), Some(after)] => options([before, after], in_force),
        _ => options(pair.map(known), value_of),
    }
}

fn given(advice: &RecommendationDocument) -> Option<&[OptionDocument]> {
    advice.present.as_ref()?.given.as_deref()
}

/// The scaling options as they were replayed, else as they are set.
fn known(advice: &RecommendationDocument) -> &[OptionDocument] {
    let replayed = advice.present.as_ref().map(|present| &*present.options);
    replayed.filter(|options| !options.is_empty()).or(given(advice)).unwrap_or_default()
}

/// What a list of options makes of one.
type Value = for<'a> fn(&'a [OptionDocument], &OptionDocument) -> Option<&'a str>;

fn options([before, after]: [&[OptionDocument]; 2], value: Value) -> Vec<OptionDifference> {
    let mut found: Vec<OptionDifference> = Vec::new();
    for option in after.iter().chain(before) {
        let [was, is] = [before, after].map(|options| value(options, option));
        let same = was.zip(is).map_or(was == is, |(was, is)| means_the_same(was, is));
        if !same && !found.iter().any(|known| known.is_of(option)) {
            found.push(OptionDifference::of(option, was, is));
        }
    }
    found
}

fn numbers(pair: Pair<'_>) -> Vec<NumberDifference> {
    let number = |what, digits, of: &dyn Fn(&RecommendationDocument) -> Option<f64>| {
        let [before, after] = pair.map(of);
        NumberDifference { what, before, after, digits }
    };
    let then = |of: fn(&OutcomeDocument) -> f64| {
        move |advice: &RecommendationDocument| Some(of(&advice.recommended.as_ref()?.outcome))
    };
    let days = |advice: &RecommendationDocument| advice.traffic.minutes as f64 / 1440.0;
    let now = |advice: &RecommendationDocument| advice.present.as_ref()?.outcome.clone();
    let hours = |outcome: Option<&OutcomeDocument>, advice: &RecommendationDocument| {
        Some(outcome?.instance_hours / days(advice))
    };
    vec![
        number("% CPU for a request per minute", super::digits(pair[1].model.coefficient), &|advice| {
            Some(advice.model.coefficient)
        }),
        number("% CPU without requests", 1, &|advice| Some(advice.model.intercept_percent)),
        number("requests per minute, mean", 0, &|advice| advice.traffic.mean_requests_per_minute),
        number("requests per minute, peak", 0, &|advice| Some(advice.traffic.peak_requests_per_minute)),
        number("ceiling, % CPU", 1, &|advice| Some(advice.cpu_ceiling_percent)),
        number("held in a replay, % CPU", 1, &|advice| Some(advice.cpu_held_percent)),
        number("instance hours a day, present settings", 1, &|advice| hours(now(advice).as_ref(), advice)),
        number("instance hours a day, recommended", 1, &|advice| {
            hours(advice.recommended.as_ref().map(|policy| &policy.outcome), advice)
        }),
        number("highest % CPU, recommended", 2, &then(|outcome| outcome.max_cpu_percent)),
        number("minutes over, recommended", 0, &then(|outcome| f64::from(outcome.minutes_over))),
        number("times the traffic up to which it holds", 2, &|advice| advice.room),
    ]
}

/// A smaller difference, as a share, explains nothing.
const LEAST_SHARE: f64 = 0.01;

/// The reasons, the greatest change first.
fn why(pair: Pair<'_>) -> Vec<String> {
    let mut weighed: Vec<(f64, String)> =
        [coefficient(pair), traffic(pair), held(pair)].into_iter().flatten().collect();
    weighed.sort_by(|a, b| b.0.total_cmp(&a.0));
    let weighed = weighed.into_iter().map(|(_, sentence)| sentence);
    let others = [present(pair), allowed(pair), asked(pair), trust(pair), told(pair)];
    let all: Vec<String> = weighed.chain(others.into_iter().flatten()).collect();
    if all.is_empty() {
        vec!["Nothing that is known here changed by as much as 1 %.".to_owned()]
    } else {
        all
    }
}

fn more(share: f64) -> String {
    format!("{:.0} % {}", share.abs() * 100.0, if share < 0.0 { "less" } else { "more" })
}

fn coefficient([before, after]: Pair<'_>) -> Option<(f64, String)> {
    let share = after.model.coefficient / before.model.coefficient - 1.0;
    if share.abs() < LEAST_SHARE {
        return None;
    }
    let interval =
        |advice: &RecommendationDocument| Some(advice.model.fit.as_deref()?.confidence.as_ref()?.coefficient);
    let sure = interval(before).zip(interval(after)).map(|(was, is)| {
        if was.high < is.low || is.high < was.low {
            "beyond what either fit leaves open"
        } else {
            "which is within what the fits leave open"
        }
    });
    let sure = sure.map_or(String::new(), |sure| format!(", {sure}"));
    let drift =
        after.model.fit.as_deref().and_then(cost::drift).map_or(String::new(), |drift| format!(" {drift}"));
    Some((share.abs(), format!("A request costs {} CPU than before{sure}.{drift}", more(share))))
}

fn traffic([before, after]: Pair<'_>) -> Option<(f64, String)> {
    let share = |of: fn(&RecommendationDocument) -> Option<f64>| Some(of(after)? / of(before)? - 1.0);
    let peak = share(|advice| Some(advice.traffic.peak_requests_per_minute))?;
    let mean = share(|advice| advice.traffic.mean_requests_per_minute);
    let weight = peak.abs().max(mean.map_or(0.0, f64::abs));
    let mean = mean.map_or(String::new(), |mean| format!(", and {} on average", more(mean)));
    let sentence = format!("Traffic is {} at its peak{mean}.", more(peak));
    (LEAST_SHARE <= weight).then_some((weight, sentence))
}

fn held([before, after]: Pair<'_>) -> Option<(f64, String)> {
    let (was, is) = (before.cpu_held_percent, after.cpu_held_percent);
    let (ceiling_was, ceiling_is) = (before.cpu_ceiling_percent, after.cpu_ceiling_percent);
    let share = (is / was - 1.0).abs();
    if share < LEAST_SHARE {
        return None;
    }
    let sentence = if ceiling_was.total_cmp(&ceiling_is).is_eq() {
        let stray = |advice: &RecommendationDocument| {
            advice.model.fit.as_deref().map(|fit: &FitDocument| fit.residual_spread_percent)
        };
        let stray = stray(before).zip(stray(after)).map_or(String::new(), |(was, is)| {
            format!(", since CPU strays from its line by {is:.1} points, not {was:.1}")
        });
        format!("A replay has to stay under {is:.1} %, not {was:.1} %{stray}.")
    } else {
        format!("The ceiling is {ceiling_is} %, not {ceiling_was} %.")
    };
    Some((share, sentence))
}

fn present(pair: Pair<'_>) -> Option<String> {
    let are_known = pair.into_iter().all(|advice| given(advice).is_some() || !known(advice).is_empty());
    let were_changed = are_known && !in_between(pair).is_empty();
    let so = adopted(pair).map_or(String::new(), |but| format!(": they are those that were advised{but}"));
    were_changed.then(|| format!("The settings of the environment were changed in between{so}."))
}

/// Whether the second finds in force what the first advised, and what of it was left.
fn adopted([before, after]: Pair<'_>) -> Option<String> {
    let advised = before.recommended.as_ref().filter(|_| before.verdict == VerdictDocument::Change)?;
    let is_replayed = after.present.as_ref()?.options == advised.options;
    is_replayed.then(|| given(after).map_or(String::new(), |set| but_for(&lacking(&advised.options, set))))
}

fn asked([before, after]: Pair<'_>) -> Option<String> {
    // Shifts come by the minute, and say nothing by their number.
    let lights = |advice: &RecommendationDocument| -> Vec<String> {
        advice.holds_with.iter().filter(|light| !light.starts_with("the traffic")).cloned().collect()
    };
    let (was, is) = (lights(before), lights(after));
    let new: Vec<&str> = is.iter().filter(|light| !was.contains(light)).map(String::as_str).collect();
    let known = !was.is_empty() && !is.is_empty();
    (known && !new.is_empty()).then(|| format!("Settings now have to hold with {}.", new.join(" and with ")))
}

fn allowed(pair: Pair<'_>) -> Option<String> {
    let [was, is] = pair.map(|advice| advice.minutes_over_allowed);
    (was != is).then(|| format!("{} may be over the ceiling, not {was}.", plural(u64::from(is), "minute")))
}

fn trust(pair: Pair<'_>) -> Option<String> {
    let [was, is] = pair.map(Confidence::of);
    (was != is).then(|| format!("The back-test is {}, and was {}.", is.said(), was.said()))
}

/// How the first advice does on the traffic of the second, where that was looked at.
fn told([before, after]: Pair<'_>) -> Option<String> {
    let (advised, told) = (before.recommended.as_ref()?, after.told.as_ref()?);
    if advised.options != told.options || before.verdict != VerdictDocument::Change {
        return None;
    }
    let hours = told.outcome.instance_hours;
    let than = after.recommended.as_ref().map_or(String::new(), |policy| {
        format!(", where those recommended now take {:.1}", policy.outcome.instance_hours)
    });
    let holds = if told.holds { "would still hold" } else { "would no longer hold" };
    Some(format!(
        "On the traffic of the second, the settings of the first {holds} and take {hours:.1} instance hours{than}."
    ))
}

/// The advice in a line, for a comparison.
pub fn in_a_line(advice: &RecommendationDocument) -> String {
    let room = advice.room.map_or(String::new(), |room| format!(", holds {}", steps(room)));
    let until = day(advice.traffic.window.end);
    match advice.verdict {
        VerdictDocument::Change => {
            format!("{until}: change {} settings{room}", changes(advice).len())
        }
        VerdictDocument::Keep => format!("{until}: keep the present settings{room}"),
        VerdictDocument::NoneHolds => {
            format!("{until}: no settings hold {}", headline::held(advice))
        }
        VerdictDocument::NotTrusted => format!("{until}: no advice, the replay is not trusted"),
        VerdictDocument::NotApplicable => format!("{until}: no advice applies to a single instance"),
    }
}
