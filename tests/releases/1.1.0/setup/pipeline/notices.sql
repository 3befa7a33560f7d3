-- What happened when the tasks were built. A refusal (feature policy, missing privilege) must not fail an installation,
-- and must not be swallowed either: it stands here, and core.check_pipeline_status shows it.

create table if not exists pipeline.notices (
    noticed_at timestamp_ntz not null comment 'When, UTC',
    outcome varchar not null comment 'BUILT or REFUSED',
    detail varchar not null comment 'The state the tasks were left in, or the reason of the refusal'
)
comment = 'The record of the task builder. One row per attempt to build the tasks.';

grant select on table pipeline.notices to application role app_admin;
