//! All four handlers on memory: what they answer, what they say to wrong events, and what they survive.

#![expect(clippy::unwrap_used, reason = "a test that meets an error fails")]

use std::num::NonZero;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;
use lambda::failure::{Failure, Kind};
use lambda::ingest::Ports;
use lambda::publish::Telling;
use lambda::serve::Left;
use lambda::sweep::Defaults;
use lambda::{ingest, publish, refit, sweep};
use lambda_runtime::tracing;
use pipeline::activity::{Activity, ActivityKind};
use pipeline::advice::Message;
use pipeline::archive::memory::MemoryArchive;
use pipeline::archive::{Archive, ArchiveError, Environment, Expected, Key, Object, Prefix};
use pipeline::documents::{GroupDocument, OptionDocument};
use pipeline::fetch::{self, Counter, Periods, Role};
use pipeline::fleet::Fleet;
use pipeline::publish::{Notification, Notifier, NotifyError};
use pipeline::service::{ServiceError, Trouble};
use pipeline::source::memory::{MemoryEnvironments, MemoryMetrics};
use pipeline::source::{Described, Group, LoadBalancer, Tier};
use scaling::sample::{Metric, Period};
use scaling::units::{CpuPercent, MinuteUtc, Minutes};
use serde_json::{Value, json};

const NOW: &str = "2026-11-04T06:20:00Z";

fn now() -> MinuteUtc {
    MinuteUtc::containing(NOW.parse().unwrap()).unwrap()
}

fn option(namespace: &str, name: &str, value: &str) -> OptionDocument {
    OptionDocument {
        namespace: namespace.into(),
        option_name: name.into(),
        value: value.into(),
        resource_name: None,
    }
}

fn load_balancer() -> LoadBalancer {
    LoadBalancer::Classic("lb".into())
}

fn described() -> Described {
    let trigger = |name, value| option("aws:autoscaling:trigger", name, value);
    let group = GroupDocument { name: "g".into(), min_size: 3, max_size: 6, default_cooldown_seconds: 360 };
    Described {
        id: "e-1".into(),
        tier: Tier::Web,
        group: Some(Group { document: group, suspended: vec![], zones: 2 }),
        load_balancer: load_balancer(),
        options: vec![
            trigger("MeasureName", "CPUUtilization"),
            trigger("Unit", "Percent"),
            trigger("UpperThreshold", "60"),
            trigger("LowerThreshold", "20"),
            option("aws:autoscaling:asg", "MinSize", "3"),
            option("aws:autoscaling:asg", "MaxSize", "6"),
            option("aws:elb:loadbalancer", "CrossZone", "true"),
            option("aws:autoscaling:launchconfiguration", "MonitoringInterval", "1 minute"),
        ],
    }
}

/// A day and a half of a wave of requests on three instances.
fn metrics() -> MemoryMetrics {
    let mut metrics = MemoryMetrics::default();
    wave(&mut metrics, now(), 2160);
    metrics
}

/// So many minutes of it before `end`.
fn wave(metrics: &mut MemoryMetrics, end: MinuteUtc, minutes: u32) {
    let periods = Periods { cpu: Period::OneMinute, others: Period::OneMinute };
    for ago in 1..=minutes {
        let phase = f64::from(ago % 720) / 720.0;
        let requests = (1000.0 + 8000.0 * (1.0 - (2.0 * phase - 1.0).abs())).round();
        let stray = [0.4, -0.4][ago as usize % 2];
        for wanted in fetch::wanted("g", &load_balancer(), periods) {
            let value = match wanted.role {
                Role::Metric(Metric::Requests) => requests,
                Role::Metric(Metric::CpuPercent) => 2.0 + 0.01 * requests / 3.0 + stray,
                Role::Counter(Counter::LoadBalancer) => 3.0,
                _ => continue,
            };
            metrics.put(&wanted.query, end - Minutes(ago), value);
        }
    }
}

/// An account, its archive, its readers and the log.
struct Account<A> {
    archive: A,
    environments: MemoryEnvironments,
    metrics: MemoryMetrics,
    mailbox: Mailbox,
    log: Mutex<Vec<String>>,
}

impl<A: Archive> Account<A> {
    fn on(archive: A) -> Self {
        let mut environments = MemoryEnvironments::default();
        for name in ["api", "web"] {
            environments.environments.insert(name.into(), (described(), vec![]));
        }
        let hours = [5, 20, 30].map(|hours| now() - Minutes(60 * hours));
        let launch = |at: MinuteUtc| Activity {
            id: at.to_string(),
            kind: ActivityKind::Launch,
            start: at.start(),
            end: Some((at + Minutes(1)).start()),
            successful: true,
            cause: String::new(),
        };
        environments.activities.insert("g".into(), hours.map(launch).to_vec());
        let (mailbox, log) = (Mailbox::default(), Mutex::default());
        Self { archive, environments, metrics: metrics(), mailbox, log }
    }

    fn ingest(&self, fleet: &str, event: Value) -> Result<Value, Failure> {
        let emit = |line: &str| self.log.lock().unwrap().push(line.to_owned());
        let ports = Ports {
            archive: &self.archive,
            environments: &self.environments,
            metrics: &self.metrics,
            emit: &emit,
        };
        let fleet: Fleet = fleet.parse().unwrap();
        block_on(ingest::handle(ports, &fleet, event, clock()))
    }

