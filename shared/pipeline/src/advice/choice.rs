//! What lets a reader believe an advice and choose another, in sentences: beyond the record, beside the recommended
//! settings.

use crate::documents::{
    IntervalDocument, OptionDocument, OtherCeilingDocument, PickDocument, PicksDocument,
    RecommendationDocument, ResampledDocument, ScheduledMinimumDocument, VerdictDocument,
    WalkForwardDocument, WouldHoldDocument,
};

use super::reasons::steps;
use super::{one_sentence_of, plural, wrapped};

/// Instance hours that a few minutes over must spare, as a share, for it to be said first.
const SPARES_MUCH: f64 = 0.2;

/// Minutes of which one may be one of those few.
const A_FEW_OF: usize = 1_000;

/// What a few minutes over the ceiling would spare, where that is much: the hardest minutes make all the others dear.
pub(super) fn hard_minutes(advice: &RecommendationDocument) -> Option<String> {
    let recommended = advice.recommended.as_ref().map(|policy| &policy.outcome);
    let taken = recommended.or(advice.present_outcome())?.instance_hours;
    let most = advice.minutes_over_allowed as usize + advice.traffic.minutes / A_FEW_OF;
    let step = advice.frontier.iter().find(|step| {
        let few = (advice.minutes_over_allowed + 1..=most as u32).contains(&step.minutes_over);
        few && step.instance_hours <= (1.0 - SPARES_MUCH) * taken
    })?;
    Some(format!(
        "The hardest minutes make them dear: with {} of {} allowed at or over {:.1} %, on this traffic and no more, {:.1} \
         instance hours would do, {:.0} % fewer (trellis sweep --allow-over {}, or \"minutes_over_allowed\").",
        plural(u64::from(step.minutes_over), "minute"),
        advice.traffic.minutes,
        advice.cpu_held_percent,
        step.instance_hours,
        (1.0 - step.instance_hours / taken) * 100.0,
        step.minutes_over,
    ))
}

/// How the choice does on days that it had not seen, and on days drawn anew.
pub(super) fn beyond(recommendation: &RecommendationDocument) -> String {
    let held = recommendation.cpu_held_percent;
    let walk_forward = recommendation.walk_forward.as_ref().map(|walk| walked(walk, held));
    let resampled =
        recommendation.resampled.as_ref().map(|resampled| drawn(resampled, recommendation.verdict));
    let sentences: Vec<String> = walk_forward.into_iter().chain(resampled).collect();
    if sentences.is_empty() {
        return String::new();
    }
    wrapped(&format!("Beyond this record: {}", one_sentence_of(&sentences.join(" "))))
}

fn walked(walk: &WalkForwardDocument, held: f64) -> String {
    let WalkForwardDocument { days_choosing, days_judging, chosen, cost_over_best } = walk;
    let Some(chosen) = chosen else {
        return format!("By the first {days_choosing} days alone, no settings would have held.");
    };
    let cost = match cost_over_best {
        None => format!(
            "No settings hold the {days_judging} days after the first {days_choosing}; those chosen by these"
        ),
        Some(share) => {
            let percent =
                format!("{:.1} % {}", share.abs() * 100.0, if *share < 0.0 { "fewer" } else { "more" });
            format!(
                "Settings chosen by the first {days_choosing} days alone take {percent} instance hours on the {days_judging} days \
                 after than the best in hindsight, and"
            )
        }
    };
    let over = match chosen.outcome.minutes_over {
        0 => "no minute".to_owned(),
        minutes => plural(u64::from(minutes), "minute"),
    };
    let highest = chosen.outcome.max_cpu_percent;
    format!("{cost} are at or over {held:.1} % in {over} of them (highest CPU {highest:.2} %).")
}

fn drawn(resampled: &ResampledDocument, verdict: VerdictDocument) -> String {
    let ResampledDocument { resamples, days, holds, as_good, near_share, saving, max_cpu_percent, .. } =
        resampled;
    let whose = if verdict == VerdictDocument::Keep { "present" } else { "recommended" };
    let times = |share: f64| format!("{:.0} times of 100", share * 100.0);
    let holds = if *holds < 1.0 { format!(" hold {},", times(*holds)) } else { String::new() };
    let saves = saving.map_or(String::new(), |saving| format!(", {}", saves(saving)));
    format!(
        "On {resamples} draws of {days} days out of these, the {whose} settings{holds} are within {:.0} % of the cheapest that \
         hold {}{saves}, and come to a highest CPU of {:.1} to {:.1} % (95 times of 100).",
        near_share * 100.0,
        times(*as_good),
        max_cpu_percent.low,
        max_cpu_percent.high
    )
}

