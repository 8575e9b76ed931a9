//! The worked examples of simple scaling, minute by minute, and their variants.

use scaling::alarm::AlarmState;
use scaling::course::Course;
use scaling::dynamics::{Booting, Dynamics, GroupAverage, Monitoring};
use scaling::plan::{Measure, Plan, Rule, TargetTracking};
use scaling::policy::{Group, ScalingPolicy, Trigger};
use scaling::reference::{Decision, Row, Scenario, replay};
use scaling::simulate::{Outcome, Question, simulate};
use scaling::traffic::Load;
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds};

struct Example {
    load: Vec<f64>,
    plan: Plan,
    dynamics: Dynamics,
}

fn percent(value: f64) -> CpuPercent {
    CpuPercent::new(value).unwrap()
}

fn policy(upper: f64, lower: f64, window: (u32, u32), min: u32, cooldown: u32) -> ScalingPolicy {
    let trigger = Trigger {
        upper_threshold: percent(upper),
        lower_threshold: percent(lower),
        upper_breach_scale_increment: Instances(1),
        lower_breach_scale_increment: Instances(1),
        period: Minutes(window.0),
        evaluation_periods: window.1,
    };
    let group = Group { min_size: Instances(min), max_size: Instances(4), cooldown: Seconds(cooldown) };
    ScalingPolicy::new(trigger, group).unwrap()
}

fn steps(steps: &[(usize, f64)]) -> Vec<f64> {
    steps.iter().flat_map(|&(minutes, load)| vec![load; minutes]).collect()
}

fn example_a(cooldown: u32) -> Example {
    Example {
        load: steps(&[(5, 50.0), (21, 150.0), (18, 30.0)]),
        plan: (&policy(70.0, 20.0, (1, 1), 1, cooldown)).into(),
        dynamics: Dynamics::default(),
    }
}

/// The examples' bins are the mean of their minutes, whatever the number of instances.
fn example_b(monitoring: Monitoring, cooldown: u32) -> Example {
    let dynamics = Dynamics { monitoring, group_average: GroupAverage::OfMinutes, ..Dynamics::default() };
    Example {
        load: steps(&[(7, 60.0), (25, 160.0), (28, 60.0)]),
        plan: (&policy(70.0, 25.0, (5, 2), 2, cooldown)).into(),
        dynamics,
    }
}

impl Example {
    fn load(&self) -> Load {
        Load {
            start: MinuteUtc::new(0).unwrap(),
            intercept_percent: 0.0,
            coefficient: 1.0,
            demand_percent: self.load.clone(),
            stray_percent: vec![],
        }
    }

    fn rows(&self) -> Vec<Row> {
        replay(&self.load(), &self.scenario())
    }

    fn scenario(&self) -> Scenario {
        let (plan, dynamics) = (self.plan.clone(), self.dynamics);
        Scenario { plan, dynamics, course: Course::default(), initial: Instances(1) }
    }

    fn with(self, change: impl FnOnce(&mut Dynamics)) -> Self {
        let mut dynamics = self.dynamics;
        change(&mut dynamics);
        Self { dynamics, ..self }
    }
}

/// A row as the tables print it, without the minute.
fn printed(row: &Row) -> String {
    let number = |value: Option<f64>| format!("{}", (value.unwrap() * 10.0).round() / 10.0);
    let alarm = |state| match state {
        AlarmState::Ok => "OK",
        AlarmState::Alarm => "ALARM",
        AlarmState::InsufficientData => "INSUFFICIENT_DATA",
    };
    let action = match row.decision {
        Decision::NoBreach | Decision::WindowNotFull | Decision::InsufficientData => "".into(),
        Decision::ScaleOut { from, to } | Decision::ScaleIn { from, to } => format!("{} → {}", from.0, to.0),
        Decision::ActivityInProgress { .. } | Decision::Cooldown { .. } => "dropped (cooldown)".into(),
        Decision::AtMinSize => "none (at MinSize)".into(),
        Decision::WarmingUp => "none (warming)".into(),
        Decision::NoChange { capacity } => format!("formula {}, no change", capacity.0),
        Decision::AtMaxSize => "none (at MaxSize)".to_string(),
    };
    let (desired, in_service, serving) = (row.desired.0, row.in_service.0, row.serving.0);
    let (load, cpu, group) = (number(row.demand_percent), number(row.cpu_percent), number(row.measure));
    let (high, low) = (alarm(row.high), alarm(row.low));
    format!("{load} | {desired} | {in_service} | {serving} | {cpu} | {group} | {high} | {low} | {action}")
}

/// Equal rows merged, as the tables have them.
fn table(rows: &[Row]) -> Vec<String> {
    let mut merged: Vec<(usize, usize, String)> = Vec::new();
    for (minute, row) in rows.iter().enumerate() {
        let text = printed(row);
        match merged.last_mut() {
            Some((_, last, same)) if *same == text => *last = minute,
            _ => merged.push((minute, minute, text)),
        }
    }
    let minutes = |from, to| if from == to { format!("{from}") } else { format!("{from}–{to}") };
    merged
        .into_iter()
        .map(|(from, to, text)| format!("{} | {text}", minutes(from, to)).trim().into())
        .collect()
}

