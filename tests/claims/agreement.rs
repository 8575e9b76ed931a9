//! Laws, on random input: the fast replay equals the plain one, and both keep what AWS promises.

use proptest::prelude::*;
use scaling::adjustment::Adjustment;
use scaling::alarm::{AlarmRule, MissingData};
use scaling::course::{CapacityChange, Course, Deployment};
use scaling::credits::{Credits, Mode, SIZES};
use scaling::dynamics::{Booting, Dynamics, GroupAverage, Monitoring};
use scaling::plan::{Alarm, Measure, Plan, Rule, Side, Simple, Step, StepAdjustment, TargetTracking};
use scaling::policy::{Group, ScalingPolicy, Trigger};
use scaling::reference::{Decision, Row, Scenario, replay};
use scaling::simulate::{Minute, Outcome, Question, minutes, simulate};
use scaling::traffic::Load;
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds};

#[derive(Debug, Clone)]
struct Case {
    load: Load,
    scenario: Scenario,
}

/// Steps and noise with gaps and idle times, from one instance's worth to many.
pub(crate) fn demand() -> impl Strategy<Value = Vec<f64>> {
    let level = prop_oneof![
        6 => 0.0..1.0_f64,
        1 => Just(0.0),
        1 => Just(f64::NAN),
    ];
    let stretch = (level, 1..25_usize, 0.0..0.3_f64);
    let scale = prop_oneof![Just(100.0), Just(400.0), Just(6000.0)];
    (proptest::collection::vec(stretch, 1..15), scale, any::<u64>()).prop_map(|(stretches, scale, seed)| {
        let mut noise = seed;
        let mut values = Vec::new();
        for (level, minutes, jitter) in stretches {
            for _ in 0..minutes {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let unit = (noise >> 40) as f64 / (1_u64 << 24) as f64;
                let missing = unit < jitter * 0.2;
                // Whole numbers now and then land exactly on a threshold.
                let value = (level * scale * (1.0 + jitter * unit)).round();
                values.push(if missing { f64::NAN } else { value });
            }
        }
        values
    })
}

prop_compose! {
    fn trigger()(
        upper in 2..100_u32,
        lower_share in 0.0..1.0_f64,
        up in 1..6_u32,
        down in 1..4_u32,
        period in prop_oneof![Just(1_u32), Just(5), Just(10), 1..8_u32],
        evaluation_periods in 1..5_u32,
    ) -> Trigger {
        let lower = (f64::from(upper - 1) * lower_share).round();
        Trigger {
            upper_threshold: CpuPercent::new(f64::from(upper)).unwrap(),
            lower_threshold: CpuPercent::new(lower).unwrap(),
            upper_breach_scale_increment: Instances(up),
            lower_breach_scale_increment: Instances(down),
            period: Minutes(period),
            evaluation_periods,
        }
    }
}

fn alarm(side: Side) -> impl Strategy<Value = Alarm> {
    let treatment = prop_oneof![
        Just(MissingData::Missing),
        Just(MissingData::Ignore),
        Just(MissingData::Breaching),
        Just(MissingData::NotBreaching),
    ];
    let points = (1..6_usize).prop_flat_map(|of| (Just(of), 1..=of));
    (2..100_u32, prop_oneof![Just(1_u32), Just(5), 1..8_u32], points, treatment).prop_map(
        move |(threshold, period, (evaluation_periods, datapoints_to_alarm), missing_data)| Alarm {
            threshold: f64::from(threshold),
            side,
            period: Minutes(period),
            rule: AlarmRule { evaluation_periods, datapoints_to_alarm, missing_data },
        },
    )
}

/// Of any sign: a scale-in that adds is a mistake that people make.
fn adjustment() -> impl Strategy<Value = Adjustment> {
    prop_oneof![
        (-4..5_i32).prop_map(Adjustment::ChangeInCapacity),
        (1..9_u32).prop_map(Adjustment::ExactCapacity),
        (-120.0..120.0_f64, 0..3_u32).prop_map(|(percent, min_magnitude)| {
            Adjustment::PercentChangeInCapacity { percent, min_magnitude }
        }),
    ]
}

