//! The page about an advice: that it shows what is so, hides no peak, and takes names as text.

use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

use jiff::Timestamp;
use pipeline::activity::{Activity, ActivityKind};
use pipeline::archive::memory::MemoryArchive;
use pipeline::archive::{Archive, Environment, Key};
use pipeline::documents::{
    DriftDocument, OptionDocument, RecommendationDocument, RefusalDocument, SCHEMA_VERSION, SettingsDocument,
    VerdictDocument,
};
use pipeline::ingest::{self, IngestRequest, LEAVE_OPEN};
use pipeline::recorded::Recording;
use pipeline::refit::{self, RefitRequest};
use pipeline::report::bands::bands;
use pipeline::report::{self, Evidence, Group, Line, ReportRequest, gather, index_page, page, standing};
use pipeline::store;
use pipeline::sweep::{self, GridOverrides, SweepRequest, Watch, replays};
use proptest::prelude::*;
use scaling::coefficient::{Circumstances, FitRules, Use, fit, sorted};
use scaling::cpu_model::CpuModel;
use scaling::dynamics::Dynamics;
use scaling::observation::LeftOut;
use scaling::reference::{Scenario, replay};
use scaling::sample::{Metric, Sample};
use scaling::settings::Settings;
use scaling::traffic::{Load, Traffic};
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds, Window};

use crate::made::{CASES, PLAIN, Truth, samples};
use crate::stages::{environment, options, sweep_request};
use crate::{block_on, option, stages};

const NOW: &str = "2026-11-20T06:20:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// Four weeks: twice advice, the first of it adopted; fits of several days, deployments, response time.
struct Garden {
    archive: MemoryArchive,
    environment: Environment,
    end: MinuteUtc,
    /// What the second refit and sweep took, and the page after it.
    advice: RecommendationDocument,
}

/// The settings before any advice.
fn at_first() -> Vec<OptionDocument> {
    let mut options = options();
    options.retain(|option| option.option_name != "MaxSize" && option.option_name != "MinSize");
    options.extend([
        option("aws:autoscaling:asg", "MinSize", "4"),
        option("aws:autoscaling:asg", "MaxSize", "12"),
    ]);
    options
}

fn take_in(
    archive: &MemoryArchive,
    environment: &Environment,
    samples: &[Sample],
    options: Vec<OptionDocument>,
) {
    let request = IngestRequest {
        environment: environment.clone(),
        recording: Recording { samples: samples.to_vec(), notes: vec![] },
        options: Some(options),
        activities: vec![],
        group: None,
        load_balancer_reported: None,
        leave_open: LEAVE_OPEN,
        fetched_until: None,
    };
    block_on(ingest::run(archive, request)).unwrap();
}

/// The same requests, with instances that follow `options` by AWS's rules, from `initial` on; response time grows where CPU is high.
fn follow(samples: &[Sample], options: &[OptionDocument], initial: u32) -> Vec<Sample> {
    let settings = Settings::from_options(options.iter().map(OptionDocument::as_option)).unwrap();
    let whole =
        Window { start: samples[0].minute_utc, end: samples[samples.len() - 1].minute_utc + Minutes(1) };
    let traffic = Traffic::recorded(samples, whole).unwrap();
    let model = CpuModel::new(PLAIN.intercept, PLAIN.coefficient).unwrap();
    // Up to two points to and fro.
    let stray_percent = (0..samples.len()).map(|i| (i * 7919 % 1000) as f64 / 250.0 - 2.0).collect();
    let load = Load { stray_percent, ..Load::new(&traffic, model) };
    let scenario = Scenario::of(&settings.policy().unwrap(), Dynamics::default(), Instances(initial));
    let followed = samples.iter().zip(replay(&load, &scenario)).map(|(sample, row)| {
        let mut sample = sample.clone();
        let cpu = row.group_cpu_percent.unwrap().clamp(0.0, 100.0);
        let slower = (row.cpu_percent.unwrap() - 45.0).max(0.0) / 12.0;
        let latency = sample.get(Metric::LatencyP95Seconds).unwrap();
        sample.set(Metric::CpuPercent, cpu).unwrap();
        sample.set(Metric::InService, f64::from(row.in_service.0)).unwrap();
        sample.set(Metric::LatencyP95Seconds, latency * slower.exp()).unwrap();
        sample
    });
    followed.collect()
}

