//! The options of an environment as they are, read once into checked values.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::adjustment::Adjustment;
use crate::alarm::AlarmRule;
use crate::course::{CapacityChange, Course, CourseError, in_force};
use crate::cpu_model::Line;
use crate::dynamics::Monitoring;
use crate::plan::{Alarm, Measure, Plan, Rule, Side, Simple};
use crate::policy::{Group, PolicyError, ScalingPolicy, Trigger};
use crate::schedule::{Cron, ScheduledAction};
use crate::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds, Window};

/// An option as Beanstalk's API has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConfigOption<'a> {
    /// For instance `aws:autoscaling:trigger`.
    pub namespace: &'a str,
    /// Which of several, for instance a scheduled action's name.
    pub resource_name: Option<&'a str>,
    /// For instance `UpperThreshold`.
    pub option_name: &'a str,
    /// Its value, always text.
    pub value: &'a str,
}

impl<'a> From<(&'a str, &'a str, &'a str)> for ConfigOption<'a> {
    fn from((namespace, option_name, value): (&'a str, &'a str, &'a str)) -> Self {
        Self { namespace, resource_name: None, option_name, value }
    }
}

/// A scale increment: instances, or, as the trigger API of 2009 had it, a share of the group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Increment {
    /// Instances; negative to remove.
    Instances(i32),
    /// Percent of the group; negative to remove.
    Percent(f64),
}

/// Every option of `aws:autoscaling:trigger` and `aws:autoscaling:asg` that decides about capacity, with
/// Beanstalk's defaults where nothing is set, and what else matters to them.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// `MeasureName`.
    pub measure_name: String,
    /// `Statistic`.
    pub statistic: String,
    /// `Unit`.
    pub unit: String,
    /// `UpperThreshold`, in `unit`.
    pub upper_threshold: f64,
    /// `LowerThreshold`, in `unit`.
    pub lower_threshold: f64,
    /// `UpperBreachScaleIncrement`.
    pub upper_breach_scale_increment: Increment,
    /// `LowerBreachScaleIncrement`.
    pub lower_breach_scale_increment: Increment,
    /// `Period`.
    pub period: Minutes,
    /// `EvaluationPeriods`.
    pub evaluation_periods: u32,
    /// `BreachDuration`.
    pub breach_duration: Minutes,
    /// `MinSize`, `MaxSize`, `Cooldown`.
    pub group: Group,
    /// `MonitoringInterval` of the launch configuration.
    pub monitoring: Monitoring,
    /// `EnvironmentType` is not `SingleInstance`.
    pub load_balanced: bool,
    /// `InstanceTypes`.
    pub instance_types: Vec<String>,
    /// `aws:autoscaling:scheduledaction`.
    pub scheduled_actions: Vec<ScheduledAction>,
    /// Options of the trigger and the group that were set, whatever to.
    pub given: BTreeSet<String>,
    /// Options of the trigger and the group that Beanstalk does not have.
    pub unknown: Vec<String>,
    /// Options that were set twice; the last one counts.
    pub repeated: Vec<String>,
}

/// Why the present settings can't be replayed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotSimulated {
    /// No load balancer, no trigger.
    #[error("the environment is a single instance: it has no trigger, so that advice on one does not apply")]
    SingleInstance,
    /// A measure that CPU and requests say nothing about.
    #[error(
        "the trigger watches {statistic} of `{measure_name}`, which does not follow from the recorded traffic"
    )]
    OtherMeasure {
        /// `MeasureName`.
        measure_name: String,
        /// `Statistic`.
        statistic: String,
    },
    /// The measure would follow from the traffic, and does not.
    #[error(
        "the trigger watches {statistic} of `{measure_name}`, and the recorded response time does not follow the traffic closely enough"
    )]
    NoLine {
        /// `MeasureName`.
        measure_name: String,
        /// `Statistic`.
        statistic: String,
    },
    /// Points of a minute, from metrics of five.
    #[error(
        "`Period` is {0} and metrics come every 5 minutes (`MonitoringInterval`): AWS does not say what the alarm does"
    )]
    PeriodBelowMonitoring(Minutes),
    /// The settings are no policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

impl Settings {
    /// Whether options of this namespace say anything that is read. What others hold, passwords among it, is nobody's here.
    pub fn are_read_from(namespace: &str) -> bool {
        [TRIGGER, GROUP, LAUNCH, ENVIRONMENT, INSTANCES, SCHEDULED].contains(&namespace)
    }