fn check(example: &Example, expected: &str, desired: u64, billed: u64) {
    let rows = example.rows();
    let expected: Vec<&str> = expected.trim().lines().map(str::trim).collect();
    assert_eq!(table(&rows), expected);
    check_sums(example, &rows, desired);
    assert_eq!(rows.iter().map(|row| u64::from(row.billed.0)).sum::<u64>(), billed);
}

fn check_sums(example: &Example, rows: &[Row], desired: u64) {
    assert_eq!(rows.iter().map(|row| u64::from(row.desired.0)).sum::<u64>(), desired);
    let question = Question::whatever_it_takes(percent(70.0));
    let fast = simulate(&example.load(), &example.scenario(), question);
    assert_eq!(fast, Some(Outcome::of(rows, percent(70.0))));
}

/// Minutes of scale-out, minutes of scale-in, desired minutes.
fn check_actions(example: &Example, outs: &[usize], ins: &[usize], desired: u64) {
    let rows = example.rows();
    let at = |wanted: fn(&Decision) -> bool| -> Vec<usize> {
        (0..rows.len()).filter(|minute| wanted(&rows[*minute].decision)).collect()
    };
    assert_eq!(at(|decision| matches!(decision, Decision::ScaleOut { .. })), outs);
    assert_eq!(at(|decision| matches!(decision, Decision::ScaleIn { .. })), ins);
    check_sums(example, &rows, desired);
}

#[test]
fn a_one_minute_trigger_comes_out_minute_by_minute() {
    let expected = "
        0–4 | 50 | 1 | 1 | 1 | 50 | 50 | OK | OK |
        5–6 | 150 | 1 | 1 | 1 | 100 | 100 | OK | OK |
        7 | 150 | 2 | 1 | 1 | 100 | 100 | ALARM | OK | 1 → 2
        8–9 | 150 | 2 | 2 | 1 | 100 | 55 | ALARM | OK | dropped (cooldown)
        10 | 150 | 2 | 2 | 1 | 100 | 55 | OK | OK |
        11–12 | 150 | 2 | 2 | 2 | 75 | 75 | OK | OK |
        13 | 150 | 2 | 2 | 2 | 75 | 75 | ALARM | OK | dropped (cooldown)
        14 | 150 | 3 | 2 | 2 | 75 | 75 | ALARM | OK | 2 → 3
        15–16 | 150 | 3 | 3 | 2 | 75 | 53.3 | ALARM | OK | dropped (cooldown)
        17 | 150 | 3 | 3 | 2 | 75 | 53.3 | OK | OK |
        18–25 | 150 | 3 | 3 | 3 | 50 | 50 | OK | OK |
        26–27 | 30 | 3 | 3 | 3 | 10 | 10 | OK | OK |
        28 | 30 | 2 | 2 | 2 | 15 | 15 | OK | ALARM | 3 → 2
        29–34 | 30 | 2 | 2 | 2 | 15 | 15 | OK | ALARM | dropped (cooldown)
        35 | 30 | 1 | 1 | 1 | 30 | 30 | OK | ALARM | 2 → 1
        36 | 30 | 1 | 1 | 1 | 30 | 30 | OK | ALARM | none (at MinSize)
        37–43 | 30 | 1 | 1 | 1 | 30 | 30 | OK | OK |";
    check(&example_a(360), expected, 86, 88);
}

#[test]
fn a_one_minute_trigger_is_over_70_percent_for_13_minutes() {
    let rows = example_a(360).rows();
    let over = |limit: f64| -> Vec<usize> {
        (0..rows.len()).filter(|minute| rows[*minute].cpu_percent.unwrap() > limit).collect()
    };
    assert_eq!(over(70.0), (5..=17).collect::<Vec<_>>());
    assert_eq!(over(99.9), (5..=10).collect::<Vec<_>>());
}

#[test]
fn a_one_minute_trigger_varies_as_calculated() {
    let left_out = |dynamics: &mut Dynamics| dynamics.booting = Booting::LeftOut;
    let delayed = |minutes| move |dynamics: &mut Dynamics| dynamics.metric_delay = Minutes(minutes);
    check_actions(&example_a(360).with(left_out), &[7, 14], &[28, 35], 86);
    check_actions(&example_a(360).with(delayed(0)), &[6, 13], &[27, 34], 86);
    check_actions(&example_a(360).with(delayed(2)), &[8, 15], &[29, 36], 86);
    check_actions(&example_a(60), &[7, 9], &[28, 30], 86);
    check_actions(&example_a(60).with(left_out), &[7, 9, 11], &[28, 30, 32], 107);
    check_actions(&example_a(0), &[7, 8, 9], &[28, 29, 30], 107);
    check_actions(&example_a(0).with(left_out), &[7, 8, 9], &[28, 29, 30], 107);
}

#[test]
fn an_alarm_stays_up_longer_where_booting_instances_are_left_out() {
    let rows = example_a(360).with(|dynamics| dynamics.booting = Booting::LeftOut).rows();
    let up: Vec<usize> = (0..rows.len()).filter(|minute| rows[*minute].high == AlarmState::Alarm).collect();
    assert_eq!(up, (7..=19).collect::<Vec<_>>());
}