fn learn(archive: &MemoryArchive, environment: &Environment, window: Window) {
    let (environment, rules) = (environment.clone(), FitRules::default());
    let request = RefitRequest { environment, window, rules, ceiling: None, load_test: None };
    block_on(refit::run(archive, request)).unwrap();
}

fn advise(
    archive: &MemoryArchive,
    environment: &Environment,
    window: Window,
    ceiling: f64,
) -> RecommendationDocument {
    let grid = GridOverrides {
        min_sizes: Some(vec![Instances(2), Instances(3)]),
        cooldowns: Some(vec![Seconds(180)]),
        evaluation_periods: Some(vec![1]),
        periods: Some(vec![Minutes(1), Minutes(5)]),
        upper_breach_scale_increments: Some(vec![Instances(1), Instances(2)]),
        lower_breach_scale_increments: Some(vec![Instances(1)]),
        ..GridOverrides::default()
    };
    let ceiling = Some(CpuPercent::new(ceiling).unwrap());
    let request = SweepRequest { environment: environment.clone(), window, grid, ceiling, ..sweep_request() };
    block_on(sweep::run(archive, request, &Watch::NONE)).unwrap().document
}

fn deployment(id: &str, minute: MinuteUtc, cause: &str) -> Activity {
    Activity {
        id: id.into(),
        kind: ActivityKind::Deployment,
        start: minute.start(),
        end: Some((minute + Minutes(4)).start()),
        successful: true,
        cause: cause.into(),
    }
}

/// `name` is the environment's, `cause` what Beanstalk says of a deployment.
fn garden(name: &str, cause: &str) -> Garden {
    let all = samples(Truth { minutes: 28 * 1440, ..PLAIN }, 7);
    let before = follow(&all[..14 * 1440], &at_first(), 4);
    let (archive, environment) = (MemoryArchive::default(), Environment::new(name).unwrap());
    let day = |day: usize| all[day * 1440].minute_utc;
    let window = |end: MinuteUtc, days| Window::days_before(end, days);
    take_in(&archive, &environment, &before, at_first());
    for days in [8, 11, 14] {
        learn(&archive, &environment, window(day(days), 7));
    }
    let first = advise(&archive, &environment, window(day(14), 7), 60.0);
    assert_eq!(first.verdict, VerdictDocument::Change, "{first:#?}");
    // What was advised is adopted with the next samples.
    let advised = first.recommended.unwrap().options;
    let kept =
        at_first().into_iter().filter(|old| advised.iter().all(|new| new.option_name != old.option_name));
    let options: Vec<OptionDocument> = advised.iter().cloned().chain(kept).collect();
    let there = before[before.len() - 1].get(Metric::InService).unwrap() as u32;
    let after = follow(&all[14 * 1440..], &options, there);
    // The hourly run sees the new settings in its first hour.
    take_in(&archive, &environment, &after[..60], options.clone());
    take_in(&archive, &environment, &after[60..], options);
    let activities = [deployment("d-1", day(9), "New version (v41)"), deployment("d-2", day(16), cause)];
    block_on(store::merge_activities(&archive, &environment, &activities)).unwrap();
    let end = all[all.len() - 10].minute_utc;
    let since = Window { start: day(14) + Minutes(60), end };
    learn(&archive, &environment, since);
    let advice = advise(&archive, &environment, since, 50.0);
    assert_eq!(advice.verdict, VerdictDocument::Change, "{advice:#?}");
    Garden { archive, environment, end, advice }
}

static GARDEN: LazyLock<Garden> = LazyLock::new(|| garden("web-prod", "New version (v42)"));

impl Garden {
    fn request(&self) -> ReportRequest {
        ReportRequest { environment: self.environment.clone(), until: self.end, now: now() }
    }

    fn evidence(&self) -> Evidence {
        block_on(gather(&self.archive, self.request())).unwrap()
    }
}

