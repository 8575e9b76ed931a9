//! Since when a request costs what it costs: a deployment, another type of instance, another mix of requests.

use std::ops::Range;

use super::line::{Intercept, Robust, Straight};
use super::points::{Points, median};
use crate::units::{MinuteUtc, Minutes};

/// The last change of what a request costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// The first period of the present cost.
    pub since: MinuteUtc,
    /// By how much more a request costs since then, as a share; below zero if it costs less.
    pub share: f64,
}

/// Fewer points than these on a side are no regime.
const LEAST_POINTS: usize = 60;
/// A smaller change of CPU, as a share of it, is let be.
const LEAST_SHARE: f64 = 0.1;
/// The change must be so many standard errors, by hours, which have errors of their own.
const LEAST_ERRORS: f64 = 7.0;
/// Share of the change that must show at the same hours of the days before, and in each part of the time after.
const MOST_OF_RISE: f64 = 0.5;
/// Parts of what came after, in each of which it must show.
const PARTS: usize = 4;
/// Points of a running median: what lasts less than half of that is no regime.
const MEDIAN_WIDTH: usize = 11;
/// A change is looked for in the last 1, 1/2, 1/4 and so on of the points, since two changes may cancel out.
const HALVINGS: u32 = 7;
const DAY: Minutes = Minutes(24 * 60);
const WEEK: Minutes = Minutes(7 * 24 * 60);
/// Points on either side of a change among which its place is made exact.
const NEAR: usize = 40;

/// The last change in `points`, and the index of the first point after it. What came before may have changed too: the
/// present cost is held against the last of that.
pub(super) fn last_change(points: &Points) -> Option<(Change, usize)> {
    let search = Search::of(points)?;
    let last = search.last()?;
    let before = Search::of(&points.within(0..last.1)).and_then(|before| before.last());
    before.and_then(|(_, from)| search.change_at(from, last.1)).or(Some(last))
}

/// Points, the line through all of them, and what they have above it, smoothed.
struct Search<'a> {
    points: &'a Points,
    whole: Straight,
    smooth: Vec<f64>,
}

impl<'a> Search<'a> {
    fn of(points: &'a Points) -> Option<Self> {
        let robust = Robust::through(points, Intercept::Free)?;
        let residuals: Vec<f64> = (0..points.len()).map(|i| robust.residual(points, i)).collect();
        Some(Self { points, whole: robust.line, smooth: running_median(&residuals) })
    }

    /// The last change, held against all from the one before that was found first.
    fn last(&self) -> Option<(Change, usize)> {
        let count = self.points.len();
        let (mut last, mut from, mut halvings) = (None, 0, 0);
        while halvings < HALVINGS && count - from >= 2 * LEAST_POINTS {
            match self.split(from).and_then(|place| self.change_at(from, place)) {
                Some((change, place)) => (last, from, halvings) = (Some((change, place)), place, 0),
                None => {
                    from += (count - from) / 2;
                    halvings += 1;
                }
            }
        }
        last
    }

    /// Where two lines describe the smoothed residuals from `from` on better than one does, by the most.
    fn split(&self, from: usize) -> Option<usize> {
        let mut sums = vec![Moments::default()];
        for (load, residual) in self.points.load[from..].iter().zip(&self.smooth[from..]) {
            let mut next = sums[sums.len() - 1];
            next.add(*load, *residual);
            sums.push(next);
        }
        let whole = sums[sums.len() - 1];
        let places = LEAST_POINTS..(sums.len() - 1).saturating_sub(LEAST_POINTS);
        let unexplained =
            |place: usize| sums[place].unexplained() + whole.without(&sums[place]).unexplained();
        let best = places.min_by(|a, b| unexplained(*a).total_cmp(&unexplained(*b)))?;
        Some(from + best)
    }

    /// The change at about `place`, if it is one: large, lasting, beyond chance, and not just another time of the day.
    fn change_at(&self, from: usize, place: usize) -> Option<(Change, usize)> {
        let place = self.exact(from, place)?;
        if (place - from).min(self.points.len() - place) < LEAST_POINTS {
            return None;
        }
        let earlier = self.points.within(from..place);
        let before = Robust::through(&earlier, Intercept::Free)?.line;
        let seen = Seen::of(self, from..place, before, earlier.range())?;
        let share = seen.share(self.points);
        let is_one = seen.is_large(self.points)
            && share.abs() >= LEAST_SHARE
            && seen.lasts(self.points)
            && seen.is_beyond_chance(self.points)
            && seen.shows_at_same_hours(self.points)
            && !seen.comes_every_week(self.points, place);
        let change = Change { since: self.points.minutes[place], share };
        (is_one && share.is_finite() && before.slope > 0.0).then_some((change, place))
    }

