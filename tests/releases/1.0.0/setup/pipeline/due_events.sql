-- What orders and sign-ups have brought about and has not happened yet. A row leaves when its event is emitted.

create table if not exists pipeline.due_events (
    kind number(1, 0) not null comment 'Kind of event: 3 return, 4 marketing_touch, 5 supply_chain',
    event_number number(18, 0) not null comment 'The event''s own number, unique within the kind',
    due_at timestamp_ntz not null comment 'When it happens, UTC',
    due_slot number(9, 0) not null comment 'Half-hour in which it happens, counted from 2000-01-01 00:00 UTC',
    event_data variant not null comment 'The event, as raw_data.raw_retail_events will hold it',
    checksum number(18, 0) not null comment 'Hash of the typed event',
    run_id varchar not null comment 'The run that fixed it'
)
comment = 'Events that are fixed and wait for their time. One row per waiting event.';
