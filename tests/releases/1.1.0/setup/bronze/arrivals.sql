-- The events of the batch that is being typed: what the stream held, read once, and what was let in beside it. Between two batches it
-- holds only the latter: events that core.release_quarantined_events or core.repair_stream wants in the next batch. Granted to nobody.

create table if not exists bronze.arrivals (
    event_id number(18, 0) not null comment 'The raw event',
    event_type varchar not null comment 'What it says it is',
    event_time timestamp_ntz not null comment 'When it says it happened, UTC',
    event_data variant not null comment 'The event itself, corrected where somebody corrected it',
    run_id varchar not null comment 'The run that generated it',
    origin varchar not null comment 'STREAM, RAW (found missing by core.repair_stream) or QUARANTINE (released)',
    occurrence number(18, 0) not null comment '1 for the first row of its event, which is the one that is typed; the others are duplicates'
)
comment = 'Events on their way into bronze; empty once a batch has ended. One row per arrival of an event.';
