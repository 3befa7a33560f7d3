-- Orders with their customers' traits -> purchases. Money is in cents, prices in the lines in USD; warehouse 0 is none.
-- Called OVER (PARTITION BY shard), with the configuration's text in the first row of each partition only. Instants (_ms) are
-- milliseconds since 2000-01-01 00:00 UTC. Granted to nobody: core.generate_batch calls it.

create or replace function core.purchase_events(
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
    order_id number(18, 0),
    customer_id number(18, 0),
    customer_segment varchar,
    ordered_ms number(18, 0),
    is_first boolean,
    ship_state varchar,
    sales_channel varchar,
    device varchar,
    payment_method varchar,
    shipping_method varchar,
    warehouse_id number(9, 0),
    subtotal number(12, 0),
    discount_total number(12, 0),
    tax_total number(12, 0),
    shipping_total number(12, 0),
    final_total number(12, 0),
    lines varchar,
    checksum number(18, 0)
)
language python
runtime_version = '3.11'
packages = ('numpy', 'pandas')
imports = ('/src/catalogue.py', '/src/configuration.py', '/src/customer_model.py', '/src/customers.py', '/src/edits.py', '/src/fulfilment.py', '/src/history.py', '/src/keyed_randomness.py', '/src/marketing.py', '/src/model_statements.py', '/src/places.py', '/src/plan.py', '/src/procedures.py', '/src/purchases.py', '/src/quantile_tables.py', '/src/replay.py', '/src/replay_statements.py', '/src/restore.py', '/src/retail_stream_entry.py', '/src/slots.py', '/src/statements.py', '/src/table_functions.py', '/src/world.py', '/src/worth.py')
handler = 'retail_stream_entry.PurchaseEvents';