    /// What Beanstalk takes where nobody sets an option, for those that are read here.
    ///
    /// ```
    /// use scaling::settings::Settings;
    ///
    /// assert_eq!(Settings::default_of("aws:autoscaling:asg", "Cooldown"), Some("360"));
    /// assert_eq!(Settings::default_of("aws:autoscaling:asg", "Colour"), None);
    /// ```
    pub fn default_of(namespace: &str, option_name: &str) -> Option<&'static str> {
        let is_it = |(of, name, _): &&(&str, &str, &str)| (*of, *name) == (namespace, option_name);
        DEFAULTS.iter().find(is_it).map(|(.., value)| *value)
    }

    /// Reads options; those of namespaces that don't matter here are passed over.
    ///
    /// ```
    /// use scaling::settings::Settings;
    ///
    /// let settings = Settings::from_options([("aws:autoscaling:asg", "MaxSize", "6")])?;
    /// assert_eq!(settings.group.max_size.0, 6);
    /// assert_eq!(settings.measure_name, "NetworkOut");
    /// let refused = Settings::from_options([("aws:autoscaling:asg", "MaxSize", "six")]).unwrap_err();
    /// assert_eq!(refused.to_string(), "`MaxSize` must be a whole number, not `six`");
    /// # Ok::<(), scaling::policy::PolicyError>(())
    /// ```
    pub fn from_options<'a, O: Into<ConfigOption<'a>>>(
        options: impl IntoIterator<Item = O>,
    ) -> Result<Self, PolicyError> {
        let options = Options::of(options.into_iter().map(Into::into));
        Ok(Self {
            measure_name: options.in_force(TRIGGER, "MeasureName").to_owned(),
            statistic: options.in_force(TRIGGER, "Statistic").to_owned(),
            unit: options.in_force(TRIGGER, "Unit").to_owned(),
            upper_threshold: options.number(TRIGGER, "UpperThreshold")?,
            lower_threshold: options.number(TRIGGER, "LowerThreshold")?,
            upper_breach_scale_increment: options.increment("UpperBreachScaleIncrement")?,
            lower_breach_scale_increment: options.increment("LowerBreachScaleIncrement")?,
            period: Minutes(options.whole(TRIGGER, "Period")?),
            evaluation_periods: options.whole(TRIGGER, "EvaluationPeriods")?,
            breach_duration: Minutes(options.whole(TRIGGER, "BreachDuration")?),
            group: Group {
                min_size: Instances(options.whole(GROUP, "MinSize")?),
                max_size: Instances(options.whole(GROUP, "MaxSize")?),
                cooldown: Seconds(options.whole(GROUP, "Cooldown")?),
            },
            monitoring: options.monitoring()?,
            load_balanced: options.in_force(ENVIRONMENT, "EnvironmentType") != "SingleInstance",
            instance_types: options.list(INSTANCES, "InstanceTypes"),
            scheduled_actions: options.scheduled_actions()?,
            given: options.given_names(),
            unknown: options.unknown_names(),
            repeated: options.repeated,
        })
    }

    /// The Beanstalk policy that they make, where it is one on the group's average CPU.
    pub fn policy(&self) -> Result<ScalingPolicy, NotSimulated> {
        self.check_simulated()?;
        if (self.measure_name.as_str(), self.statistic.as_str()) != ("CPUUtilization", "Average") {
            let (measure_name, statistic) = (self.measure_name.clone(), self.statistic.clone());
            return Err(NotSimulated::OtherMeasure { measure_name, statistic });
        }
        let trigger = Trigger {
            upper_threshold: threshold("UpperThreshold", self.upper_threshold)?,
            lower_threshold: threshold("LowerThreshold", self.lower_threshold)?,
            upper_breach_scale_increment: adds(self.upper_breach_scale_increment)?,
            lower_breach_scale_increment: removes(self.lower_breach_scale_increment)?,
            period: self.period,
            evaluation_periods: self.evaluation_periods,
        };
        Ok(ScalingPolicy::new(trigger, self.group)?)
    }

    /// What they make of any measure that follows from traffic; `response_time` is its line, if it has one.
    pub fn plan(&self, response_time: Option<Line>) -> Result<Plan, NotSimulated> {
        self.check_simulated()?;
        let measure = self.measure(response_time)?;
        let alarm = |threshold, side| Alarm {
            threshold,
            side,
            period: self.period,
            rule: AlarmRule::beanstalk(self.evaluation_periods as usize),
        };
        let plan = Plan {
            rule: Rule::Simple(Simple {
                high: alarm(self.upper_threshold, Side::Above),
                on_high: self.upper_breach_scale_increment.adjustment(),
                low: alarm(self.lower_threshold, Side::Below),
                on_low: self.lower_breach_scale_increment.adjustment(),
            }),
            group: self.group,
            measure,
        };
        plan.check()?;
        Ok(plan)
    }

    fn measure(&self, response_time: Option<Line>) -> Result<Measure, NotSimulated> {
        let (measure_name, statistic) = (self.measure_name.clone(), self.statistic.clone());
        match (self.measure_name.as_str(), self.statistic.as_str(), response_time) {
            ("CPUUtilization", "Average", _) => Ok(Measure::CpuUtilization),
            ("RequestCount", "Sum", _) => Ok(Measure::RequestCount),
            ("Latency" | "TargetResponseTime", "Average", Some(line)) => {
                Ok(Measure::Line { intercept: line.intercept, per_request: line.slope })
            }
            ("Latency" | "TargetResponseTime", "Average", None) => {
                Err(NotSimulated::NoLine { measure_name, statistic })
            }
            _ => Err(NotSimulated::OtherMeasure { measure_name, statistic }),
        }
    }

    fn check_simulated(&self) -> Result<(), NotSimulated> {
        if !self.load_balanced {
            return Err(NotSimulated::SingleInstance);
        }
        let comes_from_instances = self.measure_name == "CPUUtilization";
        let fits = !comes_from_instances || self.monitoring.allows(self.period);
        fits.then_some(()).ok_or(NotSimulated::PeriodBelowMonitoring(self.period))
    }

    /// What the scheduled actions do within `window`, and what they have set before. Refuses one that lets awake groups come
    /// down to nothing, and a group that never wakes.
    ///
    /// These settings are taken to have been in force all the time, and so their actions: what an action of last evening set
    /// is in force at midnight. Where none has said anything of a limit, it is that of the options. The limits that the group
    /// itself is seen with are no help: they are those of one moment, mostly after the window, when other actions have come.
    pub fn scheduled_course(&self, window: Window) -> Result<Course, CourseError> {
        self.course_around(window)?.awake_within(window)
    }

    /// Minutes of `window` in which the group has instances, or should have: all of them, where that can't be told.
    pub fn awake_minutes(&self, window: Window) -> Minutes {
        let course = self.course_around(window).unwrap_or_default();
        let awake = window.minutes().filter(|minute| !course.is_asleep_at(*minute));
        Minutes(awake.count() as u32)
    }

    fn course_around(&self, window: Window) -> Result<Course, CourseError> {
        let before = self.scheduled_before(window.start).into_iter();
        Course::new(before.chain(self.scheduled_changes(window)).collect(), vec![])
    }

    /// What the scheduled actions do within `window`.
    pub fn scheduled_changes(&self, window: Window) -> Vec<CapacityChange> {
        self.scheduled_actions.iter().flat_map(|action| action.changes(window)).collect()
    }

    /// What is in force at `minute`, as one change: of each limit, what the last action before set that says something of it.
    /// An end restores nothing, and one that came once counts until another comes. A size that an action asked for then has
    /// long been the alarms'; but a group without instances has no alarms, and sleeps until another action wakes it.
    fn scheduled_before(&self, minute: MinuteUtc) -> Option<CapacityChange> {
        let last = self.scheduled_actions.iter().filter_map(|action| action.last_before(minute));
        let mut last: Vec<CapacityChange> = last.collect();
        last.sort_by_key(|change| change.at);
        in_force(&last)
    }
}

