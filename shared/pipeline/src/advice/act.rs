//! What to do: apply it, undo it, and what to look at in between.

use super::{Kept, acts, changes, plural, wrapped};
use crate::documents::{OptionDocument, RecommendationDocument};
use crate::news::News;
use crate::paste::{Form, Patch, shell_word};

/// The options to set.
pub fn apply(advice: &RecommendationDocument) -> Patch {
    let set = changes(advice).into_iter().map(|change| change.to.clone()).collect();
    Patch { environment: advice.environment.clone(), set, unset: vec![] }
}

/// The same options as they are set now, or not set; nothing where that is not known.
pub fn undo(advice: &RecommendationDocument) -> Option<Patch> {
    let present = advice.present.as_ref()?;
    if present.options.is_empty() && present.given.is_none() {
        return None;
    }
    let mut undo = Patch { environment: advice.environment.clone(), set: vec![], unset: vec![] };
    for change in changes(advice) {
        match change.from.filter(|_| change.is_set) {
            Some(value) => undo.set.push(OptionDocument { value: value.to_owned(), ..change.to.clone() }),
            None => undo.unset.push(change.to.clone()),
        }
    }
    Some(undo)
}

pub(super) fn how_to_apply(news: &News, advice: &RecommendationDocument, kept: &Kept) -> String {
    if !acts(news, advice) {
        return String::new();
    }
    let patch = apply(advice);
    format!(
        "How to apply: in .ebextensions/scaling.config\n\n{}\n\n{}\n\n{}\n\n{}{}",
        inset(&patch.form(Form::Ebextensions)),
        wrapped("or at once (settings made this way stay over .ebextensions until they are removed)"),
        inset(&patch.form(Form::Command)),
        for_templates(advice, kept),
        wrapped("No instance is replaced or restarted by these changes. Trellis has changed nothing.")
    )
}

/// How to get at the forms that are not shown; nothing where this advice is not what would be found.
fn for_templates(advice: &RecommendationDocument, kept: &Kept) -> String {
    if !advice.traffic.recorded || *kept == Kept::Nowhere {
        return String::new();
    }
    let (name, archive) = (shell_word(&advice.environment), kept.option());
    let command = format!("trellis explain --paste cloudformation \\\n  --environment {name}{archive}");
    let heading = "or for CloudFormation (for Terraform, with terraform in its place)";
    format!("{}\n\n{}\n\n", wrapped(heading), inset(&command))
}

pub(super) fn how_to_undo(news: &News, advice: &RecommendationDocument) -> String {
    if !acts(news, advice) {
        return String::new();
    }
    let Some(patch) = undo(advice) else {
        return wrapped(
            "How to undo: the present settings are not known here. Keep them before you change anything: \
             aws elasticbeanstalk describe-configuration-settings prints them.",
        );
    };
    format!(
        "How to undo: the settings as they were, in .ebextensions/scaling.config\n\n{}\n\nor at once\n\n{}",
        inset(&patch.form(Form::Ebextensions)),
        inset(&patch.form(Form::Command))
    )
}

/// Indented by two.
fn inset(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

pub(super) fn what_to_watch(news: &News, advice: &RecommendationDocument) -> String {
    let Some(then) = advice.recommended.as_ref().filter(|_| acts(news, advice)) else { return String::new() };
    let (then, ceiling) = (&then.outcome, advice.cpu_ceiling_percent);
    let (but, undo_if) = match (advice.minutes_over_allowed, advice.traffic.minutes) {
        (0, _) => (String::new(), "gets to the ceiling"),
        (few, all) => (format!(" in all but {few} of {all} minutes"), "is at the ceiling more often"),
    };
    let cpu = format!(
        "CPUUtilization of the group (Average) should stay under {ceiling} %{but}: in the replay it came to {:.1} %.",
        then.max_cpu_percent
    );
    let peak = advice.traffic.peak_requests_per_minute;
    let traffic = advice.room.map(|room| {
        format!(
            "Traffic with peaks over {:.0} requests per minute ({room:.2} times the one replayed) is more than was found to \
             hold.",
            peak * room
        )
    });
    let knee = advice.model.fit.as_deref().and_then(|fit| fit.knee.as_ref());
    let waiting = knee.map(|knee| {
        format!("Response time has a base of {:.0} ms: it should stay near that.", knee.base_seconds * 1e3)
    });
    let now = advice.present_outcome();
    let events = now.map(|now| (now.scale_outs + now.scale_ins, then.scale_outs + then.scale_ins));
    let events = events.filter(|(now, then)| now < then).map(|(now, then)| {
        format!(
            "Instances come and go more often: {} where there were {now}.",
            plural(u64::from(then), "change")
        )
    });
    let undo = format!("If CPU {undo_if}, undo it; the next run will have seen why.");
    let all = [Some(cpu), traffic, waiting, events, Some(undo)];
    wrapped(&format!("What to watch: {}", all.into_iter().flatten().collect::<Vec<_>>().join(" ")))
}

/// Both as commands, without a word more.
pub(super) fn commands(advice: &RecommendationDocument) -> String {
    let undo = undo(advice)
        .map_or(String::new(), |undo| format!("\n\nHow to undo:\n\n{}", inset(&undo.form(Form::Command))));
    format!("How to apply:\n\n{}{undo}", inset(&apply(advice).form(Form::Command)))
}
