"""Writes a notice. Its module has the name of the other function's module: each has a directory of its own."""

import json
import os

from wording import sentence

SENDER = os.environ["SENDER"]


def handler(event, context):
    for record in event["Records"]:
        print(SENDER, sentence(json.loads(record["body"])))
