//! Environments, as Elastic Beanstalk and EC2 Auto Scaling describe them. Nothing here changes one.

use async_trait::async_trait;
use aws_sdk_elasticbeanstalk::types::{
    ConfigurationDeploymentStatus, ConfigurationOptionSetting, EnvironmentDescription,
    EnvironmentResourceDescription, EnvironmentStatus, EventDescription,
};
use jiff::Timestamp;
use pipeline::activity::{Activity, ActivityKind, DeploymentEvent, deployments_of};
use pipeline::archive::Environment;
use pipeline::documents::{GroupDocument, OptionDocument};
use pipeline::service::{ServiceError, Trouble};
use pipeline::source::{Described, Environments, Group, LoadBalancer, Tag, Tier};
use scaling::units::Window;

use crate::calls::{failed, instant, to_sdk};
use crate::connection::Connection;

/// Elastic Beanstalk, and the groups of its environments.
#[derive(Debug, Clone)]
pub struct AwsEnvironments {
    beanstalk: aws_sdk_elasticbeanstalk::Client,
    autoscaling: aws_sdk_autoscaling::Client,
}

impl AwsEnvironments {
    /// Those of the connection's account and Region.
    pub fn new(connection: &Connection) -> Self {
        Self {
            beanstalk: aws_sdk_elasticbeanstalk::Client::new(&connection.sdk),
            autoscaling: aws_sdk_autoscaling::Client::new(&connection.sdk),
        }
    }

    /// Those that are not terminated, all or of one name.
    async fn alive(&self, name: Option<&str>) -> Result<Vec<EnvironmentDescription>, ServiceError> {
        let mut alive = Vec::new();
        let mut token = None;
        loop {
            let names = name.map(|name| vec![name.to_owned()]);
            let request =
                self.beanstalk.describe_environments().set_environment_names(names).include_deleted(false);
            let page = request.set_next_token(token).send().await;
            let page = page.map_err(failed("elasticbeanstalk:DescribeEnvironments"))?;
            alive.extend(page.environments.unwrap_or_default().into_iter().filter(is_alive));
            token = page.next_token.filter(|token| !token.is_empty());
            if token.is_none() {
                return Ok(alive);
            }
        }
    }

    async fn resources(&self, id: &str) -> Result<EnvironmentResourceDescription, ServiceError> {
        let request = self.beanstalk.describe_environment_resources().environment_id(id);
        let resources =
            request.send().await.map_err(failed("elasticbeanstalk:DescribeEnvironmentResources"))?;
        resources.environment_resources.ok_or_else(|| ServiceError {
            action: "elasticbeanstalk:DescribeEnvironmentResources",
            trouble: Trouble::Unavailable,
            said: format!("no resources of `{id}`"),
        })
    }

    /// The deployed set. While a change is under way, or has failed, there are two.
    async fn options(&self, application: &str, name: &str) -> Result<Vec<OptionDocument>, ServiceError> {
        let request = self
            .beanstalk
            .describe_configuration_settings()
            .application_name(application)
            .environment_name(name);
        let settings =
            request.send().await.map_err(failed("elasticbeanstalk:DescribeConfigurationSettings"))?;
        let mut sets = settings.configuration_settings.unwrap_or_default().into_iter();
        let deployed = |status: &Option<ConfigurationDeploymentStatus>| {
            status.as_ref().is_none_or(|status| *status == ConfigurationDeploymentStatus::Deployed)
        };
        let set = sets.find(|set| deployed(&set.deployment_status));
        let options = set.and_then(|set| set.option_settings).unwrap_or_default();
        Ok(options.into_iter().filter_map(option).collect())
    }

    /// The group, and the target groups that it is registered with.
    async fn group(&self, name: &str) -> Result<Option<(Group, Vec<String>)>, ServiceError> {
        let request = self.autoscaling.describe_auto_scaling_groups().auto_scaling_group_names(name);
        let groups = request.send().await.map_err(failed("autoscaling:DescribeAutoScalingGroups"))?;
        let found = groups.auto_scaling_groups.unwrap_or_default().into_iter().next();
        Ok(found.map(|group| {
            let size = |size: Option<i32>| size.and_then(|size| u32::try_from(size).ok()).unwrap_or(0);
            let suspended = group.suspended_processes().iter().filter_map(|process| process.process_name());
            let document = GroupDocument {
                name: name.to_owned(),
                min_size: size(group.min_size()),
                max_size: size(group.max_size()),
                default_cooldown_seconds: size(group.default_cooldown()),
            };
            let targets = group.target_group_arns().iter().filter_map(|arn| target_group_dimension(arn));
            let mut targets: Vec<String> = targets.collect();
            targets.sort();
            let suspended = suspended.map(str::to_owned).collect();
            (Group { document, suspended, zones: group.availability_zones().len() }, targets)
        }))
    }

    async fn bears(&self, environment: &EnvironmentDescription, tag: &Tag) -> Result<bool, ServiceError> {
        let Some(arn) = environment.environment_arn() else { return Ok(false) };
        let request = self.beanstalk.list_tags_for_resource().resource_arn(arn);
        let tags = request.send().await.map_err(failed("elasticbeanstalk:ListTagsForResource"))?;
        let tags = tags.resource_tags.unwrap_or_default();
        Ok(tags.iter().any(|t| t.key() == Some(tag.key.as_str()) && t.value() == Some(tag.value.as_str())))
    }
}

