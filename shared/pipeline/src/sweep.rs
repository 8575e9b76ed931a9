//! Stage 3 of 4: every plausible policy against the traffic as it was, or as it might become.

mod beyond;
mod lights;
mod pace;
mod replays;
mod shapes;

use std::num::NonZero;

use scaling::backtest::{Free, Record, strays};
use scaling::coefficient::FitRules;
use scaling::costless::{Costless, costless};
use scaling::course::{Course, CourseError};
use scaling::cpu_model::CpuModel;
use scaling::credits::{BurstableSize, Credits, Mode};
use scaling::dynamics::{Dynamics, Monitoring};
use scaling::engine::{Engine, LeftOut, Space};
use scaling::judge::{Severity, judge, never_reached};
use scaling::latency::response_time_line;
use scaling::light::{Light, Lit};
use scaling::observation::with_cpu_earlier;
use scaling::plan::{LIKELY_LARGEST_STEP, Measure, Plan, Rule, TargetTracking};
use scaling::policy::{Group, PolicyError, ScalingPolicy};
use scaling::recommendation::{Verdict, recommend, room, roomiest};
use scaling::sample::Sample;
use scaling::settings::{NotSimulated, Settings};
use scaling::simulate::{Outcome, Question};
use scaling::sweep::{Evaluated, Grid, Setting};
use scaling::traffic::{CrowdError, Load, TraceError, Traffic};
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds, UnitError, Window};

use crate::activity::LaunchTimes;
use crate::archive::{Archive, Environment, Key};
use crate::documents::{
    BackTestDocument, CandidatesDocument, CeilingSource, CreditsDocument, DynamicsDocument, FitDocument,
    FrontierStepDocument, GradeDocument, ModelDocument, ModelSource, OptionDocument, PicksDocument,
    PresentDocument, PriceDocument, RecommendationDocument, SCHEMA_VERSION, TargetTrackingDocument,
    ToldChange, ToldDocument, TrafficDocument, VerdictDocument, at_most,
};
use crate::proof::{self, Measured};
use crate::refit::ceiling_or_default;
use crate::refusals;
use crate::store::{
    StoreError, latest_fit, latest_published, latest_settings, read_activities, read_counted_samples,
    write_bytes, write_json,
};
use crate::values::Price;
use crate::{advice, tables};

use shapes::{asleep, first_in_service, holes};

use pace::Pace;

pub use lights::Margins;
pub use pace::{Progress, Seldom, TooLong, Watch};
pub use replays::{Replays, ReplaysError, replays};
pub(crate) use shapes::STAGED;
pub use shapes::{Day, Replayed, Shape, shape};

/// Where the cost of a request comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Model {
    /// The newest fit in the archive.
    Fitted,
    /// Known from elsewhere.
    Stated(CpuModel),
}

/// Values to try in place of the plausible ones; `None` leaves those.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GridOverrides {
    /// `UpperThreshold`.
    pub upper_thresholds: Option<Vec<CpuPercent>>,
    /// `LowerThreshold`.
    pub lower_thresholds: Option<Vec<CpuPercent>>,
    /// `UpperBreachScaleIncrement`.
    pub upper_breach_scale_increments: Option<Vec<Instances>>,
    /// `LowerBreachScaleIncrement`, as a positive number.
    pub lower_breach_scale_increments: Option<Vec<Instances>>,
    /// `Period`.
    pub periods: Option<Vec<Minutes>>,
    /// `EvaluationPeriods`.
    pub evaluation_periods: Option<Vec<u32>>,
    /// `Cooldown`.
    pub cooldowns: Option<Vec<Seconds>>,
    /// `MinSize`.
    pub min_sizes: Option<Vec<Instances>>,
    /// `MaxSize`.
    pub max_sizes: Option<Vec<Instances>>,
}

impl GridOverrides {
    fn applied_to(self, plausible: Grid) -> Grid {
        Grid {
            upper_thresholds: self.upper_thresholds.unwrap_or(plausible.upper_thresholds),
            lower_thresholds: self.lower_thresholds.unwrap_or(plausible.lower_thresholds),
            upper_breach_scale_increments: self
                .upper_breach_scale_increments
                .unwrap_or(plausible.upper_breach_scale_increments),
            lower_breach_scale_increments: self
                .lower_breach_scale_increments
                .unwrap_or(plausible.lower_breach_scale_increments),
            periods: self.periods.unwrap_or(plausible.periods),
            evaluation_periods: self.evaluation_periods.unwrap_or(plausible.evaluation_periods),
            cooldowns: self.cooldowns.unwrap_or(plausible.cooldowns),
            min_sizes: self.min_sizes.unwrap_or(plausible.min_sizes),
            max_sizes: self.max_sizes.unwrap_or(plausible.max_sizes),
        }
    }
}

