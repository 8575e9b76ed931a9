//! What a refit learns beside the line, and what advice makes of it.

use jiff::Timestamp;
use pipeline::activity::{Activity, ActivityKind};
use pipeline::advice::{Message, cost, message};
use pipeline::archive::memory::MemoryArchive;
use pipeline::archive::{Archive, Key};
use pipeline::documents::{
    BendDocument, CeilingDocument, CeilingSource, DriftDocument, FitDocument, GradeDocument,
    IntervalDocument, PolicyDocument, RecommendationDocument,
};
use pipeline::publish::Told;
use pipeline::recorded::{Options, Source, locust, read};
use pipeline::refit::{self, LoadTest, RefitError, RefitReport, RefitRequest};
use pipeline::store::{self, read_json_versioned, write_json};
use pipeline::sweep::{GridOverrides, SweepRequest};
use pipeline::tables::samples::Remarks;
use scaling::coefficient::FitRules;
use scaling::sample::{Metric, Sample};
use scaling::units::{CpuPercent, Instances, Minutes, Window};

use crate::stages::{
    self, Mailbox, at, environment, ingest, publish, refit, sweep, sweep_request, two_days, window,
    with_advice,
};
use crate::{block_on, in_one_line, option};

fn percent(value: f64) -> CpuPercent {
    CpuPercent::new(value).unwrap()
}

/// Two days whose CPU, and what else, is made from what it would be.
fn two_days_with(change: impl Fn(usize, &mut Sample, f64)) -> Vec<Sample> {
    let mut samples = two_days();
    for (minute, sample) in samples.iter_mut().enumerate() {
        let cpu = sample.get(Metric::CpuPercent).unwrap();
        change(minute, sample, cpu);
    }
    samples
}

fn archived(samples: Vec<Sample>) -> MemoryArchive {
    let archive = MemoryArchive::default();
    ingest(&archive, samples).unwrap();
    archive
}

fn advised(samples: Vec<Sample>, request: SweepRequest) -> RecommendationDocument {
    let archive = archived(samples);
    refit(&archive).unwrap();
    sweep(&archive, request).unwrap().document
}

/// A request costs 40 % more from that minute on.
const DEARER_FROM: usize = 1500;

fn dearer(minute: usize, sample: &mut Sample, cpu: f64) {
    if minute >= DEARER_FROM {
        sample.set(Metric::CpuPercent, 2.0 + 1.4 * (cpu - 2.0)).unwrap();
    }
}

#[test]
fn a_deployment_that_made_requests_dearer_is_told_with_its_moment() {
    let archive = archived(two_days_with(dearer));
    let deployed = |start: &str, end: &str| Activity {
        id: format!("e-1 {start}"),
        kind: ActivityKind::Deployment,
        start: start.parse().unwrap(),
        end: end.parse().ok(),
        successful: true,
        cause: String::new(),
    };
    let deployments = [
        deployed("2026-11-02T12:00:00Z", "2026-11-02T12:10:00Z"),
        deployed("2026-11-03T00:40:00Z", "2026-11-03T00:58:00Z"),
        deployed("2026-11-03T09:00:00Z", "2026-11-03T09:10:00Z"),
    ];
    block_on(store::merge_activities(&archive, &environment(), &deployments)).unwrap();
    let fit = refit(&archive).unwrap().document;
    let drift = fit.drift.unwrap();
    let off = drift.since.as_second() - at(DEARER_FROM as u32).start().as_second();
    assert!(drift.exact && off.abs() <= 600 && (drift.share - 0.4).abs() < 0.03, "{drift:?}");
    assert!((fit.coefficient - 0.014).abs() < 2e-4, "{fit:?}");
    let advice = sweep(&archive, sweep_request()).unwrap().document;
    let Message { subject, body } = message(&advice);
    assert!(subject.contains("web-prod: requests cost 40 % more: "), "{subject}");
    let said = in_one_line(&body);
    let warning = "UTC a request costs 40 % more than before; a deployment that ended at 00:59 UTC may be why. What \
                   follows is by what it costs since.";
    assert!(said.contains("Warning: Since Tuesday 2026-11-03 ") && said.contains(warning), "{body}");
}

