-- Gold from nothing. Nothing is deleted here: gold is said to stand before the first batch, and the next transformation, which is called
-- at once, empties and fills it in its one transaction. Should that fail, gold stays as it was, and the transformation after it tries again.

create or replace procedure core.rebuild_gold()
returns varchar
language sql
comment = 'Fills gold anew from bronze; the rows are those that batch after batch would have given'
execute as owner
as
$$
declare
    purged number;
    moved varchar;
    bronze_is_incomplete exception (-20061, 'Nothing was changed: bronze has let go of old events, as core.configure_pipeline(keep_bronze_days => ..) asked, and gold holds what was made of them. Filled anew from bronze it would lose them. SELECT * FROM pipeline.retention shows until when.');
begin
    select purged_events into :purged from pipeline.retention where layer = 'BRONZE';
    if (purged > 0) then
        raise bronze_is_incomplete;
    end if;
    update pipeline.progress set last_batch = 0, changed_at = sysdate() where layer <> 'BRONZE';
    call core.transform_bronze_to_gold() into :moved;
    return 'Gold was filled anew. ' || moved;
end;
$$;

grant usage on procedure core.rebuild_gold() to application role app_admin;
