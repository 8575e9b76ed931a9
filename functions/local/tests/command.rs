//! The command as a person uses it: what it prints, where it leaves things, and what it says to wrong input.

#![expect(clippy::unwrap_used, reason = "a test that meets an error fails")]

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

struct Desk {
    directory: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    fn run(&self, words: &str) -> Output {
        self.command().args(words.split_whitespace()).output().unwrap()
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trellis"));
        command.current_dir(self.path());
        command
    }

    fn succeeds(&self, words: &str) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn json(&self, words: &str) -> Value {
        serde_json::from_str(&self.succeeds(&format!("{words} --json"))).unwrap()
    }

    /// The words fail with one line that says `expected`, and print nothing else.
    fn fails(&self, words: &str, expected: &str) {
        let output = self.run(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "`{words}` succeeded");
        assert!(said.contains(expected), "`{words}` said\n  {said}\nand not\n  {expected}");
        assert!(!said.contains("panicked"), "{said}");
    }

    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(self.path(), self.path(), &mut found);
        found.sort();
        found
    }
}

fn collect(root: &Path, directory: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
        } else {
            found.push(path.strip_prefix(root).unwrap().display().to_string());
        }
    }
}

/// Two hours: 600 to 6000 requests a minute on two instances, 0.01 % each on top of 2 %.
fn two_hours() -> String {
    let mut text = String::from("timestamp,requests,cpu_percent,in_service\n");
    for minute in 0..120 {
        let requests = 600 + 45 * minute;
        let cpu = 2.0 + 0.01 * f64::from(requests) / 2.0;
        text += &format!("2026-11-02T{:02}:{:02}:00Z,{requests},{cpu},2\n", minute / 60, minute % 60);
    }
    text
}

#[test]
fn the_demo_goes_the_whole_way_and_says_where_everything_lies() {
    let desk = Desk::new();
    let said = desk.succeeds("demo --directory out");
    assert!(said.starts_with("The metrics of invented-garden-prod are invented"), "{said}");
    assert!(said.contains("Subject: invented-garden-prod: "), "{said}");
    let message = fs::read_to_string(desk.path().join("out/message.txt")).unwrap();
    assert!(said.contains(message.trim()), "the terminal shows the message as it is written");
    let files = said.split("Files:\n").nth(1).unwrap();
    for path in files.lines().map(|line| line.split_whitespace().last().unwrap()) {
        assert!(desk.path().join(path).exists(), "{path}");
    }
}

#[test]
fn run_recommends_and_a_second_run_does_not_publish_again() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    let run = "run --environment web --metrics m.csv --message advice.txt";
    let first = desk.json(run);
    assert_eq!(
        (&first["published"]["told"], &first["files"]["message"]),
        (&"now".into(), &"advice.txt".into())
    );
    assert_eq!(first["ingested"]["samples_added"], 117);
    assert!((first["fit"]["coefficient"].as_f64().unwrap() - 0.01).abs() < 1e-9);
    let message = || fs::read_to_string(desk.path().join("advice.txt")).unwrap();
    let told = message();
    fs::remove_file(desk.path().join("advice.txt")).unwrap();
    let second = desk.json(run);
    assert_eq!(second["published"]["told"], "before");
    assert_eq!(second["ingested"]["samples_unchanged"], 117);
    assert_eq!(message(), told, "whoever names a file finds the message in it");
}

#[test]
fn a_file_that_is_said_to_hold_the_message_holds_it_also_when_it_was_told_before() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    desk.succeeds("run --environment web --metrics m.csv");
    let said = desk.succeeds("run --environment web --metrics m.csv --message run.txt");
    assert!(
        said.contains("it is not sent again") && said.contains("the message               run.txt"),
        "{said}"
    );
    let said = desk.succeeds("publish --environment web --message publish.txt");
    assert!(said.contains("it is not sent again"), "{said}");
    let message = |file: &str| fs::read_to_string(desk.path().join(file)).unwrap();
    assert_eq!(message("publish.txt"), desk.succeeds("explain --environment web"));
    assert!(message("run.txt").starts_with("Subject: web: "));
    desk.succeeds("publish --environment web --message rehearsed.txt --dry-run");
    assert!(!desk.path().join("rehearsed.txt").exists());
}

#[test]
fn a_topic_is_told_nothing_while_the_file_can_not_be_written() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    for stage in ["ingest --metrics m.csv", "refit", "sweep"] {
        desk.succeeds(&format!("{stage} --environment web"));
    }
    // Who connects here would wait for an answer.
    let sns = TcpListener::bind("127.0.0.1:0").unwrap();
    sns.set_nonblocking(true).unwrap();
    let publish =
        "publish --environment web --message m.csv/advice.txt --topic arn:aws:sns:eu-central-1:1:advice";
    let mut command = desk.command();
    command.args(publish.split_whitespace());
    command.env("AWS_ENDPOINT_URL", format!("http://{}", sns.local_addr().unwrap()));
    for (name, value) in
        [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "key"), ("AWS_REGION", "eu-central-1")]
    {
        command.env(name, value);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("sending to `m.csv/advice.txt`"), "{said}");
    assert_eq!(sns.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "somebody was told");
    assert_eq!(desk.json("publish --environment web")["told"], "now", "the next run tells");
}

#[test]
fn the_stages_one_by_one_do_what_run_does() {
    let (apart, together) = (Desk::new(), Desk::new());
    for desk in [&apart, &together] {
        desk.write("m.csv", &two_hours());
    }
    for stage in ["ingest --metrics m.csv", "refit", "sweep", "publish", "report"] {
        apart.succeeds(&format!("{stage} --environment web"));
    }
    together.succeeds("run --environment web --metrics m.csv");
    assert_eq!(apart.files(), together.files());
    // Pages tell when they were made.
    let timed = |file: &&String| file.contains("published") || file.ends_with(".html");
    for file in apart.files().iter().filter(|file| !timed(file)) {
        let read = |desk: &Desk| fs::read(desk.path().join(file)).unwrap();
        assert!(read(&apart) == read(&together), "{file}");
    }
}

