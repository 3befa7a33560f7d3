-- Variants: paths, casts, comparisons, building.
create table v (id int, j variant, t varchar);
insert into v select 1, parse_json('{"a": "x", "n": 5, "d": 1.5, "l": [1, {"b": 2}], "o": {"k": null}, "z": null, "when": "2024-01-02 03:04:05.678"}'), 'plain';
insert into v select 2, parse_json('{"a": "y", "n": 10, "l": []}'), 'other';
select j:a, j:a::varchar, j:n::int, j:l[1].b, j['a'], j:o.k, j:nothing from v where id = 1;
--= J:A | J:A::VARCHAR | J:N::INT | J:L[1].B | J['A'] | J:O.K | J:NOTHING
--: variant | text | number(38,0) | variant | variant | variant | variant
--> "x" | x | 5 | 2 | "x" | null | NULL
select id from v where j:a = 'x';
--> 1
select id from v where j:n > 6;
--> 2
select id from v where 6 > j:n;
--> 1
select id from v where j:a in ('y', 'z');
--> 2
select id from v where j:n = id * 5;
--> 1
--> 2
select max(j:n), min(j:n) from v;
--> 10 | 5
select j:n from v order by j:n desc limit 1;
--> 10
select j:n + 1, j:n * 2.5 from v where id = 1;
--> 6.0 | 12.5
select j:when::timestamp_ntz, j:when::date, j:n::varchar, j:d::float, j:d::number(5, 2) from v where id = 1;
--> 2024-01-02 03:04:05.678000 | 2024-01-02 | 5 | 1.5 | 1.50
select typeof(j), typeof(j:a), typeof(j:n), typeof(j:d), typeof(j:l), typeof(j:z), typeof(j:nothing) from v where id = 1;
--> OBJECT | VARCHAR | INTEGER | DECIMAL | ARRAY | NULL_VALUE | NULL
select is_null_value(j:z), j:z is null, j:nothing is null from v where id = 1;
--> true | false | true
select upper(j:a), j:a || '!', length(j:a), split(j:a, ',') from v where id = 1;
--> X | x! | 1 | ["x"]
select to_varchar(parse_json('"x"')), parse_json('"x"')::varchar, parse_json('{"b": 1}')::varchar, to_json(parse_json('[1, 2]'));
--> x | x | {"b":1} | [1,2]
select f.index, f.value, f.value:b::int b, f.key from v, lateral flatten(input => v.j:l) f where id = 1;
--= INDEX | VALUE | B | KEY
--> 0 | 1 | NULL | NULL
--> 1 | {"b":2} | 2 | NULL
select v.id, f.value from v, lateral flatten(input => j:l, outer => true) f where v.id = 2;
--> 2 | NULL
select v.id, f.value from v, lateral flatten(input => j:l) f where v.id = 2;
select f.path, f.value from v, table(flatten(input => v.j, recursive => true)) f where id = 1 and path like 'l%';
--> l | [1,{"b":2}]
--> l[0] | 1
--> l[1] | {"b":2}
--> l[1].b | 2
select key, value::varchar from table(flatten(input => parse_json('{"p": 1, "q": "w"}')));
--> p | 1
--> q | w
select value::int from table(flatten(input => array_construct(3, 4)));
--> 3
--> 4
select value:x::varchar from v, lateral flatten(parse_json('[{"x": "deep"}]')) where id = 1;
--> deep
select object_construct('b', 1, 'A', null, 'c', 'text', 'd', 1.5, 'e', true);
--> {"b":1,"c":"text","d":1.5,"e":true}
select object_construct('t', '2024-01-02 03:04:05'::timestamp_ntz, 'd', '2024-01-02'::date, 'j', j:o, 'x', t) from v where id = 1;
--> {"d":"2024-01-02","j":{"k":null},"t":"2024-01-02 03:04:05.000","x":"plain"}
select object_construct(t, id) from v where id = 1;
--> {"plain":1}
select object_construct_keep_null('x', null, 'y', 1), object_construct();
--> {"x":null,"y":1} | {}
select {'a': 1, 'b': t} from v where id = 2;
--> {"a":1,"b":"other"}
select object_construct(*) from (select 1 as a, null as b, 'x' as c);
--> {"A":1,"C":"x"}
select [1, 'a', null], array_construct(), array_size(array_construct(1, 2)), array_size(j:l) from v where id = 1;
--> [1,"a",null] | [] | 2 | 2
select array_agg(id) within group (order by id desc), array_agg(t) within group (order by t) from v;
--> [2,1] | ["other","plain"]
select array_agg(id) from v where id > 10;
--> []
select object_agg(t, id) from v where id = 1;
--> {"plain":1}
select array_contains('a'::variant, parse_json('["a", 1]')), array_contains(2::variant, array_construct(1, 2)), array_contains('z'::variant, array_construct('y'));
--> true | true | false
select array_cat(array_construct(1), array_construct(2)), array_append(array_construct(1), 'x'), array_prepend(array_construct(1), 0), array_slice(array_construct(1, 2, 3), 0, 2), array_distinct(array_construct(1, 1)), array_compact(parse_json('[1, null]'));
--> [1,2] | [1,"x"] | [0,1] | [1,2] | [1] | [1]
select array_to_string(array_construct(1, 'a'), '-'), array_position(2::variant, array_construct(1, 2)), array_sort(array_construct(10, 9)), array_max(array_construct(10, 9)), array_min(array_construct(10, 9));
--> 1-a | 1 | [9,10] | 10 | 9
select arrays_overlap(array_construct(1, 2), array_construct(2)), array_intersection(array_construct(1, 2), array_construct(2, 3)), array_except(array_construct(1, 2), array_construct(2)), array_flatten(parse_json('[[1], [2]]')), array_generate_range(0, 3);
--> true | [2] | [1] | [1,2] | [0,1,2]
select object_keys(parse_json('{"b": 1, "a": 2}')), object_insert(parse_json('{"a": 1}'), 'b', 2), object_insert(parse_json('{"a": 1}'), 'a', 2, true), object_delete(parse_json('{"a": 1, "b": 2}'), 'a'), object_pick(parse_json('{"a": 1, "b": 2}'), 'a');
--> ["b","a"] | {"a":1,"b":2} | {"a":2} | {"b":2} | {"a":1}
select get(parse_json('{"a": 1}'), 'a'), get(array_construct(7, 8), 1), get_path(parse_json('{"a": {"b": 3}}'), 'a.b'), get_ignore_case(parse_json('{"Ab": 1}'), 'aB');
--> 1 | 8 | 3 | 1
select as_integer(parse_json('5')), as_integer(parse_json('"5"')), as_varchar(parse_json('"x"')), as_double(parse_json('1.5')), is_integer(parse_json('5')), is_varchar(parse_json('5')), is_array(parse_json('[]')), is_object(parse_json('{}')), is_boolean(parse_json('true'));
--> 5 | NULL | x | 1.5 | true | false | true | true | true
select try_parse_json('{bad'), parse_json(''), try_parse_json('{"a":1}');
--> NULL | NULL | {"a":1}
select parse_json('{bad');
--! 100069
select coalesce(j:nothing, 'none'), nvl(j:a::varchar, 'none'), iff(true, j:a, 'other') from v where id = 1;
--> "none" | x | "x"
select to_variant(5), to_variant('x'), 'x'::variant, 5::variant::int, to_array(1), to_object(parse_json('{"a":1}'));
--> 5 | "x" | "x" | 5 | [1] | {"a":1}
select strip_null_value(j:z), check_json('{'), check_json('1') is null from v where id = 1;
--> NULL | Invalid JSON | true
insert into v select 3, t, j:a from v where id = 1;
--! 2023
update v set j = 'text' where id = 1;
--! 2023
insert into v select 3, to_variant(t), j:a from v where id = 1;
select j, t from v where id = 3;
--> "plain" | x
update v set j = to_variant('five'), t = j where id = 3;
select j, t from v where id = 3;
--> "five" | plain
insert into v (id, j) values (4, parse_json('{}'));
--! 2014
select count(*) from v, lateral (select 1);
--> 3
select split('a,b', ','), split_part('a,b', ',', 2), strtok('a b', ' ', 1), strtok_to_array('a b', ' ');
--> ["a","b"] | b | a | ["a","b"]
select f.seq > 0, f.this from v, lateral flatten(input => j, path => 'l') f where id = 1 and f.index = 0;
--> true | [1,{"b":2}]
-- Columns are known for what they hold, through sub-queries, common table expressions, views and joins.
create view seen as select j, j:a as a, t from v;
with c as (select a x, t from seen), d as (select * from c) select x || '', x = 'x', upper(x), typeof(x) from d where x = 'x' and t = 'plain';
--> x | true | X | VARCHAR
select max(s.j:n), max(a) from (select j, a from seen) s;
--> 10 | "y"
select id from v order by j:n desc, id limit 1;
--> 3
select v2.id from v v1 join v v2 on v1.j:a = v2.t where v2.id is null;
select count(*) from v where j = 'five';
--> 1
select t || '-' || j:n || '-' || id from v where id = 1;
--> plain-5-1
create table many as select j:a::varchar a, j:n::int n, j:d::float d, j:when::timestamp_ntz w, j:o.k k, j:z z, iff(j:n > 5, j:a::varchar, 'low') b, j:a::varchar || j:n::varchar from v where id = 1;
--! 2022
create table many as select j:a::varchar a, j:n::int n, j:d::float d, j:when::timestamp_ntz w, j:o.k k, j:z z, iff(j:n > 5, j:a::varchar, 'low') b, j:a::varchar || j:n::varchar c from v where id = 1;
select * from many;
--: text | number(38,0) | real | timestamp_ntz | variant | variant | text | text
--> x | 5 | 1.5 | 2024-01-02 03:04:05.678000 | null | null | low | x5
create table flags as select 1 id, parse_json('{"on": true, "n": 10, "s": "x"}') j union all select 2, parse_json('{"on": false, "n": 9, "s": "y"}');
select id from flags where j:on;
--> 1
select id from flags where not j:on and id > 0;
--> 2
select id, iff(j:on, 'yes', 'no') from flags;
--> 1 | yes
--> 2 | no
select id from flags where j:s in (select 'x');
--> 1
select id from flags where j:n in (select 10);
--> 1
select id from flags where j:n in (id * 10, 77);
--> 1
select id from flags where 'y' in (j:s, j:on);
--> 2
select id from flags where j:n between 10 and 20;
--> 1
select id from flags where j:n between id and 9.5;
--> 2
select j:n from flags order by 1 limit 1;
--> 9
select j:n as size from flags order by size desc limit 1;
--> 10
select id from flags where j:s is not null and j:s <> 'x';
--> 2
select id from flags f1 where exists (select 1 from flags f2 where f2.j:n = f1.j:n and f2.id <> f1.id);
select max(j:n) over () from flags where id = 2;
--> 9

