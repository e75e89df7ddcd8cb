"""How the fediverse speaks: shapes, properties and golden documents."""
