//! What is asked of AWS, and what the answers mean: on environments and metrics in memory.

use pipeline::activity::{Activity, ActivityKind, DeploymentEvent, deployments_of};
use pipeline::archive::memory::MemoryArchive;
use pipeline::archive::{Archive as _, Environment, Key};
use pipeline::documents::GroupDocument;
use pipeline::fetch::{
    self, BACKFILL_DAYS, Counter, FetchError, FetchRequest, Fetched, Periods, Role, Wanted,
};
use pipeline::ingest;
use pipeline::recorded::Note;
use pipeline::source::memory::{MemoryEnvironments, MemoryMetrics};
use pipeline::source::{Described, Group, LoadBalancer, Query, Tag, Tier, suite};
use pipeline::store::read_samples;
use scaling::sample::{Metric, Period, Sample};
use scaling::units::{MinuteUtc, Minutes, Window};

use crate::{block_on, option};

/// 2026-11-16T00:00Z, two weeks after the first of the archive's days.
fn now() -> MinuteUtc {
    MinuteUtc::new(29_892_960 + 14 * 1440).unwrap()
}

fn environment() -> Environment {
    Environment::new("web").unwrap()
}

fn group(name: &str) -> Group {
    let document =
        GroupDocument { name: name.into(), min_size: 2, max_size: 6, default_cooldown_seconds: 360 };
    Group { document, suspended: vec![], zones: 2 }
}

fn application() -> LoadBalancer {
    LoadBalancer::Application {
        load_balancer: "app/web/1".into(),
        target_groups: vec!["targetgroup/web/1".into()],
    }
}

/// A usual environment: an application load balancer before a group with detailed monitoring.
fn described() -> Described {
    Described {
        id: "e-web".into(),
        tier: Tier::Web,
        group: Some(group("web-group")),
        load_balancer: application(),
        options: vec![
            option("aws:autoscaling:asg", "MaxSize", "6"),
            option("aws:autoscaling:asg", "MinSize", "2"),
            option("aws:autoscaling:launchconfiguration", "MonitoringInterval", "1 minute"),
        ],
    }
}

/// An account with that environment.
struct World {
    environments: MemoryEnvironments,
    metrics: MemoryMetrics,
    archive: MemoryArchive,
}

impl World {
    fn of(described: Described) -> Self {
        let mut environments = MemoryEnvironments::default();
        environments.environments.insert("web".into(), (described, vec![]));
        Self { environments, metrics: MemoryMetrics::default(), archive: MemoryArchive::default() }
    }

    /// Points of `role` every period of `window`.
    fn report(&mut self, wanted: &[Wanted], role: Role, window: Window, value: f64) {
        let wanted = wanted.iter().find(|wanted| wanted.role == role).expect("it is asked for");
        let step = wanted.query.period.minutes();
        let mut minute = window.start;
        while minute < window.end {
            self.metrics.put(&wanted.query, minute, value);
            minute = minute + step;
        }
    }

    /// Requests, CPU and hosts of `window`.
    fn busy(&mut self, window: Window) {
        let wanted = detailed();
        self.report(&wanted, Role::Metric(Metric::Requests), window, 1200.0);
        self.report(&wanted, Role::Metric(Metric::CpuPercent), window, 25.0);
        self.report(&wanted, Role::Counter(Counter::LoadBalancer), window, 2.0);
    }

    fn fetch_at(&self, now: MinuteUtc) -> Result<Fetched, FetchError> {
        self.fetch_of(now, None)
    }

    fn fetch_of(&self, now: MinuteUtc, window: Option<Window>) -> Result<Fetched, FetchError> {
        let request = FetchRequest { environment: environment(), now, window, backfill_days: BACKFILL_DAYS };
        block_on(fetch::fetch(&self.environments, &self.metrics, &self.archive, &request))
    }

    fn ingest_at(&self, now: MinuteUtc) -> ingest::IngestReport {
        let fetched = self.fetch_at(now).unwrap();
        block_on(ingest::run(&self.archive, fetched.ingest)).unwrap()
    }

    fn ingest_of(&self, now: MinuteUtc, window: Window) -> ingest::IngestReport {
        let fetched = self.fetch_of(now, Some(window)).unwrap();
        block_on(ingest::run(&self.archive, fetched.ingest)).unwrap()
    }

    fn samples(&self, window: Window) -> Vec<Sample> {
        block_on(read_samples(&self.archive, &environment(), window)).unwrap()
    }
}

fn detailed() -> Vec<Wanted> {
    let periods = Periods { cpu: Period::OneMinute, others: Period::OneMinute };
    fetch::wanted("web-group", &application(), periods)
}

fn last_hours(hours: u32) -> Window {
    Window { start: now() - Minutes(60 * hours), end: now() }
}

fn notes(fetched: &Fetched) -> Vec<String> {
    fetched.ingest.recording.notes.iter().map(ToString::to_string).collect()
}

