//! What lets a reader believe the advice and choose: the bound below which nothing can be, days that the choice had not
//! seen, days drawn anew, and what else could be taken.

use proptest::prelude::*;
use scaling::clairvoyant::fewest_instance_minutes;
use scaling::course::{CapacityChange, Course};
use scaling::days::{by_day, days};
use scaling::dynamics::Dynamics;
use scaling::policy::{Group, ScalingPolicy, Trigger};
use scaling::reference::replay;
use scaling::resampled::{self, resampled};
use scaling::simulate::{Outcome, Question, simulate};
use scaling::sweep::Setting;
use scaling::traffic::Load;
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds};
use scaling::walk_forward::split;

use crate::agreement;

fn percent(value: f64) -> CpuPercent {
    CpuPercent::new(value).unwrap()
}

fn load(demand_percent: Vec<f64>) -> Load {
    let start = MinuteUtc::new(0).unwrap();
    Load { start, intercept_percent: 0.0, coefficient: 1.0, demand_percent, stray_percent: vec![] }
}

fn delays(launch: u32, boot: u32, drain: u32) -> Dynamics {
    let [launch, boot, drain] = [launch, boot, drain].map(Minutes);
    Dynamics { launch, boot, drain, ..Dynamics::default() }
}

fn limits(min: u32, max: u32) -> Group {
    Group { min_size: Instances(min), max_size: Instances(max), cooldown: Seconds(60) }
}

fn bound(demand_percent: &[f64], dynamics: Dynamics, min: u32) -> Option<u64> {
    let load = load(demand_percent.to_vec());
    let setting = Setting { load: &load, dynamics, course: Course::default(), initial: Instances(1) };
    fewest_instance_minutes(&setting, percent(50.0), limits(min, 20))
}

#[test]
fn a_fleet_that_foresees_everything_launches_in_time_and_drains() {
    let demand = [10.0, 10.0, 10.0, 120.0, 10.0, 10.0, 10.0];
    assert_eq!(bound(&demand, delays(0, 0, 0), 1), Some(6 + 3));
    assert_eq!(bound(&demand, delays(1, 1, 0), 1), Some(4 + 3 * 3));
    assert_eq!(bound(&demand, delays(1, 1, 2), 1), Some(2 + 5 * 3));
    assert_eq!(bound(&demand, delays(1, 1, 2), 2), Some(2 * 2 + 5 * 3));
}

#[test]
fn a_minute_at_the_ceiling_is_over_it_and_one_without_data_needs_an_instance() {
    assert_eq!(bound(&[100.0], delays(0, 0, 0), 1), Some(3));
    assert_eq!(bound(&[99.9, f64::NAN], delays(0, 0, 0), 1), Some(2 + 1));
}

#[test]
fn no_fleet_is_enough_where_an_instance_without_requests_is_at_the_ceiling() {
    let load = Load { intercept_percent: 50.0, ..load(vec![1.0]) };
    let (dynamics, course) = (delays(0, 0, 0), Course::default());
    let setting = Setting { load: &load, dynamics, course, initial: Instances(1) };
    assert_eq!(fewest_instance_minutes(&setting, percent(50.0), limits(1, 4)), None);
    assert_eq!(fewest_instance_minutes(&setting, percent(50.1), limits(1, 4)), Some(11));
}

#[test]
fn scheduled_limits_are_kept() {
    let load = load(vec![10.0; 4]);
    let (min_size, max_size) = (Some(Instances(5)), None);
    let change =
        CapacityChange { at: MinuteUtc::new(2).unwrap(), min_size, max_size, desired_capacity: None };
    let course = Course::new(vec![change], vec![]).unwrap();
    let setting = Setting { load: &load, dynamics: delays(0, 0, 0), course, initial: Instances(1) };
    assert_eq!(fewest_instance_minutes(&setting, percent(50.0), limits(1, 20)), Some(1 + 1 + 5 + 5));
    // No setting goes over its own MaxSize, whatever MinSize is scheduled.
    assert_eq!(fewest_instance_minutes(&setting, percent(50.0), limits(1, 3)), Some(1 + 1 + 3 + 3));
}

/// So many days that are as busy as `peaks` say around noon; three hours more come after them.
fn days_of(peaks: &[f64]) -> Load {
    let minute = |peak: f64| move |minute: u32| 20.0 + peak * (1.0 - f64::from(minute.abs_diff(720)) / 720.0);
    let days = peaks.iter().flat_map(|peak| (0..1440).map(minute(*peak)));
    load(days.chain([20.0; 180]).collect())
}

