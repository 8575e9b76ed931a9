//! What the function reads from its variables.

use lambda::config::{ConfigError, Variables};
use lambda::publish::Telling;
use pipeline::envelope::HttpsBody;
use pipeline::values::GainPercent;

/// Where from, where to, and how.
pub(crate) struct Config {
    pub(crate) archive_bucket: String,
    pub(crate) topic_arn: String,
    pub(crate) https: HttpsBody,
    pub(crate) telling: Telling,
}

impl Config {
    pub(crate) fn from_vars(vars: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let vars = Variables::of(vars);
        let least_gain: GainPercent = vars.required_as("LEAST_GAIN_PERCENT")?;
        let archive_bucket = vars.required("ARCHIVE_BUCKET")?;
        let telling = Telling {
            least_gain: least_gain.share(),
            pages: vars.optional("PAGES_URL"),
            archive: format!("s3://{archive_bucket}"),
        };
        Ok(Self {
            archive_bucket,
            topic_arn: vars.required("TOPIC_ARN")?,
            https: vars.required_as("HTTPS_BODY")?,
            telling,
        })
    }
}
