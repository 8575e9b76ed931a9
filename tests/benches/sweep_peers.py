"""Python peers of our sweep: the same rules, written as six kinds of Python users would, with the same answers.

    python tests/benches/sweep_peers.py DIR ... [--only NAME ...] [--json]

Each DIR holds a trace (`trace.csv`, a row a minute, empty where traffic is unknown), the delays (`dynamics.json`) and
policies with our answers to them (`policies.csv`). A peer takes (trace, dynamics, policies) and returns, for each
policy, the minutes with CPU at or over the ceiling and the billed instance minutes:

    numba_every     compiled; every policy to its end; on one thread and on two
    numba_ceiling   the same, each policy left at its first minute over the ceiling
    python_loop     a loop over minutes, without libraries
    pandas_loop     the same over the rows of a frame, as in the talk
    simpy_loop      processes of SimPy: instances, alarms, a policy
    numpy_batch     arrays over thousands of policies, in a loop over minutes

Slow peers get some of the policies and the first days. Answers are compared to the last digit before any rate is
printed: numba's with ours, and the others' with numba's on what they were given. A rate is policies times minutes of
the trace over seconds, whether or not a peer leaves early; compiling is left out.
"""

import argparse
import csv
import json
import math
import statistics
import sys
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

import numba
import numpy as np
import pandas as pd
import simpy

# Points beyond the evaluation periods that an alarm looks at.
EXTRA_POINTS = 2
# Steps in which an instance's CPU is shown, to a percent.
STEPS = 1024
# Peers keep an alarm's points as bits of a number.
BITS = 63
# Minutes that the compiled peer can look back, and plan ahead: a power of two known to the compiler, which then knows
# that no index into a ring is negative.
RING = 64
MASK = RING - 1
THREADS = [1, 2]
ROUNDS, SECONDS_EACH = 5, 2.0
# Policies and minutes that the slow peers get.
SIZES = {"python_loop": (30, 2880), "pandas_loop": (10, 2880), "simpy_loop": (10, 2880), "numpy_batch": (4096, 2880)}


class Dynamics(NamedTuple):
    """Delays in minutes, CPU in percent."""

    intercept_percent: float
    ceiling_percent: float
    metric_delay: int
    launch: int
    boot: int
    booting_cpu_percent: float
    drain: int
    initial: int


class Policies(NamedTuple):
    """A column for each setting; `policies.csv` has them in this order."""

    upper: np.ndarray
    lower: np.ndarray
    up: np.ndarray
    down: np.ndarray
    period: np.ndarray
    evaluation_periods: np.ndarray
    cooldown_minutes: np.ndarray
    min_size: np.ndarray
    max_size: np.ndarray

    def at(self, rows):
        return Policies(*(column[rows] for column in self))

    def each(self):
        return [Policy(*values) for values in zip(*(column.tolist() for column in self))]


class Policy(NamedTuple):
    """One row of `Policies`."""

    upper: float
    lower: float
    up: int
    down: int
    period: int
    evaluation_periods: int
    cooldown_minutes: int
    min_size: int
    max_size: int

    def after(self, high, size):
        """The size that an alarm asks for, within the limits."""
        return min(size + self.up, self.max_size) if high else max(size - self.down, self.min_size)


# numba


@numba.njit(error_model="numpy")
def alarms_with_gaps(known, breaching, points, period, needed, before):
    """Whether the alarm is on where some of its newest points are missing; bit 0 is the newest point."""
    real, oldest_back = 0, 0
    for back in range(points):
        if (known >> back * period) & 1:
            if real < needed and not (breaching >> back * period) & 1:
                return False
            real += 1
            oldest_back = back + 1
    return real >= needed or (real > 0 and (before or oldest_back >= needed))


@numba.njit(error_model="numpy")
def bits_of_window(period, needed, delay):
    """The points that an alarm evaluates, where they lie once they can be seen."""
    window = 0
    for back in range(needed):
        window |= 1 << (back * period + delay)
    return window