fn fails(described: Described, expected: &str) -> FetchError {
    let error = World::of(described).fetch_at(now()).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
    error
}

#[test]
fn metrics_in_memory_keep_every_promise() {
    let mut metrics = MemoryMetrics::default();
    for (minute, value) in suite::points(now()) {
        metrics.put(&suite::query("Sum", "suite"), minute, value);
    }
    block_on(suite::metrics(&metrics, now()));
}

#[test]
fn environments_in_memory_keep_every_promise() {
    let mut environments = MemoryEnvironments::default();
    for (name, tags) in suite::NAMES.into_iter().zip([vec![suite::tag()], vec![]]) {
        let described = Described { id: format!("e-{name}"), ..described() };
        environments.environments.insert(name.into(), (described, tags));
    }
    let activity = |kind, at: &str| Activity {
        id: at.into(),
        kind,
        start: at.parse().unwrap(),
        end: None,
        successful: false,
        cause: String::new(),
    };
    let launch = activity(ActivityKind::Launch, suite::ACTIVITY);
    environments.activities.insert("web-group".into(), vec![launch]);
    let deployment = activity(ActivityKind::Deployment, suite::DEPLOYMENT);
    environments.deployments.insert("e-suite-a".into(), vec![deployment]);
    block_on(suite::environments(&environments));
}

#[test]
fn the_first_fetch_takes_14_days_and_the_next_what_is_new_and_three_hours_before_it() {
    let mut world = World::of(described());
    world.busy(Window::days_before(now() + Minutes(60), 15));
    let first = world.fetch_at(now()).unwrap();
    assert_eq!(first.window, Window { start: now() - Minutes(14 * 1440 + 5), end: now() - Minutes(3) });
    assert_eq!(first.ingest.recording.samples.len(), 14 * 1440 + 2);
    let report = world.ingest_at(now());
    assert_eq!(report.window.end, now() - Minutes(3), "the newest three minutes stay open");
    let next = world.fetch_at(now() + Minutes(60)).unwrap();
    assert_eq!(next.window, Window { start: now() - Minutes(185), end: now() + Minutes(57) });
    let report = world.ingest_at(now() + Minutes(60));
    assert_eq!((report.merged.added, report.merged.updated), (60, 0));
}

#[test]
fn a_second_ingest_of_the_same_hour_writes_nothing() {
    let mut world = World::of(described());
    world.busy(last_hours(5));
    world.ingest_at(now());
    let puts = world.archive.puts();
    let report = world.ingest_at(now());
    assert_eq!((report.merged.added, report.merged.updated, world.archive.puts()), (0, 0, puts));
    assert_eq!(report.settings_changed, Some(false));
}

#[test]
fn an_outage_of_ingest_is_made_up_for() {
    let mut world = World::of(described());
    world.busy(Window::days_before(now(), 4));
    world.ingest_at(now() - Minutes(3 * 1440));
    world.ingest_at(now());
    let whole = Window { start: now() - Minutes(4 * 1440), end: now() - Minutes(3) };
    assert_eq!(world.samples(whole).len(), 4 * 1440 - 3, "no minute is missing");
}

#[test]
fn a_stated_hour_does_not_take_the_place_of_the_first_14_days() {
    let mut world = World::of(described());
    world.busy(Window::days_before(now(), 15));
    world.ingest_of(now(), last_hours(1));
    assert_eq!(world.fetch_at(now()).unwrap().window.start, now() - Minutes(14 * 1440 + 5));
    world.ingest_at(now());
    let whole = Window { start: now() - Minutes(14 * 1440), end: now() - Minutes(3) };
    assert_eq!(world.samples(whole).len(), 14 * 1440 - 3, "no minute is missing");
    assert_eq!(world.fetch_at(now()).unwrap().window.start, now() - Minutes(185), "and only once");
}

#[test]
fn a_stated_hour_after_an_outage_leaves_no_hole() {
    let mut world = World::of(described());
    world.busy(Window::days_before(now(), 4));
    world.ingest_at(now() - Minutes(2 * 1440));
    world.ingest_of(now(), last_hours(1));
    let next = world.fetch_at(now()).unwrap();
    assert_eq!(next.window.start, now() - Minutes(2 * 1440 + 185), "from where the last hourly run ended");
    world.ingest_at(now());
    let whole = Window { start: now() - Minutes(4 * 1440), end: now() - Minutes(3) };
    assert_eq!(world.samples(whole).len(), 4 * 1440 - 3, "no minute is missing");
}

