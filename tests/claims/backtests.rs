//! The replay held against what really happened: when it is trusted, when not, and why.

use scaling::backtest::{
    BackTest, BackTested, Cause, Counts, Free, Grade, Record, back_test, back_test_cpu, strays,
};
use scaling::course::{CapacityChange, Course, Deployment};
use scaling::cpu_model::CpuModel;
use scaling::disturbance::{RecordedMinute, deployments};
use scaling::dynamics::Dynamics;
use scaling::plan::{Measure, Plan};
use scaling::policy::{Group, ScalingPolicy, Trigger};
use scaling::reference::{Row, Scenario, replay};
use scaling::traffic::{Load, Traffic};
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, RequestsPerMinute, Seconds};

fn start() -> MinuteUtc {
    MinuteUtc::new(29_892_960).unwrap()
}

fn model() -> CpuModel {
    CpuModel::new(2.0, 0.01).unwrap()
}

fn plan(upper: f64, lower: f64, min: u32, max: u32) -> Plan {
    let trigger = Trigger {
        upper_threshold: CpuPercent::new(upper).unwrap(),
        lower_threshold: CpuPercent::new(lower).unwrap(),
        upper_breach_scale_increment: Instances(1),
        lower_breach_scale_increment: Instances(1),
        period: Minutes(1),
        evaluation_periods: 3,
    };
    let group = Group { min_size: Instances(min), max_size: Instances(max), cooldown: Seconds(360) };
    Plan::from(&ScalingPolicy::new(trigger, group).unwrap())
}

/// Three days between 4000 and 40000 requests a minute, with uneven noise.
fn traffic() -> Traffic {
    let rate = |minute: u32| {
        let phase = f64::from(minute % 1440) / 1440.0;
        let wave = 4_000.0 + 36_000.0 * (1.0 - (2.0 * phase - 1.0).abs());
        wave * (0.97 + 0.06 * f64::from(minute * 7919 % 101) / 100.0)
    };
    let requests_per_minute = (0..4320).map(|minute| RequestsPerMinute::new(rate(minute)).ok()).collect();
    Traffic { start: start(), requests_per_minute }
}

/// CPU strays by up to two points.
fn strays_made() -> Vec<f64> {
    (0..4320_u32).map(|minute| 4.0 * f64::from(minute * 6271 % 97) / 96.0 - 2.0).collect()
}

struct Truth {
    plan: Plan,
    dynamics: Dynamics,
    course: Course,
}

impl Truth {
    fn of(plan: Plan) -> Self {
        Self { plan, dynamics: Dynamics::default(), course: Course::default() }
    }

    fn rows(&self) -> Vec<Row> {
        let scenario = Scenario {
            plan: self.plan.clone(),
            dynamics: self.dynamics,
            course: self.course.clone(),
            initial: Instances(2),
        };
        replay(&Load { stray_percent: strays_made(), ..Load::new(&traffic(), model()) }, &scenario)
    }

    /// What a group that is really so would have been recorded as.
    fn record(&self) -> Record {
        let rates = traffic().requests_per_minute;
        let minute = |(row, rate): (&Row, &Option<RequestsPerMinute>)| RecordedMinute {
            in_service: Some(f64::from(row.in_service.0)),
            cpu_percent: row.group_cpu_percent,
            requests: rate.map(RequestsPerMinute::get),
        };
        let minutes = self.rows().iter().zip(&rates).map(minute).collect();
        Record { start: start(), minutes, cpu_ceiling: CpuPercent::new(100.0).unwrap() }
    }
}

fn tested(record: &Record, believed: &Plan) -> BackTested {
    back_test(record, model(), believed, &Course::default(), Dynamics::default(), Free::ALL).unwrap()
}

fn counts_of(back_test: BackTest) -> (f64, f64, u32, u32) {
    let counts = back_test.counts.unwrap();
    (counts.hours_bias, counts.exact, counts.recorded_events, counts.matched_events)
}

fn check_not_trusted(record: &Record, believed: &Plan, cause: Cause) {
    let back_test = tested(record, believed).back_test;
    assert_eq!(back_test.grade(), Grade::NotTrusted(cause), "{back_test:#?}");
}

#[test]
fn the_settings_that_were_in_force_are_trusted() {
    let plan = plan(60.0, 25.0, 2, 12);
    let BackTested { back_test, calibrated, .. } = tested(&Truth::of(plan.clone()).record(), &plan);
    let (bias, exact, recorded, matched) = counts_of(back_test);
    assert!(bias.abs() < 0.001 && exact > 0.99 && recorded == matched && recorded > 5, "{back_test:#?}");
    assert!(calibrated && back_test.grade() == Grade::Good);
}

