# Shipments of a shop. The module of the queue takes `max_receives` as the number of repetitions, and gives SQS one receive:
# one shipment that fails takes the others of its batch with it into the dead-letter queue. Run `pytest --chaosqs` here.

variable "stage" {
  type    = string
  default = "dev"
}

variable "timeouts" {
  type    = map(number)
  default = { dev = 10, prod = 20 }
}

locals {
  name    = "shipments-${var.stage}"
  timeout = lookup(var.timeouts, var.stage, 10)
}

module "shipments" {
  source             = "./modules/queue"
  name               = local.name
  visibility_timeout = 6 * local.timeout
  max_receives       = 1
}

data "archive_file" "ship" {
  type        = "zip"
  source_dir  = "${path.module}/src"
  output_path = "${path.module}/ship.zip"
}

resource "aws_lambda_function" "ship" {
  function_name = "ship-${var.stage}"
  filename      = data.archive_file.ship.output_path
  handler       = "ship.handler"
  runtime       = "python3.13"
  timeout       = local.timeout
  role          = aws_iam_role.ship.arn

  environment {
    variables = {
      CARRIER = "post"
    }
  }
}

resource "aws_lambda_event_source_mapping" "ship" {
  event_source_arn = module.shipments.arn
  function_name    = aws_lambda_function.ship.arn
  batch_size       = 5
}

resource "aws_iam_role" "ship" {
  name = local.name
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}