#[test]
fn a_run_that_stops_between_two_days_is_made_up_for() {
    let mut world = World::of(described());
    world.busy(Window::days_before(now(), 15));
    let mut request = world.fetch_at(now()).unwrap().ingest;
    // The days are written oldest first.
    request.recording.samples.retain(|sample| sample.minute_utc < now() - Minutes(5 * 1440));
    block_on(ingest::run(&world.archive, request)).unwrap();
    world.ingest_of(now(), last_hours(1));
    assert_eq!(world.fetch_at(now()).unwrap().window.start, now() - Minutes(5 * 1440 + 180));
}

#[test]
fn todays_settings_are_kept_only_with_metrics_that_reach_to_now() {
    let mut world = World::of(described());
    world.busy(Window::days_before(now(), 4));
    let ended = |minutes| Window { start: now() - Minutes(3000), end: now() - Minutes(minutes) };
    let old = world.ingest_of(now(), ended(2000));
    assert_eq!(old.settings_changed, None);
    let note = Note::SettingsNotKept { until: now() - Minutes(2000) };
    assert!(old.notes.contains(&note), "{:?}", old.notes);
    let recent = world.ingest_of(now(), ended(10));
    assert_eq!(recent.settings_changed, Some(true));
    assert!(!recent.notes.iter().any(|note| matches!(note, Note::SettingsNotKept { .. })));
}

#[test]
fn a_fetch_across_midnight_fills_both_days() {
    let mut world = World::of(described());
    world.busy(last_hours(1));
    let just_after = Window { start: now(), end: now() + Minutes(5) };
    world.busy(just_after);
    world.ingest_at(now() + Minutes(5));
    for (day, rows) in [(now() - Minutes(1), 60), (now(), 2)] {
        let window = Window { start: day.start_of_day(), end: day.start_of_day() + Minutes(1440) };
        assert_eq!(world.samples(window).len(), rows, "{}", Key::samples(&environment(), day));
    }
}

#[test]
fn absent_requests_are_zero_only_where_the_load_balancer_said_something() {
    let mut world = World::of(described());
    let wanted = detailed();
    world.report(&wanted, Role::Metric(Metric::CpuPercent), last_hours(4), 5.0);
    world.report(&wanted, Role::Counter(Counter::CpuSamples), last_hours(4), 2.0);
    // A quiet night for two hours, then a load balancer that says nothing at all.
    let quiet = Window { start: now() - Minutes(240), end: now() - Minutes(120) };
    world.report(&wanted, Role::Counter(Counter::LoadBalancer), quiet, 2.0);
    let fetched = world.fetch_at(now()).unwrap();
    let told = notes(&fetched);
    assert!(
        told.iter().any(|note| note.starts_with("`requests` has had no points since 2026-11-15T22:00Z")),
        "{told:?}"
    );
    let report = block_on(ingest::run(&world.archive, fetched.ingest)).unwrap();
    assert_eq!(report.filled.requests_filled, 120);
    for sample in world.samples(last_hours(4)) {
        let expected = quiet.contains(sample.minute_utc).then_some(0.0);
        assert_eq!(sample.get(Metric::Requests), expected, "{}", sample.minute_utc);
    }
}

#[test]
fn cpu_that_went_silent_is_told_and_stays_missing() {
    let mut world = World::of(described());
    let wanted = detailed();
    world.report(&wanted, Role::Metric(Metric::Requests), last_hours(4), 600.0);
    world.report(&wanted, Role::Counter(Counter::LoadBalancer), last_hours(4), 2.0);
    let before = Window { start: now() - Minutes(240), end: now() - Minutes(60) };
    world.report(&wanted, Role::Metric(Metric::CpuPercent), before, 30.0);
    let fetched = world.fetch_at(now()).unwrap();
    let told = notes(&fetched);
    assert!(
        told.iter().any(|note| note.starts_with("`cpu_percent` has had no points since 2026-11-15T23:00Z")),
        "{told:?}"
    );
    let report = block_on(ingest::run(&world.archive, fetched.ingest)).unwrap();
    assert_eq!(report.filled.cpu_missing, 57);
}

#[test]
fn with_basic_monitoring_cpu_comes_by_five_and_its_newest_ten_minutes_stay_open() {
    let mut basic = described();
    basic.options[2].value = "5 minute".into();
    let mut world = World::of(basic);
    let periods = Periods { cpu: Period::FiveMinutes, others: Period::OneMinute };
    let wanted = fetch::wanted("web-group", &application(), periods);
    assert!(wanted.iter().all(|wanted| wanted.role != Role::Counter(Counter::CpuSamples)));
    world.report(&wanted, Role::Metric(Metric::Requests), last_hours(2), 600.0);
    world.report(&wanted, Role::Metric(Metric::CpuPercent), last_hours(2), 30.0);
    world.report(&wanted, Role::Counter(Counter::LoadBalancer), last_hours(2), 2.0);
    let samples = world.fetch_at(now()).unwrap().ingest.recording.samples;
    let newest = |metric| {
        let with = samples.iter().filter(|sample| sample.get(metric).is_some());
        with.map(|sample| sample.minute_utc + sample.period.minutes()).max()
    };
    assert_eq!(newest(Metric::CpuPercent), Some(now() - Minutes(10)));
    assert_eq!(newest(Metric::Requests), Some(now() - Minutes(3)));
}

