"""`chaosqs.aws()`: the simulated SQS and Lambda for boto3 clients in a test."""