select object_construct('a', 4::number(9, 0), 'b', 4.50::number(12, 2)) as o, to_json(4::number(9, 0)::variant) as n;
--> {"a":4,"b":4.50} | 4

-- Many paths of one variant are read together; each clause and each inner query still sees its own.
select j:a::varchar as a, count(*), max(j:n::int), max(j:d::float) from v where j:n > 1 and j:a is not null
group by j:a::varchar having max(j:n::int) > 1 order by max(j:d::float) nulls last;
--> x | 1 | 5 | 1.5
--> y | 1 | 10 | NULL
select j:a, j:o, j:"l", j:l[0]::int, j:a::varchar, j:n::int, (select max(w.j:n::int) from v w where w.j:a::varchar <> v.j:a::varchar) as other from v order by j:n::int, j:a::varchar;
--> "x" | {"k":null} | [1,{"b":2}] | 1 | x | 5 | 10
--> "y" | NULL | [] | NULL | y | 10 | 5
--> NULL | NULL | NULL | NULL | NULL | NULL | NULL
select distinct j:a::varchar, j:n::int, row_number() over (partition by j:z is null order by j:n::int, j:a::varchar) from v order by j:n::int;
--> x | 5 | 1
--> y | 10 | 1
--> NULL | NULL | 2

select path from table(flatten(input => parse_json('{"a": {"b": [7, {"c": 1}]}}'), path => 'a.b'));
--> a.b[0]
--> a.b[1]
select path from table(flatten(input => parse_json('{"a": {"b": [7]}}'), path => 'a', recursive => true));
--> a.b
--> a.b[0]
select typeof(parse_json('100000000000000000000')), typeof(parse_json('1.5')), null::variant;
--: text | text | variant
--> INTEGER | DECIMAL | NULL
select t:a from v;
--! 1044
select column1['a'] from values ('{"a": 1}');
--! 1044
select s.t:a from (select upper(t) t from v) s;
--! 1044
select count(*) from (select parse_json('1.0') x) a join (select parse_json('1') y) b on x = y;
--> 1

