//! What lets a reader believe the advice and choose: the bound below which nothing can be, days that the choice had not
//! seen, days drawn anew, and what else could be taken.

use pipeline::archive::memory::MemoryArchive;
use pipeline::documents::{FrontierStepDocument, OptionDocument, RecommendationDocument, VerdictDocument};
use pipeline::publish::{self, PublishRequest};
use pipeline::refit::{self, RefitRequest};
use pipeline::sweep::{GridOverrides, Margins, SweepRequest};
use pipeline::values::Price;
use proptest::prelude::*;
use scaling::adjustment::Adjustment;
use scaling::alarm::AlarmRule;
use scaling::clairvoyant::fewest_instance_minutes;
use scaling::coefficient::FitRules;
use scaling::course::{CapacityChange, Course};
use scaling::days::{by_day, days};
use scaling::dynamics::{Dynamics, Monitoring};
use scaling::frontier::{knee, thinned};
use scaling::light::Light;
use scaling::plan::{Alarm, Measure, Plan, Rule, Side, Simple};
use scaling::policy::{Group, ScalingPolicy, Trigger};
use scaling::reference::replay;
use scaling::resampled::{self, resampled};
use scaling::sample::{Metric, Sample};
use scaling::simulate::{Outcome, Question, simulate};
use scaling::sweep::Setting;
use scaling::traffic::Load;
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds, Window};
use scaling::walk_forward::{cost_over, split};

use crate::{agreement, block_on, stages, told};

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
    assert!(cost_over(&eager.outcome, &late.outcome) > 0.0 && cost_over(&late.outcome, &eager.outcome) < 0.0);
    assert!(cost_over(&eager.outcome, &eager.outcome).abs() < 1e-12);
    let then = replay(&load, &setting(&load).scenario(&eager.policy))[2879].desired;
    assert_eq!(split.size_then(&setting(&load), &eager.policy), then);
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
    let limits_at = |minute| {
        let Group { min_size, max_size, cooldown } =
            course.limits_at(MinuteUtc::new(minute).unwrap(), limits(3, 8));
        (min_size.0, max_size.0, cooldown.0)
    };
    assert_eq!([5, 6, 8, 21].map(limits_at), [(3, 8, 60), (2, 9, 60), (4, 9, 60), (1, 9, 60)]);
}

#[test]
fn a_replay_begins_with_the_limits_that_were_scheduled_before() {
    let at = MinuteUtc::new(0).unwrap();
    let (min_size, max_size) = (Some(Instances(4)), Some(Instances(9)));
    let change = CapacityChange { at, min_size, max_size, desired_capacity: None };
    let load = Load { start: at + Minutes(600), ..load(vec![10.0; 60]) };
    let course = Course::new(vec![change], vec![]).unwrap();
    let policy = ScalingPolicy::new(*policy(90.0, 50.0).trigger(), limits(1, 5)).unwrap();
    let desired = |initial| {
        let setting = Setting { course: course.clone(), initial: Instances(initial), ..setting(&load) };
        let rows = replay(&load, &setting.scenario(&policy));
        let fast = setting.simulate(&policy, Question::whatever_it_takes(percent(50.0)));
        assert_eq!(fast, Some(Outcome::of(&rows, percent(50.0))));
        (rows[0].serving.0, rows[59].desired.0)
    };
    // Those that were there were allowed then; nobody waits for the boot of those that have long been there.
    assert_eq!([1, 8].map(desired), [(4, 4), (8, 4)]);
}

/// Days that cost and show so much.
#[test]
fn hindsight_keeps_to_limits_that_were_set_in_the_days_before() {
    let load = days_of(&[50.0; 7]);
    let min_size = Some(Instances(4));
    let at = load.start + Minutes(10);
    let change = CapacityChange { at, min_size, max_size: None, desired_capacity: None };
    let setting = Setting { course: Course::new(vec![change], vec![]).unwrap(), ..setting(&load) };
    let split = split(&load).unwrap();
    let later = split.judging_load(&load);
    let seen = Setting { load: &later, ..setting.clone() };
    let judged = split.judged(&setting, &policy(90.0, 50.0), percent(45.0)).outcome;
    let alone = seen.simulate(&policy(90.0, 50.0), Question::whatever_it_takes(percent(45.0))).unwrap();
    let four = 4 * later.demand_percent.len() as u64;
    assert_eq!([judged, alone].map(|outcome| outcome.billed_instance_minutes / 100), [four / 100; 2]);
}