fn setting(load: &Load) -> Setting<'_> {
    Setting { load, dynamics: Dynamics::default(), course: Course::default(), initial: Instances(2) }
}

fn policy(upper: f64, lower: f64) -> ScalingPolicy {
    let trigger = Trigger {
        upper_threshold: percent(upper),
        lower_threshold: percent(lower),
        upper_breach_scale_increment: Instances(1),
        lower_breach_scale_increment: Instances(1),
        period: Minutes(1),
        evaluation_periods: 1,
    };
    ScalingPolicy::new(trigger, limits(1, 20)).unwrap()
}

#[test]
fn a_window_is_counted_in_whole_days_from_its_first_minute() {
    let lengths = |minutes: usize| -> Vec<usize> {
        days(&load(vec![1.0; minutes])).iter().map(std::ops::Range::len).collect()
    };
    assert_eq!(lengths(14 * 1440), [1440; 14]);
    assert_eq!(lengths(2 * 1440 + 719), [1440, 1440 + 719]);
    assert_eq!(lengths(2 * 1440 - 3), [1440, 1437]);
    assert!(lengths(719).is_empty());
}

#[test]
fn the_days_of_a_replay_are_those_of_one_replay_and_add_up_to_it() {
    let load = days_of(&[200.0, 50.0, 300.0]);
    let (setting, ceiling, policy) = (setting(&load), percent(41.0), policy(40.0, 12.0));
    let whole = setting.simulate(&policy, Question::whatever_it_takes(ceiling)).unwrap();
    let by_day = by_day(&setting, &policy, ceiling, &days(&load));
    let rows = replay(&load, &setting.scenario(&policy));
    let of_rows: Vec<Outcome> = days(&load).into_iter().map(|day| Outcome::of(&rows[day], ceiling)).collect();
    assert_eq!(by_day, of_rows);
    assert_eq!(
        by_day.iter().map(|day| day.billed_instance_minutes).sum::<u64>(),
        whole.billed_instance_minutes
    );
    assert!(
        whole.minutes_over > 0
            && by_day.iter().map(|day| day.minutes_over).sum::<u32>() == whole.minutes_over
    );
}

#[test]
fn five_days_of_seven_choose_and_the_rest_judge() {
    let parts = |days: usize| {
        split(&days_of(&vec![50.0; days])).map(|split| (split.choosing.len(), split.judging.len()))
    };
    assert_eq!([3, 4, 7, 14].map(parts), [None, Some((2, 2)), Some((5, 2)), Some((10, 4))]);
}

#[test]
fn what_was_chosen_is_judged_by_days_that_it_had_not_seen() {
    let load = days_of(&[50.0, 50.0, 50.0, 300.0]);
    let split = split(&load).unwrap();
    assert_eq!(split.choosing_load(&load).demand_percent, load.demand_percent[..2880]);
    assert_eq!(split.judging_load(&load).demand_percent, load.demand_percent[2880..]);
    assert_eq!(split.judging_load(&load).start, load.start + Minutes(2880));
    let [eager, late] = [policy(30.0, 10.0), policy(44.0, 20.0)];
    let [eager, late] = [eager, late].map(|policy| split.judged(&setting(&load), &policy, percent(45.0)));
    let rows = replay(&load, &setting(&load).scenario(&eager.policy));
    assert_eq!(eager.outcome, Outcome::of(&rows[2880..], percent(45.0)));
    assert!(late.outcome.minutes_over > 0 && eager.outcome.minutes_over == 0);
    assert!(eager.cost_over(&late) > 0.0 && late.cost_over(&eager) < 0.0);
    assert!(eager.cost_over(&eager).abs() < 1e-12);
}

#[test]
fn a_budget_of_minutes_is_shared_by_days() {
    let split = split(&days_of(&[50.0; 7])).unwrap();
    assert_eq!([0, 7, 8, 1].map(|allowed| split.allowed(allowed)), [(0, 0), (5, 2), (5, 3), (0, 1)]);
}

#[test]
fn limits_that_were_scheduled_before_are_in_force_for_whoever_comes_later() {
    let change = |at, min, max| CapacityChange {
        at: MinuteUtc::new(at).unwrap(),
        min_size: min,
        max_size: max,
        desired_capacity: None,
    };
    let some = |size| Some(Instances(size));
    let changes = vec![change(5, some(2), some(9)), change(7, some(4), None), change(20, some(1), None)];
    let course = Course::new(changes, vec![]).unwrap();
    let later = course.seen_from(MinuteUtc::new(10).unwrap());
    assert_eq!(
        later,
        Course::new(vec![change(10, some(4), some(9)), change(20, some(1), None)], vec![]).unwrap()
    );
    assert_eq!(course.seen_from(MinuteUtc::new(0).unwrap()), course);
}

