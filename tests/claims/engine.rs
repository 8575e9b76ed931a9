//! The engine: every setting side by side gives what the replay gives one by one, on every set of instructions that this
//! processor has; and what it gives up could not have won.

use std::num::NonZero;

use proptest::prelude::*;
use scaling::course::{CapacityChange, Course};
use scaling::dynamics::{Booting, Dynamics, GroupAverage, Monitoring};
use scaling::engine::{Engine, Scored, Space};
use scaling::policy::ScalingPolicy;
use scaling::reference::replay;
use scaling::simulate::{Outcome, Question};
use scaling::sweep::{Grid, Setting};
use scaling::traffic::Load;
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds};

use crate::agreement::{course, demand, dynamics};

#[derive(Debug, Clone)]
struct Case {
    load: Load,
    grid: Grid,
    dynamics: Dynamics,
    course: Course,
    initial: Instances,
}

impl Case {
    fn setting(&self) -> Setting<'_> {
        let (dynamics, course, initial) = (self.dynamics, self.course.clone(), self.initial);
        Setting { load: &self.load, dynamics, course, initial }
    }
}

fn percent(value: f64) -> CpuPercent {
    CpuPercent::new(value).unwrap()
}

fn plain(demand_percent: Vec<f64>) -> Load {
    let start = MinuteUtc::new(0).unwrap();
    Load { start, intercept_percent: 3.0, coefficient: 1.0, demand_percent, stray_percent: vec![] }
}

fn ceiling() -> CpuPercent {
    percent(50.0)
}

fn one() -> NonZero<usize> {
    NonZero::new(1).unwrap()
}

/// A few thresholds, whole percents for the most part.
fn thresholds(from: u32, to: u32) -> impl Strategy<Value = Vec<CpuPercent>> {
    let fraction = prop_oneof![6 => Just(0.0), 1 => Just(0.5), 1 => Just(0.3)];
    (proptest::collection::btree_set(from..to, 1..9), fraction).prop_map(|(values, fraction)| {
        values.into_iter().map(|value| percent((f64::from(value) + fraction).min(100.0))).collect()
    })
}

fn some_of(values: std::ops::Range<u32>) -> impl Strategy<Value = Vec<Instances>> {
    proptest::collection::btree_set(values, 1..3)
        .prop_map(|values| values.into_iter().map(Instances).collect())
}

prop_compose! {
    fn grid()(
        upper_thresholds in thresholds(5, 95),
        lower_thresholds in thresholds(1, 80),
        upper_breach_scale_increments in some_of(1..11),
        lower_breach_scale_increments in some_of(1..5),
        period in prop_oneof![4 => Just(1_u32), 3 => Just(5), 1 => 2..8_u32, 1 => Just(20)],
        evaluation_periods in prop_oneof![6 => 1..4_u32, 1 => 4..6_u32],
        cooldown in prop_oneof![1 => Just(0_u32), 3 => 0..700_u32, 1 => Just(20_000)],
        min_size in 1..4_u32,
        room in prop_oneof![1 => Just(0_u32), 4 => 1..13_u32, 1 => Just(40), 1 => Just(200), 1 => Just(300)],
    ) -> Grid {
        Grid {
            upper_thresholds,
            lower_thresholds,
            upper_breach_scale_increments,
            lower_breach_scale_increments,
            periods: vec![Minutes(period)],
            evaluation_periods: vec![evaluation_periods],
            cooldowns: vec![Seconds(cooldown.min(10_000))],
            min_sizes: vec![Instances(min_size)],
            max_sizes: vec![Instances(min_size + room)],
        }
    }
}

prop_compose! {
    fn case()(
        once in demand(),
        repeats in 1..7_usize,
        stray in proptest::option::weighted(0.3, -3.0..3.0_f64),
        grid in grid(),
        dynamics in dynamics(),
        course in course(),
        initial in prop_oneof![4 => 1..6_u32, 1 => 0..110_u32],
        start in 0..10_i64,
        intercept_percent in prop_oneof![Just(0.0), -3.0..12.0_f64],
    ) -> Case {
        let demand_percent: Vec<f64> = std::iter::repeat_n(once, repeats).flatten().collect();
        let alternating = |(minute, _): (usize, &f64)| stray.map(|stray| if minute % 2 == 0 { stray } else { -stray });
        let stray_percent = demand_percent.iter().enumerate().filter_map(alternating).collect();
        let start = MinuteUtc::new(start).unwrap();
        // Most environments are like that, and the rarest way must not hide the others.
        let credits = dynamics.credits.filter(|credits| credits.initial_balance < 4.0);
        let load = Load { start, intercept_percent, coefficient: 1.0, demand_percent, stray_percent };
        Case { load, grid, dynamics: Dynamics { credits, ..dynamics }, course, initial: Instances(initial) }
    }
}

