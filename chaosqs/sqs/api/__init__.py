"""SQS's API: AWS's validation, answers and errors."""