/// The traffic of the time before is replayed at what it would cost now.
#[test]
fn advice_after_a_change_is_that_of_an_environment_that_always_cost_as_much() {
    let always = two_days_with(|_, sample, cpu| dearer(DEARER_FROM, sample, cpu));
    let advised = |samples| advised(samples, sweep_request()).recommended.unwrap();
    let (changed, always, never) = (advised(two_days_with(dearer)), advised(always), advised(two_days()));
    let value = |policy: &PolicyDocument, name: &str| -> f64 {
        let option = policy.options.iter().find(|option| option.option_name == name).unwrap();
        option.value.parse().unwrap()
    };
    // Two fits of the same cost are never quite the same, and thresholds are searched by the percent.
    for (name, apart) in [
        ("UpperThreshold", 3.0),
        ("LowerThreshold", 3.0),
        ("Period", 0.0),
        ("MinSize", 0.0),
        ("MaxSize", 0.0),
    ] {
        let distance = (value(&changed, name) - value(&always, name)).abs();
        assert!(distance <= apart, "{name}: {changed:?}, {always:?}");
    }
    let hours = |policy: &PolicyDocument| policy.outcome.instance_hours;
    assert!((hours(&changed) / hours(&always) - 1.0).abs() < 0.03, "{changed:?}, {always:?}");
    assert!(hours(&changed) > 1.1 * hours(&never), "{changed:?}, {never:?}");
}

#[test]
fn a_new_cost_is_held_against_the_record_since_then_where_only_cpu_can_be() {
    // Settings that can't be replayed: Beanstalk's default trigger watches bytes.
    let monitoring = option("aws:autoscaling:launchconfiguration", "MonitoringInterval", "1 minute");
    let advice = stages::advised(vec![monitoring], two_days_with(dearer), vec![]);
    let proof = advice.back_test.unwrap();
    assert!(proof.cpu_only_because.is_some() && proof.grade == GradeDocument::Good, "{proof:?}");
    assert!(proof.cpu_distance < 1.0 && proof.minutes < 800, "{proof:?}");
}

/// A minute with thirty times the requests, at a CPU that `cpu` makes of what it was.
fn with_burst(minute: usize, cpu: impl Fn(f64) -> f64) -> Vec<Sample> {
    two_days_with(|index, sample, was| {
        if index == minute {
            sample.set(Metric::Requests, 30.0 * sample.get(Metric::Requests).unwrap()).unwrap();
            sample.set(Metric::CpuPercent, cpu(was)).unwrap();
        }
    })
}

#[test]
fn a_minute_whose_requests_show_in_no_cpu_is_replayed_by_its_cpu_and_told() {
    let (plain, odd) =
        (advised(two_days(), sweep_request()), advised(with_burst(700, |was| was), sweep_request()));
    let of = |advice: &RecommendationDocument| {
        let policy = advice.recommended.clone().unwrap();
        (policy.options, policy.outcome.instance_hours, advice.present.clone().unwrap().outcome)
    };
    let ((options, hours, present), (plain_options, plain_hours, plain_present)) = (of(&odd), of(&plain));
    assert_eq!(options, plain_options);
    let near = |one: f64, other: f64| (one / other - 1.0).abs() < 0.001;
    let highest = [present, plain_present].map(|outcome| outcome.unwrap().max_cpu_percent);
    assert!(near(hours, plain_hours) && near(highest[0], highest[1]), "{hours} {plain_hours} {highest:?}");
    assert_eq!(odd.traffic.costless, [at(700).start()]);
    assert!(near(odd.traffic.peak_requests_per_minute, plain.traffic.peak_requests_per_minute));
    let said = in_one_line(&message(&odd).body);
    let told = "One minute, 2026-11-02 11:40 UTC, had far more, and CPU did not rise with them though it could have: that \
                minute is replayed by CPU.";
    assert!(said.contains(told) && !in_one_line(&message(&plain).body).contains("had far more"), "{said}");
}

