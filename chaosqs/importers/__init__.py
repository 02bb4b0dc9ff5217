"""Designs read from deployment files."""
