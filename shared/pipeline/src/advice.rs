//! What a person reads: the subject and the text of a message, from a recommendation.

mod choice;
pub mod cost;

use std::fmt::Write as _;

use scaling::recommendation::Verdict;
use scaling::sweep::Evaluated;
use sha2::{Digest, Sha256};

use crate::documents::{
    BackTestDocument, CeilingSource, CreditsDocument, FitDocument, GradeDocument, LaunchTimesDocument,
    ModelDocument, ModelSource, OptionDocument, OutcomeDocument, PolicyDocument, RecommendationDocument,
    TargetTrackingDocument, VerdictDocument, options,
};
use crate::hex::hex;
use crate::sweep::STAGED;

/// A message to whoever runs the environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// One line of printable ASCII, under 100 characters.
    pub subject: String,
    /// Plain text, lines of up to 100 characters.
    pub body: String,
}

/// The same for the same advice to the same environment and the same trust in it, whatever traffic it was found
/// on: 16 hexadecimal digits. `withheld` says why there is no verdict.
pub fn id(
    environment: &str,
    withheld: Option<VerdictDocument>,
    verdict: Option<&Verdict>,
    proof: Option<&BackTestDocument>,
) -> String {
    let (word, policy) = match verdict {
        Some(Verdict::Change(evaluated)) => ("change", Some(evaluated)),
        Some(Verdict::Keep(evaluated)) => ("keep", Some(evaluated)),
        Some(Verdict::NoneHolds { .. }) => ("none holds", None),
        None => ("withheld", None),
    };
    let policy = policy.map(|evaluated| evaluated.policy.options()).unwrap_or_default();
    let trust = proof.map(|proof| (proof.grade, proof.cause.as_deref()));
    let digest = Sha256::digest(format!("{environment:?} {withheld:?} {word} {policy:?} {trust:?}"));
    hex(&digest[..8])
}

/// The policy that a verdict is about.
pub fn recommended(verdict: &Verdict) -> Option<PolicyDocument> {
    let document = |evaluated: &Evaluated| PolicyDocument {
        options: options(&evaluated.policy),
        outcome: evaluated.outcome.into(),
    };
    match verdict {
        Verdict::Change(evaluated) | Verdict::Keep(evaluated) => Some(document(evaluated)),
        Verdict::NoneHolds { closest } => closest.as_ref().map(document),
    }
}

/// The message that says what `recommendation` says.
pub fn message(recommendation: &RecommendationDocument) -> Message {
    Message { subject: subject(recommendation), body: body(recommendation) }
}

/// An option that would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    /// The option, with the value to give it.
    pub to: &'a OptionDocument,
    /// Its value now, if that is known.
    pub from: Option<&'a str>,
}

/// What to change to get from the present policy to the recommended one: all of it, if the present one is
/// not known.
pub fn changes(recommendation: &RecommendationDocument) -> Vec<Change<'_>> {
    let present = recommendation.present.as_ref().map_or(&[][..], |present| &present.options);
    let recommended = recommendation.recommended.as_ref().map_or(&[][..], |policy| &policy.options);
    let value_now = |to: &OptionDocument| {
        let same = |now: &&OptionDocument| now.namespace == to.namespace && now.option_name == to.option_name;
        present.iter().find(same).map(|now| now.value.as_str())
    };
    let changes = recommended.iter().map(|to| Change { to, from: value_now(to) });
    changes.filter(|change| change.from != Some(&change.to.value)).collect()
}

fn subject(recommendation: &RecommendationDocument) -> String {
    let environment = format!("{}{}", recommendation.environment, dearer(recommendation));
    subject_line(&match recommendation.verdict {
        VerdictDocument::Keep => format!("Trellis: {environment}: keep the scaling settings"),
        VerdictDocument::NoneHolds => {
            let ceiling = recommendation.cpu_ceiling_percent;
            format!("Trellis: {environment}: no scaling settings hold {ceiling} % CPU")
        }
        VerdictDocument::NotApplicable => format!("Trellis: {environment}: a single instance has no trigger"),
        VerdictDocument::NotTrusted => {
            format!("Trellis: {environment}: no advice, the replay is not trusted")
        }
        VerdictDocument::Change => {
            let count = changes(recommendation).len();
            let what = plural(count as u64, "scaling setting");
            format!("Trellis: {environment}: change {what}{}", effect(recommendation))
        }
    })
}

