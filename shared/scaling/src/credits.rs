//! CPU credits of burstable instances.
//!
//! A credit is one vCPU at 100 % for a minute. An instance earns at a fixed rate while it runs and spends what
//! it uses; with nothing left it falls to its baseline (standard) or runs on for money (unlimited).

/// A size of t2, t3, t3a or t4g.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BurstableSize {
    /// As in `t3.small`.
    pub instance_type: &'static str,
    /// Credits that it earns in an hour.
    pub credits_per_hour: f64,
    /// Most credits that it can hold.
    pub max_balance: f64,
    /// Virtual CPUs.
    pub vcpus: u32,
}

/// Every size, as EC2's guide lists them.
pub const SIZES: [BurstableSize; 28] = {
    const fn size(
        instance_type: &'static str,
        credits_per_hour: f64,
        max_balance: f64,
        vcpus: u32,
    ) -> BurstableSize {
        BurstableSize { instance_type, credits_per_hour, max_balance, vcpus }
    }
    [
        size("t2.nano", 3.0, 72.0, 1),
        size("t2.micro", 6.0, 144.0, 1),
        size("t2.small", 12.0, 288.0, 1),
        size("t2.medium", 24.0, 576.0, 2),
        size("t2.large", 36.0, 864.0, 2),
        size("t2.xlarge", 54.0, 1296.0, 4),
        size("t2.2xlarge", 81.6, 1958.4, 8),
        size("t3.nano", 6.0, 144.0, 2),
        size("t3.micro", 12.0, 288.0, 2),
        size("t3.small", 24.0, 576.0, 2),
        size("t3.medium", 24.0, 576.0, 2),
        size("t3.large", 36.0, 864.0, 2),
        size("t3.xlarge", 96.0, 2304.0, 4),
        size("t3.2xlarge", 192.0, 4608.0, 8),
        size("t3a.nano", 6.0, 144.0, 2),
        size("t3a.micro", 12.0, 288.0, 2),
        size("t3a.small", 24.0, 576.0, 2),
        size("t3a.medium", 24.0, 576.0, 2),
        size("t3a.large", 36.0, 864.0, 2),
        size("t3a.xlarge", 96.0, 2304.0, 4),
        size("t3a.2xlarge", 192.0, 4608.0, 8),
        size("t4g.nano", 6.0, 144.0, 2),
        size("t4g.micro", 12.0, 288.0, 2),
        size("t4g.small", 24.0, 576.0, 2),
        size("t4g.medium", 24.0, 576.0, 2),
        size("t4g.large", 36.0, 864.0, 2),
        size("t4g.xlarge", 96.0, 2304.0, 4),
        size("t4g.2xlarge", 192.0, 4608.0, 8),
    ]
};

impl BurstableSize {
    /// The size called `instance_type`.
    pub fn named(instance_type: &str) -> Option<Self> {
        SIZES.into_iter().find(|size| size.instance_type == instance_type)
    }

    /// CPU percent of the whole instance at which it spends what it earns.
    pub fn baseline_percent(self) -> f64 {
        self.credits_per_hour / 60.0 * 100.0 / f64::from(self.vcpus)
    }

    /// What happens with no credits left, unless the account was told otherwise: t2 falls to its baseline.
    pub fn default_mode(self) -> Mode {
        if self.instance_type.starts_with("t2.") { Mode::Standard } else { Mode::Unlimited }
    }

    /// Credits of a new instance: t2 in standard mode starts with some, all others with none.
    pub fn launch_credits(self, mode: Mode) -> f64 {
        let some = self.instance_type.starts_with("t2.") && mode == Mode::Standard;
        if some { 30.0 * f64::from(self.vcpus) } else { 0.0 }
    }
}

/// What happens with no credits left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// CPU falls to the baseline.
    Standard,
    /// CPU goes on, and costs.
    Unlimited,
}

/// The credits of every instance of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Credits {
    /// Of which size.
    pub size: BurstableSize,
    /// In which mode.
    pub mode: Mode,
    /// Credits of the instances that are there at the start. Unknown to anyone but CloudWatch.
    pub initial_balance: f64,
}

/// A minute of one instance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spent {
    /// CPU percent that it got.
    pub cpu_percent: f64,
    /// Credits left.
    pub balance: f64,
    /// Credits that it went over, in unlimited mode.
    pub surplus: f64,
}

impl Credits {
    /// A group of `size` in its default mode whose instances start with nothing but launch credits.
    pub fn of(size: BurstableSize) -> Self {
        let mode = size.default_mode();
        Self { size, mode, initial_balance: size.launch_credits(mode) }
    }

    /// Credits of an instance that is launched now.
    pub fn at_launch(&self) -> f64 {
        self.size.launch_credits(self.mode)
    }

    /// A minute that wants `cpu_percent` of an instance that holds `balance`.
    pub fn spend(&self, balance: f64, cpu_percent: f64) -> Spent {
        let earned = self.size.credits_per_hour / 60.0;
        let per_percent = f64::from(self.size.vcpus) / 100.0;
        let wanted = cpu_percent * per_percent;
        let left = balance + earned - wanted;
        match self.mode {
            Mode::Standard if left < 0.0 => {
                Spent { cpu_percent: (balance + earned) / per_percent, balance: 0.0, surplus: 0.0 }
            }
            _ => Spent {
                cpu_percent,
                balance: left.clamp(0.0, self.size.max_balance),
                surplus: (-left).max(0.0),
            },
        }
    }
}
