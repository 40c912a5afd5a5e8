"""All that ships to AWS Lambda beside `app.py`: the standard library, boto3 and jinja2; never `training`."""