/// What to sweep.
#[derive(Debug, Clone)]
pub struct SweepRequest {
    /// Whose traffic and settings.
    pub environment: Environment,
    /// Of which time. The advice is kept under the day of its last minute.
    pub window: Window,
    /// The traffic as it was, or a "what if".
    pub replayed: Replayed,
    /// What a request costs.
    pub model: Model,
    /// CPU that should not be reached; [`DEFAULT_CEILING_PERCENT`](crate::refit::DEFAULT_CEILING_PERCENT) unless told, or less where response time departs
    /// from its base earlier.
    pub ceiling: Option<CpuPercent>,
    /// Points below the ceiling that a replay must stay, since real CPU strays from its line; twice the
    /// spread of the fit unless told otherwise, nothing for a stated line.
    pub margin: Option<CpuPercent>,
    /// Minutes in which it may be.
    pub minutes_over_allowed: u32,
    /// How much more a setting must bear.
    pub margins: Margins,
    /// Values to try.
    pub grid: GridOverrides,
    /// Delays and the like. The present settings decide about the monitoring, if they are known.
    pub dynamics: Dynamics,
    /// Which of these the record may say otherwise.
    pub free: Free,
    /// What an hour of an instance costs, if it was told.
    pub price: Option<Price>,
    /// How many policies are replayed at once.
    pub threads: NonZero<usize>,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct SweepReport {
    /// As it was written, or would have been.
    pub document: RecommendationDocument,
    /// Where it was written; nothing under "what if".
    pub keys: Option<SweepKeys>,
}

/// Where a sweep was written.
#[derive(Debug, Clone)]
pub struct SweepKeys {
    /// The advice.
    pub recommendation: Key,
    /// The cheapest candidates that hold.
    pub table: Key,
}

/// Share of the minutes whose requests may be unknown before the traffic says too little.
pub const MOST_MISSING: f64 = 0.25;

/// Days after which a fit no longer says what a request costs.
pub const FIT_VALID_DAYS: u32 = 7;

/// Why there is no new advice.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A scheduled action asks for what can't be replayed.
    #[error("reading the scheduled actions")]
    Schedule(#[from] CourseError),
    /// Something that an earlier stage left could not be read.
    #[error("reading what the earlier stages left")]
    Read(#[source] StoreError),
    /// No fit, or an old one.
    #[error("`{environment}` has no fit from the {FIT_VALID_DAYS} days before {}; refit first, or state a coefficient", window.end)]
    NoFit {
        /// The environment.
        environment: Environment,
        /// The time asked for.
        window: Window,
    },
    /// Real CPU strays so far from the line that nothing is left below the ceiling.
    #[error(
        "CPU strays {margin:.1} points or more from what requests explain, which leaves nothing below the ceiling of {ceiling}; a better fit, a higher ceiling or a smaller margin is needed"
    )]
    NoRoom {
        /// Points to stay below the ceiling.
        margin: f64,
        /// The ceiling.
        ceiling: CpuPercent,
    },
    /// An instance is over the ceiling before there is a request.
    #[error(
        "an instance without requests is at {intercept_percent:.1} % CPU, which leaves nothing below the ceiling of {ceiling}; a higher ceiling is needed, or less other work on the instances"
    )]
    IdleOverCeiling {
        /// CPU of an instance without requests.
        intercept_percent: f64,
        /// The ceiling.
        ceiling: CpuPercent,
    },
    /// The fit says nothing sensible.
    #[error("reading the fit")]
    Fit(#[source] UnitError),
    /// The settings hold something that no option can be.
    #[error("reading the present settings")]
    Settings(#[source] PolicyError),
    /// Nothing to replay.
    #[error("`{environment}` has no requests from {window}; ingest some first, or look at another time")]
    NoTraffic {
        /// The environment.
        environment: Environment,
        /// The time asked for.
        window: Window,
    },
    /// Nothing could come of a replay.
    #[error("replaying the traffic")]
    Trace(#[from] TraceError),
    /// Too much of it is unknown.
    #[error(
        "the requests of {missing} of {minutes} minutes from {window} are not known; at most {:.0} % may be missing",
        MOST_MISSING * 100.0
    )]
    TooManyHoles {
        /// Unknown minutes.
        missing: usize,
        /// All minutes.
        minutes: usize,
        /// From the first that is known to the last.
        window: Window,
    },
    /// A crowd that no traffic bears.
    #[error("putting a crowd on top of the traffic")]
    Crowd(#[from] CrowdError),
    /// The values to try make no policy.
    #[error("the values to try make no policy: of their combinations {}", not_tried(.left_out, .example.as_ref()))]
    NoCandidates {
        /// How many, by the reason.
        left_out: LeftOut,
        /// What is wrong with one of those that AWS would refuse.
        example: Option<PolicyError>,
    },
    /// The values to try make more policies than can be gone through.
    #[error(
        "the values to try make {kinds} combinations, each with {pairs} pairs of thresholds; at most {MOST_KINDS}, and {MOST_CANDIDATES} in all, are gone through: give fewer values"
    )]
    TooManyCandidates {
        /// Combinations of all values but the thresholds.
        kinds: usize,
        /// Pairs of these.
        pairs: usize,
    },
    /// Every minute may be over the ceiling.
    #[error(
        "{allowed} minutes may be over the ceiling, and only {minutes} are replayed: nothing would be held; allow fewer"
    )]
    NothingToHold {
        /// Minutes that may be over it.
        allowed: u32,
        /// Minutes whose requests are known.
        minutes: usize,
    },
    /// It can't end before it would be cut off.
    #[error("replaying all settings")]
    TooLong(#[from] TooLong),
    /// The advice could not be written.
    #[error("writing the advice")]
    Write(#[source] StoreError),
}

impl SweepError {
    /// Whether there is no advice to be had from what is known, which is no fault.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Read(_) | Self::Write(_))
    }
}

/// Replays the traffic under every candidate and the present policy, and keeps the advice. `watch` is told how far it is.
pub async fn run(
    archive: &dyn Archive,
    request: SweepRequest,
    watch: &Watch<'_>,
) -> Result<SweepReport, SweepError> {
    let found = match read(archive, &request).await {
        Ok(input) => compute(&request, input, *watch),
        Err(error) => Err(error),
    };
    let (document, kept) = match found {
        Err(error) if error.is_refusal() && request.replayed == Replayed::Recorded => {
            refusals::of_sweep(archive, &request, &error).await.map_err(SweepError::Write)?;
            return Err(error);
        }
        found => found?,
    };
    let keys = match request.replayed {
        Replayed::Recorded => {
            Some(write(archive, &request, &document, &kept).await.map_err(SweepError::Write)?)
        }
        Replayed::Staged(_) | Replayed::Day(_) | Replayed::Crowd(..) => None,
    };
    Ok(SweepReport { document, keys })
}

struct Input {
    model: (CpuModel, ModelDocument),
    /// What to hold.
    aim: Aim,
    shape: Shape,
    samples: Vec<Sample>,
    measured: Measured,
    settings: Option<Settings>,
    /// Their options that are about scaling.
    given: Option<Vec<OptionDocument>>,
    /// What the readers were last told to take.
    told: Option<ToldChange>,
}

