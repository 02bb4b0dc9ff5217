"""The reference designs that ship with the package: data, no code."""
