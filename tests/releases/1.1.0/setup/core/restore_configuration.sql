-- The reference tables go back to what a run saw, all together or not at all. Descriptions stay with the rows that have one.

create or replace procedure core.restore_configuration(run_id varchar)
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas')
imports = ('/src/catalogue.py', '/src/configuration.py', '/src/customer_model.py', '/src/customers.py', '/src/edits.py', '/src/fulfilment.py', '/src/history.py', '/src/keyed_randomness.py', '/src/marketing.py', '/src/model_statements.py', '/src/places.py', '/src/plan.py', '/src/procedures.py', '/src/purchases.py', '/src/quantile_tables.py', '/src/replay.py', '/src/replay_statements.py', '/src/restore.py', '/src/retail_stream_entry.py', '/src/slots.py', '/src/statements.py', '/src/table_functions.py', '/src/world.py', '/src/worth.py')
handler = 'retail_stream_entry.restore_configuration'
comment = 'Puts the reference tables back to the snapshot of a run, in one transaction, and says which were changed'
execute as owner;

grant usage on procedure core.restore_configuration(varchar) to application role app_admin;