async fn read(archive: &dyn Archive, request: &SweepRequest) -> Result<Input, SweepError> {
    let SweepRequest { environment, window, .. } = request;
    let (samples, instances_by) =
        read_counted_samples(archive, environment, *window).await.map_err(SweepError::Read)?;
    let settings = latest_settings(archive, environment, window.end).await.map_err(SweepError::Read)?;
    let given = settings.as_ref().map(|document| given(&document.options));
    let settings = settings.map(|document| document.settings()).transpose().map_err(SweepError::Settings)?;
    let shape =
        Shape::of(archive, environment, *window, &request.replayed, &samples, settings.as_ref()).await?;
    let activities = read_activities(archive, environment, *window).await.map_err(SweepError::Read)?;
    let launch_times = LaunchTimes::of(&activities).filter(|_| request.free.launch);
    let measured = Measured { launch_times, instances_by };
    let model = model(archive, request).await?;
    let fit = model.1.fit.as_deref();
    // CPU belongs to the requests that it was for, and an alarm sees it as late as it shows.
    let samples = with_cpu_earlier(&samples, lag(fit));
    let aim = Aim::of(request, &model.1)?;
    let published = latest_published(archive, environment).await.map_err(SweepError::Read)?;
    let told = published.and_then(|published| published.change_by(window.end.start()).cloned());
    Ok(Input { model, aim, shape, samples, measured, settings, given, told })
}

/// The options that advice may be about.
fn given(options: &[OptionDocument]) -> Vec<OptionDocument> {
    let advised = ["aws:autoscaling:trigger", "aws:autoscaling:asg"];
    options.iter().filter(|option| advised.contains(&option.namespace.as_str())).cloned().collect()
}

fn lag(fit: Option<&FitDocument>) -> Minutes {
    Minutes(fit.map_or(0, |fit| fit.lag_minutes))
}

/// What to hold, and who said so.
struct Aim {
    ceiling: CpuPercent,
    from: CeilingSource,
    /// What no replay may reach, so that real CPU stays under the ceiling.
    held: CpuPercent,
    /// What none may reach that is amplified, and has its margin in that.
    most: CpuPercent,
    /// What CPU never passes.
    level: Option<CpuPercent>,
    /// Points that real CPU strays.
    margin: f64,
    intercept_percent: f64,
}

impl Aim {
    fn of(request: &SweepRequest, model: &ModelDocument) -> Result<Self, SweepError> {
        let fit = model.fit.as_deref();
        let knee = fit.and_then(|fit| fit.knee.as_ref()).map(|knee| knee.departs_at_percent);
        let (ceiling, from) = ceiling_or_default(request.ceiling, knee);
        let level = fit.and_then(FitDocument::unreachable_from_percent);
        let level = level.and_then(|level| CpuPercent::new(level).ok());
        let margin = request.margin.map_or_else(|| margin(model), CpuPercent::get);
        let most = at_most(level, ceiling);
        let aim = Self {
            ceiling,
            from,
            level,
            held: most,
            most,
            margin,
            intercept_percent: model.intercept_percent,
        };
        let held = aim.held_under(ceiling).ok_or_else(|| aim.no_room())?;
        Ok(Self { held, ..aim })
    }

    /// Why nothing is left below the ceiling.
    fn no_room(&self) -> SweepError {
        let Self { ceiling, margin, intercept_percent, .. } = *self;
        if self.most.get() <= intercept_percent {
            SweepError::IdleOverCeiling { intercept_percent, ceiling }
        } else {
            SweepError::NoRoom { margin, ceiling }
        }
    }

    /// What no replay may reach, so that real CPU stays under `ceiling`; `None` where that leaves nothing.
    fn held_under(&self, ceiling: CpuPercent) -> Option<CpuPercent> {
        let held = CpuPercent::new(at_most(self.level, ceiling).get() - self.margin).ok()?;
        (held.get() > self.intercept_percent).then_some(held)
    }
}

/// Why combinations are not tried, as far as there are some.
fn not_tried(left_out: &LeftOut, example: Option<&PolicyError>) -> String {
    let reasons = [
        (left_out.thresholds_swapped, "have thresholds swapped"),
        (left_out.sizes_swapped, "have sizes swapped"),
        (left_out.out_of_range, "have a value out of range"),
        (left_out.oscillating, "could swing for ever"),
        (left_out.too_fine, "have a period that 5-minute metrics are too coarse for"),
        (left_out.unreachable, "wait for more CPU than there ever is"),
    ];
    let some = reasons.iter().filter(|(count, _)| 0 < *count);
    let said: Vec<String> = some.map(|(count, reason)| format!("{count} {reason}")).collect();
    let example = example.map_or(String::new(), |example| format!(": {example}"));
    format!("{}{example}", said.join(", "))
}

/// Some hundred times what is plausible: an hour or so for two weeks of minutes.
const MOST_CANDIDATES: usize = 1_000_000_000;

/// What is kept of each takes memory.
const MOST_KINDS: usize = 1_000_000;

fn few_enough(grid: &Grid) -> Result<(), SweepError> {
    let (kinds, pairs) = grid.combinations();
    let are_few = kinds <= MOST_KINDS && kinds.saturating_mul(pairs) <= MOST_CANDIDATES;
    are_few.then_some(()).ok_or(SweepError::TooManyCandidates { kinds, pairs })
}

fn something_to_hold(allowed: u32, minutes: usize) -> Result<(), SweepError> {
    let is_held = (allowed as usize) < minutes;
    is_held.then_some(()).ok_or(SweepError::NothingToHold { allowed, minutes })
}

/// Points below the ceiling: real CPU strays from its line, and may bend away above it at the top.
fn margin(model: &ModelDocument) -> f64 {
    const SPREADS: f64 = 2.0;
    let bend = model.fit.as_ref().and_then(|fit| fit.bend).map_or(0.0, |bend| bend.at_top_percent.max(0.0));
    match &model.source {
        ModelSource::Fitted { residual_spread_percent, .. } => SPREADS * residual_spread_percent + bend,
        ModelSource::Stated => 0.0,
    }
}

