-- Builds the four tasks anew from the wish table: data_generation_task -> bronze_transformation_task -> gold_transformation_task ->
-- retention_task.
-- Safe to call at any time and twice. A refusal (feature policy, missing privilege) is recorded in pipeline.notices and raised.

create or replace procedure core.build_task_graph()
returns varchar
language sql
comment = 'Rebuilds the tasks of the pipeline from pipeline.wishes, and starts them if they are wanted'
execute as owner
as
$$
declare
    wanted varchar;
    minutes number;
    cron varchar;
    zone varchar;
    schedule varchar;
    root varchar;
    retention varchar;
    outcome varchar;
    reason varchar;
    impossible_schedule exception (-20001, 'The schedule in pipeline.wishes is neither 1 to 11520 minutes nor a cron expression of five fields with a time zone, and no task was changed. CALL core.configure_pipeline(15) sets one that is possible.');
begin
    select wanted, schedule_minutes, schedule_cron, coalesce(schedule_time_zone, 'UTC')
    into :wanted, :minutes, :cron, :zone
    from pipeline.wishes
    where wish_id = 1;

    -- The schedule becomes part of a statement's text, where no bind is possible: it is made of what was parsed, and of nothing else.
    if (minutes between 1 and 11520) then
        schedule := round(minutes) || ' MINUTES';
    elseif (
        regexp_like(cron, '^[0-9A-Za-z*,/#-]+( [0-9A-Za-z*,/#-]+){4}$') and regexp_like(zone, '^[0-9A-Za-z_+/-]+$')
    ) then
        schedule := 'USING CRON ' || cron || ' ' || zone;
    else
        raise impossible_schedule;
    end if;

    -- A graph can be changed only while its root is suspended, and a task that is replaced arrives suspended and without grants.
    alter task if exists pipeline.data_generation_task suspend;

    root := 'create or replace task pipeline.data_generation_task'
        || ' user_task_managed_initial_warehouse_size = ''XSMALL'''
        || ' schedule = ''' || schedule || ''''
        || ' suspend_task_after_num_failures = 5'
        || ' user_task_timeout_ms = 1500000'
        || ' comment = ''Generates the events since the last run, by the natural course'''
        || ' as call core.generate_batch(null, null, null, null)';
    execute immediate :root;
    grant monitor on task pipeline.data_generation_task to application role app_admin;

    create or replace task pipeline.bronze_transformation_task
        user_task_managed_initial_warehouse_size = 'XSMALL'
        user_task_timeout_ms = 1500000
        comment = 'Types what the generation wrote'
        after pipeline.data_generation_task
        as call core.transform_raw_to_bronze();
    grant monitor on task pipeline.bronze_transformation_task to application role app_admin;

    create or replace task pipeline.gold_transformation_task
        user_task_managed_initial_warehouse_size = 'XSMALL'
        user_task_timeout_ms = 1500000
        comment = 'Adds the new batches of bronze to gold'
        after pipeline.bronze_transformation_task
        as call core.transform_bronze_to_gold();
    grant monitor on task pipeline.gold_transformation_task to application role app_admin;

    -- Should a version before 1.1.0 come back, this task stays and has nothing to call: it does nothing then. Its body is a block, so its
    -- statement stands alone, not in this block.
    retention := 'create or replace task pipeline.retention_task'
        || ' user_task_managed_initial_warehouse_size = ''XSMALL'''
        || ' user_task_timeout_ms = 1500000'
        || ' comment = ''Lets go of events that are older than pipeline.retention says'''
        || ' after pipeline.gold_transformation_task'
        || ' as begin call core.purge_events();'
        || ' exception when statement_error then if (sqlcode <> 2140) then raise; end if; end';
    execute immediate :retention;
    grant monitor on task pipeline.retention_task to application role app_admin;

    outcome := 'The tasks stand, suspended.';
    if (wanted = 'STARTED') then
        -- children first: a root that runs skips children that are still suspended
        alter task pipeline.retention_task resume;
        alter task pipeline.gold_transformation_task resume;
        alter task pipeline.bronze_transformation_task resume;
        alter task pipeline.data_generation_task resume;
        outcome := 'The tasks run, on the schedule ' || schedule || '.';
    end if;

    insert into pipeline.notices (noticed_at, outcome, detail)
    select sysdate(), 'BUILT', :outcome;
    return outcome;
exception
    when other then
        reason := sqlerrm;
        insert into pipeline.notices (noticed_at, outcome, detail)
        select sysdate(), 'REFUSED', :reason;
        raise;
end;
$$;
