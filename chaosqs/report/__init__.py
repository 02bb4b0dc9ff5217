"""Renders stories for people and programs: pure functions from a counterexample to text."""
