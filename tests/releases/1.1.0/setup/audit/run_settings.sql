-- The configuration that each run saw, unpacked from its snapshot: the one place that knows how a snapshot is laid out.

create or replace view audit.run_settings (
    run_id comment 'The run that saw the setting',
    table_name comment 'The reference table',
    row_name comment 'The row, by its key',
    column_name comment 'The column',
    value comment 'What stood there, as text'
)
comment = 'Every setting as every run saw it. One row per run, reference table, row and column.'
as
with

snapshots as (
    select run_id, configuration_snapshot
    from reference_data.data_generation_audit
    where configuration_snapshot is not null
),

setting_rows as (
    select
        snapshots.run_id,
        tables.key as table_name,
        coalesce(
            rows_of_table.value:parameter_name,
            rows_of_table.value:segment_name,
            rows_of_table.value:campaign_name,
            rows_of_table.value:channel_name,
            rows_of_table.value:category_name,
            rows_of_table.value:warehouse_id
        )::varchar as row_name,
        rows_of_table.value as settings
    from snapshots,
        lateral flatten(input => snapshots.configuration_snapshot:tables) as tables,
        lateral flatten(input => tables.value) as rows_of_table
),

cells as (
    select
        setting_rows.run_id,
        setting_rows.table_name,
        setting_rows.row_name,
        columns_of_row.key as column_name,
        columns_of_row.value::varchar as value
    from setting_rows,
        lateral flatten(input => setting_rows.settings) as columns_of_row
)

select * from cells;

grant select on view audit.run_settings to application role app_auditor;
