//! Why it is said, and how sure it is, in sentences.

use std::fmt::Write as _;

use scaling::recommendation::MOST_ROOM;

use super::effects::no_minus;
use super::{cost, one_sentence_of, plural, significant, thousands, wrapped};
use crate::documents::{
    CeilingSource, CreditsDocument, FitDocument, LaunchTimesDocument, ModelDocument, ModelSource,
    RecommendationDocument, TargetTrackingDocument, VerdictDocument,
};

pub(super) fn why(recommendation: &RecommendationDocument) -> String {
    if recommendation.verdict == VerdictDocument::NotApplicable {
        return String::new();
    }
    let candidates = &recommendation.candidates;
    let mut text = match recommendation.verdict {
        VerdictDocument::NotTrusted if !recommendation.broken().is_empty() => {
            "Why: what a group does under such settings hangs on single minutes, and can't be replayed closely enough to \
             compare others with it."
                .to_owned()
        }
        VerdictDocument::NotTrusted => {
            "Why: what can't be replayed can't be improved by replaying.".to_owned()
        }
        _ => format!(
            "Why: {} replayed minute by minute by AWS's rules, each until it could no longer win.",
            were(candidates.replayed, "policy", "policies")
        ),
    };
    text += &robustness(recommendation);
    if candidates.oscillating > 0 && candidates.replayed > 0 {
        let _ = write!(
            text,
            " {} not replayed: their own actions could call for the reverse, for ever.",
            were(candidates.oscillating, "more", "more")
        );
    }
    let Some(present) = &recommendation.present else {
        text += " The present settings are not known, so that nothing is compared with them.";
        return wrapped(&text);
    };
    if let Some(reason) = &present.not_simulated {
        let _ = write!(text, " The present settings can't be replayed: {reason}.");
    }
    // Those that break them are said where the message begins.
    for finding in present.findings.iter().filter(|finding| !present.broken.contains(finding)) {
        let _ = write!(text, " Note on the present settings: {finding}.");
    }
    wrapped(&text)
}

/// `1 policy was`, or `1,200 policies were`.
fn were(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one} was") } else { format!("{} {many} were", thousands(count)) }
}

/// What the recommended policy bears, and what the present one does not.
fn robustness(recommendation: &RecommendationDocument) -> String {
    let mut text = String::new();
    if !recommendation.holds_with.is_empty() {
        let what = match (recommendation.verdict, recommendation.over_cheapest) {
            (VerdictDocument::Keep, _) => "The present policy holds".to_owned(),
            (_, None) => "This is the cheapest that holds".to_owned(),
            (_, Some(over)) => format!("This takes {:.1} % more than the cheapest, and holds", over * 100.0),
        };
        let _ = write!(
            text,
            " {what} not only the traffic as it was, but also {}.",
            ways(&recommendation.holds_with)
        );
    }
    if let Some(room) = recommendation.room {
        let _ = write!(text, " It holds {}.{}", steps(room), again(room, &recommendation.holds_with));
    }
    let Some(present) =
        recommendation.present.as_ref().filter(|_| recommendation.verdict == VerdictDocument::Change)
    else {
        return text;
    };
    match (present.room, &present.fails_with[..]) {
        (Some(room), [first, ..]) => {
            let _ = write!(text, " The present one holds {}, and not {}.", steps(room), with(first));
        }
        (Some(room), []) => {
            let _ = write!(text, " The present one holds {}.", steps(room));
        }
        (None, _) => {}
    }
    text
}

/// Up to how much traffic settings hold. More may hold again, so that no more is said than was tried.
pub(super) fn steps(room: f64) -> String {
    match room {
        room if room < 1.005 => "this traffic, and not 1 % more of it".to_owned(),
        room if MOST_ROOM <= room => {
            format!("at every step of 1 % up to {room:.0} times this traffic, the most that was tried")
        }
        room => format!("at every step of 1 % up to {room:.2} times this traffic"),
    }
}

