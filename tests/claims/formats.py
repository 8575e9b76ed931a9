"""Reads a message and pasted settings with the parsers of those who will: JSON Schema, HCL, YAML. Prints what they saw."""

import json
import re
import sys
from pathlib import Path

import hcl2
import jsonschema
import yaml


ESCAPE = re.compile(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")


def text(literal):
    """What a quoted literal of HCL says; the parser leaves it as it is written."""
    assert literal[0] == literal[-1] == '"' and "${" not in literal and "%{" not in literal, literal
    return ESCAPE.sub(lambda match: match[3] or chr(int(match[1] or match[2], 16)), literal[1:-1])


def terraform(file):
    settings = hcl2.loads(file.read_text()).get("setting", [])
    return [[text(block[name]) for name in ("namespace", "name", "value")] for block in settings]


def cloudformation(file):
    settings = yaml.safe_load(file.read_text())["OptionSettings"]
    return [[option["Namespace"], option["OptionName"], option["Value"]] for option in settings]


def ebextensions(file):
    settings = yaml.safe_load(file.read_text())["option_settings"]
    return [[namespace, name, value] for namespace, of in settings.items() for name, value in of.items()]


def violations(schema, document):
    jsonschema.Draft202012Validator.check_schema(schema)
    found = jsonschema.Draft202012Validator(schema).iter_errors(document)
    return [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in found]


directory, schema = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
readers = {"tf": terraform, "cf.yaml": cloudformation, "config": ebextensions}
seen = {}
for file in sorted(directory.iterdir()):
    kind = file.name.split(".", 1)[1]
    if kind in readers:
        seen[file.name] = readers[kind](file)
    elif kind == "json":
        seen[file.name] = violations(schema, json.loads(file.read_text()))
print(json.dumps(seen))
