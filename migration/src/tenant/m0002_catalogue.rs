//! Units, groups, items and their barcodes. Expand-only: nothing older reads these tables.

use sea_orm_migration::prelude::*;

use super::declared::Waiver;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared(UP).await?;
        Ok(())
    }

    async fn down(&self, m: &SchemaManager) -> Result<(), DbErr> {
        m.get_connection().execute_unprepared(DOWN).await?;
        Ok(())
    }
}

pub(super) const WAIVERS: &[Waiver] = &[Waiver {
    code: "foreign-key-without-index",
    reason: "units are a few dozen, their codes never change and none is deleted: nothing asks for \
             the items of a unit, and two indexes more would cost every import",
}];

/// * A unit is named by its code, so that an item reads without a join.
/// * `item.search` begins with a blank and is folded: a pattern `% wo%` finds the beginnings of
///   words and `%wo%` finds the middle of them, both through the one trigram index.
/// * Nearly every price is for base units, which are looked up in `unit` already; only another
///   unit is looked up again. A look-up is a tenth of what writing an item costs.
/// * No index holds a price or `updated_at`: a month's new prices are then heap-only updates
///   that touch no index, for which the fill factor leaves room.
/// * The partial index serves the lists of set-aside items; all others walk `item_sku_key`.
/// * ANALYZE is due after 2 % of the rows have changed, a month's news: it brings statistics up to
///   date and sorts in what waits in the trigram index's list. That list keeps its usual 4 MB; with
///   16 MB a first load is a fifth faster, but then every search reads the whole table (20 ms for
///   50,000 items) until autovacuum comes by.
const UP: &str = "
CREATE TABLE unit (
    code text CONSTRAINT unit_pkey PRIMARY KEY
        CONSTRAINT unit_code_check CHECK (code ~ '^[a-z0-9][a-z0-9_]{0,31}$'),
    name text NOT NULL,
    symbol text NOT NULL,
    un_ece text,
    decimals smallint NOT NULL
        CONSTRAINT unit_decimals_check CHECK (decimals BETWEEN 0 AND 6),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE item_group (
    id uuid CONSTRAINT item_group_pkey PRIMARY KEY,
    parent_id uuid
        CONSTRAINT item_group_parent_id_fkey REFERENCES item_group (id),
    name text NOT NULL
        CONSTRAINT item_group_name_check CHECK (btrim(name) <> ''),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT item_group_parent_not_self_check CHECK (parent_id <> id),
    CONSTRAINT item_group_parent_id_name_key UNIQUE NULLS NOT DISTINCT (parent_id, name)
);

CREATE TABLE item (
    id uuid CONSTRAINT item_pkey PRIMARY KEY,
    sku text NOT NULL
        CONSTRAINT item_sku_key UNIQUE
        CONSTRAINT item_sku_check CHECK (sku = btrim(sku) AND length(sku) BETWEEN 1 AND 64),
    name text NOT NULL
        CONSTRAINT item_name_check CHECK (length(name) BETWEEN 1 AND 500),
    description text NOT NULL DEFAULT '',
    group_id uuid
        CONSTRAINT item_group_id_fkey REFERENCES item_group (id),
    base_unit text NOT NULL
        CONSTRAINT item_base_unit_fkey REFERENCES unit (code),
    price_amount numeric(18, 6)
        CONSTRAINT item_price_amount_check CHECK (price_amount >= 0),
    price_per numeric(18, 6)
        CONSTRAINT item_price_per_check CHECK (price_per > 0),
    price_unit text,
    currency text
        CONSTRAINT item_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    status text NOT NULL
        CONSTRAINT item_status_check CHECK (status IN ('active', 'obsolete')),
    custom jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT item_custom_check CHECK (jsonb_typeof(custom) = 'object'),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    retired_at timestamptz,
    search text NOT NULL GENERATED ALWAYS AS
        (' ' || shared.fold(sku || ' ' || name || ' ' || description)) STORED,
    other_price_unit text GENERATED ALWAYS AS (nullif(price_unit, base_unit)) STORED
        CONSTRAINT item_price_unit_fkey REFERENCES unit (code),
    CONSTRAINT item_price_whole_check
        CHECK (num_nulls(price_amount, price_per, price_unit, currency) IN (0, 4))
) WITH (fillfactor = 80, autovacuum_analyze_scale_factor = 0.02);
CREATE INDEX item_name_idx ON item (name, sku);
CREATE INDEX item_group_id_idx ON item (group_id, sku) WHERE group_id IS NOT NULL;
CREATE INDEX item_set_aside_idx ON item (sku) WHERE status <> 'active' OR retired_at IS NOT NULL;
CREATE INDEX item_search_idx ON item USING gin (search shared.gin_trgm_ops);

CREATE TABLE item_barcode (
    barcode text CONSTRAINT item_barcode_pkey PRIMARY KEY
        CONSTRAINT item_barcode_check CHECK (length(barcode) BETWEEN 1 AND 64),
    item_id uuid NOT NULL
        CONSTRAINT item_barcode_item_id_fkey REFERENCES item (id) ON DELETE CASCADE,
    position smallint NOT NULL
);
CREATE INDEX item_barcode_item_id_idx ON item_barcode (item_id, position);
";

const DOWN: &str = "
DROP TABLE item_barcode;
DROP TABLE item;
DROP TABLE item_group;
DROP TABLE unit;
";
