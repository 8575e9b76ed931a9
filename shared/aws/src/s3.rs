//! The archive in an S3 bucket, under a prefix if there is one. Conditional writes keep two writers from losing each
//! other's work.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use pipeline::archive::{Archive, ArchiveError, Expected, Key, Object, Prefix, Version};
use pipeline::service::{ServiceError, Trouble};

use crate::calls::failed;
use crate::connection::Connection;

/// Objects of a bucket.
#[derive(Debug, Clone)]
pub struct S3Archive {
    client: Client,
    bucket: String,
    /// Empty, or ends with `/`.
    prefix: String,
}

/// Not the address of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address of a bucket: write s3://bucket or s3://bucket/prefix")]
pub struct AddressError(String);

impl S3Archive {
    /// The whole of `bucket`.
    pub fn of_bucket(connection: &Connection, bucket: impl Into<String>) -> Self {
        Self { client: Client::new(&connection.sdk), bucket: bucket.into(), prefix: String::new() }
    }

    /// What `s3://bucket` or `s3://bucket/prefix` names.
    pub fn at(connection: &Connection, address: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(address.to_owned());
        let rest = address.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(wrong());
        }
        let prefix = prefix.trim_end_matches('/');
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Self { prefix, ..Self::of_bucket(connection, bucket) })
    }

    fn key(&self, key: &Key) -> String {
        format!("{}{key}", self.prefix)
    }

    fn refused(&self, action: &'static str, key: &str, error: ServiceError) -> ArchiveError {
        ArchiveError::Store { action, place: format!("s3://{}/{key}", self.bucket), source: error.into() }
    }
}

#[async_trait]
impl Archive for S3Archive {
    async fn get(&self, key: &Key) -> Result<Option<Object>, ArchiveError> {
        let name = self.key(key);
        let got = self.client.get_object().bucket(&self.bucket).key(&name).send().await;
        let got = match got {
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            got => {
                got.map_err(failed("s3:GetObject")).map_err(|error| self.refused("reading", &name, error))?
            }
        };
        let version = Version(got.e_tag.unwrap_or_default());
        let broken = |error: aws_sdk_s3::primitives::ByteStreamError| ServiceError {
            action: "s3:GetObject",
            trouble: Trouble::Unavailable,
            said: error.to_string(),
        };
        let body = got.body.collect().await.map_err(|error| self.refused("reading", &name, broken(error)))?;
        Ok(Some(Object { body: body.into_bytes(), version }))
    }

    async fn put(&self, key: &Key, body: Bytes, expected: Expected<'_>) -> Result<(), ArchiveError> {
        let name = self.key(key);
        let put = self.client.put_object().bucket(&self.bucket).key(&name).body(ByteStream::from(body));
        let put = match expected {
            Expected::Anything => put,
            Expected::Absent => put.if_none_match("*"),
            Expected::Version(Version(tag)) => put.if_match(tag),
        };
        match put.send().await {
            Err(error) if expected != Expected::Anything && is_lost_race(&error) => {
                Err(ArchiveError::Changed { key: key.clone() })
            }
            done => done
                .map(|_| ())
                .map_err(failed("s3:PutObject"))
                .map_err(|error| self.refused("writing", &name, error)),
        }
    }

    async fn list(&self, prefix: &Prefix) -> Result<Vec<Key>, ArchiveError> {
        let begin = format!("{}{}", self.prefix, prefix.as_str());
        let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(&begin);
        let mut pages = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page
                .map_err(failed("s3:ListBucket"))
                .map_err(|error| self.refused("listing", &begin, error))?;
            let named = page.contents().iter().filter_map(|object| object.key()?.strip_prefix(&self.prefix));
            keys.extend(named.map(|key| Key::listed(key.to_owned())));
        }
        keys.sort();
        Ok(keys)
    }
}

/// Whether the condition of a put was not met: another version is there, none is, or another put was under way.
fn is_lost_race(
    error: &SdkError<
        aws_sdk_s3::operation::put_object::PutObjectError,
        aws_sdk_s3::config::http::HttpResponse,
    >,
) -> bool {
    matches!(error.code(), Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey"))
}
