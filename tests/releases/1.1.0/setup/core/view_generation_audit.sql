create or replace procedure core.view_generation_audit(run_limit number default 20)
returns table (
    run_id varchar,
    run_timestamp timestamp_ntz,
    run_type varchar,
    status varchar,
    changed_tables varchar,
    generated_counts variant,
    window_start timestamp_ntz,
    window_end timestamp_ntz,
    execution_seconds float,
    error_message varchar
)
language sql
comment = 'The newest runs that made events, with the reference tables changed before each; and transformations that failed'
execute as owner
as
$$
declare
    newest resultset default (
        with

        runs as (
            select
                run_id, run_timestamp, run_type, status, previous_run_id, table_checksums, generated_counts,
                window_start, window_end, execution_seconds, error_message
            from audit.generation_runs
            union all
            select run_id, run_timestamp, layer, status, null, null, moved_counts, null, null, execution_seconds, error_message
            from audit.pipeline_runs
            where status <> 'COMPLETED'
        ),

        newest_runs as (
            select * from runs
            qualify row_number() over (order by run_timestamp desc, run_id) <= :run_limit
        ),

        changed_tables as (
            select
                newest_runs.run_id,
                listagg(checksum.key, ', ') within group (order by checksum.key) as changed_tables
            from newest_runs
            inner join audit.generation_runs as previous
                on newest_runs.previous_run_id = previous.run_id,
                lateral flatten(input => newest_runs.table_checksums) as checksum
            where not equal_null(checksum.value::varchar, get(previous.table_checksums, checksum.key)::varchar)
            group by newest_runs.run_id
        )

        select
            newest_runs.run_id,
            newest_runs.run_timestamp,
            newest_runs.run_type,
            newest_runs.status,
            changed_tables.changed_tables,
            newest_runs.generated_counts,
            newest_runs.window_start,
            newest_runs.window_end,
            newest_runs.execution_seconds,
            newest_runs.error_message
        from newest_runs
        left join changed_tables
            on newest_runs.run_id = changed_tables.run_id
        order by newest_runs.run_timestamp desc, newest_runs.run_id
    );
begin
    return table(newest);
end;
$$;

grant usage on procedure core.view_generation_audit(number) to application role app_auditor;
