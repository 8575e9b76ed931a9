"""A local AWS: ministack, with a front that answers for what it lacks and writes down every call.

The front is the one endpoint of functions, command and tests. It answers for Elastic Beanstalk and EC2 Auto Scaling
from a `World`, hands everything else on to ministack, and can be told to throttle, deny or refuse calls.

    python tests/aws/local_aws.py     serves a world of three environments until it is interrupted
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from xml.sax.saxutils import escape

REGION = "eu-central-1"
ACCOUNT = "000000000000"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}


# The world ----------------------------------------------------------------------------------------------------------

@dataclass
class Environment:
    """An environment of Elastic Beanstalk, with its group and load balancer, and nothing behind them."""

    name: str
    id: str
    kind: str = "application"  # or classic, worker, single
    status: str = "Ready"
    tags: dict[str, str] = field(default_factory=dict)
    options: dict[tuple[str, str], str] = field(default_factory=dict)
    sizes: tuple[int, int, int] = (2, 6, 2)
    activities: list[dict] = field(default_factory=list)
    events: list[dict] = field(default_factory=list)

    @property
    def arn(self) -> str:
        return f"arn:aws:elasticbeanstalk:{REGION}:{ACCOUNT}:environment/shop/{self.name}"

    @property
    def group(self) -> str:
        return f"awseb-{self.id}-stack-AWSEBAutoScalingGroup-1A2B"

    @property
    def load_balancer(self) -> str | None:
        match self.kind:
            case "application":
                return f"app/awseb-{self.id}/0123456789abcdef"
            case "classic":
                return f"awseb-{self.id}-AWSEBLoa-1A2B"
        return None

    @property
    def target_group(self) -> str:
        return f"targetgroup/awseb-{self.id}/fedcba9876543210"

    def all_options(self) -> dict[tuple[str, str], str]:
        smallest, largest, _ = self.sizes
        return {
            ("aws:autoscaling:asg", "MinSize"): str(smallest),
            ("aws:autoscaling:asg", "MaxSize"): str(largest),
            ("aws:autoscaling:asg", "Cooldown"): "360",
            ("aws:autoscaling:launchconfiguration", "MonitoringInterval"): "1 minute",
            ("aws:elasticbeanstalk:environment", "EnvironmentType"):
                "SingleInstance" if self.kind == "single" else "LoadBalanced",
            ("aws:elasticbeanstalk:environment", "LoadBalancerType"): self.kind,
        } | self.options


class World:
    """Everything that the front answers from."""

    def __init__(self, environments: Iterable[Environment] = ()):
        self.environments = list(environments)
        self.updates: list[str] = []

    def living(self, key: str) -> Environment:
        """By name or id."""
        found = [e for e in self.environments if key in (e.name, e.id) and e.status != "Terminated"]
        if not found:
            raise Refusal(400, "InvalidParameterValue", f"No Environment found for '{key}'.")
        return found[0]

    def group(self, name: str) -> Environment | None:
        return next((e for e in self.environments if e.group == name and e.kind != "none"), None)


class Refusal(Exception):
    """An error that AWS would answer with."""

    def __init__(self, status: int, code: str, message: str = "no"):
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


# Answers in the query protocol --------------------------------------------------------------------------------------

def xml(value) -> str:
    if isinstance(value, dict):
        return "".join(f"<{k}>{xml(v)}</{k}>" for k, v in value.items() if v is not None)
    if isinstance(value, list):
        return "".join(f"<member>{xml(v)}</member>" for v in value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return escape(str(value))


NAMESPACES = {
    "elasticbeanstalk": "http://elasticbeanstalk.amazonaws.com/docs/2010-12-01/",
    "autoscaling": "http://autoscaling.amazonaws.com/doc/2011-01-01/",
}


def answer(service: str, action: str, result: dict) -> bytes:
    body = f"<{action}Result>{xml(result)}</{action}Result><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata>"
    return f'<{action}Response xmlns="{NAMESPACES[service]}">{body}</{action}Response>'.encode()


def refused(refusal: Refusal) -> bytes:
    error = {"Type": "Sender", "Code": refusal.code, "Message": refusal.message}
    return f"<ErrorResponse>{xml({'Error': error, 'RequestId': '1'})}</ErrorResponse>".encode()


def members(parameters: dict[str, str], name: str) -> list[str]:
    return [v for k, v in sorted(parameters.items()) if k.startswith(f"{name}.member.")]


def page(items: list, parameters: dict[str, str], size_name: str, most: int) -> tuple[list, str | None]:
    start = int(parameters.get("NextToken") or 0)
    size = min(int(parameters.get(size_name) or most), most)
    rest = start + size < len(items)
    return items[start : start + size], str(start + size) if rest else None


def instant(text: str | None, default: str) -> datetime:
    return datetime.fromisoformat((text or default).replace("Z", "+00:00"))


def beanstalk(world: World, action: str, p: dict[str, str]) -> dict:
    match action:
        case "DescribeEnvironments":
            names = members(p, "EnvironmentNames")
            found = [e for e in world.environments if not names or e.name in names]
            if p.get("IncludeDeleted", "true") == "false":
                found = [e for e in found if e.status != "Terminated"]
            found, token = page(found, p, "MaxRecords", 1000)
            described = [
                {
                    "EnvironmentName": e.name, "EnvironmentId": e.id, "ApplicationName": "shop", "Status": e.status,
                    "Health": "Green", "EnvironmentArn": e.arn,
                    "Tier": {"Name": "Worker", "Type": "SQS/HTTP"} if e.kind == "worker"
                    else {"Name": "WebServer", "Type": "Standard"},
                }
                for e in found
            ]
            return {"Environments": described, "NextToken": token}
        case "DescribeEnvironmentResources":
            e = world.living(p.get("EnvironmentId") or p.get("EnvironmentName", ""))
            name = e.load_balancer
            if e.kind == "application":
                name = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/{name}"
            return {
                "EnvironmentResources": {
                    "EnvironmentName": e.name,
                    "AutoScalingGroups": [{"Name": e.group}],
                    "Instances": [], "LaunchConfigurations": [], "LaunchTemplates": [], "Triggers": [], "Queues": [],
                    "LoadBalancers": [{"Name": name}] if name else [],
                }
            }
        case "DescribeConfigurationSettings":
            e = world.living(p["EnvironmentName"])
            options = [
                {"Namespace": space, "OptionName": name, "Value": value}
                for (space, name), value in sorted(e.all_options().items())
            ]
            options.append({"Namespace": "aws:autoscaling:launchconfiguration", "OptionName": "EC2KeyName"})
            deployed = {
                "ApplicationName": "shop", "EnvironmentName": e.name, "DeploymentStatus": "deployed",
                "OptionSettings": options,
            }
            return {"ConfigurationSettings": [deployed]}
        case "ListTagsForResource":
            living = (e for e in world.environments if e.status != "Terminated")
            e = next((e for e in living if e.arn == p["ResourceArn"]), None)
            if e is None:
                raise Refusal(404, "ResourceNotFoundException")
            return {"ResourceArn": e.arn, "ResourceTags": [{"Key": k, "Value": v} for k, v in e.tags.items()]}
        case "DescribeEvents":
            e = world.living(p.get("EnvironmentId") or p.get("EnvironmentName", ""))
            start = instant(p.get("StartTime"), "1970-01-01T00:00:00Z")
            end = instant(p.get("EndTime"), "9000-01-01T00:00:00Z")
            events = [v for v in e.events if start <= v["EventDate"] < end]
            events, token = page(sorted(events, key=lambda v: v["EventDate"], reverse=True), p, "MaxRecords", 1000)
            return {"Events": [v | {"EnvironmentName": e.name} for v in events], "NextToken": token}
        case "ValidateConfigurationSettings":
            return {"Messages": []}
        case "UpdateEnvironment":
            e = world.living(p.get("EnvironmentId") or p.get("EnvironmentName", ""))
            world.updates.append(e.name)
            return {"EnvironmentName": e.name, "EnvironmentId": e.id, "Status": "Updating"}
    raise Refusal(400, "InvalidAction", f"no stand-in for {action}")


def autoscaling(world: World, action: str, p: dict[str, str]) -> dict:
    match action:
        case "DescribeAutoScalingGroups":
            groups = []
            for e in filter(None, map(world.group, members(p, "AutoScalingGroupNames"))):
                smallest, largest, desired = e.sizes
                arn = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:{e.target_group}"
                groups.append({
                    "AutoScalingGroupName": e.group, "MinSize": smallest, "MaxSize": largest,
                    "DesiredCapacity": desired, "DefaultCooldown": 360, "HealthCheckType": "EC2",
                    "CreatedTime": datetime(2026, 1, 1, tzinfo=timezone.utc), "AvailabilityZones": [f"{REGION}a"],
                    "TargetGroupARNs": [arn] if e.kind == "application" else [],
                    "SuspendedProcesses": [], "EnabledMetrics": [], "Instances": [],
                })
            return {"AutoScalingGroups": groups}
        case "DescribeScalingActivities":
            e = world.group(p["AutoScalingGroupName"])
            if e is None:
                raise Refusal(400, "ValidationError", "Group not found")
            newest_first = sorted(e.activities, key=lambda a: a["StartTime"], reverse=True)
            activities, token = page(newest_first, p, "MaxRecords", 100)
            return {"Activities": [{"AutoScalingGroupName": e.group} | a for a in activities], "NextToken": token}
    raise Refusal(400, "InvalidAction", f"no stand-in for {action}")


STAND_INS = {"elasticbeanstalk": beanstalk, "autoscaling": autoscaling}


# The front ----------------------------------------------------------------------------------------------------------

@dataclass
class Call:
    """A call as it came."""

    service: str
    action: str
    app: str  # which function or program, from its user agent
    subject: str  # an S3 key, or the name or id that a call to Elastic Beanstalk is about
    status: int = 0


@dataclass
class Fault:
    """Answers calls instead of the service, `times` times."""

    when: Callable[[Call], bool]
    status: int
    code: str
    times: float = float("inf")
    done: int = 0


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Front:
    """The endpoint."""

    def __init__(self, world: World, behind: int):
        self.world, self.behind = world, behind
        self.calls: list[Call] = []
        self.faults: list[Fault] = []
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                front.handle(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handle(self, request: BaseHTTPRequestHandler):
        body = request.rfile.read(int(request.headers.get("content-length") or 0))
        if "chunked" in (request.headers.get("transfer-encoding") or ""):
            body = read_chunks(request.rfile)
        call, parameters = recognised(request, body)
        self.calls.append(call)
        try:
            self.fail(call)
            if call.service in STAND_INS:
                result = STAND_INS[call.service](self.world, call.action, parameters)
                status, headers, content = 200, {}, answer(call.service, call.action, result)
            else:
                status, headers, content = self.hand_on(request, body)
        except Refusal as refusal:
            status, headers, content = refusal.status, {}, error_of(call, refusal)
        call.status = status
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        if request.command == "HEAD":
            request.send_header("content-length", headers.get("Content-Length", "0"))
        else:
            request.send_header("content-length", str(len(content)))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(content)

    def fail(self, call: Call):
        for fault in self.faults:
            if fault.done < fault.times and fault.when(call):
                fault.done += 1
                raise Refusal(fault.status, fault.code)

    def hand_on(self, request, body: bytes) -> tuple[int, dict, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=330)
        dropped = {"connection", "content-length", "transfer-encoding", "expect"}
        headers = {k: v for k, v in request.headers.items() if k.lower() not in dropped}
        connection.request(request.command, request.path, body=body, headers=headers)
        response = connection.getresponse()
        content = response.read()
        kept = {k: v for k, v in response.getheaders() if k.lower() not in dropped | {"date", "server"}}
        if request.command == "HEAD" and response.getheader("content-length"):
            kept["Content-Length"] = response.getheader("content-length")
        connection.close()
        return response.status, kept, content

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def read_chunks(stream) -> bytes:
    whole = b""
    while size := int(stream.readline().split(b";")[0], 16):
        whole += stream.read(size)
        stream.readline()
    while stream.readline().strip():
        pass
    return whole


def error_of(call: Call, refusal: Refusal) -> bytes:
    if call.service == "s3":
        return f"<Error><Code>{refusal.code}</Code><Message>{refusal.message}</Message></Error>".encode()
    if call.service in STAND_INS or call.service == "sns":
        return refused(refusal)
    import cbor2

    return cbor2.dumps({"__type": f"com.amazonaws#{refusal.code}", "message": refusal.message})


S3_ACTIONS = {"GET": "GetObject", "PUT": "PutObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}


def recognised(request, body: bytes) -> tuple[Call, dict[str, str]]:
    """What is called, by whom, about what."""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", request.headers.get("authorization") or "")
    service = scope.group(1) if scope else "unknown"
    service = {"monitoring": "cloudwatch"}.get(service, service)
    app = re.search(r"app/([\w-]+)", request.headers.get("user-agent") or "")
    url = urllib.parse.urlsplit(request.path)
    parameters: dict[str, str] = {}
    if b"Action=" in body[:4096] and (request.headers.get("content-type") or "").startswith("application/x-www-form"):
        parameters = dict(urllib.parse.parse_qsl(body.decode()))
    rpc = re.search(r"/operation/(\w+)", url.path)
    subject = ""
    if parameters:
        action = parameters["Action"]
        subject = " ".join(v for k, v in parameters.items() if k not in ("Action", "Version", "Message"))
    elif rpc:
        action = rpc.group(1)
    elif service == "s3":
        key = urllib.parse.unquote(url.path.lstrip("/")).split("/", 1)
        subject = key[1] if len(key) > 1 else ""
        action = S3_ACTIONS.get(request.command, request.command) if subject else "ListBucket"
        subject = subject or dict(urllib.parse.parse_qsl(url.query)).get("prefix", "")
    else:
        action = (request.headers.get("x-amz-target") or request.command).split(".")[-1]
    return Call(service, action, app.group(1) if app else "", subject), parameters


# ministack ----------------------------------------------------------------------------------------------------------

class LocalAws:
    """ministack behind a front. Use it with `with`."""

    def __init__(self, world: World):
        self.world = world

    def __enter__(self) -> LocalAws:
        self.directory = tempfile.TemporaryDirectory(prefix="trellis-local-aws-")
        self.port = free_port()
        self.front = Front(self.world, self.port)
        environment = os.environ | CREDENTIALS | {
            "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port), "IOT_MTLS_ENABLED": "0",
            "MINISTACK_REGION": REGION, "MINISTACK_HOST": "127.0.0.1", "TMPDIR": self.directory.name,
            # What ministack hands on to the functions that it runs.
            "AWS_ENDPOINT_URL": self.front.url,
        }
        self.log = open(Path(self.directory.name) / "ministack.log", "wb")
        self.process = subprocess.Popen(
            [str(Path(sys.executable).parent / "ministack")], env=environment, stdout=self.log, stderr=self.log
        )
        self.wait()
        return self

    def wait(self):
        for _ in range(300):
            if self.process.poll() is not None:
                raise RuntimeError(f"ministack ended: {Path(self.log.name).read_text()[-2000:]}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.1)
        raise RuntimeError("ministack does not listen")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.front.close()
        self.log.close()
        self.directory.cleanup()

    def variables(self) -> dict[str, str]:
        return CREDENTIALS | {"AWS_ENDPOINT_URL": self.front.url}

    def client(self, service: str):
        import boto3
        from botocore.config import Config

        return boto3.client(
            service, endpoint_url=self.front.url, region_name=REGION, aws_access_key_id="test",
            aws_secret_access_key="test", config=Config(read_timeout=330, retries={"max_attempts": 0}, inject_host_prefix=False),
        )


# Metrics ------------------------------------------------------------------------------------------------------------

@dataclass
class Minute:
    """What was measured in a minute."""

    requests: float
    cpu_percent: float
    instances: float
    latency_seconds: float = 0.1


def put_metrics(local: LocalAws, environment: Environment, minutes: list[Minute], end: datetime):
    """Puts `minutes`, the last of which ends at `end`, as the metrics of an environment."""
    group = [{"Name": "AutoScalingGroupName", "Value": environment.group}]
    if environment.kind == "application":
        space, latency, balancer = "AWS/ApplicationELB", "TargetResponseTime", [
            {"Name": "LoadBalancer", "Value": environment.load_balancer},
            {"Name": "TargetGroup", "Value": environment.target_group},
        ]
    else:
        space, latency = "AWS/ELB", "Latency"
        balancer = [{"Name": "LoadBalancerName", "Value": environment.load_balancer}]
    series = [
        ("AWS/EC2", "CPUUtilization", group, lambda m: ([m.cpu_percent], [max(m.instances, 1)])),
        (space, "RequestCount", balancer, lambda m: ([1.0], [m.requests]) if m.requests else None),
        (space, "HealthyHostCount", balancer, lambda m: ([m.instances], [1])),
        (space, latency, balancer, lambda m: ([m.latency_seconds], [10])),
    ]
    last = int(end.timestamp()) // 60 * 60
    client = local.client("cloudwatch")
    for namespace, metric, dimensions, value in series:
        data = []
        for ago, minute in enumerate(reversed(minutes), start=1):
            if (values := value(minute)) is not None:
                data.append({
                    "MetricName": metric, "Dimensions": dimensions, "Values": values[0], "Counts": values[1],
                    "Timestamp": datetime.fromtimestamp(last - 60 * ago, timezone.utc),
                })
        for batch in batches(data, 1000):
            client.put_metric_data(Namespace=namespace, MetricData=batch)


def batches(items: list, size: int):
    return (items[i : i + size] for i in range(0, len(items), size))


def invented_day(days: int = 2) -> list[Minute]:
    """A wave of requests over each day on two instances. It is invented."""
    import math

    def minute(i: int) -> Minute:
        requests = round(3000 + 2500 * math.sin(2 * math.pi * i / 1440))
        return Minute(requests, 2 + 0.008 * requests / 2, 2)

    return [minute(i) for i in range(days * 1440)]


def main():
    shop = Environment("shop-prod", "e-shopprod01", tags={"stage": "prod"}, sizes=(2, 6, 2))
    classic = Environment("old-shop", "e-oldshop001", "classic", sizes=(2, 4, 2))
    world = World([shop, classic, Environment("mailer", "e-mailer0001", "worker")])
    with LocalAws(world) as local:
        for environment in (shop, classic):
            put_metrics(local, environment, invented_day(), datetime.now(timezone.utc))
        local.client("s3").create_bucket(
            Bucket="trellis-archive", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        for name, value in local.variables().items():
            print(f"export {name}={value}")
        print("# try: trellis run --aws --environment shop-prod --archive s3://trellis-archive", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
