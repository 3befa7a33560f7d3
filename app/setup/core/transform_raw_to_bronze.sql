-- Raw to bronze: one transaction that types what waits in the stream, which is read once, into bronze.arrivals. Each kind is read with functions that give null where a value
-- does not fit; what lacks a value that it cannot do without is not taken. The last statement puts aside whatever none of the others
-- took: so each event is in bronze, or in quarantine with a reason, or was there before, and nothing that an event holds can fail the batch.

create or replace procedure core.transform_raw_to_bronze()
returns varchar
language sql
comment = 'Moves what waits in the stream to bronze, once; events that do not fit go to bronze.quarantined_events'
execute as owner
as
$$
declare
    run_id varchar default uuid_string();
    started_at timestamp_ntz default sysdate();
    -- clocks differ a little; an event from later than this has no business here
    latest timestamp_ntz default dateadd('hour', 1, sysdate());
    has_data boolean;
    let_in number;
    batch number;
    arrived number;
    first_event number;
    last_event number;
    customers number;
    purchase_lines number;
    purchases number;
    returned number;
    touches number;
    movements number;
    quarantined number;
    released number;
    tried number;
    reason varchar;
    waiting_events number;
    stream_unreadable exception (-20021, 'The stream raw_data.raw_retail_events_stream cannot be read: it is gone, or was not read for 60 days. Nothing is lost: CALL core.repair_stream() makes it anew and brings what it missed.');
