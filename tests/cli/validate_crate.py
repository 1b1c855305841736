"""validate_crate.py PACKAGE CONTEXTS - what roc-validator says of a package's crate, without network.

CONTEXTS is JSON: the JSON-LD contexts by their addresses, as far as crates of `hunch pack` use
their terms; a term that is not in them is a finding.  Prints a line for each finding, "SEVERITY
CHECK: message", or "valid".  Exit code 77 where Python lacks the validator.
"""
import io
import json
import sys

try:
    import requests
    from rocrate_validator import models, services
except ImportError as missing:
    print(missing)
    sys.exit(77)

with open(sys.argv[2], encoding="utf-8") as file:
    contexts = json.load(file)


def send(_, request, **__):
    """Answers a request from the contexts, and no other."""
    if request.url not in contexts:
        raise requests.ConnectionError(f"not to be fetched: {request.url}")
    response = requests.Response()
    response.status_code, response.url, response.request = 200, request.url, request
    response.headers["Content-Type"] = "application/ld+json"
    response.raw = io.BytesIO(json.dumps(contexts[request.url]).encode())
    return response


requests.adapters.HTTPAdapter.send = send
result = services.validate(
    services.ValidationSettings(
        rocrate_uri=sys.argv[1],
        profile_identifier="process-run-crate-0.5",
        requirement_severity=models.Severity.RECOMMENDED,
        no_cache=True,
    )
)
findings = result.get_issues()
for finding in findings:
    message = " ".join(finding.message.split())
    print(f"{finding.severity.name} {finding.check.name}: {message}")
if not findings:
    print("valid")
