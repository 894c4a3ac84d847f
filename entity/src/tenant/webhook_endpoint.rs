//! Who else hears of what happened at the dealer.

use sea_orm::entity::prelude::*;

/// One address that events are sent to.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_endpoint")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// Where to.
    pub url: String,
    /// For people; empty when there is none.
    pub description: String,
    /// Names of kinds of events, `item.*`, or `*`.
    pub event_types: Vec<String>,
    /// How it is signed.
    pub signing: Signing,
    /// What `v1a` is verified with, as `whpk_…`.
    pub public_key: Option<String>,
    /// Whether anything is sent.
    pub is_enabled: bool,
    /// Why we stopped; nothing while it is enabled, or when people stopped it.
    pub disabled_because: Option<Reason>,
    /// UTC; the first failure since the last success.
    pub failing_since: Option<TimeDateTimeWithTimeZone>,
    /// UTC; it asked to be left alone until then.
    pub not_before: Option<TimeDateTimeWithTimeZone>,
    /// The ETag's number.
    pub version: i64,
    /// UTC.
    pub created_at: TimeDateTimeWithTimeZone,
    /// UTC.
    pub updated_at: TimeDateTimeWithTimeZone,
}

/// How what is sent is signed.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Signing {
    /// HMAC-SHA256 with a secret that both sides know.
    #[sea_orm(string_value = "v1")]
    V1,
    /// Ed25519: who verifies can't sign.
    #[sea_orm(string_value = "v1a")]
    V1a,
    /// With either.
    #[sea_orm(string_value = "both")]
    Both,
}

/// Why we stopped to send.
#[derive(Copy, Clone, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum Reason {
    /// It said that it is gone for good.
    Gone,
    /// It failed for days.
    Failing,
}

/// None.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
