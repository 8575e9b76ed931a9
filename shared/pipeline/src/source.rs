//! Where metrics and settings come from: AWS, or maps in a test. What to ask for is decided in
//! [`crate::fetch`]; here is only how it is asked.

pub mod memory;
pub mod suite;

use async_trait::async_trait;
use jiff::Timestamp;
use scaling::sample::Period;
use scaling::units::{MinuteUtc, Window};

use crate::activity::Activity;
use crate::archive::Environment;
use crate::documents::{GroupDocument, OptionDocument};
use crate::service::ServiceError;

/// Environments and what they consist of. Elastic Beanstalk and EC2 Auto Scaling.
#[async_trait]
pub trait Environments: Send + Sync {
    /// The environment of that name, not a terminated one that had it before.
    async fn describe(&self, name: &Environment) -> Result<Option<Described>, ServiceError>;

    /// The names of all environments that are not terminated, or of those that bear `tag`; sorted.
    async fn names(&self, tag: Option<&Tag>) -> Result<Vec<String>, ServiceError>;

    /// What became of the group's size since `since`, oldest first.
    async fn activities(&self, group: &str, since: Timestamp) -> Result<Vec<Activity>, ServiceError>;

    /// Deployments of the environment with that id, begun within `window`, oldest first.
    async fn deployments(&self, id: &str, window: Window) -> Result<Vec<Activity>, ServiceError>;
}

/// Metrics by the minute. CloudWatch.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// The points of each query that begin within `window`, in the order of the queries, each oldest first.
    /// All of them or none: half an answer is an error.
    async fn get(&self, queries: &[Query], window: Window) -> Result<Answer, ServiceError>;
}

/// A tag and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// An environment as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    /// For instance `e-abcdefghij`.
    pub id: String,
    /// Whether it takes requests from the web, or messages from a queue.
    pub tier: Tier,
    /// Its group, if it has one.
    pub group: Option<Group>,
    /// What stands before it.
    pub load_balancer: LoadBalancer,
    /// Every deployed option that has a value.
    pub options: Vec<OptionDocument>,
}

/// What an environment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tier {
    /// Requests from the web.
    Web,
    /// Messages from a queue.
    Worker,
}

/// An Auto Scaling group as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its name and limits, as they are kept.
    pub document: GroupDocument,
    /// Processes that are suspended, as AWS names them.
    pub suspended: Vec<String>,
    /// Availability Zones that its instances may be in; 0 if that is not known.
    pub zones: usize,
}

/// What stands before an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadBalancer {
    /// Nothing.
    None,
    /// A classic load balancer, by its name.
    Classic(String),
    /// An application load balancer, both as CloudWatch's dimensions name them: `app/web/0123456789abcdef` and
    /// `targetgroup/web/0123456789abcdef`.
    Application {
        /// The load balancer.
        load_balancer: String,
        /// The target groups that the group is registered with.
        target_groups: Vec<String>,
    },
    /// Another kind, which counts no requests.
    Other(String),
}

/// A metric to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// For instance `AWS/EC2`.
    pub namespace: &'static str,
    /// For instance `CPUUtilization`.
    pub metric: &'static str,
    /// Names and values.
    pub dimensions: Vec<(&'static str, String)>,
    /// For instance `Average`, `Sum`, `p95`.
    pub statistic: &'static str,
    /// Distance of the points.
    pub period: Period,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// The points of each query.
    pub series: Vec<Vec<(MinuteUtc, f64)>>,
    /// What CloudWatch said beside it.
    pub messages: Vec<String>,
    /// How often CloudWatch was called.
    pub calls: usize,
}
