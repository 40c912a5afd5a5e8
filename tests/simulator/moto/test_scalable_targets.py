"""DescribeScalableTargets of the simulated AWS, page after page."""

from operations.aws.command import Aws

TARGETS = [f"endpoint/verdict-dev-{number:012x}/variant/v1" for number in range(120)]


def test_more_than_two_pages_of_scalable_targets_are_listed(aws: Aws) -> None:
    scaling = aws.account.client("application-autoscaling")
    target = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
    for name in TARGETS:
        scaling.register_scalable_target(**target, ResourceId=name, MinCapacity=1, MaxCapacity=2)
    pages = scaling.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="sagemaker")
    assert [found["ResourceId"] for page in pages for found in page["ScalableTargets"]] == TARGETS
