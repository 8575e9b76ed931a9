//! `trellis simulate`: one policy, minute by minute, with the reason why nothing happened.

use std::io::Write;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use comfy_table::Table;
use scaling::alarm::AlarmState;
use scaling::course::Course;
use scaling::cpu_model::CpuModel;
use scaling::dynamics::{Dynamics, Monitoring};
use scaling::plan::{Measure, Plan, Rule, TargetTracking};
use scaling::policy::{Group, ScalingPolicy, Trigger};
use scaling::reference::{Decision, Row, Scenario, replay};
use scaling::simulate::Outcome;
use scaling::talk::{self, TalkPolicy};
use scaling::traffic::{Load, Traffic};
use scaling::units::{Instances, MinuteUtc, Minutes, RequestsPerMinute, Seconds};
use serde::Serialize;

use super::{Output, dynamics, printed, staged, table_of, trace};
use crate::options::{Cost, Delays, Intake, Shape};
use crate::terminal::Terminal;
use pipeline::documents::OutcomeDocument;
use pipeline::refit::ceiling_or_default;
use pipeline::values::Percent;

/// Replay one policy, minute by minute
///
/// Shows what the alarms saw, what the group did, and why nothing happened where nothing did. Equal minutes
/// are one row. The traffic comes from stages or from a file of requests per minute, as `trellis shape`
/// writes it; what a request costs is stated.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  trellis simulate --stages 5:1000,20:9000,30:2000 --coefficient 0.012 --upper-threshold 40 --lower-threshold 15
  trellis shape 10:30000,8:150000,30:150000 > launch.csv
  trellis simulate --traffic launch.csv --coefficient 0.00087169 --upper-threshold 15 --lower-threshold 10 \\
      --upper-breach-scale-increment 2 --rules talk --format csv")]
pub(crate) struct Simulate {
    #[command(flatten)]
    shape: Shape,
    /// A file with requests per minute
    #[arg(long, value_name = "FILE", conflicts_with = "stages")]
    traffic: Option<std::path::PathBuf>,
    #[command(flatten)]
    intake: Intake,
    #[command(flatten)]
    cost: Cost,
    #[command(flatten)]
    policy: PolicyOptions,
    #[command(flatten)]
    delays: Delays,
    /// CPU percent from which on minutes are counted as over [default: 50]
    #[arg(long, value_name = "PERCENT")]
    ceiling: Option<Percent>,
    /// Instances at the start [default: MinSize]
    #[arg(long, value_name = "COUNT")]
    initial: Option<u32>,
    /// Whose rules: AWS's, or those of the talk that the method comes from
    #[arg(long, value_enum, default_value = "aws")]
    rules: Rules,
    /// How to print the minutes
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum, PartialEq)]
enum Rules {
    Aws,
    Talk,
}

#[derive(Debug, Clone, Copy, ValueEnum, PartialEq)]
enum Format {
    Table,
    Csv,
}

/// The policy, by Beanstalk's option names; what is not given has Beanstalk's default.
#[derive(Debug, Args)]
struct PolicyOptions {
    /// Add instances above it, CPU percent
    #[arg(long, value_name = "PERCENT", required_unless_present = "target")]
    upper_threshold: Option<Percent>,
    /// Remove instances below it, CPU percent
    #[arg(long, value_name = "PERCENT", required_unless_present = "target")]
    lower_threshold: Option<Percent>,
    /// Target tracking at that CPU percent, in place of thresholds
    #[arg(long, value_name = "PERCENT", conflicts_with_all = ["upper_threshold", "lower_threshold"])]
    target: Option<Percent>,
    /// Target tracking: minutes from in service until an instance counts
    #[arg(long, value_name = "MINUTES", default_value_t = 6)]
    warm_up: u32,
    /// Instances to add
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    upper_breach_scale_increment: u32,
    /// Instances to remove
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    lower_breach_scale_increment: u32,
    /// Minutes that one point of the alarm covers
    #[arg(long = "trigger-period", value_name = "MINUTES", default_value_t = 5)]
    trigger_period: u32,
    /// Points that must all breach
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    evaluation_periods: u32,
    /// Fewest instances
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    min_size: u32,
    /// Most instances
    #[arg(long, value_name = "COUNT", default_value_t = 4)]
    max_size: u32,
    /// Rest after a change, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 360)]
    cooldown: u32,
    /// Metrics come every five minutes, not every minute
    #[arg(long)]
    basic_monitoring: bool,
}

