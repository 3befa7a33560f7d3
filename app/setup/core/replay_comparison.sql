-- A run made again and compared with what is there, as JSON text: a list of objects. Granted to nobody: core.replay_run shows them.

create or replace procedure core.replay_comparison(run varchar)
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas')
imports = (<% ctx.env.generator_imports %>)
handler = 'retail_stream_entry.replay_run'
comment = 'Makes a run again from its audit row and compares it, event by event, with raw_data and truth; writes nothing'
execute as owner;