async fn model(
    archive: &dyn Archive,
    request: &SweepRequest,
) -> Result<(CpuModel, ModelDocument), SweepError> {
    let (model, source, fit) = match request.model {
        Model::Stated(model) => (model, ModelSource::Stated, None),
        Model::Fitted => {
            let fit = valid_fit(archive, request).await?;
            (fit.model().map_err(SweepError::Fit)?, fitted(&fit), Some(Box::new(fit)))
        }
    };
    let (coefficient, intercept_percent) = (model.coefficient(), model.intercept_percent());
    Ok((model, ModelDocument { coefficient, intercept_percent, source, fit }))
}

async fn valid_fit(archive: &dyn Archive, request: &SweepRequest) -> Result<FitDocument, SweepError> {
    let SweepRequest { environment, window, .. } = request;
    let fit = latest_fit(archive, environment, window.end).await.map_err(SweepError::Read)?;
    let oldest = Window::days_before(window.end, FIT_VALID_DAYS).start.start();
    let none = || SweepError::NoFit { environment: environment.clone(), window: *window };
    fit.filter(|fit| oldest <= fit.window.end).ok_or_else(none)
}

fn fitted(fit: &FitDocument) -> ModelSource {
    ModelSource::Fitted {
        until: fit.window.end,
        r_squared: fit.r_squared,
        residual_spread_percent: fit.residual_spread_percent,
        usable: fit.usable,
        greatest_load: fit.load_range.1,
    }
}

fn compute(
    request: &SweepRequest,
    input: Input,
    watch: Watch<'_>,
) -> Result<(RecommendationDocument, Vec<Evaluated>), SweepError> {
    let Input {
        model: (model, model_document),
        aim,
        shape,
        samples,
        measured,
        settings,
        given: given_options,
        told,
    } = input;
    let held = aim.held;
    let present = Present::read(settings.as_ref(), &samples, request, &aim, &model_document)?;
    let record = Record::of(&samples, request.window);
    let record = record.map(|record| record.with_cpu_ceiling(present.dynamics.cpu_ceiling));
    let (load, costless) = present.load(&samples, request, record.as_ref(), &shape.traffic, model);
    load.check(Minutes(1))?;
    something_to_hold(request.minutes_over_allowed, shape.traffic.len() - shape.traffic.missing())?;
    let launch_times = measured.launch_times;
    let proof = proof::of(&samples, record.as_ref(), measured, request, model, &present);
    let largest = request.margins.amplified.iter().copied().fold(1.0, f64::max);
    let course = present.course_of(&request.replayed, &shape.traffic)?;
    let initial = initial(shape.in_service, present.group_at(&course, load.start));
    let setting = Setting { load: &load, dynamics: proof.dynamics, course, initial };
    let monitoring = proof.dynamics.monitoring;
    let greatest = Light::Amplified(largest).on(&setting).load;
    let grid = request.grid.clone().applied_to(Grid::plausible(&greatest, held, present.group, monitoring));
    few_enough(&grid)?;
    let pace = Pace::new(watch);
    let replay = Replay {
        question: Question { ceiling: held, minutes_over_allowed: request.minutes_over_allowed },
        most: aim.most,
        lights: lights::lights(&request.margins, &model_document, &proof.dynamics, launch_times, &grid),
        near_share: request.margins.near_share,
        setting,
        threads: request.threads,
        pace: &pace,
    };
    let space = Space::new(&grid, monitoring, proof.dynamics.cpu_ceiling, true);
    replay.check(&space)?;
    let withheld = withheld(&present, proof.document.as_ref());
    let judged = match withheld {
        None => Ok(replay.judged(&space, present.evaluated(&replay))),
        Some(why) => Err(why),
    };
    pace.check()?;
    let verdict = judged.as_ref().map(|judged| &judged.verdict).map_err(|why| *why);
    let given = verdict.ok();
    let beyond =
        judged.as_ref().ok().map(|judged| replay.beyond(&space, &grid, &present, judged)).unwrap_or_default();
    let other_ceilings =
        given.map(|_| replay.other_ceilings(&aim, &request.grid, &present)).unwrap_or_default();
    pace.check()?;
    let present_document = present.document(&replay, given_options);
    let recommended = given.and_then(advice::recommended);
    let now = present_document.as_ref().and_then(|present| present.outcome.as_ref());
    let outcomes = [now, recommended.as_ref().map(|policy| &policy.outcome)];
    let is_recorded = request.replayed == Replayed::Recorded;
    let price = request.price.map(|price| PriceDocument::new(price, shape.traffic.len(), outcomes));
    let document = RecommendationDocument {
        schema_version: SCHEMA_VERSION,
        advice_id: advice::id(request.environment.name(), withheld, given, proof.document.as_ref()),
        environment: request.environment.name().to_owned(),
        cpu_ceiling_percent: aim.ceiling.get(),
        cpu_ceiling_from: aim.from,
        cpu_held_percent: held.get(),
        minutes_over_allowed: request.minutes_over_allowed,
        traffic: traffic_document(shape, &costless, &replay.setting.course),
        never_seen_above_percent: given.and_then(|verdict| never_seen(verdict, &model_document)),
        model: model_document,
        candidates: candidates_document(&space, judged.as_ref().ok()),
        replayed_with: Some(present.told(proof.dynamics)),
        present: present_document,
        back_test: proof.document,
        verdict: verdict.map_or_else(|why| why, verdict_document),
        recommended,
        room: given.and_then(chosen).map(|chosen| replay.room(chosen)),
        holds_with: given.and_then(chosen).map(|_| replay.names()).unwrap_or_default(),
        credits: given.and_then(|verdict| present.credits(&replay, verdict)),
        target_tracking: given.and_then(|_| replay.target_tracking(&grid)),
        fewest_instance_hours: beyond.fewest_instance_hours,
        fewest_within: beyond.fewest_within,
        walk_forward: beyond.walk_forward,
        resampled: beyond.resampled,
        picks: judged.as_ref().ok().and_then(|judged| judged.picks.clone()),
        frontier: judged.as_ref().map(|judged| judged.frontier.clone()).unwrap_or_default(),
        other_ceilings,
        price,
        would_hold: given.and_then(closest).and_then(|closest| replay.would_hold(closest, is_recorded)),
        closest_fails_with: given.and_then(closest).map(|closest| replay.lacks(closest)).unwrap_or_default(),
        over_cheapest: judged.as_ref().ok().and_then(Judged::over_cheapest),
        told: given.and(told).and_then(|told| replay.told(&told)),
    };
    Ok((document, judged.map(|judged| judged.kept).unwrap_or_default()))
}

