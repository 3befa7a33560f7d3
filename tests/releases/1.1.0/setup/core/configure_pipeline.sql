-- How often, how much, and how long it is kept. What is not given stays as it is. The schedule is minutes or a cron expression. It is checked here, piece by piece, because a refusal by the account would come
-- only when the old tasks are gone; the wish table remembers it, so that every later version builds the same schedule.

create or replace procedure core.configure_pipeline(
    minutes number default null,
    cron varchar default null,
    time_zone varchar default 'UTC',
    daily_customer_events number default null,
    keep_raw_days number default null,
    keep_bronze_days number default null
)
returns varchar
language sql
comment = 'Sets how often the pipeline runs (minutes, or a cron expression with its time zone), the mean sign-ups per day of the natural course, and for how many days raw and bronze keep their events (0: for ever). What is not given stays, and what is started stays started'
execute as owner
as
$$
declare
    fields varchar;
    faults number;
    zone_now timestamp_ntz;
    wanted varchar;
    old_minutes number;
    old_cron varchar;
    old_zone varchar;
    outcome varchar;
    raw_days number;
    bronze_days number;
    said varchar default '';
    nothing_given exception (-20010, 'Nothing was changed: nothing was given. CALL core.configure_pipeline(15) runs the pipeline every 15 minutes, CALL core.configure_pipeline(daily_customer_events => 500) sets how many customers sign up on a mean day, and CALL core.configure_pipeline(keep_raw_days => 90) lets raw events go after 90 days.');
    one_schedule exception (-20011, 'Nothing was changed: give minutes or a cron expression, one of the two. CALL core.configure_pipeline(15), or CALL core.configure_pipeline(cron => ''0 6 * * *'', time_zone => ''America/New_York'').');
    impossible_minutes exception (-20012, 'Nothing was changed: minutes lies between 1 and 11520 (eight days). CALL core.configure_pipeline(30) runs the pipeline every half hour.');
    impossible_cron exception (-20013, 'Nothing was changed: a cron expression has five fields, minute (0-59) hour (0-23) day of month (1-31 or L) month (1-12 or JAN-DEC) weekday (0-6 or SUN-SAT, L behind it for the last), each *, a value, a range or a list, with /n for every n-th. CALL core.configure_pipeline(cron => ''*/15 8-20 * * MON-FRI'').');
    impossible_volume exception (-20015, 'Nothing was changed: daily_customer_events lies between 0 and 1000000 sign-ups on a mean day; orders, returns, touches and movements follow from them.');
    impossible_retention exception (-20016, 'Nothing was changed: keep_raw_days and keep_bronze_days lie between 7 and 36500 days, or are 0, which is for ever. Bronze must keep its events as long as raw or longer, and cannot let go of any while raw keeps all. SELECT * FROM pipeline.retention shows what holds now.');
    unknown_zone exception (-20014, 'Nothing was changed: time_zone is the name of a time zone in the IANA list, as America/New_York, Europe/Paris or UTC.');
begin
    if (minutes is null and cron is null and daily_customer_events is null and keep_raw_days is null and keep_bronze_days is null) then
        raise nothing_given;
    end if;
    if (minutes is not null and cron is not null) then
        raise one_schedule;
    end if;
    if (daily_customer_events is not null and daily_customer_events not between 0 and 1000000) then
        raise impossible_volume;
    end if;
    select
        nullif(coalesce(:keep_raw_days, max(iff(layer = 'RAW', keep_days, null)), 0), 0),
        nullif(coalesce(:keep_bronze_days, max(iff(layer = 'BRONZE', keep_days, null)), 0), 0)
    into :raw_days, :bronze_days
    from pipeline.retention;
    if (
        raw_days not between 7 and 36500 or bronze_days not between 7 and 36500
        or (bronze_days is not null and coalesce(raw_days, 36501) > bronze_days)
    ) then
        raise impossible_retention;
    end if;
    if (minutes is not null and minutes not between 1 and 11520) then
        raise impossible_minutes;
    end if;
    if (cron is not null) then
        fields := upper(trim(regexp_replace(cron, '[ ]+', ' ')));
        select count(iff(not regexp_like(piece, '^([*]|(' || one || ')(-(' || one || '))?)(/[1-9][0-9]?)?$|^' || last_one || '$'), 1, null))
        into :faults
        from (
            select
                piece.value::varchar as piece,
                case field.index
                    when 0 then '[0-5]?[0-9]'
                    when 1 then '[01]?[0-9]|2[0-3]'
                    when 2 then '0?[1-9]|[12][0-9]|3[01]'
                    when 3 then '0?[1-9]|1[0-2]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC'
                    else '[0-6]|SUN|MON|TUE|WED|THU|FRI|SAT'
                end as one,
                case field.index when 2 then 'L' when 4 then '[0-6]L' else '[*]' end as last_one
            from table(flatten(input => split(:fields, ' '))) as field,
                lateral flatten(input => split(field.value::varchar, ',')) as piece
        );
        if (faults > 0 or array_size(split(fields, ' ')) <> 5) then
            raise impossible_cron;
        end if;
        begin
            select convert_timezone('UTC', :time_zone, sysdate()) into :zone_now;
        exception
            when other then
                raise unknown_zone;
        end;
    end if;

    if (daily_customer_events is not null) then
        update reference_data.generation_parameters
        set parameter_value = :daily_customer_events::varchar
        where parameter_name = 'daily_customer_events';
        said := said || ' On a mean day ' || daily_customer_events || ' customers sign up, from the next run on.';
    end if;
    if (keep_raw_days is not null or keep_bronze_days is not null) then
        update pipeline.retention
        set keep_days = iff(layer = 'RAW', :raw_days, :bronze_days), changed_at = sysdate();
        said := said || ' Raw keeps its events ' || coalesce(raw_days || ' days', 'for ever') || ', bronze '
            || coalesce(bronze_days || ' days', 'for ever') || '.';
    end if;
    if (minutes is null and cron is null) then
        return trim(said);
    end if;

    select wanted, schedule_minutes, schedule_cron, schedule_time_zone into :wanted, :old_minutes, :old_cron, :old_zone
    from pipeline.wishes
    where wish_id = 1;

    update pipeline.wishes
    set
        schedule_minutes = :minutes,
        schedule_cron = :fields,
        schedule_time_zone = iff(:fields is null, null, :time_zone),
        changed_at = sysdate()
    where wish_id = 1;

    begin
        call core.build_task_graph() into :outcome;
    exception
        when other then
            -- The account refused: the old wish stands again, and the next start builds from it.
            update pipeline.wishes
            set schedule_minutes = :old_minutes, schedule_cron = :old_cron, schedule_time_zone = :old_zone, changed_at = sysdate()
            where wish_id = 1;
            raise;
    end;
    return iff(
        wanted = 'STARTED',
        'The schedule is changed. ' || outcome,
        'The schedule is changed, and holds from core.start_pipeline() on.'
    ) || said;
end;
$$;

grant usage on procedure core.configure_pipeline(number, varchar, varchar, number, number, number) to application role app_admin;
