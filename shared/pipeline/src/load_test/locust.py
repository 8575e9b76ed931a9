# {signature}, which would write it anew: keep users of your own in another file beside it (below).
#
#     locust --locustfile FILE --host https://test.example.com --headless
#
# Locust knows users, not rates. In each second there are as many users as the rate asks for, each of which starts a task
# every SECONDS_BETWEEN_TASKS. A task that takes longer holds its user up, and the rate falls behind: how far is said at
# the end, and more than 5 % is a failure.{filled}
#
# A file with users of your own, if this one is called launch.py (a task of theirs may ask for more than one thing):
#
#     from launch import PacedUser, TrafficShape
#
#     TrafficShape.requests_per_task = 3

import bisect
import itertools
import logging
import time

import gevent
from locust import FastHttpUser, LoadTestShape, events, task
from locust.runners import WorkerRunner

SHAPE = {shape}
SECONDS_BETWEEN_TASKS = {seconds_between_tasks}

# Straight lines, one after the other: the second at which it ends, requests per minute where it begins and where it ends.
LEGS = [
{legs}
]
ENDS = [end for end, _, _ in LEGS]


def rate(second):
    """Requests per minute at that second of the test."""
    index = min(bisect.bisect_right(ENDS, second), len(LEGS) - 1)
    begin = ENDS[index - 1] if index else 0
    end, first, last = LEGS[index]
    return first + (last - first) * min(1, (second - begin) / (end - begin))


def requests(until):
    """Requests that the shape asks for up to that second of the test."""
    total, begin = 0, 0
    for end, first, last in LEGS:
        share = min(1, max(0, (until - begin) / (end - begin)))
        total += (end - begin) / 60 * share * (first + (last - first) * share / 2)
        begin = end
    return total


class TrafficShape(LoadTestShape):
    requests_per_task = 1
    users = 0
    spawn_rate = 1

    def tick(self):
        now = self.get_run_time()
        if ENDS[-1] <= now:
            return None
        # The next look is a second later.
        tasks_per_second = rate(now + 0.5) / 60 / self.requests_per_task
        users = round(tasks_per_second * SECONDS_BETWEEN_TASKS)
        if users != self.users:
            self.spawn_rate = abs(users - self.users)
            self.users = users
        return self.users, self.spawn_rate


class PacedUser(FastHttpUser):
    """Starts a task every SECONDS_BETWEEN_TASKS. An `on_start` of your own begins with `super().on_start()`."""

    abstract = True
    spawned = itertools.count()

    def on_start(self):
        # Users that come together don't ask together: the golden section spreads any number of them evenly.
        first = SECONDS_BETWEEN_TASKS * (next(self.spawned) * 0.618034 % 1)
        self.due = time.perf_counter() + first
        gevent.sleep(first)

    def wait_time(self):
        now = time.perf_counter()
        self.due = max(self.due + SECONDS_BETWEEN_TASKS, now)
        return self.due - now


class Visitor(PacedUser):
    @task
    def visit(self):
        self.client.get("/")


@events.test_stop.add_listener
def say_how_closely_it_was_followed(environment, **_):
    shape = environment.shape_class
    if isinstance(environment.runner, WorkerRunner) or not isinstance(shape, TrafficShape):
        return
    asked, sent = requests(shape.get_run_time()), environment.stats.total.num_requests
    logging.info("%s: sent %d requests, where the shape asks for %d", SHAPE, sent, asked)
    if sent < 0.95 * asked:
        logging.error("the shape was not followed: answers took too long, or Locust needs more workers (--processes)")
        environment.process_exit_code = 1
