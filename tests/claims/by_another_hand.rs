//! Small cases worked out from AWS's documents alone, by someone who had not read the replay: what two replays that
//! share a misreading can't tell each other.
//!
//! Where nothing else is said: one instance at first, alarms of one point of one minute that see it a minute after its
//! end (at minute t the newest is t - 2), a launch of a minute, a boot of three at 10 %, a cooldown of 360 s.

use scaling::adjustment::Adjustment;
use scaling::alarm::{AlarmRule, AlarmState, Breach, MissingData};
use scaling::course::{CapacityChange, Course};
use scaling::credits::{BurstableSize, Credits, Mode};
use scaling::dynamics::{Booting, Dynamics, GroupAverage, Monitoring};
use scaling::plan::{Alarm, Measure, Plan, Rule, Side, Simple, Step, StepAdjustment, TargetTracking};
use scaling::policy::Group;
use scaling::reference::{Decision, Row, Scenario, replay};
use scaling::settings::Settings;
use scaling::simulate::{Outcome, Question, minutes, simulate};
use scaling::traffic::Load;
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds};

fn percent(value: f64) -> CpuPercent {
    CpuPercent::new(value).unwrap()
}

fn dynamics() -> Dynamics {
    Dynamics {
        monitoring: Monitoring::Detailed,
        metric_delay: Minutes(1),
        balancer_delay: Minutes(1),
        launch: Minutes(1),
        boot: Minutes(3),
        booting: Booting::Counted(percent(10.0)),
        drain: Minutes(1),
        group_average: GroupAverage::OfSamples,
        cpu_ceiling: percent(100.0),
        credits: None,
    }
}

fn alarm(threshold: f64, side: Side, (period, points): (u32, usize)) -> Alarm {
    Alarm { threshold, side, period: Minutes(period), rule: AlarmRule::beanstalk(points) }
}

/// Beanstalk's two alarms over windows of (period, evaluation periods), and its two policies.
fn trigger(upper: f64, lower: f64, window: (u32, usize), up: i32, down: i32) -> Rule {
    Rule::Simple(Simple {
        high: alarm(upper, Side::Above, window),
        on_high: Adjustment::ChangeInCapacity(up),
        low: alarm(lower, Side::Below, window),
        on_low: Adjustment::ChangeInCapacity(down),
    })
}

fn by_one(upper: f64, lower: f64, window: (u32, usize)) -> Rule {
    trigger(upper, lower, window, 1, -1)
}

/// Starts at its least size.
fn scenario(rule: Rule, (min, max): (u32, u32), cooldown: u32) -> Scenario {
    let group = Group { min_size: Instances(min), max_size: Instances(max), cooldown: Seconds(cooldown) };
    Scenario {
        plan: Plan { rule, group, measure: Measure::CpuUtilization },
        dynamics: dynamics(),
        course: Course::default(),
        initial: Instances(min),
    }
}

fn with(mut scenario: Scenario, change: impl FnOnce(&mut Dynamics)) -> Scenario {
    change(&mut scenario.dynamics);
    scenario
}

/// CPU percent that one instance would show if it served everything, for so many minutes each.
fn load(steps: &[(usize, f64)]) -> Load {
    Load {
        start: MinuteUtc::new(0).unwrap(),
        intercept_percent: 0.0,
        coefficient: 1.0,
        demand_percent: steps.iter().flat_map(|&(minutes, demand)| vec![demand; minutes]).collect(),
        stray_percent: vec![],
    }
}

/// By both replays.
fn rows(steps: &[(usize, f64)], scenario: &Scenario) -> Vec<Row> {
    let load = load(steps);
    let rows = replay(&load, scenario);
    let fast = simulate(&load, scenario, Question::whatever_it_takes(percent(50.0)));
    assert_eq!(fast, Some(Outcome::of(&rows, percent(50.0))));
    let sizes: Vec<_> = rows.iter().map(|row| row.desired).collect();
    assert_eq!(minutes(&load, scenario).iter().map(|minute| minute.desired).collect::<Vec<_>>(), sizes);
    rows
}

