"""Tests of who is speaking: shapes, policy, both schemes, keys."""
