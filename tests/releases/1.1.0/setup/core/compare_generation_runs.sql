create or replace procedure core.compare_generation_runs(first_run varchar, second_run varchar)
returns table (table_name varchar, row_name varchar, column_name varchar, old_value varchar, new_value varchar)
language sql
comment = 'What the second run saw changed against the first: each table, row and column, with the old and the new value'
execute as owner
as
$$
declare
    changes resultset default (
        with

        old_settings as (
            select * from audit.run_settings where run_id = :first_run
        ),

        new_settings as (
            select * from audit.run_settings where run_id = :second_run
        ),

        missing_runs as (
            select asked.run_id
            from (select :first_run as run_id union select :second_run) as asked
            where asked.run_id not in (select run_id from audit.generation_runs)
        )

        select
            coalesce(new_settings.table_name, old_settings.table_name) as table_name,
            coalesce(new_settings.row_name, old_settings.row_name) as row_name,
            coalesce(new_settings.column_name, old_settings.column_name) as column_name,
            old_settings.value as old_value,
            new_settings.value as new_value
        from old_settings
        full outer join new_settings
            on
                old_settings.table_name = new_settings.table_name
                and old_settings.row_name = new_settings.row_name
                and old_settings.column_name = new_settings.column_name
        where
            not equal_null(old_settings.value, new_settings.value)
            and not exists (select 1 from missing_runs)
        union all
        select 'There is no run ' || run_id, 'CALL core.view_generation_audit() lists the runs with their ids', null, null, null
        from missing_runs
        order by table_name, row_name, column_name
    );
begin
    return table(changes);
end;
$$;

grant usage on procedure core.compare_generation_runs(varchar, varchar) to application role app_auditor;
