-- New rows for reference tables, all together or not at all. `edited` and `seen` are JSON text, {"<table>": [{"<column>": <value>}]}: the
-- whole table as it is to be, and as it was read, by OBJECT_CONSTRUCT(*); what somebody else changed in between is not overwritten.

create or replace procedure core.save_configuration(edited varchar, seen varchar, is_trial boolean default false)
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas')
imports = (<% ctx.env.generator_imports %>)
handler = 'retail_stream_entry.save_configuration'
comment = 'Gives reference tables new rows in one transaction, or tells, as JSON text, what a run would refuse of them; a trial only tells'
execute as owner;

grant usage on procedure core.save_configuration(varchar, varchar, boolean) to application role app_admin;