    fn refit(&self, event: Value) -> Result<Value, Failure> {
        block_on(refit::handle(&self.archive, &|_| (), 14, event, clock()))
    }

    fn sweep(&self, event: Value) -> Result<Value, Failure> {
        self.sweep_in(event, &|| Duration::from_secs(300))
    }

    /// As long as there is time `left`.
    fn sweep_in(&self, mut event: Value, left: Left<'_>) -> Result<Value, Failure> {
        // Few policies, for speed.
        let few = json!({ "upper_thresholds": [30, 40], "lower_thresholds": [10], "cooldowns": [360], "min_sizes": [2] });
        if let Some(event) = event.as_object_mut() {
            event.entry("candidates").or_insert(few);
        }
        let cpu_ceiling = CpuPercent::new(50.0).ok();
        let defaults = Defaults { lookback_days: 14, cpu_ceiling, threads: NonZero::<usize>::MIN };
        block_on(sweep::handle(&self.archive, &|_| (), defaults, event, clock(), left))
    }

    fn publish(&self, event: Value) -> Result<Value, Failure> {
        let (pages, archive) = (Some("https://pages.example".into()), "s3://bucket".into());
        let telling = Telling { least_gain: 0.03, pages, archive };
        block_on(publish::handle(&self.archive, &self.mailbox, &|_| (), &telling, event, clock()))
    }

    /// The whole chain for one environment, as the state machines run it.
    fn chain(&self) -> Result<(), Failure> {
        let event = json!({ "environment": "web", "time": NOW });
        self.ingest("web", event.clone())?;
        self.refit(event.clone())?;
        self.sweep(event.clone())?;
        self.publish(event).map(|_| ())
    }
}

fn clock() -> Timestamp {
    NOW.parse().unwrap()
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Remembers messages.
#[derive(Default)]
struct Mailbox(Mutex<Vec<Message>>);

impl Mailbox {
    fn subjects(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().map(|message| message.subject.clone()).collect()
    }
}

#[async_trait]
impl Notifier for Mailbox {
    async fn notify(&self, notification: Notification<'_>) -> Result<(), NotifyError> {
        self.0.lock().unwrap().push(notification.message.clone());
        Ok(())
    }
}

/// An archive whose puts fail from one on, as if the function had been killed before it.
struct Dying {
    under: MemoryArchive,
    puts_left: AtomicI64,
}

#[async_trait]
impl Archive for Dying {
    async fn get(&self, key: &Key) -> Result<Option<Object>, ArchiveError> {
        self.under.get(key).await
    }

    async fn put(&self, key: &Key, body: Bytes, expected: Expected<'_>) -> Result<(), ArchiveError> {
        if self.puts_left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            let said = "the function was killed".to_owned();
            let source = ServiceError { action: "s3:PutObject", trouble: Trouble::Unavailable, said };
            return Err(ArchiveError::Store {
                action: "writing",
                place: key.to_string(),
                source: source.into(),
            });
        }
        self.under.put(key, body, expected).await
    }

    async fn list(&self, prefix: &Prefix) -> Result<Vec<Key>, ArchiveError> {
        self.under.list(prefix).await
    }
}

fn objects(archive: &dyn Archive) -> Vec<(Key, Bytes)> {
    let web = Environment::new("web").unwrap();
    let prefixes = [Prefix::samples, Prefix::settings, Prefix::activities, Prefix::fits, Prefix::sweeps];
    let prefixes = prefixes.map(|of| of(&web));
    let keys = prefixes.iter().flat_map(|prefix| block_on(archive.list(prefix)).unwrap());
    keys.map(|key| (key.clone(), block_on(archive.get(&key)).unwrap().unwrap().body)).collect()
}

#[test]
fn the_four_stages_lead_to_one_message_however_often_they_run() {
    let account = Account::on(MemoryArchive::default());
    for _ in 0..3 {
        account.chain().unwrap();
    }
    let subjects = account.mailbox.subjects();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
    assert!(subjects[0].starts_with("web: scale out"), "{subjects:?}");
}

#[test]
fn killed_before_any_write_the_next_run_makes_it_whole_and_nobody_is_told_twice() {
    let whole = Account::on(MemoryArchive::default());
    whole.chain().unwrap();
    let writes = whole.archive.puts();
    assert!(writes >= 7, "samples of three days, settings, fit, sweep, advice, record: {writes}");
    for survived in 0..writes {
        let puts_left = AtomicI64::new(i64::try_from(survived).unwrap());
        let account = Account::on(Dying { under: MemoryArchive::default(), puts_left });
        let failure = account.chain().unwrap_err();
        assert_eq!(failure.kind, Kind::Transient, "{failure}");
        account.archive.puts_left.store(i64::MAX, Ordering::Relaxed);
        account.chain().unwrap();
        let same = objects(&account.archive) == objects(&whole.archive);
        assert!(same, "killed before put {survived}");
        let told = account.mailbox.0.lock().unwrap().len();
        assert_eq!(told, 1, "killed before put {survived}");
    }
}

/// An archive that takes no page.
struct Pageless(MemoryArchive);

#[async_trait]
impl Archive for Pageless {
    async fn get(&self, key: &Key) -> Result<Option<Object>, ArchiveError> {
        self.0.get(key).await
    }

