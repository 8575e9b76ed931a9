//! Settings as people keep them: `.ebextensions` and saved configurations, in YAML or JSON.
//!
//! A map of namespaces, a list of options, namespaces with a resource's name in front, JSON with comments,
//! and numbers with or without quotes are all met in the wild. Keys that are written twice are kept, since
//! most readers silently drop the first.

use std::collections::BTreeSet;

use saphyr_parser::{Event, Parser, ScanError};

use super::RecordedError;
use super::text::Text;
use crate::documents::OptionDocument;

/// What a file says about an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its options, in the order in which they are written.
    pub options: Vec<OptionDocument>,
    /// Keys that are written twice in one map.
    pub repeated: Vec<String>,
    /// Alarms and policies of Beanstalk's own that `Resources` changes.
    pub overridden: Vec<String>,
}

/// A value of YAML or JSON; a map keeps its keys in order, and those that come twice.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// Reads a configuration file.
///
/// ```
/// use pipeline::recorded::ebextensions::read;
///
/// let file = "option_settings:\n  aws:autoscaling:asg:\n    MaxSize: '6'\n";
/// let read = read("scaling.config", file.as_bytes())?;
/// assert_eq!((read.options[0].option_name.as_str(), read.options[0].value.as_str()), ("MaxSize", "6"));
/// # Ok::<(), pipeline::recorded::RecordedError>(())
/// ```
pub fn read(file: &str, bytes: &[u8]) -> Result<ConfigFile, RecordedError> {
    let root = root(file, bytes)?;
    if find_settings(&root).is_none() {
        return Err(unreadable(file, "no `option_settings` or `OptionSettings`"));
    }
    let read = ConfigFile::of(&root);
    if read.options.is_empty() { Err(unreadable(file, "no option in its settings")) } else { Ok(read) }
}

/// Reads a file that is one of several: it may be about packages or commands, and hold no option.
pub fn read_part(file: &str, bytes: &[u8]) -> Result<ConfigFile, RecordedError> {
    match root(file, bytes) {
        Err(RecordedError::Empty { .. }) => Ok(ConfigFile::of(&Node::Text(String::new()))),
        root => root.map(|root| ConfigFile::of(&root)),
    }
}

impl ConfigFile {
    fn of(root: &Node) -> Self {
        let mut repeated = BTreeSet::new();
        collect_repeated(root, &mut repeated);
        Self {
            options: find_settings(root).map(options).unwrap_or_default(),
            repeated: repeated.into_iter().collect(),
            overridden: overridden(root),
        }
    }
}

