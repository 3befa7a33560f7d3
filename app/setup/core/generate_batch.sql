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
imports = (<% ctx.env.generator_imports %>)
handler = 'retail_stream_entry.generate_batch'
comment = 'Generates the events since the last run and returns the run''s id'
execute as owner;
