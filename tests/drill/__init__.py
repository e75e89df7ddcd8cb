"""Scripted drills: bad days rehearsed on the real thing, each ending in a reckoning (`make drill`).

The product is driven from outside only: its own commands in processes of their own, real HTTP, real
signatures. What became of everything is read from its pages, its commands and its tables. Linux
only, since every simulated server has an address of its own in 127.0.0.0/8.
"""
