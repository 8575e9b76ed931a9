//! Every option of the command, once: the same names as flags and in `trellis.toml`, where a flag wins.

use std::path::Path;

use anyhow::Context as _;
use clap::Args;
use pipeline::sweep::Day;
use pipeline::values::{
    Amplify, CandidateValues, FlashCrowd, GainPercent, Instant, NearPercent, Percent, Price, Stages, Values,
};
use serde::Deserialize;

/// Declares a group of options, all of them optional, and how it is laid over the file's.
macro_rules! options {
    ($(#[$group:meta])* $name:ident { $($(#[$meta:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$group])*
        #[derive(Debug, Clone, Default, Args, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
        pub(crate) struct $name { $($(#[$meta])* #[arg(long)] pub(crate) $field: Option<$type>,)* }

        impl $name {
            /// What is given here, else what is given there.
            pub(crate) fn or(self, file: Self) -> Self {
                Self { $($field: self.$field.or(file.$field),)* }
            }
        }
    };
}

options! {
    /// Where the data lie and whose they are.
    Place {
        /// The environment's name
        #[arg(short, value_name = "NAME")]
        environment: String,
        /// Where samples, fits and advice are kept: a directory, or s3://bucket/prefix [default: trellis-archive]
        #[arg(short, value_name = "DIR")]
        archive: String,
        /// On AWS: the profile to take credentials and Region from [default: as the AWS command line does]
        #[arg(value_name = "NAME")]
        profile: String,
        /// On AWS: the Region
        #[arg(value_name = "REGION")]
        region: String,
    }
}

options! {
    /// Which time to look at.
    Time {
        /// Look at what came from then on, in place of --lookback
        #[serde(skip)]
        #[arg(value_name = "INSTANT", conflicts_with = "lookback")]
        from: Instant,
        /// Look at what came before it [default: the end of the newest sample]
        #[serde(skip)]
        #[arg(value_name = "INSTANT")]
        until: Instant,
        /// Days to look back [default: 14]
        #[arg(value_name = "DAYS")]
        lookback: u32,
    }
}

options! {
    /// What the samples must show before a line is drawn.
    FitOptions {
        /// Fewest usable periods [default: 30]
        #[arg(value_name = "COUNT")]
        min_usable: u32,
        /// Least spread of the load, as a share of its mean [default: 0.1]
        #[arg(value_name = "SHARE")]
        min_load_spread: f64,
        /// Least share of how CPU moves that requests must explain [default: 0.6]
        #[arg(value_name = "SHARE")]
        min_r_squared: f64,
    }
}

options! {
    /// What is to be held.
    Aim {
        /// CPU percent that no minute should reach [default: 50, or less where response time departs earlier]
        #[arg(value_name = "PERCENT")]
        ceiling: Percent,
        /// Points below the ceiling that a replay must stay, since real CPU strays from its line
        /// [default: twice the spread around the fitted line; 0 with --coefficient]
        #[arg(value_name = "PERCENT")]
        margin: Percent,
        /// Minutes that may reach it all the same [default: 0]
        #[arg(value_name = "MINUTES")]
        allow_over: u32,
        /// USD for an hour of an instance, to say what a month costs
        #[arg(value_name = "USD")]
        price: Price,
        /// Times the traffic that a setting must bear too, or `none`: what growth it is to be ready for [default: 1.1,1.25]
        #[arg(value_name = "LIST")]
        amplify: Amplify,
        /// Percent that a setting may cost over the cheapest and be as good: of those, up to the sixteen cheapest, the one
        /// that bears most traffic is taken [default: 1]
        #[arg(value_name = "PERCENT")]
        near: NearPercent,
        /// Policies to replay at once [default: one for each core]
        #[arg(value_name = "COUNT")]
        threads: std::num::NonZero<usize>,
    }
}

/// What a request costs, if it is not to be fitted. Both numbers come from the same place.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Cost {
    /// CPU percent of one instance for one request per minute: stated, not fitted
    #[arg(long, value_name = "PERCENT")]
    pub(crate) coefficient: Option<f64>,
    /// CPU percent of an instance without requests; goes with --coefficient [default: 0]
    #[arg(long, value_name = "PERCENT", requires = "coefficient", allow_negative_numbers = true)]
    pub(crate) intercept: Option<f64>,
}

impl Cost {
    /// What is given here, else what is given there.
    pub(crate) fn or(self, file: Self) -> Self {
        if self.coefficient.is_some() { self } else { file }
    }
}

options! {
    /// When a message is worth sending, and what it says beside the advice.
    Tell {
        /// Percent of the instance hours that a change must save to be worth a message, where the present settings hold
        /// [default: 3]
        #[arg(value_name = "PERCENT")]
        least_gain: GainPercent,
        /// The address under which the archive's pages are served, for a link [default: no link]
        #[arg(value_name = "URL")]
        pages: String,
    }
}

options! {
    /// Values to try. A list is written `1,2,4`, a range `20..80:5`.
    Candidates {
        /// UpperThreshold, CPU percent [default: every one from 2 up to what is to be held]
        #[arg(value_name = "LIST")]
        upper_thresholds: Values,
        /// LowerThreshold, CPU percent [default: every one from 1 up to what is to be held]
        #[arg(value_name = "LIST")]
        lower_thresholds: Values,
        /// UpperBreachScaleIncrement, instances to add [default: 1..10, and a quarter and half of a large group]
        #[arg(value_name = "LIST")]
        upper_breach_scale_increments: Values,
        /// LowerBreachScaleIncrement, instances to remove [default: 1..4]
        #[arg(value_name = "LIST")]
        lower_breach_scale_increments: Values,
        /// Period, minutes [default: 1,5; only 5 with basic monitoring]
        #[arg(value_name = "LIST")]
        periods: Values,
        /// EvaluationPeriods [default: 1..3]
        #[arg(value_name = "LIST")]
        evaluation_periods: Values,
        /// Cooldown, seconds [default: 60,120,180,360,600]
        #[arg(value_name = "LIST")]
        cooldowns: Values,
        /// MinSize, instances [default: the present one, up to three more, and doublings up to what the peak needs]
        #[arg(value_name = "LIST")]
        min_sizes: Values,
        /// MaxSize, instances [default: the present one, or more where the peak needs it]
        #[arg(value_name = "LIST")]
        max_sizes: Values,
    }
}

impl Candidates {
    /// The same, as an event of a function has them.
    pub(crate) fn values(self) -> CandidateValues {
        CandidateValues {
            upper_thresholds: self.upper_thresholds,
            lower_thresholds: self.lower_thresholds,
            upper_breach_scale_increments: self.upper_breach_scale_increments,
            lower_breach_scale_increments: self.lower_breach_scale_increments,
            periods: self.periods,
            evaluation_periods: self.evaluation_periods,
            cooldowns: self.cooldowns,
            min_sizes: self.min_sizes,
            max_sizes: self.max_sizes,
        }
    }
}

/// What happens to a burstable instance without credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CreditMode {
    Standard,
    Unlimited,
}

options! {
    /// What AWS does not publish, or your application decides.
    Delays {
        /// Minutes from the end of a period to an alarm that sees it [default: 1, and 2 of what a load balancer reports; a sweep goes by the record, where that shows it]
        #[arg(value_name = "MINUTES")]
        metric_delay: u32,
        /// Minutes from the decision to an instance in service [default: 1; a sweep goes by the record, where that shows it]
        #[arg(value_name = "MINUTES")]
        launch: u32,
        /// Minutes from in service to the first request [default: 3]
        #[arg(value_name = "MINUTES")]
        boot: u32,
        /// CPU percent of an instance in between [default: 10]
        #[arg(value_name = "PERCENT")]
        booting_cpu: Percent,
        /// Minutes that a removed instance is billed on [default: 1]
        #[arg(value_name = "MINUTES")]
        drain: u32,
        /// CPU percent that an instance can't pass, where one thread does all the work [default: 100]
        #[arg(value_name = "PERCENT")]
        cpu_ceiling: Percent,
        /// A burstable type whose CPU credits are replayed, as t3.small
        #[arg(value_name = "TYPE")]
        burstable: String,
        /// Credits of each instance at the start [default: those of a new one]
        #[arg(value_name = "CREDITS", requires = "burstable")]
        credit_balance: f64,
        /// What happens without credits: standard or unlimited [default: as AWS has it for the type]
        #[arg(value_name = "MODE", requires = "burstable")]
        credit_mode: CreditMode,
    }
}

/// How to read recorded metrics. These describe one file's shape and have no place in `trellis.toml`.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Intake {
    /// A column and what it is: `requests=rpm`, `cpu_percent=cpu_a*50+cpu_b*50`, `in_service=1`
    #[arg(long = "column", value_name = "METRIC=FORM")]
    pub(crate) columns: Vec<String>,
    /// A series of a JSON export and what it is: `m1=cpu_percent`
    #[arg(long = "series", value_name = "ID=METRIC")]
    pub(crate) series: Vec<String>,
    /// Take only rows where it holds: `zone=`, `replicas>1`
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) conditions: Vec<String>,
    /// The column that holds the time
    #[arg(long, value_name = "COLUMN")]
    pub(crate) time_column: Option<String>,
    /// The time of the first row, where no column holds it; goes with --period
    #[arg(long, value_name = "INSTANT", requires = "period")]
    pub(crate) start: Option<Instant>,
    /// Seconds between rows, or the period of the metrics, where it can't be seen
    #[arg(long, value_name = "SECONDS")]
    pub(crate) period: Option<u32>,
}

