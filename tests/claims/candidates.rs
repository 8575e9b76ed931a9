//! Which policies are tried, and which one is taken.

use std::num::NonZero;

use scaling::course::Course;
use scaling::dynamics::{Dynamics, Monitoring};
use scaling::engine::{Engine, LeftOut, Space};
use scaling::light::{Light, Lit};
use scaling::policy::{Group, ScalingPolicy};
use scaling::recommendation::{Verdict, recommend, room, roomiest};
use scaling::simulate::{Outcome, Question};
use scaling::sweep::{Evaluated, Grid, Setting};
use scaling::traffic::Load;
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds};

fn percent(value: f64) -> CpuPercent {
    CpuPercent::new(value).unwrap()
}

/// A quiet hour, a busy one that needs five instances, a quiet one.
fn load() -> Load {
    let minute = |minute: i32| match minute {
        0..60 => 60.0,
        60..80 => 60.0 + 6.0 * f64::from(minute - 60),
        80..140 => 180.0,
        _ => 60.0,
    };
    Load {
        start: MinuteUtc::new(0).unwrap(),
        intercept_percent: 0.0,
        coefficient: 1.0,
        stray_percent: vec![],
        demand_percent: (0..200).map(minute).collect(),
    }
}

fn setting(load: &Load) -> Setting<'_> {
    Setting { load, dynamics: Dynamics::default(), course: Course::default(), initial: Instances(2) }
}

/// All settings of `grid`, and what they do to `load`.
fn all(grid: &Grid, load: &Load) -> Vec<Evaluated> {
    let (setting, space) = (setting(load), space(grid));
    let engine = Engine::new(&setting, &space, percent(50.0));
    let each = |places: &mut Vec<usize>, place, _, _| places.push(place);
    let places = engine.every(NonZero::<usize>::MIN, &each);
    places.into_iter().flatten().map(|place| evaluated(engine.policy(place), load)).collect()
}

fn space(grid: &Grid) -> Space {
    Space::new(grid, Monitoring::Detailed, full(), true)
}

/// Few enough to be looked at one by one.
fn small() -> Grid {
    let every_tenth = |from: u32| (from..50).step_by(10).map(|value| percent(f64::from(value))).collect();
    Grid {
        upper_thresholds: every_tenth(15),
        lower_thresholds: every_tenth(3),
        upper_breach_scale_increments: vec![Instances(1), Instances(3)],
        lower_breach_scale_increments: vec![Instances(1)],
        ..grid(None)
    }
}

fn grid(present: Option<Group>) -> Grid {
    Grid::plausible(&load(), percent(50.0), present, Monitoring::Detailed)
}

fn evaluated(policy: ScalingPolicy, load: &Load) -> Evaluated {
    let question = Question::whatever_it_takes(percent(50.0));
    Evaluated { policy, outcome: setting(load).simulate(&policy, question).unwrap() }
}

fn holding(all: &[Evaluated]) -> Vec<Evaluated> {
    let mut holding: Vec<Evaluated> = all.iter().filter(|e| e.outcome.minutes_over == 0).copied().collect();
    holding.sort_by_key(|e| e.outcome.billed_instance_minutes);
    holding
}

/// CPU that can be passed by none.
fn full() -> CpuPercent {
    CpuPercent::new(100.0).unwrap()
}

#[test]
fn no_candidate_oscillates_or_falls_below_the_present_minimum() {
    let present = Group { min_size: Instances(2), max_size: Instances(4), cooldown: Seconds(360) };
    let grid = Grid { cooldowns: vec![Seconds(360)], ..grid(Some(present)) };
    let space = space(&grid);
    assert!(space.len() > 10_000 && space.left_out().oscillating > 10_000, "{}", space.len());
    let all = all(&Grid { evaluation_periods: vec![1], periods: vec![Minutes(5)], ..grid }, &load());
    assert!(all.iter().all(|e| !e.policy.oscillates() && e.policy.group().min_size >= Instances(2)));
}

#[test]
fn basic_monitoring_gets_no_period_below_five_minutes() {
    let grid = Grid { periods: vec![Minutes(1), Minutes(5), Minutes(7)], ..small() };
    let basic = Space::new(&grid, Monitoring::Basic, full(), true);
    assert!(basic.left_out().too_fine > 0);
    assert_eq!(basic.len(), space(&Grid { periods: vec![Minutes(5)], ..grid }).len());
}

#[test]
fn what_is_left_out_and_what_is_not_is_all_that_there_is() {
    let grid = Grid {
        periods: vec![Minutes(1), Minutes(5)],
        min_sizes: vec![Instances(1), Instances(99)],
        ..small()
    };
    let space = Space::new(&grid, Monitoring::Basic, percent(30.0), true);
    let LeftOut { thresholds_swapped, sizes_swapped, out_of_range, oscillating, too_fine, unreachable } =
        space.left_out();
    let refused = thresholds_swapped + sizes_swapped + out_of_range;
    let (kinds, pairs) = grid.combinations();
    assert_eq!(space.len() + refused + oscillating + too_fine + unreachable, kinds * pairs);
    assert!(unreachable > 0 && sizes_swapped > 0 && too_fine > 0);
}

