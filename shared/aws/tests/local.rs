//! The shared suites of the ports, on a local AWS. They are ignored unless there is one: `make test` starts it, and
//! points the SDK to it with `AWS_ENDPOINT_URL`.

use std::cell::Cell;

use aws::cloudwatch::CloudWatch;
use aws::connection::{Choice, Connection, connect};
use aws::environments::AwsEnvironments;
use aws::s3::S3Archive;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};
use pipeline::archive;
use pipeline::source::suite;
use scaling::units::{MinuteUtc, Minutes};

async fn connection() -> Connection {
    connect(Choice::default()).await.expect("a Region is set")
}

#[tokio::test]
#[ignore = "needs a local AWS: run `make test`"]
async fn a_bucket_keeps_every_promise_of_an_archive() {
    let connection = connection().await;
    let counter = Cell::new(0);
    archive::suite::run(|| {
        counter.set(counter.get() + 1);
        S3Archive::at(&connection, &format!("s3://suite/{}", counter.get())).expect("an address")
    })
    .await;
}

#[tokio::test]
#[ignore = "needs a local AWS: run `make test`"]
async fn cloudwatch_keeps_every_promise_of_a_source_of_metrics() {
    #[expect(clippy::disallowed_methods, reason = "CloudWatch takes points of the last two weeks only")]
    let now = jiff::Timestamp::now();
    let start = MinuteUtc::containing(now).expect("a minute of today") - Minutes(600);
    let query = suite::query("Sum", "suite");
    let dimensions: Vec<Dimension> = query
        .dimensions
        .iter()
        .map(|(name, value)| Dimension::builder().name(*name).value(value).build())
        .collect();
    let datum = |(minute, value): (MinuteUtc, f64)| {
        MetricDatum::builder()
            .metric_name(query.metric)
            .set_dimensions(Some(dimensions.clone()))
            .timestamp(DateTime::from_secs(minute.start().as_second()))
            .value(value)
            .build()
    };
    let http = aws_smithy_http_client::Builder::new().build_http();
    let sdk = aws_config::from_env().http_client(http).load().await;
    let put = aws_sdk_cloudwatch::Client::new(&sdk).put_metric_data().namespace(query.namespace);
    let put = put.set_metric_data(Some(suite::points(start).into_iter().map(datum).collect()));
    put.send().await.expect("the points are taken");
    suite::metrics(&CloudWatch::new(&connection().await), start).await;
}

#[tokio::test]
#[ignore = "needs a local AWS: run `make test`"]
async fn elastic_beanstalk_keeps_every_promise_of_a_source_of_environments() {
    suite::environments(&AwsEnvironments::new(&connection().await)).await;
}
