-- A run made again and compared with what is there, as JSON text: a list of objects. Granted to nobody: core.replay_run shows them.

create or replace procedure core.replay_comparison(run varchar)
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas')
imports = ('/src/catalogue.py', '/src/configuration.py', '/src/customer_model.py', '/src/customers.py', '/src/edits.py', '/src/fulfilment.py', '/src/history.py', '/src/keyed_randomness.py', '/src/marketing.py', '/src/model_statements.py', '/src/places.py', '/src/plan.py', '/src/procedures.py', '/src/purchases.py', '/src/quantile_tables.py', '/src/replay.py', '/src/replay_statements.py', '/src/restore.py', '/src/retail_stream_entry.py', '/src/slots.py', '/src/statements.py', '/src/table_functions.py', '/src/world.py', '/src/worth.py')
handler = 'retail_stream_entry.replay_run'
comment = 'Makes a run again from its audit row and compares it, event by event, with raw_data and truth; writes nothing'
execute as owner;
