//! The hot loop: a vector of candidates that differ only in their thresholds, minute by minute.
//!
//! Every rule is that of [`crate::reference`], said in bytes. Lanes that move, because instances of theirs launch, boot
//! or were just removed, carry what is on its way; a vector none of whose lanes moves takes a shorter step, and passes
//! over a whole block of minutes at once where none of them can fire. What an alarm sees of a fleet that did not change
//! within the point's period is looked up; the few points over a change are worked out from the lanes' history, once for
//! all lanes of the vector that have the same.

use std::ops::Range;

use super::lanes::{Bytes, Lanes, MOST};
use super::ranks::Ranks;
use super::trace::{BLOCK, Rows, Trace, Units, point};
use super::watch::{Each, KEPT, Look, Watch};
use crate::course::CapacityChange;
use crate::dynamics::Booting;
use crate::policy::{Group, ScalingPolicy};
use crate::reference::STEPS_PER_PERCENT;
use crate::units::Instances;

/// Minutes of history that a lane keeps: the longest period that is worked with.
pub(super) const HISTORY: usize = 16;

/// Minutes that a launch and a boot may take together, and one more.
const ON_THE_WAY: usize = 64;

/// One change is over, and no point over it is looked at any more, before the next may begin: most of what lanes carry is
/// then of no use.
pub(super) const APART: u8 = 0;
/// Points are of one minute, and nothing is done while instances boot: as many boot as were launched at once.
pub(super) const BY_THE_MINUTE: u8 = 1;
/// Nothing is done while instances boot, but points over a change are looked at: lanes carry a history.
pub(super) const CARRIED: u8 = 2;
/// Everything is carried along.
pub(super) const ANY: u8 = 3;
/// All that is on its way is carried along, but points are of one minute and groups so small that they are looked up by what
/// serves and what boots: lanes carry no history.
pub(super) const ANY_BY_THE_MINUTE: u8 = 4;

const fn carries_launches(mode: u8) -> bool {
    mode == ANY || mode == ANY_BY_THE_MINUTE
}

const fn carries_history(mode: u8) -> bool {
    mode == CARRIED || mode == ANY
}

/// What a kind's candidates have in common, in bytes. Kinds of one family differ only in `up` and `down`, which lanes carry.
#[derive(Debug, Clone)]
pub(super) struct Moves {
    pub(super) up: u8,
    pub(super) down: u8,
    pub(super) min: u8,
    pub(super) max: u8,
    pub(super) launch: u8,
    pub(super) boot: u8,
    pub(super) drain: u8,
    /// Minutes from a scale-out until the next request is accepted.
    pub(super) rest_out: u8,
    /// Minutes from a scale-in until the next request is accepted.
    pub(super) rest_in: u8,
    /// What a booting instance shows, in steps.
    booting_steps: u32,
    /// Whether booting instances are part of the group's average.
    pub(super) counts_booting: bool,
    /// Whether instances may still be on their way when the next request is accepted.
    pub(super) acts_while_booting: bool,
    /// What is left of the rest when launched instances begin to serve.
    rest_when_ready: u8,
    /// What is left of it at the end of the first minute in which they are in service.
    rest_in_service: u8,
    /// Scheduled actions, by minute of the trace.
    pub(super) changes: Vec<(usize, CapacityChange)>,
}

impl Moves {
    /// With the limits that are in force at first. `None` if a byte, or what is kept of a lane, is too small for them.
    pub(super) fn new(
        trace: &Trace<'_>,
        policy: &ScalingPolicy,
        limits: Group,
        changes: &[(usize, CapacityChange)],
    ) -> Option<Self> {
        let (trigger, dynamics) = (policy.trigger(), &trace.dynamics);
        let (launch, boot, drain) = (dynamics.launch.0, dynamics.boot.0, dynamics.drain.0);
        let cooldown = limits.cooldown.to_minutes_rounded_up().0;
        let byte = |minutes: u32| u8::try_from(minutes).ok();
        let on_the_way = launch as usize + boot as usize;
        let moves = Self {
            up: self::byte(trigger.upper_breach_scale_increment),
            down: self::byte(trigger.lower_breach_scale_increment),
            min: byte(limits.min_size.0)?,
            max: byte(limits.max_size.0)?,
            launch: byte(launch)?,
            boot: byte(boot)?,
            drain: byte(drain)?,
            rest_out: byte(launch + cooldown)?,
            rest_in: byte(drain + cooldown)?,
            booting_steps: trace.booting_steps(),
            counts_booting: matches!(dynamics.booting, Booting::Counted(_)),
            acts_while_booting: cooldown < boot || !changes.is_empty(),
            rest_when_ready: byte(cooldown.saturating_sub(boot))?,
            rest_in_service: byte(cooldown.saturating_sub(1))?,
            changes: changes.to_vec(),
        };
        (on_the_way < ON_THE_WAY).then_some(moves)
    }

    /// The first minute from `now` on for which something is scheduled.
    fn next_change(&self, now: usize) -> usize {
        let next = self.changes.iter().map(|(at, _)| *at).find(|at| now <= *at);
        next.unwrap_or(usize::MAX)
    }

    /// How much a lane must carry, where rows have this width.
    pub(super) fn mode(&self, watch: &Watch, width: usize) -> u8 {
        let over_a_change = self.on_the_way() + watch.points.period;
        let out = over_a_change + watch.span <= usize::from(self.rest_out) + 2;
        let in_ = watch.points.period + watch.span <= usize::from(self.rest_in) + 2;
        let launching = usize::from(self.launch) + watch.span <= usize::from(self.rest_out) + 1;
        match (self.acts_while_booting || self.on_the_way() == 0, out && in_, watch.points.period) {
            (false, true, _) => APART,
            (false, false, 1) if launching => BY_THE_MINUTE,
            (_, _, 1) if width == 16 => ANY_BY_THE_MINUTE,
            (false, false, _) => CARRIED,
            _ => ANY,
        }
    }

    fn on_the_way(&self) -> usize {
        usize::from(self.launch) + usize::from(self.boot)
    }
}

/// A byte for each lane and each of the last minutes, as few as are needed: what packs hold is copied often.
#[derive(Debug, Clone)]
struct Ring(Vec<Bytes>);

impl Ring {
    /// Of so many minutes at least, all of which have `bytes`.
    fn new(minutes: usize, bytes: Bytes) -> Self {
        Self(vec![bytes; if minutes == 0 { 0 } else { minutes.next_power_of_two() }])
    }

    #[inline(always)]
    fn at(&self, minute: usize) -> &Bytes {
        &self.0[minute & (self.0.len() - 1)]
    }

    #[inline(always)]
    fn at_mut(&mut self, minute: usize) -> &mut Bytes {
        let place = minute & (self.0.len() - 1);
        &mut self.0[place]
    }
}

