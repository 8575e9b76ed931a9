//! Stage 3 of 4 on AWS: every plausible policy against the traffic. This file is wiring.

use aws::connection::{Choice, connect};
use aws::s3::S3Archive;
use lambda::failure::Failure;
use lambda::serve::{emit, serve};
use lambda::sweep;

mod config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "an entry point")]
    let config = config::Config::from_vars(std::env::vars())?;
    let connection = connect(Choice::default()).await?;
    let archive = S3Archive::of_bucket(&connection, config.archive_bucket);
    let defaults = config.defaults;
    serve(async |event, clock, left| sweep::handle(&archive, &emit, defaults, event, clock, left).await).await
}
