"""The app's deployment package and CloudFormation stack."""
