"""How fast the letter is, beside what bounds it; run by hand with `make bench`, never by pytest.

The product is driven through its public surface alone (settings, command line, HTTP); only `seed`
and the row counts look into the tables, by plain SQL, and `yardsticks` calls `httpsig`.
"""
