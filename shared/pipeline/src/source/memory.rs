//! Environments and metrics in maps, for tests.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use scaling::sample::Period;
use scaling::units::{MinuteUtc, Window};

use super::{Answer, Described, Environments, Metrics, Query, Tag};
use crate::activity::Activity;
use crate::archive::Environment;
use crate::service::ServiceError;

/// Environments by name.
#[derive(Debug, Clone, Default)]
pub struct MemoryEnvironments {
    /// Each with its tags.
    pub environments: BTreeMap<String, (Described, Vec<Tag>)>,
    /// By the name of the group.
    pub activities: BTreeMap<String, Vec<Activity>>,
    /// By the id of the environment.
    pub deployments: BTreeMap<String, Vec<Activity>>,
}

#[async_trait]
impl Environments for MemoryEnvironments {
    async fn describe(&self, name: &Environment) -> Result<Option<Described>, ServiceError> {
        Ok(self.environments.get(name.name()).map(|(described, _)| described.clone()))
    }

    async fn names(&self, tag: Option<&Tag>) -> Result<Vec<String>, ServiceError> {
        let bears = |tags: &[Tag]| tag.is_none_or(|tag| tags.contains(tag));
        let named = self.environments.iter().filter(|(_, (_, tags))| bears(tags));
        Ok(named.map(|(name, _)| name.clone()).collect())
    }

    async fn activities(&self, group: &str, since: Timestamp) -> Result<Vec<Activity>, ServiceError> {
        let mut activities = self.activities.get(group).cloned().unwrap_or_default();
        activities.retain(|activity| since <= activity.start);
        Ok(activities)
    }

    async fn deployments(&self, id: &str, window: Window) -> Result<Vec<Activity>, ServiceError> {
        let mut deployments = self.deployments.get(id).cloned().unwrap_or_default();
        deployments.retain(|d| window.start.start() <= d.start && d.start < window.end.start());
        Ok(deployments)
    }
}

/// What says which series it is: metric, dimensions, statistic and period.
type Series = (&'static str, Vec<(&'static str, String)>, &'static str, Period);

/// Points by series and minute.
#[derive(Debug, Clone, Default)]
pub struct MemoryMetrics {
    points: BTreeMap<Series, BTreeMap<MinuteUtc, f64>>,
}

impl MemoryMetrics {
    /// Puts a point where `query` asks for it.
    pub fn put(&mut self, query: &Query, minute: MinuteUtc, value: f64) {
        self.points.entry(series(query)).or_default().insert(minute, value);
    }
}

fn series(query: &Query) -> Series {
    (query.metric, query.dimensions.clone(), query.statistic, query.period)
}

#[async_trait]
impl Metrics for MemoryMetrics {
    async fn get(&self, queries: &[Query], window: Window) -> Result<Answer, ServiceError> {
        let points = |query| {
            let points = self.points.get(&series(query)).into_iter().flatten();
            let within = points.filter(|(minute, _)| window.contains(**minute));
            within.map(|(minute, value)| (*minute, *value)).collect()
        };
        Ok(Answer { series: queries.iter().map(points).collect(), messages: vec![], calls: 1 })
    }
}
