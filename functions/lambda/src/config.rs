//! A function's variables, read once.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

/// Why a function can't start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable is not there.
    #[error("the variable `{0}` is not set")]
    Missing(&'static str),
    /// A variable says nothing sensible.
    #[error("the variable `{name}` is `{value}`: {why}")]
    Invalid {
        /// Which.
        name: &'static str,
        /// What it says.
        value: String,
        /// What is wrong with that.
        why: String,
    },
}

/// The variables of a process.
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Names and values, as the process has them.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(variables.into_iter().collect())
    }

    /// The text of a variable that must be there.
    pub fn required(&self, name: &'static str) -> Result<String, ConfigError> {
        let value = self.0.get(name).filter(|value| !value.trim().is_empty());
        value.cloned().ok_or(ConfigError::Missing(name))
    }

    /// The text of a variable that may be absent or empty.
    pub fn optional(&self, name: &'static str) -> Option<String> {
        self.required(name).ok()
    }

    /// The text of a variable that must be there, read as something.
    pub fn required_as<T: FromStr<Err: Display>>(&self, name: &'static str) -> Result<T, ConfigError> {
        let value = self.required(name)?;
        let why = |error: T::Err| error.to_string();
        value.parse().map_err(why).map_err(|why| ConfigError::Invalid { name, value, why })
    }
}

/// Days to look back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days(pub u32);

impl FromStr for Days {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let days = text.trim().parse().ok().filter(|days| (1..=455).contains(days));
        days.map(Self).ok_or_else(|| "a whole number of days from 1 to 455 is expected".to_owned())
    }
}
