"""`deploy` with another size: an endpoint in service moves to other instances or memory, without failed requests.

SageMaker starts the new instances beside the old ones (UpdateEndpoint) and moves traffic when they are ready. The
release stays, so no rollback is recorded: a rollback still goes to the release before.
"""

from operations.aws.command import Aws
from operations.aws.errors import AwsError
from operations.aws.plan import Item, propose
from operations.endpoint import autoscaling, endpoint_config, endpoint_state
from operations.endpoint.autoscaling import AutoscalingLimits
from operations.endpoint.endpoint_config import HostingSpec, VariantSpec
from operations.endpoint.endpoint_state import DeployedEndpoint
from operations.endpoint.traffic_shift import AT_ONCE, shift
from operations.endpoint.transition import Transition


def resize(aws: Aws, found: DeployedEndpoint, hosting: HostingSpec, resume: str, yes: bool) -> DeployedEndpoint:
    """Move an endpoint with one variant to other hosting of the same kind, and return it; raises `AwsError`."""
    if len(found.variants) > 1:
        names = ", ".join(variant.name for variant in found.variants)
        raise AwsError(
            f"Traffic of {found.name} is split between {names}, so its size stays {found.hosting}. Choose the winner "
            f"first: verdict split {found.variants[0].name}=1 --stage {found.stage} --drop-others",
            "split",
        )
    item = Item("endpoint", f"{found.name}: {found.hosting} -> {hosting}", hosting.price(aws.account.prices))
    propose(aws.console, f"To be resized in {aws.account.region}, stage {found.stage}", [item], yes)
    endpoint_state.check_unchanged(aws.account, found)
    transition, variant = Transition(aws, found), found.variants[0]
    wanted = VariantSpec(variant.name, variant.model, count=hosting.count)
    request = endpoint_config.request(found.stage, found.name, found.release, hosting, [wanted])
    try:
        resized = shift(aws, found, transition.ensure_config(request), AT_ONCE, resume)
    except AwsError:
        transition.undo()
        raise
    _adjust_autoscaling(aws, resized, hosting)
    return resized


def _adjust_autoscaling(aws: Aws, resized: DeployedEndpoint, hosting: HostingSpec) -> None:
    """Let autoscaling, if there is any, keep at least the new number of instances."""
    scaled = None if hosting.is_serverless else autoscaling.find(aws, resized.name, resized.variants[0].name)
    if not scaled or scaled.min_instances == hosting.count:
        return
    most = max(scaled.max_instances, hosting.count)
    limits = AutoscalingLimits(scaled.variant, hosting.count, most, scaled.requests_a_minute)
    autoscaling.ensure(aws, resized.name, limits)
    aws.print(f"Autoscaling now keeps {hosting.count} to {most} instances.")
