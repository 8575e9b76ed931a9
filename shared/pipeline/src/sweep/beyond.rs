//! What a sweep says beside the settings to take: how they do beyond the record, what else could be taken, and what no
//! settings can come below.

use scaling::clairvoyant::fewest_instance_minutes;
use scaling::course::Course;
use scaling::daily::DailyStretch;
use scaling::days::{by_day, days};
use scaling::dynamics::Dynamics;
use scaling::engine::{Engine, Space};
use scaling::frontier::thinned;
use scaling::light::Light;
use scaling::plan::Plan;
use scaling::policy::{Group, ScalingPolicy};
use scaling::resampled::{self, resampled};
use scaling::simulate::{Minute, Outcome, Question, minutes};
use scaling::sweep::{Evaluated, Grid, Setting};
use scaling::units::{CpuPercent, Instances, MinuteUtc, Minutes, Seconds, Window};
use scaling::walk_forward::{Split, cost_over, split};

use super::{Aim, Engines, GridOverrides, Judged, KEPT, NEAR, Present, Replay, chosen};
use crate::documents::{
    FrontierStepDocument, LimitsDocument, OtherCeilingDocument, PickDocument, PicksDocument, PolicyDocument,
    ResampledDocument, ScheduledMinimumDocument, WalkForwardDocument, WouldHoldDocument, options,
};

/// Times the traffic that the safe pick bears.
const SAFE: f64 = 1.5;

/// Minutes over up to which the frontier goes, and steps of it that are kept.
const MOST_OVER: u32 = 200;
const MOST_STEPS: usize = 50;

/// Ceilings that are looked at besides, CPU percent.
const OTHER_CEILINGS: [f64; 3] = [40.0, 50.0, 60.0];

/// What is said of the chosen settings.
#[derive(Default)]
pub(super) struct Beyond {
    pub(super) fewest_instance_hours: Option<f64>,
    pub(super) fewest_within: Option<LimitsDocument>,
    pub(super) walk_forward: Option<WalkForwardDocument>,
    pub(super) resampled: Option<ResampledDocument>,
}

/// The smallest limits of all that are compared.
fn least(grid: &Grid, present: &Present<'_>) -> Option<Group> {
    let limits = |tried: &[Instances], present: Option<Instances>| tried.iter().copied().chain(present).min();
    Some(Group {
        min_size: limits(&grid.min_sizes, present.group.map(|group| group.min_size))?,
        max_size: limits(&grid.max_sizes, present.group.map(|group| group.max_size))?,
        cooldown: Seconds(0),
    })
}