/// Setting, minutes over, instance-minutes.
type Answer = (ScalingPolicy, u32, u64);

fn every(engine: &Engine<'_>, threads: usize) -> Vec<Answer> {
    let each =
        |answers: &mut Vec<Answer>, place, over, billed| answers.push((engine.policy(place), over, billed));
    engine.every(NonZero::new(threads).unwrap(), &each).into_iter().flatten().collect()
}

fn one_by_one(case: &Case, policy: &ScalingPolicy) -> Outcome {
    case.setting().simulate(policy, Question::whatever_it_takes(ceiling())).unwrap()
}

fn check_every(case: &Case) -> Result<(), TestCaseError> {
    let (setting, space) =
        (case.setting(), Space::new(&case.grid, Monitoring::Detailed, percent(100.0), false));
    for engine in Engine::with_each_isa(&setting, &space, ceiling()) {
        let answers = every(&engine, 1);
        prop_assert_eq!(answers.len(), space.len());
        for (policy, minutes_over, billed) in answers {
            let expected = one_by_one(case, &policy);
            let expected = (expected.minutes_over, expected.billed_instance_minutes);
            prop_assert_eq!((minutes_over, billed), expected, "{} by {:?}", policy, engine);
        }
    }
    Ok(())
}

fn ranked(mut answers: Vec<Answer>, allowed: u32) -> Vec<(u64, u32)> {
    answers.retain(|(_, over, _)| *over <= allowed);
    let mut ranked: Vec<(u64, u32)> = answers.into_iter().map(|(_, over, billed)| (billed, over)).collect();
    ranked.sort_unstable();
    ranked
}

fn brief(scored: &Scored) -> (u64, u32) {
    (scored.billed_instance_minutes, scored.minutes_over)
}

/// Fewest minutes over first.
fn frontier(answers: &[Answer], most_over: u32) -> Vec<(u64, u32)> {
    let mut steps: Vec<(u64, u32)> = Vec::new();
    for over in 0..=most_over {
        let cheapest = answers.iter().filter(|answer| answer.1 == over).map(|answer| answer.2).min();
        let best = steps.last().map_or(u64::MAX, |(billed, _)| *billed);
        steps.extend(cheapest.filter(|billed| *billed < best).map(|billed| (billed, over)));
    }
    steps
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn every_setting_comes_to_what_it_comes_to_alone(case in case()) {
        check_every(&case)?;
    }

    #[test]
    fn the_cheapest_are_those_of_all_settings_on_any_number_of_threads(
        case in case(),
        allowed in prop_oneof![Just(0_u32), 0..60_u32],
        count in 1..12_usize,
    ) {
        let (setting, space) = (case.setting(), Space::new(&case.grid, Monitoring::Detailed, percent(100.0), false));
        let engine = Engine::new(&setting, &space, ceiling());
        let mut expected = ranked(every(&engine, 2), allowed);
        expected.truncate(count);
        let alone = engine.cheapest(allowed, count, &[], one(), &|_| ());
        prop_assert_eq!(alone.cheapest.iter().map(brief).collect::<Vec<_>>(), expected);
        prop_assert_eq!(alone.settings, space.len() as u64);
        let holding = ranked(every(&engine, 1), allowed).len();
        prop_assert_eq!(engine.count_holding(allowed, NonZero::new(2).unwrap()), holding);
        let together = engine.cheapest(allowed, count, &[], NonZero::new(3).unwrap(), &|_| ());
        prop_assert_eq!(together.cheapest, alone.cheapest);
    }

    #[test]
    fn the_frontier_is_that_of_all_settings(case in case(), most_over in 0..80_u32) {
        let (setting, space) = (case.setting(), Space::new(&case.grid, Monitoring::Detailed, percent(100.0), false));
        let engine = Engine::new(&setting, &space, ceiling());
        let expected = frontier(&every(&engine, 1), most_over);
        let found = engine.frontier(most_over, one(), &|_| ());
        prop_assert_eq!(found.iter().map(brief).collect::<Vec<_>>(), expected);
        prop_assert_eq!(engine.frontier(most_over, NonZero::new(2).unwrap(), &|_| ()), found);
    }
}

