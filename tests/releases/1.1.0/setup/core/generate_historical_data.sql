-- Fills the past, or a gap, from start_date to end_date (borders of half-hours, UTC; end_date is not in it), chunk by chunk, each carried
-- to gold. What overlaps a window that is generated already is refused. Stop it with core.stop_historical_data or by ending the session;
-- the same call made again goes on where it stopped. pipeline.historical_chunks shows how far it has come.

create or replace procedure core.generate_historical_data(
    start_date timestamp_ntz,
    end_date timestamp_ntz,
    events_per_day number default null
)
returns varchar
language sql
comment = 'Fills the past or a gap in chunks, with so many orders per day (NULL: as many as is natural); can be stopped and continued'
execute as owner
as
$$
declare
    fill varchar;
    run varchar default 'none yet';
    answer varchar;
begin
    call core.plan_history(:start_date, :end_date, :events_per_day) into :fill;
    while (run <> '') do
        call core.generate_chunk(:fill) into :run;
        if (run <> '') then
            call core.transform_raw_to_bronze();
            call core.transform_bronze_to_gold();
        end if;
    end while;

    select
        count_if(chunks.status = 'COMPLETED') || ' of ' || count(*) || ' chunks are filled, with '
        || coalesce(sum(runs.generated_counts:customer_events::number(18, 0)), 0) || ' sign-ups and '
        || coalesce(sum(runs.generated_counts:purchase_events::number(18, 0)), 0) || ' orders.'
        || iff(count_if(chunks.status <> 'COMPLETED') > 0, ' The same call made again goes on with the rest.', '')
    into :answer
    from pipeline.historical_chunks as chunks
    left join reference_data.data_generation_audit as runs
        on chunks.run_id = runs.run_id
    where chunks.fill_id = :fill;
    return answer;
end;
$$;

grant usage on procedure core.generate_historical_data(timestamp_ntz, timestamp_ntz, number) to application role app_admin;