#[test]
fn something_plausible_always_holds_since_a_fixed_group_does() {
    let steep = Load { demand_percent: [vec![10.0; 30], vec![2_000.0; 30]].concat(), ..load() };
    let grid = Grid::plausible(&steep, percent(50.0), None, Monitoring::Detailed);
    let (setting, space) = (setting(&steep), space(&grid));
    let engine = Engine::new(&setting, &space, percent(50.0));
    let found = engine.cheapest(0, 50, &[], NonZero::<usize>::MIN, &|_| ());
    assert!(!found.cheapest.is_empty());
    assert!(found.cheapest.iter().all(|scored| scored.policy.group().min_size > Instances(16)));
}

#[test]
fn the_cheapest_that_also_hold_in_other_lights_are_found_among_all() {
    let (load, grid) = (load(), small());
    let (setting, space) = (setting(&load), space(&grid));
    let lit = [Light::Amplified(1.25), Light::LaterMetrics, Light::Shifted(Minutes(2))]
        .map(|light| light.on(&setting));
    let settings = lit.each_ref().map(Lit::setting);
    let engines = settings.each_ref().map(|setting| Engine::new(setting, &space, percent(50.0)));
    let question = Question { ceiling: percent(50.0), minutes_over_allowed: 0 };
    let holds =
        |e: &&Evaluated| settings.iter().all(|setting| setting.simulate(&e.policy, question).is_some());
    let held = holding(&all(&grid, &load));
    let expected: Vec<u64> =
        held.iter().filter(holds).map(|e| e.outcome.billed_instance_minutes).take(20).collect();
    assert!(expected.len() == 20 && held[0].outcome.billed_instance_minutes < expected[0]);
    let engine = Engine::new(&setting, &space, percent(50.0));
    let found = engine.cheapest(0, 20, &engines, NonZero::new(2).unwrap(), &|_| ());
    let found: Vec<u64> = found.cheapest.iter().map(|scored| scored.billed_instance_minutes).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_one_with_the_fewest_minutes_over_is_found_where_none_holds() {
    let grid = Grid { min_sizes: vec![Instances(1)], max_sizes: vec![Instances(3)], ..small() };
    let (load, setting_load) = (load(), load());
    let (setting, space) = (setting(&setting_load), space(&grid));
    let engine = Engine::new(&setting, &space, percent(50.0));
    let rank = |e: &Evaluated| (e.outcome.minutes_over, e.outcome.billed_instance_minutes);
    let expected = all(&grid, &load).iter().map(rank).min().unwrap();
    let found = engine.least_over(NonZero::new(2).unwrap(), &|_| ()).unwrap();
    assert!(expected.0 > 0);
    assert_eq!((found.minutes_over, found.billed_instance_minutes), expected);
}

#[test]
fn a_present_policy_that_is_as_cheap_is_kept() {
    let best = holding(&all(&small(), &load()))[0];
    assert_eq!(recommend(Some(best), Some(best)), Verdict::Keep(best));
    assert_eq!(recommend(None, Some(best)), Verdict::Change(best));
}

#[test]
fn a_saving_of_less_than_a_hundredth_is_not_worth_a_change() {
    let best = holding(&all(&small(), &load()))[0];
    let dearer = |share: f64| {
        let billed = (best.outcome.billed_instance_minutes as f64 * share) as u64;
        Evaluated { outcome: Outcome { billed_instance_minutes: billed, ..best.outcome }, ..best }
    };
    assert_eq!(recommend(Some(dearer(1.009)), Some(best)), Verdict::Keep(dearer(1.009)));
    assert_eq!(recommend(Some(dearer(1.02)), Some(best)), Verdict::Change(best));
}

#[test]
fn nothing_is_recommended_where_nothing_holds() {
    assert_eq!(recommend(None, None), Verdict::NoneHolds { closest: None });
}

#[test]
fn room_ends_where_the_traffic_breaks_the_ceiling() {
    let load = load();
    let best = holding(&all(&small(), &load))[0];
    let setting = setting(&load);
    let factor = room(&setting, &best, percent(50.0), 0);
    let holds = |factor: f64| {
        let question = Question { ceiling: percent(50.0), minutes_over_allowed: 0 };
        Light::Amplified(factor).on(&setting).setting().simulate(&best.policy, question).is_some()
    };
    assert!(1.0 <= factor && holds(factor) && !holds(factor + 0.01), "{factor}");
}

#[test]
fn of_settings_that_cost_about_the_same_the_one_with_the_most_room_is_taken() {
    let best = holding(&all(&small(), &load()))[0];
    let with = |share: f64, events: u32| {
        let billed = (10_000.0 * share) as u64;
        let outcome =
            Outcome { billed_instance_minutes: billed, scale_outs: events, scale_ins: 0, ..best.outcome };
        Evaluated { outcome, ..best }
    };
    let cheapest_first = [with(1.0, 9), with(1.005, 9), with(1.009, 3), with(1.2, 1)];
    assert_eq!(roomiest(&cheapest_first, &[1.25, 1.31, 1.31, 2.0], 0.01), Some(2));
    assert_eq!(roomiest(&cheapest_first, &[1.25, 1.31, 1.31, 2.0], 0.0), Some(0));
    // Whatever bits a room of hundredths has: a hundredth more is more.
    for hundredths in 100..300 {
        let rooms = [hundredths, hundredths + 1].map(|room| f64::from(room) / 100.0);
        assert_eq!(roomiest(&cheapest_first[..2], &rooms, 0.01), Some(1), "{rooms:?}");
    }
    assert_eq!(roomiest(&[], &[], 0.01), None);
}
