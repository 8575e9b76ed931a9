//! Several environments in one message.

use super::{
    Frame, MOST_OF_SUBJECT, Message, act, effects, foot, headline, joined, of_news, plural, reasons,
    subject_line, wrapped,
};
use crate::documents::{Kind, RecommendationDocument};
use crate::news::{News, Word};

/// One message for all of `news`, the most urgent first; of one, its own.
pub fn digest(news: &[News], frame: &Frame) -> Message {
    if let [only] = news {
        return of_news(only, frame);
    }
    let mut urgent: Vec<&News> = news.iter().collect();
    urgent.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| a.environment.cmp(&b.environment)));
    let lines: Vec<String> = urgent.iter().map(|news| super::indented(&headline(news))).collect();
    let head = wrapped(&format!(
        "News of {}, the most urgent first. All about one of them, with its reasons: trellis explain --environment NAME{}",
        plural(news.len() as u64, "environment"),
        frame.kept.option()
    ));
    let details = urgent.iter().filter(|news| is_detailed(news.kind)).map(|news| section(news, frame));
    let parts = [head, lines.join("\n")].into_iter().chain(details).chain([foot(frame)]);
    Message { subject: subject(&urgent), body: joined(parts) }
}

fn subject(urgent: &[&News]) -> String {
    let count = |kind: Kind| urgent.iter().filter(|news| news.kind == kind).count();
    let kinds = [
        (Kind::TrustLost, "trust lost"),
        (Kind::InvalidSettings, "can't work as set"),
        (Kind::NoneHolds, "nothing holds"),
        (Kind::Change, "to change"),
        (Kind::NotTrusted, "not trusted"),
        (Kind::NoAdvice, "no advice"),
        (Kind::NotApplicable, "single"),
        (Kind::Keep, "to keep"),
    ];
    let counted = kinds.map(|(kind, words)| (count(kind), words)).into_iter().filter(|(count, _)| *count > 0);
    let counted: Vec<String> = counted.map(|(count, words)| format!("{count} {words}")).collect();
    let environments = plural(urgent.len() as u64, "environment");
    // What does not fit is not cut in two.
    let first = |kinds: usize| {
        let more = if kinds < counted.len() { ", and more" } else { "" };
        format!("{environments}: {}{more}", counted[..kinds].join(", "))
    };
    let fitting = (1..=counted.len()).rev().map(first).find(|line| line.len() <= MOST_OF_SUBJECT);
    subject_line(&fitting.unwrap_or(environments.clone()))
}

/// What needs nothing to be done is told in its line.
fn is_detailed(kind: Kind) -> bool {
    !matches!(kind, Kind::Keep | Kind::NotApplicable)
}

fn section(news: &News, frame: &Frame) -> String {
    let title = format!("{0}\n{1}", news.environment, "-".repeat(news.environment.chars().count().min(72)));
    let parts = match &news.word {
        Word::Refused(refusal) => {
            vec![
                wrapped(&format!("{}.", refusal.reason.trim_end_matches('.'))),
                wrapped(&format!("What would help: {}", refusal.help)),
            ]
        }
        Word::Advice(advice) => of_advice(news, advice, frame),
    };
    let parts: Vec<String> = std::iter::once(title).chain(parts).filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

fn of_advice(news: &News, advice: &RecommendationDocument, frame: &Frame) -> Vec<String> {
    let command = if super::acts(news, advice) { act::commands(advice) } else { String::new() };
    vec![
        reasons::warning(advice),
        effects::settings(news, advice),
        effects::effects(news, advice),
        wrapped(&reasons::proof(advice)),
        frame.page(advice).unwrap_or_default(),
        command,
    ]
}
