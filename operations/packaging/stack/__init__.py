"""What a CloudFormation stack of the app has beyond what `chalice package` writes, for `--merge-template`."""
