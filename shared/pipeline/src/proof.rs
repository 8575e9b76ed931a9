//! What speaks for a replay: the back-test of the present settings, or of CPU alone, or nothing.

use scaling::backtest::{BackTested, Free, Grade, Record, back_test, back_test_cpu};
use scaling::coefficient::{Circumstances, FitRules, fit_within};
use scaling::cpu_model::CpuModel;
use scaling::dynamics::Dynamics;
use scaling::plan::{LIKELY_LARGEST_STEP, Measure};
use scaling::sample::Sample;
use scaling::units::{MinuteUtc, Minutes};

use crate::activity::LaunchTimes;
use crate::documents::BackTestDocument;
use crate::sweep::{Model, Present, SweepRequest};

/// A back-test, and the delays to replay with.
pub(crate) struct Proof {
    /// `None` where nothing was recorded to compare with.
    pub(crate) document: Option<BackTestDocument>,
    /// As asked for, or as the first half of the record shows them.
    pub(crate) dynamics: Dynamics,
}

/// What is known of the record beside its samples.
pub(crate) struct Measured {
    /// How long launches took.
    pub(crate) launch_times: Option<LaunchTimes>,
    /// Which series counts the instances.
    pub(crate) instances_by: Option<String>,
}

/// Tests the present settings against what was recorded; CPU alone where they can't be replayed.
pub(crate) fn of(
    samples: &[Sample],
    record: Option<&Record>,
    measured: Measured,
    request: &SweepRequest,
    model: CpuModel,
    present: &Present<'_>,
) -> Proof {
    let launch_times = measured.launch_times;
    let mut proof = unmeasured(samples, record, request, model, present, launch_times);
    if let Some(document) = &mut proof.document {
        document.launch_times = launch_times.map(Into::into);
        document.instances_by = measured.instances_by;
    }
    proof
}

/// With launches that take as long as they did.
fn with_launches(dynamics: Dynamics, launch_times: Option<LaunchTimes>) -> Dynamics {
    let minutes = |times: LaunchTimes| Minutes((times.median_seconds / 60.0).ceil() as u32);
    Dynamics { launch: launch_times.map_or(dynamics.launch, minutes), ..dynamics }
}

fn unmeasured(
    samples: &[Sample],
    record: Option<&Record>,
    request: &SweepRequest,
    model: CpuModel,
    present: &Present<'_>,
    launch_times: Option<LaunchTimes>,
) -> Proof {
    let dynamics = with_launches(present.dynamics, launch_times);
    let nothing = || Proof { document: None, dynamics };
    let Some(record) = record else { return nothing() };
    let because = match &present.plan {
        None => "the present settings are not known".to_owned(),
        Some(Err(reason)) => reason.to_string(),
        Some(Ok(plan)) => {
            let tested = |free| back_test(record, model, plan, &present.course, dynamics, free);
            let unmeasured = Free { launch: launch_times.is_none(), ..Free::ALL };
            return as_stated(tested, unmeasured, request.free, plan.measure).unwrap_or_else(nothing);
        }
    };
    // A line of before the cost changed says nothing about CPU since.
    let record = record.clone().since(present.costs_since.unwrap_or(record.start));
    let early = early_model(samples, request, &record).unwrap_or(model);
    let tested = back_test_cpu(&record, early);
    let document = tested.map(|tested| BackTestDocument::new(&tested, false, Some(because)));
    Proof { document, dynamics }
}

/// Tested with the delays that were stated; the record may say the `unstated` ones, as far as they are `unmeasured`. Where
/// that is not trusted, and would be without them, it says so.
fn as_stated(
    tested: impl Fn(Free) -> Option<BackTested>,
    unmeasured: Free,
    unstated: Free,
    measure: Measure,
) -> Option<Proof> {
    let free = Free { launch: unstated.launch && unmeasured.launch, ..unstated };
    let stated = tested(free)?;
    let mut document = BackTestDocument::new(&stated.back_test, stated.calibrated, None);
    let was_stated = document.cause.is_some() && free != unmeasured;
    let shown = was_stated.then(|| tested(unmeasured)).flatten().filter(is_trusted);
    document.cause = shown.map(|shown| not_as_stated(shown.dynamics, measure)).or(document.cause);
    Some(Proof { document: Some(document), dynamics: stated.dynamics })
}

fn is_trusted(tested: &BackTested) -> bool {
    !matches!(tested.back_test.grade(), Grade::NotTrusted(_))
}

fn not_as_stated(dynamics: Dynamics, measure: Measure) -> String {
    let (launch, delay) = (dynamics.launch, dynamics.delay_of(measure));
    format!(
        "a delay was stated that the record does not show: there a launch takes {launch}, and an alarm sees a minute \
         {delay} after its end; leave that to the record"
    )
}

/// The line of the first half of the record, so that the second half is none that it was drawn through.
fn early_model(samples: &[Sample], request: &SweepRequest, record: &Record) -> Option<CpuModel> {
    if let Model::Stated(stated) = request.model {
        return Some(stated);
    }
    let middle: MinuteUtc = record.start + Minutes(record.minutes.len() as u32 / 2);
    let within = |sample: &&Sample| record.start <= sample.minute_utc && sample.minute_utc < middle;
    let early: Vec<Sample> = samples.iter().filter(within).cloned().collect();
    let deployments = record.deployments(LIKELY_LARGEST_STEP);
    let around = Circumstances { deployments: &deployments, instance_types: &[] };
    fit_within(&early, FitRules::default(), around).ok().map(|fit| fit.model)
}
