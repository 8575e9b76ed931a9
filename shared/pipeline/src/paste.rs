//! Options in the forms that people paste them in: `.ebextensions`, a command, CloudFormation, Terraform.
//!
//! Whatever text stands in a name or a value comes out of each form's own parser as it was.

use std::fmt::Write as _;
use std::str::FromStr;

use serde::Serialize;

use crate::documents::OptionDocument;

/// Options to set in an environment, and those to leave to Beanstalk's defaults again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patch {
    /// The environment's name.
    pub environment: String,
    /// To be set.
    pub set: Vec<OptionDocument>,
    /// To be set no more. Their values don't matter.
    pub unset: Vec<OptionDocument>,
}

/// Where it is to be pasted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A file in `.ebextensions`, YAML.
    Ebextensions,
    /// `aws elasticbeanstalk update-environment`, for a POSIX shell.
    Command,
    /// The `OptionSettings` of an `AWS::ElasticBeanstalk::Environment`, YAML.
    Cloudformation,
    /// The `setting` blocks of an `aws_elastic_beanstalk_environment`, HCL.
    Terraform,
}

impl FromStr for Form {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "ebextensions" => Ok(Self::Ebextensions),
            "command" => Ok(Self::Command),
            "cloudformation" => Ok(Self::Cloudformation),
            "terraform" => Ok(Self::Terraform),
            _ => Err(format!("`{text}` is none of ebextensions, command, cloudformation and terraform")),
        }
    }
}

/// The same in every form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pasted {
    /// YAML for a file in `.ebextensions`.
    pub ebextensions: String,
    /// A command for a POSIX shell.
    pub command: String,
    /// YAML for a CloudFormation template.
    pub cloudformation: String,
    /// HCL for Terraform.
    pub terraform: String,
}

impl Patch {
    /// In one form.
    pub fn form(&self, form: Form) -> String {
        match form {
            Form::Ebextensions => self.ebextensions(),
            Form::Command => self.command(),
            Form::Cloudformation => self.cloudformation(),
            Form::Terraform => self.terraform(),
        }
    }

    /// In every form.
    pub fn forms(&self) -> Pasted {
        let [ebextensions, command, cloudformation, terraform] =
            [Form::Ebextensions, Form::Command, Form::Cloudformation, Form::Terraform]
                .map(|form| self.form(form));
        Pasted { ebextensions, command, cloudformation, terraform }
    }

    fn ebextensions(&self) -> String {
        let mut text = String::new();
        let mut namespace = None;
        for OptionDocument { namespace: of, option_name, value, .. } in &self.set {
            if namespace.replace(of) != Some(of) {
                let _ = writeln!(text, "  {}:", quoted(of, Quotes::YamlKey));
            }
            let _ = writeln!(
                text,
                "    {}: {}",
                quoted(option_name, Quotes::YamlKey),
                quoted(value, Quotes::Yaml)
            );
        }
        let head = if self.set.is_empty() { "" } else { "option_settings:\n" };
        format!("{head}{text}{}", self.left_out())
    }

    fn cloudformation(&self) -> String {
        let mut text = "OptionSettings:\n".to_owned();
        for OptionDocument { namespace, option_name, value, .. } in &self.set {
            let [namespace, name, value] =
                [namespace, option_name, value].map(|text| quoted(text, Quotes::Yaml));
            let _ = writeln!(text, "  - Namespace: {namespace}\n    OptionName: {name}\n    Value: {value}");
        }
        if self.set.is_empty() { self.left_out() } else { text + &self.left_out() }
    }

    fn terraform(&self) -> String {
        let mut text = String::new();
        for OptionDocument { namespace, option_name, value, .. } in &self.set {
            let [namespace, name, value] =
                [namespace, option_name, value].map(|text| quoted(text, Quotes::Hcl));
            let _ = writeln!(
                text,
                "setting {{\n  namespace = {namespace}\n  name      = {name}\n  value     = {value}\n}}"
            );
        }
        text + &self.left_out()
    }

    /// What a file must not have any more: a comment, since no file can say it.
    fn left_out(&self) -> String {
        let line = |option: &OptionDocument| {
            let name: String = option.option_name.chars().filter(char::is_ascii_alphanumeric).collect();
            format!("# Take out, so that the default holds: {name}\n")
        };
        self.unset.iter().map(line).collect()
    }

    fn command(&self) -> String {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let name = &self.environment;
        // The command line reads some texts as more than text: a dash in front, `file://`. In a document none is.
        if !name.chars().all(plain) || name.starts_with('-') {
            return self.command_by_document();
        }
        let mut text = format!("aws elasticbeanstalk update-environment \\\n  --environment-name {name}");
        if !self.set.is_empty() {
            let _ = write!(text, " --option-settings '[\n{}]'", self.listed(&self.set, true));
        }
        if !self.unset.is_empty() {
            let _ = write!(text, " \\\n  --options-to-remove '[\n{}]'", self.listed(&self.unset, false));
        }
        text + "\n"
    }

    fn command_by_document(&self) -> String {
        let mut parts = vec![format!("\"EnvironmentName\": {}", json(&self.environment))];
        if !self.set.is_empty() {
            parts.push(format!("\"OptionSettings\": [\n{}]", self.listed(&self.set, true)));
        }
        if !self.unset.is_empty() {
            parts.push(format!("\"OptionsToRemove\": [\n{}]", self.listed(&self.unset, false)));
        }
        let document = parts.join(",\n  ");
        format!("aws elasticbeanstalk update-environment --cli-input-json '{{\n  {document}}}'\n")
    }

    /// JSON objects, between single quotes of the shell.
    fn listed(&self, options: &[OptionDocument], with_value: bool) -> String {
        let object = |option: &OptionDocument| {
            let [namespace, name, value] =
                [&option.namespace, &option.option_name, &option.value].map(|text| json(text));
            let value = if with_value { format!(", \"Value\": {value}") } else { String::new() };
            format!("    {{\"Namespace\": {namespace},\n     \"OptionName\": {name}{value}}}")
        };
        options.iter().map(object).collect::<Vec<_>>().join(",\n")
    }
}

/// Text as one word of a POSIX shell.
///
/// ```
/// use pipeline::paste::shell_word;
///
/// assert_eq!(shell_word("s3://bucket/prefix"), "s3://bucket/prefix");
/// assert_eq!(shell_word("ann's; rm x"), r"'ann'\''s; rm x'");
/// ```
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// JSON that may stand between single quotes of a shell.
fn json(text: &str) -> String {
    serde_json::to_string(text).expect("text is text").replace('\'', r"\u0027")
}

#[derive(Clone, Copy, PartialEq)]
enum Quotes {
    Yaml,
    /// As it is, where it is plain.
    YamlKey,
    Hcl,
}

/// Between double quotes, everything beyond plain ASCII escaped as YAML and HCL both have it.
fn quoted(text: &str, quotes: Quotes) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == ':';
    let is_word = text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.ends_with(':');
    if quotes == Quotes::YamlKey && is_word && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::from('"');
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            // What could begin an interpolation, which is looked for before escapes are.
            '$' | '%' if quotes == Quotes::Hcl && matches!(characters.peek(), Some('{' | '$' | '%')) => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            ' '..='~' => quoted.push(character),
            other if u32::from(other) <= 0xffff => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(other));
            }
            other => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(other));
            }
        }
    }
    quoted + "\""
}
