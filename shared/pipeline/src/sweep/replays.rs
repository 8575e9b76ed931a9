//! The replays behind an advice, made again minute by minute for whoever wants to see them.
//!
//! The advice keeps what came of them in sum. A replay that does not come to the same sum is not the one that the advice
//! is about (its samples or settings have changed since), and is refused.

use std::num::NonZero;

use scaling::backtest::{Free, Record, tested_rows};
use scaling::clairvoyant::fewest_instances;
use scaling::cpu_model::CpuModel;
use scaling::observation::with_cpu_earlier;
use scaling::plan::Plan;
use scaling::policy::{Group, PolicyError};
use scaling::reference::{Row, replay};
use scaling::sample::Sample;
use scaling::simulate::Outcome;
use scaling::sweep::Setting;
use scaling::traffic::Traffic;
use scaling::units::{CpuPercent, Instances, Seconds, UnitError};

use super::{
    Aim, GridOverrides, Margins, Model, Present, Replayed, SweepError, SweepRequest, first_in_service,
    initial, lag, policy_of,
};
use crate::archive::{Environment, EnvironmentError};
use crate::documents::{CeilingSource, OutcomeDocument, RecommendationDocument, SettingsDocument};

/// What an advice was found on, minute by minute.
#[derive(Debug, Clone)]
pub struct Replays {
    /// The requests that came.
    pub traffic: Traffic,
    /// What was recorded, with CPU where the work was done; nothing where no instances were.
    pub record: Option<Record>,
    /// The settings as they were, where they can be replayed.
    pub present: Option<Vec<Row>>,
    /// The recommended settings; those that come closest where none hold.
    pub recommended: Option<Vec<Row>>,
    /// The back-test: the settings as they were from the first recorded minute on, told what was recorded beside the
    /// instances.
    pub tested: Option<Vec<Row>>,
    /// Billed instances of a fleet that foresees the traffic.
    pub fewest: Option<Vec<u32>>,
}

