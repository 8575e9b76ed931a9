//! What the owner of some settings should know about them.

use std::fmt;

use crate::dynamics::Monitoring;
use crate::policy::least_swinging_threshold;
use crate::schedule::ScheduledAction;
use crate::settings::{Increment, Settings};
use crate::units::{Instances, Minutes};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know.
    Note,
    /// Probably not what was meant.
    Warning,
    /// It can't work as meant.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Something about the settings, with what to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// There is no trigger to set.
    SingleInstance,
    /// The three durations contradict each other.
    DurationsDisagree {
        /// `Period`.
        period: Minutes,
        /// `EvaluationPeriods`.
        evaluation_periods: u32,
        /// `BreachDuration`.
        breach_duration: Minutes,
    },
    /// A number of minutes that looks like one of seconds.
    SecondsForMinutes {
        /// The option.
        option: &'static str,
        /// Its value.
        value: Minutes,
    },
    /// Every value adds or removes instances.
    ThresholdsSwapped {
        /// `LowerThreshold`.
        lower: f64,
        /// `UpperThreshold`.
        upper: f64,
    },
    /// One step can cross the other threshold.
    Oscillates {
        /// `LowerThreshold`.
        lower: f64,
        /// The value below which it would be safe.
        safe_below: f64,
        /// At that size.
        instances: Instances,
    },
    /// A threshold that no percentage can pass, probably Beanstalk's default in bytes.
    NotAPercentage {
        /// The option.
        option: &'static str,
        /// Its value.
        value: f64,
        /// Whether it was set at all.
        given: bool,
    },
    /// A threshold that CPU never passed, however many requests there were.
    NeverReached {
        /// `UpperThreshold`.
        upper: f64,
        /// The level at which CPU stays.
        level: f64,
    },
    /// Thresholds that look like percentages under a measure in bytes.
    PercentOfBytes {
        /// `MeasureName`.
        measure_name: String,
        /// Whether it was set at all.
        given: bool,
    },
    /// The measure is Beanstalk's default.
    DefaultMeasure,
    /// A measure that Beanstalk does not have.
    UnknownMeasure(String),
    /// The unit is not the measure's.
    UnitMismatch {
        /// `Unit`.
        unit: String,
        /// `MeasureName`.
        measure_name: String,
        /// The measure's own unit.
        expected: &'static str,
    },
    /// Always about one.
    RequestCountByAverage(String),
    /// A sum over the environment, which more instances don't make smaller.
    TotalOfEnvironment(String),
    /// One busy instance is enough.
    StatisticMaximum,
    /// The group can't change its size.
    FixedSize(Instances),
    /// The limits allow a single step.
    OneStepOnly {
        /// `MinSize`.
        min: Instances,
        /// `MaxSize`.
        max: Instances,
    },
    /// No size would do.
    MinOverMax {
        /// `MinSize`.
        min: Instances,
        /// `MaxSize`.
        max: Instances,
    },
    /// Scale-in adds instances, or scale-out removes them.
    WrongSign {
        /// The option.
        option: &'static str,
        /// Its value.
        value: f64,
    },
    /// Nothing is added, or removed.
    NoIncrement(&'static str),
    /// A share of the group.
    PercentIncrement {
        /// The option.
        option: &'static str,
        /// Its value.
        percent: f64,
    },
    /// A trigger finer than its metrics.
    FinerThanMetrics(Minutes),
    /// CPU comes every five minutes.
    BasicMonitoring,
    /// Instances of several types share one trigger.
    MixedInstanceTypes(Vec<String>),
    /// The limits are not always those of the options.
    ScheduledActions(Vec<String>),
    /// An option that Beanstalk does not have.
    UnknownOption(String),
    /// An option, or a key of a file, that is set twice.
    Repeated(String),
    /// A file replaces the alarms or policies that Beanstalk makes.
    Overridden(String),
    /// Durations that nobody set.
    DefaultDurations(Vec<&'static str>),
}

/// Beanstalk's measures, and the unit of each.
const MEASURES: [(&str, &str); 12] = [
    ("CPUUtilization", "Percent"),
    ("NetworkIn", "Bytes"),
    ("NetworkOut", "Bytes"),
    ("DiskWriteOps", "Count"),
    ("DiskReadBytes", "Bytes"),
    ("DiskReadOps", "Count"),
    ("DiskWriteBytes", "Bytes"),
    ("Latency", "Seconds"),
    ("RequestCount", "Count"),
    ("HealthyHostCount", "Count"),
    ("UnhealthyHostCount", "Count"),
    ("TargetResponseTime", "Seconds"),
];

/// All that there is to say about `settings`, the worst first.
pub fn judge(settings: &Settings) -> Vec<Finding> {
    if !settings.load_balanced {
        return vec![Finding::SingleInstance];
    }
    let mut findings = Vec::new();
    findings.extend(measure(settings));
    findings.extend(thresholds(settings));
    findings.extend(durations(settings));
    findings.extend(increments(settings));
    findings.extend(group(settings));
    findings.extend(surroundings(settings));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
    findings
}

/// Whether a trigger on CPU waits for more than `level`, at which CPU stays.
pub fn never_reached(settings: &Settings, level: f64) -> Option<Finding> {
    let on_cpu = settings.load_balanced && settings.measure_name == "CPUUtilization";
    let upper = settings.upper_threshold;
    (on_cpu && level <= upper && upper <= 100.0).then_some(Finding::NeverReached { upper, level })
}

fn measure(settings: &Settings) -> Vec<Finding> {
    let Settings { measure_name, statistic, unit, .. } = settings;
    let given = |option: &str| settings.given.contains(option);
    let Some((_, expected)) = MEASURES.iter().find(|(name, _)| name == measure_name) else {
        return vec![Finding::UnknownMeasure(measure_name.clone())];
    };
    let mut findings = Vec::new();
    let is_bytes = *expected == "Bytes";
    let looks_like_percent = settings.upper_threshold <= 100.0 && settings.lower_threshold <= 100.0;
    if is_bytes && looks_like_percent {
        let given = given("MeasureName");
        findings.push(Finding::PercentOfBytes { measure_name: measure_name.clone(), given });
    } else if measure_name == "NetworkOut" {
        findings.push(Finding::DefaultMeasure);
    }
    if unit != expected && unit != "None" {
        let (unit, measure_name) = (unit.clone(), measure_name.clone());
        findings.push(Finding::UnitMismatch { unit, measure_name, expected });
    }
    match (measure_name.as_str(), statistic.as_str()) {
        ("RequestCount", "Sum") => findings.push(Finding::TotalOfEnvironment(measure_name.clone())),
        ("RequestCount", _) => findings.push(Finding::RequestCountByAverage(statistic.clone())),
        (_, "Maximum") => findings.push(Finding::StatisticMaximum),
        _ => {}
    }
    findings
}

fn thresholds(settings: &Settings) -> Vec<Finding> {
    let (lower, upper) = (settings.lower_threshold, settings.upper_threshold);
    let mut findings = Vec::new();
    if settings.measure_name == "CPUUtilization" {
        for (option, value) in [("UpperThreshold", upper), ("LowerThreshold", lower)] {
            if value > 100.0 {
                let given = settings.given.contains(option);
                findings.push(Finding::NotAPercentage { option, value, given });
            }
        }
    }
    let all_plausible = findings.is_empty();
    if all_plausible && lower >= upper {
        findings.push(Finding::ThresholdsSwapped { lower, upper });
    } else if all_plausible {
        findings.extend(oscillation(settings));
    }
    findings
}

/// Only what the instances share falls as instances are added, and no step is wider than the limits.
fn oscillation(settings: &Settings) -> Option<Finding> {
    let shared = ["CPUUtilization", "NetworkIn", "NetworkOut"].contains(&settings.measure_name.as_str());
    let (instances, room) = sizes(settings);
    let (Increment::Instances(up), Increment::Instances(down)) =
        (settings.upper_breach_scale_increment, settings.lower_breach_scale_increment)
    else {
        return None;
    };
    let step = Instances(up.unsigned_abs().max(down.unsigned_abs()).min(room));
    let safe_below = least_swinging_threshold(settings.upper_threshold, instances, step);
    let lower = settings.lower_threshold;
    (shared && 0 < room && lower >= safe_below).then_some(Finding::Oscillates {
        lower,
        safe_below,
        instances,
    })
}

/// The smallest group, and how many instances more the largest has; scheduled actions may make either otherwise.
fn sizes(settings: &Settings) -> (Instances, u32) {
    let Settings { group, scheduled_actions, .. } = settings;
    let scheduled = |size: fn(&ScheduledAction) -> Option<Instances>| {
        scheduled_actions.iter().filter_map(size).filter(|size| *size != Instances(0))
    };
    let min = scheduled(|action| action.min_size).fold(group.min_size, Ord::min);
    let max = scheduled(|action| action.max_size).fold(group.max_size, Ord::max);
    (min, max.0.saturating_sub(min.0))
}

fn durations(settings: &Settings) -> Vec<Finding> {
    let Settings { period, evaluation_periods, breach_duration, .. } = *settings;
    let mut findings = Vec::new();
    for (option, value) in [("Period", period), ("BreachDuration", breach_duration)] {
        if value.0 >= 60 && value.0.is_multiple_of(60) {
            findings.push(Finding::SecondsForMinutes { option, value });
        }
    }
    if period.0.checked_mul(evaluation_periods) != Some(breach_duration.0) {
        findings.push(Finding::DurationsDisagree { period, evaluation_periods, breach_duration });
    }
    let names = ["Period", "EvaluationPeriods", "BreachDuration"];
    let unset: Vec<&str> = names.into_iter().filter(|name| !settings.given.contains(*name)).collect();
    if unset.len() == names.len() && !settings.given.is_empty() {
        findings.push(Finding::DefaultDurations(unset));
    }
    let from_instances = settings.measure_name == "CPUUtilization";
    if from_instances && settings.monitoring == Monitoring::Basic {
        let fits = settings.monitoring.allows(period);
        findings.push(if fits { Finding::BasicMonitoring } else { Finding::FinerThanMetrics(period) });
    }
    findings
}

fn increments(settings: &Settings) -> Vec<Finding> {
    let both = [
        ("UpperBreachScaleIncrement", settings.upper_breach_scale_increment, 1.0),
        ("LowerBreachScaleIncrement", settings.lower_breach_scale_increment, -1.0),
    ];
    let mut findings = Vec::new();
    for (option, increment, sign) in both {
        let value = increment.number();
        if let Increment::Percent(percent) = increment {
            findings.push(Finding::PercentIncrement { option, percent });
        }
        if value == 0.0 {
            findings.push(Finding::NoIncrement(option));
        } else if value * sign < 0.0 {
            findings.push(Finding::WrongSign { option, value });
        }
    }
    findings
}

fn group(settings: &Settings) -> Option<Finding> {
    let (min, max) = (settings.group.min_size, settings.group.max_size);
    match max.0.checked_sub(min.0) {
        None => Some(Finding::MinOverMax { min, max }),
        Some(0) => Some(Finding::FixedSize(min)),
        Some(1) => Some(Finding::OneStepOnly { min, max }),
        Some(_) => None,
    }
}

fn surroundings(settings: &Settings) -> Vec<Finding> {
    let mut findings: Vec<Finding> = settings.unknown.iter().cloned().map(Finding::UnknownOption).collect();
    findings.extend(settings.repeated.iter().cloned().map(Finding::Repeated));
    if settings.instance_types.len() > 1 {
        findings.push(Finding::MixedInstanceTypes(settings.instance_types.clone()));
    }
    if !settings.scheduled_actions.is_empty() {
        let names = settings.scheduled_actions.iter().map(|action| action.name.clone());
        findings.push(Finding::ScheduledActions(names.collect()));
    }
    findings
}

impl Finding {
    /// How bad it is.
    pub fn severity(&self) -> Severity {
        match self {
            Self::ThresholdsSwapped { .. }
            | Self::NotAPercentage { .. }
            | Self::NeverReached { .. }
            | Self::PercentOfBytes { .. }
            | Self::UnknownMeasure(_)
            | Self::RequestCountByAverage(_)
            | Self::MinOverMax { .. }
            | Self::WrongSign { .. }
            | Self::NoIncrement(_)
            | Self::FinerThanMetrics(_) => Severity::Error,
            Self::DurationsDisagree { .. }
            | Self::SecondsForMinutes { .. }
            | Self::Oscillates { .. }
            | Self::UnitMismatch { .. }
            | Self::TotalOfEnvironment(_)
            | Self::StatisticMaximum
            | Self::FixedSize(_)
            | Self::PercentIncrement { .. }
            | Self::MixedInstanceTypes(_)
            | Self::UnknownOption(_)
            | Self::Repeated(_)
            | Self::Overridden(_) => Severity::Warning,
            Self::SingleInstance
            | Self::DefaultMeasure
            | Self::OneStepOnly { .. }
            | Self::BasicMonitoring
            | Self::ScheduledActions(_)
            | Self::DefaultDurations(_) => Severity::Note,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SingleInstance => {
                write!(
                    f,
                    "a single instance has no load balancer and no trigger: advice on one does not apply"
                )
            }
            Self::DurationsDisagree { period, evaluation_periods, breach_duration } => write!(
                f,
                "`Period` {period} times `EvaluationPeriods` {evaluation_periods} is not `BreachDuration` \
                 {breach_duration}; simulated is {evaluation_periods} × {period}. Set all three, the last as the product"
            ),
            Self::SecondsForMinutes { option, value } => write!(
                f,
                "`{option}` {} is minutes, {} hours; {} seconds were probably meant: write {}",
                value.0,
                value.0 / 60,
                value.0,
                value.0 / 60
            ),
            Self::NeverReached { upper, level } => write!(
                f,
                "`UpperThreshold` {upper} is never reached: CPU stays near {level:.0} % however many requests there are, \
                 so that the trigger adds nothing when it should"
            ),
            Self::ThresholdsSwapped { lower, upper } => write!(
                f,
                "`LowerThreshold` {lower} is not below `UpperThreshold` {upper}: every value adds or removes \
                 instances, for ever"
            ),
            Self::Oscillates { lower, safe_below, instances } => write!(
                f,
                "`LowerThreshold` {lower} is so close to the upper one that a step from {instances} can cross \
                 both: instances come and go for ever. Set it below {safe_below:.0}"
            ),
            Self::NotAPercentage { option, value, given } => {
                let whose = if *given { "" } else { ", Beanstalk's default in bytes, since none is set" };
                let effect = match *option {
                    "LowerThreshold" => {
                        "every CPU value is below it, so that instances are removed at all times"
                    }
                    _ => "no CPU value is above it, so that instances are never added",
                };
                write!(f, "`{option}` is {value}{whose}, and CPU is a percentage: {effect}")
            }
            Self::PercentOfBytes { measure_name, given } => {
                let whose = if *given { "" } else { ", Beanstalk's default, since none is set" };
                write!(
                    f,
                    "the thresholds look like percentages, but `MeasureName` is `{measure_name}`{whose}, which \
                     counts bytes. Set it to CPUUtilization, with Unit Percent"
                )
            }
            Self::DefaultMeasure => write!(
                f,
                "the trigger watches bytes sent (`NetworkOut`, Beanstalk's default), which says little about \
                 CPU; CPUUtilization is what this tool can advise on"
            ),
            Self::UnknownMeasure(name) => {
                write!(f, "`{name}` is no measure that a Beanstalk trigger can watch")
            }
            Self::UnitMismatch { unit, measure_name, expected } => write!(
                f,
                "`Unit` is `{unit}`, and `{measure_name}` comes in `{expected}`: an alarm with another unit may \
                 see no data at all. Set Unit to {expected}"
            ),
            Self::RequestCountByAverage(statistic) => write!(
                f,
                "{statistic} of `RequestCount` is about 1 whatever the load: each request is one sample. Use Sum"
            ),
            Self::TotalOfEnvironment(name) => write!(
                f,
                "`{name}` by Sum is the whole environment's: it does not fall as instances are added, so that the \
                 same thresholds hold at any size"
            ),
            Self::StatisticMaximum => write!(
                f,
                "by Maximum one busy instance adds instances, and they are removed only when every one is quiet"
            ),
            Self::FixedSize(size) => {
                write!(f, "`MinSize` and `MaxSize` are both {}: the trigger can never act", size.0)
            }
            Self::OneStepOnly { min, max } => {
                write!(f, "from {} to {} instances one step is the whole range", min.0, max.0)
            }
            Self::MinOverMax { min, max } => write!(f, "`MinSize` {} is over `MaxSize` {}", min.0, max.0),
            Self::WrongSign { option, value } => {
                let effect = if *value > 0.0 { "adds instances" } else { "removes instances" };
                write!(f, "`{option}` {value} {effect}: its sign is wrong")
            }
            Self::NoIncrement(option) => write!(f, "`{option}` is 0: its alarm changes nothing"),
            Self::PercentIncrement { option, percent } => write!(
                f,
                "`{option}` {percent}% is read as a share of the group; Beanstalk documents whole instances only"
            ),
            Self::FinerThanMetrics(period) => write!(
                f,
                "`Period` {} min can't work on CPU that comes every 5 minutes: set MonitoringInterval to `1 minute` \
                 (which replaces all instances), or Period to 5",
                period.0
            ),
            Self::BasicMonitoring => write!(
                f,
                "CPU comes every 5 minutes (basic monitoring), so that the trigger sees a rise 6 minutes later at \
                 least; `1 minute` for MonitoringInterval replaces all instances once"
            ),
            Self::MixedInstanceTypes(types) => write!(
                f,
                "instances of several types ({}) share one trigger: what a request costs differs between them",
                types.join(", ")
            ),
            Self::ScheduledActions(names) => write!(
                f,
                "scheduled actions ({}) change the limits: MinSize and MaxSize here are not always those in force",
                names.join(", ")
            ),
            Self::UnknownOption(name) => {
                write!(f, "`{name}` is no option that Beanstalk has: it does nothing")
            }
            Self::Repeated(name) => write!(f, "`{name}` is set twice: only the last one counts"),
            Self::Overridden(name) => write!(
                f,
                "`Resources` changes `{name}`, which Beanstalk makes from these options: what is deployed is not \
                 what they say"
            ),
            Self::DefaultDurations(names) => {
                write!(f, "{} are not set: Beanstalk's 5 min, 1 and 5 min hold", names.join(", "))
            }
        }
    }
}
