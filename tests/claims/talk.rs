//! The talk's published numbers.

use scaling::cpu_model::CpuModel;
use scaling::talk::{COEFFICIENT, TalkPolicy, best, simulate, sweep};
use scaling::traffic::{Load, Stage, Traffic};
use scaling::units::{MinuteUtc, Minutes, RequestsPerMinute};

fn load_with_minutes_in_front(minutes: u32) -> Vec<f64> {
    let stage =
        |minutes, rpm| Stage { duration: Minutes(minutes), target: RequestsPerMinute::new(rpm).unwrap() };
    let stages = [stage(10, 30_000.0), stage(8, 150_000.0), stage(30, 150_000.0)];
    let traffic = Traffic::staged(&stages, MinuteUtc::new(0).unwrap()).unwrap();
    let load = Load::new(&traffic, CpuModel::new(0.0, COEFFICIENT).unwrap()).demand_percent;
    let in_front = vec![3_000.0 * COEFFICIENT; minutes as usize];
    [in_front, load].concat()
}

#[test]
fn the_published_row_comes_out_to_every_printed_digit() {
    let kept = sweep(&load_with_minutes_in_front(0));
    let index = best(&kept).unwrap();
    let (policy, outcome) = kept[index];
    assert_eq!((index, policy.scale_up_increment), (4, 2));
    assert_eq!((policy.upper_threshold, policy.lower_threshold), (15.0, 10.0));
    assert_eq!(format!("{:.6}", outcome.mean_cpu_percent), "16.876191");
    assert_eq!(format!("{:.6}", outcome.max_cpu_percent), "39.226077");
}

#[test]
fn forty_policies_are_kept_and_none_adds_one_instance() {
    let kept = sweep(&load_with_minutes_in_front(0));
    assert_eq!(kept.len(), 40);
    assert!(kept.iter().all(|(policy, _)| policy.scale_up_increment >= 2 && policy.upper_threshold <= 15.0));
}

#[test]
fn the_slides_two_first_attempts_peak_at_91_53_percent() {
    for scale_up_increment in [1, 2] {
        let policy = TalkPolicy {
            scale_up_increment,
            scale_down_increment: 1,
            upper_threshold: 25.0,
            lower_threshold: 15.0,
            start_up_time: 4,
        };
        let outcome = simulate(&load_with_minutes_in_front(0), policy, f64::INFINITY).unwrap();
        assert_eq!(format!("{:.2}", outcome.max_cpu_percent), "91.53");
    }
}

#[test]
fn minutes_in_front_move_the_optimum_as_published() {
    // minutes put in front, kept of 216, the winner's increment and upper threshold
    let expected = [
        (0, 40, Some((2, 15.0))),
        (1, 43, Some((1, 13.0))),
        (2, 43, Some((1, 13.0))),
        (3, 0, None),
        (4, 0, None),
        (5, 40, Some((2, 15.0))),
    ];
    for (minutes, count, winner) in expected {
        let kept = sweep(&load_with_minutes_in_front(minutes));
        let chosen =
            best(&kept).map(|index| (kept[index].0.scale_up_increment, kept[index].0.upper_threshold));
        assert_eq!((kept.len(), chosen), (count, winner), "{minutes} minutes in front");
    }
}
