//! The questions: every setting to its end, the cheapest that hold, and the frontier of cost and minutes over.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;

use super::bound::{self, Bound, Pace, Spare};
use super::kernel::{self, ANY_BY_THE_MINUTE, BY_THE_MINUTE, HISTORY, Moves, Workspace};
use super::lanes::{Bytes, Isa};
use super::ranks::Ranks;
use super::ratchet::{Classes, Ratchet, Slip};
use super::reach::{Alike, ForAll, Reach, Sizes, Twins};
use super::space::{Kind, Space};
use super::trace::{Points, Rows, Trace, booting_points, mixed_points};
use super::walk::{Asked, At, Sink, Walk, chunks, count_of, first_chunks_and_rest};
use super::watch::Watch;
use super::winners::{Best, Cheapest, Found, Frontier, Holding, Least, LeastOver, Scored, Steps};
use crate::course::CapacityChange;
use crate::policy::{Group, ScalingPolicy};
use crate::simulate::Question;
use crate::sweep::Setting;
use crate::units::CpuPercent;

/// A space, ready to be replayed against a load.
pub struct Engine<'a> {
    setting: &'a Setting<'a>,
    space: &'a Space,
    ceiling: CpuPercent,
    /// What is looked up; `None` where bytes are too small, and settings are replayed one by one.
    bytes: Option<InBytes<'a>>,
    /// Set by whoever wants no answer any more.
    stop: Option<&'a AtomicBool>,
}

impl fmt::Debug for Engine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let isa = self.bytes.as_ref().map(|bytes| bytes.isa);
        f.debug_struct("Engine").field("isa", &isa).finish_non_exhaustive()
    }
}

struct InBytes<'a> {
    isa: Isa,
    trace: Trace<'a>,
    ranks: Ranks,
    /// By period and evaluation periods.
    watches: BTreeMap<(u32, u32), Watch>,
    changes: Vec<(usize, CapacityChange)>,
    needs: Vec<u8>,
    /// Instances that there are at the least: none, where a group is put to sleep.
    fewest: u8,
    /// By what is launched at once, and the most instances.
    booting: Mutex<BTreeMap<(u8, u8), Arc<Rows>>>,
    /// The points of single minutes of small groups, by what serves and what boots.
    mixed: OnceLock<Vec<Bytes>>,
    /// By period, evaluation periods and sizes.
    alike: Mutex<BTreeMap<(usize, usize, Sizes), Arc<Alike>>>,
}

impl<'a> InBytes<'a> {
    fn new(setting: &'a Setting<'a>, space: &Space, ceiling: CpuPercent, isa: Isa) -> Option<Self> {
        if setting.dynamics.credits.is_some() || setting.course.has_deployments() {
            return None;
        }
        let changes = setting.course.changes_of(setting.load);
        let scheduled = changes.iter().flat_map(|(_, change)| [change.max_size, change.desired_capacity]);
        let sizes =
            space.kinds.iter().map(|kind| at_first(setting, kind).max_size).chain(scheduled.flatten());
        let most = u8::try_from(sizes.max()?.0).ok()?;
        let ranks = Ranks::new(space.pairs.iter().flat_map(|(upper, lower)| [*upper, *lower]))?;
        let trace = Trace::new(setting, ceiling, most, &ranks);
        let watches = watches(&trace, space, &ranks);
        let mut needs = bound::needs(&trace);
        let unanswered = setting.course.unanswered(setting.load, &setting.dynamics);
        unanswered.iter().for_each(|minute| needs[*minute] = 0);
        let (booting, mixed, alike) = Default::default();
        let fewest = u8::from(unanswered.is_empty());
        Some(Self { isa, trace, ranks, watches, changes, needs, fewest, booting, mixed, alike })
    }

    fn alike(&self, space: &Space, watch: &Watch, moves: &Moves) -> Arc<Alike> {
        let sizes = Sizes::new(&self.trace, moves);
        let mut known = self.alike.lock().expect("no thread panics");
        let made = || Alike::new(space, &self.ranks, Reach::new(&self.trace, watch, &self.ranks, sizes));
        let of = (watch.points.period, watch.evaluation_periods, sizes);
        Arc::clone(known.entry(of).or_insert_with(|| Arc::new(made())))
    }

    /// The points of single minutes by what serves and what boots, where they are looked up so.
    fn mixed(&self, watch: &Watch, moves: &Moves) -> &[Bytes] {
        let width = self.trace.width();
        match moves.mode(watch, width) {
            BY_THE_MINUTE | ANY_BY_THE_MINUTE if width == 16 => {
                self.mixed.get_or_init(|| mixed_points(&self.trace, &self.ranks))
            }
            _ => &[],
        }
    }

