import pytest

from training.model.container_image import ImageError, accounts, image_uri


def test_each_regions_image_is_in_its_accounts_registry() -> None:
    assert image_uri("us-east-1") == "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
    assert image_uri("eu-central-1") == "492215442770.dkr.ecr.eu-central-1.amazonaws.com/sagemaker-xgboost:3.0-5"
    assert image_uri("cn-north-1") == "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:3.0-5"


def test_account_numbers_have_twelve_digits() -> None:
    assert len(accounts()) > 30
    assert all(len(account) == 12 and account.isdecimal() for account in accounts().values())


def test_a_region_without_the_image_is_refused() -> None:
    with pytest.raises(ImageError, match=r"'mars-north-1'. Set AWS_DEFAULT_REGION to one of: .*us-east-1"):
        image_uri("mars-north-1")
