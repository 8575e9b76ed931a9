//! A CloudWatch alarm's state from its newest points.
//!
//! CloudWatch looks at more points than it is asked to evaluate and uses the most recent real ones; only when
//! they are too few do the missing ones count as told. How many more it looks at is not published: the
//! guide's example shows 5 for 3, so two more are assumed.

/// The state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlarmState {
    /// Not breaching.
    Ok,
    /// Breaching.
    Alarm,
    /// Not enough is known.
    InsufficientData,
}

/// What a point that was not reported counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MissingData {
    /// As missing: Beanstalk's alarms, which set nothing.
    Missing,
    /// The state stays as it is.
    Ignore,
    /// As breaching.
    Breaching,
    /// As not breaching.
    NotBreaching,
}

/// What one point says of one threshold; `None` is a point that was not reported.
pub type Breach = Option<bool>;

/// Points beyond the evaluation periods that CloudWatch is taken to look at.
pub const EXTRA_POINTS: usize = 2;

/// The rule of an alarm: "M out of N".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlarmRule {
    /// N: points to evaluate.
    pub evaluation_periods: usize,
    /// M: how many of them must breach.
    pub datapoints_to_alarm: usize,
    /// What a point that was not reported counts as.
    pub missing_data: MissingData,
}

impl AlarmRule {
    /// As Beanstalk creates them: M is N, missing is missing.
    pub fn beanstalk(evaluation_periods: usize) -> Self {
        Self {
            evaluation_periods,
            datapoints_to_alarm: evaluation_periods,
            missing_data: MissingData::Missing,
        }
    }

    /// The state after looking at `points`, oldest first; `before` is the state until now.
    pub fn evaluate(self, points: &[Breach], before: AlarmState) -> AlarmState {
        let real = points.iter().flatten().count();
        if real >= self.evaluation_periods {
            return state(self.newest_breaching(points) >= self.datapoints_to_alarm);
        }
        let breaching = points.iter().flatten().filter(|breaching| **breaching).count();
        let missing = self.evaluation_periods - real;
        match self.missing_data {
            MissingData::Breaching => state(breaching + missing >= self.datapoints_to_alarm),
            MissingData::NotBreaching => state(breaching >= self.datapoints_to_alarm),
            MissingData::Ignore if real == 0 => before,
            MissingData::Missing if real == 0 => AlarmState::InsufficientData,
            MissingData::Missing | MissingData::Ignore => self.undecided(points, breaching, missing, before),
        }
    }

    /// Breaching ones among the newest N real points.
    fn newest_breaching(self, points: &[Breach]) -> usize {
        let newest = points.iter().rev().flatten().take(self.evaluation_periods);
        newest.filter(|breaching| **breaching).count()
    }

    /// Some points are real, too few to decide by themselves, and the missing ones count as nothing.
    fn undecided(
        self,
        points: &[Breach],
        breaching: usize,
        missing: usize,
        before: AlarmState,
    ) -> AlarmState {
        if breaching >= self.datapoints_to_alarm {
            return AlarmState::Alarm;
        }
        let some_real_is_fine = points.iter().flatten().any(|breaching| !breaching);
        if some_real_is_fine || breaching + missing < self.datapoints_to_alarm {
            return AlarmState::Ok;
        }
        // Every real point breaches. The oldest of them lying far enough back is CloudWatch's rule against
        // staying silent for want of data.
        let oldest_back = points.len() - points.iter().position(Option::is_some).unwrap_or(points.len());
        let premature = self.missing_data == MissingData::Missing && oldest_back >= self.datapoints_to_alarm;
        if premature { AlarmState::Alarm } else { before }
    }
}

fn state(alarm: bool) -> AlarmState {
    if alarm { AlarmState::Alarm } else { AlarmState::Ok }
}
