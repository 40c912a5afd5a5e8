"""IAM's SimulatePrincipalPolicy, which moto (5.2) lacks: allows every action, unless the fault `denied` is injected."""

import uuid
from xml.sax.saxutils import escape

from simulator.faults.operation_faults import FaultInjector
from simulator.http.messages import HttpRequest, HttpResponse

OPERATION = "SimulatePrincipalPolicy"
_NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


def simulate_principal_policy(request: HttpRequest, fault_injector: FaultInjector) -> HttpResponse:
    """Answer SimulatePrincipalPolicy: a decision for each action on each resource."""
    denied = {operation for operation, kind in fault_injector.active.items() if kind == "denied"}
    results = "".join(
        _result(action, resource, action.partition(":")[2] in denied)
        for action in _members(request, "ActionNames")
        for resource in _members(request, "ResourceArns") or ["*"]
    )
    document = (
        f'<{OPERATION}Response xmlns="{_NAMESPACE}"><{OPERATION}Result>'
        f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated></{OPERATION}Result>"
        f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{OPERATION}Response>"
    )
    return HttpResponse(200, document.encode(), {"Content-Type": "text/xml"})


def _members(request: HttpRequest, name: str) -> list[str]:
    """Return a list of the query protocol: `ActionNames.member.1`, `.2`, ..."""
    count = sum(key.startswith(f"{name}.member.") for key in request.form)
    return [request.form[f"{name}.member.{position}"] for position in range(1, count + 1)]


def _result(action: str, resource: str, is_denied: bool) -> str:
    members = {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": "implicitDeny" if is_denied else "allowed",
    }
    return f"<member>{''.join(f'<{name}>{escape(value)}</{name}>' for name, value in members.items())}</member>"
