//! Which environments Trellis looks after: some names, all that bear a tag, or all there are.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::archive::{Archive, Environment, EnvironmentError, Key};
use crate::documents::SCHEMA_VERSION;
use crate::service::ServiceError;
use crate::source::{Environments, Tag};
use crate::store::{StoreError, read_json_versioned, write_json};

/// A fleet as it is configured.
///
/// ```
/// use pipeline::fleet::Fleet;
///
/// assert!(matches!("web-prod, api-prod".parse(), Ok(Fleet::Names(names)) if names.len() == 2));
/// assert!(matches!("tag:stage=prod".parse(), Ok(Fleet::Tagged(_))));
/// let refused = "tag:stage".parse::<Fleet>().unwrap_err().to_string();
/// assert_eq!(refused, "`tag:stage` is no fleet: write names separated by commas, `tag:Key=Value`, or `*` for all");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fleet {
    /// These.
    Names(Vec<Environment>),
    /// Those that bear a tag.
    Tagged(Tag),
    /// All of the account and Region.
    All,
}

/// Text that is no fleet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FleetError {
    /// Of no form that is known.
    #[error("`{0}` is no fleet: write names separated by commas, `tag:Key=Value`, or `*` for all")]
    Form(String),
    /// One of its names is none.
    #[error(transparent)]
    Name(#[from] EnvironmentError),
}

impl FromStr for Fleet {
    type Err = FleetError;

    fn from_str(text: &str) -> Result<Self, FleetError> {
        let form = || FleetError::Form(text.to_owned());
        match text.trim() {
            "" => Err(form()),
            "*" => Ok(Self::All),
            tag if tag.starts_with("tag:") => {
                let (key, value) = tag["tag:".len()..].split_once('=').ok_or_else(form)?;
                let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
                if key.is_empty() { Err(form()) } else { Ok(Self::Tagged(Tag { key, value })) }
            }
            names => {
                let mut names: Vec<Environment> =
                    names.split(',').map(|name| Environment::new(name.trim())).collect::<Result<_, _>>()?;
                names.sort();
                names.dedup();
                Ok(Self::Names(names))
            }
        }
    }
}

impl Fleet {
    /// Its environments as of now, sorted.
    pub async fn resolve(&self, environments: &dyn Environments) -> Result<Vec<Environment>, ServiceError> {
        let tag = match self {
            Self::Names(names) => return Ok(names.clone()),
            Self::Tagged(tag) => Some(tag),
            Self::All => None,
        };
        let names = environments.names(tag).await?;
        Ok(names.into_iter().filter_map(|name| Environment::new(name).ok()).collect())
    }
}

/// `fleet/latest.json`: what the fleet was when it was last looked up, for the stages that can't look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FleetDocument {
    schema_version: u32,
    environments: Vec<String>,
}

/// Keeps the fleet for the later stages. One that is as it was is not written again.
pub async fn keep(archive: &dyn Archive, environments: &[Environment]) -> Result<(), StoreError> {
    let environments = environments.iter().map(|environment| environment.name().to_owned()).collect();
    let document = FleetDocument { schema_version: SCHEMA_VERSION, environments };
    let before = read_json_versioned::<FleetDocument>(archive, &Key::fleet()).await?;
    if before.is_some_and(|(before, _)| before == document) {
        return Ok(());
    }
    write_json(archive, &Key::fleet(), &document).await
}

/// The fleet as it was kept; nobody, before the first ingest.
pub async fn kept(archive: &dyn Archive) -> Result<Vec<Environment>, StoreError> {
    let document = read_json_versioned::<FleetDocument>(archive, &Key::fleet()).await?;
    let names = document.map(|(document, _)| document.environments).unwrap_or_default();
    Ok(names.into_iter().filter_map(|name| Environment::new(name).ok()).collect())
}
