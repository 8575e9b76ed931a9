//! A message in the form that a topic hands on: prose for mail, JSON for queues and programs, a notification for chats,
//! and words to filter by.

use std::str::FromStr;

use serde::Serialize;

use crate::advice::{self, headline};
use crate::chat;
use crate::documents::{Confidence, Kind, RecommendationDocument, RefusalDocument, SCHEMA_VERSION};
use crate::news::News;
use crate::paste::Pasted;
use crate::publish::Notification;

/// Most bytes of a message, its attributes counted in.
pub const MOST_BYTES: usize = 262_144;

/// What a subscriber can filter by. Of several environments, each has the words of all: a filter matches any of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attributes {
    /// The environments' names.
    pub environment: Vec<String>,
    /// What it is about, as [`Kind::word`] has it.
    pub kind: Vec<&'static str>,
    /// How the back-test went, as [`Confidence::word`] has it.
    pub confidence: Vec<&'static str>,
}

/// An attribute of SNS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// `String`, or `String.Array` with JSON as its value.
    pub data_type: &'static str,
    /// Its value.
    pub value: String,
}

impl Attributes {
    /// Those of news.
    pub fn of(news: &[News]) -> Self {
        let mut kind: Vec<Kind> = news.iter().map(|news| news.kind).collect();
        let mut confidence: Vec<Confidence> = news.iter().map(|news| news.confidence).collect();
        kind.sort();
        kind.dedup();
        confidence.sort();
        confidence.dedup();
        Self {
            environment: news.iter().map(|news| news.environment.clone()).collect(),
            kind: kind.into_iter().map(Kind::word).collect(),
            confidence: confidence.into_iter().map(Confidence::word).collect(),
        }
    }

    /// As SNS takes them.
    pub fn listed(&self) -> [Attribute; 3] {
        let texts = |texts: &[&'static str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let [kind, confidence] = [texts(&self.kind), texts(&self.confidence)];
        // All are of one type, so that a filter sees one message as it sees the other.
        let several = self.environment.len() > 1;
        let attribute = |name, values: &[String]| match values {
            [only] if !several => Attribute { name, data_type: "String", value: only.clone() },
            several => Attribute { name, data_type: "String.Array", value: json(&several) },
        };
        [
            attribute("environment", &self.environment),
            attribute("kind", &kind),
            attribute("confidence", &confidence),
        ]
    }

    /// Bytes that they count for: name, type and value of each.
    fn bytes(&self) -> usize {
        let bytes =
            |attribute: &Attribute| attribute.name.len() + attribute.data_type.len() + attribute.value.len();
        self.listed().iter().map(bytes).sum()
    }
}

/// What subscribers over HTTPS get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HttpsBody {
    /// What programs get.
    #[default]
    Json,
    /// A custom notification of Amazon Q Developer in chat applications, which subscribes over HTTPS.
    Chat,
}

impl FromStr for HttpsBody {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "json" => Ok(Self::Json),
            "chat" => Ok(Self::Chat),
            _ => Err("`json` or `chat` is expected".to_owned()),
        }
    }
}

/// What a queue or a program gets: `infra/schemas/message.schema.json`.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MessageDocument {
    /// The version of its shape: 1.
    pub schema_version: u32,
    /// As a mail client shows it.
    pub subject: String,
    /// What the run cost on AWS, USD, where that is known.
    pub run_usd: Option<f64>,
    /// One for each environment.
    pub news: Vec<NewsDocument>,
}

/// What there is to tell about an environment.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NewsDocument {
    /// Its name.
    pub environment: String,
    /// What it is about.
    pub kind: Kind,
    /// How the back-test went.
    pub confidence: Confidence,
    /// The same for the same word, whatever day it is of.
    pub advice_id: String,
    /// All of it in a line.
    pub headline: String,
    /// The address of its page, where pages are served.
    pub page: Option<String>,
    /// The settings to take, in the forms to paste them in, where there are some.
    pub apply: Option<Pasted>,
    /// The same settings as they are now.
    pub undo: Option<Pasted>,
    /// The advice. Nothing where there is none, or where it would not have fitted: then it lies in the archive.
    pub recommendation: Option<RecommendationDocument>,
    /// Why there is no advice, where there is none.
    pub refusal: Option<RefusalDocument>,
}

