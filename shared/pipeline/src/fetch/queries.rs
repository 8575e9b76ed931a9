//! Which metrics are asked for. Application and classic load balancers have their own names for the same.

use scaling::sample::{Metric, Period};

use super::Periods;
use crate::source::{LoadBalancer, Query};

/// A query and what its points are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What they are.
    pub role: Role,
    /// What to ask for.
    pub query: Query,
}

/// What the points of a query are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A column of the samples. Several queries of one that adds up are added up; of others, one is taken.
    Metric(Metric),
    /// A count of the instances: one of several that may be there.
    Counter(Counter),
    /// Whether the load balancer said anything: there, absent requests are zero.
    Reported,
}

impl Role {
    /// Whether several queries of it are added up.
    pub(super) fn adds_up(self) -> bool {
        matches!(self, Self::Metric(metric) if metric.adds_up())
    }
}

/// What counts the instances, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// `GroupInServiceInstances`: exact, where group metrics are enabled.
    Group,
    /// `HealthyHostCount`: those that serve.
    LoadBalancer,
    /// `SampleCount` of CPU: one an instance, with detailed monitoring.
    CpuSamples,
}

impl Counter {
    /// All, the best first.
    pub const ALL: [Self; 3] = [Self::Group, Self::LoadBalancer, Self::CpuSamples];

    /// CloudWatch's name.
    pub fn series(self) -> &'static str {
        match self {
            Self::Group => "GroupInServiceInstances",
            Self::LoadBalancer => "HealthyHostCount",
            Self::CpuSamples => "SampleCount of CPUUtilization",
        }
    }
}

const CPU: &str = "CPUUtilization";

/// Everything that is asked for about one environment.
pub fn wanted(group: &str, load_balancer: &LoadBalancer, periods: Periods) -> Vec<Wanted> {
    let dimensions = vec![("AutoScalingGroupName", group.to_owned())];
    let of_group = |role, namespace, metric, statistic, period| Wanted {
        role,
        query: Query { namespace, metric, dimensions: dimensions.clone(), statistic, period },
    };
    let Periods { cpu, others } = periods;
    let mut wanted = vec![
        of_group(Role::Metric(Metric::CpuPercent), "AWS/EC2", CPU, "Average", cpu),
        of_group(Role::Metric(Metric::CpuPercentMax), "AWS/EC2", CPU, "Maximum", cpu),
        of_group(
            Role::Counter(Counter::Group),
            "AWS/AutoScaling",
            "GroupInServiceInstances",
            "Average",
            others,
        ),
    ];
    if cpu == Period::OneMinute {
        // With basic monitoring, an instance reports once in five minutes and not once in each.
        wanted.push(of_group(Role::Counter(Counter::CpuSamples), "AWS/EC2", CPU, "SampleCount", cpu));
    }
    wanted.extend(of_load_balancer(load_balancer, others));
    wanted
}

/// The same where the load balancer's hosts count nothing, and only say when it was idle.
pub(super) fn without_hosts(wanted: Vec<Wanted>) -> Vec<Wanted> {
    let is_hosts = |role| role == Role::Counter(Counter::LoadBalancer);
    let role = |role| if is_hosts(role) { Role::Reported } else { role };
    wanted.into_iter().map(|wanted| Wanted { role: role(wanted.role), ..wanted }).collect()
}

/// The same without counters that are not the one known to count. The load balancer's own says where it was idle.
pub(super) fn needed(wanted: &[Wanted], counted_by: Option<&str>) -> Vec<Wanted> {
    let is_needed = |wanted: &&Wanted| match (wanted.role, counted_by) {
        (Role::Metric(_) | Role::Reported | Role::Counter(Counter::LoadBalancer), _) | (_, None) => true,
        (Role::Counter(counter), Some(series)) => series.contains(counter.series()),
    };
    wanted.iter().filter(is_needed).cloned().collect()
}

/// What one kind of load balancer calls what Trellis wants.
struct Names {
    namespace: &'static str,
    latency: &'static str,
    http_5xx: &'static str,
}

fn of_load_balancer(load_balancer: &LoadBalancer, period: Period) -> Vec<Wanted> {
    match load_balancer {
        LoadBalancer::None | LoadBalancer::Other(_) => vec![],
        LoadBalancer::Classic(name) => {
            let names = Names { namespace: "AWS/ELB", latency: "Latency", http_5xx: "HTTPCode_Backend_5XX" };
            named(&names, &[vec![("LoadBalancerName", name.clone())]], period)
        }
        LoadBalancer::Application { load_balancer, target_groups } => {
            let names = Names {
                namespace: "AWS/ApplicationELB",
                latency: "TargetResponseTime",
                http_5xx: "HTTPCode_Target_5XX_Count",
            };
            // A shared load balancer counts everybody's requests; its target groups count each their own.
            let dimensions = |target_group: &String| {
                vec![("LoadBalancer", load_balancer.clone()), ("TargetGroup", target_group.clone())]
            };
            named(&names, &target_groups.iter().map(dimensions).collect::<Vec<_>>(), period)
        }
    }
}

/// Of every target group: counts add up, and of times and hosts those of one are taken.
fn named(names: &Names, dimensions: &[Vec<(&'static str, String)>], period: Period) -> Vec<Wanted> {
    let Names { namespace, latency, http_5xx } = *names;
    let each = [
        (Role::Metric(Metric::Requests), "RequestCount", "Sum"),
        (Role::Metric(Metric::Http5xx), http_5xx, "Sum"),
        (Role::Counter(Counter::LoadBalancer), "HealthyHostCount", "Average"),
        (Role::Metric(Metric::LatencyP50Seconds), latency, "p50"),
        (Role::Metric(Metric::LatencyP95Seconds), latency, "p95"),
        (Role::Metric(Metric::LatencyP99Seconds), latency, "p99"),
    ];
    let of = |dimensions: &Vec<(&'static str, String)>| {
        let query = |metric, statistic| Query {
            namespace,
            metric,
            dimensions: dimensions.clone(),
            statistic,
            period,
        };
        each.map(|(role, metric, statistic)| Wanted { role, query: query(metric, statistic) })
    };
    dimensions.iter().flat_map(of).collect()
}