    async fn put(&self, key: &Key, body: Bytes, expected: Expected<'_>) -> Result<(), ArchiveError> {
        if key.as_str().ends_with(".html") {
            let source =
                ServiceError { action: "s3:PutObject", trouble: Trouble::Denied, said: "no".to_owned() };
            let place = key.to_string();
            return Err(ArchiveError::Store { action: "writing", place, source: source.into() });
        }
        self.0.put(key, body, expected).await
    }

    async fn list(&self, prefix: &Prefix) -> Result<Vec<Key>, ArchiveError> {
        self.0.list(prefix).await
    }
}

#[test]
fn whoever_is_told_finds_the_page_and_the_fleet_has_an_index() {
    let account = Account::on(MemoryArchive::default());
    account.chain().unwrap();
    let page = |key: Key| block_on(account.archive.get(&key)).unwrap().map(|object| object.body);
    let web = Environment::new("web").unwrap();
    let html = page(Key::report(&web, now() - Minutes(4))).unwrap();
    assert!(html.starts_with(b"<!DOCTYPE html>"));
    assert!(page(Key::reports()).is_none(), "one environment is not the fleet");
    account.publish(json!({ "time": NOW })).unwrap();
    assert!(page(Key::reports()).is_some());
}

#[test]
fn a_page_that_cant_be_kept_keeps_no_advice_back_and_is_told() {
    let account = Account::on(Pageless(MemoryArchive::default()));
    account.ingest("web", json!({ "time": NOW })).unwrap();
    account.chain().unwrap();
    assert_eq!(account.mailbox.0.lock().unwrap().len(), 1);
    let answer = account.publish(json!({ "time": NOW })).unwrap();
    let failed = answer["failed_pages"].as_array().unwrap();
    let named: Vec<&Value> = failed.iter().map(|page| &page["environment"]).collect();
    assert_eq!(named, ["the page of `web`", "the index of all environments"]);
    for page in failed {
        assert_eq!((&page["failed"], &page["error"]), (&json!(true), &json!("Trellis.Denied")));
        assert!(page["cause"].as_str().unwrap().starts_with("writing the page"), "{page}");
    }
}