fn steps(side: Side) -> impl Strategy<Value = Vec<StepAdjustment>> {
    (adjustment(), adjustment(), 1.0..30.0_f64).prop_map(move |(near, far, distance)| match side {
        Side::Above => vec![
            StepAdjustment { lower_bound: Some(0.0), upper_bound: Some(distance), adjustment: near },
            StepAdjustment { lower_bound: Some(distance), upper_bound: None, adjustment: far },
        ],
        Side::Below => vec![
            StepAdjustment { lower_bound: Some(-distance), upper_bound: Some(0.0), adjustment: near },
            StepAdjustment { lower_bound: None, upper_bound: Some(-distance), adjustment: far },
        ],
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let simple = (alarm(Side::Above), adjustment(), alarm(Side::Below), adjustment())
        .prop_map(|(high, on_high, low, on_low)| Rule::Simple(Simple { high, on_high, low, on_low }));
    let step = (alarm(Side::Above), steps(Side::Above), alarm(Side::Below), steps(Side::Below), 0..9_u32)
        .prop_map(|(high, on_high, low, on_low, warm_up)| {
            Rule::Step(Step { high, on_high, low, on_low, warm_up: Minutes(warm_up) })
        });
    let tracking = (5..90_u32, 0..9_u32).prop_map(|(target, warm_up)| {
        let target = CpuPercent::new(f64::from(target)).unwrap();
        Rule::TargetTracking(TargetTracking::cpu(target, Minutes(warm_up)))
    });
    prop_oneof![1 => simple, 1 => step, 1 => tracking]
}

fn measure() -> impl Strategy<Value = Measure> {
    prop_oneof![
        4 => Just(Measure::CpuUtilization),
        1 => Just(Measure::RequestCount),
        1 => (0.0..5.0_f64, 0.01..0.5_f64).prop_map(|(intercept, per_request)| Measure::Line { intercept, per_request }),
    ]
}

prop_compose! {
    fn credits()(index in 0..SIZES.len(), unlimited in any::<bool>(), initial_balance in 0.0..40.0_f64) -> Credits {
        let mode = if unlimited { Mode::Unlimited } else { Mode::Standard };
        Credits { size: SIZES[index], mode, initial_balance }
    }
}

prop_compose! {
    pub(crate) fn dynamics()(
        basic in any::<bool>(),
        of_samples in any::<bool>(),
        counted in any::<bool>(),
        delay in 0..4_u32,
        balancer_delay in 0..4_u32,
        launch in 0..4_u32,
        boot in 0..6_u32,
        drain in 0..4_u32,
        ceiling in prop_oneof![Just(100.0), 20.0..100.0_f64],
        credits in proptest::option::weighted(0.3, credits()),
    ) -> Dynamics {
        Dynamics {
            monitoring: if basic { Monitoring::Basic } else { Monitoring::Detailed },
            metric_delay: Minutes(delay),
            balancer_delay: Minutes(balancer_delay),
            launch: Minutes(launch),
            boot: Minutes(boot),
            booting: if counted { Booting::Counted(CpuPercent::new(10.0).unwrap()) } else { Booting::LeftOut },
            drain: Minutes(drain),
            group_average: if of_samples { GroupAverage::OfSamples } else { GroupAverage::OfMinutes },
            cpu_ceiling: CpuPercent::new(ceiling).unwrap(),
            credits,
        }
    }
}

/// Within the first minutes of the load, which starts before minute 10.
pub(crate) fn course() -> impl Strategy<Value = Course> {
    let size = || proptest::option::of((1..8_u32).prop_map(Instances));
    let change =
        (0..120_i64, size(), size(), size()).prop_map(|(at, min_size, max_size, desired_capacity)| {
            CapacityChange { at: MinuteUtc::new(at).unwrap(), min_size, max_size, desired_capacity }
        });
    let deployment =
        (0..120_i64, 1..20_u32, 1..5_u32, 0.0..20.0_f64).prop_map(|(start, minutes, extra, cpu)| {
            let start = MinuteUtc::new(start).unwrap();
            Deployment {
                start,
                end: start + Minutes(minutes),
                extra: Instances(extra),
                extra_cpu_percent: cpu,
            }
        });
    let changes = prop_oneof![
        2 => proptest::collection::vec(change, 0..4),
        1 => (0..100_i64, 1..40_i64, 1..8_u32, 0..2_u32).prop_map(|(from, minutes, size, max_size)| {
            // Two nights; in half of the cases an alarm that still holds may launch something in them.
            let sleep = |at| changed(at, 0, (max_size == 0).then_some(0), Some(0));
            let wake = |at| changed(at, size.min(3), Some(size + 5), (size % 2 == 0).then_some(size));
            vec![sleep(from), wake(from + minutes), sleep(from + 2 * minutes), wake(from + 3 * minutes)]
        }),
    ];
    let some = (changes, proptest::collection::vec(deployment, 0..2))
        .prop_map(|(changes, deployments)| Course::new(changes, deployments).unwrap());
    prop_oneof![1 => Just(Course::default()), 1 => some]
}

fn changed(at: i64, min_size: u32, max_size: Option<u32>, desired_capacity: Option<u32>) -> CapacityChange {
    let (at, min_size) = (MinuteUtc::new(at).unwrap(), Some(Instances(min_size)));
    let (max_size, desired_capacity) = (max_size.map(Instances), desired_capacity.map(Instances));
    CapacityChange { at, min_size, max_size, desired_capacity }
}

fn group() -> impl Strategy<Value = Group> {
    let room = prop_oneof![Just(0_u32), 1..6_u32, Just(100)];
    let cooldown = prop_oneof![Just(0_u32), 0..700_u32];
    (1..4_u32, room, cooldown).prop_map(|(min, room, cooldown)| Group {
        min_size: Instances(min),
        max_size: Instances(min + room),
        cooldown: Seconds(cooldown),
    })
}

/// A Beanstalk trigger, or a policy of any kind.
fn plan() -> impl Strategy<Value = Plan> {
    let beanstalk = (trigger(), group())
        .prop_map(|(trigger, group)| Plan::from(&ScalingPolicy::new(trigger, group).unwrap()));
    let any_kind =
        (rule(), group(), measure()).prop_map(|(rule, group, measure)| Plan { rule, group, measure });
    prop_oneof![1 => beanstalk, 2 => any_kind]
}

prop_compose! {
    fn case_of(plan: BoxedStrategy<Plan>)(
        demand_percent in demand(),
        stray in proptest::option::weighted(0.3, -3.0..3.0_f64),
        plan in plan,
        dynamics in dynamics(),
        course in course(),
        initial in 0..110_u32,
        start in 0..10_i64,
        intercept_percent in prop_oneof![Just(0.0), -3.0..12.0_f64],
        coefficient in prop_oneof![Just(1.0), 0.001..1.0_f64],
    ) -> Case {
        let start = MinuteUtc::new(start).unwrap();
        let alternating = |(minute, _): (usize, &f64)| stray.map(|stray| if minute % 2 == 0 { stray } else { -stray });
        let stray_percent = demand_percent.iter().enumerate().filter_map(alternating).collect();
        Case {
            load: Load { start, intercept_percent, coefficient, demand_percent, stray_percent },
            scenario: Scenario { plan, dynamics, course, initial: Instances(initial) },
        }
    }
}

fn case() -> impl Strategy<Value = Case> {
    case_of(plan().boxed())
}

/// A load, and all that decides about capacity.
pub(crate) fn load_and_scenario() -> impl Strategy<Value = (Load, Scenario)> {
    case().prop_map(|Case { load, scenario }| (load, scenario))
}

/// Of one kind only.
fn case_where(is_wanted: fn(&Rule) -> bool) -> impl Strategy<Value = Case> {
    case_of(plan().prop_filter("another kind", move |plan| is_wanted(&plan.rule)).boxed())
}

impl Case {
    fn rows(&self) -> Vec<Row> {
        replay(&self.load, &self.scenario)
    }

    fn outcome(&self, minutes_over_allowed: u32) -> Option<Outcome> {
        simulate(&self.load, &self.scenario, Question { ceiling: ceiling(), minutes_over_allowed })
    }

    /// The case without what happens to a group from outside.
    fn undisturbed(mut self) -> Self {
        self.scenario.course = Course::default();
        self
    }
}

fn ceiling() -> CpuPercent {
    CpuPercent::new(50.0).unwrap()
}

fn is_activity(row: &Row) -> bool {
    matches!(row.decision, Decision::ScaleOut { .. } | Decision::ScaleIn { .. })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn the_fast_replay_equals_the_plain_one(case in case()) {
        prop_assert_eq!(case.outcome(u32::MAX), Some(Outcome::of(&case.rows(), ceiling())));
    }

    #[test]
    fn minutes_are_rows_without_reasons(case in case()) {
        let expected: Vec<Minute> = case.rows().iter().map(Minute::from).collect();
        prop_assert_eq!(minutes(&case.load, &case.scenario), expected);
    }

    #[test]
    fn giving_up_early_gives_up_exactly_the_policies_that_break_the_ceiling(case in case(), allowed in 0..40_u32) {
        let whole = Outcome::of(&case.rows(), ceiling());
        let expected = Some(whole).filter(|outcome| outcome.minutes_over <= allowed);
        prop_assert_eq!(case.outcome(allowed), expected);
    }

    #[test]
    fn capacity_stays_within_its_limits_and_someone_always_serves(case in case()) {
        let case = case.undisturbed();
        let group = case.scenario.plan.group;
        for row in case.rows() {
            prop_assert!(group.min_size <= row.desired && row.desired <= group.max_size);
            prop_assert!(Instances(1) <= row.serving && row.serving <= row.in_service);
            prop_assert!(row.in_service <= row.desired && row.desired <= row.billed);
        }
    }

    #[test]
    fn someone_serves_whatever_happens_from_outside_unless_a_schedule_takes_everyone(case in case()) {
        for row in case.rows() {
            // What is asked for while nobody serves is not known.
            prop_assert!(Instances(1) <= row.serving || row.demand_percent.is_none());
            prop_assert!(row.serving <= row.in_service && row.in_service <= row.billed);
        }
    }

    #[test]
    fn two_activities_of_a_simple_policy_are_never_closer_than_the_cooldown(
        case in case_where(|rule| matches!(rule, Rule::Simple(_))),
    ) {
        let case = case.undisturbed();
        let rows = case.rows();
        let at: Vec<usize> = (0..rows.len()).filter(|minute| is_activity(&rows[*minute])).collect();
        let cooldown = case.scenario.plan.group.cooldown.to_minutes_rounded_up().0 as usize;
        for pair in at.windows(2) {
            let activity = match rows[pair[0]].decision {
                Decision::ScaleOut { .. } => case.scenario.dynamics.launch.0,
                _ => case.scenario.dynamics.drain.0,
            };
            prop_assert!(pair[0] + activity as usize + cooldown <= pair[1]);
        }
    }

    #[test]
    fn nothing_scales_in_while_instances_warm_up(case in case_where(|rule| rule.warm_up().is_some())) {
        let case = case.undisturbed();
        let warm_up = case.scenario.plan.rule.warm_up();
        let until_warm = (case.scenario.dynamics.launch.0 + warm_up.unwrap().0) as usize;
        let rows = case.rows();
        for minute in 0..rows.len() {
            let recent = &rows[minute.saturating_sub(until_warm.saturating_sub(1))..minute];
            let launched = recent.iter().any(|row| matches!(row.decision, Decision::ScaleOut { .. }));
            let scales_in = matches!(rows[minute].decision, Decision::ScaleIn { .. });
            prop_assert!(!(launched && until_warm > 0 && scales_in), "minute {}", minute);
        }
    }

    #[test]
    fn desired_capacity_changes_only_by_a_decision_or_a_schedule(case in case()) {
        for pair in case.rows().windows(2) {
            let moved = pair[0].desired != pair[1].desired;
            prop_assert!(!moved || is_activity(&pair[1]) || pair[1].scheduled.is_some());
        }
    }

    #[test]
    fn the_future_does_not_change_the_past(case in case(), cut in 0.0..1.0_f64) {
        let rows = case.rows();
        let kept = (rows.len() as f64 * cut) as usize;
        let mut shorter = case.clone();
        shorter.load.demand_percent.truncate(kept);
        prop_assert_eq!(&shorter.rows()[..], &rows[..kept]);
    }

    #[test]
    fn credits_are_never_negative_and_never_make_work_faster(
        credits in credits(),
        balance in 0.0..500.0_f64,
        cpu in 0.0..100.0_f64,
    ) {
        let spent = credits.spend(balance, cpu);
        prop_assert!((0.0..=credits.size.max_balance).contains(&spent.balance));
        prop_assert!(spent.cpu_percent <= cpu && spent.surplus >= 0.0);
        prop_assert!(cpu.min(credits.size.baseline_percent()) <= spent.cpu_percent + 1e-9);
        match credits.mode {
            Mode::Standard => prop_assert!(spent.surplus <= 0.0),
            Mode::Unlimited => prop_assert!(spent.cpu_percent >= cpu),
        }
    }
}
