//! Use cases of units.

use ::entity::tenant::unit::{self, Entity, Model};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter,
    QueryOrder, QuerySelect, Select, sea_query::OnConflict,
};
use time::OffsetDateTime;

use crate::db::{Failure, TenantTx, failure_of};
use crate::kernel::{Cursor, Page, Patch, Revised};
use crate::tenant::catalog::CatalogError;
use crate::tenant::catalog::error::expect_version;

/// A unit to be.
#[derive(Debug, Clone)]
pub struct NewUnit {
    /// Its code, for good.
    pub code: String,
    /// For people.
    pub name: String,
    /// Printed after quantities.
    pub symbol: String,
    /// UN/ECE code.
    pub un_ece: Option<String>,
    /// Decimal places of a quantity.
    pub decimals: i16,
}

/// What is to change about a unit.
#[derive(Debug, Clone)]
pub(super) struct UnitChange {
    pub name: Option<String>,
    pub symbol: Option<String>,
    pub un_ece: Patch<String>,
    pub decimals: Option<i16>,
}

pub(super) async fn list(
    tx: &TenantTx,
    limit: u64,
    cursor: Option<Cursor>,
) -> Result<Page<Model>, CatalogError> {
    let mut query = Entity::find()
        .order_by_asc(unit::Column::Code)
        .limit(limit + 1);
    if let Some(cursor) = cursor {
        query = query.filter(unit::Column::Code.gt(cursor.key::<String>()?));
    }
    Ok(Page::of(query.all(tx).await?, limit, |unit| {
        unit.code.clone()
    }))
}

pub(super) async fn find(tx: &TenantTx, code: &str) -> Result<Model, CatalogError> {
    by_code(code)?
        .one(tx)
        .await?
        .ok_or(CatalogError::UnitNotFound)
}

pub(super) async fn create(
    tx: &TenantTx,
    new: &NewUnit,
    now: OffsetDateTime,
) -> Result<Model, CatalogError> {
    Ok(active(new, now).insert(tx).await?)
}

/// Creates those of `units` that aren't there yet.
///
/// # Errors
///
/// [`CatalogError::Db`].
pub async fn ensure(
    tx: &TenantTx,
    units: &[NewUnit],
    now: OffsetDateTime,
) -> Result<(), CatalogError> {
    if units.is_empty() {
        return Ok(());
    }
    let there_already = OnConflict::column(unit::Column::Code)
        .do_nothing()
        .to_owned();
    Entity::insert_many(units.iter().map(|new| active(new, now)))
        .on_conflict(there_already)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// The codes of all units.
///
/// # Errors
///
/// [`CatalogError::Db`].
pub async fn all_codes(tx: &TenantTx) -> Result<Vec<String>, CatalogError> {
    let codes = Entity::find()
        .select_only()
        .column(unit::Column::Code)
        .into_tuple();
    Ok(codes.all(tx).await?)
}

/// The code for a unit of which only somebody's name for it is known.
///
/// ```
/// # use server::tenant::catalog::units::code_of;
/// assert_eq!(code_of("M2 x MES"), "m2_x_mes");
/// assert_eq!(code_of("½"), "unit_bd");
/// ```
pub fn code_of(name: &str) -> String {
    let mut code = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            code.push(c);
        } else if !code.is_empty() && !code.ends_with('_') {
            code.push('_');
        }
    }
    let code: String = code.trim_end_matches('_').chars().take(32).collect();
    if !code.is_empty() {
        return code;
    }
    // Nothing of it is Latin: its characters' numbers tell it from others.
    let numbers: Vec<String> = name
        .chars()
        .take(4)
        .map(|c| format!("{:x}", u32::from(c)))
        .collect();
    format!("unit_{}", numbers.join("_"))
}

pub(super) async fn change(
    tx: &TenantTx,
    code: &str,
    expected: Option<i64>,
    change: &UnitChange,
    now: OffsetDateTime,
) -> Result<Revised<Model>, CatalogError> {
    let unit = find_locked(tx, code, expected).await?;
    let before = unit.clone();
    let next = unit.version + 1;
    let un_ece = change.un_ece.clone().over(unit.un_ece.clone());
    let mut changed = unit.into_active_model();
    if let Some(name) = &change.name {
        changed.name = Set(name.clone());
    }
    if let Some(symbol) = &change.symbol {
        changed.symbol = Set(symbol.clone());
    }
    if let Some(decimals) = change.decimals {
        changed.decimals = Set(decimals);
    }
    changed.un_ece = Set(un_ece);
    changed.version = Set(next);
    changed.updated_at = Set(now);
    let after = changed.update(tx).await?;
    Ok(Revised { before, after })
}

pub(super) async fn delete(
    tx: &TenantTx,
    code: &str,
    expected: Option<i64>,
) -> Result<Model, CatalogError> {
    let removed = find_locked(tx, code, expected).await?;
    match Entity::delete_by_id(code).exec(tx).await {
        Ok(_) => Ok(removed),
        Err(error) => match failure_of(&error) {
            Failure::Constraint(_) => Err(CatalogError::UnitInUse),
            _ => Err(error.into()),
        },
    }
}

async fn find_locked(
    tx: &TenantTx,
    code: &str,
    expected: Option<i64>,
) -> Result<Model, CatalogError> {
    let unit = by_code(code)?
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or(CatalogError::UnitNotFound)?;
    expect_version(expected, unit.version)?;
    Ok(unit)
}

/// A text that the database can't hold is no unit's code.
fn by_code(code: &str) -> Result<Select<Entity>, CatalogError> {
    if code.contains('\0') {
        return Err(CatalogError::UnitNotFound);
    }
    Ok(Entity::find_by_id(code))
}

fn active(new: &NewUnit, now: OffsetDateTime) -> unit::ActiveModel {
    unit::ActiveModel {
        code: Set(new.code.clone()),
        name: Set(new.name.clone()),
        symbol: Set(new.symbol.clone()),
        un_ece: Set(new.un_ece.clone()),
        decimals: Set(new.decimals),
        version: Set(1),
        created_at: Set(now),
        updated_at: Set(now),
    }
}
