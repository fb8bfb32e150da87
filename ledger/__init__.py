"""PostgreSQL: tables, migrations, sessions, bulk loading, history."""