impl PolicyOptions {
    /// Target tracking, or the trigger.
    fn plan(&self) -> anyhow::Result<Plan> {
        let Some(target) = self.target else { return Ok(Plan::from(&self.policy()?)) };
        let rule = Rule::TargetTracking(TargetTracking::cpu(target.0, Minutes(self.warm_up)));
        let plan = Plan { rule, group: self.group(), measure: Measure::CpuUtilization };
        plan.check()?;
        if !plan.is_fed_by(self.monitoring()) {
            bail!(
                "target tracking looks at points of 1 min, which can't be made from metrics of 5 min: AWS does not say what its \
                 alarms do then"
            );
        }
        Ok(plan)
    }

    /// In words.
    fn said(&self) -> anyhow::Result<String> {
        let Some(target) = self.target else { return Ok(self.policy()?.to_string()) };
        let group = self.group();
        Ok(format!("target tracking at {}, {} to {} instances", target.0, group.min_size.0, group.max_size.0))
    }

    fn group(&self) -> Group {
        Group {
            min_size: Instances(self.min_size),
            max_size: Instances(self.max_size),
            cooldown: Seconds(self.cooldown),
        }
    }

    fn policy(&self) -> anyhow::Result<ScalingPolicy> {
        let needed = "give --upper-threshold and --lower-threshold";
        let trigger = Trigger {
            upper_threshold: self.upper_threshold.context(needed)?.0,
            lower_threshold: self.lower_threshold.context(needed)?.0,
            upper_breach_scale_increment: Instances(self.upper_breach_scale_increment),
            lower_breach_scale_increment: Instances(self.lower_breach_scale_increment),
            period: Minutes(self.trigger_period),
            evaluation_periods: self.evaluation_periods,
        };
        let group = self.group();
        if !self.monitoring().allows(trigger.period) {
            bail!("a period of {} min can't be made from metrics of 5 min", self.trigger_period);
        }
        Ok(ScalingPolicy::new(trigger, group)?)
    }

    fn monitoring(&self) -> Monitoring {
        if self.basic_monitoring { Monitoring::Basic } else { Monitoring::Detailed }
    }

    fn talk(&self, boot: u32) -> anyhow::Result<TalkPolicy> {
        let needed = "the talk's rules need --upper-threshold and --lower-threshold";
        Ok(TalkPolicy {
            scale_up_increment: self.upper_breach_scale_increment,
            scale_down_increment: self.lower_breach_scale_increment,
            upper_threshold: self.upper_threshold.context(needed)?.0.get(),
            lower_threshold: self.lower_threshold.context(needed)?.0.get(),
            start_up_time: boot,
        })
    }
}

pub(crate) fn run(command: &Simulate, output: &mut Output) -> anyhow::Result<()> {
    let traffic = traffic(command)?;
    let coefficient = command.cost.coefficient.context("state what a request costs with --coefficient")?;
    let model = CpuModel::new(command.cost.intercept.unwrap_or(0.0), coefficient)?;
    let load = Load::new(&traffic, model);
    match command.rules {
        Rules::Aws => by_aws(command, &traffic, &load, output),
        Rules::Talk => by_talk(command, &traffic, &load, output),
    }
}

fn traffic(command: &Simulate) -> anyhow::Result<Traffic> {
    if let Some(stages) = &command.shape.stages {
        return staged(stages);
    }
    let path = command.traffic.as_ref().context("give the traffic with --stages or --traffic")?;
    let samples = trace(path, &command.intake)?.samples;
    let whole = scaling::units::Window {
        start: samples.first().map_or(MinuteUtc::new(0)?, |sample| sample.minute_utc),
        end: samples.last().map_or(MinuteUtc::new(0)?, |sample| sample.minute_utc + Minutes(5)),
    };
    Traffic::recorded(&samples, whole).with_context(|| {
        format!("`{}` holds no requests; name their column with --column requests=…", path.display())
    })
}

