//! What a replay went by, so that it can be made again.

use scaling::credits::{BurstableSize, Credits, Mode};
use scaling::dynamics::{Booting, Dynamics, GroupAverage, Monitoring};
use scaling::units::{CpuPercent, Minutes, UnitError};
use serde::{Deserialize, Serialize};

/// What AWS does not publish, or the application decides, as it was assumed or found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DynamicsDocument {
    /// Whether CPU is reported every minute; else every five.
    pub detailed_monitoring: bool,
    /// From the end of a period to an alarm that sees its CPU.
    pub metric_delay_minutes: u32,
    /// From the end of a minute to an alarm that sees its requests or response time; nothing where none watches these. Early
    /// advice replayed them as late as CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balancer_delay_minutes: Option<u32>,
    /// From a decision to an instance in service.
    pub launch_minutes: u32,
    /// From in service to the first request.
    pub boot_minutes: u32,
    /// CPU percent of an instance in between; nothing where it is no part of the group's average.
    pub booting_cpu_percent: Option<f64>,
    /// Minutes that a removed instance is billed on.
    pub drain_minutes: u32,
    /// Whether a minute with more instances weighs more in a point of several minutes.
    pub average_of_samples: bool,
    /// CPU percent that an instance can't pass.
    pub cpu_ceiling_percent: f64,
    /// CPU credits, where they were replayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credits: Option<CreditRulesDocument>,
}

/// CPU credits, as they were replayed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreditRulesDocument {
    /// For instance `t3.small`.
    pub instance_type: String,
    /// Whether an instance without credits goes on for money; else it falls to its baseline.
    pub unlimited: bool,
    /// Credits of each instance at the start.
    pub initial_balance: f64,
}

/// Fewest and most instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LimitsDocument {
    /// Fewest.
    pub min_size: u32,
    /// Most.
    pub max_size: u32,
}

impl From<Dynamics> for DynamicsDocument {
    fn from(dynamics: Dynamics) -> Self {
        Self {
            detailed_monitoring: dynamics.monitoring == Monitoring::Detailed,
            metric_delay_minutes: dynamics.metric_delay.0,
            balancer_delay_minutes: Some(dynamics.balancer_delay.0),
            launch_minutes: dynamics.launch.0,
            boot_minutes: dynamics.boot.0,
            booting_cpu_percent: match dynamics.booting {
                Booting::Counted(percent) => Some(percent.get()),
                Booting::LeftOut => None,
            },
            drain_minutes: dynamics.drain.0,
            average_of_samples: dynamics.group_average == GroupAverage::OfSamples,
            cpu_ceiling_percent: dynamics.cpu_ceiling.get(),
            credits: dynamics.credits.map(|credits| CreditRulesDocument {
                instance_type: credits.size.instance_type.to_owned(),
                unlimited: credits.mode == Mode::Unlimited,
                initial_balance: credits.initial_balance,
            }),
        }
    }
}

impl DynamicsDocument {
    /// The same, to be replayed with. A burstable type that is not known any more is replayed without credits.
    pub fn dynamics(&self) -> Result<Dynamics, UnitError> {
        let booting = self.booting_cpu_percent.map(CpuPercent::new).transpose()?;
        Ok(Dynamics {
            monitoring: if self.detailed_monitoring { Monitoring::Detailed } else { Monitoring::Basic },
            metric_delay: Minutes(self.metric_delay_minutes),
            balancer_delay: Minutes(self.balancer_delay_minutes.unwrap_or(self.metric_delay_minutes)),
            launch: Minutes(self.launch_minutes),
            boot: Minutes(self.boot_minutes),
            booting: booting.map_or(Booting::LeftOut, Booting::Counted),
            drain: Minutes(self.drain_minutes),
            group_average: if self.average_of_samples {
                GroupAverage::OfSamples
            } else {
                GroupAverage::OfMinutes
            },
            cpu_ceiling: CpuPercent::new(self.cpu_ceiling_percent)?,
            credits: self.credits.as_ref().and_then(CreditRulesDocument::credits),
        })
    }
}

impl CreditRulesDocument {
    fn credits(&self) -> Option<Credits> {
        let mode = if self.unlimited { Mode::Unlimited } else { Mode::Standard };
        let size = BurstableSize::named(&self.instance_type)?;
        Some(Credits { size, mode, initial_balance: self.initial_balance })
    }
}
