"""judge_studies.py SCHEMA [STUDY ..] - judges studies by a JSON Schema, as an editor would.

Prints a line for each finding, "STUDY PLACE: what", or "STUDY is valid"; first "SCHEMA is valid",
by the metaschema that it names.  Exit code 77 where Python lacks a module that this needs.
"""
import json
import re
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(missing)
    sys.exit(77)


class Core(yaml.SafeLoader):
    """YAML 1.2's core schema, by which editors read; PyYAML's own is that of 1.1: 1e6 is a text."""

    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        """Keys are texts as they stand, as JSON has them."""
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


for tag, pattern in {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+",
    "float": r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?",
}.items():
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"), None)

with open(sys.argv[1], encoding="utf-8") as file:
    schema = json.load(file)
kind = jsonschema.validators.validator_for(schema, default=None)
kind.check_schema(schema)
print(sys.argv[1], "is valid by", kind.META_SCHEMA["$schema"])
for path in sys.argv[2:]:
    with open(path, encoding="utf-8") as file:
        study = yaml.load(file, Core)
    findings = list(kind(schema).iter_errors(study))
    for finding in findings:
        place = ".".join(map(str, finding.absolute_path)) or "top"
        print(path, f"{place}: {finding.message}".replace("\n", " "))
    if not findings:
        print(path, "is valid")
