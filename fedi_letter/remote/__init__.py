"""Whom we call: the one way out, through one guard; it must not know why a call is made."""
