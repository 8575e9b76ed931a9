//! What stage 1 asks AWS for: which metrics, of which time, and what the answers mean.

mod assemble;
mod queries;

use std::collections::BTreeMap;

use scaling::dynamics::Monitoring;
use scaling::sample::{Metric, Period, Sample};
use scaling::settings::Settings;
use scaling::units::{MinuteUtc, Minutes, Window};

use crate::activity::Activity;
use crate::archive::{Archive, Environment};
use crate::documents::{OptionDocument, SettingsDocument};
use crate::ingest::{IngestRequest, LEAVE_OPEN};
use crate::recorded::{Note, Recording};
use crate::service::ServiceError;
use crate::source::{Answer, Described, Environments, Group, LoadBalancer, Metrics, Tier};
use crate::store::{Newest, StoreError, latest_settings, newest_samples};

use assemble::Assembled;
pub use queries::{Counter, Role, Wanted, wanted};
use queries::{needed, without_hosts};

/// What is fetched again each time, since it may have grown after it was fetched.
pub const LOOK_BACK: Minutes = Minutes(180);
/// Days of a first fetch. CloudWatch keeps minutes for 15.
pub const BACKFILL_DAYS: u32 = 14;
/// How old one-minute points can be: 15 days, less three hours, so that none is forgotten while it is asked for.
const ONE_MINUTE_KEPT: Minutes = Minutes(15 * 24 * 60 - 180);
/// How old five-minute points can be.
const FIVE_MINUTES_KEPT_DAYS: u32 = 63;
/// Settings of now are taken to be those of a time that ends at most so long ago.
const SETTINGS_OF_NOW: Minutes = Minutes(15);
/// Newest minutes of five-minute points that are left open.
const LEAVE_OPEN_BASIC: Minutes = Minutes(10);
/// A metric without points for longer than this is told to be silent.
const SILENT_AFTER: Minutes = Minutes(30);

/// What to fetch.
#[derive(Debug, Clone)]
pub struct FetchRequest {
    /// Whose metrics.
    pub environment: Environment,
    /// When this is.
    pub now: MinuteUtc,
    /// Of which time; unless told, what is not there yet, and a while before it.
    pub window: Option<Window>,
    /// How far a first fetch goes back, days.
    pub backfill_days: u32,
}

impl FetchRequest {
    fn backfill(&self) -> Minutes {
        Minutes(self.backfill_days * 24 * 60)
    }
}

/// What was fetched.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// For the archive.
    pub ingest: IngestRequest,
    /// Of which time.
    pub window: Window,
    /// Metrics that CloudWatch was asked for: what it charges for.
    pub metrics_requested: usize,
    /// Calls of CloudWatch.
    pub calls: usize,
    /// That there is nothing new in it since nothing runs, where that is so.
    pub nothing_runs: Option<NothingRuns>,
}

/// Neither instances, which would show CPU, nor requests have been counted for a while, up to now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("CloudWatch has counted no instances and no requests of `{environment}` since {since}")]
pub struct NothingRuns {
    /// The environment.
    pub environment: Environment,
    /// The end of the newest point.
    pub since: MinuteUtc,
}