/// CPU at its end, or as high as it ever is, may hide what was asked for.
#[test]
fn a_minute_of_many_requests_at_high_cpu_is_replayed_at_full_cost() {
    for burst in [with_burst(700, |_| 100.0), with_burst(360, |was| was)] {
        let advice = advised(burst, sweep_request());
        assert!(advice.traffic.costless.is_empty());
        let present = advice.present.unwrap().outcome.unwrap();
        assert!(present.max_cpu_percent >= 100.0, "{present:?}");
    }
}

/// Else a line would be held against what it was drawn through.
#[test]
fn where_only_cpu_can_be_foretold_the_line_is_of_the_first_half_of_the_record() {
    let monitoring = option("aws:autoscaling:launchconfiguration", "MonitoringInterval", "1 minute");
    let a_little_dearer = |minute: usize, sample: &mut Sample, cpu: f64| {
        let cpu = if minute < 1440 { cpu } else { 2.0 + 1.08 * (cpu - 2.0) };
        sample.set(Metric::CpuPercent, cpu).unwrap();
    };
    let advice = stages::advised(vec![monitoring], two_days_with(a_little_dearer), vec![]);
    assert!(advice.model.fit.unwrap().drift.is_none());
    let proof = advice.back_test.unwrap();
    // 8 % of 16.7 points; of a line through all it would be half of that.
    assert!(proof.cpu_only_because.is_some() && (proof.mean_cpu_error + 1.33).abs() < 0.05, "{proof:?}");
}

#[test]
fn the_same_advice_is_told_again_when_requests_have_become_dearer_and_then_no_more() {
    let (archive, advice) = with_advice();
    let mailbox = Mailbox::default();
    assert_eq!(publish(&archive, &mailbox).unwrap(), Told::Now);
    let drifted = |since: &str, exact: bool| {
        let mut advice = advice.clone();
        let since = since.parse().unwrap();
        let drift = DriftDocument { since, exact, share: 0.4, deployment: None };
        advice.model.fit.as_mut().unwrap().drift = Some(drift);
        let key = Key::recommendation(&environment(), window().last_minute());
        block_on(write_json(&archive, &key, &advice)).unwrap();
        publish(&archive, &mailbox).unwrap()
    };
    // Between two fits there is no moment to tell of.
    assert!(matches!(drifted("2026-11-02T00:00:00Z", false), Told::Before { .. }));
    assert_eq!(drifted("2026-11-03T01:00:00Z", true), Told::Now);
    // The same change, found again a little later.
    assert!(matches!(drifted("2026-11-03T01:04:00Z", true), Told::Before { .. }));
    assert_eq!(drifted("2026-11-03T20:00:00Z", true), Told::Now);
    assert_eq!(mailbox.messages.lock().unwrap().len(), 3);
}

fn refit_of(archive: &dyn Archive, window: Window) -> Result<RefitReport, RefitError> {
    let (environment, rules) = (environment(), FitRules::default());
    block_on(refit::run(archive, RefitRequest { environment, window, rules, ceiling: None, load_test: None }))
}

#[test]
fn a_fit_that_is_not_the_one_before_says_so() {
    let samples = two_days_with(|minute, sample, cpu| {
        if minute >= 1440 {
            dearer(DEARER_FROM, sample, cpu);
        }
    });
    let archive = archived(samples);
    let (first, second) = (Window { start: at(0), end: at(1440) }, Window { start: at(1440), end: at(2877) });
    assert_eq!(refit_of(&archive, first).unwrap().document.drift, None);
    let drift = refit_of(&archive, second).unwrap().document.drift.unwrap();
    assert!(
        !drift.exact && drift.since == first.end.start() && (drift.share - 0.4).abs() < 0.01,
        "{drift:?}"
    );
    // Run again, it is compared with the fit of the day before, and not with itself.
    assert_eq!(refit_of(&archive, second).unwrap().document.drift, Some(drift));
}

/// Response time of 100 ms, which doubles within seven points from `knee` on.
fn slow_from(knee: f64) -> impl Fn(usize, &mut Sample, f64) {
    move |minute, sample, cpu| {
        let seconds = 0.1 * (0.1 * (cpu - knee).max(0.0)).exp() * [0.98, 1.0, 1.02][minute % 3];
        sample.set(Metric::LatencyP95Seconds, seconds).unwrap();
    }
}

