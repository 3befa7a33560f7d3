-- Plans the chunks of a stretch of the past in pipeline.historical_chunks, or finds those of the same call that was stopped, and returns
-- the fill's id. Granted to nobody: core.generate_historical_data calls it.

create or replace procedure core.plan_history(start_date timestamp_ntz, end_date timestamp_ntz, events_per_day number)
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas')
imports = (<% ctx.env.generator_imports %>)
handler = 'retail_stream_entry.plan_history'
comment = 'Plans the chunks that fill a stretch of the past, after a look at what is there, and returns the id of the fill'
execute as owner;