@numba.njit(error_model="numpy")
def newest_minutes(sums, weights, now, period):
    """Sum and weight over `period` minutes, the oldest first: another order gives another last digit."""
    total, weight = 0.0, 0.0
    for minute in range(now + 1 - period, now + 1):
        total += sums[minute & MASK]
        weight += weights[minute & MASK]
    return total, weight


@numba.njit(error_model="numpy")
def remove_newest(joining, now, count):
    """Takes `count` instances from those that boot, whose minutes of joining all lie after `now`."""
    minute = now + MASK
    while count > 0:
        taken = min(count, joining[minute & MASK])
        joining[minute & MASK] -= taken
        count -= taken
        minute -= 1


@numba.njit(error_model="numpy")
def replay(trace, dynamics, policy, stop_at_ceiling):
    """Minutes over the ceiling and billed instance minutes of one policy."""
    intercept, ceiling, delay, launch, boot, booting_cpu, drain, initial = dynamics
    upper, lower, up, down, period, needed, cooldown, least, most = policy
    minutes = trace.shape[0]
    # Instances that begin to serve, by minute.
    joining = np.zeros(RING, np.int64)
    sums, weights = np.zeros(RING), np.zeros(RING)
    desired = min(max(initial, least), most)
    serving, booting = desired, 0
    # No request is accepted before the launch of the one before is over: there is one launch at a time.
    launching, in_service_from = 0, -1
    accepted_from = 0
    # The newest points, the last one in bit 0: whether it is known, and outside of a threshold.
    known, above, below = 0, 0, 0
    window = bits_of_window(period, needed, delay)
    full_at = needed * period + delay
    high, low = False, False
    over, billed = 0, 0
    for now in range(minutes):
        if now == in_service_from:
            booting += launching
        joined = joining[now & MASK]
        if joined > 0:
            joining[now & MASK] = 0
            booting -= joined
            serving += joined
        if now >= full_at:
            if known & window == window:
                high, low = above & window == window, below & window == window
            else:
                points = min(needed + EXTRA_POINTS, (now - delay) // period)
                high = alarms_with_gaps(known >> delay, above >> delay, points, period, needed, high)
                low = alarms_with_gaps(known >> delay, below >> delay, points, period, needed, low)
            if now >= accepted_from and (high or low):
                wanted = min(desired + up, most) if high else max(desired - down, least)
                if wanted > desired:
                    launching, in_service_from = wanted - desired, now + launch
                    joining[(in_service_from + boot) & MASK] += launching
                    accepted_from = in_service_from + cooldown
                elif wanted < desired:
                    removed = desired - wanted
                    from_serving = min(removed, serving - 1)
                    serving -= from_serving
                    booting -= removed - from_serving
                    remove_newest(joining, now, removed - from_serving)
                    billed += removed * min(drain, minutes - now)
                    accepted_from = now + drain + cooldown
                desired = wanted
        billed += desired
        total, weight = 0.0, 0.0
        demand = trace[now]
        if not np.isnan(demand):
            cpu = min(max(intercept + demand / serving, 0.0), 100.0)
            over += cpu >= ceiling
            if stop_at_ceiling and over > 0:
                return over, billed
            shown = np.floor(cpu * STEPS + 0.5) / STEPS
            total, weight = serving * shown + booting * booting_cpu, float(serving + booting)
        if period > 1:
            sums[now & MASK], weights[now & MASK] = total, weight
            if period == 5:
                # The usual length: a loop of a length that is known is unrolled.
                total, weight = newest_minutes(sums, weights, now, 5)
            else:
                total, weight = newest_minutes(sums, weights, now, period)
        value = total / weight
        known = known << 1 | (weight > 0.0)
        above = above << 1 | (value > upper)
        below = below << 1 | (value < lower)
    return over, billed


@numba.njit(error_model="numpy", parallel=True)
def replay_all(trace, dynamics, policies, stop_at_ceiling):
    upper, lower, up, down, period, needed, cooldown, least, most = policies
    over, billed = np.empty(upper.shape[0], np.int64), np.empty(upper.shape[0], np.int64)
    for i in numba.prange(upper.shape[0]):
        policy = (upper[i], lower[i], up[i], down[i], period[i], needed[i], cooldown[i], least[i], most[i])
        over[i], billed[i] = replay(trace, dynamics, policy, stop_at_ceiling)
    return over, billed


def numba_sweep(trace, dynamics, policies, threads, stop_at_ceiling):
    numba.set_num_threads(threads)
    # Policies differ in length where they may leave early: small portions keep both threads busy.
    with numba.parallel_chunksize(32):
        return replay_all(trace, tuple(dynamics), tuple(policies), stop_at_ceiling)


def numba_every(trace, dynamics, policies, threads=1):
    return numba_sweep(trace, dynamics, policies, threads, False)


def numba_ceiling(trace, dynamics, policies, threads=1):
    return numba_sweep(trace, dynamics, policies, threads, True)


# Plain Python


def is_alarm(points, needed, before):
    """Whether an alarm is on; a point, newest first, is None where it is missing, and else whether it breaches."""
    real = [breaching for breaching in points if breaching is not None]
    if not all(real[:needed]):
        return False
    if len(real) >= needed:
        return True
    oldest_back = max((back for back, breaching in enumerate(points, 1) if breaching is not None), default=0)
    return bool(real) and (before or oldest_back >= needed)


def newest_points(points, period, needed, end):
    """Values of the points that end at `end` and whole periods before it, newest first."""
    count = min(needed + EXTRA_POINTS, end // period)
    return [points[end - back * period] for back in range(count)]


def breaches(values, outside):
    return [None if value is None else outside(value) for value in values]


def point(metrics, period):
    """The average over the newest `period` minutes, None where nothing is known."""
    total, weight = 0.0, 0
    # One by one, the oldest first: newer versions of Python have a more exact `sum`, with another last digit.
    for minute_total, minute_weight in metrics[-period:]:
        total += minute_total
        weight += minute_weight
    return total / weight if weight > 0 and len(metrics) >= period else None


class Group:
    """Instances, as counts; those that are not yet in service or not yet serving lie in batches, oldest first."""

    def __init__(self, dynamics, policy):
        self.dynamics, self.policy = dynamics, policy
        self.desired = self.serving = min(max(dynamics.initial, policy.min_size), policy.max_size)
        self.batches = deque()
        self.draining, self.gone_at = 0, 0
        self.accepted_from = 0

    def advance(self, now):
        while self.batches and self.batches[0][1] <= now:
            self.serving += self.batches.popleft()[2]
        if now >= self.gone_at:
            self.draining = 0

    def booting(self, now):
        return sum(count for in_service_from, _, count in self.batches if in_service_from <= now)

    def act(self, now, high):
        wanted = self.policy.after(high, self.desired)
        if now < self.accepted_from or wanted == self.desired:
            return
        activity = self.launch(now, wanted) if wanted > self.desired else self.end(now, wanted)
        self.accepted_from = activity + self.policy.cooldown_minutes
        self.desired = wanted

    def launch(self, now, wanted):
        in_service_from = now + self.dynamics.launch
        self.batches.append([in_service_from, in_service_from + self.dynamics.boot, wanted - self.desired])
        return in_service_from

    def end(self, now, wanted):
        self.gone_at = now + self.dynamics.drain
        self.draining = self.desired - wanted if self.dynamics.drain > 0 else 0
        from_serving = min(self.desired - wanted, self.serving - 1)
        self.serving -= from_serving
        self.end_newest(self.desired - wanted - from_serving)
        return self.gone_at

    def end_newest(self, count):
        while count > 0:
            taken = min(count, self.batches[-1][2])
            self.batches[-1][2] -= taken
            count -= taken
            if self.batches[-1][2] == 0:
                self.batches.pop()


def python_replay(trace, dynamics, policy):
    group = Group(dynamics, policy)
    period, needed = policy.period, policy.evaluation_periods
    metrics, points = [], [None]
    high = low = False
    over = billed = 0
    for now, demand in enumerate(trace):
        group.advance(now)
        end = now - dynamics.metric_delay
        if end >= needed * period:
            values = newest_points(points, period, needed, end)
            high = is_alarm(breaches(values, policy.upper.__lt__), needed, high)
            low = is_alarm(breaches(values, policy.lower.__gt__), needed, low)
            if high or low:
                group.act(now, high)
        billed += group.desired + group.draining
        if demand != demand:
            metrics.append((0.0, 0))
        else:
            serving, booting = group.serving, group.booting(now)
            cpu = min(max(dynamics.intercept_percent + demand / serving, 0.0), 100.0)
            over += cpu >= dynamics.ceiling_percent
            shown = math.floor(cpu * STEPS + 0.5) / STEPS
            metrics.append((serving * shown + booting * dynamics.booting_cpu_percent, serving + booting))
        points.append(point(metrics, period))
    return over, billed


def replay_each(replay_one, trace, dynamics, policies):
    minutes = trace.tolist()
    answers = [replay_one(minutes, dynamics, policy) for policy in policies.each()]
    return tuple(np.array(column) for column in zip(*answers))


def python_loop(trace, dynamics, policies):
    return replay_each(python_replay, trace, dynamics, policies)


def pandas_replay(trace, dynamics, policy):
    rows = pd.DataFrame({"demand": trace}).iterrows()
    return python_replay((row["demand"] for _, row in rows), dynamics, policy)


def pandas_loop(trace, dynamics, policies):
    return replay_each(pandas_replay, trace, dynamics, policies)


# SimPy

# What happens within a minute, in this order: instances move on at its start, then these.
LOOK, DECIDE, MEASURE = 0.25, 0.5, 0.75


class Instance:
    """Launches, boots and serves until it is interrupted, and drains then."""

    def __init__(self, environment, state):
        self.environment, self.state = environment, state
        self.process = environment.env.process(self.live())

    def live(self):
        env, dynamics = self.environment.env, self.environment.dynamics
        born = int(env.now)
        try:
            if self.state == "launching":
                yield at(env, born + dynamics.launch)
                self.state = "booting"
                yield at(env, born + dynamics.launch + dynamics.boot)
                self.state = "serving"
            yield env.event()
        except simpy.Interrupt:
            self.environment.draining += 1
            yield at(env, int(env.now) + dynamics.drain)
            self.environment.draining -= 1


def at(env, minute):
    return env.timeout(max(minute - env.now, 0))


class Environment:
    """One Beanstalk environment under a policy, as SimPy processes that share its state."""

    def __init__(self, trace, dynamics, policy):
        self.env = simpy.Environment()
        self.trace, self.dynamics, self.policy = trace, dynamics, policy
        size = min(max(dynamics.initial, policy.min_size), policy.max_size)
        self.instances = [Instance(self, "serving") for _ in range(size)]
        self.draining = self.over = self.billed = 0
        self.metrics, self.points = [], [None]
        self.high = self.low = self.resting = False
        self.env.process(self.alarm("high", policy.upper.__lt__))
        self.env.process(self.alarm("low", policy.lower.__gt__))
        self.env.process(self.follow_policy())
        self.env.process(self.measure())

    def run(self):
        self.env.run(until=len(self.trace))
        return self.over, self.billed

    def count(self, state):
        return sum(instance.state == state for instance in self.instances)

    def alarm(self, name, outside):
        period, needed = self.policy.period, self.policy.evaluation_periods
        # It can't be on before its window is full.
        yield self.env.timeout(needed * period + self.dynamics.metric_delay + LOOK)
        while True:
            end = int(self.env.now) - self.dynamics.metric_delay
            values = newest_points(self.points, period, needed, end)
            setattr(self, name, is_alarm(breaches(values, outside), needed, getattr(self, name)))
            yield self.env.timeout(1)

    def follow_policy(self):
        yield self.env.timeout(DECIDE)
        while True:
            if (self.high or self.low) and not self.resting:
                self.change_capacity(self.policy.after(self.high, len(self.instances)))
            yield self.env.timeout(1)

    def change_capacity(self, wanted):
        size = len(self.instances)
        if wanted > size:
            self.instances += [Instance(self, "launching") for _ in range(wanted - size)]
            self.env.process(self.rest(self.dynamics.launch))
        elif wanted < size:
            for _ in range(size - wanted):
                self.end_one()
            self.env.process(self.rest(self.dynamics.drain))

    def end_one(self):
        """One that serves, but never the last of them; else the newest."""
        serving = [instance for instance in self.instances if instance.state == "serving"]
        goes = serving[0] if len(serving) > 1 else self.instances[-1]
        self.instances.remove(goes)
        goes.process.interrupt()

    def rest(self, activity):
        self.resting = True
        yield at(self.env, int(self.env.now) + activity + self.policy.cooldown_minutes)
        self.resting = False

    def measure(self):
        yield self.env.timeout(MEASURE)
        for demand in self.trace:
            self.billed += len(self.instances) + self.draining
            self.metrics.append((0.0, 0) if demand != demand else self.group_cpu(demand))
            self.points.append(point(self.metrics, self.policy.period))
            yield self.env.timeout(1)

    def group_cpu(self, demand):
        """CPU of all instances that report, added up, and how many they are."""
        serving, booting = self.count("serving"), self.count("booting")
        cpu = min(max(self.dynamics.intercept_percent + demand / serving, 0.0), 100.0)
        self.over += cpu >= self.dynamics.ceiling_percent
        shown = math.floor(cpu * STEPS + 0.5) / STEPS
        return serving * shown + booting * self.dynamics.booting_cpu_percent, serving + booting


def simpy_loop(trace, dynamics, policies):
    return replay_each(lambda *scenario: Environment(*scenario).run(), trace, dynamics, policies)


# NumPy


class Batch:
    """Thousands of groups at once, an array entry each; policies of one period lie side by side."""

    def __init__(self, dynamics, policies, minutes):
        self.dynamics, self.policies, self.minutes = dynamics, policies, minutes
        count = len(policies.upper)
        self.ring = int(max(dynamics.launch + dynamics.boot + 1, policies.period.max()))
        self.desired = np.clip(dynamics.initial, policies.min_size, policies.max_size)
        self.serving, self.booting = self.desired.astype(float), np.zeros(count)
        # Instances that come into service, and that begin to serve, by minute.
        self.starting, self.joining = np.zeros((self.ring, count)), np.zeros((self.ring, count))
        self.sums, self.weights = np.zeros((self.ring, count)), np.zeros((self.ring, count))
        self.accepted_from = np.zeros(count, np.int64)
        # The newest points, the last one in bit 0.
        self.above, self.below = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.high, self.low = np.zeros(count, bool), np.zeros(count, bool)
        self.over, self.billed = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self.periods = [OnePeriod(self, period) for period in np.unique(policies.period).tolist()]

    def advance(self, now):
        starting, joining = self.starting[now % self.ring], self.joining[now % self.ring]
        self.booting += starting
        self.booting -= joining
        self.serving += joining
        starting[:], joining[:] = 0, 0

    def decide(self, now):
        rows = np.flatnonzero((self.high | self.low) & (self.accepted_from <= now))
        policies, desired, high = self.policies, self.desired[rows], self.high[rows]
        more = np.minimum(desired + policies.up[rows], policies.max_size[rows])
        fewer = np.maximum(desired - policies.down[rows], policies.min_size[rows])
        change = np.where(high, more, fewer) - desired
        self.launch(now, rows[change > 0], change[change > 0])
        self.end(now, rows[change < 0], -change[change < 0])
        self.desired[rows] += change

    def launch(self, now, rows, count):
        in_service_from = now + self.dynamics.launch
        self.starting[in_service_from % self.ring, rows] += count
        self.joining[(in_service_from + self.dynamics.boot) % self.ring, rows] += count
        self.accepted_from[rows] = in_service_from + self.policies.cooldown_minutes[rows]

    def end(self, now, rows, count):
        from_serving = np.minimum(count, self.serving[rows] - 1)
        self.serving[rows] -= from_serving
        left = count - from_serving
        self.end_newest(now, rows[left > 0], left[left > 0])
        self.billed[rows] += count * min(self.dynamics.drain, self.minutes - now)
        self.accepted_from[rows] = now + self.dynamics.drain + self.policies.cooldown_minutes[rows]

    def end_newest(self, now, rows, left):
        # All that boot are in service by now, since nothing is accepted during a launch.
        self.booting[rows] -= left
        for ahead in range(self.dynamics.boot, 0, -1) if len(rows) else []:
            joining = self.joining[(now + ahead) % self.ring]
            taken = np.minimum(left, joining[rows])
            joining[rows] -= taken
            left = left - taken

    def measure(self, now, demand):
        self.billed += self.desired
        sums, weights = self.sums[now % self.ring], self.weights[now % self.ring]
        if np.isnan(demand):
            sums[:], weights[:] = 0, 0
            return
        cpu = self.dynamics.intercept_percent + demand / self.serving
        np.clip(cpu, 0.0, 100.0, out=cpu)
        self.over += cpu >= self.dynamics.ceiling_percent
        cpu = np.floor(cpu * STEPS + 0.5) / STEPS
        np.multiply(self.serving, cpu, out=sums)
        sums += self.booting * self.dynamics.booting_cpu_percent
        np.add(self.serving, self.booting, out=weights)


class OnePeriod:
    """The alarms of the policies with one period. Which of their points are known is the same for all of them."""

    def __init__(self, batch, period):
        self.batch, self.period = batch, period
        rows = np.flatnonzero(batch.policies.period == period)
        self.rows = slice(rows[0], rows[-1] + 1)
        self.needed = batch.policies.evaluation_periods[self.rows]
        self.upper, self.lower = batch.policies.upper[self.rows], batch.policies.lower[self.rows]
        self.most_needed = int(self.needed.max())
        windows = [sum(1 << back * period for back in range(needed)) for needed in range(self.most_needed + 1)]
        self.windows, self.known = np.array(windows)[self.needed], 0

    def look(self, now):
        delay, rows = self.batch.dynamics.metric_delay, self.rows
        is_full = now - delay >= self.needed * self.period
        if not is_full.any():
            return
        widest = self.most_needed + EXTRA_POINTS
        is_known = [self.known >> delay + back * self.period & 1 for back in range(widest)]
        judge = self.all_known if all(is_known[:self.most_needed]) else self.with_gaps
        for bits, alarm in (self.batch.above, self.batch.high), (self.batch.below, self.batch.low):
            alarm[rows] = is_full & judge(bits[rows] >> delay, is_known, alarm[rows])

    def all_known(self, bits, _is_known, _before):
        return bits & self.windows == self.windows

    def with_gaps(self, bits, is_known, before):
        real, oldest_back = np.zeros(len(bits), np.int64), np.zeros(len(bits), np.int64)
        is_fine = np.zeros(len(bits), bool)
        for back in (back for back, known in enumerate(is_known) if known):
            is_looked_at = back < self.needed + EXTRA_POINTS
            is_breaching = bits >> back * self.period & 1 == 1
            is_fine |= is_looked_at & (real < self.needed) & ~is_breaching
            real += is_looked_at
            oldest_back[is_looked_at] = back + 1
        is_enough = (real >= self.needed) | ((real > 0) & (before | (oldest_back >= self.needed)))
        return is_enough & ~is_fine

    def note(self, now):
        """Takes the point that ends with the minute `now`, once there is a whole one."""
        if now + 1 < self.period:
            return
        total, weight = self.window(self.batch.sums, now), self.window(self.batch.weights, now)
        is_known = bool(weight[0] > 0)
        self.known = (self.known << 1 | is_known) & (1 << BITS) - 1
        value = total / weight if is_known else np.full(len(total), np.nan)
        for bits, is_outside in (self.batch.above, value > self.upper), (self.batch.below, value < self.lower):
            bits[self.rows] <<= 1
            bits[self.rows] |= is_outside

    def window(self, minutes, now):
        minutes, ring = minutes[:, self.rows], self.batch.ring
        if self.period == 1:
            return minutes[now % ring]
        total = minutes[(now + 1 - self.period) % ring].copy()
        for minute in range(now + 2 - self.period, now + 1):
            total += minutes[minute % ring]
        return total


def numpy_batch(trace, dynamics, policies):
    order = np.argsort(policies.period, kind="stable")
    batch = Batch(dynamics, policies.at(order), len(trace))
    for now, demand in enumerate(trace.tolist()):
        batch.advance(now)
        for one in batch.periods:
            one.look(now)
        batch.decide(now)
        batch.measure(now, demand)
        for one in batch.periods:
            one.note(now)
    back = np.argsort(order)
    return batch.over[back], batch.billed[back]


# Reading, checking and timing


def read_trace(path):
    cells = [line.strip().strip('"') for line in path.read_text().splitlines()[1:]]
    return np.array([float(cell) if cell else np.nan for cell in cells])


def read_dynamics(path):
    values = json.loads(path.read_text())
    return Dynamics(*(kind(values[name]) for name, kind in Dynamics.__annotations__.items()))


def read_policies(path):
    """The policies, and our answers: minutes over the ceiling and billed instance minutes."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows:
        sys.exit(f"{path}: no policies")
    column = lambda name, kind: np.array([kind(row[name]) for row in rows])
    kinds = Policy.__annotations__
    policies = Policies(*(column(name, kind) for name, kind in kinds.items()))
    return policies, (column("minutes_over", int), column("billed", int))


def check_limits(dynamics, policies):
    reach = (policies.evaluation_periods + EXTRA_POINTS) * policies.period + dynamics.metric_delay
    if reach.max() > BITS:
        sys.exit(f"policy {reach.argmax()}: its alarms look at {reach.max()} minutes, the peers at {BITS} at most")
    if dynamics.launch < 1:
        sys.exit(f"the peers need a launch of a minute or more, not `{dynamics.launch}`")
    if dynamics.launch + dynamics.boot >= RING:
        sys.exit(f"launch and boot are `{dynamics.launch + dynamics.boot}` minutes, the peers allow {RING - 1} at most")


def check(peer, policies, answers, expected):
    """Ends the run with the first policy that is answered otherwise."""
    wrong = np.flatnonzero((answers[0] != expected[0]) | (answers[1] != expected[1]))
    if len(wrong):
        first = wrong[0]
        told, truth = ([int(column[first]) for column in both] for both in (answers, expected))
        sys.exit(
            f"{peer}: {len(wrong)} of {len(policies.upper)} policies differ, the first is number {first} (from 0), "
            f"{policies.each()[first]}: {told[0]} minutes over and {told[1]} billed, not {truth[0]} and {truth[1]}"
        )


def check_ceiling(peer, policies, answers, expected):
    """A policy that was left early says only that it was: what it had been billed by then is passed over."""
    is_left = expected[0] > 0
    told = answers[0], np.where(is_left, 0, answers[1])
    check(peer, policies, told, (is_left.astype(int), np.where(is_left, 0, expected[1])))


def timed(work):
    """The answer, and the median of a few runs, or the time of one where that is long."""
    seconds = []
    while not seconds or (len(seconds) < ROUNDS and sum(seconds) < SECONDS_EACH):
        start = time.perf_counter()
        answers = work()
        seconds.append(time.perf_counter() - start)
    return answers, statistics.median(seconds)


def record(peer, threads, trace, policies, seconds):
    count, minutes = len(policies.upper), len(trace)
    return {
        "peer": peer, "threads": threads, "minutes_per_second": count * minutes / seconds,
        "policies": count, "minutes": minutes,
    }


def usable_threads():
    return [threads for threads in THREADS if threads <= numba.config.NUMBA_NUM_THREADS]


def compile_numba(trace, dynamics, policies):
    """Both peers are one function, and its threads are started once."""
    for threads in usable_threads():
        numba_every(trace[:1], dynamics, policies.at(slice(0, 1)), threads)


def run_numba(peer, check_answers, trace, dynamics, policies, ours):
    for threads in usable_threads():
        answers, seconds = timed(lambda: peer(trace, dynamics, policies, threads))
        check_answers(peer.__name__, policies, answers, ours)
        yield record(peer.__name__, threads, trace, policies, seconds)


def some_of(policies, count):
    """That many policies, from first to last; over and over where there are too few."""
    there = len(policies.upper)
    return policies.at(np.arange(count) * there // count if count <= there else np.arange(count) % there)


def run_part(peer, trace, dynamics, policies):
    count, minutes = SIZES[peer.__name__]
    count = count if peer is numpy_batch else min(count, len(policies.upper))
    trace, policies = trace[:minutes], some_of(policies, count)
    answers, seconds = timed(lambda: peer(trace, dynamics, policies))
    check(peer.__name__, policies, answers, numba_every(trace, dynamics, policies))
    yield record(peer.__name__, 1, trace, policies, seconds)


def run(names, trace, dynamics, policies, ours):
    compile_numba(trace, dynamics, policies)
    if not {"numba_every", "numba_ceiling"} & set(names):
        check("numba_every", policies, numba_every(trace, dynamics, policies), ours)
    for name in names:
        if name == "numba_every":
            yield from run_numba(numba_every, check, trace, dynamics, policies, ours)
        elif name == "numba_ceiling":
            yield from run_numba(numba_ceiling, check_ceiling, trace, dynamics, policies, ours)
        else:
            yield from run_part(PARTS[name], trace, dynamics, policies)


PARTS = {peer.__name__: peer for peer in (python_loop, pandas_loop, simpy_loop, numpy_batch)}
NAMES = ["numba_every", "numba_ceiling", *PARTS]


def show(answer):
    peer, threads, rate = answer["peer"], answer["threads"], answer["minutes_per_second"]
    print(f"{peer:<14} {threads:>7} {rate:>27,.0f} {answer['policies']:>9,} {answer['minutes']:>8,}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directories", type=Path, metavar="DIR", nargs="+", help="with trace.csv, dynamics.json and policies.csv")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--json", action="store_true", help="a JSON line for each peer in place of a table")
    options = parser.parse_args()
    if not options.json:
        print(f"{'peer':<14} {'threads':>7} {'simulated minutes a second':>27} {'policies':>9} {'minutes':>8}")
    for directory in options.directories:
        trace, dynamics = read_trace(directory / "trace.csv"), read_dynamics(directory / "dynamics.json")
        policies, ours = read_policies(directory / "policies.csv")
        check_limits(dynamics, policies)
        for answer in run(options.only, trace, dynamics, policies, ours):
            print(json.dumps({"directory": directory.name, **answer}), flush=True) if options.json else show(answer)


if __name__ == "__main__":
    main()
