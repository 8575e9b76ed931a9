//! What is said where there is no advice.

use super::{capital, headline, wrapped};
use crate::documents::{Kind, RefusalDocument};
use crate::news::News;

/// A reason for no advice in a few words.
pub fn in_short(code: &str) -> &str {
    match code {
        "invalid_settings" => "the present settings can't work",
        "invalid_schedule" => "a scheduled action can't work",
        "worker" => "it is a worker, without requests",
        "no_request_count" => "nothing counts its requests",
        "no_group" => "its group is being built",
        "no_metrics" => "CloudWatch has no metrics of it",
        "nothing_runs" => "it has no instances and no requests",
        "no_samples" => "no metrics came in",
        "too_few_minutes" => "too few minutes to learn from",
        "wrong_statistic" => "its requests are no sums",
        "load_hardly_varies" => "its load hardly varies",
        "cpu_does_not_rise" => "CPU does not rise with requests",
        "requests_do_not_explain_cpu" => "requests do not explain its CPU",
        "mixed_instance_types" => "its instances are of several types",
        "cpu_at_a_ceiling" => "CPU stays at a ceiling",
        "new_cost" => "requests have begun to cost something else",
        "no_fit" => "what a request costs is not known",
        "no_room" => "CPU strays too far for its ceiling",
        "idle_over_ceiling" => "CPU is over its ceiling without requests",
        "no_traffic" => "there is no traffic",
        "too_many_holes" => "too many requests are unknown",
        "damaged_fit" => "the fit says nothing sensible",
        _ => "it was not asked about a time with metrics",
    }
}

pub(super) fn parts(news: &News, refusal: &RefusalDocument) -> Vec<String> {
    let until = super::clock(refusal.until);
    let reason = refusal.reason.trim_end_matches('.');
    let what = match news.kind {
        Kind::InvalidSettings => "As long as they are so, nothing can be compared with them or recommended.",
        _ => "Nothing is recommended, and what was advised before is not confirmed.",
    };
    vec![
        wrapped(&headline(news)),
        wrapped(what),
        wrapped(&format!("Why (as of {until} UTC): {}.", capital(reason))),
        wrapped(&format!("What would help: {}", refusal.help)),
        wrapped("This is said once, and again when the reason is another one."),
    ]
}
