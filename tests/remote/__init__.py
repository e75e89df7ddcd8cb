"""How the product calls others: rules over an in-memory internet, limits over real sockets."""
