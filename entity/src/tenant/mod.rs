//! Tables of a dealer's schema. They name no schema: the transaction decides whose they are.

pub mod item;
pub mod item_barcode;
pub mod item_group;
pub mod member;
pub mod refresh_token;
pub mod session;
pub mod setting;
pub mod unit;
