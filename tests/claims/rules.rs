//! AWS's rules, one test each, named after the rule.

use scaling::adjustment::Adjustment;
use scaling::alarm::AlarmRule;
use scaling::course::{CapacityChange, Course, CourseError, Deployment};
use scaling::credits::{BurstableSize, Credits, Mode, SIZES};
use scaling::dynamics::{Booting, Dynamics, Monitoring};
use scaling::plan::{Alarm, Measure, Plan, Rule, Side, Simple, Step, StepAdjustment, TargetTracking};
use scaling::policy::{Group, PolicyError};
use scaling::reference::{Decision, Row, Scenario, replay};
use scaling::simulate::{Outcome, Question, simulate};
use scaling::traffic::Load;
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds};

fn percent(value: f64) -> CpuPercent {
    CpuPercent::new(value).unwrap()
}

fn alarm(threshold: f64, side: Side, period: u32, points: usize) -> Alarm {
    Alarm { threshold, side, period: Minutes(period), rule: AlarmRule::beanstalk(points) }
}

fn simple(upper: f64, on_high: Adjustment, lower: f64, on_low: Adjustment) -> Rule {
    let (high, low) = (alarm(upper, Side::Above, 1, 1), alarm(lower, Side::Below, 1, 1));
    Rule::Simple(Simple { high, on_high, low, on_low })
}

fn group(min: u32, max: u32, cooldown: u32) -> Group {
    Group { min_size: Instances(min), max_size: Instances(max), cooldown: Seconds(cooldown) }
}

fn scenario(rule: Rule, group: Group, initial: u32) -> Scenario {
    Scenario {
        plan: Plan { rule, group, measure: Measure::CpuUtilization },
        dynamics: Dynamics { booting: Booting::LeftOut, ..Dynamics::default() },
        course: Course::default(),
        initial: Instances(initial),
    }
}

fn load(steps: &[(usize, f64)]) -> Load {
    Load {
        start: MinuteUtc::new(0).unwrap(),
        intercept_percent: 0.0,
        coefficient: 0.01,
        demand_percent: steps.iter().flat_map(|&(minutes, demand)| vec![demand; minutes]).collect(),
        stray_percent: vec![],
    }
}

/// Replays, and holds the fast replay to the same sums.
fn rows(load: &Load, scenario: &Scenario) -> Vec<Row> {
    let rows = replay(load, scenario);
    let fast = simulate(load, scenario, Question::whatever_it_takes(percent(50.0)));
    assert_eq!(fast, Some(Outcome::of(&rows, percent(50.0))));
    rows
}

/// Minute, capacity before and after.
fn moves(rows: &[Row]) -> Vec<(usize, u32, u32)> {
    let moved = |(minute, row): (usize, &Row)| match row.decision {
        Decision::ScaleOut { from, to } | Decision::ScaleIn { from, to } => Some((minute, from.0, to.0)),
        _ => None,
    };
    rows.iter().enumerate().filter_map(moved).collect()
}

const UP: Adjustment = Adjustment::ChangeInCapacity(1);
const DOWN: Adjustment = Adjustment::ChangeInCapacity(-1);

/// What was decided in the last minute under a load that lasts.
fn decided_at_last(group: Group, initial: u32, percent_of_one: f64, on_high: Adjustment) -> Decision {
    let scenario = scenario(simple(60.0, on_high, 20.0, DOWN), group, initial);
    let rows = rows(&load(&[(30, percent_of_one)]), &scenario);
    rows[rows.len() - 1].decision
}

#[test]
fn where_nothing_can_change_it_is_told_why() {
    let nothing = Adjustment::ChangeInCapacity(0);
    assert_eq!(decided_at_last(group(1, 3, 0), 2, 900.0, UP), Decision::AtMaxSize);
    assert_eq!(decided_at_last(group(1, 3, 0), 2, 1.0, UP), Decision::AtMinSize);
    for size in [1, 3] {
        assert_eq!(decided_at_last(group(size, size, 0), size, 900.0, UP), Decision::AtMaxSize);
        assert_eq!(decided_at_last(group(size, size, 0), size, 1.0, UP), Decision::AtMinSize);
        let capacity = Instances(size);
        let decided = decided_at_last(group(size, size, 0), size, 900.0, nothing);
        assert_eq!(decided, Decision::NoChange { capacity });
    }
    assert_eq!(decided_at_last(group(1, 3, 0), 2, 80.0, UP), Decision::NoBreach);
}