/// Each minute in which the desired capacity changed, and what it became.
fn sizes(steps: &[(usize, f64)], scenario: &Scenario) -> Vec<(usize, u32)> {
    let mut sizes = vec![];
    for (minute, row) in rows(steps, scenario).iter().enumerate() {
        if sizes.last().is_none_or(|&(_, size)| size != row.desired.0) {
            sizes.push((minute, row.desired.0));
        }
    }
    sizes
}

/// The minutes in which instances were added or removed, if any.
fn change_minutes(steps: &[(usize, f64)], scenario: &Scenario) -> Vec<usize> {
    sizes(steps, scenario).into_iter().skip(1).map(|(minute, _)| minute).collect()
}

fn change(at: i64) -> CapacityChange {
    let at = MinuteUtc::new(at).unwrap();
    CapacityChange { at, min_size: None, max_size: None, desired_capacity: None }
}

fn scheduled(scenario: Scenario, changes: Vec<CapacityChange>) -> Scenario {
    Scenario { course: Course::new(changes, vec![]).unwrap(), ..scenario }
}

/// More than any group here can serve: each serving instance shows 100 %, and a threshold of 25 is passed however
/// many boot beside it.
const TOO_MUCH: f64 = 1000.0;

#[test]
fn every_point_has_to_breach_not_their_mean() {
    // Minutes 2 to 4 average 73.3, but 4 is at 60. The first three in a row are 5, 6 and 7.
    let steps = [(2, 50.0), (2, 80.0), (1, 60.0), (30, 80.0)];
    assert_eq!(sizes(&steps, &scenario(by_one(70.0, 10.0, (1, 3)), (1, 4), 360)), [(0, 1), (9, 2)]);
}

#[test]
fn two_of_three_points_may_have_one_between_them_but_not_two() {
    let two_of_three = |threshold, side| Alarm {
        rule: AlarmRule { datapoints_to_alarm: 2, ..AlarmRule::beanstalk(3) },
        ..alarm(threshold, side, (1, 3))
    };
    let rule = Rule::Simple(Simple {
        high: two_of_three(70.0, Side::Above),
        on_high: Adjustment::ChangeInCapacity(1),
        low: two_of_three(10.0, Side::Below),
        on_low: Adjustment::ChangeInCapacity(-1),
    });
    let group = scenario(rule, (1, 2), 360);
    assert_eq!(change_minutes(&[(10, 50.0), (1, 80.0), (1, 60.0), (1, 80.0), (20, 60.0)], &group), [14]);
    assert_eq!(change_minutes(&[(10, 50.0), (1, 80.0), (2, 60.0), (1, 80.0), (20, 60.0)], &group), [0; 0]);
}

#[test]
fn a_value_on_a_threshold_breaches_neither() {
    let group = scenario(by_one(70.0, 20.0, (1, 1)), (1, 2), 360);
    assert_eq!(sizes(&[(60, 70.0)], &group), [(0, 1)]);
    // 20 each of two instances, from 6 on.
    assert_eq!(sizes(&[(6, 100.0), (54, 40.0)], &group), [(0, 1), (2, 2)]);
    // 19.5 each, seen at 8; the cooldown goes from 3 to 9.
    assert_eq!(sizes(&[(6, 100.0), (54, 39.0)], &group), [(0, 1), (2, 2), (9, 1)]);
}

#[test]
fn the_next_request_is_heard_a_launch_and_a_cooldown_after_the_last() {
    // Asked each minute; the cooldown begins where the launch ends.
    let cases = [
        (1, 0, [2, 3, 4]),
        (1, 60, [2, 4, 6]),
        (1, 61, [2, 5, 8]),
        (1, 300, [2, 8, 14]),
        (1, 301, [2, 9, 16]),
        (1, 360, [2, 9, 16]),
        (3, 0, [2, 5, 8]),
        (3, 360, [2, 11, 20]),
    ];
    for (launch, cooldown, expected) in cases {
        let group = scenario(by_one(25.0, 5.0, (1, 1)), (1, 4), cooldown);
        let group = with(group, |dynamics| dynamics.launch = Minutes(launch));
        let minutes = change_minutes(&[(40, TOO_MUCH)], &group);
        assert_eq!(minutes, expected, "launch {launch} min, cooldown {cooldown} s");
    }
}

