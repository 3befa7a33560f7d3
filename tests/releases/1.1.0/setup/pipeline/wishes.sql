-- What the consumer wants of the pipeline. Tasks are rebuilt by every version; this is what they are rebuilt from.

create table if not exists pipeline.wishes (
    wish_id number(1, 0) not null comment 'Always 1',
    wanted varchar not null comment 'STARTED or STOPPED',
    schedule_minutes number(5, 0) comment 'Minutes between two runs; null where a cron expression is given',
    schedule_cron varchar comment 'Cron expression of five fields; null where minutes are given',
    schedule_time_zone varchar comment 'IANA time zone of the cron expression',
    changed_at timestamp_ntz not null comment 'When the wish was last changed, UTC'
)
comment = 'Whether the pipeline is to run, and when. One row in all.';

-- An installation arrives stopped.
merge into pipeline.wishes
using (select 1 as wish_id) as defaults
    on wishes.wish_id = defaults.wish_id
when not matched then
    insert (wish_id, wanted, schedule_minutes, schedule_cron, schedule_time_zone, changed_at)
    values (defaults.wish_id, 'STOPPED', 30, null, null, sysdate());

grant select on table pipeline.wishes to application role app_admin;
