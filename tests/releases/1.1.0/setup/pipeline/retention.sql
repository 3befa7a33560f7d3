-- How long a layer keeps its events: for ever, unless core.configure_pipeline says otherwise. Gold and the record of runs stay.

create table if not exists pipeline.retention (
    layer varchar not null comment 'RAW or BRONZE',
    keep_days number(5, 0) comment 'Days for which the layer keeps what came into it; null is for ever',
    purged_until timestamp_ntz comment 'What came into the layer until then can be gone, UTC; null where nothing is',
    purged_events number(18, 0) not null comment 'Events that were let go so far',
    changed_at timestamp_ntz not null comment 'When the row was last changed, UTC'
)
comment = 'How long events are kept, and how far they are gone. One row per layer.';

merge into pipeline.retention
using (select column1 as layer from values ('RAW'), ('BRONZE')) as layers
    on retention.layer = layers.layer
when not matched then
    insert (layer, keep_days, purged_until, purged_events, changed_at)
    values (layers.layer, null, null, 0, sysdate());

grant select on table pipeline.retention to application role app_admin;