#[test]
fn traffic_that_comes_later_comes_otherwise_to_bins_of_five_minutes() {
    let load =
        load((0..40_u32).map(|minute| (20.0 + 2.0 * f64::from(minute.max(4) - 4)).min(48.0)).collect());
    let dynamics = Dynamics { monitoring: Monitoring::Basic, ..delays(1, 3, 1) };
    let setting = Setting { dynamics, initial: Instances(1), ..setting(&load) };
    let trigger = Trigger { period: Minutes(5), ..*policy(25.0, 3.0).trigger() };
    let policy = ScalingPolicy::new(trigger, Group { cooldown: Seconds(360), ..limits(1, 20) }).unwrap();
    let highest = |setting: &Setting<'_>| {
        setting.simulate(&policy, Question::whatever_it_takes(percent(100.0))).unwrap().max_cpu_percent
    };
    let later = (1..5).map(|minutes| highest(&Light::Shifted(Minutes(minutes)).on(&setting).setting()));
    assert_eq!((highest(&setting), later.collect::<Vec<_>>()), (40.0, vec![48.0, 46.0, 44.0, 42.0]));
}

#[test]
fn each_light_is_what_it_says() {
    let load = Load { stray_percent: vec![1.0, -1.0, 2.0], ..load(vec![40.0, f64::NAN, 80.0]) };
    let setting = Setting { dynamics: delays(1, 2, 0), ..setting(&load) };
    let whatever = |light: Light| light.on(&setting);
    let demand = |light| whatever(light).load.demand_percent;
    for twice in [demand(Light::Amplified(2.0)), demand(Light::CostlierRequests(2.0))] {
        assert!(twice[1].is_nan());
        assert_eq!(vec![twice[0], twice[2]], vec![80.0, 160.0]);
    }
    let slower = whatever(Light::SlowerLaunch(Minutes(4)));
    assert_eq!(slower.dynamics, Dynamics { launch: Minutes(4), ..setting.dynamics });
    let later = whatever(Light::LaterMetrics).dynamics;
    let metric_delay = Minutes(setting.dynamics.metric_delay.0 + 1);
    let balancer_delay = Minutes(setting.dynamics.balancer_delay.0 + 1);
    assert_eq!(later, Dynamics { metric_delay, balancer_delay, ..setting.dynamics });
    let shifted = whatever(Light::Shifted(Minutes(2))).load;
    assert_eq!(shifted.start, load.start);
    assert_eq!((shifted.demand_percent.len(), &shifted.demand_percent[..3]), (5, &[40.0; 3][..]));
    assert_eq!(shifted.demand_percent[4..], [80.0]);
    assert_eq!(shifted.stray_percent, [1.0, 1.0, 1.0, -1.0, 2.0]);
}

