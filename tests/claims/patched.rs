//! What is to be set: put over what really is set, it makes what was replayed; and the undo over that, what was set before.

use pipeline::advice::{apply, undo};
use pipeline::documents::{self, OptionDocument, RecommendationDocument};
use pipeline::paste::Patch;
use proptest::prelude::*;
use proptest::sample::select;
use scaling::plan::Plan;
use scaling::policy::{Group, ScalingPolicy, Trigger};
use scaling::settings::Settings;
use scaling::units::{CpuPercent, Instances, Minutes, Seconds};

use crate::{option, told};

const TRIGGER: &str = "aws:autoscaling:trigger";
const GROUP: &str = "aws:autoscaling:asg";

/// Few values of each, so that many are as they were set, or as they are by default.
fn policies() -> impl Strategy<Value = ScalingPolicy> {
    let thresholds = (select(vec![40.0, 45.5]), select(vec![10.0, 20.0]));
    let steps = (1..3_u32, 1..3_u32);
    let times = (select(vec![1, 5]), 1..4_u32, select(vec![60, 360]));
    let sizes = (1..3_u32, 3..5_u32);
    (thresholds, steps, times, sizes).prop_map(
        |((upper, lower), (out, back), (period, evaluation_periods, cooldown), (min, max))| {
            let trigger = Trigger {
                upper_threshold: CpuPercent::new(upper).unwrap(),
                lower_threshold: CpuPercent::new(lower).unwrap(),
                upper_breach_scale_increment: Instances(out),
                lower_breach_scale_increment: Instances(back),
                period: Minutes(period),
                evaluation_periods,
            };
            let (min_size, max_size) = (Instances(min), Instances(max));
            ScalingPolicy::new(trigger, Group { min_size, max_size, cooldown: Seconds(cooldown) }).unwrap()
        },
    )
}

/// An option that is not set, or to one of these values.
fn perhaps(
    namespace: &'static str,
    name: &'static str,
    values: &'static [&'static str],
) -> impl Strategy<Value = Option<OptionDocument>> {
    proptest::option::weighted(0.8, select(values))
        .prop_map(move |value| Some(option(namespace, name, value?)))
}

/// What people set, in whatever order and spelling.
fn given_options() -> impl Strategy<Value = Vec<OptionDocument>> {
    let named = vec![
        perhaps(
            TRIGGER,
            "MeasureName",
            &["CPUUtilization", "CPUUtilization", " CPUUtilization", "RequestCount", "NetworkOut"],
        ),
        perhaps(TRIGGER, "Statistic", &["Average", "Average", "Maximum", "Sum"]),
        perhaps(TRIGGER, "Unit", &["Percent", "Bytes", "Count", " "]),
        perhaps(TRIGGER, "UpperThreshold", &["40", "40.0", "4e1", "045.50", "45", "6000000"]),
        perhaps(TRIGGER, "LowerThreshold", &["10", " 10 ", "+10.0", "20.00", "15", "2000000"]),
        perhaps(TRIGGER, "UpperBreachScaleIncrement", &["1", "+1", "02", "10%", "3"]),
        perhaps(TRIGGER, "LowerBreachScaleIncrement", &["-1", "-01", "-2", "-10%", "1"]),
        perhaps(TRIGGER, "Period", &["1", "01", "5", "05", "15"]),
        perhaps(TRIGGER, "EvaluationPeriods", &["1", "+1", "2", "03"]),
        perhaps(TRIGGER, "BreachDuration", &["1", "5", "05", "10", "300"]),
        perhaps(GROUP, "MinSize", &["1", "02", "2 "]),
        perhaps(GROUP, "MaxSize", &["3", "4", "04", "8"]),
        perhaps(GROUP, "Cooldown", &["60", "060", "360", "+360", "300"]),
        perhaps(GROUP, "Availability Zones", &["Any 2"]),
    ];
    named.prop_map(|options| options.into_iter().flatten().collect::<Vec<_>>()).prop_shuffle()
}

/// As our own reader has it, with metrics by the minute.
fn read(options: &[OptionDocument]) -> Settings {
    let monitoring = option("aws:autoscaling:launchconfiguration", "MonitoringInterval", "1 minute");
    Settings::from_options(options.iter().chain([&monitoring]).map(OptionDocument::as_option)).unwrap()
}

