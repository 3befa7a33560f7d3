-- The pipeline at a glance: the wish, each task, the stream, each layer; and what to do where something is wrong.

create or replace procedure core.check_pipeline_status()
returns table (
    component varchar,
    state varchar,
    last_run_at timestamp_ntz,
    last_result varchar,
    next_run_at timestamp_ntz,
    waiting number,
    advice varchar
)
language sql
comment = 'State, last and next run of each task; what waits for each layer; what to do where something is wrong'
execute as owner
as
$$
declare
    tasks varchar;
    status resultset;
begin
    show tasks in schema pipeline;
    tasks := sqlid;

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
                case
                    when present_tasks.state is null then 'The account refused the tasks: ' || notice.detail
                    when last_attempts.state = 'FAILED' then 'See last_result, and CALL core.view_generation_audit(); then CALL core.start_pipeline()'
                    when wish.wanted = 'STARTED' and lower(present_tasks.state) <> 'started' then 'Suspended against your wish: CALL core.start_pipeline()'
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
                min(iff(layer = 'BRONZE', null, last_batch)) as gold_batch
            from pipeline.progress
        ),

        arrivals as (
            select count(*) as waiting from raw_data.raw_retail_events_stream
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
                iff(wish.wanted = 'STOPPED', 'CALL core.start_pipeline() generates every '
                    || coalesce(wish.schedule_minutes || ' minutes', wish.schedule_cron), null) as advice
            from wish
            union all
            select * from task_rows
            union all
            select
                5, 'raw', coalesce(last_runs.status, 'NO RUN YET'), last_runs.run_timestamp, last_runs.error_message, null, null,
                case
                    when last_runs.run_type is null then 'CALL core.generate_retail_data(20, 50)'
                    when last_runs.status = 'FAILED' then 'Nothing of that run was kept: mend what last_result names, and generate again'
                end
            from wish
            left join last_runs
                on last_runs.run_type = 'GENERATION'
            union all
            select
                6, 'bronze', coalesce(last_runs.status, 'NO RUN YET'), last_runs.run_timestamp, last_runs.error_message, null, arrivals.waiting,
                iff(arrivals.waiting > 0, 'Events wait in the stream: CALL core.transform_raw_to_bronze(), or let the task do it', null)
            from arrivals
            left join last_runs
                on last_runs.run_type = 'BRONZE'
            union all
            select
                7, 'gold', coalesce(last_runs.status, 'NO RUN YET'), last_runs.run_timestamp, last_runs.error_message, null,
                layers.bronze_batch - layers.gold_batch,
                iff(layers.bronze_batch > layers.gold_batch, 'Batches wait in bronze: CALL core.transform_bronze_to_gold(), or let the task do it', null)
            from layers
            left join last_runs
                on last_runs.run_type = 'GOLD'
        )

        select component, state, last_run_at, last_result, next_run_at, waiting, advice
        from all_rows
        order by place
    );
    return table(status);
end;
$$;

grant usage on procedure core.check_pipeline_status() to application role app_admin;
