"""A project with events for its own tests: the plugin finds them, says whose they are, and finds what fails on them."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from tests.plugin.projects import BRIEFLY

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.12, CodeUri: app/, Timeout: 5}
Resources:
  Dead:
    Type: AWS::SQS::Queue
    Properties: {QueueName: dead}
  Orders:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: orders
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 2}
  Invoices:
    Type: AWS::SQS::Queue
    Properties: {QueueName: invoices}
  ChargeFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: charge
      Handler: shop.charge
      Environment: {Variables: {NEXT: !Ref Invoices}}
      Events: {Batch: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn, BatchSize: 5}}}
  InvoiceFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: invoice
      Handler: shop.invoice
      Events: {Batch: {Type: SQS, Properties: {Queue: !GetAtt Invoices.Arn}}}
  BuryFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: bury
      Handler: shop.bury
      Events: {Batch: {Type: SQS, Properties: {Queue: !GetAtt Dead.Arn}}}
"""
SHOP = """
import json, os
import boto3

def charge(event, context):
    sqs = boto3.client("sqs")
    for record in event["Records"]:
        body = json.loads(record["body"])
        if body["amount"] > 0:
            sqs.send_message(QueueUrl=os.environ["NEXT"], MessageBody=json.dumps({"order": body["id"]}))

def invoice(event, context):
    for record in event["Records"]:
        print(json.loads(record["body"])["order"])

def bury(event, context):
    pass
"""
EVENT = {"Records": [{"messageId": "1", "eventSource": "aws:sqs", "body": json.dumps({"id": "o-1", "amount": 12.5})}]}


@pytest.fixture
def shop(pytester: pytest.Pytester) -> Path:
    """Return a project with three functions and a few files of events."""
    files = {
        "template.yaml": TEMPLATE,
        "app/shop.py": SHOP,
        "pyproject.toml": "[tool.pytest.ini_options]\n[tool.chaosqs]\nhandler_seconds = 0\n",
        "events/order.json": json.dumps(EVENT),
        "events/upload.json": '{"Records": [{"eventSource": "aws:s3"}]}',
        "events/half.json": '{"id":',
    }
    for name, text in files.items():
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
    return pytester.path


@pytest.mark.usefixtures("shop", "hurried", "briefly_explained")
def test_the_bodies_of_a_project_find_what_fails_on_them(pytester: pytest.Pytester) -> None:
    """The header says where messages come from, the summary what is not used, and the story what is wrong with one."""
    only = "orders and charge and bystander"
    result = pytester.runpytest("--chaosqs", BRIEFLY, "-k", only, "-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "  orders → charge: app/shop.py, charge · bodies from events/order.json*",
            "  invoices → invoice: app/shop.py, invoice · bodies that charge sends*",
            "  dead → bury: app/shop.py, bury · messages of orders*",
            "*no bystander dead-lettered*VIOLATED",
            '  Messages        1: {"amount": 12.5}  ← id is missing',
            "events/half.json:1: is not JSON (Expecting value): not used",
            "events/upload.json:1: Records[[]0] is of S3, not of SQS: not used",
        ]
    )