#[test]
fn a_percent_change_is_rounded_as_ec2_documents_it() {
    let share = |percent, min_magnitude| Adjustment::PercentChangeInCapacity { percent, min_magnitude };
    // Above 1 down to the integer, between 0 and 1 to 1, between -1 and 0 to -1, below -1 towards zero.
    let cases = [(12.7, 112), (0.5, 101), (-0.5, 99), (-6.67, 94), (25.0, 125), (0.0, 100)];
    for (percent, expected) in cases {
        assert_eq!(share(percent, 0).apply(100), expected, "{percent} %");
    }
    // 25 % of 4 is 1, with a magnitude of 2 it is 2.
    assert_eq!((share(25.0, 0).apply(4), share(25.0, 2).apply(4), share(-25.0, 2).apply(4)), (5, 6, 2));
    assert_eq!(share(-500.0, 0).apply(4), 0);
}

#[test]
fn a_clamped_change_is_applied_in_part() {
    let up_three = simple(70.0, Adjustment::ChangeInCapacity(3), 20.0, DOWN);
    assert_eq!(moves(&rows(&load(&[(20, 300.0)]), &scenario(up_three, group(2, 3, 0), 2))), [(2, 2, 3)]);
    let down_two = simple(70.0, UP, 20.0, Adjustment::ChangeInCapacity(-2));
    assert_eq!(moves(&rows(&load(&[(20, 10.0)]), &scenario(down_two, group(2, 9, 0), 3))), [(2, 3, 2)]);
}

#[test]
fn an_exact_capacity_is_taken_whatever_there_is() {
    let exact = simple(70.0, Adjustment::ExactCapacity(5), 20.0, Adjustment::ExactCapacity(2));
    let rows = rows(&load(&[(20, 300.0), (20, 10.0)]), &scenario(exact, group(1, 9, 60), 3));
    assert_eq!(moves(&rows), [(2, 3, 5), (22, 5, 2)]);
}

#[test]
fn a_positive_scale_in_increment_adds_instances() {
    let mistaken = simple(70.0, UP, 20.0, UP);
    let rows = rows(&load(&[(12, 10.0)]), &scenario(mistaken, group(1, 3, 0), 1));
    assert_eq!(moves(&rows), [(2, 1, 2), (3, 2, 3)]);
}

#[test]
fn a_request_in_the_cooldown_is_dropped_and_not_queued() {
    let one = simple(70.0, UP, 20.0, DOWN);
    // The breach is over before the cooldown is.
    let rows = rows(&load(&[(5, 300.0), (30, 120.0)]), &scenario(one, group(2, 9, 600), 2));
    assert_eq!(moves(&rows), [(2, 2, 3)]);
    assert!(rows.iter().any(|row| matches!(row.decision, Decision::Cooldown { .. })));
}

#[test]
fn an_activity_refuses_requests_even_without_a_cooldown() {
    let mut slow = scenario(simple(70.0, UP, 20.0, DOWN), group(1, 9, 0), 1);
    slow.dynamics.launch = Minutes(4);
    let rows = rows(&load(&[(20, 900.0)]), &slow);
    assert_eq!(moves(&rows)[..3], [(2, 1, 2), (6, 2, 3), (10, 3, 4)]);
    assert!(matches!(rows[3].decision, Decision::ActivityInProgress { .. }));
}

#[test]
fn datapoints_to_alarm_need_not_follow_each_other() {
    let mut two_of_three = alarm(70.0, Side::Above, 1, 3);
    two_of_three.rule.datapoints_to_alarm = 2;
    let rule = Rule::Simple(Simple {
        high: two_of_three,
        on_high: UP,
        low: alarm(5.0, Side::Below, 1, 1),
        on_low: DOWN,
    });
    let peaks = load(&[(3, 50.0), (1, 90.0), (1, 50.0), (1, 90.0), (4, 50.0)]);
    assert_eq!(moves(&rows(&peaks, &scenario(rule, group(1, 9, 600), 1))), [(7, 1, 2)]);
}