/// As many candidates as a vector has lanes, between two stretches of minutes.
#[derive(Debug, Clone)]
pub(super) struct Pack {
    pub(super) upper: Bytes,
    pub(super) lower: Bytes,
    /// Instances that come at once, and that go.
    pub(super) up: Bytes,
    pub(super) down: Bytes,
    pub(super) upper_steps: [u32; MOST],
    pub(super) lower_steps: [u32; MOST],
    desired: Bytes,
    serving: Bytes,
    booting: Bytes,
    /// Minutes until a request is accepted.
    rest: Bytes,
    /// Minutes until nothing is on its way and no point is over a change.
    unsettled: Bytes,
    /// What is on its way, by minute; none where it is not carried, as below.
    launched: Ring,
    had_serving: Ring,
    had_booting: Ring,
    /// Lanes whose point breaches, by the minute that it ends before.
    above: [u128; KEPT],
    below: [u128; KEPT],
    /// Lanes whose alarms were in alarm when each point was last looked at by itself.
    high: u128,
    low: u128,
    /// Whether the high alarm of any lane has launched instances.
    pub(super) grew: bool,
    /// From when on nothing is on its way, and points are of fleets as they are.
    settled_from: usize,
    pub(super) minutes_over: [u32; MOST],
    pub(super) billed: [u32; MOST],
}

/// Where a setting stands between two stretches of minutes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub(super) minutes_over: u32,
    pub(super) billed: u32,
    /// Instances that are wanted.
    pub(super) desired: u8,
    /// The byte of its lower threshold.
    pub(super) lower: u8,
}

impl Pack {
    pub(super) fn standing(&self, lane: usize) -> Standing {
        Standing {
            minutes_over: self.minutes_over[lane],
            billed: self.billed[lane],
            desired: self.desired.0[lane],
            lower: self.lower.0[lane],
        }
    }

    /// Lanes that start with `initial` instances, all of which serve. A lane without thresholds never acts.
    pub(super) fn new(initial: u8, with: Given<'_>) -> Self {
        let all = Bytes([initial; MOST]);
        let (mode, on_the_way) = (with.mode(), with.moves.on_the_way());
        let history = if carries_history(mode) { with.watch.points.period } else { 0 };
        Self {
            upper: Bytes([255; MOST]),
            lower: Bytes::ZERO,
            up: Bytes::ZERO,
            down: Bytes::ZERO,
            upper_steps: [101 * STEPS_PER_PERCENT as u32; MOST],
            lower_steps: [0; MOST],
            desired: all,
            serving: all,
            booting: Bytes::ZERO,
            rest: Bytes::ZERO,
            unsettled: Bytes::ZERO,
            launched: Ring::new(if carries_launches(mode) { on_the_way + 1 } else { 0 }, Bytes::ZERO),
            had_serving: Ring::new(history, all),
            had_booting: Ring::new(history, Bytes::ZERO),
            above: [0; KEPT],
            below: [0; KEPT],
            high: 0,
            low: 0,
            grew: false,
            settled_from: 0,
            minutes_over: [0; MOST],
            billed: [0; MOST],
        }
    }

    /// Lets some lanes never act again, so that they don't keep the others from being passed over.
    pub(super) fn silence(&mut self, lanes: u128) {
        let mut left = lanes;
        while left != 0 {
            let lane = left.trailing_zeros() as usize % MOST;
            (self.upper.0[lane], self.lower.0[lane]) = (255, 0);
            (self.upper_steps[lane], self.lower_steps[lane]) = (101 * STEPS_PER_PERCENT as u32, 0);
            left &= left - 1;
        }
        self.above.iter_mut().chain(&mut self.below).for_each(|breaching| *breaching &= !lanes);
        self.high &= !lanes;
        self.low &= !lanes;
    }

    /// Puts some lanes of `other`, in ascending order, side by side from `to` on.
    pub(super) fn put(&mut self, to: usize, other: &Self, lanes: &[usize], with: Given<'_>, now: usize) {
        let byte = |mine: &mut Bytes, theirs: &Bytes| put(&mut mine.0[to..], &theirs.0, lanes);
        byte(&mut self.upper, &other.upper);
        byte(&mut self.lower, &other.lower);
        byte(&mut self.up, &other.up);
        byte(&mut self.down, &other.down);
        byte(&mut self.desired, &other.desired);
        byte(&mut self.serving, &other.serving);
        byte(&mut self.booting, &other.booting);
        byte(&mut self.rest, &other.rest);
        byte(&mut self.unsettled, &other.unsettled);
        let on_the_way = if carries_launches(with.mode()) { with.moves.on_the_way() } else { 0 };
        for minute in before(now, on_the_way) {
            byte(self.launched.at_mut(minute), other.launched.at(minute));
        }
        let period = if carries_history(with.mode()) { with.watch.points.period } else { 0 };
        for minute in before(now, period) {
            byte(self.had_serving.at_mut(minute), other.had_serving.at(minute));
            byte(self.had_booting.at_mut(minute), other.had_booting.at(minute));
        }
        let runs = runs(lanes, to);
        let bit = |mine: &mut u128, theirs: u128| {
            for (from, to, which) in &runs {
                *mine = *mine & !(which << to) | (theirs >> from & which) << to;
            }
        };
        for end in before(now + 1, with.watch.span) {
            let place = end % KEPT;
            bit(&mut self.above[place], other.above[place]);
            bit(&mut self.below[place], other.below[place]);
        }
        bit(&mut self.high, other.high);
        bit(&mut self.low, other.low);
        self.settled_from = self.settled_from.max(other.settled_from);
        put(&mut self.upper_steps[to..], &other.upper_steps, lanes);
        put(&mut self.lower_steps[to..], &other.lower_steps, lanes);
        put(&mut self.minutes_over[to..], &other.minutes_over, lanes);
        put(&mut self.billed[to..], &other.billed, lanes);
    }
}

fn put<T: Copy>(mine: &mut [T], theirs: &[T; MOST], lanes: &[usize]) {
    mine.iter_mut().zip(lanes).for_each(|(mine, lane)| *mine = theirs[*lane % MOST]);
}

/// Lanes that lie side by side: the first of each run, where it is put, and a bit for each of it, the lowest ones.
fn runs(lanes: &[usize], to: usize) -> Vec<(usize, usize, u128)> {
    let mut at = to;
    lanes
        .chunk_by(|lane, next| lane + 1 == *next)
        .map(|run| {
            at += run.len();
            (run[0], at - run.len(), u128::MAX >> (MOST - run.len()))
        })
        .collect()
}

/// The `count` minutes before `now`; those before the first are numbered on from the highest.
fn before(now: usize, count: usize) -> impl Iterator<Item = usize> {
    (1..=count).map(move |back| now.wrapping_sub(back))
}

/// What a stretch of minutes is gone through with.
#[derive(Clone, Copy)]
pub(super) struct Given<'a> {
    /// Whether what lanes see over a change is added up in whole steps.
    pub(super) in_steps: bool,
    pub(super) trace: &'a Trace<'a>,
    pub(super) watch: &'a Watch,
    pub(super) ranks: &'a Ranks,
    pub(super) moves: &'a Moves,
    /// The points of single minutes in which as many instances boot as the group launches at once; where that is of no
    /// use, any.
    pub(super) booting: &'a Rows,
    /// The same by what serves and what boots, where groups are small enough, and of use.
    pub(super) mixed: &'a [Bytes],
}

impl Given<'_> {
    /// How much lanes carry.
    pub(super) fn mode(&self) -> u8 {
        self.moves.mode(self.watch, self.trace.width())
    }
}

