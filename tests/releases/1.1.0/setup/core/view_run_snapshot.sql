create or replace procedure core.view_run_snapshot(run varchar, reference_table varchar default 'ALL')
returns table (table_name varchar, row_name varchar, column_name varchar, value varchar)
language sql
comment = 'The configuration a run saw: of one reference table, or of all'
execute as owner
as
$$
declare
    snapshot resultset default (
        select table_name, row_name, column_name, value
        from audit.run_settings
        where run_id = :run and (:reference_table = 'ALL' or table_name = lower(:reference_table))
        union all
        select 'There is no run ' || :run, 'CALL core.view_generation_audit() lists the runs with their ids', null, null
        where not exists (select 1 from audit.generation_runs where run_id = :run)
        order by table_name, row_name, column_name
    );
begin
    return table(snapshot);
end;
$$;

grant usage on procedure core.view_run_snapshot(varchar, varchar) to application role app_auditor;
