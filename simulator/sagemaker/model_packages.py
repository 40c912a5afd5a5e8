"""Model package groups and versioned model packages: the versions of a model, their metadata and their approval."""

from typing import Any

from simulator.sagemaker.backend import Backend, InvalidRequestError, ResourceKind, ServiceError, SimulatedResource
from simulator.sagemaker.resource_operations import page, resource_operations
from simulator.sagemaker.service import Operation

GROUP = ResourceKind(
    "ModelPackageGroup",
    "model-package-group",
    missing_message="ModelPackageGroup {arn} does not exist.",
    duplicate_message="Model Package Group already exists: {arn}",
)
PACKAGE = ResourceKind("ModelPackage", "model-package", missing_message="ModelPackage {arn} does not exist.")
_REMOVED_PROPERTIES = "CustomerMetadataPropertiesToRemove"
_ADDED_SPECIFICATIONS = "AdditionalInferenceSpecificationsToAdd"


def create_group(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Create a group."""
    group = backend.create(GROUP, request, CreatedBy={}, ModelPackageGroupStatus="Completed")
    group.private["versions"] = 0
    return {"ModelPackageGroupArn": group.arn}


def delete_group(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Delete an empty group."""
    group = backend.find(GROUP, request["ModelPackageGroupName"])
    if _packages_of(backend, group.name):
        raise ServiceError(
            "ConflictException", f"Model Package Group {group.arn} cannot be deleted: it still has Model Packages."
        )
    backend.remove(group)
    return {}


def create_package(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Create the next version in a group, with status Completed."""
    if "ModelPackageName" in request or "ModelPackageGroupName" not in request:
        raise InvalidRequestError("The simulator supports only versioned packages: set ModelPackageGroupName.")
    group = backend.find(GROUP, request["ModelPackageGroupName"])
    version = group.private["versions"] = group.private["versions"] + 1
    package = backend.create(
        PACKAGE,
        {"ModelApprovalStatus": "PendingManualApproval", "CertifyForMarketplace": False} | request,
        name=f"{group.name}/{version}",
        ModelPackageName=group.name,
        ModelPackageGroupName=group.name,
        ModelPackageVersion=version,
        ModelPackageStatus="Completed",
        ModelPackageStatusDetails={"ValidationStatuses": [], "ImageScanStatuses": []},
    )
    return {"ModelPackageArn": package.arn}


def list_packages(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """List the packages of a group, or all versioned packages if the request includes that type."""
    packages = backend.all_of(PACKAGE) if request.get("ModelPackageType") in ("Versioned", "Both") else []
    if "ModelPackageGroupName" in request:
        packages = _packages_of(backend, backend.find(GROUP, request["ModelPackageGroupName"]).name)
    approval = request.get("ModelApprovalStatus")
    matching = [package for package in packages if approval in (None, package.facts["ModelApprovalStatus"])]
    return page("ListModelPackages", request, matching, lambda package: package.facts)


def update_package(backend: Backend, request: dict[str, Any]) -> dict[str, Any]:
    """Change a package's approval and metadata."""
    package = backend.find(PACKAGE, request["ModelPackageArn"])
    changes = dict(request)
    removed, added = changes.pop(_REMOVED_PROPERTIES, []), changes.pop(_ADDED_SPECIFICATIONS, [])
    changes.pop("ClientToken", None)
    properties = package.facts.get("CustomerMetadataProperties", {}) | request.get("CustomerMetadataProperties", {})
    changes["CustomerMetadataProperties"] = {key: value for key, value in properties.items() if key not in removed}
    if added:
        before = package.facts.get("AdditionalInferenceSpecifications", [])
        changes["AdditionalInferenceSpecifications"] = before + added
    package.facts |= changes | {"LastModifiedTime": backend.now()}
    return {"ModelPackageArn": package.arn}


def _packages_of(backend: Backend, group: str) -> list[SimulatedResource]:
    return [package for package in backend.all_of(PACKAGE) if package.facts["ModelPackageGroupName"] == group]


OPERATIONS: dict[str, Operation] = {
    **resource_operations(GROUP),
    **resource_operations(PACKAGE),
    "CreateModelPackageGroup": create_group,
    "DeleteModelPackageGroup": delete_group,
    "CreateModelPackage": create_package,
    "ListModelPackages": list_packages,
    "UpdateModelPackage": update_package,
}