impl Increment {
    fn adjustment(self) -> Adjustment {
        match self {
            Self::Instances(count) => Adjustment::ChangeInCapacity(count),
            Self::Percent(percent) => Adjustment::PercentChangeInCapacity { percent, min_magnitude: 0 },
        }
    }

    /// The number as it was written, without its unit.
    pub fn number(self) -> f64 {
        match self {
            Self::Instances(count) => f64::from(count),
            Self::Percent(percent) => percent,
        }
    }
}

const TRIGGER: &str = "aws:autoscaling:trigger";
const GROUP: &str = "aws:autoscaling:asg";
const LAUNCH: &str = "aws:autoscaling:launchconfiguration";
const ENVIRONMENT: &str = "aws:elasticbeanstalk:environment";
const INSTANCES: &str = "aws:ec2:instances";
const SCHEDULED: &str = "aws:autoscaling:scheduledaction";

/// The options that Beanstalk has for a trigger and a group.
const KNOWN: [(&str, &[&str]); 2] = [
    (
        TRIGGER,
        &[
            "MeasureName",
            "Statistic",
            "Unit",
            "Period",
            "EvaluationPeriods",
            "BreachDuration",
            "UpperThreshold",
            "LowerThreshold",
            "UpperBreachScaleIncrement",
            "LowerBreachScaleIncrement",
        ],
    ),
    (
        GROUP,
        &[
            "MinSize",
            "MaxSize",
            "Cooldown",
            "Availability Zones",
            "Custom Availability Zones",
            "EnableCapacityRebalancing",
        ],
    ),
];

