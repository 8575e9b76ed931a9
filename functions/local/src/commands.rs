//! The subcommands: each reads its options, runs a stage, and prints what came of it.

use std::cell::Cell;
use std::io::{self, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};
use jiff::Timestamp;
use pipeline::advice::Kept;
use pipeline::archive::directory::DirectoryArchive;
use pipeline::archive::rehearsal::Rehearsal;
use pipeline::archive::{Archive, Environment};
use pipeline::recorded::{self, Recording, Source};
use pipeline::spending::{Counted, Spent};
use pipeline::store;
use pipeline::sweep::Replayed;
use pipeline::values::Stages;
use scaling::credits::{BurstableSize, Credits, Mode, SIZES};
use scaling::dynamics::{Booting, Dynamics};
use scaling::traffic::Traffic;
use scaling::units::{MinuteUtc, Minutes, Window};

use crate::cloud::Cloud;
use crate::options::{CreditMode, Delays, File, Intake, OfRecord, Place, Time};
use crate::terminal::Terminal;

mod check;
mod demo;
mod diff;
mod explain;
mod ingest;
mod install;
mod publish;
mod refit;
mod report;
mod run;
mod shape;
mod simulate;
mod sweep;
mod talk;

/// Elastic Beanstalk scaling settings that keep CPU under a ceiling at the least cost
///
/// Trellis learns from an environment's own metrics what a request costs in CPU, replays its recent traffic
/// under every plausible setting by AWS's rules, and recommends the cheapest that holds. It changes nothing
/// in any environment.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = "Examples:
  trellis demo                                    the whole chain on an invented environment
  trellis run --environment web-prod --metrics cpu.json,requests.json --settings settings.json
                                                  the whole chain on your own export
  trellis sweep --environment web-prod --ceiling 60 --stages 10:30000,8:150000
                                                  what if a launch brings 150000 requests a minute?

Options can also be written in trellis.toml; a flag wins. `trellis help COMMAND` tells more."
)]
pub(crate) struct Trellis {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON document, for programs
    #[arg(long, global = true)]
    json: bool,
    /// Keep and publish nothing: only show what would be
    #[arg(long, global = true)]
    dry_run: bool,
    /// Read options from this file [default: trellis.toml, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Run(Box<run::Run>),
    Ingest(ingest::Ingest),
    Refit(refit::Refit),
    Sweep(Box<sweep::Sweep>),
    Publish(publish::Publish),
    Explain(explain::Explain),
    Diff(diff::Diff),
    Report(report::ReportCommand),
    Check(check::Check),
    Simulate(Box<simulate::Simulate>),
    Shape(Box<shape::ShapeCommand>),
    Talk(talk::Talk),
    Sample(demo::Sample),
    Completions(install::Completions),
    Man(install::Man),
}

pub(crate) async fn run(trellis: Trellis, terminal: Terminal, now: Timestamp) -> anyhow::Result<()> {
    let file = File::read(trellis.config.as_deref())?;
    let (json, dry_run, out) = (trellis.json, trellis.dry_run, io::BufWriter::new(io::stdout()));
    let mut output = Output { json, dry_run, terminal, out };
    let output = &mut output;
    match trellis.command {
        Command::Demo(command) => demo::run(command, output, now).await,
        Command::Run(command) => run::run(*command, file, output, now).await,
        Command::Ingest(command) => ingest::run(command, file, output, now).await,
        Command::Refit(command) => refit::run(command, file, output).await,
        Command::Sweep(command) => sweep::run(*command, file, output).await,
        Command::Publish(command) => publish::run(command, file, output, now).await,
        Command::Explain(command) => explain::run(command, file, output, now).await,
        Command::Diff(command) => diff::run(command, file, output).await,
        Command::Report(command) => report::run(command, file, output, now).await,
        Command::Check(command) => check::run(command, file, output).await,
        Command::Simulate(command) => simulate::run(&command, output),
        Command::Shape(command) => shape::run(*command, file, output).await,
        Command::Talk(command) => talk::run(&command, output),
        Command::Sample(_) => demo::sample(output),
        Command::Completions(command) => install::completions(&command, output),
        Command::Man(command) => install::man(&command, output),
    }?;
    Ok(output.flush()?)
}

/// Standard output: text for people, or one JSON document for programs.
pub(crate) struct Output {
    json: bool,
    dry_run: bool,
    terminal: Terminal,
    out: io::BufWriter<io::Stdout>,
}

impl Output {
    fn is_json(&self) -> bool {
        self.json
    }

    fn is_rehearsal(&self) -> bool {
        self.dry_run
    }

    fn json(&mut self, document: &impl serde::Serialize) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, document)?;
        Ok(writeln!(self.out)?)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// A table with right-aligned `numbers`, to be [`printed`] as wide as the terminal allows.