/// Advice to change from what is set to `policy`, as a sweep has it.
fn advice(given: &[OptionDocument], policy: &ScalingPolicy) -> RecommendationDocument {
    let mut advice = told::change();
    let present = advice.present.as_mut().unwrap();
    present.options = read(given).policy().as_ref().map(documents::options).unwrap_or_default();
    present.given = Some(given.to_vec());
    advice.recommended.as_mut().unwrap().options = documents::options(policy);
    advice
}

/// What is set after `patch`.
fn after(patch: &Patch, set: &[OptionDocument]) -> Vec<OptionDocument> {
    let is_named = |option: &&OptionDocument| {
        let names = |other: &OptionDocument| {
            (&other.namespace, &other.option_name) == (&option.namespace, &option.option_name)
        };
        patch.set.iter().chain(&patch.unset).any(names)
    };
    set.iter().filter(|option| !is_named(option)).chain(&patch.set).cloned().collect()
}

/// What settings mean, whoever set them.
fn meaning(options: &[OptionDocument]) -> Settings {
    Settings { given: [].into(), ..read(options) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_set_with_the_patch_over_it_is_what_was_recommended_and_the_undo_puts_it_back(
        given in given_options(),
        policy in policies(),
    ) {
        let advice = advice(&given, &policy);
        let (apply, undo) = (apply(&advice), undo(&advice).unwrap());
        let applied = after(&apply, &given);
        let made = read(&applied);
        prop_assert_eq!(made.policy(), Ok(policy));
        prop_assert_eq!(made.plan(None), Ok(Plan::from(&policy)));
        // What no replay takes notice of, and AWS may.
        let (unit, breach_duration) = (made.unit.as_str(), made.breach_duration);
        prop_assert_eq!((unit, breach_duration), ("Percent", policy.trigger().breach_duration()));
        // An option without a word in it is one that is not set.
        let set: Vec<OptionDocument> = given.iter().filter(|o| !o.value.trim().is_empty()).cloned().collect();
        prop_assert_eq!(read(&after(&undo, &applied)), read(&set));
    }

    #[test]
    fn no_option_of_a_patch_is_needless(given in given_options(), policy in policies()) {
        let apply = apply(&advice(&given, &policy));
        let whole = meaning(&after(&apply, &given));
        for left_out in 0..apply.set.len() {
            let mut fewer = apply.clone();
            let without = fewer.set.remove(left_out);
            prop_assert!(meaning(&after(&fewer, &given)) != whole, "{without:?}");
        }
    }
}

#[test]
fn what_is_set_otherwise_than_it_was_replayed_is_in_the_patch_and_another_spelling_is_not() {
    let trigger = Trigger {
        upper_threshold: CpuPercent::new(50.0).unwrap(),
        lower_threshold: CpuPercent::new(20.0).unwrap(),
        upper_breach_scale_increment: Instances(1),
        lower_breach_scale_increment: Instances(1),
        period: Minutes(1),
        evaluation_periods: 1,
    };
    let group = Group { min_size: Instances(2), max_size: Instances(6), cooldown: Seconds(360) };
    let policy = ScalingPolicy::new(trigger, group).unwrap();
    let patched = |given: &[OptionDocument]| -> Vec<String> {
        apply(&advice(given, &policy)).set.into_iter().map(|option| option.option_name).collect()
    };
    let as_replayed = documents::options(&policy);
    let with = |name: &str, value: Option<&str>| -> Vec<OptionDocument> {
        let others = as_replayed.iter().filter(|option| option.option_name != name).cloned();
        let namespace = &as_replayed.iter().find(|option| option.option_name == name).unwrap().namespace;
        others.chain(value.map(|value| option(namespace, name, value))).collect()
    };
    for (name, value) in [
        ("BreachDuration", Some("5")),
        ("BreachDuration", None),
        ("Unit", Some("Bytes")),
        ("Unit", None),
        ("Statistic", Some("Maximum")),
        ("UpperThreshold", Some("50.5")),
    ] {
        assert_eq!(patched(&with(name, value)), [name], "{value:?}");
    }
    for (name, value) in [
        ("BreachDuration", Some("01")),
        ("UpperThreshold", Some("50.0")),
        ("LowerBreachScaleIncrement", Some("-01")),
        ("Statistic", None),
        ("Cooldown", None),
    ] {
        assert_eq!(patched(&with(name, value)), [""; 0], "{name}: {value:?}");
    }
}
