//! What suppliers call their columns, in English, German, Portuguese, Spanish, French, Estonian.
//!
//! All words are folded: lower case, no diacritics, single blanks. A list is ordered from the
//! clearest name to the vaguest; prices are ranked by their own rule in `header.rs`.

use super::mapping::Field;

/// How clearly a name speaks, as a share of a hundred.
pub(super) type Weight = u32;

/// Fields, how clear these names for them are, and the names.
#[rustfmt::skip]
pub(super) const NAMES: [(Field, Weight, &[&str]); 15] = [
    (Field::Sku, 100, &[
        "sku", "article number", "articlenumber", "article no", "article nr", "article code",
        "article id", "item number", "item no", "item nr", "item code", "item id", "product code",
        "product number", "product no", "product id", "part number", "part no", "stock code",
        "material number", "supplier sku", "supplier code", "artikelnummer", "artikelnr",
        "artikel nr", "artikel nummer", "artikel no", "artikelcode", "art nr", "artnr", "art no",
        "artnum", "bestellnummer", "bestellnr", "bestell nr", "materialnummer", "material nr",
        "materialnr", "produktnummer", "produktnr", "produkt nr", "sachnummer", "sachnr",
        "codigo do produto", "codigo do artigo", "codigo do item",
        "codigo produto", "cod produto", "codigo del articulo", "codigo articulo", "cod articulo",
        "codigo de articulo", "codigo de producto", "codigo producto", "numero de articulo",
        "code article", "code produit", "reference article", "reference produit", "ref article",
        "numero d article", "no article", "n article", "no d article", "tootekood", "artikli kood",
        "artiklikood", "artikkel", "artikli number", "kauba kood", "kaubakood", "laokood",
    ]),
    (Field::Sku, 90, &[
        "code", "codigo", "cod", "kood", "kode", "referencia", "reference", "referenz", "ref",
        "part", "matnr", "material",
    ]),
    (Field::Sku, 60, &["artikel", "article", "articulo", "artigo", "item", "id", "sachmerkmal"]),
    // Only used when the contents are not a running number.
    (Field::Sku, 45, &["number", "nummer", "numero", "nr", "no", "num", "n"]),
    (Field::Name, 100, &[
        "name", "product name", "article name", "item name", "material name", "short text",
        "short description", "title", "bezeichnung", "artikelbezeichnung", "artikelname",
        "artikel bezeichnung", "produktname", "produktbezeichnung", "bezeichnung 1",
        "bezeichnung1", "kurztext", "kurzbezeichnung", "kurzbeschreibung", "benennung", "titel",
        "materialbezeichnung", "nome", "nome do produto", "nome produto", "denominacao",
        "designacao", "nombre", "nombre del producto", "nombre producto", "denominacion",
        "designacion", "nom", "nom du produit", "nom produit", "designation", "libelle",
        "intitule", "nimetus", "nimi", "toote nimetus", "tootenimetus", "toote nimi", "tootenimi",
        "artikli nimetus", "kauba nimetus", "descricao do produto",
        "descricao do artigo", "descricao do item", "description 1",
    ]),
    (Field::Name, 65, &[
        "artikel", "article", "articulo", "artigo", "item", "product", "produkt", "produto",
        "producto", "produit", "toode", "kaup", "material", "text", "ware",
    ]),
    (Field::Description, 100, &[
        "description", "beschreibung", "artikelbeschreibung", "produktbeschreibung", "langtext",
        "long text", "long description", "full description", "product description",
        "item description", "details", "bezeichnung 2", "bezeichnung2", "description 2",
        "zusatztext", "descricao", "descricao completa", "descripcion", "descripcion larga",
        "descriptif", "description longue", "kirjeldus", "toote kirjeldus", "tootekirjeldus",
    ]),
    (Field::Unit, 100, &[
        "unit", "units", "unit of measure", "unit of measurement", "uom", "sales unit", "price unit",
        "order unit", "einheit", "mengeneinheit", "masseinheit", "verkaufseinheit", "me", "einh",
        "verkaufsmengeneinheit", "unidade", "unidade de medida", "un", "und", "unid", "u m",
        "unidad", "unidad de medida", "ud", "um", "unite", "unite de mesure", "unite de vente",
        "uhik", "mootuhik", "muugiuhik",
    ]),
    (Field::Unit, 65, &["preiseinheit", "pe", "measure", "medida"]),
    (Field::PricePer, 100, &[
        "price per", "price unit", "price quantity", "price qty", "price base", "price basis", "pricing unit",
        "per", "per quantity", "preis pro", "preis je", "pro", "je", "preismenge", "preisbasis",
        "preiseinheit", "pe", "preco por", "quantidade do preco", "base de preco", "precio por",
        "cantidad del precio", "base de precio", "prix par", "prix pour", "base de prix",
        "quantite du prix", "hinnauhik", "hinna kogus", "hinnabaas", "price unit quantity",
    ]),
    (Field::Currency, 100, &[
        "currency", "currency code", "iso currency", "curr", "cur", "wahrung", "waehrung", "wkz",
        "wahrungscode", "waehrungscode", "moeda", "moneda", "divisa", "devise", "monnaie",
        "valuuta",
    ]),
    (Field::Barcode, 100, &[
        "barcode", "bar code", "ean", "ean13", "ean 13", "ean code", "eancode", "ean nr", "gtin",
        "gtin 13", "gtin13", "gtin ean", "ean gtin", "upc", "strichcode", "codigo de barras",
        "cod barras", "codigo barras", "code barre", "code barres", "code a barres", "triipkood",
        "ribakood", "vootkood",
    ]),
    (Field::Status, 100, &[
        "status", "state", "lifecycle", "life cycle", "article status", "item status",
        "product status", "artikelstatus", "estado", "situacao", "situacion", "etat", "statut",
        "staatus", "olek",
    ]),
    (Field::Group, 100, &[
        "group", "product group", "article group", "item group", "material group", "category",
        "product category", "subcategory", "sub category", "subgroup", "sub group", "main group",
        "family", "product family", "subfamily", "warengruppe", "artikelgruppe", "produktgruppe",
        "hauptgruppe", "hauptwarengruppe", "obergruppe", "untergruppe", "unterwarengruppe",
        "materialgruppe", "warengruppenbezeichnung", "sortiment", "kategorie", "unterkategorie",
        "hauptkategorie", "produktkategorie", "gruppe", "grupo", "subgrupo", "categoria",
        "subcategoria", "sub categoria", "familia", "subfamilia", "sub familia", "rubro",
        "subrubro", "groupe", "sous groupe", "categorie", "sous categorie", "famille",
        "sous famille", "rayon", "grupp", "tootegrupp", "kaubagrupp", "artikligrupp", "alamgrupp",
        "kategooria", "alamkategooria", "tootekategooria", "kaubaruhm",
    ]),
    (Field::Group, 60, &["class", "klasse", "classe", "clase", "section", "department", "secao"]),
];

