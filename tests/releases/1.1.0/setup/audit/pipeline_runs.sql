-- What the two transformations moved, and with which outcome; when everything was deleted, and what was learned of the customers.

create or replace view audit.pipeline_runs (
    run_id comment 'The run',
    run_timestamp comment 'When it started, UTC',
    layer comment 'The layer it filled, BRONZE or GOLD; RESET, which emptied them all; RETENTION, which let go of old events; or MODEL, which fitted the purchase model or undid a fit',
    status comment 'RUNNING, COMPLETED or FAILED; a failed run left nothing behind',
    moved_counts comment 'Rows by table or kind of event; of a fit, what it was made from and the parameters that gold.dim_customers uses since',
    execution_seconds comment 'How long it took',
    error_message comment 'Why it failed; null where it did not'
)
comment = 'Runs that carried events to a layer, deleted them, or fitted the purchase model. One row per run.'
as
select
    run_id,
    run_timestamp,
    run_type as layer,
    status,
    generated_counts as moved_counts,
    execution_seconds,
    error_message
from reference_data.data_generation_audit
where run_type in ('BRONZE', 'GOLD', 'RESET', 'MODEL', 'RETENTION');

grant select on view audit.pipeline_runs to application role app_auditor;
