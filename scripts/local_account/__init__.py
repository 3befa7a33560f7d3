"""A Snowflake account in a process.

Real clients (``snow``, the Python connector, Snowpark) talk to it on loopback. Beneath: sqlglot's translation, our corrections, and DuckDB;
above them what a Native App needs. It runs other people's apps too, so nothing here knows what an app is about.

Reading order: ``server`` (the wire) -> ``session`` (one client) -> ``statements`` (the routing table) -> one module per thing.
"""