prop_compose! {
    /// Metrics that come and go: alarms that see too little of them hold what they were.
    fn gappy()(
        stretches in proptest::collection::vec((1..30_usize, 0.0..400.0_f64, prop_oneof![0..6_usize, 12..40_usize]), 10..30),
    ) -> Vec<f64> {
        stretches
            .into_iter()
            .flat_map(|(known, level, gap)| {
                std::iter::repeat_n(level.round(), known).chain(std::iter::repeat_n(f64::NAN, gap))
            })
            .collect()
    }
}

proptest! {
    // Few gaps fall where they matter.
    #![proptest_config(ProptestConfig::with_cases(4 * cases()))]

    #[test]
    fn alarms_hold_through_gaps_as_they_do_alone(
        case in case(),
        demand_percent in gappy(),
        period in prop_oneof![Just(1_u32), Just(5)],
        evaluation_periods in 2..4_u32,
        cooldown in 0..400_u32,
    ) {
        let (periods, cooldowns) = (vec![Minutes(period)], vec![Seconds(cooldown)]);
        let grid = Grid { periods, evaluation_periods: vec![evaluation_periods], cooldowns, ..case.grid.clone() };
        let load = Load { demand_percent, stray_percent: vec![], ..case.load.clone() };
        check_every(&Case { load, grid, dynamics: Dynamics { credits: None, ..case.dynamics }, ..case })?;
    }
}

prop_compose! {
    /// Groups of up to 255 instances, by the hundred at a time: sums of theirs need more than bytes, and products of sums and
    /// thresholds more than two of them.
    fn crowded()(
        case in case(),
        stretches in proptest::collection::vec((prop_oneof![9 => 0.0..26_000.0_f64, 1 => Just(f64::NAN)], 1..25_usize), 4..20),
        period in prop_oneof![Just(1_u32), Just(5), 2..5_u32],
        cooldown in 0..400_u32,
        (up, down) in (1..120_u32, 1..90_u32),
        (min_size, room) in (1..60_u32, 30..=195_u32),
        booting_cpu in prop_oneof![Just(100.0), (0..800_u32).prop_map(|eighths| f64::from(eighths) / 8.0)],
        initial in 1..=255_u32,
    ) -> Case {
        let demand_percent =
            stretches.into_iter().flat_map(|(level, minutes)| std::iter::repeat_n(level.round(), minutes));
        let grid = Grid {
            upper_breach_scale_increments: vec![Instances(up)],
            lower_breach_scale_increments: vec![Instances(down)],
            periods: vec![Minutes(period)],
            cooldowns: vec![Seconds(cooldown)],
            min_sizes: vec![Instances(min_size)],
            max_sizes: vec![Instances(min_size + room)],
            ..case.grid
        };
        let booting = match case.dynamics.booting {
            Booting::Counted(_) => Booting::Counted(percent(booting_cpu)),
            Booting::LeftOut => Booting::LeftOut,
        };
        let group_average = GroupAverage::OfSamples;
        let dynamics = Dynamics { credits: None, booting, group_average, ..case.dynamics };
        let load = Load { demand_percent: demand_percent.collect(), ..case.load };
        Case { load, grid, dynamics, initial: Instances(initial), ..case }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn settings_of_hundreds_of_instances_come_to_what_they_come_to_alone(case in crowded()) {
        check_every(&case)?;
    }
}

/// What a fleet of each size shows is not kept for so many minutes; and thirds of a percent are no multiples of what CPU is
/// shown in.
#[test]
fn months_of_hundreds_of_instances_come_to_what_they_come_to_alone() {
    let level = |minute: u32| f64::from(3_000 + minute / 7 * 7_919 % 9_000 + minute * 37 % 900);
    let load = plain((0..24_000).map(level).collect());
    let dynamics = Dynamics { group_average: GroupAverage::OfSamples, ..Dynamics::default() };
    for (lower, max_size) in [(20.0, 255), (20.3, 200)] {
        let grid = Grid {
            upper_thresholds: vec![percent(40.0), percent(63.0)],
            lower_thresholds: vec![percent(lower), percent(lower + 15.0)],
            upper_breach_scale_increments: vec![Instances(40)],
            lower_breach_scale_increments: vec![Instances(9)],
            periods: vec![Minutes(1), Minutes(5)],
            evaluation_periods: vec![1],
            cooldowns: vec![Seconds(60)],
            min_sizes: vec![Instances(30)],
            max_sizes: vec![Instances(max_size)],
        };
        let (load, course) = (load.clone(), Course::default());
        check_every(&Case { load, grid, dynamics, course, initial: Instances(100) }).unwrap();
    }
}

/// Thresholds side by side, as many as are moved together when others are given up, and kinds that are gone through as one
/// until a fleet grows.
fn dense(case: Case, first: u32) -> Case {
    let every_other =
        |from: u32, to: u32| (from..to).step_by(2).map(|value| percent(f64::from(value))).collect();
    let some_of = |values: &[Instances]| values.iter().copied().take(2).collect();
    let grid = Grid {
        upper_thresholds: every_other(first + 10, 60),
        lower_thresholds: every_other(first, 40),
        upper_breach_scale_increments: some_of(&case.grid.upper_breach_scale_increments),
        lower_breach_scale_increments: some_of(&case.grid.lower_breach_scale_increments),
        ..case.grid
    };
    Case { grid, ..case }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases() / 8))]

    #[test]
    fn settings_that_are_moved_beside_others_come_to_the_same(
        case in case(),
        first in 1..9_u32,
        allowed in prop_oneof![2 => Just(0_u32), 1 => 0..60_u32],
        count in 1..40_usize,
    ) {
        let case = dense(case, first);
        let (setting, space) = (case.setting(), Space::new(&case.grid, Monitoring::Detailed, percent(100.0), false));
        for engine in Engine::with_each_isa(&setting, &space, ceiling()) {
            let all = every(&engine, 1);
            let steps = frontier(&all, 60);
            let mut expected = ranked(all, allowed);
            expected.truncate(count);
            let found = engine.cheapest(allowed, count, &[], one(), &|_| ());
            prop_assert_eq!(found.cheapest.iter().map(brief).collect::<Vec<_>>(), expected);
            let found = engine.frontier(60, one(), &|_| ());
            prop_assert_eq!(found.iter().map(brief).collect::<Vec<_>>(), steps);
        }
    }
}