#[test]
fn one_cooldown_holds_back_either_direction() {
    let steps = [(1, 100.0), (8, 10.0), (16, 100.0)];
    let group = scenario(by_one(70.0, 20.0, (1, 1)), (1, 4), 360);
    // Low from 3 on, heard at 2 + 7. High from 11 on, heard at 9 + 7.
    assert_eq!(sizes(&steps, &group), [(0, 1), (2, 2), (9, 1), (16, 2)]);
    // 2 + 14 + 7 + 18 wanted, and a minute of draining.
    assert_eq!(Outcome::of(&rows(&steps, &group), percent(50.0)).billed_instance_minutes, 42);
}

#[test]
fn the_cooldown_of_a_removal_begins_after_draining_which_is_billed() {
    let steps = [(1, 100.0), (8, 10.0), (16, 100.0)];
    let group = scenario(by_one(70.0, 20.0, (1, 1)), (1, 4), 360);
    let group = with(group, |dynamics| dynamics.drain = Minutes(5));
    // Removed at 9, gone at 14, rests to 20.
    assert_eq!(sizes(&steps, &group), [(0, 1), (2, 2), (9, 1), (20, 2)]);
    // 2 + 14 + 11 + 10 wanted, and five of draining.
    assert_eq!(Outcome::of(&rows(&steps, &group), percent(50.0)).billed_instance_minutes, 42);
}

#[test]
fn a_step_past_a_limit_is_cut_and_a_request_at_a_limit_starts_no_cooldown() {
    let steps = [(10, 200.0), (20, 10.0), (20, 200.0)];
    let group = scenario(trigger(70.0, 20.0, (1, 1), 3, -2), (2, 3), 360);
    // 2 + 3 is 3; 3 - 2 is 2. From 13 to 31 Low asks at the least size; High, seen at 32, does not wait for that.
    assert_eq!(sizes(&steps, &group), [(0, 2), (2, 3), (12, 2), (32, 3)]);
}

#[test]
fn several_instances_are_one_activity() {
    let group = scenario(trigger(25.0, 5.0, (1, 1), 2, -1), (1, 4), 360);
    assert_eq!(sizes(&[(40, TOO_MUCH)], &group), [(0, 1), (2, 3), (9, 4)]);
}

#[test]
fn windows_slide_by_the_minute_and_bins_of_basic_monitoring_follow_the_clock() {
    // 60 before, 85 from then on: three minutes of five make 75, two make exactly 70. Two windows: five minutes more.
    // Bins [10,15), [15,20), [20,25) are seen at 16, 21, 26; [10,15) breaches if 85 begins at 12 or before.
    let cases = [
        (10, [14, 19], [16, 21]),
        (11, [15, 20], [16, 21]),
        (12, [16, 21], [16, 21]),
        (13, [17, 22], [21, 26]),
        (14, [18, 23], [21, 26]),
    ];
    for (from, sliding, binned) in cases {
        for (monitoring, expected) in [(Monitoring::Detailed, sliding), (Monitoring::Basic, binned)] {
            for (points, minute) in [(1, expected[0]), (2, expected[1])] {
                let group = scenario(by_one(70.0, 10.0, (5, points)), (1, 2), 360);
                let group = with(group, |dynamics| dynamics.monitoring = monitoring);
                let steps = [(from, 60.0), (40, 85.0)];
                assert_eq!(
                    change_minutes(&steps, &group),
                    [minute],
                    "from {from}, {monitoring:?}, N {points}"
                );
                let later = with(group, |dynamics| dynamics.metric_delay = Minutes(2));
                assert_eq!(
                    change_minutes(&steps, &later),
                    [minute + 1],
                    "from {from}, {monitoring:?}, N {points}"
                );
            }
        }
    }
}

#[test]
fn the_metric_delay_is_the_whole_reaction_to_one_point_of_a_minute() {
    for delay in 0..4 {
        let group = scenario(by_one(70.0, 10.0, (1, 1)), (1, 2), 360);
        let group = with(group, |dynamics| dynamics.metric_delay = Minutes(delay));
        assert_eq!(change_minutes(&[(10, 60.0), (20, 85.0)], &group), [11 + delay as usize]);
    }
}

