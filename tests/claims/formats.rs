//! What is pasted comes out of each form's own parser as it was, and what programs are told is as the schema says,
//! whatever the environment is called.

use std::path::Path;
use std::process::Command;

use pipeline::advice::{Frame, Kept, apply, digest, undo};
use pipeline::chat::{CustomNotification, custom_notification};
use pipeline::documents::{Kind, OptionDocument, RecommendationDocument};
use pipeline::envelope::{HttpsBody, MessageDocument, envelope};
use pipeline::news::{LEAST_GAIN, News, Word};
use pipeline::paste::{Form, Patch};
use pipeline::publish::Notification;
use pipeline::recorded::ebextensions;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{option, read_by_python, told};

const TRIGGER: &str = "aws:autoscaling:trigger";

/// Names and values that mean something to one reader or another.
const HOSTILE: [&str; 14] = [
    "it's",
    "say \"no\"",
    "$(touch /tmp/x) `id`",
    "${var.x} %{ if true } $${y}",
    "a\\b\\",
    "-rf",
    "file:///etc/passwd",
    "été \u{1f33f} 漢字",
    "line\u{2028}break \u{85}",
    "# comment: {x}, [y] & *z",
    "<script>alert(1)</script>",
    "<!channel> @here *bold* `code`",
    "yes",
    "name,Value=1 OptionName=x",
];

fn patch(environment: &str, value: &str) -> Patch {
    Patch {
        environment: environment.to_owned(),
        set: vec![
            option(TRIGGER, "UpperThreshold", "47"),
            option(TRIGGER, "LowerBreachScaleIncrement", "-1"),
            option("aws:autoscaling:asg", "Cooldown", value),
        ],
        unset: vec![option("aws:autoscaling:asg", "MinSize", "1")],
    }
}

fn triples(options: &[OptionDocument]) -> Vec<[String; 3]> {
    let triple = |option: &OptionDocument| {
        [option.namespace.clone(), option.option_name.clone(), option.value.clone()]
    };
    options.iter().map(triple).collect()
}

/// The words that a shell hands to `aws`.
fn words(command: &str) -> Vec<String> {
    let script = format!("aws() {{ printf '%s\\0' \"$@\"; }}\n{command}");
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{command}\n{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_terminator('\0').map(str::to_owned).collect()
}

/// Which environment, and which options are set and removed, as the AWS command line takes the words.
fn understood(words: &[String]) -> (String, Value, Value) {
    assert_eq!(words[..2], ["elasticbeanstalk", "update-environment"]);
    let after = |flag: &str| words.iter().position(|word| word == flag).map(|at| words[at + 1].clone());
    let list = |flag| after(flag).map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
    match after("--cli-input-json") {
        None => {
            assert!(words.len() <= 8, "{words:?}");
            let name = after("--environment-name").unwrap();
            // The command line would read these otherwise.
            assert!(!name.starts_with('-') && !name.contains("://"), "{name}");
            (name, list("--option-settings"), list("--options-to-remove"))
        }
        Some(document) => {
            assert_eq!(words.len(), 4, "{words:?}");
            let document: Value = serde_json::from_str(&document).unwrap();
            let name = document["EnvironmentName"].as_str().unwrap().to_owned();
            (name, document["OptionSettings"].clone(), document["OptionsToRemove"].clone())
        }
    }
}

fn listed(options: &[OptionDocument]) -> Value {
    options
        .iter()
        .map(|o| json!({ "Namespace": o.namespace, "OptionName": o.option_name, "Value": o.value }))
        .collect()
}

fn check_command(environment: &str, value: &str) {
    let patch = patch(environment, value);
    let (name, set, removed) = understood(&words(&patch.form(Form::Command)));
    assert_eq!((name.as_str(), set), (environment, listed(&patch.set)));
    assert_eq!(removed, json!([{ "Namespace": "aws:autoscaling:asg", "OptionName": "MinSize" }]));
}

fn check_yaml(value: &str) {
    let patch = patch("web-prod", value);
    for form in [Form::Ebextensions, Form::Cloudformation] {
        let text = patch.form(form);
        let read = ebextensions::read("pasted", text.as_bytes()).unwrap();
        assert_eq!(triples(&read.options), triples(&patch.set), "{text}");
        assert!(text.contains("# Take out, so that the default holds: MinSize\n"), "{text}");
    }
}

#[test]
fn a_shell_hands_the_command_line_what_was_meant() {
    for hostile in HOSTILE {
        check_command(hostile, "180");
        check_command("web-prod", hostile);
        check_command(hostile, hostile);
    }
}

#[test]
fn the_reader_of_peoples_files_reads_what_is_to_be_pasted_into_them() {
    HOSTILE.iter().for_each(|hostile| check_yaml(hostile));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_value_survives_yaml_and_any_name_a_shell(text in "[^\u{0}\n]{1,20}") {
        check_yaml(&text);
        check_command(&text, &text);
    }
}

#[test]
fn a_plain_command_is_as_short_as_people_write_it() {
    let patch = Patch { unset: vec![], ..patch("web-prod", "180") };
    assert!(patch.form(Form::Command).starts_with(
        "aws elasticbeanstalk update-environment \\\n  --environment-name web-prod --option-settings '[\n    {\"Namespace\""
    ));
}

#[test]
fn undoing_puts_back_what_is_there_and_takes_out_what_was_not() {
    let advice = told::change();
    let (apply, undo) = (apply(&advice), undo(&advice).unwrap());
    let names = |options: &[OptionDocument]| -> Vec<String> {
        options.iter().map(|option| option.option_name.clone()).collect()
    };
    assert_eq!(names(&apply.set), [names(&undo.set), names(&undo.unset)].concat());
    for was in &undo.set {
        let known =
            advice.present.as_ref().unwrap().options.iter().find(|o| o.option_name == was.option_name);
        assert_eq!(known, Some(was));
    }
    // A trigger that nobody set is left to Beanstalk again, and MinSize has its number back.
    let mut unset = advice;
    let present = unset.present.as_mut().unwrap();
    present.options.clear();
    present.given.as_mut().unwrap().retain(|option| option.option_name == "MinSize");
    let undo = pipeline::advice::undo(&unset).unwrap();
    assert_eq!(triples(&undo.set), [["aws:autoscaling:asg", "MinSize", "3"].map(str::to_owned)]);
    assert!(names(&undo.unset).contains(&"UpperThreshold".to_owned()));
    unset.present = None;
    assert!(pipeline::advice::undo(&unset).is_none());
}

fn schema() -> String {
    let schema = schemars::schema_for!(MessageDocument);
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

const SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/schemas/message.schema.json");

#[test]
fn the_published_schema_is_that_of_what_is_sent() {
    let published = std::fs::read_to_string(SCHEMA).unwrap_or_default();
    told::golden_text("message.schema.json", SCHEMA, &schema(), &published);
}

fn notification<'a>(
    message: &'a pipeline::advice::Message,
    news: &'a [News],
    frame: &'a Frame,
) -> Notification<'a> {
    Notification { message, news, frame }
}

