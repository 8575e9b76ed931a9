//! A custom notification of Amazon Q Developer in chat applications (AWS Chatbot), version 1.0: Slack, Teams and Chime.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::advice::{self, Change, headline};
use crate::documents::Kind;
use crate::news::{News, Word};
use crate::publish::Notification;

/// The notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomNotification {
    /// `1.0`.
    pub version: &'static str,
    /// `custom`.
    pub source: &'static str,
    /// The same for the same news.
    pub id: String,
    /// What is shown.
    pub content: Content,
    /// What goes with it.
    pub metadata: Metadata,
}

/// What is shown. Text is Markdown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// `client-markdown`.
    pub text_type: &'static str,
    /// In bold.
    pub title: String,
    /// The text.
    pub description: String,
    /// A list below it.
    pub next_steps: Vec<String>,
    /// Tags below that.
    pub keywords: Vec<String>,
}

/// What goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Notifications of one thread are shown together.
    pub thread_id: String,
    /// The head of the thread.
    pub summary: String,
    /// For filters and custom actions.
    pub event_type: &'static str,
    /// The environments.
    pub related_resources: Vec<String>,
    /// For custom actions.
    pub additional_context: BTreeMap<&'static str, String>,
}

/// More characters of a description are not asked for: the mail has all of it.
const MOST_OF_DESCRIPTION: usize = 3_000;
const MOST_OF_TITLE: usize = 200;
const MOST_ITEMS: usize = 5;

/// What a chat is told.
pub fn custom_notification(notification: &Notification<'_>) -> CustomNotification {
    let Notification { message, news, frame } = notification;
    let one = if let [only] = news { Some(only) } else { None };
    let ids: Vec<&str> = news.iter().map(|news| news.id.as_str()).collect();
    let names: Vec<String> = news.iter().take(MOST_ITEMS).map(|news| plain(&news.environment)).collect();
    let mut kinds: Vec<&str> = news.iter().map(|news| news.kind.word()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let pages = news.iter().filter_map(|news| frame.page(news.advice()?)).take(MOST_ITEMS);
    let keywords = names.iter().cloned().chain(kinds.iter().map(|kind| (*kind).to_owned()));
    CustomNotification {
        version: "1.0",
        source: "custom",
        id: ids.join("-").chars().take(100).collect(),
        content: Content {
            text_type: "client-markdown",
            title: shown(&message.subject, MOST_OF_TITLE),
            description: cut(&description(news), MOST_OF_DESCRIPTION),
            next_steps: next_steps(one).into_iter().chain(pages).collect(),
            keywords: keywords.take(MOST_ITEMS).collect(),
        },
        metadata: Metadata {
            thread_id: one
                .map_or("trellis".to_owned(), |news| format!("trellis-{}", plain(&news.environment))),
            summary: shown(&message.subject, MOST_OF_TITLE),
            event_type: one.map_or("digest", |news| news.kind.word()),
            related_resources: names,
            additional_context: one.map(context).unwrap_or_default(),
        },
    }
}

fn context(news: &News) -> BTreeMap<&'static str, String> {
    let confidence = news.confidence.word().to_owned();
    BTreeMap::from([("environment", plain(&news.environment)), ("confidence", confidence)])
}

fn description(news: &[News]) -> String {
    match news {
        [only] => of_one(only),
        several => several.iter().map(|news| format!("• {}\n", escaped(&headline(news)))).collect(),
    }
}

fn of_one(news: &News) -> String {
    let headline = escaped(&headline(news));
    let advice = match &news.word {
        Word::Refused(refusal) => return format!("{headline}\n{}", escaped(&refusal.reason)),
        Word::Advice(advice) if news.kind != Kind::Change => {
            return format!("{headline}\n{}", back_test(news, advice.back_test.is_some()));
        }
        Word::Advice(advice) => advice,
    };
    let row = |change: Change<'_>| {
        format!("• {}: {} → {}\n", change.to.option_name, escaped(change.now()), change.to.value)
    };
    let rows: String = advice::changes(advice).into_iter().map(row).collect();
    format!("{headline}\n{rows}{}", back_test(news, advice.back_test.is_some()))
}

fn back_test(news: &News, is_known: bool) -> String {
    if is_known {
        format!("Back-test: {}.", news.confidence.said())
    } else {
        "No back-test: nothing was recorded to hold the replay against.".to_owned()
    }
}

fn next_steps(one: Option<&News>) -> Vec<String> {
    let Some(news) = one else {
        return vec!["See the mail, or `trellis explain`, for what to set in each environment.".to_owned()];
    };
    match (&news.word, news.kind) {
        (Word::Refused(refusal), _) => vec![escaped(&refusal.help)],
        (_, Kind::Change) => vec![
            "The mail, or `trellis explain`, has the settings to paste, and how to undo them.".to_owned(),
            "Watch CPU for a day after the change.".to_owned(),
        ],
        (_, Kind::TrustLost | Kind::NotTrusted | Kind::NoneHolds | Kind::InvalidSettings) => {
            vec!["See why: `trellis explain`.".to_owned()]
        }
        _ => vec![],
    }
}

/// A name as text, whatever it holds: what Markdown, mentions and links are made of is taken out.
fn plain(name: &str) -> String {
    let kept = |c: char| if c.is_alphanumeric() || " -_.".contains(c) { c } else { '?' };
    name.chars().take(75).map(kept).collect()
}

fn shown(text: &str, most: usize) -> String {
    cut(&escaped(text), most)
}

fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let start: String = text.chars().take(most - 1).collect();
    // Not within `&amp;`.
    let whole = start.rfind('&').filter(|at| !start[*at..].contains(';')).unwrap_or(start.len());
    format!("{}…", &start[..whole])
}

/// Text that no chat takes for anything else: no emphasis, code, mention or link.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // Look-alikes that mean nothing.
            '*' => escaped.push('∗'),
            '`' => escaped.push('\''),
            '~' => escaped.push('∼'),
            '[' => escaped.push('('),
            ']' => escaped.push(')'),
            '@' => escaped.push('＠'),
            '_' => escaped.push('＿'),
            other => escaped.push(other),
        }
    }
    escaped
}