#[test]
fn where_response_time_departs_early_and_nobody_set_a_ceiling_that_is_the_ceiling() {
    let advice = advised(two_days_with(slow_from(25.0)), sweep_request());
    let ceiling = advice.cpu_ceiling_percent;
    assert!(advice.cpu_ceiling_from == CeilingSource::Knee && (24.0..=25.0).contains(&ceiling), "{ceiling}");
    let said = in_one_line(&message(&advice).body);
    assert!(said.contains("Response time (p95) departs from its base of 100 ms at 2"), "{said}");
    assert!(said.contains("and is twice that above 32 %"), "{said}");
    assert!(said.contains(&format!("No ceiling was set: {ceiling} % is held for that reason.")), "{said}");
}

#[test]
fn a_ceiling_that_was_set_is_held_and_told_to_lie_above_the_knee() {
    let request = SweepRequest { ceiling: Some(percent(50.0)), ..sweep_request() };
    let advice = advised(two_days_with(slow_from(25.0)), request);
    assert!((advice.cpu_ceiling_percent, advice.cpu_ceiling_from) == (50.0, CeilingSource::Asked));
    let said = in_one_line(&message(&advice).body);
    assert!(
        said.contains("The ceiling of 50 % lies above that: users wait longer before it is reached."),
        "{said}"
    );
}

#[test]
fn a_later_knee_is_offered_as_the_ceiling_and_not_taken() {
    let busier = |minute: usize, sample: &mut Sample, cpu: f64| {
        let cpu = 2.0 + 2.6 * (cpu - 2.0);
        sample.set(Metric::CpuPercent, cpu).unwrap();
        slow_from(62.0)(minute, sample, cpu);
    };
    let advice = advised(two_days_with(busier), sweep_request());
    assert!((advice.cpu_ceiling_percent, advice.cpu_ceiling_from) == (50.0, CeilingSource::Default));
    let said = in_one_line(&message(&advice).body);
    let offered = ["61", "62"].map(|knee| format!("a ceiling of {knee} % would cost less"));
    assert!(offered.iter().any(|offer| said.contains(offer)), "{said}");
}

/// CPU stays at 24 % where it would be higher.
fn flat(_: usize, sample: &mut Sample, cpu: f64) {
    sample.set(Metric::CpuPercent, cpu.min(24.0)).unwrap();
}

#[test]
fn thresholds_that_cpu_never_comes_up_to_are_not_recommended_and_the_present_one_is_told() {
    let upper_thresholds = Some([15.0, 20.0, 24.5, 40.0].map(percent).to_vec());
    let lower_thresholds = Some([5.0, 10.0].map(percent).to_vec());
    let grid = GridOverrides { upper_thresholds, lower_thresholds, ..sweep_request().grid };
    let advice = advised(two_days_with(flat), SweepRequest { grid, ..sweep_request() });
    let fit = advice.model.fit.as_deref().unwrap();
    assert!((fit.ceiling.unwrap().level_percent - 24.0).abs() < 0.1 && (fit.coefficient - 0.01).abs() < 2e-4);
    assert!(advice.cpu_held_percent < 24.0 && advice.candidates.unreachable > 0, "{:?}", advice.candidates);
    // More traffic is over where CPU comes up to the level, not to a ceiling that it never sees.
    assert!(advice.room.is_some_and(|room| (1.25..2.0).contains(&room)), "{:?}", advice.room);
    let upper = |name: &str| {
        let option =
            advice.recommended.as_ref().unwrap().options.iter().find(|o| o.option_name == name).unwrap();
        option.value.parse::<f64>().unwrap()
    };
    assert!(upper("UpperThreshold") <= 20.0);
    let findings = advice.present.as_ref().unwrap().findings.join("\n");
    assert!(findings.contains("`UpperThreshold` 60 is never reached: CPU stays near 24 %"), "{findings}");
    let said = in_one_line(&message(&advice).body);
    assert!(
        said.contains("Warning: CPU stays near 24 % from 2160 requests per minute and instance on"),
        "{said}"
    );
    assert!(said.contains("CPU never shows more than 24 %: the replay has to stay under 23.2 %."), "{said}");
    assert!((fit.capacity.as_ref().unwrap().cpu_percent - 24.0).abs() < 0.1, "{fit:?}");
}