impl Replay<'_> {
    /// How the choice does beyond the record.
    pub(super) fn beyond(
        &self,
        space: &Space,
        grid: &Grid,
        present: &Present<'_>,
        judged: &Judged,
    ) -> Beyond {
        let chosen = chosen(&judged.verdict);
        let least = least(grid, present);
        let fewest_instance_hours = least.and_then(|least| self.fewest_instance_hours(least));
        let limits = |least: Group| LimitsDocument { min_size: least.min_size.0, max_size: least.max_size.0 };
        Beyond {
            fewest_instance_hours,
            fewest_within: fewest_instance_hours.and(least).map(limits),
            walk_forward: chosen.and_then(|_| self.walk_forward(space)),
            resampled: chosen.and_then(|chosen| self.resampled(chosen, present, &judged.kept)),
        }
    }

    fn fewest_instance_hours(&self, least: Group) -> Option<f64> {
        let fewest = fewest_instance_minutes(&self.setting, self.question.ceiling, least)?;
        Some(fewest as f64 / 60.0)
    }

    /// Chooses by the first days, of the same settings and in the same lights; what a request costs is known from all days.
    fn walk_forward(&self, space: &Space) -> Option<WalkForwardDocument> {
        let load = self.setting.load;
        let split = split(load)?;
        let (allowed, allowed_after) = split.allowed(self.question.minutes_over_allowed);
        let first = split.choosing_load(load);
        let first = self.over(Setting { load: &first, ..self.setting.clone() }, allowed);
        let best = first
            .with_engines(space, |engines| first.choice(engines, NEAR, "choosing by the first days").best);
        let chosen = best.map(|best| split.judged(&self.setting, &best.policy, self.question.ceiling));
        let hindsight =
            chosen.and_then(|chosen| self.hindsight(space, &split, &chosen.policy, allowed_after));
        Some(WalkForwardDocument {
            days_choosing: split.choosing.len(),
            days_judging: split.judging.len(),
            chosen: chosen.as_ref().map(policy),
            cost_over_best: chosen
                .zip(hindsight)
                .map(|(chosen, best)| cost_over(&chosen.outcome, &best.outcome)),
        })
    }

    /// The cheapest that holds in all lights on the days that judge.
    fn hindsight(
        &self,
        space: &Space,
        split: &Split,
        chosen: &ScalingPolicy,
        allowed: u32,
    ) -> Option<Evaluated> {
        let load = split.judging_load(self.setting.load);
        let initial = split.size_then(&self.setting, chosen);
        let last = self.over(Setting { load: &load, initial, ..self.setting.clone() }, allowed);
        let doing = "looking for the cheapest of the days after";
        last.with_engines(space, |engines| last.cheapest(engines, 1, &engines.lit, doing)).first().copied()
    }

    /// The cheapest `count` that hold, and so in the lights of `also_in`.
    pub(super) fn cheapest(
        &self,
        engines: &Engines<'_>,
        count: usize,
        also_in: &[Engine<'_>],
        doing: &'static str,
    ) -> Vec<Evaluated> {
        let (allowed, pass) = (self.question.minutes_over_allowed, self.pace.pass(doing, engines.settings));
        let found = engines.plain.cheapest(allowed, count, also_in, self.threads, &|more| pass.did(more));
        found.cheapest.iter().map(|scored| self.evaluated(scored.policy)).collect()
    }

    /// The same questions of other days.
    fn over<'b>(&'b self, setting: Setting<'b>, minutes_over_allowed: u32) -> Replay<'b> {
        let question = Question { minutes_over_allowed, ..self.question };
        Replay { setting, question, lights: self.lights.clone(), ..*self }
    }

    fn resampled(
        &self,
        chosen: &Evaluated,
        present: &Present<'_>,
        kept: &[Evaluated],
    ) -> Option<ResampledDocument> {
        let days = days(self.setting.load);
        let (setting, ceiling) = (&self.setting, self.question.ceiling);
        let kept: Vec<Vec<Outcome>> =
            kept.iter().map(|kept| by_day(setting, &kept.policy, ceiling, &days)).collect();
        let chosen_days = by_day(setting, &chosen.policy, ceiling, &days);
        let other = present.evaluated(self).is_none_or(|present| present.policy != chosen.policy);
        let plan = present.plan.as_ref().and_then(|plan| plan.as_ref().ok()).filter(|_| other);
        let present = plan.map(|plan| by_day(setting, plan.clone(), ceiling, &days));
        let question = resampled::Question {
            chosen: &chosen_days,
            kept: &kept,
            present: present.as_deref(),
            minutes_over_allowed: self.question.minutes_over_allowed,
            near_share: self.near_share,
        };
        resampled(question).map(|resampled| ResampledDocument::new(resampled, self.near_share))
    }

    /// Three settings by how much they dare.
    pub(super) fn picks(
        &self,
        space: &Space,
        engines: &Engines<'_>,
        chosen: &Evaluated,
        kept: &[Evaluated],
    ) -> Option<PicksDocument> {
        let pick = |evaluated: &Evaluated| {
            let PolicyDocument { options, outcome } = policy(evaluated);
            PickDocument { options, outcome, room: self.room(evaluated) }
        };
        let (cheap, balanced) = (pick(&self.cheap(engines)?), pick(chosen));
        let safe = self.safe(space, kept).map(|safe| pick(&safe));
        // The cheapest that bears enough may bear no more than the recommended one does.
        let safe = safe.filter(|safe| balanced.room < safe.room).unwrap_or_else(|| balanced.clone());
        Some(PicksDocument { cheap, balanced, safe })
    }

    /// The cheapest that holds as things were, and with later metrics.
    fn cheap(&self, engines: &Engines<'_>) -> Option<Evaluated> {
        let later = self.lights.iter().position(|light| *light == Light::LaterMetrics)?;
        let found = self.cheapest(engines, 1, &engines.lit[later..=later], "looking for the cheap one");
        found.first().copied()
    }

    /// The cheapest that bears [`SAFE`] times the traffic, else the kept one that bears the most.
    fn safe(&self, space: &Space, kept: &[Evaluated]) -> Option<Evaluated> {
        // Those that are kept are the cheapest of all: the first of them that will do is cheaper than any other.
        let first = self.first_safe(kept);
        first.or_else(|| self.first_safe(&self.at_most_safe(space))).or_else(|| self.roomiest_of(kept))
    }

    /// What bears [`SAFE`] times the traffic may not bear a little less, which swings otherwise: all up to that counts.
    fn first_safe(&self, cheapest_first: &[Evaluated]) -> Option<Evaluated> {
        let is_safe = |kept: &&Evaluated| self.bears(kept, SAFE) && SAFE <= self.room(kept);
        cheapest_first.iter().find(is_safe).copied()
    }

    /// The cheapest that hold in all lights and in that much traffic. To look for what there can't be takes long.
    fn at_most_safe(&self, space: &Space) -> Vec<Evaluated> {
        let Setting { load, course, .. } = &self.setting;
        let most = f64::from(space.most_instances().0);
        let busiest = load.intercept_percent + SAFE * load.peak_percent() / most;
        let never = self.most.get() <= busiest && course.is_empty();
        if never && self.question.minutes_over_allowed == 0 {
            return vec![];
        }
        let lights = [vec![Light::Amplified(SAFE)], self.lights.clone()].concat();
        let safe = Replay { setting: self.setting.clone(), lights, ..*self };
        let doing = "looking for the safe one";
        safe.with_engines(space, |engines| safe.cheapest(engines, KEPT, &engines.lit, doing))
    }

    /// The one that bears the most, the cheapest of equals.
    fn roomiest_of(&self, kept: &[Evaluated]) -> Option<Evaluated> {
        let first = kept.first()?;
        let better = |(best, most): (Evaluated, f64), next: &Evaluated| {
            // Few bear more than the best so far, and only these are worth a closer look.
            let room = if self.bears(next, most + 0.01) { self.room(next) } else { most };
            if most < room { (*next, room) } else { (best, most) }
        };
        Some(kept.iter().fold((*first, self.room(first)), better).0)
    }

    fn bears(&self, evaluated: &Evaluated, factor: f64) -> bool {
        let lit = Light::Amplified(factor).on(&self.setting);
        lit.setting().simulate(&evaluated.policy, Question { ceiling: self.most, ..self.question }).is_some()
    }

    /// What minutes over buy.
    pub(super) fn frontier(&self, engines: &Engines<'_>) -> Vec<FrontierStepDocument> {
        let pass = self.pace.pass("looking what minutes over buy", engines.settings);
        let steps = engines.plain.frontier(MOST_OVER, self.threads, &|more| pass.did(more));
        let points: Vec<(f64, f64)> = steps
            .iter()
            .map(|step| (f64::from(step.minutes_over), step.billed_instance_minutes as f64))
            .collect();
        let kept = thinned(&points, MOST_STEPS).into_iter().map(|step| &steps[step]);
        let document = |step: &scaling::engine::Scored| FrontierStepDocument {
            instance_hours: step.billed_instance_minutes as f64 / 60.0,
            minutes_over: step.minutes_over,
            options: options(&step.policy),
        };
        kept.map(document).collect()
    }

    /// What the ceilings that people mostly set would take, where they differ from the one that is held.
    pub(super) fn other_ceilings(
        &self,
        aim: &Aim,
        overrides: &GridOverrides,
        present: &Present<'_>,
    ) -> Vec<OtherCeilingDocument> {
        let ceilings = OTHER_CEILINGS.into_iter().filter_map(|percent| CpuPercent::new(percent).ok());
        let held = ceilings.filter_map(|ceiling| Some((ceiling, aim.held_under(ceiling)?)));
        let others = held.filter(|(_, held)| *held != aim.held);
        let document = |(ceiling, held): (CpuPercent, CpuPercent)| OtherCeilingDocument {
            cpu_ceiling_percent: ceiling.get(),
            cpu_held_percent: held.get(),
            cheapest: self.cheapest_under(held, overrides, present).as_ref().map(policy),
        };
        others.map(document).collect()
    }

    /// The cheapest that holds in the traffic as it was, of the settings that are plausible for such a ceiling.
    fn cheapest_under(
        &self,
        held: CpuPercent,
        overrides: &GridOverrides,
        present: &Present<'_>,
    ) -> Option<Evaluated> {
        let Setting { load, dynamics, .. } = self.setting;
        let plausible = Grid::plausible(load, held, present.group, dynamics.monitoring);
        let grid = overrides.clone().applied_to(plausible);
        let space = Space::new(&grid, dynamics.monitoring, dynamics.cpu_ceiling, true);
        let engine = Engine::new(&self.setting, &space, held).until(self.pace.stop());
        let (allowed, pass) =
            (self.question.minutes_over_allowed, self.pace.pass("trying another ceiling", space.len()));
        let found = engine.cheapest(allowed, 1, &[], self.threads, &|more| pass.did(more));
        let policy = found.cheapest.first()?.policy;
        let outcome = self.setting.simulate(&policy, Question::whatever_it_takes(held))?;
        Some(Evaluated { policy, outcome })
    }
}

