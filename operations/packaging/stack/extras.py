"""The template that `chalice package --merge-template` adds to its own: pure, from a stage and a fingerprint.

`chalice` names three resources in every template: RestAPI, APIHandler (the function) and APIHandlerInvokePermission.
"""

from typing import Any

from operations.aws import names
from operations.packaging.stack.alarms import HAS_TOPIC, TOPIC, alarms
from operations.packaging.stack.dashboard import dashboard
from operations.packaging.stack.gateway_responses import gateway_responses
from operations.packaging.stack.metrics import FUNCTION

JsonObject = dict[str, Any]

LOG_DAYS = 30
RATE, BURST = "RequestsPerSecond", "RequestBurst"
PARAMETERS: JsonObject = {
    TOPIC: {
        "Type": "String",
        "Default": "",
        "AllowedPattern": "^$|^arn:[a-z-]+:sns:[a-z0-9-]+:[0-9]{12}:.+$",
        "Description": "An SNS topic that alarms are told to; empty for none.",
    },
    RATE: {
        "Type": "Number",
        "Default": 50,
        "MinValue": 1,
        "Description": "How many requests a second the stage lets through in the long run. A page takes a dozen.",
    },
    BURST: {
        "Type": "Number",
        "Default": 100,
        "MinValue": 1,
        "Description": "How many requests the stage lets through at once.",
    },
}


def extras(stage: str, fingerprint: str) -> JsonObject:
    """Return the template to merge; raises `NameRefusedError` for a stage that AWS could not name things after."""
    watching = alarms(stage)
    endpoint = names.endpoint(stage, fingerprint)
    return {
        "Parameters": PARAMETERS,
        "Conditions": {HAS_TOPIC: {"Fn::Not": [{"Fn::Equals": [{"Ref": TOPIC}, ""]}]}},
        "Resources": {
            "RestAPI": {"Properties": _stage_settings()},
            FUNCTION: {"DependsOn": ["FunctionLog"], "Properties": {"FunctionName": function_name(stage)}},
            "FunctionLog": _log(stage),
            "Dashboard": dashboard(function_name(stage), stage, endpoint, watching),
            **watching,
        },
    }


def function_name(stage: str) -> str:
    """Name the function as `chalice deploy` does, so that its policy may write the log, and both are found alike."""
    return names.prefix(stage).removesuffix("-")


def _stage_settings() -> JsonObject:
    """Throttle every method of the stage, and let the gateway's own answers be ours."""
    throttle = {
        "ResourcePath": "/*",
        "HttpMethod": "*",
        "ThrottlingRateLimit": {"Ref": RATE},
        "ThrottlingBurstLimit": {"Ref": BURST},
    }
    return {
        "OpenApiVersion": "2.0",  # else there is a second stage, "Stage", that has no throttle
        "MethodSettings": [throttle],
        "DefinitionBody": {"x-amazon-apigateway-gateway-responses": gateway_responses()},
    }


def _log(stage: str) -> JsonObject:
    """Make the log before Lambda would, which keeps it for good: this one forgets, and goes with the stack."""
    return {
        "Type": "AWS::Logs::LogGroup",
        "DeletionPolicy": "Delete",
        "UpdateReplacePolicy": "Delete",
        "Properties": {"LogGroupName": f"/aws/lambda/{function_name(stage)}", "RetentionInDays": LOG_DAYS},
    }
