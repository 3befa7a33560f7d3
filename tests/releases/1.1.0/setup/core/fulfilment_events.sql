-- Orders with their customers' traits -> their returns (kind 3) and movements (kind 5), each with the instant at which it is due.
-- Called OVER (PARTITION BY shard), with the configuration's text in the first row of each partition only. Instants (_ms) are
-- milliseconds since 2000-01-01 00:00 UTC. Granted to nobody: core.generate_batch calls it.

create or replace function core.fulfilment_events(
    configuration varchar,
    order_id number(18, 0),
    customer_id number(18, 0),
    ordered_ms number(18, 0),
    is_first boolean,
    customer_segment varchar,
    time_zone varchar,
    state varchar,
    price_sensitivity number(4, 0),
    favourite_category varchar,
    preferred_channel varchar,
    value_factor number(18, 0)
)
returns table (
    kind number(1, 0),
    event_number number(18, 0),
    due_ms number(18, 0),
    order_id number(18, 0),
    line_number number(3, 0),
    customer_id number(18, 0),
    product_id number(18, 0),
    category_name varchar,
    quantity number(9, 0),
    refund number(12, 0),
    movement_type varchar,
    warehouse_id number(9, 0),
    delay_days number(3, 0),
    reason varchar,
    checksum number(18, 0),
    cause varchar,
    caused_by number(18, 0),
    likely number(9, 0)
)
language python
runtime_version = '3.11'
packages = ('numpy', 'pandas')
imports = ('/src/catalogue.py', '/src/configuration.py', '/src/customer_model.py', '/src/customers.py', '/src/edits.py', '/src/fulfilment.py', '/src/history.py', '/src/keyed_randomness.py', '/src/marketing.py', '/src/model_statements.py', '/src/places.py', '/src/plan.py', '/src/procedures.py', '/src/purchases.py', '/src/quantile_tables.py', '/src/replay.py', '/src/replay_statements.py', '/src/restore.py', '/src/retail_stream_entry.py', '/src/slots.py', '/src/statements.py', '/src/table_functions.py', '/src/world.py', '/src/worth.py')
handler = 'retail_stream_entry.FulfilmentEvents';
