WITH schema AS MATERIALIZED (
    SELECT n.oid, n.nspname::text AS name, n.nspacl
    FROM pg_catalog.pg_namespace n WHERE n.nspname = $1::text
), relation AS MATERIALIZED (
    SELECT s.name AS schema_name, c.*
    FROM schema s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND d.refobjid = s.oid AND d.refobjsubid = 0
        AND d.classid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class c ON c.oid = d.objid
), line AS (
    SELECT CASE relkind WHEN 'r' THEN 'table ' WHEN 'S' THEN 'sequence ' WHEN 'v' THEN 'view '
            WHEN 'm' THEN 'materialized view ' WHEN 'p' THEN 'partitioned table '
            ELSE 'relation ' END || relname AS object,
        concat_ws(' | ', relkind, relpersistence, reloptions, relacl, relrowsecurity,
            relforcerowsecurity, CASE WHEN relkind IN ('v', 'm')
                THEN pg_catalog.pg_get_viewdef(oid) END) AS definition
    FROM relation
    UNION ALL
    SELECT 'column ' || r.relname || '.' || a.attname,
        concat_ws(' | ', pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
            a.attidentity, a.attgenerated, a.attcollation::regcollation, a.attacl,
            pg_catalog.pg_get_expr(d.adbin, d.adrelid))
    FROM relation r
    JOIN pg_catalog.pg_attribute a
        ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_attrdef d
        ON a.atthasdef AND d.adrelid = r.oid AND d.adnum = a.attnum
    WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    UNION ALL
    SELECT 'index ' || c.relname,
        concat_ws(' | ', pg_catalog.pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready,
            i.indimmediate)
    FROM relation r
    JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    UNION ALL
    SELECT 'constraint ' || k.conname || ' on ' || r.relname,
        concat_ws(' | ', pg_catalog.pg_get_constraintdef(k.oid), k.convalidated)
    FROM relation r JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid
    UNION ALL
    SELECT 'trigger ' || t.tgname || ' on ' || r.relname,
        concat_ws(' | ', pg_catalog.pg_get_triggerdef(t.oid), t.tgenabled)
    FROM relation r
    JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT 'rule ' || w.rulename || ' on ' || r.relname, pg_catalog.pg_get_ruledef(w.oid)
    FROM relation r
    JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
    UNION ALL
    SELECT 'policy ' || p.polname || ' on ' || r.relname,
        concat_ws(' | ', p.polcmd, p.polpermissive, p.polroles::regrole[],
            pg_catalog.pg_get_expr(p.polqual, p.polrelid),
            pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
    FROM relation r JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure, pg_catalog.pg_get_functiondef(p.oid)
    FROM schema s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND d.refobjid = s.oid AND d.classid = 'pg_catalog.pg_proc'::regclass
    JOIN pg_catalog.pg_proc p ON p.oid = d.objid AND p.prokind IN ('f', 'p')
    UNION ALL
    SELECT 'type ' || t.typname, concat_ws(' | ', t.typtype,
        (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)
         FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid))
    FROM schema s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND d.refobjid = s.oid AND d.classid = 'pg_catalog.pg_type'::regclass
    JOIN pg_catalog.pg_type t ON t.oid = d.objid
    UNION ALL
    SELECT 'default rights on ' || a.defaclobjtype::text, a.defaclacl::text
    FROM schema s JOIN pg_catalog.pg_default_acl a ON a.defaclnamespace = s.oid
    UNION ALL
    SELECT 'rights on the schema', nspacl::text FROM schema
)
SELECT replace(object, (SELECT name FROM schema), '$') AS object,
    coalesce(replace(definition, (SELECT name FROM schema), '$'), '') AS definition
FROM line