/// That requests cost something else since a moment that was seen.
fn dearer(recommendation: &RecommendationDocument) -> String {
    let drift = recommendation.model.fit.as_deref().and_then(|fit| fit.drift);
    drift
        .filter(|drift| drift.exact)
        .map_or(String::new(), |drift| format!(": requests cost {}", cost::more(drift.share)))
}

/// What a change does, in a few words for the subject.
fn effect(recommendation: &RecommendationDocument) -> String {
    let present = recommendation.present.as_ref().and_then(|present| present.outcome.as_ref());
    let (Some(present), Some(recommended)) = (present, &recommendation.recommended) else {
        return String::new();
    };
    let hours = hours_change(present, &recommended.outcome);
    let held = present.minutes_over > recommendation.minutes_over_allowed;
    if held {
        format!(", to hold {} % CPU ({hours} hours)", recommendation.cpu_ceiling_percent)
    } else {
        format!(", {hours} instance hours")
    }
}

fn hours_change(now: &OutcomeDocument, then: &OutcomeDocument) -> String {
    format!("{:+.0} %", (then.instance_hours / now.instance_hours - 1.0) * 100.0)
}

/// Any text as a subject that SNS takes: one line of printable ASCII that starts with a letter, digit or
/// punctuation, under 100 characters, never empty.
///
/// ```
/// use pipeline::advice::subject_line;
///
/// assert_eq!(subject_line("Advice for étude\nprod"), "Advice for ?tude prod");
/// assert_eq!(subject_line("  "), "Scaling advice from Trellis");
/// ```
pub fn subject_line(text: &str) -> String {
    let printable = |c: char| match c {
        c if c.is_whitespace() || c.is_control() => ' ',
        c if c.is_ascii() => c,
        _ => '?',
    };
    let line: String = text.trim().chars().map(printable).take(99).collect();
    let line = line.trim();
    if line.is_empty() { "Scaling advice from Trellis".to_owned() } else { line.to_owned() }
}

fn body(recommendation: &RecommendationDocument) -> String {
    let parts = [
        opening(recommendation),
        warning(recommendation),
        settings(recommendation),
        effects(recommendation),
        why(recommendation),
        credits(recommendation),
        choice::beyond(recommendation),
        choice::to_choose(recommendation),
        alternative(recommendation),
        how_sure(recommendation),
        response_time(recommendation),
        wrapped(&proof(recommendation)),
        how_to_apply(recommendation),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n") + "\n"
}

fn opening(recommendation: &RecommendationDocument) -> String {
    let RecommendationDocument { environment, traffic, .. } = recommendation;
    let ceiling = recommendation.cpu_ceiling_percent;
    let count = changes(recommendation).len() as u64;
    let verdict = match recommendation.verdict {
        VerdictDocument::Change => format!(
            "Change {} of {environment}: the cheapest that keep CPU under {ceiling} %.",
            plural(count, "scaling setting")
        ),
        VerdictDocument::Keep => format!(
            "Keep the scaling settings of {environment}: they hold CPU under {ceiling} %, and nothing that was \
             tried would do so for clearly less."
        ),
        VerdictDocument::NoneHolds => format!(
            "No scaling settings that were tried keep {environment} under {ceiling} % CPU. Nothing is \
             recommended. {}",
            choice::would_hold(recommendation.would_hold)
        ),
        VerdictDocument::NotApplicable => format!(
            "{environment} is a single instance: it has no load balancer, no group and no trigger, so that advice on \
             scaling does not apply to it. Nothing is recommended."
        ),
        VerdictDocument::NotTrusted => {
            let cause = recommendation.back_test.as_ref().and_then(|proof| proof.cause.as_deref());
            format!(
                "No setting is recommended: replayed, {environment} does not come close to what it really did. \
                 Most likely {}.",
                cause.unwrap_or("something is missing in the record")
            )
        }
    };
    let missing = match traffic.minutes_missing {
        0 => String::new(),
        missing => format!(", {missing} of them unknown"),
    };
    let when = if traffic.recorded {
        let (start, end) = (clock(traffic.window.start), clock(traffic.window.end));
        format!("recorded traffic from {start} to {end} UTC ({} minutes{missing})", traffic.minutes)
    } else {
        let shape = traffic.shape.as_deref().unwrap_or(STAGED);
        format!("{} minutes of {shape} (what if{missing})", traffic.minutes)
    };
    let peak = traffic.peak_requests_per_minute;
    let replayed = format!("Replayed: {when}, up to {peak:.0} requests per minute.");
    format!("{}\n\n{}", wrapped(&verdict), wrapped(&replayed))
}

/// Lines that a mail client shows whole.
fn wrapped(paragraph: &str) -> String {
    textwrap::fill(paragraph, lines())
}

/// Words stay whole, and dates with them.
fn lines() -> textwrap::Options<'static> {
    textwrap::Options::new(90).word_splitter(textwrap::WordSplitter::NoHyphenation)
}