/// Of the present instance hours.
fn saves(IntervalDocument { low, high }: IntervalDocument) -> String {
    let percent = |share: f64| format!("{:.1}", share.abs() * 100.0);
    match (low < 0.0, high < 0.0) {
        (false, _) => format!("save {} to {} % of the present instance hours", percent(low), percent(high)),
        (true, true) => {
            format!("take {} to {} % more instance hours than the present ones", percent(high), percent(low))
        }
        (true, false) => format!(
            "take between {} % more and {} % fewer instance hours than the present ones",
            percent(low),
            percent(high)
        ),
    }
}

/// Other settings to take, what none can come below, and what other ceilings would take.
pub(super) fn to_choose(recommendation: &RecommendationDocument) -> String {
    let Some(picks) = &recommendation.picks else { return String::new() };
    let bound = recommendation.fewest_instance_hours.map(|fewest| no_less(fewest, &picks.balanced));
    let others = other_ceilings(&recommendation.other_ceilings);
    let sentences: Vec<String> = [Some(picked(picks)), bound, others].into_iter().flatten().collect();
    wrapped(&format!("To choose: {}", sentences.join(" ")))
}

fn picked(PicksDocument { cheap, balanced, safe }: &PicksDocument) -> String {
    let named = [("cheap", cheap), ("safe", safe)];
    let (same, other): (Vec<_>, Vec<_>) =
        named.into_iter().partition(|(_, pick)| pick.options == balanced.options);
    let differs = |(name, pick): &(&str, &PickDocument)| {
        format!("{name} ({}) {}", differing(pick, balanced), comes_to(pick))
    };
    let above = format!("balanced, the one above, {}", comes_to(balanced));
    let same = match &same[..] {
        [] => None,
        [(name, _)] => Some(format!("{name} is the same as balanced")),
        _ => Some("cheap and safe are the same".to_owned()),
    };
    let phrases: Vec<String> = std::iter::once(above).chain(other.iter().map(differs)).chain(same).collect();
    format!("{}.", phrases.join("; "))
}

/// The options in which a pick is another than the balanced one.
fn differing(pick: &PickDocument, balanced: &PickDocument) -> String {
    let differing = pick.options.iter().filter(|option| !balanced.options.contains(option));
    let named = differing.map(|OptionDocument { option_name, value, .. }| format!("{option_name} {value}"));
    named.collect::<Vec<_>>().join(", ")
}

fn comes_to(pick: &PickDocument) -> String {
    format!("takes {:.1} instance hours and holds {}", pick.outcome.instance_hours, steps(pick.room))
}

/// With a minute over, less may do.
fn no_less(fewest: f64, balanced: &PickDocument) -> String {
    format!(
        "Without a minute over, no setting can take less than {fewest:.1} instance hours, foresight included; the one above \
         takes {:.1}.",
        balanced.outcome.instance_hours
    )
}

fn other_ceilings(others: &[OtherCeilingDocument]) -> Option<String> {
    let takes = |other: &OtherCeilingDocument| {
        let hours = other.cheapest.as_ref()?.outcome.instance_hours;
        Some(format!("{hours:.1} under {} %", other.cpu_ceiling_percent))
    };
    let takes: Vec<String> = others.iter().filter_map(takes).collect();
    let (last, rest) = takes.split_last()?;
    let all = if rest.is_empty() { last.clone() } else { format!("{} and {last}", rest.join(", ")) };
    Some(format!("Other ceilings, for the traffic as it was and no more, would take {all}."))
}

/// What would make the closest settings hold, or what else to try.
pub(super) fn would_hold(would: Option<&WouldHoldDocument>) -> String {
    let Some(WouldHoldDocument { min_size, max_size, scheduled, startup_minutes, startup_minutes_now }) =
        would
    else {
        return "Try a higher MinSize, other values, or allow some minutes over the ceiling.".to_owned();
    };
    let larger = min_size.map(|min| format!("with {}", minimum(min, *max_size)));
    let faster = startup_minutes.map(|minutes| {
        format!(
            "if an instance served {} after it is asked for, in place of {startup_minutes_now}",
            plural(u64::from(minutes), "minute")
        )
    });
    let ways: Vec<String> =
        larger.into_iter().chain(scheduled.as_ref().map(by_schedule)).chain(faster).collect();
    format!("The closest would hold {}.", ways.join(", or "))
}

fn minimum(min_size: u32, max_size: Option<u32>) -> String {
    let raised = max_size.map_or(String::new(), |max| format!(" and MaxSize {max}"));
    format!("MinSize {min_size}{raised}")
}

/// Two scheduled actions, and what they save.
fn by_schedule(scheduled: &ScheduledMinimumDocument) -> String {
    let ScheduledMinimumDocument { when, recurrences: [raise, lower], instance_hours, .. } = scheduled;
    let all_day = scheduled.all_day_instance_hours;
    let all_day = all_day.map_or(String::new(), |hours| format!(", not {hours:.1} as all day"));
    format!(
        "with {} from {when} alone, by scheduled actions (Recurrence `{raise}`, and `{lower}` to set it back): \
         {instance_hours:.1} instance hours{all_day}",
        minimum(scheduled.min_size, scheduled.max_size)
    )
}