/// What is held beyond the step at which it no longer is.
fn again(room: f64, lights: &[String]) -> String {
    let factor = |light: &String| light.strip_suffix(" times the traffic")?.parse::<f64>().ok();
    let beyond =
        lights.iter().filter_map(factor).filter(|factor| room + 0.005 < *factor).max_by(f64::total_cmp);
    beyond.map_or(String::new(), |factor| {
        format!(" Just above that it does not, and at {factor:.2} times it does again: more traffic moves the steps.")
    })
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

pub(super) fn with(light: &str) -> String {
    format!("with {light}")
}

/// What should be known before anything else.
pub(super) fn warning(recommendation: &RecommendationDocument) -> String {
    let Some(fit) = recommendation.model.fit.as_deref() else { return String::new() };
    let drift = cost::drift(fit).map(|sentence| {
        let exact = fit.drift.is_some_and(|drift| drift.exact);
        format!("{sentence}{}", if exact { " What follows is by what it costs since." } else { "" })
    });
    let sentences: Vec<String> = drift.into_iter().chain(cost::ceiling(fit)).collect();
    let paragraphs: Vec<String> = sentences.iter().map(|text| wrapped(&format!("Warning: {text}"))).collect();
    paragraphs.join("\n\n")
}

pub(super) fn how_sure(recommendation: &RecommendationDocument) -> String {
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
            "So that real CPU stays under {}, the replay has to stay under {held:.1} %.",
            super::ceiling(recommendation)
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
pub(super) fn response_time(recommendation: &RecommendationDocument) -> String {
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
pub(super) fn proof(recommendation: &RecommendationDocument) -> String {
    let Some(proof) = &recommendation.back_test else {
        return "Nothing was recorded to hold the replay against: it is unproven here.".to_owned();
    };
    let grade = proof.grade.said();
    let saturated = match proof.saturated_minutes {
        0 => String::new(),
        1 => " CPU was saturated in one minute, which was left out.".to_owned(),
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
             exact number of instances in {:.0} % of the minutes ({:.1} % off on average), and {} of {} \
             within two minutes; {cpu}.{saturated}{launches}{counted}{}",
            proof.minutes,
            no_minus(counts.hours_bias * 100.0),
            counts.exact * 100.0,
            counts.mape * 100.0,
            counts.matched_events,
            plural(u64::from(counts.recorded_events.max(counts.replayed_events)), "change"),
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
pub(super) fn credits(recommendation: &RecommendationDocument) -> String {
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
            "{earns} instances would be held at their baseline in {}, in which the site is slow \
             although its CPU looks low.",
            plural(u64::from(minutes), "minute")
        ),
        (true, _, surplus) => format!(
            "{earns} the group would spend {surplus:.0} credits more than it earns, which unlimited mode bills."
        ),
    })
}

/// Another kind of policy, for comparison.
pub(super) fn alternative(recommendation: &RecommendationDocument) -> String {
    let Some(tracking) = &recommendation.target_tracking else { return not_compared(recommendation) };
    let TargetTrackingDocument { target_percent, min_size, max_size, outcome } = tracking;
    wrapped(&format!(
        "For comparison: target tracking at {target_percent} % CPU with {min_size} to {max_size} instances would take \
         {:.1} instance hours, highest CPU {:.1} %. Beanstalk has no option for it: it takes a policy under \
         Resources in .ebextensions, and the trigger's own alarms without actions.",
        outcome.instance_hours, outcome.max_cpu_percent
    ))
}

/// Why there is no other kind of policy to compare with.
fn not_compared(recommendation: &RecommendationDocument) -> String {
    let with = recommendation.replayed_with.as_ref();
    if with.is_none_or(|with| with.detailed_monitoring) {
        return String::new();
    }
    wrapped(
        "Target tracking is not compared: its alarms look at points of one minute, CPU comes every five \
         (MonitoringInterval), and AWS does not say what they do then.",
    )
}

const MINUTES_PER_WEEK: usize = 7 * 24 * 60;
