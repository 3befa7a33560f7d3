-- Rows of order numbers -> orders with their instant and either the buyer or the place in the draw of who buys.
-- Called OVER (PARTITION BY shard), with the configuration's text in the first row of each partition only. Instants (_ms) are
-- milliseconds since 2000-01-01 00:00 UTC. Granted to nobody: core.generate_batch calls it.

create or replace function core.order_draws(
    configuration varchar,
    slot number(9, 0),
    open_ms number(9, 0),
    time_zone varchar,
    weight number(18, 0),
    first_order number(18, 0),
    first_customer number(18, 0),
    order_count number(9, 0)
)
returns table (
    order_id number(18, 0),
    slot number(9, 0),
    time_zone varchar,
    buyer number(18, 0),
    draw_position number(18, 0),
    ordered_ms number(18, 0)
)
language python
runtime_version = '3.11'
packages = ('numpy', 'pandas')
imports = ('/src/catalogue.py', '/src/configuration.py', '/src/customer_model.py', '/src/customers.py', '/src/edits.py', '/src/fulfilment.py', '/src/history.py', '/src/keyed_randomness.py', '/src/marketing.py', '/src/model_statements.py', '/src/places.py', '/src/plan.py', '/src/procedures.py', '/src/purchases.py', '/src/quantile_tables.py', '/src/replay.py', '/src/replay_statements.py', '/src/restore.py', '/src/retail_stream_entry.py', '/src/slots.py', '/src/statements.py', '/src/table_functions.py', '/src/world.py', '/src/worth.py')
handler = 'retail_stream_entry.OrderDraws';