prop_compose! {
    /// Levels at which groups show whole percents when they are at their largest, and now and then at their smallest, so
    /// that thresholds lie at what alarms see at all, and on both sides of it.
    fn calm()(
        case in case(),
        lower_thresholds in thresholds(1, 16),
        upper_thresholds in thresholds(6, 45),
        max_size in prop_oneof![Just(4_u32), Just(6), Just(12)],
        idle in 0..9_u32,
        period in prop_oneof![3 => Just(1_u32), 2 => Just(5)],
        varies in 1..6_u32,
        booting in prop_oneof![2 => Just(Booting::LeftOut), 2 => (0..40_u32).prop_map(|cpu| Booting::Counted(percent(f64::from(cpu))))],
    ) -> Case {
        let level = |demand: &f64| (demand / 60.0).round() % f64::from(varies) * 12.0;
        let demand_percent = case.load.demand_percent.iter().map(level).collect();
        Case {
            load: Load { intercept_percent: f64::from(idle), stray_percent: vec![], demand_percent, ..case.load },
            grid: Grid {
                lower_thresholds,
                upper_thresholds,
                max_sizes: vec![Instances(max_size)],
                periods: vec![Minutes(period)],
                ..case.grid
            },
            dynamics: Dynamics { booting, credits: None, ..case.dynamics },
            ..case
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn thresholds_beyond_what_alarms_see_change_nothing_that_a_setting_comes_to(case in calm()) {
        check_every(&case)?;
    }
}

/// `ENGINE_CASES` asks for more, as `make soak` does.
#[expect(clippy::disallowed_methods, reason = "how long a test runs is not what the product does")]
fn cases() -> u32 {
    std::env::var("ENGINE_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(400)
}

prop_compose! {
    /// Rushes that most settings are over in, and quiet between, over several chunks of minutes; groups shrink slowly.
    fn rushing()(
        case in case(),
        once in proptest::collection::vec((150.0..450.0_f64, 2..30_usize, 20.0..130.0_f64, 2..30_usize), 1..4),
        minutes in 165..420_usize,
        cooldown in 120..700_u32,
        (min_size, room) in (1..4_u32, 3..9_u32),
        up in 1..4_u32,
    ) -> Case {
        let levels = once.into_iter().flat_map(|(rush, for_minutes, quiet, until)| {
            std::iter::repeat_n(rush.round(), for_minutes).chain(std::iter::repeat_n(quiet.round(), until))
        });
        let demand_percent = levels.collect::<Vec<f64>>().into_iter().cycle().take(minutes).collect();
        let grid = Grid {
            upper_breach_scale_increments: vec![Instances(up)],
            lower_breach_scale_increments: vec![Instances(1)],
            cooldowns: vec![Seconds(cooldown)],
            min_sizes: vec![Instances(min_size)],
            max_sizes: vec![Instances(min_size + room)],
            ..case.grid
        };
        let load = Load { demand_percent, stray_percent: vec![], ..case.load };
        Case { load, grid, dynamics: Dynamics { credits: None, ..case.dynamics }, ..case }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn what_is_given_up_between_chunks_could_not_have_won(case in rushing(), first in 1..9_u32) {
        let case = dense(case, first);
        let (setting, space) = (case.setting(), Space::new(&case.grid, Monitoring::Detailed, percent(100.0), false));
        let engine = Engine::new(&setting, &space, ceiling());
        let all = every(&engine, 1);
        let mut holding = ranked(all.clone(), 0);
        holding.truncate(15);
        let found = engine.cheapest(0, 15, &[], one(), &|_| ());
        prop_assert_eq!(found.cheapest.iter().map(brief).collect::<Vec<_>>(), holding);
        let steps = frontier(&all, 120);
        let found = engine.frontier(120, one(), &|_| ());
        prop_assert_eq!(found.iter().map(brief).collect::<Vec<_>>(), &steps[..]);
        for (billed, over) in steps {
            let found = engine.cheapest(over, 1, &[], one(), &|_| ());
            prop_assert_eq!(found.cheapest.iter().map(brief).collect::<Vec<_>>(), [(billed, over)]);
        }
    }
}

/// The alarm came about in minutes that were passed over, since the group had no room, and held until it had.
#[test]
fn an_alarm_holds_what_it_was_while_nothing_could_act() {
    let stretches = [(3, 0.0, 37), (17, 342.0, 3), (1, 134.0, 0), (7, 0.0, 0)];
    let minutes =
        |(known, level, gap)| std::iter::repeat_n(level, known).chain(std::iter::repeat_n(f64::NAN, gap));
    let load = Load {
        start: MinuteUtc::new(1).unwrap(),
        intercept_percent: 0.0,
        coefficient: 1.0,
        demand_percent: stretches.into_iter().flat_map(minutes).collect(),
        stray_percent: vec![],
    };
    let dynamics = Dynamics {
        metric_delay: Minutes(3),
        launch: Minutes(0),
        boot: Minutes(0),
        booting: Booting::LeftOut,
        drain: Minutes(0),
        ..Dynamics::default()
    };
    let grid = Grid {
        upper_thresholds: vec![percent(34.0)],
        lower_thresholds: vec![percent(1.0)],
        upper_breach_scale_increments: vec![Instances(1)],
        lower_breach_scale_increments: vec![Instances(1)],
        periods: vec![Minutes(1)],
        evaluation_periods: vec![2],
        cooldowns: vec![Seconds(0)],
        min_sizes: vec![Instances(1)],
        max_sizes: vec![Instances(1)],
    };
    let (at, max_size) = (MinuteUtc::new(65).unwrap(), Some(Instances(2)));
    let change = CapacityChange { at, min_size: None, max_size, desired_capacity: None };
    let course = Course::new(vec![change], vec![]).unwrap();
    let case = Case { load, grid, dynamics, course, initial: Instances(1) };
    check_every(&case).unwrap();
}

/// A rush that the group is too small for, again and again; the last begins before a chunk of minutes does.
fn rushes() -> Case {
    let rush = [
        434, 441, 459, 424, 430, 445, 398, 216, 212, 208, 215, 213, 211, 212, 216, 216, 210, 211, 218, 212,
        216,
    ];
    let once = rush.into_iter().chain(std::iter::repeat_n(88, 13)).map(f64::from);
    let demand_percent = once.cycle().take(170).collect();
    let instances = |count| vec![Instances(count)];
    Case {
        load: Load {
            start: MinuteUtc::new(0).unwrap(),
            intercept_percent: -2.234_656_763_568_539_7,
            coefficient: 1.0,
            demand_percent,
            stray_percent: vec![],
        },
        grid: Grid {
            upper_thresholds: vec![],
            lower_thresholds: vec![],
            upper_breach_scale_increments: instances(2),
            lower_breach_scale_increments: instances(1),
            periods: vec![Minutes(1)],
            evaluation_periods: vec![1],
            cooldowns: vec![Seconds(541)],
            min_sizes: instances(3),
            max_sizes: instances(9),
        },
        dynamics: Dynamics {
            launch: Minutes(2),
            boot: Minutes(0),
            booting: Booting::LeftOut,
            group_average: GroupAverage::OfMinutes,
            ..Dynamics::default()
        },
        course: Course::default(),
        initial: Instances(7),
    }
}

/// Whoever was over in a rush need not have had the instances for it, and has none left of them.
#[test]
fn who_was_over_before_is_not_held_to_what_was_needed_then() {
    let case = dense(rushes(), 8);
    let (setting, space) =
        (case.setting(), Space::new(&case.grid, Monitoring::Detailed, percent(100.0), false));
    let all = every(&Engine::new(&setting, &space, ceiling()), 1);
    for engine in Engine::with_each_isa(&setting, &space, ceiling()) {
        let found = engine.frontier(60, one(), &|_| ());
        assert_eq!(found.iter().map(brief).collect::<Vec<_>>(), frontier(&all, 60), "{engine:?}");
        for allowed in 0..60 {
            let mut expected = ranked(all.clone(), allowed);
            expected.truncate(1);
            let found = engine.cheapest(allowed, 1, &[], one(), &|_| ());
            assert_eq!(
                found.cheapest.iter().map(brief).collect::<Vec<_>>(),
                expected,
                "{allowed} by {engine:?}"
            );
        }
    }
}

/// The specification itself, without the fast replay in between.
#[test]
fn every_setting_of_a_day_comes_to_what_the_reference_says() {
    let load = plain((0..1_440_u32).map(|minute| f64::from(20 + minute * 7 % 190 + minute / 9)).collect());
    let thresholds = |from: u32| (from..90).step_by(7).map(|value| percent(f64::from(value))).collect();
    let grid = Grid {
        upper_thresholds: thresholds(12),
        lower_thresholds: thresholds(4),
        upper_breach_scale_increments: vec![Instances(1), Instances(3)],
        lower_breach_scale_increments: vec![Instances(1)],
        periods: vec![Minutes(1), Minutes(5)],
        evaluation_periods: vec![1, 2],
        cooldowns: vec![Seconds(60), Seconds(360)],
        min_sizes: vec![Instances(1)],
        max_sizes: vec![Instances(12)],
    };
    let dynamics = Dynamics {
        monitoring: Monitoring::Detailed,
        group_average: GroupAverage::OfSamples,
        ..Dynamics::default()
    };
    let setting = Setting { load: &load, dynamics, course: Course::default(), initial: Instances(2) };
    let space = Space::new(&grid, Monitoring::Detailed, percent(100.0), false);
    let engine = Engine::new(&setting, &space, ceiling());
    let answers = every(&engine, 1);
    assert_eq!(answers.len(), 1_440);
    for allowed in [0, 30, 255, 256, 300, 517, 800, 1_300] {
        let mut expected = ranked(answers.clone(), allowed);
        expected.truncate(15);
        let found = engine.cheapest(allowed, 15, &[], one(), &|_| ());
        assert_eq!(found.cheapest.iter().map(brief).collect::<Vec<_>>(), expected, "{allowed} minutes over");
    }
    for (policy, minutes_over, billed) in answers {
        let expected = Outcome::of(&replay(&load, &setting.scenario(&policy)), ceiling());
        assert_eq!(
            (minutes_over, billed),
            (expected.minutes_over, expected.billed_instance_minutes),
            "{policy}"
        );
    }
}