#[test]
fn report_makes_the_other_pages_and_the_index_where_one_environment_has_nothing_or_is_damaged() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    for name in ["api", "web"] {
        desk.succeeds(&format!("run --environment {name} --metrics m.csv --archive kept"));
    }
    let index = || fs::read_to_string(desk.path().join("kept/sweeps/index.html")).unwrap();
    fs::create_dir(desk.path().join("kept/fleet")).unwrap();
    let fleet = r#"{ "schema_version": 1, "environments": ["a-worker", "api", "web"] }"#;
    desk.write("kept/fleet/latest.json", fleet);
    let said = desk.succeeds("report kept");
    assert!(said.contains("a-worker: no page: `a-worker` has no samples up to"), "{said}");
    assert!(said.contains("kept/sweeps/environment=web/date=2026-11-02/report.html"), "{said}");
    assert!(index().contains(">a-worker</th>"));
    let key = "samples/environment=api/date=2026-11-02/samples.parquet";
    desk.write(&format!("kept/{key}"), "no table");
    fs::remove_file(desk.path().join("kept/sweeps/index.html")).unwrap();
    desk.fails("report kept", &format!("not every page could be made: `{key}` is damaged"));
    assert!(index().contains(&format!("not known: `{key}` is damaged")), "{}", index());
    let output = desk.run("report kept --json");
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&done["pages"][0]["environment"], &done["damaged"][0]["environment"]),
        (&"web".into(), &"api".into())
    );
}

#[test]
fn report_makes_the_pages_of_an_archive_and_says_where_they_lie() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    for name in ["web", "api"] {
        desk.succeeds(&format!("run --environment {name} --metrics m.csv --archive kept"));
    }
    let all = desk.json("report kept");
    let names: Vec<&str> =
        all["pages"].as_array().unwrap().iter().map(|page| page["environment"].as_str().unwrap()).collect();
    assert_eq!(names, ["api", "web"]);
    let file = |value: &Value| fs::read_to_string(desk.path().join(value.as_str().unwrap())).unwrap();
    let page = file(&all["pages"][1]["files"][0]);
    assert!(page.contains("<h1>web</h1>") && page.len() as u64 == all["pages"][1]["bytes"], "{}", page.len());
    let index = file(&all["index"]);
    assert!(index.contains("href=\"environment=api/date=2026-11-02/report.html\""), "{index}");
    let one = desk.succeeds("report --archive kept --environment web --out web.html");
    assert!(one.contains("  web.html\n") && one.contains("sweeps/index.html"), "{one}");
    assert!(fs::read_to_string(desk.path().join("web.html")).unwrap().contains("<h1>web</h1>"));
    let before = desk.files();
    let rehearsed = desk.succeeds("report kept --environment web --out other.html --dry-run");
    assert!(rehearsed.contains("Nothing was kept in the archive."), "{rehearsed}");
    assert_eq!(desk.files().len(), before.len() + 1);
    desk.fails("report kept --out web.html", "--out takes one page: name its environment with --environment");
    desk.fails("report nowhere", "`nowhere` holds no environments; `trellis run` takes one in");
    desk.fails("report kept --environment other", "`other` has no samples up to");
    assert!(!desk.path().join("nowhere").exists());
}

#[test]
fn options_come_from_the_file_and_a_flag_wins() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    desk.write(
        "trellis.toml",
        "environment = \"web\"\narchive = \"kept\"\n[aim]\nceiling = 40\nprice = 0.05\n[candidates]\nupper-thresholds = \"20..35:5\"\nmin-sizes = [1, 2]\n",
    );
    desk.succeeds("ingest --metrics m.csv");
    assert!(desk.path().join("kept/samples").is_dir());
    desk.succeeds("refit");
    assert_eq!(desk.json("sweep")["cpu_ceiling_percent"], 40.0);
    assert_eq!(desk.json("sweep --ceiling 45")["cpu_ceiling_percent"], 45.0);
    assert_eq!(desk.json("sweep")["price"]["usd_per_instance_hour"], 0.05);
    assert_eq!(desk.json("sweep --price 0.1")["price"]["usd_per_instance_hour"], 0.1);
}

#[test]
fn margins_come_from_the_file_or_a_flag_and_the_advice_names_them() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    let file = "environment = \"web\"\n[aim]\namplify = [1.5, 2]\nnear = 3\n[candidates]\nmin-sizes = 2\ncooldowns = 180\n";
    desk.write("trellis.toml", file);
    let run = desk.json("run --metrics m.csv");
    assert_eq!(run["published"]["told"], "now");
    let holds_with = |words: &str| desk.json(words)["holds_with"].to_string();
    let named = |words: &str| holds_with(words).contains("times the traffic");
    assert!(holds_with("sweep").starts_with("[\"2.00 times the traffic\",\"1.50 times the traffic\""));
    assert!(holds_with("sweep --amplify 1.3").contains("1.30 times"));
    assert!(named("sweep") && !named("sweep --amplify none") && !named("sweep --amplify 1"));
    desk.write("trellis.toml", "[aim]\nnear = 30\n");
    desk.fails("sweep", "percent over the cheapest must be from 0 to 20, not `30`");
    desk.write("trellis.toml", "[aim]\namplify = [0.5]\n");
    desk.fails("sweep", "times the traffic must be from 1 to 3, not `0.5`");
}

