//! Stage 2 of 4 on AWS: what a request costs. This file is wiring.

use aws::connection::{Choice, connect};
use aws::s3::S3Archive;
use lambda::failure::Failure;
use lambda::refit;
use lambda::serve::{emit, serve};

mod config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "an entry point")]
    let config = config::Config::from_vars(std::env::vars())?;
    let connection = connect(Choice::default()).await?;
    let archive = S3Archive::of_bucket(&connection, config.archive_bucket);
    let days = config.lookback_days;
    serve(async |event, clock, _| refit::handle(&archive, &emit, days, event, clock).await).await
}
