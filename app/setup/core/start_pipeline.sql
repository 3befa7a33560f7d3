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
    update pipeline.wishes set wanted = 'STARTED', changed_at = sysdate() where wish_id = 1;
    call core.build_task_graph() into :outcome;
    return 'The pipeline is started. ' || outcome;
end;
$$;

grant usage on procedure core.start_pipeline() to application role app_admin;
