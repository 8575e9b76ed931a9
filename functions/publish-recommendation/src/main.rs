//! Stage 4 of 4 on AWS: the advice to its readers. This file is wiring.

use aws::connection::{Choice, connect};
use aws::s3::S3Archive;
use aws::sns::SnsNotifier;
use lambda::failure::Failure;
use lambda::publish;
use lambda::serve::{emit, serve};

mod config;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    #[expect(clippy::disallowed_methods, reason = "an entry point")]
    let config = config::Config::from_vars(std::env::vars())?;
    let connection = connect(Choice::default()).await?;
    let archive = S3Archive::of_bucket(&connection, config.archive_bucket);
    let notifier = SnsNotifier::new(&connection, config.topic_arn, config.https);
    let telling = config.telling;
    serve(async |event, clock, _| publish::handle(&archive, &notifier, &emit, &telling, event, clock).await)
        .await
}