#[test]
fn delays_are_found_in_the_first_half_and_errors_measured_in_the_second() {
    let plan = plan(60.0, 25.0, 2, 12);
    let dynamics = Dynamics { metric_delay: Minutes(3), launch: Minutes(4), ..Dynamics::default() };
    let BackTested { back_test, dynamics: found, .. } =
        tested(&Truth { dynamics, ..Truth::of(plan.clone()) }.record(), &plan);
    assert_eq!((found.metric_delay, found.launch), (Minutes(3), Minutes(4)));
    assert_eq!(back_test.grade(), Grade::Good);
    assert!(back_test.minutes <= 2160, "{back_test:#?}");
}

#[test]
fn the_delay_that_is_found_is_that_of_what_the_alarms_watch() {
    let line = Measure::Line { intercept: 0.0, per_request: 0.01 };
    let on_latency = Plan { measure: line, ..plan(60.0, 25.0, 2, 12) };
    let dynamics = Dynamics { balancer_delay: Minutes(3), launch: Minutes(4), ..Dynamics::default() };
    let record = Truth { dynamics, ..Truth::of(on_latency.clone()) }.record();
    let BackTested { back_test, dynamics: found, calibrated } = tested(&record, &on_latency);
    assert!(calibrated && back_test.grade() == Grade::Good, "{back_test:#?}");
    assert_eq!(found, dynamics, "CPU is seen as it was");
}

#[test]
fn delays_that_were_stated_are_not_asked_of_the_record() {
    let plan = plan(60.0, 25.0, 2, 12);
    let really = Dynamics { metric_delay: Minutes(3), launch: Minutes(4), ..Dynamics::default() };
    let record = Truth { dynamics: really, ..Truth::of(plan.clone()) }.record();
    let found = |metric_delay, launch| {
        let (given, course) = (Dynamics { launch: Minutes(9), ..really }, Course::default());
        let tested =
            back_test(&record, model(), &plan, &course, given, Free { metric_delay, launch }).unwrap();
        (tested.dynamics.metric_delay, tested.dynamics.launch, tested.calibrated)
    };
    assert_eq!(found(true, true), (Minutes(3), Minutes(4), true));
    assert_eq!(found(false, true), (Minutes(3), Minutes(4), true));
    assert_eq!(found(true, false).1, Minutes(9));
    assert_eq!(found(false, false), (Minutes(3), Minutes(9), false));
}

#[test]
fn cpu_that_shows_late_is_seen_up_to_three_minutes_after_that() {
    let plan = plan(60.0, 25.0, 2, 12);
    let late = |metric_delay| Dynamics { metric_delay: Minutes(metric_delay), ..Dynamics::default() };
    for really in [4, 6] {
        let record = Truth { dynamics: late(really), ..Truth::of(plan.clone()) }.record();
        let tested = back_test(&record, model(), &plan, &Course::default(), late(4), Free::ALL).unwrap();
        assert_eq!(tested.dynamics.metric_delay, Minutes(really), "{tested:?}");
    }
}

#[test]
fn other_settings_than_those_in_force_are_not_trusted() {
    let record = Truth::of(plan(60.0, 25.0, 2, 12)).record();
    check_not_trusted(&record, &plan(85.0, 10.0, 2, 12), Cause::OtherTimes);
}

#[test]
fn sizes_outside_of_the_limits_are_the_likeliest_cause_where_there_are_some() {
    let record = Truth::of(plan(60.0, 25.0, 2, 12)).record();
    check_not_trusted(&record, &plan(60.0, 25.0, 2, 2), Cause::OutsideLimits);
}

#[test]
fn sizes_that_a_scheduled_action_allows_are_not_outside_of_the_limits() {
    let record = Truth::of(plan(60.0, 25.0, 2, 12)).record();
    let (at, max_size) = (start() - Minutes(60), Some(Instances(12)));
    let change = CapacityChange { at, min_size: None, max_size, desired_capacity: None };
    let tested = |changes| {
        let course = Course::new(changes, vec![]).unwrap();
        back_test(&record, model(), &plan(85.0, 10.0, 2, 2), &course, Dynamics::default(), Free::ALL)
            .unwrap()
            .back_test
    };
    let [allowed, not_allowed] = [vec![change], vec![]].map(tested);
    assert_eq!(allowed.grade(), Grade::NotTrusted(Cause::OtherTimes), "{allowed:?}");
    assert_eq!(not_allowed.grade(), Grade::NotTrusted(Cause::OutsideLimits), "{not_allowed:?}");
    assert_eq!(allowed.counts.unwrap().outside_limits, 0);
}

