//! What there is to say about settings, wherever they come from.

use scaling::judge::{Finding, judge};
use scaling::policy::PolicyError;
use scaling::settings::Settings;

use crate::archive::{Archive, Environment};
use crate::recorded::{RecordedError, ebextensions, settings};
use crate::store::{StoreError, latest_settings};

/// Settings, and what their owner should know about them.
#[derive(Debug, Clone)]
pub struct Checked {
    /// As they were read.
    pub settings: Settings,
    /// The worst first.
    pub findings: Vec<Finding>,
}

/// Why settings could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] RecordedError),
    /// An option has a value that it can't have.
    #[error("reading the options of `{place}`")]
    Options {
        /// The file, or the environment.
        place: String,
        /// Which option.
        source: PolicyError,
    },
    /// The archive could not be read.
    #[error("reading the settings")]
    Read(#[source] StoreError),
    /// The archive has none.
    #[error("`{0}` has no settings in the archive; ingest some with --settings")]
    NoSettings(Environment),
}

/// Checks a file: `.ebextensions`, a saved configuration, or what `describe-configuration-settings` printed.
pub fn file(name: &str, bytes: &[u8]) -> Result<Checked, CheckError> {
    let options = |source| CheckError::Options { place: name.to_owned(), source };
    if settings::is_description(bytes) {
        let read = settings::read(name, bytes)?;
        let settings = Settings::from_options(read.options.iter().map(|o| o.as_option())).map_err(options)?;
        return Ok(Checked { findings: judge(&settings), settings });
    }
    let read = ebextensions::read(name, bytes)?;
    let settings = Settings::from_options(read.options.iter().map(|o| o.as_option())).map_err(options)?;
    let mut findings: Vec<Finding> = read.overridden.into_iter().map(Finding::Overridden).collect();
    findings.extend(judge(&settings));
    let already = |key: &String| settings.repeated.contains(key);
    findings.extend(read.repeated.into_iter().filter(|key| !already(key)).map(Finding::Repeated));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity()));
    Ok(Checked { settings, findings })
}

/// Checks the newest settings of an environment in the archive.
pub async fn environment(archive: &dyn Archive, environment: &Environment) -> Result<Checked, CheckError> {
    let end = scaling::units::MinuteUtc::LAST;
    let document = latest_settings(archive, environment, end).await.map_err(CheckError::Read)?;
    let document = document.ok_or_else(|| CheckError::NoSettings(environment.clone()))?;
    let options = |source| CheckError::Options { place: environment.to_string(), source };
    let settings = document.settings().map_err(options)?;
    Ok(Checked { findings: judge(&settings), settings })
}
