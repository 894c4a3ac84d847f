SELECT json_build_object(
    'id', c.oid::bigint,
    'name', c.relname,
    'columns', coalesce((
        SELECT json_agg(json_build_object(
            'number', a.attnum,
            'name', a.attname,
            'not_null', a.attnotnull OR base.not_null,
            'identity', a.attidentity <> '',
            'generated', a.attgenerated <> '',
            'expression', pg_get_expr(d.adbin, d.adrelid),
            'bases', coalesce((
                SELECT json_agg(DISTINCT p.refobjsubid) FROM pg_depend p
                WHERE (p.classid = 'pg_attrdef'::regclass AND p.objid = d.oid
                        OR p.classid = 'pg_class'::regclass AND p.objid = c.oid
                            AND p.objsubid = a.attnum)
                    AND p.refclassid = 'pg_class'::regclass AND p.refobjid = c.oid
                    AND p.refobjsubid > 0 AND p.refobjsubid <> a.attnum), '[]'),
            'type', json_build_object(
                'text', format_type(base.id, base.modifier),
                'name', t.typname,
                'kind', t.typtype,
                'modifier', base.modifier,
                'labels', coalesce((SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)
                    FROM pg_enum e WHERE e.enumtypid = t.oid), '[]'),
                'inner', CASE WHEN i.oid IS NOT NULL THEN json_build_object(
                    'text', format_type(i.oid, CASE WHEN t.typcategory = 'A'
                        THEN base.modifier ELSE -1 END),
                    'name', i.typname,
                    'kind', i.typtype,
                    'modifier', CASE WHEN t.typcategory = 'A' THEN base.modifier ELSE -1 END,
                    'labels', coalesce((SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder)
                        FROM pg_enum e WHERE e.enumtypid = i.oid), '[]'),
                    'inner', NULL) END),
            'domain_checks', coalesce((
                SELECT json_agg(pg_get_expr(k.conbin, 0) ORDER BY k.conname)
                FROM pg_constraint k
                WHERE k.contypid = ANY (base.domains) AND k.contype = 'c'), '[]'))
            ORDER BY a.attnum)
        FROM pg_attribute a
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        CROSS JOIN LATERAL (
            WITH RECURSIVE step AS (
                SELECT s.oid AS id, s.typtype AS kind, s.typbasetype AS below,
                    s.typtypmod AS below_modifier, a.atttypmod AS modifier,
                    s.typnotnull AS not_null, ARRAY[s.oid] AS domains
                FROM pg_type s WHERE s.oid = a.atttypid
                UNION ALL
                SELECT s.oid, s.typtype, s.typbasetype, s.typtypmod, step.below_modifier,
                    step.not_null OR s.typnotnull, step.domains || s.oid
                FROM step JOIN pg_type s ON s.oid = step.below
                WHERE step.kind = 'd')
            SELECT * FROM step WHERE step.kind <> 'd') base
        JOIN pg_type t ON t.oid = base.id
        LEFT JOIN pg_range r ON t.oid IN (r.rngtypid, r.rngmultitypid)
        LEFT JOIN pg_type i ON i.oid = coalesce(r.rngsubtype,
            CASE WHEN t.typcategory = 'A' THEN nullif(t.typelem, 0) END)
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), '[]'),
    'checks', coalesce((
        SELECT json_agg(json_build_object(
            'name', k.conname,
            'expression', pg_get_expr(k.conbin, k.conrelid),
            'columns', coalesce(array_to_json(k.conkey), '[]')) ORDER BY k.conname)
        FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c'), '[]'),
    'references', coalesce((
        SELECT json_agg(json_build_object(
            'name', k.conname,
            'columns', array_to_json(k.conkey),
            'target', k.confrelid::bigint,
            'target_name', k.confrelid::regclass::text,
            'target_columns', array_to_json(k.confkey),
            'target_names', (SELECT json_agg(f.attname ORDER BY place.at)
                FROM unnest(k.confkey) WITH ORDINALITY place (number, at)
                JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = place.number))
            ORDER BY k.conname)
        FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f'), '[]'),
    'keys', coalesce((
        SELECT json_agg(json_build_object(
            'is_immediate', x.indimmediate,
            'columns', (SELECT coalesce(json_agg(DISTINCT number), '[]') FROM (
                SELECT unnest(x.indkey::smallint[])::int
                UNION ALL
                SELECT p.refobjsubid FROM pg_depend p
                WHERE (x.indpred IS NULL OR 0 = ANY (x.indkey::smallint[]))
                    AND p.classid = 'pg_class'::regclass AND p.objid = x.indexrelid
                    AND p.refclassid = 'pg_class'::regclass
                    AND p.refobjid = c.oid) of (number) WHERE number > 0)) ORDER BY x.indexrelid)
        FROM pg_index x
        WHERE x.indrelid = c.oid AND (x.indisunique OR x.indisexclusion)), '[]')
)::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname
