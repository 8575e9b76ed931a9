//! Settings: what AWS would refuse, what could only swing, and what the options say.

use scaling::policy::{Group, PolicyError, ScalingPolicy, Trigger};
use scaling::settings::Settings;
use scaling::units::{CpuPercent, Instances, Minutes, Seconds};

fn trigger() -> Trigger {
    Trigger {
        upper_threshold: CpuPercent::new(60.0).unwrap(),
        lower_threshold: CpuPercent::new(30.0).unwrap(),
        upper_breach_scale_increment: Instances(1),
        lower_breach_scale_increment: Instances(1),
        period: Minutes(5),
        evaluation_periods: 1,
    }
}

fn group() -> Group {
    Group { min_size: Instances(2), max_size: Instances(6), cooldown: Seconds(360) }
}

fn refusal(trigger: Trigger, group: Group) -> String {
    ScalingPolicy::new(trigger, group).unwrap_err().to_string()
}

#[test]
fn what_makes_no_policy_is_refused_by_the_name_of_its_option() {
    let none = Instances(0);
    let cases = [
        (Trigger { upper_breach_scale_increment: none, ..trigger() }, group(), "UpperBreachScaleIncrement"),
        (Trigger { lower_breach_scale_increment: none, ..trigger() }, group(), "LowerBreachScaleIncrement"),
        (Trigger { period: Minutes(0), ..trigger() }, group(), "`Period` must be 1 to 600 minutes, not `0`"),
        (Trigger { period: Minutes(601), ..trigger() }, group(), "`Period`"),
        (Trigger { evaluation_periods: 0, ..trigger() }, group(), "`EvaluationPeriods` must be 1 to 600"),
        (Trigger { evaluation_periods: 300, ..trigger() }, group(), "is over a day"),
        (trigger(), Group { min_size: none, ..group() }, "`MinSize` must be 1 to 10000 instances, not `0`"),
        (trigger(), Group { min_size: Instances(7), ..group() }, "`MinSize` 7 is over `MaxSize` 6"),
        (trigger(), Group { max_size: Instances(10_001), ..group() }, "`MaxSize`"),
        (trigger(), Group { cooldown: Seconds(10_001), ..group() }, "`Cooldown` must be 0 to 10000 seconds"),
    ];
    for (trigger, group, expected) in cases {
        let refusal = refusal(trigger, group);
        assert!(refusal.contains(expected), "`{refusal}` does not say `{expected}`");
    }
}

#[test]
fn equal_thresholds_are_refused_like_swapped_ones() {
    let equal = Trigger { lower_threshold: trigger().upper_threshold, ..trigger() };
    assert!(refusal(equal, group()).contains("every CPU value adds or removes instances"));
}

#[test]
fn a_policy_oscillates_when_one_step_crosses_the_other_threshold() {
    let oscillates = |lower, min| {
        let trigger = Trigger { lower_threshold: CpuPercent::new(lower).unwrap(), ..trigger() };
        let group = Group { min_size: Instances(min), ..group() };
        ScalingPolicy::new(trigger, group).unwrap().oscillates()
    };
    // From 2 to 3 instances, 60 % becomes 40 %.
    assert!(!oscillates(39.9, 2));
    assert!(oscillates(40.0, 2));
    assert!(oscillates(30.0, 1));
    assert!(!oscillates(44.9, 3));
    // A fixed fleet can't.
    assert!(!oscillates(59.0, 6));
}

#[test]
fn options_survive_the_way_out_and_back_in() {
    let policy = ScalingPolicy::new(trigger(), group()).unwrap();
    let options = policy.options();
    let read = options.iter().map(|(namespace, name, value)| (*namespace, *name, value.as_str()));
    assert_eq!(Settings::from_options(read).unwrap().policy(), Ok(policy));
}

#[test]
fn a_default_environment_watches_network_out_and_is_not_simulated() {
    let refused = Settings::from_options::<scaling::settings::ConfigOption<'_>>([])
        .unwrap()
        .policy()
        .unwrap_err()
        .to_string();
    assert!(refused.contains("Average of `NetworkOut`"), "{refused}");
}

#[test]
fn a_positive_scale_in_increment_is_refused_since_it_adds() {
    let cpu = |name, value| ("aws:autoscaling:trigger", name, value);
    let options = [
        cpu("MeasureName", "CPUUtilization"),
        cpu("UpperThreshold", "60"),
        cpu("LowerThreshold", "30"),
        cpu("LowerBreachScaleIncrement", "1"),
    ];
    let refused = Settings::from_options(options).unwrap().policy().unwrap_err().to_string();
    assert!(refused.contains("`LowerBreachScaleIncrement` must be -1 or less"), "{refused}");
}

#[test]
fn a_one_minute_trigger_on_basic_monitoring_is_not_simulated() {
    let options = [
        ("aws:autoscaling:trigger", "MeasureName", "CPUUtilization"),
        ("aws:autoscaling:trigger", "UpperThreshold", "60"),
        ("aws:autoscaling:trigger", "LowerThreshold", "30"),
        ("aws:autoscaling:trigger", "Period", "1"),
    ];
    let basic = Settings::from_options(options).unwrap();
    assert!(basic.policy().unwrap_err().to_string().contains("metrics come every 5 minutes"));
    let interval = ("aws:autoscaling:launchconfiguration", "MonitoringInterval", "1 minute");
    let detailed = Settings::from_options(options.into_iter().chain([interval])).unwrap();
    assert!(detailed.policy().is_ok());
}

#[test]
fn text_in_a_number_names_the_option() {
    let refused = Settings::from_options([("aws:autoscaling:trigger", "UpperThreshold", "NaN")]).unwrap_err();
    let expected =
        PolicyError::Invalid { option: "UpperThreshold", expected: "a number", value: "NaN".into() };
    assert_eq!(refused, expected);
}
