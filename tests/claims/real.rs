//! Real measurements and hard cases, from the shared data folder beside the checkout. None of it is ours to
//! ship, so where the folder is missing these tests are ignored; under `CI` they fail.

use std::num::NonZero;
use std::path::PathBuf;

use pipeline::activity::{ActivityKind, LaunchTimes};
use pipeline::archive::Environment;
use pipeline::archive::memory::MemoryArchive;
use pipeline::documents::{OptionDocument, RecommendationDocument, VerdictDocument};
use pipeline::fill::{absent_requests, leave_open};
use pipeline::ingest::{self, IngestRequest};
use pipeline::recorded::{Options, Recording, Source, activities, read, settings};
use pipeline::refit::{self, RefitRequest};
use pipeline::sweep::{self, GridOverrides, Margins, Model, Replayed, SweepRequest, Watch};
use pipeline::tables::samples::encode;
use pipeline::{advice, store};
use scaling::backtest::{Free, Record};
use scaling::coefficient::{Circumstances, Fit, FitError, FitRules, Interval, fit, fit_within};
use scaling::course::Course;
use scaling::cpu_model::CpuModel;
use scaling::credits::{BurstableSize, Credits, Mode};
use scaling::disturbance::deployments;
use scaling::dynamics::Dynamics;
use scaling::latency::knee;
use scaling::plan::{Measure, Plan, Rule, TargetTracking};
use scaling::policy::Group;
use scaling::reference::{Scenario, replay};
use scaling::sample::{Metric, Sample};
use scaling::settings::Settings;
use scaling::traffic::{Load, Traffic};
use scaling::units::{CpuPercent, Instances, Minutes, Seconds, Window};

use crate::{block_on, intake_options as options};

fn source(path: &str) -> Source {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/public");
    let file = folder.join(path);
    let bytes = std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    Source { name: path.to_owned(), bytes }
}

fn recorded(paths: &[&str], options: &Options) -> Recording {
    let sources: Vec<Source> = paths.iter().map(|path| source(path)).collect();
    read(&sources, options).unwrap()
}

fn values(samples: &[Sample], metric: Metric) -> Vec<Option<f64>> {
    samples.iter().map(|sample| sample.get(metric)).collect()
}