#[test]
fn with_both_alarms_up_scale_out_wins() {
    // Windows of their own: the long one still breaches low while the short one breaches high.
    let (high, low) = (alarm(70.0, Side::Above, 1, 1), alarm(60.0, Side::Below, 10, 1));
    let rule = Rule::Simple(Simple { high, on_high: UP, low, on_low: DOWN });
    let rows = rows(&load(&[(11, 40.0), (3, 100.0)]), &scenario(rule, group(1, 9, 600), 1));
    let both =
        rows.iter().find(|row| row.high == row.low && row.high == scaling::alarm::AlarmState::Alarm).unwrap();
    assert_eq!(both.decision, Decision::ScaleOut { from: Instances(1), to: Instances(2) });
}

#[test]
fn a_breach_lasts_through_missing_points_until_the_range_is_past() {
    let three = Rule::Simple(Simple {
        high: alarm(70.0, Side::Above, 1, 3),
        on_high: UP,
        low: alarm(5.0, Side::Below, 1, 3),
        on_low: DOWN,
    });
    let rows = rows(&load(&[(4, 90.0), (20, f64::NAN)]), &scenario(three, group(1, 1, 0), 1));
    let alarm: Vec<usize> =
        (0..rows.len()).filter(|minute| rows[*minute].high == scaling::alarm::AlarmState::Alarm).collect();
    // Three real breaches at minute 4; real ones stay within the five points looked at until minute 8, and the
    // oldest of them still lies three points back. From minute 9 nothing is known.
    assert_eq!(alarm, (4..=9).collect::<Vec<_>>());
    assert_eq!(rows[10].decision, Decision::InsufficientData);
}

#[test]
fn steps_grow_with_the_distance_from_the_threshold() {
    // EC2's example: 10 instances, +10 % from 60, +30 % from 70; -10 % from 40, -30 % from 30.
    let share = |percent| Adjustment::PercentChangeInCapacity { percent, min_magnitude: 0 };
    let bound = |lower_bound, upper_bound, percent| StepAdjustment {
        lower_bound,
        upper_bound,
        adjustment: share(percent),
    };
    let step = Step {
        high: alarm(59.9, Side::Above, 1, 1),
        on_high: vec![bound(Some(0.0), Some(10.1), 10.0), bound(Some(10.1), None, 30.0)],
        low: alarm(40.1, Side::Below, 1, 1),
        on_low: vec![bound(Some(-10.1), Some(0.0), -10.0), bound(None, Some(-10.1), -30.0)],
        warm_up: Minutes(2),
    };
    let mut scenario = scenario(Rule::Step(step), group(1, 20, 0), 10);
    scenario.dynamics.boot = Minutes(0);
    scenario.dynamics.launch = Minutes(0);
    // Each stretch asks for what the example's group then has: 65 % of 10, 75 % of 11, 35 % of 14, 25 % of 13;
    // a first breach acts two minutes later, and 50 % in between lets it rest.
    let at = |cpu: f64, instances: f64| cpu * instances;
    let load = load(&[
        (3, at(50.0, 10.0)),
        (1, at(65.0, 10.0)),
        (8, at(50.0, 11.0)),
        (1, at(75.0, 11.0)),
        (8, at(50.0, 14.0)),
        (1, at(35.0, 14.0)),
        (8, at(50.0, 13.0)),
        (1, at(25.0, 13.0)),
        (1, at(50.0, 13.0)),
        (7, at(50.0, 10.0)),
    ]);
    let capacities: Vec<(u32, u32)> =
        moves(&rows(&load, &scenario)).iter().map(|(_, from, to)| (*from, *to)).collect();
    assert_eq!(capacities, [(10, 11), (11, 14), (14, 13), (13, 10)]);
}