/// The same below a heading in a terminal: the first line indented by two, those after by four.
pub fn indented(paragraph: &str) -> String {
    textwrap::fill(paragraph, lines().initial_indent("  ").subsequent_indent("    "))
}

fn clock(instant: jiff::Timestamp) -> String {
    instant.strftime("%Y-%m-%d %H:%M").to_string()
}

fn plural(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn settings(recommendation: &RecommendationDocument) -> String {
    let changes = changes(recommendation);
    if recommendation.verdict != VerdictDocument::Change || changes.is_empty() {
        return String::new();
    }
    let mut text = format!("  {:<27}{:>10}{:>17}", "setting", "now", "recommended");
    for Change { to, from } in changes {
        let _ = write!(text, "\n  {:<27}{:>10}{:>17}", to.option_name, from.unwrap_or("unknown"), to.value);
    }
    text
}

fn effects(recommendation: &RecommendationDocument) -> String {
    let now = recommendation.present.as_ref().and_then(|present| present.outcome.as_ref());
    let then = recommendation.recommended.as_ref().map(|policy| &policy.outcome);
    let held = recommendation.cpu_held_percent;
    let then_title = match recommendation.verdict {
        VerdictDocument::NoneHolds => "closest",
        _ => "recommended",
    };
    let columns: Vec<(&str, &OutcomeDocument)> = match recommendation.verdict {
        VerdictDocument::Keep => then.map(|then| ("now", then)).into_iter().collect(),
        _ => now.map(|now| ("now", now)).into_iter().chain(then.map(|then| (then_title, then))).collect(),
    };
    if columns.is_empty() {
        return String::new();
    }
    let row = |label: &str, value: &dyn Fn(&OutcomeDocument) -> String| {
        let values = columns.iter().zip([10, 17]);
        let values: String =
            values.map(|((_, outcome), width)| format!("{:>width$}", value(outcome))).collect();
        format!("  {label:<27}{values}\n")
    };
    let titles: String =
        columns.iter().zip([10, 17]).map(|((title, _), width)| format!("{title:>width$}")).collect();
    let mut text = format!("  {:<27}{titles}\n", "over that traffic");
    text += &row("instance hours", &|outcome| format!("{:.1}", outcome.instance_hours));
    if let Some(price) = recommendation.price {
        text += &row("USD a month of 30.4 days", &|outcome| {
            format!("{:.0}", price.per_month(outcome.instance_hours, recommendation.traffic.minutes))
        });
    }
    text += &row("mean CPU %", &|outcome| format!("{:.1}", outcome.mean_cpu_percent));
    text += &row("highest CPU %", &|outcome| format!("{:.2}", outcome.max_cpu_percent));
    text += &row(&format!("minutes at or over {held:.1} %"), &|outcome| outcome.minutes_over.to_string());
    text += &row("most instances", &|outcome| outcome.peak_instances.to_string());
    text += &row("scale-outs", &|outcome| outcome.scale_outs.to_string());
    text += &row("scale-ins", &|outcome| outcome.scale_ins.to_string());
    if let (VerdictDocument::Change, Some(now), Some(then)) = (recommendation.verdict, now, then) {
        text += &format!("  Instance hours change by {}.\n", hours_change(now, then));
    }
    text.trim_end().to_owned()
}

fn why(recommendation: &RecommendationDocument) -> String {
    if recommendation.verdict == VerdictDocument::NotApplicable {
        return String::new();
    }
    let candidates = &recommendation.candidates;
    let mut text = match recommendation.verdict {
        VerdictDocument::NotTrusted => {
            "Why: what can't be replayed can't be improved by replaying.".to_owned()
        }
        _ => format!(
            "Why: {} policies were replayed minute by minute by AWS's rules, each until it could no longer win.",
            thousands(candidates.replayed)
        ),
    };
    text += &robustness(recommendation);
    if candidates.oscillating > 0 && candidates.replayed > 0 {
        let _ = write!(
            text,
            " {} more were not replayed: their own actions could call for the reverse, for ever.",
            thousands(candidates.oscillating)
        );
    }
    let Some(present) = &recommendation.present else {
        text += " The present settings are not known, so that nothing is compared with them.";
        return wrapped(&text);
    };
    if let Some(reason) = &present.not_simulated {
        let _ = write!(text, " The present settings can't be replayed: {reason}.");
    }
    for finding in &present.findings {
        let _ = write!(text, " Note on the present settings: {finding}.");
    }
    wrapped(&text)
}

/// What the recommended policy bears, and what the present one does not.
fn robustness(recommendation: &RecommendationDocument) -> String {
    let mut text = String::new();
    if !recommendation.holds_with.is_empty() {
        let what = match recommendation.verdict {
            VerdictDocument::Keep => "The present policy holds",
            _ => "This is the cheapest that holds",
        };
        let _ = write!(
            text,
            " {what} not only the traffic as it was, but also {}.",
            ways(&recommendation.holds_with)
        );
    }
    if let Some(room) = recommendation.room {
        let _ = write!(text, " It bears {room:.2} times this traffic.");
    }
    let Some(present) =
        recommendation.present.as_ref().filter(|_| recommendation.verdict == VerdictDocument::Change)
    else {
        return text;
    };
    match (present.room, &present.fails_with[..]) {
        (Some(room), [first, ..]) => {
            let _ =
                write!(text, " The present one bears {room:.2} times, and does not hold {}.", with(first));
        }
        (Some(room), []) => {
            let _ = write!(text, " The present one bears {room:.2} times.");
        }
        (None, _) => {}
    }
    text
}

/// All lights in a phrase; shifts are one.
fn ways(lights: &[String]) -> String {
    let (shifts, others): (Vec<&String>, Vec<&String>) =
        lights.iter().partition(|light| light.starts_with("the traffic"));
    let mut ways: Vec<String> = others.iter().map(|light| with(light)).collect();
    if !shifts.is_empty() {
        ways.push(format!("when it comes 1 to {} minutes later", shifts.len()));
    }
    match ways.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => ways.concat(),
    }
}

