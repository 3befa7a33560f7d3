-- Plans the chunks of a stretch of the past in pipeline.historical_chunks, or finds those of the same call that was stopped, and returns
-- the fill's id. Granted to nobody: core.generate_historical_data calls it.

create or replace procedure core.plan_history(start_date timestamp_ntz, end_date timestamp_ntz, events_per_day number)
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas')
imports = ('/src/catalogue.py', '/src/configuration.py', '/src/customer_model.py', '/src/customers.py', '/src/edits.py', '/src/fulfilment.py', '/src/history.py', '/src/keyed_randomness.py', '/src/marketing.py', '/src/model_statements.py', '/src/places.py', '/src/plan.py', '/src/procedures.py', '/src/purchases.py', '/src/quantile_tables.py', '/src/replay.py', '/src/replay_statements.py', '/src/restore.py', '/src/retail_stream_entry.py', '/src/slots.py', '/src/statements.py', '/src/table_functions.py', '/src/world.py', '/src/worth.py')
handler = 'retail_stream_entry.plan_history'
comment = 'Plans the chunks that fill a stretch of the past, after a look at what is there, and returns the id of the fill'
execute as owner;