#[test]
fn a_what_if_prints_advice_and_keeps_nothing() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    desk.succeeds("ingest --environment web --metrics m.csv");
    desk.succeeds("refit --environment web");
    let before = desk.files();
    let said = desk.succeeds("sweep --environment web --stages 30:4000,60:9000");
    assert!(
        said.contains("traffic made from stages (what if)") && said.contains("nothing was kept"),
        "{said}"
    );
    assert_eq!(desk.files(), before);
}

#[test]
fn a_message_quotes_the_command_that_prints_these_settings_and_none_where_they_are_not_kept() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    let place = "--environment web --archive kept";
    desk.succeeds(&format!("ingest {place} --metrics m.csv"));
    desk.succeeds(&format!("refit {place}"));
    let quoted = |words: &str| {
        let said = desk.succeeds(&format!("{words} {place}"));
        assert!(said.contains("How to apply"), "{said}");
        let command =
            said.split_once("  trellis explain ").map(|(_, rest)| rest.lines().take(2).collect::<String>());
        command.map(|command| format!("explain {}", command.replace('\\', " ")))
    };
    assert_eq!(quoted("sweep --stages 30:4000,60:9000"), None, "a what-if is not kept");
    assert_eq!(quoted("sweep --dry-run"), None, "nor is a rehearsal");
    for words in ["sweep", "publish", "explain"] {
        let command = quoted(words).unwrap();
        assert!(command.contains("--environment web --archive kept"), "{command}");
        assert!(desk.succeeds(&command).starts_with("OptionSettings:"));
    }
}

#[test]
fn a_day_or_a_crowd_is_a_what_if_that_is_named() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    desk.write(
        "trellis.toml",
        "environment = \"web\"\n[candidates]\nmin-sizes = \"1..4\"\ncooldowns = 180\n",
    );
    desk.succeeds("ingest --metrics m.csv");
    desk.succeeds("refit");
    let before = desk.files();
    let said = desk.succeeds("sweep --day 2026-11-02");
    assert!(said.contains("Replayed: 117 minutes of 2026-11-02 (what if)"), "{said}");
    assert!(said.contains("This was a what-if: nothing was kept."), "{said}");
    let shape = |words: &str| desk.json(words)["traffic"]["shape"].clone();
    assert_eq!(shape("sweep"), Value::Null);
    let before_crowds = desk.files();
    assert_eq!(shape("sweep --day busiest"), "the busiest day, 2026-11-02");
    let crowded = desk.json("sweep --crowd 3:5:20@2026-11-02T01:00");
    assert_eq!(
        crowded["traffic"]["shape"],
        "the recorded traffic, with a crowd of 3 times the traffic from 2026-11-02T01:00Z on, there within 5 min and for 20 min"
    );
    // Of 84 minutes after midnight, the last of the hold.
    assert_eq!(crowded["traffic"]["peak_requests_per_minute"], 3.0 * (600.0 + 45.0 * 84.0));
    desk.fails("sweep --day 2026-12-24", "`web` has no requests from 2026-12-24T00:00Z to 2026-12-25T00:00Z");
    desk.fails(
        "sweep --crowd 3:5:20@2026-11-02T01:40Z",
        "putting a crowd on top of the traffic: the crowd, 2026-11-02T01:40Z to 2026-11-02T02:10Z, does not lie within",
    );
    desk.fails("shape", "give stages, or --day or --crowd of an environment");
    let crowd = desk.succeeds("shape --crowd 2:0:1@2026-11-02T00:01Z");
    let rows: Vec<&str> = crowd.lines().collect();
    assert_eq!(
        (rows.len(), rows[1..4].join(" ").as_str()),
        (1 + 117, "2026-11-02T00:00:00Z,600 2026-11-02T00:01:00Z,1290 2026-11-02T00:02:00Z,690")
    );
    assert_eq!(desk.files(), before_crowds);
    assert_ne!(before, before_crowds, "a sweep of the traffic as it was is kept");
}

/// Twenty minutes of a load test on one instance, as Locust writes it: 600 requests a minute more in each, and CPU of
/// 0.01 % each on top of 2 %.
fn load_test() -> (String, String) {
    let (mut cpu, mut history) = (
        String::from("timestamp,cpu_percent\n"),
        String::from("Timestamp,User Count,Type,Name,Requests/s,95%,Total Request Count\n"),
    );
    let (mut total, start) = (0, 1_793_786_400);
    for minute in 0..20 {
        let requests = 600 * (minute + 1);
        cpu += &format!("2026-11-04T10:{minute:02}:00Z,{}\n", 2.0 + 0.004 * f64::from(requests));
        for second in 0..60 {
            history += &format!("{},9,,Aggregated,1,{},{total}\n", start + 60 * minute + second, 80 + minute);
            total += requests / 60;
        }
    }
    (cpu, history + &format!("{},9,,Aggregated,1,80,{total}\n", start + 1200))
}

#[test]
fn refit_of_a_load_test_says_what_one_instance_serves() {
    let desk = Desk::new();
    let (cpu, history) = load_test();
    desk.write("cpu.csv", &cpu);
    desk.write("run_stats_history.csv", &history);
    desk.succeeds("ingest --environment web --metrics cpu.csv --leave-open 0");
    let words = "refit --environment web --instances 1 --locust run_stats_history.csv --ceiling 40";
    let said = desk.succeeds(words);
    assert!(said.contains("cpu = 2.00 % + 0.004000 % × requests per minute per instance"), "{said}");
    assert!(
        said.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains("One instance serves 9500 requests per minute (9500 to 9500) at 40 % CPU."),
        "{said}"
    );
    assert!(desk.files().iter().any(|file| file.ends_with("date=2026-11-04/load-test.json")));
    assert!((desk.json(words)["capacity"]["requests_per_minute"].as_f64().unwrap() - 9500.0).abs() < 1.0);
    desk.fails("sweep --environment web --stages 5:100", "`web` has no fit from the 7 days before");
    // Of a part of it; from the archive there are no requests.
    let part = "refit --environment web --instances 1 --from 2026-11-04T10:00Z --until 2026-11-04T10:12Z";
    assert_eq!(desk.json(&format!("{part} --locust run_stats_history.csv"))["usable"], 12);
    desk.fails(part, "only 0 usable periods, 8 needed (left out: 12 without requests)");
    desk.fails(&format!("{part} --locust cpu.csv"), "`cpu.csv` has no column `Timestamp`");
    desk.fails("refit --environment web --locust run_stats_history.csv", "--instances <COUNT>");
    desk.fails(&format!("{part} --lookback 3"), "cannot be used with");
    desk.fails(
        "refit --environment web --from 2026-11-05 --until 2026-11-04",
        "--from 2026-11-05T00:00Z is not before --until 2026-11-04T00:00Z",
    );
}

