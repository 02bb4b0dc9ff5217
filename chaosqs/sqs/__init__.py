"""SQS: queues, their service in virtual time, and its API."""