    /// The points of minutes in which instances boot, by how many are launched at once, where they are looked up so.
    fn booting(
        &self,
        watch: &Watch,
        moves: &Moves,
        ups: impl Iterator<Item = u8>,
    ) -> BTreeMap<u8, Arc<Rows>> {
        let width = self.trace.width();
        if moves.mode(watch, width) != BY_THE_MINUTE || width == 16 || !moves.counts_booting {
            return BTreeMap::new();
        }
        let mut known = self.booting.lock().expect("no thread panics");
        let mut of = |up: u8| {
            let made = || Arc::new(booting_points(&self.trace, up, moves.max, &self.ranks));
            Arc::clone(known.entry((up, moves.max)).or_insert_with(made))
        };
        ups.map(|up| (up, of(up))).collect()
    }
}

/// Those that are kept for each lane.
fn watches(trace: &Trace<'_>, space: &Space, ranks: &Ranks) -> BTreeMap<(u32, u32), Watch> {
    let mut points: BTreeMap<u32, Arc<Points>> = BTreeMap::new();
    let mut watches = BTreeMap::new();
    for kind in &space.kinds {
        let (period, evaluation_periods) = (kind.period.0, kind.evaluation_periods);
        if HISTORY < period as usize || watches.contains_key(&(period, evaluation_periods)) {
            continue;
        }
        let points =
            points.entry(period).or_insert_with(|| Arc::new(Points::new(trace, period as usize, ranks)));
        let watch = Watch::new(trace, points, evaluation_periods as usize);
        watches.extend(watch.map(|watch| ((period, evaluation_periods), watch)));
    }
    watches
}

/// The limits of a kind as they are in force at the start.
fn at_first(setting: &Setting<'_>, kind: &Kind) -> Group {
    setting.course.limits_at(setting.load.start, kind.group)
}

/// Instances of a kind at the start.
fn initial(setting: &Setting<'_>, kind: &Kind) -> u8 {
    let limits = at_first(setting, kind);
    kernel::byte(setting.course.first_size(setting.load.start, setting.initial, limits))
}

impl<'a> Engine<'a> {
    /// Prepares to replay `space` in `setting`; a minute is over at `ceiling`.
    pub fn new(setting: &'a Setting<'a>, space: &'a Space, ceiling: CpuPercent) -> Self {
        Self::on(setting, space, ceiling, Isa::available()[0])
    }

    /// The same with each set of instructions that this processor has, the fastest first: all give the same answers.
    pub fn with_each_isa(setting: &'a Setting<'a>, space: &'a Space, ceiling: CpuPercent) -> Vec<Self> {
        Isa::available().into_iter().map(|isa| Self::on(setting, space, ceiling, isa)).collect()
    }

    fn on(setting: &'a Setting<'a>, space: &'a Space, ceiling: CpuPercent, isa: Isa) -> Self {
        Self { setting, space, ceiling, bytes: InBytes::new(setting, space, ceiling, isa), stop: None }
    }