#[test]
fn shape_and_simulate_reproduce_the_talks_row() {
    let desk = Desk::new();
    desk.write("launch.csv", &desk.succeeds("shape 10:30000,8:150000,30:150000"));
    let coefficient = 39.226077 / 45000.0;
    let row = desk.json(&format!(
        "simulate --traffic launch.csv --coefficient {coefficient} --upper-threshold 15 --lower-threshold 10 \
         --upper-breach-scale-increment 2 --rules talk"
    ));
    assert_eq!(format!("{:.6}", row["mean_cpu_percent"].as_f64().unwrap()), "16.876191");
    assert_eq!(format!("{:.6}", row["max_cpu_percent"].as_f64().unwrap()), "39.226077");
    let said = desk.succeeds("talk");
    assert!(said.contains("40 of 216") && said.contains("16.876191  39.226077"), "{said}");
}

#[test]
fn simulate_says_why_nothing_happened() {
    let desk = Desk::new();
    let said = desk.succeeds(
        "simulate --stages 5:5000,20:15000,20:3000 --coefficient 0.01 --upper-threshold 70 --lower-threshold 20 \
         --trigger-period 1",
    );
    for reason in
        ["alarm window not full yet", "scale out 1 → 2", "refused: cooldown, until", "scale in", "no breach"]
    {
        assert!(said.contains(reason), "{reason} is not in\n{said}");
    }
}

#[test]
fn simulate_as_csv_has_a_row_a_minute() {
    let desk = Desk::new();
    let said = desk.succeeds(
        "simulate --stages 5:5000,20:15000 --coefficient 0.01 --upper-threshold 70 --lower-threshold 20 --format csv",
    );
    assert_eq!(said.lines().count(), 1 + 25);
    let columns = said.lines().next().unwrap().split(',').count();
    assert!(said.lines().all(|line| line.split(',').count() >= columns), "{said}");
}

#[test]
fn wrong_input_is_named_with_what_to_do() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    desk.write("empty.csv", "");
    desk.write("failed.json", "Unable to locate credentials\n");
    desk.write("bad.csv", "timestamp,requests\n2026-11-02T00:00:00Z,many\n");
    desk.write("bad.toml", "[aim]\ncieling = 40\n");
    let policy = "simulate --stages 5:100 --coefficient 0.01 --upper-threshold";
    let cases = [
        ("run --metrics m.csv", "name the environment with --environment"),
        ("ingest --environment web --metrics nothing.csv", "reading `nothing.csv`: No such file"),
        ("ingest --environment web --metrics empty.csv", "`empty.csv` is empty"),
        (
            "ingest --environment web --metrics bad.csv",
            "`bad.csv`, row 2, column `requests`: `many` is not a number",
        ),
        ("ingest --environment web --metrics m.csv --column requests", "`requests` has no `=`"),
        ("ingest --environment web --metrics failed.json", "it begins with `Unable to locate credentials`"),
        (
            "ingest --environment web --metrics m.csv --where requests<0",
            "--where requests<0 holds of none of the 120 rows of `m.csv`",
        ),
        ("ingest --environment web --metrics m.csv --series m9=cpu_percent", "no series has the id `m9`"),
        ("ingest --environment web --metrics m.csv --period 7200", "a period must be 1 to 60 s, or 300 s"),
        ("refit --environment web", "`web` has no samples in `trellis-archive`; ingest some first"),
        ("sweep --environment web --ceiling 120", "CPU percent must be from 0 to 100, not `120`"),
        (
            "sweep --environment web --price 0",
            "'--price <USD>': the price of an instance-hour must be above 0 USD, not `0`",
        ),
        (
            "sweep --environment web --amplify 1.1,5",
            "'--amplify <LIST>': times the traffic must be from 1 to 3, not `5`",
        ),
        (
            "sweep --environment web --amplify much",
            "`much` is not a number: write a list like `1.1,1.25`, or `none`",
        ),
        (
            "run --environment web --metrics m.csv --near 21",
            "'--near <PERCENT>': percent over the cheapest must be",
        ),
        ("sweep --environment web --stages 10", "`10` is not a stage: write minutes:requests-per-minute"),
        ("sweep --environment web --day someday", "`someday` is not a day: write 2026-11-05, or `busiest`"),
        (
            "sweep --environment web --crowd 3:5",
            "`3:5` is not a crowd: write height:ramp:hold@when, as in `3:5:20@",
        ),
        ("sweep --environment web --crowd 3:5:20@noon", "`noon` is not an instant"),
        (
            "sweep --environment web --crowd 0.5:5:20@2026-11-05",
            "the height of a crowd must be over 1 and up to 100",
        ),
        (
            "sweep --environment web --stages 5:100 --day busiest",
            "'--stages <STAGES>' cannot be used with '--day <DAY>'",
        ),
        ("sweep --environment web --upper-thresholds 80..20", "`80..20` names nothing"),
        ("sweep --environment web --until someday", "`someday` is not an instant"),
        ("publish --environment web", "`web` has no advice up to"),
        ("refit --config bad.toml", "unknown field `cieling`"),
        ("refit --config none.toml", "reading `none.toml`: No such file"),
        (
            &format!("{policy} 20 --lower-threshold 60"),
            "`LowerThreshold` 60 % must be below `UpperThreshold` 20 %",
        ),
        (
            &format!("{policy} 60 --lower-threshold 20 --upper-breach-scale-increment 0"),
            "`UpperBreachScaleIncrement` must be 1 instance or more, not `0`",
        ),
        (&format!("{policy} 60 --lower-threshold 20 --min-size 5"), "`MinSize` 5 is over `MaxSize` 4"),
        (
            &format!("{policy} 60 --lower-threshold 20 --min-size 0"),
            "`MinSize` must be 1 to 10000 instances, not `0`",
        ),
        (
            "simulate --stages 5:100 --coefficient 0 --upper-threshold 60 --lower-threshold 20",
            "the coefficient must be a finite number above 0",
        ),
        (&format!("{policy} NaN --lower-threshold 20"), "CPU percent must be from 0 to 100, not `NaN`"),
    ];
    for (words, expected) in cases {
        desk.fails(words, expected);
    }
    assert!(!desk.path().join("trellis-archive").exists(), "a refused command leaves nothing");
}