#[test]
fn a_breach_that_lasts_in_one_step_is_one_activity_and_a_higher_step_adds_the_difference() {
    let up = |lower_bound, upper_bound, count| StepAdjustment {
        lower_bound,
        upper_bound,
        adjustment: Adjustment::ChangeInCapacity(count),
    };
    let step = Step {
        high: alarm(60.0, Side::Above, 1, 1),
        on_high: vec![up(Some(0.0), Some(20.0), 1), up(Some(20.0), None, 3)],
        low: alarm(5.0, Side::Below, 1, 1),
        on_low: vec![StepAdjustment { lower_bound: None, upper_bound: Some(0.0), adjustment: DOWN }],
        warm_up: Minutes(20),
    };
    let mut scenario = scenario(Rule::Step(step), group(1, 20, 0), 4);
    scenario.dynamics.boot = Minutes(30);
    let rows = rows(&load(&[(8, 280.0), (8, 360.0)]), &scenario);
    assert_eq!(moves(&rows), [(2, 4, 5), (10, 5, 7)]);
}

#[test]
fn target_tracking_scales_in_one_instance_a_minute() {
    let rule = Rule::TargetTracking(TargetTracking::cpu(percent(40.0), Minutes(5)));
    let rows = rows(&load(&[(30, 60.0)]), &scenario(rule, group(1, 9, 360), 6));
    assert_eq!(moves(&rows)[..4], [(16, 6, 5), (17, 5, 4), (18, 4, 3), (19, 3, 2)]);
}

fn change(at: i64, min: Option<u32>, max: Option<u32>, desired: Option<u32>) -> CapacityChange {
    CapacityChange {
        at: MinuteUtc::new(at).unwrap(),
        min_size: min.map(Instances),
        max_size: max.map(Instances),
        desired_capacity: desired.map(Instances),
    }
}

#[test]
fn a_raised_minimum_raises_capacity_at_once_and_starts_a_cooldown() {
    let mut scenario = scenario(simple(70.0, UP, 5.0, DOWN), group(1, 9, 360), 1);
    scenario.course = Course::new(vec![change(5, Some(3), None, None)], vec![]).unwrap();
    let rows = rows(&load(&[(4, 50.0), (20, 300.0)]), &scenario);
    assert_eq!(rows[5].scheduled, Some((Instances(1), Instances(3))));
    // The alarm of minute 6 finds the group resting until minute 12.
    assert!(matches!(rows[6].decision, Decision::ActivityInProgress { .. } | Decision::Cooldown { .. }));
    assert_eq!(moves(&rows)[0].0, 12);
}

#[test]
fn a_scheduled_action_waits_for_no_cooldown_and_its_end_restores_nothing() {
    let mut scenario = scenario(simple(70.0, UP, 5.0, DOWN), group(1, 9, 3600), 1);
    scenario.course =
        Course::new(vec![change(4, None, None, Some(5)), change(10, Some(1), Some(4), None)], vec![])
            .unwrap();
    let rows = rows(&load(&[(30, 100.0)]), &scenario);
    assert_eq!(moves(&rows), [(2, 1, 2)]);
    assert_eq!(rows[4].scheduled, Some((Instances(2), Instances(5))));
    assert_eq!(rows[10].scheduled, Some((Instances(5), Instances(4))));
    assert_eq!(rows[29].desired, Instances(4));
}