    /// The place near `place` at which the lines of either side describe CPU best.
    fn exact(&self, from: usize, place: usize) -> Option<usize> {
        let points = self.points;
        let line = |range| Robust::through(&points.within(range), Intercept::Free).map(|robust| robust.line);
        let (before, after) = (line(from..place)?, line(place..points.len())?);
        let distance = |line: Straight, i: usize| (points.cpu[i] - line.at(points.load[i])).abs();
        let most = |i: usize| (before.at(points.load[i]) - after.at(points.load[i])).abs();
        let (least, last) = (place.saturating_sub(NEAR).max(from + 1), (place + NEAR).min(points.len() - 1));
        // A point that is far from both says nothing about where one begins.
        let gain = |i: usize| distance(before, i).min(most(i)) - distance(after, i).min(most(i));
        let (mut best, mut sum) = ((0.0, least), 0.0);
        // Each point that goes over to the earlier side costs what it would gain on the later one.
        for i in least..last {
            sum += gain(i);
            if sum < best.0 {
                best = (sum, i + 1);
            }
        }
        Some(best.1)
    }
}

/// How far CPU lies above what it was before at the same load, where such loads were seen before.
struct Seen {
    before: Straight,
    /// Indices of the points before and after, and what they have above `before`.
    earlier: Vec<usize>,
    later: Vec<usize>,
    offset: Vec<f64>,
    /// The median of what comes after.
    rise: f64,
}

impl Seen {
    /// `None` where too few loads lie between the `least` and the `most` of before.
    fn of(
        search: &Search<'_>,
        earlier: Range<usize>,
        before: Straight,
        (least, most): (f64, f64),
    ) -> Option<Self> {
        let points = search.points;
        let comparable = |i: &usize| least <= points.load[*i] && points.load[*i] <= most;
        let later: Vec<usize> = (earlier.end..points.len()).filter(comparable).collect();
        // The smoothed residuals are those of the whole line: what it has is put back.
        let above = |i: usize| search.whole.at(points.load[i]) - before.at(points.load[i]);
        let offset: Vec<f64> = (0..points.len()).map(|i| search.smooth[i] + above(i)).collect();
        let rise = median(&mut later.iter().map(|i| offset[*i]).collect::<Vec<_>>());
        let enough = later.len() >= LEAST_POINTS / 2;
        enough.then(|| Self { before, earlier: earlier.collect(), later, offset, rise })
    }

    /// By how much more a request costs.
    fn share(&self, points: &Points) -> f64 {
        self.share_within(points, &self.later)
    }

    fn share_within(&self, points: &Points, indices: &[usize]) -> f64 {
        let costs: f64 = indices.iter().map(|i| self.before.slope * points.load[*i]).sum();
        indices.iter().map(|i| self.offset[*i]).sum::<f64>() / costs
    }

    fn is_large(&self, points: &Points) -> bool {
        let cpu = |i: &usize| self.before.at(points.load[*i]);
        let usual = median(&mut self.later.iter().map(cpu).collect::<Vec<_>>());
        self.rise.abs() >= LEAST_SHARE * usual.abs()
    }

    /// Whether CPU stays risen to the end: a job that takes its time is no regime. The few requests of a night show
    /// little of what each costs, so that there it counts by their number.
    fn lasts(&self, points: &Points) -> bool {
        let rise = |part: &[usize]| median(&mut part.iter().map(|i| self.offset[*i]).collect::<Vec<_>>());
        let stays = |part: &[usize]| self.is_most_of_it(rise(part)) || self.shows_within(points, part);
        self.later.chunks(self.later.len().div_ceil(PARTS)).all(stays)
    }

    /// Whether requests cost most of what they do since more, by the share.
    fn shows_within(&self, points: &Points, indices: &[usize]) -> bool {
        self.share_within(points, indices) / self.share(points) >= MOST_OF_RISE
    }