/// First words of columns that are levels of one path: `parent_category`, `Level 1`.
#[rustfmt::skip]
pub(super) const LEVELS: [&str; 13] = [
    "parent", "level", "lvl", "ebene", "stufe", "nivel", "niveau", "tase", "hierarchy",
    "hierarchie", "hierarchieebene", "hierarquia", "jerarquia",
];

/// Words that make a group a group of something else than articles.
#[rustfmt::skip]
pub(super) const NOT_A_GROUP: [&str; 20] = [
    "discount", "rabatt", "rabattgruppe", "desconto", "descuento", "remise", "tax", "vat", "mwst",
    "steuer", "price", "preis", "preisgruppe", "preco", "precio", "prix", "soodustus", "customer",
    "kunden", "bonus",
];

/// Words of columns that hold the number of a group and not its name.
#[rustfmt::skip]
pub(super) const GROUP_NUMBERS: [&str; 12] =
    ["nr", "no", "number", "nummer", "code", "id", "codigo", "cod", "numero", "kood", "key", "n"];

/// The words for a price.
#[rustfmt::skip]
pub(super) const PRICES: [&str; 40] = [
    "price", "prices", "preis", "preise", "einzelpreis", "listenpreis", "stuckpreis",
    "stueckpreis", "einheitspreis", "verkaufspreis", "einkaufspreis", "grundpreis",
    "katalogpreis", "handlerpreis", "haendlerpreis", "nettopreis", "bruttopreis",
    "durchschnittspreis", "mittelpreis", "vk", "ek", "ep", "hek", "vkpreis", "ekpreis", "preco",
    "precos", "valor", "precio", "precios", "prix", "tarif", "pu", "hind", "hinnad", "uhikuhind",
    "muugihind", "hinnakiri", "rate", "importe",
];

