//! The port that dealers are served at.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// Connections that may wait to be taken.
const BACKLOG: i32 = 2048;

/// Opens the port. Connections whose clients don't read what they were sent for so long are closed, by
/// the system itself: an answer that isn't taken stands still, and nobody in this process would look
/// after it.
pub(super) fn listen_at(address: SocketAddr, unread: Duration) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A server that is started again takes its port back at once.
    socket.set_reuse_address(true)?;
    // Connections inherit it.
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(unread))?;
    #[cfg(not(target_os = "linux"))]
    let _ = unread;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
