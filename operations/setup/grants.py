"""The table of what a person or program needs to be allowed, to set up, run the commands, deploy the app; and why.

What SageMaker itself may do while it works for us is the role's policy (`operations.aws.role`).
"""

from operations.setup.command_grants import COMMANDS
from operations.setup.grant import ANY, ARN, Grant, actions
from training.model.container_image import REPOSITORY

SETUP = (
    Grant("SayWho", "who asks, and in which account", ("sts:GetCallerIdentity",), (ANY,)),
    Grant(
        "KeepTheExecutionRole",
        "doctor --create, and teardown",
        actions(
            "iam",
            "CreateRole GetRole TagRole PutRolePolicy GetRolePolicy ListRolePolicies DeleteRolePolicy "
            "ListAttachedRolePolicies DetachRolePolicy DeleteRole",
        ),
        (f"{ARN}:iam::{{account}}:role/{{role}}",),
    ),
    Grant(
        "FindTheImage",
        "doctor: whether the XGBoost image is in this region",
        ("ecr:BatchGetImage",),
        (f"{ARN}:ecr:{{region}}:{{registry}}:repository/{REPOSITORY}",),
    ),
    Grant(
        "LetAutoscalingIn",
        "its first use in an account makes a role of its own",
        ("iam:CreateServiceLinkedRole",),
        (f"{ARN}:iam::{{account}}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/*",),
        {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"},
    ),
    Grant(
        "SeeAndRaiseQuotas",
        "doctor and quotas",
        actions(
            "servicequotas",
            "ListServiceQuotas ListAWSDefaultServiceQuotas ListRequestedServiceQuotaChangeHistory "
            "RequestServiceQuotaIncrease",
        ),
        (ANY,),
    ),
    Grant(
        "AskAboutPermissions",
        "doctor: this very list",
        ("iam:SimulatePrincipalPolicy",),
        (f"{ARN}:iam::{{account}}:*",),
    ),
    Grant(
        "FindOnesOwnRole",
        "doctor: whose permissions to ask about, where a role is assumed",
        ("iam:GetRole",),
        (f"{ARN}:iam::{{account}}:role/*",),
    ),
)
APP = (
    Grant(
        "TakeAStackDown",
        "teardown, where the app was deployed as a CloudFormation stack",
        actions("cloudformation", "DescribeStacks DeleteStack"),
        (f"{ARN}:cloudformation:{{region}}:{{account}}:stack/verdict-*",),
    ),
    Grant(
        "DeployTheFunction",
        "chalice deploy and delete",
        actions(
            "lambda",
            "CreateFunction GetFunction GetFunctionConfiguration UpdateFunctionCode UpdateFunctionConfiguration "
            "DeleteFunction PutFunctionConcurrency DeleteFunctionConcurrency GetPolicy AddPermission RemovePermission "
            "ListTags TagResource UntagResource",
        ),
        (f"{ARN}:lambda:{{region}}:{{account}}:function:verdict-*",),
    ),
    Grant(
        "DeployTheApi",
        "chalice deploy and delete",
        actions("apigateway", "GET POST PUT PATCH DELETE"),
        (f"{ARN}:apigateway:{{region}}::/restapis", f"{ARN}:apigateway:{{region}}::/restapis/*"),
    ),
    Grant(
        "KeepTheFunctionsRole",
        "chalice deploy and delete",
        actions("iam", "CreateRole GetRole PutRolePolicy ListRolePolicies DeleteRolePolicy DeleteRole"),
        (f"{ARN}:iam::{{account}}:role/verdict-*",),
    ),
    Grant(
        "HandTheRoleToLambda",
        "chalice deploy",
        ("iam:PassRole",),
        (f"{ARN}:iam::{{account}}:role/verdict-*",),
        {"iam:PassedToService": "lambda.amazonaws.com"},
    ),
)
PARTS = {"setup": SETUP, "commands": COMMANDS, "app": APP}  # a policy each: all in one is longer than IAM takes
GRANTS = SETUP + COMMANDS + APP
