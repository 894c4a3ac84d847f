//! Words and pure rules: no I/O, no clock, no database, no transport.

mod clock;
mod color;
mod currency;
mod formula;
mod page;
mod patch;
mod revised;
mod seal;
mod tenant_key;
mod text;

pub use clock::Clock;
pub use color::{Color, NoColor};
pub use currency::{Currency, CurrencyError};
pub use formula::{guarded, unguarded};
pub use page::{Cursor, CursorError, PAGE_LIMIT, Page};
pub use patch::{Patch, never_null};
pub use revised::Revised;
pub use seal::{Sealer, Unsealable};
pub use tenant_key::TenantKey;
pub use text::holds_nul;

/// A mail address; the provisioner, which names first owners, reads them the same way.
pub use provisioner::{Email, EmailError};
