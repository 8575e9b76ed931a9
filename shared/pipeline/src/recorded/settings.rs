//! What `aws elasticbeanstalk describe-configuration-settings` prints.

use serde::Deserialize;

use super::RecordedError;
use super::text::Text;
use crate::documents::OptionDocument;

/// The options of an environment that have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedSettings {
    /// The environment's name, where it is given.
    pub environment: Option<String>,
    /// Its options.
    pub options: Vec<OptionDocument>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    configuration_settings: Vec<Configuration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    environment_name: Option<String>,
    deployment_status: Option<String>,
    #[serde(default)]
    option_settings: Vec<Setting>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Setting {
    namespace: String,
    option_name: String,
    resource_name: Option<String>,
    value: Option<String>,
}

/// Whether `bytes` are of that kind.
pub fn is_description(bytes: &[u8]) -> bool {
    let Ok(text) = Text::of("", bytes) else { return false };
    let value = serde_json::from_slice::<serde_json::Value>(text.bytes);
    value.is_ok_and(|value| value.get("ConfigurationSettings").is_some())
}

/// The deployed set of options in `bytes`. While a change is under way or has failed there are two.
pub fn read(file: &str, bytes: &[u8]) -> Result<RecordedSettings, RecordedError> {
    let unreadable = |error: serde_json::Error| RecordedError::Unreadable {
        file: file.to_owned(),
        expected: "what `describe-configuration-settings` prints",
        source: error.into(),
    };
    let text = Text::of(file, bytes)?;
    let output: Output = serde_json::from_slice(text.bytes).map_err(unreadable)?;
    let deployed =
        |set: &Configuration| set.deployment_status.as_deref().is_none_or(|status| status == "deployed");
    let set = output.configuration_settings.into_iter().find(deployed);
    let set = set.ok_or_else(|| RecordedError::Value {
        place: format!("`{file}`"),
        value: "ConfigurationSettings".to_owned(),
        expected: "a list that holds a set with the DeploymentStatus `deployed`".to_owned(),
    })?;
    let options = set.option_settings.into_iter().filter_map(Setting::option).collect();
    Ok(RecordedSettings { environment: set.environment_name, options })
}

impl Setting {
    fn option(self) -> Option<OptionDocument> {
        let Self { namespace, option_name, resource_name, value } = self;
        Some(OptionDocument { namespace, option_name, resource_name, value: value? })
    }
}
