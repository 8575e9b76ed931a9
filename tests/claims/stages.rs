//! All four stages on memory: what they leave, what they refuse, and that they may run twice.

use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use pipeline::activity::{Activity, ActivityKind};
use pipeline::advice::{Frame, Message};
use pipeline::archive::memory::MemoryArchive;
use pipeline::archive::{Archive, ArchiveError, Environment, Expected, Key, Object, Prefix};
use pipeline::documents::{
    DynamicsDocument, GradeDocument, OptionDocument, RecommendationDocument, SettingsDocument,
    VerdictDocument,
};
use pipeline::ingest::{self, IngestError, IngestRequest, LEAVE_OPEN};
use pipeline::news::{LEAST_GAIN, News, Word};
use pipeline::publish::{self, Notification, Notifier, NotifyError, PublishError, PublishRequest, Told};
use pipeline::recorded::{Note, Recording};
use pipeline::refit::{self, RefitError, RefitRequest};
use pipeline::refusals;
use pipeline::store::{self, read_json_versioned};
use pipeline::sweep::{
    self, GridOverrides, Margins, Model, Progress, Replayed, SweepError, SweepReport, SweepRequest, Watch,
};
use pipeline::tables;
use pipeline::tables::samples::Remarks;
use scaling::backtest::Free;
use scaling::coefficient::FitRules;
use scaling::cpu_model::CpuModel;
use scaling::credits::{BurstableSize, Credits, Mode};
use scaling::dynamics::{Booting, Dynamics, GroupAverage, Monitoring};
use scaling::observation::LeftOut;
use scaling::sample::{Metric, Period, Sample};
use scaling::traffic::{Stage, Traffic};
use scaling::units::{CpuPercent, MinuteUtc, Minutes, RequestsPerMinute, Window};

use crate::{block_on, in_one_line, option};

/// 2026-11-02T00:00Z.
const START: i64 = 29_892_960;

pub(crate) fn environment() -> Environment {
    Environment::new("web-prod").unwrap()
}

pub(crate) fn at(minute: u32) -> MinuteUtc {
    MinuteUtc::new(START).unwrap() + Minutes(minute)
}

pub(crate) fn sample(minute: u32, values: &[(Metric, f64)]) -> Sample {
    let mut sample = Sample::empty(at(minute), Period::OneMinute);
    for (metric, value) in values {
        sample.set(*metric, *value).unwrap();
    }
    sample
}

/// Two days of a slow wave between 1000 and 9000 requests a minute on three instances.
pub(crate) fn two_days() -> Vec<Sample> {
    (0..2880).map(|minute| on_three(minute, wave(minute).round())).collect()
}

/// Requests a minute, which rise and fall twice a day.
pub(crate) fn wave(minute: u32) -> f64 {
    let phase = f64::from(minute % 720) / 720.0;
    1000.0 + 8000.0 * (1.0 - (2.0 * phase - 1.0).abs())
}

/// CPU is 2 + 0.01 for each request a minute and instance, and a little to and fro.
pub(crate) fn on_three(minute: u32, requests: f64) -> Sample {
    let stray = [0.4, -0.4][minute as usize % 2];
    let cpu = 2.0 + 0.01 * requests / 3.0 + stray;
    sample(minute, &[(Metric::Requests, requests), (Metric::CpuPercent, cpu), (Metric::InService, 3.0)])
}

/// A fixed group of three, more than the night needs.
pub(crate) fn options() -> Vec<OptionDocument> {
    let trigger = |name, value| option("aws:autoscaling:trigger", name, value);
    vec![
        trigger("MeasureName", "CPUUtilization"),
        trigger("Unit", "Percent"),
        trigger("UpperThreshold", "60"),
        trigger("LowerThreshold", "20"),
        trigger("BreachDuration", "5"),
        option("aws:autoscaling:asg", "MinSize", "3"),
        option("aws:autoscaling:asg", "MaxSize", "6"),
        option("aws:autoscaling:launchconfiguration", "MonitoringInterval", "1 minute"),
    ]
}

pub(crate) fn ingest(
    archive: &MemoryArchive,
    samples: Vec<Sample>,
) -> Result<ingest::IngestReport, IngestError> {
    ingest_with(archive, samples, Some(options()))
}

pub(crate) fn ingest_with(
    archive: &MemoryArchive,
    samples: Vec<Sample>,
    options: Option<Vec<OptionDocument>>,
) -> Result<ingest::IngestReport, IngestError> {
    let request = IngestRequest {
        environment: environment(),
        recording: Recording { samples, notes: vec![] },
        options,
        activities: vec![],
        group: None,
        load_balancer_reported: None,
        leave_open: LEAVE_OPEN,
        fetched_until: None,
    };
    block_on(ingest::run(archive, request))
}

pub(crate) fn window() -> Window {
    Window { start: at(0), end: at(2877) }
}

pub(crate) fn refit(archive: &MemoryArchive) -> Result<refit::RefitReport, RefitError> {
    refit_of(archive, window())
}

pub(crate) fn refit_of(archive: &MemoryArchive, window: Window) -> Result<refit::RefitReport, RefitError> {
    let (environment, rules) = (environment(), FitRules::default());
    let request = RefitRequest { environment, window, rules, ceiling: None, load_test: None };
    block_on(refit::run(archive, request))
}

pub(crate) fn sweep_request() -> SweepRequest {
    SweepRequest {
        environment: environment(),
        window: window(),
        replayed: Replayed::Recorded,
        model: Model::Fitted,
        ceiling: None,
        margin: None,
        minutes_over_allowed: 0,
        // Few policies, for speed, and a smaller group allowed.
        grid: GridOverrides {
            min_sizes: Some(vec![scaling::units::Instances(1), scaling::units::Instances(2)]),
            cooldowns: Some(vec![scaling::units::Seconds(180)]),
            evaluation_periods: Some(vec![1]),
            ..GridOverrides::default()
        },
        margins: Margins::default(),
        dynamics: Dynamics::default(),
        free: Free::ALL,
        price: None,
        threads: NonZero::<usize>::MIN,
    }
}

pub(crate) fn sweep(archive: &MemoryArchive, request: SweepRequest) -> Result<SweepReport, SweepError> {
    block_on(sweep::run(archive, request, &Watch::NONE))
}

/// Remembers messages; refuses as often as told.
#[derive(Default)]
pub(crate) struct Mailbox {
    pub(crate) messages: Mutex<Vec<Message>>,
    refusals: Mutex<u32>,
}