#[test]
fn dearer_requests_are_as_many_to_an_alarm_that_counts_them_and_cost_more_cpu() {
    // 60 % for 3000 requests are at the threshold, and not over it.
    let load = Load { coefficient: 0.02, ..load(vec![60.0; 30]) };
    let setting = setting(&load);
    let alarm =
        |threshold, side| Alarm { threshold, side, period: Minutes(1), rule: AlarmRule::beanstalk(1) };
    let [on_high, on_low] = [1, -1].map(Adjustment::ChangeInCapacity);
    let (high, low) = (alarm(3_000.0, Side::Above), alarm(10.0, Side::Below));
    let rule = Rule::Simple(Simple { high, on_high, low, on_low });
    let plan = Plan { rule, group: limits(1, 9), measure: Measure::RequestCount };
    let outcome = |light: Light| {
        let lit = light.on(&setting);
        let outcome = lit.setting().simulate(plan.clone(), Question::whatever_it_takes(percent(100.0)));
        outcome.map(|outcome| (outcome.scale_outs, outcome.max_cpu_percent.round()))
    };
    for (factor, highest) in [(1.1, 33.0), (1.37, 41.0), (1.9, 57.0)] {
        assert_eq!(outcome(Light::CostlierRequests(factor)), Some((0, highest)), "{factor}");
    }
    assert_eq!(outcome(Light::Amplified(1.1)).map(|(scale_outs, _)| scale_outs), Some(7));
}

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
    assert!((0.5..0.9).contains(&found.cheapest) && (0.5..0.9).contains(&found.as_good), "{found:?}");
    assert_eq!((found.days, found.holds, found.saving), (4, 1.0, None));
    // The highest CPU of a sample is that of some day; the day of 43 is in two samples of three.
    assert!(found.max_cpu_percent.low < 43.0 && found.max_cpu_percent.high > 42.9, "{found:?}");
    assert_eq!(resampled(asked(&chosen, &kept, None)), Some(found));
}

