# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a PostgreSQL server about its structure, its settings and who is in it."""

from __future__ import annotations

OVERRIDES = "SELECT name, setting FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf' ORDER BY name"
SETTINGS = "SELECT name, setting FROM pg_file_settings WHERE applied ORDER BY seqno"
ROLES = """
SELECT rolname, concat_ws(' ', CASE WHEN rolsuper THEN 'superuser' END, CASE WHEN rolcreaterole THEN 'createrole' END,
       CASE WHEN rolcreatedb THEN 'createdb' END, CASE WHEN rolcanlogin THEN 'login' END,
       CASE WHEN rolreplication THEN 'replication' END, CASE WHEN rolbypassrls THEN 'bypassrls' END,
       CASE WHEN NOT rolinherit THEN 'noinherit' END, 'limit ' || rolconnlimit, 'until ' || rolvaliduntil,
       'member of ' || (SELECT string_agg(roleid::regrole::text, ',' ORDER BY roleid) FROM pg_auth_members
                        WHERE member = r.oid)),
       rolpassword
FROM pg_authid AS r WHERE rolname NOT LIKE 'pg\\_%' ORDER BY rolname
"""
ROLE_SETTINGS = """
SELECT coalesce(datname, 'every database') || ' ' || coalesce(rolname, 'every role'), unnest(setconfig)
FROM pg_db_role_setting LEFT JOIN pg_database AS d ON d.oid = setdatabase LEFT JOIN pg_roles AS r ON r.oid = setrole
ORDER BY 1, 2
"""
DATABASES = """
SELECT datname, concat_ws(' ', pg_get_userbyid(datdba), 'limit ' || datconnlimit, datallowconn, datistemplate,
       datacl::text)
FROM pg_database ORDER BY datname
"""
SLOTS = "SELECT slot_name, slot_type FROM pg_replication_slots WHERE NOT temporary ORDER BY slot_name"
PREPARED = "SELECT gid, owner FROM pg_prepared_xacts ORDER BY gid"
SCHEMAS = """
SELECT nspname, pg_get_userbyid(nspowner) || coalesce(' ' || nspacl::text, '') FROM pg_namespace
WHERE nspname !~ '^pg_(toast|temp)' ORDER BY nspname
"""
EXTENSIONS = "SELECT extname, extversion FROM pg_extension ORDER BY extname"
RELATIONS = """
SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'i' THEN 'index' WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view'
       ELSE 'relation' END || ' ' || oid::regclass::text,
       concat_ws('; ', pg_get_userbyid(relowner), relacl::text, reloptions::text,
       CASE WHEN relkind = 'i' THEN pg_get_indexdef(oid) END,
       (SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod)
               || CASE WHEN attnotnull THEN ' not null' ELSE '' END, ', ' ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND relkind <> 'i'),
       (SELECT string_agg(pg_get_constraintdef(k.oid), ', ' ORDER BY conname) FROM pg_constraint AS k
        WHERE conrelid = c.oid),
       (SELECT string_agg(pg_get_triggerdef(t.oid) || ' ' || tgenabled::text, ', ' ORDER BY tgname) FROM pg_trigger AS t
        WHERE tgrelid = c.oid AND NOT tgisinternal))
FROM pg_class AS c WHERE relnamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^(pg_|information_schema)')
ORDER BY 1
"""
FUNCTIONS = """
SELECT oid::regprocedure::text, md5(prosrc) FROM pg_proc AS p
WHERE pronamespace NOT IN (SELECT oid FROM pg_namespace WHERE nspname ~ '^(pg_|information_schema)')
AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e') ORDER BY 1
"""
# An order takes from the stock and touches updated_at; all else of these tables stays.
CONTENT = {
    "categories": "to_jsonb(r)",
    "pgmigrations": "to_jsonb(r)",
    "products": "to_jsonb(r) - 'stock_quantity' - 'updated_at'",
    "users": "to_jsonb(r)",
}
STOCK = "SELECT count(*) FROM products WHERE stock_quantity NOT BETWEEN 1 AND %s"
# The highest id first: what is given out meanwhile must not look as if the sequence were behind.
SEQUENCES = """
SELECT c.relname, a.attname, pg_get_serial_sequence(c.oid::regclass::text, a.attname) FROM pg_class AS c
JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
AND pg_get_serial_sequence(c.oid::regclass::text, a.attname) IS NOT NULL ORDER BY 1
"""
ORDER_NUMBERS = "SELECT coalesce(max(split_part(order_number, '-', 3)::bigint), 0) FROM orders"
SESSIONS = """
SELECT DISTINCT coalesce(usename, '') || ' as ' || coalesce(nullif(application_name, ''), '(no name)')
FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY 1
"""
# The shop's own transactions last milliseconds, also on a busy machine.
LONG_TRANSACTIONS = """
SELECT coalesce(usename, '') || ' as ' || coalesce(nullif(application_name, ''), '(no name)') || ', ' || state
       || coalesce(', holds ' || (SELECT string_agg(DISTINCT relation::regclass::text || ' ' || mode, ', ')
                                  FROM pg_locks AS l WHERE l.pid = a.pid AND granted AND relation IS NOT NULL), '')
FROM pg_stat_activity AS a WHERE backend_type = 'client backend' AND xact_start < now() - interval '5 s' ORDER BY 1
"""
ADVISORY = "SELECT classid::text || ':' || objid::text FROM pg_locks WHERE locktype = 'advisory' AND granted ORDER BY 1"
FOLLOWERS = "SELECT application_name || ' ' || state || ' ' || sync_state FROM pg_stat_replication ORDER BY 1"
FOLLOWING = """
SELECT pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() END,
       coalesce((SELECT status FROM pg_stat_wal_receiver), 'no receiver')
"""