impl Replay<'_> {
    /// What would make the closest settings hold in all that settings are to hold in.
    pub(super) fn would_hold(&self, closest: &Evaluated, is_recorded: bool) -> Option<WouldHoldDocument> {
        let Dynamics { launch, boot, .. } = self.setting.dynamics;
        let group = self.larger_that_holds(closest);
        let startup_minutes = self.faster_that_holds(closest);
        let scheduled = is_recorded.then(|| self.scheduled_that_holds(closest, group)).flatten();
        let some = group.is_some() || startup_minutes.is_some() || scheduled.is_some();
        some.then_some(WouldHoldDocument {
            min_size: group.map(|group| group.min_size.0),
            max_size: group.and_then(|group| raised_max(closest, group)),
            scheduled,
            startup_minutes,
            startup_minutes_now: launch.0 + boot.0,
        })
    }

    /// The next larger minimum with which `closest` holds if it is in force around those times of day at which it does not hold
    /// without; `None` where it takes as much as `all_day`, or where the group has scheduled actions already.
    fn scheduled_that_holds(
        &self,
        closest: &Evaluated,
        all_day: Option<Group>,
    ) -> Option<ScheduledMinimumDocument> {
        const SPARE: u32 = 10;
        let own = closest.policy.group();
        if !self.setting.course.is_empty() {
            return None;
        }
        let lead = Minutes(self.longest_start_up() + SPARE);
        let stretch = DailyStretch::around(self.minutes_over(closest), lead, Minutes(SPARE))?;
        let with = |raised: Group| {
            let course = Course::new(stretch.changes(self.around(), raised, *own), vec![]).ok()?;
            let setting = Setting { course, ..self.setting.clone() };
            let raising = self.over(setting, self.question.minutes_over_allowed);
            raising.would_do(&closest.policy).then(|| (raised, raising.hours(&closest.policy)))
        };
        let (raised, instance_hours) = self.larger_groups(closest).find_map(with)?;
        let all_day = all_day.and_then(|group| ScalingPolicy::new(*closest.policy.trigger(), group).ok());
        let all_day_instance_hours = all_day.map(|policy| self.hours(&policy));
        let is_worth_it = all_day_instance_hours.is_none_or(|all_day| instance_hours < all_day);
        is_worth_it.then(|| ScheduledMinimumDocument {
            min_size: raised.min_size.0,
            max_size: raised_max(closest, raised),
            when: stretch.to_string(),
            recurrences: stretch.recurrences(),
            instance_hours,
            all_day_instance_hours,
        })
    }

    /// When `closest` is over what it is held to, in the traffic as it was and in each light.
    fn minutes_over(&self, closest: &Evaluated) -> Vec<MinuteUtc> {
        let over = |setting: &Setting<'_>, ceiling: CpuPercent| -> Vec<MinuteUtc> {
            let minutes = minutes(setting.load, &setting.scenario(&closest.policy));
            let is_over = |minute: &Minute| minute.cpu_percent.is_some_and(|cpu| ceiling.get() <= cpu);
            let over = minutes.iter().enumerate().filter(|(_, minute)| is_over(minute));
            over.map(|(place, _)| setting.load.start + Minutes(place as u32)).collect()
        };
        let lit = self
            .lights
            .iter()
            .flat_map(|light| over(&light.on(&self.setting).setting(), self.ceiling_in(*light)));
        over(&self.setting, self.question.ceiling).into_iter().chain(lit).collect()
    }

    /// Minutes until a launched instance serves, in the light in which that takes longest.
    fn longest_start_up(&self) -> u32 {
        let lit = self.lights.iter().map(|light| light.on(&self.setting).dynamics);
        let start_ups =
            lit.chain([self.setting.dynamics]).map(|dynamics| dynamics.launch.0 + dynamics.boot.0);
        start_ups.max().unwrap_or_default()
    }

    /// What is replayed in any light lies within.
    fn around(&self) -> Window {
        let (load, day) = (self.setting.load, Minutes(24 * 60));
        let end = load.start + Minutes(load.demand_percent.len() as u32);
        Window { start: load.start - day, end: end + day }
    }

    fn hours(&self, policy: &ScalingPolicy) -> f64 {
        self.evaluated(*policy).outcome.instance_hours()
    }

    /// The group with the next larger minimum with which `closest` holds.
    fn larger_that_holds(&self, closest: &Evaluated) -> Option<Group> {
        let holds = |group: &Group| {
            ScalingPolicy::new(*closest.policy.trigger(), *group).is_ok_and(|policy| self.would_do(&policy))
        };
        self.larger_groups(closest).find(holds)
    }

    /// The group of `closest` with larger minimums, up to what a fixed group needs.
    fn larger_groups(&self, closest: &Evaluated) -> impl Iterator<Item = Group> {
        let now = *closest.policy.group();
        let larger = move |min: u32| {
            let min_size = Instances(min);
            Group { min_size, max_size: now.max_size.max(min_size), ..now }
        };
        (now.min_size.0 + 1..=self.largest_need()).map(larger)
    }

    /// A fixed group of that size holds, whatever the light.
    fn largest_need(&self) -> u32 {
        let peak =
            self.lights.iter().map(|light| light.on(&self.setting).load.peak_percent()).fold(0.0, f64::max);
        let room = (self.question.ceiling.get() - self.setting.load.intercept_percent).max(1.0);
        (peak / room).min(9_999.0) as u32 + 1
    }

    /// Half the minutes until an instance serves, if `closest` holds with them.
    fn faster_that_holds(&self, closest: &Evaluated) -> Option<u32> {
        let Dynamics { launch, boot, .. } = self.setting.dynamics;
        let half = (launch.0 + boot.0) / 2;
        // The application's own part is what can be made shorter.
        let launch = launch.min(Minutes(half));
        let dynamics = Dynamics { launch, boot: Minutes(half - launch.0), ..self.setting.dynamics };
        let setting = Setting { dynamics, ..self.setting.clone() };
        let faster = self.over(setting, self.question.minutes_over_allowed);
        (0 < half && faster.would_do(&closest.policy)).then_some(half)
    }

    fn would_do(&self, policy: &ScalingPolicy) -> bool {
        self.setting.simulate(policy, self.question).is_some() && self.holds_in_all(&Plan::from(policy))
    }
}

/// `MaxSize` of `group`, where it is more than that of `closest`.
fn raised_max(closest: &Evaluated, group: Group) -> Option<u32> {
    let Instances(max) = group.max_size;
    (closest.policy.group().max_size.0 < max).then_some(max)
}

fn policy(evaluated: &Evaluated) -> PolicyDocument {
    PolicyDocument { options: options(&evaluated.policy), outcome: evaluated.outcome.into() }
}