const HOSTILE: &str = "<script>alert('x')</script>\"&amp;<img src=x onerror=alert(1)> `$(reboot)` ../..";
const PARTS: [&str; 9] =
    ["cpu", "instances", "traffic", "back-test", "fit", "latency", "frontier", "history", "ledger"];

fn part<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.find(&format!("<section id=\"{id}\"")).unwrap_or_else(|| panic!("no part `{id}`"));
    let rest = &page[start..];
    &rest[..rest.find("</section>").unwrap()]
}

/// For whoever looks at pages with a browser.
fn leave(name: &str, page: &str) {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(name), page).unwrap();
}

#[test]
fn every_question_has_its_picture_and_its_table_and_all_of_it_is_small() {
    let garden = &*GARDEN;
    let evidence = garden.evidence();
    let began = Instant::now();
    let page = page(&evidence);
    println!("a page of 14 days: {} bytes in {:?}", page.len(), began.elapsed());
    leave("whole.html", &page);
    for id in PARTS {
        let part = part(&page, id);
        assert!(!part.contains("Not shown"), "{id}: {part}");
        assert!(part.contains("<svg") && part.contains("<table"), "{id}");
    }
    assert!(page.len() < 1_500_000, "{} bytes", page.len());
    assert!(part(&page, "history").contains("New version (v42)"));
    let ledger = part(&page, "ledger");
    assert!(ledger.contains("promised, since the settings were adopted"), "{ledger}");
    // Nothing is fetched: no address but those of its own parts.
    for attribute in ["src=", "href=\"http", "url(", "@import", "<script", "xlink"] {
        assert!(!page.contains(attribute), "{attribute}");
    }
}

#[test]
fn the_same_evidence_makes_the_same_page() {
    let garden = &*GARDEN;
    let report = block_on(report::run(&garden.archive, garden.request())).unwrap();
    assert_eq!(report.html, page(&garden.evidence()));
    let kept = block_on(garden.archive.get(&report.key)).unwrap().unwrap();
    assert_eq!(kept.body, report.html.as_bytes());
    let day = garden.advice.traffic.window.window().unwrap().last_minute();
    assert_eq!(report.key, Key::report(&garden.environment, day));
}

#[test]
fn replays_made_again_come_to_what_the_advice_says() {
    let garden = &*GARDEN;
    let evidence = garden.evidence();
    let settings = evidence.settings.last();
    let replays = replays(&garden.advice, &evidence.samples, settings).unwrap();
    assert!(replays.present.is_some() && replays.recommended.is_some());
    let fewest: u64 = replays.fewest.unwrap().into_iter().map(u64::from).sum();
    assert!((fewest as f64 / 60.0 - garden.advice.fewest_instance_hours.unwrap()).abs() < 1e-6);
    let (rows, record) = (replays.tested.unwrap(), replays.record.unwrap());
    let counts = garden.advice.back_test.as_ref().unwrap().counts.as_ref().unwrap();
    let from = if garden.advice.back_test.as_ref().unwrap().calibrated { rows.len() / 2 } else { 0 };
    let known = record.minutes.iter().zip(&rows).skip(from);
    let known: Vec<(f64, f64)> =
        known.filter_map(|(minute, row)| Some((minute.in_service?, f64::from(row.in_service.0)))).collect();
    let sum = |of: fn(&(f64, f64)) -> f64| known.iter().map(of).sum::<f64>();
    let bias = sum(|pair| pair.1) / sum(|pair| pair.0) - 1.0;
    assert!((bias - counts.hours_bias).abs() < 1e-9, "{bias} {}", counts.hours_bias);
}

#[test]
fn a_replay_that_comes_to_something_else_is_not_shown() {
    let garden = &*GARDEN;
    let mut evidence = garden.evidence();
    let middle = evidence.samples.len() / 2;
    for sample in &mut evidence.samples[middle..middle + 600] {
        sample.set(Metric::Requests, 30_000.0).unwrap();
    }
    let page = page(&evidence);
    assert!(part(&page, "cpu").contains("samples or settings have changed since"), "{}", part(&page, "cpu"));
    assert!(!part(&page, "cpu").contains("<svg"));
    assert!(
        part(&page, "cpu").contains("<code>trellis sweep</code> makes the advice anew"),
        "{}",
        part(&page, "cpu")
    );
}

