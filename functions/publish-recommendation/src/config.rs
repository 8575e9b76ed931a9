//! What the function reads from its variables.

use lambda::config::{ConfigError, Variables};

/// Where from, and where to.
pub(crate) struct Config {
    pub(crate) archive_bucket: String,
    pub(crate) topic_arn: String,
}

impl Config {
    pub(crate) fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let vars = Variables::of(vars);
        Ok(Self { archive_bucket: vars.required("ARCHIVE_BUCKET")?, topic_arn: vars.required("TOPIC_ARN")? })
    }
}
