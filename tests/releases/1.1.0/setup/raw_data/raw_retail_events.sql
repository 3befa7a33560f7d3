-- Where every event lands, once, as the generator made it. Nothing here is ever updated.

create table if not exists raw_data.raw_retail_events (
    event_id number(18, 0) not null
        comment 'Unique and growing with time: half-hour slot since 2000-01-01 x 10^10 + kind x 10^9 + number in slot and kind',
    event_type varchar not null
        comment 'customer_profile, purchase, return, marketing_touch or supply_chain',
    event_time timestamp_ntz not null comment 'When it happened in the business, UTC',
    event_data variant not null comment 'The event itself; its keys depend on event_type',
    run_id varchar not null comment 'The run that generated it: reference_data.data_generation_audit.run_id',
    created_at timestamp_ntz not null comment 'When it was written, UTC',
    checksum number(18, 0) comment 'Hash of the typed event, by the generator that made it; a run''s sum stands in its audit row'
)
-- A stream goes stale when it is not read for longer than this: the pipeline may stand still for two months.
max_data_extension_time_in_days = 60
comment = 'Landing zone of generated events, append-only. One row per event.';

alter table raw_data.raw_retail_events add column if not exists checksum number(18, 0)
    comment 'Hash of the typed event, by the generator that made it; a run''s sum stands in its audit row';

grant select on table raw_data.raw_retail_events to application role app_admin;
