//! Readers behind an SNS topic: mail gets prose, queues and programs get JSON, chats a notification of theirs, filters get
//! attributes.

use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;
use pipeline::envelope::{Attribute, Attributes, HttpsBody, envelope};
use pipeline::publish::{Notification, Notifier, NotifyError};

use crate::calls::failed;
use crate::connection::Connection;

/// A topic.
#[derive(Debug, Clone)]
pub struct SnsNotifier {
    client: Client,
    topic_arn: String,
    https: HttpsBody,
}

impl SnsNotifier {
    /// The topic with that ARN, whose subscribers over HTTPS get `https`.
    pub fn new(connection: &Connection, topic_arn: impl Into<String>, https: HttpsBody) -> Self {
        Self { client: Client::new(&connection.sdk), topic_arn: topic_arn.into(), https }
    }
}

#[async_trait]
impl Notifier for SnsNotifier {
    async fn notify(&self, notification: Notification<'_>) -> Result<(), NotifyError> {
        let mut request = self
            .client
            .publish()
            .topic_arn(&self.topic_arn)
            .subject(&notification.message.subject)
            .message(envelope(&notification, self.https))
            .message_structure("json");
        for attribute in Attributes::of(notification.news).listed() {
            request = request.message_attributes(attribute.name, value(&attribute));
        }
        let refused = |source| NotifyError { to: format!("`{}`", self.topic_arn), source: Box::new(source) };
        request.send().await.map(|_| ()).map_err(failed("sns:Publish")).map_err(refused)
    }
}

fn value(attribute: &Attribute) -> MessageAttributeValue {
    let value =
        MessageAttributeValue::builder().data_type(attribute.data_type).string_value(&attribute.value);
    value.build().expect("the type is given")
}
