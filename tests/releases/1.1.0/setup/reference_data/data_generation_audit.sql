-- The record of runs. The app inserts a run as RUNNING, commits that, and closes the row once; nobody else can write here.

create table if not exists reference_data.data_generation_audit (
    run_id varchar not null comment 'The run, a UUID',
    run_timestamp timestamp_ntz not null comment 'When it started, UTC',
    run_type varchar not null comment 'GENERATION, BRONZE, GOLD, RESET, RETENTION or MODEL',
    requested_counts variant comment 'What was asked for, by argument; an argument that is missing was left to the natural course',
    generated_counts variant comment 'What was made, by kind; orders_by_law is what the living customers'' rates would have made',
    first_numbers variant comment 'The first customer_id and order_id of the run',
    seed number(18, 0) comment 'The seed',
    law_version number(9, 0) comment 'The version of the generator''s laws',
    code_version varchar comment 'A hash of the generator''s modules',
    window_start timestamp_ntz comment 'Begin of the time that the run filled, UTC',
    window_end timestamp_ntz comment 'End of that time, UTC, not in it',
    status varchar not null comment 'RUNNING, COMPLETED or FAILED',
    error_message varchar comment 'Why it failed',
    execution_seconds float comment 'How long it took',
    table_checksums variant comment 'MD5 of each reference table, free of the order of its rows',
    configuration_snapshot variant comment 'All settings of the run, with the quantile tables made from them: enough to make it again',
    events_checksum varchar comment 'A sum over hashes of the typed events, free of their order',
    summary varchar comment 'What the run made, in words'
)
comment = 'Every run of the generator and of the transformations. One row per run.';

-- Version 1.0.0 knew fewer kinds of runs.
comment on column reference_data.data_generation_audit.run_type is 'GENERATION, BRONZE, GOLD, RESET, RETENTION or MODEL';

grant select on table reference_data.data_generation_audit to application role app_auditor;
