"""Who runs the units of work: loops of this process on SQLite, a queue for many on PostgreSQL."""