fn with(light: &str) -> String {
    format!("with {light}")
}

/// 1,204,224.
fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let grouped: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    grouped.join(",")
}

/// What should be known before anything else.
fn warning(recommendation: &RecommendationDocument) -> String {
    let Some(fit) = recommendation.model.fit.as_deref() else { return String::new() };
    let drift = cost::drift(fit).map(|sentence| {
        let exact = fit.drift.is_some_and(|drift| drift.exact);
        format!("{sentence}{}", if exact { " What follows is by what it costs since." } else { "" })
    });
    let sentences: Vec<String> = drift.into_iter().chain(cost::ceiling(fit)).collect();
    let paragraphs: Vec<String> = sentences.iter().map(|text| wrapped(&format!("Warning: {text}"))).collect();
    paragraphs.join("\n\n")
}

fn how_sure(recommendation: &RecommendationDocument) -> String {
    let model = &recommendation.model;
    let mut sentences = match (&model.source, model.fit.as_deref()) {
        (ModelSource::Fitted { .. }, Some(fit)) => {
            let bend = fit.bend.as_ref().map(cost::bent);
            let all = [Some(cost::cost(fit)), Some(cost::quality(fit)), cost::by_block(fit), bend];
            all.into_iter().flatten().collect()
        }
        (source, _) => known_by(model, source),
    };
    if let ModelSource::Fitted { greatest_load, .. } = model.source {
        sentences.push(match recommendation.never_seen_above_percent {
            Some(percent) => format!(
                "The replay goes beyond what was seen: loads over {greatest_load:.0} requests per minute and instance \
                 ({percent:.0} % CPU) are taken to cost the same."
            ),
            None => format!("Loads over {greatest_load:.0} requests per minute and instance were never seen."),
        });
    }
    let (held, ceiling) = (recommendation.cpu_held_percent, recommendation.cpu_ceiling_percent);
    let level = model.fit.as_deref().and_then(FitDocument::unreachable_from_percent);
    match level.filter(|level| *level < ceiling) {
        Some(level) => sentences.push(format!(
            "CPU never shows more than {level:.0} %: the replay has to stay under {held:.1} %."
        )),
        None if held < ceiling => sentences.push(format!(
            "So that real CPU stays under {ceiling} %, the replay has to stay under {held:.1} %."
        )),
        None => {}
    }
    if recommendation.traffic.minutes < MINUTES_PER_WEEK && recommendation.traffic.recorded {
        sentences.push("The traffic covers less than a week, and so not every kind of day.".to_owned());
    }
    if !recommendation.traffic.recorded {
        sentences.push("What holds in a what-if need not hold in other traffic.".to_owned());
    }
    wrapped(&format!("How sure: {}", one_sentence_of(&sentences.join(" "))))
}

