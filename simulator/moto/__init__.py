"""The AWS services that moto simulates, and corrections to them."""
