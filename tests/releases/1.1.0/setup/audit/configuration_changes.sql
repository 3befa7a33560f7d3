-- The history of settings: what changed between a run and the one before it.

create or replace view audit.configuration_changes (
    run_id comment 'The first run that saw the change',
    run_timestamp comment 'When that run started, UTC',
    previous_run_id comment 'The run before it, which had not seen it',
    table_name comment 'The reference table',
    row_name comment 'The row, by its key',
    column_name comment 'The column',
    old_value comment 'What the run before saw; null where the row was not there',
    new_value comment 'What this run saw; null where the row is gone'
)
comment = 'What was changed between two runs that follow each other. One row per run and changed setting.'
as
with

runs as (
    select * from audit.generation_runs
),

settings as (
    select * from audit.run_settings
),

-- Checksums tell cheaply which runs are worth unpacking.
changed_runs as (
    select runs.run_id, runs.run_timestamp, runs.previous_run_id
    from runs
    inner join runs as previous
        on runs.previous_run_id = previous.run_id
    where runs.table_checksums::varchar <> previous.table_checksums::varchar
),

old_settings as (
    select changed_runs.run_id, settings.table_name, settings.row_name, settings.column_name, settings.value
    from changed_runs
    inner join settings
        on changed_runs.previous_run_id = settings.run_id
),

new_settings as (
    select changed_runs.run_id, settings.table_name, settings.row_name, settings.column_name, settings.value
    from changed_runs
    inner join settings
        on changed_runs.run_id = settings.run_id
),

changes as (
    select
        coalesce(new_settings.run_id, old_settings.run_id) as run_id,
        coalesce(new_settings.table_name, old_settings.table_name) as table_name,
        coalesce(new_settings.row_name, old_settings.row_name) as row_name,
        coalesce(new_settings.column_name, old_settings.column_name) as column_name,
        old_settings.value as old_value,
        new_settings.value as new_value
    from old_settings
    full outer join new_settings
        on
            old_settings.run_id = new_settings.run_id
            and old_settings.table_name = new_settings.table_name
            and old_settings.row_name = new_settings.row_name
            and old_settings.column_name = new_settings.column_name
    where not equal_null(old_settings.value, new_settings.value)
)

select
    changes.run_id,
    changed_runs.run_timestamp,
    changed_runs.previous_run_id,
    changes.table_name,
    changes.row_name,
    changes.column_name,
    changes.old_value,
    changes.new_value
from changes
inner join changed_runs
    on changes.run_id = changed_runs.run_id;

grant select on view audit.configuration_changes to application role app_auditor;
