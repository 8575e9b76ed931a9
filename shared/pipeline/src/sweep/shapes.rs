//! What is replayed: the traffic of the window as it was, or a shape that it had once or might take.

use scaling::course::Course;
use scaling::sample::{Metric, Sample};
use scaling::settings::Settings;
use scaling::traffic::{Crowd, Traffic};
use scaling::units::{MinuteUtc, Window};

use super::{MOST_MISSING, SweepError};
use crate::archive::{Archive, Environment};
use crate::store::{latest_settings, read_samples};

/// What is replayed.
#[derive(Debug, Clone, PartialEq)]
pub enum Replayed {
    /// The recorded requests of the window. The advice is kept.
    Recorded,
    /// A shape made from stages: "what if". Nothing is kept, nor of any shape below.
    Staged(Traffic),
    /// A recorded day by itself.
    Day(Day),
    /// The recorded requests of the window, or of a day, with a flash crowd on top.
    Crowd(Crowd, Option<Day>),
}

impl Replayed {
    /// What was recorded, of `day` if there is one, with `crowd` on top if there is one.
    pub fn of_record(day: Option<Day>, crowd: Option<Crowd>) -> Self {
        match (day, crowd) {
            (None, None) => Self::Recorded,
            (Some(day), None) => Self::Day(day),
            (day, Some(crowd)) => Self::Crowd(crowd, day),
        }
    }
}

/// One day of universal time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// That of the window with the most requests.
    Busiest,
    /// The one in which that minute lies, within the window or not: a fair of last year, at the present cost and settings.
    Of(MinuteUtc),
}

/// The name of traffic made from stages.
pub(crate) const STAGED: &str = "traffic made from stages";

/// Traffic to replay.
pub struct Shape {
    /// Requests, minute after minute.
    pub traffic: Traffic,
    /// What it is, unless it is that of the window as it was.
    pub name: Option<String>,
    /// Instances that were there when it began.
    pub(crate) in_service: Option<u32>,
}

impl Shape {
    /// What is `asked` for; `samples` are those of `window`. Refuses too many holes, but for those in which the group sleeps by
    /// its `settings`.
    pub(crate) async fn of(
        archive: &dyn Archive,
        environment: &Environment,
        window: Window,
        asked: &Replayed,
        samples: &[Sample],
        settings: Option<&Settings>,
    ) -> Result<Self, SweepError> {
        let (day, crowd) = match asked {
            Replayed::Staged(traffic) => {
                return Ok(Self {
                    traffic: traffic.clone(),
                    name: Some(STAGED.to_owned()),
                    in_service: None,
                });
            }
            Replayed::Recorded => (None, None),
            Replayed::Day(day) => (Some(*day), None),
            Replayed::Crowd(crowd, day) => (*day, Some(*crowd)),
        };
        let recorded = match day {
            None => Self::recorded(environment, window, samples, settings)?,
            Some(day) => Self::day(archive, environment, window, day, samples, settings).await?,
        };
        match crowd {
            None => Ok(recorded),
            Some(crowd) => recorded.with(crowd),
        }
    }

    fn recorded(
        environment: &Environment,
        window: Window,
        samples: &[Sample],
        settings: Option<&Settings>,
    ) -> Result<Self, SweepError> {
        let none = || SweepError::NoTraffic { environment: environment.clone(), window };
        let traffic = Traffic::recorded(samples, window).ok_or_else(none)?;
        let window = traffic.window();
        let course =
            settings.map(|settings| settings.scheduled_course(window)).transpose()?.unwrap_or_default();
        let (missing, minutes) = (holes(&traffic, &course), traffic.len() - asleep(&traffic, &course));
        let known_enough = missing as f64 <= MOST_MISSING * minutes as f64;
        let shape = Self { traffic, name: None, in_service: first_in_service(samples) };
        known_enough.then_some(shape).ok_or(SweepError::TooManyHoles { missing, minutes, window })
    }

    async fn day(
        archive: &dyn Archive,
        environment: &Environment,
        window: Window,
        day: Day,
        samples: &[Sample],
        settings: Option<&Settings>,
    ) -> Result<Self, SweepError> {
        let (minute, called) = match day {
            Day::Of(minute) => (minute, ""),
            Day::Busiest => (busiest(environment, window, samples)?, "the busiest day, "),
        };
        let whole = Window::day_of(minute);
        let samples = read_samples(archive, environment, whole).await.map_err(SweepError::Read)?;
        let name = format!("{called}{}", minute.start().strftime("%Y-%m-%d"));
        Ok(Self { name: Some(name), ..Self::recorded(environment, whole, &samples, settings)? })
    }

    fn with(self, crowd: Crowd) -> Result<Self, SweepError> {
        let traffic = self.traffic.with_crowd(crowd)?;
        let name = format!("{}, with {crowd}", self.name.as_deref().unwrap_or("the recorded traffic"));
        Ok(Self { traffic, name: Some(name), ..self })
    }
}

/// What a sweep of `window` would replay.
pub async fn shape(
    archive: &dyn Archive,
    environment: &Environment,
    window: Window,
    asked: &Replayed,
) -> Result<Shape, SweepError> {
    let samples = read_samples(archive, environment, window).await.map_err(SweepError::Read)?;
    let settings = latest_settings(archive, environment, window.end).await.map_err(SweepError::Read)?;
    let settings = settings.map(|document| document.settings()).transpose().map_err(SweepError::Settings)?;
    Shape::of(archive, environment, window, asked, &samples, settings.as_ref()).await
}

/// Minutes that the group sleeps through.
pub(super) fn asleep(traffic: &Traffic, course: &Course) -> usize {
    traffic.minutes().filter(|(minute, _)| course.is_asleep_at(*minute)).count()
}

/// Minutes whose requests are not known, though there were instances.
pub(super) fn holes(traffic: &Traffic, course: &Course) -> usize {
    traffic.minutes().filter(|(minute, rate)| rate.is_none() && !course.is_asleep_at(*minute)).count()
}

fn busiest(environment: &Environment, window: Window, samples: &[Sample]) -> Result<MinuteUtc, SweepError> {
    let day = Traffic::recorded(samples, window).and_then(|traffic| traffic.busiest_day());
    day.ok_or_else(|| SweepError::NoTraffic { environment: environment.clone(), window })
}

/// Instances that were there at first.
pub(super) fn first_in_service(samples: &[Sample]) -> Option<u32> {
    let first = samples.iter().find_map(|sample| sample.get(Metric::InService))?;
    Some(first.round() as u32)
}
