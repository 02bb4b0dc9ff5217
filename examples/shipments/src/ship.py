"""Hands shipments to a carrier."""

import json
import os


def handler(event, context):
    """Hand each shipment of a batch to the carrier."""
    for record in event["Records"]:
        shipment = json.loads(record["body"])
        print(f"{shipment['order']} goes to {shipment['city']} by {os.environ['CARRIER']}")
