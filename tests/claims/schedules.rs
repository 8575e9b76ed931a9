//! Scheduled actions: when they come, and what they change.

use jiff::tz::TimeZone;
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
