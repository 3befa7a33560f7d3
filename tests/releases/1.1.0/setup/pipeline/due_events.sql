-- What orders and sign-ups have brought about and has not happened yet. A row leaves when its event is emitted.

create table if not exists pipeline.due_events (
    kind number(1, 0) not null comment 'Kind of event: 3 return, 4 marketing_touch, 5 supply_chain',
    event_number number(18, 0) not null comment 'The event''s own number, unique within the kind',
    due_at timestamp_ntz not null comment 'When it happens, UTC',
    due_slot number(9, 0) not null comment 'Half-hour in which it happens, counted from 2000-01-01 00:00 UTC',
    event_data variant not null comment 'The event, as raw_data.raw_retail_events will hold it',
    checksum number(18, 0) not null comment 'Hash of the typed event',
    run_id varchar not null comment 'The run that fixed it',
    cause varchar comment 'Why it happens: truth.event_causes.cause; null where that is no secret',
    caused_by number(18, 0) comment 'The number of what brings it about: truth.event_causes.caused_by',
    probability number(7, 6) comment 'How likely it was: truth.event_causes.probability'
)
comment = 'Events that are fixed and wait for their time. One row per waiting event.';

-- From 1.1.0 on.
alter table pipeline.due_events add column if not exists cause varchar comment 'Why it happens: truth.event_causes.cause; null where that is no secret';
alter table pipeline.due_events add column if not exists caused_by number(18, 0) comment 'The number of what brings it about: truth.event_causes.caused_by';
alter table pipeline.due_events add column if not exists probability number(7, 6) comment 'How likely it was: truth.event_causes.probability';
