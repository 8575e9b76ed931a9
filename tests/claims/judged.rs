//! What people really configure, and what is said about it.

use std::path::PathBuf;

use pipeline::check;
use pipeline::recorded::ebextensions::read;
use scaling::judge::{Finding, Severity, judge, never_reached};
use scaling::settings::{ConfigOption, Settings};

fn trigger(options: &[(&'static str, &'static str)]) -> Settings {
    let groups = ["MinSize", "MaxSize", "Cooldown", "DesiredCapacity"];
    let named = options.iter().map(|&(name, value)| {
        let of_group = groups.contains(&name);
        (if of_group { "aws:autoscaling:asg" } else { "aws:autoscaling:trigger" }, name, value)
    });
    let detailed = ("aws:autoscaling:launchconfiguration", "MonitoringInterval", "1 minute");
    Settings::from_options(named.chain([detailed])).unwrap()
}

/// A trigger that nothing can be said against.
const SOUND: [(&str, &str); 8] = [
    ("MeasureName", "CPUUtilization"),
    ("Unit", "Percent"),
    ("UpperThreshold", "60"),
    ("LowerThreshold", "20"),
    ("Period", "1"),
    ("EvaluationPeriods", "5"),
    ("BreachDuration", "5"),
    ("MinSize", "2"),
];

/// What is said when some options are other than sound.
fn said(changes: &[(&'static str, &'static str)]) -> Vec<String> {
    let changed = |name: &str| changes.iter().any(|(other, _)| *other == name);
    let kept = SOUND.iter().copied().filter(|(name, _)| !changed(name));
    let options: Vec<_> =
        kept.chain(changes.iter().copied()).filter(|(_, value)| !value.is_empty()).collect();
    judge(&trigger(&options)).iter().map(ToString::to_string).collect()
}

fn check_said(changes: &[(&'static str, &'static str)], expected: &str) {
    let said = said(changes);
    assert!(
        said.iter().any(|text| text.contains(expected)),
        "for {changes:?}\n  {said:#?}\n  do not say `{expected}`"
    );
}

#[test]
fn nothing_is_said_against_sound_settings() {
    assert_eq!(said(&[]), Vec::<String>::new());
}

#[test]
fn each_oddity_has_a_finding_of_its_own() {
    check_said(
        &[("Period", "60"), ("EvaluationPeriods", "2")],
        "`Period` 60 is minutes, 1 hours; 60 seconds were probably meant: write 1",
    );
    check_said(&[("BreachDuration", "300")], "`BreachDuration` 300 is minutes, 5 hours");
    check_said(
        &[("BreachDuration", "20")],
        "`Period` 1 min times `EvaluationPeriods` 5 is not `BreachDuration` 20 min; simulated is 5 × 1 min",
    );
    check_said(&[("LowerThreshold", "70")], "`LowerThreshold` 70 is not below `UpperThreshold` 60");
    check_said(&[("LowerThreshold", "60")], "`LowerThreshold` 60 is not below `UpperThreshold` 60");
    check_said(
        &[("LowerThreshold", "50")],
        "so close to the upper one that a step from 2 instances can cross both: instances come and go for ever. Set it below 40",
    );
    check_said(
        &[("LowerThreshold", "")],
        "`LowerThreshold` is 2000000, Beanstalk's default in bytes, since none is set",
    );
    check_said(&[("UpperThreshold", "")], "no CPU value is above it, so that instances are never added");
    check_said(
        &[("MeasureName", "")],
        "`MeasureName` is `NetworkOut`, Beanstalk's default, since none is set, which counts bytes",
    );
    check_said(&[("MeasureName", "RequestCount"), ("Unit", "Count")], "Average of `RequestCount` is about 1");
    check_said(
        &[("MeasureName", "RequestCount"), ("Unit", "Count"), ("Statistic", "Sum")],
        "it does not fall as instances are added",
    );
    check_said(
        &[("MeasureName", "QueueLength")],
        "`QueueLength` is no measure that a Beanstalk trigger can watch",
    );
    check_said(&[("Statistic", "Maximum")], "one busy instance adds instances");
    check_said(&[("Unit", "")], "`Unit` is `Bytes`, and `CPUUtilization` comes in `Percent`");
    check_said(&[("MinSize", "4")], "`MinSize` and `MaxSize` are both 4: the trigger can never act");
    check_said(&[("MinSize", "3")], "from 3 to 4 instances one step is the whole range");
    check_said(&[("MinSize", "5")], "`MinSize` 5 is over `MaxSize` 4");
    check_said(
        &[("LowerBreachScaleIncrement", "1")],
        "`LowerBreachScaleIncrement` 1 adds instances: its sign is wrong",
    );
    check_said(&[("UpperBreachScaleIncrement", "-1")], "`UpperBreachScaleIncrement` -1 removes instances");
    check_said(
        &[("UpperBreachScaleIncrement", "0")],
        "`UpperBreachScaleIncrement` is 0: its alarm changes nothing",
    );
    check_said(&[("UpperBreachScaleIncrement", "10%")], "10% is read as a share of the group");
    check_said(
        &[("DesiredCapacity", "2")],
        "`aws:autoscaling:asg DesiredCapacity` is no option that Beanstalk has",
    );
}

