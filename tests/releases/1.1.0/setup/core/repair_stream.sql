-- A stream can become unreadable: when nobody reads it for longer than the table keeps its past, or when the table is replaced. Raw still
-- has every event, so the stream is made anew, and whatever raw has and bronze has not is let into the next batch. That comparison reads all
-- of raw and bronze. It is made whether or not the stream was broken: so this procedure can stop anywhere and be called again.

create or replace procedure core.repair_stream()
returns varchar
language sql
comment = 'Makes the stream anew where it cannot be read, and brings to bronze and gold what was missed; nothing is lost or doubled'
execute as owner
as
$$
declare
    waiting number;
    repaired boolean default false;
    started_at timestamp_ntz default sysdate();
    missed number;
    moved varchar;
begin
    begin
        select count(*) into :waiting from raw_data.raw_retail_events_stream;
    exception
        when other then
            repaired := true;
    end;
    if (repaired) then
        create or replace stream raw_data.raw_retail_events_stream
            on table raw_data.raw_retail_events
            append_only = true
            comment = 'Events that wait for bronze; core.transform_raw_to_bronze is its only reader. One row per waiting event.';
    end if;

    -- What the stream shows goes first, so that what is missing then was missed by it.
    call core.transform_raw_to_bronze();

    begin
        begin transaction;

        -- Holds the layer: a transformation waits here until this ends.
        update pipeline.progress set changed_at = :started_at where layer = 'BRONZE';

        insert into bronze.arrivals (event_id, event_type, event_time, event_data, run_id, origin, occurrence)
        with

        known as (
            select event_id from bronze.typed_events
            union all
            select event_id from bronze.quarantined_events
            union all
            select event_id from bronze.arrivals
        )

        select events.event_id, events.event_type, events.event_time, events.event_data, events.run_id, 'RAW', 1
        from raw_data.raw_retail_events as events
        left join known
            on events.event_id = known.event_id
        where known.event_id is null
        qualify row_number() over (partition by events.event_id order by events.created_at, events.run_id) = 1;
        missed := sqlrowcount;

        commit;
    exception
        when other then
            rollback;
            raise;
    end;

    call core.transform_bronze_to_gold() into :moved;
    return iff(repaired, 'The stream was made anew. ', 'The stream can be read. ')
        || iff(missed = 0, 'Bronze lacks nothing that raw has.', missed || ' events that it had missed were brought to bronze. ' || moved);
end;
$$;

grant usage on procedure core.repair_stream() to application role app_admin;