#[test]
fn basic_monitoring_comes_out_minute_by_minute() {
    let expected = "
        0–6 | 60 | 2 | 2 | 2 | 30 | 30 | OK | OK |
        7–20 | 160 | 2 | 2 | 2 | 80 | 80 | OK | OK |
        21 | 160 | 3 | 2 | 2 | 80 | 80 | ALARM | OK | 2 → 3
        22–24 | 160 | 3 | 3 | 2 | 80 | 56.7 | ALARM | OK | dropped (cooldown)
        25 | 160 | 3 | 3 | 3 | 53.3 | 53.3 | ALARM | OK | dropped (cooldown)
        26–31 | 160 | 3 | 3 | 3 | 53.3 | 53.3 | OK | OK |
        32–45 | 60 | 3 | 3 | 3 | 20 | 20 | OK | OK |
        46 | 60 | 2 | 2 | 2 | 30 | 30 | OK | ALARM | 3 → 2
        47–50 | 60 | 2 | 2 | 2 | 30 | 30 | OK | ALARM | none (at MinSize)
        51–59 | 60 | 2 | 2 | 2 | 30 | 30 | OK | OK |";
    check(&example_b(Monitoring::Basic, 360), expected, 145, 146);
}

#[test]
fn detailed_monitoring_comes_out_minute_by_minute_and_fires_only_strictly_over() {
    // At minute 17 the older window averages exactly 70.0.
    let expected = "
        0–6 | 60 | 2 | 2 | 2 | 30 | 30 | OK | OK |
        7–17 | 160 | 2 | 2 | 2 | 80 | 80 | OK | OK |
        18 | 160 | 3 | 2 | 2 | 80 | 80 | ALARM | OK | 2 → 3
        19–21 | 160 | 3 | 3 | 2 | 80 | 56.7 | ALARM | OK | dropped (cooldown)
        22 | 160 | 3 | 3 | 3 | 53.3 | 53.3 | ALARM | OK | dropped (cooldown)
        23–31 | 160 | 3 | 3 | 3 | 53.3 | 53.3 | OK | OK |
        32–42 | 60 | 3 | 3 | 3 | 20 | 20 | OK | OK |
        43 | 60 | 2 | 2 | 2 | 30 | 30 | OK | ALARM | 3 → 2
        44–46 | 60 | 2 | 2 | 2 | 30 | 30 | OK | ALARM | none (at MinSize)
        47–59 | 60 | 2 | 2 | 2 | 30 | 30 | OK | OK |";
    check(&example_b(Monitoring::Detailed, 360), expected, 145, 146);
}

#[test]
fn five_minute_triggers_vary_as_calculated() {
    let later = |dynamics: &mut Dynamics| dynamics.metric_delay = Minutes(2);
    check_actions(&example_b(Monitoring::Basic, 120), &[21, 24], &[46, 49], 170);
    check_actions(&example_b(Monitoring::Detailed, 120), &[18, 21], &[42, 45], 168);
    check_actions(&example_b(Monitoring::Basic, 360).with(later), &[22, 29], &[47, 54], 170);
}

/// Warming instances are left out of the metric until five minutes after they came in service.
fn example_c() -> Example {
    let group = Group { min_size: Instances(2), max_size: Instances(6), cooldown: Seconds(360) };
    let rule = Rule::TargetTracking(TargetTracking::cpu(percent(40.0), Minutes(5)));
    Example {
        load: steps(&[(4, 70.0), (26, 140.0), (10, 110.0)]),
        plan: Plan { rule, group, measure: Measure::CpuUtilization },
        dynamics: Dynamics::default(),
    }
}

#[test]
fn target_tracking_comes_out_minute_by_minute() {
    let expected = "
        0–3 | 70 | 2 | 2 | 2 | 35 | 35 | OK | OK |
        4–7 | 140 | 2 | 2 | 2 | 70 | 70 | OK | OK |
        8 | 140 | 4 | 2 | 2 | 70 | 70 | ALARM | OK | 2 → 4
        9–11 | 140 | 4 | 4 | 2 | 70 | 70 | ALARM | OK | formula 4, no change
        12–13 | 140 | 4 | 4 | 4 | 35 | 35 | ALARM | OK | formula 4, no change
        14–27 | 140 | 4 | 4 | 4 | 35 | 35 | OK | OK |
        28–29 | 140 | 4 | 4 | 4 | 35 | 35 | OK | ALARM | formula 4, no change
        30–31 | 110 | 4 | 4 | 4 | 27.5 | 27.5 | OK | ALARM | formula 4, no change
        32 | 110 | 3 | 3 | 3 | 36.7 | 36.7 | OK | ALARM | 4 → 3
        33 | 110 | 3 | 3 | 3 | 36.7 | 36.7 | OK | ALARM | formula 3, no change
        34–39 | 110 | 3 | 3 | 3 | 36.7 | 36.7 | OK | OK |";
    check(&example_c(), expected, 136, 137);
}