impl Mailbox {
    pub(crate) fn refusing(times: u32) -> Self {
        Self { refusals: Mutex::new(times), ..Self::default() }
    }
}

#[async_trait::async_trait]
impl Notifier for Mailbox {
    async fn notify(&self, notification: Notification<'_>) -> Result<(), NotifyError> {
        let mut refusals = self.refusals.lock().unwrap();
        if *refusals > 0 {
            *refusals -= 1;
            return Err(NotifyError { to: "the mailbox".into(), source: "it is full".into() });
        }
        self.messages.lock().unwrap().push(notification.message.clone());
        Ok(())
    }
}

pub(crate) fn publish_request() -> PublishRequest {
    PublishRequest {
        environments: vec![environment()],
        until: window().end,
        now: "2026-11-04T06:00:00Z".parse().unwrap(),
        run: "the usual".into(),
        least_gain: LEAST_GAIN,
        frame: Frame::default(),
    }
}

pub(crate) fn publish(archive: &MemoryArchive, mailbox: &Mailbox) -> Result<Told, PublishError> {
    let reports = block_on(publish::run(archive, mailbox, &publish_request()))?;
    let (_, report) = reports.into_iter().next().unwrap();
    report.map(|report| report.told)
}

pub(crate) fn with_advice() -> (MemoryArchive, RecommendationDocument) {
    let archive = MemoryArchive::default();
    ingest(&archive, two_days()).unwrap();
    refit(&archive).unwrap();
    let document = sweep(&archive, sweep_request()).unwrap().document;
    (archive, document)
}

#[test]
fn the_same_advice_comes_of_any_number_of_threads() {
    let advised = |threads: usize| {
        let archive = MemoryArchive::default();
        ingest(&archive, two_days()).unwrap();
        refit(&archive).unwrap();
        let threads = NonZero::new(threads).unwrap();
        sweep(&archive, SweepRequest { threads, ..sweep_request() }).unwrap().document
    };
    let alone = advised(1);
    assert!(alone.candidates.replayed > 10_000, "enough for threads to meet: {:?}", alone.candidates);
    assert_eq!([2, 3, 5].map(advised), [2, 3, 5].map(|_| alone.clone()));
}

#[test]
fn the_whole_chain_finds_a_cheaper_policy_that_holds() {
    let (_, advice) = with_advice();
    assert_eq!(advice.verdict, VerdictDocument::Change);
    let (now, then) = (advice.present.unwrap().outcome.unwrap(), advice.recommended.unwrap().outcome);
    assert!(then.instance_hours < now.instance_hours);
    assert!(then.max_cpu_percent < advice.cpu_held_percent && then.minutes_over == 0);
    assert!((advice.model.coefficient - 0.01).abs() < 1e-4);
}

#[test]
fn every_stage_run_twice_leaves_the_same_objects() {
    let (archive, _) = with_advice();
    let objects = || {
        let of = |prefix| block_on(archive.list(&prefix)).unwrap();
        let environment = environment();
        let prefixes = [Prefix::samples, Prefix::settings, Prefix::fits, Prefix::sweeps];
        let keys = prefixes.iter().flat_map(|prefix| of(prefix(&environment)));
        keys.map(|key| (block_on(archive.get(&key)).unwrap().unwrap().body, key)).collect::<Vec<_>>()
    };
    let before = objects();
    assert_eq!(before.len(), 2 + 1 + 1 + 2);
    ingest(&archive, two_days()).unwrap();
    refit(&archive).unwrap();
    sweep(&archive, sweep_request()).unwrap();
    assert!(objects() == before);
}

#[test]
fn a_second_ingest_of_the_same_writes_no_samples() {
    let archive = MemoryArchive::default();
    ingest(&archive, two_days()).unwrap();
    let puts = archive.puts();
    let report = ingest(&archive, two_days()).unwrap();
    assert_eq!((report.merged.added, report.merged.updated), (0, 0));
    assert_eq!(archive.puts(), puts);
}

#[test]
fn the_newest_minutes_are_left_open_and_replaced_by_the_next_fetch() {
    let archive = MemoryArchive::default();
    // The last two minutes are still growing.
    let growing = [1000.0, 1000.0, 1000.0, 600.0, 300.0];
    let samples = |values: &[f64]| -> Vec<Sample> {
        (0..).zip(values).map(|(minute, value)| sample(minute, &[(Metric::Requests, *value)])).collect()
    };
    let report = ingest(&archive, samples(&growing)).unwrap();
    assert_eq!((report.left_open, report.merged.added), (3, 2));
    ingest(&archive, samples(&[1000.0; 8])).unwrap();
    let stored = block_on(store::read_samples(&archive, &environment(), window())).unwrap();
    let requests: Vec<Option<f64>> = stored.iter().map(|sample| sample.get(Metric::Requests)).collect();
    assert_eq!(requests, [Some(1000.0); 5]);
}

#[test]
fn a_later_fetch_that_is_short_loses_nothing() {
    let archive = MemoryArchive::default();
    ingest(&archive, two_days()).unwrap();
    let only_requests: Vec<Sample> =
        (0..10).map(|minute| sample(minute, &[(Metric::Requests, 5.0)])).collect();
    let report = ingest(&archive, only_requests).unwrap();
    assert_eq!(report.merged.updated, 7);
    let stored = block_on(store::read_samples(&archive, &environment(), window())).unwrap();
    assert_eq!(stored.len(), 2877);
    assert_eq!(stored[0].get(Metric::Requests), Some(5.0));
    assert!(stored[0].get(Metric::CpuPercent).is_some());
}

#[test]
fn settings_are_kept_once_and_again_when_they_change() {
    let archive = MemoryArchive::default();
    assert_eq!(ingest(&archive, two_days()).unwrap().settings_changed, Some(true));
    assert_eq!(ingest(&archive, two_days()).unwrap().settings_changed, Some(false));
    let changed = [options(), vec![option("aws:autoscaling:asg", "Cooldown", "60")]].concat();
    assert_eq!(ingest_with(&archive, two_days(), Some(changed)).unwrap().settings_changed, Some(true));
    assert_eq!(block_on(archive.list(&Prefix::settings(&environment()))).unwrap().len(), 2);
}