/// The policy of a verdict that holds.
fn chosen(verdict: &Verdict) -> Option<&Evaluated> {
    match verdict {
        Verdict::Change(chosen) | Verdict::Keep(chosen) => Some(chosen),
        Verdict::NoneHolds { .. } => None,
    }
}

/// The policy of a verdict that comes closest to holding.
fn closest(verdict: &Verdict) -> Option<&Evaluated> {
    match verdict {
        Verdict::NoneHolds { closest } => closest.as_ref(),
        Verdict::Change(_) | Verdict::Keep(_) => None,
    }
}

/// The traffic as load. Recorded CPU strays from its line, and an alarm sees that, whatever the settings; but not where
/// it is of the time before a request cost what it costs.
fn strayed(
    request: &SweepRequest,
    record: Option<&Record>,
    traffic: &Traffic,
    model: CpuModel,
    present: &Present<'_>,
) -> Load {
    let load = Load::new(traffic, model);
    let (Replayed::Recorded, Some(record)) = (&request.replayed, record) else { return load };
    let known = present.plan.as_ref().and_then(|plan| plan.as_ref().ok());
    let largest_step = known.map_or(LIKELY_LARGEST_STEP, Plan::largest_step);
    let settle = Minutes(request.dynamics.boot.0 + 1);
    let mut stray_percent = strays(record, model, settle, largest_step, traffic);
    if let Some(since) = present.costs_since {
        let before = since.place_from(traffic.start).unwrap_or(0);
        stray_percent.iter_mut().take(before).for_each(|stray| *stray = 0.0);
    }
    Load { stray_percent, ..load }
}

/// Instances at the start of a replay: those that were there, or the fewest that may be.
fn initial(in_service: Option<u32>, group: Option<Group>) -> Instances {
    in_service.map(Instances).or(group.map(|group| group.min_size)).unwrap_or(Instances(1))
}

/// What stays the same over all replays of a request.
struct Replay<'a> {
    setting: Setting<'a>,
    question: Question,
    /// What CPU may not reach where traffic is amplified.
    most: CpuPercent,
    lights: Vec<Light>,
    near_share: f64,
    threads: NonZero<usize>,
    pace: &'a Pace<'a>,
}

/// A space in the traffic as it was, and in every light.
struct Engines<'a> {
    /// How many settings there are.
    settings: usize,
    plain: Engine<'a>,
    lit: Vec<Engine<'a>>,
}

/// Those that hold, and the one to take.
struct Choice {
    /// Cheapest first.
    kept: Vec<Evaluated>,
    best: Option<Evaluated>,
}

/// What came of a sweep.
struct Judged {
    verdict: Verdict,
    /// The cheapest that hold, cheapest first.
    kept: Vec<Evaluated>,
    picks: Option<PicksDocument>,
    frontier: Vec<FrontierStepDocument>,
}

impl Judged {
    /// What the policy to change to costs beyond the cheapest that holds, as a share; `None` where it is as cheap, to a tenth of
    /// a percent.
    fn over_cheapest(&self) -> Option<f64> {
        let Verdict::Change(chosen) = &self.verdict else { return None };
        let billed = |evaluated: &Evaluated| evaluated.outcome.billed_instance_minutes as f64;
        let over = billed(chosen) / billed(self.kept.first()?) - 1.0;
        (0.0005 <= over).then_some(over)
    }
}

/// Settings that are kept of those that hold.
const KEPT: usize = 200;

/// Settings among which the one with the most room is looked for.
const NEAR: usize = 16;