begin
    -- Asking also keeps an idle stream from going stale.
    begin
        select system$stream_has_data('raw_data.raw_retail_events_stream') into :has_data;
        select count(*) into :waiting_events from raw_data.raw_retail_events_stream;  -- the question above may not raise; a read does
    exception
        when other then
            raise stream_unreadable;
    end;
    select count(*) into :let_in from bronze.arrivals;
    if (not has_data and let_in = 0) then
        return 'Nothing waits for bronze.';
    end if;

    insert into reference_data.data_generation_audit (run_id, run_timestamp, run_type, status)
    select :run_id, :started_at, 'BRONZE', 'RUNNING';

    begin
        begin transaction;

        -- Holds the layer: a second transformation waits here until this one ends.
        update pipeline.progress set changed_at = :started_at where layer = 'BRONZE';

        insert into bronze.arrivals (event_id, event_type, event_time, event_data, run_id, origin, occurrence)
        select
            landed.event_id, landed.event_type, landed.event_time, landed.event_data, landed.run_id, 'STREAM',
            row_number() over (partition by landed.event_id order by landed.created_at, landed.run_id)
            + iff(let_in.event_id is null, 0, 1)
        from raw_data.raw_retail_events_stream as landed
        left join bronze.arrivals as let_in
            on landed.event_id = let_in.event_id;

        -- The number is taken by a statement that begins with the layer held: whether one that waited sees what it waited for is not
        -- documented. Whoever waited and finds nothing left makes no batch.
        update pipeline.progress
        set last_batch = last_batch + 1
        where layer = 'BRONZE' and exists (select 1 from bronze.arrivals);

        -- Event ids grow with time, so that looking for duplicates between the first and the last prunes instead of scanning history.
        select progress.last_batch, waiting.arrived, waiting.tried, waiting.first_event, waiting.last_event
        into :batch, :arrived, :tried, :first_event, :last_event
        from pipeline.progress
        cross join (
            select
                count(iff(origin <> 'QUARANTINE', 1, null)) as arrived,
                count(iff(origin = 'QUARANTINE', 1, null)) as tried,
                coalesce(min(event_id), 0) as first_event,
                coalesce(max(event_id), 0) as last_event
            from bronze.arrivals
        ) as waiting
        where progress.layer = 'BRONZE';

        insert into bronze.stg_customers (
            event_id, customer_id, first_name, last_name, email, gender, age, income, city, state, zip_code, time_zone,
            customer_segment, price_sensitivity, favourite_category, preferred_channel, acquisition_channel, signed_up_at,
            run_id, batch_number, loaded_at
        )
        with

        arrivals as (
            select event_id, event_data, run_id
            from bronze.arrivals
            where event_type = 'customer_profile' and event_time <= :latest and occurrence = 1
        ),

        typed as (
            select
                event_id,
                try_to_number(event_data:customer_id::varchar, 18, 0) as customer_id,
                event_data:first_name::varchar as first_name,
                event_data:last_name::varchar as last_name,
                event_data:email::varchar as email,
                event_data:gender::varchar as gender,
                try_to_number(event_data:age::varchar, 3, 0) as age,
                try_to_number(event_data:income::varchar, 12, 2) as income,
                event_data:city::varchar as city,
                event_data:state::varchar as state,
                event_data:zip_code::varchar as zip_code,
                event_data:time_zone::varchar as time_zone,
                event_data:customer_segment::varchar as customer_segment,
                try_to_number(event_data:price_sensitivity::varchar, 9, 6) as price_sensitivity,
                event_data:favourite_category::varchar as favourite_category,
                event_data:preferred_channel::varchar as preferred_channel,
                event_data:acquisition_channel::varchar as acquisition_channel,
                try_to_timestamp_ntz(event_data:signed_up_at::varchar, 'YYYY-MM-DD HH24:MI:SS.FF3') as signed_up_at,
                run_id
            from arrivals
        )

        select
            event_id, customer_id, first_name, last_name, email, gender, age, income, city, state, zip_code, time_zone,
            customer_segment, price_sensitivity, favourite_category, preferred_channel, acquisition_channel, signed_up_at,
            run_id, :batch, :started_at
        from typed
        where
            customer_id is not null
            and signed_up_at is not null
            and not exists (
                select 1 from bronze.stg_customers as known
                where known.event_id = typed.event_id and known.event_id between :first_event and :last_event
            );
        customers := sqlrowcount;

        insert into bronze.stg_purchase_lines (
            event_id, order_id, line_number, product_id, product_name, category_name, subcategory, brand,
            quantity, unit_price, unit_cost, discount_amount, line_total, batch_number
        )
        with

        arrivals as (
            select event_id, event_data
            from bronze.arrivals
            where event_type = 'purchase' and event_time <= :latest and occurrence = 1
        ),

        typed as (
            select
                arrivals.event_id,
                try_to_number(arrivals.event_data:order_id::varchar, 18, 0) as order_id,
                try_to_number(line.value:line_number::varchar, 9, 0) as line_number,
                try_to_number(line.value:product_id::varchar, 18, 0) as product_id,
                line.value:product_name::varchar as product_name,
                line.value:category_name::varchar as category_name,
                line.value:subcategory::varchar as subcategory,
                line.value:brand::varchar as brand,
                try_to_number(line.value:quantity::varchar, 9, 0) as quantity,
                try_to_number(line.value:unit_price::varchar, 12, 2) as unit_price,
                try_to_number(line.value:unit_cost::varchar, 12, 2) as unit_cost,
                try_to_number(line.value:discount_amount::varchar, 12, 2) as discount_amount,
                try_to_number(line.value:line_total::varchar, 12, 2) as line_total
            from arrivals,
                lateral flatten(input => arrivals.event_data:lines) as line
        )

        select
            event_id, order_id, line_number, product_id, product_name, category_name, subcategory, brand,
            quantity, unit_price, unit_cost, discount_amount, line_total, :batch
        from typed
        where
            order_id is not null
            and line_number is not null
            and product_id is not null
            and quantity > 0
            and quantity * unit_cost between 0 and 9999999999
            and discount_amount >= 0
            and line_total >= 0
            and line_total = quantity * unit_price - discount_amount
            and not exists (
                select 1 from bronze.stg_purchases as known
                where known.event_id = typed.event_id and known.event_id between :first_event and :last_event
            );
        purchase_lines := sqlrowcount;

        -- An order is taken when all its lines were.
        insert into bronze.stg_purchases (
            event_id, order_id, customer_id, customer_segment, ordered_at, sales_channel, device, payment_method, shipping_method,
            warehouse_id, ship_state, is_repeat_customer, currency, line_count, subtotal, discount_total, tax_total, shipping_total,
            final_total, run_id, batch_number, loaded_at
        )
        with

        arrivals as (
            select event_id, event_data, run_id
            from bronze.arrivals
            where event_type = 'purchase' and event_time <= :latest and occurrence = 1
        ),

        taken_lines as (
            select event_id, count(*) as line_count, sum(quantity * unit_price) as subtotal, sum(discount_amount) as discount_total
            from bronze.stg_purchase_lines
            where batch_number = :batch
            group by event_id
            having count(distinct line_number) = count(*) and sum(quantity * unit_cost) <= 9999999999
        ),

        typed as (
            select
                event_id,
                try_to_number(event_data:order_id::varchar, 18, 0) as order_id,
                try_to_number(event_data:customer_id::varchar, 18, 0) as customer_id,
                event_data:customer_segment::varchar as customer_segment,
                try_to_timestamp_ntz(event_data:ordered_at::varchar, 'YYYY-MM-DD HH24:MI:SS.FF3') as ordered_at,
                event_data:sales_channel::varchar as sales_channel,
                event_data:device::varchar as device,
                event_data:payment_method::varchar as payment_method,
                event_data:shipping_method::varchar as shipping_method,
                try_to_number(event_data:warehouse_id::varchar, 9, 0) as warehouse_id,
                event_data:ship_state::varchar as ship_state,
                try_to_boolean(event_data:is_repeat_customer::varchar) as is_repeat_customer,
                event_data:currency::varchar as currency,
                array_size(event_data:lines) as line_count,
                try_to_number(event_data:subtotal::varchar, 12, 2) as subtotal,
                try_to_number(event_data:discount_total::varchar, 12, 2) as discount_total,
                try_to_number(event_data:tax_total::varchar, 12, 2) as tax_total,
                try_to_number(event_data:shipping_total::varchar, 12, 2) as shipping_total,
                try_to_number(event_data:final_total::varchar, 12, 2) as final_total,
                run_id
            from arrivals
        )

        select
            typed.event_id, order_id, customer_id, customer_segment, ordered_at, sales_channel, device, payment_method, shipping_method,
            warehouse_id, ship_state, is_repeat_customer, currency, typed.line_count, typed.subtotal, typed.discount_total, tax_total,
            shipping_total, final_total, run_id, :batch, :started_at
        from typed
        inner join taken_lines
            on
                typed.event_id = taken_lines.event_id
                and typed.line_count = taken_lines.line_count
                and typed.subtotal = taken_lines.subtotal
                and typed.discount_total = taken_lines.discount_total
        where
            customer_id is not null
            and ordered_at is not null
            and final_total = typed.subtotal - typed.discount_total + tax_total + shipping_total;
        purchases := sqlrowcount;

        -- Lines of an order that was not taken; nearly always none.
        delete from bronze.stg_purchase_lines
        where
            batch_number = :batch
            and event_id not in (select event_id from bronze.stg_purchases where batch_number = :batch);
        purchase_lines := purchase_lines - sqlrowcount;

        insert into bronze.stg_returns (
            event_id, return_id, order_id, line_number, customer_id, product_id, category_name, quantity, refund_total, reason, returned_at,
            run_id, batch_number, loaded_at
        )
        with

        arrivals as (
            select event_id, event_data, run_id
            from bronze.arrivals
            where event_type = 'return' and event_time <= :latest and occurrence = 1
        ),

        typed as (
            select
                event_id,
                try_to_number(event_data:return_id::varchar, 18, 0) as return_id,
                try_to_number(event_data:order_id::varchar, 18, 0) as order_id,
                try_to_number(event_data:line_number::varchar, 9, 0) as line_number,
                try_to_number(event_data:customer_id::varchar, 18, 0) as customer_id,
                try_to_number(event_data:product_id::varchar, 18, 0) as product_id,
                event_data:category_name::varchar as category_name,
                try_to_number(event_data:quantity::varchar, 9, 0) as quantity,
                try_to_number(event_data:refund_total::varchar, 12, 2) as refund_total,
                event_data:reason::varchar as reason,
                try_to_timestamp_ntz(event_data:returned_at::varchar, 'YYYY-MM-DD HH24:MI:SS.FF3') as returned_at,
                run_id
            from arrivals
        )

        select
            event_id, return_id, order_id, line_number, customer_id, product_id, category_name, quantity, refund_total, reason, returned_at,
            run_id, :batch, :started_at
        from typed
        where
            return_id is not null
            and order_id is not null
            and line_number is not null
            and customer_id is not null
            and quantity > 0
            and refund_total >= 0
            and returned_at is not null
            and not exists (
                select 1 from bronze.stg_returns as known
                where known.event_id = typed.event_id and known.event_id between :first_event and :last_event
            );
        returned := sqlrowcount;

        insert into bronze.stg_marketing_touches (
            event_id, touch_id, customer_id, channel_name, campaign_name, touch_type, cost, occurred_at,
            run_id, batch_number, loaded_at
        )
        with

        arrivals as (
            select event_id, event_data, run_id
            from bronze.arrivals
            where event_type = 'marketing_touch' and event_time <= :latest and occurrence = 1
        ),

        typed as (
            select
                event_id,
                try_to_number(event_data:touch_id::varchar, 18, 0) as touch_id,
                try_to_number(event_data:customer_id::varchar, 18, 0) as customer_id,
                event_data:channel_name::varchar as channel_name,
                event_data:campaign_name::varchar as campaign_name,
                event_data:touch_type::varchar as touch_type,
                try_to_number(event_data:cost::varchar, 12, 4) as cost,
                try_to_timestamp_ntz(event_data:occurred_at::varchar, 'YYYY-MM-DD HH24:MI:SS.FF3') as occurred_at,
                run_id
            from arrivals
        )

        select
            event_id, touch_id, customer_id, channel_name, campaign_name, touch_type, cost, occurred_at,
            run_id, :batch, :started_at
        from typed
        where
            touch_id is not null
            and channel_name is not null
            and touch_type is not null
            and cost >= 0
            and occurred_at is not null
            and not exists (
                select 1 from bronze.stg_marketing_touches as known
                where known.event_id = typed.event_id and known.event_id between :first_event and :last_event
            );
        touches := sqlrowcount;

        insert into bronze.stg_supply_chain (
            event_id, movement_id, movement_type, order_id, warehouse_id, category_name, quantity, delay_days, reason, occurred_at,
            run_id, batch_number, loaded_at
        )
        with

        arrivals as (
            select event_id, event_data, run_id
            from bronze.arrivals
            where event_type = 'supply_chain' and event_time <= :latest and occurrence = 1
        ),

        typed as (
            select
                event_id,
                try_to_number(event_data:movement_id::varchar, 18, 0) as movement_id,
                event_data:movement_type::varchar as movement_type,
                try_to_number(event_data:order_id::varchar, 18, 0) as order_id,
                try_to_number(event_data:warehouse_id::varchar, 9, 0) as warehouse_id,
                event_data:category_name::varchar as category_name,
                try_to_number(event_data:quantity::varchar, 12, 0) as quantity,
                try_to_number(event_data:delay_days::varchar, 9, 2) as delay_days,
                event_data:reason::varchar as reason,
                try_to_timestamp_ntz(event_data:occurred_at::varchar, 'YYYY-MM-DD HH24:MI:SS.FF3') as occurred_at,
                run_id
            from arrivals
        )

        select
            event_id, movement_id, movement_type, order_id, warehouse_id, category_name, quantity, delay_days, reason, occurred_at,
            run_id, :batch, :started_at
        from typed
        where
            movement_id is not null
            and movement_type is not null
            and occurred_at is not null
            and not exists (
                select 1 from bronze.stg_supply_chain as known
                where known.event_id = typed.event_id and known.event_id between :first_event and :last_event
            );
        movements := sqlrowcount;

        -- Whoever was held and fits now is let through; whoever does not is told why.
        update bronze.quarantined_events
        set released_at = :started_at
        where
            released_at is null
            and event_id between :first_event and :last_event
            and event_id in (select event_id from bronze.typed_events where batch_number = :batch);

        merge into bronze.quarantined_events as held
        using (
            with

            known as (
                select event_id from bronze.typed_events where event_id between :first_event and :last_event
            ),

            refused as (
                select arrivals.*
                from bronze.arrivals
                left join known
                    on arrivals.event_id = known.event_id
                where known.event_id is null and arrivals.occurrence = 1
            ),

            faults as (
                select
                    refused.*,
                    case event_type
                        when 'customer_profile' then
                            iff(try_to_number(event_data:customer_id::varchar, 18, 0) is null, ' customer_id', '')
                            || iff(try_to_timestamp_ntz(event_data:signed_up_at::varchar, 'YYYY-MM-DD HH24:MI:SS.FF3') is null, ' signed_up_at', '')
                        when 'purchase' then
                            iff(try_to_number(event_data:order_id::varchar, 18, 0) is null, ' order_id', '')
                            || iff(try_to_number(event_data:customer_id::varchar, 18, 0) is null, ' customer_id', '')
                            || iff(try_to_timestamp_ntz(event_data:ordered_at::varchar, 'YYYY-MM-DD HH24:MI:SS.FF3') is null, ' ordered_at', '')
                            || iff(try_to_number(event_data:subtotal::varchar, 12, 2) is null, ' subtotal', '')
                            || iff(try_to_number(event_data:discount_total::varchar, 12, 2) is null, ' discount_total', '')
                            || iff(try_to_number(event_data:tax_total::varchar, 12, 2) is null, ' tax_total', '')
                            || iff(try_to_number(event_data:shipping_total::varchar, 12, 2) is null, ' shipping_total', '')
                            || iff(try_to_number(event_data:final_total::varchar, 12, 2) is null, ' final_total', '')
                            || iff(coalesce(array_size(event_data:lines), 0) = 0, ' lines', '')
                        when 'return' then
                            iff(try_to_number(event_data:return_id::varchar, 18, 0) is null, ' return_id', '')
                            || iff(try_to_number(event_data:order_id::varchar, 18, 0) is null, ' order_id', '')
                            || iff(try_to_number(event_data:line_number::varchar, 9, 0) is null, ' line_number', '')
                            || iff(try_to_number(event_data:customer_id::varchar, 18, 0) is null, ' customer_id', '')
                            || iff(coalesce(try_to_number(event_data:quantity::varchar, 9, 0), 0) <= 0, ' quantity', '')
                            || iff(coalesce(try_to_number(event_data:refund_total::varchar, 12, 2), -1) < 0, ' refund_total', '')
                            || iff(try_to_timestamp_ntz(event_data:returned_at::varchar, 'YYYY-MM-DD HH24:MI:SS.FF3') is null, ' returned_at', '')
                        when 'marketing_touch' then
                            iff(try_to_number(event_data:touch_id::varchar, 18, 0) is null, ' touch_id', '')
                            || iff(event_data:channel_name::varchar is null, ' channel_name', '')
                            || iff(event_data:touch_type::varchar is null, ' touch_type', '')
                            || iff(coalesce(try_to_number(event_data:cost::varchar, 12, 4), -1) < 0, ' cost', '')
                            || iff(try_to_timestamp_ntz(event_data:occurred_at::varchar, 'YYYY-MM-DD HH24:MI:SS.FF3') is null, ' occurred_at', '')
                        when 'supply_chain' then
                            iff(try_to_number(event_data:movement_id::varchar, 18, 0) is null, ' movement_id', '')
                            || iff(event_data:movement_type::varchar is null, ' movement_type', '')
                            || iff(try_to_timestamp_ntz(event_data:occurred_at::varchar, 'YYYY-MM-DD HH24:MI:SS.FF3') is null, ' occurred_at', '')
                    end as faulty_keys
                from refused
            )

            select
                event_id,
                event_type,
                event_time,
                event_data,
                case
                    when event_time > :latest then 'from the future: event_time is later than the clock'
                    when faulty_keys is null then 'unknown event_type'
                    when faulty_keys <> '' then 'missing, or not a possible value:' || faulty_keys
                    when event_type = 'purchase' then 'a line is incomplete or impossible, or the totals do not add up'
                    else 'does not fit its table'
                end as reason,
                run_id,
                origin
            from faults
        ) as refused
            on held.event_id = refused.event_id and held.event_id between :first_event and :last_event
        when matched and held.released_at is null and refused.origin = 'QUARANTINE' then
            update set reason = refused.reason
        when not matched then
            insert (event_id, event_type, event_time, event_data, reason, run_id, batch_number, quarantined_at)
            values (
                refused.event_id, refused.event_type, refused.event_time, refused.event_data, refused.reason, refused.run_id,
                :batch, :started_at
            );

        -- count_if would be null where nothing was put aside
        select
            count(iff(quarantined_events.batch_number = :batch, 1, null)),
            count(iff(arrivals.origin = 'QUARANTINE' and quarantined_events.released_at = :started_at, 1, null))
        into :quarantined, :released
        from bronze.arrivals
        inner join bronze.quarantined_events
            on arrivals.event_id = quarantined_events.event_id
        where arrivals.occurrence = 1;

        delete from bronze.arrivals;

        -- Whoever started before and holds the layer no more has died: its transaction is gone, its record is closed here.
        update reference_data.data_generation_audit
        set
            status = 'FAILED',
            error_message = 'The run ended without a word (its session was lost). Nothing of it was kept; a later run took its rows.'
        where run_type = 'BRONZE' and status = 'RUNNING' and run_timestamp < :started_at and run_id <> :run_id;

        update reference_data.data_generation_audit
        set
            status = 'COMPLETED',
            error_message = null, -- one that started later may have taken it for dead
            generated_counts = object_construct(
                'arrived', :arrived,
                'customer_profile', :customers,
                'purchase', :purchases,
                'purchase_line', :purchase_lines,
                'return', :returned,
                'marketing_touch', :touches,
                'supply_chain', :movements,
                'quarantined', :quarantined,
                'released', :released,
                'duplicate', :arrived + :released - :customers - :purchases - :returned - :touches - :movements - :quarantined
            ),
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

    return arrived || ' events reached bronze, ' || quarantined || ' of them in quarantine.'
        || iff(tried = 0, '', ' Of ' || tried || ' released from quarantine ' || released || ' fit now, ' || (tried - released) || ' stay.');
end;
$$;

grant usage on procedure core.transform_raw_to_bronze() to application role app_admin;