/// What is at hand while a pack is gone through: kept for the next one, since to make it anew takes as long as a dozen minutes.
pub(super) struct Workspace {
    /// By how much points breach, by the minute that they end before; 0 where they do not.
    above: [Bytes; KEPT],
    below: [Bytes; KEPT],
}

impl Workspace {
    pub(super) fn boxed() -> Box<Self> {
        Box::new(Self { above: [Bytes::ZERO; KEPT], below: [Bytes::ZERO; KEPT] })
    }
}

/// Thresholds in units.
struct InUnits<L: Lanes> {
    upper: L::Words,
    lower: L::Words,
}

impl<L: Lanes> InUnits<L> {
    /// Nothing, where there are no units.
    #[inline(always)]
    fn of(lanes: L, pack: &Pack, units: Option<&Units>) -> Self {
        let nothing = lanes.words(lanes.splat(0), lanes.splat(0));
        match units {
            None => Self { upper: nothing, lower: nothing },
            Some(units) => Self {
                upper: thresholds(lanes, &pack.upper_steps, units),
                lower: thresholds(lanes, &pack.lower_steps, units),
            },
        }
    }
}

/// What each of the last minutes adds to the points that it belongs to, and the sums over a point's minutes.
struct Sums<L: Lanes> {
    /// What is shown, in units.
    shown: [L::Words; PLACES],
    /// Instances in service.
    in_service: [L::Vector; PLACES],
    all_shown: L::Words,
    /// Instance-minutes, in bytes where these hold them.
    few_in_service: L::Vector,
    all_in_service: L::Words,
    /// The end of the point that they were last added up for; 0 if there is none.
    end: usize,
}

impl<L: Lanes> Sums<L> {
    #[inline(always)]
    fn none(lanes: L) -> Self {
        let none = lanes.splat(0);
        let nothing = lanes.words(none, none);
        Self {
            shown: [nothing; PLACES],
            in_service: [none; PLACES],
            all_shown: nothing,
            few_in_service: none,
            all_in_service: nothing,
            end: 0,
        }
    }

    #[inline(always)]
    fn clear(&mut self, lanes: L) {
        let none = lanes.splat(0);
        self.all_shown = lanes.words(none, none);
        (self.few_in_service, self.all_in_service) = (none, self.all_shown);
    }

    /// Whether a point's instance-minutes fit in a byte.
    const fn are_few<const W: usize>() -> bool {
        W * Units::PERIOD <= 256
    }

    #[inline(always)]
    fn add<const W: usize>(&mut self, lanes: L, shown: L::Words, in_service: L::Vector) {
        self.all_shown = lanes.add_words(self.all_shown, shown);
        if Self::are_few::<W>() {
            self.few_in_service = lanes.add(self.few_in_service, in_service);
        } else {
            let in_service = lanes.words(in_service, lanes.splat(0));
            self.all_in_service = lanes.add_words(self.all_in_service, in_service);
        }
    }

    #[inline(always)]
    fn take_away<const W: usize>(&mut self, lanes: L, place: usize) {
        self.all_shown = lanes.sub_words(self.all_shown, self.shown[place]);
        if Self::are_few::<W>() {
            self.few_in_service = lanes.sub(self.few_in_service, self.in_service[place]);
        } else {
            let in_service = lanes.words(self.in_service[place], lanes.splat(0));
            self.all_in_service = lanes.sub_words(self.all_in_service, in_service);
        }
    }

    #[inline(always)]
    fn all_in_service<const W: usize>(&self, lanes: L) -> L::Words {
        if Self::are_few::<W>() {
            lanes.words(self.few_in_service, lanes.splat(0))
        } else {
            self.all_in_service
        }
    }
}

/// Numbers of instances, times 16.
const SIXTEENS: [u8; 16] = [0, 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240];

/// 1 for every size from 1 up to the row's, 0 for others.
const UP_TO: [[u8; 16]; 16] = {
    let mut rows = [[0; 16]; 16];
    let mut place = 0;
    while place < 256 {
        rows[place / 16][place % 16] = (0 < place % 16 && place % 16 <= place / 16) as u8;
        place += 1;
    }
    rows
};

/// Minutes that are kept of [`Sums`]: a point's, and a power of two.
const PLACES: usize = Units::PERIOD.next_power_of_two();

/// Thresholds, to be multiplied by instance-minutes.
#[inline(always)]
fn thresholds<L: Lanes>(lanes: L, steps: &[u32; MOST], units: &Units) -> L::Words {
    let [low, high] = bytes_of_thresholds(steps, units);
    lanes.words(lanes.load(&low.0), lanes.load(&high.0))
}

/// 255 for each lane whose bit is set.
#[inline(always)]
fn byte_of<L: Lanes>(lanes: L, bits: u128) -> L::Vector {
    lanes.keep(lanes.mask(bits), lanes.splat(255))
}

/// Lanes that are not 0.
#[inline(always)]
fn bit_of<L: Lanes>(lanes: L, vector: L::Vector) -> u128 {
    lanes.bits(lanes.some(lanes.mask(u128::MAX), vector))
}

/// Low bytes and high ones. Apart, since its closures are no place for a processor's instructions.
fn bytes_of_thresholds(steps: &[u32; MOST], units: &Units) -> [Bytes; 2] {
    let byte = |of: u32| Bytes(std::array::from_fn(|lane| (units.threshold(steps[lane]) >> of) as u8));
    [byte(0), byte(8)]
}

/// A pack at work.
///
/// `W` is the width of a row, `N` how many points an alarm looks at (up to three), `MODE` what [`Moves::mode`] says.
struct Live<'a, L: Lanes, const W: usize, const N: usize, const MODE: u8> {
    lanes: L,
    with: Given<'a>,
    pack: &'a mut Pack,
    upper: L::Vector,
    lower: L::Vector,
    up: L::Vector,
    down: L::Vector,
    desired: L::Vector,
    serving: L::Vector,
    booting: L::Vector,
    rest: L::Vector,
    unsettled: L::Vector,
    /// The minute of the next scheduled action.
    next_change: usize,
    /// The group's limits as they are now.
    limits: (u8, u8),
    min: L::Vector,
    max: L::Vector,
    /// Apart, since a place in it is found at run time, which would keep all that lies beside it out of registers.
    space: &'a mut Workspace,
    /// Bits of a minute that tell its place there: few, since more would not stay near the processor.
    kept: usize,
    sums: &'a mut Sums<L>,
    in_units: &'a InUnits<L>,
    /// What [`Live::alarms`] came to when each point was last looked at by itself.
    alarms: (L::Vector, L::Vector),
    /// Whether the high alarm of any lane has launched instances.
    grew: bool,
    /// Sums that wait to be written before their bytes are full.
    minutes_over: L::Vector,
    billed: Total<L>,
    removed: Total<L>,
    billed_in_blocks: Total<L>,
    /// Blocks since sums were written.
    blocks: usize,
    /// From when on nothing is on its way, and points are of fleets as they are.
    settled_from: usize,
    /// Minutes from a scale-in until then, and from a scale-out.
    settling: (usize, usize),
    /// The first minute from which on draining instances outlive the trace.
    drains_beyond: usize,
    /// The first end whose points were passed over.
    passed_over_from: Option<usize>,
}

