"""How the fediverse speaks: untrusted JSON in, our own words out; our words in, JSON out.

Pure: no clock, no dice, no network, no store. What a verified sender wants leaves this package as
a `letter.intents` value; whether it is believed is decided elsewhere.
"""