/// The same after a colon.
fn one_sentence_of(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or(String::new(), |first| first.to_lowercase().chain(rest).collect())
}

/// What is known of a line without a whole fit.
fn known_by(model: &ModelDocument, source: &ModelSource) -> Vec<String> {
    let (coefficient, intercept) = (significant(model.coefficient), model.intercept_percent);
    let cost =
        format!("A request per minute costs an instance {coefficient} % CPU, on top of {intercept:.1} %.");
    let known = match source {
        ModelSource::Stated => {
            "That was stated, not measured: how far real CPU strays from it is not known.".to_owned()
        }
        ModelSource::Fitted { r_squared, residual_spread_percent, usable, .. } => format!(
            "That line explains {:.0} % of how CPU moved over {usable} periods (R² {r_squared:.3}); single periods stray \
             from it by {residual_spread_percent:.1} points (standard deviation).",
            r_squared * 100.0
        ),
    };
    vec![cost, known]
}

/// From which CPU on response time suffers, and what that says about the ceiling.
fn response_time(recommendation: &RecommendationDocument) -> String {
    let knee = recommendation.model.fit.as_deref().and_then(|fit| fit.knee.as_ref());
    let Some(knee) = knee else { return String::new() };
    let ceiling = recommendation.cpu_ceiling_percent;
    let departs = knee.departs_at_percent.floor();
    let so = match recommendation.cpu_ceiling_from {
        CeilingSource::Knee => format!(" No ceiling was set: {ceiling} % is held for that reason."),
        CeilingSource::Default if departs > ceiling => format!(
            " No ceiling was set, and {ceiling} % is held: a ceiling of {departs} % would cost less and keep response time \
             at its base."
        ),
        CeilingSource::Asked if departs < ceiling => {
            format!(" The ceiling of {ceiling} % lies above that: users wait longer before it is reached.")
        }
        _ => String::new(),
    };
    wrapped(&format!("{}{so}", cost::response_time(knee)))
}

/// How the replay compares with what really happened.
fn proof(recommendation: &RecommendationDocument) -> String {
    let Some(proof) = &recommendation.back_test else {
        return "Nothing was recorded to hold the replay against: it is unproven here.".to_owned();
    };
    let grade = match proof.grade {
        GradeDocument::Good => "good",
        GradeDocument::Fair => "fair",
        GradeDocument::NotTrusted => "not trusted",
    };
    let saturated = match proof.saturated_minutes {
        0 => String::new(),
        minutes => format!(" CPU was saturated in {minutes} minutes, which were left out."),
    };
    let cpu = format!(
        "CPU is off by {:.1} points on average and {:.1} at its peak",
        proof.cpu_distance,
        proof.peak_cpu_error.abs()
    );
    let launches = proof.launch_times.map_or(String::new(), |times| {
        let LaunchTimesDocument { count, short_seconds, long_seconds, .. } = times;
        format!(" Launches took {short_seconds:.0} to {long_seconds:.0} s ({count} activities).")
    });
    let counted =
        proof.instances_by.as_ref().map_or(String::new(), |by| format!(" Instances are counted by {by}."));
    match (&proof.counts, &proof.cpu_only_because) {
        (Some(counts), _) => format!(
            "Back-test, {grade}: the present settings, replayed over {} minutes, give {:+.1} % instance hours, the \
             exact number of instances in {:.0} % of the minutes ({:.1} % off on average), and {} of {} changes \
             within two minutes; {cpu}.{saturated}{launches}{counted}{}",
            proof.minutes,
            counts.hours_bias * 100.0,
            counts.exact * 100.0,
            counts.mape * 100.0,
            counts.matched_events,
            counts.recorded_events.max(counts.replayed_events),
            if counts.recorded_events + counts.replayed_events == 0 {
                " The group never changed, so that this says nothing about the trigger's timing."
            } else {
                ""
            }
        ),
        (None, because) => format!(
            "Back-test, {grade}, of CPU alone: predicted from the requests and instances of {} minutes, {cpu}.{saturated}{counted} \
             The trigger's part of the replay is unproven here: {}.",
            proof.minutes,
            because.as_deref().unwrap_or("instances were not recorded")
        ),
    }
}

