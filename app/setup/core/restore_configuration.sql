-- The reference tables go back to what a run saw, all together or not at all. Descriptions stay with the rows that have one.

create or replace procedure core.restore_configuration(run_id varchar)
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas')
imports = (<% ctx.env.generator_imports %>)
handler = 'retail_stream_entry.restore_configuration'
comment = 'Puts the reference tables back to the snapshot of a run, in one transaction, and says which were changed'
execute as owner;

grant usage on procedure core.restore_configuration(varchar) to application role app_admin;