#[test]
fn what_is_missing_is_said_in_its_place_and_nothing_is_an_empty_frame() {
    let (archive, environment) = (MemoryArchive::default(), environment());
    let minute = |i: u32, value| stages::sample(i, &[(Metric::Requests, value)]);
    let samples: Vec<Sample> = (0..300).map(|i| minute(i, f64::from(i % 60))).collect();
    take_in(&archive, &environment, &samples, options());
    let request = ReportRequest { environment, until: stages::at(400), now: now() };
    let report = block_on(report::run(&archive, request)).unwrap();
    leave("bare.html", &report.html);
    assert_eq!(report.standing.group, Group::NoAdvice);
    for id in PARTS.into_iter().filter(|id| *id != "traffic") {
        let part = part(&report.html, id);
        assert!(part.contains("Not shown: ") && !part.contains("<svg"), "{id}: {part}");
    }
    assert!(part(&report.html, "traffic").contains("<svg"));
    let cpu = part(&report.html, "cpu");
    assert!(cpu.contains("<code>trellis run</code> or the daily run makes one"), "{cpu}");
    let nobody = ReportRequest {
        environment: Environment::new("nobody").unwrap(),
        until: stages::at(400),
        now: now(),
    };
    let refused = block_on(report::run(&archive, nobody)).unwrap_err();
    assert!(refused.is_refusal());
    assert_eq!(refused.to_string(), "`nobody` has no samples up to 2026-11-02T06:40Z; ingest some first");
}

/// The cells of the first table of a part that begin with `first`.
fn row<'a>(part: &'a str, first: &str) -> Vec<&'a str> {
    let rows = part.split("<tr>").map(|row| row.split("<t").skip(1).filter_map(|cell| cell.split_once('>')));
    let cells = rows.map(|row| row.filter_map(|(_, cell)| cell.split('<').next()).collect::<Vec<_>>());
    cells.into_iter().find(|row| row.first().is_some_and(|cell| cell.starts_with(first))).unwrap()
}

#[test]
fn what_past_advice_promised_is_held_against_what_was_recorded_since() {
    let garden = &*GARDEN;
    let mut evidence = garden.evidence();
    let first = evidence.past[0].clone();
    let ceiling = first.cpu_ceiling_percent;
    // Two minutes at the ceiling, and one just below.
    let end = evidence.samples.len();
    for (sample, cpu) in
        evidence.samples[end - 300..].iter_mut().zip([ceiling, ceiling + 20.0, ceiling - 0.01])
    {
        sample.set(Metric::CpuPercent, cpu).unwrap();
    }
    let adopted = evidence.settings[evidence.settings.len() - 1].since;
    let under = |sample: &&Sample| adopted <= sample.minute_utc.start();
    let since: Vec<&Sample> = evidence.samples.iter().filter(under).collect();
    let known = |metric| since.iter().filter_map(|sample| sample.get(metric)).collect::<Vec<f64>>();
    let (cpu, counts) = (known(Metric::CpuPercent), known(Metric::InService));
    let (days, over) = (counts.len() as f64 / 1440.0, cpu.iter().filter(|cpu| ceiling <= **cpu).count());
    assert!(2 <= over && over < cpu.len() / 2);
    let hours = counts.iter().sum::<f64>() / 60.0 / days;
    let highest = cpu.iter().copied().fold(0.0, f64::max);
    let whole = page(&evidence);
    let told = row(part(&whole, "ledger"), &first.traffic.window.end.strftime("%Y-%m-%d").to_string());
    assert_eq!(
        told[5..8],
        [format!("{hours:.1} (over {days:.1} days)"), format!("{highest:.1}"), over.to_string()]
    );
}

