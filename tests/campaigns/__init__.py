"""Attacks that run by the thousand, each by its own command."""