/// Goes through `minutes`, which begin with a block, and end with one or with the trace.
#[inline(always)]
pub(super) fn advance<L: Lanes, const W: usize, const N: usize, const MODE: u8>(
    lanes: L,
    with: Given<'_>,
    pack: &mut Pack,
    space: &mut Workspace,
    minutes: Range<usize>,
) {
    let units = with.trace.units.as_ref().filter(|_| carries_history(MODE));
    let (in_units, mut sums) = (InUnits::of(lanes, pack, units), Sums::none(lanes));
    let beside = (space, &mut sums, &in_units);
    let mut live = Live::<L, W, N, MODE>::load(lanes, with, pack, beside, minutes.start);
    let mut now = minutes.start;
    while now < minutes.end {
        let stop = minutes.end.min(now + BLOCK);
        if !live.passed_over(now, stop) {
            live.recall(now);
            let looks = with.watch.looks[now..stop].iter();
            let overloaded = with.trace.overloaded[now..stop].iter();
            let rows = with.watch.points.rows.rows_of::<W>(now + 1..stop + 1);
            let minutes = (now..stop).zip(looks.zip(overloaded).zip(rows));
            for (minute, ((look, overloaded), row)) in minutes {
                live.minute(minute, *look, *overloaded, row);
            }
            if W == 16 {
                live.write_busy_minutes();
            }
        }
        live.count_block();
        now = stop;
    }
    live.recall(now);
    live.write();
    live.save(now);
}

/// A sum of fleet sizes over up to [`BLOCKS`] blocks or as many times their minutes; where rows are of 16 sizes, over so many
/// blocks or one block's minutes, for which a byte is enough.
struct Total<L: Lanes> {
    low: L::Vector,
    high: L::Vector,
}

/// Blocks whose minutes a byte can count.
const BLOCKS: usize = u8::MAX as usize / BLOCK;

impl<L: Lanes> Total<L> {
    #[inline(always)]
    fn none(lanes: L) -> Self {
        Self { low: lanes.splat(0), high: lanes.splat(0) }
    }

    #[inline(always)]
    fn add<const W: usize>(&mut self, lanes: L, sizes: L::Vector) {
        self.low = lanes.add(self.low, sizes);
        if W != 16 {
            let carried = lanes.and_not(lanes.mask(u128::MAX), lanes.le(sizes, self.low));
            self.high = lanes.count(self.high, carried);
        }
    }

    /// Adds `weight` times the sum to `sums`, and begins anew.
    #[inline(always)]
    fn write<const W: usize>(&mut self, lanes: L, sums: &mut [u32; MOST], weight: u32) {
        let mut bytes = Bytes::ZERO;
        lanes.store(self.low, &mut bytes.0);
        add(sums, &bytes, weight);
        if W != 16 {
            lanes.store(self.high, &mut bytes.0);
            add(sums, &bytes, weight << 8);
        }
        *self = Self::none(lanes);
    }
}

