create or replace procedure core.validate_configuration()
returns table (table_name varchar, row_name varchar, column_name varchar, value varchar, remedy varchar)
language sql
comment = 'What a run would refuse of the reference tables as they are now: table, row, column, value, and what would be right. Empty when all is well'
execute as owner
as
$$
declare
    found varchar;
    faults resultset;
begin
    call core.configuration_faults() into :found;
    faults := (
        select
            fault.value:table::varchar as table_name,
            fault.value:row::varchar as row_name,
            fault.value:column::varchar as column_name,
            fault.value:value::varchar as value,
            fault.value:remedy::varchar as remedy
        from table(flatten(input => parse_json(:found))) as fault
        order by fault.index
    );
    return table(faults);
end;
$$;

grant usage on procedure core.validate_configuration() to application role app_admin;