#[test]
fn what_an_application_is_told_in_secret_is_not_kept() {
    let secrets = || {
        vec![
            option("aws:elasticbeanstalk:application:environment", "DB_PASSWORD", "hunter2"),
            option("aws:cloudformation:template:parameter", "EnvironmentVariables", "DB_PASSWORD=hunter2"),
        ]
    };
    let kept_of = |archive: &MemoryArchive| {
        let keys = block_on(archive.list(&Prefix::settings(&environment()))).unwrap();
        assert_eq!(keys.len(), 1);
        String::from_utf8(block_on(archive.get(&keys[0])).unwrap().unwrap().body.to_vec()).unwrap()
    };
    let (archive, plain) = (MemoryArchive::default(), MemoryArchive::default());
    ingest(&plain, two_days()).unwrap();
    ingest_with(&archive, two_days(), Some([secrets(), options()].concat())).unwrap();
    assert_eq!(kept_of(&archive), kept_of(&plain));

    // As an earlier version left them.
    let mut before: SettingsDocument = serde_json::from_str(&kept_of(&plain)).unwrap();
    before.options.extend(secrets());
    let key = Key::settings(&environment(), window().start);
    block_on(store::write_json(&archive, &key, &before)).unwrap();
    assert!(kept_of(&archive).contains("hunter2"));
    let report = ingest_with(&archive, two_days(), Some([options(), secrets()].concat())).unwrap();
    assert_eq!((report.settings_changed, kept_of(&archive)), (Some(false), kept_of(&plain)));
}

#[test]
fn metrics_without_a_complete_minute_are_refused() {
    let newest = two_days().into_iter().take(2).collect();
    let refused = ingest(&MemoryArchive::default(), newest).unwrap_err();
    assert!(refused.is_refusal());
    let refused = refused.to_string();
    assert!(
        refused.starts_with("the metrics of `web-prod` hold no complete period: of 2 samples"),
        "{refused}"
    );
}

#[test]
fn why_there_is_nothing_to_take_in_is_told() {
    let told = |notes: Vec<Note>| {
        let request = IngestRequest {
            environment: environment(),
            recording: Recording { samples: vec![], notes },
            options: None,
            activities: vec![],
            group: None,
            load_balancer_reported: None,
            leave_open: LEAVE_OPEN,
            fetched_until: None,
        };
        let refused = block_on(ingest::run(&MemoryArchive::default(), request)).unwrap_err();
        assert!(refused.is_refusal());
        let refused = refused.to_string();
        let why = refused.strip_prefix("there are no metrics of `web-prod` to take in: ").unwrap();
        why.to_owned()
    };
    let series = |label: &str| format!("series `m0` (`{label}`)");
    assert_eq!(told(vec![]), "no row or series holds a value");
    assert_eq!(told(vec![Note::Empty(series("CPU"))]), "series `m0` (`CPU`) has no points");
    assert_eq!(
        told(vec![Note::Unknown(series("foo")), Note::BasicMonitoring, Note::Unknown(series("bar"))]),
        "no metric known here: series `m0` (`foo`), series `m0` (`bar`); say what each is with --series ID=METRIC"
    );
    let conditions = vec!["zone=az-a".to_owned(), "hosts>9".to_owned()];
    assert_eq!(
        told(vec![Note::NoRowHolds { file: "m.csv".into(), conditions, rows: 2880 }]),
        "--where zone=az-a --where hosts>9 holds of none of the 2880 rows of `m.csv`"
    );
}

#[test]
fn a_fit_of_nothing_is_refused_and_says_what_to_do() {
    let refused = refit(&MemoryArchive::default()).unwrap_err().to_string();
    assert!(refused.starts_with("`web-prod` has no samples from 2026-11-02T00:00Z"), "{refused}");
    assert!(refused.contains("ingest some first"));
}

#[test]
fn a_refused_fit_leaves_the_one_before() {
    let (archive, _) = with_advice();
    let key = Key::fit(&environment(), window().last_minute());
    let before = block_on(archive.get(&key)).unwrap();
    let request = RefitRequest {
        environment: environment(),
        window: window(),
        rules: FitRules { min_usable: 1_000_000, ..FitRules::default() },
        ceiling: None,
        load_test: None,
    };
    assert!(matches!(block_on(refit::run(&archive, request)), Err(RefitError::Fit(_))));
    assert_eq!(block_on(archive.get(&key)).unwrap(), before);
}

#[test]
fn a_sweep_without_a_fit_or_with_an_old_one_is_refused() {
    let archive = MemoryArchive::default();
    ingest(&archive, two_days()).unwrap();
    assert!(matches!(sweep(&archive, sweep_request()), Err(SweepError::NoFit { .. })));
    refit(&archive).unwrap();
    let later: Vec<Sample> =
        (20_000..21_500).map(|minute| sample(minute, &[(Metric::Requests, 500.0)])).collect();
    ingest(&archive, later).unwrap();
    let request = SweepRequest { window: Window { start: at(20_000), end: at(21_497) }, ..sweep_request() };
    let refused = sweep(&archive, request).unwrap_err().to_string();
    assert!(refused.contains("has no fit from the 7 days before 2026-11-16"), "{refused}");
}

#[test]
fn a_window_without_requests_is_refused() {
    let (archive, _) = with_advice();
    let request = SweepRequest { window: Window { start: at(3000), end: at(3100) }, ..sweep_request() };
    assert!(matches!(sweep(&archive, request), Err(SweepError::NoTraffic { .. })));
}

#[test]
fn traffic_with_too_many_holes_is_refused_with_their_number() {
    let archive = MemoryArchive::default();
    let every_third = two_days().into_iter().step_by(3).collect();
    ingest(&archive, every_third).unwrap();
    refit(&archive).unwrap();
    let earlier = Window { start: at(0) - Minutes(5 * 1440), ..window() };
    let refused = sweep(&archive, SweepRequest { window: earlier, ..sweep_request() }).unwrap_err();
    let SweepError::TooManyHoles { missing, minutes, window } = refused else { panic!("{refused}") };
    assert_eq!((missing, minutes), (1916, 2875));
    assert_eq!(window, Window { start: at(0), end: at(2875) });
}

#[test]
fn a_fit_is_of_the_time_from_its_first_sample_on() {
    let archive = MemoryArchive::default();
    ingest(&archive, two_days()).unwrap();
    let request = RefitRequest {
        environment: environment(),
        window: Window { start: at(0) - Minutes(5 * 1440), ..window() },
        rules: FitRules::default(),
        ceiling: None,
        load_test: None,
    };
    let fitted = block_on(refit::run(&archive, request)).unwrap().document.window;
    assert_eq!((fitted.start, fitted.end), (at(0).start(), window().end.start()));
}