/// Every kind of news, of a name.
fn all_news(name: &str) -> Vec<News> {
    told::one_of_each().into_iter().map(|(_, news)| told::renamed(news, name)).collect()
}

#[test]
#[cfg_attr(no_python_readers, ignore = "the Python readers are not installed: run `make test`")]
fn other_programs_read_what_is_sent_and_what_is_pasted() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: String, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
    for (index, hostile) in HOSTILE.iter().enumerate() {
        let patch = Patch { unset: vec![], ..patch("web-prod", hostile) };
        write(format!("{index:02}.tf"), &patch.form(Form::Terraform));
        write(format!("{index:02}.cf.yaml"), &patch.form(Form::Cloudformation));
        write(format!("{index:02}.config"), &patch.form(Form::Ebextensions));
    }
    let pages = Some("https://pages.example".into());
    let frame = Frame { pages, run_usd: Some(0.0004), kept: Kept::ByDefault };
    for (index, name) in ["web-prod", HOSTILE[3], HOSTILE[7]].into_iter().enumerate() {
        let news = all_news(name);
        let message = digest(&news, &frame);
        let document = MessageDocument::of(&notification(&message, &news, &frame), true);
        write(format!("message-{index}.json"), &serde_json::to_string(&document).unwrap());
        let mut broken = serde_json::to_value(&document).unwrap();
        broken["news"][0]["kind"] = json!("perhaps");
        broken["schema_version"] = json!("one");
        write(format!("xbroken-{index}.json"), &broken.to_string());
    }
    let seen = read_by_python("formats.py", [directory.path(), Path::new(SCHEMA)]);
    let seen = seen.as_object().unwrap();
    assert_eq!(seen.len(), 3 * HOSTILE.len() + 2 * 3);
    for (file, seen) in seen {
        match file.split_once('.').unwrap().1 {
            "json" if file.starts_with('x') => {
                assert_eq!(seen.as_array().unwrap().len(), 2, "{file}: {seen}");
            }
            "json" => assert_eq!(seen, &json!([]), "{file}"),
            _ => {
                let index: usize = file[..2].parse().unwrap();
                assert_eq!(seen, &json!(triples(&patch("web-prod", HOSTILE[index]).set)), "{file}");
            }
        }
    }
}

