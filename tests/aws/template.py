"""The stack's template, as CloudFormation gets it after the transform."""

import copy
import functools
import json
import re

from conftest import ROOT

PARAMETERS = {"Environments": "web-prod,api-prod"}
# Statements about the function's own log, and what Elastic Beanstalk asks on the caller's behalf.
NOT_CALLED_BY_US = {"Log", "BeanstalkLooksWithTheCallersRights"}


@functools.cache
def _translated() -> str:
    from samtranslator.parser.parser import Parser
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse

    template = yaml_parse((ROOT / "template.yaml").read_text())
    for resource in template["Resources"].values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = "s3://deployment/code.zip"
        if resource["Type"] == "AWS::Serverless::StateMachine":
            properties["DefinitionUri"] = "s3://deployment/definition.json"

    class NoManagedPolicies:
        def load(self):
            return {}

    import os

    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-central-1")
    return json.dumps(transform(template, dict(PARAMETERS), NoManagedPolicies()), default=str)


def translated() -> dict:
    """A copy, to be looked at or to be spoilt."""
    return copy.deepcopy(json.loads(_translated()))


def functions(template: dict) -> dict[str, dict]:
    """By package, which the metadata names."""
    return {
        resource["Metadata"]["BuildProperties"]["Binary"]: resource["Properties"] | {"LogicalId": name}
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Lambda::Function"
    }


def statements(template: dict, role: str) -> list[dict]:
    policies = template["Resources"][role]["Properties"]["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def actions(statement: dict) -> list[str]:
    listed = statement["Action"]
    return [listed] if isinstance(listed, str) else listed


def allowed_actions(package: str, template: dict | None = None) -> set[str]:
    """What a function may call, but for its log and for what Elastic Beanstalk asks on its behalf."""
    template = template or translated()
    role = f"{functions(template)[package]['LogicalId']}Role"
    ours = [s for s in statements(template, role) if s["Sid"] not in NOT_CALLED_BY_US]
    return {action for statement in ours for action in actions(statement)}


def variables_read(package: str) -> set[str]:
    """Those that the function's configuration names."""
    source = (ROOT / "functions" / package / "src/config.rs").read_text()
    return set(re.findall(r'(?:required|optional)(?:_as)?\("([A-Z_]+)"\)', source))
