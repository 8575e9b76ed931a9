//! What lets a reader believe the advice and choose: the bound below which nothing can be, days that the choice had not
//! seen, days drawn anew, and what else could be taken.

use proptest::prelude::*;
use scaling::clairvoyant::fewest_instance_minutes;
use scaling::course::{CapacityChange, Course};
use scaling::dynamics::Dynamics;
use scaling::policy::Group;
use scaling::simulate::{Question, simulate};
use scaling::sweep::Setting;
use scaling::traffic::Load;
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds};

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
