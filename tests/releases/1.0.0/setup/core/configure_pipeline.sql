-- The schedule, as minutes or as a cron expression. It is checked here, piece by piece, because a refusal by the account would come
-- only when the old tasks are gone; the wish table remembers it, so that every later version builds the same schedule.

create or replace procedure core.configure_pipeline(
    minutes number default null,
    cron varchar default null,
    time_zone varchar default 'UTC'
)
returns varchar
language sql
comment = 'Sets how often the pipeline runs: minutes, or a cron expression with its time zone. What is started stays started'
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
    one_schedule exception (-20011, 'Nothing was changed: give minutes or a cron expression, one of the two. CALL core.configure_pipeline(15), or CALL core.configure_pipeline(cron => ''0 6 * * *'', time_zone => ''America/New_York'').');
    impossible_minutes exception (-20012, 'Nothing was changed: minutes lies between 1 and 11520 (eight days). CALL core.configure_pipeline(30) runs the pipeline every half hour.');
    impossible_cron exception (-20013, 'Nothing was changed: a cron expression has five fields, minute (0-59) hour (0-23) day of month (1-31 or L) month (1-12 or JAN-DEC) weekday (0-6 or SUN-SAT, L behind it for the last), each *, a value, a range or a list, with /n for every n-th. CALL core.configure_pipeline(cron => ''*/15 8-20 * * MON-FRI'').');
    unknown_zone exception (-20014, 'Nothing was changed: time_zone is the name of a time zone in the IANA list, as America/New_York, Europe/Paris or UTC.');
begin
    if ((minutes is null) = (cron is null)) then
        raise one_schedule;
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
    );
end;
$$;

grant usage on procedure core.configure_pipeline(number, varchar, varchar) to application role app_admin;
