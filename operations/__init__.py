"""The endpoint's and the app's life on AWS, through boto3."""
