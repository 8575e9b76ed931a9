"""The stack as it is deployed, on a local AWS: both state machines, the four functions, the readers.

The metrics are measured ones (an application under a real load, 16 hours of it, repeated three times to make two days
of them) put as those of two environments. A third environment is broken: nobody may look at its resources.
"""

import csv
import io
import json
import os
import re
import subprocess
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from conftest import ROOT, tool, tool_environment
from local_aws import REGION, Environment, Fault, LocalAws, Minute, World, put_metrics
from template import allowed_actions

STACK = "trellis"
NOW = datetime.now(timezone.utc).replace(second=0, microsecond=0)
TIME = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
FUNCTIONS = ["ingest-metrics", "refit-coefficient", "sweep-policies", "publish-recommendation"]


def measured_minutes(data: Path) -> list[Minute]:
    """Rows of 15 seconds, brought to minutes; requests of all pods, CPU and count as means. CPU is given in percent of
    a fifth of a core, which is what a pod may use."""
    with open(data / "hpa-cpu-rps-replicas/hpa_testapp_15s_part1.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    by_minute: dict[str, list[dict]] = {}
    for row in rows:
        by_minute.setdefault(row["timestamp"][:16], []).append(row)

    def mean(rows: list[dict], column: str) -> float:
        return sum(float(row[column]) for row in rows) / len(rows)

    return [
        Minute(
            requests=round(60 * mean(rows, "requests_per_second")),
            cpu_percent=min(5 * mean(rows, "cpu_core_percent"), 100),
            instances=round(mean(rows, "current_replicas")),
            latency_seconds=mean(rows, "latency_p95_ms") / 1000,
        )
        for rows in by_minute.values()
    ]


class Post:
    """A subscriber on HTTP."""

    def __init__(self):
        self.received: list[dict] = []
        self.confirmed = threading.Event()
        post = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()
                if body["Type"] == "SubscriptionConfirmation":
                    urllib.request.urlopen(body["SubscribeURL"]).close()
                    post.confirmed.set()
                else:
                    post.received.append(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"


class Stack:
    """The deployed stack and what it runs on."""

    def __init__(self, local: LocalAws, world: World):
        self.local, self.world = local, world
        self.s3, self.functions = local.client("s3"), local.client("lambda")
        self.machines, self.queues = local.client("stepfunctions"), local.client("sqs")
        described = local.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        assert described["StackStatus"] == "CREATE_COMPLETE", described
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in described["Outputs"]}
        self.bucket = self.outputs["ArchiveBucket"]
        self.queue, self.raw_queue, self.post = self.subscribe(False), self.subscribe(True), Post()
        topic = {"TopicArn": self.outputs["AdviceTopicArn"]}
        local.client("sns").subscribe(Protocol="http", Endpoint=self.post.url, **topic)
        assert self.post.confirmed.wait(20), "the topic asks for a confirmation"

    def subscribe(self, raw: bool) -> str:
        url = self.queues.create_queue(QueueName=f"readers-{'raw' if raw else 'wrapped'}")["QueueUrl"]
        arn = self.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.local.client("sns").subscribe(
            TopicArn=self.outputs["AdviceTopicArn"], Protocol="sqs", Endpoint=arn,
            Attributes={"RawMessageDelivery": str(raw).lower()},
        )
        return url

    def name(self, package: str) -> str:
        return self.outputs["".join(word.title() for word in package.split("-")) + "Function"]

    def invoke(self, package: str, event: dict) -> dict:
        """The answer, or the error, of one invocation."""
        answer = self.functions.invoke(FunctionName=self.name(package), Payload=json.dumps(event))
        return json.loads(answer["Payload"].read())

    def advise(self, time_: str = TIME) -> dict:
        started = self.machines.start_execution(
            stateMachineArn=self.outputs["AdviseMachine"], input=json.dumps({"time": time_})
        )
        for _ in range(600):
            execution = self.machines.describe_execution(executionArn=started["executionArn"])
            if execution["status"] != "RUNNING":
                return execution
            time.sleep(0.2)
        raise AssertionError("the machine does not come to an end")

    def ingest(self, time_: str = TIME) -> dict:
        return self.machines.start_sync_execution(
            stateMachineArn=self.outputs["IngestMachine"], input=json.dumps({"time": time_})
        )

    def messages(self, queue: str, wait: int = 0) -> list[dict]:
        """Whatever lies in the queue, taken out."""
        found = []
        while batch := self.queues.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=wait, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in batch:
                self.queues.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            found += batch
            wait = 0
        return found

    def objects(self, prefix: str = "") -> dict[str, str]:
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return {o["Key"]: o["ETag"] for page in pages for o in page.get("Contents", [])}

    def table(self, key: str):
        body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return parquet.read_table(io.BytesIO(body))


@pytest.fixture(scope="session")
def build(tmp_path_factory) -> Path:
    """The stack, built as its user builds it."""
    if built := os.environ.get("TRELLIS_BUILT_STACK"):
        return Path(built)
    directory = tmp_path_factory.mktemp("build")
    command = [tool("sam"), "build", "--build-dir", str(directory), "--cache-dir", str(directory / "cache")]
    subprocess.run(command, cwd=ROOT, env=tool_environment(), check=True, stdout=subprocess.DEVNULL)
    return directory


@pytest.fixture(scope="session")
def stack(build, public_data, tmp_path_factory):
    shop = Environment("web-prod", "e-webprod001", tags={"stage": "prod"}, sizes=(2, 20, 2))
    old = Environment("old-shop", "e-oldshop001", "classic", tags={"stage": "prod"}, sizes=(2, 20, 2))
    broken = Environment("broken", "e-broken0001")
    gone = Environment("web-prod", "e-webprod000", status="Terminated")
    shop.activities = [
        {
            "ActivityId": f"launch-{i}", "Description": "Launching a new EC2 instance: i-0", "Cause": "an alarm",
            "StartTime": NOW - timedelta(hours=i + 1), "EndTime": NOW - timedelta(hours=i + 1, seconds=-70),
            "StatusCode": "Successful", "Progress": 100,
        }
        for i in range(3)
    ]
    shop.events = [
        {"EventDate": NOW - timedelta(hours=5), "Message": "Deploying new version to instance(s).", "Severity": "INFO"},
        {
            "EventDate": NOW - timedelta(hours=5, minutes=-9), "Severity": "INFO",
            "Message": "New application version was deployed to running EC2 instances.",
        },
    ]
    world = World([gone, shop, old, broken])
    minutes = measured_minutes(public_data) * 3
    with LocalAws(world) as local:
        local.front.faults.append(
            Fault(
                lambda call: call.action == "DescribeEnvironmentResources" and broken.id in call.subject,
                403, "AccessDenied",
            )
        )
        for environment in (shop, old):
            put_metrics(local, environment, minutes[-2880:], NOW)
        deploy(local, build)
        yield Stack(local, world)


def deploy(local: LocalAws, build: Path):
    """As `sam deploy` does it; the functions find the local AWS through variables that ministack gives them."""
    local.client("s3").create_bucket(Bucket="deployment", CreateBucketConfiguration={"LocationConstraint": REGION})
    parameters = ["Environments=web-prod,old-shop,broken"]
    command = [
        tool("sam"), "deploy", "--template-file", str(build / "template.yaml"), "--stack-name", STACK,
        "--s3-bucket", "deployment", "--capabilities", "CAPABILITY_IAM", "--no-progressbar",
        "--no-fail-on-empty-changeset", "--region", REGION, "--parameter-overrides", *parameters,
    ]
    done = subprocess.run(command, cwd=build, env=tool_environment(**local.variables()), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


class Runs:
    """Both machines, twice, and what was to be seen after each time."""

    def __init__(self, stack: Stack):
        self.ingest, self.advise = stack.ingest(), stack.advise()
        self.wrapped, self.raw = stack.messages(stack.queue, 1), stack.messages(stack.raw_queue, 1)
        self.posted = list(stack.post.received)
        self.objects = stack.objects()
        self.again = [stack.ingest(), stack.advise()]
        self.objects_again = stack.objects()
        self.news = stack.messages(stack.queue, 1) + stack.messages(stack.raw_queue)


@pytest.fixture(scope="session")
def runs(stack) -> Runs:
    return Runs(stack)


def test_one_environment_that_fails_stops_no_other_and_is_named(runs):
    assert (runs.ingest["status"], runs.ingest["error"]) == ("FAILED", "Trellis.EnvironmentsFailed")
    cause = runs.ingest["cause"]
    assert cause.startswith("broken: Trellis.Denied"), cause
    assert "elasticbeanstalk:DescribeEnvironmentResources" in cause
    assert "web-prod" not in cause and "old-shop" not in cause


def test_what_was_never_measured_is_refused_advice_and_stops_no_other(runs):
    assert runs.advise["status"] == "SUCCEEDED", runs.advise
    results = json.loads(runs.advise["output"])["results"]
    assert {result["environment"]: result["outcome"] for result in results} == {
        "web-prod": "done", "old-shop": "done", "broken": "refused",
    }


def test_each_living_environment_has_its_days_of_samples_in_the_archive(stack, runs):
    for name in ("web-prod", "old-shop"):
        days = [key for key in runs.objects if key.startswith(f"samples/environment={name}/")]
        tables = [stack.table(key) for key in sorted(days)]
        assert sum(table.num_rows for table in tables) in range(2870, 2881)
        columns = tables[0].to_pydict()
        for column in ("requests", "cpu_percent", "in_service"):
            assert all(value is not None for value in columns[column]), column
    # Of one that may not be looked at, only why, and that this was told.
    assert {key.split("/")[0] for key in runs.objects if "broken" in key} == {"refusals", "published"}


def test_settings_activities_and_deployments_are_kept(stack, runs):
    [settings] = [key for key in runs.objects if key.startswith("settings/environment=web-prod/")]
    document = json.loads(stack.s3.get_object(Bucket=stack.bucket, Key=settings)["Body"].read())
    assert document["group"]["max_size"] == 20
    kinds = []
    for key in runs.objects:
        if key.startswith("activities/environment=web-prod/"):
            kinds += stack.table(key).to_pydict()["kind"]
    assert sorted(kinds) == ["deployment", "launch", "launch", "launch"]


def test_each_reader_gets_the_news_of_all_once_in_its_own_form(runs):
    assert len(runs.wrapped) == len(runs.raw) == 1, "one for all environments"
    [message] = runs.raw
    told = json.loads(message["Body"])
    kinds = {news["environment"]: news["kind"] for news in told["news"]}
    assert set(kinds) == {"web-prod", "old-shop", "broken"}
    assert kinds["broken"] == "no_advice"
    attributes = {name: json.loads(a["StringValue"]) for name, a in message["MessageAttributes"].items()}
    assert set(attributes["environment"]) == set(kinds)
    assert set(attributes["kind"]) == set(kinds.values())
    for news in told["news"]:
        if news["recommendation"]:
            assert news["recommendation"]["environment"] == news["environment"]
    assert 0 < told["run_usd"] < 0.01, "what the run cost"
    wrapped = json.loads(runs.wrapped[0]["Body"])
    assert wrapped["Subject"].startswith("3 environments: ") and len(wrapped["Subject"]) < 100
    assert json.loads(wrapped["Message"])["news"] == told["news"]
    assert [json.loads(post["Message"])["subject"] for post in runs.posted] == [told["subject"]]


def test_what_is_sent_is_as_the_published_schema_says(runs):
    import jsonschema

    schema = json.loads((ROOT / "infra/schemas/message.schema.json").read_text())
    jsonschema.validate(json.loads(runs.raw[0]["Body"]), schema)


def test_mail_gets_prose(stack, runs):
    """No mail is sent here: the text is the one that the topic was given for it."""
    answer = stack.invoke("publish-recommendation", {"environment": "web-prod", "time": TIME})
    [report] = answer["reports"]
    assert report["told"] == "before"
    assert report["body"].startswith("web-prod: ")
    assert "How sure: " in report["body"]


def test_a_second_run_of_the_same_time_changes_nothing_and_tells_nobody(runs):
    assert [execution["status"] for execution in runs.again] == ["FAILED", "SUCCEEDED"], runs.again
    changed = {key for key, tag in runs.objects_again.items() if runs.objects.get(key) != tag}
    assert not {key for key in changed if not key.startswith(("fits/", "sweeps/", "cheapest/"))}, changed
    assert runs.news == []


def test_three_runs_at_once_tell_once(stack, runs):
    key = "published/environment=old-shop/latest.json"
    stack.s3.delete_object(Bucket=stack.bucket, Key=key)
    event = {"environment": "old-shop", "time": TIME}
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: stack.invoke("publish-recommendation", event), range(3)))
    told = sorted(answer["reports"][0]["told"] for answer in answers)
    assert told.count("now") == 1, told
    assert len(stack.messages(stack.queue, 1)) == 1
    stack.messages(stack.raw_queue)


