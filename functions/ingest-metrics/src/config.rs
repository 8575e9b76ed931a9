//! What the function reads from its variables.

use lambda::config::{ConfigError, Variables};
use pipeline::fleet::Fleet;

/// Where to, and whose.
pub(crate) struct Config {
    pub(crate) archive_bucket: String,
    pub(crate) fleet: Fleet,
}

impl Config {
    pub(crate) fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let vars = Variables::of(vars);
        Ok(Self {
            archive_bucket: vars.required("ARCHIVE_BUCKET")?,
            fleet: vars.required_as("ENVIRONMENTS")?,
        })
    }
}
