-- Whether a run is what its audit row says: its customers, orders and events are made again from the row's snapshot, window, first
-- numbers and counts, and compared one by one with what raw_data and truth hold. What was changed since has no part in it.

create or replace procedure core.replay_run(run_id varchar)
returns table (
    part varchar,
    is_equal boolean,
    verdict varchar,
    made_again number,
    found number,
    missing number,
    unexpected number,
    different number,
    example number
)
language sql
comment = 'Makes a run again from its audit row and compares it, event by event, with what is there; the first row is the verdict'
execute as owner
as
$$
declare
    compared varchar;
    parts resultset;
begin
    call core.replay_comparison(:run_id) into :compared;
    parts := (
        select
            piece.value:part::varchar as part,
            piece.value:is_equal::boolean as is_equal,
            piece.value:verdict::varchar as verdict,
            piece.value:made_again::number(18, 0) as made_again,
            piece.value:found::number(18, 0) as found,
            piece.value:missing::number(18, 0) as missing,
            piece.value:unexpected::number(18, 0) as unexpected,
            piece.value:different::number(18, 0) as different,
            piece.value:example::number(18, 0) as example
        from table(flatten(input => parse_json(:compared))) as piece
        order by piece.index
    );
    return table(parts);
end;
$$;

grant usage on procedure core.replay_run(varchar) to application role app_auditor;
