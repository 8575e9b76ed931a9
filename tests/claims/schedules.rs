//! Scheduled actions: when they come, and what they change.

use jiff::tz::TimeZone;
use scaling::course::{Course, CourseError};
use scaling::schedule::Cron;
use scaling::settings::{ConfigOption, Settings};
use scaling::units::{MinuteUtc, Minutes, Window};

/// 2026-11-02T00:00Z, a Monday.
fn monday() -> MinuteUtc {
    MinuteUtc::new(29_892_960).unwrap()
}

fn times(cron: &str, window: Window, zone: &str) -> Vec<String> {
    let zone = TimeZone::get(zone).unwrap();
    let cron: Cron = cron.parse().unwrap();
    cron.times(window, &zone).iter().map(|minute| minute.to_string()[5..16].to_owned()).collect()
}

fn days(count: u32) -> Window {
    Window { start: monday(), end: monday() + Minutes(count * 1440) }
}

#[test]
fn a_schedule_names_its_minutes() {
    assert_eq!(times("0 6 * * 1-5", days(7), "UTC").len(), 5);
    assert_eq!(
        times("30 6,18 2-3 * *", days(7), "UTC"),
        ["11-02T06:30", "11-02T18:30", "11-03T06:30", "11-03T18:30"]
    );
    assert_eq!(times("*/20 0 2 nov MON", days(1), "UTC"), ["11-02T00:00", "11-02T00:20", "11-02T00:40"]);
    assert_eq!(times("0 0 * * 7", days(7), "UTC"), times("0 0 * * 0", days(7), "UTC"));
}

#[test]
fn a_day_of_the_month_or_of_the_week_is_enough_when_both_are_asked() {
    assert_eq!(times("0 0 4 * 1", days(7), "UTC"), ["11-02T00:00", "11-04T00:00"]);
}

#[test]
fn a_time_zone_moves_it() {
    assert_eq!(times("0 6 2 * *", days(1), "Europe/Berlin"), ["11-02T05:00"]);
    assert_eq!(times("0 6 2 * *", days(1), "America/New_York"), ["11-02T11:00"]);
}

#[test]
fn an_hour_that_is_skipped_has_none_and_one_that_is_repeated_counts_once() {
    let from = |text: &str, hours: u32| {
        let start = MinuteUtc::containing(text.parse().unwrap()).unwrap();
        Window { start, end: start + Minutes(hours * 60) }
    };
    // Clocks in Berlin went from 02:00 to 03:00 on 2026-03-29, and back from 03:00 to 02:00 on 2026-10-25.
    assert!(times("30 2 * * *", from("2026-03-28T23:00:00Z", 20), "Europe/Berlin").is_empty());
    assert_eq!(times("30 2 * * *", from("2026-10-24T22:00:00Z", 20), "Europe/Berlin"), ["10-25T00:30"]);
}

#[test]
fn what_is_no_schedule_is_refused_with_an_example() {
    for text in
        ["", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "a * * * *", "5-1 * * * *", "*/0 * * * *"]
    {
        let refused = text.parse::<Cron>().unwrap_err().to_string();
        assert!(refused.contains("`0 6 * * 1-5`"), "{refused}");
    }
}

