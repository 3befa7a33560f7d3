"""What can be said of the project without an account: style, types, Snowflake's rules for native applications, documents."""