/// The same level as before, above which nobody wants to come.
#[test]
fn a_level_of_cpu_above_the_ceiling_changes_nothing_but_what_is_told_of_it() {
    let archive = archived(two_days_with(flat));
    let (rules, ceiling) = (FitRules::default(), Some(percent(20.0)));
    let request =
        RefitRequest { environment: environment(), window: window(), rules, ceiling, load_test: None };
    let fit = block_on(refit::run(&archive, request)).unwrap().document;
    assert!((fit.ceiling.unwrap().level_percent - 24.0).abs() < 0.1, "{fit:?}");
    assert!((fit.capacity.unwrap().cpu_percent - 20.0).abs() < 1e-9);
    let advice = sweep(&archive, SweepRequest { ceiling, ..sweep_request() }).unwrap().document;
    assert!(19.0 < advice.cpu_held_percent && advice.cpu_held_percent <= 20.0, "{advice:?}");
    let said = in_one_line(&message(&advice).body);
    assert!(said.contains("Warning: CPU stays near 24 %") && !said.contains("never shows more"), "{said}");
}

#[test]
fn load_that_is_spread_unevenly_is_told_where_it_matters() {
    let said = |unevenness| {
        let fit = FitDocument { unevenness, ..*with_advice().1.model.fit.unwrap() };
        cost::sentences(&fit)
            .iter()
            .any(|sentence| sentence.starts_with("The busiest instance is 30 % above"))
    };
    assert!(said(Some(0.3)) && !said(None));
    let fit = FitDocument { unevenness: Some(0.02), ..*with_advice().1.model.fit.unwrap() };
    assert!(!cost::sentences(&fit).join(" ").contains("busiest"));
}

#[test]
fn what_an_instance_serves_at_cpu_that_was_never_seen_is_told_as_beyond_what_is_known() {
    let said = |seen| {
        let mut fit = *with_advice().1.model.fit.unwrap();
        fit.capacity.as_mut().unwrap().seen = seen;
        cost::sentences(&fit)
            .join(" ")
            .contains("CPU was never seen that high: this goes on from loads of up to 3000")
    };
    assert!(said(false) && !said(true));
}

#[test]
fn a_line_that_bends_is_told_by_which_way() {
    let said = |at_top_percent: f64| {
        let [low, high] = [0.8, 1.2].map(|share| share * at_top_percent);
        cost::bent(&BendDocument { at_top_percent, interval: IntervalDocument { low, high } })
    };
    let (above, below) = (said(2.0), said(-2.0));
    assert!(above.contains("lies 2.0 points above it (1.6 to 2.4); contention makes"), "{above}");
    assert!(below.contains("lies 2.0 points below it (1.6 to 2.4); caches make"), "{below}");
}

#[test]
fn cpu_that_stays_low_for_want_of_credits_is_told_as_that_and_limits_no_threshold() {
    let ceiling = |for_a_while| {
        let ceiling = CeilingDocument { level_percent: 24.0, from_load: 2160.0, periods: 12, for_a_while };
        let fit = FitDocument { ceiling: Some(ceiling), ..*with_advice().1.model.fit.unwrap() };
        (cost::ceiling(&fit).unwrap(), fit.unreachable_from_percent())
    };
    let (said, level) = ceiling(true);
    assert!(said.contains("(CPU credits ran out, most likely)") && !said.contains("threshold"), "{said}");
    assert_eq!(level, None);
    let (said, level) = ceiling(false);
    assert!(said.contains("(one busy thread, or a limit on CPU)"), "{said}");
    assert!(said.ends_with("A threshold over that is never reached, and none is recommended."), "{said}");
    assert_eq!(level, Some(24.0));
}