#[test]
fn advice_is_observed_while_its_settings_are_in_force_and_for_a_day_at_least() {
    let told = |change: &dyn Fn(&mut Evidence)| {
        let mut evidence = GARDEN.evidence();
        change(&mut evidence);
        let given = evidence.past[0].traffic.window.end.strftime("%Y-%m-%d").to_string();
        let whole = page(&evidence);
        let ledger = part(&whole, "ledger");
        let cells = row(ledger, &given);
        (cells[4].contains(" to "), cells[5].to_owned(), ledger.contains("Not shown: "))
    };
    let last = |evidence: &Evidence| evidence.settings[evidence.settings.len() - 1].clone();
    let others_after = |evidence: &mut Evidence, days: i64| {
        let adopted = last(evidence);
        let since = adopted.since + jiff::SignedDuration::from_hours(24 * days);
        evidence.settings.push(SettingsDocument { since, options: at_first(), ..adopted });
    };
    let (to, observed, missing) = told(&|evidence| others_after(evidence, 3));
    assert!(to && observed.ends_with(" (over 3.0 days)") && !missing, "{observed}");
    let (to, observed, missing) = told(&|evidence| others_after(evidence, 0));
    assert!(to && observed == "–" && missing, "{observed}");
    let since = (GARDEN.evidence().window.end - Minutes(1_400)).start();
    let (to, observed, missing) = told(&|evidence| evidence.settings.last_mut().unwrap().since = since);
    assert!(!to && observed == "–" && missing, "{observed}");
    let (_, observed, missing) = told(&|evidence| evidence.settings.truncate(1));
    assert!(observed == "–" && missing, "{observed}");
}

#[test]
fn what_of_an_advice_was_left_is_named_where_it_was_adopted() {
    let adopted = |left: &dyn Fn(&mut OptionDocument)| {
        let mut evidence = GARDEN.evidence();
        evidence.settings.last_mut().unwrap().options.iter_mut().for_each(left);
        let given = evidence.past[0].traffic.window.end.strftime("%Y-%m-%d").to_string();
        let whole = page(&evidence);
        row(part(&whole, "ledger"), &given)[4].to_owned()
    };
    let all = adopted(&|_| ());
    assert!(!all.contains("but for"), "{all}");
    let but_for = |name: &str, value: &str| {
        let cell = adopted(&|option| {
            if option.option_name == name {
                option.value = value.to_owned();
            }
        });
        cell.strip_prefix(&format!("{all}, but for {name} ({value}, not ")).map(str::to_owned)
    };
    assert!(but_for("BreachDuration", "45").is_some());
    assert_eq!(but_for("Unit", "Bytes").unwrap(), "Percent)");
    assert_eq!(adopted(&|option| option.value = option.value.replace("Percent", " Percent ")), all);
}

#[test]
fn equal_advice_of_days_in_a_row_is_one_and_other_advice_is_another() {
    let mut evidence = GARDEN.evidence();
    let first = evidence.past[0].clone();
    let other = RecommendationDocument { advice_id: "another".into(), ..first.clone() };
    evidence.past = vec![first.clone(), first.clone(), other.clone(), first];
    let ledger = page(&evidence);
    let ledger = part(&ledger, "ledger");
    assert_eq!(ledger.matches(" (2 days in a row)").count(), 1, "{ledger}");
    assert_eq!(ledger.matches("days in a row").count(), 1, "{ledger}");
    assert!(ledger.contains("3 pieces of advice in"), "{ledger}");
}

#[test]
fn deployments_and_changes_of_cost_are_marked_where_they_lie_within_the_picture() {
    let legends = |change: &dyn Fn(&mut Evidence)| {
        let mut evidence = GARDEN.evidence();
        change(&mut evidence);
        let page = page(&evidence);
        let deployed = "deployments, by their number in the table of deployments";
        let changed = "the last change of cost that was seen";
        let [history, traffic] = ["history", "traffic"].map(|id| part(&page, id));
        [history.contains(deployed), history.contains(changed), traffic.contains(deployed)]
    };
    let moved = |evidence: &mut Evidence, to: Timestamp| {
        evidence.activities.truncate(1);
        evidence.activities[0].start = to;
    };
    let drifted = |evidence: &mut Evidence, since: Timestamp, exact: bool| {
        let drift = DriftDocument { since, exact, share: 0.3, deployment: None };
        evidence.fits.last_mut().unwrap().drift = Some(drift);
    };
    let window = GARDEN.evidence().window;
    let (first, last, after) = (window.start.start(), (window.end - Minutes(1)).start(), window.end.start());
    let long_ago = "2026-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(legends(&|evidence| evidence.activities.clear()), [false, false, false]);
    for at in [first, last] {
        assert!(legends(&|evidence| moved(evidence, at))[2], "{at}");
    }
    assert!(!legends(&|evidence| moved(evidence, after))[2]);
    assert_eq!(legends(&|evidence| moved(evidence, long_ago)), [false, false, false]);
    assert!(legends(&|evidence| drifted(evidence, last, true))[1]);
    assert!(!legends(&|evidence| drifted(evidence, last, false))[1]);
    assert!(!legends(&|evidence| drifted(evidence, long_ago, true))[1]);
    assert!(legends(&|_| ())[0]);
}