impl<'a, L: Lanes, const W: usize, const N: usize, const MODE: u8> Live<'a, L, W, N, MODE> {
    #[inline(always)]
    fn load(
        lanes: L,
        with: Given<'a>,
        pack: &'a mut Pack,
        (space, sums, in_units): (&'a mut Workspace, &'a mut Sums<L>, &'a InUnits<L>),
        now: usize,
    ) -> Self {
        let (zero, period) = (lanes.splat(0), with.watch.points.period);
        let mut live = Self {
            lanes,
            with,
            upper: lanes.load(&pack.upper.0),
            lower: lanes.load(&pack.lower.0),
            up: lanes.load(&pack.up.0),
            down: lanes.load(&pack.down.0),
            desired: lanes.load(&pack.desired.0),
            serving: lanes.load(&pack.serving.0),
            booting: lanes.load(&pack.booting.0),
            rest: lanes.load(&pack.rest.0),
            unsettled: lanes.load(&pack.unsettled.0),
            next_change: with.moves.next_change(now),
            limits: (with.moves.min, with.moves.max),
            min: zero,
            max: zero,
            space,
            kept: with.watch.span.next_power_of_two() - 1,
            sums,
            in_units,
            alarms: (byte_of(lanes, pack.high), byte_of(lanes, pack.low)),
            grew: pack.grew,
            minutes_over: zero,
            billed: Total::none(lanes),
            removed: Total::none(lanes),
            billed_in_blocks: Total::none(lanes),
            blocks: 0,
            settled_from: pack.settled_from,
            settling: (period, with.moves.on_the_way() + period),
            drains_beyond: (with.trace.len() + 1).saturating_sub(usize::from(with.moves.drain)),
            passed_over_from: None,
            pack,
        };
        for end in before(now + 1, with.watch.span) {
            let (above, below) = (live.pack.above[end % KEPT], live.pack.below[end % KEPT]);
            live.keep(end, byte_of(lanes, above), byte_of(lanes, below));
        }
        live.set_limits(live.limits);
        with.moves.changes.iter().take_while(|(at, _)| *at < now).for_each(|(_, change)| live.limit(change));
        live
    }

    #[inline(always)]
    fn save(self, now: usize) {
        let lanes = self.lanes;
        for end in before(now + 1, self.with.watch.span) {
            let (above, below) = self.breach(end);
            self.pack.above[end % KEPT] = bit_of(lanes, above);
            self.pack.below[end % KEPT] = bit_of(lanes, below);
        }
        let pack = self.pack;
        lanes.store(self.desired, &mut pack.desired.0);
        lanes.store(self.serving, &mut pack.serving.0);
        lanes.store(self.booting, &mut pack.booting.0);
        lanes.store(self.rest, &mut pack.rest.0);
        lanes.store(self.unsettled, &mut pack.unsettled.0);
        pack.settled_from = self.settled_from;
        (pack.high, pack.low) = (bit_of(lanes, self.alarms.0), bit_of(lanes, self.alarms.1));
        pack.grew = self.grew;
    }

    /// Whether none of the minutes up to `stop`, which are a block, needs to be looked at: nothing is on its way in any
    /// lane, and none acts. What they add up to is noted.
    #[inline(always)]
    fn passed_over(&mut self, now: usize, stop: usize) -> bool {
        let (lanes, watch, block) = (self.lanes, self.with.watch, now / BLOCK);
        let whole = stop - now == BLOCK && watch.blocks[block] && stop <= self.next_change;
        // The points that are looked at were of the fleets as they are.
        if now < self.settled_from + watch.span || !whole {
            return false;
        }
        let highest = lanes.lookup::<W>(watch.highest.row_of::<W>(block), self.serving);
        let lowest = lanes.lookup::<W>(watch.lowest.row_of::<W>(block), self.serving);
        let out = lanes.min(lanes.sub_saturating(highest, self.upper), self.more());
        let in_ = lanes.min(lanes.sub_saturating(self.lower, lowest), self.less());
        let may_act = lanes.le(self.rest, lanes.splat(BLOCK as u8 - 1));
        if lanes.any(lanes.some(may_act, lanes.max(out, in_))) {
            return false;
        }
        let over = lanes.lookup::<W>(self.with.trace.overloaded_in_block.row_of::<W>(block), self.serving);
        self.minutes_over = lanes.add(self.minutes_over, over);
        self.billed_in_blocks.add::<W>(lanes, self.desired);
        self.rest = lanes.sub_saturating(self.rest, lanes.splat(BLOCK as u8));
        self.passed_over_from = self.passed_over_from.or(Some(now + 1));
        true
    }

    /// Works out the points that were passed over and may still be looked at, up to the one that ends before `now`, and what
    /// alarms came to that looked at each point by itself: the next may hold it.
    #[inline(always)]
    fn recall(&mut self, now: usize) {
        let Some(from) = self.passed_over_from.take() else { return };
        if carries_history(MODE) {
            self.remember_as_it_is(now);
        }
        let first = from.max((now + 1).saturating_sub(self.with.watch.span));
        for end in first..=now {
            let seen = self.lanes.lookup::<W>(self.with.watch.points.rows.row_of::<W>(end), self.serving);
            self.note(end, seen);
        }
        if self.with.watch.looks[now - 1] == Look::Each {
            self.look_at_each(now - 1);
        }
    }

    #[inline(always)]
    fn minute(&mut self, now: usize, look: Look, overloaded: u8, row: &[u8]) {
        let lanes = self.lanes;
        // What costs less than a wrong guess is done in every minute.
        if !carries_launches(MODE) || now < self.settled_from {
            self.arrive(now);
        }
        if carries_launches(MODE) && self.next_change == now {
            self.follow_schedule(now);
        }
        let (high, low) = self.alarms(now, look);
        self.act(now, high, low);
        self.count_overload(overloaded);
        self.billed.add::<W>(lanes, self.desired);
        self.rest = lanes.sub_saturating(self.rest, lanes.splat(1));
        let end = now + 1;
        let mut seen = lanes.lookup::<W>(row, self.serving);
        let moving = end < self.settled_from;
        if (MODE == BY_THE_MINUTE || MODE == ANY_BY_THE_MINUTE) && moving {
            seen = self.seen_while_booting(end, seen);
        }
        if carries_history(MODE) {
            self.remember(now);
            if moving {
                seen = self.seen_while_moving(end, seen);
            }
        }
        self.note(end, seen);
    }

    /// `overloaded` is the largest fleet that is.
    #[inline(always)]
    fn count_overload(&mut self, overloaded: u8) {
        let lanes = self.lanes;
        self.minutes_over = if W == 16 {
            let table = &UP_TO[usize::from(overloaded) % 16];
            lanes.add(self.minutes_over, lanes.lookup16(table, self.serving))
        } else {
            // Only a scheduled action can leave nobody to serve.
            let one = if carries_launches(MODE) { 1 } else { 0 };
            let serving = lanes.max(self.serving, lanes.splat(one));
            lanes.count(self.minutes_over, lanes.le(serving, lanes.splat(overloaded)))
        };
    }

    /// `seen`, with the points of single minutes in which instances boot as they are.
    #[inline(always)]
    fn seen_while_booting(&self, end: usize, seen: L::Vector) -> L::Vector {
        let (lanes, with) = (self.lanes, self.with);
        if W == 16 {
            let carried = MODE == ANY_BY_THE_MINUTE;
            let booting = if carried { self.booting } else { lanes.sub(self.desired, self.serving) };
            let place = lanes.add(lanes.lookup16(&SIXTEENS, booting), self.serving);
            let place = lanes.min(place, lanes.sub(lanes.splat(0), place));
            return lanes.lookup128(&with.mixed[end].0, place);
        }
        let while_booting = lanes.lookup::<W>(with.booting.row_of::<W>(end), self.serving);
        lanes.select(lanes.eq(self.serving, self.desired), seen, while_booting)
    }

    #[inline(always)]
    fn note(&mut self, end: usize, seen: L::Vector) {
        let lanes = self.lanes;
        self.keep(end, lanes.sub_saturating(seen, self.upper), lanes.sub_saturating(self.lower, seen));
    }

    #[inline(always)]
    fn keep(&mut self, end: usize, above: L::Vector, below: L::Vector) {
        let place = self.place(end);
        self.lanes.store(above, &mut self.space.above[place].0);
        self.lanes.store(below, &mut self.space.below[place].0);
    }

    #[inline(always)]
    fn place(&self, end: usize) -> usize {
        (end & self.kept) % KEPT
    }

    /// Instances that come into service, and those whose boot is over.
    #[inline(always)]
    fn arrive(&mut self, now: usize) {
        let (lanes, moves) = (self.lanes, self.with.moves);
        if !carries_launches(MODE) {
            let ready = lanes.eq(self.rest, lanes.splat(moves.rest_when_ready));
            self.serving = lanes.select(ready, self.desired, self.serving);
            return;
        }
        if moves.on_the_way() == 0 {
            return;
        }
        let launched = &mut self.pack.launched;
        let in_service = lanes.load(&launched.at(now.wrapping_sub(moves.launch.into())).0);
        let slot = launched.at_mut(now.wrapping_sub(moves.on_the_way()));
        let ready = lanes.load(&slot.0);
        lanes.store(lanes.splat(0), &mut slot.0);
        self.serving = lanes.add(self.serving, ready);
        self.booting = lanes.sub(lanes.add(self.booting, in_service), ready);
    }

    /// More than 0 where the high alarm, and where the low one, is in alarm.
    #[inline(always)]
    fn alarms(&mut self, now: usize, look: Look) -> (L::Vector, L::Vector) {
        let none = self.lanes.splat(0);
        match look {
            Look::Newest(places) => self.all_breach(places),
            Look::Quiet => (none, none),
            Look::Each => {
                self.look_at_each(now);
                self.alarms
            }
        }
    }

    #[inline(always)]
    fn all_breach(&self, places: [u8; 3]) -> (L::Vector, L::Vector) {
        let mut all = self.breach(places[0].into());
        for place in &places[1..N] {
            all = self.and_breach(all, usize::from(*place));
        }
        all
    }

    #[inline(always)]
    fn breach(&self, end: usize) -> (L::Vector, L::Vector) {
        let (lanes, place) = (self.lanes, self.place(end));
        (lanes.load(&self.space.above[place].0), lanes.load(&self.space.below[place].0))
    }

    #[inline(always)]
    fn and_breach(&self, (above, below): (L::Vector, L::Vector), end: usize) -> (L::Vector, L::Vector) {
        let this = self.breach(end);
        (self.lanes.min(above, this.0), self.lanes.min(below, this.1))
    }

    #[inline(always)]
    fn look_at_each(&mut self, now: usize) {
        let (lanes, each) = (self.lanes, each(self.with.watch, now));
        let (none, all) = (lanes.splat(0), lanes.splat(255));
        let mut alarms = match (each.holds, self.with.watch.looks[now.saturating_sub(1)]) {
            (false, _) => (all, all),
            (true, Look::Each) => self.alarms,
            (true, Look::Quiet) => (none, none),
            (true, Look::Newest(places)) => self.all_breach(places),
        };
        for end in &each.ends {
            alarms = self.and_breach(alarms, *end);
        }
        self.alarms = alarms;
    }

    /// Instances that a scale-out launches. What is wanted lies within the group's limits at all times.
    #[inline(always)]
    fn more(&self) -> L::Vector {
        self.lanes.min(self.up, self.lanes.sub(self.max, self.desired))
    }

    /// Instances that a scale-in removes.
    #[inline(always)]
    fn less(&self) -> L::Vector {
        self.lanes.min(self.down, self.lanes.sub(self.desired, self.min))
    }

    /// A request that changes nothing is none.
    #[inline(always)]
    fn act(&mut self, now: usize, high: L::Vector, low: L::Vector) {
        let (lanes, more, less) = (self.lanes, self.more(), self.less());
        let may_act = lanes.eq(self.rest, lanes.splat(0));
        let out = lanes.some(may_act, lanes.min(high, more));
        let in_ = lanes.some(may_act, lanes.min(low, less));
        self.grew |= lanes.any(out);
        self.change_capacity(now, lanes.keep(out, more), lanes.keep(in_, less), out, in_);
    }

    #[inline(always)]
    fn rest_at_least(&mut self, minutes: u8, which: L::Mask) {
        let longer = self.lanes.max(self.rest, self.lanes.splat(minutes));
        self.rest = self.lanes.select(which, longer, self.rest);
    }

    /// `out` and `in_` say where there is something to launch and to remove.
    #[inline(always)]
    fn change_capacity(
        &mut self,
        now: usize,
        launched: L::Vector,
        removed: L::Vector,
        out: L::Mask,
        in_: L::Mask,
    ) {
        let (lanes, moves) = (self.lanes, self.with.moves);
        if carries_history(MODE) {
            let (after_in, after_out) = (self.settling.0 as u8, self.settling.1 as u8);
            let longer = lanes.max(self.unsettled, lanes.splat(after_in));
            self.unsettled = lanes.select(in_, longer, self.unsettled);
            self.unsettled = lanes.select(out, lanes.splat(after_out), self.unsettled);
        }
        if carries_launches(MODE) {
            self.send_on_their_way(now, launched, removed);
            self.rest_at_least(moves.rest_out, out);
            self.rest_at_least(moves.rest_in, in_);
        } else {
            self.serving = lanes.sub(self.serving, removed);
            self.rest = lanes.select(out, lanes.splat(moves.rest_out), self.rest);
            self.rest = lanes.select(in_, lanes.splat(moves.rest_in), self.rest);
        }
        self.desired = lanes.sub(lanes.add(self.desired, launched), removed);
        self.bill_draining(now, removed);
        self.note_changes(now, lanes.any(out), lanes.any(in_));
    }

    #[inline(always)]
    fn note_changes(&mut self, now: usize, any_out: bool, any_in: bool) {
        let (in_, out) = self.settling;
        let after_in = self.settled_from.max(now + in_);
        self.settled_from = if any_in { after_in } else { self.settled_from };
        self.settled_from = if any_out { now + out } else { self.settled_from };
    }

    #[inline(always)]
    fn send_on_their_way(&mut self, now: usize, launched: L::Vector, removed: L::Vector) {
        let (lanes, moves) = (self.lanes, self.with.moves);
        self.serving = if moves.acts_while_booting {
            let one = lanes.splat(1);
            let from_serving = lanes.min(removed, lanes.sub_saturating(self.serving, one));
            let from_booting = lanes.sub(removed, from_serving);
            let last = if lanes.any(lanes.le(one, from_booting)) {
                self.remove_newest(now, from_booting)
            } else {
                lanes.splat(0)
            };
            lanes.sub(lanes.sub(self.serving, from_serving), last)
        } else {
            lanes.sub(self.serving, removed)
        };
        if moves.on_the_way() == 0 {
            self.serving = lanes.add(self.serving, launched);
            return;
        }
        let slot = self.pack.launched.at_mut(now);
        let on_the_way = lanes.add(lanes.load(&slot.0), launched);
        lanes.store(on_the_way, &mut slot.0);
        if moves.launch == 0 {
            self.booting = lanes.add(self.booting, launched);
        }
    }

    /// Draining instances are billed to their end, or to the trace's.
    #[inline(always)]
    fn bill_draining(&mut self, now: usize, removed: L::Vector) {
        if now < self.drains_beyond {
            self.removed.add::<W>(self.lanes, removed);
        } else {
            let mut bytes = Bytes::ZERO;
            self.lanes.store(removed, &mut bytes.0);
            add_cold(&mut self.pack.billed, &bytes, (self.with.trace.len() - now) as u32);
        }
    }

    /// Where more are removed than may go of those that serve. What is left then is the last one that serves: all have to go.
    #[inline(always)]
    fn remove_newest(&mut self, now: usize, mut count: L::Vector) -> L::Vector {
        let (lanes, moves) = (self.lanes, self.with.moves);
        for minutes_ago in 0..=moves.on_the_way() {
            let slot = self.pack.launched.at_mut(now.wrapping_sub(minutes_ago));
            let launched = lanes.load(&slot.0);
            let taken = lanes.min(launched, count);
            lanes.store(lanes.sub(launched, taken), &mut slot.0);
            count = lanes.sub(count, taken);
            if usize::from(moves.launch) <= minutes_ago {
                self.booting = lanes.sub(self.booting, taken);
            }
        }
        count
    }

    /// The history of minutes that were passed over: nothing was on its way.
    #[inline(always)]
    fn remember_as_it_is(&mut self, now: usize) {
        for minute in before(now, self.with.watch.points.period - 1) {
            self.lanes.store(self.serving, &mut self.pack.had_serving.at_mut(minute).0);
            *self.pack.had_booting.at_mut(minute) = Bytes::ZERO;
        }
    }

    #[inline(always)]
    fn remember(&mut self, minute: usize) {
        self.lanes.store(self.serving, &mut self.pack.had_serving.at_mut(minute).0);
        if self.with.moves.counts_booting {
            self.lanes.store(self.booting(), &mut self.pack.had_booting.at_mut(minute).0);
        }
    }

    /// `seen`, with the points over a change as they are, where they will be looked at.
    #[inline(always)]
    fn seen_while_moving(&mut self, end: usize, mut seen: L::Vector) -> L::Vector {
        let (lanes, with) = (self.lanes, self.with);
        let over_a_change = lanes.le(lanes.splat(2), self.unsettled);
        let matters = lanes.and_not(over_a_change, lanes.le(lanes.splat(with.watch.reach[end]), self.rest));
        if lanes.any(matters) {
            seen = match &with.trace.units {
                Some(units) if with.watch.points.period <= Units::PERIOD => {
                    self.weighed_over_changes(units, end, seen, matters)
                }
                _ if with.in_steps => self.summed_over_changes(end, seen, matters),
                _ => self.seen_over_changes(end, seen, matters),
            };
        }
        self.unsettled = lanes.sub_saturating(self.unsettled, lanes.splat(1));
        seen
    }

    /// Instances in service that do not serve yet.
    #[inline(always)]
    fn booting(&self) -> L::Vector {
        let (lanes, moves) = (self.lanes, self.with.moves);
        if MODE == ANY || moves.boot == 0 {
            return self.booting;
        }
        let in_service = lanes.le(self.rest, lanes.splat(moves.rest_in_service));
        lanes.keep(in_service, lanes.sub(self.desired, self.serving))
    }

    /// Sums over the lanes' histories, in units: what is left out of them is little, and where it may decide, steps do.
    #[inline(always)]
    fn weighed_over_changes(
        &mut self,
        units: &Units,
        end: usize,
        seen: L::Vector,
        matters: L::Mask,
    ) -> L::Vector {
        let (lanes, none, one) = (self.lanes, self.lanes.splat(0), self.lanes.splat(1));
        let left_out = self.with.watch.points.period as u8 * units.left_out;
        let (over_upper, over_lower) = self.over_thresholds(units, end, left_out);
        let above = lanes.le(lanes.splat(left_out + 1), over_upper);
        let in_between = lanes.select(lanes.eq(over_lower, none), none, self.upper);
        let decided = lanes.select(above, lanes.splat(255), in_between);
        let seen = lanes.select(matters, decided, seen);
        let least = lanes.min(lanes.sub(over_upper, one), lanes.sub(over_lower, one));
        let unsure = lanes.and(matters, lanes.le(least, lanes.splat(left_out - 1)));
        if lanes.any(unsure) { self.summed_over_changes(end, seen, unsure) } else { seen }
    }

    /// By how many units what is seen at the most, all that may be left out included, is over the upper threshold, and over the
    /// lower one: where by none, it does not pass it, and where by more than may be left out, it does.
    #[inline(always)]
    fn over_thresholds(&mut self, units: &Units, end: usize, left_out: u8) -> (L::Vector, L::Vector) {
        let lanes = self.lanes;
        let (sum, weight) = self.weigh(units, end);
        let at_most = lanes.add_words(sum, self.word(left_out.into()));
        let (upper, lower) = self.weighed_thresholds(weight);
        (lanes.excess(at_most, upper), lanes.excess(at_most, lower))
    }

    /// The upper threshold times instance-minutes, in whole units, and the lower one.
    #[inline(always)]
    fn weighed_thresholds(&self, weight: L::Words) -> (L::Words, L::Words) {
        let (lanes, in_units) = (self.lanes, self.in_units);
        if Units::are_wide::<W>() {
            (lanes.mul_high_words(weight, in_units.upper), lanes.mul_high_words(weight, in_units.lower))
        } else {
            (lanes.mul_words(weight, in_units.upper), lanes.mul_words(weight, in_units.lower))
        }
    }

    /// What is shown in a point's minutes, in units, and instance-minutes, to be multiplied by thresholds. Where the point before
    /// was summed up not long ago, what is new is added to it, and what is old taken away.
    #[inline(always)]
    fn weigh(&mut self, units: &Units, end: usize) -> (L::Words, L::Words) {
        let (lanes, period) = (self.lanes, self.with.watch.points.period);
        if period == 1 {
            let ((shown, in_service), none) = (self.added(units, end - 1), lanes.splat(0));
            let (low, high) = if Units::are_wide::<W>() { (none, in_service) } else { (in_service, none) };
            return (shown, lanes.words(low, high));
        }
        let again = end < self.sums.end + period && self.sums.end >= period;
        if !again {
            self.sums.clear(lanes);
        }
        for minute in if again { self.sums.end } else { end - period }..end {
            let (mut shown, in_service) = self.added(units, minute);
            if Units::are_wide::<W>() {
                shown = lanes.mul_high_words(shown, self.word(Units::COARSER));
            }
            self.sums.add::<W>(lanes, shown, in_service);
            if again {
                self.sums.take_away::<W>(lanes, (minute - period) % PLACES);
            }
            self.sums.shown[minute % PLACES] = shown;
            self.sums.in_service[minute % PLACES] = in_service;
        }
        self.sums.end = end;
        let mut weight = self.sums.all_in_service::<W>(lanes);
        if Units::are_wide::<W>() {
            weight = lanes.mul_words(weight, self.word(Units::WEIGHT));
        }
        (self.sums.all_shown, weight)
    }

    /// What a minute adds to its points: what is shown, in units, and instances in service. Nothing, where it is not known.
    #[inline(always)]
    fn added(&self, units: &Units, minute: usize) -> (L::Words, L::Vector) {
        let (lanes, moves) = (self.lanes, self.with.moves);
        let none = lanes.splat(0);
        if !self.with.trace.is_known(minute) {
            return (lanes.words(none, none), none);
        }
        let served = lanes.load(&self.pack.had_serving.at(minute).0);
        let low = lanes.lookup::<W>(units.low.row_of::<W>(minute), served);
        let high = lanes.lookup::<W>(units.high.row_of::<W>(minute), served);
        let shown = lanes.words(low, high);
        if !moves.counts_booting {
            return (shown, served);
        }
        let booted = lanes.load(&self.pack.had_booting.at(minute).0);
        let each_booting = self.word(units.booting);
        let shown_booting = if Units::are_wide::<W>() {
            lanes.mul_high_words(lanes.words(none, booted), each_booting)
        } else {
            lanes.mul_words(lanes.words(booted, none), each_booting)
        };
        (lanes.add_words(shown, shown_booting), lanes.add(served, booted))
    }

    /// The same for every lane.
    #[inline(always)]
    fn word(&self, value: u16) -> L::Words {
        let [low, high] = value.to_le_bytes();
        self.lanes.words(self.lanes.splat(low), self.lanes.splat(high))
    }

    /// Sums over the lanes' histories, in whole steps: 16 lanes at a time, those of which any matters, where a processor looks up
    /// as many at once, else each by itself.
    #[inline(always)]
    fn summed_over_changes(&self, end: usize, seen: L::Vector, matters: L::Mask) -> L::Vector {
        let (lanes, matters) = (self.lanes, self.lanes.bits(matters));
        let mut bytes = Bytes::ZERO;
        lanes.store(seen, &mut bytes.0);
        if W == 16 {
            self.sum_parts(end, matters, &mut bytes);
        } else {
            self.sum_lanes(end, matters, &mut bytes);
        }
        lanes.load(&bytes.0)
    }

    /// A point's minutes of which something is known.
    #[inline(always)]
    fn known(&self, end: usize) -> impl Iterator<Item = usize> {
        (end - self.with.watch.points.period..end).filter(|minute| self.with.trace.is_known(*minute))
    }

    #[inline(always)]
    fn sum_lanes(&self, end: usize, matters: u128, seen: &mut Bytes) {
        let (pack, trace, moves) = (&*self.pack, self.with.trace, self.with.moves);
        let mut left = matters;
        while left != 0 {
            let lane = left.trailing_zeros() as usize % MOST;
            let (mut steps, mut weight) = (0, 0);
            for minute in self.known(end) {
                let serving = pack.had_serving.at(minute).0[lane];
                let booting = u32::from(pack.had_booting.at(minute).0[lane]);
                steps += trace.steps(W, minute, serving) + booting * moves.booting_steps;
                weight += u32::from(serving) + booting;
            }
            let thresholds = (pack.upper_steps[lane], pack.lower_steps[lane]);
            seen.0[lane] = verdict(steps, weight, thresholds, pack.upper.0[lane]);
            left &= left - 1;
        }
    }

    #[inline(always)]
    fn sum_parts(&self, end: usize, matters: u128, seen: &mut Bytes) {
        // What is shown in the point's minutes.
        let mut known = [(0, &[0; 16]); HISTORY];
        let mut count = 0;
        for minute in self.known(end) {
            known[count % HISTORY] = (minute, self.with.trace.shown(minute));
            count += 1;
        }
        let known = &known[..count.min(HISTORY)];
        let counted = self.counted(known);
        for (part, seen) in seen.0.as_chunks_mut::<16>().0.iter_mut().enumerate().take(L::WIDTH / 16) {
            if matters >> (16 * part) & 0xffff != 0 {
                self.sum_part(part, known, &counted, seen);
            }
        }
    }

    /// Instance-minutes of a point: serving and booting. Bytes hold them.
    #[inline(always)]
    fn counted(&self, known: &[(usize, &[u32; 16])]) -> [Bytes; 2] {
        let lanes = self.lanes;
        let (mut serving, mut booting) = (lanes.splat(0), lanes.splat(0));
        for (minute, _) in known {
            serving = lanes.add(serving, lanes.load(&self.pack.had_serving.at(*minute).0));
            booting = lanes.add(booting, lanes.load(&self.pack.had_booting.at(*minute).0));
        }
        let mut counted = [Bytes::ZERO; 2];
        lanes.store(serving, &mut counted[0].0);
        lanes.store(booting, &mut counted[1].0);
        counted
    }

    #[inline(always)]
    fn sum_part(
        &self,
        part: usize,
        known: &[(usize, &[u32; 16])],
        counted: &[Bytes; 2],
        seen: &mut [u8; 16],
    ) {
        let (pack, booting_steps) = (&*self.pack, self.with.moves.booting_steps);
        let of = |bytes: &Bytes| bytes.0.as_chunks::<16>().0[part];
        let mut steps = [0; 16];
        for (minute, shown) in known {
            self.lanes.add_wide(&mut steps, shown, &of(pack.had_serving.at(*minute)));
        }
        let [serving, booting] = [of(&counted[0]), of(&counted[1])].map(|counted| counted.map(u32::from));
        let upper = of(&pack.upper);
        let upper_steps = pack.upper_steps.as_chunks::<16>().0[part];
        let lower_steps = pack.lower_steps.as_chunks::<16>().0[part];
        for lane in 0..16 {
            let steps = steps[lane] + booting[lane] * booting_steps;
            let weight = serving[lane] + booting[lane];
            seen[lane] = verdict(steps, weight, (upper_steps[lane], lower_steps[lane]), upper[lane]);
        }
    }

    /// Lanes with the same history see the same.
    #[inline(always)]
    fn seen_over_changes(&self, end: usize, mut seen: L::Vector, mut left: L::Mask) -> L::Vector {
        let lanes = self.lanes;
        while lanes.any(left) {
            let lane = lanes.bits(left).trailing_zeros() as usize;
            let mut alike = left;
            for minute in before(end, self.with.watch.points.period) {
                for had in [self.pack.had_serving.at(minute), self.pack.had_booting.at(minute)] {
                    alike = lanes.and(alike, lanes.eq(lanes.load(&had.0), lanes.splat(had.0[lane % MOST])));
                }
            }
            seen = lanes.select(alike, lanes.splat(seen_by(self.with, self.pack, lane, end)), seen);
            left = lanes.and_not(left, alike);
        }
        seen
    }

    /// Scheduled actions wait for nothing.
    #[inline(always)]
    fn follow_schedule(&mut self, now: usize) {
        let (lanes, with) = (self.lanes, self.with);
        for (_, change) in with.moves.changes.iter().filter(|(at, _)| *at == now) {
            self.limit(change);
            let wanted = change.desired_capacity.map_or(self.desired, |desired| lanes.splat(byte(desired)));
            let wanted = lanes.min(lanes.max(wanted, self.min), self.max);
            let launched = lanes.sub_saturating(wanted, self.desired);
            let removed = lanes.sub_saturating(self.desired, wanted);
            let one = lanes.splat(1);
            let (out, in_) = (lanes.le(one, launched), lanes.le(one, removed));
            self.change_capacity(now, launched, removed, out, in_);
        }
        self.next_change = with.moves.next_change(now + 1);
    }

    #[inline(always)]
    fn limit(&mut self, change: &CapacityChange) {
        let (min, max) = self.limits;
        self.set_limits((change.min_size.map_or(min, byte), change.max_size.map_or(max, byte)));
    }

    /// Where the limits contradict each other, the upper one wins.
    #[inline(always)]
    fn set_limits(&mut self, (min, max): (u8, u8)) {
        self.limits = (min, max);
        (self.min, self.max) = (self.lanes.splat(min.min(max)), self.lanes.splat(max));
    }

    #[inline(always)]
    fn count_block(&mut self) {
        self.blocks += 1;
        if self.blocks == BLOCKS {
            self.write();
        }
    }

    #[inline(always)]
    fn write(&mut self) {
        let lanes = self.lanes;
        let mut bytes = Bytes::ZERO;
        lanes.store(self.minutes_over, &mut bytes.0);
        add(&mut self.pack.minutes_over, &bytes, 1);
        self.minutes_over = lanes.splat(0);
        self.billed_in_blocks.write::<W>(lanes, &mut self.pack.billed, BLOCK as u32);
        self.write_busy_minutes();
        self.blocks = 0;
    }

    #[inline(always)]
    fn write_busy_minutes(&mut self) {
        let (lanes, billed) = (self.lanes, &mut self.pack.billed);
        self.billed.write::<W>(lanes, billed, 1);
        self.removed.write::<W>(lanes, billed, u32::from(self.with.moves.drain));
    }
}

/// A byte that is above the upper threshold, below the lower one or, as the upper one itself is, neither.
#[inline(always)]
fn verdict(steps: u32, weight: u32, (upper_steps, lower_steps): (u32, u32), upper: u8) -> u8 {
    if upper_steps * weight < steps {
        255
    } else if steps < lower_steps * weight {
        0
    } else {
        upper
    }
}

/// What the alarms see of one lane's history. Apart, so that the hot loop keeps its registers.
#[cold]
#[inline(never)]
fn seen_by(with: Given<'_>, pack: &Pack, lane: usize, end: usize) -> u8 {
    let minutes = end.saturating_sub(with.watch.points.period)..end;
    let point = point(minutes.map(|minute| {
        let had = |had: &Ring| had.at(minute).0[lane];
        with.trace.metric(minute, had(&pack.had_serving), had(&pack.had_booting))
    }));
    with.ranks.of_cpu(point.unwrap_or(0.0))
}

#[cold]
#[inline(never)]
fn each(watch: &Watch, now: usize) -> &Each {
    watch.each(now)
}

#[cold]
#[inline(never)]
fn add_cold(sums: &mut [u32; MOST], bytes: &Bytes, weight: u32) {
    add(sums, bytes, weight);
}

#[inline(always)]
fn add(sums: &mut [u32; MOST], bytes: &Bytes, weight: u32) {
    sums.iter_mut().zip(bytes.0).for_each(|(sum, byte)| *sum += u32::from(byte) * weight);
}

/// No more than a byte holds.
pub(super) fn byte(instances: Instances) -> u8 {
    instances.0.min(255) as u8
}
