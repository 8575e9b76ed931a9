//! Region, credentials and how calls are tried: found once, shared by every client.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

/// Tries of one call. With a wait of up to 1, 2, 4, 8, 16, 20 and 20 seconds between them, at random.
const TRIES: u32 = 8;
const LONGEST_WAIT: Duration = Duration::from_secs(20);
const ONE_TRY: Duration = Duration::from_secs(30);
/// All tries of one call and the waits between: no call outlasts it, whatever AWS does.
pub const LONGEST_CALL: Duration = Duration::from_secs(100);

/// What the caller says about where to connect; the rest is found as the AWS command line finds it.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// A profile of the shared configuration.
    pub profile: Option<String>,
    /// A Region.
    pub region: Option<String>,
}

/// Where to connect is not known.
#[derive(Debug, thiserror::Error)]
pub enum NotConnected {
    /// Nobody named a Region.
    #[error("no AWS Region is known: give --region, set AWS_REGION, or use a profile that has one")]
    NoRegion,
    /// A profile that nobody wrote down.
    #[error("no profile `{name}` is in the files of the AWS command line{}", there(.known))]
    NoProfile {
        /// Its name.
        name: String,
        /// Those that are.
        known: Vec<String>,
    },
}

fn there(known: &[String]) -> String {
    match known {
        [] => ", which hold none: `aws configure` makes one".to_owned(),
        known => format!("; these are: {}", known.join(", ")),
    }
}

/// What every client is made from.
#[derive(Debug, Clone)]
pub struct Connection {
    pub(crate) sdk: SdkConfig,
}

/// Finds Region and credentials. Nothing is called yet.
pub async fn connect(choice: Choice) -> Result<Connection, NotConnected> {
    if let Some(profile) = &choice.profile {
        check_profile(profile).await?;
    }
    let http =
        aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(tries())
        .timeout_config(timeouts());
    if let Some(profile) = choice.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = choice.region {
        loader = loader.region(Region::new(region));
    }
    let sdk = loader.load().await;
    if sdk.region().is_none() { Err(NotConnected::NoRegion) } else { Ok(Connection { sdk }) }
}

/// Without it, the loader goes on as if none had been named. Files that it can't read are its own to tell of.
async fn check_profile(name: &str) -> Result<(), NotConnected> {
    let (disk, process, files) = Default::default();
    let Ok(profiles) = aws_config::profile::load(&disk, &process, &files, None).await else {
        return Ok(());
    };
    if profiles.get_profile(name).is_some() {
        return Ok(());
    }
    let known = profiles.profiles().map(str::to_owned).collect();
    Err(NotConnected::NoProfile { name: name.to_owned(), known })
}

/// How often a call that may pass is tried again, and how long that waits.
pub(crate) fn tries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(TRIES).with_max_backoff(LONGEST_WAIT)
}

pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(ONE_TRY)
        .operation_timeout(LONGEST_CALL)
        .build()
}
