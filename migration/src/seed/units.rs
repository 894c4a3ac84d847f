//! The units every dealer starts with, with their codes of UN/ECE Recommendation 20 and 21.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectionTrait, DatabaseTransaction};

/// One message: every code is a plain word of this file, so nothing needs binding.
pub(super) async fn insert(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    let rows: Vec<String> = STANDARD
        .iter()
        .map(|(code, name, symbol, un_ece, decimals)| {
            format!("('{code}', '{name}', '{symbol}', '{un_ece}', {decimals})")
        })
        .collect();
    let sql = format!(
        "INSERT INTO unit (code, name, symbol, un_ece, decimals) VALUES {}",
        rows.join(", ")
    );
    tx.execute_unprepared(&sql).await?;
    Ok(())
}

/// Code, name, symbol, UN/ECE code, decimal places a quantity may have.
const STANDARD: [(&str, &str, &str, &str, u8); 27] = [
    ("pcs", "Piece", "pcs", "C62", 0),
    ("set", "Set", "set", "SET", 0),
    ("pair", "Pair", "pair", "PR", 0),
    ("pack", "Pack", "pack", "XPK", 0),
    ("roll", "Roll", "roll", "XRO", 0),
    ("bag", "Bag", "bag", "XBG", 0),
    ("box", "Box", "box", "XBX", 0),
    ("pallet", "Pallet", "pallet", "XPX", 0),
    ("sheet", "Sheet", "sheet", "XST", 0),
    ("kg", "Kilogram", "kg", "KGM", 3),
    ("g", "Gram", "g", "GRM", 0),
    ("t", "Tonne", "t", "TNE", 3),
    ("l", "Litre", "l", "LTR", 3),
    ("ml", "Millilitre", "ml", "MLT", 0),
    ("m", "Metre", "m", "MTR", 3),
    ("cm", "Centimetre", "cm", "CMT", 1),
    ("mm", "Millimetre", "mm", "MMT", 0),
    ("m2", "Square metre", "m²", "MTK", 3),
    ("m3", "Cubic metre", "m³", "MTQ", 3),
    ("h", "Hour", "h", "HUR", 2),
    ("day", "Day", "d", "DAY", 2),
    ("month", "Month", "mo", "MON", 2),
    ("person", "Person", "pers", "IE", 0),
    ("machine_h", "Machine hour", "mach h", "HUR", 2),
    ("kwh", "Kilowatt hour", "kWh", "KWH", 3),
    ("kw", "Kilowatt", "kW", "KWT", 3),
    ("lump", "Lump sum", "ls", "LS", 0),
];
