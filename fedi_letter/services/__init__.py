"""What we do: one module per trip, each carrying out what the pure packages decided.

Every unit of work claims its rows, does them and settles them; it may be run by anybody, twice,
or after a crash. No transaction is open while the network is asked: the functions that run inside
one are not coroutines, so they cannot wait for anything.
"""