#[test]
fn a_chat_gets_a_custom_notification_where_that_is_configured() {
    let frame = Frame::default();
    let news = all_news("web-prod");
    for news in news.chunks(1).chain([&news[..]]) {
        let message = digest(news, &frame);
        let notification = notification(&message, news, &frame);
        let bodies = |https| serde_json::from_str::<Value>(&envelope(&notification, https)).unwrap();
        let (json, chat) = (bodies(HttpsBody::Json), bodies(HttpsBody::Chat));
        assert_eq!(json["https"], json["sqs"]);
        assert_eq!((&chat["sqs"], &chat["email"]), (&json["sqs"], &json["email"]));
        let body: Value = serde_json::from_str(chat["https"].as_str().unwrap()).unwrap();
        assert_eq!((&body["version"], &body["source"]), (&json!("1.0"), &json!("custom")));
        let content = &body["content"];
        assert_eq!(content["textType"], "client-markdown");
        for text in ["title", "description"] {
            assert!(content[text].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        }
        assert!(content["nextSteps"].is_array() && content["keywords"].is_array(), "{body}");
        assert!(body["metadata"]["threadId"].as_str().unwrap().starts_with("trellis"), "{body}");
    }
}

#[test]
fn a_name_that_means_something_to_a_chat_is_text_there() {
    for hostile in HOSTILE {
        for news in all_news(hostile) {
            let (frame, news) = (Frame::default(), [news]);
            let message = digest(&news, &frame);
            let custom = custom_notification(&notification(&message, &news, &frame));
            let steps = custom.content.next_steps.join("\n");
            let shown = [&custom.content.title, &custom.content.description, &custom.metadata.summary];
            for text in shown {
                assert!(!text.contains(['<', '>', '*', '`', '@', '[']), "{text}");
            }
            assert!(!steps.contains(['<', '*', '@']), "{steps}");
            assert!(custom.content.title.chars().count() <= 250 && custom.content.keywords.len() <= 5);
        }
    }
}

/// What a chat is told of a change to an environment of this name.
fn told_in_chat(name: &str, change: impl Fn(&mut RecommendationDocument)) -> CustomNotification {
    let Word::Advice(mut advice) = told::renamed(all_news("web-prod").swap_remove(0), name).word else {
        panic!("the first news is advice");
    };
    change(&mut advice);
    let (frame, news) = (Frame::default(), [News::of(Word::Advice(advice), None, LEAST_GAIN)]);
    let message = digest(&news, &frame);
    custom_notification(&notification(&message, &news, &frame))
}

#[test]
fn what_is_too_long_for_a_chat_is_cut_between_characters_and_the_rest_is_whole() {
    let plain = told_in_chat("web-prod", |_| ()).content;
    assert!(plain.title.starts_with("web-prod: ") && !plain.title.ends_with('…'), "{}", plain.title);
    assert!(!plain.description.ends_with('…'), "{}", plain.description);
    for spaces in 0..5 {
        let title = told_in_chat(&format!("{}{}", "x".repeat(spaces), "&".repeat(80)), |_| ()).content.title;
        assert!(title.chars().count() <= 200 && title.ends_with('…'), "{title}");
        assert!(title.split('&').skip(1).all(|rest| rest.starts_with("amp;")), "{title}");
    }
}

#[test]
fn a_chat_is_told_how_the_back_test_went_or_that_there_was_none() {
    let known = told_in_chat("web-prod", |_| ()).content.description;
    assert!(known.ends_with("Back-test: good."), "{known}");
    let unknown = told_in_chat("web-prod", |advice| advice.back_test = None).content.description;
    assert!(unknown.ends_with("No back-test: nothing was recorded to hold the replay against."), "{unknown}");
}

#[test]
fn what_means_nothing_to_a_reader_is_left_as_it_is() {
    for (form, value) in
        [(Form::Terraform, "a$b 5%"), (Form::Cloudformation, "a${b} $$ %{"), (Form::Ebextensions, "$%{")]
    {
        let text = patch("web-prod", value).form(form);
        assert!(text.contains(&format!("\"{value}\"")), "{text}");
    }
}

#[test]
fn only_news_of_a_change_brings_settings_to_paste() {
    let frame = Frame::default();
    for (name, news) in told::one_of_each() {
        let asks = news.kind == Kind::Change;
        let news = [news];
        let message = digest(&news, &frame);
        let document = MessageDocument::of(&notification(&message, &news, &frame), false);
        assert_eq!(document.news[0].apply.is_some(), asks, "{name}");
        assert!(document.news[0].recommendation.is_none());
    }
}
