"""IAM's simulation of a principal's policies, which moto (5.2) has not: who comes here may do everything, except what
was ordered to be denied (see `fault_injector`).
"""

import uuid
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from simulator.fault_injection import FaultInjector
from simulator.wire import Answer, Request

OPERATION = "SimulatePrincipalPolicy"
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_WHOLE = "<IsTruncated>false</IsTruncated>"


def simulated(request: Request, fault_injector: FaultInjector) -> Answer:
    """Answer SimulatePrincipalPolicy: a decision for each action on each resource."""
    asked = parse_qs(request.body.decode())
    denied = {operation for operation, kind in fault_injector.ordered.items() if kind == "denied"}
    results = "".join(
        _result(action, resource, action.partition(":")[2] in denied)
        for action in _listed(asked, "ActionNames")
        for resource in _listed(asked, "ResourceArns") or ["*"]
    )
    told = f"<{OPERATION}Result><EvaluationResults>{results}</EvaluationResults>{_WHOLE}</{OPERATION}Result>"
    identity = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    document = f'<{OPERATION}Response xmlns="{_NAMESPACE}">{told}{identity}</{OPERATION}Response>'
    return Answer(200, document.encode(), {"Content-Type": "text/xml"})


def _listed(asked: dict[str, list[str]], member: str) -> list[str]:
    """Return a list of the query protocol: `ActionNames.member.1`, `.2`, ..."""
    count = sum(name.startswith(f"{member}.member.") for name in asked)
    return [asked[f"{member}.member.{position}"][0] for position in range(1, count + 1)]


def _result(action: str, resource: str, is_denied: bool) -> str:
    stated = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": "implicitDeny" if is_denied else "allowed",
    }
    return f"<member>{''.join(f'<{name}>{escape(value)}</{name}>' for name, value in stated.items())}</member>"