#[test]
fn what_is_older_than_15_days_comes_by_five_and_what_is_older_than_63_is_refused() {
    let world = World::of(described());
    let month_ago = Window { start: now() - Minutes(30 * 1440), end: now() - Minutes(29 * 1440) };
    let mut old = World::of(described());
    let periods = Periods { cpu: Period::FiveMinutes, others: Period::FiveMinutes };
    let wanted = fetch::wanted("web-group", &application(), periods);
    for role in
        [Role::Metric(Metric::Requests), Role::Metric(Metric::CpuPercent), Role::Counter(Counter::Group)]
    {
        old.report(&wanted, role, month_ago, 40.0);
    }
    let fetched = old.fetch_of(now(), Some(month_ago)).unwrap();
    assert_eq!(fetched.ingest.recording.samples.len(), 288);
    assert!(fetched.ingest.recording.samples.iter().all(|sample| sample.period == Period::FiveMinutes));
    let long_ago = Window { start: now() - Minutes(70 * 1440), end: now() };
    let error = world.fetch_of(now(), Some(long_ago)).unwrap_err();
    assert!(error.to_string().contains("over 63 days ago"), "{error}");
    assert!(error.is_refusal());
}

#[test]
fn a_fetch_from_before_the_last_15_days_still_takes_those_by_the_minute() {
    let mut world = World::of(described());
    let window = Window { start: now() - Minutes(20 * 1440), end: now() - Minutes(5) };
    let by_minute_since = now() - Minutes(15 * 1440 - 180);
    let by_fives = Periods { cpu: Period::FiveMinutes, others: Period::FiveMinutes };
    let by_fives = fetch::wanted("web-group", &application(), by_fives);
    for (wanted, requests) in [(&by_fives, 6000.0), (&detailed(), 1200.0)] {
        world.report(wanted, Role::Metric(Metric::Requests), window, requests);
        world.report(wanted, Role::Metric(Metric::CpuPercent), window, 40.0);
        world.report(wanted, Role::Counter(Counter::LoadBalancer), window, 2.0);
    }
    let fetched = world.fetch_of(now(), Some(window)).unwrap();
    for sample in &fetched.ingest.recording.samples {
        let old = sample.minute_utc < by_minute_since;
        let expected = if old { (Period::FiveMinutes, 6000.0) } else { (Period::OneMinute, 1200.0) };
        assert_eq!((sample.period, sample.get(Metric::Requests)), (expected.0, Some(expected.1)));
    }
    let (old, recent) = (5 * 1440 + 180, 15 * 1440 - 185);
    assert_eq!(fetched.ingest.recording.samples.len(), old / 5 + recent);
}

#[test]
fn a_window_that_has_not_happened_is_refused() {
    let world = World::of(described());
    let future = Window { start: now(), end: now() + Minutes(60) };
    let error = world.fetch_of(now(), Some(future)).unwrap_err();
    assert!(error.to_string().contains("has not happened yet"), "{error}");
}

#[test]
fn classic_load_balancers_have_other_names_for_the_same() {
    let periods = Periods { cpu: Period::OneMinute, others: Period::OneMinute };
    let asked = |load_balancer: &LoadBalancer| -> Vec<String> {
        let wanted = fetch::wanted("g", load_balancer, periods);
        let name = |Query { namespace, metric, statistic, .. }| format!("{namespace} {metric} {statistic}");
        wanted.into_iter().map(|wanted| name(wanted.query)).collect()
    };
    let of_group = [
        "AWS/EC2 CPUUtilization Average",
        "AWS/EC2 CPUUtilization Maximum",
        "AWS/AutoScaling GroupInServiceInstances Average",
        "AWS/EC2 CPUUtilization SampleCount",
    ];
    let classic = [
        "AWS/ELB RequestCount Sum",
        "AWS/ELB HTTPCode_Backend_5XX Sum",
        "AWS/ELB HealthyHostCount Average",
        "AWS/ELB Latency p50",
        "AWS/ELB Latency p95",
        "AWS/ELB Latency p99",
    ];
    let application_names = [
        "AWS/ApplicationELB RequestCount Sum",
        "AWS/ApplicationELB HTTPCode_Target_5XX_Count Sum",
        "AWS/ApplicationELB HealthyHostCount Average",
        "AWS/ApplicationELB TargetResponseTime p50",
        "AWS/ApplicationELB TargetResponseTime p95",
        "AWS/ApplicationELB TargetResponseTime p99",
    ];
    assert_eq!(asked(&LoadBalancer::Classic("lb".into())), [&of_group[..], &classic].concat());
    assert_eq!(asked(&application()), [&of_group[..], &application_names].concat());
}

