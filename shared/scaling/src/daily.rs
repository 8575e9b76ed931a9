//! A minimum that is larger for a part of each day: what helps where the same hour always brings more than instances can
//! follow.

use std::collections::BTreeSet;

use crate::course::CapacityChange;
use crate::policy::Group;
use crate::units::{MinuteUtc, Minutes, Window};

const MINUTES_PER_DAY: u32 = 24 * 60;

/// Beyond half a day, it is simpler to have more instances all day.
const LONGEST: u32 = MINUTES_PER_DAY / 2;

/// Ends of a stretch are at full five minutes.
const STEP: u32 = 5;

/// A part of every universal-time day, which may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DailyStretch {
    /// Minutes of the day at which it begins.
    from: u32,
    length: u32,
}

impl DailyStretch {
    /// The shortest in which `minutes` lie, whatever their days, at full five minutes, with so many minutes before and after.
    /// `None` where it would be longer than half a day, or there are none.
    ///
    /// ```
    /// use scaling::daily::DailyStretch;
    /// use scaling::units::{MinuteUtc, Minutes};
    ///
    /// let day = 24 * 60;
    /// let minutes = [23 * 60 + 57, day + 7].map(|minute| MinuteUtc::new(minute).expect("an early minute"));
    /// let stretch = DailyStretch::around(minutes, Minutes(10), Minutes(0)).expect("a quarter of an hour");
    /// assert_eq!(stretch.to_string(), "23:45 to 00:10 UTC");
    /// assert_eq!(stretch.recurrences(), ["45 23 * * *", "10 0 * * *"]);
    /// ```
    pub fn around(
        minutes: impl IntoIterator<Item = MinuteUtc>,
        before: Minutes,
        after: Minutes,
    ) -> Option<Self> {
        let of_day =
            |minute: MinuteUtc| (minute.epoch_minutes() - minute.start_of_day().epoch_minutes()) as u32;
        let minutes: BTreeSet<u32> = minutes.into_iter().map(of_day).collect();
        let (first, last) = (*minutes.first()?, *minutes.last()?);
        // All but the longest time without any; the one over midnight is first.
        let over_midnight = (last, first + MINUTES_PER_DAY);
        let gaps = minutes.iter().copied().zip(minutes.iter().copied().skip(1));
        let longest = gaps.fold(over_midnight, |a, b| if a.1 - a.0 < b.1 - b.0 { b } else { a });
        let (end, start) = (longest.0 + MINUTES_PER_DAY + 1, longest.1 % MINUTES_PER_DAY + MINUTES_PER_DAY);
        let start = if end < start { start - MINUTES_PER_DAY } else { start };
        let from = (start - before.0.min(start)) / STEP * STEP;
        let length = (end + after.0).next_multiple_of(STEP) - from;
        (length <= LONGEST).then_some(Self { from: from % MINUTES_PER_DAY, length })
    }

    /// When it begins and ends, as fields of a `Recurrence`.
    pub fn recurrences(self) -> [String; 2] {
        self.ends().map(|minute| format!("{} {} * * *", minute % 60, minute / 60))
    }

    /// What two scheduled actions do to a group of `own` limits in `window` and shortly before: those of `raised` at the
    /// beginning of each stretch, and its own again at the end.
    pub fn changes(self, window: Window, raised: Group, own: Group) -> Vec<CapacityChange> {
        let days = Window { start: window.start - Minutes(MINUTES_PER_DAY), ..window }.days();
        let to = |at, limits: Group| CapacityChange {
            at,
            min_size: Some(limits.min_size),
            max_size: Some(limits.max_size),
            desired_capacity: None,
        };
        let of_day = |day: MinuteUtc| {
            let begins = day + Minutes(self.from);
            [to(begins, raised), to(begins + Minutes(self.length), own)]
        };
        days.flat_map(of_day).collect()
    }

    fn ends(self) -> [u32; 2] {
        [self.from, (self.from + self.length) % MINUTES_PER_DAY]
    }
}

impl std::fmt::Display for DailyStretch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [from, until] = self.ends().map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60));
        write!(f, "{from} to {until} UTC")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::{Instances, Seconds};

    fn around(minutes: &[i64]) -> Option<String> {
        let minutes = minutes.iter().map(|minute| MinuteUtc::new(*minute).expect("an early minute"));
        DailyStretch::around(minutes, Minutes(5), Minutes(5)).map(|stretch| stretch.to_string())
    }

    #[test]
    fn the_longest_time_without_any_is_left_out() {
        assert_eq!(around(&[]), None);
        assert_eq!(around(&[540]).as_deref(), Some("08:55 to 09:10 UTC"));
        assert_eq!(around(&[540, 1440 + 600, 2880 + 570]).as_deref(), Some("08:55 to 10:10 UTC"));
        assert_eq!(around(&[10, 1430]).as_deref(), Some("23:45 to 00:20 UTC"));
        assert_eq!(around(&[0]).as_deref(), Some("23:55 to 00:10 UTC"));
        assert_eq!(around(&[0, 500, 1000]), None);
    }

    #[test]
    fn a_window_that_begins_within_a_stretch_has_its_beginning_too() {
        let group = |min| Group { min_size: Instances(min), max_size: Instances(9), cooldown: Seconds(60) };
        let start = MinuteUtc::new(1440 + 10).expect("an early minute");
        let stretch = DailyStretch { from: 1435, length: 30 };
        let changes = stretch.changes(Window { start, end: start + Minutes(60) }, group(4), group(1));
        let seen: Vec<_> =
            changes.iter().map(|change| (change.at.epoch_minutes(), change.min_size)).collect();
        let (raised, own) = (Some(Instances(4)), Some(Instances(1)));
        assert_eq!(seen[..2], [(1435, raised), (1465, own)]);
    }
}
