"""What can be said of the stack without deploying it. Each check is shown to find what it is for."""

import copy
import json
import re
import subprocess
import tomllib

import pytest
from conftest import ROOT, tool, tool_environment
from template import (
    actions, allowed_actions, functions, statements, translated, variables_read,
)

PACKAGES = ["ingest-metrics", "refit-coefficient", "sweep-policies", "publish-recommendation"]
MACHINES = ["ingest", "advise"]
# What the SDK is called for, and what a policy calls it.
ACTIONS = {
    "describe_environments": "elasticbeanstalk:DescribeEnvironments",
    "describe_environment_resources": "elasticbeanstalk:DescribeEnvironmentResources",
    "describe_configuration_settings": "elasticbeanstalk:DescribeConfigurationSettings",
    "describe_events": "elasticbeanstalk:DescribeEvents",
    "list_tags_for_resource": "elasticbeanstalk:ListTagsForResource",
    "describe_auto_scaling_groups": "autoscaling:DescribeAutoScalingGroups",
    "describe_scaling_activities": "autoscaling:DescribeScalingActivities",
    "get_metric_data": "cloudwatch:GetMetricData",
    "get_object": "s3:GetObject",
    "put_object": "s3:PutObject",
    "list_objects_v2": "s3:ListBucket",
    "publish": "sns:Publish",
}


def faults(check, template) -> list[str]:
    return list(check(template))


# The checks: each yields what is wrong --------------------------------------------------------------------------------


def variables(template):
    """Every variable that a function reads is set, and no other."""
    for package, function in functions(template).items():
        of_the_sdk = {"AWS_SDK_UA_APP_ID"}
        given = set(function["Environment"]["Variables"])
        for name in (variables_read(package) | of_the_sdk) - given:
            yield f"{package} reads {name}, which is not set"
        for name in given - variables_read(package) - of_the_sdk:
            yield f"{package} is given {name}, which it does not read"


def packages(template):
    """Every function is a package of the workspace, and every package of a stage a function."""
    for package in functions(template):
        manifest = ROOT / "functions" / package / "Cargo.toml"
        if not manifest.exists() or tomllib.loads(manifest.read_text())["package"]["name"] != package:
            yield f"{package} is no package"
    yield from (f"{package} is in no function" for package in set(PACKAGES) - set(functions(template)))


def calls_of(package: str) -> set[str]:
    """The actions that a function's code can call: those of the adapters that it uses."""
    main = (ROOT / "functions" / package / "src/main.rs").read_text()
    found = set()
    for adapter in re.findall(r"use aws::(\w+)::", main):
        source = (ROOT / "shared/aws/src" / f"{adapter}.rs").read_text()
        for client, operation in re.findall(r"\.?(client|beanstalk|autoscaling)\s*\.(\w+)\(\)", source):
            assert operation in ACTIONS, f"{client}.{operation} of {adapter}.rs is not in the table of actions"
            found.add(ACTIONS[operation])
    return found


def roles(template):
    """Every action that a function's code calls is allowed, and no other."""
    for package in functions(template):
        called, allowed = calls_of(package), allowed_actions(package, template)
        yield from (f"{package} calls {action}, which its role does not allow" for action in called - allowed)
        yield from (f"{package} may {action}, which it does not call" for action in allowed - called)


def least(template):
    """Nothing in the stack can change an environment, and no action is a wildcard."""
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::IAM::Role":
            continue
        for statement in statements(template, name):
            for action in actions(statement):
                service, verb = action.split(":")
                if "*" in action:
                    yield f"{name} may {action}"
                changing = not verb.startswith(("Describe", "Get", "List"))
                if changing and service in ("elasticbeanstalk", "autoscaling", "ec2", "cloudformation",
                                            "elasticloadbalancing", "iam"):
                    yield f"{name} may {action}, which changes something"
                reads_of_everything = not changing and service not in ("s3", "sns", "sqs", "lambda", "states")
                log_delivery = "LogDeliver" in verb or verb in ("PutResourcePolicy", "CreateLogDelivery")
                if statement["Resource"] == "*" and not reads_of_everything and not log_delivery:
                    yield f"{name} may {action} on everything"


NUMBER = r"(\*|\?|[\dA-Z#LW,/-]+)"


