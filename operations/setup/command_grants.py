"""What the commands need to be allowed on SageMaker and around it, command by command."""

from operations.aws.role import SERVICE
from operations.setup.grant import ANY, ARN, SAGEMAKER, Grant, actions

COMMANDS = (
    Grant(
        "MakeModels",
        "deploy, update, split and teardown",
        actions("sagemaker", "CreateModel DescribeModel DeleteModel"),
        (f"{SAGEMAKER}:model/verdict-*",),
    ),
    Grant(
        "MakeEndpoints",
        "deploy, update, rollback, split and teardown",
        actions(
            "sagemaker",
            "CreateEndpointConfig DescribeEndpointConfig DeleteEndpointConfig CreateEndpoint DescribeEndpoint "
            "UpdateEndpoint UpdateEndpointWeightsAndCapacities DeleteEndpoint",
        ),
        (f"{SAGEMAKER}:endpoint/verdict-*", f"{SAGEMAKER}:endpoint-config/verdict-*"),
    ),
    Grant(
        "AskEndpoints",
        "the canary reviews, evaluate --on endpoint",
        ("sagemaker:InvokeEndpoint",),
        (f"{SAGEMAKER}:endpoint/verdict-*",),
    ),
    Grant(
        "Tag",
        "everything that is made says whose it is",
        actions("sagemaker", "AddTags DeleteTags ListTags"),
        (f"{SAGEMAKER}:*/verdict-*", f"{SAGEMAKER}:model-package*/verdict*"),
    ),
    Grant(
        "Train",
        "train --on sagemaker",
        actions("sagemaker", "CreateTrainingJob DescribeTrainingJob StopTrainingJob"),
        (f"{SAGEMAKER}:training-job/verdict-*",),
    ),
    Grant(
        "Tune",
        "tune --on sagemaker",
        actions(
            "sagemaker",
            "CreateHyperParameterTuningJob DescribeHyperParameterTuningJob StopHyperParameterTuningJob "
            "ListTrainingJobsForHyperParameterTuningJob",
        ),
        (f"{SAGEMAKER}:hyper-parameter-tuning-job/verdict-*",),
    ),
    Grant(
        "Transform",
        "evaluate --on batch",
        actions("sagemaker", "CreateTransformJob DescribeTransformJob StopTransformJob"),
        (f"{SAGEMAKER}:transform-job/verdict-*",),
    ),
    Grant(
        "RegisterReleases",
        "releases: a model package for each",
        actions(
            "sagemaker",
            "CreateModelPackageGroup DescribeModelPackageGroup DeleteModelPackageGroup CreateModelPackage "
            "DescribeModelPackage DeleteModelPackage ListModelPackages",
        ),
        (f"{SAGEMAKER}:model-package*/verdict*",),
    ),
    Grant(
        "SeeWhatExists",
        "status and teardown: all that could be billed",
        actions(
            "sagemaker",
            "ListEndpoints ListEndpointConfigs ListModels ListTrainingJobs ListHyperParameterTuningJobs "
            "ListTransformJobs ListModelPackageGroups",
        ),
        (ANY,),
    ),
    Grant(
        "KeepTheBucket",
        "channels, models and results; closed to everybody else",
        actions(
            "s3",
            "CreateBucket ListBucket GetBucketLocation PutBucketPublicAccessBlock GetBucketPublicAccessBlock "
            "PutEncryptionConfiguration GetEncryptionConfiguration PutBucketPolicy GetBucketPolicy PutBucketTagging "
            "GetBucketTagging PutLifecycleConfiguration ListBucketVersions ListBucketMultipartUploads DeleteBucket",
        ),
        (f"{ARN}:s3:::{{bucket}}",),
    ),
    Grant(
        "ReadAndWriteObjects",
        "channels, models and results",
        actions("s3", "GetObject PutObject DeleteObject DeleteObjectVersion AbortMultipartUpload"),
        (f"{ARN}:s3:::{{bucket}}/verdict/*",),
    ),
    Grant(
        "FindTheExecutionRole",
        "every job and model works under it",
        ("iam:GetRole",),
        (f"{ARN}:iam::{{account}}:role/{{role}}",),
    ),
    Grant(
        "HandTheRoleToSageMaker",
        "every job and model works under it",
        ("iam:PassRole",),
        (f"{ARN}:iam::{{account}}:role/{{role}}",),
        {"iam:PassedToService": SERVICE},
    ),
    Grant(
        "ReadAndRemoveLogs",
        "the log of a running job, logs, and teardown",
        actions("logs", "DescribeLogStreams GetLogEvents FilterLogEvents DeleteLogStream DeleteLogGroup"),
        (
            f"{ARN}:logs:{{region}}:{{account}}:log-group:/aws/sagemaker/*",
            f"{ARN}:logs:{{region}}:{{account}}:log-group:/aws/lambda/verdict-*",
        ),
    ),
    Grant("FindTheFunctions", "status and teardown: the app of each stage", ("lambda:ListFunctions",), (ANY,)),
    Grant("ListLogs", "status and teardown: logs that are kept", ("logs:DescribeLogGroups",), (ANY,)),
    Grant(
        "WatchEndpoints",
        "alarms that turn an update back",
        actions("cloudwatch", "PutMetricAlarm DeleteAlarms ListTagsForResource TagResource"),
        (f"{ARN}:cloudwatch:{{region}}:{{account}}:alarm:verdict-*",),
    ),
    Grant(
        "ReadMetrics",
        "status: traffic and what it cost; whether an old endpoint is idle",
        actions("cloudwatch", "DescribeAlarms GetMetricStatistics ListMetrics"),
        (ANY,),
    ),
    Grant(
        "Scale",
        "deploy with --max-count: instances by traffic",
        actions(
            "application-autoscaling",
            "RegisterScalableTarget DeregisterScalableTarget PutScalingPolicy",
        ),
        (f"{ARN}:application-autoscaling:{{region}}:{{account}}:scalable-target/*",),
    ),
    Grant(
        "SeeWhatScales",
        "status and teardown",
        actions("application-autoscaling", "DescribeScalableTargets DescribeScalingPolicies"),
        (ANY,),
    ),
)
