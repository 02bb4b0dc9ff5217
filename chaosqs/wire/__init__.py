"""Real boto3 and botocore clients in this process: their requests become calls of the simulated services."""
