-- The faults of the reference tables, as JSON text: a list of objects. Granted to nobody: core.validate_configuration shows them.

create or replace procedure core.configuration_faults()
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas')
imports = (<% ctx.env.generator_imports %>)
handler = 'retail_stream_entry.configuration_faults'
comment = 'What a run would refuse of the reference tables as they are now, by the code with which a run checks them'
execute as owner;
