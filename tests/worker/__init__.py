"""Tests of who runs the units of work."""
