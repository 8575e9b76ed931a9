//! Readers behind an SNS topic: mail gets prose, queues and programs get JSON, filters get attributes.

use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use pipeline::envelope::{Attributes, envelope};
use pipeline::publish::{Notification, Notifier, NotifyError};

use crate::calls::failed;
use crate::connection::Connection;

/// A topic.
#[derive(Debug, Clone)]
pub struct SnsNotifier {
    client: Client,
    topic_arn: String,
}

impl SnsNotifier {
    /// The topic with that ARN.
    pub fn new(connection: &Connection, topic_arn: impl Into<String>) -> Self {
        Self { client: Client::new(&connection.sdk), topic_arn: topic_arn.into() }
    }
}

#[async_trait]
impl Notifier for SnsNotifier {
    async fn notify(&self, notification: Notification<'_>) -> Result<(), NotifyError> {
        let Notification { message, recommendation } = notification;
        let mut request = self
            .client
            .publish()
            .topic_arn(&self.topic_arn)
            .subject(&message.subject)
            .message(envelope(message, recommendation))
            .message_structure("json");
        for (name, value) in Attributes::of(recommendation).pairs() {
            request = request.message_attributes(name, text(value));
        }
        let refused = |source| NotifyError { to: format!("`{}`", self.topic_arn), source: Box::new(source) };
        request.send().await.map(|_| ()).map_err(failed("sns:Publish")).map_err(refused)
    }
}

fn text(value: &str) -> MessageAttributeValue {
    let value = MessageAttributeValue::builder().data_type("String").string_value(value);
    value.build().expect("the type is given")
}
