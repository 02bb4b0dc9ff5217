"""`chaosqs.aws()`: the same world with boto3 clients and a test in it."""
