"""Importer of Terraform and OpenTofu directories."""