impl Replay<'_> {
    fn check(&self, space: &Space) -> Result<(), SweepError> {
        let none =
            || SweepError::NoCandidates { left_out: space.left_out(), example: space.refused().cloned() };
        (!space.is_empty()).then_some(()).ok_or_else(none)
    }

    fn judged(&self, space: &Space, present: Option<Evaluated>) -> Judged {
        self.with_engines(space, |engines| {
            self.time(space, engines);
            let Choice { kept, best } = self.choice(engines, KEPT, "replaying policies");
            let present = present.filter(|present| self.fails_with(&Plan::from(&present.policy)).is_empty());
            let verdict = match recommend(present.filter(|present| self.holds(&present.outcome)), best) {
                Verdict::NoneHolds { .. } => {
                    let pass = self.pace.pass("looking for the fewest minutes over", engines.settings);
                    let closest = engines.plain.least_over(self.threads, &|more| pass.did(more));
                    Verdict::NoneHolds { closest: closest.map(|scored| self.evaluated(scored.policy)) }
                }
                verdict => verdict,
            };
            let picks = chosen(&verdict).and_then(|chosen| self.picks(space, engines, chosen, &kept));
            let frontier = chosen(&verdict).map(|_| self.frontier(engines)).unwrap_or_default();
            Judged { verdict, kept, picks, frontier }
        })
    }

    /// Where settings are replayed one by one, a few of them show how long all take.
    fn time(&self, space: &Space, engines: &Engines<'_>) {
        const FEW: usize = 300;
        /// Where some hold, they are gone through so often at the least.
        const PASSES: usize = 4;
        if !engines.plain.goes_one_by_one() {
            return;
        }
        let Some(began) = self.pace.left() else { return };
        let (settings, few) = (space.len(), FEW.min(space.len()));
        for place in 0..few {
            self.evaluated(engines.plain.policy(place * (settings / few)));
        }
        let left = self.pace.left().unwrap_or_default();
        let times = (PASSES * settings) as f64 / (few * self.threads.get()) as f64;
        let needed = began.saturating_sub(left).mul_f64(times);
        self.pace.stop_if(TooLong { settings, needed, left });
    }

    /// The cheapest `count` that hold in all lights, and the one to take.
    fn choice(&self, engines: &Engines<'_>, count: usize, doing: &'static str) -> Choice {
        let kept = self.cheapest(engines, count, &engines.lit, doing);
        let rooms: Vec<f64> = kept.iter().take(NEAR).map(|evaluated| self.room(evaluated)).collect();
        let best = roomiest(&kept, &rooms, self.near_share).map(|index| kept[index]);
        Choice { kept, best }
    }

    fn with_engines<T>(&self, space: &Space, ask: impl FnOnce(&Engines<'_>) -> T) -> T {
        let lit: Vec<Lit> = self.lights.iter().map(|light| light.on(&self.setting)).collect();
        let settings: Vec<Setting<'_>> = lit.iter().map(Lit::setting).collect();
        let lit = self.lights.iter().zip(&settings);
        let new = |setting, ceiling| Engine::new(setting, space, ceiling).until(self.pace.stop());
        let lit = lit.map(|(light, setting)| new(setting, self.ceiling_in(*light))).collect();
        let plain = new(&self.setting, self.question.ceiling);
        ask(&Engines { settings: space.len(), plain, lit })
    }

    fn evaluated(&self, policy: ScalingPolicy) -> Evaluated {
        let question = Question::whatever_it_takes(self.question.ceiling);
        let outcome = self.setting.simulate(&policy, question).expect("it is never given up");
        Evaluated { policy, outcome }
    }

    fn holds(&self, outcome: &Outcome) -> bool {
        outcome.minutes_over <= self.question.minutes_over_allowed
    }

    /// Amplified traffic is a margin by itself; doubt about what a request costs is none.
    fn ceiling_in(&self, light: Light) -> CpuPercent {
        match light {
            Light::Amplified(_) => self.most,
            Light::CostlierRequests(_) | Light::LaterMetrics | Light::SlowerLaunch(_) | Light::Shifted(_) => {
                self.question.ceiling
            }
        }
    }

    fn room(&self, evaluated: &Evaluated) -> f64 {
        room(&self.setting, evaluated, self.most, self.question.minutes_over_allowed)
    }

    fn names(&self) -> Vec<String> {
        self.lights.iter().map(ToString::to_string).collect()
    }

    /// The lights in which a plan does not hold.
    fn fails_with(&self, plan: &Plan) -> Vec<Light> {
        self.lights.iter().filter(|light| !self.holds_in(**light, plan)).copied().collect()
    }

    /// In what settings do not hold that do in the traffic as it was.
    fn lacks(&self, evaluated: &Evaluated) -> Vec<String> {
        if !self.holds(&evaluated.outcome) {
            return vec![];
        }
        self.fails_with(&Plan::from(&evaluated.policy)).iter().map(ToString::to_string).collect()
    }

    fn holds_in(&self, light: Light, plan: &Plan) -> bool {
        let question = Question { ceiling: self.ceiling_in(light), ..self.question };
        light.on(&self.setting).setting().simulate(plan.clone(), question).is_some()
    }

    fn holds_in_all(&self, plan: &Plan) -> bool {
        self.lights.iter().all(|light| self.holds_in(*light, plan))
    }

    /// What was told before, on this traffic.
    fn told(&self, told: &ToldChange) -> Option<ToldDocument> {
        let policy = policy_of(&told.options, self.setting.dynamics.monitoring)?;
        let Evaluated { policy, outcome } = self.evaluated(policy);
        let holds = self.holds(&outcome) && self.holds_in_all(&Plan::from(&policy));
        Some(ToldDocument { at: told.at, options: told.options.clone(), outcome: outcome.into(), holds })
    }

    /// The cheapest target tracking policy that holds, within the limits that are tried; `None` where CPU comes too seldom for
    /// its alarms.
    fn target_tracking(&self, grid: &Grid) -> Option<TargetTrackingDocument> {
        let warm_up = Minutes(self.setting.dynamics.launch.0 + self.setting.dynamics.boot.0 + 1);
        let max_size = *grid.max_sizes.iter().max()?;
        let plan = |min_size, target| {
            let rule = Rule::TargetTracking(TargetTracking::cpu(target, warm_up));
            let group = Group { min_size, max_size, cooldown: Seconds(360) };
            Plan { rule, group, measure: Measure::CpuUtilization }
        };
        // Whatever the target and the sizes, the alarms look at the same points.
        let any = plan(max_size, *grid.upper_thresholds.first()?);
        if !any.is_fed_by(self.setting.dynamics.monitoring) {
            return None;
        }
        let mut held: Vec<(Outcome, CpuPercent, Plan)> = Vec::new();
        for &min_size in grid.min_sizes.iter().filter(|min_size| **min_size <= max_size) {
            for &target in &grid.upper_thresholds {
                let plan = plan(min_size, target);
                let outcome = self.setting.simulate(plan.clone(), self.question);
                held.extend(outcome.map(|outcome| (outcome, target, plan)));
            }
        }
        // Lights are many: the first that holds in all of them ends the search.
        held.sort_by_key(|(outcome, ..)| outcome.billed_instance_minutes);
        let (outcome, target, plan) = held.into_iter().find(|(.., plan)| self.holds_in_all(plan))?;
        Some(TargetTrackingDocument {
            target_percent: target.get(),
            min_size: plan.group.min_size.0,
            max_size: max_size.0,
            outcome: outcome.into(),
        })
    }
}