#[test]
fn a_group_that_is_put_to_sleep_is_billed_until_drained_and_serves_once_it_has_booted() {
    let asleep_from_2 = change(2, Some(0), Some(0), Some(0));
    let awake_from_6 = change(6, Some(1), Some(4), None);
    let mut scenario = scenario(simple(70.0, UP, 5.0, DOWN), group(1, 4, 360), 2);
    scenario.dynamics =
        Dynamics { launch: Minutes(1), boot: Minutes(2), drain: Minutes(1), ..scenario.dynamics };
    scenario.course = Course::new(vec![asleep_from_2, awake_from_6], vec![]).unwrap();
    let rows = rows(&load(&[(12, 40.0)]), &scenario);
    let billed: Vec<u32> = rows.iter().map(|row| row.billed.0).collect();
    assert_eq!(billed, [2, 2, 2, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
    let known: Vec<usize> = (0..12).filter(|minute| rows[*minute].cpu_percent.is_some()).collect();
    assert_eq!(known, [0, 1, 9, 10, 11]);
}

#[test]
fn a_group_whose_last_instance_an_alarm_may_take_is_not_simulated() {
    let refused = Course::new(vec![change(4, Some(0), None, Some(1))], vec![]).unwrap_err();
    assert_eq!(refused, CourseError::MayComeToNothing(MinuteUtc::new(4).unwrap()));
}

#[test]
fn a_deployment_with_an_extra_batch_serves_and_is_billed_beside_the_group() {
    let mut scenario = scenario(simple(70.0, UP, 5.0, DOWN), group(2, 9, 360), 2);
    let deployment = Deployment {
        start: MinuteUtc::new(5).unwrap(),
        end: MinuteUtc::new(8).unwrap(),
        extra: Instances(2),
        extra_cpu_percent: 15.0,
    };
    scenario.course = Course::new(vec![], vec![deployment]).unwrap();
    let rows = rows(&load(&[(12, 80.0)]), &scenario);
    let seen = |minute: usize| {
        (rows[minute].desired.0, rows[minute].serving.0, rows[minute].billed.0, rows[minute].cpu_percent)
    };
    assert_eq!(seen(4), (2, 2, 2, Some(40.0)));
    assert_eq!(seen(5), (2, 4, 4, Some(35.0)));
    assert_eq!(seen(8), (2, 2, 2, Some(40.0)));
}

#[test]
fn a_cpu_ceiling_hides_the_overload_and_a_threshold_above_it_never_fires() {
    let mut scenario = scenario(simple(30.0, UP, 5.0, DOWN), group(1, 9, 0), 1);
    scenario.dynamics.cpu_ceiling = percent(25.0);
    let rows = rows(&load(&[(20, 300.0)]), &scenario);
    assert!(rows.iter().all(|row| row.cpu_percent == Some(25.0)) && moves(&rows).is_empty());
}

#[test]
fn every_burstable_size_earns_its_baseline() {
    // Percent of each vCPU, from the guide's table.
    let baselines = [
        ("nano", 5.0),
        ("micro", 10.0),
        ("small", 20.0),
        ("medium", 20.0),
        ("large", 30.0),
        ("xlarge", 40.0),
        ("2xlarge", 40.0),
    ];
    for size in SIZES {
        let (family, name) = size.instance_type.split_once('.').unwrap();
        let per_vcpu = match (family, name) {
            ("t2", "xlarge") => 22.5,
            ("t2", "2xlarge") => 17.0,
            _ => baselines.iter().find(|(suffix, _)| *suffix == name).unwrap().1,
        };
        assert!((size.baseline_percent() - per_vcpu).abs() < 1e-9, "{}", size.instance_type);
    }
    assert_eq!(BurstableSize::named("m5.large"), None);
}

fn on_credits(instance_type: &str, mode: Mode, balance: f64) -> Scenario {
    let mut scenario = scenario(simple(90.0, UP, 1.0, DOWN), group(1, 9, 0), 1);
    let size = BurstableSize::named(instance_type).unwrap();
    scenario.dynamics.credits = Some(Credits { size, mode, initial_balance: balance });
    scenario
}

#[test]
fn without_credits_a_standard_instance_falls_to_its_baseline_and_is_counted_as_overloaded() {
    // A t3.small earns 0.4 credits a minute and spends 1 at 50 %: six credits last ten minutes.
    let rows = rows(&load(&[(20, 50.0)]), &on_credits("t3.small", Mode::Standard, 6.0));
    let cpu = |minute: usize| rows[minute].cpu_percent.unwrap();
    assert!((cpu(9) - 50.0).abs() < 1e-9 && (cpu(11) - 20.0).abs() < 1e-9, "{} {}", cpu(9), cpu(11));
    let outcome = Outcome::of(&rows, percent(90.0));
    assert_eq!((outcome.minutes_throttled, outcome.minutes_over), (10, 10));
}

#[test]
fn without_credits_an_unlimited_instance_goes_on_and_owes() {
    let rows = rows(&load(&[(20, 50.0)]), &on_credits("t3.small", Mode::Unlimited, 6.0));
    assert!(rows.iter().all(|row| row.cpu_percent == Some(50.0)));
    let outcome = Outcome::of(&rows, percent(90.0));
    assert!((outcome.surplus_credits - 6.0).abs() < 1e-9 && outcome.minutes_throttled == 0, "{outcome:?}");
}

#[test]
fn only_t2_in_standard_mode_starts_with_launch_credits() {
    let at_launch = |name: &str, mode| BurstableSize::named(name).unwrap().launch_credits(mode);
    let cases =
        [("t2.medium", Mode::Standard), ("t2.medium", Mode::Unlimited), ("t3.medium", Mode::Standard)];
    let credits = cases.map(|(name, mode)| at_launch(name, mode).to_string());
    assert_eq!(credits, ["60", "0", "0"]);
    assert_eq!(BurstableSize::named("t2.small").unwrap().default_mode(), Mode::Standard);
    assert_eq!(BurstableSize::named("t4g.small").unwrap().default_mode(), Mode::Unlimited);
}

#[test]
fn a_trigger_on_requests_sees_the_whole_environment_whatever_its_size() {
    // 0.01 % a request: 60 % is 6000 requests a minute.
    let mut scenario = scenario(simple(5_000.0, UP, 100.0, DOWN), group(1, 4, 60), 1);
    scenario.plan.measure = Measure::RequestCount;
    let rows = rows(&load(&[(20, 60.0)]), &scenario);
    assert_eq!(rows[0].measure, Some(6_000.0));
    assert_eq!(moves(&rows).last().unwrap().2, 4, "more instances do not make the sum smaller");
}

#[test]
fn a_trigger_on_a_line_sees_what_one_instance_serves() {
    let mut scenario = scenario(simple(0.5, UP, 0.01, DOWN), group(1, 9, 360), 1);
    scenario.plan.measure = Measure::Line { intercept: 0.1, per_request: 0.0001 };
    let rows = rows(&load(&[(30, 80.0)]), &scenario);
    // 8000 requests on one instance are 0.9 s, on two 0.5 s, which is not over it.
    assert_eq!(moves(&rows), [(3, 1, 2)]);
    assert_eq!(rows[29].measure, Some(0.5));
}

#[test]
fn what_a_load_balancer_reports_comes_by_the_minute_and_by_a_delay_of_its_own() {
    let line = Measure::Line { intercept: 0.0, per_request: 1.0 };
    let first_out = |measure, monitoring, [cpu_delay, balancer_delay]: [u32; 2]| {
        // 6000 requests a minute from minute 6 on: each measure has its own unit.
        let upper = if measure == Measure::CpuUtilization { 50.0 } else { 5_000.0 };
        let mut scenario = scenario(simple(upper, UP, -1.0, DOWN), group(1, 4, 3_600), 1);
        let (metric_delay, balancer_delay) = (Minutes(cpu_delay), Minutes(balancer_delay));
        scenario.plan.measure = measure;
        scenario.dynamics = Dynamics { monitoring, metric_delay, balancer_delay, ..scenario.dynamics };
        moves(&rows(&load(&[(6, 10.0), (30, 60.0)]), &scenario))[0].0
    };
    for measure in [Measure::RequestCount, line] {
        for monitoring in [Monitoring::Detailed, Monitoring::Basic] {
            let at = [[1, 0], [1, 2], [4, 2]].map(|delays| first_out(measure, monitoring, delays));
            assert_eq!(at, [7, 9, 9], "{measure:?}, {monitoring:?}");
        }
    }
    let cpu = |monitoring| {
        [[1, 0], [1, 2], [4, 2]].map(|delays| first_out(Measure::CpuUtilization, monitoring, delays))
    };
    assert_eq!((cpu(Monitoring::Detailed), cpu(Monitoring::Basic)), ([8, 8, 11], [11, 11, 14]));
}

fn refusal(rule: Rule, group: Group) -> PolicyError {
    Plan { rule, group, measure: Measure::CpuUtilization }.check().unwrap_err()
}

#[test]
fn a_policy_that_aws_would_refuse_is_refused_with_its_reason() {
    let some = group(1, 4, 360);
    let bound = |lower_bound, upper_bound| StepAdjustment { lower_bound, upper_bound, adjustment: UP };
    let step = |on_high: Vec<StepAdjustment>| {
        Rule::Step(Step {
            high: alarm(60.0, Side::Above, 1, 1),
            on_high,
            low: alarm(5.0, Side::Below, 1, 1),
            on_low: vec![bound(None, Some(0.0))],
            warm_up: Minutes(5),
        })
    };
    let gap = vec![bound(Some(0.0), Some(10.0)), bound(Some(20.0), None)];
    let overlap = vec![bound(Some(0.0), Some(20.0)), bound(Some(10.0), None)];
    let two_open_ends = vec![bound(Some(0.0), None), bound(Some(10.0), None)];
    for steps in [gap, overlap, two_open_ends, vec![]] {
        let refused = refusal(step(steps), some).to_string();
        assert!(
            refused.starts_with("`StepAdjustments` must be one or more intervals without gaps or overlaps"),
            "{refused}"
        );
    }
    let mut none_of_one = alarm(60.0, Side::Above, 1, 1);
    none_of_one.rule.datapoints_to_alarm = 2;
    let rule = Rule::Simple(Simple {
        high: none_of_one,
        on_high: UP,
        low: alarm(5.0, Side::Below, 1, 1),
        on_low: DOWN,
    });
    assert!(
        refusal(rule, some).to_string().starts_with("`DatapointsToAlarm` must be 1 to EvaluationPeriods")
    );
    let valid = simple(60.0, UP, 5.0, DOWN);
    assert!(refusal(valid.clone(), group(5, 4, 0)).to_string().contains("`MinSize` 5 is over `MaxSize` 4"));
    assert!(Plan { rule: valid, group: some, measure: Measure::CpuUtilization }.check().is_ok());
}

#[test]
fn swapped_thresholds_end_like_any_other_replay() {
    let swapped = simple(20.0, UP, 70.0, DOWN);
    let rows = rows(&load(&[(500, 90.0)]), &scenario(swapped, group(1, 9, 0), 1));
    assert_eq!(rows.len(), 500);
}

#[test]
fn a_trace_of_which_nothing_could_come_is_refused() {
    let refusal = |load: &Load, window| load.check(Minutes(window)).unwrap_err().to_string();
    assert_eq!(refusal(&load(&[]), 1), "of the 0 minutes of the trace no requests are known");
    assert_eq!(refusal(&load(&[(9, f64::NAN)]), 1), "of the 9 minutes of the trace no requests are known");
    assert_eq!(
        refusal(&load(&[(4, 10.0)]), 5),
        "the trace of 4 minutes is shorter than the 5 min that the alarm looks at"
    );
    assert!(load(&[(5, 10.0)]).check(Minutes(5)).is_ok());
}

#[test]
fn o07_equal_thresholds_zigzag_at_the_least_noise_and_are_refused_as_a_policy() {
    // 9000 requests at 0.02 % are 60 % on three instances: neither over nor under.
    let zigzag = simple(60.0, UP, 60.0, DOWN);
    let mut steady = load(&[(240, 180.0)]);
    assert!(moves(&rows(&steady, &scenario(zigzag.clone(), group(2, 6, 300), 3))).is_empty());
    steady.stray_percent = (0..240).map(|minute| if minute % 3 == 0 { 0.6 } else { -0.6 }).collect();
    let capacities: Vec<u32> =
        moves(&rows(&steady, &scenario(zigzag, group(2, 6, 300), 3))).iter().map(|(.., to)| *to).collect();
    assert!(capacities.len() > 20, "{capacities:?}");
    let turns = capacities.windows(3).filter(|w| (w[1] > w[0]) != (w[2] > w[1])).count();
    assert!(turns > capacities.len() / 2, "{capacities:?}");
}