#[test]
fn a_ceiling_that_every_minute_may_be_over_is_refused() {
    let (archive, _) = with_advice();
    let asked =
        |minutes_over_allowed| sweep(&archive, SweepRequest { minutes_over_allowed, ..sweep_request() });
    let minutes = asked(0).unwrap().document.traffic.minutes as u32;
    let refused = asked(minutes).unwrap_err();
    assert!(matches!(refused, SweepError::NothingToHold { .. }), "{refused}");
    assert!(asked(minutes - 1).is_ok());
}

#[test]
fn a_fit_that_strays_too_far_leaves_no_room_below_the_ceiling() {
    let (archive, _) = with_advice();
    let request = SweepRequest { margin: Some(CpuPercent::new(49.0).unwrap()), ..sweep_request() };
    assert!(matches!(sweep(&archive, request), Err(SweepError::NoRoom { .. })));
}

#[test]
fn a_damaged_day_is_named_and_stops_the_stage() {
    let (archive, _) = with_advice();
    let key = Key::samples(&environment(), at(0));
    block_on(archive.put(&key, Bytes::from("PAR1 and nothing else"), Expected::Anything)).unwrap();
    let refused = refit(&archive).unwrap_err();
    let RefitError::Read(source) = &refused else { panic!("{refused}") };
    assert_eq!(
        source.to_string(),
        "`samples/environment=web-prod/date=2026-11-02/samples.parquet` is damaged"
    );
}