/// The policy that `options` make, which say nothing of the monitoring; `None` where they make none.
fn policy_of(options: &[OptionDocument], monitoring: Monitoring) -> Option<ScalingPolicy> {
    let settings = Settings::from_options(options.iter().map(OptionDocument::as_option)).ok()?;
    Settings { monitoring, ..settings }.policy().ok()
}

/// The settings as they are, as far as they are known.
pub(crate) struct Present<'a> {
    settings: Option<&'a Settings>,
    /// What they make, or why that can't be replayed.
    pub(crate) plan: Option<Result<Plan, NotSimulated>>,
    /// Their limits.
    pub(crate) group: Option<Group>,
    /// Their scheduled actions.
    pub(crate) course: Course,
    /// Delays as asked for, with their monitoring, and with CPU as late and as high as it shows.
    pub(crate) dynamics: Dynamics,
    /// What CPU never passes.
    level: Option<CpuPercent>,
    /// Since when a request costs what it costs, if that changed.
    pub(crate) costs_since: Option<MinuteUtc>,
}

/// Since when a request costs what it costs, if the moment was seen.
fn costs_since(model: &ModelDocument) -> Option<MinuteUtc> {
    let drift = model.fit.as_deref()?.drift.filter(|drift| drift.exact)?;
    MinuteUtc::containing(drift.since).ok()
}

/// With CPU that comes as late as the fit has it, and goes no higher. Of what a load balancer reports, the lag of CPU says
/// nothing.
fn shown(dynamics: Dynamics, aim: &Aim, model: &ModelDocument) -> Dynamics {
    Dynamics {
        metric_delay: Minutes(dynamics.metric_delay.0 + lag(model.fit.as_deref()).0),
        cpu_ceiling: at_most(aim.level, dynamics.cpu_ceiling),
        ..dynamics
    }
}

impl<'a> Present<'a> {
    fn read(
        settings: Option<&'a Settings>,
        samples: &[Sample],
        request: &SweepRequest,
        aim: &Aim,
        model: &ModelDocument,
    ) -> Result<Self, SweepError> {
        let line = response_time_line(samples, FitRules::default());
        let course = settings.map(|settings| settings.scheduled_course(request.window)).transpose();
        let monitoring = settings.map_or(request.dynamics.monitoring, |settings| settings.monitoring);
        Ok(Self {
            settings,
            plan: settings.map(|settings| settings.plan(line)),
            group: settings.filter(|settings| settings.load_balanced).map(|settings| settings.group),
            course: course.map_err(SweepError::Schedule)?.unwrap_or_default(),
            dynamics: shown(Dynamics { monitoring, ..request.dynamics }, aim, model),
            level: aim.level,
            costs_since: costs_since(model),
        })
    }

    /// `traffic` as load, straying as it was recorded, with costless minutes at what they cost; and which minutes these are.
    fn load(
        &self,
        samples: &[Sample],
        request: &SweepRequest,
        record: Option<&Record>,
        traffic: &Traffic,
        model: CpuModel,
    ) -> (Load, Vec<Costless>) {
        let costless = self.costless(samples, request, model);
        (strayed(request, record, traffic, model, self).with_costless(&costless), costless)
    }

    /// Recorded minutes, in the window, whose requests show in no CPU. That of stages is not among them.
    fn costless(&self, samples: &[Sample], request: &SweepRequest, model: CpuModel) -> Vec<Costless> {
        let recorded = match request.replayed {
            Replayed::Staged(_) => None,
            _ => Traffic::recorded(samples, request.window),
        };
        let found = recorded.map(|traffic| costless(samples, &traffic, model)).unwrap_or_default();
        let since = self.costs_since.unwrap_or(request.window.start);
        found.into_iter().filter(|minute| since <= minute.minute_utc).collect()
    }

    /// Their scheduled actions while `traffic` is replayed, which may be a day outside of the window. That of stages has
    /// no date.
    fn course_of(&self, replayed: &Replayed, traffic: &Traffic) -> Result<Course, SweepError> {
        match (replayed, self.settings) {
            (Replayed::Day(_) | Replayed::Crowd(..), Some(settings)) => {
                settings.scheduled_course(traffic.window()).map_err(SweepError::Schedule)
            }
            (Replayed::Staged(_), _) => Ok(Course::default()),
            _ => Ok(self.course.clone()),
        }
    }

    /// Their limits as they are in force at the start of what `course` goes with.
    fn group_at(&self, course: &Course, start: MinuteUtc) -> Option<Group> {
        self.group.map(|group| course.limits_at(start, group))
    }

    /// What they do to the traffic, where they are a Beanstalk policy on CPU, which can be kept.
    fn evaluated(&self, replay: &Replay<'_>) -> Option<Evaluated> {
        let policy = self.settings?.policy().ok()?;
        let outcome = self.outcome(replay)?;
        Some(Evaluated { policy, outcome })
    }

    /// What the policy of `verdict` costs in CPU credits, where the instances are of one burstable type.
    fn credits(&self, replay: &Replay<'_>, verdict: &Verdict) -> Option<CreditsDocument> {
        let [instance_type] = &self.settings?.instance_types[..] else { return None };
        let chosen = chosen(verdict)?;
        let credits = Credits::of(BurstableSize::named(instance_type)?);
        let dynamics = Dynamics { credits: Some(credits), ..replay.setting.dynamics };
        let question = Question { minutes_over_allowed: u32::MAX, ..replay.question };
        let outcome = Setting { dynamics, ..replay.setting.clone() }.simulate(&chosen.policy, question)?;
        Some(CreditsDocument {
            instance_type: instance_type.clone(),
            unlimited: credits.mode == Mode::Unlimited,
            baseline_percent: credits.size.baseline_percent(),
            minutes_throttled: outcome.minutes_throttled,
            surplus_credits: outcome.surplus_credits,
        })
    }