#[test]
fn requests_of_several_target_groups_add_up() {
    let target_groups = vec!["targetgroup/a/1".to_owned(), "targetgroup/b/2".to_owned()];
    let load_balancer = LoadBalancer::Application { load_balancer: "app/shared/1".into(), target_groups };
    let mut world = World::of(Described { load_balancer: load_balancer.clone(), ..described() });
    let periods = Periods { cpu: Period::OneMinute, others: Period::OneMinute };
    let requests = fetch::wanted("web-group", &load_balancer, periods);
    let requests = requests.iter().filter(|wanted| wanted.role == Role::Metric(Metric::Requests));
    let minute = now() - Minutes(30);
    for (wanted, value) in requests.zip([100.0, 20.0]) {
        world.metrics.put(&wanted.query, minute, value);
    }
    let fetched = world.fetch_at(now()).unwrap();
    assert_eq!(fetched.ingest.recording.samples[0].get(Metric::Requests), Some(120.0));
}

/// Two processes; the first by name is the one that `requests` names first.
fn two_processes(requests: [f64; 2]) -> (World, Vec<Wanted>) {
    let target_groups = vec!["targetgroup/a/1".to_owned(), "targetgroup/b/2".to_owned()];
    let load_balancer = LoadBalancer::Application { load_balancer: "app/web/1".into(), target_groups };
    let mut world = World::of(Described { load_balancer: load_balancer.clone(), ..described() });
    let periods = Periods { cpu: Period::OneMinute, others: Period::OneMinute };
    let wanted = fetch::wanted("web-group", &load_balancer, periods);
    let counts = wanted.iter().filter(|wanted| wanted.role == Role::Metric(Metric::Requests));
    for (wanted, sum) in counts.zip(requests).filter(|(_, sum)| *sum > 0.0) {
        world.metrics.put(&wanted.query, now() - Minutes(30), sum);
    }
    (world, wanted)
}

/// One level of each of two target groups in a minute of the last hour.
fn levels(world: &mut World, wanted: &[Wanted], role: Role, values: [Option<f64>; 2]) {
    for (wanted, value) in wanted.iter().filter(|wanted| wanted.role == role).zip(values) {
        if let Some(value) = value {
            world.metrics.put(&wanted.query, now() - Minutes(30), value);
        }
    }
}

#[test]
fn a_process_without_a_listener_rule_hides_neither_hosts_nor_response_time() {
    let (mut world, wanted) = two_processes([0.0, 500.0]);
    levels(&mut world, &wanted, Role::Counter(Counter::LoadBalancer), [None, Some(3.0)]);
    levels(&mut world, &wanted, Role::Metric(Metric::LatencyP95Seconds), [None, Some(0.2)]);
    let fetched = world.fetch_at(now()).unwrap();
    let sample = &fetched.ingest.recording.samples[0];
    assert_eq!(sample.get(Metric::InService), Some(3.0));
    assert_eq!(sample.get(Metric::LatencyP95Seconds), Some(0.2));
}

#[test]
fn of_several_target_groups_the_busiest_that_reports_tells_each_level() {
    let (mut world, wanted) = two_processes([10.0, 500.0]);
    levels(&mut world, &wanted, Role::Counter(Counter::LoadBalancer), [Some(4.0), Some(3.0)]);
    levels(&mut world, &wanted, Role::Metric(Metric::LatencyP50Seconds), [Some(2.0), Some(0.1)]);
    levels(&mut world, &wanted, Role::Metric(Metric::LatencyP99Seconds), [Some(2.5), None]);
    let fetched = world.fetch_at(now()).unwrap();
    let sample = &fetched.ingest.recording.samples[0];
    assert_eq!(sample.get(Metric::InService), Some(3.0));
    assert_eq!(sample.get(Metric::LatencyP50Seconds), Some(0.1));
    assert_eq!(sample.get(Metric::LatencyP99Seconds), Some(2.5));
}

#[test]
fn a_minute_in_which_any_target_group_reports_is_idle_and_not_silent() {
    let (mut world, wanted) = two_processes([500.0, 10.0]);
    world.report(&wanted, Role::Metric(Metric::CpuPercent), last_hours(1), 5.0);
    world.report(&wanted, Role::Counter(Counter::Group), last_hours(1), 2.0);
    levels(&mut world, &wanted, Role::Counter(Counter::LoadBalancer), [None, Some(2.0)]);
    let reported = world.fetch_at(now()).unwrap().ingest.load_balancer_reported.unwrap();
    assert_eq!(reported.into_iter().collect::<Vec<_>>(), [now() - Minutes(30)]);
}

