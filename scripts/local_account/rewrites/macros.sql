-- What Snowflake computes by a value's type. The binder knows the type and folds `case typeof(x)` away, so only one branch is ever run.

-- Context: the statement's moment and the session's values, which the engine sets before each statement.
create or replace macro sf_now() as coalesce(make_timestamptz(getvariable('now')), now());
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

create or replace macro sf_fit(s, size) as case when length(s) > size then error('String ''' || s || ''' is too long and would be truncated') else s end;
create or replace macro sf_try_fit(s, size) as case when length(s) <= size then s end;

-- Variant of a value. Snowflake keeps times as text in its own format, and decimals as they are: DuckDB makes doubles of those below 18 digits.
create or replace macro sf_variant(x) as case
    when starts_with(typeof(x), 'DECIMAL') then try_cast(x::varchar as json)
    when typeof(x) in ('TIMESTAMP', 'TIMESTAMP WITH TIME ZONE') then to_json(sf_text(x))
    else to_json(x) end;
create or replace macro sf_into_variant(x) as case when typeof(x) = 'VARCHAR' and x is not null
    then error('Expression type does not match column data type, expecting VARIANT but got VARCHAR: use PARSE_JSON or TO_VARIANT') else sf_variant(x) end;

-- Digits of a number: DuckDB skips an underscore between them, and refuses two.
create or replace macro sf_digits(s) as replace(s, '_', '__');

-- Quotients of numbers keep six more decimals than the dividend; with a float on either side they are floats. DuckDB divides doubles, which
-- are good for 15 digits; what a first quotient has left over, divided again, gives the others. `t` has the type of the quotient.
create or replace macro sf_near(x, y, t) as cast_to_type(x::double / y::double, t);
create or replace macro sf_exact(x, y, t) as case when typeof(t) = 'DOUBLE' then sf_near(x, y, t)
    else sf_near(x, y, t) + sf_near(x - sf_near(x, y, t) * y, y, t) end;
create or replace macro sf_unhex(s) as case when length(s) % 2 = 1 then error('The following string is not a legal hex-encoded value: ''' || s || '''') else unhex(s) end;
create or replace macro sf_try_unhex(s) as case when length(s) % 2 = 0 then try(unhex(s)) end;
create or replace macro sf_divisor(y) as case when y = 0 then error('Division by zero') else y end;
create or replace macro sf_divide(x, y) as sf_exact(x, sf_divisor(y), x * 0.000000::decimal(38, 6) + y * 0);
create or replace macro sf_divide_near(x, y) as sf_near(x, sf_divisor(y), x * 0.000000::decimal(38, 6) + y * 0);
create or replace macro sf_average(total, n) as sf_exact(total, nullif(n, 0), total * 0.000000::decimal(38, 6));

-- Times. Text and variants are read in Snowflake's formats, numbers are seconds (milli-, micro-, nanoseconds when large) since 1970.
create or replace macro sf_epoch(n) as make_timestamp(case
    when abs(n) < 31536000000 then n * 1000000
    when abs(n) < 31536000000000 then n * 1000
    when abs(n) < 31536000000000000 then n
    else n // 1000 end);
-- DuckDB does not know months before days, and drops what follows a time, AM and PM too: a '?' makes it refuse.
create or replace macro sf_american(s) as try_strptime(s, ['%m/%d/%Y', '%m/%d/%Y %H:%M:%S', '%d-%b-%Y']);
create or replace macro sf_try_text_date(s) as coalesce(try_cast(s as date), sf_american(s)::date);
create or replace macro sf_text_date(s) as coalesce(sf_try_text_date(s), s::date);
create or replace macro sf_clock(s) as regexp_replace(s, '^(.*[A-Za-z].*)$', '?\1');
create or replace macro sf_iso_timestamp(s) as replace(replace(regexp_replace(s, '\s*([+-]\d\d:?\d\d|Z)$', ''), 'M', '?M'), 'm', '?m');
create or replace macro sf_text_timestamp(s) as case
    when regexp_full_match(s, '-?\d+') then sf_epoch(try_cast(s as bigint))
    else coalesce(try_cast(sf_iso_timestamp(s) as timestamp), sf_american(s), sf_iso_timestamp(s)::timestamp) end;
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
    when 'UBIGINT' then 'INTEGER' when 'BIGINT' then 'INTEGER' when 'HUGEINT' then 'INTEGER' when 'NULL' then 'NULL_VALUE'
    when 'DOUBLE' then case when contains(v::varchar, 'e') then 'DOUBLE' when contains(v::varchar, '.') then 'DECIMAL' else 'INTEGER' end
    else json_type(v) end;

-- Variants order by value: numbers as numbers, text as text.
create or replace macro sf_key(v) as case when v is null then null else {
    'rank': case json_type(v) when 'VARCHAR' then 3 when 'OBJECT' then 5 when 'ARRAY' then 4 when 'BOOLEAN' then 1 when 'NULL' then 6 else 2 end,
    'number': case when json_type(v) in ('DOUBLE', 'UBIGINT', 'BIGINT', 'HUGEINT') then json_extract_string(v, '$')::decimal(38, 12) end,
    'text': case when json_type(v) not in ('DOUBLE', 'UBIGINT', 'BIGINT', 'HUGEINT') then json_extract_string(v, '$') end } end;

-- The member of an object or the element of an array.
create or replace macro sf_get(v, k) as case
    when typeof(k) = 'VARCHAR' then json_extract(v, '$."' || k::varchar || '"')
    when starts_with(k::varchar, '-') then null
    else json_extract(v, '$[' || k::varchar || ']') end;

-- FLATTEN: the parts of an object or an array, each with its key or index; paths begin with the one that was asked for.
create or replace macro sf_below(above, path) as case when above = '' then ltrim(path, '.') else above || path end;
create or replace macro sf_parts(input) as case json_type(input)
    when 'ARRAY' then list_transform(input::json[], lambda v, i: {'key': null::varchar, 'path': '[' || (i - 1) || ']', 'index': (i - 1)::bigint, 'value': coalesce(v, 'null'::json)})
    when 'OBJECT' then list_transform(json_keys(input), lambda k: {'key': k, 'path': '.' || k, 'index': null::bigint, 'value': json_extract(input, '$."' || k || '"')}) end;
create or replace macro sf_flatten(input, above) as table
    select hash(input) // 2 as "SEQ", part.key as "KEY", sf_below(above, part.path) as "PATH", part.index as "INDEX", part.value as "VALUE", input as "THIS"
    from (select unnest(sf_parts(input)) as part);
create or replace macro sf_flatten_outer(input, above) as table
    select hash(input) // 2 as "SEQ", e."KEY", coalesce(e."PATH", above) as "PATH", e."INDEX", e."VALUE", input as "THIS"
    from (select 1) left join sf_flatten(input, above) e on true;
create or replace macro sf_flatten_recursive(input, above) as table
    select hash(input) // 2 as "SEQ", case when regexp_matches(e.fullkey, '\]$') then null else e.key end as "KEY", sf_below(above, substr(e.fullkey, 2)) as "PATH",
        case when regexp_matches(e.fullkey, '\]$') then e.key::bigint end as "INDEX", e.value as "VALUE", coalesce(json_extract(input, e.path), input) as "THIS"
    from json_tree(input) e where e.id > 0 order by e.id;
create or replace macro sf_flatten_recursive_outer(input, above) as table
    select hash(input) // 2 as "SEQ", e."KEY", coalesce(e."PATH", above) as "PATH", e."INDEX", e."VALUE", input as "THIS"
    from (select 1) left join sf_flatten_recursive(input, above) e on true;
create or replace macro sf_of_mode(input, mode) as case when json_type(input) = mode then input end;

create or replace macro sf_try_parse_json(s) as case when json_valid(s) then json(s) end;
-- What is hashed: equal numbers have one text, which no text has.
create or replace macro sf_hashed(x) as case when typeof(x) in ('DOUBLE', 'INTEGER', 'BIGINT', 'HUGEINT') or starts_with(typeof(x), 'DECIMAL')
    then '#' || regexp_replace(x::varchar, '(\.0*|(\.\d*[1-9])0+)$', '\2') else x::varchar end;
-- The bits of an unsigned hash as a signed number.
create or replace macro sf_hash(h) as ((h::hugeint + 9223372036854775808) % 18446744073709551616 - 9223372036854775808)::bigint;
-- A time to format: text is read first.
create or replace macro sf_moment(x) as case typeof(x) when 'TIMESTAMP WITH TIME ZONE' then try_cast(x::varchar as timestamptz)::timestamp when 'TIME' then ('1970-01-01 ' || x::varchar)::timestamp else x::varchar::timestamp end;
create or replace macro sf_haversine(lat1, lon1, lat2, lon2) as 2 * 6371 * asin(sqrt(
    power(sin(radians(lat2 - lat1) / 2), 2) + cos(radians(lat1)) * cos(radians(lat2)) * power(sin(radians(lon2 - lon1) / 2), 2)));
create or replace macro sf_width_bucket(x, low, high, n) as case
    when x < low then 0 when x >= high then n + 1 else floor((x - low)::double / (high - low)::double * n)::bigint + 1 end;

create or replace macro sf_formatted(digits, negative, width, zeros, tight) as case
    when length(digits) > width then error('Number ' || digits || ' is too long and would be truncated')
    when tight then case when negative then '-' else '' end || digits
    when zeros then case when negative then '-' else ' ' end || lpad(digits, width, '0')
    else lpad(case when negative then '-' else '' end || digits, width + 1, ' ') end;
-- Numbers in a format: its width, digits after the point, groups of three, leading zeros, a zero before the point, no blanks around.
create or replace macro sf_format_number(x, width, decimals, grouped, zeros, nought, tight) as sf_formatted(
    case when abs(round(x, decimals)) < 1 and not nought then '' when grouped then format('{:,}', trunc(abs(round(x, decimals)))::hugeint) else trunc(abs(round(x, decimals)))::hugeint::varchar end
        || case when decimals > 0 then '.' || right(format('{:.' || decimals || 'f}', abs(round(x, decimals))::double), decimals) else '' end,
    x < 0, width, zeros, tight);

-- Arrays and objects.
create or replace macro sf_list(a) as a::json[];
create or replace macro sf_to_array(v) as case when json_type(v) = 'ARRAY' then v when coalesce(json_type(v), 'NULL') = 'NULL' then null else json_array(v) end;
create or replace macro sf_to_object(v) as case when json_type(v) = 'OBJECT' then v when coalesce(json_type(v), 'NULL') <> 'NULL' then error('Failed to cast variant value ' || v::varchar || ' to OBJECT') end;
create or replace macro sf_array_size(a) as case when json_type(a) = 'ARRAY' then json_array_length(a)::bigint end;
create or replace macro sf_array_contains(a, v) as list_contains(sf_list(a), v);
create or replace macro sf_array_position(a, v) as list_position(sf_list(a), v) - 1;
create or replace macro sf_array_append(a, v) as to_json(list_append(sf_list(a), v));
create or replace macro sf_array_prepend(a, v) as to_json(list_prepend(v, sf_list(a)));
create or replace macro sf_array_cat(a, b) as case when a is not null and b is not null then to_json(list_concat(sf_list(a), sf_list(b))) end;
create or replace macro sf_place(a, i) as case when i < 0 then greatest(json_array_length(a)::bigint + i, 0) else i end;
create or replace macro sf_array_slice(a, i, j) as to_json(list_slice(sf_list(a), (sf_place(a, i) + 1)::bigint, sf_place(a, j)::bigint));
create or replace macro sf_array_insert(a, i, v) as to_json(
    list_concat(list_append(list_slice(sf_list(a), 1, sf_place(a, i)::bigint), v), list_slice(sf_list(a), (sf_place(a, i) + 1)::bigint, json_array_length(a)::bigint)));
create or replace macro sf_array_remove_at(a, i) as to_json(
    list_concat(list_slice(sf_list(a), 1, sf_place(a, i)::bigint), list_slice(sf_list(a), (sf_place(a, i) + 2)::bigint, json_array_length(a)::bigint)));
create or replace macro sf_array_remove(a, v) as to_json(list_filter(sf_list(a), lambda e: e <> v));
create or replace macro sf_array_distinct(a) as to_json(list_filter(sf_list(a), lambda e, i: list_position(sf_list(a), e) = i));
create or replace macro sf_array_compact(a) as to_json(list_filter(sf_list(a), lambda e: e is not null and json_type(e) <> 'NULL'));
create or replace macro sf_array_reverse(a) as to_json(list_reverse(sf_list(a)));
create or replace macro sf_array_to_string(a, separator) as array_to_string(list_transform(sf_list(a), lambda e: coalesce(json_extract_string(e, '$'), '')), separator);
create or replace macro sf_sorted(a) as list_transform(list_sort(list_transform(sf_list(a), lambda e: {'key': sf_key(e), 'value': e})), lambda s: s.value);
create or replace macro sf_array_sort(a) as to_json(sf_sorted(a));
create or replace macro sf_array_min(a) as sf_sorted(a)[1];
create or replace macro sf_array_max(a) as sf_sorted(a)[-1];
create or replace macro sf_arrays_overlap(a, b) as list_has_any(sf_list(a), sf_list(b));
create or replace macro sf_array_intersection(a, b) as to_json(list_filter(sf_list(a), lambda e: list_contains(sf_list(b), e)));
create or replace macro sf_array_except(a, b) as to_json(list_filter(sf_list(a), lambda e: not list_contains(sf_list(b), e)));
create or replace macro sf_array_flatten(a) as to_json(flatten(list_transform(sf_list(a), lambda e: e::json[])));
create or replace macro sf_members(o) as list_transform(json_keys(o), lambda k: {'k': k, 'v': json_extract(o, '$."' || k || '"')});
create or replace macro sf_object(members) as ('{' || array_to_string(list_transform(members, lambda m: to_json(m.k) || ':' || m.v), ',') || '}')::json;
create or replace macro sf_object_delete(o, keys) as sf_object(list_filter(sf_members(o), lambda m: not list_contains(keys, m.k)));
create or replace macro sf_object_pick(o, keys) as sf_object(list_filter(sf_members(o), lambda m: list_contains(keys, m.k)));
create or replace macro sf_object_insert(o, key, value, replaces) as case
    when list_contains(json_keys(o), key) and not replaces then error('Duplicate key in OBJECT_INSERT')
    when value is null then o
    else sf_object(list_append(list_filter(sf_members(o), lambda m: m.k <> key), {'k': key, 'v': value})) end;
create or replace macro sf_get_ignore_case(o, key) as list_filter(sf_members(o), lambda m: lower(m.k) = lower(key))[1].v;
create or replace macro sf_split_to_table(s, separator) as table
    select 1 as "SEQ", part.index as "INDEX", part.value as "VALUE"
    from (select unnest(list_transform(str_split(s, separator), lambda v, i: {'index': i::bigint, 'value': v})) as part);
