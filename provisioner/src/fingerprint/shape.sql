WITH schema AS MATERIALIZED (
    SELECT n.oid, n.nspname::text AS name, n.nspacl AS acl, n.nspowner AS owner
    FROM pg_catalog.pg_namespace n WHERE n.nspname = $1::text
), relation AS MATERIALIZED (
    -- Never `c.*`: a fence may have closed the estimates.
    SELECT s.owner AS schema_owner, c.oid, c.relname::text AS name, c.relkind, c.relpersistence,
        c.reloptions, c.relacl, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
        c.relpartbound
    FROM schema s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND d.refobjid = s.oid AND d.refobjsubid = 0
        AND d.classid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_class c ON c.oid = d.objid
), line AS (
    SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view'
            WHEN 'm' THEN 'materialized view' WHEN 'p' THEN 'partitioned table'
            ELSE 'relation' END AS kind, name AS relation, name,
        jsonb_build_object(
            'persistence', CASE relpersistence WHEN 'u' THEN 'unlogged' WHEN 't' THEN 'temporary'
                END,
            'options', to_jsonb(reloptions),
            'row_security', nullif(relrowsecurity, false),
            'force_row_security', nullif(relforcerowsecurity, false),
            'owner', CASE WHEN relowner <> schema_owner THEN pg_catalog.pg_get_userbyid(relowner)
                END,
            'definition', CASE WHEN relkind IN ('v', 'm')
                THEN rtrim(pg_catalog.pg_get_viewdef(oid), ';') END,
            'bound', pg_catalog.pg_get_expr(relpartbound, oid),
            'parents', (SELECT jsonb_agg(i.inhparent::regclass::text ORDER BY i.inhseqno)
                FROM pg_catalog.pg_inherits i WHERE i.inhrelid = relation.oid),
            'sequence', CASE relkind WHEN 'S' THEN (
                SELECT format('AS %s START %s INCREMENT %s MINVALUE %s MAXVALUE %s CACHE %s%s',
                    format_type(q.seqtypid, NULL), q.seqstart, q.seqincrement, q.seqmin, q.seqmax,
                    q.seqcache, CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END)
                FROM pg_catalog.pg_sequence q WHERE q.seqrelid = relation.oid) END,
            'owned_by', CASE relkind WHEN 'S' THEN (
                SELECT quote_ident(t.relname) || '.' || quote_ident(a.attname)
                FROM pg_catalog.pg_depend d
                JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
                JOIN pg_catalog.pg_attribute a
                    ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = relation.oid
                    AND d.refclassid = 'pg_catalog.pg_class'::regclass
                    AND d.deptype IN ('a', 'i')) END,
            'of_identity', CASE relkind WHEN 'S' THEN (
                SELECT true FROM pg_catalog.pg_depend d
                WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = relation.oid
                    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'i') END
        ) AS facts,
        relacl AS acl, CASE relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS acl_of,
        relowner AS owner
    FROM relation
    UNION ALL
    SELECT 'column', r.name, a.attname::text,
        jsonb_build_object(
            'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
            'not_null', nullif(a.attnotnull, false),
            'identity', CASE a.attidentity WHEN 'a' THEN 'ALWAYS' WHEN 'd' THEN 'BY DEFAULT' END,
            'generated', nullif(a.attgenerated <> '', false),
            'collation', CASE WHEN a.attcollation <> t.typcollation
                THEN a.attcollation::regcollation::text END,
            'default', pg_catalog.pg_get_expr(d.adbin, d.adrelid)),
        a.attacl, 'c'::"char", r.relowner
    FROM relation r
    JOIN pg_catalog.pg_attribute a
        ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_catalog.pg_attrdef d
        ON a.atthasdef AND d.adrelid = r.oid AND d.adnum = a.attnum
    WHERE r.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
    UNION ALL
    SELECT 'index', r.name, c.relname::text,
        jsonb_build_object(
            'definition', pg_catalog.pg_get_indexdef(i.indexrelid),
            'invalid', nullif(NOT (i.indisvalid AND i.indisready), false),
            'deferred', nullif(NOT i.indimmediate, false)),
        NULL, NULL, NULL
    FROM relation r
    JOIN pg_catalog.pg_index i ON i.indrelid = r.oid
    JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
    UNION ALL
    -- Rules of NOT NULL are said at the column, constraint triggers among the triggers.
    SELECT 'constraint', r.name, k.conname::text,
        jsonb_build_object(
            'type', k.contype::text,
            'definition', regexp_replace(pg_catalog.pg_get_constraintdef(k.oid),
                ' NOT VALID$', ''),
            'not_valid', nullif(NOT k.convalidated, false)),
        NULL, NULL, NULL
    FROM relation r
    JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype NOT IN ('n', 't')
    UNION ALL
    SELECT 'trigger', r.name, t.tgname::text,
        jsonb_build_object(
            'definition', pg_catalog.pg_get_triggerdef(t.oid),
            'enabled', CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA'
                WHEN 'A' THEN 'ENABLE ALWAYS' END),
        NULL, NULL, NULL
    FROM relation r
    JOIN pg_catalog.pg_trigger t ON t.tgrelid = r.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT 'rule', r.name, w.rulename::text,
        jsonb_build_object('definition', rtrim(pg_catalog.pg_get_ruledef(w.oid), ';')),
        NULL, NULL, NULL
    FROM relation r
    JOIN pg_catalog.pg_rewrite w ON w.ev_class = r.oid AND w.rulename <> '_RETURN'
    UNION ALL
    SELECT 'policy', r.name, p.polname::text,
        jsonb_build_object(
            'definition', format('AS %s FOR %s TO %s%s%s',
                CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
                CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                    WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
                (SELECT string_agg(CASE role WHEN 0 THEN 'PUBLIC'
                    ELSE quote_ident(pg_catalog.pg_get_userbyid(role)) END, ', ' ORDER BY 1)
                 FROM unnest(p.polroles) role),
                ' USING (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')',
                ' WITH CHECK (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')')),
        NULL, NULL, NULL
    FROM relation r JOIN pg_catalog.pg_policy p ON p.polrelid = r.oid
    UNION ALL
    SELECT 'function', NULL, p.oid::regprocedure::text,
        jsonb_build_object(
            'definition', rtrim(pg_catalog.pg_get_functiondef(p.oid), E'\n'),
            'routine', CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END,
            'owner', CASE WHEN p.proowner <> s.owner THEN pg_catalog.pg_get_userbyid(p.proowner)
                END),
        p.proacl, 'f'::"char", p.proowner
    FROM schema s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND d.refobjid = s.oid AND d.classid = 'pg_catalog.pg_proc'::regclass
    JOIN pg_catalog.pg_proc p ON p.oid = d.objid AND p.prokind IN ('f', 'p')
    UNION ALL
    SELECT 'type', NULL, t.typname::text,
        jsonb_build_object(
            'definition', CASE t.typtype
                WHEN 'e' THEN 'AS ENUM (' || (
                    SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                    FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid) || ')'
                WHEN 'c' THEN 'AS (' || (
                    SELECT string_agg(quote_ident(a.attname) || ' '
                        || pg_catalog.format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
                    FROM pg_catalog.pg_attribute a
                    WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) || ')'
                WHEN 'd' THEN concat('AS ', pg_catalog.format_type(t.typbasetype, t.typtypmod),
                    ' DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN ' NOT NULL' END,
                    (SELECT string_agg(format(' CONSTRAINT %I %s', k.conname,
                        pg_catalog.pg_get_constraintdef(k.oid)), '' ORDER BY k.conname)
                     FROM pg_catalog.pg_constraint k
                     WHERE k.contypid = t.oid AND k.contype = 'c'))
                END,
            'sort', CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'c' THEN 'composite'
                WHEN 'd' THEN 'domain' ELSE 'other' END),
        NULL, NULL, NULL
    FROM schema s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::regclass
        AND d.refobjid = s.oid AND d.classid = 'pg_catalog.pg_type'::regclass
    JOIN pg_catalog.pg_type t ON t.oid = d.objid
    UNION ALL
    SELECT 'default rights', NULL,
        CASE a.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
            WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END
            || CASE WHEN a.defaclrole <> s.owner
                THEN ' of ' || pg_catalog.pg_get_userbyid(a.defaclrole) ELSE '' END,
        '{}', a.defaclacl, 'c'::"char", a.defaclrole
    FROM schema s JOIN pg_catalog.pg_default_acl a ON a.defaclnamespace = s.oid
    UNION ALL
    SELECT 'schema', NULL, '', '{}', acl, 'n'::"char", owner FROM schema
)
SELECT l.kind, l.relation, l.name,
    (jsonb_strip_nulls(l.facts) || coalesce(r.rights, '{}'))::text AS facts
FROM line l
LEFT JOIN LATERAL (
    -- Whatever the owner is called, here it has all that owners have, or it lacks something.
    SELECT jsonb_build_object('rights', jsonb_object_agg(g.who, g.may)) AS rights
    FROM (
        SELECT CASE x.grantee WHEN 0 THEN 'public'
                ELSE 'role ' || pg_catalog.pg_get_userbyid(x.grantee) END AS who,
            jsonb_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END
                ORDER BY x.privilege_type) AS may
        FROM pg_catalog.aclexplode(coalesce(l.acl, pg_catalog.acldefault(l.acl_of, l.owner))) x
        WHERE x.grantee <> l.owner GROUP BY 1
        UNION ALL
        SELECT 'owner lacks', jsonb_agg(o.privilege_type ORDER BY o.privilege_type) FROM (
            SELECT x.privilege_type
            FROM pg_catalog.aclexplode(pg_catalog.acldefault(l.acl_of, l.owner)) x
            WHERE x.grantee = l.owner
            EXCEPT
            SELECT x.privilege_type FROM pg_catalog.aclexplode(l.acl) x
            WHERE x.grantee = l.owner) o
        WHERE l.acl IS NOT NULL HAVING count(*) > 0
    ) g HAVING count(*) > 0
) r ON l.acl_of IS NOT NULL
