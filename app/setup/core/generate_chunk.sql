-- Makes the next chunk of a fill, in one transaction with its row in pipeline.historical_chunks; '' when none waits.
-- Granted to nobody: core.generate_historical_data calls it.

create or replace procedure core.generate_chunk(fill varchar)
returns varchar
language python
runtime_version = '3.11'
packages = ('snowflake-snowpark-python', 'numpy', 'pandas')
imports = (<% ctx.env.generator_imports %>)
handler = 'retail_stream_entry.generate_chunk'
comment = 'Generates the events of the next chunk of a fill and returns the run''s id'
execute as owner;