/// Why there is nothing to take in.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// AWS did not answer.
    #[error("asking AWS about `{environment}`")]
    Service {
        /// The environment.
        environment: Environment,
        /// What is in the way.
        source: ServiceError,
    },
    /// What is there could not be read.
    #[error("reading what is there")]
    Read(#[source] StoreError),
    /// Nothing of that name.
    #[error(
        "there is no environment `{0}` in this account and Region, terminated ones left aside; look at the name, the Region and the profile"
    )]
    NoEnvironment(Environment),
    /// It has no requests.
    #[error(
        "`{0}` is a worker: it takes messages from a queue, and advice about requests does not apply to it"
    )]
    Worker(Environment),
    /// Nothing counts its requests.
    #[error(
        "`{0}` has no load balancer, which would count its requests: a single instance has no trigger either, so that advice on one does not apply"
    )]
    NoLoadBalancer(Environment),
    /// What stands before it counts no requests.
    #[error(
        "`{environment}` stands behind `{kind}`, which counts no requests; an application or classic load balancer does"
    )]
    OtherLoadBalancer {
        /// The environment.
        environment: Environment,
        /// What kind it is.
        kind: String,
    },
    /// Its group is gone.
    #[error("`{0}` has no Auto Scaling group at present: it is being built, rebuilt or terminated")]
    NoGroup(Environment),
    /// The only count of its instances is one of each zone by itself.
    #[error(
        "`{0}` stands behind a classic load balancer that counts the instances of each zone by themselves, so that HealthyHostCount can't tell how many there are, and nothing else counts them"
    )]
    HostsByZone(Environment),
    /// CloudWatch has forgotten.
    #[error(
        "{window} begins over {FIVE_MINUTES_KEPT_DAYS} days ago: CloudWatch keeps neither minutes nor five of them that long"
    )]
    TooOld {
        /// The time asked for.
        window: Window,
    },
    /// The window is none.
    #[error("{window} has not happened yet, or ends before it begins; the newest {LEAVE_OPEN} are left open")]
    NotYet {
        /// The time asked for.
        window: Window,
    },
    /// Nobody reported anything.
    #[error("CloudWatch has no points of `{environment}` from {window}: is it running?")]
    NoPoints {
        /// The environment.
        environment: Environment,
        /// The time asked for.
        window: Window,
    },
}

impl FetchError {
    /// Whether that is how things are, and no fault: the next environment may be another matter.
    pub fn is_refusal(&self) -> bool {
        !matches!(self, Self::Service { .. } | Self::Read(_) | Self::NoEnvironment(_))
    }
}

/// Asks AWS for what is not in the archive yet. Nothing is written.
pub async fn fetch(
    environments: &dyn Environments,
    metrics: &dyn Metrics,
    archive: &dyn Archive,
    request: &FetchRequest,
) -> Result<Fetched, FetchError> {
    let environment = &request.environment;
    let failed = |source| FetchError::Service { environment: environment.clone(), source };
    let described = environments.describe(environment).await.map_err(failed)?;
    let described = described.ok_or_else(|| FetchError::NoEnvironment(environment.clone()))?;
    let group = usable(environment, &described)?;
    let before = Before::read(archive, request).await.map_err(FetchError::Read)?;
    let window = window(request, before.fetched_until)?;
    let subject = Subject { request, described: &described, group, before: &before, window };
    let asked = Asked { complete: complete(request.now, window), counted_before: before.counted() };
    let parts = parts(request.now, window, group, &described);
    let gathered = asked.gather(metrics, &parts).await.map_err(failed)?;
    subject.check(&gathered.assembled)?;
    let activities = subject.activities(environments).await.map_err(failed)?;
    Ok(subject.fetched(gathered, activities))
}

/// The environment as it is, what is known of it, and the time that is asked for.
struct Subject<'a> {
    request: &'a FetchRequest,
    described: &'a Described,
    group: &'a Group,
    before: &'a Before,
    window: Window,
}

