WITH schema AS MATERIALIZED (
    SELECT n.oid, n.nspname::text AS name, n.nspacl::text AS acl
    FROM pg_catalog.pg_namespace n WHERE n.nspname = ANY ($1::text[])
), relation AS MATERIALIZED (
    SELECT s.oid AS schema, s.name AS schema_name, c.oid, c.relname::text AS name, c.relkind,
        c.relpersistence, c.reloptions, c.relacl, c.relrowsecurity, c.relforcerowsecurity,
        c.relhasindex, c.relhastriggers, c.relhasrules, c.relowner
    FROM schema s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND d.refobjid = s.oid AND d.refobjsubid = 0
        AND d.classid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class c ON c.oid = d.objid
), line AS (
    SELECT schema, replace(concat_ws('|', 'r', name, relkind, relpersistence, reloptions, relacl,
        relowner, relrowsecurity, relforcerowsecurity, relhasrules,
        CASE WHEN relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(oid) END),
        schema_name, '$') AS line
    FROM relation
    UNION ALL
    SELECT r.schema, concat_ws('|', 'q', r.name, q.seqtypid, q.seqstart, q.seqincrement, q.seqmax,
        q.seqmin, q.seqcache, q.seqcycle)
    FROM relation r
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = r.oid
    WHERE r.relkind = 'S'
    UNION ALL
    SELECT r.schema, replace(concat_ws('|', 'w', r.name, w.rulename, w.ev_enabled,
        pg_catalog.pg_get_ruledef(w.oid)), r.schema_name, '$')
    FROM relation r
    JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
    WHERE r.relhasrules AND r.relkind NOT IN ('v', 'm')
    UNION ALL
    SELECT r.schema, replace(concat_ws('|', 'p', r.name, p.polname, p.polcmd, p.polpermissive,
        p.polroles::regrole[], p.polqual, p.polwithcheck), r.schema_name, '$')
    FROM relation r
    JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
    UNION ALL
    SELECT r.schema, concat_ws('|', 'a', r.name, a.attname, a.attnum, a.atttypid, a.atttypmod,
        a.attnotnull, a.attidentity, a.attgenerated, a.attcollation, a.attacl,
        CASE WHEN a.atthasdef THEN (SELECT d.adbin::text FROM pg_catalog.pg_attrdef d
            WHERE d.adrelid = r.oid AND d.adnum = a.attnum) END)
    FROM relation r
    JOIN pg_catalog.pg_attribute a
        ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    UNION ALL
    SELECT r.schema, concat_ws('|', 'i', r.name, c.relname, c.relam, c.reloptions, i.indisunique,
        i.indnullsnotdistinct, i.indisprimary, i.indisexclusion, i.indimmediate, i.indisvalid,
        i.indisready, i.indnkeyatts, i.indkey, i.indclass, i.indcollation, i.indoption,
        i.indexprs, i.indpred)
    FROM relation r
    JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    WHERE r.relhasindex
    UNION ALL
    SELECT r.schema, concat_ws('|', 'c', r.name, k.conname, k.contype, k.condeferrable,
        k.condeferred, k.convalidated, k.connoinherit, k.confupdtype, k.confdeltype,
        k.confmatchtype, k.conkey, k.confkey, k.conbin,
        CASE k.contype WHEN 'f' THEN (SELECT f.relname FROM pg_catalog.pg_class f
            WHERE f.oid = k.confrelid) END)
    FROM relation r
    JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid
    UNION ALL
    SELECT r.schema, concat_ws('|', 't', r.name, t.tgname, t.tgenabled, t.tgtype, t.tgqual,
        p.proname, encode(t.tgargs, 'hex'))
    FROM relation r
    JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
    JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
    WHERE r.relhastriggers
    UNION ALL
    SELECT s.oid, concat_ws('|', 'd', a.defaclobjtype, replace(a.defaclacl::text, s.name, '$'))
    FROM schema s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND d.refobjid = s.oid AND d.refobjsubid = 0
        AND d.classid = 'pg_catalog.pg_default_acl'::regclass
    JOIN pg_catalog.pg_default_acl a ON a.oid = d.objid
    UNION ALL
    SELECT s.oid, replace(concat_ws('|', 'o', d.classid, coalesce(p.proname, t.typname),
        md5(p.prosrc), p.proowner, p.proargtypes, p.prorettype, p.provolatile, p.proisstrict,
        p.prosecdef, p.proconfig, p.proacl, t.typtype, CASE t.typtype WHEN 'e' THEN (
            SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder)
            FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid) END), s.name, '$')
    FROM schema s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND d.refobjid = s.oid AND d.refobjsubid = 0
        AND d.classid NOT IN ('pg_catalog.pg_class'::regclass,
            'pg_catalog.pg_default_acl'::regclass, 'pg_catalog.pg_constraint'::regclass)
    LEFT JOIN pg_catalog.pg_proc p
        ON d.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = d.objid
    LEFT JOIN pg_catalog.pg_type t
        ON d.classid = 'pg_catalog.pg_type'::regclass AND t.oid = d.objid
    UNION ALL
    SELECT oid, concat_ws('|', 'n', replace(acl, name, '$')) FROM schema
)
SELECT s.name AS schema, l.objects, l.one, l.two
FROM (
    SELECT schema, count(*) AS objects, bit_xor(hashtextextended(line, 0)) AS one,
        bit_xor(hashtextextended(line, 1)) AS two
    FROM line GROUP BY schema
) l JOIN schema s ON s.oid = l.schema
