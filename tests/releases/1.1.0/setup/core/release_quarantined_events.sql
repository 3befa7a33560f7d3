-- Lets quarantined events into the next batch of bronze, and makes that batch. An event that fits now (because time has passed, a new
-- version knows its kind, or it was corrected) leaves the quarantine by reaching its table; one that does not stays, with the reason of
-- today. Safe to call at any time and twice: what waits in bronze.arrivals already is not let in again.

create or replace procedure core.release_quarantined_events(
    event_id number default null,
    corrected_data variant default null
)
returns varchar
language sql
comment = 'Tries quarantined events again: all that are held, or one, which can be corrected; says how many fit now'
execute as owner
as
$$
declare
    event number default event_id;
    correction varchar default to_json(corrected_data);
    started_at timestamp_ntz default sysdate();
    held number;
    moved varchar;
    not_one_event exception (-20031, 'Nothing was released: a correction is for one event. CALL core.release_quarantined_events(<event_id>, parse_json(''{...}'')) with an event_id of bronze.quarantined_events.');
    not_held exception (-20032, 'Nothing was released: no event of that event_id is held. SELECT event_id, reason FROM bronze.quarantined_events WHERE released_at IS NULL shows those that are.');
begin
    if (event is null and correction is not null) then
        raise not_one_event;
    end if;
    select count(*) into :held
    from bronze.quarantined_events
    where released_at is null and (:event is null or quarantined_events.event_id = :event);
    if (held = 0 and event is not null) then
        raise not_held;
    end if;
    if (held = 0) then
        return 'No event is held in quarantine.';
    end if;

    begin
        begin transaction;

        -- Holds the layer: a transformation, or another release, waits here until this one ends.
        update pipeline.progress set changed_at = :started_at where layer = 'BRONZE';

        update bronze.quarantined_events
        set corrected_data = parse_json(:correction)
        where :correction is not null and released_at is null and event_id = :event;

        insert into bronze.arrivals (event_id, event_type, event_time, event_data, run_id, origin, occurrence)
        select
            held.event_id, held.event_type, held.event_time, coalesce(held.corrected_data, held.event_data), held.run_id, 'QUARANTINE', 1
        from bronze.quarantined_events as held
        where
            held.released_at is null
            and (:event is null or held.event_id = :event)
            and not exists (select 1 from bronze.arrivals as waiting where waiting.event_id = held.event_id);

        commit;
    exception
        when other then
            rollback;
            raise;
    end;

    call core.transform_bronze_to_gold() into :moved;
    return moved;
end;
$$;

grant usage on procedure core.release_quarantined_events(number, variant) to application role app_admin;