/// Namespace, name and value of what holds where nobody sets it.
const DEFAULTS: [(&str, &str, &str); 15] = [
    (TRIGGER, "MeasureName", "NetworkOut"),
    (TRIGGER, "Statistic", "Average"),
    (TRIGGER, "Unit", "Bytes"),
    (TRIGGER, "UpperThreshold", "6000000"),
    (TRIGGER, "LowerThreshold", "2000000"),
    (TRIGGER, "UpperBreachScaleIncrement", "1"),
    (TRIGGER, "LowerBreachScaleIncrement", "-1"),
    (TRIGGER, "Period", "5"),
    (TRIGGER, "EvaluationPeriods", "1"),
    (TRIGGER, "BreachDuration", "5"),
    (GROUP, "MinSize", "1"),
    (GROUP, "MaxSize", "4"),
    (GROUP, "Cooldown", "360"),
    (LAUNCH, "MonitoringInterval", "5 minute"),
    (ENVIRONMENT, "EnvironmentType", "LoadBalanced"),
];

/// Namespace, resource and name.
type OptionKey<'a> = (&'a str, Option<&'a str>, &'a str);

struct Options<'a> {
    values: BTreeMap<OptionKey<'a>, &'a str>,
    repeated: Vec<String>,
}

impl<'a> Options<'a> {
    fn of(options: impl Iterator<Item = ConfigOption<'a>>) -> Self {
        let mut read = Self { values: BTreeMap::new(), repeated: Vec::new() };
        for ConfigOption { namespace, resource_name, option_name, value } in options {
            // Only scheduled actions come in several; elsewhere a resource is just how an export is written.
            let resource_name = resource_name.filter(|_| namespace == SCHEDULED);
            if read.values.insert((namespace, resource_name, option_name), value.trim()).is_some() {
                read.repeated.push(option_name.to_owned());
            }
        }
        read
    }