    /// Whether the same came, and had not been there before, a week ago: weekends that cost something else.
    fn comes_every_week(&self, points: &Points, place: usize) -> bool {
        let (since, last) = (points.minutes[place], points.minutes[points.len() - 1]);
        let of = |start: MinuteUtc, end: MinuteUtc| -> Vec<usize> {
            let index = |minute| points.minutes.partition_point(|other| *other < minute);
            (index(start)..index(end)).collect()
        };
        let (then, until) = (since - WEEK, last - WEEK);
        let (before, after) = (of(then - DAY, then), of(then, until));
        let enough = before.len().min(after.len()) >= LEAST_POINTS / 2;
        until < since && enough && self.shows_within(points, &after) && !self.shows_within(points, &before)
    }

    fn is_most_of_it(&self, rise: f64) -> bool {
        rise * self.rise.signum() >= MOST_OF_RISE * self.rise.abs()
    }

    /// Whether the means of hours differ by more than hours do among themselves.
    fn is_beyond_chance(&self, points: &Points) -> bool {
        let (before, after) =
            (self.hourly_means(points, &self.earlier), self.hourly_means(points, &self.later));
        let squares = |means: &[f64]| {
            let mean = means.iter().sum::<f64>() / means.len() as f64;
            means.iter().map(|value| (value - mean).powi(2)).sum::<f64>()
        };
        let freedom = (before.len() + after.len()) as f64 - 2.0;
        let variance = (squares(&before) + squares(&after)) / freedom.max(1.0);
        let error = (variance * (1.0 / before.len() as f64 + 1.0 / after.len() as f64)).sqrt();
        self.rise.abs() >= LEAST_ERRORS * error
    }

    fn hourly_means(&self, points: &Points, indices: &[usize]) -> Vec<f64> {
        let hour = |i: usize| points.minutes[i].epoch_minutes().div_euclid(60);
        let hours = indices.chunk_by(|a, b| hour(*a) == hour(*b));
        hours.map(|hour| hour.iter().map(|i| self.offset[*i]).sum::<f64>() / hour.len() as f64).collect()
    }

    /// Whether it shows against the same hours of the days before, where those were seen.
    fn shows_at_same_hours(&self, points: &Points) -> bool {
        let hour = |i: usize| (points.minutes[i].epoch_minutes().rem_euclid(1440) / 60) as usize;
        let mut by_hour: Vec<(Vec<f64>, Vec<f64>)> = vec![Default::default(); 24];
        self.earlier.iter().for_each(|i| by_hour[hour(*i)].0.push(self.offset[*i]));
        self.later.iter().for_each(|i| by_hour[hour(*i)].1.push(self.offset[*i]));
        let compared = by_hour.iter_mut().filter(|(before, after)| !before.is_empty() && !after.is_empty());
        let mut rises: Vec<f64> = compared.map(|(before, after)| median(after) - median(before)).collect();
        rises.is_empty() || self.is_most_of_it(median(&mut rises))
    }
}

/// The median of the points around each.
fn running_median(values: &[f64]) -> Vec<f64> {
    let half = MEDIAN_WIDTH / 2;
    let around = |i: usize| {
        let range = i.saturating_sub(half)..(i + half + 1).min(values.len());
        let mut near = [0.0; MEDIAN_WIDTH];
        let near = &mut near[..range.len()];
        near.copy_from_slice(&values[range]);
        median(near)
    };
    (0..values.len()).map(around).collect()
}

/// Sums of load (`x`) and residual (`y`), to be taken from each other.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Moments {
    fn add(&mut self, x: f64, y: f64) {
        self.count += 1.0;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.xy += x * y;
        self.yy += y * y;
    }

    fn without(&self, other: &Self) -> Self {
        Self {
            count: self.count - other.count,
            x: self.x - other.x,
            y: self.y - other.y,
            xx: self.xx - other.xx,
            xy: self.xy - other.xy,
            yy: self.yy - other.yy,
        }
    }

    /// Sum of squares around the line of least squares.
    fn unexplained(&self) -> f64 {
        let (mean_x, mean_y) = (self.x / self.count, self.y / self.count);
        let (xx, yy) = (self.xx - self.x * mean_x, self.yy - self.y * mean_y);
        let xy = self.xy - self.x * mean_y;
        if xx > 1e-12 * self.xx { (yy - xy * xy / xx).max(0.0) } else { yy.max(0.0) }
    }
}
