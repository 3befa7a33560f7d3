create or replace procedure core.start_pipeline()
returns varchar
language sql
comment = 'Starts the scheduled generation; stays started over upgrades, until core.stop_pipeline'
execute as owner
as
$$
declare
    outcome varchar;
begin
    -- What was not generated while the pipeline stood still stays a gap, until somebody fills it: audit.generation_gaps lists it.
    update pipeline.generation_state
    set window_end = time_slice(sysdate(), 30, 'MINUTE')
    where
        window_end < time_slice(sysdate(), 30, 'MINUTE')
        and exists (select 1 from pipeline.wishes where wanted = 'STOPPED');
    update pipeline.wishes set wanted = 'STARTED', changed_at = sysdate() where wish_id = 1;
    call core.build_task_graph() into :outcome;
    return 'The pipeline is started. ' || outcome;
end;
$$;

grant usage on procedure core.start_pipeline() to application role app_admin;
