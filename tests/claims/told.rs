//! What readers are told: each kind of news in its own words, as the golden files have them; once; and only what is worth it.

use std::sync::OnceLock;

use pipeline::advice::difference::{OptionDifference, difference};
use pipeline::advice::{self, Frame, Kept, Message, changes, digest, of_news};
use pipeline::archive::memory::MemoryArchive;
use pipeline::archive::{Archive, Environment, Key};
use pipeline::documents::{
    Confidence, CreditsDocument, DriftDocument, GradeDocument, Kind, OptionDocument, PolicyDocument,
    PublishedDocument, RecommendationDocument, ToldChange, ToldDocument, VerdictDocument,
};
use pipeline::ingest::{self, IngestRequest};
use pipeline::news::{LEAST_GAIN, News, Word, Worth};
use pipeline::publish::{self, PublishRequest, Told, last_word};
use pipeline::recorded::Recording;
use pipeline::refit::{self, RefitRequest};
use pipeline::store::{latest_published, write_json};
use pipeline::sweep::{GridOverrides, SweepRequest};
use proptest::prelude::*;
use scaling::coefficient::FitRules;
use scaling::sample::Sample;
use scaling::units::{CpuPercent, Instances};

use crate::stages::{
    Mailbox, advised, environment, options, publish_request, sweep, sweep_request, two_days, window,
    with_advice,
};
use crate::{block_on, in_one_line, option};

/// Compares with a golden file; a new one is left where it can be looked at and copied from.
pub(crate) fn golden_text(name: &str, path: &str, text: &str, golden: &str) {
    if text != golden {
        let new = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&new, text).unwrap();
        panic!("{name} has changed; if it should have: cp {} {path}", new.display());
    }
}

