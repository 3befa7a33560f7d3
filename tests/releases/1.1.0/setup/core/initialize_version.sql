-- What has to happen once a version is in place: manifest.yml names it, and setup.sql calls it as its last line. An account that
-- refuses tasks gets an app without a schedule, not a failed installation; core.build_task_graph has recorded why.

create or replace procedure core.initialize_version()
returns varchar
language sql
comment = 'Called by Snowflake after a version was installed; also when an upgrade to the next one failed'
execute as owner
as
$$
declare
    outcome varchar;
begin
    -- The next transformation sums gold up anew: as this version does it, and whatever another version did meanwhile.
    update pipeline.progress set summed_batch = null where layer = 'GOLD';
    call core.build_task_graph() into :outcome;
    return outcome;
exception
    when other then
        return 'No tasks: ' || sqlerrm || ' CALL core.start_pipeline() tries again.';
end;
$$;