/// Traffic made from stages.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Shape {
    /// What if: minutes:requests-per-minute, one after the other, as in `10:30000,8:150000,30:150000`
    #[arg(long, value_name = "STAGES")]
    pub(crate) stages: Option<Stages>,
}

/// Traffic that was once, or that with a crowd.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct OfRecord {
    /// Replay one day by itself (what if): 2026-11-05, or `busiest` for that of the window with the most requests. It may lie
    /// before the window: a fair of last year, at the present cost and settings
    #[arg(long, value_name = "DAY", conflicts_with = "stages")]
    pub(crate) day: Option<Day>,
    /// What if a crowd came: 3:5:20@2026-11-05T14:00Z is 3 times the traffic that there was from then on, there within 5
    /// minutes, held for 20, and gone within 5; on top of --day, or else of the whole window
    #[arg(long, value_name = "HEIGHT:RAMP:HOLD@WHEN", conflicts_with = "stages")]
    pub(crate) crowd: Option<FlashCrowd>,
}

/// `trellis.toml`: the same options as the flags.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct File {
    pub(crate) environment: Option<String>,
    pub(crate) archive: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) lookback: Option<u32>,
    pub(crate) aim: Aim,
    pub(crate) fit: FitOptions,
    pub(crate) cost: Cost,
    pub(crate) candidates: Candidates,
    pub(crate) delays: Delays,
    pub(crate) tell: Tell,
}

/// The file read when none is named.
const DEFAULT_FILE: &str = "trellis.toml";

impl File {
    /// The file that was named; else `trellis.toml`, if there is one.
    pub(crate) fn read(named: Option<&Path>) -> anyhow::Result<Self> {
        let path = named.unwrap_or(Path::new(DEFAULT_FILE));
        if named.is_none() && !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(path).with_context(|| format!("reading `{}`", path.display()))?;
        toml::from_str(&text).with_context(|| format!("reading `{}`", path.display()))
    }

    pub(crate) fn place(&self) -> Place {
        Place {
            environment: self.environment.clone(),
            archive: self.archive.clone(),
            profile: self.profile.clone(),
            region: self.region.clone(),
        }
    }

    pub(crate) fn time(&self) -> Time {
        Time { from: None, until: None, lookback: self.lookback }
    }
}
