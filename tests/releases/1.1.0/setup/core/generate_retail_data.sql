-- Sign-ups, orders, marketing touches and movements, carried to gold before the call returns.
--
-- A number is exact for the run, and NULL leaves its kind to the natural course. The run fills the half-hours that have ended since the
-- last one (the first run: the last 30 days). If none has ended, it adds what was asked for to the half-hour that is passing, none of it
-- in the future, and that half-hour still gets its natural course later. Returns come by themselves, in addition.

create or replace procedure core.generate_retail_data(
    customer_events number default 10,
    purchase_events number default 25,
    marketing_events number default 8,
    supply_chain_events number default 5
)
returns varchar
language sql
comment = 'Generates so many sign-ups, orders, marketing touches and movements, and carries them to gold; NULL: as many as is natural'
execute as owner
as
$$
declare
    run varchar;
    answer varchar;
begin
    call core.generate_batch(:customer_events, :purchase_events, :marketing_events, :supply_chain_events) into :run;
    call core.transform_raw_to_bronze();
    call core.transform_bronze_to_gold();
    select summary into :answer from reference_data.data_generation_audit where run_id = :run;
    return answer;
end;
$$;

grant usage on procedure core.generate_retail_data(number, number, number, number) to application role app_admin;