    fn given(&self, namespace: &str, name: &str) -> Option<&'a str> {
        self.of_resource(namespace, None, name)
    }

    fn of_resource(&self, namespace: &str, resource: Option<&str>, name: &str) -> Option<&'a str> {
        self.values.get(&(namespace, resource, name)).copied().filter(|value| !value.is_empty())
    }

    /// As it is given, or else by default.
    fn in_force(&self, namespace: &str, name: &str) -> &'a str {
        let by_default = || Settings::default_of(namespace, name).unwrap_or_default();
        self.given(namespace, name).unwrap_or_else(by_default)
    }

    fn list(&self, namespace: &str, name: &str) -> Vec<String> {
        let items = self.given(namespace, name).unwrap_or_default().split(',').map(str::trim);
        items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
    }

    fn whole<T: std::str::FromStr>(&self, namespace: &str, option: &'static str) -> Result<T, PolicyError> {
        let value = self.in_force(namespace, option);
        value.parse().map_err(|_| invalid(option, "a whole number", value))
    }

    fn number(&self, namespace: &str, option: &'static str) -> Result<f64, PolicyError> {
        let value = self.in_force(namespace, option);
        let parsed = value.parse().ok().filter(|number: &f64| number.is_finite());
        parsed.ok_or_else(|| invalid(option, "a number", value))
    }

    fn increment(&self, option: &'static str) -> Result<Increment, PolicyError> {
        let value = self.in_force(TRIGGER, option);
        let count = value.parse().ok().map(Increment::Instances);
        let share = || value.strip_suffix('%')?.trim().parse().ok().filter(|share: &f64| share.is_finite());
        count
            .or_else(|| share().map(Increment::Percent))
            .ok_or_else(|| invalid(option, "a whole number", value))
    }

    fn monitoring(&self) -> Result<Monitoring, PolicyError> {
        match self.in_force(LAUNCH, "MonitoringInterval") {
            "1 minute" => Ok(Monitoring::Detailed),
            "5 minute" => Ok(Monitoring::Basic),
            value => Err(invalid("MonitoringInterval", "`1 minute` or `5 minute`", value)),
        }
    }

    fn scheduled_actions(&self) -> Result<Vec<ScheduledAction>, PolicyError> {
        let names: BTreeSet<&str> = self
            .values
            .keys()
            .filter(|(namespace, ..)| *namespace == SCHEDULED)
            .filter_map(|key| key.1)
            .collect();
        names.into_iter().map(|name| self.scheduled_action(name)).collect()
    }

    fn scheduled_action(&self, name: &str) -> Result<ScheduledAction, PolicyError> {
        let given = |option| self.of_resource(SCHEDULED, Some(name), option);
        let size = |option: &'static str| {
            let value = given(option);
            let size = |value: &str| {
                value.parse().map(Instances).map_err(|_| invalid(option, "a whole number", value))
            };
            value.map(size).transpose()
        };
        let minute = |option: &'static str| {
            let parsed = |value: &str| {
                let minute =
                    value.parse::<Timestamp>().ok().and_then(|time| MinuteUtc::containing(time).ok());
                minute.ok_or_else(|| invalid(option, "an instant like 2026-11-02T06:00:00Z", value))
            };
            given(option).map(parsed).transpose()
        };
        let cron = |value: &str| {
            value.parse::<Cron>().map_err(|_| invalid("Recurrence", "a schedule like `0 6 * * 1-5`", value))
        };
        Ok(ScheduledAction {
            name: name.to_owned(),
            start: minute("StartTime")?,
            end: minute("EndTime")?,
            recurrence: given("Recurrence").map(cron).transpose()?,
            time_zone: TimeZone::UTC,
            min_size: size("MinSize")?,
            max_size: size("MaxSize")?,
            desired_capacity: size("DesiredCapacity")?,
            suspended: given("Suspend") == Some("true"),
        })
    }

    fn given_names(&self) -> BTreeSet<String> {
        let ours = self.values.keys().filter(|(namespace, ..)| *namespace == TRIGGER || *namespace == GROUP);
        ours.map(|(.., name)| (*name).to_owned()).collect()
    }

    fn unknown_names(&self) -> Vec<String> {
        let known = |namespace: &str, name: &str| {
            KNOWN.iter().all(|(known, names)| *known != namespace || names.contains(&name))
        };
        let unknown = self.values.keys().filter(|(namespace, _, name)| !known(namespace, name));
        unknown.map(|(namespace, _, name)| format!("{namespace} {name}")).collect()
    }
}

fn invalid(option: &'static str, expected: &'static str, value: &str) -> PolicyError {
    PolicyError::Invalid { option, expected, value: value.to_owned() }
}

fn threshold(option: &'static str, value: f64) -> Result<CpuPercent, PolicyError> {
    CpuPercent::new(value).map_err(|_| invalid(option, "a percentage from 0 to 100", &value.to_string()))
}

fn adds(increment: Increment) -> Result<Instances, PolicyError> {
    let (option, expected) = ("UpperBreachScaleIncrement", "1 instance or more");
    match increment {
        Increment::Instances(count) if count > 0 => Ok(Instances(count.unsigned_abs())),
        other => Err(invalid(option, expected, &other.number().to_string())),
    }
}

fn removes(increment: Increment) -> Result<Instances, PolicyError> {
    let (option, expected) =
        ("LowerBreachScaleIncrement", "-1 or less, since a positive number adds instances");
    match increment {
        Increment::Instances(count) if count < 0 => Ok(Instances(count.unsigned_abs())),
        other => Err(invalid(option, expected, &other.number().to_string())),
    }
}
