-- One run of the generator: from the reference tables to raw_data.raw_retail_events. NULL leaves a kind to the natural course.
-- Granted to nobody: the task calls it, and core.generate_retail_data for a person.

create or replace procedure core.generate_batch(
    customer_events number,
    purchase_events number,
    marketing_events number,
    supply_chain_events number
)
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas')
imports = ('/src/catalogue.py', '/src/configuration.py', '/src/customer_model.py', '/src/customers.py', '/src/edits.py', '/src/fulfilment.py', '/src/history.py', '/src/keyed_randomness.py', '/src/marketing.py', '/src/model_statements.py', '/src/places.py', '/src/plan.py', '/src/procedures.py', '/src/purchases.py', '/src/quantile_tables.py', '/src/replay.py', '/src/replay_statements.py', '/src/restore.py', '/src/retail_stream_entry.py', '/src/slots.py', '/src/statements.py', '/src/table_functions.py', '/src/world.py', '/src/worth.py')
handler = 'retail_stream_entry.generate_batch'
comment = 'Generates the events since the last run and returns the run''s id'
execute as owner;