#[test]
fn check_judges_a_file_and_what_was_ingested() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    desk.write(
        "odd.config",
        "option_settings:\n  aws:autoscaling:trigger:\n    UpperThreshold: 70\n    LowerThreshold: 30\n",
    );
    desk.fails("check odd.config", "1 of these settings can't work as meant");
    let output = desk.run("check odd.config --json");
    let judged: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(judged[0]["findings"][0]["severity"], "error");
    desk.fails("check none.config", "reading `none.config`");
    desk.fails("check --environment web", "`web` has no settings in the archive");
    let settings = desk.succeeds("demo --directory out") + "";
    assert!(settings.contains("Back-test, good"), "{settings}");
    let said = desk.succeeds("check --environment invented-garden-prod --archive out/archive");
    assert!(
        said.contains("over 40 % +1, under 15 % -1") && said.contains("nothing against these settings"),
        "{said}"
    );
}

const TRIGGER: &str = "option_settings:\n  aws:autoscaling:trigger:\n";

#[test]
fn files_of_one_project_are_judged_together_and_those_about_something_else_are_passed_over() {
    let desk = Desk::new();
    let upper =
        format!("{TRIGGER}    MeasureName: CPUUtilization\n    Unit: Percent\n    UpperThreshold: 60\n");
    desk.write("01.config", &upper);
    desk.write("02.config", &format!("{TRIGGER}    LowerThreshold: 20\n"));
    desk.write("00-packages.config", "packages:\n  yum:\n    git: []\n");
    let said = desk.succeeds("check 02.config 00-packages.config 01.config");
    assert!(said.starts_with("01.config, 02.config\n  over 60 % +1, under 20 % -1"), "{said}");
    assert!(!said.contains("none is set") && said.contains("nothing against these settings"), "{said}");
    assert!(said.contains("  passed over: 00-packages.config has no option settings\n"), "{said}");
    desk.write("03.config", &format!("{TRIGGER}    LowerThreshold: 65\n"));
    let output = desk.run("check 00-packages.config 01.config 02.config 03.config");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("`LowerThreshold` 65 is not below `UpperThreshold` 60"),
        "the last one counts: {said}"
    );
    assert!(
        said.contains("`LowerThreshold` is set twice: only the last one counts (02.config, 03.config)"),
        "{said}"
    );
    let judged: Value =
        serde_json::from_slice(&desk.run("check 01.config 00-packages.config --json").stdout).unwrap();
    assert_eq!(judged[0]["passed_over"][0], "00-packages.config");
    desk.fails("check 01.config 00-packages.config", "1 of these settings can't work as meant");
}

#[test]
fn files_without_option_settings_are_an_error_where_there_is_nothing_else() {
    let desk = Desk::new();
    desk.write("packages.config", "packages:\n  yum:\n    git: []\n");
    desk.write("files.config", "files: {}\n");
    desk.fails("check packages.config", "no `option_settings` or `OptionSettings`");
    desk.fails(
        "check packages.config files.config",
        "no option settings are in any of `files.config`, `packages.config`",
    );
    desk.write("broken.config", "option_settings: [\n");
    desk.fails("check packages.config broken.config", "`broken.config` is not YAML or JSON");
}

#[test]
fn why_there_is_no_advice_is_told_also_where_no_sweep_was_begun() {
    let desk = Desk::new();
    let flat: String = two_hours().lines().map(|line| flattened(line) + "\n").collect();
    desk.write("flat.csv", &flat);
    desk.fails("run --environment web --metrics flat.csv", "the load hardly varies");
    for command in ["explain", "publish"] {
        let said = desk.succeeds(&format!("{command} --environment web"));
        assert!(said.starts_with("Subject: web: no advice: its load hardly varies"), "{said}");
        assert!(said.contains("What would help: "), "{said}");
    }
    desk.write("m.csv", &two_hours());
    desk.succeeds("ingest --environment web --metrics m.csv");
    desk.succeeds("refit --environment web");
    desk.fails("explain --environment web", "`web` has no advice up to");
}

/// A row with as many requests as any other.
fn flattened(row: &str) -> String {
    let mut cells: Vec<&str> = row.split(',').collect();
    if cells[0] != "timestamp" {
        cells[1] = "1000";
    }
    cells.join(",")
}

