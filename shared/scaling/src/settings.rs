//! The options of an environment as they are, read once into checked values.

use std::collections::BTreeMap;
use std::fmt;

use crate::dynamics::Monitoring;
use crate::policy::{Group, PolicyError, ScalingPolicy, Trigger};
use crate::units::{CpuPercent, Instances, Minutes, Seconds};

/// Every option of `aws:autoscaling:trigger` and `aws:autoscaling:asg` that decides about capacity, with
/// Beanstalk's defaults where nothing is set.
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
    /// `UpperBreachScaleIncrement`, instances.
    pub upper_breach_scale_increment: i32,
    /// `LowerBreachScaleIncrement`, instances; negative where it removes.
    pub lower_breach_scale_increment: i32,
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
}

/// Something about the settings that their owner should know.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// The three durations contradict each other.
    DurationsDisagree {
        /// `Period`.
        period: Minutes,
        /// `EvaluationPeriods`.
        evaluation_periods: u32,
        /// `BreachDuration`.
        breach_duration: Minutes,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DurationsDisagree { period, evaluation_periods, breach_duration } => write!(
                f,
                "`Period` {period} times `EvaluationPeriods` {evaluation_periods} is not `BreachDuration` \
                 {breach_duration}; simulated is {evaluation_periods} × {period}"
            ),
        }
    }
}

/// Why the present settings can't be replayed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NotSimulated {
    /// No load balancer, no trigger.
    #[error("the environment is a single instance: it has no trigger, so that advice on one does not apply")]
    SingleInstance,
    /// A measure that CPU and requests say nothing about.
    #[error(
        "the trigger watches {statistic} of `{measure_name}`; only Average of `CPUUtilization` is simulated"
    )]
    OtherMeasure {
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
    /// Reads `(namespace, option name, value)`; options of other namespaces are passed over.
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
    pub fn from_options<'a>(
        options: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>,
    ) -> Result<Self, PolicyError> {
        let named = |(namespace, name, value)| ((namespace, name), value);
        let options = Options(options.into_iter().map(named).collect());
        Ok(Self {
            measure_name: options.text(TRIGGER, "MeasureName", "NetworkOut"),
            statistic: options.text(TRIGGER, "Statistic", "Average"),
            unit: options.text(TRIGGER, "Unit", "Bytes"),
            upper_threshold: options.number(TRIGGER, "UpperThreshold", 6_000_000.0)?,
            lower_threshold: options.number(TRIGGER, "LowerThreshold", 2_000_000.0)?,
            upper_breach_scale_increment: options.whole(TRIGGER, "UpperBreachScaleIncrement", 1)?,
            lower_breach_scale_increment: options.whole(TRIGGER, "LowerBreachScaleIncrement", -1)?,
            period: Minutes(options.whole(TRIGGER, "Period", 5)?),
            evaluation_periods: options.whole(TRIGGER, "EvaluationPeriods", 1)?,
            breach_duration: Minutes(options.whole(TRIGGER, "BreachDuration", 5)?),
            group: Group {
                min_size: Instances(options.whole(GROUP, "MinSize", 1)?),
                max_size: Instances(options.whole(GROUP, "MaxSize", 4)?),
                cooldown: Seconds(options.whole(GROUP, "Cooldown", 360)?),
            },
            monitoring: options.monitoring()?,
            load_balanced: options.text(ENVIRONMENT, "EnvironmentType", "LoadBalanced") != "SingleInstance",
        })
    }

    /// The policy that they make, where it is one on the group's average CPU.
    pub fn policy(&self) -> Result<ScalingPolicy, NotSimulated> {
        self.check_simulated()?;
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

    fn check_simulated(&self) -> Result<(), NotSimulated> {
        if !self.load_balanced {
            return Err(NotSimulated::SingleInstance);
        }
        if self.measure_name != "CPUUtilization" || self.statistic != "Average" {
            let (measure_name, statistic) = (self.measure_name.clone(), self.statistic.clone());
            return Err(NotSimulated::OtherMeasure { measure_name, statistic });
        }
        let fits = self.monitoring == Monitoring::Detailed || self.period.0.is_multiple_of(5);
        fits.then_some(()).ok_or(NotSimulated::PeriodBelowMonitoring(self.period))
    }

    /// What their owner should know about them.
    pub fn findings(&self) -> Vec<Finding> {
        let (period, evaluation_periods) = (self.period, self.evaluation_periods);
        let agree = period.0.checked_mul(evaluation_periods) == Some(self.breach_duration.0);
        let breach_duration = self.breach_duration;
        let disagree = Finding::DurationsDisagree { period, evaluation_periods, breach_duration };
        if agree { vec![] } else { vec![disagree] }
    }
}

const TRIGGER: &str = "aws:autoscaling:trigger";
const GROUP: &str = "aws:autoscaling:asg";
const LAUNCH: &str = "aws:autoscaling:launchconfiguration";
const ENVIRONMENT: &str = "aws:elasticbeanstalk:environment";

struct Options<'a>(BTreeMap<(&'a str, &'a str), &'a str>);

impl Options<'_> {
    fn given(&self, namespace: &str, name: &str) -> Option<&str> {
        self.0.get(&(namespace, name)).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn text(&self, namespace: &str, name: &str, default: &str) -> String {
        self.given(namespace, name).unwrap_or(default).to_owned()
    }

    fn whole<T: std::str::FromStr>(
        &self,
        namespace: &str,
        option: &'static str,
        default: T,
    ) -> Result<T, PolicyError> {
        let Some(value) = self.given(namespace, option) else { return Ok(default) };
        let refused =
            |_| PolicyError::Invalid { option, expected: "a whole number", value: value.to_owned() };
        value.parse().map_err(refused)
    }

    fn number(&self, namespace: &str, option: &'static str, default: f64) -> Result<f64, PolicyError> {
        let Some(value) = self.given(namespace, option) else { return Ok(default) };
        let parsed = value.parse().ok().filter(|number: &f64| number.is_finite());
        parsed.ok_or_else(|| PolicyError::Invalid { option, expected: "a number", value: value.to_owned() })
    }

    fn monitoring(&self) -> Result<Monitoring, PolicyError> {
        let option = "MonitoringInterval";
        let expected = "`1 minute` or `5 minute`";
        match self.given(LAUNCH, option).unwrap_or("5 minute") {
            "1 minute" => Ok(Monitoring::Detailed),
            "5 minute" => Ok(Monitoring::Basic),
            value => Err(PolicyError::Invalid { option, expected, value: value.to_owned() }),
        }
    }
}

fn threshold(option: &'static str, value: f64) -> Result<CpuPercent, PolicyError> {
    let expected = "a percentage from 0 to 100";
    CpuPercent::new(value).map_err(|_| PolicyError::Invalid { option, expected, value: value.to_string() })
}

fn adds(increment: i32) -> Result<Instances, PolicyError> {
    let (option, expected) = ("UpperBreachScaleIncrement", "1 instance or more");
    let positive = u32::try_from(increment).ok().filter(|count| *count > 0).map(Instances);
    positive.ok_or_else(|| PolicyError::Invalid { option, expected, value: increment.to_string() })
}

fn removes(increment: i32) -> Result<Instances, PolicyError> {
    let (option, expected) =
        ("LowerBreachScaleIncrement", "-1 or less, since a positive number adds instances");
    let removed =
        increment.checked_neg().and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0);
    removed.map(Instances).ok_or_else(|| PolicyError::Invalid {
        option,
        expected,
        value: increment.to_string(),
    })
}