impl Subject<'_> {
    /// Refuses metrics without a point, or without a count of the instances that can be believed.
    fn check(&self, assembled: &Assembled) -> Result<(), FetchError> {
        let environment = || self.request.environment.clone();
        if assembled.samples.is_empty() {
            return Err(FetchError::NoPoints { environment: environment(), window: self.window });
        }
        let is_uncounted = counts_zones_apart(self.group, self.described) && assembled.is_uncounted();
        if is_uncounted { Err(FetchError::HostsByZone(environment())) } else { Ok(()) }
    }

    /// What became of the group's size, and deployments.
    async fn activities(&self, environments: &dyn Environments) -> Result<Vec<Activity>, ServiceError> {
        let since = self.window.start.start();
        let mut activities = environments.activities(&self.group.document.name, since).await?;
        activities.extend(environments.deployments(&self.described.id, self.window).await?);
        Ok(activities)
    }

    fn fetched(&self, gathered: Gathered, activities: Vec<Activity>) -> Fetched {
        let Gathered { assembled, messages, metrics_requested, calls } = gathered;
        let notes = self.notes(messages, &assembled);
        let Assembled { samples, load_balancer_reported, .. } = assembled;
        Fetched {
            nothing_runs: self.nothing_runs(&samples),
            ingest: IngestRequest {
                environment: self.request.environment.clone(),
                recording: Recording { samples, notes },
                options: self.is_of_now().then(|| self.described.options.clone()),
                group: Some(self.group.document.clone()),
                activities,
                load_balancer_reported: Some(load_balancer_reported),
                // Left open already, counted from now and not from the newest point.
                leave_open: Minutes(0),
                // A stated time may leave a gap before it, which the next fetch has to fill.
                fetched_until: self.request.window.is_none().then_some(self.window.end),
            },
            window: self.window,
            metrics_requested,
            calls,
        }
    }

    fn is_of_now(&self) -> bool {
        self.request.now - SETTINGS_OF_NOW <= self.window.end
    }

    fn notes(&self, messages: Vec<String>, assembled: &Assembled) -> Vec<Note> {
        let (before, window) = (self.before, self.window);
        let mut notes: Vec<Note> = messages.into_iter().map(Note::Message).collect();
        notes.extend(assembled.notes.iter().cloned());
        notes.extend(seams(before, self.group, &self.described.options));
        notes.extend((!self.is_of_now()).then_some(Note::SettingsNotKept { until: window.end }));
        notes.extend(silent(&before.samples, &assembled.samples, window, &assembled.load_balancer_reported));
        notes
    }

    /// Each fetch goes back over what is there, so that it finds samples also where there are no new ones.
    fn nothing_runs(&self, fetched: &[Sample]) -> Option<NothingRuns> {
        let all = self.before.samples.iter().chain(fetched);
        let since = all.map(|sample| sample.minute_utc + sample.period.minutes()).max()?;
        let environment = self.request.environment.clone();
        let silence = Window { start: since, end: self.window.end };
        // A stated time says nothing about now, and a group that its scheduled actions have put to sleep will wake.
        let is_so = self.request.window.is_none()
            && SILENT_AFTER < OptionDocument::awake_minutes(&self.described.options, silence);
        is_so.then_some(NothingRuns { environment, since })
    }
}

/// What is asked for of one part of the time.
struct Part {
    window: Window,
    wanted: Vec<Wanted>,
}

/// Up to where, and what counted the instances so far.
struct Asked<'a> {
    complete: BTreeMap<Period, MinuteUtc>,
    counted_before: Option<&'a str>,
}

/// What came of asking CloudWatch.
struct Gathered {
    assembled: Assembled,
    messages: Vec<String>,
    metrics_requested: usize,
    calls: usize,
}

impl Asked<'_> {
    /// Asks for what is needed, and for everything once that counter which is known counts no more: CloudWatch
    /// charges for each metric that is asked for, whether it has points or not.
    async fn gather(&self, metrics: &dyn Metrics, parts: &[Part]) -> Result<Gathered, ServiceError> {
        let needed = |part: &Part| Part { wanted: needed(&part.wanted, self.counted_before), ..*part };
        let first = self.ask(metrics, &parts.iter().map(needed).collect::<Vec<_>>()).await?;
        let counted = first.assembled.notes.iter().find_map(Note::instances_by);
        let everything: usize = parts.iter().map(|part| part.wanted.len()).sum();
        if first.metrics_requested == everything || counted == self.counted_before {
            return Ok(first);
        }
        let second = self.ask(metrics, parts).await?;
        Ok(Gathered {
            metrics_requested: first.metrics_requested + second.metrics_requested,
            calls: first.calls + second.calls,
            ..second
        })
    }

    async fn ask(&self, metrics: &dyn Metrics, parts: &[Part]) -> Result<Gathered, ServiceError> {
        let mut all = Answer::default();
        for part in parts {
            let queries: Vec<_> = part.wanted.iter().map(|wanted| wanted.query.clone()).collect();
            let Answer { series, messages, calls } = metrics.get(&queries, part.window).await?;
            all.series.extend(series);
            all.messages.extend(messages);
            all.calls += calls;
        }
        let wanted: Vec<&Wanted> = parts.iter().flat_map(|part| &part.wanted).collect();
        let assembled = assemble::samples(&wanted, &all.series, &self.complete, self.counted_before);
        let metrics_requested = wanted.len();
        Ok(Gathered { assembled, messages: all.messages, metrics_requested, calls: all.calls })
    }
}