#[test]
fn a_delay_that_is_stated_wins_over_the_record_and_is_named_where_that_fails() {
    let desk = Desk::new();
    desk.succeeds("demo --directory out");
    let sweep = "sweep --environment invented-garden-prod --archive out/archive --dry-run --upper-thresholds 37 \
                 --lower-thresholds 22";
    let replayed_with = |options: &str| {
        let with = desk.json(&format!("{sweep} {options}"))["replayed_with"].clone();
        (with["launch_minutes"].clone(), with["metric_delay_minutes"].clone())
    };
    assert_eq!(replayed_with(""), (Value::from(1), Value::from(1)), "as the record shows them");
    assert_eq!(replayed_with("--launch 4 --metric-delay 3"), (Value::from(4), Value::from(3)));
    let said = desk.succeeds(&format!("{sweep} --launch 5"));
    let said = said.replace('\n', " ");
    assert!(
        said.contains(
            "Most likely a delay was stated that the record does not show: there a launch takes 1 min"
        ),
        "{said}"
    );
    desk.fails(&format!("{sweep} --threads 100000"), "threads must be from 1 to 1024, not 100000");
}

#[test]
fn a_trace_whose_clock_goes_back_is_refused_by_its_row() {
    let desk = Desk::new();
    desk.write(
        "t.csv",
        "timestamp,requests\n2026-11-02T00:01:00Z,5\n2026-11-02T00:02:00Z,5\n2026-11-02T00:00:00Z,5\n",
    );
    let words = "simulate --traffic t.csv --coefficient 0.01 --upper-threshold 60 --lower-threshold 20";
    desk.fails(
        words,
        "`t.csv`, row 4: `2026-11-02T00:00:00Z` is not later than the row before, `2026-11-02T00:02:00Z`",
    );
}

#[test]
fn simulate_knows_target_tracking_and_credits() {
    let desk = Desk::new();
    let traffic = "simulate --stages 5:5000,40:15000 --coefficient 0.01";
    let said = desk.succeeds(&format!("{traffic} --target 40"));
    assert!(said.contains("target tracking at 40 %") && said.contains("scale out 1 → "), "{said}");
    desk.fails(
        &format!("{traffic} --target 40 --basic-monitoring"),
        "target tracking looks at points of 1 min, which can't be made from metrics of 5 min",
    );
    let held =
        "--upper-threshold 90 --lower-threshold 5 --max-size 1 --burstable t2.small --credit-balance 5";
    let replayed = desk.json(&format!("{traffic} {held}"));
    let last = replayed["minutes"].as_array().unwrap().last().unwrap();
    assert!((last["cpu_percent"].as_f64().unwrap() - 20.0).abs() < 1e-9, "{last}");
    desk.fails(
        &format!("{traffic} {} --burstable m5.large", "--target 40"),
        "`m5.large` is no burstable type; these are: t2.nano",
    );
    desk.fails(
        "simulate --stages 3:100 --coefficient 0.01 --upper-threshold 60 --lower-threshold 20",
        "shorter than the 5 min that the alarm looks at",
    );
}

#[test]
fn sweeping_values_that_make_no_policy_says_what_is_wrong_with_them() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    desk.succeeds("ingest --environment web --metrics m.csv");
    desk.succeeds("refit --environment web");
    let values = "--upper-thresholds 20 --lower-thresholds 60";
    desk.fails(&format!("sweep --environment web {values}"), "the values to try make no policy");
    desk.fails(
        &format!("sweep --environment web {values}"),
        "have thresholds swapped: `LowerThreshold` 60 % must be below `UpperThreshold` 20 %",
    );
    desk.fails(
        "sweep --environment web --min-sizes 9 --max-sizes 3",
        "have sizes swapped: `MinSize` 9 is over `MaxSize` 3",
    );
    desk.fails(
        "sweep --environment web --min-sizes 0",
        "have a value out of range: `MinSize` must be 1 to 10000 instances, not `0`",
    );
    desk.fails(
        "sweep --environment web --cooldowns 1..10000 --max-sizes 4..10000",
        "at most 1000000, and 1000000000 in all",
    );
}

#[test]
fn instances_that_are_over_the_ceiling_without_a_request_are_not_said_to_stray() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    desk.succeeds("ingest --environment web --metrics m.csv");
    desk.fails(
        "sweep --environment web --coefficient 0.012 --intercept 60",
        "an instance without requests is at 60.0 % CPU, which leaves nothing below the ceiling of 50 %",
    );
}

#[test]
fn an_archive_that_is_a_file_or_can_not_be_made_is_named() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    desk.fails(
        "ingest --environment web --metrics m.csv --archive m.csv",
        "opening `m.csv`: not a directory",
    );
    desk.fails("ingest --environment web --metrics m.csv --archive m.csv/inner", "`m.csv/inner`");
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_place_is_named() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    // Not even root can make a directory there.
    desk.fails("ingest --environment web --metrics m.csv --archive /proc/trellis", "making `/proc/trellis`");
}

/// A limit on the size of files stands for a full disk: the write fails half-way.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    desk.succeeds("ingest --environment web --metrics m.csv --leave-open 60");
    let before = desk.files();
    let samples = before.iter().find(|file| file.ends_with("samples.parquet")).unwrap();
    let kept = fs::read(desk.path().join(samples)).unwrap();
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" ingest --environment web --metrics m.csv";
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_trellis")])
        .current_dir(desk.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains("samples.parquet`: File too large"), "{said}");
    assert_eq!(desk.files(), before);
    assert!(fs::read(desk.path().join(samples)).unwrap() == kept);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let first = |words: &str| {
        let script = format!("\"$0\" {words} | head -c 20");
        let shell = ["-c", &script, env!("CARGO_BIN_EXE_trellis")];
        let output = Command::new("sh").args(shell).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(first("sample").starts_with("timestamp,requests"));
    assert!(first("sample --json").starts_with('{'));
}

