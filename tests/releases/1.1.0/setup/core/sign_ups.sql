-- Rows of customer numbers -> customers with their traits.
-- Called OVER (PARTITION BY shard), with the configuration's text in the first row of each partition only. Instants (_ms) are
-- milliseconds since 2000-01-01 00:00 UTC. Granted to nobody: core.generate_batch calls it.

create or replace function core.sign_ups(
    configuration varchar,
    slot number(9, 0),
    open_ms number(9, 0),
    first_customer number(18, 0),
    sign_up_count number(9, 0)
)
returns table (
    customer_id number(18, 0),
    signed_up_ms number(18, 0),
    signed_up_slot number(9, 0),
    dropout_ms number(18, 0),
    dropout_slot number(9, 0),
    first_name varchar,
    last_name varchar,
    email varchar,
    gender varchar,
    age number(3, 0),
    income number(12, 0),
    city varchar,
    state varchar,
    zip_code varchar,
    time_zone varchar,
    customer_segment varchar,
    price_sensitivity number(4, 0),
    favourite_category varchar,
    preferred_channel varchar,
    acquisition_channel varchar,
    rate_factor number(18, 0),
    value_factor number(18, 0),
    checksum number(18, 0),
    purchase_rate number(18, 0),
    order_value number(12, 0),
    order_margin number(12, 0),
    lifetime_value number(12, 0)
)
language python
runtime_version = '3.11'
packages = ('numpy', 'pandas')
imports = ('/src/catalogue.py', '/src/configuration.py', '/src/customer_model.py', '/src/customers.py', '/src/edits.py', '/src/fulfilment.py', '/src/history.py', '/src/keyed_randomness.py', '/src/marketing.py', '/src/model_statements.py', '/src/places.py', '/src/plan.py', '/src/procedures.py', '/src/purchases.py', '/src/quantile_tables.py', '/src/replay.py', '/src/replay_statements.py', '/src/restore.py', '/src/retail_stream_entry.py', '/src/slots.py', '/src/statements.py', '/src/table_functions.py', '/src/world.py', '/src/worth.py')
handler = 'retail_stream_entry.SignUps';