#[test]
fn a_choice_that_is_near_the_cheapest_is_as_good_and_one_that_is_over_is_none() {
    let chosen = outcomes(&[(1009, 0, 40.0); 7]);
    let cheaper = outcomes(&[(1000, 0, 40.0); 7]);
    let over = outcomes(&[(10, 1, 60.0); 7]);
    let found = resampled(asked(&chosen, &[cheaper, over.clone()], None)).unwrap();
    assert_eq!((found.cheapest, found.as_good, found.holds), (0.0, 1.0, 1.0));
    assert_eq!(resampled(asked(&over, &[], None)).map(|found| found.holds), Some(0.0));
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

/// A week of a slow wave on three instances, each day as busy as `days` say; CPU is 2 + 0.01 for each request a minute
/// and instance, and a little to and fro.
fn week(days: [f64; 7]) -> Vec<Sample> {
    let at =
        |minute: u32| stages::on_three(minute, (stages::wave(minute) * days[minute as usize / 1440]).round());
    (0..7 * 1440).map(at).collect()
}

const CALM: [f64; 7] = [0.8, 1.0, 0.9, 1.0, 0.95, 0.85, 1.0];

fn advised_on(samples: Vec<Sample>, request: SweepRequest) -> RecommendationDocument {
    sweep(&fitted(samples), request)
}

fn whole_week() -> Window {
    Window { start: stages::at(0), end: stages::at(7 * 1440 - 3) }
}

fn fitted(samples: Vec<Sample>) -> MemoryArchive {
    fitted_with(samples, Some(stages::options()))
}

fn fitted_with(samples: Vec<Sample>, options: Option<Vec<OptionDocument>>) -> MemoryArchive {
    let archive = MemoryArchive::default();
    stages::ingest_with(&archive, samples, options).unwrap();
    let window = whole_week();
    let (environment, rules) = (stages::environment(), FitRules::default());
    let fit = RefitRequest { environment, window, rules, ceiling: None, load_test: None };
    block_on(refit::run(&archive, fit)).unwrap();
    archive
}

fn sweep(archive: &MemoryArchive, request: SweepRequest) -> RecommendationDocument {
    stages::sweep(archive, SweepRequest { window: whole_week(), ..request }).unwrap().document
}

fn plain(advice: &RecommendationDocument) -> String {
    pipeline::advice::message(advice).body.replace('\n', " ")
}

#[test]
fn advice_is_put_to_the_test_of_days_that_it_had_not_seen() {
    let advice = advised_on(week(CALM), stages::sweep_request());
    let walk = advice.walk_forward.as_ref().unwrap();
    assert_eq!((walk.days_choosing, walk.days_judging), (5, 2));
    let cost = walk.cost_over_best.unwrap();
    assert!(walk.chosen.as_ref().is_some_and(|chosen| chosen.outcome.minutes_over == 0), "{walk:?}");
    assert!((0.0..0.2).contains(&cost), "{walk:?}");
    let body = plain(&advice);
    let said = format!(
        "Beyond this record: settings chosen by the first 5 days alone take {:.1} % more",
        cost * 100.0
    );
    assert!(body.contains(&said) && body.contains("% in no minute of them (highest CPU"), "{body}");
}

/// Five days on which one instance is not enough for what comes all of a sudden, and two on which it is.
fn sudden() -> Vec<Sample> {
    let at = |minute: u32| {
        let busy = minute % 720 >= 360 && minute < 5 * 1440;
        stages::on_three(minute, f64::from(if busy { 7000 } else { 1500 } + minute * 37 % 900))
    };
    (0..7 * 1440).map(at).collect()
}

#[test]
fn what_a_choice_cost_is_held_against_the_cheapest_of_the_days_that_judge() {
    let advice = advised_on(sudden(), stages::sweep_request());
    let walk = advice.walk_forward.as_ref().unwrap();
    let (cost, chosen) = (walk.cost_over_best.unwrap(), walk.chosen.as_ref().unwrap());
    // Two instances where one would have done.
    assert!(chosen.outcome.minutes_over == 0 && (0.9..1.1).contains(&cost), "{cost} {walk:?}");
}

#[test]
fn settings_must_hold_if_requests_cost_as_much_as_they_may() {
    let costs = [0.97, 1.03, 1.0, 0.98, 1.02, 1.01, 0.99];
    let varied = week(CALM).into_iter().enumerate().map(|(minute, mut sample)| {
        let [cpu, requests] =
            [Metric::CpuPercent, Metric::Requests].map(|metric| sample.get(metric).unwrap());
        let more = (costs[minute / 1440] - 1.0) * 0.01 * requests / 3.0;
        sample.set(Metric::CpuPercent, cpu + more).unwrap();
        sample
    });
    let advice = advised_on(varied.collect(), stages::sweep_request());
    let fit = advice.model.fit.as_ref().unwrap();
    let factor = fit.confidence.as_ref().unwrap().coefficient.high / fit.coefficient;
    assert!(factor > 1.005, "{factor}");
    let costlier = format!("requests that cost {factor:.2} times as much");
    assert!(advice.holds_with.contains(&costlier), "{costlier}: {:?}", advice.holds_with);
}

#[test]
fn days_that_are_busier_than_any_before_show_what_the_choice_was_worth() {
    let busier = [1.0, 1.0, 1.0, 1.0, 1.0, 1.7, 1.7];
    let advice = advised_on(week(busier), stages::sweep_request());
    let chosen = advice.walk_forward.as_ref().and_then(|walk| walk.chosen.clone()).unwrap();
    assert!(chosen.outcome.minutes_over > 0, "{chosen:?}");
    assert_eq!(advice.recommended.as_ref().map(|policy| policy.outcome.minutes_over), Some(0));
    assert!(
        plain(&advice).contains(&format!("in {} minutes of them", chosen.outcome.minutes_over)),
        "{}",
        plain(&advice)
    );
}

#[test]
fn a_saving_is_told_with_what_it_would_be_on_days_drawn_anew() {
    let advice = advised_on(week(CALM), stages::sweep_request());
    let (resampled, now) =
        (advice.resampled.unwrap(), advice.present.as_ref().unwrap().outcome.clone().unwrap());
    let then = &advice.recommended.as_ref().unwrap().outcome;
    let (saving, saved) = (resampled.saving.unwrap(), 1.0 - then.instance_hours / now.instance_hours);
    assert!(
        saving.low < saved && saved < saving.high && saving.high - saving.low < 0.1,
        "{saving:?} {saved}"
    );
    assert_eq!((resampled.days, resampled.resamples, resampled.holds), (7, 200, 1.0));
    assert!((resampled.max_cpu_percent.high - then.max_cpu_percent).abs() < 1e-9);
    assert!(resampled.cheapest <= resampled.as_good);
    assert!(
        plain(&advice).contains("On 200 draws of 7 days out of these, the recommended settings"),
        "{}",
        plain(&advice)
    );
}

#[test]
fn two_days_are_too_few_to_say_anything_beyond_them() {
    let (_, advice) = stages::with_advice();
    assert!(advice.walk_forward.is_none() && advice.resampled.is_none());
    assert!(!plain(&advice).contains("Beyond this record"));
}

#[test]
fn no_pick_is_below_the_bound_and_the_safe_one_bears_half_as_much_again() {
    let (_, advice) = stages::with_advice();
    let (picks, bound) = (advice.picks.as_ref().unwrap(), advice.fewest_instance_hours.unwrap());
    assert_eq!(picks.balanced.options, advice.recommended.as_ref().unwrap().options);
    assert_eq!(Some(picks.balanced.room), advice.room);
    let [cheap, balanced, safe] =
        [&picks.cheap, &picks.balanced, &picks.safe].map(|pick| pick.outcome.instance_hours);
    assert!(bound <= cheap && cheap <= balanced && cheap <= safe, "{bound} {picks:?}");
    assert!(picks.safe.room >= picks.balanced.room.max(1.5), "{picks:?}");
    assert!(picks.balanced.room < picks.safe.room || picks.balanced == picks.safe, "{picks:?}");
    assert_eq!(picks.cheap.outcome.minutes_over, 0, "{picks:?}");
    assert!(
        plain(&advice).contains(&format!("no setting can take less than {bound:.1}")),
        "{}",
        plain(&advice)
    );
}

/// The cheapest pick holds the traffic as it was, and not a quarter more; it has points of one minute.
#[test]
fn what_was_told_before_holds_only_if_it_does_in_all_lights() {
    let archive = fitted(sudden());
    let first = sweep(&archive, stages::sweep_request());
    let request = PublishRequest { until: whole_week().end, ..stages::publish_request() };
    block_on(publish::run(&archive, &stages::Mailbox::default(), &request)).unwrap();
    let told = |options: Vec<OptionDocument>| {
        told::tell_earlier(&archive, options);
        sweep(&archive, stages::sweep_request()).told.unwrap()
    };
    let cheap = told(first.picks.unwrap().cheap.options);
    assert!(cheap.outcome.minutes_over == 0 && !cheap.holds, "{cheap:?}");
    assert!(told(first.recommended.unwrap().options).holds);
}

/// Where the cheapest don't bear as much, dearer settings are looked for that do.
#[test]
fn the_safe_pick_is_the_cheapest_that_bears_half_as_much_again() {
    let grid = GridOverrides { max_sizes: Some(vec![Instances(4)]), ..stages::sweep_request().grid };
    let request = SweepRequest { ceiling: Some(percent(36.0)), grid, ..stages::sweep_request() };
    let picks = advised_on(sudden(), request.clone()).picks.unwrap();
    assert!(picks.cheap.room < 1.5 && picks.balanced.room < 1.5 && 1.5 <= picks.safe.room, "{picks:?}");
    let margins = Margins { amplified: vec![1.1, 1.25, 1.5], ..request.margins.clone() };
    let asked = advised_on(sudden(), SweepRequest { margins, ..request }).recommended.unwrap();
    let [safe, asked] = [&picks.safe.outcome, &asked.outcome].map(|outcome| outcome.instance_hours);
    assert!(1.1 * picks.balanced.outcome.instance_hours < safe, "{picks:?}");
    assert!(asked <= safe && safe < 1.01 * asked, "{asked} {safe}");
}

/// A week of slow waves, of which no minute is like the next.
fn rough() -> Vec<Sample> {
    let at = |minute: u32| {
        let random = f64::from((minute + 34).wrapping_mul(2_654_435_761) >> 16) / 65_536.0;
        stages::on_three(minute, (stages::wave(minute) * (0.75 + 0.5 * random)).round())
    };
    (0..7 * 1440).map(at).collect()
}

#[test]
fn where_none_bears_half_as_much_again_the_safe_pick_is_the_one_that_bears_the_most() {
    let grid = GridOverrides { max_sizes: Some(vec![Instances(3)]), ..stages::sweep_request().grid };
    let picks = advised_on(rough(), SweepRequest { grid, ..stages::sweep_request() }).picks.unwrap();
    let [cheap, balanced, safe] = [&picks.cheap, &picks.balanced, &picks.safe].map(|pick| pick.room);
    assert!(cheap <= balanced && balanced < safe && safe < 1.5, "{picks:?}");
}

#[test]
fn the_frontier_says_what_minutes_over_buy() {
    let (_, advice) = stages::with_advice();
    let frontier = &advice.frontier;
    assert!((2..=50).contains(&frontier.len()), "{}", frontier.len());
    let is_falling = |pair: &[FrontierStepDocument]| {
        pair[0].minutes_over < pair[1].minutes_over && pair[1].instance_hours < pair[0].instance_hours
    };
    assert!(frontier.windows(2).all(is_falling), "{frontier:?}");
    let first = &frontier[0];
    assert!(
        first.minutes_over == 0 && first.instance_hours <= advice.picks.unwrap().cheap.outcome.instance_hours
    );
}

#[test]
fn a_spike_that_makes_a_week_dear_is_told_first() {
    let spiked_and_asked = |spike: f64, request: SweepRequest| {
        let mut samples = week(CALM);
        let values = [
            (Metric::Requests, spike),
            (Metric::CpuPercent, 2.0 + 0.01 * spike / 3.0),
            (Metric::InService, 3.0),
        ];
        for minute in [4000, 4001] {
            samples[minute as usize] = stages::sample(minute, &values);
        }
        advised_on(samples, request)
    };
    let spiked = |spike: f64| spiked_and_asked(spike, stages::sweep_request());
    let dear = spiked(18_000.0);
    let taken = dear.recommended.as_ref().unwrap().outcome.instance_hours;
    let step = dear.frontier.iter().find(|step| step.instance_hours < 0.8 * taken).unwrap();
    assert!((1..=10).contains(&step.minutes_over), "{step:?}");
    let minutes = format!("{} minute{}", step.minutes_over, if step.minutes_over == 1 { "" } else { "s" });
    let said = format!(
        "The hardest minutes make them dear: with {minutes} of {} allowed at or over {:.1} %, on this traffic and no more, \
         {:.1} instance hours would do, {:.0} % fewer (trellis sweep --allow-over {},",
        dear.traffic.minutes,
        dear.cpu_held_percent,
        step.instance_hours,
        (1.0 - step.instance_hours / taken) * 100.0,
        step.minutes_over
    );
    assert!(plain(&dear).contains(&said), "{said}\n{}", plain(&dear));
    let request = SweepRequest { minutes_over_allowed: step.minutes_over, ..stages::sweep_request() };
    let allowed = spiked_and_asked(18_000.0, request);
    let said = format!("settings that keep CPU under 50 % in all but {minutes}. ");
    assert!(plain(&allowed).contains(&said), "{}", plain(&allowed));
    assert!(allowed.recommended.as_ref().unwrap().outcome.instance_hours < taken);
    let usual = spiked(5_000.0);
    assert!(!plain(&usual).contains("hardest minutes"), "{}", plain(&usual));
}

#[test]
fn a_frontier_keeps_its_ends_and_its_knee() {
    // Two straight lines that meet at a step that no even spacing would keep.
    let cost = |over: usize| (1000.0 - 20.0 * over as f64).max(263.7 - 0.1 * over as f64);
    let steps: Vec<(f64, f64)> = (0..=200).map(|over| (over as f64, cost(over))).collect();
    assert_eq!(knee(&steps), Some(37));
    let kept = thinned(&steps, 10);
    assert!(kept.len() <= 10 && kept.contains(&37), "{kept:?}");
    assert!(kept.first() == Some(&0) && kept.last() == Some(&200) && kept.is_sorted(), "{kept:?}");
    assert_eq!(thinned(&steps[..2], 10), [0, 1]);
    assert_eq!(knee(&steps[..2]), None);
}

#[test]
fn other_ceilings_are_told_where_they_differ_from_the_one_that_is_held() {
    let (_, advice) = stages::with_advice();
    let ceilings: Vec<f64> = advice.other_ceilings.iter().map(|other| other.cpu_ceiling_percent).collect();
    assert_eq!((advice.cpu_ceiling_percent, ceilings), (50.0, vec![40.0, 60.0]));
    let cheapest = |place: usize| advice.other_ceilings[place].cheapest.as_ref().unwrap().outcome.clone();
    let [low, high] = [0, 1].map(cheapest);
    assert!(high.instance_hours <= low.instance_hours && low.max_cpu_percent < 40.0 && low.minutes_over == 0);
    assert!(50.0 <= high.max_cpu_percent && high.max_cpu_percent < 60.0, "{high:?}");
    assert!(plain(&advice).contains(&format!("{:.1} under 40 %", low.instance_hours)), "{}", plain(&advice));
}

#[test]
fn a_price_says_what_a_month_costs_now_and_then() {
    let (archive, without) = stages::with_advice();
    assert!(without.price.is_none() && !plain(&without).contains("USD"));
    let request = SweepRequest { price: Price::new(0.05).ok(), ..stages::sweep_request() };
    let advice = stages::sweep(&archive, request).unwrap().document;
    let price = advice.price.unwrap();
    // Three instances, 30.4 days of 24 hours.
    assert!((price.now_usd_per_month.unwrap() - 3.0 * 30.4 * 24.0 * 0.05).abs() < 1e-6, "{price:?}");
    let (now, then) = (
        advice.present.as_ref().unwrap().outcome.clone().unwrap(),
        &advice.recommended.as_ref().unwrap().outcome,
    );
    let share = price.then_usd_per_month.unwrap() / price.now_usd_per_month.unwrap();
    assert!((share - then.instance_hours / now.instance_hours).abs() < 1e-9);
    assert!(plain(&advice).contains("USD a month of 30.4 days         109"), "{}", plain(&advice));
    assert_eq!(advice.advice_id, without.advice_id);
}

#[test]
fn what_is_no_price_is_refused() {
    for text in ["0", "-0.1", "nan", "inf"] {
        let refused = text.parse::<Price>().unwrap_err();
        assert!(refused.starts_with("the price of an instance-hour must be above 0 USD, not `"), "{refused}");
    }
    assert_eq!("cheap".parse::<Price>(), Err("`cheap` is not a number of USD".to_owned()));
}

/// Nothing holds 30 % on one instance.
fn too_small() -> SweepRequest {
    let grid = GridOverrides { max_sizes: Some(vec![Instances(1)]), ..stages::sweep_request().grid };
    SweepRequest { ceiling: Some(percent(30.0)), grid, ..stages::sweep_request() }
}

#[test]
fn where_none_holds_the_message_says_which_minimum_would() {
    let (archive, _) = stages::with_advice();
    let advice = stages::sweep(&archive, too_small()).unwrap().document;
    let would = advice.would_hold.clone().unwrap();
    let min = would.min_size.unwrap();
    assert_eq!((would.max_size, advice.verdict), (Some(min), VerdictDocument::NoneHolds));
    assert!(
        plain(&advice).contains(&format!("The closest would hold with MinSize {min} and MaxSize {min}."))
    );
    let with_fixed = |size: u32| {
        let grid = GridOverrides {
            min_sizes: Some(vec![Instances(size)]),
            max_sizes: Some(vec![Instances(size)]),
            ..too_small().grid
        };
        stages::sweep(&archive, SweepRequest { grid, ..too_small() }).unwrap().document.verdict
    };
    assert!(
        with_fixed(min) != VerdictDocument::NoneHolds && with_fixed(min - 1) == VerdictDocument::NoneHolds
    );
}

/// Five days, each with an hour from 9 on that comes within a minute.
fn rush() -> Vec<Sample> {
    let at = |minute: u32| {
        let rush = (540..600).contains(&(minute % 1440));
        stages::on_three(minute, f64::from(if rush { 9000 } else { 1500 } + minute * 37 % 300))
    };
    (0..5 * 1440).map(at).collect()
}

#[test]
fn where_none_holds_a_rush_at_the_same_hour_every_day_can_be_met_by_schedule() {
    let grid = GridOverrides {
        upper_thresholds: Some(vec![percent(40.0)]),
        lower_thresholds: Some(vec![percent(10.0)]),
        min_sizes: Some(vec![Instances(1)]),
        max_sizes: Some(vec![Instances(6)]),
        ..stages::sweep_request().grid
    };
    // The present settings, a larger group, would hold.
    let advice = sweep(&fitted_with(rush(), None), SweepRequest { grid, ..stages::sweep_request() });
    assert_eq!(advice.verdict, VerdictDocument::NoneHolds);
    let would = advice.would_hold.as_ref().unwrap();
    let scheduled = would.scheduled.as_ref().unwrap();
    assert_eq!(Some(scheduled.min_size), would.min_size);
    // Four minutes until an instance serves, ten to spare, and full five minutes; it goes on until the alarms have caught up.
    let [raise, lower] = &scheduled.recurrences;
    assert_eq!((raise.as_str(), lower.split(' ').nth(1)), ("45 8 * * *", Some("9")), "{scheduled:?}");
    let all_day = scheduled.all_day_instance_hours.unwrap();
    assert!(scheduled.instance_hours < 0.5 * all_day, "{scheduled:?}");
    let (min, when) = (scheduled.min_size, &scheduled.when);
    let said = format!("with MinSize {min} from {when} alone, by scheduled actions");
    assert!(plain(&advice).contains(&said), "{}", plain(&advice));
}

#[test]
fn of_settings_that_hold_the_traffic_as_it_was_and_no_more_it_is_said() {
    let two = Some(vec![Instances(2)]);
    let grid = GridOverrides { min_sizes: two.clone(), max_sizes: two, ..stages::sweep_request().grid };
    let archive = fitted_with(stages::two_days(), None);
    let advice = sweep(&archive, SweepRequest { grid, ..stages::sweep_request() });
    let over = advice.recommended.as_ref().map(|closest| closest.outcome.minutes_over);
    assert_eq!((advice.verdict, over), (VerdictDocument::NoneHolds, Some(0)));
    assert!(!advice.closest_fails_with.is_empty());
    let said = "in all that they have to bear: the closest do in the traffic as it was, and not with 1.";
    assert!(plain(&advice).contains(said), "{}", plain(&advice));
}

#[test]
fn what_comes_at_any_hour_can_not_be_met_by_schedule() {
    let advice = stages::sweep(&stages::with_advice().0, too_small()).unwrap().document;
    assert_eq!(advice.would_hold.unwrap().scheduled, None);
}

#[test]
fn where_none_holds_the_message_says_whether_a_faster_start_would_do() {
    let (archive, _) = stages::with_advice();
    let dynamics = Dynamics { boot: Minutes(79), ..Dynamics::default() };
    let grid = GridOverrides {
        upper_thresholds: Some(vec![percent(25.0)]),
        lower_thresholds: Some(vec![percent(4.0)]),
        periods: Some(vec![Minutes(1)]),
        ..stages::sweep_request().grid
    };
    let request = SweepRequest { dynamics, grid, ceiling: Some(percent(30.0)), ..stages::sweep_request() };
    let advice = stages::sweep(&archive, request).unwrap().document;
    assert_eq!(advice.verdict, VerdictDocument::NoneHolds);
    let would = advice.would_hold.clone().unwrap();
    assert_eq!((would.startup_minutes, would.startup_minutes_now), (Some(40), 80), "{would:?}");
    assert!(plain(&advice).contains("an instance served 40 minutes after it is asked for, in place of 80"));
}

#[test]
fn advice_of_before_still_reads() {
    let (_, advice) = stages::with_advice();
    let mut value = serde_json::to_value(&advice).unwrap();
    let new = ["fewest_instance_hours", "picks", "frontier", "other_ceilings"];
    for field in new {
        assert!(value.as_object_mut().unwrap().remove(field).is_some(), "{field}");
    }
    let old: RecommendationDocument = serde_json::from_value(value).unwrap();
    assert!(old.picks.is_none() && old.frontier.is_empty() && !plain(&old).contains("To choose"));
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