/// Days that cost and show so much.
fn outcomes(days: &[(u64, u32, f64)]) -> Vec<Outcome> {
    let some =
        setting(&days_of(&[50.0])).simulate(&policy(40.0, 12.0), Question::whatever_it_takes(percent(45.0)));
    let day = |(billed, over, cpu): &(u64, u32, f64)| Outcome {
        billed_instance_minutes: *billed,
        minutes_over: *over,
        max_cpu_percent: *cpu,
        ..some.unwrap()
    };
    days.iter().map(day).collect()
}

fn asked<'a>(
    chosen: &'a [Outcome],
    kept: &'a [Vec<Outcome>],
    present: Option<&'a [Outcome]>,
) -> resampled::Question<'a> {
    resampled::Question { chosen, kept, present, minutes_over_allowed: 0, near_share: 0.01 }
}

#[test]
fn days_drawn_anew_say_how_often_the_choice_would_have_been_the_same() {
    let chosen = outcomes(&[(100, 0, 40.0), (100, 0, 41.0), (100, 0, 42.0), (100, 0, 43.0)]);
    // As cheap in all, and cheaper whenever its cheap days are drawn more often than its dear ones.
    let swings = outcomes(&[(80, 0, 40.0), (80, 0, 40.0), (120, 0, 40.0), (120, 0, 40.0)]);
    let kept = [chosen.clone(), swings];
    let found = resampled(asked(&chosen, &kept, None)).unwrap();
    assert!(0.5 < found.cheapest && found.cheapest < 0.9 && found.as_good == found.cheapest, "{found:?}");
    assert_eq!((found.days, found.holds, found.saving), (4, 1.0, None));
    // The highest CPU of a sample is that of some day; the day of 43 is in two samples of three.
    assert!(found.max_cpu_percent.low < 43.0 && found.max_cpu_percent.high == 43.0, "{found:?}");
    assert_eq!(resampled(asked(&chosen, &kept, None)), Some(found));
}

#[test]
fn a_choice_that_is_near_the_cheapest_is_as_good_and_one_that_is_over_is_none() {
    let chosen = outcomes(&[(1009, 0, 40.0); 7]);
    let cheaper = outcomes(&[(1000, 0, 40.0); 7]);
    let over = outcomes(&[(10, 1, 60.0); 7]);
    let found = resampled(asked(&chosen, &[cheaper, over.clone()], None)).unwrap();
    assert_eq!((found.cheapest, found.as_good, found.holds), (0.0, 1.0, 1.0));
    assert_eq!(resampled(asked(&over, &[], None)).unwrap().holds, 0.0);
}

#[test]
fn a_saving_has_an_interval_over_days() {
    let chosen = outcomes(&[(80, 0, 40.0), (80, 0, 40.0), (40, 0, 40.0), (40, 0, 40.0), (60, 0, 40.0)]);
    let present = outcomes(&[(100, 0, 30.0); 5]);
    let saving = resampled(asked(&chosen, &[], Some(&present))).unwrap().saving.unwrap();
    assert!(0.2 < saving.low && saving.low < 0.4 && 0.4 < saving.high && saving.high < 0.6, "{saving:?}");
}

#[test]
fn three_days_say_nothing_about_others() {
    assert_eq!(resampled(asked(&outcomes(&[(100, 0, 40.0); 3]), &[], None)), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Of any kind of policy, with deployments, scheduled actions and credits; the ceiling is just above what CPU comes to.
    #[test]
    fn no_setting_that_never_goes_over_the_ceiling_costs_less((load, scenario) in agreement::load_and_scenario()) {
        let most = simulate(&load, &scenario, Question::whatever_it_takes(percent(100.0))).unwrap();
        let ceiling = CpuPercent::new(most.max_cpu_percent + 0.001);
        prop_assume!(ceiling.is_ok());
        let question = Question { ceiling: ceiling.unwrap(), minutes_over_allowed: 0 };
        let held = simulate(&load, &scenario, question);
        prop_assume!(held.is_some());
        let (dynamics, course, initial) = (scenario.dynamics, scenario.course.clone(), scenario.initial);
        let setting = Setting { load: &load, dynamics, course, initial };
        let bound = fewest_instance_minutes(&setting, question.ceiling, scenario.plan.group);
        prop_assert!(bound.is_some() && bound <= held.map(|held| held.billed_instance_minutes), "{bound:?} {held:?}");
    }
}