    /// The same, which goes through no more settings once `stop` is set: what it answers then is no answer.
    pub fn until(self, stop: &'a AtomicBool) -> Self {
        Self { stop: Some(stop), ..self }
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    /// Whether every setting is replayed by itself and to its end, which takes some hundred times as long.
    pub fn goes_one_by_one(&self) -> bool {
        self.bytes.is_none()
    }

    fn minutes(&self) -> usize {
        self.setting.load.demand_percent.len()
    }

    /// Runs settings of one family through `chunks`; gives the minutes that were walked.
    fn run(&self, asked: &[Asked], chunks: &[Range<usize>], sink: &mut impl Sink) -> u64 {
        let Some((first, _)) = asked.first().filter(|_| !self.is_stopped()) else { return 0 };
        let Some((bytes, watch, moves)) = self.given(&self.space.kinds[*first]) else {
            return asked.iter().map(|(kind, pairs)| self.run_one_by_one(*kind, pairs, sink)).sum();
        };
        let in_steps = bytes.trace.is_in_steps() && bytes.ranks.are_multiples_of(1);
        let (trace, ranks, rows) = (&bytes.trace, &bytes.ranks, &watch.points.rows);
        let mut walk = Walk {
            isa: bytes.isa,
            with: kernel::Given {
                in_steps,
                trace,
                watch,
                ranks,
                moves: &moves,
                booting: rows,
                mixed: bytes.mixed(watch, &moves),
            },
            space: self.space,
            chunks,
            initial: initial(self.setting, &self.space.kinds[*first]),
            booting: bytes.booting(
                watch,
                &moves,
                asked.iter().map(|(kind, _)| kernel::byte(self.space.kinds[*kind].up)),
            ),
            workspace: Workspace::boxed(),
            walked: 0,
        };
        let alike = bytes.alike(self.space, watch, &moves);
        if alike.is_none() {
            walk.run(asked, sink);
        } else {
            let (twins, firsts) = Twins::of(alike, self.space, asked);
            walk.run(&firsts, &mut ForAll { sink, space: self.space, twins: &twins });
        }
        walk.walked
    }

    fn given(&self, kind: &Kind) -> Option<(&InBytes<'a>, &Watch, Moves)> {
        let bytes = self.bytes.as_ref()?;
        let watch = bytes.watches.get(&(kind.period.0, kind.evaluation_periods))?;
        let any = *self.space.pairs.first()?;
        let limits = at_first(self.setting, kind);
        let moves = Moves::new(&bytes.trace, &kind.policy(any), limits, &bytes.changes)?;
        Some((bytes, watch, moves))
    }

    fn run_one_by_one(&self, kind: usize, pairs: &[usize], sink: &mut impl Sink) -> u64 {
        let question = Question::whatever_it_takes(self.ceiling);
        for pair in pairs.iter().take_while(|_| !self.is_stopped()) {
            let policy = self.space.kinds[kind].policy(self.space.pairs[*pair]);
            let outcome = self.setting.simulate(&policy, question).expect("it is never given up");
            sink.finish((kind, *pair), outcome.minutes_over, outcome.billed_instance_minutes as u32);
        }
        (pairs.len() * self.minutes()) as u64
    }

    /// All settings of some kinds.
    fn all_of(&self, kinds: &[usize]) -> Vec<Asked> {
        kinds.iter().map(|kind| (*kind, self.pairs(*kind))).collect()
    }

    fn pairs(&self, kind: usize) -> Vec<usize> {
        let (kind, all) = (&self.space.kinds[kind], self.space.pairs.iter().enumerate());
        all.filter(|(_, pair)| self.space.has(kind, **pair)).map(|(index, _)| index).collect()
    }

    /// Asks for a few settings of every family, which are gone through first.
    fn ask_few(&self, threads: NonZero<usize>, ask: impl Fn(Vec<Asked>) + Sync) {
        each_on_threads(threads, &self.space.families(usize::MAX), |family, (): &mut ()| {
            let kinds = family.iter().filter(|kind| kind.is_multiple_of(COARSE_KINDS));
            let few = |kind: &usize| self.pairs(*kind).into_iter().step_by(COARSE_PAIRS).collect();
            ask(kinds.map(|kind| (*kind, few(kind))).collect());
        });
    }

    /// Every setting to its end. `each` folds what a thread sees; the folds are given back, one for each thread.
    pub fn every<T: Default + Send>(
        &self,
        threads: NonZero<usize>,
        each: &(impl Fn(&mut T, usize, u32, u64) + Sync),
    ) -> Vec<T> {
        struct Folding<'f, T, F> {
            folded: &'f mut T,
            each: &'f F,
            pairs: usize,
        }
        impl<T, F: Fn(&mut T, usize, u32, u64)> Sink for Folding<'_, T, F> {
            fn finish(&mut self, (kind, pair): At, minutes_over: u32, billed: u32) {
                (self.each)(self.folded, kind * self.pairs + pair, minutes_over, u64::from(billed));
            }
        }
        let chunks = first_chunks_and_rest(self.minutes());
        self.on_threads(threads, |kinds, folded: &mut T| {
            let mut sink = Folding { folded, each, pairs: self.space.pairs.len() };
            self.run(&self.all_of(kinds), &chunks, &mut sink);
        })
    }

    /// The setting at a place that [`Engine::every`] named.
    pub fn policy(&self, place: usize) -> ScalingPolicy {
        let (kind, pair) = (place / self.space.pairs.len(), place % self.space.pairs.len());
        self.space.kinds[kind].policy(self.space.pairs[pair])
    }

    /// Does `work` for the places of all kinds, some of one family at a time; what each thread gathers is given back.
    fn on_threads<T: Default + Send>(
        &self,
        threads: NonZero<usize>,
        work: impl Fn(&[usize], &mut T) + Sync,
    ) -> Vec<T> {
        let piece = self.space.kinds.len().div_ceil(PIECES * threads.get());
        // One by one they gain nothing together, and whoever waits wants to hear of them.
        let families = self.space.families(if self.goes_one_by_one() { 1 } else { piece });
        each_on_threads(threads, &families, |kinds, gathered| work(kinds, gathered))
    }

    /// The `count` cheapest settings that are over the ceiling in at most `minutes_over_allowed` minutes, here and in each
    /// of `also_in`, which are engines of the same space. It is proven that no other is cheaper: every one that was given
    /// up was over, or cost more with what it would have needed at the least. `progress` is told of every so many
    /// settings done.
    pub fn cheapest(
        &self,
        minutes_over_allowed: u32,
        count: usize,
        also_in: &[Engine<'_>],
        threads: NonZero<usize>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Found {
        let chunks = chunks(self.minutes());
        let bounds = self.bounds(&chunks, Spare::in_steps(minutes_over_allowed));
        let ratchets = self.ratchets(&chunks, minutes_over_allowed);
        let best = Best::new(count);
        let ask = |asked: Vec<Asked>| {
            let allowed = minutes_over_allowed;
            let can_win = |(kind, _): &Asked| u64::from(bounds[*kind].from(0, 0, allowed)) <= best.limit();
            let asked: Vec<Asked> = asked.into_iter().filter(can_win).collect();
            let (bounds, ratchets) = (&bounds, &ratchets);
            let mut sink = Cheapest { best: &best, bounds, ratchets, allowed, finished: vec![] };
            let walked = self.run(&self.that_can_hold(asked, allowed), &chunks, &mut sink);
            self.add_those_that_hold(sink.finished, also_in, allowed, &best);
            walked
        };
        self.ask_few(threads, |few| {
            ask(few);
        });
        best.keep_limit();
        let walked = self.on_threads(threads, |kinds, walked: &mut (u64, u64)| {
            let asked = self.all_of(kinds);
            let settings = count_of(&asked);
            walked.0 += ask(asked);
            walked.1 += settings as u64;
            progress(settings);
        });
        let sum = |of: fn(&(u64, u64)) -> u64| walked.iter().map(of).sum();
        Found {
            cheapest: best.into_cheapest(),
            minutes_walked: sum(|walked| walked.0),
            settings: sum(|walked| walked.1),
        }
    }

    /// The cheapest first, so that what they cost spares dearer ones the other engines.
    fn add_those_that_hold(
        &self,
        mut finished: Vec<(u32, u32, At)>,
        also_in: &[Engine<'_>],
        allowed: u32,
        best: &Best,
    ) {
        finished.sort_unstable();
        for some in finished.chunks(ASKED_AT_ONCE) {
            let may_win: Vec<_> =
                some.iter().filter(|(billed, ..)| u64::from(*billed) <= best.limit()).collect();
            let settings: Vec<At> = may_win.iter().map(|(.., setting)| *setting).collect();
            let holding = |settings: Vec<At>, engine: &Engine<'_>| engine.holding(by_kind(settings), allowed);
            let mut holding: Vec<At> = also_in.iter().fold(settings, holding);
            holding.sort_unstable();
            for (billed, minutes_over, setting) in may_win {
                if holding.binary_search(setting).is_ok() {
                    best.add(self.scored(*setting, *minutes_over, *billed));
                }
            }
        }
    }

    /// How many settings are over the ceiling in at most `minutes_over_allowed` minutes; each of them is gone through to its
    /// end.
    pub fn count_holding(&self, minutes_over_allowed: u32, threads: NonZero<usize>) -> usize {
        let counts = self.on_threads(threads, |kinds, count: &mut usize| {
            *count += self.holding(self.all_of(kinds), minutes_over_allowed).len();
        });
        counts.into_iter().sum()
    }

    /// Those of one family's settings that are over in at most so many minutes.
    fn holding(&self, asked: Vec<Asked>, allowed: u32) -> Vec<At> {
        let mut sink = Holding { allowed, held: vec![] };
        self.run(&self.that_can_hold(asked, allowed), &chunks(self.minutes()), &mut sink);
        sink.held
    }

    /// Those that are not over in more than so many minutes for certain: no fleet grows whose upper threshold CPU does not
    /// pass while it is under the ceiling.
    fn that_can_hold(&self, mut asked: Vec<Asked>, allowed: u32) -> Vec<Asked> {
        let first = asked.first().map(|(kind, _)| &self.space.kinds[*kind]);
        if let Some(never_grows_from) = first.and_then(|kind| self.never_grows_from(kind, allowed)) {
            let can_grow = |pair: &usize| self.space.pairs[*pair].0.get() < never_grows_from;
            asked.iter_mut().for_each(|(_, pairs)| pairs.retain(can_grow));
        }
        asked
    }

    fn never_grows_from(&self, kind: &Kind, allowed: u32) -> Option<f64> {
        let (bytes, ..) = self.given(kind)?;
        let initial = initial(self.setting, kind);
        let must_grow = bytes.needs.iter().any(|need| initial < *need);
        (must_grow && allowed == 0 && bytes.changes.is_empty()).then(|| bytes.trace.most_shown())
    }

    pub(super) fn scored(&self, place: At, minutes_over: u32, billed: u32) -> Scored {
        let policy = self.space.kinds[place.0].policy(self.space.pairs[place.1]);
        Scored { policy, minutes_over, billed_instance_minutes: u64::from(billed), place }
    }

    /// The setting with the fewest minutes over the ceiling, and of those the cheapest.
    pub fn least_over(&self, threads: NonZero<usize>, progress: &(dyn Fn(usize) + Sync)) -> Option<Scored> {
        let chunks = chunks(self.minutes());
        let least = Least::default();
        self.on_threads(threads, |kinds, (): &mut ()| {
            let asked = self.all_of(kinds);
            self.run(&asked, &chunks, &mut LeastOver { engine: self, least: &least });
            progress(count_of(&asked));
        });
        least.into_found()
    }

    /// The frontier of cost and minutes over the ceiling, up to `most_over` of them: the cheapest setting for every number of
    /// minutes over that a dearer one does not beat, fewest minutes over first.
    pub fn frontier(
        &self,
        most_over: u32,
        threads: NonZero<usize>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Vec<Scored> {
        let chunks = chunks(self.minutes());
        let bounds = self.bounds(&chunks, Spare::each(most_over));
        let steps = Steps::new(most_over);
        let ask = |asked: &[Asked]| {
            self.run(asked, &chunks, &mut Frontier { engine: self, steps: &steps, bounds: &bounds });
        };
        self.ask_few(threads, |few| ask(&few));
        self.on_threads(threads, |kinds, (): &mut ()| {
            let asked = self.all_of(kinds);
            ask(&asked);
            progress(count_of(&asked));
        });
        steps.into_frontier()
    }

    /// For each kind; none where they are of no use.
    fn ratchets(&self, chunks: &[Range<usize>], allowed: u32) -> Vec<Option<Arc<Ratchet>>> {
        let Some(bytes) = self.bytes.as_ref().filter(|bytes| {
            allowed == 0 && bytes.changes.is_empty() && ENOUGH_PAIRS <= self.space.pairs.len()
        }) else {
            return vec![None; self.space.kinds.len()];
        };
        let lower = self.space.pairs.iter().map(|(_, lower)| bytes.ranks.of_threshold(*lower));
        let classes = Classes::new(lower.collect());
        let mut done = BTreeMap::new();
        let mut of = |kind: &Kind| {
            let (bytes, watch, moves) = self.given(kind)?;
            let slip = Slip::new(&moves, watch);
            let made = || Arc::new(Ratchet::new(&classes, watch, slip, &bytes.needs, chunks));
            let ratchet = done.entry((kind.period.0, kind.evaluation_periods, slip)).or_insert_with(made);
            Some(Arc::clone(ratchet))
        };
        self.space.kinds.iter().map(&mut of).collect()
    }

    /// For each kind.
    fn bounds(&self, chunks: &[Range<usize>], spare: Spare) -> Vec<Arc<Bound>> {
        let any = Arc::new(Bound::none(chunks.len(), spare));
        let none = || Arc::clone(&any);
        let Some(bytes) = &self.bytes else { return self.space.kinds.iter().map(|_| none()).collect() };
        let mut paced =
            Paced { bytes, after: BTreeMap::new(), before: BTreeMap::new(), done: BTreeMap::new() };
        let of = |kind: &Kind| {
            self.given(kind).map_or_else(none, |(_, _, moves)| paced.bound(&moves, chunks, spare))
        };
        self.space.kinds.iter().map(of).collect()
    }
}

/// Does `work` for each of some; what each thread gathers is given back.
fn each_on_threads<I: Sync, T: Default + Send>(
    threads: NonZero<usize>,
    some: &[I],
    work: impl Fn(&I, &mut T) + Sync,
) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut gathered = T::default();
        loop {
            let Some(one) = some.get(next.fetch_add(1, Ordering::Relaxed)) else { return gathered };
            work(one, &mut gathered);
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (1..threads.get()).map(|_| scope.spawn(run)).collect();
        let own = run();
        let others = workers.into_iter().map(|worker| worker.join().expect("a replay does not panic"));
        std::iter::once(own).chain(others).collect()
    })
}

/// What is gone through first, for a first limit.
const COARSE_KINDS: usize = 7;
const COARSE_PAIRS: usize = 16;

/// Pieces at least for each thread to take from.
const PIECES: usize = 8;

/// Settings that are asked of other engines at once.
const ASKED_AT_ONCE: usize = 128;

/// The same settings, those of a kind together.
fn by_kind(mut settings: Vec<At>) -> Vec<Asked> {
    settings.sort_unstable();
    let kinds = settings.chunk_by(|(kind, _), (other, _)| kind == other);
    kinds.map(|of_kind| (of_kind[0].0, of_kind.iter().map(|(_, pair)| *pair).collect())).collect()
}

/// Pairs of thresholds from which on what a ratchet saves is more than what it takes to make one.
const ENOUGH_PAIRS: usize = 64;

/// Bounds by what they depend on.
struct Paced<'a> {
    bytes: &'a InBytes<'a>,
    after: BTreeMap<Pace, Vec<u8>>,
    before: BTreeMap<Pace, Vec<u8>>,
    done: BTreeMap<(Pace, Pace, u8, u8), Arc<Bound>>,
}

