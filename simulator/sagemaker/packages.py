"""Model packages in groups: versions of a model, with what is known of each and whether it may be deployed."""

from typing import Any

from simulator.sagemaker.backend import Backend, Resource, ServiceError
from simulator.sagemaker.listing import page
from simulator.sagemaker.service import Operation

GROUP = "model-package-group"
PACKAGE = "model-package"
_REMOVABLE = "CustomerMetadataPropertiesToRemove"
_ADDED = "AdditionalInferenceSpecificationsToAdd"


def create_group(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Take a group in."""
    name = request["ModelPackageGroupName"]
    if (GROUP, name) in world.resources:
        raise ServiceError("ValidationException", f"Model Package Group already exists: {world.arn(GROUP, name)}")
    facts = {member: value for member, value in request.items() if member != "Tags"} | {
        "CreationTime": world.now(),
        "CreatedBy": {},
        "ModelPackageGroupStatus": "Completed",
    }
    group = world.add(GROUP, name, facts, request.get("Tags"))
    group.private["versions"] = 0
    facts["ModelPackageGroupArn"] = group.arn
    return {"ModelPackageGroupArn": group.arn}


def describe_group(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Tell about a group."""
    return _find(world, GROUP, request["ModelPackageGroupName"]).facts


def list_groups(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List groups."""
    return page(world.all_of(GROUP), request, "ModelPackageGroupSummaryList", _group_summary)


def delete_group(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Forget a group that has no packages."""
    group = _find(world, GROUP, request["ModelPackageGroupName"])
    if _packages_of(world, group.name):
        raise ServiceError(
            "ConflictException", f"Model Package Group {group.arn} cannot be deleted: it still has Model Packages."
        )
    world.remove(group)
    return {}


def create_package(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Take the next version of a group in; it is complete at once."""
    if "ModelPackageName" in request or "ModelPackageGroupName" not in request:
        raise ServiceError("ValidationException", "The simulator has versioned packages only: name their group.")
    group = _find(world, GROUP, request["ModelPackageGroupName"])
    group.private["versions"] += 1
    version = group.private["versions"]
    facts = {"ModelApprovalStatus": "PendingManualApproval"} | request
    facts |= {
        "ModelPackageName": group.name,
        "ModelPackageGroupName": group.name,
        "ModelPackageVersion": version,
        "CreationTime": world.now(),
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": request.get("CertifyForMarketplace", False),
    }
    tags = facts.pop("Tags", None)
    facts.pop("ClientToken", None)
    package = world.add(PACKAGE, f"{group.name}/{version}", facts, tags)
    facts["ModelPackageArn"] = package.arn
    return {"ModelPackageArn": package.arn}


def describe_package(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Tell about a package, by its ARN."""
    return dict(_find(world, PACKAGE, request["ModelPackageName"]).facts)


def list_packages(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List packages: those of one group, or all where versioned ones are asked for; unversioned ones there are none."""
    packages = world.all_of(PACKAGE) if request.get("ModelPackageType") in ("Versioned", "Both") else []
    if "ModelPackageGroupName" in request:
        packages = _packages_of(world, _find(world, GROUP, request["ModelPackageGroupName"]).name)
    approval = request.get("ModelApprovalStatus")
    wanted = [package for package in packages if approval in (None, package.facts["ModelApprovalStatus"])]
    return page(wanted, request, "ModelPackageSummaryList", _package_summary)


def update_package(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Change what is known of a package: its approval above all."""
    package = _find(world, PACKAGE, request["ModelPackageArn"])
    known = package.facts.get("CustomerMetadataProperties", {}) | request.get("CustomerMetadataProperties", {})
    removed = request.get(_REMOVABLE, [])
    facts = {name: value for name, value in request.items() if name not in (_REMOVABLE, _ADDED, "ClientToken")} | {
        "CustomerMetadataProperties": {key: value for key, value in known.items() if key not in removed},
        "LastModifiedTime": world.now(),
    }
    if _ADDED in request:
        before = package.facts.get("AdditionalInferenceSpecifications", [])
        facts["AdditionalInferenceSpecifications"] = before + request[_ADDED]
    package.facts |= facts
    return {"ModelPackageArn": package.arn}


def delete_package(world: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Forget a package; its version number is not given again."""
    world.remove(_find(world, PACKAGE, request["ModelPackageName"]))
    return {}


def _find(world: Backend, kind: str, name: str) -> Resource:
    """Return a group or package by its name or ARN; raises `ServiceError` when it is absent."""
    short = name.rpartition(f":{kind}/")[2]
    found = world.resources.get((kind, short))
    if not found:
        title = {GROUP: "ModelPackageGroup", PACKAGE: "ModelPackage"}[kind]
        raise ServiceError("ValidationException", f"{title} {world.arn(kind, short)} does not exist.")
    return found


def _packages_of(world: Backend, group: str) -> list[Resource]:
    return [package for package in world.all_of(PACKAGE) if package.facts["ModelPackageGroupName"] == group]


def _group_summary(group: Resource) -> dict[str, Any]:
    members = (
        "ModelPackageGroupName",
        "ModelPackageGroupArn",
        "ModelPackageGroupDescription",
        "CreationTime",
        "ModelPackageGroupStatus",
    )
    return {name: group.facts[name] for name in members if name in group.facts}


def _package_summary(package: Resource) -> dict[str, Any]:
    members = (
        "ModelPackageName",
        "ModelPackageGroupName",
        "ModelPackageVersion",
        "ModelPackageArn",
        "ModelPackageDescription",
        "CreationTime",
        "ModelPackageStatus",
        "ModelApprovalStatus",
    )
    return {name: package.facts[name] for name in members if name in package.facts}


OPERATIONS: dict[str, Operation] = {
    "CreateModelPackageGroup": create_group,
    "DescribeModelPackageGroup": describe_group,
    "ListModelPackageGroups": list_groups,
    "DeleteModelPackageGroup": delete_group,
    "CreateModelPackage": create_package,
    "DescribeModelPackage": describe_package,
    "ListModelPackages": list_packages,
    "UpdateModelPackage": update_package,
    "DeleteModelPackage": delete_package,
}