/// What the archive holds of the time shortly before.
struct Before {
    fetched_until: Option<MinuteUtc>,
    samples: Vec<Sample>,
    instances_by: Option<String>,
    settings: Option<SettingsDocument>,
}

impl Before {
    async fn read(archive: &dyn Archive, request: &FetchRequest) -> Result<Self, StoreError> {
        let environment = &request.environment;
        let newest = newest_samples(archive, environment, LOOK_BACK, request.backfill()).await?;
        let settings = latest_settings(archive, environment, request.now).await?;
        let Some(Newest { end, samples, remarks }) = newest else {
            return Ok(Self { fetched_until: None, samples: vec![], instances_by: None, settings });
        };
        // Where metrics have not come yet, they are asked for until they do.
        let fetched_until = remarks.fetched_until.map(|until| until.min(end));
        Ok(Self { fetched_until, samples, instances_by: remarks.instances_by, settings })
    }

    /// What counted the instances so far, which should go on to do so.
    fn counted(&self) -> Option<&str> {
        self.instances_by.as_deref()
    }
}

/// The group of an environment that advice can apply to.
fn usable<'a>(environment: &Environment, described: &'a Described) -> Result<&'a Group, FetchError> {
    let environment = || environment.clone();
    if described.tier == Tier::Worker {
        return Err(FetchError::Worker(environment()));
    }
    match &described.load_balancer {
        LoadBalancer::None => return Err(FetchError::NoLoadBalancer(environment())),
        LoadBalancer::Other(kind) => {
            return Err(FetchError::OtherLoadBalancer { environment: environment(), kind: kind.clone() });
        }
        LoadBalancer::Classic(_) | LoadBalancer::Application { .. } => {}
    }
    described.group.as_ref().ok_or_else(|| FetchError::NoGroup(environment()))
}

/// What was not fetched yet and a while before it, on boundaries of five minutes; the newest minutes stay open.
fn window(request: &FetchRequest, fetched_until: Option<MinuteUtc>) -> Result<Window, FetchError> {
    let newest = request.now - LEAVE_OPEN;
    let window = match request.window {
        Some(asked) => Window { start: asked.start, end: asked.end.min(newest) },
        None => {
            let oldest = newest - request.backfill();
            let start = fetched_until.map_or(oldest, |until| (until.min(newest) - LOOK_BACK).max(oldest));
            Window { start, end: newest }
        }
    };
    let window = Window { start: by_five(window.start), end: window.end };
    if window.end <= window.start {
        return Err(FetchError::NotYet { window: request.window.unwrap_or(window) });
    }
    let kept = Window::days_before(request.now, FIVE_MINUTES_KEPT_DAYS);
    if window.start < kept.start { Err(FetchError::TooOld { window }) } else { Ok(window) }
}

/// The minute at or before it at which a period of five begins.
fn by_five(minute: MinuteUtc) -> MinuteUtc {
    minute - Minutes(minute.epoch_minutes().rem_euclid(5) as u32)
}

/// The distance of the points that CloudWatch has: of CPU, and of everything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Periods {
    /// Of the instances' CPU.
    pub cpu: Period,
    /// Of the load balancer's and the group's metrics.
    pub others: Period,
}