impl Paced<'_> {
    fn bound(&mut self, moves: &Moves, chunks: &[Range<usize>], spare: Spare) -> Arc<Bound> {
        // Scheduled actions keep to no pace and to no limits of the group.
        let free = !self.bytes.changes.is_empty();
        let any = Pace { step: 255, rest: 1 };
        let pace = |step, rest| if free { any } else { Pace { step, rest } };
        let (out, in_) = (pace(moves.up, moves.rest_out), pace(moves.down, moves.rest_in));
        let (min, max) = if free { (self.bytes.fewest, 255) } else { (moves.min, moves.max) };
        let lead = usize::from(moves.launch) + usize::from(moves.boot);
        let needs = &self.bytes.needs;
        if let Some(bound) = self.done.get(&(out, in_, min, max)) {
            return Arc::clone(bound);
        }
        let after = self.after.entry(in_).or_insert_with(|| bound::after(needs, in_));
        let before = &*self.before.entry(out).or_insert_with(|| bound::before(needs, out, lead));
        let never_over: Vec<u8> =
            after.iter().zip(before).map(|(after, before)| *after.max(before)).collect();
        let least = bound::Least { never_over: &never_over, from_now_on: before };
        let bound = Arc::new(Bound::new((min, max), needs, least, chunks, spare));
        self.done.insert((out, in_, min, max), Arc::clone(&bound));
        bound
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::kernel::Standing;
    use super::super::trace::BLOCK;
    use super::*;
    use crate::course::{CapacityChange, Course};
    use crate::dynamics::{Booting, Dynamics, Monitoring};
    use crate::sweep::Grid;
    use crate::traffic::Load;
    use crate::units::{Instances, MinuteUtc, Minutes, Seconds};

    /// Random, and the same every time.
    fn mixed(seed: u64) -> u64 {
        let mixed = (seed ^ seed >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
    }

    /// Gives up some settings after every block, whatever they come to.
    struct Dropping(Vec<(At, u32, u32)>);

    impl Sink for Dropping {
        fn may_matter(&self, kind: usize, chunk: usize, now: Standing) -> bool {
            let seed = u64::from(now.billed) << 24 | u64::from(now.lower) << 12 | (kind << 8 | chunk) as u64;
            !mixed(seed).is_multiple_of(24)
        }

        fn finish(&mut self, setting: At, minutes_over: u32, billed: u32) {
            self.0.push((setting, minutes_over, billed));
        }
    }

    /// What an engine found of one setting, against the setting itself.
    fn check_alone(engine: &Engine<'_>, (kind, pair): At, minutes_over: u32, billed: u32) {
        let policy = engine.space.kinds[kind].policy(engine.space.pairs[pair]);
        let alone = engine.setting.simulate(&policy, Question::whatever_it_takes(engine.ceiling));
        let alone = alone.map(|outcome| (outcome.minutes_over, outcome.billed_instance_minutes));
        assert_eq!(alone, Some((minutes_over, u64::from(billed))), "{policy} by {engine:?}");
    }

    /// Levels that last for a while, so that some lanes stand still while others move.
    fn steps(minutes: usize) -> Load {
        let level = |minute: usize| mixed(minute as u64 / 11 * 7) % 260;
        let demand_percent = (0..minutes).map(|minute| level(minute) as f64).collect();
        let start = MinuteUtc::new(0).expect("the first minute");
        Load { start, intercept_percent: 3.0, coefficient: 1.0, demand_percent, stray_percent: vec![] }
    }

    fn dense(period: u32, evaluation_periods: u32, cooldown: u32) -> Grid {
        let whole = |percents: Range<u32>| {
            percents.map(|value| CpuPercent::new(f64::from(value)).expect("a percentage")).collect()
        };
        Grid {
            upper_thresholds: whole(14..70),
            lower_thresholds: whole(3..50),
            upper_breach_scale_increments: [1, 2, 5].map(Instances).to_vec(),
            lower_breach_scale_increments: [1, 2].map(Instances).to_vec(),
            periods: vec![Minutes(period)],
            evaluation_periods: vec![evaluation_periods],
            cooldowns: vec![Seconds(cooldown)],
            min_sizes: vec![Instances(1)],
            max_sizes: vec![Instances(12)],
        }
    }

    fn ceiling_of_all() -> CpuPercent {
        CpuPercent::new(100.0).expect("a percentage")
    }

    /// Where one setting stands at the start of each chunk, and what it comes to.
    #[derive(Default)]
    struct Audit {
        standings: RefCell<Vec<(usize, Standing)>>,
        minutes_over: u32,
        billed: u32,
    }

    impl Sink for Audit {
        fn may_matter(&self, _: usize, chunk: usize, now: Standing) -> bool {
            self.standings.borrow_mut().push((chunk, now));
            true
        }

        fn finish(&mut self, _: At, minutes_over: u32, billed: u32) {
            (self.minutes_over, self.billed) = (minutes_over, billed);
        }
    }

    /// Levels that rise and fall by less than half at a time, so that some settings hold.
    fn swells(seed: u64) -> Load {
        let mut level: f64 = 120.0;
        let demand_percent = (0..24 * BLOCK as u64).map(|minute| {
            let random = mixed(seed << 32 | minute);
            if random.is_multiple_of(13) {
                level = (level * (0.6 + (random / 13 % 80) as f64 / 100.0)).clamp(20.0, 500.0);
            }
            level.round()
        });
        Load { demand_percent: demand_percent.collect(), ..steps(0) }
    }

    /// How many settings that are never over, and how many others, were held against their bounds.
    fn audited(engine: &Engine<'_>, seed: u64) -> [u32; 2] {
        let chunks: Vec<_> = (0..24).map(|block| block * BLOCK..(block + 1) * BLOCK).collect();
        let bounds = engine.bounds(&chunks, Spare::each(200));
        let ratchets = engine.ratchets(&chunks, 0);
        let mut count = [0, 0];
        for (kind, pairs) in engine.all_of(&engine.space.families(usize::MAX)[0]) {
            for pair in pairs.into_iter().filter(|pair| mixed(seed ^ (*pair as u64) << 20).is_multiple_of(19))
            {
                let mut audit = Audit::default();
                engine.run(&[(kind, vec![pair])], &chunks, &mut audit);
                if audit.minutes_over <= 200 {
                    count[usize::from(audit.minutes_over != 0)] += 1;
                    check(&audit, &bounds[kind], ratchets[kind].as_deref());
                }
            }
        }
        count
    }

    fn check(audit: &Audit, bound: &Bound, ratchet: Option<&Ratchet>) {
        for (chunk, now) in audit.standings.borrow().iter() {
            let (to_come, spare) = (audit.billed - now.billed, audit.minutes_over - now.minutes_over);
            let least = bound.from(*chunk, now.minutes_over, spare);
            assert!(
                least <= to_come,
                "{least} and not {to_come} from chunk {chunk} on, {spare} over: {now:?}"
            );
            if audit.minutes_over == 0 {
                let least = ratchet.map_or(0, |ratchet| ratchet.from(*chunk, now.lower, now.desired));
                assert!(
                    least <= to_come,
                    "{least} and not {to_come} by ratchet from chunk {chunk} on: {now:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_to_come_is_never_less_than_its_bounds() {
        let mut count = [0, 0];
        for seed in 0..120 {
            let load = swells(seed);
            let (period, cooldown) = ([1, 5][seed as usize % 2], [0, 60, 180, 300, 600][seed as usize % 5]);
            let grid = dense(period, 1 + seed as u32 % 3, cooldown);
            let space = Space::new(&grid, Monitoring::Detailed, ceiling_of_all(), false);
            let minutes = |below: u64| Minutes((mixed(seed) / 7 % below) as u32);
            let (metric_delay, launch, boot) = (minutes(3), minutes(4), minutes(11));
            let dynamics = Dynamics { metric_delay, launch, boot, ..Dynamics::default() };
            let setting = Setting { load: &load, dynamics, course: Course::default(), initial: Instances(3) };
            let engine = Engine::new(&setting, &space, CpuPercent::new(50.0).expect("a percentage"));
            let more = audited(&engine, seed);
            count = [count[0] + more[0], count[1] + more[1]];
        }
        assert!(count.iter().all(|count| 3_000 < *count), "{count:?}");
    }

    /// What each setting comes to.
    #[derive(Default)]
    struct Finished(BTreeMap<At, (u32, u32)>);

    impl Sink for Finished {
        fn finish(&mut self, setting: At, minutes_over: u32, billed: u32) {
            assert_eq!(self.0.insert(setting, (minutes_over, billed)), None, "once each");
        }
    }

    /// Goes through all settings of a family at once, and holds each against itself alone; gives the minutes gone through.
    fn gone_through(setting: &Setting<'_>, space: &Space) -> u64 {
        let ceiling = CpuPercent::new(50.0).expect("a percentage");
        let engine = Engine::new(setting, space, ceiling);
        let mut finished = Finished::default();
        let family = engine.all_of(&space.families(usize::MAX)[0]);
        let walked = engine.run(&family, &first_chunks_and_rest(engine.minutes()), &mut finished);
        assert_eq!(finished.0.len(), space.len());
        for (at, (minutes_over, billed)) in finished.0 {
            check_alone(&engine, at, minutes_over, billed);
        }
        walked
    }

    #[test]
    fn settings_that_differ_in_what_no_alarm_sees_are_gone_through_once() {
        let minutes = 20 * BLOCK;
        let load = |levels: [u32; 2]| {
            let demand_percent = (0..minutes).map(|minute| f64::from(levels[minute % 2])).collect();
            Load { demand_percent, ..steps(0) }
        };
        let grid = Grid { min_sizes: vec![Instances(3)], ..dense(1, 1, 300) };
        let space = Space::new(&grid, Monitoring::Detailed, ceiling_of_all(), false);
        let asked = |load: &Load, course: &Course, booting: f64| {
            let booting = Booting::Counted(CpuPercent::new(booting).expect("a percentage"));
            let dynamics = Dynamics { booting, ..Dynamics::default() };
            let setting = Setting { load, dynamics, course: course.clone(), initial: Instances(3) };
            gone_through(&setting, &space) / minutes as u64
        };
        let all = space.len() as u64;
        // Three instances show 12 or 13 %, and the more they are, the less: no upper threshold is passed. Lower ones of 6 % and
        // more are left, 44 of them, which tell two increments apart; under those, nothing does anything.
        assert_eq!(asked(&load([27, 30]), &Course::default(), 10.0), 2 * 44 + 1);
        // Twelve instances, of whom none shows less than 33 % when it serves, and 30 % when it boots: nothing is removed for a
        // lower threshold of up to 30 %, and three increments are told apart by each upper threshold.
        let busy = load([360, 480]);
        let within_reach = space.pairs.iter().filter(|(_, lower)| 30.0 < lower.get()).count() as u64;
        assert_eq!(asked(&busy, &Course::default(), 30.0), 6 * within_reach + 3 * 56);
        // Instances that boot show nothing, and so does an average with them little.
        assert_eq!(asked(&busy, &Course::default(), 0.0), all);
        // The group may be made larger.
        let (at, max_size) = (MinuteUtc::new(100).expect("a minute"), Some(Instances(30)));
        let larger = CapacityChange { at, min_size: None, max_size, desired_capacity: None };
        let course = Course::new(vec![larger], vec![]).expect("a course");
        assert!(asked(&busy, &course, 30.0) < all);
    }

    #[test]
    fn lanes_come_to_the_same_beside_whichever_they_are_moved() {
        let load = steps(64 * BLOCK);
        let (dynamics, course) = (Dynamics::default(), Course::default());
        let setting = Setting { load: &load, dynamics, course, initial: Instances(3) };
        let ceiling = CpuPercent::new(50.0).expect("a percentage");
        let chunks: Vec<_> = (0..64).map(|block| block * BLOCK..(block + 1) * BLOCK).collect();
        for (period, evaluation_periods, cooldown) in [1, 5]
            .into_iter()
            .flat_map(|period| [1, 2, 3].map(|count| (period, count)))
            .flat_map(|(period, count)| [0, 60, 180, 300, 600].map(|cooldown| (period, count, cooldown)))
        {
            let space = Space::new(
                &dense(period, evaluation_periods, cooldown),
                Monitoring::Detailed,
                ceiling_of_all(),
                false,
            );
            for engine in Engine::with_each_isa(&setting, &space, ceiling) {
                let mut left = Dropping(vec![]);
                engine.run(&engine.all_of(&space.families(usize::MAX)[0]), &chunks, &mut left);
                assert!(!left.0.is_empty(), "some are left");
                for (at, minutes_over, billed) in left.0 {
                    check_alone(&engine, at, minutes_over, billed);
                }
            }
        }
    }
}