    fn outcome(&self, replay: &Replay<'_>) -> Option<Outcome> {
        let plan = self.plan.as_ref()?.as_ref().ok()?;
        let question = Question { minutes_over_allowed: u32::MAX, ..replay.question };
        replay.setting.simulate(plan.clone(), question)
    }

    /// How many times the traffic they bear, if they hold as things are.
    fn room(&self, replay: &Replay<'_>) -> Option<f64> {
        let evaluated = self.evaluated(replay).filter(|evaluated| replay.holds(&evaluated.outcome))?;
        Some(replay.room(&evaluated))
    }

    /// What everything was replayed with. Only their alarms may watch a load balancer: those of what is tried watch CPU.
    fn told(&self, dynamics: Dynamics) -> DynamicsDocument {
        let plan = self.plan.as_ref().and_then(|plan| plan.as_ref().ok());
        let watches_balancer = plan.is_some_and(|plan| !plan.measure.comes_from_instances());
        let document = DynamicsDocument::from(dynamics);
        let balancer_delay_minutes = document.balancer_delay_minutes.filter(|_| watches_balancer);
        DynamicsDocument { balancer_delay_minutes, ..document }
    }

    fn fails_with(&self, replay: &Replay<'_>) -> Vec<String> {
        let Some(Ok(plan)) = &self.plan else { return vec![] };
        replay.fails_with(plan).iter().map(ToString::to_string).collect()
    }

    fn document(&self, replay: &Replay<'_>, given: Option<Vec<OptionDocument>>) -> Option<PresentDocument> {
        let settings = self.settings?;
        let mut findings = judge(settings);
        findings.extend(self.level.and_then(|level| never_reached(settings, level.get())));
        let broken = findings.iter().filter(|finding| finding.severity() == Severity::Error);
        let weighty = findings.iter().filter(|finding| finding.severity() > Severity::Note);
        Some(PresentDocument {
            options: settings.policy().as_ref().map(crate::documents::options).unwrap_or_default(),
            given,
            outcome: self.outcome(replay).map(Into::into),
            room: self.room(replay),
            fails_with: self.fails_with(replay),
            not_simulated: self.plan.as_ref().and_then(|plan| plan.as_ref().err()).map(ToString::to_string),
            findings: weighty.map(ToString::to_string).collect(),
            broken: broken.map(ToString::to_string).collect(),
        })
    }
}

/// The greatest CPU that the line was seen at, if the policy of `verdict` goes beyond it.
fn never_seen(verdict: &Verdict, model: &ModelDocument) -> Option<f64> {
    let chosen = chosen(verdict)?;
    let fit = model.fit.as_deref()?;
    let seen = fit.intercept_percent + fit.coefficient * fit.load_range.1;
    // Half a point is what CPU strays anyway.
    (chosen.outcome.max_cpu_percent > seen + fit.residual_spread_percent.max(0.5)).then_some(seen)
}

fn traffic_document(
    Shape { traffic, name, .. }: Shape,
    costless: &[Costless],
    course: &Course,
) -> TrafficDocument {
    let costless: Vec<MinuteUtc> = costless.iter().map(|minute| minute.minute_utc).collect();
    let rates = || traffic.minutes().filter_map(|(minute, rate)| Some((minute, rate?.get())));
    let costly = rates().filter(|(minute, _)| !costless.contains(minute));
    TrafficDocument {
        window: traffic.window().into(),
        recorded: name.is_none(),
        shape: name,
        minutes: traffic.len(),
        minutes_asleep: asleep(&traffic, course),
        minutes_missing: holes(&traffic, course),
        peak_requests_per_minute: costly.map(|(_, rate)| rate).fold(0.0, f64::max),
        mean_requests_per_minute: mean(&traffic),
        costless: rates()
            .map(|(minute, _)| minute)
            .filter(|m| costless.contains(m))
            .map(MinuteUtc::start)
            .collect(),
    }
}

/// Of the minutes that are known.
fn mean(traffic: &Traffic) -> Option<f64> {
    let known: Vec<f64> = traffic.requests_per_minute.iter().flatten().map(|rate| rate.get()).collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

fn candidates_document(space: &Space, judged: Option<&Judged>) -> CandidatesDocument {
    let LeftOut { oscillating, too_fine, unreachable, .. } = space.left_out();
    CandidatesDocument {
        replayed: judged.map_or(0, |_| space.len()),
        kept: judged.map_or(0, |judged| judged.kept.len()),
        oscillating,
        too_fine,
        unreachable,
    }
}

fn verdict_document(verdict: &Verdict) -> VerdictDocument {
    match verdict {
        Verdict::Change(_) => VerdictDocument::Change,
        Verdict::Keep(_) => VerdictDocument::Keep,
        Verdict::NoneHolds { .. } => VerdictDocument::NoneHolds,
    }
}

/// Why nothing is recommended, whatever a sweep would find.
fn withheld(present: &Present<'_>, proof: Option<&BackTestDocument>) -> Option<VerdictDocument> {
    let single = matches!(present.plan, Some(Err(NotSimulated::SingleInstance)));
    let untrusted = proof.is_some_and(|proof| proof.grade == GradeDocument::NotTrusted);
    match (single, untrusted) {
        (true, _) => Some(VerdictDocument::NotApplicable),
        (false, true) => Some(VerdictDocument::NotTrusted),
        (false, false) => None,
    }
}

async fn write(
    archive: &dyn Archive,
    request: &SweepRequest,
    document: &RecommendationDocument,
    kept: &[Evaluated],
) -> Result<SweepKeys, StoreError> {
    let day = request.window.last_minute();
    let keys = SweepKeys {
        recommendation: Key::recommendation(&request.environment, day),
        table: Key::sweep(&request.environment, day),
    };
    let table = tables::sweep::encode(kept);
    write_bytes(archive, &Key::cheapest(&request.environment, day), table.clone()).await?;
    write_bytes(archive, &keys.table, table).await?;
    // The advice comes last: whoever finds it finds its table too.
    write_json(archive, &keys.recommendation, document).await?;
    Ok(keys)
}