#[test]
fn a_damaged_object_of_one_environment_spoils_neither_the_message_nor_the_index() {
    let account = Account::on(MemoryArchive::default());
    let event = json!({ "time": NOW });
    account.ingest("api,web", event.clone()).unwrap();
    account.refit(event.clone()).unwrap();
    account.sweep(event.clone()).unwrap();
    let damaged = Key::samples(&Environment::new("api").unwrap(), now());
    block_on(account.archive.put(&damaged, Bytes::from("no table"), Expected::Anything)).unwrap();
    let answer = account.publish(event).unwrap();
    assert_eq!(account.mailbox.subjects(), ["2 environments: 2 to change"]);
    let [failed] = answer["failed_pages"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    assert_eq!(
        (&failed["environment"], &failed["error"]),
        (&json!("the page of `api`"), &json!("Trellis.Damaged"))
    );
    let index = block_on(account.archive.get(&Key::reports())).unwrap().unwrap().body;
    let index = String::from_utf8(index.to_vec()).unwrap();
    assert!(index.contains(&format!("not known: `{damaged}` is damaged")), "{index}");
    assert!(index.contains("href=\"environment=web/date=2026-11-04/report.html\""), "{index}");
}

#[test]
fn one_that_fails_does_not_stop_the_others_and_is_named() {
    let account = Account::on(MemoryArchive::default());
    let failure = account.ingest("api,nobody,web", json!({ "time": NOW })).unwrap_err();
    assert_eq!(failure.kind, Kind::NotFound);
    assert!(failure.message.starts_with("1 of 3 environments failed: `nobody`: there is no"), "{failure}");
    for name in ["api", "web"] {
        let samples = Prefix::samples(&Environment::new(name).unwrap());
        assert_eq!(block_on(account.archive.list(&samples)).unwrap().len(), 3, "{name}");
    }
}

#[test]
fn the_fleet_that_ingest_saw_is_that_of_the_later_stages() {
    let account = Account::on(MemoryArchive::default());
    let listed = account.ingest("*", json!({ "list_environments": true })).unwrap();
    assert_eq!(listed, json!({ "stage": "ingest", "time": NOW, "environments": ["api", "web"] }));
    account.ingest("*", json!({})).unwrap();
    let answer = account.refit(json!({})).unwrap();
    let named: Vec<&Value> =
        answer["reports"].as_array().unwrap().iter().map(|r| &r["environment"]).collect();
    assert_eq!(named, ["api", "web"]);
}

#[test]
fn an_event_of_eventbridge_gives_the_time() {
    let account = Account::on(MemoryArchive::default());
    let event = json!({
        "version": "0", "id": "1", "detail-type": "Scheduled Event", "source": "aws.events", "account": "1",
        "time": NOW, "region": "eu-central-1", "resources": [], "detail": {},
    });
    let answer = account.ingest("web", event).unwrap();
    assert_eq!((&answer["time"], &answer["reports"][0]["outcome"]), (&json!(NOW), &json!("done")));
}

#[test]
fn a_load_test_is_kept_beside_the_fits_of_traffic() {
    let account = Account::on(MemoryArchive::default());
    account.chain().unwrap();
    let test = |instances: u32| {
        let event =
            json!({ "environment": "web", "time": NOW, "instances": instances, "cpu_ceiling_percent": 40 });
        account.refit(event).unwrap()["reports"][0].clone()
    };
    let (one, four) = (test(1), test(4));
    let key = one["key"].as_str().unwrap();
    assert!(key.starts_with("fits/environment=web/date=") && key.ends_with("/load-test.json"), "{key}");
    let serves = |report: &Value| report["fit"]["capacity"]["requests_per_minute"].as_f64().unwrap();
    assert!((serves(&one) / serves(&four) - 4.0).abs() < 1e-6);
    assert_eq!(one["fit"]["capacity"]["cpu_percent"], 40.0);
}

#[test]
fn a_refusal_is_an_answer_with_its_reason() {
    let account = Account::on(MemoryArchive::default());
    let event = json!({ "environment": "web", "time": NOW });
    let answer = account.refit(event.clone()).unwrap();
    assert_eq!(answer["reports"][0]["outcome"], "refused");
    assert!(answer["reports"][0]["reason"].as_str().unwrap().contains("`web` has no samples"), "{answer}");
    assert_eq!(account.sweep(event.clone()).unwrap()["reports"][0]["outcome"], "refused");
    // Readers are told, by the first reason of all.
    let told = account.publish(event).unwrap()["reports"][0].clone();
    assert_eq!(
        (&told["outcome"], &told["kind"], &told["told"]),
        (&json!("done"), &json!("no_advice"), &json!("now"))
    );
    assert_eq!(told["refusal"]["code"], "no_samples");
    let nothing = account.publish(json!({ "environment": "api", "time": NOW })).unwrap();
    assert_eq!(nothing["reports"][0]["outcome"], "refused");
}

#[test]
fn several_environments_are_told_at_once_with_what_the_run_cost() {
    let account = Account::on(MemoryArchive::default());
    let event = json!({ "time": NOW });
    account.ingest("api,web", event.clone()).unwrap();
    let cost = |answer: Value| -> f64 {
        answer["reports"].as_array().unwrap().iter().map(|report| report["usd"].as_f64().unwrap()).sum()
    };
    let spent = cost(account.refit(event.clone()).unwrap()) + cost(account.sweep(event).unwrap());
    assert!((1e-5..1e-2).contains(&spent), "{spent}");
    let event = json!({ "time": NOW, "environments": ["api", "web"], "spent_usd": spent });
    account.publish(event.clone()).unwrap();
    let body = account.mailbox.0.lock().unwrap()[0].body.clone();
    assert!(body.contains("This run cost about 0.0"), "{body}");
    assert!(
        body.contains("https://pages.example/sweeps/environment=web/date=2026-11-04/report.html"),
        "{body}"
    );
    account.publish(event).unwrap();
    assert_eq!(account.mailbox.subjects(), ["2 environments: 2 to change"]);
    let both = json!({ "environment": "web", "environments": ["api"] });
    let failure = account.publish(both).unwrap_err();
    assert!(failure.message.contains("`environments`: it goes without `environment`"), "{failure}");
}

/// The advice of one environment as that of so many, by their names.
fn advised(account: &Account<MemoryArchive>, count: usize) -> Vec<String> {
    account.chain().unwrap();
    let names: Vec<String> = (0..count).map(|number| format!("web-{number:03}")).collect();
    let web = Environment::new("web").unwrap();
    let advice = block_on(account.archive.get(&Key::recommendation(&web, now()))).unwrap().unwrap().body;
    let mut advice: Value = serde_json::from_slice(&advice).unwrap();
    for name in &names {
        advice["environment"] = json!(name);
        let key = Key::recommendation(&Environment::new(name.clone()).unwrap(), now());
        let body = Bytes::from(advice.to_string());
        block_on(account.archive.put(&key, body, Expected::Absent)).unwrap();
    }
    names
}

#[test]
fn the_answer_about_a_hundred_environments_is_one_that_a_state_machine_takes() {
    let account = Account::on(MemoryArchive::default());
    let names = advised(&account, 100);
    let answer = account.publish(json!({ "time": NOW, "environments": names })).unwrap();
    let bytes = answer.to_string().len();
    assert!(bytes < 256 * 1024 / 2, "{bytes}");
    let report = &answer["reports"][7];
    assert_eq!((&report["environment"], &report["kind"]), (&json!("web-007"), &json!("change")));
    assert_eq!((&report["told"], &report["recommendation"]), (&json!("now"), &Value::Null));
    assert_eq!(report["key"], "sweeps/environment=web-007/date=2026-11-04/recommendation.json");
    assert!(report["subject"].as_str().unwrap().starts_with("web-007: scale out"), "{report}");
    let one = account.publish(json!({ "time": NOW, "environment": "web-007" })).unwrap();
    let whole = &one["reports"][0];
    assert_eq!((&whole["key"], &whole["recommendation"]["environment"]), (&report["key"], &json!("web-007")));
    assert!(whole["body"].as_str().unwrap().starts_with("web-007: "), "{whole}");
}

#[test]
fn a_fleet_is_answered_in_headings_and_one_environment_with_its_whole_documents() {
    let account = Account::on(MemoryArchive::default());
    let fleet = json!({ "time": NOW });
    let one = json!({ "time": NOW, "environment": "web" });
    account.ingest("api,web", fleet.clone()).unwrap();
    let of_web = |answer: Value| answer["reports"].as_array().unwrap().last().unwrap().clone();
    let (fits, fit) = (account.refit(fleet.clone()).unwrap(), account.refit(one.clone()).unwrap());
    let (sweeps, sweep) = (account.sweep(fleet).unwrap(), account.sweep(one).unwrap());
    for answer in [&fits, &sweeps] {
        let a_hundred = answer.to_string().len() / 2 * 100;
        assert!(a_hundred < 256 * 1024 / 2, "{answer}");
    }
    let (heading, whole) = (of_web(fits), of_web(fit));
    assert_eq!(heading["key"], "fits/environment=web/date=2026-11-04/fit.json");
    assert_eq!((&heading["fit"], &heading["coefficient"]), (&Value::Null, &whole["fit"]["coefficient"]));
    assert!(whole["fit"]["coefficient"].is_number(), "{whole}");
    let (heading, whole) = (of_web(sweeps), of_web(sweep));
    assert_eq!(heading["key"], "sweeps/environment=web/date=2026-11-04/recommendation.json");
    assert!(heading["subject"].as_str().unwrap().starts_with("web: scale out"), "{heading}");
    assert_eq!((&heading["verdict"], &heading["recommendation"]), (&json!("change"), &Value::Null));
    assert_eq!(whole["recommendation"]["verdict"], "change");
}

#[test]
fn what_advice_does_not_apply_to_is_told_by_the_reason_that_ingest_had() {
    let mut account = Account::on(MemoryArchive::default());
    let worker = Described { tier: Tier::Worker, ..described() };
    account.environments.environments.insert("web".into(), (worker, vec![]));
    account.chain().unwrap();
    account.chain().unwrap();
    assert_eq!(account.mailbox.subjects(), ["web: no advice: it is a worker, without requests"]);
}

#[test]
fn an_environment_that_is_one_instance_since_days_is_refused_advice_and_told_so_once() {
    let mut account = Account::on(MemoryArchive::default());
    account.chain().unwrap();
    let single = Described { load_balancer: LoadBalancer::None, ..described() };
    account.environments.environments.insert("web".into(), (single, vec![]));
    for day in ["2026-11-05", "2026-11-06"] {
        let event = json!({ "environment": "web", "time": format!("{day}T06:20:00Z") });
        account.ingest("web", event.clone()).unwrap();
        for answer in [account.refit(event.clone()).unwrap(), account.sweep(event.clone()).unwrap()] {
            let report = &answer["reports"][0];
            assert_eq!(report["outcome"], "refused");
            assert!(report["reason"].as_str().unwrap().contains("`web` has no load balancer"), "{report}");
        }
        let told = account.publish(event).unwrap();
        assert_eq!(told["reports"][0]["refusal"]["code"], "no_request_count", "{told}");
    }
    let subjects = account.mailbox.subjects();
    assert_eq!(subjects.len(), 2, "the advice of before, and that there is none any more: {subjects:?}");
}

#[test]
fn a_refusal_of_long_ago_or_of_another_time_does_not_excuse_old_samples() {
    let mut account = Account::on(MemoryArchive::default());
    account.chain().unwrap();
    let of = |time: &str| json!({ "environment": "web", "time": time });
    let other_time = json!({ "environment": "web", "time": "2026-11-06T06:00:00Z", "until": "2026-08-01" });
    account.ingest("web", other_time).unwrap();
    assert_eq!(account.refit(of("2026-11-06T06:20:00Z")).unwrap_err().kind, Kind::Stale);
    let single = Described { load_balancer: LoadBalancer::None, ..described() };
    account.environments.environments.insert("web".into(), (single, vec![]));
    account.ingest("web", of("2026-11-06T07:00:00Z")).unwrap();
    let failure = account.refit(of("2026-11-07T06:20:00Z")).unwrap_err();
    assert_eq!(failure.kind, Kind::Stale);
    assert!(failure.message.ends_with("the hourly ingest does not get through"), "{failure}");
}

/// Why the last ingest of `web` took in nothing, as it is kept.
fn ingest_refusal(account: &Account<MemoryArchive>) -> Option<Bytes> {
    let key = Key::refusal(&Environment::new("web").unwrap(), "ingest");
    block_on(account.archive.get(&key)).unwrap().map(|object| object.body)
}

#[test]
fn an_environment_scaled_to_zero_is_told_as_one_and_advised_again_when_it_is_back() {
    let mut account = Account::on(MemoryArchive::default());
    account.chain().unwrap();
    let of = |time: &str| json!({ "environment": "web", "time": time });
    for time in ["2026-11-04T20:20:00Z", "2026-11-05T04:20:00Z"] {
        let event = of(time);
        account.ingest("web", event.clone()).unwrap();
        let kept = ingest_refusal(&account);
        account.ingest("web", event.clone()).unwrap();
        assert_eq!(ingest_refusal(&account), kept, "it may run twice");
        for answer in [account.refit(event.clone()).unwrap(), account.sweep(event.clone()).unwrap()] {
            let report = &answer["reports"][0];
            assert_eq!(report["outcome"], "refused");
            let why = "CloudWatch has counted no instances and no requests of `web` since 2026-11-04T06:20Z";
            assert_eq!(report["reason"], why);
        }
        let told = account.publish(event).unwrap();
        assert_eq!(told["reports"][0]["refusal"]["code"], "nothing_runs", "{told}");
    }
    let subjects = account.mailbox.subjects();
    assert_eq!(subjects.len(), 2, "the advice of before, and why there is none now: {subjects:?}");
    assert_eq!(subjects[1], "web: no advice: it has no instances and no requests");
    let back = "2026-11-07T06:20:00Z";
    let end = MinuteUtc::containing(back.parse().unwrap()).unwrap();
    wave(&mut account.metrics, end, 3000);
    account.ingest("web", of(back)).unwrap();
    for answer in [account.refit(of(back)).unwrap(), account.sweep(of(back)).unwrap()] {
        assert_eq!(answer["reports"][0]["outcome"], "done", "{answer}");
    }
    assert_eq!(account.publish(of(back)).unwrap()["reports"][0]["kind"], "change");
    assert_eq!(account.mailbox.subjects().len(), 3);
}

#[test]
fn a_short_silence_and_one_of_a_stated_time_are_no_sign_that_nothing_runs() {
    let account = Account::on(MemoryArchive::default());
    account.chain().unwrap();
    account.ingest("web", json!({ "environment": "web", "time": "2026-11-04T06:45:00Z" })).unwrap();
    let stated =
        json!({ "environment": "web", "time": "2026-11-05T06:20:00Z", "from": "2026-11-04T06:00:00Z" });
    account.ingest("web", stated).unwrap();
    assert_eq!(ingest_refusal(&account), None);
    let rehearsed = json!({ "environment": "web", "time": "2026-11-05T06:20:00Z", "dry_run": true });
    account.ingest("web", rehearsed).unwrap();
    assert_eq!(ingest_refusal(&account), None);
}

/// `described`, which sleeps from Wednesday to Monday.
fn sleeping() -> Described {
    let action = |resource: &str, name, value| OptionDocument {
        resource_name: Some(resource.to_owned()),
        ..option("aws:autoscaling:scheduledaction", name, value)
    };
    let of = |resource: &'static str, when, size| {
        let sizes = ["MinSize", "MaxSize"].map(|name| action(resource, name, size));
        sizes.into_iter().chain([action(resource, "Recurrence", when)])
    };
    let mut described = described();
    described.options.extend(of("Sleep", "20 6 * * 3", "0"));
    described.options.extend(of("Wake", "0 6 * * 1", "3"));
    described
}