impl MessageDocument {
    /// What programs are told; the whole advice only if it is to be `whole`.
    pub fn of(notification: &Notification<'_>, whole: bool) -> Self {
        let Notification { message, news, frame } = notification;
        let document = |news: &News| {
            let asks = news.advice().filter(|advice| advice::acts(news, advice));
            NewsDocument {
                environment: news.environment.clone(),
                kind: news.kind,
                confidence: news.confidence,
                advice_id: news.id.clone(),
                headline: headline(news),
                page: news.advice().and_then(|advice| frame.page(advice)),
                apply: asks.map(|advice| advice::apply(advice).forms()),
                undo: asks.and_then(advice::undo).map(|patch| patch.forms()),
                recommendation: news.advice().filter(|_| whole).cloned(),
                refusal: news.refusal().cloned(),
            }
        };
        Self {
            schema_version: SCHEMA_VERSION,
            subject: message.subject.clone(),
            run_usd: frame.run_usd,
            news: news.iter().map(document).collect(),
        }
    }
}

/// A text for each kind of subscriber, as SNS takes it with `MessageStructure: json`.
#[derive(Serialize)]
struct ByProtocol<'a> {
    default: &'a str,
    email: &'a str,
    sqs: &'a str,
    lambda: &'a str,
    http: &'a str,
    https: &'a str,
    firehose: &'a str,
}

/// The message for every kind of subscriber, in at most [`MOST_BYTES`] with its attributes. What does not fit is left
/// out: first the whole advice for programs, then what they could paste, then the end of the prose.
pub fn envelope(notification: &Notification<'_>, https: HttpsBody) -> String {
    let attributes = Attributes::of(notification.news);
    let room = MOST_BYTES - attributes.bytes().min(MOST_BYTES / 2);
    let chat = match https {
        HttpsBody::Json => None,
        HttpsBody::Chat => Some(json(&chat::custom_notification(notification))),
    };
    let chat = chat.as_deref();
    let body = notification.message.body.as_str();
    let programs = |whole: bool| json(&MessageDocument::of(notification, whole));
    for short in [programs(true), programs(false)] {
        let text = by_protocol([body, body], &short, chat);
        if text.len() <= room {
            return text;
        }
    }
    let shortest = json(&shortest(notification));
    let mut body = body;
    loop {
        // A telephone, which has no protocol of its own here, is told the subject.
        let text = by_protocol([&notification.message.subject, body], &shortest, chat);
        if text.len() <= room || body.is_empty() {
            return text;
        }
        // Escapes make each byte worth at least one of those that are too many.
        let cut = ((text.len() - room) / 6).max(1);
        body = shortened(body, cut);
    }
}

fn shortest(notification: &Notification<'_>) -> MessageDocument {
    let mut document = MessageDocument::of(notification, false);
    for news in &mut document.news {
        (news.apply, news.undo, news.refusal) = (None, None, None);
    }
    document
}

fn shortened(text: &str, cut: usize) -> &str {
    let end = text.len().saturating_sub(cut);
    let end = (0..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

fn json(document: &impl Serialize) -> String {
    serde_json::to_string(document).expect("documents have text as keys and finite numbers")
}

fn by_protocol([default, email]: [&str; 2], programs: &str, chat: Option<&str>) -> String {
    let texts = ByProtocol {
        default,
        email,
        sqs: programs,
        lambda: programs,
        http: programs,
        https: chat.unwrap_or(programs),
        firehose: programs,
    };
    json(&texts)
}
