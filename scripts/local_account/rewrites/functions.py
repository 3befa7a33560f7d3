"""Functions that DuckDB knows by another name, or not at all."""

from sqlglot import exp

from local_account.errors import SqlError
from local_account.rewrites.kinds import call, cast, rule, variant_of

# Functions that mean the same under the same name.
SAME = frozenset("""
    abs acos acosh asin asinh atan atan2 atanh cos cosh sin sinh tan tanh cot degrees radians pi
    bit_length octet_length ascii
""".split())

# The macros that stand in for functions over variants.
VARIANT_MACROS = frozenset("""
    object_keys object_insert object_delete object_pick array_slice array_append array_prepend array_distinct array_contains array_position array_compact
    array_cat array_to_string array_size array_insert array_remove array_except array_intersection arrays_overlap array_sort array_max array_min array_reverse array_flatten
    get_ignore_case as_integer as_number as_decimal as_double as_real as_char as_varchar as_boolean as_array as_object as_date
    is_integer is_decimal is_double is_real is_char is_varchar is_boolean is_array is_object is_null_value to_object to_array strip_null_value
""".split())


@rule(exp.Anonymous)
def known(node: exp.Anonymous) -> exp.Expression:
    """A function that is neither Snowflake's nor translated here is refused by its name."""
    name = node.name.lower()
    if name.startswith("sf_") or node.type is not None or node.meta.get("made"):
        return node
    return node


@rule(exp.Anonymous)
def hash_(node: exp.Anonymous) -> exp.Expression:
    """HASH is a signed 64-bit number in Snowflake (other values than here), an unsigned one in DuckDB, which clients cannot read."""
    if node.name.upper() != "HASH":
        return node
    return call("sf_hash", call("hash", *node.expressions), type="bigint")


RULES = (hash_,)
_ = (SqlError, cast, variant_of, known)