#[test]
fn the_best_counter_counts_and_goes_on_to_count() {
    let mut world = World::of(described());
    world.busy(last_hours(4));
    let counted = |world: &World, now| {
        let fetched = world.fetch_at(now).unwrap();
        let by =
            fetched.ingest.recording.notes.iter().find_map(|note| note.instances_by().map(str::to_owned));
        by.unwrap()
    };
    assert_eq!(counted(&world, now()), "`HealthyHostCount`");
    world.ingest_at(now());
    // Group metrics are enabled later: one series all along is better than two that differ.
    world.report(&detailed(), Role::Counter(Counter::Group), last_hours(4), 3.0);
    assert_eq!(counted(&world, now()), "`HealthyHostCount`");
    let mut fresh = World::of(described());
    fresh.busy(last_hours(4));
    fresh.report(&detailed(), Role::Counter(Counter::Group), last_hours(4), 3.0);
    assert_eq!(counted(&fresh, now()), "`GroupInServiceInstances`");
    // A few points of a better one don't make up for hours of another.
    let mut few = World::of(described());
    few.busy(last_hours(4));
    few.report(&detailed(), Role::Counter(Counter::Group), last_hours(1), 3.0);
    assert_eq!(counted(&few, now()), "`HealthyHostCount`");
}

/// A classic load balancer in two zones that reports one host in each, CPU and requests.
fn classic(options: &[(&str, &str)], zones: usize) -> (World, Vec<Wanted>) {
    let load_balancer = LoadBalancer::Classic("lb".into());
    let mut classic = Described { load_balancer: load_balancer.clone(), ..described() };
    classic.options.extend(options.iter().map(|(name, value)| option("aws:elb:loadbalancer", name, value)));
    classic.group.as_mut().unwrap().zones = zones;
    let periods = Periods { cpu: Period::OneMinute, others: Period::OneMinute };
    let wanted = fetch::wanted("web-group", &load_balancer, periods);
    let mut world = World::of(classic);
    world.report(&wanted, Role::Metric(Metric::Requests), last_hours(1), 1200.0);
    world.report(&wanted, Role::Metric(Metric::CpuPercent), last_hours(1), 25.0);
    world.report(&wanted, Role::Counter(Counter::LoadBalancer), last_hours(1), 1.0);
    (world, wanted)
}

fn in_service(world: &World) -> Option<f64> {
    world.fetch_at(now()).unwrap().ingest.recording.samples[0].get(Metric::InService)
}

#[test]
fn zones_that_count_their_own_instances_are_not_taken_for_the_count() {
    for options in [&[][..], &[("CrossZone", "false")]] {
        let (mut world, wanted) = classic(options, 2);
        world.report(&wanted, Role::Counter(Counter::CpuSamples), last_hours(1), 2.0);
        assert_eq!(in_service(&world), Some(2.0));
        let reported = world.fetch_at(now()).unwrap().ingest.load_balancer_reported.unwrap();
        assert_eq!(reported.len(), 57, "it still says where there were no requests");
        world.report(&wanted, Role::Counter(Counter::Group), last_hours(1), 2.0);
        assert_eq!(in_service(&world), Some(2.0));
    }
}

#[test]
fn hosts_of_a_classic_load_balancer_count_across_zones_or_in_one() {
    assert_eq!(in_service(&classic(&[("CrossZone", "true")], 2).0), Some(1.0));
    assert_eq!(in_service(&classic(&[("CrossZone", "false")], 1).0), Some(1.0));
}

#[test]
fn where_only_zones_count_the_instances_what_to_do_is_told() {
    let (world, _) = classic(&[], 2);
    let error = world.fetch_at(now()).unwrap_err();
    assert!(error.is_refusal());
    assert!(error.to_string().contains("counts the instances of each zone by themselves"), "{error}");
    block_on(pipeline::refusals::of_ingest(&world.archive, &environment(), now(), &error)).unwrap();
    let key = Key::refusal(&environment(), "ingest");
    let kept: serde_json::Value =
        serde_json::from_slice(&block_on(world.archive.get(&key)).unwrap().unwrap().body).unwrap();
    assert!(kept.to_string().contains("Set `CrossZone` of `aws:elb:loadbalancer` to `true`"), "{kept}");
}

#[test]
fn a_counter_that_is_known_is_not_looked_for_again_until_it_stops() {
    let mut world = World::of(described());
    world.busy(last_hours(4));
    assert_eq!(world.fetch_at(now()).unwrap().metrics_requested, 10, "the first time, everything");
    world.ingest_at(now());
    assert_eq!(world.fetch_at(now()).unwrap().metrics_requested, 8);
    let wanted = detailed();
    let later = Window { start: now(), end: now() + Minutes(400) };
    world.report(&wanted, Role::Metric(Metric::CpuPercent), later, 5.0);
    world.report(&wanted, Role::Counter(Counter::CpuSamples), later, 2.0);
    let fetched = world.fetch_of(later.end, Some(Window { start: later.start, end: later.end })).unwrap();
    assert_eq!(fetched.metrics_requested, 8 + 10);
    let by = fetched.ingest.recording.notes.iter().find_map(Note::instances_by).unwrap();
    assert_eq!(by, "`SampleCount of CPUUtilization`");
}