#[test]
fn the_same_minutes_breach_or_not_by_how_they_are_cut() {
    // 90, 60, 90, 60 … : two of each make 75; three make 80 or exactly 70, by turns.
    let steps: Vec<_> = [(1, 90.0), (1, 60.0)].into_iter().cycle().take(60).collect();
    let cases = [
        ((1, 1), Some(2)),
        ((1, 2), None),
        ((2, 1), Some(3)),
        ((2, 2), Some(5)),
        ((3, 1), Some(4)),
        ((3, 2), None),
        ((4, 1), Some(5)),
    ];
    for (window, expected) in cases {
        let group = scenario(by_one(70.0, 10.0, window), (1, 2), 360);
        assert_eq!(change_minutes(&steps, &group).first().copied(), expected, "{window:?}");
    }
}

#[test]
fn an_alarm_that_lasts_acts_as_soon_as_a_schedule_gives_it_room() {
    let group = scenario(by_one(25.0, 5.0, (1, 1)), (1, 2), 360);
    let room = CapacityChange { max_size: Some(Instances(3)), ..change(20) };
    assert_eq!(sizes(&[(40, TOO_MUCH)], &scheduled(group, vec![room])), [(0, 1), (2, 2), (20, 3)]);
}

#[test]
fn a_scheduled_size_waits_for_no_cooldown_and_starts_one() {
    let group = scenario(by_one(25.0, 5.0, (1, 1)), (1, 6), 360);
    let size = CapacityChange { desired_capacity: Some(Instances(5)), ..change(5) };
    // In the cooldown that lasts until 9; its own lasts until 12.
    assert_eq!(sizes(&[(30, TOO_MUCH)], &scheduled(group, vec![size])), [(0, 1), (2, 2), (5, 5), (12, 6)]);
    // A removal does too: drained at 21, heard at 27.
    let group = scenario(by_one(25.0, 5.0, (1, 1)), (1, 4), 360);
    let size = CapacityChange { desired_capacity: Some(Instances(1)), ..change(20) };
    let expected = [(0, 1), (2, 2), (9, 3), (16, 4), (20, 1), (27, 2)];
    assert_eq!(sizes(&[(30, TOO_MUCH)], &scheduled(group, vec![size])), expected);
}

#[test]
fn what_a_schedule_raised_stays_until_an_alarm_takes_it_away() {
    let least = |at, size| CapacityChange { min_size: Some(Instances(size)), ..change(at) };
    let group = || scenario(by_one(70.0, 20.0, (1, 1)), (1, 4), 360);
    let by_day = scheduled(group(), vec![least(10, 3), least(30, 1)]);
    // 22 each lies between the thresholds; 15 each has long asked to remove one, and 22.5 asks for nothing.
    assert_eq!(sizes(&[(80, 66.0)], &by_day), [(0, 1), (10, 3)]);
    assert_eq!(sizes(&[(80, 45.0)], &by_day), [(0, 1), (10, 3), (30, 2)]);
    // Those of one minute run in order.
    let at_once = scheduled(group(), vec![least(10, 3), least(10, 1)]);
    assert_eq!(sizes(&[(80, 66.0)], &at_once), [(0, 1), (10, 3)]);
}

#[test]
fn a_largest_size_below_the_group_ends_instances_at_once() {
    let group = scenario(by_one(25.0, 5.0, (1, 1)), (1, 4), 360);
    let most = CapacityChange { max_size: Some(Instances(2)), ..change(20) };
    let expected = [(0, 1), (2, 2), (9, 3), (16, 4), (20, 2)];
    assert_eq!(sizes(&[(60, TOO_MUCH)], &scheduled(group, vec![most])), expected);
}

