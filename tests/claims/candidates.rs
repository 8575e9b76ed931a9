//! Which policies are tried, and which one is taken.

use std::num::NonZero;

use scaling::course::Course;
use scaling::dynamics::{Dynamics, Monitoring};
use scaling::policy::{Group, ScalingPolicy};
use scaling::recommendation::{Verdict, recommend};
use scaling::simulate::Question;
use scaling::sweep::{Evaluated, Grid, Setting, sweep};
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

fn question() -> Question {
    Question { ceiling: percent(50.0), minutes_over_allowed: 0 }
}

fn setting(load: &Load) -> Setting<'_> {
    Setting { load, dynamics: Dynamics::default(), course: Course::default(), initial: Instances(2) }
}

fn kept(policies: &[ScalingPolicy]) -> Vec<Evaluated> {
    sweep(&setting(&load()), policies, question(), NonZero::<usize>::MIN, &|_| ())
}

fn grid(present: Option<Group>) -> Grid {
    Grid::plausible(&load(), percent(50.0), present, Monitoring::Detailed)
}

fn evaluated(policy: ScalingPolicy) -> Evaluated {
    let question = Question::whatever_it_takes(percent(50.0));
    Evaluated { policy, outcome: setting(&load()).simulate(&policy, question).unwrap() }
}

/// CPU that can be passed by none.
fn full() -> CpuPercent {
    CpuPercent::new(100.0).unwrap()
}

#[test]
fn no_candidate_oscillates_or_falls_below_the_present_minimum() {
    let present = Group { min_size: Instances(2), max_size: Instances(4), cooldown: Seconds(360) };
    let candidates = grid(Some(present)).candidates(Monitoring::Detailed, full());
    assert!(candidates.policies.len() > 1_000);
    assert!(candidates.oscillating > 0);
    assert!(
        candidates
            .policies
            .iter()
            .all(|policy| !policy.oscillates() && policy.group().min_size >= Instances(2))
    );
}

#[test]
fn basic_monitoring_gets_no_period_below_five_minutes() {
    let grid = Grid { periods: vec![Minutes(1), Minutes(5), Minutes(7)], ..grid(None) };
    let candidates = grid.candidates(Monitoring::Basic, full());
    assert!(candidates.too_fine > 0);
    assert!(candidates.policies.iter().all(|policy| policy.trigger().period == Minutes(5)));
}

#[test]
fn something_plausible_always_holds_since_a_fixed_group_does() {
    let steep = Load { demand_percent: [vec![10.0; 30], vec![2_000.0; 30]].concat(), ..load() };
    let grid = Grid::plausible(&steep, percent(50.0), None, Monitoring::Detailed);
    let policies = grid.candidates(Monitoring::Detailed, full()).policies;
    let held = sweep(&setting(&steep), &policies, question(), NonZero::<usize>::MIN, &|_| ());
    assert!(!held.is_empty());
    assert!(held.iter().all(|evaluated| evaluated.policy.group().min_size > Instances(16)));
}

#[test]
fn the_recommended_policy_is_the_cheapest_that_also_holds_with_later_metrics() {
    let policies = grid(None).candidates(Monitoring::Detailed, full()).policies;
    let kept = kept(&policies);
    let load = load();
    let verdict = recommend(&setting(&load), question(), None, &kept);
    let Verdict::Change(best) = verdict else { panic!("{verdict:?}") };
    let holds_later = |policy| setting(&load).with_later_metrics().simulate(policy, question()).is_some();
    assert!(holds_later(&best.policy));
    for cheaper in kept
        .iter()
        .filter(|other| other.outcome.billed_instance_minutes < best.outcome.billed_instance_minutes)
    {
        assert!(!holds_later(&cheaper.policy), "{} is cheaper and holds", cheaper.policy);
    }
}

#[test]
fn a_present_policy_that_is_as_cheap_is_kept() {
    let policies = grid(None).candidates(Monitoring::Detailed, full()).policies;
    let kept = kept(&policies);
    let Verdict::Change(best) = recommend(&setting(&load()), question(), None, &kept) else {
        panic!("something holds")
    };
    let again = recommend(&setting(&load()), question(), Some(best), &kept);
    assert_eq!(again, Verdict::Keep(best));
}

#[test]
fn a_present_policy_that_breaks_the_ceiling_is_left_even_for_a_dearer_one() {
    let policies = grid(None).candidates(Monitoring::Detailed, full()).policies;
    let breaking = policies.iter().map(|policy| evaluated(*policy)).filter(|e| e.outcome.minutes_over > 0);
    let breaking = breaking.min_by_key(|evaluated| evaluated.outcome.billed_instance_minutes).unwrap();
    let verdict = recommend(&setting(&load()), question(), Some(breaking), &kept(&policies));
    let Verdict::Change(best) = verdict else { panic!("{verdict:?}") };
    assert_eq!(best.outcome.minutes_over, 0);
    assert!(best.outcome.billed_instance_minutes > breaking.outcome.billed_instance_minutes);
}

#[test]
fn nothing_is_recommended_where_nothing_holds() {
    let verdict = recommend(&setting(&load()), question(), None, &[]);
    assert_eq!(verdict, Verdict::NoneHolds { closest: None });
}
