"""Serverless Framework files (versions 1 to 4): compiled to a CloudFormation template, which is read as any other."""