#[test]
fn cpu_that_shows_late_is_paired_with_its_requests_and_alarms_see_it_as_late() {
    let lively = two_days_with(|minute, sample, _| {
        let requests = sample.get(Metric::Requests).unwrap() * (0.7 + (minute * 7919 % 61) as f64 / 100.0);
        sample.set(Metric::Requests, requests).unwrap();
        sample.set(Metric::CpuPercent, 2.0 + 0.01 * requests / 3.0).unwrap();
    });
    let mut late = lively.clone();
    for (minute, sample) in late.iter_mut().enumerate() {
        let shown = lively[minute.saturating_sub(2)].get(Metric::CpuPercent).unwrap();
        sample.set(Metric::CpuPercent, shown).unwrap();
    }
    let advice = advised(late, sweep_request());
    let fit = advice.model.fit.as_deref().unwrap();
    assert!(fit.lag_minutes == 2 && (fit.coefficient - 0.01).abs() < 1e-4, "{fit:?}");
    let proof = advice.back_test.unwrap();
    assert!(proof.grade == GradeDocument::Good && proof.cpu_distance < 0.1, "{proof:?}");
}

#[test]
fn a_fit_of_an_earlier_trellis_is_still_good() {
    let (archive, advice) = with_advice();
    let key = Key::fit(&environment(), window().last_minute());
    let object = block_on(archive.get(&key)).unwrap().unwrap();
    let mut fit: serde_json::Value = serde_json::from_slice(&object.body).unwrap();
    for later in [
        "confidence",
        "outlying",
        "lag_minutes",
        "drift",
        "ceiling",
        "bend",
        "unevenness",
        "knee",
        "capacity",
    ] {
        fit.as_object_mut().unwrap().remove(later);
    }
    block_on(write_json(&archive, &key, &fit)).unwrap();
    let again = sweep(&archive, sweep_request()).unwrap().document;
    assert_eq!(again.recommended, advice.recommended);
    assert!(
        in_one_line(&message(&again).body)
            .contains("a request per minute costs an instance 0.01000 % CPU, on top of 2.0 %.")
    );
}

fn locust_history() -> Vec<u8> {
    include_bytes!("data/locust_stats_history.csv").to_vec()
}

/// CPU of the one instance that the load test was on, as it was measured there.
fn tested() -> (MemoryArchive, Window) {
    let cpu = include_bytes!("data/locust_cpu.csv").to_vec();
    let samples =
        read(&[Source { name: "cpu.csv".into(), bytes: cpu }], &Options::default()).unwrap().samples;
    let window =
        Window { start: samples[0].minute_utc, end: samples.last().unwrap().minute_utc + Minutes(1) };
    let archive = MemoryArchive::default();
    block_on(store::merge_samples(&archive, &environment(), &samples, &Remarks::default())).unwrap();
    (archive, window)
}

fn load_test(archive: &dyn Archive, window: Window, test: LoadTest) -> Result<RefitReport, RefitError> {
    let rules = refit::default_rules(true);
    let (environment, ceiling) = (environment(), Some(percent(40.0)));
    let request = RefitRequest { environment, window, rules, ceiling, load_test: Some(test) };
    block_on(refit::run(archive, request))
}

/// A load test that was really run: a single-threaded server on loopback, 13 steps of a minute each, 10 to 178 users at
/// one request a second.
#[test]
fn a_load_test_by_locust_says_what_one_instance_serves() {
    let clients = locust::read("history.csv", &locust_history()).unwrap();
    assert!((12..=13).contains(&clients.len()), "{} minutes", clients.len());
    let rates: Vec<f64> = clients.iter().map(|minute| minute.get(Metric::Requests).unwrap()).collect();
    assert!(rates.windows(2).all(|pair| pair[0] < pair[1]), "every step is higher: {rates:?}");
    assert!((rates[1] / (24.0 * 60.0) - 1.0).abs() < 0.03, "24 users at one request a second: {rates:?}");
    let (archive, window) = tested();
    let test = LoadTest { instances: Instances(1), clients: Some(clients.clone()) };
    let report = load_test(&archive, window, test).unwrap();
    assert_eq!(report.key, Key::load_test(&environment(), window.last_minute()));
    // A dozen rising steps say nothing about a lag.
    assert_eq!(report.document.lag_minutes, 0);
    let capacity = report.document.capacity.unwrap();
    assert!(capacity.seen && (7_000.0..9_000.0).contains(&capacity.requests_per_minute), "{capacity:?}");
    assert!(
        capacity.interval.low < capacity.requests_per_minute
            && capacity.requests_per_minute < capacity.interval.high
    );
    // Had two instances served it, each request would have cost twice as much.
    let two =
        load_test(&archive, window, LoadTest { instances: Instances(2), clients: Some(clients) }).unwrap();
    assert!((two.document.coefficient / report.document.coefficient - 2.0).abs() < 1e-6);
    // It is kept beside the fits of traffic, and is none of them.
    let fit = block_on(store::latest_fit(&archive, &environment(), window.end)).unwrap();
    assert_eq!(fit, None);
    let (kept, _) = block_on(read_json_versioned::<FitDocument>(&archive, &report.key)).unwrap().unwrap();
    assert_eq!(kept.environment, "web-prod");
}

