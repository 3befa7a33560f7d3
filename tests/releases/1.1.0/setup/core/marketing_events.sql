-- Sign-ups (order_id 0) and orders -> the marketing touches that go with them. Cost is in cents; customer 0 is nobody known.
-- Called OVER (PARTITION BY shard), with the configuration's text in the first row of each partition only. Instants (_ms) are
-- milliseconds since 2000-01-01 00:00 UTC. Granted to nobody: core.generate_batch calls it.

create or replace function core.marketing_events(
    configuration varchar,
    order_id number(18, 0),
    customer_id number(18, 0),
    at_ms number(18, 0),
    acquisition_channel varchar
)
returns table (
    event_number number(18, 0),
    due_ms number(18, 0),
    customer_id number(18, 0),
    channel_name varchar,
    campaign_name varchar,
    touch_type varchar,
    cost number(12, 0),
    checksum number(18, 0),
    cause varchar,
    caused_by number(18, 0),
    likely number(9, 0)
)
language python
runtime_version = '3.11'
packages = ('numpy', 'pandas')
imports = ('/src/catalogue.py', '/src/configuration.py', '/src/customer_model.py', '/src/customers.py', '/src/edits.py', '/src/fulfilment.py', '/src/history.py', '/src/keyed_randomness.py', '/src/marketing.py', '/src/model_statements.py', '/src/places.py', '/src/plan.py', '/src/procedures.py', '/src/purchases.py', '/src/quantile_tables.py', '/src/replay.py', '/src/replay_statements.py', '/src/restore.py', '/src/retail_stream_entry.py', '/src/slots.py', '/src/statements.py', '/src/table_functions.py', '/src/world.py', '/src/worth.py')
handler = 'retail_stream_entry.MarketingEvents';