#[test]
fn deployments_that_failed_are_told_as_such() {
    let mut evidence = GARDEN.evidence();
    evidence.activities[0].successful = false;
    let whole = page(&evidence);
    let deployments = part(&whole, "history").split("deployments</caption>").last().unwrap();
    assert_eq!([row(deployments, "1")[3], row(deployments, "2")[3]], ["no", "yes"], "{deployments}");
}

#[test]
fn a_page_promises_the_ceiling_but_for_the_minutes_that_may_be_over_it() {
    let mut evidence = GARDEN.evidence();
    let advice = evidence.recommendation.as_mut().unwrap();
    advice.minutes_over_allowed = 3;
    let ceiling = advice.cpu_ceiling_percent;
    let promised = [format!("under {ceiling} %"), format!("below {ceiling} %")];
    let promises = crate::told::promises_but_for_three(&page(&evidence), &promised);
    assert!(promises > 2, "{promises}");
}

#[test]
fn names_from_elsewhere_stay_text_in_html_and_in_svg() {
    let garden = garden(HOSTILE, &format!("New version {HOSTILE}</text></svg>"));
    let report = block_on(report::run(&garden.archive, garden.request())).unwrap();
    let mut evidence = garden.evidence();
    evidence.instances_by = Some(HOSTILE.to_owned());
    leave("hostile.html", &page(&evidence));
    let index = block_on(report::index(&garden.archive, garden.end, now())).unwrap();
    leave("hostile-index.html", &index.html);
    for page in [&page(&evidence), &index.html] {
        assert!(page.contains("&lt;script&gt;alert"), "it is nowhere");
        for raw in ["<script", "<img", "</text></svg>\""] {
            assert!(!page.contains(raw), "{raw}");
        }
    }
    // The link leads to the file as the archive names it.
    assert!(index.html.contains("href=\"environment=%253Cscript%253E"), "{}", index.html);
    assert!(!report.key.as_str().contains("/.."), "{}", report.key);
}

/// The points of every path of a class and a kind in a part's wide pictures, in the order of the page.
fn points(part: &str, class: &str) -> Vec<Vec<(f64, f64)>> {
    let mut found = Vec::new();
    for picture in part.split("<svg class=\"chart wide\"").skip(1) {
        let picture = &picture[..picture.find("</svg>").unwrap()];
        for path in picture.split(&format!("<path class=\"{class}\" d=\"")).skip(1) {
            found.push(walked(&path[..path.find('"').unwrap()]));
        }
    }
    found
}

/// `M1 2l3 4-5 6z`: absolute, then steps.
fn walked(path: &str) -> Vec<(f64, f64)> {
    let (start, steps) = path.trim_start_matches('M').trim_end_matches('z').split_once('l').unwrap();
    let numbers = |text: &str| -> Vec<f64> {
        let spaced = text.replace('-', " -");
        spaced.split_whitespace().map(|number| number.parse().unwrap()).collect()
    };
    let start = numbers(start);
    let mut at = (start[0], start[1]);
    let mut points = vec![at];
    for step in numbers(steps).chunks_exact(2) {
        at = (at.0 + step[0], at.1 + step[1]);
        points.push(at);
    }
    points
}

