"""The simulated fediverse: servers of many dialects, the people on them, and their misdeeds.

The other side of the wire: nothing here uses the letter's own `httpsig` or `activitypub`, so that
what the two agree on is proven by two independent readings.
"""
