"""DescribeScalableTargets as Application Auto Scaling answers it: page after page. moto repeats the second token."""

import json
from functools import cache, wraps
from typing import Any

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse


@cache
def install() -> None:
    """Correct DescribeScalableTargets of moto, once in a process."""
    _count_from_the_first_page(ApplicationAutoScalingResponse)


def _count_from_the_first_page(responses: Any) -> None:
    """Let the token be the place of a page's last target among all targets, which moto counts within the page."""
    original = responses.describe_scalable_targets

    @wraps(original)
    def describe_scalable_targets(self: Any) -> str:
        found, marker = json.loads(original(self)), self._get_param("NextToken")
        if found["NextToken"] and marker:
            found["NextToken"] = str(int(marker) + len(found["ScalableTargets"]))
        return json.dumps(found)

    responses.describe_scalable_targets = describe_scalable_targets