/// Why an advice can't be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplaysError {
    /// An early advice does not say what it was replayed with.
    #[error("the advice does not say what it was replayed with; sweep again")]
    Untold,
    /// The traffic of the advice is no recorded one.
    #[error("the advice is of traffic that was not recorded")]
    WhatIf,
    /// The samples are gone.
    #[error("the samples that the advice was found on are not in the archive any more")]
    NoSamples,
    /// What comes out is not what the advice says.
    #[error(
        "replayed again, the {whose} settings take {found:.1} instance hours, and not {told:.1} as the advice says: samples or settings have changed since; sweep again"
    )]
    OtherOutcome {
        /// `present` or `recommended`.
        whose: &'static str,
        /// What comes out.
        found: f64,
        /// What the advice says.
        told: f64,
    },
    /// A number that is none.
    #[error("reading the advice")]
    Advice(#[source] UnitError),
    /// A name that is none.
    #[error("reading the advice")]
    Name(#[from] EnvironmentError),
    /// Options that are none.
    #[error("reading the settings")]
    Settings(#[source] PolicyError),
    /// The present settings can't be read any more.
    #[error("reading the settings")]
    Present(#[source] Box<SweepError>),
}

/// Makes the replays of `recommendation` again. `samples` are those of its window, `settings` those in force at its end.
pub fn replays(
    recommendation: &RecommendationDocument,
    samples: &[Sample],
    settings: Option<&SettingsDocument>,
) -> Result<Replays, ReplaysError> {
    let known = Known::of(recommendation)?;
    let samples = with_cpu_earlier(samples, lag(recommendation.model.fit.as_deref()));
    let request = &known.request;
    let traffic = Traffic::recorded(&samples, request.window).ok_or(ReplaysError::NoSamples)?;
    let settings = settings.map(SettingsDocument::settings).transpose().map_err(ReplaysError::Settings)?;
    let present = Present::read(settings.as_ref(), &samples, request, &known.aim, &recommendation.model)
        .map_err(|error| ReplaysError::Present(Box::new(error)))?;
    let record = Record::of(&samples, request.window)
        .map(|record| record.with_cpu_ceiling(request.dynamics.cpu_ceiling));
    let (load, _) = present.load(&samples, request, record.as_ref(), &traffic, known.model);
    let course = present.course.clone();
    let initial = initial(first_in_service(&samples), present.group_at(&course, load.start));
    let setting = Setting { load: &load, dynamics: request.dynamics, course, initial };
    let rows = |plan: Plan| replay(&load, &setting.scenario(plan));
    let plan = present.plan.as_ref().and_then(|plan| plan.as_ref().ok());
    let now = plan.map(|plan| rows(plan.clone()));
    let told = recommendation.present_outcome();
    check("present", now.as_deref(), told, known.aim.held)?;
    let policy = recommendation.recommended.as_ref();
    let monitoring = request.dynamics.monitoring;
    let then = policy
        .and_then(|policy| policy_of(&policy.options, monitoring))
        .map(|policy| rows(Plan::from(&policy)));
    check("recommended", then.as_deref(), policy.map(|policy| &policy.outcome), known.aim.held)?;
    let tested = record
        .as_ref()
        .zip(plan)
        .and_then(|(record, plan)| tested_rows(record, known.model, plan, &present.course, request.dynamics));
    let has_counts = recommendation.back_test.as_ref().is_some_and(|proof| proof.counts.is_some());
    let tested = tested.filter(|_| has_counts);
    let fewest = recommendation.fewest_within.and_then(|limits| {
        let (min_size, max_size) = (Instances(limits.min_size), Instances(limits.max_size));
        fewest_instances(&setting, known.aim.held, Group { min_size, max_size, cooldown: Seconds(0) })
    });
    Ok(Replays { traffic, record, present: now, recommended: then, tested, fewest })
}

/// What the advice says about how it was found.
struct Known {
    request: SweepRequest,
    model: CpuModel,
    aim: Aim,
}

impl Known {
    fn of(recommendation: &RecommendationDocument) -> Result<Self, ReplaysError> {
        let RecommendationDocument { traffic, model, .. } = recommendation;
        if !traffic.recorded {
            return Err(ReplaysError::WhatIf);
        }
        let told = recommendation.replayed_with.as_ref().ok_or(ReplaysError::Untold)?;
        let percent = |value| CpuPercent::new(value).map_err(ReplaysError::Advice);
        let cpu = CpuModel::new(model.intercept_percent, model.coefficient).map_err(ReplaysError::Advice)?;
        let (ceiling, held) =
            (percent(recommendation.cpu_ceiling_percent)?, percent(recommendation.cpu_held_percent)?);
        let request = SweepRequest {
            environment: Environment::new(recommendation.environment.clone())?,
            window: traffic.window.window().map_err(ReplaysError::Advice)?,
            replayed: Replayed::Recorded,
            model: Model::Stated(cpu),
            ceiling: Some(ceiling),
            margin: None,
            minutes_over_allowed: recommendation.minutes_over_allowed,
            margins: Margins::default(),
            grid: GridOverrides::default(),
            dynamics: told.dynamics().map_err(ReplaysError::Advice)?,
            free: Free { metric_delay: false, launch: false },
            price: None,
            threads: NonZero::<usize>::MIN,
        };
        let aim = Aim {
            ceiling,
            from: CeilingSource::Asked,
            held,
            most: ceiling,
            level: None,
            margin: ceiling.get() - held.get(),
            intercept_percent: model.intercept_percent,
        };
        Ok(Self { request, model: cpu, aim })
    }
}

/// A replay must come to what the advice says of it.
fn check(
    whose: &'static str,
    rows: Option<&[Row]>,
    told: Option<&OutcomeDocument>,
    held: CpuPercent,
) -> Result<(), ReplaysError> {
    let (Some(rows), Some(told)) = (rows, told) else { return Ok(()) };
    let found = OutcomeDocument::from(Outcome::of(rows, held));
    let same = (found.instance_hours - told.instance_hours).abs() < 1e-6
        && found.minutes_over == told.minutes_over
        && (found.max_cpu_percent - told.max_cpu_percent).abs() < 1e-6;
    let (found, told) = (found.instance_hours, told.instance_hours);
    same.then_some(()).ok_or(ReplaysError::OtherOutcome { whose, found, told })
}
