"""CloudFormation, SAM and CDK templates."""