#[test]
fn a_step_that_the_limits_cut_short_swings_no_farther_than_they_are_apart() {
    let swings = |lower, max, more: &[(&'static str, &'static str)]| {
        let limits = [("MinSize", "3"), ("MaxSize", max), ("LowerThreshold", lower)];
        let changes = [&limits[..], &[("UpperBreachScaleIncrement", "3")], more].concat();
        said(&changes).iter().any(|said| said.contains("come and go for ever"))
    };
    // From 3 to 4 instances 60 % become 45 %, whatever the increment; to 6 they would become 30 %.
    assert_eq!(["44", "45"].map(|lower| swings(lower, "4", &[])), [false, true]);
    assert_eq!(["29", "30"].map(|lower| swings(lower, "9", &[])), [false, true]);
    assert!(!swings("40", "4", &[("LowerBreachScaleIncrement", "-5")]) && !swings("50", "3", &[]));
}

#[test]
fn a_scheduled_action_that_widens_the_limits_widens_the_step_too() {
    let named = [
        SOUND.map(|(name, value)| ("aws:autoscaling:trigger", name, value)).to_vec(),
        vec![("aws:autoscaling:asg", "MinSize", "3"), ("aws:autoscaling:asg", "MaxSize", "4")],
        vec![("aws:autoscaling:trigger", "LowerThreshold", "40")],
        vec![("aws:autoscaling:trigger", "UpperBreachScaleIncrement", "3")],
    ]
    .concat();
    let swings = |max_size: &str| {
        let action = ConfigOption {
            namespace: "aws:autoscaling:scheduledaction",
            resource_name: Some("Fair"),
            option_name: "MaxSize",
            value: max_size,
        };
        let options = named.iter().copied().map(ConfigOption::from).chain([action]);
        let findings = judge(&Settings::from_options(options).unwrap());
        findings.iter().any(|finding| matches!(finding, Finding::Oscillates { .. }))
    };
    assert_eq!(["4", "9"].map(swings), [false, true]);
}

#[test]
fn a_short_period_on_basic_monitoring_can_not_work() {
    let named = SOUND.map(|(name, value)| ("aws:autoscaling:trigger", name, value));
    let basic = Settings::from_options(named).unwrap();
    let findings = judge(&basic);
    assert!(findings.iter().any(|finding| matches!(finding, Finding::FinerThanMetrics(_))), "{findings:?}");
    assert_eq!(findings[0].severity(), Severity::Error, "the worst comes first");
}

#[test]
fn settings_are_read_in_every_form_that_people_write() {
    let forms = [
        "option_settings:\n  aws:autoscaling:trigger:\n    UpperThreshold: '70'\n    LowerThreshold: 30\n",
        "option_settings:\n  - namespace: aws:autoscaling:trigger\n    option_name: UpperThreshold\n    value: 70\n  - {namespace: 'aws:autoscaling:trigger', option_name: LowerThreshold, value: \"30\"}\n",
        "OptionSettings:\n  AWSEBCloudwatchAlarmHigh.aws:autoscaling:trigger:\n    UpperThreshold: '70'\n  AWSEBCloudwatchAlarmLow.aws:autoscaling:trigger:\n    LowerThreshold: '30'\n",
        "{ // thresholds\n  \"option_settings\": {\"aws:autoscaling:trigger\": {\n\t\"UpperThreshold\": 70, /* percent, 7 * 10 / 1 **/ \"LowerThreshold\": \"30\"}}}",
        "[{\"Namespace\": \"aws:autoscaling:trigger\", \"OptionName\": \"UpperThreshold\", \"Value\": \"70\"},\n {\"namespace\": \"aws:autoscaling:trigger\", \"optionName\": \"LowerThreshold\", \"value\": \"30\"}]",
        "aws:autoscaling:trigger:\n  UpperThreshold: 70\n  LowerThreshold: 30\n",
    ];
    for form in forms {
        let read = read("f", form.as_bytes()).unwrap();
        let settings = Settings::from_options(read.options.iter().map(|option| option.as_option())).unwrap();
        assert_eq!((settings.upper_threshold, settings.lower_threshold), (70.0, 30.0), "{form}");
        assert!(settings.repeated.is_empty(), "{form}");
    }
}