/// What the credits of burstable instances say to it.
fn credits(recommendation: &RecommendationDocument) -> String {
    let Some(credits) = &recommendation.credits else { return String::new() };
    let CreditsDocument { instance_type, unlimited, baseline_percent, minutes_throttled, surplus_credits } =
        credits;
    let earns = format!(
        "CPU credits: a {instance_type} earns what {baseline_percent:.0} % CPU spends. Starting with none saved up,"
    );
    wrapped(&match (unlimited, *minutes_throttled, *surplus_credits) {
        (false, 0, _) => format!("{earns} no instance would run out."),
        (true, _, surplus) if surplus < 1.0 => format!("{earns} no instance would run out."),
        (false, minutes, _) => format!(
            "{earns} instances would be held at their baseline in {minutes} minutes, in which the site is slow \
             although its CPU looks low."
        ),
        (true, _, surplus) => format!(
            "{earns} the group would spend {surplus:.0} credits more than it earns, which unlimited mode bills."
        ),
    })
}

/// Another kind of policy, for comparison.
fn alternative(recommendation: &RecommendationDocument) -> String {
    let Some(tracking) = &recommendation.target_tracking else { return String::new() };
    let TargetTrackingDocument { target_percent, min_size, max_size, outcome } = tracking;
    wrapped(&format!(
        "For comparison: target tracking at {target_percent} % CPU with {min_size} to {max_size} instances would take \
         {:.1} instance hours, highest CPU {:.1} %. Beanstalk has no option for it: it takes a policy under \
         Resources in .ebextensions, and the trigger's own alarms without actions.",
        outcome.instance_hours, outcome.max_cpu_percent
    ))
}

const MINUTES_PER_WEEK: usize = 7 * 24 * 60;

/// Four significant digits.
fn significant(value: f64) -> String {
    let digits = digits(value);
    format!("{value:.digits$}")
}

/// Digits after the point that show four significant ones; a value a hair below a power of ten counts as it.
fn digits(value: f64) -> usize {
    (3.0 - (value.abs() * 1.000_05).log10().floor()).clamp(0.0, 12.0) as usize
}

fn how_to_apply(recommendation: &RecommendationDocument) -> String {
    let changes = changes(recommendation);
    if recommendation.verdict != VerdictDocument::Change || changes.is_empty() {
        return String::new();
    }
    let mut text = "How to apply: in .ebextensions/scaling.config\n\n  option_settings:".to_owned();
    let mut namespace = "";
    for change in &changes {
        if namespace != change.to.namespace {
            namespace = &change.to.namespace;
            let _ = write!(text, "\n    {namespace}:");
        }
        let _ = write!(text, "\n      {}: \"{}\"", change.to.option_name, change.to.value);
    }
    text += "\n\nor at once (settings made this way stay over .ebextensions until they are removed)\n";
    let _ = write!(
        text,
        "\n  aws elasticbeanstalk update-environment --environment-name {} --option-settings",
        shell_quoted(&recommendation.environment)
    );
    for change in &changes {
        let OptionDocument { namespace, option_name, value, .. } = change.to;
        let _ = write!(text, " \\\n    Namespace={namespace},OptionName={option_name},Value={value}");
    }
    text + "\n\nNo instance is replaced or restarted by these changes. Trellis has changed nothing."
}

fn shell_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