/// Words for what something costs: a price when nothing is called one.
#[rustfmt::skip]
pub(super) const COSTS: [&str; 8] =
    ["cost", "costs", "custo", "coste", "costo", "kosten", "cout", "kulu"];

/// Words in a price column's name that do not change what it is.
#[rustfmt::skip]
pub(super) const PLAIN_QUALIFIERS: [&str; 41] = [
    "unit", "list", "sales", "sale", "selling", "catalogue", "catalog", "per", "each", "in", "your",
    "excl", "ex", "vat", "unitario", "unitaria", "unitaire", "de", "do", "da", "del", "la", "le",
    "du", "en", "por", "par", "pro", "je", "einheit", "unidade", "unidad", "unite", "lista",
    "tabela", "venda", "venta", "vente", "tarifa", "uhiku", "zzgl",
];

/// Price qualifiers with what they take off a plain price's rank.
#[rustfmt::skip]
pub(super) const RANKED_QUALIFIERS: [(Weight, &[&str]); 6] = [
    (10, &[
        "avg", "average", "mean", "mittel", "mittlerer", "mittelpreis", "durchschnitt",
        "durchschnittspreis", "durchschnittlich", "durchschnittlicher", "medio", "media", "moyen",
        "keskmine",
    ]),
    (12, &["median", "mediano", "mediana", "mediane", "mediaan"]),
    (16, &[
        "net", "netto", "nettopreis", "neto", "liquido", "ht", "neta", "dealer", "purchase",
        "buying", "einkaufspreis", "ek", "ekpreis", "hek", "compra", "achat", "ostu",
    ]),
    (20, &["gross", "brutto", "bruttopreis", "bruto", "ttc", "inkl", "incl", "brut"]),
    (35, &[
        "min", "minimum", "max", "maximum", "minimo", "maximo", "mindestpreis", "hochstpreis",
        "lowest", "highest", "low", "high", "miinimum", "maksimum",
    ]),
    (40, &[
        "old", "alt", "alter", "previous", "vorher", "promo", "offer", "aktion", "rrp", "uvp",
        "msrp", "antigo", "anterior", "ancien", "vana", "variants", "count", "number", "quantity",
        "date", "datum", "data", "valid", "from", "origin", "origem", "origen", "source", "change",
        "group", "gruppe", "type", "typ", "tipo", "surcharge", "zuschlag", "discount",
        "rabatt", "total", "gesamt", "sum", "summe",
    ]),
];

/// Names that a column of running numbers may bear, besides none at all.
#[rustfmt::skip]
pub(super) const INDEX_NAMES: [&str; 21] = [
    "no", "nr", "n", "num", "number", "nummer", "numero", "pos", "position", "index", "idx", "id",
    "lfd nr", "lfdnr", "line", "zeile", "row", "item", "item no", "linha", "jrk",
];

/// First words of a total, in a footer.
#[rustfmt::skip]
pub(super) const TOTALS: [&str; 24] = [
    "total", "totals", "subtotal", "sum", "summe", "gesamt", "gesamtsumme", "gesamtpreis",
    "zwischensumme", "anzahl", "endsumme", "suma", "soma", "totais", "totales", "somme", "totaux",
    "kokku", "summa", "grand", "count", "records", "end", "ende",
];