#[test]
fn a_load_test_of_another_time_than_the_cpu_is_refused_with_both() {
    let (archive, _) = with_advice();
    let clients = Some(locust::read("history.csv", &locust_history()).unwrap());
    let refused = load_test(&archive, window(), LoadTest { instances: Instances(1), clients }).unwrap_err();
    assert!(refused.is_refusal());
    let refused = refused.to_string();
    assert!(refused.starts_with("the load test ran from 2026-11-25T21:55Z"), "{refused}");
    assert!(refused.contains("`web-prod` has no CPU of that time within 2026-11-02T00:00Z to"), "{refused}");
}

#[test]
fn a_load_test_from_the_archive_takes_the_instances_that_it_is_told() {
    let (archive, _) = with_advice();
    let test = LoadTest { instances: Instances(1), clients: None };
    // The archive has three.
    let fit = load_test(&archive, window(), test).unwrap().document;
    assert!((fit.coefficient - 0.01 / 3.0).abs() < 1e-4, "{fit:?}");
}

fn history(rows: &[(i64, &str, &str)]) -> Vec<u8> {
    let mut text = String::from("Timestamp,User Count,Type,Name,Requests/s,95%,Total Request Count\n");
    for (second, name, total) in rows {
        text += &format!("{},1,,{name},1.0,N/A,{total}\n", 1_762_041_600 + second);
    }
    text.into_bytes()
}

#[test]
fn locusts_endpoints_are_not_added_to_their_total_and_partial_minutes_are_left_out() {
    let rows =
        [(30, "Aggregated", "10"), (60, "Aggregated", "20"), (60, "/page", "20"), (120, "Aggregated", "80")];
    let minutes = locust::read("h.csv", &history(&rows)).unwrap();
    let requests: Vec<Option<f64>> = minutes.iter().map(|minute| minute.get(Metric::Requests)).collect();
    // The first minute was not seen from its begin, and the last not to its end.
    assert_eq!(requests, [Some(60.0)]);
    assert_eq!(minutes[0].minute_utc.start(), "2025-11-02T00:01:00Z".parse::<Timestamp>().unwrap());
    assert_eq!(minutes[0].get(Metric::LatencyP95Seconds), None);
}

#[test]
fn a_minute_in_which_locust_began_to_count_anew_is_left_out() {
    let rows = [
        (0, "Aggregated", "500"),
        (30, "Aggregated", "3"),
        (60, "Aggregated", "600"),
        (120, "Aggregated", "660"),
    ];
    let minutes = locust::read("h.csv", &history(&rows)).unwrap();
    assert_eq!(
        minutes.iter().map(|minute| minute.get(Metric::Requests).unwrap()).collect::<Vec<_>>(),
        [60.0]
    );
}

#[test]
fn what_locust_did_not_write_is_refused_with_what_it_does() {
    let said = |bytes: &[u8]| locust::read("h.csv", bytes).unwrap_err().to_string();
    let other = said(b"Type,Name,Request Count\nGET,/,5\n");
    assert!(
        other.contains("`h.csv` has no column `Timestamp`") && other.contains("NAME_stats_history.csv"),
        "{other}"
    );
    assert_eq!(
        said(&history(&[(0, "Aggregated", "many")])),
        "`h.csv`: `many` is not a number, as Locust writes it"
    );
    assert_eq!(said(&history(&[])), "`h.csv` is empty");
}