/// Prices of eu-central-1 in USD: a thousand metrics asked for; a thousand puts and lists, and gets, of S3; a
/// GB-second and a million starts of a function; a thousand transitions of a standard machine, a million express runs.
#[test]
fn an_environment_costs_less_than_ten_cents_a_month_at_the_default_schedules() {
    let mut world = World::of(described());
    let noon = now() + Minutes(720);
    world.busy(Window { start: now() - Minutes(1440), end: noon + Minutes(60) });
    world.ingest_at(noon);
    let metrics = world.fetch_at(noon + Minutes(60)).unwrap().metrics_requested;
    let before = world.archive.counts();
    world.ingest_at(noon + Minutes(60));
    let after = world.archive.counts();
    let (gets, puts, lists) = (after.0 - before.0, after.1 - before.1, after.2 - before.2);
    let (hours, days) = (730.0, 30.4);
    let cloudwatch = hours * metrics as f64 * 0.01 / 1e3;
    let s3 = hours * ((puts + lists) as f64 * 0.0054 + gets as f64 * 0.00043) / 1e3;
    // Seconds and gigabytes, measured on two slow cores and rounded up.
    let functions = hours * 2.0 * 0.25 + days * (1.0 * 0.5 + 6.0 * 1.729 + 1.0 * 0.25);
    let functions = functions * 0.000_016_666_7 + (hours + 3.0 * days) * 0.2 / 1e6;
    let machines = hours / 1e6 + days * 8.0 * 0.025 / 1e3;
    let total = cloudwatch + s3 + functions + machines;
    println!(
        "{gets} gets, {puts} puts, {lists} lists, {metrics} metrics an hour; {cloudwatch:.4}, S3 {s3:.4}, functions {functions:.4}, machines {machines:.4}: {total:.4} USD"
    );
    assert!(total < 0.10, "{total}");
}

#[test]
fn a_rebuilt_environment_is_found_by_its_new_group_and_the_seam_is_told() {
    let mut world = World::of(described());
    world.busy(last_hours(4));
    world.ingest_at(now());
    let rebuilt = Described { id: "e-new".into(), group: Some(group("new-group")), ..described() };
    world.environments.environments.insert("web".into(), (rebuilt, vec![]));
    let later = now() + Minutes(60);
    let periods = Periods { cpu: Period::OneMinute, others: Period::OneMinute };
    let wanted = fetch::wanted("new-group", &application(), periods);
    let window = Window { start: now(), end: later };
    world.report(&wanted, Role::Metric(Metric::CpuPercent), window, 20.0);
    let fetched = world.fetch_at(later).unwrap();
    let seam = Note::Rebuilt { before: "web-group".into(), now: "new-group".into() };
    assert!(fetched.ingest.recording.notes.contains(&seam), "{:?}", notes(&fetched));
    assert_eq!(block_on(ingest::run(&world.archive, fetched.ingest)).unwrap().settings_changed, Some(true));
    let again = world.fetch_at(later).unwrap();
    assert!(!again.ingest.recording.notes.contains(&seam), "a seam is told once");
}

#[test]
fn limits_that_are_not_those_of_the_options_and_suspended_processes_are_told() {
    let mut group = group("web-group");
    group.document.max_size = 10;
    group.suspended = vec!["AlarmNotification".into()];
    let mut world = World::of(Described { group: Some(group), ..described() });
    world.busy(last_hours(1));
    let told = notes(&world.fetch_at(now()).unwrap());
    assert!(
        told.iter().any(|note| note.contains("runs 2 to 10 instances, the options say 2 to 6")),
        "{told:?}"
    );
    assert!(told.iter().any(|note| note.contains("suspended AlarmNotification")), "{told:?}");
}

#[test]
fn what_advice_does_not_apply_to_is_told_so_and_is_no_fault() {
    let worker = Described { tier: Tier::Worker, ..described() };
    assert!(fails(worker, "`web` is a worker").is_refusal());
    let single = Described { load_balancer: LoadBalancer::None, ..described() };
    assert!(fails(single, "has no load balancer").is_refusal());
    let network =
        Described { load_balancer: LoadBalancer::Other("a network load balancer".into()), ..described() };
    assert!(fails(network, "which counts no requests").is_refusal());
    let rebuilding = Described { group: None, ..described() };
    assert!(fails(rebuilding, "has no Auto Scaling group at present").is_refusal());
    assert!(fails(described(), "CloudWatch has no points of `web`").is_refusal());
}