fn by_aws(command: &Simulate, traffic: &Traffic, load: &Load, output: &mut Output) -> anyhow::Result<()> {
    let plan = command.policy.plan()?;
    let looks_at = plan.rule.high().period.0 * plan.rule.high().rule.evaluation_periods as u32;
    load.check(Minutes(looks_at))?;
    let dynamics = Dynamics { monitoring: command.policy.monitoring(), ..dynamics(&command.delays)? };
    let initial = command.initial.map_or(plan.group.min_size, Instances);
    let scenario = Scenario { plan, dynamics, course: Course::default(), initial };
    let rows = replay(load, &scenario);
    let (ceiling, _) = ceiling_or_default(command.ceiling.map(|percent| percent.0), None);
    let outcome = Outcome::of(&rows, ceiling);
    let rates = traffic.requests_per_minute.iter().map(|rate| rate.map(RequestsPerMinute::get));
    let clock = Clock { start: traffic.start, counts: command.shape.stages.is_some() };
    let lines: Vec<Line> = rows.iter().zip(rates).map(|(row, rate)| Line::of(row, rate, clock)).collect();
    if output.is_json() {
        return output.json(&Replayed { outcome: outcome.into(), minutes: lines });
    }
    print(&lines, command.format, output)?;
    if command.format == Format::Table {
        let (policy, summary) = (command.policy.said()?, summary(&outcome, ceiling.get()));
        let fitted = |text: &str| output.terminal.fitted(text);
        let (policy, summary) = (fitted(&policy), fitted(&summary));
        writeln!(output, "\n{policy}\n{summary}")?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Replayed {
    outcome: OutcomeDocument,
    minutes: Vec<Line>,
}

fn summary(outcome: &Outcome, ceiling: f64) -> String {
    format!(
        "{:.1} instance hours, mean CPU {:.2} %, highest {:.2} %, {} of {} minutes at or over {ceiling} %, \
         {} scale-outs, {} scale-ins",
        outcome.instance_hours(),
        outcome.mean_cpu_percent,
        outcome.max_cpu_percent,
        outcome.minutes_over,
        outcome.minutes,
        outcome.scale_outs,
        outcome.scale_ins
    )
}

/// How minutes are written: as they were recorded, or counted from the start of stages, which have no date.
#[derive(Clone, Copy)]
struct Clock {
    start: MinuteUtc,
    counts: bool,
}

impl Clock {
    fn show(self, minute: MinuteUtc) -> String {
        let since = minute.epoch_minutes() - self.start.epoch_minutes();
        if self.counts { since.to_string() } else { minute.to_string() }
    }
}

/// One minute as it is printed.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Line {
    minute: String,
    requests_per_minute: Option<f64>,
    desired: u32,
    in_service: u32,
    serving: u32,
    billed: u32,
    cpu_percent: Option<f64>,
    group_cpu_percent: Option<f64>,
    high: &'static str,
    low: &'static str,
    decision: String,
}

impl Line {
    fn of(row: &Row, requests_per_minute: Option<f64>, clock: Clock) -> Self {
        Self {
            minute: clock.show(row.minute_utc),
            requests_per_minute,
            desired: row.desired.0,
            in_service: row.in_service.0,
            serving: row.serving.0,
            billed: row.billed.0,
            cpu_percent: row.cpu_percent,
            group_cpu_percent: row.measure,
            high: alarm(row.high),
            low: alarm(row.low),
            decision: decision(row.decision, clock),
        }
    }

    fn cells(&self) -> [String; 9] {
        let number =
            |value: Option<f64>, digits| value.map_or("unknown".into(), |value| format!("{value:.digits$}"));
        [
            number(self.requests_per_minute, 0),
            self.desired.to_string(),
            self.in_service.to_string(),
            self.serving.to_string(),
            number(self.cpu_percent, 1),
            number(self.group_cpu_percent, 1),
            self.high.into(),
            self.low.into(),
            self.decision.clone(),
        ]
    }
}

fn alarm(state: AlarmState) -> &'static str {
    match state {
        AlarmState::Ok => "OK",
        AlarmState::Alarm => "ALARM",
        AlarmState::InsufficientData => "INSUFFICIENT_DATA",
    }
}

fn decision(decision: Decision, clock: Clock) -> String {
    match decision {
        Decision::NoBreach => "no breach".into(),
        Decision::WindowNotFull => "alarm window not full yet".into(),
        Decision::InsufficientData => "no data".into(),
        Decision::ScaleOut { from, to } => format!("scale out {} → {}", from.0, to.0),
        Decision::ScaleIn { from, to } => format!("scale in {} → {}", from.0, to.0),
        Decision::ActivityInProgress { accepted_from } => {
            format!("refused: activity, until {}", clock.show(accepted_from))
        }
        Decision::Cooldown { accepted_from } => {
            format!("refused: cooldown, until {}", clock.show(accepted_from))
        }
        Decision::AtMaxSize => "at MaxSize".into(),
        Decision::AtMinSize => "at MinSize".into(),
        Decision::WarmingUp => "refused: instances warm up".into(),
        Decision::NoChange { capacity } => format!("asks for {}: no change", capacity.0),
    }
}

fn print(lines: &[Line], format: Format, output: &mut Output) -> anyhow::Result<()> {
    match format {
        Format::Csv => csv(lines, output),
        Format::Table => {
            let table = table(lines, output.terminal);
            Ok(writeln!(output, "{}", printed(table))?)
        }
    }
}