-- What SELECT * gives is made fit for its columns too.
create table starred (j variant, t varchar);
insert into starred select * from (select parse_json('1') as a, parse_json('"text"') as b);
select t from starred;
--> text
insert into starred select * from (select 'x' as a, 'y' as b);
--! 2023
insert into starred select * from (select parse_json('1') as a);
--! 1128
insert into starred select * from starred union all select to_variant(2), s.t from starred s;
select j, t from starred order by j;
--> 1 | text
--> 1 | text
--> 2 | text
-- FLATTEN both ways at once, and by mode.
select count(*), count(f.value) from table(flatten(input => parse_json('{"a": [1, 2]}'), recursive => true, outer => true)) f;
--> 3 | 3
select f.path = '', f.value from table(flatten(input => parse_json('[]'), recursive => TRUE, outer => True)) f;
--> true | NULL
select f.key from table(flatten(input => parse_json('{"a": 1}'), mode => 'OBJECT')) f;
--> a
select count(*) from table(flatten(input => parse_json('{"a": 1}'), mode => 'array')) f;
--> 0
select f.value from table(flatten(input => parse_json('[5, 6]'), mode => 'ARRAY')) f where f.index = 1;
--> 6
select f.value from table(flatten(input => parse_json('[5]'), mode => 'ARRAY', recursive => true)) f;
--! 2

