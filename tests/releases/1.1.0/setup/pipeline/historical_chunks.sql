-- How far the filling of the past has come. A call of core.generate_historical_data plans its chunks here, and each is made in one
-- transaction together with its row: whoever reads the table sees what is there, and a call that was stopped goes on with what waits.

create table if not exists pipeline.historical_chunks (
    fill_id varchar not null comment 'The call that planned the chunk, a UUID; the same call made again goes on with it',
    range_start timestamp_ntz not null comment 'Begin of what the call fills, UTC',
    range_end timestamp_ntz not null comment 'End of what the call fills, UTC, not in it',
    events_per_day number(9, 0) comment 'Orders per day that were asked for; null leaves them to the law',
    chunk_number number(9, 0) not null comment 'Place of the chunk in the call, from 1 on',
    window_start timestamp_ntz not null comment 'Begin of the chunk, UTC',
    window_end timestamp_ntz not null comment 'End of the chunk, UTC, not in it',
    purchase_events number(9, 0) comment 'Orders of the chunk; null leaves them to the law',
    status varchar not null comment 'WAITING, STOPPED or COMPLETED',
    run_id varchar comment 'The run that made it: audit.generation_runs.run_id; null before',
    changed_at timestamp_ntz not null comment 'When the status last changed, UTC'
)
comment = 'Chunks of the past that are filled or to be filled. One row per chunk.';

grant select on table pipeline.historical_chunks to application role app_admin;