fn notes(recording: &Recording) -> String {
    recording.notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn few(min_usable: u32) -> FitRules {
    FitRules { min_usable, ..FitRules::default() }
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn o01_pages_are_joined_by_id_and_what_cloudwatch_says_is_told() {
    let recording = recorded(&["cases/O01-page1.json", "cases/O01-page2.json"], &Options::default());
    let ascending = |from: f64, step: f64| -> Vec<Option<f64>> {
        (0..6).map(|i| Some(((from + step * f64::from(i)) * 10.0).round() / 10.0)).collect()
    };
    assert_eq!(values(&recording.samples, Metric::Requests), ascending(500.0, 1.0));
    assert_eq!(values(&recording.samples, Metric::CpuPercent), ascending(25.0, 0.1));
    assert_eq!(values(&recording.samples, Metric::InService), [None; 6]);
    let notes = notes(&recording);
    assert!(
        notes.contains("some metrics were left out")
            && notes.contains("`hosts` (`HealthyHostCount`) has no points")
    );
    assert!(!notes.contains("PartialData") && !notes.contains("counted by"), "{notes}");
    let refused = fit(&recording.samples, few(2)).unwrap_err().to_string();
    assert_eq!(
        refused,
        "only 0 usable periods, 3 needed (left out: 6 without an instance count); take in more, or look back further"
    );
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn o01_a_first_page_alone_is_told_to_be_incomplete() {
    let notes = notes(&recorded(&["cases/O01-page1.json"], &Options::default()));
    assert!(
        notes.contains("ends with a NextToken")
            && notes.contains("`cpu` (`CPUUtilization`) ends with PartialData")
    );
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn o02_the_same_points_in_any_order_give_the_same_bytes() {
    let unsorted = source("aws-json/cw-get-metric-statistics.unsorted.json");
    let mut value: serde_json::Value = serde_json::from_slice(&unsorted.bytes).unwrap();
    let points = value["Datapoints"].as_array_mut().unwrap();
    points.reverse();
    points.swap(0, 3);
    let shuffled = Source { name: "shuffled".into(), bytes: value.to_string().into_bytes() };
    // They are an hour apart, which nothing can be learned from: as if the rest were gaps.
    let stated = Options { period_seconds: Some(300), ..Options::default() };
    let bytes = |source| encode(&read(&[source], &stated).unwrap().samples).unwrap();
    assert_eq!(bytes(unsorted), bytes(shuffled));
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn o04_absent_requests_are_zero_and_absent_cpu_is_missing() {
    let mut samples = recorded(&["cases/O04-sparse.json"], &Options::default()).samples;
    let (absent, report) = absent_requests(&samples, None);
    for absent in &absent {
        samples.iter_mut().find(|sample| sample.key() == absent.key()).unwrap().merge(absent);
    }
    let recording = recorded(&["cases/O04-sparse.json"], &Options::default());
    assert!(notes(&recording).contains("instances are counted by series `hosts` (`HealthyHostCount`)"));
    assert_eq!((report.requests_filled, report.cpu_missing), (3, 1));
    assert_eq!(values(&samples, Metric::Requests)[3..6], [Some(0.0); 3]);
    assert_eq!(values(&samples, Metric::CpuPercent)[7], None);
    assert_eq!(fit(&samples, few(5)).unwrap().usable, 9);
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn o04_without_instances_absent_requests_stay_missing() {
    let mut samples = recorded(&["cases/O04-sparse.json"], &Options::default()).samples;
    // As if the load balancer had reported nothing: the minutes of CPU alone.
    samples.retain(|sample| sample.get(Metric::Requests).is_none());
    let without_instances = |sample: &Sample| {
        let mut bare = Sample::empty(sample.minute_utc, sample.period);
        bare.set(Metric::CpuPercent, sample.get(Metric::CpuPercent).unwrap()).unwrap();
        bare
    };
    let bare: Vec<Sample> = samples.iter().map(without_instances).collect();
    assert_eq!(absent_requests(&bare, None).0, []);
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn o05_requests_are_brought_to_the_periods_of_cpu() {
    let recording = recorded(&["cases/O05-basic-monitoring.csv"], &Options::default());
    let Fit { model, usable, r_squared, .. } = fit(&recording.samples, few(4)).unwrap();
    assert!((model.coefficient() - 0.02).abs() < 1e-12 && model.intercept_percent().abs() < 1e-9);
    assert!(usable == 4 && r_squared > 0.999_999);
    assert!(notes(&recording).contains("a trigger's Period of less than 5 can't work on it"));
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn o06_zones_are_not_added_up() {
    let recording = recorded(&["cases/O06-hosts-by-zone.csv"], &Options::default());
    assert_eq!(values(&recording.samples, Metric::InService), [Some(4.0); 3]);
    assert!(notes(&recording).contains("taken are those without a zone"));
    let one = recorded(&["cases/O06-hosts-by-zone.csv"], &options(&[], &["zone=az-b"]));
    assert_eq!(values(&one.samples, Metric::InService), [Some(4.0); 3]);
}

fn hpa() -> Recording {
    let columns = [("cpu_percent", "cpu_core_percent"), ("in_service", "current_replicas")];
    recorded(&["hpa-cpu-rps-replicas/hpa_testapp_15s_part1.csv"], &options(&columns, &["current_replicas>1"]))
}

/// The origin of the data names 0.00091 through the origin; so do the first four hours of this part of it. Over all of
/// them requests got cheaper from hour to hour, and CPU at idle is not zero: the line is flatter and starts higher.
#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn hpa_rows_of_15_seconds_become_minutes_and_carry_a_line_that_moved_by_the_hour() {
    let samples = hpa().samples;
    assert_eq!(samples.len(), 961);
    let fit = fit(&samples, FitRules::default()).unwrap();
    assert!((fit.model.coefficient() - 0.000_59).abs() < 1e-5, "{:?}", fit.model);
    assert!((fit.model.intercept_percent() - 0.39).abs() < 0.02 && fit.intercept_interval.low > 0.0);
    assert!((fit.r_squared - 0.84).abs() < 0.01 && fit.residual_spread_percent < 0.4);
    let Interval { low, high } = fit.coefficient_by_block;
    assert!(fit.blocks.to_string() == "17 hours" && low > 0.0005 && high > 1.3 * low, "{low} to {high}");
    let early: Vec<Sample> = samples[..240].to_vec();
    let ratio = |sample: &Sample| {
        let instances = sample.get(Metric::InService)?;
        Some((sample.get(Metric::Requests)? / instances, sample.get(Metric::CpuPercent)?))
    };
    let pairs: Vec<(f64, f64)> = early.iter().filter_map(ratio).collect();
    let through_origin =
        pairs.iter().map(|(x, y)| x * y).sum::<f64>() / pairs.iter().map(|(x, _)| x * x).sum::<f64>();
    assert!((through_origin - 0.000_91).abs() < 0.000_03, "{through_origin}");
}

fn vm() -> Recording {
    let columns = [
        ("requests_per_minute", "arrival_rate"),
        ("cpu_percent", "cpu_burstable*50+cpu_regular*50"),
        ("in_service", "current_burstable+current_regular"),
    ];
    recorded(&["vm-autoscaling-bias/flash_regular_only.csv"], &options(&columns, &[]))
}

/// 0.093, flat near 65 %, and a minute late, says the origin of the data.
#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn vm_flash_costs_about_0_093_percent_for_a_request_and_has_a_ceiling() {
    let fit = fit(&vm().samples, FitRules::default()).unwrap();
    assert!((fit.model.coefficient() / 0.093 - 1.0).abs() < 0.1, "{:?}", fit.model);
    assert!(fit.coefficient_interval.contains(0.093) && fit.intercept_interval.contains(0.0));
    let ceiling = fit.ceiling.unwrap();
    assert!((60.0..66.0).contains(&ceiling.level_percent) && !ceiling.for_a_while, "{ceiling:?}");
    assert_eq!(fit.lag, Minutes(1));
}

/// Two kinds of machines in one average: no line goes through both.
#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn vm_ramp_with_two_kinds_of_machines_is_refused_and_the_kinds_are_named() {
    let columns = [
        ("requests_per_minute", "arrival_rate"),
        ("cpu_percent", "cpu_burstable*50+cpu_regular*50"),
        ("in_service", "current_burstable+current_regular"),
    ];
    // Its times were ruined by a spreadsheet; the rows are in order, about a minute apart.
    let file = source("vm-autoscaling-bias/ramp_regular_and_burstable.csv");
    let text = String::from_utf8(file.bytes).unwrap().replacen("timestamp", "ruined", 1);
    let by_row = Options {
        start: Some(scaling::units::MinuteUtc::new(27_000_000).unwrap()),
        period_seconds: Some(60),
        ..options(&columns, &[])
    };
    let samples = read(&[Source { name: file.name, bytes: text.into_bytes() }], &by_row).unwrap().samples;
    assert_eq!(samples.len(), 141);
    let refused = fit(&samples, FitRules::default()).unwrap_err();
    let said = refused.to_string();
    assert!(matches!(refused, FitError::RSquaredTooLow { lag: Minutes(1..=2), .. }), "{said}");
    assert!(said.contains("instances of several kinds"), "{said}");
    let instance_types = ["t3.small".to_owned(), "m5.large".to_owned()];
    let around = Circumstances { instance_types: &instance_types, ..Circumstances::default() };
    let refused = fit_within(&samples, FitRules::default(), around).unwrap_err().to_string();
    assert!(refused.contains("several types (t3.small, m5.large)"), "{refused}");
}

/// 0.0106 through the origin, 0.0090 above 5.4 %, and flat near 47 %, says the origin of the data. Each row is a run of its
/// own at a steady rate; CPU itself rises to the end, and response time says that there is no more.
#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn the_capacity_profile_costs_a_hundredth_and_ends_near_47_percent() {
    let columns = [
        ("requests_per_second", "target_rps"),
        ("cpu_percent", "max_pod_cpu_cores*100"),
        ("in_service", "replicas"),
        ("latency_p99_seconds", "p99_ms*0.001"),
    ];
    let by_row = Options {
        start: Some(scaling::units::MinuteUtc::new(27_000_000).unwrap()),
        period_seconds: Some(60),
        ..options(&columns, &[])
    };
    let samples = recorded(&["capacity-profile/k8s_capacity_runs_n1_n2.csv"], &by_row).samples;
    let fit = fit(&samples, FitRules::default()).unwrap();
    assert!((0.0090..0.0106).contains(&fit.model.coefficient()), "{:?}", fit.model);
    let Interval { low, high } = fit.coefficient_interval;
    assert!(low < 0.0090 && 0.0106 < high, "{low} to {high}");
    let knee = knee(&samples, Circumstances::default()).unwrap();
    assert!((35.0..41.0).contains(&knee.departs_at_percent) && knee.interval.contains(38.0), "{knee:?}");
    assert!((46.0..48.0).contains(&knee.saturates_at_percent().unwrap()), "{knee:?}");
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn vm_flash_goes_the_whole_way_to_a_message_that_trusts_no_replay() {
    let archive = MemoryArchive::default();
    let recording = vm();
    let advice = advise(&archive, recording, None);
    assert_eq!(advice.verdict, VerdictDocument::NotTrusted);
    // CPU strays by 12 points from the line: the replay has to stay far below the ceiling.
    assert!(advice.cpu_held_percent < 30.0, "{}", advice.cpu_held_percent);
    let body = advice::message(&advice).body.replace('\n', " ");
    assert!(body.contains("The traffic covers less than a week"), "{body}");
    assert!(
        body.contains("Most likely instances were saturated, which hides what was really asked for"),
        "{body}"
    );
    assert!(body.contains("the present settings are not known") && !body.contains("How to apply"), "{body}");
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn a_steady_load_is_refused_since_any_slope_would_do() {
    let columns = [("cpu_percent", "cpu_fraction*100"), ("in_service", "1")];
    let samples = recorded(&["steady-load-host/librede_r3_1s.csv"], &options(&columns, &[])).samples;
    let refused = fit(&samples, FitRules::default()).unwrap_err();
    assert!(matches!(refused, FitError::NoSpreadInLoad { .. }), "{refused}");
    // Nor would it do if steadiness alone were let pass.
    let lenient = FitRules { min_load_spread: 0.0, ..FitRules::default() };
    assert!(fit(&samples, lenient).is_err());
}

/// Ingest, refit (unless the cost is stated) and sweep over everything that is recorded, with few policies.
fn advise(archive: &MemoryArchive, recording: Recording, stated: Option<CpuModel>) -> RecommendationDocument {
    let environment = Environment::new("real").unwrap();
    let start = recording.samples[0].minute_utc;
    let request = IngestRequest {
        environment: environment.clone(),
        recording,
        options: None,
        activities: vec![],
        group: None,
        load_balancer_reported: None,
        leave_open: Minutes(3),
        fetched_until: None,
    };
    block_on(ingest::run(archive, request)).unwrap();
    let end = block_on(store::end_of_samples(archive, &environment)).unwrap().unwrap();
    let window = Window { start, end };
    if stated.is_none() {
        let rules = FitRules::default();
        let request =
            RefitRequest { environment: environment.clone(), window, rules, ceiling: None, load_test: None };
        block_on(refit::run(archive, request)).unwrap();
    }
    let request = SweepRequest {
        environment,
        window,
        replayed: Replayed::Recorded,
        model: stated.map_or(Model::Fitted, Model::Stated),
        ceiling: None,
        margin: None,
        minutes_over_allowed: 0,
        grid: GridOverrides {
            periods: Some(vec![Minutes(1)]),
            evaluation_periods: Some(vec![1]),
            cooldowns: Some(vec![Seconds(60)]),
            ..GridOverrides::default()
        },
        margins: Margins::default(),
        dynamics: Dynamics::default(),
        free: Free::ALL,
        price: None,
        threads: NonZero::new(2).unwrap(),
    };
    block_on(sweep::run(archive, request, &Watch::NONE)).unwrap().document
}

fn swept(path: &str, column: (&str, &str), coefficient: f64) -> RecommendationDocument {
    let recording = recorded(&[path], &options(&[column], &[]));
    let model = CpuModel::new(3.0, coefficient).unwrap();
    advise(&MemoryArchive::default(), recording, Some(model))
}

fn check_held(advice: &RecommendationDocument, minutes: usize, peak: f64) {
    assert_eq!(advice.traffic.minutes, minutes);
    assert!((advice.traffic.peak_requests_per_minute - peak).abs() < 1.0, "{:?}", advice.traffic);
    assert_eq!(advice.verdict, VerdictDocument::Change);
    let outcome = &advice.recommended.as_ref().unwrap().outcome;
    assert!(outcome.minutes_over == 0 && outcome.max_cpu_percent < 50.0, "{outcome:?}");
    // Cheaper than a fixed group that is large enough for the peak.
    let room = 50.0 - advice.model.intercept_percent;
    let fixed = (advice.model.coefficient * peak / room).ceil() * minutes as f64 / 60.0;
    assert!(outcome.instance_hours < fixed, "{outcome:?}, fixed {fixed}");
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn mongodb_traces_are_swept_with_a_stated_coefficient() {
    let requests = ("requests_per_second", "value");
    check_held(&swept("traffic-shapes/ms-mongodb-app-rps-01.csv", requests, 0.01), 15_837, 691_652.0);
    check_held(&swept("traffic-shapes/ms-mongodb-app-rps-02.csv", requests, 0.01), 15_837, 43_501.0);
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn nasa_1995_is_swept_with_a_stated_coefficient() {
    let requests = ("requests", "requests");
    let recording = recorded(&["traffic-shapes/nasa-http-1995-07-permin.csv"], &options(&[requests], &[]));
    assert_eq!(recording.samples.len(), 39_693);
    check_held(&swept("traffic-shapes/nasa-http-1995-07-permin.csv", requests, 0.5), 39_690, 409.0);
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn o03_a_low_last_minute_is_left_open() {
    let mut samples = recorded(&["traffic-shapes/nasa-http-1995-07-permin.csv"], &Options::default()).samples;
    assert_eq!(leave_open(&mut samples, Minutes(3)), 3);
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn the_documented_default_settings_are_read() {
    let file = source("aws-json/eb-describe-configuration-settings.loadbalanced-defaults.json");
    let read = settings::read(&file.name, &file.bytes).unwrap();
    let named = read.options.iter().map(OptionDocument::as_option);
    let settings = Settings::from_options(named).unwrap();
    assert!(
        settings.load_balanced && settings.measure_name == "NetworkOut" && settings.group.max_size.0 == 4
    );
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn o11_a_single_instance_has_no_trigger() {
    let file = source("aws-json/eb-describe-configuration-settings.single-instance.json");
    let read = settings::read(&file.name, &file.bytes).unwrap();
    let named = read.options.iter().map(OptionDocument::as_option);
    let refused = Settings::from_options(named).unwrap().policy().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the environment is a single instance: it has no trigger, so that advice on one does not apply"
    );
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn o12_the_deployment_is_recognised_and_without_it_the_load_does_not_vary() {
    let samples = recorded(&["cases/O12-deployment.csv"], &Options::default()).samples;
    let record = Record::of(&samples, everything(&samples)).unwrap();
    let seen = deployments(record.start, &record.minutes, 1);
    assert_eq!(seen.len(), 1);
    assert_eq!((seen[0].start.to_string(), seen[0].extra.0), ("2024-03-04T10:10Z".into(), 4));
    assert!(matches!(
        fit_within(&samples, few(10), Circumstances { deployments: &seen, ..Circumstances::default() }),
        Err(FitError::NoSpreadInLoad { .. })
    ));
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn o08_credits_that_run_out_are_replayed_by_the_model_of_credits() {
    let samples = recorded(&["cases/O08-credits.csv"], &Options::default()).samples;
    // One line through everything is refused, since CPU stays at 20 % while requests rise; what lies below that is
    // twenty minutes of nearly the same load.
    let refused = fit(&samples, few(10)).unwrap_err();
    assert!(
        matches!(&refused, FitError::AtCeiling { ceiling, .. } if (ceiling.level_percent - 20.0).abs() < 0.1)
    );
    assert!(
        refused.to_string().starts_with("CPU stays near 20 % from 667 requests per minute and instance on")
    );
    let lenient = fit(&samples, FitRules { min_load_spread: 0.05, ..few(10) }).unwrap();
    assert!((lenient.model.coefficient() - 0.03).abs() < 1e-6 && lenient.ceiling.unwrap().for_a_while);
    // With the line of the first twenty minutes and the credits of the case, CPU falls when it really fell.
    let model = fit(&samples[..20], FitRules { min_load_spread: 0.05, ..few(10) }).unwrap().model;
    assert!((model.coefficient() - 0.03).abs() < 1e-6);
    let traffic = Traffic::recorded(&samples, everything(&samples)).unwrap();
    let credits = Credits { initial_balance: 11.5, mode: Mode::Standard, ..Credits::of(t2_small()) };
    let group = Group { min_size: Instances(1), max_size: Instances(1), cooldown: Seconds(360) };
    let rule = Rule::TargetTracking(TargetTracking::cpu(CpuPercent::new(90.0).unwrap(), Minutes(5)));
    let scenario = Scenario {
        plan: Plan { rule, group, measure: Measure::CpuUtilization },
        dynamics: Dynamics { credits: Some(credits), ..Dynamics::default() },
        course: Course::default(),
        initial: Instances(1),
    };
    let rows = replay(&Load::new(&traffic, model), &scenario);
    let recorded = values(&samples, Metric::CpuPercent);
    let off = |minute: usize| (rows[minute].cpu_percent.unwrap() - recorded[minute].unwrap()).abs();
    let exact = (0..rows.len()).filter(|minute| off(*minute) < 1.0).count();
    assert!(exact >= rows.len() - 16, "{exact} of {}", rows.len());
    assert!(rows.last().unwrap().throttled == Instances(1) && off(rows.len() - 1) < 1e-6);
}

fn t2_small() -> BurstableSize {
    BurstableSize::named("t2.small").unwrap()
}

fn everything(samples: &[Sample]) -> Window {
    Window { start: samples[0].minute_utc, end: samples.last().unwrap().minute_utc + Minutes(5) }
}

/// Kubernetes' own rule for that group: 2.5 % of a core, 2 to 20 pods, a tenth either way is let be, and scale-in
/// takes the most that any of the last five minutes asked for. It is none of AWS's, and stays here.
fn by_kubernetes(record: &Record, model: CpuModel) -> Vec<u32> {
    let (mut pods, mut asked, mut cpu) = (2_u32, Vec::new(), None::<f64>);
    let mut counts = Vec::new();
    for minute in &record.minutes {
        if let Some(cpu) = cpu {
            let ratio = cpu / 2.5;
            let wanted =
                if (ratio - 1.0).abs() <= 0.1 { pods } else { (f64::from(pods) * ratio).ceil() as u32 };
            asked.push(wanted.clamp(2, 20));
            let recent = asked[asked.len().saturating_sub(5)..].iter().copied().max().unwrap_or(pods);
            pods = if pods < wanted { wanted.clamp(2, 20) } else { recent.min(pods) };
        }
        counts.push(pods);
        let stray = |requests: f64| {
            let there = minute.in_service.filter(|count| *count > 0.0)?;
            Some(minute.cpu_percent? - model.cpu_percent(requests / there))
        };
        cpu = minute
            .requests
            .map(|requests| model.cpu_percent(requests / f64::from(pods)) + stray(requests).unwrap_or(0.0));
    }
    counts
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn hpa_by_its_known_rule_comes_near_the_recorded_pods() {
    let samples = hpa().samples;
    let record = Record::of(&samples, everything(&samples)).unwrap();
    let model = fit(&samples, FitRules::default()).unwrap().model;
    let replayed = by_kubernetes(&record, model);
    let pairs: Vec<(f64, f64)> = record
        .minutes
        .iter()
        .zip(&replayed)
        .filter_map(|(minute, pods)| Some((minute.in_service?, f64::from(*pods))))
        .collect();
    let sum = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>();
    let bias = sum(|pair| pair.1) / sum(|pair| pair.0) - 1.0;
    let mape = sum(|pair| (pair.1 - pair.0).abs() / pair.0) / pairs.len() as f64;
    let exact = sum(|pair| f64::from((pair.1 - pair.0).abs() < 0.5)) / pairs.len() as f64;
    println!("bias {bias:.4}, MAPE {mape:.4}, exact {exact:.4} of {} minutes", pairs.len());
    assert!(bias.abs() < 0.12 && mape < 0.2, "bias {bias}, MAPE {mape}, exact {exact}");
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn a_recorded_activity_is_read() {
    let file = source("aws-json/asg-describe-scaling-activities.ok.json");
    let activities = activities::read(&file.name, &file.bytes).unwrap();
    let [activity] = &activities[..] else { panic!("{activities:?}") };
    assert!(activity.kind == ActivityKind::Launch && activity.successful);
    let took = activity.end.unwrap().as_millisecond() - activity.start.as_millisecond();
    assert_eq!(took, 31_234);
    assert_eq!(LaunchTimes::of(&activities), None, "one launch says too little");
}