#[test]
fn a_name_that_nobody_has_is_a_fault_and_says_where_to_look() {
    let mut world = World::of(described());
    world.environments.environments.clear();
    let error = world.fetch_at(now()).unwrap_err();
    assert!(!error.is_refusal());
    assert!(error.to_string().contains("look at the name, the Region and the profile"), "{error}");
}

#[test]
fn full_cpu_with_a_rounding_error_is_full_and_nonsense_is_left_out_and_counted() {
    let mut world = World::of(described());
    world.busy(last_hours(1));
    let wanted = detailed();
    let cpu = wanted.iter().find(|wanted| wanted.role == Role::Metric(Metric::CpuPercent)).unwrap();
    world.metrics.put(&cpu.query, now() - Minutes(30), 100.000_000_1);
    world.metrics.put(&cpu.query, now() - Minutes(20), 140.0);
    world.metrics.put(&cpu.query, now() - Minutes(10), f64::NAN);
    let fetched = world.fetch_at(now()).unwrap();
    let at = |minute| {
        let sample = fetched.ingest.recording.samples.iter().find(|sample| sample.minute_utc == minute);
        sample.unwrap().get(Metric::CpuPercent)
    };
    assert_eq!([30, 20, 10].map(|ago| at(now() - Minutes(ago))), [Some(100.0), None, None]);
    let refused = Note::Refused { metric: "cpu_percent", count: 2 };
    assert!(fetched.ingest.recording.notes.contains(&refused), "{:?}", notes(&fetched));
}

#[test]
fn events_make_deployments_from_the_first_word_to_the_last() {
    let event = |at: &str, message: &str| DeploymentEvent {
        at: at.parse().unwrap(),
        message: message.into(),
        version: Some("v7".into()),
    };
    let events = vec![
        event("2026-11-15T10:20:00Z", "New application version was deployed to running EC2 instances."),
        event("2026-11-15T10:00:10Z", "Environment update is starting."),
        event("2026-11-15T10:00:20Z", "Deploying new version to instance(s)."),
        event("2026-11-15T10:01:00Z", "Batch 1: Starting application deployment on instance(s) [i-1]."),
        event("2026-11-15T10:20:30Z", "Environment update completed successfully."),
        event("2026-11-15T12:00:00Z", "Deploying new version to instance(s)."),
        event("2026-11-15T12:05:00Z", "Failed to deploy application."),
    ];
    let deployments = deployments_of("e-web", events);
    let told: Vec<(String, Option<String>, bool)> = deployments
        .iter()
        .map(|d| (d.start.to_string(), d.end.map(|end| end.to_string()), d.successful))
        .collect();
    assert_eq!(
        told,
        [
            ("2026-11-15T10:00:20Z".into(), Some("2026-11-15T10:20:00Z".into()), true),
            ("2026-11-15T12:00:00Z".into(), Some("2026-11-15T12:05:00Z".into()), false),
        ]
    );
    assert!(deployments.iter().all(|d| d.kind == ActivityKind::Deployment && d.cause.contains("v7")));
}

#[test]
fn activities_and_deployments_of_the_time_are_kept() {
    let mut world = World::of(described());
    world.busy(last_hours(2));
    let activity = |id: &str, kind, at: MinuteUtc| Activity {
        id: id.into(),
        kind,
        start: at.start(),
        end: Some((at + Minutes(1)).start()),
        successful: true,
        cause: String::new(),
    };
    let launch = activity("1", ActivityKind::Launch, now() - Minutes(50));
    let deployment = activity("2", ActivityKind::Deployment, now() - Minutes(40));
    world.environments.activities.insert("web-group".into(), vec![launch.clone()]);
    world.environments.deployments.insert("e-web".into(), vec![deployment.clone()]);
    world.ingest_at(now());
    let kept =
        block_on(pipeline::store::read_activities(&world.archive, &environment(), last_hours(2))).unwrap();
    assert_eq!(kept, [launch, deployment]);
}

#[test]
fn a_fleet_is_names_a_tag_or_all() {
    let mut environments = MemoryEnvironments::default();
    let tag = Tag { key: "stage".into(), value: "prod".into() };
    for (name, tags) in [("api", vec![tag.clone()]), ("test", vec![]), ("web", vec![tag])] {
        environments.environments.insert(name.into(), (described(), tags));
    }
    let resolved = |text: &str| -> Vec<String> {
        let fleet: pipeline::fleet::Fleet = text.parse().unwrap();
        let names = block_on(fleet.resolve(&environments)).unwrap();
        names.iter().map(|name| name.name().to_owned()).collect()
    };
    assert_eq!(resolved("web, api,web"), ["api", "web"]);
    assert_eq!(resolved("tag:stage=prod"), ["api", "web"]);
    assert_eq!(resolved("*"), ["api", "test", "web"]);
    for wrong in ["", "tag:stage", "tag:=x", "a,,b"] {
        assert!(wrong.parse::<pipeline::fleet::Fleet>().is_err(), "`{wrong}`");
    }
}
