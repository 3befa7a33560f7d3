-- Lets go of what is older than pipeline.retention says and what the next layer holds: of raw what bronze has taken or put aside, of bronze
-- what gold has taken and raw no longer has. Streams that are append-only do not see deletions (user-guide/streams-intro). A call takes at
-- most a million events of raw and a thousand batches of bronze, the oldest; the next one goes on from there.

create or replace procedure core.purge_events()
returns varchar
language sql
comment = 'Deletes events that are older than the retention of their layer, and that the next layer holds'
execute as owner
as
$$
declare
    run_id varchar default uuid_string();
    started_at timestamp_ntz default sysdate();
    raw_days number;
    bronze_days number;
    raw_waiting number;
    raw_until timestamp_ntz;
    first_event number;
    last_event number;
    last_batch number;
    raw_purged number;
    bronze_purged number default 0;
    reason varchar;
begin
    select max(iff(layer = 'RAW', keep_days, null)), max(iff(layer = 'BRONZE', keep_days, null))
    into :raw_days, :bronze_days
    from pipeline.retention;
    if (raw_days is null) then
        return 'Events are kept for ever: CALL core.configure_pipeline(keep_raw_days => 90) lets go of older ones.';
    end if;

    select count(*), max(created_at), coalesce(min(event_id), 0), coalesce(max(event_id), 0)
    into :raw_waiting, :raw_until, :first_event, :last_event
    from (
        select event_id, created_at
        from raw_data.raw_retail_events
        where created_at < dateadd('day', -:raw_days, :started_at)
        qualify row_number() over (order by created_at) <= 1000000
    ) as oldest
    where
        event_id in (
            select event_id from bronze.typed_events
            union all
            select event_id from bronze.quarantined_events
        );

    select least(max(old.batch_number), min(old.batch_number) + 999)
    into :last_batch
    from bronze.typed_events as old
    cross join (
        select min(iff(layer = 'GOLD', least(last_batch, coalesce(summed_batch, 0)), last_batch)) as newest_batch
        from pipeline.progress
        where layer <> 'BRONZE'
    ) as gold
    cross join (
        select coalesce(min(created_at), :started_at) as oldest_at from raw_data.raw_retail_events
    ) as raw
    where
        old.loaded_at < dateadd('day', -:bronze_days, :started_at)
        and old.loaded_at < raw.oldest_at
        and old.batch_number <= gold.newest_batch;

    if (raw_waiting = 0 and last_batch is null) then
        return 'Nothing is old enough to go.';
    end if;

    insert into reference_data.data_generation_audit (run_id, run_timestamp, run_type, status)
    select :run_id, :started_at, 'RETENTION', 'RUNNING';

    begin
        begin transaction;

        -- Holds the layer: a transformation waits here until this ends.
        update pipeline.progress set changed_at = changed_at where layer = 'BRONZE';

        delete from raw_data.raw_retail_events
        where
            created_at <= :raw_until
            and event_id in (
                select event_id from bronze.typed_events where event_id between :first_event and :last_event
                union all
                select event_id from bronze.quarantined_events where event_id between :first_event and :last_event
            );
        raw_purged := sqlrowcount;

        delete from bronze.stg_customers where batch_number <= :last_batch;
        bronze_purged := bronze_purged + sqlrowcount;
        delete from bronze.stg_purchases where batch_number <= :last_batch;
        bronze_purged := bronze_purged + sqlrowcount;
        delete from bronze.stg_purchase_lines where batch_number <= :last_batch;
        delete from bronze.stg_returns where batch_number <= :last_batch;
        bronze_purged := bronze_purged + sqlrowcount;
        delete from bronze.stg_marketing_touches where batch_number <= :last_batch;
        bronze_purged := bronze_purged + sqlrowcount;
        delete from bronze.stg_supply_chain where batch_number <= :last_batch;
        bronze_purged := bronze_purged + sqlrowcount;

        update pipeline.retention
        set
            purged_until = case
                when layer = 'RAW' then coalesce(:raw_until, purged_until)
                when :bronze_purged > 0 then dateadd('day', -keep_days, :started_at)
                else purged_until
            end,
            purged_events = purged_events + iff(layer = 'RAW', :raw_purged, :bronze_purged),
            changed_at = :started_at;

        update reference_data.data_generation_audit
        set
            status = 'FAILED',
            error_message = 'The run ended without a word (its session was lost). Nothing of it was kept; a later run took its rows.'
        where run_type = 'RETENTION' and status = 'RUNNING' and run_timestamp < :started_at and run_id <> :run_id;

        update reference_data.data_generation_audit
        set
            status = 'COMPLETED',
            error_message = null, -- one that started later may have taken it for dead
            generated_counts = object_construct('raw', :raw_purged, 'bronze', :bronze_purged),
            execution_seconds = datediff('millisecond', :started_at, sysdate()) / 1000
        where run_id = :run_id;

        commit;
    exception
        when other then
            reason := sqlerrm;
            rollback;
            update reference_data.data_generation_audit
            set
                status = 'FAILED',
                error_message = :reason,
                execution_seconds = datediff('millisecond', :started_at, sysdate()) / 1000
            where run_id = :run_id;
            raise;
    end;

    return raw_purged || ' events of raw and ' || bronze_purged || ' of bronze were let go.';
end;
$$;

grant usage on procedure core.purge_events() to application role app_admin;
