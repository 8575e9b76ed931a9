//! Recorded metrics: what is read from them, and what every kind of bad input is told.

use pipeline::recorded::{Options, Recording, Source, read};
use proptest::prelude::*;
use scaling::sample::{Metric, Period};
use scaling::units::MinuteUtc;

use crate::intake_options as options;

fn source(name: &str, text: &str) -> Source {
    Source { name: name.to_owned(), bytes: text.as_bytes().to_vec() }
}

fn csv(text: &str) -> Result<Recording, String> {
    csv_with(text, &Options::default())
}

fn csv_with(text: &str, options: &Options) -> Result<Recording, String> {
    read(&[source("m.csv", text)], options).map_err(|error| with_sources(&error))
}

fn with_sources(error: &pipeline::recorded::RecordedError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

fn values(recording: &Recording, metric: Metric) -> Vec<Option<f64>> {
    recording.samples.iter().map(|sample| sample.get(metric)).collect()
}

fn refused(text: &str, expected: &str) {
    let refusal = csv(text).unwrap_err();
    assert!(refusal.contains(expected), "for {text:?}\n  `{refusal}`\n  does not say\n  `{expected}`");
}

const HEADER: &str = "timestamp,requests,cpu_percent,in_service\n";

fn row(cells: &str) -> String {
    format!("{HEADER}2026-11-02T00:00:00Z,1,2,3\n{cells}\n")
}

#[test]
fn bad_cells_are_named_by_file_row_and_column() {
    let cases = [
        ("2026-11-02T00:01:00Z,many,2,3", "`m.csv`, row 3, column `requests`: `many` is not a number"),
        ("2026-11-02T00:01:00Z,NaN,2,3", "row 3, column `requests`: `NaN` is not a number"),
        ("2026-11-02T00:01:00Z,1,inf,3", "row 3, column `cpu_percent`: `inf` is not a number"),
        (
            "2026-11-02T00:01:00Z,-5,2,3",
            "row 3, column `requests`, 2026-11-02T00:01Z: `-5` is not a finite number, 0 or more",
        ),
        (
            "2026-11-02T00:01:00Z,1,104,3",
            "row 3, column `cpu_percent`, 2026-11-02T00:01Z: `104` is not a percentage from 0 to 100",
        ),
        (
            "2026-11-02T00:01:00Z,1,2,-1",
            "row 3, column `in_service`, 2026-11-02T00:01Z: `-1` is not a finite number",
        ),
        ("yesterday,1,2,3", "row 3, column `timestamp`: `yesterday` is not an instant like"),
        (",1,2,3", "row 3, column `timestamp`: `` is not an instant like"),
        ("-5,1,2,3", "row 3, column `timestamp`: `-5` is not an instant like"),
        ("inf,1,2,3", "row 3, column `timestamp`: `inf` is not an instant like"),
        (
            "2026-11-02T00:00:30Z,1,2,3",
            "`m.csv`, rows 2 and 3: `2026-11-02T00:00Z` is not the time of one row only",
        ),
        ("2026-11-02T00:01:00Z,1,2", "found record with 3 fields, but the previous record has 4 fields"),
    ];
    for (cells, expected) in cases {
        // A third row keeps the usual distance at a minute.
        refused(&format!("{}2026-11-02T00:02:00Z,1,2,3\n2026-11-02T00:03:00Z,1,2,3\n", row(cells)), expected);
    }
}

#[test]
fn files_without_anything_to_read_are_named() {
    refused("", "`m.csv` is empty");
    refused("  \n\n", "`m.csv` is empty");
    refused(HEADER, "`m.csv` has a header and no rows");
    refused("a,b\n1,2\n", "`m.csv` has no column that is a metric; it has `a`, `b`");
    refused(
        "when,requests\n2026-11-02T00:00:00Z,2\n",
        "has no column that is the time; it has `when`, `requests`",
    );
    refused("timestamp,requests\n2026-11-02T00:00:00Z,2\n2026-11-02T01:00:00Z,2\n", "has a row every 3600 s");
    let not_text = Source { name: "m.csv".into(), bytes: b"timestamp,requests\n\xff,2\n".to_vec() };
    let refusal = with_sources(&read(&[not_text], &Options::default()).unwrap_err());
    assert!(refusal.starts_with("`m.csv` is not CSV") && refusal.contains("UTF-8"), "{refusal}");
}

#[test]
fn a_column_that_is_not_there_is_told_with_those_that_are() {
    let text = row("2026-11-02T00:01:00Z,1,2,3");
    let refusal = csv_with(&text, &options(&[("requests", "rpm")], &[])).unwrap_err();
    assert_eq!(
        refusal,
        "`m.csv` has no column `rpm`; it has `timestamp`, `requests`, `cpu_percent`, `in_service`"
    );
    let refusal = csv_with(&text, &options(&[], &["zone="])).unwrap_err();
    assert!(refusal.starts_with("`m.csv` has no column `zone`"), "{refusal}");
}

#[test]
fn two_columns_for_one_metric_are_asked_about() {
    let text = "timestamp,requests,rpm\n2026-11-02T00:00:00Z,2,2\n";
    let refusal = csv(text).unwrap_err();
    assert!(refusal.contains("would both be `requests`; say which with --column"), "{refusal}");
    assert!(csv_with(text, &options(&[("requests", "rpm")], &[])).is_ok());
}

#[test]
fn forms_and_conditions_that_can_not_be_read_are_refused() {
    use pipeline::recorded::{Condition, Form, Target};
    for text in ["", "a*", "a*b", "a++b", "*2", "inf"] {
        assert!(text.parse::<Form>().is_err(), "{text:?}");
    }
    assert!("replicas".parse::<Condition>().is_err());
    let refusal = "cpu".parse::<Target>().unwrap_err().to_string();
    assert!(refusal.starts_with("`cpu` is not a metric: requests, requests_per_minute"), "{refusal}");
}

#[test]
fn an_empty_cell_is_missing_and_not_zero() {
    let recording = csv(&row("2026-11-02T00:01:00Z,,0,3")).unwrap();
    assert_eq!(values(&recording, Metric::Requests), [Some(1.0), None]);
    assert_eq!(values(&recording, Metric::CpuPercent), [Some(2.0), Some(0.0)]);
}

#[test]
fn forms_add_and_multiply_columns() {
    let text = "time,a,b,rps\n2026-11-02T00:00:00Z,0.2,0.4,10\n";
    let options =
        options(&[("cpu_percent", "a*50+b*50"), ("requests_per_second", "rps"), ("in_service", "2")], &[]);
    let recording = csv_with(text, &options).unwrap();
    assert!((values(&recording, Metric::CpuPercent)[0].unwrap() - 30.0).abs() < 1e-12);
    assert_eq!(values(&recording, Metric::Requests), [Some(600.0)]);
    assert_eq!(values(&recording, Metric::InService), [Some(2.0)]);
}

#[test]
fn instants_of_every_common_form_are_understood() {
    let forms = [
        "2026-11-02T00:01:00Z",
        "2026-11-02T02:01:00+02:00",
        "2026-11-02 00:01:00",
        "1793577660",
        "1793577660000",
    ];
    for form in forms {
        let recording = csv(&format!("timestamp,requests\n{form},5\n")).unwrap();
        assert_eq!(recording.samples[0].minute_utc.to_string(), "2026-11-02T00:01Z", "{form}");
    }
}

#[test]
fn rows_without_time_are_numbered_from_a_start() {
    let options = Options {
        start: Some(MinuteUtc::new(29_892_960).unwrap()),
        period_seconds: Some(60),
        ..Options::default()
    };
    let recording = csv_with("requests\n5\n6\n", &options).unwrap();
    assert_eq!(recording.samples[1].minute_utc.to_string(), "2026-11-02T00:01Z");
}

#[test]
fn rows_within_a_minute_are_brought_together() {
    let mut text = String::from("timestamp,requests,rps,in_service\n");
    for second in (0..180).step_by(15) {
        // The third minute has one row of four: too few.
        if second < 135 {
            let (minute, second) = (second / 60, second % 60);
            text += &format!("2026-11-02T00:0{minute}:{second:02}Z,10,2,{}\n", 1 + minute);
        }
    }
    let counts = csv_with(&text, &options(&[("requests", "requests")], &[])).unwrap();
    assert_eq!(values(&counts, Metric::Requests), [Some(40.0), Some(40.0)]);
    assert_eq!(values(&counts, Metric::InService), [Some(1.0), Some(2.0)]);
    assert!(
        counts
            .notes
            .iter()
            .any(|note| note.to_string() == "1 minutes with less than half of their rows were left out")
    );
    let rates = csv_with(&text, &options(&[("requests_per_second", "rps")], &[])).unwrap();
    assert_eq!(values(&rates, Metric::Requests), [Some(120.0), Some(120.0)]);
}

#[test]
fn five_minute_rows_stay_five_minutes_wherever_they_start() {
    let text = "timestamp,cpu\n2026-11-02T00:04:00Z,5\n2026-11-02T00:09:00Z,6\n2026-11-02T00:19:00Z,7\n";
    let recording = csv(text).unwrap();
    assert!(recording.samples.iter().all(|sample| sample.period == Period::FiveMinutes));
    assert!(recording.notes[0].to_string().contains("basic monitoring"));
}

#[test]
fn zones_are_never_added_up() {
    let zones = "zone,timestamp,hosts\naz-a,2026-11-02T00:00:00Z,4\naz-b,2026-11-02T00:00:00Z,4\n";
    refused(zones, "has rows per zone and none of the whole load balancer");
    let one = csv_with(zones, &options(&[], &["zone=az-b"])).unwrap();
    assert_eq!(values(&one, Metric::InService), [Some(4.0)]);
    let three = format!("{zones}az-c,2026-11-02T00:00:00Z,4\n");
    let two = csv_with(&three, &options(&[], &["zone!=az-c"])).unwrap_err();
    assert!(two.contains("they are not added up. Take one with --where zone="), "{two}");
    // What is asked of another column says nothing about zones.
    let busy = "zone,timestamp,hosts,rack\n,2026-11-02T00:00:00Z,8,1\naz-a,2026-11-02T00:00:00Z,4,1\n";
    for conditions in [&[][..], &["rack=1"]] {
        let whole = csv_with(busy, &options(&[], conditions)).unwrap();
        assert_eq!(values(&whole, Metric::InService), [Some(8.0)]);
        assert!(
            whole.notes.iter().any(|note| note.to_string().contains("whole load balancer")),
            "{:?}",
            whole.notes
        );
    }
    let of_none = csv_with(busy, &options(&[], &["zone="])).unwrap();
    assert_eq!(values(&of_none, Metric::InService), [Some(8.0)]);
    assert!(of_none.notes.iter().all(|note| !note.to_string().contains("whole load balancer")));
}

fn page(results: &str, more: &str) -> String {
    format!(r#"{{"MetricDataResults": [{results}]{more}}}"#)
}

fn json(text: &str) -> Result<Recording, String> {
    read(&[source("m.json", text)], &Options::default()).map_err(|error| with_sources(&error))
}

#[test]
fn full_cpu_with_a_rounding_error_is_full_in_files_too() {
    let full = [Some(100.0)];
    let text =
        page(r#"{"Id": "cpu", "Timestamps": ["2026-11-02T00:00:00Z"], "Values": [100.00000000000001]}"#, "");
    assert_eq!(values(&json(&text).unwrap(), Metric::CpuPercent), full);
    let wide = "timestamp,requests,cpu_percent\n2026-11-02T00:00:00Z,1200,100.00000000000001\n";
    assert_eq!(values(&csv(wide).unwrap(), Metric::CpuPercent), full);
    let long = "timestamp,metric,value\n2026-11-02T00:00:00Z,cpu_percent,100.00000000000001\n";
    assert_eq!(values(&csv(long).unwrap(), Metric::CpuPercent), full);
    refused(
        "timestamp,metric,value\n2026-11-02T00:00:00Z,cpu_percent,101.5\n",
        "`m.csv`, row 2, 2026-11-02T00:00Z: `101.5` is not a value of `cpu_percent`",
    );
}

#[test]
fn bad_json_is_named_by_file_and_series() {
    let cases = [
        ("{".to_owned(), "`m.json` is not JSON"),
        ("[]".to_owned(), "`m.json` is neither the output of `get-metric-data`"),
        (r#"{"MetricDataResults": 5}"#.to_owned(), "`m.json` is not what `get-metric-data` prints"),
        (
            page(r#"{"Id": "cpu", "Timestamps": ["2026-11-02T00:00:00Z"], "Values": [104]}"#, ""),
            "`m.json`, series `cpu`, 2026-11-02T00:00Z: `104` is not a value of `cpu_percent`: a percentage from 0 to 100",
        ),
        (
            page(r#"{"Id": "cpu", "Timestamps": ["2026-11-02T00:00:00Z"], "Values": ["NaN"]}"#, ""),
            "`m.json`, series `cpu`: `\"NaN\"` is not a number",
        ),
        (
            page(r#"{"Id": "cpu", "Timestamps": ["noon"], "Values": [1]}"#, ""),
            "series `cpu`: `\"noon\"` is not an instant",
        ),
        (
            page(r#"{"Id": "cpu", "Timestamps": [], "Values": [1]}"#, ""),
            "series `cpu` has 0 timestamps and 1 values",
        ),
        (page(r#"{"Id": "cpu", "StatusCode": "Forbidden"}"#, ""), "series `cpu` has status `Forbidden`"),
        (
            page(
                r#"{"Id": "cpu", "Timestamps": ["2026-11-02T00:00:00Z", "2026-11-02T00:00:00Z"], "Values": [1, 2]}"#,
                "",
            ),
            "both hold `cpu_percent` of 2026-11-02T00:00Z",
        ),
        (
            page(
                r#"{"Id": "a", "Label": "CPUUtilization", "Timestamps": ["2026-11-02T00:00:00Z"], "Values": [1]},
                   {"Id": "b", "Label": "CPUUtilization", "Timestamps": ["2026-11-02T00:00:00Z"], "Values": [1]}"#,
                "",
            ),
            "series `a` (`CPUUtilization`) and series `b` (`CPUUtilization`) would both be `cpu_percent`; say which with --series",
        ),
    ];
    for (text, expected) in cases {
        let refusal = json(&text).unwrap_err();
        assert!(refusal.contains(expected), "for {text}\n  `{refusal}`\n  does not say\n  `{expected}`");
    }
}

#[test]
fn two_files_may_use_one_id_for_two_metrics() {
    let file = |label: &str, value: u32| {
        let series = format!(
            r#"{{"Id": "m1", "Label": "{label}", "Timestamps": ["2026-11-02T00:00:00Z"], "Values": [{value}]}}"#
        );
        source(label, &page(&series, ""))
    };
    let recording =
        read(&[file("CPUUtilization", 20), file("RequestCount", 900)], &Options::default()).unwrap();
    assert_eq!(values(&recording, Metric::CpuPercent), [Some(20.0)]);
    assert_eq!(values(&recording, Metric::Requests), [Some(900.0)]);
}

#[test]
fn a_count_by_its_average_is_refused_with_the_statistic_that_is_needed() {
    let text =
        r#"{"Label": "RequestCount", "Datapoints": [{"Timestamp": "2026-11-02T00:00:00Z", "Average": 1.0}]}"#;
    assert_eq!(
        json(text).unwrap_err(),
        "`m.json`: `RequestCount` needs the statistic `Sum`, and has Average"
    );
}

#[test]
fn a_maximum_of_cpu_is_told_by_its_id_or_by_its_label() {
    let of = |id: &str, label: &str| {
        let series = format!(
            r#"{{"Id": "{id}", "Label": "{label}", "Timestamps": ["2026-11-02T00:00:00Z"], "Values": [20]}}"#
        );
        json(&page(&series, "")).unwrap()
    };
    let metrics = |recording: &Recording| {
        [Metric::CpuPercent, Metric::CpuPercentMax, Metric::Requests]
            .map(|metric| values(recording, metric)[0].is_some())
    };
    assert_eq!(metrics(&of("cpu", "CPUUtilization")), [true, false, false]);
    assert_eq!(metrics(&of("cpu_max", "CPUUtilization")), [false, true, false]);
    assert_eq!(metrics(&of("max1", "CPUUtilization")), [false, true, false]);
    assert_eq!(metrics(&of("m1", "RequestCount")), [false, false, true]);
    assert_eq!(metrics(&of("max1", "RequestCount")), [false, false, true]);
}

#[test]
fn statistics_without_a_point_are_noted() {
    let empty = json(r#"{"Label": "RequestCount", "Datapoints": []}"#).unwrap();
    assert!(
        empty.samples.is_empty() && empty.notes[0].to_string().contains("`RequestCount`"),
        "{:?}",
        empty.notes
    );
    let some =
        r#"{"Label": "RequestCount", "Datapoints": [{"Timestamp": "2026-11-02T00:00:00Z", "Sum": 1.0}]}"#;
    assert_eq!(json(some).unwrap().notes, []);
}

#[test]
fn a_series_nobody_knows_is_noted_and_can_be_named() {
    let text = page(r#"{"Id": "q7", "Timestamps": ["2026-11-02T00:00:00Z"], "Values": [12]}"#, "");
    let recording = json(&text).unwrap();
    assert!(recording.samples.is_empty());
    assert!(recording.notes[0].to_string().contains("--series ID=METRIC"));
    let options =
        Options { series: vec![("q7".into(), "cpu_percent".parse().unwrap())], ..Options::default() };
    let recording = read(&[source("m.json", &text)], &options).unwrap();
    assert_eq!(values(&recording, Metric::CpuPercent), [Some(12.0)]);
}

#[test]
fn settings_that_can_not_be_read_are_named() {
    use pipeline::recorded::settings;
    let refusal = |text: &str| with_sources(&settings::read("s.json", text.as_bytes()).unwrap_err());
    assert_eq!(refusal(""), "`s.json` is empty");
    assert!(refusal("{}").starts_with("`s.json` is not what `describe-configuration-settings` prints"));
    let pending = r#"{"ConfigurationSettings": [{"DeploymentStatus": "pending", "OptionSettings": []}]}"#;
    assert!(refusal(pending).contains("a set with the DeploymentStatus `deployed`"));
}

fn bytes(bytes: &[u8]) -> Result<Recording, String> {
    let source = Source { name: "m.json".to_owned(), bytes: bytes.to_vec() };
    read(&[source], &Options::default()).map_err(|error| with_sources(&error))
}

#[test]
fn what_is_no_export_is_told_by_its_beginning() {
    let told = |text: &str| bytes(text.as_bytes()).unwrap_err();
    let neither = "`m.json` is neither JSON nor a table of metrics; it begins with";
    assert_eq!(told("\nUnable to locate credentials\n"), format!("{neither} `Unable to locate credentials`"));
    assert_eq!(told("null"), format!("{neither} `null`"));
    assert_eq!(
        told("usage: aws\n\u{1b}[1mFor help, run:\n"),
        format!("{neither} `usage: aws\\n\\u{{1b}}[1mFor help, run:`")
    );
    assert_eq!(told(&"é".repeat(61)), format!("{neither} `{}`", "é".repeat(60)));
}

#[test]
fn a_byte_order_mark_is_passed_over_and_utf_16_is_named() {
    let text = page(r#"{"Id": "cpu", "Timestamps": ["2026-11-02T00:00:00Z"], "Values": [12]}"#, "");
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    assert_eq!(values(&bytes(&marked).unwrap(), Metric::CpuPercent), [Some(12.0)]);
    assert_eq!(bytes(b"\xef\xbb\xbf\n").unwrap_err(), "`m.json` is empty");
    let little: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_be_bytes).collect();
    for wide in [little, big] {
        let refusal = bytes(&wide).unwrap_err();
        assert!(refusal.starts_with("`m.json` is in UTF-16: save it as UTF-8; in PowerShell"), "{refusal}");
    }
}

#[test]
fn settings_may_begin_with_a_byte_order_mark_too() {
    use pipeline::recorded::settings;
    let text = "\u{feff}{\"ConfigurationSettings\": [{\"OptionSettings\": []}]}";
    assert!(settings::is_description(text.as_bytes()));
    assert!(settings::read("s.json", text.as_bytes()).is_ok());
    let wide = settings::read("s.json", b"\xff\xfe{\0").unwrap_err().to_string();
    assert!(wide.starts_with("`s.json` is in UTF-16"), "{wide}");
}

fn minutes_apart(seconds: usize, rows: usize) -> String {
    let time = |row: usize| {
        let second = row * seconds;
        format!("2026-11-02T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
    };
    (0..rows).map(|row| format!("{},120\n", time(row))).collect()
}

#[test]
fn a_stated_period_longer_than_the_rows_are_apart_is_refused() {
    let stated = |period| Options { period_seconds: Some(period), ..Options::default() };
    let wide = |seconds, period| {
        csv_with(&format!("timestamp,requests\n{}", minutes_apart(seconds, 9)), &stated(period))
    };
    assert_eq!(
        wide(60, 300).unwrap_err(),
        "`m.csv`: most values are 60 s apart, and --period says 300: leave --period out, or state how far apart they are"
    );
    assert!(wide(10, 60).unwrap_err().contains("most values are 10 s apart, and --period says 60"));
    // Rows farther apart are gaps, and a recorder's clock may err.
    for (seconds, period) in [(60, 60), (300, 300), (600, 300), (120, 60), (15, 15), (14, 15)] {
        assert!(wide(seconds, period).is_ok(), "{seconds} {period}");
    }
    let gap = "timestamp,requests\n2026-11-02T00:00:00Z,1\n2026-11-02T00:05:00Z,1\n2026-11-02T02:00:00Z,1\n";
    assert!(csv_with(gap, &stated(300)).is_ok());
}

#[test]
fn a_stated_period_is_held_against_the_points_of_each_series_too() {
    let stated = Options { period_seconds: Some(300), ..Options::default() };
    let point = |minute: u32| format!("2026-11-02T00:0{minute}:00Z");
    let rows = (0..4).map(|minute| format!("requests,{},120\n", point(minute)));
    let long = format!("metric,timestamp,value\n{}", rows.collect::<String>());
    let refusal = csv_with(&long, &stated).unwrap_err();
    assert!(refusal.starts_with("`m.csv`, `requests`: most values are 60 s apart"), "{refusal}");
    let times = (0..4).map(|minute| format!("{:?}", point(minute))).collect::<Vec<_>>().join(", ");
    let json = page(&format!(r#"{{"Id": "requests", "Timestamps": [{times}], "Values": [1, 2, 3, 4]}}"#), "");
    let refusal = read(&[source("m.json", &json)], &stated).unwrap_err().to_string();
    assert!(refusal.starts_with("`m.json`, series `requests`: most values are 60 s apart"), "{refusal}");
}

#[test]
fn a_start_beside_a_column_of_times_is_refused() {
    let start = Some(MinuteUtc::new(29_892_960).unwrap());
    let by_row = Options { start, period_seconds: Some(60), ..Options::default() };
    let named = Options { time_column: Some("when".into()), ..by_row.clone() };
    let refusal = csv_with("timestamp,requests\n2026-01-01T00:00:00Z,5\n", &by_row).unwrap_err();
    assert_eq!(
        refusal,
        "--start is for files without a time column; `m.csv` has `timestamp`: leave --start out, or rename the column if it is not the time"
    );
    let refusal = csv_with("when,requests\n2026-01-01T00:00:00Z,5\n", &named).unwrap_err();
    assert!(refusal.contains("`m.csv` has `when`"), "{refusal}");
    // A count of minutes and a time of no day leave open when it was.
    for first in ["0", "12:30"] {
        let recording = csv_with(&format!("minute,requests\n{first},5\n"), &by_row).unwrap();
        assert_eq!(recording.samples[0].minute_utc, by_row.start.unwrap());
    }
}

#[test]
fn a_start_beside_points_of_json_is_refused_by_the_name_of_the_file() {
    let start = Some(MinuteUtc::new(29_892_960).unwrap());
    let stated = Options { start, period_seconds: Some(60), ..Options::default() };
    let points = r#"{"Id": "requests", "Timestamps": ["2026-11-02T00:00:00Z"], "Values": [1]}"#;
    let files = [source("rows.csv", "requests\n5\n"), source("m.json", &page(points, ""))];
    let refusal = read(&files, &stated).unwrap_err().to_string();
    assert_eq!(
        refusal,
        "--start is for CSV without a time column; `m.json` is JSON, whose points have times of their own: leave --start out"
    );
    assert!(read(&files[..1], &stated).is_ok());
    assert!(read(&files[1..], &Options { start: None, ..stated }).is_ok());
}

#[test]
fn what_is_about_tables_is_refused_where_there_is_none() {
    let points = r#"{"Id": "requests", "Timestamps": ["2026-11-02T00:00:00Z"], "Values": [1]}"#;
    let files = [
        source("m.json", &page(points, "")),
        source("rows.csv", "timestamp,cpu,zone\n2026-11-02T00:00:00Z,5,\n"),
    ];
    let none = Options::default;
    let column = ("cpu_percent".parse().unwrap(), "cpu".parse().unwrap());
    for (option, stated) in [
        ("--column", Options { columns: vec![column], ..none() }),
        ("--where", Options { conditions: vec!["zone=".parse().unwrap()], ..none() }),
        ("--time-column", Options { time_column: Some("timestamp".into()), ..none() }),
    ] {
        let refusal = read(&files[..1], &stated).unwrap_err().to_string();
        let expected = format!(
            "{option} is about CSV, and `m.json` is JSON; leave it out, or say with --series what a series is"
        );
        assert_eq!(refusal, expected);
        assert!(read(&files, &stated).is_ok(), "{option}");
    }
}

#[test]
fn a_stated_series_that_is_not_there_is_told_with_those_that_are() {
    let stated = |id: &str| Options {
        series: vec![(id.to_owned(), "cpu_percent".parse().unwrap())],
        ..Options::default()
    };
    let json = page(
        r#"{"Id": "m0", "Label": "foo", "Timestamps": ["2026-11-02T00:00:00Z"], "Values": [12]}, {"Id": "m1"}"#,
        "",
    );
    let told =
        |text: &str, id: &str| read(&[source("m", text)], &stated(id)).map_err(|error| error.to_string());
    assert_eq!(
        told(&json, "m9").unwrap_err(),
        "no series has the id `m9` of --series; there are series `m0` (`foo`), series `m1`"
    );
    assert!(told(&json, "m0").is_ok() && told(&json, "m1").is_ok());
    let statistics = r#"{"Label": "Load", "Datapoints": []}"#;
    assert!(told(statistics, "Load").is_ok());
    assert!(told(statistics, "m0").unwrap_err().ends_with("there are series `Load`"));
    let long = "metric,timestamp,value\nload,2026-11-02T00:00:00Z,5\n";
    assert!(told(long, "load").is_ok());
    assert!(told(long, "m0").unwrap_err().ends_with("there are series `load`"));
    let wide = "timestamp,cpu\n2026-11-02T00:00:00Z,5\n";
    assert!(
        told(wide, "m0").unwrap_err().ends_with("the files have none (for a column of CSV say --column)")
    );
}

#[test]
fn a_condition_that_holds_of_no_row_is_noted() {
    let text = row("2026-11-02T00:01:00Z,1,2,3");
    let recording = csv_with(&text, &options(&[], &["in_service>2", "cpu_percent>=3"])).unwrap();
    assert!(recording.samples.is_empty());
    let said: Vec<String> = recording.notes.iter().map(ToString::to_string).collect();
    let expected = "--where in_service>2 --where cpu_percent>=3 holds of none of the 2 rows of `m.csv`";
    assert!(said.iter().any(|note| note == expected), "{said:?}");
}

#[test]
fn semicolons_and_tabs_separate_cells_and_let_commas_be_decimal() {
    let table = |separator: &str| {
        let text = "timestamp|requests|cpu_percent|\"hosts, or so\"\n2026-11-02T00:00:00Z|3077|22,91|2\n2026-11-02T00:01:00Z|2000|5,5|2\n";
        let columns = [("in_service", "hosts, or so")];
        csv_with(&text.replace('|', separator), &options(&columns, &["cpu_percent>9,5"]))
    };
    for separator in [";", "\t"] {
        let recording = table(separator).unwrap();
        assert_eq!(values(&recording, Metric::CpuPercent), [Some(22.91)]);
        assert_eq!(values(&recording, Metric::Requests), [Some(3077.0)]);
    }
    let points = "timestamp;requests\n2026-11-02T00:00:00Z;1.5\n";
    assert_eq!(values(&csv(points).unwrap(), Metric::Requests), [Some(1.5)]);
}

#[test]
fn separators_of_thousands_are_refused_by_name() {
    let expected = "is not a number like 1234.5, with a point for decimals and nothing between thousands";
    let cases = [
        (",", "\"3,077\""),
        (",", "\"22,91\""),
        (";", "1.234,5"),
        (";", "1,234,567"),
        (";", ",5"),
        // It may be three, or three thousand.
        ("\t", "3,077"),
    ];
    for (separator, cell) in cases {
        let text = format!("timestamp{separator}requests\n2026-11-02T00:00:00Z{separator}{cell}\n");
        let cell = cell.trim_matches('"');
        refused(&text, &format!("`m.csv`, row 2, column `requests`: `{cell}` {expected}"));
    }
}

#[test]
fn a_year_that_no_minute_has_is_told_in_words() {
    refused(
        "timestamp,requests\n9999-11-02T00:00:00Z,5\n",
        "`m.csv`, row 2: `9999-11-02T00:00:00Z` is not a time in the years 0 to 9000",
    );
}

#[test]
fn times_without_a_zone_are_taken_as_utc_and_that_is_said_once() {
    let said = |files: &[Source]| -> Vec<String> {
        let notes = read(files, &Options::default()).unwrap().notes;
        notes.iter().map(ToString::to_string).filter(|note| note.contains("zone")).collect()
    };
    let file = |time: &str| source("m.csv", &format!("timestamp,requests\n{time},5\n"));
    let both = [file("2026-11-02 00:00:00"), file("2026-11-02T00:01:00")];
    let expected = "times without a zone are taken as UTC; if they are local, export them with their zone";
    assert!(matches!(&said(&both)[..], [note] if note.starts_with(expected)), "{:?}", said(&both));
    for zoned in ["2026-11-02T00:01:00Z", "2026-11-02T02:01:00+02:00", "1793577660", "1793577660000"] {
        assert_eq!(said(&[file(zoned)]), [""; 0], "{zoned}");
    }
}

#[test]
fn local_times_that_come_twice_are_told_why_they_may() {
    let text = "timestamp,requests\n2026-10-25T02:00:00,1\n2026-10-25T02:01:00,1\n2026-10-25T02:00:00,2\n";
    refused(
        text,
        "rows 2 and 4: `2026-10-25T02:00Z` is not the time of one row only; times without a zone repeat when clocks are set back",
    );
    let zoned = csv(&text.replace(":00,", ":00Z,")).unwrap_err();
    assert!(zoned.ends_with("is not the time of one row only"), "{zoned}");
}

#[test]
fn cpu_that_is_never_over_one_is_noted_as_perhaps_a_share() {
    let said = |rows: u32, last: &str, columns: &[(&str, &str)]| {
        let cells = |row: u32| if row + 1 < rows { "0.25" } else { last };
        let rows = (0..rows)
            .map(|row| format!("2026-11-02T{:02}:{:02}:00Z,{}\n", row / 60, row % 60, cells(row)))
            .collect::<String>();
        let recording = csv_with(&format!("timestamp,cpu\n{rows}"), &options(columns, &[])).unwrap();
        let notes = recording.notes.iter().map(ToString::to_string);
        notes.filter(|note| note.contains("shares")).collect::<Vec<_>>()
    };
    assert_eq!(
        said(100, "1", &[]),
        ["no CPU value is over 1: if they are shares, say --column 'cpu_percent=cpu*100'"]
    );
    assert_eq!(said(99, "1", &[]), [""; 0]);
    assert_eq!(said(100, "1.01", &[]), [""; 0]);
    assert_eq!(said(100, "1", &[("cpu_percent", "cpu*100")]), [""; 0]);
}

fn shuffled_rows() -> impl Strategy<Value = Vec<String>> {
    let rows: Vec<String> =
        (0..40).map(|i| format!("2026-11-02T00:{i:02}:00Z,{},{},2", 100 + i, i)).collect();
    Just(rows).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_order_of_rows_does_not_matter(rows in shuffled_rows()) {
        let mut sorted = rows.clone();
        sorted.sort();
        let text = |rows: &[String]| format!("{HEADER}{}\n", rows.join("\n"));
        prop_assert_eq!(csv(&text(&rows)).unwrap(), csv(&text(&sorted)).unwrap());
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&[Source { name: "x".into(), bytes }], &Options::default());
    }

    #[test]
    fn no_text_of_a_table_makes_it_panic(text in "(timestamp|minute|metric|value|zone),(requests|cpu|value)(\n[0-9TZ:.,eE+-]{0,30}){0,6}") {
        let _ = csv(&text);
    }
}