def is_schedule(text: str) -> bool:
    """Whether EventBridge Scheduler takes it; no linter knows."""
    if rate := re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", text):
        return int(rate[1]) > 0 and (int(rate[1]) == 1) == (rate[3] == "")
    if cron := re.fullmatch(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)", text):
        minute, hour, day, _, weekday, _ = cron.groups()
        ranges = [(minute, 59), (hour, 23)]
        numbers = all(int(n) <= most for field, most in ranges for n in re.findall(r"\d+", field))
        return numbers and (day == "?") != (weekday == "?") and all(re.fullmatch(NUMBER, f) for f in cron.groups())
    return re.fullmatch(r"at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)", text) is not None


def schedules(template):
    """The default of every schedule's expression is one."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Scheduler::Schedule":
            expression = resource["Properties"]["ScheduleExpression"]
            if isinstance(expression, dict):
                expression = template["Parameters"][expression["Ref"]]["Default"]
            if not is_schedule(expression):
                yield f"{name} has {expression}"
            if resource["Properties"]["Target"]["Input"] != '{"time":"<aws.scheduler.scheduled-time>"}':
                yield f"{name} does not hand its time on"


def safe(template):
    """The archive survives, encrypted and private; what waits and what is said is encrypted."""
    archive = template["Resources"]["Archive"]
    if archive.get("DeletionPolicy") != "Retain" or archive.get("UpdateReplacePolicy") != "Retain":
        yield "the archive goes with the stack"
    if set(archive["Properties"]["PublicAccessBlockConfiguration"].values()) != {True}:
        yield "the archive may become public"
    if "BucketEncryption" not in archive["Properties"]:
        yield "the archive is not encrypted"
    if "KmsMasterKeyId" not in template["Resources"]["AdviceTopic"]["Properties"]:
        yield "the topic is not encrypted"
    expired = {r.get("Prefix") for r in archive["Properties"]["LifecycleConfiguration"]["Rules"]}
    for kept in ("settings/", "published/", "refusals/", "fleet/"):
        if kept in expired or "" in expired:
            yield f"{kept} would be deleted while it is in force"


def memory(template):
    """What a function's runs are said to cost is reckoned by the memory that it has."""
    for package, function in functions(template).items():
        source = (ROOT / "functions/lambda/src" / f"{package.split('-')[0]}.rs").read_text()
        reckoned = re.search(r"GIGABYTES: f64 = (\d+)\.0 / 1024\.0;", source)
        if reckoned is None or int(reckoned[1]) != function["MemorySize"]:
            yield f"{package} has {function['MemorySize']} MB, and is reckoned otherwise"


CHECKS = [variables, packages, roles, least, schedules, safe, memory]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_template_passes(check):
    assert faults(check, translated()) == []


def spoil(change):
    template = translated()
    change(template["Resources"])
    return template


def without_variable(r):
    del r["SweepPolicies"]["Properties"]["Environment"]["Variables"]["CPU_CEILING_PERCENT"]


def with_variable(r):
    r["SweepPolicies"]["Properties"]["Environment"]["Variables"]["CPU_CEILING"] = 1


def other_binary(r):
    r["Ingest_"] = r["IngestMetrics"]
    r["Ingest_"]["Metadata"]["BuildProperties"]["Binary"] = "ingest"


