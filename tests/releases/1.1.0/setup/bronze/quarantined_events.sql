-- Events that fit no table of bronze, with the reason and the original. Filled by core.transform_raw_to_bronze.

create table if not exists bronze.quarantined_events (
    event_id number(18, 0) not null comment 'The raw event; unique',
    event_type varchar not null comment 'What it says it is',
    event_time timestamp_ntz not null comment 'When it says it happened, UTC',
    event_data variant not null comment 'The event as it arrived',
    reason varchar not null comment 'Why it does not fit: the keys that are missing or not of their type, or what is impossible',
    run_id varchar not null comment 'The run that generated the event',
    batch_number number(18, 0) not null comment 'The bronze batch that put it aside',
    quarantined_at timestamp_ntz not null comment 'When it was put aside, UTC',
    released_at timestamp_ntz comment 'When it was let through after a fix, UTC; null while it is held',
    corrected_data variant comment 'The event as a release corrected it; null where none did'
)
comment = 'Events that were put aside, so that one bad event never holds up or loses a good one. One row per event.';

alter table bronze.quarantined_events add column if not exists corrected_data variant comment 'The event as a release corrected it; null where none did';

grant select on table bronze.quarantined_events to application role app_analyst;
