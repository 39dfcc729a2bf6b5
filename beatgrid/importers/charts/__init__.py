"""Readers of rhythm games' charts."""