/// Such a device takes nothing.
#[cfg(target_os = "linux")]
#[test]
fn an_error_that_nobody_can_read_is_one_all_the_same() {
    let desk = Desk::new();
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let status = desk.command().args(["refit", "--environment", "web"]).stderr(full).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn every_command_teaches_with_its_help() {
    let desk = Desk::new();
    let commands = [
        "run",
        "ingest",
        "refit",
        "sweep",
        "publish",
        "simulate",
        "shape",
        "explain",
        "diff",
        "completions",
        "man",
    ];
    for command in commands {
        let help = desk.succeeds(&format!("{command} --help"));
        assert!(help.contains("Example") && help.contains(&format!("trellis {command}")), "{help}");
    }
    assert!(desk.succeeds("--help").contains("trellis demo"));
}

#[test]
fn a_rehearsal_shows_the_advice_and_leaves_nothing() {
    let desk = Desk::new();
    desk.write("m.csv", &two_hours());
    let said = desk.succeeds("run --environment web --metrics m.csv --message advice.txt --dry-run");
    assert!(said.contains("Subject: web: "), "{said}");
    assert!(!said.contains("Files:"), "{said}");
    assert_eq!(desk.files(), ["m.csv"]);
}

#[test]
fn metrics_come_from_aws_or_from_files() {
    let desk = Desk::new();
    desk.fails("ingest --environment web", "--metrics <FILE>");
    desk.fails("ingest --environment web --aws --metrics m.csv", "cannot be used with");
    // What is asked of AWS has times, columns and rows of its own.
    for of_files in
        ["--start 2026-11-02T00:00Z --period 60", "--time-column when", "--where a>1", "--leave-open 5"]
    {
        desk.fails(&format!("ingest --environment web --aws {of_files}"), "cannot be used with");
    }
    desk.fails(
        "ingest --environment web --archive s3:// --region eu-central-1 --aws",
        "is no address of a bucket",
    );
}

#[test]
fn without_a_region_aws_is_not_asked_and_the_error_says_how_to_name_one() {
    let desk = Desk::new();
    let said = said_without_aws(&desk, "ingest --environment web --aws");
    assert!(said.contains("no AWS Region is known: give --region"), "{said}");
}

#[test]
fn a_profile_that_nobody_wrote_down_is_named_with_those_that_there_are() {
    let desk = Desk::new();
    let said = |words: &str| said_without_aws(&desk, &format!("ingest --environment web --aws {words}"));
    let none = said("--profile nosuch");
    assert!(
        none.contains("no profile `nosuch` is in the files of the AWS command line, which hold none"),
        "{none}"
    );
    fs::create_dir(desk.path().join(".aws")).unwrap();
    desk.write(".aws/config", "[profile other]\noutput = json\n");
    let other = said("--profile nosuch --region eu-west-1");
    assert!(
        other.contains("no profile `nosuch` is in the files of the AWS command line; these are: other"),
        "{other}"
    );
    assert!(said("--profile other").contains("no AWS Region is known"));
}

/// What a command that needs AWS says on a machine that knows none.
fn said_without_aws(desk: &Desk, words: &str) -> String {
    let mut command = desk.command();
    command.args(words.split_whitespace());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    let output = command.env("AWS_EC2_METADATA_DISABLED", "true").env("HOME", desk.path()).output().unwrap();
    String::from_utf8(output.stderr).unwrap()
}

/// Two pieces of advice, of two hours and of four: a request costs a fifth more in the second half.
fn advised_twice() -> Desk {
    let desk = Desk::new();
    let more: String =
        two_hours().lines().skip(1).map(|line| line.replace("2026-11-02T", "2026-11-03T") + "\n").collect();
    desk.write("first.csv", &two_hours());
    desk.write("second.csv", &format!("timestamp,requests,cpu_percent,in_service\n{more}"));
    desk.write(
        "trellis.toml",
        "environment = \"web\"\n[candidates]\nmin-sizes = \"1..2\"\ncooldowns = 180\n",
    );
    desk.write(
        "settings.config.json",
        r#"{ "ConfigurationSettings": [{ "EnvironmentName": "web", "OptionSettings": [
            { "Namespace": "aws:autoscaling:trigger", "OptionName": "MeasureName", "Value": "CPUUtilization" },
            { "Namespace": "aws:autoscaling:trigger", "OptionName": "Unit", "Value": "Percent" },
            { "Namespace": "aws:autoscaling:trigger", "OptionName": "UpperThreshold", "Value": "60" },
            { "Namespace": "aws:autoscaling:trigger", "OptionName": "LowerThreshold", "Value": "1" },
            { "Namespace": "aws:autoscaling:asg", "OptionName": "MinSize", "Value": "2" },
            { "Namespace": "aws:autoscaling:asg", "OptionName": "MaxSize", "Value": "6" },
            { "Namespace": "aws:autoscaling:launchconfiguration", "OptionName": "MonitoringInterval", "Value": "1 minute" }
        ] }] }"#,
    );
    for metrics in ["first.csv", "second.csv"] {
        desk.succeeds(&format!("run --metrics {metrics} --settings settings.config.json --lookback 1"));
    }
    desk
}

