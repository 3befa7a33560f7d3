-- New rows for reference tables, all together or not at all. `edited` and `seen` are JSON text, {"<table>": [{"<column>": <value>}]}: the
-- whole table as it is to be, and as it was read, by OBJECT_CONSTRUCT(*); what somebody else changed in between is not overwritten.

create or replace procedure core.save_configuration(edited varchar, seen varchar, is_trial boolean default false)
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas')
imports = ('/src/catalogue.py', '/src/configuration.py', '/src/customer_model.py', '/src/customers.py', '/src/edits.py', '/src/fulfilment.py', '/src/history.py', '/src/keyed_randomness.py', '/src/marketing.py', '/src/model_statements.py', '/src/places.py', '/src/plan.py', '/src/procedures.py', '/src/purchases.py', '/src/quantile_tables.py', '/src/replay.py', '/src/replay_statements.py', '/src/restore.py', '/src/retail_stream_entry.py', '/src/slots.py', '/src/statements.py', '/src/table_functions.py', '/src/world.py', '/src/worth.py')
handler = 'retail_stream_entry.save_configuration'
comment = 'Gives reference tables new rows in one transaction, or tells, as JSON text, what a run would refuse of them; a trial only tells'
execute as owner;

grant usage on procedure core.save_configuration(varchar, varchar, boolean) to application role app_admin;
