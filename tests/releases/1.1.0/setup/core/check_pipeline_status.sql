-- The pipeline at a glance: the wish, each task, each layer with its freshness, the stream between raw and bronze, what is held in
-- quarantine, what is let go, what it costs; and what to do where something is wrong.

create or replace procedure core.check_pipeline_status()
returns table (
    component varchar,
    state varchar,
    last_run_at timestamp_ntz,
    last_result varchar,
    next_run_at timestamp_ntz,
    waiting number,
    newest_event_at timestamp_ntz,
    advice varchar
)
language sql
comment = 'State, last and next run of each task; what waits for each layer, and how fresh it is; what to do where something is wrong'
execute as owner
as
$$
declare
    tasks varchar;
    streams varchar;
    in_stream number;
    unreadable varchar;
    status resultset;
begin
    show tasks in schema pipeline;
    tasks := sqlid;
    show streams in schema raw_data;
    streams := sqlid;

    -- alone, because a stream that cannot be read must not take the rest of the answer with it
    begin
        select count(*) into :in_stream from raw_data.raw_retail_events_stream;
    exception
        when other then
            unreadable := sqlerrm;
    end;

    status := (
        with

        wish as (
            select * from pipeline.wishes where wish_id = 1
        ),

        notice as (
            select * from pipeline.notices
            qualify row_number() over (order by noticed_at desc) = 1
        ),

        expected_tasks as (
            select 2 as place, 'DATA_GENERATION_TASK' as name
            union all
            select 3, 'BRONZE_TRANSFORMATION_TASK'
            union all
            select 4, 'GOLD_TRANSFORMATION_TASK'
            union all
            select 5, 'RETENTION_TASK'
        ),

        present_tasks as (
            select "name" as name, "state" as state from table(result_scan(:tasks))
        ),

        attempts as (
            select
                name,
                state,
                error_message,
                -- by way of the epoch, which is UTC whatever the caller's time zone
                to_timestamp_ntz(date_part(epoch_millisecond, scheduled_time), 3) as scheduled_at,
                to_timestamp_ntz(date_part(epoch_millisecond, completed_time), 3) as completed_at
            from table(information_schema.task_history())
            where database_name = current_database()
        ),

        last_attempts as (
            select * from attempts
            where completed_at is not null
            qualify row_number() over (partition by name order by completed_at desc) = 1
        ),

        next_attempts as (
            select name, min(scheduled_at) as scheduled_at
            from attempts
            where state = 'SCHEDULED'
            group by name
        ),

        task_rows as (
            select
                expected_tasks.place,
                lower(expected_tasks.name) as component,
                coalesce(upper(present_tasks.state), 'MISSING') as state,
                last_attempts.completed_at as last_run_at,
                last_attempts.state || coalesce(': ' || last_attempts.error_message, '') as last_result,
                next_attempts.scheduled_at as next_run_at,
                null::number as waiting,
                null::timestamp_ntz as newest_event_at,
                case
                    when present_tasks.state is null then 'The account refused the tasks: ' || notice.detail
                    when startswith(last_attempts.state, 'FAILED') then 'See last_result, and CALL core.view_generation_audit(); then CALL core.start_pipeline()'
                    when wish.wanted = 'STARTED' and lower(present_tasks.state) <> 'started'
                        then 'Suspended against your wish: ' || iff(notice.outcome = 'REFUSED', notice.detail || ' Then ', '') || 'CALL core.start_pipeline()'
                end as advice
            from expected_tasks
            cross join wish
            left join notice
                on true
            left join present_tasks
                on expected_tasks.name = present_tasks.name
            left join last_attempts
                on expected_tasks.name = last_attempts.name
            left join next_attempts
                on expected_tasks.name = next_attempts.name
        ),

        last_runs as (
            select run_type, status, error_message, run_timestamp
            from reference_data.data_generation_audit
            qualify row_number() over (partition by run_type order by run_timestamp desc) = 1
        ),

        layers as (
            select
                max(iff(layer = 'BRONZE', last_batch, 0)) as bronze_batch,
                -- sums by day may be behind the facts: an upgrade has them filled anew
                least(
                    min(iff(layer = 'BRONZE', null, last_batch)), coalesce(max(iff(layer = 'GOLD', summed_batch, null)), 0)
                ) as gold_batch
            from pipeline.progress
        ),

        present_streams as (
            select to_timestamp_ntz(date_part(epoch_millisecond, "stale_after"), 3) as stale_after
            from table(result_scan(:streams))
            where "name" = 'RAW_RETAIL_EVENTS_STREAM'
        ),

        arrivals as (
            select count(*) as waiting from bronze.arrivals
        ),

        quarantine as (
            select count(*) as held, max(quarantined_at) as quarantined_at from bronze.quarantined_events where released_at is null
        ),

        raw_freshness as (
            -- the bound of core.transform_raw_to_bronze: what is from later is a fault
            select max(event_time) as newest_event_at from raw_data.raw_retail_events
            where event_time <= dateadd('hour', 1, sysdate())
        ),

        bronze_freshness as (
            select max(newest_event_at) as newest_event_at
            from (
                select max(signed_up_at) as newest_event_at from bronze.stg_customers
                union all
                select max(ordered_at) from bronze.stg_purchases
                union all
                select max(returned_at) from bronze.stg_returns
                union all
                select max(occurred_at) from bronze.stg_marketing_touches
                union all
                select max(occurred_at) from bronze.stg_supply_chain
            )
        ),

        gold_freshness as (
            select max(newest_event_at) as newest_event_at
            from (
                select max(signed_up_at) as newest_event_at from gold.customer_profiles
                union all
                select max(ordered_at) from gold.fct_sales
                union all
                select max(returned_at) from gold.fct_returns
                union all
                select max(occurred_at) from gold.fct_marketing_touches
                union all
                select max(greatest(
                    coalesce(picked_at, shipped_at, delivered_at),
                    coalesce(shipped_at, picked_at, delivered_at),
                    coalesce(delivered_at, shipped_at, picked_at)
                )) from gold.fct_shipments
            )
        ),

        -- Seconds by the app's own record, as if each ran on an X-Small serverless task, an hour of which costs 0.9 credits.
        cost as (
            select count(*) as runs, round(coalesce(sum(execution_seconds), 0)) as seconds, (seconds / 3600 * 0.9)::number(12, 3) as credits
            from reference_data.data_generation_audit
            where run_timestamp > dateadd('day', -1, sysdate())
        ),

        kept as (
            select
                max(iff(layer = 'RAW', coalesce(keep_days || ' days', 'for ever'), null)) as raw_keeps,
                max(iff(layer = 'BRONZE', coalesce(keep_days || ' days', 'for ever'), null)) as bronze_keeps,
                max(keep_days) as keep_days
            from pipeline.retention
        ),

        all_rows as (
            select
                1 as place,
                'pipeline' as component,
                wish.wanted as state,
                null::timestamp_ntz as last_run_at,
                null::varchar as last_result,
                null::timestamp_ntz as next_run_at,
                null::number as waiting,
                null::timestamp_ntz as newest_event_at,
                iff(wish.wanted = 'STOPPED', 'CALL core.start_pipeline() generates every '
                    || coalesce(wish.schedule_minutes || ' minutes', wish.schedule_cron), null) as advice
            from wish
            union all
            select * from task_rows
            union all
            select
                6, 'raw', coalesce(last_runs.status, 'NO RUN YET'), last_runs.run_timestamp, last_runs.error_message, null, null, raw_freshness.newest_event_at,
                case
                    when last_runs.run_type is null then 'CALL core.generate_retail_data(20, 50)'
                    when last_runs.status = 'FAILED' then 'Nothing of that run was kept: mend what last_result names, and generate again'
                end
            from raw_freshness
            left join last_runs
                on last_runs.run_type = 'GENERATION'
            union all
            select
                7, 'stream', iff(:unreadable is null, 'READABLE', 'UNREADABLE'), null,
                coalesce(:unreadable, 'Can be read until ' || to_char(present_streams.stale_after, 'YYYY-MM-DD HH24:MI') || ' UTC, if nobody does'),
                null, :in_stream, null,
                case
                    when :unreadable is not null then 'Raw still has every event: CALL core.repair_stream()'
                    when present_streams.stale_after < dateadd('day', 7, sysdate())
                        then 'Nobody has read it for long, and then it cannot be read any more: CALL core.transform_raw_to_bronze()'
                end
            from wish
            left join present_streams
                on true
            union all
            select
                8, 'bronze', coalesce(last_runs.status, 'NO RUN YET'), last_runs.run_timestamp, last_runs.error_message, null,
                coalesce(:in_stream, 0) + arrivals.waiting, bronze_freshness.newest_event_at,
                case
                    when last_runs.status = 'FAILED'
                        then 'Nothing is lost: mend what last_result names, then CALL core.transform_raw_to_bronze()'
                    when coalesce(:in_stream, 0) + arrivals.waiting > 0
                        then 'Events wait: CALL core.transform_raw_to_bronze(), or let the task do it'
                end
            from arrivals
            cross join bronze_freshness
            left join last_runs
                on last_runs.run_type = 'BRONZE'
            union all
            select
                9, 'quarantine', iff(quarantine.held = 0, 'EMPTY', 'HOLDS EVENTS'), quarantine.quarantined_at, null, null, quarantine.held, null,
                iff(
                    quarantine.held = 0, null,
                    'Their reasons stand in bronze.quarantined_events; after a fix: CALL core.release_quarantined_events()'
                )
            from quarantine
            union all
            select
                10, 'gold', coalesce(last_runs.status, 'NO RUN YET'), last_runs.run_timestamp, last_runs.error_message, null,
                layers.bronze_batch - layers.gold_batch, gold_freshness.newest_event_at,
                case
                    when last_runs.status = 'FAILED'
                        then 'Nothing is lost: mend what last_result names, then CALL core.transform_bronze_to_gold()'
                    when layers.bronze_batch > layers.gold_batch
                        then 'Batches wait in bronze: CALL core.transform_bronze_to_gold(), or let the task do it'
                end
            from layers
            cross join gold_freshness
            left join last_runs
                on last_runs.run_type = 'GOLD'
            union all
            select
                11, 'retention', iff(kept.keep_days is null, 'OFF', 'ON'), last_runs.run_timestamp,
                coalesce(last_runs.error_message, 'Raw keeps its events ' || kept.raw_keeps || ', bronze ' || kept.bronze_keeps),
                null, null, null,
                iff(last_runs.status = 'FAILED', 'Nothing was let go: mend what last_result names, then CALL core.purge_events()', null)
            from kept
            left join last_runs
                on last_runs.run_type = 'RETENTION'
            union all
            select
                12, 'cost', 'ESTIMATE', null,
                cost.runs || ' runs of the last 24 hours took ' || cost.seconds || ' seconds: ' || cost.credits
                || ' credits a day, at 0.9 per hour of an X-Small serverless task. The bill is account_usage.serverless_task_history',
                null, null, null, null
            from cost
        )

        select component, state, last_run_at, last_result, next_run_at, waiting, newest_event_at, advice
        from all_rows
        order by place
    );
    return table(status);
end;
$$;

grant usage on procedure core.check_pipeline_status() to application role app_admin;
