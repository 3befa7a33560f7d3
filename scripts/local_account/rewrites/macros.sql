-- What Snowflake computes by a value's type. The binder knows the type and folds `case typeof(x)` away, so only one branch is ever run.

-- Context: the statement's moment and the session's values, which the engine sets before each statement.
create or replace macro sf_now() as coalesce(getvariable('now'), now());
create or replace macro sf_session(name) as getvariable('session')[name];

-- Text of a value. Snowflake prints milliseconds, whole floats without a fraction, and a variant's string without its quotes.
create or replace macro sf_text(x) as case typeof(x)
    when 'VARCHAR' then x::varchar
    when 'JSON' then json_extract_string(try_cast(x as json), '$')
    when 'TIMESTAMP' then strftime(try_cast(x::varchar as timestamp), '%Y-%m-%d %H:%M:%S.%g')
    when 'TIMESTAMP WITH TIME ZONE' then strftime(try_cast(x::varchar as timestamptz), '%Y-%m-%d %H:%M:%S.%g ') || rpad(replace(strftime(try_cast(x::varchar as timestamptz), '%z'), ':', ''), 5, '0')
    when 'DOUBLE' then regexp_replace(x::varchar, '\.0$', '')
    when 'BLOB' then hex(try_cast(x::varchar as blob))
    else x::varchar end;

-- Variant of a value. Snowflake keeps times as text in its own format.
create or replace macro sf_variant(x) as case
    when typeof(x) in ('TIMESTAMP', 'TIMESTAMP WITH TIME ZONE') then to_json(sf_text(x))
    else to_json(x) end;

-- Quotients of numbers keep six more decimals than the dividend; with a float on either side they are floats. Exact to 15 digits.
create or replace macro sf_divide(x, y) as cast_to_type(x::double / case when y = 0 then error('Division by zero') else y end::double, x * 0.000000 + y * 0);
create or replace macro sf_average(total, n) as cast_to_type(total::double / nullif(n, 0), total * 0.000000);

-- Times. Text and variants are read in Snowflake's formats, numbers are seconds (milli-, micro-, nanoseconds when large) since 1970.
create or replace macro sf_epoch(n) as make_timestamp(case
    when abs(n) < 31536000000 then n * 1000000
    when abs(n) < 31536000000000 then n * 1000
    when abs(n) < 31536000000000000 then n
    else n // 1000 end);
create or replace macro sf_text_timestamp(s) as case
    when regexp_full_match(s, '-?\d+') then sf_epoch(try_cast(s as bigint))
    else regexp_replace(s, '\s*([+-]\d\d:?\d\d|Z)$', '')::timestamp end;
create or replace macro sf_timestamp_ntz(x) as case
    when typeof(x) = 'VARCHAR' then sf_text_timestamp(x::varchar)
    when typeof(x) = 'JSON' then sf_text_timestamp(json_extract_string(try_cast(x as json), '$'))
    when typeof(x) in ('TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'DATE', '"NULL"', 'TIMESTAMP_NS') then try_cast(x as timestamp)
    else sf_epoch(try_cast(x::varchar as bigint)) end;
create or replace macro sf_text_timestamptz(s) as case
    when regexp_full_match(s, '-?\d+') then (sf_epoch(try_cast(s as bigint)) at time zone 'UTC')
    else regexp_replace(s, '\s+([+-]\d\d:?\d\d|Z)$', '\1')::timestamptz end;
create or replace macro sf_timestamp_tz(x) as case
    when typeof(x) = 'VARCHAR' then sf_text_timestamptz(x::varchar)
    when typeof(x) = 'JSON' then sf_text_timestamptz(json_extract_string(try_cast(x as json), '$'))
    when typeof(x) in ('TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'DATE', '"NULL"', 'TIMESTAMP_NS') then try_cast(x as timestamptz)
    else (sf_epoch(try_cast(x::varchar as bigint)) at time zone 'UTC') end;

-- Types by Snowflake's names.
create or replace macro sf_typeof(v) as case json_type(v)
    when 'VARCHAR' then 'VARCHAR' when 'OBJECT' then 'OBJECT' when 'ARRAY' then 'ARRAY' when 'BOOLEAN' then 'BOOLEAN' when 'NULL' then 'NULL_VALUE'
    when 'DOUBLE' then case when contains(v::varchar, 'e') then 'DOUBLE' else 'DECIMAL' end
    else 'INTEGER' end;

-- Variants order by value: numbers as numbers, text as text.
create or replace macro sf_key(v) as case when v is null then null else {
    'rank': case json_type(v) when 'VARCHAR' then 3 when 'OBJECT' then 5 when 'ARRAY' then 4 when 'BOOLEAN' then 1 when 'NULL' then 6 else 2 end,
    'number': case when json_type(v) in ('DOUBLE', 'UBIGINT', 'BIGINT', 'HUGEINT') then json_extract_string(v, '$')::decimal(38, 12) end,
    'text': json_extract_string(v, '$') } end;

-- The member of an object or the element of an array.
create or replace macro sf_get(v, k) as case
    when typeof(k) = 'VARCHAR' then json_extract(v, '$."' || k::varchar || '"')
    else json_extract(v, '$[' || k::varchar || ']') end;

-- FLATTEN.
create or replace macro sf_flatten(input) as table
    select hash(input) // 2 as "SEQ", case when json_type(input) = 'OBJECT' then e.key end as "KEY",
        case when json_type(input) = 'OBJECT' then e.key else '[' || e.key || ']' end as "PATH",
        case when json_type(input) = 'ARRAY' then e.key::bigint end as "INDEX", e.value as "VALUE", input as "THIS"
    from json_each(case when json_type(input) in ('OBJECT', 'ARRAY') then input end) e order by e.id;
create or replace macro sf_flatten_outer(input) as table
    select hash(input) // 2 as "SEQ", e."KEY", e."PATH", e."INDEX", e."VALUE", input as "THIS"
    from (select 1) left join sf_flatten(input) e on true;
create or replace macro sf_flatten_recursive(input) as table
    select hash(input) // 2 as "SEQ", case when regexp_matches(e.fullkey, '\]$') then null else e.key end as "KEY", ltrim(substr(e.fullkey, 2), '.') as "PATH",
        case when regexp_matches(e.fullkey, '\]$') then e.key::bigint end as "INDEX", e.value as "VALUE", coalesce(json_extract(input, e.path), input) as "THIS"
    from json_tree(input) e where e.id > 0 order by e.id;

create or replace macro sf_try_parse_json(s) as case when json_valid(s) then json(s) end;
-- The bits of an unsigned hash as a signed number.
create or replace macro sf_hash(h) as case when h > 9223372036854775807 then (h::hugeint - 18446744073709551616)::bigint else h::bigint end;
-- A time to format: text is read first.
create or replace macro sf_moment(x) as case typeof(x) when 'TIMESTAMP WITH TIME ZONE' then try_cast(x::varchar as timestamptz)::timestamp else x::varchar::timestamp end;
