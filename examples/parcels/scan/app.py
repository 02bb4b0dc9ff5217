"""Forwards each scan of a parcel as a notice to its recipient."""

import json
import os

import boto3

sqs = boto3.client("sqs")
NOTICES_URL = os.environ["NOTICES_URL"]


def handler(event, context):
    failures = []
    for record in event["Records"]:
        try:
            scan = json.loads(record["body"])
            notice = {"parcel": scan.get("parcel", "unknown"), "place": scan.get("place", "unknown")}
            sqs.send_message(QueueUrl=NOTICES_URL, MessageBody=json.dumps(notice))
        except ValueError:
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
