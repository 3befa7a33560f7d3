create or replace procedure core.stop_historical_data()
returns varchar
language sql
comment = 'Stops the filling of the past after the chunk under way; core.generate_historical_data with the same arguments goes on'
execute as owner
as
$$
declare
    stopped number;
begin
    update pipeline.historical_chunks set status = 'STOPPED', changed_at = sysdate() where status = 'WAITING';
    stopped := sqlrowcount;
    return stopped || ' chunks that waited are stopped; a chunk under way ends its work. The same call of generate_historical_data goes on with them.';
end;
$$;

grant usage on procedure core.stop_historical_data() to application role app_admin;