#[test]
fn a_group_that_sleeps_by_schedule_is_advised_on_as_before_and_missed_only_when_it_should_be_awake() {
    let mut account = Account::on(MemoryArchive::default());
    account.environments.environments.insert("web".into(), (sleeping(), vec![]));
    account.chain().unwrap();
    let of = |time: &str| json!({ "environment": "web", "time": time });
    for time in ["2026-11-05T06:20:00Z", "2026-11-08T06:20:00Z", "2026-11-09T06:20:00Z"] {
        account.ingest("web", of(time)).unwrap();
        assert_eq!(ingest_refusal(&account), None);
        for answer in [account.refit(of(time)).unwrap(), account.sweep(of(time)).unwrap()] {
            assert_eq!(answer["reports"][0]["outcome"], "done", "{answer}");
        }
    }
    assert_eq!(account.sweep(of("2026-11-09T20:20:00Z")).unwrap_err().kind, Kind::Stale);
    account.ingest("web", of("2026-11-09T20:20:00Z")).unwrap();
    assert!(ingest_refusal(&account).is_some());
}

#[test]
fn a_rehearsal_changes_nothing() {
    let account = Account::on(MemoryArchive::default());
    account.chain().unwrap();
    let puts = account.archive.puts();
    let event = json!({ "environment": "web", "time": "2026-11-04T06:25:00Z", "dry_run": true });
    assert_eq!(account.ingest("web", event.clone()).unwrap()["reports"][0]["samples_added"], 3);
    account.refit(event.clone()).unwrap();
    account.sweep(event.clone()).unwrap();
    account.publish(event).unwrap();
    assert_eq!((account.archive.puts(), account.mailbox.0.lock().unwrap().len()), (puts, 1));
}