/// The window as one part, or two where CloudWatch has forgotten the minutes of its beginning: there it is asked for five.
fn parts(now: MinuteUtc, window: Window, group: &Group, described: &Described) -> Vec<Part> {
    let by_minute_since = by_five(now - ONE_MINUTE_KEPT);
    let old = Window { end: window.end.min(by_minute_since), ..window };
    let recent = Window { start: window.start.max(by_minute_since), ..window };
    let by_fives = Periods { cpu: Period::FiveMinutes, others: Period::FiveMinutes };
    let parts = [(old, by_fives), (recent, recent_periods(described))];
    let parts = parts.into_iter().filter(|(window, _)| window.start < window.end);
    let wanted = |periods| {
        let wanted = wanted(&group.document.name, &described.load_balancer, periods);
        if counts_zones_apart(group, described) { without_hosts(wanted) } else { wanted }
    };
    parts.map(|(window, periods)| Part { window, wanted: wanted(periods) }).collect()
}

/// Without cross-zone load balancing each node of a classic load balancer counts the instances of its own zone, and
/// HealthyHostCount is the average of the nodes: half of the instances in two zones.
fn counts_zones_apart(group: &Group, described: &Described) -> bool {
    let is_on = |option: &OptionDocument| {
        option.namespace == "aws:elb:loadbalancer"
            && option.option_name == "CrossZone"
            && option.value.eq_ignore_ascii_case("true")
    };
    let is_classic = matches!(described.load_balancer, LoadBalancer::Classic(_));
    is_classic && group.zones != 1 && !described.options.iter().any(is_on)
}

fn recent_periods(described: &Described) -> Periods {
    // Beanstalk always tells the interval; options that can't be read are told about elsewhere.
    let settings = Settings::from_options(described.options.iter().map(OptionDocument::as_option));
    let basic = settings.is_ok_and(|settings| settings.monitoring == Monitoring::Basic);
    let cpu = if basic { Period::FiveMinutes } else { Period::OneMinute };
    Periods { cpu, others: Period::OneMinute }
}

/// The end of the newest period of either length that can't grow any more.
fn complete(now: MinuteUtc, window: Window) -> BTreeMap<Period, MinuteUtc> {
    let basic = by_five(window.end.min(now - LEAVE_OPEN_BASIC));
    BTreeMap::from([(Period::OneMinute, window.end), (Period::FiveMinutes, basic)])
}

/// What is not as it was, or not as the options say.
fn seams(before: &Before, group: &Group, options: &[OptionDocument]) -> Vec<Note> {
    let now = &group.document;
    let was = before.settings.as_ref().and_then(|settings| settings.group.as_ref());
    let rebuilt = was
        .filter(|was| was.name != now.name)
        .map(|was| Note::Rebuilt { before: was.name.clone(), now: now.name.clone() });
    let settings = Settings::from_options(options.iter().map(OptionDocument::as_option)).ok();
    let limits = settings.map(|settings| (settings.group.min_size.0, settings.group.max_size.0));
    let differ = limits
        .filter(|limits| *limits != (now.min_size, now.max_size))
        .map(|options| Note::LimitsDiffer { options, live: (now.min_size, now.max_size) });
    let suspended =
        (!group.suspended.is_empty()).then(|| Note::Suspended { processes: group.suspended.join(", ") });
    [rebuilt, differ, suspended].into_iter().flatten().collect()
}

/// Metrics that have stopped. Requests that are absent while the load balancer reports are zero, not silent.
fn silent(
    before: &[Sample],
    fetched: &[Sample],
    window: Window,
    load_balancer_reported: &std::collections::BTreeSet<MinuteUtc>,
) -> Vec<Note> {
    let newest = |metric| {
        let samples = before.iter().chain(fetched).filter(|sample| sample.get(metric).is_some());
        let ends = samples.map(|sample| sample.minute_utc + sample.period.minutes());
        let zeros = load_balancer_reported.iter().map(|minute| *minute + Minutes(1));
        let zeros = zeros.filter(|_| metric == Metric::Requests);
        ends.chain(zeros).max()
    };
    let main = [Metric::Requests, Metric::CpuPercent, Metric::InService];
    let notes = main.into_iter().map(|metric| (metric, newest(metric)));
    let silent = notes.filter(|(_, newest)| newest.is_none_or(|newest| newest + SILENT_AFTER < window.end));
    silent.map(|(metric, since)| Note::Silent { metric: metric.column(), since }).collect()
}