fn golden(name: &str, Message { subject, body }: &Message) {
    let path = format!("{}/claims/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    golden_text(name, &path, &format!("Subject: {subject}\n\n{body}"), &golden);
}

/// The usual advice to change something.
pub(crate) fn change() -> RecommendationDocument {
    static CHANGE: OnceLock<RecommendationDocument> = OnceLock::new();
    CHANGE.get_or_init(|| with_advice().1).clone()
}

fn news(advice: RecommendationDocument) -> News {
    News::of(Word::Advice(Box::new(advice)), None, LEAST_GAIN)
}

/// Settings other than the usual ones.
fn with(changed: &[(&str, &str)]) -> Vec<OptionDocument> {
    let trigger = "aws:autoscaling:trigger";
    let value = |option: &OptionDocument| {
        changed.iter().find(|(name, _)| *name == option.option_name).map(|(_, value)| (*value).to_owned())
    };
    let kept =
        options().into_iter().map(|o| OptionDocument { value: value(&o).unwrap_or(o.value.clone()), ..o });
    let new = changed.iter().filter(|(name, _)| options().iter().all(|o| o.option_name != *name));
    kept.chain(new.map(|(name, value)| option(trigger, name, value))).collect()
}

/// An archive with samples and these settings.
fn archive_of(samples: Vec<Sample>, options: Vec<OptionDocument>) -> MemoryArchive {
    let archive = MemoryArchive::default();
    let request = IngestRequest {
        environment: environment(),
        recording: Recording { samples, notes: vec![] },
        options: Some(options),
        activities: vec![],
        group: None,
        load_balancer_reported: None,
        leave_open: ingest::LEAVE_OPEN,
        fetched_until: None,
    };
    block_on(ingest::run(&archive, request)).unwrap();
    archive
}

fn refit(archive: &MemoryArchive) -> Result<refit::RefitReport, refit::RefitError> {
    let (environment, window, rules) = (environment(), window(), FitRules::default());
    block_on(refit::run(archive, RefitRequest { environment, window, rules, ceiling: None, load_test: None }))
}

/// What is said where refit and sweep refused.
fn refused(archive: &MemoryArchive) -> Word {
    let _ = refit(archive);
    sweep(archive, sweep_request()).unwrap_err();
    block_on(last_word(archive, &environment(), window().end)).unwrap()
}

fn few_minutes() -> MemoryArchive {
    archive_of(two_days().into_iter().take(20).collect(), options())
}

/// Where nothing smaller is tried, the present settings are the cheapest.
fn keep() -> RecommendationDocument {
    static KEEP: OnceLock<RecommendationDocument> = OnceLock::new();
    KEEP.get_or_init(kept).clone()
}

fn kept() -> RecommendationDocument {
    let (archive, _) = with_advice();
    let grid = GridOverrides { min_sizes: Some(vec![Instances(3)]), ..sweep_request().grid };
    let advice = sweep(&archive, SweepRequest { grid, ..sweep_request() }).unwrap().document;
    assert_eq!(advice.verdict, VerdictDocument::Keep);
    advice
}

pub(crate) fn none_holds() -> RecommendationDocument {
    let (archive, _) = with_advice();
    let grid = GridOverrides { max_sizes: Some(vec![Instances(1)]), ..sweep_request().grid };
    let ceiling = CpuPercent::new(30.0).ok();
    sweep(&archive, SweepRequest { grid, ceiling, ..sweep_request() }).unwrap().document
}

/// Recorded were three instances; these settings would have had them come and go.
fn not_trusted() -> RecommendationDocument {
    advised(with(&[("UpperThreshold", "20"), ("LowerThreshold", "10")]), two_days(), vec![])
}

fn single() -> RecommendationDocument {
    let single = option("aws:elasticbeanstalk:environment", "EnvironmentType", "SingleInstance");
    advised([options(), vec![single]].concat(), two_days(), vec![])
}

fn broken() -> RecommendationDocument {
    advised(with(&[("UpperThreshold", "20"), ("LowerThreshold", "60")]), two_days(), vec![])
}

/// What readers had been told, of the same environment.
fn told_before(advice: &RecommendationDocument) -> PublishedDocument {
    let record = news(advice.clone()).record("2026-11-03T06:20:00Z".parse().unwrap(), None);
    PublishedDocument { confirmed: true, ..record }
}

fn dearer(mut advice: RecommendationDocument) -> RecommendationDocument {
    let fit = advice.model.fit.as_mut().unwrap();
    let since = "2026-11-02T09:13:00Z".parse().unwrap();
    fit.drift = Some(DriftDocument { since, exact: true, share: 0.37, deployment: None });
    advice
}

/// A change that saves so much of the present hours.
fn saving(share: f64) -> RecommendationDocument {
    let mut advice = change();
    let hours = advice.present.as_ref().unwrap().outcome.as_ref().unwrap().instance_hours;
    advice.recommended.as_mut().unwrap().outcome.instance_hours = hours * (1.0 - share);
    advice
}

/// News of each kind, by the file that has its message.
pub(crate) fn one_of_each() -> Vec<(&'static str, News)> {
    static ALL: OnceLock<Vec<(&'static str, News)>> = OnceLock::new();
    ALL.get_or_init(each).clone()
}

fn each() -> Vec<(&'static str, News)> {
    let before = told_before(&change());
    let after =
        |advice: RecommendationDocument| News::of(Word::Advice(Box::new(advice)), Some(&before), LEAST_GAIN);
    let unreadable = archive_of(two_days(), with(&[("EvaluationPeriods", "some")]));
    let refusal = |archive: &MemoryArchive| News::of(refused(archive), None, LEAST_GAIN);
    vec![
        ("message.change.txt", news(change())),
        ("message.keep.txt", news(keep())),
        ("message.keep_small_gain.txt", news(saving(0.021))),
        ("message.none_holds.txt", news(none_holds())),
        ("message.not_trusted.txt", news(not_trusted())),
        ("message.trust_lost.txt", after(not_trusted())),
        ("message.trust_lost_drift.txt", after(dearer(keep()))),
        ("message.not_applicable.txt", news(single())),
        ("message.invalid_settings.txt", news(broken())),
        ("message.invalid_settings_unreadable.txt", refusal(&unreadable)),
        ("message.no_advice.txt", refusal(&few_minutes())),
    ]
}

/// The same of an environment of another name.
pub(crate) fn renamed(news: News, name: &str) -> News {
    let environment = name.to_owned();
    let word = match news.word {
        Word::Advice(advice) => {
            Word::Advice(Box::new(RecommendationDocument { environment: environment.clone(), ..*advice }))
        }
        Word::Refused(mut refusal) => {
            refusal.environment.clone_from(&environment);
            Word::Refused(refusal)
        }
    };
    News { environment, word, ..news }
}

fn one(file: &str) -> News {
    one_of_each().into_iter().find(|(name, _)| *name == file).unwrap().1
}

fn frame() -> Frame {
    let pages = Some("https://pages.example".into());
    Frame { pages, run_usd: Some(0.000_43), kept: Kept::In("s3://trellis-archive-123456789012".into()) }
}

#[test]
fn each_kind_of_news_reads_as_it_did() {
    let all = one_of_each();
    let failures: Vec<String> = all
        .iter()
        .filter_map(|(name, news)| {
            std::panic::catch_unwind(|| golden(name, &of_news(news, &frame())))
                .err()
                .map(|_| (*name).to_owned())
        })
        .collect();
    assert!(failures.is_empty(), "{failures:?}");
}

#[test]
fn several_environments_are_told_in_one_message_the_most_urgent_first() {
    let names = ["web-prod", "api-prod", "web-stage", "jobs", "old-shop"];
    let of = |name: &str| one(&format!("message.{name}.txt"));
    let news = ["change", "keep", "trust_lost", "no_advice", "none_holds"].map(of);
    let news: Vec<News> = news.into_iter().zip(names).map(|(news, name)| renamed(news, name)).collect();
    golden("message.digest.txt", &digest(&news, &frame()));
}

#[test]
fn a_message_has_72_columns_and_an_ascii_subject() {
    let address = |line: &str| line.starts_with("https://");
    for (name, news) in one_of_each() {
        let Message { subject, body } = of_news(&news, &frame());
        for line in body.lines().filter(|line| !address(line)) {
            assert!(line.chars().count() <= 72, "{name}: {line}");
        }
        assert!((1..100).contains(&subject.len()) && subject.bytes().all(|b| (b' '..=b'~').contains(&b)));
        assert!(subject.starts_with("web-prod: "), "{subject}");
    }
}

/// How often `text` makes one of some promises; each must be followed by the three minutes that it does not hold in.
pub(crate) fn promises_but_for_three(text: &str, promises: &[String]) -> usize {
    let text = text.replace('\n', " ");
    let made: Vec<(usize, &str)> =
        promises.iter().flat_map(|promise| text.match_indices(promise.as_str())).collect();
    for (at, promise) in &made {
        let after: String = text[at + promise.len()..].chars().take(20).collect();
        assert!(after.starts_with(" in all but 3 "), "{promise}{after}");
    }
    made.len()
}

#[test]
fn the_ceiling_is_never_promised_without_the_minutes_that_may_be_over_it() {
    let mut promises = 0;
    for (_, mut news) in one_of_each() {
        let Word::Advice(advice) = &mut news.word else { continue };
        advice.minutes_over_allowed = 3;
        let ceiling = advice.cpu_ceiling_percent;
        let Message { subject, body } = of_news(&news, &frame());
        let promised = [format!("under {ceiling} %"), format!("hold {ceiling} % CPU")];
        promises += promises_but_for_three(&body, &promised);
        assert!(subject.len() < 100, "{subject}");
    }
    assert!(promises > 8, "{promises}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_subject_is_short_and_says_what_it_is_about_whatever_the_name(name in "\\PC{1,60}") {
        let Message { subject, body } = of_news(&renamed(one("message.not_applicable.txt"), &name), &frame());
        prop_assert!((1..100).contains(&subject.len()) && subject.is_ascii());
        prop_assert!(subject.ends_with("a single instance has no trigger to advise on"));
        prop_assert!(name.contains(char::is_whitespace) || body.contains(&name));
    }
}

#[test]
fn the_headline_says_what_changes_and_what_that_does() {
    let mut advice = change();
    let present = advice.present.as_mut().unwrap();
    let now = [("UpperThreshold", "25"), ("UpperBreachScaleIncrement", "1")];
    let then = [("UpperThreshold", "15"), ("UpperBreachScaleIncrement", "2")];
    present.options.clone_from(&advice.recommended.as_ref().unwrap().options);
    let set = |options: &mut Vec<OptionDocument>, values: &[(&str, &str)]| {
        for option in options {
            let value = values.iter().find(|(name, _)| *name == option.option_name);
            option.value = value.map_or(option.value.clone(), |(_, value)| (*value).to_owned());
        }
    };
    set(&mut present.options, &now);
    present.given = Some(present.options.clone());
    present.outcome.as_mut().unwrap().instance_hours = 100.0;
    let recommended = advice.recommended.as_mut().unwrap();
    set(&mut recommended.options, &then);
    (recommended.outcome.instance_hours, recommended.outcome.max_cpu_percent) = (69.0, 44.2);
    assert_eq!(
        advice::message(&advice).subject,
        "web-prod: scale out by 2 at 15 %, not by 1 at 25 %: 31 % fewer instance-hours, peak CPU 44 %"
    );
    advice.recommended.as_mut().unwrap().outcome.max_cpu_percent = 49.7;
    let subject = advice::message(&advice).subject;
    assert!(subject.ends_with("peak CPU 49.70 %"), "no rounding up to the ceiling: {subject}");
}

#[test]
fn values_of_a_table_never_touch() {
    let mut advice = change();
    advice.present = None;
    let body = advice::message(&advice).body;
    assert!(body.contains("unknown  CPUUtilization"), "{body}");
    assert!(
        body.lines().filter(|line| line.contains("unknown  ")).count() > 10 && !body.contains("not set"),
        "{body}"
    );
}

#[test]
fn no_more_is_said_to_hold_than_was_tried() {
    let said = |room: f64, lights: &[&str]| {
        let mut advice = change();
        advice.room = Some(room);
        advice.holds_with = lights.iter().map(|light| (*light).to_owned()).collect();
        in_one_line(&advice::message(&advice).body)
    };
    let usual = said(1.68, &["1.25 times the traffic"]);
    assert!(usual.contains("It holds at every step of 1 % up to 1.68 times this traffic."), "{usual}");
    assert!(!usual.contains("it does again") && !usual.contains("bears"), "{usual}");
    let again = said(1.13, &["1.25 times the traffic", "1.10 times the traffic"]);
    assert!(again.contains("Just above that it does not, and at 1.25 times it does again"), "{again}");
    let none = said(1.0, &[]);
    assert!(none.contains("It holds this traffic, and not 1 % more of it."), "{none}");
    let most = said(3.0, &[]);
    assert!(most.contains("up to 3 times this traffic, the most that was tried"), "{most}");
}

fn run(archive: &MemoryArchive, mailbox: &Mailbox, request: &PublishRequest) -> Vec<Told> {
    let reports = block_on(publish::run(archive, mailbox, request)).unwrap();
    reports.into_iter().map(|(_, report)| report.unwrap().told).collect()
}

fn sent(mailbox: &Mailbox) -> Vec<String> {
    mailbox.messages.lock().unwrap().iter().map(|message| message.subject.clone()).collect()
}

/// The advice of several environments, in one archive.
fn fleet(names: &[&str]) -> (MemoryArchive, PublishRequest) {
    let (archive, advice) = (MemoryArchive::default(), change());
    let environments: Vec<Environment> = names.iter().map(|name| Environment::new(*name).unwrap()).collect();
    for environment in &environments {
        let advice = RecommendationDocument {
            environment: environment.name().into(),
            advice_id: format!("advice for {environment}"),
            ..advice.clone()
        };
        let key = Key::recommendation(environment, window().last_minute());
        block_on(write_json(&archive, &key, &advice)).unwrap();
    }
    (archive, PublishRequest { environments, ..publish_request() })
}

#[test]
fn many_environments_make_one_message_once() {
    let (archive, request) = fleet(&["web-prod", "api-prod", "jobs"]);
    let mailbox = Mailbox::default();
    assert_eq!(run(&archive, &mailbox, &request), [Told::Now; 3]);
    assert!(run(&archive, &mailbox, &request).iter().all(|told| matches!(told, Told::Before { .. })));
    assert_eq!(sent(&mailbox), ["3 environments: 3 to change"]);
    // Of what is new since, and of no more.
    let more = fleet(&["web-prod", "api-prod", "jobs", "new-prod"]).1;
    let key = Key::recommendation(&more.environments[3], window().last_minute());
    let copied = Key::recommendation(&more.environments[0], window().last_minute());
    let body = String::from_utf8(block_on(archive.get(&copied)).unwrap().unwrap().body.to_vec()).unwrap();
    let body = body.replace("web-prod", "new-prod");
    let document: serde_json::Value = serde_json::from_str(&body).unwrap();
    block_on(write_json(&archive, &key, &document)).unwrap();
    run(&archive, &mailbox, &more);
    assert_eq!(sent(&mailbox).len(), 2);
    assert!(sent(&mailbox)[1].starts_with("new-prod: "), "{:?}", sent(&mailbox));
}

#[test]
fn one_that_can_not_be_read_stops_no_other() {
    let (archive, request) = fleet(&["web-prod", "jobs"]);
    let nobody = Environment::new("nobody").unwrap();
    let request =
        PublishRequest { environments: [vec![nobody], request.environments.clone()].concat(), ..request };
    let mailbox = Mailbox::default();
    let reports = block_on(publish::run(&archive, &mailbox, &request)).unwrap();
    assert!(reports[0].1.is_err() && reports[1..].iter().all(|(_, report)| report.is_ok()));
    assert_eq!(sent(&mailbox), ["2 environments: 2 to change"]);
}

#[test]
fn a_digest_that_was_refused_is_sent_whole_by_the_next_run() {
    let (archive, request) = fleet(&["web-prod", "jobs"]);
    let mailbox = Mailbox::refusing(1);
    assert!(block_on(publish::run(&archive, &mailbox, &request)).is_err());
    assert_eq!(run(&archive, &mailbox, &request), [Told::Now; 2]);
    assert_eq!(sent(&mailbox).len(), 1);
}

#[test]
fn a_refusal_is_told_once_by_its_reason_and_advice_after_it_again() {
    let archive = few_minutes();
    let mailbox = Mailbox::default();
    let word = refused(&archive);
    assert_eq!(News::of(word, None, LEAST_GAIN).kind, Kind::NoAdvice);
    for _ in 0..2 {
        run(&archive, &mailbox, &publish_request());
    }
    assert_eq!(sent(&mailbox), ["web-prod: no advice: too few minutes to learn from"]);
    // Less or more of the same is no news.
    let request = |samples: usize| IngestRequest {
        environment: environment(),
        recording: Recording { samples: two_days().into_iter().take(samples).collect(), notes: vec![] },
        options: None,
        activities: vec![],
        group: None,
        load_balancer_reported: None,
        leave_open: ingest::LEAVE_OPEN,
        fetched_until: None,
    };
    block_on(ingest::run(&archive, request(25))).unwrap();
    refused(&archive);
    run(&archive, &mailbox, &publish_request());
    assert_eq!(sent(&mailbox).len(), 1);
    block_on(ingest::run(&archive, request(2880))).unwrap();
    refit(&archive).unwrap();
    sweep(&archive, sweep_request()).unwrap();
    assert_eq!(run(&archive, &mailbox, &publish_request()), [Told::Now]);
    assert_eq!(sent(&mailbox).len(), 2);
}

#[test]
fn advice_of_the_same_time_is_not_taken_back_by_a_refusal() {
    let (archive, _) = with_advice();
    let settings = GridOverrides { upper_thresholds: Some(vec![]), ..sweep_request().grid };
    let margin = CpuPercent::new(49.0).ok();
    for request in
        [SweepRequest { margin, ..sweep_request() }, SweepRequest { grid: settings, ..sweep_request() }]
    {
        sweep(&archive, request).unwrap_err();
        let word = block_on(last_word(&archive, &environment(), window().end)).unwrap();
        assert!(matches!(word, Word::Advice(_)), "{word:?}");
    }
}

#[test]
fn a_gain_below_the_share_that_was_set_is_no_news() {
    let kinds = |gain: f64, least: f64| {
        let news = News::of(Word::Advice(Box::new(saving(gain))), None, least);
        (news.kind, news.id)
    };
    assert_eq!((kinds(0.021, 0.03).0, kinds(0.04, 0.03).0), (Kind::Keep, Kind::Change));
    assert_eq!((kinds(0.04, 0.05).0, kinds(0.021, 0.02).0), (Kind::Keep, Kind::Change));
    assert_eq!(kinds(0.021, 0.03).1, kinds(0.017, 0.03).1, "another small gain is not another word");
    // Settings that do not hold are to be changed whatever that costs.
    let mut needed = saving(-0.03);
    needed.present.as_mut().unwrap().fails_with = vec!["1.25 times the traffic".into()];
    assert_eq!(News::of(Word::Advice(Box::new(needed)), None, 0.03).kind, Kind::Change);
}

#[test]
fn other_settings_are_no_news_while_those_that_were_told_hold_and_cost_about_the_same() {
    let today = change();
    let mut yesterday = today.clone();
    let other = yesterday.recommended.as_mut().unwrap();
    other.options.iter_mut().find(|o| o.option_name == "UpperThreshold").unwrap().value = "46".into();
    yesterday.advice_id = "of yesterday".into();
    let before = told_before(&yesterday);
    let recommended = today.recommended.as_ref().unwrap();
    let worth_after = |record: &PublishedDocument, options: &[OptionDocument], holds: bool, dearer: f64| {
        let mut outcome = recommended.outcome.clone();
        outcome.instance_hours *= dearer;
        let told = ToldDocument { at: before.at, options: options.to_vec(), outcome, holds };
        let today = RecommendationDocument { told: Some(told), ..today.clone() };
        news(today).worth(Some(record), LEAST_GAIN)
    };
    let worth = |options: &[OptionDocument], holds, dearer| worth_after(&before, options, holds, dearer);
    let options = &yesterday.recommended.as_ref().unwrap().options;
    let perhaps = PublishedDocument { confirmed: false, ..before.clone() };
    assert_eq!(worth_after(&perhaps, options, true, 1.02), Worth::Telling, "nobody may know of them");
    assert_eq!(worth(options, true, 1.02), Worth::StillGood { at: before.at });
    assert_eq!(worth(options, true, 1.05), Worth::Telling, "they cost clearly more");
    assert_eq!(worth(options, false, 1.0), Worth::Telling, "they do not hold any more");
    assert_eq!(worth(&recommended.options, true, 1.0), Worth::Telling, "of other settings it says nothing");
    let less = RecommendationDocument { told: None, ..today };
    assert_eq!(news(less).worth(Some(&before), LEAST_GAIN), Worth::Telling);
}

/// Has readers told, before the window, to set these options.
pub(crate) fn tell_earlier(archive: &MemoryArchive, options: Vec<OptionDocument>) {
    let record = block_on(latest_published(archive, &environment())).unwrap().unwrap();
    let until = window().start.start();
    let change = Some(ToldChange { at: record.at, until, options });
    let earlier = PublishedDocument { until: Some(until), change, ..record };
    block_on(write_json(archive, &Key::latest_published(&environment()), &earlier)).unwrap();
}

#[test]
fn a_sweep_says_how_what_was_told_before_does_now_and_says_the_same_when_it_runs_again() {
    let (archive, first) = with_advice();
    let mailbox = Mailbox::default();
    run(&archive, &mailbox, &publish_request());
    // Of the same time, nothing had been told before.
    assert_eq!(sweep(&archive, sweep_request()).unwrap().document, first);
    let window = scaling::units::Window { end: window().end - scaling::units::Minutes(5), ..window() };
    let record = block_on(latest_published(&archive, &environment())).unwrap().unwrap();
    assert_eq!(record.change_by(window.end.start()), None);
    let later = window.end + scaling::units::Minutes(10);
    let change = record.change_by(later.start()).unwrap();
    let PolicyDocument { mut options, outcome } = first.recommended.unwrap();
    assert_eq!(change.options, options);
    let told = |options: &[OptionDocument]| {
        tell_earlier(&archive, options.to_vec());
        sweep(&archive, sweep_request()).unwrap().document.told.unwrap()
    };
    let now = told(&options);
    assert!(now.holds && now.options == options && now.outcome == outcome);
    options.iter_mut().find(|option| option.option_name == "UpperThreshold").unwrap().value = "95".into();
    assert!(!told(&options).holds);
}

#[test]
fn trust_that_is_lost_is_told_once_and_explained_again_as_it_was() {
    let (archive, advice) = with_advice();
    let mailbox = Mailbox::default();
    run(&archive, &mailbox, &publish_request());
    let mut worse = keep();
    worse.back_test.as_mut().unwrap().grade = GradeDocument::Fair;
    worse.advice_id = "worse".into();
    let key = Key::recommendation(&environment(), window().last_minute());
    block_on(write_json(&archive, &key, &worse)).unwrap();
    for expected in [true, false] {
        assert_eq!(run(&archive, &mailbox, &publish_request())[0] == Told::Now, expected);
    }
    assert!(sent(&mailbox)[1].starts_with("web-prod: trust lost: the back-test is fair, and was good"));
    let record = block_on(latest_published(&archive, &environment())).unwrap();
    let again = News::again(Word::Advice(Box::new(worse)), record.as_ref(), LEAST_GAIN);
    assert_eq!(of_news(&again, &Frame::default()), mailbox.messages.lock().unwrap()[1].clone());
    // Requests that have become dearer are told though nothing else changed.
    let before = told_before(&advice);
    let dear = News::of(Word::Advice(Box::new(dearer(keep()))), Some(&before), LEAST_GAIN);
    assert_eq!((dear.kind, dear.worth(Some(&before), LEAST_GAIN)), (Kind::TrustLost, Worth::Telling));
    let told = dear.record(before.at, Some(&before));
    let once = News::of(dear.word.clone(), Some(&told), LEAST_GAIN);
    assert!(matches!(once.worth(Some(&told), LEAST_GAIN), Worth::Same { .. }));
}

#[test]
fn a_refusal_in_between_does_not_hide_that_trust_was_lost() {
    let before = told_before(&change());
    let refusal = News::of(refused(&few_minutes()), Some(&before), LEAST_GAIN);
    let told = refusal.record(before.at, Some(&before));
    assert_eq!(told.confidence, Some(Confidence::Good));
    let word = one("message.not_trusted.txt").word;
    let after = News::of(word, Some(&told), LEAST_GAIN);
    assert_eq!(after.kind, Kind::TrustLost);
}

const NOTHING: &str = "Nothing that is known here changed by as much as 1 %.";

#[test]
fn a_difference_names_what_changed_and_weighs_the_reasons() {
    let before = change();
    let mut after = before.clone();
    after.model.coefficient *= 1.3;
    after.traffic.peak_requests_per_minute *= 1.1;
    after.traffic.mean_requests_per_minute = before.traffic.mean_requests_per_minute.map(|mean| mean * 1.02);
    let recommended = after.recommended.as_mut().unwrap();
    recommended.options.iter_mut().find(|o| o.option_name == "UpperThreshold").unwrap().value = "40".into();
    let advised = before.recommended.as_ref().unwrap().options.clone();
    let present = after.present.as_mut().unwrap();
    (present.options, present.given) = (advised.clone(), Some(advised));
    let found = difference(&before, &after);
    let changed: Vec<_> =
        found.recommended.iter().map(|o| (o.before.as_deref(), o.after.as_deref())).collect();
    assert_eq!(changed, [(Some("47"), Some("40"))]);
    assert_eq!(found.present.len(), changes(&before).len());
    assert!(found.why[0].starts_with("A request costs 30 % more CPU than before"), "{:?}", found.why);
    assert_eq!(found.why[1], "Traffic is 10 % more at its peak, and 2 % more on average.");
    assert!(found.why[2].ends_with("they are those that were advised."), "{:?}", found.why);
    let allowed = RecommendationDocument { minutes_over_allowed: 15, ..before.clone() };
    assert_eq!(difference(&before, &allowed).why, ["15 minutes may be over the ceiling, not 0."]);
    assert_eq!(difference(&before, &before).why, [NOTHING]);
}

/// Why the usual advice became another one, a sentence after the other.
fn why(change: impl FnOnce(&mut [RecommendationDocument; 2])) -> String {
    let mut pair = [self::change(), self::change()];
    change(&mut pair);
    difference(&pair[0], &pair[1]).why.join(" ")
}

#[test]
fn another_cost_is_told_with_what_the_fits_leave_open() {
    let of = |low_before: f64, low_after: f64| {
        let told = why(|pair| {
            for (advice, low) in pair.iter_mut().zip([low_before, low_after]) {
                let fit = advice.model.fit.as_mut().unwrap();
                let coefficient = &mut fit.confidence.as_mut().unwrap().coefficient;
                (coefficient.low, coefficient.high) = (low, low + 1.0);
                advice.model.coefficient = low + 0.5;
            }
        });
        assert!(told.starts_with("A request costs "), "{told}");
        told
    };
    for (before, after) in [(1.0, 2.5), (2.5, 1.0)] {
        assert!(of(before, after).ends_with("than before, beyond what either fit leaves open."));
    }
    for (before, after) in [(1.0, 1.9), (1.9, 1.0)] {
        assert!(of(before, after).ends_with("than before, which is within what the fits leave open."));
    }
}

#[test]
fn another_ceiling_is_told_as_one_and_less_room_under_the_same_by_what_cpu_strays() {
    let higher = why(|[_, after]| (after.cpu_ceiling_percent, after.cpu_held_percent) = (60.0, 59.0));
    assert_eq!(higher, "The ceiling is 60 %, not 50 %.");
    let less = why(|[before, after]| {
        (before.cpu_held_percent, after.cpu_held_percent) = (49.0, 45.0);
        for (advice, spread) in [(before, 0.5), (after, 2.5)] {
            advice.model.fit.as_mut().unwrap().residual_spread_percent = spread;
        }
    });
    let strays = "since CPU strays from its line by 2.5 points, not 0.5.";
    assert_eq!(less, format!("A replay has to stay under 45.0 %, not 49.0 %, {strays}"));
}

#[test]
fn settings_that_somebody_changed_are_told_as_those_that_were_advised_only_if_they_are() {
    let present = |advice: &mut RecommendationDocument, options| {
        let now = advice.present.as_mut().unwrap();
        (now.options, now.given) = (options, None);
    };
    let advised = change().recommended.unwrap().options;
    let other = with(&[("UpperThreshold", "41")]);
    let changed = "The settings of the environment were changed in between";
    assert_eq!(why(|[_, after]| present(after, other.clone())), format!("{changed}."));
    let adopted = why(|[_, after]| present(after, advised.clone()));
    assert_eq!(adopted, format!("{changed}: they are those that were advised."));
    let kept = why(|[before, after]| {
        before.verdict = VerdictDocument::Keep;
        present(after, advised.clone());
    });
    assert_eq!(kept, format!("{changed}."));
    for known in [0, 1] {
        let unknown = why(|pair| present(&mut pair[known], vec![]));
        assert_eq!(unknown, NOTHING);
    }
}

/// The usual advice, given when this was set beside what it said.
fn when_set(advised: &[OptionDocument], name: &str, value: &str) -> RecommendationDocument {
    let mut advice = change();
    let present = advice.present.as_mut().unwrap();
    let of_it = |option: &OptionDocument| match option.option_name == name {
        true => OptionDocument { value: value.to_owned(), ..option.clone() },
        false => option.clone(),
    };
    present.given = Some(advised.iter().map(of_it).collect());
    advised.clone_into(&mut present.options);
    advice
}

fn differing(options: &[OptionDifference]) -> Vec<(&str, Option<&str>, Option<&str>)> {
    let all = options.iter();
    all.map(|o| (o.option_name.as_str(), o.before.as_deref(), o.after.as_deref())).collect()
}

#[test]
fn a_difference_shows_what_was_set_and_what_is_to_be_though_no_replay_takes_notice_of_it() {
    let advised = change().recommended.unwrap().options;
    let when = |value| when_set(&advised, "BreachDuration", value);
    let right = advised.iter().find(|o| o.option_name == "BreachDuration").unwrap().value.as_str();
    let found = difference(&when("30"), &when("45"));
    assert_eq!(differing(&found.present), [("BreachDuration", Some("30"), Some("45"))]);
    assert_eq!(differing(&found.to_set), []);
    let but = format!("they are those that were advised, but for BreachDuration (45, not {right}).");
    assert!(found.why[0].ends_with(&but), "{:?}", found.why);
    let found = difference(&when("30"), &when(right));
    assert_eq!(differing(&found.to_set), [("BreachDuration", Some(right), None)]);
    assert!(found.why[0].ends_with("they are those that were advised."), "{:?}", found.why);
    assert!(found.recommended.is_empty());
}

#[test]
fn another_spelling_and_a_default_that_is_written_out_are_no_difference() {
    let advised = change().recommended.unwrap().options;
    let [spelt, written] = ["0360", ""].map(|value| when_set(&advised, "Cooldown", value));
    let found = difference(&when_set(&advised, "Cooldown", "360"), &spelt);
    assert_eq!((differing(&found.present), found.why), (vec![], vec![NOTHING.to_owned()]));
    assert_eq!(differing(&difference(&spelt, &written).present), []);
}

#[test]
fn advice_to_keep_says_to_set_nothing() {
    let kept = RecommendationDocument { verdict: VerdictDocument::Keep, ..change() };
    let to_set = difference(&change(), &kept).to_set;
    assert_eq!(to_set.len(), changes(&change()).len());
    assert!(to_set.iter().all(|option| option.after.is_none()), "{to_set:?}");
}

#[test]
fn what_settings_have_to_hold_in_besides_is_told_but_for_shifts() {
    let lights = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let asked = |before: &[&str], after: &[&str]| {
        why(|pair| [pair[0].holds_with, pair[1].holds_with] = [lights(before), lights(after)])
    };
    let more = ["1.10 times the traffic", "launches of 3 min", "later metrics"];
    let new = "Settings now have to hold with launches of 3 min and with later metrics.";
    assert_eq!(asked(&more[..1], &more), new);
    assert_eq!(asked(&more, &more[..1]), NOTHING);
    assert_eq!(asked(&more[..1], &["1.10 times the traffic", "the traffic 2 min later"]), NOTHING);
    assert_eq!(asked(&[], &more), NOTHING);
}

#[test]
fn what_was_advised_is_held_against_the_traffic_of_the_second() {
    let told = |holds| {
        let PolicyDocument { options, outcome } = change().recommended.unwrap();
        ToldDocument { at: window().end.start(), options, outcome, holds }
    };
    let hours = change().recommended.unwrap().outcome.instance_hours;
    for (holds, words) in [(true, "would still hold"), (false, "would no longer hold")] {
        let said = why(|[_, after]| after.told = Some(told(holds)));
        let taken =
            format!("and take {hours:.1} instance hours, where those recommended now take {hours:.1}.");
        assert_eq!(said, format!("On the traffic of the second, the settings of the first {words} {taken}"));
    }
    let others = why(|[_, after]| after.told = Some(ToldDocument { options: vec![], ..told(true) }));
    assert_eq!(others, NOTHING);
    let kept = why(|[before, after]| {
        before.verdict = VerdictDocument::Keep;
        after.told = Some(told(true));
    });
    assert_eq!(kept, NOTHING);
}

#[test]
fn numbers_that_differ_are_told_as_a_share() {
    let mut pair = [change(), change()];
    pair[1].model.coefficient *= 1.3;
    pair[0].model.intercept_percent = 0.0;
    let numbers = difference(&pair[0], &pair[1]).numbers;
    let share = |what: &str| numbers.iter().find(|number| number.what == what).unwrap().share();
    assert!((share("% CPU for a request per minute").unwrap() - 0.3).abs() < 1e-9);
    assert_eq!((share("% CPU without requests"), share("ceiling, % CPU")), (None, Some(0.0)));
}

#[test]
fn credits_in_unlimited_mode_are_told_where_a_whole_one_is_spent_beyond_what_is_earned() {
    let said = |unlimited, minutes_throttled, surplus_credits| {
        let instance_type = "t3.small".to_owned();
        let credits = CreditsDocument {
            instance_type,
            unlimited,
            baseline_percent: 20.0,
            minutes_throttled,
            surplus_credits,
        };
        let advice = RecommendationDocument { credits: Some(credits), ..change() };
        in_one_line(&advice::message(&advice).body)
    };
    let none = "Starting with none saved up, no instance would run out.";
    assert!(said(true, 0, 0.9).contains(none) && said(false, 0, 0.0).contains(none));
    assert!(said(true, 0, 12.4).contains("the group would spend 12 credits more than it earns"));
    assert!(said(false, 7, 0.0).contains("instances would be held at their baseline in 7 minutes"));
}