#[test]
fn a_peak_of_one_minute_survives_in_fourteen_days() {
    let garden = &*GARDEN;
    let highest = |spike: Option<f64>| {
        let mut evidence = garden.evidence();
        let peak = 200_000.0;
        // The axis is the same in both: the first minute is as high as the peak.
        evidence.samples[0].set(Metric::Requests, peak).unwrap();
        let middle = evidence.samples.len() / 2;
        if let Some(value) = spike {
            evidence.samples[middle].set(Metric::Requests, value).unwrap();
        }
        let page = page(&evidence);
        let bands = points(part(&page, "traffic"), "recorded area");
        let (left, right) = (700.0, 1300.0);
        let inner = bands.iter().flatten().filter(|(x, _)| left < *x && *x < right);
        let highest = inner.map(|(_, y)| *y).min_by(f64::total_cmp).unwrap();
        let top = bands.iter().flatten().map(|(_, y)| *y).min_by(f64::total_cmp).unwrap();
        (highest, top)
    };
    let (without, top) = highest(None);
    let (with, same) = highest(Some(200_000.0));
    assert!((top - same).abs() < 0.5, "the axis moved: {top} {same}");
    assert!((with - top).abs() <= 1.0, "a peak as high as the axis is drawn at {with}, not at {top}");
    assert!(without > top + 100.0, "{without} {top}");
}

proptest! {
    #[test]
    fn bands_lose_no_value_and_bridge_no_gap(
        values in prop::collection::vec(prop::option::weighted(0.8, -1e3..1e3_f64), 0..400),
        places in 1_usize..60,
    ) {
        let runs = bands(&values, places);
        let known = || values.iter().copied().flatten();
        let all = || runs.iter().flatten();
        let least = |a: f64, b: f64| a.min(b);
        prop_assert_eq!(known().fold(f64::INFINITY, least).to_bits(), all().map(|band| band.low).fold(f64::INFINITY, least).to_bits());
        prop_assert_eq!(
            known().fold(f64::NEG_INFINITY, f64::max).to_bits(),
            all().map(|band| band.high).fold(f64::NEG_INFINITY, f64::max).to_bits()
        );
        prop_assert!(all().count() <= places);
        let size = values.len().div_ceil(places).max(1);
        let gaps = values.chunks(size).filter(|chunk| chunk.iter().all(Option::is_none)).count();
        prop_assert_eq!(all().count() + gaps, values.chunks(size).count());
        for band in all() {
            let first = (band.middle as usize / size) * size;
            let chunk = &values[first..(first + size).min(values.len())];
            let inside = chunk.iter().copied().flatten().all(|value| band.low <= value && value <= band.high);
            prop_assert!(inside && band.low <= band.mean + 1e-9 && band.mean <= band.high + 1e-9);
        }
    }
}

#[test]
fn the_points_of_the_picture_are_those_of_the_fit() {
    for (name, truth) in CASES.into_iter().filter(|(_, truth)| truth.minutes <= 3 * 1440) {
        let samples = samples(truth, 3);
        let Ok(fit) = fit(&samples, FitRules::default()) else { continue };
        let sorted = sorted(&samples, FitRules::default(), Circumstances::default());
        let count = |of: &dyn Fn(Use) -> bool| sorted.iter().filter(|(_, found)| of(*found)).count() as u32;
        let outlying = count(&|found| found == Use::Outlying);
        assert_eq!(count(&|found| found == Use::Drawn) + outlying, fit.usable, "{name}");
        if fit.model.intercept_percent() > 0.0 {
            assert_eq!(outlying, fit.outlying, "{name}");
        }
        for reason in [LeftOut::JustAfterChange, LeftOut::AtCeiling, LeftOut::EarlierRegime] {
            let told = fit.left_out.get(&reason).copied().unwrap_or(0);
            assert_eq!(count(&|found| found == Use::LeftOut(reason)), told, "{name}: {reason}");
        }
    }
}

/// An advice of an environment that is changed to be worse or better.
fn line(name: &str, change: impl FnOnce(&mut RecommendationDocument)) -> Line {
    let (_, mut advice) = stages::with_advice();
    change(&mut advice);
    Line {
        environment: Environment::new(name).unwrap(),
        standing: standing(Some(&advice), None),
        recommendation: Some(advice),
        samples_until: None,
        page: None,
    }
}