#[test]
fn explain_prints_the_message_again_and_the_settings_alone_to_be_pasted() {
    let desk = advised_twice();
    let before = desk.files();
    let said = desk.succeeds("explain");
    assert!(said.starts_with("Subject: web: ") && said.contains("How to undo"), "{said}");
    assert_eq!(said, desk.succeeds("explain --date 2026-11-03"));
    assert!(desk.succeeds("explain --date 2026-11-02").contains("2026-11-02 01:57 UTC"));
    let pasted = desk.succeeds("explain --paste ebextensions");
    desk.write("pasted.config", &pasted);
    assert!(pasted.starts_with("option_settings:\n  aws:autoscaling:"), "{pasted}");
    assert!(desk.succeeds("explain --paste terraform --undo").starts_with("setting {\n  namespace"));
    assert!(desk.succeeds("explain --paste command").starts_with("aws elasticbeanstalk update-environment"));
    let alone = desk.json("explain --paste ebextensions");
    assert_eq!((&alone["text"], &alone["undo"]), (&pasted.as_str().into(), &false.into()));
    let told = desk.json("explain");
    assert_eq!(
        (&told["schema_version"], &told["news"][0]["environment"]),
        (&Value::from(1), &Value::from("web"))
    );
    assert_eq!(told["news"][0]["apply"]["ebextensions"], pasted);
    let chat: Value = serde_json::from_str(&desk.succeeds("explain --chat")).unwrap();
    assert_eq!(chat["source"], "custom");
    let page = desk.succeeds("explain --pages https://pages.example/");
    assert!(
        page.contains("https://pages.example/sweeps/environment=web/date=2026-11-03/report.html"),
        "{page}"
    );
    desk.fails(
        "explain --date 2026-11-09",
        "`web` has no advice of 2026-11-09; the one before is of 2026-11-03",
    );
    desk.fails(
        "explain --paste yaml",
        "`yaml` is none of ebextensions, command, cloudformation and terraform",
    );
    desk.fails("explain --undo", "--paste <FORM>");
    assert_eq!(desk.files().len(), before.len() + 1, "it keeps nothing");
}

#[test]
fn diff_tells_two_pieces_of_advice_apart() {
    let desk = advised_twice();
    let said = desk.succeeds("diff 2026-11-02 2026-11-03");
    for part in ["Advice for web", "2026-11-02: ", "Advised settings", "requests per minute, peak", "Why"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let document = desk.json("diff 2026-11-02 2026-11-03");
    assert_eq!(
        (&document["schema_version"], document["numbers"].as_array().unwrap().len()),
        (&Value::from(1), 11)
    );
    desk.fails("diff 2026-11-03 2026-11-02", "2026-11-03 is not before 2026-11-02");
    desk.fails("diff 2026-11-03 2026-11-09", "`web` has the same advice for both, of 2026-11-03");
    desk.fails("diff 2026-10-01 2026-11-09", "`web` has no advice of 2026-10-01 or before");
}

#[test]
fn tables_fit_the_terminal_and_only_a_terminal_has_colours() {
    let desk = Desk::new();
    let words =
        "simulate --stages 5:5000,20:15000 --coefficient 0.01 --upper-threshold 70 --lower-threshold 20";
    let said = |variables: &[(&str, &str)]| {
        let mut command = desk.command();
        command.args(words.split_whitespace()).env_remove("COLUMNS");
        let output = command.envs(variables.iter().copied()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let widest = |text: &str| text.lines().map(|line| line.trim_end().chars().count()).max().unwrap();
    let (free, narrow) = (said(&[]), said(&[("COLUMNS", "72")]));
    assert!(widest(&free) > 72 && widest(&narrow) <= 72, "{narrow}");
    desk.write("m.csv", &two_hours());
    let run = |variables: &[(&str, &str)]| {
        let mut command = desk.command();
        command.args("run --environment web --metrics m.csv --dry-run".split_whitespace());
        let output = command.env_remove("NO_COLOR").envs(variables.iter().copied()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(!run(&[]).contains('\u{1b}'), "this is no terminal");
    assert!(run(&[("CLICOLOR_FORCE", "1")]).contains("\u{1b}[1mHow to apply:"));
    assert!(!run(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
}

#[test]
fn every_command_prints_json_when_asked() {
    let desk = Desk::new();
    let sample = desk.json("sample");
    assert!(sample["metrics_csv"].as_str().unwrap().starts_with("timestamp,"), "{sample}");
    assert!(desk.json("talk")["mean_cpu_percent"].is_number());
    assert_eq!(desk.json("shape 2:100").as_array().unwrap().len(), 2);
    assert_eq!(desk.json("completions bash")["shell"], "bash");
    assert!(desk.json("man").as_array().unwrap().len() > 10);
}

#[test]
fn completions_complete_in_a_real_shell() {
    let desk = Desk::new();
    desk.write("complete.bash", &desk.succeeds("completions bash"));
    let script = "source complete.bash; COMP_WORDS=(trellis exp); COMP_CWORD=1; _trellis trellis exp trellis; echo \"${COMPREPLY[*]}\"";
    let output = Command::new("bash").args(["-c", script]).current_dir(desk.path()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "explain", "{output:?}");
    for shell in ["zsh", "fish", "powershell", "elvish"] {
        assert!(desk.succeeds(&format!("completions {shell}")).contains("explain"), "{shell}");
    }
    desk.fails("completions csh", "invalid value 'csh'");
}

#[test]
fn there_is_a_man_page_for_each_command() {
    let desk = Desk::new();
    let said = desk.succeeds("man --directory man1");
    let pages = desk.files();
    assert!(said.starts_with(&format!("{} pages in man1", pages.len())), "{said}");
    for page in ["trellis.1", "trellis-run.1", "trellis-explain.1", "trellis-diff.1"] {
        let text = fs::read_to_string(desk.path().join("man1").join(page)).unwrap();
        let name = page.trim_end_matches(".1");
        assert!(text.contains(&format!(".TH {name} 1")) && text.contains(".SH SYNOPSIS"), "{page}: {text}");
    }
    assert_eq!(fs::read_to_string(desk.path().join("man1/trellis.1")).unwrap(), desk.succeeds("man"));
}
