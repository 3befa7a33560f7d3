create or replace procedure core.stop_pipeline()
returns varchar
language sql
comment = 'Stops the scheduled generation; a run under way ends its work. Stays stopped over upgrades, until core.start_pipeline'
execute as owner
as
$$
begin
    update pipeline.wishes set wanted = 'STOPPED', changed_at = sysdate() where wish_id = 1;

    -- The root first: its children can be suspended only while it is.
    alter task if exists pipeline.data_generation_task suspend;
    alter task if exists pipeline.bronze_transformation_task suspend;
    alter task if exists pipeline.gold_transformation_task suspend;
    alter task if exists pipeline.retention_task suspend;
    return 'The pipeline is stopped. Nothing is generated until core.start_pipeline() or core.generate_retail_data() is called.';
end;
$$;

grant usage on procedure core.stop_pipeline() to application role app_admin;