fn scheduled(name: &'static str, option_name: &'static str, value: &'static str) -> ConfigOption<'static> {
    let namespace = "aws:autoscaling:scheduledaction";
    ConfigOption { namespace, resource_name: Some(name), option_name, value }
}

#[test]
fn beanstalks_scheduled_actions_become_changes_of_the_group() {
    let options = [
        scheduled("Morning", "Recurrence", "0 6 * * *"),
        scheduled("Morning", "MinSize", "4"),
        scheduled("Launch", "StartTime", "2026-11-03T12:00:00Z"),
        scheduled("Launch", "DesiredCapacity", "9"),
        scheduled("Off", "Recurrence", "0 0 * * *"),
        scheduled("Off", "Suspend", "true"),
    ];
    let changes = Settings::from_options(options).unwrap().scheduled_changes(days(2));
    let seen: Vec<String> = changes
        .iter()
        .map(|change| {
            format!(
                "{} {:?} {:?}",
                change.at,
                change.min_size.map(|s| s.0),
                change.desired_capacity.map(|s| s.0)
            )
        })
        .collect();
    let expected = [
        "2026-11-03T12:00Z None Some(9)",
        "2026-11-02T06:00Z Some(4) None",
        "2026-11-03T06:00Z Some(4) None",
    ];
    assert_eq!(seen, expected);
}

/// Limits that are in force at the start of `window`, where the options say 2 to 8.
fn in_force(actions: &[ConfigOption<'static>], window: Window) -> (u32, u32) {
    let group = [("aws:autoscaling:asg", "MinSize", "2"), ("aws:autoscaling:asg", "MaxSize", "8")];
    let options = group.map(ConfigOption::from).into_iter().chain(actions.iter().copied());
    let settings = Settings::from_options(options).unwrap();
    let limits = settings.scheduled_course(window).unwrap().limits_at(window.start, settings.group);
    (limits.min_size.0, limits.max_size.0)
}

#[test]
fn what_was_set_last_before_a_window_is_in_force_when_it_begins() {
    let evening =
        || vec![scheduled("Evening", "Recurrence", "0 20 * * *"), scheduled("Evening", "MinSize", "4")];
    let morning = [
        scheduled("Morning", "Recurrence", "0 7 * * *"),
        scheduled("Morning", "MinSize", "3"),
        scheduled("Morning", "MaxSize", "12"),
    ];
    let once = [
        scheduled("Fair", "StartTime", "2026-10-20T12:00:00Z"),
        scheduled("Fair", "MaxSize", "30"),
        scheduled("Fair", "DesiredCapacity", "25"),
    ];
    let yet_to_come =
        [scheduled("Later", "StartTime", "2026-11-02T00:00:00Z"), scheduled("Later", "MinSize", "7")];
    let yearly = [scheduled("Yearly", "Recurrence", "0 0 24 12 *"), scheduled("Yearly", "MinSize", "6")];
    let cases = [
        (evening(), (4, 8)),
        ([evening(), morning.to_vec()].concat(), (4, 12)),
        ([evening(), once.to_vec()].concat(), (4, 30)),
        ([morning.to_vec(), once.to_vec()].concat(), (3, 12)),
        (yet_to_come.to_vec(), (2, 8)),
        (yearly.to_vec(), (6, 8)),
        ([evening(), vec![scheduled("Evening", "Suspend", "true")]].concat(), (2, 8)),
        ([evening(), vec![scheduled("Evening", "StartTime", "2026-11-01T20:01:00Z")]].concat(), (2, 8)),
        ([evening(), vec![scheduled("Evening", "EndTime", "2026-10-30T00:00:00Z")]].concat(), (4, 8)),
    ];
    for (actions, expected) in cases {
        assert_eq!(in_force(&actions, days(1)), expected, "{actions:?}");
    }
}

fn sized(
    name: &'static str,
    when: [&'static str; 2],
    sizes: [&'static str; 3],
) -> Vec<ConfigOption<'static>> {
    let names = ["MinSize", "MaxSize", "DesiredCapacity"];
    let sizes = names.into_iter().zip(sizes).filter(|(_, size)| !size.is_empty());
    [(when[0], when[1])]
        .into_iter()
        .chain(sizes)
        .map(|(option, value)| scheduled(name, option, value))
        .collect()
}

fn course_of(actions: &[Vec<ConfigOption<'static>>], window: Window) -> Result<Course, CourseError> {
    Settings::from_options(actions.concat()).unwrap().scheduled_course(window)
}

const EVENING: [&str; 2] = ["Recurrence", "0 20 * * *"];
const MORNING: [&str; 2] = ["Recurrence", "0 6 * * *"];

#[test]
fn a_group_of_nothing_that_is_long_over_is_no_matter() {
    let stop = sized("Stop", ["StartTime", "2026-10-20T12:00:00Z"], ["0", "9", ""]);
    let go = sized("Go", ["StartTime", "2026-10-21T12:00:00Z"], ["3", "9", ""]);
    assert_eq!(in_force(&[stop, go].concat(), days(1)), (3, 9));
}

#[test]
fn a_group_whose_last_instance_an_alarm_may_take_is_refused() {
    let sleep = sized("Sleep", EVENING, ["0", "0", "0"]);
    let wake = sized("Wake", MORNING, ["", "4", "1"]);
    let refused = course_of(&[sleep, wake], days(2)).unwrap_err().to_string();
    assert!(
        refused.starts_with("from 2026-11-02T06:00Z on the group has instances and a MinSize of 0"),
        "{refused}"
    );
}

#[test]
fn a_group_that_never_wakes_is_refused() {
    let sleep = sized("Sleep", ["StartTime", "2026-10-20T12:00:00Z"], ["0", "0", "0"]);
    let refused = course_of(&[sleep], days(2)).unwrap_err().to_string();
    assert_eq!(refused, "from 2026-10-20T12:00Z on the group has no instances, and nothing wakes it");
}

/// The hours of two days in which there is a group, by what its actions of the evening and of the morning say.
fn awake(evening: [&'static str; 3], morning: [&'static str; 3]) -> Vec<usize> {
    let actions = [sized("Sleep", EVENING, evening), sized("Wake", MORNING, morning)];
    let course = course_of(&actions, days(2)).unwrap();
    let at = |hour: usize| days(2).start + Minutes(60 * hour as u32);
    (0..48).filter(|hour| !course.is_asleep_at(at(*hour))).collect()
}

#[test]
fn a_group_sleeps_from_the_action_that_takes_the_last_instance_to_the_one_that_brings_some() {
    let days: Vec<usize> = (6..20).chain(30..44).collect();
    for evening in [["0", "0", "0"], ["0", "0", ""], ["0", "4", "0"], ["0", "", "0"], ["", "0", ""]] {
        for morning in [["1", "4", "1"], ["1", "4", ""], ["2", "9", "5"]] {
            assert_eq!(awake(evening, morning), days, "{evening:?} {morning:?}");
        }
    }
    // Where only the size is asked for, the options' own minimum brings an instance at once.
    assert_eq!(awake(["", "", "0"], ["1", "4", "1"]).len(), 48);
}

#[test]
fn a_recurrence_ends_with_its_end() {
    let options = [
        scheduled("Night", "Recurrence", "0 22 * * *"),
        scheduled("Night", "EndTime", "2026-11-03T00:00:00Z"),
        scheduled("Night", "MinSize", "1"),
    ];
    assert_eq!(Settings::from_options(options).unwrap().scheduled_changes(days(7)).len(), 1);
}

#[test]
fn a_bad_schedule_is_named_by_its_option() {
    let refused =
        Settings::from_options([scheduled("Night", "Recurrence", "nightly")]).unwrap_err().to_string();
    assert_eq!(refused, "`Recurrence` must be a schedule like `0 6 * * 1-5`, not `nightly`");
}