#[test]
fn old_samples_are_stale_unless_their_time_is_asked_for() {
    let account = Account::on(MemoryArchive::default());
    account.chain().unwrap();
    let later = json!({ "environment": "web", "time": "2026-11-06T06:20:00Z" });
    for failure in [account.refit(later.clone()).unwrap_err(), account.sweep(later).unwrap_err()] {
        assert_eq!(failure.kind, Kind::Stale);
        assert!(
            failure.message.starts_with("the newest sample ends at 2026-11-04T06:17Z, over 12 hours"),
            "{failure}"
        );
    }
    let asked =
        json!({ "environment": "web", "time": "2026-11-06T06:20:00Z", "until": "2026-11-04T06:00:00Z" });
    assert_eq!(account.refit(asked).unwrap()["reports"][0]["outcome"], "done");
}

#[test]
fn each_environment_leaves_a_line_that_cloudwatch_reads_metrics_from() {
    let account = Account::on(MemoryArchive::default());
    account.ingest("api,web", json!({ "time": NOW })).unwrap();
    let log = account.log.lock().unwrap();
    assert_eq!(log.len(), 2);
    let line: Value = serde_json::from_str(&log[1]).unwrap();
    assert_eq!((&line["Environment"], &line["Stage"]), (&json!("web"), &json!("ingest")));
    assert_eq!((&line["MinutesFetched"], &line["Refused"]), (&json!(2157.0), &json!(0.0)));
    let metrics = &line["_aws"]["CloudWatchMetrics"][0];
    assert_eq!((&metrics["Namespace"], &metrics["Dimensions"]), (&json!("Trellis"), &json!([["Stage"]])));
    for metric in metrics["Metrics"].as_array().unwrap() {
        assert!(line[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
    }
}

#[test]
fn what_is_wrong_with_an_event_is_named() {
    let account = Account::on(MemoryArchive::default());
    let wrong = |answer: Result<Value, Failure>, expected: &str| {
        let failure = answer.unwrap_err();
        assert_eq!(failure.kind, Kind::BadRequest);
        assert!(failure.message.contains(expected), "`{failure}` does not say `{expected}`");
    };
    wrong(account.ingest("web", json!(["web"])), "must be a JSON object");
    wrong(account.ingest("web", json!({ "window": 3 })), "unknown field `window`");
    wrong(account.ingest("web", json!({ "window": 3 })), "every event may have `time`, `environment`");
    wrong(
        account.ingest("web", json!({ "environment": 3 })),
        "the event's `environment`: invalid type: integer `3`",
    );
    wrong(
        account.ingest("web", json!({ "environment": "a\nb" })),
        "the event's `environment`: an environment's name",
    );
    wrong(account.refit(json!({ "dry_run": "yes" })), "the event's `dry_run`: invalid type: string");
    wrong(account.refit(json!({ "from": "2026-11-03", "until": "2026-11-02" })), "is not after `from`");
    wrong(account.refit(json!({ "from": "2026-11-30" })), "the event's window is backwards");
    wrong(account.refit(json!({ "from": "2026-11-03", "lookback_days": 3 })), "one start is enough");
    wrong(account.refit(json!({ "lookback_days": 0 })), "must be from 1 to 455");
    wrong(account.refit(json!({ "time": "noon" })), "the event's `time`");
    wrong(account.refit(json!({ "instances": 0 })), "the event's `instances`: a load test has 1 or more");
    wrong(
        account.refit(json!({ "cpu_ceiling_percent": 101 })),
        "`cpu_ceiling_percent`: CPU percent must be from 0 to 100",
    );
    wrong(
        account.sweep(json!({ "cpu_ceiling_percent": 101 })),
        "`cpu_ceiling_percent`: CPU percent must be from 0 to 100",
    );
    wrong(
        account.sweep(json!({ "intercept_percent": 2 })),
        "`intercept_percent`: it goes with `coefficient`",
    );
    wrong(account.sweep(json!({ "coefficient": -1 })), "the event's `coefficient`");
    wrong(
        account.sweep(json!({ "price_per_instance_hour": 0 })),
        "the event's `price_per_instance_hour`: the price of an instance-hour must be above 0 USD, not `0`",
    );
    wrong(
        account.sweep(json!({ "amplify": [1.1, 9] })),
        "the event's `amplify`: times the traffic must be from 1 to 3, not `9`",
    );
    wrong(
        account.sweep(json!({ "amplify": true })),
        "the event's `amplify`: a number, a list of them, or text like",
    );
    wrong(
        account.sweep(json!({ "near_percent": -1 })),
        "the event's `near_percent`: percent over the cheapest must be from 0 to 20, not `-1`",
    );
    wrong(account.sweep(json!({ "stages": "1" })), "the event's `stages`: `1` is not a stage");
    wrong(
        account.sweep(json!({ "day": "someday" })),
        "the event's `day`: `someday` is not a day: write 2026-11-05",
    );
    wrong(
        account.sweep(json!({ "stages": "5:100", "day": "busiest" })),
        "the event's `stages`: they make traffic of their own: neither `day` nor `crowd` goes with them",
    );
    let crowd = |field: &str, value: Value| {
        let mut crowd =
            json!({ "height": 3, "ramp_minutes": 5, "hold_minutes": 20, "at": "2026-11-03T14:00:00Z" });
        crowd[field] = value;
        account.sweep(json!({ "crowd": crowd }))
    };
    wrong(crowd("ramp_minutes", json!(-5)), "the event's `crowd");
    wrong(crowd("at", json!("noon")), "`noon` is not an instant");
    wrong(crowd("hight", json!(3)), "unknown field `hight`");
    wrong(
        crowd("height", json!(1)),
        "the event's `crowd`: the height of a crowd must be over 1 and up to 100 times",
    );
    wrong(account.sweep(json!({ "candidates": { "periods": ["x"] } })), "the event's `candidates.periods`");
    wrong(
        account.sweep(json!({ "candidates": { "upper_thresholds": [130] } })),
        "the event's `candidates`: CPU percent",
    );
    wrong(account.publish(json!({ "topic": "x" })), "unknown field `topic`");
}

#[test]
fn a_what_if_is_answered_and_not_kept() {
    let account = Account::on(MemoryArchive::default());
    account.chain().unwrap();
    let puts = account.archive.puts();
    let event =
        json!({ "environment": "web", "time": NOW, "stages": "10:3000,8:9000", "cpu_ceiling_percent": 60 });
    let answer = account.sweep(event).unwrap();
    let report = &answer["reports"][0];
    assert_eq!((&report["key"], account.archive.puts()), (&Value::Null, puts));
    assert_eq!(report["recommendation"]["cpu_ceiling_percent"], 60.0);
}

#[test]
fn an_event_says_how_much_more_a_setting_must_bear() {
    let account = Account::on(MemoryArchive::default());
    account.chain().unwrap();
    let holds_with = |amplify: Value| {
        let event = json!({ "environment": "web", "time": NOW, "amplify": amplify, "near_percent": 0 });
        account.sweep(event).unwrap()["reports"][0]["recommendation"]["holds_with"].to_string()
    };
    assert!(holds_with(json!(1.5)).starts_with("[\"1.50 times the traffic\",\"metrics"));
    assert!(holds_with(json!([1.2, 1.5])).starts_with("[\"1.50 times the traffic\",\"1.20 times"));
    assert!(!holds_with(json!("none")).contains("times the traffic"));
}

#[test]
fn a_day_and_a_crowd_are_what_ifs_of_an_event_too() {
    let account = Account::on(MemoryArchive::default());
    account.chain().unwrap();
    let puts = account.archive.puts();
    let crowd = |at: &str| json!({ "height": 2, "ramp_minutes": 5, "hold_minutes": 20, "at": at });
    let answer = |day: Value, crowd: Value| {
        let event = json!({ "environment": "web", "time": NOW, "day": day, "crowd": crowd });
        account.sweep(event).unwrap()["reports"][0].clone()
    };
    let day = answer(json!("2026-11-03"), Value::Null);
    assert_eq!(day["recommendation"]["traffic"]["shape"], "2026-11-03");
    let crowded = answer(json!("busiest"), crowd("2026-11-03T10:00:00Z"));
    assert_eq!((&day["key"], &crowded["key"], account.archive.puts()), (&Value::Null, &Value::Null, puts));
    let named = crowded["recommendation"]["traffic"]["shape"].as_str().unwrap();
    assert!(named.starts_with("the busiest day, 2026-11-03, with a crowd of 2 times the traffic"), "{named}");
    let elsewhere = answer(Value::Null, crowd("2026-12-24T10:00:00Z"));
    assert_eq!(elsewhere["outcome"], "refused");
    let why = elsewhere["reason"].as_str().unwrap();
    assert!(why.contains("the crowd, 2026-12-24T10:00Z to 2026-12-24T10:30Z, does not lie within"), "{why}");
}

/// A clock that goes on by so many seconds whenever somebody looks at it.
fn running_out(from: u64, by: u64) -> impl Fn() -> Duration + Sync {
    let left = AtomicU64::new(from);
    let less = move |left: u64| Some(left.saturating_sub(by));
    move || Duration::from_secs(left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap())
}

/// An account with a line to sweep by.
fn fitted() -> (Account<MemoryArchive>, Value) {
    let (account, event) =
        (Account::on(MemoryArchive::default()), json!({ "environment": "web", "time": NOW }));
    account.ingest("web", event.clone()).unwrap();
    account.refit(event.clone()).unwrap();
    (account, event)
}

#[test]
fn a_sweep_that_would_be_killed_by_its_limit_is_refused_and_says_what_would_make_it_shorter() {
    let (account, event) = fitted();
    let swept = |candidates: Value| {
        let mut event = event.clone();
        event["candidates"] = candidates;
        account.sweep_in(event, &running_out(290, 20)).unwrap()["reports"][0].clone()
    };
    for (candidates, how) in [(json!({}), "together"), (json!({ "max_sizes": [300] }), "one by one")] {
        let report = swept(candidates);
        assert_eq!(report["outcome"], "refused", "{how}: {report}");
        let reason = report["reason"].as_str().unwrap();
        assert!(reason.contains("are left: give fewer values to try (`candidates`)"), "{how}: {reason}");
    }
    let few = account.sweep_in(event, &|| Duration::from_secs(10)).unwrap();
    assert_eq!(few["reports"][0]["outcome"], "done", "{few}");
}

/// What is logged meanwhile.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_long_sweep_logs_how_far_it_is_and_a_short_one_only_that_it_is_done() {
    let (account, event) = fitted();
    let lines = |left: Left<'_>| {
        let log = Log::default();
        let Log(bytes) = log.clone();
        let subscriber = tracing::subscriber::fmt().with_writer(move || log.clone()).finish();
        tracing::dispatcher::with_default(&tracing::Dispatch::new(subscriber), || {
            account.sweep_in(event.clone(), left).unwrap();
        });
        let text = String::from_utf8(bytes.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains(" settings")).map(str::to_owned).collect::<Vec<_>>()
    };
    let long = lines(&running_out(1_000_000, 40));
    assert!(long[0].contains("replaying policies: ") && long[0].contains("web"), "{long:?}");
    assert!(long.iter().any(|line| line.contains("what minutes over buy: ")), "{long:?}");
    assert_eq!(lines(&|| Duration::from_secs(300)), Vec::<String>::new());
}