#[test]
fn a_comment_sign_within_text_is_no_comment() {
    let file = r#"{"option_settings": {"aws:elasticbeanstalk:application:environment": {"URL": "https://x/*y*/\"z"}}}"#;
    assert_eq!(read("f", file.as_bytes()).unwrap().options[0].value, r#"https://x/*y*/"z"#);
}

#[test]
fn files_without_settings_are_named() {
    for (text, expected) in [
        ("", "`f` is empty"),
        ("packages:\n  yum:\n    git: []\n", "`f` is not YAML or JSON with option settings"),
        ("option_settings: [", "`f` is not YAML or JSON with option settings"),
        ("option_settings: {}\n", "`f` is not YAML or JSON with option settings"),
    ] {
        assert_eq!(read("f", text.as_bytes()).unwrap_err().to_string(), expected, "{text:?}");
    }
    assert!(read("f", b"\xff\xfe").is_err());
}

#[test]
fn alarms_replaced_by_resources_are_told() {
    let file = "option_settings:\n  aws:autoscaling:asg:\n    MaxSize: 6\nResources:\n  AWSEBCloudwatchAlarmHigh:\n    Type: AWS::CloudWatch::Alarm\n";
    let checked = check::file("f", file.as_bytes()).unwrap();
    assert!(checked.findings.contains(&Finding::Overridden("AWSEBCloudwatchAlarmHigh".into())));
}

fn shared(path: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/public");
    std::fs::read(folder.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn said_of(path: &str) -> String {
    let checked = check::file(path, &shared(path)).unwrap();
    checked.findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn minutes_look_like_seconds_where_they_are_whole_minutes_of_them() {
    let looks = |minutes: &'static str| {
        said(&[("Period", minutes)])
            .iter()
            .any(|said| said.starts_with(&format!("`Period` {minutes} is minutes")))
    };
    assert_eq!(["5", "59", "60", "61", "120", "150"].map(looks), [false, false, true, false, true, false]);
}

#[test]
fn what_is_given_is_what_is_set_of_the_trigger_and_the_group_and_lists_hold_no_blanks() {
    let named = SOUND.map(|(name, value)| ("aws:autoscaling:trigger", name, value));
    let others = [
        ("aws:autoscaling:asg", "Cooldown", "60"),
        ("aws:elasticbeanstalk:environment", "EnvironmentType", "LoadBalanced"),
        ("aws:ec2:instances", "InstanceTypes", " t3.small,, m5.large ,"),
    ];
    let settings = Settings::from_options(named.into_iter().chain(others)).unwrap();
    assert!(settings.given.contains("Cooldown") && settings.given.contains("Period"));
    assert!(!settings.given.contains("EnvironmentType") && !settings.given.contains("InstanceTypes"));
    assert_eq!(settings.instance_types, ["t3.small", "m5.large"]);
}

#[test]
fn a_key_that_is_set_twice_in_one_map_is_named_and_one_in_two_maps_is_not() {
    let repeated = |text: &str| read("f", text.as_bytes()).unwrap().repeated;
    let twice = "option_settings:\n  a:b:\n    Period: 1\n    Period: 5\n";
    assert_eq!(repeated(twice), ["Period"]);
    assert_eq!(repeated("option_settings:\n  a:b:\n    Period: 1\n  a:c:\n    Period: 5\n"), [""; 0]);
}

#[test]
fn a_threshold_of_cpu_at_or_above_the_level_where_cpu_stays_is_never_reached() {
    let told = |settings: &Settings| never_reached(settings, 60.0).is_some();
    let with = |upper: f64| {
        let mut settings = trigger(&SOUND);
        settings.upper_threshold = upper;
        settings
    };
    let uppers = [59.0, 60.0, 100.0, 101.0];
    assert_eq!(uppers.map(|upper| told(&with(upper))), [false, true, true, false]);
    for at in uppers {
        let other = Settings { measure_name: "NetworkOut".into(), ..with(at) };
        let alone = Settings { load_balanced: false, ..with(at) };
        assert!(!told(&other) && !told(&alone), "{at}");
    }
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn the_collected_samples_are_read_and_judged() {
    let expected = [
        ("duplicate-key.config", "`aws:autoscaling:scheduledaction` is set twice"),
        ("duplicate-key.config", "scheduled actions (Morning, Night) change the limits"),
        ("list-form.config", "the thresholds look like percentages"),
        ("map-quoted.config", "`Period` 2 min times `EvaluationPeriods` 3 is not `BreachDuration` 5 min"),
        ("no-measure-name.config", "`MeasureName` is `NetworkOut`, Beanstalk's default"),
        (
            "resource-prefixed.cfg.yml",
            "`Period` 5 min times `EvaluationPeriods` 2 is not `BreachDuration` 5 min",
        ),
        ("upper-only.config", "every CPU value is below it"),
    ];
    for (file, text) in expected {
        let said = said_of(&format!("eb-trigger-configs/samples/{file}"));
        assert!(said.contains(text), "{file}:\n{said}");
    }
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn o10_seconds_for_minutes_and_durations_that_disagree_are_told() {
    let said = said_of("cases/O10-trigger.config");
    for text in [
        "`Period` 60 is minutes, 1 hours",
        "`BreachDuration` 300 is minutes, 5 hours",
        "simulated is 2 × 60 min",
    ] {
        assert!(said.contains(text), "{said}");
    }
}

/// The settings of a row of the collected configurations, as far as the table has them.
fn collected(row: &str) -> Option<(String, Settings)> {
    let cells: Vec<&str> = row.split(',').collect();
    let names = [
        (2, "MeasureName"),
        (3, "Statistic"),
        (4, "Unit"),
        (5, "Period"),
        (6, "EvaluationPeriods"),
        (7, "BreachDuration"),
        (8, "UpperThreshold"),
        (9, "UpperBreachScaleIncrement"),
        (10, "LowerThreshold"),
        (11, "LowerBreachScaleIncrement"),
        (12, "MinSize"),
        (13, "MaxSize"),
        (14, "Cooldown"),
    ];
    let option = |(index, name): (usize, &'static str)| {
        let namespace = if index >= 12 { "aws:autoscaling:asg" } else { "aws:autoscaling:trigger" };
        let value = *cells.get(index)?;
        (!value.is_empty() && !value.contains("not captured") && !value.contains("from environment"))
            .then_some((namespace, name, value))
    };
    let options: Vec<_> = names.into_iter().filter_map(option).collect();
    Some((cells[0].to_owned(), Settings::from_options(options).ok()?))
}

#[test]
#[cfg_attr(no_public_data, ignore = "the shared data is not beside this checkout")]
fn the_collected_configurations_are_judged_as_their_collector_did() {
    let table = String::from_utf8(shared("eb-trigger-configs/configs.csv")).unwrap();
    // A comma within quotes ("CDK option list", types) stands before the columns in a few rows only.
    let rows = table.lines().skip(1).map(|row| row.replace("\"JSON, camelCase keys\"", "JSON"));
    let rows: Vec<(String, Settings)> = rows
        .map(|row| row.replace("\"saved configuration, production\"", "saved"))
        .filter_map(|row| collected(&row))
        .collect();
    let said = |id: &str| {
        let (_, settings) =
            rows.iter().find(|(row, _)| row == id).unwrap_or_else(|| panic!("{id} was not read"));
        judge(settings).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    };
    let expected = [
        ("C01", "Period, EvaluationPeriods, BreachDuration are not set"),
        ("C02", "`Period` 5 min times `EvaluationPeriods` 2 is not `BreachDuration` 20 min"),
        ("C03", "by Maximum one busy instance adds instances"),
        ("C04", "from 1 to 2 instances one step is the whole range"),
        ("C05", "`Period` 60 is minutes, 1 hours"),
        ("C06", "`MinSize` and `MaxSize` are both 3"),
        ("C08", "`Period` 5 min times `EvaluationPeriods` 2 is not `BreachDuration` 5 min"),
        ("C10", "the trigger watches bytes sent"),
        ("C11", "`Period` 300 is minutes, 5 hours"),
        ("C13", "`Unit` is `Bytes`, and `CPUUtilization` comes in `Percent`"),
        ("C14", "`LowerThreshold` is 2000000, Beanstalk's default in bytes"),
        ("C15", "`Period` 5 min times `EvaluationPeriods` 2 is not `BreachDuration` 5 min"),
        ("C16", "the trigger watches bytes sent"),
        ("C18", "`Period` 1 min times `EvaluationPeriods` 1 is not `BreachDuration` 5 min"),
        ("C19", "it does not fall as instances are added"),
        ("C20", "Average of `RequestCount` is about 1"),
        ("C22", "`Period` 2 min times `EvaluationPeriods` 3 is not `BreachDuration` 5 min"),
        ("C24", "`BreachDuration` 300 is minutes, 5 hours"),
        ("C25", "the thresholds look like percentages"),
        ("C29", "`ApproximateNumberOfMessagesVisible` is no measure"),
        ("C30", "CPU comes every 5 minutes (basic monitoring)"),
    ];
    for (id, text) in expected {
        assert!(said(id).contains(text), "{id}:\n{}", said(id));
    }
    // A two-minute period, with the reasons given by its owner: only the monitoring is missing from the table.
    assert!(said("C27").lines().all(|line| line.contains("5 minutes")), "{}", said("C27"));
}