#[test]
fn an_average_of_several_minutes_is_one_of_samples() {
    // 1 to 4 at 6; from 7 on 100 and three times 10. At 9 the window 3 to 7 holds (4 * 100 + 130) / 8 = 66.25;
    // the mean of its minutes, (4 * 100 + 32.5) / 5 = 86.5, would ask again.
    let rule = || trigger(70.0, 5.0, (5, 1), 3, -1);
    let group = || scenario(rule(), (1, 8), 120);
    assert_eq!(sizes(&[(40, 100.0)], &group()), [(0, 1), (6, 4)]);
    let of_minutes = with(group(), |dynamics| dynamics.group_average = GroupAverage::OfMinutes);
    assert_eq!(sizes(&[(40, 100.0)], &of_minutes), [(0, 1), (6, 4), (9, 7)]);
}

fn tracking(target: f64, sizes: (u32, u32)) -> Scenario {
    scenario(Rule::TargetTracking(TargetTracking::cpu(percent(target), Minutes(5))), sizes, 360)
}

#[test]
fn target_tracking_doubles_what_has_warmed_while_cpu_is_saturated() {
    // ceil(warm * 100 / 50), a launch and five minutes apart.
    let expected = [(0, 1), (4, 2), (10, 4), (16, 8), (22, 16)];
    assert_eq!(sizes(&[(60, 2000.0)], &tracking(50.0, (1, 16))), expected);
}

#[test]
fn target_tracking_waits_for_three_minutes_in_a_row() {
    // 3 to 5, not 0, 1 and 3: ceil(60 / 50).
    let steps = [(2, 60.0), (1, 40.0), (30, 60.0)];
    assert_eq!(sizes(&steps, &tracking(50.0, (1, 4)))[..2], [(0, 1), (7, 2)]);
}

#[test]
fn target_tracking_adds_more_while_others_warm_if_the_warm_ones_ask_for_more() {
    // ceil(2 * 70 / 40) = 4; minute 5 at 95: ceil(2 * 95 / 40) = 5; from 11 on 38 each, which asks for nothing.
    let steps = [(5, 140.0), (60, 190.0)];
    assert_eq!(sizes(&steps, &tracking(40.0, (2, 8))), [(0, 2), (4, 4), (7, 5)]);
}

#[test]
fn target_tracking_removes_only_what_its_formula_can_spare() {
    // 100 of one, 60 of two, 40 of three: Low from 30 on, but ceil(3 * 40 / 50) = 3. Minute 40 at 30.7 makes it 2.
    let steps = [(40, 120.0), (40, 92.0)];
    assert_eq!(sizes(&steps, &tracking(50.0, (1, 4))), [(0, 1), (4, 2), (10, 3), (42, 2)]);
}

#[test]
fn target_tracking_removes_one_a_minute() {
    // 10 each of four asks for one; so do 10 of the three left, and 13.3, seen at 24, of the two.
    let group = Scenario { initial: Instances(4), ..tracking(50.0, (1, 8)) };
    let expected = [(0, 4), (22, 3), (23, 2), (24, 1)];
    assert_eq!(sizes(&[(20, 160.0), (30, 40.0)], &group), expected);
}

#[test]
fn a_larger_step_adds_only_what_is_not_yet_under_way() {
    let step = |from, to, by| StepAdjustment {
        lower_bound: from,
        upper_bound: to,
        adjustment: Adjustment::ChangeInCapacity(by),
    };
    let rule = Rule::Step(Step {
        high: alarm(60.0, Side::Above, (1, 1)),
        on_high: vec![step(Some(0.0), Some(20.0), 1), step(Some(20.0), None, 2)],
        low: alarm(30.0, Side::Below, (1, 1)),
        on_low: vec![step(None, Some(0.0), -1)],
        warm_up: Minutes(5),
    });
    // 70 of two asks for three, again and again; 85 of the same two, seen at 6, for four.
    let steps = [(4, 140.0), (40, 170.0)];
    assert_eq!(sizes(&steps, &scenario(rule, (2, 10), 360)), [(0, 2), (2, 3), (6, 4)]);
}

