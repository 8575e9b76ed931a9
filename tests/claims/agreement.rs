//! Laws, on random input: the fast replay equals the plain one, and both keep what AWS promises.

use std::num::NonZero;

use proptest::prelude::*;
use scaling::dynamics::{Booting, Dynamics, GroupAverage, Monitoring};
use scaling::policy::{Group, ScalingPolicy, Trigger};
use scaling::reference::{Decision, Row, replay};
use scaling::simulate::{Outcome, Question, simulate};
use scaling::sweep::sweep;
use scaling::traffic::Load;
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds};

#[derive(Debug, Clone)]
struct Case {
    load: Load,
    policy: ScalingPolicy,
    dynamics: Dynamics,
    initial: Instances,
}

/// Steps and noise with gaps and idle times, from one instance's worth to many.
fn demand() -> impl Strategy<Value = Vec<f64>> {
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

prop_compose! {
    fn dynamics()(
        basic in any::<bool>(),
        of_samples in any::<bool>(),
        counted in any::<bool>(),
        delay in 0..4_u32,
        launch in 0..4_u32,
        boot in 0..6_u32,
        drain in 0..4_u32,
    ) -> Dynamics {
        Dynamics {
            monitoring: if basic { Monitoring::Basic } else { Monitoring::Detailed },
            metric_delay: Minutes(delay),
            launch: Minutes(launch),
            boot: Minutes(boot),
            booting: if counted { Booting::Counted(CpuPercent::new(10.0).unwrap()) } else { Booting::LeftOut },
            drain: Minutes(drain),
            group_average: if of_samples { GroupAverage::OfSamples } else { GroupAverage::OfMinutes },
        }
    }
}

prop_compose! {
    fn case()(
        demand_percent in demand(),
        trigger in trigger(),
        dynamics in dynamics(),
        min in 1..4_u32,
        room in prop_oneof![Just(0_u32), 1..6_u32, Just(100)],
        cooldown in prop_oneof![Just(0_u32), 0..700_u32],
        initial in 0..110_u32,
        start in 0..10_i64,
        intercept_percent in prop_oneof![Just(0.0), -3.0..12.0_f64],
    ) -> Case {
        let group = Group {
            min_size: Instances(min),
            max_size: Instances(min + room),
            cooldown: Seconds(cooldown),
        };
        Case {
            load: Load { start: MinuteUtc::new(start).unwrap(), intercept_percent, demand_percent },
            policy: ScalingPolicy::new(trigger, group).unwrap(),
            dynamics,
            initial: Instances(initial),
        }
    }
}

impl Case {
    fn rows(&self) -> Vec<Row> {
        replay(&self.load, &self.policy, &self.dynamics, self.initial)
    }

    fn question(&self, minutes_over_allowed: u32) -> Question {
        Question { initial: self.initial, ceiling: ceiling(), minutes_over_allowed }
    }

    fn outcome(&self, minutes_over_allowed: u32) -> Option<Outcome> {
        simulate(&self.load, &self.policy, &self.dynamics, self.question(minutes_over_allowed))
    }
}

fn ceiling() -> CpuPercent {
    CpuPercent::new(50.0).unwrap()
}

fn is_activity(row: &Row) -> bool {
    matches!(row.decision, Decision::ScaleOut { .. } | Decision::ScaleIn { .. })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn the_fast_replay_equals_the_plain_one(case in case()) {
        prop_assert_eq!(case.outcome(u32::MAX), Some(Outcome::of(&case.rows(), ceiling())));
    }

    #[test]
    fn giving_up_early_gives_up_exactly_the_policies_that_break_the_ceiling(case in case(), allowed in 0..40_u32) {
        let whole = Outcome::of(&case.rows(), ceiling());
        let expected = Some(whole).filter(|outcome| outcome.minutes_over <= allowed);
        prop_assert_eq!(case.outcome(allowed), expected);
    }

    #[test]
    fn capacity_stays_within_its_limits_and_someone_always_serves(case in case()) {
        let group = case.policy.group();
        for row in case.rows() {
            prop_assert!(group.min_size <= row.desired && row.desired <= group.max_size);
            prop_assert!(Instances(1) <= row.serving && row.serving <= row.in_service);
            prop_assert!(row.in_service <= row.desired && row.desired <= row.billed);
        }
    }

    #[test]
    fn two_activities_are_never_closer_than_the_cooldown(case in case()) {
        let rows = case.rows();
        let at: Vec<usize> = (0..rows.len()).filter(|minute| is_activity(&rows[*minute])).collect();
        let cooldown = case.policy.group().cooldown.to_minutes_rounded_up().0 as usize;
        for pair in at.windows(2) {
            let activity = match rows[pair[0]].decision {
                Decision::ScaleOut { .. } => case.dynamics.launch.0,
                _ => case.dynamics.drain.0,
            };
            prop_assert!(pair[0] + activity as usize + cooldown <= pair[1]);
        }
    }

    #[test]
    fn desired_capacity_changes_only_by_a_decision(case in case()) {
        for pair in case.rows().windows(2) {
            prop_assert_eq!(pair[0].desired != pair[1].desired, is_activity(&pair[1]));
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
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_sweep_is_the_same_on_any_number_of_threads(
        case in case(),
        triggers in proptest::collection::vec(trigger(), 1..120),
    ) {
        let with_group = |trigger| ScalingPolicy::new(trigger, *case.policy.group()).unwrap();
        let policies: Vec<ScalingPolicy> = triggers.into_iter().map(with_group).collect();
        let on = |threads| {
            let threads = NonZero::new(threads).unwrap();
            sweep(&case.load, &policies, &case.dynamics, case.question(10), threads, &|_| ())
        };
        let alone = on(1);
        let one_by_one = policies.iter().filter_map(|policy| {
            simulate(&case.load, policy, &case.dynamics, case.question(10)).map(|outcome| (*policy, outcome))
        });
        let kept: Vec<_> = alone.iter().map(|evaluated| (evaluated.policy, evaluated.outcome)).collect();
        prop_assert_eq!(kept, one_by_one.collect::<Vec<_>>());
        prop_assert_eq!(on(3), alone);
    }
}
