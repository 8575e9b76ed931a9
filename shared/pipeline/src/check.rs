//! What there is to say about settings, wherever they come from.

use scaling::judge::{Finding, judge};
use scaling::policy::PolicyError;
use scaling::settings::Settings;

use crate::archive::{Archive, Environment};
use crate::recorded::ebextensions::{self, ConfigFile};
use crate::recorded::{RecordedError, Source, settings};
use crate::store::{StoreError, latest_settings};

/// Settings, and what their owner should know about them.
#[derive(Debug, Clone)]
pub struct Checked {
    /// As they were read.
    pub settings: Settings,
    /// The worst first.
    pub findings: Vec<Finding>,
}

/// Files that Beanstalk takes together, as one.
#[derive(Debug, Clone)]
pub struct CheckedSet {
    /// What they say together.
    pub checked: Checked,
    /// The files that set what a finding names, for each of the findings.
    pub places: Vec<Vec<String>>,
    /// Files without an option.
    pub passed_over: Vec<String>,
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
    judged(ebextensions::read(name, bytes)?).map_err(options)
}

/// Checks files of one `.ebextensions`, in the order in which Beanstalk reads them: of an option that several set, the last
/// one counts.
pub fn set(files: &[Source]) -> Result<CheckedSet, CheckError> {
    if let [Source { name, bytes }] = files
        && settings::is_description(bytes)
    {
        return Ok(CheckedSet { checked: file(name, bytes)?, places: vec![], passed_over: vec![] });
    }
    let read = |file: &Source| Ok((file.name.clone(), ebextensions::read_part(&file.name, &file.bytes)?));
    let read: Vec<(String, ConfigFile)> = files.iter().map(read).collect::<Result<_, RecordedError>>()?;
    let (parts, others): (Vec<_>, Vec<_>) = read.into_iter().partition(|(_, file)| says_something(file));
    let names = |files: &[(String, ConfigFile)]| files.iter().map(|(name, _)| name.clone()).collect();
    let place: Vec<String> = names(&parts);
    let options = |source| CheckError::Options { place: place.join("`, `"), source };
    let checked = judged(together(&parts)).map_err(options)?;
    let places = checked.findings.iter().map(|finding| places(finding, &parts)).collect();
    Ok(CheckedSet { checked, places, passed_over: names(&others) })
}

fn says_something(file: &ConfigFile) -> bool {
    !file.options.is_empty() || !file.overridden.is_empty()
}

fn together(parts: &[(String, ConfigFile)]) -> ConfigFile {
    let files = || parts.iter().map(|(_, file)| file);
    ConfigFile {
        options: files().flat_map(|file| file.options.clone()).collect(),
        repeated: files().flat_map(|file| file.repeated.clone()).collect(),
        overridden: files().flat_map(|file| file.overridden.clone()).collect(),
    }
}

/// The files that hold a name which the finding tells of.
fn places(finding: &Finding, parts: &[(String, ConfigFile)]) -> Vec<String> {
    let said = finding.to_string();
    let tells_of = |name: &str| said.contains(&format!("`{name}`"));
    let holds = |file: &ConfigFile| {
        let options = file.options.iter().map(|option| option.option_name.as_str());
        options.chain(file.overridden.iter().map(String::as_str)).any(tells_of)
    };
    parts.iter().filter(|(_, file)| holds(file)).map(|(name, _)| name.clone()).collect()
}

fn judged(read: ConfigFile) -> Result<Checked, PolicyError> {
    let settings = Settings::from_options(read.options.iter().map(|o| o.as_option()))?;
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
