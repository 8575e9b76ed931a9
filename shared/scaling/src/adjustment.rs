//! How a scaling policy changes capacity.

/// The adjustment types of EC2 Auto Scaling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Adjustment {
    /// That many more, or fewer.
    ChangeInCapacity(i32),
    /// That many.
    ExactCapacity(u32),
    /// That share more, or fewer, in percent of what there is; at least `min_magnitude` instances.
    PercentChangeInCapacity {
        /// Percent, negative to remove.
        percent: f64,
        /// Fewest instances to add or remove (`MinAdjustmentMagnitude`); 0 for no such limit.
        min_magnitude: u32,
    },
}

impl Adjustment {
    /// The capacity that it makes of `capacity`, before the group's limits.
    ///
    /// A share is rounded towards zero, but for a part of an instance, which counts as one.
    ///
    /// ```
    /// use scaling::adjustment::Adjustment;
    ///
    /// let share = |percent| Adjustment::PercentChangeInCapacity { percent, min_magnitude: 0 };
    /// assert_eq!(share(12.7).apply(100), 112);
    /// assert_eq!(share(5.0).apply(10), 11);
    /// assert_eq!(share(-6.67).apply(100), 94);
    /// assert_eq!(share(-5.0).apply(10), 9);
    /// ```
    pub fn apply(self, capacity: u32) -> u32 {
        let change = match self {
            Self::ExactCapacity(exact) => return exact,
            Self::ChangeInCapacity(change) => i64::from(change),
            Self::PercentChangeInCapacity { percent, min_magnitude } => {
                let share = f64::from(capacity) * percent / 100.0;
                whole(share).max(i64::from(min_magnitude)) * if share < 0.0 { -1 } else { 1 }
            }
        };
        (i64::from(capacity) + change).clamp(0, i64::from(u32::MAX)) as u32
    }
}

/// The magnitude of a share in whole instances.
fn whole(share: f64) -> i64 {
    let magnitude = share.abs();
    if 0.0 < magnitude && magnitude < 1.0 { 1 } else { magnitude as i64 }
}