fn unreadable(file: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> RecordedError {
    let (file, expected) = (file.to_owned(), "YAML or JSON with option settings");
    RecordedError::Unreadable { file, expected, source: source.into() }
}

fn root(file: &str, bytes: &[u8]) -> Result<Node, RecordedError> {
    let bytes = Text::of(file, bytes)?.bytes;
    let text = std::str::from_utf8(bytes).map_err(|error| unreadable(file, error))?;
    parse(&without_comments(text)).map_err(|error| unreadable(file, error))
}

/// JSON with comments is no JSON and no YAML; YAML's own comments stay, since its reader knows them.
fn without_comments(text: &str) -> String {
    if !text.trim_start().starts_with(['{', '[', '/']) {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut in_text = false;
    while let Some(character) = characters.next() {
        match (in_text, character, characters.peek()) {
            (true, '\\', _) => {
                plain.push(character);
                plain.extend(characters.next());
                continue;
            }
            (_, '"', _) => in_text = !in_text,
            (false, '/', Some('/')) => {
                characters.by_ref().take_while(|c| *c != '\n').for_each(drop);
                plain.push('\n');
                continue;
            }
            (false, '/', Some('*')) => {
                skip_block(&mut characters);
                continue;
            }
            // YAML refuses tabs where JSON allows them.
            (false, '\t', _) => {
                plain.push(' ');
                continue;
            }
            _ => {}
        }
        plain.push(character);
    }
    plain
}

fn skip_block(characters: &mut impl Iterator<Item = char>) {
    let mut before = ' ';
    characters.next();
    for character in characters {
        if before == '*' && character == '/' {
            return;
        }
        before = character;
    }
}

fn parse(text: &str) -> Result<Node, ScanError> {
    let mut root = Node::Text(String::new());
    let mut open: Vec<Node> = Vec::new();
    let mut keys: Vec<Option<String>> = Vec::new();
    for event in Parser::new_from_str(text) {
        let done = match event?.0 {
            Event::MappingStart(..) => {
                open.push(Node::Map(vec![]));
                keys.push(None);
                continue;
            }
            Event::SequenceStart(..) => {
                open.push(Node::List(vec![]));
                keys.push(None);
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                keys.pop();
                open.pop()
            }
            Event::Scalar(text, ..) => Some(Node::Text(text.into_owned())),
            Event::Alias(_) => Some(Node::Text(String::new())),
            _ => None,
        };
        let Some(done) = done else { continue };
        match (open.last_mut(), keys.last_mut()) {
            (Some(Node::Map(entries)), Some(key)) => match (key.take(), done) {
                (Some(key), value) => entries.push((key, value)),
                (None, Node::Text(text)) => *key = Some(text),
                (None, _) => *key = Some(String::new()),
            },
            (Some(Node::List(items)), _) => items.push(done),
            _ => root = done,
        }
    }
    Ok(root)
}

impl Node {
    /// The value of a key, whatever its capitals and underscores.
    fn get(&self, key: &str) -> Option<&Node> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(name, _)| same_key(name, key)).map(|(_, value)| value)
    }

    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

fn same_key(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.replace('_', "").to_ascii_lowercase();
    plain(a) == plain(b)
}

/// The settings under their usual key, or a bare list or map of them.
fn find_settings(root: &Node) -> Option<&Node> {
    let is_namespace = |name: &str| name.contains("aws:");
    match root {
        Node::Map(entries) if entries.iter().any(|(name, _)| is_namespace(name)) => Some(root),
        Node::Map(_) => root.get("option_settings"),
        Node::List(_) => Some(root),
        Node::Text(_) => None,
    }
}

fn options(settings: &Node) -> Vec<OptionDocument> {
    match settings {
        Node::List(items) => items.iter().filter_map(listed).collect(),
        Node::Map(entries) => {
            entries.iter().flat_map(|(name, options)| of_namespace(name, options)).collect()
        }
        Node::Text(_) => vec![],
    }
}

/// `{namespace: …, option_name: …, value: …}`
fn listed(item: &Node) -> Option<OptionDocument> {
    let text = |key| item.get(key).and_then(Node::text).map(str::to_owned);
    let namespace =
        text("namespace").unwrap_or_else(|| "aws:elasticbeanstalk:application:environment".to_owned());
    Some(OptionDocument {
        namespace,
        option_name: text("option_name")?,
        value: text("value")?,
        resource_name: text("resource_name"),
    })
}

/// A namespace, perhaps with a resource in front, and its options; scheduled actions have a map for each.
fn of_namespace(name: &str, options: &Node) -> Vec<OptionDocument> {
    let (resource, namespace) = match name.find("aws:") {
        Some(start) if start > 0 => (Some(name[..start].trim_end_matches('.')), &name[start..]),
        _ => (None, name),
    };
    let Node::Map(entries) = options else { return vec![] };
    let document = |resource: Option<&str>, name: &str, value: &str| OptionDocument {
        namespace: namespace.to_owned(),
        option_name: name.to_owned(),
        value: value.to_owned(),
        resource_name: resource.map(str::to_owned),
    };
    let of_entry = |(name, value): &(String, Node)| -> Vec<OptionDocument> {
        match value {
            Node::Text(value) => vec![document(resource, name, value)],
            Node::Map(inner) => {
                let texts = inner.iter().filter_map(|(option, value)| Some((option, value.text()?)));
                texts.map(|(option, value)| document(Some(name), option, value)).collect()
            }
            Node::List(_) => vec![],
        }
    };
    entries.iter().flat_map(of_entry).collect()
}

fn collect_repeated(node: &Node, repeated: &mut BTreeSet<String>) {
    match node {
        Node::Text(_) => {}
        Node::List(items) => items.iter().for_each(|item| collect_repeated(item, repeated)),
        Node::Map(entries) => {
            let mut seen = BTreeSet::new();
            for (key, value) in entries {
                if !seen.insert(key) {
                    repeated.insert(key.clone());
                }
                collect_repeated(value, repeated);
            }
        }
    }
}

/// What Beanstalk makes for a trigger, by its logical name.
const MADE_BY_BEANSTALK: [&str; 5] = [
    "AWSEBAutoScalingGroup",
    "AWSEBCloudwatchAlarmHigh",
    "AWSEBCloudwatchAlarmLow",
    "AWSEBAutoScalingScaleUpPolicy",
    "AWSEBAutoScalingScaleDownPolicy",
];

fn overridden(root: &Node) -> Vec<String> {
    let Some(Node::Map(resources)) = root.get("Resources") else { return vec![] };
    let names = resources.iter().map(|(name, _)| name);
    names.filter(|name| MADE_BY_BEANSTALK.contains(&name.as_str())).cloned().collect()
}