def more_rights(role, action):
    def change(r):
        statement = {"Sid": "More", "Effect": "Allow", "Action": [action], "Resource": "*"}
        r[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(statement)
    return change


def fewer_rights(r):
    policy = r["PublishRecommendationRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    policy["Statement"] = [s for s in policy["Statement"] if s["Sid"] != "TellReaders"]


def schedule(expression):
    def change(r):
        r["AdviseDaily"]["Properties"]["ScheduleExpression"] = expression
    return change


def more_memory(r):
    r["SweepPolicies"]["Properties"]["MemorySize"] = 3008


def deleted_settings(r):
    r["Archive"]["Properties"]["LifecycleConfiguration"]["Rules"].append({"Prefix": "settings/"})


@pytest.mark.parametrize(
    ("check", "change", "found"),
    [
        (variables, without_variable, "sweep-policies reads CPU_CEILING_PERCENT, which is not set"),
        (variables, with_variable, "sweep-policies is given CPU_CEILING, which it does not read"),
        (packages, other_binary, "ingest is no package"),
        (roles, more_rights("RefitCoefficientRole", "sns:Publish"), "refit-coefficient may sns:Publish, which it does not call"),
        (roles, fewer_rights, "publish-recommendation calls sns:Publish, which its role does not allow"),
        (least, more_rights("IngestMetricsRole", "elasticbeanstalk:UpdateEnvironment"), "IngestMetricsRole may elasticbeanstalk:UpdateEnvironment, which changes something"),
        (least, more_rights("MachineRole", "lambda:*"), "MachineRole may lambda:*"),
        (least, more_rights("SweepPoliciesRole", "s3:GetObject"), "SweepPoliciesRole may s3:GetObject on everything"),
        (schedules, schedule("cron(20 6 * * * *)"), "AdviseDaily has cron(20 6 * * * *)"),
        (schedules, schedule("rate(1 days)"), "AdviseDaily has rate(1 days)"),
        (schedules, schedule("cron(20 26 * * ? *)"), "AdviseDaily has cron(20 26 * * ? *)"),
        (safe, lambda r: r["Archive"].pop("DeletionPolicy"), "the archive goes with the stack"),
        (memory, more_memory, "sweep-policies has 3008 MB, and is reckoned otherwise"),
        (safe, deleted_settings, "settings/ would be deleted while it is in force"),
    ],
)
def test_the_checks_find_what_they_are_for(check, change, found):
    assert found in faults(check, spoil(change))


# Linters --------------------------------------------------------------------------------------------------------------


def lint(directory, template: dict) -> str:
    path = directory / "template.json"
    path.write_text(json.dumps(template))
    command = [tool("cfn-lint"), "--regions", "eu-central-1", "--template", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env=tool_environment())
    return done.stdout


def test_sam_finds_nothing():
    command = [tool("sam"), "validate", "--lint"]
    done = subprocess.run(command, cwd=ROOT, env=tool_environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_translated_template_lints(tmp_path):
    assert lint(tmp_path, translated()) == ""


def test_a_fault_in_the_translated_template_is_found(tmp_path):
    template = spoil(lambda r: r["IngestFailed"]["Properties"].update(TreatMissingData="perhaps"))
    assert "TreatMissingData" in lint(tmp_path, template) or "perhaps" in lint(tmp_path, template)


def definition(name: str) -> dict:
    text = (ROOT / "infra" / f"{name}.asl.json").read_text()
    return json.loads(re.sub(r"\$\{\w+\}", "arn:aws:lambda:eu-central-1:111122223333:function:f", text))


def machine(states: dict) -> dict:
    """A plain one, which is what the linter looks into."""
    role = "arn:aws:iam::111122223333:role/r"
    return {"Resources": {"Machine": {"Type": "AWS::StepFunctions::StateMachine",
                                      "Properties": {"RoleArn": role, "Definition": states}}}}


@pytest.mark.parametrize("name", MACHINES)
def test_the_state_machines_lint(tmp_path, name):
    assert lint(tmp_path, machine(definition(name))) == ""


@pytest.mark.parametrize("name", MACHINES)
def test_a_broken_state_machine_is_found(tmp_path, name):
    broken = copy.deepcopy(definition(name))
    broken["States"]["AnyFailed"]["Default"] = "Nowhere"
    del broken["States"]["EachEnvironment"]["Next"]
    assert "E3601" in lint(tmp_path, machine(broken))


def test_every_error_that_passes_is_tried_again_and_no_other():
    for name in MACHINES:
        for retry in re.findall(r'"ErrorEquals": \[([^\]]+)\],\s*"IntervalSeconds"', json.dumps(definition(name), indent=1)):
            ours = re.findall(r"Trellis\.\w+", retry)
            assert ours == ["Trellis.Transient"]


FIELDS = {
    "ingest-metrics": {"list_environments"},
    "refit-coefficient": {"min_usable", "min_load_spread", "min_r_squared", "cpu_ceiling_percent", "instances"},
    "sweep-policies": {
        "cpu_ceiling_percent", "margin_percent", "minutes_over_allowed", "amplify", "near_percent", "coefficient",
        "intercept_percent", "stages", "day", "crowd", "candidates",
    },
    "publish-recommendation": {"environments", "spent_usd"},
}
COMMON = {"time", "environment", "dry_run", "from", "until", "lookback_days"}


def test_example_events_have_known_fields_only():
    examples = sorted((ROOT / "infra/events").glob("*.json"))
    assert {path.name.split(".")[0] for path in examples} == set(PACKAGES)
    for path in examples:
        fields = set(json.loads(path.read_text()))
        assert fields <= COMMON | FIELDS[path.name.split(".")[0]], path.name
