//! What the function reads from its variables.

use std::num::NonZero;

use lambda::config::{ConfigError, Days, Variables};
use lambda::sweep::Defaults;
use pipeline::values::Ceiling;

/// Where from, and what to hold.
pub(crate) struct Config {
    pub(crate) archive_bucket: String,
    pub(crate) defaults: Defaults,
}

impl Config {
    pub(crate) fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let vars = Variables::of(vars);
        let Days(lookback_days) = vars.required_as("LOOKBACK_DAYS")?;
        let Ceiling(cpu_ceiling) = vars.required_as("CPU_CEILING_PERCENT")?;
        let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
        let defaults = Defaults { lookback_days, cpu_ceiling, threads };
        Ok(Self { archive_bucket: vars.required("ARCHIVE_BUCKET")?, defaults })
    }
}
