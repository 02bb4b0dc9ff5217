"""The reference designs of the package: data, no code."""
