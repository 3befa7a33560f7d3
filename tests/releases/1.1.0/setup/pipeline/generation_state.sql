-- How far the generator has come. A run updates this row first and so holds it until it commits: two runs at once run one after the other.

create table if not exists pipeline.generation_state (
    state_id number(1, 0) not null comment 'Always 1',
    window_end timestamp_ntz comment 'End of the time filled so far, UTC, a border of half-hours; null before the first run',
    next_customer number(18, 0) not null comment 'Number of the next customer',
    next_order number(18, 0) not null comment 'Number of the next order',
    known_segments variant comment 'The last row of every segment there ever was: a deleted one keeps it for its customers',
    holder varchar comment 'The run that holds the state, or held it last',
    held_at timestamp_ntz comment 'Since when, UTC'
)
comment = 'What the generator must remember from run to run. One row in all.';

merge into pipeline.generation_state
using (select 1 as state_id) as defaults
    on generation_state.state_id = defaults.state_id
when not matched then
    insert (state_id, next_customer, next_order)
    values (defaults.state_id, 1, 1);