/// The state under missing, ignore, breaching, notBreaching; `None` where the documents leave it open.
fn check_missing(m: usize, n: usize, text: &str, expected: [Option<AlarmState>; 4]) {
    let point = |mark: char| match mark {
        'X' => Some(true),
        '0' => Some(false),
        _ => None,
    };
    let points: Vec<Breach> = text.chars().map(point).collect();
    let treatments =
        [MissingData::Missing, MissingData::Ignore, MissingData::Breaching, MissingData::NotBreaching];
    for (missing_data, expected) in treatments.into_iter().zip(expected) {
        let Some(expected) = expected else { continue };
        let rule = AlarmRule { evaluation_periods: n, datapoints_to_alarm: m, missing_data };
        for before in [AlarmState::Ok, AlarmState::Alarm] {
            // What is kept is whatever it was.
            let expected = if expected == AlarmState::InsufficientData { before } else { expected };
            assert_eq!(rule.evaluate(&points, before), expected, "{m} of {n}, {text}, {missing_data:?}");
        }
    }
}

#[test]
fn real_points_decide_if_there_are_enough_and_missing_ones_as_told_if_not() {
    let (ok, alarm, keep) =
        (Some(AlarmState::Ok), Some(AlarmState::Alarm), Some(AlarmState::InsufficientData));
    // As many real points as are evaluated lie in the range.
    check_missing(3, 3, "XX-X-", [alarm; 4]);
    check_missing(3, 3, "X--XX", [alarm; 4]);
    check_missing(3, 3, "0X-X-", [ok; 4]);
    check_missing(2, 3, "XX-0-", [alarm; 4]);
    check_missing(2, 2, "X--X", [alarm; 4]);
    check_missing(2, 2, "0X-X", [alarm; 4]);
    check_missing(2, 2, "X0-X", [ok; 4]);
    check_missing(1, 1, "X--", [alarm; 4]);
    check_missing(1, 1, "X0-", [ok; 4]);
    // Too few. A breach M points back, and nothing good since, is enough under `missing`.
    check_missing(2, 2, "--X-", [alarm, keep, alarm, ok]);
    check_missing(2, 2, "---X", [None, keep, alarm, ok]);
    check_missing(3, 3, "---X-", [None, keep, alarm, ok]);
}

#[test]
fn a_gap_in_the_traffic_is_a_gap_in_the_alarm() {
    // After 50 come X, -, X, -, X. With 12 the newest three real points are 50, X, X; with 14 all three breach.
    let mut steps = vec![(10, 50.0)];
    steps.extend([80.0, f64::NAN, 80.0, f64::NAN, 80.0].map(|demand| (1, demand)));
    steps.push((20, 60.0));
    assert_eq!(change_minutes(&steps, &scenario(by_one(70.0, 10.0, (1, 3)), (1, 2), 360)), [16]);
}

#[test]
fn an_alarm_acts_on_old_points_for_a_while_after_its_metric_stops() {
    // At 6 the newest real point of 2 to 4 is 3; at 8 there is none in 4 to 6.
    let steps = [(4, TOO_MUCH), (20, f64::NAN)];
    let group = scenario(by_one(25.0, 5.0, (1, 1)), (1, 8), 60);
    assert_eq!(sizes(&steps, &group), [(0, 1), (2, 2), (4, 3), (6, 4)]);
    assert_eq!(rows(&steps, &group)[8].high, AlarmState::InsufficientData);
}

#[test]
fn a_share_is_cut_to_whole_instances_and_is_at_least_one() {
    let share = |percent, min_magnitude| Adjustment::PercentChangeInCapacity { percent, min_magnitude };
    let cases = [
        (4, 10.0, 0, 5),
        (4, 25.0, 0, 5),
        (4, 25.0, 2, 6),
        (3, 50.0, 0, 4),
        (5, 50.0, 0, 7),
        (3, 100.0, 0, 6),
        (23, 55.0, 0, 35),
        (4, -10.0, 0, 3),
        (5, -50.0, 0, 3),
        (3, -30.0, 0, 2),
        (13, -20.0, 0, 11),
    ];
    for (from, percent, least, to) in cases {
        assert_eq!(share(percent, least).apply(from), to, "{percent} % of {from}, at least {least}");
    }
    let rule = Rule::Simple(Simple {
        high: alarm(25.0, Side::Above, (1, 1)),
        on_high: share(100.0, 0),
        low: alarm(5.0, Side::Below, (1, 1)),
        on_low: share(-50.0, 0),
    });
    let expected = [(0, 1), (2, 2), (9, 4), (16, 8), (23, 10)];
    assert_eq!(sizes(&[(60, 10_000.0)], &scenario(rule, (1, 10), 360)), expected);
}

