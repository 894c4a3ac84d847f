//! A connection that somebody has for now.

use std::sync::Arc;

use sea_orm::{DbErr, RuntimeErr};
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

use super::connection::Connection;
use super::{Shared, closed};
use crate::config::PreparedStatements;

/// A connection on loan, or the right to open one. Dropped while it is in doubt, the connection is
/// closed; dropped clean, it goes to the next in the queue.
pub(in crate::db) struct Lease {
    shared: Arc<Shared>,
    /// Gone once the seat was left.
    seat: Option<usize>,
    connection: Option<Box<Connection>>,
    is_in_doubt: bool,
}

impl Lease {
    pub(super) fn of(
        shared: Arc<Shared>,
        seat: usize,
        connection: Option<Box<Connection>>,
    ) -> Self {
        Self {
            shared,
            seat: Some(seat),
            connection,
            is_in_doubt: false,
        }
    }

    /// Opens the connection if there is none. Who stops waiting for it leaves it to whoever comes
    /// next: given up half-way, each would leave a login behind that Postgres is still busy with,
    /// and the seat to the one after, so that a pool would have more of them than seats.
    pub(super) async fn open(mut self) -> Result<Self, DbErr> {
        if self.connection.is_some() {
            return Ok(self);
        }
        let home = self.shared.home.clone();
        let opening = home.spawn(async move {
            let raw = PgConnection::connect_with(&self.shared.options).await;
            let raw = raw.map_err(|error| DbErr::Conn(RuntimeErr::SqlxError(error.into())))?;
            let counters = self.shared.counters.clone();
            let connection = Connection::new(raw, self.shared.statement_cache, counters);
            self.connection = Some(Box::new(connection));
            Ok(self)
        });
        opening.await.map_err(|_| closed())?
    }

    /// Notes whose turn it is.
    pub(super) fn meet(&mut self, tenant: Uuid) {
        if let Some(connection) = &mut self.connection {
            connection.meet(tenant);
        }
    }

    /// From here on nobody else may have it, until [`Lease::trust`].
    pub(in crate::db) fn doubt(&mut self) {
        self.is_in_doubt = true;
    }

    /// Its transaction is over, or ends before anything that may come next on this wire.
    pub(in crate::db) fn trust(&mut self) {
        self.is_in_doubt = false;
    }

    /// The connection itself.
    pub(in crate::db) fn raw(&mut self) -> &mut PgConnection {
        &mut self.opened().raw
    }

    /// Notes a statement that is about to be prepared, or used again; says whether it is to be
    /// kept.
    pub(in crate::db) fn prepare(&mut self, text: &str) -> bool {
        self.opened().prepare(text);
        self.shared.prepared == PreparedStatements::Named
    }

    /// Drops all prepared statements, whose plans may be out of date.
    pub(in crate::db) async fn forget_statements(&mut self) -> Result<(), sqlx::Error> {
        self.opened().forget_statements().await
    }

    fn opened(&mut self) -> &mut Connection {
        self.connection
            .as_mut()
            .expect("a lease leaves the pool with its connection open")
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(seat) = self.seat.take() else {
            return;
        };
        let mut connection = self.connection.take().filter(|_| !self.is_in_doubt);
        if connection
            .as_ref()
            .is_some_and(|it| self.shared.is_spent(it))
        {
            self.shared.counters.count_a_recycling();
            connection = None;
        }
        pass_on(&self.shared, seat, connection);
    }
}

/// Hands a seat to the next in the queue, or leaves it. Nothing is dropped while the seats are
/// locked: what is dropped may want them.
fn pass_on(shared: &Arc<Shared>, seat: usize, mut connection: Option<Box<Connection>>) {
    loop {
        let mut seats = shared.seats();
        let Some(next) = seats.next_in_queue() else {
            let unwanted = seats.leave(seat, connection);
            drop(seats);
            drop(unwanted);
            return;
        };
        drop(seats);
        let lease = Lease::of(shared.clone(), seat, connection);
        match next.send(lease) {
            Ok(()) => return,
            Err(mut returned) => {
                connection = returned.connection.take();
                returned.seat = None;
            }
        }
    }
}
