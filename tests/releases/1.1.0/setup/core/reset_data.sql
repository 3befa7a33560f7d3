-- Forgets the business and keeps what it is like: settings, schedule, the parameters of the purchase model, and the record of runs. One
-- transaction, so that a reader sees the old business or none; and the numbering starts anew with it.

create or replace procedure core.reset_data(confirmation varchar default '')
returns varchar
language sql
comment = 'Deletes every event, customer and order, in all layers; keeps settings and the record of runs. Asks to be confirmed in words'
execute as owner
as
$$
declare
    run_id varchar default uuid_string();
    started_at timestamp_ntz default sysdate();
    events number;
    holders number;
    wanted varchar;
    reason varchar;
    not_confirmed exception (-20041, 'Nothing was deleted. This deletes every event, customer and order in raw_data, bronze, gold and truth, and keeps the settings in reference_data and the record of runs. If you want that: CALL core.reset_data(''DELETE ALL BUSINESS DATA'').');
    run_started exception (-20049, 'Nothing was deleted, because a run has just started. Call again when it has ended.');
begin
    if (confirmation is null or confirmation <> 'DELETE ALL BUSINESS DATA') then
        raise not_confirmed;
    end if;

    insert into reference_data.data_generation_audit (run_id, run_timestamp, run_type, status)
    select :run_id, :started_at, 'RESET', 'RUNNING';

    -- Waits for a run that is being made, and leaves one that has made nothing yet without its hold. By itself, before the transaction: a
    -- stream is read as of its transaction's beginning, and events that a run landed after that would outlive their deletion there
    -- (user-guide/streams-intro, "Repeatable read isolation").
    update pipeline.generation_state set holder = null, held_at = null;

    begin
        begin transaction;

        -- Holds the generator, then the layers.
        update pipeline.generation_state
        set window_end = null, next_customer = 1, next_order = 1, known_segments = null, held_at = null;
        select count(*) into :holders from pipeline.generation_state where holder is not null;
        if (holders > 0) then
            raise run_started;
        end if;
        update pipeline.retention set purged_until = null, purged_events = 0, changed_at = :started_at;
        update pipeline.progress set last_batch = 0, summed_batch = null, changed_at = :started_at;

        -- Moves the stream's offset over all that waits, though no row is taken.
        insert into bronze.arrivals (event_id, event_type, event_time, event_data, run_id, origin, occurrence)
        select event_id, event_type, event_time, event_data, run_id, 'STREAM', 1
        from raw_data.raw_retail_events_stream
        where false;

        delete from raw_data.raw_retail_events;
        events := sqlrowcount;
        delete from bronze.arrivals;
        delete from bronze.stg_customers;
        delete from bronze.stg_purchases;
        delete from bronze.stg_purchase_lines;
        delete from bronze.stg_returns;
        delete from bronze.stg_marketing_touches;
        delete from bronze.stg_supply_chain;
        delete from bronze.quarantined_events;
        delete from gold.customer_profiles;
        delete from gold.customer_statistics;
        delete from gold.customer_engagement;
        delete from gold.fct_sales;
        delete from gold.fct_sale_lines;
        delete from gold.fct_returns;
        delete from gold.fct_marketing_touches;
        delete from gold.fct_shipments;
        delete from gold.fct_stock_movements;
        delete from gold.dim_products;
        delete from gold.daily_revenue;
        delete from gold.daily_marketing;
        delete from pipeline.historical_chunks;
        delete from truth.customers;
        delete from truth.orders;
        delete from truth.first_orders;
        delete from truth.event_causes;
        delete from pipeline.due_events;

        update reference_data.data_generation_audit
        set
            status = 'COMPLETED',
            generated_counts = object_construct('deleted_events', :events),
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

    select wanted into :wanted from pipeline.wishes where wish_id = 1;
    return events || ' events were deleted, with all that was made of them. '
        || iff(
            wanted = 'STARTED',
            'The pipeline is started, and its next run begins a new business.',
            'The next run begins a new business: CALL core.generate_retail_data(20, 50).'
        );
end;
$$;

grant usage on procedure core.reset_data(varchar) to application role app_admin;
