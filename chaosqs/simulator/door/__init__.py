"""The boto3 door: requests of real boto3 and botocore clients in this process become calls of the simulated service."""