#[test]
fn a_group_that_is_moved_by_hand_is_not_trusted() {
    let mut by_hand = Truth::of(plan(99.0, 1.0, 1, 12));
    let set = |day: u32, hour: u32, size: u32| CapacityChange {
        at: start() + Minutes(day * 1440 + hour * 60),
        min_size: None,
        max_size: None,
        desired_capacity: Some(Instances(size)),
    };
    let days = (0..3).flat_map(|day| [set(day, 7, 9), set(day, 19, 5)]).collect();
    by_hand.course = Course::new(days, vec![]).unwrap();
    check_not_trusted(&by_hand.record(), &plan(60.0, 25.0, 1, 12), Cause::LargeJumps);
}

#[test]
fn saturated_cpu_hides_the_demand_and_is_said_to() {
    let record = Truth::of(plan(99.0, 5.0, 1, 1)).record();
    let back_test = tested(&record, &plan(60.0, 25.0, 1, 6)).back_test;
    assert!(back_test.saturated > 500);
    assert_eq!(back_test.grade(), Grade::NotTrusted(Cause::Saturated));
}

#[test]
fn cpu_that_follows_something_else_is_not_trusted() {
    let mut record = Truth::of(plan(60.0, 25.0, 2, 12)).record();
    for (index, minute) in record.minutes.iter_mut().enumerate() {
        minute.cpu_percent = Some(if index / 360 % 2 == 0 { 15.0 } else { 55.0 });
    }
    let back_test = back_test_cpu(&record, model()).unwrap();
    assert_eq!(back_test.grade(), Grade::NotTrusted(Cause::CpuModel), "{back_test:#?}");
}

#[test]
fn a_good_line_is_trusted_where_the_trigger_can_not_be_replayed() {
    let record = Truth::of(plan(60.0, 25.0, 2, 12)).record();
    let back_test = back_test_cpu(&record, model()).unwrap();
    assert!(back_test.counts.is_none() && back_test.cpu_distance < 2.0);
    assert_eq!(back_test.grade(), Grade::Good, "{back_test:#?}");
}

#[test]
fn a_deployment_in_the_record_is_part_of_the_replay() {
    let plan = plan(60.0, 25.0, 2, 12);
    let deployment = Deployment {
        start: start() + Minutes(3200),
        end: start() + Minutes(3225),
        extra: Instances(6),
        extra_cpu_percent: 8.0,
    };
    let course = Course::new(vec![], vec![deployment]).unwrap();
    let back_test = tested(&Truth { course, ..Truth::of(plan.clone()) }.record(), &plan).back_test;
    assert_eq!((back_test.deploying, back_test.grade()), (25, Grade::Good), "{back_test:#?}");
}

#[test]
fn gaps_in_the_record_are_not_compared_and_do_no_harm() {
    let plan = plan(60.0, 25.0, 2, 12);
    let mut record = Truth::of(plan.clone()).record();
    for minute in 2500..2540 {
        record.minutes[minute] = RecordedMinute::default();
    }
    let back_test = tested(&record, &plan).back_test;
    assert!(back_test.grade() == Grade::Good && back_test.minutes == 2120, "{back_test:#?}");
}

#[test]
fn a_record_of_nothing_is_no_back_test() {
    let minutes = vec![RecordedMinute::default(); 50];
    let record = Record { start: start(), minutes, cpu_ceiling: CpuPercent::new(100.0).unwrap() };
    let plan = plan(60.0, 25.0, 2, 12);
    assert_eq!(
        back_test(
            &record,
            model(),
            &plan,
            &Course::default(),
            Dynamics::default(),
            Free { launch: false, ..Free::ALL }
        ),
        None
    );
    assert_eq!(back_test_cpu(&record, model()), None);
}

fn minutes(counts: &[(usize, f64)], requests: impl Fn(usize) -> f64) -> Vec<RecordedMinute> {
    let counts = counts.iter().flat_map(|(minutes, count)| vec![*count; *minutes]);
    let minute = |(index, count)| RecordedMinute {
        in_service: Some(count),
        cpu_percent: Some(20.0),
        requests: Some(requests(index)),
    };
    counts.enumerate().map(minute).collect()
}

#[test]
fn a_jump_of_instances_without_one_of_requests_that_goes_back_is_a_deployment() {
    let seen = deployments(start(), &minutes(&[(10, 4.0), (10, 8.0), (10, 4.0)], |_| 8_000.0), 1);
    let deployment = &seen[0];
    assert_eq!(seen.len(), 1);
    assert_eq!((deployment.start, deployment.end), (start() + Minutes(10), start() + Minutes(20)));
    assert_eq!(deployment.extra, Instances(4));
}