#[async_trait]
impl Environments for AwsEnvironments {
    async fn describe(&self, name: &Environment) -> Result<Option<Described>, ServiceError> {
        let Some(environment) = self.alive(Some(name.name())).await?.into_iter().next() else {
            return Ok(None);
        };
        let id = environment.environment_id().unwrap_or_default().to_owned();
        let application = environment.application_name().unwrap_or_default();
        let resources = self.resources(&id).await?;
        let options = self.options(application, name.name()).await?;
        let group = resources.auto_scaling_groups().iter().find_map(|group| group.name());
        let group = match group {
            Some(group) => self.group(group).await?,
            None => None,
        };
        let (group, targets) = group.unzip();
        let balancer = resources.load_balancers().iter().find_map(|balancer| balancer.name());
        Ok(Some(Described {
            id,
            tier: tier(&environment),
            group,
            load_balancer: load_balancer(balancer, targets.unwrap_or_default()),
            options,
        }))
    }

    async fn names(&self, tag: Option<&Tag>) -> Result<Vec<String>, ServiceError> {
        let mut names = Vec::new();
        for environment in self.alive(None).await? {
            let wanted = match tag {
                Some(tag) => self.bears(&environment, tag).await?,
                None => true,
            };
            names.extend(environment.environment_name.filter(|_| wanted));
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    async fn activities(&self, group: &str, since: Timestamp) -> Result<Vec<Activity>, ServiceError> {
        let request = self.autoscaling.describe_scaling_activities().auto_scaling_group_name(group);
        let mut pages = request.into_paginator().items().send();
        let mut activities = Vec::new();
        // Newest first: whatever comes after an older one is older still.
        while let Some(next) = pages.next().await {
            let next = next.map_err(failed("autoscaling:DescribeScalingActivities"))?;
            match activity(next) {
                Some(activity) if activity.start < since => break,
                activity => activities.extend(activity),
            }
        }
        activities.sort_by(|a: &Activity, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
        Ok(activities)
    }

    async fn deployments(&self, id: &str, window: Window) -> Result<Vec<Activity>, ServiceError> {
        let request = self
            .beanstalk
            .describe_events()
            .environment_id(id)
            .start_time(to_sdk(window.start.start()))
            .end_time(to_sdk(window.end.start()));
        let mut pages = request.into_paginator().items().send();
        let mut events = Vec::new();
        while let Some(event) = pages.next().await {
            events.extend(deployment_event(&event.map_err(failed("elasticbeanstalk:DescribeEvents"))?));
        }
        Ok(deployments_of(id, events))
    }
}

fn is_alive(environment: &EnvironmentDescription) -> bool {
    !matches!(environment.status(), Some(EnvironmentStatus::Terminated | EnvironmentStatus::Terminating))
}

fn tier(environment: &EnvironmentDescription) -> Tier {
    let name = environment.tier().and_then(|tier| tier.name());
    if name == Some("Worker") { Tier::Worker } else { Tier::Web }
}

fn option(setting: ConfigurationOptionSetting) -> Option<OptionDocument> {
    Some(OptionDocument {
        namespace: setting.namespace?,
        option_name: setting.option_name?,
        value: setting.value?,
        resource_name: setting.resource_name,
    })
}

/// A classic load balancer goes by its name, all others by their ARN.
fn load_balancer(name: Option<&str>, target_groups: Vec<String>) -> LoadBalancer {
    let Some(name) = name else { return LoadBalancer::None };
    match name.split_once(":loadbalancer/") {
        None => LoadBalancer::Classic(name.to_owned()),
        Some((_, dimension)) if dimension.starts_with("app/") => {
            LoadBalancer::Application { load_balancer: dimension.to_owned(), target_groups }
        }
        Some((_, dimension)) if dimension.starts_with("net/") => {
            LoadBalancer::Other("a network load balancer".to_owned())
        }
        // Classic load balancers have ARNs too, without a kind in them.
        Some((_, name)) => LoadBalancer::Classic(name.to_owned()),
    }
}

/// `targetgroup/web/0123456789abcdef`, as CloudWatch's dimension has it.
fn target_group_dimension(arn: &str) -> Option<String> {
    let (_, name) = arn.rsplit_once(':')?;
    name.starts_with("targetgroup/").then(|| name.to_owned())
}

fn activity(activity: aws_sdk_autoscaling::types::Activity) -> Option<Activity> {
    let successful =
        activity.status_code() == Some(&aws_sdk_autoscaling::types::ScalingActivityStatusCode::Successful);
    Some(Activity {
        kind: ActivityKind::described(activity.description().unwrap_or_default()),
        start: instant(activity.start_time())?,
        end: instant(activity.end_time()),
        successful,
        cause: activity.cause.unwrap_or_default(),
        id: activity.activity_id?,
    })
}

fn deployment_event(event: &EventDescription) -> Option<DeploymentEvent> {
    Some(DeploymentEvent {
        at: instant(event.event_date())?,
        message: event.message()?.to_owned(),
        version: event.version_label().map(str::to_owned),
    })
}
