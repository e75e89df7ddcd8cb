"""How one reaches us: every path in `routes`, bounded bytes in, finished bytes out.

Pages, documents and the inbox; what they show is asked of the store in `lookups` and `receptions`,
on connections that cannot write, and kept as finished bytes under all that it depends on.
"""
