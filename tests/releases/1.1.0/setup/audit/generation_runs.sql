-- What was generated, from what, and with which outcome.

create or replace view audit.generation_runs (
    run_id comment 'The run; core.view_run_snapshot and core.compare_generation_runs take it',
    run_timestamp comment 'When it started, UTC',
    run_type comment 'GENERATION, or another kind of run that makes events',
    status comment 'RUNNING, COMPLETED or FAILED',
    previous_run_id comment 'The completed run before it, whose configuration it is compared with; null for the first',
    window_start comment 'Start of the business time it covers, UTC',
    window_end comment 'End of the business time it covers, UTC',
    requested_counts comment 'Events asked for by kind; null is the natural course',
    generated_counts comment 'Events made by kind',
    seed comment 'The seed',
    law_version comment 'Version of the law of behaviour',
    code_version comment 'Version of the code',
    table_checksums comment 'MD5 of each reference table, as the run saw it',
    events_checksum comment 'Order-free checksum of the events made',
    execution_seconds comment 'How long it took',
    error_message comment 'Why it failed; null where it did not'
)
comment = 'Runs that made events. One row per run.'
as
with

runs as (
    select * from reference_data.data_generation_audit
    where run_type not in ('BRONZE', 'GOLD', 'RESET', 'MODEL', 'RETENTION')
)

select
    run_id,
    run_timestamp,
    run_type,
    status,
    lag(iff(status = 'COMPLETED', run_id, null)) ignore nulls over (order by run_timestamp, run_id) as previous_run_id,
    window_start,
    window_end,
    requested_counts,
    generated_counts,
    seed,
    law_version,
    code_version,
    table_checksums,
    events_checksum,
    execution_seconds,
    error_message
from runs;

grant select on view audit.generation_runs to application role app_auditor;
