//! CPU from traffic.

use crate::units::UnitError;

/// `cpu = intercept + coefficient × requests per minute per instance`, kept within 0 and 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CpuModel {
    intercept_percent: f64,
    coefficient: f64,
}

impl CpuModel {
    /// `intercept_percent` is the CPU of an instance without requests; `coefficient` the CPU percent of one
    /// instance that one request per minute costs. Refuses a coefficient that is not above zero.
    ///
    /// ```
    /// use scaling::cpu_model::CpuModel;
    ///
    /// let model = CpuModel::new(2.0, 0.01)?;
    /// assert_eq!(model.cpu_percent(1000.0), 12.0);
    /// assert!(CpuModel::new(2.0, -0.01).is_err());
    /// # Ok::<(), scaling::units::UnitError>(())
    /// ```
    pub fn new(intercept_percent: f64, coefficient: f64) -> Result<Self, UnitError> {
        let refuse = |quantity, expected, value| Err(UnitError::OutOfRange { quantity, expected, value });
        if !(coefficient.is_finite() && coefficient > 0.0) {
            return refuse("the coefficient", "a finite number above 0", coefficient);
        }
        if !(intercept_percent.is_finite() && intercept_percent < 100.0) {
            return refuse("the intercept", "a finite number below 100", intercept_percent);
        }
        Ok(Self { intercept_percent, coefficient })
    }

    /// CPU percent without requests; below zero where the line only holds at some load.
    pub fn intercept_percent(self) -> f64 {
        self.intercept_percent
    }

    /// CPU percent of one instance for one request per minute.
    pub fn coefficient(self) -> f64 {
        self.coefficient
    }

    /// CPU percent of an instance that serves `requests_per_minute`.
    pub fn cpu_percent(self, requests_per_minute: f64) -> f64 {
        (self.intercept_percent + self.coefficient * requests_per_minute).clamp(0.0, 100.0)
    }
}

/// Any line through what instances show against the requests per minute that each serves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Without requests.
    pub intercept: f64,
    /// For each request per minute and instance.
    pub slope: f64,
}