#[test]
fn a_document_of_another_shape_is_refused() {
    let (archive, _) = with_advice();
    let key = Key::fit(&environment(), window().last_minute());
    block_on(archive.put(&key, Bytes::from(r#"{"schema_version": 2}"#), Expected::Anything)).unwrap();
    let refused = sweep(&archive, sweep_request()).unwrap_err();
    let SweepError::Read(source) = &refused else { panic!("{refused}") };
    assert!(source.to_string().contains("has shape 2, and this Trellis reads shape 1"), "{source}");
}

#[test]
fn a_what_if_keeps_nothing() {
    let (archive, _) = with_advice();
    let puts = archive.puts();
    let stage = Stage { duration: Minutes(60), target: RequestsPerMinute::new(20_000.0).unwrap() };
    let traffic = Traffic::staged(&[stage], at(0)).unwrap();
    let report =
        sweep(&archive, SweepRequest { replayed: Replayed::Staged(traffic), ..sweep_request() }).unwrap();
    assert!(report.keys.is_none() && !report.document.traffic.recorded);
    assert_eq!(archive.puts(), puts);
}

#[test]
fn a_stated_coefficient_needs_no_fit_and_is_said_to_be_unproven() {
    let archive = MemoryArchive::default();
    ingest(&archive, two_days()).unwrap();
    let model = Model::Stated(CpuModel::new(2.0, 0.01).unwrap());
    let report = sweep(&archive, SweepRequest { model, ..sweep_request() }).unwrap();
    let body = pipeline::advice::message(&report.document).body.replace('\n', " ");
    assert!(body.contains("That was stated, not measured"), "{body}");
}

#[test]
fn a_trigger_on_network_traffic_gets_advice_and_is_said_not_to_be_replayed() {
    let archive = MemoryArchive::default();
    let request = IngestRequest {
        environment: environment(),
        recording: Recording { samples: two_days(), notes: vec![] },
        options: Some(vec![option("aws:autoscaling:launchconfiguration", "MonitoringInterval", "1 minute")]),
        activities: vec![],
        group: None,
        load_balancer_reported: None,
        leave_open: LEAVE_OPEN,
        fetched_until: None,
    };
    block_on(ingest::run(&archive, request)).unwrap();
    refit(&archive).unwrap();
    let advice = sweep(&archive, sweep_request()).unwrap().document;
    assert_eq!(advice.verdict, VerdictDocument::Change);
    let body = pipeline::advice::message(&advice).body;
    let plain = body.replace('\n', " ");
    assert!(
        plain.contains("The present settings can't be replayed: the trigger watches Average of `NetworkOut`"),
        "{body}"
    );
}

#[test]
fn what_no_policy_holds_is_no_advice() {
    let (archive, _) = with_advice();
    let grid = GridOverrides { max_sizes: Some(vec![scaling::units::Instances(1)]), ..sweep_request().grid };
    let ceiling = CpuPercent::new(30.0).ok();
    let advice = sweep(&archive, SweepRequest { grid, ceiling, ..sweep_request() }).unwrap().document;
    assert_eq!(advice.verdict, VerdictDocument::NoneHolds);
    assert!(advice.recommended.as_ref().is_some_and(|closest| closest.outcome.minutes_over > 0));
    let Message { subject, body } = pipeline::advice::message(&advice);
    assert!(
        subject.starts_with("web-prod: no scaling settings hold 30 % CPU, the closest is at 29.2 % or over"),
        "{subject}"
    );
    assert!(
        !body.contains("How to apply") && in_one_line(&body).contains("Nothing is recommended"),
        "{body}"
    );
}

#[test]
fn the_same_advice_is_published_once() {
    let (archive, _) = with_advice();
    let mailbox = Mailbox::default();
    let told: Vec<Told> = (0..3).map(|_| publish(&archive, &mailbox).unwrap()).collect();
    assert_eq!(told[0], Told::Now);
    assert!(told[1..].iter().all(|told| matches!(told, Told::Before { .. })));
    assert_eq!(mailbox.messages.lock().unwrap().len(), 1);
}

#[test]
fn other_advice_is_published_again() {
    let (archive, _) = with_advice();
    let mailbox = Mailbox::default();
    publish(&archive, &mailbox).unwrap();
    sweep(&archive, SweepRequest { ceiling: CpuPercent::new(30.0).ok(), ..sweep_request() }).unwrap();
    assert_eq!(publish(&archive, &mailbox).unwrap(), Told::Now);
    assert_eq!(mailbox.messages.lock().unwrap().len(), 2);
}

#[test]
fn a_message_that_was_refused_is_sent_by_the_next_run() {
    let (archive, _) = with_advice();
    let mailbox = Mailbox::refusing(2);
    for _ in 0..2 {
        assert!(matches!(publish(&archive, &mailbox), Err(PublishError::Notify(_))));
    }
    assert_eq!(publish(&archive, &mailbox).unwrap(), Told::Now);
    assert_eq!(mailbox.messages.lock().unwrap().len(), 1);
}

/// Advice that a run took for its own to tell, and did not confirm.
fn claimed(at: &str) -> MemoryArchive {
    let (archive, advice) = with_advice();
    let news = News::of(Word::Advice(Box::new(advice)), None, LEAST_GAIN);
    let claim = news.record(at.parse().unwrap(), None);
    assert!(!claim.confirmed);
    block_on(store::write_json(&archive, &Key::latest_published(&environment()), &claim)).unwrap();
    archive
}

#[test]
fn what_another_run_is_telling_is_not_told_again() {
    let (archive, mailbox) = (claimed("2026-11-04T05:01:00Z"), Mailbox::default());
    assert!(matches!(publish(&archive, &mailbox).unwrap(), Told::Unconfirmed { .. }));
    assert!(mailbox.messages.lock().unwrap().is_empty());
}

#[test]
fn what_a_run_that_broke_off_was_to_tell_is_told_an_hour_later_and_once() {
    let (archive, mailbox) = (claimed("2026-11-04T05:00:00Z"), Mailbox::default());
    assert_eq!(publish(&archive, &mailbox).unwrap(), Told::Now);
    assert!(matches!(publish(&archive, &mailbox).unwrap(), Told::Before { .. }));
    assert_eq!(mailbox.messages.lock().unwrap().len(), 1);
}

/// An archive under which the answer to a conditional put is lost, so that it is sent twice.
struct SentTwice(MemoryArchive);

#[async_trait::async_trait]
impl Archive for SentTwice {
    async fn get(&self, key: &Key) -> Result<Option<Object>, ArchiveError> {
        self.0.get(key).await
    }

    async fn put(&self, key: &Key, body: Bytes, expected: Expected<'_>) -> Result<(), ArchiveError> {
        self.0.put(key, body.clone(), expected).await?;
        self.0.put(key, body, expected).await
    }

    async fn list(&self, prefix: &Prefix) -> Result<Vec<Key>, ArchiveError> {
        self.0.list(prefix).await
    }
}

#[test]
fn a_run_knows_its_own_claim_where_the_answer_to_it_was_lost() {
    let (archive, mailbox) = (SentTwice(with_advice().0), Mailbox::default());
    let tell = || {
        let reports = block_on(publish::run(&archive, &mailbox, &publish_request())).unwrap();
        reports.into_iter().next().unwrap().1.unwrap().told
    };
    assert_eq!(tell(), Told::Now);
    assert!(matches!(tell(), Told::Before { .. }));
    assert_eq!(mailbox.messages.lock().unwrap().len(), 1);
}

/// An archive in which somebody of the same time is always faster.
struct Faster(MemoryArchive);

#[async_trait::async_trait]
impl Archive for Faster {
    async fn get(&self, key: &Key) -> Result<Option<Object>, ArchiveError> {
        self.0.get(key).await
    }

    async fn put(&self, key: &Key, body: Bytes, expected: Expected<'_>) -> Result<(), ArchiveError> {
        let theirs = String::from_utf8_lossy(&body).replace("the usual", "another");
        self.0.put(key, theirs.into(), expected).await?;
        self.0.put(key, body, expected).await
    }

    async fn list(&self, prefix: &Prefix) -> Result<Vec<Key>, ArchiveError> {
        self.0.list(prefix).await
    }
}

#[test]
fn a_claim_of_the_same_minute_is_not_taken_for_ones_own() {
    let (archive, mailbox) = (Faster(with_advice().0), Mailbox::default());
    let reports = block_on(publish::run(&archive, &mailbox, &publish_request())).unwrap();
    assert!(matches!(reports[0].1.as_ref().unwrap().told, Told::Unconfirmed { .. }));
    assert!(mailbox.messages.lock().unwrap().is_empty());
    assert_ne!(publish::new_run(), publish::new_run());
}

#[test]
fn nothing_to_publish_is_an_error_that_says_what_to_do() {
    let refused = publish(&MemoryArchive::default(), &Mailbox::default()).unwrap_err().to_string();
    assert!(refused.contains("`web-prod` has no advice up to 2026-11-03T23:57Z; sweep first"), "{refused}");
}

#[test]
fn the_table_of_a_sweep_has_a_row_for_each_of_the_cheapest_that_hold() {
    let (archive, advice) = with_advice();
    let key = Key::sweep(&environment(), window().last_minute());
    let object = block_on(archive.get(&key)).unwrap().unwrap();
    assert_eq!(tables::rows(&object.body).unwrap(), advice.candidates.kept);
    let alone = Key::cheapest(&environment(), window().last_minute());
    assert_eq!(block_on(archive.get(&alone)).unwrap().unwrap().body, object.body);
    let key = Key::recommendation(&environment(), window().last_minute());
    let read = block_on(read_json_versioned::<RecommendationDocument>(&archive, &key)).unwrap();
    assert_eq!(read.unwrap().0, advice);
}

#[test]
fn subjects_are_one_line_of_printable_ascii() {
    let texts = [
        "Scaling advice for \u{e9}tude-prod".to_owned(),
        "Scaling advice\nfor demo".to_owned(),
        "x".repeat(101),
        String::new(),
        "\u{6f22}".repeat(60),
        " leading space".to_owned(),
        "caf\u{e9} ".repeat(18),
    ];
    for text in texts {
        let subject = pipeline::advice::subject_line(&text);
        assert!((1..=100).contains(&subject.len()), "{subject:?}");
        assert!(
            subject.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && !subject.starts_with(' '),
            "{subject:?}"
        );
    }
}

/// The chain with other options than usual, and with activities.
pub(crate) fn advised(
    options: Vec<OptionDocument>,
    samples: Vec<Sample>,
    activities: Vec<Activity>,
) -> RecommendationDocument {
    let archive = MemoryArchive::default();
    let request = IngestRequest {
        environment: environment(),
        recording: Recording { samples, notes: vec![] },
        options: Some(options),
        activities,
        group: None,
        load_balancer_reported: None,
        leave_open: LEAVE_OPEN,
        fetched_until: None,
    };
    block_on(ingest::run(&archive, request)).unwrap();
    refit(&archive).unwrap();
    sweep(&archive, sweep_request()).unwrap().document
}

fn with(changes: &[(&str, &str, &str)]) -> Vec<OptionDocument> {
    let is_changed = |kept: &OptionDocument| changes.iter().any(|(_, name, _)| *name == kept.option_name);
    let kept = options().into_iter().filter(|kept| !is_changed(kept));
    kept.chain(changes.iter().map(|(namespace, name, value)| option(namespace, name, value))).collect()
}

fn plain_body(advice: &RecommendationDocument) -> String {
    pipeline::advice::message(advice).body.replace('\n', " ")
}

#[test]
fn a_trigger_on_requests_is_replayed_and_back_tested() {
    let trigger = "aws:autoscaling:trigger";
    let options = with(&[
        (trigger, "MeasureName", "RequestCount"),
        (trigger, "Statistic", "Sum"),
        (trigger, "Unit", "Count"),
        (trigger, "UpperThreshold", "100000"),
        (trigger, "LowerThreshold", "10"),
    ]);
    let advice = advised(options, two_days(), vec![]);
    let present = advice.present.as_ref().unwrap();
    assert!(present.not_simulated.is_none() && present.outcome.is_some(), "{present:?}");
    let back_test = advice.back_test.as_ref().unwrap();
    assert!(back_test.counts.is_some() && back_test.grade == GradeDocument::Good, "{back_test:?}");
}

#[test]
fn settings_with_more_room_than_the_cheapest_are_not_called_the_cheapest() {
    let archive = MemoryArchive::default();
    ingest(&archive, two_days()).unwrap();
    refit(&archive).unwrap();
    let near = |near_share| {
        let margins = Margins { near_share, ..Margins::default() };
        let advice = sweep(&archive, SweepRequest { margins, ..sweep_request() }).unwrap().document;
        let body = plain_body(&advice);
        (advice.recommended.unwrap().outcome.instance_hours, advice.over_cheapest, body)
    };
    let ((cheapest, none, said), (hours, over, nearly)) = (near(0.0), near(0.2));
    let is_cheapest =
        |body: &str| body.contains("These are the cheapest") && body.contains("This is the cheapest");
    assert!(none.is_none() && is_cheapest(&said), "{said}");
    let percent = (hours / cheapest - 1.0) * 100.0;
    assert!(0.05 < percent && (over.unwrap() * 100.0 - percent).abs() < 0.05, "{percent} {over:?}");
    assert!(!nearly.contains("is the cheapest") && !nearly.contains("are the cheapest"), "{nearly}");
    let told = format!("for {percent:.1} % more than the cheapest that do, and bear more traffic");
    assert!(nearly.contains(&told), "{nearly}");
}

#[test]
fn target_tracking_is_compared_only_where_cpu_comes_every_minute() {
    let monitoring = "aws:autoscaling:launchconfiguration";
    let monitored =
        |every: &str| advised(with(&[(monitoring, "MonitoringInterval", every)]), two_days(), vec![]);
    let (detailed, basic) = (monitored("1 minute"), monitored("5 minute"));
    assert!(detailed.target_tracking.is_some() && plain_body(&detailed).contains("target tracking at"));
    assert!(basic.recommended.is_some() && basic.target_tracking.is_none());
    let because = "Target tracking is not compared: its alarms look at points of one minute";
    assert!(plain_body(&basic).contains(because) && !plain_body(&detailed).contains(because));
}

#[test]
fn a_trigger_on_response_time_is_replayed_where_it_follows_the_traffic() {
    let trigger = "aws:autoscaling:trigger";
    let options = || {
        with(&[
            (trigger, "MeasureName", "TargetResponseTime"),
            (trigger, "Unit", "Seconds"),
            (trigger, "UpperThreshold", "2"),
            (trigger, "LowerThreshold", "0.001"),
        ])
    };
    let with_latency = |latency: &dyn Fn(f64) -> f64| -> Vec<Sample> {
        let mut samples = two_days();
        for sample in &mut samples {
            let requests = sample.get(Metric::Requests).unwrap();
            sample.set(Metric::LatencyP50Seconds, latency(requests / 3.0)).unwrap();
        }
        samples
    };
    let follows = advised(options(), with_latency(&|load| 0.05 + load * 1e-5), vec![]);
    assert!(follows.back_test.unwrap().counts.is_some());
    let does_not = advised(options(), with_latency(&|load| 0.05 + (load as u32 % 7) as f64 * 0.01), vec![]);
    let because = does_not.back_test.unwrap().cpu_only_because.unwrap();
    assert!(because.contains("does not follow the traffic closely enough"), "{because}");
}

#[test]
fn a_group_that_its_settings_do_not_explain_gets_no_advice_and_the_likeliest_cause() {
    // Recorded were three instances; these settings would have had them come and go.
    let trigger = "aws:autoscaling:trigger";
    let options = with(&[(trigger, "UpperThreshold", "20"), (trigger, "LowerThreshold", "10")]);
    let advice = advised(options, two_days(), vec![]);
    assert_eq!(advice.verdict, VerdictDocument::NotTrusted);
    assert!(
        advice.recommended.is_none() && advice.target_tracking.is_none() && advice.candidates.replayed == 0
    );
    let Message { subject, body } = pipeline::advice::message(&advice);
    assert_eq!(subject, "web-prod: no advice: the replay does not match what really happened");
    assert!(body.contains("No setting is recommended") && !body.contains("How to apply"), "{body}");
    assert!(plain_body(&advice).contains("Back-test, not trusted"), "{body}");
}

#[test]
fn trust_that_changes_is_published_again() {
    let (archive, advice) = with_advice();
    let mailbox = Mailbox::default();
    publish(&archive, &mailbox).unwrap();
    let mut less = advice;
    less.back_test.as_mut().unwrap().grade = GradeDocument::Fair;
    less.advice_id = pipeline::advice::id("web-prod", None, None, less.back_test.as_ref());
    let key = Key::recommendation(&environment(), window().last_minute());
    block_on(store::write_json(&archive, &key, &less)).unwrap();
    assert_eq!(publish(&archive, &mailbox).unwrap(), Told::Now);
}

#[test]
fn the_message_says_which_series_counts_the_instances_even_after_a_fetch_that_does_not() {
    let archive = MemoryArchive::default();
    let request = |samples: Vec<Sample>, notes| IngestRequest {
        environment: environment(),
        recording: Recording { samples, notes },
        options: Some(options()),
        activities: vec![],
        group: None,
        load_balancer_reported: None,
        leave_open: LEAVE_OPEN,
        fetched_until: None,
    };
    let counted = vec![Note::InstancesBy("series `hosts` (`HealthyHostCount`)".into())];
    block_on(ingest::run(&archive, request(two_days(), counted))).unwrap();
    let later = (0..9).map(|minute| sample(minute, &[(Metric::Http5xx, 1.0)])).collect();
    block_on(ingest::run(&archive, request(later, vec![]))).unwrap();
    refit(&archive).unwrap();
    let body = plain_body(&sweep(&archive, sweep_request()).unwrap().document);
    assert!(body.contains("Instances are counted by series `hosts` (`HealthyHostCount`)."), "{body}");
}

#[test]
fn only_a_day_of_the_window_says_how_instances_are_counted() {
    let archive = MemoryArchive::default();
    let day = |samples: &[Sample], counted: Option<&str>| {
        let remarks = Remarks { instances_by: counted.map(str::to_owned), ..Remarks::default() };
        block_on(store::merge_samples(&archive, &environment(), samples, &remarks)).unwrap();
    };
    let samples = two_days();
    day(&samples[..1440], Some("series `hosts`"));
    day(&samples[1440..], None);
    let counted = |window: Window| {
        let (samples, by) = block_on(store::read_counted_samples(&archive, &environment(), window)).unwrap();
        (samples.len(), by)
    };
    assert_eq!(counted(window()), (2877, Some("series `hosts`".to_owned())));
    assert_eq!(counted(Window { start: at(1440), end: at(2880) }), (1440, None));
}

fn launch(hour: u32, seconds: i64) -> Activity {
    let start = at(hour * 60).start();
    Activity {
        id: format!("launch-{hour}"),
        kind: ActivityKind::Launch,
        start,
        end: Some(start + jiff::SignedDuration::from_secs(seconds)),
        successful: true,
        cause: "an alarm, said AWS".into(),
    }
}

#[test]
fn launches_take_as_long_as_activities_say() {
    let mut activities = vec![launch(1, 95), launch(2, 100), launch(3, 110), launch(4, 170)];
    activities.extend([
        Activity { successful: false, ..launch(5, 900) },
        Activity { kind: ActivityKind::Terminate, ..launch(6, 900) },
        Activity { end: None, ..launch(7, 900) },
        launch(8, -900),
    ]);
    let advice = advised(options(), two_days(), activities);
    let times = advice.back_test.as_ref().unwrap().launch_times.unwrap();
    assert_eq!((times.count, times.median_seconds as u32), (4, 100));
    assert!(
        plain_body(&advice).contains("Launches took 95 to 170 s (4 activities)"),
        "{}",
        plain_body(&advice)
    );
    let slower = "launches of 3 min".to_owned();
    assert!(advice.holds_with.contains(&slower), "{:?}", advice.holds_with);
}

#[test]
fn what_was_taken_in_says_whether_the_settings_are_new() {
    let archive = MemoryArchive::default();
    let said = |options| {
        let report = ingest_with(&archive, two_days(), options).unwrap();
        ingest::Taken::of(&environment(), &report).settings
    };
    let others = || with(&[("aws:autoscaling:trigger", "UpperThreshold", "71")]);
    let taken = [Some(options()), Some(options()), None, Some(others()), Some(others())];
    assert_eq!(taken.map(said), [Some("new"), Some("as before"), None, Some("new"), Some("as before")]);
}

#[test]
fn what_a_replay_went_by_can_be_replayed_by_again() {
    let size = BurstableSize::named("t3.small").unwrap();
    let other = Dynamics {
        monitoring: Monitoring::Basic,
        metric_delay: Minutes(2),
        balancer_delay: Minutes(3),
        launch: Minutes(4),
        boot: Minutes(5),
        booting: Booting::LeftOut,
        drain: Minutes(7),
        group_average: GroupAverage::OfMinutes,
        cpu_ceiling: CpuPercent::new(25.0).unwrap(),
        credits: Some(Credits { size, mode: Mode::Standard, initial_balance: 12.5 }),
    };
    let unlimited = Dynamics { credits: Some(Credits::of(size)), ..Dynamics::default() };
    for dynamics in [Dynamics::default(), other, unlimited] {
        assert_eq!(DynamicsDocument::from(dynamics).dynamics().unwrap(), dynamics);
    }
}

#[test]
fn the_newest_samples_are_those_of_a_span_before_the_end_even_across_midnight() {
    for (taken, span) in [(2880, 180), (1453, 30), (1453, 1500), (20, 180)] {
        let archive = MemoryArchive::default();
        ingest(&archive, two_days().into_iter().take(taken).collect()).unwrap();
        let (environment, span_minutes) = (environment(), Minutes(span));
        let newest = store::newest_samples(&archive, &environment, span_minutes, span_minutes);
        let newest = block_on(newest).unwrap().unwrap();
        let end = taken as u32 - ingest::LEAVE_OPEN.0;
        let minutes: Vec<_> = newest.samples.iter().map(|sample| sample.minute_utc).collect();
        assert_eq!(minutes, (end.saturating_sub(span)..end).map(at).collect::<Vec<_>>());
        assert_eq!(newest.end, at(end));
    }
}

#[test]
fn activities_are_kept_once_and_the_newest_word_on_one_wins() {
    let archive = MemoryArchive::default();
    let mut unfinished = launch(2, 100);
    unfinished.end = None;
    for activities in [vec![launch(1, 95), unfinished], vec![launch(2, 100), launch(30, 50)]] {
        block_on(store::merge_activities(&archive, &environment(), &activities)).unwrap();
    }
    let kept = block_on(store::read_activities(&archive, &environment(), window())).unwrap();
    assert_eq!(kept, [launch(1, 95), launch(2, 100), launch(30, 50)]);
    let within = |start, end| {
        let window = scaling::units::Window { start: at(start), end: at(end) };
        block_on(store::read_activities(&archive, &environment(), window)).unwrap()
    };
    assert_eq!(within(60, 121), [launch(1, 95), launch(2, 100)]);
    assert_eq!(within(61, 120), []);
    let puts = archive.puts();
    block_on(store::merge_activities(&archive, &environment(), &kept)).unwrap();
    assert_eq!(archive.puts(), puts);
}

#[test]
fn burstable_instances_are_told_what_their_credits_say() {
    let with_type = |name| with(&[("aws:ec2:instances", "InstanceTypes", name)]);
    let advice = advised(with_type("t3.nano"), two_days(), vec![]);
    let credits = advice.credits.as_ref().unwrap();
    assert!(credits.unlimited && credits.surplus_credits > 100.0, "{credits:?}");
    assert!(plain_body(&advice).contains("a t3.nano earns what 5 % CPU spends"), "{}", plain_body(&advice));
    let held = advised(with_type("t2.micro"), two_days(), vec![]).credits.unwrap();
    assert!(!held.unlimited && held.minutes_throttled > 100, "{held:?}");
    assert!(advised(with_type("m5.large"), two_days(), vec![]).credits.is_none());
}

#[test]
fn scheduled_actions_of_the_settings_are_part_of_every_replay() {
    let scheduled = |name: &str, value: &str| OptionDocument {
        resource_name: Some("Night".into()),
        ..option("aws:autoscaling:scheduledaction", name, value)
    };
    let schedule = vec![scheduled("Recurrence", "0 1 * * *"), scheduled("MinSize", "5")];
    let advice = advised([options(), schedule].concat(), two_days(), vec![]);
    // Three instances were recorded all the time, and five would have been there from one o'clock on.
    assert_eq!(advice.present.unwrap().outcome.unwrap().peak_instances, 5);
    assert_eq!(advice.back_test.unwrap().grade, GradeDocument::NotTrusted);
}

#[test]
fn a_minimum_that_was_raised_the_evening_before_is_in_force_when_the_window_begins() {
    let scheduled = |name: &str, value: &str| OptionDocument {
        resource_name: Some("Evening".into()),
        ..option("aws:autoscaling:scheduledaction", name, value)
    };
    let schedule = vec![scheduled("StartTime", "2026-11-01T20:00:00Z"), scheduled("MinSize", "5")];
    let outcome =
        advised([options(), schedule].concat(), two_days(), vec![]).present.unwrap().outcome.unwrap();
    assert_eq!((outcome.instance_hours.round(), outcome.scale_outs, outcome.scale_ins), (240.0, 0, 0));
}

#[test]
fn o11_a_single_instance_is_told_that_advice_does_not_apply() {
    let options = with(&[("aws:elasticbeanstalk:environment", "EnvironmentType", "SingleInstance")]);
    let advice = advised(options, two_days(), vec![]);
    assert!(advice.verdict == VerdictDocument::NotApplicable && advice.recommended.is_none());
    let Message { subject, body } = pipeline::advice::message(&advice);
    assert_eq!(subject, "web-prod: a single instance has no trigger to advise on");
    for word in ["UpperThreshold", "option_settings", "--option-settings", "How to apply"] {
        assert!(!body.contains(word), "{body}");
    }
}

#[test]
fn a_deployment_is_no_part_of_the_fit() {
    let mut samples = two_days();
    for sample in &mut samples[1000..1020] {
        sample.set(Metric::InService, 9.0).unwrap();
        sample.set(Metric::CpuPercent, 80.0).unwrap();
    }
    let archive = MemoryArchive::default();
    ingest(&archive, samples).unwrap();
    let fit = refit(&archive).unwrap().fit;
    assert_eq!(fit.left_out, [(LeftOut::Deployment, 20), (LeftOut::JustAfterChange, 3)].into());
    assert!((fit.model.coefficient() - 0.01).abs() < 1e-4, "{fit:?}");
}

/// A sweep of two days, and what was told meanwhile; the clock goes on by ten seconds whenever somebody looks at it.
fn watched(
    archive: &MemoryArchive,
    request: SweepRequest,
    seconds: u64,
) -> (Result<SweepReport, SweepError>, Vec<Progress>) {
    ingest(archive, two_days()).unwrap();
    refit(archive).unwrap();
    let (told, looks) = (Mutex::new(vec![]), AtomicU64::new(0));
    let progress = |progress| told.lock().unwrap().push(progress);
    let left = || Duration::from_secs(seconds.saturating_sub(10 * looks.fetch_add(1, Ordering::Relaxed)));
    let watch = Watch { progress: &progress, left: Some(&left) };
    let swept = block_on(sweep::run(archive, request, &watch));
    (swept, told.into_inner().unwrap())
}

/// Settings that are replayed one by one.
fn on_credits(grid: GridOverrides) -> SweepRequest {
    let credits = Credits::of(BurstableSize::named("t3.small").unwrap());
    SweepRequest {
        grid,
        dynamics: Dynamics { credits: Some(credits), ..Dynamics::default() },
        ..sweep_request()
    }
}

/// Few of them.
fn few() -> GridOverrides {
    let percents = |percents: &[f64]| Some(percents.iter().map(|p| CpuPercent::new(*p).unwrap()).collect());
    GridOverrides {
        upper_thresholds: percents(&[30.0, 40.0]),
        lower_thresholds: percents(&[10.0]),
        ..sweep_request().grid
    }
}

#[test]
fn a_sweep_tells_what_it_is_at_and_goes_through_all_settings_each_time() {
    for request in [sweep_request(), on_credits(few())] {
        let (swept, told) = watched(&MemoryArchive::default(), request, 1_000_000);
        assert_eq!(told[0].doing, "replaying policies");
        assert_eq!(told[0].of, swept.unwrap().document.candidates.replayed);
        let passes: Vec<&[Progress]> = told.chunk_by(|a, b| a.doing == b.doing && a.done <= b.done).collect();
        assert!(4 <= passes.len(), "{told:?}");
        for pass in passes {
            assert!(pass.last().is_some_and(|last| last.done == last.of), "{pass:?}");
        }
    }
    let one = Progress { doing: "replaying policies", done: 400_000, of: 1_333_170 };
    assert_eq!(one.to_string(), "replaying policies: 400,000 of 1,333,170 settings");
}

#[test]
fn what_cant_end_in_time_is_refused_as_soon_as_that_is_seen() {
    // Side by side, the first of them show it; one by one, a sample of them before anything is begun.
    for (request, at_most) in [(sweep_request(), 1), (on_credits(sweep_request().grid), 0)] {
        let archive = MemoryArchive::default();
        let (swept, told) = watched(&archive, request, 60);
        assert!(told.len() <= at_most, "{told:?}");
        let Err(SweepError::TooLong(too_long)) = swept else { panic!("{swept:?}") };
        assert!(too_long.left < too_long.needed && too_long.left <= Duration::from_secs(50), "{too_long:?}");
        let said = too_long.to_string();
        assert!(said.ends_with(" seconds are left: give fewer values to try (`candidates`)"), "{said}");
        assert_eq!(block_on(archive.list(&Prefix::sweeps(&environment()))).unwrap(), []);
    }
}

#[test]
fn readers_are_told_that_the_plausible_settings_take_too_long_and_not_that_those_asked_for_do() {
    for (grid, is_told) in [(GridOverrides::default(), true), (sweep_request().grid, false)] {
        let archive = MemoryArchive::default();
        watched(&archive, on_credits(grid), 60).0.unwrap_err();
        let kept = block_on(archive.get(&refusals::key(&environment()))).unwrap();
        let kept = kept.map(|kept| String::from_utf8(kept.body.to_vec()).unwrap());
        let names = |kept: &String| kept.contains("too_long") && kept.contains("are left: give fewer values");
        assert_eq!(kept.as_ref().map(names), is_told.then_some(true), "{kept:?}");
    }
}