def test_ingesting_at_once_loses_nothing(stack, runs):
    before = stack.objects("samples/")
    event = {"environment": "web-prod", "time": TIME, "lookback_days": 2}
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: stack.invoke("ingest-metrics", event), range(3)))
    assert [answer["reports"][0]["outcome"] for answer in answers] == ["done"] * 3, answers
    assert stack.objects("samples/") == before


def test_a_rehearsal_writes_nothing_and_tells_nobody(stack, runs):
    stack.s3.delete_object(Bucket=stack.bucket, Key="published/environment=web-prod/latest.json")
    before = stack.objects()
    later = (NOW + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for package in FUNCTIONS:
        answer = stack.invoke(package, {"environment": "web-prod", "time": later, "dry_run": True})
        assert answer["dry_run"] is True, answer
        assert answer["reports"][0]["outcome"] == "done"
    assert stack.objects() == before
    assert stack.messages(stack.queue, 1) == []
    stack.invoke("publish-recommendation", {"environment": "web-prod", "time": TIME})
    assert len(stack.messages(stack.queue, 1)) == 1
    stack.messages(stack.raw_queue)


def test_on_demand_events_ask_for_other_ceilings_candidates_and_what_ifs(stack, runs):
    event = {
        "environment": "web-prod", "time": TIME, "cpu_ceiling_percent": 70, "stages": "10:30000,8:150000",
        "candidates": {"upper_thresholds": "30..60:10", "max_sizes": [200]},
    }
    [report] = stack.invoke("sweep-policies", event)["reports"]
    assert report["key"] is None, "a what-if is not kept"
    assert report["recommendation"]["cpu_ceiling_percent"] == 70
    assert report["recommendation"]["traffic"]["recorded"] is False


@pytest.mark.parametrize(
    ("package", "event", "said"),
    [
        ("ingest-metrics", {"enviroment": "web-prod"}, "unknown field `enviroment`"),
        ("refit-coefficient", {"environment": 5}, "the event's `environment`: invalid type: integer `5`"),
        ("refit-coefficient", {"from": "2026-11-03", "until": "2026-11-02"}, "window is backwards"),
        ("sweep-policies", {"candidates": {"upper_threshold": [1]}}, "unknown field `upper_threshold`"),
        ("sweep-policies", {"cpu_ceiling_percent": 500}, "`cpu_ceiling_percent`: CPU percent must be from 0 to 100"),
        ("sweep-policies", {"stages": "ten"}, "the event's `stages`: `ten` is not a stage"),
        ("publish-recommendation", {"ceiling": 50}, "unknown field `ceiling`"),
        ("publish-recommendation", {"time": "noon"}, "the event's `time`"),
        ("ingest-metrics", ["web-prod"], "must be a JSON object"),
    ],
)
def test_an_event_that_is_wrong_names_what_is_wrong(stack, package, event, said):
    error = stack.invoke(package, event)
    assert error["errorType"] == "Trellis.BadRequest", error
    assert said in error["errorMessage"], error["errorMessage"]


def test_a_name_that_nobody_has_is_told_so(stack):
    error = stack.invoke("ingest-metrics", {"environment": "nobody"})
    assert error["errorType"] == "Trellis.NotFound"
    assert "there is no environment `nobody`" in error["errorMessage"]


def test_throttling_for_good_is_an_error_that_passes_and_leaves_everything_as_it_was(stack, runs):
    before = stack.objects()
    fault = Fault(lambda call: call.action == "GetMetricData", 400, "ThrottlingException")
    stack.local.front.faults.append(fault)
    began = time.monotonic()
    error = stack.invoke("ingest-metrics", {"environment": "web-prod", "time": TIME})
    stack.local.front.faults.remove(fault)
    assert error["errorType"] == "Trellis.Transient", error
    assert "`cloudwatch:GetMetricData` was throttled" in error["errorMessage"]
    assert fault.done == 8
    assert time.monotonic() - began < 120, "well within the function's time"
    assert stack.objects() == before


def test_an_s3_that_refuses_leaves_no_advice_published(stack, runs):
    stack.s3.delete_object(Bucket=stack.bucket, Key="published/environment=web-prod/latest.json")
    fault = Fault(lambda call: call.action == "PutObject" and call.subject.startswith("published/"), 403, "AccessDenied")
    stack.local.front.faults.append(fault)
    error = stack.invoke("publish-recommendation", {"environment": "web-prod", "time": TIME})
    stack.local.front.faults.remove(fault)
    assert error["errorType"] == "Trellis.Denied", error
    assert "`s3:PutObject` is not allowed" in error["errorMessage"]
    assert stack.messages(stack.queue, 1) == []
    stack.invoke("publish-recommendation", {"environment": "web-prod", "time": TIME})
    assert len(stack.messages(stack.queue, 1)) == 1
    stack.messages(stack.raw_queue)


def test_a_damaged_object_is_named_and_left_as_it_is(stack, runs):
    key = max(key for key in runs.objects if key.startswith("samples/environment=old-shop/"))
    whole = stack.s3.get_object(Bucket=stack.bucket, Key=key)["Body"].read()
    stack.s3.put_object(Bucket=stack.bucket, Key=key, Body=whole[: len(whole) // 2])
    damaged = stack.objects(key)
    for package in ("ingest-metrics", "refit-coefficient"):
        error = stack.invoke(package, {"environment": "old-shop", "time": TIME})
        assert error["errorType"] == "Trellis.Damaged", error
        assert key in error["errorMessage"]
    assert stack.objects(key) == damaged
    stack.s3.put_object(Bucket=stack.bucket, Key=key, Body=whole)


def test_samples_that_are_too_old_are_no_ground_for_advice(stack, runs):
    later = (NOW + timedelta(days=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    error = stack.invoke("sweep-policies", {"environment": "web-prod", "time": later})
    assert error["errorType"] == "Trellis.Stale", error


def test_a_fleet_by_tag_is_looked_up_and_kept_for_the_later_stages(stack, runs):
    name = stack.name("ingest-metrics")
    before = stack.functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    stack.functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": before | {"ENVIRONMENTS": "tag:stage=prod"}}
    )
    listed = stack.invoke("ingest-metrics", {"list_environments": True, "time": TIME})
    assert listed["environments"] == ["old-shop", "web-prod"]
    answer = stack.invoke("refit-coefficient", {"time": TIME})
    assert [report["environment"] for report in answer["reports"]] == ["old-shop", "web-prod"]
    stack.functions.update_function_configuration(FunctionName=name, Environment={"Variables": before})


def test_the_schedules_start_the_machines_with_their_time(stack):
    scheduler = stack.local.client("scheduler")
    schedules = [scheduler.get_schedule(Name=s["Name"]) for s in scheduler.list_schedules()["Schedules"]]
    targets = {schedule["Target"]["Arn"]: schedule for schedule in schedules}
    for machine in ("IngestMachine", "AdviseMachine"):
        schedule = targets[stack.outputs[machine]]
        assert json.loads(schedule["Target"]["Input"]) == {"time": "<aws.scheduler.scheduled-time>"}
        assert schedule["State"] == "ENABLED"


def test_a_schedule_that_is_due_starts_its_machine(stack, runs):
    """Another schedule with the same target, due at once: ministack looks every ten seconds, and does not put the time
    in its place, so that the input holds one."""
    scheduler = stack.local.client("scheduler")
    machine = stack.outputs["AdviseMachine"]
    schedules = [scheduler.get_schedule(Name=s["Name"]) for s in scheduler.list_schedules()["Schedules"]]
    [target] = [s["Target"] for s in schedules if s["Target"]["Arn"] == machine]
    before = {e["executionArn"] for e in stack.machines.list_executions(stateMachineArn=machine)["executions"]}
    due = (datetime.now(timezone.utc) - timedelta(minutes=1)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    scheduler.create_schedule(
        Name="due-now", ScheduleExpression=due, FlexibleTimeWindow={"Mode": "OFF"},
        Target=target | {"Input": json.dumps({"time": TIME})},
    )
    for _ in range(300):
        executions = stack.machines.list_executions(stateMachineArn=machine)["executions"]
        started = [e for e in executions if e["executionArn"] not in before and e["status"] != "RUNNING"]
        if started:
            break
        time.sleep(0.2)
    assert [execution["status"] for execution in started] == ["SUCCEEDED"]


@pytest.mark.parametrize("table", ["samples", "activities", "cheapest"])
def test_the_tables_for_athena_have_the_columns_that_are_written(stack, runs, table):
    text = (ROOT / f"infra/athena/{table}.sql").read_text()
    columns = re.search(r"\((.*?)\n\)\npartitioned by", text, re.DOTALL)[1]
    declared = dict(line.rstrip(",").split() for line in columns.strip().splitlines())
    key = next(key for key in runs.objects if key.startswith(f"{table}/"))
    names = {"string": "string", "double": "double", "int32": "int", "bool": "boolean"}
    written = {
        column.name: names.get(str(column.type), "timestamp" if "timestamp" in str(column.type) else str(column.type))
        for column in stack.table(key).schema
    }
    assert declared == written


def test_the_functions_ask_only_for_what_they_may_and_may_only_what_they_ask_for(stack, runs):
    """Runs last: it looks at every call of every function in all tests before it."""
    seen: dict[str, set[str]] = {package: set() for package in FUNCTIONS}
    for call in stack.local.front.calls:
        package = call.app.removeprefix("trellis-")
        if package in seen:
            seen[package].add(f"{call.service}:{call.action}")
    assert seen == {package: allowed_actions(package) for package in FUNCTIONS}


def test_nothing_was_changed_in_any_environment(stack, runs):
    assert stack.world.updates == []
    writes = {
        call.action for call in stack.local.front.calls
        if call.service in ("elasticbeanstalk", "autoscaling") and not call.action.startswith(("Describe", "List"))
    }
    assert writes == set()


def test_a_first_run_takes_14_days_and_says_what_it_costs(stack, public_data, record_property):
    environment = Environment("new-prod", "e-newprod001", sizes=(2, 20, 2))
    stack.world.environments.append(environment)
    minutes = measured_minutes(public_data) * 22
    put_metrics(stack.local, environment, minutes[-14 * 1440 - 30 :], NOW)
    # CloudWatch takes no points that are older than two weeks when they are put, and `NOW` was before all other tests.
    not_taken = (datetime.now(timezone.utc) - NOW) // timedelta(minutes=1) + 1
    times = {}
    for package in FUNCTIONS:
        began = time.monotonic()
        answer = stack.invoke(package, {"environment": "new-prod", "time": TIME})
        times[package] = round(time.monotonic() - began, 2)
        assert answer["reports"][0]["outcome"] == "done", answer
        if package == "ingest-metrics":
            report = answer["reports"][0]
            # The newest three are left for the next time.
            assert 14 * 1440 - 3 - not_taken <= report["samples_added"] <= 14 * 1440
            assert report["metrics_requested"] == 10
            times["calls of GetMetricData"] = report["calls"]
    record_property("first_run_seconds", times)
    print(f"\nfirst run of 14 days, seconds with start of the function: {times}")
