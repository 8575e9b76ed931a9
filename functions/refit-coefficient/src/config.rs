//! What the function reads from its variables.

use lambda::config::{ConfigError, Days, Variables};

/// Where from, and how far back.
pub(crate) struct Config {
    pub(crate) archive_bucket: String,
    pub(crate) lookback_days: u32,
}

impl Config {
    pub(crate) fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let vars = Variables::of(vars);
        let Days(lookback_days) = vars.required_as("LOOKBACK_DAYS")?;
        Ok(Self { archive_bucket: vars.required("ARCHIVE_BUCKET")?, lookback_days })
    }
}
