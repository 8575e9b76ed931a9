//! Stage 1 of 4 on AWS: metrics into the archive. This file is wiring.

use aws::cloudwatch::CloudWatch;
use aws::connection::{Choice, connect};
use aws::environments::AwsEnvironments;
use aws::s3::S3Archive;
use lambda::failure::Failure;
use lambda::ingest::{self, Ports};
use lambda::serve::{emit, serve};

mod config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "an entry point")]
    let config = config::Config::from_vars(std::env::vars())?;
    let connection = connect(Choice::default()).await?;
    let archive = S3Archive::of_bucket(&connection, config.archive_bucket);
    let environments = AwsEnvironments::new(&connection);
    let metrics = CloudWatch::new(&connection);
    let ports = Ports { archive: &archive, environments: &environments, metrics: &metrics, emit: &emit };
    serve(async |event, clock, _| ingest::handle(ports, &config.fleet, event, clock).await).await
}