fn table_of(headers: &[&str], numbers: std::ops::Range<usize>, terminal: Terminal) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(headers.to_vec());
    if let Some(width) = terminal.width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for index in numbers {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// The table as it is printed: words stay whole, also where that makes it wider than the terminal, and columns stand
/// closer where there is no room.
fn printed(mut table: Table) -> Table {
    let longest = longest_words(&mut table);
    let room = table.width().unwrap_or(u16::MAX);
    let wide: u16 = longest.iter().map(|word| word + 2).sum();
    let (left, right) = if wide <= room { (1, 1) } else { (0, 1) };
    for (column, word) in table.column_iter_mut().zip(longest) {
        let least = Width::Fixed(word + left + right);
        column.set_padding((left, right)).set_constraint(ColumnConstraint::LowerBoundary(least));
    }
    table
}

/// Of each column the length of its longest word.
fn longest_words(table: &mut Table) -> Vec<u16> {
    let mut longest = vec![0; table.column_count()];
    for row in table.header().into_iter().chain(table.row_iter()) {
        for (longest, cell) in longest.iter_mut().zip(row.cell_iter()) {
            let content = cell.content();
            let words = content.split_whitespace().map(|word| word.chars().count());
            *longest = words.filter_map(|word| u16::try_from(word).ok()).fold(*longest, u16::max);
        }
    }
    longest
}

/// An environment and where its data are kept.
struct Ground {
    environment: Environment,
    archive: Counted<Box<dyn Archive>>,
    /// Metrics that CloudWatch was asked for.
    metrics: Cell<u64>,
    /// A directory, or `s3://bucket/prefix`.
    place: String,
    cloud: Cloud,
    dry_run: bool,
}

const DEFAULT_ARCHIVE: &str = "trellis-archive";
const DEFAULT_LOOKBACK_DAYS: u32 = 14;

impl Ground {
    /// With `dry_run`, what is put there is forgotten at the end.
    async fn of(place: Place, dry_run: bool) -> anyhow::Result<Self> {
        let name =
            place.environment.context("name the environment with --environment, or in trellis.toml")?;
        let cloud = Cloud { profile: place.profile, region: place.region };
        let place = place.archive.unwrap_or_else(|| DEFAULT_ARCHIVE.into());
        let archive = archive_at(&place, &cloud, dry_run).await?;
        let (environment, archive) = (Environment::new(name)?, Counted::over(archive));
        Ok(Self { environment, archive, metrics: Cell::new(0), place, cloud, dry_run })
    }

    /// The time asked for, which ends with the newest sample unless told otherwise.
    async fn window(&self, time: &Time) -> anyhow::Result<Window> {
        let until = match &time.until {
            Some(instant) => instant.0,
            None => self.end().await?,
        };
        span(time, until, DEFAULT_LOOKBACK_DAYS)
    }

    /// What was asked of AWS so far costs that, USD.
    fn spent_usd(&self) -> f64 {
        let asked = if self.place.starts_with("s3://") { self.archive.spent() } else { Spent::default() };
        Spent { metrics: self.metrics.get(), ..asked }.usd()
    }

    /// Where a command finds what is kept here.
    fn place_of_advice(&self) -> Kept {
        if self.place == DEFAULT_ARCHIVE { Kept::ByDefault } else { Kept::In(self.place.clone()) }
    }

    /// The same for advice that was made just now, which a rehearsal forgets.
    fn kept(&self) -> Kept {
        if self.dry_run { Kept::Nowhere } else { self.place_of_advice() }
    }

    async fn end(&self) -> anyhow::Result<MinuteUtc> {
        let end = store::end_of_samples(&self.archive, &self.environment).await?;
        end.with_context(|| {
            format!(
                "`{}` has no samples in `{}`; ingest some first, or look at the names there",
                self.environment, self.place
            )
        })
    }

    fn path(&self, key: &pipeline::archive::Key) -> PathBuf {
        Path::new(&self.place).join(key.as_str())
    }
}

/// The archive at `place`; with `dry_run`, what is put there is forgotten at the end.
async fn archive_at(place: &str, cloud: &Cloud, dry_run: bool) -> anyhow::Result<Box<dyn Archive>> {
    let archive: Box<dyn Archive> = if place.starts_with("s3://") {
        cloud.archive(place).await?
    } else {
        Box::new(DirectoryArchive::open(place.into())?)
    };
    Ok(if dry_run { Box::new(Rehearsal::over(archive)) } else { archive })
}

/// The time asked for, up to `until`; `days` of it unless told.
fn span(time: &Time, until: MinuteUtc, days: u32) -> anyhow::Result<Window> {
    let Some(from) = time.from else {
        return Ok(Window::days_before(until, time.lookback.unwrap_or(days)));
    };
    let window = Window { start: from.0, end: until };
    anyhow::ensure!(
        window.start < window.end,
        "--from {} is not before --until {}",
        window.start,
        window.end
    );
    Ok(window)
}

/// More than any machine has cores.
const MOST_THREADS: usize = 1_024;

fn threads(asked: Option<NonZero<usize>>) -> anyhow::Result<NonZero<usize>> {
    let cores = || std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let threads = asked.unwrap_or_else(cores);
    anyhow::ensure!(threads.get() <= MOST_THREADS, "threads must be from 1 to {MOST_THREADS}, not {threads}");
    Ok(threads)
}

fn dynamics(delays: &Delays) -> anyhow::Result<Dynamics> {
    let default = Dynamics::default();
    Ok(Dynamics {
        metric_delay: delays.metric_delay.map_or(default.metric_delay, Minutes),
        balancer_delay: delays.metric_delay.map_or(default.balancer_delay, Minutes),
        launch: delays.launch.map_or(default.launch, Minutes),
        boot: delays.boot.map_or(default.boot, Minutes),
        booting: delays.booting_cpu.map_or(default.booting, |percent| Booting::Counted(percent.0)),
        drain: delays.drain.map_or(default.drain, Minutes),
        cpu_ceiling: delays.cpu_ceiling.map_or(default.cpu_ceiling, |percent| percent.0),
        credits: delays.burstable.as_ref().map(|name| credits(name, delays)).transpose()?,
        ..default
    })
}

fn credits(instance_type: &str, delays: &Delays) -> anyhow::Result<Credits> {
    let known = || SIZES.map(|size| size.instance_type).join(", ");
    let size = BurstableSize::named(instance_type)
        .with_context(|| format!("`{instance_type}` is no burstable type; these are: {}", known()))?;
    let mode = match delays.credit_mode {
        Some(CreditMode::Standard) => Mode::Standard,
        Some(CreditMode::Unlimited) => Mode::Unlimited,
        None => size.default_mode(),
    };
    let balance = delays.credit_balance.unwrap_or(size.launch_credits(mode));
    let valid = (0.0..=size.max_balance).contains(&balance);
    anyhow::ensure!(valid, "a {instance_type} holds 0 to {} credits, not `{balance}`", size.max_balance);
    Ok(Credits { size, mode, initial_balance: balance })
}

/// What is to be replayed.
fn replayed(stages: Option<&Stages>, of_record: &OfRecord) -> anyhow::Result<Replayed> {
    match stages {
        Some(stages) => staged(stages).map(Replayed::Staged),
        None => Ok(Replayed::of_record(of_record.day, of_record.crowd.map(|crowd| crowd.0))),
    }
}

/// Stages from no particular time on.
fn staged(stages: &Stages) -> anyhow::Result<Traffic> {
    Ok(Traffic::staged(&stages.0, MinuteUtc::new(0)?)?)
}

/// The metrics in `paths`, as the options say.
fn recording(paths: &[PathBuf], intake: &Intake) -> anyhow::Result<Recording> {
    let sources: anyhow::Result<Vec<Source>> = paths.iter().map(|path| source(path)).collect();
    Ok(recorded::read(&sources?, &recorded_options(intake)?)?)
}

/// A trace: one file, whose rows are in the order of time.
fn trace(path: &Path, intake: &Intake) -> anyhow::Result<Recording> {
    let options = recorded::Options { in_order: true, ..recorded_options(intake)? };
    Ok(recorded::read(&[source(path)?], &options)?)
}

fn source(path: &Path) -> anyhow::Result<Source> {
    let bytes = std::fs::read(path).with_context(|| format!("reading `{}`", path.display()))?;
    Ok(Source { name: path.display().to_string(), bytes })
}

fn recorded_options(intake: &Intake) -> anyhow::Result<recorded::Options> {
    let named = |text: &str| {
        let (left, right) = text.split_once('=').with_context(|| format!("`{text}` has no `=`"))?;
        anyhow::Ok((left.trim().to_owned(), right.trim().to_owned()))
    };
    let column = |text: &String| {
        let (target, form) = named(text)?;
        anyhow::Ok((target.parse()?, form.parse()?))
    };
    let series = |text: &String| {
        let (id, target) = named(text)?;
        anyhow::Ok((id, target.parse()?))
    };
    Ok(recorded::Options {
        columns: intake
            .columns
            .iter()
            .map(column)
            .collect::<anyhow::Result<_>>()
            .context("reading `--column`")?,
        series: intake
            .series
            .iter()
            .map(series)
            .collect::<anyhow::Result<_>>()
            .context("reading `--series`")?,
        conditions: intake.conditions.iter().map(|text| text.parse()).collect::<Result<_, _>>()?,
        time_column: intake.time_column.clone(),
        start: intake.start.map(|instant| instant.0),
        period_seconds: intake.period,
        in_order: false,
    })
}