#[test]
fn other_jumps_are_no_deployments() {
    let steady = |_| 8_000.0;
    let surge = |minute: usize| if (10..20).contains(&minute) { 16_000.0 } else { 8_000.0 };
    let cases = [
        minutes(&[(10, 4.0), (10, 8.0), (10, 4.0)], surge),
        minutes(&[(10, 4.0), (10, 5.0), (10, 4.0)], steady),
        minutes(&[(10, 4.0), (20, 8.0)], steady),
        minutes(&[(10, 4.0), (200, 8.0), (10, 4.0)], steady),
    ];
    for case in cases {
        assert_eq!(deployments(start(), &case, 1), [], "{case:?}");
    }
    // A policy that makes such steps itself.
    assert_eq!(deployments(start(), &minutes(&[(10, 4.0), (10, 8.0), (10, 4.0)], steady), 4), []);
}

#[test]
fn other_settings_are_replayed_with_the_strays_of_quiet_minutes_only() {
    let plan = plan(60.0, 25.0, 2, 12);
    let truth = Truth::of(plan.clone());
    let (record, rows) = (truth.record(), truth.rows());
    let found = strays(&record, model(), Minutes(5), plan.largest_step(), &traffic());
    // Instances show CPU in steps of 1/1024 %.
    let half_a_step = 0.5 / 1024.0;
    let mut quiet = 0;
    for (minute, stray) in found.iter().enumerate() {
        let recent = &rows[minute.saturating_sub(5)..=minute];
        let settled = recent.windows(2).all(|pair| pair[0].in_service == pair[1].in_service);
        let expected = if settled { strays_made()[minute] } else { 0.0 };
        assert!(
            (stray - expected).abs() <= half_a_step + 1e-9 || rows[minute].serving != rows[minute].in_service,
            "minute {minute}"
        );
        quiet += usize::from(settled);
    }
    assert!(quiet > 3_500 && quiet < 4_320, "{quiet}");
}

const EXACT: BackTest = BackTest {
    minutes: 1_000,
    saturated: 0,
    deploying: 0,
    counts: Some(Counts {
        hours_bias: 0.0,
        mape: 0.0,
        exact: 1.0,
        recorded_events: 10,
        replayed_events: 10,
        matched_events: 10,
        outside_limits: 0,
        large_jumps: 0,
    }),
    mean_cpu_error: 0.0,
    cpu_distance: 0.0,
    peak_cpu_error: 0.0,
    peak_cpu_percent: 60.0,
    line_distance: 0.5,
};

/// The same with other counts of instances.
fn counted(change: impl Fn(&mut Counts)) -> BackTest {
    let mut back_test = EXACT;
    back_test.counts.iter_mut().for_each(change);
    back_test
}

#[test]
fn each_error_alone_takes_trust_away() {
    let worse: [&dyn Fn(f64) -> BackTest; 6] = [
        &|by| BackTest { cpu_distance: 4.0 * by, ..EXACT },
        &|by| BackTest { peak_cpu_error: -4.0 * by, ..EXACT },
        &|by| counted(|counts| counts.hours_bias = -0.04 * by),
        &|by| counted(|counts| counts.mape = 0.08 * by),
        &|by| counted(|counts| counts.exact = 1.0 - 0.2 * by),
        &|by| counted(|counts| counts.matched_events = 10 - (1.5 * by).ceil() as u32),
    ];
    for (index, of) in worse.iter().enumerate() {
        let grades = [0.5, 1.0, 1.6].map(|by| of(by).grade());
        assert_eq!(grades, [Grade::Good, Grade::Fair, Grade::NotTrusted(Cause::OtherTimes)], "{index}");
    }
    // Of a group that hardly works, points say little.
    let idle = |cpu_distance| BackTest { peak_cpu_percent: 8.0, cpu_distance, ..EXACT }.grade();
    assert_eq!([1.0, 1.9].map(idle), [Grade::Good, Grade::Fair]);
}

#[test]
fn the_likeliest_cause_is_the_one_that_explains_the_most() {
    let cause = |back_test: BackTest| {
        let grade = BackTest { cpu_distance: 20.0, ..back_test }.grade();
        let Grade::NotTrusted(cause) = grade else { panic!("{grade:?}") };
        cause
    };
    let moved = |outside_limits, large_jumps| {
        counted(|counts| (counts.outside_limits, counts.large_jumps) = (outside_limits, large_jumps))
    };
    assert_eq!(cause(EXACT), Cause::OtherTimes);
    assert_eq!(cause(BackTest { line_distance: 5.1, ..EXACT }), Cause::CpuModel);
    assert_eq!(cause(BackTest { counts: None, ..EXACT }), Cause::CpuModel);
    assert_eq!(cause(BackTest { line_distance: 5.1, ..moved(0, 2) }), Cause::LargeJumps);
    assert_eq!([moved(10, 1), moved(11, 2)].map(cause), [Cause::OtherTimes, Cause::OutsideLimits]);
    assert_eq!(cause(BackTest { saturated: 51, ..moved(11, 2) }), Cause::Saturated);
    assert_eq!(cause(BackTest { saturated: 50, ..moved(11, 2) }), Cause::OutsideLimits);
}