#[test]
fn a_lower_increment_without_its_sign_adds_instances() {
    let trigger = "aws:autoscaling:trigger";
    let settings = Settings::from_options([
        (trigger, "MeasureName", "CPUUtilization"),
        (trigger, "Unit", "Percent"),
        (trigger, "Period", "1"),
        (trigger, "BreachDuration", "1"),
        (trigger, "UpperThreshold", "70"),
        (trigger, "LowerThreshold", "20"),
        (trigger, "LowerBreachScaleIncrement", "1"),
        ("aws:autoscaling:launchconfiguration", "MonitoringInterval", "1 minute"),
    ])
    .unwrap();
    let plan = settings.plan(None).unwrap();
    let group = Scenario { plan, ..scenario(by_one(70.0, 20.0, (1, 1)), (1, 4), 360) };
    // Beanstalk's own limits, 1 to 4, and its cooldown.
    assert_eq!(sizes(&[(40, 10.0)], &group), [(0, 1), (2, 2), (9, 3), (16, 4)]);
}

#[test]
fn an_instance_without_credits_hides_from_an_alarm_above_its_baseline() {
    // t3.small at 50 % spends 1 credit a minute and earns 0.4: 12.3 last for twenty minutes, then it shows 20 %.
    let group = |points| {
        let scenario = scenario(by_one(40.0, 5.0, (1, points)), (1, 2), 360);
        let size = BurstableSize::named("t3.small").unwrap();
        let credits = Credits { size, mode: Mode::Standard, initial_balance: 12.3 };
        with(scenario, |dynamics| dynamics.credits = Some(credits))
    };
    assert_eq!(change_minutes(&[(60, 50.0)], &group(20)), [21]);
    assert_eq!(change_minutes(&[(60, 50.0)], &group(30)), [0; 0]);
    let cpu: Vec<_> = rows(&[(60, 50.0)], &group(30)).iter().map(|row| row.cpu_percent.unwrap()).collect();
    assert!(
        cpu[..20].iter().all(|&cpu| (cpu - 50.0).abs() < 1e-9)
            && cpu[22..].iter().all(|&cpu| (cpu - 20.0).abs() < 1e-9)
    );
}

#[test]
fn requests_are_counted_by_the_minute_however_instances_are_monitored() {
    // 60 a minute, 85 from 10 on. Five minutes of which two are at 85 make exactly 350.
    for monitoring in [Monitoring::Detailed, Monitoring::Basic] {
        for (upper, period, expected) in [(70.0, 1, 12), (350.0, 5, 14)] {
            let mut group = scenario(by_one(upper, 10.0, (period, 1)), (1, 2), 360);
            group.plan.measure = Measure::RequestCount;
            let group = with(group, |dynamics| dynamics.monitoring = monitoring);
            let minutes = change_minutes(&[(10, 60.0), (30, 85.0)], &group);
            assert_eq!(minutes, [expected], "{monitoring:?}, over {upper}");
        }
    }
}

fn answering(upper: f64, lower: f64, period: u32, sizes: (u32, u32)) -> Scenario {
    let mut group = scenario(by_one(upper, lower, (period, 1)), sizes, 360);
    group.plan.measure = Measure::Line { intercept: 0.1, per_request: 0.001 };
    group
}

#[test]
fn without_requests_there_is_no_response_time_to_act_upon() {
    let group = Scenario { initial: Instances(2), ..answering(0.5, 0.2, 1, (1, 4)) };
    assert_eq!(sizes(&[(30, 0.0)], &group), [(0, 2)]);
    assert_eq!(rows(&[(30, 0.0)], &group)[29].decision, Decision::InsufficientData);
}

#[test]
fn a_response_time_of_several_minutes_is_one_of_requests() {
    // A minute of 1100 at 1.2 s among four of 100 at 0.2 s: 0.93 s; the mean of the minutes is 0.4.
    let steps = [(10, 100.0), (1, 1100.0), (20, 100.0)];
    assert_eq!(change_minutes(&steps, &answering(0.5, 0.01, 5, (1, 2))), [12]);
}