fn csv(lines: &[Line], output: &mut Output) -> anyhow::Result<()> {
    writeln!(
        output,
        "minute,requests_per_minute,desired,in_service,serving,billed,cpu_percent,group_cpu_percent,high,low,decision"
    )?;
    let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
    for line in lines {
        let Line { minute, desired, in_service, serving, billed, high, low, decision, .. } = line;
        let (requests, cpu) = (number(line.requests_per_minute), number(line.cpu_percent));
        let group = number(line.group_cpu_percent);
        writeln!(
            output,
            "{minute},{requests},{desired},{in_service},{serving},{billed},{cpu},{group},{high},{low},\"{decision}\""
        )?;
    }
    Ok(())
}

/// Equal minutes are one row.
fn table(lines: &[Line], terminal: Terminal) -> Table {
    let headers = [
        "minutes",
        "requests per min",
        "desired",
        "in service",
        "serving",
        "CPU %",
        "group %",
        "high",
        "low",
        "policy",
    ];
    let mut table = table_of(&headers, 1..7, terminal);
    let mut first = 0;
    for index in 0..lines.len() {
        let last = index + 1 == lines.len() || lines[index].cells() != lines[index + 1].cells();
        if last {
            let (from, to) = (&lines[first].minute, &lines[index].minute);
            let minutes = if first == index { from.clone() } else { span(from, to) };
            table.add_row([vec![minutes], lines[index].cells().to_vec()].concat());
            first = index + 1;
        }
    }
    table
}

/// From and to, the date once where it is the same.
fn span(from: &str, to: &str) -> String {
    let same_date = from.split_once('T').zip(to.split_once('T')).filter(|(from, to)| from.0 == to.0);
    same_date.map_or(format!("{from} – {to}"), |(_, (_, time))| format!("{from} – {time}"))
}

#[derive(Serialize)]
struct TalkReplayed {
    mean_cpu_percent: f64,
    max_cpu_percent: f64,
    minutes: Vec<TalkLine>,
}

#[derive(Serialize)]
struct TalkLine {
    minute: usize,
    requests_per_minute: f64,
    instances: u32,
    cpu_percent: f64,
}

fn by_talk(command: &Simulate, traffic: &Traffic, load: &Load, output: &mut Output) -> anyhow::Result<()> {
    if traffic.missing() > 0 {
        bail!("the talk's rules know no missing minutes, and {} are missing", traffic.missing());
    }
    let policy = command.policy.talk(command.delays.boot.unwrap_or(4))?;
    let mut fleet = Vec::new();
    talk::replay(&load.demand_percent, policy, |instances, cpu| {
        fleet.push((instances, cpu));
        true
    });
    let outcome =
        talk::simulate(&load.demand_percent, policy, f64::INFINITY).context("the traffic is empty")?;
    let rates = traffic.requests_per_minute.iter().flatten();
    let lines = fleet.iter().zip(rates).enumerate().map(|(index, (&(instances, cpu_percent), rate))| {
        TalkLine { minute: index + 1, requests_per_minute: rate.get(), instances, cpu_percent }
    });
    let (mean_cpu_percent, max_cpu_percent) = (outcome.mean_cpu_percent, outcome.max_cpu_percent);
    let replayed = TalkReplayed { mean_cpu_percent, max_cpu_percent, minutes: lines.collect() };
    if output.is_json() { output.json(&replayed) } else { print_talk(&replayed, command.format, output) }
}

fn print_talk(replayed: &TalkReplayed, format: Format, output: &mut Output) -> anyhow::Result<()> {
    if format == Format::Csv {
        writeln!(output, "minute,requests_per_minute,instances,cpu_percent")?;
        for line in &replayed.minutes {
            let TalkLine { minute, requests_per_minute, instances, cpu_percent } = line;
            writeln!(output, "{minute},{requests_per_minute},{instances},{cpu_percent}")?;
        }
        return Ok(());
    }
    let mut table = table_of(&["minute", "requests per min", "instances", "CPU %"], 0..4, output.terminal);
    for line in &replayed.minutes {
        let TalkLine { minute, requests_per_minute, instances, cpu_percent } = line;
        let cells = [format!("{minute}"), format!("{requests_per_minute:.0}"), format!("{instances}")];
        table.add_row([cells.to_vec(), vec![format!("{cpu_percent:.6}")]].concat());
    }
    let TalkReplayed { mean_cpu_percent, max_cpu_percent, .. } = replayed;
    writeln!(
        output,
        "{}\n\nmean CPU {mean_cpu_percent:.6} %, highest {max_cpu_percent:.6} %",
        printed(table)
    )?;
    Ok(())
}
