-- What lies empty between the windows that were generated, and how to fill it.

create or replace view audit.generation_gaps (
    gap_start comment 'Begin of the gap, UTC',
    gap_end comment 'End of the gap, UTC, not in it',
    half_hours comment 'How many half-hours it has',
    remedy comment 'The call that fills it by the natural course'
)
comment = 'Stretches of time between generated windows in which nothing was generated. One row per gap.'
as
with

-- A reset forgets what was generated before it.
resets as (
    select max(run_timestamp) as reset_at
    from reference_data.data_generation_audit
    where run_type = 'RESET' and status = 'COMPLETED'
),

-- A half-hour that was open when something was asked for still gets its natural course: its window ends on no border. Where the pipeline
-- was started anew, the next window begins at the border that is remembered.
windows as (
    select runs.window_start, runs.window_end
    from reference_data.data_generation_audit as runs
    cross join resets
    where
        runs.run_type = 'GENERATION'
        and runs.status = 'COMPLETED'
        and mod(datediff('millisecond', to_timestamp_ntz('2000-01-01', 'YYYY-MM-DD'), runs.window_end), 1800000) = 0
        and (resets.reset_at is null or runs.run_timestamp > resets.reset_at)
    union all
    select window_end, window_end
    from pipeline.generation_state
    where window_end is not null
),

filled as (
    select
        max(window_end) over (
            order by window_start, window_end rows between unbounded preceding and 1 preceding
        ) as gap_start,
        window_start as gap_end
    from windows
)

select
    gap_start,
    gap_end,
    (datediff('minute', gap_start, gap_end) / 30)::number(18, 0) as half_hours,
    'CALL core.generate_historical_data(''' || to_char(gap_start, 'YYYY-MM-DD HH24:MI') || ''', '''
    || to_char(gap_end, 'YYYY-MM-DD HH24:MI') || ''')' as remedy
from filled
where gap_end > gap_start;

grant select on view audit.generation_gaps to application role app_auditor;