-- Casts to OBJECT and ARRAY, places before the first.
select parse_json('1')::array, parse_json('{}')::object, parse_json('null')::object, to_object(parse_json('{"a":1}')), [1]::array, parse_json('[1, 2]')[-1];
--> [1] | {} | NULL | {"a":1} | [1] | NULL
select parse_json('[1]')::object;
--! 100071
select to_object(parse_json('1'));
--! 100071
select greatest(parse_json('2'), parse_json('10'));
--! 2
select a.n, f.value from (select 1 as n, null::variant as v) a left join lateral flatten(a.v) f;
--> 1 | NULL
-- An object has each key once.
select parse_json('[{"b": {"a": 1, "c": 1, "a": 2}}]');
--! 100069
select try_parse_json('{"a": 1, "a": 2}'), parse_json('{"a": {"a": 1}, "b": {"a": 2}}');
--> NULL | {"a":{"a":1},"b":{"a":2}}
-- The elements that a lambda takes without a type are variants.
select transform([1, 2], x -> x:a is null), transform(['a'], x -> x || 'b'), filter([{'a': 1}, {'a': 2}], x -> x:a > 1), transform([{'a': [1]}], x -> x:a[0]::int + 1);
--> [true,true] | ["ab"] | [{"a":2}] | [2]
select object_insert(object_construct('a', 1), 'a', 2);
--! 100102
