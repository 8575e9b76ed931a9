//! AWS, with the caller's own credentials. Built without the feature `aws`, everything here says so.

use pipeline::archive::Archive;
use pipeline::envelope::HttpsBody;
use pipeline::publish::Notifier;
use pipeline::source::{Environments, Metrics};

/// Which account and Region.
#[derive(Debug, Clone)]
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "without AWS there is nothing to choose"))]
pub(crate) struct Cloud {
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<String>,
}

/// Where environments and metrics come from.
pub(crate) struct Sources {
    pub(crate) environments: Box<dyn Environments>,
    pub(crate) metrics: Box<dyn Metrics>,
}

#[cfg(feature = "aws")]
impl Cloud {
    /// The archive at `s3://bucket/prefix`.
    pub(crate) async fn archive(&self, address: &str) -> anyhow::Result<Box<dyn Archive>> {
        Ok(Box::new(aws::s3::S3Archive::at(&self.connection().await?, address)?))
    }

    /// Elastic Beanstalk and CloudWatch.
    pub(crate) async fn sources(&self) -> anyhow::Result<Sources> {
        let connection = self.connection().await?;
        Ok(Sources {
            environments: Box::new(aws::environments::AwsEnvironments::new(&connection)),
            metrics: Box::new(aws::cloudwatch::CloudWatch::new(&connection)),
        })
    }

    /// The topic with that ARN.
    pub(crate) async fn topic(&self, arn: &str, https: HttpsBody) -> anyhow::Result<Box<dyn Notifier>> {
        Ok(Box::new(aws::sns::SnsNotifier::new(&self.connection().await?, arn, https)))
    }

    async fn connection(&self) -> anyhow::Result<aws::connection::Connection> {
        let Self { profile, region } = self.clone();
        Ok(aws::connection::connect(aws::connection::Choice { profile, region }).await?)
    }
}

#[cfg(not(feature = "aws"))]
impl Cloud {
    pub(crate) async fn archive(&self, _: &str) -> anyhow::Result<Box<dyn Archive>> {
        self.absent()
    }

    pub(crate) async fn sources(&self) -> anyhow::Result<Sources> {
        self.absent()
    }

    pub(crate) async fn topic(&self, _: &str, _: HttpsBody) -> anyhow::Result<Box<dyn Notifier>> {
        self.absent()
    }

    fn absent<T>(&self) -> anyhow::Result<T> {
        anyhow::bail!(
            "this `trellis` was built without AWS; build it with `cargo install --path functions/local`"
        )
    }
}
