-- What has landed and has not reached bronze yet. Append-only, so that consumed raw events may be purged one day.
-- It is granted to nobody: whoever reads it in a DML moves its offset and takes the rows from the pipeline.

create stream if not exists raw_data.raw_retail_events_stream
    on table raw_data.raw_retail_events
    append_only = true
    comment = 'Events that wait for bronze; core.transform_raw_to_bronze is its only reader. One row per waiting event.';