#[test]
fn the_index_has_the_worst_first() {
    fn now(advice: &mut RecommendationDocument) -> &mut pipeline::documents::OutcomeDocument {
        advice.present.as_mut().unwrap().outcome.as_mut().unwrap()
    }
    let lines = [
        line("over-a-lot", |advice| now(advice).minutes_over = 90),
        line("over", |advice| now(advice).minutes_over = 9),
        line("untrusted", |advice| advice.verdict = VerdictDocument::NotTrusted),
        line("saves-a-lot", |advice| now(advice).instance_hours *= 3.0),
        line("saves", |_| ()),
        line("dearer", |advice| now(advice).instance_hours *= 0.2),
        line("kept", |advice| advice.verdict = VerdictDocument::Keep),
        line("single", |advice| advice.verdict = VerdictDocument::NotApplicable),
    ];
    let mut shuffled: Vec<Line> = lines.iter().rev().cloned().collect();
    report::worst_first(&mut shuffled);
    let html = index_page(&shuffled, self::now());
    leave("index.html", &html);
    let places: Vec<usize> =
        lines.iter().map(|line| html.find(&format!(">{}</th>", line.environment)).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}

#[test]
fn the_index_finds_every_environment_of_the_archive() {
    let archive = MemoryArchive::default();
    for name in ["b", HOSTILE, "a/b c"] {
        take_in(&archive, &Environment::new(name).unwrap(), &stages::two_days()[..100], options());
    }
    let found = block_on(report::environments(&archive)).unwrap();
    assert_eq!(found.iter().map(Environment::name).collect::<Vec<_>>(), [HOSTILE, "a/b c", "b"]);
    let index = block_on(report::index(&archive, stages::at(200), now())).unwrap();
    assert_eq!(index.lines.len(), 3);
    assert!(index.html.contains("no advice yet"));
}

#[test]
fn a_refusal_that_came_last_is_told_on_the_page_and_in_the_index() {
    let (archive, environment, end) = (MemoryArchive::default(), environment(), stages::at(100));
    take_in(&archive, &environment, &stages::two_days()[..100], options());
    let window = Window::days_before(end, 1);
    let request = SweepRequest { environment: environment.clone(), window, ..sweep_request() };
    assert!(block_on(sweep::run(&archive, request, &Watch::NONE)).unwrap_err().is_refusal());
    let request = ReportRequest { environment: environment.clone(), until: end, now: now() };
    let report = block_on(report::run(&archive, request)).unwrap();
    leave("refused.html", &report.html);
    for said in [
        "No advice: what a request costs is not known.",
        "What would help: ",
        "Below is what is known so far.",
    ] {
        assert!(report.html.contains(said), "{said}");
    }
    assert!(!report.html.contains("No advice yet") && !report.html.contains("`trellis"));
    assert!(
        report.html.contains("of what its archive holds from 2026-11-02 00:00 UTC"),
        "no empty days before the first"
    );
    let index = block_on(report::index(&archive, end, now())).unwrap();
    assert!(index.html.contains("no advice: what a request costs is not known"), "{}", index.html);
}

#[test]
fn advice_that_a_refusal_came_after_is_shown_as_not_confirmed() {
    let garden = &*GARDEN;
    let refusal = RefusalDocument {
        schema_version: SCHEMA_VERSION,
        environment: garden.environment.name().to_owned(),
        until: garden.end.start(),
        stage: "ingest".into(),
        code: "no_metrics".into(),
        reason: HOSTILE.into(),
        help: "See in CloudWatch.".into(),
    };
    let page = page(&Evidence { refusal: Some(refusal.clone()), ..garden.evidence() });
    leave("unconfirmed.html", &page);
    assert!(
        page.contains("No advice: CloudWatch has no metrics of it.") && page.contains("It is not confirmed.")
    );
    assert!(page.contains("What to change") && !page.contains("<script"));
    let standing = standing(Some(&garden.advice), Some(&refusal));
    assert_eq!(
        (standing.group, &*standing.said),
        (Group::NoAdvice, "no advice: CloudWatch has no metrics of it")
    );
}
